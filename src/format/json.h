/* SPDX-License-Identifier: MIT */
/*
 * json.h - a sink that writes one JSON object a line; docs/json.md is its
 * contract with readers.
 *
 * Lines are ASCII: everything else is escaped, so that no name can be
 * mistaken for structure and unpaired surrogates survive. The whole line is
 * built in memory that grows up to LINE_MAX_BYTES; what would make it longer
 * is left out, and the line says so. Without memory a line that cannot be
 * built whole is one of type "lost" instead.
 */
#ifndef FORMAT_JSON_H
#define FORMAT_JSON_H

#include "decode/sink.h"
#include "format/line.h"
#include "format/summary.h"

#include <stdbool.h>
#include <stdint.h>

/* Raised when something is added; what is there keeps its meaning. */
#define JSON_VERSION 2

/* Groups nest no deeper than decoders do; this is far beyond that. */
#define JSON_DEPTH_MAX 64

struct json_group {
    uint8_t kind;  // enum sink_group
    bool any;      // it has a member
    bool open;     // a struct's field is not closed yet
    bool more;
    size_t from;  // where in the line it begins
};

struct json {
    struct sink sink;  // first
    struct line line;
    struct line dumps;  // members of "dumps"
    void (*write)(void *ctx, str line);
    void *ctx;

    /* the sink's own */
    uint64_t lines;
    uint8_t part;
    uint8_t section;
    bool any;           // the section has a member
    bool open;          // an argument or the result is not closed yet
    bool more;          // there are more arguments
    bool cut;           // something was left out
    bool leaving;       // what comes is left out, up to the end of this group,
    bool leaving_one;   // or of one value
    uint32_t left;      // groups begun in what is left out
    size_t value_from;  // where the last value begins
    uint32_t depth;
    struct json_group groups[JSON_DEPTH_MAX];
};

/* `ctx` must outlive the sink. False without memory. */
bool json_init(struct json *j, void (*write)(void *ctx, str line), void *ctx);
void json_close(struct json *j);

/* A line for each row of a table of counts; for summary_write_rows. */
void json_counts(void *json, const struct summary_row *row);

/* `s` as a string of JSON, which takes up to 6 bytes for each of its, and 2. */
void json_add_string(struct buf *b, str s);

/* The first line of a trace: what wrote it, and the version of the schema. */
void json_header(struct json *j, str program_version);

#endif
