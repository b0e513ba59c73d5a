/* SPDX-License-Identifier: MIT */
/*
 * recorder.c - from the model's tap into chunks.
 *
 * Runs on the thread that feeds the model; touches its file alone. Fails when
 * the file cannot be written, once, and does nothing from then on.
 */
#include "record/recorder.h"

#include "model/clock.h"
#include "wire/journal.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* A chunk that is nearly full, and the largest op: a record of the journal. */
#define ROOM (CHUNK_FULL + JOURNAL_MAX + OP_RECORD_MOST)
/* Numbers of one SUMMARY: two bytes each suffice, and some for the head. */
#define SUMMARY_ROOM (3 * 65536 + 64)

_Static_assert(CHECKPOINT_MAX <= CHUNK_MOST, "a checkpoint is one chunk");

static void fail(struct recorder *r, const struct err *e)
{
    if (!r->failed) {
        r->failed = true;
        r->why = *e;
    }
}

static void write_chunk(struct recorder *r, const struct chunk_head *head,
                        const void *bytes, size_t size)
{
    bool pack = r->compress == COMPRESS_ALWAYS ||
                (r->compress == COMPRESS_AUTO && !r->behind);
    struct err e = { 0 };

    if (!r->failed && !chunks_write(&r->writer, head, bytes, size, pack, &e)) {
        fail(r, &e);
    }
}

static void begin_chunk(struct recorder *r)
{
    r->used = 0;
    r->head = (struct chunk_head){ .kind = CHUNK_STREAM };
    ops_begin(r->ops);
}

static void flush(struct recorder *r)
{
    if (r->used > 0) {
        write_chunk(r, &r->head, r->chunk, r->used);
        begin_chunk(r);
    }
}

/* --- Segments ------------------------------------------------------------ */

static void note_number(struct recorder *r, uint16_t number)
{
    r->numbers[number / 64] |= UINT64_C(1) << (number % 64);
}

static bool is_notice(uint8_t kind)
{
    return kind == JOURNAL_PROCESS_END || kind == JOURNAL_THREAD_END ||
           kind == JOURNAL_LOST || kind == JOURNAL_NOTICE ||
           kind == JOURNAL_CHILD || kind == JOURNAL_PROCESS;
}

/* A record is told in this segment, or may be. */
static void note_told(void *recorder, const struct record_head *head)
{
    struct recorder *r = recorder;

    switch (head->kind) {
    case RECORD_ENTRY:
        note_number(r, head->number);
        break;
    case RECORD_RETURN:
        if (head->flags & RECORD_ORPHAN) {
            r->flags |= SUMMARY_ORPHANS;
        }
        break;
    case RECORD_TRANSITION:
        r->flags |= (uint64_t)SUMMARY_TRANSITION << head->number;
        break;
    case RECORD_COMPLETION:
        note_number(r, head->number);
        r->flags |= (uint64_t)SUMMARY_TRANSITION << TRANSITION_COMPLETION;
        break;
    default:
        r->flags |= is_notice(head->kind) ? SUMMARY_NOTICES : 0;
        break;
    }
}

/* What was in the segment that ends here; another one begins. */
static void summarise(struct recorder *r)
{
    struct chunk_head head = { .kind = CHUNK_SUMMARY };
    uint8_t *room = malloc(SUMMARY_ROOM);
    uint8_t *to = room;
    uint64_t count = 0;
    uint32_t last = 0;

    if (room == NULL) {
        fail(r, &(struct err){ ERR_OUTPUT, 0, "out of memory" });
        return;
    }
    for (uint32_t i = 0; i < COUNT_OF(r->numbers); i++) {
        count += (uint64_t)__builtin_popcountll(r->numbers[i]);
    }
    to = put_varint(to, r->flags);
    to = put_varint(to, r->summary_calls);
    to = put_varint(to, count);
    for (uint32_t n = 0; n < 65536; n++) {
        if (r->numbers[n / 64] >> (n % 64) & 1) {
            to = put_varint(to, n - last);
            last = n;
        }
    }
    write_chunk(r, &head, room, (size_t)(to - room));
    free(room);
    memset(r->numbers, 0, sizeof(r->numbers));
    r->flags = 0;
    r->summary_calls = 0;
}

