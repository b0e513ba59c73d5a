/* SPDX-License-Identifier: MIT */
/*
 * test_compare - report/compare.c: what is a difference between two runs, and what
 * is none.
 */
#include "report/compare.h"
#include "report/text.h"
#include "tables/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "unit/check.h"

static struct compare *c;
static struct flat_out out;
static int64_t now;
static struct text_page page;
static char lines[1 << 16];
static size_t lines_size;

static void begin(const str *ignored, size_t count)
{
    c = compare_open(ignored, count);
    if (c == NULL) {
        abort();
    }
    now = 0;
    out = compare_out(c, COMPARE_A);
}

/* What follows is of the other run. */
static void other(void)
{
    out = compare_out(c, COMPARE_B);
    now = 0;
}

/* The next calls were changed by a rule of the user's. */
static bool injected;

/* Status 0: it has not failed. */
static void call_of(uint64_t process, uint32_t tid, const char *name,
                    const char *object, uint32_t status)
{
    const struct stub stub = { .name = str_of(name),
                               .facts = call_find(str_of(name)) };
    const struct call call = { .stub = &stub, .injected = injected };
    struct flat_call flat = {
        .process = process,
        .pid = 32 + 8 * (uint32_t)process,
        .tid = tid,
        .image = STR("app.exe"),
        .name = stub.name,
        .how = "",
        .began_ns = now += 1000,
        .returned = true,
        .result = status,
        .status = status_name(status),
        .failed = status >= 0xc0000000,
        .waits = stub.facts != NULL && stub.facts->note == CALL_WAITS,
        .object = str_of(object),
        .kind = str_starts(str_of(object), STR("\\Registry")) ? SUBJECT_KEY
                : str_starts(str_of(object), STR("C:"))       ? SUBJECT_FILE
                                                              : SUBJECT_OTHER,
        .call = &call,
    };

    out.call(out.ctx, &flat);
}

static void call(const char *name, const char *object)
{
    call_of(0, 36, name, object, 0);
}

static void miss(const char *name, const char *object)
{
    call_of(0, 36, name, object, 0xc0000034);
}

static void started(uint32_t pid, const char *command)
{
    struct child_told child = { .pid = pid,
                                .image = STR("C:\\child.exe"),
                                .command = str_of(command),
                                .by_pid = 32,
                                .by_tid = 36 };
    struct notice n = { .kind = NOTICE_STARTED, .pid = pid, .child = &child };

    out.notice(out.ctx, &n, now);
}

static void ended(uint32_t pid, uint32_t code)
{
    struct notice n = { .kind = NOTICE_EXITED, .pid = pid, .code = code };

    out.notice(out.ctx, &n, now);
}

static void collect(void *ctx, str line)
{
    (void)ctx;
    if (lines_size + line.size > sizeof(lines)) {
        abort();
    }
    memcpy(lines + lines_size, line.p, line.size);
    lines_size += line.size;
}

static str told(size_t most)
{
    lines_size = 0;
    compare_end(c);
    text_page_init(&page, collect, NULL);
    compare_tell(c, most, &page.page);
    return (str){ lines, lines_size };
}

static bool has(str text, const char *what)
{
    str word = str_of(what);

    for (size_t at = 0; at + word.size <= text.size; at++) {
        if (str_eq(str_slice(text, at, at + word.size), word)) {
            return true;
        }
    }
    return false;
}

/* --------------------------------------------------------------------------- */

static void the_same_is_nothing(void)
{
    begin(NULL, 0);
    for (int side = 0; side < 2; side++) {
        call("NtOpenFile", "C:\\a");
        call("NtClose", "C:\\a");
        miss("NtOpenKey", "\\Registry\\Machine\\b");
        ended(32, 0);
        other();
    }
    CHECK_STR(told(0), STR(""));
    CHECK(!compare_differs(c));
    compare_close(c);
}

static void a_result_that_a_rule_has_made_says_so(void)
{
    begin(NULL, 0);
    call("NtOpenFile", "C:\\a");
    call_of(0, 36, "NtWriteFile", "C:\\a", 0xc000007f);
    other();
    call("NtOpenFile", "C:\\a");
    injected = true;
    call_of(0, 36, "NtWriteFile", "C:\\a", 0xc000007f);
    injected = false;
    CHECK(has(told(0), "  -  32.36        0.000002  NtWriteFile C:\\a = "
                       "STATUS_DISK_FULL\n"
                       "  +  32.36        0.000002  NtWriteFile C:\\a = "
                       "STATUS_DISK_FULL (INJECTED)\n"));
    compare_close(c);
}

