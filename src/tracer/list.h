/* SPDX-License-Identifier: MIT */
/*
 * list.h - `ntstrace list`: what ntstrace knows about this system.
 */
#ifndef TRACER_LIST_H
#define TRACER_LIST_H

#include "base/err.h"
#include "tracer/options.h"

#include <stdbool.h>

/* Prints what `o->words` asks for on standard output. */
bool list_run(const struct options *o, struct err *e);

#endif
