/* SPDX-License-Identifier: MIT */
/*
 * model.c - many threads' records, merged by time.
 *
 * Threads that have something to tell stand in a heap, by the time of their
 * next event, ties by who was opened first. What stands at the top is told
 * if no other thread can still bring something older: those with nothing in
 * their queues have promised (`bound`) what they will not bring.
 *
 * A thread may stay behind, because it is stopped between reading the clock
 * and publishing. After `hold` nobody waits for it any longer; what it brings
 * then is told at once, as late. The same patience applies to an orphan whose
 * answer does not come.
 */
#include "model/model.h"

#include "model/world.h"

#include "base/array.h"
#include "tables/roles.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define STATUS_STACK_BUFFER_OVERRUN 0xc0000409

#define HOLD 300000000
#define QUEUE_BYTES ((size_t)4 << 20)
#define QUEUE_TOTAL ((size_t)32 << 20)
#define MEMORY_TOTAL ((size_t)16 << 20)

static void thread_close(struct model_thread *t);
static void process_close(struct model_process *p);
static void process_end(struct model_process *p);

struct model *model_open(const struct model_config *config,
                         const struct model_out *out, struct err *e)
{
    struct model *m = calloc(1, sizeof(*m));

    if (m) {
        m->text = malloc(OBJECT_NAME_MAX);
    }
    if (!m || !m->text) {
        free(m);
        err_set(e, ERR_OS, "no memory for the model");
        return NULL;
    }
    m->config = *config;
    m->out = *out;
    if (m->config.hold == 0) {
        m->config.hold = HOLD;
    }
    if (m->config.queue_bytes == 0) {
        m->config.queue_bytes = QUEUE_BYTES;
    }
    if (m->config.queue_total == 0) {
        m->config.queue_total = QUEUE_TOTAL;
    }
    if (m->config.memory_total == 0) {
        m->config.memory_total = MEMORY_TOTAL;
    }
    return m;
}

void model_forget(struct model *m)
{
    struct model empty = { .config = m->config, .out = m->out };

    while (m->threads) {
        thread_close(m->threads);
    }
    while (m->processes) {
        struct model_process *p = m->processes;

        m->processes = p->next;
        process_close(p);
    }
    empty.heap = m->heap;
    empty.heap_room = m->heap_room;
    empty.waiting = m->waiting;
    empty.waiting_room = m->waiting_room;
    empty.text = m->text;
    *m = empty;
}

void model_close(struct model *m)
{
    if (!m) {
        return;
    }
    model_forget(m);
    free(m->heap);
    free(m->waiting);
    free(m->text);
    free(m);
}

struct model_counts model_counts(const struct model *m)
{
    struct model_counts counts = m->counts;

    counts.memory = m->memory;
    return counts;
}

/* --- Ends -------------------------------------------------------------- */

/* The process is over once all its threads are: then its own end is due. */
static void end_process_if_due(struct model_process *p)
{
    if (p->ending && p->open_threads == 0 && !p->self->ended) {
        p->self->ended = true;
        p->self->end_at =
            p->end_at > p->model->told ? p->end_at : p->model->told;
        announce(p->self);
    }
}

static bool is_to_blame(const struct blame *blame, uint32_t code)
{
    return blame->any && blame->code == code;
}

static void tell_process_end(struct model_process *p, uint64_t time)
{
    struct notice n = { .code = p->end_code, .reason = STR("") };
    uint32_t main_tid = p->main_tid;

    if (p->fault_known && p->fault == p->end_code) {
        n.kind = NOTICE_KILLED;
    } else if (is_to_blame(&p->own_end, p->end_code)) {
        n.kind = NOTICE_EXITED;
    } else if (is_to_blame(&p->foreign_end, p->end_code)) {
        n.kind = NOTICE_TERMINATED;
    } else if (p->end_code == STATUS_STACK_BUFFER_OVERRUN) {
        /* A fast fail (int 29h) shows the program nothing: no exception, no
         * call. The status is the kernel's. */
        n.kind = NOTICE_KILLED;
    } else {
        n.kind = NOTICE_ENDED;
    }
    if (p->end_tid != 0) {
        p->main_tid = p->end_tid;
    }
    tell_notice(p->self, &n, time);
    p->main_tid = main_tid;
}

