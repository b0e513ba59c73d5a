/* SPDX-License-Identifier: MIT */
/*
 * again.h - what a test does to a model, done again with checkpoints.
 *
 * A test that includes this before all else runs as it is; beside that, what
 * it does to each model is written down. When the model is closed it is played
 * again: whole, for what is told of it; then on a model that is saved now and
 * then, each time into a fresh one that goes on from there. That one must tell
 * the rest in the same words, and be saved as the same bytes. A checkpoint that
 * was damaged is loaded as well, and whatever comes of it must live on.
 */
#ifndef AGAIN_H
#define AGAIN_H

#include "unit/check.h"

#include "decode/decode.h"
#include "format/text.h"
#include "model/archive.h"
#include "model/model.h"
#include "model/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer ones, and models beyond so many of one program, are left out. */
#define AGAIN_OPS_MOST 3000
#define AGAIN_MODELS_ALL 250
#define AGAIN_MODELS_EVERY 16
/* About so many checkpoints after runs, and after all else. */
#define AGAIN_AFTER_RUNS 16
#define AGAIN_AFTER_OTHERS 10

enum again_kind {
    AGAIN_PROCESS,
    AGAIN_JOURNAL,
    AGAIN_CLOCK,
    AGAIN_THREAD,
    AGAIN_FEED,
    AGAIN_BOUND,
    AGAIN_TOLD,
    AGAIN_RUN,
    AGAIN_FLUSH,
    AGAIN_STUBS,
    AGAIN_MODULE,
    AGAIN_PLACE,
    AGAIN_HANDLE,
    AGAIN_IMAGE,
};

struct again_op {
    enum again_kind kind;
    uint64_t of;  // order of the process, or thread
    uint64_t n[3];
    void *bytes;  // owned
    size_t size;
    str text[3];  // owned
    size_t told;  // playing: how much was told before the next one
};

struct again_log {
    struct model *m;
    struct model_config config;
    struct again_op *ops;
    size_t count;
    size_t room;
    bool left_out;
};

/* Of each model that is open. */
static struct again_log again_logs[16];
static size_t again_models;
static uint64_t again_state = 88172645463325252u;

static inline uint32_t again_random(uint32_t sides)
{
    again_state = again_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(again_state >> 33) % sides;
}

/* --- what is told, in words --- */

struct again_heard {
    char *p;
    size_t size;
    size_t room;
    struct text text;
    struct decoder d;
    struct clock clock;
};

static inline void again_add(void *ctx, str s)
{
    struct again_heard *h = ctx;

    while (h->room - h->size < s.size) {
        h->room = h->room ? h->room * 2 : 65536;
        h->p = realloc(h->p, h->room);
        if (!h->p) {
            abort();
        }
    }
    if (s.size > 0) {
        memcpy(h->p + h->size, s.p, s.size);
    }
    h->size += s.size;
}

#define AGAIN_SAY(h, ...)                \
    do {                                 \
        char room_[1024];                \
        struct buf b_ = BUF_OVER(room_); \
        buf_addf(&b_, __VA_ARGS__);      \
        again_add((h), buf_str(&b_));    \
    } while (0)

#define AGAIN_U(n) (unsigned long long)(n)

static inline void again_place(struct again_heard *h, const struct place *p)
{
    AGAIN_SAY(h, " place %d %llx+%llx %d ", p->kind, AGAIN_U(p->base),
              AGAIN_U(p->offset), p->second);
    if (p->name.p) {
        again_add(h, p->name);
    }
}

static inline void again_memory(struct again_heard *h, const struct memory *m)
{
    for (uint32_t i = 0; i < m->count; i++) {
        AGAIN_SAY(h, " %llx:", AGAIN_U(m->pieces[i].address));
        again_add(h,
                  (str){ (const char *)m->pieces[i].bytes, m->pieces[i].size });
    }
}

static inline void again_object(struct again_heard *h, const struct object *o)
{
    const struct thing *thing = thing_of(o);

    again_add(h, o->type);
    again_add(h, STR("<"));
    again_add(h, o->name);
    again_add(h, STR("|"));
    again_add(h, o->path);
    AGAIN_SAY(h, ">%d %x %u.%u id%llu %d ", o->access_known, o->access, o->pid,
              thing->tid, AGAIN_U(thing->identity), thing->socket != NULL);
}

