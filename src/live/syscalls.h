/* SPDX-License-Identifier: MIT */
/*
 * syscalls.h - the system call table of one module, made at run time.
 *
 * Exports are collected and sorted by address; the service number is decoded
 * from the bytes of each stub, and the order of the addresses is the
 * cross-check (docs/facts.md C1, C3, C6: each alone is wrong somewhere). Which
 * exports are system calls is decided by their bytes, not by their names. Some
 * functions have a second stub that is not exported (docs/facts.md C12): it is
 * found by its bytes alone. The module's bytes are hostile.
 */
#ifndef LIVE_SYSCALLS_H
#define LIVE_SYSCALLS_H

#include "base/str.h"
#include "live/pe.h"

#include <stdbool.h>
#include <stdint.h>

/* How a number is known. */
enum syscall_known {
    SYSCALL_DECODED,   // from the stub's bytes; no neighbour to compare with
    SYSCALL_BY_ORDER,  // the bytes are foreign; between two known neighbours
    SYSCALL_BOTH,      // decoded, and follows or precedes its neighbour by one
    SYSCALL_CONFLICT,  // decoded, but not above the one at a lower address
};

struct syscall_entry {
    str name;         // borrowed from the image; Nt... where there is Zw...
    uint32_t rva;     // of the stub in its module
    uint16_t number;  // service number
    uint8_t known;    // enum syscall_known
    bool stub;        // the bytes are those of an unhooked stub
};

/* A stub that no export leads to, for a number that an export has: to the
 * byte what that export's stub is, or the only clean one of the two. */
struct second_stub {
    uint32_t rva;
    uint32_t of;  // index of that export among the entries
};

struct syscalls {
    struct syscall_entry *entries;  // by address; owned
    size_t count;
    struct second_stub *seconds;  // by address; owned, SECOND_STUBS_MAX at most
    size_t second_count;
};

/* No module has more exports or longer names than these that are taken for
 * system calls; Windows 11 has about 2,000 of them, of 60 bytes at most. */
#define SYSCALLS_MAX 16384
#define SYSCALL_NAME_MAX 128
/* Windows 11 has six; what is beyond, in an image that pretends, is not
 * looked for. */
#define SECOND_STUBS_MAX 64

/* Reads the table out of a module as it lies in memory, which must outlive
 * it. Empty if there is none; without memory `entries` or `seconds` is NULL. */
struct syscalls syscalls_of(const struct pe_image *image);
void syscalls_close(struct syscalls *s);

/* From the first stub to behind the last, RVAs: the exported ones, and the
 * second ones that lie beside them. False, both 0: there is none. */
bool syscalls_span(const struct syscalls *s, uint32_t *from, uint32_t *to);

/* "decoded", "order", "both", "conflict". */
str syscall_known_name(enum syscall_known known);

#endif
