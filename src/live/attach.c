/* SPDX-License-Identifier: MIT */
/*
 * attach.c - how a process that runs comes to be traced.
 *
 * Section, agent and thunks are put there while it runs. Then a thread of ours
 * in it, the keeper, stops the others; in that moment its code is changed, the
 * callback is taken, and it is told what its threads and modules are. Whatever
 * fails, it runs on, as it was; what was put there stays only where a thread
 * may still come to it.
 */
#include "live/attach.h"

#include "live/begin.h"
#include "live/detach.h"
#include "live/early.h"
#include "live/images.h"
#include "live/journal.h"
#include "live/keeper.h"
#include "live/loader.h"
#include "live/quiet.h"
#include "live/returns.h"
#include "live/underway.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* A module that is mapped between two looks: how often they are repeated. */
#define LOOKS_MOST 5
#define MACHINE_ARM64 0xaa64
/* How often --wait looks whether the program is there. */
#define WAIT_MS 5
/* Threads that are held stop so soon. */
#define HELD_MS 300
/* Whoever has begun is through the first steps of its loader by then: at which a
 * user looks who wants to join it, or for which a thread that has made it may have
 * to wait. */
#define BEGIN_MS 5000
#define CHILD_BEGINS_MS 200

/* --- which process --- */

struct search {
    str wanted;
    uint32_t found[8];
    size_t count;
};

/* A name is that of its file, the extension may be left out. */
static bool is_named(str name, str wanted)
{
    return str_eq_nocase(name, wanted) ||
           (name.size == wanted.size + 4 &&
            str_eq_nocase(str_slice(name, 0, wanted.size), wanted) &&
            str_eq_nocase(str_slice(name, wanted.size, name.size),
                          STR(".exe")));
}

static void look_at(void *ctx, uint32_t pid, str name)
{
    struct search *s = ctx;

    if (pid != os_self().pid && is_named(name, s->wanted)) {
        if (s->count < COUNT_OF(s->found)) {
            s->found[s->count] = pid;
        }
        s->count++;
    }
}

static bool ambiguous(const struct search *s, struct err *e)
{
    char room[200];
    struct buf list = BUF_OVER(room);

    for (size_t i = 0; i < s->count && i < COUNT_OF(s->found); i++) {
        buf_addf(&list, "%s%u", i > 0 ? ", " : "", (unsigned)s->found[i]);
    }
    if (s->count > COUNT_OF(s->found)) {
        buf_add(&list, STR(", ..."));
    }
    return err_set(e, ERR_OS, "is the name of %zu: %.*s; give one's number",
                   s->count, STR_ARGS(buf_str(&list)));
}

/* What stands behind -p: a process id, or the name of a program. */
static bool find(str wanted, uint32_t *pid, struct err *e)
{
    struct search s = { .wanted = wanted };
    uint64_t number;

    if (str_to_u64(wanted, &number)) {
        *pid = (uint32_t)number;
        return number <= UINT32_MAX || err_set(e, ERR_OS, "no such process");
    }
    if (!os_process_each(look_at, &s, e)) {
        return false;
    }
    if (s.count > 1) {
        return ambiguous(&s, e);
    }
    *pid = s.found[0];
    return s.count == 1 || err_set(e, ERR_NOT_FOUND, "no such process");
}

/* --wait: until there is one. False: the user has other wishes. */
static bool await(str wanted, uint32_t *pid, struct err *e)
{
    while (!find(wanted, pid, e)) {
        if (e->code != ERR_NOT_FOUND) {
            return false;
        }
        if (os_interrupt_take() != OS_INTERRUPT_NONE) {
            return err_set(e, ERR_OS, "nobody has started it");
        }
        os_sleep(WAIT_MS);
    }
    return true;
}

/* --- into it --- */

/* Prefixes *e's text with what was to be attached to. False. */
static bool about(str wanted, struct err *e)
{
    struct err why = *e;

    err_set(e, ERR_OS,
            str_starts(str_of(why.text), STR("is ")) ? "process %.*s %s"
                                                     : "process %.*s: %s",
            STR_ARGS(wanted), why.text);
    e->os = why.os;
    return false;
}

