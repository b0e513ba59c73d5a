/* SPDX-License-Identifier: MIT */
/*
 * test_utf - base/utf.c: units to code points, code points to WTF-8.
 */
#include "base/utf.h"

#include "base/compiler.h"

#include "unit/check.h"

static void a_pair_is_one_code_point_and_a_half_is_itself(void)
{
    static const uint16_t units[] = { 'a',    0xd83d, 0xde00, 0xde00,
                                      0xd83d, 0xd83d, 0xdfff, 0xdbff };
    static const uint32_t want[] = { 'a',    0x1f600, 0xde00,
                                     0xd83d, 0x1f7ff, 0xdbff };
    size_t at = 0;

    for (size_t i = 0; i < COUNT_OF(want); i++) {
        CHECK_U64(utf_next16(units, COUNT_OF(units), &at), want[i]);
    }
    CHECK_U64(at, COUNT_OF(units));
    /* Nothing behind the end is looked at. */
    at = 1;
    CHECK_U64(utf_next16(units, 2, &at), 0xd83d);
    CHECK_U64(at, 2);
    at = 0;
    CHECK_U64(utf_next16((const uint16_t[]){ 0xdbff, 0xdfff }, 2, &at),
              0x10ffff);
}

static void each_code_point_has_its_bytes(void)
{
    static const struct {
        uint32_t c;
        const char *bytes;
    } rows[] = {
        { 0x7f, "\x7f" },
        { 0x80, "\xc2\x80" },
        { 0x7ff, "\xdf\xbf" },
        { 0x800, "\xe0\xa0\x80" },
        { 0xd83d, "\xed\xa0\xbd" },
        { 0xffff, "\xef\xbf\xbf" },
        { 0x10000, "\xf0\x90\x80\x80" },
        { 0x10ffff, "\xf4\x8f\xbf\xbf" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char room[8];
        struct buf b = BUF_OVER(room);

        utf_add(&b, rows[i].c);
        CHECK_STR(buf_str(&b), str_of(rows[i].bytes));
    }
}

static void halves_are_told_apart(void)
{
    CHECK(!utf_is_high(0xd7ff));
    CHECK(utf_is_high(0xd800));
    CHECK(utf_is_high(0xdbff));
    CHECK(!utf_is_high(0xdc00));
    CHECK(!utf_is_high(0x1d800));
}

int main(void)
{
    const struct test tests[] = {
        TEST(a_pair_is_one_code_point_and_a_half_is_itself),
        TEST(each_code_point_has_its_bytes),
        TEST(halves_are_told_apart),
    };

    return check_run(tests, COUNT_OF(tests));
}
