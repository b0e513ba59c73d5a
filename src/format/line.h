/* SPDX-License-Identifier: MIT */
/*
 * line.h - a line that grows, up to a bound.
 *
 * A struct buf over memory of its own: line_room makes sure of room before
 * something is added, and what finds none is cut, as in every buf. There is
 * always room for what ends a line.
 */
#ifndef FORMAT_LINE_H
#define FORMAT_LINE_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/* No line is longer. 256 KiB of data, four characters a byte, and the rest. */
#define LINE_MAX_BYTES (2u << 20)

/* When a line has so many, nothing but a few small things is added to it: so
 * any name, 32,767 units of up to 7 bytes, that was begun before has room. */
#define LINE_FULL_BYTES (LINE_MAX_BYTES - (320u << 10))

/* Of the room above LINE_FULL_BYTES, that for the small things. */
#define LINE_REST_BYTES (64u << 10)

struct line {
    struct buf buf;  // its memory is owned
};

/* False without memory. */
bool line_open(struct line *l);
void line_close(struct line *l);
/* Empties it; gives a very large one's memory back. */
void line_reset(struct line *l);
/* More memory, for line_room alone. */
void line_grow(struct line *l, size_t more);

/* Room for `more` bytes, if they fit under the bound and there is memory. */
static inline void line_room(struct line *l, size_t more)
{
    if (l->buf.room - l->buf.size < more) {
        line_grow(l, more);
    }
}

/* How many bytes of one long value the line takes still. */
size_t line_left(const struct line *l);

/* Puts `s` in at byte `at`. */
void line_insert(struct line *l, size_t at, str s);

/* Ends it with `end` and a newline; "..." stands before them if something was
 * cut. Borrowed until the line is used again. */
str line_end(struct line *l, str end);

#endif
