/* SPDX-License-Identifier: MIT */
/*
 * tell.h - answers as titles, columns and rows of cells, told to who shows them:
 * on a terminal (text.h), in a page.
 *
 * What is in a cell comes from who was traced, in WTF-8: who shows it escapes it.
 */
#ifndef REPORT_TELL_H
#define REPORT_TELL_H

#include "base/str.h"
#include "report/answers.h"

#include <stdbool.h>
#include <stddef.h>

/* The most columns of one answer. */
#define COLUMNS_MOST 6

struct column {
    const char *title;
    size_t width;  // characters that are enough for most of what is in it
    bool number;   // to the right
};

/* Each embeds this first in a struct of its own. */
struct page {
    const struct page_ops *ops;
};

struct page_ops {
    /* `id`: a word, for who refers to it. `what`: a sentence. */
    void (*section)(struct page *p, const char *id, const char *title,
                    const char *what, const struct column *columns,
                    size_t count);
    /* As many cells as columns. */
    void (*row)(struct page *p, const str *cells);
    /* So many rows of the section were not told. */
    void (*more)(struct page *p, uint64_t count);
    /* A remark of ours, behind the rows. */
    void (*note)(struct page *p, str text);
    void (*end)(struct page *p);
};

/* All answers; at most `most` rows of each, or all if it is 0. */
void answers_tell(const struct answers_rows *r, size_t most, struct page *page);

/* Remark `nth`, from 0, on all of them: what is missing, or was changed. False:
 * there is none any more. */
bool answers_remark(const struct answers_rows *r, size_t nth, struct buf *b);

#endif
