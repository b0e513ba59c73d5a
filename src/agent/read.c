/* SPDX-License-Identifier: MIT */
/*
 * read.c - reads the program's memory without a fault, wherever the address
 * leads: directly where it is sure to be there, else through the kernel, which is
 * asked for the region before, if regions.c does not remember it.
 */
#include "agent/agent.h"

#include "agent/teb.h"

#define MEM_COMMIT 0x1000
#define MEM_PRIVATE 0x20000
#define PAGE_GUARD 0x100
#define PAGE_NOACCESS 0x01
#define PAGE_EXECUTE 0x10

/* More than this is read by the kernel in any case. */
#define DIRECT_MAX 256

/* A piece of up to so many bytes is read with what lies around it on its page,
 * so many bytes in all, from a multiple of AROUND_FROM on: what one pointer leads
 * to, and what another in it does, are often one allocation. (512 bytes cost the
 * kernel what 8 do.) */
#define AROUND 512
#define AROUND_FROM 128
#define AROUND_LEAST 256

static_assert(RING_AROUND + AROUND <= RING_DATA, "ring.h");

static void *around_at(struct ring *ring)
{
    return (char *)ring + RING_AROUND;
}

static bool is_good(uint32_t protect)
{
    return protect != 0 &&
           (protect & (PAGE_GUARD | PAGE_NOACCESS | PAGE_EXECUTE)) == 0;
}

/* True if what `m` tells of, which is readable, may be a stack, whose guard lies
 * right below. Asks with `c`, and overwrites `m`. */
__attribute__((always_inline)) static inline bool
is_stack(struct ring *ring, struct own_call *c, volatile struct memory_basic *m)
{
    uint64_t base = m->base;

    if (m->type != MEM_PRIVATE || base == m->allocation_base) {
        return false;
    }
    c->stub = PRIVATE_NtQueryVirtualMemory;
    c->a[1] = base - 1;
    return (int32_t)own_call(ring, c) < 0 || (m->protect & PAGE_GUARD) != 0;
}

/* Asks for the region that `address` is in. What is somebody's guard counts as
 * not readable: a read would take the guard away (docs/facts.md T6). The
 * region that holds this thread's own stack, by its TEB and by the kernel, is
 * remembered in the ring, others that are good to read by regions.c. (The answer
 * comes into the ring, not onto the stack.) */
static void ask(struct ring *ring, uint64_t rsp, uint64_t address,
                struct known *known)
{
    volatile struct memory_basic *m = around_at(ring);
    uint64_t base, ticket;
    bool keep = regions_ticket(&ticket);
    struct own_call c = { .stub = PRIVATE_NtQueryVirtualMemory,
                          .a = { CURRENT_PROCESS, address, 0, (uint64_t)m,
                                 sizeof(*m), 0 } };

    ring->around_bytes = 0;
    known->recalled = false;
    if ((int32_t)own_call(ring, &c) < 0) {
        known->readable = false;
        known->low = address & ~(uint64_t)(PAGE_SIZE - 1);
        known->high = known->low + PAGE_SIZE;
        return;
    }
    known->readable = m->state == MEM_COMMIT && is_good(m->protect);
    known->low = m->base;
    known->high = known->low + m->size;
    if (!known->readable) {
        return;
    }
    base = teb_stack_base();
    if (known->low <= rsp && rsp < base && base == known->high &&
        teb_stack_limit() <= rsp) {
        ring->stack_low = known->low;
        ring->stack_high = base;
    } else if (keep && !is_stack(ring, &c, m)) {
        regions_keep(ticket, address, known->low, known->high);
    }
}

static bool is_readable(struct ring *ring, uint64_t rsp, uint64_t address,
                        uint64_t size, struct known *known)
{
    if (address < known->low || address >= known->high) {
        known->recalled = regions_recall(address, &known->low, &known->high);
        known->readable = true;
        if (!known->recalled) {
            ask(ring, rsp, address, known);
        }
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

/* Reads [from, from + size), which is readable: into `to`, or, if that is small,
 * into the ring, with what lies around it on the same page, which is as good. */
static bool read_piece(struct ring *ring, void *to, uint64_t from,
                       uint64_t size)
{
    uint64_t low = from & ~(uint64_t)(AROUND_FROM - 1);
    uint64_t high = low + AROUND;
    uint64_t end = (from & ~(uint64_t)(PAGE_SIZE - 1)) + PAGE_SIZE;

    if (high > end) {
        high = end;
    }
    if (size > AROUND_LEAST || from + size > high) {
        return read_bytes(ring, to, from, size);
    }
    ring->around_bytes = 0;
    if (!read_bytes(ring, around_at(ring), low, high - low)) {
        return false;
    }
    ring->around = low;
    ring->around_bytes = (uint32_t)(high - low);
    copy_bytes(to, (uint64_t)around_at(ring) + (from - low), size);
    return true;
}

/* Out of what was read around another piece. */
static bool take_around(struct ring *ring, void *to, uint64_t from,
                        uint64_t size)
{
    uint64_t at = from - ring->around;
    /* Once: the ring is anybody's to write. */
    uint32_t bytes = *(volatile uint32_t *)&ring->around_bytes;

    if (bytes > AROUND || at >= bytes || size > bytes - at) {
        return false;
    }
    copy_bytes(to, (uint64_t)around_at(ring) + at, size);
    return true;
}

/* Without `known` it is sure to be there. Its own function, so that what is read
 * directly costs no frame for it. */
__attribute__((noinline)) static bool copy_asked(struct ring *ring,
                                                 uint64_t rsp,
                                                 struct known *known, void *to,
                                                 uint64_t from, uint64_t size)
{
    if (known == NULL) {
        return read_bytes(ring, to, from, size);
    }
    if (take_around(ring, to, from, size)) {
        return true;
    }
    while (is_readable(ring, rsp, from, size, known)) {
        if (read_piece(ring, to, from, size)) {
            return true;
        }
        if (!known->recalled) {
            break;
        }
        /* It has changed, and nobody has seen that: it is asked for. */
        regions_changed(NULL);
        known->low = known->high = 0;
    }
    return false;
}

/* The thread's own stack above RSP stays where it is (below, it may have been
 * given back since). */
static bool is_own_stack(const struct ring *ring, uint64_t rsp, uint64_t from,
                         uint64_t size)
{
    return rsp <= from && ring->stack_low <= from &&
           from + size <= ring->stack_high &&
           ring->stack_high == teb_stack_base();
}

bool ring_copy(struct ring *ring, uint64_t rsp, struct known *known, void *to,
               uint64_t from, uint64_t size)
{
    bool direct;

    if (size == 0 || from + size < from) {
        return size == 0;
    }
    /* The page of RSP has just been written to. */
    direct = (from / PAGE_SIZE == rsp / PAGE_SIZE &&
              (from + size - 1) / PAGE_SIZE == rsp / PAGE_SIZE) ||
             is_own_stack(ring, rsp, from, size);
    if (direct && size <= DIRECT_MAX) {
        copy_bytes(to, from, size);
        return true;
    }
    return copy_asked(ring, rsp, direct ? NULL : known, to, from, size);
}
