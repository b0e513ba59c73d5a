/* SPDX-License-Identifier: MIT */
/*
 * spare.c - see spare.h. Whoever had the section could write all of it, and
 * commit more: nothing that is found there is believed, but for how far a ring
 * was filled, beyond which only somebody who meant to has put something.
 *
 * Touches the section alone. Does not fail: there is a spare, or there is none.
 */
#include "live/spare.h"

#include "wire/ring.h"
#include "wire/section.h"

#include <string.h>

#include "base/banned.h"

#define PAGE 0x1000u

/* True if it had to be: who writes to a page that nobody has used makes the
 * system find one. */
static bool clear_page(uint8_t *page)
{
    if (page[0] == 0 && memcmp(page, page + 1, PAGE - 1) == 0) {
        return false;
    }
    memset(page, 0, PAGE);
    return true;
}

static void clear(uint8_t *at, size_t size)
{
    for (size_t i = 0; i < size; i += PAGE) {
        clear_page(at + i);
    }
}

/* Its data as far as they go: a record that was never finished is behind the
 * last one that was. */
static void clear_ring(uint8_t *at, const struct spare_kind *kind)
{
    uint32_t head;
    size_t i = RING_DATA;

    memcpy(&head, at + RING_HEAD, sizeof(head));
    while (i < kind->ring_stride &&
           (clear_page(at + i) || i - RING_DATA < head)) {
        i += PAGE;
    }
    clear(at, RING_DATA);
}

/* True if no more of it is committed than what a new one begins with. */
static bool is_as_begun(const struct os_section *s,
                        const struct spare_kind *kind)
{
    const struct os_process self = os_self();
    const uint64_t at = (uint64_t)(uintptr_t)s->at;
    const uint64_t from =
        at + SECTION_RINGS + (uint64_t)kind->rings * kind->ring_stride;
    struct os_region r;

    return os_query(&self, from, &r) && !r.committed && !r.free &&
           r.base + r.size >= at + s->size;
}

bool spare_take(struct spares *s, const struct spare_kind *kind,
                struct os_section *out)
{
    if (s == NULL || s->count == 0 || s->at[0].size != kind->size) {
        return false;
    }
    *out = s->at[0];
    memmove(&s->at[0], &s->at[1], --s->count * sizeof(s->at[0]));
    clear(out->at, SECTION_RINGS);
    for (uint32_t i = 0; i < kind->rings; i++) {
        clear_ring((uint8_t *)out->at + SECTION_RINGS +
                       (size_t)i * kind->ring_stride,
                   kind);
    }
    return true;
}

void spare_keep(struct spares *s, const struct spare_kind *kind,
                struct os_section *section)
{
    if (section->at != NULL && s->count < SPARES_MOST &&
        section->size == kind->size && is_as_begun(section, kind)) {
        s->at[s->count++] = *section;
        *section = (struct os_section){ 0 };
        return;
    }
    os_section_close(section);
}

void spares_close(struct spares *s)
{
    for (size_t i = 0; i < s->count; i++) {
        os_section_close(&s->at[i]);
    }
    s->count = 0;
}