static void a_glob_without_a_folder_ignores_the_name_alone(void)
{
    const str globs[] = { STR("out.d?t"), STR("sub\\in.dat") };

    begin(globs, COUNT_OF(globs));
    call("NtOpenFile", "C:\\a");
    call("NtOpenFile", "C:\\sub\\OUT.dat");
    other();
    call("NtOpenFile", "C:\\a");
    CHECK(!has(told(0), "OUT.dat"));
    CHECK(!compare_differs(c));
    compare_close(c);
    begin(globs, COUNT_OF(globs));
    call("NtOpenFile", "C:\\a");
    call("NtOpenFile", "C:\\sub\\in.dat");
    other();
    call("NtOpenFile", "C:\\a");
    CHECK(has(told(0), "C:\\sub\\in.dat"));
    compare_close(c);
}

static void a_file_that_is_missing_comes_first(void)
{
    begin(NULL, 0);
    for (int side = 0; side < 2; side++) {
        call("NtOpenFile", "C:\\1");
        call("NtOpenFile", "C:\\2");
        if (side == 0) {
            call("NtOpenFile", "C:\\app.ini");
            call("NtReadFile", "C:\\app.ini");
        } else {
            miss("NtOpenFile", "C:\\app.ini");
        }
        call("NtOpenFile", "C:\\3");
        call("NtOpenFile", "C:\\4");
        other();
    }
    CHECK_STR(
        told(0),
        STR("\n"
            "First difference\n"
            "     32.36        0.000001  NtOpenFile C:\\1\n"
            "     32.36        0.000002  NtOpenFile C:\\2\n"
            "  -  32.36        0.000003  NtOpenFile C:\\app.ini\n"
            "  -  32.36        0.000004  NtReadFile C:\\app.ini\n"
            "  +  32.36        0.000003  NtOpenFile C:\\app.ini = "
            "STATUS_OBJECT_NAME_NOT_FOUND\n"
            "     32.36        0.000005  NtOpenFile C:\\3\n"
            "     32.36        0.000006  NtOpenFile C:\\4\n"
            "\n"
            "Calls of one alone\n"
            "       1       0  app.exe           NtOpenFile C:\\app.ini\n"
            "       0       1  app.exe           NtOpenFile C:\\app.ini = "
            "STATUS_OBJECT_NAME_NOT_FOUND\n"
            "       1       0  app.exe           NtReadFile C:\\app.ini\n"
            "\n"
            "Schedule\n"
            "  waits, yields, memory, threads: 0 calls and 0; in all 6 and 5, "
            "in 1 threads and 1\n"));
    CHECK(compare_differs(c));
    compare_close(c);
}

static void how_often_it_waits_is_no_difference(void)
{
    begin(NULL, 0);
    call("NtDelayExecution", "");
    call("NtAllocateVirtualMemory", "");
    call("NtOpenFile", "C:\\1");
    other();
    for (int i = 0; i < 5; i++) {
        call("NtWaitForSingleObject", "\\BaseNamedObjects\\x");
        call("NtYieldExecution", "");
    }
    call("NtOpenFile", "C:\\1");
    CHECK_STR(told(0), STR("\nSchedule\n"
                           "  waits, yields, memory, threads: 2 calls and 10; "
                           "in all 3 and 11, in 1 threads and 1\n"));
    CHECK(!compare_differs(c));
    compare_close(c);
}

/* The same work, done by other threads in another order. */
static void which_thread_works_is_no_difference(void)
{
    begin(NULL, 0);
    call_of(0, 36, "NtOpenFile", "C:\\1", 0);
    call_of(0, 40, "NtOpenFile", "C:\\2", 0);
    call_of(0, 40, "NtOpenFile", "C:\\3", 0);
    other();
    call_of(0, 36, "NtOpenFile", "C:\\3", 0);
    call_of(0, 44, "NtOpenFile", "C:\\1", 0);
    call_of(0, 44, "NtOpenFile", "C:\\2", 0);
    CHECK_STR(told(0), STR(""));
    CHECK(!compare_differs(c));
    compare_close(c);
}

