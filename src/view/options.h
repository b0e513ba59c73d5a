/* SPDX-License-Identifier: MIT */
/*
 * options.h - what the user wants to see of a trace, and where.
 *
 * Filled by cmd/options.c; the same for a program that runs and for a
 * recording. Every str is borrowed from who parsed it.
 */
#ifndef VIEW_OPTIONS_H
#define VIEW_OPTIONS_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* Data that is shown of one buffer (wire/capture.h copies no more). */
#define STRING_LIMIT_MOST (UINT64_C(256) << 10)
#define STRING_LIMIT_DEFAULT 32

/* Of the stack, with -k. */
#define STACK_SIZE_DEFAULT (UINT64_C(8) << 10)
#define STACK_SIZE_MOST (UINT64_C(128) << 10)
#define STACK_LIMIT_DEFAULT 256
#define STACK_LIMIT_MOST 1024

/* Values of an option that may be given again and again. */
#define OPTIONS_LIST_MAX 64

enum color {
    COLOR_AUTO,    // on a console, unless NO_COLOR is set
    COLOR_ALWAYS,  // on a console
    COLOR_NEVER,
};

enum summary_by {
    BY_NAME,
    BY_THREAD,
    BY_PROCESS,
    BY_FILE,  // of `top`
};

enum pids {
    PIDS_ALONE,
    PIDS_IMAGES
};

enum unit {
    UNIT_USUAL,
    UNIT_SECONDS,
    UNIT_MILLIS,
    UNIT_MICROS,
    UNIT_NANOS,
};

enum constant_style {
    CONSTANTS_ABBREV,
    CONSTANTS_RAW,
    CONSTANTS_VERBOSE
};

struct option_list {
    str at[OPTIONS_LIST_MAX];  // in the order they were given
    size_t count;
};

struct view_options {
    struct option_list expressions;  // -e, not looked at yet
    struct option_list paths;        // -P, as they were given
    bool successful_only;            // -z
    bool failed_only;                // -Z

    str output;    // empty: standard error, or output; "|...": a command
    str separate;  // -ff: what the files of processes begin with; empty: none
    bool json;
    uint8_t quiet;  // how often -q was given
    bool always_show_pid;
    bool images;     // -Y: processes with their programs' names
    enum pids pids;  // the same, as strace's users ask for it
    enum color color;

    bool summary_only;  // -c
    bool summary;       // -C
    bool wall_clock;    // -w: it is anyway
    str summary_sort;   // -S; empty: not given
    enum summary_by summary_by;
    uint64_t summary_every;  // seconds; 0: not

    uint8_t clock;        // -t: 1, -tt: 2, -ttt: 3
    bool since_last;      // -r
    enum unit time_unit;  // of the two
    bool service_number;  // -n
    bool return_address;  // -i

    uint8_t handles;        // -y: 1, -yy: 2, --no-decode-handles: 0
    uint64_t string_limit;  // -s
    bool abbrev;            // false: -v
    uint8_t hex_strings;    // -x: 1, -xx: 2
    enum constant_style constants;
    bool arg_names;  // false: --no-arg-names
    bool brief;      // --short
    str prototypes;  // --prototypes, a file; empty: none
    str declared;    // else: the text of one that a recording has

    bool stacks;           // -k
    bool caller;           // --caller
    uint64_t stack_size;   // bytes of stack that are copied of each call
    uint64_t stack_limit;  // callers that are shown of each
    struct option_list module_paths;  // where files of modules are looked for

    bool time_spent;       // -T
    enum unit spent_unit;  // of it

    str from;   // --from, as it was given; empty: not
    str to;     // --to
    bool utc;   // times of day
    bool skip;  // false: --no-skip, of a recording
};

#endif
