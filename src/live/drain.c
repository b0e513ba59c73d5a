/* SPDX-License-Identifier: MIT */
/*
 * drain.c - from the rings into the model.
 *
 * Everything in the section is the target's to scribble on. Each shared word
 * is read once into a local and judged there; records are copied out before
 * anybody looks at them; the position we read from is our own.
 */
#include "live/session.h"

#include <string.h>

#include "base/banned.h"

/* A store is visible to others at the latest after this much. */
#define STORE_DELAY_US 20
/* How often threads are asked whether they have ended. */
#define CHECK_ENDED_MS 50
/* A thread that is to ask, and runs for so long, does not. */
#define GONE_ON_MS 200
/* So many entries in a row without a return mean that the callback is gone. */
#define CALLBACK_LOST_AFTER 16

static struct ring *ring_at(const struct session *s, uint32_t index)
{
    return (struct ring *)((char *)s->target.shared.at + SECTION_RINGS +
                           (size_t)index * s->target.ring_stride);
}

static _Atomic uint32_t *state_at(const struct session *s, uint32_t index)
{
    return (_Atomic uint32_t *)((char *)s->target.shared.at +
                                SECTION_RING_STATE) +
           index;
}

/* True if all of a ring is there: its state is the target's to write. */
static bool is_committed(const struct session *s, const struct ring *r)
{
    struct os_process self = os_self();
    struct os_region region;
    uint64_t from = (uint64_t)(uintptr_t)r;

    return os_query(&self, from, &region) && region.committed &&
           region.base + region.size >= from + s->target.ring_stride;
}

static bool take_over(struct session *s, struct drained *d, uint32_t index)
{
    struct ring *r = ring_at(s, index);

    if (!is_committed(s, r)) {
        return false;
    }
    *d = (struct drained){ 0 };
    d->tid = r->tid;
    d->teb = r->teb;
    d->tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    d->answered = atomic_load_explicit(&r->answer, memory_order_relaxed);
    d->denied = os_thread_open(s->target.os.pid, d->tid, d->teb, &d->handle) ==
                OS_THREAD_DENIED;
    /* When we looked last, this ring was nobody's. */
    d->bound = s->last_pass;
    d->thread = model_thread_open(s->process, d->tid, r->serial, d->bound);
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
            model_thread_lost(d->thread, kinds[i], lost - d->lost[i]);
        }
        d->lost[i] = lost;
    }
    data = atomic_load_explicit(&d->ring->lost_data, memory_order_relaxed);
    if (data != d->lost_data) {
        model_thread_lost(d->thread, LOST_DATA, data - d->lost_data);
    }
    d->lost_data = data;
}

/* NtTerminateThread of the thread itself, by its pseudo-handle or NULL, says
 * what GetExitCodeThread may be too late for. */
static void note_own_end(struct drained *d, const struct record_entry *entry)
{
    if (entry->args[0] == UINT64_MAX - 1 || entry->args[0] == 0) {
        d->code_known = true;
        d->code = (uint32_t)entry->args[1];
    }
}

/* What an entry says that we act on ourselves. */
static void watch_entry(struct session *s, struct drained *d,
                        const struct record_entry *entry)
{
    const struct numbers *n = &s->numbers;
    uint16_t number = entry->head.number;

    if (number == n->terminate_thread) {
        d->ending = true;
        note_own_end(d, entry);
    } else if ((number == n->unmap || number == n->unmap_ex) &&
               entry->args[0] == UINT64_MAX) {
        model_module_remove(s->process, entry->args[1]);
        if (s->target.win32u.base == entry->args[1]) {
            target_forget_win32u(&s->target);
        }
    }
}

/* Whoever has the callback would hear of the agent's own calls, unless the
 * agent knows better. */
static void note_owner(struct session *s)
{
    uint32_t ours = CALLBACK_OURS;

    atomic_compare_exchange_strong(&s->target.section->callback_owner, &ours,
                                   CALLBACK_PROGRAMS);
}

/* Entries of a thread that runs, and not one return among them: somebody has
 * taken the callback away (docs/facts.md A6.7). Said once. */
