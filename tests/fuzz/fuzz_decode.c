/* SPDX-License-Identifier: MIT */
/*
 * fuzz_decode - every call of the tables over memory that a target made up,
 * from records to lines: model, filter, decoder, text and JSON.
 *
 * The first six bytes say how: options of the decoder and of the text, which
 * filter, -s, where the memory has holes, and how the rest is to be read:
 *
 *   records   fed as it is, in two halves, to two threads; service numbers
 *             as in unit/trace.h, all other rows behind them
 *   calls     hash of the name (16 bits), result, size of the memory (16 bits),
 *             arguments, memory, words of it that are made to point into it
 *
 * A result is a byte, and 32 bits behind it if it is above 7fh. An argument
 * is a byte, see argument(). The memory lies at BASE.
 *
 * Whatever comes: each line of text is in the grammar, each line of JSON is
 * one object in ASCII and of bounded depth, both are no longer than they may
 * be; captured memory is bounded, and so is the work for one call. A capture
 * program refers only to what it has copied before.
 */
#include "decode/capture.h"
#include "decode/decode.h"
#include "filter/filter.h"
#include "format/json.h"
#include "format/text.h"
#include "model/model.h"
#include "wire/section.h"

#include "fuzz/fuzz.h"
#include "unit/trace.h"

#include <time.h>

#define BASE 0x10000u
#define TID 36 /* of the first thread */
#define ROWS 4096
#define ROWS_FROM 64  // numbers below are those of unit/trace.h
#define MEMORY_TOTAL (1u << 20)
/* Beyond what any honest call takes, sanitizers and a busy machine included:
 * who nests loops over what the target counts goes far over it. */
#define CPU_SECONDS 2.0
#define IMAGE_MOST 0x10000u

enum {
    HOW_RECORDS = 1,
    HOW_RETURNS = 2,
    HOW_WINE = 4,
    HOW_PIECES = 8,  // memory comes in small ones
    HOW_HOLES = 16,
    HOW_DIFFERS = 32,  // the memory at the return is another one
};

static const char *const filters[] = {
    "trace=all",      "trace=%file,%network,%registry",
    "status=failed",  "trace=!NtClose,NtUserGetMessage",
    "raw=/Nt[A-M]/",  "read=all",
    "write=!0x40",    "status=STATUS_PENDING,unfinished,0xc0000022",
    "trace=/^Nt.*e/", "direct",
};

struct world {
    struct model *model;
    struct filter *filter;
    struct decoder decoder;
    struct decoder json_decoder;
    struct clock clock;
    struct text text;
    struct json json;
    bool by_result;
};

/* --- what lines must be ------------------------------------------------- */

static void take_text(void *ctx, str line)
{
    (void)ctx;
    MUST(line.size > 0 && line.size <= LINE_MAX_BYTES);
    MUST(line.p[line.size - 1] == '\n');
    line.size--;
    for (size_t i = 0; i < line.size; i++) {
        MUST((uint8_t)line.p[i] >= 0x20 && line.p[i] != 0x7f);
    }
    if (grammar_mistake(line) != 0) {
        fprintf(stderr, "grammar: column %zu of: %.*s\n", grammar_mistake(line),
                (int)(line.size < 4096 ? line.size : 4096), line.p);
        abort();
    }
}

struct json_reader {
    const char *p;
    const char *end;
};

static void json_word(struct json_reader *r, const char *word)
{
    size_t size = strlen(word);

    MUST((size_t)(r->end - r->p) >= size && memcmp(r->p, word, size) == 0);
    r->p += size;
}

static void json_string(struct json_reader *r)
{
    json_word(r, "\"");
    for (;;) {
        MUST(r->p < r->end && *r->p >= 0x20 && *r->p < 0x7f);
        if (*r->p == '"') {
            r->p++;
            return;
        }
        if (*r->p++ == '\\') {
            MUST(r->p < r->end && strchr("\"\\/bfnrtu", *r->p));
            if (*r->p++ == 'u') {
                for (int i = 0; i < 4; i++, r->p++) {
                    MUST(r->p < r->end && g_is_hex(*r->p));
                }
            }
        }
    }
}

