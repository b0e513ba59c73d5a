/* SPDX-License-Identifier: MIT */
/*
 * ring.c - claiming a ring, and room in it.
 *
 * Claiming is lock-free: a thread that dies half-way leaves one ring in
 * state CLAIMING, never a lock. Rings go back to FREE by the tracer alone.
 */
#include "agent/agent.h"

#include "agent/teb.h"

#define MEM_COMMIT 0x1000
#define STATUS_NOT_SUPPORTED 0xc00000bb
#define PAGE_READWRITE 0x04
#define PAGE_GUARD 0x100
#define PAGE_NOACCESS 0x01
#define PAGE_EXECUTE 0x10

/* More than this is read by the kernel in any case. */
#define DIRECT_MAX 256

/* Room for the legacy part and the header of an XSAVE area: x87 and SSE. */
struct xsave_small {
    _Alignas(64) uint64_t words[(512 + 64) / 8];
};

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

uint32_t ring_index(const struct ring *ring)
{
    uint64_t at = (uint64_t)ring - (uint64_t)section_here() - SECTION_RINGS;
    uint64_t index = at / image_config_here()->ring_stride;

    return index < RING_MAX ? (uint32_t)index : RING_MAX;
}

/* The page for the vector state of who has ring `index`. */
static void *own_save(uint32_t index)
{
    return (char *)own_page_here() + (uint64_t)OWN_PAGE * (1 + index);
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
call_without_ring(struct own_call *call)
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

bool own_calls_allowed(void)
{
    return atomic_load_explicit(&section_here()->callback_owner,
                                memory_order_relaxed) != CALLBACK_PROGRAMS;
}

static uint32_t make_call(struct ring *ring, struct own_call *c)
{
    uint32_t index = ring == NULL ? RING_MAX : ring_index(ring);

    c->stub = (uint64_t)image_head_here() + image_head_here()->stubs +
              c->stub * PRIVATE_STUB_SIZE;
    if (index == RING_MAX) {
        return call_without_ring(c);
    }
    ring->disturbed = 1;
    c->save = own_save(index);
    c->save_mask = image_config_here()->xsave_mask;
    return nt_call(c);
}

uint32_t own_call(struct ring *ring, struct own_call *c)
{
    return own_calls_allowed() ? make_call(ring, c) : STATUS_NOT_SUPPORTED;
}

uint32_t own_protect(struct ring *ring, uint64_t address, uint64_t size,
                     uint32_t to, uint32_t *old)
{
    struct own_call c = { .stub = PRIVATE_NtProtectVirtualMemory,
                          .a = { CURRENT_PROCESS, (uint64_t)&address,
                                 (uint64_t)&size, to, (uint64_t)old } };

    return own_call(ring, &c);
}

uint32_t own_protect_back(struct ring *ring, uint64_t address, uint64_t size,
                          uint32_t was)
{
    uint32_t old;
    struct own_call c = { .stub = PRIVATE_NtProtectVirtualMemory,
                          .a = { CURRENT_PROCESS, (uint64_t)&address,
                                 (uint64_t)&size, was, (uint64_t)&old } };

    return make_call(ring, &c);
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

/* The index of a ring that is now this thread's to set up; RING_MAX: none. */
static uint32_t claim_index(struct section *s)
{
    uint32_t high = atomic_load_explicit(&s->ring_high, memory_order_acquire);
    uint32_t max = image_config_here()->ring_max;

    for (uint32_t i = 0; i < high && i < max; i++) {
        uint32_t want = RING_FREE;

        /* Acquire: the tracer is done with the ring. Pairs with the release
         * in reclaim (live/drain.c). */
        if (atomic_compare_exchange_strong_explicit(
                state_at(s, i), &want, RING_CLAIMING, memory_order_acquire,
                memory_order_relaxed)) {
            return i;
        }
    }
    /* As often as there are rings: the count is anybody's to write. */
    for (uint32_t turn = 0; turn <= max; turn++) {
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
    return RING_MAX;
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
    ring->stack_low = 0;
    ring->stack_high = 0;
    ring->quiet = 0;
    ring->given_up = 0;
    ring->tid = teb_tid();
    ring->teb = teb_self();
    ring->serial++;
    atomic_store_explicit(&ring->waiting, RING_RUNS, memory_order_relaxed);
    atomic_store_explicit(&ring->inside, rsp, memory_order_relaxed);
    for (int i = 0; i < RING_LOST_COUNT; i++) {
        atomic_store_explicit(&ring->lost[i], 0, memory_order_relaxed);
    }
    atomic_store_explicit(&ring->lost_data, 0, memory_order_relaxed);
    teb_set_ring(ring);
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
            count(&ring->lost[RING_LOST_INSIDE]);
            return NULL;
        }
        count(&ring->lost[RING_LOST_GUARD]);
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
        if (!wait_room(ring)) {
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

/* Asks for the region that `address` is in. What is somebody's guard counts as
 * not readable: a read would take the guard away (docs/facts.md T6). The
 * region that holds this thread's own stack, by its TEB and by the kernel, is
 * remembered. */
static void ask(struct ring *ring, uint64_t rsp, uint64_t address,
                struct known *known)
{
    uint64_t base = teb_stack_base();
    struct memory_basic m;
    struct own_call c = { .stub = PRIVATE_NtQueryVirtualMemory,
                          .a = { CURRENT_PROCESS, address, 0, (uint64_t)&m,
                                 sizeof(m), 0 } };

    if ((int32_t)own_call(ring, &c) < 0) {
        known->readable = false;
        known->low = address & ~(uint64_t)(PAGE_SIZE - 1);
        known->high = known->low + PAGE_SIZE;
        return;
    }
    known->readable =
        m.state == MEM_COMMIT && m.protect != 0 &&
        (m.protect & (PAGE_GUARD | PAGE_NOACCESS | PAGE_EXECUTE)) == 0;
    known->low = m.base;
    known->high = m.base + m.size;
    if (known->readable && m.base <= rsp && rsp < m.base + m.size &&
        teb_stack_limit() <= rsp && rsp < base && base == m.base + m.size) {
        ring->stack_low = m.base;
        ring->stack_high = base;
    }
}

static bool is_readable(struct ring *ring, uint64_t rsp, uint64_t address,
                        uint64_t size, struct known *known)
{
    if (address < known->low || address >= known->high) {
        ask(ring, rsp, address, known);
    }
    return known->readable && known->low <= address &&
           address + size <= known->high;
}

/* A word anywhere. */
struct any_word {
    uint64_t v;
} __attribute__((packed, may_alias));

/* Volatile, or the compiler makes a call of it. */
static void copy_bytes(void *to, uint64_t from, uint64_t size)
{
    volatile uint8_t *t = to;
    uint64_t i = 0;

    for (; i + 8 <= size; i += 8) {
        ((volatile struct any_word *)(t + i))->v =
            ((const struct any_word *)(from + i))->v;
    }
    for (; i < size; i++) {
        t[i] = *(const uint8_t *)(from + i);
    }
}

static bool read_bytes(struct ring *ring, void *to, uint64_t from,
                       uint64_t size)
{
    uint64_t got = 0;
    struct own_call c = { .stub = PRIVATE_NtReadVirtualMemory,
                          .a = { CURRENT_PROCESS, from, (uint64_t)to, size,
                                 (uint64_t)&got } };

    return (int32_t)own_call(ring, &c) >= 0 && got == size;
}

/* Its own function, so that what is read directly costs no frame for it. */
__attribute__((noinline)) static bool copy_asked(struct ring *ring,
                                                 uint64_t rsp,
                                                 struct known *known, void *to,
                                                 uint64_t from, uint64_t size)
{
    return is_readable(ring, rsp, from, size, known) &&
           read_bytes(ring, to, from, size);
}

bool ring_copy(struct ring *ring, uint64_t rsp, struct known *known, void *to,
               uint64_t from, uint64_t size)
{
    bool direct;

    if (size == 0 || from + size < from) {
        return size == 0;
    }
    /* The page of RSP has just been written to; the thread's own stack above
     * RSP stays where it is (below, it may have been given back since). */
    direct = (from / PAGE_SIZE == rsp / PAGE_SIZE &&
              (from + size - 1) / PAGE_SIZE == rsp / PAGE_SIZE) ||
             (rsp <= from && ring->stack_low <= from &&
              from + size <= ring->stack_high &&
              ring->stack_high == teb_stack_base());
    if (direct && size <= DIRECT_MAX) {
        copy_bytes(to, from, size);
        return true;
    }
    return copy_asked(ring, rsp, known, to, from, size);
}
