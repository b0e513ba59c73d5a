/* SPDX-License-Identifier: MIT */
/*
 * fuzz_model - the model, decoder and text over bytes that a target wrote.
 *
 * The first byte says how; the rest is fed in two halves, to two threads.
 * Whatever comes, only records come out of it that wire/walk.h promises,
 * nothing stays in a queue, captured memory is bounded and all lines are in
 * the grammar (unit/trace.h insists).
 */
#include "fuzz/fuzz.h"
#include "unit/trace.h"
#include "wire/walk.h"

/* What walk.h promises, said once more. */
static void walk_all(const uint8_t *bytes, size_t size)
{
    struct walk w = walk_over(bytes, size);
    const uint8_t *at = bytes;
    struct walked r;

    while (walk_next(&w, &r)) {
        uint32_t more = r.head.flags & RECORD_MORE_MASK;

        MUST(r.bytes == at);
        MUST(r.head.size >= 8 && r.head.size % 8 == 0);
        MUST(r.head.size <= size - (size_t)(at - bytes));
        MUST(r.head.kind >= RECORD_PAD && r.head.kind <= RECORD_COMPLETION);
        MUST(r.head.kind == RECORD_PAD || r.head.size <= RECORD_MAX);
        if (r.head.kind == RECORD_ENTRY) {
            MUST(r.head.size >= ENTRY_SIZE);
            MUST((r.head.flags & RECORD_ARGS_LOST) != 0 ||
                 (more <= RECORD_MORE_MAX &&
                  r.head.size >= ENTRY_SIZE + 8 * more));
        } else if (r.head.kind == RECORD_DATA) {
            uint32_t length;

            MUST(r.head.size >= DATA_BYTES);
            memcpy(&length, at + DATA_LENGTH, sizeof(length));
            MUST(length <= r.head.size - DATA_BYTES);
        } else if (r.head.kind == RECORD_COMPLETION) {
            MUST(r.head.size >= COMPLETION_SIZE);
        } else if (r.head.kind != RECORD_PAD) {
            MUST(r.head.size >= RETURN_SIZE);
        }
        at += r.head.size;
    }
    MUST(w.damaged == (at != bytes + size));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct text_options options = { .always_pid = true };
    struct model_config config = { .queue_bytes = 16384,
                                   .hold = 1000,
                                   .memory_total = 32768 };
    struct journal_answer answer = { .number_known = true };
    struct model_thread *threads[2];
    struct trace *t;
    size_t half;

    if (size < 1) {
        return 0;
    }
    half = (size - 1) / 16 * 8;
    walk_all(bytes + 1, size - 1);
    options.took = bytes[0] & 4;
    options.number = bytes[0] & 8;
    answer.number = bytes[0];
    t = trace_open_with((enum model_mode)((bytes[0] & 3) % 3), &options,
                        &config, NULL);
    threads[0] = add_thread(t, 36);
    threads[1] = add_thread(t, 44);
    model_feed(threads[0], bytes + 1, half, 1 << 20);
    tell_answer(threads[0], &answer);
    model_feed(threads[1], bytes + 1 + half, size - 1 - half, 1 << 20);
    if (bytes[0] & 64) {
        model_thread_bound(threads[1], 1 << 19);
    }
    if (bytes[0] & 128) {
        tell_thread_lost(threads[0], LOST_FULL, 3);
    }
    model_run(t->m, 1 << 20);
    if (bytes[0] & 16) {
        tell_thread_end(threads[1], 5, 0);
    }
    if (bytes[0] & 32) {
        tell_process_over(t->p, 0xc0000005, 0);
    }
    told(t);
    MUST(model_counts(t->m).queued == 0);
    MUST(model_counts(t->m).memory <= 32768);
    trace_close(t);
    return 0;
}