static void json_value(struct json_reader *r, int depth);

static void json_members(struct json_reader *r, char end, int depth)
{
    r->p++;
    if (r->p < r->end && *r->p == end) {
        r->p++;
        return;
    }
    for (;;) {
        if (end == '}') {
            json_string(r);
            json_word(r, ":");
        }
        json_value(r, depth);
        MUST(r->p < r->end && (*r->p == ',' || *r->p == end));
        if (*r->p++ == end) {
            return;
        }
    }
}

static void json_value(struct json_reader *r, int depth)
{
    MUST(r->p < r->end && depth < 4 * JSON_DEPTH_MAX);
    if (*r->p == '{') {
        json_members(r, '}', depth + 1);
    } else if (*r->p == '[') {
        json_members(r, ']', depth + 1);
    } else if (*r->p == '"') {
        json_string(r);
    } else if (*r->p == 't') {
        json_word(r, "true");
    } else if (*r->p == 'f') {
        json_word(r, "false");
    } else if (*r->p == 'n') {
        json_word(r, "null");
    } else {
        const char *from;

        r->p += *r->p == '-';
        for (from = r->p; r->p < r->end && g_is_digit(*r->p);) {
            r->p++;
        }
        MUST(r->p > from && (*from != '0' || r->p == from + 1));
    }
}

static void take_json(void *ctx, str line)
{
    struct json_reader r = { line.p, line.p + line.size };

    (void)ctx;
    MUST(line.size > 0 && line.size <= LINE_MAX_BYTES);
    MUST(*--r.end == '\n');
    MUST(r.end > r.p && *r.p == '{');
    json_value(&r, 0);
    MUST(r.p == r.end);
}

/* --- as view/tell.c has it ---------------------------------------------- */

static void on_enter(void *ctx, const struct call *call)
{
    struct world *w = ctx;

    if (filter_pass_entry(w->filter, call) && !w->by_result) {
        decoder_enter(&w->decoder, call);
        decoder_enter(&w->json_decoder, call);
    }
}

static void on_leave(void *ctx, const struct call *call)
{
    struct world *w = ctx;
    bool pass = call->entry_seen && !w->by_result
                    ? filter_pass_entry(w->filter, call)
                    : filter_pass(w->filter, call);

    if (pass && w->by_result) {
        decoder_whole(&w->decoder, call);
        decoder_whole(&w->json_decoder, call);
    } else if (pass) {
        decoder_leave(&w->decoder, call);
        decoder_leave(&w->json_decoder, call);
    } else {
        decoder_drop(&w->decoder, call);
        decoder_drop(&w->json_decoder, call);
    }
}

static void on_transition(void *ctx, const struct transition_told *t)
{
    struct world *w = ctx;

    decoder_transition(&w->decoder, t);
    decoder_transition(&w->json_decoder, t);
}

static void on_completion(void *ctx, const struct completion_told *c)
{
    struct world *w = ctx;

    decoder_completion(&w->decoder, c);
    decoder_completion(&w->json_decoder, c);
}

static void on_notice(void *ctx, const struct notice *n)
{
    struct world *w = ctx;

    decoder_notice(&w->decoder, n);
    decoder_notice(&w->json_decoder, n);
}

/* What lies outside the modules: of each kind something, in turns. */
static void put_places(struct model_process *p)
{
    for (uint64_t at = 0x10000; at < 0x3f0000; at += 0x100000) {
        add_place(p, at, at + 0x100000,
                  at & 0x100000   ? PLACE_PRIVATE
                  : at & 0x200000 ? PLACE_MAPPED
                                  : PLACE_UNMAPPED,
                  STR("C:\\a\"b\x1b>+0x1.dll"));
    }
}

static bool is_raw(const void *filter, const struct call *call)
{
    return call->stub &&
           filter_is_raw(filter, call->stub->name, call->stub->facts);
}

/* --- the world -------------------------------------------------------- */

struct row {
    uint16_t hash;
    uint16_t index;  // of call_at
};

static struct row rows[ROWS];

