/* SPDX-License-Identifier: MIT */
/*
 * begin.c - how a process comes to be traced: it is found, judged, started
 * under the agent, and told of.
 *
 * Runs on the main thread, before the process has run. Whatever fails, the
 * process is in the session's list, and is ended when that is given up.
 */
#include "live/begin.h"

#include "live/images.h"
#include "live/journal.h"
#include "live/pe.h"
#include "live/rings.h"

#include <stdlib.h>

#include "base/banned.h"

/* The names of the handles that the program begins with may take so long. */
#define HANDLES_MS 500

static bool find_program(const struct launch_options *o, uint16_t **path,
                         struct err *e)
{
    uint16_t *name = os_to_utf16(o->program);
    size_t size = 0;
    bool ok;

    if (name == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    while (name[size] != 0) {
        size++;
    }
    ok = os_find_program(path, (struct str16){ name, size }, e);
    os_free(name);
    return ok;
}

bool begin_about(const struct launch_options *o, struct err *e)
{
    struct err why = *e;

    /* "app.exe is a DLL", but "app.exe: cannot start: access denied". */
    err_set(e, why.code,
            str_starts(str_of(why.text), STR("is ")) ? "%.*s %s" : "%.*s: %s",
            STR_ARGS(o->program), why.text);
    e->os = why.os;
    return false;
}

static bool judge_program(const uint16_t *path, const struct launch_options *o,
                          struct err *e)
{
    uint8_t *head = malloc(PE_HEAD_SIZE);
    size_t size = 0;
    uint64_t file_size = 0;
    enum pe_kind kind;
    bool ok;

    if (head == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    ok = os_file_head(path, head, PE_HEAD_SIZE, &size, &file_size, e);
    if (!ok) {
        e->code = ERR_NOT_OURS;
        free(head);
        return begin_about(o, e);
    }
    kind = pe_judge(head, size, file_size);
    free(head);
    if (!pe_is_ours(kind)) {
        str why = pe_why_not(kind);

        err_set(e, ERR_NOT_OURS, "%.*s", (int)why.size, why.p);
        return begin_about(o, e);
    }
    return true;
}

static struct str16 whole16(const uint16_t *z)
{
    size_t size = 0;

    while (z[size] != 0) {
        size++;
    }
    return (struct str16){ z, size };
}

struct call_system begin_system(const struct call_set *own)
{
    return (struct call_system){
        .wine = os_own_ntdll("wine_get_version") != 0,
        .build = os_windows_build(),
        .own = own,
    };
}

struct plan_wants begin_wants(const struct session *s)
{
    struct plan_wants wants = telling_wants(&s->telling);

