/* SPDX-License-Identifier: MIT */
/*
 * timing.c - TSC against performance counter.
 */
#include "live/timing.h"

#include "base/banned.h"

/* Between 1601 and 1970, in 100 ns. */
#define UNIX_EPOCH INT64_C(116444736000000000)

static int64_t ns_since_start(const struct timing *t,
                              const struct os_clock *now)
{
    uint64_t hz = os_counter_frequency();
    uint64_t ticks = now->counter - t->start.counter;

    return (int64_t)(ticks / hz * 1000000000 + ticks % hz * 1000000000 / hz);
}

static struct journal_clock point(const struct timing *t,
                                  const struct os_clock *now)
{
    return (struct journal_clock){ .head.time = now->tsc,
                                   .ns = ns_since_start(t, now) };
}

bool timing_tick(struct timing *t, struct journal_clock *out)
{
    struct os_clock now;

    os_clock_read(&now);
    if (now.counter < t->next) {
        return false;
    }
    *out = point(t, &now);
    t->next = now.counter + os_counter_frequency();
    return true;
}

void timing_begin(struct timing *t)
{
    os_clock_read(&t->start);
}

void timing_ready(struct timing *t)
{
    struct os_clock now;
    uint64_t hz = os_counter_frequency();
    double tsc_hz;

    do {
        os_clock_read(&now);
    } while (now.counter - t->start.counter < hz / 200);
    tsc_hz = (double)(now.tsc - t->start.tsc) * (double)hz /
             (double)(now.counter - t->start.counter);
    t->tsc_per_ms = tsc_hz < 1000 ? 1 : (uint64_t)(tsc_hz / 1000);
    t->ready = now;
    t->next = now.counter + hz;
}

void timing_points(const struct timing *t, struct journal_clock out[2])
{
    out[0] = point(t, &t->start);
    out[0].hz = t->tsc_per_ms * 1000;
    out[0].wall_ns = ((int64_t)t->start.wall - UNIX_EPOCH) * 100;
    out[1] = point(t, &t->ready);
}
