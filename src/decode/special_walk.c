/* SPDX-License-Identifier: MIT */
/*
 * special_walk.c - structures field by field, with what comes behind them:
 * a name, data, an array; and lists of them.
 *
 * A field that only says how long another one is, or where the next entry
 * lies, is left out unless -v asks for everything.
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
    uint8_t bytes[8] = { 0 };
    uint64_t value = 0;

    if (size == 0 || size > sizeof(bytes) ||
        memory_read(t->memory, address, bytes, size) != size) {
        return false;
    }
    for (uint32_t i = size; i > 0; i--) {
        value = value << 8 | bytes[i - 1];
    }
    *out = value;
    return true;
}

bool special_u8(const struct tell *t, uint64_t address, uint8_t *out)
{
    return memory_read(t->memory, address, out, 1) == 1;
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

/* --- Fields ----------------------------------------------------------- */

static str last_part(const char *name)
{
    str head = str_of(name);
    str tail = head;

    while (str_cut(tail, '.', &head, &tail)) {
    }
    return head;
}

static bool is_time(str name)
{
    return str_ends(name, STR("Time"));
}

static bool is_duration(str name)
{
    return str_eq(name, STR("KernelTime")) || str_eq(name, STR("UserTime"));
}

static void tell_large(const struct tell *t, str name, uint64_t value)
{
    struct sink *s = t->sink;

    if (str_ends(name, STR("Timeout"))) {
        tell_timeout(t, (int64_t)value);
    } else if (is_duration(name)) {
        s->ops->duration(s, (int64_t)value);
    } else if (is_time(name) && (int64_t)value > 0) {
        s->ops->time(s, (int64_t)value);
    } else {
        s->ops->number(s, NUMBER_SIGNED, value);
    }
}

/* Words whose type says too little. True if told. */
static bool tell_odd(const struct tell *t, str type, str name,
                     const struct name_set *set, uint64_t address)
{
    struct sink *s = t->sink;
    uint64_t value;

    if (str_eq(type, STR("PSID"))) {
        if (!memory_u64(t->memory, address, &value)) {
            s->ops->unknown(s);
        } else {
            special_sid(t, value, SPECIAL_ANY);
        }
        return true;
    }
    if (str_eq(type, STR("PACL"))) {
        if (!memory_u64(t->memory, address, &value)) {
            s->ops->unknown(s);
        } else if (!special_acl_tell(t, value, SPECIAL_ANY)) {
            tell_pointer(t, value);
        }
        return true;
    }
    if (str_eq(type, STR("LUID"))) {
        if (!memory_u64(t->memory, address, &value)) {
            s->ops->unknown(s);
        } else if (set) {
            tell_constant(t, value, set);
        } else {
            special_hex(t, value);
        }
        return true;
    }
    if (str_eq(type, STR("LARGE_INTEGER"))) {
        if (!memory_u64(t->memory, address, &value)) {
            s->ops->unknown(s);
        } else {
            tell_large(t, name, value);
        }
        return true;
    }
    if (str_eq(type, STR("HANDLE32"))) {
        uint32_t handle;

        if (!memory_u32(t->memory, address, &handle)) {
            s->ops->unknown(s);
        } else {
            tell_handle(t, handle,
                        t->call && t->call->handles
                            ? handles_find(t->call->handles, handle)
                            : NULL);
        }
        return true;
    }
    if (str_eq(type, STR("HANDLE")) &&
        (str_starts(name, STR("Unique")) ||
         str_starts(name, STR("ProcessId")) ||
         str_starts(name, STR("InheritedFromUnique")))) {
        if (!memory_u64(t->memory, address, &value)) {
            s->ops->unknown(s);
        } else {
            special_number(t, value);
        }
        return true;
    }
    return false;
}

static void tell_bits(const struct tell *t, const struct struct_field *field,
                      const struct name_set *set, uint64_t address)
{
    uint32_t bytes = (field->first_bit + field->bits + 7u) / 8u;
    uint64_t value;

    if (field->bits > 63 || !special_word(t, address, bytes, &value)) {
        t->sink->ops->unknown(t->sink);
        return;
    }
    value = value >> field->first_bit & ((1ull << field->bits) - 1);
    if (set) {
        tell_constant(t, value, set);
    } else {
        special_number(t, value);
    }
}

static void tell_value(const struct tell *t, str structure,
                       const struct struct_field *field, uint64_t address)
{
    str name = last_part(field->name);
    const struct name_set *set = fields_set(structure, name);
    const struct special_type *type;

    if (field->bits) {
        tell_bits(t, field, set, address);
        return;
    }
    if (tell_odd(t, str_of(field->type), name, set, address)) {
        return;
    }
    type = special_type_of(str_of(field->type));
    if (type && t->depth < TELL_DEPTH_MAX && special_there(t, address)) {
        struct tell inner = *t;

        inner.depth++;
        if (special_tell_struct(&inner, str_of(field->type), address, 0)) {
            return;
        }
    }
    tell_named(t, str_of(field->type), name, address, field->size, set);
}

