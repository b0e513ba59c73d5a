/* SPDX-License-Identifier: MIT */
/*
 * attach.h - how a process that runs comes to be traced.
 */
#ifndef LIVE_ATTACH_H
#define LIVE_ATTACH_H

#include "base/err.h"
#include "live/begin.h"
#include "live/session.h"
#include "live/traced.h"

#include <stdbool.h>
#include <stdint.h>

/* Opens all processes that the options name, and puts into them what changes
 * nothing of theirs; each is in the session's list then, as if launched. The
 * plan is opened, and the output: that only if there is something to attach to.
 * False: one cannot be, and *e says which and why. */
bool attach_open(struct session *s, struct err *e);

/* Tells the model of the process, and joins it: stops its threads for a moment,
 * and changes its code. False: it is as it was, and runs. */
bool attach_join(struct traced *t, struct err *e);

/* False: it has begun, and its loader has not: it is too early to join it. */
bool attach_may(const struct os_process *p);

/* Process `pid`, which a traced one has made, and which runs already, is in the
 * session's list, and joined. NULL: it is as it was, and *e says why. */
struct traced *attach_child(struct session *s, const struct born *b,
                            uint32_t pid, struct err *e);

/* Takes back what was put into a process that is not joined: no thread of it
 * has come to that. */
void attach_leave(struct traced *t);

#endif
