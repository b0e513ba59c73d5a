/* SPDX-License-Identifier: MIT */
/*
 * replayed.h - a trace file in memory, and its replay into text.
 *
 * Has what src/record asks of files (platform/os.h), for one file that is made
 * of a heap block of its exact size. Every line of the text must be in the
 * grammar, and the model must be empty and within its bounds at the end.
 */
#ifndef REPLAYED_H
#define REPLAYED_H

#include "fuzz/fuzz.h"
#include "record/replay.h"
#include "unit/trace.h"

#include <zlib.h>

static struct {
    uint8_t *bytes;
    size_t size;
    size_t room;
} file;

static void file_add(const void *bytes, size_t size)
{
    if (file.room - file.size < size) {
        file.room = 2 * (file.room + size);
        file.bytes = realloc(file.bytes, file.room);
        MUST(file.bytes != NULL);
    }
    if (size > 0) {
        memcpy(file.bytes + file.size, bytes, size);
    }
    file.size += size;
}

static void file_begin(void)
{
    struct file_head head = { .magic = FILE_MAGIC,
                              .major = FILE_MAJOR,
                              .minor = FILE_MINOR,
                              .size = FILE_HEAD_SIZE };

    head.crc =
        (uint32_t)crc32(0, (void *)&head, offsetof(struct file_head, crc));
    file.size = 0;
    file_add(&head, sizeof(head));
}

/* A chunk whose CRCs are right. */
static void file_chunk(uint16_t kind, uint16_t flags, uint32_t raw,
                       uint32_t number, const uint8_t *bytes, size_t size)
{
    struct chunk_head head = {
        .magic = CHUNK_MAGIC,
        .kind = kind,
        .flags = flags,
        .stored = (uint32_t)size,
        .raw = raw,
        .number = number,
        .calls = 1,
        .crc = (uint32_t)crc32(0, bytes, (uInt)size),
    };

    head.head_crc = (uint32_t)crc32(0, (void *)&head,
                                    offsetof(struct chunk_head, head_crc));
    file_add(&head, sizeof(head));
    file_add(bytes, size);
}

bool os_file_open(struct os_file *out, str path, struct err *e)
{
    (void)path;
    (void)e;
    *out = (struct os_file){ &file, true, false };
    return true;
}

bool os_file_size(const struct os_file *f, uint64_t *size, struct err *e)
{
    (void)f;
    (void)e;
    *size = file.size;
    return true;
}

bool os_file_read_at(struct os_file *f, uint64_t offset, void *to, size_t size,
                     size_t *got, struct err *e)
{
    uint64_t left = offset < file.size ? file.size - offset : 0;

    (void)f;
    (void)e;
    *got = size < left ? size : (size_t)left;
    if (*got > 0) {
        memcpy(to, file.bytes + offset, *got);
    }
    return true;
}

bool os_file_close(struct os_file *f, struct err *e)
{
    (void)e;
    *f = (struct os_file){ 0 };
    return true;
}

/* Nothing is written here. */
bool os_file_create(struct os_file *out, str path, struct err *e)
{
    (void)out;
    (void)path;
    return err_set(e, ERR_OS, "no");
}

bool os_file_write(struct os_file *f, str bytes, struct err *e)
{
    (void)f;
    (void)bytes;
    return err_set(e, ERR_OS, "no");
}

bool os_file_truncate(struct os_file *f, uint64_t size, struct err *e)
{
    (void)f;
    (void)size;
    return err_set(e, ERR_OS, "no");
}

/* All of the file; true: it could be opened. */
static bool replay_file(const struct text_options *options)
{
    static char room[65536];
    struct buf lines = BUF_OVER(room);
    struct err e = { 0 };
    struct replay r;
    struct trace *t;
    struct model_out out = {
        .enter = decoder_enter,
        .leave = decoder_leave,
        .transition = decoder_transition,
        .completion = decoder_completion,
        .notice = decoder_notice,
    };
    struct model_config config;

    setvbuf(stdout, NULL, _IONBF, 0); /* what is not in the grammar */
    if (!replay_open(&r, STR("file"), &e)) {
        MUST(e.code != ERR_NONE && e.text[0] != '\0');
        replay_close(&r);
        return false;
    }
    config = replay_config(&r);
    t = calloc(1, sizeof(*t));
    MUST(t != NULL);
    out.ctx = &t->d;
    text_init(&t->text, options, trace_write, t);
    t->m = model_open(&config, &out, &e);
    MUST(t->m != NULL);
    decoder_init(&t->d, &t->text.sink, model_clock(t->m), NULL);
    MUST(replay_play(&r, t->m, NULL, &e));
    replay_damage(&r, &lines);
    MUST(!replay_is_damaged(&r) || lines.size > 0);
    told(t);
    MUST(model_counts(t->m).queued == 0);
    MUST(model_counts(t->m).memory <= (size_t)16 << 20);
    trace_close(t);
    replay_close(&r);
    return true;
}

#endif
