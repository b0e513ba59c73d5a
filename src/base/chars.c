/* SPDX-License-Identifier: MIT */
/*
 * chars.c - the characters of a text, and which of them cannot be seen.
 *
 * Touches nothing but the given room.
 */
#include "base/chars.h"

#include "base/banned.h"

uint32_t chars_code_point(str s, size_t *size)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint8_t first = (uint8_t)s.p[0];
    size_t n = first < 0x80   ? 1
               : first < 0xc0 ? 0
               : first < 0xe0 ? 2
               : first < 0xf0 ? 3
               : first < 0xf8 ? 4
                              : 0;
    uint32_t c = n > 1 ? first & (0x7fu >> n) : first;

    *size = 1;
    if (n == 1) {
        return c;
    }
    if (n == 0 || n > s.size) {
        return 0xdc00u + first;
    }
    for (size_t i = 1; i < n; i++) {
        uint8_t next = (uint8_t)s.p[i];

        if ((next & 0xc0) != 0x80) {
            return 0xdc00u + first;
        }
        c = c << 6 | (next & 0x3f);
    }
    if (c < least[n] || c > 0x10ffff) {
        return 0xdc00u + first;
    }
    *size = n;
    return c;
}

bool chars_hidden(uint32_t c)
{
    static const uint32_t ranges[][2] = {
        { 0x7f, 0x9f },       { 0xad, 0xad },       { 0x34f, 0x34f },
        { 0x61c, 0x61c },     { 0x115f, 0x1160 },   { 0x17b4, 0x17b5 },
        { 0x180b, 0x180f },   { 0x200b, 0x200f },   { 0x2028, 0x202e },
        { 0x2060, 0x206f },   { 0x3164, 0x3164 },   { 0xd800, 0xdfff },
        { 0xfdd0, 0xfdef },   { 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff },
        { 0xffa0, 0xffa0 },   { 0xfff0, 0xfffb },   { 0x1bca0, 0x1bca3 },
        { 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
    };

    if (c < 0x7f) {
        return c < 0x20;
    }
    for (size_t i = 0; i < COUNT_OF(ranges) && c >= ranges[i][0]; i++) {
        if (c <= ranges[i][1]) {
            return true;
        }
    }
    return (c & 0xfffe) == 0xfffe;
}

static int code_digits(uint32_t c)
{
    return c > 0xfffff ? 6 : c > 0xffff ? 5 : c > 0xff ? 4 : 2;
}

void chars_add_code(struct buf *b, uint32_t c)
{
    int digits = code_digits(c);
    char text[8];

    for (int i = digits; i > 0; i--) {
        text[i - 1] = "0123456789ABCDEF"[c & 15];
        c >>= 4;
    }
    buf_add(b, STR("^{"));
    buf_add(b, (str){ text, (size_t)digits });
    buf_add(b, STR("}"));
}

size_t chars_columns(str s, size_t *size)
{
    uint32_t c = chars_code_point(s, size);

    return chars_hidden(c) ? (size_t)code_digits(c) + 3 : 1;
}

void chars_add_visible(struct buf *b, str s)
{
    size_t size;

    for (size_t at = 0; at < s.size && !b->cut; at += size) {
        str rest = str_slice(s, at, s.size);
        uint32_t c = chars_code_point(rest, &size);
        bool hidden = chars_hidden(c);

        if ((hidden ? chars_columns(rest, &size) : size) > b->room - b->size) {
            b->cut = true;
        } else if (hidden) {
            chars_add_code(b, c);
        } else {
            buf_add(b, str_slice(rest, 0, size));
        }
    }
}
