/* SPDX-License-Identifier: MIT */
/*
 * table.h - rows that are found by a key, as many as there is room for.
 *
 * A row is any struct that begins with a struct table_key. Rows keep their
 * number, in the order in which they came; where they are changes as the table
 * grows.
 */
#ifndef REPORT_TABLE_H
#define REPORT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_key {
    uint64_t a;
    uint64_t b;
};

struct table {
    size_t row_size;
    size_t most;   // rows
    size_t count;  // of them
    size_t room;
    void *rows;       // owned
    uint32_t *slots;  // owned: number + 1, or 0
    size_t slot_count;
    uint64_t refused;  // rows for which there was no room
};

/* Rows of `row_size` bytes, `most` of them; nothing is allocated yet. */
void table_init(struct table *t, size_t row_size, size_t most);
void table_close(struct table *t);

/* The row of this key, made anew, zeroed but for its key, if there is none;
 * NULL: there is no room. Borrowed until the next row is made. */
void *table_row(struct table *t, struct table_key key);
/* The same; NULL if there is none. */
void *table_find(const struct table *t, struct table_key key);
/* Row `number`, below t->count. */
void *table_at(const struct table *t, size_t number);

#endif