static void watch_returns(struct session *s, struct drained *d, uint8_t kind)
{
    if (kind == RECORD_DATA) {
        return; /* goes with an entry, or with a return that follows */
    }
    if (kind != RECORD_ENTRY) {
        d->entries_alone = 0;
    } else if (++d->entries_alone == CALLBACK_LOST_AFTER && !s->callback_lost) {
        s->callback_lost = true;
        note_owner(s);
        model_notice(s->process, NOTICE_CALLBACK_LOST, d->last_time);
    }
}

/* Looks through records that the model has taken for those that we act on
 * ourselves. Where one is damaged the rest is not looked at; the model has
 * counted it. */
static void watch(struct session *s, struct drained *d, const uint8_t *bytes,
                  size_t size, uint64_t now)
{
    size_t at = 0;

    while (size - at >= 8) {
        struct record_head head = { 0 };

        memcpy(&head, bytes + at, size - at < sizeof(head) ? 8 : sizeof(head));
        if (head.size < 8 || head.size % 8 != 0 || head.size > size - at) {
            return;
        }
        if (head.kind != RECORD_PAD && head.size >= RECORD_HEAD_SIZE) {
            d->last_time = head.time < now ? head.time : now;
            watch_returns(s, d, head.kind);
        }
        if (head.kind == RECORD_ENTRY && head.size >= ENTRY_SIZE) {
            struct record_entry entry;

            memcpy(&entry, bytes + at, ENTRY_SIZE);
            watch_entry(s, d, &entry);
        }
        at += head.size;
    }
}

/* True if a record says that its thread waits for an answer. */
static bool is_question(const struct record_head *head)
{
    return (head->flags & RECORD_WAITS) != 0 && head->size >= RETURN_SIZE &&
           head->size <= RECORD_MAX &&
           (head->kind == RECORD_RETURN || head->kind == RECORD_TRANSITION);
}

/* How much of the records in `bytes` comes before the first question; *size is
 * that one's, 0 if there is none. */
static uint32_t before_question(const uint8_t *bytes, uint32_t all,
                                uint32_t *size)
{
    uint32_t at = 0;

    *size = 0;
    while (all - at >= 8) {
        struct record_head head = { 0 };

        memcpy(&head, bytes + at, 8);
        if (head.size < 8 || head.size % 8 != 0 || head.size > all - at) {
            break;
        }
        if (is_question(&head)) {
            *size = head.size;
            return at;
        }
        at += head.size;
    }
    return all;
}

static void answer(struct drained *d, uint32_t asked, const struct chore *c)
{
    struct ring *r = d->ring;

    r->chore = c->kind;
    r->chore_address = c->address;
    r->chore_size = c->size;
    d->answered = asked;
    /* Release: what the thread waited for is done, and what it is to do is
     * there. Pairs with the acquire in is_answered (agent/wait.c). */
    atomic_store_explicit(&r->answer, asked, memory_order_release);
}

static size_t take(struct session *s, struct drained *d, const uint8_t *bytes,
                   uint32_t size, uint64_t now)
{
    size_t taken = model_feed(d->thread, bytes, size, now);

    if (taken > size) {
        taken = size;
    }
    watch(s, d, bytes, taken, now);
    d->stuck = taken < size;
    return taken;
}

/* True if the thread of a question that was never asked, or was given up, has
 * been running for a while. */
static bool has_gone_on(const struct session *s, struct drained *d,
                        uint64_t now)
{
    bool runs = atomic_load_explicit(&d->ring->waiting, memory_order_relaxed) ==
                RING_RUNS;

    if (!runs || d->runs_since == 0) {
        d->runs_since = runs ? now : 0;
        return false;
    }
    return now - d->runs_since > s->timing.tsc_per_ms * GONE_ON_MS;
}

/* The next record is a question. `newest`: nothing is behind it, so that its
 * thread may well wait; that it has also asked, `asked` says. Returns what was
 * taken: the record, once its thread has its answer. */
