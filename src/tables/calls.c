/* SPDX-License-Identifier: MIT */
/*
 * calls.c - the rows of calls_*.def and win32k_*.def, and how they are found.
 *
 * The parameters of a row are an array of their own, as long as the call has
 * parameters, so that a row is small and can have up to CALL_ARGS_MAX.
 */
#include "tables/calls.h"

#include "tables/handles.h"
#include "tables/status.h"

#include <string.h>

#include "base/banned.h"

struct call_table {
    const struct call_facts *rows;  // sorted by strcmp of the name
    size_t count;
};

/* clang-format off */
#define ARG(direction_, type_, name_)                                       \
    { .direction = ARG_##direction_, .type = TYPE_##type_, .name = #name_ }
#define BUF(direction_, type_, name_, size_)                                \
    { .direction = ARG_##direction_, .type = TYPE_##type_, .name = #name_,  \
      .size = size_ }
#define CALL0(name_, category_, result_, fails_, note_)                     \
    {                                                                       \
        .name = #name_,                                                     \
        .category = CATEGORY_##category_,                                   \
        .result = TYPE_##result_,                                           \
        .fails = FAILS_##fails_,                                            \
        .note = CALL_##note_,                                               \
    },
#define CALL(name_, category_, result_, fails_, note_, ...)                 \
    {                                                                       \
        .name = #name_,                                                     \
        .category = CATEGORY_##category_,                                   \
        .result = TYPE_##result_,                                           \
        .fails = FAILS_##fails_,                                            \
        .note = CALL_##note_,                                               \
        .args = (const struct call_arg[]){ __VA_ARGS__ },                   \
        .arg_count = COUNT_OF(((const struct call_arg[]){ __VA_ARGS__ })),  \
    },
/* clang-format on */

static const struct call_facts nt[] = {
#include "tables/calls_nt.def"
};

static const struct call_facts win32k[] = {
#include "tables/calls_win32k.def"
};

#ifndef NO_LGPL_ROWS
static const struct call_facts win32k_lgpl[] = {
#include "tables/calls_win32k_lgpl.def"
};

static const struct call_facts wine[] = {
#include "tables/win32k_wine.def"
};

struct count_row {
    const char *name;
    int count;
};

#define ARG_COUNT(name_, count_) { .name = #name_, .count = (count_) },
static const struct count_row counts[] = {
#include "tables/win32k_argcounts.def"
};
#endif

static const struct call_table tables[] = {
    { nt, COUNT_OF(nt) },
    { win32k, COUNT_OF(win32k) },
#ifndef NO_LGPL_ROWS
    { win32k_lgpl, COUNT_OF(win32k_lgpl) },
#endif
};

static const struct call_facts *find_in(struct call_table table, str name)
{
    size_t from = 0;
    size_t to = table.count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = str_cmp(name, str_of(table.rows[middle].name));

        if (order == 0) {
            return &table.rows[middle];
        }
        if (order < 0) {
            to = middle;
        } else {
            from = middle + 1;
        }
    }
    return NULL;
}

const struct call_facts *call_find(str name)
{
    const struct call_facts *found = NULL;

    for (size_t i = 0; i < COUNT_OF(tables) && !found; i++) {
        found = find_in(tables[i], name);
    }
    return found;
}

#ifndef NO_LGPL_ROWS

const struct call_facts *call_find_wine(str name)
{
    const struct call_table table = { wine, COUNT_OF(wine) };
    const struct call_facts *found = find_in(table, name);

    return found ? found : call_find(name);
}

int call_arg_count_only(str name)
{
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        if (str_cmp(name, str_of(counts[i].name)) == 0) {
            return counts[i].count;
        }
    }
    return -1;
}

#else

const struct call_facts *call_find_wine(str name)
{
    return call_find(name);
}

int call_arg_count_only(str name)
{
    (void)name;
    return -1;
}

#endif

uint32_t call_stack_args(uint32_t arg_count)
{
    return arg_count > 4 ? arg_count - 4 : 0;
}

bool call_failed(const struct call_facts *call, uint64_t result)
{
    uint32_t size = type_size(call->result);
    uint64_t value = result;

    if (size < 8) {
        value &= (1ull << size * 8) - 1;
    }
    switch ((enum call_fails)call->fails) {
    case FAILS_STATUS:
        return status_is_failure((uint32_t)value);
    case FAILS_ZERO:
        return value == 0;
    case FAILS_NONE:
        return false;
    }
    return false;
}

bool call_is_win32k(const struct call_facts *call)
{
    return call < nt || call >= nt + COUNT_OF(nt);
}

/* clang-format off */
#define NEED(call_, bit_) { .call = #call_, .bit = CALL_NEEDED_##bit_ },
/* clang-format on */

struct need_row {
    const char *call;
    enum call_need bit;
};

static const struct need_row needs[] = {
#include "tables/needs.def"
};

uint32_t call_needs(const struct call_facts *call)
{
    uint32_t bits = 0;
    size_t rules;

    (void)handle_rules(str_of(call->name), &rules);
    if (rules > 0) {
        bits |= CALL_NEEDED_HANDLES;
    }
    for (size_t i = 0; i < COUNT_OF(needs); i++) {
        if (strcmp(needs[i].call, call->name) == 0) {
            bits |= needs[i].bit;
        }
    }
    for (size_t i = 0; i < call->arg_count; i++) {
        const struct type_row *type = type_row(call->args[i].type);

        if ((call->args[i].direction & ARG_OUT) && type->to_name &&
            strcmp(type->to_name, "HANDLE") == 0) {
            bits |= CALL_NEEDED_HANDLES;
        }
    }
    return bits;
}

size_t call_count(void)
{
    size_t count = 0;

    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        count += tables[i].count;
    }
    return count;
}

const struct call_facts *call_at(size_t index)
{
    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        if (index < tables[i].count) {
            return &tables[i].rows[index];
        }
        index -= tables[i].count;
    }
    return NULL;
}
