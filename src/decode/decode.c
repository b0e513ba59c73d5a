/* SPDX-License-Identifier: MIT */
/*
 * decode.c - calls as the model tells them, as values for a sink.
 *
 * What an argument is comes from the tables, what it points to from the
 * memory that was copied for the call. Nothing is told that was not seen: an
 * argument that no record holds is unknown, and a pointer to what was not
 * copied, or what the call has not filled, is an address.
 */
#include "decode/decode.h"

#include "base/compiler.h"
#include "decode/registry.h"
#include "decode/shape.h"
#include "decode/walk.h"
#include "model/model.h"
#include "tables/types.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* Without a prototype these many are shown: the registers. */
#define REGISTER_ARGS 4
/* A power of two: shapes of calls that are remembered. Far more than a program
 * has kinds of calls: two that share a place are worked out again each time. */
#define SHAPES 1024

#define STATUS_INFO_LENGTH_MISMATCH 0xc0000004u
#define STATUS_BUFFER_TOO_SMALL 0xc0000023u
#define FILE_DIRECTORY_FILE 1u
/* NtCurrentProcess, NtCurrentThread. */
#define THIS_PROCESS UINT64_MAX
#define THIS_THREAD (UINT64_MAX - 1)

struct decode_room {
    struct shape shapes[SHAPES];
    struct tell_room room;
};

void decoder_init(struct decoder *d, struct sink *sink,
                  const struct clock *clock,
                  const struct decode_options *options)
{
    memset(d, 0, sizeof(*d));
    d->options =
        (struct decode_options){ .string_max = 32, .handles = HANDLES_NAMED };
    if (options) {
        d->options = *options;
    }
    d->sink = sink;
    d->clock = clock;
    if (!d->options.names_only) {
        d->room = calloc(1, sizeof(*d->room));
    }
}

void decoder_join(struct decoder *d, struct sink *sink,
                  const struct decoder *of)
{
    *d = (struct decoder){ .options = of->options,
                           .sink = sink,
                           .clock = of->clock,
                           .room = of->room,
                           .lent = true };
}

void decoder_close(struct decoder *d)
{
    if (!d->lent) {
        free(d->room);
    }
    d->room = NULL;
}

static const struct shape *shape_find(struct decoder *d,
                                      const struct call_facts *facts)
{
    uint64_t key = (uint64_t)(uintptr_t)facts * 0x9e3779b97f4a7c15u;
    struct shape *shape = &d->room->shapes[key >> 54 & (SHAPES - 1)];

    if (shape->facts != facts) {
        shape_of(facts, shape);
        family_params(&decode_registry, shape);
    }
    return shape;
}

/* Saturates: times come from the target, and from files. */
static int64_t wall_ns(const struct decoder *d, uint64_t tsc)
{
    int64_t ns = clock_ns(d->clock, tsc);
    int64_t sum;

    if (__builtin_add_overflow(d->clock->wall_ns, ns, &sum)) {
        return ns < 0 ? INT64_MIN : INT64_MAX;
    }
    return sum;
}

/* --- What a call has filled ------------------------------------------- */

static bool has_filled(const struct call *call, const struct shape *shape)
{
    return call->returned &&
           call_filled(shape->facts, (enum call_fills)shape->fills,
                       call->result);
}

/* Lengths are also filled by a call that says what it needs. */
static bool has_filled_lengths(const struct call *call,
                               const struct shape *shape)
{
    uint32_t status = (uint32_t)call->result;

    return has_filled(call, shape) ||
           (call->returned && shape->fills == FILLS_STATUS &&
            (status == STATUS_INFO_LENGTH_MISMATCH ||
             status == STATUS_BUFFER_TOO_SMALL));
}

/* --- Arguments -------------------------------------------------------- */

struct telling {
    struct tell before;
    struct tell after;
    const struct shape *shape;
    const struct call *call;
    bool filled;
    bool filled_lengths;
};

static bool arg_value(const struct telling *g, uint32_t i, uint64_t *out)
{
    if (i >= CALL_ARGS_MAX || !(g->call->arg_mask >> i & 1)) {
        return false;
    }
    *out = tell_narrow(g->call->args[i], g->shape->args[i].size);
    return true;
}

static bool size_term(const struct telling *g, const struct tell *t,
                      const struct shape_size *term, uint64_t *out)
{
    uint64_t value;

    switch ((enum size_kind)term->kind) {
    case SIZE_NONE:
        return false;
    case SIZE_NUMBER:
        *out = term->number;
        return true;
    case SIZE_VALUE:
        return arg_value(g, term->arg, out);
    case SIZE_POINTEE:
        if (!arg_value(g, term->arg, &value)) {
            return false;
        }
        if (term->width == 8) {
            return nt_pointer_read(t->memory, t->width, value, out);
        }
        return memory_number(t->memory, value, 4, out);
    case SIZE_RESULT:
        *out = g->call->result & UINT32_MAX;
        return g->call->returned;
    case SIZE_INFORMATION:
        return arg_value(g, term->arg, &value) &&
               nt_information_read(t->memory, t->width, value, out);
    case SIZE_MESSAGE:
        return arg_value(g, term->arg, &value) &&
               tell_read(t, value, NT_PORT_MESSAGE_TotalLength, out);
    }
    return false;
}

