/* SPDX-License-Identifier: MIT */
/*
 * archive.h - what the model knows, to bytes and back: for the files that
 * know a part of it (checkpoint.c, handles.c), and nobody else.
 *
 * One function for each struct says what is saved of it, once for both ways:
 * archive_u64(a, &t->bound) writes `bound`, or reads it. So what is written
 * and what is read cannot come apart.
 *
 * Numbers are varints: seven bits a byte, the lowest first, the eighth bit set
 * if more follow. Texts and lists begin with how many there are.
 *
 * Bytes that are read are hostile. What is wrong with them sets `bad`, from
 * then on all that is read is 0 or empty, and who asked looks at it before
 * believing that two things fit together, and in every loop. Nothing is
 * allocated without archive_take. Without memory it is bad as well.
 */
#ifndef MODEL_ARCHIVE_H
#define MODEL_ARCHIVE_H

#include "model/world.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct archive {
    struct model *m;
    bool saving;
    bool bad;
    uint8_t *to;          // saving: owned
    const uint8_t *from;  // loading: borrowed
    size_t at;            // bytes written, or read
    size_t end;           // bytes there is room for, or there are
    size_t taken;         // see archive_take

    /* What others refer to by its index; owned lists. A table is held by the
     * archive while it loads. */
    struct stub_table **tables;
    size_t table_count;
    size_t table_room;
    struct model_process **processes;
    size_t process_count;
    size_t process_room;
    struct thing **things;  // those that are referred to more than once
    size_t thing_count;
    size_t thing_room;
    uint32_t *thing_index;  // saving: a hash table of index + 1
    size_t index_room;      // a power of two, or 0
};

/* --- archive.c --- */

void archive_u64(struct archive *a, uint64_t *n);
void archive_u32(struct archive *a, uint32_t *n);
void archive_u16(struct archive *a, uint16_t *n);
void archive_u8(struct archive *a, uint8_t *n);
void archive_bool(struct archive *a, bool *b);
/* At most `most`; what it counts is no list in the bytes. */
void archive_size(struct archive *a, size_t *n, size_t most);
/* How many elements follow, of at least `least` bytes each. */
void archive_count(struct archive *a, size_t *n, size_t most, size_t least);
/* A number that is the same on both sides, or it is bad. */
void archive_same(struct archive *a, uint64_t n);
/* Bytes as they are. */
void archive_bytes(struct archive *a, void *bytes, size_t size);
/* Writes `s`, or gives what was written, borrowed from the bytes. */
str archive_text(struct archive *a, str s, size_t most);

/* Bad unless `that`. */
bool archive_insist(struct archive *a, bool that);
/* What is about to be allocated, or is there and will be on the other side:
 * all of it together is bounded. False: do not. */
bool archive_take(struct archive *a, size_t size);
/* Zeros; NULL, and bad, if it may not be, or without memory. Loading only. */
void *archive_new(struct archive *a, size_t size);

/* One that the caller has a reference to, or gets one to, which may be shared;
 * NULL too. */
void archive_thing(struct archive *a, struct thing **thing);
/* One that was not met yet, and is not NULL unless it is bad. */
void archive_thing_first(struct archive *a, struct thing **thing);

/* --- handles.c --- */

void handles_archive(struct archive *a, struct handles *h);

#endif
