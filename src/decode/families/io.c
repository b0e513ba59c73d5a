/* SPDX-License-Identifier: MIT */
/*
 * io.c - control codes by name or by their parts, and what is in
 * their buffers; reparse points.
 *
 * The buffers of a code that is in no table are bytes.
 */
#include "decode/build.h"
#include "decode/families/families.h"
#include "decode/families/socket.h"
#include "decode/walk.h"
#include "tables/fields.h"
#include "tables/ioctls.h"

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

    tell_hex(t, code);
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

/* FSCTLs and IOCTLs are told apart by nothing in the number. */
static bool tell_code_of(const struct tell *t, bool file_system, uint64_t value)
{
    const struct ioctl_row *row;
    const char *name;

    if (t->options->raw) {
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

static bool fs_code_value(const struct tell *t, const struct family_param *row,
                          uint32_t i, uint64_t value)
{
    (void)row;
    (void)i;
    return tell_code_of(t, true, value);
}

static bool io_code_value(const struct tell *t, const struct family_param *row,
                          uint32_t i, uint64_t value)
{
    (void)row;
    (void)i;
    return tell_code_of(t, false, value);
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

    tell_open(t, name);
    if (!memory_u16(t->memory, at, &offset) ||
        !memory_u16(t->memory, at + 2, &length)) {
        t->sink->ops->unknown(t->sink);
    } else if (offset > room) {
        tell_hex(t, offset);
    } else {
        tell_name_in(t, base + offset, length, room - offset);
    }
}

static bool reparse_tell(const struct tell *t, uint64_t address, uint64_t said)
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
    tell_open(t, "ReparseTag");
    tell_by_set(t, tag, "REPARSE_TAG");
    head = tag == TAG_SYMLINK ? 12 : 8;
    if ((tag == TAG_SYMLINK || tag == TAG_MOUNT_POINT) && said >= head) {
        tell_path(t, "SubstituteName", data, data + head, said - head);
        tell_path(t, "PrintName", data + 4, data + head, said - head);
        if (tag == TAG_SYMLINK && memory_u32(t->memory, data + 8, &flags)) {
            tell_open(t, "Flags");
            tell_hex(t, flags);
        }
    } else {
        tell_open(t, "Data");
        tell_data_in(t, data, length, said);
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

static bool tell_transfer(const struct tell *t, bool output, uint64_t address)
{
    const struct ioctl_row *row;
    const char *type;
    uint64_t said;
    uint32_t code;

    if (!code_of(t, &code) || !tell_there(t, address)) {
        return false;
    }
    row = ioctl_find(code, t->options->wine);
    type = row ? (output ? row->output : row->input) : NULL;
    said = output ? tell_said(t, "OutputBufferLength", NULL)
                  : tell_said(t, "InputBufferLength", "");
    if (said == 0 || said == TELL_ANY) {
        return false;
    }
    if (type && (socket_tell(t, type, address, said, output) ||
                 walk_buffer(t, type, address, said))) {
        return true;
    }
    tell_data(t, address, said);
    return true;
}

static bool input_tell(const struct tell *t, const struct family_param *row,
                       uint32_t i, uint64_t address)
{
    (void)row;
    (void)i;
    return tell_transfer(t, false, address);
}

static bool output_tell(const struct tell *t, const struct family_param *row,
                        uint32_t i, uint64_t address)
{
    (void)row;
    (void)i;
    return tell_transfer(t, true, address);
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

    block = build_op(b, build_op_bytes(build_at_arg(status, CAPTURE_FILLED),
                                       build_size(b, NT_IO_STATUS_BLOCK)));
    if (block == BUILD_FULL || length < 0) {
        return;
    }
    op = build_op_arg(build_at_arg(output, CAPTURE_FILLED), length, 1);
    op.limit.unit = CAPTURE_FIELD64;
    op.limit.from = (uint8_t)(CAPTURE_PIECE + block);
    op.limit.offset = build_offset(b, NT_IO_STATUS_BLOCK_Information);
    op.limit.scale = 1;
    op.most = b->options->names_only ? NAME_BYTES : most;
    (void)build_op(b, op);
    if (!b->options->names_only && build_arg(b, "IoControlCode") == code) {
        socket_build_return(b, input, code, block);
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
    op = build_op_arg(build_at_arg(input, CAPTURE_ALWAYS), length, 1);
    op.most = b->options->names_only ? NAME_BYTES : most;
    piece = build_op(b, op);
    if (piece != BUILD_FULL && !b->options->names_only &&
        build_arg(b, "IoControlCode") == code) {
        socket_build(b, piece, code);
    }
}

/* The parameters that each call with a control code has; false: it lacks
 * one. */
struct transfer {
    int input;
    int output;
    int status;
    int code;
};

static bool find_transfer(const struct build *b, struct transfer *out)
{
    out->input = build_arg(b, "InputBuffer");
    out->output = build_arg(b, "OutputBuffer");
    out->status = build_arg(b, "IoStatusBlock");
    out->code = build_arg(b, "IoControlCode");
    if (out->code < 0) {
        out->code = build_arg(b, "FsControlCode");
    }
    return out->input >= 0 && out->output >= 0 && out->status >= 0 &&
           out->code >= 0;
}

static bool output_build(struct build *b, const struct family_param *row,
                         uint32_t i)
{
    struct transfer x;

    (void)row;
    (void)i;
    if (!b->at_return || !find_transfer(b, &x)) {
        return false;
    }
    build_output(b, x.output, x.input, x.code, x.status);
    return true;
}

static bool input_build(struct build *b, const struct family_param *row,
                        uint32_t i)
{
    struct transfer x;

    (void)row;
    (void)i;
    if (b->at_return || !find_transfer(b, &x)) {
        return false;
    }
    build_input(b, x.input, x.code);
    return true;
}

/* --- Rows ------------------------------------------------------------- */

static const struct family_type types[] = {
    TYPE_BRIEF(FILE_OBJECTID_BUFFER, "ObjectId"),
    TYPE_ENDS(FILE_PIPE_PEEK_BUFFER, REST, Data, NULL),
    TYPE_ENDS(FILE_PIPE_WAIT_FOR_BUFFER, NAME, Name, "NameLength"),
    TYPE_ENDS(MOUNTDEV_NAME, NAME, Name, "NameLength"),
    TYPE_TOLD(REPARSE_DATA_BUFFER, reparse_tell),
    { .name = STR_INIT("STORAGE_PROPERTY_QUERY"),
      .tail = TAIL_REST,
      .last = "AdditionalParameters",
      .brief = "PropertyId QueryType" },
};

/* A socket gets its name by how it is bound and connected. */
static const struct family_param params[] = {
    PARAM_OF(IO, "FsControlCode", .value = fs_code_value),
    PARAM_OF(IO, "InputBuffer", .for_names = true, .tell = input_tell,
             .build = input_build),
    PARAM_OF(IO, "IoControlCode", .value = io_code_value),
    PARAM_OF(IO, "OutputBuffer", .for_names = true, .tell = output_tell,
             .build = output_build),
};

const struct family family_io = {
    .name = "io",
    .types = types,
    .type_count = COUNT_OF(types),
    .params = params,
    .param_count = COUNT_OF(params),
};
