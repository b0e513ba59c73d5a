/* SPDX-License-Identifier: MIT */
/*
 * ioctls.h - device and file system control codes: the names that are not in
 * enums.def, and the structures in their buffers (ioctls.def, and unless the
 * build defines NO_LGPL_ROWS, ioctls_wine.def).
 *
 * Everything is constant; NULL for what is not in the table.
 */
#ifndef TABLES_IOCTLS_H
#define TABLES_IOCTLS_H

#include "tables/structs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ioctl_row {
    uint32_t code;
    bool wine;          // only under Wine
    const char *name;   // NULL: see enums.def
    const char *input;  // structure, "ULONG" ..., "X[]"; NULL: bytes
    const char *output;
};

/* `wine`: the target runs under Wine, whose rows come first. */
const struct ioctl_row *ioctl_find(uint32_t code, bool wine);

/* A structure that only control codes and sockets use; else as struct_find. */
const struct struct_row *ioctl_struct(str name);

/* All rows, for tests. */
size_t ioctl_count(void);
const struct ioctl_row *ioctl_at(size_t index);
size_t ioctl_struct_count(void);
const struct struct_row *ioctl_struct_at(size_t index);

#endif
