/* SPDX-License-Identifier: MIT */
/*
 * meanings.h - what a parameter means where its type does not say.
 *
 * The rows are meanings.def. Everything is constant and nothing fails. The
 * values that a meaning is about, and the memory, are the target's: nothing
 * here says that they are sane.
 */
#ifndef TABLES_MEANINGS_H
#define TABLES_MEANINGS_H

#include "base/str.h"

#include <stddef.h>

enum meaning_kind {
    /* Points to a LARGE_INTEGER in units of 100 ns: below zero from now on,
     * else a point in time since 1601 UTC. A null pointer: forever, or the
     * default. */
    MEANING_TIMEOUT,
    /* Points to a point in time, 100 ns since 1601 UTC. */
    MEANING_TIME,
    /* Is, or points to, a length of time in units of 100 ns. */
    MEANING_DURATION,
    /* Is a length of time in milliseconds. */
    MEANING_MILLISECONDS,
    /* Points to UTF-16 text up to a zero; below 10000h it is an atom. Text
     * with a size tells itself, by its type. */
    MEANING_TEXT,
    /* Is, or points to, an address in a process that may be another one: not
     * to be read through. */
    MEANING_ADDRESS,
    /* Points to a buffer whose type an information class tells: parameter
     * `by`, a value of `set`; info_find(set, ...) may have the type. */
    MEANING_INFO,
    /* Points to a buffer whose type a control code tells: `by`, of `set`. */
    MEANING_CONTROL,
    /* Points to a registry value's data, of the type that `by` tells. */
    MEANING_VALUE,
    /* Points to a PORT_MESSAGE and the data behind it: u1.s1.TotalLength
     * bytes in all. */
    MEANING_MESSAGE,
    /* wParam or lParam of the window message `by`. */
    MEANING_MESSAGE_WORD,
};

struct meaning_row {
    const char *call;
    const char *parameter;
    const char *by;   // another parameter; "*X": what X points to; or NULL
    const char *set;  // of names.h; NULL: none
    enum meaning_kind kind;
};

/* NULL: its type says all there is to say. */
const struct meaning_row *meaning_of(str call, str parameter);

/* All rows, sorted by strcmp of the call. */
size_t meaning_count(void);
const struct meaning_row *meaning_at(size_t index);

#endif
