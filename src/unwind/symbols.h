/* SPDX-License-Identifier: MIT */
/*
 * symbols.h - names for places in a module: its exports, and what mingw's linker
 * leaves in a program that is not stripped (COFF symbols).
 */
#ifndef UNWIND_SYMBOLS_H
#define UNWIND_SYMBOLS_H

#include "base/str.h"
#include "unwind/modfile.h"

struct symbol {
    uint32_t rva;
    uint32_t size;  // of the name
    const char *name;
};

/* Sorted by RVA, each RVA once. */
struct symbols {
    struct symbol *at;  // owned
    size_t count;
    size_t room;
    char *texts;  // owned: COFF's string table, and names that are in no table
};

/* All names of functions that `f` has, as long as that is open: names of
 * printable ASCII without blanks. Without memory there are fewer. */
void symbols_open(struct symbols *s, struct modfile *f);
void symbols_close(struct symbols *s);

/* The name of the function that `rva` is in, and how far: of an address that a
 * call returns to. False: none is known. Where a function begins the unwind data
 * say: the nearest name may be that of another one. */
bool symbols_find(const struct symbols *s, struct modfile *f, uint32_t rva,
                  str *name, uint32_t *offset);

#endif