/* Everything that was taken so far is in chunks that are written. */
static void checkpoint(struct recorder *r)
{
    struct chunk_head head = { .kind = CHUNK_CHECKPOINT };
    size_t size = 0;
    uint8_t *state = model_save(r->model, &size);

    r->checkpoint_at = r->writer.size;
    if (state == NULL) {
        return; /* who reads has more to read */
    }
    summarise(r);
    head.first = model_told(r->model);
    head.last = (uint64_t)clock_ns(model_clock(r->model), head.first);
    write_chunk(r, &head, state, size);
    free(state);
    r->checkpoint_at = r->writer.size;
    /* What has come before and is told only now is in the next segment, too. */
    model_waiting(r->model, note_told, r);
}

/* --- The tap ------------------------------------------------------------- */

/* Room for an op of so many bytes; NULL: there is no recording any more. */
static uint8_t *room_for(struct recorder *r, size_t size)
{
    if (r->failed || !r->open) {
        return NULL;
    }
    if (r->used >= CHUNK_FULL || r->used + size > ROOM) {
        flush(r);
    }
    return r->chunk + r->used;
}

static void put(struct recorder *r, const uint8_t *end)
{
    r->used = (size_t)(end - r->chunk);
}

static void note_time(struct recorder *r, uint64_t time)
{
    if (r->head.first == 0 || time < r->head.first) {
        r->head.first = time;
    }
    if (time > r->head.last) {
        r->head.last = time;
    }
}

static void carry(struct recorder *r, enum op op, uint64_t id,
                  const void *record, size_t size)
{
    uint8_t *to = room_for(r, OP_HEAD_MOST + size);

    if (to != NULL) {
        put(r, ops_carry(to, op, id, record, size));
    }
}

static void on_clock(void *recorder, const void *record, size_t size)
{
    carry(recorder, OP_CLOCK, 0, record, size);
}

static void on_process(void *recorder, uint64_t process, const void *record,
                       size_t size)
{
    struct recorder *r = recorder;

    /* That it begins is told, of most. */
    r->flags |= SUMMARY_NOTICES;
    carry(r, OP_PROCESS, process, record, size);
}

static void on_journal(void *recorder, uint64_t process, const void *record,
                       size_t size)
{
    struct recorder *r = recorder;
    uint8_t kind = ((const uint8_t *)record)[RECORD_KIND];

    if (is_notice(kind)) {
        r->flags |= SUMMARY_NOTICES;
    }
    if (kind == JOURNAL_LOST) {
        losses_take(&r->losses, record);
    }
    carry(r, OP_JOURNAL, process, record, size);
}

static void on_thread(void *recorder, uint64_t process, uint64_t thread,
                      uint32_t tid, uint32_t serial, uint64_t bound)
{
    struct recorder *r = recorder;
    uint8_t *to = room_for(r, OP_HEAD_MOST);

    if (to != NULL) {
        put(r, ops_thread_open(to, process, thread, tid, serial, bound));
    }
}

static void on_thread_journal(void *recorder, uint64_t thread,
                              const void *record, size_t size)
{
    struct recorder *r = recorder;
    const uint8_t *bytes = record;
    uint16_t number;

    if (bytes[RECORD_KIND] == JOURNAL_ANSWER) {
        memcpy(&number, bytes + offsetof(struct journal_answer, number),
               sizeof(number));
        note_number(r, number);
    } else {
        r->flags |= SUMMARY_NOTICES;
    }
    if (bytes[RECORD_KIND] == JOURNAL_LOST) {
        losses_take(&r->losses, record);
    }
    carry(r, OP_THREAD_RECORD, thread, record, size);
}

