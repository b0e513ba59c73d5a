/* SPDX-License-Identifier: MIT */
/*
 * text.h - answers for a terminal.
 *
 * Lines are handed to `write` whole. What cannot be seen in names is shown by its
 * number (base/chars.h), so that none can end a line, or move the cursor.
 */
#ifndef REPORT_TEXT_H
#define REPORT_TEXT_H

#include "report/tell.h"

struct text_page {
    struct page page;  // first
    void (*write)(void *ctx, str line);
    void *ctx;
    /* its own */
    const char *none;  // title of a section that had no row yet
    const struct column *columns;
    size_t count;
    bool any;
    char room[8 * SUBJECT_ROOM];
};

/* `t` is large: not for a stack. */
void text_page_init(struct text_page *t, void (*write)(void *ctx, str line),
                    void *ctx);
/* A line of ours, with what it says escaped as well. */
void text_page_line(struct text_page *t, str text);

#endif
