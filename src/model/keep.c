/* SPDX-License-Identifier: MIT */
/*
 * keep.c - arrays that grow, texts that are kept. Fails for want of memory
 * only.
 */
#include "model/world.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

bool grow(void *array, size_t *room, size_t count, size_t element)
{
    void *old;
    void *bigger;
    size_t wanted = *room ? *room * 2 : 16;

    if (count < *room) {
        return true;
    }
    memcpy(&old, array, sizeof(old));
    bigger = realloc(old, wanted * element);
    if (!bigger) {
        return false;
    }
    memcpy(array, &bigger, sizeof(bigger));
    *room = wanted;
    return true;
}

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
