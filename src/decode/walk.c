/* SPDX-License-Identifier: MIT */
/*
 * walk.c - values by their types: structures field by field, with what comes
 * behind them, a name, data, an array; and lists of them. There is no other
 * walker.
 *
 * A field that only says how long another one is, where the next entry lies,
 * or that means nothing, is left out unless -v asks for everything.
 *
 * Whatever a structure in memory says of itself - a length, a count, an
 * offset - is the target's word, and is held against the bytes that are
 * there. What no table knows is told as numbers and bytes.
 */
#include "decode/walk.h"

#include "base/compiler.h"
#include "tables/fields.h"
#include "tables/ioctls.h"
#include "tables/unions.h"

#include <string.h>

#include "base/banned.h"

#define CONTEXT_RSP 0x98
#define CONTEXT_RIP 0xf8

static bool known(const struct tell *t, uint64_t address, uint64_t size)
{
    return size <= SIZE_MAX &&
           memory_read(t->memory, address, NULL, (size_t)size) == size;
}

/* --- Structures of their own sort ------------------------------------- */

static void fixed_number(const struct tell *t, str name, enum sort sort,
                         uint64_t address, uint32_t size,
                         const struct name_set *set)
{
    uint64_t value;

    t->sink->ops->arg(t->sink, name, NULL);
    if (!memory_number(t->memory, address, size, &value)) {
        t->sink->ops->unknown(t->sink);
    } else {
        tell_scalar(t, sort, size, value, set);
    }
}

/* `field` of the structure at `address`. */
static void fixed_field(const struct tell *t, str name, enum sort sort,
                        uint64_t address, enum nt_field field,
                        const struct name_set *set)
{
    fixed_number(t, name, sort, tell_at(t, address, field),
                 nt_size(field, t->width), set);
}

/* A pointer in OBJECT_ATTRIBUTES, by its type. */
static void tell_pointer_field(const struct tell *t, str name, str type,
                               uint64_t address, enum nt_field field)
{
    struct ctype c;

    ctype_of(type, &c);
    walk_ctype(t, &c, name, tell_at(t, address, field),
               nt_size(field, t->width), NULL);
}

/* {Length, RootDirectory, ObjectName, Attributes, SecurityDescriptor,
 * SecurityQualityOfService}, without what is as it usually is. */
/* --short: the name, with the directory that it is below if there is one. */
static void tell_name_alone(const struct tell *t, uint64_t address)
{
    struct sink *s = t->sink;
    uint64_t root;
    uint64_t name;
    bool below =
        !tell_read(t, address, NT_OBJECT_ATTRIBUTES_RootDirectory, &root) ||
        root != 0;

    if (below) {
        s->ops->begin(s, GROUP_STRUCT);
        fixed_field(t, STR(""), SORT_HANDLE, address,
                    NT_OBJECT_ATTRIBUTES_RootDirectory, NULL);
        s->ops->arg(s, STR(""), NULL);
    }
    if (!tell_read(t, address, NT_OBJECT_ATTRIBUTES_ObjectName, &name)) {
        s->ops->unknown(s);
    } else if (name == 0) {
        s->ops->null(s);
    } else {
        tell_unicode_string(t, name);
    }
    if (below) {
        s->ops->end(s, GROUP_STRUCT);
    }
}

