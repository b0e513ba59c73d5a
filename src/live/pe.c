/* SPDX-License-Identifier: MIT */
/*
 * pe.c - Windows program files and mapped modules, read without trust.
 *
 * Touches nothing but the given bytes, and those only through a reader. Sums
 * of two 32-bit numbers from the image are made in 64 bits.
 */
#include "live/pe.h"

#include <string.h>

#include "base/banned.h"

/* Offsets and values of the PE format, by Microsoft's names. */
enum {
    E_LFARLC = 0x18,
    E_LFANEW = 0x3c,
    DOS_HEADER_SIZE = 0x40,
    FILE_HEADER_SIZE = 20,
    SECTION_SIZE = 40,

    MACHINE_I386 = 0x14c,
    MACHINE_AMD64 = 0x8664,
    MACHINE_ARM64 = 0xaa64,

    FILE_EXECUTABLE_IMAGE = 0x0002,
    FILE_DLL = 0x2000,

    MAGIC_PE32 = 0x10b,
    MAGIC_PE32_PLUS = 0x20b,

    SUBSYSTEM_GUI = 2,
    SUBSYSTEM_CONSOLE = 3,

    DIRECTORY_EXPORT = 0,
    DIRECTORY_DEBUG = 6,
    DIRECTORY_CLR = 14,

    CLR_FLAGS = 16,  // offset in the CLR header
    CLR_IL_ONLY = 0x1,
    CLR_32BIT_REQUIRED = 0x2,

    DEBUG_ENTRY_SIZE = 28,
    DEBUG_CODEVIEW = 2,
    RSDS_SIZE = 24,  // of what stands before the name
};

/* Longest export name; C++ makes long ones, so they are cut off late. */
#define NAMES_MOST 0x10000u
#define NAME_SIZE_MAX 4096

/* What both views need of the headers. */
struct headers {
    uint16_t machine;
    uint16_t section_count;
    uint16_t optional_size;
    uint16_t flags;
    size_t optional;  // offset of the optional header
    uint16_t magic;
    uint32_t entry;
    uint64_t base;
    uint32_t image_size;
    uint32_t headers_size;
    uint16_t subsystem;
    uint32_t directory_count;
    size_t directories;  // offset
    size_t sections;     // offset
};

/* Reads the headers from the file header on; `nt` is where "PE\0\0" stands. */
static struct headers read_headers(struct reader *r, size_t nt)
{
    size_t file = nt + 4;
    struct headers h = { 0 };
    bool plus;

    h.machine = reader_u16_at(r, file);
    h.section_count = reader_u16_at(r, file + 2);
    h.optional_size = reader_u16_at(r, file + 16);
    h.flags = reader_u16_at(r, file + 18);
    h.optional = file + FILE_HEADER_SIZE;
    h.sections = h.optional + h.optional_size;
    h.magic = reader_u16_at(r, h.optional);
    plus = h.magic == MAGIC_PE32_PLUS;
    h.entry = reader_u32_at(r, h.optional + 16);
    h.base = plus ? reader_u64_at(r, h.optional + 24)
                  : reader_u32_at(r, h.optional + 28);
    h.image_size = reader_u32_at(r, h.optional + 56);
    h.headers_size = reader_u32_at(r, h.optional + 60);
    h.subsystem = reader_u16_at(r, h.optional + 68);
    h.directory_count = reader_u32_at(r, h.optional + (plus ? 108 : 92));
    h.directories = h.optional + (plus ? 112 : 96);
    return h;
}

/* Data directory `index`, or zeros where there is none. */
static void read_directory(struct reader *r, const struct headers *h,
                           uint32_t index, uint32_t *rva, uint32_t *size)
{
    size_t at = h->directories + (size_t)index * 8;

    *rva = 0;
    *size = 0;
    if (index < h->directory_count && at + 8 <= h->sections) {
        *rva = reader_u32_at(r, at);
        *size = reader_u32_at(r, at + 4);
    }
}

/* ------------------------------------------------------------ a file's head */

/* False if the file ends before the bytes of some section that are mapped.
 * Padding behind them may be missing. */
