/* SPDX-License-Identifier: MIT */
/*
 * keeper.h - our half of the keeper, a thread of ours in the target that stops
 * its threads and opens its pages (agent/keeper.c).
 *
 * It is there from keeper_start to keeper_end, and while it is there nobody
 * stays stopped: it undoes what it has done when we die. Each function returns
 * false, with a reason, if it does not answer in time, or says no.
 */
#ifndef LIVE_KEEPER_H
#define LIVE_KEEPER_H

#include "base/err.h"
#include "live/target.h"
#include "wire/section.h"

#include <stdbool.h>

/* What to do while it has not answered, and threads run: NULL: nothing. */
struct meanwhile {
    void (*run)(void *ctx);
    void *ctx;
};

/* Makes it, in the agent that is there, and waits until it is at its place. If
 * it is not in time it will end by itself, whenever it gets there; so the
 * agent must stay. */
bool keeper_start(struct target *t, const struct meanwhile *m, struct err *e);
/* An order with no pages, or about some. */
bool keeper_order(struct target *t, enum keeper_what what, struct err *e);
bool keeper_pages(struct target *t, enum keeper_what what,
                  struct target_pages pages, struct err *e);
/* Stops all threads but it, and sees what they look like: *threads, the
 * caller's. Tries again where one does not stop. False: all of them run. */
bool keeper_stop(struct target *t, struct os_threads **threads, struct err *e);
/* They go on, and *threads is given back. */
bool keeper_go(struct target *t, struct os_threads **threads, struct err *e);
/* While they are stopped: puts `bytes` where pages of code are. */
bool keeper_write(struct target *t, uint64_t to, const uint8_t *bytes,
                  size_t size, struct err *e);
/* The last order, KEEPER_END or KEEPER_LEAVE. Nobody is stopped. True: the
 * thread is no more; false: it is on its way, or not even that. */
bool keeper_end(struct target *t, enum keeper_what what,
                const struct meanwhile *m);
/* One that was on its way may be gone by now. */
void keeper_look(struct target *t);
void keeper_close(struct target *t);

#endif
