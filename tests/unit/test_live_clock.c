/* SPDX-License-Identifier: MIT */
/*
 * test_live_clock - fake/clock.h, by which the stories of test_live_session
 * have their deadlines: what of it is another's moment must not come early, or
 * late.
 */
#include "fake/clock.h"
#include "unit/check.h"

static uint64_t ms_now(void)
{
    struct os_clock c;

    os_clock_read(&c);
    return c.counter * 1000 / os_counter_frequency();
}

static void a_deadline_comes_at_its_time(void)
{
    struct err e;
    void *event = os_event_open(false, &e);
    uint64_t from = ms_now();

    CHECK(os_wait(&event, 1, 300000) == -1);
    CHECK_U64(ms_now() - from, 300000);
    os_sleep(86400000);
    CHECK_U64(ms_now() - from, 86700000);
    CHECK_U64(os_tsc() / 1000000, ms_now());
    os_event_close(event);
}

/* A thread that is there after `ms`, and says when that was. */
struct runner {
    uint32_t ms;
    void *done;
    uint64_t at;
};

static void runs(void *arg)
{
    struct runner *r = arg;

    os_sleep(r->ms);
    r->at = ms_now();
    os_event_set(r->done);
}

static void the_first_moment_comes_first(void)
{
    struct err e;
    struct runner runners[] = { { .ms = 70 }, { .ms = 30 }, { .ms = 50 } };
    struct os_thread_start starts[3];
    void *threads[3], *events[3];
    uint64_t from = ms_now();

    for (int i = 0; i < 3; i++) {
        events[i] = os_event_open(false, &e);
        runners[i].done = events[i];
        starts[i] = (struct os_thread_start){ runs, &runners[i] };
        CHECK(os_thread_run(&threads[i], &starts[i], &e));
    }
    CHECK(os_wait(events, 3, 1000) == 1);
    CHECK_U64(ms_now() - from, 30);
    CHECK(os_wait(events, 3, 10) == -1);
    CHECK_U64(ms_now() - from, 40);
    CHECK(os_wait(events, 3, 1000) == 2);
    os_thread_join(threads[0]);
    CHECK_U64(ms_now() - from, 70);
    for (int i = 0; i < 3; i++) {
        CHECK_U64(runners[i].at - from, runners[i].ms);
        if (i > 0) {
            os_thread_join(threads[i]);
        }
        os_event_close(events[i]);
    }
}

static void who_only_looks_sees_it_pass(void)
{
    uint64_t until = os_tsc() + 5000000;
    unsigned looks = 0;

    while (os_tsc() < until) {
        looks++;
    }
    CHECK(looks > 1000);
}

int main(void)
{
    const struct test tests[] = {
        TEST(a_deadline_comes_at_its_time),
        TEST(the_first_moment_comes_first),
        TEST(who_only_looks_sees_it_pass),
    };

    return check_run(tests, COUNT_OF(tests));
}
