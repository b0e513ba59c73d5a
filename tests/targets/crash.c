/* SPDX-License-Identifier: MIT */
/*
 * crash - ends by an access violation that nobody handles; exit status
 * 0xc0000005. What came before it is in the trace.
 */
#include "target.h"

int main(void)
{
    DWORD tid = GetCurrentThreadId();

    target_begin();
    printf("about to crash\n");
    expect_counter(tid, 0xc4a50, 1000);
    expect("SEQ", tid, "--- EXCEPTION STATUS_ACCESS_VIOLATION {*} ---");
    expect_last("+++ killed by STATUS_ACCESS_VIOLATION +++");
    expect_status(0xc0000005);
    tell_now();
    for (uint64_t i = 0; i < 1000; i++) {
        mark(0xc4a50 + i);
    }
    *(volatile char *)(uintptr_t)0x10 = 1;
    return 1;
}
