/* SPDX-License-Identifier: MIT */
/*
 * structs.h - structures of the system call interface, and which one an
 * information class fills.
 *
 * The rows are structs.def and infoclasses.def. Everything
 * is constant; NULL for what is not in the tables.
 */
#ifndef TABLES_STRUCTS_H
#define TABLES_STRUCTS_H

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

struct struct_field {
    const char *name;  // "u1.s1.TotalLength": unnamed members are flattened
    const char *type;  // as C spells it; "X[n]" is an array; NULL: bits
    uint32_t offset;   // bytes
    uint32_t size;     // bytes; 0 for bits
    uint8_t first_bit;
    uint8_t bits;  // 0: no bit field
};

struct struct_row {
    const char *name;
    const struct struct_field *fields;  // field_count of them
    uint32_t size;                      // bytes on x64
    uint32_t field_count;
};

const struct struct_row *struct_find(str name);
/* Of `count` rows, sorted by strcmp of the name; NULL. */
const struct struct_row *struct_search(const struct struct_row *rows,
                                       size_t count, str name);
size_t struct_count(void);
const struct struct_row *struct_at(size_t index);

enum info_use {
    INFO_QUERY = 1,
    INFO_SET = 2,
    INFO_QUERY_SET = 3,
};

struct info_row {
    const char *set;
    const char *name;
    const char *type;  // several with commas between; "X[]": an array
    uint32_t value;
    uint8_t use;  // enum info_use
};

/* The row of class `value` of `set`, a set of names.h, for `use`, QUERY or
 * SET. A row that says it is for the other use alone is better than none, and
 * is what comes then. */
const struct info_row *info_find(str set, uint32_t value, enum info_use use);
size_t info_count(void);
const struct info_row *info_at(size_t index);

#endif
