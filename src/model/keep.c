/* SPDX-License-Identifier: MIT */
/*
 * keep.c - texts that are kept. Fails for want of memory only.
 */
#include "model/world.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

str str_keep(str s)
{
    char *p = malloc(s.size + 1);

    if (p) {
        memcpy(p, s.p, s.size);
        p[s.size] = 0;
    }
    return (str){ p, s.size };
}

void str_drop(str s)
{
    union {
        const char *p;
        char *mine;
    } owned = { s.p };

    free(owned.mine);
}
