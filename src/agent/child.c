/* SPDX-License-Identifier: MIT */
/*
 * child.c - a call that makes a process: the new one stands still until the
 * tracer has got into it.
 *
 * NtCreateUserProcess is asked to leave the new thread suspended, whatever the
 * program wants; its word on the stack gets its old value back at the return,
 * where the thread waits for the tracer. Of those that are not followed only
 * clones are looked at: a copy of this process has our jumps, and not what they
 * lead to (docs/decisions/0028-children.md).
 *
 * Should the tracer end meanwhile, what was suspended by us goes on, and what
 * it was changing is ended: it has not run an instruction yet.
 *
 * Writes to the program's stack, where the call's own argument is, and only
 * where that is known to be writable. Fails by leaving the call as it is.
 */
#include "agent/agent.h"

#include "agent/teb.h"
#include "wire/making.h"

/* True unless the attributes at `list` name an image. What cannot be read is
 * the kernel's to refuse. */
static bool is_clone(struct ring *ring, uint64_t rsp, uint64_t list)
{
    struct known known = { 0 };
    uint64_t length = 0, count;

    if (list == 0) {
        return true;
    }
    if (!ring_copy(ring, rsp, &known, &length, list, sizeof(length))) {
        return false;
    }
    count = length / sizeof(struct attribute);
    for (uint64_t i = 0; i < count && i < ATTRIBUTES_MOST; i++) {
        uint64_t kind = 0;

        if (!ring_copy(ring, rsp, &known, &kind,
                       list + 8 + i * sizeof(struct attribute), sizeof(kind)) ||
            kind == IMAGE_NAME) {
            return false;
        }
    }
    return true;
}

/* True if the word of argument 7 of the call at `rsp` may be written to: it is
 * on the page that the call itself has just written to, or on the thread's
 * stack. */
static bool may_write(uint64_t rsp, uint64_t at)
{
    return at / PAGE_SIZE == rsp / PAGE_SIZE ||
           (at >= teb_stack_limit() && at + 8 <= teb_stack_base());
}

static volatile uint32_t *flags_at(uint64_t rsp)
{
    return (volatile uint32_t *)(rsp + 0x28 + (ARG_THREAD_FLAGS - 4) * 8);
}

static bool follows(void)
{
    return (section_here()->flags & SECTION_FOLLOW) != 0;
}

void child_entry(struct ring *ring, uint64_t rsp)
{
    struct ring_args *args = ring_args_at(ring, RING_ARGS_NEWEST);

    args->child = follows() ? CHILD_WAITS : 0;
    if (args->count != USER_PROCESS_ARGS) {
        return;
    }
    if (args->child == 0 && !capture_near_end(rsp) &&
        is_clone(ring, rsp, args->words[ARG_ATTRIBUTES])) {
        args->child = CHILD_WAITS;
    }
    if (args->child != 0 && (args->words[ARG_THREAD_FLAGS] & SUSPENDED) == 0 &&
        may_write(rsp, (uint64_t)flags_at(rsp))) {
        *flags_at(rsp) |= SUSPENDED;
        args->child |= CHILD_HELD;
    }
}

/* The handle that argument `i` says where it was put. */
static uint64_t handle_in(struct ring *ring, uint64_t rsp, int i)
{
    struct known known = { 0 };
    uint64_t handle = 0;

    return ring_copy(ring, rsp, &known, &handle,
                     ring_args_at(ring, RING_ARGS_TAKEN)->words[i],
                     sizeof(handle))
               ? handle
               : 0;
}

/* What the tracer would have to read in this process, which is dear for it and
 * cheap for us: it judges it as what it would have found. */
static void tell_made(struct ring *ring, uint64_t rsp,
                      const struct ring_args *args)
{
    bool named = args->count == USER_PROCESS_ARGS;
    bool clone;

    ring->made = 0;
    ring->made_process = 0;
    ring->made_thread = 0;
    if (capture_near_end(rsp)) {
        return;
    }
    ring->made_process = handle_in(ring, rsp, ARG_PROCESS);
    if (named) {
        ring->made_thread = handle_in(ring, rsp, ARG_THREAD);
    }
    clone = named ? is_clone(ring, rsp, args->words[ARG_ATTRIBUTES])
                  : args->words[ARG_SECTION] == 0;
    ring->made = clone ? RING_MADE_CLONE : RING_MADE_OTHER;
}

bool child_return(struct ring *ring, uint64_t rsp, uint64_t rax)
{
    struct ring_args *args = ring_args_at(ring, RING_ARGS_TAKEN);
    bool waits = (int32_t)rax >= 0 && args->child != 0;

    if ((args->child & CHILD_HELD) != 0) {
        *flags_at(rsp) &= ~SUSPENDED;
    }
    if (waits) {
        tell_made(ring, rsp, args);
    }
    return waits;
}

void child_abandoned(struct ring *ring, bool asked)
{
    struct own_call end = { .stub = PRIVATE_NtTerminateProcess, .a = { 0, 1 } };
    struct own_call resume = { .stub = PRIVATE_NtResumeThread, .a = { 0, 0 } };

    if (ring->chore == CHORE_CHILD) {
        /* What the tracer has read there; 0 would be ourselves. */
        end.a[0] = ring->chore_address;
        if (end.a[0] != 0) {
            own_call(ring, &end);
        }
    } else if (asked &&
               (ring_args_at(ring, RING_ARGS_TAKEN)->child & CHILD_HELD) != 0) {
        resume.a[0] = ring->made_thread;
        if (resume.a[0] != 0) {
            own_call(ring, &resume);
        }
    }
}
