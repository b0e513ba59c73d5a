/* SPDX-License-Identifier: MIT */
/*
 * tracks.h - what a timeline is drawn of: for each thread, in equal bins of the
 * whole time, how many calls began, how many failed, and how much of the bin was
 * spent in calls and in those that wait; and marks, points in time at which
 * something happened.
 *
 * A second pass, when it is known how long it lasted and which threads there were.
 * All calls are counted; marks are thinned evenly, beyond MARKS_MOST of a kind.
 */
#ifndef REPORT_TRACKS_H
#define REPORT_TRACKS_H

#include "report/answers.h"
#include "report/html.h"
#include "report/tally.h"

#include <stdbool.h>

/* Of all threads together, and of one. */
#define BINS_ALL ((size_t)1 << 20)
#define BINS_MOST 16384u
#define BINS_LEAST 512u
/* Threads that have a track. */
#define TRACKS_MOST (BINS_ALL / BINS_LEAST)
#define MARKS_MOST 4000u

struct tracks;

/* What it is handed is borrowed. NULL without memory. */
struct tracks *tracks_open(const struct answers_rows *rows,
                           const struct tally *tally,
                           const struct clock *clock);
void tracks_close(struct tracks *t);  // NULL is fine

/* They fit struct model_out; `tracks` is a struct tracks. */
void tracks_leave(void *tracks, const struct call *call);
void tracks_transition(void *tracks, const struct transition_told *told);
void tracks_module(void *tracks, const struct module_told *m);

unsigned tracks_bins(const struct tracks *t);
/* All of it, as elements "tracks" and "marks"; docs are in report/page/page.js.
 * `used` gets a bit set for each name that is referred to, or is NULL. */
bool tracks_write(struct tracks *t, struct html *h, uint8_t *used);

#endif
