/* SPDX-License-Identifier: MIT */
/*
 * utf.h - UTF-16 as Windows has it, where surrogates need no partner, and
 * WTF-8, which has such units as three bytes each.
 *
 * No text is wrong. Nothing here fails.
 */
#ifndef BASE_UTF_H
#define BASE_UTF_H

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

/* The code point at units[*at], a surrogate if it has no partner. There is
 * one: *at is below `count`. Advances *at. */
uint32_t utf_next16(const uint16_t *units, size_t count, size_t *at);

/* Adds `c`, at most U+10FFFF, as WTF-8: up to 4 bytes. */
void utf_add(struct buf *b, uint32_t c);

/* True for the first half of a pair. */
bool utf_is_high(uint32_t unit);

#endif