static inline void again_stub(struct again_heard *h, const struct stub *stub)
{
    if (stub) {
        again_add(h, stub->name);
        again_add(h, STR("@"));
        again_add(h, stub->module);
        AGAIN_SAY(h, " %llx %u %d %x %x %d", AGAIN_U(stub->address),
                  stub->number, stub->arg_count, stub->roles, stub->handle_args,
                  stub->facts != NULL);
    }
    again_add(h, STR("\n "));
}

static inline void again_call(struct again_heard *h, const struct call *call)
{
    AGAIN_SAY(h, "%llu %u.%u %u %d%d%d%d%d%d %u %d ", AGAIN_U(call->id),
              call->pid, call->tid, call->number, call->number_known,
              call->entry_seen, call->returned, call->ended, call->late,
              call->caused, call->how, (int)call->width);
    again_stub(h, call->stub);
    again_stub(h, call->through);
    AGAIN_SAY(h, "%llu %llu %llx %llx %llx %llx %llx %llx",
              AGAIN_U(call->entry_time), AGAIN_U(call->return_time),
              AGAIN_U(call->result), AGAIN_U(call->caller), AGAIN_U(call->rip),
              AGAIN_U(call->rsp), AGAIN_U(call->stack_base),
              AGAIN_U(call->offset));
    again_place(h, &call->at);
    for (uint32_t i = 0; i < CALL_ARGS_MAX; i++) {
        const struct object *now =
            call->handles ? handles_find(call->handles, call->args[i]) : NULL;

        AGAIN_SAY(h, "\n %u:%u %llx ", i, call->arg_mask >> i & 1,
                  AGAIN_U(call->args[i]));
        if (call->objects[i]) {
            again_object(h, call->objects[i]);
        }
        if (now) {
            again_object(h, now);
        }
    }
    again_add(h, STR("\n before"));
    again_memory(h, &call->before);
    again_add(h, STR("\n after"));
    again_memory(h, &call->after);
    again_add(h, STR("\n"));
}

static inline void again_enter(void *ctx, const struct call *call)
{
    struct again_heard *h = ctx;

    again_add(h, STR("enter "));
    again_call(h, call);
    decoder_enter(&h->d, call);
    decoder_flush(&h->d);
}

static inline void again_leave(void *ctx, const struct call *call)
{
    struct again_heard *h = ctx;

    again_add(h, STR("leave "));
    again_call(h, call);
    decoder_whole(&h->d, call);
    decoder_flush(&h->d);
}

static inline void again_transition(void *ctx, const struct transition_told *t)
{
    struct again_heard *h = ctx;

    AGAIN_SAY(h, "transition %u.%u %d %d %llu %llx %d %x", t->pid, t->tid,
              t->kind, t->late, AGAIN_U(t->time), AGAIN_U(t->rip),
              t->status_known, t->status);
    again_place(h, &t->place);
    for (uint32_t i = 0; i < t->word_count; i++) {
        AGAIN_SAY(h, " %llx", AGAIN_U(t->words[i]));
    }
    again_add(h, STR("\n"));
    decoder_transition(&h->d, t);
    decoder_flush(&h->d);
}

static inline void again_completion(void *ctx, const struct completion_told *c)
{
    struct again_heard *h = ctx;

    AGAIN_SAY(h, "completion %u %d %llu ", c->tid, c->late, AGAIN_U(c->time));
    again_call(h, c->call);
    decoder_completion(&h->d, c);
    decoder_flush(&h->d);
}

static inline void again_notice(void *ctx, const struct notice *n)
{
    struct again_heard *h = ctx;

    AGAIN_SAY(h, "notice %u.%u %d %llu %x %llu %d ", n->pid, n->tid, n->kind,
              AGAIN_U(n->time), n->code, AGAIN_U(n->count), n->data);
    again_add(h, n->reason);
    again_add(h, STR("\n"));
    decoder_notice(&h->d, n);
    decoder_flush(&h->d);
}