static void tell_object_attributes(const struct tell *t, uint64_t address)
{
    struct tell inner = *t;
    uint64_t root = 0;
    uint64_t name = 0;
    uint64_t security = 0;
    uint64_t quality = 0;

    inner.depth++;
    if (t->options->brief) {
        tell_name_alone(t, address);
        return;
    }
    t->sink->ops->begin(t->sink, GROUP_STRUCT);
    if (t->options->verbose) {
        fixed_field(&inner, STR("Length"), SORT_DEC, address,
                    NT_OBJECT_ATTRIBUTES_Length, NULL);
    }
    if (!tell_read(t, address, NT_OBJECT_ATTRIBUTES_RootDirectory, &root) ||
        root != 0 || t->options->verbose) {
        fixed_field(&inner, STR("RootDirectory"), SORT_HANDLE, address,
                    NT_OBJECT_ATTRIBUTES_RootDirectory, NULL);
    }
    t->sink->ops->arg(t->sink, STR("ObjectName"), NULL);
    if (!tell_read(t, address, NT_OBJECT_ATTRIBUTES_ObjectName, &name)) {
        t->sink->ops->unknown(t->sink);
    } else if (name == 0) {
        t->sink->ops->null(t->sink);
    } else {
        tell_unicode_string(&inner, name);
    }
    fixed_field(&inner, STR("Attributes"), SORT_HEX, address,
                NT_OBJECT_ATTRIBUTES_Attributes,
                names_find(STR("OBJ_ATTRIBUTES")));
    if (!tell_read(t, address, NT_OBJECT_ATTRIBUTES_SecurityDescriptor,
                   &security) ||
        security != 0 || t->options->verbose) {
        t->sink->ops->arg(t->sink, STR("SecurityDescriptor"), NULL);
        if (security == 0 ||
            !walk_special(&inner, STR("SECURITY_DESCRIPTOR"), security, 0)) {
            tell_pointer_field(&inner, STR("SecurityDescriptor"),
                               STR("PSECURITY_DESCRIPTOR"), address,
                               NT_OBJECT_ATTRIBUTES_SecurityDescriptor);
        }
    }
    if (!tell_read(t, address, NT_OBJECT_ATTRIBUTES_SecurityQualityOfService,
                   &quality) ||
        quality != 0 || t->options->verbose) {
        t->sink->ops->arg(t->sink, STR("SecurityQualityOfService"), NULL);
        tell_pointer_field(&inner, STR("SecurityQualityOfService"),
                           STR("PSECURITY_QUALITY_OF_SERVICE"), address,
                           NT_OBJECT_ATTRIBUTES_SecurityQualityOfService);
    }
    t->sink->ops->end(t->sink, GROUP_STRUCT);
}

/* Information is a pointer or a number of bytes, unless `results` has it. */
static void tell_io_status(const struct tell *t, uint64_t address,
                           const struct name_set *results)
{
    t->sink->ops->begin(t->sink, GROUP_STRUCT);
    fixed_field(t, STR("Status"), SORT_STATUS, address,
                NT_IO_STATUS_BLOCK_Status, NULL);
    fixed_field(t, STR("Information"), SORT_DEC, address,
                NT_IO_STATUS_BLOCK_Information, results);
    t->sink->ops->end(t->sink, GROUP_STRUCT);
}

static void tell_context(const struct tell *t, uint64_t address)
{
    t->sink->ops->begin(t->sink, GROUP_STRUCT);
    fixed_number(t, STR("Rip"), SORT_CODE, address + CONTEXT_RIP, 8, NULL);
    fixed_number(t, STR("Rsp"), SORT_HEX, address + CONTEXT_RSP, 8, NULL);
    t->sink->ops->end(t->sink, GROUP_STRUCT);
}

void walk_elements(const struct tell *t, const struct ctype *array, str name,
                   uint64_t address, uint64_t count, uint64_t there,
                   const struct name_set *set)
{
    uint64_t most = t->options->verbose ? TELL_ELEMENTS_VERBOSE : TELL_ELEMENTS;
    uint32_t each = array->size;
    struct tell inner = *t;
    struct ctype c;

    ctype_of(array->to, &c);
    if (each == 0) {
        each = c.size;
    }
    if (each == 0 || t->depth >= TELL_DEPTH_MAX ||
        (count > 0 && !tell_known(t, address))) {
        tell_pointer(t, address);
        return;
    }
    /* What is waited for is never cut. */
    if (c.sort == SORT_HANDLE && most < 64) {
        most = 64;
    }
    inner.depth++;
    t->sink->ops->begin(t->sink, GROUP_ARRAY);
    for (uint64_t i = 0; i < count; i++) {
        if (i >= most || i >= there || !known(t, address + i * each, each) ||
            !tell_may(t)) {
            t->sink->ops->more(t->sink);
            break;
        }
        walk_ctype(&inner, &c, name, address + i * each, each, set);
    }
    t->sink->ops->end(t->sink, GROUP_ARRAY);
}

