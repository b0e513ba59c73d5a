/* SPDX-License-Identifier: MIT */
/*
 * model.h - the traced world over time: records in, calls out.
 *
 * Who drives it (a session, or a replay) opens processes and the threads in
 * them, feeds each thread its records in the order they were written, says
 * how far each thread has come, and calls model_run, which tells `model_out`
 * what happened, in order of time. Nothing is told from anywhere else.
 *
 *     model_process_open, model_journal(process): STUBS, MODULE ...
 *     model_thread_open
 *     again and again, for each thread:
 *         b = what the thread announces as "writing since", or now
 *         model_feed(thread, bytes, size, now)    all up to then
 *         model_thread_bound(thread, b)
 *         model_journal(process): what was found out meanwhile
 *     model_run(model, now)
 *     THREAD_END, PROCESS_END; at last model_flush
 *
 * A thread is an instance: its id may come back, the object does not. Times
 * are TSC readings.
 *
 * Records are hostile: sizes, kinds and times are judged before use, and
 * what is wrong with them costs their own thread's records, nothing else.
 * Memory is bounded, whatever comes: queues and captured memory by the
 * configuration, pending calls by a number for each process, handles as
 * handles.h says, all the rest by the numbers below. With those of the default
 * configuration all of it together stays below 500 MiB. When there is no
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

/* At a time, of all processes. What is more is refused, or (calls, names) not
 * kept. */
#define PROCESSES_MOST 512
#define THREADS_MOST 16384
#define OPEN_BYTES_MOST ((size_t)32 << 20)     // calls that are open
#define STUB_BYTES_MOST ((size_t)32 << 20)     // system call functions
#define JOURNAL_BYTES_MOST ((size_t)32 << 20)  // journal, until its time comes
#define TEXT_BYTES_MOST ((size_t)16 << 20)     // names of modules and places
#define ANSWERS_MOST 65536
/* Tables of system call functions in one process. */
#define MAPPED_MOST 256

struct model;
struct model_process;
struct model_thread;
struct record_head;

/* Any of the functions may be NULL: nobody listens to that. */
struct model_out {
    void *ctx;
    /* A call has begun, entry_seen. Sooner or later `leave` tells of it. */
    void (*enter)(void *ctx, const struct call *call);
    /* It has returned, or `ended`. Not after an `enter` if !entry_seen. */
    void (*leave)(void *ctx, const struct call *call);
    void (*transition)(void *ctx, const struct transition_told *t);
    /* A call that had returned STATUS_PENDING is over. */
    void (*completion)(void *ctx, const struct completion_told *c);
    void (*module)(void *ctx, const struct module_told *m);
    void (*notice)(void *ctx, const struct notice *n);
};

/* Hears of everything that the model takes, as it has taken it, in that order:
 * who does the same with another model of the same configuration has it tell
 * the same. Processes and threads are named by a number of their own
 * (model_process_order, model_thread_order). */
struct model_tap {
    void *ctx;
    void (*clock)(void *ctx, const void *record, size_t size);
    void (*process)(void *ctx, uint64_t process, const void *record,
                    size_t size);
    void (*journal)(void *ctx, uint64_t process, const void *record,
                    size_t size);
    void (*thread)(void *ctx, uint64_t process, uint64_t thread, uint32_t tid,
                   uint32_t serial, uint64_t bound);
    /* Whole records, well-formed, in order of time; a JOURNAL_LOST among them
     * where some were not. */
    void (*fed)(void *ctx, uint64_t thread, const void *records, size_t size);
    void (*thread_journal)(void *ctx, uint64_t thread, const void *record,
                           size_t size);
    /* A model_run has told something; before it, each thread's bound that has
     * changed since the last time. */
    void (*bound)(void *ctx, uint64_t thread, uint64_t bound);
    void (*ran)(void *ctx, uint64_t now);
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
    bool no_handles;              // call.handles is NULL, call.objects are
    const struct model_tap *tap;  // borrowed; NULL: nobody listens
};

struct clock;

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
    LOST_DAMAGED,    // counted by the model itself, too
    LOST_NO_MEMORY,  // by the model itself
    LOST_COUNT,
};

/* Why records are missing, in words; of an enum model_lost, or of anything. */
str lost_reason(uint64_t why);
/* Why a process that was started is not traced; of an enum child_fate, or of
 * anything. Empty of one that is. */
str child_reason(uint64_t fate);

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

/* By a PROCESS of wire/journal.h. The model keeps it, until its end was told;
 * NULL without memory, or if it is no such record. */
struct model_process *model_process_open(struct model *m, const void *record,
                                         size_t size);

