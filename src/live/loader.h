/* SPDX-License-Identifier: MIT */
/*
 * loader.h - what the loader of a process that runs says of its modules.
 *
 * Only its memory is read, and nothing in it is believed: numbers are bounded,
 * lists have an end.
 */
#ifndef LIVE_LOADER_H
#define LIVE_LOADER_H

#include "base/str.h"
#include "platform/target.h"

#include <stdbool.h>
#include <stdint.h>

struct loaded {
    uint64_t base;
    uint64_t size;  // bytes
    str name;       // of the file, WTF-8
    str path;       // the same with its folders; empty: not known
};
/* Tells `each` of the modules, in the order in which they came; false: they
 * cannot be read. */
bool loader_each(const struct os_process *p,
                 void (*each)(void *ctx, const struct loaded *l), void *ctx);

#endif
