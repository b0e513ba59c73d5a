/* SPDX-License-Identifier: MIT */
/*
 * agent_property.h - what the two halves of the property test share: the
 * machine's state before and after agent code, and the places where agent
 * code may come out.
 */
#ifndef PROPERTY_AGENT_PROPERTY_H
#define PROPERTY_AGENT_PROPERTY_H

/* struct machine */
#define M_RAX 0x00
#define M_RCX 0x08
#define M_RDX 0x10
#define M_RBX 0x18
#define M_RSP 0x20
#define M_RBP 0x28
#define M_RSI 0x30
#define M_RDI 0x38
#define M_R8 0x40
#define M_R9 0x48
#define M_R10 0x50
#define M_R11 0x58
#define M_R12 0x60
#define M_R13 0x68
#define M_R14 0x70
#define M_R15 0x78
#define M_FLAGS 0x80
#define M_RIP 0x88

/* Room for x87, SSE, AVX and AVX-512 state as XSAVE lays it out. */
#define VECTOR_ROOM 0x1000

/* machine.rip of what came out: where. */
#define AT_RETURN 1     /* where a stub's caller goes on */
#define AT_SYSCALL 2    /* a stub's `syscall` */
#define AT_DOOR 3       /* the first of five */
#define AT_RESUME 8     /* where config.resume points */
#define AT_WINE 9       /* Wine's dispatcher */
#define AT_ELSEWHERE 10 /* code that is no stub */
#define AT_COUNT 11

#ifndef __ASSEMBLER__

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

struct machine {
    uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t flags;
    uint64_t rip;
};

static_assert(offsetof(struct machine, r8) == M_R8, "agent_property.h");
static_assert(offsetof(struct machine, rip) == M_RIP, "agent_property.h");

struct vectors {
    _Alignas(64) uint8_t bytes[VECTOR_ROOM];
};

/* What the agent asks of the kernel. */
struct kernel_call {
    uint64_t index;  // enum private_stub
    uint64_t rcx, rdx, r8, r9;
    uint64_t rsp;  // at the private stub's first instruction
};

static_assert(sizeof(struct kernel_call) == 0x30, "agent_property.h");

/* --- in agent_property.S --- */

/* What prop_run puts into the CPU ... */
extern struct machine prop_in;
extern struct vectors prop_in_vectors;
/* ... the vector state as the CPU then has it ... */
extern struct vectors prop_had_vectors;
/* ... and what it finds there when agent code comes out. */
extern struct machine prop_out;
extern struct vectors prop_out_vectors;
/* XSAVE components to set and compare. */
extern uint64_t prop_mask;

/* The places to come out: AT_*. */
extern const uint64_t prop_places[AT_COUNT];

/* Loads prop_in, goes to prop_in.rip, comes back through one of the places
 * with prop_out filled in. */
void prop_run(void);

/* The fake kernel: where private stubs jump to, index in eax. Calls
 * prop_kernel, then destroys every vector register but the components in
 * prop_kernel_keeps, and rcx, rdx, r8-r11; goes on as the kernel would, by way
 * of prop_kernel_callback if that is not 0. */
extern const char prop_kernel_entry[];
extern uint64_t prop_kernel_keeps;
extern uint64_t prop_kernel_callback;
/* Where it returns to, for the private stub of index 0; 20h apart. */
extern uint64_t prop_kernel_return;
/* What it leaves in registers. */
extern struct vectors prop_garbage_vectors;
extern uint64_t prop_garbage;

/* In agent_property.c. NTSTATUS. */
uint32_t prop_kernel(const struct kernel_call *c);

#endif
#endif
