/* SPDX-License-Identifier: MIT */
/*
 * endless [CALLS [THREADS]] - makes calls as fast as it can, a fixed number
 * of them, and computes something from their results that is right only if
 * every one came back as it should. Without a tracer the default ends in
 * seconds. kill_tracer looks for its two lines.
 *
 * With the name of an event in ENDLESS_UNTIL it does not count until that is
 * set: at least AFTER calls of each thread come after it.
 */
#include "target.h"

#define THREADS_MAX 64
#define AFTER 500000
#define PATIENCE_MS 60000

static uint64_t calls;
static uint64_t sums[THREADS_MAX], made[THREADS_MAX];
static volatile LONG counts = 1;

static uint64_t step(uint64_t sum, uint32_t status)
{
    return (sum ^ status) * 0x9e3779b97f4a7c15u + 1;
}

static DWORD WINAPI run(void *n)
{
    uint64_t sum = 0, i = 0;

    for (uint64_t left = calls; left > 0; i++, left -= counts != 0) {
        sum = step(sum, (uint32_t)NtQueryVirtualMemory(
                            THIS_PROCESS, (void *)(uintptr_t)i, 0, mark_room,
                            MARK_LENGTH, NULL));
    }
    sums[(uintptr_t)n] = sum;
    made[(uintptr_t)n] = i;
    return 0;
}

static uint64_t sum_of(uint64_t count)
{
    uint64_t sum = 0;

    while (count-- > 0) {
        sum = step(sum, (uint32_t)STATUS_LENGTH);
    }
    return sum;
}

int main(int argc, char **argv)
{
    uint64_t threads = number_arg(argc, argv, 2, 2);
    const char *name = getenv("ENDLESS_UNTIL");
    HANDLE thread[THREADS_MAX], until = NULL;

    target_begin();
    if (name != NULL) {
        until = OpenEventA(SYNCHRONIZE, FALSE, name);
        CHECK(until != NULL);
    }
    calls = number_arg(argc, argv, 1, until != NULL ? AFTER : 5000000);
    if (threads > THREADS_MAX) {
        return 2;
    }
    counts = until == NULL;
    printf("begun\n");
    tell_now();
    for (uint64_t i = 0; i < threads; i++) {
        thread[i] = start_thread(run, i, NULL);
    }
    if (until != NULL) {
        CHECK(WaitForSingleObject(until, PATIENCE_MS) == WAIT_OBJECT_0);
        counts = 1;
    }
    for (uint64_t i = 0; i < threads; i++) {
        WaitForSingleObject(thread[i], INFINITE);
        CHECK(made[i] >= calls && sums[i] == sum_of(made[i]));
    }
    printf("%s\n", target_bad == 0 ? "done, right" : "done, wrong");
    return target_end();
}
