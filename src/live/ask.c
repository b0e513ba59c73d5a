/* SPDX-License-Identifier: MIT */
/*
 * ask.c - questions to the target that one of its threads may have to answer.
 *
 * One question at a time, on a thread of ours that is made for the first. It
 * may be stuck for as long as the target wants; who asked goes on after
 * ASK_MS. Then what belongs to the question is left to that thread, which
 * throws the answer away. Touches the target only by os_query and
 * os_mapped_file.
 */
#include "live/ask.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define ASK_MS 100
/* An allocation with more different regions is not looked through. */
#define REGIONS_MOST 256

enum asker_state {
    ASKER_IDLE,
    ASKER_ASKED,     // the worker has a question
    ASKER_ANSWERED,  // `told` is there, or it is not `known`
    ASKER_ENDS,
};

struct asker {
    struct os_process os;              // without a watch: who asks has looked
    const struct os_process *watched;  // NULL: the kernel answers
    struct os_thread_start start;
    void *worker;  // NULL until the first question
    void *go;      // events: there is a question, or the end ...
    void *done;    // ... and an answer
    _Atomic int state;
    uint64_t address;
    bool known;
    struct region_told told;
};

str region_file(const struct region_told *told)
{
    size_t slash = told->path_size;

    while (slash > 0 && told->path[slash - 1] != '\\' &&
           told->path[slash - 1] != '/') {
        slash--;
    }
    return (str){ told->path + slash, told->path_size - slash };
}

struct region_told region_of(const struct ring_told *told)
{
    const uint32_t mem_free = 0x10000, mem_image = 0x1000000,
                   mem_mapped = 0x40000;
    struct region_told r = {
        .base = told->base,
        .allocation = told->allocation,
        .allocation_end = told->allocation_end,
        .free = told->state == mem_free,
        .image = told->type == mem_image,
        .mapped = told->type == mem_mapped,
    };
    struct buf path = { .p = r.path, .room = sizeof(r.path) };
    size_t bytes = told->name_bytes;

    if (bytes <= sizeof(told->name)) {
        os_to_utf8(&path, (struct str16){ told->name, bytes / 2 });
        r.path_size = path.size;
        r.name = hash_add(HASH_START, told->name, bytes);
    }
    return r;
}

/* As chore.c of the agent does, from outside. */
static bool region_ask(const struct os_process *p, uint64_t address,
                       struct region_told *out)
{
    struct os_region r, next;
    struct buf path = { .p = out->path, .room = sizeof(out->path) };

    if (!os_query(p, address, &r)) {
        return false;
    }
    out->base = r.base;
    out->free = r.free;
    out->image = r.image;
    out->mapped = r.mapped;
    out->allocation = r.allocation;
    out->allocation_end = r.base + r.size;
    out->path_size = 0;
    if (!r.image && !r.mapped) {
        return true;
    }
    for (int i = 0;
         i < REGIONS_MOST && os_query(p, out->allocation_end, &next) &&
         !next.free && next.allocation == r.allocation && next.size > 0;
         i++) {
        out->allocation_end = next.base + next.size;
    }
    if (os_mapped_file(p, address, &path)) {
        out->path_size = path.size;
    }
    return true;
}

static void asker_free(struct asker *a)
{
    os_event_close(a->go);
    os_event_close(a->done);
    free(a);
}

/* The worker: until it is told to end. */
static void work(void *arg)
{
    struct asker *a = arg;

    for (;;) {
        int asked = ASKER_ASKED;

        os_wait(&a->go, 1, 1000);
        if (atomic_load(&a->state) == ASKER_ENDS) {
            asker_free(a);
            return;
        }
        if (atomic_load(&a->state) != ASKER_ASKED) {
            continue;
        }
        a->known = region_ask(&a->os, a->address, &a->told);
        if (!atomic_compare_exchange_strong(&a->state, &asked,
                                            ASKER_ANSWERED)) {
            asker_free(a);
            return;
        }
        os_event_set(a->done);
    }
}

struct asker *asker_open(const struct os_process *p, bool watched)
{
    struct asker *a = calloc(1, sizeof(*a));
    struct err ignored = { 0 };

    if (a == NULL) {
        return NULL;
    }
    a->watched = watched ? p : NULL;
    a->os = *p;
    a->os.waited_for = NULL;
    a->go = os_event_open(false, &ignored);
    a->done = os_event_open(false, &ignored);
    if (a->go == NULL || a->done == NULL) {
        asker_free(a);
        return NULL;
    }
    return a;
}

bool asker_region(struct asker *a, uint64_t address, struct region_told *out)
{
    struct err ignored = { 0 };

    if (a->watched != NULL && os_waited_for(a->watched)) {
        return false;
    }
    if (a->worker == NULL) {
        a->start = (struct os_thread_start){ work, a };
        if (!os_thread_run(&a->worker, &a->start, &ignored)) {
            return false;
        }
    }
    if (atomic_load(&a->state) == ASKER_ASKED) {
        return false;
    }
    /* An answer that came too late is still there. */
    os_event_reset(a->done);
    a->address = address;
    atomic_store(&a->state, ASKER_ASKED);
    os_event_set(a->go);
    /* Once more: "done" may be that of the question before. */
    if (os_wait(&a->done, 1, ASK_MS) == 0 &&
        atomic_load(&a->state) == ASKER_ASKED) {
        os_wait(&a->done, 1, ASK_MS);
    }
    if (atomic_load(&a->state) != ASKER_ANSWERED) {
        return false;
    }
    if (a->known) {
        *out = a->told;
    }
    return a->known;
}

void asker_close(struct asker *a)
{
    if (a == NULL) {
        return;
    }
    if (a->worker == NULL) {
        asker_free(a);
        return;
    }
    os_thread_leave(a->worker);
    /* It wakes by itself once a second, and gives all of it back: from here on
     * nothing of it is ours. */
    atomic_store(&a->state, ASKER_ENDS);
}