/* The last event of `t`; a thread is closed by it. */
static void step_end(struct model_thread *t, uint64_t time, bool late)
{
    struct model_process *p = t->process;
    struct notice n = { .code = t->end_code, .reason = STR("") };

    if (t->is_self) {
        t->ended = false;
        tell_process_end(p, time);
        return;
    }
    pair_end(t, time, late);
    if (t->own_end.any) {
        n.kind = NOTICE_THREAD_EXITED;
        n.code = t->own_end.code;
    } else if (is_to_blame(&t->foreign_end, t->end_code)) {
        n.kind = NOTICE_THREAD_TERMINATED;
    } else {
        n.kind = NOTICE_THREAD_ENDED;
    }
    if (!t->end_silent && (t->end_known || t->own_end.any)) {
        tell_notice(t, &n, time);
    }
    if (t->own_end.any && p->open_threads == 1 && !p->own_end.any) {
        /* It was the last one: its own end was the process's. */
        p->own_end = t->own_end;
    }
    p->open_threads--;
}

/* It is over: all of it is given back. Others may be about to close handles of
 * it. */
static void end_process(struct model_process *p)
{
    struct model *m = p->model;
    struct model_process **link = &m->processes;

    for (struct model_thread *t = m->threads; t; t = t->next) {
        for (size_t i = 0; i < t->open_count; i++) {
            if (t->open[i].source == p) {
                t->open[i].source = NULL;
            }
        }
    }
    while (*link != p) {
        link = &(*link)->next;
    }
    *link = p->next;
    process_end(p);
}

static void take_answer(struct model_thread *t)
{
    struct answer *answer = t->answers;

    t->answers = answer->next;
    if (!t->answers) {
        t->answers_end = &t->answers;
    }
    t->model->answers--;
    free(answer);
}

/* Tells the next event of `t`; false if an answer must come first. A thread
 * whose end was told is closed, and *closed set. */
/* What the tracer tells of a process. */
static void step_journal(struct model_thread *self, bool late)
{
    struct model *m = self->model;
    uint64_t time = self->key;

    m->told = late ? m->told : time;
    journal_step(self->process);
}

static bool step(struct model_thread *t, bool patient, bool *closed)
{
    struct model *m = t->model;
    uint64_t time = t->key;
    bool late = time < m->told;
    struct event e;
    struct notice n = { .reason = STR("") };

    if (!has_record(t)) {
        struct model_process *p = t->process;

        heap_remove(m, t);
        m->told = late ? m->told : time;
        step_end(t, time, late);
        *closed = true;
        if (t->is_self) {
            end_process(p);
        } else {
            thread_close(t);
            end_process_if_due(p);
        }
        return true;
    }
    if (t->is_self) {
        step_journal(t, late);
        return true;
    }
    e = queue_head(&t->queue);
    switch (e.kind) {
    case RECORD_ENTRY:
        pair_entry(t, &e, late);
        break;
    case RECORD_RETURN:
        if ((e.flags & (RECORD_ORPHAN | RECORD_WAITS)) !=
            (RECORD_ORPHAN | RECORD_WAITS)) {
            pair_return(t, &e, late, NULL);
        } else if (t->answers) {
            pair_return(t, &e, late, &t->answers->told);
            take_answer(t);
        } else if (patient &&
                   (m->now < e.time || m->now - e.time <= m->config.hold)) {
            return false;
        } else {
            t->answers_owed++;
            m->counts.unanswered++;
            pair_return(t, &e, late, NULL);
        }
        break;
    case RECORD_TRANSITION:
        pair_transition(t, &e, late);
        break;
    case RECORD_DATA:
        pair_data(t, &e);
        break;
    case RECORD_COMPLETION:
        pair_completion(t, &e, late);
        break;
    case JOURNAL_LOST:
        pair_lost(t);
        n.kind = NOTICE_LOST;
        n.count = u64_at(e.bytes + offsetof(struct journal_lost, count));
        n.reason =
            lost_reason(u32_at(e.bytes + offsetof(struct journal_lost, why)));
        n.data =
            u32_at(e.bytes + offsetof(struct journal_lost, why)) == LOST_DATA;
        tell_notice(t, &n, time);
        break;
    default:
        break;
    }
    m->counts.records += e.kind < JOURNAL_PROCESS;
    /* What goes with a record is late only if that is. */
    m->counts.late += late && e.kind != RECORD_DATA && e.kind != RECORD_PAD;
    m->told = late ? m->told : time;
    queue_drop(t, e.size);
    return true;
}

/* --- The merge -------------------------------------------------------- */

/* It has been behind for too long: nobody waits for it. */
static bool is_passed_over(const struct model_thread *t)
{
    const struct model *m = t->model;

    return m->now > t->bound && m->now - t->bound > m->config.hold;
}

/* Nothing older than this can still come from those with empty queues. */
static uint64_t settled(struct model *m)
{
    const struct model_thread *first = wait_first(m, is_passed_over);

    return first ? first->bound : UINT64_MAX;
}

