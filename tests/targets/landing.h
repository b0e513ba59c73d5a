/* SPDX-License-Identifier: MIT */
/*
 * landing.h - for cont and setcontext: jump into a context in which every
 * register has a value of ours, and see which of them arrive.
 *
 * One thread at a time; included by one file of a program.
 */
#ifndef LANDING_H
#define LANDING_H

#include "target.h"

#define LANDED 0x1a4ded

/* The registers at `landing`, in the order of CONTEXT (Rsp at index 4). */
struct landed {
    uint64_t general[16];
    uint64_t flags;
    uint64_t mxcsr;
    uint64_t xmm[16][2];
};

struct landed landed;
uint64_t landing_home;

/* Calls function(first, second), which does not return but continues at
 * `landing`; then this returns LANDED, else what the function returned. */
uint64_t go_and_land(void *function, const volatile void *first,
                     const volatile void *second);
extern const char landing[];

__asm__(".text\n"
        ".globl go_and_land, landing\n"
        "go_and_land:\n\t"
        "pushq %rbx\n\t"
        "pushq %rbp\n\t"
        "pushq %rsi\n\t"
        "pushq %rdi\n\t"
        "pushq %r12\n\t"
        "pushq %r13\n\t"
        "pushq %r14\n\t"
        "pushq %r15\n\t"
        "subq $0xd8, %rsp\n\t"
        "movaps %xmm6, 0x20(%rsp)\n\t"
        "movaps %xmm7, 0x30(%rsp)\n\t"
        "movaps %xmm8, 0x40(%rsp)\n\t"
        "movaps %xmm9, 0x50(%rsp)\n\t"
        "movaps %xmm10, 0x60(%rsp)\n\t"
        "movaps %xmm11, 0x70(%rsp)\n\t"
        "movaps %xmm12, 0x80(%rsp)\n\t"
        "movaps %xmm13, 0x90(%rsp)\n\t"
        "movaps %xmm14, 0xa0(%rsp)\n\t"
        "movaps %xmm15, 0xb0(%rsp)\n\t"
        "stmxcsr 0xc0(%rsp)\n\t"
        "movq %rsp, landing_home(%rip)\n\t"
        "movq %rcx, %rax\n\t"
        "movq %rdx, %rcx\n\t"
        "movq %r8, %rdx\n\t"
        "call *%rax\n\t"
        "jmp 1f\n"
        "landing:\n\t"
        "movq %rax, landed+0x00(%rip)\n\t"
        "movq %rcx, landed+0x08(%rip)\n\t"
        "movq %rdx, landed+0x10(%rip)\n\t"
        "movq %rbx, landed+0x18(%rip)\n\t"
        "movq %rsp, landed+0x20(%rip)\n\t"
        "movq %rbp, landed+0x28(%rip)\n\t"
        "movq %rsi, landed+0x30(%rip)\n\t"
        "movq %rdi, landed+0x38(%rip)\n\t"
        "movq %r8, landed+0x40(%rip)\n\t"
        "movq %r9, landed+0x48(%rip)\n\t"
        "movq %r10, landed+0x50(%rip)\n\t"
        "movq %r11, landed+0x58(%rip)\n\t"
        "movq %r12, landed+0x60(%rip)\n\t"
        "movq %r13, landed+0x68(%rip)\n\t"
        "movq %r14, landed+0x70(%rip)\n\t"
        "movq %r15, landed+0x78(%rip)\n\t"
        "pushfq\n\t"
        "popq landed+0x80(%rip)\n\t"
        "stmxcsr landed+0x88(%rip)\n\t"
        "movups %xmm0, landed+0x90(%rip)\n\t"
        "movups %xmm1, landed+0xa0(%rip)\n\t"
        "movups %xmm2, landed+0xb0(%rip)\n\t"
        "movups %xmm3, landed+0xc0(%rip)\n\t"
        "movups %xmm4, landed+0xd0(%rip)\n\t"
        "movups %xmm5, landed+0xe0(%rip)\n\t"
        "movups %xmm6, landed+0xf0(%rip)\n\t"
        "movups %xmm7, landed+0x100(%rip)\n\t"
        "movups %xmm8, landed+0x110(%rip)\n\t"
        "movups %xmm9, landed+0x120(%rip)\n\t"
        "movups %xmm10, landed+0x130(%rip)\n\t"
        "movups %xmm11, landed+0x140(%rip)\n\t"
        "movups %xmm12, landed+0x150(%rip)\n\t"
        "movups %xmm13, landed+0x160(%rip)\n\t"
        "movups %xmm14, landed+0x170(%rip)\n\t"
        "movups %xmm15, landed+0x180(%rip)\n\t"
        "cld\n\t"
        "movl $0x1a4ded, %eax\n"
        "1:\n\t"
        "movq landing_home(%rip), %rsp\n\t"
        "movaps 0x20(%rsp), %xmm6\n\t"
        "movaps 0x30(%rsp), %xmm7\n\t"
        "movaps 0x40(%rsp), %xmm8\n\t"
        "movaps 0x50(%rsp), %xmm9\n\t"
        "movaps 0x60(%rsp), %xmm10\n\t"
        "movaps 0x70(%rsp), %xmm11\n\t"
        "movaps 0x80(%rsp), %xmm12\n\t"
        "movaps 0x90(%rsp), %xmm13\n\t"
        "movaps 0xa0(%rsp), %xmm14\n\t"
        "movaps 0xb0(%rsp), %xmm15\n\t"
        "ldmxcsr 0xc0(%rsp)\n\t"
        "addq $0xd8, %rsp\n\t"
        "popq %r15\n\t"
        "popq %r14\n\t"
        "popq %r13\n\t"
        "popq %r12\n\t"
        "popq %rdi\n\t"
        "popq %rsi\n\t"
        "popq %rbp\n\t"
        "popq %rbx\n\t"
        "ret\n");

