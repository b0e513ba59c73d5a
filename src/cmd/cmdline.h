/* SPDX-License-Identifier: MIT */
/*
 * cmdline.h - the one string that Windows hands a program, as words.
 *
 * Windows passes no argument vector: a program gets one text and splits it
 * itself. We must hand the traced program its own text untouched, and still
 * read our options, which stand before it. So a word knows where it starts in
 * the raw text, and what follows it is never parsed, let alone quoted again.
 *
 * Words are split as Microsoft's C library splits them (UCRT; documented
 * under "Parsing C command-line arguments"):
 *
 *   first word     ends at a space or tab outside quotes. A quote turns
 *                  quoting on or off and is dropped. Backslashes are plain.
 *   other words    the same ends; a quote after 2n backslashes gives n of
 *                  them and turns quoting on or off, after 2n+1 it gives n
 *                  and a plain quote; "" inside quotes is a plain quote;
 *                  backslashes not before a quote are plain.
 *
 * The text is WTF-8, the exact image of GetCommandLineW's UTF-16. Every word
 * starts at the beginning or behind a space or tab, never inside a character,
 * so a tail turned back into UTF-16 is unit for unit what Windows gave us.
 */
#ifndef CMD_CMDLINE_H
#define CMD_CMDLINE_H

#include "base/arena.h"
#include "base/str.h"

struct cmdline {
    str raw;     // borrowed
    size_t at;   // first byte not yet split
    bool begun;  // the first word has been taken
};

struct word {
    str text;      // decoded; in the arena
    size_t start;  // its first raw byte; opening quotes belong to it
};

struct cmdline cmdline_over(str raw);

/* Takes the next word; false when there is none. The first call always gives
 * a word, an empty one if `raw` is empty or begins with a blank. All words
 * together need at most twice the size of `raw` in the arena. */
bool cmdline_next(struct cmdline *c, struct arena *a, struct word *out);

/* The first word of `raw`, by the rule for first words. A program's name is
 * another word as our argument than as its own first word: `"C:\bin\" x`. */
str cmdline_program(str raw, struct arena *a);

/* How many UTF-16 units the WTF-8 text `s` is the image of. With it a word's
 * start becomes a place in GetCommandLineW's own text. */
size_t cmdline_units(str s);

#endif
