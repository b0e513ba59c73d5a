/* SPDX-License-Identifier: MIT */
/*
 * drain.c - from the rings into the model.
 *
 * Everything in the section is the target's to scribble on. Each shared word
 * is read once into a local and judged there; records are copied out before
 * anybody looks at them; the position we read from is our own.
 */
#include "live/drain.h"

#include "live/children.h"
#include "live/early.h"
#include "live/images.h"
#include "live/journal.h"
#include "live/keeper.h"
#include "live/places.h"
#include "live/rendezvous.h"
#include "live/returns.h"
#include "live/rings.h"
#include "live/session.h"
#include "live/tampering.h"
#include "live/underway.h"
#include "tables/roles.h"
#include "wire/walk.h"

#include <string.h>

#include "base/banned.h"

/* A store is visible to others at the latest after this much. */
#define STORE_DELAY_US 20
/* How often threads are asked whether they have ended. */
#define CHECK_ENDED_MS 50
/* Every so many processes more, all that may be rings are looked at more
 * rarely: who has rings and hides them is not worth a look at 8,192 words of
 * each, again and again. */
#define MANY 8
/* One wait asks for so many handles. */
#define ASK_MOST 60
/* A thread that is to ask, and runs for so long, does not. */
#define GONE_ON_MS 200
/* No ring is looked at for longer at a time, where it can be told. */
#define TURN_MS 20
/* At one time no more rings are looked at that somebody may have begun to
 * claim. */
#define UNCLAIMED_MOST 8

static _Atomic uint32_t *state_at(const struct traced *t, uint32_t index)
{
    return (_Atomic uint32_t *)((char *)t->target.shared.at +
                                SECTION_RING_STATE) +
           index;
}

static bool take_over(struct traced *t, struct drained *d, uint32_t index)
{
    struct ring *r = target_ring(&t->target, index);

    if (r == NULL) {
        return false;
    }
    *d = (struct drained){ 0 };
    d->tid = r->tid;
    d->teb = r->teb;
    d->is_below = r->is_below != 0;
    d->tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    d->answered = atomic_load_explicit(&r->answer, memory_order_relaxed);
    d->denied = os_thread_open(t->target.os.pid, d->tid, d->teb, &d->handle) ==
                OS_THREAD_DENIED;
    /* When we looked last, this ring was nobody's. */
    d->bound = t->last_pass;
    d->thread = d->is_below ? NULL : early_take(t, d->tid, d->teb);
    if (d->thread == NULL) {
        d->thread = model_thread_open(t->process, d->tid, r->serial, d->bound);
    }
    if (d->thread == NULL) {
        os_thread_close(d->handle);
        return false;
    }
    d->ring = r;
    return true;
}

static void tell_losses(struct drained *d)
{
    static const enum model_lost kinds[RING_LOST_COUNT] = {
        [RING_LOST_FULL] = LOST_FULL,
        [RING_LOST_INSIDE] = LOST_INSIDE,
        [RING_LOST_GUARD] = LOST_COUNT,
        [RING_LOST_NO_TRACER] = LOST_NO_TRACER,
    };
    uint32_t data;

    for (int i = 0; i < RING_LOST_COUNT; i++) {
        uint32_t lost =
            atomic_load_explicit(&d->ring->lost[i], memory_order_relaxed);

        if (lost != d->lost[i] && kinds[i] != LOST_COUNT) {
            put_thread_lost(d, kinds[i], lost - d->lost[i]);
        }
        d->lost[i] = lost;
    }
    data = atomic_load_explicit(&d->ring->lost_data, memory_order_relaxed);
    if (data != d->lost_data) {
        put_thread_lost(d, LOST_DATA, data - d->lost_data);
    }
    d->lost_data = data;
}

/* NtTerminateThread of the thread itself, by its pseudo-handle or NULL, says
 * what GetExitCodeThread may be too late for. */
