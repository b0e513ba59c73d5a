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

static HANDLE never, begun;
static LONG volatile here;

static DWORD WINAPI run(void *n)
{
    LARGE_INTEGER day = { .QuadPart = -864000000000ll };

    /* Two steps, so that all are inside their calls, or as good as. */
    if (InterlockedIncrement(&here) == THREADS) {
        SetEvent(begun);
    }
    if ((uintptr_t)n < SLEEPERS) {
        NtDelayExecution(FALSE, &day);
    } else if ((uintptr_t)n < SLEEPERS + WAITERS) {
        NtWaitForSingleObject(never, FALSE, NULL);
    } else {
        for (uint64_t i = 0;; i++) {
            mark(0x50000000 + i);
        }
    }
    return 0;
}

int main(void)
{
    DWORD tid[THREADS];

    target_begin();
    never = CreateEventA(NULL, TRUE, FALSE, NULL);
    begun = CreateEventA(NULL, TRUE, FALSE, NULL);
    for (uint64_t i = 0; i < THREADS; i++) {
        start_thread(run, i, &tid[i]);
    }
    WaitForSingleObject(begun, INFINITE);
    Sleep(100);
    for (size_t i = 0; i < THREADS; i++) {
        if (i < SLEEPERS) {
            expect("SEQ", tid[i], "NtDelayExecution(0, *) = ?");
        } else if (i < SLEEPERS + WAITERS) {
            expect("SEQ", tid[i], "NtWaitForSingleObject(0x%llx, 0, 0) = ?",
                   u64_of(never));
        } else {
            expect("COUNTER", tid[i], "0x50000000 10+ %s", mark_text("@"));
        }
    }
    expect("SEQ", GetCurrentThreadId(), "NtTerminateProcess(0, 50) = 0");
    expect_last("+++ exited with 50 +++");
    expect_status(50);
    printf("%d threads\n", THREADS);
    tell_now();
    ExitProcess(50);
}
