/* SPDX-License-Identifier: MIT */
/*
 * journal.c - builds records of the journal and hands them to the model.
 *
 * The one way from the tracer's own knowledge to the model. Touches no target.
 */
#include "live/journal.h"

#include "base/array.h"
#include "base/hash.h"
#include "live/session.h"

#include <stdlib.h>

#include "base/banned.h"

bool journal_open(struct session *s, struct err *e)
{
    s->journal = malloc(JOURNAL_MAX);
    return s->journal != NULL || err_set(e, ERR_OS, "out of memory");
}

/* A time that a record of the target names is anybody's: what is to come does
 * not wait here for ever. */
static uint64_t judged(uint64_t time)
{
    uint64_t now = os_tsc();

    return time < now ? time : now;
}

static struct buf room_of(struct session *s)
{
    return (struct buf){ s->journal, 0, JOURNAL_MAX, false };
}

/* To the model, if it could be built. */
static bool hand_over(struct traced *t, const struct buf *b)
{
    return !b->cut && model_journal(t->process, b->p, b->size);
}

void put_process(struct traced *t, enum model_mode mode, str image, str command)
{
    struct buf b = room_of(t->session);
    struct journal_process p = {
        .head.time = os_tsc(),
        .pid = t->target.os.pid,
        .parent = t->how == PROCESS_LAUNCHED ? os_self().pid : t->parent,
        .parent_tid = t->parent_tid,
        .how = (uint8_t)t->how,
        .build = t->target.plan->system.build,
        .mode = (uint8_t)mode,
        .width = sizeof(uint64_t),
        .wine = t->target.plan->system.wine,
    };

    journal_process(&b, &p, image, command);
    t->process = b.cut ? NULL
                       : model_process_open(t->hidden ? t->session->hidden
                                                      : t->session->model,
                                            b.p, b.size);
}

void put_process_end(struct traced *t, uint64_t time, uint32_t code)
{
    struct buf b = room_of(t->session);

    journal_process_end(&b, time, code);
    hand_over(t, &b);
}

bool put_child(struct traced *parent, uint64_t time,
               const struct journal_child *c, str image, str command)
{
    return put_child_failed(parent, time, c, image, command, STR(""));
}

bool put_child_failed(struct traced *parent, uint64_t time,
                      const struct journal_child *c, str image, str command,
                      str why)
{
    struct buf b = room_of(parent->session);

    journal_child(&b, judged(time), c, image, command, why);
    return hand_over(parent, &b);
}

bool put_module(struct traced *t, uint64_t time, const struct journal_module *m,
                str name, str pdb)
{
    struct buf b = room_of(t->session);

    journal_module(&b, judged(time), m, name, pdb);
    return hand_over(t, &b);
}

void put_file(struct traced *t, uint64_t time, uint64_t base, str path)
{
    struct buf b = room_of(t->session);

    journal_file(&b, judged(time), base, path);
    hand_over(t, &b);
}

void put_unmodule(struct traced *t, uint64_t time, uint64_t base)
{
    struct buf b = room_of(t->session);

    journal_unmodule(&b, judged(time), base);
    hand_over(t, &b);
}

static int by_rva(const void *a, const void *b)
{
    const struct journal_stub_row *x = a;
    const struct journal_stub_row *y = b;

    return x->rva < y->rva ? -1 : x->rva > y->rva;
}

static struct journal_stub_row row_of(const struct module *m,
                                      const struct patched *patched,
                                      uint32_t rva, uint8_t flags,
                                      const struct syscall_entry *of)
{
    if (patch_has(patched, m->base + rva)) {
        flags |= JOURNAL_STUB_PATCHED;
    }
    return (struct journal_stub_row){ rva, of->number, flags, of->name };
}

/* The same for the same functions at the same place. */
static uint32_t id_of(const struct module *m,
                      const struct journal_stub_row *rows, uint32_t count)
{
    uint64_t h = hash_add(HASH_START, &m->base, sizeof(m->base));

    for (uint32_t i = 0; i < count; i++) {
        h = hash_add(h, &rows[i].rva, sizeof(rows[i].rva));
        h = hash_add(h, &rows[i].number, sizeof(rows[i].number));
        h = hash_add(h, rows[i].name.p, rows[i].name.size);
    }
    return hash_fold(h);
}

