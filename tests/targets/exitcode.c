/* SPDX-License-Identifier: MIT */
/*
 * exitcode N - exits with all 32 bits of N.
 */
#include "target.h"

int main(int argc, char **argv)
{
    uint32_t code = (uint32_t)number_arg(argc, argv, 1, 0);
    DWORD tid = GetCurrentThreadId();
    char last[64];

    target_begin();
    printf("exits with 0x%08lx\n", (unsigned long)code);
    expect("SEQ", tid, "NtTerminateProcess(0, 0x%lx) = 0", (unsigned long)code);
    expect("SEQ", tid, "NtTerminateProcess(0xffffffffffffffff, 0x%lx) = ?",
           (unsigned long)code);
    /* From 0x80000000 on a status that has a name shows it. */
    snprintf(last, sizeof last, "+++ exited with 0x%lx%s +++",
             (unsigned long)code, code < 0x80000000 ? "" : "*");
    expect_last(last);
    expect_status(code);
    tell_now();
    ExitProcess(code);
}
