/* SPDX-License-Identifier: MIT */
/*
 * names.h - names of values, set by set, and which set a parameter takes.
 *
 * The rows are enums.def, enums_lgpl.def, param_enums.def and
 * param_enums_lgpl.def. Everything is constant. Functions return NULL, or
 * what they say, for what is not in the tables; nothing else can go wrong.
 */
#ifndef TABLES_NAMES_H
#define TABLES_NAMES_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum names_kind {
    NAMES_ENUM,   // one exact value
    NAMES_FLAGS,  // bits that add up, to be taken greedily in their order
    NAMES_MASK,   // an access mask; add STANDARD_ACCESS and GENERIC_ACCESS
};

struct name_row {
    uint64_t value;
    const char *name;
};

struct name_set {
    const char *name;
    const struct name_row *rows;  // count of them
    uint32_t count;
    uint8_t kind;  // enum names_kind
};

const struct name_set *names_find(str set);

/* The set of parameter `parameter` of call `call`. For a pointer that the
 * call writes through it is the set of what that points to. */
const struct name_set *names_of_parameter(str call, str parameter);

/* The usual name of `value` in an ENUM set; NULL if it has none there. */
const char *names_value(const struct name_set *set, uint64_t value);

/* The most names that names_split gives. */
#define NAMES_SPLIT_MAX 64

/* `value` as names: one of an ENUM, several of FLAGS or a MASK (with the
 * generic rights ahead of its own, and the standard ones behind). Returns how
 * many; *rest gets the bits that none of them stands for (for an ENUM without
 * such a value: `value`). Zero has a name only in some sets; elsewhere that
 * is no names and no rest.
 *
 * All names together, or'ed with *rest, are `value`. In FLAGS no two names
 * share a bit; in a MASK they may. `value` is to be cut to the width of its
 * type before. */
size_t names_split(const struct name_set *set, uint64_t value,
                   const char *names[NAMES_SPLIT_MAX], uint64_t *rest);

/* All sets and all rows of param_enums, for tests. */
size_t names_count(void);
const struct name_set *names_at(size_t index);

struct name_use {
    const char *call;
    const char *parameter;
    const struct name_set *set;
};
size_t names_use_count(void);
struct name_use names_use_at(size_t index);  // all NULL: no such row

#endif
