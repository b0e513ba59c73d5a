/* SPDX-License-Identifier: MIT */
/*
 * text.h - the text output; docs/output.md is its grammar.
 *
 * Each line is handed to `write` whole, with its newline, as soon as it is
 * complete. Whoever writes may put several lines into one system call, but
 * never a part of one.
 *
 * Names and texts of the target are escaped so that they can be turned back
 * exactly, and so that none can end a line or pass for something else. What
 * would make a line longer than LINE_MAX_BYTES (line.h) is left out, "..."
 * in its place. Without memory lines are cut, and end in "...".
 */
#ifndef FORMAT_TEXT_H
#define FORMAT_TEXT_H

#include "base/str.h"
#include "decode/sink.h"
#include "format/line.h"

#include <stdbool.h>
#include <stdint.h>

enum text_when {
    WHEN_NONE,
    WHEN_SECONDS,  // -t: time of day
    WHEN_MICROS,   // -tt: with microseconds
    WHEN_EPOCH,    // -ttt: seconds since 1970
};

enum text_precision {
    PRECISION_DEFAULT,  // WHEN_SECONDS: seconds, all else: microseconds
    PRECISION_S,
    PRECISION_MS,
    PRECISION_US,
    PRECISION_NS,
};

enum text_hex {
    TEXT_HEX_NEEDED,  // escapes where nothing else will do
    TEXT_HEX_WIDE,    // -x: for all that is not ASCII
    TEXT_HEX_ALL,     // -xx: all texts, data and names of objects
};

struct text_options {
    bool always_pid;  // "PID.TID " on every line, as in files; else
                      // "[pid PID.TID] " from the second thread on
    bool images;      // -Y: "PID.TID<app.exe> "
    enum text_when when;
    enum text_precision when_precision;
    bool relative;  // -r: time since the line before
    enum text_precision relative_precision;
    bool number;   // -n: service numbers
    bool returns;  // -i: addresses that calls return to
    bool took;     // -T: how long calls took
    enum text_precision took_precision;
    bool arg_names;  // "Handle=0x4c"
    enum text_hex hex;
    bool constant_numbers;  // -X verbose: "0x21 /* A|B */"
    bool handle_detail;     // -yy: type and access of handles
    bool brief;             // --short: a line for a screen
    bool colour;            // for a terminal that knows SGR sequences
    int32_t utc_offset;     // seconds; what -t and -tt add for local time
};

/* Groups nest no deeper than decoders do; this is far beyond that. */
#define TEXT_DEPTH_MAX 64

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
    bool leaving;      // the line is full: what comes is left out, up to the
    bool leaving_one;  // end of this group, or of one value
    uint32_t left;     // groups begun in what is left out
    uint32_t depth;    // groups begun and not ended
    uint8_t groups[TEXT_DEPTH_MAX];  // enum sink_group of each
    size_t arg_from;                 // where in the line
    size_t result_from;              // where in the line
    size_t result_to;                // 0: not ended
    uint64_t lines;
    struct sink_head head;  // of the call
    struct line line;
    struct line dumps;  // lines that follow the call's
    bool dumps_full;
};

/* `ctx` must outlive the sink. False without memory; the sink can be used all
 * the same, it cuts its lines. */
bool text_init(struct text *t, const struct text_options *options,
               void (*write)(void *ctx, str line), void *ctx);
void text_close(struct text *t);

#endif
