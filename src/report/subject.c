/* SPDX-License-Identifier: MIT */
/*
 * subject.c - names out of the arguments of a call. All memory is what was copied
 * of the target (nt/memory.h): each length is held against what is there.
 */
#include "report/subject.h"

#include "base/utf.h"
#include "nt/read.h"
#include "tables/handles.h"

#include <string.h>

#include "base/banned.h"

/* CreateOptions, OpenOptions: the name is a number. */
#define FILE_OPEN_BY_FILE_ID 0x2000

/* --- arguments ------------------------------------------------------------- */

static const struct call_facts *facts_of(const struct call *call)
{
    return call->stub != NULL ? call->stub->facts : NULL;
}

/* Parameter `name`, with its value; NULL: there is none, or it is not known. */
static const struct call_arg *parameter(const struct call *call,
                                        const char *name, uint64_t *value,
                                        int *index)
{
    const struct call_facts *facts = facts_of(call);
    int i = facts != NULL && name != NULL ? call_parameter(facts, name) : -1;

    if (i < 0 || (call->arg_mask >> i & 1) == 0) {
        return NULL;
    }
    *value = call->args[i];
    *index = i;
    return &facts->args[i];
}

static bool points_to(const struct call_arg *arg, const char *what)
{
    return arg->type->class == CLASS_PTR && arg->type->to_name != NULL &&
           strcmp(arg->type->to_name, what) == 0;
}

/* What a parameter is, or with a * what it points to. */
static bool value_of(const struct call *call, const struct deed_test *test,
                     uint64_t *out)
{
    bool pointed = test->parameter[0] == '*';
    const struct memory *m;
    int index;
    uint64_t value;
    const struct call_arg *arg =
        parameter(call, test->parameter + pointed, &value, &index);

    if (arg == NULL) {
        return false;
    }
    if (!pointed) {
        *out = (uint32_t)value;
        return true;
    }
    m = arg->direction & ARG_OUT ? &call->after : &call->before;
    if (points_to(arg, "IO_STATUS_BLOCK")) {
        return nt_information_read(m, call->width, value, out);
    }
    return memory_number(m, value, test->size, out);
}

bool subject_tests(const struct call *call, const struct deed_row *row)
{
    for (size_t i = 0; i < COUNT_OF(row->tests); i++) {
        const struct deed_test *test = &row->tests[i];
        uint64_t value;

        if (test->kind == DEED_ALWAYS) {
            continue;
        }
        if (!value_of(call, test, &value) ||
            (test->kind == DEED_IS && value != test->value) ||
            (test->kind == DEED_NOT && value == test->value) ||
            (test->kind == DEED_HAS && (value & test->value) != test->value)) {
            return false;
        }
    }
    return true;
}

uint64_t subject_bytes(const struct call *call, const struct deed_row *row)
{
    int index;
    uint64_t value;
    uint64_t bytes;
    const struct call_arg *arg = parameter(call, row->bytes, &value, &index);

    if (arg == NULL) {
        return 0;
    }
    if (!points_to(arg, "IO_STATUS_BLOCK")) {
        return arg->type->size == 4 ? (uint32_t)value : value;
    }
    return nt_information_read(&call->after, call->width, value, &bytes) ? bytes
                                                                         : 0;
}

/* --- names ------------------------------------------------------------------- */

/* Adds `size` bytes of UTF-16 at `address`; false if they are not all there. */
static bool add_utf16(struct subject_room *room, struct buf *b,
                      const struct memory *m, uint64_t address, size_t size)
{
    size_t count = size / 2;
    size_t at = 0;

    if (size > sizeof(room->bytes) ||
        memory_read(m, address, room->bytes, count * 2) != count * 2) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        room->units[i] =
            (uint16_t)(room->bytes[2 * i] | room->bytes[2 * i + 1] << 8);
    }
    while (at < count) {
        utf_add(b, utf_next16(room->units, count, &at));
    }
    return !b->cut;
}

static void add_below(struct buf *b, str name)
{
    if (name.size > 0 && name.p[name.size - 1] != '\\') {
        buf_add_char(b, '\\');
    }
}

/* Without what the kernel's folder of drives is called. */
static str shown(str name)
{
    return str_starts(name, STR("\\??\\")) ? str_slice(name, 4, name.size)
                                           : name;
}

