/* SPDX-License-Identifier: MIT */
/*
 * hash.h - a hash of bytes (FNV-1a, 64 bits): to find what is equal, not to
 * keep anybody from making two things alike.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START UINT64_C(14695981039346656037)

/* `h`, HASH_START at first, with `size` bytes more. */
static inline uint64_t hash_add(uint64_t h, const void *bytes, size_t size)
{
    const uint8_t *p = bytes;

    for (size_t i = 0; i < size; i++) {
        h = (h ^ p[i]) * UINT64_C(1099511628211);
    }
    return h;
}

/* All of it in 32 bits. */
static inline uint32_t hash_fold(uint64_t h)
{
    return (uint32_t)(h ^ h >> 32);
}

#endif
