/* SPDX-License-Identifier: MIT */
/*
 * ring.h - records on their way from one traced thread to the tracer.
 *
 * A ring has one writer (a thread of the target) and one reader (the
 * tracer), who share it as memory. A record that finds no room makes its
 * thread wait, or with --lossy is dropped and counted.
 *
 *     head - tail              bytes waiting, 0 .. ring_bytes
 *     data[head % ring_bytes]  next byte the writer fills
 *     data[tail % ring_bytes]  next byte the reader takes
 *
 * `head` and `tail` only grow, modulo 2^32. Records never wrap: where one
 * does not fit before the end of the data, a PAD record fills the rest.
 *
 *     ring:  0      line 0   the writer's hot words
 *            40h    line 1   the reader's words
 *            80h    line 2   the writer's cold words
 *            0c0h            the open calls below the newest
 *            0f80h           struct ring_kept, when a call is entered by way of C
 *            1000h           struct ring_scratch, while a capture program runs;
 *                            struct ring_told, behind a chore or a view
 *            2000h           struct ring_args of the open calls
 *            4e00h           what lies around a piece that was read last
 *            5000h           data, ring_bytes
 *            ...             RING_SPILL bytes that nobody uses: where somebody
 *                            has written over a position, one record may
 *                            begin at the end of the data and end here
 *
 * Who writes what: lines 0 and 2 the target's thread alone, line 1 and
 * `state` in section.h (when LIVE) the tracer alone. The thread's ring hangs
 * off TEB+2D0h (0: none yet); TEB+2D8h and 2E0h are free on Windows. (On
 * Wine 2E0h/2E8h hold first argument and number of the last call, see
 * agent/amd64/wine.S.)
 */
#ifndef WIRE_RING_H
#define WIRE_RING_H

/* line 0 */
#define RING_HEAD 0x00
#define RING_LIMIT 0x04
#define RING_INSIDE 0x08
#define RING_OPEN_RSP 0x10
#define RING_OPEN_STUB 0x18
#define RING_OPEN_ROW 0x20
#define RING_STACK_LOW 0x30
#define RING_STACK_HIGH 0x38
/* line 2 */
#define RING_OPEN_STACK_BASE 0xa0
/* elsewhere */
#define RING_TAIL 0x40
#define RING_KEPT 0xf80
#define RING_SCRATCH 0x1000
#define RING_ARGS 0x2000
#define RING_AROUND 0x4e00
#define RING_DATA 0x5000
#define RING_SPILL 0x1000

#define TEB_RING 0x2d0
/* On Wine: first argument and number of the thread's last call (wine.S). What lies
 * behind is the system's. */
#define TEB_LAST_CALL 0x2e0
#define TEB_LAST_CALL_BYTES 12

/* Open calls that a ring remembers below the newest one. */
#define RING_OPEN_MAX 64
/* Places for arguments: one for each of those, and these two. */
#define RING_ARGS_NEWEST RING_OPEN_MAX      /* of the newest open call */
#define RING_ARGS_TAKEN (RING_OPEN_MAX + 1) /* of one that is returning */
#define RING_ARGS_PLACES (RING_OPEN_MAX + 2)

#ifndef __ASSEMBLER__

#include "wire/capture.h"
#include "wire/record.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* What a thread that waits is waiting for. */
enum ring_waiting {
    RING_RUNS,
    RING_WAITS_ROOM,    // asleep until the ring is half empty
    RING_WAITS_ANSWER,  // asleep until `answer` is `ask`
    RING_SPINS,         // makes no system call until `answer` is `ask`
    RING_DELAYED,       // rests because a rule says so (tamper.h)
    RING_ABOUT_TO_ASK,  // runs, and has written the record that asks
};

/* What a thread that asked is to do itself, inside, before it asks again: the
 * tracer may not do it for it, for some systems have a thread of the target
 * carry it out, and that one may wait for the thread that waits for us
 * (docs/decisions/0023-no-question-while-one-waits.md). */
enum ring_chore {
    CHORE_NONE,   // nothing: the question is answered
    CHORE_QUERY,  // say what is at chore_address, in struct ring_told
    CHORE_SEAL,   // make these pages executable, and no longer writable
    CHORE_OPEN,   // make these pages writable, and not executable ...
    CHORE_CLOSE,  // ... and give them their protection back
    /* Before there is an answer: the process that it has made is being changed,
     * and is to be ended if none comes. */
    CHORE_CHILD,
    CHORE_RESUME,  // let that go on which it has made, and is held by our will
};

/* Why records of one ring are missing; each has a counter. Not counted there:
 * DATA, see struct ring. */
enum ring_lost {
    RING_LOST_FULL,       // no room, and not waiting was asked for
    RING_LOST_INSIDE,     // made while the agent was at work on that thread
    RING_LOST_GUARD,      // not lost: a stale guard was found and cleared
    RING_LOST_NO_TRACER,  // no room, and nobody left to make some
    RING_LOST_COUNT,
};

struct ring_open {
    uint64_t rsp;
    uint64_t stub;
    uint64_t row;
    uint64_t stack_base;
};

/* ring.made */
#define RING_MADE_OTHER 1 /* an image, or its section, is named */
#define RING_MADE_CLONE 2 /* none is */
/* ring_args.tamper */
#define TAMPERED_USE 0xffff
#define TAMPERED_DELAYED 0x10000 /* the call was held up at its entry */

/* ring_args.child */
#define CHILD_WAITS 1 /* its return waits for the tracer */
#define CHILD_HELD 2  /* its new thread is suspended by our will */

/* The arguments of an open call whose row has ROW_CAPTURES, ROW_MAPS or
 * ROW_TAMPERS: its capture program, or the look at what it has mapped or made,
 * may want them again when the registers have long been used. */
struct ring_args {
    uint32_t count;  // of words
    /* The call's IO_STATUS_BLOCK said STATUS_PENDING before it began: what it
     * says afterwards is the kernel's word. */
    uint32_t marked;
    uint32_t child;  // CHILD_*, of a call that makes a process
    /* What changes the call when it returns: 1 + index of a tamper_use, 0 if
     * nothing does; and TAMPERED_DELAYED. */
    uint32_t tamper;
    uint64_t words[4 + RECORD_MORE_MAX];
};

/* What C code keeps for its callers, as a call was entered that entry.S has handed
 * to C; who is to tell of it cannot see it any more. */
struct ring_kept {
    uint64_t rsp;                             // of then; 8 below the call's
    uint64_t registers[STACK_REGISTERS / 8];  // as RECORD_STACK has them
};

/* A piece that a capture program has copied. */
struct ring_piece {
    uint64_t address;
    uint32_t length;   // 0: nothing could be read
    uint16_t kept_at;  // its first bytes, in ring_scratch.kept ...
    uint16_t kept;     // ... so many
};

/* The agent's own, and of no meaning but while a capture program runs. Here
 * and not on the stack, which is not ours to fill. */
struct ring_scratch {
    struct ring_piece piece[CAPTURE_OPS_MAX];
    uint8_t kept[CAPTURE_KEEP_ALL];
};

/* What a thread found out for the tracer (CHORE_QUERY): the region that an
 * address is in, as MEMORY_BASIC_INFORMATION has it, and the file behind it.
 * In the place of struct ring_scratch. */
struct ring_told {
    uint64_t base;  // of the pages alike
    uint64_t size;
    uint64_t allocation;      // its base; 0 if nothing is there
    uint64_t allocation_end;  // as far as it was looked
    uint32_t state;
    uint32_t protect;
    uint32_t type;
    uint32_t name_bytes;    // of `name`; 0: there is none, or it is too long
    uint64_t name_head[2];  // UNICODE_STRING, as the kernel writes it
    uint16_t name[(0x1000 - 64) / 2];
};

struct ring {
    /* line 0: written by the thread at every call */
    _Atomic uint32_t head;
    uint32_t limit;  // the thread may fill up to here unasked
    /* RSP of the agent code at work on this thread, 0 for none. It is the
     * guard against ourselves, and tells the reader that a record not older
     * than the last published one may be under way. */
    _Atomic uint64_t inside;
    uint64_t open_rsp;   // RSP of the newest open call, 0 for none
    uint64_t open_stub;  // where its function begins
    /* Its struct call_row, as the return is to see it: with ROW_FILTERED only
     * if no record of it was wanted, with ROW_CAPTURES only if the program
     * has operations for the return. */
    uint64_t open_row;
    uint64_t pad0;
    uint64_t stack_low;  // [low, high) is known to be readable
    uint64_t stack_high;

