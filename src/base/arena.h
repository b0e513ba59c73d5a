/* SPDX-License-Identifier: MIT */
/*
 * arena.h - memory with a lifetime instead of an owner for each object.
 *
 * An arena hands out zeroed objects and takes them all back at once: by
 * arena_reset, or by copying the arena struct before and assigning it back
 * after (a scratch mark). It never returns NULL: `full` is called instead
 * and must not return. It does not own its memory; who lent it frees it.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

struct arena {
    char *begin;                  // lent
    char *at;                     // next free byte
    char *end;                    // one past the last byte
    void (*full)(size_t wanted);  // called when out of room; must not return
};

struct arena arena_over(void *room, size_t size, void (*full)(size_t wanted));
void *arena_alloc(struct arena *a, size_t size, size_t align, size_t count);
void arena_reset(struct arena *a);
str arena_str(struct arena *a, str s);  // a copy

/* `count` zeroed objects of `type`. */
#define ARENA_NEW(arena, type, count) \
    ((type *)arena_alloc((arena), sizeof(type), _Alignof(type), (count)))

#endif
