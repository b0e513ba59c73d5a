/* SPDX-License-Identifier: MIT */
/*
 * keys.h - what the user has chosen to see, and how each key changes it.
 */
#ifndef TOP_KEYS_H
#define TOP_KEYS_H

#include "top/counts.h"

#include <stdbool.h>
#include <stdint.h>

struct keys {
    enum counts_by by;
    enum counts_order order;
    bool reverse;
    bool paused;  // what is shown stands still
    bool help;    // is shown instead of rows
};

enum keys_ask {
    KEYS_NOTHING,  // the key has no meaning
    KEYS_DRAW,     // what is shown is another now
    KEYS_QUIT,
};

/* `key`: a character of Unicode. */
enum keys_ask keys_press(struct keys *k, uint32_t key);

/* The lines of the help, from 0; NULL: there are no more. */
const char *keys_help(size_t line);

/* What -S calls it; false: there is no such word. */
bool keys_order_find(str word, enum counts_order *out);

#endif