/* Bytes, or elements, of the buffer that argument `arg` points to. */
static bool buffer_size(const struct telling *g, const struct tell *t,
                        const struct shape_arg *arg, uint64_t *out)
{
    uint64_t limit;

    if (!size_term(g, &g->before, &arg->bytes, out)) {
        /* A length that is out only. */
        if (!t->after || !size_term(g, t, &arg->bytes, out)) {
            return false;
        }
    }
    if (t->after && size_term(g, t, &arg->limit, &limit) && limit < *out) {
        *out = limit;
    }
    return true;
}

/* Of a type that no table takes apart. */
static bool is_opaque(const struct shape_arg *arg)
{
    return !arg->row &&
           (arg->to_sort == SORT_UNKNOWN || arg->to_sort == SORT_STRUCT) &&
           !arg->elements;
}

static void tell_buffer(const struct telling *g, const struct tell *t,
                        const struct shape_arg *arg, uint64_t address)
{
    uint64_t size;
    uint64_t class;

    if (!buffer_size(g, t, arg, &size)) {
        tell_pointer(t, address);
        return;
    }
    if (arg->class_arg != SHAPE_NO_ARG &&
        arg_value(g, arg->class_arg, &class)) {
        const struct info_row *row = info_find(
            arg->class_set, (uint32_t) class, arg->out ? INFO_QUERY : INFO_SET);

        if (size > 0 && row && row->type &&
            memory_read(t->memory, address, NULL, 1) == 1 &&
            walk_info(t, str_of(row->type), address, size)) {
            return;
        }
    }
    /* No structure is 0 bytes long: the length means something else. */
    if ((arg->elements && size > UINT32_MAX) ||
        (size == 0 && !arg->elements && arg->to_size > 2)) {
        tell_pointer(t, address);
    } else if (arg->to_sort == SORT_WCHAR) {
        tell_text(t, address, arg->elements ? 2 * size : size);
    } else if (arg->to.size == 0 || arg->to_size <= 1 || is_opaque(arg)) {
        tell_data(t, address, size);
    } else if (arg->elements) {
        walk_array(t, arg->to, address, size, arg->to_size, arg->set);
    } else if (size < arg->to_size && arg->to_sort != SORT_STRUCT) {
        tell_data(t, address, size);
    } else if (arg->to_size <= 8 && arg->to_sort != SORT_STRUCT) {
        walk_array(t, arg->to, address, size / arg->to_size, arg->to_size,
                   arg->set);
    } else {
        walk_named(t, arg->to, STR(""), address, 0, NULL);
    }
}

/* One word, which is shown in brackets when a pointer points to it. */
static bool is_word(const struct shape_arg *arg)
{
    return !arg->buffer && !arg->opaque && !arg->zero_ended &&
           arg->to.size > 0 && arg->to_size > 0 && arg->to_size <= 8 &&
           arg->to_sort != SORT_STRUCT;
}

static void tell_word_at(const struct tell *t, const struct shape_arg *arg,
                         uint64_t address)
{
    if (memory_read(t->memory, address, NULL, arg->to_size) != arg->to_size) {
        t->sink->ops->unknown(t->sink);
    } else {
        walk_pointed(t, arg, address);
    }
}

static bool is_known(const struct tell *t, uint64_t address)
{
    return memory_read(t->memory, address, NULL, 1) == 1;
}

/* What a pointer that is not NULL points to, in the memory of `t`. */
static void tell_target(const struct telling *g, const struct tell *t,
                        uint32_t i, uint64_t address)
{
    const struct shape_arg *arg = &g->shape->args[i];
    struct sink *s = t->sink;

    if (arg->param && arg->param->tell &&
        arg->param->tell(t, arg->param, i, address)) {
        return;
    }
    if (arg->zero_ended) {
        if (address < 0x10000) {
            tell_pointer(t, address);
        } else {
            tell_zero_ended(t, address);
        }
    } else if (arg->buffer) {
        tell_buffer(g, t, arg, address);
    } else if (arg->to_sort == SORT_CONTEXT) {
        walk_pointed(t, arg, address);
    } else if (arg->opaque || arg->to_size == 0 || !is_known(t, address)) {
        tell_pointer(t, address);
    } else if (is_word(arg)) {
        s->ops->begin(s, GROUP_DEREF);
        tell_word_at(t, arg, address);
        s->ops->end(s, GROUP_DEREF);
    } else {
        walk_pointed(t, arg, address);
    }
}

static void tell_inout(const struct telling *g, uint32_t i, uint64_t address)
{
    const struct shape_arg *arg = &g->shape->args[i];
    struct sink *s = g->after.sink;
    bool before = is_known(&g->before, address);
    bool after = is_known(&g->after, address);

    if (g->after.options->brief) {
        tell_target(g, after ? &g->after : &g->before, i, address);
    } else if (is_word(arg) && (before || after)) {
        s->ops->begin(s, GROUP_INOUT);
        tell_word_at(&g->before, arg, address);
        tell_word_at(&g->after, arg, address);
        s->ops->end(s, GROUP_INOUT);
    } else if (before && after && !arg->buffer &&
               (arg->to_sort == SORT_STRUCT)) {
        s->ops->begin(s, GROUP_INOUT);
        tell_target(g, &g->before, i, address);
        tell_target(g, &g->after, i, address);
        s->ops->end(s, GROUP_INOUT);
    } else {
        tell_target(g, after || !before ? &g->after : &g->before, i, address);
    }
}

static bool is_filled(const struct telling *g, const struct shape_arg *arg)
{
    return arg->out && (g->filled || (arg->length && g->filled_lengths));
}

