/* SPDX-License-Identifier: MIT */
/*
 * recorded.h - how a recording was made, by its INFO (record/about.h), and what
 * therefore is not in it.
 */
#ifndef CMD_RECORDED_H
#define CMD_RECORDED_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum recorded_word {
    WORD_TRACE,  // which calls were recorded
    WORD_VIEW,   // which of them are shown
    WORD_DATA,   // how much was copied, or what was changed
};

/* What a value of -e decides. */
enum recorded_word recorded_word_of(str expression);
/* trace=+LIST goes on from what was there before. */
bool recorded_adds(str expression);

/* How many sentences there may be, and how long one is at most. */
#define RECORDED_LACKS 2
#define RECORDED_LACK_ROOM 1000

/* Sentence `nth`, from 0, on what this recording does not have of what the program
 * did; nothing is hidden in it. False: there is none any more. */
bool recorded_lack(str info, uint32_t nth, struct buf *b);

#endif
