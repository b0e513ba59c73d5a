/* SPDX-License-Identifier: MIT */
/*
 * line.c - a line that grows, up to a bound.
 *
 * Touches only its own memory. Without memory lines are cut.
 */
#include "format/line.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define FIRST_BYTES 4096u
/* More than that is given back. */
#define KEEP_BYTES (256u << 10)
/* Behind `room`, for what ends a line. */
#define TAIL_BYTES 64u

bool line_open(struct line *l)
{
    char *p = malloc(FIRST_BYTES + TAIL_BYTES);

    *l = (struct line){ { p, 0, p ? FIRST_BYTES : 0, false } };
    return p != NULL;
}

void line_close(struct line *l)
{
    free(l->buf.p);
    l->buf = (struct buf){ 0 };
}

/* Gives it `room` bytes, more than it has in it. */
static void set_room(struct line *l, size_t room)
{
    char *p = realloc(l->buf.p, room + TAIL_BYTES);

    if (p) {
        l->buf.p = p;
        l->buf.room = room;
    }
}

void line_reset(struct line *l)
{
    l->buf.size = 0;
    l->buf.cut = false;
    if (l->buf.room > KEEP_BYTES) {
        set_room(l, FIRST_BYTES);
    }
}

void line_grow(struct line *l, size_t more)
{
    size_t most = LINE_MAX_BYTES - TAIL_BYTES;
    size_t room = l->buf.room > 0 ? l->buf.room : FIRST_BYTES;

    if (l->buf.cut) {
        return;
    }
    if (more > most - l->buf.size) {
        room = most;
    }
    while (room < most && room - l->buf.size < more) {
        room *= 2;
    }
    if (room > most) {
        room = most;
    }
    if (room > l->buf.room) {
        set_room(l, room);
    }
}

size_t line_left(const struct line *l)
{
    size_t most = LINE_MAX_BYTES - LINE_REST_BYTES;

    return l->buf.size < most ? most - l->buf.size : 0;
}

void line_insert(struct line *l, size_t at, str s)
{
    struct buf *b = &l->buf;

    line_room(l, s.size);
    if (b->cut || b->room - b->size < s.size) {
        b->cut = true;
        return;
    }
    memmove(b->p + at + s.size, b->p + at, b->size - at);
    memcpy(b->p + at, s.p, s.size);
    b->size += s.size;
}

/* Takes away the beginning of a character whose end was cut off. */
static void end_whole(struct buf *b)
{
    size_t size = b->size;
    size_t after = 0;

    while (size > 0 && after < 3 && (b->p[size - 1] & 0xc0) == 0x80) {
        size--;
        after++;
    }
    if (size > 0) {
        uint8_t first = (uint8_t)b->p[size - 1];
        size_t wanted = first < 0xc0   ? 0
                        : first < 0xe0 ? 1
                        : first < 0xf0 ? 2
                                       : 3;

        if (wanted > after) {
            b->size = size - 1;
        }
    }
}

str line_end(struct line *l, str end)
{
    struct buf *b = &l->buf;
    bool cut = b->cut;

    if (!b->p) {
        return STR("");
    }
    b->room += TAIL_BYTES;
    b->cut = false;
    if (cut) {
        end_whole(b);
        buf_add(b, STR("..."));
    }
    buf_add(b, end);
    buf_add(b, STR("\n"));
    b->room -= TAIL_BYTES;
    return buf_str(b);
}
