/* SPDX-License-Identifier: MIT */
/*
 * quiet.h - is a thread of the target in an agent, or may one come back there?
 */
#ifndef LIVE_QUIET_H
#define LIVE_QUIET_H

#include "live/target.h"
#include "platform/target.h"

#include <stdbool.h>
#include <stdint.h>

/* While all threads are stopped: true if none of them is in the agent at `agent`.
 * *doubt: but there is a context, on a stack, that leads there. */
bool quiet_is(const struct target *t, const struct os_threads *threads,
              uint64_t agent, bool *doubt);

#endif
