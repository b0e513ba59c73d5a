/* SPDX-License-Identifier: MIT */
/*
 * wait.c - the only places where the agent makes a thread wait: for room in
 * its ring, and for an answer of the tracer.
 *
 * A wait is asleep, not alertable (an APC would run on a stack that is not
 * where the program thinks it is), on two handles: "room", which the tracer
 * sets whenever it has made some or has answered, and the tracer's process.
 * It is renewed every 20 ms, so that a signal that went to another thread
 * costs time, never the target. A dead tracer ends every wait, for good.
 */
#include "agent/agent.h"

#include "agent/teb.h"

#define STATUS_WAIT_0 0
#define STATUS_WAIT_1 1
#define STATUS_TIMEOUT 0x102
/* The tracer's process comes first: of two signalled handles the wait tells
 * of the first, and a tracer that died may have left "room" set. */
#define TRACER_GONE STATUS_WAIT_0
#define ROOM STATUS_WAIT_1
#define WAIT_ANY 1

#define RENEW_MS 20
/* How long an answer may take that must not be waited for asleep. */
#define SPIN_MS 2000

/* True while the tracer reads this ring. It takes a ring back when it finds
 * no thread by the ids that stand there, which are the target's to write. */
static bool is_read(const struct section *s, const struct ring *ring)
{
    uint64_t at = (uint64_t)ring - (uint64_t)s - SECTION_RINGS;
    uint64_t index = s->ring_stride == 0 ? RING_MAX : at / s->ring_stride;
    const _Atomic uint32_t *states =
        (const _Atomic uint32_t *)((uint64_t)s + SECTION_RING_STATE);

    return index >= RING_MAX ||
           atomic_load_explicit(&states[index], memory_order_relaxed) ==
               RING_LIVE;
}

/* One sleep. False: the tracer is gone, or the handles are, or it does not
 * read this ring. */
static bool sleep_once(struct ring *ring, uint32_t ms)
{
    struct section *s = section_here();
    uint64_t handles[2] = { image_config_here()->tracer,
                            image_config_here()->room };
    int64_t timeout = -(int64_t)ms * 10000;
    struct own_call c = { .stub = PRIVATE_NtWaitForMultipleObjects,
                          .a = { 2, (uint64_t)handles, WAIT_ANY, 0,
                                 (uint64_t)&timeout, 0 } };
    uint32_t status;

    if (atomic_load_explicit(&s->dead, memory_order_relaxed) ||
        (ring != NULL && !is_read(s, ring))) {
        return false;
    }
    status = own_call(ring, &c);
    if (status == ROOM || status == STATUS_TIMEOUT) {
        return true;
    }
    if (status == TRACER_GONE) {
        atomic_store_explicit(&s->dead, 1, memory_order_relaxed);
    }
    return false;
}

bool own_tracer_gone(struct ring *ring)
{
    return !sleep_once(ring, 0);
}

/* Its own function, so that a reader that is awake costs no frame for it. */
__attribute__((noinline)) static void set_wake(struct ring *ring)
{
    struct own_call c = { .stub = PRIVATE_NtSetEvent,
                          .a = { image_config_here()->wake } };

    own_call(ring, &c);
}

void wait_wake_reader(struct ring *ring)
{
    struct section *s = section_here();
    uint32_t asleep = 1;

    /* Full fence: `head` (or `waiting`) is visible before we look whether
     * the reader sleeps. Pairs with the fence in drain_sleep. */
    atomic_thread_fence(memory_order_seq_cst);
    if (!ring->quiet &&
        atomic_load_explicit(&s->reader_asleep, memory_order_relaxed) &&
        atomic_compare_exchange_strong(&s->reader_asleep, &asleep, 0)) {
        set_wake(ring);
    }
}

bool wait_room(struct ring *ring)
{
    uint32_t half = (ring->mask + 1) / 2;
    bool there = true;

    atomic_store_explicit(&ring->waiting, RING_WAITS_ROOM,
                          memory_order_relaxed);
    wait_wake_reader(ring);
    while (there &&
           atomic_load_explicit(&ring->head, memory_order_relaxed) -
                   atomic_load_explicit(&ring->tail, memory_order_acquire) >
               half) {
        there = sleep_once(ring, RENEW_MS);
    }
    atomic_store_explicit(&ring->waiting, RING_RUNS, memory_order_relaxed);
    return there;
}

void wait_announce(struct ring *ring, bool spin)
{
    atomic_fetch_add_explicit(&ring->ask, 1, memory_order_relaxed);
    atomic_store_explicit(&ring->waiting, spin ? RING_SPINS : RING_WAITS_ANSWER,
                          memory_order_relaxed);
}

/* True if there is nothing (more) to wait for: the question was answered, or
 * the reader has taken all we wrote without finding it. (It answers before it
 * takes: then somebody has written over the record.) */
static bool is_over(struct ring *ring)
{
    /* Acquire: `tail` first; what was answered before it is seen. Pairs with
     * the release in drain_ring (tracer/drain.c). */
    bool taken = atomic_load_explicit(&ring->tail, memory_order_acquire) ==
                 atomic_load_explicit(&ring->head, memory_order_relaxed);

    /* Acquire: what the tracer did is done. Pairs with the release in
     * rendezvous_answer (tracer/rendezvous.c). */
    return atomic_load_explicit(&ring->answer, memory_order_acquire) ==
               atomic_load_explicit(&ring->ask, memory_order_relaxed) ||
           taken;
}

void wait_answer(struct ring *ring, bool spin)
{
    struct section *s = section_here();
    bool there = true;

    if (spin) {
        uint64_t until = tsc() + SPIN_MS * image_config_here()->tsc_per_ms;

        while (!is_over(ring) && tsc() < until &&
               !atomic_load_explicit(&s->dead, memory_order_relaxed)) {
            pause();
        }
        /* From here on the thread's last call is ours: nothing to ask. */
        atomic_store_explicit(&ring->waiting, RING_WAITS_ANSWER,
                              memory_order_relaxed);
    }
    if (!is_over(ring)) {
        wait_wake_reader(ring);
    }
    while (there && !is_over(ring)) {
        there = sleep_once(ring, RENEW_MS);
    }
    atomic_store_explicit(&ring->waiting, RING_RUNS, memory_order_relaxed);
}
