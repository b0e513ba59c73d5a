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

/* Is what it says of the model's world possible? Sizes were judged. */
static bool is_sensible(const struct record_head *r)
{
    const void *record = r;
    const struct journal_module *module = record;
    const struct journal_place *place = record;
    const struct journal_notice *notice = record;

    switch (r->kind) {
    case JOURNAL_MODULE:
        return module->size <= UINT64_MAX - module->base &&
               module->name_size > 0;
    case JOURNAL_PLACE:
        return place->kind <= PLACE_UNMAPPED && place->kind != PLACE_MODULE;
    case JOURNAL_NOTICE:
        return notice->kind >= NOTICE_CALLBACK_LOST &&
               notice->kind <= NOTICE_DETACHED &&
               notice->module <= PATCHED_WIN32U;
    default:
        return true;
    }
}

struct record_head *journal_copy(const void *record, size_t size)
{
    struct record_head *r = NULL;

    if (size >= RECORD_HEAD_SIZE && size <= JOURNAL_MAX) {
        r = malloc(size);
    }
    if (!r) {
        return NULL;
    }
    memcpy(r, record, size);
    if (!journal_judge(r, size) || !is_sensible(r)) {
        free(r);
        return NULL;
    }
    return r;
}

static bool is_before(const struct kept *a, const struct kept *b)
{
    return a->time != b->time ? a->time < b->time : a->order < b->order;
}

/* Finds a place for `kept` from `at` upwards. */
static void sift_up(struct journal *j, size_t at, struct kept kept)
{
    while (at > 0 && is_before(&kept, &j->at[(at - 1) / 2])) {
        j->at[at] = j->at[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    j->at[at] = kept;
}

/* The same from the top downwards. */
static void sift_down(struct journal *j, struct kept kept)
{
    size_t at = 0;

    for (size_t child = 1; child < j->count; child = 2 * at + 1) {
        if (child + 1 < j->count &&
            is_before(&j->at[child + 1], &j->at[child])) {
            child++;
        }
        if (!is_before(&j->at[child], &kept)) {
            break;
        }
        j->at[at] = j->at[child];
        at = child;
    }
    j->at[at] = kept;
}

bool journal_keep(struct model_process *p, const struct record_head *r)
{
    struct journal *j = &p->journal;
    struct model *m = p->model;
    struct record_head *kept;

    if (j->count >= KEPT_MOST ||
        m->journal_bytes + r->size > JOURNAL_BYTES_MOST) {
        m->counts.dropped++;
        return false;
    }
    kept = malloc(r->size);
    if (!kept || !array_grow(&j->at, &j->room, j->count, sizeof(j->at[0]))) {
        free(kept);
        return false;
    }
    memcpy(kept, r, r->size);
    j->count++;
    sift_up(j, j->count - 1, (struct kept){ r->time, j->taken++, kept });
    m->counts.queued += r->size;
    m->journal_bytes += r->size;
    return true;
}

const struct record_head *journal_next(const struct model_process *p)
{
    return p->journal.count > 0 ? p->journal.at[0].record : NULL;
}

static void drop(struct model_process *p)
{
    struct journal *j = &p->journal;
    struct record_head *gone = j->at[0].record;

    p->model->counts.queued -= gone->size;
    p->model->journal_bytes -= gone->size;
    j->count--;
    if (j->count > 0) {
        sift_down(j, j->at[j->count]);
    }
    free(gone);
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
