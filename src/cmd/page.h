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
#include "cmd/play.h"
#include "report/page.h"

#include <stdbool.h>
#include <stddef.h>

/* What a page says of the recording that `p` plays, but for damage. */
void page_about_of(const struct play *p, str recording, struct page_about *out,
                   struct arena *a);

struct page_wish {
    str recording;
    str output;   // empty: named after the recording, in the current folder
    size_t rows;  // of each table; 0: all
    bool quiet;
    struct option_list module_paths;  // as in struct view_options; borrowed
};

/* Reads the recording twice. `*damaged`: it is not whole, and `notes` says so. */
bool page_make(const struct page_wish *wish, struct arena *a, struct buf *notes,
               bool *damaged, struct err *e);

#endif
