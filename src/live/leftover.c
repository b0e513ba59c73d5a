/* SPDX-License-Identifier: MIT */
/*
 * leftover.c - what a tracer has left in a process that it traced, when it was
 * killed; or still traces.
 *
 * Whatever looks like a stub of ours is believed only if all bytes of the thunk
 * are such as make_thunk (patch.c) writes them, for that very stub.
 */
#include "live/leftover.h"

#include "live/target.h"
#include "tables/amd64/stubs.h"

#include <string.h>

#include "base/banned.h"

#define STUB_ALIGN 16
#define GRANULE 0x10000u

/* The fields of a thunk. */
#define THUNK_STUB 3
#define THUNK_ENTRY 13
#define THUNK_NUMBER 21
#define THUNK_BACK 26

static const int16_t thunk_form[THUNK_SIZE] = {
    0x4c, 0x8d, 0x15, -1,   -1, -1, -1,   0xb8, -1,   -1,   -1,
    -1,   0xe8, -1,   -1,   -1, -1, 0x4c, 0x8b, 0xd1, 0xb8, -1,
    -1,   -1,   -1,   0xe9, -1, -1, -1,   -1,   0xcc, 0xcc,
};

static const uint8_t bent_head[] = { 0x4c, 0x8b, 0xd1, PATCH_JUMP };

static uint32_t u32_at(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/* Where the distance at `p`, which lies at `at`, leads. */
static uint64_t leads_to(const uint8_t *p, uint64_t at)
{
    return at + 4 + (uint64_t)(int64_t)(int32_t)u32_at(p);
}

/* Pages of thunks, read whole: there are hundreds of stubs. */
struct cache {
    uint64_t at;
    bool there;
    uint8_t bytes[0x1000];
};

static const uint8_t *thunk_at(const struct os_process *p, struct cache *c,
                               uint64_t at)
{
    uint64_t page = at & ~(uint64_t)(sizeof(c->bytes) - 1);

    if (at % THUNK_SIZE != 0) {
        return NULL;
    }
    if (!c->there || c->at != page) {
        c->at = page;
        c->there = os_read(p, page, c->bytes, sizeof(c->bytes));
    }
    return c->there ? c->bytes + (at - page) : NULL;
}

/* True if `thunk`, which lies at `at`, is one; *stub: of which. */
static bool is_thunk(const uint8_t *thunk, uint64_t at, uint64_t *stub)
{
    for (size_t i = 0; i < THUNK_SIZE; i++) {
        if (thunk_form[i] >= 0 && thunk[i] != thunk_form[i]) {
            return false;
        }
    }
    *stub = leads_to(thunk + THUNK_STUB, at + THUNK_STUB);
    return leads_to(thunk + THUNK_BACK, at + THUNK_BACK) ==
           *stub + STUB_HEAD_SIZE;
}

uint64_t leftover_mend(const struct os_process *p, uint64_t base,
                       uint8_t *bytes, size_t size)
{
    struct cache cache = { 0, false, { 0 } };
    uint64_t agent = 0;

    for (size_t i = 0; i + STUB_PATTERN_MAX <= size; i += STUB_ALIGN) {
        uint8_t *head = bytes + i;
        uint64_t at, stub;
        const uint8_t *thunk;

        if (memcmp(head, bent_head, sizeof(bent_head)) != 0) {
            continue;
        }
        at = leads_to(head + sizeof(bent_head), base + i + sizeof(bent_head));
        thunk = thunk_at(p, &cache, at);
        /* A second stub leads to the thunk of the exported one. */
        if (thunk == NULL || !is_thunk(thunk, at, &stub) ||
            stub - base >= size) {
            continue;
        }
        head[STUB_NUMBER_AT] = STUB_NUMBER_OPCODE;
        memcpy(head + STUB_NUMBER_AT + 1, thunk + THUNK_NUMBER, 4);
        agent = leads_to(thunk + THUNK_ENTRY, at + THUNK_ENTRY) &
                ~(uint64_t)(GRANULE - 1);
    }
    return agent;
}
