/* SPDX-License-Identifier: MIT */
/*
 * capture.h - capture programs: what the agent copies of the target's memory
 * for a call, at its entry and at its return.
 *
 * The tracer compiles a program from its tables (decode/capture.c) and puts
 * it into the section; call_row.program says where. The agent knows nothing
 * of names and formats: it runs a few operations, each of which copies one
 * piece of memory into DATA records (record.h). They stand in the ring
 * before the ENTRY or RETURN record that they belong to.
 *
 * An operation says where a piece begins (what an argument points to, or a
 * pointer inside a piece copied before), how large it is, and when it is of
 * interest. What cannot be read is not there: no DATA record, and what hangs
 * off it is left out as well. A piece that ends in memory that cannot be read
 * is there up to that page. An operation whose size cannot be told is left out;
 * a limit that cannot be told is none. Nothing is at addresses below 10000h.
 * Within 16 KiB of its stack's end a thread runs no program.
 *
 * A program with `block` is one of a call that may go on after its return
 * (pending.h). Whoever passes the IO_STATUS_BLOCK of a pending call to such a
 * call anew gives the pending one up.
 *
 * With `stack` the thread's callers can be told: behind all other pieces at the
 * entry come, in DATA records of their own (RECORD_STACK), the registers that
 * functions keep for their callers, and the stack from RSP on, as far as the
 * TEB says that it goes, if RSP is on the stack that the TEB names.
 *
 * Programs are in memory that the target can write. The agent checks every
 * index; a garbled program garbles this target's trace, nothing else.
 */
#ifndef WIRE_CAPTURE_H
#define WIRE_CAPTURE_H

#include <assert.h>
#include <stdint.h>

/* All pieces of one call together, entry and return each. */
#define CAPTURE_BYTES_MAX (256u << 10)
/* Operations of one program. */
#define CAPTURE_OPS_MAX 64
/* The first so many bytes of each piece are kept until the program is done,
 * for operations that follow a pointer, or take a size, out of it ... */
#define CAPTURE_KEEP 512
/* ... as far as there is room for all of them. */
#define CAPTURE_KEEP_ALL 3072

/* Elements of arrays that are followed (CAPTURE_EACH) in one half. */
#define CAPTURE_EACH_MAX 512

/* What a program may copy of the stack goes by this, up to this. It is not in
 * CAPTURE_BYTES_MAX. */
#define CAPTURE_STACK_UNIT 64
#define CAPTURE_STACK_MAX (128u << 10)

/* capture_op.base, capture_size.from: below this, an argument of the call;
 * from it on, this plus the index of an earlier operation in the same half of
 * the program. */
#define CAPTURE_PIECE 0x40

/* capture_op.test: whether an operation runs, or how often. */
enum capture_test {
    CAPTURE_UNTESTED,
    CAPTURE_IF_ARG,    // argument `test_from` has the low 32 bits `test_value`
    CAPTURE_IF_FIELD,  // the u32 at `test_offset` of the piece `test_from`
                       // (CAPTURE_PIECE + index) is `test_value`
    /* Once for each element of an array: `base` is the piece that it is, with
     * a pointer at `offset` and every `test_value` bytes (8 at least) from
     * there on, as far as the piece goes. A `size` or `limit` that is a field
     * of the same piece is one of the first element; for the others it is
     * theirs. Nothing can hang off what is copied so. */
    CAPTURE_EACH,
};

enum capture_when {
    CAPTURE_ALWAYS,
    /* At the return only: the call has filled its outputs. By
     * capture_program.result: an NTSTATUS that is not a failure and not
     * STATUS_PENDING, or is STATUS_BUFFER_OVERFLOW; a result that is not 0
     * (by its low 32 bits for a BOOL); always. */
    CAPTURE_FILLED,
    /* As CAPTURE_FILLED, and after STATUS_INFO_LENGTH_MISMATCH,
     * STATUS_BUFFER_TOO_SMALL: a length that says how much is needed. */
    CAPTURE_LENGTH,
    /* As CAPTURE_FILLED, and while the call is pending: what leads to memory
     * that it will fill, and may be gone by then. */
    CAPTURE_LEADS,
    /* As CAPTURE_FILLED; of a pending call it is noted where the piece is, and
     * copied when the call is completed (struct pending of pending.h). A limit
     * that is a field of a piece is then what the IO_STATUS_BLOCK says. Not
     * with CAPTURE_EACH, nor a size that has to be looked up in memory. */
    CAPTURE_COMPLETED,
};

enum capture_result {
    CAPTURE_RESULT_STATUS,
    CAPTURE_RESULT_BOOL,
    CAPTURE_RESULT_WORD,
    CAPTURE_RESULT_ANY,
};

/* Where a number of units comes from. */
enum capture_unit {
    CAPTURE_NO_LIMIT,   // capture_op.limit only: there is none
    CAPTURE_ONE,        // 1
    CAPTURE_VALUE,      // the argument `from` itself, its low 32 bits
    CAPTURE_VALUE64,    // ... all of it
    CAPTURE_POINTEE32,  // the u32 that the argument `from` points to
    CAPTURE_POINTEE64,  // ... u64
    CAPTURE_FIELD16,    // the u16 at `offset` of the piece `from`
    CAPTURE_FIELD32,
    CAPTURE_FIELD64,
    CAPTURE_RESULT,  // what the call returned, low 32 bits; at the return
    /* Up to and including a zero byte, or 16-bit zero; `scale` is 1 or 2. */
    CAPTURE_ZERO_ENDED,
};

struct capture_size {
    uint8_t unit;     // enum capture_unit
    uint8_t from;     // argument, or CAPTURE_PIECE + index
    uint16_t offset;  // of the field in the piece
    uint32_t scale;   // bytes a unit
};

struct capture_op {
    uint8_t when;     // enum capture_when
    uint8_t base;     // argument, or CAPTURE_PIECE + index
    uint16_t offset;  // base a piece: of the pointer in it;
                      // an argument: added to its value
    uint8_t test;     // enum capture_test
    uint8_t test_from;
    uint16_t test_offset;
    uint32_t test_value;
    uint32_t most;  // bytes; the smallest of size, limit and most counts
    struct capture_size size;
    struct capture_size limit;
};

struct capture_program {
    uint8_t entry_count;   // operations at the entry
    uint8_t return_count;  // operations at the return, behind them
    uint8_t result;        // enum capture_result
    uint8_t block;  // 1 + the argument that is its IO_STATUS_BLOCK; 0: none
    uint8_t notes;  // 1: a pending call is noted
    /* One of the arguments from this one up to the block is not 0 if it is not
     * to be waited for: an event, a routine and its context. */
    uint8_t signals;
    /* At the entry: eight registers and so much of the stack, times
     * CAPTURE_STACK_UNIT bytes; 0: none of them. */
    uint16_t stack;
    struct capture_op ops[];
};

static_assert(sizeof(struct capture_size) == 8, "capture.h");
static_assert(sizeof(struct capture_op) == 32, "capture.h");
static_assert(sizeof(struct capture_program) == 8, "capture.h");

#endif
