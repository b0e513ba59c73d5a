/* SPDX-License-Identifier: MIT */
/*
 * ops.c - packing and unpacking of what reaches the model.
 *
 * Touches nothing but its arguments. The reader believes nothing: a number
 * that ends too late, a record that is larger than one can be, bytes that are
 * not there set r->bad. What it gives is not judged any further: whoever takes
 * records from a file judges them as those from a program.
 */
#include "record/ops.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define DATA_WORDS (DATA_BYTES / 8)
#define WORD_TIME 1

void ops_begin(struct ops *o)
{
    o->has_thread = false;
    o->thread = 0;
    o->time = 0;
    o->rsp = 0;
    o->number = 0;
    o->run = 0;
    o->chunk++;
}

/* --- What both sides do ------------------------------------------------- */

/* The word of a record that is rsp. */
static uint32_t rsp_word(uint8_t kind)
{
    return kind == RECORD_RETURN || kind == RECORD_TRANSITION ? RETURN_RSP / 8
                                                              : ENTRY_RSP / 8;
}

/* How many words are told one by one. */
static uint32_t word_count(uint8_t kind, uint32_t size)
{
    uint32_t count = kind == RECORD_DATA ? DATA_WORDS : size / 8;

    return count < RECORD_WORDS ? count : RECORD_WORDS;
}

/* The words to predict a record by; to be overwritten by its own. */
static uint64_t *predict(struct ops *o, uint8_t kind, uint16_t number)
{
    uint64_t at = o->thread * 40503 + (uint64_t)kind * 7919 +
                  (uint64_t)(kind == RECORD_RETURN ? o->number : number) * 31 +
                  o->run;
    struct ops_slot *slot = &o->slots[at % SLOTS];

    if (slot->chunk != o->chunk) {
        memset(slot->words, 0, sizeof(slot->words));
        slot->chunk = o->chunk;
    }
    return slot->words;
}

/* A record has gone by. */
static void note(struct ops *o, uint8_t kind, uint16_t number,
                 const uint64_t *words, uint32_t count)
{
    uint32_t rsp = rsp_word(kind);

    if (rsp < count) {
        o->rsp = words[rsp];
    }
    o->run = kind == RECORD_DATA ? o->run + 1 : 0;
    if (kind == RECORD_ENTRY) {
        o->number = number;
    }
}

static uint64_t zigzag(uint64_t n)
{
    return n << 1 ^ (0 - (n >> 63));
}

static uint64_t unzigzag(uint64_t n)
{
    return n >> 1 ^ (0 - (n & 1));
}

/* --- Packing ------------------------------------------------------------- */

uint8_t *put_varint(uint8_t *to, uint64_t n)
{
    while (n >= 0x80) {
        *to++ = (uint8_t)(n | 0x80);
        n >>= 7;
    }
    *to++ = (uint8_t)n;
    return to;
}

static uint8_t *put_delta(uint8_t *to, uint64_t n, uint64_t from)
{
    return put_varint(to, zigzag(n - from));
}

static uint8_t *put_words(struct ops *o, uint8_t *to, uint8_t kind,
                          uint16_t number, const uint64_t *words,
                          uint32_t count)
{
    uint64_t *was = predict(o, kind, number);
    uint32_t rsp = rsp_word(kind);
    uint8_t diffs[10 * RECORD_WORDS];
    uint8_t *end = diffs;
    uint64_t mask = 0;

    was[rsp] = o->rsp;
    for (uint32_t i = 0; i < count; i++) {
        if (i != WORD_TIME && words[i] != was[i]) {
            mask |= UINT64_C(1) << (i > 0 ? i - 1 : 0);
            end = put_delta(end, words[i], was[i]);
            was[i] = words[i];
        }
    }
    to = put_varint(to, mask);
    memcpy(to, diffs, (size_t)(end - diffs));
    return to + (end - diffs);
}

