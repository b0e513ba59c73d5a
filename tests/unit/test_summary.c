/* SPDX-License-Identifier: MIT */
/*
 * test_summary - format/summary.c: the tables of -c, exactly.
 */
#include "format/summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/check.h"

static char out[1 << 20];
static size_t out_size;

static void collect(void *ctx, str line)
{
    (void)ctx;
    CHECK(str_ends(line, STR("\n")));
    if (out_size + line.size > sizeof(out)) {
        abort();
    }
    memcpy(out + out_size, line.p, line.size);
    out_size += line.size;
}

static str table(const struct summary *s)
{
    out_size = 0;
    summary_write(s, collect, NULL);
    return (str){ out, out_size };
}

static void part(struct summary *s, uint32_t tid, str name,
                 enum sink_part which, struct sink_end end)
{
    struct sink *sink = summary_sink(s);
    struct sink_head head = { .pid = 32, .tid = tid };

    sink->ops->call_begin(sink, &head, name, which);
    sink->ops->call_end(sink, &end);
}

/* A whole call of thread 36 that took `ns`. */
static void call(struct summary *s, str name, uint64_t ns, bool failed)
{
    part(s, 36, name, PART_WHOLE,
         (struct sink_end){ .took = TOOK_TIME, .ns = ns, .failed = failed });
}

static void wait_for(struct summary *s, str name, uint64_t ns)
{
    part(s, 36, name, PART_WHOLE,
         (struct sink_end){ .took = TOOK_TIME, .ns = ns, .waits = true });
}

static struct summary *open_by(enum summary_column sort)
{
    struct summary *s = summary_open(&(struct summary_options){ .sort = sort });

    if (!s) {
        abort();
    }
    return s;
}

#define HEAD                                                               \
    "% time     seconds  usecs/call         min         max     calls    " \
    "errors syscall\n"
#define WAITS                                                              \
    "waits      seconds  usecs/call         min         max     calls    " \
    "errors syscall\n"
#define RULE                                                            \
    "------ ----------- ----------- ----------- ----------- --------- " \
    "--------- ----------------\n"

static void calls_and_waits_have_a_table_each(void)
{
    struct summary *s = open_by(SUMMARY_TIME);

    call(s, STR("NtClose"), 1000, false);
    call(s, STR("NtClose"), 3999, true);
    call(s, STR("NtOpenFile"), 15001000, true);
    call(s, STR("NtOpenFile"), 9000, false);
    call(s, STR("syscall_?"), 0, false);
    wait_for(s, STR("NtDelayExecution"), 2500000000);
    wait_for(s, STR("NtDelayExecution"), 500000000);
    CHECK_STR(
        table(s),
        STR(HEAD RULE
            " 99.97    0.015010        7505    0.000009    0.015001         2"
            "         1 NtOpenFile\n"
            "  0.03    0.000004           2    0.000001    0.000003         2"
            "         1 NtClose\n"
            "  0.00    0.000000           0    0.000000    0.000000         1"
            "           syscall_?\n" RULE
            "100.00    0.015014        3002    0.000000    0.015001         5"
            "         2 total\n"
            "\n" WAITS RULE
            "          3.000000     1500000    0.500000    2.500000         2"
            "           NtDelayExecution\n" RULE
            "          3.000000     1500000    0.500000    2.500000         2"
            "           total\n"));
    summary_close(s);
}

static void nothing_is_a_table_too(void)
{
    struct summary *s = open_by(SUMMARY_TIME);

    CHECK_STR(table(s),
              STR(HEAD RULE RULE
                  "  0.00    0.000000           0    0.000000    0.000000"
                  "         0           total\n"));
    wait_for(s, STR("NtDelayExecution"), 1000000);
    CHECK_STR(table(s),
              STR(WAITS RULE
                  "          0.001000        1000    0.001000    0.001000"
                  "         1           NtDelayExecution\n" RULE
                  "          0.001000        1000    0.001000    0.001000"
                  "         1           total\n"));
    summary_close(s);
    summary_close(NULL);
}

/* Two parts are one call; no return, or no entry, is no time. */
static void split_and_open_calls_count_once(void)
{
    struct summary *s = open_by(SUMMARY_TIME);
    struct sink_end open = { .took = TOOK_NOTHING };
    struct sink_end closed = { .took = TOOK_TIME, .ns = 2000, .failed = true };
    struct sink_end unknown = { .took = TOOK_UNKNOWN, .failed = true };

    part(s, 36, STR("NtA"), PART_ENTRY, open);
    part(s, 36, STR("NtB"), PART_ENTRY, open);
    part(s, 36, STR("NtA"), PART_RETURN, closed);
    part(s, 36, STR("NtC"), PART_WHOLE, unknown);
    part(s, 36, STR("NtA"), PART_WHOLE, open);
    CHECK_STR(
        table(s),
        STR(HEAD RULE
            "100.00    0.000002           2    0.000002    0.000002         2"
            "         1 NtA\n"
            "     ?           ?           ?           ?           ?         1"
            "           NtB\n"
            "     ?           ?           ?           ?           ?         1"
            "         1 NtC\n" RULE
            "100.00    0.000002           2    0.000002    0.000002         4"
            "         2 total\n"));
    summary_close(s);
}

