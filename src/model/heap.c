/* SPDX-License-Identifier: MIT */
/*
 * heap.c - who has something to tell next: threads, and processes as `self`,
 * by the time of their next event, ties by who was opened first.
 *
 * Fails for want of memory only, and only where room is made.
 */
#include "model/world.h"

#include "base/array.h"

#include "base/banned.h"

static void heap_put(struct model *m, size_t at, struct model_thread *t)
{
    m->heap[at] = t;
    t->heap_at = at + 1;
}

static void sift_up(struct model *m, size_t at)
{
    struct model_thread *t = m->heap[at];

    while (at > 0 && heap_before(t, m->heap[(at - 1) / 2])) {
        heap_put(m, at, m->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_put(m, at, t);
}

void heap_sift_down(struct model *m, size_t at)
{
    struct model_thread *t = m->heap[at];

    for (;;) {
        size_t child = 2 * at + 1;

        if (child >= m->heap_count) {
            break;
        }
        if (child + 1 < m->heap_count &&
            heap_before(m->heap[child + 1], m->heap[child])) {
            child++;
        }
        if (!heap_before(m->heap[child], t)) {
            break;
        }
        heap_put(m, at, m->heap[child]);
        at = child;
    }
    heap_put(m, at, t);
}

void heap_remove(struct model *m, struct model_thread *t)
{
    size_t at = t->heap_at - 1;
    struct model_thread *last = m->heap[--m->heap_count];

    t->heap_at = 0;
    if (last != t) {
        heap_put(m, at, last);
        sift_up(m, at);
        heap_sift_down(m, last->heap_at - 1);
    }
}

/* Puts `t` into the heap if it has something to tell and is not there. Room
 * was made when it was opened. */
void announce(struct model_thread *t)
{
    struct model *m = t->model;

    if (t->heap_at == 0 && has_event(t)) {
        heap_set_key(t);
        m->heap[m->heap_count] = t;
        m->heap_count++;
        sift_up(m, m->heap_count - 1);
    } else if (t->is_self && has_event(t)) {
        /* What came last may be older than what is there. */
        heap_set_key(t);
        sift_up(m, t->heap_at - 1);
    }
}

bool heap_reserve(struct model *m)
{
    if (!array_grow(&m->heap, &m->heap_room, m->members, sizeof(m->heap[0])) ||
        !array_grow(&m->waiting, &m->waiting_room, m->members,
                    sizeof(m->waiting[0]))) {
        return false;
    }
    m->members++;
    return true;
}

/* --- Who is waited for ----------------------------------------------------
 *
 * Bounds rise all the time; a thread is moved when it comes to the top alone,
 * so that a run costs no look at every thread. */

static void wait_put(struct model *m, size_t at, struct model_thread *t)
{
    m->waiting[at] = t;
    t->wait_at = at + 1;
}

static void wait_up(struct model *m, size_t at)
{
    struct model_thread *t = m->waiting[at];

    while (at > 0 && t->wait_key < m->waiting[(at - 1) / 2]->wait_key) {
        wait_put(m, at, m->waiting[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    wait_put(m, at, t);
}

static void wait_down(struct model *m, size_t at)
{
    struct model_thread *t = m->waiting[at];

    for (;;) {
        size_t child = 2 * at + 1;

        if (child >= m->waiting_count) {
            break;
        }
        if (child + 1 < m->waiting_count &&
            m->waiting[child + 1]->wait_key < m->waiting[child]->wait_key) {
            child++;
        }
        if (m->waiting[child]->wait_key >= t->wait_key) {
            break;
        }
        wait_put(m, at, m->waiting[child]);
        at = child;
    }
    wait_put(m, at, t);
}

void wait_for(struct model_thread *t)
{
    struct model *m = t->model;

    if (t->wait_at == 0) {
        t->wait_key = t->bound;
        m->waiting[m->waiting_count] = t;
        m->waiting_count++;
        wait_up(m, m->waiting_count - 1);
    }
}

void wait_remove(struct model *m, struct model_thread *t)
{
    size_t at = t->wait_at - 1;
    struct model_thread *last;

    if (t->wait_at == 0) {
        return;
    }
    last = m->waiting[--m->waiting_count];
    t->wait_at = 0;
    if (last != t) {
        wait_put(m, at, last);
        wait_up(m, at);
        wait_down(m, last->wait_at - 1);
    }
}

const struct model_thread *
wait_first(struct model *m, bool (*skip)(const struct model_thread *t))
{
    while (m->waiting_count > 0) {
        struct model_thread *t = m->waiting[0];

        if (has_event(t) || skip(t)) {
            wait_remove(m, t);
        } else if (t->wait_key != t->bound) {
            t->wait_key = t->bound;
            wait_down(m, 0);
        } else {
            return t;
        }
    }
    return NULL;
}
