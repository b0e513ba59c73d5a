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
#include "live/handshake.h"

#include "live/journal.h"
#include "live/places.h"
#include "live/rendezvous.h"
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
    struct handshake *next;  // served after it
    struct traced *traced;
    struct handshake_server *server;
    uint64_t since;              // TSC: its slot was seen taken; 0: it is free
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

/* One thread of ours for the slots of all processes. */
struct handshake_server {
    struct os_thread_start start;
    void *handler;
    _Atomic bool stop;
    _Atomic(struct handshake *) first;  // owned, with those behind it
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
    uint32_t pid = h->traced->target.os.pid;
    struct seen_thread *seen = NULL;
    void *handle = NULL;
    uint32_t code;

    for (size_t i = 0; i < h->asked_count; i++) {
        if (h->asked[i].tid == tid) {
            seen = &h->asked[i];
        }
    }
    if (seen != NULL && !os_thread_ended(seen->handle, &code)) {
        return seen;
    }
    if (os_thread_open(pid, tid, 0, &handle) != OS_THREAD_OPEN) {
        return NULL;
    }
    if (seen == NULL) {
        seen = grow(&h->asked, &h->asked_count);
        if (seen == NULL) {
            os_thread_close(handle);
            return NULL;
        }
    } else {
        os_thread_close(seen->handle);
    }
    seen->tid = tid;
    seen->handle = handle;
    return seen;
}

/* Serves the thread that is in the slot. */
static void serve(struct handshake *h, struct handshake_slot *slot,
                  uint32_t tid)
{
    uint32_t head = atomic_load_explicit(&h->head, memory_order_relaxed);
    struct find *f = &h->queue[head % QUEUE];
    struct seen_thread *seen = asked_thread(h, tid);
    struct last_call wines;

    if (seen == NULL) {
        atomic_fetch_add_explicit(&h->strangers, 1, memory_order_relaxed);
        return;
    }
    while (head - atomic_load_explicit(&h->tail, memory_order_acquire) >=
               QUEUE &&
           !atomic_load_explicit(&h->server->stop, memory_order_relaxed)) {
        os_sleep(1);
    }
    *f = (struct find){ .tid = tid,
                        .time = slot->time,
                        .rip = slot->rip,
                        .rsp = slot->rsp,
                        .rax = slot->rax };
    wines = slot->last;
    f->known = rendezvous_last_call(h->traced, seen->handle, tid, &wines,
                                    &f->number, &f->argument) &&
               !atomic_load_explicit(&slot->spoiled, memory_order_acquire);
    /* Release: the find is complete. Pairs with the acquire in
     * handshake_drain. */
    atomic_store_explicit(&h->head, head + 1, memory_order_release);
}

/* Looks once at the slot of one process. */
static void look(struct handshake *h)
{
    struct handshake_slot *slot = &h->traced->target.section->slot;
    uint32_t tid = atomic_load_explicit(&slot->tid, memory_order_acquire);

    if (tid == 0) {
        h->since = 0;
        return;
    }
    if (h->since == 0) {
        h->since = os_tsc();
    }
    /* Acquire: what the thread told. Pairs with the release in
     * agent/handshake.c. */
    if (atomic_load_explicit(&slot->told, memory_order_acquire) == 1) {
        serve(h, slot, tid);
    } else if (os_tsc() - h->since <
               DEAD_OWNER_MS * h->traced->session->timing.tsc_per_ms) {
        return;
    }
    /* Release: we are done with the slot. */
    atomic_store_explicit(&slot->told, 0, memory_order_release);
    atomic_store_explicit(&slot->tid, 0, memory_order_release);
    h->since = 0;
}

/* The handler thread: polls, for a waiting thread may make no system call
 * that would tell us of it. */
static void handle(void *arg)
{
    struct handshake_server *server = arg;

    while (!atomic_load_explicit(&server->stop, memory_order_relaxed)) {
        /* Acquire: it is set up. Pairs with the release in handshake_open. */
        struct handshake *h =
            atomic_load_explicit(&server->first, memory_order_acquire);

        for (; h != NULL; h = h->next) {
            look(h);
        }
        os_relax();
    }
}

