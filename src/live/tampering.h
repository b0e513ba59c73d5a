/* SPDX-License-Identifier: MIT */
/*
 * tampering.h - our half of rules that change calls: what the agent cannot
 * know about one, and how often each applied.
 */
#ifndef LIVE_TAMPERING_H
#define LIVE_TAMPERING_H

#include "live/traced.h"

#include <stdbool.h>
#include <stdint.h>

/* The thread of `d` waits with the ENTRY `record`, whose uses ask what the call
 * is about: writes down which of them hold, for its answer. False: it is to do
 * *c, and then to be judged again. */
bool tampering_judge(struct traced *t, struct drained *d, const uint8_t *record,
                     struct chore *c);
/* Adds up how often rules applied in a process, once. */
void tampering_collect(struct traced *t);
/* Notes rules that never did. */
void tampering_tell(struct session *s);

#endif