static void find_win32u(void *ctx, const struct loaded *l)
{
    struct traced *t = ctx;

    if (str_eq_nocase(l->name, STR("win32u.dll")) &&
        t->target.win32u.bytes == NULL) {
        images_win32u(t, l->base);
    }
}

/* win32u, if it is there by now: *added. */
static bool bend_win32u(struct traced *t, bool *added, struct err *e)
{
    bool had = t->target.win32u.bytes != NULL;

    loader_each(&t->target.os, find_win32u, t);
    *added = !had && t->target.win32u.bytes != NULL;
    return !*added || !t->target.patching || target_bend_win32u(&t->target, e);
}

/* True if all threads of it, which are held, stand where the system has put
 * them: none of its instructions has been executed. */
static bool stands_at_start(const struct os_threads *threads)
{
    const uint64_t start = os_own_ntdll("RtlUserThreadStart");
    size_t count;
    const struct os_stopped *s = os_threads_list(threads, &count);

    for (size_t i = 0; i < count; i++) {
        if (s[i].rip != start) {
            return false;
        }
    }
    return true;
}

/* Nothing is asked that a thread of it would have to answer, and it is not
 * stopped: in its first moments, of which the system's own side of it makes the
 * most, it would not bear that (Wine's is in the middle of malloc), and would
 * stay so if we were ended. */
bool attach_may(const struct os_process *p)
{
    struct os_threads *threads;
    struct err ignored;
    bool may;

    if (os_process_has_begun(p)) {
        return true;
    }
    if (!os_process_is_new(p) || !os_process_is_suspended(p)) {
        return false;
    }
    threads = os_threads_ask(p, 0, &ignored);
    may = threads != NULL && os_threads_answer(threads, HELD_MS) &&
          stands_at_start(threads);
    os_threads_close(threads);
    return may;
}

/* A performance counter's value, `ms` from now. */
static uint64_t in_ms(uint32_t ms)
{
    struct os_clock now;

    os_clock_read(&now);
    return now.counter + ms * os_counter_frequency() / 1000;
}

/* For a moment; false: it is later than `until`. */
static bool sleep_until(uint64_t until, struct err *e)
{
    if (in_ms(0) > until) {
        return err_set(e, ERR_OS, "it does not begin");
    }
    os_sleep(1);
    return true;
}

/* Waits until it may be joined: it has begun, or stands before its first
 * instruction by its maker's will. */
static bool await_start(const struct os_process *p, uint64_t until,
                        struct err *e)
{
    uint32_t code;

    while (!attach_may(p)) {
        if (os_process_ended(p, &code)) {
            return err_set(e, ERR_NOT_FOUND, "has ended");
        }
        if (!sleep_until(until, e)) {
            return false;
        }
    }
    return true;
}

/* The same as at launch, but for a process whose maker may let it run at any
 * moment: so we hold it as well. *begun: it has, and nothing was done. */
static bool hook_held(struct target *t, bool *begun, struct err *e)
{
    struct os_threads *threads;
    struct err ignored;
    bool ok = false;

    os_process_hold(&t->os, true);
    threads = os_threads_ask(&t->os, 0, e);
    *begun = threads != NULL &&
             (!os_threads_answer(threads, HELD_MS) ||
              !os_process_is_new(&t->os) || !stands_at_start(threads));
    if (threads != NULL && !*begun) {
        ok = target_hook(t, e);
        if (!ok) {
            target_unhook(t, &ignored);
        }
    }
    os_process_hold(&t->os, false);
    os_threads_close(threads);
    return ok;
}

/* A process that has not run is hooked; one that has is left alone until its
 * loader works: a thread of ours would be the first there. */
static bool hook_new(struct target *t, uint64_t until, struct err *e)
{
    while (os_process_is_new(&t->os)) {
        bool begun = true;

        if (os_process_is_suspended(&t->os) && hook_held(t, &begun, e)) {
            return true;
        }
        if (!begun || !sleep_until(until, e)) {
            return false;
        }
    }
    return true;
}

