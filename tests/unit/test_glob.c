/* SPDX-License-Identifier: MIT */
/*
 * test_glob.c - * and ?, and how long they may take.
 */
#include "base/glob.h"

#include "unit/check.h"

static const struct {
    const char *glob;
    const char *name;
    bool exact;
    bool any_case;
} rows[] = {
    { "", "", true, true },
    { "", "a", false, false },
    { "*", "", true, true },
    { "?", "", false, false },
    { "?", "a", true, true },
    { "**", "ab", true, true },
    { "a*", "A", false, true },
    { "*.INI", "app.ini", false, true },
    { "*.ini", "app.ini.ini", true, true },
    { "*.ini", "app.ini.txt", false, false },
    { "a*b*c", "aXbXbXc", true, true },
    { "a*b*c", "aXcXb", false, false },
    { "a?c*", "abc", true, true },
    { "*?", "", false, false },
    { "*??", "a", false, false },
    { "a*", "b*", false, false },
    { "?", "*", true, true },
};

static void a_glob_is_all_of_a_name(void)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        str glob = str_of(rows[i].glob);
        str name = str_of(rows[i].name);

        CHECK(glob_matches(glob, name, false) == rows[i].exact);
        CHECK(glob_matches(glob, name, true) == rows[i].any_case);
    }
}

static size_t looks;

/* A glob of all stars but its end, which never comes. */
static enum glob_unit look_at_stars(const void *both, size_t g, size_t n)
{
    const size_t *glob_size = both;

    (void)n;
    looks++;
    return g % 2 == 0 && g + 1 < *glob_size ? GLOB_STAR
           : g + 1 < *glob_size             ? GLOB_SAME
                                            : GLOB_OTHER;
}

static void the_worst_glob_takes_the_product_of_both(void)
{
    const size_t glob_size = 2001, size = 5000;

    looks = 0;
    CHECK(!glob_holds(glob_size, 0, size, look_at_stars, &glob_size));
    CHECK(looks > 0 && looks <= glob_size * size);
}

int main(void)
{
    const struct test tests[] = {
        TEST(a_glob_is_all_of_a_name),
        TEST(the_worst_glob_takes_the_product_of_both),
    };

    return check_run(tests, COUNT_OF(tests));
}
