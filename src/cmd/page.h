/* SPDX-License-Identifier: MIT */
/*
 * page.h - a recording as a page (report/page.h): what `report` without --text
 * and --report make.
 */
#ifndef CMD_PAGE_H
#define CMD_PAGE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct page_wish {
    str recording;
    str output;   // empty: named after the recording, in the current folder
    size_t rows;  // of each table; 0: all
    bool quiet;
};

/* Reads the recording twice. `*damaged`: it is not whole, and `notes` says so. */
bool page_make(const struct page_wish *wish, struct arena *a, struct buf *notes,
               bool *damaged, struct err *e);

#endif
