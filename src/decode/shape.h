/* SPDX-License-Identifier: MIT */
/*
 * shape.h - what the tables say of a call's parameters, looked up once.
 *
 * A parameter's row has its type, set and size as text; finding out what they
 * mean takes a dozen searches. A shape is the answer, kept by who decodes
 * many calls. Touches nothing; a name that is in no table is SORT_UNKNOWN.
 */
#ifndef DECODE_SHAPE_H
#define DECODE_SHAPE_H

#include "base/str.h"
#include "tables/brief.h"
#include "tables/calls.h"
#include "tables/names.h"
#include "tables/structs.h"

#include <stdbool.h>
#include <stdint.h>

/* What a value is, as far as it matters for how it is told. */
enum sort {
    SORT_UNKNOWN,  // hexadecimal
    SORT_HEX,
    SORT_DEC,
    SORT_SIGNED,
    SORT_WORD,  // hexadecimal or decimal: sort_named() says which
    SORT_BOOL,
    SORT_STATUS,
    SORT_EXIT_CODE,  // an NTSTATUS that usually is a small number
    SORT_HANDLE,     // of the object manager
    SORT_USER_HANDLE,
    SORT_ID,  // of a process or thread, in a HANDLE
    SORT_POINTER,
    SORT_CODE,
    SORT_LARGE,     // LARGE_INTEGER: sort_named() says what
    SORT_TIME,      // since 1601, in 100 ns
    SORT_DURATION,  // in 100 ns
    SORT_TIMEOUT,   // negative: a duration, else a time
    SORT_OFFSET,    // in a file
    SORT_MILLISECONDS,
    SORT_FLOAT,
    SORT_WCHAR,
    SORT_BYTE,
    SORT_GUID,
    SORT_STRUCT,
    SORT_UNICODE_STRING,
    SORT_ANSI_STRING,
    SORT_OBJECT_ATTRIBUTES,
    SORT_IO_STATUS_BLOCK,
    SORT_CLIENT_ID,
    SORT_CONTEXT,
};

/* A type as C spells it, understood. */
struct ctype {
    uint8_t sort;                  // enum sort
    uint32_t size;                 // bytes; 0: not known
    uint32_t count;                // elements of "X[n]", else 0
    const struct struct_row *row;  // SORT_STRUCT and its like
    const struct name_set *set;    // of an enumeration
    str to;  // SORT_POINTER: what to, "" if that is not known;
             // an array: X
};

/* False, and SORT_UNKNOWN of size 0, for what no table has. */
bool ctype_of(str type, struct ctype *out);

/* `sort` of a parameter or field `name`, of `size` bytes. */
enum sort sort_named(enum sort sort, uint32_t size, str name);

/* A size as calls.h has it, taken apart. */
enum size_kind {
    SIZE_NONE,
    SIZE_NUMBER,
    SIZE_VALUE,        // of argument `arg`
    SIZE_POINTEE,      // the word of `width` bytes that it points to
    SIZE_RESULT,       // of the call
    SIZE_INFORMATION,  // of the IO_STATUS_BLOCK that it points to
    SIZE_MESSAGE,      // TotalLength of the PORT_MESSAGE that it points to
};

struct shape_size {
    uint8_t kind;  // enum size_kind
    uint8_t arg;
    uint8_t width;  // 4 or 8
    uint32_t number;
};

#define SHAPE_NO_ARG 0xff

struct family_param;

struct shape_arg {
    uint8_t sort;     // enum sort, of the parameter itself
    uint8_t size;     // bytes of it
    uint8_t to_sort;  // SORT_POINTER: of what it points to
    bool opaque;      // nothing of what it points to is to be read
    bool zero_ended;  // it points to UTF-16 up to a zero
    bool in;
    bool out;
    bool buffer;        // `bytes` are known
    bool elements;      // ... and count elements
    bool length;        // says how large a buffer of the call is, or must be
    bool created;       // IO_STATUS_BLOCK of a call that creates or opens
    bool by_object;     // an access mask that goes by the first handle's type
    uint8_t class_arg;  // index of the information class that types the
                        // buffer; SHAPE_NO_ARG
    uint8_t options;    // index of CreateOptions, OpenOptions, for a mask
    uint32_t to_size;   // bytes of what it points to; 0: not known
    struct shape_size bytes;
    struct shape_size limit;  // at the return
    const struct struct_row *row;
    const struct name_set *set;  // of it, or of what it points to
    str to;                      // type that it points to, "" if unknown
    str class_set;               // class_arg's, of info_find
    str name;
    const struct family_param *param;  // NULL: its type says all. family.h
    const struct brief_row *brief;     // NULL: the same, for --short
};

enum shape_role {
    ROLE_PLAIN,
    ROLE_READ,   // its buffer is what was read
    ROLE_WRITE,  // ... what is written
};

struct shape {
    const struct call_facts *facts;
    uint8_t role;    // enum shape_role
    uint8_t buffer;  // index of the role's buffer
    uint8_t fills;   // enum call_fills
    struct {
        bool own;     // they are the caller's
        uint8_t arg;  // else: as call_owner() has it; SHAPE_NO_ARG
    } owners[OWNED_COUNT];
    bool any_out;
    struct shape_arg args[CALL_ARGS_MAX];
};

void shape_of(const struct call_facts *facts, struct shape *out);

/* NULL: it has no field `name`, or `name` is NULL. */
const struct struct_field *field_of(const struct struct_row *row,
                                    const char *name);

/* The set that names the rights to an object of this type; NULL. */
const struct name_set *access_set_of(str type);

#endif
