/* SPDX-License-Identifier: MIT */
/*
 * places.c - which words of a record are addresses of code, and what is there.
 *
 * The words: what a transition says of its routine or of where it happened
 * (record.h), where an orphan returned to for which nobody waits, and the
 * arguments of a call that the tables call code. Those in structures are not
 * looked for: in no image, they stay bare.
 *
 * Records are hostile; a wrong size gives no address. Asks by ask.h alone.
 */
#include "live/places.h"

#include "live/images.h"
#include "live/journal.h"
#include "live/rings.h"
#include "live/session.h"
#include "wire/walk.h"

#include <string.h>

#include "base/banned.h"

/* A record is kept back for so long at most; and if that was in vain, no other
 * one of the thread for the next while: a program must not be slowed down by
 * what it pretends. */
#define PATIENCE_MS 100
#define IMPATIENCE_MS 1000
/* Below, nothing is code: flags in an ApcRoutine, small numbers. */
#define LEAST_CODE 0x10000

#define WORDS_MOST CALL_ARGS_MAX

/* What was found out goes for no more bytes than this. */
#define SPAN_MOST ((uint64_t)1 << 30)

void places_begin(struct traced *t)
{
    t->seen_count = 0;
}

static bool is_seen(const struct traced *t, uint64_t time, uint64_t address)
{
    for (uint32_t i = 0; i < t->seen_count && i < SEEN_PLACES; i++) {
        /* What was found for a later record is told after this one. */
        if (address - t->seen[i].base < t->seen[i].size &&
            t->seen_time[i] <= time) {
            return true;
        }
    }
    return false;
}

static void see(struct traced *t, uint64_t time, uint64_t base, uint64_t size)
{
    t->seen_time[t->seen_count % SEEN_PLACES] = time;
    t->seen[t->seen_count++ % SEEN_PLACES] = (struct image_at){ base, size };
}

static bool wants(const struct traced *t, uint64_t time, uint64_t address)
{
    return address >= LEAST_CODE && !images_have(t, address) &&
           !is_seen(t, time, address);
}

/* The word at `at` of a record; 0: it is not there. */
static uint64_t word_at(const struct walked *r, uint32_t at)
{
    uint64_t word = 0;

    if (at + sizeof(word) <= r->head.size) {
        memcpy(&word, r->bytes + at, sizeof(word));
    }
    return word;
}

/* The addresses of code in one record. Returns how many. */
static int words_of(const struct traced *t, const struct walked *r,
                    uint32_t words[static WORDS_MOST])
{
    const struct record_head *head = &r->head;
    uint32_t place = transition_place((enum transition)head->number);
    uint32_t mask;
    int count = 0;

    if (head->kind == RECORD_TRANSITION && place < TRANSITION_WORDS_MAX) {
        words[count++] = TRANSITION_WORDS + 8 * place;
    } else if (head->kind == RECORD_RETURN &&
               (head->flags & RECORD_ORPHAN) != 0) {
        words[count++] = RETURN_RIP;
    } else if (head->kind == RECORD_ENTRY) {
        mask = t->target.plan->services[head->number & SERVICE_MASK].code_args;
        for (uint32_t i = 0; mask >> i != 0 && count < WORDS_MOST; i++) {
            if (mask >> i & 1) {
                words[count++] = ENTRY_ARGS + 8 * i;
            }
        }
    }
    return count;
}

uint32_t places_known(struct traced *t, const uint8_t *bytes, uint32_t size)
{
    struct walk w = walk_over(bytes, size);
    uint32_t words[WORDS_MOST];
    struct walked r;

    while (walk_next(&w, &r)) {
        int count = words_of(t, &r, words);

        for (int i = 0; i < count; i++) {
            if (wants(t, r.head.time, word_at(&r, words[i]))) {
                return (uint32_t)(r.bytes - bytes);
            }
        }
    }
    return size;
}

void places_tell(struct traced *t, uint64_t time, uint64_t address,
                 const struct region_told *told)
{
    struct journal_place place = { .origin = told->allocation,
                                   .base = told->allocation };
    str name = STR("");

    if (!told->free && images_may_be(t, told)) {
        if (images_add(t, time, told)) {
            images_tell_win32u(t, time);
        }
        return;
    }
    if (told->free) {
        place.kind = PLACE_UNMAPPED;
        place.base = address & ~(uint64_t)0xfff;
        place.size = 0x1000;
    } else {
        place.kind = PLACE_PRIVATE;
        place.size = told->allocation_end - told->allocation;
        if (told->mapped && told->path_size > 0) {
            place.kind = PLACE_MAPPED;
            name = (str){ told->path, told->path_size };
        }
        if (address - place.base >= place.size || place.size > SPAN_MOST) {
            /* An allocation that was not looked through to its end, or what a
             * thread says that need not be true: it goes for this page. */
            place.base = address & ~(uint64_t)0xfff;
            place.size = 0x1000;
        }
    }
    see(t, time, place.base, place.size);
    put_place(t, time, &place, name);
}

static void not_known(struct traced *t, uint64_t time, uint64_t address)
{
    struct journal_place place = { .base = address & ~(uint64_t)0xfff,
                                   .size = 0x1000,
                                   .kind = PLACE_UNKNOWN };

    see(t, time, place.base, place.size);
    put_place(t, time, &place, STR(""));
}

void places_find(struct traced *t, uint64_t time, uint64_t address)
{
    if (!wants(t, time, address)) {
        return;
    }
    /* Who has got room is on its way; who has not must not wait for us while
     * we wait for the target. */
    rings_wake(t);
    if (t->asker == NULL) {
        t->asker = asker_open(&t->target.os, t->target.plan->system.wine);
    }
    if (t->asker == NULL || !asker_region(t->asker, address, &t->told)) {
        not_known(t, time, address);
        return;
    }
    places_tell(t, time, address, &t->told);
    if (wants(t, time, address)) {
        /* An image that could not be kept. */
        not_known(t, time, address);
    }
}

bool places_ask(struct traced *t, struct drained *d, const uint8_t *bytes,
                uint32_t size, uint64_t now)
{
    struct walk w = walk_over(bytes, size);
    uint32_t words[WORDS_MOST];
    struct walked r;
    int count;

    if (!walk_next(&w, &r)) {
        return true;
    }
    count = words_of(t, &r, words);
    /* Who waits itself is not kept waiting: its question is behind this. */
    if (t->target.plan->system.wine && rings_waited_for(t) && !rings_waits(d)) {
        uint64_t ms = t->session->timing.tsc_per_ms;

        if (d->wonders_since == 0) {
            d->wonders_since = now;
        }
        if (now - d->wonders_since < PATIENCE_MS * ms &&
            (d->wondered_in_vain == 0 ||
             now - d->wondered_in_vain > IMPATIENCE_MS * ms)) {
            return false;
        }
        d->wondered_in_vain = now;
    }
    d->wonders_since = 0;
    for (int i = 0; i < count; i++) {
        places_find(t, r.head.time, word_at(&r, words[i]));
    }
    return true;
}
