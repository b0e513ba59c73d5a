/* SPDX-License-Identifier: MIT */
/*
 * recording.h - a session that is recorded: what the trace file says of itself,
 * and its beginning and end.
 */
#ifndef LIVE_RECORDING_H
#define LIVE_RECORDING_H

#include "base/err.h"
#include "model/model.h"
#include "record/recorder.h"

#include <stdbool.h>
#include <stdint.h>

struct session;

/* Makes the file that the options name, for a model of this configuration,
 * which gets its tap: s->recorder. Without such an option it does nothing. */
bool recording_begin(struct session *s, struct model_config *config,
                     struct err *e);
/* The model is there. */
void recording_model(struct session *s);
/* Between looks at the rings; `behind`: there is more in them. */
void recording_turn(struct session *s, bool behind);
/* True if it has failed; s->recorder->why says why. */
bool recording_failed(const struct session *s);
/* How it has ended, before the model is closed: `status` of a program that did
 * by itself, else `how`, a word or two. False: the file is not all there. */
bool recording_end(struct session *s, str how, uint32_t status, struct err *e);

#endif
