/* SPDX-License-Identifier: MIT */
/*
 * head.S - the first and the last bytes of the agent image.
 *
 * The linker script (agent.ld) puts .head first and .tail last. The tracer
 * finds everything through image_head (wire/image.h); what is zero here it
 * fills in before it writes the image into a target.
 */
#include "wire/image.h"

    .section .head, "a"
    .globl  image_head
image_head:
    .quad   IMAGE_MAGIC
    .long   image_end - image_head
    .long   image_config - image_head
    .long   image_stubs - image_head
    .long   entry - image_head
    .long   callback - image_head
    .long   handshake - image_head
    .long   start - image_head
    .long   start_late - image_head
    .long   wine_dispatch - image_head
    .long   agent_keeper - image_head
    .long   chained - image_head
    .long   straight - image_head
    /* image_head.layout follows: start.c has it, agent.ld puts it here. */

    .section .tail, "a"
    .balign 64
    .globl  image_config
image_config:
    .skip   CONFIG_BYTES
    .balign 64
    .globl  image_stubs
image_stubs:
    .skip   IMAGE_PRIVATE_COUNT * PRIVATE_STUB_SIZE
    .balign 64
    .globl  image_end
image_end:
