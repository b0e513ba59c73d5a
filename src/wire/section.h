/* SPDX-License-Identifier: MIT */
/*
 * section.h - the memory that one target process and the tracer share.
 *
 * Made by the tracer, unnamed, mapped into both; the target holds no handle
 * to it. Reserved in full, committed as it is used.
 *
 *     0        struct section
 *     1000h    ring_state[RING_MAX]      who has which ring
 *     9000h    struct pending[64]        calls that are not over (pending.h)
 *     e000h    struct call_row[8192]     what to do at which service
 *     1e000h   capture programs, each on a multiple of 8 (capture.h)
 *     100000h  rules by which calls are changed (tamper.h)
 *     160000h  rings, ring_stride apart
 *
 * The target can write all of it. The tracer therefore takes nothing from
 * here but ring words and records, and reads those once; and what the agent
 * would crash by is not here but in its own pages (image.h): where rings are
 * and how large, where the kernel's doors are, the saved vector state.
 */
#ifndef WIRE_SECTION_H
#define WIRE_SECTION_H

#include "wire/record.h"

#define SECTION_MAGIC 0x3153544e /* "NTS1" */
#define SECTION_VERSION 6

#define SECTION_RING_STATE 0x1000
#define SECTION_PENDING 0x9000
#define SECTION_ROWS 0xe000
#define SECTION_PROGRAMS 0x1e000
#define SECTION_TAMPER 0x100000
#define SECTION_RINGS 0x160000
/* The most rings there can be; section.ring_max says how many fit. */
#define RING_MAX 8192

/* Offsets that assembly uses. */
#define SECTION_PLAIN 0x40
#define SECTION_PENDING_LIVE 0xc0
#define SECTION_SLOT 0x100
#define SECTION_HEARD 0x1a4

/* The most images of which the agent is told. */
#define SECTION_IMAGES_MOST 64

/* Service numbers are 14 bits: table (2) and index (12); two tables are in
 * use. */
#define SERVICE_MASK 0x1fff
#define SERVICE_COUNT 8192

/* call_row.flags */
/* The thread waits for the tracer at entry; with ROW_TAMPERS only if a rule
 * that may hold asks. */
#define ROW_SLOW_ENTRY 0x01
#define ROW_MAPS 0x02         /* ... at its return, when it mapped an image */
#define ROW_ENDS_ITSELF 0x04  /* its entry is never matched by a return */
#define ROW_SETS_CONTEXT 0x08 /* its return may land anywhere */
/* `program` runs at entry, and at return; with ROW_FILTERED it is there for its
 * `block` alone. */
#define ROW_CAPTURES 0x10
#define ROW_FILTERED 0x20      /* no records of it are wanted */
#define ROW_SETS_CALLBACK 0x40 /* it may take the callback from us */
/* When it returns a pending call may be over: they are looked at. */
#define ROW_TELLS 0x80

/* call_row.more: how many arguments; a rule may change the call (tamper.h),
 * which is never ROW_FILTERED then; and with ROW_MAPS: not an image is mapped, a
 * process is made. */
#define ROW_MORE 0x1f
#define ROW_TAMPERS 0x40
#define ROW_MAKES 0x80
/* ... What was found out about memory does not hold behind it. */
#define ROW_CHANGES 0x20

/* section.flags */
#define SECTION_LOSSY 1        /* drop rather than wait */
#define SECTION_ASK_ORPHANS 2  /* an orphan waits to be named */
#define SECTION_FOLLOW 4       /* new processes are traced as well */
#define SECTION_HONOR 8        /* a callback of the program's takes ours away */
#define SECTION_NO_CALLBACK 16 /* the agent does not ask for it */
/* Returns come by the functions' ends, which lead to `callback`: the kernel calls
 * nobody of ours. */
#define SECTION_RETURNS 32

#ifndef __ASSEMBLER__

#include "wire/tamper.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum ring_state {
    RING_UNCOMMITTED,
    RING_FREE,      // committed, nobody's
    RING_CLAIMING,  // a thread is setting it up, whose id is in the other bits
    RING_LIVE,      // a thread's, until the tracer sets FREE
};
/* The bits of a state that it is in: ids of threads are multiples of four. */
#define RING_STATE 3u

/* Who hears of returns from the kernel. */
enum callback_owner {
    CALLBACK_OURS,
    CALLBACK_PROGRAMS,  // of ours as well: so the agent makes no call itself
    CALLBACK_NOBODYS,
};

struct call_row {
    uint8_t more;      // stack arguments to copy, 0..RECORD_MORE_MAX; and above
    uint8_t flags;     // ROW_*
    uint16_t number;   // the service number that this row is for
    uint32_t program;  // capture program: offset in the section; 0: none
};

/* Addresses at which a return without entry is an ordinary one. */
struct plain_range {
    uint64_t start;
    uint64_t size;
};

/* A thread's last call as Wine's record has it (agent/amd64/wine.S), told by
 * the thread itself before it spins. */
struct last_call {
    uint64_t argument;  // the first one
    uint32_t number;
    uint32_t pad;
};

/* The one slot of the handshake engine, and what its owner tells. */
struct handshake_slot {
    _Atomic uint32_t tid;   // 0: free; set by the thread, cleared by the tracer
    _Atomic uint32_t told;  // the words below are there
    uint64_t rip;
    uint64_t rsp;
    uint64_t rax;
    uint64_t time;  // TSC
    /* The thread has made a system call of ours while it waited: its last
     * one is not the program's. */
    _Atomic uint32_t spoiled;
    uint32_t pad;
    struct last_call last;  // on Wine
};

/* What the keeper is told to do (agent/keeper.c). */
enum keeper_what {
    KEEPER_STOP,       // suspend all other threads ...
    KEEPER_GO,         // ... and let them go on
    KEEPER_OPEN,       // make these pages writable, and not executable ...
    KEEPER_CLOSE,      // ... and give them their protection back
    KEEPER_LISTEN,     // register the callback (KEEPER_REPLACED) ...
    KEEPER_LISTEN_NO,  // ... and take it back
    KEEPER_WHO,        // say who hears of returns: 1 + enum callback_owner
    KEEPER_SHUT,       // close the handle in `address`, as one of the agent's
    KEEPER_END,        // close the agent's handles, and end
    KEEPER_LEAVE,      // end
};

/* The status of KEEPER_LISTEN, which has succeeded: another callback was there,
 * for the return of the call that set ours was reported; of the first one that
 * sets any it is not (docs/facts.md A2.2). */
#define KEEPER_REPLACED 1

/* A thread of ours that is there while the tracer stops or changes the program:
 * its orders, and its answers. */
struct keeper_words {
    _Atomic uint32_t tid;      // of the thread that is not traced; 0: none
    uint32_t what;             // enum keeper_what
    _Atomic uint32_t ordered;  // counts orders
    _Atomic uint32_t done;     // the last one that was carried out ...
    uint32_t status;           // ... and how: NTSTATUS
    uint32_t heard;            // returns of our own calls: the callback's count
    uint64_t event;            // its handle: set with each order
    uint64_t address;
    uint64_t size;  // bytes
};

/* An image that the tracer knows from another process, and does not look into: a
 * thread that maps it says which it is, and waits for nobody. */
struct section_image {
    uint64_t base;
    uint64_t end;  // of its mapping
    uint64_t
        name;  // hash_add of its file's name, UTF-16, as the kernel gives it
};

struct section {
    uint32_t magic;
    uint32_t version;
    uint64_t layout;      // WIRE_LAYOUT of the side that made it
    uint32_t ring_bytes;  // power of two
    uint32_t ring_stride;
    uint32_t flags;  // SECTION_*
    /* 1: no tracer any more. Set by whoever finds out first. */
    _Atomic uint32_t dead;
    _Atomic uint32_t ring_high;     // rings ever claimed are below this index
    _Atomic uint32_t lost_no_ring;  // records of threads that got no ring
    uint32_t ring_max;  // rings for which there is room, <= RING_MAX
    uint8_t pad0[0x40 - 0x2c];
    struct plain_range plain[2];
    uint8_t pad1[0x80 - 0x60];
    /* A line of its own: the reader writes it each time it lies down. */
    _Atomic uint32_t reader_asleep;
    uint8_t pad4[0xc0 - 0x84];
    /* Bit i: struct pending i is a call that is not known to be over. A line
     * of its own: threads look at it whenever they have waited. */
    _Atomic uint64_t pending_live;
    /* ... is in use: it is that, or somebody is at work on it. */
    _Atomic uint64_t pending_used;
    uint8_t pad5[0x100 - 0xd0];
    struct handshake_slot slot;
    uint8_t pad2[0x180 - 0x140];
    /* What registering the callback said: 1 + NTSTATUS; 0: not yet tried. */
    _Atomic uint64_t start_status;
    /* enum callback_owner. Set by whoever finds out first. */
    _Atomic uint32_t callback_owner;
    /* The id of a thread that the tracer has suspended, to ask for its last
     * call: whoever finds out that there is no tracer lets it go on. 0: none. */
    _Atomic uint32_t asked;
    struct keeper_words keeper;
    /* Where the agent lies whose section this is. */
    uint64_t agent;
    uint64_t image_count;
    struct section_image image[SECTION_IMAGES_MOST];
};

static_assert(offsetof(struct section, plain) == SECTION_PLAIN, "section.h");
static_assert(offsetof(struct section, reader_asleep) == 0x80, "section.h");
static_assert(offsetof(struct section, pending_live) == SECTION_PENDING_LIVE,
              "section.h");
static_assert(offsetof(struct section, slot) == SECTION_SLOT, "section.h");
static_assert(offsetof(struct section, keeper.heard) == SECTION_HEARD,
              "section.h");
static_assert(sizeof(struct section) <= SECTION_RING_STATE, "section.h");
static_assert(sizeof(struct call_row) == 8, "section.h");
static_assert(SECTION_RING_STATE + RING_MAX * 4 <= SECTION_PENDING,
              "section.h");
static_assert(SECTION_ROWS + SERVICE_COUNT * 8 <= SECTION_PROGRAMS,
              "section.h");
static_assert(SECTION_TAMPER + TAMPER_BYTES <= SECTION_RINGS, "section.h");
static_assert(TAMPER_FIRST + SERVICE_COUNT * 2 <= TAMPER_USES, "section.h");

#endif
#endif