static inline void again_state_of(struct again_heard *h, const struct model *m)
{
    struct model_counts c = model_counts(m);

    AGAIN_SAY(h,
              "counts %llu %llu %llu %llu %llu %llu %llu %llu %llu %zu %zu "
              "%zu %llu %zu\n",
              AGAIN_U(c.records), AGAIN_U(c.calls), AGAIN_U(c.late),
              AGAIN_U(c.bad_times), AGAIN_U(c.damaged), AGAIN_U(c.dropped),
              AGAIN_U(c.unanswered), AGAIN_U(c.orphans), AGAIN_U(c.data_lost),
              c.queued, c.memory, m->object_bytes, AGAIN_U(m->told),
              m->members);
    for (const struct model_process *p = m->processes; p; p = p->next) {
        for (uint64_t i = 0; i < 6; i++) {
            struct place place = model_place(p, 0x150000010 + 0x8000 * i);

            again_place(h, &place);
        }
    }
    AGAIN_SAY(h, "\nclock %lld %lld\n",
              (long long)clock_ns(model_clock(m), 1000000),
              (long long)clock_ns(model_clock(m), 5000000000));
}

/* One is enough: what a sink remembers of earlier lines is switched off. */
static inline struct again_heard *again_ear(void)
{
    static struct again_heard h;
    static const struct text_options options = { .always_pid = true,
                                                 .number = true,
                                                 .returns = true,
                                                 .took = true,
                                                 .arg_names = true,
                                                 .handle_detail = true };
    static const struct decode_options decode = { .string_max = 4096,
                                                  .verbose = true,
                                                  .handles = HANDLES_DETAIL };
    static bool there;

    if (!there) {
        there = true;
        clock_init(&h.clock, 0, 1000000000, 1795341240ll * 1000000000);
        text_init(&h.text, &options, again_add, &h);
        decoder_init(&h.d, &h.text.sink, &h.clock, &decode);
    }
    return &h;
}

static inline void again_mute_call(void *ctx, const struct call *call)
{
    (void)ctx;
    (void)call;
}

static inline void again_mute_transition(void *ctx,
                                         const struct transition_told *t)
{
    (void)ctx;
    (void)t;
}

static inline void again_mute_notice(void *ctx, const struct notice *n)
{
    (void)ctx;
    (void)n;
}

static inline struct model *again_open(const struct again_log *log, bool mute)
{
    struct model_out loud = {
        .ctx = again_ear(),
        .enter = again_enter,
        .leave = again_leave,
        .transition = again_transition,
        .completion = again_completion,
        .notice = again_notice,
    };
    struct model_out quiet = {
        .enter = again_mute_call,
        .leave = again_mute_call,
        .transition = again_mute_transition,
        .notice = again_mute_notice,
    };
    struct err e = { 0 };
    struct model *m = model_open(&log->config, mute ? &quiet : &loud, &e);

    if (!m) {
        abort();
    }
    return m;
}

/* --- once more --- */

/* The one of this order; NULL: there is none, or not any more. */
static inline struct model_process *model_process_at(struct model *m,
                                                     uint64_t order)
{
    struct model_process *p = NULL;

    do {
        p = model_process_after(m, p);
    } while (p && model_process_order(p) != order);
    return p;
}

static inline struct model_thread *model_thread_at(struct model *m,
                                                   uint64_t order)
{
    struct model_thread *t = NULL;

    do {
        t = model_thread_after(m, t);
    } while (t && model_thread_order(t) != order);
    return t;
}

static inline uint64_t again_play(struct model *m, const struct again_op *op)
{
    struct model_process *p = model_process_at(m, op->of);
    struct model_thread *t = model_thread_at(m, op->of);

    switch (op->kind) {
    case AGAIN_PROCESS:
        p = model_process_open(m, op->bytes, op->size);
        return p ? p->self->order : UINT64_MAX;
    case AGAIN_JOURNAL:
        return p && model_journal(p, op->bytes, op->size);
    case AGAIN_CLOCK:
        return model_clock_set(m, op->bytes, op->size);
    case AGAIN_THREAD:
        t = p ? model_thread_open(p, (uint32_t)op->n[0], (uint32_t)op->n[1],
                                  op->n[2])
              : NULL;
        return t ? t->order : UINT64_MAX;
    case AGAIN_FEED:
        return t ? model_feed(t, op->bytes, op->size, op->n[0]) : 0;
    case AGAIN_BOUND:
        if (t) {
            model_thread_bound(t, op->n[0]);
        }
        return 0;
    case AGAIN_TOLD:
        return t && model_thread_journal(t, op->bytes, op->size);
    case AGAIN_RUN:
        return model_run(m, op->n[0]);
    case AGAIN_FLUSH:
        return model_flush(m);
    case AGAIN_STUBS:
        return p && stubs_tell(p, op->bytes);
    case AGAIN_MODULE:
        return p && process_module_add(p, op->n[0], op->n[1], op->text[0]);
    case AGAIN_PLACE:
        if (p) {
            process_place_add(p, op->bytes);
        }
        return 0;
    case AGAIN_HANDLE:
        return p && p->handles &&
               handles_add(p->handles, op->n[0], op->text[0], op->text[1],
                           op->text[2], op->n[2] != 0, (uint32_t)op->n[1]);
    case AGAIN_IMAGE:
        return p && process_set_image(p, op->text[0]);
    }
    return 0;
}

