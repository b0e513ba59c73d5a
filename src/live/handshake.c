/* SPDX-License-Identifier: MIT */
/*
 * handshake.c - the tracer's half of the handshake engine.
 *
 * A handler thread polls the one slot. When a thread of the target has put
 * itself there, it is suspended, asked for its last system call, resumed,
 * and the slot is cleared. What was found goes through a queue to the main
 * thread, as a RETURN record and an answer, so that from there on both
 * engines are one.
 */
#include "live/session.h"

#include <stdlib.h>

#include "base/banned.h"

#define QUEUE 4096  // finds; a power of two
/* A slot that is taken but not filled in for so long has lost its owner. */
#define DEAD_OWNER_MS 200

struct find {
    uint32_t tid;
    bool known;
    uint16_t number;
    uint64_t argument;
    uint64_t time;
    uint64_t rip;
    uint64_t rsp;
    uint64_t rax;
};

struct seen_thread {
    uint32_t tid;
    void *handle;                 // owned
    struct model_thread *thread;  // the main thread's
};

struct handshake {
    struct session *session;
    struct os_thread_start start;
    void *handler;
    _Atomic bool stop;
    _Atomic uint32_t strangers;  // finds of threads that are not there
    uint32_t strangers_told;
    struct find queue[QUEUE];
    _Atomic uint32_t head;      // the handler's
    _Atomic uint32_t tail;      // the main thread's
    struct seen_thread *asked;  // the handler's threads; owned
    size_t asked_count;
    struct seen_thread *told;  // the main thread's; owned
    size_t told_count;
};

static struct seen_thread *grow(struct seen_thread **list, size_t *count)
{
    struct seen_thread *more = realloc(*list, (*count + 1) * sizeof(**list));

    if (more == NULL) {
        return NULL;
    }
    *list = more;
    more[*count] = (struct seen_thread){ 0 };
    return &more[(*count)++];
}

/* The handler's handle on thread `tid`: opened at the first sight of it, and
 * again when that one has ended, for thread ids are used again. NULL: the
 * target has no such thread; the slot is the target's to write. */
static struct seen_thread *asked_thread(struct handshake *h, uint32_t tid)
{
    uint32_t pid = h->session->target.os.pid;
    struct seen_thread *t = NULL;
    void *handle = NULL;
    uint32_t code;

    for (size_t i = 0; i < h->asked_count; i++) {
        if (h->asked[i].tid == tid) {
            t = &h->asked[i];
        }
    }
    if (t != NULL && !os_thread_ended(t->handle, &code)) {
        return t;
    }
    if (os_thread_open(pid, tid, 0, &handle) != OS_THREAD_OPEN) {
        return NULL;
    }
    if (t == NULL) {
        t = grow(&h->asked, &h->asked_count);
        if (t == NULL) {
            os_thread_close(handle);
            return NULL;
        }
    } else {
        os_thread_close(t->handle);
    }
    t->tid = tid;
    t->handle = handle;
    return t;
}

/* Serves the thread that is in the slot. */
static void serve(struct handshake *h, struct handshake_slot *slot,
                  uint32_t tid)
{
    uint32_t head = atomic_load_explicit(&h->head, memory_order_relaxed);
    struct find *f = &h->queue[head % QUEUE];
    struct seen_thread *t = asked_thread(h, tid);
    struct last_call wines;

    if (t == NULL) {
        atomic_fetch_add_explicit(&h->strangers, 1, memory_order_relaxed);
        return;
    }
    while (head - atomic_load_explicit(&h->tail, memory_order_acquire) >=
               QUEUE &&
           !atomic_load_explicit(&h->stop, memory_order_relaxed)) {
        os_sleep(1);
    }
    *f = (struct find){ .tid = tid,
                        .time = slot->time,
                        .rip = slot->rip,
                        .rsp = slot->rsp,
                        .rax = slot->rax };
    wines = slot->last;
    f->known = rendezvous_last_call(h->session, t->handle, &wines, &f->number,
                                    &f->argument) &&
               !atomic_load_explicit(&slot->spoiled, memory_order_acquire);
    /* Release: the find is complete. Pairs with the acquire in
     * handshake_drain. */
    atomic_store_explicit(&h->head, head + 1, memory_order_release);
}

/* The handler thread: polls, for a waiting thread may make no system call
 * that would tell us of it. */
