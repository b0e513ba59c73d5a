/* SPDX-License-Identifier: MIT */
/*
 * classes.h - named groups of calls, for `-e trace=%class`: the categories of
 * the tables, and a few that cut across them.
 *
 * The rows are classes.def. Everything is constant and nothing fails.
 */
#ifndef TABLES_CLASSES_H
#define TABLES_CLASSES_H

#include "base/str.h"
#include "tables/calls.h"

#include <stdbool.h>
#include <stddef.h>

struct class_part;

struct class_row {
    const char *name;  // without %
    const char *help;  // a line of at most 60 characters
    /* Only calls on the object of this name or below it, in NT's form, are in
     * the class: by the object of their handle, or the name that they open.
     * Whoever asks class_has has to look. NULL: class_has says all. */
    const char *object;
    const struct class_part *parts;  // part_count of them
    size_t part_count;
};

/* The class of this name, in any case; NULL: there is none. */
const struct class_row *class_find(str name);

/* True if `row` has the call of this name (but see class_row.object). `facts`
 * are those of the name, NULL if it has none. */
bool class_has(const struct class_row *row, const struct call_facts *facts,
               str name);

/* All of them, in the order in which they are to be listed. */
size_t class_count(void);
const struct class_row *class_at(size_t index);

#endif
