/* SPDX-License-Identifier: MIT */
/*
 * nt_call.h - how C asks nt_call.S for a system call.
 */
#ifndef AGENT_NT_CALL_H
#define AGENT_NT_CALL_H

#define NT_CALL_STUB 0
#define NT_CALL_SAVE 8
#define NT_CALL_MASK 16
#define NT_CALL_ARGS 24

#ifndef __ASSEMBLER__

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

struct nt_call {
    uint64_t stub;       // address of a private stub
    void *save;          // 64-byte aligned room for the vector state
    uint64_t save_mask;  // XSAVE components to keep there
    uint64_t a[6];       // arguments
};

static_assert(offsetof(struct nt_call, save) == NT_CALL_SAVE, "nt_call.S");
static_assert(offsetof(struct nt_call, save_mask) == NT_CALL_MASK, "nt_call.S");
static_assert(offsetof(struct nt_call, a) == NT_CALL_ARGS, "nt_call.S");

/* In nt_call.S: makes the call, keeps the vector state. NTSTATUS. */
uint32_t nt_call(const struct nt_call *c);

#endif
#endif
