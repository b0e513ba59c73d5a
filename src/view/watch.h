/* SPDX-License-Identifier: MIT */
/*
 * watch.h - who looks at a program that runs in another way than by lines: told of
 * its calls, and asked again and again whether to go on.
 *
 * Where there is one nothing is written to the output of the view; what is shown,
 * and where, is its own affair. All of its functions are called on the main
 * thread, and are to return soon: the program waits when nobody reads.
 */
#ifndef VIEW_WATCH_H
#define VIEW_WATCH_H

#include "base/err.h"
#include "model/call.h"
#include "model/clock.h"

#include <stdbool.h>
#include <stdint.h>

/* How it stands, at each turn. */
struct watch_turn {
    uint32_t pid;        // of the first process
    str image;           // its path; empty: not known
    uint32_t processes;  // that are traced
};

struct watch {
    void *ctx;
    /* There is a program that can be started, or joined: whatever is needed to
     * show it. On failure *e says why there is none. */
    bool (*open)(void *ctx, struct err *e);
    /* Before the first call; `clock` lasts until the last one. */
    void (*begin)(void *ctx, const struct clock *clock);
    /* A call that passes the filter is over. */
    void (*leave)(void *ctx, const struct call *call);
    /* Something that -c would have a line for: records were lost. */
    void (*notice)(void *ctx, const struct notice *n);
    /* Some hundred times a second at most, and every 25 ms at least. False: it is
     * enough, the programs are to be let go. */
    bool (*turn)(void *ctx, const struct watch_turn *now);
};

#endif