static void tell_pointer_arg(const struct telling *g, uint32_t i,
                             uint64_t address)
{
    const struct shape_arg *arg = &g->shape->args[i];

    if (address == 0) {
        tell_pointer(&g->before, 0);
    } else if (is_filled(g, arg)) {
        if (arg->in) {
            tell_inout(g, i, address);
        } else {
            tell_target(g, &g->after, i, address);
        }
    } else if (arg->in) {
        tell_target(g, &g->before, i, address);
    } else {
        tell_pointer(&g->before, address);
    }
}

/* The access mask's set goes by what it is for. */
static const struct name_set *access_set(const struct telling *g,
                                         const struct shape_arg *arg)
{
    /* NtDuplicateObject's SourceHandle. */
    const struct object *object = arg->by_object ? g->call->objects[1] : NULL;
    uint64_t options;

    if (arg->options != SHAPE_NO_ARG && arg_value(g, arg->options, &options) &&
        (options & FILE_DIRECTORY_FILE)) {
        return names_find(STR("FILE_DIRECTORY_ACCESS"));
    }
    return object && access_set_of(object->type) ? access_set_of(object->type)
                                                 : arg->set;
}

static void tell_plain_arg(const struct telling *g, uint32_t i, uint64_t value)
{
    const struct shape_arg *arg = &g->shape->args[i];
    const struct tell *t = &g->before;

    if (arg->param && arg->param->value &&
        arg->param->value(t, arg->param, i, value)) {
        return;
    }
    if (arg->sort == SORT_HANDLE) {
        tell_handle(t, value, g->call->objects[i]);
    } else if (arg->options != SHAPE_NO_ARG || arg->by_object) {
        tell_constant(t, value, access_set(g, arg));
    } else {
        tell_scalar_of(t, arg, value);
    }
}

static void tell_one(const struct telling *g, uint32_t i, str name)
{
    const struct shape_arg *arg = &g->shape->args[i];
    struct sink *s = g->before.sink;
    uint64_t value;

    if (!arg_value(g, i, &value)) {
        s->ops->arg(s, name, NULL);
        s->ops->unknown(s);
        return;
    }
    s->ops->arg(s, name, &value);
    if (arg->sort == SORT_POINTER) {
        tell_pointer_arg(g, i, value);
    } else {
        tell_plain_arg(g, i, value);
    }
}

/* What the input `i` points to leads to memory that the call has filled, as
 * the buffers of a receive: its program copied it once more. */
static bool leads_to_news(const struct telling *g, uint32_t i, uint64_t address)
{
    for (uint32_t k = 0; k < g->shape->facts->arg_count; k++) {
        uint64_t other;

        if (k != i && arg_value(g, k, &other) && other == address) {
            return false;
        }
    }
    for (uint32_t k = 0; k < g->call->after.count; k++) {
        if (g->call->after.pieces[k].address == address) {
            return g->filled;
        }
    }
    return false;
}

/* True if the return shows argument `i` once more: the call has filled it. */
static bool is_news(const struct telling *g, uint32_t i)
{
    const struct shape_arg *arg = &g->shape->args[i];
    uint64_t address;

    if (arg->sort != SORT_POINTER || !arg_value(g, i, &address) ||
        address == 0) {
        return false;
    }
    return arg->out ? is_filled(g, arg) && is_known(&g->after, address)
                    : leads_to_news(g, i, address);
}

/* --- --short ---------------------------------------------------------- */

/* The length `i` says nothing that the buffer `k` does not: it is shown, and
 * shown whole. */
static bool shows_length(const struct telling *g, uint32_t k, uint32_t i)
{
    const struct shape_arg *arg = &g->shape->args[k];
    const struct tell *t = is_filled(g, arg) ? &g->after : &g->before;
    uint64_t address;
    uint64_t size;

    if ((arg->bytes.kind == SIZE_NONE || arg->bytes.arg != i) &&
        (arg->limit.kind == SIZE_NONE || arg->limit.arg != i)) {
        return false;
    }
    if (arg->class_arg != SHAPE_NO_ARG) {
        return true;
    }
    return arg_value(g, k, &address) && is_known(t, address) &&
           ((arg->param && arg->param->tell) || arg->elements ||
            (buffer_size(g, t, arg, &size) &&
             size <= g->before.options->string_max));
}

static bool is_shown_length(const struct telling *g, uint32_t i)
{
    for (uint32_t k = 0; k < g->shape->facts->arg_count; k++) {
        if (k != i && g->shape->args[k].buffer && shows_length(g, k, i)) {
            return true;
        }
    }
    return g->shape->args[i].length;
}

/* All that is known of a pointer is where it points to. */
static bool is_bare_address(const struct telling *g, uint32_t i,
                            uint64_t address)
{
    const struct shape_arg *arg = &g->shape->args[i];
    const struct tell *t = is_filled(g, arg) ? &g->after : &g->before;

    if (!is_filled(g, arg) && !arg->in) {
        return true;
    }
    return !is_known(t, address) && arg->to_sort != SORT_CONTEXT &&
           !(arg->param && arg->param->tell);
}

/* A number of 0, as where to begin. */
static bool is_zero_there(const struct telling *g, uint32_t i, uint64_t address)
{
    const struct shape_arg *arg = &g->shape->args[i];
    uint64_t value;

    return is_word(arg) && !arg->out && !arg->param &&
           memory_number(g->before.memory, address, arg->to_size, &value) &&
           value == 0;
}

static bool is_pseudo(uint64_t value)
{
    return value == THIS_PROCESS || value == THIS_THREAD;
}

