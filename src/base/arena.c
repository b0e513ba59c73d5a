/* SPDX-License-Identifier: MIT */
/*
 * arena.c - memory with a lifetime instead of an owner for each object.
 *
 * Touches the lent room alone. Fails only by calling `full`.
 */
#include "base/arena.h"

#include <string.h>

#include "base/banned.h"

struct arena arena_over(void *room, size_t size, void (*full)(size_t wanted))
{
    char *begin = room;

    return (struct arena){ begin, begin, begin + size, full };
}

void *arena_alloc(struct arena *a, size_t size, size_t align, size_t count)
{
    size_t left = (size_t)(a->end - a->at);
    size_t pad = -(uintptr_t)a->at & (align - 1);
    char *p;

    if (size > 0 && count > SIZE_MAX / size) {
        a->full(SIZE_MAX);
        __builtin_trap();
    }
    if (pad > left || size * count > left - pad) {
        a->full(size * count);
        __builtin_trap();
    }
    p = a->at + pad;
    a->at = p + size * count;
    memset(p, 0, size * count);
    return p;
}

void arena_reset(struct arena *a)
{
    a->at = a->begin;
}

str arena_str(struct arena *a, str s)
{
    char *p = arena_alloc(a, 1, 1, s.size);

    memcpy(p, s.p, s.size);
    return (str){ p, s.size };
}
