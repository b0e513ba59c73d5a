/* SPDX-License-Identifier: MIT */
/*
 * unwind.h - from the registers of a thread and a copy of its stack to its
 * callers, by the unwind data of the modules that they are in (Microsoft's
 * "x64 exception handling").
 *
 * All of it is anybody's: stack, registers, modules. A walk goes upward only,
 * reads nothing but the copy and what modfile.h hands out, and ends.
 */
#ifndef UNWIND_UNWIND_H
#define UNWIND_UNWIND_H

#include "unwind/modfile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Registers go by their numbers in the instruction set. */
enum unwind_register {
    UNWIND_RBX = 3,
    UNWIND_RSP = 4,
    UNWIND_RBP = 5,
    UNWIND_RSI = 6,
    UNWIND_RDI = 7,
    UNWIND_REGISTERS = 16,
};

/* A thread, or one of its callers. */
struct unwind_state {
    uint64_t rip;
    uint64_t registers[UNWIND_REGISTERS];
    /* `rip` is where it goes on, anywhere: in a prolog, in an epilog. Else it
     * is a return address, and belongs to the call before it. */
    bool exact;
};

/* The part of its stack that was copied; and how far there is more. */
struct unwind_stack {
    const uint8_t *bytes;
    uint64_t low;  // address of the first one
    size_t size;
    uint64_t base;  // no frame is there or above; 0: not known
};

/* Where a walk has come to. */
enum unwind_end {
    UNWIND_ON,       // there is a caller
    UNWIND_WHOLE,    // there is none: the first function of the thread
    UNWIND_CUT,      // more of the stack was not copied
    UNWIND_FOREIGN,  // code of no module
    UNWIND_NO_FILE,  // code of a module whose file is not at hand
    UNWIND_BAD,      // stack or unwind data make no sense
    UNWIND_LIMIT,    // more callers than were asked for
};

/* A module, as it lies in a process. */
struct unwind_module {
    uint64_t base;
    struct modfile *file;  // NULL: not at hand
};

/* Goes on to the caller: *s becomes its state. Anything but UNWIND_ON: there is
 * none that could be told, and *s is of no use. */
enum unwind_end unwind_step(struct unwind_state *s,
                            const struct unwind_stack *stack,
                            const struct unwind_module *module);

/* The module that `address` is in; false: in none. */
typedef bool unwind_find(void *ctx, uint64_t address,
                         struct unwind_module *out);

/* Return addresses of the callers of *s, nearest first, `most` at most, into
 * `callers`; *count of them. Says why there are no more. */
enum unwind_end unwind_walk(struct unwind_state *s,
                            const struct unwind_stack *stack, unwind_find *find,
                            void *ctx, uint64_t *callers, uint32_t most,
                            uint32_t *count);

/* Where the function begins that `rva` is in, by the unwind data: for parts of
 * it that lie elsewhere the same. `size`: of the part that begins there. False:
 * it has no unwind data. */
bool unwind_function(struct modfile *f, uint32_t rva, uint32_t *begin,
                     uint32_t *size);

#endif
