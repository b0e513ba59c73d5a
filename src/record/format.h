/* SPDX-License-Identifier: MIT */
/*
 * format.h - a trace file (.nts), byte by byte; docs/trace-format.md says the
 * same with examples.
 *
 *     file head, chunk, chunk, chunk ...
 *
 * Numbers are little-endian. A file ends where its last whole chunk ends,
 * whatever follows. Each chunk is understood without the ones before it, but
 * for what its STREAM names: threads and processes that were opened earlier.
 *
 * File head, 32 bytes:
 *      0  u8  magic[8]  FILE_MAGIC
 *      8  u16 major     who reads refuses another one
 *     10  u16 minor
 *     12  u32 size      of this head: chunks begin there
 *     16  u8  zero[12]
 *     28  u32 crc       of bytes [0, 28)
 *
 * Chunk head, 48 bytes:
 *      0  u32 magic     CHUNK_MAGIC
 *      4  u16 kind      enum chunk_kind; of an unknown kind: passed over
 *      6  u16 flags     CHUNK_*
 *      8  u32 stored    bytes that follow
 *     12  u32 raw       bytes of them once inflated; the same if CHUNK_ZLIB
 *                       is not set
 *     16  u32 number    of chunks before it
 *     20  u32 calls     that its records begin
 *     24  u64 first     TSC of its oldest record, 0: it has none; CHECKPOINT:
 *                       all that happened before was told
 *     32  u64 last      TSC of its youngest
 *     40  u32 crc       of what follows, as stored
 *     44  u32 head_crc  of bytes [0, 44)
 * CRCs are those of zlib (CRC-32 of ISO 3309).
 *
 * INFO, first of all, and END, last of all if the recording was ended in
 * order: text, a line for each fact, KEY, a space, VALUE; in a value \n is a
 * line's end, \\ a backslash.
 *
 * STREAM: what reached the model, in that order; enum op, a byte, and what
 * follows it. `v` is an unsigned LEB128 number of at most ten bytes; `z` is a
 * signed one, as v of (n << 1) ^ (n >> 63).
 *
 *   OP_ENTRY, OP_TRANSITION, OP_COMPLETION, OP_DATA
 *                    z time, v number, rest of a record of the thread
 *   OP_RETURN        z time, rest of one
 *   OP_THREAD        v thread             whose records follow
 *   OP_THREAD_OPEN   v thread, v process, v tid, v serial, v bound
 *   OP_BOUND         v thread, z bound    it writes nothing older
 *   OP_RAN           z now                the model was run
 *   OP_PROCESS       v process, v size, record PROCESS
 *   OP_JOURNAL       v process, v size, record
 *   OP_THREAD_RECORD v thread, v size, record
 *   OP_CLOCK         v size, record
 *   from OP_SIZED on, known or not, v size and so many bytes
 *
 * `time`, `bound` and `now` are differences to the last `time` of this chunk,
 * 0 at its start. A record (wire/record.h) is words of 64 bits: W of them are
 * told, size / 8 but 5 of a DATA, and RECORD_WORDS at most. `rest` is
 *
 *   v mask           bit 0: word 0; bit i: word i + 1 (word 1 is the time).
 *                    A word whose bit is not set is as predicted
 *   z for each bit   word minus its prediction, lowest bit first
 *   bytes            what is behind the words: `length` of a DATA, else
 *                    size - 8 * W; what is missing up to `size` is zeros
 *
 * The prediction of a word is what it was in the last record with the same
 * slot in this chunk, else 0; but that of word RSP is the last rsp of any record
 * of this chunk. slot = (thread * 40503 + kind * 7919 + number * 31 + run)
 * modulo SLOTS. `number` is that of the op, of a RETURN that of the last ENTRY
 * of this chunk, 0 before. `run` is how many DATA stand right before in the
 * chunk (other ops do not count).
 *
 * SUMMARY, before each CHECKPOINT and the END: what was in the chunks since the
 * last one, and what had come before them but was told only then: v flags
 * (SUMMARY_*), v calls, v count, count * v: the numbers of all calls that were
 * open, rising, each minus the one before.
 *
 * CHECKPOINT: the whole state of the model (model_save): who has it
 * needs nothing that stands before it.
 */
#ifndef RECORD_FORMAT_H
#define RECORD_FORMAT_H

#include <assert.h>
#include <stdint.h>

#define FILE_MAGIC "\x89NTS\r\n\x1a\n"
#define FILE_MAJOR 0
#define FILE_MINOR 2
#define FILE_HEAD_SIZE 32

struct file_head {
    uint8_t magic[8];
    uint16_t major;
    uint16_t minor;
    uint32_t size;
    uint8_t zero[12];
    uint32_t crc;
};

#define CHUNK_MAGIC 0x6373746e /* "ntsc" */
#define CHUNK_HEAD_SIZE 48
#define CHUNK_ZLIB 1 /* flags */

/* No chunk has more, stored or inflated. */
#define CHUNK_MOST (UINT32_C(16) << 20)

enum chunk_kind {
    CHUNK_INFO = 1,
    CHUNK_STREAM,
    CHUNK_SUMMARY,
    CHUNK_CHECKPOINT,
    CHUNK_END,
};

struct chunk_head {
    uint32_t magic;
    uint16_t kind;
    uint16_t flags;
    uint32_t stored;
    uint32_t raw;
    uint32_t number;
    uint32_t calls;
    uint64_t first;
    uint64_t last;
    uint32_t crc;
    uint32_t head_crc;
};

enum op {
    OP_ENTRY = 2,  // as enum record_kind
    OP_RETURN,
    OP_TRANSITION,
    OP_DATA,
    OP_COMPLETION,
    OP_THREAD = 16,
    OP_THREAD_OPEN,
    OP_BOUND,
    OP_RAN,
    OP_PROCESS = 32,
    OP_JOURNAL,
    OP_THREAD_RECORD,
    OP_CLOCK,
    OP_SIZED = 64,
};

/* When chunks are deflated. */
enum compress {
    COMPRESS_AUTO,  // while whoever reads the rings keeps up
    COMPRESS_ALWAYS,
    COMPRESS_NEVER,
};

#define SLOTS 1024
/* Words of a record that are told one by one: as many as a full ENTRY has. */
#define RECORD_WORDS 24

/* There are lines in it that no filter by name leaves out. */
#define SUMMARY_NOTICES 1
/* Calls that no entry explains; of some the number is not known. */
#define SUMMARY_ORPHANS 2
/* Transitions of this kind: shifted left by enum transition. */
#define SUMMARY_TRANSITION 16

static_assert(sizeof(struct file_head) == FILE_HEAD_SIZE, "format.h");
static_assert(sizeof(struct chunk_head) == CHUNK_HEAD_SIZE, "format.h");

#endif
