/* SPDX-License-Identifier: MIT */
/*
 * names.c - enums*.def and param_enums*.def as arrays, searched by halving.
 *
 * The rows of param_enums name their sets as enum set_id, so that finding the
 * set of a parameter is one search, for the call.
 */
#include "tables/names.h"

#include "base/compiler.h"

#include <string.h>

#include "base/banned.h"

/* clang-format off */
#define NAMES(set_, ...) SET_##set_,
enum set_id {
#include "tables/enums.def"
    SET_GAP,  // no set: those above and those below are each sorted alone
#ifndef NO_LGPL_ROWS
#include "tables/enums_lgpl.def"
#endif
};
#undef NAMES

#define NAME(value_, name_) { .value = (value_), .name = #name_ }
#define NAMES(set_, kind_, ...)                                            \
    [SET_##set_] = {                                                       \
        .name = #set_,                                                     \
        .kind = NAMES_##kind_,                                             \
        .rows = (const struct name_row[]){ __VA_ARGS__ },                  \
        .count = COUNT_OF(((const struct name_row[]){ __VA_ARGS__ })),     \
    },
/* clang-format on */

static const struct name_set sets[] = {
#include "tables/enums.def"
#ifndef NO_LGPL_ROWS
#include "tables/enums_lgpl.def"
#endif
};

struct use_row {
    const char *call;
    const char *parameter;
    uint16_t set;  // enum set_id
};

#define PARAM_NAMES(call_, parameter_, set_) \
    { .call = #call_, .parameter = #parameter_, .set = SET_##set_ },

static const struct use_row uses[] = {
#include "tables/param_enums.def"
};

#ifndef NO_LGPL_ROWS
static const struct use_row uses_lgpl[] = {
#include "tables/param_enums_lgpl.def"
};
#endif

const struct name_set *names_find(str set)
{
    size_t from = 0;
    size_t to = SET_GAP;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = str_cmp_z(set, sets[middle].name);

        if (order == 0) {
            return &sets[middle];
        }
        if (order < 0) {
            to = middle;
        } else {
            from = middle + 1;
        }
    }
    for (size_t i = SET_GAP + 1; i < COUNT_OF(sets); i++) {
        if (str_is(set, sets[i].name)) {
            return &sets[i];
        }
    }
    return NULL;
}

/* Rows are sorted by the call alone. */
static const struct use_row *use_find(const struct use_row *rows, size_t count,
                                      str call, str parameter)
{
    size_t from = 0;
    size_t to = count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (str_cmp_z(call, rows[middle].call) > 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    while (from < count && str_is(call, rows[from].call)) {
        if (str_is(parameter, rows[from].parameter)) {
            return &rows[from];
        }
        from++;
    }
    return NULL;
}

const struct name_set *names_of_parameter(str call, str parameter)
{
    const struct use_row *use = use_find(uses, COUNT_OF(uses), call, parameter);

#ifndef NO_LGPL_ROWS
    if (!use) {
        use = use_find(uses_lgpl, COUNT_OF(uses_lgpl), call, parameter);
    }
#endif
    return use ? &sets[use->set] : NULL;
}

const char *names_value(const struct name_set *set, uint64_t value)
{
    size_t from = 0;
    size_t to = set->count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (set->rows[middle].value < value) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    if (from < set->count && set->rows[from].value == value) {
        return set->rows[from].name;
    }
    return NULL;
}

/* The names that split takes so far. */
struct split {
    const char **names;
    size_t count;
    uint64_t value;
    uint64_t rest;
};

/* Takes each row of which all bits are set and some are not yet named: in
 * FLAGS none of them may be named, so that a field of several bits has one
 * name. In a mask the usual combinations share bits (READ_CONTROL is in
 * both FILE_GENERIC_READ and FILE_GENERIC_WRITE). */
static void take(struct split *s, const struct name_set *set, bool share)
{
    for (size_t i = 0; i < set->count && s->rest != 0; i++) {
        uint64_t bits = set->rows[i].value;
        uint64_t from = share ? s->value : s->rest;

        if ((from & bits) == bits && (s->rest & bits) != 0) {
            s->names[s->count++] = set->rows[i].name;
            s->rest &= ~bits;
        }
    }
}

size_t names_split(const struct name_set *set, uint64_t value,
                   const char *names[NAMES_SPLIT_MAX], uint64_t *rest)
{
    struct split s = { names, 0, value, value };

    if (set->kind == NAMES_ENUM) {
        names[0] = names_value(set, value);
        *rest = names[0] ? 0 : value;
        return names[0] != NULL;
    }
    if (value == 0) {
        /* Zero, if it has a name, stands last. */
        const struct name_row *last = &set->rows[set->count - 1];

        *rest = 0;
        names[0] = last->name;
        return last->value == 0;
    }
    if (set->kind == NAMES_MASK) {
        take(&s, &sets[SET_GENERIC_ACCESS], false);
        take(&s, set, true);
        take(&s, &sets[SET_STANDARD_ACCESS], false);
    } else {
        take(&s, set, false);
    }
    *rest = s.rest;
    return s.count;
}

/* Without the row that is none, between the two files. */
size_t names_count(void)
{
    return COUNT_OF(sets) > SET_GAP ? COUNT_OF(sets) - 1 : COUNT_OF(sets);
}

const struct name_set *names_at(size_t index)
{
    if (index >= names_count()) {
        return NULL;
    }
    return &sets[index < SET_GAP ? index : index + 1];
}

size_t names_use_count(void)
{
#ifndef NO_LGPL_ROWS
    return COUNT_OF(uses) + COUNT_OF(uses_lgpl);
#else
    return COUNT_OF(uses);
#endif
}

struct name_use names_use_at(size_t index)
{
    const struct use_row *use = NULL;

    if (index < COUNT_OF(uses)) {
        use = &uses[index];
    }
#ifndef NO_LGPL_ROWS
    if (index >= COUNT_OF(uses) && index < names_use_count()) {
        use = &uses_lgpl[index - COUNT_OF(uses)];
    }
#endif
    return use ? (struct name_use){ use->call, use->parameter, &sets[use->set] }
               : (struct name_use){ 0 };
}
