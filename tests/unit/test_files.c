/* SPDX-License-Identifier: MIT */
/*
 * test_files - report/csv.c and folded.c: what other programs read, of rows made by
 * hand.
 */
#include "report/files.h"

#include "base/saturate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/check.h"
#include "unit/written.h"

static struct file_out *open_file(const struct file_kind *kind)
{
    struct file_out *f = kind->open(write_bytes, NULL);

    if (f == NULL) {
        abort();
    }
    written_size = 0;
    kind->begin(f, 5000000000);
    return f;
}

static str close_file(const struct file_kind *kind, struct file_out *f)
{
    kind->end(f);
    kind->close(f);
    return (str){ written, written_size };
}

static void tell(const struct file_kind *kind, struct file_out *f,
                 const struct flat_call *call)
{
    struct flat_out out = kind->out(f);

    out.call(out.ctx, call);
}

static const struct flat_call plain = {
    .number = 1,
    .process = 3,
    .pid = 32,
    .tid = 36,
    .image = STR_INIT("a.exe"),
    .name = STR_INIT("NtClose"),
    .how = "",
    .changed = "",
    .began_ns = 7,
    .took_ns = 100,
    .returned = true,
    .status = "STATUS_SUCCESS",
    .object = STR_INIT(""),
    .args = STR_INIT("Handle=0x4"),
    .frames = STR_INIT(""),
};

static void csv_quotes_all_texts(void)
{
    struct file_out *f = open_file(&file_csv);
    struct flat_call c = plain;

    tell(&file_csv, f, &c);
    c.number = 2;
    c.took_ns = -1;
    c.returned = false;
    c.status = NULL;
    c.failed = true;
    c.how = "direct";
    c.changed = "injected";
    c.object = STR("a \"b\", c");
    tell(&file_csv, f, &c);
    CHECK_STR(
        close_file(&file_csv, f),
        STR("id,time_ns,took_ns,process,pid,tid,program,call,result,"
            "status,failed,waits,how,changed,object,arguments\r\n"
            "1,5000000007,100,3,32,36,\"a.exe\",\"NtClose\",0x0,"
            "\"STATUS_SUCCESS\",0,0,\"\",\"\",\"\",\"Handle=0x4\"\r\n"
            "2,5000000007,,3,32,36,\"a.exe\",\"NtClose\",,\"\",1,0,"
            "\"direct\",\"injected\",\"a \"\"b\"\", c\",\"Handle=0x4\"\r\n"));
}

static void times_stop_at_the_end_of_time(void)
{
    struct file_out *f = open_file(&file_csv);
    struct flat_call c = plain;

    c.began_ns = INT64_MAX;
    tell(&file_csv, f, &c);
    write_bytes(NULL, (str){ "", 1 });
    CHECK(strstr(written, "\r\n1,9223372036854775807,100,3,") != NULL);
    close_file(&file_csv, f);
    CHECK_U64(saturate_sum(INT64_MAX, INT64_MAX), INT64_MAX);
    CHECK(saturate_sum(INT64_MIN, -1) == INT64_MIN);
    CHECK(saturate_sum(INT64_MIN, INT64_MAX) == -1);
    CHECK_U64(saturate_span(INT64_MIN, INT64_MAX), INT64_MAX);
    CHECK_U64(saturate_span(-3, 4), 7);
    CHECK_U64(saturate_span(4, -3), 0);
}

static void equal_stacks_are_one(void)
{
    struct file_out *f = open_file(&file_folded);
    struct flat_call c = plain;

    tell(&file_folded, f, &c);
    tell(&file_folded, f, &c);
    c.took_ns = 0; /* nothing to draw */
    c.name = STR("NtQueryTimer");
    tell(&file_folded, f, &c);
    c.took_ns = -1;
    tell(&file_folded, f, &c);
    c.took_ns = 1;
    c.image = STR("a;b.exe");
    c.frames = STR("ntdll.dll!start;a;b.exe!main");
    tell(&file_folded, f, &c);
    CHECK_STR(close_file(&file_folded, f),
              STR("a.exe 32;thread 36;NtClose 200\n"
                  "a:b.exe 32;thread 36;ntdll.dll!start;a;b.exe!main;"
                  "NtQueryTimer 1\n"));
}

/* More than are kept: some are written early, and nothing is lost. */
static void more_stacks_than_there_is_room_for_add_up(void)
{
    struct file_out *f = open_file(&file_folded);
    struct flat_call c = plain;
    uint64_t sum = 0, rows = 0;
    str text, line;

    for (uint32_t i = 0; i < 100000; i++) {
        c.tid = i % 50000;
        c.took_ns = i;
        tell(&file_folded, f, &c);
    }
    text = close_file(&file_folded, f);
    while (str_cut(text, '\n', &line, &text)) {
        size_t at = line.size;

        while (at > 0 && line.p[at - 1] != ' ') {
            at--;
        }
        sum += strtoull(line.p + at, NULL, 10);
        rows++;
    }
    CHECK_U64(sum, 99999ull * 100000 / 2);
    CHECK(rows >= 49999 && rows <= 100000);
}

/* One that is longer than all room keeps its call, for whom its time counts. */
static void callers_without_end_keep_the_call(void)
{
    static char frames[200000];
    struct file_out *f = open_file(&file_folded);
    struct flat_call c = plain;
    str text;

    memset(frames, 'x', sizeof(frames));
    c.frames = (str){ frames, sizeof(frames) };
    tell(&file_folded, f, &c);
    text = close_file(&file_folded, f);
    CHECK(text.size < sizeof(frames));
    CHECK(str_ends(text, STR(";NtClose 100\n")));
}

int main(void)
{
    const struct test tests[] = {
        TEST(csv_quotes_all_texts),
        TEST(times_stop_at_the_end_of_time),
        TEST(equal_stacks_are_one),
        TEST(more_stacks_than_there_is_room_for_add_up),
        TEST(callers_without_end_keep_the_call),
    };
    int status = check_run(tests, COUNT_OF(tests));

    free(written);
    return status;
}
