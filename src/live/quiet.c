/* SPDX-License-Identifier: MIT */
/*
 * quiet.c - see quiet.h. A thread's RIP says where it is. Where it will go on is
 * on its stack, if an APC or an exception has interrupted it: such contexts are
 * looked for by what they look like. Only reads.
 */
#include "live/quiet.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* CONTEXT of x64. */
#define CONTEXT_FLAGS 0x30
#define CONTEXT_RSP 0x98
#define CONTEXT_RIP 0xf8
#define CONTEXT_AMD64 0x100000u
/* How much of a stack is looked through. */
#define STACK_MOST 0x40000u
#define TEB_STACK_BASE 0x08

static bool in_agent(uint64_t agent, uint64_t address)
{
    return address - agent < AGENT_ROOM;
}

static uint64_t word_at(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/* True if there is, on the thread's stack, a context that leads to the agent. */
static bool comes_back(const struct target *t, const struct os_stopped *s,
                       uint64_t agent)
{
    uint64_t base = 0;
    uint64_t from = s->rsp & ~(uint64_t)7;
    uint8_t *stack;
    size_t size;
    bool found = false;

    if (from == 0 || !os_read(&t->os, s->teb + TEB_STACK_BASE, &base, 8) ||
        base <= from) {
        return false;
    }
    size = base - from < STACK_MOST ? (size_t)(base - from) : STACK_MOST;
    stack = malloc(size);
    if (stack == NULL || !os_read(&t->os, from, stack, size)) {
        free(stack);
        return false;
    }
    for (size_t i = CONTEXT_RIP; i + 8 <= size && !found; i += 8) {
        const uint8_t *context = stack + i - CONTEXT_RIP;
        uint64_t rsp = word_at(context + CONTEXT_RSP);

        found = in_agent(agent, word_at(stack + i)) &&
                (word_at(context + CONTEXT_FLAGS) & CONTEXT_AMD64) != 0 &&
                rsp >= from && rsp < base;
    }
    free(stack);
    return found;
}

bool quiet_is(const struct target *t, const struct os_threads *threads,
              uint64_t agent, bool *doubt)
{
    size_t count;
    const struct os_stopped *s = os_threads_list(threads, &count);

    *doubt = false;
    for (size_t i = 0; i < count; i++) {
        if (in_agent(agent, s[i].rip)) {
            return false;
        }
        *doubt = *doubt || comes_back(t, &s[i], agent);
    }
    return true;
}
