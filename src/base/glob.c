/* SPDX-License-Identifier: MIT */
/*
 * glob.c - base/glob.h: each * takes as little as it can; if the rest does not
 * fit, the last one takes a unit more.
 */
#include "base/glob.h"

#include "base/banned.h"

bool glob_holds(size_t glob_size, size_t n, size_t size, glob_look *look,
                const void *both)
{
    size_t g = 0;
    size_t star = SIZE_MAX;  // behind the last *
    size_t retry = 0;        // where that one's text ends, at least

    while (n < size) {
        enum glob_unit unit = g < glob_size ? look(both, g, n) : GLOB_OTHER;

        if (unit == GLOB_STAR) {
            star = ++g;
            retry = n;
        } else if (unit == GLOB_SAME) {
            g++;
            n++;
        } else if (star != SIZE_MAX) {
            g = star;
            n = ++retry;
        } else {
            return false;
        }
    }
    while (g < glob_size && look(both, g, n) == GLOB_STAR) {
        g++;
    }
    return g == glob_size;
}

struct bytes {
    str glob;
    str name;
    bool nocase;
};

static enum glob_unit look_at_bytes(const void *both, size_t g, size_t n)
{
    const struct bytes *b = both;
    str one = str_slice(b->glob, g, g + 1);

    if (str_is(one, "*")) {
        return GLOB_STAR;
    }
    if (n == b->name.size) {
        return GLOB_OTHER;
    }
    return str_is(one, "?") || (b->nocase ? str_eq_nocase : str_eq)(
                                   one, str_slice(b->name, n, n + 1))
               ? GLOB_SAME
               : GLOB_OTHER;
}

bool glob_matches(str glob, str name, bool nocase)
{
    struct bytes both = { glob, name, nocase };

    return glob_holds(glob.size, 0, name.size, look_at_bytes, &both);
}
