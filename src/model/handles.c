/* SPDX-License-Identifier: MIT */
/*
 * handles.c - handle values of one process and what they refer to.
 *
 * An open hash table, linear probing, without tombstones: a removed entry is
 * filled by moving back those behind it. The kernel does not look at the two
 * lowest bits of a handle, nor does this table.
 *
 * Fails only for want of memory, then a handle is not known.
 *
 * A target may have very many handles, and ask for each step again and again:
 * what looks for all handles of an object, or for a process, goes through a
 * chain of those alone and a few others.
 */
#include "model/handles.h"

#include "base/keyed.h"
#include "model/archive.h"
#include "model/world.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

struct slot {
    uint64_t key;         // the handle shifted right by two; 0: free
    uint64_t generation;  // when it was set
    struct thing *thing;
};

/* Chains of each sort; a power of two. */
#define CHAINS 4096
/* Handles of one object that learn what becomes of it. */
#define LEARN_MOST 64

struct handles {
    struct model *model;
    struct thing *chains[THING_CHAINS][CHAINS];
    struct slot *slots;
    size_t room;  // a power of two, or 0
    size_t count;
    uint64_t generation;
};

/* --- Chains ----------------------------------------------------------- */

static struct thing **chain_of(struct handles *h, enum thing_chain chain,
                               uint64_t key)
{
    return &h->chains[chain][(key * 0x9e3779b97f4a7c15) >> 32 & (CHAINS - 1)];
}

static void chain_add(struct handles *h, enum thing_chain chain, uint64_t key,
                      struct thing *thing)
{
    struct thing **first = chain_of(h, chain, key);

    thing->next[chain] = *first;
    thing->link[chain] = first;
    if (*first) {
        (*first)->link[chain] = &thing->next[chain];
    }
    *first = thing;
}

static bool has_image(const struct thing *thing)
{
    str head;
    str image;

    return thing->object.pid != 0 && thing->tid == 0 &&
           str_cut(thing->object.name, ' ', &head, &image);
}

static void chains_enter(struct handles *h, struct thing *thing, uint64_t key)
{
    thing->key = key;
    chain_add(h, CHAIN_IDENTITY, thing->identity, thing);
    if (has_image(thing)) {
        chain_add(h, CHAIN_IMAGE, thing->object.pid, thing);
    }
}

static void chains_leave(struct thing *thing)
{
    for (int i = 0; i < THING_CHAINS; i++) {
        if (thing->link[i]) {
            *thing->link[i] = thing->next[i];
            if (thing->next[i]) {
                thing->next[i]->link[i] = thing->link[i];
            }
            thing->next[i] = NULL;
            thing->link[i] = NULL;
        }
    }
}

/* --- The table -------------------------------------------------------- */

struct handles *handles_open(struct model *m)
{
    struct handles *h = calloc(1, sizeof(*h));

    if (h) {
        h->model = m;
    }
    return h;
}

void handles_clear(struct handles *h)
{
    for (size_t i = 0; i < h->room; i++) {
        if (h->slots[i].key != 0) {
            chains_leave(h->slots[i].thing);
            thing_release(h->slots[i].thing);
        }
    }
    h->model->slot_bytes -= h->room * sizeof(h->slots[0]);
    free(h->slots);
    h->slots = NULL;
    h->room = 0;
    h->count = 0;
}

void handles_close(struct handles *h)
{
    if (h) {
        handles_clear(h);
        free(h);
    }
}

uint64_t handles_generation(const struct handles *h)
{
    return h->generation;
}

static size_t home(const struct handles *h, uint64_t key)
{
    return keyed_pair(key, 0) & (h->room - 1);
}

/* The slot of `key`, or the free one where it would be; room > 0. */
static size_t find(const struct handles *h, uint64_t key)
{
    size_t at = home(h, key);

    while (h->slots[at].key != 0 && h->slots[at].key != key) {
        at = (at + 1) & (h->room - 1);
    }
    return at;
}

