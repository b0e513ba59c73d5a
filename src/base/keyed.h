/* SPDX-License-Identifier: MIT */
/*
 * keyed.h - hashes under a key of this run: for tables whose keys come from whoever
 * was traced. What falls together in one run falls apart in the next, so that
 * nobody can make a program or a file that fills a single place of a table.
 *
 * The key is of the process, set once by main before anything is hashed; without,
 * it is always the same. Nothing here fails.
 */
#ifndef BASE_KEYED_H
#define BASE_KEYED_H

#include <stddef.h>
#include <stdint.h>

/* `a` and `b`: anything that cannot be known beforehand. */
void keyed_seed(uint64_t a, uint64_t b);

/* All 32 bits are as good as any of them. */
uint32_t keyed_pair(uint64_t a, uint64_t b);
/* Of bytes (SipHash-1-3, 64 bits), all as good as any. */
uint64_t keyed_bytes(const void *bytes, size_t size);

#endif
