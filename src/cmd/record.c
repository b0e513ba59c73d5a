/* SPDX-License-Identifier: MIT */
/*
 * record.c - `ntstrace record PROGRAM`.
 */
#include "cmd/command.h"

#include "base/banned.h"

bool record_run(const struct options *o, struct arena *a, struct outcome *out,
                struct err *e)
{
    (void)o;
    (void)a;
    (void)out;
    return err_set(e, ERR_OS, "record: not there yet");
}