bool handshake_start(struct session *s, struct err *e)
{
    struct handshake_server *server = calloc(1, sizeof(*server));

    if (server == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    server->start = (struct os_thread_start){ handle, server };
    if (!os_thread_run(&server->handler, &server->start, e)) {
        free(server);
        return false;
    }
    s->handshakes = server;
    return true;
}

bool handshake_open(struct traced *t, struct err *e)
{
    struct handshake_server *server = t->session->handshakes;
    struct handshake *h = calloc(1, sizeof(*h));

    if (h == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    h->traced = t;
    h->server = server;
    h->next = atomic_load_explicit(&server->first, memory_order_relaxed);
    t->handshake = h;
    /* Release: it is set up. Pairs with the acquire in handle. */
    atomic_store_explicit(&server->first, h, memory_order_release);
    return true;
}

static struct seen_thread *told_thread(struct traced *t, const struct find *f)
{
    struct handshake *h = t->handshake;
    struct seen_thread *seen;

    for (size_t i = 0; i < h->told_count; i++) {
        if (h->told[i].tid == f->tid) {
            return &h->told[i];
        }
    }
    seen = grow(&h->told, &h->told_count);
    if (seen != NULL) {
        seen->tid = f->tid;
        seen->thread = model_thread_open(t->process, f->tid, 1, 0);
    }
    return seen;
}

/* What was found, as the ring engine would have written it. */
static struct record_return record_of(const struct traced *t,
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
        if (t->target.doors[i].rip == f->rip) {
            r.head.kind = RECORD_TRANSITION;
            r.head.flags = 0;
            r.head.number = i;
        }
    }
    return r;
}

size_t handshake_drain(struct traced *t, bool last)
{
    struct handshake *h = t->handshake;
    uint32_t tail = atomic_load_explicit(&h->tail, memory_order_relaxed);
    uint32_t head = atomic_load_explicit(&h->head, memory_order_acquire);
    uint64_t now = os_tsc();
    size_t taken = 0;
    struct target_stub stub;
    uint32_t strangers;

    places_begin(t);
    for (; tail != head; tail++) {
        struct find *f = &h->queue[tail % QUEUE];
        struct seen_thread *seen = told_thread(t, f);
        struct journal_answer answer = { .number_known = f->known,
                                         .number = f->number,
                                         .argument = f->argument };
        struct record_return record = record_of(t, f);

        if (seen == NULL || seen->thread == NULL) {
            continue;
        }
        if (record.head.kind == RECORD_TRANSITION) {
            model_feed(seen->thread, &record, RETURN_SIZE, now);
            taken += RETURN_SIZE;
            continue;
        }
        /* A module that we had not met: the answer needs its names. */
        if (!target_stub_at(&t->target, f->rip, &stub)) {
            places_find(t, f->time, f->rip);
        }
        put_answer(seen->thread, f->time, &answer);
        model_feed(seen->thread, &record, RETURN_SIZE, now);
        taken += RETURN_SIZE;
    }
    atomic_store_explicit(&h->tail, tail, memory_order_release);
    strangers = atomic_load_explicit(&h->strangers, memory_order_relaxed);
    if (strangers != h->strangers_told) {
        put_lost(t, now, LOST_DAMAGED, strangers - h->strangers_told);
        h->strangers_told = strangers;
    }
    for (size_t i = 0; i < h->told_count; i++) {
        if (h->told[i].thread != NULL) {
            /* One slot: what comes later was put there later. */
            model_thread_bound(h->told[i].thread,
                               last ? UINT64_MAX
                                    : now - 50 * t->session->timing.tsc_per_ms);
        }
    }
    return taken;
}

static void close_one(struct handshake *h)
{
    for (size_t i = 0; i < h->asked_count; i++) {
        os_thread_close(h->asked[i].handle);
    }
    free(h->asked);
    free(h->told);
    h->traced->handshake = NULL;
    free(h);
}

void handshake_stop(struct session *s)
{
    struct handshake_server *server = s->handshakes;
    struct handshake *h;

    if (server == NULL) {
        return;
    }
    atomic_store(&server->stop, true);
    os_thread_join(server->handler);
    while ((h = atomic_load(&server->first)) != NULL) {
        atomic_store(&server->first, h->next);
        close_one(h);
    }
    free(server);
    s->handshakes = NULL;
}
