/* SPDX-License-Identifier: MIT */
/*
 * saturate.h - sums and differences of times that stop at the ends of what they
 * can be: a recording may say that something began at any of them, and took any.
 */
#ifndef BASE_SATURATE_H
#define BASE_SATURATE_H

#include <stdint.h>

static inline int64_t saturate_sum(int64_t a, int64_t b)
{
    int64_t sum;

    return !__builtin_add_overflow(a, b, &sum) ? sum
           : b > 0                             ? INT64_MAX
                                               : INT64_MIN;
}

/* From `from` to `to`; 0 if that is no later. Added to `from` it overflows
 * nothing. */
static inline int64_t saturate_span(int64_t from, int64_t to)
{
    int64_t span;

    return to <= from                                 ? 0
           : !__builtin_sub_overflow(to, from, &span) ? span
                                                      : INT64_MAX;
}

#endif
