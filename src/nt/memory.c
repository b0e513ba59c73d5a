/* SPDX-License-Identifier: MIT */
/*
 * memory.c - looking up bytes in the pieces that were copied.
 *
 * Every step is modulo 2^64 and bounded by the size of the piece it is in,
 * so an address or a piece at the end of the address space needs no case of
 * its own. Touches only what it is given; cannot fail otherwise than its
 * answers say.
 */
#include "nt/memory.h"

#include <string.h>

#include "base/banned.h"

/* A piece that has the byte at `address`; NULL if there is none. */
static const struct memory_piece *piece_at(const struct memory *m,
                                           uint64_t address)
{
    for (uint32_t i = 0; i < m->count; i++) {
        if (address - m->pieces[i].address < m->pieces[i].size) {
            return &m->pieces[i];
        }
    }
    return NULL;
}

size_t memory_read(const struct memory *m, uint64_t address, void *to,
                   size_t size)
{
    uint8_t *out = to;
    size_t done = 0;

    while (done < size) {
        const struct memory_piece *piece = piece_at(m, address + done);
        size_t from;
        size_t part;

        if (!piece) {
            break;
        }
        from = (size_t)(address + done - piece->address);
        part = piece->size - from;
        if (part > size - done) {
            part = size - done;
        }
        if (out) {
            memcpy(out + done, piece->bytes + from, part);
        }
        done += part;
    }
    return done;
}

bool memory_number(const struct memory *m, uint64_t address, uint32_t size,
                   uint64_t *out)
{
    uint8_t bytes[8] = { 0 };

    if (size == 0 || size > sizeof(bytes) ||
        memory_read(m, address, bytes, size) != size) {
        return false;
    }
    *out = 0;
    for (size_t i = size; i-- > 0;) {
        *out = *out << 8 | bytes[i];
    }
    return true;
}

bool memory_u16(const struct memory *m, uint64_t address, uint16_t *out)
{
    uint64_t n;

    if (!memory_number(m, address, 2, &n)) {
        return false;
    }
    *out = (uint16_t)n;
    return true;
}

bool memory_u32(const struct memory *m, uint64_t address, uint32_t *out)
{
    uint64_t n;

    if (!memory_number(m, address, 4, &n)) {
        return false;
    }
    *out = (uint32_t)n;
    return true;
}

bool memory_u64(const struct memory *m, uint64_t address, uint64_t *out)
{
    return memory_number(m, address, 8, out);
}