static void how_often_a_file_is_read_is_a_difference(void)
{
    begin(NULL, 0);
    call("NtReadFile", "C:\\1");
    call("NtCreateToken", "");
    other();
    call("NtReadFile", "C:\\1");
    call("NtReadFile", "C:\\1");
    /* What has no name is a matter of schedule, too. */
    call("NtCreateToken", "");
    call("NtCreateToken", "");
    CHECK(has(told(0), "Counts that changed\n"
                       "       1       2  app.exe           NtReadFile "
                       "C:\\1\n\n"));
    CHECK(compare_differs(c));
    compare_close(c);
}

static void a_file_of_one_alone_is_named_once(void)
{
    str s;

    begin(NULL, 0);
    call("NtOpenFile", "C:\\1");
    other();
    call("NtOpenFile", "C:\\1");
    call("NtOpenFile", "C:\\new");
    call("NtWriteFile", "C:\\new");
    s = told(0);
    CHECK(has(s, "Files and keys of one alone\n"
                 "       0       2  C:\\new "));
    CHECK(!has(s, "Calls of one alone"));
    compare_close(c);
}

static void children_are_matched_by_their_command_lines(void)
{
    begin(NULL, 0);
    call("NtOpenFile", "C:\\1");
    started(100, "child one");
    started(104, "child two");
    ended(100, 0);
    ended(104, 0);
    other();
    call("NtOpenFile", "C:\\1");
    started(200, "child two");
    started(204, "child one");
    ended(204, 0);
    ended(200, 3);
    CHECK_STR(
        told(0),
        STR("\nProcesses\n"
            "  ended with 0          ended with 3          child.exe      "
            "   child two\n"));
    CHECK(compare_differs(c));
    compare_close(c);
}

static void a_child_of_one_alone_is_a_difference(void)
{
    begin(NULL, 0);
    call("NtOpenFile", "C:\\1");
    other();
    call("NtOpenFile", "C:\\1");
    started(200, "child");
    ended(200, 0);
    CHECK(has(told(0), "  -                     ended with 0          "
                       "child.exe         child\n"));
    CHECK(compare_differs(c));
    compare_close(c);
}

static void names_made_up_anew_are_the_same(void)
{
    static const str ignored[] = { STR_INIT("*\\cache\\*") };

    begin(ignored, 1);
    call("NtOpenFile", "C:\\Temp\\x-1a2b3c.tmp");
    call("NtOpenFile", "C:\\Temp\\1a2b3c\\file");
    call("NtOpenFile", "C:\\cache\\one");
    call("NtOpenFile", "\\BaseNamedObjects\\app-4711");
    other();
    call("NtOpenFile", "C:\\Temp\\x-99ff00.tmp");
    call("NtOpenFile", "C:\\Temp\\99ff00\\file");
    call("NtOpenFile", "C:\\Cache\\two");
    call("NtOpenFile", "\\BaseNamedObjects\\app-4812");
    CHECK_STR(told(0), STR(""));
    compare_close(c);

    begin(NULL, 0);
    call("NtOpenFile", "C:\\data\\x-1a2b3c.tmp");
    other();
    call("NtOpenFile", "C:\\data\\x-99ff00.tmp");
    told(0);
    CHECK(compare_differs(c));
    compare_close(c);

    begin(NULL, 0);
    call("NtOpenFile", "C:\\Temp\\here\\1234.txt");
    other();
    call("NtOpenFile", "C:\\Temp\\here\\5678.txt");
    told(0);
    CHECK(compare_differs(c));
    compare_close(c);
}

/* Files whose names no rule could tell from others: both runs make one that the
 * other has not, in the same place, and do the same with it. */
static void temporary_names_of_letters_are_the_same(void)
{
    static const char *const names[2][3] = {
        { "C:\\Temp\\tmpabcdwxyz", "C:\\Temp\\tmpabcdwxyz\\in.c",
          "C:\\Temp\\QwErTz.tmp" },
        { "C:\\Temp\\tmpzzyyxxqq", "C:\\Temp\\tmpzzyyxxqq\\in.c",
          "C:\\Temp\\AsDfGh.tmp" },
    };

    begin(NULL, 0);
    for (int side = 0; side < 2; side++) {
        for (int i = 0; i < 3; i++) {
            call("NtCreateFile", names[side][i]);
            call("NtWriteFile", names[side][i]);
        }
        call("NtOpenFile", "C:\\Temp\\stays.ini");
        other();
    }
    CHECK_STR(told(0), STR(""));
    CHECK(!compare_differs(c));
    compare_close(c);
}

