/* SPDX-License-Identifier: MIT */
/*
 * doctor.h - `ntstrace doctor`: small experiments that show whether this
 * system behaves as ntstrace relies on.
 *
 * One line a check: `ok`, `differs` or `cannot tell`, the check's name, the
 * evidence. The experiments run in this process, in copies of it, and on
 * memory and threads of their own; nothing on the machine changes.
 */
#ifndef CMD_DOCTOR_H
#define CMD_DOCTOR_H

#include "base/arena.h"
#include "base/err.h"
#include "cmd/options.h"

#include <stdbool.h>
#include <stdint.h>

/* Prints the findings on standard output. *status: 0 if everything that is
 * relied on was seen to hold, else 125. Fails only if nothing can be
 * printed. */
bool doctor_run(const struct options *o, struct arena *a, uint32_t *status,
                struct err *e);

#endif
