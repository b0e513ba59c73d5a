/* SPDX-License-Identifier: MIT */
/*
 * caret.h - where in a line the mistake is: the line, and a caret under it.
 *
 * Columns are those of chars_add_visible. Touches nothing but its arguments;
 * what does not fit is cut.
 */
#ifndef BASE_CARET_H
#define BASE_CARET_H

#include "base/str.h"

#include <stddef.h>

/* Adds two lines behind what `b` has, each with four blanks in front: of `line`
 * what is around its byte `at`, and the caret. No newline follows. */
void caret_add(struct buf *b, str line, size_t at);

/* Columns that `s` takes. */
size_t caret_columns(str s);

/* The first characters of `s`, as many as `columns` have room for. */
str caret_first(str s, size_t columns);

#endif