/* What one run alone has is told, by its name, unless the other has its like. */
/* The image behind a section is a file, whatever its handle is of. */
static void files_behind_sections_keep_their_names(void)
{
    static const char *const names[] = {
        "D:\\app\\foo100.dll",
        "\\KnownDlls\\ADVAPI32.dll",
        "\\Device\\HarddiskVolume3\\foo100.dll",
        "\\\\server\\share12\\foo100.dll",
        "1234 app64.exe",
    };

    str text;

    begin(NULL, 0);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        call("NtMapViewOfSection", names[i]);
    }
    call("NtClose", "1234.1240");
    other();
    call("NtOpenFile", "C:\\a");
    text = told(0);
    CHECK(has(text, " NtMapViewOfSection D:\\app\\foo100.dll\n"));
    CHECK(has(text, " NtMapViewOfSection \\KnownDlls\\ADVAPI32.dll\n"));
    CHECK(has(text, "\\HarddiskVolume3\\foo100.dll\n"));
    CHECK(has(text, " \\\\server\\share12\\foo100.dll\n"));
    CHECK(has(text, " NtMapViewOfSection # app64.exe\n"));
    CHECK(has(text, " NtClose thread #\n"));
    compare_close(c);
}

static void another_file_behind_a_section_is_a_difference(void)
{
    str text;

    begin(NULL, 0);
    call("NtMapViewOfSection", "D:\\app\\foo100.dll");
    call("NtClose", "1234.1240");
    call("NtMapViewOfSection", "1234 app64.exe");
    other();
    call("NtMapViewOfSection", "D:\\app\\foo120.dll");
    call("NtClose", "1236.1244");
    call("NtMapViewOfSection", "1238 app64.exe");
    text = told(0);
    CHECK(has(text, "  -  32.36        0.000001  NtMapViewOfSection "
                    "D:\\app\\foo100.dll\n"
                    "  +  32.36        0.000001  NtMapViewOfSection "
                    "D:\\app\\foo120.dll\n"));
    CHECK(!has(text, "  -  32.36        0.000002"));
    compare_close(c);
}

static void a_temporary_file_of_one_alone_is_a_difference(void)
{
    str s;

    begin(NULL, 0);
    call("NtOpenFile", "C:\\Temp\\app\\1.txt");
    call("NtOpenFile", "C:\\Temp\\app.ini");
    other();
    call("NtOpenFile", "C:\\Temp\\app\\2.txt");
    miss("NtOpenFile", "C:\\Temp\\app.ini");
    s = told(0);
    CHECK(has(s, "C:\\Temp\\app\\1.txt"));
    CHECK(has(s, "C:\\Temp\\app\\2.txt"));
    CHECK(has(s, "NtOpenFile C:\\Temp\\app.ini ="));
    compare_close(c);

    begin(NULL, 0);
    call("NtCreateFile", "C:\\Temp\\one.tmp");
    call("NtCreateFile", "C:\\Temp\\two.tmp");
    other();
    call("NtCreateFile", "C:\\Temp\\three.tmp");
    CHECK(has(told(0), "       2       1  app.exe           NtCreateFile "
                       "C:\\Temp\\#.tmp\n"));
    compare_close(c);

    begin(NULL, 0);
    call("NtCreateFile", "C:\\Temp\\one.tmp");
    other();
    call("NtCreateFile", "C:\\Temp\\one.log");
    CHECK(has(told(0), "C:\\Temp\\one.log"));
    compare_close(c);
}

/* 32 and 40 are the processes. */
static void numbers_of_processes_in_names_are_the_same(void)
{
    begin(NULL, 0);
    call_of(0, 36, "NtCreateFile", "C:\\logs\\app-32.log", 0);
    call_of(0, 36, "NtOpenFile", "C:\\Windows\\system32\\a.dll", 0);
    other();
    call_of(1, 36, "NtCreateFile", "C:\\logs\\app-40.log", 0);
    call_of(1, 36, "NtOpenFile", "C:\\Windows\\system32\\a.dll", 0);
    CHECK_STR(told(0), STR(""));
    compare_close(c);

    begin(NULL, 0);
    call_of(0, 36, "NtCreateFile", "C:\\logs\\app-33.log", 0);
    other();
    call_of(1, 36, "NtCreateFile", "C:\\logs\\app-41.log", 0);
    told(0);
    CHECK(compare_differs(c));
    compare_close(c);
}

