/* SPDX-License-Identifier: MIT */
/*
 * spare.h - sections of processes that are no more, for those that come: to
 * make one, and to give it back, takes longer than all else that is the same
 * for the children of a build.
 *
 * What a process gets of another one's is what a new section is: zeros, and
 * no more committed than at the beginning.
 */
#ifndef LIVE_SPARE_H
#define LIVE_SPARE_H

#include "platform/target.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPARES_MOST 8

/* All of one kind. All zero: there is none. */
struct spares {
    struct os_section at[SPARES_MOST];  // `count` of them, the oldest first
    size_t count;
};

/* What is committed of each: so many bytes, and so many rings behind. */
struct spare_kind {
    size_t size;  // of the section
    uint32_t ring_bytes;
    uint32_t ring_stride;
    uint32_t rings;
};

/* True: *out is a section of that kind, as if it were new, with what is
 * committed of it. */
bool spare_take(struct spares *s, const struct spare_kind *kind,
                struct os_section *out);
/* The process that had `section` is no more, or has never run: it is kept, if
 * it is what a new one may be made of, else closed. */
void spare_keep(struct spares *s, const struct spare_kind *kind,
                struct os_section *section);
void spares_close(struct spares *s);

#endif
