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
#include "decode/registry.h"
#include "decode/shape.h"
#include "decode/tell.h"
#include "tables/handles.h"
#include "tables/types.h"

#include <string.h>

#include "base/banned.h"

/* Buffers that an information class types are copied whole, up to this. */
#define INFO_MOST 4096u
#define INFO_MOST_VERBOSE (64u << 10)
#define HANDLES_MOST (64u * 8)

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
            !str_is(arg->class_set, info->set) ||
            !ctype_of(str_of(info->type), &type) || type.count > 0) {
            continue;
        }
        b->by_class = true;
        b->by = arg->class_arg;
        b->value = info->value;
        build_pointers(b, &type, piece, when);
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
    const struct family_param *param = arg->param;
    uint8_t when = !c->b.at_return ? CAPTURE_ALWAYS
                   : arg->length   ? CAPTURE_LENGTH
                                   : CAPTURE_FILLED;
    struct build_at at = { .base = (uint8_t)i, .when = when };

    c->b.bytes_most = c->b.options->string_max;
    if (c->shape.role != ROLE_PLAIN && c->shape.buffer == i &&
        c->b.options->dumps) {
        c->b.bytes_most = CAPTURE_BYTES_MAX;
    }
    if (param && param->build &&
        (param->for_names || !c->b.options->names_only) &&
        param->build(&c->b, param, i)) {
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
        return call->result->size <= 4 ? CAPTURE_RESULT_BOOL
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
        .program = p,
        .registry = &decode_registry,
        .call = call,
        .options = options,
        .width = options->width,
    };
    shape_of(call, &c.shape);
    family_params(&decode_registry, &c.shape);
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