static size_t take_question(struct session *s, struct drained *d,
                            const uint8_t *bytes, uint32_t size, bool newest,
                            uint32_t asked, uint64_t now)
{
    struct record_return r;
    struct chore c;
    size_t taken;

    if (newest && asked == d->answered && !has_gone_on(s, d, now)) {
        d->asking = true;
        return 0;
    }
    newest = newest && asked != d->answered;
    d->runs_since = 0;
    if (!d->resolved) {
        memcpy(&r, bytes, sizeof(r));
        if (!rendezvous(s, d, &r, newest, &c)) {
            answer(d, asked, &c);
            d->asking = true;
            return 0;
        }
        d->resolved = true;
    }
    taken = take(s, d, bytes, size, now);
    if (taken == size) {
        d->resolved = false;
        rendezvous_finish(d);
        /* One that did not wait must not be taken for another that does. */
        if (newest) {
            answer(d, asked, &(struct chore){ CHORE_NONE, 0, 0 });
        }
    }
    return taken;
}

/* Feeds the `size` bytes from `from` on, of `left` that are there and do not
 * wrap. Returns what was taken. `asked`: the thread's `ask`, read before
 * `left`. `last`: it asks nothing any more. */
static size_t feed(struct session *s, struct drained *d, uint32_t from,
                   uint32_t size, uint32_t left, uint32_t asked, bool last)
{
    uint64_t now = os_tsc();
    uint32_t question, before;
    size_t taken = 0;

    memcpy(s->scratch, (const char *)d->ring + RING_DATA + from, size);
    while (taken < size && !d->stuck && !d->asking) {
        const uint8_t *bytes = s->scratch + taken;

        before = before_question(bytes, size - (uint32_t)taken, &question);
        if (before > 0) {
            taken += take(s, d, bytes, before, now);
        } else {
            taken += take_question(s, d, bytes, question,
                                   !last && left == (uint32_t)taken + question,
                                   asked, now);
        }
    }
    return taken;
}

/* What stands in a ring's words, read once each. */
struct words {
    uint32_t asked;
    uint64_t inside;
    uint32_t waiting;
    uint32_t head;
};

static struct words read_words(struct ring *r)
{
    struct words w;

    /* Acquire, in this order: the record of a question is there before it is
     * asked (pairs with the release in ask_once, agent/wait.c), and a ring
     * seen idle has published all that it began before. */
    w.asked = atomic_load_explicit(&r->ask, memory_order_acquire);
    w.inside = atomic_load_explicit(&r->inside, memory_order_acquire);
    w.waiting = atomic_load_explicit(&r->waiting, memory_order_acquire);
    /* Not what an agent writes: all that is there is garbage. */
    w.head = atomic_load_explicit(&r->head, memory_order_acquire) & ~7u;
    return w;
}

/* Until when there is nothing older to come from the thread. */
static uint64_t bound_of(const struct session *s, const struct drained *d,
                         const struct words *w, uint64_t now)
{
    bool idle = w->inside == 0 || w->waiting == RING_WAITS_ANSWER ||
                w->waiting == RING_SPINS;

    if (d->stuck || d->asking) {
        return d->last_time;
    }
    if (idle) {
        return now - s->timing.tsc_per_ms * STORE_DELAY_US / 1000;
    }
    return d->last_time > d->bound ? d->last_time : d->bound;
}

/* A thread that waits for what was answered long ago: somebody has written
 * over the answer, or over the question. */
static void answer_again(struct drained *d, const struct words *w)
{
    struct ring *r = d->ring;

    if (!d->stuck && !d->asking && w->asked != d->answered) {
        answer(d, w->asked, &(struct chore){ CHORE_NONE, 0, 0 });
    } else if (atomic_load_explicit(&r->answer, memory_order_relaxed) !=
               d->answered) {
        atomic_store_explicit(&r->answer, d->answered, memory_order_release);
    }
}

/* `now`: read before this ring, and whether there are new ones, was looked
 * at: a promise for one thread must hold for those we do not know yet. */
static size_t drain_ring(struct session *s, struct drained *d, uint64_t now,
                         bool last)
{
    struct ring *r = d->ring;
    uint32_t bytes = s->target.ring_bytes;
    struct words w = read_words(r);
    uint32_t left = w.head - d->tail;
    size_t taken = 0;

    if (left > bytes) {
        model_thread_lost(d->thread, LOST_DAMAGED, 1);
        d->tail = w.head;
        left = 0;
    }
    d->stuck = false;
    d->asking = false;
    while (left > 0 && !d->stuck && !d->asking) {
        uint32_t from = d->tail & (bytes - 1);
        uint32_t part = left < bytes - from ? left : bytes - from;
        size_t got = feed(s, d, from, part, left, w.asked, last);

        d->tail += (uint32_t)got;
        left -= (uint32_t)got;
        taken += got;
    }
    /* Release: we are done with these bytes. Pairs with the acquire in
     * make_room (agent/ring.c). */
    atomic_store_explicit(&r->tail, d->tail, memory_order_release);
    answer_again(d, &w);
    tell_losses(d);
    d->bound = last ? UINT64_MAX : bound_of(s, d, &w, now);
    model_thread_bound(d->thread, d->bound);
    return taken;
}

