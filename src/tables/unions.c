/* SPDX-License-Identifier: MIT */
/*
 * unions.c - the rows of unions.def, searched by halving.
 */
#include "tables/unions.h"

#include "base/compiler.h"

#include <string.h>

#include "base/banned.h"

/* clang-format off */
#define MEMBER(value_, fields_)                                             \
    { .value = (value_), .fields = fields_ }
#define MEMBER_AS(value_, fields_, type_)                                   \
    { .value = (value_), .fields = fields_, .type = type_ }
#define MEMBER_OF(value_, fields_, set_)                                    \
    { .value = (value_), .fields = fields_, .set = #set_ }
#define UNION(structure_, name_, selector_, mask_, ...)                     \
    {                                                                       \
        .structure = #structure_,                                           \
        .name = #name_,                                                     \
        .selector = selector_,                                              \
        .mask = (mask_),                                                    \
        .members = (const struct union_member[]){ __VA_ARGS__ },            \
        .member_count =                                                     \
            COUNT_OF(((const struct union_member[]){ __VA_ARGS__ })),       \
    },
#define VIEWS(structure_)                                                   \
    { .structure = #structure_ },
/* clang-format on */

static const struct union_row rows[] = {
#include "tables/unions.def"
};

const struct union_row *union_find(str structure)
{
    size_t low = 0;
    size_t high = COUNT_OF(rows);

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (str_cmp_z(structure, rows[middle].structure) > 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < COUNT_OF(rows) && rows[low].selector &&
                   str_cmp_z(structure, rows[low].structure) == 0
               ? &rows[low]
               : NULL;
}

const struct union_member *union_member(const struct union_row *row,
                                        uint64_t value)
{
    for (uint32_t i = 0; i < row->member_count; i++) {
        if (row->members[i].value == (value & row->mask)) {
            return &row->members[i];
        }
    }
    return NULL;
}

/* `field` is `word`, or part of it: "State" has "State" and "State.Flags". */
static bool is_of(str field, str word)
{
    return word.size > 0 && str_starts(field, word) &&
           (field.size == word.size || field.p[word.size] == '.');
}

bool union_has(const struct union_member *member, const char *field)
{
    str word;
    str rest = str_of(member->fields);

    while (rest.size > 0) {
        (void)str_cut(rest, ' ', &word, &rest);
        if (is_of(str_of(field), word)) {
            return true;
        }
    }
    return false;
}

void union_span(const struct union_row *row, const struct struct_row *layout,
                uint32_t *from, uint32_t *to)
{
    *from = layout->size;
    *to = 0;
    for (uint32_t i = 0; i < layout->field_count; i++) {
        const struct struct_field *f = &layout->fields[i];

        for (uint32_t k = 0; f->size > 0 && k < row->member_count; k++) {
            if (union_has(&row->members[k], f->name)) {
                *from = f->offset < *from ? f->offset : *from;
                *to = f->offset + f->size > *to ? f->offset + f->size : *to;
            }
        }
    }
}

size_t union_count(void)
{
    return COUNT_OF(rows);
}

const struct union_row *union_at(size_t index)
{
    return index < COUNT_OF(rows) ? &rows[index] : NULL;
}
