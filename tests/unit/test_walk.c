/* SPDX-License-Identifier: MIT */
/*
 * test_walk - wire/walk.c: what is a record and what is not.
 */
#include "wire/walk.h"

#include "base/compiler.h"

#include <string.h>

#include "unit/check.h"

static _Alignas(8) uint8_t bytes[2 * RECORD_MAX];

static void clear(void)
{
    memset(bytes, 0xee, sizeof(bytes));
}

/* A head at `at`. */
static void put(uint32_t at, uint32_t size, uint8_t kind, uint8_t flags,
                uint16_t number)
{
    const struct record_head head = { size, kind, flags, number, 77 };

    memcpy(bytes + at, &head, sizeof(head));
}

/* How many records come out of the first `size` bytes. */
static size_t count(size_t size, bool *damaged)
{
    struct walk w = walk_over(bytes, size);
    struct walked r;
    size_t n = 0;

    while (walk_next(&w, &r)) {
        n++;
    }
    CHECK(!walk_next(&w, &r));
    CHECK(w.damaged == (w.left > 0));
    *damaged = w.damaged;
    return n;
}

/* Of what is there, all of it one record. */
static bool is_one(size_t size)
{
    bool damaged;

    return count(size, &damaged) == 1 && !damaged;
}

static bool is_none(size_t size)
{
    bool damaged;

    return count(size, &damaged) == 0 && damaged;
}

static void records_come_one_after_the_other(void)
{
    struct walk w;
    struct walked r;

    clear();
    put(0, ENTRY_SIZE + 16, RECORD_ENTRY, 2, 5);
    put(ENTRY_SIZE + 16, 8, RECORD_PAD, 0, 0);
    put(ENTRY_SIZE + 24, RETURN_SIZE, RECORD_RETURN, RECORD_WAITS, 0);
    w = walk_over(bytes, ENTRY_SIZE + 24 + RETURN_SIZE);
    CHECK(walk_next(&w, &r));
    CHECK(r.bytes == bytes);
    CHECK_U64(r.head.size, ENTRY_SIZE + 16);
    CHECK_U64(r.head.kind, RECORD_ENTRY);
    CHECK_U64(r.head.flags, 2);
    CHECK_U64(r.head.number, 5);
    CHECK_U64(r.head.time, 77);
    CHECK(walk_next(&w, &r));
    CHECK_U64(r.head.kind, RECORD_PAD);
    CHECK_U64(r.head.time, 0);
    CHECK(walk_next(&w, &r));
    CHECK(r.bytes == bytes + ENTRY_SIZE + 24);
    CHECK_U64(r.head.flags, RECORD_WAITS);
    CHECK(!walk_next(&w, &r));
    CHECK(!w.damaged);
    CHECK(!walk_next(&(struct walk){ .left = 0 }, &r));
}

static void a_head_that_is_not_whole_is_none(void)
{
    clear();
    put(0, 8, RECORD_PAD, 0, 0);
    CHECK(is_one(8));
    for (size_t size = 1; size < 8; size++) {
        uint8_t *end = bytes + sizeof(bytes) - size;
        struct walk w = walk_over(end, size);
        struct walked r;

        CHECK(is_none(size));
        /* What is behind it is not ours to read; a sanitizer sees it. */
        memcpy(end, bytes, size);
        CHECK(!walk_next(&w, &r));
        CHECK(w.damaged);
    }
    /* A PAD may end behind its first 8 bytes; nothing else. */
    put(0, 8, RECORD_RETURN, 0, 0);
    CHECK(is_none(8));
    CHECK(is_none(RETURN_SIZE));
}

static void sizes_are_multiples_of_8_and_within_what_is_there(void)
{
    static const uint8_t kinds[] = { RECORD_PAD, RECORD_ENTRY, RECORD_RETURN,
                                     RECORD_TRANSITION };

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        clear();
        put(0, 0, kinds[i], 0, 0);
        CHECK(is_none(256));
        put(0, 4, kinds[i], 0, 0);
        CHECK(is_none(256));
        for (uint32_t odd = 1; odd < 8; odd++) {
            put(0, 128 + odd, kinds[i], 0, 0);
            CHECK(is_none(256));
        }
        put(0, 128, kinds[i], 0, 0);
        CHECK(is_none(127));
        CHECK(is_none(120));
        CHECK(is_one(128));
        put(0, UINT32_MAX - 7, kinds[i], 0, 0);
        CHECK(is_none(sizeof(bytes)));
    }
}

