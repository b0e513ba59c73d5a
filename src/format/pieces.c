/* SPDX-License-Identifier: MIT */
/*
 * pieces.c - what the text and the JSON output need alike.
 */
#include "format/pieces.h"

#include "base/utf.h"

#include "base/banned.h"

#define SECOND_UNITS 10000000  // of 100 ns
/* From 0000-03-01, where the days of add_date begin, to 1601-01-01. */
#define DAYS_TO_1601 584694

size_t pieces_fit(const struct sink_text *text, size_t most)
{
    size_t n = most;

    if (text->size <= most) {
        return text->size;
    }
    if (text->kind == TEXT_UTF16) {
        const uint16_t *units = text->p;

        if (n > 0 && utf_is_high(units[n - 1])) {
            n--;
        }
    } else {
        const char *p = text->p;

        while (n > 0 && (p[n] & 0xc0) == 0x80) {
            n--;
        }
    }
    return n;
}

void pieces_add_padded(struct buf *b, uint64_t n, size_t digits)
{
    char text[20];

    for (size_t i = digits; i > 0; i--) {
        text[i - 1] = (char)('0' + n % 10);
        n /= 10;
    }
    buf_add(b, (str){ text, digits });
}

void pieces_add_signed(struct buf *b, uint64_t n)
{
    if (n >> 63) {
        buf_add_char(b, '-');
        n = 0 - n;
    }
    buf_add_dec(b, n);
}

void pieces_add_clock(struct buf *b, uint64_t seconds)
{
    pieces_add_padded(b, seconds / 3600, 2);
    buf_add_char(b, ':');
    pieces_add_padded(b, seconds / 60 % 60, 2);
    buf_add_char(b, ':');
    pieces_add_padded(b, seconds % 60, 2);
}

/* Year, month and day that are `days` after 0000-03-01: years that begin in
 * March have their odd day at the end, and months in a regular pattern. */
static void add_date(struct buf *b, uint64_t days)
{
    uint64_t era = days / 146097;  // of 400 years
    uint64_t of_era = days % 146097;
    uint64_t year =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    uint64_t month = (5 * of_year + 2) / 153;  // from March
    uint64_t day = of_year - (153 * month + 2) / 5 + 1;

    year += 400 * era + (month >= 10);
    month = month < 10 ? month + 3 : month - 9;
    pieces_add_padded(b, year, year > 9999 ? 5 : 4);
    buf_add_char(b, '-');
    pieces_add_padded(b, month, 2);
    buf_add_char(b, '-');
    pieces_add_padded(b, day, 2);
}

void pieces_add_time(struct buf *b, int64_t filetime)
{
    uint64_t units = (uint64_t)filetime;

    if (filetime <= 0) {
        pieces_add_signed(b, units);
        return;
    }
    add_date(b, units / SECOND_UNITS / 86400 + DAYS_TO_1601);
    buf_add_char(b, 'T');
    pieces_add_clock(b, units / SECOND_UNITS % 86400);
    buf_add_char(b, '.');
    pieces_add_padded(b, units % SECOND_UNITS, 7);
    buf_add_char(b, 'Z');
}

void pieces_add_duration(struct buf *b, int64_t units)
{
    uint64_t n = (uint64_t)units;

    if (units < 0) {
        n = 0 - n;
    }
    buf_add_char(b, units < 0 ? '-' : '+');
    buf_add_dec(b, n / SECOND_UNITS);
    buf_add_char(b, '.');
    if (n % 10 != 0) {
        pieces_add_padded(b, n % SECOND_UNITS, 7);
    } else {
        pieces_add_padded(b, n % SECOND_UNITS / 10, 6);
    }
    buf_add_char(b, 's');
}
