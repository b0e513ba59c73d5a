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

#define STATUS_USER_APC 0xc0u
#define STATUS_ALERTED 0x101u
#define STATUS_TIMEOUT 0x102u
#define STATUS_PENDING 0x103u
#define STATUS_BUFFER_OVERFLOW 0x80000005u

/* clang-format off */
#define ARG(direction_, type_, name_)                                       \
    { .direction = ARG_##direction_, .type = &type_rows[TYPE_##type_],      \
      .name = #name_ }
#define BUF(direction_, type_, name_, size_)                                \
    { .direction = ARG_##direction_, .type = &type_rows[TYPE_##type_],      \
      .name = #name_, .size = size_ }
#define CALL0(name_, category_, result_, fails_, note_)                     \
    {                                                                       \
        .name = #name_,                                                     \
        .category = CATEGORY_##category_,                                   \
        .result = &type_rows[TYPE_##result_],                               \
        .fails = FAILS_##fails_,                                            \
        .note = CALL_##note_,                                               \
    },
#define CALL(name_, category_, result_, fails_, note_, ...)                 \
    {                                                                       \
        .name = #name_,                                                     \
        .category = CATEGORY_##category_,                                   \
        .result = &type_rows[TYPE_##result_],                               \
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
#endif

static const struct call_facts older[] = {
#include "tables/win32k_older.def"
};

/* Instead of a number of parameters, as win32k_counts.def has them. */
#define UNKNOWN (-1)
#define REGISTERS (-2)

struct count_step {
    uint16_t since;  // build
    int8_t count;
};

struct count_row {
    const char *name;
    const struct count_step *steps;  // step_count of them, by build
    size_t step_count;
};

/* clang-format off */
#define SINCE(build_, count_) { (build_), (count_) }
#define COUNT(name_, count_)                                                \
    { .name = #name_,                                                       \
      .steps = (const struct count_step[]){ SINCE(0, count_) },             \
      .step_count = 1 },
#define CHANGES(name_, ...)                                                 \
    { .name = #name_,                                                       \
      .steps = (const struct count_step[]){ __VA_ARGS__ },                  \
      .step_count = COUNT_OF(((const struct count_step[]){ __VA_ARGS__ })) },
/* clang-format on */

static const struct count_row counts[] = {
#include "tables/win32k_counts.def"
};

/* The builds that were counted, each with the last of those that are the same
 * files with other features switched on. */
static const struct {
    uint16_t first;
    uint16_t last;
} counted[] = {
    { 10586, 10586 }, { 14393, 14393 }, { 15063, 15063 }, { 17134, 17134 },
    { 17763, 17763 }, { 18362, 18363 }, { 19041, 19045 }, { 22000, 22000 },
};

static const struct call_set tables[] = {
    { nt, COUNT_OF(nt) },
    { win32k, COUNT_OF(win32k) },
#ifndef NO_LGPL_ROWS
    { win32k_lgpl, COUNT_OF(win32k_lgpl) },
#endif
};

/* Of `count` rows of `size` bytes, which begin with their name and are sorted
 * by it. */
static const void *find_row(const void *rows, size_t size, size_t count,
                            str name)
{
    size_t from = 0;
    size_t to = count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const void *row = (const char *)rows + middle * size;
        int order = str_cmp_z(name, *(const char *const *)row);

        if (order == 0) {
            return row;
        }
        if (order < 0) {
            to = middle;
        } else {
            from = middle + 1;
        }
    }
    return NULL;
}

static const struct call_facts *find_in(struct call_set table, str name)
{
    return find_row(table.rows, sizeof(*table.rows), table.count, name);
}

const struct call_facts *call_set_find(const struct call_set *set, str name)
{
    return set ? find_in(*set, name) : NULL;
}

static const struct count_row *find_count(str name)
{
    return find_row(counts, sizeof(*counts), COUNT_OF(counts), name);
}

const struct call_facts *call_find(str name)
{
    const struct call_facts *found = NULL;

    for (size_t i = 0; i < COUNT_OF(tables) && !found; i++) {
        found = find_in(tables[i], name);
    }
    return found;
}

static const struct call_facts *find_wine(str name)
{
    const struct call_facts *found = NULL;

#ifndef NO_LGPL_ROWS
    found = find_in((struct call_set){ wine, COUNT_OF(wine) }, name);
#endif
    return found ? found : call_find(name);
}

/* `build` if it was counted, else the next one that was; `build` if there is
 * none. */
static uint32_t next_counted(uint32_t build)
{
    for (size_t i = 0; i < COUNT_OF(counted); i++) {
        if (build <= counted[i].last) {
            return build < counted[i].first ? counted[i].first : build;
        }
    }
    return build;
}

/* UNKNOWN also between two builds that were counted and differ. */
static int count_on(const struct count_row *row, uint32_t build)
{
    size_t at = 0;

    if (build == 0) {
        return row->steps[row->step_count - 1].count;
    }
    while (at + 1 < row->step_count && row->steps[at + 1].since <= build) {
        at++;
    }
    if (at + 1 < row->step_count &&
        row->steps[at + 1].since <= next_counted(build)) {
        return UNKNOWN;
    }
    return row->steps[at].count;
}

static bool fits(const struct call_facts *call, int count)
{
    return call && (count == REGISTERS ? call_stack_args(call->arg_count) == 0
                                       : count == call->arg_count);
}

const struct call_facts *call_find_on(str name, struct call_system on)
{
    const struct call_facts *found = call_set_find(on.own, name);
    const struct count_row *row = on.wine ? NULL : find_count(name);
    int count;

    if (found) {
        return found;
    }
    found = on.wine ? find_wine(name) : call_find(name);
    if (!found || !row) {
        return found;
    }
    count = count_on(row, on.build);
    if (!fits(found, count)) {
        found = find_in((struct call_set){ older, COUNT_OF(older) }, name);
    }
    return fits(found, count) ? found : NULL;
}

int call_arg_count_on(str name, struct call_system on)
{
    const struct call_facts *found = call_find_on(name, on);
    const struct count_row *row = on.wine ? NULL : find_count(name);
    int count = UNKNOWN;

    if (found) {
        count = found->arg_count;
    } else if (row) {
        count = count_on(row, on.build);
    }
    return count < 0 ? -1 : count;
}

bool call_is_counted(str name)
{
    return find_count(name) != NULL;
}

uint32_t call_stack_args(uint32_t arg_count)
{
    return arg_count > 4 ? arg_count - 4 : 0;
}

bool call_failed(const struct call_facts *call, uint64_t result)
{
    uint32_t size = call->result->size;
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

/* clang-format off */
#define FILLS(call_, kind_) { #call_, FILLS_##kind_ },
static const struct {
    const char *call;
    enum call_fills fills;
} fills_rows[] = {
#include "tables/fills.def"
};
#undef FILLS
/* clang-format on */

enum call_fills call_fills(const struct call_facts *call)
{
    if (call->fails != FAILS_NONE) {
        return call->fails == FAILS_STATUS ? FILLS_STATUS : FILLS_NONZERO;
    }
    if (call->result->class == CLASS_VOID) {
        return FILLS_ALWAYS;
    }
    for (size_t i = 0; i < COUNT_OF(fills_rows); i++) {
        if (strcmp(fills_rows[i].call, call->name) == 0) {
            return fills_rows[i].fills;
        }
    }
    return FILLS_COUNT;
}

static bool status_filled(uint32_t status)
{
    return (status < 0x80000000 && status != STATUS_PENDING &&
            status != STATUS_TIMEOUT && status != STATUS_USER_APC &&
            status != STATUS_ALERTED) ||
           status == STATUS_BUFFER_OVERFLOW;
}

bool call_filled(const struct call_facts *call, enum call_fills fills,
                 uint64_t result)
{
    uint32_t size = call->result->size;
    uint64_t all = size > 0 && size < 8 ? (1ull << size * 8) - 1 : UINT64_MAX;
    uint64_t value = result & all;

    switch (fills) {
    case FILLS_STATUS:
        return status_filled((uint32_t)result);
    case FILLS_NONZERO:
        return value != 0;
    case FILLS_COUNT:
        return value != 0 && value != all;
    case FILLS_UNLESS_MINUS_ONE:
        return value != all;
    case FILLS_IF_ZERO:
        return value == 0;
    case FILLS_ALWAYS:
        return true;
    }
    return false;
}

int call_block(const struct call_facts *call)
{
    if (call->result->class != CLASS_STATUS ||
        call_parameter(call, "Event") < 0) {
        return -1;
    }
    for (int i = 0; i < call->arg_count; i++) {
        const struct type_row *type = call->args[i].type;

        if ((call->args[i].direction & ARG_INOUT) == ARG_OUT && type->to_name &&
            strcmp(type->to_name, "IO_STATUS_BLOCK") == 0) {
            return i;
        }
    }
    return -1;
}

/* clang-format off */
#define OWNER(call_, what_, parameter_)                                     \
    { #call_, parameter_, OWNED_##what_ },
static const struct {
    const char *call;
    const char *parameter;
    enum call_owned what;
} owners[] = {
#include "tables/owners.def"
};
#undef OWNER
/* clang-format on */

const char *call_owner(const struct call_facts *call, enum call_owned what)
{
    for (size_t i = 0; i < COUNT_OF(owners); i++) {
        if (owners[i].what == what && strcmp(owners[i].call, call->name) == 0) {
            return owners[i].parameter;
        }
    }
    return NULL;
}

bool call_is_win32k(const struct call_facts *call)
{
    return call->own ? call->win32k : call < nt || call >= nt + COUNT_OF(nt);
}

bool call_gives_handles(const struct call_facts *call)
{
    size_t rules;

    (void)handle_rules(str_of(call->name), &rules);
    if (rules > 0) {
        return true;
    }
    for (size_t i = 0; i < call->arg_count; i++) {
        const struct type_row *type = call->args[i].type;

        if ((call->args[i].direction & ARG_OUT) && type->to_name &&
            strcmp(type->to_name, "HANDLE") == 0) {
            return true;
        }
    }
    return false;
}

uint32_t call_code_args(const struct call_facts *call)
{
    uint32_t mask = 0;

    for (uint32_t i = 0; i < call->arg_count; i++) {
        if (call->args[i].type->class == CLASS_FNPTR) {
            mask |= 1u << i;
        }
    }
    return mask;
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