static void each_kind_has_its_least_size(void)
{
    static const struct {
        uint8_t kind;
        uint32_t least;
    } kinds[] = {
        { RECORD_PAD, 8 },
        { RECORD_ENTRY, ENTRY_SIZE },
        { RECORD_RETURN, RETURN_SIZE },
        { RECORD_TRANSITION, TRANSITION_WORDS },
    };

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        clear();
        put(0, kinds[i].least, kinds[i].kind, 0, 0);
        CHECK(is_one(kinds[i].least));
        put(0, kinds[i].least - 8, kinds[i].kind, 0, 0);
        CHECK(is_none(256));
    }
}

static void no_record_but_a_pad_is_larger_than_the_largest(void)
{
    clear();
    put(0, RECORD_MAX, RECORD_ENTRY, 0, 0);
    CHECK(is_one(RECORD_MAX));
    put(0, RECORD_MAX + 8, RECORD_ENTRY, 0, 0);
    CHECK(is_none(RECORD_MAX + 8));
    put(0, RECORD_MAX + 8, RECORD_PAD, 0, 0);
    CHECK(is_one(RECORD_MAX + 8));
}

static void kinds_and_doors_are_known(void)
{
    clear();
    for (int kind = 0; kind < 256; kind++) {
        put(0, 128, (uint8_t)kind, 0, 0);
        memset(bytes + DATA_LENGTH, 0, 4);
        CHECK(is_one(128) == (kind >= RECORD_PAD && kind <= RECORD_COMPLETION));
    }
    put(0, 128, RECORD_TRANSITION, 0, TRANSITION_COUNT - 1);
    CHECK(is_one(128));
    put(0, 128, RECORD_TRANSITION, 0, TRANSITION_COUNT);
    CHECK(is_none(128));
}

static void an_entry_has_all_its_arguments(void)
{
    clear();
    for (uint8_t more = 0; more <= RECORD_MORE_MASK; more++) {
        uint32_t size = ENTRY_SIZE + 8u * more;

        put(0, size, RECORD_ENTRY, more, 0);
        CHECK(is_one(size) == (more <= RECORD_MORE_MAX));
        put(0, size - 8, RECORD_ENTRY, more, 0);
        CHECK(is_none(size));
        /* How many there were, not how many there are. */
        put(0, ENTRY_SIZE, RECORD_ENTRY, more | RECORD_ARGS_LOST, 0);
        CHECK(is_one(ENTRY_SIZE));
    }
}

static void an_entry_of_a_call_under_way_says_what_is_known(void)
{
    for (uint8_t more = 0; more <= RECORD_MORE_MAX; more++) {
        uint32_t size = ENTRY_SIZE + 8 * (more + 1u);

        clear();
        put(0, size, RECORD_ENTRY, more | RECORD_UNDERWAY, 5);
        CHECK(is_one(size));
        put(0, size - 8, RECORD_ENTRY, more | RECORD_UNDERWAY, 5);
        CHECK(is_none(size - 8));
    }
}

static void data_have_all_their_bytes(void)
{
    static const uint32_t lengths[] = { 0, 1, 23, 24 };
    static const uint32_t wrong[] = { 25, 64, 4096, UINT32_MAX,
                                      UINT32_MAX - DATA_BYTES + 1 };

    clear();
    put(0, DATA_BYTES + 24, RECORD_DATA, 0, 0);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        memcpy(bytes + DATA_LENGTH, &lengths[i], 4);
        CHECK(is_one(DATA_BYTES + 24));
    }
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        memcpy(bytes + DATA_LENGTH, &wrong[i], 4);
        CHECK(is_none(DATA_BYTES + 24));
    }
    /* A head without the length is none, whatever stands behind it. */
    memset(bytes + DATA_LENGTH, 0, 4);
    put(0, DATA_BYTES - 8, RECORD_DATA, 0, 0);
    CHECK(is_none(256));
}

static void what_follows_damage_does_not_come(void)
{
    bool damaged;

    clear();
    put(0, RETURN_SIZE, RECORD_RETURN, 0, 0);
    put(RETURN_SIZE, RETURN_SIZE, 99, 0, 0);
    put(2 * RETURN_SIZE, RETURN_SIZE, RECORD_RETURN, 0, 0);
    CHECK_U64(count(3 * RETURN_SIZE, &damaged), 1);
    CHECK(damaged);
}

int main(void)
{
    const struct test tests[] = {
        TEST(records_come_one_after_the_other),
        TEST(a_head_that_is_not_whole_is_none),
        TEST(sizes_are_multiples_of_8_and_within_what_is_there),
        TEST(each_kind_has_its_least_size),
        TEST(no_record_but_a_pad_is_larger_than_the_largest),
        TEST(kinds_and_doors_are_known),
        TEST(an_entry_has_all_its_arguments),
        TEST(an_entry_of_a_call_under_way_says_what_is_known),
        TEST(data_have_all_their_bytes),
        TEST(what_follows_damage_does_not_come),
    };

    return check_run(tests, COUNT_OF(tests));
}
