/* SPDX-License-Identifier: MIT */
/*
 * labels.c - a table of names, found by a hash of the form that they are compared
 * in. Only what is shown is kept: the form of one is made again where hashes are
 * equal, so that no two names become one whatever they are made like.
 */
#include "report/labels.h"

#include "base/keyed.h"
#include "base/utf.h"
#include "filter/path.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/banned.h"

#define SLOTS_FIRST ((size_t)1 << 10)
/* The form of a name, three bytes a unit. */
#define FORM_ROOM ((size_t)PATH_UNITS_MAX * 3)

struct name {
    uint64_t hash;
    size_t at;  // in `text`
    uint32_t size;
};

struct labels {
    struct name *names;  // owned
    size_t count;
    size_t room;
    char *text;  // owned: all of them
    size_t text_size;
    size_t text_room;
    uint32_t *slots;  // owned: number + 1, or 0
    size_t slot_count;
    uint64_t refused;
    struct path_room asked;
    struct path_room other;
    char form[FORM_ROOM];
};

struct labels *labels_open(void)
{
    struct labels *n = calloc(1, sizeof(*n));

    if (n == NULL) {
        return NULL;
    }
    n->slot_count = SLOTS_FIRST;
    n->slots = calloc(n->slot_count, sizeof(*n->slots));
    if (n->slots == NULL) {
        free(n);
        return NULL;
    }
    return n;
}

void labels_close(struct labels *n)
{
    if (n != NULL) {
        free(n->names);
        free(n->text);
        free(n->slots);
        free(n);
    }
}

size_t labels_count(const struct labels *n)
{
    return n->count;
}

uint64_t labels_refused(const struct labels *n)
{
    return n->refused;
}

str labels_text(const struct labels *n, uint32_t number)
{
    if (number >= n->count) {
        return STR("(more)");
    }
    return (str){ n->text + n->names[number].at, n->names[number].size };
}

static void fold(struct path_room *room, str name)
{
    path_begin(room);
    path_add(room, name);
    path_done(room);
}

/* Of the form; of the name itself if that is too long for the form. */
static uint64_t hash_of(const struct path_room *form, str name)
{
    return form->cut ? keyed_bytes(name.p, name.size)
                     : keyed_bytes(form->units + form->from,
                                   (form->size - form->from) *
                                       sizeof(form->units[0]));
}

static bool is_same(const struct path_room *a, const struct path_room *b)
{
    size_t size = a->size - a->from;

    return size == b->size - b->from && !a->cut && !b->cut &&
           memcmp(a->units + a->from, b->units + b->from,
                  size * sizeof(a->units[0])) == 0;
}

/* True if `name`, which is folded in `asked`, is that of this number. What is too
 * long for the form is the same if it is so to the letter: NT has no such names. */
static bool is_called(struct labels *n, uint32_t number, str name)
{
    str text = labels_text(n, number);

    if (n->asked.cut || str_eq(text, name)) {
        return str_eq(text, name);
    }
    fold(&n->other, text);
    return is_same(&n->asked, &n->other);
}

/* Where the name is, or is to be, among the slots. */
static uint32_t *find(struct labels *n, uint64_t hash, str name)
{
    size_t at = hash & (n->slot_count - 1);

    while (n->slots[at] != 0) {
        uint32_t number = n->slots[at] - 1;

        if (n->names[number].hash == hash && is_called(n, number, name)) {
            break;
        }
        at = (at + 1) & (n->slot_count - 1);
    }
    return &n->slots[at];
}

/* Twice as many slots. */
static bool widen(struct labels *n)
{
    size_t count = n->slot_count * 2;
    uint32_t *slots = calloc(count, sizeof(*slots));

    if (slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < n->count; i++) {
        size_t at = n->names[i].hash & (count - 1);

        while (slots[at] != 0) {
            at = (at + 1) & (count - 1);
        }
        slots[at] = (uint32_t)i + 1;
    }
    free(n->slots);
    n->slots = slots;
    n->slot_count = count;
    return true;
}

static bool make_room(struct labels *n, size_t size)
{
    size_t room = n->text_room > 0 ? n->text_room : (size_t)64 << 10;
    char *text;

    if (n->count >= LABELS_MOST || size > LABELS_BYTES_MOST - n->text_size ||
        (n->count >= n->slot_count / 2 && !widen(n)) ||
        !array_grow(&n->names, &n->room, n->count, sizeof(n->names[0]))) {
        return false;
    }
    while (room - n->text_size < size) {
        room *= 2;
    }
    if (room != n->text_room) {
        text = realloc(n->text, room);
        if (text == NULL) {
            return false;
        }
        n->text = text;
        n->text_room = room;
    }
    return true;
}

uint32_t labels_add(struct labels *n, str name)
{
    uint64_t hash;
    uint32_t *slot;

    fold(&n->asked, name);
    hash = hash_of(&n->asked, name);
    slot = find(n, hash, name);
    if (*slot != 0) {
        return *slot - 1;
    }
    if (!make_room(n, name.size + 1)) {
        n->refused++;
        return LABEL_NONE;
    }
    slot = find(n, hash, name); /* there may be more slots now */
    memcpy(n->text + n->text_size, name.p, name.size);
    n->names[n->count] =
        (struct name){ hash, n->text_size, (uint32_t)name.size };
    n->text_size += name.size;
    *slot = (uint32_t)++n->count;
    return *slot - 1;
}

str labels_form(struct labels *n, uint32_t number)
{
    struct buf b = BUF_OVER(n->form);
    const struct path_room *room = &n->other;
    size_t at = 0;

    fold(&n->other, labels_text(n, number));
    while (at < room->size - room->from) {
        utf_add(&b, utf_next16(room->units + room->from,
                               room->size - room->from, &at));
    }
    return buf_str(&b);
}