static void handle(void *arg)
{
    struct handshake *h = arg;
    struct handshake_slot *slot = &h->session->target.section->slot;
    uint64_t since = 0;

    while (!atomic_load_explicit(&h->stop, memory_order_relaxed)) {
        uint32_t tid = atomic_load_explicit(&slot->tid, memory_order_acquire);

        if (tid == 0) {
            since = 0;
            os_relax();
            continue;
        }
        if (since == 0) {
            since = os_tsc();
        }
        /* Acquire: what the thread told. Pairs with the release in
         * agent/handshake.c. */
        if (atomic_load_explicit(&slot->told, memory_order_acquire) == 1) {
            serve(h, slot, tid);
        } else if (os_tsc() - since <
                   DEAD_OWNER_MS * h->session->timing.tsc_per_ms) {
            os_relax();
            continue;
        }
        /* Release: we are done with the slot. */
        atomic_store_explicit(&slot->told, 0, memory_order_release);
        atomic_store_explicit(&slot->tid, 0, memory_order_release);
        since = 0;
    }
}

bool handshake_open(struct session *s, struct err *e)
{
    struct handshake *h = calloc(1, sizeof(*h));

    if (h == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    h->session = s;
    h->start = (struct os_thread_start){ handle, h };
    if (!os_thread_run(&h->handler, &h->start, e)) {
        free(h);
        return false;
    }
    s->handshake = h;
    return true;
}

static struct seen_thread *told_thread(struct session *s, const struct find *f)
{
    struct handshake *h = s->handshake;
    struct seen_thread *t;

    for (size_t i = 0; i < h->told_count; i++) {
        if (h->told[i].tid == f->tid) {
            return &h->told[i];
        }
    }
    t = grow(&h->told, &h->told_count);
    if (t != NULL) {
        t->tid = f->tid;
        t->thread = model_thread_open(s->process, f->tid, 1, 0);
    }
    return t;
}

/* What was found, as the ring engine would have written it. */
static struct record_return record_of(const struct session *s,
                                      const struct find *f)
{
    struct record_return r = {
        .head = { RETURN_SIZE, RECORD_RETURN, RECORD_ORPHAN | RECORD_WAITS, 0,
                  f->time },
        .rip = f->rip,
        .rsp = f->rsp,
        .rax = f->rax,
    };

    for (uint16_t i = 0; i < TRANSITION_COUNT; i++) {
        if (s->target.doors[i].rip == f->rip) {
            r.head.kind = RECORD_TRANSITION;
            r.head.flags = 0;
            r.head.number = i;
        }
    }
    return r;
}

size_t handshake_drain(struct session *s, bool last)
{
    struct handshake *h = s->handshake;
    uint32_t tail = atomic_load_explicit(&h->tail, memory_order_relaxed);
    uint32_t head = atomic_load_explicit(&h->head, memory_order_acquire);
    uint64_t now = os_tsc();
    size_t taken = 0;
    uint32_t strangers;

    for (; tail != head; tail++) {
        struct find *f = &h->queue[tail % QUEUE];
        struct seen_thread *t = told_thread(s, f);
        struct orphan_answer answer = { .number_known = f->known,
                                        .number = f->number,
                                        .argument = f->argument };
        struct record_return record = record_of(s, f);

        if (t == NULL || t->thread == NULL) {
            continue;
        }
        if (record.head.kind == RECORD_TRANSITION) {
            model_feed(t->thread, &record, RETURN_SIZE, now);
            taken += RETURN_SIZE;
            continue;
        }
        /* A module that we had not met: the answer needs its names. */
        if (model_stub_by_address(s->process, f->rip) == NULL) {
            answer.at = model_place(s->process, f->rip);
        }
        model_orphan_answer(t->thread, &answer);
        model_feed(t->thread, &record, RETURN_SIZE, now);
        taken += RETURN_SIZE;
    }
    atomic_store_explicit(&h->tail, tail, memory_order_release);
    strangers = atomic_load_explicit(&h->strangers, memory_order_relaxed);
    if (strangers != h->strangers_told) {
        model_lost(s->process, LOST_DAMAGED, strangers - h->strangers_told,
                   now);
        h->strangers_told = strangers;
    }
    for (size_t i = 0; i < h->told_count; i++) {
        if (h->told[i].thread != NULL) {
            /* One slot: what comes later was put there later. */
            model_thread_bound(h->told[i].thread,
                               last ? UINT64_MAX
                                    : now - 50 * s->timing.tsc_per_ms);
        }
    }
    return taken;
}

void handshake_close(struct session *s)
{
    struct handshake *h = s->handshake;

    atomic_store(&h->stop, true);
    os_thread_join(h->handler);
    for (size_t i = 0; i < h->asked_count; i++) {
        os_thread_close(h->asked[i].handle);
    }
    free(h->asked);
    free(h->told);
    free(h);
    s->handshake = NULL;
}
