/* SPDX-License-Identifier: MIT */
/*
 * tally.h - how often and how long, of all calls: by name, by thread, by what they
 * were about; and the modules that were there.
 *
 * One pass, beside answers.h, whose names and processes it uses. Memory is bounded
 * as there: rows beyond ROWS_MOST of a kind are counted as missing.
 */
#ifndef REPORT_TALLY_H
#define REPORT_TALLY_H

#include "model/call.h"
#include "model/clock.h"
#include "model/model.h"
#include "report/labels.h"
#include "report/subject.h"
#include "report/table.h"

#include <stdbool.h>
#include <stdint.h>

/* How long calls took: one step for each doubling of ns. */
#define TALLY_STEPS 48

/* a: name. */
struct tally_call {
    struct table_key key;
    bool waits;
    uint64_t calls;
    uint64_t errors;
    uint64_t timed;  // of them
    int64_t ns;
    int64_t most_ns;
    uint64_t steps[TALLY_STEPS];
};

/* a: the model's number of its process, b: its id. */
struct tally_thread {
    struct table_key key;
    uint32_t pid;
    uint64_t calls;
    uint64_t errors;
    int64_t ns;
    int64_t wait_ns;
    int64_t first_ns;
    int64_t last_ns;
};

/* a: name << 8 | enum subject_kind. */
struct tally_thing {
    struct table_key key;
    uint32_t type;  // name of it; LABEL_NONE: not known
    uint64_t calls;
    uint64_t errors;
    uint64_t read;  // bytes
    uint64_t written;
    uint64_t closed;  // handles to it
    int64_t ns;
    int64_t first_ns;
    int64_t last_ns;
};

/* a: name. */
struct tally_module {
    struct table_key key;
    uint64_t loads;
    uint64_t unloads;
    uint64_t size;  // of the first
    uint32_t pid;
    uint64_t process;  // the model's number of it
    uint64_t base;
    uint64_t first_time;  // of the clock
    int64_t first_ns;     // from tally_end on
};

struct tally {
    struct labels *names;       // borrowed
    const struct clock *clock;  // borrowed
    struct table calls;
    struct table threads;
    struct table things;
    struct table modules;
    uint64_t longest[64 * 8];  // calls by how long: steps of an eighth
    uint64_t marks[TRANSITION_KINDS];
    int64_t last_ns;
    struct subject_room room;
};

/* `t` is large. What it is handed is borrowed. */
void tally_init(struct tally *t, struct labels *names,
                const struct clock *clock);
void tally_close(struct tally *t);
/* When all is told: `processes` are those of answers.h. */
void tally_end(struct tally *t, const struct table *processes);

/* They fit struct model_out; `tally` is a struct tally. */
void tally_leave(void *tally, const struct call *call);
void tally_transition(void *tally, const struct transition_told *told);
void tally_module(void *tally, const struct module_told *m);

/* What both passes ask of a call. */
str tally_name(const struct call *call);
bool tally_failed(const struct call *call);
bool tally_waits(const struct call *call);
uint64_t tally_process(const struct call *call);
/* When it began, or for want of that ended; and how long it took, -1: not known. */
int64_t tally_ns(const struct clock *clock, const struct call *call,
                 int64_t *took);
/* When a module was mapped, or unmapped: those that were there when their process
 * began have no time of their own. */
int64_t tally_module_ns(const struct clock *clock,
                        const struct table *processes, uint64_t process,
                        uint64_t time);
/* Which of `longest` counts it. */
unsigned tally_step(int64_t ns);

#endif