/* It takes a process or a thread. What else -1 is there is a mistake of who calls:
 * INVALID_HANDLE_VALUE, which it did not look at. */
static bool takes_pseudo(str name)
{
    if (str_ends(name, STR("Handle"))) {
        name = str_slice(name, 0, name.size - 6);
    }
    return str_ends(name, STR("Process")) || str_ends(name, STR("Thread"));
}

/* A zero that has a name, as the first of an enumeration. */
static bool is_named(const struct shape_arg *arg, uint64_t value)
{
    return arg->sort != SORT_POINTER && arg->set &&
           arg->set->kind == NAMES_ENUM && names_value(arg->set, value);
}

/* Whoever reads does without argument `i`. */
static bool is_left_out(const struct telling *g, uint32_t i)
{
    const struct shape_arg *arg = &g->shape->args[i];
    const struct brief_row *row = arg->brief;
    bool always = row && row->kind == BRIEF_ALWAYS;
    uint64_t value;

    if ((row && row->kind == BRIEF_NEVER) ||
        arg->to_sort == SORT_IO_STATUS_BLOCK) {
        return true;
    }
    if (!arg_value(g, i, &value)) {
        return false;
    }
    if (value == 0) {
        return !is_named(arg, 0);
    }
    if (row && row->kind == BRIEF_USUAL && brief_is_usual(row, value)) {
        return true;
    }
    if (always) {
        return false;
    }
    return (arg->sort == SORT_HANDLE && is_pseudo(value) &&
            takes_pseudo(arg->name)) ||
           is_shown_length(g, i) ||
           (arg->sort == SORT_POINTER &&
            (is_bare_address(g, i, value) || is_zero_there(g, i, value)));
}