/* Takes one record of the journal: MODULE, UNMODULE, STUBS, HANDLE, PLACE,
 * LOST, NOTICE and CHILD take effect at their time, before what threads of the
 * process wrote then; CLOCK at once. After PROCESS_END threads not yet ended
 * end without a line of their own, the line of the process comes after all of
 * theirs, and neither `p` nor its threads are to be used again by the caller.
 * False: it is no such record, or there is no memory. */
bool model_journal(struct model_process *p, const void *record, size_t size);

/* A CLOCK, before there is a process: the first one first. False: it is none,
 * or there is no memory. */
bool model_clock_set(struct model *m, const void *record, size_t size);
/* What time it is in what the model tells; as long as the model. */
const struct clock *model_clock(const struct model *m);

/* All of it that was told has happened by then, but for what was late. */
uint64_t model_told(const struct model *m);
/* What the model itself makes of calls of this number: nothing, so that
 * without them it would tell the same of all others; something; or that they
 * have no return of their own. */
enum model_need {
    NEED_NOT,
    NEED_CALL,
    NEED_NO_RETURN,
};
enum model_need model_needs(const struct model *m, uint16_t number);
/* Its function, of the process that has one; NULL: of none. */
const struct stub *model_stub(const struct model *m, uint16_t number);
/* The calls of the thread that have not returned, by their rsp, oldest first,
 * `room` of them at most; how many there are, or UINT32_MAX: not all that it has
 * brought was told yet. */
uint32_t model_thread_open_calls(const struct model_thread *t, uint64_t *rsp,
                                 uint32_t room);
/* The thread has written records up to then that are not needed: as to the order
 * in which others are told they are there. */
void model_thread_passed(struct model_thread *t, uint64_t time);
/* What there is still to tell of: the head of each record that was taken and not
 * told yet, of a thread or of the journal, and of each end that is due; and for
 * each call that is open, or pending, that of an ENTRY with its number. */
void model_waiting(const struct model *m,
                   void (*record)(void *ctx, const struct record_head *head),
                   void *ctx);

/* A module of a process, for who looks into its file. */
struct module_here {
    uint64_t base;
    uint64_t size;
    str name;
    str path;  // NT's; empty: not known
    struct module_build build;
};
/* The one that has `address`, now; false: none has. As model_place. */
bool model_module(const struct model_process *p, uint64_t address,
                  struct module_here *out);

/* What `address` is part of, now, by MODULEs and PLACEs. A name in it lasts
 * until the next record takes effect. */
struct place model_place(const struct model_process *p, uint64_t address);

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

/* Takes a record of the journal for this thread, after the last one fed:
 *   LOST        records are missing here
 *   ANSWER      for the next return that is RECORD_ORPHAN|RECORD_WAITS and not
 *               answered yet, fed already or not
 *   THREAD_END  not before its time; what the thread said to NtTerminateThread
 *               itself goes before the code, and without any it gets no line
 *               of its own. The caller gives `t` up.
 * False: it is none of these, or there is no memory. */
bool model_thread_journal(struct model_thread *t, const void *record,
                          size_t size);

/* --- Checkpoints ------------------------------------------------------ */

/* No checkpoint is larger. */
#define CHECKPOINT_MAX ((size_t)16 << 20)

/* All that the model knows, as bytes: malloc'ed, *size of them; the caller
 * frees. NULL without memory, or if it would be more than CHECKPOINT_MAX. Not
 * from within what `model_out` is told. */
uint8_t *model_save(const struct model *m, size_t *size);
/* Forgets all that it has, telling nothing, and is as the model that was saved
 * was, of any machine: what is told from then on is the same. Its queues take
 * what the other's would have, and may take more. It was opened with the same
 * configuration. False: the bytes, which need not be trusted, are
 * no such thing, or there is no memory; then the model is empty. Pointers to
 * what it had are void either way. */
bool model_load(struct model *m, const void *bytes, size_t size);

/* How many threads and processes there were before it: what tells a process, a
 * thread from all others of one model, in one that was loaded as well. */
uint64_t model_process_order(const struct model_process *p);
uint64_t model_thread_order(const struct model_thread *t);
/* The next one, the newest for NULL; NULL: there are no more. */
struct model_process *model_process_after(struct model *m,
                                          const struct model_process *p);
struct model_thread *model_thread_after(struct model *m,
                                        const struct model_thread *t);
/* The process that it is one of. */
struct model_process *model_thread_process(const struct model_thread *t);

/* Tells `enter` once more of each call that is open, in the order in which they
 * began; for who was not there when they did. False without memory. */
bool model_tell_open(struct model *m);

#endif
