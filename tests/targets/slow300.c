/* SPDX-License-Identifier: MIT */
/*
 * slow300 [CALLS] - makes one call every 300 ms and tells at the end, when it
 * no longer matters, what the processor's clock said after each. latency
 * reads that.
 */
#include "target.h"

#define CALLS_MAX 1000

int main(int argc, char **argv)
{
    static unsigned long long when[CALLS_MAX];
    uint64_t calls = number_arg(argc, argv, 1, 10);
    LARGE_INTEGER delay = { .QuadPart = -300 * 10000ll };
    DWORD tid = GetCurrentThreadId();

    target_begin();
    if (calls > CALLS_MAX) {
        return 2;
    }
    for (uint64_t i = 0; i < calls; i++) {
        NtDelayExecution(FALSE, &delay);
        CHECK(mark(0x510000 + i));
        when[i] = __builtin_ia32_rdtsc();
    }
    NtDelayExecution(FALSE, &delay);
    for (uint64_t i = 0; i < calls; i++) {
        printf("CALL 0x%llx %llu\n", 0x510000ull + i, when[i]);
    }
    expect_counter(tid, 0x510000, calls);
    return target_end();
}
