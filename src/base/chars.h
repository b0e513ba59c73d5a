/* SPDX-License-Identifier: MIT */
/*
 * chars.h - the characters of a text, and which of them cannot be seen.
 *
 * A trace line and a message of ours show what a program, a file or the user
 * made up. What would change how the rest of the line looks, or would not be
 * seen at all, is written by its number: ^{202E}.
 */
#ifndef BASE_CHARS_H
#define BASE_CHARS_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The code point at the beginning of `s`, which is not empty, and in *size
 * its bytes. Surrogates are code points here. A byte that begins none counts
 * as U+DC80..DCFF. */
uint32_t chars_code_point(str s, size_t *size);

/* Would change how the rest of a line looks, or where it ends, or could not
 * be seen at all: controls, line ends, directions, halves of surrogate pairs,
 * what is no character, and what Unicode says to show as nothing (its property
 * Default_Ignorable_Code_Point). */
bool chars_hidden(uint32_t c);

/* Adds ^{1B}, or whatever the number of `c` is: at most 9 bytes. */
void chars_add_code(struct buf *b, uint32_t c);

/* Adds `s` with what is hidden by its number, for one line of a message. Not
 * to be turned back: a ^ stays as it is. Where the room ends no character is
 * cut. What was made so is made no other by doing it again. */
void chars_add_visible(struct buf *b, str s);

/* How many columns chars_add_visible makes of the character at the beginning
 * of `s`, which is not empty, and in *size its bytes. */
size_t chars_columns(str s, size_t *size);

#endif
