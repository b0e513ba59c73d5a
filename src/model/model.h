/* SPDX-License-Identifier: MIT */
/*
 * model.h - the traced world over time: records in, calls out.
 *
 * Who drives it (a session, or a replay) opens processes and the threads in
 * them, feeds each thread its records in the order they were written, says
 * how far each thread has come, and calls model_run, which tells `model_out`
 * what happened, in order of time. Nothing is told from anywhere else.
 *
 *     model_process_open, model_stub_add ..., model_module_add ...
 *     model_thread_open
 *     again and again, for each thread:
 *         b = what the thread announces as "writing since", or now
 *         model_feed(thread, bytes, size, now)    all up to then
 *         model_thread_bound(thread, b)
 *     model_run(model, now)
 *     model_thread_end, model_process_end, at last model_flush
 *
 * A thread is an instance: its id may come back, the object does not. Times
 * are TSC readings.
 *
 * Records are hostile: sizes, kinds and times are judged before use, and
 * what is wrong with them costs their own thread's records, nothing else.
 * Memory is bounded: queues and captured memory by the configuration, open
 * calls by OPEN_MAX a thread, handles as handles.h says. When there is no
 * memory, what could not be kept is counted as lost.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "base/err.h"
#include "base/str.h"
#include "model/call.h"
#include "model/place.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most calls of one thread that can be open at a time; at one more, the
 * oldest is told to have ended. */
#define OPEN_MAX 4096

struct model;
struct model_process;
struct model_thread;

struct model_out {
    void *ctx;
    /* A call has begun, entry_seen. Sooner or later `leave` tells of it. */
    void (*enter)(void *ctx, const struct call *call);
    /* It has returned, or `ended`. Not after an `enter` if !entry_seen. */
    void (*leave)(void *ctx, const struct call *call);
    void (*transition)(void *ctx, const struct transition_told *t);
    void (*notice)(void *ctx, const struct notice *n);
    /* What `address` is part of, outside all known modules; false if that is
     * not known. May be NULL. A name in `*out` must last until the next call
     * of this function. */
    bool (*describe)(void *ctx, struct model_process *p, uint64_t address,
                     struct place *out);
};

/* Zeros mean the defaults. */
struct model_config {
    struct call_system system;  // that the targets run on
    uint64_t hold;              // TSC ticks; default 300 million
    size_t queue_bytes;         // for one thread; default 4 MiB
    size_t queue_total;         // for all; default 32 MiB
    /* What calls' arguments pointed to, waiting for its record or kept for an
     * open call, of all threads; default 16 MiB. What goes beyond it is not
     * kept, and counted. */
    size_t memory_total;
    bool no_handles;  // call.handles is NULL, call.objects are
};

/* How the calls of a process are witnessed. */
enum model_mode {
    MODE_PATCHED,  // entries, and returns
    MODE_RETURNS,  // returns alone, named after where they return to
    MODE_ASKED,    // returns alone, each with an answer that names it
};

/* The modules whose stubs are patched. */
enum model_patched {
    PATCHED_NTDLL,
    PATCHED_WIN32U
};

enum model_lost {
    LOST_FULL,
    LOST_DATA,  // pieces of memory, as LOST_FULL; no records of calls
    LOST_INSIDE,
    LOST_NO_TRACER,
    LOST_NO_RING,
    LOST_DAMAGED,    // counted by the model itself
    LOST_NO_MEMORY,  // by the model itself
    LOST_COUNT,
};

struct model_counts {
    uint64_t records;
    uint64_t calls;
    uint64_t late;        // records told of out of order
    uint64_t bad_times;   // records whose time was impossible; corrected
    uint64_t damaged;     // chunks dropped because of what they hold
    uint64_t dropped;     // open calls given up at OPEN_MAX
    uint64_t unanswered;  // orphans told of before their answer came
    uint64_t orphans;     // DIRECT and INDIRECT calls
    uint64_t data_lost;   // pieces of memory not kept, beyond memory_total
    size_t queued;        // bytes in all queues
    size_t memory;        // bytes of such pieces held just now
};

/* NULL on failure. `out` is copied. */
struct model *model_open(const struct model_config *config,
                         const struct model_out *out, struct err *e);
/* Gives everything back, telling nothing. NULL is fine. */
void model_close(struct model *m);

/* Tells all that is certain to be in order, `now` being the present TSC.
 * Threads whose bound is more than `hold` behind `now` are passed over; what
 * they bring later is told late. Returns the number of records used up. */
size_t model_run(struct model *m, uint64_t now);
/* Tells everything that is left, waiting for nobody. */
size_t model_flush(struct model *m);

