/* SPDX-License-Identifier: MIT */
/*
 * manythreads [THREADS] - many threads live at once (80: five times more
 * than a tracer prepared for at first), and none goes on before the last one
 * has begun. A tracer that lets a thread wait for another one's ring hangs.
 */
#include "target.h"

#define THREADS_MAX 4096
#define CALLS 100

static LONG volatile waiting;
static LONG threads;
static HANDLE all_here;

static DWORD WINAPI run(void *n)
{
    uint64_t first = ((uint64_t)(uintptr_t)n + 1) << 16;
    bool right = mark(first);

    if (InterlockedIncrement(&waiting) == threads) {
        SetEvent(all_here);
    }
    WaitForSingleObject(all_here, INFINITE);
    for (uint64_t i = 1; i < CALLS; i++) {
        right = mark(first + i) && right;
    }
    CHECK(right);
    return 0;
}

int main(int argc, char **argv)
{
    static HANDLE thread[THREADS_MAX];
    static DWORD tid[THREADS_MAX];

    target_begin();
    threads = (LONG)number_arg(argc, argv, 1, 80);
    if (threads < 1 || threads > THREADS_MAX) {
        return 2;
    }
    all_here = CreateEventA(NULL, TRUE, FALSE, NULL);
    for (LONG i = 0; i < threads; i++) {
        thread[i] = start_thread(run, (uint64_t)i, &tid[i]);
    }
    for (LONG i = 0; i < threads; i++) {
        WaitForSingleObject(thread[i], INFINITE);
        expect_counter(tid[i], ((uint64_t)i + 1) << 16, CALLS);
        expect_thread_end(tid[i], 0);
    }
    printf("%d threads\n", (int)threads);
    return target_end();
}