void walk_array(const struct tell *t, str type, uint64_t address,
                uint64_t count, uint32_t each, const struct name_set *set)
{
    struct ctype array = { .size = each, .to = type };

    walk_elements(t, &array, STR(""), address, count, count, set);
}

/* --- By type ---------------------------------------------------------- */

/* What a pointer in a structure points to, if that was copied. */
static void tell_pointee(const struct tell *t, const struct ctype *type,
                         uint64_t value)
{
    struct ctype to;

    if (value == 0 || type->to.size == 0 || t->depth >= TELL_DEPTH_MAX ||
        !tell_known(t, value)) {
        tell_pointer(t, value);
        return;
    }
    ctype_of(type->to, &to);
    if (to.sort == SORT_WCHAR) {
        tell_zero_ended(t, value);
    } else if (to.row || to.sort == SORT_GUID) {
        struct tell inner = *t;

        inner.depth++;
        walk_ctype(&inner, &to, STR(""), value, to.size, NULL);
    } else {
        tell_pointer(t, value);
    }
}

static void tell_ctype_array(const struct tell *t, const struct ctype *type,
                             str name, uint64_t address, uint32_t size,
                             const struct name_set *set)
{
    if (!tell_known(t, address)) {
        t->sink->ops->unknown(t->sink);
    } else if (type->sort == SORT_WCHAR) {
        uint64_t zero = 0;
        uint16_t unit;

        while (zero < size && memory_u16(t->memory, address + zero, &unit) &&
               unit != 0) {
            zero += 2;
        }
        /* Where neither a zero nor the end was seen there is more of it. */
        tell_name(t, address,
                  zero < size && !known(t, address + zero, 2) ? size : zero);
    } else if (type->sort == SORT_BYTE || type->size == 0) {
        tell_data(t, address, size);
    } else {
        walk_elements(t, type, name, address, size / type->size,
                      size / type->size, set);
    }
}

/* As sort_named, and what only fields of structures are. */
static enum sort field_sort(const struct ctype *type, uint32_t size, str name)
{
    static const str code[] = {
        STR_INIT("ExceptionAddress"),  STR_INIT("StartAddress"),
        STR_INIT("Win32StartAddress"), STR_INIT("TransferAddress"),
        STR_INIT("lpfnWndProc"),
    };

    for (size_t i = 0; type->sort == SORT_POINTER && i < COUNT_OF(code); i++) {
        if (str_eq(name, code[i])) {
            return SORT_CODE;
        }
    }
    if (size == 4 && str_eq(name, STR("ExceptionCode"))) {
        return SORT_STATUS;
    }
    return sort_named((enum sort)type->sort, size, name);
}

void walk_ctype(const struct tell *t, const struct ctype *type, str name,
                uint64_t address, uint32_t size, const struct name_set *set)
{
    enum sort sort = field_sort(type, size, name);
    uint64_t value;

    if (type->to.size > 0 && type->sort != SORT_POINTER) {
        tell_ctype_array(t, type, name, address, size, set);
        return;
    }
    if (type->row && walk_special(t, str_of(type->row->name), address, size)) {
        return;
    }
    if (sort == SORT_STRUCT && type->row) {
        walk_struct(t, type->row, address, 0);
    } else if (sort == SORT_UNICODE_STRING) {
        tell_unicode_string(t, address);
    } else if (sort == SORT_ANSI_STRING) {
        tell_ansi_string(t, address);
    } else if (sort == SORT_OBJECT_ATTRIBUTES) {
        if (tell_known(t, address) && t->depth < TELL_DEPTH_MAX) {
            tell_object_attributes(t, address);
        } else {
            tell_pointer(t, address);
        }
    } else if (sort == SORT_IO_STATUS_BLOCK) {
        if (known(t, address, nt_size(NT_IO_STATUS_BLOCK, t->width))) {
            tell_io_status(t, address, set);
        } else {
            tell_pointer(t, address);
        }
    } else if (sort == SORT_CONTEXT) {
        if (known(t, address + CONTEXT_RIP, 8)) {
            tell_context(t, address);
        } else {
            tell_pointer(t, address);
        }
    } else if (sort == SORT_CLIENT_ID) {
        if (known(t, address, nt_size(NT_CLIENT_ID, t->width))) {
            t->sink->ops->begin(t->sink, GROUP_STRUCT);
            fixed_field(t, STR("UniqueProcess"), SORT_ID, address,
                        NT_CLIENT_ID_UniqueProcess, NULL);
            fixed_field(t, STR("UniqueThread"), SORT_ID, address,
                        NT_CLIENT_ID_UniqueThread, NULL);
            t->sink->ops->end(t->sink, GROUP_STRUCT);
        } else {
            tell_pointer(t, address);
        }
    } else if (sort == SORT_GUID) {
        tell_guid(t, address);
    } else if (size > 8) {
        if (tell_known(t, address)) {
            tell_data(t, address, size);
        } else {
            t->sink->ops->unknown(t->sink);
        }
    } else if (!memory_number(t->memory, address, size, &value)) {
        t->sink->ops->unknown(t->sink);
    } else if (sort == SORT_POINTER) {
        if (type->row) {
            tell_pointer(t, value);
        } else {
            tell_pointee(t, type, value);
        }
    } else {
        tell_scalar(t, sort, size, value, set ? set : type->set);
    }
}

