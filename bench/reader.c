/* SPDX-License-Identifier: MIT */
/*
 * reader.c - how fast the reader's half is: records in memory, through the
 * model to nothing, and on through filter, decoder and sink to the null
 * device, at the options that are the default.
 *
 *   reader [THREADS [CALLS]]      default 4 threads, 500,000 calls each
 *
 * There are two streams of records. In `plain` all arguments are what the
 * registers held. `mixed` is made like a real program's: of ten calls three
 * name what they open or ask for (the memory that their capture programs copy
 * comes with them), three are on handles, which are shown by name, four are
 * neither.
 *
 * Prints one line a measurement, `name value unit`; best of five. Reads
 * nothing, writes standard output and the null device.
 */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 199309L
#endif

#include "unit/captured.h"

#include "decode/capture.h"
#include "decode/decode.h"
#include "filter/filter.h"
#include "format/json.h"
#include "format/text.h"
#include "model/model.h"
#include "unit/journal.h"
#include "wire/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STUBS 0x6ff100000ull
#define RSP 0x22fd08ull
#define STACK_BASE 0x230000ull
#define KINDS 10 /* calls of a stream that differ */
#define KINDS_PLAIN 8
#define REPEATS 5
/* Calls of all threads that are fed at a time; of one thread, at most. */
#define TOGETHER 20000
#define BATCH 2000
#define THREADS_MAX (TOGETHER / KINDS)
#define ARGS_MAX 8
#define OUTPUT_BYTES (64 << 10)

enum where {
    TO_NOTHING,
    TO_TEXT,
    TO_JSON,
    WHERE_COUNT
};
enum stream {
    PLAIN,
    MIXED,
    STREAM_COUNT
};

/* The records of one thread, again and again. */
struct records {
    uint8_t *bytes;
    size_t size;
    size_t room;
    uint64_t count;
};

