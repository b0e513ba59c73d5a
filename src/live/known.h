/* SPDX-License-Identifier: MIT */
/*
 * known.h - how large the images of one process are, for the next one that has
 * the same: the children of a build have the same DLLs, and to read in a process
 * that runs is dear. They are none of those that we look into: not win32u. The
 * first are told to each new agent as well (section.image), so that a thread that
 * maps one need not wait for us.
 *
 * The same is what has the same file at the same place, with the same extent, as
 * its process says: whoever lies there can have the image of another process
 * taken for smaller than it is, and nothing else.
 */
#ifndef LIVE_KNOWN_H
#define LIVE_KNOWN_H

#include "base/str.h"
#include "wire/section.h"

#include <stddef.h>
#include <stdint.h>

/* When there are more, the oldest is forgotten, but for the first
 * SECTION_IMAGES_MOST: agents are told of those, by index. */
#define KNOWN_MOST 256

struct known_image {
    uint64_t base;
    uint64_t end;   // of its mapping
    uint64_t size;  // bytes, as its head says
    uint64_t name;  // as struct section_image has it
    size_t path_size;
    char *path;  // WTF-8, owned
};

/* All zero: none is known. */
struct known {
    struct known_image at[KNOWN_MOST];
    size_t count;  // ever put there
};

/* NULL: it is not known. */
const struct known_image *known_find(const struct known *k, uint64_t base,
                                     uint64_t end, str path);
/* What `image` says is known from now on, of the file `path`; without memory it
 * is not. */
void known_add(struct known *k, const struct known_image *image, str path);
void known_close(struct known *k);

#endif
