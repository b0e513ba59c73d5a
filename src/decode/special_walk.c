/* SPDX-License-Identifier: MIT */
/*
 * special_walk.c - what the families share: words and texts of memory, and
 * the operations of capture programs.
 */
#include "decode/special.h"

#include <string.h>

#include "base/banned.h"

/* No name of NT is longer. */
#define NAME_UNITS 0x8000

/* --- Words ------------------------------------------------------------ */

bool special_there(const struct tell *t, uint64_t address)
{
    return address && memory_read(t->memory, address, NULL, 1) == 1;
}

bool special_word(const struct tell *t, uint64_t address, uint32_t size,
                  uint64_t *out)
{
    return memory_number(t->memory, address, size, out);
}

void special_open(const struct tell *t, const char *name)
{
    t->sink->ops->arg(t->sink, str_of(name), NULL);
}

void special_number(const struct tell *t, uint64_t value)
{
    t->sink->ops->number(t->sink, NUMBER_DEC, value);
}

void special_hex(const struct tell *t, uint64_t value)
{
    t->sink->ops->number(t->sink, NUMBER_HEX, value);
}

void special_named(const struct tell *t, uint64_t value, const char *set)
{
    const struct name_set *names = fields_names(str_of(set));

    if (names) {
        tell_constant(t, value, names);
    } else {
        special_hex(t, value);
    }
}

bool special_more(const struct tell *t, uint64_t shown)
{
    return shown >=
               (t->options->verbose ? TELL_ELEMENTS_VERBOSE : TELL_ELEMENTS) ||
           !tell_may(t);
}

/* --- Texts ------------------------------------------------------------ */

/* What there is of a text that is longer than its room. */
static void tell_clipped(const struct tell *t, uint64_t address, uint64_t room,
                         uint64_t most)
{
    uint16_t units[NAME_UNITS];
    uint64_t size = room < most ? room : most;
    struct sink_text text = { .kind = TEXT_UTF16, .p = units, .cut = true };

    if (size > sizeof(units)) {
        size = sizeof(units);
    }
    text.size = memory_read(t->memory, address, units, (size_t)size) / 2;
    if (text.size == 0) {
        tell_pointer(t, address);
        return;
    }
    t->sink->ops->text(t->sink, &text);
}

/* A text in a structure that was not copied so far: nobody passed its
 * address, so it means nothing. True if that is told. */
static bool tell_missing(const struct tell *t, uint64_t address,
                         uint64_t length, uint64_t room)
{
    if (room == SPECIAL_ANY || length == 0 ||
        (room > 0 && special_there(t, address))) {
        return false;
    }
    t->sink->ops->unknown(t->sink);
    return true;
}

void special_name(const struct tell *t, uint64_t address, uint64_t length,
                  uint64_t room)
{
    if (tell_missing(t, address, length, room)) {
        return;
    }
    if (length > room) {
        tell_clipped(t, address, room, UINT64_MAX);
        return;
    }
    tell_name(t, address, length);
}

void special_text(const struct tell *t, uint64_t address, uint64_t length,
                  uint64_t room)
{
    if (tell_missing(t, address, length, room)) {
        return;
    }
    if (length > room) {
        tell_clipped(t, address, room, 2ull * t->options->string_max);
        return;
    }
    tell_text(t, address, length);
}

bool special_zero_name(const struct tell *t, uint64_t address)
{
    uint16_t units[NAME_UNITS];
    size_t count = memory_read(t->memory, address, units, sizeof(units)) / 2;
    struct sink_text text = { .kind = TEXT_UTF16, .p = units, .cut = true };

    if (address == 0 || count == 0) {
        return false;
    }
    while (text.size < count && units[text.size] != 0) {
        text.size++;
    }
    text.cut = text.size == count;
    t->sink->ops->text(t->sink, &text);
    return true;
}

