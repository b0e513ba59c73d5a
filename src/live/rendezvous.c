/* SPDX-License-Identifier: MIT */
/*
 * rendezvous.c - what threads of the target wait for us to do.
 *
 *   a call is to be changed    say whether it is about what a rule says
 *                              (tampering.c, by drain.c)
 *   the agent has started      see that it could register its callback
 *   an image has been mapped   take a new module in; patch win32u
 *   a process has been made    take it in, before it runs
 *   a return is an orphan      ask the kernel which call it was
 *
 * While a thread waits, nothing is asked of the target that one of its threads
 * may have to answer (docs/decisions/0023-no-question-while-one-waits.md):
 * its memory is read and written, its threads are suspended and asked for
 * their last call; what else there is to find out or to protect the thread
 * that waits does itself, as a chore, and comes back. What cannot be found out
 * is left unknown: every thread gets its answer. A start that failed is told
 * through t->refused.
 */
#include "live/rendezvous.h"

#include "live/children.h"
#include "live/images.h"
#include "live/journal.h"
#include "live/places.h"
#include "live/returns.h"
#include "live/rings.h"
#include "live/session.h"
#include "tables/roles.h"

#include <stdlib.h>

#include "base/banned.h"

/* After an orphan, look for the next one for so long without sleeping. */
#define POLL_MS 20
/* What a program that may not change its own code is told. */
#define STATUS_DYNAMIC_CODE_BLOCKED 0xc0000604

/* How far we are with a thread that waits. */
enum step {
    STEP_FIRST,
    STEP_ROOM,    // it has opened the room of win32u's thunks ...
    STEP_SEALED,  // ... closed it ...
    STEP_OPENED,  // ... opened the stubs ...
    STEP_CLOSED,  // ... closed them
    STEP_PLACE,   // it tells what an address of an orphan is part of
};

/* Places of an orphan that may have to be asked for. */
enum {
    PLACE_AT,
    PLACE_CALLER,
    PLACES
};

/* What is known of a thread that waits, until it has its answer. */
struct question {
    enum step step;
    uint64_t time;  // of the record
    uint8_t kind;   // of the record, and its flags: one that has others is
    uint8_t flags;  // another one, written over it
    struct journal_answer orphan;
    bool answers;              // `orphan` is complete
    uint64_t address[PLACES];  // still to be found out; 0: not
    int asking;                // the place that is being asked for
    struct region_told told;   // what the thread found out
};

static void refuse(struct traced *t, const struct err *why)
{
    t->refused = true;
    t->why = *why;
    if (!t->attached) {
        os_process_terminate(&t->target.os, 1);
    }
}

/* --- an image has been mapped --- */

static bool chore(struct chore *c, enum ring_chore kind,
                  struct target_pages pages)
{
    *c = (struct chore){ kind, pages.at, pages.size };
    return false;
}

/* The stubs stay as they were. Their calls are told of all the same. */
static bool without_arguments(struct traced *t, const struct question *q,
                              const char *why)
{
    uint32_t code;

    target_unprepare_win32u(&t->target);
    if (!os_process_ended(&t->target.os, &code)) {
        session_note(t->session, "calls of win32u.dll have no arguments: %s",
                     why);
    }
    images_tell_win32u(t, q->time);
    return true;
}

/* The stubs are bent, and their pages, as far as we know, not executable: that
 * at least from outside. They stay bent for us in any case, so that they are
 * put back when the program is let go. */
static bool close_outside(struct traced *t, const struct question *q)
{
    struct err e = { 0 };
    uint32_t code;

    if (!target_close_win32u_outside(&t->target, &e) &&
        !os_process_ended(&t->target.os, &code)) {
        session_note(t->session,
                     "the code of win32u.dll may not be executable: %s",
                     e.text);
    }
    images_tell_win32u(t, q->time);
    return true;
}

static bool chore_failed(struct traced *t, const struct question *q,
                         uint32_t status)
{
    struct err e = { 0 };
    char why[80];
    struct buf text = BUF_OVER(why);

    if (q->step == STEP_CLOSED) {
        return close_outside(t, q);
    }
    if (status == STATUS_DYNAMIC_CODE_BLOCKED) {
        if (target_patch_win32u_outside(&t->target, &e)) {
            images_tell_win32u(t, q->time);
            return true;
        }
        return without_arguments(t, q, e.text);
    }
    buf_addf(&text, "the program cannot change its pages (0x%08x)",
             (unsigned)status);
    buf_add_char(&text, 0);
    return without_arguments(t, q, why);
}