static int by_hash(const void *a, const void *b)
{
    const struct row *x = a;
    const struct row *y = b;

    return x->hash != y->hash ? x->hash - y->hash : x->index - y->index;
}

/* The row whose name has this hash, or the next one that there is: so inputs
 * go on to mean the same calls when rows are added. */
static size_t row_of(uint16_t hash)
{
    size_t from = 0;
    size_t to = call_count();

    if (rows[0].hash == rows[to - 1].hash) {
        MUST(to <= ROWS);
        for (size_t i = 0; i < to; i++) {
            uint32_t h = 2166136261u;  // FNV-1a

            for (const char *p = call_at(i)->name; *p; p++) {
                h = (h ^ (uint8_t)*p) * 16777619u;
            }
            rows[i].hash = (uint16_t)(h ^ h >> 16);
            rows[i].index = (uint16_t)i;
        }
        qsort(rows, to, sizeof(rows[0]), by_hash);
    }
    while (from < to) {
        size_t mid = from + (to - from) / 2;

        if (rows[mid].hash < hash) {
            from = mid + 1;
        } else {
            to = mid;
        }
    }
    return rows[from < call_count() ? from : 0].index;
}

static uint16_t number_of(size_t row)
{
    return (uint16_t)(ROWS_FROM + row +
                      (call_is_win32k(call_at(row)) ? 0x1000 : 0));
}

static void make_stub(struct model_process *p, size_t row)
{
    uint16_t number = number_of(row);

    MUST(add_stub(p, stub_at(number), number, str_of(call_at(row)->name),
                  STR("ntdll.dll"), row % 16 != 15));
}

static int by_rva(const void *a, const void *b)
{
    const struct journal_stub_row *x = a;
    const struct journal_stub_row *y = b;

    return x->rva < y->rva ? -1 : x->rva > y->rva;
}

/* All of them, in one table: there may not be so many. */
static void make_stubs(struct model_process *p)
{
    size_t count = call_count();
    struct journal_stub_row *rows = calloc(count, sizeof(*rows));
    struct buf b = { malloc(JOURNAL_MAX), 0, JOURNAL_MAX, false };

    MUST(rows && b.p);
    for (size_t i = 0; i < count; i++) {
        uint16_t number = number_of(i);

        rows[i] = (struct journal_stub_row){
            (uint32_t)(stub_at(number) - stub_at(0)), number,
            i % 16 != 15 ? JOURNAL_STUB_PATCHED : 0, str_of(call_at(i)->name)
        };
    }
    qsort(rows, count, sizeof(*rows), by_rva);
    journal_stubs(&b, 0, stub_at(0), 999, STR("ntdll.dll"), rows,
                  (uint32_t)count);
    MUST(!b.cut && journal_judge(b.p, b.size) &&
         stubs_tell(p, (const void *)b.p));
    free(rows);
    free(b.p);
}

