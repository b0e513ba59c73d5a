/* SPDX-License-Identifier: MIT */
/*
 * utf.c - see utf.h. Touches nothing but its arguments.
 */
#include "base/utf.h"

#include "base/banned.h"

bool utf_is_high(uint32_t unit)
{
    return (unit & ~0x3ffu) == 0xd800;
}

static bool is_low(uint32_t unit)
{
    return (unit & ~0x3ffu) == 0xdc00;
}

uint32_t utf_next16(const uint16_t *units, size_t count, size_t *at)
{
    uint32_t c = units[(*at)++];

    if (utf_is_high(c) && *at < count && is_low(units[*at])) {
        c = 0x10000 + ((c & 0x3ff) << 10) + (units[(*at)++] & 0x3ffu);
    }
    return c;
}

void utf_add(struct buf *b, uint32_t c)
{
    static const uint8_t first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    size_t size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    char bytes[4];

    if (size == 1) {
        buf_add_char(b, (char)c);
        return;
    }
    for (size_t i = size; i > 1; i--) {
        bytes[i - 1] = (char)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    bytes[0] = (char)(first[size] | c);
    buf_add(b, (str){ bytes, size });
}
