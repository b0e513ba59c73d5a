/* SPDX-License-Identifier: MIT */
/*
 * rendezvous.h - what threads of a traced process wait for us to do.
 */
#ifndef LIVE_RENDEZVOUS_H
#define LIVE_RENDEZVOUS_H

#include "live/traced.h"

#include <stdbool.h>

/* A record of `d` that wants an answer: does what it asks for. True: that is
 * done; false: its thread is to do *c first, and to ask again. `waits`: it
 * does wait; a record may say so and not be true. */
bool rendezvous(struct traced *t, struct drained *d,
                const struct record_return *r, bool waits, struct chore *c);
/* Its record has been taken by the model: what was found out goes there. */
void rendezvous_finish(struct drained *d);
/* True if the kernel has said that the thread of `d`, which was asked about, has
 * not come to `rip` by the call that ends there, nor by one that leads anywhere. */
bool rendezvous_is_another(const struct traced *t, const struct drained *d,
                           uint64_t rip);
/* Forgets what it knows of a thread that waited. */
void rendezvous_forget(struct drained *d);
/* What the kernel says `thread`, whose id is `tid`, called last, which spins;
 * false: unknown. `wines`: what Wine's record says, where the kernel cannot be
 * asked: then the thread is not stopped for that. */
bool rendezvous_last_call(struct traced *t, void *thread, uint32_t tid,
                          const struct last_call *wines, uint16_t *number,
                          uint64_t *argument);

#endif
