/* SPDX-License-Identifier: MIT */
/*
 * replay.c - `ntstrace replay FILE`.
 */
#include "cmd/command.h"

#include "base/banned.h"

bool replay_run(const struct options *o, struct arena *a, struct outcome *out,
                struct err *e)
{
    (void)o;
    (void)a;
    (void)out;
    return err_set(e, ERR_OS, "replay: not there yet");
}
