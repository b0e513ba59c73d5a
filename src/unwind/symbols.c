/* SPDX-License-Identifier: MIT */
/*
 * symbols.c - gathering names of functions, and finding one.
 *
 * Touches nothing but its arguments and memory of its own. Counts in tables are
 * anybody's: no more is looked at than there are bytes for.
 */
#include "unwind/symbols.h"

#include "base/array.h"
#include "unwind/unwind.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

enum {
    EXPORTS_MOST = 0x10000,  // ordinals have 16 bits
    SYMBOL_SIZE = 18,
    SHORT_NAME = 8,
    TYPE_FUNCTION = 0x20,
    CLASS_EXTERNAL = 2,
    CLASS_STATIC = 3,
};

#define COFF_BYTES_MOST (64u << 20)
/* A longer name is none. */
#define NAME_MOST 4096u

static bool is_name(const char *p, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        if (p[i] <= ' ' || p[i] > '~') {
            return false;
        }
    }
    return size > 0;
}

/* How long the text is that begins there; 0: it is none. */
static uint32_t name_size(const char *p, uint32_t there)
{
    uint32_t most = there < NAME_MOST ? there : NAME_MOST;
    const char *end = memchr(p, 0, most);

    return end != NULL && is_name(p, (uint32_t)(end - p)) ? (uint32_t)(end - p)
                                                          : 0;
}

static void add(struct symbols *s, uint32_t rva, const char *name,
                uint32_t size)
{
    if (size > 0 && array_grow(&s->at, &s->room, s->count, sizeof(s->at[0]))) {
        s->at[s->count++] = (struct symbol){ rva, size, name };
    }
}

static void add_exports(struct symbols *s, struct modfile *f)
{
    uint32_t rva = f->exports.rva, there;
    const uint8_t *head = rva != 0 ? modfile_at(f, rva, 40) : NULL;
    uint32_t count, functions, names, ordinals;

    if (head == NULL) {
        return;
    }
    functions = modfile_u32(head + 20);
    count = modfile_u32(head + 24);
    for (uint32_t i = 0; i < count && i < EXPORTS_MOST; i++) {
        const uint8_t *name, *ordinal, *address;
        uint32_t at;

        names = modfile_u32(head + 32);
        ordinals = modfile_u32(head + 36);
        name = modfile_at(f, names + 4 * i, 4);
        ordinal = modfile_at(f, ordinals + 2 * i, 2);
        if (name == NULL || ordinal == NULL ||
            modfile_u16(ordinal) >= functions) {
            return;
        }
        address = modfile_at(
            f, modfile_u32(head + 28) + 4u * modfile_u16(ordinal), 4);
        name = modfile_rest(f, modfile_u32(name), &there);
        if (address == NULL || name == NULL) {
            continue;
        }
        at = modfile_u32(address);
        if (at - rva < f->exports.size) {
            continue;  // a forwarder
        }
        add(s, at, (const char *)name, name_size((const char *)name, there));
    }
}

/* The name of a COFF symbol; of a short one, which may fill its place, without
 * an end. */
static str coff_name(const uint8_t *symbol, const char *texts, uint32_t size)
{
    const char *p = (const char *)symbol;
    uint32_t at = modfile_u32(symbol + 4), length = 0;

    if (modfile_u32(symbol) != 0) {
        while (length < SHORT_NAME && p[length] != 0) {
            length++;
        }
        return is_name(p, length) ? (str){ p, length } : STR("");
    }
    if (at >= 4 && at < size) {
        return (str){ texts + at, name_size(texts + at, size - at) };
    }
    return STR("");
}

/* The table and the texts behind it, in memory of their own. */
static char *read_coff(const struct modfile *f, uint32_t *table,
                       uint32_t *texts)
{
    uint64_t bytes = (uint64_t)f->symbol_count * SYMBOL_SIZE;
    uint64_t left = f->source.size;
    char *p;

    if (f->symbols == 0 || f->symbols > left || bytes == 0) {
        return NULL;
    }
    left -= f->symbols;
    if (bytes > left || left > COFF_BYTES_MOST) {
        return NULL;
    }
    p = malloc((size_t)left);
    if (p == NULL ||
        !f->source.read(f->source.ctx, f->symbols, p, (size_t)left)) {
        free(p);
        return NULL;
    }
    *table = (uint32_t)bytes;
    *texts = (uint32_t)(left - bytes);
    return p;
}

static void add_coff(struct symbols *s, struct modfile *f)
{
    uint32_t bytes, text_bytes;
    char *p = read_coff(f, &bytes, &text_bytes);

    s->texts = p;
    if (p == NULL) {
        return;
    }
    for (uint32_t at = 0; at < bytes; at += SYMBOL_SIZE) {
        const uint8_t *symbol = (const uint8_t *)p + at;
        uint32_t value = modfile_u32(symbol + 8);
        uint32_t section = modfile_u16(symbol + 12);
        uint8_t class = symbol[16];
        str name;

        if (modfile_u16(symbol + 14) == TYPE_FUNCTION && section >= 1 &&
            section <= f->section_count &&
            (class == CLASS_EXTERNAL || class == CLASS_STATIC) &&
            modfile_is_code(&f->sections[section - 1]) &&
            value < f->sections[section - 1].size) {
            name = coff_name(symbol, p + bytes, text_bytes);
            add(s, f->sections[section - 1].rva + value, name.p,
                (uint32_t)name.size);
        }
        at += symbol[17] * (uint32_t)SYMBOL_SIZE;  // what belongs to it
    }
}

static int by_rva(const void *a, const void *b)
{
    const struct symbol *x = a, *y = b;

    if (x->rva != y->rva) {
        return x->rva < y->rva ? -1 : 1;
    }
    if (x->size != y->size) {
        return x->size < y->size ? -1 : 1;
    }
    return memcmp(x->name, y->name, x->size);
}

void symbols_open(struct symbols *s, struct modfile *f)
{
    size_t kept = 0;

    *s = (struct symbols){ .count = 0 };
    add_exports(s, f);
    add_coff(s, f);
    if (s->count > 0) {
        array_sort(s->at, s->count, sizeof(s->at[0]), by_rva);
    }
    /* Of several names of one place the shortest: it is the plain one. */
    for (size_t i = 0; i < s->count; i++) {
        if (kept == 0 || s->at[kept - 1].rva != s->at[i].rva) {
            s->at[kept++] = s->at[i];
        }
    }
    s->count = kept;
}

void symbols_close(struct symbols *s)
{
    free(s->at);
    free(s->texts);
    *s = (struct symbols){ .count = 0 };
}

bool symbols_find(const struct symbols *s, struct modfile *f, uint32_t rva,
                  str *name, uint32_t *offset)
{
    uint32_t before = rva - 1, begin, size;
    size_t low = 0, high = s->count;
    const struct symbol *found;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (s->at[middle].rva <= before) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0 || rva == 0) {
        return false;
    }
    found = &s->at[low - 1];
    if (!unwind_function(f, before, &begin, &size) || found->rva < begin) {
        return false;
    }
    *name = (str){ found->name, found->size };
    *offset = rva - found->rva;
    return true;
}
