/* SPDX-License-Identifier: MIT */
/*
 * registry.c - registry values: data by its type, and the buffers
 * that hold a value's name and data.
 *
 * Data that does not have the form its type promises is told as bytes.
 */
#include "decode/build.h"
#include "decode/families/families.h"
#include "decode/walk.h"

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
        tell_name_in(t, address, length, room);
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
        tell_text_in(t, address, length, room);
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
            !tell_word(t, address, (uint32_t)length, &value)) {
            break;
        }
        if (type == REG_DWORD_BIG_ENDIAN) {
            value = (value & 0xff) << 24 | (value & 0xff00) << 8 |
                    (value >> 8 & 0xff00) | value >> 24;
        }
        if (value < 0x10000) {
            tell_number(t, value);
        } else {
            tell_hex(t, value);
        }
        return;
    default:
        break;
    }
    tell_data_in(t, address, length, room);
}

/* --- KEY_VALUE_..._INFORMATION ---------------------------------------- */

static void tell_value_type(const struct tell *t, uint32_t type)
{
    tell_open(t, "Type");
    tell_by_set(t, type, "REG_TYPE");
}

static bool value_basic_tell(const struct tell *t, uint64_t address,
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
    tell_open(t, "Name");
    tell_name_in(t, address + head, length, said - head);
    t->sink->ops->end(t->sink, GROUP_STRUCT);
    return true;
}

static bool value_full_tell(const struct tell *t, uint64_t address,
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
    tell_open(t, "Name");
    tell_name_in(t, address + head, length, said - head);
    tell_open(t, "Data");
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
    tell_open(t, "Data");
    registry_data(t, type, address + head, size, said - head);
    t->sink->ops->end(t->sink, GROUP_STRUCT);
    return true;
}

static bool value_partial_tell(const struct tell *t, uint64_t address,
                               uint64_t said)
{
    return tell_partial(t, address, 0, said);
}

/* --- NtQueryMultipleValueKey ------------------------------------------ */

static bool entries_tell(const struct tell *t, const struct family_param *row,
                         uint32_t i, uint64_t address)
{
    uint64_t count;
    uint64_t values;

    (void)row;
    (void)i;
    if (!tell_arg(t, "EntryCount", &count) ||
        !tell_arg(t, "ValueBuffer", &values) || !tell_there(t, address)) {
        return false;
    }
    count &= UINT32_MAX;
    t->sink->ops->begin(t->sink, GROUP_ARRAY);
    for (uint64_t k = 0; k < count; k++) {
        uint64_t at = address + k * nt_size(NT_KEY_VALUE_ENTRY, t->width);
        uint64_t name;
        uint32_t size;
        uint32_t offset;
        uint32_t type;

        if (tell_more(t, k) ||
            !tell_read(t, at, NT_KEY_VALUE_ENTRY_ValueName, &name) ||
            !tell_read32(t, at, NT_KEY_VALUE_ENTRY_DataLength, &size) ||
            !tell_read32(t, at, NT_KEY_VALUE_ENTRY_DataOffset, &offset) ||
            !tell_read32(t, at, NT_KEY_VALUE_ENTRY_Type, &type)) {
            t->sink->ops->more(t->sink);
            break;
        }
        t->sink->ops->begin(t->sink, GROUP_STRUCT);
        tell_open(t, "ValueName");
        if (tell_there(t, name)) {
            tell_unicode_string(t, name);
        } else {
            tell_pointer(t, name);
        }
        if (t->after) {
            tell_value_type(t, type);
            tell_open(t, "Data");
            registry_data(t, type, values + offset, size, TELL_ANY);
        }
        t->sink->ops->end(t->sink, GROUP_STRUCT);
    }
    t->sink->ops->end(t->sink, GROUP_ARRAY);
    return true;
}

static bool entries_build(struct build *b, const struct family_param *row,
                          uint32_t i)
{
    int count = build_arg(b, "EntryCount");
    int values = build_arg(b, "ValueBuffer");
    int length = build_arg(b, "BufferLength");
    struct build_at at =
        build_at_arg((int)i, b->at_return ? CAPTURE_FILLED : CAPTURE_ALWAYS);
    uint32_t each = build_size(b, NT_KEY_VALUE_ENTRY);
    struct capture_op op;
    int piece;

    (void)row;
    if (count < 0) {
        return true;
    }
    op = build_op_arg(at, count, each);
    op.most = each * (TELL_ELEMENTS + 1);
    piece = build_op(b, op);
    for (uint16_t k = 0; piece != BUILD_FULL && k < 4; k++) {
        (void)build_type(b, STR("UNICODE_STRING"),
                         build_at_piece(piece, (uint16_t)(k * each),
                                        (enum capture_when)at.when));
    }
    if (b->at_return && values >= 0 && length >= 0) {
        op = build_op_bytes(build_at_arg(values, CAPTURE_FILLED), 1);
        op.size.unit = CAPTURE_POINTEE32;
        op.size.from = (uint8_t)length;
        op.most = 16u * (2 * b->bytes_most + 16);
        (void)build_op(b, op);
    }
    return true;
}

