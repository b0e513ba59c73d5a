/* SPDX-License-Identifier: MIT */
/*
 * text.h - the text output; docs/output.md is its grammar.
 *
 * Each line is handed to `write` whole, with its newline, as soon as it is
 * complete. Whoever writes may put several lines into one system call, but
 * never a part of one.
 */
#ifndef FORMAT_TEXT_H
#define FORMAT_TEXT_H

#include "base/str.h"
#include "decode/sink.h"

#include <stdbool.h>
#include <stdint.h>

enum text_when {
    WHEN_NONE,
    WHEN_SECONDS,  // -t: time of day
    WHEN_MICROS,   // -tt: with microseconds
    WHEN_EPOCH,    // -ttt: seconds since 1970
};

struct text_options {
    bool always_pid;  // "PID.TID " on every line, as in files; else
                      // "[pid PID.TID] " from the second thread on
    enum text_when when;
    bool relative;       // -r: seconds since the line before
    bool number;         // -n: service numbers
    bool returns;        // -i: addresses that calls return to
    bool took;           // -T: how long calls took
    bool arg_names;      // "Handle=0x4c"
    int32_t utc_offset;  // seconds; what -t and -tt add for local time
};

/* No line is longer; what would make it so is cut and ends in "...". */
#define TEXT_LINE_MAX 65536

struct text {
    struct sink sink;  // first
    struct text_options options;
    void (*write)(void *ctx, str line);
    void *ctx;

    /* the sink's own */
    uint32_t first_pid;
    uint32_t first_tid;
    bool any;
    bool several;  // more than one thread was seen
    bool have_last;
    int64_t last_ns;  // of the line before
    uint8_t part;
    bool in_result;
    bool in_transition;
    bool after_value;  // a comma is due
    uint32_t depth;    // groups begun and not ended
    uint64_t arrays;   // bit i: the group at depth i is an array
    uint64_t lines;
    struct buf line;
    char room[TEXT_LINE_MAX];
};

/* `ctx` must outlive the sink. */
void text_init(struct text *t, const struct text_options *options,
               void (*write)(void *ctx, str line), void *ctx);

#endif
