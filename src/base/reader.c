/* SPDX-License-Identifier: MIT */
/*
 * reader.c - bytes we did not make, read with bounds.
 *
 * `take` is the only place that looks at the size. It compares with what is
 * left and never adds to a length it was given, so no length can wrap.
 */
#include "base/reader.h"

#include <string.h>

#include "base/banned.h"

struct reader reader_over(const void *bytes, size_t size)
{
    return (struct reader){ .p = size > 0 ? bytes : "", .size = size };
}

void reader_seek(struct reader *r, size_t offset)
{
    if (offset > r->size) {
        r->bad = true;
        offset = r->size;
    }
    r->at = offset;
}

size_t reader_left(const struct reader *r)
{
    return r->size - r->at;
}

/* The next `size` bytes, or NULL and `bad`; then nothing was consumed. */
static const uint8_t *take(struct reader *r, size_t size)
{
    const uint8_t *p = r->p + r->at;

    if (size > reader_left(r)) {
        r->bad = true;
        return NULL;
    }
    r->at += size;
    return p;
}

static uint64_t little_endian(struct reader *r, size_t size)
{
    const uint8_t *p = take(r, size);
    uint64_t n = 0;

    for (size_t i = size; p && i > 0; i--) {
        n = n << 8 | p[i - 1];
    }
    return n;
}

uint8_t reader_u8(struct reader *r)
{
    return (uint8_t)little_endian(r, 1);
}

uint16_t reader_u16(struct reader *r)
{
    return (uint16_t)little_endian(r, 2);
}

uint32_t reader_u32(struct reader *r)
{
    return (uint32_t)little_endian(r, 4);
}

uint64_t reader_u64(struct reader *r)
{
    return little_endian(r, 8);
}

str reader_bytes(struct reader *r, size_t size)
{
    const uint8_t *p = take(r, size);

    return p ? (str){ (const char *)p, size } : STR("");
}

str reader_zstr(struct reader *r, size_t max)
{
    size_t left = reader_left(r);
    const uint8_t *p = r->p + r->at;
    const uint8_t *end = memchr(p, 0, max < left ? max : left);

    if (!end) {
        r->bad = true;
        return STR("");
    }
    r->at += (size_t)(end - p) + 1;
    return (str){ (const char *)p, (size_t)(end - p) };
}

uint16_t reader_u16_at(struct reader *r, size_t offset)
{
    reader_seek(r, offset);
    return reader_u16(r);
}

uint32_t reader_u32_at(struct reader *r, size_t offset)
{
    reader_seek(r, offset);
    return reader_u32(r);
}

uint64_t reader_u64_at(struct reader *r, size_t offset)
{
    reader_seek(r, offset);
    return reader_u64(r);
}
