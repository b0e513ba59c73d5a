/* SPDX-License-Identifier: MIT */
/*
 * ring.c - claiming a ring, and room in it.
 *
 * Claiming is lock-free: a thread that dies half-way leaves one ring in
 * state CLAIMING, never a lock. Rings go back to FREE by the tracer alone.
 */
#include "agent/agent.h"

#include "agent/nt_call.h"
#include "agent/teb.h"

#define MEM_COMMIT 0x1000
#define PAGE_READWRITE 0x04
#define PAGE_GUARD 0x100
#define PAGE_NOACCESS 0x01
#define PAGE_EXECUTE 0x10
#define PAGE_SIZE 0x1000
#define CURRENT_PROCESS ((uint64_t)-1)

/* Room for the legacy part and the header of an XSAVE area: x87 and SSE. */
struct xsave_small {
    _Alignas(64) uint64_t words[(512 + 64) / 8];
};

static struct ring *ring_at(const struct section *s, uint32_t index)
{
    return (struct ring *)((uint64_t)s + SECTION_RINGS +
                           (uint64_t)index * s->ring_stride);
}

static _Atomic uint32_t *state_at(struct section *s, uint32_t index)
{
    return (_Atomic uint32_t *)((uint64_t)s + SECTION_RING_STATE) + index;
}

/* A thread without a ring has no page for its vector state: x87 and SSE go
 * onto its stack. (Windows keeps the upper halves of the vector registers
 * over a system call; only what it clears needs saving.) Its own function, so
 * that calls with a ring do not carry this frame. */
__attribute__((noinline)) static uint32_t
call_without_ring(struct nt_call *call)
{
    struct xsave_small small;

    /* XSAVE leaves reserved header bytes alone, XRSTOR wants zeros. */
    for (int i = 0; i < 8; i++) {
        *(volatile uint64_t *)&small.words[512 / 8 + i] = 0;
    }
    call->save = &small;
    call->save_mask = 3;
    return nt_call(call);
}

uint32_t own_call(struct ring *ring, const struct own_call *c)
{
    struct nt_call call;

    call.stub = (uint64_t)image_head_here() + image_head_here()->stubs +
                (uint64_t)c->stub * PRIVATE_STUB_SIZE;
    for (int i = 0; i < 6; i++) {
        call.a[i] = c->a[i];
    }
    if (ring == NULL) {
        return call_without_ring(&call);
    }
    ring->disturbed = 1;
    call.save = (char *)ring + RING_XSAVE;
    call.save_mask = image_config_here()->xsave_mask;
    return nt_call(&call);
}

static bool commit(struct section *s, uint32_t index)
{
    uint64_t base = (uint64_t)ring_at(s, index);
    uint64_t size = s->ring_stride;
    struct own_call c = { PRIVATE_NtAllocateVirtualMemory,
                          { CURRENT_PROCESS, (uint64_t)&base, 0,
                            (uint64_t)&size, MEM_COMMIT, PAGE_READWRITE } };

    if ((int32_t)own_call(NULL, &c) < 0) {
        return false;
    }
    /* This thread's last call is ours now. */
    ring_at(s, index)->disturbed = 1;
    return true;
}

/* The index of a ring that is now this thread's to set up; RING_MAX: none. */
static uint32_t claim_index(struct section *s)
{
    uint32_t high = atomic_load_explicit(&s->ring_high, memory_order_acquire);
    uint32_t max = s->ring_max < RING_MAX ? s->ring_max : RING_MAX;

    for (uint32_t i = 0; i < high && i < max; i++) {
        uint32_t want = RING_FREE;

        /* Acquire: the tracer is done with the ring. Pairs with the release
         * in ring_reclaim (tracer/drain.c). */
        if (atomic_compare_exchange_strong_explicit(
                state_at(s, i), &want, RING_CLAIMING, memory_order_acquire,
                memory_order_relaxed)) {
            return i;
        }
    }
    for (;;) {
        uint32_t i =
            atomic_fetch_add_explicit(&s->ring_high, 1, memory_order_acq_rel);
        uint32_t want = RING_FREE;

        if (i >= max) {
            atomic_store_explicit(&s->ring_high, max, memory_order_relaxed);
            return RING_MAX;
        }
        if (atomic_compare_exchange_strong_explicit(
                state_at(s, i), &want, RING_CLAIMING, memory_order_acquire,
                memory_order_relaxed)) {
            return i;
        }
        if (want == RING_UNCOMMITTED && commit(s, i)) {
            return i;
        }
        if (want == RING_UNCOMMITTED) {
            return RING_MAX;
        }
    }
}

