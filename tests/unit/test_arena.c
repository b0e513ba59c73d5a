/* SPDX-License-Identifier: MIT */
/*
 * test_arena - base/arena.h.
 */
#include "base/arena.h"

#include "unit/check.h"

#include <setjmp.h>
#include <string.h>

static jmp_buf out_of_room;
static size_t wanted_last;

static void full(size_t wanted)
{
    wanted_last = wanted;
    longjmp(out_of_room, 1);
}

static void objects_are_zeroed_and_aligned(void)
{
    static char room[256];
    struct arena a = arena_over(room, sizeof(room), full);
    uint64_t *n;

    memset(room, 0xee, sizeof(room));
    arena_alloc(&a, 1, 1, 1);
    n = ARENA_NEW(&a, uint64_t, 3);
    CHECK_U64((uintptr_t)n % _Alignof(uint64_t), 0);
    CHECK_U64(n[0] | n[1] | n[2], 0);
    n = arena_alloc(&a, 8, 64, 1);
    CHECK_U64((uintptr_t)n % 64, 0);
}

static void a_copy_of_the_struct_is_a_mark(void)
{
    static char room[64];
    struct arena a = arena_over(room, sizeof(room), full);
    struct arena mark;
    str s;

    s = arena_str(&a, STR("kept"));
    mark = a;
    ARENA_NEW(&a, uint64_t, 4);
    a = mark;
    CHECK(ARENA_NEW(&a, char, 1) == s.p + 4);
    CHECK_STR(s, STR("kept"));
    arena_reset(&a);
    CHECK(ARENA_NEW(&a, char, 64) == room);
}

static void it_is_full_when_it_is_full(void)
{
    static char room[64];
    static const struct {
        const char *why;
        size_t size;
        size_t count;
        size_t wanted;
    } cases[] = {
        { "one byte too many", 1, 65, 65 },
        { "count * size wraps to 0", SIZE_MAX / 2 + 1, 2, SIZE_MAX },
        { "count * size wraps to 8", 8, SIZE_MAX / 8 + 2, SIZE_MAX },
        { "everything there is", 1, SIZE_MAX, SIZE_MAX },
    };

    for (volatile size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena a = arena_over(room, sizeof(room), full);

        wanted_last = 0;
        if (setjmp(out_of_room) == 0) {
            arena_alloc(&a, cases[i].size, 1, cases[i].count);
            printf("  %s\n", cases[i].why);
            CHECK(false);
        }
        CHECK_U64(wanted_last, cases[i].wanted);
    }
}

static void padding_counts(void)
{
    static _Alignas(16) char room[32];
    static const size_t sizes[] = { 8, 17 };
    struct arena a;

    /* The padding alone is too much, then the padding and two bytes. */
    for (volatile size_t i = 0; i < COUNT_OF(sizes); i++) {
        a = arena_over(room, sizes[i], full);
        arena_alloc(&a, 1, 1, 1);
        wanted_last = 0;
        if (setjmp(out_of_room) == 0) {
            arena_alloc(&a, 2, 16, 1);
        }
        CHECK_U64(wanted_last, 2);
    }
    a = arena_over(room, 17, full);
    arena_alloc(&a, 1, 1, 1);
    CHECK(arena_alloc(&a, 1, 16, 1) == room + 16);
    CHECK(a.at == a.end);
    arena_alloc(&a, 1, 1, 0);
}

int main(void)
{
    const struct test tests[] = {
        TEST(objects_are_zeroed_and_aligned),
        TEST(a_copy_of_the_struct_is_a_mark),
        TEST(it_is_full_when_it_is_full),
        TEST(padding_counts),
    };

    return check_run(tests, COUNT_OF(tests));
}
