/* SPDX-License-Identifier: MIT */
/*
 * test_reader - base/reader.h.
 *
 * The bytes stand at the very end of a heap block, so that under ASan one
 * byte too many is a crash.
 */
#include "base/reader.h"

#include "unit/check.h"

#include <stdlib.h>
#include <string.h>

static void numbers_are_little_endian(void)
{
    static const uint8_t bytes[] = { 1, 2,  3,  4,  5,  6,  7,  8,
                                     9, 10, 11, 12, 13, 14, 255 };
    struct reader r = reader_over(bytes, sizeof(bytes));

    CHECK_U64(reader_u8(&r), 1);
    CHECK_U64(reader_u16(&r), 0x0302);
    CHECK_U64(reader_u32(&r), 0x07060504);
    CHECK_U64(reader_u64(&r), 0xff0e0d0c0b0a0908);
    CHECK_U64(reader_left(&r), 0);
    CHECK(!r.bad);
}

static void a_read_past_the_end_gives_zero_and_stays_bad(void)
{
    uint8_t *bytes = malloc(3);
    struct reader r;

    memset(bytes, 0xff, 3);
    r = reader_over(bytes, 3);
    CHECK_U64(reader_u32(&r), 0);
    CHECK(r.bad);
    CHECK_U64(r.at, 0);
    CHECK_U64(reader_u16(&r), 0xffff);
    CHECK(r.bad);
    CHECK_U64(reader_u64(&r), 0);
    CHECK_U64(reader_u16(&r), 0);
    CHECK_U64(reader_u8(&r), 0xff);
    CHECK_U64(reader_u8(&r), 0);
    free(bytes);
}

static void no_length_is_too_long_to_refuse(void)
{
    static const uint8_t bytes[] = { 'a', 'b', 'c' };
    struct reader r = reader_over(bytes, sizeof(bytes));

    CHECK_STR(reader_bytes(&r, 2), STR("ab"));
    CHECK_STR(reader_bytes(&r, SIZE_MAX), STR(""));
    CHECK(r.bad);
    CHECK_U64(r.at, 2);
    r = reader_over(bytes, sizeof(bytes));
    CHECK_STR(reader_bytes(&r, 3), STR("abc"));
    CHECK_STR(reader_bytes(&r, 0), STR(""));
    CHECK(!r.bad);
    CHECK(reader_bytes(&r, 1).p != NULL);
}

static void a_seek_stays_inside(void)
{
    static const uint8_t bytes[] = { 1, 2, 3 };
    struct reader r = reader_over(bytes, sizeof(bytes));

    reader_seek(&r, 3);
    CHECK(!r.bad);
    reader_seek(&r, 1);
    CHECK_U64(reader_u8(&r), 2);
    reader_seek(&r, 4);
    CHECK(r.bad);
    CHECK_U64(reader_u8(&r), 0);
    reader_seek(&r, SIZE_MAX);
    CHECK_U64(r.at, 3);
}

static void text_ends_at_its_nul_or_is_refused(void)
{
    char *bytes = malloc(6);
    struct reader r;

    memcpy(bytes, "ab\0cde", 6);
    r = reader_over(bytes, 6);
    CHECK_STR(reader_zstr(&r, 100), STR("ab"));
    CHECK_U64(r.at, 3);
    CHECK_STR(reader_zstr(&r, 100), STR(""));
    CHECK(r.bad);

    r = reader_over(bytes, 6);
    CHECK_STR(reader_zstr(&r, 2), STR(""));
    CHECK(r.bad);
    r = reader_over(bytes, 6);
    CHECK_STR(reader_zstr(&r, 3), STR("ab"));
    CHECK(!r.bad);
    free(bytes);
}

static void nothing_can_be_read_from_nothing(void)
{
    struct reader r = reader_over(NULL, 0);

    CHECK_STR(reader_bytes(&r, 0), STR(""));
    CHECK(!r.bad);
    CHECK_STR(reader_zstr(&r, 10), STR(""));
    CHECK(r.bad);
}

int main(void)
{
    const struct test tests[] = {
        TEST(numbers_are_little_endian),
        TEST(a_read_past_the_end_gives_zero_and_stays_bad),
        TEST(no_length_is_too_long_to_refuse),
        TEST(a_seek_stays_inside),
        TEST(text_ends_at_its_nul_or_is_refused),
        TEST(nothing_can_be_read_from_nothing),
    };

    return check_run(tests, COUNT_OF(tests));
}
