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

/* Thunks as tracers have written them: this one, and those before it, whose
 * leftovers are not ours to mend, but are theirs, and nobody else's. */
static const struct thunk_form {
    uint16_t size;  // and what it is aligned to
    uint8_t number;
    uint8_t back;
    uint8_t end;        // distance to the stub's last `ret`; 0: it has none
    int16_t bytes[48];  // -1: any
    uint8_t fill;       // behind them
} thunk_forms[] = {
    { .size = THUNK_SIZE,
      .number = THUNK_NUMBER,
      .back = THUNK_BACK,
      .end = THUNK_END + 3,
      .bytes = { 0x4c, 0x8d, 0x15, -1,   -1,   -1,   -1,   0xb8, -1,   -1,
                 -1,   -1,   0xe8, -1,   -1,   -1,   -1,   0x4d, 0x85, 0xd2,
                 0x74, 13,   0x4c, 0x8b, 0xd1, 0xb8, -1,   -1,   -1,   -1,
                 0xe9, -1,   -1,   -1,   -1,   0xc3, 0x4c, 0x8d, 0x15, -1,
                 -1,   -1,   -1,   0xe9, -1,   -1,   -1,   -1 },
      .fill = 0xcc },
    { .size = 0x40,
      .number = 26,
      .back = 31,
      .bytes = { 0x4c, 0x8d, 0x15, -1,   -1,   -1,   -1,   0xb8, -1,   -1,
                 -1,   -1,   0xe8, -1,   -1,   -1,   -1,   0x4d, 0x85, 0xd2,
                 0x74, 13,   0x4c, 0x8b, 0xd1, 0xb8, -1,   -1,   -1,   -1,
                 0xe9, -1,   -1,   -1,   -1,   0xc3, 0xcc, 0xcc, 0xcc, 0xcc,
                 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc },
      .fill = 0xcc },
    { .size = 0x20,
      .number = 21,
      .back = 26,
      .bytes = { 0x4c, 0x8d, 0x15, -1,   -1, -1, -1,   0xb8, -1,   -1,   -1,
                 -1,   0xe8, -1,   -1,   -1, -1, 0x4c, 0x8b, 0xd1, 0xb8, -1,
                 -1,   -1,   -1,   0xe9, -1, -1, -1,   -1,   0xcc, 0xcc } },
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

    if (!c->there || c->at != page) {
        c->at = page;
        c->there = os_read(p, page, c->bytes, sizeof(c->bytes));
    }
    return c->there ? c->bytes + (at - page) : NULL;
}

/* True if `thunk`, which lies at `at`, is one of this form; *stub: of which. */
static bool has_form(const struct thunk_form *f, const uint8_t *thunk,
                     uint64_t at, uint64_t *stub)
{
    if (at % f->size != 0) {
        return false;
    }
    for (size_t i = 0; i < f->size; i++) {
        int16_t byte = i < COUNT_OF(f->bytes) ? f->bytes[i] : f->fill;

        if (byte >= 0 && thunk[i] != byte) {
            return false;
        }
    }
    *stub = leads_to(thunk + THUNK_STUB, at + THUNK_STUB);
    return leads_to(thunk + f->back, at + f->back) == *stub + STUB_HEAD_SIZE &&
           (f->end == 0 ||
            leads_to(thunk + f->end, at + f->end) == *stub + STUB_LAST_RET);
}

/* The agent that `thunk`, which lies at `at`, belongs to. */
static uint64_t agent_of(const uint8_t *thunk, uint64_t at)
{
    return leads_to(thunk + THUNK_ENTRY, at + THUNK_ENTRY) &
           ~(uint64_t)(GRANULE - 1);
}

/* The form of `thunk`; NULL: it is none. */
static const struct thunk_form *form_of(const uint8_t *thunk, uint64_t at,
                                        uint64_t *stub)
{
    for (size_t i = 0; i < COUNT_OF(thunk_forms); i++) {
        if (has_form(&thunk_forms[i], thunk, at, stub)) {
            return &thunk_forms[i];
        }
    }
    return NULL;
}

/* The end of the stub at `at`, if it leads to the thunk that the stub has: it is
 * put back, and *agent is whose thunk it is. */
static void mend_end(const struct os_process *p, struct cache *c, uint64_t at,
                     uint8_t *bytes, uint64_t *agent)
{
    uint8_t *end = bytes + STUB_END_AT;
    const uint32_t distance = STUB_TURN + 1;
    uint64_t where, stub;
    uint8_t was[STUB_END_SIZE];
    const uint8_t *thunk;

    if (!stub_mend_end(end, was)) {
        return;
    }
    where = leads_to(bytes + distance, at + distance) - THUNK_END;
    thunk = thunk_at(p, c, where);
    if (thunk == NULL || !has_form(&thunk_forms[0], thunk, where, &stub) ||
        stub != at) {
        return;
    }
    memcpy(end, was, sizeof(was));
    *agent = agent_of(thunk, where);
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
        const struct thunk_form *form;

        mend_end(p, &cache, base + i, head, &agent);
        if (memcmp(head, bent_head, sizeof(bent_head)) != 0) {
            continue;
        }
        at = leads_to(head + sizeof(bent_head), base + i + sizeof(bent_head));
        thunk = thunk_at(p, &cache, at);
        /* A second stub leads to the thunk of the exported one. */
        form = thunk != NULL ? form_of(thunk, at, &stub) : NULL;
        if (form == NULL || stub - base >= size) {
            continue;
        }
        head[STUB_NUMBER_AT] = STUB_NUMBER_OPCODE;
        memcpy(head + STUB_NUMBER_AT + 1, thunk + form->number, 4);
        agent = agent_of(thunk, at);
    }
    return agent;
}
