/* SPDX-License-Identifier: MIT */
/*
 * agent_property.S - the machine under the property test: loads a whole CPU
 * state, sends it through agent code, and catches what comes out.
 *
 * Everything is reached relative to the code, so that no register is needed
 * to load or store the others. `mov`, `lea` and `jmp` change no flag.
 */
#include "agent_property.h"

/* --- data --- */

    .data
    .balign 64
    .globl  prop_in, prop_out, prop_in_vectors, prop_had_vectors
    .globl  prop_out_vectors, prop_mask, prop_kernel_keeps
    .globl  prop_kernel_callback, prop_kernel_return, prop_garbage
    .globl  prop_garbage_vectors
prop_in:
    .skip   0x90
    .balign 64
prop_out:
    .skip   0x90
    .balign 64
prop_mask:
    .quad   3
prop_kernel_keeps:
    .quad   0
prop_kernel_callback:
    .quad   0
prop_kernel_return:
    .quad   0
prop_garbage:
    .quad   0
own_rsp:
    .quad   0
own_mxcsr:
    .quad   0x1f80
kernel_args:                                    /* struct kernel_call */
    .skip   0x30
kernel_rsi:
    .quad   0
kernel_rdi:
    .quad   0
kernel_flags:
    .quad   0
kernel_status:
    .quad   0
    .balign 64
    .skip   0x100                               /* a stack for two words */
scratch:
    .skip   0x40

    .bss
    .balign 64
prop_in_vectors:
    .skip   VECTOR_ROOM
prop_had_vectors:
    .skip   VECTOR_ROOM
prop_out_vectors:
    .skip   VECTOR_ROOM
prop_garbage_vectors:
    .skip   VECTOR_ROOM
kernel_vectors:
    .skip   VECTOR_ROOM

/* --- in --- */

    .macro  xstate instruction, area, mask
    mov     \mask+0(%rip), %eax
    mov     \mask+4(%rip), %edx
    \instruction \area(%rip)
    .endm

    /* What C expects, whatever was loaded before. */
    .macro  calm
    fninit
    ldmxcsr own_mxcsr(%rip)
    .endm

    .text
    .balign 16
    .globl  prop_run
prop_run:
    push    %rbx
    push    %rbp
    push    %r12
    push    %r13
    push    %r14
    push    %r15
    mov     %rsp, own_rsp(%rip)
    xstate  xrstor64, prop_in_vectors, prop_mask
    xstate  xsave64, prop_had_vectors, prop_mask
    lea     prop_in+M_FLAGS(%rip), %rsp
    popfq
    mov     prop_in+M_RAX(%rip), %rax
    mov     prop_in+M_RCX(%rip), %rcx
    mov     prop_in+M_RDX(%rip), %rdx
    mov     prop_in+M_RBX(%rip), %rbx
    mov     prop_in+M_RBP(%rip), %rbp
    mov     prop_in+M_RSI(%rip), %rsi
    mov     prop_in+M_RDI(%rip), %rdi
    mov     prop_in+M_R8(%rip), %r8
    mov     prop_in+M_R9(%rip), %r9
    mov     prop_in+M_R10(%rip), %r10
    mov     prop_in+M_R11(%rip), %r11
    mov     prop_in+M_R12(%rip), %r12
    mov     prop_in+M_R13(%rip), %r13
    mov     prop_in+M_R14(%rip), %r14
    mov     prop_in+M_R15(%rip), %r15
    mov     prop_in+M_RSP(%rip), %rsp
    jmp     *prop_in+M_RIP(%rip)

/* --- out --- */

    .macro  place name, number
\name:
    movq    $\number, prop_out+M_RIP(%rip)
    jmp     came_out
    .endm

    place   at_return, AT_RETURN
    place   at_syscall, AT_SYSCALL
    place   at_door0, AT_DOOR+0
    place   at_door1, AT_DOOR+1
    place   at_door2, AT_DOOR+2
    place   at_door3, AT_DOOR+3
    place   at_door4, AT_DOOR+4
    place   at_resume, AT_RESUME
    place   at_wine, AT_WINE
    place   at_elsewhere, AT_ELSEWHERE

