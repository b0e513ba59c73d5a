/* SPDX-License-Identifier: MIT */
/*
 * picks.h - which calls are in a page's list, PICKS_MOST of them at most: those
 * that the answers name, those that failed, the longest, and of the rest an even
 * sample of each thread.
 *
 * A second pass: what is chosen follows from the first one's sums, so that nothing
 * need be kept that is left out in the end.
 */
#ifndef REPORT_PICKS_H
#define REPORT_PICKS_H

#include "report/answers.h"
#include "report/html.h"
#include "report/tally.h"

#include <stdbool.h>
#include <stdint.h>

#define PICKS_MOST 200000u
/* Of those: named by answers, failed, the longest. */
#define PICKS_NAMED 30000u
#define PICKS_FAILED 100000u
#define PICKS_LONG 20000u
/* Of the text of one. */
#define PICK_TEXT ((size_t)600)

/* Why, and what it is. */
enum pick_flags {
    PICK_FAILED_CALL = 1,
    PICK_WAITS = 2,
    PICK_PAST_STUB = 4,  // direct, or indirect
    PICK_OPEN = 8,       // it has not returned
    PICK_NAMED_CALL = 16,
};

struct picks;

/* What it is handed is borrowed. NULL without memory. */
struct picks *picks_open(const struct answers_rows *rows,
                         const struct tally *tally, const struct clock *clock);
void picks_close(struct picks *p);  // NULL is fine

/* The element of their texts begins; between these nothing else is written. */
bool picks_begin(struct picks *p, struct html *h);
/* True if the call, told of once, is to be added. */
bool picks_wants(struct picks *p, const struct call *call);
/* With `text`: what it is shown as, behind its name, on one line. */
void picks_add(struct picks *p, const struct call *call, str text);
/* Ends it; `used` as in tracks.h. */
bool picks_end(struct picks *p, uint8_t *used);

struct picks_counts {
    uint64_t all;  // calls that there were
    uint64_t kept;
    uint64_t failed;  // that failed and are not among them
};
struct picks_counts picks_counts(const struct picks *p);

#endif
