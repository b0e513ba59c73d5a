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
