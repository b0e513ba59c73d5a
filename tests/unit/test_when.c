/* SPDX-License-Identifier: MIT */
/*
 * test_when - view/when.h: moments as users name them, what lies between two,
 * and what view/tell.h shows of it.
 */
#include "view/when.h"

#include "unit/check.h"
#include "view/tell.h"

#include <stdlib.h>
#include <string.h>

#define S INT64_C(1000000000)
#define HOUR (3600 * S)
#define DAY (24 * HOUR)

#define CHECK_I64(got, want) CHECK_U64((got), (uint64_t)(want))

static void seconds_and_times_of_day_are_read(void)
{
    static const struct {
        const char *text;
        int64_t ns;
        bool of_day;
    } cases[] = {
        { "0", 0, false },
        { "12.5", 12 * S + S / 2, false },
        { "90s", 90 * S, false },
        { "90.25s", 90 * S + S / 4, false },
        { "0.000000001", 1, false },
        { "0.123456789", 123456789, false },
        { "999999999", 999999999 * S, false },
        { "00:00:00", 0, true },
        { "0:0:1", S, true },
        { "23:59:59.999999999", DAY - 1, true },
        { "14:03:07.5", 14 * HOUR + 187 * S + S / 2, true },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct when w = { 0 };
        struct err e = { 0 };

        CHECK(when_parse(&w, str_of(cases[i].text), "--to", &e));
        CHECK_I64(w.ns, cases[i].ns);
        CHECK(w.of_day == cases[i].of_day);
    }
}

static void what_is_no_time_is_said(void)
{
    static const char *const texts[] = {
        "",
        " 1",
        "1 ",
        "-1",
        "+1",
        ".5",
        "1.",
        "1.s",
        "1,5",
        "1e3",
        "0x10",
        "s",
        "1m",
        "1ss",
        "1000000000",
        "99999999999999999999",
        "1.0123456789",
        "12:30",
        "12:",
        "12:30:",
        ":30:00",
        "24:00:00",
        "12:60:00",
        "12:30:60",
        "12:30:00s",
        "12:30:00.",
        "12:30:00:00",
        "012:00:00.x",
        "1:2:003",
        "noon",
        "\xff",
    };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct when w;
        struct err e = { 0 };

        if (when_parse(&w, str_of(texts[i]), "--from", &e)) {
            printf("     '%s'\n", texts[i]);
            CHECK(false);
        }
        CHECK(e.code == ERR_USAGE);
        CHECK(str_starts(str_of(e.text), STR("--from: '")));
    }
    {
        struct when w;
        struct err e = { 0 };

        CHECK(!when_parse(&w, STR("12:30"), "--to", &e));
        CHECK_STR(str_of(e.text),
                  STR("--to: '12:30' is no time; there are seconds from the "
                      "start, as in 12.5, and times of day, as in "
                      "14:03:07.5"));
    }
}

