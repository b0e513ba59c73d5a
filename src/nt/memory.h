/* SPDX-License-Identifier: MIT */
/*
 * memory.h - what is known of a target's memory at one moment: the pieces
 * that the agent copied for one call, at its entry or at its return.
 *
 * Pieces are kept by their addresses and may lie anywhere, touch, and overlap
 * (then they need not agree: another thread was writing). All of it comes
 * from the target: addresses may wrap, sizes are those of the bytes that are
 * really there.
 */
#ifndef NT_MEMORY_H
#define NT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory_piece {
    uint64_t address;
    uint32_t size;
    const uint8_t *bytes;  // borrowed, as the whole struct memory is
};

struct memory {
    const struct memory_piece *pieces;  // in the order they were copied
    uint32_t count;
};

/* Copies the bytes known from `address` on, up to `size`, and returns how
 * many: 0 if the first one is not known. `to` may be NULL. */
size_t memory_read(const struct memory *m, uint64_t address, void *to,
                   size_t size);
/* A number of `size` bytes, 1 to 8; all or nothing. It is little-endian in the
 * target. */
bool memory_number(const struct memory *m, uint64_t address, uint32_t size,
                   uint64_t *out);
/* The same of 2, 4, 8 bytes. */
bool memory_u16(const struct memory *m, uint64_t address, uint16_t *out);
bool memory_u32(const struct memory *m, uint64_t address, uint32_t *out);
bool memory_u64(const struct memory *m, uint64_t address, uint64_t *out);

#endif
