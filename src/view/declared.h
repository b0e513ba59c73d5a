/* SPDX-License-Identifier: MIT */
/*
 * declared.h - calls that the user declares (--prototypes), from a file or from
 * a recording.
 */
#ifndef VIEW_DECLARED_H
#define VIEW_DECLARED_H

#include "base/err.h"
#include "tables/prototypes.h"
#include "view/options.h"

#include <stdbool.h>

/* A recording keeps no more of them, in bytes. */
#define DECLARED_TEXT_MOST ((size_t)256 << 10)

/* Reads the file o->prototypes, or else the text o->declared; zeroed, if there
 * are neither. On failure *e says what is wrong, and there is nothing to close. */
bool declared_open(struct prototypes *p, const struct view_options *o,
                   struct err *e);

/* Adds those that differ from our rows on a system, as C. */
void declared_text(struct buf *b, const struct call_set *set,
                   struct call_system on);

/* The call of our tables that may be meant by the name; empty: none is near. */
str declared_meant(str name);

/* Adds a note about what was passed over, a line, if there was something. */
void declared_note(struct buf *notes, const struct prototypes *p,
                   const struct view_options *o);

#endif