uint8_t *ops_record(struct ops *o, uint8_t *to, uint64_t thread,
                    const uint8_t *record)
{
    uint64_t words[RECORD_WORDS];
    struct record_head head;
    uint32_t count, tail;

    memcpy(&head, record, sizeof(head));
    count = word_count(head.kind, head.size);
    memcpy(words, record, 8 * (size_t)count);
    tail = head.size - 8 * count;
    if (head.kind == RECORD_DATA) {
        memcpy(&tail, record + DATA_LENGTH, sizeof(tail));
    }
    if (!o->has_thread || thread != o->thread) {
        *to++ = OP_THREAD;
        to = put_varint(to, thread);
        o->thread = thread;
        o->has_thread = true;
    }
    *to++ = head.kind;
    to = put_delta(to, head.time, o->time);
    o->time = head.time;
    if (head.kind != RECORD_RETURN) {
        to = put_varint(to, head.number);
    }
    to = put_words(o, to, head.kind, head.number, words, count);
    note(o, head.kind, head.number, words, count);
    memcpy(to, record + 8 * (size_t)count, tail);
    return to + tail;
}

uint8_t *ops_thread_open(uint8_t *to, uint64_t process, uint64_t thread,
                         uint32_t tid, uint32_t serial, uint64_t bound)
{
    *to++ = OP_THREAD_OPEN;
    to = put_varint(to, thread);
    to = put_varint(to, process);
    to = put_varint(to, tid);
    to = put_varint(to, serial);
    return put_varint(to, bound);
}

uint8_t *ops_bound(const struct ops *o, uint8_t *to, uint64_t thread,
                   uint64_t bound)
{
    *to++ = OP_BOUND;
    to = put_varint(to, thread);
    return put_delta(to, bound, o->time);
}

uint8_t *ops_ran(const struct ops *o, uint8_t *to, uint64_t now)
{
    *to++ = OP_RAN;
    return put_delta(to, now, o->time);
}

uint8_t *ops_carry(uint8_t *to, enum op op, uint64_t id, const void *record,
                   size_t size)
{
    *to++ = (uint8_t)op;
    if (op != OP_CLOCK) {
        to = put_varint(to, id);
    }
    to = put_varint(to, size);
    memcpy(to, record, size);
    return to + size;
}

/* --- Unpacking ----------------------------------------------------------- */

uint64_t get_varint(struct reader *r)
{
    uint64_t n = 0;

    for (unsigned shift = 0; shift < 64 && r->at < r->size; shift += 7) {
        uint8_t byte = r->p[r->at++];

        n |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return n;
        }
    }
    r->bad = true;
    return 0;
}

static uint64_t get_delta(struct reader *r, uint64_t from)
{
    return from + unzigzag(get_varint(r));
}

static uint32_t get_u32(struct reader *r)
{
    uint64_t n = get_varint(r);

    r->bad |= n > UINT32_MAX;
    return (uint32_t)n;
}

/* Bytes in place, as many as stand in front. */
static void get_bytes(struct reader *r, struct op_read *out)
{
    uint64_t size = get_varint(r);

    if (r->bad || size > reader_left(r)) {
        r->bad = true;
        return;
    }
    out->bytes = r->p + r->at;
    out->size = (uint32_t)size;
    r->at += size;
}

/* The size of the record comes with word 0. */
static uint32_t size_of(uint64_t word)
{
    return (uint32_t)word;
}

/* The words, into `words`, with room for RECORD_WORDS; the record's size, 0 if
 * it is none. As they were predicted they are copied at once, a fixed number,
 * and before any is changed: it is the innermost loop of all that replays. */
