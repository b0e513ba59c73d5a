/* SPDX-License-Identifier: MIT */
/*
 * classes.c - classes.def, and the judging of a call by its parts.
 */
#include "tables/classes.h"

#include "base/compiler.h"

#include "base/banned.h"

enum part_kind {
    PART_CATEGORY,
    PART_NAME,
    PART_NT,
    PART_WIN32K,
    PART_HANDLES,
    PART_WAITS,
};

struct class_part {
    enum part_kind kind;
    enum call_category category;  // PART_CATEGORY
    const char *name;             // PART_NAME
};

/* clang-format off */
#define OF(id_)      { .kind = PART_CATEGORY, .category = CATEGORY_##id_ }
#define NAMED(name_) { .kind = PART_NAME, .name = name_ }
#define NT           { .kind = PART_NT }
#define WIN32K       { .kind = PART_WIN32K }
#define HANDLES      { .kind = PART_HANDLES }
#define WAITS        { .kind = PART_WAITS }
#define CLASS_ON(object_, name_, help_, ...)                               \
    {                                                                      \
        .name = #name_,                                                    \
        .help = help_,                                                     \
        .object = object_,                                                 \
        .parts = (const struct class_part[]){ __VA_ARGS__ },               \
        .part_count = COUNT_OF(((const struct class_part[]){ __VA_ARGS__ })), \
    },
#define CLASS(name_, help_, ...) CLASS_ON(NULL, name_, help_, __VA_ARGS__)
/* clang-format on */

static const struct class_row classes[] = {
#include "tables/classes.def"
};

const struct class_row *class_find(str name)
{
    for (size_t i = 0; i < COUNT_OF(classes); i++) {
        if (str_eq_nocase(name, str_of(classes[i].name))) {
            return &classes[i];
        }
    }
    return NULL;
}

/* A * at the end of `pattern` stands for any rest. */
static bool fits(str name, str pattern)
{
    if (str_ends(pattern, STR("*"))) {
        return str_starts(name, str_slice(pattern, 0, pattern.size - 1));
    }
    return str_eq(name, pattern);
}

static bool named(const struct class_row *row, str name)
{
    for (size_t i = 0; i < row->part_count; i++) {
        if (row->parts[i].kind == PART_NAME &&
            fits(name, str_of(row->parts[i].name))) {
            return true;
        }
    }
    return false;
}

/* Of win32u. Without a row, by what class win32k says of names. */
static bool is_win32k(const struct call_facts *facts, str name)
{
    if (facts) {
        return call_is_win32k(facts);
    }
    return call_is_counted(name) || named(class_find(STR("win32k")), name);
}

/* Handles of the kernel's object manager: windows and the like have types of
 * their own. */
static bool is_kernel_handle(str type)
{
    return str_eq(type, STR("HANDLE")) || str_eq(type, STR("HDESK")) ||
           str_eq(type, STR("HWINSTA"));
}

static bool has_handles(const struct call_facts *facts)
{
    if (is_kernel_handle(str_of(facts->result->name))) {
        return true;
    }
    for (size_t i = 0; i < facts->arg_count; i++) {
        const struct type_row *type = facts->args[i].type;

        if (is_kernel_handle(str_of(type->name)) ||
            is_kernel_handle(str_of(type->to_name))) {
            return true;
        }
    }
    return false;
}

static bool part_has(const struct class_part *part,
                     const struct call_facts *facts, str name)
{
    switch (part->kind) {
    case PART_CATEGORY:
        return facts && facts->category == part->category;
    case PART_NAME:
        return fits(name, str_of(part->name));
    case PART_NT:
        return !is_win32k(facts, name);
    case PART_WIN32K:
        return is_win32k(facts, name);
    case PART_HANDLES:
        return facts && has_handles(facts);
    case PART_WAITS:
        return facts && facts->note == CALL_WAITS;
    }
    return false;
}

bool class_has(const struct class_row *row, const struct call_facts *facts,
               str name)
{
    for (size_t i = 0; i < row->part_count; i++) {
        if (part_has(&row->parts[i], facts, name)) {
            return true;
        }
    }
    return false;
}

size_t class_count(void)
{
    return COUNT_OF(classes);
}

const struct class_row *class_at(size_t index)
{
    return index < COUNT_OF(classes) ? &classes[index] : NULL;
}
