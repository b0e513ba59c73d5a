/* SPDX-License-Identifier: MIT */
/*
 * tell.h - values out of a target's memory, told to a sink: those that stand
 * alone. What structures are made of is walk.h's.
 *
 * All memory is what the agent copied (nt/memory.h): what was not copied,
 * or is not whole, is told as unknown, and a pointer into it as an address.
 * Sizes and counts found in memory are the target's words: each is held
 * against what is really there before it is used. `said`, `room`: how many
 * bytes the target says are there, TELL_ANY if it does not say.
 *
 *   tell.c   numbers, sets, handles, times, places; arguments
 *   text.c   bytes, texts, names
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

#define TELL_ANY UINT64_MAX

struct family_type;
struct registry;

struct tell {
    struct sink *sink;
    const struct registry *registry;  // whom structures are asked of: family.h
    const struct call *call;          // NULL: none (a transition)
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

/* What is special about the structures told last, found by where their names
 * stand. */
#define TELL_TYPES 64u

struct tell_type {
    str name;
    const struct family_type *type;
};

struct tell_room {
    uint32_t left;  // of TELL_VALUES_MAX
    struct tell_type types[TELL_TYPES];
    _Alignas(8) uint8_t bytes[TELL_ROOM];
};

/* Asked before each element of an array or list. False: the call has told
 * TELL_VALUES_MAX of them. */
bool tell_may(const struct tell *t);

/* How many of `size` bytes at `address` are known, from the first one on, and
 * in *bytes where they are, aligned to 2: until the next such question. */
size_t tell_bytes(const struct tell *t, uint64_t address, uint64_t size,
                  const uint8_t **bytes);

/* `size` bytes as b"...", cut by -s; the address if there are none. */
void tell_data(const struct tell *t, uint64_t address, uint64_t size);
/* UTF-16 of `size` bytes, never cut by -s: it is a name. The address if it is
 * not there, "" if `size` is 0. */
void tell_name(const struct tell *t, uint64_t address, uint64_t size);
/* UTF-16 that is data: cut by -s. */
void tell_text(const struct tell *t, uint64_t address, uint64_t size);
/* What UNICODE_STRING says that lies at `address`. */
void tell_unicode_string(const struct tell *t, uint64_t address);
/* ... and ANSI_STRING: bytes. */
void tell_ansi_string(const struct tell *t, uint64_t address);
void tell_guid(const struct tell *t, uint64_t address);

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

/* A number of `size` bytes: no array and no structure. */
void tell_scalar(const struct tell *t, enum sort sort, uint32_t size,
                 uint64_t value, const struct name_set *set);
/* A plain argument. */
void tell_scalar_of(const struct tell *t, const struct shape_arg *arg,
                    uint64_t value);

/* --- parts of structures --- */

/* No null pointer, and the first byte is known. */
bool tell_there(const struct tell *t, uint64_t address);
/* `size` bytes, at most 8, as a number. */
bool tell_word(const struct tell *t, uint64_t address, uint32_t size,
               uint64_t *out);
/* What comes next is field `name`. */
void tell_open(const struct tell *t, const char *name);
void tell_number(const struct tell *t, uint64_t value);
void tell_hex(const struct tell *t, uint64_t value);
/* By the names of set `set` (fields_names). */
void tell_by_set(const struct tell *t, uint64_t value, const char *set);
/* UTF-16 of `length` bytes, of which `room` are there. */
void tell_name_in(const struct tell *t, uint64_t address, uint64_t length,
                  uint64_t room);
/* The same for text that is data: cut by -s. */
void tell_text_in(const struct tell *t, uint64_t address, uint64_t length,
                  uint64_t room);
/* UTF-16 up to a zero; false, and nothing told, if it is not there. */
bool tell_zero_name(const struct tell *t, uint64_t address);
/* Bytes as text, each a character (Latin-1). */
void tell_chars_in(const struct tell *t, uint64_t address, uint64_t length,
                   uint64_t room);
void tell_data_in(const struct tell *t, uint64_t address, uint64_t length,
                  uint64_t room);
/* True if, `shown` elements of it being told, the next one is not: there are
 * enough of them, or in the whole call. To be asked before each. */
bool tell_more(const struct tell *t, uint64_t shown);
/* Bytes of the output buffer `length`, of which `*written` were filled; NULL
 * `written`: those of the IO_STATUS_BLOCK. */
uint64_t tell_said(const struct tell *t, const char *length,
                   const char *written);

#endif