/* What has to be known of a run to do it again, if it has told anything. */
static void tap_run(struct model *m)
{
    const struct model_tap *tap = m->config.tap;

    for (struct model_thread *t = m->threads; t; t = t->next) {
        if (t->bound != t->bound_tapped && !t->ended) {
            tap->bound(tap->ctx, t->order, t->bound);
            t->bound_tapped = t->bound;
        }
    }
    tap->ran(tap->ctx, m->now);
}

static size_t run(struct model *m, bool patient)
{
    uint64_t records = m->counts.records;
    uint64_t until = patient ? settled(m) : UINT64_MAX;
    bool blocked = false;

    while (m->heap_count > 0 && !blocked && m->heap[0]->key <= until) {
        struct model_thread *t = m->heap[0];
        struct model_thread *rival = NULL;
        bool closed = false;

        for (size_t i = 1; i < m->heap_count && i <= 2; i++) {
            if (!rival || heap_before(m->heap[i], rival)) {
                rival = m->heap[i];
            }
        }
        do {
            blocked = !step(t, patient, &closed);
            m->steps += !blocked;
            if (closed || blocked || !has_event(t)) {
                break;
            }
            heap_set_key(t);
        } while (t->key <= until && (!rival || heap_before(t, rival)));
        if (closed) {
            continue;
        }
        if (has_event(t)) {
            heap_sift_down(m, 0);
            continue;
        }
        heap_remove(m, t);
        if (t->is_self) {
            continue;
        }
        wait_for(t);
        if (patient && t->bound < until && !is_passed_over(t)) {
            until = t->bound;
        }
    }
    return (size_t)(m->counts.records - records);
}

size_t model_run(struct model *m, uint64_t now)
{
    uint64_t steps = m->steps;
    size_t records;

    /* Who is not waited for is not waited for later. */
    m->now = now > m->now ? now : m->now;
    records = run(m, true);
    if (m->config.tap && m->steps != steps) {
        tap_run(m);
    }
    return records;
}

size_t model_flush(struct model *m)
{
    return run(m, false);
}

/* --- Processes and threads -------------------------------------------- */

struct model_process *process_make(struct model *m)
{
    struct model_process *p = NULL;

    if (m->process_count < PROCESSES_MOST) {
        p = calloc(1, sizeof(*p));
    }
    if (!p) {
        return NULL;
    }
    p->self = calloc(1, sizeof(*p->self));
    if (!m->config.no_handles) {
        p->handles = handles_open(m);
    }
    if (!p->self || (!p->handles && !m->config.no_handles) ||
        !heap_reserve(m)) {
        handles_close(p->handles);
        free(p->self);
        free(p);
        return NULL;
    }
    p->model = m;
    p->self->model = m;
    p->self->process = p;
    p->self->is_self = true;
    p->self->answers_end = &p->self->answers;
    m->process_count++;
    return p;
}

/* It is in no list any more. */
static void process_end(struct model_process *p)
{
    p->model->members--;
    p->model->process_count--;
    process_close(p);
}

static struct model_process *process_open(struct model *m,
                                          const struct journal_process *r)
{
    struct model_process *p = r->mode <= MODE_ASKED ? process_make(m) : NULL;

    if (!p) {
        return NULL;
    }
    if (!process_set_image(p, journal_text(r, 0))) {
        process_end(p);
        return NULL;
    }
    p->pid = r->pid;
    p->mode = (enum model_mode)r->mode;
    p->width = r->width == 4 ? NT_32 : NT_64;
    p->self->order = m->thread_order++;
    p->next = m->processes;
    m->processes = p;
    if (journal_is_start(&r->head)) {
        /* Without memory it begins without a line. */
        journal_keep(p, &r->head);
        announce(p->self);
    }
    return p;
}

static void process_close(struct model_process *p)
{
    stubs_close(p);
    process_names_drop(p);
    free(p->modules);
    pending_close(p);
    handles_close(p->handles);
    journal_close(p);
    queue_close(p->self);
    free(p->self);
    free(p);
}

struct model_process *model_process_open(struct model *m, const void *record,
                                         size_t size)
{
    struct record_head *r = journal_copy(record, size);
    struct model_process *p = NULL;

    if (r && r->kind == JOURNAL_PROCESS) {
        p = process_open(m, (const void *)r);
    }
    if (p && m->config.tap) {
        m->config.tap->process(m->config.tap->ctx, p->self->order, record,
                               size);
    }
    free(r);
    return p;
}

