/* SPDX-License-Identifier: MIT */
/*
 * test_top - top/counts.h, top/keys.h, top/screen.h: what is counted, what keys
 * do, and the very bytes that a terminal gets.
 */
#include "top/screen.h"

#include "tables/calls.h"

#include <stdlib.h>
#include <string.h>

#include "unit/check.h"

/* --- calls --- */

#define SECOND UINT64_C(1000000000)

static struct clock clock;
static uint64_t now;  // ns, and ticks of the clock

static struct counts *begin(size_t most)
{
    struct counts *c = counts_open(most);

    if (c == NULL) {
        abort();
    }
    clock_init(&clock, 0, SECOND, 0);
    now = 1;
    return c;
}

static struct stub stub_of(const char *name)
{
    return (struct stub){ .name = str_of(name),
                          .facts = call_find(str_of(name)) };
}

/* A call of `tid` in process `pid` that took `ns`; 0 succeeds. */
static void call(struct counts *c, uint32_t pid, uint32_t tid, const char *name,
                 uint64_t ns, uint32_t result)
{
    struct stub stub = stub_of(name);
    struct call call = { .pid = pid,
                         .tid = tid,
                         .stub = &stub,
                         .entry_seen = true,
                         .returned = true,
                         .entry_time = now,
                         .return_time = now + ns,
                         .result = result };

    counts_leave(c, &clock, &call);
    now += ns;
}

/* NtClose of a file with that path. */
static void close_file(struct counts *c, str path)
{
    struct object object = { .type = STR("File"), .name = path, .path = path };
    struct stub stub = stub_of("NtClose");
    struct call call = { .pid = 32,
                         .tid = 36,
                         .stub = &stub,
                         .entry_seen = true,
                         .returned = true,
                         .entry_time = now,
                         .return_time = now,
                         .arg_mask = 1,
                         .args = { 0x40 },
                         .objects = { &object } };

    counts_leave(c, &clock, &call);
}

/* --- counts --- */

/* All rows, one after the other: name, calls, errors. */
static str listed(const struct counts *c, enum counts_by by,
                  enum counts_order order, bool reverse)
{
    static char room[4000];
    const struct counts_row *rows[64];
    size_t count = counts_list(c, by, order, reverse, rows, COUNT_OF(rows));
    struct buf b = BUF_OVER(room);

    for (size_t i = 0; i < count; i++) {
        str name = counts_name(c, by, rows[i]);

        if (by == COUNTS_BY_THREAD || by == COUNTS_BY_PROCESS) {
            buf_addf(&b, "%u.%u", (unsigned)rows[i]->pid,
                     (unsigned)rows[i]->key.b);
        }
        buf_addf(&b, "%.*s %llu %llu, ", STR_ARGS(name),
                 (unsigned long long)rows[i]->total.calls,
                 (unsigned long long)rows[i]->total.errors);
    }
    return buf_str(&b);
}

static void calls_are_counted_in_all_four_ways(void)
{
    struct counts *c = begin(100);

    call(c, 32, 36, "NtResetEvent", 1000, 0xc0000008);
    call(c, 32, 36, "NtResetEvent", 1000, 0);
    call(c, 32, 40, "NtYieldExecution", 1000, 0);
    call(c, 48, 52, "NtYieldExecution", 1000, 0);
    close_file(c, STR("\\??\\C:\\a.txt"));
    close_file(c, STR("\\??\\c:\\A.TXT"));
    close_file(c, STR("\\??\\C:\\b.txt"));
    counts_tick(c);
    CHECK_STR(listed(c, COUNTS_BY_CALL, ORDER_CALLS, false),
              STR("NtClose 3 0, NtResetEvent 2 1, NtYieldExecution 2 0, "));
    CHECK_STR(listed(c, COUNTS_BY_FILE, ORDER_CALLS, false),
              STR("C:\\a.txt 2 0, C:\\b.txt 1 0, "));
    CHECK_STR(listed(c, COUNTS_BY_THREAD, ORDER_CALLS, false),
              STR("32.36 5 1, 32.40 1 0, 48.52 1 0, "));
    CHECK_STR(listed(c, COUNTS_BY_PROCESS, ORDER_CALLS, false),
              STR("32.0 6 1, 48.0 1 0, "));
    CHECK_U64(counts_all(c)->total.calls, 7);
    CHECK_U64(counts_all(c)->total.errors, 1);
    CHECK_U64(counts_all(c)->total.ns, 4000);
    counts_close(c);
}

