/* SPDX-License-Identifier: MIT */
/*
 * decode.h - calls as the model tells them, as named and typed values for a
 * sink.
 *
 * One decoder serves one output, in order. A call's entry is held back until
 * its return comes next, and it is told whole, or something else of the same
 * output comes first, and it is told in two parts.
 *
 * A decoder touches nothing but itself and its sink, and cannot fail.
 */
#ifndef DECODE_DECODE_H
#define DECODE_DECODE_H

#include "decode/sink.h"
#include "model/call.h"
#include "model/clock.h"

#include <stdbool.h>

struct decoder {
    struct sink *sink;          // borrowed
    const struct clock *clock;  // borrowed
    bool holding;
    struct call held;
};

void decoder_init(struct decoder *d, struct sink *sink,
                  const struct clock *clock);

/* These fit struct model_out; `decoder` is a struct decoder. */
void decoder_enter(void *decoder, const struct call *call);
void decoder_leave(void *decoder, const struct call *call);
void decoder_transition(void *decoder, const struct transition_told *t);
void decoder_notice(void *decoder, const struct notice *n);

/* Tells the entry that is held back, if one is: at the end of a trace. */
void decoder_flush(struct decoder *d);

#endif
