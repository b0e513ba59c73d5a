/* SPDX-License-Identifier: MIT */
/*
 * module.h - an image as it lies in the target's memory, and the system call
 * functions that it holds.
 */
#ifndef LIVE_MODULE_H
#define LIVE_MODULE_H

#include "base/err.h"
#include "live/syscalls.h"
#include "platform/target.h"

#include <stdbool.h>
#include <stdint.h>

struct module {
    uint64_t base;
    uint8_t *bytes;  // a copy, owned; `size` of them
    size_t size;
    struct pe_image image;  // over `bytes`
    struct syscalls syscalls;
    uint64_t leftover;  // an agent that stubs of it led to; 0: none did
    uint32_t *users;    // so many have what is owned; NULL: this one alone
};

/* Copies the image at `base` out of the target; what a tracer has left in it is
 * as it was before, in the copy. */
bool module_open(struct module *out, const struct os_process *p, uint64_t base,
                 struct err *e);
/* The same, but as it lies there. */
bool module_open_as_is(struct module *out, const struct os_process *p,
                       uint64_t base, struct err *e);
void module_close(struct module *m);

/* The image at `base` of `p`, which has not run: what `like` has of it is taken
 * for it as well, if its head, its stubs and the start of its loader are those.
 * False: they are not, or there was no memory. */
bool module_share(struct module *out, struct module *like,
                  const struct os_process *p, uint64_t base);

/* The system call `name` of the module; NULL if it has none. */
const struct syscall_entry *module_syscall(const struct module *m, str name);

/* The address of an export; 0 if there is none. */
uint64_t module_export(const struct module *m, str name);

/* How large the image at `base` is, whose mapping ends at `end`. */
uint64_t module_size(const struct os_process *p, uint64_t base, uint64_t end);

/* The name of its PDB may have so many bytes. */
#define MODULE_PDB_MOST 1024

/* Which build of its file an image is, as it says itself. */
struct module_identity {
    struct pe_identity headers;
    uint8_t pdb_id[16];  // all zeros, no age, no name: no symbols are named
    uint32_t pdb_age;
    size_t pdb_size;
    char pdb[3 * MODULE_PDB_MOST];  // WTF-8
};

/* Of the image at `base` whose mapping has `size` bytes, from its memory
 * alone; what cannot be read, or is none, is zero. */
void module_identify(struct module_identity *out, const struct os_process *p,
                     uint64_t base, uint64_t size);

/* True if the image at `base` says of itself that it is `name` (by its
 * export directory, whatever its file is called). */
bool module_is(const struct os_process *p, uint64_t base, str name);

#endif
