/* SPDX-License-Identifier: MIT */
/*
 * start.S - the agent's first instructions in a new process.
 *
 * start (LdrInitializeThunk is bent here; ring engine)
 *   In     rcx   CONTEXT of the thread that is about to start
 *          every other register as the kernel left it
 *   Out    goes on at config.resume, LdrInitializeThunk, whose bytes
 *          agent_start has put back by then
 *   Keeps  every register but r10
 *
 * start_late (the initial thread's Rip; handshake engine)
 *   In     rcx rdx   what RtlUserThreadStart takes
 *   Out    goes on at config.resume, RtlUserThreadStart
 *   Keeps  every register but r10
 *
 *          rsp             the thread's                       <- S
 *          rsp-40h         struct return_frame, see agent.h; its r10 is the
 *                          address where this thread was meant to begin
 */
#include "agent/amd64/frame.inc"
#include "wire/image.h"

    .macro  begin routine
    save_frame
    mov     image_config+CONFIG_RESUME(%rip), %rax
    mov     %rax, 8(%rsp)                       /* return_frame.rip */
    call_c  \routine, 0x40
    restore_frame
    jmp     *image_config+CONFIG_RESUME(%rip)
    .endm

    .text
    .balign 16
    .globl  start
start:
    begin   agent_start

    .balign 16
    .globl  start_late
start_late:
    begin   agent_start_late
