/* SPDX-License-Identifier: MIT */
/*
 * inputs.h - the files that this process has read: none of them is emptied to be
 * written to, by whatever name it is called.
 */
#ifndef PLATFORM_INPUTS_H
#define PLATFORM_INPUTS_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* What a file is known by, whatever its name: the same for no other file that is
 * there at the same time. */
struct file_identity {
    uint64_t volume;
    uint64_t file;
    uint64_t born;  // 0: not known
};

/* It was read. False: there is no memory. */
bool inputs_add(const struct file_identity *id);
/* Fails, with what helps, if the file was read; `path` is what it is called now. */
bool inputs_spare(const struct file_identity *id, str path, struct err *e);

#endif
