/* SPDX-License-Identifier: MIT */
/*
 * sink.h - how decoded calls are told to whoever shows them.
 *
 * A decoder says what a value is, a sink decides how it looks. A value is
 * one of
 *
 *     value = unknown | null | number | constant | status | handle | place
 *           | text | data | time | duration | nothing
 *           | begin (arg value)* more? end           GROUP_STRUCT
 *           | begin value* more? end                 GROUP_ARRAY
 *           | begin value end                        GROUP_DEREF
 *           | begin value value end                  GROUP_INOUT
 *
 * each of them followed by at most one comment, and what is told is one of
 *
 *     call_begin (arg value)* more? [ result value ] note* stack? call_end
 *     transition_begin [ begin ... end ] transition_end
 *     notice
 *
 * A call is told whole (PART_WHOLE), or in two parts, PART_ENTRY without a
 * result and PART_RETURN with one. PART_RETURN has only the args that were
 * not known at the entry, and, if the decoder is asked to, ahead of them once
 * more the one that says what the call is about. Dumps come before call_end. A sink keeps nothing
 * that it is handed.
 */
#ifndef DECODE_SINK_H
#define DECODE_SINK_H

#include "base/str.h"
#include "model/call.h"
#include "model/place.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sink;

/* Whose line it is, and from when. */
struct sink_head {
    uint32_t pid;
    uint32_t tid;  // 0: of no thread that is known
    str image;     // file that the process runs, no folders; empty: not known
    uint64_t process;  // tells it from all others, also of its pid
    int64_t ns;        // since 1970, UTC
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
    GROUP_DEREF,  // what a pointer points to, once the call wrote it
    GROUP_INOUT,  // before, after
};

enum number_form {
    NUMBER_HEX,
    NUMBER_DEC,
    NUMBER_SIGNED,  // decimal; the value is sign-extended
};

/* A value by its names in a set of tables/names.h: those that are in it, and
 * the bits that have none (0: none left). At least one name. */
struct sink_constant {
    uint64_t raw;
    const char *const *names;
    size_t count;
    uint64_t rest;
};

enum text_kind {
    TEXT_UTF16,  // units, surrogates as they come
    TEXT_WTF8,   // from our own side, or converted
};

/* `size` units or bytes; `cut`: there is more, which is not shown. */
struct sink_text {
    enum text_kind kind;
    const void *p;  // UTF-16: uint16_t in host order, aligned
    size_t size;
    bool cut;
};

enum note_kind {
    NOTE_DIRECT,    // place
    NOTE_INDIRECT,  // name + offset, from place
    NOTE_CAUSED,    // by ntstrace
    NOTE_CALLER,    // from place: the first caller that is none of Windows' own
    NOTE_INJECTED,  // the result is not the kernel's ...
    NOTE_DELAYED,   // its thread was held up; both because the user said so
};

struct sink_note {
    enum note_kind kind;
    str name;
    uint64_t offset;
    const struct place *place;  // of DIRECT, INDIRECT and CALLER; of the last
                                // NULL if it is not known
};

/* A caller: where it goes on when the call has returned. */
struct sink_frame {
    uint64_t address;
    struct place place;
    str symbol;       // of the function that is; empty: not known
    uint64_t offset;  // from where that begins
};

/* Nearest first. */
struct sink_stack {
    const struct sink_frame *frames;
    size_t count;
    str cut;   // why there are no more; empty: there are no more
    str file;  // whose file is not there, with it; empty: of no such reason
};

enum took_kind {
    TOOK_NOTHING,  // it has not returned
    TOOK_UNKNOWN,  // its entry was not seen
    TOOK_TIME,
};

struct sink_end {
    enum took_kind took;
    uint64_t ns;  // TOOK_TIME
    bool failed;  // by the row of the call
    bool waits;   // waiting is what the call is for
};

struct sink_ops {
    void (*call_begin)(struct sink *s, const struct sink_head *head, str name,
                       enum sink_part part);
    /* Also of a struct's fields. `raw`: the word that was passed, as wide as
     * its type; NULL: not known, or not a call's argument. */
    void (*arg)(struct sink *s, str name, const uint64_t *raw);
    void (*more)(struct sink *s);                         // there may be more
    void (*result)(struct sink *s, const uint64_t *raw);  // NULL: none
    void (*note)(struct sink *s, const struct sink_note *note);
    /* All that was read (`-e read=`) or written by the call, for a dump; `cut`:
     * there was more. */
    void (*dump)(struct sink *s, bool written, const uint8_t *bytes,
                 size_t size, bool cut);
    void (*stack)(struct sink *s, const struct sink_stack *stack);
    void (*call_end)(struct sink *s, const struct sink_end *end);

    void (*unknown)(struct sink *s);
    void (*nothing)(struct sink *s);  // the result of a VOID call
    void (*null)(struct sink *s);     // a pointer or handle that is 0
    void (*number)(struct sink *s, enum number_form form, uint64_t value);
    void (*status)(struct sink *s, uint32_t status);  // an NTSTATUS
    void (*constant)(struct sink *s, const struct sink_constant *c);
    /* `object` NULL: not known, or not asked for. A pseudo-handle has the
     * name it goes by instead, "NtCurrentProcess"; else `pseudo` is empty. */
    void (*handle)(struct sink *s, uint64_t value, str pseudo,
                   const struct object *object);
    void (*text)(struct sink *s, const struct sink_text *text);
    void (*data)(struct sink *s, const uint8_t *bytes, size_t size, bool cut);
    /* A point in time, and a length of time, in units of 100 ns, the former
     * since 1601 UTC. */
    void (*time)(struct sink *s, int64_t filetime);
    void (*duration)(struct sink *s, int64_t units);
    void (*comment)(struct sink *s, str words);
    /* Words of our own: "read", "write" in a transition. */
    void (*symbol)(struct sink *s, str name);
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
