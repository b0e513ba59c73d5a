/* SPDX-License-Identifier: MIT */
/*
 * test_keyed.c - hashes under a key: what is made to fall together under one key does
 * not under another.
 */
#include "base/keyed.h"

#include "unit/check.h"

#include <string.h>

#define PLACES 1024u
#define MOST 4000u

static uint64_t chosen[MOST];

/* How many of the chosen fall into the place that most fall into. */
static uint32_t fullest(uint32_t (*place)(uint64_t n))
{
    static uint32_t count[PLACES];
    uint32_t most = 0;

    memset(count, 0, sizeof(count));
    for (size_t i = 0; i < MOST; i++) {
        uint32_t *c = &count[place(chosen[i])];

        *c += 1;
        most = *c > most ? *c : most;
    }
    return most;
}

static uint32_t of_pair(uint64_t n)
{
    return keyed_pair(n, ~n) % PLACES;
}

static uint32_t of_bytes(uint64_t n)
{
    return (uint32_t)(keyed_bytes(&n, sizeof(n)) % PLACES);
}

/* Those that fall into place 0 under the key that there is. */
static void choose(uint32_t (*place)(uint64_t n))
{
    uint64_t n = 0;

    for (size_t i = 0; i < MOST; n += 0x100000001) {
        if (place(n) == 0) {
            chosen[i++] = n;
        }
    }
}

/* Four to a place are usual, by their number. */
static void what_is_made_for_a_key_is_spread_by_another(void)
{
    static uint32_t (*const places[])(uint64_t n) = { of_pair, of_bytes };

    for (size_t i = 0; i < COUNT_OF(places); i++) {
        keyed_seed(1, 2);
        choose(places[i]);
        CHECK_U64(fullest(places[i]), MOST);
        for (uint64_t seed = 3; seed < 40; seed++) {
            keyed_seed(seed, 2);
            CHECK(fullest(places[i]) < 40);
            keyed_seed(1, seed);
            CHECK(fullest(places[i]) < 40);
        }
    }
}

/* Numbers in a row, and those that only differ above or below, as handles,
 * addresses and ids do. */
static void what_is_usual_is_spread_under_any_key(void)
{
    for (uint64_t seed = 0; seed < 40; seed++) {
        keyed_seed(seed, ~seed);
        for (int shift = 0; shift <= 48; shift += 4) {
            for (size_t i = 0; i < MOST; i++) {
                chosen[i] = (uint64_t)i << shift;
            }
            CHECK(fullest(of_pair) < 80);
            CHECK(fullest(of_bytes) < 40);
        }
    }
}

static void each_byte_and_the_size_count(void)
{
    char bytes[40] = { 0 };
    uint64_t seen[sizeof(bytes) * 2 + 1];
    size_t count = 0;

    keyed_seed(5, 6);
    for (size_t size = 0; size <= sizeof(bytes); size++) {
        seen[count++] = keyed_bytes(bytes, size);
    }
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = 1;
        seen[count++] = keyed_bytes(bytes, sizeof(bytes));
        bytes[i] = 0;
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < i; k++) {
            CHECK(seen[i] != seen[k]);
        }
    }
    CHECK_U64(keyed_bytes(bytes, 7), seen[7]);
}

int main(void)
{
    const struct test tests[] = {
        TEST(what_is_made_for_a_key_is_spread_by_another),
        TEST(what_is_usual_is_spread_under_any_key),
        TEST(each_byte_and_the_size_count),
    };

    return check_run(tests, COUNT_OF(tests));
}
