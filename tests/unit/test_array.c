/* SPDX-License-Identifier: MIT */
/*
 * test_array.c - arrays that are put in order.
 */
#include "base/array.h"

#include "unit/check.h"

#include <stdlib.h>
#include <string.h>

#define MOST 5000

/* --- an adversary (McIlroy, "A killer adversary for quicksort") ---------- */

/* What an element is worth is only said when it is compared with another one
 * whose worth is not said either, and so as bad as can be for whoever sorts by
 * pivots. */
static uint32_t worth[MOST];
static uint32_t said, not_said, candidate, compared;

static int worst(const void *a, const void *b)
{
    uint32_t x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    compared++;
    if (worth[x] == not_said && worth[y] == not_said) {
        worth[x == candidate ? x : y] = said++;
    }
    if (worth[x] == not_said) {
        candidate = x;
    } else if (worth[y] == not_said) {
        candidate = y;
    }
    return worth[x] < worth[y] ? -1 : worth[x] > worth[y];
}

static void no_order_takes_long_to_put_right(void)
{
    static uint32_t at[MOST];

    said = 0;
    not_said = MOST;
    candidate = 0;
    compared = 0;
    for (uint32_t i = 0; i < MOST; i++) {
        at[i] = i;
        worth[i] = not_said;
    }
    array_sort(at, MOST, sizeof(at[0]), worst);
    /* 13 > log2(5000). */
    CHECK(compared <= 2 * MOST * 13);
    for (uint32_t i = 1; i < MOST; i++) {
        CHECK(worth[at[i - 1]] <= worth[at[i]]);
    }
}

struct row {
    uint8_t key;
    uint8_t rest[10];
};

static int by_key(const void *a, const void *b)
{
    return *(const uint8_t *)a - *(const uint8_t *)b;
}

static void what_is_sorted_rises_and_is_all_there(void)
{
    static struct row rows[300];
    uint32_t state = 1;

    for (size_t count = 0; count <= COUNT_OF(rows); count++) {
        uint32_t sum = 0, after = 0;

        for (size_t i = 0; i < count; i++) {
            state = state * 1664525 + 1013904223;
            rows[i].key = (uint8_t)(state >> 24);
            memset(rows[i].rest, rows[i].key ^ 0x55, sizeof(rows[i].rest));
            sum += rows[i].key;
        }
        array_sort(rows, count, sizeof(rows[0]), by_key);
        for (size_t i = 0; i < count; i++) {
            after += rows[i].key;
            CHECK(i == 0 || rows[i - 1].key <= rows[i].key);
            CHECK(rows[i].rest[0] == (rows[i].key ^ 0x55) &&
                  rows[i].rest[9] == (rows[i].key ^ 0x55));
        }
        CHECK(after == sum);
    }
    array_sort(NULL, 0, 8, by_key);
}

int main(void)
{
    const struct test tests[] = {
        TEST(no_order_takes_long_to_put_right),
        TEST(what_is_sorted_rises_and_is_all_there),
    };

    return check_run(tests, COUNT_OF(tests));
}
