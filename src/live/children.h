/* SPDX-License-Identifier: MIT */
/*
 * children.h - processes that a traced one makes (-f).
 *
 * At the return of the call that has made one its thread waits for us, and the
 * new process has not run: we get into it as at a launch, and then the thread
 * goes on. Clones are looked at in any case, also without -f: what of us is in
 * them is put back (docs/decisions/0028-children.md).
 */
#ifndef LIVE_CHILDREN_H
#define LIVE_CHILDREN_H

#include "live/traced.h"
#include "wire/journal.h"
#include "wire/record.h"

#include <stdbool.h>

/* A call that makes a process is being entered: `record` is its ENTRY, whole
 * and well-formed. */
void children_entry(struct traced *t, struct drained *d, const uint8_t *record);
/* True if `r` is the return of one. */
bool children_is_return(const struct drained *d, const struct record_return *r);
/* It has returned, and its thread waits: does what is to be done. */
void children_return(struct traced *t, struct drained *d,
                     const struct record_return *r);
/* A call of the program's own has returned, `a` says which, and its thread
 * waits: if it has made a process, does what is to be done, and counts it. */
void children_orphan(struct traced *t, struct drained *d,
                     const struct record_return *r,
                     const struct journal_answer *a);
/* Those that have begun, and could not be joined yet, are, if they can be by now;
 * `last`: in any case. */
void children_late(struct traced *t, bool last);
/* They are left alone. */
void children_forget(struct traced *t);
/* It has returned, and was taken: counts it. */
void children_seen(struct traced *t, struct drained *d,
                   const struct record_return *r);

#endif
