/* SPDX-License-Identifier: MIT */
/*
 * options.h - what program to start, and how to trace it.
 *
 * Filled by cmd/options.c. Every str is borrowed from who parsed it.
 */
#ifndef LIVE_OPTIONS_H
#define LIVE_OPTIONS_H

#include "base/str.h"
#include "platform/target.h"
#include "record/format.h"
#include "view/options.h"
#include "view/watch.h"

#include <stdbool.h>
#include <stdint.h>

#define RING_SIZE_LEAST (UINT64_C(64) << 10)
#define RING_SIZE_MOST (UINT64_C(64) << 20)
#define RING_SIZE_DEFAULT (UINT64_C(1) << 20)

enum engine {
    ENGINE_RING,
    ENGINE_HANDSHAKE
};

struct launch_options {
    /* The program's own command line, a tail of ours; where it begins in
     * UTF-16 units, so that the system's own text can be handed on from there;
     * and its first word, decoded. */
    str program_line;
    size_t program_unit;
    str program;
    /* Processes to attach to, instead: ids or names, with commas between. */
    struct option_list attach;
    bool wait;              // until there is one of that name
    str detach_after;       // as it was given
    uint64_t detach_calls;  // let go after so many calls; 0: not
    uint64_t detach_ms;     // ... after so long; 0: not

    enum engine engine;
    bool patch;         // false: --no-patch
    bool orphan_query;  // false: --no-orphan-query
    bool lossy;
    bool callback;        // false: --no-callback
    bool honor_callback;  // that the program sets: ours is gone then
    bool repatch;         // what the program has put back
    uint64_t ring_size;   // bytes, a power of two
    uint8_t follow;       // -f: 1, -ff: 2
    str follow_only;      // images that --follow names; empty: all

    str record;            // the file to record into; empty: none
    bool exit_with_first;  // with -f: to the end of the first one only
    bool record_only;      // with `record`: nothing is shown meanwhile
    str page;  // a file that is to be made of it: writable, or nothing is started
    const struct watch *watch;  // looks at it instead of the view; NULL: none
    const struct os_apart *apart;  // what the program has of us; NULL: all
    enum compress compress;
};

#endif
