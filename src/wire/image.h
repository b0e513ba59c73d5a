/* SPDX-License-Identifier: MIT */
/*
 * image.h - the agent as a block of bytes: what the tracer finds in it and
 * fills in before it puts it into a target.
 *
 * The image is linked to one position-independent block. It starts with
 * struct image_head; all else is found through that. The tracer copies the
 * image, fills in struct image_config and the private stubs, appends thunks,
 * writes the whole into the target and makes it read-only and executable.
 *
 *     image_head | code | image_config | private stubs | (thunks, appended)
 */
#ifndef WIRE_IMAGE_H
#define WIRE_IMAGE_H

#define IMAGE_MAGIC 0x746e656761734e54 /* "TNsagent" */

/* Each private stub is a copy of one of ntdll's, at most this long. */
#define PRIVATE_STUB_SIZE 0x20

/* A thunk is this long, and begins on a multiple of it; make_thunk in
 * live/patch.c has its bytes. In them are, as distances from where they end, the
 * stub, `entry`, and the stub's ninth byte; and the number. What its function's
 * end leads to, where that is bent, begins at THUNK_END. */
#define THUNK_SIZE 0x40
#define THUNK_STUB 3
#define THUNK_ENTRY 13
#define THUNK_NUMBER 26
#define THUNK_BACK 31
#define THUNK_END 36

/* Offsets in struct image_config that assembly uses. */
#define CONFIG_SECTION 0x00
#define CONFIG_BASE 0x08
#define CONFIG_SIZE 0x10
#define CONFIG_RESUME 0x18
#define CONFIG_XSAVE_MASK 0x20
#define CONFIG_OWN 0x28
#define CONFIG_RING_MASK 0x30
#define CONFIG_BYTES 0x180

/* Pages that are the agent's own, writable, not shared with the tracer, behind
 * config.own: first struct own_page, then one page for each ring, where the
 * vector state of its thread is kept while the agent makes a system call.
 * Reserved in full, committed with the rings. */
#define OWN_PAGE 0x1000
/* Behind these, while there is a keeper (agent/keeper.c), struct kept_thread of
 * the threads that it has stopped. */
#define OWN_KEPT ((uint64_t)OWN_PAGE * (1 + RING_MAX))
#define OWN_KEPT_BYTES 0x10000
#define OWN_BYTES (OWN_KEPT + OWN_KEPT_BYTES)
#define OWN_WINE_DISPATCHER 0x00
#define OWN_CHAIN 0x08
/* They begin so far behind the image. */
#define IMAGE_TO_OWN 0x40000

#define IMAGE_PRIVATE_COUNT 14

/* Bytes of LdrInitializeThunk that are replaced until the agent has started.
 */
#define LOADER_BYTES 8

#ifndef __ASSEMBLER__

#include "wire/ring.h"
#include "wire/section.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Memory that was found good to read (agent/regions.c). */
struct kept_region {
    _Atomic uint64_t turn;  // odd: somebody is writing the words below
    _Atomic uint64_t low;
    _Atomic uint64_t high;
    _Atomic uint64_t changes;  // own_page.changes when it was found so ...
    _Atomic uint64_t since;    // ... and the TSC
};
#define REGIONS_KEPT 64

struct unheard {
    uint64_t rsp;   // of the call; 0: it is back
    uint32_t ring;  // its index ...
    uint32_t head;  // ... and its position then
};
#define UNHEARD_MOST 64

struct own_page {
    /* Wine's system call dispatcher as found behind 7FFE1000h. */
    uint64_t wine_dispatcher;
    /* Where `chained` goes on: the program's callback, or straight on; 0: nobody
     * was ever chained (agent/chain.c). */
    _Atomic uint64_t chain;
    uint8_t pad[0x40 - 0x10];
    /* Counts the times at which memory may have changed so that a region that
     * was good to read no longer is. */
    _Atomic uint64_t changes;
    _Atomic uint32_t changing;  // threads that are in a call that changes it
    uint32_t pad1;
    struct kept_region region[REGIONS_KEPT];
    /* Threads that were in a call when the program's callback was chained, which
     * is not to hear of its return. */
    struct unheard unheard[UNHEARD_MOST];
    _Atomic uint32_t unheard_count;
    uint32_t pad2;
};
static_assert(sizeof(struct own_page) <= OWN_PAGE, "image.h");
static_assert(offsetof(struct own_page, wine_dispatcher) == OWN_WINE_DISPATCHER,
              "image.h");
static_assert(offsetof(struct own_page, chain) == OWN_CHAIN, "image.h");

