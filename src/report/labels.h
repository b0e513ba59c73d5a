/* SPDX-License-Identifier: MIT */
/*
 * labels.h - names of files, keys and other things, each kept once and known by
 * its number.
 *
 * Names are the same if filter/path.h says so: whatever their case, with \??\ in
 * front or not. What is shown is the first spelling that was seen. They come from
 * whoever was traced: there is an end to how many are kept.
 */
#ifndef REPORT_LABELS_H
#define REPORT_LABELS_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of all of them. */
#define LABELS_BYTES_MOST ((size_t)64 << 20)
#define LABELS_MOST ((size_t)1 << 20)
/* In place of a number: there was no room for it. */
#define LABEL_NONE UINT32_MAX

struct labels;

/* NULL without memory. */
struct labels *labels_open(void);
void labels_close(struct labels *n);  // NULL is fine

/* The number of this name, from 0; LABEL_NONE: there is no room for a new one. */
uint32_t labels_add(struct labels *n, str name);
size_t labels_count(const struct labels *n);
/* How often there was no room. */
uint64_t labels_refused(const struct labels *n);
/* What it is; borrowed until the next labels_add. Of LABEL_NONE "(more)". */
str labels_text(const struct labels *n, uint32_t number);
/* The same in the form in which it is compared, as WTF-8; borrowed until the next
 * call of any of these. */
str labels_form(struct labels *n, uint32_t number);

#endif
