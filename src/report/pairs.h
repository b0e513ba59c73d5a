/* SPDX-License-Identifier: MIT */
/*
 * pairs.h - threads of two runs, each with the one that begins most alike.
 *
 * There may be many, and all alike but for the end of what is looked at: none is
 * compared with all others.
 */
#ifndef REPORT_PAIRS_H
#define REPORT_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Calls by which threads are told apart. */
#define PAIRS_PREFIX 256
#define PAIRS_NONE UINT32_MAX

struct pairs_row {
    uint32_t group;  // pairs are of the same; PAIRS_NONE: of none
    uint32_t start;
    const uint32_t *calls;  // borrowed
    size_t count;
};

/* For each of `a`, in their order, the number of the one of `b`, of its group and
 * not chosen yet, that begins with the most calls that it begins with; of several
 * one of the same start, else the first. PAIRS_NONE: none is left. `*compared`
 * becomes how many calls were compared, but for sorting. False without memory:
 * nothing is chosen. */
bool pairs_choose(const struct pairs_row *a, size_t a_count,
                  const struct pairs_row *b, size_t b_count, uint32_t *chosen,
                  uint64_t *compared);

#endif
