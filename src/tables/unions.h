/* SPDX-License-Identifier: MIT */
/*
 * unions.h - which member of a union counts (unions.def).
 *
 * Everything is constant; NULL for what is not in the table.
 */
#ifndef TABLES_UNIONS_H
#define TABLES_UNIONS_H

#include "tables/structs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct union_member {
    uint64_t value;      // of the selector
    const char *fields;  // with spaces between; "": none
    const char *type;    // NULL: the field's
    const char *set;     // NULL: the field's
};

struct union_row {
    const char *structure;
    const char *name;
    const char *selector;  // field; NULL: VIEWS
    uint64_t mask;         // of the selector
    const struct union_member *members;
    uint32_t member_count;
};

/* NULL also if nothing selects. */
const struct union_row *union_find(str structure);
/* NULL: of `value` nothing is known. */
const struct union_member *union_member(const struct union_row *row,
                                        uint64_t value);
/* `field` is one of the fields of `member`. */
bool union_has(const struct union_member *member, const char *field);
/* The bytes of `layout`, its structure, that it takes: all fields that begin
 * there are of the union. */
void union_span(const struct union_row *row, const struct struct_row *layout,
                uint32_t *from, uint32_t *to);

/* All rows, for tests. */
size_t union_count(void);
const struct union_row *union_at(size_t index);

#endif