static void what_has_no_name_is_no_object(void)
{
    struct counts *c = begin(100);

    close_file(c, STR(""));
    counts_tick(c);
    CHECK_STR(listed(c, COUNTS_BY_FILE, ORDER_CALLS, false), STR(""));
    CHECK_U64(counts_rows(c, COUNTS_BY_FILE), 0);
    CHECK_U64(counts_rows(c, COUNTS_BY_CALL), 1);
    counts_close(c);
}

static void waits_have_a_time_of_their_own(void)
{
    struct counts *c = begin(100);

    call(c, 32, 36, "NtDelayExecution", 700, 0);
    call(c, 32, 36, "NtResetEvent", 50, 0);
    counts_tick(c);
    CHECK_U64(counts_all(c)->total.ns, 50);
    CHECK_U64(counts_all(c)->total.wait_ns, 700);
    counts_close(c);
}

static void an_interval_is_what_came_between_two_ticks(void)
{
    struct counts *c = begin(100);

    call(c, 32, 36, "NtResetEvent", 10, 0);
    counts_tick(c);
    call(c, 32, 36, "NtResetEvent", 20, 0xc0000008);
    call(c, 32, 36, "NtResetEvent", 30, 0);
    /* Not yet: what is shown stands still. */
    CHECK_U64(counts_all(c)->last.calls, 1);
    CHECK_U64(counts_all(c)->total.calls, 1);
    counts_tick(c);
    CHECK_U64(counts_all(c)->last.calls, 2);
    CHECK_U64(counts_all(c)->last.errors, 1);
    CHECK_U64(counts_all(c)->last.ns, 50);
    CHECK_U64(counts_all(c)->total.calls, 3);
    counts_tick(c);
    CHECK_U64(counts_all(c)->last.calls, 0);
    counts_tick_all(c);
    CHECK_U64(counts_all(c)->last.calls, 3);
    CHECK_U64(counts_all(c)->total.calls, 3);
    counts_close(c);
}

static void rows_are_sorted_by_every_column(void)
{
    static const struct {
        enum counts_order order;
        const char *want;
    } rows[] = {
        { ORDER_RATE,
          "NtResetEvent 4 0, NtSetEvent 2 2, NtDelayExecution 9 3, " },
        { ORDER_ERROR_RATE,
          "NtSetEvent 2 2, NtDelayExecution 9 3, NtResetEvent 4 0, " },
        { ORDER_TIME_RATE,
          "NtSetEvent 2 2, NtResetEvent 4 0, NtDelayExecution 9 3, " },
        { ORDER_WAIT_RATE,
          "NtDelayExecution 9 3, NtResetEvent 4 0, NtSetEvent 2 2, " },
        { ORDER_CALLS,
          "NtDelayExecution 9 3, NtResetEvent 4 0, NtSetEvent 2 2, " },
        { ORDER_ERRORS,
          "NtDelayExecution 9 3, NtSetEvent 2 2, NtResetEvent 4 0, " },
        { ORDER_TIME,
          "NtSetEvent 2 2, NtResetEvent 4 0, NtDelayExecution 9 3, " },
        { ORDER_WAITS,
          "NtDelayExecution 9 3, NtResetEvent 4 0, NtSetEvent 2 2, " },
        { ORDER_NAME,
          "NtDelayExecution 9 3, NtResetEvent 4 0, NtSetEvent 2 2, " },
    };
    struct counts *c = begin(100);

    for (int i = 0; i < 8; i++) {
        call(c, 32, 36, "NtDelayExecution", 100, i < 3 ? 0xc0000008 : 0);
    }
    counts_tick(c);
    call(c, 32, 36, "NtDelayExecution", 100, 0);
    for (int i = 0; i < 4; i++) {
        call(c, 32, 36, "NtResetEvent", 1, 0);
    }
    for (int i = 0; i < 2; i++) {
        call(c, 32, 36, "NtSetEvent", 50, 0xc0000008);
    }
    counts_tick(c);
    CHECK_U64(COUNT_OF(rows), COUNTS_ORDERS);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK_STR(listed(c, COUNTS_BY_CALL, rows[i].order, false),
                  str_of(rows[i].want));
    }
    CHECK_STR(listed(c, COUNTS_BY_CALL, ORDER_NAME, true),
              STR("NtSetEvent 2 2, NtResetEvent 4 0, NtDelayExecution 9 3, "));
    counts_close(c);
}

