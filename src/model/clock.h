/* SPDX-License-Identifier: MIT */
/*
 * clock.h - from the TSC of a record to seconds.
 *
 * A clock knows points: at this TSC it was this many nanoseconds after the
 * start, by a clock that is known to be right. Between two points it draws a
 * line; after the last one it goes on as fast as over the last few points,
 * and before the first one as between the first two. With fewer than two
 * points it goes by `hz`; without any it stands at 0.
 */
#ifndef MODEL_CLOCK_H
#define MODEL_CLOCK_H

#include "wire/journal.h"

#include <stdint.h>

#define CLOCK_POINTS 16

struct clock_point {
    uint64_t tsc;
    int64_t ns;
};

struct clock {
    struct clock_point points[CLOCK_POINTS];  // rising in both
    uint32_t count;
    uint64_t hz;      // first guess, TSC per second
    int64_t wall_ns;  // Unix time, UTC, of ns 0
};

/* A clock that shows 0 ns at `tsc`, and `wall_ns` since 1970 (UTC). `hz` is
 * how fast the TSC is believed to count, not 0. */
void clock_init(struct clock *c, uint64_t tsc, uint64_t hz, int64_t wall_ns);

/* What a CLOCK says; before the first one, one that only adds says nothing. */
void clock_take(struct clock *c, const struct journal_clock *r);

/* Says that `tsc` was `ns` after the start. Ignored unless both are later
 * than the last point's. When there is no more room the second oldest point
 * goes: the oldest is what time counts from. */
void clock_add(struct clock *c, uint64_t tsc, int64_t ns);

/* Nanoseconds after the start; negative before. Never less for a later tsc,
 * as long as no point comes in between. 0 if it was never set. */
int64_t clock_ns(const struct clock *c, uint64_t tsc);

#endif
