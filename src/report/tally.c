/* SPDX-License-Identifier: MIT */
/*
 * tally.c - sums. Touches nothing but its tables and the names that it is lent.
 */
#include "report/tally.h"

#include "base/saturate.h"
#include "report/answers.h"
#include "tables/deeds.h"

#include <string.h>

#include "base/banned.h"

#define STATUS_PENDING 0x103u

void tally_init(struct tally *t, struct labels *names,
                const struct clock *clock)
{
    memset(t, 0, sizeof(*t));
    t->names = names;
    t->clock = clock;
    table_init(&t->calls, sizeof(struct tally_call), ROWS_MOST);
    table_init(&t->threads, sizeof(struct tally_thread), ROWS_MOST);
    table_init(&t->things, sizeof(struct tally_thing), ROWS_MOST);
    table_init(&t->modules, sizeof(struct tally_module), ROWS_MOST);
}

void tally_close(struct tally *t)
{
    table_close(&t->calls);
    table_close(&t->threads);
    table_close(&t->things);
    table_close(&t->modules);
}

/* --- calls ---------------------------------------------------------------------- */

str tally_name(const struct call *call)
{
    return call->stub != NULL ? call->stub->name : STR("syscall_?");
}

bool tally_failed(const struct call *call)
{
    return call->returned && call->stub != NULL && call->stub->facts != NULL &&
           call_failed(call->stub->facts, call->result);
}

bool tally_waits(const struct call *call)
{
    return call->stub != NULL && call->stub->facts != NULL &&
           call->stub->facts->note == CALL_WAITS;
}

uint64_t tally_process(const struct call *call)
{
    return call->process != NULL ? model_process_order(call->process)
                                 : call->pid;
}

int64_t tally_ns(const struct clock *clock, const struct call *call,
                 int64_t *took)
{
    int64_t from = clock_ns(clock, call->entry_seen ? call->entry_time
                                                    : call->return_time);

    *took = -1;
    if (call->entry_seen && call->returned) {
        int64_t to = clock_ns(clock, call->return_time);

        *took = saturate_span(from, to);
    }
    return from;
}

static unsigned log2_of(uint64_t n)
{
    unsigned bits = 0;

    while (n > 1) {
        n >>= 1;
        bits++;
    }
    return bits;
}

unsigned tally_step(int64_t ns)
{
    uint64_t n = ns > 8 ? (uint64_t)ns : 8;
    unsigned bits = log2_of(n);

    return bits * 8 + (unsigned)(n >> (bits - 3) & 7);
}

static void add_call(struct tally *t, const struct call *call, bool failed,
                     int64_t took)
{
    struct table_key key = { labels_add(t->names, tally_name(call)), 0 };
    struct tally_call *row = table_row(&t->calls, key);

    if (row == NULL) {
        return;
    }
    row->waits = tally_waits(call);
    row->calls++;
    row->errors += failed;
    if (took >= 0) {
        unsigned step = log2_of((uint64_t)took);

        row->timed++;
        row->ns = saturate_sum(row->ns, took);
        row->most_ns = took > row->most_ns ? took : row->most_ns;
        row->steps[step < TALLY_STEPS ? step : TALLY_STEPS - 1]++;
    }
}

static void add_thread(struct tally *t, const struct call *call, bool failed,
                       int64_t from, int64_t took)
{
    struct table_key key = { tally_process(call), call->tid };
    struct tally_thread *row = table_row(&t->threads, key);
    int64_t to = took > 0 ? from + took : from;

    if (row == NULL) {
        return;
    }
    if (row->calls++ == 0) {
        row->pid = call->pid;
        row->first_ns = from;
    }
    row->errors += failed;
    row->first_ns = from < row->first_ns ? from : row->first_ns;
    row->last_ns = to > row->last_ns ? to : row->last_ns;
    if (took > 0) {
        int64_t *sum = tally_waits(call) ? &row->wait_ns : &row->ns;

        *sum = saturate_sum(*sum, took);
    }
}

/* --- what they were about ------------------------------------------------------- */

