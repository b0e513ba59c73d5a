/* SPDX-License-Identifier: MIT */
/*
 * caret.c - a line and a caret, by columns.
 */
#include "base/caret.h"

#include "base/chars.h"

#include "base/banned.h"

/* Columns of a line that are shown. */
#define SHOWN_COLUMNS 60

size_t caret_columns(str s)
{
    size_t count = 0;
    size_t size;

    for (size_t at = 0; at < s.size; at += size) {
        count += chars_columns(str_slice(s, at, s.size), &size);
    }
    return count;
}

/* `s` without the characters that `count` columns have room for. */
static str skip_columns(str s, size_t count)
{
    size_t size;

    while (s.size > 0) {
        size_t wide = chars_columns(s, &size);

        if (wide > count) {
            break;
        }
        count -= wide;
        s = str_slice(s, size, s.size);
    }
    return s;
}

str caret_first(str s, size_t columns)
{
    return str_slice(s, 0, s.size - skip_columns(s, columns).size);
}

void caret_add(struct buf *b, str line, size_t at)
{
    size_t column = caret_columns(str_slice(line, 0, at));
    bool more;

    buf_add(b, STR("\n    "));
    if (column > SHOWN_COLUMNS - 10) {
        str tail = skip_columns(line, column - SHOWN_COLUMNS / 2);

        column -= caret_columns(str_slice(line, 0, line.size - tail.size));
        column += 3;
        line = tail;
        buf_add(b, STR("..."));
    }
    more = caret_columns(line) > SHOWN_COLUMNS;
    chars_add_visible(b, caret_first(line, SHOWN_COLUMNS));
    buf_add(b, more ? STR("...") : STR(""));
    buf_add(b, STR("\n    "));
    for (size_t i = 0; i < column; i++) {
        buf_add_char(b, ' ');
    }
    buf_add_char(b, '^');
}
