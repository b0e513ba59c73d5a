/* SPDX-License-Identifier: MIT */
/*
 * detach.c - letting a process go that runs.
 *
 * All is changed in one moment in which its threads are stopped and none of
 * them is in the agent: so no call is seen by one witness alone. If there is no
 * such moment (exceptions without end, say) the callback goes first, after which
 * nobody comes into the agent by it.
 *
 * Code that somebody may come back to stays: if a thread does not leave the
 * agent, or the words that an APC or an exception will go on by lie in it.
 */
#include "live/detach.h"

#include "live/quiet.h"
#include "live/returns.h"
#include "wire/ring.h"

#include <stdlib.h>

#include "base/banned.h"

/* So often a good moment is looked for; then the callback goes first; ... */
#define TRIES_WITH_CALLBACK 12
/* ... and then one that will do is taken. */
#define TRIES 60
/* Who has made a process lets it run soon, as a rule. */
#define NEW_MS 100
/* ... and its loader begins soon then. */
#define BEGINS_MS 5000
/* Threads that are held stop so soon. */
#define HELD_MS 300

struct detaching {
    struct target *t;
    const struct meanwhile *m;
    struct os_threads *threads;
    bool doubt;  // somebody may come back to the agent
    struct err why;
};

/* The callback goes first. What the program registers from now on is its own
 * affair: nobody would hear of the return by which the agent learns of it. */
static void hush(struct detaching *d)
{
    _Atomic uint32_t *owner = &d->t->section->callback_owner;
    uint32_t ours = CALLBACK_OURS, nobodys = CALLBACK_NOBODYS;

    atomic_compare_exchange_strong(owner, &ours, nobodys);
    if (!keeper_order(d->t, KEEPER_LISTEN_NO, &d->why)) {
        atomic_compare_exchange_strong(owner, &nobodys, CALLBACK_OURS);
    }
}

/* Stops all when nobody is in the agent. False: they cannot be stopped. */
static bool find_moment(struct detaching *d)
{
    struct target *t = d->t;

    for (int i = 0;; i++) {
        bool quiet, doubt;

        if (i == TRIES_WITH_CALLBACK) {
            hush(d);
        }
        if (!keeper_stop(t, &d->threads, &d->why)) {
            return false;
        }
        quiet = quiet_is(t, d->threads, t->agent, &doubt) &&
                !target_is_chaining(t) && returns_may_change(t, d->threads);
        if (i >= TRIES && !returns_may_change(t, d->threads)) {
            keeper_go(t, &d->threads, &d->why);
            return err_set(&d->why, ERR_OS,
                           "a thread stays at the end of a function");
        }
        if ((quiet && !doubt) || i >= TRIES) {
            d->doubt = !quiet || doubt;
            return true;
        }
        if (!keeper_go(t, &d->threads, &d->why)) {
            return false;
        }
        if (d->m != NULL && d->m->run != NULL) {
            d->m->run(d->m->ctx);
        }
        os_sleep(i < TRIES_WITH_CALLBACK ? 1 : 3);
    }
}

static void unbend(struct detaching *d, const struct patched *x)
{
    uint8_t *bytes;
    struct err e;

    if (x->count == 0) {
        return;
    }
    bytes = target_unbent(&d->t->os, x);
    if (bytes == NULL) {
        err_set(&d->why, ERR_OS, "the program's code cannot be read");
        d->doubt = true;
    } else if (!keeper_write(d->t, x->from, bytes, x->size, &e)) {
        d->why = e;
        d->doubt = true;
    }
    free(bytes);
}

/* While all are stopped. */
static void undo(struct detaching *d)
{
    struct target *t = d->t;
    size_t count;
    const struct os_stopped *s = os_threads_list(d->threads, &count);
    struct err e;

    unbend(d, &t->nt_stubs);
    unbend(d, &t->win32u_stubs);
    target_clear_rings(t, s, count);
    if (!t->returns && !target_is_chaining(t) &&
        atomic_load(&t->section->callback_owner) == CALLBACK_PROGRAMS) {
        /* It has its own, as far as we know. */
        d->doubt = true;
    } else if (!keeper_order(t, KEEPER_LISTEN_NO, &e)) {
        /* Also ordered if it has gone first: the program may have registered one
         * since, and the kernel have ours in its place. May be refused under CFG
         * (docs/facts.md A5.3): then the callback stays and, with the section
         * dead, writes nothing once its rings are full. */
        d->why = e;
        d->doubt = true;
    }
    atomic_store(&t->section->dead, 1);
}