came_out:
    mov     %rax, prop_out+M_RAX(%rip)
    mov     %rcx, prop_out+M_RCX(%rip)
    mov     %rdx, prop_out+M_RDX(%rip)
    mov     %rbx, prop_out+M_RBX(%rip)
    mov     %rsp, prop_out+M_RSP(%rip)
    mov     %rbp, prop_out+M_RBP(%rip)
    mov     %rsi, prop_out+M_RSI(%rip)
    mov     %rdi, prop_out+M_RDI(%rip)
    mov     %r8, prop_out+M_R8(%rip)
    mov     %r9, prop_out+M_R9(%rip)
    mov     %r10, prop_out+M_R10(%rip)
    mov     %r11, prop_out+M_R11(%rip)
    mov     %r12, prop_out+M_R12(%rip)
    mov     %r13, prop_out+M_R13(%rip)
    mov     %r14, prop_out+M_R14(%rip)
    mov     %r15, prop_out+M_R15(%rip)
    lea     scratch(%rip), %rsp
    pushfq
    pop     prop_out+M_FLAGS(%rip)
    push    $2
    popfq
    xstate  xsave64, prop_out_vectors, prop_mask
    calm
    mov     own_rsp(%rip), %rsp
    pop     %r15
    pop     %r14
    pop     %r13
    pop     %r12
    pop     %rbp
    pop     %rbx
    ret

/* --- the fake kernel --- */

    .globl  prop_kernel_entry
prop_kernel_entry:
    mov     %rax, kernel_args+0x00(%rip)
    mov     %rcx, kernel_args+0x08(%rip)
    mov     %rdx, kernel_args+0x10(%rip)
    mov     %r8, kernel_args+0x18(%rip)
    mov     %r9, kernel_args+0x20(%rip)
    mov     %rsp, kernel_args+0x28(%rip)
    mov     %rsi, kernel_rsi(%rip)
    mov     %rdi, kernel_rdi(%rip)
    lea     scratch(%rip), %rsp
    pushfq
    pop     kernel_flags(%rip)
    push    $2
    popfq
    /* Called a hundred million times, and each of these is dear: as little as
     * can be. The C behind it uses no x87. */
    cmpq    $0, prop_kernel_keeps(%rip)
    je      1f
    xstate  xsave64, kernel_vectors, prop_kernel_keeps
1:
    ldmxcsr own_mxcsr(%rip)
    mov     own_rsp(%rip), %rsp
    and     $-64, %rsp
    lea     kernel_args(%rip), %rdi
    call    prop_kernel
    mov     %eax, kernel_status(%rip)
    xstate  xrstor64, prop_garbage_vectors, prop_mask
    cmpq    $0, prop_kernel_keeps(%rip)
    je      1f
    xstate  xrstor64, kernel_vectors, prop_kernel_keeps
1:
    lea     kernel_flags(%rip), %rsp
    popfq
    mov     kernel_args+0x28(%rip), %rsp
    mov     kernel_rsi(%rip), %rsi
    mov     kernel_rdi(%rip), %rdi
    mov     kernel_args+0x00(%rip), %r11
    /* Flags are kept from here on: no arithmetic but lea. */
    lea     (,%r11,8), %r11
    lea     (,%r11,4), %r11
    mov     prop_kernel_return(%rip), %r10
    lea     (%r10,%r11), %r10
    mov     prop_garbage(%rip), %rdx
    mov     %rdx, %r8
    mov     %rdx, %r9
    mov     %rdx, %r11
    mov     kernel_status(%rip), %rax
    mov     prop_kernel_callback(%rip), %rcx
    jrcxz   1f
    jmp     *%rcx
1:
    mov     %rdx, %rcx
    jmp     *%r10

    .section .data.rel.ro, "aw"
    .balign 8
    .globl  prop_places
prop_places:
    .quad   0
    .quad   at_return
    .quad   at_syscall
    .quad   at_door0
    .quad   at_door1
    .quad   at_door2
    .quad   at_door3
    .quad   at_door4
    .quad   at_resume
    .quad   at_wine
    .quad   at_elsewhere

    .section .note.GNU-stack, "", @progbits
