/* SPDX-License-Identifier: MIT */
/*
 * special_registry.c - registry values: data by its type, and the buffers
 * that hold a value's name and data.
 *
 * Data that does not have the form its type promises is told as bytes.
 */
#include "decode/special.h"

#include <string.h>

#include "base/banned.h"

#define REG_SZ 1u
#define REG_EXPAND_SZ 2u
#define REG_DWORD 4u
#define REG_DWORD_BIG_ENDIAN 5u
#define REG_LINK 6u
#define REG_MULTI_SZ 7u
#define REG_QWORD 11u

/* A value's name has at most 16383 units. */
#define VALUE_NAME_BYTES 0x8000u
/* Of REG_MULTI_SZ; beyond it, "more". */
#define MULTI_UNITS 2048

/* KEY_VALUE_INFORMATION_CLASS */
enum {
    VALUE_BASIC,
    VALUE_FULL,
    VALUE_PARTIAL,
    VALUE_FULL_ALIGN64,
    VALUE_PARTIAL_ALIGN64,
    VALUE_LAYER,
};

static uint64_t at_most(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Texts one after the other, an empty one at the end. */
static void tell_multi(const struct tell *t, uint64_t address, uint64_t length,
                       uint64_t room)
{
    uint16_t units[MULTI_UNITS];
    uint64_t most = at_most(length, 2ull * t->options->string_max);
    size_t count =
        memory_read(t->memory, address, units,
                    (size_t)at_most(at_most(most, room), sizeof(units))) /
        2;
    size_t from = 0;

    if (count == 0 && length > 0) {
        special_name(t, address, length, room);
        return;
    }
    t->sink->ops->begin(t->sink, GROUP_ARRAY);
    while (from < count && units[from] != 0) {
        size_t to = from;
        struct sink_text text = { .kind = TEXT_UTF16, .p = units + from };

        while (to < count && units[to] != 0) {
            to++;
        }
        text.size = to - from;
        text.cut = to == count && 2 * count < length;
        t->sink->ops->text(t->sink, &text);
        from = to + 1;
    }
    /* What follows the empty text is no part of the list, but of the data. */
    for (; from < count && units[from] == 0; from++) {
    }
    if (from < count || 2 * count < length) {
        t->sink->ops->more(t->sink);
    }
    t->sink->ops->end(t->sink, GROUP_ARRAY);
}

static void registry_data(const struct tell *t, uint32_t type, uint64_t address,
                          uint64_t length, uint64_t room)
{
    uint64_t value;
    uint16_t last;

    switch (type) {
    case REG_SZ:
    case REG_EXPAND_SZ:
    case REG_LINK:
        if (length % 2 != 0) {
            break;
        }
        /* The zero at the end is part of the data, and of no interest. */
        if (length >= 2 && length <= room &&
            memory_u16(t->memory, address + length - 2, &last) && last == 0) {
            length -= 2;
            if (length == 0) {
                const struct sink_text none = {
                    .kind = TEXT_WTF8,
                    .p = "",
                };

                t->sink->ops->text(t->sink, &none);
                return;
            }
        }
        special_text(t, address, length, room);
        return;
    case REG_MULTI_SZ:
        if (length % 2 != 0) {
            break;
        }
        tell_multi(t, address, length, room);
        return;
    case REG_DWORD:
    case REG_DWORD_BIG_ENDIAN:
    case REG_QWORD:
        if (length != (type == REG_QWORD ? 8u : 4u) || length > room ||
            !special_word(t, address, (uint32_t)length, &value)) {
            break;
        }
        if (type == REG_DWORD_BIG_ENDIAN) {
            value = (value & 0xff) << 24 | (value & 0xff00) << 8 |
                    (value >> 8 & 0xff00) | value >> 24;
        }
        if (value < 0x10000) {
            special_number(t, value);
        } else {
            special_hex(t, value);
        }
        return;
    default:
        break;
    }
    special_data(t, address, length, room);
}

/* --- KEY_VALUE_..._INFORMATION ---------------------------------------- */

static void tell_value_type(const struct tell *t, uint32_t type)
{
    special_open(t, "Type");
    special_named(t, type, "REG_TYPE");
}

bool special_value_basic_tell(const struct tell *t, uint64_t address,
                              uint64_t said)
{
    uint32_t head = nt_offset(NT_KEY_VALUE_BASIC_INFORMATION_Name, t->width);
    uint32_t type;
    uint32_t length;

    if (said < head ||
        !tell_read32(t, address, NT_KEY_VALUE_BASIC_INFORMATION_Type, &type) ||
        !tell_read32(t, address, NT_KEY_VALUE_BASIC_INFORMATION_NameLength,
                     &length)) {
        return false;
    }
    t->sink->ops->begin(t->sink, GROUP_STRUCT);
    tell_value_type(t, type);
    special_open(t, "Name");
    special_name(t, address + head, length, said - head);
    t->sink->ops->end(t->sink, GROUP_STRUCT);
    return true;
}

bool special_value_full_tell(const struct tell *t, uint64_t address,
                             uint64_t said)
{
    uint32_t head = nt_offset(NT_KEY_VALUE_FULL_INFORMATION_Name, t->width);
    uint32_t type;
    uint32_t offset;
    uint32_t size;
    uint32_t length;

    if (said < head ||
        !tell_read32(t, address, NT_KEY_VALUE_FULL_INFORMATION_Type, &type) ||
        !tell_read32(t, address, NT_KEY_VALUE_FULL_INFORMATION_DataOffset,
                     &offset) ||
        !tell_read32(t, address, NT_KEY_VALUE_FULL_INFORMATION_DataLength,
                     &size) ||
        !tell_read32(t, address, NT_KEY_VALUE_FULL_INFORMATION_NameLength,
                     &length)) {
        return false;
    }
    t->sink->ops->begin(t->sink, GROUP_STRUCT);
    tell_value_type(t, type);
    special_open(t, "Name");
    special_name(t, address + head, length, said - head);
    special_open(t, "Data");
    if (offset < head || offset > said) {
        t->sink->ops->unknown(t->sink);
    } else {
        registry_data(t, type, address + offset, size, said - offset);
    }
    t->sink->ops->end(t->sink, GROUP_STRUCT);
    return true;
}

/* `less`: bytes at its beginning that it leaves out. */
static bool tell_partial(const struct tell *t, uint64_t address, uint32_t less,
                         uint64_t said)
{
    uint32_t head =
        nt_offset(NT_KEY_VALUE_PARTIAL_INFORMATION_Data, t->width) - less;
    uint64_t at = address - less;
    uint32_t type;
    uint32_t size;

    if (said < head ||
        !tell_read32(t, at, NT_KEY_VALUE_PARTIAL_INFORMATION_Type, &type) ||
        !tell_read32(t, at, NT_KEY_VALUE_PARTIAL_INFORMATION_DataLength,
                     &size)) {
        return false;
    }
    t->sink->ops->begin(t->sink, GROUP_STRUCT);
    tell_value_type(t, type);
    special_open(t, "Data");
    registry_data(t, type, address + head, size, said - head);
    t->sink->ops->end(t->sink, GROUP_STRUCT);
    return true;
}

bool special_value_partial_tell(const struct tell *t, uint64_t address,
                                uint64_t said)
{
    return tell_partial(t, address, 0, said);
}

/* --- NtQueryMultipleValueKey ------------------------------------------ */

static bool tell_entries(const struct tell *t, uint64_t address)
{
    uint64_t count;
    uint64_t values;

    if (!tell_arg(t, "EntryCount", &count) ||
        !tell_arg(t, "ValueBuffer", &values) || !special_there(t, address)) {
        return false;
    }
    count &= UINT32_MAX;
    t->sink->ops->begin(t->sink, GROUP_ARRAY);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t at = address + i * nt_size(NT_KEY_VALUE_ENTRY, t->width);
        uint64_t name;
        uint32_t size;
        uint32_t offset;
        uint32_t type;

        if (special_more(t, i) ||
            !tell_read(t, at, NT_KEY_VALUE_ENTRY_ValueName, &name) ||
            !tell_read32(t, at, NT_KEY_VALUE_ENTRY_DataLength, &size) ||
            !tell_read32(t, at, NT_KEY_VALUE_ENTRY_DataOffset, &offset) ||
            !tell_read32(t, at, NT_KEY_VALUE_ENTRY_Type, &type)) {
            t->sink->ops->more(t->sink);
            break;
        }
        t->sink->ops->begin(t->sink, GROUP_STRUCT);
        special_open(t, "ValueName");
        if (special_there(t, name)) {
            tell_unicode_string(t, name);
        } else {
            tell_pointer(t, name);
        }
        if (t->after) {
            tell_value_type(t, type);
            special_open(t, "Data");
            registry_data(t, type, values + offset, size, SPECIAL_ANY);
        }
        t->sink->ops->end(t->sink, GROUP_STRUCT);
    }
    t->sink->ops->end(t->sink, GROUP_ARRAY);
    return true;
}

