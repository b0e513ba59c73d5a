/* SPDX-License-Identifier: MIT */
/*
 * trace.h - a small traced world for tests: records made by hand go in, text
 * comes out.
 *
 * Times are in microseconds and RSP counts from one stack's base, so that a
 * test reads like what it is about. Everything is in one struct trace, which
 * the test opens and closes.
 */
#ifndef TRACE_H
#define TRACE_H

#include "grammar.h"
#include "unit/journal.h"

#include "decode/decode.h"
#include "format/text.h"
#include "model/model.h"
#include "wire/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* TSC ticks in a microsecond of these tests. */
#define TICKS 1000ull
#define STACK 0x230000ull
#define STACK_2 0x530000ull
#define STUBS 0x6ff100000ull

/* Numbers of the stubs that a trace has. Stub i is at STUBS + 32 * i. */
enum {
    N_CLOSE,
    N_YIELD,
    N_CONTINUE,
    N_CONTINUE_EX,
    N_CALLBACK_RETURN,
    N_TERMINATE_THREAD,
    N_TERMINATE_PROCESS,
    N_SET_CONTEXT,
    N_RAISE,
    N_DELAY,
    N_CREATE_FILE,
    N_MESSAGE,  // a win32k call that calls back
    N_STRANGE,  // no prototype
    N_FOREIGN,  // unpatched
    N_OPEN_FILE,
    N_OPEN_KEY,
    N_CREATE_EVENT,
    N_CREATE_SECTION,
    N_CREATE_PIPE,
    N_CREATE_PROCESS,
    N_CREATE_THREAD,
    N_OPEN_PROCESS,
    N_OPEN_THREAD,
    N_DUPLICATE,
    N_CONTROL,
    N_QUERY_PROCESS,
    N_SET_FILE,
    N_WAIT_DEBUG,
    N_QUERY_TOKEN,
    N_QUERY_OBJECT,
    N_NEXT_THREAD,
    N_COMPLETION,
    N_COMPLETIONS,
    N_SET_PROCESS,
    N_READ_FILE,
    N_COUNT,
};

struct trace {
    struct model *m;
    struct model_process *p;
    struct decoder d;
    struct clock clock;
    struct text text;
    char *out;
    size_t size;
    size_t room;
    uint64_t events;
};

struct chunk {
    uint8_t bytes[8192];
    size_t size;
};

static inline void chunk_u64(struct chunk *c, uint64_t n)
{
    for (int i = 0; i < 8; i++) {
        c->bytes[c->size++] = (uint8_t)(n >> (8 * i));
    }
}

static inline void chunk_head(struct chunk *c, uint32_t size,
                              enum record_kind kind, uint32_t flags,
                              uint32_t number, uint64_t us)
{
    chunk_u64(c, size | (uint64_t)kind << 32 | (uint64_t)flags << 40 |
                     (uint64_t)number << 48);
    if (size > 8) {
        chunk_u64(c, us * TICKS);
    }
}

/* Arguments are a1..a4, then `more` stack arguments 0x105, 0x106, ... */
static inline void chunk_entry(struct chunk *c, uint64_t us, uint32_t number,
                               uint64_t stack, uint64_t below, uint64_t a1,
                               uint64_t a2, uint32_t more)
{
    chunk_head(c, ENTRY_SIZE + 8 * more, RECORD_ENTRY, more, number, us);
    chunk_u64(c, stack - below);
    chunk_u64(c, stack);
    chunk_u64(c, 0x140001000);
    chunk_u64(c, a1);
    chunk_u64(c, a2);
    chunk_u64(c, 0x103);
    chunk_u64(c, 0x104);
    for (uint32_t i = 0; i < more; i++) {
        chunk_u64(c, 0x105 + i);
    }
}

/* `count` arguments, up to 17. */
static inline void chunk_call(struct chunk *c, uint64_t us, uint32_t number,
                              uint64_t below, uint32_t count,
                              const uint64_t *args)
{
    uint32_t more = count > 4 ? count - 4 : 0;

    chunk_head(c, ENTRY_SIZE + 8 * more, RECORD_ENTRY, more, number, us);
    chunk_u64(c, STACK - below);
    chunk_u64(c, STACK);
    chunk_u64(c, 0x140001000);
    for (uint32_t i = 0; i < 4 + more; i++) {
        chunk_u64(c, i < count ? args[i] : 0);
    }
}

