/* SPDX-License-Identifier: MIT */
/*
 * doctor.c - runs the groups of checks and adds up.
 *
 * Checks that set the callback, or that may hang, run in a copy of this process,
 * told which group by the environment, so that a crash is a finding and not the
 * end.
 */

#include "cmd/command.h"
#include "cmd/doctor_check.h"
#include "platform/probe.h"
#include "platform/target.h"

#include <stdio.h>

#include "base/banned.h"

#define SPOIL_VARIABLE "NTSTRACE_DOCTOR_SPOIL"

#define GROUP_MS 60000
#define DOES_NOT_HOLD 125

/* An exit status of a copy that ran to its end: 01, and four numbers. */
#define SUM_MARK 0x40000000u
#define SUM_MARK_MASK 0xc0000000u

/* --- groups --- */

static const struct group {
    const char *name;
    void (*run)(struct doctor *d);
    enum {
        HERE,
        APART,      // in a copy of this process
        GUARDED,    // ... with control flow guard
        RISKY,      // ... that may break off without harm
        ASKED_FOR,  // ... by another group, which needs such a copy
    } where;
} groups[] = {
    { "stubs", doctor_stubs, HERE },
    { "callback", doctor_callback, APART },
    { "guarded", doctor_guarded, GUARDED },
    { "threads", doctor_threads, APART },
    { "memory", doctor_memory, HERE },
    { "trees", doctor_trees, APART },
    { "join", doctor_join, APART },
    { "clone", doctor_clone, RISKY },
    { "sleep", doctor_sleep, ASKED_FOR },
    { "processor", doctor_processor, HERE },
};

static uint32_t sum_to_status(const struct doctor_sum *s)
{
    return SUM_MARK | (s->unknown & 63) << 24 | (s->noted & 255) << 16 |
           (s->differs & 255) << 8 | (s->ok & 255);
}

static void add_status(struct doctor_sum *to, uint32_t status)
{
    to->ok += status & 255;
    to->differs += status >> 8 & 255;
    to->noted += status >> 16 & 255;
    to->unknown += status >> 24 & 63;
}

static void run_apart(struct doctor *d, const struct group *g)
{
    enum relied relied = g->where == APART ? RELIED_ON : NOT_RELIED_ON;
    bool guard = g->where == GUARDED;
    uint32_t status = 0;
    struct err e = { 0 };

    if (!probe_run_again(DOCTOR_GROUP, g->name, guard, GROUP_MS, &status, &e)) {
        check_begin(d, "doctor/group", relied);
        check_unknown(d, g->name);
        check_say(d, "%s", e.text);
        check_end(d);
    } else if ((status & SUM_MARK_MASK) != SUM_MARK) {
        check_begin(d, "doctor/group", relied);
        d->holds = false;
        check_say(d, "%s broke off behind the line above", g->name);
        check_hex(d, "exit status", status);
        check_end(d);
    } else {
        add_status(&d->sum, status);
    }
}

static void print_head(struct doctor *d, const uint32_t version[3],
                       const char *wine)
{
    char room[200];
    struct buf b = BUF_OVER(room);

    buf_addf(&b, "ntstrace doctor on Windows %u.%u build %u", version[0],
             version[1], version[2]);
    if (wine != NULL) {
        buf_addf(&b, " (Wine %s)", wine);
    }
    buf_add_char(&b, '\n');
    check_print(d, buf_str(&b));
}

static void print_sum(struct doctor *d)
{
    const struct doctor_sum *s = &d->sum;
    char room[300];
    struct buf b = BUF_OVER(room);

    buf_addf(&b,
             "%u ok; of what is relied on %u differ and %u cannot be told, "
             "of the rest %u: ",
             s->ok, s->differs, s->unknown, s->noted);
    buf_add(&b, s->differs > 0   ? STR("ntstrace will not work right here\n")
                : s->unknown > 0 ? STR("ntstrace may not work right here\n")
                                 : STR("all that ntstrace relies on holds\n"));
    check_print(d, buf_str(&b));
}

bool doctor_run(const struct options *o, struct arena *a, struct outcome *out,
                struct err *e)
{
    struct doctor d = { .arena = a, .out = os_stdout() };
    uint32_t version[3];
    const char *wine;
    char room[32];
    str only = str_of(probe_variable(DOCTOR_GROUP, room, sizeof(room)));

    (void)o;
    probe_variable(SPOIL_VARIABLE, d.spoil, sizeof(d.spoil));
    probe_version(version, &wine);
    d.wine = wine != NULL;
    if (only.size > 0) {
        for (size_t i = 0; i < COUNT_OF(groups); i++) {
            if (str_eq(only, str_of(groups[i].name))) {
                groups[i].run(&d);
            }
        }
        out->status = sum_to_status(&d.sum);
    } else {
        print_head(&d, version, wine);
        for (size_t i = 0; i < COUNT_OF(groups); i++) {
            if (groups[i].where == HERE) {
                groups[i].run(&d);
            } else if (groups[i].where != ASKED_FOR) {
                run_apart(&d, &groups[i]);
            }
        }
        print_sum(&d);
        out->status = d.sum.differs + d.sum.unknown > 0 ? DOES_NOT_HOLD : 0;
    }
    if (d.failed && d.why.code != ERR_UNREAD) {
        *e = d.why;
        return false;
    }
    return true;
}