/* True: the thread may go on; false: with *c to do. */
static bool patch_win32u(struct traced *t, struct question *q, uint32_t status,
                         struct chore *c)
{
    struct target *target = &t->target;
    const struct target_pages none = { 0, 0 };
    struct err e = { 0 };

    if (q->step != STEP_FIRST && (int32_t)status < 0) {
        return chore_failed(t, q, status);
    }
    switch (q->step) {
    case STEP_FIRST:
        if (!target_prepare_win32u(target, &e)) {
            return without_arguments(t, q, e.text);
        }
        if (target->win32u_stubs.count == 0) {
            images_tell_win32u(t, q->time);
            return true;
        }
        if (target->win32u_sealed) {
            q->step = STEP_ROOM;
            return chore(c, CHORE_OPEN, target_win32u_room(target));
        }
        q->step = STEP_SEALED;
        if (!target_write_thunks(target, &e)) {
            return without_arguments(t, q, e.text);
        }
        return chore(c, CHORE_SEAL, target_win32u_room(target));
    case STEP_ROOM:
        q->step = STEP_SEALED;
        if (!target_write_thunks(target, &e)) {
            return without_arguments(t, q, e.text);
        }
        return chore(c, CHORE_CLOSE, none);
    case STEP_SEALED:
        target->win32u_sealed = true;
        q->step = STEP_OPENED;
        return chore(c, CHORE_OPEN, target_win32u_stubs(target));
    case STEP_OPENED:
        q->step = STEP_CLOSED;
        if (!target_patch_win32u(target, &e)) {
            /* The thread closes by itself what it has opened. */
            return without_arguments(t, q, e.text);
        }
        return chore(c, CHORE_CLOSE, none);
    case STEP_CLOSED:
        images_tell_win32u(t, q->time);
        return true;
    case STEP_PLACE:
        break;
    }
    return true;
}

/* An image was mapped; its thread has told of it. */
static bool mapped(struct traced *t, struct drained *d, struct question *q,
                   bool waits, struct chore *c)
{
    if (q->step != STEP_FIRST) {
        if (waits) {
            return patch_win32u(t, q, d->ring->chore_status, c);
        }
        /* It waits no longer, and has closed what was open; if it is no more,
         * we do, if we may ask. */
        if (q->step == STEP_CLOSED) {
            return close_outside(t, q);
        }
        target_close_win32u_outside(&t->target, &(struct err){ 0 });
        return without_arguments(t, q, "its thread did not wait for us");
    }
    if (!waits) {
        return true;
    }
    q->told = rings_told(d);
    if (!images_may_be(t, &q->told)) {
        return true;
    }
    if (!images_add(t, q->time, &q->told)) {
        return true;
    }
    if (!t->target.patching) {
        images_tell_win32u(t, q->time);
        return true;
    }
    return patch_win32u(t, q, 0, c);
}

/* --- the agent has started --- */

/* True: the thread may go on; false: with *c to do. */
static bool started(struct traced *t, const struct drained *d, uint64_t time,
                    bool waits, struct chore *c)
{
    uint64_t status = atomic_load_explicit(&t->target.section->start_status,
                                           memory_order_acquire);
    struct err e = { 0 }, why = { 0 };
    enum returns_state state = RETURNS_DONE;
    uint32_t code;

    if (t->started) {
        return true;
    }
    if (status == 0) {
        state = RETURNS_FAILED;
    } else if ((int32_t)(uint32_t)(status - 1) < 0) {
        state = returns_begin(t, time, waits, d->ring->chore_status, c, &why);
    }
    if (state == RETURNS_CHORE) {
        return false;
    }
    t->started = true;
    if (state == RETURNS_FAILED && os_process_ended(&t->target.os, &code)) {
        return true;
    }
    if (state == RETURNS_FAILED) {
        err_set(&e, ERR_OS,
                "this system does not let a process watch its own system "
                "calls (NtSetInformationProcess said 0x%08x)%s%s",
                (unsigned)(status - 1), why.code != ERR_NONE ? ", and " : "",
                why.code != ERR_NONE ? why.text : "");
        refuse(t, &e);
    } else if (!target_mend_loader(&t->target, &e) &&
               !os_process_ended(&t->target.os, &code)) {
        refuse(t, &e);
    }
    return true;
}

