/* SPDX-License-Identifier: MIT */
/*
 * brief.h - which parameters --short shows, where their types do not say.
 *
 * By its type, a parameter is left out if it is 0, NULL, an address alone, the
 * length of what is shown anyway, a block for the result, or a handle that stands
 * for the own process or thread, of which one is asked for. What is otherwise is brief.def. Everything is
 * constant.
 */
#ifndef TABLES_BRIEF_H
#define TABLES_BRIEF_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum brief_kind {
    BRIEF_NEVER,   // is left out
    BRIEF_ALWAYS,  // is shown, unless it is 0
    BRIEF_USUAL,   // is left out if it is one of the values
};

struct brief_row {
    const char *call;  // NULL: any
    const char *parameter;
    const uint64_t *values;  // value_count of them
    uint8_t value_count;
    uint8_t kind;  // enum brief_kind
};

/* The call's own row before that of any; NULL. */
const struct brief_row *brief_find(str call, str parameter);
bool brief_is_usual(const struct brief_row *row, uint64_t value);

/* All of them, for tests; NULL: there are no more. */
const struct brief_row *brief_at(uint32_t index);

#endif
