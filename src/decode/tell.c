/* SPDX-License-Identifier: MIT */
/*
 * tell.c - words: numbers, constants, handles, times, places; arguments.
 */
#include "decode/tell.h"

#include "base/compiler.h"
#include "decode/shape.h"
#include "model/model.h"
#include "tables/fields.h"
#include "tables/status.h"
#include "tables/types.h"

#include <string.h>

#include "base/banned.h"

bool tell_known(const struct tell *t, uint64_t address)
{
    return memory_read(t->memory, address, NULL, 1) == 1;
}

uint64_t tell_at(const struct tell *t, uint64_t address, enum nt_field field)
{
    return address + nt_offset(field, t->width);
}

bool tell_read(const struct tell *t, uint64_t address, enum nt_field field,
               uint64_t *out)
{
    return nt_read(t->memory, t->width, address, field, out);
}

bool tell_read32(const struct tell *t, uint64_t address, enum nt_field field,
                 uint32_t *out)
{
    return nt_read32(t->memory, t->width, address, field, out);
}

bool tell_read16(const struct tell *t, uint64_t address, enum nt_field field,
                 uint16_t *out)
{
    return nt_read16(t->memory, t->width, address, field, out);
}

uint64_t tell_narrow(uint64_t word, uint32_t size)
{
    return size > 0 && size < 8 ? word & ((1ull << (8 * size)) - 1) : word;
}

uint64_t tell_sign_extend(uint64_t word, uint32_t size)
{
    uint64_t sign;

    word = tell_narrow(word, size);
    if (size == 0 || size >= 8) {
        return word;
    }
    sign = 1ull << (8 * size - 1);
    return (word ^ sign) - sign;
}

/* --- Words ------------------------------------------------------------ */

void tell_pointer(const struct tell *t, uint64_t value)
{
    if (value == 0) {
        t->sink->ops->null(t->sink);
    } else {
        t->sink->ops->number(t->sink, NUMBER_HEX, value);
    }
}

/* Large ones are rarely counts: they are shown as they are in memory. */
static void tell_decimal(const struct tell *t, uint64_t value, uint32_t size)
{
    bool huge = size < 8 ? value >= 1ull << (8 * size - 1) && size == 4
                         : value >> 63 != 0;

    t->sink->ops->number(t->sink, huge ? NUMBER_HEX : NUMBER_DEC, value);
}

void tell_constant(const struct tell *t, uint64_t value,
                   const struct name_set *set)
{
    const char *names[NAMES_SPLIT_MAX];
    struct sink_constant c = { .raw = value, .names = names };

    if (!t->options->raw) {
        c.count = names_split(set, value, names, &c.rest);
    }
    if (c.count > 0) {
        t->sink->ops->constant(t->sink, &c);
    } else if (set->kind == NAMES_ENUM && value < 0x10000) {
        t->sink->ops->number(t->sink, NUMBER_DEC, value);
    } else {
        t->sink->ops->number(t->sink, NUMBER_HEX, value);
    }
}

static void tell_bool(const struct tell *t, uint64_t value)
{
    static const char *const words[] = { "FALSE", "TRUE" };
    struct sink_constant c = { .raw = value, .count = 1 };

    if (value > 1 || t->options->raw) {
        t->sink->ops->number(t->sink, NUMBER_DEC, value);
        return;
    }
    c.names = &words[value];
    t->sink->ops->constant(t->sink, &c);
}

void tell_handle(const struct tell *t, uint64_t value,
                 const struct object *object)
{
    static const str pseudo[] = {
        STR_INIT("NtCurrentProcess"),
        STR_INIT("NtCurrentThread"),
        STR_INIT("NtCurrentSession"),
        STR_INIT("NtCurrentProcessToken"),
        STR_INIT("NtCurrentThreadToken"),
        STR_INIT("NtCurrentThreadEffectiveToken"),
    };
    uint64_t index = ~value;  // -1 is the first

    if (value == 0) {
        t->sink->ops->null(t->sink);
    } else if (index < COUNT_OF(pseudo) && !t->options->raw) {
        t->sink->ops->handle(t->sink, value, pseudo[index], NULL);
    } else {
        t->sink->ops->handle(t->sink, value, STR(""),
                             t->options->handles == HANDLES_PLAIN ? NULL
                                                                  : object);
    }
}

