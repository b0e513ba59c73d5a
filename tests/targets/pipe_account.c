/* SPDX-License-Identifier: MIT */
/*
 * pipe_account - makes calls for ever and tells on stdout, without any
 * buffer, how many are over: first its ids, then the count after every 64,
 * all as 8 bytes. It lives until it is killed (kill_target does) or the pipe
 * is gone; then its exit status is 3.
 */
#include "target.h"

static bool tell_word(uint64_t n)
{
    DWORD put;

    return WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), &n, sizeof n, &put,
                     NULL) &&
           put == sizeof n;
}

int main(void)
{
    uint64_t n = 0;

    tell_word(GetCurrentProcessId());
    tell_word(GetCurrentThreadId());
    tell_word((uintptr_t)mark_room);
    for (;;) {
        do {
            mark(0x10000000 + n);
            n++;
        } while (n % 64 != 0);
        if (!tell_word(n)) {
            ExitProcess(3);
        }
    }
}