/* A million names are few rows, and no call of them is lost; who has many calls
 * keeps his row. */
static void names_without_end_are_put_together(void)
{
    struct counts *c = begin(16);
    const struct counts_row *rows[16];
    uint64_t others;
    uint64_t sum;
    size_t count;

    for (uint64_t i = 0; i < 20000; i++) {
        char room[40];
        struct buf name = BUF_OVER(room);

        buf_addf(&name, "C:\\%llu", (unsigned long long)i);
        close_file(c, buf_str(&name));
        close_file(c, STR("C:\\often"));
        call(c, 32, (uint32_t)i, "NtClose", 1, 0);
    }
    counts_tick(c);
    for (int by = COUNTS_BY_FILE; by <= COUNTS_BY_THREAD; by++) {
        count = counts_list(c, (enum counts_by)by, ORDER_CALLS, false, rows,
                            COUNT_OF(rows));
        sum = counts_other(c, (enum counts_by)by, &others)->total.calls;
        CHECK(count <= 16);
        CHECK(others > 19000);
        for (size_t i = 0; i < count; i++) {
            sum += rows[i]->total.calls;
        }
        CHECK_U64(sum, by == COUNTS_BY_FILE ? 40000 : 60000);
    }
    counts_list(c, COUNTS_BY_FILE, ORDER_CALLS, false, rows, 1);
    CHECK_STR(counts_name(c, COUNTS_BY_FILE, rows[0]), STR("C:\\often"));
    CHECK_U64(rows[0]->total.calls, 20000);
    counts_close(c);
}

/* --- keys --- */

static void keys_choose(void)
{
    static const struct {
        uint32_t key;
        enum keys_ask ask;
        struct keys then;
    } rows[] = {
        { 'f', KEYS_DRAW, { .by = COUNTS_BY_FILE } },
        { 't', KEYS_DRAW, { .by = COUNTS_BY_THREAD } },
        { 'p', KEYS_DRAW, { .by = COUNTS_BY_PROCESS } },
        { 'c', KEYS_DRAW, { .by = COUNTS_BY_CALL } },
        { 's', KEYS_DRAW, { .order = ORDER_ERROR_RATE } },
        { 'S', KEYS_DRAW, { .order = ORDER_RATE } },
        { 'S', KEYS_DRAW, { .order = ORDER_NAME } },
        { 's', KEYS_DRAW, { .order = ORDER_RATE } },
        { '9', KEYS_DRAW, { .order = ORDER_NAME } },
        { '0', KEYS_NOTHING, { .order = ORDER_NAME } },
        { '5', KEYS_DRAW, { .order = ORDER_CALLS } },
        { '1', KEYS_DRAW, { .order = ORDER_RATE } },
        { 'r', KEYS_DRAW, { .reverse = true } },
        { 'r', KEYS_DRAW, { .reverse = false } },
        { ' ', KEYS_DRAW, { .paused = true } },
        { 'h', KEYS_DRAW, { .paused = true, .help = true } },
        { ' ', KEYS_DRAW, { .help = true } },
        { '?', KEYS_DRAW, { .help = false } },
        { 'h', KEYS_DRAW, { .help = true } },
        { 0x1b, KEYS_DRAW, { .help = false } },
        { 'h', KEYS_DRAW, { .help = true } },
        { 'c', KEYS_DRAW, { .help = false } },
        { 'x', KEYS_NOTHING, { .help = false } },
        { 0x1f600, KEYS_NOTHING, { .help = false } },
        { 'q', KEYS_QUIT, { .help = false } },
        { 3, KEYS_QUIT, { .help = false } },
    };
    struct keys k = { .help = false };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK_U64(keys_press(&k, rows[i].key), rows[i].ask);
        CHECK(k.by == rows[i].then.by && k.order == rows[i].then.order &&
              k.reverse == rows[i].then.reverse &&
              k.paused == rows[i].then.paused && k.help == rows[i].then.help);
    }
}

static void columns_have_words(void)
{
    enum counts_order order;

    CHECK(keys_order_find(STR("rate"), &order) && order == ORDER_RATE);
    CHECK(keys_order_find(STR("waits"), &order) && order == ORDER_WAITS);
    CHECK(keys_order_find(STR("name"), &order) && order == ORDER_NAME);
    CHECK(!keys_order_find(STR("nam"), &order));
    CHECK(!keys_order_find(STR(""), &order));
}

