/* SPDX-License-Identifier: MIT */
/*
 * meanings.c - meanings.def as an array, searched by halving.
 */
#include "tables/meanings.h"

#include "base/compiler.h"

#include <string.h>

#include "base/banned.h"

/* clang-format off */
#define MEANING(call_, parameter_, kind_)                                  \
    { .call = #call_, .parameter = #parameter_, .kind = MEANING_##kind_ },
#define MEANING_BY(call_, parameter_, kind_, by_, set_)                    \
    { .call = #call_, .parameter = #parameter_, .kind = MEANING_##kind_,   \
      .by = by_, .set = #set_ },
/* clang-format on */

static const struct meaning_row rows[] = {
#include "tables/meanings.def"
};

const struct meaning_row *meaning_of(str call, str parameter)
{
    size_t from = 0;
    size_t to = COUNT_OF(rows);

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (str_cmp_z(call, rows[middle].call) > 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    while (from < COUNT_OF(rows) && str_is(call, rows[from].call)) {
        if (str_is(parameter, rows[from].parameter)) {
            return &rows[from];
        }
        from++;
    }
    return NULL;
}

size_t meaning_count(void)
{
    return COUNT_OF(rows);
}

const struct meaning_row *meaning_at(size_t index)
{
    return index < COUNT_OF(rows) ? &rows[index] : NULL;
}
