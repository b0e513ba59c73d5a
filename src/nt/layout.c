/* SPDX-License-Identifier: MIT */
/*
 * layout.c - one rule for both widths.
 *
 * Each field is laid out twice, as x64 has it and as `width` has it. On x64 it
 * is known where it must come out; that says which field it follows, or over
 * which it lies, and there it is put for the other width.
 *
 * Touches only what it is given; structures that contain themselves there are
 * none (tests/unit/test_layout.c walks all).
 */
#include "nt/layout.h"

#include "base/compiler.h"
#include "tables/ioctls.h"

#include <string.h>

#include "base/banned.h"

struct shape {
    uint32_t size;
    uint32_t align;
};

/* Types of 8 bytes or more that no row has, and that are as large with 4
 * bytes for a pointer. All others of 8 bytes are pointers, handles, or numbers
 * of their width. */
static const struct {
    const char *name;
    uint8_t align;
} fixed[] = {
    { "DWORD64", 8 },
    { "FILE_ID_128", 1 },
    { "GUID", 4 },
    { "LONG64", 8 },
    { "LONGLONG", 8 },
    { "LUID", 4 },
    { "M128A", 16 },
    { "POINT", 4 },
    { "PVOID64", 8 },
    { "RECT", 4 },
    { "TRANSPORT_ADDRESS", 4 },
    { "ULONG64", 8 },
    { "ULONGLONG", 8 },
    { "WNF_STATE_NAME", 4 },
    { "WNF_TYPE_ID", 4 },
    { "XMM_SAVE_AREA32", 16 },
    { "double", 8 },
};

/* What the fields of a row do not say: they begin on a multiple of more than
 * their types ask for, as a member does that the row leaves out, or a whole
 * structure by its declaration. */
static const struct {
    const char *structure;
    const char *field;
    uint32_t align;
} aligned[] = {
    { "AFD_INFORMATION", "Information.Boolean", 8 },
    { "FILE_IO_PRIORITY_HINT_INFORMATION", "PriorityHint", 8 },
};

/* Fields that are there only where pointers have 8 bytes. */
static const struct {
    const char *structure;
    const char *field;
} only_64[] = {
    { "ALPC_PORT_ATTRIBUTES", "Reserved" },
};

static uint32_t up(uint32_t n, uint32_t align)
{
    return (n + align - 1) / align * align;
}

static bool is_fixed(str type, uint32_t *align)
{
    for (size_t i = 0; i < COUNT_OF(fixed); i++) {
        if (str_is(type, fixed[i].name)) {
            *align = fixed[i].align;
            return true;
        }
    }
    return false;
}

/* Of a value of `type` that takes `size` bytes on x64. False: nobody knows. */
static bool shape_of_type(str type, uint32_t size, enum nt_width width,
                          struct shape *out)
{
    str element;
    str tail;
    uint64_t count;
    const struct struct_row *row;

    if (str_ends(type, STR("]")) && str_cut(type, '[', &element, &tail)) {
        if (!str_to_u64(str_slice(tail, 0, tail.size - 1), &count) ||
            count == 0 || size % count != 0 ||
            !shape_of_type(element, (uint32_t)(size / count), width, out)) {
            return false;
        }
        out->size *= (uint32_t)count;
        return true;
    }
    *out = (struct shape){ size, 0 };
    if (is_fixed(type, &out->align)) {
        return true;
    }
    row = str_ends(type, STR("*")) ? NULL : ioctl_struct(type);
    if (row) {
        struct nt_layout inner;

        if (!nt_layout_of(row, width, &inner)) {
            return false;
        }
        *out = (struct shape){ inner.size, inner.align };
        return true;
    }
    if (size == 8) {
        out->size = nt_pointer_size(width);
    }
    out->align = out->size;
    return size <= 8 && (size & (size - 1)) == 0;
}

/* Bytes of the word that the bits from `i` on share. */
static uint32_t word_of(const struct struct_row *row, uint32_t i)
{
    uint32_t offset = row->fields[i].offset;
    uint32_t size = 1;

    for (; i < row->field_count && row->fields[i].bits > 0 &&
           row->fields[i].offset == offset;
         i++) {
        while (8 * size <
               (uint32_t)row->fields[i].first_bit + row->fields[i].bits) {
            size *= 2;
        }
    }
    return size;
}

/* Nothing for a field that `width` does not have. */
static bool shape_of_field(const struct struct_row *row, uint32_t i,
                           enum nt_width width, struct shape *out)
{
    const struct struct_field *field = &row->fields[i];

