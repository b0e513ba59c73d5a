/* SPDX-License-Identifier: MIT */
/*
 * dfmisaligned - calls made with the direction flag set and a stack pointer
 * that is no multiple of anything, as odd code may: same results, the flag
 * still set, the stack as it was.
 */
#include "target.h"

#define ROUNDS 1000

/* Calls mark's function with base n, `off` bytes away from any alignment and
 * DF set; *df tells whether it still was afterwards. */
NTSTATUS call_oddly(uint64_t n, void *room, uint64_t off, uint64_t *df);

__asm__(".text\n"
        ".globl call_oddly\n"
        "call_oddly:\n\t"
        "pushq %rbx\n\t"
        "pushq %rsi\n\t"
        "movq %rsp, %rbx\n\t"
        "movq %r9, %rsi\n\t"
        "subq $0x80, %rsp\n\t"
        "subq %r8, %rsp\n\t"
        "movq $3, 0x20(%rsp)\n\t"  // length
        "movq $0, 0x28(%rsp)\n\t"  // got
        "movq %rdx, %r9\n\t"       // info
        "movq %rcx, %rdx\n\t"      // base
        "xorl %r8d, %r8d\n\t"      // class
        "movq $-1, %rcx\n\t"       // process
        "std\n\t"
        "call NtQueryVirtualMemory\n\t"
        "pushfq\n\t"
        "popq %rcx\n\t"
        "cld\n\t"
        "shrq $10, %rcx\n\t"
        "andl $1, %ecx\n\t"
        "movq %rcx, (%rsi)\n\t"
        "movq %rbx, %rsp\n\t"
        "popq %rsi\n\t"
        "popq %rbx\n\t"
        "ret\n");

int main(void)
{
    DWORD tid = GetCurrentThreadId();
    uint64_t right = 0, still_set = 0;

    target_begin();
    for (uint64_t i = 0; i < ROUNDS; i++) {
        uint64_t df = 0;

        right += call_oddly(0xdf0000 + i, mark_room, i % 8 == 0 ? 3 : i % 8,
                            &df) == STATUS_LENGTH;
        still_set += df;
    }
    CHECK(right == ROUNDS);
    printf("direction flag kept: %d of %d\n", (int)still_set, ROUNDS);
    expect_counter(tid, 0xdf0000, ROUNDS);
    return target_end();
}