/* One that is no handle of this process to the object manager. */
static void tell_user_handle(const struct tell *t, uint64_t value)
{
    if (value == 0) {
        t->sink->ops->null(t->sink);
    } else {
        t->sink->ops->handle(t->sink, value, STR(""), NULL);
    }
}

/* A handle in memory: what it refers to now. */
static void tell_handle_now(const struct tell *t, uint64_t value)
{
    const struct object *object = NULL;

    if (t->foreign[OWNED_HANDLES]) {
        tell_user_handle(t, value);
        return;
    }
    /* A handle that a call has just made is told by what made it. */
    if (t->after && t->depth == 0 && t->options->handles != HANDLES_DETAIL) {
        tell_handle(t, value, NULL);
        return;
    }
    if (t->call && t->call->handles && t->options->handles != HANDLES_PLAIN) {
        object = handles_find(t->call->handles, value);
    }
    tell_handle(t, value, object);
}

static bool find_place(const struct tell *t, uint64_t address,
                       struct place *out)
{
    const struct decode_options *o = t->options;

    if (o->place_of) {
        return o->place_of(o->place_ctx, t->call, address, out);
    }
    if (!t->call->process) {
        return false;
    }
    *out = model_place(t->call->process, address);
    return true;
}

void tell_code(const struct tell *t, uint64_t value)
{
    struct place place = { .kind = PLACE_UNKNOWN, .name = STR("") };

    /* Small ones are no code: flags in an ApcRoutine, WM_ callbacks. */
    if (value >= 0x10000 && t->call && !t->foreign[OWNED_CODE] &&
        !t->options->raw && find_place(t, value, &place) &&
        place.kind != PLACE_UNKNOWN && place.kind != PLACE_UNMAPPED) {
        t->sink->ops->place(t->sink, &place);
    } else {
        tell_pointer(t, value);
    }
}

/* LARGE_INTEGER that is a point in time, since 1601; 0, and what is negative,
 * is a number. */
static void tell_time(const struct tell *t, int64_t value)
{
    if (value <= 0 || t->options->raw) {
        t->sink->ops->number(t->sink, NUMBER_SIGNED, (uint64_t)value);
    } else {
        t->sink->ops->time(t->sink, value);
    }
}

static void tell_duration(const struct tell *t, int64_t value)
{
    if (value < 0 || t->options->raw) {
        t->sink->ops->number(t->sink, NUMBER_SIGNED, (uint64_t)value);
    } else {
        t->sink->ops->duration(t->sink, value);
    }
}

void tell_timeout(const struct tell *t, int64_t value)
{
    if (t->options->raw) {
        t->sink->ops->number(t->sink, NUMBER_SIGNED, (uint64_t)value);
    } else if (value == INT64_MIN || value == INT64_MAX) {
        t->sink->ops->symbol(t->sink, STR("INFINITE"));
    } else if (value == 0) {
        t->sink->ops->duration(t->sink, 0);
    } else if (value < 0) {
        t->sink->ops->duration(t->sink, -value);
    } else {
        t->sink->ops->time(t->sink, value);
    }
}

static void tell_status(const struct tell *t, uint32_t status)
{
    if (t->options->raw) {
        t->sink->ops->number(t->sink, NUMBER_HEX, status);
    } else {
        t->sink->ops->status(t->sink, status);
    }
}