/* --- the screen --- */

static char screen_room[SCREEN_ROOM];

static str drawn(const struct counts *c, const struct screen_head *h,
                 const struct keys *k, uint32_t columns, uint32_t rows)
{
    struct buf b = BUF_OVER(screen_room);

    screen_draw(&b, c, h, k, columns, rows);
    CHECK(!b.cut);
    return buf_str(&b);
}

static struct screen_head head(void)
{
    return (struct screen_head){ .program = STR("app.exe"),
                                 .pid = 32,
                                 .processes = 1,
                                 .ns = 3725 * SECOND,
                                 .last_ns = SECOND / 2 };
}

/* Two calls; the second tick is half a second behind the first. */
static struct counts *some(void)
{
    struct counts *c = begin(100);

    for (int i = 0; i < 1234; i++) {
        call(c, 32, 36, "NtResetEvent", 1000, i < 34 ? 0xc0000008 : 0);
    }
    counts_tick(c);
    call(c, 32, 36, "NtDelayExecution", 400000000, 0);
    for (int i = 0; i < 7; i++) {
        call(c, 32, 40, "NtResetEvent", 1000000, 0xc0000008);
    }
    counts_tick(c);
    return c;
}

#define LINE(number) "\x1b[" #number ";1H\x1b[2K"

static void a_screen_of_80_columns(void)
{
    struct counts *c = some();
    struct screen_head h = head();
    struct keys k = { .by = COUNTS_BY_CALL };

    CHECK_STR(
        drawn(c, &h, &k, 80, 24),
        STR(LINE(1) "ntstrace top: app.exe, pid 32, 1 process, "
                    "1:02:05" LINE(
                        2) "16.0 calls/s, 14.0 errors/s; "
                           "calls: 1242, errors: 41, lost: "
                           "0" LINE(
                               3) "by call, sorted by "
                                  "CALLS/S; h: help" LINE(
                                      4) "\x1b[7mCALLS/S "
                                         " ERR/S  TIME%  "
                                         "WAIT%  CALLS "
                                         "ERRORS  "
                                         "CALL\x1b["
                                         "m" LINE(
                                             5) "   "
                                                "14."
                                                "0  "
                                                " 14"
                                                ".0 "
                                                "   "
                                                "1."
                                                "4  "
                                                "  "
                                                "0."
                                                "0  "
                                                " 12"
                                                "41 "
                                                "   "
                                                " 41"
                                                "  "
                                                "NtR"
                                                "ese"
                                                "tEv"
                                                "en"
                                                "t" LINE(
                                                    6) "    2.0    0.0    0.0  "
                                                       " 80.0      1      0  "
                                                       "NtDelayExecution"
                                                       "\x1b[7;1H\x1b[J"));
    counts_close(c);
}

static void a_wide_screen_has_all_columns(void)
{
    struct counts *c = some();
    struct screen_head h = head();
    struct keys k = { .by = COUNTS_BY_THREAD,
                      .order = ORDER_NAME,
                      .reverse = true,
                      .paused = true };

    h.processes = 2;
    h.lost = 3;
    CHECK_STR(
        drawn(c, &h, &k, 120, 7),
        STR(LINE(1) "ntstrace top: app.exe, pid 32, 2 processes, 1:02:05" LINE(
            2) "16.0 calls/s, 14.0 errors/s; calls: 1242, errors: 41, lost: "
               "3" LINE(3) "by thread, sorted by name, reversed; PAUSED; h: "
                           "help" LINE(4) "\x1b[7mCALLS/S  ERR/S  TIME%  WAIT% "
                                          " CALLS ERRORS    TIME    WAIT"
                                          "  THREAD\x1b[m" LINE(
                                              5) "   14.0   14.0    1.4    0.0 "
                                                 "     7      7   0.007   0.000"
                                                 "  32.40 " LINE(
                                                     6) "    2.0    0.0    0.0 "
                                                        "  80.0   1235     34  "
                                                        " 0.001   0.400"
                                                        "  32.36 "
                                                        "\x1b[7;1H\x1b[J"));
    counts_close(c);
}