static bool add_root(struct buf *b, const struct call *call, uint64_t root)
{
    const struct object *o =
        call->handles != NULL ? handles_find(call->handles, root) : NULL;
    str name;

    if (o == NULL) {
        return false;
    }
    name = o->path.size > 0 ? o->path : o->name;
    buf_add(b, shown(name));
    return name.size > 0;
}

/* OBJECT_ATTRIBUTES at `address`. */
static bool add_attributes(struct subject_room *room, struct buf *b,
                           const struct call *call, uint64_t address)
{
    struct nt_attributes said;

    if (!nt_attributes_read(&call->before, call->width, address, &said) ||
        !said.name_known || (said.root == 0 && said.name.length == 0) ||
        (said.root != 0 && !add_root(b, call, said.root))) {
        return false;
    }
    if (said.root != 0 && said.name.length > 0) {
        add_below(b, buf_str(b));
    }
    return add_utf16(room, b, &call->before, said.name.buffer,
                     said.name.length);
}

static bool by_id(const struct call *call)
{
    uint64_t options;
    int index;

    return (parameter(call, "CreateOptions", &options, &index) != NULL ||
            parameter(call, "OpenOptions", &options, &index) != NULL) &&
           (options & FILE_OPEN_BY_FILE_ID) != 0;
}

/* A file that keeps nothing. */
static bool is_device(str name)
{
    static const str prefixes[] = {
        STR_INIT("\\Device\\"),
        STR_INIT("pipe\\"),
        STR_INIT("mailslot\\"),
    };

    for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
        if (str_eq_nocase(str_slice(name, 0, prefixes[i].size), prefixes[i])) {
            /* What \Device\HarddiskVolume3\... names is a file. */
            return i > 0 || !str_eq_nocase(str_slice(name, prefixes[i].size,
                                                     prefixes[i].size + 8),
                                           STR("Harddisk"));
        }
    }
    /* NUL, CON, COM1: a name without a folder. */
    return name.size == 0 || memchr(name.p, '\\', name.size) == NULL;
}

static enum subject_kind kind_of_path(const struct call *call, str name)
{
    const struct call_facts *facts = facts_of(call);

    if (facts->category == CATEGORY_REGISTRY) {
        return SUBJECT_KEY;
    }
    if (facts->category != CATEGORY_FILE && facts->category != CATEGORY_IO) {
        return SUBJECT_OTHER;
    }
    return is_device(name) ? SUBJECT_DEVICE : SUBJECT_FILE;
}

void subject_object(const struct object *o, struct subject_room *room,
                    struct subject *out)
{
    struct buf b = BUF_OVER(room->name);
    str path = o->path.size > 0 ? shown(o->path) : STR("");
    str afd = STR("\\Device\\Afd");
    str name = o->name;
    str local, peer;

    out->object = o;
    if (str_is(o->type, "Key")) {
        out->kind = SUBJECT_KEY;
    } else if (!str_is(o->type, "File")) {
        out->kind = SUBJECT_OTHER;
    } else if (str_eq_nocase(str_slice(path, 0, afd.size), afd)) {
        out->kind = SUBJECT_SOCKET;
    } else {
        out->kind = is_device(path) ? SUBJECT_DEVICE : SUBJECT_FILE;
    }
    if (out->kind == SUBJECT_SOCKET) {
        /* Whom it is connected to; its own address is new each time. */
        for (size_t at = 0; at + 6 < name.size; at++) {
            if (str_eq(str_slice(name, at, at + 6), STR(" peer "))) {
                str_cut(name, ' ', &local, &peer);
                buf_add(&b, local);
                buf_add(&b, str_slice(name, at, name.size));
                break;
            }
        }
    }
    if (b.size == 0) {
        buf_add(&b, out->kind == SUBJECT_SOCKET ? name
                    : path.size > 0             ? path
                    : name.size > 0             ? shown(name)
                                                : o->type);
    }
    out->name = buf_str(&b);
}

/* What `row->of`, or any argument, says. */
static bool by_argument(const struct call *call, const struct call_arg *arg,
                        int index, uint64_t value, struct subject_room *room,
                        struct subject *out)
{
    struct buf b = BUF_OVER(room->name);

    if (points_to(arg, "OBJECT_ATTRIBUTES")) {
        if (by_id(call) || !add_attributes(room, &b, call, value)) {
            return false;
        }
        out->object = NULL;
        out->name = shown(buf_str(&b));
        out->kind = kind_of_path(call, out->name);
        return true;
    }
    if (call->objects[index] == NULL) {
        return false;
    }
    subject_object(call->objects[index], room, out);
    return true;
}

