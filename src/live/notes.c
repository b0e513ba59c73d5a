/* SPDX-License-Identifier: MIT */
/*
 * notes.c - what the user should know besides the trace, a line each.
 */
#include "live/session.h"

#include "base/chars.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/banned.h"

void session_note(struct session *s, const char *format, ...)
{
    char room[800];
    char shown[400];
    struct buf line = BUF_OVER(shown);
    va_list args;
    int size;

    va_start(args, format);
    size = vsnprintf(room, sizeof(room), format, args);
    va_end(args);
    if (size > 0) {
        chars_add_visible(&line, str_of(room));
        buf_add(s->notes, buf_str(&line));
        buf_add(s->notes, STR("\n"));
    }
}
