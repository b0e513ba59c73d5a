/* SPDX-License-Identifier: MIT */
/*
 * database.h - a recording as a database of SQLite's, where there is SQLite: of the
 * native build. docs/exports.md has the tables.
 */
#ifndef CMD_DATABASE_H
#define CMD_DATABASE_H

#include "base/err.h"
#include "report/answers.h"
#include "report/flat.h"

#include <stdbool.h>

struct database;

/* Makes `path` anew. NULL: *e says why not. */
struct database *database_open(str path, struct err *e);
/* What it hears. */
struct flat_out database_out(struct database *d);
/* Something could not be written: no more need be told. */
bool database_failed(const struct database *d);
/* All was told; `rows` are what came out of it. */
bool database_end(struct database *d, const struct answers_rows *rows,
                  struct err *e);
void database_close(struct database *d);  // NULL is fine

#endif
