/* SPDX-License-Identifier: MIT */
/*
 * status.c - status.def and status_wine.def, searched by halving.
 */
#include "tables/status.h"

#include "base/compiler.h"

#include <stddef.h>

#include "base/banned.h"

struct status_row {
    uint32_t status;
    const char *name;
};

/* clang-format off */
#define STATUS(value_, name_) { .status = (value_), .name = #name_ },
#define ALIAS(value_, name_)
/* clang-format on */

static const struct status_row known[] = {
#include "tables/status.def"
};

#ifndef NO_LGPL_ROWS
static const struct status_row more[] = {
#include "tables/status_wine.def"
};
#endif

#undef ALIAS
/* clang-format off */
#define ALIAS(value_, name_) { .status = (value_), .name = #name_ },
/* clang-format on */

/* All names, with aliases. */
static const struct status_row names[] = {
#include "tables/status.def"
#ifndef NO_LGPL_ROWS
#include "tables/status_wine.def"
#endif
};

static const char *find_in(const struct status_row *rows, size_t count,
                           uint32_t status)
{
    size_t from = 0;
    size_t to = count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (rows[middle].status == status) {
            return rows[middle].name;
        }
        if (rows[middle].status > status) {
            to = middle;
        } else {
            from = middle + 1;
        }
    }
    return NULL;
}

const char *status_name(uint32_t status)
{
    const char *name = find_in(known, COUNT_OF(known), status);

#ifndef NO_LGPL_ROWS
    if (!name) {
        name = find_in(more, COUNT_OF(more), status);
    }
#endif
    return name;
}

bool status_find(str name, uint32_t *out)
{
    const str prefix = STR("STATUS_");

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        str known_name = str_of(names[i].name);
        bool found = str_eq_nocase(name, known_name);

        if (!found && str_starts(known_name, prefix)) {
            found = str_eq_nocase(
                name, str_slice(known_name, prefix.size, known_name.size));
        }
        if (found) {
            *out = names[i].status;
            return true;
        }
    }
    return false;
}

bool status_is_failure(uint32_t status)
{
    switch (status) {
    case 0x80000005:  // STATUS_BUFFER_OVERFLOW
    case 0x80000006:  // STATUS_NO_MORE_FILES
    case 0x80000012:  // STATUS_NO_MORE_EAS
    case 0x8000001A:  // STATUS_NO_MORE_ENTRIES
    case 0xC0000273:  // STATUS_NO_MORE_MATCHES
        return false;
    default:
        return status >= 0x80000000;
    }
}
