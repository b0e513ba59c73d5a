/* SPDX-License-Identifier: MIT */
/*
 * probe_callback.S - the callback and the calls that doctor experiments with.
 */
#include "platform/probe.h"

/* Lowest address first as struct probe_regs. */
    .macro  push_all
    pushfq
    push    %rax
    push    %rcx
    push    %rdx
    push    %rbx
    push    %rsi
    push    %rdi
    push    %rbp
    push    %r8
    push    %r9
    push    %r10
    push    %r11
    push    %r12
    push    %r13
    push    %r14
    push    %r15
    .endm

    .text

/*
 * probe_entry
 *   In     r10   where the thread would have gone on
 *   Out    goes on there
 *   Keeps  every register, all flags, the vector state
 *   Fails  never; events beyond PROBE_EVENTS are counted only
 *
 *          rsp+80h         the thread's
 *          rsp             struct probe_regs
 */
    .balign 16
    .globl  probe_entry
probe_entry:
    push_all
    cld
    cmpl    $0, probe_armed(%rip)
    je      .Lout
    mov     probe_only_teb(%rip), %rax
    test    %rax, %rax
    jz      .Lany_thread
    cmp     %gs:0x30, %rax
    jne     .Lout
.Lany_thread:
    mov     probe_only_rip(%rip), %rax
    test    %rax, %rax
    jz      .Lany_place
    cmp     %rax, %r10
    jne     .Lout
.Lany_place:
    mov     $1, %eax
    lock xadd %eax, probe_count(%rip)
    cmp     $PROBE_EVENTS, %eax
    jae     .Lout
    imul    $PROBE_EVENT_SIZE, %rax, %rax
    lea     probe_events(%rip), %rdi
    add     %rax, %rdi
    mov     %rdi, %rbx
    mov     %rsp, %rsi
    mov     $16, %ecx
    rep movsq
    lea     0x80(%rsp), %rsi                    /* S */
    mov     %rsi, PROBE_EVENT_RSP(%rbx)
    mov     %gs:0x30, %rax
    mov     %rax, PROBE_EVENT_TEB(%rbx)
    mov     %gs:0x2d0, %rax
    mov     %rax, PROBE_EVENT_WORDS+0(%rbx)
    mov     %gs:0x2d8, %rax
    mov     %rax, PROBE_EVENT_WORDS+8(%rbx)
    mov     %gs:0x2e0, %rax
    mov     %rax, PROBE_EVENT_WORDS+16(%rbx)
    movups  %xmm0, PROBE_EVENT_XMM+0x00(%rbx)
    movups  %xmm1, PROBE_EVENT_XMM+0x10(%rbx)
    movups  %xmm2, PROBE_EVENT_XMM+0x20(%rbx)
    movups  %xmm3, PROBE_EVENT_XMM+0x30(%rbx)
    movups  %xmm4, PROBE_EVENT_XMM+0x40(%rbx)
    movups  %xmm5, PROBE_EVENT_XMM+0x50(%rbx)
    xor     %ecx, %ecx
    mov     %gs:8, %rax
    sub     %rsi, %rax
    jbe     .Lno_stack
    shr     $3, %rax
    mov     $PROBE_STACK_WORDS, %ecx
    cmp     %rcx, %rax
    cmovb   %eax, %ecx
.Lno_stack:
    mov     %rcx, PROBE_EVENT_COUNT(%rbx)
    lea     PROBE_EVENT_STACK(%rbx), %rdi
    rep movsq
.Lout:
    pop     %r15
    pop     %r14
    pop     %r13
    pop     %r12
    pop     %r11
    pop     %r10
    pop     %r9
    pop     %r8
    pop     %rbp
    pop     %rdi
    pop     %rsi
    pop     %rbx
    pop     %rdx
    pop     %rcx
    pop     %rax
    popfq
    jmp     *%r10

/*
 * void probe_call(struct probe_call *c)                see platform/probe.h
 *   In     rcx   the call
 *   Keeps  what the ABI keeps
 *
 *          rsp+0e8h        eight registers, return address
 *          rsp+ 40h        XMM6-15
 *          rsp+ 30h        c
 *          rsp+ 20h        arguments 5 and 6
 *          rsp             home space
 */
    .balign 16
    .globl  probe_call
