/* SPDX-License-Identifier: MIT */
/*
 * rendezvous.c - what threads of the target wait for us to do.
 *
 *   the agent has started      see that it could register its callback
 *   an image has been mapped   take a new module in; patch win32u
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

#include "live/rings.h"
#include "live/session.h"

#include <stdlib.h>

#include "base/banned.h"

/* After an orphan, look for the next one for so long without sleeping. */
#define POLL_MS 20
/* A program may unload win32u and load it again; not without an end. */
#define WIN32U_MOST 64
/* No image is larger. */
#define IMAGE_MOST ((uint64_t)1 << 30)
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
    struct orphan_answer orphan;
    bool answers;  // `orphan` is complete
    uint64_t address[PLACES];
    int asking;                       // the place that is being asked for
    struct region_told told[PLACES];  // lends names to `orphan`
};

static void refuse(struct traced *t, const struct err *why)
{
    t->refused = true;
    t->why = *why;
    os_process_terminate(&t->target.os, 1);
}

static bool tell_stub(struct traced *t, const struct module *m, uint32_t rva,
                      const struct syscall_entry *of,
                      const struct patched *patched, str name)
{
    uint64_t at = m->base + rva;

    return model_stub_add(t->process, at, of->number, of->name, name,
                          patch_has(patched, at));
}

bool rendezvous_tell_stubs(struct traced *t, const struct module *m,
                           const struct patched *patched, str name)
{
    const struct syscalls *calls = &m->syscalls;

    for (size_t i = 0; i < calls->count; i++) {
        if (!tell_stub(t, m, calls->entries[i].rva, &calls->entries[i], patched,
                       name)) {
            return false;
        }
    }
    /* Behind the others: a number is the exported stub's first of all. */
    for (size_t i = 0; i < calls->second_count; i++) {
        if (!tell_stub(t, m, calls->seconds[i].rva,
                       &calls->entries[calls->seconds[i].of], patched, name)) {
            return false;
        }
    }
    if (patched->foreign > 0) {
        session_note(t->session,
                     "%zu system call functions of %.*s were changed by "
                     "other software and are left alone: their calls have "
                     "no arguments",
                     patched->foreign, STR_ARGS(name));
    }
    if (patched->no_room > 0) {
        session_note(t->session,
                     "%zu system call functions of %.*s are left alone, for "
                     "no more room is in their reach: their calls have no "
                     "arguments",
                     patched->no_room, STR_ARGS(name));
    }
    return true;
}

/* --- modules --- */

/* win32u is there: its system calls are known from now on. */
static bool add_win32u(struct traced *t, uint64_t base)
{
    struct err e = { 0 };

    if (t->target.win32u.bytes != NULL || t->win32u_taken == WIN32U_MOST ||
        !module_is(&t->target.os, base, STR("win32u.dll"))) {
        return false;
    }
    t->win32u_taken++;
    if (!target_add_win32u(&t->target, base, &e)) {
        session_note(t->session, "calls of win32u.dll have no arguments: %s",
                     e.text);
        return false;
    }
    return true;
}

static void tell_win32u(struct traced *t)
{
    rendezvous_tell_stubs(t, &t->target.win32u, &t->target.win32u_stubs,
                          STR("win32u.dll"));
}

/* What is told may be a lie: an image is no larger than they are, and does not
 * lie over ntdll. */
static bool is_image(const struct traced *t, const struct region_told *told)
{
    const struct module *ntdll = &t->target.ntdll;
    uint64_t from = told->allocation, to = told->allocation_end;

    return told->image && told->path_size > 0 && from < to &&
           to - from <= IMAGE_MOST &&
           (from == ntdll->base || to <= ntdll->base ||
            from >= ntdll->base + ntdll->size);
}

static void add_module(struct traced *t, const struct region_told *told)
{
    uint64_t base = told->allocation;

    model_module_add(t->process, base,
                     module_size(&t->target.os, base, told->allocation_end),
                     region_file(told));
}

/* What `told` says of `address`; names are lent by `told`. An image that was
 * not known is taken in. */
