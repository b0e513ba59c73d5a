/* SPDX-License-Identifier: MIT */
/*
 * keeper.c - see keeper.h. The words are the target's to write: what they say
 * is believed only so far that we wait for no answer longer than a while.
 */
#include "live/keeper.h"

#include <stdlib.h>

#include "base/banned.h"

/* How long it may take to come to its place: it may need the loader's lock. */
#define START_MS 2000
#define ORDER_MS 2000
#define END_MS 2000
/* No attempt to stop all threads takes longer, and there are so many: one that
 * is being made or is ending may not stop until it has run again. */
#define STOP_MS 300
#define STOP_TRIES 10
/* So often others are let run before we sleep. */
#define YIELDS 200
#define NOT_DONE UINT32_MAX

extern const uint8_t agent_image[];

static const struct image_head *head(void)
{
    return (const struct image_head *)(const void *)agent_image;
}

/* Counts down `ms`, a round at a time; false: they are over. A round may be much
 * longer than a millisecond, and `until` is then what ends them. */
struct patience {
    uint32_t yields;
    uint32_t ms;
    uint64_t until;  // of the performance counter; 0: not begun
};

static bool is_over(struct patience *p)
{
    struct os_clock now;

    os_clock_read(&now);
    if (p->until == 0) {
        p->until = now.counter + p->ms * os_counter_frequency() / 1000;
    }
    return p->ms == 0 || now.counter > p->until;
}

static bool pass_time(struct patience *p, const struct meanwhile *m)
{
    if (m != NULL && m->run != NULL) {
        m->run(m->ctx);
    }
    if (p->yields > 0) {
        p->yields--;
        os_yield();
        return true;
    }
    if (is_over(p)) {
        return false;
    }
    p->ms--;
    os_sleep(1);
    return true;
}

/* Waits until order `count` is carried out. */
static bool wait_done(const struct target *t, uint32_t count, uint32_t ms,
                      const struct meanwhile *m, struct err *e)
{
    struct patience p = { YIELDS, ms, 0 };
    uint32_t code;

    for (;;) {
        /* In this order: it may end right after it has carried out the last. */
        bool gone = os_thread_ended(t->keeper.thread, &code);

        /* Acquire: it is carried out. Pairs with the releases in agent_keeper
         * (agent/keeper.c). */
        if (atomic_load_explicit(&t->section->keeper.done,
                                 memory_order_acquire) == count) {
            return true;
        }
        if (os_process_ended(&t->os, &code)) {
            return err_set(e, ERR_OS, "it has ended");
        }
        if (gone) {
            return err_set(e, ERR_OS, "it is ending");
        }
        if (!pass_time(&p, m)) {
            return err_set(e, ERR_OS, "it does not let our thread run");
        }
    }
}

static void order(struct target *t, enum keeper_what what,
                  struct target_pages pages)
{
    struct keeper_words *w = &t->section->keeper;

    w->what = what;
    w->address = pages.at;
    w->size = pages.size;
    /* Release: the order is there. Pairs with the acquire in agent_keeper. */
    atomic_store_explicit(&w->ordered, ++t->keeper.orders,
                          memory_order_release);
    os_event_set(t->keeper.event);
}

/* A program that ends itself begins with all threads but the one that asks for
 * it, our own among them, which may just have stopped that one: then we let it
 * go on, in code that is executable. Others that it had stopped are no more. */
static void stand_in(struct target *t)
{
    struct err ignored;
    uint32_t code;

    if (t->keeper.thread == NULL || !os_thread_ended(t->keeper.thread, &code)) {
        return;
    }
    keeper_look(t);
    if (t->keeper.opened.size > 0) {
        os_make_code(&t->os, t->keeper.opened.at, (size_t)t->keeper.opened.size,
                     &ignored);
    }
    t->keeper.opened.size = 0;
    if (t->keeper.stopped) {
        os_process_hold(&t->os, false);
    }
    t->keeper.stopped = false;
}

bool keeper_pages(struct target *t, enum keeper_what what,
                  struct target_pages pages, struct err *e)
{
    uint32_t status;

    if (t->keeper.thread == NULL) {
        return err_set(e, ERR_OS, "it is ending");
    }
    order(t, what, pages);
    t->keeper.stopped = t->keeper.stopped || what == KEEPER_STOP;
    if (what == KEEPER_OPEN) {
        t->keeper.opened = pages;
    }
    if (!wait_done(t, t->keeper.orders, ORDER_MS, NULL, e)) {
        stand_in(t);
        return false;
    }
    t->keeper.stopped = t->keeper.stopped && what != KEEPER_GO;
    if (what == KEEPER_CLOSE || what == KEEPER_GO) {
        t->keeper.opened.size = 0;
    }
    status = t->section->keeper.status;
    t->keeper.replaced = t->keeper.replaced ||
                         (what == KEEPER_LISTEN && status == KEEPER_REPLACED);
    if ((int32_t)status >= 0) {
        return true;
    }
    switch (what) {
    case KEEPER_STOP:
        return err_set(e, ERR_OS, "its threads cannot be stopped (0x%08x)",
                       (unsigned)status);
    case KEEPER_OPEN:
    case KEEPER_CLOSE:
        return err_set(e, ERR_OS,
                       "the program cannot change its pages (0x%08x)",
                       (unsigned)status);
    case KEEPER_LISTEN:
        return err_set(e, ERR_OS,
                       "this system does not let a process watch its own "
                       "system calls (NtSetInformationProcess said 0x%08x)",
                       (unsigned)status);
    case KEEPER_LISTEN_NO:
        return err_set(e, ERR_OS, "its callback stays (0x%08x)",
                       (unsigned)status);
    case KEEPER_GO:
    case KEEPER_WHO:
    case KEEPER_SHUT:
    case KEEPER_END:
    case KEEPER_LEAVE:
        break;
    }
    return err_set(e, ERR_OS, "our thread says 0x%08x", (unsigned)status);
}

