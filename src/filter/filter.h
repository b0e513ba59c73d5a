/* SPDX-License-Identifier: MIT */
/*
 * filter.h - which calls are to be told: -e, -P, -z, -Z as one compiled test.
 *
 * Expressions come from the user, one after the other, as strace has them:
 *
 *   trace=LIST    LIST: names, *globs?, /regular expressions/i, %classes (of
 *                 tables/classes.h; % may be left out), all, none. !LIST: all
 *                 but these. ?name: no error if there is no such call. trace=
 *                 may be left out. trace=+LIST adds to what was said before.
 *   status=LIST   successful, failed, pending, unfinished, a status by name
 *                 (with or without STATUS_) or a result as a number; all,
 *                 none; !LIST
 *   tid=LIST      thread ids, decimal or 0x...; all, none; !LIST
 *   process=LIST  processes by the files they run, without folders: *globs?,
 *                 whatever their case; .exe may be left out; all, none; !LIST
 *   direct        only calls that did not come through their own stubs;
 *                 !direct: only those that did
 *   transition=LIST
 *                 lines with ---: THREAD_START, APC, EXCEPTION, CALLBACK, RAISE,
 *                 COMPLETION; all, none; !LIST. Unless it is given they are all
 *                 told, or with -P, -z, -Z and status= none: those choose calls.
 *                 COMPLETION is told with its call in any case,
 *                 MODULE and UNMODULE only where they are named.
 *   read=LIST     dump what is read from these handles; all, none; !LIST
 *   write=LIST
 *   inject=...    change calls; fault=... as well (filter/rule.h). Every one
 *                 counts, in their order
 *   raw=LIST      show the arguments of these calls (as in trace=) as bare
 *                 numbers, and copy nothing that they point to
 *
 * A later expression of a kind replaces an earlier one of that kind, as in
 * strace; -z and -Z are status=successful and status=failed. Tests of
 * different kinds, and -P, must all hold; of the items of one list, and of
 * several -P, one suffices.
 *
 * Paths (-P) hold for a call that names the file or key, itself and nothing
 * below it, in its OBJECT_ATTRIBUTES or as the image of a process to be made,
 * or that works on a handle that refers to it. Compared without case, in any
 * of their forms (filter/path.h).
 *
 * Parsing allocates, matching does not. A filter serves one thread at a time:
 * matching remembers what came out for a name, and needs room.
 */
#ifndef FILTER_FILTER_H
#define FILTER_FILTER_H

#include "base/err.h"
#include "base/str.h"
#include "filter/rule.h"
#include "model/call.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct filter;

/* Without anything added it lets all pass. NULL without memory. */
struct filter *filter_open(void);
void filter_close(struct filter *f);  // NULL is fine

/* Names of these calls may stand in expressions as well; borrowed; NULL is
 * fine. */
void filter_know(struct filter *f, const struct call_set *own);

/* Adds one expression. On failure *e says what is wrong, ERR_USAGE (ERR_OS
 * without memory), and the filter is as it was. e->text has three lines: the
 * sentence, the expression behind four blanks (of a long one the part that
 * matters), a caret under the mistake. */
bool filter_add(struct filter *f, str expression, struct err *e);
/* -P: one more path, absolute; errors as above. */
bool filter_add_path(struct filter *f, str path, struct err *e);
/* True if `path` is for filter_add_path as it stands; else it has to be made
 * absolute first. HKLM\x is absolute, and so is HKXX\x, which is refused. */
bool filter_path_is_absolute(str path);
/* -z: only calls that did not fail; -Z: only those that did. The last one of
 * them and of status= counts. */
void filter_successful(struct filter *f);
void filter_failed(struct filter *f);

/* True if calls of this name can pass: they have to be recorded. `facts` may
 * be NULL. */
bool filter_wants_name(const struct filter *f, str name,
                       const struct call_facts *facts);
/* True if some tests need the result: such calls are told when they have
 * returned, and never by halves. */
bool filter_wants_result(const struct filter *f);
/* True if handles and paths are looked at: -P, or a class that is about an
 * object (%network). */
bool filter_wants_paths(const struct filter *f);
/* What is known at the entry of `call` lets it pass. Asked at the entry and
 * again when the call has returned or ended, it says the same: what a handle
 * in an array, or a root, referred to at the entry is what counts. (So ask at
 * the entry, also if only filter_pass is of interest.) */
bool filter_pass_entry(const struct filter *f, const struct call *call);
/* All tests hold; `call` has returned or ended. */
bool filter_pass(const struct filter *f, const struct call *call);
/* The same when filter_pass_entry has held for this call: only the result is
 * looked at. */
bool filter_pass_result(const struct filter *f, const struct call *call);
/* Notices of this thread, of a process that runs `image`, are told. */
bool filter_pass_thread(const struct filter *f, uint32_t tid, str image);
/* Those of this process are. */
bool filter_pass_process(const struct filter *f, str image);
/* The glob, whatever its case, is the file that `path` names: without its
 * folders, with or without .exe. */
bool filter_is_image(str glob, str path);
/* Transitions of this kind in this thread are. */
bool filter_pass_transition(const struct filter *f, uint32_t tid, str image,
                            enum transition kind);
/* The same, in some threads. */
bool filter_pass_transitions(const struct filter *f, enum transition kind);

/* Lines that pending calls are over are told, of calls that were. */
bool filter_pass_completions(const struct filter *f);

/* raw= said that this call's arguments are shown as numbers. */
bool filter_is_raw(const struct filter *f, str name,
                   const struct call_facts *facts);

/* What inject= and fault= said, in that order. */
size_t filter_rule_count(const struct filter *f);
const struct rule *filter_rule_at(const struct filter *f, size_t index);

/* True if `path`, in WTF-8, is what the rule's path= says. */
bool filter_rule_is_about(const struct filter *f, const struct rule *r,
                          str path);

/* True if `module`, a file's name, is what the rule's caller= says. */
bool filter_rule_is_from(const struct rule *r, str module);

/* What read= and write= said. */
struct filter_dumps {
    bool all;                 // all handles but these; else these
    const uint64_t *handles;  // the filter's, until the next filter_add
    size_t count;
};
struct filter_dumps filter_reads(const struct filter *f);
struct filter_dumps filter_writes(const struct filter *f);

#endif
