/* SPDX-License-Identifier: MIT */
/*
 * test_str - base/str.h and base/err.h.
 */
#include "base/err.h"
#include "base/str.h"

#include "unit/check.h"

#include <string.h>

static void a_null_string_is_empty_and_not_null(void)
{
    CHECK(str_of(NULL).p != NULL);
    CHECK_U64(str_of(NULL).size, 0);
    CHECK_STR(str_of("ab"), STR("ab"));
}

static void a_slice_never_leaves_its_text(void)
{
    CHECK_STR(str_slice(STR("abcdef"), 2, 4), STR("cd"));
    CHECK_STR(str_slice(STR("abc"), 1, 99), STR("bc"));
    CHECK_STR(str_slice(STR("abc"), 99, 99), STR(""));
    CHECK_STR(str_slice(STR("abc"), 2, 1), STR(""));
    CHECK_STR(str_slice(STR("abc"), SIZE_MAX, 0), STR(""));
}

static void texts_compare_by_bytes(void)
{
    CHECK(str_eq(STR("a\0b"), STR("a\0b")));
    CHECK(!str_eq(STR("a\0b"), STR("a\0c")));
    CHECK(!str_eq(STR("a"), STR("ab")));
    CHECK(str_eq_nocase(STR("A.eXe"), STR("a.ExE")));
    CHECK(!str_eq_nocase(STR("a["), STR("a{")));
    CHECK(!str_eq_nocase(STR("a"), STR("ab")));
    CHECK(str_cmp(STR("a"), STR("b")) < 0);
    CHECK(str_cmp(STR("b"), STR("a")) > 0);
    CHECK(str_cmp(STR("a"), STR("ab")) < 0);
    CHECK(str_cmp(STR("ab"), STR("a")) > 0);
    CHECK(str_cmp(STR("\xff"), STR("a")) > 0);
    CHECK(str_cmp(STR(""), STR("")) == 0);
    CHECK(str_cmp_z(STR("a"), "b") < 0);
    CHECK(str_cmp_z(STR("b"), "a") > 0);
    CHECK(str_cmp_z(STR("a"), "ab") < 0);
    CHECK(str_cmp_z(STR("ab"), "a") > 0);
    CHECK(str_cmp_z(STR("\xff"), "a") > 0);
    CHECK(str_cmp_z(STR("a\0b"), "a") > 0);
    CHECK(str_cmp_z(STR(""), "") == 0);
    CHECK(str_cmp_z(STR("abc"), "abc") == 0);
    CHECK(str_is(STR("abc"), "abc"));
    CHECK(str_is(STR(""), ""));
    CHECK(!str_is(STR(""), "a"));
    CHECK(!str_is(STR("a"), ""));
    CHECK(!str_is(STR("a"), "ab"));
    CHECK(!str_is(STR("ab"), "a"));
    CHECK(!str_is(STR("a\0b"), "a"));
    CHECK(!str_is(STR("b"), "a"));
    CHECK(str_starts(STR("--foo"), STR("--")));
    CHECK(!str_starts(STR("-"), STR("--")));
    CHECK(str_ends(STR("a.exe"), STR(".exe")));
    CHECK(!str_ends(STR("exe"), STR(".exe")));
}

static void an_identifier_is_one_of_c(void)
{
    CHECK(str_is_identifier(STR("NtClose")));
    CHECK(str_is_identifier(STR("_a9Z")));
    CHECK(!str_is_identifier(STR("")));
    CHECK(!str_is_identifier(STR("9a")));
    CHECK(!str_is_identifier(STR("Nt Close")));
    CHECK(!str_is_identifier(STR("Nt\xc3\xa4")));
    CHECK(!str_is_identifier((str){ "a", 2 }));
}

static void a_cut_splits_at_the_first_one(void)
{
    str head;
    str tail;

    CHECK(str_cut(STR("a=b=c"), '=', &head, &tail));
    CHECK_STR(head, STR("a"));
    CHECK_STR(tail, STR("b=c"));
    CHECK(str_cut(STR("a="), '=', &head, &tail));
    CHECK_STR(tail, STR(""));
    CHECK(!str_cut(STR("abc"), '=', &head, &tail));
    CHECK_STR(head, STR("abc"));
    CHECK_STR(tail, STR(""));
    CHECK(!str_cut(STR(""), '=', &head, &tail));
}