/* As without a patch: counts, and no times. */
static void no_times_at_all(void)
{
    struct summary *s = open_by(SUMMARY_TIME);
    struct sink_end unknown = { .took = TOOK_UNKNOWN };

    part(s, 36, STR("NtA"), PART_WHOLE, unknown);
    unknown.waits = true;
    part(s, 36, STR("NtW"), PART_WHOLE, unknown);
    CHECK_STR(
        table(s),
        STR(HEAD RULE
            "     ?           ?           ?           ?           ?         1"
            "           NtA\n" RULE
            "     ?           ?           ?           ?           ?         1"
            "           total\n"
            "\n" WAITS RULE
            "                 ?           ?           ?           ?         1"
            "           NtW\n" RULE
            "                 ?           ?           ?           ?         1"
            "           total\n"));
    summary_close(s);
}

/* The first letters of the rows, in order. */
static void order_is(enum summary_column sort, str want)
{
    struct summary *s = open_by(sort);
    char got[8];
    struct buf b = BUF_OVER(got);
    str rest;
    str line;

    /* `?` has no time, and comes behind one of no length. */
    part(s, 36, STR("?"), PART_WHOLE, (struct sink_end){ 0 });
    call(s, STR("e"), 0, false);
    call(s, STR("d"), 900, false);
    call(s, STR("b"), 100, false);
    call(s, STR("b"), 2000, true);
    call(s, STR("a"), 100, false);
    call(s, STR("a"), 100, false);
    call(s, STR("a"), 100, false);
    call(s, STR("c"), 1000, true);
    call(s, STR("c"), 1000, true);
    rest = table(s);
    while (str_cut(rest, '\n', &line, &rest)) {
        if (line.p[0] == ' ') {
            buf_add(&b, str_slice(line, line.size - 1, line.size));
        }
    }
    CHECK_STR(buf_str(&b), want);
    summary_close(s);
}

static void rows_are_sorted_by_any_column(void)
{
    order_is(SUMMARY_TIME, STR("bcdae?"));
    order_is(SUMMARY_CALLS, STR("abc?de"));
    order_is(SUMMARY_ERRORS, STR("cb?ade"));
    order_is(SUMMARY_NAME, STR("?abcde"));
    order_is(SUMMARY_MIN, STR("cdabe?"));
    order_is(SUMMARY_MAX, STR("bcdae?"));
    order_is(SUMMARY_AVERAGE, STR("bcdae?"));
    order_is(SUMMARY_NOTHING, STR("?edbac"));
}

static void each_thread_has_its_own(void)
{
    struct summary *s =
        summary_open(&(struct summary_options){ .by = SUMMARY_BY_THREAD });
    struct sink_end end = { .took = TOOK_TIME, .ns = 1000 };

    CHECK(s != NULL);
    part(s, 44, STR("NtB"), PART_WHOLE, end);
    part(s, 36, STR("NtA"), PART_WHOLE, end);
    part(s, 36, STR("NtB"), PART_WHOLE, end);
    end.waits = true;
    part(s, 44, STR("NtW"), PART_WHOLE, end);
    CHECK_STR(
        table(s),
        STR("32.44:\n" HEAD RULE
            "100.00    0.000001           1    0.000001    0.000001         1"
            "           NtB\n" RULE
            "100.00    0.000001           1    0.000001    0.000001         1"
            "           total\n\n" WAITS RULE
            "          0.000001           1    0.000001    0.000001         1"
            "           NtW\n" RULE
            "          0.000001           1    0.000001    0.000001         1"
            "           total\n"
            "\n32.36:\n" HEAD RULE
            " 50.00    0.000001           1    0.000001    0.000001         1"
            "           NtA\n"
            " 50.00    0.000001           1    0.000001    0.000001         1"
            "           NtB\n" RULE
            "100.00    0.000002           1    0.000001    0.000001         2"
            "           total\n"));
    summary_close(s);
}

/* Its calls, whichever thread makes them; an id that comes again is another
 * process. */
