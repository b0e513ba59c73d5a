/* SPDX-License-Identifier: MIT */
/*
 * callback.S - the witness at every return from the kernel.
 *
 * callback (registered as ProcessInstrumentationCallback)
 *   In     r10   where the thread would have gone on without us
 *          rax   the call's result, if this is the return of a call
 *          rsp   any alignment; at a plain return it points to the stub's
 *                return address, else to what the kernel put on the stack
 *          every other register may matter (NtSetContextThread)
 *   Out    goes on at r10
 *   Keeps  every register but r10, all flags, the whole vector state
 *   Loses  r10 holds the address it always would
 *   Fails  never; what cannot be written is counted
 *
 *          rsp             the thread's                       <- S
 *          rsp- 8          free
 *          rsp-10h         r11
 *          rsp-18h         rdx
 *          rsp-20h         rcx
 *          rsp-28h         SF ZF AF PF CF in ah, OF in al
 *          rsp-30h         rax
 *
 * The arithmetic flags are kept with lahf/seto and add/sahf, five times
 * cheaper than pushfq/popfq; nothing here changes the others.
 *
 * The fast path writes one RETURN record when the newest open call explains
 * the return, or when it lands in a range where no explanation is asked for
 * (--no-patch); a return of a call that is filtered out is forgotten. One that
 * may tell that a pending call is over is as others while none is pending. All
 * else goes to agent_return in witness.c.
 */
#include "agent/amd64/ahead.inc"
#include "agent/amd64/frame.inc"
#include "wire/image.h"
#include "wire/record.h"
#include "wire/ring.h"
#include "wire/section.h"

#define FRAME 0x30
#define F_RAX 0x00
#define F_FLAGS 0x08
#define F_RCX 0x10
#define F_RDX 0x18
#define F_R11 0x20

#define NOT_PLAIN \
    ROW_MAPS | ROW_CAPTURES | ROW_FILTERED | ROW_SETS_CALLBACK | ROW_TELLS
/* Who returns by way of C in any case, unless filtered. */
#define NEVER_PLAIN ROW_MAPS | ROW_CAPTURES | ROW_SETS_CALLBACK

    .macro  restore
    mov     F_FLAGS(%rsp), %rax
    add     $0x7f, %al                          /* OF back */
    sahf                                        /* the others back */
    mov     F_RAX(%rsp), %rax
    mov     F_RCX(%rsp), %rcx
    mov     F_RDX(%rsp), %rdx
    mov     F_R11(%rsp), %r11
    lea     FRAME(%rsp), %rsp
    .endm

    .text
    .balign 64
    .globl  callback
callback:
    lea     -FRAME(%rsp), %rsp
    mov     %rax, F_RAX(%rsp)
    mov     %rcx, F_RCX(%rsp)
    mov     %rdx, F_RDX(%rsp)
    mov     %r11, F_R11(%rsp)
    lahf
    seto    %al
    mov     %rax, F_FLAGS(%rsp)
    mov     %gs:TEB_RING, %r11
    test    %r11, %r11
    jz      .Lslow
    cmpq    $0, RING_INSIDE(%r11)
    jne     .Lslow
    lea     FRAME(%rsp), %rcx                   /* S */
    cmp     RING_OPEN_RSP(%r11), %rcx
    jne     .Lnot_newest
    mov     %r10, %rax
    sub     RING_OPEN_STUB(%r11), %rax
    sub     $0x14, %rax
    test    $~3, %rax                           /* stub+14h .. stub+17h */
    jnz     .Lnot_newest
    testl   $((NOT_PLAIN) << 8) | ROW_CHANGES | ROW_TAMPERS, RING_OPEN_ROW(%r11)
    jnz     .Lnot_plain