static struct place place_of(struct traced *t, const struct region_told *told,
                             uint64_t address)
{
    struct place place = { .name = STR("") };

    if (told->free) {
        place.kind = PLACE_UNMAPPED;
        place.base = address & ~(uint64_t)0xfff;
    } else if (is_image(t, told)) {
        add_module(t, told);
        if (add_win32u(t, told->allocation)) {
            tell_win32u(t);
        }
        return model_place_known(t->process, address);
    } else {
        place.kind = PLACE_PRIVATE;
        place.base = told->allocation;
        if (told->mapped && told->path_size > 0) {
            place.kind = PLACE_MAPPED;
            place.name = (str){ told->path, told->path_size };
        }
    }
    place.offset = address - place.base;
    return place;
}

bool rendezvous_describe(struct traced *t, uint64_t address, struct place *out)
{
    /* Who has got room is on its way; who has not must not wait for us while
     * we wait for the target. */
    rings_wake(t);
    if (t->asker == NULL) {
        t->asker = asker_open(&t->target.os, t->target.system.wine);
    }
    if (t->asker == NULL || !asker_region(t->asker, address, &t->told)) {
        return false;
    }
    *out = place_of(t, &t->told, address);
    return out->kind != PLACE_UNKNOWN;
}

bool rendezvous_begin(struct traced *t)
{
    uint64_t image;

    if (!region_ask(&t->target.os, t->target.ntdll.base, &t->told)) {
        return false;
    }
    add_module(t, &t->told);
    /* The program, which nobody maps before our eyes either. */
    image = os_process_image(&t->target.os);
    if (image != 0 && region_ask(&t->target.os, image, &t->told) &&
        is_image(t, &t->told)) {
        add_module(t, &t->told);
    }
    return true;
}

/* --- an image has been mapped --- */

static bool chore(struct chore *c, enum ring_chore kind,
                  struct target_pages pages)
{
    *c = (struct chore){ kind, pages.at, pages.size };
    return false;
}

/* The stubs stay as they were. Their calls are told of all the same. */
static bool without_arguments(struct traced *t, const char *why)
{
    uint32_t code;

    target_unprepare_win32u(&t->target);
    if (!os_process_ended(&t->target.os, &code)) {
        session_note(t->session, "calls of win32u.dll have no arguments: %s",
                     why);
    }
    tell_win32u(t);
    return true;
}

static bool chore_failed(struct traced *t, enum step step, uint32_t status)
{
    struct err e = { 0 };
    char why[80];
    struct buf text = BUF_OVER(why);

    if (status == STATUS_DYNAMIC_CODE_BLOCKED && step == STEP_CLOSED) {
        /* Patched, and not executable: that at least from outside. */
        if (target_close_win32u_outside(&t->target, &e)) {
            tell_win32u(t);
            return true;
        }
        return without_arguments(t, e.text);
    }
    if (status == STATUS_DYNAMIC_CODE_BLOCKED) {
        if (target_patch_win32u_outside(&t->target, &e)) {
            tell_win32u(t);
            return true;
        }
        return without_arguments(t, e.text);
    }
    buf_addf(&text, "the program cannot change its pages (0x%08x)",
             (unsigned)status);
    buf_add_char(&text, 0);
    return without_arguments(t, why);
}

/* True: the thread may go on; false: with *c to do. */
static bool patch_win32u(struct traced *t, struct question *q, uint32_t status,
                         struct chore *c)
{
    struct target *target = &t->target;
    const struct target_pages none = { 0, 0 };
    struct err e = { 0 };

