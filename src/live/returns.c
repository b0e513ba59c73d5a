/* SPDX-License-Identifier: MIT */
/*
 * returns.c - see returns.h.
 *
 * A process that begins has one thread, which waits for us and does the chores.
 * In one that runs all threads are stopped by the keeper, which is asked first who
 * hears of returns: that a thread enters call after call is no proof that the
 * callback is gone. If it cannot be done, the line says what is missing, and the
 * program runs on.
 */
#include "live/returns.h"

#include "live/journal.h"
#include "live/rings.h"
#include "live/session.h"
#include "live/underway.h"

#include <stdlib.h>

#include "base/banned.h"

/* So many entries in a row without a return may mean that the callback is gone. */
#define MISSED_MOST 16
/* Each time that it was not, four times as many; up to this. */
#define MISSED_FEWEST_LOOKS 10
/* How often a moment is looked for in which nobody stands in a function's end. */
#define MOMENTS 20
/* How often functions are looked at. */
#define LOOK_MS 50
/* What a program that may not change its own code is told. */
#define STATUS_DYNAMIC_CODE_BLOCKED 0xc0000604

/* traced.returns_step */
enum {
    STEP_FIRST,
    STEP_OPENED,
    STEP_CLOSED
};

/* --- when it begins --- */

/* Nobody hears of our own calls. */
static bool take_over(struct traced *t, uint32_t owner, struct err *e)
{
    struct err why = *e;

    if (!target_bend_ends(&t->target, e)) {
        return false;
    }
    *e = why;
    atomic_store_explicit(&t->target.section->callback_owner, owner,
                          memory_order_relaxed);
    return true;
}

static enum returns_state begun(struct traced *t, uint64_t time)
{
    put_notice(t, time, NOTICE_NO_CALLBACK);
    return RETURNS_DONE;
}

static enum returns_state failed(uint32_t status, struct err *e)
{
    err_set(e, ERR_OS, "the program cannot change its pages (0x%08x)",
            (unsigned)status);
    return RETURNS_FAILED;
}

enum returns_state returns_begin(struct traced *t, uint64_t time, bool waits,
                                 uint32_t status, struct chore *c,
                                 struct err *e)
{
    const struct patched *x = &t->target.nt_stubs;

    if (!waits) {
        err_set(e, ERR_OS, "its first thread did not wait for us");
        return RETURNS_FAILED;
    }
    *c = (struct chore){ CHORE_NONE, x->from, x->size };
    switch (t->returns_step) {
    case STEP_FIRST:
        if (!t->target.patching || x->count == 0 ||
            !take_over(t, CALLBACK_NOBODYS, e)) {
            return RETURNS_FAILED;
        }
        t->returns_step = STEP_OPENED;
        c->kind = CHORE_OPEN;
        return RETURNS_CHORE;
    case STEP_OPENED:
        if (status == STATUS_DYNAMIC_CODE_BLOCKED) {
            return target_put_stubs_outside(&t->target, e) ? begun(t, time)
                                                           : RETURNS_FAILED;
        }
        if ((int32_t)status < 0) {
            return failed(status, e);
        }
        if (!os_write(&t->target.os, x->from, x->is, x->size, e)) {
            return RETURNS_FAILED;
        }
        t->returns_step = STEP_CLOSED;
        c->kind = CHORE_CLOSE;
        return RETURNS_CHORE;
    default:
        return (int32_t)status < 0 ? failed(status, e) : begun(t, time);
    }
}

/* --- while all are stopped --- */

bool returns_may_change(const struct target *t,
                        const struct os_threads *threads)
{
    size_t count;
    const struct os_stopped *s = os_threads_list(threads, &count);

    for (size_t i = 0; i < count; i++) {
        if (target_stands_in_end(t, s[i].rip)) {
            return false;
        }
    }
    return true;
}

