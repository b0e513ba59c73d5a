/* SPDX-License-Identifier: MIT */
/*
 * traced.h - one process that is traced: what the tracer keeps of it.
 *
 * A session has a list of them. drain.c fills and empties what is here,
 * rendezvous.c and handshake.c answer its threads; traced.c opens and closes.
 */
#ifndef LIVE_TRACED_H
#define LIVE_TRACED_H

#include "base/err.h"
#include "live/ask.h"
#include "live/target.h"
#include "model/model.h"
#include "wire/journal.h"
#include "wire/ring.h"

#include <stdbool.h>
#include <stdint.h>

struct session;
struct early;
struct late_child;
struct underway;

/* A call that makes a process, which is open (children.c). */
struct making {
    uint64_t rsp;         // 0: none is
    uint64_t time;        // TSC: when it began
    uint64_t process_at;  // where the new handles are put
    uint64_t thread_at;   // 0: it makes no thread
    uint64_t attributes;  // PS_ATTRIBUTE_LIST, where an image may be named ...
    uint64_t section;     // ... or the section that it has as its image
    bool named;           // the first of them
    bool seen;            // its entry: its thread tells what it has made
    bool held;            // the new thread is suspended by the agent's will
    bool left;            // ... and is resumed by nobody else
    bool runs;            // it may have run already: nobody has suspended it
    uint64_t process;     // at its return: the handle on what it has made
};

/* A thread that waits to hear whether rules hold for its call (tampering.c): what
 * it has found out of memory that they are about. */
#define JUDGED_MOST 8
struct judging {
    uint64_t time;   // of the call's ENTRY
    uint64_t asked;  // the address that it looks at now; 0: none
    uint32_t count;
    struct judged_region {
        uint64_t low;
        uint64_t high;
        bool good;  // to read, and no guard
    } region[JUDGED_MOST];
};

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
    bool is_below;      // of what its thread does while the agent is at work
    bool ended_itself;  // by a call in this ring
    uint32_t entries_alone;  // in a row, without a return
    uint32_t code;
    bool stuck;  // bytes were left because a queue was full
    /* The newest record there wants an answer, which is on its way: the thread
     * has yet to ask, or does a chore. It is not taken before. */
    bool asking;
    bool wonders;  // the next record is kept back (places.c)
    bool
        resolved;  // it has got it, or needs none; the record is still to be fed
    uint64_t runs_since;        // TSC: asking, and not waiting; 0: it waits
    uint64_t wonders_since;     // TSC: a record is kept back (places.c); 0: no
    uint64_t wondered_in_vain;  // TSC: it was, and nothing came; 0: never
    uint32_t answered;          // the last `ask` that we answered
    uint64_t unmap_rsp;         // of a call that unmaps, which is open ...
    uint64_t unmap_base;        // ... this; 0: none is
    struct making making;
    struct judging judging;
    struct question *question;  // rendezvous.c; owned; NULL: none
};

/* What a thread that waits is to do before it asks again. */
struct chore {
    enum ring_chore kind;
    uint64_t address;
    uint64_t size;  // bytes
};

/* Pages that were asked about. */
struct image_at {
    uint64_t base;
    uint64_t size;  // bytes
};

/* An image of the process. */
struct image_file;
struct traced_image {
    uint64_t base;
    uint64_t size;            // bytes
    struct image_file *file;  // callers.c; owned; NULL: not looked at
    char name[64];            // of its file; empty: not known, or longer
};

/* Places that were found out in one look at the rings. */
#define SEEN_PLACES 64

struct traced {
    struct traced *next;      // of the session
    struct session *session;  // that it is in
    struct target target;
    char image_room[4096];
    struct buf image;     // the program's path
    uint32_t parent;      // the process that started it; 0: not known
    uint32_t parent_tid;  // the thread of it that did; 0: not seen
    enum process_how how;
    struct model_process *process;
    struct drained *rings;        // RING_MAX of them, owned
    uint32_t ring_high;           // rings below this one may be in use
    uint32_t lost_no_ring;        // told so far
    uint64_t last_pass;           // TSC: when the rings were looked at last
    uint64_t check_rings;         // TSC: when to look at all that may be rings
    bool threads_ended;           // some may have: drain_begin has asked
    struct traced_image *images;  // images.c: sorted, owned
    size_t image_count;
    size_t images_room;
    uint32_t images_told;               // ... to the agent, of session.known
    struct image_at seen[SEEN_PLACES];  // places.c: a ring
    uint64_t seen_time[SEEN_PLACES];    // of the record that it was for
    uint32_t seen_count;                // ever put there in this look
    struct early *early;                // early.c; owned
    size_t early_count;
    size_t early_room;
    struct underway *underway;  // underway.c; owned
    size_t underway_count;
    size_t underway_room;
    struct late_child *late;  // children.c; owned
    bool attached;            // it ran before we came
    bool joined;              // ... and is traced by now
    bool aside;        // ... and could not be joined: as if it were not here
    uint32_t woken;    // threads that had what they wait for, at the last look
    uint64_t wake_at;  // TSC: when they are woken again
    bool letting_go;   // detaching: nobody waits for us any more
    uint32_t win32u_taken;    // how often win32u was taken in
    struct asker *asker;      // NULL until the first question
    struct region_told told;  // the last answer; lends its path
    _Atomic uint32_t questions_refused;
    bool started;        // the agent has reported
    bool callback_lost;  // and it was said
    /* returns.c: how far it is when it begins; calls that do not return were
     * noticed, at a TSC, and how often in vain; functions of ntdll and win32u that
     * are to be bent again; when to look for such; a change is under way. */
    uint8_t returns_step;
    bool missed;
    uint64_t missed_at;
    uint32_t missed_in_vain;
    size_t put_back[2];
    uint64_t look_at;
    bool changing;
    bool hidden;   // --follow does not name it
    bool first;    // of the session: its status is ours
    bool refused;  // the agent could not start; `why` says why
    struct err why;
    bool collected;               // tampering.c: what rules did is added up
    bool over;                    // it runs no more: at `over_at`, with `code`
    uint64_t over_at;             // in 100 ns since 1601
    bool ended;                   // ... and that was told
    uint32_t code;                // exit status
    struct handshake *handshake;  // handshake engine only; its server's
};

/* One more for `s`, in its list, with nothing in it; NULL without memory. */
struct traced *traced_open(struct session *s);
/* Its threads are not looked at any more: done before the model is closed. */
void traced_stop(struct traced *t);
/* Out of the list, everything given back: a process that was not let go is
 * ended. */
void traced_close(struct traced *t);

#endif
