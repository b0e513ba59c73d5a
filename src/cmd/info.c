/* SPDX-License-Identifier: MIT */
/*
 * info.c - `ntstrace info FILE`.
 */
#include "cmd/command.h"

#include "base/banned.h"

bool info_run(const struct options *o, struct arena *a, struct outcome *out,
              struct err *e)
{
    (void)o;
    (void)a;
    (void)out;
    return err_set(e, ERR_OS, "info: not there yet");
}
