/* SPDX-License-Identifier: MIT */
/*
 * capture.c - which of the memory behind a call's arguments is copied.
 *
 * Inputs are copied at the entry, outputs at the return, when the call has
 * filled them, and what is both at both. What the sizes of calls.h do not say
 * in the form that the agent understands (products, sums) is not copied, and
 * nothing is read through a pointer whose size no row tells.
 *
 * Writes to nothing but the program that is lent. A program that is full
 * leaves out what comes last.
 */
#include "decode/capture.h"

#include "base/compiler.h"
#include "decode/build.h"
#include "decode/shape.h"
#include "decode/tell.h"
#include "tables/handles.h"
#include "tables/types.h"

#include <string.h>

#include "base/banned.h"

/* Buffers that an information class types are copied whole, up to this. */
#define INFO_MOST 4096u
#define INFO_MOST_VERBOSE (64u << 10)
/* A UNICODE_STRING holds no more. */
#define NAME_MOST 65534u
#define HANDLES_MOST (64u * 8)
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
    for (int i = 0; i < b->call->arg_count; i++) {
        if (str_eq(str_of(b->call->args[i].name), str_of(name))) {
            return i;
        }
    }
    return -1;
}

/* --- What hangs off a type -------------------------------------------- */

static struct capture_op op_at(struct build_at at)
{
    return (struct capture_op){ .when = at.when,
                                .base = at.base,
                                .offset = at.offset };
}