bool put_stubs(struct traced *t, uint64_t time, const struct module *m,
               const struct patched *patched, str name)
{
    const struct syscalls *calls = &m->syscalls;
    size_t count = calls->count + calls->second_count;
    struct journal_stub_row *rows = calloc(count + 1, sizeof(*rows));
    struct buf b = room_of(t->session);
    bool ok;

    if (rows == NULL) {
        return false;
    }
    for (size_t i = 0; i < calls->count; i++) {
        rows[i] =
            row_of(m, patched, calls->entries[i].rva, 0, &calls->entries[i]);
    }
    for (size_t i = 0; i < calls->second_count; i++) {
        rows[calls->count + i] =
            row_of(m, patched, calls->seconds[i].rva, JOURNAL_STUB_SECOND,
                   &calls->entries[calls->seconds[i].of]);
    }
    array_sort(rows, count, sizeof(*rows), by_rva);
    journal_stubs(&b, judged(time), m->base, id_of(m, rows, (uint32_t)count),
                  name, rows, (uint32_t)count);
    ok = hand_over(t, &b);
    free(rows);
    return ok;
}

void put_handle(struct traced *t, const struct os_handle *h)
{
    struct buf b = room_of(t->session);

    journal_handle(&b, 0, h->value, h->access, h->type, h->name, h->path);
    hand_over(t, &b);
}

void put_place(struct traced *t, uint64_t time, const struct journal_place *p,
               str name)
{
    struct buf b = room_of(t->session);

    journal_place(&b, judged(time), p, name);
    hand_over(t, &b);
}

void put_notice(struct traced *t, uint64_t time, enum notice_kind kind)
{
    struct buf b = room_of(t->session);

    journal_notice(&b, judged(time), kind, 0, 0);
    hand_over(t, &b);
}

void put_patched_again(struct traced *t, uint64_t time,
                       enum model_patched module, uint64_t count)
{
    struct buf b = room_of(t->session);

    journal_notice(&b, judged(time), NOTICE_PATCHED_AGAIN, module, count);
    hand_over(t, &b);
}

void put_patches_lost(struct traced *t, uint64_t time,
                      enum model_patched module, uint64_t count)
{
    struct buf b = room_of(t->session);

    journal_notice(&b, judged(time), NOTICE_PATCHES_LOST, module, count);
    hand_over(t, &b);
}

void put_lost(struct traced *t, uint64_t time, enum model_lost why,
              uint64_t count)
{
    struct buf b = room_of(t->session);

    journal_lost(&b, time, why, count);
    hand_over(t, &b);
}

bool put_clock(struct session *s, const struct journal_clock *c)
{
    struct buf b = room_of(s);

    journal_clock(&b, c);
    return model_clock_set(s->model, b.p, b.size);
}

/* --- of one thread: small ones, which a stack has room for --- */

#define SMALL 512

static void hand_over_to(struct model_thread *thread, const struct buf *b)
{
    if (!b->cut) {
        model_thread_journal(thread, b->p, b->size);
    }
}

void put_thread_lost(struct drained *d, enum model_lost why, uint64_t count)
{
    char room[SMALL];
    struct buf b = BUF_OVER(room);

    journal_lost(&b, 0, why, count);
    hand_over_to(d->thread, &b);
}

void put_early_end(struct model_thread *thread, uint64_t time, bool known,
                   uint32_t code)
{
    char room[SMALL];
    struct buf b = BUF_OVER(room);

    journal_thread_end(&b, time, code, known);
    hand_over_to(thread, &b);
}

void put_thread_end(struct drained *d, uint64_t time)
{
    put_early_end(d->thread, time, d->code_known, d->code);
}

void put_answer(struct model_thread *thread, uint64_t time,
                const struct journal_answer *a)
{
    char room[SMALL];
    struct buf b = BUF_OVER(room);

    journal_answer(&b, time, a);
    hand_over_to(thread, &b);
}
