/* SPDX-License-Identifier: MIT */
/*
 * rings.c - who waits, and the answers, in the words of a ring.
 *
 * All of them are the target's to write: each is read once, and an answer that
 * was written over is written again.
 */
#include "live/rings.h"

#include "live/session.h"

#include <string.h>

#include "base/banned.h"

/* Those that were woken, and are still there, are woken once more. */
#define WAKE_AGAIN_MS 3

struct ring_words rings_read(const struct drained *d)
{
    struct ring *r = d->ring;
    struct ring_words w;

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

void rings_answer(struct drained *d, uint32_t asked, const struct chore *c)
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

void rings_hold_child(struct drained *d, uint64_t process)
{
    if (process != 0) {
        *(volatile uint64_t *)&d->ring->chore_address = process;
    }
    *(volatile uint32_t *)&d->ring->chore =
        process != 0 ? CHORE_CHILD : CHORE_NONE;
}

/* A thread that waits for what was answered long ago: somebody has written
 * over the answer, or over the question. */
void rings_answer_again(struct drained *d, const struct ring_words *w)
{
    struct ring *r = d->ring;

    if (!d->stuck && !d->asking && !d->wonders && w->asked != d->answered) {
        rings_answer(d, w->asked, &(struct chore){ CHORE_NONE, 0, 0 });
    } else if (atomic_load_explicit(&r->answer, memory_order_relaxed) !=
               d->answered) {
        atomic_store_explicit(&r->answer, d->answered, memory_order_release);
    }
}

struct region_told rings_told(const struct drained *d)
{
    struct ring_told told;

    memcpy(&told, (const char *)d->ring + RING_SCRATCH, sizeof(told));
    return region_of(&told);
}

/* Bytes in the ring that we have not taken, as drain_ring counts them. */
static uint32_t waiting_bytes(const struct drained *d)
{
    return (atomic_load_explicit(&d->ring->head, memory_order_relaxed) & ~7u) -
           d->tail;
}

/* True if the thread of `d` cannot go on without us. */
bool rings_waits(const struct drained *d)
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

bool rings_waited_for(void *traced)
{
    struct traced *t = traced;

    for (uint32_t i = 0; i < t->ring_high; i++) {
        const struct drained *d = &t->rings[i];

        if (d->ring != NULL && (d->asking || rings_waits(d))) {
            return true;
        }
    }
    return false;
}

bool rings_pressing(struct traced *t)
{
    for (uint32_t i = 0; i < t->ring_high; i++) {
        struct drained *d = &t->rings[i];

        if (d->ring != NULL && (d->stuck || d->wonders || rings_waits(d) ||
                                waiting_bytes(d) > t->target.ring_bytes / 2)) {
            return true;
        }
    }
    return false;
}

bool rings_left(const struct traced *t)
{
    for (uint32_t i = 0; i < t->ring_high; i++) {
        const struct drained *d = &t->rings[i];

        if (d->ring != NULL && (d->stuck || d->wonders)) {
            return true;
        }
    }
    return false;
}

bool rings_wake(struct traced *t)
{
    uint32_t some = 0;

    for (uint32_t i = 0; i < t->ring_high; i++) {
        struct drained *d = &t->rings[i];
        uint32_t waiting;

        if (d->ring == NULL) {
            continue;
        }
        waiting = atomic_load_explicit(&d->ring->waiting, memory_order_acquire);
        if ((waiting == RING_WAITS_ROOM &&
             waiting_bytes(d) <= t->target.ring_bytes / 2) ||
            (waiting == RING_WAITS_ANSWER &&
             atomic_load_explicit(&d->ring->answer, memory_order_relaxed) ==
                 atomic_load_explicit(&d->ring->ask, memory_order_relaxed))) {
            some++;
        }
    }
    /* Not left set: whoever asks again would not sleep, but turn round and round
     * until its turn has come. Who was not asleep yet, or does not hear it for
     * an APC, sees it by itself; or is woken soon, or when its wait is renewed. */
    if (some > t->woken || (some > 0 && os_tsc() > t->wake_at)) {
        os_event_pulse(t->target.room);
        t->wake_at = os_tsc() + WAKE_AGAIN_MS * t->session->timing.tsc_per_ms;
    }
    t->woken = some;
    return some > 0;
}
