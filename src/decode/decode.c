/* SPDX-License-Identifier: MIT */
/*
 * decode.c - calls as the model tells them, as values for a sink.
 *
 * Arguments are told as numbers here, as wide as their types; the tables
 * know how many there are. Nothing is told that was not seen: an argument
 * that no record holds is unknown.
 */
#include "decode/decode.h"

#include "tables/types.h"

#include <string.h>

#include "base/banned.h"

/* Without a prototype these many are shown: the registers. */
#define REGISTER_ARGS 4

void decoder_init(struct decoder *d, struct sink *sink,
                  const struct clock *clock)
{
    memset(d, 0, sizeof(*d));
    d->sink = sink;
    d->clock = clock;
}

static int64_t wall_ns(const struct decoder *d, uint64_t tsc)
{
    return d->clock->wall_ns + clock_ns(d->clock, tsc);
}

/* `word` as `size` bytes hold it. */
static uint64_t narrow(uint64_t word, uint32_t size)
{
    return size > 0 && size < 8 ? word & ((1ull << (8 * size)) - 1) : word;
}

static uint64_t sign_extend(uint64_t word, uint32_t size)
{
    uint64_t sign;

    word = narrow(word, size);
    if (size == 0 || size >= 8) {
        return word;
    }
    sign = 1ull << (8 * size - 1);
    return (word ^ sign) - sign;
}

static void tell_args(struct sink *s, const struct call *call)
{
    const struct call_facts *facts = call->stub ? call->stub->facts : NULL;
    int known = call->stub ? call->stub->arg_count : -1;
    uint32_t count = known >= 0 ? (uint32_t)known : REGISTER_ARGS;

    for (uint32_t i = 0; i < count; i++) {
        const struct call_arg *arg = facts ? &facts->args[i] : NULL;

        s->ops->arg(s, str_of(arg ? arg->name : NULL));
        if (i < COUNT_OF(call->args) && (call->arg_mask >> i & 1)) {
            s->ops->number(
                s, NUMBER_HEX,
                narrow(call->args[i], arg ? type_size(arg->type) : 8));
        } else {
            s->ops->unknown(s);
        }
    }
    if (known < 0) {
        s->ops->more(s);
    }
}

static void tell_result(struct sink *s, const struct call *call)
{
    const struct call_facts *facts = call->stub ? call->stub->facts : NULL;
    uint32_t type = facts ? facts->result : TYPE_COUNT;
    uint32_t size = type_size(type);

    s->ops->result(s);
    if (!call->returned) {
        s->ops->unknown(s);
        return;
    }
    switch (type_class(type)) {
    case CLASS_VOID:
        s->ops->nothing(s);
        return;
    case CLASS_STATUS:
        s->ops->status(s, (uint32_t)call->result);
        return;
    case CLASS_BOOL:
        s->ops->number(s, NUMBER_DEC, narrow(call->result, size));
        return;
    case CLASS_INT:
        if (size < 8) {
            s->ops->number(s, NUMBER_SIGNED, sign_extend(call->result, size));
            return;
        }
        break; /* LRESULT, LONG_PTR: a word that may be anything */
    case CLASS_UNKNOWN:
    case CLASS_UINT:
    case CLASS_ENUM:
    case CLASS_HANDLE:
    case CLASS_PTR:
    case CLASS_FNPTR:
    case CLASS_STRUCT:
    case CLASS_FLOAT:
        break;
    }
    s->ops->number(s, NUMBER_HEX, narrow(call->result, size));
}

static void tell_notes(struct sink *s, const struct call *call)
{
    struct sink_note note = { .place = &call->at, .name = STR("") };

    switch ((enum call_how)call->how) {
    case HOW_ORDINARY:
        return;
    case HOW_DIRECT:
        note.kind = NOTE_DIRECT;
        break;
    case HOW_INDIRECT:
        note.kind = NOTE_INDIRECT;
        note.name = call->through->name;
        note.offset = call->offset;
        break;
    }
    s->ops->note(s, &note);
}

static void tell_call(struct decoder *d, const struct call *call,
                      enum sink_part part)
{
    struct sink *s = d->sink;
    bool by_entry = part != PART_RETURN && call->entry_seen;
    struct sink_head head = {
        .pid = call->pid,
        .tid = call->tid,
        .ns = wall_ns(d, by_entry ? call->entry_time : call->return_time),
        .number_known = call->number_known,
        .number = call->number,
        .returns = call->caller ? call->caller : call->rip,
    };
    struct sink_end end = { .took = TOOK_NOTHING };
    char room[32];
    struct buf name = BUF_OVER(room);

    if (call->stub) {
        s->ops->call_begin(s, &head, call->stub->name, part);
    } else {
        buf_add(&name, STR("syscall_"));
        if (call->number_known) {
            buf_add_hex(&name, call->number);
        } else {
            buf_add(&name, STR("?"));
        }
        s->ops->call_begin(s, &head, buf_str(&name), part);
    }
    if (part != PART_RETURN) {
        tell_args(s, call);
    }
    if (part != PART_ENTRY) {
        tell_result(s, call);
        tell_notes(s, call);
        if (call->returned && !call->entry_seen) {
            end.took = TOOK_UNKNOWN;
        } else if (call->returned) {
            int64_t ns = clock_ns(d->clock, call->return_time) -
                         clock_ns(d->clock, call->entry_time);

            end.took = TOOK_TIME;
            end.ns = ns > 0 ? (uint64_t)ns : 0;
        }
    }
    s->ops->call_end(s, &end);
}

void decoder_flush(struct decoder *d)
{
    if (d->holding) {
        d->holding = false;
        tell_call(d, &d->held, PART_ENTRY);
    }
}

