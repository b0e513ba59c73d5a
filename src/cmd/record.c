/* SPDX-License-Identifier: MIT */
/*
 * record.c - `ntstrace record PROGRAM`.
 */
#include "cmd/command.h"
#include "live/session.h"

#include "base/banned.h"

bool record_run(const struct options *o, struct arena *a, struct outcome *out,
                struct err *e)
{
    struct launch_options launch = o->launch;
    bool ok;

    (void)a;
    launch.record_only = true;
    ok = session_run(&launch, &o->view, &out->status, &out->notes, e);
    if (o->view.quiet > 0) {
        out->notes.size = 0;
    }
    return ok;
}
