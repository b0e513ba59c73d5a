/* SPDX-License-Identifier: MIT */
/*
 * written.h - for tests of src/report: what was written, all of it in memory.
 * Set written_size to 0 for the next. Ends the test if there is no memory.
 */
#ifndef WRITTEN_H
#define WRITTEN_H

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

static char *written;
static size_t written_size;
static size_t written_room;

static void write_bytes(void *ctx, str bytes)
{
    (void)ctx;
    if (written_size + bytes.size > written_room) {
        written_room = 2 * (written_size + bytes.size);
        written = realloc(written, written_room);
        if (written == NULL) {
            abort();
        }
    }
    memcpy(written + written_size, bytes.p, bytes.size);
    written_size += bytes.size;
}

#endif
