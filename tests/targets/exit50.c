/* SPDX-License-Identifier: MIT */
/*
 * exit50 - ExitProcess(50) with 50 threads inside calls: 20 asleep, 20
 * waiting for an event, 10 making calls as fast as they can. What they were
 * in the middle of never returns.
 */
#include "target.h"

#define SLEEPERS 20
#define WAITERS 20
#define RUNNERS 10
#define THREADS (SLEEPERS + WAITERS + RUNNERS)

#define MARKS 10  // at least, of each runner
#define PATIENCE_MS 30000

static HANDLE never;
static uint64_t volatile made[RUNNERS];

static DWORD WINAPI run(void *n)
{
    LARGE_INTEGER day = { .QuadPart = -864000000000ll };

    if ((uintptr_t)n < SLEEPERS) {
        NtDelayExecution(FALSE, &day);
    } else if ((uintptr_t)n < SLEEPERS + WAITERS) {
        NtWaitForSingleObject(never, FALSE, NULL);
    } else {
        for (uint64_t i = 0;; i++) {
            mark(0x50000000 + i);
            made[(uintptr_t)n - SLEEPERS - WAITERS] = i + 1;
        }
    }
    return 0;
}

/* Is that thread within ntdll's function of that name? Then it is in the
 * call, or about to make it. */
static bool is_inside(HANDLE thread, const char *function)
{
    uintptr_t at =
        (uintptr_t)GetProcAddress(GetModuleHandleA("ntdll.dll"), function);
    CONTEXT c = { .ContextFlags = CONTEXT_CONTROL };
    bool inside;

    SuspendThread(thread);
    inside = GetThreadContext(thread, &c) && c.Rip > at && c.Rip < at + 0x20;
    ResumeThread(thread);
    return inside;
}

static bool is_busy(HANDLE thread, size_t i)
{
    return i < SLEEPERS             ? is_inside(thread, "NtDelayExecution")
           : i < SLEEPERS + WAITERS ? is_inside(thread, "NtWaitForSingleObject")
                                    : made[i - SLEEPERS - WAITERS] >= MARKS;
}

int main(void)
{
    DWORD tid[THREADS], until = GetTickCount() + PATIENCE_MS;
    HANDLE threads[THREADS];

    target_begin();
    never = CreateEventA(NULL, TRUE, FALSE, NULL);
    for (uint64_t i = 0; i < THREADS; i++) {
        threads[i] = start_thread(run, i, &tid[i]);
    }
    for (size_t i = 0; i < THREADS; i++) {
        while (!is_busy(threads[i], i)) {
            if ((LONG)(GetTickCount() - until) > 0) {
                fprintf(stderr, "thread %llu is not where it should be\n",
                        (unsigned long long)i);
                ExitProcess(99);
            }
            Sleep(1);
        }
    }
    for (size_t i = 0; i < THREADS; i++) {
        if (i < SLEEPERS) {
            expect("SEQ", tid[i], "NtDelayExecution(0, *) = ?");
        } else if (i < SLEEPERS + WAITERS) {
            expect("SEQ", tid[i], "NtWaitForSingleObject(0x%llx, 0, 0) = ?",
                   u64_of(never));
        } else {
            expect("COUNTER", tid[i], "0x50000000 %d+ %s", MARKS,
                   mark_text("@"));
        }
    }
    expect("SEQ", GetCurrentThreadId(), "NtTerminateProcess(0, 50) = 0");
    expect_last("+++ exited with 50 +++");
    expect_status(50);
    printf("%d threads\n", THREADS);
    tell_now();
    ExitProcess(50);
}
