/* SPDX-License-Identifier: MIT */
/*
 * compare.h - what is different between two runs of a program: processes and
 * threads are matched by what they are and do, their calls by name, object and
 * result. Addresses, handles, ids and times are no part of that.
 *
 * How often a program waits, yields, or asks for memory, and in which thread
 * work is done, is its schedule: that is counted, and no difference. So is how
 * often it calls what has no name.
 *
 * Both runs are told one after the other; all that is kept of them is bounded, and
 * it is said if that was not enough.
 */
#ifndef REPORT_COMPARE_H
#define REPORT_COMPARE_H

#include "report/flat.h"
#include "report/tell.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Calls of one run whose order is kept; the rest are only counted. */
#define COMPARE_CALLS_MOST ((size_t)8 << 20)

enum compare_side {
    COMPARE_A,
    COMPARE_B,
    COMPARE_SIDES,
};

struct compare;

/* `ignored`: globs of names, without a backslash of the name alone; calls on what
 * they match are none. They are borrowed. NULL without memory. */
struct compare *compare_open(const str *ignored, size_t count);
void compare_close(struct compare *c);  // NULL is fine

/* What the first process of this side was started with, before anything is told;
 * empty: not known. */
void compare_command(struct compare *c, enum compare_side side, str command);

/* What hears the run of one side, from its beginning to its end; A first. */
struct flat_out compare_out(struct compare *c, enum compare_side side);

/* Both were told. False without memory. */
bool compare_end(struct compare *c);
/* Something is different that is no matter of schedule. */
bool compare_differs(const struct compare *c);
/* How much found no room, and was not compared: with none of it different it is
 * not known whether anything is. */
uint64_t compare_refused(const struct compare *c);
struct compare_numbers {
    uint64_t calls;
    uint64_t schedule;  // of them
    uint64_t processes;
    uint64_t threads;
};
struct compare_numbers compare_numbers(const struct compare *c,
                                       enum compare_side side);
/* What, the first difference first; at most `most` rows of each kind, 0: all.
 * As often as wanted. */
void compare_tell(struct compare *c, size_t most, struct page *page);

#endif
