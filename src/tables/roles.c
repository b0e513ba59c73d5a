/* SPDX-License-Identifier: MIT */
/*
 * roles.c - looks calls up in roles.def. Fails never: most have no role.
 */
#include "tables/roles.h"

#include "base/compiler.h"

#include "base/banned.h"

struct role_row {
    const char *call;
    uint32_t role;
};

/* clang-format off */
#define ROLE(call_, role_) { .call = #call_, .role = ROLE_##role_ },
/* clang-format on */
static const struct role_row rows[] = {
#include "tables/roles.def"
};

uint32_t call_roles(str name)
{
    size_t from = 0;
    size_t to = COUNT_OF(rows);
    uint32_t roles = 0;

    /* The first row that is not before the name. */
    while (from < to) {
        size_t mid = from + (to - from) / 2;

        if (str_cmp_z(name, rows[mid].call) > 0) {
            from = mid + 1;
        } else {
            to = mid;
        }
    }
    while (from < COUNT_OF(rows) && str_cmp_z(name, rows[from].call) == 0) {
        roles |= rows[from++].role;
    }
    return roles;
}