static void add_bytes(struct tally_thing *row, const struct call *call)
{
    size_t count;
    const struct deed_row *rows = deed_rows(call->stub->name, &count);

    for (size_t i = 0; i < count; i++) {
        enum deed_kind kind = rows[i].kind;
        bool in = kind == DEED_READS || kind == DEED_RECEIVES;

        if ((in || kind == DEED_WRITES || kind == DEED_SENDS ||
             kind == DEED_SETS) &&
            subject_tests(call, &rows[i])) {
            *(in ? &row->read : &row->written) += subject_bytes(call, &rows[i]);
        }
    }
}

static void add_thing(struct tally *t, const struct call *call, bool failed,
                      int64_t from, int64_t took)
{
    int64_t to = took > 0 ? from + took : from;
    struct subject s = { .name = STR("") };
    struct table_key key = { 0, 0 };
    struct tally_thing *row;
    uint32_t name;

    if (call->stub == NULL || !subject_any(call, &t->room, &s) ||
        s.name.size == 0) {
        return;
    }
    name = labels_add(t->names, s.name);
    key.a = (uint64_t)name << 8 | s.kind;
    row = name != LABEL_NONE ? table_row(&t->things, key) : NULL;
    if (row == NULL) {
        t->things.refused += name == LABEL_NONE;
        return;
    }
    if (row->calls++ == 0) {
        row->type = LABEL_NONE;
        row->first_ns = from;
    }
    if (row->type == LABEL_NONE && s.object != NULL) {
        row->type = labels_add(t->names, s.object->type);
    }
    row->errors += failed;
    row->first_ns = from < row->first_ns ? from : row->first_ns;
    row->last_ns = to > row->last_ns ? to : row->last_ns;
    row->ns = saturate_sum(row->ns, took > 0 ? took : 0);
    if (failed || !call->returned) {
        return;
    }
    row->closed += str_eq(call->stub->name, STR("NtClose"));
    if ((uint32_t)call->result != STATUS_PENDING) {
        add_bytes(row, call);
    }
}

void tally_leave(void *tally, const struct call *call)
{
    struct tally *t = tally;
    bool failed = tally_failed(call);
    int64_t took;
    int64_t from = tally_ns(t->clock, call, &took);
    int64_t to = took > 0 ? from + took : from;

    t->last_ns = to > t->last_ns ? to : t->last_ns;
    if (took >= 0) {
        t->longest[tally_step(took)]++;
    }
    add_call(t, call, failed, took);
    add_thread(t, call, failed, from, took);
    if (!call->replaced) {
        add_thing(t, call, failed, from, took);
    }
}

/* --- the rest ---------------------------------------------------------------------- */

void tally_transition(void *tally, const struct transition_told *told)
{
    struct tally *t = tally;
    int64_t ns = clock_ns(t->clock, told->time);

    t->last_ns = ns > t->last_ns ? ns : t->last_ns;
    if (told->kind < TRANSITION_KINDS) {
        t->marks[told->kind]++;
    }
}

int64_t tally_module_ns(const struct clock *clock,
                        const struct table *processes, uint64_t process,
                        uint64_t time)
{
    const struct process_row *p =
        table_find(processes, (struct table_key){ process, 0 });
    int64_t ns = clock_ns(clock, time);

    return p != NULL && ns < p->began ? p->began : ns;
}

static uint64_t process_of(const struct module_told *m)
{
    return m->process != NULL ? model_process_order(m->process) : m->pid;
}

void tally_module(void *tally, const struct module_told *m)
{
    struct tally *t = tally;
    struct table_key key = { labels_add(t->names, m->name), 0 };
    struct tally_module *row = table_row(&t->modules, key);

    t->marks[m->unmapped ? TRANSITION_UNMODULE : TRANSITION_MODULE]++;
    if (row == NULL) {
        return;
    }
    if (row->loads == 0 && row->unloads == 0) {
        row->pid = m->pid;
        row->process = process_of(m);
        row->first_time = m->time;
        row->base = m->base;
        row->size = m->size;
    }
    *(m->unmapped ? &row->unloads : &row->loads) += 1;
}

void tally_end(struct tally *t, const struct table *processes)
{
    for (size_t i = 0; i < t->modules.count; i++) {
        struct tally_module *m = table_at(&t->modules, i);

        m->first_ns =
            tally_module_ns(t->clock, processes, m->process, m->first_time);
    }
}