static void end_thread(struct model_thread *t, bool known, uint32_t code,
                       uint64_t at)
{
    if (known) {
        t->end_known = true;
        t->end_code = code;
    }
    t->ended = true;
    t->end_at = at;
    announce(t);
}

static void take_end(struct model_process *p,
                     const struct journal_process_end *r)
{
    p->ending = true;
    p->end_code = r->code;
    p->end_at = r->head.time;
    for (struct model_thread *t = p->model->threads; t; t = t->next) {
        if (t->process == p && !t->ended) {
            t->end_silent = true;
            end_thread(t, true, r->code, r->head.time);
        }
    }
    end_process_if_due(p);
}

bool model_journal(struct model_process *p, const void *record, size_t size)
{
    const struct model_tap *tap = p->model->config.tap;
    struct record_head *r = journal_copy(record, size);
    const void *whole = r;
    bool ok = true;

    if (!r) {
        return false;
    }
    switch ((enum journal_kind)r->kind) {
    case JOURNAL_PROCESS_END:
        take_end(p, whole);
        break;
    case JOURNAL_MODULE:
    case JOURNAL_UNMODULE:
    case JOURNAL_STUBS:
    case JOURNAL_HANDLE:
    case JOURNAL_PLACE:
    case JOURNAL_LOST:
    case JOURNAL_NOTICE:
    case JOURNAL_CHILD:
    case JOURNAL_FILE:
        ok = journal_keep(p, r);
        announce(p->self);
        break;
    case JOURNAL_CLOCK:
        clock_take(&p->model->clock, whole);
        break;
    case JOURNAL_PROCESS:
    case JOURNAL_THREAD_END:
    case JOURNAL_ANSWER:
    case JOURNAL_END:
        ok = false;
        break;
    }
    if (ok && tap) {
        tap->journal(tap->ctx, p->self->order, record, size);
    }
    free(r);
    return ok;
}

bool model_clock_set(struct model *m, const void *record, size_t size)
{
    struct record_head *r = journal_copy(record, size);
    const void *whole = r;
    bool ok = r && r->kind == JOURNAL_CLOCK;

    if (ok) {
        clock_take(&m->clock, whole);
    }
    if (ok && m->config.tap) {
        m->config.tap->clock(m->config.tap->ctx, record, size);
    }
    free(r);
    return ok;
}

const struct clock *model_clock(const struct model *m)
{
    return &m->clock;
}

struct model_thread *thread_make(struct model_process *p)
{
    struct model *m = p->model;
    struct model_thread *t = NULL;

    if (m->members - m->process_count < THREADS_MOST) {
        t = calloc(1, sizeof(*t));
    }
    if (!t || !heap_reserve(m)) {
        free(t);
        return NULL;
    }
    t->model = m;
    t->process = p;
    t->answers_end = &t->answers;
    p->open_threads++;
    return t;
}

struct model_thread *model_thread_open(struct model_process *p, uint32_t tid,
                                       uint32_t serial, uint64_t bound)
{
    struct model *m = p->model;
    struct model_thread *t = thread_make(p);

    if (!t) {
        return NULL;
    }
    t->tid = tid;
    t->serial = serial;
    t->bound = bound;
    t->order = m->thread_order++;
    t->next = m->threads;
    if (m->threads) {
        m->threads->previous = t;
    }
    m->threads = t;
    if (p->main_tid == 0) {
        p->main_tid = tid;
    }
    wait_for(t);
    t->bound_tapped = bound;
    if (m->config.tap) {
        m->config.tap->thread(m->config.tap->ctx, p->self->order, t->order, tid,
                              serial, bound);
    }
    return t;
}

static void thread_close(struct model_thread *t)
{
    struct model *m = t->model;

    if (t->heap_at > 0) {
        heap_remove(m, t);
    }
    wait_remove(m, t);
    if (t->previous) {
        t->previous->next = t->next;
    } else {
        m->threads = t->next;
    }
    if (t->next) {
        t->next->previous = t->previous;
    }
    while (t->answers) {
        take_answer(t);
    }
    queue_close(t);
    pair_close(t);
    free(t);
    m->members--;
}

uint64_t model_told(const struct model *m)
{
    return m->told;
}

const struct stub *model_stub(const struct model *m, uint16_t number)
{
    const struct stub *stub = NULL;

    for (const struct model_process *p = m->processes; p && !stub;
         p = p->next) {
        stub = stub_by_number(p, number);
    }
    return stub;
}

