/* SPDX-License-Identifier: MIT */
/*
 * fuzz_trace_file - a recording of hostile chunks: heads, lengths, what is
 * deflated, in which order. (What is in a STREAM is for fuzz_journal.)
 *
 * If the first byte is 'f' the rest is a file as it is. Else chunks are made,
 * whose CRCs are right, as long as there are bytes: kind, flags (1: deflated,
 * 2: the size once inflated is a lie, 4: a bit of it is turned over afterwards,
 * 8: its number is one too much, 16: rubbish before it), u16 size, bytes.
 */
#include "fuzz/replayed.h"

static const uint8_t *next_chunk(const uint8_t *at, const uint8_t *end,
                                 uint32_t *number)
{
    uint16_t kind = at[0];
    uint8_t flags = at[1];
    size_t size = (size_t)(at[2] | at[3] << 8);
    uint8_t packed[70000];
    uLongf packed_size = sizeof(packed);
    uint32_t raw;

    at += 4;
    size = size < (size_t)(end - at) ? size : (size_t)(end - at);
    raw = (uint32_t)size + ((flags & 2) ? 1 + 1000 * (flags >> 5) : 0);
    if (flags & 16) {
        file_add("ntscntsc and more", 1 + (flags >> 4));
    }
    *number += (flags & 8) != 0;
    if (flags & 1) {
        MUST(compress2(packed, &packed_size, at, (uLong)size, 1) == Z_OK);
        file_chunk(kind, CHUNK_ZLIB, raw, *number, packed, packed_size);
    } else {
        file_chunk(kind, 0, raw, *number, at, size);
    }
    ++*number;
    if (flags & 4) {
        file.bytes[file.size - 1 - flags % file.size] ^= 4;
    }
    return at + size;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct text_options options = { .always_pid = true };
    uint32_t number = 0;

    if (size < 1) {
        return 0;
    }
    file_begin();
    if (bytes[0] == 'f') {
        file.size = 0;
        file_add(bytes + 1, size - 1);
    } else {
        const uint8_t *at = bytes + 1;
        const uint8_t *end = bytes + size;

        while (end - at >= 4) {
            at = next_chunk(at, end, &number);
        }
    }
    fuzz_sum += replay_file(&options);
    return 0;
}
