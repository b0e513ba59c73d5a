/* SPDX-License-Identifier: MIT */
/*
 * known.h - names that may stand in an expression, and the nearest of them to
 * one that may not.
 *
 * All calls of the tables are known, with a prototype or without, Windows'
 * and Wine's. A target may have others. Everything is constant; nothing
 * fails.
 */
#ifndef FILTER_KNOWN_H
#define FILTER_KNOWN_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Names of calls, in no order, some of them twice. */
size_t known_call_count(void);
str known_call_at(size_t index);

/* *out gets the known name that is meant by `name`: itself, or with Nt for
 * Zw; if there is none, then one that differs in case only. */
bool known_call_find(str name, str *out);

/* Names of statuses, in the same way: with STATUS_. */
size_t known_status_count(void);
str known_status_at(size_t index);

/* The nearest of some names to what was typed, by the letters that are to be
 * added, left out, replaced or swapped, whatever their case. */
#define NEAREST_BYTES_MAX 80

struct nearest {
    str typed;
    str best;         // empty: none is near
    uint32_t within;  // only nearer ones than this count
};

struct nearest nearest_to(str typed);
void nearest_try(struct nearest *n, str name);
/* The nearest call, also as who knows Win32 would call it: CreateFileW. */
str nearest_call(str typed);

#endif