void tell_scalar(const struct tell *t, enum sort sort, uint32_t size,
                 uint64_t value, const struct name_set *set)
{
    struct sink *s = t->sink;

    value = tell_narrow(value, size);
    /* Positions in files and times have a few values of a meaning of their
     * own: the others are numbers as everywhere. */
    if (set && sort != SORT_BOOL &&
        ((sort != SORT_OFFSET && sort != SORT_MILLISECONDS) ||
         names_value(set, value))) {
        tell_constant(t, value, set);
        return;
    }
    switch (sort) {
    case SORT_DEC:
    case SORT_WORD:
    case SORT_WCHAR:
    case SORT_MILLISECONDS:
        tell_decimal(t, value, size);
        return;
    case SORT_SIGNED:
        s->ops->number(s, NUMBER_SIGNED, tell_sign_extend(value, size));
        return;
    case SORT_BOOL:
        tell_bool(t, value);
        return;
    case SORT_STATUS:
        tell_status(t, (uint32_t)value);
        return;
    case SORT_EXIT_CODE:
        if (value < 0x80000000) {
            s->ops->number(s, NUMBER_DEC, value);
        } else {
            tell_status(t, (uint32_t)value);
        }
        return;
    case SORT_HANDLE:
        tell_handle_now(t, value);
        return;
    case SORT_USER_HANDLE:
        tell_user_handle(t, value);
        return;
    case SORT_ID:
        s->ops->number(s, NUMBER_DEC, value);
        return;
    case SORT_POINTER:
        tell_pointer(t, value);
        return;
    case SORT_CODE:
        tell_code(t, value);
        return;
    case SORT_TIME:
        tell_time(t, (int64_t)value);
        return;
    case SORT_DURATION:
        tell_duration(t, (int64_t)value);
        return;
    case SORT_TIMEOUT:
        tell_timeout(t, (int64_t)value);
        return;
    case SORT_LARGE:
    case SORT_OFFSET:
        s->ops->number(s, NUMBER_SIGNED, value);
        return;
    case SORT_UNKNOWN:
    case SORT_HEX:
    case SORT_BYTE:
    case SORT_FLOAT:
    case SORT_GUID:
    case SORT_STRUCT:
    case SORT_UNICODE_STRING:
    case SORT_ANSI_STRING:
    case SORT_OBJECT_ATTRIBUTES:
    case SORT_IO_STATUS_BLOCK:
    case SORT_CLIENT_ID:
    case SORT_CONTEXT:
        break;
    }
    s->ops->number(s, NUMBER_HEX, value);
}

/* --- In structures ---------------------------------------------------- */

bool tell_there(const struct tell *t, uint64_t address)
{
    return address && memory_read(t->memory, address, NULL, 1) == 1;
}

bool tell_word(const struct tell *t, uint64_t address, uint32_t size,
               uint64_t *out)
{
    return memory_number(t->memory, address, size, out);
}

void tell_open(const struct tell *t, const char *name)
{
    t->sink->ops->arg(t->sink, str_of(name), NULL);
}

void tell_number(const struct tell *t, uint64_t value)
{
    t->sink->ops->number(t->sink, NUMBER_DEC, value);
}

void tell_hex(const struct tell *t, uint64_t value)
{
    t->sink->ops->number(t->sink, NUMBER_HEX, value);
}

void tell_by_set(const struct tell *t, uint64_t value, const char *set)
{
    const struct name_set *names = fields_names(str_of(set));

    if (names) {
        tell_constant(t, value, names);
    } else {
        tell_hex(t, value);
    }
}

void tell_scalar_of(const struct tell *t, const struct shape_arg *arg,
                    uint64_t value)
{
    tell_scalar(t, (enum sort)arg->sort, arg->size, value, arg->set);
}

/* --- How much --------------------------------------------------------- */

bool tell_may(const struct tell *t)
{
    if (t->room->left == 0) {
        return false;
    }
    t->room->left--;
    return true;
}

bool tell_more(const struct tell *t, uint64_t shown)
{
    return shown >=
               (t->options->verbose ? TELL_ELEMENTS_VERBOSE : TELL_ELEMENTS) ||
           !tell_may(t);
}

/* --- Arguments -------------------------------------------------------- */

bool tell_arg(const struct tell *t, const char *name, uint64_t *value)
{
    const struct call *call = t->call;
    const struct call_facts *facts =
        call && call->stub ? call->stub->facts : NULL;
    str wanted = str_of(name);

    for (uint32_t i = 0; facts && i < facts->arg_count; i++) {
        if (str_is(wanted, facts->args[i].name)) {
            *value = tell_narrow(call->args[i], facts->args[i].type->size);
            return (call->arg_mask >> i & 1) != 0;
        }
    }
    return false;
}

uint64_t tell_said(const struct tell *t, const char *length,
                   const char *written)
{
    uint64_t said;
    uint64_t pointer;
    uint64_t filled;
    uint32_t word;

    if (!tell_arg(t, length, &said)) {
        return TELL_ANY;
    }
    said &= UINT32_MAX;
    if (!t->after) {
        return said;
    }
    if (!written) {
        if (tell_arg(t, "IoStatusBlock", &pointer) &&
            nt_information_read(t->memory, t->width, pointer, &filled) &&
            filled < said) {
            said = filled;
        }
    } else if (tell_arg(t, written, &pointer) &&
               memory_u32(t->memory, pointer, &word) && word < said) {
        said = word;
    }
    return said;
}
