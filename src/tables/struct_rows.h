/* SPDX-License-Identifier: MIT */
/*
 * struct_rows.h - STRUCT rows of a .def file as elements of an array of struct
 * struct_row; for who includes one. structs.def says what a row is.
 */
#ifndef TABLES_STRUCT_ROWS_H
#define TABLES_STRUCT_ROWS_H

#include "base/compiler.h"
#include "tables/structs.h"

/* clang-format off */
#define FIELD(offset_, size_, type_, name_)                                 \
    { .offset = (offset_), .size = (size_), .type = type_, .name = #name_ }
#define BITS(offset_, bit_, width_, name_)                                  \
    { .offset = (offset_), .first_bit = (bit_), .bits = (width_),           \
      .name = #name_ }
#define STRUCT(name_, size_, ...)                                           \
    {                                                                       \
        .name = #name_,                                                     \
        .size = (size_),                                                    \
        .fields = (const struct struct_field[]){ __VA_ARGS__ },             \
        .field_count =                                                      \
            COUNT_OF(((const struct struct_field[]){ __VA_ARGS__ })),       \
    },
/* clang-format on */

#endif
