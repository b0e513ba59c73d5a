/* SPDX-License-Identifier: MIT */
/*
 * diff_page.h - what is different between two runs as one page, in the look of a
 * report (page.h), that needs nothing else and runs nothing.
 *
 * What is shown was made up by whoever was traced: all of it goes through html.h.
 */
#ifndef REPORT_DIFF_PAGE_H
#define REPORT_DIFF_PAGE_H

#include "report/compare.h"
#include "report/page.h"

#include <stddef.h>

/* `p` is fresh from html_page_init, `c` was ended; `about`: of each side. At most
 * `most` rows of each table, 0: all. */
void diff_page_write(struct html_page *p, struct compare *c,
                     const struct page_about about[COMPARE_SIDES], size_t most);

#endif