/* What the call is about: the path that it names, else its first handle. */
static uint32_t main_arg(const struct telling *g)
{
    uint32_t count = g->shape->facts->arg_count;

    for (uint32_t i = 0; i < count; i++) {
        if (g->shape->args[i].to_sort == SORT_OBJECT_ATTRIBUTES &&
            !is_left_out(g, i)) {
            return i;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        if (g->shape->args[i].sort == SORT_HANDLE && !is_left_out(g, i)) {
            return i;
        }
    }
    return count;
}

/* The handle that the call gives out comes last: it goes on from there. */
static bool is_given_out(const struct shape_arg *arg)
{
    return arg->out && !arg->in && !arg->buffer && arg->to_sort == SORT_HANDLE;
}

/* A value that says by itself what it is. */
static bool needs_no_name(const struct telling *g, uint32_t i)
{
    const struct shape_arg *arg = &g->shape->args[i];
    const char *names[NAMES_SPLIT_MAX];
    uint64_t rest;
    uint64_t value;
    uint8_t sort;

    if (!arg_value(g, i, &value)) {
        return false;
    }
    sort = arg->sort == SORT_POINTER ? arg->to_sort : arg->sort;
    if (sort == SORT_HANDLE || sort == SORT_OBJECT_ATTRIBUTES ||
        sort == SORT_UNICODE_STRING || sort == SORT_ANSI_STRING) {
        return true;
    }
    if (arg->sort == SORT_POINTER) {
        return arg->zero_ended || arg->buffer;
    }
    return arg->set && names_split(arg->set, value, names, &rest) > 0;
}

static void tell_briefly(const struct telling *g, enum sink_part part)
{
    uint32_t count = g->shape->facts->arg_count;
    uint32_t first = part == PART_RETURN ? count : main_arg(g);

    /* First what it is about, then all else, then what it gives out. */
    for (int turn = 0; turn < 3; turn++) {
        for (uint32_t i = 0; i < count; i++) {
            const struct shape_arg *arg = &g->shape->args[i];
            int when = i == first ? 0 : is_given_out(arg) ? 2 : 1;

            if (when != turn || is_left_out(g, i) ||
                (part == PART_RETURN && !is_news(g, i))) {
                continue;
            }
            tell_one(g, i, needs_no_name(g, i) ? STR("") : arg->name);
        }
    }
}

/* What the return of a call in two parts shows once more: other lines stand
 * between, and it is what one would have to look for above them. */
static uint32_t again_arg(const struct decoder *d, const struct telling *g,
                          enum sink_part part)
{
    uint32_t none = g->shape->facts->arg_count;
    uint32_t i = none;
    uint64_t value;

    if (part == PART_RETURN && d->options.again) {
        i = main_arg(g);
    }
    return i < none && arg_value(g, i, &value) && !is_news(g, i) ? i : none;
}

static void tell_args_plainly(struct sink *s, const struct call *call)
{
    const struct call_facts *facts = call->stub ? call->stub->facts : NULL;
    int count_known = call->stub ? call->stub->arg_count : -1;
    uint32_t count = count_known >= 0 ? (uint32_t)count_known : REGISTER_ARGS;

    for (uint32_t i = 0; i < count; i++) {
        const struct call_arg *arg = facts ? &facts->args[i] : NULL;
        uint64_t value;

        if (i < COUNT_OF(call->args) && (call->arg_mask >> i & 1)) {
            value = tell_narrow(call->args[i], arg ? arg->type->size : 8);
            s->ops->arg(s, str_of(arg ? arg->name : NULL), &value);
            s->ops->number(s, NUMBER_HEX, value);
        } else {
            s->ops->arg(s, str_of(arg ? arg->name : NULL), NULL);
            s->ops->unknown(s);
        }
    }
    if (count_known < 0) {
        s->ops->more(s);
    }
}

static bool is_dumped(const struct telling *g, bool all,
                      const uint64_t *handles, size_t count)
{
    uint64_t handle;

    if ((!all && count == 0) || !arg_value(g, 0, &handle)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (handles[i] == handle) {
            return !all;
        }
    }
    return all;
}

static void tell_dump(const struct decoder *d, const struct telling *g,
                      enum sink_part part)
{
    const struct decode_options *o = &d->options;
    const struct shape *shape = g->shape;
    const struct tell *t = &g->before;
    bool written = shape->role == ROLE_WRITE;
    const uint8_t *bytes;
    uint64_t address;
    uint64_t size;
    size_t have;

    if (shape->role == ROLE_PLAIN ||
        !(written ? is_dumped(g, o->dump_writes_all, o->dump_writes,
                              o->dump_write_count)
                  : is_dumped(g, o->dump_reads_all, o->dump_reads,
                              o->dump_read_count))) {
        return;
    }
    if (written ? part == PART_RETURN : part == PART_ENTRY || !g->filled) {
        return;
    }
    if (!written) {
        t = &g->after;
    }
    if (!arg_value(g, shape->buffer, &address) ||
        !buffer_size(g, t, &shape->args[shape->buffer], &size)) {
        return;
    }
    have = tell_bytes(t, address, size, &bytes);
    if (size > 0) {
        d->sink->ops->dump(d->sink, written, bytes, have, have < size);
    }
}

/* No argument was seen, and there are some or may be. */
static bool is_blind(const struct call *call)
{
    return call->arg_mask == 0 && !(call->stub && call->stub->arg_count == 0);
}

/* They are, or may be, those of another process. */
static bool is_foreign(const struct telling *g, enum call_owned what)
{
    uint8_t by = g->shape->owners[what].arg;
    const struct object *object;
    uint64_t handle;

    if (g->shape->owners[what].own) {
        return false;
    }
    if (by == SHAPE_NO_ARG || !arg_value(g, by, &handle)) {
        return true;
    }
    object = g->call->objects[by];
    return handle != THIS_PROCESS && handle != THIS_THREAD &&
           !(object && object->pid != 0 && object->pid == g->call->pid);
}

/* *g: to tell the arguments of a call whose row is known. (In place: it is
 * large, and this is done for each call.) */
static void telling_of(struct telling *g, struct decoder *d,
                       const struct call *call, bool returned)
{
    *g = (struct telling){ .call = call };
    g->shape = shape_find(d, call->stub->facts);
    g->before.sink = d->sink;
    g->before.registry = &decode_registry;
    g->before.call = call;
    g->before.options = &d->options;
    g->before.memory = &call->before;
    g->before.width = call->width;
    g->before.room = &d->room->room;
    d->room->room.left = TELL_VALUES_MAX;
    for (int i = 0; i < OWNED_COUNT; i++) {
        g->before.foreign[i] = is_foreign(g, (enum call_owned)i);
    }
    g->after = g->before;
    g->after.memory = &call->after;
    g->after.after = true;
    if (returned) {
        g->filled = has_filled(call, g->shape);
        g->filled_lengths = has_filled_lengths(call, g->shape);
    }
}

static void tell_args(struct decoder *d, const struct call *call,
                      enum sink_part part)
{
    const struct call_facts *facts = call->stub ? call->stub->facts : NULL;
    struct telling g;
    uint32_t again;

    if (d->options.names_only) {
        return;
    }
    if (is_blind(call)) {
        /* One for all: nothing is to be had from a row of names. */
        if (part != PART_RETURN) {
            d->sink->ops->arg(d->sink, STR(""), NULL);
            d->sink->ops->unknown(d->sink);
        }
        return;
    }
    if (!facts || !d->room ||
        (d->options.is_raw && d->options.is_raw(d->options.is_raw_ctx, call))) {
        if (part != PART_RETURN) {
            tell_args_plainly(d->sink, call);
        }
        return;
    }
    if (part == PART_RETURN && !shape_find(d, facts)->any_out &&
        !d->options.again) {
        return;
    }
    telling_of(&g, d, call, part != PART_ENTRY);
    again = again_arg(d, &g, part);
    if (again < facts->arg_count) {
        tell_one(&g, again,
                 d->options.brief && needs_no_name(&g, again)
                     ? STR("")
                     : g.shape->args[again].name);
    }
    for (uint32_t i = 0; i < facts->arg_count && !d->options.brief; i++) {
        if (part != PART_RETURN || is_news(&g, i)) {
            tell_one(&g, i, g.shape->args[i].name);
        }
    }
    if (d->options.brief) {
        tell_briefly(&g, part);
    }
    tell_dump(d, &g, part);
}

/* --- Results ---------------------------------------------------------- */

static void tell_count(struct sink *s, uint64_t value)
{
    s->ops->number(s, value < 0x80000000 ? NUMBER_DEC : NUMBER_HEX, value);
}

static void tell_result_handle(const struct decoder *d, const struct call *call,
                               const struct type_row *type)
{
    struct sink *s = d->sink;
    const struct object *object = NULL;
    str name = str_of(type->name);
    bool kernel =
        str_eq(name, STR("HDESK")) || str_eq(name, STR("HWINSTA")) ||
        (str_eq(name, STR("HANDLE")) && !call_is_win32k(call->stub->facts));

    if (call->result == 0) {
        s->ops->number(s, NUMBER_HEX, 0);
        return;
    }
    if (kernel && call->handles && d->options.handles != HANDLES_PLAIN) {
        object = handles_find(call->handles, call->result);
    }
    s->ops->handle(s, call->result, STR(""), object);
}

static void tell_result(const struct decoder *d, const struct call *call)
{
    struct sink *s = d->sink;
    const struct call_facts *facts = call->stub ? call->stub->facts : NULL;
    const struct type_row *type = facts ? facts->result : NULL;
    uint32_t size = type ? type->size : 8;
    uint64_t value = tell_narrow(call->result, size);

    s->ops->result(s, call->returned ? &value : NULL);
    if (!call->returned) {
        s->ops->unknown(s);
        return;
    }
    switch (type ? (enum type_class)type->class : CLASS_UNKNOWN) {
    case CLASS_VOID:
        s->ops->nothing(s);
        return;
    case CLASS_STATUS:
        s->ops->status(s, (uint32_t)call->result);
        return;
    case CLASS_BOOL:
        s->ops->number(s, NUMBER_DEC, value);
        return;
    case CLASS_HANDLE:
        tell_result_handle(d, call, type);
        return;
    case CLASS_INT:
        if (size < 8) {
            s->ops->number(s, NUMBER_SIGNED,
                           tell_sign_extend(call->result, size));
            return;
        }
        break; /* LRESULT, LONG_PTR: a word that may be anything */
    case CLASS_UINT:
        if (str_eq(str_of(type->name), STR("ULONG")) ||
            str_eq(str_of(type->name), STR("UINT"))) {
            tell_count(s, value);
            return;
        }
        break;
    case CLASS_UNKNOWN:
    case CLASS_ENUM:
    case CLASS_PTR:
    case CLASS_FNPTR:
    case CLASS_STRUCT:
    case CLASS_FLOAT:
        break;
    }
    s->ops->number(s, NUMBER_HEX, value);
}

/* A note that says all by its kind. */
static void tell_mark(struct sink *s, bool holds, enum note_kind kind)
{
    if (holds) {
        s->ops->note(s, &(struct sink_note){ .kind = kind, .name = STR("") });
    }
}

static void tell_notes(struct sink *s, const struct call *call)
{
    struct sink_note note = { .place = &call->at, .name = STR("") };

    tell_mark(s, call->caused, NOTE_CAUSED);
    switch ((enum call_how)call->how) {
    case HOW_ORDINARY:
        break;
    case HOW_DIRECT:
        note.kind = NOTE_DIRECT;
        s->ops->note(s, &note);
        break;
    case HOW_INDIRECT:
        note.kind = NOTE_INDIRECT;
        note.name = call->through->name;
        note.offset = call->offset;
        s->ops->note(s, &note);
        break;
    }
    tell_mark(s, call->injected, NOTE_INJECTED);
    tell_mark(s, call->delayed, NOTE_DELAYED);
}

bool decoder_is_go_between(str name)
{
    static const str names[] = { STR_INIT("ntdll.dll"), STR_INIT("win32u.dll"),
                                 STR_INIT("kernelbase.dll"),
                                 STR_INIT("kernel32.dll") };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (str_eq_nocase(name, names[i])) {
            return true;
        }
    }
    return false;
}