/* What is left goes on; no line is longer than the terminal, none is below it. */
static void a_narrow_and_low_screen_shows_what_it_can(void)
{
    struct counts *c = some();
    struct screen_head h = head();
    struct keys k = { .by = COUNTS_BY_CALL };

    CHECK_STR(
        drawn(c, &h, &k, 24, 5),
        STR(LINE(1) "ntstrace top: app.exe, p" LINE(
            2) "16.0 calls/s, 14.0 error" LINE(3) "by call, sorted by "
                                                  "CALLS" LINE(
                                                      4) "\x1b["
                                                         "7mCALLS/S  "
                                                         "CALL\x1b["
                                                         "m" LINE(5) "   14.0  "
                                                                     "NtResetEv"
                                                                     "ent"));
    /* Sizes that nobody can have are taken for the nearest. */
    CHECK(drawn(c, &h, &k, 0, 0).size > 0);
    CHECK(drawn(c, &h, &k, UINT32_MAX, UINT32_MAX).size > 0);
    counts_close(c);
}

static void help_stands_where_rows_were(void)
{
    struct counts *c = some();
    struct screen_head h = head();
    struct keys k = { .help = true };
    str all = drawn(c, &h, &k, 80, 24);
    str first = STR(LINE(5) "c f t p   by call");
    bool there = false;

    for (size_t i = 0; i + first.size <= all.size; i++) {
        there |= str_eq(str_slice(all, i, i + first.size), first);
    }
    CHECK(there);
    for (size_t i = 0; keys_help(i) != NULL; i++) {
        CHECK(strlen(keys_help(i)) <= 78);
        CHECK(i < 20);
    }
    counts_close(c);
}

static void names_of_objects_keep_their_end(void)
{
    struct counts *c = begin(100);
    struct screen_head h = head();
    struct keys k = { .by = COUNTS_BY_FILE };

    close_file(c, STR("C:\\a very long folder\\and one below it\\name.txt"));
    counts_tick(c);
    CHECK_STR(
        drawn(c, &h, &k, 40, 5),
        STR(LINE(
            1) "ntstrace top: app.exe, pid 32, 1 "
               "process" LINE(
                   2) "2.0 calls/s, "
                      "0.0 errors/s; "
                      "calls: 1, "
                      "err" LINE(
                          3) "b"
                             "y"
                             " "
                             "o"
                             "b"
                             "j"
                             "e"
                             "c"
                             "t"
                             ","
                             " "
                             "s"
                             "o"
                             "r"
                             "t"
                             "e"
                             "d"
                             " "
                             "b"
                             "y"
                             " "
                             "C"
                             "A"
                             "L"
                             "L"
                             "S"
                             "/"
                             "S"
                             ";"
                             " "
                             "h"
                             ":"
                             " "
                             "h"
                             "e"
                             "l"
                             "p" LINE(4) "\x1b[7mCALLS/S  OBJECT\x1b[m" LINE(
                                 5) "    2.0  ...er\\and one below "
                                    "it\\name.txt"));
    counts_close(c);
}

/* True if nothing but our own sequences moves anything. */
static bool is_harmless(str bytes, size_t columns)
{
    size_t width = 0;

    for (size_t i = 0; i < bytes.size;) {
        uint8_t c = (uint8_t)bytes.p[i];

        if (c == 0x1b) {
            if (bytes.p[i + 1] != '[') {
                return false;
            }
            for (i += 2; strchr("0123456789;", bytes.p[i]) != NULL; i++) {
            }
            if (strchr("HKJm", bytes.p[i]) == NULL) {
                return false;
            }
            width = bytes.p[i] == 'H' ? 0 : width;
            i++;
            continue;
        }
        if (c < 0x20 || c == 0x7f ||
            (c == 0xc2 && (uint8_t)bytes.p[i + 1] < 0xa0)) {
            return false;
        }
        width += (c & 0xc0) != 0x80;
        if (width > columns) {
            return false;
        }
        i++;
    }
    return true;
}

static const str hostile[] = {
    STR_INIT("\x1b]0;title\x07"),
    STR_INIT("C:\\\x1b[2J\x1b[1;1H"),
    STR_INIT("C:\\line\r\nanother\ttab\b\b"),
    STR_INIT("C:\\\xc2\x9b"
             "31m"),  // the one-byte CSI
    STR_INIT("C:\\\xe2\x80\xae"
             "txt.exe"),  // right to left
    STR_INIT("C:\\\xed\xa0\x80"
             "half of a pair"),
    STR_INIT("C:\\\xff\xfe\x80 no UTF-8"),
    STR_INIT("C:\\nul\0nul"),
    STR_INIT("C:\\\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97"),
    STR_INIT("%s%n%500000000d"),
};