void special_field(const struct tell *t, const struct struct_row *row,
                   const struct struct_field *field, uint64_t address)
{
    t->sink->ops->arg(t->sink, last_part(field->name), NULL);
    tell_value(t, str_of(row->name), field, address + field->offset);
}

static const struct struct_field *field_of(const struct struct_row *row,
                                           const char *name)
{
    for (uint32_t i = 0; name && i < row->field_count; i++) {
        if (strcmp(row->fields[i].name, name) == 0) {
            return &row->fields[i];
        }
    }
    return NULL;
}

static bool in_words(const char *words, const char *name)
{
    str word;
    str rest = str_of(words);

    while (rest.size > 0) {
        (void)str_cut(rest, ' ', &word, &rest);
        if (str_eq(word, str_of(name))) {
            return true;
        }
    }
    return false;
}

static bool is_plumbing(const char *name)
{
    return strcmp(name, "NextEntryOffset") == 0 ||
           strncmp(name, "Reserved", 8) == 0 ||
           strcmp(name, "FileIndex") == 0 || strcmp(name, "TitleIndex") == 0;
}

static void tell_tail(const struct tell *t, const struct struct_row *row,
                      const struct special_type *type, uint64_t address,
                      uint64_t said)
{
    const struct struct_field *last = field_of(row, type->last);
    const struct struct_field *length = field_of(row, type->length);
    uint64_t room;
    uint64_t size = 0;
    str element;
    str rest;

    if (!last || (type->tail != TAIL_REST && !length)) {
        return;
    }
    special_open(t, last->name);
    room = said > last->offset ? said - last->offset : 0;
    if (length &&
        !special_word(t, address + length->offset, length->size, &size)) {
        t->sink->ops->unknown(t->sink);
        return;
    }
    address += last->offset;
    switch ((enum special_tail)type->tail) {
    case TAIL_NONE:
        break;
    case TAIL_NAME:
        special_name(t, address, size, room);
        break;
    case TAIL_CHARS:
        special_chars(t, address, size, room);
        break;
    case TAIL_DATA:
        special_data(t, address, size, room);
        break;
    case TAIL_REST:
        if (said == SPECIAL_ANY) {
            t->sink->ops->unknown(t->sink);
        } else {
            tell_data(t, address, room);
        }
        break;
    case TAIL_ARRAY:
        (void)str_cut(str_of(last->type), '[', &element, &rest);
        if (size > room / last->size) {
            size = room / last->size;
        }
        t->sink->ops->begin(t->sink, GROUP_ARRAY);
        for (uint64_t i = 0; i < size; i++) {
            uint64_t at = address + i * last->size;
            struct struct_field one = *last;
            char name[64];
            struct buf spelled = BUF_OVER(name);

            if (special_more(t, i) || !special_there(t, at)) {
                t->sink->ops->more(t->sink);
                break;
            }
            buf_add(&spelled, element);
            buf_add(&spelled, STR("\0"));
            one.type = name;
            tell_value(t, str_of(row->name), &one, at);
        }
        t->sink->ops->end(t->sink, GROUP_ARRAY);
        break;
    }
}

static bool is_shown(const struct tell *t, const struct special_type *type,
                     const struct struct_field *field)
{
    if (t->options->verbose) {
        return true;
    }
    if (!type) {
        return !is_plumbing(field->name);
    }
    if (type->last && strcmp(field->name, type->last) == 0) {
        return true;
    }
    return !is_plumbing(field->name) &&
           !(type->length && strcmp(field->name, type->length) == 0) &&
           !(type->brief && !in_words(type->brief, field->name));
}

void special_struct(const struct tell *t, const struct struct_row *row,
                    const struct special_type *type, uint64_t address,
                    uint64_t said)
{
    uint32_t end = 0;
    bool begun = false;

    for (uint32_t i = 0; i < row->field_count; i++) {
        const struct struct_field *field = &row->fields[i];
        bool last;

        /* Of a union the first member is told, bit fields after it. */
        if (field->offset < end && !field->bits) {
            continue;
        }
        if (field->size > 0) {
            end = field->offset + field->size;
        }
        if (!is_shown(t, type, field)) {
            continue;
        }
        last = type && type->last && strcmp(field->name, type->last) == 0;
        if (field->offset > said || (field->offset == said && !last)) {
            break; /* an older, shorter form of it */
        }
        if (!begun) {
            t->sink->ops->begin(t->sink, GROUP_STRUCT);
            begun = true;
        }
        if (last) {
            tell_tail(t, row, type, address, said);
        } else {
            special_field(t, row, field, address);
        }
    }
    if (begun) {
        t->sink->ops->end(t->sink, GROUP_STRUCT);
    } else {
        t->sink->ops->unknown(t->sink);
    }
}

