/* SPDX-License-Identifier: MIT */
/*
 * about.c - facts as lines. Touches its arguments; what does not fit is cut.
 */
#include "record/about.h"

#include "base/banned.h"

void about_add(struct buf *b, str key, str value)
{
    buf_add(b, key);
    buf_add_char(b, ' ');
    for (size_t i = 0; i < value.size; i++) {
        if (value.p[i] == '\n') {
            buf_add(b, STR("\\n"));
        } else if (value.p[i] == '\\') {
            buf_add(b, STR("\\\\"));
        } else {
            buf_add_char(b, value.p[i]);
        }
    }
    buf_add_char(b, '\n');
}

void about_add_number(struct buf *b, str key, int64_t value)
{
    char room[32];
    struct buf digits = BUF_OVER(room);

    buf_addf(&digits, "%lld", (long long)value);
    about_add(b, key, buf_str(&digits));
}

bool about_find(str text, str key, uint32_t nth, struct buf *value)
{
    str line, found, rest;

    while (text.size > 0) {
        str_cut(text, '\n', &line, &text);
        str_cut(line, ' ', &found, &rest);
        if (!str_eq(found, key) || nth-- > 0) {
            continue;
        }
        for (size_t i = 0; i < rest.size; i++) {
            bool escape = rest.p[i] == '\\' && i + 1 < rest.size;

            i += escape;
            buf_add_char(value, escape && rest.p[i] == 'n' ? '\n' : rest.p[i]);
        }
        return true;
    }
    return false;
}

int64_t about_number(str text, str key, int64_t otherwise)
{
    char room[32];
    struct buf b = BUF_OVER(room);
    uint64_t n = 0;
    bool negative;

    if (!about_find(text, key, 0, &b) || b.cut) {
        return otherwise;
    }
    negative = b.size > 0 && b.p[0] == '-';
    if (!str_to_u64(str_slice(buf_str(&b), negative, b.size), &n) ||
        n > INT64_MAX) {
        return otherwise;
    }
    return negative ? -(int64_t)n : (int64_t)n;
}