/* Whatever a name is made of, and wherever it is cut. */
static void no_name_gets_a_control_through(void)
{
    struct counts *c = begin(100);
    struct screen_head h = head();
    static char much[70000];

    memset(much, 0x1b, sizeof(much));
    for (size_t i = 0; i < COUNT_OF(hostile); i++) {
        close_file(c, hostile[i]);
    }
    close_file(c, (str){ much, 30000 });
    counts_tick(c);
    for (uint32_t columns = 20; columns < 130; columns++) {
        for (size_t i = 0; i <= COUNT_OF(hostile); i++) {
            struct keys k = { .by = COUNTS_BY_FILE };

            h.program = i < COUNT_OF(hostile) ? hostile[i]
                                              : (str){ much, sizeof(much) };
            CHECK(is_harmless(drawn(c, &h, &k, columns, 30), columns));
        }
    }
    counts_close(c);
}

/* --- the table --- */

static char printed[1 << 20];
static size_t printed_size;

static void collect(void *ctx, str line)
{
    (void)ctx;
    CHECK(str_ends(line, STR("\n")));
    if (printed_size + line.size > sizeof(printed)) {
        abort();
    }
    memcpy(printed + printed_size, line.p, line.size);
    printed_size += line.size;
}

static str table(const struct counts *c, const struct screen_head *h,
                 const struct keys *k, size_t most)
{
    printed_size = 0;
    screen_print(c, h, k, most, 0, collect, NULL);
    return (str){ printed, printed_size };
}

#define TITLES                                                          \
    "   CALLS/S     ERR/S    TIME%    WAIT%      CALLS    ERRORS      " \
    "     TIME           WAIT  "

static void a_table_has_numbers_whole(void)
{
    struct counts *c = some();
    struct screen_head h = head();
    struct keys k = { .by = COUNTS_BY_CALL };

    CHECK_STR(table(c, &h, &k, 0),
              STR("ntstrace top: app.exe, pid 32, 1 process, 1:02:05\n"
                  "16.0 calls/s, 14.0 errors/s; calls: 1242, errors: 41, lost: "
                  "0\n" TITLES "CALL\n"
                  "      14.0      14.0      1.4      0.0       1241        41"
                  "       0.008234       0.000000  NtResetEvent\n"
                  "       2.0       0.0      0.0     80.0          1         0"
                  "       0.000000       0.400000  NtDelayExecution\n"
                  "\n"));
    h.whole = true;
    CHECK_STR(table(c, &h, &k, 1),
              STR("ntstrace top: app.exe, pid 32, 1 process, 1:02:05 in all\n"
                  "16.0 calls/s, 14.0 errors/s; calls: 1242, errors: 41, lost: "
                  "0\n" TITLES "CALL\n"
                  "      14.0      14.0      1.4      0.0       1241        41"
                  "       0.008234       0.000000  NtResetEvent\n"
                  "(1 more row)\n"
                  "\n"));
    counts_close(c);
}

/* Where it ends up on a console it is no wider than that. */
static void a_table_on_a_terminal_is_cut_to_its_width(void)
{
    struct counts *c = some();
    struct screen_head h = head();
    struct keys k = { .by = COUNTS_BY_CALL };

    printed_size = 0;
    screen_print(c, &h, &k, 1, 80, collect, NULL);
    CHECK_STR(((str){ printed, printed_size }),
              STR("ntstrace top: app.exe, pid 32, 1 process, 1:02:05\n"
                  "16.0 calls/s, 14.0 errors/s; calls: 1242, errors: 41, "
                  "lost: 0\n"
                  "CALLS/S  ERR/S  TIME%  WAIT%  CALLS ERRORS  CALL\n"
                  "   14.0   14.0    1.4    0.0   1241     41  NtResetEvent\n"
                  "(1 more row)\n"
                  "\n"));
    printed_size = 0;
    screen_print(c, &h, &k, 1, 30, collect, NULL);
    CHECK_STR(((str){ printed, printed_size }),
              STR("ntstrace top: app.exe, pid 32\n"
                  "16.0 calls/s, 14.0 errors/s; \n"
                  "CALLS/S  CALL\n"
                  "   14.0  NtResetEvent\n"
                  "(1 more row)\n"
                  "\n"));
    counts_close(c);
}

