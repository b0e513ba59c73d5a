/* SPDX-License-Identifier: MIT */
/*
 * missing.h - calls that the user has declared (--prototypes), and that are not
 * there.
 */
#ifndef LIVE_MISSING_H
#define LIVE_MISSING_H

struct session;

/* A note of each call that was declared, and that neither this system nor our
 * tables have: its name may be misspelt, and then the declaration does nothing. */
void missing_note(struct session *s);

#endif
