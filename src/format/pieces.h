/* SPDX-License-Identifier: MIT */
/*
 * pieces.h - what the text and the JSON output need alike, inside format/.
 *
 * Pure functions. The buf ones need room for 40 bytes.
 */
#ifndef FORMAT_PIECES_H
#define FORMAT_PIECES_H

#include "base/str.h"
#include "decode/sink.h"

#include <stddef.h>
#include <stdint.h>

/* How many units or bytes of a text to show if `most` have room; never the
 * half of a pair or character. */
size_t pieces_fit(const struct sink_text *text, size_t most);

/* Exactly so many digits. */
void pieces_add_padded(struct buf *b, uint64_t n, size_t digits);
/* Two's complement. */
void pieces_add_signed(struct buf *b, uint64_t n);
/* hh:mm:ss */
void pieces_add_clock(struct buf *b, uint64_t seconds);
/* 2026-11-22T10:00:00.1234567Z, or a number that is no point in time: 0 and
 * below mean "none" or "unchanged" to Windows. */
void pieces_add_time(struct buf *b, int64_t filetime);
/* +0.500000s; a seventh digit where it is not 0. */
void pieces_add_duration(struct buf *b, int64_t units);

#endif
