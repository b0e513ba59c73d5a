/* SPDX-License-Identifier: MIT */
/*
 * thin.c - calls that nobody wants go before the model sees them.
 *
 * Touches its arguments alone; cannot fail. Records are not judged here: with
 * wrong ones too much stays, or what goes is theirs.
 */
#include "record/thin.h"

#include <string.h>

#include "base/banned.h"

#define STATUS_PENDING 0x103

void thin_ask_again(struct thin *t)
{
    memset(t->classes, THIN_ASK, sizeof(t->classes));
}

static uint64_t word(const struct op_read *op, size_t at)
{
    uint64_t n = 0;

    if (at + sizeof(n) <= op->size) {
        memcpy(&n, op->bytes + at, sizeof(n));
    }
    return n;
}

static uint8_t flags_of(const struct op_read *op)
{
    return op->bytes[RECORD_FLAGS];
}

static enum thin_class class_of(struct thin *t, const struct op_read *op)
{
    uint16_t number;

    memcpy(&number, op->bytes + RECORD_NUMBER, sizeof(number));
    if (t->classes[number] == THIN_ASK) {
        t->classes[number] = (uint8_t)t->class_of(t->ctx, number);
    }
    return (enum thin_class)t->classes[number];
}

static void push(struct thin_thread *of, uint64_t rsp)
{
    if (of->depth < THIN_DEPTH) {
        of->open[of->depth] = rsp;
    }
    of->depth += of->depth < UINT32_MAX;
}

/* A call has returned: those that began inside it are over as well. */
static void pop(struct thin_thread *of, uint64_t rsp)
{
    if (of->depth > THIN_DEPTH) {
        return; /* not known any more */
    }
    for (uint32_t i = of->depth; i-- > 0;) {
        if (of->open[i] == rsp) {
            of->depth = i;
            return;
        }
    }
}

void thin_end(struct thin *t, struct thin_thread *of)
{
    if (t->held) {
        push(of, t->held_rsp);
    }
    t->held = false;
    t->pieces = false;
}

static size_t entry(struct thin *t, struct thin_thread *of,
                    const struct op_read *op, size_t size)
{
    enum thin_class class = class_of(t, op);
    bool pieces = t->pieces;
    size_t from = pieces ? t->pieces_at : size;

    thin_end(t, of);
    if (class == THIN_OUT && of->depth == 0 && !t->off) {
        t->held = true;
        t->held_at = from;
        t->held_rsp = word(op, ENTRY_RSP);
    } else if (class != THIN_NO_RETURN) {
        push(of, word(op, ENTRY_RSP));
    }
    return size;
}

static size_t returned(struct thin *t, struct thin_thread *of,
                       const struct op_read *op, size_t size)
{
    uint64_t rsp = word(op, RETURN_RSP);

    if (t->held && t->held_rsp == rsp &&
        (flags_of(op) & (RECORD_ORPHAN | RECORD_WAITS)) == 0 &&
        (uint32_t)word(op, RETURN_RAX) != STATUS_PENDING) {
        t->held = false;
        t->pieces = false;
        return t->held_at;
    }
    thin_end(t, of);
    pop(of, rsp);
    return size;
}

size_t thin_record(struct thin *t, struct thin_thread *of,
                   const struct op_read *op, size_t size)
{
    switch (op->bytes[RECORD_KIND]) {
    case RECORD_ENTRY:
        return entry(t, of, op, size);
    case RECORD_RETURN:
        return returned(t, of, op, size);
    case RECORD_DATA:
        if (t->held && (flags_of(op) & RECORD_AT_RETURN) != 0) {
            return size;
        }
        if (!t->pieces) {
            thin_end(t, of);
            t->pieces = true;
            t->pieces_at = size;
        }
        return size;
    default:
        thin_end(t, of);
        return size;
    }
}
