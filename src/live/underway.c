/* SPDX-License-Identifier: MIT */
/*
 * underway.c - see underway.h. What a thread comes back to is on its stack, where
 * the system keeps it: the CONTEXT that NtContinue gets when an APC is over, and the
 * machine frame of a callback. They are looked for by what they look like, as
 * quiet.c does. Only reads.
 */
#include "live/underway.h"

#include "base/array.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* CONTEXT of x64. */
#define CONTEXT_FLAGS 0x30
#define CONTEXT_RSP 0x98
#define CONTEXT_RIP 0xf8
#define CONTEXT_AMD64 0x100000u
/* Behind the RIP of a machine frame: CS, flags, RSP, SS. */
#define FRAME_CS 8
#define FRAME_RSP 24
#define FRAME_BYTES 40
#define CODE_64 0x33
/* How much of a stack is looked through. */
#define STACK_MOST 0x40000u
#define TEB_STACK_BASE 0x08
/* What lies farther below is of another stack. */
#define BELOW_MOST 0x200000u
#define UNDERWAY_MOST 4096
/* Of one thread. */
#define DEEPEST 64

struct underway {
    uint64_t rsp;
    uint32_t tid;
    bool told;
};

static uint64_t word_at(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static void add(struct traced *t, uint32_t tid, uint64_t rsp, bool told)
{
    int depth = 0;

    for (size_t i = 0; i < t->underway_count; i++) {
        if (t->underway[i].tid == tid && t->underway[i].rsp == rsp) {
            return;
        }
        depth += t->underway[i].tid == tid;
    }
    if (depth < DEEPEST && t->underway_count < UNDERWAY_MOST &&
        array_grow(&t->underway, &t->underway_room, t->underway_count,
                   sizeof(*t->underway))) {
        t->underway[t->underway_count++] =
            (struct underway){ .rsp = rsp, .tid = tid, .told = told };
    }
}

/* True if the kernel goes back to `rip` at the end of a function that is bent. */
static bool is_behind_call(const struct target *t, uint64_t rip)
{
    struct target_stub stub;

    return (rip - t->nt_stubs.from < t->nt_stubs.size ||
            rip - t->win32u_stubs.from < t->win32u_stubs.size) &&
           target_stub_at(t, rip, &stub) && stub.patched &&
           rip - stub.address >= 0x14 && rip - stub.address <= 0x17;
}

/* RSP that goes with the RIP at `at` of a stack of `size` bytes, which begins at
 * `from`; 0: it is neither of a context nor of a frame. */
static uint64_t rsp_of(const uint8_t *stack, size_t size, size_t at,
                       uint64_t from)
{
    const uint8_t *p = stack + at;
    uint64_t rsp;

    if (at >= CONTEXT_RIP &&
        (word_at(p - CONTEXT_RIP + CONTEXT_FLAGS) & CONTEXT_AMD64) != 0) {
        rsp = word_at(p - CONTEXT_RIP + CONTEXT_RSP);
        if (rsp - from < BELOW_MOST) {
            return rsp;
        }
    }
    if (size - at >= FRAME_BYTES &&
        (word_at(p + FRAME_CS) & 0xffff) == CODE_64) {
        rsp = word_at(p + FRAME_RSP);
        if (rsp - (from + at) < BELOW_MOST) {
            return rsp;
        }
    }
    return 0;
}

static void look_through(struct traced *t, const struct os_stopped *s,
                         bool told)
{
    const struct os_process *p = &t->target.os;
    uint64_t from = s->rsp & ~(uint64_t)7;
    uint64_t base = 0;
    uint8_t *stack;
    size_t size;

    if (from == 0 || !os_read(p, s->teb + TEB_STACK_BASE, &base, 8) ||
        base <= from) {
        return;
    }
    size = base - from < STACK_MOST ? (size_t)(base - from) : STACK_MOST;
    stack = malloc(size);
    if (stack != NULL && os_read(p, from, stack, size)) {
        for (size_t i = 0; i + 8 <= size; i += 8) {
            uint64_t rsp = is_behind_call(&t->target, word_at(stack + i))
                               ? rsp_of(stack, size, i, from)
                               : 0;

            if (rsp != 0) {
                add(t, s->tid, rsp, told);
            }
        }
    }
    free(stack);
}

/* The agent has seen the thread enter the call at `rsp`. */
static bool is_seen(const struct traced *t, uint32_t tid, uint64_t rsp)
{
    for (uint32_t i = 0; i < t->ring_high; i++) {
        const struct drained *d = &t->rings[i];

        if (d->ring != NULL && d->tid == tid) {
            return *(const volatile uint64_t *)&d->ring->open_rsp == rsp;
        }
    }
    return false;
}

void underway_note(struct traced *t, const struct os_threads *threads, bool in,
                   bool told)
{
    size_t count;
    const struct os_stopped *s = os_threads_list(threads, &count);
    struct target_stub stub;

    for (size_t i = 0; i < count; i++) {
        if (in && target_stub_at(&t->target, s[i].rip, &stub) &&
            s[i].rip - stub.address >= STUB_HEAD_SIZE &&
            !is_seen(t, s[i].tid, s[i].rsp)) {
            add(t, s[i].tid, s[i].rsp, false);
        }
        look_through(t, &s[i], told);
    }
}

static void remove_at(struct traced *t, size_t at)
{
    t->underway[at] = t->underway[--t->underway_count];
}

bool underway_take(struct traced *t, uint32_t tid, uint64_t rsp, bool *told)
{
    for (size_t i = 0; i < t->underway_count; i++) {
        if (t->underway[i].tid == tid && t->underway[i].rsp == rsp) {
            *told = t->underway[i].told;
            remove_at(t, i);
            return true;
        }
    }
    return false;
}

void underway_over(struct traced *t, uint32_t tid, uint64_t rsp)
{
    for (size_t i = t->underway_count; i-- > 0;) {
        if (t->underway[i].tid == tid &&
            rsp - t->underway[i].rsp < BELOW_MOST) {
            remove_at(t, i);
        }
    }
}

void underway_close(struct traced *t)
{
    free(t->underway);
    t->underway = NULL;
    t->underway_count = 0;
    t->underway_room = 0;
}
