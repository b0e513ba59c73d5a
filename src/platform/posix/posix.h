/* SPDX-License-Identifier: MIT */
/*
 * posix.h - what the files of platform/posix share.
 *
 * Inside, all text is WTF-8, and names of files are bytes: a byte that is no
 * part of UTF-8 is the unpaired surrogate U+DC00 + byte, and comes back as it
 * was.
 */
#ifndef PLATFORM_POSIX_H
#define PLATFORM_POSIX_H

#include "platform/os.h"

/* *e = ERR_OS: "<what>: <text of errno> (errno)". False. */
bool posix_fail(struct err *e, const char *what);

/* WTF-8 of the `size` bytes at `p`. */
void posix_add_text(struct buf *b, const char *p, size_t size);
/* The bytes of WTF-8 `s`, ended by a zero, in memory for free(). NULL: there
 * is none. */
char *posix_bytes(str s);

/* A command line, as Windows would have it, of words that each end in a zero:
 * `size` bytes of them. Of our own name, which cannot hold one, quotes are left
 * out (cmd/cmdline.h has the rules). `b` needs 6 * size + 8 bytes. */
void posix_add_command_line(struct buf *b, const char *words, size_t size);

#endif
