/* SPDX-License-Identifier: MIT */
/*
 * build.h - putting a capture program together, inside decode/: operations,
 * and what hangs off a type. capture.c does it argument by argument, families
 * (family.h) for what they tell.
 */
#ifndef DECODE_BUILD_H
#define DECODE_BUILD_H

#include "base/str.h"
#include "decode/capture.h"
#include "decode/family.h"
#include "nt/read.h"
#include "tables/calls.h"
#include "tables/structs.h"
#include "wire/capture.h"

#include <stdbool.h>
#include <stdint.h>

#define BUILD_FULL (-1)

struct build {
    struct capture_program *program;
    const struct registry *registry;  // whom types are asked of: family.h
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
/* Copies what the pointers in `piece` lead to, which is a `type`. */
void build_pointers(struct build *b, const struct ctype *type, int piece,
                    uint8_t when);
/* Copies the texts of an array of string structures. */
void build_strings(struct build *b, int piece, uint8_t when);
/* Adds what build_op_bytes returns. */
int build_bytes(struct build *b, struct build_at at, uint32_t bytes);
/* UTF-16 up to a zero. */
int build_zero_ended(struct build *b, struct build_at at);
/* Index of the call's parameter of this name; -1: none. */
int build_arg(const struct build *b, const char *name);

/* An operation that copies `size` bytes behind argument or pointer `at`. */
struct capture_op build_op_bytes(struct build_at at, uint32_t size);
/* As many as argument `from` says, scaled. */
struct capture_op build_op_arg(struct build_at at, int from, uint32_t scale);
/* As many as the u16, u32, u64 (`unit`) in piece `piece` says, scaled. */
struct capture_op build_op_field(struct build_at at, enum capture_unit unit,
                                 int piece, uint16_t offset, uint32_t scale);
/* Where argument `arg` points, or the pointer at `offset` of piece `piece`. */
struct build_at build_at_arg(int arg, enum capture_when when);
struct build_at build_at_piece(int piece, uint16_t offset,
                               enum capture_when when);
/* Argument `i`, in the half that is built. */
struct build_at build_at_param(const struct build *b, uint32_t i);

/* A buffer, as its row has it (family_param.build). */
bool build_param(struct build *b, const struct family_param *row, uint32_t i);

#endif
