/* SPDX-License-Identifier: MIT */
/*
 * help.h - what ntstrace says about itself.
 *
 * Each function adds whole lines of at most 80 columns to `b`; HELP_ROOM
 * bytes are enough for any of them.
 */
#ifndef CMD_HELP_H
#define CMD_HELP_H

#include "base/str.h"
#include "cmd/options.h"

#define HELP_ROOM 16384

/* At most 24 lines: for who started us without a word. */
void help_first(struct buf *b);

/* `ntstrace --help`; for a subcommand `ntstrace NAME --help`. */
void help_full(struct buf *b, enum command command);

void help_version(struct buf *b);

#endif
