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
/* Bytes of why a process could not be traced. */
#define WHY_MOST 1024

/* Is what it says of the model's world possible? Sizes were judged. */
static bool is_sensible(const struct record_head *r)
{
    const void *record = r;
    const struct journal_module *module = record;
    const struct journal_place *place = record;
    const struct journal_notice *notice = record;
    const struct journal_child *child = record;

    switch (r->kind) {
    case JOURNAL_MODULE:
        return module->size <= UINT64_MAX - module->base &&
               module->name_size > 0;
    case JOURNAL_PLACE:
        return place->kind <= PLACE_UNMAPPED && place->kind != PLACE_MODULE;
    case JOURNAL_NOTICE:
        return ((notice->kind >= NOTICE_CALLBACK_LOST &&
                 notice->kind <= NOTICE_DETACHED) ||
                (notice->kind >= NOTICE_NO_CALLBACK &&
                 notice->kind <= NOTICE_PATCHED_AGAIN)) &&
               notice->module <= PATCHED_WIN32U;
    case JOURNAL_CHILD:
        return child->fate < CHILD_FATES;
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

    if (n.kind == NOTICE_PATCHES_LOST || n.kind == NOTICE_PATCHED_AGAIN) {
        n.reason =
            r->module == PATCHED_NTDLL ? STR("ntdll.dll") : STR("win32u.dll");
        n.count = r->count;
    }
    if (n.kind == NOTICE_NO_CALLBACK || n.kind == NOTICE_CALLBACK_REPLACED) {
        p->unheard = true;
    }
    tell_notice(p->self, &n, r->head.time);
}

static enum process_how how_of(uint8_t how)
{
    return how < PROCESS_HOWS ? (enum process_how)how : PROCESS_CHILD;
}

bool journal_is_start(const struct record_head *r)
{
    enum process_how how = how_of(journal_process_of(r).how);

    return how == PROCESS_CHILD || how == PROCESS_CLONE;
}

/* Of a PROCESS or a CHILD, as long as they can be on Windows. */
static str image_in(const void *record)
{
    return str_slice(journal_text(record, 0), 0, OBJECT_NAME_MAX / 3);
}

static str command_in(const void *record)
{
    return str_slice(journal_text(record, 1), 0, OBJECT_NAME_MAX);
}

static void tell_start(struct model_process *p, const struct record_head *r)
{
    const struct journal_process of = journal_process_of(r);
    struct child_told child = { .pid = of.pid,
                                .how = how_of(of.how),
                                .image = image_in(r),
                                .command = command_in(r),
                                .by_pid = of.parent,
                                .by_tid = of.parent_tid };
    struct notice n = { .kind = NOTICE_STARTED,
                        .reason = STR(""),
                        .child = &child };

    /* Whether a thread of it is known by now would be chance. */
    tell_notice_by(p, 0, &n, r->time);
}

/* Who started it is whose line it is. */
static void tell_child(struct model_process *p, const struct journal_child *r)
{
    struct child_told child = { .pid = r->pid,
                                .how = how_of(r->how),
                                .image = image_in(r),
                                .command = command_in(r),
                                .by_pid = p->pid,
                                .by_tid = r->tid };
    struct notice n = { .kind = NOTICE_UNTRACED,
                        .reason = child_reason(r->fate),
                        .child = &child };

    switch ((enum child_fate)r->fate) {
    case CHILD_UNTRACED:
        return;
    case CHILD_FAILED:
        n.reason = str_slice(journal_text(r, 2), 0, WHY_MOST);
        break;
    case CHILD_LATE:
        n.kind = NOTICE_LATE;
        n.count = r->missed < INT64_MAX / 1000 ? r->missed * 1000 : INT64_MAX;
        break;
    case CHILD_PASSED:
    case CHILD_32BIT:
    case CHILD_FATES:
        break;
    }
    tell_notice_by(p, r->tid, &n, r->head.time);
}

static void tell_module(struct model_process *p, struct module_told m)
{
    m.process = p;
    m.pid = p->pid;
    if (p->model->out.module) {
        p->model->out.module(p->model->out.ctx, &m);
    }
}

/* Of one that is not known nothing is told. */
static void tell_unmodule(struct model_process *p, uint64_t time, uint64_t base)
{
    struct place place = model_place(p, base);

    if (place.kind == PLACE_MODULE && place.base == base) {
        tell_module(p, (struct module_told){ .unmapped = true,
                                             .time = time,
                                             .name = place.name,
                                             .base = base });
    }
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
        process_module_build(p, module->base,
                             &(struct module_build){ module->timestamp,
                                                     module->checksum,
                                                     module->image_size });
        tell_module(p, (struct module_told){ .time = r->time,
                                             .name = journal_text(record, 0),
                                             .base = module->base,
                                             .size = module->size });
        break;
    case JOURNAL_FILE:
        process_module_file(p, ((const struct journal_file *)record)->base,
                            journal_text(record, 0));
        break;
    case JOURNAL_UNMODULE:
        tell_unmodule(p, r->time,
                      ((const struct journal_unmodule *)record)->base);
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
        tell_start(p, record);
        break;
    case JOURNAL_CHILD:
        tell_child(p, record);
        break;
    case JOURNAL_PROCESS_END:
    case JOURNAL_THREAD_END:
    case JOURNAL_ANSWER:
    case JOURNAL_CLOCK:
    case JOURNAL_END:
        break;
    }
    drop(p);
}
