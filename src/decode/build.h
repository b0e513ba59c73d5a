/* SPDX-License-Identifier: MIT */
/*
 * build.h - putting a capture program together, inside decode/.
 *
 *   capture.c  argument by argument, by type and size
 *   special.c  and special_*.c: what they tell has to be copied first
 */
#ifndef DECODE_BUILD_H
#define DECODE_BUILD_H

#include "base/str.h"
#include "decode/capture.h"
#include "nt/read.h"
#include "tables/calls.h"
#include "tables/structs.h"
#include "wire/capture.h"

#include <stdbool.h>
#include <stdint.h>

#define BUILD_FULL (-1)

struct build {
    struct capture_program *program;
    const struct call_facts *call;
    const struct capture_options *options;
    enum nt_width width;  // of the processes that the program is for
    bool at_return;       // operations go to the second half
    uint32_t bytes_most;  // for data: string_max, or much if it is dumped
    /* Operations without a test of their own run only if argument `by` is
     * `value`: an information class. */
    bool by_class;
    uint8_t by;
    uint32_t value;
};

/* Adds an operation; returns the index of its piece in this half, or
 * BUILD_FULL when the program has no room (then what would hang off it is
 * to be left out). Fields left 0 take the defaults: when ALWAYS, no limit,
 * most CAPTURE_BYTES_MAX. */
int build_op(struct build *b, struct capture_op op);

/* As nt_offset and nt_size. */
uint16_t build_offset(const struct build *b, enum nt_field field);
uint32_t build_size(const struct build *b, enum nt_field field);

/* Where a pointer stands: an argument, or a field of a piece. */
struct build_at {
    uint8_t base;  // as capture_op.base
    uint16_t offset;
    uint8_t when;  // enum capture_when
};

/* Copies what a pointer to `type` points to, and what hangs off that: names
 * of UNICODE_STRINGs and the like. Returns the piece. */
int build_type(struct build *b, str type, struct build_at at);
/* Copies what the pointers in the array of `row` lead to that `piece` is, from
 * `offset` on. */
void build_elements(struct build *b, const struct struct_row *row, int piece,
                    uint32_t offset, uint8_t when);
/* Index of the call's parameter of this name; -1: none. */
int build_arg(const struct build *b, const char *name);

/* How much of a SID is copied. */
struct capture_size special_sid_size(void);

/* --- special.c: true if it did what is to be done --- */

bool special_build_pointee(struct build *b, uint32_t i);
bool special_build_type(struct build *b, str type, struct build_at at,
                        int *piece);

#endif