enum model_need model_needs(const struct model *m, uint16_t number)
{
    const struct stub *stub = model_stub(m, number);
    const uint32_t ends_itself = ROLE_CONTINUES | ROLE_LEAVES_CALLBACK;
    /* What pair.c asks for; the rest is for who records, or decodes. */
    const uint32_t asked = ROLE_SETS_CONTEXT | ROLE_SETS_CALLBACK |
                           ROLE_ENDS_THREAD | ROLE_ENDS_PROCESS |
                           ROLE_ENDS_JOB | ROLE_RAISES;

    if (stub && (stub->roles & ends_itself)) {
        return NEED_NO_RETURN;
    }
    return stub && (stub->roles & asked) == 0 && !stub->watch ? NEED_NOT
                                                              : NEED_CALL;
}

uint32_t model_thread_open_calls(const struct model_thread *t, uint64_t *rsp,
                                 uint32_t room)
{
    if (!queue_empty(&t->queue)) {
        return UINT32_MAX;
    }
    for (size_t i = 0; i < t->open_count && i < room; i++) {
        rsp[i] = t->open[i].call.rsp;
    }
    return (uint32_t)t->open_count;
}

void model_thread_passed(struct model_thread *t, uint64_t time)
{
    if (time > t->queue.last && queue_passed(t, time)) {
        announce(t);
    }
}

void model_waiting(const struct model *m,
                   void (*record)(void *ctx, const struct record_head *head),
                   void *ctx)
{
    const struct record_head end = { .kind = JOURNAL_THREAD_END };
    const struct record_head over = { .kind = JOURNAL_PROCESS_END };
    struct record_head entry = { .kind = RECORD_ENTRY };
    struct record_head head;

    for (const struct model_thread *t = m->threads; t; t = t->next) {
        for (size_t at = t->queue.begin; at < t->queue.end; at += head.size) {
            memcpy(&head, t->queue.bytes + at, sizeof(head));
            record(ctx, &head);
        }
        for (size_t i = 0; i < t->open_count; i++) {
            entry.number = t->open[i].call.number;
            record(ctx, &entry);
        }
        if (t->ended) {
            record(ctx, &end);
        }
    }
    for (const struct model_process *p = m->processes; p; p = p->next) {
        for (size_t i = 0; i < p->journal.count; i++) {
            record(ctx, p->journal.at[i].record);
        }
        for (const struct pending_call *c = p->pending; c; c = c->next) {
            entry.number = c->open.call.number;
            record(ctx, &entry);
        }
        if (p->ending) {
            record(ctx, &over);
        }
    }
}

size_t model_feed(struct model_thread *t, const void *bytes, size_t size,
                  uint64_t now)
{
    const struct model_tap *tap = t->model->config.tap;
    const struct queue *q = &t->queue;
    size_t before = q->end - q->begin;
    size_t taken = queue_feed(t, bytes, size, now);
    size_t added = q->end - q->begin - before;

    announce(t);
    if (tap && added > 0) {
        tap->fed(tap->ctx, t->order, q->bytes + q->end - added, added);
    }
    return taken;
}

void model_thread_bound(struct model_thread *t, uint64_t tsc)
{
    if (tsc > t->bound) {
        t->bound = tsc;
        if (!has_event(t)) {
            wait_for(t);
        }
    }
}

/* Answers the next return of this thread that waits for one. */
static bool take_told(struct model_thread *t, const struct journal_answer *r)
{
    struct answer *kept;

    if (t->answers_owed > 0) {
        t->answers_owed--;
        return true;
    }
    if (t->model->answers >= ANSWERS_MOST) {
        return false;
    }
    kept = calloc(1, sizeof(*kept));
    if (!kept) {
        return false;
    }
    t->model->answers++;
    kept->told = *r;
    *t->answers_end = kept;
    t->answers_end = &kept->next;
    return true;
}

bool model_thread_journal(struct model_thread *t, const void *record,
                          size_t size)
{
    struct record_head *r = journal_copy(record, size);
    const void *whole = r;
    const struct journal_lost *lost = whole;
    const struct journal_thread_end *end = whole;
    const struct model_tap *tap = t->model->config.tap;
    bool ok = true;

    if (!r) {
        return false;
    }
    switch (r->kind) {
    case JOURNAL_ANSWER:
        ok = take_told(t, whole);
        break;
    case JOURNAL_LOST:
        ok = queue_lost(t, lost->why, lost->count);
        announce(t);
        break;
    case JOURNAL_THREAD_END:
        end_thread(t, end->known != 0, end->code, r->time);
        break;
    default:
        ok = false;
        break;
    }
    if (ok && tap) {
        tap->thread_journal(tap->ctx, t->order, record, size);
    }
    free(r);
    return ok;
}
