/* SPDX-License-Identifier: MIT */
/*
 * answers.h - what a program did, collected in one pass over what the model
 * tells: what it looked for in vain, what it changed, whom it talked to, what it
 * started, where it waited, what went wrong, and what it did behind ntdll's back.
 *
 * What a call means is said by tables/deeds.def. All that is collected is
 * bounded, whatever was recorded: rows beyond ROWS_MOST of a kind, and names
 * beyond what labels.h keeps, are counted, and said to be missing.
 */
#ifndef REPORT_ANSWERS_H
#define REPORT_ANSWERS_H

#include "decode/decode.h"
#include "model/call.h"
#include "model/clock.h"
#include "model/model.h"
#include "report/labels.h"
#include "report/subject.h"
#include "report/table.h"

#include <stdbool.h>
#include <stdint.h>

#define ROWS_MOST ((size_t)1 << 17)
/* Of one command line, and of all. */
#define COMMAND_MOST ((size_t)32 << 10)
#define COMMANDS_MOST ((size_t)16 << 20)
/* Calls that do not wait by what they are, but took so long. */
#define LONG_NS (INT64_C(10) * 1000000)

/* Names are numbers of labels.h. */

/* When and by whom something happened first. */
struct first {
    uint32_t pid;
    uint32_t tid;
    int64_t ns;       // after the start
    uint32_t call;    // name of the call
    uint32_t caller;  // module and function; LABEL_NONE: not known
};

/* What a process, a, has looked for; b: thing << 8 | enum subject_kind. */
struct sought {
    struct table_key key;
    uint64_t misses;
    uint64_t last_miss;  // in the order of all that was looked for
    uint32_t status;
    uint32_t tail;  // what it is found by elsewhere
    struct first first;
};

/* That a process, a, has found something with the tail b. */
struct found {
    struct table_key key;
    uint64_t last_hit;
    uint32_t thing;
    bool made;  // by that process itself
};

/* Bit 1 << enum deed_kind of what was done to it; a: thing, b: its kind. */
struct changed {
    struct table_key key;
    uint32_t deeds;
    bool gone;  // deleted, or renamed, last
    bool new;   // was not there before
    uint64_t bytes;
    uint64_t times;
    uint32_t to;  // LABEL_NONE: not renamed
    struct first first;
};

/* a: whom it talked with. */
struct peer {
    struct table_key key;
    enum subject_kind kind;
    uint64_t sent;
    uint64_t received;
    uint64_t times;
    uint64_t failed;
    uint32_t status;  // of the last that failed
    uint32_t deeds;   // bits 1 << enum deed_kind
    struct first first;
};

/* a: call << 32 | thing, b: 1: held up by a rule of the user's. */
struct waited {
    struct table_key key;
    bool waits;  // by what the call is for
    uint64_t times;
    uint64_t open;  // of them, without an end
    int64_t ns;
    int64_t most_ns;
    struct first longest;
};

/* With the status, in b of struct wrong: a rule of the user's has said so. */
#define WRONG_INJECTED (UINT64_C(1) << 32)

/* a: call << 32 | thing, b: status. */
struct wrong {
    struct table_key key;
    uint64_t times;
    struct first first;
};

enum behind_kind {
    BEHIND_DIRECT,
    BEHIND_INDIRECT,
    BEHIND_CALLBACK,  // it has taken ours
    BEHIND_PATCHES,   // it has put the functions back
    BEHIND_UNLOCKS,   // made code writable
    BEHIND_REACHES,   // into another process
    BEHIND_KINDS,
};

/* a: kind << 32 | call, b: place, or what was reached. */
struct behind {
    struct table_key key;
    uint64_t times;
    uint64_t bytes;
    struct first first;
};

enum process_end {
    END_NONE,
    END_EXITED,
    END_KILLED,
    END_TERMINATED,
    END_ENDED,
    END_UNTRACED,
};

/* a: the model's number of it; b: 0, or a number of one that is not traced. */
struct process_row {
    struct table_key key;
    uint32_t pid;
    uint32_t parent;  // row; UINT32_MAX: none that is known
    uint32_t by_tid;
    uint32_t image;  // name
    enum process_end end;
    uint32_t code;
    int64_t began;  // ns after the start
    int64_t ended;
    uint64_t calls;
    uint64_t errors;
    int64_t ns;       // spent in calls, but
    int64_t wait_ns;  // in those that wait
    uint64_t threads;
    char *command;  // owned; NULL: not known
    uint32_t command_size;
};

struct answers;

/* `clock` is borrowed. NULL without memory. `stack_of` may be NULL: nobody knows
 * who has asked. */
struct answers *answers_open(decode_stack_of *stack_of, void *stack_ctx);
void answers_close(struct answers *a);  // NULL is fine
/* Before the first event. */
void answers_clock(struct answers *a, const struct clock *clock);

/* What the first process was started with, if it was: it is kept. */
void answers_command(struct answers *a, str command);

/* What it hears. */
struct model_out answers_out(struct answers *a);

/* What came out; as long as `a`. */
struct answers_rows {
    struct labels *names;
    struct table sought;
    struct table found;
    struct table changed;
    struct table peers;
    struct table waited;
    struct table wrong;
    struct table behind;
    struct table processes;
    uint64_t calls;
    uint64_t errors;
    int64_t ns;
    int64_t wait_ns;
    int64_t last_ns;    // the last that was heard of
    uint64_t expected;  // misses of what it had deleted, or renamed, itself
    uint64_t lost;      // records
    uint64_t unnamed;   // calls that would count, of what is not known
    uint64_t injected;  // calls whose result a rule of the user's has made
    uint64_t delayed;   // ... whose thread it held up
};

struct answers_rows *answers_rows(struct answers *a);

/* It was not found, and nothing of that name was later. */
bool answers_missing(const struct answers_rows *r, const struct sought *s);
/* Where it was found in the end; NULL: it was not. */
const struct found *answers_found(const struct answers_rows *r,
                                  const struct sought *s);

#endif
