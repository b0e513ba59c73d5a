/* SPDX-License-Identifier: MIT */
/*
 * ioctls.c - the rows of ioctls.def and ioctls_wine.def, searched by halving.
 */
#include "tables/ioctls.h"

#include "tables/struct_rows.h"

#include <string.h>

#include "base/banned.h"

#define NONE NULL

/* A file leaves out the rows whose macro is not there. */
static const struct struct_row structs[] = {
#include "tables/ioctls.def"
};

#ifndef NO_LGPL_ROWS
static const struct struct_row wine_structs[] = {
#include "tables/ioctls_wine.def"
};
#endif
#undef STRUCT

/* clang-format off */
#define IOCTL(code_, input_, output_)                                       \
    { .code = (code_), .input = input_, .output = output_ },
static const struct ioctl_row rows[] = {
#include "tables/ioctls.def"
};
#undef IOCTL

#define IOCTL_WINE(code_, name_, input_, output_)                           \
    { .code = (code_), .wine = true, .name = #name_, .input = input_,       \
      .output = output_ },
static const struct ioctl_row wine_rows[] = {
#ifndef NO_LGPL_ROWS
#include "tables/ioctls_wine.def"
#else
    { .code = 0, .wine = true },
#endif
};
#undef IOCTL_WINE
/* clang-format on */

static const struct ioctl_row *search(const struct ioctl_row *from,
                                      size_t count, uint32_t code)
{
    size_t low = 0;

    while (low < count) {
        size_t middle = low + (count - low) / 2;

        if (from[middle].code == code) {
            return &from[middle];
        }
        if (from[middle].code < code) {
            low = middle + 1;
        } else {
            count = middle;
        }
    }
    return NULL;
}

const struct ioctl_row *ioctl_find(uint32_t code, bool wine)
{
    const struct ioctl_row *row = NULL;

    if (wine) {
        row = search(wine_rows, COUNT_OF(wine_rows), code);
    }
    return row ? row : search(rows, COUNT_OF(rows), code);
}

const struct struct_row *ioctl_struct(str name)
{
    const struct struct_row *row =
        struct_search(structs, COUNT_OF(structs), name);

#ifndef NO_LGPL_ROWS
    if (!row) {
        row = struct_search(wine_structs, COUNT_OF(wine_structs), name);
    }
#endif
    return row ? row : struct_find(name);
}

size_t ioctl_count(void)
{
    return COUNT_OF(rows) + COUNT_OF(wine_rows);
}

const struct ioctl_row *ioctl_at(size_t index)
{
    if (index < COUNT_OF(rows)) {
        return &rows[index];
    }
    index -= COUNT_OF(rows);
    return index < COUNT_OF(wine_rows) ? &wine_rows[index] : NULL;
}

size_t ioctl_struct_count(void)
{
#ifndef NO_LGPL_ROWS
    return COUNT_OF(structs) + COUNT_OF(wine_structs);
#else
    return COUNT_OF(structs);
#endif
}

const struct struct_row *ioctl_struct_at(size_t index)
{
#ifndef NO_LGPL_ROWS
    if (index >= COUNT_OF(structs) && index < ioctl_struct_count()) {
        return &wine_structs[index - COUNT_OF(structs)];
    }
#endif
    return index < COUNT_OF(structs) ? &structs[index] : NULL;
}
