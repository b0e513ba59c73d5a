/* SPDX-License-Identifier: MIT */
/*
 * types.c - types.def and types_lgpl.def as an array by enum type_id.
 */
#include "tables/types.h"

#include "base/compiler.h"

#include <stddef.h>

#include "base/banned.h"

/* clang-format off */
#define TO(name_, class_, size_)                                            \
    .to_name = name_, .to_class = CLASS_##class_, .to_size = size_
#define NOWHERE .to_name = NULL
#define TYPE(id_, class_, size_, to_)                                       \
    [TYPE_##id_] = { .name = #id_, .class = CLASS_##class_, .size = size_,  \
                     to_ },
#define TYPE_P(id_, name_, class_, size_, to_)                              \
    [TYPE_##id_] = { .name = name_, .class = CLASS_##class_, .size = size_, \
                     to_ },
/* clang-format on */

const struct type_row type_rows[TYPE_COUNT] = {
#include "tables/types.def"
#ifndef NO_LGPL_ROWS
#include "tables/types_lgpl.def"
#endif
};

const struct type_row *type_row(uint32_t id)
{
    return id < TYPE_COUNT ? &type_rows[id] : NULL;
}

uint32_t type_size(uint32_t id)
{
    return id < TYPE_COUNT ? type_rows[id].size : 8;
}

enum type_class type_class(uint32_t id)
{
    return id < TYPE_COUNT ? (enum type_class)type_rows[id].class
                           : CLASS_UNKNOWN;
}
