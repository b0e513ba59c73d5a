/* SPDX-License-Identifier: MIT */
/*
 * build.c - operations of a capture program, and what hangs off a type.
 */
#include "decode/build.h"

#include "base/compiler.h"
#include "decode/shape.h"
#include "decode/tell.h"
#include "tables/handles.h"
#include "tables/ioctls.h"

#include <string.h>

#include "base/banned.h"

/* A UNICODE_STRING holds no more. */
#define NAME_MOST 65534u
/* A name behind a structure: 0x8000 units. */
#define NAME_BYTES 0x10000u
#define NEST_MAX 4

#define CONTEXT_RSP 0x98
#define CONTEXT_BYTES 0x68 /* Rsp .. Rip */
#define CONTEXT_ALL 0x4d0

uint16_t build_offset(const struct build *b, enum nt_field field)
{
    return (uint16_t)nt_offset(field, b->width);
}

uint32_t build_size(const struct build *b, enum nt_field field)
{
    return nt_size(field, b->width);
}

int build_op(struct build *b, struct capture_op op)
{
    struct capture_program *p = b->program;
    uint32_t index = (uint32_t)p->entry_count + p->return_count;

    if (index >= CAPTURE_OPS_MAX) {
        return BUILD_FULL;
    }
    if (op.most == 0 || op.most > CAPTURE_BYTES_MAX) {
        op.most = CAPTURE_BYTES_MAX;
    }
    if (b->by_class && op.test == CAPTURE_UNTESTED) {
        op.test = CAPTURE_IF_ARG;
        op.test_from = b->by;
        op.test_value = b->value;
    }
    p->ops[index] = op;
    if (b->at_return) {
        return p->return_count++;
    }
    return p->entry_count++;
}

int build_arg(const struct build *b, const char *name)
{
    return name ? call_parameter(b->call, name) : -1;
}

/* --- Operations ------------------------------------------------------- */

struct build_at build_at_arg(int arg, enum capture_when when)
{
    return (struct build_at){ .base = (uint8_t)arg, .when = (uint8_t)when };
}

struct build_at build_at_piece(int piece, uint16_t offset,
                               enum capture_when when)
{
    return (struct build_at){ .base = (uint8_t)(CAPTURE_PIECE + piece),
                              .offset = offset,
                              .when = (uint8_t)when };
}

static struct capture_op op_at(struct build_at at)
{
    return (struct capture_op){
        .when = at.when,
        .base = at.base,
        .offset = at.offset,
    };
}

struct capture_op build_op_bytes(struct build_at at, uint32_t size)
{
    struct capture_op op = op_at(at);

    op.size.unit = CAPTURE_ONE;
    op.size.scale = size;
    return op;
}

struct capture_op build_op_arg(struct build_at at, int from, uint32_t scale)
{
    struct capture_op op = op_at(at);

    op.size.unit = CAPTURE_VALUE;
    op.size.from = (uint8_t)from;
    op.size.scale = scale;
    return op;
}

struct capture_op build_op_field(struct build_at at, enum capture_unit unit,
                                 int piece, uint16_t offset, uint32_t scale)
{
    struct capture_op op = op_at(at);

    op.size.unit = (uint8_t)unit;
    op.size.from = (uint8_t)(CAPTURE_PIECE + piece);
    op.size.offset = offset;
    op.size.scale = scale;
    return op;
}

/* --- What hangs off a type -------------------------------------------- */

int build_bytes(struct build *b, struct build_at at, uint32_t bytes)
{
    return build_op(b, build_op_bytes(at, bytes));
}

/* The pointer at `offset` of what `piece` is. */
static struct build_at in_piece(int piece, uint32_t offset, uint8_t when)
{
    return (struct build_at){ .base = (uint8_t)(CAPTURE_PIECE + piece),
                              .offset = (uint16_t)offset,
                              .when = when };
}