static void world_open(struct world *w, const uint8_t *how, bool wine)
{
    struct text_options text = {
        .always_pid = how[1] & 1,
        .when = (enum text_when)(how[1] >> 1 & 3),
        .relative = how[1] & 8,
        .number = how[1] & 16,
        .returns = how[1] & 32,
        .took = how[1] & 64,
        .arg_names = !(how[1] & 128),
        .hex = (enum text_hex)(how[2] % 3),
        .constant_numbers = how[2] & 128,
        .handle_detail = (how[2] & 12) == 12,
    };
    struct decode_options options = {
        .wine = wine,
        .string_max = how[3] < 128 ? how[3] : how[3] * 64u,
        .verbose = how[2] & 16,
        .raw = how[2] & 32,
        .names_only = (how[2] & 0xf3) == 0x43,
        .handles = (enum handle_detail)((how[2] >> 2 & 3) % 3),
        .is_raw = is_raw,
    };
    struct model_config config = { .system.wine = wine,
                                   .hold = 1000,
                                   .queue_bytes = 1u << 20,
                                   .memory_total = MEMORY_TOTAL };
    struct model_out out = {
        w, on_enter, on_leave, on_transition, on_completion, on_notice
    };
    struct filter_dumps dumps;
    struct err e;

    memset(w, 0, sizeof(*w));
    w->filter = filter_open();
    MUST(w->filter);
    MUST(
        filter_add(w->filter, str_of(filters[how[4] % COUNT_OF(filters)]), &e));
    if (how[4] & 64) {
        MUST(filter_add_path(w->filter, STR("C:\\windows\\win.ini"), &e));
    }
    w->by_result = filter_wants_result(w->filter);
    options.is_raw_ctx = w->filter;
    dumps = filter_reads(w->filter);
    options.dump_reads_all = dumps.all;
    options.dump_reads = dumps.handles;
    options.dump_read_count = dumps.count;
    dumps = filter_writes(w->filter);
    options.dump_writes_all = dumps.all;
    options.dump_writes = dumps.handles;
    options.dump_write_count = dumps.count;
    clock_init(&w->clock, 0, 1000000000, 1795341240ll * 1000000000);
    MUST(text_init(&w->text, &text, take_text, NULL));
    MUST(json_init(&w->json, take_json, NULL));
    json_header(&w->json, STR("1"));
    decoder_init(&w->decoder, &w->text.sink, &w->clock, &options);
    decoder_init(&w->json_decoder, &w->json.sink, &w->clock, &options);
    w->model = model_open(&config, &out, &e);
    MUST(w->model);
}

static void world_close(struct world *w)
{
    decoder_close(&w->decoder);
    decoder_close(&w->json_decoder);
    text_close(&w->text);
    json_close(&w->json);
    filter_close(w->filter);
    model_close(w->model);
}

/* --- records of calls ------------------------------------------------- */

/* The bytes of an input, one after the other; zeros behind its end. */
struct input {
    const uint8_t *p;
    size_t size;
};

static uint8_t next(struct input *in)
{
    if (in->size == 0) {
        return 0;
    }
    in->size--;
    return *in->p++;
}

static uint64_t next_number(struct input *in, int bytes)
{
    uint64_t n = 0;

    for (int i = 0; i < bytes; i++) {
        n |= (uint64_t)next(in) << (8 * i);
    }
    return n;
}

struct records {
    uint8_t bytes[4 * IMAGE_MOST];
    size_t size;
};

static void put(struct records *r, uint64_t n)
{
    for (int i = 0; i < 8; i++) {
        r->bytes[r->size++] = (uint8_t)(n >> (8 * i));
    }
}

static void put_head(struct records *r, size_t size, enum record_kind kind,
                     uint32_t flags, uint32_t number, uint64_t time)
{
    put(r, size | (uint64_t)kind << 32 | (uint64_t)flags << 40 |
               (uint64_t)number << 48);
    put(r, time);
}

/* The memory as one half of a call copies it. */
static void put_image(struct records *r, const uint8_t *image, size_t size,
                      const uint8_t *how, uint32_t flags, uint32_t number,
                      uint64_t time)
{
    size_t piece = how[0] & HOW_PIECES ? 8u + how[5] % 64 * 8 : 2048;

    for (size_t at = 0; at < size; at += piece) {
        size_t part = size - at < piece ? size - at : piece;
        size_t padded = (part + 7) / 8 * 8;

        if ((how[0] & HOW_HOLES && at / piece % 8 == how[5] % 8) ||
            r->size + DATA_BYTES + padded > sizeof(r->bytes) - 4096) {
            continue;
        }
        put_head(r, DATA_BYTES + padded, RECORD_DATA, flags, number, time);
        put(r, STACK);
        put(r, BASE + at);
        put(r, part | (uint64_t)(at / piece) << 32);
        memcpy(r->bytes + r->size, image + at, part);
        memset(r->bytes + r->size + part, 0xee, padded - part);
        r->size += padded;
    }
}

static uint64_t argument(struct input *in, size_t size)
{
    uint8_t kind = next(in);

    switch (kind & 7) {
    case 0:
        return kind >> 3;
    case 1:
        return BASE + (kind >> 3) * 16u;
    case 2:
        return BASE + next(in) * 8u;
    case 3:
        return next_number(in, 4);
    case 4:
        return next_number(in, 8);
    case 5:
        return 4u + (kind >> 3) * 4;  // a handle
    case 6:
        return size >> (kind >> 5);
    default:
        return UINT64_MAX - (kind >> 3);
    }
}

