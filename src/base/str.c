/* SPDX-License-Identifier: MIT */
/*
 * str.c - text as pointer and length, and room to build text in.
 *
 * Touches only what it is given. Of the C library it needs memcpy, memcmp,
 * memchr and, for buf_addf alone, vsnprintf.
 */
#include "base/str.h"

#include <stdio.h>
#include <string.h>

#include "base/banned.h"

str str_of(const char *z)
{
    return z ? (str){ z, strlen(z) } : STR("");
}

str str_slice(str s, size_t from, size_t to)
{
    if (to > s.size) {
        to = s.size;
    }
    if (from > to) {
        from = to;
    }
    return (str){ s.p + from, to - from };
}

bool str_eq(str a, str b)
{
    return a.size == b.size && memcmp(a.p, b.p, a.size) == 0;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_eq_nocase(str a, str b)
{
    if (a.size != b.size) {
        return false;
    }
    for (size_t i = 0; i < a.size; i++) {
        if (lower(a.p[i]) != lower(b.p[i])) {
            return false;
        }
    }
    return true;
}

bool str_starts(str s, str prefix)
{
    return s.size >= prefix.size && memcmp(s.p, prefix.p, prefix.size) == 0;
}

bool str_ends(str s, str suffix)
{
    return s.size >= suffix.size &&
           memcmp(s.p + (s.size - suffix.size), suffix.p, suffix.size) == 0;
}

bool str_is_identifier(str s)
{
    for (size_t i = 0; i < s.size; i++) {
        char c = s.p[i];
        bool letter =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

        if (!letter && !(i > 0 && c >= '0' && c <= '9')) {
            return false;
        }
    }
    return s.size > 0;
}

int str_cmp(str a, str b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = memcmp(a.p, b.p, common);

    if (order != 0) {
        return order;
    }
    return (a.size > b.size) - (a.size < b.size);
}

int str_cmp_z(str a, const char *z)
{
    for (size_t i = 0; i < a.size; i++) {
        uint8_t one = (uint8_t)a.p[i];
        uint8_t other = (uint8_t)z[i];

        if (other == 0 || one != other) {
            return other == 0 || one > other ? 1 : -1;
        }
    }
    return z[a.size] == 0 ? 0 : -1;
}

bool str_cut(str s, char c, str *head, str *tail)
{
    const char *at = memchr(s.p, c, s.size);
    size_t i = at ? (size_t)(at - s.p) : s.size;

    *head = str_slice(s, 0, i);
    *tail = str_slice(s, i + 1, s.size);
    return at != NULL;
}

str str_file(str path)
{
    size_t from = path.size;

    while (from > 0 && path.p[from - 1] != '\\' && path.p[from - 1] != '/') {
        from--;
    }
    return str_slice(path, from, path.size);
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = lower(c);
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return 16;
}

bool str_to_u64(str s, uint64_t *out)
{
    uint64_t base = 10;
    uint64_t n = 0;

    if (str_starts(s, STR("0x")) || str_starts(s, STR("0X"))) {
        base = 16;
        s = str_slice(s, 2, s.size);
    }
    if (s.size == 0) {
        return false;
    }
    for (size_t i = 0; i < s.size; i++) {
        uint64_t digit = (uint64_t)digit_value(s.p[i]);

        if (digit >= base || n > (UINT64_MAX - digit) / base) {
            return false;
        }
        n = n * base + digit;
    }
    *out = n;
    return true;
}

void buf_add(struct buf *b, str s)
{
    size_t left = b->cut ? 0 : b->room - b->size;

    if (s.size > left) {
        b->cut = true;
        s.size = left;
    }
    if (s.size > 0) {
        memcpy(b->p + b->size, s.p, s.size);
        b->size += s.size;
    }
}

void buf_add_char(struct buf *b, char c)
{
    if (b->cut || b->size == b->room) {
        b->cut = true;
        return;
    }
    b->p[b->size++] = c;
}

void buf_add_dec(struct buf *b, uint64_t n)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    buf_add(b, (str){ digits + at, sizeof(digits) - at });
}

void buf_add_hex_digits(struct buf *b, uint64_t n, int digits)
{
    char text[16];

    if (digits > 16) {
        digits = 16;
    }
    for (int i = digits; i > 0; i--) {
        text[i - 1] = "0123456789abcdef"[n & 15];
        n >>= 4;
    }
    buf_add(b, (str){ text, digits > 0 ? (size_t)digits : 0 });
}

void buf_add_hex(struct buf *b, uint64_t n)
{
    char text[18];
    size_t at = sizeof(text);

    do {
        text[--at] = "0123456789abcdef"[n & 15];
        n >>= 4;
    } while (n > 0);
    text[--at] = 'x';
    text[--at] = '0';
    buf_add(b, (str){ text + at, sizeof(text) - at });
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
    size_t left = b->cut ? 0 : b->room - b->size;
    va_list args;
    int wanted;

    if (left == 0) {
        b->cut = true;
        return;
    }
    va_start(args, fmt);
    wanted = vsnprintf(b->p + b->size, left, fmt, args);
    va_end(args);
    if (wanted < 0) {
        b->cut = true;
    } else if ((size_t)wanted >= left) {
        b->cut = true;
        b->size += left - 1;
    } else {
        b->size += (size_t)wanted;
    }
}

str buf_str(const struct buf *b)
{
    return (str){ b->p, b->size };
}