static inline void again_step(struct model *m, const struct again_op *op)
{
    struct again_heard *h = again_ear();
    uint64_t result = again_play(m, op);

    AGAIN_SAY(h, "op %d %llx\n", op->kind, AGAIN_U(result));
    again_state_of(h, m);
}

/* The first line in which they are not the same. */
static inline void again_differ(str want, str got, size_t op)
{
    size_t at = 0;
    size_t from;

    while (at < want.size && at < got.size && want.p[at] == got.p[at]) {
        at++;
    }
    from = at > 200 ? at - 200 : 0;
    printf("after a checkpoint at %zu:\n--- want\n%.*s\n--- got\n%.*s\n---\n",
           op, STR_ARGS(str_slice(want, from, at + 200)),
           STR_ARGS(str_slice(got, from, at + 200)));
}

/* Damaged bytes: no, or a model that lives on. */
static inline void again_damaged(const struct again_log *log, uint8_t *bytes,
                                 size_t size)
{
    struct model *m = again_open(log, true);
    uint8_t *saved;
    size_t saved_size;

    if (model_load(m, bytes, size)) {
        model_tell_open(m);
        saved = model_save(m, &saved_size);
        free(saved);
        for (struct model_thread *t = model_thread_after(m, NULL); t;
             t = model_thread_after(m, t)) {
            model_thread_bound(t, 1000000);
        }
        model_run(m, 1000000);
        model_flush(m);
    } else {
        check_true(!model_process_after(m, NULL) &&
                       !model_thread_after(m, NULL) &&
                       model_counts(m).queued == 0,
                   "a model that was not loaded is empty", CHECK_AT);
    }
    model_close(m);
}

static inline void again_damage(const struct again_log *log,
                                const uint8_t *bytes, size_t size)
{
    for (int i = 0; i < 3 && size > 0; i++) {
        size_t cut = again_random(4) == 0 ? again_random((uint32_t)size) : size;
        uint8_t *copy = malloc(cut + 1);

        if (!copy) {
            abort();
        }
        memcpy(copy, bytes, cut);
        if (cut == size) {
            copy[again_random((uint32_t)size)] = (uint8_t)again_random(256);
        }
        again_damaged(log, copy, cut);
        free(copy);
    }
}

/* `m` has come to behind op `at`. */
static inline void again_from(const struct again_log *log, size_t at,
                              struct model *m, str whole)
{
    struct again_heard *h = again_ear();
    struct model *loaded = again_open(log, false);
    size_t size = 0;
    size_t again_size = 0;
    uint8_t *bytes = model_save(m, &size);
    uint8_t *again_bytes;
    struct model_out out = m->out;
    size_t before = h->size;
    size_t middle;
    str want = str_slice(whole, log->ops[at].told, whole.size);
    str got;

    CHECK(bytes != NULL);
    CHECK(bytes && model_load(loaded, bytes, size));
    again_bytes = model_save(loaded, &again_size);
    CHECK(again_bytes && bytes && again_size == size &&
          memcmp(bytes, again_bytes, size) == 0);
    /* Who is open is the same. */
    m->out = loaded->out;
    model_tell_open(m);
    m->out = out;
    middle = h->size;
    model_tell_open(loaded);
    CHECK_STR(((str){ h->p + middle, h->size - middle }),
              ((str){ h->p + before, middle - before }));
    h->size = before;
    for (size_t i = at + 1; i < log->count; i++) {
        again_step(loaded, &log->ops[i]);
    }
    got = (str){ h->p + before, h->size - before };
    want = str_slice((str){ h->p, before }, log->ops[at].told, before);
    check_true(str_eq(want, got), "the same is told", CHECK_AT);
    if (!str_eq(want, got)) {
        again_differ(want, got, at);
    }
    h->size = before;
    if (bytes) {
        again_damage(log, bytes, size);
    }
    model_close(loaded);
    free(again_bytes);
    free(bytes);
}

