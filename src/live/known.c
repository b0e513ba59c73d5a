/* SPDX-License-Identifier: MIT */
/*
 * known.c - see known.h. Touches nothing else.
 */
#include "live/known.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

const struct known_image *known_find(const struct known *k, uint64_t base,
                                     uint64_t end, str path)
{
    for (size_t i = 0; i < k->count && i < KNOWN_MOST; i++) {
        const struct known_image *x = &k->at[i];

        if (x->base == base && x->end == end && x->path != NULL &&
            str_eq((str){ x->path, x->path_size }, path)) {
            return x;
        }
    }
    return NULL;
}

void known_add(struct known *k, const struct known_image *image, str path)
{
    size_t i = k->count;
    struct known_image *x;
    char *copy = malloc(path.size + 1);

    if (copy == NULL) {
        return;
    }
    if (i >= KNOWN_MOST) {
        i = SECTION_IMAGES_MOST +
            (i - SECTION_IMAGES_MOST) % (KNOWN_MOST - SECTION_IMAGES_MOST);
    }
    x = &k->at[i];
    memcpy(copy, path.p, path.size);
    free(x->path);
    *x = *image;
    x->path = copy;
    x->path_size = path.size;
    k->count++;
}

void known_close(struct known *k)
{
    for (size_t i = 0; i < KNOWN_MOST; i++) {
        free(k->at[i].path);
    }
    memset(k, 0, sizeof(*k));
}
