/* SPDX-License-Identifier: MIT */
/*
 * thin.h - leaves out calls that nobody wants to see and the model does not
 * need, before the model gets them: where one call in thousands is shown, most
 * of the work is not done.
 *
 * A call is left out if it returns at once, with nothing of its thread between
 * and while no other call of it is open; else its absence could be seen in
 * what others are told to be. Where there are orphans (SUMMARY_ORPHANS) nothing
 * goes: what a thread has seen of handles counts for them. That there was
 * something is told to the model all the same (model_thread_passed).
 */
#ifndef RECORD_THIN_H
#define RECORD_THIN_H

#include "record/ops.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Calls inside each other that are followed; in more, nothing is left out any
 * more of that thread. */
#define THIN_DEPTH 16

/* Of one thread. */
struct thin_thread {
    uint64_t open[THIN_DEPTH];  // rsp of calls that have not returned
    uint32_t depth;
};

enum thin_class {
    THIN_ASK,  // not asked yet
    THIN_OUT,
    THIN_KEEP,
    THIN_NO_RETURN,  // kept, and over with its entry
};

/* Of a batch of one thread's records that is being put together. */
struct thin {
    /* What is to be done with calls of this number. */
    enum thin_class (*class_of)(void *ctx, uint16_t number);
    void *ctx;
    bool off;                // nothing goes; what is open is followed
    uint8_t classes[65536];  // enum thin_class, as far as it was asked
    bool held;               // the batch ends with a call that may go ...
    size_t held_at;          // ... from here on, ...
    uint64_t held_rsp;       // ... if this one returns next
    bool pieces;             // it ends with pieces for what comes next ...
    size_t pieces_at;        // ... from here on
};

/* What was asked need not be true any more. */
void thin_ask_again(struct thin *t);
/* `op` is about to be put behind `size` bytes of the batch of its thread.
 * Returns how many bytes of it are to stay: all, or less, if it is the end of a
 * call that goes; then `op` goes as well. */
size_t thin_record(struct thin *t, struct thin_thread *of,
                   const struct op_read *op, size_t size);
/* The batch ends here. */
void thin_end(struct thin *t, struct thin_thread *of);

#endif