/* Entries that say how far the next one is, from the first at `address`. */
static void tell_list(const struct tell *t, const struct struct_row *row,
                      const struct special_type *type, uint64_t address,
                      uint64_t said)
{
    uint64_t shown = 0;

    t->sink->ops->begin(t->sink, GROUP_ARRAY);
    for (;;) {
        uint32_t next;

        if (special_more(t, shown) || !special_there(t, address)) {
            t->sink->ops->more(t->sink);
            break;
        }
        if (!memory_u32(t->memory, address, &next)) {
            next = 0;
        }
        if (type->tell) {
            if (!type->tell(t, address, said)) {
                t->sink->ops->unknown(t->sink);
            }
        } else {
            special_struct(t, row, type, address, said);
        }
        shown++;
        if (next == 0) {
            break;
        }
        /* One that leads out of the buffer, or into the entry itself. */
        if (next < 8 || next >= said) {
            t->sink->ops->more(t->sink);
            break;
        }
        address += next;
        if (said != SPECIAL_ANY) {
            said -= next;
        }
    }
    t->sink->ops->end(t->sink, GROUP_ARRAY);
}

bool special_tell_struct(const struct tell *t, str type, uint64_t address,
                         uint64_t size)
{
    const struct special_type *special = special_type_of(type);
    const struct struct_row *row;

    if (!special || t->depth > TELL_DEPTH_MAX || !special_there(t, address)) {
        return false;
    }
    row =
        ioctl_struct(special->layout ? str_of(special->layout) : special->name);
    /* Where only the structure's own size is known, nobody has said. */
    if (size == 0 || (row && size == row->size)) {
        size = SPECIAL_ANY;
    }
    if (row && row->field_count > 0 &&
        strcmp(row->fields[0].name, "NextEntryOffset") == 0) {
        tell_list(t, row, special, address, size);
        return true;
    }
    if (special->tell) {
        return special->tell(t, address, size);
    }
    if (!row) {
        return false;
    }
    special_struct(t, row, special, address, size);
    return true;
}

/* A buffer that is one word, or a small structure. */
static bool tell_simple(const struct tell *t, str type,
                        const struct struct_row *row, uint64_t address,
                        uint64_t said)
{
    static const struct {
        str name;
        uint32_t size;
    } words[] = {
        { STR_INIT("BOOLEAN"), 1 },  { STR_INIT("USHORT"), 2 },
        { STR_INIT("LONG"), 4 },     { STR_INIT("ULONG"), 4 },
        { STR_INIT("NTSTATUS"), 4 }, { STR_INIT("HANDLE"), 8 },
    };
    uint64_t value;

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (str_eq(type, words[i].name)) {
            if (said < words[i].size) {
                return false;
            }
            tell_type(t, type, address, words[i].size, NULL);
            return true;
        }
    }
    if (str_eq(type, STR("LARGE_INTEGER"))) {
        if (said < 8 || !memory_u64(t->memory, address, &value)) {
            return false;
        }
        t->sink->ops->number(t->sink, NUMBER_SIGNED, value);
        return true;
    }
    if (row) {
        special_struct(t, row, NULL, address, said);
    }
    return row;
}

bool special_buffer(const struct tell *t, const char *type, uint64_t address,
                    uint64_t said)
{
    str element;
    str rest;
    bool array = str_cut(str_of(type), '[', &element, &rest);
    const struct struct_row *row = ioctl_struct(element);

    if (!special_there(t, address) || said == 0) {
        return false;
    }
    if (!array) {
        if (special_tell_struct(t, element, address, said)) {
            return true;
        }
        if (row && row->size > 8) {
            special_struct(t, row, NULL, address, said);
            return true;
        }
        return tell_simple(t, element, row, address, said);
    }
    if (!row || row->size == 0) {
        return false;
    }
    t->sink->ops->begin(t->sink, GROUP_ARRAY);
    for (uint64_t i = 0; said - i * row->size >= row->size; i++) {
        uint64_t at = address + i * row->size;

        if (special_more(t, i) || !special_there(t, at)) {
            t->sink->ops->more(t->sink);
            break;
        }
        special_struct(t, row, NULL, at, row->size);
    }
    t->sink->ops->end(t->sink, GROUP_ARRAY);
    return true;
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
            memory_u64(t->memory, pointer + 8, &filled) && filled < said) {
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
    const struct struct_field *last = field_of(row, type->last);
    const struct struct_field *length = field_of(row, type->length);
    bool by_arg = at.base < CAPTURE_PIECE;
    struct capture_op op;
    int piece;

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
    (void)build_op(b, op);
    return piece;
}
