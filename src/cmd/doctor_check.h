/* SPDX-License-Identifier: MIT */
/*
 * doctor_check.h - one check: begin, compare, say what was seen, end.
 *
 *     check_begin(d, "group/name", RELIED_ON);
 *     check_same(d, got, want);
 *     check_hex(d, "status", got);
 *     check_end(d);
 *
 * prints one line. A check is `ok` if every comparison held, `cannot tell`
 * after check_unknown, else `differs`. Under NTSTRACE_DOCTOR_SPOIL=name (or
 * `all`) the expectations of that check are turned round: for testing that
 * it can fail.
 */
#ifndef CMD_DOCTOR_CHECK_H
#define CMD_DOCTOR_CHECK_H

#include "base/arena.h"
#include "base/err.h"
#include "platform/target.h"

#include <stdbool.h>
#include <stdint.h>

/* The environment variable that names a group to a copy of this process. */
#define DOCTOR_GROUP "NTSTRACE_DOCTOR_GROUP"

enum relied {
    NOT_RELIED_ON,  // good to know; ntstrace copes either way
    RELIED_ON,
};

/* What came out, in a form that fits an exit status. */
struct doctor_sum {
    uint32_t ok;
    uint32_t differs;  // relied on
    uint32_t noted;    // differs or cannot tell, not relied on
    uint32_t unknown;  // relied on, but cannot tell
};

struct doctor {
    struct arena *arena;
    struct os_file out;
    bool wine;
    char spoil[64];
    struct doctor_sum sum;
    bool failed;  // to print; `why` says why
    struct err why;

    /* The check at hand. */
    const char *name;
    enum relied relied;
    bool spoiled;
    bool holds;
    bool unknown;
    char room[600];
    struct buf text;
};

void check_begin(struct doctor *d, const char *name, enum relied relied);
void check_same(struct doctor *d, uint64_t got, uint64_t want);
void check_that(struct doctor *d, bool holds);
/* The experiment could not be made: `why`. */
void check_unknown(struct doctor *d, const char *why);
/* Evidence. */
PRINTF_LIKE(2, 3)
void check_say(struct doctor *d, const char *fmt, ...);
void check_hex(struct doctor *d, const char *what, uint64_t value);
void check_end(struct doctor *d);
/* Prints it; a failure is kept in `d`. */
void check_print(struct doctor *d, str line);

/* The groups. */
void doctor_stubs(struct doctor *d);     // doctor_stubs.c
void doctor_callback(struct doctor *d);  // doctor_callback.c: own process
void doctor_guarded(struct doctor *d);   // ... one with control flow guard
void doctor_threads(struct doctor *d);   // doctor_system.c
void doctor_memory(struct doctor *d);
void doctor_processor(struct doctor *d);
void doctor_trees(struct doctor *d);  // doctor_trees.c: own process
void doctor_join(struct doctor *d);   // ... own process
void doctor_clone(struct doctor *d);  // ... own process; it may be copied
void doctor_sleep(struct doctor *d);  // checks nothing: is joined by another

/* ntdll's system call function `name` in our own process, where security
 * software may have been. */
struct doctor_stub {
    uint64_t at;             // 0: there is none
    uint64_t after_syscall;  // where its call comes back to
    uint64_t after_int;      // ... from int 2Eh
    bool clean;              // the bytes are a stub's
    uint32_t number;         // if clean
};
struct doctor_stub doctor_stub(const char *name);

/* A copy of ourselves, suspended before its first instruction, and its ntdll,
 * as a target has them. Both closed by os_process_close. False: *e says why. */
bool doctor_launch(struct os_process *p, uint64_t *start, uint64_t *ntdll,
                   struct err *e);

#endif