    /* line 1: written by the tracer */
    _Atomic uint32_t tail;
    _Atomic uint32_t answer;  // the last `ask` that was answered
    uint32_t chore;           // enum ring_chore, with that answer
    uint32_t pad1;
    uint64_t chore_address;
    uint64_t chore_size;
    /* With an answer to an ENTRY: bit i is set if what the i-th use for the
     * call asks for holds (tamper.h). Who asks clears it before. */
    uint64_t verdict;
    uint8_t pad3[0x18];

    /* line 2: written by the thread now and then */
    uint32_t tid;
    uint32_t serial;  // counts the threads that had this ring
    uint64_t teb;
    _Atomic uint32_t ask;      // counts the rendezvous of this ring
    _Atomic uint32_t waiting;  // enum ring_waiting
    uint32_t open_count;       // used entries of `open`
    uint32_t open_missed;      // open calls that `open` had no room for
    uint64_t open_stack_base;  // gs:[8] at the newest open call
    _Atomic uint32_t lost[RING_LOST_COUNT];
    /* The agent's own: no call of ours may be made now (an orphan's last call
     * is to be asked for), and: one was made. */
    uint32_t quiet;
    uint32_t disturbed;

    struct ring_open open[RING_OPEN_MAX];
    /* Nobody has emptied it for so long that the thread waits no longer. */
    uint32_t given_up;
    /* DATA records that found no room; `lost` does not count them. */
    _Atomic uint32_t lost_data;
    uint64_t last_argument;  // on Wine: as struct last_call of section.h
    uint32_t last_number;
    uint32_t chore_status;  // NTSTATUS of the last chore
    /* Its thread is in a call that can change memory, and counts as such
     * (own_page.changing). */
    uint32_t changing;
    /* The thread is in a call that has been given our callback in place of the
     * program's, which is `chain`. */
    uint32_t chains;
    uint64_t chain;
    uint32_t around_bytes;  // that are at RING_AROUND, for this event ...
    uint64_t around;        // ... and where they are from
    /* Of a call that makes a process, with its return that waits: the handles
     * that it has given, 0: not known; and whether it names no image, RING_MADE_*.
     */
    uint64_t made_process;
    uint64_t made_thread;
    uint32_t made;
    uint32_t owner_was;  // enum callback_owner before a call that may change it
    /* 1 + index of the thread's ring for what it does while the agent is at work
     * on this one; 0: none. */
    uint32_t below;
    uint32_t is_below;  // this is such a ring
};

static_assert(offsetof(struct ring, head) == RING_HEAD, "ring.h");
static_assert(offsetof(struct ring, limit) == RING_LIMIT, "ring.h");
static_assert(offsetof(struct ring, inside) == RING_INSIDE, "ring.h");
static_assert(offsetof(struct ring, open_rsp) == RING_OPEN_RSP, "ring.h");
static_assert(offsetof(struct ring, open_stub) == RING_OPEN_STUB, "ring.h");
static_assert(offsetof(struct ring, open_row) == RING_OPEN_ROW, "ring.h");
static_assert(offsetof(struct ring, stack_low) == RING_STACK_LOW, "ring.h");
static_assert(offsetof(struct ring, stack_high) == RING_STACK_HIGH, "ring.h");
static_assert(offsetof(struct ring, tail) == RING_TAIL, "ring.h");
static_assert(offsetof(struct ring, open_stack_base) == RING_OPEN_STACK_BASE,
              "ring.h");
static_assert(offsetof(struct ring, open) == 0xc0, "ring.h");
static_assert(offsetof(struct ring, tid) == 0x80, "ring.h");
static_assert(sizeof(struct ring) <= RING_KEPT, "ring.h");
static_assert(RING_KEPT + sizeof(struct ring_kept) <= RING_SCRATCH, "ring.h");
static_assert(sizeof(struct ring_told) <= RING_ARGS - RING_SCRATCH, "ring.h");
static_assert(sizeof(struct ring_scratch) <= RING_ARGS - RING_SCRATCH,
              "ring.h");
static_assert(RING_ARGS_PLACES * sizeof(struct ring_args) <=
                  RING_AROUND - RING_ARGS,
              "ring.h");

#endif
#endif