struct bench {
    uint32_t threads;
    uint32_t calls;
    uint32_t batch;  // calls of one thread that are fed at a time
    struct records *records[STREAM_COUNT];  // of each thread
    FILE *null;
    struct filter *filter;
    struct decoder *decoder;
    uint64_t told;
    uint64_t lines;
    uint64_t bytes;
    size_t waiting;
    char output[OUTPUT_BYTES];
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- Making records ------------------------------------------------------ */

static uint8_t *records_add(struct records *r, uint32_t size,
                            enum record_kind kind, uint8_t flags,
                            uint16_t number)
{
    struct record_head head = { size, (uint8_t)kind, flags, number, 0 };
    uint8_t *p;

    if (r->room - r->size < size) {
        r->room = 2 * r->room + size;
        r->bytes = realloc(r->bytes, r->room);
        if (!r->bytes) {
            abort();
        }
    }
    p = r->bytes + r->size;
    memset(p, 0, size);
    memcpy(p, &head, sizeof(head));
    r->size += size;
    r->count++;
    return p;
}

static void store(uint8_t *p, uint64_t n)
{
    memcpy(p, &n, sizeof(n));
}

static void add_entry(struct records *r, uint16_t number, const uint64_t *args,
                      uint32_t count)
{
    uint32_t more = count > 4 ? count - 4 : 0;
    uint8_t *p = records_add(r, ENTRY_SIZE + 8 * more, RECORD_ENTRY,
                             (uint8_t)more, number);

    store(p + ENTRY_RSP, RSP);
    store(p + ENTRY_STACK_BASE, STACK_BASE);
    store(p + ENTRY_CALLER, 0x140001000);
    for (uint32_t i = 0; i < 4 + more; i++) {
        store(p + ENTRY_ARGS + 8 * i, args[i]);
    }
}

static void add_return(struct records *r, uint16_t number, uint64_t result)
{
    uint8_t *p = records_add(r, RETURN_SIZE, RECORD_RETURN, 0, 0);

    store(p + RETURN_RIP, STUBS + 32 * number + 0x14);
    store(p + RETURN_RSP, RSP);
    store(p + RETURN_RAX, result);
    store(p + RETURN_STACK_BASE, STACK_BASE);
}

/* What the call's program copies of `w`. */
static void add_data(struct records *r, const struct world *w, uint16_t number,
                     const struct capture_program *program,
                     const struct call *call, bool at_return)
{
    struct taken taken;

    take(w, program, call, at_return, &taken);
    for (uint32_t i = 0; i < taken.memory.count; i++) {
        const struct memory_piece *m = &taken.memory.pieces[i];
        uint8_t *p;

        if (m->size == 0) {
            continue;
        }
        p = records_add(r, DATA_BYTES + (m->size + 7) / 8 * 8, RECORD_DATA,
                        at_return ? RECORD_AT_RETURN : 0, number);
        store(p + DATA_RSP, RSP);
        store(p + DATA_ADDRESS, m->address);
        memcpy(p + DATA_LENGTH, &m->size, 4);
        memcpy(p + DATA_OP, &i, 4);
        memcpy(p + DATA_BYTES, m->bytes, m->size);
    }
    taken_free(&taken);
}

static const char *const plain_names[KINDS_PLAIN] = {
    "NtClose",          "NtReadFile",       "NtQueryInformationFile",
    "NtOpenKeyEx",      "NtQueryValueKey",  "NtProtectVirtualMemory",
    "NtDelayExecution", "NtYieldExecution",
};

static void make_plain(struct records *r, uint32_t calls)
{
    uint64_t args[ARGS_MAX] = { 0 };

    for (uint32_t i = 0; i < calls; i++) {
        for (uint32_t a = 0; a < 4; a++) {
            args[a] = 0x7ff612340000u + 0x1111 * a + i;
        }
        add_entry(r, i % KINDS_PLAIN, args, 4);
        add_return(r, i % KINDS_PLAIN, i % 16 == 0 ? 0xc0000034 : 0);
    }
}

/* A mixed call, and what is in memory before and after it. */
struct mixed {
    const char *name;
    uint32_t count;
    uint64_t args[ARGS_MAX];
    uint64_t result;
};

enum {
    KEY_OUT = 0x20000,
    FILE_OUT = 0x20008,
    LENGTH_OUT = 0x20010
};
enum {
    IOSB = 0x20020,
    KEY_OA = 0x21000,
    FILE_OA = 0x22000
};
enum {
    VALUE_NAME = 0x23000,
    VALUE = 0x24000,
    EVENT = 0x60
};
enum {
    OPEN_KEY,
    QUERY_VALUE,
    OPEN_FILE,
    CLOSE_FILE,
    WAIT,
    CLOSE_KEY
};

static void make_mixed(struct records *r, uint32_t calls, uint32_t thread)
{
    static struct world before, after;
    uint64_t key = 0x1000 + 16 * thread;
    uint64_t file = key + 4;
    struct mixed kinds[KINDS] = {
        [OPEN_KEY] = { "NtOpenKey", 3, { KEY_OUT, 0x20019, KEY_OA }, 0 },
        [QUERY_VALUE] = { "NtQueryValueKey",
                          6,
                          { key, VALUE_NAME, 2, VALUE, 256, LENGTH_OUT },
                          0 },
        [OPEN_FILE] = { "NtOpenFile",
                        6,
                        { FILE_OUT, 0x80100000, FILE_OA, IOSB, 5, 0x60 },
                        0 },
        [CLOSE_FILE] = { "NtClose", 1, { file }, 0 },
        [WAIT] = { "NtWaitForSingleObject", 3, { EVENT, 0, 0 }, 0x102 },
        [CLOSE_KEY] = { "NtClose", 1, { key }, 0 },
        { "NtYieldExecution", 0, { 0 }, 0x40000024 },
        { "NtFlushInstructionCache",
          3,
          { UINT64_MAX, 0x7ff612340000, 4096 },
          0 },
        { "NtUserPostThreadMessage", 4, { 0x124, 0x12, 0, 0 }, 1 },
        { "NtTestAlert", 0, { 0 }, 0 },
    };
    static const uint8_t order[KINDS] = { OPEN_KEY,  6,         QUERY_VALUE,
                                          7,         WAIT,      CLOSE_KEY,
                                          8,         OPEN_FILE, 9,
                                          CLOSE_FILE };
    static _Alignas(8) uint8_t program[CAPTURE_PROGRAM_MAX];
    struct capture_options options = { .string_max = 32 };

    memset(&before, 0, sizeof(before));
    put_string(&before, KEY_OA + 64,
               "\\Registry\\Machine\\Software\\Microsoft\\Windows NT"
               "\\CurrentVersion");
    put_attributes(&before, KEY_OA, 0, KEY_OA + 64, 0x40);
    put_string(&before, FILE_OA + 64,
               "\\??\\C:\\Program Files\\Some Program\\program.ini");
    put_attributes(&before, FILE_OA, 0, FILE_OA + 64, 0x40);
    put_string(&before, VALUE_NAME, "ProductName");
    put_u(&before, KEY_OUT, 0, 8);
    put_u(&before, FILE_OUT, 0, 8);
    after = before;
    put_u(&after, KEY_OUT, key, 8);
    put_u(&after, FILE_OUT, file, 8);
    put_u(&after, IOSB, 0, 8);
    put_u(&after, IOSB + 8, 1, 8);
    /* KEY_VALUE_PARTIAL_INFORMATION: title, type, size, data */
    put_u(&after, VALUE, 0, 4);
    put_u(&after, VALUE + 4, 1, 4);
    put_u(&after, VALUE + 12, 0, 2);
    put_u(&after, VALUE + 8, put_text(&after, VALUE + 12, "Windows 10 Pro") + 2,
          4);
    put_u(&after, VALUE + 40, 0, 2);
    put_u(&after, LENGTH_OUT, 42, 4);
    for (uint32_t i = 0; i < calls; i++) {
        uint16_t number = order[i % KINDS];
        const struct mixed *k = &kinds[number];
        const struct call_facts *facts = call_find(str_of(k->name));
        struct call call = { 0 };
        bool has_program;

        if (!facts || facts->arg_count != k->count) {
            fprintf(stderr, "reader: %s is not what it was\n", k->name);
            exit(1);
        }
        memcpy(call.args, k->args, sizeof(k->args));
        call.result = k->result;
        has_program = capture_compile(facts, &options, program) > 0;
        if (has_program) {
            add_data(r, &before, number, (const void *)program, &call, false);
        }
        add_entry(r, number, k->args, k->count);
        if (has_program) {
            add_data(r, &after, number, (const void *)program, &call, true);
        }
        add_return(r, number, k->result);
    }
}

/* Threads take turns, call by call. */
static void set_times(const struct records *r, uint64_t first, uint64_t step,
                      uint64_t offset)
{
    uint64_t time = first * step + offset;

    for (size_t at = 0; at < r->size;) {
        struct record_head head;
        bool at_return;

        memcpy(&head, r->bytes + at, sizeof(head));
        at_return =
            head.kind == RECORD_RETURN ||
            (head.kind == RECORD_DATA && (head.flags & RECORD_AT_RETURN));
        store(r->bytes + at + RECORD_TIME, time + at_return);
        time += head.kind == RECORD_RETURN ? step : 0;
        at += head.size;
    }
}

/* --- Where they go ------------------------------------------------------- */

static void null_enter(void *ctx, const struct call *call)
{
    (void)ctx;
    (void)call;
}

static void null_leave(void *ctx, const struct call *call)
{
    struct bench *b = ctx;

    b->told += call->returned;
}

static void null_transition(void *ctx, const struct transition_told *t)
{
    (void)ctx;
    (void)t;
}

static void null_notice(void *ctx, const struct notice *n)
{
    (void)ctx;
    (void)n;
}

static void on_enter(void *ctx, const struct call *call)
{
    struct bench *b = ctx;

    if (filter_pass_entry(b->filter, call)) {
        decoder_enter(b->decoder, call);
    }
}

static void on_leave(void *ctx, const struct call *call)
{
    struct bench *b = ctx;

    if (filter_pass_entry(b->filter, call)) {
        decoder_leave(b->decoder, call);
    }
}

static void output(struct bench *b)
{
    if (fwrite(b->output, 1, b->waiting, b->null) != b->waiting) {
        abort();
    }
    b->waiting = 0;
}

/* As the tracer writes to a file. */
static void output_line(void *ctx, str line)
{
    struct bench *b = ctx;

    if (line.size > OUTPUT_BYTES) {
        abort();
    }
    if (line.size > OUTPUT_BYTES - b->waiting) {
        output(b);
    }
    memcpy(b->output + b->waiting, line.p, line.size);
    b->waiting += line.size;
    b->bytes += line.size;
    b->lines++;
}

/* --- Runs ---------------------------------------------------------------- */

static void add_stubs(struct model_process *p, enum stream stream)
{
    static const char *const mixed_names[KINDS] = {
        "NtOpenKey",
        "NtQueryValueKey",
        "NtOpenFile",
        "NtClose",
        "NtWaitForSingleObject",
        "NtClose",
        "NtYieldExecution",
        "NtFlushInstructionCache",
        "NtUserPostThreadMessage",
        "NtTestAlert",
    };
    const char *const *names = stream == PLAIN ? plain_names : mixed_names;
    uint32_t count = stream == PLAIN ? KINDS_PLAIN : KINDS;

    for (uint32_t i = 0; i < count; i++) {
        add_stub(p, STUBS + 32 * i, (uint16_t)i, str_of(names[i]),
                 STR("ntdll.dll"), true);
    }
    handles_add(p->handles, EVENT, STR("Event"),
                STR("\\BaseNamedObjects\\SomeEvent"), STR(""), true, 0x1f0003);
}

/* Seconds for everything; the time to make the records does not count. */
static double run(struct bench *b, enum stream stream, enum where where)
{
    static struct text text;
    static struct json json;
    struct text_options options = { .always_pid = true, .arg_names = true };
    struct model_config config = { 0 };
    struct decoder decoder = { 0 };
    struct clock clock;
    struct err e = { 0 };
    struct model_out out = { .ctx = b,
                             .enter = null_enter,
                             .leave = null_leave,
                             .transition = null_transition,
                             .notice = null_notice };
    struct model_thread **threads = calloc(b->threads, sizeof(*threads));
    struct model_counts counts;
    struct model *m;
    struct model_process *p;
    double spent = 0;

    clock_init(&clock, 0, 3000000000, 0);
    if (where != TO_NOTHING) {
        if (!text_init(&text, &options, output_line, b) ||
            !json_init(&json, output_line, b)) {
            abort();
        }
        decoder_init(&decoder, where == TO_TEXT ? &text.sink : &json.sink,
                     &clock, NULL);
        out.enter = on_enter;
        out.leave = on_leave;
    }
    b->decoder = &decoder;
    b->filter = filter_open();
    m = model_open(&config, &out, &e);
    p = m ? open_process(m, 32, MODE_PATCHED) : NULL;
    if (!p || !threads || !b->filter) {
        abort();
    }
    add_stubs(p, stream);
    for (uint32_t i = 0; i < b->threads; i++) {
        threads[i] = model_thread_open(p, 100 + i, 1, 0);
    }
    for (uint32_t at = 0; at < b->calls; at += b->batch) {
        uint64_t end = (uint64_t)(at + b->batch) * 4 * b->threads;
        double begin;

        for (uint32_t i = 0; i < b->threads; i++) {
            const struct records *r = &b->records[stream][i];

            set_times(r, at, 4 * (uint64_t)b->threads, 4 * i);
            begin = now();
            if (model_feed(threads[i], r->bytes, r->size, UINT64_MAX) !=
                r->size) {
                abort();
            }
            spent += now() - begin;
        }
        begin = now();
        for (uint32_t i = 0; i < b->threads; i++) {
            model_thread_bound(threads[i], end);
        }
        model_run(m, end);
        spent += now() - begin;
    }
    model_flush(m);
    decoder_flush(&decoder);
    output(b);
    counts = model_counts(m);
    if (counts.damaged || counts.late || counts.data_lost || counts.dropped) {
        abort();
    }
    decoder_close(&decoder);
    text_close(&text);
    json_close(&json);
    filter_close(b->filter);
    model_close(m);
    free(threads);
    return spent;
}

static bool measure(struct bench *b, enum stream stream)
{
    static const char *const names[WHERE_COUNT] = { "records_to_memory",
                                                    "text_to_null",
                                                    "json_to_null" };
    const char *before = stream == PLAIN ? "" : "mixed_";
    uint64_t calls = (uint64_t)b->threads * b->calls;
    double best[WHERE_COUNT] = { 1e9, 1e9, 1e9 };
    uint64_t records = 0;

    for (uint32_t i = 0; i < b->threads; i++) {
        records += b->records[stream][i].count * (b->calls / b->batch);
    }
    b->told = 0;
    for (int i = 0; i < REPEATS; i++) {
        for (uint32_t where = 0; where < WHERE_COUNT; where++) {
            double spent;

            b->lines = 0;
            b->bytes = 0;
            spent = run(b, stream, (enum where)where);
            best[where] = spent < best[where] ? spent : best[where];
            if (where != TO_NOTHING && b->lines != calls) {
                return false;
            }
        }
    }
    printf("%s%s %.2f M/s\n", before, names[TO_NOTHING],
           (double)records / best[TO_NOTHING] / 1e6);
    for (uint32_t where = TO_TEXT; where < WHERE_COUNT; where++) {
        printf("%s%s %.2f M lines/s\n", before, names[where],
               (double)calls / best[where] / 1e6);
    }
    return b->told == calls * REPEATS;
}

int main(int argc, char **argv)
{
    static struct bench b;

    b.threads = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 4;
    b.calls = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 0) : 500000;
    if (b.threads == 0 || b.threads > THREADS_MAX) {
        fprintf(stderr, "reader: 1 to %d threads\n", THREADS_MAX);
        return 1;
    }
    b.batch = TOGETHER / b.threads < BATCH ? TOGETHER / b.threads : BATCH;
    b.batch -= b.batch % KINDS;
    b.calls = (b.calls + b.batch - 1) / b.batch * b.batch;
    b.null = fopen("/dev/null", "w");
    for (uint32_t s = 0; s < STREAM_COUNT; s++) {
        b.records[s] = calloc(b.threads, sizeof(**b.records));
        if (!b.records[s] || !b.null) {
            return 1;
        }
        for (uint32_t i = 0; i < b.threads; i++) {
            if (s == PLAIN) {
                make_plain(&b.records[s][i], b.batch);
            } else {
                make_mixed(&b.records[s][i], b.batch, i);
            }
        }
    }
    setvbuf(b.null, NULL, _IONBF, 0);
    for (uint32_t s = 0; s < STREAM_COUNT; s++) {
        if (!measure(&b, (enum stream)s)) {
            fprintf(stderr, "reader: calls were lost\n");
            return 1;
        }
        for (uint32_t i = 0; i < b.threads; i++) {
            free(b.records[s][i].bytes);
        }
        free(b.records[s]);
    }
    fclose(b.null);
    return 0;
}
