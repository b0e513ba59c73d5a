/* SPDX-License-Identifier: MIT */
/*
 * pending.h - calls that have returned STATUS_PENDING and are not over.
 *
 * The kernel fills their outputs later, and says so in the IO_STATUS_BLOCK that
 * the call was given; the arguments are gone by then. So the thread that sees
 * the call return notes where the outputs will be (capture.h), in a place of
 * this table, and a thread that returns from a call which may have waited for
 * it (ROW_TELLS), or is handed an APC, looks whether the status has changed,
 * and then copies them.
 *
 * Only a call whose block says STATUS_PENDING when it begins or returns is
 * noted: Win32, and all that look at the block, put that there. Where something
 * else stood nobody could tell old from new.
 *
 *     free -> used -> used and live -> used -> free
 *
 * Bits in section.h say which place is which. Who sets `used` of a place, or
 * takes `live` away, has it to itself: no thread ever waits for another one,
 * and one that dies in between leaves one place out of use. When no place is
 * free, the oldest call is given up.
 *
 * The target can write all of it: that garbles what is shown of pending calls,
 * nothing else.
 */
#ifndef WIRE_PENDING_H
#define WIRE_PENDING_H

#include "wire/section.h"

#include <assert.h>
#include <stdint.h>

#define PENDING_MAX 64
/* Outputs of one call that are noted; the others are left out. */
#define PENDING_PIECES 16

struct pending_piece {
    uint64_t address;
    uint32_t size;     // bytes, at most
    uint16_t op;       // index of the operation in the program
    uint16_t limited;  // 1: no more than the block's Information
};

struct pending {
    uint64_t block;   // address of the IO_STATUS_BLOCK
    uint64_t began;   // `time` of the call's RETURN
    uint32_t tid;     // of the thread that made it
    uint16_t number;  // of the service
    uint16_t count;   // used pieces
    uint64_t pad;
    struct pending_piece piece[PENDING_PIECES];
};

static_assert(sizeof(struct pending) == 0x120, "pending.h");
static_assert(SECTION_PENDING + PENDING_MAX * sizeof(struct pending) <=
                  SECTION_ROWS,
              "pending.h");

#endif
