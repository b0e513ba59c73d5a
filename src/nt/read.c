/* SPDX-License-Identifier: MIT */
/*
 * read.c - fields by the tables' layout.
 *
 * A place is looked up when it is first asked for, and kept: two words for
 * each field of fields.def. As x64 has it, it stands in the tables; only for
 * another width the structure is laid out. Touches nothing else; a field that
 * no table has (tests/unit/test_layout.c: there is none such) is never there.
 */
#include "nt/read.h"

#include "tables/ioctls.h"

#include <stdatomic.h>
#include <string.h>

#include "base/banned.h"

/* clang-format off */
static const struct {
    const char *structure;
    const char *field;  // NULL: all of it
} names[] = {
#define NT_STRUCT(structure_) { #structure_, NULL },
#define NT_FIELD(structure_, field_) { #structure_, #field_ },
#define NT_FIELD_AS(structure_, id_, name_) { #structure_, name_ },
#include "nt/fields.def"
#undef NT_STRUCT
#undef NT_FIELD
#undef NT_FIELD_AS
};
/* clang-format on */

/* KNOWN, offset and size. */
#define KNOWN 0x80000000u
#define OFFSET_BIT 16
#define SIZE_MASK 0xffffu

static _Atomic uint32_t places[NT_WIDTH_COUNT][NT_FIELD_COUNT];

static uint32_t known(uint32_t offset, uint32_t size)
{
    return KNOWN | offset << OFFSET_BIT | size;
}

/* The field `name` of `row`; how many fields there are if it has none. */
static uint32_t index_of(const struct struct_row *row, const char *name)
{
    uint32_t i = 0;

    while (i < row->field_count && strcmp(row->fields[i].name, name) != 0) {
        i++;
    }
    return i;
}

static uint32_t find(enum nt_field field, enum nt_width width)
{
    const struct struct_row *row = ioctl_struct(str_of(names[field].structure));
    const char *name = names[field].field;
    struct nt_layout layout;
    uint32_t i;

    if (!row) {
        return KNOWN;
    }
    i = name ? index_of(row, name) : 0;
    if (name && i == row->field_count) {
        return KNOWN;
    }
    if (width == NT_64 && !name) {
        return known(0, row->size);
    }
    /* How large the word is that bits are in, no row says. */
    if (width == NT_64 && row->fields[i].bits == 0) {
        return known(row->fields[i].offset, row->fields[i].size);
    }
    if (!nt_layout_of(row, width, &layout)) {
        return KNOWN;
    }
    return name ? known(layout.fields[i].offset, layout.fields[i].size)
                : known(0, layout.size);
}

static uint32_t place_of(enum nt_field field, enum nt_width width)
{
    /* Relaxed: who finds it writes what all others would, and nothing else
     * hangs on it. */
    uint32_t place =
        atomic_load_explicit(&places[width][field], memory_order_relaxed);

    if (place == 0) {
        place = find(field, width);
        atomic_store_explicit(&places[width][field], place,
                              memory_order_relaxed);
    }
    return place & ~KNOWN;
}

uint32_t nt_offset(enum nt_field field, enum nt_width width)
{
    return place_of(field, width) >> OFFSET_BIT;
}

uint32_t nt_size(enum nt_field field, enum nt_width width)
{
    return place_of(field, width) & SIZE_MASK;
}

/* At most `most` bytes. */
static bool read_field(const struct memory *m, enum nt_width width,
                       uint64_t address, enum nt_field field, uint32_t most,
                       uint64_t *out)
{
    uint32_t place = place_of(field, width);
    uint32_t size = place & SIZE_MASK;

    return size <= most &&
           memory_number(m, address + (place >> OFFSET_BIT), size, out);
}

bool nt_read(const struct memory *m, enum nt_width width, uint64_t address,
             enum nt_field field, uint64_t *out)
{
    return read_field(m, width, address, field, 8, out);
}