static bool sections_are_there(struct reader *r, const struct headers *h,
                               uint64_t file_size)
{
    for (size_t i = 0; i < h->section_count; i++) {
        size_t at = h->sections + i * SECTION_SIZE;
        uint32_t mapped = reader_u32_at(r, at + 8);
        uint32_t size = reader_u32_at(r, at + 16);
        uint32_t start = reader_u32_at(r, at + 20);

        if (r->bad) {
            return false;
        }
        if (mapped != 0 && mapped < size) {
            size = mapped;
        }
        if (size > 0 && (uint64_t)start + size > file_size) {
            return false;
        }
    }
    return true;
}

/* Where `rva` stands in the file, or -1. */
static uint64_t file_offset(struct reader *r, const struct headers *h,
                            uint32_t rva)
{
    for (size_t i = 0; i < h->section_count; i++) {
        size_t at = h->sections + i * SECTION_SIZE;
        uint32_t section = reader_u32_at(r, at + 12);
        uint32_t size = reader_u32_at(r, at + 16);
        uint32_t start = reader_u32_at(r, at + 20);

        if (rva >= section && rva - section < size) {
            return (uint64_t)start + (rva - section);
        }
    }
    return UINT64_MAX;
}

/* A PE32 file for x86: a .NET program that asks for no particular CPU runs
 * with 64 bits. Where its flags are out of sight the system must say. */
static enum pe_kind judge_i386(struct reader r, const struct headers *h)
{
    uint32_t rva;
    uint32_t size;
    uint64_t at;
    uint32_t flags;

    read_directory(&r, h, DIRECTORY_CLR, &rva, &size);
    if (rva == 0 || size == 0) {
        return PE_I386;
    }
    at = file_offset(&r, h, rva);
    if (at > r.size || r.size - (size_t)at < CLR_FLAGS + 4) {
        return PE_DOTNET;
    }
    flags = reader_u32_at(&r, (size_t)at + CLR_FLAGS);
    return flags & CLR_IL_ONLY && !(flags & CLR_32BIT_REQUIRED) ? PE_DOTNET
                                                                : PE_I386;
}

enum pe_kind pe_judge(const void *head, size_t size, uint64_t file_size)
{
    struct reader r = reader_over(head, size);
    struct headers h;
    uint16_t want;
    uint32_t nt;
    str mark;

    mark = reader_bytes(&r, 2);
    if (!str_eq(mark, STR("MZ"))) {
        return PE_NOT_EXECUTABLE;
    }
    nt = reader_u32_at(&r, E_LFANEW);
    if (r.bad) {
        return PE_TRUNCATED;
    }
    if (nt < 4 || nt >= file_size) {
        /* DOS programs hold anything here; but the relocations of theirs
         * begin below 40h, where a newer header still has fields. */
        return nt >= file_size && reader_u16_at(&r, E_LFARLC) >= DOS_HEADER_SIZE
                   ? PE_TRUNCATED
                   : PE_16_BIT;
    }
    reader_seek(&r, nt);
    mark = reader_bytes(&r, 4);
    if (r.bad) {
        return size < file_size ? PE_DAMAGED : PE_TRUNCATED;
    }
    if (!str_eq(mark, STR("PE\0\0"))) {
        return PE_16_BIT;
    }

    h = read_headers(&r, nt);
    if (r.bad) {
        return size < file_size ? PE_DAMAGED : PE_TRUNCATED;
    }
    want = h.machine == MACHINE_I386 ? MAGIC_PE32 : MAGIC_PE32_PLUS;
    if (h.machine != MACHINE_I386 && h.machine != MACHINE_AMD64) {
        return h.machine == MACHINE_ARM64 ? PE_ARM64 : PE_OTHER_MACHINE;
    }
    if (h.magic != want || !(h.flags & FILE_EXECUTABLE_IMAGE) ||
        h.optional_size < (want == MAGIC_PE32 ? 96 : 112) ||
        h.image_size == 0) {
        return PE_DAMAGED;
    }
    if (h.headers_size > file_size || !sections_are_there(&r, &h, file_size)) {
        return r.bad && size < file_size ? PE_DAMAGED : PE_TRUNCATED;
    }
    if (h.flags & FILE_DLL) {
        return PE_DLL;
    }
    if (h.subsystem != SUBSYSTEM_GUI && h.subsystem != SUBSYSTEM_CONSOLE) {
        return PE_NOT_WIN32;
    }
    return h.machine == MACHINE_I386 ? judge_i386(r, &h) : PE_AMD64;
}

