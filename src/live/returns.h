/* SPDX-License-Identifier: MIT */
/*
 * returns.h - returns without the callback, and functions that are bent again.
 *
 * Where the callback is refused, not wanted or lost, the ends of the functions are
 * bent as well as their heads (tables/amd64/stubs.h): what the kernel returns to
 * leads to where it would have gone to the callback. Transitions and direct calls
 * are not seen then.
 */
#ifndef LIVE_RETURNS_H
#define LIVE_RETURNS_H

#include "base/err.h"
#include "live/keeper.h"
#include "live/traced.h"

#include <stdbool.h>
#include <stdint.h>

/* How far a process is whose callback was refused when it began. */
enum returns_state {
    RETURNS_CHORE,  // its thread is to do *c first
    RETURNS_DONE,
    RETURNS_FAILED,  // *e says why
};

/* The thread that has begun waits for us, or not; `status` is that of the last
 * chore. It is told at `time`. */
enum returns_state returns_begin(struct traced *t, uint64_t time, bool waits,
                                 uint32_t status, struct chore *c,
                                 struct err *e);
/* While a program is joined, and all are stopped: the same, but that its bytes are
 * not put yet. *again: a thread stands where it must not; then they are to be let
 * run and stopped once more. */
bool returns_join(struct traced *t, const struct os_threads *threads,
                  bool *again, struct err *e);
/* True if no thread stands where the ends of functions must not be changed. */
bool returns_may_change(const struct target *t,
                        const struct os_threads *threads);
/* A thread has entered so many calls in a row, none of which has returned: the
 * callback may be gone. */
void returns_miss(struct traced *t, uint32_t entries, uint64_t time);
/* `count` functions of a module are as they were before us. With --repatch they are
 * bent again; else, or if that does not work, it is said. */
void returns_put_back(struct traced *t, uint64_t time, bool win32u,
                      size_t count);
/* Looks whether any are, and does what is to be done about all that, once nobody
 * waits for us; `m` goes on for as long. Of each process, at every turn. */
void returns_turn(struct traced *t, const struct meanwhile *m);

#endif
