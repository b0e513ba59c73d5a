/* SPDX-License-Identifier: MIT */
/*
 * progress.h - one line on a terminal that says how far long work has come,
 * drawn again and again.
 *
 * Only on standard error, and only if that is a terminal: elsewhere nothing is
 * written. Who writes lines of another kind there clears it first.
 */
#ifndef VIEW_PROGRESS_H
#define VIEW_PROGRESS_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool shown;      // there is a terminal for it
    uint64_t every;  // counter ticks from one drawing to the next
    uint64_t next;   // counter: when to draw again
    uint64_t start;  // counter at the beginning
    size_t drawn;    // columns that stand there
};

/* `per_second`: how often it may be drawn; `wanted` false: never. */
void progress_begin(struct progress *p, uint32_t per_second, bool wanted);
/* True if it is time to draw; *ms then is how long it has been going on. */
bool progress_due(struct progress *p, uint64_t *ms);
/* `text` in place of what stands there; one line, of 79 columns at most. */
void progress_draw(struct progress *p, str text);
/* The same, if it is time: a bar of how much of `size` bytes is done. */
void progress_bar(struct progress *p, const char *what, uint64_t at,
                  uint64_t size);
void progress_clear(struct progress *p);
/* "4185 KB": a size for people. */
void progress_add_size(struct buf *b, uint64_t bytes);

#endif
