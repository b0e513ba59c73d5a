/* SPDX-License-Identifier: MIT */
/*
 * tell.h - values out of a target's memory, told to a sink by their types.
 *
 * All memory is what the agent copied (nt/memory.h): what was not copied,
 * or is not whole, is told as unknown, and a pointer into it as an address.
 * Sizes and counts found in memory are the target's words: each is held
 * against what is really there before it is used.
 *
 *   tell.c     by type: numbers, sets, structures, arrays, strings, times
 *   special.c  and special_*.c: what types alone do not say: buffers whose
 *              meaning another argument tells, lists with types of their own
 *   decode.c   calls, argument by argument
 */
#ifndef DECODE_TELL_H
#define DECODE_TELL_H

#include "base/str.h"
#include "decode/decode.h"
#include "decode/shape.h"
#include "decode/sink.h"
#include "model/call.h"
#include "nt/read.h"
#include "tables/names.h"
#include "tables/structs.h"

#include <stdbool.h>
#include <stdint.h>

/* Structures in structures, no deeper. */
#define TELL_DEPTH_MAX 12
/* Elements of an array shown without -v, and with it. */
#define TELL_ELEMENTS 8
#define TELL_ELEMENTS_VERBOSE 4096

struct tell {
    struct sink *sink;
    const struct call *call;  // NULL: none (a transition)
    const struct decode_options *options;
    const struct memory *memory;  // before, or after
    enum nt_width width;          // of what is in it
    bool after;
    bool foreign[OWNED_COUNT];  // may be those of another process
    uint32_t depth;
    struct tell_room *room;  // lent, for what lies in several pieces
};

/* The longest that is told in one: a UNICODE_STRING, or a capture. */
#define TELL_ROOM (256u << 10)

/* Elements and fields of one call, twice what fits into 64 KiB: memory can be
 * made so that following it would never end. */
#define TELL_VALUES_MAX 16384u

struct tell_room {
    uint32_t left;  // of TELL_VALUES_MAX
    _Alignas(8) uint8_t bytes[TELL_ROOM];
};

/* Asked before each element of an array or list. False: the call has told
 * TELL_VALUES_MAX of them. */
bool tell_may(const struct tell *t);

/* How many of `size` bytes at `address` are known, from the first one on, and
 * in *bytes where they are, aligned to 2: until the next such question. */
size_t tell_bytes(const struct tell *t, uint64_t address, uint64_t size,
                  const uint8_t **bytes);

/* The value of C type `type` ("ULONG", "UNICODE_STRING", "HANDLE", "X*") in
 * `size` bytes at `address`; `set` NULL: none. */
void tell_type(const struct tell *t, str type, uint64_t address, uint32_t size,
               const struct name_set *set);
/* The same of a parameter or field called `name`: that says how a number is
 * meant. `size` 0: by the type. */
void tell_named(const struct tell *t, str type, str name, uint64_t address,
                uint32_t size, const struct name_set *set);
/* The same of a type that is understood. */
void tell_ctype(const struct tell *t, const struct ctype *type, str name,
                uint64_t address, uint32_t size, const struct name_set *set);
/* What the pointer `arg` points to, one value of its type. */
void tell_pointed(const struct tell *t, const struct shape_arg *arg,
                  uint64_t address);
/* A plain argument. */
void tell_scalar_of(const struct tell *t, const struct shape_arg *arg,
                    uint64_t value);
/* What lies at `address` by the type of its information class: `types` as in
 * info_row. False if no table has it. */
bool tell_info(const struct tell *t, str types, uint64_t address,
               uint64_t size);
/* `count` elements of `type`, `each` bytes wide; 0: by the type. */
void tell_array(const struct tell *t, str type, uint64_t address,
                uint64_t count, uint32_t each, const struct name_set *set);

/* The same of a field `name`, whose type is `array`, "X[n]"; no more than
 * `there` of them are said to be there, and what is missing is marked. */
void tell_elements(const struct tell *t, const struct ctype *array, str name,
                   uint64_t address, uint64_t count, uint64_t there,
                   const struct name_set *set);

/* `size` bytes as b"...", cut by -s; the address if there are none. */
void tell_data(const struct tell *t, uint64_t address, uint64_t size);
/* UTF-16 of `size` bytes, never cut by -s: it is a name. The address if it is
 * not there, "" if `size` is 0. */
void tell_name(const struct tell *t, uint64_t address, uint64_t size);
/* UTF-16 that is data: cut by -s. */
void tell_text(const struct tell *t, uint64_t address, uint64_t size);
/* What UNICODE_STRING says that lies at `address`. */
void tell_unicode_string(const struct tell *t, uint64_t address);

/* UTF-16 up to the first zero, never cut by -s. */
void tell_zero_ended(const struct tell *t, uint64_t address);
/* An address of code, as a place if somebody knows it. */
void tell_code(const struct tell *t, uint64_t value);

/* `value` by its names in `set`, or as a number. */
void tell_constant(const struct tell *t, uint64_t value,
                   const struct name_set *set);
void tell_handle(const struct tell *t, uint64_t value,
                 const struct object *object);
/* NULL for 0, else hexadecimal. */
void tell_pointer(const struct tell *t, uint64_t value);
/* LARGE_INTEGER that is a wait: negative is a duration, 0x8000... forever,
 * positive a point in time. */
void tell_timeout(const struct tell *t, int64_t value);

/* Where `field` of the structure at `address` is. */
uint64_t tell_at(const struct tell *t, uint64_t address, enum nt_field field);
/* What is there, as nt_read and its like (nt/read.h). */
bool tell_read(const struct tell *t, uint64_t address, enum nt_field field,
               uint64_t *out);
bool tell_read32(const struct tell *t, uint64_t address, enum nt_field field,
                 uint32_t *out);
bool tell_read16(const struct tell *t, uint64_t address, enum nt_field field,
                 uint16_t *out);

/* The first byte at `address` is known. */
bool tell_known(const struct tell *t, uint64_t address);

/* `word` as `size` bytes hold it, and the same as a signed number. */
uint64_t tell_narrow(uint64_t word, uint32_t size);
uint64_t tell_sign_extend(uint64_t word, uint32_t size);

/* Argument `i`, if it is known. */
bool tell_arg(const struct tell *t, const char *name, uint64_t *value);

/* --- walk.c --- */

/* The structure at `address` of which `size` bytes are said to be there; 0:
 * what it has. */
void walk_struct(const struct tell *t, const struct struct_row *row,
                 uint64_t address, uint64_t size);

/* --- special.c: true if it told a value --- */

/* What argument `i` points to, without the brackets of an output. Called for
 * every pointer before its type is looked at. */
bool special_tell_pointee(const struct tell *t, const struct call_facts *call,
                          uint32_t i, uint64_t address);
/* A structure by its name, wherever it lies. `size`: bytes said to be
 * there; 0: what the structure has. */
bool special_tell_struct(const struct tell *t, str type, uint64_t address,
                         uint64_t size);
/* A plain argument whose meaning another one tells (wParam of a message). */
bool special_tell_value(const struct tell *t, const struct call_facts *call,
                        uint32_t i, uint64_t value);

#endif
