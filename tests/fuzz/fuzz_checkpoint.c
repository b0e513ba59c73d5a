/* SPDX-License-Identifier: MIT */
/*
 * fuzz_checkpoint - a checkpoint that anybody may have written.
 *
 * The first byte says how. Bit 0 clear: the rest is a checkpoint. Set: the next
 * byte is a number of changes, of three bytes each, a place and a value; what
 * follows are records, of which a model makes a checkpoint, which is then
 * changed so. (That stays right when checkpoints look otherwise.)
 *
 * Whatever comes, it is none, and the model is empty; or a model that is saved
 * as what is loaded as the same, goes on, and is over with nothing left, all
 * lines in the grammar (unit/trace.h insists).
 */
#include "fuzz/fuzz.h"
#include "unit/trace.h"

#define CHANGES_MOST 32

static struct trace *open_trace(void)
{
    static const struct text_options options = { .always_pid = true,
                                                 .handle_detail = true,
                                                 .took = true };
    static const struct model_config config = { .queue_bytes = 16384,
                                                .hold = 1000,
                                                .memory_total = 32768 };

    return trace_open_with(MODE_PATCHED, &options, &config, NULL);
}

/* A checkpoint of a model that was fed these. */
static uint8_t *make(const uint8_t *records, size_t size, size_t *made)
{
    struct journal_answer answer = { .number_known = true };
    struct trace *t = open_trace();
    struct model_thread *a = add_thread(t, 36);
    struct model_thread *b = add_thread(t, 44);
    size_t half = size / 16 * 8;
    uint8_t *bytes;

    handles_add(t->p->handles, 0x40, STR("File"), STR("\\??\\C:\\a"),
                STR("C:\\a"), true, 1);
    handles_add(t->p->handles, 0x44, STR("Process"), STR("40 x.exe"), STR(""),
                true, 1);
    add_process(t, 40, MODE_ASKED);
    model_feed(a, records, half, 1 << 20);
    tell_answer(a, &answer);
    model_run(t->m, 1 << 20);
    model_feed(b, records + half, size - half, 1 << 20);
    tell_lost_of(t->p, LOST_FULL, 3, 1 << 21);
    bytes = model_save(t->m, made);
    MUST(bytes != NULL);
    trace_close(t);
    return bytes;
}

/* In a block of its exact size. */
static uint8_t *copy(const uint8_t *bytes, size_t size)
{
    uint8_t *p = malloc(size > 0 ? size : 1);

    MUST(p != NULL);
    if (size > 0) {
        memcpy(p, bytes, size);
    }
    return p;
}

static void go_on(struct trace *t)
{
    struct chunk c = { .size = 0 };
    size_t size;
    size_t again;
    uint8_t *first = model_save(t->m, &size);
    uint8_t *second;

    MUST(first != NULL && model_load(t->m, first, size));
    second = model_save(t->m, &again);
    MUST(second != NULL && again == size && memcmp(first, second, size) == 0);
    free(first);
    free(second);
    MUST(model_tell_open(t->m));
    for (struct model_thread *thread = model_thread_after(t->m, NULL); thread;
         thread = model_thread_after(t->m, thread)) {
        chunk_entry(&c, 1, N_CLOSE, STACK, 0x100, 0x40, 0, 0);
        chunk_return(&c, 2, N_CLOSE, STACK, 0x100, 0);
        model_feed(thread, c.bytes, c.size, UINT64_MAX);
        model_thread_bound(thread, 1 << 20);
        c.size = 0;
    }
    model_run(t->m, 1 << 20);
    told(t);
    MUST(model_counts(t->m).queued == 0);
    MUST(model_counts(t->m).memory <= 32768);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    size_t changes = 0;
    size_t made;
    uint8_t *mine;
    struct trace *t;

    if (size < 2) {
        return 0;
    }
    if (bytes[0] & 1) {
        changes = bytes[1] % CHANGES_MOST;
        if (size < 2 + 3 * changes) {
            return 0;
        }
        mine = make(bytes + 2 + 3 * changes, size - 2 - 3 * changes, &made);
        for (size_t i = 0; i < changes; i++) {
            const uint8_t *change = bytes + 2 + 3 * i;

            mine[(change[0] | (size_t)change[1] << 8) % made] = change[2];
        }
    } else {
        made = size - 1;
        mine = copy(bytes + 1, made);
    }
    t = open_trace();
    if (model_load(t->m, mine, made)) {
        MUST(changes > 0 || !(bytes[0] & 1) || model_thread_after(t->m, NULL));
        go_on(t);
    } else {
        MUST(!(bytes[0] & 1) || changes > 0);
        MUST(!model_process_after(t->m, NULL));
        MUST(!model_thread_after(t->m, NULL));
        MUST(model_counts(t->m).queued == 0);
    }
    free(mine);
    trace_close(t);
    return 0;
}