static uint64_t result(struct input *in)
{
    static const uint32_t results[] = { 0,          0x103,      0x80000005,
                                        0xc0000004, 0xc0000023, 0xc0000022,
                                        1,          0x101 };
    uint8_t kind = next(in);

    return kind & 128 ? next_number(in, 4) : results[kind % 8];
}

/* Makes words of the image point into it. */
static void link_image(struct input *in, uint8_t *image, size_t size)
{
    for (uint8_t count = next(in) % 32; count > 0; count--) {
        size_t at = next(in) * 8u;
        uint64_t to = BASE + next(in) * 8u;

        for (size_t i = 0; i < 8 && at + i < size; i++) {
            image[at + i] = (uint8_t)(to >> (8 * i));
        }
    }
}

static void check_program(const struct call_facts *facts, const uint8_t *how)
{
    static _Alignas(8) uint8_t room[CAPTURE_PROGRAM_MAX];
    const struct capture_program *p = (const void *)room;
    struct capture_options options = {
        .wine = how[0] & HOW_WINE,
        .string_max = how[3] < 128 ? how[3] : how[3] * 64u,
        .verbose = how[2] & 16,
        .names_only = how[2] & 64,
        .dumps = how[4] & 32,
    };
    size_t size = capture_compile(facts, &options, room);

    MUST(size <= sizeof(room) && size % 8 == 0);
    for (uint32_t i = 0; size > 0 && i < p->entry_count + p->return_count;
         i++) {
        const struct capture_op *op = &p->ops[i];
        uint32_t index = i < p->entry_count ? i : i - p->entry_count;
        uint32_t limit = CAPTURE_PIECE + index;

        MUST(p->entry_count + p->return_count <= CAPTURE_OPS_MAX);
        MUST(op->base < facts->arg_count ||
             (op->base >= CAPTURE_PIECE && op->base < limit));
        MUST(op->most > 0 && op->most <= CAPTURE_BYTES_MAX);
        MUST(op->when == CAPTURE_ALWAYS || i >= p->entry_count);
        MUST(op->size.unit > CAPTURE_NO_LIMIT && op->size.scale > 0);
        MUST(op->size.from < facts->arg_count ||
             (op->size.from >= CAPTURE_PIECE && op->size.from < limit));
        MUST(op->limit.from < facts->arg_count ||
             (op->limit.from >= CAPTURE_PIECE && op->limit.from < limit));
        MUST(op->test <= CAPTURE_EACH &&
             (op->test != CAPTURE_IF_ARG || op->test_from < facts->arg_count));
        MUST(op->test != CAPTURE_EACH ||
             (op->base >= CAPTURE_PIECE && op->test_value >= 8));
    }
}

/* One call: its entry, memory before it, and what its return shows. */
static void put_call(struct model_process *p, struct records *r,
                     struct input *in, const uint8_t *how)
{
    static uint8_t image[IMAGE_MOST];
    size_t row = row_of((uint16_t)next_number(in, 2));
    const struct call_facts *facts = call_at(row);
    uint32_t number = number_of(row);
    uint32_t more = facts->arg_count > 4 ? facts->arg_count - 4u : 0;
    uint64_t args[CALL_ARGS_MAX] = { 0 };
    uint64_t rax = result(in);
    size_t size = next_number(in, 2);
    struct input old;

