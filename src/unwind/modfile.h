/* SPDX-License-Identifier: MIT */
/*
 * modfile.h - the file of a module, read where it is looked at: its headers
 * first, a section when somebody wants bytes of it.
 *
 * Where the bytes come from is up to who opens it. They are anybody's: what is
 * handed out lies in a section that the headers have and the file has bytes
 * for, or is not handed out.
 */
#ifndef UNWIND_MODFILE_H
#define UNWIND_MODFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No section is read that is larger, and no file has more of them. */
#define MODFILE_SECTION_MOST (256u << 20)
#define MODFILE_SECTIONS_MOST 96

/* Where its bytes come from: `read` gives all `size` of them, or false. */
struct modfile_source {
    bool (*read)(void *ctx, uint64_t offset, void *to, size_t size);
    void *ctx;
    uint64_t size;  // bytes that there are
};

struct modfile_section {
    uint32_t rva;
    uint32_t size;  // bytes of it that the file has, and the image maps
    uint32_t at;    // where they begin in the file
    uint32_t flags;
    uint8_t *bytes;  // owned; NULL: not read
    bool failed;     // they cannot be
};

/* A directory of the headers: RVA and bytes; 0: there is none. */
struct modfile_part {
    uint32_t rva;
    uint32_t size;
};

struct modfile {
    struct modfile_source source;
    /* Which build it is, as its headers say. */
    uint32_t timestamp;
    uint32_t checksum;
    uint32_t image_size;
    struct modfile_part exports;
    struct modfile_part functions;  // the exception directory
    uint32_t symbols;               // COFF's, place in the file; 0: none
    uint32_t symbol_count;
    uint32_t section_count;
    struct modfile_section sections[MODFILE_SECTIONS_MOST];
};

/* Reads the headers of a 64-bit module for x64. False: it is none. */
bool modfile_open(struct modfile *f, const struct modfile_source *source);
/* The same of an image in some memory: offsets are RVAs. */
bool modfile_open_image(struct modfile *f, const struct modfile_source *source);
/* The same of an image as it lies in memory, `size` bytes of it, which are
 * borrowed: offsets are RVAs. */
bool modfile_open_mapped(struct modfile *f, const void *bytes, size_t size);
void modfile_close(struct modfile *f);

/* `size` bytes at `rva`, in one section; NULL: they are not there. They stay
 * until the file is closed. */
const uint8_t *modfile_at(struct modfile *f, uint32_t rva, uint32_t size);
/* The same of all that there is from `rva` on, *size of it. */
const uint8_t *modfile_rest(struct modfile *f, uint32_t rva, uint32_t *size);
/* The section that `rva` is in, by its index; -1: in none. */
int modfile_section_of(const struct modfile *f, uint32_t rva);
/* It holds code. */
bool modfile_is_code(const struct modfile_section *s);

static inline uint32_t modfile_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

static inline uint16_t modfile_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

#endif
