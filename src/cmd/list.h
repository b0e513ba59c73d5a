/* SPDX-License-Identifier: MIT */
/*
 * list.h - `ntstrace list`: what ntstrace knows about this system.
 */
#ifndef CMD_LIST_H
#define CMD_LIST_H

#include "base/err.h"
#include "cmd/options.h"

#include <stdbool.h>

/* Prints what `o->words` asks for on standard output. */
bool list_run(const struct options *o, struct err *e);

#endif
