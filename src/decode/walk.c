/* SPDX-License-Identifier: MIT */
/*
 * walk.c - structures field by field, with what comes behind them: a name,
 * data, an array; and lists of them.
 *
 * A field that only says how long another one is, or where the next entry
 * lies, is left out unless -v asks for everything.
 */
#include "decode/special.h"

#include <string.h>

#include "base/banned.h"

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

const struct struct_field *special_field_of(const struct struct_row *row,
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
    const struct struct_field *last = special_field_of(row, type->last);
    const struct struct_field *length = special_field_of(row, type->length);
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

/* --- By the row alone ----------------------------------------------- */

static const struct struct_field *plain_field(const struct struct_row *row,
                                              str name)
{
    for (uint32_t i = 0; i < row->field_count; i++) {
        if (str_eq(str_of(row->fields[i].name), name)) {
            return &row->fields[i];
        }
    }
    return NULL;
}

/* How many bytes (of text or data), or elements, the field `f` has that ends
 * its structure: another field says it. */
static bool plain_count(const struct tell *t, const struct struct_row *row,
                        const struct struct_field *f, uint64_t address,
                        bool bytes, uint64_t *out)
{
    str name = str_of(f->name);
    char room[80];
    struct buf b = BUF_OVER(room);
    const struct struct_field *by;

    buf_add(&b, name);
    buf_add(&b, STR("Length"));
    by = plain_field(row, buf_str(&b));
    for (uint32_t i = 0; !by && i < row->field_count; i++) {
        str other = str_of(row->fields[i].name);

        if (row->fields[i].type &&
            (bytes ? str_ends(other, STR("Length"))
                   : str_ends(other, STR("Count")) ||
                         str_starts(other, STR("NumberOf")))) {
            by = &row->fields[i];
        }
    }
    return by && by->size <= 8 &&
           special_word(t, address + by->offset, by->size, out);
}

static void plain_tail(const struct tell *t, const struct struct_row *row,
                       const struct struct_field *f, const struct ctype *type,
                       uint64_t address)
{
    uint64_t at = address + f->offset;
    bool bytes = type->sort == SORT_WCHAR || type->sort == SORT_BYTE;
    uint64_t count;

    if (!plain_count(t, row, f, address, bytes, &count)) {
        if (bytes) {
            t->sink->ops->unknown(t->sink);
            return;
        }
        count = 1;
    }
    if (type->sort == SORT_WCHAR) {
        if (count >= 2 && !tell_known(t, at)) {
            t->sink->ops->unknown(t->sink);
        } else {
            tell_name(t, at, count);
        }
    } else if (type->sort == SORT_BYTE) {
        if (count > 0 && !tell_known(t, at)) {
            t->sink->ops->unknown(t->sink);
        } else {
            tell_data(t, at, count);
        }
    } else {
        tell_array(t, type->to, at, count, type->size,
                   fields_set(str_of(row->name), str_of(f->name)));
    }
}

/* "u1.s1.TotalLength" is told as TotalLength. */
static str last_name(str name)
{
    str head;

    while (str_cut(name, '.', &head, &name)) {
    }
    return head;
}

static bool is_filler(str name)
{
    return str_starts(name, STR("Reserved")) ||
           str_starts(name, STR("Spare")) || str_starts(name, STR("Padding")) ||
           str_starts(name, STR("Sbz")) || str_starts(name, STR("Unused"));
}

/* Without its fillers nothing would be left of `size` bytes of it. */
static bool is_filler_only(const struct struct_row *row, uint64_t size)
{
    for (uint32_t i = 0; i < row->field_count; i++) {
        if (row->fields[i].offset < size &&
            !is_filler(last_name(str_of(row->fields[i].name)))) {
            return false;
        }
    }
    return true;
}

static void plain_bits(const struct tell *t, const struct struct_field *f,
                       uint64_t address)
{
    uint64_t value = 0;
    uint32_t bit = f->first_bit;
    /* Where the bits lie the bytes are read one by one: how wide the
     * field's own type is, no row says. */
    uint32_t bytes = (bit + f->bits + 7) / 8;

    if (!special_word(t, address + f->offset, bytes, &value)) {
        t->sink->ops->unknown(t->sink);
        return;
    }
    value >>= bit;
    if (f->bits < 64) {
        value &= (1ull << f->bits) - 1;
    }
    t->sink->ops->number(t->sink, f->bits > 8 ? NUMBER_HEX : NUMBER_DEC, value);
}

/* The fields of a structure of which `size` bytes are said to be there. */
static void plain_fields(const struct tell *t, const struct struct_row *row,
                         uint64_t address, uint64_t size)
{
    bool fillers = t->options->verbose || is_filler_only(row, size);
    struct tell inner = *t;
    struct sink *s = t->sink;

    inner.depth++;
    s->ops->begin(s, GROUP_STRUCT);
    for (uint32_t i = 0; i < row->field_count; i++) {
        const struct struct_field *f = &row->fields[i];
        str name = str_of(f->name);
        struct ctype type;

        if (f->offset >= size) {
            break;
        }
        if (!tell_may(t) && i > 0) {
            s->ops->more(s);
            break;
        }
        if (!fillers && is_filler(last_name(name))) {
            continue;
        }
        s->ops->arg(s, last_name(name), NULL);
        if (!f->type) {
            plain_bits(&inner, f, address);
            continue;
        }
        ctype_of(str_of(f->type), &type);
        if (type.count == 1 && i + 1 == row->field_count) {
            plain_tail(&inner, row, f, &type, address);
        } else {
            tell_ctype(&inner, &type, name, address + f->offset, f->size,
                       fields_set(str_of(row->name), name));
        }
    }
    s->ops->end(s, GROUP_STRUCT);
}

void walk_struct(const struct tell *t, const struct struct_row *row,
                 uint64_t address, uint64_t size)
{
    if (t->depth >= TELL_DEPTH_MAX) {
        tell_pointer(t, address);
        return;
    }
    if (special_tell_struct(t, str_of(row->name), address, size)) {
        return;
    }
    if (!tell_known(t, address)) {
        tell_pointer(t, address);
        return;
    }
    plain_fields(t, row, address, size ? size : row->size);
}
