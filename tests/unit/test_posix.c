/* SPDX-License-Identifier: MIT */
/*
 * test_posix - platform/posix: the command line that is made of words, events
 * and waits, files.
 */
#include "platform/posix/posix.h"

#include "cmd/cmdline.h"
#include "unit/check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void full(size_t wanted)
{
    printf("arena full: %zu\n", wanted);
    abort();
}

static char room[1 << 16];

/* Words, each ended by a zero, as text that Windows would hand us. */
static str line_of(const char *words, size_t size, struct arena *a)
{
    char made[4096];
    struct buf b = BUF_OVER(made);
    struct buf back = { arena_alloc(a, 1, 1, 4096), 0, 4096, false };
    uint16_t *wide;
    size_t units = 0;

    posix_add_command_line(&b, words, size);
    CHECK(!b.cut && b.size <= 6 * size + 8);
    /* By way of UTF-16, as the program gets it. */
    wide = os_to_utf16(buf_str(&b));
    while (wide[units] != 0) {
        units++;
    }
    os_to_utf8(&back, (struct str16){ wide, units });
    os_free(wide);
    return buf_str(&back);
}

/* True if the words that are read out of the line are those, byte by byte. */
static bool same_words(const char *words, size_t size)
{
    struct arena a = arena_over(room, sizeof(room), full);
    struct cmdline c = cmdline_over(line_of(words, size, &a));
    str rest = { words, size };
    bool same = true;
    struct word got;
    str want;

    while (str_cut(rest, 0, &want, &rest)) {
        char *bytes;

        if (!cmdline_next(&c, &a, &got)) {
            return false;
        }
        bytes = posix_bytes(got.text);
        same = same && str_eq(str_of(bytes), want);
        free(bytes);
    }
    return same && !cmdline_next(&c, &a, &got);
}

static void every_word_comes_back_as_it_was(void)
{
    /* clang-format off */
    static const char *const words[] = {
        "", " ", "\t", "a b", "a\tb", "\"", "\"\"", "a\"b", "\\", "\\\\",
        "\\\"", "\\\\\"", "a\\", "a b\\", "a b\\\\", "a\\\\b c\\d", "\"a\\",
        "\\ \\", "--out=x y", "C:\\a b\\", "\n", "gr\xc3\xbc\xc3\x9f",
        "\xf0\x9f\x98\x80", "\xe2\x82\xac", "\xff", "\x80", "a\xc3",
        "\xc3\xa9\xa9", "\xe2\x82", "\xed\xa0\x80", "\xed\xb2\x80",
        "\xc0\x80", "\xf4\x90\x80\x80", "\xf0\x9f\x98", "\xe0\x80\x80",
        "\"\xff \\",
    };
    /* clang-format on */

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        for (size_t k = 0; k < COUNT_OF(words); k++) {
            char both[100] = "name";
            size_t size = 5;

            memcpy(both + size, words[i], strlen(words[i]) + 1);
            size += strlen(words[i]) + 1;
            memcpy(both + size, words[k], strlen(words[k]) + 1);
            size += strlen(words[k]) + 1;
            if (!same_words(both, size)) {
                printf("words %zu and %zu\n", i, k);
                CHECK(false);
            }
        }
    }
}

static void our_own_name_may_have_blanks_and_be_empty(void)
{
    CHECK(same_words("/a b/\xc3\xbc", 8));
    CHECK(same_words("", 1));
    CHECK(same_words("a\\", 3));
    CHECK(same_words("\xff\0x", 4));
}

static void quotes_in_our_own_name_are_left_out(void)
{
    struct arena a = arena_over(room, sizeof(room), full);

    CHECK_STR(line_of("\"a\"b\0c", 7, &a), STR("\"ab\" c"));
}

static void bytes_that_are_no_text_are_surrogates(void)
{
    char made[20];
    struct buf b = BUF_OVER(made);

    posix_add_text(&b, "a\xff\x80", 3);
    CHECK_STR(buf_str(&b), STR("a\xed\xb3\xbf\xed\xb2\x80"));
}

