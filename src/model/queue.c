/* SPDX-License-Identifier: MIT */
/*
 * queue.c - records of one thread, judged and copied, until their time comes.
 *
 * What is in a queue is a record by wire/walk.h, with a time that is not
 * before the one ahead of it. The rest of the model relies on that and judges
 * sizes no more.
 *
 * Fails only for want of memory, which it counts.
 */
#include "model/world.h"

#include "wire/walk.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

static void put_u32(uint8_t *p, uint32_t n)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(n >> (8 * i));
    }
}

static void put_u64(uint8_t *p, uint64_t n)
{
    put_u32(p, (uint32_t)n);
    put_u32(p + 4, (uint32_t)(n >> 32));
}

void queue_close(struct model_thread *t)
{
    t->model->room -= t->queue.room;
    t->model->counts.queued -= t->queue.end - t->queue.begin;
    free(t->queue.bytes);
    t->queue = (struct queue){ .last = t->queue.last };
}

void queue_drop(struct model_thread *t, uint32_t size)
{
    struct queue *q = &t->queue;

    q->begin += size;
    t->model->counts.queued -= size;
    if (q->begin < q->end) {
        return;
    }
    q->begin = 0;
    q->end = 0;
    if (q->room > RECORD_MAX &&
        t->model->room > t->model->config.queue_total / 2) {
        queue_close(t);
    }
}

/* What LOSTs may take of all queues, beyond what records may. */
#define LOST_TOTAL ((size_t)16 << 20)

/* Enough of the queue was told that it is worth to move the rest to the front:
 * each byte is moved a few times at most. */
static bool may_move(const struct queue *q, size_t wanted)
{
    size_t used = q->end - q->begin;

    return q->begin > 0 && q->room - used >= wanted &&
           (used <= q->begin || q->begin >= q->room / 8);
}

static void move_to_front(struct queue *q)
{
    size_t used = q->end - q->begin;

    memmove(q->bytes, q->bytes + q->begin, used);
    q->begin = 0;
    q->end = used;
}

/* Is there so much for this queue, when all of them have `total` then? */
static bool may_have(const struct model *m, size_t room, size_t total,
                     bool beyond)
{
    const struct model_config *config = &m->config;

    return room <= RECORD_MAX ||
           (beyond
                ? total <= config->queue_total + LOST_TOTAL
                : room <= config->queue_bytes && total <= config->queue_total);
}

/* Makes room for `wanted` bytes at the end; a thread always gets room for
 * one record, however much the others hold: the merge may be waiting for
 * just that one. */
static bool make_room(struct model_thread *t, size_t wanted, bool beyond)
{
    struct queue *q = &t->queue;
    const struct model_config *config = &t->model->config;
    size_t used = q->end - q->begin;
    size_t room = q->room > RECORD_MAX ? q->room : RECORD_MAX;
    uint8_t *bytes;

    if (q->room - q->end >= wanted) {
        return true;
    }
    if (may_move(q, wanted) &&
        (used <= q->begin || q->room >= config->queue_bytes)) {
        move_to_front(q);
        return true;
    }
    while (room - used < wanted) {
        room *= 2;
    }
    if (!may_have(t->model, room, t->model->room - q->room + room, beyond)) {
        if (may_move(q, wanted)) {
            move_to_front(q);
            return true;
        }
        return false;
    }
    bytes = malloc(room);
    if (!bytes) {
        return false;
    }
    if (used > 0) {
        memcpy(bytes, q->bytes + q->begin, used);
    }
    free(q->bytes);
    t->model->room += room - q->room;
    q->bytes = bytes;
    q->room = room;
    q->begin = 0;
    q->end = used;
    return true;
}

size_t queue_feed(struct model_thread *t, const uint8_t *bytes, size_t size,
                  uint64_t now)
{
    struct model_counts *counts = &t->model->counts;
    struct queue *q = &t->queue;
    struct walk w = walk_over(bytes, size);
    struct walked r;

    while (walk_next(&w, &r)) {
        uint32_t record = r.head.size;
        uint64_t time = r.head.time;
        uint64_t judged = time > now ? now : time;

        if (r.head.kind == RECORD_PAD) {
            continue;
        }
        if (q->room - q->end < record && !make_room(t, record, false)) {
            return (size_t)(r.bytes - bytes);
        }
        memcpy(q->bytes + q->end, r.bytes, record);
        judged = judged < q->last ? q->last : judged;
        if (judged != time) {
            counts->bad_times++;
            put_u64(q->bytes + q->end + RECORD_TIME, judged);
        }
        q->last = judged;
        q->end += record;
        counts->queued += record;
    }
    if (w.damaged) {
        counts->damaged++;
        queue_lost(t, LOST_DAMAGED, 1);
    }
    return size;
}

/* A record of our own, whatever room there may be. */
static bool put(struct model_thread *t, const void *record, uint32_t size)
{
    struct queue *q = &t->queue;

    if (!make_room(t, size, true)) {
        t->model->counts.dropped++;
        return false;
    }
    memcpy(q->bytes + q->end, record, size);
    q->end += size;
    t->model->counts.queued += size;
    return true;
}

bool queue_lost(struct model_thread *t, uint32_t why, uint64_t count)
{
    const struct journal_lost lost = {
        .head = { sizeof(lost), JOURNAL_LOST, 0, 0, t->queue.last },
        .count = count,
        .why = why,
    };

    return put(t, &lost, sizeof(lost));
}

bool queue_passed(struct model_thread *t, uint64_t time)
{
    const struct record_head pad = { sizeof(pad), RECORD_PAD, 0, 0, time };

    t->queue.last = time;
    return put(t, &pad, sizeof(pad));
}