void walk_type(const struct tell *t, str type, uint64_t address, uint32_t size,
               const struct name_set *set)
{
    walk_named(t, type, STR(""), address, size, set);
}

void walk_named(const struct tell *t, str type, str name, uint64_t address,
                uint32_t size, const struct name_set *set)
{
    struct ctype c;

    ctype_of(type, &c);
    walk_ctype(t, &c, name, address, size ? size : c.size, set);
}

/* All there is to know of what `arg` points to is in its shape. */
static bool is_one_struct(const struct shape_arg *arg)
{
    return (arg->to_sort == SORT_OBJECT_ATTRIBUTES ||
            arg->to_sort == SORT_UNICODE_STRING ||
            (arg->to_sort == SORT_STRUCT && arg->row != NULL)) &&
           !str_ends(arg->to, STR("]"));
}

void walk_pointed(const struct tell *t, const struct shape_arg *arg,
                  uint64_t address)
{
    uint64_t value;

    if (arg->to_sort == SORT_IO_STATUS_BLOCK) {
        struct ctype c = { .sort = SORT_IO_STATUS_BLOCK, .to = STR("") };

        walk_ctype(t, &c, STR(""), address,
                   nt_size(NT_IO_STATUS_BLOCK, t->width),
                   arg->created ? names_find(STR("FILE_CREATE_RESULT")) : NULL);
    } else if (arg->to_size <= 8 && arg->to_sort != SORT_STRUCT) {
        if (memory_number(t->memory, address, arg->to_size, &value)) {
            tell_scalar(t, (enum sort)arg->to_sort, arg->to_size, value,
                        arg->set);
        } else {
            t->sink->ops->unknown(t->sink);
        }
    } else if (is_one_struct(arg)) {
        struct ctype c = { .sort = arg->to_sort,
                           .size = arg->to_size,
                           .row = arg->row,
                           .to = STR("") };

        walk_ctype(t, &c, STR(""), address, arg->to_size, NULL);
    } else {
        walk_named(t, arg->to, STR(""), address, arg->to_size, NULL);
    }
}

/* --- Information classes ---------------------------------------------- */

/* The bytes a type takes at least; 0: no table has it. */
static uint32_t type_bytes(str type)
{
    struct ctype c;

    if (str_eq(type, STR("VOID")) || !ctype_of(type, &c)) {
        return 0;
    }
    return c.size;
}

/* Of several types the largest that fits. */
static str choose_type(str types, uint64_t size)
{
    str best = STR("");
    uint32_t best_size = 0;
    str head;
    str rest = types;

    while (rest.size > 0) {
        uint32_t bytes;

        str_cut(rest, ',', &head, &rest);
        bytes = type_bytes(head);
        if (bytes > 0 &&
            (best.size == 0 || (bytes <= size && bytes > best_size))) {
            best = head;
            best_size = bytes;
        }
    }
    return best;
}

