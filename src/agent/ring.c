/* SPDX-License-Identifier: MIT */
/*
 * ring.c - claiming a ring, and room in it.
 *
 * Claiming is lock-free: a thread that dies half-way leaves one ring in
 * state CLAIMING, never a lock. Rings go back to FREE by the tracer alone.
 *
 * A thread can be stopped at any instruction of the agent, and sent elsewhere by
 * another context: to be put back where it was, or never. What it does meanwhile
 * must not touch the record that it was about to write, and goes to another ring,
 * which hangs off the first one (docs/decisions/0036-sent-elsewhere.md).
 */
#include "agent/agent.h"

#include "agent/teb.h"

#define MEM_COMMIT 0x1000
#define PAGE_READWRITE 0x04

/* How long room may not be there that must not be waited for asleep: the
 * tracer comes by much more often. */
#define CRAMPED_MS 2000

/* Two addresses farther from each other are on two stacks. */
#define STACK_MOST 0x200000

/* A thread that is sent elsewhere while the agent is at work on it, and from
 * there again, has so many rings. */
#define RINGS_MOST 4

static struct ring *ring_at(const struct section *s, uint32_t index)
{
    return (struct ring *)((uint64_t)s + SECTION_RINGS +
                           (uint64_t)index * image_config_here()->ring_stride);
}

/* Bytes of a ring's data. */
static uint32_t ring_bytes(void)
{
    return image_config_here()->ring_mask + 1;
}

static _Atomic uint32_t *state_at(struct section *s, uint32_t index)
{
    return (_Atomic uint32_t *)((uint64_t)s + SECTION_RING_STATE) + index;
}

static bool commit_at(uint64_t base, uint64_t size)
{
    struct own_call c = { .stub = PRIVATE_NtAllocateVirtualMemory,
                          .a = { CURRENT_PROCESS, (uint64_t)&base, 0,
                                 (uint64_t)&size, MEM_COMMIT,
                                 PAGE_READWRITE } };

    return (int32_t)own_call(NULL, &c) >= 0;
}

static bool commit(struct section *s, uint32_t index)
{
    if (!commit_at((uint64_t)own_save(index), OWN_PAGE) ||
        !commit_at((uint64_t)ring_at(s, index),
                   image_config_here()->ring_stride)) {
        return false;
    }
    /* This thread's last call is ours now. */
    ring_at(s, index)->disturbed = 1;
    return true;
}

/* Makes ring `i` this thread's to set up, whose id stands in its state meanwhile:
 * should it be ended here, the tracer sees whose it was (live/drain.c). False: it
 * is not to be had; *memory: for want of memory. */
static bool claim_at(struct section *s, uint32_t i, bool *memory)
{
    _Atomic uint32_t *state = state_at(s, i);
    uint32_t mine = teb_tid() & ~RING_STATE, was = RING_FREE;

    /* Acquire: the tracer is done with the ring. Pairs with the release in
     * reclaim (live/drain.c). */
    if (atomic_compare_exchange_strong_explicit(
            state, &was, mine | RING_CLAIMING, memory_order_acquire,
            memory_order_relaxed)) {
        return true;
    }
    if (was != RING_UNCOMMITTED ||
        !atomic_compare_exchange_strong_explicit(
            state, &was, mine | RING_CLAIMING, memory_order_acquire,
            memory_order_relaxed)) {
        return false;
    }
    if (!commit(s, i)) {
        *memory = true;
        atomic_store_explicit(state, RING_UNCOMMITTED, memory_order_release);
    }
    return !*memory;
}

/* The index of a ring that is now this thread's to set up; RING_MAX: none. */
static uint32_t claim_index(struct section *s)
{
    uint32_t high = atomic_load_explicit(&s->ring_high, memory_order_acquire);
    uint32_t max = image_config_here()->ring_max;
    bool no_memory = false;

    for (uint32_t i = 0; i < high && i < max && !no_memory; i++) {
        if (claim_at(s, i, &no_memory)) {
            return i;
        }
    }
    /* As often as there are rings: the count is anybody's to write. */
    for (uint32_t turn = 0; turn <= max && !no_memory; turn++) {
        uint32_t i =
            atomic_fetch_add_explicit(&s->ring_high, 1, memory_order_acq_rel);

        if (i >= max) {
            atomic_store_explicit(&s->ring_high, max, memory_order_relaxed);
            return RING_MAX;
        }
        if (claim_at(s, i, &no_memory)) {
            return i;
        }
    }
    return RING_MAX;
}

/* `above`: the thread's ring that is in use already, NULL: it has none. */
static struct ring *claim(struct ring *above, uint64_t rsp)
{
    struct section *s = section_here();
    struct ring *ring;
    uint32_t index;

