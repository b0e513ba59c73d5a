/* SPDX-License-Identifier: MIT */
/*
 * syscalls.c - exports to stubs to service numbers.
 *
 * Touches nothing but the image it is given, through readers. Does not fail:
 * an image without exports that hold, or no memory, is an empty table.
 */
#include "live/syscalls.h"

#include "base/array.h"
#include "tables/amd64/stubs.h"
#include "wire/journal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define IMAGE_SCN_MEM_EXECUTE 0x20000000u

/* Stubs begin at multiples of this (docs/facts.md C12). */
#define STUB_ALIGN 16
/* Room for the longest form. */
#define STUB_ROOM 0x20u
/* What is not farther away than this lies beside the others. */
#define BESIDE 0x1000u

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
 * named as one. Lines show their names as they are. */
static size_t collect(const struct pe_image *image, struct candidate *out,
                      size_t room)
{
    struct pe_exports it = pe_exports_over(image);
    struct pe_export x;
    size_t count = 0;

    while (count < room && pe_exports_next(&it, &x)) {
        struct candidate *c = &out[count];
        struct stub_match match;

        if (x.name.size > SYSCALL_NAME_MAX || !journal_is_name(x.name)) {
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

/* --- second stubs --- */

/* Entries by number: their index and 1; 0: none has it, MANY: several. */
struct by_number {
    uint16_t at[STUB_NUMBER_MASK + 1];
};

#define MANY UINT16_MAX

static_assert(SYSCALLS_MAX < MANY, "syscalls.c");

static void index_numbers(struct by_number *n, const struct syscalls *s)
{
    for (size_t i = 0; i < s->count; i++) {
        uint16_t *at = &n->at[s->entries[i].number & STUB_NUMBER_MASK];

        *at = *at == 0 ? (uint16_t)(i + 1) : MANY;
    }
}

static bool is_entry(const struct syscalls *s, uint32_t rva)
{
    size_t from = 0;
    size_t to = s->count;

    while (from < to) {
        size_t mid = from + (to - from) / 2;

        if (s->entries[mid].rva == rva) {
            return true;
        }
        if (s->entries[mid].rva < rva) {
            from = mid + 1;
        } else {
            to = mid;
        }
    }
    return false;
}

/* Is the stub at `rva` the second one of some entry? Bytes that look like one
 * by accident, or are there to deceive, give no name to anything else: they
 * are those of the exported stub, all of them. Where that one was changed by
 * others, its number is known by its place. (None begins inside another: at
 * multiples of 16, their bytes would contradict each other.) */
static bool is_second(const struct pe_image *image, const struct syscalls *s,
                      const struct by_number *n, uint32_t rva,
                      struct second_stub *out, uint32_t *size)
{
    const uint8_t *bytes = image->bytes.p + rva;
    const struct syscall_entry *e;
    struct stub_match match;
    uint16_t at;

    if (!stub_decode(bytes, image->bytes.size - rva, &match)) {
        return false;
    }
    at = n->at[match.number];
    if (at == 0 || at == MANY || is_entry(s, rva)) {
        return false;
    }
    e = &s->entries[at - 1];
    if (e->stub && (image->bytes.size - e->rva < match.form->pattern_size ||
                    memcmp(image->bytes.p + e->rva, bytes,
                           match.form->pattern_size) != 0)) {
        return false;
    }
    *out = (struct second_stub){ rva, (uint32_t)at - 1 };
    *size = match.form->pattern_size;
    return true;
}

/* Looks through [from, to). */
static void scan(const struct pe_image *image, struct syscalls *s,
                 const struct by_number *n, uint32_t from, uint32_t to)
{
    uint64_t at =
        ((uint64_t)from + STUB_ALIGN - 1) & ~(uint64_t)(STUB_ALIGN - 1);

    while (at < to && s->second_count < SECOND_STUBS_MAX) {
        struct second_stub *out = &s->seconds[s->second_count];
        uint32_t size = 1;

        if (is_second(image, s, n, (uint32_t)at, out, &size) &&
            at + size <= to) {
            s->second_count++;
        }
        at += (size + STUB_ALIGN - 1) & ~(uint32_t)(STUB_ALIGN - 1);
    }
}

/* Fills the seconds in. Sections are in the order of their addresses; one
 * that is not was made to have us look at the same bytes again and again. */
static void find_seconds(const struct pe_image *image, struct syscalls *s)
{
    struct by_number *n = calloc(1, sizeof(*n));
    struct pe_section section;
    uint32_t looked = 0;

    s->seconds = calloc(SECOND_STUBS_MAX, sizeof(*s->seconds));
    if (n == NULL || s->seconds == NULL) {
        free(n);
        free(s->seconds);
        s->seconds = NULL;
        return;
    }
    index_numbers(n, s);
    for (size_t i = 0; i < image->section_count; i++) {
        uint64_t to;

        if (!pe_section_at(image, i, &section) || section.rva < looked) {
            continue;
        }
        to = (uint64_t)section.rva + section.size;
        if (to > image->bytes.size) {
            to = image->bytes.size;
        }
        if (section.rva >= to) {
            continue;
        }
        looked = (uint32_t)to;
        if (section.flags & IMAGE_SCN_MEM_EXECUTE) {
            scan(image, s, n, section.rva, looked);
        }
    }
    free(n);
}

bool syscalls_span(const struct syscalls *s, uint32_t *from, uint32_t *to)
{
    size_t i;

    *from = 0;
    *to = 0;
    if (s->count == 0) {
        return false;
    }
    *from = s->entries[0].rva;
    *to = s->entries[s->count - 1].rva + STUB_ROOM;
    for (i = s->second_count; i-- > 0;) {
        uint32_t rva = s->seconds[i].rva;

        if (rva < *from && *from - rva <= BESIDE) {
            *from = rva;
        }
    }
    for (i = 0; i < s->second_count; i++) {
        uint32_t rva = s->seconds[i].rva;

        if (rva >= *to && rva - *to < BESIDE) {
            *to = rva + STUB_ROOM;
        }
    }
    return true;
}

/* --- the table --- */

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
    array_sort(c, count, sizeof(*c), by_address);
    count = number_by_order(c, merge(c, count));
    cross_check(c, count);
    s.entries = calloc(count + 1, sizeof(*s.entries));
    if (s.entries != NULL) {
        s.count = count;
        for (size_t i = 0; i < count; i++) {
            s.entries[i] = c[i].entry;
        }
        find_seconds(image, &s);
    }
    free(c);
    return s;
}

void syscalls_close(struct syscalls *s)
{
    free(s->entries);
    free(s->seconds);
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
