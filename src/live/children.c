/* SPDX-License-Identifier: MIT */
/*
 * children.c - takes in what a traced process has made, before it runs.
 *
 * The thread that made it waits for us meanwhile, so nothing is asked of its
 * process but what the kernel answers: its memory is read, its handles are
 * duplicated. The new process is another one, whose threads wait for nobody.
 * What the target says is a place in its memory; what a handle there is, the
 * kernel says.
 *
 * Whatever fails, the thread gets its answer, and the new process runs as if we
 * were not there, or is ended before it has run (target_take_in).
 */
#include "live/children.h"

#include "live/attach.h"
#include "live/begin.h"
#include "live/journal.h"
#include "live/rings.h"
#include "live/session.h"
#include "tables/roles.h"
#include "wire/making.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* A process that has begun is attached to when its loader has: of one without a
 * thread that has, ours would be the first. So long that is waited for, of so
 * many that a process has made. */
#define BEGIN_MS 200
#define LATE_MOST 16
/* How often one is looked at, for which it is stopped. */
#define LATE_MS 5

/* No call that makes a process takes longer, as far as we believe its record;
 * and so much the clocks may differ. */
#define MAKES_MS 10000
#define CLOCKS_MS 250

/* Argument `i`; 0 if it is not there. */
static uint64_t argument(const struct record_entry *entry,
                         const uint8_t *record, size_t i)
{
    size_t at = offsetof(struct record_entry, args) + i * sizeof(uint64_t);
    uint64_t word = 0;

    if (at + sizeof(word) <= entry->head.size) {
        memcpy(&word, record + at, sizeof(word));
    }
    return word;
}

static bool read_word(const struct traced *t, uint64_t at, uint64_t *word)
{
    return os_read(&t->target.os, at, word, sizeof(*word));
}

/* True unless the attributes at `list` name an image, as agent/child.c has
 * it. */
static bool names_no_image(const struct traced *t, uint64_t list)
{
    uint64_t length = 0, kind;

    if (list == 0) {
        return true;
    }
    if (!read_word(t, list, &length)) {
        return false;
    }
    length /= sizeof(struct attribute);
    for (uint64_t i = 0; i < length && i < ATTRIBUTES_MOST; i++) {
        uint64_t at = list + 8 + i * sizeof(struct attribute);

        if (!read_word(t, at, &kind) || kind == IMAGE_NAME) {
            return false;
        }
    }
    return true;
}

void children_entry(struct traced *t, struct drained *d, const uint8_t *record)
{
    struct making *m = &d->making;
    struct record_entry entry;

    memcpy(&entry, record, sizeof(entry));
    *m = (struct making){ .rsp = entry.rsp,
                          .seen = true,
                          .time = entry.head.time,
                          .process_at = argument(&entry, record, ARG_PROCESS),
                          .named =
                              target_arg_count(&t->target, entry.head.number) ==
                              USER_PROCESS_ARGS };
    if (m->named) {
        m->thread_at = argument(&entry, record, ARG_THREAD);
        m->attributes = argument(&entry, record, ARG_ATTRIBUTES);
        m->held = (argument(&entry, record, ARG_THREAD_FLAGS) & SUSPENDED) == 0;
    } else {
        m->section = argument(&entry, record, ARG_SECTION);
    }
}

bool children_is_return(const struct drained *d, const struct record_return *r)
{
    return d->making.rsp != 0 && d->making.rsp == r->rsp;
}

static uint64_t handle_at(const struct traced *t, uint64_t at)
{
    uint64_t handle = 0;

    return at != 0 && read_word(t, at, &handle) ? handle : 0;
}

/* Where it is one of ours already, by whatever way: nothing is to be done. */
static bool is_known(const struct session *s, uint32_t pid)
{
    for (const struct traced *t = s->traced; t != NULL; t = t->next) {
        if (!t->ended && t->target.os.pid == pid) {
            return true;
        }
    }
    return false;
}

/* True if `p` may be what that call has made: by the kernel's word it is a child
 * of the target, or no older than the call, whose maker may have named another
 * parent. Any other handle could be held up to us, of a process that is none of
 * the target's business. */
static bool is_its_own(const struct traced *t, const struct making *m,
                       const struct os_process *p)
{
    uint64_t ms = (os_tsc() - m->time) / t->session->timing.tsc_per_ms;

    return p->pid != os_self().pid &&
           (os_process_parent(p) == t->target.os.pid ||
            os_process_age(p) <= (ms < MAKES_MS ? ms : MAKES_MS) + CLOCKS_MS);
}

/* A process that is there, and is not traced. */
static void pass(struct traced *t, struct drained *d, struct os_process *p,
                 uint64_t time, enum child_fate fate, enum process_how how,
                 str why)
{
    char image[1024], command[4096];
    struct buf i = BUF_OVER(image), c = BUF_OVER(command);
    struct journal_child child = {
        .pid = p->pid, .tid = d->tid, .fate = (uint8_t)fate, .how = (uint8_t)how
    };
    struct err e = { 0 };

    os_process_path(p, &i);
    os_process_command(p, &c);
    put_child_failed(t, time, &child, buf_str(&i), buf_str(&c), why);
    if (d->making.held) {
        d->making.left = !os_process_resume(p, &e);
    }
    os_process_close(p);
}

