/* SPDX-License-Identifier: MIT */
/*
 * pending.c - calls that go on after they have returned STATUS_PENDING.
 *
 * They are kept with all that they hold, until a COMPLETION comes of them, the
 * process ends, or there are too many. Fails only for want of memory: then
 * their completions have no line.
 */
#include "model/world.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define STATUS_PENDING 0x103

bool pending_is(const struct call *call)
{
    return call->returned && call->entry_seen &&
           (uint32_t)call->result == STATUS_PENDING && call->stub &&
           call->stub->facts && call_block(call->stub->facts) >= 0;
}

void pending_release(struct model *m, struct pending_call *call)
{
    watch_release(&call->open);
    m->memory -= call->open.memory_size + call->after_size;
    m->open_bytes -= sizeof(*call);
    free(call->open.memory);
    free(call->after);
    free(call);
}

void pending_close(struct model_process *p)
{
    while (p->pending) {
        struct pending_call *call = p->pending;

        p->pending = call->next;
        pending_release(p->model, call);
    }
    p->pending_count = 0;
}

/* What was copied at its return, in memory of its own. */
static bool copy_after(struct model *m, struct pending_call *to,
                       const struct memory *from)
{
    size_t list_size = from->count * sizeof(from->pieces[0]);
    size_t size = list_size;
    uint8_t *bytes;

    for (uint32_t i = 0; i < from->count; i++) {
        size += from->pieces[i].size;
    }
    if (size == 0) {
        return true;
    }
    if (m->memory + size > m->config.memory_total ||
        !(to->after = malloc(size))) {
        m->counts.data_lost += from->count;
        return false;
    }
    memcpy(to->after, from->pieces, list_size);
    bytes = (uint8_t *)to->after + list_size;
    for (uint32_t i = 0; i < from->count; i++) {
        memcpy(bytes, from->pieces[i].bytes, from->pieces[i].size);
        to->after[i].bytes = bytes;
        bytes += from->pieces[i].size;
    }
    to->after_size = size;
    m->memory += size;
    return true;
}

/* Takes the oldest one out if there are too many. */
static void make_room(struct model_process *p)
{
    struct pending_call **at = &p->pending;

    if (p->pending_count < PENDING_CALLS_MAX) {
        return;
    }
    while ((*at)->next) {
        at = &(*at)->next;
    }
    pending_release(p->model, *at);
    *at = NULL;
    p->pending_count--;
}

void pending_keep(struct model_thread *t, struct open_call *open)
{
    struct model_process *p = t->process;
    struct memory after = open->call.after;
    struct pending_call *call;

    if (!pending_is(&open->call)) {
        return;
    }
    make_room(p);
    if (t->model->open_bytes + sizeof(*call) > OPEN_BYTES_MOST) {
        return;
    }
    call = calloc(1, sizeof(*call));
    if (!call || !copy_after(t->model, call, &after)) {
        free(call);
        return;
    }
    t->model->open_bytes += sizeof(*call);
    call->open = *open;
    call->open.call.after = (struct memory){ call->after, after.count };
    /* It is ours now. */
    memset(open->call.objects, 0, sizeof(open->call.objects));
    open->root = NULL;
    open->memory = NULL;
    open->memory_size = 0;
    call->next = p->pending;
    p->pending = call;
    p->pending_count++;
}

struct pending_call *pending_find(struct model_process *p, uint32_t tid,
                                  uint64_t began)
{
    for (struct pending_call **at = &p->pending; *at; at = &(*at)->next) {
        struct pending_call *call = *at;

        if (call->open.call.tid == tid &&
            call->open.call.return_time == began) {
            *at = call->next;
            p->pending_count--;
            return call;
        }
    }
    return NULL;
}