static void a_time_of_day_is_counted_from_the_start(void)
{
    /* 1970-01-02, 23:59:30 UTC. */
    const int64_t late = DAY + DAY - 30 * S;
    static const struct {
        const char *text;
        int32_t offset;  // seconds
        int64_t last;
        int64_t want;
    } cases[] = {
        /* UTC: 23:59:30 */
        { "23:59:30", 0, 0, 0 },
        { "23:59:40.5", 0, 0, 10 * S + S / 2 },
        { "23:59:29", 0, 0, -S },
        { "23:59:29", 0, HOUR, -S },
        /* Over midnight. */
        { "00:00:10", 0, 60 * S, 40 * S },
        { "00:00:30", 0, 60 * S, 60 * S },
        { "00:00:31", 0, 60 * S, 61 * S - DAY },
        { "00:00:10", 0, 0, 40 * S - DAY },
        { "23:59:29", 0, 2 * DAY, DAY - S },
        /* Local: 05:29:30 of the next day. */
        { "05:29:30", 19800, 0, 0 },
        { "05:30:00", 19800, 0, 30 * S },
        { "00:00:00", 19800, 0, -(5 * HOUR + 29 * 60 * S + 30 * S) },
        /* Local: 12:59:30. */
        { "13:00:00", -39600, 0, 30 * S },
        /* What a file may say. */
        { "00:00:00", INT32_MAX, 0, -INT64_C(11617000000000) },
        { "00:00:00", INT32_MIN, 0, -INT64_C(74722000000000) },
        { "1.5", 19800, 0, S + S / 2 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct when w = { 0 };
        struct err e;

        CHECK(when_parse(&w, str_of(cases[i].text), "--to", &e));
        CHECK_I64(when_ns(&w, late, cases[i].offset, cases[i].last),
                  cases[i].want);
    }
    /* Before 1970, and at the ends of what there is. */
    {
        struct when w = { .of_day = true, .ns = 10 * S };

        CHECK_I64(when_ns(&w, -5 * S, 0, 0), 15 * S - DAY);
        CHECK_I64(when_ns(&w, -5 * S, 0, DAY), 15 * S);
        when_ns(&w, INT64_MIN, INT32_MIN, INT64_MAX);
        when_ns(&w, INT64_MAX, INT32_MAX, INT64_MIN);
    }
}

static void a_range_has_both_its_ends(void)
{
    struct clock c;
    struct when_range r = { 0 };

    clock_init(&c, 1000, 1000000000, 0);
    CHECK(when_in(&r, &c, 0) && when_in(&r, &c, UINT64_MAX));
    when_range_set(&r, 10, 20);
    CHECK(!when_in(&r, &c, 1009));
    CHECK(when_in(&r, &c, 1010));
    CHECK(when_in(&r, &c, 1020));
    CHECK(!when_in(&r, &c, 1021));
    CHECK(!when_in(&r, &c, 0));
    CHECK(!when_in(&r, &c, UINT64_MAX));
    when_range_set(&r, INT64_MIN, 0);
    CHECK(when_in(&r, &c, 0) && when_in(&r, &c, 1000));
    CHECK(!when_in(&r, &c, 1001));
    when_range_set(&r, 1, INT64_MAX);
    CHECK(!when_in(&r, &c, 1000) && when_in(&r, &c, 1001));
    when_range_set(&r, 5, 5);
    CHECK(!when_in(&r, &c, 1004) && when_in(&r, &c, 1005) &&
          !when_in(&r, &c, 1006));
}

/* The clock is put right while a call is open. */
static void what_was_said_of_a_time_stays(void)
{
    struct clock c;
    struct when_range r;

    clock_init(&c, 1000, 1000000000, 0);
    when_range_set(&r, 1000, 2000);
    CHECK(!when_in(&r, &c, 1999) && when_in(&r, &c, 2000));
    CHECK(when_in(&r, &c, 3000) && !when_in(&r, &c, 3001));
    clock_add(&c, 11000, 9000);
    CHECK(clock_ns(&c, 2000) < 1000);
    CHECK(!when_in(&r, &c, 1999) && when_in(&r, &c, 2000));
    clock_add(&c, 12000, 90000);
    CHECK(when_in(&r, &c, 3000) && !when_in(&r, &c, 3001));
}

/* --- what is shown --- */

static struct output output;
static struct telling telling;
static struct clock clock;

/* 1970-01-01 23:59:59, UTC; a TSC is a microsecond; TSC 0 is the start. */
static bool open_telling(struct view_options *o, struct err *e)
{
    struct telling_setting setting = { .clock = &clock,
                                       .utc_offset = 3600,
                                       .last_ns = 10 * S };

    memset(&output, 0, sizeof(output));
    memset(&telling, 0, sizeof(telling));
    clock_init(&clock, 0, 1000000, DAY - S);
    o->abbrev = o->arg_names = true;
    return telling_judge(&telling, o, e) &&
           telling_open(&telling, &output, &setting, e);
}

static const struct stub *close_stub(void)
{
    static struct stub stub;

    stub = (struct stub){ .name = STR("NtClose"),
                          .facts = call_find(STR("NtClose")) };
    return &stub;
}

static void tell_call(uint64_t id, uint64_t entry, uint64_t end)
{
    struct call call = {
        .id = id,
        .pid = 1,
        .tid = 2,
        .number_known = true,
        .stub = close_stub(),
        .entry_time = entry,
        .entry_seen = entry != 0,
        .return_time = end,
        .arg_mask = entry != 0,
        .args = { id },
    };

    if (call.entry_seen) {
        telling_enter(&telling, &call);
    }
    call.returned = true;
    telling_leave(&telling, &call);
}

/* Of three seconds each: a call that is returned from later, a call whose
 * entry was not seen, a transition, a loss. */
static void tell_all(void)
{
    struct transition_told apc = { .pid = 1, .tid = 2, .kind = TRANSITION_APC };
    struct notice lost = {
        .pid = 1, .tid = 2, .kind = NOTICE_LOST, .reason = STR("no ring")
    };

    for (uint64_t at = 1; at <= 3; at++) {
        tell_call(0x10 * at, at * 1000000, at * 1000000 + 1500000);
        tell_call(0x10 * at + 1, 0, at * 1000000);
        apc.time = lost.time = at * 1000000;
        lost.count = at;
        telling_transition(&telling, &apc);
        telling_notice(&telling, &lost);
    }
    decoder_flush(&telling.outlets.whole.decoder);
}

/* The lines of that, which nobody writes out. */
static str shown(const char *from, const char *to, bool utc, uint8_t form)
{
    struct view_options o = { .output = STR("x"),
                              .summary_sort = STR(""),
                              .from = str_of(from),
                              .to = str_of(to),
                              .utc = utc,
                              .clock = form };
    static char kept[4096];
    struct buf b = BUF_OVER(kept);
    struct err e = { 0 };

    if (open_telling(&o, &e)) {
        tell_all();
    } else {
        printf("     %s\n", e.text);
        CHECK(false);
    }
    buf_add(&b, (str){ output.lines, output.size });
    telling_close(&telling);
    return buf_str(&b);
}

static void only_what_began_in_the_range_is_shown(void)
{
    static const char first[] =
        "1.2 NtClose(Handle=0x10) = 0\n"
        "1.2 NtClose(Handle=?) = 0\n"
        "1.2 --- APC {Routine=?, Arguments=[?, ?, ?]} ---\n"
        "1.2 +++ lost 1 records: no ring +++\n";
    static const char second[] =
        "1.2 NtClose(Handle=0x20) = 0\n"
        "1.2 NtClose(Handle=?) = 0\n"
        "1.2 --- APC {Routine=?, Arguments=[?, ?, ?]} ---\n"
        "1.2 +++ lost 2 records: no ring +++\n";
    static const char third[] =
        "1.2 NtClose(Handle=0x30) = 0\n"
        "1.2 NtClose(Handle=?) = 0\n"
        "1.2 --- APC {Routine=?, Arguments=[?, ?, ?]} ---\n"
        "1.2 +++ lost 3 records: no ring +++\n";
    static const struct {
        const char *from;
        const char *to;
        const char *want[3];
    } cases[] = {
        { "", "", { first, second, third } },
        { "0", "3", { first, second, third } },
        { "1", "3", { first, second, third } },
        { "1.5", "", { second, third } },
        { "", "2", { first, second } },
        { "2", "2s", { second } },
        { "1.000001", "2.999999", { second } },
        { "4", "", { NULL } },
        { "", "0.999999", { NULL } },
        /* It begins at 00:59:59 where it was recorded. */
        { "1:00:00", "", { first, second, third } },
        { "1:00:01", "", { second, third } },
        { "0:59:59", "1:00:01", { first, second } },
        { "0:59:58", "1:00:00.5", { first } },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char want[1000];
        struct buf b = BUF_OVER(want);

        for (size_t k = 0; k < 3; k++) {
            buf_add(&b, str_of(cases[i].want[k]));
        }
        CHECK_STR(shown(cases[i].from, cases[i].to, false, 0), buf_str(&b));
    }
}

static void times_of_day_are_those_of_the_recorder_or_utc(void)
{
    CHECK_STR(str_slice(shown("1:00:00", "1:00:00", false, 1), 0, 12),
              STR("1.2 01:00:00"));
    CHECK_STR(str_slice(shown("1", "1", true, 1), 0, 12), STR("1.2 00:00:00"));
    /* Over midnight: it began at 23:59:59, UTC. */
    CHECK_STR(str_slice(shown("0:00:00", "0:00:00", true, 1), 0, 12),
              STR("1.2 00:00:00"));
    CHECK_STR(shown("0:00:03", "", true, 1), STR(""));
    /* It is over before that: not the next day's. */
    CHECK_STR(str_slice(shown("1:00:00", "", true, 1), 0, 12),
              STR("1.2 00:00:00"));
}

static void calls_out_of_the_range_are_not_counted(void)
{
    struct view_options o = { .output = STR("x"),
                              .summary_sort = STR(""),
                              .summary_only = true,
                              .from = STR("1.5"),
                              .to = STR("2.5") };
    struct err e = { 0 };
    str line, rest;
    bool found = false;

    CHECK(open_telling(&o, &e));
    tell_all();
    output.size = 0;
    summary_write(telling.summary, output_line, &output);
    rest = (str){ output.lines, output.size };
    while (str_cut(rest, '\n', &line, &rest)) {
        if (str_ends(line, STR(" NtClose"))) {
            found = true;
            CHECK(str_ends(line, STR(" 2           NtClose")) ||
                  str_ends(line, STR(" 2         0 NtClose")));
        }
    }
    CHECK(found);
    telling_close(&telling);
}

static void from_is_not_later_than_to(void)
{
    static const struct {
        const char *from;
        const char *to;
        const char *want;
    } cases[] = {
        { "2", "1", "--from: is later than --to" },
        { "1:00:05", "5", "--from: is later than --to" },
        { "3", "0:59:58", "--from: is later than --to" },
        { "x", "1", "--from: 'x' is no time;" },
        { "1", "x", "--to: 'x' is no time;" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct view_options o = { .output = STR("x"),
                                  .summary_sort = STR(""),
                                  .from = str_of(cases[i].from),
                                  .to = str_of(cases[i].to) };
        struct err e = { 0 };

        CHECK(!open_telling(&o, &e));
        CHECK(e.code == ERR_USAGE);
        CHECK_STR(str_slice(str_of(e.text), 0, strlen(cases[i].want)),
                  str_of(cases[i].want));
        telling_close(&telling);
    }
}

int main(void)
{
    const struct test tests[] = {
        TEST(seconds_and_times_of_day_are_read),
        TEST(what_is_no_time_is_said),
        TEST(a_time_of_day_is_counted_from_the_start),
        TEST(a_range_has_both_its_ends),
        TEST(what_was_said_of_a_time_stays),
        TEST(only_what_began_in_the_range_is_shown),
        TEST(times_of_day_are_those_of_the_recorder_or_utc),
        TEST(calls_out_of_the_range_are_not_counted),
        TEST(from_is_not_later_than_to),
    };

    return check_run(tests, COUNT_OF(tests));
}
