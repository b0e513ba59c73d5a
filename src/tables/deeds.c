/* SPDX-License-Identifier: MIT */
/*
 * deeds.c - deeds.def and habits.def as arrays. Touches nothing, cannot fail.
 */
#include "tables/deeds.h"

#include "base/compiler.h"

#include "base/banned.h"

#define NONE NULL
#define ALWAYS \
    {          \
        0      \
    }
#define TEST(kind_, size_, parameter_, value_)  \
    {                                           \
        DEED_##kind_, size_, parameter_, value_ \
    }
#define IS(parameter_, value_) TEST(IS, 4, parameter_, value_)
#define SMALL_IS(parameter_, value_) TEST(IS, 1, parameter_, value_)
#define HAS(parameter_, value_) TEST(HAS, 4, parameter_, value_)
#define NOT(parameter_, value_) TEST(NOT, 4, parameter_, value_)

/* clang-format off */
#define DEED(call_, kind_, of_, name_, bytes_, ...)                         \
    { .call = #call_, .kind = DEED_##kind_, .of = of_, .name = name_,       \
      .bytes = bytes_, .tests = { __VA_ARGS__ } },
/* clang-format on */
static const struct deed_row rows[] = {
#include "tables/deeds.def"
};

const struct deed_row *deed_rows(str call, size_t *count)
{
    size_t from = 0;
    size_t to = COUNT_OF(rows);
    size_t end;

    /* The first row that is not before the name. */
    while (from < to) {
        size_t mid = from + (to - from) / 2;

        if (str_cmp_z(call, rows[mid].call) > 0) {
            from = mid + 1;
        } else {
            to = mid;
        }
    }
    for (end = from;
         end < COUNT_OF(rows) && str_cmp_z(call, rows[end].call) == 0; end++) {
    }
    *count = end - from;
    return rows + from;
}

size_t deed_count(void)
{
    return COUNT_OF(rows);
}

const struct deed_row *deed_at(size_t index)
{
    return &rows[index];
}

/* --- habits --------------------------------------------------------------- */

static const struct habit {
    const char *call;  // "_": any
    uint32_t status;
} errors[] = {
/* clang-format off */
#define MISS(status_)
#define NAME(glob_)
#define MADE(glob_)
#define ERROR(call_, status_) { #call_, status_ },
#define SCHEDULE(category_)
#define SCHEDULE_CALL(call_)
#include "tables/habits.def"
#undef MISS
#undef ERROR
#undef NAME
#undef MADE
#undef SCHEDULE
#undef SCHEDULE_CALL
    /* clang-format on */
};

static const uint32_t misses[] = {
/* clang-format off */
#define MISS(status_) status_,
#define NAME(glob_)
#define MADE(glob_)
#define ERROR(call_, status_)
#define SCHEDULE(category_)
#define SCHEDULE_CALL(call_)
#include "tables/habits.def"
#undef MISS
#undef ERROR
#undef NAME
#undef MADE
#undef SCHEDULE
#undef SCHEDULE_CALL
    /* clang-format on */
};

static const char *const names[] = {
/* clang-format off */
#define MISS(status_)
#define NAME(glob_) glob_,
#define MADE(glob_)
#define ERROR(call_, status_)
#define SCHEDULE(category_)
#define SCHEDULE_CALL(call_)
#include "tables/habits.def"
#undef MISS
#undef ERROR
#undef NAME
#undef MADE
#undef SCHEDULE
#undef SCHEDULE_CALL
    /* clang-format on */
};

static const char *const made[] = {
/* clang-format off */
#define MISS(status_)
#define NAME(glob_)
#define MADE(glob_) glob_,
#define ERROR(call_, status_)
#define SCHEDULE(category_)
#define SCHEDULE_CALL(call_)
#include "tables/habits.def"
#undef MISS
#undef ERROR
#undef NAME
#undef MADE
#undef SCHEDULE
#undef SCHEDULE_CALL
    /* clang-format on */
};

static const bool schedule[CATEGORY_COUNT] = {
/* clang-format off */
#define MISS(status_)
#define NAME(glob_)
#define MADE(glob_)
#define ERROR(call_, status_)
#define SCHEDULE(category_) [CATEGORY_##category_] = true,
#define SCHEDULE_CALL(call_)
#include "tables/habits.def"
#undef MISS
#undef ERROR
#undef NAME
#undef MADE
#undef SCHEDULE
#undef SCHEDULE_CALL
    /* clang-format on */
};

static const char *const schedule_calls[] = {
/* clang-format off */
#define MISS(status_)
#define NAME(glob_)
#define MADE(glob_)
#define ERROR(call_, status_)
#define SCHEDULE(category_)
#define SCHEDULE_CALL(call_) #call_,
#include "tables/habits.def"
#undef MISS
#undef ERROR
#undef NAME
#undef MADE
#undef SCHEDULE
#undef SCHEDULE_CALL
    /* clang-format on */
};

bool habit_is_schedule(const struct call_facts *call)
{
    for (size_t i = 0; i < COUNT_OF(schedule_calls); i++) {
        if (str_is(str_of(call->name), schedule_calls[i])) {
            return true;
        }
    }
    return schedule[call->category];
}

bool status_is_miss(uint32_t status)
{
    for (size_t i = 0; i < COUNT_OF(misses); i++) {
        if (misses[i] == status) {
            return true;
        }
    }
    return false;
}

bool habit_is_error(str call, uint32_t status)
{
    for (size_t i = 0; i < COUNT_OF(errors); i++) {
        if (errors[i].status == status &&
            (errors[i].call[0] == '_' || str_is(call, errors[i].call))) {
            return true;
        }
    }
    return false;
}

/* A glob with *, which stands for anything, in it. Goes back to the last one
 * only, so its time is bounded by the product of the two lengths. */
static bool glob_has(const char *glob, str name)
{
    const char *back = NULL;
    size_t back_at = 0;
    size_t at = 0;

    while (at < name.size) {
        if (*glob == '*') {
            back = ++glob;
            back_at = at;
        } else if (*glob != '\0' && *glob == name.p[at]) {
            glob++;
            at++;
        } else if (back != NULL) {
            glob = back;
            at = ++back_at;
        } else {
            return false;
        }
    }
    while (*glob == '*') {
        glob++;
    }
    return *glob == '\0';
}

static bool any_has(const char *const *globs, size_t count, str name)
{
    for (size_t i = 0; i < count; i++) {
        if (glob_has(globs[i], name)) {
            return true;
        }
    }
    return false;
}

bool habit_is_miss(str name)
{
    return any_has(names, COUNT_OF(names), name);
}

bool habit_is_change(str name)
{
    return any_has(made, COUNT_OF(made), name);
}