static void a_manual_event_stays_set_and_another_wakes_once(void)
{
    struct err e;
    void *events[2] = { os_event_open(true, &e), os_event_open(false, &e) };

    CHECK_U64(os_wait(events, 2, 0), (uint64_t)-1);
    os_event_set(events[1]);
    CHECK_U64(os_wait(events, 2, 0), 1);
    CHECK_U64(os_wait(events, 2, 1), (uint64_t)-1);
    os_event_set(events[0]);
    os_event_set(events[1]);
    CHECK_U64(os_wait(events, 2, 1000), 0);
    CHECK_U64(os_wait(events, 2, 1000), 0);
    os_event_reset(events[0]);
    CHECK_U64(os_wait(events, 2, 1000), 1);
    CHECK_U64(os_wait(events, 2, 0), (uint64_t)-1);
    os_event_close(events[0]);
    os_event_close(events[1]);
    os_event_close(NULL);
}

static void set_after_a_while(void *event)
{
    os_sleep(20);
    os_event_set(event);
}

static void another_thread_ends_a_wait(void)
{
    struct err e;
    void *event = os_event_open(false, &e);
    struct os_thread_start start = { set_after_a_while, event };
    struct os_clock before, after;
    void *thread = NULL;

    os_clock_read(&before);
    CHECK(os_thread_run(&thread, &start, &e));
    CHECK_U64(os_wait(&event, 1, 30000), 0);
    os_clock_read(&after);
    os_thread_join(thread);
    CHECK(after.counter - before.counter >= os_counter_frequency() / 50);
    CHECK(after.counter - before.counter < 20 * os_counter_frequency());
    CHECK(after.tsc > before.tsc && after.wall > before.wall);
    os_event_close(event);
}

static void a_wait_ends_when_its_time_is_over(void)
{
    struct err e;
    void *event = os_event_open(false, &e);
    struct os_clock before, after;

    os_clock_read(&before);
    CHECK_U64(os_wait(&event, 1, 30), (uint64_t)-1);
    os_clock_read(&after);
    CHECK(after.counter - before.counter >= os_counter_frequency() * 3 / 100);
    os_event_close(event);
}

static void offsets_from_utc_know_other_days_and_half_hours(void)
{
    static const struct {
        const char *zone;
        int32_t ahead;
    } cases[] = {
        { "UTC", 0 },        { "AAA-5:30", 19800 }, { "AAA+11", -39600 },
        { "AAA-14", 50400 }, { "AAA+12", -43200 },  { "AAA-0:45", 2700 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        setenv("TZ", cases[i].zone, 1);
        CHECK_U64(os_utc_offset(), (uint64_t)cases[i].ahead);
    }
    unsetenv("TZ");
}

static void a_file_is_written_and_its_head_is_read(void)
{
    char path[100];
    struct buf name = BUF_OVER(path);
    struct os_file f;
    struct err e;
    uint16_t *wide;
    char got[4];
    size_t size = 0;
    uint64_t whole = 0;

    buf_addf(&name, "/tmp/test_posix.%d.", (int)getpid());
    posix_add_text(&name, "\xff", 1);
    CHECK(os_file_create(&f, buf_str(&name), &e));
    CHECK(f.owned && !f.console);
    CHECK(os_file_write(&f, STR("content"), &e));
    CHECK(os_file_close(&f, &e));
    wide = os_to_utf16(buf_str(&name));
    CHECK(os_file_head(wide, got, sizeof(got), &size, &whole, &e));
    CHECK_STR(((str){ got, size }), STR("cont"));
    CHECK_U64(whole, 7);
    os_free(wide);
    {
        char *bytes = posix_bytes(buf_str(&name));

        CHECK(unlink(bytes) == 0);
        free(bytes);
    }
}

static bool on_found(void *found, str path)
{
    struct buf *b = found;

    buf_add(b, str_file(path));
    buf_add_char(b, '\n');
    return b->size < 8;
}

static void files_are_found_by_what_they_begin_with(void)
{
    static const char *const names[] = { "/a.1", "/a.b", "/ab.1", "/b.1" };
    char folder[100], path[140], found[100];
    struct buf b = BUF_OVER(found);
    struct err e;

    snprintf(folder, sizeof(folder), "/tmp/test_posix.%d.files", (int)getpid());
    CHECK(mkdir(folder, 0700) == 0);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct os_file f;

        snprintf(path, sizeof(path), "%s%s", folder, names[i]);
        CHECK(os_file_create(&f, str_of(path), &e) && os_file_close(&f, &e));
    }
    snprintf(path, sizeof(path), "%s/a", folder);
    CHECK(os_files_beginning(str_of(path), on_found, &b, &e));
    CHECK(b.size == 8 && strstr(found, "a.1\n") && strstr(found, "a.b\n"));
    /* As soon as nobody wants more there are no more. */
    CHECK(os_files_beginning(str_of(path), on_found, &b, &e));
    CHECK_U64(b.size, 12);
    snprintf(path, sizeof(path), "%s/none", folder);
    b.size = 0;
    CHECK(os_files_beginning(str_of(path), on_found, &b, &e));
    CHECK_U64(b.size, 0);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        snprintf(path, sizeof(path), "%s%s", folder, names[i]);
        CHECK(unlink(path) == 0);
    }
    CHECK(rmdir(folder) == 0);
    snprintf(path, sizeof(path), "%s/a", folder);
    CHECK(!os_files_beginning(str_of(path), on_found, &b, &e));
    CHECK(str_starts(str_of(e.text), STR("cannot read /tmp/test_posix.")));
}

