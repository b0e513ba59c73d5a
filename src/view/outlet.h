/* SPDX-License-Identifier: MIT */
/*
 * outlet.h - where lines go: all of them to one output, or those of each
 * process (-ff) to a file of its own, F.PID; F.PID.2 where the id came again.
 *
 * A file is made with the first line of its process, and closed at its end, so
 * that there are no more of them open than there are processes. The first one
 * that cannot be made or written makes the main output fail.
 */
#ifndef VIEW_OUTLET_H
#define VIEW_OUTLET_H

#include "base/str.h"
#include "decode/decode.h"
#include "format/json.h"
#include "format/text.h"
#include "view/output.h"

#include <stdbool.h>
#include <stdint.h>

#define OUTLET_SLOTS 64

/* How lines look; the same for all. */
struct outlet_setting {
    bool json;
    struct text_options text;
    struct decode_options decode;
    const struct clock *clock;  // borrowed
    str separate;               // borrowed: F of the files; empty: one output
};

/* Lines of one output, on their way there. */
struct outlet {
    struct outlet *next;  // of the same slot
    uint64_t process;     // model_process_order
    struct decoder decoder;
    struct text text;
    struct json json;
    struct output *output;  // of a process: owned
};

struct outlets {
    struct outlet_setting setting;
    struct output *main;  // borrowed
    bool open;
    struct outlet whole;  // of all that is of no process with a file
    struct outlet *slots[OUTLET_SLOTS];
    struct outlet *last;    // that was asked for; NULL: not known
    struct outlet_id *ids;  // owned: how often each process id has come
    size_t id_count;
    size_t id_room;
};

/* False without memory; outlets_close in any case. `o` is zeroed. */
bool outlets_open(struct outlets *o, const struct outlet_setting *setting,
                  struct output *main);
void outlets_close(struct outlets *o);

/* Where lines of this process go. Without one of its own, because it cannot be
 * made, `whole`, whose output has failed. */
struct outlet *outlets_of(struct outlets *o, uint64_t process, uint32_t pid);
/* The same, if there was a line of it already; NULL: there was none. */
struct outlet *outlets_find(struct outlets *o, uint64_t process);
/* The process is no more: its file is closed. */
void outlets_end(struct outlets *o, uint64_t process);
/* What decoders hold back is told: at the end of a trace. */
void outlets_tell_held(struct outlets *o);
/* All lines are written. */
void outlets_flush(struct outlets *o);

#endif
