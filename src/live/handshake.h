/* SPDX-License-Identifier: MIT */
/*
 * handshake.h - the tracer's half of the handshake engine: one thread of ours
 * polls the slots of all processes.
 */
#ifndef LIVE_HANDSHAKE_H
#define LIVE_HANDSHAKE_H

#include "base/err.h"
#include "live/traced.h"

#include <stdbool.h>
#include <stddef.h>

/* Starts the thread; ends it, and closes what handshake_open opened. */
bool handshake_start(struct session *s, struct err *e);
void handshake_stop(struct session *s);
/* Has it serve the slot of `t`, to the end. */
bool handshake_open(struct traced *t, struct err *e);
/* Moves what the thread found into the model. Returns how much. */
size_t handshake_drain(struct traced *t, bool last);

#endif
