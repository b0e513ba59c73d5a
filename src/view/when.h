/* SPDX-License-Identifier: MIT */
/*
 * when.h - moments as users name them, and what lies between two of them.
 *
 *     12.5, 12.5s       seconds from the start
 *     hh:mm:ss[.f]      time of day, of the day in which it began
 *
 * A range is asked about TSCs. A clock may say better later how late one was;
 * a range never takes back what it has said of it, or of what lies beyond it:
 * a call that is shown when it begins is shown when it ends.
 */
#ifndef VIEW_WHEN_H
#define VIEW_WHEN_H

#include "base/err.h"
#include "base/str.h"
#include "model/clock.h"

#include <stdbool.h>
#include <stdint.h>

struct when {
    bool of_day;
    int64_t ns;  // from the start, or from midnight; 0 or more
};

/* Reads `text`. On failure *e says which `option` it was behind, and what
 * there is. */
bool when_parse(struct when *out, str text, const char *option, struct err *e);

/* Nanoseconds from a start that was `wall_ns` after 1970 (UTC), where local
 * time is `utc_offset` seconds ahead of UTC. A time of day before that of the
 * start is one of the next day if that is not later than `last_ns` from the
 * start, else it was before the start: negative. */
int64_t when_ns(const struct when *w, int64_t wall_ns, int32_t utc_offset,
                int64_t last_ns);

/* Where something begins, in nanoseconds and in TSCs as far as is known. */
struct when_edge {
    int64_t ns;
    uint64_t before;  // TSCs up to this one are before it
    uint64_t behind;  // TSCs from this one on are not
};

/* Zeroed: everything lies in it, at no cost. */
struct when_range {
    bool limited;
    struct when_edge from;  // the first that lies in it
    struct when_edge end;   // the first that does not
};

/* From `from` to `to`, both in it. */
void when_range_set(struct when_range *r, int64_t from, int64_t to);
bool when_range_asked(struct when_range *r, const struct clock *c,
                      uint64_t tsc);

static inline bool when_in(struct when_range *r, const struct clock *c,
                           uint64_t tsc)
{
    return !r->limited || when_range_asked(r, c, tsc);
}

#endif
