/* SPDX-License-Identifier: MIT */
/*
 * entry.S - the witness at the door: a system call function is being entered.
 *
 * In each patched stub a jump to its thunk stands in the place of its second
 * instruction, and each thunk is (make_thunk in live/patch.c):
 *
 *     lea  stub(%rip), %r10
 *     mov  $number, %eax
 *     call entry
 *     test %r10, %r10
 *     jz   1f                      the call is not to be made
 *     mov  %rcx, %r10              what the stub's first eight bytes do
 *     mov  $number, %eax
 *     jmp  stub+8
 *  1: ret
 *
 * entry
 *   In     r10   first byte of the stub
 *          eax   service number, below SERVICE_COUNT
 *          rcx rdx r8 r9   the call's first four arguments
 *          rsp   any alignment, see the picture
 *   Out    r10   0: the thunk returns to the call's caller, and rax is the
 *                result (agent/tamper.c); else anything
 *   Keeps  every register but those below; DF and the other system flags
 *   Loses  rax r10 r11, arithmetic flags: all dead at a stub's first byte
 *   Fails  never; what cannot be written is counted
 *
 *          rsp+30h..       stack arguments, from the fifth on
 *          rsp+ 8          return address of the call        <- S
 *          rsp             return address into the thunk
 *          rsp- 8          rdx
 *          rsp-10h         rcx
 *
 * The fast path writes one ENTRY record (wire/record.h) and makes the call
 * the ring's newest open one; for a call that is filtered out it does the
 * latter alone. All that is not plain goes to agent_entry in witness.c: no ring
 * yet, agent at work below, another call still open, no room, stack arguments
 * on a page that nobody vouched for, a rendezvous, a capture program, rules that
 * may change the call. One with ROW_FILTERED counts only while calls are pending.
 *
 * Stack arguments are read without asking only from the page that S is on
 * (the call has just written there) or from the part of the thread's own
 * stack that agent_entry found readable, as long as gs:[8] names that stack.
 */
#include "agent/amd64/ahead.inc"
#include "agent/amd64/frame.inc"
#include "wire/image.h"
#include "wire/record.h"
#include "wire/ring.h"
#include "wire/section.h"

#define SAVED 0x10 /* rdx and rcx */
#define S (SAVED + 8)
#define STACK_ARGS 0x28 /* from S, as for every function of the Windows ABI */

#define NOT_PLAIN \
    ROW_SLOW_ENTRY | ROW_MAPS | ROW_ENDS_ITSELF | ROW_CAPTURES | \
    ROW_FILTERED | ROW_SETS_CALLBACK
/* Who is filtered, but for these. */
#define NOT_FILTERED \
    ROW_SLOW_ENTRY | ROW_MAPS | ROW_ENDS_ITSELF | ROW_SETS_CALLBACK

    .text
    .balign 64
    .globl  entry
entry:
    mov     %gs:TEB_RING, %r11
    test    %r11, %r11
    jz      entry_slow
    cmpq    $0, RING_INSIDE(%r11)
    jne     entry_slow
    cmpq    $0, RING_OPEN_RSP(%r11)
    jne     entry_slow
    push    %rdx
    push    %rcx
    mov     image_config+CONFIG_SECTION(%rip), %rcx
    mov     SECTION_ROWS(%rcx,%rax,8), %rcx     /* struct call_row */
    test    $((NOT_PLAIN) << 8) | ROW_CHANGES | ROW_TAMPERS, %ecx
    jnz     .Lnot_plain

    /* Is there something on the stack, and may we read it? */
    movzbl  %cl, %edx
    test    %edx, %edx
    jnz     .Lmay_read
.Lreadable:
    /* Is there room? edx: how much; r11 stays the ring. */
    lea     ENTRY_SIZE(,%rdx,8), %edx           /* the record's size */
    lea     S(%rsp), %rax
    mov     %rax, RING_INSIDE(%r11)             /* a record is under way */
    mov     RING_LIMIT(%r11), %eax
    sub     RING_HEAD(%r11), %eax
    cmp     %edx, %eax
    jb      .Lfull

    lea     S(%rsp), %rax
    mov     %rax, RING_OPEN_RSP(%r11)
    mov     %r10, RING_OPEN_STUB(%r11)
    mov     %rcx, RING_OPEN_ROW(%r11)
    mov     RING_HEAD(%r11), %r10d
    and     image_config+CONFIG_RING_MASK(%rip), %r10d
    lea     RING_DATA(%r11,%r10), %r10          /* the record */
    mov     %edx, RECORD_SIZE(%r10)
    mov     %rax, ENTRY_RSP(%r10)
    mov     (%rax), %rdx
    mov     %rdx, ENTRY_CALLER(%r10)
    mov     %gs:8, %rdx
    mov     %rdx, ENTRY_STACK_BASE(%r10)
    mov     %rdx, RING_OPEN_STACK_BASE(%r11)
    mov     0(%rsp), %rdx
    mov     %rdx, ENTRY_ARGS+0(%r10)
    mov     8(%rsp), %rdx
    mov     %rdx, ENTRY_ARGS+8(%r10)
    mov     %r8, ENTRY_ARGS+16(%r10)
    mov     %r9, ENTRY_ARGS+24(%r10)
    /* kind, flags (how many more), number: one word out of the row. */
    movzbl  %cl, %edx
    and     $0xffff0000, %ecx
    test    %edx, %edx
    jnz     .Lcopy
