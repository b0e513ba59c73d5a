/* SPDX-License-Identifier: MIT */
/*
 * walk.c - judging records. Reads what it is given, and nothing behind it.
 */
#include "wire/walk.h"

#include <string.h>

#include "base/banned.h"

/* Sizes, in front of `time`. */
#define HEAD_LEAST 8

/* The bytes that a record with this head has at least. False: no record has
 * such a head. */
static bool least_of(const struct record_head *head, uint32_t *least)
{
    uint32_t more = head->flags & RECORD_MORE_MASK;

    switch ((enum record_kind)head->kind) {
    case RECORD_PAD:
        *least = HEAD_LEAST;
        return true;
    case RECORD_ENTRY:
        *least = ENTRY_SIZE;
        if (head->flags & RECORD_UNDERWAY) {
            *least += 8;
        }
        if (!(head->flags & RECORD_ARGS_LOST)) {
            *least += 8 * more;
            return more <= RECORD_MORE_MAX;
        }
        return true;
    case RECORD_RETURN:
        *least = record_has_kernels(head) ? RETURN_SIZE_MOST : RETURN_SIZE;
        return true;
    case RECORD_TRANSITION:
        *least = TRANSITION_WORDS;
        return head->number < TRANSITION_COUNT;
    case RECORD_DATA:
        *least = DATA_BYTES;
        return true;
    case RECORD_COMPLETION:
        *least = COMPLETION_SIZE;
        return true;
    }
    return false;
}

static bool judge(const uint8_t *bytes, size_t left, struct record_head *head)
{
    uint32_t least;
    uint32_t length;

    *head = (struct record_head){ .size = 0 };
    if (left < HEAD_LEAST) {
        return false;
    }
    memcpy(head, bytes, HEAD_LEAST);
    if (head->size % 8 != 0 || head->size > left || !least_of(head, &least) ||
        head->size < least) {
        return false;
    }
    if (head->kind == RECORD_PAD) {
        return true;
    }
    if (head->size > RECORD_MAX) {
        return false;
    }
    memcpy(head, bytes, sizeof(*head));
    if (head->kind == RECORD_DATA) {
        memcpy(&length, bytes + DATA_LENGTH, sizeof(length));
        return length <= head->size - DATA_BYTES;
    }
    return true;
}

bool walk_next(struct walk *w, struct walked *out)
{
    if (w->left == 0 || w->damaged) {
        return false;
    }
    if (!judge(w->bytes, w->left, &out->head)) {
        w->damaged = true;
        return false;
    }
    out->bytes = w->bytes;
    w->bytes += out->head.size;
    w->left -= out->head.size;
    return true;
}
