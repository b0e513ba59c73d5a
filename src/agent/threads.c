/* SPDX-License-Identifier: MIT */
/*
 * threads.c - the threads of the program that we are in: one after another, by
 * our own calls, whose handles are ours to close. A ring of NULL: the caller is a
 * thread of ours and has none.
 */
#include "agent/agent.h"

/* THREAD_SUSPEND_RESUME | THREAD_QUERY_LIMITED_INFORMATION */
#define THREAD_RIGHTS 0x0802
#define THREAD_BASIC 0

/* THREAD_BASIC_INFORMATION of x64. */
struct thread_basic {
    uint64_t exit_status;
    uint64_t teb;
    uint64_t pid;
    uint64_t tid;
    uint64_t affinity;
    uint64_t priorities;
};

uint32_t thread_close(struct ring *ring, uint64_t handle)
{
    struct own_call c = { .stub = PRIVATE_NtClose, .a = { handle } };

    return own_call_always(ring, &c);
}

uint32_t thread_count(struct ring *ring, enum private_stub stub,
                      uint64_t thread)
{
    struct own_call c = { .stub = stub, .a = { thread, 0 } };

    return own_call_always(ring, &c);
}

uint64_t thread_next(struct ring *ring, uint64_t thread)
{
    uint64_t next = 0;
    struct own_call c = { .stub = PRIVATE_NtGetNextThread,
                          .a = { CURRENT_PROCESS, thread, THREAD_RIGHTS, 0, 0,
                                 (uint64_t)&next } };

    return (int32_t)own_call_always(ring, &c) >= 0 ? next : 0;
}

uint64_t thread_id(struct ring *ring, uint64_t thread)
{
    struct thread_basic basic;
    struct own_call c = { .stub = PRIVATE_NtQueryInformationThread,
                          .a = { thread, THREAD_BASIC, (uint64_t)&basic,
                                 sizeof(basic), 0 } };

    return (int32_t)own_call_always(ring, &c) >= 0 ? basic.tid : 0;
}

/* Its own function, so that who waits carries no frame for it. */
__attribute__((noinline)) void threads_wake_asked(struct ring *ring)
{
    uint32_t asked = atomic_exchange_explicit(&section_here()->asked, 0,
                                              memory_order_relaxed);
    uint64_t thread = 0, next;

    while (asked != 0 && (next = thread_next(ring, thread)) != 0) {
        if (thread != 0) {
            thread_close(ring, thread);
        }
        thread = next;
        if (thread_id(ring, thread) == asked) {
            thread_count(ring, PRIVATE_NtResumeThread, thread);
            asked = 0;
        }
    }
    if (thread != 0) {
        thread_close(ring, thread);
    }
}