/* A file with `text` in it, named in `name`. */
static void make_file(struct buf *name, struct os_file *f, str text)
{
    struct err e;

    buf_addf(name, "/tmp/test_posix.%d.", (int)getpid());
    posix_add_text(name, "\xff", 1);
    CHECK(os_file_create(f, buf_str(name), &e));
    CHECK(os_file_write(f, text, &e));
}

static void remove_file(str name)
{
    char *bytes = posix_bytes(name);

    CHECK(unlink(bytes) == 0);
    free(bytes);
}

static void a_file_is_read_at_any_place_while_it_grows(void)
{
    char path[100];
    struct buf name = BUF_OVER(path);
    struct os_file out, in;
    struct err e;
    char got[10] = { 0 };
    size_t size = 99;
    uint64_t whole = 0;

    make_file(&name, &out, STR("content"));
    CHECK(os_file_open(&in, buf_str(&name), &e));
    CHECK(in.owned && !in.console && !os_is_terminal(&in));
    CHECK(os_file_size(&in, &whole, &e));
    CHECK_U64(whole, 7);
    CHECK(os_file_read_at(&in, 3, got, 2, &size, &e));
    CHECK_STR(((str){ got, size }), STR("te"));
    CHECK(os_file_read_at(&in, 0, got, sizeof(got), &size, &e));
    CHECK_STR(((str){ got, size }), STR("content"));
    CHECK(os_file_read_at(&in, 7, got, 1, &size, &e));
    CHECK_U64(size, 0);
    CHECK(os_file_read_at(&in, UINT64_MAX, got, 1, &size, &e));
    CHECK_U64(size, 0);
    CHECK(os_file_read_at(&in, INT64_MAX - 1, got, 9, &size, &e));
    CHECK_U64(size, 0);
    CHECK(os_file_write(&out, STR("s"), &e));
    CHECK(os_file_read_at(&in, 7, got, 9, &size, &e));
    CHECK_STR(((str){ got, size }), STR("s"));
    CHECK(os_file_close(&in, &e));
    CHECK(os_file_close(&out, &e));
    remove_file(buf_str(&name));
}

