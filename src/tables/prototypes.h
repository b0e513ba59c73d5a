/* SPDX-License-Identifier: MIT */
/*
 * prototypes.h - calls as C declares them: rows of the user's own (struct
 * call_set), and ours printed so that they can be read again.
 *
 *     NTSYSCALLAPI
 *     NTSTATUS
 *     NTAPI
 *     NtReadFile(
 *         _In_ HANDLE FileHandle,
 *         _In_opt_ HANDLE Event,
 *         ...
 *         _Out_writes_bytes_to_(Length, *IoStatusBlock.Information) PVOID Buffer,
 *         ...
 *         );
 *
 * No compiler is asked: a type is one of the tables, a plain type of C, a pointer
 * (to anything), an enum, or a structure of the tables where it fits into eight
 * bytes. SAL annotations say direction and size (calls.h). Comments and lines
 * with a # are passed over; so are, and are counted, typedefs, definitions of
 * structures, functions with a body, variables, and functions that are no system
 * calls by their name, as Rtl... and Zw....
 *
 * What C does not say comes from our row of the same name: category, note, what
 * fails.
 *
 * A text may be anybody's: it is read in time and memory that its size bounds.
 */
#ifndef TABLES_PROTOTYPES_H
#define TABLES_PROTOTYPES_H

#include "base/err.h"
#include "base/str.h"
#include "tables/calls.h"

#include <stdint.h>

/* No text is longer. All our own rows take a quarter of it. */
#define PROTOTYPES_BYTES_MAX ((size_t)4 << 20)
/* Room for any one row that was read, or is ours. */
#define PROTOTYPE_ROOM ((size_t)64 << 10)

struct prototypes {
    struct call_set set;
    uint32_t passed_over;  // what is none, see above
    void *memory;          // owned
};

/* Reads `text`; `file` is what a message calls it. On failure *e says what is
 * wrong, as FILE:LINE:COLUMN, the line and a caret (ERR_USAGE), or that there is
 * no memory; nothing is to be closed then. Line and column count from 1, the
 * latter characters. */
bool prototypes_read(struct prototypes *p, str text, str file, struct err *e);
/* A zeroed one is fine. */
void prototypes_close(struct prototypes *p);

/* Adds `call` as C, which prototypes_read makes the same row of. */
void prototype_print(struct buf *b, const struct call_facts *call);

/* True if both take and return the same, by the same names. */
bool prototype_same(const struct call_facts *a, const struct call_facts *b);

#endif