struct model_counts model_counts(const struct model *m);

/* --- Processes -------------------------------------------------------- */

/* The model keeps it; NULL without memory. */
struct model_process *model_process_open(struct model *m, uint32_t pid,
                                         enum model_mode mode);

/* A system call function; `name` and `module` are copied. A second one at the
 * same address replaces what is known of it. False without memory. */
bool model_stub_add(struct model_process *p, uint64_t address, uint16_t number,
                    str name, str module, bool patched);
/* The stub at `address` is not patched any more: its calls have returns and no
 * entries. False: there is none, or it was not patched. */
bool model_stub_unpatched(struct model_process *p, uint64_t address);
/* NULL if there is none. By address: of any byte in it. */
const struct stub *model_stub_by_number(const struct model_process *p,
                                        uint16_t number);
const struct stub *model_stub_by_address(const struct model_process *p,
                                         uint64_t address);

/* An image; `name` is its file's name without folders, copied, and cut at
 * 1,024 bytes. What it covers of older ones is forgotten. While another one of
 * the same name is there, places in it are `second`: to the end. */
bool model_module_add(struct model_process *p, uint64_t base, uint64_t size,
                      str name);
/* Of the module that begins at `base`, if there is one. */
void model_module_remove(struct model_process *p, uint64_t base);
/* What `address` is part of, by modules, else by `describe`. */
struct place model_place(struct model_process *p, uint64_t address);
/* ... by modules alone. */
struct place model_place_known(const struct model_process *p, uint64_t address);

/* The handles of the process, to add those that were there before it was
 * traced: handles_add. NULL: none are kept. */
struct handles *model_process_handles(struct model_process *p);

/* The image that the process runs, a path or a file's name, copied; the
 * process is called by it in other processes. False without memory. */
bool model_process_image(struct model_process *p, str image);

/* Tells one of enum notice_kind at time `at`, in order. */
void model_notice(struct model_process *p, enum notice_kind kind, uint64_t at);
/* Somebody has written over what we had put into `count` stubs of `module`:
 * NOTICE_PATCHES_LOST, at time `at`. */
void model_patches_lost(struct model_process *p, enum model_patched module,
                        uint64_t count, uint64_t at);
/* The process lost `count` records that belong to no known thread. */
void model_lost(struct model_process *p, enum model_lost why, uint64_t count,
                uint64_t at);

/* The process has ended with `code`. Threads not yet ended end without a
 * line of their own. The line of the process comes after all of theirs.
 * Neither `p` nor its threads are to be used again by the caller. */
void model_process_end(struct model_process *p, uint32_t code, uint64_t at);

/* --- Threads ---------------------------------------------------------- */

/* A thread that writes nothing older than `bound`. NULL without memory. */
struct model_thread *model_thread_open(struct model_process *p, uint32_t tid,
                                       uint32_t serial, uint64_t bound);

/* Takes whole records from `bytes`, copying them, and returns how many bytes
 * were taken: less than `size` when the queue is full. None of them is
 * younger than `now`, a TSC reading made after they were there (UINT64_MAX:
 * unknown). At something that is no record the rest is dropped, counted, and
 * taken. A chunk must end where a record ends. */
size_t model_feed(struct model_thread *t, const void *bytes, size_t size,
                  uint64_t now);

/* The thread will bring no record older than `tsc`. Never goes back. */
void model_thread_bound(struct model_thread *t, uint64_t tsc);

/* `count` records are missing here, after the last one fed. */
void model_thread_lost(struct model_thread *t, enum model_lost why,
                       uint64_t count);

/* What was found out about a return that no entry explains. */
struct orphan_answer {
    bool number_known;  // else nothing could be found out but the places
    uint16_t number;
    uint64_t argument;    // the first one; with number_known
    uint32_t more_count;  // stack arguments, from [rsp+28h] at the return
    uint64_t more[RECORD_MORE_MAX];
    struct place at;      // where it returned to; UNKNOWN: not looked
    struct place caller;  // INDIRECT: who called; names are copied
};

/* Answers the next return of this thread that is RECORD_ORPHAN|RECORD_WAITS
 * and not answered yet, fed already or not. False without memory. */
bool model_orphan_answer(struct model_thread *t,
                         const struct orphan_answer *answer);

/* The thread has ended with `code`, after its last record and not before
 * `at`. What it said to NtTerminateThread itself goes before `code`. The
 * caller gives `t` up. */
void model_thread_end(struct model_thread *t, uint32_t code, uint64_t at);
/* The same, but nobody could be asked for its code: it gets no line of its
 * own, unless it said the code itself. */
void model_thread_gone(struct model_thread *t, uint64_t at);

#endif
