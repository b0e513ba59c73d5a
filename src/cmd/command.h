/* SPDX-License-Identifier: MIT */
/*
 * command.h - what can be told to ntstrace: one function for each row of
 * commands.def, and one for no row, which traces. Each has a file of its own.
 */
#ifndef CMD_COMMAND_H
#define CMD_COMMAND_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "cmd/options.h"

#include <stdbool.h>
#include <stdint.h>

/* What came of it; zeroed but for the room of `notes`. */
struct outcome {
    uint32_t status;   // ours, if it did not fail
    struct buf notes;  // lines for the user, whether it fails or not
};

/* Does what `o` asks for. */
typedef bool command_run(const struct options *o, struct arena *a,
                         struct outcome *out, struct err *e);

/* Runs a program to its end, or until it is detached from; the exit status is
 * its own, or 130. */
command_run trace_run;
/* The same, with all that it calls kept in the file o->launch.record. */
command_run record_run;
/* The same, shown as counts, again and again; 0 also when the user, or --count, has
 * had enough. */
command_run top_run;
/* Shows what the file o->words[0] holds. */
command_run replay_run;
/* Prints on standard output what the file o->words[0] is; the exit status is 0
 * unless it is damaged or cut off: then 125. */
command_run info_run;
/* Joins the files that -ff has written, whose names begin with o->words[0], into
 * o->view.output. */
command_run merge_run;
/* Writes what the program recorded in the file o->words[0] did, as answers; the
 * exit status is that of replay_run. */
command_run report_run;
/* Writes the recording o->words[0] as o->view.to says, into o->view.output or on
 * standard output; the exit status is that of replay_run. */
command_run export_run;
/* Writes what is different between the recordings o->words[0] and [1]; the exit
 * status is 0 for nothing, 1 for something, 2 if one is damaged or cut off, or if it
 * fails. */
command_run diff_run;
/* Prints findings on standard output: small experiments that show whether this
 * system behaves as ntstrace relies on; nothing on the machine changes. The
 * exit status is 0 if all that is relied on was seen to hold, else 125. Fails
 * only if nothing can be printed, or where there is nothing to look at. */
command_run doctor_run;
/* Prints what `o->words` asks for on standard output. */
command_run list_run;

#endif
