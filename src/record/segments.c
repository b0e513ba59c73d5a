/* SPDX-License-Identifier: MIT */
/*
 * segments.c - the heads of a trace file, gone through once.
 *
 * Touches the file. What is damaged ends the list; who reads the file says so.
 */
#include "record/segments.h"

#include "base/array.h"
#include "record/ops.h"

#include <stdlib.h>

#include "base/banned.h"

/* The segment ends here. What is missing in it may have been anything, a
 * checkpoint too: then its SUMMARY is not all of it. */
static bool add_one(struct segments *s, struct chunk_reader *r,
                    struct segment *one)
{
    one->has_summary = one->summary_at > 0 && !r->gap;
    r->gap = false;
    if (!array_grow(&s->at, &s->room, s->count, sizeof(s->at[0]))) {
        return false;
    }
    s->at[s->count++] = *one;
    return true;
}

/* Reads what stands before the numbers. */
static bool read_summary(struct chunk_reader *r, const struct segment *s,
                         struct reader *in, uint64_t *flags)
{
    struct chunk_head head;
    struct err ignored;
    const uint8_t *bytes;
    uint64_t at;
    size_t size;

    chunks_seek(r, s->summary_at, s->summary_number);
    if (!chunks_next(r, &head, &at) || head.kind != CHUNK_SUMMARY ||
        (bytes = chunks_load(r, &head, at, &size, &ignored)) == NULL) {
        return false;
    }
    *in = reader_over(bytes, size);
    *flags = get_varint(in);
    get_varint(in); /* calls */
    return !in->bad;
}

bool segments_numbers(struct chunk_reader *r, const struct segment *s,
                      struct reader *numbers, uint64_t *count)
{
    const struct chunk_reader was = *r;
    uint64_t flags;
    bool ok = s->has_summary && read_summary(r, s, numbers, &flags);

    *count = ok ? get_varint(numbers) : 0;
    chunks_back(r, &was);
    return ok && !numbers->bad;
}

static bool find(struct segments *s, struct chunk_reader *r)
{
    struct segment one = { .at = r->at, .number = r->number, .ns = INT64_MIN };
    struct chunk_head head;
    uint64_t at;

    r->gap = false;
    while (chunks_next(r, &head, &at)) {
        if (head.kind == CHUNK_STREAM && head.last > s->last) {
            s->last = head.last;
        } else if (head.kind == CHUNK_SUMMARY) {
            one.summary_at = at;
            one.summary_number = head.number;
        } else if (head.kind == CHUNK_CHECKPOINT) {
            if (!add_one(s, r, &one)) {
                return false;
            }
            one = (struct segment){ .at = at,
                                    .number = head.number,
                                    .ns = (int64_t)head.last };
        }
    }
    return add_one(s, r, &one);
}

bool segments_find(struct segments *s, struct chunk_reader *r)
{
    const struct chunk_reader was = *r;
    struct reader in;

    *s = (struct segments){ .at = NULL };
    if (!find(s, r)) {
        segments_close(s);
    }
    for (size_t i = 0; i < s->count; i++) {
        struct segment *one = &s->at[i];

        one->has_summary =
            one->has_summary && read_summary(r, one, &in, &one->flags);
    }
    chunks_back(r, &was);
    return s->count > 0;
}

void segments_close(struct segments *s)
{
    free(s->at);
    *s = (struct segments){ .at = NULL };
}
