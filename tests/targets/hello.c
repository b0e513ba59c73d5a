/* SPDX-License-Identifier: MIT */
/*
 * hello - the smallest target: one line, written by one call, and the end.
 */
#include "target.h"

int main(void)
{
    DWORD tid = GetCurrentThreadId();

    target_begin();
    printf("hello\n");
    expect("SEQ", tid, "NtWriteFile(*) = 0");
    return target_end();
}