/* The traced process of which `p` is a copy, as its parent says; NULL: it is of
 * none, for our code is not in it. */
static const struct traced *copied_from(const struct traced *t,
                                        const struct os_process *p)
{
    const uint32_t parent = os_process_parent(p);
    const struct traced *of = t;

    for (const struct traced *x = t->session->traced; x != NULL; x = x->next) {
        if (!x->ended && x->target.os.pid == parent) {
            of = x;
        }
    }
    return target_is_in(&of->target, p) ? of : NULL;
}

/* A copy of the process `of`: of our code, and of what leads there, but not of the
 * memory that this code works in. */
static void pass_clone(struct traced *t, struct drained *d,
                       struct os_process *p, const struct traced *of,
                       uint64_t time)
{
    struct err e = { 0 };

    rings_hold_child(d, d->making.process);
    if (!target_disarm(&of->target, p, &e)) {
        os_process_terminate(p, 1);
    }
    rings_hold_child(d, 0);
    pass(t, d, p, time, CHILD_FAILED, PROCESS_CLONE,
         e.code == ERR_NONE ? STR("a copy of its parent") : str_of(e.text));
}

/* True if it has not run: PEB.Ldr alone says nothing of the first moments. It is
 * not suspended once more for that: should we end meanwhile, the agent resumes
 * it once. */
static bool is_at_start(struct os_process *p)
{
    uint64_t rip;

    return os_process_learn(p) &&
           (p->thread == NULL || (os_thread_get_start(p->thread, &rip) &&
                                  rip == os_own_ntdll("RtlUserThreadStart")));
}

static struct born born_of(const struct traced *t, const struct drained *d,
                           uint64_t time)
{
    return (
        struct born){ .parent = t->target.os.pid, .tid = d->tid, .time = time };
}

static void take_in(struct traced *t, struct drained *d, struct os_process *p,
                    uint64_t time)
{
    const struct born child = born_of(t, d, time);
    struct err e = { 0 };
    struct traced *born;

    /* From here on it is to be ended if we are. */
    rings_hold_child(d, d->making.process);
    born = begin_child(t, &child, p, &e);
    rings_hold_child(d, 0);
    /* Only now: from its first instruction on it is not ended with us. */
    if (born == NULL) {
        pass(t, d, p, time, CHILD_FAILED, PROCESS_CHILD, str_of(e.text));
    } else {
        d->making.left = !begin_go(born, d->making.held, &e);
    }
}

/* It is joined, and how much of it is missing is told. */
static void join_now(struct traced *t, struct os_process *p,
                     const struct born *b)
{
    struct session *s = t->session;
    struct drained maker = { .tid = b->tid };
    struct err e = { 0 };
    const struct traced *born = attach_child(s, b, p->pid, &e);
    char image[1024];
    struct buf i = BUF_OVER(image);
    struct journal_child late = {
        .pid = p->pid, .tid = b->tid, .fate = CHILD_LATE, .how = PROCESS_CHILD
    };

    if (born == NULL) {
        pass(t, &maker, p, b->time, CHILD_FAILED, PROCESS_CHILD,
             str_of(e.text));
        return;
    }
    os_process_path(p, &i);
    if (born->last_pass > b->time) {
        late.missed = (born->last_pass - b->time) * 1000 / s->timing.tsc_per_ms;
    }
    put_child(t, os_tsc(), &late, buf_str(&i), STR(""));
    os_process_close(p);
}

/* One that has begun, and whose loader has not: to be joined soon, while others
 * are not kept waiting. */
struct late_child {
    struct late_child *next;
    struct os_process p;
    struct born born;
    uint64_t again;  // TSC: when to look at it next
    uint64_t until;  // the same: then it is tried in any case
};

static bool keep_late(struct traced *t, const struct os_process *p,
                      const struct born *b)
{
    struct late_child **end = &t->late;
    struct late_child *l;
    int count = 0;

    while (*end != NULL) {
        end = &(*end)->next;
        count++;
    }
    l = count < LATE_MOST ? calloc(1, sizeof(*l)) : NULL;
    if (l == NULL) {
        return false;
    }
    l->p = *p;
    l->born = *b;
    l->until = os_tsc() + BEGIN_MS * t->session->timing.tsc_per_ms;
    *end = l;
    return true;
}

void children_late(struct traced *t, bool last)
{
    struct late_child **link = &t->late;

    while (*link != NULL) {
        const uint64_t now = os_tsc();
        struct late_child *l = *link;
        bool due = last || now >= l->until;

        if (!due && now >= l->again) {
            l->again = now + LATE_MS * t->session->timing.tsc_per_ms;
            due = attach_may(&l->p);
        }
        if (!due) {
            link = &l->next;
            continue;
        }
        *link = l->next;
        join_now(t, &l->p, &l->born);
        free(l);
    }
}

