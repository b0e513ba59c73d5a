/* SPDX-License-Identifier: MIT */
/*
 * test_line - format/line.c: what grows, what is cut, and how.
 */
#include "format/line.h"

#include <string.h>

#include "unit/check.h"

static char big[LINE_MAX_BYTES];

static void add(struct line *l, str s)
{
    line_room(l, s.size);
    buf_add(&l->buf, s);
}

static void a_line_grows_and_is_whole(void)
{
    struct line l;
    str all;

    CHECK(line_open(&l));
    for (size_t i = 0; i < 100000; i++) {
        add(&l, STR("0123456789"));
    }
    all = line_end(&l, STR("!"));
    CHECK_U64(all.size, 1000002);
    CHECK(str_ends(all, STR("789!\n")));
    CHECK(str_starts(all, STR("01234567890123456789")));
    line_reset(&l);
    CHECK_STR(line_end(&l, STR("")), STR("\n"));
    line_close(&l);
}

static void memory_of_a_large_line_is_given_back(void)
{
    struct line l;

    CHECK(line_open(&l));
    add(&l, (str){ big, 1 << 20 });
    CHECK(l.buf.room >= 1 << 20);
    line_reset(&l);
    CHECK(l.buf.room < 1 << 16);
    add(&l, STR("x"));
    CHECK_STR(line_end(&l, STR("")), STR("x\n"));
    line_close(&l);
}

static void no_line_is_longer_than_the_most(void)
{
    struct line l;
    str all;

    memset(big, 'x', sizeof(big));
    CHECK(line_open(&l));
    add(&l, STR("begin"));
    add(&l, (str){ big, sizeof(big) });
    add(&l, STR("more"));
    all = line_end(&l, STR(""));
    CHECK(all.size <= LINE_MAX_BYTES);
    CHECK(all.size > LINE_MAX_BYTES - 100);
    CHECK(str_starts(all, STR("beginxxx")));
    CHECK(str_ends(all, STR("xxx...\n")));
    line_reset(&l);
    add(&l, STR("next"));
    CHECK_STR(line_end(&l, STR("")), STR("next\n"));
    line_close(&l);
}

/* Whatever bytes of a character find room, none of it is left alone. */
static void no_character_is_cut(void)
{
    static const str letters[] = {
        STR_INIT("\xc3\xa4"),
        STR_INIT("\xe6\x97\xa5"),
        STR_INIT("\xf0\x9f\x98\x80"),
    };

    for (size_t i = 0; i < COUNT_OF(letters); i++) {
        for (size_t n = 0; n < letters[i].size; n++) {
            struct line l;
            size_t left;

            CHECK(line_open(&l));
            left = l.buf.room - n;
            buf_add(&l.buf, (str){ big, left });
            buf_add(&l.buf, letters[i]);
            CHECK(l.buf.cut);
            CHECK_U64(line_end(&l, STR("")).size, left + 4);
            line_close(&l);
        }
    }
}

static void something_is_put_in(void)
{
    struct line l;

    CHECK(line_open(&l));
    add(&l, STR("ad"));
    line_insert(&l, 1, STR("bc"));
    line_insert(&l, 0, STR("<"));
    line_insert(&l, 5, STR(">"));
    CHECK_STR(buf_str(&l.buf), STR("<abcd>"));
    line_close(&l);
}

/* As after a line_open that failed. */
static void without_memory_there_are_empty_lines(void)
{
    struct line l = { 0 };

    buf_add(&l.buf, STR("x"));
    CHECK_STR(line_end(&l, STR("")), STR(""));
    line_reset(&l);
    line_close(&l);
}

static void there_is_always_room_for_a_name(void)
{
    CHECK(LINE_MAX_BYTES - LINE_REST_BYTES - LINE_FULL_BYTES >
          32767 * 7 + 1000);
}

int main(void)
{
    const struct test tests[] = {
        TEST(a_line_grows_and_is_whole),
        TEST(memory_of_a_large_line_is_given_back),
        TEST(no_line_is_longer_than_the_most),
        TEST(no_character_is_cut),
        TEST(something_is_put_in),
        TEST(without_memory_there_are_empty_lines),
        TEST(there_is_always_room_for_a_name),
    };

    return check_run(tests, COUNT_OF(tests));
}