/* --- a return is an orphan --- */

bool rendezvous_last_call(struct traced *t, void *thread, uint32_t tid,
                          const struct last_call *wines, uint16_t *number,
                          uint64_t *argument)
{
    _Atomic uint32_t *asked = &t->target.section->asked;
    uint32_t status;
    bool known;

    if (thread == NULL) {
        return false;
    }
    if (t->target.wine_record) {
        *number = wines->number & SERVICE_MASK;
        *argument = wines->argument;
        return true;
    }
    /* Should we end meanwhile, others see that it stands still. */
    atomic_store(asked, tid);
    known = os_thread_suspend(thread);
    if (known) {
        known = os_thread_last_call(thread, number, argument, &status);
        os_thread_resume(thread);
    }
    atomic_store(asked, 0);
    *number &= SERVICE_MASK;
    return known;
}

/* What is still on the stack, where the fifth argument begins at 28h. */
static void stack_arguments(struct traced *t, uint64_t rsp,
                            struct journal_answer *a)
{
    int count = a->number_known ? target_arg_count(&t->target, a->number) : -1;

    if (count <= 4) {
        return;
    }
    a->more_count = (uint8_t)call_stack_args((uint32_t)count);
    if (!os_read(&t->target.os, rsp + 0x28, a->more,
                 a->more_count * sizeof(a->more[0]))) {
        a->more_count = 0;
    }
}

/* Which call it was, while its thread still spins. */
static void ask_last_call(struct traced *t, struct drained *d, uint64_t rsp,
                          struct journal_answer *a)
{
    struct last_call wines = { d->ring->last_argument, d->ring->last_number,
                               0 };

    if (t->session->options->orphan_query &&
        atomic_load_explicit(&d->ring->waiting, memory_order_relaxed) ==
            RING_SPINS) {
        a->number_known = rendezvous_last_call(t, d->handle, d->tid, &wines,
                                               &a->number, &a->argument);
        stack_arguments(t, rsp, a);
    }
}

/* Finds out what the orphan's addresses are part of: those in images are
 * known, for the others the thread looks itself. True: there is no more. */
static bool find_places(struct traced *t, struct question *q, bool waits,
                        struct chore *c)
{
    for (int i = 0; i < PLACES; i++) {
        if (q->address[i] != 0 && waits && !images_have(t, q->address[i])) {
            q->step = STEP_PLACE;
            q->asking = i;
            return chore(c, CHORE_QUERY,
                         (struct target_pages){ q->address[i], 0 });
        }
        q->address[i] = 0;
    }
    return true;
}

/* A return in the middle of a stub that is patched, as far as we know: is it
 * still? Programs put back what we have changed. */
static void look_at_patches(struct traced *t, const struct target_stub *stub,
                            uint64_t time)
{
    struct target *x = &t->target;
    size_t count;

    if (target_is_patched(x, stub->address)) {
        return;
    }
    count = target_forget_unpatched(x, stub);
    if (count == 0) {
        return;
    }
    if (stub->win32u) {
        put_stubs(t, time, &x->win32u, &x->win32u_stubs, STR("win32u.dll"));
    } else {
        put_stubs(t, time, &x->ntdll, &x->nt_stubs, STR("ntdll.dll"));
    }
    returns_put_back(t, time, stub->win32u, count);
}

/* What its thread has found out of the address that is asked for. */
static void take_place(struct traced *t, struct drained *d, struct question *q,
                       bool waits)
{
    uint64_t address = q->address[q->asking];

    q->address[q->asking] = 0;
    if (waits && (int32_t)d->ring->chore_status >= 0) {
        q->told = rings_told(d);
        places_tell(t, q->time, address, &q->told);
    }
}

