/* SPDX-License-Identifier: MIT */
/*
 * rings.h - the words of the rings of one process: who waits for us, for room
 * or for an answer, and the answers.
 */
#ifndef LIVE_RINGS_H
#define LIVE_RINGS_H

#include "live/traced.h"

#include <stdbool.h>
#include <stdint.h>

/* What stands in a ring's words, read once each. */
struct ring_words {
    uint32_t asked;
    uint64_t inside;
    uint32_t waiting;
    uint32_t head;
};
struct ring_words rings_read(const struct drained *d);

/* Answers what `d` has asked as `asked`, with what it is to do first. */
void rings_answer(struct drained *d, uint32_t asked, const struct chore *c);
/* The process that the thread of `d` has made, and has as handle `process`, is
 * being changed, or with 0 is not any more: should we end meanwhile, it does so
 * as well. */
void rings_hold_child(struct drained *d, uint64_t process);
/* Mends what somebody has written over. */
void rings_answer_again(struct drained *d, const struct ring_words *w);
/* What the thread of `d` found out by a chore. */
struct region_told rings_told(const struct drained *d);
/* True if the thread of `d` cannot go on without us. */
bool rings_waits(const struct drained *d);
/* True if a ring is more than half full, or its thread waits for us. */
bool rings_pressing(struct traced *t);
/* True if something was left in a ring that can be taken later. */
bool rings_left(const struct traced *t);
/* Lets threads sleep no longer whose ring has room or whose answer is
 * there. True if some are still on their way. */
bool rings_wake(struct traced *t);
/* True if some thread of the target waits for us. For struct os_process. */
bool rings_waited_for(void *traced);

#endif
