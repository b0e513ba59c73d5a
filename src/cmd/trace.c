/* SPDX-License-Identifier: MIT */
/*
 * trace.c - `ntstrace PROGRAM`.
 */
#include "cmd/command.h"
#include "live/session.h"

#include "base/banned.h"

bool trace_run(const struct options *o, struct arena *a, struct outcome *out,
               struct err *e)
{
    bool ok = session_run(&o->launch, &o->view, &out->status, &out->notes, e);

    (void)a;
    if (o->view.quiet > 0) {
        out->notes.size = 0;
    }
    return ok;
}
