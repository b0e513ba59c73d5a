/* SPDX-License-Identifier: MIT */
/*
 * reader.c - how fast the reader's half is: records in memory, through the
 * model, to nothing, and to text that goes nowhere.
 *
 *   reader [THREADS [CALLS]]      default 4 threads, 500,000 calls each
 *
 * Prints one line a measurement, `name value unit`; best of five. Nothing is
 * read or written but standard output.
 */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 199309L
#endif

#include "decode/decode.h"
#include "format/text.h"
#include "model/model.h"
#include "wire/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STUBS 0x6ff100000ull
#define RECORDS 2 /* a call */
#define PAIR_SIZE (ENTRY_SIZE + RETURN_SIZE)
#define REPEATS 5
/* Calls of all threads that are fed at a time; of one thread, at most. */
#define TOGETHER 60000
#define BATCH 2000

struct bench {
    uint32_t threads;
    uint32_t calls;
    uint32_t batch;  // calls of one thread that are fed at a time
    uint8_t *bytes;  // `batch` calls
    uint64_t lines;
    uint64_t told;
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void put(uint8_t *p, uint64_t n)
{
    memcpy(p, &n, sizeof(n));
}

static void make_batch(const struct bench *b)
{
    uint8_t *p = b->bytes;

    for (uint32_t i = 0; i < b->batch; i++, p += PAIR_SIZE) {
        struct record_head entry = { ENTRY_SIZE, RECORD_ENTRY, 0,
                                     (uint16_t)(i % 8), 0 };
        struct record_head back = { RETURN_SIZE, RECORD_RETURN, 0, 0, 0 };

        memset(p, 0, PAIR_SIZE);
        memcpy(p, &entry, sizeof(entry));
        put(p + ENTRY_RSP, 0x22fd08);
        put(p + ENTRY_STACK_BASE, 0x230000);
        put(p + ENTRY_CALLER, 0x140001000);
        for (uint32_t a = 0; a < 4; a++) {
            put(p + ENTRY_ARGS + 8 * a, 0x7ff612340000ull + 0x1111 * a + i);
        }
        memcpy(p + ENTRY_SIZE, &back, sizeof(back));
        put(p + ENTRY_SIZE + RETURN_RIP, STUBS + 32 * (i % 8) + 0x14);
        put(p + ENTRY_SIZE + RETURN_RSP, 0x22fd08);
        put(p + ENTRY_SIZE + RETURN_RAX, i % 16 == 0 ? 0xc0000034 : 0);
        put(p + ENTRY_SIZE + RETURN_STACK_BASE, 0x230000);
    }
}

/* Threads take turns, call by call. */
static void set_times(const struct bench *b, uint64_t first, uint64_t step,
                      uint64_t offset)
{
    uint8_t *p = b->bytes;

    for (uint32_t i = 0; i < b->batch; i++, p += PAIR_SIZE) {
        uint64_t time = (first + i) * step + offset;

        put(p + RECORD_TIME, time);
        put(p + ENTRY_SIZE + RECORD_TIME, time + 1);
    }
}

static void null_call(void *ctx, const struct call *call)
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

static void null_write(void *ctx, str line)
{
    struct bench *b = ctx;

    b->lines += line.size > 0;
}

/* Seconds for everything; the time to make the records does not count. */
static double run(struct bench *b, bool text_too)
{
    static const char *names[8] = {
        "NtClose",          "NtReadFile",       "NtQueryInformationFile",
        "NtOpenKeyEx",      "NtQueryValueKey",  "NtProtectVirtualMemory",
        "NtDelayExecution", "NtYieldExecution",
    };
    static struct text text;
    struct text_options options = { .always_pid = true };
    struct model_config config = { 0 };
    struct decoder decoder;
    struct clock clock;
    struct err e = { 0 };
    struct model_out out = {
        .ctx = b,
        .enter = null_call,
        .leave = null_call,
        .transition = null_transition,
        .notice = null_notice,
    };
    struct model_out text_out = {
        .ctx = &decoder,
        .enter = decoder_enter,
        .leave = decoder_leave,
        .transition = decoder_transition,
        .notice = decoder_notice,
    };
    struct model_thread **threads = calloc(b->threads, sizeof(*threads));
    struct model *m;
    struct model_process *p;
    double spent = 0;

    clock_init(&clock, 0, 3000000000, 0);
    text_init(&text, &options, null_write, b);
    decoder_init(&decoder, &text.sink, &clock);
    m = model_open(&config, text_too ? &text_out : &out, &e);
    p = m ? model_process_open(m, 32, MODE_PATCHED) : NULL;
    if (!p || !threads) {
        abort();
    }
    for (uint32_t i = 0; i < 8; i++) {
        model_stub_add(p, STUBS + 32 * i, (uint16_t)i, str_of(names[i]),
                       STR("ntdll.dll"), true);
    }
    for (uint32_t i = 0; i < b->threads; i++) {
        threads[i] = model_thread_open(p, 100 + i, 1, 0);
    }
    for (uint32_t at = 0; at < b->calls; at += b->batch) {
        double begin = 0;

        for (uint32_t i = 0; i < b->threads; i++) {
            size_t size = (size_t)b->batch * PAIR_SIZE;

            set_times(b, at, 4 * (uint64_t)b->threads, 4 * i);
            begin = now();
            if (model_feed(threads[i], b->bytes, size, UINT64_MAX) != size) {
                abort();
            }
            spent += now() - begin;
        }
        begin = now();
        for (uint32_t i = 0; i < b->threads; i++) {
            model_thread_bound(threads[i],
                               (uint64_t)(at + b->batch) * 4 * b->threads);
        }
        model_run(m, (uint64_t)(at + b->batch) * 4 * b->threads);
        spent += now() - begin;
    }
    model_flush(m);
    decoder_flush(&decoder);
    if (model_counts(m).damaged || model_counts(m).late) {
        abort();
    }
    model_close(m);
    free(threads);
    return spent;
}

int main(int argc, char **argv)
{
    struct bench b = {
        .threads = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 4,
        .calls = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 0) : 500000,
    };
    double total;
    double best[2] = { 1e9, 1e9 };

    if (b.threads == 0 || b.threads > TOGETHER) {
        fprintf(stderr, "reader: 1 to %d threads\n", TOGETHER);
        return 1;
    }
    b.batch = TOGETHER / b.threads < BATCH ? TOGETHER / b.threads : BATCH;
    b.calls = (b.calls + b.batch - 1) / b.batch * b.batch;
    b.bytes = malloc((size_t)b.batch * PAIR_SIZE);
    if (!b.bytes) {
        return 1;
    }
    make_batch(&b);
    for (int i = 0; i < REPEATS; i++) {
        for (int text_too = 0; text_too < 2; text_too++) {
            double spent = run(&b, text_too);

            best[text_too] = spent < best[text_too] ? spent : best[text_too];
        }
    }
    total = (double)b.threads * b.calls;
    if (b.told != (uint64_t)total * REPEATS || b.lines == 0) {
        fprintf(stderr, "reader: calls were lost\n");
        return 1;
    }
    printf("records_to_memory %.2f M/s\n", total * RECORDS / best[0] / 1e6);
    printf("text_to_nothing %.2f M lines/s\n",
           (double)b.lines / REPEATS / best[1] / 1e6);
    free(b.bytes);
    return 0;
}