bool pe_is_ours(enum pe_kind kind)
{
    return kind == PE_AMD64 || kind == PE_DOTNET;
}

str pe_why_not(enum pe_kind kind)
{
    switch (kind) {
    case PE_AMD64:
    case PE_DOTNET:
        return STR("can be traced");
    case PE_I386:
        return STR("is a 32-bit program; ntstrace follows 64-bit programs"
                   " only");
    case PE_ARM64:
        return STR("is an ARM64 program; ntstrace follows x64 programs only");
    case PE_OTHER_MACHINE:
        return STR("is a program for another CPU; ntstrace follows x64"
                   " programs only");
    case PE_DLL:
        return STR("is a DLL, not a program; name the program that loads it");
    case PE_NOT_WIN32:
        return STR("is a driver or native program, which Windows does not"
                   " start like others");
    case PE_16_BIT:
        return STR("is a DOS or 16-bit program; ntstrace follows 64-bit"
                   " programs only");
    case PE_NOT_EXECUTABLE:
        return STR("is not a program; for a script name what runs it, as in"
                   " 'ntstrace cmd /c SCRIPT'");
    case PE_TRUNCATED:
        return STR("is cut off: the file ends before the program does");
    case PE_DAMAGED:
        return STR("is damaged: its headers contradict each other");
    }
    return STR("is not a program");
}

/* --------------------------------------------------------- a mapped image */

/* The headers of an image that is mapped; false: it is none. */
static bool find_headers(struct reader *r, struct headers *h)
{
    uint32_t nt;
    str mark;

    mark = reader_bytes(r, 2);
    nt = reader_u32_at(r, E_LFANEW);
    if (r->bad || !str_eq(mark, STR("MZ")) || nt > r->size) {
        return false;
    }
    reader_seek(r, nt);
    mark = reader_bytes(r, 4);
    if (r->bad || !str_eq(mark, STR("PE\0\0"))) {
        return false;
    }
    *h = read_headers(r, nt);
    return !r->bad;
}

bool pe_image_over(struct pe_image *out, const void *bytes, size_t size)
{
    struct reader r = reader_over(bytes, size);
    struct headers h;
    struct pe_image image;

    if (!find_headers(&r, &h) || h.magic != MAGIC_PE32_PLUS) {
        return false;
    }
    image = (struct pe_image){
        .bytes = reader_over(bytes, size < h.image_size ? size : h.image_size),
        .machine = h.machine,
        .image_size = h.image_size,
        .entry = h.entry,
        .base = h.base,
        .sections = (uint32_t)h.sections,
        .section_count = h.section_count,
    };
    read_directory(&r, &h, DIRECTORY_EXPORT, &image.exports,
                   &image.exports_size);
    *out = image;
    return true;
}

bool pe_section_at(const struct pe_image *image, size_t index,
                   struct pe_section *out)
{
    struct reader r = image->bytes;
    struct pe_section s;
    uint32_t file_bytes;
    str tail;

    if (index >= image->section_count) {
        return false;
    }
    reader_seek(&r, image->sections + index * SECTION_SIZE);
    s.name = reader_bytes(&r, 8);
    s.size = reader_u32(&r);
    s.rva = reader_u32(&r);
    file_bytes = reader_u32(&r);
    reader_bytes(&r, 16);
    s.flags = reader_u32(&r);
    if (r.bad || s.rva >= image->image_size) {
        return false;
    }
    if (s.size == 0) {
        s.size = file_bytes;  // as the loader does
    }
    if (s.size > image->image_size - s.rva) {
        s.size = image->image_size - s.rva;
    }
    str_cut(s.name, '\0', &s.name, &tail);
    *out = s;
    return true;
}

bool pe_section_named(const struct pe_image *image, str name,
                      struct pe_section *out)
{
    for (size_t i = 0; i < image->section_count; i++) {
        struct pe_section s;

        if (pe_section_at(image, i, &s) && str_eq(s.name, name)) {
            *out = s;
            return true;
        }
    }
    return false;
}

/* The text at `rva` if it is one a name could be, else an empty one. At 0
 * stand the headers, and "MZ" is nobody's name. */
