/* SPDX-License-Identifier: MIT */
/*
 * counts.h - what a program that runs does, in numbers: of all calls, by call, by
 * what they are about, by thread and by process; so far, and in the last interval.
 *
 * Calls are counted as -c counts them. What is shown are the numbers at the last
 * counts_tick: they stand still between two of them, however often they are
 * looked at.
 *
 * Names come from who is traced: there may be millions. At most COUNTS_ROWS_MOST
 * rows are kept of a kind; when there are so many, the half of them that has
 * fewest calls is put together in one, counts_other. What is counted of such a
 * name later begins a new row.
 */
#ifndef TOP_COUNTS_H
#define TOP_COUNTS_H

#include "base/str.h"
#include "model/call.h"
#include "model/clock.h"
#include "report/table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COUNTS_ROWS_MOST ((size_t)1 << 14)

enum counts_by {
    COUNTS_BY_CALL,
    COUNTS_BY_FILE,  // or key, socket, event: whatever has a name
    COUNTS_BY_THREAD,
    COUNTS_BY_PROCESS,
    COUNTS_KINDS,
};

/* What rows are sorted by: numbers go down, names up. */
enum counts_order {
    ORDER_RATE,        // calls, in the last interval
    ORDER_ERROR_RATE,  // the same
    ORDER_TIME_RATE,   // the same
    ORDER_WAIT_RATE,   // the same
    ORDER_CALLS,       // so far
    ORDER_ERRORS,      // the same
    ORDER_TIME,        // the same
    ORDER_WAITS,       // the same
    ORDER_NAME,
    COUNTS_ORDERS,
};

/* `ns`: of calls that have returned, from entry to return; those whose purpose is
 * to wait have theirs in `wait_ns`. */
struct counts_sum {
    uint64_t calls;
    uint64_t errors;
    uint64_t ns;
    uint64_t wait_ns;
};

/* a: name, or the model's number of the process; b: 0, or the thread's id. */
struct counts_row {
    struct table_key key;
    uint32_t pid;   // by thread and process
    uint32_t name;  // for counts_name: the program's, by thread and process
    struct counts_sum now;
    struct counts_sum total;  // at the last tick
    struct counts_sum last;   // of it, between the two last ticks
};

struct counts;

/* Of each kind at most `most` rows, two or more. NULL without memory. */
struct counts *counts_open(size_t most);
void counts_close(struct counts *c);  // NULL is fine

/* A call is over. Without memory it is counted in counts_other. */
void counts_leave(struct counts *c, const struct clock *clock,
                  const struct call *call);
/* An interval is over. */
void counts_tick(struct counts *c);
/* The same, of an interval that began with the first call. */
void counts_tick_all(struct counts *c);

/* All calls. Borrowed, as are the other rows: until the next counts_leave. */
const struct counts_row *counts_all(const struct counts *c);
/* Those of rows that are not kept; *rows: how many were put together. */
const struct counts_row *counts_other(const struct counts *c, enum counts_by by,
                                      uint64_t *rows);
/* How many rows of this kind have been counted in, at the last tick. */
size_t counts_rows(const struct counts *c, enum counts_by by);
/* Puts the first `room` of them into `out`, sorted; `reverse`: the last ones, from
 * the end. How many it has put there; without memory 0. */
size_t counts_list(const struct counts *c, enum counts_by by,
                   enum counts_order order, bool reverse,
                   const struct counts_row **out, size_t room);
/* The name of a call, a thing, or a program. WTF-8, of any characters. */
str counts_name(const struct counts *c, enum counts_by by,
                const struct counts_row *row);

#endif