static void identifiers_without_digits_are_the_same(void)
{
    begin(NULL, 0);
    call("NtOpenFile", "\\BaseNamedObjects\\{1f00beef-face-dead-cafe-ab12}");
    other();
    call("NtOpenFile", "\\BaseNamedObjects\\{1f00b0d1-f00d-4242-9999-ab13}");
    CHECK_STR(told(0), STR(""));
    compare_close(c);
}

static void a_child_with_another_command_line_is_a_difference(void)
{
    begin(NULL, 0);
    call("NtOpenFile", "C:\\1");
    started(100,
            "child -O1 C:\\Temp\\tmpabcdwxyz\\in.c --parent 32 --pipe 532");
    ended(100, 0);
    other();
    call("NtOpenFile", "C:\\1");
    started(200,
            "child -O1 C:\\Temp\\tmpzzyyxxqq\\in.c --parent 32 --pipe 540");
    ended(200, 0);
    CHECK_STR(told(0), STR(""));
    CHECK(!compare_differs(c));
    compare_close(c);

    begin(NULL, 0);
    call("NtOpenFile", "C:\\1");
    started(100, "child -O1");
    ended(100, 0);
    other();
    call("NtOpenFile", "C:\\1");
    started(200, "child -O2");
    ended(200, 0);
    CHECK_STR(
        told(0),
        STR("\nProcesses\n"
            "  ended with 0          -                     child.exe      "
            "   child -O1\n"
            "  -                     ended with 0          child.exe      "
            "   child -O2\n"));
    CHECK(compare_differs(c));
    compare_close(c);
}

/* The other run has no thread to lay it beside. */
static void another_command_line_of_the_first_is_a_difference(void)
{
    begin(NULL, 0);
    compare_command(c, COMPARE_A, STR("a\\app.exe alpha.dll"));
    compare_command(c, COMPARE_B, STR("\"b b\\app.exe\" beta.dll"));
    for (int side = 0; side < 2; side++) {
        call("NtOpenFile", "C:\\a");
        other();
    }
    CHECK_STR(told(0), STR("\n"
                           "Processes\n"
                           "  runs on               -                     "
                           "app.exe           a\\app.exe alpha.dll\n"
                           "  -                     runs on               "
                           "app.exe           \"b b\\app.exe\" beta.dll\n"));
    CHECK(compare_differs(c));
    compare_close(c);
}

/* Where it lies, what is made up anew, and what is not known is none. */
static void the_same_command_line_of_the_first_is_none(void)
{
    static const char *const commands[][2] = {
        { "old\\app.exe x", "\"new\\app.exe\" x" },
        { "app x C:\\Temp\\a1\\y", "app x C:\\Temp\\b2\\y" },
        { "app", "other" },
        { "app x", "" },
    };

    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        begin(NULL, 0);
        compare_command(c, COMPARE_A, str_of(commands[i][0]));
        compare_command(c, COMPARE_B, str_of(commands[i][1]));
        for (int side = 0; side < 2; side++) {
            call("NtOpenFile", "C:\\a");
            other();
        }
        CHECK_STR(told(0), STR(""));
        compare_close(c);
    }
}

static void a_difference_of_one_more_thread_comes_first(void)
{
    str s;

    begin(NULL, 0);
    call("NtOpenFile", "C:\\1");
    other();
    call("NtOpenFile", "C:\\1");
    call_of(0, 40, "NtOpenFile", "C:\\2", 0);
    call_of(0, 40, "NtOpenFile", "C:\\1", 0);
    s = told(0);
    CHECK(has(s, "\nFirst difference\n"
                 "  +  32.40        0.000002  NtOpenFile C:\\2\n"));
    compare_close(c);
}

/* A bit without a pattern. */
static bool any_bit(uint32_t i)
{
    return (i * 2654435761u >> 16 & 1) != 0;
}

/* A thread before it, which parts again and again in what is none, does not keep a
 * difference from being found. */
