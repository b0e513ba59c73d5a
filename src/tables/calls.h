/* SPDX-License-Identifier: MIT */
/*
 * calls.h - what is known about each system call: parameters, result, habits.
 *
 * The facts are rows: calls_nt.def, calls_win32k.def, win32k_older.def and,
 * unless the build defines NO_LGPL_ROWS, calls_win32k_lgpl.def and
 * win32k_wine.def. How many parameters the calls of win32u have on which build
 * of Windows is in win32k_counts.def. One row
 *
 *     CALL(NtReadVirtualMemory, MEMORY, NTSTATUS, STATUS, PLAIN,
 *          ARG(IN,      HANDLE,  ProcessHandle),
 *          BUF(OUT,     PVOID,   Buffer, "NumberOfBytesToRead,*..."),
 *          ...)
 *
 * says, in this order: name; category (categories.def); type of the result
 * (types.def); what counts as failure (enum call_fails without FAILS_); a
 * note (enum call_note without CALL_); and the parameters. A direction ends
 * in _OPT if the parameter may be null or is optional.
 *
 * BUF has a fourth part, the size of what the parameter points to. A name is
 * a parameter of the same call:
 *
 *     Length          bytes
 *     *Length         bytes, as the word says that Length points to
 *     [Count]         elements of the pointed-to type; also [*Count]
 *     A,B             A on entry; B is what was really written, on return.
 *                     B may be `return`, the result, or
 *                     *IoStatusBlock.Information. Take the smaller one: after
 *                     STATUS_BUFFER_TOO_SMALL and its like B is what would
 *                     have been needed, after other failures it is stale.
 *     a number, or an expression of parameter names, numbers and sizeof
 *
 * A pointer without a size is never to be read through as a buffer.
 *
 * Everything is constant. Functions return NULL, or what they say, for a
 * name that is not in the tables; nothing else can go wrong.
 */
#ifndef TABLES_CALLS_H
#define TABLES_CALLS_H

#include "base/str.h"
#include "tables/types.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most parameters a row may have. */
#define CALL_ARGS_MAX 17

enum call_category {
#define CATEGORY(id_, name_) CATEGORY_##id_,
#include "tables/categories.def"
#undef CATEGORY
    CATEGORY_COUNT,
};

enum call_fails {
    FAILS_NONE,    // no result of it means failure, or none is known to
    FAILS_STATUS,  // NTSTATUS; see status_is_failure
    FAILS_ZERO,    // FALSE, or a null handle or pointer
};

/* By our own judgement, from what the call is documented to do. */
enum call_note {
    CALL_PLAIN,
    /* Waiting is what it is for, or what it does by default: it may rest in
     * the kernel without limit. Calls that wait only because a file or port
     * is synchronous (NtReadFile, NtDeviceIoControlFile, ...) are plain. */
    CALL_WAITS,
    /* Does not return if it ends, or leaves, the calling thread. */
    CALL_MAY_NOT_RETURN,
    /* Goes on elsewhere. One that returns all the same has most likely failed;
     * its result says so, or not (docs/facts.md A2.7). */
    CALL_NEVER_RETURNS,
};

enum arg_direction {
    ARG_IN = 1,
    ARG_OUT = 2,
    ARG_INOUT = ARG_IN | ARG_OUT,
    ARG_OPT = 4,
    ARG_IN_OPT = ARG_IN | ARG_OPT,
    ARG_OUT_OPT = ARG_OUT | ARG_OPT,
    ARG_INOUT_OPT = ARG_INOUT | ARG_OPT,
};

struct call_arg {
    const char *name;
    const char *size;             // see above; NULL: none
    const struct type_row *type;  // never NULL
    uint8_t direction;            // enum arg_direction
};

/* (wire/section.h has a call_row, which is something else.) */
struct call_facts {
    const char *name;
    const struct call_arg *args;    // arg_count of them
    const struct type_row *result;  // its type; never NULL
    uint8_t category;               // enum call_category
    uint8_t fails;                  // enum call_fails
    uint8_t note;                   // enum call_note
    uint8_t arg_count;              // 0 .. CALL_ARGS_MAX
    bool own;                       // the user's: of a struct call_set
    bool win32k;                    // of those: it is win32u's
};