/* Adds the UNICODE_STRING that `row->name` points to, below the name. */
static bool add_string(const struct call *call, const struct deed_row *row,
                       struct subject_room *room, struct subject *out)
{
    struct buf b = { room->name + (out->name.p - room->name), out->name.size,
                     sizeof(room->name) - (size_t)(out->name.p - room->name),
                     false };
    struct nt_string said;
    uint64_t value;
    int index;
    const struct call_arg *arg = parameter(call, row->name, &value, &index);

    if (arg == NULL || value == 0 || !points_to(arg, "UNICODE_STRING") ||
        !nt_string_read(&call->before, call->width, value, &said)) {
        return false;
    }
    add_below(&b, out->name);
    if (!add_utf16(room, &b, &call->before, said.buffer, said.length)) {
        return false;
    }
    out->name = (str){ b.p, b.size };
    out->kind = out->kind == SUBJECT_KEY ? SUBJECT_VALUE : out->kind;
    return true;
}

bool subject_of(const struct call *call, const struct deed_row *row,
                struct subject_room *room, struct subject *out)
{
    uint64_t value;
    int index;
    const struct call_arg *arg = parameter(call, row->of, &value, &index);

    if (arg == NULL || !by_argument(call, arg, index, value, room, out)) {
        return false;
    }
    if (row->name == NULL || row->kind == DEED_RENAMES ||
        row->kind == DEED_LINKS) {
        return true;
    }
    return add_string(call, row, room, out);
}

/* The folder, or key, that `name` is in, with its \. */
static str folder_of(str name)
{
    size_t size = name.size;

    while (size > 0 && name.p[size - 1] != '\\') {
        size--;
    }
    return str_slice(name, 0, size);
}

/* FILE_RENAME_INFORMATION at `address`, or one that is laid out like it. */
static bool add_rename(const struct call *call, uint64_t address,
                       const struct subject *from, struct subject_room *room,
                       struct buf *b)
{
    const struct memory *m = &call->before;
    uint64_t root;
    uint32_t size;
    uint64_t name =
        address + nt_offset(NT_FILE_RENAME_INFORMATION_FileName, call->width);
    uint16_t first;

    if (!nt_read(m, call->width, address,
                 NT_FILE_RENAME_INFORMATION_RootDirectory, &root) ||
        !nt_read32(m, call->width, address,
                   NT_FILE_RENAME_INFORMATION_FileNameLength, &size) ||
        size < 2 || size > UINT16_MAX || !memory_u16(m, name, &first)) {
        return false;
    }
    if (root != 0) {
        if (!add_root(b, call, root)) {
            return false;
        }
        add_below(b, buf_str(b));
    } else if (first != '\\') {
        buf_add(b, folder_of(from->name)); /* a name alone: it stays there */
    }
    return add_utf16(room, b, m, name, size);
}

bool subject_renamed(const struct call *call, const struct deed_row *row,
                     const struct subject *from, struct subject_room *room,
                     str *out)
{
    struct buf b = BUF_OVER(room->other);
    struct nt_string said;
    uint64_t value;
    int index;
    const struct call_arg *arg = parameter(call, row->name, &value, &index);

    if (arg == NULL) {
        return false;
    }
    if (points_to(arg, "UNICODE_STRING")) {
        buf_add(&b, folder_of(from->name));
        if (!nt_string_read(&call->before, call->width, value, &said) ||
            !add_utf16(room, &b, &call->before, said.buffer, said.length)) {
            return false;
        }
    } else if (!add_rename(call, value, from, room, &b)) {
        return false;
    }
    *out = shown(buf_str(&b));
    return true;
}

bool subject_any(const struct call *call, struct subject_room *room,
                 struct subject *out)
{
    const struct call_facts *facts = facts_of(call);
    size_t count = 0;
    const struct deed_row *rows =
        facts != NULL ? deed_rows(call->stub->name, &count) : NULL;

    for (size_t i = 0; i < count; i++) {
        if (subject_of(call, &rows[i], room, out)) {
            return true;
        }
    }
    for (int i = 0; facts != NULL && i < facts->arg_count; i++) {
        const struct call_arg *arg = &facts->args[i];

        if ((call->arg_mask >> i & 1) != 0 && (arg->direction & ARG_IN) != 0 &&
            by_argument(call, arg, i, call->args[i], room, out)) {
            return true;
        }
    }
    return false;
}