bool walk_info(const struct tell *t, str types, uint64_t address, uint64_t size)
{
    str type;
    struct ctype c;

    if (walk_special(t, types, address, size)) {
        return true;
    }
    type = choose_type(types, size);
    if (type.size == 0) {
        return false;
    }
    ctype_of(type, &c);
    if (str_ends(type, STR("[]"))) {
        /* (A last one that is not whole is marked.) */
        walk_array(t, c.to, address,
                   c.size ? size / c.size + (size % c.size != 0) : 0, c.size,
                   c.set);
        return true;
    }
    /* Some structures end in the first of many: their size says little. */
    if (size < c.size && c.sort != SORT_STRUCT) {
        return false;
    }
    if (c.sort == SORT_STRUCT) {
        walk_struct(t, c.row, address, size < c.size ? size : 0);
    } else if (c.size > 8) {
        walk_ctype(t, &c, STR(""), address, c.size, NULL);
    } else {
        t->sink->ops->begin(t->sink, GROUP_DEREF);
        walk_ctype(t, &c, STR(""), address, c.size, NULL);
        t->sink->ops->end(t->sink, GROUP_DEREF);
    }
    return true;
}

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

static void tell_bits(const struct tell *t, const struct struct_field *field,
                      const struct name_set *set, uint64_t address)
{
    uint64_t value = 0;
    uint32_t bit = field->first_bit;
    /* Where the bits lie the bytes are read one by one: how wide the
     * field's own type is, no row says. */
    uint32_t bytes = (bit + field->bits + 7u) / 8u;

    if (!tell_word(t, address, bytes, &value)) {
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
        tell_hex(t, value);
    } else {
        tell_number(t, value);
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
        walk_ctype(t, &type, name, address, field->size, set);
    }
}