static str name_at(const struct pe_image *image, uint32_t rva)
{
    struct reader r = image->bytes;
    str name;

    if (rva == 0) {
        return STR("");
    }
    reader_seek(&r, rva);
    name = reader_zstr(&r, NAME_SIZE_MAX);
    for (size_t i = 0; i < name.size; i++) {
        if (name.p[i] <= ' ' || name.p[i] > '~') {
            return STR("");
        }
    }
    return r.bad ? STR("") : name;
}

str pe_module_name(const struct pe_image *image)
{
    struct reader r = image->bytes;
    uint32_t rva;

    if (image->exports == 0) {
        return STR("");
    }
    rva = reader_u32_at(&r, (size_t)image->exports + 12);
    return r.bad ? STR("") : name_at(image, rva);
}

struct pe_exports pe_exports_over(const struct pe_image *image)
{
    struct reader r = image->bytes;
    struct pe_exports it = { .image = image };
    size_t at = image->exports;

    if (at == 0) {
        return it;
    }
    it.function_count = reader_u32_at(&r, at + 20);
    it.name_count = reader_u32_at(&r, at + 24);
    if (it.name_count > NAMES_MOST) {
        it.name_count = NAMES_MOST;  // ordinals have 16 bits
    }
    it.functions = reader_u32_at(&r, at + 28);
    it.names = reader_u32_at(&r, at + 32);
    it.ordinals = reader_u32_at(&r, at + 36);
    if (r.bad) {
        it.name_count = 0;
    }
    return it;
}

bool pe_exports_next(struct pe_exports *it, struct pe_export *out)
{
    const struct pe_image *image = it->image;

    while (it->next < it->name_count) {
        struct reader r = image->bytes;
        struct pe_export e;
        size_t i = it->next++;

        e.name = name_at(image, reader_u32_at(&r, it->names + i * 4));
        if (r.bad) {
            /* The table leaves the image; so do all names behind this. */
            it->next = it->name_count;
            it->skipped++;
            return false;
        }
        e.ordinal = reader_u16_at(&r, it->ordinals + i * 2);
        e.rva = reader_u32_at(&r, it->functions + (size_t)e.ordinal * 4);
        if (r.bad || e.ordinal >= it->function_count || e.rva == 0 ||
            e.rva >= image->image_size || e.name.size == 0) {
            it->skipped++;
            continue;
        }
        if (e.rva >= image->exports &&
            e.rva - image->exports < image->exports_size) {
            continue;  // a forwarder
        }
        *out = e;
        return true;
    }
    return false;
}

/* ------------------------------------------------------- which build it is */

bool pe_identity_of(struct pe_identity *out, const void *head, size_t size)
{
    struct reader r = reader_over(head, size);
    struct headers h;

    *out = (struct pe_identity){ 0 };
    if (!find_headers(&r, &h) ||
        (h.magic != MAGIC_PE32 && h.magic != MAGIC_PE32_PLUS)) {
        return false;
    }
    out->timestamp = reader_u32_at(&r, h.optional - FILE_HEADER_SIZE + 4);
    out->checksum = reader_u32_at(&r, h.optional + 64);
    out->image_size = h.image_size;
    read_directory(&r, &h, DIRECTORY_DEBUG, &out->debug, &out->debug_size);
    if (r.bad) {
        out->debug = 0;
        out->debug_size = 0;
    }
    return true;
}

bool pe_codeview_in(const void *directory, size_t size, uint32_t *rva,
                    uint32_t *data_size)
{
    struct reader r = reader_over(directory, size);

    for (size_t at = 0; size - at >= DEBUG_ENTRY_SIZE; at += DEBUG_ENTRY_SIZE) {
        uint32_t type = reader_u32_at(&r, at + 12);

        *data_size = reader_u32_at(&r, at + 16);
        *rva = reader_u32_at(&r, at + 20);
        if (type == DEBUG_CODEVIEW && *rva != 0) {
            return true;
        }
    }
    return false;
}

bool pe_pdb_over(struct pe_pdb *out, const void *data, size_t size)
{
    struct reader r = reader_over(data, size);
    str mark = reader_bytes(&r, 4);
    str id = reader_bytes(&r, sizeof(out->id));

    out->age = reader_u32(&r);
    if (r.bad || !str_eq(mark, STR("RSDS"))) {
        return false;
    }
    memcpy(out->id, id.p, sizeof(out->id));
    out->name = reader_zstr(&r, size - RSDS_SIZE);
    if (r.bad) {
        out->name = STR("");
    }
    return true;
}