/* CF PF AF ZF SF DF OF: what a program may have set at any time. */
#define LANDING_FLAGS 0xcd5u

static const char *const landing_names[16] = {
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
    "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15",
};

static uint64_t landing_seed = 88172645463325252u;

static uint64_t landing_random(void)
{
    landing_seed ^= landing_seed << 13;
    landing_seed ^= landing_seed >> 7;
    landing_seed ^= landing_seed << 17;
    return landing_seed;
}

/* Fills `c`, which RtlCaptureContext has filled: random registers, RIP at
 * the landing, RSP somewhere inside this thread's stack. */
static void landing_fill(CONTEXT *c, const volatile void *rsp)
{
    DWORD64 *general = &c->Rax;

    c->ContextFlags = CONTEXT_FULL;
    for (size_t i = 0; i < 16; i++) {
        general[i] = landing_random();
    }
    c->Rsp = (uintptr_t)rsp;
    c->Rip = (uintptr_t)landing;
    c->EFlags = (DWORD)(landing_random() & LANDING_FLAGS) | 0x202;
    /* All exceptions masked, any rounding, sticky bits as they come. */
    c->MxCsr = (DWORD)(0x1f80 | (landing_random() & 0x603f));
    c->FltSave.MxCsr = c->MxCsr;
    for (size_t i = 0; i < 16; i++) {
        c->FltSave.XmmRegisters[i].Low = landing_random();
        c->FltSave.XmmRegisters[i].High = (LONGLONG)landing_random();
    }
}

/* One bit a register that did not arrive as `c` says: general 0..15, flags
 * 16, mxcsr 17, xmm 18..33. */
static uint64_t landing_differs(const CONTEXT *c)
{
    const DWORD64 *general = &c->Rax;
    uint64_t differs = 0;

    for (size_t i = 0; i < 16; i++) {
        differs |= (uint64_t)(landed.general[i] != general[i]) << i;
        differs |=
            (uint64_t)(landed.xmm[i][0] != c->FltSave.XmmRegisters[i].Low ||
                       landed.xmm[i][1] !=
                           (uint64_t)c->FltSave.XmmRegisters[i].High)
            << (18 + i);
    }
    differs |= (uint64_t)((landed.flags & LANDING_FLAGS) !=
                          (c->EFlags & LANDING_FLAGS))
               << 16;
    differs |= (uint64_t)((uint32_t)landed.mxcsr != c->MxCsr) << 17;
    return differs;
}

/* Tells which registers always arrived, but for those in `apart`. The line is
 * compared between an untraced and a traced run. */
static void landing_tell(uint64_t differs, uint64_t apart)
{
    printf("arrived:");
    for (size_t i = 0; i < 34; i++) {
        if (((differs | apart) >> i & 1) != 0) {
            continue;
        }
        if (i < 16) {
            printf(" %s", landing_names[i]);
        } else if (i < 18) {
            printf(" %s", i == 16 ? "flags" : "mxcsr");
        } else {
            printf(" xmm%d", (int)i - 18);
        }
    }
    printf("\n");
}

#endif
