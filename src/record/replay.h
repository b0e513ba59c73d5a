/* SPDX-License-Identifier: MIT */
/*
 * replay.h - a trace file back into a model: the same records, in the same
 * order, up to the same times, so that the model tells what it told when they
 * were recorded.
 *
 * Files come from strangers. What is not understood is counted; what is broken
 * ends the replay, or is passed over up to the next checkpoint; both leave all
 * that was read before it.
 */
#ifndef RECORD_REPLAY_H
#define RECORD_REPLAY_H

#include "base/err.h"
#include "model/model.h"
#include "record/chunks.h"
#include "record/ops.h"
#include "record/segments.h"
#include "record/thin.h"

#include <stdbool.h>
#include <stdint.h>

/* What a replay may do without. */
struct replay_skip {
    void *ctx;
    bool nothing;  // all is read
    /* Nothing that begins before so many ns after the start is shown. */
    int64_t from;
    /* A segment with these has lines that are shown (SUMMARY_*). */
    bool (*wants_flags)(void *ctx, uint64_t flags);
    /* Calls of this function may be shown; NULL: it is not known. */
    bool (*wants_call)(void *ctx, const struct stub *stub);
    /* The model has gone on to another time: calls are open that it has not
     * told the beginning of (model_tell_open). */
    bool (*moved)(void *ctx);
};

struct replay {
    struct chunk_reader chunks;
    char *info;  // owned: the text of the INFO; NULL until it was read
    size_t info_size;
    char *end;  // owned: of the END; NULL if there was none
    size_t end_size;
    bool ended;                      // there was one
    bool stopped;                    // nobody wanted the rest
    uint64_t calls;                  // that the chunks read so far begin
    uint64_t records;                // put into the model
    uint64_t refused;                // bytes for which it had no room
    uint64_t skipped;                // bytes of the file that did not matter
    uint64_t left_out;               // calls
    uint64_t senseless;              // ops that the model did not take
    uint64_t passed;                 // chunks that could not be understood ...
    uint64_t passed_calls;           // ... and their calls
    struct segments segments;        // once they were looked for
    size_t segment;                  // that is being read
    const struct replay_skip *skip;  // borrowed; NULL: all is read
    struct model *model;             // borrowed, while it plays
    struct thin *thin;               // owned; NULL: nothing is left out
    uint64_t passed_tsc;             // of the last record left out; 0: none
    struct ops *ops;                 // owned
    struct known *known;             // owned: processes and threads, by number
    size_t known_count;
    size_t known_room;
    size_t known_gone;  // of them
    uint8_t *batch;     // owned: records of one thread, not yet fed
    size_t batch_size;
    struct model_thread *thread;  // whose
    uint64_t thread_number;
    size_t thread_at;  // in `known`
    /* Called between chunks: so much of the file is done; false: no more is
     * wanted. May be NULL. */
    bool (*go_on)(void *ctx, uint64_t at, uint64_t size);
    void *go_on_ctx;
};

/* Opens `path` and reads its INFO. replay_close in any case. */
bool replay_open(struct replay *r, str path, struct err *e);
void replay_close(struct replay *r);

/* What the file says of itself, for about.h; as long as it is open. */
static inline str replay_info(const struct replay *r)
{
    return (str){ r->info, r->info_size };
}
/* What the model has to be configured like. */
struct model_config replay_config(const struct replay *r);

/* What time it is, as far as the INFO says: for who must know before the first
 * record. */
bool replay_clock(const struct replay *r, struct model *m);
/* How long after the start the last record was, in ns, nearly. */
int64_t replay_last_ns(struct replay *r);

/* Feeds the file to `m`, which was made anew, and runs it as it was run; the
 * caller flushes it. `skip`: without what does not matter; NULL: all of it.
 * False: the system failed; damage is no failure. */
bool replay_play(struct replay *r, struct model *m,
                 const struct replay_skip *skip, struct err *e);

/* The contents of an END are kept. */
bool replay_take_end(struct replay *r, const uint8_t *bytes, size_t size,
                     struct err *e);

/* Something of what was written is missing, as far as it was read. That a
 * recording was not ended in order is no damage: all that was written is there. */
bool replay_is_damaged(const struct replay *r);
/* What is missing in the file, a line each; nothing if all of it is there. */
void replay_damage(const struct replay *r, struct buf *lines);

#endif