probe_call:
    push    %rbx
    push    %rbp
    push    %rsi
    push    %rdi
    push    %r12
    push    %r13
    push    %r14
    push    %r15
    sub     $0xe8, %rsp
    mov     %rcx, 0x30(%rsp)
    mov     %rcx, %r11
    movaps  %xmm6, 0x40(%rsp)
    movaps  %xmm7, 0x50(%rsp)
    movaps  %xmm8, 0x60(%rsp)
    movaps  %xmm9, 0x70(%rsp)
    movaps  %xmm10, 0x80(%rsp)
    movaps  %xmm11, 0x90(%rsp)
    movaps  %xmm12, 0xa0(%rsp)
    movaps  %xmm13, 0xb0(%rsp)
    movaps  %xmm14, 0xc0(%rsp)
    movaps  %xmm15, 0xd0(%rsp)
    lea     probe_pattern(%rip), %rax
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movups  \n*16(%rax), %xmm\n
    .endr
    mov     PROBE_CALL_MORE+0(%r11), %rax
    mov     %rax, 0x20(%rsp)
    mov     PROBE_CALL_MORE+8(%r11), %rax
    mov     %rax, 0x28(%rsp)
    lea     -8(%rsp), %rax
    mov     %rax, PROBE_CALL_RSP(%r11)
    movabs  $0x5a5a000000000100, %rbx
    lea     1(%rbx), %rbp
    lea     2(%rbx), %rsi
    lea     3(%rbx), %rdi
    lea     4(%rbx), %r12
    lea     5(%rbx), %r13
    lea     6(%rbx), %r14
    lea     7(%rbx), %r15
    mov     PROBE_CALL_FN(%r11), %rax
    mov     PROBE_CALL_A+0(%r11), %rcx
    mov     PROBE_CALL_A+8(%r11), %rdx
    mov     PROBE_CALL_A+16(%r11), %r8
    mov     PROBE_CALL_A+24(%r11), %r9
    pushq   PROBE_CALL_FLAGS(%r11)
    popfq
    call    *%rax
    push_all
    cld
    mov     0x80+0x30(%rsp), %rdx               /* c */
    lea     PROBE_CALL_AFTER(%rdx), %rdi
    mov     %rsp, %rsi
    mov     $16, %ecx
    rep movsq
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movups  %xmm\n, PROBE_CALL_XMM+\n*16(%rdx)
    .endr
    add     $0x80, %rsp
    movaps  0x40(%rsp), %xmm6
    movaps  0x50(%rsp), %xmm7
    movaps  0x60(%rsp), %xmm8
    movaps  0x70(%rsp), %xmm9
    movaps  0x80(%rsp), %xmm10
    movaps  0x90(%rsp), %xmm11
    movaps  0xa0(%rsp), %xmm12
    movaps  0xb0(%rsp), %xmm13
    movaps  0xc0(%rsp), %xmm14
    movaps  0xd0(%rsp), %xmm15
    add     $0xe8, %rsp
    pop     %r15
    pop     %r14
    pop     %r13
    pop     %r12
    pop     %rdi
    pop     %rsi
    pop     %rbp
    pop     %rbx
    ret

/*
 * uint64_t probe_fault(void) - reads at address 0. Whoever handles that goes
 * on at probe_fault_after.
 */
    .balign 16
    .globl  probe_fault, probe_fault_after
probe_fault:
    xor     %eax, %eax
    mov     (%rax), %rax
probe_fault_after:
    ret

/*
 * void probe_upper(uint64_t fn, uint64_t arg, const uint8_t before[32],
 *                  uint8_t after[2][32]) - calls fn(arg) with `before` in
 * YMM0 and YMM6.
 */
    .balign 16
    .globl  probe_upper
probe_upper:
    push    %rbx
    sub     $0x40, %rsp
    movaps  %xmm6, 0x20(%rsp)
    mov     %r9, %rbx
    mov     %rcx, %rax
    mov     %rdx, %rcx
    vmovups (%r8), %ymm0
    vmovups (%r8), %ymm6
    call    *%rax
    vmovups %ymm0, 0(%rbx)
    vmovups %ymm6, 32(%rbx)
    vzeroupper
    movaps  0x20(%rsp), %xmm6
    add     $0x40, %rsp
    pop     %rbx
    ret