.Lcopied:
    lea     ENTRY_SIZE(,%rdx,8), %eax           /* the size, kept by us: */
    shl     $8, %edx
    lea     RECORD_KIND_ENTRY(%rcx,%rdx), %ecx
    mov     %ecx, RECORD_KIND(%r10)
    mov     %eax, %ecx                          /* the ring is anybody's */
    rdtsc
    shl     $32, %rdx
    or      %rdx, %rax
    mov     %rax, RECORD_TIME(%r10)
    /* Stores are seen in order: first the record, then that it is there
     * (pairs with the acquire of `head` in live/drain.c), then that
     * nothing is under way. */
    add     %ecx, RING_HEAD(%r11)
    movq    $0, RING_INSIDE(%r11)
    add     %r10, %rcx
    xor     %rcx, %r10
    test    $AHEAD, %r10d
    jnz     .Lahead
.Lleave:
    pop     %rcx
    pop     %rdx
    ret

.Lahead:
    fetch_ahead %rcx
    jmp     .Lleave

.Lfull:
    movq    $0, RING_INSIDE(%r11)
    jmp     .Lslow_number

.Lcopy:
    push    %rdx
.Lnext:
    mov     STACK_ARGS-8(%rax,%rdx,8), %r8
    mov     %r8, ENTRY_MORE-8(%r10,%rdx,8)
    dec     %edx
    jnz     .Lnext
    mov     ENTRY_ARGS+16(%r10), %r8
    pop     %rdx
    jmp     .Lcopied

.Lmay_read:
    /* The page of S holds them all: the offset of their end in it is not
     * beyond its end. */
    lea     S(%rsp), %rax
    and     $0xfff, %eax
    lea     STACK_ARGS(%rax,%rdx,8), %eax
    cmp     $0x1000, %eax
    jbe     .Lreadable
    mov     %gs:8, %rax
    cmp     RING_STACK_HIGH(%r11), %rax
    jne     .Lslow_number
    lea     S(%rsp), %rax
    cmp     RING_STACK_LOW(%r11), %rax
    jb      .Lslow_number
    lea     STACK_ARGS(%rax,%rdx,8), %rax
    cmp     RING_STACK_HIGH(%r11), %rax
    jbe     .Lreadable
    jmp     .Lslow_number

.Lnot_plain:
    mov     %ecx, %edx
    and     $((NOT_FILTERED) | ROW_FILTERED) << 8 | ROW_CHANGES, %edx
    cmp     $ROW_FILTERED << 8, %edx
    jne     .Lslow
    test    $ROW_CAPTURES << 8, %ecx
    jz      .Lfiltered
    mov     image_config+CONFIG_SECTION(%rip), %rdx
    cmpq    $0, SECTION_PENDING_LIVE(%rdx)
    jne     .Lslow
.Lfiltered:
    lea     S(%rsp), %rax
    mov     %rax, RING_INSIDE(%r11)             /* as if a record were */
    mov     %r10, RING_OPEN_STUB(%r11)
    mov     %rcx, RING_OPEN_ROW(%r11)
    mov     %gs:8, %rdx
    mov     %rdx, RING_OPEN_STACK_BASE(%r11)
    mov     %rax, RING_OPEN_RSP(%r11)
    movq    $0, RING_INSIDE(%r11)
    pop     %rcx
    pop     %rdx
    ret

.Lslow_number:
    mov     %ecx, %eax
    shr     $16, %eax                           /* the number, from the row */
.Lslow:
    pop     %rcx
    pop     %rdx

/*
 * entry_slow - the same contract, by way of agent_entry (witness.c).
 *
 *          rsp+40h         return address of the call        <- S
 *          rsp+38h         return address into the thunk
 *          rsp+30h         flags as entered, DF included
 *          rsp             struct entry_frame, see agent.h
 *
 * What C code keeps goes to struct ring_kept, unless the agent is at work below.
 */
entry_slow:
    mov     %gs:TEB_RING, %r11
    test    %r11, %r11
    jz      .Lnot_kept
    cmpq    $0, RING_INSIDE(%r11)
    jne     .Lnot_kept
    mov     %rsp, RING_KEPT+0x00(%r11)
    mov     %rbx, RING_KEPT+0x08(%r11)
    mov     %rbp, RING_KEPT+0x10(%r11)
    mov     %rsi, RING_KEPT+0x18(%r11)
    mov     %rdi, RING_KEPT+0x20(%r11)
    mov     %r12, RING_KEPT+0x28(%r11)
    mov     %r13, RING_KEPT+0x30(%r11)
    mov     %r14, RING_KEPT+0x38(%r11)
    mov     %r15, RING_KEPT+0x40(%r11)
.Lnot_kept:
    pushfq
    flags_for_c
    push    %r10
    push    %rax
    push    %r9
    push    %r8
    push    %rdx
    push    %rcx
    call_c  agent_entry, 0x40
    pop     %rcx
    pop     %rdx
    pop     %r8
    pop     %r9
    pop     %rax
    pop     %r10
    popfq
    ret