bool returns_join(struct traced *t, const struct os_threads *threads,
                  bool *again, struct err *e)
{
    *again = false;
    if (!t->target.patching || t->target.nt_stubs.count == 0) {
        return false;
    }
    /* What a dead tracer has left must not hear of returns as well. */
    if (!t->target.returns &&
        ((t->target.dead_count > 0 &&
          !keeper_order(&t->target, KEEPER_LISTEN_NO, e)) ||
         !take_over(t, CALLBACK_NOBODYS, e) ||
         !keeper_order(&t->target, KEEPER_LISTEN, e))) {
        return false;
    }
    if (!returns_may_change(&t->target, threads)) {
        *again = true;
        return err_set(e, ERR_OS, "a thread stands at the end of a function");
    }
    return true;
}

static bool put(struct target *t, const struct patched *x, struct err *e)
{
    uint8_t *bytes;
    size_t heads;
    bool ok;

    if (x->count == 0) {
        return true;
    }
    bytes = target_bent(&t->os, x, &heads);
    if (bytes == NULL) {
        return err_set(e, ERR_OS, "the program's code cannot be read");
    }
    ok = keeper_write(t, x->from, bytes, x->size, e);
    free(bytes);
    return ok;
}

/* Who hears of returns, as the keeper finds it. */
static bool ask_who(struct target *t, uint32_t *owner, struct err *e)
{
    if (!keeper_order(t, KEEPER_WHO, e)) {
        return false;
    }
    *owner = t->section->keeper.status - 1;
    return *owner <= CALLBACK_NOBODYS ||
           err_set(e, ERR_OS, "our thread does not say who has the callback");
}

static bool stop(struct target *t, struct os_threads **threads, struct err *e)
{
    for (int i = 0; i < MOMENTS; i++) {
        if (!keeper_stop(t, threads, e)) {
            return false;
        }
        if (returns_may_change(t, *threads)) {
            return true;
        }
        if (!keeper_go(t, threads, e)) {
            return false;
        }
        os_sleep(1);
    }
    return err_set(e, ERR_OS, "a thread stays at the end of a function");
}

/* --- in a program that runs --- */

static void say_lost(struct traced *t, const struct err *why)
{
    uint32_t ours = CALLBACK_OURS;

    /* Whoever has it would hear of the agent's own calls, unless the agent knows
     * better. */
    atomic_compare_exchange_strong(&t->target.section->callback_owner, &ours,
                                   CALLBACK_PROGRAMS);
    t->callback_lost = true;
    put_notice(t, t->missed_at, NOTICE_CALLBACK_LOST);
    if (why != NULL) {
        session_note(t->session,
                     "process %u: calls have no results any more: %s",
                     (unsigned)t->target.os.pid, why->text);
    }
}

void returns_miss(struct traced *t, uint32_t entries, uint64_t time)
{
    const struct launch_options *o = t->session->options;
    uint32_t looks = t->missed_in_vain < MISSED_FEWEST_LOOKS
                         ? t->missed_in_vain
                         : MISSED_FEWEST_LOOKS;

    if (t->callback_lost || t->target.returns || t->missed ||
        entries < (uint32_t)MISSED_MOST << 2 * looks) {
        return;
    }
    t->missed_at = time;
    if (o->honor_callback || !t->target.patching) {
        say_lost(t, NULL);
    } else {
        t->missed = true;
    }
}

void returns_put_back(struct traced *t, uint64_t time, bool win32u,
                      size_t count)
{
    if (t->session->options->repatch) {
        t->put_back[win32u] += count;
    } else {
        put_patches_lost(t, time, win32u ? PATCHED_WIN32U : PATCHED_NTDLL,
                         count);
    }
}

static void tell_stubs(struct traced *t, uint64_t time, bool win32u)
{
    struct target *x = &t->target;

    put_stubs(t, time, win32u ? &x->win32u : &x->ntdll,
              win32u ? &x->win32u_stubs : &x->nt_stubs,
              win32u ? STR("win32u.dll") : STR("ntdll.dll"));
}

/* Functions of a module are looked at; nobody waits, so that there is nothing from
 * before the last pass to come. */
