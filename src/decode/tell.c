/* SPDX-License-Identifier: MIT */
/*
 * tell.c - values by their types.
 *
 * Whatever a structure in memory says of itself - a length, a count, an
 * offset - is the target's word, and is held against the bytes that are
 * there. What no table knows is told as numbers and bytes.
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

#define CONTEXT_RSP 0x98
#define CONTEXT_RIP 0xf8
#define CONTEXT_SIZE 0x4d0

static bool known(const struct tell *t, uint64_t address, uint64_t size)
{
    return size <= SIZE_MAX &&
           memory_read(t->memory, address, NULL, (size_t)size) == size;
}

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

size_t tell_bytes(const struct tell *t, uint64_t address, uint64_t size,
                  const uint8_t **bytes)
{
    const struct memory *m = t->memory;
    size_t wanted = size > TELL_ROOM ? TELL_ROOM : (size_t)size;

    *bytes = t->room->bytes;
    for (uint32_t i = 0; i < m->count; i++) {
        const struct memory_piece *p = &m->pieces[i];
        uint64_t skip = address - p->address;

        if (skip < p->size && p->size - skip >= wanted &&
            ((uintptr_t)(p->bytes + skip) & 1) == 0) {
            *bytes = p->bytes + skip;
            return wanted;
        }
    }
    return memory_read(m, address, t->room->bytes, wanted);
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

/* `type` is no array and no structure. */
static void tell_scalar(const struct tell *t, enum sort sort, uint32_t size,
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

/* --- Bytes and text --------------------------------------------------- */

void tell_data(const struct tell *t, uint64_t address, uint64_t size)
{
    uint64_t shown =
        size < t->options->string_max ? size : t->options->string_max;
    const uint8_t *bytes;
    size_t have = tell_bytes(t, address, shown, &bytes);

    if (have == 0 && size > 0 && !tell_known(t, address)) {
        tell_pointer(t, address);
        return;
    }
    t->sink->ops->data(t->sink, bytes, have, have < size);
}

static void tell_units(const struct tell *t, uint64_t address, uint64_t size,
                       uint64_t most)
{
    uint64_t shown = size < most ? size : most;
    struct sink_text text = { .kind = TEXT_UTF16 };
    const uint8_t *bytes;
    size_t have = tell_bytes(t, address, shown, &bytes);

    if (have < 2 && size >= 2 && !tell_known(t, address)) {
        tell_pointer(t, address);
        return;
    }
    text.p = bytes;
    text.size = have / 2;
    text.cut = have / 2 < size / 2;
    t->sink->ops->text(t->sink, &text);
}

void tell_name(const struct tell *t, uint64_t address, uint64_t size)
{
    tell_units(t, address, size, TELL_ROOM);
}

void tell_text(const struct tell *t, uint64_t address, uint64_t size)
{
    tell_units(t, address, size, 2ull * t->options->string_max);
}

void tell_zero_ended(const struct tell *t, uint64_t address)
{
    struct sink_text text = { .kind = TEXT_UTF16 };
    const uint8_t *bytes;
    size_t have = memory_read(t->memory, address, NULL, TELL_ROOM);

    if (have < 2) {
        tell_pointer(t, address);
        return;
    }
    have = tell_bytes(t, address, have, &bytes);
    text.cut = true;
    for (; text.size < have / 2; text.size++) {
        if (bytes[2 * text.size] == 0 && bytes[2 * text.size + 1] == 0) {
            text.cut = false;
            break;
        }
    }
    text.p = bytes;
    t->sink->ops->text(t->sink, &text);
}

void tell_unicode_string(const struct tell *t, uint64_t address)
{
    struct nt_string s;

    if (!nt_string_read(t->memory, t->width, address, &s)) {
        tell_pointer(t, address);
    } else if (s.buffer < 0x10000) {
        tell_pointer(t, s.buffer); /* nothing, or an atom in place of a name */
    } else {
        tell_name(t, s.buffer, s.length);
    }
}

static void tell_ansi_string(const struct tell *t, uint64_t address)
{
    const uint8_t *bytes;
    struct nt_string s;
    size_t have;

    if (!nt_string_read(t->memory, t->width, address, &s)) {
        tell_pointer(t, address);
        return;
    }
    if (s.buffer == 0) {
        t->sink->ops->null(t->sink);
        return;
    }
    have = tell_bytes(t, s.buffer, s.length, &bytes);
    if (have == 0 && s.length > 0) {
        tell_pointer(t, s.buffer);
        return;
    }
    t->sink->ops->data(t->sink, bytes, have, have < s.length);
}

static void tell_guid(const struct tell *t, uint64_t address)
{
    char room[48];
    struct buf b = BUF_OVER(room);
    uint8_t g[16];

    if (memory_read(t->memory, address, g, 16) != 16) {
        tell_pointer(t, address);
        return;
    }
    buf_addf(&b,
             "{%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
             "%02x%02x%02x%02x%02x%02x}",
             g[3], g[2], g[1], g[0], g[5], g[4], g[7], g[6], g[8], g[9], g[10],
             g[11], g[12], g[13], g[14], g[15]);
    t->sink->ops->text(
        t->sink,
        &(struct sink_text){ .kind = TEXT_WTF8, .p = b.p, .size = b.size });
}

bool tell_may(const struct tell *t)
{
    if (t->room->left == 0) {
        return false;
    }
    t->room->left--;
    return true;
}

/* --- Structures ------------------------------------------------------- */

static void tell_number(const struct tell *t, str name, enum sort sort,
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
static void tell_field(const struct tell *t, str name, enum sort sort,
                       uint64_t address, enum nt_field field,
                       const struct name_set *set)
{
    tell_number(t, name, sort, tell_at(t, address, field),
                nt_size(field, t->width), set);
}

/* A pointer in OBJECT_ATTRIBUTES, by its type. */
static void tell_pointer_field(const struct tell *t, str name, str type,
                               uint64_t address, enum nt_field field)
{
    struct ctype c;

    ctype_of(type, &c);
    tell_ctype(t, &c, name, tell_at(t, address, field),
               nt_size(field, t->width), NULL);
}

/* {Length, RootDirectory, ObjectName, Attributes, SecurityDescriptor,
 * SecurityQualityOfService}, without what is as it usually is. */
static void tell_object_attributes(const struct tell *t, uint64_t address)
{
    struct tell inner = *t;
    uint64_t root = 0;
    uint64_t name = 0;
    uint64_t security = 0;
    uint64_t quality = 0;

    inner.depth++;
    t->sink->ops->begin(t->sink, GROUP_STRUCT);
    if (t->options->verbose) {
        tell_field(&inner, STR("Length"), SORT_DEC, address,
                   NT_OBJECT_ATTRIBUTES_Length, NULL);
    }
    if (!tell_read(t, address, NT_OBJECT_ATTRIBUTES_RootDirectory, &root) ||
        root != 0 || t->options->verbose) {
        tell_field(&inner, STR("RootDirectory"), SORT_HANDLE, address,
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
    tell_field(&inner, STR("Attributes"), SORT_HEX, address,
               NT_OBJECT_ATTRIBUTES_Attributes,
               names_find(STR("OBJ_ATTRIBUTES")));
    if (!tell_read(t, address, NT_OBJECT_ATTRIBUTES_SecurityDescriptor,
                   &security) ||
        security != 0 || t->options->verbose) {
        t->sink->ops->arg(t->sink, STR("SecurityDescriptor"), NULL);
        if (security == 0 ||
            !special_tell_struct(&inner, STR("SECURITY_DESCRIPTOR"), security,
                                 0)) {
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
    tell_field(t, STR("Status"), SORT_STATUS, address,
               NT_IO_STATUS_BLOCK_Status, NULL);
    tell_field(t, STR("Information"), SORT_DEC, address,
               NT_IO_STATUS_BLOCK_Information, results);
    t->sink->ops->end(t->sink, GROUP_STRUCT);
}

static void tell_context(const struct tell *t, uint64_t address)
{
    t->sink->ops->begin(t->sink, GROUP_STRUCT);
    tell_number(t, STR("Rip"), SORT_CODE, address + CONTEXT_RIP, 8, NULL);
    tell_number(t, STR("Rsp"), SORT_HEX, address + CONTEXT_RSP, 8, NULL);
    t->sink->ops->end(t->sink, GROUP_STRUCT);
}

void tell_elements(const struct tell *t, const struct ctype *array, str name,
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
        tell_ctype(&inner, &c, name, address + i * each, each, set);
    }
    t->sink->ops->end(t->sink, GROUP_ARRAY);
}

void tell_array(const struct tell *t, str type, uint64_t address,
                uint64_t count, uint32_t each, const struct name_set *set)
{
    struct ctype array = { .size = each, .to = type };

    tell_elements(t, &array, STR(""), address, count, count, set);
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
        tell_ctype(&inner, &to, STR(""), value, to.size, NULL);
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
        tell_elements(t, type, name, address, size / type->size,
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

void tell_ctype(const struct tell *t, const struct ctype *type, str name,
                uint64_t address, uint32_t size, const struct name_set *set)
{
    enum sort sort = field_sort(type, size, name);
    uint64_t value;

    if (type->to.size > 0 && type->sort != SORT_POINTER) {
        tell_ctype_array(t, type, name, address, size, set);
        return;
    }
    if (type->row &&
        special_tell_struct(t, str_of(type->row->name), address, size)) {
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
            tell_field(t, STR("UniqueProcess"), SORT_ID, address,
                       NT_CLIENT_ID_UniqueProcess, NULL);
            tell_field(t, STR("UniqueThread"), SORT_ID, address,
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

void tell_type(const struct tell *t, str type, uint64_t address, uint32_t size,
               const struct name_set *set)
{
    tell_named(t, type, STR(""), address, size, set);
}

void tell_named(const struct tell *t, str type, str name, uint64_t address,
                uint32_t size, const struct name_set *set)
{
    struct ctype c;

    ctype_of(type, &c);
    tell_ctype(t, &c, name, address, size ? size : c.size, set);
}

/* All there is to know of what `arg` points to is in its shape. */
static bool is_one_struct(const struct shape_arg *arg)
{
    return (arg->to_sort == SORT_OBJECT_ATTRIBUTES ||
            arg->to_sort == SORT_UNICODE_STRING ||
            (arg->to_sort == SORT_STRUCT && arg->row != NULL)) &&
           !str_ends(arg->to, STR("]"));
}

void tell_pointed(const struct tell *t, const struct shape_arg *arg,
                  uint64_t address)
{
    uint64_t value;

    if (arg->to_sort == SORT_IO_STATUS_BLOCK) {
        struct ctype c = { .sort = SORT_IO_STATUS_BLOCK, .to = STR("") };

        tell_ctype(t, &c, STR(""), address,
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

        tell_ctype(t, &c, STR(""), address, arg->to_size, NULL);
    } else {
        tell_named(t, arg->to, STR(""), address, arg->to_size, NULL);
    }
}

void tell_scalar_of(const struct tell *t, const struct shape_arg *arg,
                    uint64_t value)
{
    tell_scalar(t, (enum sort)arg->sort, arg->size, value, arg->set);
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

bool tell_info(const struct tell *t, str types, uint64_t address, uint64_t size)
{
    str type;
    struct ctype c;

    if (special_tell_struct(t, types, address, size)) {
        return true;
    }
    type = choose_type(types, size);
    if (type.size == 0) {
        return false;
    }
    ctype_of(type, &c);
    if (str_ends(type, STR("[]"))) {
        /* (A last one that is not whole is marked.) */
        tell_array(t, c.to, address,
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
        tell_ctype(t, &c, STR(""), address, c.size, NULL);
    } else {
        t->sink->ops->begin(t->sink, GROUP_DEREF);
        tell_ctype(t, &c, STR(""), address, c.size, NULL);
        t->sink->ops->end(t->sink, GROUP_DEREF);
    }
    return true;
}

bool tell_arg(const struct tell *t, const char *name, uint64_t *value)
{
    const struct call *call = t->call;
    const struct call_facts *facts =
        call && call->stub ? call->stub->facts : NULL;

    for (uint32_t i = 0; facts && i < facts->arg_count; i++) {
        if (str_eq(str_of(facts->args[i].name), str_of(name))) {
            *value = tell_narrow(call->args[i], type_size(facts->args[i].type));
            return (call->arg_mask >> i & 1) != 0;
        }
    }
    return false;
}