void children_forget(struct traced *t)
{
    while (t->late != NULL) {
        struct late_child *l = t->late;

        t->late = l->next;
        os_process_close(&l->p);
        free(l);
    }
}

/* It runs already, made by a call that nobody has seen begin: joined as it
 * runs. */
static void join(struct traced *t, struct drained *d, struct os_process *p,
                 uint64_t time)
{
    struct session *s = t->session;
    const struct born child = born_of(t, d, time);
    struct err e = { 0 };
    char image[1024];
    struct buf i = BUF_OVER(image);

    if (d->making.held) {
        /* It may be held by the agent, and was taken for one that is not. */
        d->making.left = !os_process_resume(p, &e);
        d->making.held = false;
    }
    os_process_path(p, &i);
    if (s->follows != NULL && !filter_pass_process(s->follows, buf_str(&i))) {
        pass(t, d, p, time, CHILD_PASSED, PROCESS_CHILD, STR(""));
        return;
    }
    if (attach_may(p) || !keep_late(t, p, &child)) {
        join_now(t, p, &child);
    }
}

/* Its process goes to d->making; *clone: it names no image. Returns the handle
 * on its thread, 0: there is none. As its thread tells it, or as it stands in the
 * program's memory. */
static uint64_t what_is_made(const struct traced *t, struct drained *d,
                             bool *clone)
{
    const volatile struct ring *told = d->ring;
    struct making *m = &d->making;
    uint32_t made = m->seen ? told->made : 0;

    if (made == RING_MADE_CLONE || made == RING_MADE_OTHER) {
        *clone = made == RING_MADE_CLONE;
        m->process = told->made_process;
        return m->thread_at != 0 ? told->made_thread : 0;
    }
    *clone = m->named ? names_no_image(t, m->attributes) : m->section == 0;
    m->process = handle_at(t, m->process_at);
    return handle_at(t, m->thread_at);
}

void children_return(struct traced *t, struct drained *d,
                     const struct record_return *r)
{
    struct making *m = &d->making;
    struct err e = { 0 };
    struct os_process p;
    uint64_t time = r->head.time;
    const struct traced *of = NULL;
    uint64_t thread;
    bool clone;

    if ((int32_t)(uint32_t)r->rax < 0) {
        return;
    }
    thread = what_is_made(t, d, &clone);
    /* Where we do not know whose process it is, it is not ours to let run. */
    m->left = m->held;
    if (!os_process_borrow(&p, &t->target.os, m->process, thread, &e)) {
        return;
    }
    if (is_known(t->session, p.pid) || !is_its_own(t, m, &p)) {
        os_process_close(&p);
        return;
    }
    m->left = false;
    if (clone && (of = copied_from(t, &p)) != NULL) {
        pass_clone(t, d, &p, of, time);
    } else if (t->session->options->follow == 0) {
        m->left = m->held && !os_process_resume(&p, &e);
        os_process_close(&p);
    } else if (os_process_is_wow64(&p)) {
        pass(t, d, &p, time, CHILD_32BIT, PROCESS_CHILD, STR(""));
    } else if (!m->runs && is_at_start(&p)) {
        take_in(t, d, &p, time);
    } else if (m->runs || m->held) {
        join(t, d, &p, time);
    } else {
        pass(t, d, &p, time, CHILD_FAILED, PROCESS_CHILD,
             STR("it runs already"));
    }
}

void children_orphan(struct traced *t, struct drained *d,
                     const struct record_return *r,
                     const struct journal_answer *a)
{
    struct making *m = &d->making;

    if (!a->number_known ||
        (t->target.plan->services[a->number & SERVICE_MASK].roles &
         ROLE_MAKES_PROCESS) == 0) {
        return;
    }
    *m = (struct making){
        .rsp = r->rsp,
        .time = r->head.time,  // it began earlier: nobody knows when
        .process_at = a->argument,
        .named = target_arg_count(&t->target, a->number) == USER_PROCESS_ARGS,
    };
    /* Where its other handle is nobody knows: none is needed. Without the
     * arguments on the stack it is left alone. */
    if (m->named && a->more_count > ARG_ATTRIBUTES - 4) {
        m->attributes = a->more[ARG_ATTRIBUTES - 4];
        m->runs = (a->more[ARG_THREAD_FLAGS - 4] & SUSPENDED) == 0;
        children_return(t, d, r);
    } else if (!m->named && a->more_count > ARG_SECTION - 4) {
        m->section = a->more[ARG_SECTION - 4];
        children_return(t, d, r);
    }
    children_seen(t, d, r);
}

void children_seen(struct traced *t, struct drained *d,
                   const struct record_return *r)
{
    if ((int32_t)(uint32_t)r->rax >= 0 &&
        (r->head.flags & RECORD_REPLACED) == 0) {
        t->session->made++;
    }
    d->making.rsp = 0;
}