void walk_field(const struct tell *t, const struct struct_row *row,
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

static bool is_last(const struct family_type *type,
                    const struct struct_field *field)
{
    return type && type->last && strcmp(field->name, type->last) == 0;
}

static bool is_shown(const struct tell *t, const struct family_type *type,
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
        c.row ? field_of(row, c.row->selector) : NULL;
    uint32_t bytes;
    uint64_t value;

    if (!by) {
        return c;
    }
    union_span(c.row, row, &c.from, &c.to);
    bytes = by->bits ? (by->first_bit + by->bits + 7u) / 8u : by->size;
    if (tell_word(t, address + by->offset, bytes, &value)) {
        c.member = union_member(c.row, value >> by->first_bit);
    }
    return c;
}

void walk_union(const struct tell *t, const struct struct_row *row,
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

    tell_open(t, c->row->name);
    if (!tell_there(t, address + c->from)) {
        t->sink->ops->unknown(t->sink);
    } else if (size <= 8 &&
               tell_word(t, address + c->from, (uint32_t)size, &value)) {
        tell_hex(t, value);
    } else {
        tell_data(t, address + c->from, size);
    }
}

/* --- Tails ------------------------------------------------------------ */

static void tell_tail(const struct tell *t, const struct struct_row *row,
                      const struct family_type *type, uint64_t address,
                      uint64_t said)
{
    const struct struct_field *last = field_of(row, type->last);
    const struct struct_field *length = field_of(row, type->length);
    uint64_t room;
    uint64_t size = 0;
    struct ctype c;

    if (!last || (type->tail != TAIL_REST && !length)) {
        return;
    }
    tell_open(t, last->name);
    room = said > last->offset ? said - last->offset : 0;
    if (length &&
        !tell_word(t, address + length->offset, length->size, &size)) {
        t->sink->ops->unknown(t->sink);
        return;
    }
    address += last->offset;
    switch ((enum family_tail)type->tail) {
    case TAIL_NONE:
        break;
    case TAIL_NAME:
        tell_name_in(t, address, size, room);
        break;
    case TAIL_CHARS:
        tell_chars_in(t, address, size, room);
        break;
    case TAIL_DATA:
        tell_data_in(t, address, size, room);
        break;
    case TAIL_REST:
        if (said == TELL_ANY) {
            t->sink->ops->unknown(t->sink);
        } else {
            tell_data(t, address, room);
        }
        break;
    case TAIL_ARRAY:
        /* Nobody passed its address, so that it means nothing. */
        if (size > 0 && !tell_there(t, address)) {
            t->sink->ops->begin(t->sink, GROUP_ARRAY);
            t->sink->ops->more(t->sink);
            t->sink->ops->end(t->sink, GROUP_ARRAY);
            break;
        }
        ctype_of(str_of(last->type), &c);
        walk_elements(t, &c, str_of(last->name), address, size,
                      room / last->size,
                      fields_set(str_of(row->name), str_of(last->name)));
        break;
    }
}

/* --- Structures ------------------------------------------------------- */

void walk_fields(const struct tell *t, const struct struct_row *row,
                 const struct family_type *type, uint64_t address,
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
                      const struct family_type *type, uint64_t address,
                      uint64_t said)
{
    uint64_t shown = 0;

    t->sink->ops->begin(t->sink, GROUP_ARRAY);
    for (;;) {
        uint32_t next = 0;
        bool known;

        if (tell_more(t, shown) || !tell_there(t, address)) {
            t->sink->ops->more(t->sink);
            break;
        }
        known = memory_u32(t->memory, address, &next);
        if (type->tell) {
            if (!type->tell(t, address, said)) {
                t->sink->ops->unknown(t->sink);
            }
        } else {
            walk_fields(t, row, type, address, said);
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
        if (said != TELL_ANY) {
            said -= next;
        }
    }
    t->sink->ops->end(t->sink, GROUP_ARRAY);
}

/* As family_type_of. */
static const struct family_type *type_of(const struct tell *t, str name)
{
    size_t at = ((uintptr_t)name.p >> 3 ^ name.size) % TELL_TYPES;
    struct tell_type *slot = &t->room->types[at];

    if (slot->name.p != name.p || slot->name.size != name.size) {
        slot->name = name;
        slot->type = family_type_of(t->registry, name);
    }
    return slot->type;
}

bool walk_special(const struct tell *t, str type, uint64_t address,
                  uint64_t size)
{
    const struct family_type *special = type_of(t, type);
    const struct struct_row *row;

    if (!special || t->depth > TELL_DEPTH_MAX || !tell_there(t, address)) {
        return false;
    }
    row =
        ioctl_struct(special->layout ? str_of(special->layout) : special->name);
    /* Where only the structure's own size is known, nobody has said. */
    if (size == 0 || (row && size == row->size && special->tail != TAIL_REST)) {
        size = TELL_ANY;
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
    walk_fields(t, row, special, address, size);
    return true;
}

void walk_struct(const struct tell *t, const struct struct_row *row,
                 uint64_t address, uint64_t size)
{
    if (t->depth >= TELL_DEPTH_MAX) {
        tell_pointer(t, address);
    } else if (walk_special(t, str_of(row->name), address, size)) {
        /* told */
    } else if (!tell_known(t, address)) {
        tell_pointer(t, address);
    } else {
        walk_fields(t, row, NULL, address, size ? size : TELL_ANY);
    }
}

bool walk_buffer(const struct tell *t, const char *type, uint64_t address,
                 uint64_t said)
{
    str element;
    str rest;
    bool array = str_cut(str_of(type), '[', &element, &rest);
    struct ctype c;

    if (!tell_there(t, address) || said == 0) {
        return false;
    }
    if (!array && walk_special(t, element, address, said)) {
        return true;
    }
    if (!ctype_of(element, &c) || c.size == 0) {
        return false;
    }
    if (array) {
        struct ctype of = { .size = c.size, .to = element };

        /* A last one that is not whole is marked. */
        walk_elements(t, &of, STR(""), address,
                      said / c.size + (said % c.size != 0), said / c.size,
                      NULL);
    } else if (c.sort == SORT_STRUCT) {
        walk_fields(t, c.row, NULL, address, said);
    } else if (said < c.size) {
        return false;
    } else {
        walk_ctype(t, &c, STR(""), address, c.size, NULL);
    }
    return true;
}

/* --- Parameters ------------------------------------------------------- */

bool walk_param(const struct tell *t, const struct family_param *row,
                uint32_t i, uint64_t address)
{
    uint64_t said = tell_said(t, row->length, row->written);

    (void)i;
    return said != 0 && tell_there(t, address) &&
           walk_special(t, str_of(row->of), address, said);
}
