/* SPDX-License-Identifier: MIT */
/*
 * late [THREADS [ROUNDS]] - threads that do nothing but system calls are
 * suspended wherever they are, 150 ms each time, while the first thread goes
 * on: those that stood between reading the clock and publishing bring records
 * that are late, for nobody waits longer than 100 ms for them. None may be
 * lost.
 */
#include "target.h"

#define THREADS_MAX 64
#define STOPPED_MS 150
/* As many calls as have to be seen of one between two rounds. */
#define CALLS 50

static LONG volatile over;
static uint64_t volatile calls[THREADS_MAX];

static DWORD WINAPI run(void *n)
{
    uint64_t first = ((uint64_t)(uintptr_t)n + 1) << 32;
    bool right = true;

    while (!over) {
        right = mark(first + calls[(uintptr_t)n]) && right;
        calls[(uintptr_t)n]++;
    }
    CHECK(right);
    return 0;
}

/* Until thread `i` has got on. */
static void let_run(uint64_t i)
{
    uint64_t want = calls[i] + CALLS;

    while (calls[i] < want) {
        Sleep(1);
    }
}

int main(int argc, char **argv)
{
    uint64_t threads = number_arg(argc, argv, 1, 16);
    uint64_t rounds = number_arg(argc, argv, 2, 8);
    HANDLE thread[THREADS_MAX];
    DWORD tid[THREADS_MAX];

    target_begin();
    if (threads > THREADS_MAX) {
        return 2;
    }
    for (uint64_t i = 0; i < threads; i++) {
        thread[i] = start_thread(run, i, &tid[i]);
    }
    for (uint64_t round = 0; round < rounds; round++) {
        let_run(round % threads);
        for (uint64_t i = 0; i < threads; i++) {
            CHECK(SuspendThread(thread[i]) == 0);
        }
        /* It is the time that matters: their records must be too old. */
        for (DWORD begin = GetTickCount();
             GetTickCount() - begin < STOPPED_MS;) {
            Sleep(10);
        }
        for (uint64_t i = 0; i < threads; i++) {
            CHECK(ResumeThread(thread[i]) == 1);
        }
    }
    InterlockedExchange(&over, 1);
    for (uint64_t i = 0; i < threads; i++) {
        WaitForSingleObject(thread[i], INFINITE);
        expect_counter(tid[i], (i + 1) << 32, calls[i]);
    }
    printf("%d threads\n", (int)threads);
    return target_end();
}
