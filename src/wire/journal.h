/* SPDX-License-Identifier: MIT */
/*
 * journal.h - what the tracer itself knows of a process, as records with a
 * time: they and the records of its threads (record.h) are all that the model
 * is told, live and from a recording.
 *
 * A record begins with the same 16 bytes as a thread's (size, kind, flags,
 * number, time in TSC ticks), its size is a multiple of 8, numbers are
 * little-endian. The struct of its kind follows, then texts, one behind the
 * other without an end mark, WTF-8, as long as the struct says.
 *
 *   PROCESS      is traced from now on                         first of all
 *   STUBS        system call functions of a module: what they are, told once
 *                under an id, and which are patched in this process; again if
 *                that has changed
 *   MODULE       an image is mapped; what it covers of others is no more
 *   FILE         where the file of the image that a MODULE has told of is
 *   UNMODULE     an image was unmapped: the call that did it has succeeded
 *   PLACE        what the pages around an address are part of, which lie in
 *                no known module; as found when it was asked
 *   HANDLE       a handle that the process has from the start
 *   CLOCK        what time a TSC is
 *   LOST         records are missing here
 *   NOTICE       something of the process that no thread has written
 *   CHILD        it has started another process, of which there is no PROCESS,
 *                or something to be said beside that
 *   PROCESS_END  it has ended
 *
 * In a thread's own stream, behind its records:
 *
 *   ANSWER       what was found out about an orphan that waited; what its
 *                addresses are part of, PLACEs before it say
 *   LOST         as above
 *   THREAD_END   the thread has ended
 *
 * A record takes effect at its time: MODULE, UNMODULE, STUBS, PLACE, HANDLE,
 * NOTICE, CHILD and LOST of a process before what its threads wrote at the same
 * time. PROCESS and CLOCK take effect when they come; that a process has begun
 * is told at the time of its PROCESS.
 *
 * Who reads them believes no number before it has compared it with what is
 * left: a recording is anybody's to write.
 */
#ifndef WIRE_JOURNAL_H
#define WIRE_JOURNAL_H

#include "base/str.h"
#include "wire/record.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

/* enum record_kind goes on. */
enum journal_kind {
    JOURNAL_PROCESS = 0x40,
    JOURNAL_PROCESS_END,
    JOURNAL_THREAD_END,
    JOURNAL_MODULE,
    JOURNAL_UNMODULE,
    JOURNAL_STUBS,
    JOURNAL_HANDLE,
    JOURNAL_PLACE,
    JOURNAL_ANSWER,
    JOURNAL_CLOCK,
    JOURNAL_LOST,
    JOURNAL_NOTICE,
    JOURNAL_CHILD,
    JOURNAL_FILE,
    JOURNAL_END,  // behind the last one
};

/* No record is larger. */
#define JOURNAL_MAX (1u << 20)

/* How a process came to be traced. */
enum process_how {
    PROCESS_LAUNCHED,  // we have started it
    PROCESS_CHILD,     // a traced process has
    PROCESS_ATTACHED,  // it ran already
    PROCESS_CLONE,     // as PROCESS_CHILD, a copy of that process
    PROCESS_HOWS,
};

/* record_head.flags of a PROCESS: it has all of the struct; without it (format
 * 0.1) texts follow `command_size`, and what is behind that is not known. */
#define JOURNAL_PROCESS_STARTER 1

struct journal_process {
    struct record_head head;
    uint32_t pid;
    uint32_t parent;        // that started it; 0: not known
    uint32_t build;         // of Windows, as 19045
    uint8_t mode;           // enum model_mode
    uint8_t width;          // bytes of a pointer
    uint8_t wine;           // 1: it runs there
    uint8_t how;            // enum process_how
    uint32_t image_size;    // a path or a file's name
    uint32_t command_size;  // its command line
    uint32_t parent_tid;    // the thread that started it; 0: not seen
    uint32_t pad;
    /* image, command */
};

/* What became of a process that a traced one has started. */
enum child_fate {
    CHILD_UNTRACED,  // nobody asked for children
    CHILD_PASSED,    // its image is none of those to be traced
    CHILD_32BIT,     // a 32-bit program
    CHILD_FAILED,    // it could not be traced; a text says why
    CHILD_LATE,      // it is traced, but ran for `missed` before that
    CHILD_FATES,
};

/* In the journal of the process that has started it. */
struct journal_child {
    struct record_head head;
    uint32_t pid;
    uint32_t tid;  // the thread that started it; 0: not seen
    uint8_t fate;  // enum child_fate
    uint8_t how;   // enum process_how: PROCESS_CHILD or PROCESS_CLONE
    uint16_t pad;
    uint32_t image_size;    // a path or a file's name
    uint32_t command_size;  // its command line
    uint32_t why_size;
    uint64_t missed;  // microseconds, CHILD_LATE
    /* image, command, why */
};

struct journal_process_end {
    struct record_head head;
    uint32_t code;
    uint32_t pad;
};

struct journal_thread_end {
    struct record_head head;
    uint32_t code;
    uint32_t known;  // 0: nobody could be asked for its code
};

/* Which build of its file it is, as its headers say, for who looks for its file
 * or its symbols: filled for recordings and stacks only, else all zeros, as is
 * what it does not say. */
struct journal_module {
    struct record_head head;
    uint64_t base;
    uint64_t size;        // bytes
    uint32_t name_size;   // the file's name without folders
    uint32_t pdb_size;    // the name of its symbols, as the linker wrote it
    uint32_t timestamp;   // of its file header
    uint32_t checksum;    // of its optional header
    uint32_t image_size;  // SizeOfImage
    uint32_t pdb_age;
    uint8_t pdb_id[16];  // GUID
    /* name, PDB's name */
};