/* The text of a string structure at `offset` of a piece. */
static void build_counted(struct build *b, int piece, uint32_t offset,
                          uint8_t when)
{
    struct capture_op op = op_at(in_piece(
        piece, offset + build_offset(b, NT_UNICODE_STRING_Buffer), when));

    op.size = (struct capture_size){ .unit = CAPTURE_FIELD16,
                                     .from = (uint8_t)(CAPTURE_PIECE + piece),
                                     .offset = (uint16_t)offset,
                                     .scale = 1 };
    op.most = NAME_MOST;
    build_op(b, op);
}

int build_zero_ended(struct build *b, struct build_at at)
{
    struct capture_op op = op_at(at);

    op.size = (struct capture_size){ .unit = CAPTURE_ZERO_ENDED, .scale = 2 };
    op.most = NAME_MOST;
    return build_op(b, op);
}

static enum capture_unit unit_of(uint32_t size)
{
    return size == 2   ? CAPTURE_FIELD16
           : size == 8 ? CAPTURE_FIELD64
                       : CAPTURE_FIELD32;
}

static int build_tail(struct build *b, const struct family_type *type,
                      const struct struct_row *row, struct build_at at)
{
    const struct struct_field *last = field_of(row, type->last);
    const struct struct_field *length = field_of(row, type->length);
    bool by_arg = at.base < CAPTURE_PIECE;
    struct capture_op op;
    int piece;
    int tail;

    /* Behind a pointer in a piece the tail cannot be told apart from the
     * head: a little of both. */
    op = build_op_bytes(at, last && !by_arg ? row->size + 256u : row->size);
    piece = build_op(b, op);
    if (piece == BUILD_FULL || !last || !length || !by_arg ||
        length->size == 1) {
        return piece;
    }
    op = build_op_field(at, unit_of(length->size), piece,
                        (uint16_t)length->offset,
                        type->tail == TAIL_ARRAY ? last->size : 1);
    op.offset = (uint16_t)last->offset;
    op.most =
        type->tail == TAIL_NAME ? NAME_BYTES
        : type->tail == TAIL_ARRAY
            ? last->size * (b->options->verbose ? 256u : TELL_ELEMENTS + 1)
            : b->bytes_most;
    tail = build_op(b, op);
    if (tail != BUILD_FULL && type->tail == TAIL_ARRAY && !b->at_return) {
        str element;
        str rest;

        (void)str_cut(str_of(last->type), '[', &element, &rest);
        if (struct_find(element)) {
            build_elements(b, struct_find(element), tail, 0, at.when);
        }
    }
    return piece;
}

/* False: its fields are all there is to it. */
static bool build_family_type(struct build *b, const struct family_type *type,
                              struct build_at at, int *piece)
{
    const struct struct_row *row =
        ioctl_struct(type->layout ? str_of(type->layout) : type->name);

    if (type->build) {
        *piece = type->build(b, at);
        return true;
    }
    if (!type->last || !row) {
        return false;
    }
    *piece = build_tail(b, type, row, at);
    return true;
}

static bool build_special(struct build *b, str type, struct build_at at,
                          int *piece)
{
    const struct family_type *special = family_type_of(b->registry, type);

    return special && build_family_type(b, special, at, piece);
}

static int build_nested(struct build *b, str type, struct build_at at,
                        uint32_t depth);

