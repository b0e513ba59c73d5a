/* SPDX-License-Identifier: MIT */
/*
 * families.h - the families, each in its file. The text of what they share is
 * in family.h; only registry.c asks for all of them.
 */
#ifndef DECODE_FAMILIES_FAMILIES_H
#define DECODE_FAMILIES_FAMILIES_H

#include "decode/family.h"

extern const struct family family_file;      // directories, attributes
extern const struct family family_io;        // control codes, their buffers
extern const struct family family_object;    // of the object manager
extern const struct family family_process;   // and threads, exceptions, ports
extern const struct family family_registry;  // values by their type
extern const struct family family_security;  // SIDs, descriptors
extern const struct family family_socket;    // AFD: addresses, buffers
extern const struct family family_win32k;    // messages, classes, input

#endif
