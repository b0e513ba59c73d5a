/* SPDX-License-Identifier: MIT */
/*
 * walk.h - over records, one after the other: the only place that judges
 * them. Who reads records reads those that come from here, and trusts what
 * this says of them, and nothing else in them.
 *
 * A record that comes out
 *   - has a known kind, and for a TRANSITION a known door
 *   - has a size that is a multiple of 8, ends within what is there, is at
 *     most RECORD_MAX unless it is a PAD, and holds what record.h says its
 *     kind has: all stack arguments of an ENTRY, all bytes of a DATA
 * Everything else, its time among it, may be anything.
 *
 * The bytes are borrowed and must not change meanwhile: what another process
 * can write to is copied out first. The walk ends at the end, or before the
 * first thing that is no record. What follows that is lost, for only sizes
 * tell where records begin.
 */
#ifndef WIRE_WALK_H
#define WIRE_WALK_H

#include "wire/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct walk {
    const uint8_t *bytes;  // what is left
    size_t left;
    bool damaged;  // it has ended before the end
};

struct walked {
    const uint8_t *bytes;     // the whole record; any alignment
    struct record_head head;  // a copy; of a PAD `time` is 0
};

static inline struct walk walk_over(const void *bytes, size_t size)
{
    return (struct walk){ .bytes = bytes, .left = size };
}

/* The next record. False: there is none, because of the end or of damage. */
bool walk_next(struct walk *w, struct walked *out);

#endif