static void build_entries(struct build *b, int entries, int count, int values,
                          int length)
{
    struct build_at at =
        special_at_arg(entries, b->at_return ? CAPTURE_FILLED : CAPTURE_ALWAYS);
    uint32_t each = build_size(b, NT_KEY_VALUE_ENTRY);
    struct capture_op op = special_op_arg(at, count, each);
    int piece;

    op.most = each * (TELL_ELEMENTS + 1);
    piece = build_op(b, op);
    for (uint16_t i = 0; piece != BUILD_FULL && i < 4; i++) {
        (void)build_type(b, STR("UNICODE_STRING"),
                         special_at_piece(piece, (uint16_t)(i * each),
                                          (enum capture_when)at.when));
    }
    if (b->at_return && values >= 0 && length >= 0) {
        op = special_op(special_at_arg(values, CAPTURE_FILLED), 1);
        op.size.unit = CAPTURE_POINTEE32;
        op.size.from = (uint8_t)length;
        op.most = 16u * (2 * b->bytes_most + 16);
        (void)build_op(b, op);
    }
}

/* --- Calls ------------------------------------------------------------ */

bool special_registry_tell(const struct tell *t, const struct call_facts *call,
                           uint32_t i, uint64_t address)
{
    uint64_t class;
    uint64_t said;

    if (special_arg_is(call, i, "KeyValueInformation")) {
        if (!tell_arg(t, "KeyValueInformationClass", &class) ||
            !special_there(t, address)) {
            return false;
        }
        said = special_said(t, "Length", "ResultLength");
        switch ((uint32_t) class) {
        case VALUE_BASIC:
            return special_value_basic_tell(t, address, said);
        case VALUE_FULL:
        case VALUE_FULL_ALIGN64:
            return special_value_full_tell(t, address, said);
        case VALUE_PARTIAL:
            return special_value_partial_tell(t, address, said);
        case VALUE_PARTIAL_ALIGN64:
            /* Without TitleIndex. */
            return tell_partial(
                t, address,
                nt_offset(NT_KEY_VALUE_PARTIAL_INFORMATION_Type, t->width),
                said);
        default:
            return false;
        }
    }
    if (special_arg_is(call, i, "Data") && special_is(call, "NtSetValueKey")) {
        if (!tell_arg(t, "Type", &class) || !tell_arg(t, "DataSize", &said) ||
            !special_there(t, address)) {
            return false;
        }
        said &= UINT32_MAX;
        registry_data(t, (uint32_t) class, address, said, said);
        return true;
    }
    if (special_arg_is(call, i, "ValueEntries")) {
        return tell_entries(t, address);
    }
    return false;
}