static void a_difference_behind_many_others_is_found(void)
{
    const uint32_t count = 10000;

    begin(NULL, 0);
    for (int side = 0; side < 2; side++) {
        for (uint32_t i = 0; i < count; i++) {
            bool bit = any_bit(side == 0 ? i : count - 1 - i);

            call("NtOpenFile", bit ? "C:\\1" : "C:\\2");
            call("NtOpenFile", "C:\\3");
            call("NtReadFile", "C:\\3");
            call("NtClose", "C:\\3");
        }
        call_of(0, 40, "NtOpenFile", "C:\\2", 0);
        if (side == 0) {
            call_of(0, 40, "NtOpenFile", "C:\\here", 0);
        }
        other();
    }
    CHECK(has(told(0), "\nFirst difference\n"
                       "     32.40        0.040001  NtOpenFile C:\\2\n"
                       "  -  32.40        0.040002  NtOpenFile C:\\here\n"));
    compare_close(c);
}

static void a_pending_call_is_as_one_that_is_over(void)
{
    begin(NULL, 0);
    call_of(0, 36, "NtReadFile", "C:\\1", 0x103);
    other();
    call_of(0, 36, "NtReadFile", "C:\\1", 0);
    CHECK_STR(told(0), STR(""));
    compare_close(c);
}

/* Threads share their work out anew each time: a call that one run makes once less
 * may stand anywhere. What one run alone has is certain. */
static void what_one_run_alone_has_comes_first(void)
{
    str s;

    begin(NULL, 0);
    for (int side = 0; side < 2; side++) {
        for (int i = 0; i < 30; i++) {
            char room[8];
            struct buf b = BUF_OVER(room);

            /* The first of the second half is not where it was. */
            buf_addf(&b, "C:\\%d%c", (i * 7 + side * 11) % 30, '\0');
            call("NtOpenFile", room);
            if (i == 3 || (i == 20 && side == 0)) {
                call("NtOpenFile", "C:\\often");
            }
            if (i == 15 && side == 0) {
                call("NtOpenFile", "C:\\gone");
            }
        }
        other();
    }
    s = told(0);
    CHECK(has(s, "  -  32.36        0.000018  NtOpenFile C:\\gone\n"));
    CHECK(!has(s, "-  32.36        0.000005"));
    compare_close(c);

    /* If that is all there is, it is told. */
    begin(NULL, 0);
    call("NtOpenFile", "C:\\1");
    call("NtOpenFile", "C:\\often");
    call("NtOpenFile", "C:\\2");
    call("NtOpenFile", "C:\\often");
    other();
    call("NtOpenFile", "C:\\2");
    call("NtOpenFile", "C:\\often");
    call("NtOpenFile", "C:\\1");
    s = told(0);
    CHECK(has(s, "\nFirst difference\n"));
    CHECK(has(s, "32.36        0.000002  NtOpenFile C:\\often\n"));
    compare_close(c);

    /* All is where it was: what is read once more comes first. */
    begin(NULL, 0);
    for (int side = 0; side < 2; side++) {
        call("NtOpenFile", "C:\\1");
        call("NtOpenFile", "C:\\often");
        if (side == 1) {
            call("NtOpenFile", "C:\\often");
        }
        call("NtOpenFile", "C:\\2");
        call("NtOpenFile", "C:\\3");
        call("NtOpenFile", "C:\\4");
        if (side == 1) {
            call("NtOpenFile", "C:\\new");
        }
        other();
    }
    CHECK(has(told(0), "  +  32.36        0.000003  NtOpenFile C:\\often\n"));
    compare_close(c);
}

/* As those of a pool are: all do the same. To try all with all would take minutes. */
static void many_threads_that_are_alike_are_paired_soon(void)
{
    clock_t began = clock();

    begin(NULL, 0);
    for (int side = 0; side < 2; side++) {
        for (uint32_t i = 0; i < 12000; i++) {
            for (int k = 0; k < 150; k++) {
                call_of(0, 36 + 4 * i, "NtOpenFile", "C:\\1", 0);
            }
        }
        other();
    }
    CHECK_STR(told(0), STR(""));
    compare_close(c);
    CHECK((clock() - began) / CLOCKS_PER_SEC < 10);
}

/* The other side had closed it before it was asked, or after. */
static void the_end_of_a_pipe_is_a_matter_of_schedule(void)
{
    str s;

    begin(NULL, 0);
    call_of(0, 36, "NtReadFile", "pipe\\x", 0x103);
    call_of(0, 36, "NtQueryDirectoryObject", "", 0xc0000023);
    other();
    call_of(0, 36, "NtReadFile", "pipe\\x", 0xc000014b);
    call_of(0, 36, "NtQueryDirectoryObject", "", 0);
    CHECK_STR(told(0), STR(""));
    compare_close(c);

    begin(NULL, 0);
    call_of(0, 36, "NtReadFile", "pipe\\x", 0);
    call_of(0, 36, "NtReadFile", "C:\\x", 0);
    other();
    call_of(0, 36, "NtReadFile", "pipe\\x", 0xc0000022);
    call_of(0, 36, "NtReadFile", "C:\\x", 0xc0000011);
    s = told(0);
    CHECK(has(s, "NtReadFile pipe\\x = STATUS_ACCESS_DENIED"));
    CHECK(has(s, "NtReadFile C:\\x = STATUS_END_OF_FILE"));
    compare_close(c);
}

