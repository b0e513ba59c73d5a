/* SPDX-License-Identifier: MIT */
/*
 * structs.c - structs.def and infoclasses.def as arrays, searched by halving.
 */
#include "tables/structs.h"

#include "tables/struct_rows.h"

#include <stdbool.h>
#include <string.h>

#include "base/banned.h"

static const struct struct_row structs[] = {
#include "tables/structs.def"
};

#define INFO(set_, value_, name_, use_, type_) \
    { .set = #set_,                            \
      .value = (value_),                       \
      .name = #name_,                          \
      .use = INFO_##use_,                      \
      .type = type_ },

static const struct info_row infos[] = {
#include "tables/infoclasses.def"
};

const struct struct_row *struct_search(const struct struct_row *rows,
                                       size_t count, str name)
{
    size_t from = 0;
    size_t to = count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = str_cmp_z(name, rows[middle].name);

        if (order == 0) {
            return &rows[middle];
        }
        if (order < 0) {
            to = middle;
        } else {
            from = middle + 1;
        }
    }
    return NULL;
}

const struct struct_row *struct_find(str name)
{
    return struct_search(structs, COUNT_OF(structs), name);
}

size_t struct_count(void)
{
    return COUNT_OF(structs);
}

const struct struct_row *struct_at(size_t index)
{
    return index < COUNT_OF(structs) ? &structs[index] : NULL;
}

static bool is_class(size_t index, str set, uint32_t value)
{
    return index < COUNT_OF(infos) && infos[index].value == value &&
           str_cmp_z(set, infos[index].set) == 0;
}

const struct info_row *info_find(str set, uint32_t value, enum info_use use)
{
    size_t from = 0;
    size_t to = COUNT_OF(infos);

    /* The first row of that class. */
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = str_cmp_z(set, infos[middle].set);

        if (order > 0 || (order == 0 && value > infos[middle].value)) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    if (!is_class(from, set, value)) {
        return NULL;
    }
    if (!(infos[from].use & use) && is_class(from + 1, set, value)) {
        from++;
    }
    return &infos[from];
}

size_t info_count(void)
{
    return COUNT_OF(infos);
}

const struct info_row *info_at(size_t index)
{
    return index < COUNT_OF(infos) ? &infos[index] : NULL;
}
