/* SPDX-License-Identifier: MIT */
/*
 * subject.h - what a call is about, as a name: by a row of tables/deeds.def, or by
 * the first of its arguments that says it.
 *
 * Names are WTF-8, those of files without \??\ in front, of any characters and up
 * to SUBJECT_ROOM bytes. What is not known is no name: never a part of one.
 */
#ifndef REPORT_SUBJECT_H
#define REPORT_SUBJECT_H

#include "base/str.h"
#include "model/call.h"
#include "tables/deeds.h"

#include <stdbool.h>
#include <stdint.h>

/* A root and what is below it, 32767 units each, of three bytes. */
#define SUBJECT_ROOM (200u << 10)

enum subject_kind {
    SUBJECT_FILE,
    SUBJECT_KEY,
    SUBJECT_VALUE,  // of a key
    SUBJECT_SOCKET,
    SUBJECT_DEVICE,  // a pipe, a console: what is written there is talked
    SUBJECT_OTHER,
    SUBJECT_KINDS,
};

struct subject {
    enum subject_kind kind;
    str name;                     // in the room
    const struct object *object;  // of its handle; NULL: it has none
};

struct subject_room {
    char name[SUBJECT_ROOM];
    char other[SUBJECT_ROOM];
    uint8_t bytes[65536];
    uint16_t units[32768];
};

/* What the row is about; false: it cannot be known. */
bool subject_of(const struct call *call, const struct deed_row *row,
                struct subject_room *room, struct subject *out);
/* What the thing is called from then on, by `row->name` (RENAMES, LINKS). It is
 * in room->other. */
bool subject_renamed(const struct call *call, const struct deed_row *row,
                     const struct subject *from, struct subject_room *room,
                     str *out);
/* By the call alone. */
bool subject_any(const struct call *call, struct subject_room *room,
                 struct subject *out);
/* As the handle's object says. */
void subject_object(const struct object *o, struct subject_room *room,
                    struct subject *out);

/* All tests of the row hold; what is not known does not hold. */
bool subject_tests(const struct call *call, const struct deed_row *row);
/* Its `bytes`; 0 if it has none, or they are not known. */
uint64_t subject_bytes(const struct call *call, const struct deed_row *row);

#endif