bool special_registry_build(struct build *b, uint32_t i)
{
    int length = build_arg(b, "Length");
    int written = build_arg(b, "ResultLength");
    int size = build_arg(b, "DataSize");
    struct capture_op op;

    if (special_arg_is(b->call, i, "KeyValueInformation") && length >= 0) {
        if (!b->at_return) {
            return true;
        }
        op = special_op_arg(special_at_arg((int)i, CAPTURE_FILLED), length, 1);
        if (written >= 0) {
            op.limit.unit = CAPTURE_POINTEE32;
            op.limit.from = (uint8_t)written;
            op.limit.scale = 1;
        }
        op.most = VALUE_NAME_BYTES + 2 * b->bytes_most + 64;
        (void)build_op(b, op);
        return true;
    }
    if (special_arg_is(b->call, i, "Data") && size >= 0 &&
        special_is(b->call, "NtSetValueKey")) {
        if (!b->at_return) {
            op =
                special_op_arg(special_at_arg((int)i, CAPTURE_ALWAYS), size, 1);
            op.most = 2 * b->bytes_most + 16;
            (void)build_op(b, op);
        }
        return true;
    }
    if (special_arg_is(b->call, i, "ValueEntries")) {
        int count = build_arg(b, "EntryCount");

        if (count >= 0) {
            build_entries(b, (int)i, count, build_arg(b, "ValueBuffer"),
                          build_arg(b, "BufferLength"));
        }
        return true;
    }
    return false;
}
