/* SPDX-License-Identifier: MIT */
/*
 * fields.c - the rows of fields.def.
 *
 * Rows are sorted by structure; the few of one structure are looked through.
 */
#include "tables/fields.h"

#include <string.h>

#include "base/banned.h"

/* clang-format off */
#define FIELD_NAMES(structure_, field_, set_)                               \
    { STR_INIT(#structure_), STR_INIT(#field_), STR_INIT(#set_) },
static const struct field_use uses[] = {
#include "tables/fields.def"
};
#undef FIELD_NAMES

#define NAME(value_, name_) { .value = value_, .name = #name_ }
#define NAMES(set_, kind_, ...)                                             \
    {                                                                       \
        .name = #set_,                                                      \
        .rows = (const struct name_row[]){ __VA_ARGS__ },                   \
        .count = COUNT_OF(((const struct name_row[]){ __VA_ARGS__ })),      \
        .kind = NAMES_##kind_,                                              \
    },
static const struct name_set sets[] = {
#include "tables/fields.def"
};
#undef NAMES
#undef NAME
/* clang-format on */

const struct name_set *fields_names(str set)
{
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        if (str_is(set, sets[i].name)) {
            return &sets[i];
        }
    }
    return names_find(set);
}

const struct name_set *fields_set(str structure, str field)
{
    size_t low = 0;
    size_t high = COUNT_OF(uses);

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (str_cmp(uses[middle].structure, structure) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < COUNT_OF(uses) && str_eq(uses[low].structure, structure);
         low++) {
        if (str_eq(uses[low].field, field)) {
            return fields_names(uses[low].set);
        }
    }
    return NULL;
}

size_t fields_count(void)
{
    return COUNT_OF(uses);
}

const struct field_use *fields_at(size_t index)
{
    return index < COUNT_OF(uses) ? &uses[index] : NULL;
}
