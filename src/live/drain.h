/* SPDX-License-Identifier: MIT */
/*
 * drain.h - from the rings of one process into the model, and the words of
 * the section that say who waits.
 */
#ifndef LIVE_DRAIN_H
#define LIVE_DRAIN_H

#include "live/traced.h"

#include <stdbool.h>
#include <stddef.h>

/* Before a look at the rings of all processes: asks, now and then, whether
 * threads have ended. One wait asks for those of many. */
void drain_begin(struct session *s);
/* Takes what the rings hold. Returns the bytes taken. `last`: the target has
 * ended, nobody writes any more. */
size_t drain_rings(struct traced *t, bool last);
/* The target has ended with `code` and everything is taken: threads that had
 * ended before it did, by their own will or with another code, are told to
 * have. */
void drain_end(struct traced *t, uint32_t code);

#endif
