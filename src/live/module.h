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
};

/* Copies the image at `base` out of the target. */
bool module_open(struct module *out, const struct os_process *p, uint64_t base,
                 struct err *e);
void module_close(struct module *m);

/* The system call `name` of the module; NULL if it has none. */
const struct syscall_entry *module_syscall(const struct module *m, str name);

/* The address of an export; 0 if there is none. */
uint64_t module_export(const struct module *m, str name);

/* How large the image at `base` is, whose mapping ends at `end`. */
uint64_t module_size(const struct os_process *p, uint64_t base, uint64_t end);

/* True if the image at `base` says of itself that it is `name` (by its
 * export directory, whatever its file is called). */
bool module_is(const struct os_process *p, uint64_t base, str name);

#endif
