/* SPDX-License-Identifier: MIT */
/*
 * meta.h - what a page's scripts have to know beside the numbers of picks.h and
 * tracks.h: names, processes, threads, as JSON.
 */
#ifndef REPORT_META_H
#define REPORT_META_H

#include "report/answers.h"
#include "report/html.h"
#include "report/tally.h"

#include <stdbool.h>
#include <stdint.h>

/* `used`: a bit for each name of rows->names that is referred to. False without
 * memory. */
bool meta_write(struct html *h, const struct answers_rows *rows,
                const struct tally *tally, unsigned bins, str recording,
                const uint8_t *used);

#endif