/* `flags`: RECORD_AT_RETURN, RECORD_AT_COMPLETION or 0. */
static inline void chunk_data(struct chunk *c, uint64_t us, uint32_t number,
                              uint64_t below, uint32_t flags, uint32_t op,
                              uint64_t address, const void *bytes,
                              uint32_t size)
{
    uint32_t padded = (size + 7) / 8 * 8;

    chunk_head(c, DATA_BYTES + padded, RECORD_DATA, flags, number, us);
    chunk_u64(c, STACK - below);
    chunk_u64(c, address);
    chunk_u64(c, size | (uint64_t)op << 32);
    memset(c->bytes + c->size, 0xee, padded);
    memcpy(c->bytes + c->size, bytes, size);
    c->size += padded;
}

static inline uint64_t stub_at(uint32_t number)
{
    return STUBS + 32 * number;
}

static inline void chunk_return_at(struct chunk *c, uint64_t us, uint64_t rip,
                                   uint64_t stack, uint64_t below,
                                   uint64_t result, uint32_t flags)
{
    chunk_head(c, RETURN_SIZE, RECORD_RETURN, flags, 0, us);
    chunk_u64(c, rip);
    chunk_u64(c, stack - below);
    chunk_u64(c, result);
    chunk_u64(c, stack);
}

static inline void chunk_return(struct chunk *c, uint64_t us, uint32_t number,
                                uint64_t stack, uint64_t below, uint64_t result)
{
    chunk_return_at(c, us, stub_at(number) + 0x14, stack, below, result, 0);
}

/* The call of thread `tid` that returned at `began` is over. */
static inline void chunk_completion(struct chunk *c, uint64_t us,
                                    uint32_t number, uint64_t below,
                                    uint64_t began, uint32_t tid,
                                    uint64_t block, uint32_t status,
                                    uint64_t information)
{
    chunk_head(c, COMPLETION_SIZE, RECORD_COMPLETION, RECORD_AT_COMPLETION,
               number, us);
    chunk_u64(c, STACK - below);
    chunk_u64(c, began * TICKS);
    chunk_u64(c, block);
    chunk_u64(c, information);
    chunk_u64(c, status | (uint64_t)tid << 32);
}

static inline void chunk_transition(struct chunk *c, uint64_t us,
                                    enum transition kind, uint64_t below,
                                    uint64_t rax, uint32_t count,
                                    const uint64_t *words)
{
    chunk_head(c, TRANSITION_WORDS + 8 * count, RECORD_TRANSITION, 0, kind, us);
    chunk_u64(c, 0x6ff200000);
    chunk_u64(c, STACK - below);
    chunk_u64(c, rax);
    chunk_u64(c, STACK);
    for (uint32_t i = 0; i < count; i++) {
        chunk_u64(c, words[i]);
    }
}

static inline void trace_write(void *ctx, str line)
{
    struct trace *t = ctx;

    while (t->room - t->size < line.size) {
        t->room = t->room ? t->room * 2 : 65536;
        t->out = realloc(t->out, t->room);
        if (!t->out) {
            abort();
        }
    }
    memcpy(t->out + t->size, line.p, line.size);
    t->size += line.size;
}

/* What lies outside the modules: private memory at 1f0000h, a mapped file
 * with a nasty name at 800000h, nothing elsewhere. */
static inline void add_places(struct model_process *p)
{
    add_place(p, 0x10000, 1ull << 47, PLACE_UNMAPPED, STR(""));
    add_place(p, 0x1f0000, 0x200000, PLACE_PRIVATE, STR(""));
    add_place(p, 0x800000, 0x900000, PLACE_MAPPED, STR("C:\\a\"b\x1b.dll"));
}