static void what_was_written_is_cut_off_and_written_over(void)
{
    char path[100];
    struct buf name = BUF_OVER(path);
    struct os_file out, in;
    struct err e = { 0 };
    char got[10];
    size_t size = 0;

    make_file(&name, &out, STR("content"));
    CHECK(os_file_truncate(&out, 3, &e));
    CHECK(os_file_write(&out, STR("!"), &e));
    CHECK(os_file_open(&in, buf_str(&name), &e));
    CHECK(os_file_read_at(&in, 0, got, sizeof(got), &size, &e));
    CHECK_STR(((str){ got, size }), STR("con!"));
    CHECK(!os_file_truncate(&in, 0, &e));
    CHECK_U64(e.code, ERR_OUTPUT);
    CHECK(os_file_close(&in, &e));
    CHECK(os_file_close(&out, &e));
    remove_file(buf_str(&name));
    /* One that is there is emptied. */
    name.size = 0;
    make_file(&name, &out, STR("content"));
    CHECK(os_file_close(&out, &e));
    name.size = 0;
    make_file(&name, &out, STR("x"));
    CHECK(os_file_size(&out, &(uint64_t){ 0 }, &e));
    CHECK(os_file_open(&in, buf_str(&name), &e));
    CHECK(os_file_read_at(&in, 0, got, sizeof(got), &size, &e));
    CHECK_STR(((str){ got, size }), STR("x"));
    CHECK(os_file_close(&in, &e));
    CHECK(os_file_close(&out, &e));
    remove_file(buf_str(&name));
}

static void what_cannot_be_read_is_named_with_the_reason(void)
{
    char path[60];
    struct os_file f = { 0 };
    struct err e = { 0 };
    char want[100];

    CHECK(!os_file_open(&f, STR("/no/where"), &e));
    CHECK_STR(str_of(e.text),
              STR("cannot read /no/where: No such file or directory (2)"));
    CHECK_U64(e.code, ERR_OS);
    CHECK(!os_file_open(&f, STR("/tmp"), &e));
    CHECK_STR(str_of(e.text), STR("cannot read /tmp: it is a directory"));
    CHECK(!os_file_open(&f, STR("/dev/null"), &e));
    CHECK_STR(str_of(e.text),
              STR("cannot read /dev/null: it is no plain file"));
    /* A pipe that nobody writes to does not hold us up. */
    snprintf(path, sizeof(path), "/tmp/test_posix.%d.pipe", (int)getpid());
    snprintf(want, sizeof(want), "cannot read %s: it is no plain file", path);
    CHECK(mkfifo(path, 0600) == 0);
    CHECK(!os_file_open(&f, str_of(path), &e));
    CHECK_STR(str_of(e.text), str_of(want));
    unlink(path);
}

static void what_was_read_is_not_emptied_whatever_it_is_called(void)
{
    char path[100], other[140];
    struct buf name = BUF_OVER(path);
    struct os_file out, in, none = { 0 };
    struct err e = { 0 };
    uint64_t size = 0;

    make_file(&name, &out, STR("content"));
    CHECK(os_file_close(&out, &e));
    CHECK(os_file_open(&in, buf_str(&name), &e));
    CHECK(!os_file_create(&none, buf_str(&name), &e));
    CHECK_U64(e.code, ERR_OUTPUT);
    CHECK(strstr(e.text, "is what was read, and would be lost") != NULL);
    {
        char *bytes = posix_bytes(buf_str(&name));

        snprintf(other, sizeof(other), "/tmp/test_posix.%d.same",
                 (int)getpid());
        CHECK(symlink(bytes, other) == 0);
        CHECK(!os_file_create(&none, str_of(other), &e));
        CHECK(unlink(other) == 0 && link(bytes, other) == 0);
        CHECK(!os_file_create(&none, str_of(other), &e));
        free(bytes);
    }
    CHECK(os_file_size(&in, &size, &e));
    CHECK_U64(size, 7);
    /* Closed, it would be lost as well. */
    CHECK(os_file_close(&in, &e));
    CHECK(!os_file_create(&none, str_of(other), &e));
    remove_file(buf_str(&name));
    CHECK(unlink(other) == 0);
}

