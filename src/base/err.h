/* SPDX-License-Identifier: MIT */
/*
 * err.h - why something failed, in a form the user can act on.
 *
 * A function that can fail returns bool and takes `struct err *` last. On
 * false it has filled *err and left its other outputs as they were. On true
 * it has not touched *err. Nobody below main() prints.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

enum err_code {
#define ERR(name, status) name,
#include "base/err.def"
#undef ERR
};

struct err {
    enum err_code code;
    uint32_t os;     // NTSTATUS, Win32 code or errno behind ERR_OS, else 0
    char text[512];  // one line, no "ntstrace: ", newline or full stop
};

/* Fills *e from a printf format; what cannot be seen is written by its number,
 * as in trace lines. Always returns false, so that a failing
 * function can say `return err_set(...)`. */
PRINTF_LIKE(3, 4)
bool err_set(struct err *e, enum err_code code, const char *fmt, ...);

/* The exit status of ntstrace for `code`. */
int err_exit_status(enum err_code code);

#endif