    if (s->options->record.size > 0) {
        wants.arguments = true;
        wants.handles = true;
        wants.paths = true;
    }
    return wants;
}

bool begin_follow(struct session *s, struct err *e)
{
    char room[1024];
    struct buf b = BUF_OVER(room);

    if (s->options->follow_only.size == 0) {
        return true;
    }
    buf_addf(&b, "process=%.*s", STR_ARGS(s->options->follow_only));
    s->follows = filter_open();
    if (s->follows == NULL || b.cut) {
        return err_set(e, ERR_OS, "out of memory");
    }
    return filter_add(s->follows, buf_str(&b), e);
}

/* What cannot be written at the end is known before the program runs. */
static bool begin_page(str path, struct err *e)
{
    struct os_file f;

    return path.size == 0 || path.p[0] == '|' ||
           (os_file_create(&f, path, e) && os_file_close(&f, e));
}

bool begin_output(struct session *s, struct err *e)
{
    const struct watch *watch = s->options->watch;

    if (watch != NULL) {
        return watch->open(watch->ctx, e);
    }
    if (s->options->record_only) {
        return begin_page(s->options->page, e);
    }
    return output_open(&s->output, s->view->output, false, e);
}

bool begin_launch(struct session *s, struct err *e)
{
    const struct launch_options *o = s->options;
    const struct plan_wants wants = begin_wants(s);
    struct traced *t = traced_open(s);
    uint16_t *path = NULL;
    bool ok;

    if (t == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    plan_open(&s->plan, &wants, begin_system(telling_own(&s->telling)),
              o->patch && o->engine == ENGINE_RING);
    if (!find_program(o, &path, e)) {
        return false;
    }
    os_to_utf8(&t->image, whole16(path));
    ok = judge_program(path, o, e) && begin_output(s, e);
    /* What the program sees as its command line is the tail of ours, unit
     * for unit. */
    if (ok &&
        !target_launch(&t->target, path, os_command_line().p + o->program_unit,
                       o, &s->plan, s->wake, &s->spares, &s->timing, e)) {
        ok = begin_about(o, e);
    }
    os_free(path);
    return ok;
}

/* --- what there is to tell of it --- */

static void on_handle(void *traced, const struct os_handle *h)
{
    put_handle(traced, h);
}

/* The handles that the program has before it runs, inherited ones first of
 * all. That some have no name is no reason not to trace. */
static void tell_handles(struct traced *t)
{
    struct err e = { 0 };

    if (t->target.patching && begin_wants(t->session).handles &&
        !os_handles_query(&t->target.os, HANDLES_MS, on_handle, t, &e)) {
        session_note(t->session,
                     "handles that the program had from the start may be "
                     "without a name: %s",
                     e.text);
    }
}

bool begin_told(struct traced *t, str command, struct err *e)
{
    struct session *s = t->session;
    const struct launch_options *o = s->options;

    put_process(t,
                o->engine == ENGINE_HANDSHAKE ? MODE_ASKED
                : o->patch                    ? MODE_PATCHED
                                              : MODE_RETURNS,
                buf_str(&t->image), command);
    if (t->process == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    if (t->target.plan->left_out > 0) {
        session_note(s,
                     "%u calls are shown without what their arguments "
                     "point to: no room for more capture programs",
                     t->target.plan->left_out);
    }
    if (!t->hidden) {
        tell_handles(t);
    }
    return true;
}

bool begin_process(struct traced *t, str command, struct err *e)
{
    if (!begin_told(t, command, e)) {
        return false;
    }
    return (images_tell_stubs(t, 0, &t->target.ntdll, &t->target.nt_stubs,
                              STR("ntdll.dll")) &&
            images_begin(t, 0)) ||
           err_set(e, ERR_OS, "out of memory");
}

bool begin_go(struct traced *t, bool resume, struct err *e)
{
    t->target.os.ctx = t;
    t->target.os.refused = &t->questions_refused;
    t->target.os.waited_for = rings_waited_for;
    if (!resume) {
        target_hand_back(&t->target);
    }
    return !resume || target_go(&t->target, e);
}

/* What is kept of processes that --follow does not name. */
static bool open_hidden(struct session *s, struct err *e)
{
    const struct plan_wants wants = { .nothing = true };
    const struct model_config config = { .system = s->plan.system,
                                         .hold = 100 * s->timing.tsc_per_ms,
                                         .no_handles = true };

    if (s->hidden_plan == NULL) {
        s->hidden_plan = malloc(sizeof(*s->hidden_plan));
        if (s->hidden_plan == NULL) {
            return err_set(e, ERR_OS, "out of memory");
        }
        plan_open(s->hidden_plan, &wants, s->plan.system, s->plan.entries);
    }
    if (s->hidden == NULL) {
        s->hidden = model_open(&config, &(struct model_out){ 0 }, e);
    }
    return s->hidden != NULL;
}

struct traced *begin_child(struct traced *parent, const struct born *b,
                           struct os_process *p, struct err *e)
{
    struct session *s = parent->session;
    struct traced *t = traced_open(s);
    char room[8192];
    struct buf command = BUF_OVER(room);

    if (t == NULL) {
        err_set(e, ERR_OS, "out of memory");
        return NULL;
    }
    t->parent = b->parent;
    t->parent_tid = b->tid;
    t->how = PROCESS_CHILD;
    t->last_pass = b->time;
    os_process_path(p, &t->image);
    os_process_command(p, &command);
    t->hidden = s->follows != NULL &&
                !filter_pass_process(s->follows, buf_str(&t->image));
    if (t->hidden && !open_hidden(s, e)) {
        traced_close(t);
        return NULL;
    }
    if (!t->hidden && begin_wants(s).handles) {
        os_handles_ahead(p);
    }
    if (!target_take_in(&t->target, p,
                        parent->attached ? NULL : &parent->target, s->options,
                        t->hidden ? s->hidden_plan : &s->plan, s->wake,
                        &s->spares, &s->timing, e)) {
        traced_close(t);
        return NULL;
    }
    if (!begin_process(t, buf_str(&command), e)) {
        os_process_terminate(&t->target.os, 1);
        *p = t->target.os;
        t->target.os = (struct os_process){ 0 };
        traced_close(t);
        return NULL;
    }
    return t;
}
