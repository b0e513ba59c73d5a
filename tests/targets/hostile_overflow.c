/* SPDX-License-Identifier: MIT */
/*
 * hostile_overflow - recursion with a system call at every depth until the
 * stack is full, recovered from by a vectored handler that sends the thread
 * back to where it began; with frames of different sizes, so that the end of
 * the stack is met everywhere, in a tracer's code too. Afterwards the thread
 * is traced as before. The call is one of those that take no time: one that
 * gives way to others takes as long as these like, 160,000 times.
 */
#include "target.h"

#include <malloc.h>

#define ROUNDS 60

NTSYSAPI ULONG NTAPI NtGetCurrentProcessorNumber(void);

static void *back[5];  // __builtin_setjmp
static DWORD here;
static volatile uint64_t depth;

static void jump_back(void)
{
    __builtin_longjmp(back, 1);
}

static LONG CALLBACK handler(EXCEPTION_POINTERS *e)
{
    if (e->ExceptionRecord->ExceptionCode != (DWORD)STATUS_STACK_OVERFLOW ||
        GetCurrentThreadId() != here) {
        return EXCEPTION_CONTINUE_SEARCH;
    }
    e->ContextRecord->Rip = (uintptr_t)jump_back;
    e->ContextRecord->Rsp = ((uintptr_t)back[2] & ~(uintptr_t)15) - 0x108;
    e->ContextRecord->EFlags &= ~0x400u;
    return EXCEPTION_CONTINUE_EXECUTION;
}

#pragma GCC diagnostic ignored "-Winfinite-recursion"
__attribute__((noinline)) static uint64_t deeper(size_t frame)
{
    volatile char *room = _alloca(frame);

    room[0] = 1;
    depth++;
    NtGetCurrentProcessorNumber();
    return deeper(frame) + (uint64_t)room[0];
}

__attribute__((noinline)) static void round_of(size_t frame)
{
    if (__builtin_setjmp(back) == 0) {
        deeper(frame);
    }
}

static DWORD WINAPI run(void *unused)
{
    (void)unused;
    here = GetCurrentThreadId();
    for (uint64_t i = 0; i < ROUNDS; i++) {
        depth = 0;
        round_of(32 + 16 * (size_t)i);
        CHECK(depth > 20);
        CHECK(_resetstkoflw() != 0);
        CHECK(mark(0x900 + i));
    }
    return ROUNDS;
}

int main(void)
{
    HANDLE thread;
    DWORD tid, rounds = 0;

    target_begin();
    AddVectoredExceptionHandler(1, handler);
    thread = CreateThread(NULL, 0x10000, run, NULL,
                          STACK_SIZE_PARAM_IS_A_RESERVATION, &tid);
    WaitForSingleObject(thread, INFINITE);
    GetExitCodeThread(thread, &rounds);
    CHECK(rounds == ROUNDS);
    expect_counter(tid, 0x900, ROUNDS);
    return target_end();
}