bool keeper_order(struct target *t, enum keeper_what what, struct err *e)
{
    return keeper_pages(t, what, (struct target_pages){ 0, 0 }, e);
}

bool keeper_go(struct target *t, struct os_threads **threads, struct err *e)
{
    bool ok = keeper_order(t, KEEPER_GO, e);

    os_threads_close(*threads);
    *threads = NULL;
    return ok;
}

bool keeper_stop(struct target *t, struct os_threads **threads, struct err *e)
{
    for (int i = 0; i < STOP_TRIES; i++) {
        struct err ignored;

        if (!keeper_order(t, KEEPER_STOP, e)) {
            return false;
        }
        *threads = os_threads_ask(&t->os, t->keeper.tid, e);
        if (*threads != NULL && os_threads_answer(*threads, STOP_MS)) {
            return true;
        }
        if (*threads != NULL) {
            err_set(e, ERR_OS, "a thread does not stop");
        }
        if (!keeper_go(t, threads, &ignored)) {
            *e = ignored;
            return false;
        }
    }
    return false;
}

bool keeper_write(struct target *t, uint64_t to, const uint8_t *bytes,
                  size_t size, struct err *e)
{
    const struct target_pages pages = { to, size };
    struct err why;
    bool ok;

    if (!keeper_pages(t, KEEPER_OPEN, pages, e)) {
        return false;
    }
    ok = os_write(&t->os, to, bytes, size, e);
    if (!keeper_order(t, KEEPER_CLOSE, &why)) {
        *e = why;
        return false;
    }
    return ok;
}

/* What it needs: pages, an event. */
static bool prepare(struct target *t, struct err *e)
{
    struct keeper *k = &t->keeper;

    if (!k->committed &&
        !os_commit_at(&t->os, t->own + OWN_KEPT, OWN_KEPT_BYTES, e)) {
        return false;
    }
    k->committed = true;
    k->event = os_event_open(false, e);
    return k->event != NULL &&
           os_give_event(&t->os, k->event, false, &t->section->keeper.event, e);
}

bool keeper_start(struct target *t, const struct meanwhile *m, struct err *e)
{
    struct keeper_words *w = &t->section->keeper;
    struct keeper *k = &t->keeper;

    if (k->thread != NULL) {
        keeper_look(t);
        if (k->thread != NULL) {
            return err_set(e, ERR_OS, "it does not let our thread end");
        }
    }
    if (!prepare(t, e)) {
        return false;
    }
    k->orders = 0;
    atomic_store_explicit(&w->ordered, 0, memory_order_relaxed);
    atomic_store_explicit(&w->done, NOT_DONE, memory_order_relaxed);
    if (!os_thread_make(&t->os, t->agent + head()->keeper, &k->thread, &k->tid,
                        e)) {
        return false;
    }
    atomic_store_explicit(&w->tid, k->tid, memory_order_release);
    os_thread_resume(k->thread);
    if (wait_done(t, 0, START_MS, m, e)) {
        return true;
    }
    /* It ends as soon as it is there. */
    order(t, KEEPER_LEAVE, (struct target_pages){ 0, 0 });
    return false;
}

void keeper_look(struct target *t)
{
    struct keeper *k = &t->keeper;
    uint32_t code;

    if (k->thread != NULL && os_thread_ended(k->thread, &code)) {
        os_thread_close(k->thread);
        k->thread = NULL;
        k->tid = 0;
        os_event_close(k->event);
        k->event = NULL;
        /* Its id may come back as another's. */
        atomic_store_explicit(&t->section->keeper.tid, 0, memory_order_relaxed);
    }
}

bool keeper_end(struct target *t, enum keeper_what what,
                const struct meanwhile *m)
{
    struct patience p = { YIELDS, END_MS, 0 };
    struct err ignored;

    if (t->keeper.thread == NULL) {
        return true;
    }
    order(t, what, (struct target_pages){ 0, 0 });
    if (!wait_done(t, t->keeper.orders, ORDER_MS, m, &ignored)) {
        return false;
    }
    do {
        keeper_look(t);
    } while (t->keeper.thread != NULL && pass_time(&p, m));
    return t->keeper.thread == NULL;
}

void keeper_close(struct target *t)
{
    os_thread_close(t->keeper.thread);
    os_event_close(t->keeper.event);
    t->keeper = (struct keeper){ 0 };
}