/* Nobody is in the agent, and our thread has ended. */
static void take_back(struct detaching *d)
{
    struct err e;

    if (!os_section_unmap(&d->t->os, d->t->section_there, &e) ||
        !os_release_at(&d->t->os, d->t->agent, &e)) {
        d->why = e;
    }
}

/* Nothing could be done: at least nobody waits for us any more. */
static bool give_up(struct detaching *d, struct err *e)
{
    atomic_store(&d->t->section->dead, 1);
    os_event_set(d->t->room);
    keeper_end(d->t, KEEPER_LEAVE, NULL);
    *e = d->why;
    return false;
}

/* True if its first thread has not come to the agent, while all are held: it has
 * not reported, and nobody is in there. */
static bool is_untouched(struct target *t)
{
    struct os_threads *threads;
    struct err ignored;
    bool doubt, ok;

    if (!os_process_is_new(&t->os) ||
        atomic_load(&t->section->start_status) != 0) {
        return false;
    }
    threads = os_threads_ask(&t->os, 0, &ignored);
    ok = threads != NULL && os_threads_answer(threads, HELD_MS) &&
         quiet_is(t, threads, t->agent, &doubt) && !doubt;
    os_threads_close(threads);
    return ok;
}

/* Its loader has not run. For a while it is waited for that: threads that are
 * under way have their answers from us meanwhile. If the first one has not come
 * to the agent by then, it is as if it were launched: *done. (PEB.Ldr alone does
 * not say so: the agent comes before the loader.) */
static bool detach_new(struct detaching *d, bool *done, struct err *e)
{
    const uint64_t hz = os_counter_frequency();
    struct os_clock now;
    uint64_t begun, untouched;
    bool ok = true;

    *done = false;
    os_clock_read(&now);
    begun = now.counter;
    untouched = begun + NEW_MS * hz / 1000;
    while (ok && !*done && os_process_is_new(&d->t->os) &&
           now.counter < begun + BEGINS_MS * hz / 1000) {
        if (d->m != NULL && d->m->run != NULL) {
            d->m->run(d->m->ctx);
        }
        if (now.counter > untouched) {
            untouched = now.counter + NEW_MS * hz / 1000;
            os_process_hold(&d->t->os, true);
            *done = is_untouched(d->t);
            ok = !*done || target_unhook(d->t, e);
            os_process_hold(&d->t->os, false);
        }
        os_sleep(1);
        os_clock_read(&now);
    }
    if (ok && *done) {
        take_back(d);
        *e = d->why;
        return d->why.code == ERR_NONE;
    }
    if (ok && os_process_is_new(&d->t->os)) {
        /* Ours would be the first thread of its loader. */
        err_set(&d->why, ERR_OS, "it does not begin");
        return give_up(d, e);
    }
    return ok;
}

bool detach(struct target *t, const struct meanwhile *m, struct err *e)
{
    struct detaching d = { .t = t, .m = m };
    struct err ignored;
    bool done, ok;

    if (os_process_is_new(&t->os)) {
        ok = detach_new(&d, &done, e);
        if (done || !ok) {
            return ok;
        }
    }
    if (!keeper_start(t, m, &d.why) || !find_moment(&d)) {
        return give_up(&d, e);
    }
    d.why = (struct err){ 0 };
    undo(&d);
    os_event_set(t->room);
    if (!keeper_go(t, &d.threads, &ignored)) {
        d.why = ignored;
        d.doubt = true;
    }
    if (keeper_end(t, d.doubt ? KEEPER_LEAVE : KEEPER_END, NULL) && !d.doubt) {
        take_back(&d);
    }
    *e = d.why;
    return d.why.code == ERR_NONE;
}
