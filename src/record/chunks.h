/* SPDX-License-Identifier: MIT */
/*
 * chunks.h - a trace file as a row of chunks: written behind one another, and
 * found again. format.h says what they look like.
 */
#ifndef RECORD_CHUNKS_H
#define RECORD_CHUNKS_H

#include "base/err.h"
#include "platform/os.h"
#include "record/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- Writing. */

struct chunk_writer {
    struct os_file file;
    uint64_t size;    // of the file: all whole chunks
    uint32_t number;  // of chunks written
    uint8_t *packed;  // owned: room to deflate into
    size_t packed_room;
};

/* Makes `path` anew, with the head of a file. On failure nothing is open. */
bool chunks_create(struct chunk_writer *w, str path, struct err *e);
/* Writes one chunk: kind, calls, first and last are taken from `head`. `pack`:
 * deflated, if that makes it smaller. When it cannot be written the file is
 * cut to what was whole before. */
bool chunks_write(struct chunk_writer *w, const struct chunk_head *head,
                  const void *bytes, size_t size, bool pack, struct err *e);
bool chunks_finish(struct chunk_writer *w, struct err *e);

/* --- Reading. */

/* What a file has besides chunks that can be used. */
struct chunk_damage {
    uint64_t unknown;       // chunks and ops of kinds that we do not know
    bool cut;               // it ends within a chunk, or with none at all ...
    uint64_t cut_at;        // ... here
    uint64_t broken;        // places where it is not what was written ...
    uint64_t broken_at;     // ... the first of them
    uint64_t broken_bytes;  // that are of no use because of it, of all of them
};

struct chunk_reader {
    struct os_file file;
    uint64_t at;    // of the next chunk's head
    uint64_t size;  // of the file, when it was opened
    uint32_t number;
    uint16_t minor;
    struct chunk_damage damage;
    bool gap;  // something is missing since whoever reads made this false
    uint8_t *stored;  // owned: a chunk as it stands there
    size_t stored_room;
    uint8_t *raw;  // owned: the same, inflated
    size_t raw_room;
};

/* Opens a file and judges its head: a clear error if it is no trace file, or
 * of another major version. */
bool chunks_open(struct chunk_reader *r, str path, struct err *e);
void chunks_close(struct chunk_reader *r);
/* The head of the next chunk, *at its place; the reader stands behind the
 * chunk then. What is broken is passed over up to the next head that is whole:
 * r->damage counts it, and r->gap is set. False: there is none; r->damage says
 * if that is as it should be. */
bool chunks_next(struct chunk_reader *r, struct chunk_head *head, uint64_t *at);
/* Goes on with the chunk at `at`, which is number `number`. */
void chunks_seek(struct chunk_reader *r, uint64_t at, uint32_t number);
/* Goes back to where it was when `was` was copied from it, and has not seen what
 * it has seen since. */
void chunks_back(struct chunk_reader *r, const struct chunk_reader *was);
/* The contents of a chunk that chunks_next has found: borrowed until the next
 * call. NULL: broken (r->gap is set), or, with *e set, the system says no. A
 * chunk becomes at most 1032 times as large as it is stored, and never larger
 * than CHUNK_MOST: that is also what is kept of a file at a time, twice. */
const uint8_t *chunks_load(struct chunk_reader *r,
                           const struct chunk_head *head, uint64_t at,
                           size_t *size, struct err *e);

#endif