static bool make_room(struct handles *h)
{
    size_t room = h->room ? h->room * 2 : 64;
    struct slot *old = h->slots;
    size_t old_room = h->room;
    struct slot *slots;

    /* At most three quarters full, so that searches end. */
    if (h->count + 1 <= h->room / 4 * 3) {
        return true;
    }
    if (h->count >= HANDLES_MAX ||
        h->model->slot_bytes + room * sizeof(slots[0]) > SLOT_BYTES_MAX) {
        return false;
    }
    slots = calloc(room, sizeof(slots[0]));
    if (!slots) {
        return false;
    }
    h->model->slot_bytes += (room - old_room) * sizeof(slots[0]);
    h->slots = slots;
    h->room = room;
    for (size_t i = 0; i < old_room; i++) {
        if (old[i].key != 0) {
            slots[find(h, old[i].key)] = old[i];
        }
    }
    free(old);
    return true;
}

static void remove_at(struct handles *h, size_t at)
{
    size_t mask = h->room - 1;
    size_t next = at;

    chains_leave(h->slots[at].thing);
    thing_release(h->slots[at].thing);
    h->count--;
    for (;;) {
        next = (next + 1) & mask;
        if (h->slots[next].key == 0) {
            break;
        }
        /* It may move back only as far as where its search begins. */
        if (((next - home(h, h->slots[next].key)) & mask) >=
            ((next - at) & mask)) {
            h->slots[at] = h->slots[next];
            at = next;
        }
    }
    h->slots[at] = (struct slot){ .key = 0 };
}

struct thing *handles_look(const struct handles *h, uint64_t value,
                           uint64_t *generation)
{
    size_t at;

    *generation = 0;
    if (h->count == 0 || value >> 2 == 0) {
        return NULL;
    }
    at = find(h, value >> 2);
    if (h->slots[at].key == 0) {
        return NULL;
    }
    *generation = h->slots[at].generation;
    return h->slots[at].thing;
}

const struct object *handles_find(const struct handles *h, uint64_t value)
{
    uint64_t generation;
    const struct thing *thing = h ? handles_look(h, value, &generation) : NULL;

    return thing ? &thing->object : NULL;
}

void handles_remove(struct handles *h, uint64_t value)
{
    size_t at;

    if (h->count == 0 || value >> 2 == 0) {
        return;
    }
    at = find(h, value >> 2);
    if (h->slots[at].key != 0) {
        remove_at(h, at);
    }
}

void handles_set(struct handles *h, uint64_t value, struct thing *thing)
{
    size_t at;

    handles_remove(h, value);
    if (!thing || value >> 2 == 0 || h->count >= HANDLES_MAX || !make_room(h)) {
        thing_release(thing);
        return;
    }
    at = find(h, value >> 2);
    h->slots[at].key = value >> 2;
    h->slots[at].generation = ++h->generation;
    h->slots[at].thing = thing;
    h->count++;
    chains_enter(h, thing, value >> 2);
}

bool handles_add(struct handles *h, uint64_t value, str type, str name,
                 str path, bool access_known, uint32_t access)
{
    struct thing_facts facts = {
        .type = type,
        .name = name,
        .path = path,
        .access_known = access_known,
        .access = access,
    };
    uint64_t generation;
    struct thing *thing;

    if (handles_look(h, value, &generation)) {
        return true;
    }
    thing = thing_new(h->model, &facts);
    if (!thing) {
        return false;
    }
    handles_set(h, value, thing);
    return true;
}

void handles_learn(struct handles *h, const struct thing_facts *facts)
{
    struct thing *next = *chain_of(h, CHAIN_IDENTITY, facts->identity);
    int learned = 0;

    while (next) {
        struct thing_facts told = *facts;
        struct thing *old = next;
        struct thing *thing;
        size_t at;

        next = old->next[CHAIN_IDENTITY];
        if (old->identity != facts->identity) {
            continue;
        }
        at = find(h, old->key);
        if (learned == LEARN_MOST) {
            remove_at(h, at);
            continue;
        }
        learned++;
        told.access_known = old->object.access_known;
        told.access = old->object.access;
        thing = thing_new(h->model, &told);
        if (thing) {
            chains_enter(h, thing, old->key);
            chains_leave(old);
            h->slots[at].thing = thing;
            thing_release(old);
        }
    }
}

