/* SPDX-License-Identifier: MIT */
/*
 * test_clock - model/clock.h.
 */
#include "model/clock.h"

#include "unit/check.h"

#define GHZ 1000000000ull

static void time_goes_by_the_first_guess(void)
{
    struct clock c;

    clock_init(&c, 1000, 3 * GHZ, 7);
    CHECK(clock_ns(&c, 1000) == 0);
    CHECK(clock_ns(&c, 1000 + 3 * GHZ) == 1000000000);
    CHECK(clock_ns(&c, 1003) == 1);
    CHECK(clock_ns(&c, 400) == -200);
    CHECK(c.wall_ns == 7);
}

static void points_bend_time(void)
{
    struct clock c;

    clock_init(&c, 0, GHZ, 0);
    clock_add(&c, 2 * GHZ, 1000000000);
    CHECK(clock_ns(&c, GHZ) == 500000000);
    CHECK(clock_ns(&c, 4 * GHZ) == 2000000000);
    clock_add(&c, 3 * GHZ, 2000000000);
    CHECK(clock_ns(&c, GHZ) == 500000000);
    CHECK(clock_ns(&c, 3 * GHZ) == 2000000000);
    CHECK(clock_ns(&c, 5 * GHZ / 2) == 1500000000);
}

static void points_that_go_back_are_ignored(void)
{
    struct clock c;

    clock_init(&c, 1000, GHZ, 0);
    clock_add(&c, 1000, 5);
    clock_add(&c, 900, 5);
    clock_add(&c, 2000, 0);
    CHECK_U64(c.count, 1);
}

/* An hour of seconds, each measured a little wrongly. */
static void time_never_goes_back(void)
{
    struct clock c;
    uint64_t hz = 2995200000;
    int64_t last = -1;
    bool forward = true;
    bool close = true;

    clock_init(&c, 0, 3 * GHZ, 0);
    for (int64_t s = 1; s <= 3600; s++) {
        clock_add(&c, (uint64_t)s * hz, s * 1000000000 + (s * 7919) % 400);
        for (uint64_t i = 0; i < 10; i++) {
            uint64_t tsc = (uint64_t)s * hz + i * hz / 11;
            int64_t ns = clock_ns(&c, tsc);
            int64_t right = s * 1000000000 + (int64_t)i * 1000000000 / 11;

            forward &= ns >= last;
            close &= ns - right < 1000 && right - ns < 1000;
            last = ns;
        }
    }
    CHECK(forward);
    CHECK(close);
    CHECK_U64(c.count, CLOCK_POINTS);
    CHECK(c.points[0].tsc == 0);
}

static void no_time_overflows(void)
{
    struct clock c;

    clock_init(&c, UINT64_MAX / 2, 3 * GHZ, 0);
    CHECK(clock_ns(&c, UINT64_MAX) > 0);
    CHECK(clock_ns(&c, 0) < 0);
    clock_init(&c, 0, 1, 0);
    CHECK(clock_ns(&c, UINT64_MAX) == INT64_MAX);
    clock_add(&c, 1, INT64_MAX);
    CHECK(clock_ns(&c, UINT64_MAX) == INT64_MAX);
}

static void a_clock_that_nobody_has_set_shows_nothing(void)
{
    struct clock c = { .count = 0 };

    CHECK(clock_ns(&c, 0) == 0);
    CHECK(clock_ns(&c, UINT64_MAX) == 0);
}

int main(void)
{
    const struct test tests[] = {
        TEST(time_goes_by_the_first_guess),
        TEST(points_bend_time),
        TEST(points_that_go_back_are_ignored),
        TEST(time_never_goes_back),
        TEST(no_time_overflows),
        TEST(a_clock_that_nobody_has_set_shows_nothing),
    };

    return check_run(tests, COUNT_OF(tests));
}
