/* SPDX-License-Identifier: MIT */
/*
 * segments.h - what of a trace file has to be read.
 *
 * A segment is what stands between two checkpoints. Behind it stands a SUMMARY
 * of what it has; one without is cut off, and has to be read.
 */
#ifndef RECORD_SEGMENTS_H
#define RECORD_SEGMENTS_H

#include "base/reader.h"
#include "record/chunks.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct segment {
    uint64_t at;              // of its CHECKPOINT; of the first: of chunk 0
    int64_t ns;               // all that was told before happened before then
    uint64_t summary_at;      // of its SUMMARY
    uint64_t flags;           // SUMMARY_*
    uint32_t number;          // of that chunk
    uint32_t summary_number;  // the same
    bool has_summary;         // else it may have anything
};

struct segments {
    struct segment *at;  // owned
    size_t count;
    size_t room;
    uint64_t last;  // TSC of the youngest record of the file; 0: there is none
};

/* Goes through all heads of `r`, which stands where it stood afterwards. False
 * without memory: then there are no segments. */
bool segments_find(struct segments *s, struct chunk_reader *r);
void segments_close(struct segments *s);
/* Calls of how many different numbers were open in the segment, and which:
 * borrowed until the next one is asked for. False: it cannot be told. */
bool segments_numbers(struct chunk_reader *r, const struct segment *s,
                      struct reader *numbers, uint64_t *count);

#endif
