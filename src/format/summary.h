/* SPDX-License-Identifier: MIT */
/*
 * summary.h - a sink that counts: -c, -C, --summary-every, Ctrl-Break.
 *
 * For each call name (with --by=thread or process: for each of them and name):
 * calls, failures, and the wall time between entry and return: sum, least, most,
 * average. Calls whose purpose is to wait are summed apart and have no share
 * in "% time". Nested calls (a callback inside a call) count in full for both.
 * Calls that have not returned, and those whose entry was not seen, count,
 * without time: averages are of the calls that have one.
 *
 *     % time     seconds  usecs/call         min         max     calls ...
 *     ------ ----------- ----------- ----------- ----------- --------- ...
 *      60.00    0.000300         100    0.000050    0.000150         3 ...
 *     ...
 *     100.00    0.000500         100    0.000010    0.000150         5 ...
 *
 * is strace's table with its columns for min and max, all times in seconds
 * but the average, which is in microseconds, cut off. The waits follow in a
 * table of their own, if there were any; its first column is empty. By thread
 * each thread's tables stand below a line "PID.TID:", by process below
 * "PID<app.exe>:", in the order in which they made their first call. With no calls at all there is
 * one table, of nothing.
 *
 * Memory grows with the number of different names (and threads, or processes),
 * at most
 * SUMMARY_ROWS_MAX rows; what comes after that, or finds no memory, is counted
 * in one row "(more)".
 */
#ifndef FORMAT_SUMMARY_H
#define FORMAT_SUMMARY_H

#include "decode/sink.h"

#define SUMMARY_ROWS_MAX 65536

enum summary_column {
    SUMMARY_TIME,  // the default
    SUMMARY_CALLS,
    SUMMARY_ERRORS,
    SUMMARY_NAME,
    SUMMARY_MIN,
    SUMMARY_MAX,
    SUMMARY_AVERAGE,
    SUMMARY_NOTHING,  // in the order they came
};

/* Names go up, numbers go down; of equal rows the one whose name comes first
 * is first. */
enum summary_group {
    SUMMARY_BY_NAME,
    SUMMARY_BY_THREAD,
    SUMMARY_BY_PROCESS,
};

struct summary_options {
    enum summary_column sort;
    enum summary_group by;
};

/* What was counted of one name. */
struct summary_row {
    str name;
    uint32_t pid;  // by thread or process; 0: of all
    uint32_t tid;  // by thread; 0: of all
    str image;     // by process; empty: not known
    bool waits;
    uint64_t calls;
    uint64_t errors;
    uint64_t timed;  // calls that have a time, and these: sum, least, most
    uint64_t ns;
    uint64_t min_ns;
    uint64_t max_ns;
};

struct summary;

/* NULL without memory. */
struct summary *summary_open(const struct summary_options *options);
void summary_close(struct summary *s);  // NULL is fine
struct sink *summary_sink(struct summary *s);
/* Writes the table so far, a line at a time, each with its newline. Without
 * memory rows come in no order. */
void summary_write(const struct summary *s, void (*write)(void *ctx, str line),
                   void *ctx);
/* The same rows, in that order, for who writes them in another way. */
void summary_write_rows(const struct summary *s,
                        void (*row)(void *ctx, const struct summary_row *row),
                        void *ctx);
/* The column that `name` means: strace's words for it (time, time-total,
 * total-time, calls, count, errors, error, name, syscall, min, min-time,
 * shortest, max, max-time, longest, avg, avg-time, nothing, none ...), with -
 * or _; false if none. */
bool summary_column_find(str name, enum summary_column *out);

#endif