static void tell_caller(struct sink *s, const struct sink_stack *stack)
{
    struct sink_note note = { .kind = NOTE_CALLER, .name = STR("") };

    for (size_t i = 0; i < stack->count && note.place == NULL; i++) {
        const struct place *place = &stack->frames[i].place;

        if (place->kind != PLACE_MODULE ||
            !decoder_is_go_between(place->name)) {
            note.place = place;
        }
    }
    s->ops->note(s, &note);
}

/* Who has made the call. */
static void tell_callers(const struct decoder *d, const struct call *call)
{
    const struct decode_options *o = &d->options;
    struct sink_stack stack;

    if (!o->stack_of || (!o->stack && !o->caller)) {
        return;
    }
    o->stack_of(o->stack_ctx, call, &stack);
    if (o->caller) {
        tell_caller(d->sink, &stack);
    }
    if (o->stack) {
        d->sink->ops->stack(d->sink, &stack);
    }
}

/* Whose line it is. */
static struct sink_head head_of(uint32_t pid, uint32_t tid,
                                const struct model_process *p)
{
    return (struct sink_head){
        .pid = pid,
        .tid = tid,
        .image = model_process_image(p),
        .process = p ? model_process_order(p) : pid,
    };
}

str decoder_call_name(const struct call *call, struct buf *room)
{
    if (call->stub) {
        return call->stub->name;
    }
    buf_add(room, STR("syscall_"));
    if (call->number_known) {
        buf_add_hex(room, call->number);
    } else {
        buf_add(room, STR("?"));
    }
    return buf_str(room);
}

static void tell_call(struct decoder *d, const struct call *call,
                      enum sink_part part)
{
    struct sink *s = d->sink;
    bool by_entry = part != PART_RETURN && call->entry_seen;
    struct sink_head head = head_of(call->pid, call->tid, call->process);
    struct sink_end end = { .took = TOOK_NOTHING };
    const struct call_facts *facts = call->stub ? call->stub->facts : NULL;
    char room[DECODE_NAME_ROOM];
    struct buf name = BUF_OVER(room);