.Lplain:
    /* A record is under way: before we look where, or who is sent elsewhere from
     * here, and comes back, would write over what it has written meanwhile. */
    mov     %rcx, RING_INSIDE(%r11)
    mov     RING_LIMIT(%r11), %eax
    mov     RING_HEAD(%r11), %edx
    sub     %edx, %eax
    cmp     $RETURN_SIZE, %eax
    jb      .Lfull
    and     image_config+CONFIG_RING_MASK(%rip), %edx
    movq    $0, RING_OPEN_RSP(%r11)
    mov     %rcx, RING_DATA+RETURN_RSP(%r11,%rdx)
    mov     %gs:8, %rcx
    mov     %rcx, RING_DATA+RETURN_STACK_BASE(%r11,%rdx)
    lea     RING_DATA(%r11,%rdx), %rcx          /* the record */
    movl    $RETURN_SIZE, RECORD_SIZE(%rcx)
    movl    $RECORD_KIND_RETURN, RECORD_KIND(%rcx)
    mov     %r10, RETURN_RIP(%rcx)
    mov     F_RAX(%rsp), %rax
    mov     %rax, RETURN_RAX(%rcx)
    rdtsc
    shl     $32, %rdx
    or      %rdx, %rax
    mov     %rax, RECORD_TIME(%rcx)
    /* In this order, as in entry.S; pairs with the acquires of `inside` and
     * `head` in live/drain.c. */
    addl    $RETURN_SIZE, RING_HEAD(%r11)
    movq    $0, RING_INSIDE(%r11)
    lea     RETURN_SIZE(%rcx), %rax
    xor     %rax, %rcx
    test    $AHEAD, %ecx
    jnz     .Lahead
.Lleave:
    restore
    jmp     *%r10

.Lahead:
    fetch_ahead %rax
    jmp     .Lleave

.Lfull:
    movq    $0, RING_INSIDE(%r11)
    jmp     .Lslow

.Lnot_plain:
    testb   $ROW_CHANGES, RING_OPEN_ROW(%r11)
    jnz     .Lslow
    testb   $ROW_TELLS, RING_OPEN_ROW+1(%r11)
    jz      .Lnothing_pending
    mov     image_config+CONFIG_SECTION(%rip), %rax
    cmpq    $0, SECTION_PENDING_LIVE(%rax)
    jne     .Lslow
.Lnothing_pending:
    testb   $ROW_FILTERED, RING_OPEN_ROW+1(%r11)
    jnz     .Lfiltered
    testl   $((NEVER_PLAIN) << 8) | ROW_TAMPERS, RING_OPEN_ROW(%r11)
    jz      .Lplain
    jmp     .Lslow
.Lfiltered:
    movq    $0, RING_OPEN_RSP(%r11)
    jmp     .Lleave

.Lnot_newest:
    /* Ranges are empty unless --no-patch. */
    mov     image_config+CONFIG_SECTION(%rip), %rdx
    mov     %r10, %rax
    sub     SECTION_PLAIN+0(%rdx), %rax
    cmp     SECTION_PLAIN+8(%rdx), %rax
    jb      .Lplain
    mov     %r10, %rax
    sub     SECTION_PLAIN+16(%rdx), %rax
    cmp     SECTION_PLAIN+24(%rdx), %rax
    jb      .Lplain
.Lslow:
    restore

/*
 * callback_slow - the same contract, by way of agent_return (witness.c).
 * A return from a system call of our own goes straight on.
 *
 *          rsp+40h         the thread's                       <- S
 *          rsp             struct return_frame, see agent.h
 */
callback_slow:
    save_frame
    mov     %r10, %rax
    sub     image_config+CONFIG_BASE(%rip), %rax
    cmp     image_config+CONFIG_SIZE(%rip), %rax
    jb      .Lours
    call_c  agent_return, 0x40
.Lgo_on:
    restore_frame
    jmp     *%r10
.Lours:
    /* Looked at while no other thread runs (keeper.c). */
    mov     image_config+CONFIG_SECTION(%rip), %rax
    incl    SECTION_HEARD(%rax)
    restore_frame
    jmp     *%r10

/*
 * chained - `callback`, with the program's own callback behind it (chain.c): the
 * same contract, but that it goes on there, with R10 as it was. Returns of our own
 * calls go straight on, and those that are not for the program's.
 */
    .balign 64
    .globl  chained
chained:
    save_frame
    mov     %r10, %rax
    sub     image_config+CONFIG_BASE(%rip), %rax
    cmp     image_config+CONFIG_SIZE(%rip), %rax
    jb      .Lours
    call_c  agent_chained, 0x40
    test    %eax, %eax
    jz      .Lours
    restore_frame
    jmp     *image_head+IMAGE_TO_OWN+OWN_CHAIN(%rip)

/* Where `chained` goes when nobody is chained any more. */
    .balign 16
    .globl  straight
straight:
    jmp     *%r10

/*
 * handshake - the return callback of the handshake engine: the contract of
 * `callback`, by way of agent_handshake (handshake.c).
 */
    .balign 64
    .globl  handshake
handshake:
    save_frame
    mov     %r10, %rax
    sub     image_config+CONFIG_BASE(%rip), %rax
    cmp     image_config+CONFIG_SIZE(%rip), %rax
    jb      .Lours
    call_c  agent_handshake, 0x40
    jmp     .Lgo_on
