/* SPDX-License-Identifier: MIT */
/*
 * journal.c - what the tracer tells of a process, kept in order of time until
 * the threads' records have come so far, and then applied.
 *
 * The records were judged (wire/journal.c): sizes are right, numbers are not
 * believed. Fails for want of memory only.
 */
#include "model/world.h"

#include "base/array.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* More are not kept: threads that do not come on are not waited for so long. */
#define KEPT_MOST 100000

bool journal_keep(struct model_process *p, const struct record_head *r)
{
    struct journal *j = &p->journal;
    struct record_head *kept = malloc(r->size);
    size_t at;

    if (j->begin > 0 && (j->begin > j->room / 2 || j->begin == j->end)) {
        memmove(j->at, j->at + j->begin,
                (j->end - j->begin) * sizeof(j->at[0]));
        j->end -= j->begin;
        j->begin = 0;
    }
    if (j->end - j->begin >= KEPT_MOST) {
        free(kept);
        p->model->counts.dropped++;
        return false;
    }
    if (!kept || !array_grow(&j->at, &j->room, j->end, sizeof(j->at[0]))) {
        free(kept);
        return false;
    }
    memcpy(kept, r, r->size);
    for (at = j->end; at > j->begin && j->at[at - 1]->time > r->time; at--) {
        j->at[at] = j->at[at - 1];
    }
    j->at[at] = kept;
    j->end++;
    p->model->counts.queued += r->size;
    return true;
}

const struct record_head *journal_next(const struct model_process *p)
{
    const struct journal *j = &p->journal;

    return j->begin < j->end ? j->at[j->begin] : NULL;
}

static void drop(struct model_process *p)
{
    struct journal *j = &p->journal;

    p->model->counts.queued -= j->at[j->begin]->size;
    free(j->at[j->begin]);
    j->begin++;
}

void journal_close(struct model_process *p)
{
    while (journal_next(p)) {
        drop(p);
    }
    free(p->journal.at);
    p->journal = (struct journal){ 0 };
}

static void add_handle(struct model_process *p, const struct journal_handle *r)
{
    if (p->handles) {
        handles_add(p->handles, r->value, journal_text(r, 0),
                    journal_text(r, 1), journal_text(r, 2), true, r->access);
    }
}

static void tell_lost(struct model_process *p, const struct journal_lost *r)
{
    struct notice n = { .kind = NOTICE_LOST,
                        .reason = lost_reason(r->why),
                        .count = r->count,
                        .data = r->why == LOST_DATA };

    tell_notice(p->self, &n, r->head.time);
}

static void notice(struct model_process *p, const struct journal_notice *r)
{
    struct notice n = { .kind = (enum notice_kind)r->kind, .reason = STR("") };

    if (n.kind == NOTICE_PATCHES_LOST) {
        n.reason =
            r->module == PATCHED_NTDLL ? STR("ntdll.dll") : STR("win32u.dll");
        n.count = r->count;
    }
    tell_notice(p->self, &n, r->head.time);
}

void journal_step(struct model_process *p)
{
    const struct record_head *r = journal_next(p);
    const void *record = r;
    const struct journal_module *module = record;

    switch ((enum journal_kind)r->kind) {
    case JOURNAL_MODULE:
        process_module_add(p, module->base, module->size,
                           journal_text(record, 0));
        break;
    case JOURNAL_UNMODULE:
        process_module_remove(p,
                              ((const struct journal_unmodule *)record)->base);
        break;
    case JOURNAL_STUBS:
        stubs_tell(p, record);
        break;
    case JOURNAL_HANDLE:
        add_handle(p, record);
        break;
    case JOURNAL_PLACE:
        process_place_add(p, record);
        break;
    case JOURNAL_LOST:
        tell_lost(p, record);
        break;
    case JOURNAL_NOTICE:
        notice(p, record);
        break;
    case JOURNAL_PROCESS:
    case JOURNAL_PROCESS_END:
    case JOURNAL_THREAD_END:
    case JOURNAL_ANSWER:
    case JOURNAL_CLOCK:
    case JOURNAL_END:
        break;
    }
    drop(p);
}
