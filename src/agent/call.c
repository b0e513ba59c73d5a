/* SPDX-License-Identifier: MIT */
/*
 * call.c - the agent's own system calls: through copies of the stubs that no
 * thunk is in front of, with the vector state saved around them.
 *
 * None is made once the program has the callback, but for those that put right
 * what we have changed.
 */
#include "agent/agent.h"

/* Room for the legacy part and the header of an XSAVE area: x87 and SSE. */
struct xsave_small {
    _Alignas(64) uint64_t words[(512 + 64) / 8];
};

uint32_t ring_index(const struct ring *ring)
{
    uint64_t at = (uint64_t)ring - (uint64_t)section_here() - SECTION_RINGS;
    uint64_t index = at / image_config_here()->ring_stride;

    return index < RING_MAX ? (uint32_t)index : RING_MAX;
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

bool callback_is_ours(void)
{
    return atomic_load_explicit(&section_here()->callback_owner,
                                memory_order_relaxed) == CALLBACK_OURS;
}

uint32_t own_call_always(struct ring *ring, struct own_call *c)
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
    return own_calls_allowed() ? own_call_always(ring, c)
                               : STATUS_NOT_SUPPORTED;
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

    return own_call_always(ring, &c);
}
