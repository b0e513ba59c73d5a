/* SPDX-License-Identifier: MIT */
/*
 * err.c - why something failed, in a form the user can act on.
 *
 * Fills the struct it is given and touches nothing else. Cannot fail: a text
 * too long for it is cut.
 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/banned.h"

bool err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
    va_list args;

    e->code = code;
    e->os = 0;
    e->text[0] = '\0';
    va_start(args, fmt);
    vsnprintf(e->text, sizeof(e->text), fmt, args);
    va_end(args);
    /* One line, whatever the text was made from; and no terminal's escape. */
    for (char *p = e->text; *p; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7f) {
            *p = '?';
        }
    }
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
