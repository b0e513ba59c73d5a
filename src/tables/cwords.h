/* SPDX-License-Identifier: MIT */
/*
 * cwords.h - types as C spells them, as rows of types.h; and memory for what is
 * read of a header, which is given back all at once.
 */
#ifndef TABLES_CWORDS_H
#define TABLES_CWORDS_H

#include "base/str.h"
#include "tables/types.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cblock;

struct cmemory {
    struct cblock *blocks;  // owned
    size_t left;            // bytes in the first one
    bool failed;            // there was no more, once at least
};

/* Zeroed, aligned for anything; NULL, and `failed`, if there is none. */
void *cmemory_take(struct cmemory *m, size_t size);
/* A copy with a NUL behind it. */
const char *cmemory_text(struct cmemory *m, str s);
void cmemory_free(struct cblock *blocks);

enum ctag {
    CTAG_NONE,
    CTAG_ENUM,
    CTAG_STRUCT,  // or union
};

/* A type as it was written. */
struct cspelled {
    str words[6];  // without const and the like
    uint32_t count;
    uint32_t stars;
    enum ctag tag;  // stands before the words
};

/* Words that only C's own types are made of: unsigned, long ... */
bool cspelled_is_plain(str word);

/* The row; it is one of the tables if they have the type, else lies in `m`.
 * NULL: *why says what is wrong with it, in words that begin with the type, or
 * m->failed is set. */
const struct type_row *
cspelled_row(struct cmemory *m, const struct cspelled *type, const char **why);

/* Such a row has to be written with `enum` before its name. */
bool cspelled_needs_enum(const struct type_row *row);

#endif