    for (size_t k = 0; width == NT_32 && k < COUNT_OF(only_64); k++) {
        if (strcmp(row->name, only_64[k].structure) == 0 &&
            strcmp(field->name, only_64[k].field) == 0) {
            *out = (struct shape){ 0, 1 };
            return true;
        }
    }
    if (field->bits > 0) {
        out->size = word_of(row, i);
        out->align = out->size;
        return true;
    }
    if (!field->type ||
        !shape_of_type(str_of(field->type), field->size, width, out)) {
        return false;
    }
    for (size_t k = 0; k < COUNT_OF(aligned); k++) {
        if (strcmp(row->name, aligned[k].structure) == 0 &&
            strcmp(field->name, aligned[k].field) == 0) {
            out->align = aligned[k].align;
        }
    }
    return true;
}

/* The largest alignment, for `width`, of the fields that begin at `offset`:
 * they are members of one union. */
static uint32_t union_align(const struct struct_row *row, uint32_t offset,
                            enum nt_width width)
{
    uint32_t align = 1;
    struct shape shape;

    for (uint32_t i = 0; i < row->field_count; i++) {
        if (row->fields[i].offset == offset &&
            shape_of_field(row, i, width, &shape) && shape.align > align) {
            align = shape.align;
        }
    }
    return align;
}

/* How far the fields have come: their ends here, on x64, and there, in
 * `width`. */
struct ends {
    struct shape here;  // of all
    struct shape there;
    uint32_t last_here;  // of the newest
    uint32_t last_there;
};

/* "u1.s1.TotalLength" and "u1.s1.DataLength" are members of one structure. */
static bool are_kin(const char *a, const char *b)
{
    str head = str_of(a);

    while (head.size > 0 && head.p[head.size - 1] != '.') {
        head.size--;
    }
    return head.size > 0 && str_starts(str_of(b), head);
}

/* Bits of a word that another field has begun. False: they are none. */
static bool place_bits(const struct struct_row *row, uint32_t i,
                       const struct nt_layout *l, uint32_t *to)
{
    const struct struct_field *bits = &row->fields[i];

    for (uint32_t k = 0; bits->bits > 0 && k < i; k++) {
        const struct struct_field *f = &row->fields[k];
        uint32_t size = f->bits > 0 ? word_of(row, k) : f->size;

        if (bits->offset - f->offset < size) {
            *to = l->fields[k].offset + bits->offset - f->offset;
            return true;
        }
    }
    return false;
}

/* Where field `i` is in `width`. */
static bool place(const struct struct_row *row, uint32_t i,
                  const struct ends *e, enum nt_width width,
                  const struct nt_layout *l, uint32_t *to)
{
    uint32_t offset = row->fields[i].offset;
    uint32_t here = union_align(row, offset, NT_64);
    uint32_t there = union_align(row, offset, width);
    bool next = i > 0 && up(e->last_here, here) == offset;
    bool behind = up(e->here.size, here) == offset;

    if (next &&
        (!behind || are_kin(row->fields[i - 1].name, row->fields[i].name))) {
        *to = up(e->last_there, there);  // in the same member of a union
        return true;
    }
    if (behind) {
        *to = up(e->there.size, there);
        return true;
    }
    for (uint32_t k = 0; k < i; k++) {
        if (row->fields[k].offset == offset) {
            *to = l->fields[k].offset;  // another member
            return true;
        }
    }
    if (up(e->here.size, e->here.align) == offset) {
        *to = up(e->there.size, e->there.align);  // behind a structure
        return true;
    }
    return false;
}

static void stretch(struct shape *all, uint32_t end, uint32_t align)
{
    all->size = end > all->size ? end : all->size;
    all->align = align > all->align ? align : all->align;
}

bool nt_layout_of(const struct struct_row *row, enum nt_width width,
                  struct nt_layout *out)
{
    struct ends e = { .here.align = 1, .there.align = 1 };

    if (row->field_count > NT_FIELDS_MAX ||
        (width != NT_64 && strcmp(row->name, "CONTEXT") == 0)) {
        return false;
    }
    for (uint32_t i = 0; i < row->field_count; i++) {
        struct nt_place *field = &out->fields[i];
        struct shape here;
        struct shape there;

        if (place_bits(row, i, out, &field->offset)) {
            field->size = word_of(row, i);
            continue;
        }
        if (!shape_of_field(row, i, NT_64, &here) ||
            !shape_of_field(row, i, width, &there) ||
            !place(row, i, &e, width, out, &field->offset)) {
            return false;
        }
        field->size = there.size;
        e.last_here = row->fields[i].offset + here.size;
        e.last_there = field->offset + there.size;
        stretch(&e.here, e.last_here, here.align);
        stretch(&e.there, e.last_there, there.align);
    }
    out->size = up(e.there.size, e.there.align);
    out->align = e.there.align;
    return true;
}
