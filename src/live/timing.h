/* SPDX-License-Identifier: MIT */
/*
 * timing.h - how fast the TSC counts, and what time it shows.
 *
 * Records carry the TSC. It is compared with the performance counter at the
 * start and once a second; wall time comes from one reading at the start. What
 * was found goes into the journal, as CLOCK.
 */
#ifndef LIVE_TIMING_H
#define LIVE_TIMING_H

#include "platform/os.h"
#include "wire/journal.h"

#include <stdbool.h>
#include <stdint.h>

struct timing {
    struct os_clock start;
    struct os_clock ready;
    uint64_t next;        // performance counter at the next comparison
    uint64_t tsc_per_ms;  // at least 1
};

/* The first reading. */
void timing_begin(struct timing *t);
/* The second one, at least five milliseconds later: waits if it is not time
 * yet. Only from then on is all of *t there. */
void timing_ready(struct timing *t);
/* The two of them, as CLOCKs. */
void timing_points(const struct timing *t, struct journal_clock out[2]);
/* Compares again if it is time to: true, and *out is one more. */
bool timing_tick(struct timing *t, struct journal_clock *out);

#endif