    if (atomic_load_explicit(&s->dead, memory_order_relaxed) ||
        atomic_load_explicit(&s->keeper.tid, memory_order_relaxed) ==
            teb_tid()) {
        return NULL;
    }
    index = claim_index(s);
    if (index == RING_MAX) {
        if (above == NULL) {
            atomic_fetch_add_explicit(&s->lost_no_ring, 1,
                                      memory_order_relaxed);
        }
        return NULL;
    }
    ring = ring_at(s, index);
    ring->limit = atomic_load_explicit(&ring->head, memory_order_relaxed);
    ring->open_rsp = 0;
    ring->open_count = 0;
    ring->open_missed = 0;
    ring->stack_low = 0;
    ring->stack_high = 0;
    ring->quiet = 0;
    ring->given_up = 0;
    ring->around_bytes = 0;
    ring->chains = 0;
    ring->below = 0;
    ring->is_below = above != NULL;
    ring->tid = teb_tid();
    ring->teb = teb_self();
    ring->serial++;
    atomic_store_explicit(&ring->waiting, RING_RUNS, memory_order_relaxed);
    atomic_store_explicit(&ring->inside, rsp, memory_order_relaxed);
    for (int i = 0; i < RING_LOST_COUNT; i++) {
        atomic_store_explicit(&ring->lost[i], 0, memory_order_relaxed);
    }
    atomic_store_explicit(&ring->lost_data, 0, memory_order_relaxed);
    if (above != NULL) {
        above->below = index + 1;
    } else {
        teb_set_ring(ring);
    }
    /* Release: the tracer finds the ring set up. Pairs with the acquire in
     * drain_rings (live/drain.c). */
    atomic_store_explicit(state_at(s, index), RING_LIVE, memory_order_release);
    return ring;
}

