/* SPDX-License-Identifier: MIT */
/*
 * underway.h - calls that threads come back from, and that nobody has seen begin:
 * those that they were in when functions were bent, also where an APC or a callback
 * has interrupted them. Their returns are told from those of who goes past a
 * function's beginning.
 */
#ifndef LIVE_UNDERWAY_H
#define LIVE_UNDERWAY_H

#include "live/traced.h"

#include <stdbool.h>
#include <stdint.h>

/* Remembers what threads, which are stopped, may come back to by the functions'
 * ends, for all that their stacks say, which they write themselves; with `in` also
 * what they are in just now. `told`: those that were interrupted have been told of.
 * Of each thread some; without memory fewer. */
void underway_note(struct traced *t, const struct os_threads *threads, bool in,
                   bool told);
/* True if the thread's return at `rsp` is that of one, which is forgotten; *told: it
 * was told of. */
bool underway_take(struct traced *t, uint32_t tid, uint64_t rsp, bool *told);
/* The thread enters a call at `rsp`: what was there or below is over. */
void underway_over(struct traced *t, uint32_t tid, uint64_t rsp);
void underway_close(struct traced *t);

#endif