static void the_system_has_a_name(void)
{
    char text[600];
    struct buf b = BUF_OVER(text);
    char host[100] = { 0 };

    os_system_name(&b);
    CHECK(str_starts(buf_str(&b), STR("Linux ")));
    b.size = 0;
    os_machine_name(&b);
    CHECK(gethostname(host, sizeof(host) - 1) == 0);
    CHECK_STR(buf_str(&b), str_of(host));
}

static void what_cannot_be_written_is_named_with_the_reason(void)
{
    struct os_file f = { 0 };
    struct err e = { 0 };
    uint16_t nowhere[] = { '/', 'n', 'o', 0 };
    size_t size;
    uint64_t whole;

    CHECK(!os_file_create(&f, STR("/tmp"), &e));
    CHECK_STR(str_of(e.text), STR("cannot write to /tmp: it is a directory"));
    CHECK_U64(e.code, ERR_OUTPUT);
    CHECK(!os_file_create(&f, STR("/no/where"), &e));
    CHECK_STR(str_of(e.text), STR("cannot write to /no/where: No such file or "
                                  "directory (2)"));
    CHECK_U64(e.code, ERR_OUTPUT);
    CHECK(!os_file_head(nowhere, &size, 1, &size, &whole, &e));
    CHECK_STR(str_of(e.text),
              STR("cannot read it: No such file or directory (2)"));
    CHECK_U64(e.code, ERR_OS);
}

static void a_command_reads_all_that_is_piped_into_it(void)
{
    char command[100];
    struct buf line = BUF_OVER(command);
    char path[60];
    struct os_file f;
    struct err e;
    void *process = NULL;
    char got[9] = { 0 };
    FILE *file;

    snprintf(path, sizeof(path), "/tmp/test_posix.%d", (int)getpid());
    buf_addf(&line, "sleep 0.1; tr a-z A-Z >%s", path);
    CHECK(os_pipe_into(&f, &process, buf_str(&line), &e));
    CHECK(os_file_write(&f, STR("whole\n"), &e));
    CHECK(os_file_close(&f, &e));
    os_pipe_wait(process);
    file = fopen(path, "r");
    CHECK(file != NULL && fgets(got, sizeof(got), file) != NULL);
    CHECK_STR(str_of(got), STR("WHOLE\n"));
    if (file != NULL) {
        fclose(file);
    }
    unlink(path);
}

static void a_reader_that_leaves_is_an_error(void)
{
    struct os_file f;
    struct err e = { 0 };
    void *process = NULL;
    bool ok = true;

    CHECK(os_pipe_into(&f, &process, STR("exit"), &e));
    for (int i = 0; i < 1000 && ok; i++) {
        ok = os_file_write(&f, STR("line\n"), &e);
        os_sleep(1);
    }
    CHECK_STR(str_of(e.text), STR("cannot write the output: Broken pipe (32)"));
    CHECK(e.code == ERR_UNREAD);
    CHECK(os_file_close(&f, &e));
    os_pipe_wait(process);
}

int main(void)
{
    const struct test tests[] = {
        TEST(every_word_comes_back_as_it_was),
        TEST(our_own_name_may_have_blanks_and_be_empty),
        TEST(quotes_in_our_own_name_are_left_out),
        TEST(bytes_that_are_no_text_are_surrogates),
        TEST(a_manual_event_stays_set_and_another_wakes_once),
        TEST(another_thread_ends_a_wait),
        TEST(a_wait_ends_when_its_time_is_over),
        TEST(offsets_from_utc_know_other_days_and_half_hours),
        TEST(a_file_is_written_and_its_head_is_read),
        TEST(a_file_is_read_at_any_place_while_it_grows),
        TEST(what_was_written_is_cut_off_and_written_over),
        TEST(what_cannot_be_read_is_named_with_the_reason),
        TEST(what_was_read_is_not_emptied_whatever_it_is_called),
        TEST(the_system_has_a_name),
        TEST(files_are_found_by_what_they_begin_with),
        TEST(what_cannot_be_written_is_named_with_the_reason),
        TEST(a_command_reads_all_that_is_piped_into_it),
        TEST(a_reader_that_leaves_is_an_error),
    };

    return check_run(tests, COUNT_OF(tests));
}