void decoder_enter(void *decoder, const struct call *call)
{
    struct decoder *d = decoder;

    decoder_flush(d);
    d->held = *call;
    d->holding = true;
}

void decoder_leave(void *decoder, const struct call *call)
{
    struct decoder *d = decoder;

    if (d->holding && d->held.id == call->id) {
        d->holding = false;
        tell_call(d, call, PART_WHOLE);
        return;
    }
    decoder_flush(d);
    tell_call(d, call, call->entry_seen ? PART_RETURN : PART_WHOLE);
}

/* --- Transitions ------------------------------------------------------ */

/* Word `i`, as `field`. */
static void tell_word(struct sink *s, const struct transition_told *t,
                      uint32_t i)
{
    if (i < t->word_count) {
        s->ops->number(s, NUMBER_HEX, t->words[i]);
    } else {
        s->ops->unknown(s);
    }
}

/* Half of word `i`. */
static void tell_half(struct sink *s, const struct transition_told *t,
                      uint32_t i, bool high)
{
    if (i < t->word_count) {
        s->ops->number(s, NUMBER_DEC,
                       high ? t->words[i] >> 32 : t->words[i] & UINT32_MAX);
    } else {
        s->ops->unknown(s);
    }
}

/* A place, or the bare address where nobody knew what it is part of. */
static void tell_place(struct sink *s, const struct transition_told *t,
                       uint32_t i)
{
    if (t->place.kind != PLACE_UNKNOWN) {
        s->ops->place(s, &t->place);
    } else {
        tell_word(s, t, i);
    }
}

static void tell_access(struct sink *s, const struct transition_told *t)
{
    bool known = t->word_count > EXCEPTION_PARAMETERS + 1;

    s->ops->arg(s, STR("Access"));
    if (!known) {
        s->ops->unknown(s);
    } else if (t->words[EXCEPTION_PARAMETERS] == 0) {
        s->ops->symbol(s, STR("read"));
    } else if (t->words[EXCEPTION_PARAMETERS] == 1) {
        s->ops->symbol(s, STR("write"));
    } else if (t->words[EXCEPTION_PARAMETERS] == 8) {
        s->ops->symbol(s, STR("execute"));
    } else {
        s->ops->number(s, NUMBER_HEX, t->words[EXCEPTION_PARAMETERS]);
    }
    s->ops->arg(s, STR("Target"));
    tell_word(s, t, EXCEPTION_PARAMETERS + 1);
}

/* STATUS_ACCESS_VIOLATION and STATUS_IN_PAGE_ERROR say what was touched. */
static bool has_access(const struct transition_told *t)
{
    return t->status_known &&
           (t->status == 0xc0000005 || t->status == 0xc0000006);
}

static void tell_fields(struct sink *s, const struct transition_told *t)
{
    switch (t->kind) {
    case TRANSITION_THREAD_START:
        s->ops->arg(s, STR("Routine"));
        tell_place(s, t, START_ROUTINE);
        s->ops->arg(s, STR("Parameter"));
        tell_word(s, t, START_PARAMETER);
        break;
    case TRANSITION_APC:
        s->ops->arg(s, STR("Routine"));
        tell_place(s, t, APC_ROUTINE_WORDS + 3);
        s->ops->arg(s, STR("Arguments"));
        s->ops->begin(s, GROUP_ARRAY);
        for (uint32_t i = 0; i < 3; i++) {
            tell_word(s, t, APC_ROUTINE_WORDS + i);
        }
        s->ops->end(s, GROUP_ARRAY);
        break;
    case TRANSITION_EXCEPTION:
        s->ops->arg(s, STR("Address"));
        tell_place(s, t, EXCEPTION_ADDRESS);
        if (has_access(t)) {
            tell_access(s, t);
        }
        break;
    case TRANSITION_CALLBACK:
        s->ops->arg(s, STR("Index"));
        tell_half(s, t, CALLBACK_LENGTH_INDEX, true);
        s->ops->arg(s, STR("Input"));
        tell_word(s, t, CALLBACK_INPUT);
        s->ops->arg(s, STR("InputLength"));
        tell_half(s, t, CALLBACK_LENGTH_INDEX, false);
        break;
    case TRANSITION_RAISE:
    case TRANSITION_COUNT:
        break;
    }
}

void decoder_transition(void *decoder, const struct transition_told *t)
{
    static const str kinds[TRANSITION_COUNT] = {
        [TRANSITION_THREAD_START] = STR_INIT("THREAD_START"),
        [TRANSITION_APC] = STR_INIT("APC"),
        [TRANSITION_EXCEPTION] = STR_INIT("EXCEPTION"),
        [TRANSITION_CALLBACK] = STR_INIT("CALLBACK"),
        [TRANSITION_RAISE] = STR_INIT("RAISE"),
    };
    struct decoder *d = decoder;
    struct sink *s = d->sink;
    struct sink_head head = {
        .pid = t->pid,
        .tid = t->tid,
        .ns = wall_ns(d, t->time),
        .returns = t->rip,
    };

    decoder_flush(d);
    s->ops->transition_begin(s, &head, kinds[t->kind],
                             t->status_known ? &t->status : NULL);
    if (t->kind != TRANSITION_RAISE) {
        s->ops->begin(s, GROUP_STRUCT);
        tell_fields(s, t);
        s->ops->end(s, GROUP_STRUCT);
    }
    s->ops->transition_end(s);
}

void decoder_notice(void *decoder, const struct notice *n)
{
    struct decoder *d = decoder;
    struct sink_head head = {
        .pid = n->pid,
        .tid = n->tid,
        .ns = wall_ns(d, n->time),
    };

    decoder_flush(d);
    d->sink->ops->notice(d->sink, &head, n);
}
