/* SPDX-License-Identifier: MIT */
/*
 * read.h - NT's structures, read out of memory that was copied.
 *
 * The fields that anybody reads are in fields.def; where they are in a process
 * of which width, the tables say (layout.h), and nobody else.
 *
 * All of it is the target's: an address may be anything, and what is not all
 * there is not read. Then the answer is false, and what was to be written is
 * untouched. Words of the width of a pointer come as 64 bits.
 */
#ifndef NT_READ_H
#define NT_READ_H

#include "nt/layout.h"
#include "nt/memory.h"

#include <stdbool.h>
#include <stdint.h>

/* A structure, or a field of one: NT_CLIENT_ID, NT_CLIENT_ID_UniqueThread. */
enum nt_field {
#define NT_STRUCT(structure_) NT_##structure_,
#define NT_FIELD(structure_, field_) NT_##structure_##_##field_,
#define NT_FIELD_AS(structure_, id_, name_) NT_##structure_##_##id_,
#include "nt/fields.def"
#undef NT_STRUCT
#undef NT_FIELD
#undef NT_FIELD_AS
    NT_FIELD_COUNT,
};

/* From the beginning of its structure; 0 for a structure. Bytes. */
uint32_t nt_offset(enum nt_field field, enum nt_width width);
/* Of the field, or of all of the structure. Bytes. */
uint32_t nt_size(enum nt_field field, enum nt_width width);

/* The field of the structure at `address`, one of 8 bytes at most. */
bool nt_read(const struct memory *m, enum nt_width width, uint64_t address,
             enum nt_field field, uint64_t *out);
/* The same of a field of at most 4 bytes, 2 bytes. */
bool nt_read32(const struct memory *m, enum nt_width width, uint64_t address,
               enum nt_field field, uint32_t *out);
bool nt_read16(const struct memory *m, enum nt_width width, uint64_t address,
               enum nt_field field, uint16_t *out);

/* A pointer, a handle, a SIZE_T: what a call puts where an argument says. */
bool nt_pointer_read(const struct memory *m, enum nt_width width,
                     uint64_t address, uint64_t *out);

/* UNICODE_STRING, ANSI_STRING. */
struct nt_string {
    uint64_t buffer;  // address
    uint16_t length;  // bytes
};

bool nt_string_read(const struct memory *m, enum nt_width width,
                    uint64_t address, struct nt_string *out);

/* OBJECT_ATTRIBUTES, as far as it names an object. */
struct nt_attributes {
    uint64_t root;          // handle; 0: none
    bool named;             // it has an ObjectName
    bool name_known;        // which is below; true if it has none
    struct nt_string name;  // empty if it has none, or is not known
};

bool nt_attributes_read(const struct memory *m, enum nt_width width,
                        uint64_t address, struct nt_attributes *out);

/* CLIENT_ID, IO_STATUS_BLOCK: what is there of it. True if all is. */
struct nt_client {
    uint32_t pid;
    uint32_t tid;
};

bool nt_client_read(const struct memory *m, enum nt_width width,
                    uint64_t address, struct nt_client *out);

/* Information alone: bytes, as a rule. */
bool nt_information_read(const struct memory *m, enum nt_width width,
                         uint64_t address, uint64_t *out);

/* Element `i` of the PS_ATTRIBUTE_LIST at `address`. False: it is not there,
 * or the list ends before it. */
struct nt_attribute {
    uint64_t attribute;
    uint64_t size;  // bytes
    uint64_t value;
};

/* The number in an attribute; what is above are flags. */
#define NT_ATTRIBUTE_NUMBER 0xffffu

bool nt_attribute_read(const struct memory *m, enum nt_width width,
                       uint64_t address, uint32_t i, struct nt_attribute *out);
/* How many elements the list says that it has. */
bool nt_attribute_count(const struct memory *m, enum nt_width width,
                        uint64_t address, uint64_t *out);

#endif