static void what_was_put_together_is_the_last_row(void)
{
    struct counts *c = begin(2);
    struct screen_head h = head();
    struct keys k = { .by = COUNTS_BY_FILE, .order = ORDER_NAME };

    close_file(c, STR("C:\\a"));
    close_file(c, STR("C:\\a"));
    close_file(c, STR("C:\\b"));
    close_file(c, STR("C:\\c"));
    counts_tick(c);
    CHECK_STR(
        table(c, &h, &k, 0),
        STR("ntstrace top: app.exe, pid 32, 1 process, 1:02:05\n"
            "8.0 calls/s, 0.0 errors/s; calls: 4, errors: 0, lost: 0\n" TITLES
            "OBJECT\n"
            "       4.0       0.0      0.0      0.0          2         0"
            "       0.000000       0.000000  C:\\a\n"
            "       2.0       0.0      0.0      0.0          1         0"
            "       0.000000       0.000000  C:\\c\n"
            "       2.0       0.0      0.0      0.0          1         0"
            "       0.000000       0.000000  (1 other)\n"
            "\n"));
    CHECK_STR(
        drawn(c, &h, &k, 80, 6),
        STR(LINE(1) "ntstrace top: app.exe, pid 32, 1 process, "
                    "1:02:05" LINE(
                        2) "8.0 calls/s, 0.0 errors/s; calls: "
                           "4, errors: 0, lost: 0" LINE(
                               3) "by object, sorted by name; "
                                  "h: help" LINE(
                                      4) "\x1b["
                                         "7mCALLS/"
                                         "S  ERR/S "
                                         " TIME%  "
                                         "WAIT%  "
                                         "CALLS "
                                         "ERRORS  "
                                         "OBJECT"
                                         "\x1b["
                                         "m" LINE(
                                             5) "    4.0    0.0    0.0    0.0  "
                                                "    2      0  C:\\a" LINE(
                                                    6) "  "
                                                       "  "
                                                       "2."
                                                       "0 "
                                                       "  "
                                                       " 0"
                                                       ".0"
                                                       "  "
                                                       "  "
                                                       "0."
                                                       "0 "
                                                       "  "
                                                       " 0"
                                                       ".0"
                                                       "  "
                                                       "  "
                                                       "  "
                                                       "1 "
                                                       "  "
                                                       "  "
                                                       " 0"
                                                       "  "
                                                       "(1"
                                                       " o"
                                                       "th"
                                                       "er"
                                                       ")"));
    counts_close(c);
}

static void a_table_has_names_whole_and_harmless(void)
{
    struct counts *c = begin(100);
    struct screen_head h = head();
    struct keys k = { .by = COUNTS_BY_FILE, .order = ORDER_NAME };
    static char much[40000];
    str all;

    memset(much, 7, sizeof(much));
    for (size_t i = 0; i < COUNT_OF(hostile); i++) {
        close_file(c, hostile[i]);
    }
    close_file(c, (str){ much, 30000 });
    counts_tick(c);
    h.program = (str){ much, sizeof(much) };
    all = table(c, &h, &k, 0);
    CHECK(all.size > 30000 * 5 + sizeof(much) * 5);
    for (size_t i = 0; i < all.size; i++) {
        CHECK((uint8_t)all.p[i] >= 0x20 || all.p[i] == '\n');
    }
    counts_close(c);
}

int main(void)
{
    const struct test tests[] = {
        TEST(calls_are_counted_in_all_four_ways),
        TEST(what_has_no_name_is_no_object),
        TEST(waits_have_a_time_of_their_own),
        TEST(an_interval_is_what_came_between_two_ticks),
        TEST(rows_are_sorted_by_every_column),
        TEST(names_without_end_are_put_together),
        TEST(keys_choose),
        TEST(columns_have_words),
        TEST(a_screen_of_80_columns),
        TEST(a_wide_screen_has_all_columns),
        TEST(a_narrow_and_low_screen_shows_what_it_can),
        TEST(help_stands_where_rows_were),
        TEST(names_of_objects_keep_their_end),
        TEST(no_name_gets_a_control_through),
        TEST(a_table_has_numbers_whole),
        TEST(a_table_on_a_terminal_is_cut_to_its_width),
        TEST(what_was_put_together_is_the_last_row),
        TEST(a_table_has_names_whole_and_harmless),
    };

    return check_run(tests, COUNT_OF(tests));
}