/* Rows that the user brings (prototypes.h). */
struct call_set {
    const struct call_facts *rows;  // sorted by strcmp of the name
    size_t count;
};

/* What a call takes differs between systems. Zeros are the newest Windows. */
struct call_system {
    bool wine;       // Wine's own shapes; the build of Windows is not asked
    uint32_t build;  // of Windows, as 19045; 0: the newest
    /* These are believed before ours, on any system; NULL: there are none. */
    const struct call_set *own;
};

/* The row of this name; NULL also if `set` is NULL. */
const struct call_facts *call_set_find(const struct call_set *set, str name);

/* The facts of the call of exactly this name, as on the newest Windows that we
 * know: what it is, not what a target passes to it. */
const struct call_facts *call_find(str name);

/* The same as on the system of a target. Under Wine that is Wine's own shape of
 * the call if it has one, else as call_find. On Windows it is the row that has
 * as many parameters as were counted there; NULL also if none has. A build newer
 * than all that were counted is as the newest of them, an older one as the
 * oldest. */
const struct call_facts *call_find_on(str name, struct call_system on);

/* Number of parameters on that system, also where there is no such row; -1 if it
 * is not known. */
int call_arg_count_on(str name, struct call_system on);

/* True if it is a call of win32u whose parameters were counted on Windows,
 * whether or not it has a row. */
bool call_is_counted(str name);

/* How many of a call's `arg_count` parameters lie on the stack, from
 * [rsp+28h] at the first instruction of the stub; the first four are in rcx,
 * rdx, r8 and r9. */
uint32_t call_stack_args(uint32_t arg_count);

/* True if `result` (RAX) says that the call failed, as far as the row knows. */
bool call_failed(const struct call_facts *call, uint64_t result);

/* Which results say that a call has filled its outputs: one answer for all
 * that reads them. */
enum call_fills {
    FILLS_STATUS,            // NTSTATUS that is no failure and ends no wait
    FILLS_NONZERO,           // FALSE, or a null handle: nothing
    FILLS_COUNT,             // neither 0 nor -1: the usual signs of nothing
    FILLS_UNLESS_MINUS_ONE,  // 0 is a result like others
    FILLS_IF_ZERO,           // it is an error code
    FILLS_ALWAYS,
};
enum call_fills call_fills(const struct call_facts *call);
/* True if `result` (RAX) says so; `fills` as call_fills() has it. */
bool call_filled(const struct call_facts *call, enum call_fills fills,
                 uint64_t result);

/* The parameter that is the IO_STATUS_BLOCK of a call which may go on after it
 * has returned STATUS_PENDING, and fill its outputs later; -1: none. Such a
 * call has an `Event` as well, for its end. */
int call_block(const struct call_facts *call);
enum call_owned {
    OWNED_CODE,     // addresses of code in the call
    OWNED_HANDLES,  // handles in what it points to
    OWNED_COUNT,
};
/* The parameter, a handle, that says whose they are; "": nobody's that is
 * known; NULL: the caller's. */
const char *call_owner(const struct call_facts *call, enum call_owned what);

/* True if the call is win32u's, false if it is ntdll's. */
bool call_is_win32k(const struct call_facts *call);

/* True if it makes, copies or closes a handle, or tells of one: handles.def has
 * it, or it has an OUT parameter of type HANDLE*: a value that it gives out is
 * no longer what it was. */
bool call_gives_handles(const struct call_facts *call);

/* Bit i: argument i is an address of code, by its type. */
uint32_t call_code_args(const struct call_facts *call);

/* All rows that call_find can find: index 0 .. call_count() - 1, sorted by
 * strcmp of the name within each file, ntdll's first. */
size_t call_count(void);
const struct call_facts *call_at(size_t index);

#endif
