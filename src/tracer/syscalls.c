/* SPDX-License-Identifier: MIT */
/*
 * syscalls.c - exports to stubs to service numbers.
 *
 * Touches nothing but the image it is given, through readers. Does not fail:
 * an image without exports that hold, or no memory, is an empty table.
 */
#include "tracer/syscalls.h"

#include "tables/amd64/stubs.h"

#include <stdlib.h>

#include "base/banned.h"

struct candidate {
    struct syscall_entry entry;
    bool zw;  // some name of it begins with Zw
    bool nt;  // ... with Nt and a capital
};

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool named_nt(str name)
{
    return str_starts(name, STR("Nt")) && name.size > 2 &&
           is_capital(name.p[2]);
}

static int by_address(const void *a, const void *b)
{
    const struct candidate *x = a;
    const struct candidate *y = b;

    if (x->entry.rva != y->entry.rva) {
        return x->entry.rva < y->entry.rva ? -1 : 1;
    }
    /* Nt before Zw before anything else: the first name is kept. */
    if (x->nt != y->nt) {
        return x->nt ? -1 : 1;
    }
    if (x->zw != y->zw) {
        return x->zw ? -1 : 1;
    }
    return str_cmp(x->entry.name, y->entry.name);
}

/* All exports that could be system calls: stubs by their bytes, and what is
 * named as one. */
static size_t collect(const struct pe_image *image, struct candidate *out,
                      size_t room)
{
    struct pe_exports it = pe_exports_over(image);
    struct pe_export x;
    size_t count = 0;

    while (count < room && pe_exports_next(&it, &x)) {
        struct candidate *c = &out[count];
        struct stub_match match;

        if (x.name.size > SYSCALL_NAME_MAX) {
            continue;
        }
        *c = (struct candidate){ .entry = { .rva = x.rva, .name = x.name } };
        c->zw = str_starts(x.name, STR("Zw"));
        c->nt = named_nt(x.name);
        if (x.rva < image->bytes.size &&
            stub_decode(image->bytes.p + x.rva, image->bytes.size - x.rva,
                        &match)) {
            c->entry.stub = true;
            c->entry.number = (uint16_t)match.number;
        } else if (!c->zw && !c->nt) {
            continue;
        }
        count++;
    }
    return count;
}

/* One candidate for each address; foreign bytes count as a system call only
 * if the function has a Zw name as well (win32u has none: there it must lie
 * between stubs). */
static size_t merge(struct candidate *c, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && c[kept - 1].entry.rva == c[i].entry.rva) {
            c[kept - 1].zw |= c[i].zw;
            c[kept - 1].nt |= c[i].nt;
            continue;
        }
        c[kept++] = c[i];
    }
    return kept;
}

/* Gives candidates without a stub's bytes the number that their place
 * demands: `n` of them in a row between stubs whose numbers are n+1 apart. */
static size_t number_by_order(struct candidate *c, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        size_t from = i, to = i;

        if (c[i].entry.stub) {
            c[kept++] = c[i];
            continue;
        }
        while (to < count && !c[to].entry.stub) {
            to++;
        }
        if (kept > 0 && to < count &&
            c[to].entry.number == c[kept - 1].entry.number + 1 + (to - from)) {
            uint16_t number = c[kept - 1].entry.number;

            for (; i < to; i++) {
                c[i].entry.number = ++number;
                c[i].entry.known = SYSCALL_BY_ORDER;
                c[kept++] = c[i];
            }
        }
        i = to - 1;
    }
    return kept;
}

static void cross_check(struct candidate *c, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct syscall_entry *e = &c[i].entry;
        uint32_t before = i > 0 ? c[i - 1].entry.number : 0;
        uint32_t after = i + 1 < count ? c[i + 1].entry.number : 0;

        if (!e->stub) {
            continue;
        }
        if ((i > 0 && before >= e->number) ||
            (i + 1 < count && after <= e->number)) {
            e->known = SYSCALL_CONFLICT;
        } else if ((i > 0 && before + 1 == e->number) ||
                   (i + 1 < count && after == e->number + 1u)) {
            e->known = SYSCALL_BOTH;
        } else {
            e->known = SYSCALL_DECODED;
        }
    }
}

struct syscalls syscalls_of(const struct pe_image *image)
{
    size_t room = pe_exports_over(image).name_count;
    struct syscalls s = { 0 };
    struct candidate *c;
    size_t count;

    if (room > SYSCALLS_MAX) {
        room = SYSCALLS_MAX;
    }
    c = calloc(room + 1, sizeof(*c));
    if (c == NULL) {
        return s;
    }
    count = collect(image, c, room);
    qsort(c, count, sizeof(*c), by_address);
    count = number_by_order(c, merge(c, count));
    cross_check(c, count);
    s.entries = calloc(count + 1, sizeof(*s.entries));
    if (s.entries != NULL) {
        s.count = count;
        for (size_t i = 0; i < count; i++) {
            s.entries[i] = c[i].entry;
        }
    }
    free(c);
    return s;
}

void syscalls_close(struct syscalls *s)
{
    free(s->entries);
    *s = (struct syscalls){ 0 };
}

str syscall_known_name(enum syscall_known known)
{
    switch (known) {
    case SYSCALL_DECODED:
        return STR("decoded");
    case SYSCALL_BY_ORDER:
        return STR("order");
    case SYSCALL_BOTH:
        return STR("both");
    case SYSCALL_CONFLICT:
        return STR("conflict");
    }
    return STR("?");
}
