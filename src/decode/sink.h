/* SPDX-License-Identifier: MIT */
/*
 * sink.h - how decoded calls are told to whoever shows them.
 *
 * A decoder says what a value is, a sink decides how it looks. A value is
 * one of
 *
 *     value = unknown | number | status | symbol | place | nothing
 *           | begin (arg value)* more? end           GROUP_STRUCT
 *           | begin value* more? end                 GROUP_ARRAY
 *
 * and what is told is one of
 *
 *     call_begin (arg value)* more? [ result value ] note* call_end
 *     transition_begin [ begin ... end ] transition_end
 *     notice
 *
 * A call is told whole (PART_WHOLE), or in two parts, PART_ENTRY without a
 * result and PART_RETURN with one. PART_RETURN has only the args that were
 * not known at the entry. A sink keeps nothing that it is handed.
 */
#ifndef DECODE_SINK_H
#define DECODE_SINK_H

#include "base/str.h"
#include "model/call.h"
#include "model/place.h"

#include <stdbool.h>
#include <stdint.h>

struct sink;

/* Whose line it is, and from when. */
struct sink_head {
    uint32_t pid;
    uint32_t tid;
    int64_t ns;  // since 1970, UTC
    bool number_known;
    uint16_t number;   // service number
    uint64_t returns;  // address that it returns to; 0: none, or not known
};

enum sink_part {
    PART_WHOLE,
    PART_ENTRY,
    PART_RETURN,
};

enum sink_group {
    GROUP_STRUCT,
    GROUP_ARRAY,
};

enum number_form {
    NUMBER_HEX,
    NUMBER_DEC,
    NUMBER_SIGNED,  // decimal; the value is sign-extended
};

enum note_kind {
    NOTE_DIRECT,    // place
    NOTE_INDIRECT,  // name + offset, from place
};

struct sink_note {
    enum note_kind kind;
    str name;
    uint64_t offset;
    const struct place *place;
};

enum took_kind {
    TOOK_NOTHING,  // it has not returned
    TOOK_UNKNOWN,  // its entry was not seen
    TOOK_TIME,
};

struct sink_end {
    enum took_kind took;
    uint64_t ns;  // TOOK_TIME
};

struct sink_ops {
    void (*call_begin)(struct sink *s, const struct sink_head *head, str name,
                       enum sink_part part);
    void (*arg)(struct sink *s, str name);  // also of a struct's fields
    void (*more)(struct sink *s);           // there may be more
    void (*result)(struct sink *s);
    void (*note)(struct sink *s, const struct sink_note *note);
    void (*call_end)(struct sink *s, const struct sink_end *end);

    void (*unknown)(struct sink *s);
    void (*nothing)(struct sink *s);  // the result of a VOID call
    void (*number)(struct sink *s, enum number_form form, uint64_t value);
    void (*status)(struct sink *s, uint32_t status);  // an NTSTATUS
    void (*symbol)(struct sink *s, str name);         // a constant by its name
    void (*place)(struct sink *s, const struct place *place);
    void (*begin)(struct sink *s, enum sink_group group);
    void (*end)(struct sink *s, enum sink_group group);

    /* `status` NULL: the transition has none. */
    void (*transition_begin)(struct sink *s, const struct sink_head *head,
                             str kind, const uint32_t *status);
    void (*transition_end)(struct sink *s);
    void (*notice)(struct sink *s, const struct sink_head *head,
                   const struct notice *notice);
};

/* Each format embeds this first in a struct of its own. */
struct sink {
    const struct sink_ops *ops;
};

#endif
