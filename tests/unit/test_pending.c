/* SPDX-License-Identifier: MIT */
/*
 * test_pending - calls that return STATUS_PENDING and are over later:
 * model/pending.c, model/pair.c, and how decode/decode.c tells of them.
 */
#include "unit/trace.h"

#include "unit/check.h"

#define PENDING 0x103
#define CANCELLED 0xc0000120
#define BLOCK 0x12fa90ull
#define BUFFER 0x1f0000ull

static struct chunk c;

/* NtReadFile of `size` bytes that returns STATUS_PENDING at `us` + 1. */
static void chunk_pending(uint64_t us, uint64_t block, uint64_t size)
{
    const uint64_t args[] = { 0x50, 0x54, 0, 0, block, BUFFER, size, 0, 0 };

    chunk_call(&c, us, N_READ_FILE, 0x100, COUNT_OF(args), args);
    chunk_return(&c, us + 1, N_READ_FILE, STACK, 0x100, PENDING);
}

#define PENDING_LINE                                                    \
    "32.36 NtReadFile(0x50, 0x54, NULL, NULL, 0x12fa90, 0x1f0000, 64, " \
    "NULL, NULL) = 0x103 STATUS_PENDING\n"

static void what_it_has_filled_is_shown_when_it_is_over(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);
    struct model_thread *b = add_thread(t, 44);

    chunk_pending(10, BLOCK, 64);
    feed(a, &c);
    /* Another thread finds out, and another call of the first one comes in
     * between. */
    chunk_entry(&c, 20, N_CLOSE, STACK, 0x80, 0x58, 0, 0);
    chunk_return(&c, 21, N_CLOSE, STACK, 0x80, 0);
    feed(a, &c);
    chunk_data(&c, 30, N_READ_FILE, 0x40, RECORD_AT_COMPLETION, 0x20000, BUFFER,
               "hello", 5);
    chunk_completion(&c, 30, N_READ_FILE, 0x40, 11, 36, BLOCK, 0, 5);
    feed(b, &c);
    CHECK_STR(told(t),
              STR(PENDING_LINE
                  "32.36 NtClose(0x58) = 0\n"
                  "32.44 --- COMPLETION STATUS_SUCCESS {Call=NtReadFile, "
                  "FileHandle=0x50, IoStatusBlock=0x12fa90, "
                  "Information=5, "
                  "Buffer=b\"hello\"} ---\n"));
    trace_close(t);
}

static void what_has_failed_has_filled_nothing(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);

    chunk_pending(10, BLOCK, 64);
    chunk_data(&c, 30, N_READ_FILE, 0x40, RECORD_AT_COMPLETION, 0x20000, BUFFER,
               "stale", 5);
    chunk_completion(&c, 30, N_READ_FILE, 0x40, 11, 36, BLOCK, CANCELLED, 0);
    feed(a, &c);
    CHECK_STR(told(t),
              STR(PENDING_LINE "32.36 --- COMPLETION STATUS_CANCELLED "
                               "{Call=NtReadFile, FileHandle=0x50, "
                               "IoStatusBlock=0x12fa90, Information=0} ---\n"));
    trace_close(t);
}

/* Data of another call, and data of what was not copied, are not its own. */
static void data_of_others_are_not_its_own(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);

    chunk_pending(10, BLOCK, 64);
    chunk_data(&c, 20, N_READ_FILE, 0x40, RECORD_AT_RETURN, 0x20000, BUFFER,
               "first", 5);
    chunk_completion(&c, 30, N_READ_FILE, 0x40, 11, 36, BLOCK, 0, 5);
    feed(a, &c);
    CHECK_STR(told(t),
              STR(PENDING_LINE "32.36 --- COMPLETION STATUS_SUCCESS "
                               "{Call=NtReadFile, FileHandle=0x50, "
                               "IoStatusBlock=0x12fa90, Information=5} ---\n"));
    trace_close(t);
}

static void of_a_call_that_is_not_known_there_is_no_line(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);

    chunk_pending(10, BLOCK, 64);
    chunk_completion(&c, 30, N_READ_FILE, 0x40, 12, 36, BLOCK, 0, 5);
    chunk_completion(&c, 31, N_READ_FILE, 0x40, 11, 44, BLOCK, 0, 5);
    /* Another block, another call: somebody has written over the table. */
    chunk_completion(&c, 32, N_READ_FILE, 0x40, 11, 36, BLOCK + 8, 0, 5);
    feed(a, &c);
    chunk_pending(40, BLOCK, 64);
    chunk_completion(&c, 50, N_CONTROL, 0x40, 41, 36, BLOCK, 0, 5);
    /* Twice. */
    chunk_pending(60, BLOCK, 64);
    chunk_completion(&c, 70, N_READ_FILE, 0x40, 61, 36, BLOCK, CANCELLED, 0);
    chunk_completion(&c, 71, N_READ_FILE, 0x40, 61, 36, BLOCK, CANCELLED, 0);
    feed(a, &c);
    CHECK_STR(told(t), STR(PENDING_LINE PENDING_LINE PENDING_LINE
                           "32.36 --- COMPLETION STATUS_CANCELLED "
                           "{Call=NtReadFile, FileHandle=0x50, "
                           "IoStatusBlock=0x12fa90, Information=0} ---\n"));
    CHECK_U64(model_counts(t->m).damaged, 0);
    trace_close(t);
}

static void a_record_that_is_too_short_is_none(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);

    chunk_head(&c, COMPLETION_SIZE - 8, RECORD_COMPLETION, 0, N_READ_FILE, 9);
    while (c.size < COMPLETION_SIZE - 8) {
        chunk_u64(&c, 0);
    }
    feed(a, &c);
    told(t);
    CHECK_U64(model_counts(t->m).damaged, 1);
    trace_close(t);
}

/* However many never come to an end, what is kept of them is bounded. */
static void the_oldest_are_given_up(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);
    size_t most = 0;
    str line, rest;
    int ends = 0;

    for (uint64_t i = 0; i < 400; i++) {
        chunk_data(&c, 10 * i, N_READ_FILE, 0x100, 0, 0, 0x7000, "in", 2);
        chunk_pending(10 * i, BLOCK + 16 * i, 64);
        feed(a, &c);
        told(t);
        most =
            model_counts(t->m).memory > most ? model_counts(t->m).memory : most;
        if (i == 200) {
            CHECK(most > 0);
            most = 0;
        }
    }
    CHECK(model_counts(t->m).memory < 128 * 64 + 8192);
    for (uint64_t i = 0; i < 400; i++) {
        chunk_completion(&c, 5000 + i, N_READ_FILE, 0x40, 10 * i + 1, 36,
                         BLOCK + 16 * i, 0, 5);
        feed(a, &c);
    }
    rest = told(t);
    while (str_cut(rest, '\n', &line, &rest)) {
        ends += str_starts(line, STR("32.36 --- COMPLETION"));
    }
    CHECK_U64((uint64_t)ends, 128);
    trace_close(t);
}

int main(void)
{
    const struct test tests[] = {
        TEST(what_it_has_filled_is_shown_when_it_is_over),
        TEST(what_has_failed_has_filled_nothing),
        TEST(data_of_others_are_not_its_own),
        TEST(of_a_call_that_is_not_known_there_is_no_line),
        TEST(a_record_that_is_too_short_is_none),
        TEST(the_oldest_are_given_up),
    };

    return check_run(tests, COUNT_OF(tests));
}
