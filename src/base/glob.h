/* SPDX-License-Identifier: MIT */
/*
 * glob.h - patterns of * (any text, also none) and ? (one unit).
 *
 * A glob holds if it is all of a name. Time is at most the product of both
 * sizes, and no room is needed: globs may come with a recording.
 */
#ifndef BASE_GLOB_H
#define BASE_GLOB_H

#include "base/str.h"

#include <stddef.h>

enum glob_unit {
    GLOB_OTHER,  // the glob's unit is not the name's
    GLOB_SAME,   // it is, or is ?
    GLOB_STAR,   // it is *, whatever the name's
};

/* What the glob's unit `g` is to the name's unit `n`; n may be the name's
 * size, if nothing is left of it. */
typedef enum glob_unit glob_look(const void *both, size_t g, size_t n);

/* True if the glob of `glob_size` units is the name's units from `n` up to
 * `size`; `look` knows both. */
bool glob_holds(size_t glob_size, size_t n, size_t size, glob_look *look,
                const void *both);

/* The same of bytes; `nocase` leaves out the case of ASCII's letters. */
bool glob_matches(str glob, str name, bool nocase);

#endif
