/* SPDX-License-Identifier: MIT */
/*
 * doctor_elsewhere.c - `ntstrace doctor` where there is no Windows to look at.
 */
#include "cmd/command.h"

#include "base/banned.h"

bool doctor_run(const struct options *o, struct arena *a, struct outcome *out,
                struct err *e)
{
    (void)o;
    (void)a;
    (void)out;
    return err_set(e, ERR_OS,
                   "doctor needs Windows (or Wine): it looks at the system "
                   "that it runs on");
}