static void note_record(struct recorder *r, const struct record_head *head)
{
    if (head->kind == RECORD_ENTRY ||
        (head->kind == RECORD_RETURN &&
         (r->returns_only || (head->flags & RECORD_ORPHAN) != 0))) {
        r->head.calls++;
        r->calls++;
        r->summary_calls++;
    }
    note_told(r, head);
    note_time(r, head->time);
}

static void on_fed(void *recorder, uint64_t thread, const void *records,
                   size_t size)
{
    const uint8_t *bytes = records;
    struct recorder *r = recorder;
    struct record_head head;

    for (size_t at = 0; at < size; at += head.size) {
        uint8_t *to = room_for(r, OP_RECORD_MOST);

        memcpy(&head, bytes + at, sizeof(head));
        if (to == NULL) {
            return;
        }
        if (head.kind >= JOURNAL_PROCESS) {
            on_thread_journal(r, thread, bytes + at, head.size);
            continue;
        }
        note_record(r, &head);
        put(r, ops_record(r->ops, to, thread, bytes + at));
    }
}

static void on_bound(void *recorder, uint64_t thread, uint64_t bound)
{
    struct recorder *r = recorder;
    uint8_t *to = room_for(r, OP_HEAD_MOST);

    if (to != NULL) {
        put(r, ops_bound(r->ops, to, thread, bound));
    }
}

static void on_ran(void *recorder, uint64_t now)
{
    struct recorder *r = recorder;
    uint8_t *to = room_for(r, OP_HEAD_MOST);

    if (to != NULL) {
        put(r, ops_ran(r->ops, to, now));
    }
}

/* --- From its beginning to its end --------------------------------------- */

bool recorder_begin(struct recorder *r, str path, enum compress compress,
                    uint64_t tsc_per_second, str info, struct err *e)
{
    struct chunk_head head = { .kind = CHUNK_INFO };
    struct err why = { 0 };

    *r = (struct recorder){
        .tap = { .ctx = r,
                 .clock = on_clock,
                 .process = on_process,
                 .journal = on_journal,
                 .thread = on_thread,
                 .fed = on_fed,
                 .thread_journal = on_thread_journal,
                 .bound = on_bound,
                 .ran = on_ran },
        .compress = compress,
        .tsc_per_second = tsc_per_second,
        .checkpoint_every = CHECKPOINT_EVERY,
    };
    r->ops = calloc(1, sizeof(*r->ops));
    r->chunk = malloc(ROOM);
    if (r->ops == NULL || r->chunk == NULL) {
        fail(r, &(struct err){ ERR_OS, 0, "out of memory" });
    } else if (!chunks_create(&r->writer, path, &why)) {
        fail(r, &why);
    } else {
        r->open = true;
        begin_chunk(r);
        write_chunk(r, &head, info.p, info.size);
    }
    if (r->failed) {
        *e = r->why;
    }
    return !r->failed;
}

void recorder_turn(struct recorder *r, uint64_t now, bool behind)
{
    r->behind = behind;
    if (r->used == 0) {
        r->began = now;
    } else if (now - r->began > r->tsc_per_second) {
        flush(r);
        r->began = now;
    }
    if (r->model != NULL && r->open && !r->failed &&
        r->writer.size - r->checkpoint_at > r->checkpoint_every) {
        flush(r);
        checkpoint(r);
    }
}

bool recorder_end(struct recorder *r, str text, struct err *e)
{
    struct chunk_head head = { .kind = CHUNK_END };
    struct err closing = { 0 };

    if (r->open) {
        flush(r);
        summarise(r);
        if (r->failed) {
            /* A little of the room that the last chunk did not find. */
            chunks_write(&r->writer, &head, text.p, text.size, false, &closing);
        } else {
            write_chunk(r, &head, text.p, text.size);
        }
        if (!chunks_finish(&r->writer, &closing)) {
            fail(r, &closing);
        }
        r->open = false;
    }
    free(r->ops);
    free(r->chunk);
    r->ops = NULL;
    r->chunk = NULL;
    if (r->failed) {
        *e = r->why;
    }
    return !r->failed;
}
