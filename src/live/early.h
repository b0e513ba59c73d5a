/* SPDX-License-Identifier: MIT */
/*
 * early.h - threads that were in a call when we came: the call is told of, as
 * far as it is known, and the thread with it, before it has a ring.
 */
#ifndef LIVE_EARLY_H
#define LIVE_EARLY_H

#include "live/traced.h"
#include "platform/target.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* They are stopped, at `time`: those in a call of a function that is known are
 * told of. */
void early_tell(struct traced *t, uint64_t time, const struct os_stopped *s,
                size_t count);
/* The thread that a ring is of now, if it was one of them; NULL: it was not. */
struct model_thread *early_take(struct traced *t, uint32_t tid, uint64_t teb);
/* Those that have no ring yet bring nothing older than `bound`; `ends`: some
 * may have ended. */
void early_look(struct traced *t, uint64_t bound, bool ends);
void early_close(struct traced *t);

#endif