static struct ring *claim(uint64_t rsp)
{
    struct section *s = section_here();
    struct ring *ring;
    uint32_t index;

    if (atomic_load_explicit(&s->dead, memory_order_relaxed)) {
        return NULL;
    }
    index = claim_index(s);
    if (index == RING_MAX) {
        atomic_fetch_add_explicit(&s->lost_no_ring, 1, memory_order_relaxed);
        return NULL;
    }
    ring = ring_at(s, index);
    ring->limit = atomic_load_explicit(&ring->head, memory_order_relaxed);
    ring->open_rsp = 0;
    ring->open_count = 0;
    ring->open_missed = 0;
    ring->mask = s->ring_bytes - 1;
    ring->stack_low = 0;
    ring->stack_high = 0;
    ring->quiet = 0;
    ring->tid = teb_tid();
    ring->teb = teb_self();
    ring->serial++;
    atomic_store_explicit(&ring->waiting, RING_RUNS, memory_order_relaxed);
    atomic_store_explicit(&ring->inside, rsp, memory_order_relaxed);
    for (int i = 0; i < RING_LOST_COUNT; i++) {
        atomic_store_explicit(&ring->lost[i], 0, memory_order_relaxed);
    }
    teb_set_ring(ring);
    /* Release: the tracer finds the ring set up. Pairs with the acquire in
     * drain_rings (tracer/drain.c). */
    atomic_store_explicit(state_at(s, index), RING_LIVE, memory_order_release);
    return ring;
}

static void count(struct ring *ring, enum ring_lost reason)
{
    atomic_store_explicit(
        &ring->lost[reason],
        atomic_load_explicit(&ring->lost[reason], memory_order_relaxed) + 1,
        memory_order_relaxed);
}

struct ring *ring_enter(uint64_t rsp)
{
    struct ring *ring = teb_ring();
    uint64_t inside;

    if (ring == NULL) {
        return claim(rsp);
    }
    inside = atomic_load_explicit(&ring->inside, memory_order_relaxed);
    if (inside != 0) {
        /* The agent works below the address it was entered at. Something
         * that happens above it, on the same stack, shows that this work
         * was abandoned: the thread was sent elsewhere. Two megabytes: a
         * larger distance is another stack. */
        if (rsp <= inside || rsp - inside > 0x200000) {
            count(ring, RING_LOST_INSIDE);
            return NULL;
        }
        count(ring, RING_LOST_GUARD);
        ring->quiet = 0;
        atomic_store_explicit(&ring->waiting, RING_RUNS, memory_order_relaxed);
    }
    atomic_store_explicit(&ring->inside, rsp, memory_order_relaxed);
    return ring;
}

void ring_leave(struct ring *ring)
{
    ring->disturbed = 0;
    /* Release: after the record. Pairs with the acquire in drain_ring. */
    atomic_store_explicit(&ring->inside, 0, memory_order_release);
}

