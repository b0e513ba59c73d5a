/* SPDX-License-Identifier: MIT */
/*
 * ops.h - the contents of a STREAM chunk: what reaches the model, packed and
 * unpacked. Writer and reader stand side by side in ops.c; format.h says what
 * they agree on.
 */
#ifndef RECORD_OPS_H
#define RECORD_OPS_H

#include "base/reader.h"
#include "record/format.h"
#include "wire/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An op with a record takes no more bytes than this. */
#define OP_RECORD_MOST (RECORD_MAX + 512)
/* An op without one, besides what it carries. */
#define OP_HEAD_MOST 64

/* What both sides know within a chunk. */
struct ops {
    uint64_t thread;  // whose records follow
    bool has_thread;
    uint64_t time;  // of the last record
    uint64_t rsp;   // the same
    uint16_t number;
    uint32_t run;
    uint32_t chunk;  // counts chunks from 1: which slots are of this one
    struct ops_slot {
        uint32_t chunk;
        uint64_t words[RECORD_WORDS];
    } slots[SLOTS];
};

/* A chunk begins. `o` was zeroed at first. */
void ops_begin(struct ops *o);

/* --- Packing: each returns the end of what it put at `to`, where there must
 * be room: OP_RECORD_MOST, or OP_HEAD_MOST and what it carries. */

/* A whole, well-formed record of `thread`, of any alignment, of a kind of enum
 * record_kind but PAD. */
uint8_t *ops_record(struct ops *o, uint8_t *to, uint64_t thread,
                    const uint8_t *record);
uint8_t *ops_thread_open(uint8_t *to, uint64_t process, uint64_t thread,
                         uint32_t tid, uint32_t serial, uint64_t bound);
uint8_t *ops_bound(const struct ops *o, uint8_t *to, uint64_t thread,
                   uint64_t bound);
uint8_t *ops_ran(const struct ops *o, uint8_t *to, uint64_t now);
/* OP_PROCESS, OP_JOURNAL, OP_THREAD_RECORD; `id` of the process or thread; or
 * OP_CLOCK, without one. */
uint8_t *ops_carry(uint8_t *to, enum op op, uint64_t id, const void *record,
                   size_t size);

uint8_t *put_varint(uint8_t *to, uint64_t n);
uint64_t get_varint(struct reader *r);

/* --- Unpacking. */

struct op_read {
    enum op op;
    uint64_t thread;   // or the process of OP_PROCESS, OP_JOURNAL
    uint64_t process;  // OP_THREAD_OPEN
    uint32_t tid;
    uint32_t serial;
    uint64_t time;         // bound, now
    const uint8_t *bytes;  // the record; borrowed, until the next op
    uint32_t size;
};

/* The next op of `r`; OP_THREAD and what is not known are passed over, the
 * latter counted in *unknown. `record`: room for RECORD_MAX bytes. False:
 * the end, or, with r->bad, nothing that could be read. */
bool ops_next(struct ops *o, struct reader *r, uint64_t *record,
              struct op_read *out, uint64_t *unknown);

#endif
