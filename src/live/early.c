/* SPDX-License-Identifier: MIT */
/*
 * early.c - threads that were in a call when we came.
 *
 * A thread that is stopped at the end of a function's `syscall` is in the
 * kernel, or on its way back: of its arguments is known what the system says of
 * a thread's last call, and what is on the stack. One that stands before it has
 * all of them in its registers, and its return will be seen. Fails for want of
 * memory only: then the call is not told of.
 */
#include "live/early.h"

#include "base/array.h"
#include "live/journal.h"
#include "tables/calls.h"
#include "wire/record.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define TEB_STACK_BASE 0x08
/* Of a function: where the jump to the agent is behind, its `syscall`, where
 * that returns to, and the last place of a form from which it goes on. */
#define BEHIND_HEAD 0x08
#define AFTER_SYSCALL 0x14
#define LAST 0x18

struct early {
    struct model_thread *thread;
    void *handle;  // owned; NULL: nobody is there
    uint32_t tid;
    uint64_t teb;
};

/* Reads `count` stack arguments; how many there are. */
static uint32_t read_stack(const struct traced *t, uint64_t rsp, uint64_t *more,
                           uint32_t count)
{
    return count > 0 && os_read(&t->target.os, rsp + 0x28, more,
                                count * sizeof(*more))
               ? count
               : 0;
}

/* The ENTRY record of the call that `s` is in; false: it is in none. */
static bool call_of(const struct traced *t, uint64_t time,
                    const struct os_stopped *s, struct record_entry *r,
                    uint64_t *more)
{
    struct target_stub stub;
    uint64_t offset;
    uint32_t mask = 0, count = 0;
    uint16_t number;
    int arguments;

    if (s->rip == 0 || !target_stub_at(&t->target, s->rip, &stub)) {
        return false;
    }
    offset = s->rip - stub.address;
    if (offset < BEHIND_HEAD || offset > LAST ||
        !target_stub_number(&t->target, stub.address, &number)) {
        return false;
    }
    *r = (struct record_entry){
        .head = { 0, RECORD_ENTRY, RECORD_UNDERWAY, number, time },
        .rsp = s->rsp,
    };
    if (offset < AFTER_SYSCALL || offset == LAST) {
        r->args[0] = s->rcx;
        r->args[1] = s->rdx;
        r->args[2] = s->r8;
        r->args[3] = s->r9;
        mask = 0xf;
    } else if (s->last_known &&
               (s->last_number & SERVICE_MASK) == (number & SERVICE_MASK)) {
        r->args[0] = s->last_argument;
        mask = 1;
    } else if (t->target.plan->system.wine && (s->rax & 0xffff) == number) {
        r->args[1] = s->rdx;
        mask = 2;
    }
    os_read(&t->target.os, s->rsp, &r->caller, sizeof(r->caller));
    os_read(&t->target.os, s->teb + TEB_STACK_BASE, &r->stack_base,
            sizeof(r->stack_base));
    arguments = target_arg_count(&t->target, number);
    if (arguments > 4) {
        count = call_stack_args((uint32_t)arguments);
        count = read_stack(t, s->rsp, more, count);
        mask |= ((1u << count) - 1) << 4;
    }
    /* The word behind them all says which are known. */
    more[count] = mask;
    r->head.flags |= (uint8_t)count;
    r->head.size = ENTRY_SIZE + 8 * (count + 1);
    return true;
}

static void tell_one(struct traced *t, uint64_t time,
                     const struct os_stopped *s)
{
    union {
        uint8_t bytes[ENTRY_SIZE + 8 * (RECORD_MORE_MAX + 1)];
        uint64_t align;
    } room;
    uint64_t more[RECORD_MORE_MAX + 1];
    struct record_entry r;
    struct early *early;

    if (!call_of(t, time, s, &r, more) ||
        !array_grow(&t->early, &t->early_room, t->early_count,
                    sizeof(*t->early))) {
        return;
    }
    early = &t->early[t->early_count];
    *early = (struct early){ .tid = s->tid, .teb = s->teb };
    early->thread = model_thread_open(t->process, s->tid, 0, time);
    if (early->thread == NULL) {
        return;
    }
    os_thread_open(t->target.os.pid, s->tid, s->teb, &early->handle);
    memcpy(room.bytes, &r, ENTRY_SIZE);
    memcpy(room.bytes + ENTRY_SIZE, more, r.head.size - ENTRY_SIZE);
    model_feed(early->thread, room.bytes, r.head.size, time);
    t->early_count++;
}

void early_tell(struct traced *t, uint64_t time, const struct os_stopped *s,
                size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tell_one(t, time, &s[i]);
    }
}

static void remove_at(struct traced *t, size_t at)
{
    os_thread_close(t->early[at].handle);
    t->early[at] = t->early[--t->early_count];
}

struct model_thread *early_take(struct traced *t, uint32_t tid, uint64_t teb)
{
    for (size_t i = 0; i < t->early_count; i++) {
        struct early *early = &t->early[i];
        uint32_t code;

        /* An id is nobody else's while there is a handle. */
        if (early->tid == tid && early->teb == teb && early->handle != NULL &&
            !os_thread_ended(early->handle, &code)) {
            struct model_thread *thread = early->thread;

            remove_at(t, i);
            return thread;
        }
    }
    return NULL;
}

void early_look(struct traced *t, uint64_t bound, bool ends)
{
    for (size_t i = t->early_count; i-- > 0;) {
        struct early *early = &t->early[i];
        uint32_t code = 0;
        bool ended = ends && (early->handle == NULL ||
                              os_thread_ended(early->handle, &code));

        model_thread_bound(early->thread, bound);
        if (ended) {
            put_early_end(early->thread, bound, early->handle != NULL, code);
            remove_at(t, i);
        }
    }
}

void early_close(struct traced *t)
{
    while (t->early_count > 0) {
        remove_at(t, t->early_count - 1);
    }
    free(t->early);
    t->early = NULL;
    t->early_room = 0;
}
