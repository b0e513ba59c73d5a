/* SPDX-License-Identifier: MIT */
/*
 * test_tamper.c - agent/tamper.c: which rule applies to a call. The agent's own
 * file, with a section of this test's.
 */
#include "agent/tamper.c"

#include "unit/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where section_here() looks; no other name will do. */
extern struct image_config image_config;
struct image_config image_config;

static char *section;
static struct ring *ring;
static uint64_t waited;

void wait_delay(struct ring *r, uint64_t ticks)
{
    (void)r;
    waited += ticks;
}

#define NUMBER 0x123u
#define ROW ((uint64_t)NUMBER << 16 | ROW_TAMPERS)

static struct tamper_rule *rule_at(uint32_t i)
{
    return (struct tamper_rule *)(void *)(section + SECTION_TAMPER) + i;
}

static struct tamper_use *here(uint32_t i)
{
    return (struct tamper_use *)(void *)(section + SECTION_TAMPER +
                                         TAMPER_USES) +
           i;
}

static void set_first(uint16_t use)
{
    memcpy(section + SECTION_TAMPER + TAMPER_FIRST + 2 * NUMBER, &use, 2);
}

/* `count` rules, each with a use for the call, and nothing to hinder it. */
static void begin(uint16_t count)
{
    section = calloc(1, SECTION_RINGS);
    ring = calloc(1, sizeof(struct ring) + RING_DATA);
    if (section == NULL || ring == NULL) {
        abort();
    }
    image_config.section = (uint64_t)(uintptr_t)section;
    image_config.tsc_per_ms = 1000;
    set_first(count > 0);
    for (uint16_t i = 0; i < count; i++) {
        *rule_at(i) =
            (struct tamper_rule){ .first = 1, .last = UINT64_MAX, .step = 1 };
        *here(i) = (struct tamper_use){
            .rule = i,
            .next = (uint16_t)(i + 1 < count ? i + 2 : 0),
            .flags = TAMPER_REPLACES,
            .result = 0xc0000001u + i,
        };
    }
    ring_args_at(ring, RING_ARGS_NEWEST)->count = 6;
    waited = 0;
}

static void end(void)
{
    free(section);
    free(ring);
}

static void counts_are_met_exactly(void)
{
    static const struct {
        uint64_t first;
        uint64_t last;
        uint64_t step;
        const char *hits;  // of the calls 1 to 12
    } cases[] = {
        { 1, UINT64_MAX, 1, "xxxxxxxxxxxx" },
        { 3, 3, 1, "--x---------" },
        { 3, UINT64_MAX, 1, "--xxxxxxxxxx" },
        { 3, UINT64_MAX, 3, "--x--x--x--x" },
        { 2, 5, 1, "-xxxx-------" },
        { 2, 10, 4, "-x---x---x--" },
        { 1, UINT64_MAX, 2, "x-x-x-x-x-x-" },
        /* Never 0, whatever stands there. */
        { 1, UINT64_MAX, 0, "xxxxxxxxxxxx" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char hits[13] = "";

        begin(1);
        rule_at(0)->first = cases[i].first;
        rule_at(0)->last = cases[i].last;
        rule_at(0)->step = cases[i].step;
        for (int k = 0; k < 12; k++) {
            hits[k] = tamper_choose(ring, ROW, 0) == 1 ? 'x' : '-';
        }
        CHECK_STR(((str){ hits, 12 }), ((str){ cases[i].hits, 12 }));
        CHECK_U64(here(0)->met, 12);
        end();
    }
}

static void the_first_rule_whose_number_it_is_applies(void)
{
    begin(3);
    rule_at(0)->first = rule_at(0)->last = 2;
    rule_at(1)->step = 2;
    CHECK_U64(tamper_choose(ring, ROW, 0), 2);
    CHECK_U64(tamper_choose(ring, ROW, 0), 1);
    CHECK_U64(tamper_choose(ring, ROW, 0), 2);
    CHECK_U64(tamper_choose(ring, ROW, 0), 3);
    /* Each has counted all of them. */
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_U64(here(i)->met, 4);
    }
    CHECK_U64(here(0)->fired, 1);
    CHECK_U64(here(1)->fired, 2);
    CHECK_U64(here(2)->fired, 1);
    end();
}

static void conditions_decide_what_is_counted(void)
{
    struct ring_args *args;

    begin(1);
    args = ring_args_at(ring, RING_ARGS_NEWEST);
    here(0)->argument = 5;
    here(0)->mask = 0xff;
    here(0)->value = 0x12;
    rule_at(0)->first = rule_at(0)->last = 2;
    args->words[5] = 0x345678000012;
    CHECK_U64(tamper_choose(ring, ROW, 0), 0);
    args->words[5] = 0x13;
    CHECK_U64(tamper_choose(ring, ROW, 0), 0);
    CHECK_U64(here(0)->met, 1);
    args->words[5] = 0x12;
    CHECK_U64(tamper_choose(ring, ROW, 0), 1);
    /* What could not be read is nothing. */
    rule_at(0)->last = UINT64_MAX;
    args->count = 5;
    CHECK_U64(tamper_choose(ring, ROW, 0), 0);
    end();
}

