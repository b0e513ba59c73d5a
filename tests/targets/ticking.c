/* SPDX-License-Identifier: MIT */
/*
 * ticking [BURST [MS]] - makes calls until its standard input ends: BURST of
 * them in two threads each, then MS milliseconds of rest. Tells that it has begun; for
 * each byte that it reads, how many calls there were so far; and in the end if
 * all of them were right. tests/check-replay ends its tracer meanwhile.
 */
#include "target.h"

#define THREADS 2

static LONG volatile over;
static LONG64 volatile calls;
static uint64_t burst;
static DWORD rest_ms;

static DWORD WINAPI run(void *n)
{
    uint64_t first = ((uint64_t)(uintptr_t)n + 1) << 32;
    bool right = true;

    for (uint64_t i = 0; !over; i++) {
        right = mark(first + i) && right;
        InterlockedIncrement64(&calls);
        if (i % burst == 0) {
            Sleep(rest_ms);
        }
    }
    CHECK(right);
    return 0;
}

int main(int argc, char **argv)
{
    HANDLE thread[THREADS], in = GetStdHandle(STD_INPUT_HANDLE);
    DWORD got;
    char byte;

    target_begin();
    burst = number_arg(argc, argv, 1, 10);
    rest_ms = (DWORD)number_arg(argc, argv, 2, 1);
    if (burst == 0) {
        return 2;
    }
    printf("begun\n");
    tell_now();
    for (uint64_t i = 0; i < THREADS; i++) {
        thread[i] = start_thread(run, i, NULL);
    }
    while (ReadFile(in, &byte, 1, &got, NULL) && got == 1) {
        printf("calls %lld\n", (long long)calls);
        tell_now();
    }
    InterlockedExchange(&over, 1);
    WaitForMultipleObjects(THREADS, thread, TRUE, INFINITE);
    printf("%s\n", target_bad == 0 ? "done, right" : "done, wrong");
    tell_now();
    return target_bad != 0;
}
