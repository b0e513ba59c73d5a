/* SPDX-License-Identifier: MIT */
/*
 * test_spare - live/spare.h, live/known.h: what a process gets of another one
 * that is no more, which could write all that it had.
 */
#include "live/known.h"
#include "live/spare.h"
#include "wire/ring.h"
#include "wire/section.h"

#include "unit/check.h"

#include <stdlib.h>
#include <string.h>

#define RING_BYTES 0x10000u
#define STRIDE (RING_BYTES + RING_DATA + RING_SPILL)
#define RINGS 2u
#define USED (SECTION_RINGS + RINGS * STRIDE)
#define SIZE (USED + 4 * STRIDE)

static const struct spare_kind kind = { .size = SIZE,
                                        .ring_bytes = RING_BYTES,
                                        .ring_stride = STRIDE,
                                        .rings = RINGS };

/* --- a system that has sections only --- */

static size_t open_sections;
static bool committed_more;

struct os_process os_self(void)
{
    return (struct os_process){ .pid = 1 };
}

/* Asked about what is behind the rings. */
bool os_query(const struct os_process *p, uint64_t address,
              struct os_region *out)
{
    (void)p;
    *out = (struct os_region){ .base = address,
                               .size = SIZE - USED,
                               .allocation = address - USED,
                               .mapped = true,
                               .committed = committed_more };
    return true;
}

static struct os_section open_section(void)
{
    struct os_section s = { .at = calloc(1, SIZE), .size = SIZE };

    s.handle = s.at;
    open_sections++;
    return s;
}

void os_section_close(struct os_section *s)
{
    open_sections -= s->at != NULL;
    free(s->at);
    *s = (struct os_section){ 0 };
}

/* --- spares --- */

static uint8_t *ring_of(const struct os_section *s, uint32_t i)
{
    return (uint8_t *)s->at + SECTION_RINGS + (size_t)i * STRIDE;
}

static void fill(uint8_t *at, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        at[i] = (uint8_t)(i * 7 + 1);
    }
}

static void a_spare_is_as_a_new_one_would_be(void)
{
    struct spares spares = { 0 };
    struct os_section s = open_section();
    struct os_section got = { 0 };
    const uint32_t head = 3 * 0x1000;
    size_t left = 0;

    fill(s.at, SECTION_RINGS);
    /* One that was filled in part, and was about to be filled further; one that
     * was gone around, whatever its head says. */
    fill(ring_of(&s, 0), RING_DATA + head + 300);
    memcpy(ring_of(&s, 0) + RING_HEAD, &head, sizeof(head));
    fill(ring_of(&s, 1), STRIDE);
    memset(ring_of(&s, 1) + RING_HEAD, 0, sizeof(head));
    spare_keep(&spares, &kind, &s);
    CHECK(s.at == NULL && spares.count == 1);
    CHECK(spare_take(&spares, &kind, &got));
    CHECK_U64(spares.count, 0);
    for (size_t i = 0; i < USED; i++) {
        left += ((const uint8_t *)got.at)[i] != 0;
    }
    CHECK_U64(left, 0);
    os_section_close(&got);
    CHECK_U64(open_sections, 0);
}

static void one_of_which_more_is_committed_is_no_spare(void)
{
    struct spares spares = { 0 };
    struct os_section s = open_section();

    committed_more = true;
    spare_keep(&spares, &kind, &s);
    committed_more = false;
    CHECK(s.at == NULL && spares.count == 0);
    CHECK_U64(open_sections, 0);
}

static void one_of_another_size_is_no_spare(void)
{
    struct spares spares = { 0 };
    struct spare_kind other = kind;
    struct os_section s = open_section();
    struct os_section got = { 0 };

    other.size = SIZE / 2;
    spare_keep(&spares, &other, &s);
    CHECK(s.at == NULL && spares.count == 0);
    s = open_section();
    spare_keep(&spares, &kind, &s);
    CHECK(!spare_take(&spares, &other, &got));
    CHECK(!spare_take(NULL, &kind, &got));
    spares_close(&spares);
    CHECK_U64(open_sections, 0);
}

static void the_oldest_is_taken_and_none_is_left(void)
{
    struct spares spares = { 0 };
    struct os_section got = { 0 };
    void *first = NULL;

    for (size_t i = 0; i < SPARES_MOST + 3; i++) {
        struct os_section s = open_section();

        first = i == 0 ? s.at : first;
        spare_keep(&spares, &kind, &s);
        CHECK(s.at == NULL);
    }
    CHECK_U64(open_sections, SPARES_MOST);
    CHECK(spare_take(&spares, &kind, &got) && got.at == first);
    os_section_close(&got);
    spares_close(&spares);
    CHECK_U64(open_sections, 0);
    CHECK(!spare_take(&spares, &kind, &got));
}

/* --- images --- */

static void an_image_is_known_by_place_extent_and_file(void)
{
    struct known *k = calloc(1, sizeof(*k));
    const struct known_image image = { .base = 0x1000,
                                       .end = 0x9000,
                                       .size = 0x8000 };
    const struct known_image *found;

    known_add(k, &image, STR("\\Device\\a.dll"));
    found = known_find(k, 0x1000, 0x9000, STR("\\Device\\a.dll"));
    CHECK(found != NULL && found->size == 0x8000);
    CHECK(known_find(k, 0x2000, 0x9000, STR("\\Device\\a.dll")) == NULL);
    CHECK(known_find(k, 0x1000, 0xa000, STR("\\Device\\a.dll")) == NULL);
    CHECK(known_find(k, 0x1000, 0x9000, STR("\\Device\\b.dll")) == NULL);
    CHECK(known_find(k, 0x1000, 0x9000, STR("")) == NULL);
    known_close(k);
    CHECK(known_find(k, 0x1000, 0x9000, STR("\\Device\\a.dll")) == NULL);
    free(k);
}

/* But for those of which agents were told, by index. */
static void of_too_many_images_the_oldest_is_forgotten(void)
{
    struct known *k = calloc(1, sizeof(*k));
    const uint64_t told = SECTION_IMAGES_MOST;

    for (uint64_t i = 0; i <= KNOWN_MOST; i++) {
        const struct known_image image = { .base = i, .end = i + 1, .size = 1 };

        known_add(k, &image, STR("x"));
    }
    for (uint64_t i = 0; i < told; i++) {
        CHECK_U64(k->at[i].base, i);
    }
    CHECK(known_find(k, told, told + 1, STR("x")) == NULL);
    CHECK(known_find(k, told + 1, told + 2, STR("x")) != NULL);
    CHECK(known_find(k, KNOWN_MOST, KNOWN_MOST + 1, STR("x")) != NULL);
    known_close(k);
    free(k);
}

int main(void)
{
    const struct test tests[] = {
        TEST(a_spare_is_as_a_new_one_would_be),
        TEST(one_of_which_more_is_committed_is_no_spare),
        TEST(one_of_another_size_is_no_spare),
        TEST(the_oldest_is_taken_and_none_is_left),
        TEST(an_image_is_known_by_place_extent_and_file),
        TEST(of_too_many_images_the_oldest_is_forgotten),
    };

    return check_run(tests, COUNT_OF(tests));
}