bool nt_read32(const struct memory *m, enum nt_width width, uint64_t address,
               enum nt_field field, uint32_t *out)
{
    uint64_t n;

    if (!read_field(m, width, address, field, 4, &n)) {
        return false;
    }
    *out = (uint32_t)n;
    return true;
}

bool nt_read16(const struct memory *m, enum nt_width width, uint64_t address,
               enum nt_field field, uint16_t *out)
{
    uint64_t n;

    if (!read_field(m, width, address, field, 2, &n)) {
        return false;
    }
    *out = (uint16_t)n;
    return true;
}

bool nt_pointer_read(const struct memory *m, enum nt_width width,
                     uint64_t address, uint64_t *out)
{
    return memory_number(m, address, nt_pointer_size(width), out);
}

bool nt_string_read(const struct memory *m, enum nt_width width,
                    uint64_t address, struct nt_string *out)
{
    struct nt_string s;

    if (!nt_read16(m, width, address, NT_UNICODE_STRING_Length, &s.length) ||
        !nt_read(m, width, address, NT_UNICODE_STRING_Buffer, &s.buffer)) {
        return false;
    }
    *out = s;
    return true;
}

bool nt_attributes_read(const struct memory *m, enum nt_width width,
                        uint64_t address, struct nt_attributes *out)
{
    struct nt_attributes a = { .name_known = true };
    uint64_t name;

    if (!nt_read(m, width, address, NT_OBJECT_ATTRIBUTES_RootDirectory,
                 &a.root) ||
        !nt_read(m, width, address, NT_OBJECT_ATTRIBUTES_ObjectName, &name)) {
        return false;
    }
    if (name != 0) {
        a.named = true;
        a.name_known = nt_string_read(m, width, name, &a.name);
    }
    *out = a;
    return true;
}

bool nt_client_read(const struct memory *m, enum nt_width width,
                    uint64_t address, struct nt_client *out)
{
    uint64_t id;
    bool process = nt_read(m, width, address, NT_CLIENT_ID_UniqueProcess, &id);
    bool thread;

    if (process) {
        out->pid = (uint32_t)id;
    }
    thread = nt_read(m, width, address, NT_CLIENT_ID_UniqueThread, &id);
    if (thread) {
        out->tid = (uint32_t)id;
    }
    return process && thread;
}

bool nt_information_read(const struct memory *m, enum nt_width width,
                         uint64_t address, uint64_t *out)
{
    return nt_read(m, width, address, NT_IO_STATUS_BLOCK_Information, out);
}

bool nt_attribute_count(const struct memory *m, enum nt_width width,
                        uint64_t address, uint64_t *out)
{
    uint32_t head = nt_offset(NT_PS_ATTRIBUTE_LIST_Attributes, width);
    uint64_t total;

    if (!nt_read(m, width, address, NT_PS_ATTRIBUTE_LIST_TotalLength, &total)) {
        return false;
    }
    *out = total < head ? 0 : (total - head) / nt_size(NT_PS_ATTRIBUTE, width);
    return true;
}

bool nt_attribute_read(const struct memory *m, enum nt_width width,
                       uint64_t address, uint32_t i, struct nt_attribute *out)
{
    struct nt_attribute a;
    uint64_t count;
    uint64_t at = address + nt_offset(NT_PS_ATTRIBUTE_LIST_Attributes, width) +
                  (uint64_t)i * nt_size(NT_PS_ATTRIBUTE, width);

    if (!nt_attribute_count(m, width, address, &count) || i >= count ||
        !nt_read(m, width, at, NT_PS_ATTRIBUTE_Attribute, &a.attribute) ||
        !nt_read(m, width, at, NT_PS_ATTRIBUTE_Size, &a.size) ||
        !nt_read(m, width, at, NT_PS_ATTRIBUTE_Value, &a.value)) {
        return false;
    }
    *out = a;
    return true;
}
