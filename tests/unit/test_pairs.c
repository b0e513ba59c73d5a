/* SPDX-License-Identifier: MIT */
/*
 * test_pairs - report/pairs.c: which threads of two runs are laid side by side, and
 * how much is compared for that.
 */
#include "report/pairs.h"

#include "unit/check.h"

#include <stdlib.h>
#include <string.h>

/* --- by trying all ---------------------------------------------------------- */

#define FEW 24
#define CALLS 6

static uint32_t calls[2][FEW][CALLS];
static struct pairs_row rows[2][FEW];
static bool gone[FEW];

static size_t alike(const struct pairs_row *x, const struct pairs_row *y)
{
    size_t n = 0;

    while (n < x->count && n < y->count && x->calls[n] == y->calls[n]) {
        n++;
    }
    return 2 * n + 1 + (x->start == y->start);
}

static uint32_t by_trying(const struct pairs_row *x)
{
    uint32_t chosen = PAIRS_NONE;
    size_t most = 0;

    for (uint32_t k = 0; k < FEW; k++) {
        if (x->group != PAIRS_NONE && rows[1][k].group == x->group &&
            !gone[k] && alike(x, &rows[1][k]) > most) {
            most = alike(x, &rows[1][k]);
            chosen = k;
        }
    }
    if (chosen != PAIRS_NONE) {
        gone[chosen] = true;
    }
    return chosen;
}

static uint32_t random_below(uint32_t n)
{
    static uint64_t state = 1;

    state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(state >> 33) % n;
}

static void the_same_are_chosen_as_by_trying_all(void)
{
    uint32_t chosen[FEW];
    uint64_t compared;
    size_t wrong = 0;

    for (int round = 0; round < 5000; round++) {
        uint32_t words = 1 + random_below(3);
        uint32_t groups = 1 + random_below(3);

        for (int side = 0; side < 2; side++) {
            for (int i = 0; i < FEW; i++) {
                struct pairs_row *r = &rows[side][i];

                *r = (struct pairs_row){ random_below(groups), random_below(3),
                                         calls[side][i],
                                         random_below(CALLS + 1) };
                if (side == 0 && random_below(20) == 0) {
                    r->group = PAIRS_NONE;
                }
                for (int k = 0; k < CALLS; k++) {
                    calls[side][i][k] = random_below(words);
                }
            }
        }
        memset(gone, 0, sizeof(gone));
        CHECK(pairs_choose(rows[0], FEW, rows[1], FEW, chosen, &compared));
        for (int i = 0; i < FEW; i++) {
            wrong += chosen[i] != by_trying(&rows[0][i]);
        }
    }
    CHECK_U64(wrong, 0);
}

static void without_any_none_is_chosen(void)
{
    struct pairs_row one = { .group = 0 };
    uint32_t chosen;
    uint64_t compared;

    CHECK(pairs_choose(&one, 1, NULL, 0, &chosen, &compared));
    CHECK_U64(chosen, PAIRS_NONE);
    CHECK(pairs_choose(NULL, 0, &one, 1, &chosen, &compared));
}

/* --- how much is compared --------------------------------------------------- */

#define MANY 4000

/* All begin alike, and end otherwise: each with each other it would be 4000 times
 * 4000 times 256. */
static void none_is_compared_with_all(void)
{
    static uint32_t shared[2 * MANY][PAIRS_PREFIX];
    struct pairs_row *many = calloc(2 * MANY, sizeof(*many));
    uint32_t *chosen = calloc(MANY, sizeof(*chosen));
    uint64_t compared;

    if (many == NULL || chosen == NULL) {
        abort();
    }
    for (uint32_t i = 0; i < 2 * MANY; i++) {
        shared[i][PAIRS_PREFIX - 1] = i;
        many[i] = (struct pairs_row){ 0, i, shared[i], PAIRS_PREFIX };
    }
    CHECK(pairs_choose(many, MANY, many + MANY, MANY, chosen, &compared));
    /* 12 > log2(4000). */
    CHECK(compared <= (uint64_t)MANY * PAIRS_PREFIX * (12 + 4));
    for (uint32_t i = 0; i < MANY; i++) {
        CHECK_U64(chosen[i], i);
    }
    free(many);
    free(chosen);
}

int main(void)
{
    const struct test tests[] = {
        TEST(the_same_are_chosen_as_by_trying_all),
        TEST(without_any_none_is_chosen),
        TEST(none_is_compared_with_all),
    };

    return check_run(tests, COUNT_OF(tests));
}
