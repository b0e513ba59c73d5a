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
    struct view_options view = o->view;
    bool ok;

    launch.record_only = true;
    launch.record = view.output.size > 0
                        ? view.output
                        : options_record_name(launch.program, a);
    view.output = STR("");
    ok = session_run(&launch, &view, &out->status, &out->notes, e);
    if (view.quiet > 0) {
        out->notes.size = 0;
    }
    return ok;
}