static inline bool again_is_run(const struct again_op *op)
{
    return op->kind == AGAIN_RUN || op->kind == AGAIN_FLUSH;
}

static inline void again_all(struct again_log *log)
{
    struct again_heard *h = again_ear();
    struct model *m = again_open(log, false);
    uint32_t runs = 0;
    uint32_t others;

    h->size = 0;
    for (size_t i = 0; i < log->count; i++) {
        runs += again_is_run(&log->ops[i]);
        again_step(m, &log->ops[i]);
        log->ops[i].told = h->size;
    }
    model_close(m);
    others = (uint32_t)log->count - runs;
    m = again_open(log, true);
    for (size_t i = 0; i < log->count; i++) {
        bool is_run = again_is_run(&log->ops[i]);

        again_play(m, &log->ops[i]);
        if (is_run ? again_random(runs) < AGAIN_AFTER_RUNS
                   : again_random(others) < AGAIN_AFTER_OTHERS) {
            again_from(log, i, m, STR(""));
        }
    }
    model_close(m);
}

/* --- what the test does, written down --- */

static inline struct again_log *again_log_of(const struct model *m)
{
    for (size_t i = 0; i < COUNT_OF(again_logs); i++) {
        if (again_logs[i].m == m) {
            return &again_logs[i];
        }
    }
    return NULL;
}

static inline void again_drop(struct again_log *log)
{
    for (size_t i = 0; i < log->count; i++) {
        free(log->ops[i].bytes);
        for (int k = 0; k < 3; k++) {
            if (log->ops[i].text[k].p) {
                str_drop(log->ops[i].text[k]);
            }
        }
    }
    free(log->ops);
    log->ops = NULL;
    log->count = 0;
    log->room = 0;
}

/* What is done to this model is done once. */
static inline void again_leave_out(const struct model *m)
{
    struct again_log *log = again_log_of(m);

    if (log) {
        log->left_out = true;
        again_drop(log);
    }
}

static inline void again_note(const struct model *m, struct again_op op,
                              const void *bytes, size_t size)
{
    struct again_log *log = again_log_of(m);

    if (!log || log->left_out) {
        return;
    }
    if (log->count == AGAIN_OPS_MOST) {
        again_leave_out(m);
        return;
    }
    op.size = size;
    op.bytes = malloc(size + 1);
    if (!op.bytes ||
        !array_grow(&log->ops, &log->room, log->count, sizeof(log->ops[0]))) {
        abort();
    }
    if (size > 0) {
        memcpy(op.bytes, bytes, size);
    }
    for (int i = 0; i < 3; i++) {
        if (op.text[i].p) {
            op.text[i] = str_keep(op.text[i]);
        }
    }
    log->ops[log->count++] = op;
}

#define AGAIN_NOTE(m, bytes, size, ...) \
    again_note((m), (struct again_op){ __VA_ARGS__ }, (bytes), (size))

static inline struct model *again_model_open(const struct model_config *config,
                                             const struct model_out *out,
                                             struct err *e)
{
    struct model *m = model_open(config, out, e);
    struct again_log *log = again_log_of(NULL);

    again_models++;
    if (m && log) {
        *log = (struct again_log){ .m = m, .config = *config };
        log->left_out = again_models > AGAIN_MODELS_ALL &&
                        again_models % AGAIN_MODELS_EVERY != 0;
    }
    return m;
}

static inline void again_model_close(struct model *m)
{
    struct again_log *log = m ? again_log_of(m) : NULL;

    model_close(m);
    if (log) {
        log->m = NULL;
        again_all(log);
        again_drop(log);
    }
}

static inline struct model_process *
again_model_process_open(struct model *m, const void *record, size_t size)
{
    AGAIN_NOTE(m, record, size, .kind = AGAIN_PROCESS);
    return model_process_open(m, record, size);
}

static inline bool again_model_journal(struct model_process *p,
                                       const void *record, size_t size)
{
    AGAIN_NOTE(p->model, record, size, .kind = AGAIN_JOURNAL,
               .of = p->self->order);
    return model_journal(p, record, size);
}