void special_chars(const struct tell *t, uint64_t address, uint64_t length,
                   uint64_t room)
{
    uint8_t bytes[256];
    uint16_t units[sizeof(bytes)];
    uint64_t size = length < room ? length : room;
    struct sink_text text = { .kind = TEXT_UTF16, .p = units };

    if (tell_missing(t, address, length, room)) {
        return;
    }
    if (size > sizeof(bytes)) {
        size = sizeof(bytes);
    }
    text.size = memory_read(t->memory, address, bytes, (size_t)size);
    if (text.size == 0 && length > 0) {
        tell_pointer(t, address);
        return;
    }
    for (size_t i = 0; i < text.size; i++) {
        units[i] = bytes[i];
    }
    text.cut = text.size < length;
    t->sink->ops->text(t->sink, &text);
}

void special_data(const struct tell *t, uint64_t address, uint64_t length,
                  uint64_t room)
{
    uint8_t bytes[256];
    uint64_t size = room;

    if (tell_missing(t, address, length, room)) {
        return;
    }
    if (length <= room) {
        tell_data(t, address, length);
        return;
    }
    if (size > t->options->string_max) {
        size = t->options->string_max;
    }
    if (size > sizeof(bytes)) {
        size = sizeof(bytes);
    }
    size = memory_read(t->memory, address, bytes, (size_t)size);
    if (size == 0) {
        tell_pointer(t, address);
        return;
    }
    t->sink->ops->data(t->sink, bytes, (size_t)size, true);
}

/* --- Sizes ------------------------------------------------------------ */

uint64_t special_said(const struct tell *t, const char *length,
                      const char *written)
{
    uint64_t said;
    uint64_t pointer;
    uint64_t filled;
    uint32_t word;

    if (!tell_arg(t, length, &said)) {
        return SPECIAL_ANY;
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

/* --- Building --------------------------------------------------------- */

struct build_at special_at_arg(int arg, enum capture_when when)
{
    return (struct build_at){ .base = (uint8_t)arg, .when = (uint8_t)when };
}

struct build_at special_at_piece(int piece, uint16_t offset,
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

struct capture_op special_op(struct build_at at, uint32_t size)
{
    struct capture_op op = op_at(at);

    op.size.unit = CAPTURE_ONE;
    op.size.scale = size;
    return op;
}

struct capture_op special_op_arg(struct build_at at, int from, uint32_t scale)
{
    struct capture_op op = op_at(at);

    op.size.unit = CAPTURE_VALUE;
    op.size.from = (uint8_t)from;
    op.size.scale = scale;
    return op;
}

struct capture_op special_op_field(struct build_at at, enum capture_unit unit,
                                   int piece, uint16_t offset, uint32_t scale)
{
    struct capture_op op = op_at(at);

    op.size.unit = (uint8_t)unit;
    op.size.from = (uint8_t)(CAPTURE_PIECE + piece);
    op.size.offset = offset;
    op.size.scale = scale;
    return op;
}

static enum capture_unit unit_of(uint32_t size)
{
    return size == 2   ? CAPTURE_FIELD16
           : size == 8 ? CAPTURE_FIELD64
                       : CAPTURE_FIELD32;
}

int special_build_tail(struct build *b, const struct special_type *type,
                       const struct struct_row *row, struct build_at at)
{
    const struct struct_field *last = special_field_of(row, type->last);
    const struct struct_field *length = special_field_of(row, type->length);
    bool by_arg = at.base < CAPTURE_PIECE;
    struct capture_op op;
    int piece;
    int tail;

    /* Behind a pointer in a piece the tail cannot be told apart from the
     * head: a little of both. */
    op = special_op(at, last && !by_arg ? row->size + 256u : row->size);
    piece = build_op(b, op);
    if (piece == BUILD_FULL || !last || !length || !by_arg ||
        length->size == 1) {
        return piece;
    }
    op = special_op_field(at, unit_of(length->size), piece,
                          (uint16_t)length->offset,
                          type->tail == TAIL_ARRAY ? last->size : 1);
    op.offset = (uint16_t)last->offset;
    op.most =
        type->tail == TAIL_NAME ? 2 * NAME_UNITS
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