static void nobody_is_kept_from_ending_itself(void)
{
    static const uint64_t own[] = { 0, UINT64_MAX, UINT64_MAX - 1 };

    begin(1);
    here(0)->flags |= TAMPER_NOT_SELF;
    for (size_t i = 0; i < COUNT_OF(own); i++) {
        ring_args_at(ring, RING_ARGS_NEWEST)->words[0] = own[i];
        CHECK_U64(tamper_choose(ring, ROW, 0), 0);
    }
    ring_args_at(ring, RING_ARGS_NEWEST)->words[0] = 0x4c;
    CHECK_U64(tamper_choose(ring, ROW, 0), 1);
    end();
}

static void what_is_asked_for_holds_if_the_answer_says_so(void)
{
    begin(3);
    here(1)->flags |= TAMPER_ASKS;
    here(0)->mask = 1;
    here(0)->value = 1;
    here(2)->mask = 1;
    here(2)->value = 1;
    CHECK(tamper_asks(ring, ROW));
    CHECK_U64(tamper_choose(ring, ROW, 0), 0);
    CHECK_U64(here(1)->met, 0);
    CHECK_U64(tamper_choose(ring, ROW, 5), 0);
    CHECK_U64(tamper_choose(ring, ROW, 2), 2);
    /* Nobody asks for what cannot apply any more. */
    rule_at(1)->last = 1;
    CHECK(!tamper_asks(ring, ROW));
    rule_at(1)->last = 2;
    CHECK(tamper_asks(ring, ROW));
    here(1)->mask = 1;
    here(1)->value = 1;
    CHECK(!tamper_asks(ring, ROW));
    end();
}

static void a_call_is_replaced_changed_or_held_up(void)
{
    uint64_t result = 7;
    bool delayed;

    begin(3);
    CHECK(tamper_enter(ring, 1, &result, &delayed));
    CHECK_U64(result, 0xc0000001);
    CHECK(!delayed);
    CHECK(!tamper_has_return(1));

    here(1)->flags = TAMPER_CHANGES;
    CHECK(!tamper_enter(ring, 2, &result, &delayed));
    CHECK(tamper_has_return(2));
    CHECK_U64(tamper_return(2, &result), RECORD_INJECTED);
    CHECK_U64(result, 0xc0000002);

    here(2)->flags = 0;
    rule_at(2)->delay_enter = 30;
    result = 5;
    CHECK(!tamper_enter(ring, 3, &result, &delayed));
    CHECK(delayed);
    CHECK_U64(waited, 30);
    CHECK(!tamper_has_return(3));
    CHECK_U64(tamper_return(3 | TAMPERED_DELAYED, &result), RECORD_DELAYED);
    rule_at(2)->delay_exit = 400;
    CHECK(tamper_has_return(3));
    CHECK_U64(tamper_return(3, &result), RECORD_DELAYED);
    CHECK_U64(result, 5);
    tamper_left(ring, 3);
    CHECK_U64(waited, 430);
    /* No call that no rule applies to waits. */
    tamper_left(ring, 0);
    CHECK_U64(tamper_return(0, &result), 0);
    CHECK_U64(waited, 430);
    /* An hour at most. */
    rule_at(2)->delay_exit = UINT64_MAX;
    tamper_left(ring, 3);
    CHECK_U64(waited, 430 + UINT64_C(3600000) * 1000);
    end();
}

static void garbage_ends_the_search(void)
{
    begin(1);
    set_first(0);
    CHECK_U64(tamper_choose(ring, ROW, 0), 0);
    set_first(UINT16_MAX);
    CHECK_U64(tamper_choose(ring, ROW, UINT64_MAX), 0);
    CHECK(!tamper_asks(ring, ROW));
    /* Round and round. */
    set_first(1);
    here(0)->next = 1;
    here(0)->rule = UINT16_MAX;
    CHECK_U64(tamper_choose(ring, ROW, UINT64_MAX), 0);
    CHECK_U64(here(0)->met, TAMPER_RULES_MOST);
    end();
}

int main(void)
{
    const struct test tests[] = {
        TEST(counts_are_met_exactly),
        TEST(the_first_rule_whose_number_it_is_applies),
        TEST(conditions_decide_what_is_counted),
        TEST(nobody_is_kept_from_ending_itself),
        TEST(what_is_asked_for_holds_if_the_answer_says_so),
        TEST(a_call_is_replaced_changed_or_held_up),
        TEST(garbage_ends_the_search),
    };

    return check_run(tests, COUNT_OF(tests));
}