static void build_fields(struct build *b, const struct struct_row *row,
                         int piece, uint32_t from, uint8_t when, uint32_t depth)
{
    for (uint32_t i = 0; depth < NEST_MAX && i < row->field_count; i++) {
        const struct struct_field *f = &row->fields[i];
        uint32_t offset = from + f->offset;
        const struct family_type *sized;
        struct ctype type;
        struct ctype to;

        if (!f->type || offset + 16 > CAPTURE_KEEP) {
            continue;
        }
        sized = family_pointed(b->registry, str_of(f->type));
        if (sized) {
            int unused;

            (void)build_family_type(b, sized, in_piece(piece, offset, when),
                                    &unused);
            continue;
        }
        ctype_of(str_of(f->type), &type);
        if (type.count > 0) {
            continue;
        }
        if (type.sort == SORT_UNICODE_STRING || type.sort == SORT_ANSI_STRING) {
            build_counted(b, piece, offset, when);
        } else if (type.sort == SORT_STRUCT && type.row) {
            build_fields(b, type.row, piece, offset, when, depth + 1);
        } else if (type.sort == SORT_POINTER && type.to.size > 0) {
            ctype_of(type.to, &to);
            if (to.sort == SORT_WCHAR) {
                build_zero_ended(b, in_piece(piece, offset, when));
            } else if (to.sort == SORT_UNICODE_STRING ||
                       to.sort == SORT_ANSI_STRING ||
                       to.sort == SORT_OBJECT_ATTRIBUTES ||
                       to.sort == SORT_GUID) {
                build_nested(b, type.to, in_piece(piece, offset, when),
                             depth + 1);
            }
        }
    }
}

/* The same for each element of an array; `from` is where in the first one the
 * structure is. */
static void build_each(struct build *b, const struct struct_row *row, int piece,
                       uint32_t from, uint32_t step, uint8_t when)
{
    for (uint32_t i = 0; i < row->field_count; i++) {
        const struct struct_field *f = &row->fields[i];
        struct capture_op op = op_at(in_piece(piece, from + f->offset, when));
        const struct family_type *sized;
        struct ctype type;
        struct ctype to = { .to = STR("") };

        if (!f->type || from + f->offset + 16 > CAPTURE_KEEP) {
            continue;
        }
        ctype_of(str_of(f->type), &type);
        if (type.sort == SORT_POINTER) {
            ctype_of(type.to, &to);
        }
        op.test = CAPTURE_EACH;
        op.test_value = step;
        sized = family_pointed(b->registry, str_of(f->type));
        if (sized && sized->most > 0) {
            op.size = (struct capture_size){ .unit = CAPTURE_ONE,
                                             .scale = sized->most };
        } else if (to.sort == SORT_WCHAR) {
            op.size =
                (struct capture_size){ .unit = CAPTURE_ZERO_ENDED, .scale = 2 };
            op.most = NAME_MOST;
        } else if (to.sort == SORT_GUID) {
            op.size =
                (struct capture_size){ .unit = CAPTURE_ONE, .scale = to.size };
        } else if (type.sort == SORT_STRUCT && type.row && type.count == 0) {
            build_each(b, type.row, piece, from + f->offset, step, when);
            continue;
        } else {
            continue;
        }
        build_op(b, op);
    }
}

void build_elements(struct build *b, const struct struct_row *row, int piece,
                    uint32_t offset, uint8_t when)
{
    if (b->options->names_only || row->size < 8) {
        return;
    }
    build_each(b, row, piece, offset, row->size, when);
}

static void build_parts(struct build *b, const struct ctype *type, int piece,
                        uint8_t when, uint32_t depth)
{
    if (type->sort == SORT_UNICODE_STRING || type->sort == SORT_ANSI_STRING) {
        build_counted(b, piece, 0, when);
    } else if (type->sort == SORT_STRUCT && type->row) {
        build_fields(b, type->row, piece, 0, when, depth);
    }
}

void build_pointers(struct build *b, const struct ctype *type, int piece,
                    uint8_t when)
{
    build_parts(b, type, piece, when, 0);
}

void build_strings(struct build *b, int piece, uint8_t when)
{
    struct capture_op op =
        op_at(in_piece(piece, build_offset(b, NT_UNICODE_STRING_Buffer), when));

    op.test = CAPTURE_EACH;
    op.test_value = build_size(b, NT_UNICODE_STRING);
    op.size = (struct capture_size){ .unit = CAPTURE_FIELD16,
                                     .from = (uint8_t)(CAPTURE_PIECE + piece),
                                     .scale = 1 };
    op.most = NAME_MOST;
    build_op(b, op);
}