    head.ns = wall_ns(d, by_entry ? call->entry_time : call->return_time);
    head.number_known = call->number_known;
    head.number = call->number;
    head.returns = call->caller ? call->caller : call->rip;
    s->ops->call_begin(s, &head, decoder_call_name(call, &name), part);
    tell_args(d, call, part);
    if (part != PART_ENTRY) {
        tell_result(d, call);
        tell_notes(s, call);
        tell_callers(d, call);
        if (call->returned && !call->entry_seen) {
            end.took = TOOK_UNKNOWN;
        } else if (call->returned) {
            int64_t from = clock_ns(d->clock, call->entry_time);
            int64_t to = clock_ns(d->clock, call->return_time);

            end.took = TOOK_TIME;
            end.ns = to > from ? (uint64_t)to - (uint64_t)from : 0;
        }
    }
    if (facts) {
        end.waits = facts->note == CALL_WAITS;
        end.failed = part != PART_ENTRY && call->returned &&
                     call_failed(facts, call->result);
    }
    s->ops->call_end(s, &end);
}

void decoder_flush(struct decoder *d)
{
    if (d->holding) {
        d->holding = false;
        tell_call(d, &d->held, PART_ENTRY);
    }
}

void decoder_enter(void *decoder, const struct call *call)
{
    struct decoder *d = decoder;

    decoder_flush(d);
    d->held = *call;
    d->holding = true;
    if (call->underway) {
        /* It began long before: no return makes one line of it. */
        decoder_flush(d);
    }
}

void decoder_leave(void *decoder, const struct call *call)
{
    struct decoder *d = decoder;

    if (d->holding && d->held.id == call->id) {
        d->holding = false;
        tell_call(d, call, PART_WHOLE);
        return;
    }
    decoder_flush(d);
    tell_call(d, call, call->entry_seen ? PART_RETURN : PART_WHOLE);
}

void decoder_drop(struct decoder *d, const struct call *call)
{
    if (d->holding && d->held.id == call->id) {
        d->holding = false;
    }
}

void decoder_whole(void *decoder, const struct call *call)
{
    struct decoder *d = decoder;

    decoder_flush(d);
    tell_call(d, call, PART_WHOLE);
}

/* --- Transitions ------------------------------------------------------ */

/* Word `i`, as `field`. */
static void tell_transition_word(struct sink *s,
                                 const struct transition_told *t, uint32_t i)
{
    if (i < t->word_count) {
        s->ops->number(s, NUMBER_HEX, t->words[i]);
    } else {
        s->ops->unknown(s);
    }
}

/* Half of word `i`. */
static void tell_half(struct sink *s, const struct transition_told *t,
                      uint32_t i, bool high)
{
    if (i < t->word_count) {
        s->ops->number(s, NUMBER_DEC,
                       high ? t->words[i] >> 32 : t->words[i] & UINT32_MAX);
    } else {
        s->ops->unknown(s);
    }
}

/* A place, or the bare address where nobody knew what it is part of. */
static void tell_place(struct sink *s, const struct transition_told *t,
                       uint32_t i)
{
    if (t->place.kind != PLACE_UNKNOWN) {
        s->ops->place(s, &t->place);
    } else {
        tell_transition_word(s, t, i);
    }
}

static void tell_access(struct sink *s, const struct transition_told *t)
{
    bool known = t->word_count > EXCEPTION_PARAMETERS + 1;

    s->ops->arg(s, STR("Access"), NULL);
    if (!known) {
        s->ops->unknown(s);
    } else if (t->words[EXCEPTION_PARAMETERS] == 0) {
        s->ops->symbol(s, STR("read"));
    } else if (t->words[EXCEPTION_PARAMETERS] == 1) {
        s->ops->symbol(s, STR("write"));
    } else if (t->words[EXCEPTION_PARAMETERS] == 8) {
        s->ops->symbol(s, STR("execute"));
    } else {
        s->ops->number(s, NUMBER_HEX, t->words[EXCEPTION_PARAMETERS]);
    }
    s->ops->arg(s, STR("Target"), NULL);
    tell_transition_word(s, t, EXCEPTION_PARAMETERS + 1);
}

/* STATUS_ACCESS_VIOLATION and STATUS_IN_PAGE_ERROR say what was touched. */
static bool has_access(const struct transition_told *t)
{
    return t->status_known &&
           (t->status == 0xc0000005 || t->status == 0xc0000006);
}

static void tell_fields(struct sink *s, const struct transition_told *t)
{
    switch (t->kind) {
    case TRANSITION_THREAD_START:
        s->ops->arg(s, STR("Routine"), NULL);
        tell_place(s, t, START_ROUTINE);
        s->ops->arg(s, STR("Parameter"), NULL);
        tell_transition_word(s, t, START_PARAMETER);
        break;
    case TRANSITION_APC:
        s->ops->arg(s, STR("Routine"), NULL);
        tell_place(s, t, APC_ROUTINE_WORDS + 3);
        s->ops->arg(s, STR("Arguments"), NULL);
        s->ops->begin(s, GROUP_ARRAY);
        for (uint32_t i = 0; i < 3; i++) {
            tell_transition_word(s, t, APC_ROUTINE_WORDS + i);
        }
        s->ops->end(s, GROUP_ARRAY);
        break;
    case TRANSITION_EXCEPTION:
        s->ops->arg(s, STR("Address"), NULL);
        tell_place(s, t, EXCEPTION_ADDRESS);
        if (has_access(t)) {
            tell_access(s, t);
        }
        break;
    case TRANSITION_CALLBACK:
        s->ops->arg(s, STR("Index"), NULL);
        tell_half(s, t, CALLBACK_LENGTH_INDEX, true);
        s->ops->arg(s, STR("Input"), NULL);
        tell_transition_word(s, t, CALLBACK_INPUT);
        s->ops->arg(s, STR("InputLength"), NULL);
        tell_half(s, t, CALLBACK_LENGTH_INDEX, false);
        break;
    case TRANSITION_RAISE:
    case TRANSITION_COUNT:
        break;
    }
}

