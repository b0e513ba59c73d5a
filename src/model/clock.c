/* SPDX-License-Identifier: MIT */
/*
 * clock.c - from the TSC of a record to seconds.
 *
 * Integers only, so that the same trace shows the same times everywhere.
 * Touches only the clock it is given; cannot fail.
 */
#include "model/clock.h"

#include <string.h>

#include "base/banned.h"

#define NS 1000000000

/* a * b / c without overflow in between, for c > 0; saturates. */
static uint64_t scale(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t whole = a / c;
    uint64_t rest = a % c;
    uint64_t high;

    if (whole > (uint64_t)INT64_MAX / (b ? b : 1)) {
        return INT64_MAX;
    }
    /* rest < c: shift both down until rest * b fits. */
    while (rest != 0 && b > UINT64_MAX / rest) {
        rest >>= 1;
        c >>= 1;
    }
    high = whole * b + (c ? rest * b / c : 0);
    return high < INT64_MAX ? high : INT64_MAX;
}

void clock_init(struct clock *c, uint64_t tsc, uint64_t hz, int64_t wall_ns)
{
    memset(c, 0, sizeof(*c));
    c->points[0].tsc = tsc;
    c->count = 1;
    c->hz = hz ? hz : 1;
    c->wall_ns = wall_ns;
}

void clock_add(struct clock *c, uint64_t tsc, int64_t ns)
{
    const struct clock_point *last = &c->points[c->count - 1];

    if (tsc <= last->tsc || ns <= last->ns) {
        return;
    }
    if (c->count == CLOCK_POINTS) {
        memmove(&c->points[1], &c->points[2],
                (CLOCK_POINTS - 2) * sizeof(c->points[0]));
        c->count--;
    }
    c->points[c->count].tsc = tsc;
    c->points[c->count].ns = ns;
    c->count++;
}

/* `tsc` on the line through `from`, which is as steep as from `a` to `b`. */
static int64_t on_line(const struct clock *c, const struct clock_point *from,
                       const struct clock_point *a, const struct clock_point *b,
                       uint64_t tsc)
{
    uint64_t ns = NS;
    uint64_t ticks = c->hz;

    if (b->tsc > a->tsc) {
        ns = (uint64_t)(b->ns - a->ns);
        ticks = b->tsc - a->tsc;
    }
    if (tsc >= from->tsc) {
        uint64_t add = scale(tsc - from->tsc, ns, ticks);

        return add > (uint64_t)(INT64_MAX - from->ns) ? INT64_MAX
                                                      : from->ns + (int64_t)add;
    }
    return from->ns - (int64_t)scale(from->tsc - tsc, ns, ticks);
}

int64_t clock_ns(const struct clock *c, uint64_t tsc)
{
    const struct clock_point *p = c->points;
    uint32_t last = c->count - 1;

    if (c->count == 0) {
        return 0;
    }
    if (last == 0) {
        return on_line(c, &p[0], &p[0], &p[0], tsc);
    }
    if (tsc >= p[last].tsc) {
        /* A single second is too short to measure a second well. */
        return on_line(c, &p[last], &p[last > 8 ? last - 8 : 0], &p[last], tsc);
    }
    for (uint32_t i = last; i-- > 0;) {
        if (tsc >= p[i].tsc || i == 0) {
            return on_line(c, &p[i], &p[i], &p[i + 1], tsc);
        }
    }
    return 0;
}

void clock_take(struct clock *c, const struct journal_clock *r)
{
    if (r->hz != 0) {
        clock_init(c, r->head.time, r->hz, r->wall_ns);
    } else if (c->count > 0) {
        clock_add(c, r->head.time, r->ns);
    }
}