/* Behind the MODULE with this base, at its time; only if somebody may look into
 * files. */
struct journal_file {
    struct record_head head;
    uint64_t base;
    uint32_t path_size;  // as Windows' kernel has it
    uint32_t pad;
    /* path */
};

struct journal_unmodule {
    struct record_head head;
    uint64_t base;
};

/* journal_stub.flags */
#define JOURNAL_STUB_PATCHED 1 /* its entries are recorded */
#define JOURNAL_STUB_SECOND 2  /* another one has this number and is exported */

/* One function: its name follows, all names behind all of these. It is an
 * identifier, as it is shown as it is. */
struct journal_stub {
    uint32_t rva;
    uint16_t number;
    uint8_t flags;  // JOURNAL_STUB_*
    uint8_t name_size;
};

struct journal_stubs {
    struct record_head head;
    uint64_t base;   // of the module
    uint32_t id;     // the same for all processes that have the same
    uint32_t count;  // rows, rising by rva
    uint32_t name_size;
    uint32_t pad;
    /* journal_stub[count], the module's name, the functions' names */
};

struct journal_handle {
    struct record_head head;
    uint64_t value;
    uint32_t access;
    uint32_t type_size;
    uint32_t name_size;
    uint32_t path_size;
    /* type, name, path; as handles_add has them (model/handles.h) */
};

struct journal_place {
    struct record_head head;
    uint64_t base;    // of the pages that it is about
    uint64_t size;    // bytes of them
    uint64_t origin;  // what offsets count from: of the allocation, or view
    uint32_t kind;    // enum place_kind; UNKNOWN: could not be found out
    uint32_t name_size;
    /* name */
};

struct journal_answer {
    struct record_head head;
    uint64_t argument;
    uint16_t number;
    uint8_t number_known;
    uint8_t more_count;
    uint32_t pad;
    uint64_t caller;  // the return address, of an INDIRECT; 0: not looked
    uint64_t more[RECORD_MORE_MAX];
};

struct journal_clock {
    struct record_head head;  // its time: the TSC that shows `ns`
    int64_t ns;               // since the first one
    uint64_t hz;              // of the TSC, a first guess; 0: not the first one
    int64_t wall_ns;          // since 1970, UTC, of ns 0
};

struct journal_lost {
    struct record_head head;
    uint64_t count;
    uint32_t why;  // enum model_lost
    uint32_t pad;
};

struct journal_notice {
    struct record_head head;
    uint32_t kind;    // enum notice_kind
    uint32_t module;  // enum model_patched
    uint64_t count;   // of stubs, with it
};

static_assert(sizeof(struct journal_process) == 48, "journal.h");
static_assert(sizeof(struct journal_child) == 48, "journal.h");
static_assert(sizeof(struct journal_module) == 72, "journal.h");
static_assert(sizeof(struct journal_file) == 32, "journal.h");
static_assert(sizeof(struct journal_stubs) == 40, "journal.h");
static_assert(sizeof(struct journal_stub) == 8, "journal.h");
static_assert(sizeof(struct journal_handle) == 40, "journal.h");
static_assert(sizeof(struct journal_place) == 48, "journal.h");

/* --- journal.c ---
 *
 * Each of the builders puts one record into `b`, empty before; texts are cut
 * where there is no room for more of them. With too little room for the struct
 * itself, or for STUBS, b->cut is set and nothing is there. */

void journal_module(struct buf *b, uint64_t time,
                    const struct journal_module *m, str name, str pdb);
void journal_file(struct buf *b, uint64_t time, uint64_t base, str path);
void journal_unmodule(struct buf *b, uint64_t time, uint64_t base);
void journal_process(struct buf *b, const struct journal_process *p, str image,
                     str command);
void journal_process_end(struct buf *b, uint64_t time, uint32_t code);
void journal_thread_end(struct buf *b, uint64_t time, uint32_t code,
                        bool known);
void journal_handle(struct buf *b, uint64_t time, uint64_t value,
                    uint32_t access, str type, str name, str path);
void journal_place(struct buf *b, uint64_t time, const struct journal_place *p,
                   str name);
void journal_answer(struct buf *b, uint64_t time,
                    const struct journal_answer *a);
void journal_clock(struct buf *b, const struct journal_clock *c);
void journal_lost(struct buf *b, uint64_t time, uint32_t why, uint64_t count);
void journal_notice(struct buf *b, uint64_t time, uint32_t kind,
                    uint32_t module, uint64_t count);
void journal_child(struct buf *b, uint64_t time, const struct journal_child *c,
                   str image, str command, str why);

struct journal_stub_row {
    uint32_t rva;
    uint16_t number;
    uint8_t flags;  // JOURNAL_STUB_*
    str name;       // of 255 bytes at most
};
/* `count` rows, which must rise by rva. */
void journal_stubs(struct buf *b, uint64_t time, uint64_t base, uint32_t id,
                   str module, const struct journal_stub_row *rows,
                   uint32_t count);

/* True if a system call function may be called so: what stands in a STUBS is
 * shown as it is. syscall_... is what calls are called that have no name. */
bool journal_is_name(str name);
/* True if `bytes` is one whole record of the journal: its size, and the sizes
 * of all that is in it. */
bool journal_judge(const void *bytes, size_t size);
/* A PROCESS that was judged, of any version: without its texts, and with zeros
 * for what it has not. */
struct journal_process journal_process_of(const void *record);
/* The `which`-th text of a record that was judged. */
str journal_text(const void *record, int which);
/* Row `i` of one that was judged; asked for in order, *names 0 at first. */
struct journal_stub_row journal_stub_at(const struct journal_stubs *s,
                                        uint32_t i, size_t *names);

#endif