    if (!stub_by_number(p, (uint16_t)number)) {
        make_stub(p, row);
    }
    check_program(facts, how);
    for (uint32_t i = 0; i < facts->arg_count; i++) {
        args[i] = argument(in, size);
    }
    old = *in;
    size = size < in->size ? size : in->size;
    memset(image, 0, size);
    old.p += size;
    old.size -= size;
    memcpy(image, in->p, size);
    link_image(&old, image, size);
    put_image(r, image, size, how, 0, number, 1000);
    put_head(r, ENTRY_SIZE + 8 * more, RECORD_ENTRY, more, number, 1000);
    put(r, STACK);
    put(r, STACK + 0x1000);
    put(r, 0x140001000);
    for (uint32_t i = 0; i < 4 + more; i++) {
        put(r, args[i]);
    }
    if (how[0] & HOW_DIFFERS) {
        for (size_t i = 0; i + 1 < size; i += 3) {
            image[i] ^= image[i + 1];
        }
        link_image(&old, image, size);
    }
    *in = old;
    put_image(r, image, size, how, RECORD_AT_RETURN, number, 2000);
    put_head(r, RETURN_SIZE, RECORD_RETURN, 0, 0, 2000);
    put(r, stub_at(number) + 0x14);
    put(r, STACK);
    put(r, rax);
    put(r, STACK + 0x1000);
    if ((uint32_t)rax != 0x103 || call_block(facts) < 0) {
        return;
    }
    /* It was pending, and is over: what has it filled? */
    rax = result(in);
    put_image(r, image, size, how, RECORD_AT_COMPLETION, number, 3000);
    put_head(r, COMPLETION_SIZE, RECORD_COMPLETION, 0, number, 3000);
    put(r, STACK);
    put(r, 2000);
    put(r, args[call_block(facts)]);
    put(r, size);
    put(r, (uint32_t)rax | (uint64_t)TID << 32);
}

/* --- the whole -------------------------------------------------------- */

static void feed_calls(struct world *w, struct model_process *p,
                       struct model_thread *t, struct input *in,
                       const uint8_t *how)
{
    static struct records r;

    for (int i = 0; i < 64 && in->size > 4; i++) {
        r.size = 0;
        put_call(p, &r, in, how);
        for (size_t at = 0; at < r.size;) {
            at += model_feed(t, r.bytes + at, r.size - at, UINT64_MAX);
            model_flush(w->model);
        }
        MUST(model_counts(w->model).memory <= MEMORY_TOTAL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    clock_t began = clock();
    static struct world w;
    struct model_process *p;
    struct model_thread *threads[2];
    uint8_t how[6];

    if (size < sizeof(how)) {
        return 0;
    }
    memcpy(how, bytes, sizeof(how));
    bytes += sizeof(how);
    size -= sizeof(how);
    world_open(&w, how, how[0] & HOW_WINE);
    p = open_process(w.model, 32,
                     how[0] & HOW_RETURNS ? MODE_RETURNS : MODE_PATCHED);
    MUST(p);
    MUST(process_module_add(p, 0x140000000, 0x10000, STR("a^b\n.exe")));
    MUST(process_module_add(p, STUBS, 0x1000000, STR("ntdll.dll")));
    put_places(p);
    MUST(handles_add(p->handles, 0x40, STR("File"),
                     STR("\\??\\C:\\windows\\win.ini"),
                     STR("C:\\windows\\win.ini"), true, 0x120089));
    MUST(handles_add(p->handles, 0x44, STR("File"),
                     STR("\\Device\\Afd>\"^\n\xff"), STR("\\Device\\Afd"),
                     false, 0));
    threads[0] = model_thread_open(p, TID, 1, 0);
    threads[1] = model_thread_open(p, 44, 2, 0);
    MUST(threads[0] && threads[1]);
    if (how[0] & HOW_RECORDS) {
        size_t half = size / 16 * 8;

        MUST(add_stubs_as(p, true));
        make_stubs(p);
        model_feed(threads[0], bytes, half, 1 << 20);
        model_feed(threads[1], bytes + half, size - half, 1 << 20);
        model_run(w.model, 1 << 20);
    } else {
        struct input in = { bytes, size };

        feed_calls(&w, p, threads[0], &in, how);
    }
    model_flush(w.model);
    decoder_flush(&w.decoder);
    decoder_flush(&w.json_decoder);
    MUST(model_counts(w.model).queued == 0);
    MUST(model_counts(w.model).memory <= MEMORY_TOTAL);
    world_close(&w);
    MUST((double)(clock() - began) / CLOCKS_PER_SEC < CPU_SECONDS);
    return 0;
}
