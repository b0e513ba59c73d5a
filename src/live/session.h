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
#include "live/ask.h"
#include "live/options.h"
#include "live/target.h"
#include "live/timing.h"
#include "model/model.h"
#include "platform/target.h"
#include "view/output.h"
#include "view/tell.h"

#include <stdbool.h>
#include <stdint.h>

/* What the tracer knows of one ring in use. */
struct drained {
    struct ring *ring;  // our view of it; NULL: not in use
    void *handle;       // of its thread, owned; NULL: it was gone already
    struct model_thread *thread;
    uint32_t tid;
    uint64_t teb;
    uint32_t tail;       // our own: the shared one is the target's too
    uint64_t last_time;  // of the last record taken
    uint64_t bound;      // promised to the model
    uint32_t lost[RING_LOST_COUNT];  // told to the model so far
    uint32_t lost_data;              // the same
    bool ending;                     // it has entered NtTerminateThread
    bool code_known;                 // its exit status is in `code`
    bool denied;                     // it is there, but may not be opened
    uint32_t entries_alone;          // in a row, without a return
    uint32_t code;
    bool stuck;  // bytes were left because a queue was full
    /* The newest record there wants an answer, which is on its way: the thread
     * has yet to ask, or does a chore. It is not taken before. */
    bool asking;
    bool resolved;              // it has got it; the record is still to be fed
    uint64_t runs_since;        // TSC: asking, and not waiting; 0: it waits
    uint32_t answered;          // the last `ask` that we answered
    struct question *question;  // rendezvous.c; owned; NULL: none
};

/* What a thread that waits is to do before it asks again. */
struct chore {
    enum ring_chore kind;
    uint64_t address;
    uint64_t size;  // bytes
};

/* Service numbers of calls that the tracer itself acts on; NUMBER_NONE where
 * there is no such call. */
#define NUMBER_NONE 0xffff
struct numbers {
    uint16_t terminate_thread;
    uint16_t unmap;
    uint16_t unmap_ex;
};

struct session {
    const struct launch_options *options;
    const struct view_options *view;
    struct buf *notes;  // lines for the user
    struct target target;
    char image_room[4096];
    struct buf image;  // the program's path
    struct numbers numbers;
    struct model *model;
    struct model_process *process;
    struct telling telling;
    struct timing timing;
    struct output output;
    struct drained *rings;  // RING_MAX of them, owned
    uint32_t ring_high;     // rings below this one may be in use
    uint8_t *scratch;       // ring_bytes, owned: records, copied out
    uint32_t lost_no_ring;  // told so far
    uint64_t poll_until;    // TSC: orphans come, do not sleep
    uint64_t last_pass;     // TSC: when the rings were looked at last
    uint64_t summary_at;    // TSC: when to print the table next; 0: not
    uint64_t check_ended;   // TSC: when to look next for ended threads
    bool room_set;
    bool letting_go;          // detaching: nobody waits for us any more
    uint32_t win32u_taken;    // how often win32u was taken in
    struct asker *asker;      // NULL until the first question
    struct region_told told;  // the last answer; lends its path
    _Atomic uint32_t questions_refused;
    bool started;        // the agent has reported
    bool callback_lost;  // and it was said
    bool refused;        // the agent could not start; `why` says why
    struct err why;
    void *interrupt;  // event: Ctrl-C and the like
    int interrupts;
    uint64_t detach_at;           // TSC, or 0
    struct handshake *handshake;  // handshake engine only; owned
};

/* Runs the program that `o` names to its end, or until it is detached from.
 * *status is the exit status for ours. What the user should know besides the
 * trace goes to `notes`, a line each, whether the run fails or not. */
bool session_run(const struct launch_options *o, const struct view_options *v,
                 uint32_t *status, struct buf *notes, struct err *e);
void session_note(struct session *s, const char *format, ...) PRINTF_LIKE(2, 3);

/* --- drain.c --- */

/* Takes what the rings hold. Returns the bytes taken. `last`: the target has
 * ended, nobody writes any more. */
size_t drain_rings(struct session *s, bool last);
/* The target has ended with `code` and everything is taken: threads that had
 * ended before it did, by their own will or with another code, are told to
 * have. */
void drain_end(struct session *s, uint32_t code);
/* True if a ring is more than half full, or its thread waits for us. */
bool drain_pressing(struct session *s);
/* Lets threads sleep no longer whose ring has room or whose answer is
 * there. True if some are still on their way. */
bool drain_wake(struct session *s);
/* True if some thread of the target waits for us. For struct os_process. */
bool drain_waited_for(void *session);
/* What the thread of `d` found out by a chore. */
struct region_told drain_told(const struct drained *d);
void drain_close(struct session *s);

/* --- rendezvous.c --- */

/* A record of `d` that wants an answer: does what it asks for. True: that is
 * done; false: its thread is to do *c first, and to ask again. `waits`: it
 * does wait; a record may say so and not be true. */
bool rendezvous(struct session *s, struct drained *d,
                const struct record_return *r, bool waits, struct chore *c);
/* Its record has been taken by the model: what was found out goes there. */
void rendezvous_finish(struct drained *d);
/* Forgets what it knows of a thread that waited. */
void rendezvous_forget(struct drained *d);
/* Tells the model about ntdll and the program, before the target runs. */
bool rendezvous_begin(struct session *s);
/* For struct model_out. */
bool rendezvous_describe(void *session, struct model_process *p,
                         uint64_t address, struct place *out);
/* Tells the model about the stubs of a module of the target. */
bool rendezvous_tell_stubs(struct session *s, const struct module *m,
                           const struct patched *patched, str name);
/* What the kernel says `thread` called last, which spins; false: unknown.
 * `wines`: what Wine's record says, where the kernel cannot be asked. */
bool rendezvous_last_call(struct session *s, void *thread,
                          const struct last_call *wines, uint16_t *number,
                          uint64_t *argument);

/* --- handshake.c --- */

bool handshake_open(struct session *s, struct err *e);
/* Moves what the handler found into the model. Returns how much. */
size_t handshake_drain(struct session *s, bool last);
void handshake_close(struct session *s);

#endif
