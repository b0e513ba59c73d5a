/* SPDX-License-Identifier: MIT */
/*
 * agent_image.S - the finished agent image, as bytes of ours. The build links
 * it first and says where it lies (AGENT_IMAGE), and what the system calls a
 * section that is only read (READ_ONLY).
 */
    READ_ONLY
    .balign 64
    .globl  agent_image
agent_image:
    .incbin AGENT_IMAGE
    .globl  agent_image_end
agent_image_end:
    .byte   0