static void note_own_end(struct drained *d, const struct record_entry *entry)
{
    if (entry->args[0] == UINT64_MAX - 1 || entry->args[0] == 0) {
        d->code_known = true;
        d->ended_itself = true;
        d->code = (uint32_t)entry->args[1];
    }
}

/* What an entry says that we act on ourselves; `record` is all of it. */
static void watch_entry(struct traced *t, struct drained *d,
                        const struct record_entry *entry, const uint8_t *record)
{
    uint32_t roles =
        t->target.plan->services[entry->head.number & SERVICE_MASK].roles;

    underway_over(t, d->tid, entry->rsp);
    if ((roles & ROLE_ENDS_THREAD) != 0) {
        d->ending = true;
        note_own_end(d, entry);
    } else if ((roles & ROLE_UNMAPS) != 0 && entry->args[0] == UINT64_MAX) {
        d->unmap_rsp = entry->rsp;
        d->unmap_base = entry->args[1];
    } else if ((roles & ROLE_MAKES_PROCESS) != 0) {
        children_entry(t, d, record);
    }
}

/* A call that unmaps has come back: if it has succeeded, what it unmapped is
 * gone from then on. */
static void watch_unmap(struct traced *t, struct drained *d,
                        const struct record_return *r)
{
    if (d->unmap_base != 0 && r->rsp == d->unmap_rsp) {
        if ((int32_t)(uint32_t)r->rax >= 0 &&
            (r->head.flags & RECORD_REPLACED) == 0) {
            images_remove(t, r->head.time, d->unmap_base);
        }
        d->unmap_base = 0;
    }
}

/* Entries of a thread that runs, and not one return among them: somebody may have
 * taken the callback away (docs/facts.md A6.7). */
static void watch_returns(struct traced *t, struct drained *d, uint8_t kind)
{
    if (kind == RECORD_DATA) {
        return; /* goes with an entry, or with a return that follows */
    }
    if (kind != RECORD_ENTRY) {
        d->entries_alone = 0;
    } else {
        returns_miss(t, ++d->entries_alone, d->last_time);
    }
}

/* A RETURN, with the result that the kernel gave. */
static void copy_return(struct record_return *to, const uint8_t *bytes)
{
    memcpy(to, bytes, RETURN_SIZE);
    if (record_has_kernels(&to->head)) {
        memcpy(&to->rax, bytes + RETURN_KERNELS, sizeof(to->rax));
    }
}

/* Looks through records that the model has taken for those that we act on
 * ourselves. Where one is damaged the rest is not looked at; the model has
 * counted it. */
static void watch(struct traced *t, struct drained *d, const uint8_t *bytes,
                  size_t size, uint64_t now)
{
    struct walk w = walk_over(bytes, size);
    struct walked r;

    while (walk_next(&w, &r)) {
        if (r.head.kind != RECORD_PAD) {
            d->last_time = r.head.time < now ? r.head.time : now;
            watch_returns(t, d, r.head.kind);
        }
        if (r.head.kind == RECORD_ENTRY) {
            struct record_entry entry;

            memcpy(&entry, r.bytes, ENTRY_SIZE);
            watch_entry(t, d, &entry, r.bytes);
        }
        if (r.head.kind == RECORD_RETURN) {
            struct record_return back;

            copy_return(&back, r.bytes);
            watch_unmap(t, d, &back);
            if (children_is_return(d, &back)) {
                children_seen(t, d, &back);
            }
        }
    }
}

/* True if a record says that its thread waits for an answer. */
static bool is_question(const struct record_head *head)
{
    return (head->flags & RECORD_WAITS) != 0 &&
           (head->kind == RECORD_RETURN || head->kind == RECORD_ENTRY ||
            head->kind == RECORD_TRANSITION);
}

/* True if a record says that a call has mapped an image that is known. */
static bool maps_known(const struct record_head *head)
{
    return head->kind == RECORD_RETURN && head->number != 0;
}