void *ring_reserve(struct ring *ring, uint32_t size)
{
    struct section *s = section_here();
    uint32_t bytes = ring->mask + 1;
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    uint32_t to_end, tail, used;

    if (head % 8 != 0) {
        /* Not ours: somebody wrote here. Records are where they belong. */
        head = (head + 7) & ~7u;
        atomic_store_explicit(&ring->head, head, memory_order_relaxed);
    }
    to_end = bytes - (head & ring->mask);
    /* A record never wraps. Padding is not free: it needs room as well. */
    if (size > to_end) {
        uint32_t *pad = ring_reserve(ring, to_end);

        if (pad == NULL) {
            return NULL;
        }
        pad[0] = to_end;
        pad[1] = RECORD_KIND_PAD;
        ring_publish(ring, to_end);
        head += to_end;
        to_end = bytes;
    }
    for (;;) {
        /* Acquire: the reader is done with these bytes before we reuse them.
         * Pairs with the release in drain_ring (tracer/drain.c). */
        tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
        used = head - tail;
        if (used > bytes) {
            used = bytes;  // somebody scribbled: no room until it is mended
        }
        if (size <= bytes - used) {
            break;
        }
        if (s->flags & SECTION_LOSSY) {
            count(ring, RING_LOST_FULL);
            wait_wake_reader(ring);
            return NULL;
        }
        if (!wait_room(ring)) {
            count(ring, RING_LOST_NO_TRACER);
            return NULL;
        }
    }
    if (used + size > bytes / 2) {
        wait_wake_reader(ring);
        ring->limit = head + (bytes - used < to_end ? bytes - used : to_end);
    } else {
        uint32_t half = bytes / 2 - used;

        ring->limit = head + (half < to_end ? half : to_end);
    }
    return (char *)ring + RING_DATA + (head & ring->mask);
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

/* MEMORY_BASIC_INFORMATION of x64. */
struct memory_basic {
    uint64_t base;
    uint64_t allocation_base;
    uint32_t allocation_protect;
    uint32_t partition;
    uint64_t size;
    uint32_t state;
    uint32_t protect;
    uint32_t type;
    uint32_t pad;
};

/* True if `size` bytes at `address` can be read, and are nobody's guard: a
 * read would take the guard away (docs/facts.md T6). The region that holds this
 * thread's own stack, by its TEB and by the kernel, is remembered. */
static bool is_readable(struct ring *ring, uint64_t rsp, uint64_t address,
                        uint64_t size)
{
    uint64_t base = teb_stack_base();
    struct memory_basic m;
    struct own_call c = { PRIVATE_NtQueryVirtualMemory,
                          { CURRENT_PROCESS, address, 0, (uint64_t)&m,
                            sizeof(m), 0 } };

    if ((int32_t)own_call(ring, &c) < 0 || m.state != MEM_COMMIT ||
        (m.protect & (PAGE_GUARD | PAGE_NOACCESS | PAGE_EXECUTE)) != 0 ||
        m.protect == 0) {
        return false;
    }
    if (m.base <= rsp && rsp < m.base + m.size && teb_stack_limit() <= rsp &&
        rsp < base && base == m.base + m.size) {
        ring->stack_low = m.base;
        ring->stack_high = base;
    }
    return address + size <= m.base + m.size;
}

bool ring_copy(struct ring *ring, uint64_t rsp, void *to, uint64_t from,
               uint64_t size)
{
    uint64_t got = 0;
    struct own_call c = { PRIVATE_NtReadVirtualMemory,
                          { CURRENT_PROCESS, from, (uint64_t)to, size,
                            (uint64_t)&got } };
    bool direct;

    if (from + size < from || size % 8 != 0) {
        return false;
    }
    /* The page of RSP has just been written to; the thread's own stack above
     * it stays where it is. */
    direct = (from / PAGE_SIZE == rsp / PAGE_SIZE &&
              (from + size - 1) / PAGE_SIZE == rsp / PAGE_SIZE) ||
             (ring->stack_low <= from && from + size <= ring->stack_high &&
              ring->stack_high == teb_stack_base());
    if (direct) {
        for (uint64_t i = 0; i < size / 8; i++) {
            ((volatile uint64_t *)to)[i] = ((const uint64_t *)from)[i];
        }
        return true;
    }
    return is_readable(ring, rsp, from, size) &&
           (int32_t)own_call(ring, &c) >= 0 && got == size;
}
