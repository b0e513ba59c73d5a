/* SPDX-License-Identifier: MIT */
/*
 * files.h - the files that other programs read: comma-separated values, folded
 * stacks, Perfetto's traces. docs/exports.md says what is in them.
 *
 * Each is told rows (flat.h) and writes bytes to `write`, in pieces of any size.
 */
#ifndef REPORT_FILES_H
#define REPORT_FILES_H

#include "report/flat.h"

#include <stdbool.h>

typedef void file_write(void *ctx, str bytes);

struct file_out;

/* One kind of file. */
struct file_kind {
    const char *name;
    bool args;     // wants arguments
    bool callers;  // wants callers, if there are some
    /* NULL without memory. */
    struct file_out *(*open)(file_write *write, void *ctx);
    struct flat_out (*out)(struct file_out *f);
    /* The first row, once times are known; the last one. */
    void (*begin)(struct file_out *f, int64_t wall_ns);
    void (*end)(struct file_out *f);
    void (*close)(struct file_out *f);
};

extern const struct file_kind file_csv;
extern const struct file_kind file_folded;
extern const struct file_kind file_perfetto;

#endif