    if (q->step != STEP_FIRST && (int32_t)status < 0) {
        return chore_failed(t, q->step, status);
    }
    switch (q->step) {
    case STEP_FIRST:
        if (!target_prepare_win32u(target, &e)) {
            return without_arguments(t, e.text);
        }
        if (target->win32u_stubs.count == 0) {
            tell_win32u(t);
            return true;
        }
        if (target->win32u_sealed) {
            q->step = STEP_ROOM;
            return chore(c, CHORE_OPEN, target_win32u_room(target));
        }
        q->step = STEP_SEALED;
        if (!target_write_thunks(target, &e)) {
            return without_arguments(t, e.text);
        }
        return chore(c, CHORE_SEAL, target_win32u_room(target));
    case STEP_ROOM:
        q->step = STEP_SEALED;
        if (!target_write_thunks(target, &e)) {
            return without_arguments(t, e.text);
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
            return without_arguments(t, e.text);
        }
        return chore(c, CHORE_CLOSE, none);
    case STEP_CLOSED:
        tell_win32u(t);
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
         * we do, as soon as we may ask. */
        if (!os_waited_for(&t->target.os)) {
            target_close_win32u_outside(&t->target, &(struct err){ 0 });
        }
        return without_arguments(t, "its thread did not wait for us");
    }
    if (!waits) {
        return true;
    }
    q->told[0] = rings_told(d);
    if (!is_image(t, &q->told[0])) {
        return true;
    }
    add_module(t, &q->told[0]);
    if (!add_win32u(t, q->told[0].allocation)) {
        return true;
    }
    if (!t->target.patching) {
        tell_win32u(t);
        return true;
    }
    return patch_win32u(t, q, 0, c);
}

/* --- the agent has started --- */

static void started(struct traced *t)
{
    uint64_t status = atomic_load_explicit(&t->target.section->start_status,
                                           memory_order_acquire);
    struct err e = { 0 };

    if (t->started) {
        return;
    }
    t->started = true;
    if (status == 0 || (int32_t)(uint32_t)(status - 1) < 0) {
        err_set(&e, ERR_OS,
                "this system does not let a process watch its own system "
                "calls (NtSetInformationProcess said 0x%08x)",
                (unsigned)(status - 1));
        refuse(t, &e);
    } else if (!target_mend_loader(&t->target, &e)) {
        refuse(t, &e);
    }
}

/* --- a return is an orphan --- */

bool rendezvous_last_call(struct traced *t, void *thread,
                          const struct last_call *wines, uint16_t *number,
                          uint64_t *argument)
{
    uint32_t status;
    bool known;

    if (thread == NULL || !os_thread_suspend(thread)) {
        return false;
    }
    if (t->target.wine_record) {
        *number = (uint16_t)wines->number;
        *argument = wines->argument;
        known = true;
    } else {
        known = os_thread_last_call(thread, number, argument, &status);
    }
    os_thread_resume(thread);
    *number &= SERVICE_MASK;
    return known;
}

/* What is still on the stack, where the fifth argument begins at 28h. */
static void stack_arguments(struct traced *t, uint64_t rsp,
                            struct orphan_answer *a)
{
    const struct stub *stub = model_stub_by_number(t->process, a->number);

    if (!a->number_known || stub == NULL || stub->arg_count <= 4) {
        return;
    }
    a->more_count = call_stack_args((uint32_t)stub->arg_count);
    if (!os_read(&t->target.os, rsp + 0x28, a->more,
                 a->more_count * sizeof(a->more[0]))) {
        a->more_count = 0;
    }
}

/* Which call it was, while its thread still spins. */
static void ask_last_call(struct traced *t, struct drained *d, uint64_t rsp,
                          struct orphan_answer *a)
{
    struct last_call wines = { d->ring->last_argument, d->ring->last_number,
                               0 };

    if (t->session->options->orphan_query &&
        atomic_load_explicit(&d->ring->waiting, memory_order_relaxed) ==
            RING_SPINS) {
        a->number_known = rendezvous_last_call(t, d->handle, &wines, &a->number,
                                               &a->argument);
        stack_arguments(t, rsp, a);
    }
}

static struct place *place_at(struct question *q, int which)
{
    return which == PLACE_AT ? &q->orphan.at : &q->orphan.caller;
}

/* The question outlives what the model knows: it keeps the name itself. */
static void keep_place(struct question *q, int which, struct place place)
{
    struct region_told *told = &q->told[which];
    struct buf name = { .p = told->path, .room = sizeof(told->path) };

    if (place.name.p != told->path) {
        buf_add(&name, place.name);
        place.name = buf_str(&name);
    }
    *place_at(q, which) = place;
    q->address[which] = 0;
}

