/* SPDX-License-Identifier: MIT */
/*
 * patch.c - stubs bent to thunks, as bytes.
 *
 * Touches nothing but the memory that it gives out. Fails only where a stub
 * is cut off, or without memory; then nothing is given out.
 */
#include "live/patch.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* How far a jump goes, with something to spare. */
#define REACH (UINT64_C(0x80000000) - 0x800)

static void put_u32(uint8_t *p, uint64_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
}

/* The distance that a rel32 at `at`, whose instruction ends at at+4, needs
 * to reach `to`. */
static uint64_t rel32(uint64_t to, uint64_t at)
{
    return to - (at + 4);
}

/* The bytes of one thunk; their meaning is in agent/amd64/entry.S. */
static void make_thunk(uint8_t *p, uint64_t at, uint64_t stub, uint16_t number,
                       const struct patch_wanted *w)
{
    p[0] = 0x4c;  // lea r10, [stub]
    p[1] = 0x8d;
    p[2] = 0x15;
    put_u32(p + THUNK_STUB, rel32(stub, at + THUNK_STUB));
    p[7] = 0xb8;  // mov eax, number
    put_u32(p + 8, number & SERVICE_MASK);
    p[12] = 0xe8;  // call entry
    put_u32(p + THUNK_ENTRY, rel32(w->entry, at + THUNK_ENTRY));
    p[17] = 0x4d;  // test r10, r10
    p[18] = 0x85;
    p[19] = 0xd2;
    p[20] = 0x74;  // jz to `ret`
    p[21] = 13;
    p[22] = 0x4c;  // mov r10, rcx
    p[23] = 0x8b;
    p[24] = 0xd1;
    p[25] = 0xb8;  // mov eax, number
    put_u32(p + THUNK_NUMBER, number);
    p[30] = 0xe9;  // jmp stub+8
    put_u32(p + THUNK_BACK, rel32(stub + STUB_HEAD_SIZE, at + THUNK_BACK));
    p[35] = 0xc3;  // ret
    p[36] = 0x4c;  // lea r10, [the stub's last `ret`]
    p[37] = 0x8d;
    p[38] = 0x15;
    put_u32(p + 39, rel32(stub + STUB_LAST_RET, at + 39));
    patch_jump(p + 43, at + 43, w->callback);
    memset(p + 48, 0xcc, THUNK_SIZE - 48);
}

/* True if a jump at either address can lead to the other. */
static bool in_reach(uint64_t a, uint64_t b)
{
    return a - b + REACH < 2 * REACH;
}

void patch_jump(uint8_t *bytes, uint64_t at, uint64_t to)
{
    bytes[0] = PATCH_JUMP;
    put_u32(bytes + 1, rel32(to, at + 1));
}

/* The jump takes the place of `mov eax, number` and of nothing else: whoever
 * stands at an instruction of the stub finds one there as well. */
static void bend(struct patched *p, uint64_t stub, uint64_t to)
{
    patch_jump(p->is + (stub - p->from) + STUB_NUMBER_AT, stub + STUB_NUMBER_AT,
               to);
}

/* The exported ones. thunk_of[i]: where that of entry i is, 0: it has none. */
static void bend_exported(struct patched *p, const struct patch_wanted *w,
                          uint8_t *thunks, uint64_t *thunk_of)
{
    const struct syscalls *s = w->syscalls;
    size_t used = 0;

    for (size_t i = 0; i < s->count; i++) {
        const struct syscall_entry *x = &s->entries[i];
        uint64_t stub = w->base + x->rva;
        uint64_t at = w->room_at + used;

        if (!x->stub) {
            p->foreign++;
        } else if (w->room - used < THUNK_SIZE || !in_reach(stub, at)) {
            p->no_room++;
        } else {
            make_thunk(thunks + used, at, stub, x->number, w);
            bend(p, stub, at);
            thunk_of[i] = at;
            used += THUNK_SIZE;
            p->count++;
        }
    }
}

/* Where the exported one is left alone, so is the second: its return must not
 * look like one of the other. */
static void bend_seconds(struct patched *p, const struct patch_wanted *w,
                         const uint64_t *thunk_of)
{
    const struct syscalls *s = w->syscalls;

    for (size_t i = 0; i < s->second_count; i++) {
        const struct second_stub *x = &s->seconds[i];
        uint64_t stub = w->base + x->rva;
        uint64_t at = stub - p->from;

        if (at < p->size && thunk_of[x->of] != 0 &&
            in_reach(stub, thunk_of[x->of])) {
            bend(p, stub, thunk_of[x->of]);
            p->count++;
        }
    }
}