static void look_at(struct traced *t, bool win32u)
{
    size_t count = target_forget_all_unpatched(&t->target, win32u);

    if (count > 0) {
        tell_stubs(t, t->last_pass, win32u);
        returns_put_back(t, t->last_pass, win32u, count);
    }
}

/* While all are stopped; *changed: what stands there is to be put. */
static bool take_back(struct traced *t, bool *changed, struct err *e)
{
    uint32_t owner;

    if (!t->missed) {
        return true;
    }
    t->missed = false;
    if (!ask_who(&t->target, &owner, e)) {
        return false;
    }
    if (owner == CALLBACK_OURS) {
        t->missed_in_vain++;
        return true;
    }
    *changed = true;
    return take_over(t, owner, e) && keeper_order(&t->target, KEEPER_LISTEN, e);
}

static bool renew(struct traced *t, const struct os_threads *threads,
                  bool *changed, struct err *e)
{
    for (int i = 0; i < 2; i++) {
        if (t->put_back[i] > 0) {
            *changed = true;
            if (!target_bend_again(&t->target, i == 1, e)) {
                return false;
            }
            underway_note(t, threads, true, false);
        }
    }
    return true;
}

/* What was done is told, or what could not be. */
static void tell_renewed(struct traced *t, uint64_t time, bool ok)
{
    for (int i = 0; i < 2; i++) {
        const enum model_patched module =
            i == 1 ? PATCHED_WIN32U : PATCHED_NTDLL;
        size_t count = t->put_back[i], left;

        t->put_back[i] = 0;
        if (count == 0) {
            continue;
        }
        left = target_forget_all_unpatched(&t->target, i == 1);
        tell_stubs(t, time, i == 1);
        if (ok && left < count) {
            put_patched_again(t, time, module, count - left);
        } else {
            put_patches_lost(t, time, module, count);
        }
    }
}

static void change(struct traced *t, struct err *e)
{
    struct target *x = &t->target;
    struct os_threads *threads = NULL;
    struct err ignored;
    bool had = x->returns, missed = t->missed, changed = false, ok;
    uint64_t time;

    if (!stop(x, &threads, e)) {
        tell_renewed(t, os_tsc(), false);
        if (missed) {
            t->missed = false;
            say_lost(t, e);
        }
        return;
    }
    time = os_tsc();
    ok = take_back(t, &changed, e) && renew(t, threads, &changed, e);
    if (ok && x->returns && !had) {
        underway_note(t, threads, false, true);
    }
    if (ok && changed) {
        ok = put(x, &x->nt_stubs, e) && put(x, &x->win32u_stubs, e);
    }
    tell_renewed(t, time, ok);
    if (ok && x->returns && !had) {
        put_notice(t, time, NOTICE_CALLBACK_REPLACED);
    } else if (!ok && missed) {
        say_lost(t, e);
    }
    keeper_go(x, &threads, &ignored);
}

/* While its threads come to rest they have their answers from us. */
void returns_turn(struct traced *t, const struct meanwhile *m)
{
    const bool looks = t->target.returns || t->session->options->repatch;
    struct target *x = &t->target;
    struct os_process was;
    struct err e = { 0 };

    if (t->changing || t->ended || t->letting_go || !t->started ||
        rings_waited_for(t)) {
        return;
    }
    if (looks && x->patching && os_tsc() > t->look_at) {
        t->look_at = os_tsc() + LOOK_MS * t->session->timing.tsc_per_ms;
        look_at(t, false);
        look_at(t, true);
    }
    if (!t->missed && t->put_back[0] == 0 && t->put_back[1] == 0) {
        return;
    }
    t->changing = true;
    was = x->os;
    x->os.waited_for = NULL;
    if (keeper_start(x, m, &e)) {
        change(t, &e);
        keeper_end(x, KEEPER_LEAVE, m);
    } else {
        tell_renewed(t, os_tsc(), false);
        if (t->missed) {
            t->missed = false;
            say_lost(t, &e);
        }
    }
    x->os.waited_for = was.waited_for;
    t->changing = false;
}
