/* SPDX-License-Identifier: MIT */
/*
 * walk.h - values out of a target's memory by their types: structures, field
 * by field, arrays, lists. As tell.h has it, also in what is not believed.
 *
 * Who calls it hands over whom to ask for structures that types alone do not
 * tell (family.h), in struct tell: from there calls come back, and nowhere
 * else.
 */
#ifndef DECODE_WALK_H
#define DECODE_WALK_H

#include "decode/family.h"
#include "decode/shape.h"
#include "decode/tell.h"

/* The value of C type `type` ("ULONG", "UNICODE_STRING", "HANDLE", "X*") in
 * `size` bytes at `address`; `set` NULL: none. */
void walk_type(const struct tell *t, str type, uint64_t address, uint32_t size,
               const struct name_set *set);
/* The same of a parameter or field called `name`: that says how a number is
 * meant. `size` 0: by the type. */
void walk_named(const struct tell *t, str type, str name, uint64_t address,
                uint32_t size, const struct name_set *set);
/* The same of a type that is understood. */
void walk_ctype(const struct tell *t, const struct ctype *type, str name,
                uint64_t address, uint32_t size, const struct name_set *set);
/* What the pointer `arg` points to, one value of its type. */
void walk_pointed(const struct tell *t, const struct shape_arg *arg,
                  uint64_t address);
/* What lies at `address` by the type of its information class: `types` as in
 * info_row. False if no table has it. */
bool walk_info(const struct tell *t, str types, uint64_t address,
               uint64_t size);
/* `count` elements of `type`, `each` bytes wide; 0: by the type. */
void walk_array(const struct tell *t, str type, uint64_t address,
                uint64_t count, uint32_t each, const struct name_set *set);

/* The same of a field `name`, whose type is `array`, "X[n]"; no more than
 * `there` of them are said to be there, and what is missing is marked. */
void walk_elements(const struct tell *t, const struct ctype *array, str name,
                   uint64_t address, uint64_t count, uint64_t there,
                   const struct name_set *set);

/* The structure at `address` of which `size` bytes are said to be there; 0:
 * what it has. */
void walk_struct(const struct tell *t, const struct struct_row *row,
                 uint64_t address, uint64_t size);
/* A structure that a family has, by its name, wherever it lies. `type`: text
 * that stays, of a table; `size`: bytes said to be there, 0: what the
 * structure has. False: none has it, and nothing is told. */
bool walk_special(const struct tell *t, str type, uint64_t address,
                  uint64_t size);
/* Name and value of the field. */
void walk_field(const struct tell *t, const struct struct_row *row,
                const struct struct_field *field, uint64_t address);
/* All fields but those that no one needs. `type` NULL: none special. */
void walk_fields(const struct tell *t, const struct struct_row *row,
                 const struct family_type *type, uint64_t address,
                 uint64_t said);
/* Of the structure's union the fields that count, if that is known. */
void walk_union(const struct tell *t, const struct struct_row *row,
                uint64_t address);
/* A buffer of `said` bytes that holds a `type`, or "X[]". False: it is too
 * small, or the type is not known. */
bool walk_buffer(const struct tell *t, const char *type, uint64_t address,
                 uint64_t said);
/* A buffer, as its row has it (family_param.tell). */
bool walk_param(const struct tell *t, const struct family_param *row,
                uint32_t i, uint64_t address);

#endif