static void each_process_has_its_tables(void)
{
    struct summary *s =
        summary_open(&(struct summary_options){ .by = SUMMARY_BY_PROCESS });
    static const struct sink_head heads[] = {
        { .pid = 32, .tid = 36, .image = STR_INIT("a\x1b.exe"), .process = 1 },
        { .pid = 32, .tid = 40, .image = STR_INIT("a\x1b.exe"), .process = 1 },
        { .pid = 44, .tid = 48, .image = STR_INIT(""), .process = 2 },
        { .pid = 32, .tid = 36, .image = STR_INIT("b.exe"), .process = 3 },
    };
    struct sink_end end = { .took = TOOK_TIME, .ns = 1000 };

    CHECK(s != NULL);
    for (size_t i = 0; i < COUNT_OF(heads); i++) {
        struct sink *sink = summary_sink(s);

        sink->ops->call_begin(sink, &heads[i], STR("NtA"), PART_WHOLE);
        sink->ops->call_end(sink, &end);
    }
    CHECK_STR(
        table(s),
        STR("32<a^{1B}.exe>:\n" HEAD RULE
            "100.00    0.000002           1    0.000001    0.000001         2"
            "           NtA\n" RULE
            "100.00    0.000002           1    0.000001    0.000001         2"
            "           total\n"
            "\n44:\n" HEAD RULE
            "100.00    0.000001           1    0.000001    0.000001         1"
            "           NtA\n" RULE
            "100.00    0.000001           1    0.000001    0.000001         1"
            "           total\n"
            "\n32<b.exe>:\n" HEAD RULE
            "100.00    0.000001           1    0.000001    0.000001         1"
            "           NtA\n" RULE
            "100.00    0.000001           1    0.000001    0.000001         1"
            "           total\n"));
    summary_close(s);
}

static void collect_large(void *ctx, str line)
{
    buf_add(ctx, line);
}

/* Many names: each is found again, and beyond the most all are counted. */
static void as_many_names_as_there_are(void)
{
    static char large[16 << 20];
    struct buf b = BUF_OVER(large);
    struct summary *s = open_by(SUMMARY_CALLS);

    for (uint32_t twice = 0; twice < 2; twice++) {
        for (uint32_t i = 0; i < SUMMARY_ROWS_MAX + 1000; i++) {
            char room[20];
            struct buf name = BUF_OVER(room);

            buf_add_hex(&name, i);
            call(s, buf_str(&name), 1000, false);
        }
    }
    summary_write(s, collect_large, &b);
    buf_add(&b, (str){ "", 1 });
    CHECK(!b.cut);
    CHECK(strstr(large, "     2000           (more)\n") != NULL);
    CHECK(strstr(large, "        2           0x0\n") != NULL);
    CHECK(strstr(large, "   133072           total\n") != NULL);
    summary_close(s);
}

static void columns_go_by_several_names(void)
{
    static const struct {
        str name;
        enum summary_column column;
    } cases[] = {
        { STR_INIT("time"), SUMMARY_TIME },
        { STR_INIT("total_time"), SUMMARY_TIME },
        { STR_INIT("count"), SUMMARY_CALLS },
        { STR_INIT("error"), SUMMARY_ERRORS },
        { STR_INIT("syscall"), SUMMARY_NAME },
        { STR_INIT("min-time"), SUMMARY_MIN },
        { STR_INIT("longest"), SUMMARY_MAX },
        { STR_INIT("avg"), SUMMARY_AVERAGE },
        { STR_INIT("none"), SUMMARY_NOTHING },
    };
    enum summary_column column = SUMMARY_TIME;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CHECK(summary_column_find(cases[i].name, &column));
        CHECK(column == cases[i].column);
    }
    CHECK(!summary_column_find(STR("tim"), &column));
    CHECK(!summary_column_find(STR(""), &column));
    CHECK(column == SUMMARY_NOTHING);
}

/* Each share of a total so large that it cannot be multiplied. */
static void shares_of_centuries_are_right(void)
{
    struct summary *s = open_by(SUMMARY_TIME);

    call(s, STR("a"), UINT64_C(1) << 61, false);
    call(s, STR("b"), UINT64_C(3) << 61, false);
    CHECK(str_starts(table(s), STR(HEAD RULE " 75.00 6917529027.641081 ")));
    summary_close(s);
}

int main(void)
{
    const struct test tests[] = {
        TEST(calls_and_waits_have_a_table_each),
        TEST(nothing_is_a_table_too),
        TEST(split_and_open_calls_count_once),
        TEST(no_times_at_all),
        TEST(rows_are_sorted_by_any_column),
        TEST(each_thread_has_its_own),
        TEST(each_process_has_its_tables),
        TEST(as_many_names_as_there_are),
        TEST(columns_go_by_several_names),
        TEST(shares_of_centuries_are_right),
    };

    return check_run(tests, COUNT_OF(tests));
}
