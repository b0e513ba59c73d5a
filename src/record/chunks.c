/* SPDX-License-Identifier: MIT */
/*
 * chunks.c - chunks on their way into a file, and out of it.
 *
 * Touches the one file. The reader is told by strangers how long things are:
 * it believes no length that the file does not have or that format.h does not
 * allow, and no byte whose CRC is wrong.
 */
#include "record/chunks.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/banned.h"

/* Bytes in which a head is looked for at a time. */
#define SEARCH_BLOCK 16384

static uint32_t crc_of(const void *bytes, size_t size)
{
    return (uint32_t)crc32(0, bytes, (uInt)size);
}

static str bytes_of(const void *bytes, size_t size)
{
    return (str){ bytes, size };
}

static bool grow(uint8_t **bytes, size_t *room, size_t wanted)
{
    uint8_t *more;

    if (*room >= wanted) {
        return true;
    }
    more = realloc(*bytes, wanted);
    if (more == NULL) {
        return false;
    }
    *bytes = more;
    *room = wanted;
    return true;
}

/* --- Writing ------------------------------------------------------------- */

bool chunks_create(struct chunk_writer *w, str path, struct err *e)
{
    struct file_head head = { .magic = FILE_MAGIC,
                              .major = FILE_MAJOR,
                              .minor = FILE_MINOR,
                              .size = FILE_HEAD_SIZE };

    head.crc = crc_of(&head, offsetof(struct file_head, crc));
    *w = (struct chunk_writer){ .size = FILE_HEAD_SIZE };
    if (!os_file_create(&w->file, path, e)) {
        return false;
    }
    if (!os_file_write(&w->file, bytes_of(&head, sizeof(head)), e)) {
        struct err ignored;

        os_file_close(&w->file, &ignored);
        return false;
    }
    return true;
}

/* `bytes`, deflated, behind the room for a head in w->packed; its size, 0 if
 * that does not make it smaller, or there is no memory. */
static size_t deflated(struct chunk_writer *w, const void *bytes, size_t size)
{
    uLongf packed = compressBound((uLong)size);

    if (!grow(&w->packed, &w->packed_room, CHUNK_HEAD_SIZE + packed) ||
        compress2(w->packed + CHUNK_HEAD_SIZE, &packed, bytes, (uLong)size,
                  Z_BEST_SPEED) != Z_OK) {
        return 0;
    }
    return packed < size ? packed : 0;
}

/* In one write, so that a reader of a growing file rarely sees a half. */
static bool write_whole(struct chunk_writer *w, struct chunk_head *head,
                        const void *bytes, size_t size, struct err *e)
{
    size_t all = CHUNK_HEAD_SIZE + size;

    if (!grow(&w->packed, &w->packed_room, all)) {
        return err_set(e, ERR_OUTPUT, "out of memory");
    }
    if (bytes != NULL) {
        memcpy(w->packed + CHUNK_HEAD_SIZE, bytes, size);
    }
    head->stored = (uint32_t)size;
    head->crc = crc_of(w->packed + CHUNK_HEAD_SIZE, size);
    head->head_crc = crc_of(head, offsetof(struct chunk_head, head_crc));
    memcpy(w->packed, head, sizeof(*head));
    if (!os_file_write(&w->file, bytes_of(w->packed, all), e)) {
        struct err ignored;

        os_file_truncate(&w->file, w->size, &ignored);
        return false;
    }
    w->size += all;
    w->number++;
    return true;
}

bool chunks_write(struct chunk_writer *w, const struct chunk_head *of,
                  const void *bytes, size_t size, bool pack, struct err *e)
{
    struct chunk_head head = *of;
    size_t packed = pack ? deflated(w, bytes, size) : 0;

    head.magic = CHUNK_MAGIC;
    head.flags = packed > 0 ? CHUNK_ZLIB : 0;
    head.raw = (uint32_t)size;
    head.number = w->number;
    return packed > 0 ? write_whole(w, &head, NULL, packed, e)
                      : write_whole(w, &head, bytes, size, e);
}

bool chunks_finish(struct chunk_writer *w, struct err *e)
{
    bool ok = os_file_close(&w->file, e);

    free(w->packed);
    *w = (struct chunk_writer){ .size = w->size, .number = w->number };
    return ok;
}

/* --- Reading ------------------------------------------------------------- */

static bool judge_file(struct chunk_reader *r, const struct file_head *head,
                       size_t got, str path, struct err *e)
{
    if (got < sizeof(head->magic) ||
        memcmp(head->magic, FILE_MAGIC, sizeof(head->magic)) != 0) {
        return err_set(e, ERR_BAD_INPUT, "%.*s: is no recording of ntstrace",
                       STR_ARGS(path));
    }
    if (got < FILE_HEAD_SIZE ||
        head->crc != crc_of(head, offsetof(struct file_head, crc)) ||
        head->size < FILE_HEAD_SIZE || head->size > r->size) {
        return err_set(e, ERR_BAD_INPUT,
                       "%.*s: the head of this trace file is damaged",
                       STR_ARGS(path));
    }
    if (head->major != FILE_MAJOR) {
        return err_set(e, ERR_BAD_INPUT,
                       "%.*s: a trace file of version %u.%u; this ntstrace "
                       "reads version %u (and its minor versions)",
                       STR_ARGS(path), head->major, head->minor, FILE_MAJOR);
    }
    r->minor = head->minor;
    r->at = head->size;
    return true;
}

