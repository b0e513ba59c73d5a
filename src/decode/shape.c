/* SPDX-License-Identifier: MIT */
/*
 * shape.c - types by their names, and parameters by their rows.
 *
 * Whether a number is a count or a pattern of bits no type tells: that goes
 * by the name it has.
 */
#include "decode/shape.h"

#include "tables/roles.h"

#include "base/compiler.h"
#include "tables/ioctls.h"
#include "tables/meanings.h"
#include "tables/types.h"

#include <string.h>

#include "base/banned.h"

struct base_type {
    const char *name;
    uint8_t sort;
    uint8_t size;
};

/* What no structure and no set says, sorted by strcmp. */
/* clang-format off */
static const struct base_type base_types[] = {
    { "ACCESS_MASK",     SORT_HEX,         4 },
    { "ALPC_HANDLE",     SORT_USER_HANDLE, 8 },
    { "ANSI_STRING",     SORT_ANSI_STRING, 16 },
    { "ATOM",            SORT_HEX,         2 },
    { "BOOL",            SORT_BOOL,        4 },
    { "BOOLEAN",         SORT_BOOL,        1 },
    { "BYTE",            SORT_BYTE,        1 },
    { "CCHAR",           SORT_SIGNED,      1 },
    { "CHAR",            SORT_BYTE,        1 },
    { "CLIENT_ID",       SORT_CLIENT_ID,   16 },
    { "COLORREF",        SORT_HEX,         4 },
    { "CONTEXT",         SORT_CONTEXT,     0 },
    { "CSHORT",          SORT_SIGNED,      2 },
    { "D3DKMT_HANDLE",   SORT_HEX,         4 },
    { "DWORD",           SORT_WORD,        4 },
    { "DWORD64",         SORT_HEX,         8 },
    { "FLOAT",           SORT_FLOAT,       4 },
    { "FLONG",           SORT_HEX,         4 },
    { "GUID",            SORT_GUID,        16 },
    { "HANDLE",          SORT_HANDLE,      8 },
    { "HANDLE32",        SORT_HANDLE,      4 },
    { "HDESK",           SORT_HANDLE,      8 },
    { "HWINSTA",         SORT_HANDLE,      8 },
    { "INT",             SORT_SIGNED,      4 },
    { "IO_STATUS_BLOCK", SORT_IO_STATUS_BLOCK, 16 },
    { "KAFFINITY",       SORT_HEX,         8 },
    { "KPRIORITY",       SORT_SIGNED,      4 },
    { "LANGID",          SORT_HEX,         2 },
    { "LARGE_INTEGER",   SORT_LARGE,       8 },
    { "LCID",            SORT_HEX,         4 },
    { "LOGICAL",         SORT_BOOL,        4 },
    { "LONG",            SORT_SIGNED,      4 },
    { "LONGLONG",        SORT_SIGNED,      8 },
    { "LONG_PTR",        SORT_HEX,         8 },
    { "LPARAM",          SORT_HEX,         8 },
    { "LRESULT",         SORT_HEX,         8 },
    { "LUID",            SORT_HEX,         8 },
    { "M128A",           SORT_UNKNOWN,     16 },
    { "MIX",             SORT_HEX,         4 },
    { "NTSTATUS",        SORT_STATUS,      4 },
    { "OBJECT_ATTRIBUTES", SORT_OBJECT_ATTRIBUTES, 48 },
    { "PCHAR",           SORT_POINTER,     8 },
    { "PPEB",            SORT_POINTER,     8 },
    { "PSECURITY_DESCRIPTOR", SORT_POINTER, 8 },
    { "PTEB",            SORT_POINTER,     8 },
    { "PTIMER_APC_ROUTINE", SORT_CODE,     8 },
    { "PVOID",           SORT_POINTER,     8 },
    { "PVOID64",         SORT_POINTER,     8 },
    { "RTL_ATOM",        SORT_HEX,         2 },
    { "SHORT",           SORT_SIGNED,      2 },
    { "SIZE_T",          SORT_HEX,         8 },
    { "STRING",          SORT_ANSI_STRING, 16 },
    { "UCHAR",           SORT_BYTE,        1 },
    { "UINT",            SORT_WORD,        4 },
    { "UINT32",          SORT_WORD,        4 },
    { "UINT_PTR",        SORT_HEX,         8 },
    { "ULARGE_INTEGER",  SORT_LARGE,       8 },
    { "ULONG",           SORT_WORD,        4 },
    { "ULONG64",         SORT_HEX,         8 },
    { "ULONGLONG",       SORT_WORD,        8 },
    { "ULONG_PTR",       SORT_HEX,         8 },
    { "UNICODE_STRING",  SORT_UNICODE_STRING, 16 },
    { "USHORT",          SORT_WORD,        2 },
    { "WCHAR",           SORT_WCHAR,       2 },
    { "WINBOOL",         SORT_BOOL,        4 },
    { "WNDPROC",         SORT_CODE,        8 },
    { "WNF_CHANGE_STAMP", SORT_DEC,        4 },
    { "WORD",            SORT_WORD,        2 },
    { "WPARAM",          SORT_HEX,         8 },
    { "double",          SORT_FLOAT,       8 },
    { "int",             SORT_SIGNED,      4 },
    { "long",            SORT_SIGNED,      4 },
    { "unsignedchar",    SORT_BYTE,        1 },
    { "unsignedint",     SORT_WORD,        4 },
    { "unsignedlong",    SORT_WORD,        4 },
    { "unsignedlonglong", SORT_WORD,       8 },
    { "unsignedshort",   SORT_WORD,        2 },
};

