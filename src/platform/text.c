/* SPDX-License-Identifier: MIT */
/*
 * text.c - UTF-16 to WTF-8 and back; unpaired surrogates survive the trip.
 *
 * Touches nothing but its arguments. No text is wrong; os_to_utf16 gives NULL
 * if there is no memory.
 */
#include "platform/os.h"

#include "base/utf.h"

#include <stdlib.h>

#include "base/banned.h"

void os_to_utf8(struct buf *b, struct str16 s)
{
    for (size_t at = 0; at < s.size;) {
        utf_add(b, utf_next16(s.p, s.size, &at));
    }
}

/* The code point that begins at s[*at]; a byte that begins none is taken as
 * U+FFFD. Advances *at. */
static uint32_t next_code_point(str s, size_t *at)
{
    const uint8_t *p = (const uint8_t *)s.p;
    uint32_t c = p[(*at)++];
    int more = c >= 0xf0 && c < 0xf8 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;

    if (c < 0x80) {
        return c;
    }
    if (more == 0 || c >= 0xf8) {
        return 0xfffd;
    }
    c &= 0x3fu >> more;
    for (int i = 0; i < more; i++) {
        if (*at >= s.size || (p[*at] & 0xc0) != 0x80) {
            return 0xfffd;
        }
        c = c << 6 | (p[(*at)++] & 0x3f);
    }
    return c <= 0x10ffff ? c : 0xfffd;
}

uint16_t *os_to_utf16(str s)
{
    uint16_t *wide = malloc((s.size + 1) * sizeof(*wide));
    size_t size = 0;

    if (wide == NULL) {
        return NULL;
    }
    for (size_t at = 0; at < s.size;) {
        uint32_t c = next_code_point(s, &at);

        if (c >= 0x10000) {
            wide[size++] = (uint16_t)(0xd800 + ((c - 0x10000) >> 10));
            wide[size++] = (uint16_t)(0xdc00 + (c & 0x3ff));
        } else {
            wide[size++] = (uint16_t)c;
        }
    }
    wide[size] = 0;
    return wide;
}

void os_free(void *p)
{
    free(p);
}