bool chunks_open(struct chunk_reader *r, str path, struct err *e)
{
    struct file_head head = { .size = 0 };
    size_t got = 0;

    *r = (struct chunk_reader){ .at = 0 };
    if (!os_file_open(&r->file, path, e) ||
        !os_file_size(&r->file, &r->size, e) ||
        !os_file_read_at(&r->file, 0, &head, sizeof(head), &got, e)) {
        return false;
    }
    return judge_file(r, &head, got, path, e);
}

void chunks_close(struct chunk_reader *r)
{
    struct err ignored;

    os_file_close(&r->file, &ignored);
    free(r->stored);
    free(r->raw);
    *r = (struct chunk_reader){ .at = 0 };
}

static bool cut_here(struct chunk_reader *r, uint64_t at)
{
    r->damage.cut = true;
    r->damage.cut_at = at;
    return false;
}

static void broken_here(struct chunk_reader *r, uint64_t at, uint64_t bytes)
{
    if (r->damage.broken++ == 0) {
        r->damage.broken_at = at;
    }
    r->damage.broken_bytes += bytes;
    r->gap = true;
}

static bool is_head(const struct chunk_head *head)
{
    return head->magic == CHUNK_MAGIC &&
           head->head_crc ==
               crc_of(head, offsetof(struct chunk_head, head_crc)) &&
           head->stored <= CHUNK_MOST && head->raw <= CHUNK_MOST;
}

/* A head that stands where it may: the chunks before it were not there twice. */
static bool is_next(const struct chunk_reader *r, const struct chunk_head *head)
{
    return is_head(head) && head->number >= r->number;
}

/* Looks for the next head from *at on: each byte is looked at once. */
static bool find_head(struct chunk_reader *r, struct chunk_head *head,
                      uint64_t *at)
{
    uint8_t block[SEARCH_BLOCK];
    struct err ignored;
    size_t got = 0;

    while (
        *at < r->size &&
        os_file_read_at(&r->file, *at, block, sizeof(block), &got, &ignored) &&
        got >= CHUNK_HEAD_SIZE) {
        size_t last = got - CHUNK_HEAD_SIZE;

        for (size_t i = 0; i <= last; i++) {
            if (block[i] == (CHUNK_MAGIC & 0xff)) {
                memcpy(head, block + i, sizeof(*head));
                if (is_next(r, head)) {
                    *at += i;
                    return true;
                }
            }
        }
        *at += last + 1;
    }
    return false;
}

bool chunks_next(struct chunk_reader *r, struct chunk_head *head, uint64_t *at)
{
    struct err ignored;
    size_t got = 0;

    *at = r->at;
    if (r->at == r->size) {
        return false;
    }
    if (r->size - r->at < CHUNK_HEAD_SIZE ||
        !os_file_read_at(&r->file, r->at, head, sizeof(*head), &got,
                         &ignored) ||
        got < sizeof(*head)) {
        return cut_here(r, *at);
    }
    if (!is_head(head) || head->number != r->number) {
        bool found = is_next(r, head) || (++*at, find_head(r, head, at));

        broken_here(r, r->at, (found ? *at : r->size) - r->at);
        if (!found) {
            r->at = r->size;
            return false;
        }
    }
    if (head->stored > r->size - *at - CHUNK_HEAD_SIZE) {
        return cut_here(r, *at);
    }
    r->at = *at + CHUNK_HEAD_SIZE + head->stored;
    r->number = head->number + 1;
    return true;
}

void chunks_seek(struct chunk_reader *r, uint64_t at, uint32_t number)
{
    r->at = at;
    r->number = number;
}

void chunks_back(struct chunk_reader *r, const struct chunk_reader *was)
{
    /* The room for chunks may have grown. */
    chunks_seek(r, was->at, was->number);
    r->damage = was->damage;
    r->gap = was->gap;
}

const uint8_t *chunks_load(struct chunk_reader *r,
                           const struct chunk_head *head, uint64_t at,
                           size_t *size, struct err *e)
{
    uLongf raw = head->raw;
    size_t got = 0;

    *size = head->raw;
    if (!grow(&r->stored, &r->stored_room, head->stored + (size_t)1) ||
        !grow(&r->raw, &r->raw_room, head->raw + (size_t)1)) {
        err_set(e, ERR_OS, "out of memory");
        return NULL;
    }
    if (!os_file_read_at(&r->file, at + CHUNK_HEAD_SIZE, r->stored,
                         head->stored, &got, e)) {
        return NULL;
    }
    if (got < head->stored || head->crc != crc_of(r->stored, head->stored) ||
        ((head->flags & CHUNK_ZLIB) == 0 && head->raw != head->stored)) {
        broken_here(r, at, CHUNK_HEAD_SIZE + head->stored);
        return NULL;
    }
    if ((head->flags & CHUNK_ZLIB) == 0) {
        return r->stored;
    }
    if (uncompress(r->raw, &raw, r->stored, head->stored) != Z_OK ||
        raw != head->raw) {
        broken_here(r, at, CHUNK_HEAD_SIZE + head->stored);
        return NULL;
    }
    return r->raw;
}
