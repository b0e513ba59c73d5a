/* SPDX-License-Identifier: MIT */
/*
 * inputs.c - the files that this process has read.
 *
 * Kept until the process ends: what was read and closed would be lost all the
 * same. Of one thread.
 */
#include "platform/inputs.h"

#include "base/array.h"

#include <stddef.h>

#include "base/banned.h"

static struct {
    struct file_identity *at;
    size_t count;
    size_t room;
} inputs;

static bool is_input(const struct file_identity *id)
{
    for (size_t i = 0; i < inputs.count; i++) {
        const struct file_identity *in = &inputs.at[i];

        if (in->file == id->file && in->volume == id->volume &&
            in->born == id->born) {
            return true;
        }
    }
    return false;
}

bool inputs_add(const struct file_identity *id)
{
    if (is_input(id)) {
        return true;
    }
    if (!array_grow(&inputs.at, &inputs.room, inputs.count,
                    sizeof(inputs.at[0]))) {
        return false;
    }
    inputs.at[inputs.count++] = *id;
    return true;
}

bool inputs_spare(const struct file_identity *id, str path, struct err *e)
{
    return !is_input(id) ||
           err_set(e, ERR_OUTPUT,
                   "cannot write to %.*s: it is what was read, and would be "
                   "lost; give the output another name",
                   STR_ARGS(path));
}