/* How much of the records in `bytes` comes before the first that has to be looked
 * at by itself: *next is that one's head, its size 0 if there is none. */
static uint32_t before_next(const uint8_t *bytes, uint32_t all,
                            struct record_head *next)
{
    struct walk w = walk_over(bytes, all);
    struct walked r;

    *next = (struct record_head){ 0 };
    while (walk_next(&w, &r)) {
        if (is_question(&r.head) || maps_known(&r.head)) {
            *next = r.head;
            return (uint32_t)(r.bytes - bytes);
        }
    }
    return all;
}

static size_t take(struct traced *t, struct drained *d, const uint8_t *bytes,
                   uint32_t size, uint64_t now)
{
    size_t taken = model_feed(d->thread, bytes, size, now);

    if (taken > size) {
        taken = size;
    }
    watch(t, d, bytes, taken, now);
    d->stuck = taken < size;
    return taken;
}

/* True if the thread of a question that was never asked, or was given up, has
 * been running for a while. */
static bool has_gone_on(const struct traced *t, struct drained *d, uint64_t now)
{
    bool runs = atomic_load_explicit(&d->ring->waiting, memory_order_relaxed) ==
                RING_RUNS;

    if (!runs || d->runs_since == 0) {
        d->runs_since = runs ? now : 0;
        return false;
    }
    return now - d->runs_since > t->session->timing.tsc_per_ms * GONE_ON_MS;
}

/* `r`, which `bytes` are of, may be the return of a call that the thread was in when
 * functions were bent: that is no orphan, and one that was told of is nothing at all.
 * But it is the thread's own stack that says so, so that the kernel is asked as for
 * any: what it says is another call stays an orphan. */
static void settle_underway(struct traced *t, struct drained *d,
                            const struct record_return *r, uint8_t *bytes)
{
    bool told;

    if (r->head.kind == RECORD_RETURN && (r->head.flags & RECORD_ORPHAN) &&
        underway_take(t, d->tid, r->rsp, &told) &&
        !rendezvous_is_another(t, d, r->rip)) {
        bytes[RECORD_FLAGS] &= (uint8_t)~RECORD_ORPHAN;
        if (told) {
            bytes[RECORD_KIND] = RECORD_PAD;
        }
        rendezvous_forget(d);
    }
}

/* The next record is a question. `newest`: nothing is behind it, so that its
 * thread may well wait; that it has also asked, `asked` says. Returns what was
 * taken: the record, once its thread has its answer. */
static size_t take_question(struct traced *t, struct drained *d, uint8_t *bytes,
                            uint32_t size, bool newest, uint32_t asked,
                            uint64_t now)
{
    struct record_return r;
    struct chore c;
    size_t taken;

    if (newest && asked == d->answered && !has_gone_on(t, d, now)) {
        d->asking = true;
        return 0;
    }
    newest = newest && asked != d->answered;
    d->runs_since = 0;
    if (!d->resolved) {
        memcpy(&r, bytes, sizeof(r));
        if (r.head.kind == RECORD_RETURN) {
            copy_return(&r, bytes);
        } else if (r.head.kind == RECORD_ENTRY && newest &&
                   !tampering_judge(t, d, bytes, &c)) {
            rings_answer(d, asked, &c);
            d->asking = true;
            return 0;
        }
        if (!rendezvous(t, d, &r, newest, &c)) {
            rings_answer(d, asked, &c);
            d->asking = true;
            return 0;
        }
        settle_underway(t, d, &r, bytes);
        d->resolved = true;
    }
    taken = take(t, d, bytes, size, now);
    if (taken == size) {
        d->resolved = false;
        rendezvous_finish(d);
        /* One that did not wait must not be taken for another that does. */
        if (newest) {
            rings_answer(d, asked, &(struct chore){ CHORE_NONE, 0, 0 });
        }
    }
    return taken;
}

