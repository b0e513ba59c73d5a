/* SPDX-License-Identifier: MIT */
/*
 * array.c - see array.h.
 */
#include "base/array.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define ROOM_FIRST 16

bool array_grow(void *array, size_t *room, size_t count, size_t element)
{
    void *old;
    void *bigger;
    size_t wanted = *room ? *room * 2 : ROOM_FIRST;

    if (count < *room) {
        return true;
    }
    memcpy(&old, array, sizeof(old));
    bigger = realloc(old, wanted * element);
    if (!bigger) {
        return false;
    }
    memcpy(array, &bigger, sizeof(bigger));
    *room = wanted;
    return true;
}

size_t array_above(const void *array, size_t count, size_t element,
                   uint64_t key)
{
    size_t from = 0;
    size_t to = count;

    while (from < to) {
        size_t mid = from + (to - from) / 2;
        uint64_t at;

        memcpy(&at, (const char *)array + mid * element, sizeof(at));
        if (at <= key) {
            from = mid + 1;
        } else {
            to = mid;
        }
    }
    return from;
}

/* --- heap sort --- */

struct sorting {
    uint8_t *at;
    size_t element;
    int (*compare)(const void *, const void *);
};

static void swap(const struct sorting *s, size_t a, size_t b)
{
    uint8_t *x = s->at + a * s->element, *y = s->at + b * s->element;

    for (size_t i = 0; i < s->element; i++) {
        uint8_t byte = x[i];

        x[i] = y[i];
        y[i] = byte;
    }
}

static bool is_less(const struct sorting *s, size_t a, size_t b)
{
    return s->compare(s->at + a * s->element, s->at + b * s->element) < 0;
}

/* Of a heap of `count` elements the one at `i` may be too small. */
static void sink(const struct sorting *s, size_t i, size_t count)
{
    size_t child;

    while ((child = 2 * i + 1) < count) {
        if (child + 1 < count && is_less(s, child, child + 1)) {
            child++;
        }
        if (!is_less(s, i, child)) {
            return;
        }
        swap(s, i, child);
        i = child;
    }
}

void array_sort(void *array, size_t count, size_t element,
                int (*compare)(const void *, const void *))
{
    const struct sorting s = { array, element, compare };

    for (size_t i = count / 2; i-- > 0;) {
        sink(&s, i, count);
    }
    for (size_t left = count; left > 1; left--) {
        swap(&s, 0, left - 1);
        sink(&s, 0, left - 1);
    }
}
