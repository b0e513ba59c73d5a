/* SPDX-License-Identifier: MIT */
/*
 * hostile_stale - an 11-argument call whose last arguments lie on a page that
 * was there at the last such call and has gone since: the system refuses or
 * fails the call, as without a tracer; nobody faults on the program's behalf.
 */
#include "target.h"

#define PAGE 0x1000
#define ROUNDS 20

/* function(0xbad0, 0, 0, n) with the stack pointer at `rsp`, as it is there:
 * stack arguments are whatever stands behind. */
NTSTATUS call_at(void *function, uint64_t n, void *rsp);

__asm__(".text\n"
        ".globl call_at\n"
        "call_at:\n\t"
        "pushq %rbx\n\t"
        "movq %rsp, %rbx\n\t"
        "movq %rcx, %rax\n\t"
        "movq %rdx, %r9\n\t"
        "movq %r8, %rsp\n\t"
        "movl $0xbad0, %ecx\n\t"
        "xorl %edx, %edx\n\t"
        "xorl %r8d, %r8d\n\t"
        "call *%rax\n\t"
        "movq %rbx, %rsp\n\t"
        "popq %rbx\n\t"
        "ret\n");

int main(void)
{
    DWORD tid = GetCurrentThreadId();
    char *base =
        VirtualAlloc(NULL, 4 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    NTSTATUS status;

    target_begin();
    for (uint64_t i = 0; i < ROUNDS; i++) {
        char *edge = base + 2 * PAGE;

        memset(base, 0, 4 * PAGE);
        /* Arguments 7 to 11 are behind the edge. */
        status = call_at((void *)(uintptr_t)NtQueryDirectoryFile, 0x5100 + i,
                         edge - 0x30);
        CHECK(status < 0);
        VirtualFree(edge, 2 * PAGE, MEM_DECOMMIT);
        status = call_at((void *)(uintptr_t)NtQueryDirectoryFile, 0x6100 + i,
                         edge - 0x30);
        CHECK(status < 0);
        VirtualAlloc(edge, 2 * PAGE, MEM_COMMIT, PAGE_READWRITE);
    }
    expect("COUNTER", tid, "0x5100 %d NtQueryDirectoryFile(0xbad0, 0, 0, @, *",
           ROUNDS);
    expect("COUNTER", tid, "0x6100 %d NtQueryDirectoryFile(0xbad0, 0, 0, @, *",
           ROUNDS);
    return target_end();
}
