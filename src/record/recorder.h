/* SPDX-License-Identifier: MIT */
/*
 * recorder.h - a trace file while it is made: listens to what a model takes,
 * and writes it down.
 *
 * It sits at the model's tap (model.h), so that whatever the model is told, now
 * or by what is built later, is in the file. What it writes is on its way to
 * the disk 1 s after it came at the latest, if recorder_turn is called often.
 *
 * The first failure ends the recording: the file is whole as far as it goes,
 * and whoever looks at `failed` says so.
 */
#ifndef RECORD_RECORDER_H
#define RECORD_RECORDER_H

#include "base/err.h"
#include "model/model.h"
#include "record/chunks.h"
#include "record/losses.h"
#include "record/ops.h"

#include <stdbool.h>
#include <stdint.h>

/* A chunk is written when it has so many bytes. */
#define CHUNK_FULL ((size_t)64 << 10)
/* A checkpoint comes after so many bytes of the file. */
#define CHECKPOINT_EVERY (UINT64_C(4) << 20)

struct recorder {
    struct model_tap tap;  // for model_config; its ctx is this recorder
    struct model *model;   // that it listens to; NULL: no checkpoints
    struct chunk_writer writer;
    enum compress compress;
    bool behind;  // there is more to read than can be: no time to deflate
    bool open;
    bool failed;
    struct err why;
    uint64_t tsc_per_second;  // of the 1 s

    struct ops *ops;               // owned
    uint8_t *chunk;                // owned: what will be the next one
    size_t used;                   // bytes in it
    struct chunk_head head;        // what is known of it: calls, first, last
    uint64_t began;                // TSC: when the first byte came
    uint64_t checkpoint_every;     // bytes; CHECKPOINT_EVERY unless changed
    uint64_t checkpoint_at;        // size of the file at the last one
    bool returns_only;             // no call has an entry: each return is one
    uint64_t calls;                // in the file
    struct losses losses;          // records that are not
    uint64_t summary_calls;        // in this segment
    uint64_t flags;                // SUMMARY_*, of this segment
    uint64_t numbers[65536 / 64];  // bit n: calls with number n were open in it
};

/* Makes the file `path`. `info`: the text of its INFO. On failure recorder_end
 * is to be called as well, and says the same again. */
bool recorder_begin(struct recorder *r, str path, enum compress compress,
                    uint64_t tsc_per_second, str info, struct err *e);
/* Called between looks at the rings: writes what is due. */
void recorder_turn(struct recorder *r, uint64_t now, bool behind);
/* Writes what is left, and the END. `text`: of it. False: it had failed, or
 * does now. */
bool recorder_end(struct recorder *r, str text, struct err *e);

#endif
