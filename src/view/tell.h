/* SPDX-License-Identifier: MIT */
/*
 * tell.h - from what the model tells to what the user sees: filter, decoders,
 * sinks.
 *
 *     model -> filter -> decoder -> text or json -> output (outlet.h)
 *                   |\-> decoder -> summary
 *                   \--> a watch, and none of the others
 *
 * telling_judge reads the user's words, before anything else happens;
 * telling_open makes the sinks; then the functions that fit struct model_out
 * are called, in order of time.
 */
#ifndef VIEW_TELL_H
#define VIEW_TELL_H

#include "base/err.h"
#include "decode/decode.h"
#include "filter/filter.h"
#include "format/summary.h"
#include "model/model.h"
#include "plan/plan.h"
#include "tables/prototypes.h"
#include "view/options.h"
#include "view/outlet.h"
#include "view/output.h"
#include "view/stacks.h"
#include "view/watch.h"
#include "view/when.h"

#include <stdbool.h>

/* As many as the model knows of one process. */
#define TELLING_PENDING 128

/* What there is to know of a trace before its first line. */
struct telling_setting {
    const struct clock *clock;  // borrowed as long as the telling is open
    bool wine;                  // the target runs there
    bool colours;               // the output shows them
    int32_t utc_offset;         // seconds that its local time is ahead of UTC
    /* How long after its start a recording's last record is; 0: not known. A
     * time of the next day may be meant only if it lasts so long. */
    int64_t last_ns;
};

struct telling {
    const struct view_options *options;
    struct filter *filter;         // owned
    struct prototypes prototypes;  // the user's own
    const struct watch *watch;     // borrowed; NULL: none
    struct output *output;
    bool lines;      // calls are shown, in text or JSON
    bool counts;     // they are counted
    bool by_result;  // told when they have returned, and whole
    enum summary_column sort;
    struct when from;
    struct when to;
    struct when_range range;  // what is shown, and counted
    uint64_t open;            // calls that may be shown, not over yet
    /* What begins has begun before, in what was passed over: the filter is to
     * know it, nothing is shown. Set by who has the model tell it. */
    bool reopening;
    const struct clock *clock;  // borrowed
    struct outlets outlets;
    struct decoder count_decoder;
    struct summary *summary;  // owned; NULL: no counts
    struct stacks stacks;     // for who shows callers
    /* Ids of pending calls that were shown, the last ones. */
    uint64_t pending[TELLING_PENDING];
    uint32_t pending_next;
};

/* Reads prototypes, filter expressions, paths and columns. `t` is zeroed but for
 * `watch`; on failure *e says what is wrong with which of them. telling_close in any
 * case. */
bool telling_judge(struct telling *t, const struct view_options *o,
                   struct err *e);
/* For setting->colours: whether the output, open, is to have them. */
bool telling_colours(const struct view_options *o, const struct output *output);
/* Fails also if --from is later than --to. */
bool telling_open(struct telling *t, struct output *output,
                  const struct telling_setting *setting, struct err *e);
void telling_close(struct telling *t);

/* What handles refer to is of interest. */
bool telling_wants_handles(const struct telling *t);

/* Calls that the user declares, borrowed; NULL: none. */
const struct call_set *telling_own(const struct telling *t);

/* What has to be recorded for that. */
struct plan_wants telling_wants(const struct telling *t);

/* These fit struct model_out; `telling` is a struct telling. */
void telling_enter(void *telling, const struct call *call);
void telling_leave(void *telling, const struct call *call);
void telling_transition(void *telling, const struct transition_told *t);
void telling_completion(void *telling, const struct completion_told *c);
void telling_module(void *telling, const struct module_told *m);
void telling_notice(void *telling, const struct notice *n);
/* All of them. */
struct model_out telling_out(struct telling *t);

/* Transitions of this kind are shown, of some threads at least. */
bool telling_wants_transition(const struct telling *t, enum transition kind);
/* Nothing more is to come, all up to the TSC `told` having been told. */
bool telling_is_over(const struct telling *t, uint64_t told);

/* Prints the table so far, if there is one. */
void telling_summary(struct telling *t);
/* Writes all lines so far. */
void telling_write(struct telling *t);
/* Shows what was held back: at the end of a trace. */
void telling_flush(struct telling *t);

#endif
