/* SPDX-License-Identifier: MIT */
/*
 * detach.h - letting a process go that runs: its code as it was, and of us as
 * little left as can be.
 */
#ifndef LIVE_DETACH_H
#define LIVE_DETACH_H

#include "base/err.h"
#include "live/keeper.h"
#include "live/target.h"

#include <stdbool.h>

/* Puts every stub back, ends the callback, takes back memory and handles. What
 * is in the rings stays for us to read; `m` reads them while threads run. False:
 * not all of it is as it was, and *e says why; it goes on in any case. */
bool detach(struct target *t, const struct meanwhile *m, struct err *e);

#endif