static void count(_Atomic uint32_t *lost)
{
    atomic_store_explicit(lost,
                          atomic_load_explicit(lost, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

/* True if `rsp` and `other` are on one stack: on the thread's own, or not too far
 * from each other. */
static bool is_one_stack(uint64_t rsp, uint64_t other)
{
    uint64_t low = teb_stack_limit();
    uint64_t size = teb_stack_base() - low;
    bool on = rsp - low < size;

    return on == (other - low < size) &&
           (on || (rsp < other ? other - rsp : rsp - other) <= STACK_MOST);
}

/* The agent works on its stack below the address that it was entered at. What
 * happens there or above it, on the same stack, shows that this work was
 * abandoned: the thread was sent elsewhere. */
static bool is_abandoned(uint64_t rsp, uint64_t inside)
{
    return rsp >= inside && is_one_stack(rsp, inside);
}

/* The thread's ring that hangs off this one; NULL: none does. */
static struct ring *ring_below(const struct ring *ring)
{
    struct section *s = section_here();
    uint32_t index = ring->below - 1;
    struct ring *below;

    /* Rings that are somebody's are there. */
    if (index >= image_config_here()->ring_max ||
        atomic_load_explicit(state_at(s, index), memory_order_relaxed) !=
            RING_LIVE) {
        return NULL;
    }
    below = ring_at(s, index);
    return below != ring && below->tid == teb_tid() ? below : NULL;
}

/* What was begun in `ring`, and in those below, is over. */
static void abandon(struct ring *ring)
{
    count(&ring->lost[RING_LOST_GUARD]);
    for (int depth = 0; ring != NULL && depth < RINGS_MOST; depth++) {
        ring->quiet = 0;
        atomic_store_explicit(&ring->waiting, RING_RUNS, memory_order_relaxed);
        atomic_store_explicit(&ring->inside, 0, memory_order_relaxed);
        ring = ring_below(ring);
    }
}

struct ring *ring_enter(uint64_t rsp)
{
    struct ring *ring = teb_ring();
    struct ring *first = ring;
    uint32_t disturbed = 0;  // the thread's last call is ours

    if (ring == NULL) {
        return claim(NULL, rsp);
    }
    for (int depth = 0; ring != NULL && depth < RINGS_MOST; depth++) {
        uint64_t inside =
            atomic_load_explicit(&ring->inside, memory_order_relaxed);

        if (inside == 0 || is_abandoned(rsp, inside)) {
            if (inside != 0) {
                abandon(ring);
            }
            atomic_store_explicit(&ring->inside, rsp, memory_order_relaxed);
            ring->around_bytes = 0;
            ring->disturbed |= disturbed;
            return ring;
        }
        disturbed |= ring->disturbed;
        if (ring->below == 0 && depth + 1 < RINGS_MOST) {
            ring = claim(ring, rsp);
            if (ring != NULL) {
                ring->disturbed |= disturbed;
                return ring;
            }
            break;
        }
        ring = ring_below(ring);
    }
    count(&first->lost[RING_LOST_INSIDE]);
    return NULL;
}

void ring_leave(struct ring *ring)
{
    ring->disturbed = 0;
    /* Release: after the record. Pairs with the acquire in drain_ring. */
    atomic_store_explicit(&ring->inside, 0, memory_order_release);
}

/* How far the thread may fill a ring unasked: not over its end, not into what
 * is in use, and not past half without waking the reader. */
static void set_limit(struct ring *ring, uint32_t used, uint32_t size)
{
    uint32_t bytes = ring_bytes();
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    uint32_t to_end = bytes - (head & (bytes - 1));

    if (used + size > bytes / 2) {
        wait_wake_reader(ring);
        ring->limit = head + (bytes - used < to_end ? bytes - used : to_end);
    } else {
        uint32_t half = bytes / 2 - used;

        ring->limit = head + (half < to_end ? half : to_end);
    }
}

static bool is_cramped(const struct ring *ring)
{
    return teb_is_cramped(
        atomic_load_explicit(&ring->inside, memory_order_relaxed));
}

/* Waits for room for `size` bytes where the stack is too short to do so
 * asleep. False: there was none for CRAMPED_MS. Its own function, so that the
 * others do not carry its frame. */
__attribute__((noinline)) static bool spin_room(struct ring *ring,
                                                uint32_t size)
{
    uint64_t until = tsc() + CRAMPED_MS * image_config_here()->tsc_per_ms;

    /* Relaxed: make_room looks again. */
    while (atomic_load_explicit(&ring->head, memory_order_relaxed) -
               atomic_load_explicit(&ring->tail, memory_order_relaxed) >
           ring_bytes() - size) {
        if (tsc() > until) {
            return false;
        }
        pause();
    }
    return true;
}

/* Waits for room for `size` bytes, if need be, and says how far the thread may
 * now fill the ring. RING_LOST_COUNT: there is room; else why there is none. */
static enum ring_lost make_room(struct ring *ring, uint32_t size)
{
    uint32_t bytes = ring_bytes();

    for (;;) {
        /* Acquire: the reader is done with these bytes before we reuse them.
         * Pairs with the release in drain_ring (live/drain.c). */
        uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
        uint32_t used =
            atomic_load_explicit(&ring->head, memory_order_relaxed) - tail;

        if (used > bytes) {
            used = bytes;  // somebody scribbled: no room until it is mended
        }
        if (size <= bytes - used) {
            ring->given_up = 0;
            set_limit(ring, used, size);
            return RING_LOST_COUNT;
        }
        if (section_here()->flags & SECTION_LOSSY) {
            wait_wake_reader(ring);
            return RING_LOST_FULL;
        }
        if (!(is_cramped(ring) ? spin_room(ring, size) : wait_room(ring))) {
            return RING_LOST_NO_TRACER;
        }
    }
}

/* The same. False: there is none, and the loss was counted. */
static bool has_room(struct ring *ring, uint32_t size, bool data)
{
    enum ring_lost why = make_room(ring, size);

    if (why == RING_LOST_COUNT) {
        return true;
    }
    count(data ? &ring->lost_data : &ring->lost[why]);
    return false;
}

static void *reserve(struct ring *ring, uint32_t size, bool data)
{
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    uint32_t mask = image_config_here()->ring_mask;
    uint32_t to_end;

    if (head % 8 != 0) {
        /* Not ours: somebody wrote here. Records are where they belong. */
        head = (head + 7) & ~7u;
        atomic_store_explicit(&ring->head, head, memory_order_relaxed);
    }
    to_end = mask + 1 - (head & mask);
    /* A record never wraps. Padding is not free: it needs room as well. */
    if (size > to_end) {
        uint32_t *pad = (uint32_t *)((char *)ring + RING_DATA + (head & mask));

        if (!has_room(ring, to_end, data)) {
            return NULL;
        }
        pad[0] = to_end;
        pad[1] = RECORD_KIND_PAD;
        ring_publish(ring, to_end);
        head += to_end;
    }
    if (!has_room(ring, size, data)) {
        return NULL;
    }
    return (char *)ring + RING_DATA + (head & mask);
}

void *ring_reserve(struct ring *ring, uint32_t size)
{
    return reserve(ring, size, false);
}

void *ring_reserve_data(struct ring *ring, uint32_t size)
{
    return reserve(ring, size, true);
}

void ring_publish(struct ring *ring, uint32_t size)
{
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

    /* Release: the record is there before its reader is told. Pairs with the
     * acquire in drain_ring. */
    atomic_store_explicit(&ring->head, head + size, memory_order_release);
    if ((int32_t)(ring->limit - (head + size)) < 0) {
        ring->limit = head + size;
    }
}
