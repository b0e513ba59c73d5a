/* SPDX-License-Identifier: MIT */
/*
 * screen.h - counts as a screen of a terminal, in its sequences, and as a plain
 * table.
 *
 * Whatever is traced makes up names: no byte of them that is a control, or that a
 * terminal would not show, gets through (base/chars.h). On a screen names are cut
 * to its width, those of things at their front, where they are alike; and no line
 * goes further than the terminal is wide, whatever it makes of a character.
 */
#ifndef TOP_SCREEN_H
#define TOP_SCREEN_H

#include "base/str.h"
#include "top/counts.h"
#include "top/keys.h"

#include <stdbool.h>
#include <stdint.h>

/* A screen is taken to be no larger, and no smaller. */
#define SCREEN_COLUMNS_MOST 500u
#define SCREEN_ROWS_MOST 300u
#define SCREEN_COLUMNS_LEAST 20u
#define SCREEN_ROWS_LEAST 5u

/* A character may be four bytes; a line has some sequences besides. */
#define SCREEN_ROOM (SCREEN_ROWS_MOST * (SCREEN_COLUMNS_MOST * 4u + 64u))

/* The screen that is not kept, no cursor, no lines that go on in the next one; and
 * back. */
#define SCREEN_ENTER "\x1b[?1049h\x1b[?25l\x1b[?7l"
#define SCREEN_LEAVE "\x1b[m\x1b[?7h\x1b[?25h\x1b[?1049l"

/* Ahead of the rows. */
struct screen_head {
    str program;         // of any characters
    uint32_t pid;        // of the first process
    uint32_t processes;  // that are traced just now
    uint64_t ns;         // since the start
    uint64_t last_ns;    // between the two last ticks
    uint64_t lost;       // records
    bool whole;          // it is of all the time
};

/* Draws all of it, for a terminal of this size. Without memory there are no
 * rows. */
void screen_draw(struct buf *b, const struct counts *c,
                 const struct screen_head *h, const struct keys *k,
                 uint32_t columns, uint32_t rows);

/* The same in lines, at most `most` rows (0: all), for a terminal that is `columns`
 * wide; 0: with numbers and names whole. Each line is handed to `write` with its
 * newline. */
void screen_print(const struct counts *c, const struct screen_head *h,
                  const struct keys *k, size_t most, uint32_t columns,
                  void (*write)(void *ctx, str line), void *ctx);

#endif