/* Finds out what the orphan's addresses are part of: those in modules are
 * known, for the others the thread looks itself. True: there is no more. */
static bool find_places(struct traced *t, struct question *q, bool waits,
                        struct chore *c)
{
    for (int i = 0; i < PLACES; i++) {
        struct place place;

        if (q->address[i] == 0) {
            continue;
        }
        place = model_place_known(t->process, q->address[i]);
        if (place.kind == PLACE_UNKNOWN && waits) {
            q->step = STEP_PLACE;
            q->asking = i;
            return chore(c, CHORE_QUERY,
                         (struct target_pages){ q->address[i], 0 });
        }
        keep_place(q, i, place);
    }
    return true;
}

struct unpatched {
    struct model_process *process;
    size_t count;
};

static void on_unpatched(void *ctx, uint64_t stub)
{
    struct unpatched *u = ctx;

    u->count += model_stub_unpatched(u->process, stub);
}

/* A return in the middle of a stub that is patched, as far as we know: is it
 * still? Programs put back what we have changed. */
static void look_at_patches(struct traced *t, const struct stub *stub,
                            uint64_t time)
{
    struct unpatched u = { t->process, 0 };
    bool win32u;

    if (target_is_patched(&t->target, stub->address)) {
        return;
    }
    target_find_unpatched(&t->target, stub->address, &win32u, on_unpatched, &u);
    if (u.count > 0) {
        model_patches_lost(t->process, win32u ? PATCHED_WIN32U : PATCHED_NTDLL,
                           u.count, time);
    }
}

static bool orphan(struct traced *t, struct drained *d, struct question *q,
                   const struct record_return *r, bool waits, struct chore *c)
{
    const struct stub *stub = model_stub_by_address(t->process, r->rip);

    if (q->step == STEP_FIRST) {
        if (stub != NULL && stub->patched) {
            look_at_patches(t, stub, r->head.time);
        }
        if (stub == NULL) {
            q->address[PLACE_AT] = r->rip;
        } else if (t->target.patching && stub->patched) {
            os_read(&t->target.os, r->rsp, &q->address[PLACE_CALLER],
                    sizeof(uint64_t));
        }
        if (stub == NULL || stub->patched) {
            ask_last_call(t, d, r->rsp, &q->orphan);
        }
    } else if (waits && (int32_t)d->ring->chore_status >= 0) {
        q->told[q->asking] = rings_told(d);
        keep_place(q, q->asking,
                   place_of(t, &q->told[q->asking], q->address[q->asking]));
    } else {
        q->address[q->asking] = 0;
    }
    if (!find_places(t, q, waits, c)) {
        return false;
    }
    q->answers = true;
    t->session->poll_until = os_tsc() + POLL_MS * t->session->timing.tsc_per_ms;
    return true;
}

void rendezvous_forget(struct drained *d)
{
    free(d->question);
    d->question = NULL;
}

void rendezvous_finish(struct drained *d)
{
    if (d->question != NULL && d->question->answers) {
        model_orphan_answer(d->thread, &d->question->orphan);
    }
    rendezvous_forget(d);
}

bool rendezvous(struct traced *t, struct drained *d,
                const struct record_return *r, bool waits, struct chore *c)
{
    const struct record_head *head = &r->head;
    bool done = true;

    *c = (struct chore){ CHORE_NONE, 0, 0 };
    if (head->kind == RECORD_TRANSITION) {
        if (head->number == TRANSITION_THREAD_START) {
            started(t);
        }
        return true;
    }
    if (d->question == NULL) {
        d->question = calloc(1, sizeof(*d->question));
        if (d->question == NULL) {
            return true;
        }
    }
    if ((head->flags & RECORD_ORPHAN) != 0) {
        done = orphan(t, d, d->question, r, waits, c);
    } else {
        done = mapped(t, d, d->question, waits, c);
    }
    return done;
}