static uint32_t get_words(struct ops *o, struct reader *r, uint8_t kind,
                          uint16_t number, uint64_t *words)
{
    uint64_t *was = predict(o, kind, number);
    uint64_t mask = get_varint(r);
    uint32_t size, count;

    memcpy(words, was, 8 * (size_t)RECORD_WORDS);
    was[rsp_word(kind)] = words[rsp_word(kind)] = o->rsp;
    if (mask & 1) {
        was[0] = words[0] = get_delta(r, was[0]);
    }
    size = size_of(was[0]);
    if (r->bad || size > RECORD_MAX || size % 8 != 0 ||
        size < RECORD_HEAD_SIZE || (was[0] >> 32 & 0xff) != kind) {
        return 0;
    }
    count = word_count(kind, size);
    if (count * 8 > size || mask >> (count - 1) != 0) {
        return 0;
    }
    mask >>= 1;
    for (uint32_t i = 2; mask != 0; i++, mask >>= 1) {
        if (mask & 1) {
            was[i] = words[i] = get_delta(r, was[i]);
        }
    }
    words[WORD_TIME] = o->time;
    note(o, kind, number, words, count);
    return size;
}

static bool get_record(struct ops *o, struct reader *r, uint8_t kind,
                       uint64_t *words, struct op_read *out)
{
    uint8_t *record = (uint8_t *)words;
    uint16_t number = 0;
    uint32_t size, told, tail;

    o->time = get_delta(r, o->time);
    if (kind != RECORD_RETURN) {
        uint64_t n = get_varint(r);

        r->bad |= n > UINT16_MAX;
        number = (uint16_t)n;
    }
    size = get_words(o, r, kind, number, words);
    if (size == 0 || r->bad || !o->has_thread) {
        r->bad = true;
        return false;
    }
    told = 8 * word_count(kind, size);
    tail = size - told;
    if (kind == RECORD_DATA) {
        memcpy(&tail, record + DATA_LENGTH, sizeof(tail));
    }
    if (tail > size - told || tail > reader_left(r)) {
        r->bad = true;
        return false;
    }
    memcpy(record + told, r->p + r->at, tail);
    memset(record + told + tail, 0, size - told - tail);
    r->at += tail;
    out->op = (enum op)kind;
    out->thread = o->thread;
    out->bytes = record;
    out->size = size;
    return true;
}

/* An op that is no record; *known: it is one that somebody wants to have. */
static void get_other(struct ops *o, struct reader *r, uint8_t op,
                      struct op_read *out, bool *known, uint64_t *unknown)
{
    *known = true;
    out->op = (enum op)op;
    switch (out->op) {
    case OP_THREAD:
        o->thread = get_varint(r);
        o->has_thread = true;
        *known = false;
        break;
    case OP_THREAD_OPEN:
        out->thread = get_varint(r);
        out->process = get_varint(r);
        out->tid = get_u32(r);
        out->serial = get_u32(r);
        out->time = get_varint(r);
        break;
    case OP_BOUND:
        out->thread = get_varint(r);
        out->time = get_delta(r, o->time);
        break;
    case OP_RAN:
        out->time = get_delta(r, o->time);
        break;
    case OP_PROCESS:
    case OP_JOURNAL:
    case OP_THREAD_RECORD:
        out->thread = get_varint(r);
        get_bytes(r, out);
        break;
    case OP_CLOCK:
        get_bytes(r, out);
        break;
    case OP_ENTRY:
    case OP_RETURN:
    case OP_TRANSITION:
    case OP_DATA:
    case OP_COMPLETION:
    case OP_SIZED:
    default:
        *known = false;
        ++*unknown;
        if (op < OP_SIZED) {
            r->bad = true; /* nobody knows where it ends */
        } else {
            get_bytes(r, out);
        }
        break;
    }
}

bool ops_next(struct ops *o, struct reader *r, uint64_t *record,
              struct op_read *out, uint64_t *unknown)
{
    while (!r->bad && reader_left(r) > 0) {
        uint8_t op = r->p[r->at++];
        bool known;

        *out = (struct op_read){ .bytes = NULL };
        if (op >= OP_ENTRY && op <= OP_COMPLETION) {
            return get_record(o, r, op, record, out);
        }
        get_other(o, r, op, out, &known, unknown);
        if (known && !r->bad) {
            return true;
        }
    }
    return false;
}
