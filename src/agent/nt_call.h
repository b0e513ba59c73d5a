/* SPDX-License-Identifier: MIT */
/*
 * nt_call.h - how C asks nt_call.S for a system call.
 */
#ifndef AGENT_NT_CALL_H
#define AGENT_NT_CALL_H

#define NT_CALL_STUB 0
#define NT_CALL_ARGS 8
#define NT_CALL_SAVE 56
#define NT_CALL_MASK 64

#ifndef __ASSEMBLER__

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/* One system call of our own. Its caller says which, and the arguments;
 * own_call (ring.c) fills in the rest. There is one of these on the stack, and
 * not two, because the stack is the target's. */
struct own_call {
    /* PRIVATE_*; then the address of that private stub; afterwards what RCX was
     * behind the call. */
    uint64_t stub;
    uint64_t a[6];
    void *save;          // 64-byte aligned room for the vector state
    uint64_t save_mask;  // XSAVE components to keep there
};

static_assert(offsetof(struct own_call, a) == NT_CALL_ARGS, "nt_call.S");
static_assert(offsetof(struct own_call, save) == NT_CALL_SAVE, "nt_call.S");
static_assert(offsetof(struct own_call, save_mask) == NT_CALL_MASK,
              "nt_call.S");

/* In nt_call.S: makes the call, keeps the vector state. NTSTATUS. */
uint32_t nt_call(struct own_call *c);

#endif
#endif
