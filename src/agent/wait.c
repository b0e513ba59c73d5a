/* SPDX-License-Identifier: MIT */
/*
 * wait.c - the only places where the agent makes a thread wait: for room in
 * its ring, for an answer of the tracer, and where a rule says so.
 *
 * A wait is asleep, not alertable (an APC would run on a stack that is not
 * where the program thinks it is), on two handles: "room", which the tracer
 * sets whenever it has made some or has answered, and the tracer's process.
 * It is renewed every 20 ms, so that a signal that went to another thread
 * costs time, never the target. A dead tracer ends every wait, for good.
 *
 * Every wait also ends by time, which nobody who writes over the ring can
 * stop: an answer that is not there after ANSWER_MS is done without, a ring
 * that nobody has emptied for ROOM_MS is written to no longer until it is
 * (docs/decisions/0023-no-question-while-one-waits.md). What that costs is
 * counted.
 */
#include "agent/agent.h"

#include "agent/teb.h"

#define STATUS_WAIT_0 0
#define STATUS_WAIT_1 1
#define STATUS_USER_APC 0xc0
#define STATUS_ALERTED 0x101
#define STATUS_TIMEOUT 0x102
/* The tracer's process comes first: of two signalled handles the wait tells
 * of the first, and a tracer that died may have left "room" set. */
#define TRACER_GONE STATUS_WAIT_0
#define ROOM STATUS_WAIT_1
#define WAIT_ANY 1

#define RENEW_MS 20
/* How long an answer may take that must not be waited for asleep. */
#define SPIN_MS 2000
/* How long an answer may take, or room may not be there: a tracer that is
 * stopped (its output is a pager that nobody scrolls) is to lose nothing for a
 * good while. */
#define ANSWER_MS 300000
#define ROOM_MS 300000
/* How long without system calls of our own: the tracer wakes that often. */
#define AWAKE_MS 100
/* No question needs more chores. */
#define CHORES_MOST 16

static uint64_t in_ms(uint64_t ms)
{
    return tsc() + ms * image_config_here()->tsc_per_ms;
}

/* When a wait ends. */
struct patience {
    uint64_t until;
    bool awake;  // it is without calls of our own
};

static struct patience patience(uint64_t ms)
{
    bool awake = !own_calls_allowed();

    return (struct patience){ in_ms(awake ? AWAKE_MS : ms), awake };
}

/* True while there is time. Little is left once another thread takes the
 * callback: from then on nobody can find out that the tracer is gone. */
static bool has_time(struct patience *p)
{
    if (!p->awake && !own_calls_allowed()) {
        uint64_t soon = in_ms(AWAKE_MS);

        p->until = soon < p->until ? soon : p->until;
        p->awake = true;
    }
    return tsc() < p->until;
}

/* True while the tracer reads this ring. It takes a ring back when it finds
 * no thread by the ids that stand there, which are the target's to write. */
