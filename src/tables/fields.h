/* SPDX-License-Identifier: MIT */
/*
 * fields.h - which set names the values of a structure's field (fields.def).
 *
 * Everything is constant; NULL for what is not in the table.
 */
#ifndef TABLES_FIELDS_H
#define TABLES_FIELDS_H

#include "base/str.h"
#include "tables/names.h"

#include <stddef.h>

const struct name_set *fields_set(str structure, str field);

/* A set by its name: one of fields.def, or of names.h. */
const struct name_set *fields_names(str set);

/* All rows, for tests. */
struct field_use {
    str structure;
    str field;
    str set;
};
size_t fields_count(void);
const struct field_use *fields_at(size_t index);

#endif