/* `ms`: it has begun by then. */
static bool get_in(struct traced *t, uint32_t pid, uint32_t ms, struct err *e)
{
    const uint64_t until = in_ms(ms);
    struct session *s = t->session;
    const struct launch_options *o = s->options;
    struct target *target = &t->target;
    bool ignored;
    uint32_t code;

    *target = (struct target){ .engine = o->engine,
                               .patching = o->patch,
                               .plan = &s->plan,
                               .wake = s->wake };
    t->attached = true;
    t->how = PROCESS_ATTACHED;
    if (pid == os_self().pid) {
        return err_set(e, ERR_NOT_OURS, "is ntstrace itself");
    }
    if (!os_process_open(&target->os, pid, e)) {
        return false;
    }
    if (os_process_ended(&target->os, &code)) {
        return err_set(e, ERR_NOT_FOUND, "has ended");
    }
    if (os_process_machine(&target->os) == MACHINE_ARM64) {
        return err_set(e, ERR_OS,
                       "is an ARM64 program; ntstrace follows x64 programs "
                       "only");
    }
    os_process_path(&target->os, &t->image);
    if (!await_start(&target->os, until, e)) {
        return false;
    }
    if (!target_settle(target, o, &s->timing, e)) {
        return false;
    }
    if (!hook_new(target, until, e)) {
        return false;
    }
    if (target->hooked) {
        return true;
    }
    t->started = true;  // there is no first thread that waits
    return bend_win32u(t, &ignored, e);
}

void attach_leave(struct traced *t)
{
    struct target *target = &t->target;
    struct err ignored;
    uint32_t code;

    if (target->os.process == NULL || os_process_ended(&target->os, &code) ||
        target->keeper.thread != NULL) {
        return;
    }
    if (target->hooked) {
        /* It may begin just now, and asks nobody then. */
        atomic_store(&target->section->dead, 1);
        os_event_set(target->room);
        detach(target, NULL, &ignored);
        return;
    }
    if (target->section_there != 0) {
        os_section_unmap(&target->os, target->section_there, &ignored);
        target->section_there = 0;
    }
    if (target->agent != 0) {
        os_release_at(&target->os, target->agent, &ignored);
        target->agent = 0;
    }
}

