/* SPDX-License-Identifier: MIT */
/*
 * special_io.c - control codes by name or by their parts, and what is in
 * their buffers; extended attributes, reparse points.
 *
 * The buffers of a code that is in no table are bytes.
 */
#include "decode/special.h"

#include <string.h>

#include "base/banned.h"

/* Of the buffers: enough for each structure that is told, a path included. */
#define INPUT_BYTES 512u
#define OUTPUT_BYTES 4096u

/* --- Codes ------------------------------------------------------------ */

static const char *name_of(const char *set, uint64_t value)
{
    const struct name_set *names = fields_names(str_of(set));

    return names ? names_value(names, value) : NULL;
}

static void add_name(struct buf *b, const char *set, uint64_t value)
{
    const char *name = name_of(set, value);

    if (name) {
        buf_add(b, str_of(name));
    } else {
        buf_add_hex(b, value);
    }
}

/* A code without a name: what its parts say. */
static void tell_parts(const struct tell *t, uint32_t code)
{
    char room[160];
    struct buf words = BUF_OVER(room);
    uint32_t access = code >> 14 & 3;

    special_hex(t, code);
    add_name(&words, "FILE_DEVICE_TYPE", code >> 16);
    buf_add(&words, STR(", function "));
    buf_add_hex(&words, code >> 2 & 0xfff);
    buf_add(&words, STR(", "));
    add_name(&words, "IOCTL_METHOD", code & 3);
    buf_add(&words, STR(", "));
    if (access == 3) {
        buf_add(&words, STR("FILE_READ_ACCESS|FILE_WRITE_ACCESS"));
    } else {
        add_name(&words, "IOCTL_ACCESS", access);
    }
    t->sink->ops->comment(t->sink, buf_str(&words));
}

bool special_io_code(const struct tell *t, const struct call_facts *call,
                     uint32_t i, uint64_t value)
{
    bool file_system = special_arg_is(call, i, "FsControlCode");
    const struct ioctl_row *row;
    const char *name;

    if (t->options->raw ||
        (!file_system && !special_arg_is(call, i, "IoControlCode"))) {
        return false;
    }
    value &= UINT32_MAX;
    row = ioctl_find((uint32_t)value, t->options->wine);
    name = row && row->name ? row->name
                            : name_of(file_system ? "FSCTL" : "IOCTL", value);
    if (!name) {
        name = name_of(file_system ? "IOCTL" : "FSCTL", value);
    }
    if (name) {
        const struct sink_constant c = {
            .raw = value,
            .names = &name,
            .count = 1,
        };

        t->sink->ops->constant(t->sink, &c);
    } else {
        tell_parts(t, (uint32_t)value);
    }
    return true;
}

/* --- Structures of file systems --------------------------------------- */

#define TAG_MOUNT_POINT 0xa0000003u
#define TAG_SYMLINK 0xa000000cu

/* A path of the reparse point: offset and length at `at`, counted from
 * `base`. */
static void tell_path(const struct tell *t, const char *name, uint64_t at,
                      uint64_t base, uint64_t room)
{
    uint16_t offset;
    uint16_t length;

    special_open(t, name);
    if (!memory_u16(t->memory, at, &offset) ||
        !memory_u16(t->memory, at + 2, &length)) {
        t->sink->ops->unknown(t->sink);
    } else if (offset > room) {
        special_hex(t, offset);
    } else {
        special_name(t, base + offset, length, room - offset);
    }
}

bool special_reparse_tell(const struct tell *t, uint64_t address, uint64_t said)
{
    uint32_t tag;
    uint16_t length;
    uint32_t flags;
    uint64_t data = address + nt_size(NT_REPARSE_DATA_BUFFER, t->width);
    uint32_t head;

    if (said < data - address ||
        !tell_read32(t, address, NT_REPARSE_DATA_BUFFER_ReparseTag, &tag) ||
        !tell_read16(t, address, NT_REPARSE_DATA_BUFFER_ReparseDataLength,
                     &length)) {
        return false;
    }
    said -= data - address;
    if (length < said) {
        said = length;
    }
    t->sink->ops->begin(t->sink, GROUP_STRUCT);
    special_open(t, "ReparseTag");
    special_named(t, tag, "REPARSE_TAG");
    head = tag == TAG_SYMLINK ? 12 : 8;
    if ((tag == TAG_SYMLINK || tag == TAG_MOUNT_POINT) && said >= head) {
        tell_path(t, "SubstituteName", data, data + head, said - head);
        tell_path(t, "PrintName", data + 4, data + head, said - head);
        if (tag == TAG_SYMLINK && memory_u32(t->memory, data + 8, &flags)) {
            special_open(t, "Flags");
            special_hex(t, flags);
        }
    } else {
        special_open(t, "Data");
        special_data(t, data, length, said);
    }
    t->sink->ops->end(t->sink, GROUP_STRUCT);
    return true;
}