str decoder_transition_name(enum transition kind)
{
    static const str names[TRANSITION_KINDS] = {
        [TRANSITION_THREAD_START] = STR_INIT("THREAD_START"),
        [TRANSITION_APC] = STR_INIT("APC"),
        [TRANSITION_EXCEPTION] = STR_INIT("EXCEPTION"),
        [TRANSITION_CALLBACK] = STR_INIT("CALLBACK"),
        [TRANSITION_RAISE] = STR_INIT("RAISE"),
        [TRANSITION_COMPLETION] = STR_INIT("COMPLETION"),
        [TRANSITION_MODULE] = STR_INIT("MODULE"),
        [TRANSITION_UNMODULE] = STR_INIT("UNMODULE"),
    };

    return names[kind];
}

void decoder_transition(void *decoder, const struct transition_told *t)
{
    struct decoder *d = decoder;
    struct sink *s = d->sink;
    struct sink_head head = head_of(t->pid, t->tid, t->process);

    head.ns = wall_ns(d, t->time);
    head.returns = t->rip;
    decoder_flush(d);
    s->ops->transition_begin(s, &head, decoder_transition_name(t->kind),
                             t->status_known ? &t->status : NULL);
    if (t->kind != TRANSITION_RAISE) {
        s->ops->begin(s, GROUP_STRUCT);
        tell_fields(s, t);
        s->ops->end(s, GROUP_STRUCT);
    }
    s->ops->transition_end(s);
}

/* What says which call it was: its object, what it asked of it, the block. */
static bool is_telling(const struct telling *g, uint32_t i, int block)
{
    const struct shape_arg *arg = &g->shape->args[i];

    return (int)i == block || (i == 0 && arg->sort == SORT_HANDLE) ||
           str_eq(arg->name, STR("IoControlCode")) ||
           str_eq(arg->name, STR("FsControlCode"));
}

static void tell_completion(struct decoder *d, const struct call *call)
{
    const struct call_facts *facts = call->stub->facts;
    struct telling g;
    struct sink *s = d->sink;
    int block = call_block(facts);
    uint64_t information;

    telling_of(&g, d, call, true);
    for (uint32_t i = 0; i < facts->arg_count; i++) {
        const struct shape_arg *arg = &g.shape->args[i];
        uint64_t value;

        if (!arg_value(&g, i, &value) ||
            (!is_telling(&g, i, block) && !is_news(&g, i))) {
            continue;
        }
        s->ops->arg(s, arg->name, NULL);
        if ((int)i == block) {
            tell_pointer(&g.before, value);
            if (nt_information_read(&call->after, call->width, value,
                                    &information)) {
                s->ops->arg(s, STR("Information"), NULL);
                s->ops->number(s, NUMBER_DEC, information);
            }
        } else if (arg->sort == SORT_POINTER) {
            tell_pointer_arg(&g, i, value);
        } else {
            tell_plain_arg(&g, i, value);
        }
    }
}

void decoder_completion(void *decoder, const struct completion_told *c)
{
    struct decoder *d = decoder;
    struct sink *s = d->sink;
    uint32_t status = (uint32_t)c->call->result;
    struct sink_head head = head_of(c->call->pid, c->tid, c->call->process);

    head.ns = wall_ns(d, c->time);
    decoder_flush(d);
    s->ops->transition_begin(
        s, &head, decoder_transition_name(TRANSITION_COMPLETION), &status);
    s->ops->begin(s, GROUP_STRUCT);
    s->ops->arg(s, STR("Call"), NULL);
    s->ops->symbol(s, c->call->stub->name);
    if (d->room) {
        tell_completion(d, c->call);
    }
    s->ops->end(s, GROUP_STRUCT);
    s->ops->transition_end(s);
}

void decoder_module(void *decoder, const struct module_told *m)
{
    struct decoder *d = decoder;
    struct sink *s = d->sink;
    struct sink_head head = head_of(m->pid, 0, m->process);
    const struct sink_text name = { .kind = TEXT_WTF8,
                                    .p = m->name.p,
                                    .size = m->name.size };

    head.ns = wall_ns(d, m->time);
    decoder_flush(d);
    s->ops->transition_begin(s, &head,
                             decoder_transition_name(m->unmapped
                                                         ? TRANSITION_UNMODULE
                                                         : TRANSITION_MODULE),
                             NULL);
    s->ops->begin(s, GROUP_STRUCT);
    s->ops->arg(s, STR("Name"), NULL);
    s->ops->text(s, &name);
    s->ops->arg(s, STR("Base"), NULL);
    s->ops->number(s, NUMBER_HEX, m->base);
    if (m->size > 0) {
        s->ops->arg(s, STR("Size"), NULL);
        s->ops->number(s, NUMBER_HEX, m->size);
    }
    s->ops->end(s, GROUP_STRUCT);
    s->ops->transition_end(s);
}

void decoder_notice(void *decoder, const struct notice *n)
{
    struct decoder *d = decoder;
    struct sink_head head = head_of(n->pid, n->tid, n->process);

    head.ns = wall_ns(d, n->time);
    decoder_flush(d);
    d->sink->ops->notice(d->sink, &head, n);
}
