/* SPDX-License-Identifier: MIT */
/*
 * about.h - the text of an INFO and of an END: facts, a line each, KEY, a space,
 * VALUE. A key may stand there several times.
 */
#ifndef RECORD_ABOUT_H
#define RECORD_ABOUT_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* One fact more; the value may be any text. */
void about_add(struct buf *b, str key, str value);
void about_add_number(struct buf *b, str key, int64_t value);

/* The `nth` value (from 0) of `key`, as it was, into `value`; false: there is
 * none. */
bool about_find(str text, str key, uint32_t nth, struct buf *value);
/* The first value of `key` as a number; `otherwise` if it is none. */
int64_t about_number(str text, str key, int64_t otherwise);

#endif
