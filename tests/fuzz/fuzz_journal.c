/* SPDX-License-Identifier: MIT */
/*
 * fuzz_journal - the ops of a recording's STREAM (record/format.h), whatever
 * they are, into model, decoder and text.
 *
 * The first byte says how the text is to look; the rest is the STREAM.
 */
#include "fuzz/replayed.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const uint8_t info[] = "hold 1000\nbuild 19045\n";
    struct text_options options = { .always_pid = true };

    if (size < 1) {
        return 0;
    }
    options.took = bytes[0] & 1;
    options.number = bytes[0] & 2;
    options.relative = bytes[0] & 4;
    options.when = bytes[0] & 8 ? WHEN_EPOCH : WHEN_NONE;
    file_begin();
    file_chunk(CHUNK_INFO, 0, sizeof(info) - 1, 0, info, sizeof(info) - 1);
    file_chunk(CHUNK_STREAM, 0, (uint32_t)size - 1, 1, bytes + 1, size - 1);
    file_chunk(CHUNK_END, 0, 0, 2, info, 0);
    MUST(replay_file(&options));
    return 0;
}