/* Takes a record of an image that is known, so that what comes behind it finds
 * it there. */
static size_t take_known(struct traced *t, struct drained *d,
                         const uint8_t *bytes, const struct record_head *head,
                         uint64_t now)
{
    size_t taken;

    if (!d->resolved) {
        images_known(t, head->time, head->number - 1u);
        d->resolved = true;
    }
    taken = take(t, d, bytes, head->size, now);
    d->resolved = taken < head->size;
    return taken;
}

/* Takes records that are no questions, up to one whose addresses have to be
 * asked for: these are asked for, or the record is kept back. */
static size_t take_plain(struct traced *t, struct drained *d,
                         const uint8_t *bytes, uint32_t size, uint64_t now)
{
    uint32_t known = places_known(t, bytes, size);

    if (known > 0) {
        return take(t, d, bytes, known, now);
    }
    d->wonders = !places_ask(t, d, bytes, size, now);
    return 0;
}

/* Feeds the `size` bytes from `from` on, of `left` that are there and do not
 * wrap. Returns what was taken. `asked`: the thread's `ask`, read before
 * `left`. `last`: it asks nothing any more. */
static size_t feed(struct traced *t, struct drained *d, uint32_t from,
                   uint32_t size, uint32_t left, uint32_t asked, bool last)
{
    uint64_t now = os_tsc();
    struct record_head next;
    uint32_t before;
    size_t taken = 0;

    memcpy(t->session->scratch, (const char *)d->ring + RING_DATA + from, size);
    while (taken < size && !d->stuck && !d->asking && !d->wonders) {
        uint8_t *bytes = t->session->scratch + taken;

        before = before_next(bytes, size - (uint32_t)taken, &next);
        /* Whatever stands in a ring, the others come to their turn. */
        if (os_tsc() - now > t->session->timing.tsc_per_ms * TURN_MS) {
            d->stuck = true;
        } else if (before > 0) {
            taken += take_plain(t, d, bytes, before, now);
        } else if (!is_question(&next)) {
            taken += take_known(t, d, bytes, &next, now);
        } else {
            taken += take_question(t, d, bytes, next.size,
                                   !last && left == (uint32_t)taken + next.size,
                                   asked, now);
        }
    }
    return taken;
}

/* Until when there is nothing older to come from the thread. */
static uint64_t bound_of(const struct traced *t, const struct drained *d,
                         const struct ring_words *w, uint64_t now)
{
    bool idle = w->inside == 0 || w->waiting == RING_WAITS_ANSWER ||
                w->waiting == RING_SPINS;

    if (d->stuck || d->asking || d->wonders) {
        return d->last_time;
    }
    if (idle) {
        return now - t->session->timing.tsc_per_ms * STORE_DELAY_US / 1000;
    }
    return d->last_time > d->bound ? d->last_time : d->bound;
}

/* `now`: read before this ring, and whether there are new ones, was looked
 * at: a promise for one thread must hold for those we do not know yet. */
static size_t drain_ring(struct traced *t, struct drained *d, uint64_t now,
                         bool last)
{
    struct ring *r = d->ring;
    uint32_t bytes = t->target.ring_bytes;
    struct ring_words w = rings_read(d);
    uint32_t left = w.head - d->tail;
    size_t taken = 0;

    if (left > bytes) {
        put_thread_lost(d, LOST_DAMAGED, 1);
        d->tail = w.head;
        left = 0;
    }
    d->stuck = false;
    d->asking = false;
    d->wonders = false;
    while (left > 0 && !d->stuck && !d->asking && !d->wonders) {
        uint32_t from = d->tail & (bytes - 1);
        uint32_t part = left < bytes - from ? left : bytes - from;
        size_t got = feed(t, d, from, part, left, w.asked, last);

        d->tail += (uint32_t)got;
        left -= (uint32_t)got;
        taken += got;
    }
    /* Release: we are done with these bytes. Pairs with the acquire in
     * make_room (agent/ring.c). */
    atomic_store_explicit(&r->tail, d->tail, memory_order_release);
    rings_answer_again(d, &w);
    tell_losses(d);
    d->bound = last ? UINT64_MAX : bound_of(t, d, &w, now);
    model_thread_bound(d->thread, d->bound);
    return taken;
}