/* As long as it takes to give up. */
static void two_runs_without_anything_alike_end(void)
{
    begin(NULL, 0);
    for (int side = 0; side < 2; side++) {
        for (uint32_t i = 0; i < 20000; i++) {
            char room[40];
            struct buf b = BUF_OVER(room);

            buf_addf(&b, "C:\\%d%u%c", side, i, '\0');
            call("NtOpenFile", room);
        }
        other();
    }
    CHECK(has(told(3), "(39997 more; --rows 0 shows all)"));
    CHECK(compare_differs(c));
    compare_close(c);
}

/* Before the first clock: what the target's counter was is the target's say. */
static void no_time_is_below_nothing(void)
{
    begin(NULL, 0);
    call("NtOpenFile", "C:\\b");
    other();
    now = -12001000;
    call("NtOpenFile", "C:\\a");
    call("NtOpenFile", "C:\\b");
    CHECK(has(told(0), "0.000000"));
    CHECK(!has(told(0), "-00"));
    compare_close(c);
}

/* Whether what came behind is different is not known. */
static void what_found_no_room_is_no_sameness(void)
{
    static char name[100001];
    size_t size = sizeof(name) - 1;

    begin(NULL, 0);
    memset(name, 'x', size);
    memcpy(name, "C:\\", 3);
    for (int side = 0; side < 2; side++) {
        for (int i = 0; i < 400; i++) {
            name[3] = (char)('a' + i / 20);
            name[4] = (char)('a' + i % 20);
            call("NtOpenFile", name);
        }
        if (side == 1) {
            memcpy(name + size - 6, "secret", 6);
            call("NtOpenFile", name);
        }
        other();
    }
    CHECK(has(told(0), "Not compared"));
    CHECK(!compare_differs(c));
    CHECK(compare_refused(c) > 0);
    compare_close(c);
    begin(NULL, 0);
    call("NtOpenFile", "C:\\a");
    CHECK(!has(told(0), "Not compared"));
    CHECK_U64(compare_refused(c), 0);
    compare_close(c);
}

int main(void)
{
    const struct test tests[] = {
        TEST(the_same_is_nothing),
        TEST(a_result_that_a_rule_has_made_says_so),
        TEST(a_glob_without_a_folder_ignores_the_name_alone),
        TEST(a_file_that_is_missing_comes_first),
        TEST(how_often_it_waits_is_no_difference),
        TEST(which_thread_works_is_no_difference),
        TEST(how_often_a_file_is_read_is_a_difference),
        TEST(a_file_of_one_alone_is_named_once),
        TEST(children_are_matched_by_their_command_lines),
        TEST(a_child_of_one_alone_is_a_difference),
        TEST(names_made_up_anew_are_the_same),
        TEST(temporary_names_of_letters_are_the_same),
        TEST(files_behind_sections_keep_their_names),
        TEST(another_file_behind_a_section_is_a_difference),
        TEST(a_temporary_file_of_one_alone_is_a_difference),
        TEST(numbers_of_processes_in_names_are_the_same),
        TEST(identifiers_without_digits_are_the_same),
        TEST(a_child_with_another_command_line_is_a_difference),
        TEST(another_command_line_of_the_first_is_a_difference),
        TEST(the_same_command_line_of_the_first_is_none),
        TEST(a_difference_of_one_more_thread_comes_first),
        TEST(a_difference_behind_many_others_is_found),
        TEST(a_pending_call_is_as_one_that_is_over),
        TEST(the_end_of_a_pipe_is_a_matter_of_schedule),
        TEST(many_threads_that_are_alike_are_paired_soon),
        TEST(what_one_run_alone_has_comes_first),
        TEST(two_runs_without_anything_alike_end),
        TEST(no_time_is_below_nothing),
        TEST(what_found_no_room_is_no_sameness),
    };

    return check_run(tests, COUNT_OF(tests));
}
