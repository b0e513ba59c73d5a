/* SPDX-License-Identifier: MIT */
/*
 * status.h - names of NTSTATUS values, from status.def and, unless the build
 * defines NO_LGPL_ROWS, status_wine.def.
 */
#ifndef TABLES_STATUS_H
#define TABLES_STATUS_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* The usual name of `status`, constant; NULL if it has none here. Names begin
 * with STATUS_, but for the RPC_NT_, DBG_ and EPT_NT_ ones. */
const char *status_name(uint32_t status);

/* *out gets the value of a name, usual or not, in any case; STATUS_ may be
 * left out. False, *out untouched, if there is none of that name. */
bool status_find(str name, uint32_t *out);

/* True if a call that returned `status` failed. STATUS_BUFFER_OVERFLOW and
 * the ends of enumerations (STATUS_NO_MORE_...) are 0x80000000 or above, yet
 * ordinary answers. */
bool status_is_failure(uint32_t status);

#endif
