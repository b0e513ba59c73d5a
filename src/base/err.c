/* SPDX-License-Identifier: MIT */
/*
 * err.c - why something failed, in a form the user can act on.
 *
 * Fills the struct it is given and touches nothing else. Cannot fail: a text
 * too long for it is cut.
 */
#include "base/err.h"

#include "base/chars.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/banned.h"

bool err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
    char room[2 * sizeof(e->text)];
    struct buf out = { e->text, 0, sizeof(e->text) - 1, false };
    va_list args;

    room[0] = '\0';
    va_start(args, fmt);
    vsnprintf(room, sizeof(room), fmt, args);
    va_end(args);
    /* One line, whatever the text was made from; no terminal's escape, and
     * nothing that makes it look like another. */
    chars_add_visible(&out, str_of(room));
    e->text[out.size] = '\0';
    e->code = code;
    e->os = 0;
    return false;
}

int err_exit_status(enum err_code code)
{
    /* clang-format off */
    switch (code) {
#define ERR(name, status) case name: return status;
#include "base/err.def"
#undef ERR
    }
    /* clang-format on */
    return 125;
}