static inline bool again_model_clock_set(struct model *m, const void *record,
                                         size_t size)
{
    AGAIN_NOTE(m, record, size, .kind = AGAIN_CLOCK);
    return model_clock_set(m, record, size);
}

static inline struct model_thread *
again_model_thread_open(struct model_process *p, uint32_t tid, uint32_t serial,
                        uint64_t bound)
{
    AGAIN_NOTE(p->model, NULL, 0, .kind = AGAIN_THREAD, .of = p->self->order,
               .n = { tid, serial, bound });
    return model_thread_open(p, tid, serial, bound);
}

static inline size_t again_model_feed(struct model_thread *t, const void *bytes,
                                      size_t size, uint64_t now)
{
    size_t taken = model_feed(t, bytes, size, now);

    /* What was not taken is fed again, or never: one that was loaded may have
     * had room for it. */
    AGAIN_NOTE(t->model, bytes, taken, .kind = AGAIN_FEED, .of = t->order,
               .n = { now });
    return taken;
}

static inline void again_model_thread_bound(struct model_thread *t,
                                            uint64_t tsc)
{
    AGAIN_NOTE(t->model, NULL, 0, .kind = AGAIN_BOUND, .of = t->order,
               .n = { tsc });
    model_thread_bound(t, tsc);
}

static inline bool again_model_thread_journal(struct model_thread *t,
                                              const void *record, size_t size)
{
    AGAIN_NOTE(t->model, record, size, .kind = AGAIN_TOLD, .of = t->order);
    return model_thread_journal(t, record, size);
}

static inline size_t again_model_run(struct model *m, uint64_t now)
{
    AGAIN_NOTE(m, NULL, 0, .kind = AGAIN_RUN, .n = { now });
    return model_run(m, now);
}

static inline size_t again_model_flush(struct model *m)
{
    AGAIN_NOTE(m, NULL, 0, .kind = AGAIN_FLUSH);
    return model_flush(m);
}

static inline bool again_stubs_tell(struct model_process *p,
                                    const struct journal_stubs *r)
{
    AGAIN_NOTE(p->model, r, r->head.size, .kind = AGAIN_STUBS,
               .of = p->self->order);
    return stubs_tell(p, r);
}

static inline bool again_process_module_add(struct model_process *p,
                                            uint64_t base, uint64_t size,
                                            str name)
{
    AGAIN_NOTE(p->model, NULL, 0, .kind = AGAIN_MODULE, .of = p->self->order,
               .n = { base, size }, .text = { name });
    return process_module_add(p, base, size, name);
}

static inline void again_process_place_add(struct model_process *p,
                                           const struct journal_place *r)
{
    AGAIN_NOTE(p->model, r, r->head.size, .kind = AGAIN_PLACE,
               .of = p->self->order);
    process_place_add(p, r);
}

static inline bool again_process_set_image(struct model_process *p, str image)
{
    AGAIN_NOTE(p->model, NULL, 0, .kind = AGAIN_IMAGE, .of = p->self->order,
               .text = { image });
    return process_set_image(p, image);
}

static inline bool again_handles_add(struct handles *h, uint64_t value,
                                     str type, str name, str path,
                                     bool access_known, uint32_t access)
{
    for (size_t i = 0; i < COUNT_OF(again_logs); i++) {
        struct model_process *p =
            again_logs[i].m ? again_logs[i].m->processes : NULL;

        while (p && p->handles != h) {
            p = p->next;
        }
        if (p) {
            AGAIN_NOTE(p->model, NULL, 0, .kind = AGAIN_HANDLE,
                       .of = p->self->order,
                       .n = { value, access, access_known },
                       .text = { type, name, path });
        }
    }
    return handles_add(h, value, type, name, path, access_known, access);
}

#define model_open again_model_open
#define model_close again_model_close
#define model_process_open again_model_process_open
#define model_journal again_model_journal
#define model_clock_set again_model_clock_set
#define model_thread_open again_model_thread_open
#define model_feed again_model_feed
#define model_thread_bound again_model_thread_bound
#define model_thread_journal again_model_thread_journal
#define model_run again_model_run
#define model_flush again_model_flush
#define stubs_tell again_stubs_tell
#define process_module_add again_process_module_add
#define process_place_add again_process_place_add
#define process_set_image again_process_set_image
#define handles_add again_handles_add

#endif
