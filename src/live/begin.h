/* SPDX-License-Identifier: MIT */
/*
 * begin.h - how a process comes to be traced.
 */
#ifndef LIVE_BEGIN_H
#define LIVE_BEGIN_H

#include "base/err.h"
#include "live/session.h"
#include "live/traced.h"
#include "plan/plan.h"

#include <stdbool.h>

/* What has to be recorded. A file is there to be asked later: all that belongs
 * to a call is kept, if it may be shown at all. */
struct plan_wants begin_wants(const struct session *s);

/* What the programs that we trace run on. */
struct call_system begin_system(const struct call_set *own);

/* Opens what is shown: the output, unless it is only recorded, or whoever watches.
 * Only for a program that can be traced: a mistyped name is not to cost an old
 * trace. */
bool begin_output(struct session *s, struct err *e);

/* Reads what --follow names. Before there is a process. */
bool begin_follow(struct session *s, struct err *e);

/* Starts the program that the options name under the agent, suspended, as the
 * session's first process, and opens the plan, and the output: that only for a
 * program that can be started, for a mistyped name is not to cost an old
 * trace. */
bool begin_launch(struct session *s, struct err *e);

/* Tells the model of a process, and of the handles that it has. */
bool begin_told(struct traced *t, str command, struct err *e);

/* Tells the model of a process that is about to run. */
bool begin_process(struct traced *t, str command, struct err *e);
/* Lets it run; `resume`: by us, it was suspended by our will. */
bool begin_go(struct traced *t, bool resume, struct err *e);

/* How a process was made by a traced one. */
struct born {
    uint32_t parent;
    uint32_t tid;   // of the thread that made it
    uint64_t time;  // TSC
};
/* `p` was made by `parent`, and has not run: it belongs to the session, and is
 * ready for begin_go. NULL: it is as it was, and still the caller's, or was
 * ended. */
struct traced *begin_child(struct traced *parent, const struct born *b,
                           struct os_process *p, struct err *e);

/* Prefixes *e's text with the program's name. False. */
bool begin_about(const struct launch_options *o, struct err *e);

#endif