/* Names of other types for those that the tables have. */
static const struct {
    const char *name;
    const char *is;
} other_names[] = {
    { "LARGE_STRING_X", "LARGE_STRING" },
    { "PWCH",           "WCHAR*" },
    { "PWSTR",          "WCHAR*" },
    { "LPWSTR",         "WCHAR*" },
    { "LPCWSTR",        "WCHAR*" },
    { "PCWSTR",         "WCHAR*" },
    { "PSIZE_T",        "SIZE_T*" },
    { "CRM_PROTOCOL_ID", "GUID" },
    { "SECURITY_CONTEXT_TRACKING_MODE", "SEC_QOS_CONTEXT_TRACKING" },
    { "FSINFOCLASS",    "FS_INFORMATION_CLASS" },
    { "WNDCLASSEXW",    "WNDCLASSEXW" },
};
/* clang-format on */

static const struct base_type *base_find(str type)
{
    size_t low = 0;
    size_t high = COUNT_OF(base_types);

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp_z(type, base_types[middle].name);

        if (order == 0) {
            return &base_types[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

/* "X[n]": X, and n. */
static bool array_of(str type, str *element, uint32_t *count)
{
    str tail;
    uint64_t n = 0;

    if (!str_ends(type, STR("]")) || !str_cut(type, '[', element, &tail)) {
        return false;
    }
    tail = str_slice(tail, 0, tail.size - 1);
    if (tail.size > 0 && !str_to_u64(tail, &n)) {
        return false;
    }
    *count = n > UINT16_MAX ? UINT16_MAX : (uint32_t)n;
    return true;
}

static bool is_user_handle(str type)
{
    static const char *const names[] = {
        "HACCEL", "HBITMAP",   "HBRUSH",  "HCURSOR",  "HDC",      "HGLYPH",
        "HDWP",   "HFONT",     "HGDIOBJ", "HHOOK",    "HICON",    "HIMC",
        "HKL",    "HINSTANCE", "HMENU",   "HMONITOR", "HPALETTE", "HPEN",
        "HRGN",   "HUMPD",     "HWND",
    };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (str_is(type, names[i])) {
            return true;
        }
    }
    return false;
}

bool ctype_of(str type, struct ctype *out)
{
    const struct base_type *base;

    *out = (struct ctype){ .to = STR("") };
    if (str_starts(type, STR("tag"))) {
        type = str_slice(type, 3, type.size);
    }
    for (size_t i = 0; i < COUNT_OF(other_names); i++) {
        if (str_is(type, other_names[i].name)) {
            type = str_of(other_names[i].is);
            break;
        }
    }
    if (array_of(type, &out->to, &out->count)) {
        struct ctype element;
        bool known = ctype_of(out->to, &element);

        out->sort = element.sort;
        out->row = element.row;
        out->set = element.set;
        out->size = element.size;
        return known;
    }
    if (str_ends(type, STR("*"))) {
        out->sort = SORT_POINTER;
        out->size = 8;
        out->to = str_slice(type, 0, type.size - 1);
        return true;
    }
    base = base_find(type);
    out->row = struct_find(type);
    if (base) {
        out->sort = base->sort;
        out->size = base->size;
        if (out->row && out->size == 0) {
            out->size = out->row->size;
        }
        return true;
    }
    if (out->row) {
        out->sort = SORT_STRUCT;
        out->size = out->row->size;
        return true;
    }
    out->row = ioctl_struct(type);
    if (out->row) {
        out->sort = SORT_STRUCT;
        out->size = out->row->size;
        return true;
    }
    out->set = names_find(type);
    if (out->set) {
        out->sort = out->set->kind == NAMES_ENUM ? SORT_DEC : SORT_HEX;
        out->size = 4;
        return true;
    }
    if (is_user_handle(type)) {
        out->sort = SORT_USER_HANDLE;
        out->size = 8;
        return true;
    }
    if (type.size > 1 && type.p[0] == 'P') {
        str to =
            str_slice(type, str_starts(type, STR("PC")) ? 2 : 1, type.size);

        if (!struct_find(to) && !base_find(to)) {
            to = str_slice(type, 1, type.size);
        }
        if (struct_find(to) || base_find(to)) {
            out->sort = SORT_POINTER;
            out->size = 8;
            out->to = to;
            return true;
        }
    }
    return false;
}

/* --- Names ------------------------------------------------------------ */

static bool has(str name, const char *part)
{
    for (size_t i = 0; i < name.size; i++) {
        if (name.p[i] == part[0] &&
            str_starts(str_slice(name, i, name.size), str_of(part))) {
            return true;
        }
    }
    return false;
}

static bool has_any(str name, const char *const *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (has(name, parts[i])) {
            return true;
        }
    }
    return false;
}

/* A number of this name is bits, an address or a code. */
static bool is_pattern(str name)
{
    static const char *const parts[] = {
        "Flags",    "flags",     "Mask",    "mask",    "Access",
        "Options",  "Attribute", "Address", "Code",    "Character",
        "CheckSum", "Checksum",  "Color",   "color",   "Signature",
        "Cookie",   "Hash",      "Protect", "Style",   "style",
        "Fl",       "Rop",       "rop",     "Context", "Pointer",
        "Offset",   "Key",       "fl",      "Locale",  "Machine",
        "Atom",
    };

    /* Positions in files count bytes. */
    if (has(name, "FileOffset") || has(name, "ByteOffset")) {
        return false;
    }
    return has_any(name, parts, COUNT_OF(parts));
}

/* Of SIZE_T and its kin, which mostly go with addresses. */
static bool is_count(str name)
{
    return str_ends(name, STR("Length")) || str_ends(name, STR("Count")) ||
           str_starts(name, STR("NumberOf"));
}

static enum sort large_named(str name)
{
    static const char *const durations[] = {
        "KernelTime",      "UserTime",       "IdleTime",         "DpcTime",
        "IdleProcessTime", "PeriodUserTime", "PeriodKernelTime", "TimeZoneBias",
        "InterruptTime",   "TimeLimit",      "RemainingTime",    "BootTimeBias",
        "SleepTimeBias",   "TotalUserTime",
    };
    static const char *const numbers[] = { "CycleTime", "CreationTimeMin" };
    static const char *const timeouts[] = {
        "Timeout", "TimeOut", "DelayInterval", "DueTime", "timeout",
    };

    if (has_any(name, numbers, COUNT_OF(numbers))) {
        return SORT_DEC;
    }
    if (has_any(name, durations, COUNT_OF(durations))) {
        return SORT_DURATION;
    }
    if (has_any(name, timeouts, COUNT_OF(timeouts))) {
        return SORT_TIMEOUT;
    }
    if (str_ends(name, STR("Time"))) {
        return SORT_TIME;
    }
    return SORT_OFFSET;
}

enum sort sort_named(enum sort sort, uint32_t size, str name)
{
    if (sort == SORT_WORD || (sort == SORT_BYTE && size == 1)) {
        return is_pattern(name) ? SORT_HEX : SORT_DEC;
    }
    if (sort == SORT_HEX && size == 8 && is_count(name)) {
        return SORT_DEC;
    }
    if (sort == SORT_LARGE) {
        return large_named(name);
    }
    if (sort == SORT_STATUS && has(name, "ExitStatus")) {
        return SORT_EXIT_CODE;
    }
    if (sort == SORT_HANDLE &&
        (str_starts(name, STR("Unique")) ||
         str_starts(name, STR("ProcessId")) ||
         str_ends(name, STR("ProcessId")) || str_ends(name, STR("ThreadId")))) {
        return SORT_ID;
    }
    return sort;
}

/* --- Sizes ------------------------------------------------------------ */

static uint8_t arg_named(const struct call_facts *facts, str name)
{
    for (uint8_t i = 0; i < facts->arg_count; i++) {
        if (str_is(name, facts->args[i].name)) {
            return i;
        }
    }
    return SHAPE_NO_ARG;
}

static struct shape_size parse_term(const struct call_facts *facts, str term)
{
    struct shape_size out = { .kind = SIZE_NONE };
    bool pointee = str_starts(term, STR("*"));
    uint64_t number;
    str head;
    str tail;

    if (str_eq(term, STR("return"))) {
        out.kind = SIZE_RESULT;
        return out;
    }
    if (str_to_u64(term, &number) && number <= UINT32_MAX) {
        out.kind = SIZE_NUMBER;
        out.number = (uint32_t)number;
        return out;
    }
    if (str_ends(term, STR("->u1.s1.TotalLength"))) {
        str_cut(term, '-', &head, &tail);
        out.arg = arg_named(facts, head);
        out.kind = out.arg == SHAPE_NO_ARG ? SIZE_NONE : SIZE_MESSAGE;
        return out;
    }
    if (pointee) {
        term = str_slice(term, 1, term.size);
    }
    if (pointee && str_cut(term, '.', &head, &tail) &&
        str_eq(tail, STR("Information"))) {
        out.arg = arg_named(facts, head);
        out.kind = out.arg == SHAPE_NO_ARG ? SIZE_NONE : SIZE_INFORMATION;
        return out;
    }
    out.arg = arg_named(facts, term);
    if (out.arg == SHAPE_NO_ARG) {
        return out;
    }
    if (pointee) {
        const struct type_row *type = facts->args[out.arg].type;

        out.kind = SIZE_POINTEE;
        out.width = type && type->to_size == 8 ? 8 : 4;
    } else {
        out.kind = SIZE_VALUE;
        out.width = facts->args[out.arg].type->size == 8 ? 8 : 4;
    }
    return out;
}

static void parse_size(const struct call_facts *facts, const char *size,
                       struct shape_arg *out)
{
    str text = str_of(size);
    str bytes;
    str limit;

    if (str_starts(text, STR("[")) && str_ends(text, STR("]"))) {
        out->elements = true;
        text = str_slice(text, 1, text.size - 1);
    }
    str_cut(text, ',', &bytes, &limit);
    out->bytes = parse_term(facts, bytes);
    if (limit.size > 0) {
        out->limit = parse_term(facts, limit);
    }
    out->buffer =
        out->bytes.kind != SIZE_NONE && (!out->elements || out->to_size > 0);
}

/* --- Shapes ----------------------------------------------------------- */

static enum sort sort_of_class(const struct type_row *type)
{
    switch ((enum type_class)type->class) {
    case CLASS_INT:
        return type->size < 8 ? SORT_SIGNED : SORT_HEX;
    case CLASS_UINT:
    case CLASS_ENUM:
        return type->size < 8 ? SORT_WORD : SORT_HEX;
    case CLASS_BOOL:
        return SORT_BOOL;
    case CLASS_STATUS:
        return SORT_STATUS;
    case CLASS_HANDLE:
        return str_eq(str_of(type->name), STR("HANDLE")) ||
                       str_eq(str_of(type->name), STR("HDESK")) ||
                       str_eq(str_of(type->name), STR("HWINSTA"))
                   ? SORT_HANDLE
                   : SORT_USER_HANDLE;
    case CLASS_PTR:
        return SORT_POINTER;
    case CLASS_FNPTR:
        return SORT_CODE;
    case CLASS_FLOAT:
        return SORT_FLOAT;
    case CLASS_UNKNOWN:
    case CLASS_VOID:
    case CLASS_STRUCT:
        break;
    }
    return SORT_UNKNOWN;
}

static void shape_pointee(const struct type_row *type, struct shape_arg *out)
{
    struct ctype to;

    out->to = str_of(type->to_name);
    out->to_size = type->to_size;
    if (str_eq(out->to, STR("void")) || out->to.size == 0) {
        out->to_sort = SORT_UNKNOWN;
        out->to = STR("");
        out->to_size = 0;
        return;
    }
    if (ctype_of(out->to, &to)) {
        out->to_sort = to.sort;
        out->row = to.row;
        out->set = to.set;
        if (out->to_size == 0) {
            out->to_size = to.size;
        }
    } else if (type->to_class == CLASS_PTR) {
        out->to_sort = SORT_POINTER;
    } else if (type->to_class == CLASS_UINT || type->to_class == CLASS_INT ||
               type->to_class == CLASS_ENUM) {
        out->to_sort = SORT_WORD;
    }
    if (str_eq(out->to, STR("CONTEXT"))) {
        out->to_sort = SORT_CONTEXT;
    }
    out->to_sort =
        (uint8_t)sort_named((enum sort)out->to_sort, out->to_size, out->name);
}

/* PWSTR and its kin; a WCHAR* may be a buffer, or a single unit. */
static bool is_string(const struct type_row *type)
{
    return type && str_ends(str_of(type->name), STR("WSTR"));
}

/* What the meanings of the tables add to a parameter's type. */
static void shape_meaning(const struct call_facts *facts, struct shape_arg *arg)
{
    const struct meaning_row *m = meaning_of(str_of(facts->name), arg->name);
    uint8_t *sort = arg->sort == SORT_POINTER ? &arg->to_sort : &arg->sort;

    if (!m) {
        return;
    }
    switch (m->kind) {
    case MEANING_TIMEOUT:
        *sort = SORT_TIMEOUT;
        return;
    case MEANING_TIME:
        *sort = SORT_TIME;
        return;
    case MEANING_DURATION:
        *sort = SORT_DURATION;
        return;
    case MEANING_MILLISECONDS:
        *sort = SORT_MILLISECONDS;
        return;
    case MEANING_TEXT:
        arg->zero_ended = arg->sort == SORT_POINTER && !arg->buffer;
        return;
    case MEANING_ADDRESS:
        arg->opaque = arg->sort == SORT_POINTER && arg->to_size == 0;
        return;
    case MEANING_INFO:
        if (m->by && m->set && arg->sort == SORT_POINTER && arg->buffer) {
            arg->class_arg = arg_named(facts, str_of(m->by));
            arg->class_set = str_of(m->set);
        }
        return;
    case MEANING_CONTROL:
    case MEANING_VALUE:
    case MEANING_MESSAGE:
    case MEANING_MESSAGE_WORD:
        return; /* a family knows */
    }
}

static void shape_arg(const struct call_facts *facts, uint32_t i,
                      struct shape *shape)
{
    const struct call_arg *arg = &facts->args[i];
    const struct type_row *type = arg->type;
    struct shape_arg *out = &shape->args[i];
    const struct name_set *set;

    *out = (struct shape_arg){ .class_arg = SHAPE_NO_ARG,
                               .options = SHAPE_NO_ARG,
                               .to = STR(""),
                               .class_set = STR(""),
                               .name = str_of(arg->name) };
    out->size = 8;
    out->in = (arg->direction & ARG_IN) != 0;
    out->out = (arg->direction & ARG_OUT) != 0;
    if (type) {
        struct ctype own;

        out->size = type->size;
        out->sort = (uint8_t)sort_of_class(type);
        if (out->sort == SORT_POINTER) {
            shape_pointee(type, out);
        } else if (out->sort != SORT_CODE &&
                   ctype_of(str_of(type->name), &own)) {
            out->set = own.set;
            if (own.sort == SORT_HEX && out->sort == SORT_WORD) {
                out->sort = SORT_HEX;
            }
        }
        out->sort =
            (uint8_t)sort_named((enum sort)out->sort, out->size, out->name);
    }
    set = names_of_parameter(str_of(facts->name), out->name);
    if (set) {
        out->set = set;
    }
    if (arg->size) {
        parse_size(facts, arg->size, out);
    }
    /* A pointer to text without a size ends in a zero. */
    out->zero_ended = out->sort == SORT_POINTER && !arg->size && out->in &&
                      out->to_sort == SORT_WCHAR && is_string(type);
    if (out->sort == SORT_POINTER && out->to_size == 0 && !out->buffer) {
        out->opaque = true;
    }
    shape_meaning(facts, out);
    out->brief = brief_find(str_of(facts->name), out->name);
}

static void shape_calls(const struct call_facts *facts, struct shape *shape)
{
    str name = str_of(facts->name);
    uint32_t roles = call_roles(name);
    bool creates = false;
    uint8_t options = SHAPE_NO_ARG;

    for (uint8_t i = 0; i < facts->arg_count; i++) {
        struct shape_arg *arg = &shape->args[i];
        str set = arg->set ? str_of(arg->set->name) : STR("");

        if (str_eq(set, STR("FILE_CREATE_OPTIONS"))) {
            creates = true;
            options = i;
        }
        shape->any_out |= arg->sort == SORT_POINTER && arg->out;
        if (arg->to_size <= 8 && arg->sort == SORT_POINTER && arg->out &&
            (str_eq(arg->name, STR("ReturnLength")) ||
             str_eq(arg->name, STR("ResultLength")))) {
            arg->length = true;
        }
        for (uint8_t k = 0; k < facts->arg_count; k++) {
            const struct shape_arg *other = &shape->args[k];

            if ((other->bytes.kind == SIZE_POINTEE && other->bytes.arg == i) ||
                (other->limit.kind == SIZE_POINTEE && other->limit.arg == i)) {
                arg->length = arg->out;
            }
        }
    }
    for (uint8_t i = 0; i < facts->arg_count; i++) {
        struct shape_arg *arg = &shape->args[i];
        str set = arg->set ? str_of(arg->set->name) : STR("");

        if (arg->to_sort == SORT_IO_STATUS_BLOCK) {
            arg->created = creates;
        }
        if (str_eq(set, STR("FILE_ACCESS"))) {
            arg->options = options;
        }
        arg->by_object = str_eq(set, STR("STANDARD_ACCESS")) &&
                         str_eq(name, STR("NtDuplicateObject"));
    }
    if ((roles & (ROLE_READS | ROLE_WRITES)) != 0) {
        shape->role = (roles & ROLE_READS) != 0 ? ROLE_READ : ROLE_WRITE;
        shape->buffer = arg_named(facts, STR("Buffer"));
        if (shape->buffer == SHAPE_NO_ARG) {
            shape->role = ROLE_PLAIN;
        }
    }
}

void shape_of(const struct call_facts *facts, struct shape *out)
{
    memset(out, 0, sizeof(*out));
    out->facts = facts;
    out->fills = (uint8_t)call_fills(facts);
    for (int i = 0; i < OWNED_COUNT; i++) {
        const char *owner = call_owner(facts, (enum call_owned)i);

        out->owners[i].own = owner == NULL;
        out->owners[i].arg =
            owner ? arg_named(facts, str_of(owner)) : SHAPE_NO_ARG;
    }
    for (uint32_t i = 0; i < facts->arg_count; i++) {
        shape_arg(facts, i, out);
    }
    shape_calls(facts, out);
}

const struct struct_field *field_of(const struct struct_row *row,
                                    const char *name)
{
    for (uint32_t i = 0; name && i < row->field_count; i++) {
        if (strcmp(row->fields[i].name, name) == 0) {
            return &row->fields[i];
        }
    }
    return NULL;
}

/* --- Rights ----------------------------------------------------------- */

const struct name_set *access_set_of(str type)
{
    static const struct {
        str type;
        str set;
    } sets[] = {
        { STR_INIT("ALPC Port"), STR_INIT("PORT_ACCESS") },
        { STR_INIT("DebugObject"), STR_INIT("DEBUG_OBJECT_ACCESS") },
        { STR_INIT("Desktop"), STR_INIT("DESKTOP_ACCESS") },
        { STR_INIT("Directory"), STR_INIT("DIRECTORY_ACCESS") },
        { STR_INIT("Event"), STR_INIT("EVENT_ACCESS") },
        { STR_INIT("File"), STR_INIT("FILE_ACCESS") },
        { STR_INIT("IoCompletion"), STR_INIT("IO_COMPLETION_ACCESS") },
        { STR_INIT("Job"), STR_INIT("JOB_OBJECT_ACCESS") },
        { STR_INIT("Key"), STR_INIT("KEY_ACCESS") },
        { STR_INIT("KeyedEvent"), STR_INIT("KEYED_EVENT_ACCESS") },
        { STR_INIT("Mutant"), STR_INIT("MUTANT_ACCESS") },
        { STR_INIT("Partition"), STR_INIT("MEMORY_PARTITION_ACCESS") },
        { STR_INIT("Process"), STR_INIT("PROCESS_ACCESS") },
        { STR_INIT("Profile"), STR_INIT("PROFILE_ACCESS") },
        { STR_INIT("Section"), STR_INIT("SECTION_ACCESS") },
        { STR_INIT("Semaphore"), STR_INIT("SEMAPHORE_ACCESS") },
        { STR_INIT("Session"), STR_INIT("SESSION_ACCESS") },
        { STR_INIT("SymbolicLink"), STR_INIT("SYMBOLIC_LINK_ACCESS") },
        { STR_INIT("Thread"), STR_INIT("THREAD_ACCESS") },
        { STR_INIT("Timer"), STR_INIT("TIMER_ACCESS") },
        { STR_INIT("TmEn"), STR_INIT("ENLISTMENT_ACCESS") },
        { STR_INIT("TmRm"), STR_INIT("RESOURCEMANAGER_ACCESS") },
        { STR_INIT("TmTm"), STR_INIT("TRANSACTIONMANAGER_ACCESS") },
        { STR_INIT("TmTx"), STR_INIT("TRANSACTION_ACCESS") },
        { STR_INIT("Token"), STR_INIT("TOKEN_ACCESS") },
        { STR_INIT("TpWorkerFactory"), STR_INIT("WORKER_FACTORY_ACCESS") },
        { STR_INIT("WaitCompletionPacket"),
          STR_INIT("WAIT_COMPLETION_PACKET_ACCESS") },
        { STR_INIT("WindowStation"), STR_INIT("WINSTA_ACCESS") },
    };

    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        if (str_eq(type, sets[i].type)) {
            return names_find(sets[i].set);
        }
    }
    return NULL;
}
