/* SPDX-License-Identifier: MIT */
/*
 * play.h - a recording from its beginning to its end, for commands that look at
 * all of it: report, export, diff.
 */
#ifndef CMD_PLAY_H
#define CMD_PLAY_H

#include "base/arena.h"
#include "base/err.h"
#include "model/clock.h"
#include "model/model.h"
#include "record/replay.h"
#include "tables/prototypes.h"
#include "view/options.h"
#include "view/progress.h"
#include "view/stacks.h"

#include <stdbool.h>

struct play {
    struct replay replay;
    struct view_options
        view;  // what it was recorded with, as far as it matters
    struct prototypes prototypes;
    bool declared;  // there are some
    struct model *model;
    struct stacks stacks;
    struct progress progress;
    const char *what;  // the command, for who waits
    bool quiet;
    /* Asked now and then; false: no more is wanted. NULL: all is. */
    bool (*go_on)(void *ctx);
    void *go_on_ctx;
};

/* `p` is zeroed, but for what is wanted: `what`, `quiet`, and in `view` the
 * folders with files of modules. play_close in any case. */
bool play_open(struct play *p, str path, struct arena *a, struct err *e);
/* Makes the model that will tell `out`, which is copied. */
bool play_begin(struct play *p, const struct model_out *out, struct err *e);
/* What time it is in what is told; from play_begin on. */
const struct clock *play_clock(const struct play *p);
/* What was recorded, as it was called, in the arena; "": nothing was started. */
str play_program(const struct play *p, struct arena *a);
/* The same with its arguments, as far as the tracer's own command line says it. */
str play_command(const struct play *p, struct arena *a);
bool play_wine(const struct play *p);
/* The callers of calls are in it: p->stacks. */
bool play_has_stacks(const struct play *p);
/* Tells all of it. Damage is no failure: play_damage. */
bool play_all(struct play *p, struct err *e);
/* A line for each thing that is missing; true if there is one. */
bool play_damage(const struct play *p, struct buf *notes);
void play_close(struct play *p);

#endif
