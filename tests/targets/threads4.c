/* SPDX-License-Identifier: MIT */
/*
 * threads4 [THREADS [CALLS]] - 4 threads make 250,000 calls each, all at
 * once, with a counter as argument: every one is in the trace, in order.
 */
#include "target.h"

#define THREADS_MAX 64

static uint64_t calls;
static HANDLE go;

static uint64_t first_of(uint64_t thread)
{
    return (thread + 1) << 24;
}

static DWORD WINAPI run(void *n)
{
    uint64_t first = first_of((uintptr_t)n), right = 0;

    WaitForSingleObject(go, INFINITE);
    for (uint64_t i = 0; i < calls; i++) {
        right += mark(first + i);
    }
    CHECK(right == calls);
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t threads = number_arg(argc, argv, 1, 4);
    HANDLE thread[THREADS_MAX];
    DWORD tid[THREADS_MAX];

    target_begin();
    calls = number_arg(argc, argv, 2, 250000);
    if (threads > THREADS_MAX || calls >> 24 != 0) {
        return 2;
    }
    go = CreateEventA(NULL, TRUE, FALSE, NULL);
    for (uint64_t i = 0; i < threads; i++) {
        thread[i] = start_thread(run, i, &tid[i]);
    }
    SetEvent(go);
    for (uint64_t i = 0; i < threads; i++) {
        WaitForSingleObject(thread[i], INFINITE);
        expect_counter(tid[i], first_of(i), calls);
        expect_thread_end(tid[i], 0);
    }
    printf("%d threads, %d calls each\n", (int)threads, (int)calls);
    return target_end();
}
