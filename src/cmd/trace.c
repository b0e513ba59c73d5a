/* SPDX-License-Identifier: MIT */
/*
 * trace.c - `ntstrace PROGRAM`; with --report it records, and makes a page of that.
 */
#include "cmd/command.h"
#include "cmd/page.h"
#include "live/session.h"
#include "report/page.h"

#include "base/banned.h"

/* The exit status is the program's, unless the page cannot be made. */
static bool trace_and_report(const struct options *o, struct arena *a,
                             struct outcome *out, struct err *e)
{
    struct launch_options launch = o->launch;
    struct page_wish wish = {
        .recording = o->launch.record,
        .output = o->report,
        .rows = o->rows == ROWS_USUAL ? PAGE_ROWS : (size_t)o->rows,
        .quiet = o->view.quiet > 0,
        .module_paths = o->view.module_paths,
    };
    bool damaged;

    launch.record_only = true;
    launch.page = o->report;
    return session_run(&launch, &o->view, &out->status, &out->notes, e) &&
           page_make(&wish, a, &out->notes, &damaged, e);
}

bool trace_run(const struct options *o, struct arena *a, struct outcome *out,
               struct err *e)
{
    bool ok = o->report.size > 0 ? trace_and_report(o, a, out, e)
                                 : session_run(&o->launch, &o->view,
                                               &out->status, &out->notes, e);

    if (o->view.quiet > 0) {
        out->notes.size = 0;
    }
    return ok;
}
