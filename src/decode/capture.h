/* SPDX-License-Identifier: MIT */
/*
 * capture.h - from what the tables say of a call to the program that has its
 * arguments' memory copied (wire/capture.h).
 *
 * The decoder never looks at a program: it looks up addresses in what came
 * (nt/memory.h). So a program may copy more than is shown, and what it
 * leaves out is shown as an address.
 */
#ifndef DECODE_CAPTURE_H
#define DECODE_CAPTURE_H

#include "nt/layout.h"
#include "tables/calls.h"
#include "wire/capture.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct capture_options {
    bool wine;            // some buffers look different there
    uint32_t string_max;  // bytes of data that are shown, -s
    bool verbose;         // -v: whole arrays
    bool names_only;      // what handle names and paths need, no more
    bool dumps;           // whole buffers of reads and writes
    enum nt_width width;  // of the process
};

/* The most bytes that a program takes. */
#define CAPTURE_PROGRAM_MAX           \
    (sizeof(struct capture_program) + \
     CAPTURE_OPS_MAX * sizeof(struct capture_op))

/* Writes the program of `call` to `out`, aligned for struct capture_program.
 * Returns its size in bytes, a multiple of 8; 0: there is nothing to copy. With
 * names_only pending calls are not noted. */
size_t capture_compile(const struct call_facts *call,
                       const struct capture_options *options, void *out);
/* The same of a call of which nothing is wanted but that it takes over the
 * IO_STATUS_BLOCK of a pending one; 0: it has none. */
size_t capture_compile_block(const struct call_facts *call, void *out);

#endif
