/* SPDX-License-Identifier: MIT */
/*
 * timing.h - how fast the TSC counts, and what time it shows.
 *
 * Records carry the TSC. It is compared with the performance counter at the
 * start and once a second; wall time comes from one reading at the start.
 */
#ifndef LIVE_TIMING_H
#define LIVE_TIMING_H

#include "model/clock.h"
#include "platform/os.h"

#include <stdint.h>

struct timing {
    struct clock clock;
    struct os_clock start;
    uint64_t next;        // performance counter at the next comparison
    uint64_t tsc_per_ms;  // at least 1
};

/* The first reading. */
void timing_begin(struct timing *t);
/* The second one, at least five milliseconds later: waits if it is not time
 * yet. Only from then on is all of *t there. */
void timing_ready(struct timing *t);
/* Compares again if it is time to. */
void timing_tick(struct timing *t);

#endif
