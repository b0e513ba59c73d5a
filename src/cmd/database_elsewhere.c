/* SPDX-License-Identifier: MIT */
/*
 * database_elsewhere.c - where there is no SQLite.
 */
#include "cmd/database.h"

#include "base/banned.h"

struct database *database_open(str path, struct err *e)
{
    (void)path;
    err_set(e, ERR_USAGE,
            "--to=sqlite: is there in ntstrace for Linux only, which reads the "
            "same recordings; --to=csv is for any database");
    return NULL;
}

struct flat_out database_out(struct database *d)
{
    (void)d;
    return (struct flat_out){ 0 };
}

bool database_failed(const struct database *d)
{
    (void)d;
    return true;
}

bool database_end(struct database *d, const struct answers_rows *rows,
                  struct err *e)
{
    (void)d;
    (void)rows;
    (void)e;
    return false;
}

void database_close(struct database *d)
{
    (void)d;
}
