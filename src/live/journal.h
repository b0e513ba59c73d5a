/* SPDX-License-Identifier: MIT */
/*
 * journal.h - what the tracer knows of a process goes to the model as records
 * of the journal (wire/journal.h), and no other way.
 *
 * `time` is a TSC: of the record that showed it, else of now. A record for
 * which there is no memory is not there: names are missing, nothing else; false
 * says so.
 */
#ifndef LIVE_JOURNAL_H
#define LIVE_JOURNAL_H

#include "base/err.h"
#include "live/traced.h"
#include "platform/target.h"
#include "wire/journal.h"

#include <stdbool.h>
#include <stdint.h>

struct drained;
struct session;

/* Room to build records in, of the session; false without memory. */
bool journal_open(struct session *s, struct err *e);

/* The process itself: t->process, NULL without memory. */
void put_process(struct traced *t, enum model_mode mode, str image,
                 str command);
void put_process_end(struct traced *t, uint64_t time, uint32_t code);
/* A thread of `parent` has started a process: what became of it, where that
 * is not traced, or was late. */
bool put_child(struct traced *parent, uint64_t time,
               const struct journal_child *c, str image, str command);
/* The same of a CHILD_FAILED, and why: words without a full stop. */
bool put_child_failed(struct traced *parent, uint64_t time,
                      const struct journal_child *c, str image, str command,
                      str why);
bool put_module(struct traced *t, uint64_t time, const struct journal_module *m,
                str name, str pdb);
/* Where the file of the image at `base` is. */
void put_file(struct traced *t, uint64_t time, uint64_t base, str path);
void put_unmodule(struct traced *t, uint64_t time, uint64_t base);
/* The system call functions of `m`, and which of them are patched. */
bool put_stubs(struct traced *t, uint64_t time, const struct module *m,
               const struct patched *patched, str name);
void put_handle(struct traced *t, const struct os_handle *h);
void put_place(struct traced *t, uint64_t time, const struct journal_place *p,
               str name);
void put_notice(struct traced *t, uint64_t time, enum notice_kind kind);
void put_patched_again(struct traced *t, uint64_t time,
                       enum model_patched module, uint64_t count);
void put_patches_lost(struct traced *t, uint64_t time,
                      enum model_patched module, uint64_t count);
void put_lost(struct traced *t, uint64_t time, enum model_lost why,
              uint64_t count);
/* What time it is; `c` says. */
bool put_clock(struct session *s, const struct journal_clock *c);

/* Of one thread, behind its records. */
void put_thread_lost(struct drained *d, enum model_lost why, uint64_t count);
void put_thread_end(struct drained *d, uint64_t time);
/* ... of one that has no ring. */
void put_early_end(struct model_thread *thread, uint64_t time, bool known,
                   uint32_t code);
void put_answer(struct model_thread *thread, uint64_t time,
                const struct journal_answer *a);

#endif
