/* SPDX-License-Identifier: MIT */
/*
 * test_work.c - how much is done before a program starts: the rows of all
 * calls of ntdll are made, and what is asked on the way is counted.
 *
 * The linker hands the library's calls of these functions to those of this
 * file (Makefile). How long it takes is for bench/ to say; how much it is does
 * not depend on the machine.
 */
#include "plan/plan.h"

#include "nt/layout.h"
#include "unit/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct plan plan;

static struct {
    size_t rows;      // made
    size_t layouts;   // of structures
    size_t compared;  // names
    size_t measured;  // texts whose end was looked for
} work;

bool __real_nt_layout_of(const struct struct_row *row, enum nt_width width,
                         struct nt_layout *out);
bool __wrap_nt_layout_of(const struct struct_row *row, enum nt_width width,
                         struct nt_layout *out);
str __real_str_of(const char *z);
str __wrap_str_of(const char *z);
int __real_str_cmp_z(str a, const char *z);
int __wrap_str_cmp_z(str a, const char *z);
int __real_str_cmp(str a, str b);
int __wrap_str_cmp(str a, str b);
bool __real_str_eq(str a, str b);
bool __wrap_str_eq(str a, str b);

bool __wrap_nt_layout_of(const struct struct_row *row, enum nt_width width,
                         struct nt_layout *out)
{
    work.layouts++;
    return __real_nt_layout_of(row, width, out);
}

str __wrap_str_of(const char *z)
{
    work.measured++;
    return __real_str_of(z);
}

int __wrap_str_cmp_z(str a, const char *z)
{
    work.compared++;
    return __real_str_cmp_z(a, z);
}

int __wrap_str_cmp(str a, str b)
{
    work.compared++;
    return __real_str_cmp(a, b);
}

bool __wrap_str_eq(str a, str b)
{
    work.compared++;
    return __real_str_eq(a, b);
}

/* The rows of what ntdll has, on Windows or in Wine, for all that a trace
 * shows without options. */
static void make_rows(bool wine)
{
    struct plan_wants wants = { .arguments = true, .handles = true };
    struct filter *filter = filter_open();

    if (filter == NULL) {
        abort();
    }
    wants.filter = filter;
    wants.capture.string_max = 32;
    plan_open(&plan, &wants, (struct call_system){ .wine = wine }, true);
    memset(&work, 0, sizeof(work));
    for (size_t i = 0; i < call_count(); i++) {
        const struct call_facts *facts = call_at(i);

        if (!call_is_win32k(facts)) {
            str name = { facts->name, strlen(facts->name) };

            (void)plan_row(&plan, name, (uint16_t)work.rows++);
        }
    }
    CHECK(plan.used > 0);
    CHECK_U64(plan.left_out, 0);
    plan_close(&plan);
    filter_close(filter);
}

/* Where x64 has a field stands in its row. This is the first test: what was
 * looked up once is kept. */
static void no_structure_is_laid_out(void)
{
    make_rows(true);
    CHECK(work.rows > 500);
    CHECK_U64(work.layouts, 0);
}

/* Lists are searched by halving, or told apart by a first byte: some 350 for a
 * call with its parameters, their types and what these lead to. */
static void few_names_are_compared(void)
{
    for (int wine = 0; wine < 2; wine++) {
        make_rows(wine == 1);
        if (work.compared > 500 * work.rows) {
            printf("%zu names compared for %zu rows\n", work.compared,
                   work.rows);
            CHECK(false);
        }
    }
}

/* Nobody looks for the end of a name to find that it is another one. */
static void few_names_are_measured(void)
{
    for (int wine = 0; wine < 2; wine++) {
        make_rows(wine == 1);
        if (work.measured > 60 * work.rows) {
            printf("%zu names measured for %zu rows\n", work.measured,
                   work.rows);
            CHECK(false);
        }
    }
}

int main(void)
{
    const struct test tests[] = {
        TEST(no_structure_is_laid_out),
        TEST(few_names_are_compared),
        TEST(few_names_are_measured),
    };

    return check_run(tests, COUNT_OF(tests));
}
