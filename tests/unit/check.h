/* SPDX-License-Identifier: MIT */
/*
 * check.h - the whole test framework.
 *
 * A test is a static function whose name is a sentence, listed in main()'s
 * table: one that is not listed is unused and does not compile. A failing
 * check prints where, want and got; the test goes on, the exit status is 1.
 */
#ifndef CHECK_H
#define CHECK_H

#include "base/str.h"

#include <stdio.h>

struct test {
    const char *name;
    void (*run)(void);
};
static int check_bad;  // failed checks of the running test

static inline void check_true(bool ok, const char *what, const char *at)
{
    if (!ok) {
        printf("%s: not true: %s\n", at, what);
        check_bad++;
    }
}

static inline void check_str(str got, str want, const char *at)
{
    if (!str_eq(got, want)) {
        printf("%s:\n  want \"%.*s\"\n", at, STR_ARGS(want));
        printf("  got  \"%.*s\"\n", STR_ARGS(got));
        check_bad++;
    }
}

static inline void check_u64(uint64_t got, uint64_t want, const char *at)
{
    if (got != want) {
        printf("%s: want %#llx", at, (unsigned long long)want);
        printf(", got %#llx\n", (unsigned long long)got);
        check_bad++;
    }
}

#define CHECK_TEXT(what) #what
#define CHECK_LINE(line) CHECK_TEXT(line)
#define CHECK_AT __FILE__ ":" CHECK_LINE(__LINE__)
#define CHECK(what) check_true((what), #what, CHECK_AT)
#define CHECK_STR(got, want) check_str((got), (want), CHECK_AT)
#define CHECK_U64(got, want) check_u64((uint64_t)(got), (want), CHECK_AT)
#define TEST(function) ((struct test){ #function, function })

static inline int check_run(const struct test *tests, size_t count)
{
    size_t failed = 0;

    for (size_t i = 0; i < count; i++) {
        check_bad = 0;
        tests[i].run();
        printf("%s  %s\n", check_bad ? "FAIL" : "ok  ", tests[i].name);
        failed += check_bad != 0;
    }
    printf("%zu passed, %zu failed\n", count - failed, failed);
    return failed != 0;
}

#endif
