/* SPDX-License-Identifier: MIT */
/*
 * array.h - arrays that grow, by doubling.
 */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `*array`, a pointer to elements of `element` bytes each, of which `count`
 * are used and `*room` are there, gets room for one more. It is owned by the
 * caller, who ends it with free; NULL and 0 are an empty one. False without
 * memory: then it is as it was. */
bool array_grow(void *array, size_t *room, size_t count, size_t element);

/* Of `count` elements of `element` bytes, each of which begins with its
 * uint64_t key, and which rise by it: the index of the first whose key is above
 * `key`. */
size_t array_above(const void *array, size_t count, size_t element,
                   uint64_t key);

/* Puts `count` elements of `element` bytes in order, as qsort does; those that
 * compare as equal in any. Within 2 * count * log2(count) comparisons, whatever
 * they are: that of some C libraries needs the square for what was made for it. */
void array_sort(void *array, size_t count, size_t element,
                int (*compare)(const void *, const void *));

#endif
