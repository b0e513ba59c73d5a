/* SPDX-License-Identifier: MIT */
/*
 * decode.h - calls as the model tells them, as named and typed values for a
 * sink.
 *
 * One decoder serves one output, in order. A call's entry is held back until
 * its return comes next, and it is told whole, or something else of the same
 * output comes first, and it is told in two parts.
 *
 * A decoder touches nothing but itself and its sink, and cannot fail. It is
 * closed when it is not needed any more, for it owns memory.
 */
#ifndef DECODE_DECODE_H
#define DECODE_DECODE_H

#include "decode/sink.h"
#include "model/call.h"
#include "model/clock.h"

#include <stdbool.h>
#include <stddef.h>

/* What the code at `address` is part of, in the process of `call`, now. False
 * if nobody knows. What *out names lasts until the next such question. */
typedef bool decode_place_of(void *ctx, const struct call *call,
                             uint64_t address, struct place *out);

/* The callers of `call`. All of it lasts until the next such question. */
typedef void decode_stack_of(void *ctx, const struct call *call,
                             struct sink_stack *out);

enum handle_detail {
    HANDLES_PLAIN,   // --no-decode-handles
    HANDLES_NAMED,   // -y
    HANDLES_DETAIL,  // -yy: type and access as well; the sink shows them
};

struct decode_options {
    bool wine;            // the target runs under Wine
    uint32_t string_max;  // bytes of data shown (-s); names are never cut
    bool verbose;         // -v: everything that was copied of structs, arrays
    bool raw;             // -X raw: numbers alone
    bool names_only;      // no arguments at all: for counting
    bool again;           // a return begins with what its call is about
    bool brief;           // --short: only arguments that matter (brief.h)
    enum handle_detail handles;
    /* NULL, or says of which calls the arguments are told as bare numbers. */
    bool (*is_raw)(const void *ctx, const struct call *call);
    const void *is_raw_ctx;
    /* Calls on these handles are dumped whole (-e read=, -e write=): `all`,
     * or values. */
    bool dump_reads_all;
    bool dump_writes_all;
    const uint64_t *dump_reads;  // borrowed
    size_t dump_read_count;
    const uint64_t *dump_writes;  // borrowed
    size_t dump_write_count;
    decode_place_of *place_of;  // NULL: the model is asked
    void *place_ctx;
    bool stack;                 // -k
    bool caller;                // --caller
    decode_stack_of *stack_of;  // for these two
    void *stack_ctx;
};

/* For the name of a call that no stub has. */
#define DECODE_NAME_ROOM 32

struct decode_room;

struct decoder {
    struct decode_options options;
    struct sink *sink;          // borrowed
    const struct clock *clock;  // borrowed
    bool holding;
    struct call held;
    struct decode_room *room;  // owned unless it is lent
    bool lent;
};

/* `options` NULL: the defaults, 32 bytes of data and handles by name. Without
 * memory for its room (about half a MiB) the decoder tells arguments as
 * numbers. */
void decoder_init(struct decoder *d, struct sink *sink,
                  const struct clock *clock,
                  const struct decode_options *options);

/* The same, with the options, the clock and the room of `of`, which lives
 * longer: for many outputs at a time. */
void decoder_join(struct decoder *d, struct sink *sink,
                  const struct decoder *of);

void decoder_close(struct decoder *d);

/* These fit struct model_out; `decoder` is a struct decoder. */
void decoder_enter(void *decoder, const struct call *call);
void decoder_leave(void *decoder, const struct call *call);
void decoder_transition(void *decoder, const struct transition_told *t);
/* A transition as well, for who shows it. */
void decoder_completion(void *decoder, const struct completion_told *c);
/* The same. */
void decoder_module(void *decoder, const struct module_told *m);
/* As the lines have it: APC, EXCEPTION ... `kind` is below TRANSITION_KINDS. */
str decoder_transition_name(enum transition kind);
void decoder_notice(void *decoder, const struct notice *n);

/* Tells a call that has returned whole, though its entry may have been kept
 * from the decoder: for who decides by the result what is told. */
void decoder_whole(void *decoder, const struct call *call);

/* The call has returned or ended, and is not to be told: what it was held back
 * for is void. An entry that was told to a decoder is followed by this or by
 * decoder_leave, before what `call` points to is gone. */
void decoder_drop(struct decoder *d, const struct call *call);

/* Tells the entry that is held back, if one is: at the end of a trace. */
void decoder_flush(struct decoder *d);

/* The call's name, or one that is made of its number; that stands in `room`, of
 * DECODE_NAME_ROOM bytes. */
str decoder_call_name(const struct call *call, struct buf *room);

/* True of modules through which everybody calls: ntdll.dll and the like. */
bool decoder_is_go_between(str name);

#endif
