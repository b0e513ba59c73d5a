/* SPDX-License-Identifier: MIT */
/*
 * rendezvous.c - what threads of the target wait for us to do.
 *
 *   the agent has started      see that it could register its callback
 *   a view has been mapped     take a new module in; patch win32u
 *   a return is an orphan      ask the kernel which call it was
 *
 * Touches the target through target.c and the platform; suspends a thread for
 * the time of one question. What cannot be found out is left unknown: every
 * thread gets its answer. A start that failed is told through s->refused.
 */
#include "tracer/session.h"

#include "base/banned.h"

/* After an orphan, look for the next one for so long without sleeping. */
#define POLL_MS 20

/* Lets the thread of `d` go on. */
static void rendezvous_answer(struct drained *d)
{
    /* Release: what the thread waited for is done. Pairs with the acquire in
     * is_over (agent/wait.c). */
    atomic_store_explicit(
        &d->ring->answer,
        atomic_load_explicit(&d->ring->ask, memory_order_relaxed),
        memory_order_release);
}

static void refuse(struct session *s, const struct err *why)
{
    s->refused = true;
    s->why = *why;
    os_process_terminate(&s->target.os, 1);
}

bool rendezvous_tell_stubs(struct session *s, const struct module *m,
                           const struct patched *patched, str name)
{
    for (size_t i = 0; i < m->syscalls.count; i++) {
        const struct syscall_entry *x = &m->syscalls.entries[i];

        if (!model_stub_add(s->process, m->base + x->rva, x->number, x->name,
                            name, x->stub && patched->count > 0)) {
            return false;
        }
    }
    if (patched->foreign > 0) {
        session_note(s,
                     "%zu system call functions of %.*s were changed by "
                     "other software and are left alone: their calls have "
                     "no arguments",
                     patched->foreign, STR_ARGS(name));
    }
    return true;
}

bool rendezvous_module(struct session *s, uint64_t address, bool mapping)
{
    char room[1024];
    struct buf name = BUF_OVER(room);
    uint64_t base = 0;
    uint64_t size = 0;
    struct err e = { 0 };

    if (!module_named(&s->target.os, address, &name, &base, &size)) {
        return false;
    }
    model_module_add(s->process, base, size, buf_str(&name));
    if (s->target.win32u.bytes == NULL &&
        module_is(&s->target.os, base, STR("win32u.dll"))) {
        if (target_add_win32u(&s->target, base, mapping, &e)) {
            rendezvous_tell_stubs(s, &s->target.win32u, &s->target.win32u_stubs,
                                  STR("win32u.dll"));
        } else {
            session_note(s, "calls of win32u.dll have no arguments: %s",
                         e.text);
        }
    }
    return true;
}

/* A view was mapped: where its caller finds the base was seen at entry. */
static void mapped(struct session *s, struct drained *d)
{
    uint64_t base = 0;

    if (d->map_base_at != 0 &&
        os_read(&s->target.os, d->map_base_at, &base, sizeof(base))) {
        rendezvous_module(s, base, true);
    }
    d->map_base_at = 0;
}

static void started(struct session *s)
{
    uint64_t status = atomic_load_explicit(&s->target.section->start_status,
                                           memory_order_acquire);
    struct err e = { 0 };

    if (s->started) {
        return;
    }
    s->started = true;
    if (status == 0 || (int32_t)(uint32_t)(status - 1) < 0) {
        err_set(&e, ERR_OS,
                "this system does not let a process watch its own system "
                "calls (NtSetInformationProcess said 0x%08x)",
                (unsigned)(status - 1));
        refuse(s, &e);
    } else if (!target_mend_loader(&s->target, &e)) {
        refuse(s, &e);
    }
}

bool rendezvous_last_call(struct session *s, void *thread,
                          const struct last_call *wines, uint16_t *number,
                          uint64_t *argument)
{
    uint32_t status;
    bool known;

    if (thread == NULL || !os_thread_suspend(thread)) {
        return false;
    }
    if (s->target.wine_record) {
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
static void stack_arguments(struct session *s, uint64_t rsp,
                            struct orphan_answer *a)
{
    const struct stub *stub = model_stub_by_number(s->process, a->number);

    if (!a->number_known || stub == NULL || stub->arg_count <= 4) {
        return;
    }
    a->more_count = call_stack_args((uint32_t)stub->arg_count);
    if (!os_read(&s->target.os, rsp + 0x28, a->more,
                 a->more_count * sizeof(a->more[0]))) {
        a->more_count = 0;
    }
}

static void orphan(struct session *s, struct drained *d, uint64_t rip,
                   uint64_t rsp)
{
    struct orphan_answer a = { 0 };
    const struct stub *stub = model_stub_by_address(s->process, rip);
    uint64_t caller = 0;

    if (stub == NULL) {
        a.at = model_place(s->process, rip);
        /* It may be a stub all the same, of a module we had not met. */
        stub = model_stub_by_address(s->process, rip);
    }
    if (stub != NULL && (s->target.patching ? stub->patched : false)) {
        if (os_read(&s->target.os, rsp, &caller, sizeof(caller))) {
            a.caller = model_place(s->process, caller);
        }
    }
    if (s->options->orphan_query && (stub == NULL || stub->patched) &&
        atomic_load_explicit(&d->ring->waiting, memory_order_relaxed) ==
            RING_SPINS) {
        struct last_call wines = { d->ring->last_argument, d->ring->last_number,
                                   0 };

        a.number_known =
            rendezvous_last_call(s, d->handle, &wines, &a.number, &a.argument);
        stack_arguments(s, rsp, &a);
    }
    model_orphan_answer(d->thread, &a);
    s->poll_until = os_tsc() + POLL_MS * s->timing.tsc_per_ms;
}

void rendezvous(struct session *s, struct drained *d,
                const struct record_return *r)
{
    const struct record_head *head = &r->head;

    if (head->kind == RECORD_TRANSITION &&
        head->number == TRANSITION_THREAD_START) {
        started(s);
    } else if (head->kind == RECORD_RETURN &&
               (head->flags & RECORD_ORPHAN) != 0) {
        orphan(s, d, r->rip, r->rsp);
    } else if (head->kind == RECORD_RETURN) {
        mapped(s, d);
    }
    rendezvous_answer(d);
}

bool rendezvous_describe(void *session, struct model_process *p,
                         uint64_t address, struct place *out)
{
    struct session *s = session;
    static char room[1024];
    struct buf name = BUF_OVER(room);
    struct os_region r;
    uint64_t base, size;

    (void)p;
    if (!os_query(&s->target.os, address, &r)) {
        return false;
    }
    if (r.free) {
        out->kind = PLACE_UNMAPPED;
        out->base = address & ~(uint64_t)0xfff;
        out->offset = address - out->base;
        return true;
    }
    if (r.image && rendezvous_module(s, address, false) &&
        module_named(&s->target.os, address, &name, &base, &size)) {
        out->kind = PLACE_MODULE;
        out->name = buf_str(&name);
        out->base = base;
        out->offset = address - base;
        return true;
    }
    name = BUF_OVER(room);
    out->kind = PLACE_PRIVATE;
    if (r.mapped && os_mapped_file(&s->target.os, address, &name)) {
        out->kind = PLACE_MAPPED;
        out->name = buf_str(&name);
    }
    out->base = r.allocation;
    out->offset = address - r.allocation;
    return true;
}