static bool orphan(struct traced *t, struct drained *d, struct question *q,
                   const struct record_return *r, bool waits, struct chore *c)
{
    struct target_stub stub;
    bool in = target_stub_at(&t->target, r->rip, &stub);
    bool patched = in && stub.patched;

    if (q->step == STEP_FIRST) {
        if (patched) {
            look_at_patches(t, &stub, r->head.time);
            patched = target_stub_at(&t->target, r->rip, &stub) && stub.patched;
        }
        if (!in) {
            q->address[PLACE_AT] = r->rip;
        } else if (patched) {
            os_read(&t->target.os, r->rsp, &q->orphan.caller, sizeof(uint64_t));
            q->address[PLACE_CALLER] = q->orphan.caller;
        }
        if (waits && (!in || patched)) {
            ask_last_call(t, d, r->rsp, &q->orphan);
            children_orphan(t, d, r, &q->orphan);
        }
    } else {
        take_place(t, d, q, waits);
    }
    if (!find_places(t, q, waits, c)) {
        return false;
    }
    q->answers = true;
    t->session->poll_until = os_tsc() + POLL_MS * t->session->timing.tsc_per_ms;
    return true;
}

/* True: the thread may go on; false: it is to let that one run which it has made,
 * and which we leave alone. */
static bool child_made(struct traced *t, struct drained *d,
                       const struct record_return *r, struct chore *c)
{
    if (d->making.left) {
        d->making.left = false;
        return true;
    }
    children_return(t, d, r);
    return !d->making.left ||
           chore(c, CHORE_RESUME, (struct target_pages){ 0, 0 });
}

void rendezvous_forget(struct drained *d)
{
    free(d->question);
    d->question = NULL;
}

void rendezvous_finish(struct drained *d)
{
    if (d->question != NULL && d->question->answers) {
        put_answer(d->thread, d->question->time, &d->question->orphan);
    }
    rendezvous_forget(d);
}

bool rendezvous_is_another(const struct traced *t, const struct drained *d,
                           uint64_t rip)
{
    const struct journal_answer *a =
        d->question != NULL ? &d->question->orphan : NULL;
    struct target_stub stub;
    uint16_t number;

    /* Wine's record is ours: of a call begun before we came there is nothing. */
    if (a == NULL || !a->number_known ||
        (t->target.wine_record && a->number == 0 && a->argument == 0) ||
        (t->target.plan->services[a->number & SERVICE_MASK].roles &
         (ROLE_CONTINUES | ROLE_LEAVES_CALLBACK | ROLE_SETS_CONTEXT)) != 0) {
        return false;
    }
    return !target_stub_at(&t->target, rip, &stub) ||
           !target_stub_number(&t->target, stub.address, &number) ||
           number != a->number;
}

static bool is_same(const struct question *q, const struct record_head *head)
{
    return q->time == head->time && q->kind == head->kind &&
           q->flags == head->flags;
}

bool rendezvous(struct traced *t, struct drained *d,
                const struct record_return *r, bool waits, struct chore *c)
{
    const struct record_head *head = &r->head;
    bool done = true;

    if (d->question != NULL && !is_same(d->question, head)) {
        if ((d->question->flags & RECORD_ORPHAN) == 0 &&
            d->question->step != STEP_FIRST) {
            mapped(t, d, d->question, false, c);
        }
        rendezvous_forget(d);
    }
    *c = (struct chore){ CHORE_NONE, 0, 0 };
    if (head->kind == RECORD_ENTRY) {
        return true;
    }
    if (head->kind == RECORD_TRANSITION) {
        if (head->number == TRANSITION_THREAD_START) {
            return started(t, d, head->time, waits, c);
        }
        return true;
    }
    if ((head->flags & RECORD_ORPHAN) == 0 && children_is_return(d, r)) {
        return !waits || child_made(t, d, r, c);
    }
    if (d->question == NULL) {
        d->question = calloc(1, sizeof(*d->question));
        if (d->question == NULL) {
            return true;
        }
        d->question->time = head->time;
        d->question->kind = head->kind;
        d->question->flags = head->flags;
    }
    if ((head->flags & RECORD_ORPHAN) != 0) {
        done = orphan(t, d, d->question, r, waits, c);
    } else {
        done = mapped(t, d, d->question, waits, c);
    }
    return done;
}
