/* SPDX-License-Identifier: MIT */
/*
 * flat.h - what the model tells as rows, for files that other programs read: one
 * for each call that is over, with its arguments as the text output shows them.
 *
 * Calls come when they return, so in order of their ends. All texts are valid UTF-8
 * in which nothing is hidden (base/chars.h), whatever the target's names were.
 */
#ifndef REPORT_FLAT_H
#define REPORT_FLAT_H

#include "decode/decode.h"
#include "format/text.h"
#include "model/call.h"
#include "model/clock.h"
#include "model/model.h"
#include "report/subject.h"

#include <stdbool.h>
#include <stdint.h>

struct flat_arg {
    str name;  // empty: it has none
    str value;
};

/* All of it lasts until the function that is told returns. */
struct flat_call {
    uint64_t number;   // from 1
    uint64_t process;  // tells it from others of the same pid
    uint32_t pid;
    uint32_t tid;
    str image;
    str name;
    const char *how;  // "", "direct" or "indirect"
    /* By -e inject=: "", "injected", "delayed" or "injected, delayed". */
    const char *changed;
    int64_t began_ns;  // after the start of the trace
    int64_t took_ns;   // -1: not known, or it has not returned
    bool returned;
    uint64_t result;
    const char *status;  // its name; NULL: it has none, or is none
    bool failed;
    bool waits;
    str object;  // what it is about; empty: nothing
    enum subject_kind kind;
    str args;
    const struct flat_arg *arg;
    size_t arg_count;
    str frames;  // callers, the outermost first, ";" between; empty: not known
    const struct call *call;
};

struct flat_out {
    void *ctx;
    void (*call)(void *ctx, const struct flat_call *call);
    /* As in struct model_out, with the time after the start; NULL: not wanted. */
    void (*transition)(void *ctx, const struct transition_told *t, int64_t ns);
    void (*module)(void *ctx, const struct module_told *m, int64_t ns);
    void (*notice)(void *ctx, const struct notice *n, int64_t ns);
};

struct flat_options {
    bool wine;
    bool args;                  // they are wanted; else there are none
    decode_stack_of *stack_of;  // NULL: no callers
    void *stack_ctx;
};

struct flat;

/* NULL without memory. */
struct flat *flat_open(const struct flat_options *options,
                       const struct flat_out *out);
void flat_close(struct flat *f);  // NULL is fine
/* Before the first event; borrowed. False without memory. */
bool flat_clock(struct flat *f, const struct clock *clock);
struct model_out flat_model_out(struct flat *f);

/* Unix time, UTC, of 0 ns. */
int64_t flat_wall_ns(const struct flat *f);

#endif
