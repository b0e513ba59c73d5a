/* SPDX-License-Identifier: MIT */
/*
 * pe.h - Windows program files and mapped modules, read without trust.
 *
 * Two views of one format (Microsoft's "PE Format" page): a file's head, to
 * judge whether it is a program we can trace, and an image as the loader maps
 * it, to find exports and sections. Both are bytes that somebody else made:
 * nothing here reads outside what it is given or loops longer than it.
 */
#ifndef LIVE_PE_H
#define LIVE_PE_H

#include "base/reader.h"
#include "base/str.h"

/* Enough of a file's beginning for pe_judge. */
#define PE_HEAD_SIZE (64 * 1024)

enum pe_kind {
    PE_AMD64,           // ours
    PE_DOTNET,          // .NET for any CPU: 64 bits or not, the system says
    PE_I386,            // 32-bit x86
    PE_ARM64,           // ARM64 or ARM64X
    PE_OTHER_MACHINE,   // any other CPU
    PE_DLL,             // a library
    PE_NOT_WIN32,       // a driver, a boot program, a native program
    PE_16_BIT,          // DOS, Windows 3 or OS/2
    PE_NOT_EXECUTABLE,  // no program of any kind: text, a picture, nothing
    PE_TRUNCATED,       // the file ends before its headers or sections do
    PE_DAMAGED,         // headers that contradict themselves
};

/* Judges a file by its first `size` bytes, PE_HEAD_SIZE or all there are, and
 * its whole size. ARM64EC programs say that they are AMD64; so do we. */
enum pe_kind pe_judge(const void *head, size_t size, uint64_t file_size);

/* True if a program of this kind can be traced, or may turn out to be so. */
bool pe_is_ours(enum pe_kind kind);

/* What to say behind the name of a file that is not ours: "is a ...". Never
 * empty, and borrowed from the program. */
str pe_why_not(enum pe_kind kind);

/* A module as it lies in memory. */
struct pe_image {
    struct reader bytes;  // borrowed; offsets are RVAs
    uint16_t machine;     // 0x8664
    uint32_t image_size;  // SizeOfImage
    uint32_t entry;       // RVA of the entry point; 0: none
    uint64_t base;        // ImageBase: where it was linked to or relocated
    uint32_t exports;     // RVA of the export directory; 0: none
    uint32_t exports_size;
    uint32_t sections;  // RVA of the section table
    uint16_t section_count;
};

struct pe_section {
    str name;  // borrowed from the image, at most 8 bytes
    uint32_t rva;
    uint32_t size;   // bytes in memory, clipped to SizeOfImage
    uint32_t flags;  // IMAGE_SCN_*
};

struct pe_export {
    str name;          // borrowed from the image; printable ASCII, no blanks
    uint32_t rva;      // below SizeOfImage, outside the export directory
    uint16_t ordinal;  // its index in the address table, without the base
};

/* Walks over the names of an export directory; see pe_exports_over. */
struct pe_exports {
    const struct pe_image *image;  // borrowed
    uint32_t names;                // RVAs of the three tables
    uint32_t ordinals;
    uint32_t functions;
    uint32_t name_count;
    uint32_t function_count;
    uint32_t next;     // index of the next name
    uint32_t skipped;  // names that lead nowhere
};

/* Reads the headers of a 64-bit image. `bytes` may be less than the image, or
 * have holes of zeros; what lies outside does not exist. False if it is not a
 * PE32+ image. */
bool pe_image_over(struct pe_image *out, const void *bytes, size_t size);

/* Section `index` of the table; false behind the last, or if it lies outside
 * the image. */
bool pe_section_at(const struct pe_image *image, size_t index,
                   struct pe_section *out);
/* The first section of that name, such as ".text"; false: none. */
bool pe_section_named(const struct pe_image *image, str name,
                      struct pe_section *out);

/* The name the module was linked as ("ntdll.dll"), empty if it has none. */
str pe_module_name(const struct pe_image *image);

/* Exports in the order of their names. Forwarders (their address is a text
 * inside the export directory) are left out and not counted as skipped. */
struct pe_exports pe_exports_over(const struct pe_image *image);
bool pe_exports_next(struct pe_exports *it, struct pe_export *out);

/* Which build of a module's file it is. */
struct pe_identity {
    uint32_t timestamp;  // TimeDateStamp, which linkers also fill otherwise
    uint32_t checksum;
    uint32_t image_size;  // SizeOfImage
    uint32_t debug;       // RVA of the debug directory; 0: none
    uint32_t debug_size;  // bytes
};

/* Reads them from an image's first `size` bytes, of 32 or 64 bits. False,
 * *out zeroed, if they are no image's. */
bool pe_identity_of(struct pe_identity *out, const void *head, size_t size);

/* Where the entry for symbols lies that a debug directory has: the first of
 * them. False: there is none. */
bool pe_codeview_in(const void *directory, size_t size, uint32_t *rva,
                    uint32_t *data_size);

/* What it says of them ("RSDS"): which PDB was made with the module. */
struct pe_pdb {
    uint8_t id[16];  // GUID
    uint32_t age;
    str name;  // a path, as the linker wrote it; borrowed. Empty: has no end
};

/* False if it is no such entry. */
bool pe_pdb_over(struct pe_pdb *out, const void *data, size_t size);

#endif
