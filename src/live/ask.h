/* SPDX-License-Identifier: MIT */
/*
 * ask.h - what is at an address of the target: asked for by the tracer, from
 * outside, or told by a thread of the target that waits for us (CHORE_QUERY).
 *
 * From outside it is asked only while no thread of the target waits for us,
 * on a thread of ours, with a deadline: on some systems a thread of the target
 * answers, and one may begin to wait for us at any time
 * (docs/decisions/0023-no-question-while-one-waits.md).
 */
#ifndef LIVE_ASK_H
#define LIVE_ASK_H

#include "platform/target.h"
#include "wire/ring.h"

#include <stdbool.h>
#include <stdint.h>

struct region_told {
    uint64_t base;            // of the pages alike
    uint64_t allocation;      // its base; 0 if nothing is there
    uint64_t allocation_end;  // as far as it was looked
    bool free;
    bool image;
    bool mapped;
    uint64_t name;     // as struct section_image has it; 0: not told
    size_t path_size;  // 0: no file, or none that is known
    char path[3072];   // NT path, WTF-8
};

/* What a thread of the target found out, judged. */
struct region_told region_of(const struct ring_told *told);

struct asker;

/* Of what is in `path` of `told`, the file's name. */
str region_file(const struct region_told *told);

/* NULL without memory. `p` must live. `watched`: a thread of it may have to
 * answer, so that it is not asked while one waits for us. */
struct asker *asker_open(const struct os_process *p, bool watched);
/* Asks about `address`; waits for 100 ms at most. False: nobody answered in
 * time, an older question still has no answer, or a thread of the target waits
 * for us. */
bool asker_region(struct asker *a, uint64_t address, struct region_told *out);
/* Does not wait for an answer that is still out. NULL is fine. */
void asker_close(struct asker *a);

#endif
