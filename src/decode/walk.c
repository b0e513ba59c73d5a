/* SPDX-License-Identifier: MIT */
/*
 * walk.c - structures field by field, with what comes behind them: a name,
 * data, an array; and lists of them. There is no other walker.
 *
 * A field that only says how long another one is, where the next entry lies,
 * or that means nothing, is left out unless -v asks for everything.
 */
#include "decode/special.h"

#include "tables/unions.h"

#include <string.h>

#include "base/banned.h"

/* --- Fields ----------------------------------------------------------- */

/* "u1.s1.TotalLength" is told as TotalLength. */
static str last_name(const char *name)
{
    str head = str_of(name);
    str tail = head;

    while (str_cut(tail, '.', &head, &tail)) {
    }
    return head;
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

static void tell_bits(const struct tell *t, const struct struct_field *field,
                      const struct name_set *set, uint64_t address)
{
    uint64_t value = 0;
    uint32_t bit = field->first_bit;
    /* Where the bits lie the bytes are read one by one: how wide the
     * field's own type is, no row says. */
    uint32_t bytes = (bit + field->bits + 7u) / 8u;

    if (!special_word(t, address, bytes, &value)) {
        t->sink->ops->unknown(t->sink);
        return;
    }
    value >>= bit;
    if (field->bits < 64) {
        value &= (1ull << field->bits) - 1;
    }
    if (set) {
        tell_constant(t, value, set);
    } else if (field->bits > 8) {
        special_hex(t, value);
    } else {
        special_number(t, value);
    }
}

/* `as` NULL: what the field itself says. */
static void tell_field(const struct tell *t, const struct struct_row *row,
                       const struct struct_field *field,
                       const struct union_member *as, uint64_t address)
{
    str name = last_name(field->name);
    const struct name_set *set = as && as->set
                                     ? fields_names(str_of(as->set))
                                     : fields_set(str_of(row->name), name);
    struct ctype type;

    t->sink->ops->arg(t->sink, name, NULL);
    address += field->offset;
    if (field->bits) {
        tell_bits(t, field, set, address);
    } else {
        ctype_of(str_of(as && as->type ? as->type : field->type), &type);
        tell_ctype(t, &type, name, address, field->size, set);
    }
}

void special_field(const struct tell *t, const struct struct_row *row,
                   const struct struct_field *field, uint64_t address)
{
    tell_field(t, row, field, NULL, address);
}

/* --- Which fields ----------------------------------------------------- */

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

/* Nothing that anybody wants to know. */
static bool is_filler(const char *name)
{
    static const str starts[] = {
        STR_INIT("Reserved"),  STR_INIT("Spare"),
        STR_INIT("Padding"),   STR_INIT("Sbz"),
        STR_INIT("Unused"),    STR_INIT("NextEntryOffset"),
        STR_INIT("FileIndex"), STR_INIT("TitleIndex"),
    };
    str last = last_name(name);

    for (size_t i = 0; i < COUNT_OF(starts); i++) {
        if (str_starts(last, starts[i])) {
            return true;
        }
    }
    return false;
}

/* Without its fillers nothing would be left of `said` bytes of it. */
static bool is_filler_only(const struct struct_row *row, uint64_t said)
{
    for (uint32_t i = 0; i < row->field_count; i++) {
        if (row->fields[i].offset < said && !is_filler(row->fields[i].name)) {
            return false;
        }
    }
    return true;
}

static bool is_last(const struct special_type *type,
                    const struct struct_field *field)
{
    return type && type->last && strcmp(field->name, type->last) == 0;
}

static bool is_shown(const struct tell *t, const struct special_type *type,
                     const struct struct_field *field, bool fillers)
{
    if (t->options->verbose) {
        return true;
    }
    if (is_filler(field->name)) {
        return fillers;
    }
    if (!type) {
        return true;
    }
    return type->brief
               ? in_words(type->brief, field->name)
               : !type->length || strcmp(field->name, type->length) != 0;
}

/* --- Unions ----------------------------------------------------------- */

/* What a structure's union is, in the memory at hand. */
struct choice {
    const struct union_row *row;        // NULL: it has none
    const struct union_member *member;  // NULL: not known which
    uint32_t from;                      // bytes of the structure
    uint32_t to;
};

static struct choice choose(const struct tell *t, const struct struct_row *row,
                            uint64_t address)
{
    struct choice c = { .row = union_find(str_of(row->name)) };
    const struct struct_field *by =
        c.row ? special_field_of(row, c.row->selector) : NULL;
    uint32_t bytes;
    uint64_t value;

    if (!by) {
        return c;
    }
    union_span(c.row, row, &c.from, &c.to);
    bytes = by->bits ? (by->first_bit + by->bits + 7u) / 8u : by->size;
    if (special_word(t, address + by->offset, bytes, &value)) {
        c.member = union_member(c.row, value >> by->first_bit);
    }
    return c;
}

void special_union(const struct tell *t, const struct struct_row *row,
                   uint64_t address)
{
    struct choice c = choose(t, row, address);

    for (uint32_t i = 0; c.member && i < row->field_count; i++) {
        if (union_has(c.member, row->fields[i].name)) {
            tell_field(t, row, &row->fields[i], c.member, address);
        }
    }
}

/* A union of which nobody knows which member counts: its bytes. */
static void tell_bare(const struct tell *t, const struct choice *c,
                      uint64_t address, uint64_t said)
{
    uint64_t size = (said < c->to ? said : c->to) - c->from;
    uint64_t value;

    special_open(t, c->row->name);
    if (!special_there(t, address + c->from)) {
        t->sink->ops->unknown(t->sink);
    } else if (size <= 8 &&
               special_word(t, address + c->from, (uint32_t)size, &value)) {
        special_hex(t, value);
    } else {
        tell_data(t, address + c->from, size);
    }
}

/* --- Tails ------------------------------------------------------------ */

static void tell_tail(const struct tell *t, const struct struct_row *row,
                      const struct special_type *type, uint64_t address,
                      uint64_t said)
{
    const struct struct_field *last = special_field_of(row, type->last);
    const struct struct_field *length = special_field_of(row, type->length);
    uint64_t room;
    uint64_t size = 0;
    struct ctype c;

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
        /* Nobody passed its address, so that it means nothing. */
        if (size > 0 && !special_there(t, address)) {
            t->sink->ops->begin(t->sink, GROUP_ARRAY);
            t->sink->ops->more(t->sink);
            t->sink->ops->end(t->sink, GROUP_ARRAY);
            break;
        }
        ctype_of(str_of(last->type), &c);
        tell_elements(t, &c, str_of(last->name), address, size,
                      room / last->size,
                      fields_set(str_of(row->name), str_of(last->name)));
        break;
    }
}