static bool open_one(struct session *s, str wanted, struct err *e)
{
    struct traced *t;
    uint32_t pid = 0;
    uint32_t code;

    if (!(s->options->wait ? await(wanted, &pid, e) : find(wanted, &pid, e))) {
        return about(wanted, e);
    }
    t = traced_open(s);
    if (t == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    if (get_in(t, pid, BEGIN_MS, e)) {
        return true;
    }
    if (t->target.os.process != NULL &&
        os_process_ended(&t->target.os, &code)) {
        err_set(e, ERR_NOT_FOUND, "has ended");
    }
    attach_leave(t);
    traced_close(t);
    return about(wanted, e);
}

/* Those that cannot be attached to are a note, and the last one's reason is in
 * *e. */
static void open_each(struct session *s, str list, struct err *e)
{
    while (list.size > 0) {
        str one, rest = STR("");

        str_cut(list, ',', &one, &rest);
        if (one.size > 0 && !open_one(s, one, e)) {
            session_note(s, "%s", e->text);
        }
        list = rest;
    }
}

bool attach_open(struct session *s, struct err *e)
{
    const struct launch_options *o = s->options;
    const struct plan_wants wants = begin_wants(s);

    plan_open(&s->plan, &wants, begin_system(telling_own(&s->telling)),
              o->patch);
    for (size_t i = 0; i < o->attach.count; i++) {
        open_each(s, o->attach.at[i], e);
    }
    if (s->traced == NULL) {
        s->notes->size = 0;  // *e says it
        return false;
    }
    return begin_output(s, e);
}

/* --- the moment --- */

struct joining {
    struct traced *t;
    uint64_t time;  // TSC
    struct os_threads *threads;
    bool again;  // a thread stands where it must not
};

static void tell_module(void *ctx, const struct loaded *l)
{
    struct joining *j = ctx;

    images_found(j->t, j->time, l->base, l->size, l->name, l->path);
}

/* Puts back what was put, and the callback, while all are stopped. */
static void unjoin(struct target *t)
{
    const struct patched *x[] = { &t->nt_stubs, &t->win32u_stubs };
    struct err ignored;

    for (size_t i = 0; i < COUNT_OF(x); i++) {
        if (x[i]->count > 0) {
            keeper_write(t, x[i]->from, x[i]->was, x[i]->size, &ignored);
        }
    }
    keeper_order(t, KEEPER_LISTEN_NO, &ignored);
}

static bool bend(struct target *t, struct err *e)
{
    const struct patched *x[] = { &t->nt_stubs, &t->win32u_stubs };

    for (size_t i = 0; i < COUNT_OF(x); i++) {
        if (x[i]->count > 0 &&
            !keeper_write(t, x[i]->from, x[i]->is, x[i]->size, e)) {
            return false;
        }
    }
    return true;
}

/* A tracer that was killed may have left a thread suspended. */
static void wake_asked(const struct target *t, const struct dead_agent *d)
{
    const uint64_t at = d->section + offsetof(struct section, asked);
    const uint32_t nobody = 0;
    struct err ignored;
    void *thread;
    uint32_t tid;

    if (d->section == 0 || !os_read(&t->os, at, &tid, sizeof(tid)) ||
        tid == 0 ||
        os_thread_open(t->os.pid, tid, 0, &thread) != OS_THREAD_OPEN) {
        return;
    }
    if (os_write(&t->os, at, &nobody, sizeof(nobody), &ignored)) {
        os_thread_resume(thread);
    }
    os_thread_close(thread);
}

/* Takes the callback, or sees that returns come without it. */
static bool listen(struct joining *j, struct err *e)
{
    struct err why;

    if (!j->t->target.returns &&
        keeper_order(&j->t->target, KEEPER_LISTEN, e)) {
        return true;
    }
    if (returns_join(j->t, j->threads, &j->again, &why)) {
        return true;
    }
    if (j->again || j->t->target.returns) {
        *e = why;
    }
    return false;
}

/* All are stopped. */
static bool change(struct joining *j, struct err *e)
{
    struct traced *t = j->t;
    struct target *target = &t->target;
    size_t count;
    const struct os_stopped *s = os_threads_list(j->threads, &count);

    target->dead_quiet = true;
    for (size_t i = 0; i < target->dead_count; i++) {
        const struct dead_agent *d = &target->dead[i];
        bool doubt;

        target->dead_quiet = target->dead_quiet &&
                             quiet_is(target, j->threads, d->at, &doubt) &&
                             !doubt;
        wake_asked(target, d);
    }
    j->time = os_tsc();
    t->last_pass = j->time;
    /* What another tracer has left there is void. */
    target_clear_rings(target, s, count);
    if (!listen(j, e)) {
        return false;
    }
    if (!bend(target, e)) {
        unjoin(target);
        return false;
    }
    images_tell_stubs(t, j->time, &target->ntdll, &target->nt_stubs,
                      STR("ntdll.dll"));
    if (target->win32u.bytes != NULL) {
        images_tell_win32u(t, j->time);
    }
    loader_each(&target->os, tell_module, j);
    put_notice(t, j->time, NOTICE_ATTACHED);
    if (target->returns) {
        put_notice(t, j->time, NOTICE_NO_CALLBACK);
    }
    if (target->patching) {
        early_tell(t, j->time, s, count);
        underway_note(t, j->threads, false, false);
    }
    return true;
}

/* Stops it when win32u is either known or not there. */
static bool stop(struct joining *j, struct err *e)
{
    struct target *target = &j->t->target;

    for (int i = 0; i < LOOKS_MOST; i++) {
        bool added = false;
        bool ok;

        if (!keeper_stop(target, &j->threads, e)) {
            return false;
        }
        loader_each(&target->os, find_win32u, j->t);
        if (target->win32u.bytes == NULL || target->win32u_sealed ||
            !target->patching) {
            return true;
        }
        /* It has come since: its thunks are written while the threads run. */
        target_forget_win32u(target);
        ok = keeper_go(target, &j->threads, e) && bend_win32u(j->t, &added, e);
        if (!ok) {
            return false;
        }
    }
    return err_set(e, ERR_OS, "it loads win32u.dll again and again");
}

/* True if its keeper has closed its handles, or is about to: their numbers may
 * be others' by now, even ours. */
static bool is_shut(const struct target *t, const struct dead_agent *d)
{
    const uint64_t at = d->section + offsetof(struct section, keeper.what);
    uint32_t what;

    return !os_read(&t->os, at, &what, sizeof(what)) || what == KEEPER_END;
}

/* What tracers have left that are dead: nothing leads there any more. If somebody
 * is in one agent all stays, for the next to come: he may have the ring of another's
 * section, where one was killed that had just taken over. */
static void clear_dead(struct target *t)
{
    struct err ignored;

    for (size_t i = 0; i < t->dead_count && t->dead_quiet; i++) {
        const struct dead_agent *d = &t->dead[i];
        bool shut = d->section == 0 || is_shut(t, d);

        if ((d->section != 0 &&
             !os_section_unmap(&t->os, d->section, &ignored)) ||
            !os_release_at(&t->os, d->at, &ignored) || shut) {
            continue;
        }
        for (size_t k = 0; k < COUNT_OF(d->handles); k++) {
            keeper_pages(t, KEEPER_SHUT,
                         (struct target_pages){ d->handles[k], 0 }, &ignored);
        }
    }
    t->dead_count = 0;
}

static bool join(struct traced *t, struct err *e)
{
    struct joining j = { .t = t };
    struct err why;
    bool ok = false;

    if (!keeper_start(&t->target, NULL, e)) {
        return false;
    }
    for (int i = 0; !ok && i < LOOKS_MOST && stop(&j, e); i++) {
        j.again = false;
        ok = change(&j, e);
        if (!keeper_go(&t->target, &j.threads, &why) && ok) {
            *e = why;
            ok = false;
        }
        if (!j.again) {
            break;
        }
    }
    if (ok && t->target.keeper.replaced && t->target.dead_count == 0) {
        session_note(t->session,
                     "process %u: another owner of the callback was there, "
                     "which hears of nothing any more",
                     (unsigned)t->target.os.pid);
    }
    if (ok) {
        clear_dead(&t->target);
    }
    keeper_end(&t->target, KEEPER_LEAVE, NULL);
    return ok;
}

bool attach_join(struct traced *t, struct err *e)
{
    char room[24], line[8192];
    struct buf pid = BUF_OVER(room);
    struct buf command = BUF_OVER(line);
    uint32_t code;

    os_process_command(&t->target.os, &command);
    if (!begin_told(t, buf_str(&command), e)) {
        return false;
    }
    if (!t->started) {
        put_notice(t, os_tsc(), NOTICE_ATTACHED);
        t->joined = images_tell_stubs(t, 0, &t->target.ntdll,
                                      &t->target.nt_stubs, STR("ntdll.dll")) &&
                    images_begin(t, 0);
        return t->joined || err_set(e, ERR_OS, "out of memory");
    }
    if (join(t, e)) {
        t->joined = true;
        if (t->session->options->wait) {
            session_note(t->session,
                         "process %u had run for %llu ms when it was joined",
                         (unsigned)t->target.os.pid,
                         (unsigned long long)os_process_age(&t->target.os));
        }
        return true;
    }
    if (os_process_ended(&t->target.os, &code)) {
        err_set(e, ERR_NOT_FOUND, "has ended");
    }
    attach_leave(t);
    buf_addf(&pid, "%u", (unsigned)t->target.os.pid);
    return about(buf_str(&pid), e);
}

struct traced *attach_child(struct session *s, const struct born *b,
                            uint32_t pid, struct err *e)
{
    struct traced *t = traced_open(s);
    bool ok;

    if (t == NULL) {
        err_set(e, ERR_OS, "out of memory");
        return NULL;
    }
    ok = get_in(t, pid, CHILD_BEGINS_MS, e);
    t->parent = b->parent;
    t->parent_tid = b->tid;
    t->how = PROCESS_CHILD;
    if (ok && attach_join(t, e) && begin_go(t, false, e)) {
        return t;
    }
    attach_leave(t);
    traced_close(t);
    return NULL;
}
