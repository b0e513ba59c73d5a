/* SPDX-License-Identifier: MIT */
/*
 * stack11 - an 11-argument call whose last argument is the last word of a
 * mapping, on a stack that the thread's own limits do not cover, and then on
 * the same stack with the limits set, as fibers have them.
 */
#include "target.h"

#define PAGE 0x1000
#define ARGS 11
#define ROUNDS 50

/* Calls function(args[0] ... args[10]) with the stack pointer placed so that
 * args[10] ends at `end`. */
NTSTATUS call_at_end(void *function, const uint64_t *args, void *end);

__asm__(".text\n"
        ".globl call_at_end\n"
        "call_at_end:\n\t"
        "pushq %rbx\n\t"
        "pushq %rsi\n\t"
        "movq %rsp, %rbx\n\t"
        "movq %rcx, %rax\n\t"
        "movq %rdx, %rsi\n\t"
        "leaq -0x58(%r8), %rsp\n\t"
        "movl $4, %ecx\n"
        "1:\n\t"
        "movq (%rsi,%rcx,8), %rdx\n\t"
        "movq %rdx, (%rsp,%rcx,8)\n\t"
        "incl %ecx\n\t"
        "cmpl $11, %ecx\n\t"
        "jne 1b\n\t"
        "movq (%rsi), %rcx\n\t"
        "movq 8(%rsi), %rdx\n\t"
        "movq 16(%rsi), %r8\n\t"
        "movq 24(%rsi), %r9\n\t"
        "call *%rax\n\t"
        "movq %rbx, %rsp\n\t"
        "popq %rsi\n\t"
        "popq %rbx\n\t"
        "ret\n");

static uint64_t room[64];

static NTSTATUS call(uint64_t n, void *end)
{
    uint64_t args[ARGS] = {
        0xbad0,           // file: no such handle
        0,                // event
        0,                // APC routine
        n,                // APC context: a number of ours
        (uintptr_t)room,  // status block
        (uintptr_t)(room + 8),
        0x100,  // information, length
        1,      // FileDirectoryInformation
        1,      // single entry
        0,      // name
        1,      // restart
    };

    return call_at_end((void *)(uintptr_t)NtQueryDirectoryFile, args, end);
}

int main(void)
{
    DWORD tid = GetCurrentThreadId(), old;
    NT_TIB *tib = (NT_TIB *)NtCurrentTeb();
    char *base =
        VirtualAlloc(NULL, 16 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    char *end = base + 15 * PAGE;
    uint64_t right = 0;

    target_begin();
    VirtualProtect(end, PAGE, PAGE_NOACCESS, &old);
    for (uint64_t i = 0; i < 2 * ROUNDS; i++) {
        void *stack_base = tib->StackBase, *stack_limit = tib->StackLimit;

        if (i >= ROUNDS) {
            tib->StackBase = end;
            tib->StackLimit = base;
        }
        right += call(0x5100 + i, end) == STATUS_BAD_HANDLE;
        tib->StackBase = stack_base;
        tib->StackLimit = stack_limit;
    }
    CHECK(right == 2 * ROUNDS);
    expect("COUNTER", tid,
           "0x5100 %d NtQueryDirectoryFile(0xbad0, 0, 0, @, 0x%llx, 0x%llx,"
           " 0x100, 1, 1, 0, 1) = 0xc0000008 STATUS_INVALID_HANDLE",
           2 * ROUNDS, u64_of(room), u64_of(room + 8));
    return target_end();
}