static void numbers_are_read_whole_or_not_at_all(void)
{
    static const struct {
        str text;
        bool ok;
        uint64_t want;
    } cases[] = {
        { STR_INIT("0"), true, 0 },
        { STR_INIT("18446744073709551615"), true, UINT64_MAX },
        { STR_INIT("18446744073709551616"), false, 0 },
        { STR_INIT("0xFFFFFFFFffffffff"), true, UINT64_MAX },
        { STR_INIT("0x10000000000000000"), false, 0 },
        { STR_INIT("0X1a"), true, 26 },
        { STR_INIT("0x"), false, 0 },
        { STR_INIT(""), false, 0 },
        { STR_INIT("1a"), false, 0 },
        { STR_INIT("-1"), false, 0 },
        { STR_INIT(" 1"), false, 0 },
        { STR_INIT("0xg"), false, 0 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint64_t got = 77;

        CHECK_U64(str_to_u64(cases[i].text, &got), cases[i].ok);
        CHECK_U64(got, cases[i].ok ? cases[i].want : 77);
    }
}

static void a_buf_builds_text(void)
{
    char room[200];
    struct buf b = BUF_OVER(room);

    buf_add(&b, STR("a"));
    buf_add_char(&b, ' ');
    buf_add_dec(&b, 0);
    buf_add_char(&b, ' ');
    buf_add_dec(&b, UINT64_MAX);
    buf_add_char(&b, ' ');
    buf_add_hex(&b, 0);
    buf_add_char(&b, ' ');
    buf_add_hex(&b, 0x10);
    buf_add_char(&b, ' ');
    buf_add_hex(&b, UINT64_MAX);
    buf_add_char(&b, ' ');
    buf_add_hex_digits(&b, 0x12ab, 6);
    buf_addf(&b, " %s-%zu", "x", (size_t)7);
    CHECK_STR(buf_str(&b), STR("a 0 18446744073709551615 0x0 0x10 "
                               "0xffffffffffffffff 0012ab x-7"));
    CHECK(!b.cut);
}

static void a_full_buf_holds_a_beginning(void)
{
    char room[4];
    struct buf b = BUF_OVER(room);

    buf_add(&b, STR("abcd"));
    CHECK(!b.cut);
    buf_add(&b, STR(""));
    CHECK(!b.cut);

    b.size = 2;
    buf_add(&b, STR("xyz"));
    CHECK(b.cut);
    CHECK_STR(buf_str(&b), STR("abxy"));

    b = BUF_OVER(room);
    buf_add(&b, STR("abcde"));
    b.size = 1;
    buf_add(&b, STR("z"));
    buf_addf(&b, "z");
    CHECK_STR(buf_str(&b), STR("a"));

    b = BUF_OVER(room);
    buf_addf(&b, "%d", 123);
    CHECK(!b.cut);
    CHECK_STR(buf_str(&b), STR("123"));

    b = BUF_OVER(room);
    buf_addf(&b, "%d", 1234);
    CHECK(b.cut);
    CHECK_STR(buf_str(&b), STR("123"));
}

static void an_error_says_what_and_with_which_status(void)
{
    struct err e = { .os = 5 };
    char much[2000];

    CHECK(!err_set(&e, ERR_NOT_FOUND, "%s: not found", "x.exe"));
    CHECK(e.code == ERR_NOT_FOUND);
    CHECK_U64(e.os, 0);
    CHECK_STR(str_of(e.text), STR("x.exe: not found"));
    CHECK_U64(err_exit_status(ERR_NONE), 0);
    CHECK_U64(err_exit_status(ERR_USAGE), 125);
    CHECK_U64(err_exit_status(ERR_NOT_OURS), 126);
    CHECK_U64(err_exit_status(ERR_NOT_FOUND), 127);

    memset(much, 'x', sizeof(much) - 1);
    much[sizeof(much) - 1] = '\0';
    err_set(&e, ERR_OS, "%s", much);
    CHECK_U64(str_of(e.text).size, sizeof(e.text) - 1);
}

int main(void)
{
    const struct test tests[] = {
        TEST(a_null_string_is_empty_and_not_null),
        TEST(a_slice_never_leaves_its_text),
        TEST(texts_compare_by_bytes),
        TEST(an_identifier_is_one_of_c),
        TEST(a_cut_splits_at_the_first_one),
        TEST(numbers_are_read_whole_or_not_at_all),
        TEST(a_buf_builds_text),
        TEST(a_full_buf_holds_a_beginning),
        TEST(an_error_says_what_and_with_which_status),
    };

    return check_run(tests, COUNT_OF(tests));
}