/* One of a list; the socket that NtCreateFile is to open is one, too. */
bool special_ea_tell(const struct tell *t, uint64_t address, uint64_t said)
{
    static const char afd[] = "AfdOpenPacketXX";
    uint32_t head = nt_offset(NT_FILE_FULL_EA_INFORMATION_EaName, t->width);
    uint16_t flags;
    uint16_t length;
    uint16_t size;
    char name[sizeof(afd)];
    uint64_t value;
    uint64_t room;

    if (said < head ||
        !tell_read16(t, address, NT_FILE_FULL_EA_INFORMATION_Flags, &flags) ||
        !tell_read16(t, address, NT_FILE_FULL_EA_INFORMATION_EaNameLength,
                     &length) ||
        !tell_read16(t, address, NT_FILE_FULL_EA_INFORMATION_EaValueLength,
                     &size)) {
        return false;
    }
    room = said - head;
    t->sink->ops->begin(t->sink, GROUP_STRUCT);
    if (flags) {
        special_open(t, "Flags");
        special_hex(t, flags);
    }
    special_open(t, "EaName");
    special_chars(t, address + head, length, room);
    special_open(t, "EaValue");
    value = address + head + length + 1u;
    if (room <= length) {
        t->sink->ops->unknown(t->sink);
    } else {
        room -= length + 1u;
        if (length == sizeof(afd) - 1 && size >= 24 && room >= 24 &&
            memory_read(t->memory, address + head, name, length) == length &&
            memcmp(name, afd, length) == 0 && special_there(t, value)) {
            special_struct(t, ioctl_struct(STR("AFD_OPEN_PACKET")), NULL, value,
                           room);
        } else {
            special_data(t, value, size, room);
        }
    }
    t->sink->ops->end(t->sink, GROUP_STRUCT);
    return true;
}

/* --- Calls ------------------------------------------------------------ */

static bool code_of(const struct tell *t, uint32_t *code)
{
    uint64_t value;

    if (!tell_arg(t, "IoControlCode", &value) &&
        !tell_arg(t, "FsControlCode", &value)) {
        return false;
    }
    *code = (uint32_t)value;
    return true;
}

bool special_io_tell(const struct tell *t, const struct call_facts *call,
                     uint32_t i, uint64_t address)
{
    bool output = special_arg_is(call, i, "OutputBuffer");
    const struct ioctl_row *row;
    const char *type;
    uint64_t said;
    uint32_t code;

    if ((!output && !special_arg_is(call, i, "InputBuffer")) ||
        !code_of(t, &code) || !special_there(t, address)) {
        return false;
    }
    row = ioctl_find(code, t->options->wine);
    type = row ? (output ? row->output : row->input) : NULL;
    said = output ? special_said(t, "OutputBufferLength", NULL)
                  : special_said(t, "InputBufferLength", "");
    if (said == 0 || said == SPECIAL_ANY) {
        return false;
    }
    if (type && (special_socket_tell(t, type, address, said, output) ||
                 special_buffer(t, type, address, said))) {
        return true;
    }
    tell_data(t, address, said);
    return true;
}

/* Wherever bytes are copied for handles' names alone, a socket's address. */
#define NAME_BYTES 128u

static void build_output(struct build *b, int output, int input, int code,
                         int status)
{
    int length = build_arg(b, "OutputBufferLength");
    uint32_t most = b->bytes_most > OUTPUT_BYTES ? b->bytes_most : OUTPUT_BYTES;
    struct capture_op op;
    int block;

    block = build_op(b, special_op(special_at_arg(status, CAPTURE_FILLED),
                                   build_size(b, NT_IO_STATUS_BLOCK)));
    if (block == BUILD_FULL || length < 0) {
        return;
    }
    op = special_op_arg(special_at_arg(output, CAPTURE_FILLED), length, 1);
    op.limit.unit = CAPTURE_FIELD64;
    op.limit.from = (uint8_t)(CAPTURE_PIECE + block);
    op.limit.offset = build_offset(b, NT_IO_STATUS_BLOCK_Information);
    op.limit.scale = 1;
    op.most = b->options->names_only ? NAME_BYTES : most;
    (void)build_op(b, op);
    if (!b->options->names_only &&
        special_arg_is(b->call, (uint32_t)code, "IoControlCode")) {
        special_socket_build_return(b, input, code, block);
    }
}

static void build_input(struct build *b, int input, int code)
{
    int length = build_arg(b, "InputBufferLength");
    uint32_t most = b->bytes_most > INPUT_BYTES ? b->bytes_most : INPUT_BYTES;
    struct capture_op op;
    int piece;

    if (length < 0) {
        return;
    }
    op = special_op_arg(special_at_arg(input, CAPTURE_ALWAYS), length, 1);
    op.most = b->options->names_only ? NAME_BYTES : most;
    piece = build_op(b, op);
    if (piece != BUILD_FULL && !b->options->names_only &&
        special_arg_is(b->call, (uint32_t)code, "IoControlCode")) {
        special_socket_build(b, piece, code);
    }
}

bool special_io_build(struct build *b, uint32_t i)
{
    int input = build_arg(b, "InputBuffer");
    int output = build_arg(b, "OutputBuffer");
    int status = build_arg(b, "IoStatusBlock");
    int code = build_arg(b, "IoControlCode");

    if (code < 0) {
        code = build_arg(b, "FsControlCode");
    }
    if (input < 0 || output < 0 || status < 0 || code < 0) {
        return false;
    }
    if ((int)i == output && b->at_return) {
        build_output(b, output, input, code, status);
        return true;
    }
    if ((int)i == input && !b->at_return) {
        build_input(b, input, code);
        return true;
    }
    return false;
}
