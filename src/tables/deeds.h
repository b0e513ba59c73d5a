/* SPDX-License-Identifier: MIT */
/*
 * deeds.h - what calls do to the world, for who asks what a program did: which
 * of them look for something, change, send, reach into others; and what of that
 * is so common that it answers nothing.
 *
 * The rows are deeds.def and habits.def. Everything is constant and nothing
 * fails.
 */
#ifndef TABLES_DEEDS_H
#define TABLES_DEEDS_H

#include "base/str.h"
#include "tables/calls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum deed_kind {
    DEED_SEEKS,     // asks for something by its name: it is there, or not
    DEED_CREATES,   // made what was not there
    DEED_EMPTIES,   // a file, of what was in it
    DEED_WRITES,    // `bytes` into it
    DEED_READS,     // `bytes` out of it
    DEED_RESIZES,   // a file
    DEED_MARKS,     // times, attributes, who may do what
    DEED_MAPS,      // a file, so that it can be written without a call
    DEED_DELETES,   // now, or when it is closed
    DEED_RENAMES,   // `name`: what it is called from then on
    DEED_LINKS,     // `name`: what it is called as well
    DEED_SETS,      // a value, of `bytes`
    DEED_CONNECTS,  // a socket, or tries to
    DEED_LISTENS,
    DEED_ACCEPTS,
    DEED_SENDS,     // `bytes`
    DEED_RECEIVES,  // the same
    DEED_REACHES,   // into another process
    DEED_UNLOCKS,   // code: memory that was an image may be written
    DEED_KINDS,
};

enum deed_test_kind {
    DEED_ALWAYS,
    DEED_IS,   // the parameter is `value`
    DEED_HAS,  // has all bits of `value`
    DEED_NOT,  // is not
};

/* "*Parameter": what it points to, `size` bytes; of an IO_STATUS_BLOCK its
 * Information. */
struct deed_test {
    uint8_t kind;  // enum deed_test_kind
    uint8_t size;
    const char *parameter;
    uint64_t value;
};

/* Parameters are named as in calls_*.def; NULL: none. */
struct deed_row {
    const char *call;
    uint8_t kind;    // enum deed_kind
    const char *of;  // OBJECT_ATTRIBUTES, or a handle; what it is done to
    const char
        *name;  // a UNICODE_STRING: below that; or a structure that has it
    const char *bytes;  // a number, or an IO_STATUS_BLOCK: its Information
    struct deed_test tests[2];  // all must hold
};

/* The first of the `*count` rows of this call, which stand together. */
const struct deed_row *deed_rows(str call, size_t *count);

/* All rows, sorted by strcmp of the call. */
size_t deed_count(void);
const struct deed_row *deed_at(size_t index);

/* True if it says that what was asked for by its name is not there. */
bool status_is_miss(uint32_t status);

/* True if a `call` that ends so has nothing gone wrong: it is how it asks. */
bool habit_is_error(str call, uint32_t status);

/* True if what is called `name`, in capitals, is looked for by any program, and
 * is not there on most machines. */
bool habit_is_miss(str name);
/* The same of what is changed in any program, by the system itself. */
bool habit_is_change(str name);

/* True if how often it is called is a matter of how threads were scheduled: it
 * is different from run to run of the same work. */
bool habit_is_schedule(const struct call_facts *call);

#endif
