/* SPDX-License-Identifier: MIT */
/*
 * teb.h - the words of the thread environment block that the agent uses.
 *
 * Offsets as in phnt's ntpebteb.h for x64. StackBase and StackLimit are the
 * target's to write: never a reason to read memory.
 */
#ifndef AGENT_TEB_H
#define AGENT_TEB_H

#include "wire/ring.h"

#include <stdbool.h>
#include <stdint.h>

#define TEB_STACK_BASE 0x08
#define TEB_STACK_LIMIT 0x10
#define TEB_SELF 0x30
#define TEB_TID 0x48
#define TEB_STACK_END 0x1478 /* DeallocationStack */

static inline uint64_t teb_stack_base(void)
{
    uint64_t v;

    __asm__ volatile("movq %%gs:%c1, %0" : "=r"(v) : "i"(TEB_STACK_BASE));
    return v;
}

static inline uint64_t teb_stack_limit(void)
{
    uint64_t v;

    __asm__ volatile("movq %%gs:%c1, %0" : "=r"(v) : "i"(TEB_STACK_LIMIT));
    return v;
}

static inline uint64_t teb_stack_end(void)
{
    uint64_t v;

    __asm__ volatile("movq %%gs:%c1, %0" : "=r"(v) : "i"(TEB_STACK_END));
    return v;
}

/* The last pages of a stack: one that is never there, and one that may be all
 * that is left after a stack overflow, when an exception's own words are on it.
 * It belongs to the program's handler. */
#define CRAMPED 0x2000

/* True if at `rsp` the agent is to use as little stack as it can, and so make
 * no system call, nor wait asleep. */
static inline bool teb_is_cramped(uint64_t rsp)
{
    return rsp - teb_stack_end() < CRAMPED;
}

static inline uint64_t teb_self(void)
{
    uint64_t v;

    __asm__ volatile("movq %%gs:%c1, %0" : "=r"(v) : "i"(TEB_SELF));
    return v;
}

static inline uint32_t teb_tid(void)
{
    uint32_t v;

    __asm__ volatile("movl %%gs:%c1, %0" : "=r"(v) : "i"(TEB_TID));
    return v;
}

static inline struct ring *teb_ring(void)
{
    struct ring *v;

    __asm__ volatile("movq %%gs:%c1, %0" : "=r"(v) : "i"(TEB_RING));
    return v;
}

static inline void teb_set_ring(struct ring *ring)
{
    __asm__ volatile("movq %0, %%gs:%c1"
                     :
                     : "r"(ring), "i"(TEB_RING)
                     : "memory");
}

/* Wine only, see amd64/wine.S. */
static inline uint64_t teb_last_argument(void)
{
    uint64_t v;

    __asm__ volatile("movq %%gs:0x2e0, %0" : "=r"(v));
    return v;
}

static inline uint32_t teb_last_number(void)
{
    uint32_t v;

    __asm__ volatile("movl %%gs:0x2e8, %0" : "=r"(v));
    return v;
}

static inline uint64_t tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static inline void pause(void)
{
    __asm__ volatile("pause");
}

#endif
