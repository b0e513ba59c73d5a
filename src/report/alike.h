/* SPDX-License-Identifier: MIT */
/*
 * alike.h - names of two runs that mean the same thing, though they are not the
 * same: ids, addresses and what is made up anew each time are left out.
 *
 * alike_name leaves out what is plainly a number that the system made up; by it
 * names are compared. alike_form leaves out more, all that could have been made
 * up: it is for names that one run alone has, when the other has one of the same
 * form alone. alike_command and alike_command_form are the same of command lines.
 */
#ifndef REPORT_ALIKE_H
#define REPORT_ALIKE_H

#include "base/str.h"
#include "report/subject.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void alike_name(struct buf *b, str name, enum subject_kind kind);

/* Adds the form of `name`, which process `pid` has called for; `*part` is how much
 * of the name must be one run's alone: all of it, or the folder that was made up.
 * False: nothing in it could have been made up, and `b` is as it was. */
bool alike_form(struct buf *b, str name, enum subject_kind kind, uint32_t pid,
                size_t *part);

void alike_command(struct buf *b, str command);
/* `pid`: of who has started it. */
void alike_command_form(struct buf *b, str command, uint32_t pid);

#endif
