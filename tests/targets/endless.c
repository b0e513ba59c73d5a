/* SPDX-License-Identifier: MIT */
/*
 * endless [CALLS [THREADS]] - makes calls as fast as it can, a fixed number
 * of them, and computes something from their results that is right only if
 * every one came back as it should. Without a tracer the default ends in
 * seconds. kill_tracer looks for its two lines.
 */
#include "target.h"

#define THREADS_MAX 64

static uint64_t calls;
static uint64_t sums[THREADS_MAX];

static uint64_t step(uint64_t sum, uint32_t status)
{
    return (sum ^ status) * 0x9e3779b97f4a7c15u + 1;
}

static DWORD WINAPI run(void *n)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < calls; i++) {
        sum = step(sum, (uint32_t)NtQueryVirtualMemory(
                            THIS_PROCESS, (void *)(uintptr_t)i, 0, mark_room,
                            MARK_LENGTH, NULL));
    }
    sums[(uintptr_t)n] = sum;
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t threads = number_arg(argc, argv, 2, 2), want = 0;
    HANDLE thread[THREADS_MAX];

    target_begin();
    calls = number_arg(argc, argv, 1, 5000000);
    if (threads > THREADS_MAX) {
        return 2;
    }
    printf("begun\n");
    tell_now();
    for (uint64_t i = 0; i < threads; i++) {
        thread[i] = start_thread(run, i, NULL);
    }
    for (uint64_t i = 0; i < calls; i++) {
        want = step(want, (uint32_t)STATUS_LENGTH);
    }
    for (uint64_t i = 0; i < threads; i++) {
        WaitForSingleObject(thread[i], INFINITE);
        CHECK(sums[i] == want);
    }
    printf("%s\n", target_bad == 0 ? "done, right" : "done, wrong");
    return target_end();
}
