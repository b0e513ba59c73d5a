/* SPDX-License-Identifier: MIT */
/*
 * modfile.c - headers and sections of a module's file.
 *
 * Touches nothing but what its source gives, and memory of its own. A section
 * that cannot be read is not there; so is one without memory.
 */
#include "unwind/modfile.h"

#include "base/reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* Offsets and values of the PE format, by Microsoft's names. */
enum {
    HEAD_SIZE = 4096,  // of all headers; those of real files fit
    E_LFANEW = 0x3c,
    FILE_HEADER_SIZE = 20,
    SECTION_SIZE = 40,
    MACHINE_AMD64 = 0x8664,
    MAGIC_PE32_PLUS = 0x20b,
    DIRECTORY_EXPORT = 0,
    DIRECTORY_EXCEPTION = 3,
};

#define SECTION_IS_CODE 0x20000020u /* it holds some, or may be run */

static struct modfile_part part_at(struct reader *r, size_t optional,
                                   uint32_t index)
{
    struct modfile_part part = { 0, 0 };

    if (index < reader_u32_at(r, optional + 108)) {
        part.rva = reader_u32_at(r, optional + 112 + (size_t)index * 8);
        part.size = reader_u32_at(r, optional + 116 + (size_t)index * 8);
    }
    return part;
}

/* As the loader does: no more than the image has of it, nor the file. */
static struct modfile_section section_at(struct modfile *f, struct reader *r,
                                         size_t at, bool mapped)
{
    struct modfile_section s = { .rva = reader_u32_at(r, at + 12) };
    uint32_t size = reader_u32_at(r, at + 8);
    uint32_t there = reader_u32_at(r, at + 16);

    s.at = mapped ? s.rva : reader_u32_at(r, at + 20);
    s.flags = reader_u32_at(r, at + 36);
    if (size == 0 || (!mapped && there < size)) {
        size = there;
    }
    if (s.rva >= f->image_size || s.at >= f->source.size) {
        size = 0;
    } else if (size > f->image_size - s.rva) {
        size = f->image_size - s.rva;
    }
    if (size > 0 && size > f->source.size - s.at) {
        size = (uint32_t)(f->source.size - s.at);
    }
    s.size = size;
    return s;
}

static bool open_as(struct modfile *f, const struct modfile_source *source,
                    bool mapped)
{
    uint8_t head[HEAD_SIZE] = { 0 };
    size_t size = source->size < HEAD_SIZE ? (size_t)source->size : HEAD_SIZE;
    struct reader r = reader_over(head, size);
    size_t nt, optional, table;

    memset(f, 0, sizeof(*f));
    f->source = *source;
    if (size < 2 || !source->read(source->ctx, 0, head, size) ||
        memcmp(head, "MZ", 2) != 0) {
        return false;
    }
    nt = reader_u32_at(&r, E_LFANEW);
    if (r.bad || nt > size - 4 || memcmp(head + nt, "PE\0\0", 4) != 0) {
        return false;
    }
    optional = nt + 4 + FILE_HEADER_SIZE;
    table = optional + reader_u16_at(&r, nt + 20);
    if (reader_u16_at(&r, nt + 4) != MACHINE_AMD64 ||
        reader_u16_at(&r, optional) != MAGIC_PE32_PLUS) {
        return false;
    }
    f->timestamp = reader_u32_at(&r, nt + 8);
    f->checksum = reader_u32_at(&r, optional + 64);
    f->image_size = reader_u32_at(&r, optional + 56);
    f->symbols = mapped ? 0 : reader_u32_at(&r, nt + 12);
    f->symbol_count = mapped ? 0 : reader_u32_at(&r, nt + 16);
    f->exports = part_at(&r, optional, DIRECTORY_EXPORT);
    f->functions = part_at(&r, optional, DIRECTORY_EXCEPTION);
    f->section_count = reader_u16_at(&r, nt + 6);
    if (r.bad || f->section_count > MODFILE_SECTIONS_MOST) {
        f->section_count = 0;
        return false;
    }
    for (uint32_t i = 0; i < f->section_count; i++) {
        f->sections[i] =
            section_at(f, &r, table + (size_t)i * SECTION_SIZE, mapped);
    }
    if (r.bad) {
        f->section_count = 0;
    }
    return !r.bad;
}

bool modfile_open(struct modfile *f, const struct modfile_source *source)
{
    return open_as(f, source, false);
}

bool modfile_open_image(struct modfile *f, const struct modfile_source *source)
{
    return open_as(f, source, true);
}

static bool read_mapped(void *ctx, uint64_t offset, void *to, size_t size)
{
    memcpy(to, (const uint8_t *)ctx + offset, size);
    return true;
}

bool modfile_open_mapped(struct modfile *f, const void *bytes, size_t size)
{
    struct modfile_source source = { .read = read_mapped, .size = size };

    memcpy(&source.ctx, &bytes, sizeof(bytes));
    return open_as(f, &source, true);
}

void modfile_close(struct modfile *f)
{
    for (uint32_t i = 0; i < f->section_count; i++) {
        free(f->sections[i].bytes);
        f->sections[i].bytes = NULL;
    }
    f->section_count = 0;
}

int modfile_section_of(const struct modfile *f, uint32_t rva)
{
    for (uint32_t i = 0; i < f->section_count; i++) {
        if (rva - f->sections[i].rva < f->sections[i].size) {
            return (int)i;
        }
    }
    return -1;
}

bool modfile_is_code(const struct modfile_section *s)
{
    return (s->flags & SECTION_IS_CODE) != 0;
}

static const uint8_t *bytes_of(struct modfile *f, struct modfile_section *s)
{
    if (s->bytes != NULL || s->failed) {
        return s->bytes;
    }
    s->failed = true;
    if (s->size > MODFILE_SECTION_MOST || s->size == 0) {
        return NULL;
    }
    s->bytes = malloc(s->size);
    if (s->bytes != NULL &&
        !f->source.read(f->source.ctx, s->at, s->bytes, s->size)) {
        free(s->bytes);
        s->bytes = NULL;
    }
    return s->bytes;
}

const uint8_t *modfile_rest(struct modfile *f, uint32_t rva, uint32_t *size)
{
    int i = modfile_section_of(f, rva);
    const uint8_t *bytes;

    *size = 0;
    if (i < 0) {
        return NULL;
    }
    bytes = bytes_of(f, &f->sections[i]);
    if (bytes == NULL) {
        return NULL;
    }
    *size = f->sections[i].size - (rva - f->sections[i].rva);
    return bytes + (rva - f->sections[i].rva);
}

const uint8_t *modfile_at(struct modfile *f, uint32_t rva, uint32_t size)
{
    uint32_t there;
    const uint8_t *bytes = modfile_rest(f, rva, &there);

    return size <= there ? bytes : NULL;
}
