/* SPDX-License-Identifier: MIT */
/*
 * regex.h - regular expressions over short texts, in linear time.
 *
 * What is understood, a byte at a time:
 *
 *   x         itself, unless it is one of . [ ] ( ) { } * + ? | ^ $ \
 *   \x        x, if it is punctuation; \d \w \s digits, letters digits and _,
 *             blanks; \D \W \S all others
 *   .         any byte
 *   [a-z_]    one of these, [^...] none of these; a ] that comes first, and a
 *             - that comes first or last, stand for themselves
 *   e* e+ e?  any number, at least one, at most one; e{n} e{n,} e{n,m}
 *   (e) (?:e) grouping; there is nothing to get back
 *   e|e       either
 *   ^ $       the beginning and the end of the text
 *
 * An expression may match anywhere in the text. The time a match takes grows
 * with the text times the size of the compiled expression, whatever the
 * expression, and no more (Thompson's construction); that size is bounded by
 * REGEX_MOST. Only compiling allocates.
 */
#ifndef FILTER_REGEX_H
#define FILTER_REGEX_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/* Bytes of an expression, repetitions, depth of groups, compiled steps. */
#define REGEX_BYTES_MAX 1024
#define REGEX_REPEAT_MAX 255
#define REGEX_DEPTH_MAX 64
#define REGEX_MOST 2048

struct regex;

struct regex_error {
    const char *text;  // constant, in the middle of a sentence: "... is not"
    size_t at;         // byte of the expression
};

/* NULL, with *e filled, if it is no expression, too large, or there is no
 * memory. With `nocase` ASCII letters match both ways. */
struct regex *regex_open(str expression, bool nocase, struct regex_error *e);
void regex_close(struct regex *r);  // NULL is fine

bool regex_match(const struct regex *r, str text);

#endif
