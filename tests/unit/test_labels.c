/* SPDX-License-Identifier: MIT */
/*
 * test_labels - report/labels.c and table.c: names by their numbers, rows by their
 * keys, and the end of both.
 */
#include "report/labels.h"
#include "report/table.h"

#include <stdlib.h>
#include <string.h>

#include "unit/check.h"

static struct labels *n;

static void begin(void)
{
    n = labels_open();
    if (n == NULL) {
        abort();
    }
}

static void names_that_mean_the_same_are_one(void)
{
    uint32_t one, other;

    begin();
    one = labels_add(n, STR("C:\\Dir\\File.TXT"));
    CHECK_U64(one, 0);
    CHECK_U64(labels_add(n, STR("\\??\\c:\\dir\\file.txt")), one);
    other = labels_add(n, STR("C:\\Dir\\File.TX"));
    CHECK_U64(other, 1);
    CHECK_U64(labels_add(n, STR("")), 2);
    CHECK_U64(labels_add(n, STR("")), 2);
    CHECK_U64(labels_count(n), 3);
    /* The first spelling is shown. */
    CHECK_STR(labels_text(n, one), STR("C:\\Dir\\File.TXT"));
    CHECK_STR(labels_form(n, one), labels_form(n, one));
    CHECK_STR(labels_text(n, LABEL_NONE), STR("(more)"));
    CHECK_STR(labels_text(n, 3), STR("(more)"));
    labels_close(n);
}

/* What is no UTF-16 stays what it is. */
static void names_of_any_bytes_are_kept(void)
{
    static const char *const names[] = { "\xed\xa0\x80", "\xff\xfe", "a\x01",
                                         "<script>" };

    begin();
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        CHECK_U64(labels_add(n, str_of(names[i])), i);
    }
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        CHECK_STR(labels_text(n, (uint32_t)i), str_of(names[i]));
        CHECK_U64(labels_add(n, str_of(names[i])), i);
    }
    labels_close(n);
}

/* Ten digits. */
static void begin_with(char *name, uint32_t number)
{
    for (int i = 9; i >= 0; i--) {
        name[i] = (char)('0' + number % 10);
        number /= 10;
    }
}

static void there_is_an_end_to_what_is_kept(void)
{
    size_t size = 30000;
    char *name = malloc(size);
    uint32_t count = 0;

    if (name == NULL) {
        abort();
    }
    memset(name, 'a', size);
    begin();
    for (uint32_t i = 0; i < 3000; i++) {
        begin_with(name, i);
        count += labels_add(n, (str){ name, size }) != LABEL_NONE;
    }
    CHECK(count * size <= LABELS_BYTES_MOST);
    CHECK(count > 0);
    CHECK_U64(labels_count(n), count);
    /* Those that are there are found. */
    begin_with(name, 0);
    CHECK_U64(labels_add(n, (str){ name, size }), 0);
    labels_close(n);
    free(name);
}

struct row {
    struct table_key key;
    uint64_t value;
};

static void rows_are_found_by_both_halves_of_a_key(void)
{
    struct table t;
    uint64_t sum = 0;

    table_init(&t, sizeof(struct row), 100000);
    CHECK(table_find(&t, (struct table_key){ 0, 0 }) == NULL);
    for (uint64_t i = 0; i < 10000; i++) {
        struct row *r = table_row(&t, (struct table_key){ i % 100, i / 100 });

        CHECK(r != NULL && r->value == 0);
        if (r != NULL) {
            r->value = i;
        }
    }
    for (uint64_t i = 0; i < 10000; i++) {
        struct row *r = table_find(&t, (struct table_key){ i % 100, i / 100 });

        sum += r != NULL && r->value == i && r == table_row(&t, r->key) &&
               r == table_at(&t, (size_t)i);
    }
    CHECK_U64(sum, 10000);
    CHECK_U64(t.count, 10000);
    CHECK(table_find(&t, (struct table_key){ 100, 0 }) == NULL);
    CHECK(table_find(&t, (struct table_key){ 0, 100 }) == NULL);
    CHECK_U64(t.refused, 0);
    table_close(&t);
}

static void rows_beyond_the_room_are_counted(void)
{
    struct table t;

    table_init(&t, sizeof(struct row), 3);
    for (uint64_t i = 0; i < 10; i++) {
        CHECK((table_row(&t, (struct table_key){ i, 0 }) != NULL) == (i < 3));
    }
    CHECK_U64(t.count, 3);
    CHECK_U64(t.refused, 7);
    CHECK(table_row(&t, (struct table_key){ 2, 0 }) != NULL);
    table_close(&t);
}

int main(void)
{
    const struct test tests[] = {
        TEST(names_that_mean_the_same_are_one),
        TEST(names_of_any_bytes_are_kept),
        TEST(there_is_an_end_to_what_is_kept),
        TEST(rows_are_found_by_both_halves_of_a_key),
        TEST(rows_beyond_the_room_are_counted),
    };

    return check_run(tests, COUNT_OF(tests));
}
