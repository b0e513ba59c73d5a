/* SPDX-License-Identifier: MIT */
/*
 * version.h - which ntstrace this is: told by --version, and in each trace.
 */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define NTSTRACE_VERSION "0.1"

#endif
