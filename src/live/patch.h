/* SPDX-License-Identifier: MIT */
/*
 * patch.h - which bytes of a module are changed so that its stubs lead to
 * thunks, and the thunks.
 *
 * Only makes bytes, in memory of our own; target.c writes them.
 */
#ifndef LIVE_PATCH_H
#define LIVE_PATCH_H

#include "base/err.h"
#include "live/syscalls.h"
#include "tables/amd64/stubs.h"
#include "wire/image.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first byte of a jump of ours. */
#define PATCH_JUMP 0xe9

/* What one module's stubs were and where they are, for putting them back. */
struct patched {
    uint64_t from;  // address of the first stub
    uint8_t *was;   // bytes before, owned; `size` of them
    uint8_t *is;    // bytes now, owned
    size_t size;
    size_t count;    // stubs patched, second ones too
    size_t foreign;  // left alone: not the bytes of a stub
    size_t no_room;  // left alone: no room for a thunk, or too far
};

/* A module as it lies in the target, and where its thunks are to be. */
struct patch_wanted {
    uint64_t base;
    const uint8_t *bytes;  // `size` of them; borrowed
    size_t size;
    const struct syscalls *syscalls;  // of these bytes; borrowed
    uint64_t entry;                   // the agent's, where thunks call ...
    uint64_t callback;                // ... and where functions' ends lead
    uint64_t room_at;                 // address of the thunks
    size_t room;                      // bytes
};

/* Bends each stub to a thunk of its own, as long as there is room, and the
 * second stubs beside them to the thunks of the exported ones: such a call goes
 * on in the exported stub, and is one of it in every way. Second stubs that lie
 * elsewhere are left alone. `thunks` gets wanted.room
 * bytes. A module without stubs is no error. */
bool patch_make(struct patched *out, const struct patch_wanted *wanted,
                uint8_t *thunks, struct err *e);
/* Bends the ends of all stubs that are bent and exported, so that returns come by
 * them: to where the kernel would have gone to the callback. Second stubs go on in
 * exported ones. False, nothing changed: the end of one is not known. `s` and
 * `base` as in struct patch_wanted. */
bool patch_ends(struct patched *p, const struct syscalls *s, uint64_t base,
                struct err *e);
/* True if the stub at from + `at` has such an end. */
bool patch_has_end(const struct patched *p, size_t at);
/* The first STUB_HEAD_SIZE bytes that were put at the stub; NULL: none. */
const uint8_t *patch_bytes(const struct patched *p, uint64_t stub);
/* True if the bytes at from + `at` are the head of a stub that is bent. */
bool patch_begins(const struct patched *p, size_t at);
/* True if the stub at this address leads to a thunk. */
bool patch_has(const struct patched *p, uint64_t stub);
/* The stub at this address leads to no thunk any more: others have written
 * there. */
void patch_forget(struct patched *p, uint64_t stub);
void patch_close(struct patched *p);

/* Makes the 5 bytes of a jump to `to` that stands at `at`, within 2 GiB. */
void patch_jump(uint8_t *bytes, uint64_t at, uint64_t to);

#endif