bool patch_make(struct patched *out, const struct patch_wanted *w,
                uint8_t *thunks, struct err *e)
{
    const struct syscalls *s = w->syscalls;
    struct patched p = { 0 };
    uint64_t *thunk_of;
    uint32_t first, end;

    memset(thunks, 0, w->room);
    *out = p;
    if (!syscalls_span(s, &first, &end)) {
        return true;
    }
    p.from = w->base + first;
    p.size = end - first;
    if (p.size > w->size - first) {
        return err_set(e, ERR_OS, "a system call stub is cut off");
    }
    p.was = malloc(p.size);
    p.is = malloc(p.size);
    thunk_of = calloc(s->count, sizeof(*thunk_of));
    if (p.was == NULL || p.is == NULL || thunk_of == NULL) {
        free(thunk_of);
        patch_close(&p);
        return err_set(e, ERR_OS, "out of memory");
    }
    memcpy(p.was, w->bytes + first, p.size);
    memcpy(p.is, p.was, p.size);
    bend_exported(&p, w, thunks, thunk_of);
    bend_seconds(&p, w, thunk_of);
    free(thunk_of);
    *out = p;
    return true;
}

/* Where the thunk is that a stub leads to, which is bent. */
static uint64_t thunk_at(const struct patched *p, uint64_t stub)
{
    const uint8_t *at = p->is + (stub - p->from) + STUB_NUMBER_AT + 1;
    uint32_t rel = at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
                   (uint32_t)at[3] << 24;

    return stub + STUB_NUMBER_AT + 5 + (uint64_t)(int64_t)(int32_t)rel;
}

/* False: its end cannot be bent. With `put` it is. */
static bool bend_end(struct patched *p, uint64_t stub, bool put)
{
    size_t at = (size_t)(stub - p->from);
    uint8_t end[STUB_END_SIZE];

    if (!stub_bend_end(p->was + at, p->size - at, end)) {
        return false;
    }
    if (put) {
        patch_jump(end + STUB_TURN - STUB_END_AT, stub + STUB_TURN,
                   thunk_at(p, stub) + THUNK_END);
        memcpy(p->is + at + STUB_END_AT, end, sizeof(end));
    }
    return true;
}

bool patch_ends(struct patched *p, const struct syscalls *s, uint64_t base,
                struct err *e)
{
    for (int put = 0; put < 2; put++) {
        for (size_t i = 0; i < s->count; i++) {
            uint64_t stub = base + s->entries[i].rva;

            if (patch_has(p, stub) && !bend_end(p, stub, put)) {
                return err_set(e, ERR_OS,
                               "the end of %.*s is of no form that is known",
                               STR_ARGS(s->entries[i].name));
            }
        }
    }
    return true;
}

bool patch_has_end(const struct patched *p, size_t at)
{
    uint8_t was[STUB_END_SIZE];

    at += STUB_END_AT;
    return p->size >= at + STUB_END_SIZE && p->is[at] != p->was[at] &&
           stub_mend_end(p->is + at, was) &&
           memcmp(was, p->was + at, sizeof(was)) == 0;
}

const uint8_t *patch_bytes(const struct patched *p, uint64_t stub)
{
    uint64_t at = stub - p->from;

    return p->was != NULL && at < p->size && p->size - at >= STUB_HEAD_SIZE &&
                   memcmp(p->was + at, p->is + at, STUB_HEAD_SIZE) != 0
               ? p->is + at
               : NULL;
}

bool patch_begins(const struct patched *p, size_t at)
{
    return p->size - at >= STUB_HEAD_SIZE &&
           p->is[at + STUB_NUMBER_AT] == PATCH_JUMP &&
           p->was[at + STUB_NUMBER_AT] == STUB_NUMBER_OPCODE &&
           memcmp(p->is + at, p->was + at, STUB_NUMBER_AT) == 0;
}

bool patch_has(const struct patched *p, uint64_t stub)
{
    return patch_bytes(p, stub) != NULL;
}

void patch_forget(struct patched *p, uint64_t stub)
{
    if (patch_has(p, stub)) {
        memcpy(p->is + (stub - p->from), p->was + (stub - p->from),
               STUB_HEAD_SIZE);
    }
}

void patch_close(struct patched *p)
{
    free(p->was);
    free(p->is);
    *p = (struct patched){ 0 };
}