struct region_told drain_told(const struct drained *d)
{
    struct ring_told told;

    memcpy(&told, (const char *)d->ring + RING_SCRATCH, sizeof(told));
    return region_of(&told);
}

/* The thread is no more and its ring is empty: the ring is free again. */
static void reclaim(struct session *s, uint32_t index)
{
    struct drained *d = &s->rings[index];

    if (d->code_known) {
        model_thread_end(d->thread, d->code, s->last_pass);
    } else {
        model_thread_gone(d->thread, s->last_pass);
    }
    os_thread_close(d->handle);
    rendezvous_forget(d);
    d->ring->inside = 0;
    /* Release: nobody reads it any more. Pairs with the acquire in
     * claim_index (agent/ring.c). */
    atomic_store_explicit(state_at(s, index), RING_FREE, memory_order_release);
    *d = (struct drained){ 0 };
}

/* Takes what a thread that has ended left behind. */
static void end_thread(struct session *s, uint32_t index)
{
    struct drained *d = &s->rings[index];

    drain_ring(s, d, os_tsc(), true);
    if (d->stuck) {
        return;
    }
    if (d->handle != NULL) {
        d->code_known = os_thread_ended(d->handle, &d->code);
    }
    reclaim(s, index);
}

/* Ends those of `count` threads that have ended; one wait asks for all. */
static void end_some(struct session *s, void **handles, uint32_t *index,
                     int count)
{
    int at;

    while (count > 0 && (at = os_wait(handles, count, 0)) >= 0) {
        end_thread(s, index[at]);
        count--;
        handles[at] = handles[count];
        index[at] = index[count];
    }
}

/* True if the thread of `d` is known to be no more without waiting for it. A
 * thread that we may not open is asked for again: it is gone when nobody is
 * there to be denied. */
static bool is_gone(const struct session *s, struct drained *d)
{
    if (d->denied) {
        d->denied = os_thread_open(s->target.os.pid, d->tid, d->teb,
                                   &d->handle) == OS_THREAD_DENIED;
    }
    return d->handle == NULL && !d->denied;
}

/* Ends the threads that have ended; not `all`: of those only that have
 * entered NtTerminateThread, or could not be found. */
