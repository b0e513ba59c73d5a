/* SPDX-License-Identifier: MIT */
/*
 * nt_call.S - a system call of the agent's own.
 *
 * uint32_t nt_call(struct own_call *c)       see agent.h
 *   In     rcx   the call: stub, vector save area, six arguments
 *          rsp   16-byte aligned before the call, as the ABI says
 *   Out    eax   NTSTATUS
 *          c->stub   RCX as the call has left it
 *   Keeps  what the ABI keeps, and the vector and x87 state named by
 *          c->save_mask: the kernel clears XMM0-5, which the interrupted
 *          code may still need
 *   Loses  rcx rdx r8-r11, flags
 *   Fails  as the kernel says, in eax
 *
 * The save area is 64-byte aligned, zero before its first use.
 *
 *          rsp+30h         rbx, return address
 *          rsp+28h         a[5]
 *          rsp+20h         a[4]
 *          rsp             home space
 */
#include "agent/nt_call.h"

    .text
    .balign 16
    .globl  nt_call
nt_call:
    push    %rbx
    sub     $0x30, %rsp
    mov     %rcx, %rbx
    mov     NT_CALL_SAVE(%rbx), %r10
    mov     NT_CALL_MASK+0(%rbx), %eax
    mov     NT_CALL_MASK+4(%rbx), %edx
    xsave64 (%r10)
    mov     NT_CALL_ARGS+0x28(%rbx), %rax
    mov     %rax, 0x28(%rsp)
    mov     NT_CALL_ARGS+0x20(%rbx), %rax
    mov     %rax, 0x20(%rsp)
    mov     NT_CALL_ARGS+0x18(%rbx), %r9
    mov     NT_CALL_ARGS+0x10(%rbx), %r8
    mov     NT_CALL_ARGS+0x08(%rbx), %rdx
    mov     NT_CALL_ARGS+0x00(%rbx), %rcx
    call    *NT_CALL_STUB(%rbx)
    mov     %eax, %r8d
    mov     %rcx, NT_CALL_STUB(%rbx)
    mov     NT_CALL_SAVE(%rbx), %r10
    mov     NT_CALL_MASK+0(%rbx), %eax
    mov     NT_CALL_MASK+4(%rbx), %edx
    xrstor64 (%r10)
    mov     %r8d, %eax
    add     $0x30, %rsp
    pop     %rbx
    ret
