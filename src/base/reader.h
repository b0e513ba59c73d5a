/* SPDX-License-Identifier: MIT */
/*
 * reader.h - bytes we did not make, read with bounds.
 *
 * A reader walks over borrowed bytes. A read past the end gives zeros (or an
 * empty str) and sets `bad`, which stays set: parsers read what they want and
 * look at `bad` once. Numbers are little-endian, as all of Windows is.
 */
#ifndef BASE_READER_H
#define BASE_READER_H

#include "base/str.h"

struct reader {
    const uint8_t *p;  // borrowed
    size_t size;       // bytes in all
    size_t at;         // bytes read, never above size
    bool bad;          // a read went past the end
};

struct reader reader_over(const void *bytes, size_t size);
/* Moves to `offset` from the start; past the end it sets `bad`. */
void reader_seek(struct reader *r, size_t offset);
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);
/* The same at `offset`, where it goes first. */
uint16_t reader_u16_at(struct reader *r, size_t offset);
uint32_t reader_u32_at(struct reader *r, size_t offset);
uint64_t reader_u64_at(struct reader *r, size_t offset);
str reader_bytes(struct reader *r, size_t size);
/* The text up to the next NUL, which is consumed; without one within `max`
 * bytes, `bad`. */
str reader_zstr(struct reader *r, size_t max);
size_t reader_left(const struct reader *r);

#endif
