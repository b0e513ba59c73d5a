/* SPDX-License-Identifier: MIT */
/*
 * read.c - reads the program's memory without a fault, wherever the address
 * leads: directly where it is sure to be there, else through the kernel.
 */
#include "agent/agent.h"

#include "agent/teb.h"

#define MEM_COMMIT 0x1000
#define PAGE_GUARD 0x100
#define PAGE_NOACCESS 0x01
#define PAGE_EXECUTE 0x10

/* More than this is read by the kernel in any case. */
#define DIRECT_MAX 256

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