static int build_attributes(struct build *b, struct build_at at, uint32_t depth)
{
    int piece = build_bytes(b, at, build_size(b, NT_OBJECT_ATTRIBUTES));
    uint32_t name = build_offset(b, NT_OBJECT_ATTRIBUTES_ObjectName);

    if (piece == BUILD_FULL) {
        return BUILD_FULL;
    }
    build_nested(b, STR("UNICODE_STRING"), in_piece(piece, name, at.when),
                 depth + 1);
    if (!b->options->names_only) {
        uint32_t security =
            build_offset(b, NT_OBJECT_ATTRIBUTES_SecurityDescriptor);
        uint32_t quality =
            build_offset(b, NT_OBJECT_ATTRIBUTES_SecurityQualityOfService);
        int unused;

        build_special(b, STR("SECURITY_DESCRIPTOR"),
                      in_piece(piece, security, at.when), &unused);
        build_bytes(b, in_piece(piece, quality, at.when),
                    build_size(b, NT_SECURITY_QUALITY_OF_SERVICE));
    }
    return piece;
}

static int build_nested(struct build *b, str type, struct build_at at,
                        uint32_t depth)
{
    struct ctype c;
    int piece;

    if (depth >= NEST_MAX) {
        return BUILD_FULL;
    }
    if (build_special(b, type, at, &piece)) {
        return piece;
    }
    ctype_of(type, &c);
    if (c.sort == SORT_OBJECT_ATTRIBUTES) {
        return build_attributes(b, at, depth);
    }
    if (c.sort == SORT_WCHAR) {
        return build_zero_ended(b, at);
    }
    if (c.sort == SORT_CONTEXT) {
        struct capture_op op = op_at(at);

        /* Of a pointer in memory the start is not ours to move. */
        if (at.base >= CAPTURE_PIECE || b->options->verbose) {
            return build_bytes(b, at, CONTEXT_ALL);
        }
        op.offset = CONTEXT_RSP;
        op.size = (struct capture_size){ .unit = CAPTURE_ONE,
                                         .scale = CONTEXT_BYTES };
        return build_op(b, op);
    }
    if (c.size == 0 || c.count > 0) {
        return BUILD_FULL;
    }
    piece = build_bytes(b, at, c.size);
    if (piece == BUILD_FULL) {
        return BUILD_FULL;
    }
    build_parts(b, &c, piece, at.when, depth);
    return piece;
}

int build_type(struct build *b, str type, struct build_at at)
{
    return build_nested(b, type, at, 0);
}

/* --- Parameters ------------------------------------------------------- */

/* Of buffers whose type a row tells. */
#define BUFFER_BYTES 4096u

struct build_at build_at_param(const struct build *b, uint32_t i)
{
    return build_at_arg((int)i, b->at_return ? CAPTURE_FILLED : CAPTURE_ALWAYS);
}

bool build_param(struct build *b, const struct family_param *row, uint32_t i)
{
    int length = build_arg(b, row->length);
    int status = build_arg(b, "IoStatusBlock");
    struct capture_op op;
    int block;

    if (length < 0) {
        return false;
    }
    op = build_op_arg(build_at_param(b, i), length, 1);
    op.most = BUFFER_BYTES;
    if (b->at_return && !row->written && status >= 0) {
        block = build_op(
            b, build_op_bytes(build_at_arg(status, CAPTURE_FILLED), 16));
        if (block != BUILD_FULL) {
            op.limit.unit = CAPTURE_FIELD64;
            op.limit.from = (uint8_t)(CAPTURE_PIECE + block);
            op.limit.offset = 8;
            op.limit.scale = 1;
        }
    }
    (void)build_op(b, op);
    return true;
}