/* --- Structures ------------------------------------------------------- */

void special_struct(const struct tell *t, const struct struct_row *row,
                    const struct special_type *type, uint64_t address,
                    uint64_t said)
{
    bool fillers = is_filler_only(row, said);
    struct tell inner = *t;
    struct sink *s = t->sink;
    struct choice choice = choose(t, row, address);
    uint32_t end = 0;
    bool begun = false;
    bool bare = choice.row && !choice.member;

    inner.depth++;
    for (uint32_t i = 0; i < row->field_count; i++) {
        const struct struct_field *field = &row->fields[i];
        bool last = is_last(type, field);
        bool chosen = field->offset >= choice.from && field->offset < choice.to;

        if (chosen && choice.member && !union_has(choice.member, field->name)) {
            continue;
        }
        /* Of a union that nothing selects the first member is told, bit
         * fields after it. */
        if (field->offset < end && !field->bits) {
            continue;
        }
        if (field->size > 0) {
            end = chosen && bare ? choice.to : field->offset + field->size;
        }
        if (chosen && bare && (field->bits || field->offset > choice.from)) {
            continue;
        }
        if (!(chosen && bare) && !is_shown(t, type, field, fillers)) {
            continue;
        }
        if (field->offset > said || (field->offset == said && !last)) {
            break; /* an older, shorter form of it */
        }
        if (!begun) {
            s->ops->begin(s, GROUP_STRUCT);
        }
        if (!tell_may(t) && begun) {
            s->ops->more(s);
            break;
        }
        begun = true;
        if (last) {
            tell_tail(&inner, row, type, address, said);
        } else if (chosen && bare) {
            tell_bare(&inner, &choice, address, said);
        } else {
            tell_field(&inner, row, field, chosen ? choice.member : NULL,
                       address);
        }
    }
    if (begun) {
        s->ops->end(s, GROUP_STRUCT);
    } else {
        s->ops->unknown(s);
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
        uint32_t next = 0;
        bool known;

        if (special_more(t, shown) || !special_there(t, address)) {
            t->sink->ops->more(t->sink);
            break;
        }
        known = memory_u32(t->memory, address, &next);
        if (type->tell) {
            if (!type->tell(t, address, said)) {
                t->sink->ops->unknown(t->sink);
            }
        } else {
            special_struct(t, row, type, address, said);
        }
        shown++;
        if (known && next == 0) {
            break;
        }
        /* One that leads out of the buffer, or into the entry itself. */
        if (!known || next < 8 || next >= said) {
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
    if (size == 0 || (row && size == row->size && special->tail != TAIL_REST)) {
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

void walk_struct(const struct tell *t, const struct struct_row *row,
                 uint64_t address, uint64_t size)
{
    if (t->depth >= TELL_DEPTH_MAX) {
        tell_pointer(t, address);
    } else if (special_tell_struct(t, str_of(row->name), address, size)) {
        /* told */
    } else if (!tell_known(t, address)) {
        tell_pointer(t, address);
    } else {
        special_struct(t, row, NULL, address, size ? size : SPECIAL_ANY);
    }
}

bool special_buffer(const struct tell *t, const char *type, uint64_t address,
                    uint64_t said)
{
    str element;
    str rest;
    bool array = str_cut(str_of(type), '[', &element, &rest);
    struct ctype c;

    if (!special_there(t, address) || said == 0) {
        return false;
    }
    if (!array && special_tell_struct(t, element, address, said)) {
        return true;
    }
    if (!ctype_of(element, &c) || c.size == 0) {
        return false;
    }
    if (array) {
        struct ctype of = { .size = c.size, .to = element };

        /* A last one that is not whole is marked. */
        tell_elements(t, &of, STR(""), address,
                      said / c.size + (said % c.size != 0), said / c.size,
                      NULL);
    } else if (c.sort == SORT_STRUCT) {
        special_struct(t, c.row, NULL, address, said);
    } else if (said < c.size) {
        return false;
    } else {
        tell_ctype(t, &c, STR(""), address, c.size, NULL);
    }
    return true;
}
