/* SPDX-License-Identifier: MIT */
/*
 * session.h - one run of the tracer: a target, its records, a trace.
 *
 * The main thread does all: it sleeps, drains the rings (drain.c), answers
 * threads that wait (rendezvous.c), and lets the model tell what happened;
 * tell.c makes lines of that. With the handshake engine a second thread serves the slot
 * (handshake.c) and hands its finds over under a lock-free queue of its own.
 */
#ifndef LIVE_SESSION_H
#define LIVE_SESSION_H

#include "base/err.h"
#include "live/known.h"
#include "live/options.h"
#include "live/spare.h"
#include "live/timing.h"
#include "model/model.h"
#include "plan/plan.h"
#include "platform/target.h"
#include "view/output.h"
#include "view/progress.h"
#include "view/tell.h"

#include <stdbool.h>
#include <stdint.h>

struct handshake_server;
struct recorder;

struct session {
    const struct launch_options *options;
    const struct view_options *view;
    struct buf *notes;      // lines for the user
    struct traced *traced;  // owned, a list: the first one started first
    struct spares spares;
    struct known known;
    struct plan plan;
    struct model *model;
    /* Of processes that --follow does not name: what is known of them, and told
     * to nobody; and what is recorded. Owned; NULL: there was none. */
    struct model *hidden;
    struct plan *hidden_plan;
    struct filter *follows;  // which images; owned; NULL: all
    struct telling telling;
    struct timing timing;
    struct output output;
    struct recorder *recorder;   // owned; NULL: nothing is recorded
    bool identities;             // images are told with their build
    struct progress progress;    // of a recording alone
    uint64_t progress_calls;     // when it was drawn last
    uint64_t progress_ms;        // the same
    uint64_t made;               // processes that the traced ones have made
    uint32_t first_code;         // exit status of the first process
    uint32_t questions_refused;  // of processes that are no more
    void *wake;                  // event: some process wants the reader
    uint64_t threads_at;         // TSC: when to ask next for ended threads
    uint32_t processes;          // so many are traced, at the last look
    uint64_t busy_at;            // TSC: when something came last
    uint8_t *scratch;            // ring_bytes, owned: records, copied out
    char *journal;        // JOURNAL_MAX bytes, owned: journal.c builds there
    uint64_t ends_at;     // TSC: look for ended processes at the latest
    uint64_t poll_until;  // TSC: orphans come, do not sleep
    uint64_t summary_at;  // TSC: when to print the table next; 0: not
    void *interrupt;      // event: Ctrl-C and the like
    int interrupts;
    uint64_t followed_since;  // TSC
    /* How many calls met each rule, and were changed by it (tampering.c), in
     * the processes that are closed. */
    uint64_t rules_met[TAMPER_RULES_MOST];
    uint64_t rules_fired[TAMPER_RULES_MOST];
    uint32_t names_missed;  // of handles that a rule wanted to know
    bool enough;            // --detach-after
    uint64_t detach_at;     // TSC, or 0
    struct handshake_server *handshakes;  // handshake engine only; owned
};

/* Runs the program that `o` names to its end, or until it is detached from.
 * *status is the exit status for ours. What the user should know besides the
 * trace goes to `notes`, a line each, whether the run fails or not. */
bool session_run(const struct launch_options *o, const struct view_options *v,
                 uint32_t *status, struct buf *notes, struct err *e);
void session_note(struct session *s, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
