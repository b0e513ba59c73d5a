/* SPDX-License-Identifier: MIT */
/*
 * stacks.h - the callers of a call, with their names: from what was copied of its
 * thread, and the files of the modules that it ran through.
 *
 * A file is looked for where the trace says that it was, then in the folders that
 * the user names; it counts if it is the build that was loaded. Files that were
 * found are kept, with their tables, until the end.
 */
#ifndef VIEW_STACKS_H
#define VIEW_STACKS_H

#include "decode/decode.h"
#include "view/options.h"

#include <stdint.h>

/* More are not opened: callers in others have no names, and end the stack. */
#define STACKS_FILES_MOST 1024

struct stacks {
    const struct option_list *folders;  // borrowed
    uint32_t limit;                     // of callers
    struct stack_file *files;           // owned, a list
    uint32_t file_count;
    struct sink_frame *frames;  // owned, `limit` of them; NULL: not yet
    char words[80];             // why the last one was cut
};

void stacks_open(struct stacks *s, const struct option_list *folders,
                 uint32_t limit);
void stacks_close(struct stacks *s);

/* A decode_stack_of; `stacks` is a struct stacks. Without memory there are no
 * callers. */
void stacks_of(void *stacks, const struct call *call, struct sink_stack *out);

/* A line about the files that were not at hand, so that callers are missing;
 * nothing if none are. */
void stacks_note(const struct stacks *s, struct buf *notes);

#endif
