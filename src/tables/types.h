/* SPDX-License-Identifier: MIT */
/*
 * types.h - the types of results and parameters: how wide, and what sort.
 *
 * A type is a number, enum type_id, one for each row of types.def and
 * types_lgpl.def. Everything here is constant; nothing fails but type_row,
 * which has no row for a number that is no type.
 *
 * On x64 each parameter takes one slot of 8 bytes, whatever its type: a
 * structure by value of 1, 2, 4 or 8 bytes lies in its slot, a larger one is
 * passed by address. What stands in a slot above the type's own width is
 * rubbish and not to be shown.
 */
#ifndef TABLES_TYPES_H
#define TABLES_TYPES_H

#include <stdint.h>

enum type_id {
#define TYPE(id_, class_, size_, to_) TYPE_##id_,
#define TYPE_P(id_, name_, class_, size_, to_) TYPE_##id_,
#include "tables/types.def"
#ifndef NO_LGPL_ROWS
#include "tables/types_lgpl.def"
#endif
#undef TYPE
#undef TYPE_P
    TYPE_COUNT,
};

enum type_class {
    CLASS_UNKNOWN,  // a name whose type no source tells: show all 8 bytes
    CLASS_VOID,
    CLASS_INT,   // signed
    CLASS_UINT,  // unsigned, access masks and flags too
    CLASS_BOOL,
    CLASS_ENUM,
    CLASS_STATUS,  // NTSTATUS
    CLASS_HANDLE,
    CLASS_PTR,
    CLASS_FNPTR,   // address of code
    CLASS_STRUCT,  // by value
    CLASS_FLOAT,
};

struct type_row {
    const char *name;     // as the sources spell it: "HANDLE", "PVOID*"
    const char *to_name;  // type that a CLASS_PTR points to, else NULL
    uint16_t to_size;     // its bytes, 0 if unknown
    uint8_t to_class;     // enum type_class of it
    uint8_t class;        // enum type_class
    uint8_t size;         // bytes on x64: 0 (void), 1, 2, 4 or 8
};

/* All rows, by enum type_id. */
extern const struct type_row type_rows[TYPE_COUNT];

/* The row of type `id`, NULL if there is none. */
const struct type_row *type_row(uint32_t id);

/* Bytes of a value of type `id`: 0 for VOID, else 1, 2, 4 or 8; 8 for what is
 * not known. */
uint32_t type_size(uint32_t id);

/* CLASS_UNKNOWN for what is no type. */
enum type_class type_class(uint32_t id);

#endif
