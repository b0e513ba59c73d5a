/* SPDX-License-Identifier: MIT */
/*
 * cwords.c - what `unsigned long`, `struct _GUID *` and `PRTL_ATOM` are.
 *
 * Nothing is guessed: a name that no table has is a type only where it does not
 * matter what it is, behind a pointer or as an enum.
 */
#include "tables/cwords.h"

#include "base/compiler.h"
#include "tables/names.h"
#include "tables/structs.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* --- memory --- */

#define BLOCK_BYTES ((size_t)64 << 10)

struct cblock {
    struct cblock *next;
    alignas(max_align_t) char bytes[];
};

void *cmemory_take(struct cmemory *m, size_t size)
{
    size_t wanted = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) *
                    sizeof(max_align_t);

    if (wanted > m->left) {
        size_t room = wanted > BLOCK_BYTES ? wanted : BLOCK_BYTES;
        struct cblock *block = calloc(1, sizeof(*block) + room);

        if (block == NULL) {
            m->failed = true;
            return NULL;
        }
        block->next = m->blocks;
        m->blocks = block;
        m->left = room;
    }
    /* From the end of it, so that its size need not be kept. */
    m->left -= wanted;
    return m->blocks->bytes + m->left;
}

const char *cmemory_text(struct cmemory *m, str s)
{
    char *z = cmemory_take(m, s.size + 1);

    if (z != NULL) {
        memcpy(z, s.p, s.size);
    }
    return z;
}

void cmemory_free(struct cblock *blocks)
{
    while (blocks != NULL) {
        struct cblock *next = blocks->next;

        free(blocks);
        blocks = next;
    }
}

/* --- C's own types --- */

static const struct {
    const char *c;
    const char *is;
} own_names[] = {
    { "void", "VOID" },
    { "char", "CHAR" },
    { "signed char", "CHAR" },
    { "unsigned char", "UCHAR" },
    { "short", "SHORT" },
    { "short int", "SHORT" },
    { "unsigned short", "USHORT" },
    { "unsigned short int", "USHORT" },
    { "int", "INT" },
    { "signed", "INT" },
    { "signed int", "INT" },
    { "unsigned", "UINT" },
    { "unsigned int", "UINT" },
    { "long", "LONG" },
    { "long int", "LONG" },
    { "unsigned long", "ULONG" },
    { "unsigned long int", "ULONG" },
    { "long long", "LONGLONG" },
    { "long long int", "LONGLONG" },
    { "unsigned long long", "ULONGLONG" },
    { "unsigned long long int", "ULONGLONG" },
    { "__int64", "LONGLONG" },
    { "unsigned __int64", "ULONGLONG" },
    { "float", "FLOAT" },
    { "double", "DOUBLE" },
    { "wchar_t", "WCHAR" },
    { "size_t", "SIZE_T" },
    { "int8_t", "CHAR" },
    { "int16_t", "SHORT" },
    { "int32_t", "LONG" },
    { "int64_t", "LONGLONG" },
    { "uint8_t", "UCHAR" },
    { "uint16_t", "USHORT" },
    { "uint32_t", "ULONG" },
    { "uint64_t", "ULONGLONG" },
};

bool cspelled_is_plain(str word)
{
    static const char *const words[] = {
        "void",   "char",     "short",   "int",   "long",
        "signed", "unsigned", "__int64", "float", "double",
    };

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (str_is(word, words[i])) {
            return true;
        }
    }
    return false;
}

