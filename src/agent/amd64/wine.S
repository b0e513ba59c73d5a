/* SPDX-License-Identifier: MIT */
/*
 * wine.S - for Wine only: what Windows answers to ThreadLastSystemCall.
 *
 * Wine's stubs call a dispatcher through a pointer at 7FFE1000h. Where the
 * tracer found that class 21 is not implemented, the agent puts the address
 * of wine_dispatch there, and the two words that Windows would tell about a
 * thread are kept in its TEB: first argument at 2E0h, number at 2E8h. (On
 * Windows 2E8h is in use, docs/facts.md T3; this code never runs there.)
 *
 * wine_dispatch
 *   In     eax   service number
 *          r10   first argument
 *          [rsp] return address into the stub
 *   Out    goes on in Wine's dispatcher
 *   Keeps  every register but r11, all flags
 *   Loses  r11, which a system call overwrites anyway
 */
#include "wire/image.h"

    .text
    .balign 16
    .globl  wine_dispatch
wine_dispatch:
    mov     %r10, %gs:0x2e0
    mov     %eax, %gs:0x2e8
    mov     image_config+CONFIG_OWN(%rip), %r11
    jmp     *OWN_WINE_DISPATCHER(%r11)