/* A thread that the keeper has stopped; handle 0: it is ending by itself. */
struct kept_thread {
    uint64_t handle;
    uint64_t tid;
};
#define KEPT_MOST (OWN_KEPT_BYTES / sizeof(struct kept_thread))

/* Where the kernel may enter user mode, and what to write down then. */
struct transition_row {
    uint64_t rip;      // 0: unknown here
    uint8_t from_rcx;  // offsets count from rcx, else from rsp
    uint8_t count;     // used offsets
    uint16_t offset[TRANSITION_WORDS_MAX];  // of 8-byte words
    uint8_t pad[2];
};
static_assert(sizeof(struct transition_row) == 40, "image.h");

/* The system calls that the agent makes, through private copies of their
 * stubs, so that its own calls never pass a patched one. */
enum private_stub {
#define PRIVATE(name) PRIVATE_##name,
#include "wire/private.def"
#undef PRIVATE
    PRIVATE_COUNT,
};

static_assert(PRIVATE_COUNT == IMAGE_PRIVATE_COUNT, "image.h");

/* Changes whenever the two sides would misunderstand each other. */
#define WIRE_LAYOUT                                                           \
    ((uint64_t)SECTION_VERSION << 48 ^ (uint64_t)sizeof(struct ring) << 32 ^  \
     (uint64_t)sizeof(struct section) << 16 ^ (uint64_t)PRIVATE_COUNT << 12 ^ \
     (uint64_t)TRANSITION_COUNT << 8 ^ (uint64_t)RETURN_SIZE << 4 ^           \
     (uint64_t)RING_DATA << 20 ^ (uint64_t)DATA_BYTES << 40 ^                 \
     (uint64_t)COMPLETION_SIZE << 52 ^ (uint64_t)THUNK_SIZE << 24 ^           \
     ENTRY_SIZE)

/* All offsets are from the image's first byte. */
struct image_head {
    uint64_t magic;
    uint32_t size;        // bytes of the image
    uint32_t config;      // struct image_config
    uint32_t stubs;       // PRIVATE_COUNT * PRIVATE_STUB_SIZE bytes
    uint32_t entry;       // where thunks call
    uint32_t callback;    // the return callback of the ring engine
    uint32_t handshake;   // the return callback of the handshake engine
    uint32_t start;       // where LdrInitializeThunk is bent to
    uint32_t start_late;  // where the initial thread starts (handshake)
    uint32_t wine;        // Wine's dispatcher pointer goes here
    uint32_t keeper;      // a thread's routine (agent/keeper.c)
    uint32_t chained;     // `callback`, with the program's own behind it
    uint32_t straight;    // what `chained` goes on at when there is none
    uint64_t layout;      // WIRE_LAYOUT
};

/* Filled in by the tracer; read-only in the target. */
struct image_config {
    uint64_t section;      // where the section is mapped in the target
    uint64_t base;         // of the image
    uint64_t size;         // of the image with its thunks
    uint64_t resume;       // start: LdrInitializeThunk; start_late: the routine
    uint64_t xsave_mask;   // vector state to keep around our own calls
    uint64_t own;          // struct own_page, and the pages behind it
    uint32_t ring_mask;    // bytes of a ring's data, a power of two, less 1
    uint32_t ring_stride;  // bytes from one ring to the next
    uint32_t ring_max;     // rings for which there is room, <= RING_MAX
    uint32_t tracer_pid;
    uint64_t room;          // handle: an event, set when rings have room
    uint64_t tracer;        // handle: the tracer's process
    uint64_t wake;          // handle: an event, wakes the reader
    uint64_t tsc_per_ms;    // how fast the TSC counts
    uint64_t wine_pointer;  // address of Wine's dispatcher pointer, else 0
    uint64_t callback;      // what to register
    uint8_t loader_bytes[LOADER_BYTES];  // what belongs at `resume` (start)
    struct transition_row transition[TRANSITION_COUNT];
    uint8_t pad[CONFIG_BYTES - 15 * 8 - TRANSITION_COUNT * 40];
};

static_assert(offsetof(struct image_config, section) == CONFIG_SECTION, "");
static_assert(offsetof(struct image_config, base) == CONFIG_BASE, "");
static_assert(offsetof(struct image_config, size) == CONFIG_SIZE, "");
static_assert(offsetof(struct image_config, resume) == CONFIG_RESUME, "");
static_assert(offsetof(struct image_config, xsave_mask) == CONFIG_XSAVE_MASK,
              "");
static_assert(offsetof(struct image_config, own) == CONFIG_OWN, "");
static_assert(offsetof(struct image_config, ring_mask) == CONFIG_RING_MASK, "");
static_assert(sizeof(struct image_config) == CONFIG_BYTES, "");

#endif
#endif
