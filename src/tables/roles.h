/* SPDX-License-Identifier: MIT */
/*
 * roles.h - what we do about a call, beside showing it: the one list of calls
 * by name that something of ours acts on.
 *
 * Tables, agent's rows, model and tracer ask by role; no other file compares a
 * call with a name for that.
 */
#ifndef TABLES_ROLES_H
#define TABLES_ROLES_H

#include "base/str.h"

#include <stdint.h>

enum call_role {
    ROLE_CONTINUES = 1 << 0,        // goes on elsewhere: no return of its own
    ROLE_LEAVES_CALLBACK = 1 << 1,  // the same, back into the kernel's caller
    ROLE_SETS_CONTEXT = 1 << 2,     // its return may land anywhere
    ROLE_SETS_CALLBACK = 1 << 3,    // may take the instrumentation callback
    ROLE_MAPS = 1 << 4,             // may map an image
    ROLE_UNMAPS = 1 << 5,           // may unmap one
    ROLE_MAKES_PROCESS = 1 << 6,
    ROLE_MAKES_THREAD = 1 << 7,
    ROLE_ENDS_THREAD = 1 << 8,
    ROLE_ENDS_PROCESS = 1 << 9,
    ROLE_ENDS_JOB = 1 << 10,
    ROLE_RAISES = 1 << 11,          // an exception: its thread may not return
    ROLE_PASSES_HANDLES = 1 << 12,  // in what its arguments point to
    ROLE_READS = 1 << 13,           // Buffer is what was read (-e read=)
    ROLE_WRITES = 1 << 14,          // Buffer is what is written (-e write=)
    ROLE_COMPLETES = 1 << 15,       // lets a pending call be over, as those
                                    // that wait (calls.h, CALL_WAITS) do
    ROLE_CHANGES_MEMORY = 1 << 16,  // may make a guard page, or make room for
                                    // one (agent/regions.c)
};

/* Those with such a role are recorded also if a filter wants no lines of
 * them: what we know of the process depends on them. */
#define ROLES_FOLLOWED ((uint32_t)ROLE_PASSES_HANDLES - 1)

/* Bits of enum call_role of the call `name`; 0 for most. */
uint32_t call_roles(str name);

#endif
