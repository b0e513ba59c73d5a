/* SPDX-License-Identifier: MIT */
/*
 * layout.h - where the fields of a structure are, by the width of a process.
 *
 * The tables have every structure as x64 lays it out. In a process whose
 * pointers are 4 bytes wide the same fields follow each other by the same
 * rule: each on the next multiple of its alignment, the whole a multiple of
 * the largest. What changes is the size of pointers, handles, and numbers of
 * their width; a LARGE_INTEGER stays on a multiple of 8. So one row serves
 * both widths. Which members lie over each other is seen by their places on
 * x64.
 *
 * CONTEXT is the machine's, and has no other width.
 * Everything is constant.
 */
#ifndef NT_LAYOUT_H
#define NT_LAYOUT_H

#include "tables/structs.h"

#include <stdbool.h>
#include <stdint.h>

/* Of a process: all its pointers are as wide. */
enum nt_width {
    NT_64,
    NT_32,
    NT_WIDTH_COUNT,
};

/* The most fields that a row has. */
#define NT_FIELDS_MAX 96

struct nt_place {
    uint32_t offset;  // bytes
    uint32_t size;    // bytes; of bits those of their word; 0: not there
};

struct nt_layout {
    uint32_t size;                          // of the structure, bytes
    uint32_t align;                         // bytes
    struct nt_place fields[NT_FIELDS_MAX];  // as in its row
};

/* Bytes of a pointer. */
static inline uint32_t nt_pointer_size(enum nt_width width)
{
    return width == NT_32 ? 4 : 8;
}

/* False: it has no layout in that width, or the rule does not know a type of
 * it (tests/unit/test_layout.c: there is none such in the tables). */
bool nt_layout_of(const struct struct_row *row, enum nt_width width,
                  struct nt_layout *out);

#endif