static bool is_read(const struct section *s, const struct ring *ring)
{
    uint32_t index = ring_index(ring);
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
    if (!own_calls_allowed()) {
        pause();
        return true;
    }
    status = own_call(ring, &c);
    /* An APC of the kind that interrupts any wait is no end of it. */
    if (status == ROOM || status == STATUS_TIMEOUT ||
        status == STATUS_USER_APC || status == STATUS_ALERTED) {
        return true;
    }
    if (status == TRACER_GONE) {
        atomic_store_explicit(&s->dead, 1, memory_order_relaxed);
        threads_wake_asked(ring);
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
     * the reader sleeps. Pairs with the fence in doze (live/session.c). */
    atomic_thread_fence(memory_order_seq_cst);
    if (!ring->quiet &&
        !teb_is_cramped(
            atomic_load_explicit(&ring->inside, memory_order_relaxed)) &&
        atomic_load_explicit(&s->reader_asleep, memory_order_relaxed) &&
        atomic_compare_exchange_strong(&s->reader_asleep, &asleep, 0)) {
        set_wake(ring);
    }
}

/* --- for room --- */

static bool is_half_empty(const struct ring *ring)
{
    return atomic_load_explicit(&ring->head, memory_order_relaxed) -
               atomic_load_explicit(&ring->tail, memory_order_acquire) <=
           (image_config_here()->ring_mask + 1) / 2;
}

bool wait_room(struct ring *ring)
{
    struct patience p = patience(ROOM_MS);
    bool there = true;

    if (ring->given_up) {
        return false;
    }
    atomic_store_explicit(&ring->waiting, RING_WAITS_ROOM,
                          memory_order_relaxed);
    wait_wake_reader(ring);
    while (there && !is_half_empty(ring) && has_time(&p)) {
        there = sleep_once(ring, RENEW_MS);
    }
    atomic_store_explicit(&ring->waiting, RING_RUNS, memory_order_relaxed);
    if (there && !is_half_empty(ring)) {
        ring->given_up = 1;
        return false;
    }
    return there;
}

/* --- because a rule says so --- */

/* The last of a delay is not slept, so that it is not much longer. */
#define AWAKE_AT_LAST_MS 2

/* One sleep; what there is room for, or answers to, is nothing to this thread.
 * Its own function, so that short delays cost no frame for it. */
__attribute__((noinline)) static void rest_once(struct ring *ring, uint64_t ms)
{
    uint64_t tracer = image_config_here()->tracer;
    int64_t timeout = -(int64_t)(ms < RENEW_MS ? ms : RENEW_MS) * 10000;
    struct own_call c = { .stub = PRIVATE_NtWaitForMultipleObjects,
                          .a = { 1, (uint64_t)&tracer, WAIT_ANY, 0,
                                 (uint64_t)&timeout, 0 } };

    if (own_call(ring, &c) == TRACER_GONE) {
        atomic_store_explicit(&section_here()->dead, 1, memory_order_relaxed);
        threads_wake_asked(ring);
    }
}

void wait_delay(struct ring *ring, uint64_t ticks)
{
    uint64_t from = tsc();

    atomic_store_explicit(&ring->waiting, RING_DELAYED, memory_order_relaxed);
    while (tsc() - from < ticks &&
           !atomic_load_explicit(&section_here()->dead, memory_order_relaxed)) {
        uint64_t ms =
            (ticks - (tsc() - from)) / image_config_here()->tsc_per_ms;

        if (ms > AWAKE_AT_LAST_MS && ms < UINT32_MAX && own_calls_allowed() &&
            !teb_is_cramped(
                atomic_load_explicit(&ring->inside, memory_order_relaxed))) {
            rest_once(ring, ms - AWAKE_AT_LAST_MS);
        } else {
            pause();
        }
    }
    atomic_store_explicit(&ring->waiting, RING_RUNS, memory_order_relaxed);
}

/* --- for an answer --- */

/* True if question `asked` was answered, or whatever else stands in `ask`: that
 * is anybody's to write, and the tracer answers what it reads there. */
static bool is_answered(const struct ring *ring, uint32_t asked)
{
    /* Acquire: what the tracer did is done. Pairs with the release in
     * answer (live/drain.c). */
    uint32_t answer = atomic_load_explicit(&ring->answer, memory_order_acquire);

    return answer == asked ||
           answer == atomic_load_explicit(&ring->ask, memory_order_relaxed);
}

/* Puts question `asked`, and waits. True: there is an answer. */
static bool ask_once(struct ring *ring, uint32_t asked, bool spin)
{
    struct patience p = patience(ANSWER_MS);
    bool there = true;

    atomic_store_explicit(&ring->waiting, spin ? RING_SPINS : RING_WAITS_ANSWER,
                          memory_order_relaxed);
    /* Release: the record, or what the chore found, is there. Pairs with the
     * acquire in drain_ring (live/drain.c). */
    atomic_store_explicit(&ring->ask, asked, memory_order_release);
    if (spin) {
        uint64_t spin_until = in_ms(SPIN_MS);

        while (!is_answered(ring, asked) && tsc() < spin_until &&
               has_time(&p) &&
               !atomic_load_explicit(&section_here()->dead,
                                     memory_order_relaxed)) {
            pause();
        }
        /* From here on the thread's last call is ours: nothing to ask. */
        atomic_store_explicit(&ring->waiting, RING_WAITS_ANSWER,
                              memory_order_relaxed);
    }
    if (!is_answered(ring, asked)) {
        wait_wake_reader(ring);
    }
    while (there && !is_answered(ring, asked) && has_time(&p)) {
        there = sleep_once(ring, RENEW_MS);
    }
    return is_answered(ring, asked);
}

bool wait_answer(struct ring *ring, bool spin)
{
    uint32_t asked = atomic_load_explicit(&ring->ask, memory_order_relaxed);
    struct opened opened = { 0, 0, 0 };
    bool answered = false;

    for (int i = 0; i < CHORES_MOST && ask_once(ring, ++asked, spin); i++) {
        uint32_t chore = ring->chore;

        answered = chore == CHORE_NONE;
        if (answered) {
            break;
        }
        chore_run(ring, chore, &opened);
        spin = false;
    }
    chore_close(ring, &opened);
    atomic_store_explicit(&ring->waiting, RING_RUNS, memory_order_relaxed);
    return answered;
}
