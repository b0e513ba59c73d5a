/* SPDX-License-Identifier: MIT */
/*
 * brief.c - brief.def as an array. Touches nothing, cannot fail.
 */
#include "tables/brief.h"

#include "base/compiler.h"

#include "base/banned.h"

/* clang-format off */
#define NEVER(parameter_)                                                   \
    { .parameter = #parameter_, .kind = BRIEF_NEVER },
#define ALWAYS(parameter_)                                                  \
    { .parameter = #parameter_, .kind = BRIEF_ALWAYS },
#define USUAL(parameter_, ...)                                              \
    { .parameter = #parameter_, .kind = BRIEF_USUAL,                        \
      .values = (const uint64_t[]){ __VA_ARGS__ },                          \
      .value_count = COUNT_OF(((const uint64_t[]){ __VA_ARGS__ })) },
#define OF(call_, kind_, parameter_)                                        \
    { .call = #call_, .parameter = #parameter_, .kind = BRIEF_##kind_ },
static const struct brief_row rows[] = {
#include "tables/brief.def"
};
/* clang-format on */

const struct brief_row *brief_find(str call, str parameter)
{
    const struct brief_row *found = NULL;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (!str_is(parameter, rows[i].parameter)) {
            continue;
        }
        if (rows[i].call != NULL && str_is(call, rows[i].call)) {
            return &rows[i];
        }
        if (rows[i].call == NULL) {
            found = &rows[i];
        }
    }
    return found;
}

bool brief_is_usual(const struct brief_row *row, uint64_t value)
{
    for (uint32_t i = 0; i < row->value_count; i++) {
        if (row->values[i] == value) {
            return true;
        }
    }
    return false;
}

const struct brief_row *brief_at(uint32_t index)
{
    return index < COUNT_OF(rows) ? &rows[index] : NULL;
}