/* Plain types that the calls of the tables do not take, but others may. */
/* clang-format off */
#define PLAIN(name_, class_, size_) \
    { .name = #name_, .class = CLASS_##class_, .size = size_ }
static const struct type_row plain_rows[] = {
    PLAIN(ATOM, UINT, 2),      PLAIN(BYTE, UINT, 1),
    PLAIN(CCHAR, INT, 1),      PLAIN(CHAR, INT, 1),
    PLAIN(CSHORT, INT, 2),     PLAIN(DOUBLE, FLOAT, 8),
    PLAIN(DWORD, UINT, 4),     PLAIN(DWORD64, UINT, 8),
    PLAIN(DWORD_PTR, UINT, 8), PLAIN(FLOAT, FLOAT, 4),
    PLAIN(HRESULT, UINT, 4),   PLAIN(INT16, INT, 2),
    PLAIN(INT32, INT, 4),      PLAIN(INT64, INT, 8),
    PLAIN(INT_PTR, INT, 8),    PLAIN(KPRIORITY, INT, 4),
    PLAIN(LONG64, INT, 8),     PLAIN(LONGLONG, INT, 8),
    PLAIN(LONG_PTR, INT, 8),   PLAIN(SHORT, INT, 2),
    PLAIN(SSIZE_T, INT, 8),    PLAIN(UCHAR, UINT, 1),
    PLAIN(UINT16, UINT, 2),    PLAIN(UINT64, UINT, 8),
    PLAIN(UINT8, UINT, 1),     PLAIN(ULONG32, UINT, 4),
    PLAIN(ULONG64, UINT, 8),   PLAIN(WINBOOL, BOOL, 4),
};
/* clang-format on */

static const struct type_row *row_in(const struct type_row *rows, size_t count,
                                     str name)
{
    for (size_t i = 0; i < count; i++) {
        if (str_is(name, rows[i].name)) {
            return &rows[i];
        }
    }
    return NULL;
}

/* A type that has a row, or needs none of ours. */
static const struct type_row *row_of(str name)
{
    const struct type_row *row = row_in(type_rows, TYPE_COUNT, name);

    return row ? row : row_in(plain_rows, COUNT_OF(plain_rows), name);
}

/* --- others --- */

static struct type_row *make_row(struct cmemory *m, str name,
                                 enum type_class class, uint32_t size)
{
    struct type_row *row = cmemory_take(m, sizeof(*row));
    const char *kept = cmemory_text(m, name);

    if (row == NULL || kept == NULL) {
        return NULL;
    }
    row->name = kept;
    row->class = (uint8_t) class;
    row->size = (uint8_t)size;
    return row;
}

/* A pointer that is called `name`, to what is called `to`, whatever that is. */
static const struct type_row *make_pointer(struct cmemory *m, str name, str to)
{
    struct type_row *row = make_row(m, name, CLASS_PTR, 8);
    const struct type_row *target = row_of(to);
    const struct struct_row *fields = struct_find(to);

    if (row == NULL) {
        return NULL;
    }
    if (target != NULL) {
        row->to_name = target->name;
        row->to_class = target->class;
        row->to_size = target->size;
    } else if (fields != NULL) {
        row->to_name = fields->name;
        row->to_class = CLASS_STRUCT;
        row->to_size = (uint16_t)(fields->size < UINT16_MAX ? fields->size : 0);
    } else if (names_find(to) != NULL) {
        row->to_name = names_find(to)->name;
        row->to_class = CLASS_ENUM;
        row->to_size = 4;
    } else if (str_ends(to, STR("*"))) {
        row->to_name = cmemory_text(m, to);
        row->to_class = CLASS_PTR;
        row->to_size = 8;
    }
    return row;
}

static bool is_known(str name)
{
    return row_of(name) != NULL || struct_find(name) != NULL ||
           names_find(name) != NULL;
}

/* PX, PCX, LPX, LPCX of an X that is known. */
static const struct type_row *pointer_named(struct cmemory *m, str name)
{
    static const char *const heads[] = { "LPC", "LP", "PC", "P" };

    for (size_t i = 0; i < COUNT_OF(heads); i++) {
        str head = str_of(heads[i]);
        str to = str_slice(name, head.size, name.size);

        if (str_starts(name, head) && is_known(to)) {
            return make_pointer(m, name, to);
        }
    }
    return NULL;
}

static const struct type_row *by_value(struct cmemory *m, str name,
                                       enum ctag tag, const char **why)
{
    const struct struct_row *fields = struct_find(name);
    const struct type_row *row;

    if (fields != NULL) {
        if (fields->size != 1 && fields->size != 2 && fields->size != 4 &&
            fields->size != 8) {
            *why = "is passed by its address: write a * behind it";
            return NULL;
        }
        return make_row(m, name, CLASS_STRUCT, fields->size);
    }
    if (names_find(name) != NULL || tag == CTAG_ENUM) {
        return make_row(m, name, CLASS_ENUM, 4);
    }
    row = pointer_named(m, name);
    if (row == NULL) {
        *why = "is no type that is known: write what it is instead (ULONG, "
               "HANDLE, PVOID ...), enum before it, or a * behind it";
    }
    return row;
}

/* The words with one blank between. */
static str joined(const struct cspelled *type, struct buf *b)
{
    for (uint32_t i = 0; i < type->count; i++) {
        buf_add(b, i > 0 ? STR(" ") : STR(""));
        buf_add(b, type->words[i]);
    }
    for (size_t i = 0; i < COUNT_OF(own_names); i++) {
        if (str_is(buf_str(b), own_names[i].c)) {
            return str_of(own_names[i].is);
        }
    }
    return buf_str(b);
}

/* struct _GUID is GUID. */
static str tagged(str name)
{
    str bare = name;

    while (str_starts(bare, STR("_")) && !is_known(bare)) {
        bare = str_slice(bare, 1, bare.size);
    }
    return is_known(bare) ? bare : name;
}

const struct type_row *
cspelled_row(struct cmemory *m, const struct cspelled *type, const char **why)
{
    char room[300];
    char spelled_room[320];
    struct buf b = BUF_OVER(room);
    struct buf spelled = BUF_OVER(spelled_room);
    str name = joined(type, &b);
    const struct type_row *row;

    *why = "is no type";
    if (b.cut || name.size == 0 || type->stars > 8) {
        return NULL;
    }
    if (type->tag != CTAG_NONE) {
        name = tagged(name);
    }
    buf_add(&spelled, name);
    for (uint32_t i = 0; i < type->stars; i++) {
        buf_add_char(&spelled, '*');
    }
    row = row_of(buf_str(&spelled));
    if (row != NULL) {
        return row;
    }
    return type->stars > 0
               ? make_pointer(m, buf_str(&spelled),
                              str_slice(buf_str(&spelled), 0, spelled.size - 1))
               : by_value(m, name, type->tag, why);
}

bool cspelled_needs_enum(const struct type_row *row)
{
    return row->class == CLASS_ENUM && !is_known(str_of(row->name));
}