/* The ring is free again: it is empty, and its thread is no more. */
static void reclaim(struct traced *t, uint32_t index, uint64_t time)
{
    struct drained *d = &t->rings[index];

    put_thread_end(d, time);
    os_thread_close(d->handle);
    rendezvous_forget(d);
    d->ring->inside = 0;
    /* Release: nobody reads it any more. Pairs with the acquire in
     * claim_at (agent/ring.c). */
    atomic_store_explicit(state_at(t, index), RING_FREE, memory_order_release);
    *d = (struct drained){ 0 };
}

/* The next ring, from `i` on, of the thread that has the one at `index`, and is
 * not that; ring_high: there is no more. */
static uint32_t other_ring(const struct traced *t, uint32_t index, uint32_t i)
{
    const struct drained *d = &t->rings[index];

    while (i < t->ring_high &&
           (i == index || t->rings[i].ring == NULL ||
            t->rings[i].tid != d->tid || t->rings[i].teb != d->teb)) {
        i++;
    }
    return i;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* All rings of a thread are given back, which are empty. Its end is told once, of
 * the one by which it has ended itself, or of that at `index`, after what is open
 * in the others; and that after all that it did, also while we looked. */
static void reclaim_all(struct traced *t, uint32_t index)
{
    uint64_t over = later(t->last_pass, t->rings[index].last_time);
    uint32_t tells = index, i;

    for (i = other_ring(t, index, 0); i < t->ring_high;
         i = other_ring(t, index, i + 1)) {
        tells = t->rings[i].ended_itself ? i : tells;
        over = later(over, t->rings[i].last_time);
    }
    for (i = other_ring(t, tells, 0); i < t->ring_high;
         i = other_ring(t, tells, i + 1)) {
        t->rings[i].code_known = false;
        reclaim(t, i, over + 1);
    }
    reclaim(t, tells, over + 2);
}

/* True if all of a ring is taken, whose thread has ended. */
static bool take_last(struct traced *t, struct drained *d)
{
    drain_ring(t, d, os_tsc(), true);
    if (d->handle != NULL) {
        d->code_known = os_thread_ended(d->handle, &d->code);
    }
    return !d->stuck && !d->wonders;
}

/* How many rings there may be: `high` says so, and is the target's to write;
 * with `all`, their states are looked at as well. */
static void find_rings(struct traced *t, uint32_t high, bool all)
{
    if (high > t->target.ring_max) {
        high = t->target.ring_max;
    }
    for (uint32_t i = t->target.ring_max; all && i > high; i--) {
        if (atomic_load_explicit(state_at(t, i - 1), memory_order_relaxed) ==
            RING_LIVE) {
            high = i;
        }
    }
    if (high > t->ring_high) {
        t->ring_high = high;
    }
}

/* Rings of the thread with the one at `index`, which has ended, that we have not
 * seen yet. */
static void find_others(struct traced *t, uint32_t index)
{
    find_rings(t,
               atomic_load_explicit(&t->target.section->ring_high,
                                    memory_order_acquire),
               false);
    for (uint32_t i = 0; i < t->ring_high; i++) {
        const struct ring *r;

        /* Acquire: as in drain_rings. */
        if (t->rings[i].ring == NULL &&
            atomic_load_explicit(state_at(t, i), memory_order_acquire) ==
                RING_LIVE &&
            (r = target_ring(&t->target, i)) != NULL &&
            r->tid == t->rings[index].tid && r->teb == t->rings[index].teb) {
            take_over(t, &t->rings[i], i);
        }
    }
}

/* Takes what a thread that has ended left behind. Gives its rings back if that is
 * all; else they are looked at again with the others'. */
static void end_thread(struct traced *t, uint32_t index)
{
    bool taken = take_last(t, &t->rings[index]);

    find_others(t, index);
    for (uint32_t i = other_ring(t, index, 0); i < t->ring_high;
         i = other_ring(t, index, i + 1)) {
        taken = take_last(t, &t->rings[i]) && taken;
    }
    if (taken) {
        reclaim_all(t, index);
    }
}

/* Ends those of `count` threads that have ended, once each: one wait asks for all.
 * With the ring of a thread all that it has are given back, and their handles. */
static void end_some(struct traced *t, void **handles, uint32_t *index,
                     int count)
{
    int at = -1, all;

    do {
        all = count;
        count = 0;
        for (int i = 0; i < all; i++) {
            if (i != at && t->rings[index[i]].handle == handles[i]) {
                handles[count] = handles[i];
                index[count++] = index[i];
            }
        }
        at = count > 0 ? os_wait(handles, count, 0) : -1;
        if (at >= 0) {
            end_thread(t, index[at]);
        }
    } while (at >= 0);
}

/* True if the thread of `d` is known to be no more without waiting for it. A
 * thread that we may not open is asked for again: it is gone when nobody is
 * there to be denied. */
static bool is_gone(const struct traced *t, struct drained *d)
{
    if (d->denied) {
        d->denied = os_thread_open(t->target.os.pid, d->tid, d->teb,
                                   &d->handle) == OS_THREAD_DENIED;
    }
    return d->handle == NULL && !d->denied;
}

/* Ends the threads that have ended; not `all`: of those only that have
 * entered NtTerminateThread, or could not be found. */
static void end_threads(struct traced *t, bool all)
{
    void *handles[ASK_MOST];
    uint32_t index[ASK_MOST];
    int count = 0;

    for (uint32_t i = 0; i < t->ring_high; i++) {
        struct drained *d = &t->rings[i];

        if (d->ring == NULL || d->stuck || !(all || d->ending)) {
            continue;
        }
        if (is_gone(t, d)) {
            end_thread(t, i);
        } else if (d->handle != NULL) {
            handles[count] = d->handle;
            index[count++] = i;
            if (count == ASK_MOST) {
                end_some(t, handles, index, count);
                count = 0;
            }
        }
    }
    end_some(t, handles, index, count);
}

/* Notes whose threads of `count` have ended. */
static void note_ended(void **handles, struct traced **of, int count)
{
    int at;

    while (count > 0 && (at = os_wait(handles, count, 0)) >= 0) {
        of[at]->threads_ended = true;
        count--;
        handles[at] = handles[count];
        of[at] = of[count];
    }
}

void drain_begin(struct session *s)
{
    void *handles[ASK_MOST];
    struct traced *of[ASK_MOST];
    uint64_t now = os_tsc();
    int count = 0;

    if (now <= s->threads_at) {
        return;
    }
    s->threads_at = now + s->timing.tsc_per_ms * CHECK_ENDED_MS;
    s->processes = 0;
    for (struct traced *t = s->traced; t != NULL; t = t->next) {
        s->processes += !t->ended;
        for (uint32_t i = 0; !t->ended && i < t->ring_high; i++) {
            const struct drained *d = &t->rings[i];

            if (d->ring != NULL && d->handle == NULL) {
                t->threads_ended = true;
            } else if (d->ring != NULL) {
                handles[count] = d->handle;
                of[count++] = t;
            }
            if (count == ASK_MOST) {
                note_ended(handles, of, count);
                count = 0;
            }
        }
    }
    note_ended(handles, of, count);
}

/* It was over before the process was, if it has another code. */
static bool ended_before(struct drained *d, uint32_t code)
{
    uint32_t own;

    if (d->ending || d->code_known || d->handle == NULL ||
        !os_thread_ended(d->handle, &own) || own == code) {
        return d->ending && d->code_known;
    }
    d->code = own;
    d->code_known = true;
    return true;
}

void drain_end(struct traced *t, uint32_t code)
{
    for (uint32_t i = 0; i < t->ring_high; i++) {
        struct drained *d = &t->rings[i];

        if (d->ring != NULL && ended_before(d, code)) {
            reclaim_all(t, i);
        }
    }
}

/* Rings that were never set up, for their threads were ended meanwhile, are free
 * again. Whose they were is the target's to write: of a few it is asked. */
static void free_unclaimed(struct traced *t)
{
    int asked = 0;

    for (uint32_t i = 0; i < t->ring_high && asked < UNCLAIMED_MOST; i++) {
        uint32_t state =
            atomic_load_explicit(state_at(t, i), memory_order_relaxed);
        void *thread = NULL;
        uint32_t code;
        bool gone;

        if (t->rings[i].ring != NULL || (state & RING_STATE) != RING_CLAIMING) {
            continue;
        }
        asked++;
        gone = os_thread_open(t->target.os.pid, state & ~RING_STATE, 0,
                              &thread) == OS_THREAD_GONE ||
               (thread != NULL && os_thread_ended(thread, &code));
        os_thread_close(thread);
        if (gone) {
            /* Only if it is still that. Pairs with the acquire in claim_at
             * (agent/ring.c). */
            atomic_compare_exchange_strong_explicit(
                state_at(t, i), &state,
                target_ring(&t->target, i) != NULL ? RING_FREE
                                                   : RING_UNCOMMITTED,
                memory_order_release, memory_order_relaxed);
        }
    }
}

size_t drain_rings(struct traced *t, bool last)
{
    uint64_t now = os_tsc();
    uint32_t high = atomic_load_explicit(&t->target.section->ring_high,
                                         memory_order_acquire);
    uint32_t no_ring = atomic_load_explicit(&t->target.section->lost_no_ring,
                                            memory_order_relaxed);
    bool check = !last && now > t->check_rings;
    size_t taken = 0;
    bool ending = false;

    /* Ours to say: the target has written it. */
    if (!last && !t->letting_go) {
        atomic_store_explicit(&t->target.section->dead, 0,
                              memory_order_relaxed);
    }
    places_begin(t);
    find_rings(t, high, last || check);
    for (uint32_t i = 0; i < t->ring_high; i++) {
        struct drained *d = &t->rings[i];

        if (d->ring == NULL) {
            /* Acquire: the ring is set up. Pairs with the release in claim
             * (agent/ring.c). */
            uint32_t state =
                atomic_load_explicit(state_at(t, i), memory_order_acquire);

            if (state != RING_LIVE || !take_over(t, d, i)) {
                continue;
            }
        }
        taken += drain_ring(t, d, now, last);
        if (!last && d->code_known && is_gone(t, d)) {
            /* It was gone when it was first seen here, so that nothing keeps
             * its id from the next: its end comes right after its last call,
             * which is what it ended by, and before another's beginning. */
            end_thread(t, i);
            continue;
        }
        ending |= d->ending || (d->handle == NULL && !d->denied);
    }
    if (check) {
        free_unclaimed(t);
    }
    t->last_pass = now - t->session->timing.tsc_per_ms * STORE_DELAY_US / 1000;
    if (no_ring != t->lost_no_ring) {
        put_lost(t, now, LOST_NO_RING, no_ring - t->lost_no_ring);
        t->lost_no_ring = no_ring;
    }
    early_look(t, t->last_pass, check);
    if (check) {
        keeper_look(&t->target);
        t->check_rings = now + t->session->timing.tsc_per_ms * CHECK_ENDED_MS *
                                   (1 + t->session->processes / MANY);
    }
    if (!last && (t->threads_ended || ending)) {
        end_threads(t, t->threads_ended);
        t->threads_ended = false;
    }
    return taken;
}