static int build_bytes(struct build *b, struct build_at at, uint32_t bytes)
{
    struct capture_op op = op_at(at);

    op.size = (struct capture_size){ .unit = CAPTURE_ONE, .scale = bytes };
    return build_op(b, op);
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

static int build_zero_ended(struct build *b, struct build_at at)
{
    struct capture_op op = op_at(at);

    op.size = (struct capture_size){ .unit = CAPTURE_ZERO_ENDED, .scale = 2 };
    op.most = NAME_MOST;
    return build_op(b, op);
}

static int build_nested(struct build *b, str type, struct build_at at,
                        uint32_t depth);

/* The structure that a pointer of this name leads to, if that is one of those
 * whose size nothing but itself tells; "". */
static str pointed(str type)
{
    static const struct {
        str name;
        str to;
    } rows[] = {
        { STR_INIT("PACL"), STR_INIT("ACL") },
        { STR_INIT("PSECURITY_DESCRIPTOR"), STR_INIT("SECURITY_DESCRIPTOR") },
        { STR_INIT("PSID"), STR_INIT("SID") },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (str_eq(type, rows[i].name)) {
            return rows[i].to;
        }
    }
    return STR("");
}

static void build_fields(struct build *b, const struct struct_row *row,
                         int piece, uint32_t from, uint8_t when, uint32_t depth)
{
    for (uint32_t i = 0; depth < NEST_MAX && i < row->field_count; i++) {
        const struct struct_field *f = &row->fields[i];
        uint32_t offset = from + f->offset;
        struct ctype type;
        struct ctype to;

        if (!f->type || offset + 16 > CAPTURE_KEEP) {
            continue;
        }
        if (pointed(str_of(f->type)).size > 0) {
            int unused;

            special_build_type(b, pointed(str_of(f->type)),
                               in_piece(piece, offset, when), &unused);
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
        if (str_eq(pointed(str_of(f->type)), STR("SID"))) {
            op.size = special_sid_size();
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

/* Texts of an array of string structures. */
static void build_strings(struct build *b, int piece, uint8_t when)
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

        special_build_type(b, STR("SECURITY_DESCRIPTOR"),
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
    if (special_build_type(b, type, at, &piece)) {
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
    if (c.sort == SORT_UNICODE_STRING || c.sort == SORT_ANSI_STRING) {
        build_counted(b, piece, 0, at.when);
    } else if (c.sort == SORT_STRUCT && c.row) {
        build_fields(b, c.row, piece, 0, at.when, depth);
    }
    return piece;
}

int build_type(struct build *b, str type, struct build_at at)
{
    return build_nested(b, type, at, 0);
}

/* --- Arguments -------------------------------------------------------- */

struct compiling {
    struct build b;
    struct shape shape;
};

/* False: there is no such unit. */
static bool unit_of(const struct compiling *c, const struct shape_size *term,
                    uint32_t scale, struct capture_size *out)
{
    *out = (struct capture_size){ .from = term->arg, .scale = scale };
    switch ((enum size_kind)term->kind) {
    case SIZE_NUMBER:
        if (term->number > CAPTURE_BYTES_MAX / scale) {
            return false;
        }
        out->unit = CAPTURE_ONE;
        out->scale = term->number * scale;
        return out->scale > 0;
    case SIZE_VALUE:
        out->unit = term->width == 8 ? CAPTURE_VALUE64 : CAPTURE_VALUE;
        return true;
    case SIZE_POINTEE:
        out->unit = term->width == 8 ? CAPTURE_POINTEE64 : CAPTURE_POINTEE32;
        return true;
    case SIZE_RESULT:
        out->unit = CAPTURE_RESULT;
        return c->b.at_return;
    case SIZE_NONE:
    case SIZE_INFORMATION:
    case SIZE_MESSAGE:
        break;
    }
    return false;
}

/* The most that is copied of a buffer. */
static uint32_t most_of(const struct compiling *c, const struct shape_arg *arg)
{
    const struct capture_options *o = c->b.options;
    uint32_t shown = c->b.bytes_most;
    uint32_t elements =
        o->verbose ? INFO_MOST_VERBOSE : TELL_ELEMENTS * arg->to_size;

    if (arg->class_arg != SHAPE_NO_ARG) {
        uint32_t info = o->verbose ? INFO_MOST_VERBOSE : INFO_MOST;

        return shown > info ? shown : info;
    }
    if (arg->to_sort == SORT_WCHAR) {
        return shown > CAPTURE_BYTES_MAX / 2 ? CAPTURE_BYTES_MAX : 2 * shown;
    }
    if (arg->to.size == 0 || arg->to_size <= 1) {
        return shown;
    }
    if (arg->to_sort == SORT_HANDLE && elements < HANDLES_MOST) {
        return HANDLES_MOST;
    }
    if (!arg->elements) {
        uint32_t info = o->verbose ? INFO_MOST_VERBOSE : INFO_MOST;

        return elements > info ? elements : info;
    }
    return elements > 0 ? elements : 1;
}

/* The piece of this half that is the IO_STATUS_BLOCK of argument `arg`. */
static int find_words(const struct build *b, uint32_t arg)
{
    const struct capture_program *p = b->program;
    uint32_t from = b->at_return ? p->entry_count : 0;
    uint32_t count = b->at_return ? p->return_count : p->entry_count;

    for (uint32_t i = 0; i < count; i++) {
        const struct capture_op *op = &p->ops[from + i];

        if (op->base == arg && op->offset == 0 && op->test == 0 &&
            op->size.unit == CAPTURE_ONE &&
            op->size.scale == build_size(b, NT_IO_STATUS_BLOCK)) {
            return (int)i;
        }
    }
    return BUILD_FULL;
}

/* What the pointers of each structure lead to that the buffer may hold. */
static void build_by_class(struct compiling *c, const struct shape_arg *arg,
                           int piece, uint8_t when)
{
    struct build *b = &c->b;

    for (size_t i = 0; i < info_count(); i++) {
        const struct info_row *info = info_at(i);
        struct ctype type;

        if (!info->type || !(info->use & INFO_SET) ||
            !str_eq(str_of(info->set), arg->class_set) ||
            !ctype_of(str_of(info->type), &type) || type.count > 0) {
            continue;
        }
        b->by_class = true;
        b->by = arg->class_arg;
        b->value = info->value;
        if (type.sort == SORT_STRUCT && type.row) {
            build_fields(b, type.row, piece, 0, when, 0);
        } else if (type.sort == SORT_UNICODE_STRING) {
            build_counted(b, piece, 0, when);
        }
        b->by_class = false;
    }
}

/* What hangs off a buffer that goes in. What comes out has it in itself. */
static void build_in_buffer(struct compiling *c, const struct shape_arg *arg,
                            int piece, uint8_t when)
{
    if (piece == BUILD_FULL || c->b.at_return || c->b.options->names_only) {
        return;
    }
    if (arg->class_arg != SHAPE_NO_ARG) {
        build_by_class(c, arg, piece, when);
    } else if (arg->elements && arg->to_sort == SORT_UNICODE_STRING) {
        build_strings(&c->b, piece, when);
    } else if (arg->elements && arg->to_sort == SORT_STRUCT && arg->row) {
        build_elements(&c->b, arg->row, piece, 0, when);
    }
}

static void build_buffer(struct compiling *c, uint32_t i, uint8_t when)
{
    const struct shape_arg *arg = &c->shape.args[i];
    uint32_t scale = arg->elements ? arg->to_size : 1;
    struct capture_op op = { .base = (uint8_t)i, .when = when };

    if (arg->bytes.kind == SIZE_MESSAGE) {
        struct build_at at = { .base = (uint8_t)i, .when = when };

        build_bytes(&c->b, at, build_size(&c->b, NT_PORT_MESSAGE));
        return;
    }
    op.most = most_of(c, arg);
    if (op.most == 0 || !unit_of(c, &arg->bytes, scale, &op.size)) {
        return;
    }
    if (c->b.at_return && arg->limit.kind == SIZE_INFORMATION) {
        struct build_at at = { .base = arg->limit.arg, .when = when };
        int piece = find_words(&c->b, arg->limit.arg);

        if (piece == BUILD_FULL) {
            piece =
                build_bytes(&c->b, at, build_size(&c->b, NT_IO_STATUS_BLOCK));
        }
        if (piece != BUILD_FULL) {
            op.limit = (struct capture_size){
                .unit = CAPTURE_FIELD64,
                .from = (uint8_t)(CAPTURE_PIECE + piece),
                .offset = build_offset(&c->b, NT_IO_STATUS_BLOCK_Information),
                .scale = 1,
            };
        }
    } else if (c->b.at_return && arg->limit.kind != SIZE_NONE &&
               !unit_of(c, &arg->limit, scale, &op.limit)) {
        op.limit = (struct capture_size){ .unit = CAPTURE_NO_LIMIT };
    }
    build_in_buffer(c, arg, build_op(&c->b, op), when);
}

/* What names and paths of handles are made of; and arrays of handles, for a
 * call that works on one of those has its path. */
static bool is_for_names(const struct compiling *c, uint32_t i)
{
    const struct call_facts *call = c->b.call;
    const struct shape_arg *arg = &c->shape.args[i];
    const struct handle_rule *rules;
    size_t count;

    if (arg->to_sort == SORT_OBJECT_ATTRIBUTES ||
        arg->to_sort == SORT_CLIENT_ID ||
        (arg->to_sort == SORT_HANDLE && arg->out != arg->buffer)) {
        return true;
    }
    rules = handle_rules(str_of(call->name), &count);
    for (size_t k = 0; k < count; k++) {
        if ((rules[k].does == HANDLE_LEARNS &&
             (arg->class_arg != SHAPE_NO_ARG ||
              rules[k].naming == NAMING_COMPLETION ||
              rules[k].naming == NAMING_COMPLETIONS)) ||
            ((rules[k].naming == NAMING_STRING ||
              rules[k].does == HANDLE_HANDS) &&
             call_parameter(call, rules[k].from) == (int)i)) {
            return true;
        }
    }
    return false;
}

static void build_arg_at(struct compiling *c, uint32_t i)
{
    const struct shape_arg *arg = &c->shape.args[i];
    uint8_t when = !c->b.at_return ? CAPTURE_ALWAYS
                   : arg->length   ? CAPTURE_LENGTH
                                   : CAPTURE_FILLED;
    struct build_at at = { .base = (uint8_t)i, .when = when };

    c->b.bytes_most = c->b.options->string_max;
    if (c->shape.role != ROLE_PLAIN && c->shape.buffer == i &&
        c->b.options->dumps) {
        c->b.bytes_most = CAPTURE_BYTES_MAX;
    }
    if (special_build_pointee(&c->b, i)) {
        return;
    }
    if (c->b.options->names_only && !is_for_names(c, i)) {
        return;
    }
    if (arg->zero_ended) {
        build_zero_ended(&c->b, at);
    } else if (arg->buffer) {
        build_buffer(c, i, when);
    } else if (!arg->opaque && arg->to_size > 0) {
        struct ctype type;

        /* A structure that only the types know has a size, no more. */
        if (ctype_of(arg->to, &type) && arg->to_sort != SORT_WCHAR) {
            build_type(&c->b, arg->to, at);
        } else {
            uint32_t shown = c->b.bytes_most > 8 ? c->b.bytes_most : 8;

            build_bytes(&c->b, at, arg->to_size < shown ? arg->to_size : shown);
        }
    }
}

/* What the agent goes by: it may copy more than the decoder will show, never
 * less. */
static uint8_t result_of(const struct call_facts *call)
{
    switch (call_fills(call)) {
    case FILLS_STATUS:
        return CAPTURE_RESULT_STATUS;
    case FILLS_NONZERO:
    case FILLS_COUNT:
        return type_size(call->result) <= 4 ? CAPTURE_RESULT_BOOL
                                            : CAPTURE_RESULT_WORD;
    case FILLS_UNLESS_MINUS_ONE:
    case FILLS_IF_ZERO:
    case FILLS_ALWAYS:
        break;
    }
    return CAPTURE_RESULT_ANY;
}

/* --- Calls that may be pending ---------------------------------------- */

/* How the operation at `index` of the return half reaches its piece: the
 * argument that it hangs off. */
static uint8_t root_of(const struct capture_op *ops, uint32_t index)
{
    while (ops[index].base >= CAPTURE_PIECE) {
        index = ops[index].base - CAPTURE_PIECE;
    }
    return ops[index].base;
}

/* Another operation begins in the piece of `index`, or has its size from
 * there. */
static bool leads_on(const struct capture_op *ops, uint32_t count,
                     uint32_t index)
{
    uint8_t piece = (uint8_t)(CAPTURE_PIECE + index);

    for (uint32_t i = index + 1; i < count; i++) {
        if (ops[i].base == piece || ops[i].size.from == piece ||
            (ops[i].test == CAPTURE_IF_FIELD && ops[i].test_from == piece)) {
            return true;
        }
    }
    return false;
}

/* Where the piece is, and how large, is known when the call has returned, but
 * for what the IO_STATUS_BLOCK, argument `block`, says. */
static bool can_be_noted(const struct capture_op *ops,
                         const struct capture_op *op, uint32_t block)
{
    bool sized =
        op->size.unit == CAPTURE_ONE || op->size.unit == CAPTURE_VALUE ||
        op->size.unit == CAPTURE_VALUE64 ||
        (op->size.unit >= CAPTURE_FIELD16 && op->size.unit <= CAPTURE_FIELD64);
    bool limited = op->limit.unit == CAPTURE_NO_LIMIT ||
                   (op->limit.unit == CAPTURE_FIELD64 &&
                    op->limit.offset == 8 && op->limit.from >= CAPTURE_PIECE &&
                    ops[op->limit.from - CAPTURE_PIECE].base == block);

    return sized && limited && op->test != CAPTURE_EACH;
}

/* Outputs that a pending call will fill are noted; what inputs lead to, on the
 * way to them, has to be read while the inputs are there. What hangs off an
 * output is not there yet, and left out. */
static void note_outputs(struct compiling *c, uint32_t block)
{
    struct capture_program *p = c->b.program;
    struct capture_op *ops = &p->ops[p->entry_count];

    for (uint32_t i = 0; i < p->return_count; i++) {
        const struct shape_arg *root = &c->shape.args[root_of(ops, i)];

        if (ops[i].when != CAPTURE_FILLED || root_of(ops, i) == block) {
            continue;
        }
        if (!root->out && leads_on(ops, p->return_count, i)) {
            ops[i].when = CAPTURE_LEADS;
        } else if ((!root->out || ops[i].base < CAPTURE_PIECE) &&
                   can_be_noted(ops, &ops[i], block)) {
            ops[i].when = CAPTURE_COMPLETED;
        }
    }
}

size_t capture_compile_block(const struct call_facts *call, void *out)
{
    struct capture_program *p = out;
    int block = call_block(call);

    memset(p, 0, sizeof(*p));
    if (block < 0) {
        return 0;
    }
    p->block = (uint8_t)(block + 1);
    return sizeof(*p);
}

size_t capture_compile(const struct call_facts *call,
                       const struct capture_options *options, void *out)
{
    int block = call_block(call);
    struct compiling c;
    struct capture_program *p = out;

    memset(p, 0, sizeof(*p));
    p->result = result_of(call);
    c.b = (struct build){
        .program = p, .call = call, .options = options, .width = options->width
    };
    shape_of(call, &c.shape);
    for (int half = 0; half < 2; half++) {
        c.b.at_return = half == 1;
        for (uint32_t i = 0; i < call->arg_count; i++) {
            const struct shape_arg *arg = &c.shape.args[i];

            if (arg->sort == SORT_POINTER &&
                (c.b.at_return ? arg->out : arg->in)) {
                build_arg_at(&c, i);
            }
        }
    }
    if (block >= 0) {
        p->block = (uint8_t)(block + 1);
        p->notes = !options->names_only;
        p->signals = (uint8_t)call_parameter(call, "Event");
        note_outputs(&c, (uint32_t)block);
    }
    if (p->entry_count + p->return_count == 0 && !p->notes) {
        return 0;
    }
    return sizeof(*p) + (size_t)(p->entry_count + p->return_count) *
                            sizeof(struct capture_op);
}