static void end_threads(struct session *s, bool all)
{
    void *handles[60];
    uint32_t index[60];
    int count = 0;

    for (uint32_t i = 0; i < s->ring_high; i++) {
        struct drained *d = &s->rings[i];

        if (d->ring == NULL || d->stuck || !(all || d->ending)) {
            continue;
        }
        if (is_gone(s, d)) {
            end_thread(s, i);
        } else if (d->handle != NULL) {
            handles[count] = d->handle;
            index[count++] = i;
            if (count == COUNT_OF(handles)) {
                end_some(s, handles, index, count);
                count = 0;
            }
        }
    }
    end_some(s, handles, index, count);
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

void drain_end(struct session *s, uint32_t code)
{
    for (uint32_t i = 0; i < s->ring_high; i++) {
        struct drained *d = &s->rings[i];

        if (d->ring != NULL && ended_before(d, code)) {
            reclaim(s, i);
        }
    }
}

/* How many rings there may be: `high` says so, and is the target's to write;
 * with `all`, their states are looked at as well. */
static void find_rings(struct session *s, uint32_t high, bool all)
{
    if (high > s->target.ring_max) {
        high = s->target.ring_max;
    }
    for (uint32_t i = s->target.ring_max; all && i > high; i--) {
        if (atomic_load_explicit(state_at(s, i - 1), memory_order_relaxed) ==
            RING_LIVE) {
            high = i;
        }
    }
    if (high > s->ring_high) {
        s->ring_high = high;
    }
}

size_t drain_rings(struct session *s, bool last)
{
    uint64_t now = os_tsc();
    uint32_t high = atomic_load_explicit(&s->target.section->ring_high,
                                         memory_order_acquire);
    uint32_t no_ring = atomic_load_explicit(&s->target.section->lost_no_ring,
                                            memory_order_relaxed);
    size_t taken = 0;
    bool ending = false;

    /* Ours to say: the target has written it. */
    if (!last && !s->letting_go) {
        atomic_store_explicit(&s->target.section->dead, 0,
                              memory_order_relaxed);
    }
    find_rings(s, high, last || now > s->check_ended);
    for (uint32_t i = 0; i < s->ring_high; i++) {
        struct drained *d = &s->rings[i];

        if (d->ring == NULL) {
            /* Acquire: the ring is set up. Pairs with the release in claim
             * (agent/ring.c). */
            uint32_t state =
                atomic_load_explicit(state_at(s, i), memory_order_acquire);

            if (state != RING_LIVE || !take_over(s, d, i)) {
                continue;
            }
        }
        taken += drain_ring(s, d, now, last);
        ending |= d->ending || (d->handle == NULL && !d->denied);
    }
    s->last_pass = now - s->timing.tsc_per_ms * STORE_DELAY_US / 1000;
    if (no_ring != s->lost_no_ring) {
        model_lost(s->process, LOST_NO_RING, no_ring - s->lost_no_ring, now);
        s->lost_no_ring = no_ring;
    }
    if (!last && now > s->check_ended) {
        end_threads(s, true);
        s->check_ended = now + s->timing.tsc_per_ms * CHECK_ENDED_MS;
    } else if (!last && ending) {
        end_threads(s, false);
    }
    return taken;
}

/* Bytes in the ring that we have not taken, as drain_ring counts them. */
static uint32_t waiting_bytes(const struct drained *d)
{
    return (atomic_load_explicit(&d->ring->head, memory_order_relaxed) & ~7u) -
           d->tail;
}

/* True if the thread of `d` cannot go on without us. */
static bool is_waiting(const struct drained *d)
{
    const struct ring *r = d->ring;

    switch (atomic_load_explicit(&r->waiting, memory_order_relaxed)) {
    case RING_WAITS_ROOM:
        return waiting_bytes(d) != 0;
    case RING_WAITS_ANSWER:
    case RING_SPINS:
        return atomic_load_explicit(&r->ask, memory_order_relaxed) !=
               d->answered;
    default:
        return false;
    }
}

bool drain_waited_for(void *session)
{
    struct session *s = session;

    for (uint32_t i = 0; i < s->ring_high; i++) {
        const struct drained *d = &s->rings[i];

        if (d->ring != NULL && (d->asking || is_waiting(d))) {
            return true;
        }
    }
    return false;
}

bool drain_pressing(struct session *s)
{
    for (uint32_t i = 0; i < s->ring_high; i++) {
        struct drained *d = &s->rings[i];

        if (d->ring != NULL && (d->stuck || is_waiting(d) ||
                                waiting_bytes(d) > s->target.ring_bytes / 2)) {
            return true;
        }
    }
    return false;
}

bool drain_wake(struct session *s)
{
    bool some = false;

    for (uint32_t i = 0; i < s->ring_high; i++) {
        struct drained *d = &s->rings[i];
        uint32_t waiting;

        if (d->ring == NULL) {
            continue;
        }
        waiting = atomic_load_explicit(&d->ring->waiting, memory_order_acquire);
        if ((waiting == RING_WAITS_ROOM &&
             waiting_bytes(d) <= s->target.ring_bytes / 2) ||
            (waiting == RING_WAITS_ANSWER &&
             atomic_load_explicit(&d->ring->answer, memory_order_relaxed) ==
                 atomic_load_explicit(&d->ring->ask, memory_order_relaxed))) {
            some = true;
        }
    }
    if (some && !s->room_set) {
        os_event_set(s->target.room);
    } else if (!some && s->room_set) {
        os_event_reset(s->target.room);
    }
    s->room_set = some;
    return some;
}

void drain_close(struct session *s)
{
    for (uint32_t i = 0; i < s->ring_high; i++) {
        os_thread_close(s->rings[i].handle);
        rendezvous_forget(&s->rings[i]);
    }
}