str handles_image(struct handles *h, uint32_t pid)
{
    str head;
    str image;

    for (const struct thing *thing = *chain_of(h, CHAIN_IMAGE, pid); thing;
         thing = thing->next[CHAIN_IMAGE]) {
        if (thing->object.pid == pid) {
            str_cut(thing->object.name, ' ', &head, &image);
            return image;
        }
    }
    return STR("");
}

/* --- Saved and loaded ------------------------------------------------- */

/* The chain that was appended to last. Who comes first in a chain is what is
 * found, so chains are saved as they are, one after the other. */
struct chain_end {
    struct thing **first;
    struct thing *last;
};

static void chain_append(struct archive *a, struct thing **first,
                         enum thing_chain chain, struct thing *thing,
                         struct chain_end *end)
{
    struct thing **link = first == end->first ? &end->last->next[chain] : first;

    if (!archive_insist(a, *link == NULL)) {
        return;
    }
    *link = thing;
    thing->link[chain] = link;
    *end = (struct chain_end){ first, thing };
}

static void slot_archive(struct archive *a, struct handles *h,
                         struct slot *slot)
{
    archive_u64(a, &slot->key);
    archive_u64(a, &slot->generation);
    archive_insist(a, slot->key > 0 && slot->key <= UINT64_MAX >> 2 &&
                          slot->generation <= h->generation);
    /* As much as it comes to at most: the table doubles. */
    archive_take(a, 3 * sizeof(*slot));
    archive_thing_first(a, &slot->thing);
}

static void slot_load(struct archive *a, struct handles *h,
                      struct chain_end *end)
{
    struct slot slot = { .key = 0 };
    size_t at = 0;

    slot_archive(a, h, &slot);
    if (a->bad || !archive_insist(a, make_room(h)) ||
        !archive_insist(a, h->slots[at = find(h, slot.key)].key == 0)) {
        thing_release(slot.thing);
        return;
    }
    h->slots[at] = slot;
    h->count++;
    slot.thing->key = slot.key;
    chain_append(a, chain_of(h, CHAIN_IDENTITY, slot.thing->identity),
                 CHAIN_IDENTITY, slot.thing, end);
}

static void image_load(struct archive *a, struct handles *h, uint64_t key,
                       struct chain_end *end)
{
    struct thing *thing = h->room > 0 ? h->slots[find(h, key)].thing : NULL;

    if (archive_insist(a, key > 0 && thing && !thing->link[CHAIN_IMAGE] &&
                              has_image(thing))) {
        chain_append(a, chain_of(h, CHAIN_IMAGE, thing->object.pid),
                     CHAIN_IMAGE, thing, end);
    }
}

static void slots_save(struct archive *a, struct handles *h)
{
    for (size_t i = 0; i < CHAINS; i++) {
        for (const struct thing *thing = h->chains[CHAIN_IDENTITY][i]; thing;
             thing = thing->next[CHAIN_IDENTITY]) {
            struct slot slot = h->slots[find(h, thing->key)];

            slot_archive(a, h, &slot);
        }
    }
}

static void images_save(struct archive *a, struct handles *h)
{
    for (size_t i = 0; i < CHAINS; i++) {
        for (struct thing *thing = h->chains[CHAIN_IMAGE][i]; thing;
             thing = thing->next[CHAIN_IMAGE]) {
            archive_u64(a, &thing->key);
        }
    }
}

void handles_archive(struct archive *a, struct handles *h)
{
    struct chain_end end = { NULL, NULL };
    size_t count = h->count;
    uint64_t key = 0;

    archive_take(a, sizeof(*h));
    archive_u64(a, &h->generation);
    archive_count(a, &count, HANDLES_MAX, 10);
    if (a->saving) {
        slots_save(a, h);
        images_save(a, h);
        archive_u64(a, &key);
        return;
    }
    for (size_t i = 0; i < count && !a->bad; i++) {
        slot_load(a, h, &end);
    }
    end = (struct chain_end){ NULL, NULL };
    for (archive_u64(a, &key); key != 0 && !a->bad; archive_u64(a, &key)) {
        image_load(a, h, key, &end);
    }
}