/* All but one are patched, or none. */
static inline bool add_stubs_as(struct model_process *p, bool patched)
{
    static const char *names[N_COUNT] = {
        [N_CLOSE] = "NtClose",
        [N_YIELD] = "NtYieldExecution",
        [N_CONTINUE] = "NtContinue",
        [N_CONTINUE_EX] = "NtContinueEx",
        [N_CALLBACK_RETURN] = "NtCallbackReturn",
        [N_TERMINATE_THREAD] = "NtTerminateThread",
        [N_TERMINATE_PROCESS] = "NtTerminateProcess",
        [N_SET_CONTEXT] = "NtSetContextThread",
        [N_RAISE] = "NtRaiseException",
        [N_DELAY] = "NtDelayExecution",
        [N_CREATE_FILE] = "NtCreateFile",
        [N_MESSAGE] = "NtUserDispatchMessage",
        [N_STRANGE] = "NtNobodyKnows",
        [N_FOREIGN] = "NtTestAlert",
        [N_OPEN_FILE] = "NtOpenFile",
        [N_OPEN_KEY] = "NtOpenKey",
        [N_CREATE_EVENT] = "NtCreateEvent",
        [N_CREATE_SECTION] = "NtCreateSection",
        [N_CREATE_PIPE] = "NtCreateNamedPipeFile",
        [N_CREATE_PROCESS] = "NtCreateUserProcess",
        [N_CREATE_THREAD] = "NtCreateThreadEx",
        [N_OPEN_PROCESS] = "NtOpenProcess",
        [N_OPEN_THREAD] = "NtOpenThread",
        [N_DUPLICATE] = "NtDuplicateObject",
        [N_CONTROL] = "NtDeviceIoControlFile",
        [N_QUERY_PROCESS] = "NtQueryInformationProcess",
        [N_SET_FILE] = "NtSetInformationFile",
        [N_WAIT_DEBUG] = "NtWaitForDebugEvent",
        [N_QUERY_TOKEN] = "NtQueryInformationToken",
        [N_QUERY_OBJECT] = "NtQueryObject",
        [N_NEXT_THREAD] = "NtGetNextThread",
        [N_COMPLETION] = "NtRemoveIoCompletion",
        [N_COMPLETIONS] = "NtRemoveIoCompletionEx",
        [N_SET_PROCESS] = "NtSetInformationProcess",
        [N_READ_FILE] = "NtReadFile",
    };

    static char room[JOURNAL_ROOM];
    struct journal_stub_row rows[N_COUNT];
    struct buf b = BUF_OVER(room);
    const void *record = room;

    for (uint32_t i = 0; i < N_COUNT; i++) {
        rows[i] = (struct journal_stub_row){ 32 * i, (uint16_t)i,
                                             patched && i != N_FOREIGN
                                                 ? JOURNAL_STUB_PATCHED
                                                 : 0,
                                             str_of(names[i]) };
    }
    journal_stubs(&b, 0, STUBS, 1, STR("ntdll.dll"), rows, N_COUNT);
    return !b.cut && stubs_tell(p, record);
}

static inline struct model_process *add_process(struct trace *t, uint32_t pid,
                                                enum model_mode mode)
{
    struct model_process *p = open_process(t->m, pid, mode);

    if (!p) {
        abort();
    }
    add_places(p);
    if (!add_stubs_as(p, true) ||
        !process_module_add(p, 0x140000000, 0x10000, STR("demo.exe")) ||
        !process_module_add(p, STUBS, 0x1000000, STR("ntdll.dll"))) {
        abort();
    }
    return p;
}

/* `out` NULL: decoder and text. */
static inline struct trace *trace_open_with(enum model_mode mode,
                                            const struct text_options *options,
                                            const struct model_config *config,
                                            const struct model_out *out)
{
    struct trace *t = calloc(1, sizeof(*t));
    struct err e = { 0 };
    struct model_out text_out = {
        .enter = decoder_enter,
        .leave = decoder_leave,
        .transition = decoder_transition,
        .completion = decoder_completion,
        .notice = decoder_notice,
    };

    if (!t) {
        abort();
    }
    text_out.ctx = &t->d;
    clock_init(&t->clock, 0, TICKS * 1000000, 1795341240ll * 1000000000);
    text_init(&t->text, options, trace_write, t);
    decoder_init(&t->d, &t->text.sink, &t->clock, NULL);
    t->m = model_open(config, out ? out : &text_out, &e);
    if (!t->m) {
        abort();
    }
    t->p = add_process(t, 32, mode);
    return t;
}

static inline struct trace *trace_open(enum model_mode mode)
{
    struct text_options options = { .always_pid = true };
    struct model_config config = { .hold = 100000 * TICKS };

    return trace_open_with(mode, &options, &config, NULL);
}

static inline void trace_close(struct trace *t)
{
    model_close(t->m);
    decoder_close(&t->d);
    text_close(&t->text);
    free(t->out);
    free(t);
}

static inline struct model_thread *add_thread(struct trace *t, uint32_t tid)
{
    struct model_thread *thread = model_thread_open(t->p, tid, 1, 0);

    if (!thread) {
        abort();
    }
    return thread;
}

/* Feeds the chunk, which becomes empty again. */
static inline void feed(struct model_thread *thread, struct chunk *c)
{
    if (model_feed(thread, c->bytes, c->size, UINT64_MAX) != c->size) {
        abort();
    }
    c->size = 0;
}

/* Everything told so far, the entry that is held back too. Every line is
 * held against the grammar. */
static inline str told(struct trace *t)
{
    str rest;
    str line;

    model_flush(t->m);
    decoder_flush(&t->d);
    rest = (str){ t->size > 0 ? t->out : "", t->size };
    while (str_cut(rest, '\n', &line, &rest)) {
        size_t column = grammar_mistake(line);

        if (column != 0) {
            printf("column %zu is not in the grammar: %.*s\n", column,
                   STR_ARGS(line));
            exit(1);
        }
    }
    return (str){ t->size > 0 ? t->out : "", t->size };
}

#endif