/* --- Values ----------------------------------------------------------- */

static bool value_tell(const struct tell *t, const struct family_param *row,
                       uint32_t i, uint64_t address)
{
    uint64_t class;
    uint64_t said;

    (void)row;
    (void)i;
    if (!tell_arg(t, "KeyValueInformationClass", &class) ||
        !tell_there(t, address)) {
        return false;
    }
    said = tell_said(t, "Length", "ResultLength");
    switch ((uint32_t) class) {
    case VALUE_BASIC:
        return value_basic_tell(t, address, said);
    case VALUE_FULL:
    case VALUE_FULL_ALIGN64:
        return value_full_tell(t, address, said);
    case VALUE_PARTIAL:
        return value_partial_tell(t, address, said);
    case VALUE_PARTIAL_ALIGN64:
        /* Without TitleIndex. */
        return tell_partial(
            t, address,
            nt_offset(NT_KEY_VALUE_PARTIAL_INFORMATION_Type, t->width), said);
    default:
        return false;
    }
}

static bool value_build(struct build *b, const struct family_param *row,
                        uint32_t i)
{
    int length = build_arg(b, "Length");
    int written = build_arg(b, "ResultLength");
    struct capture_op op;

    (void)row;
    if (length < 0 || !b->at_return) {
        return length >= 0;
    }
    op = build_op_arg(build_at_arg((int)i, CAPTURE_FILLED), length, 1);
    if (written >= 0) {
        op.limit.unit = CAPTURE_POINTEE32;
        op.limit.from = (uint8_t)written;
        op.limit.scale = 1;
    }
    op.most = VALUE_NAME_BYTES + 2 * b->bytes_most + 64;
    (void)build_op(b, op);
    return true;
}

static bool data_tell(const struct tell *t, const struct family_param *row,
                      uint32_t i, uint64_t address)
{
    uint64_t type;
    uint64_t said;

    (void)row;
    (void)i;
    if (!tell_arg(t, "Type", &type) || !tell_arg(t, "DataSize", &said) ||
        !tell_there(t, address)) {
        return false;
    }
    said &= UINT32_MAX;
    registry_data(t, (uint32_t)type, address, said, said);
    return true;
}

static bool data_build(struct build *b, const struct family_param *row,
                       uint32_t i)
{
    int size = build_arg(b, "DataSize");
    struct capture_op op;

    (void)row;
    if (size < 0 || b->at_return) {
        return size >= 0;
    }
    op = build_op_arg(build_at_arg((int)i, CAPTURE_ALWAYS), size, 1);
    op.most = 2 * b->bytes_most + 16;
    (void)build_op(b, op);
    return true;
}

/* --- Rows ------------------------------------------------------------- */

static const struct family_type types[] = {
    TYPE_ENDS(KEY_BASIC_INFORMATION, NAME, Name, "NameLength"),
    TYPE_ENDS(KEY_FULL_INFORMATION, NAME, Class, "ClassLength"),
    TYPE_ENDS(KEY_NAME_INFORMATION, NAME, Name, "NameLength"),
    TYPE_ENDS(KEY_NODE_INFORMATION, NAME, Name, "NameLength"),
    TYPE_TOLD(KEY_VALUE_BASIC_INFORMATION, value_basic_tell),
    TYPE_TOLD(KEY_VALUE_FULL_INFORMATION, value_full_tell),
    TYPE_TOLD(KEY_VALUE_PARTIAL_INFORMATION, value_partial_tell),
};

static const struct family_param params[] = {
    PARAM_OF(REGISTRY, "KeyValueInformation", .tell = value_tell,
             .build = value_build),
    PARAM_OF(REGISTRY, "ValueEntries", .tell = entries_tell,
             .build = entries_build),
    PARAM_OF_CALL("NtSetValueKey", "Data", .tell = data_tell,
                  .build = data_build),
};

const struct family family_registry = {
    .name = "registry",
    .types = types,
    .type_count = COUNT_OF(types),
    .params = params,
    .param_count = COUNT_OF(params),
};
