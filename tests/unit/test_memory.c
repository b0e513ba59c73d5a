/* SPDX-License-Identifier: MIT */
/*
 * test_memory - nt/memory.c: bytes by address, out of pieces; and
 * model/pair.c: which piece belongs to which call.
 */
#include "unit/trace.h"
#include "wire/capture.h"

#include "unit/check.h"

static const uint8_t abcd[] = "abcd";
static const uint8_t efgh[] = "efgh";

static void reads_across_pieces_that_touch(void)
{
    const struct memory_piece pieces[] = {
        { 0x1004, 4, efgh },
        { 0x1000, 4, abcd },
    };
    struct memory m = { pieces, COUNT_OF(pieces) };
    char got[8] = "";

    CHECK_U64(memory_read(&m, 0x1002, got, 4), 4);
    CHECK_STR(((str){ got, 4 }), STR("cdef"));
    CHECK_U64(memory_read(&m, 0x1000, got, 8), 8);
    CHECK_STR(((str){ got, 8 }), STR("abcdefgh"));
}

static void stops_where_nothing_is_known(void)
{
    const struct memory_piece pieces[] = { { 0x1000, 4, abcd } };
    struct memory m = { pieces, 1 };
    struct memory none = { NULL, 0 };
    char got[8] = "";

    CHECK_U64(memory_read(&m, 0x1002, got, 8), 2);
    CHECK_U64(memory_read(&m, 0xfff, got, 8), 0);
    CHECK_U64(memory_read(&m, 0x1004, got, 8), 0);
    CHECK_U64(memory_read(&m, 0x1000, NULL, 8), 4);
    CHECK_U64(memory_read(&m, 0x1000, got, 0), 0);
    CHECK_U64(memory_read(&none, 0, got, 8), 0);
}

static void numbers_are_whole_or_not_there(void)
{
    static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    const struct memory_piece pieces[] = { { 0x1000, 8, bytes } };
    struct memory m = { pieces, 1 };
    uint16_t n16 = 9;
    uint32_t n32 = 9;
    uint64_t n64 = 9;

    CHECK(memory_u16(&m, 0x1006, &n16));
    CHECK_U64(n16, 0x807);
    CHECK(memory_u32(&m, 0x1001, &n32));
    CHECK_U64(n32, 0x5040302);
    CHECK(memory_u64(&m, 0x1000, &n64));
    CHECK_U64(n64, 0x807060504030201);
    CHECK(!memory_u16(&m, 0x1007, &n16));
    CHECK(!memory_u32(&m, 0x1005, &n32));
    CHECK(!memory_u64(&m, 0x1001, &n64));
    CHECK_U64(n16, 0x807);
}

static void addresses_may_wrap(void)
{
    const struct memory_piece pieces[] = {
        { UINT64_MAX - 1, 4, abcd },
        { 2, 4, efgh },
        { UINT64_MAX, 0, abcd },
    };
    struct memory m = { pieces, COUNT_OF(pieces) };
    char got[8] = "";

    CHECK_U64(memory_read(&m, UINT64_MAX, got, 8), 7);
    CHECK_STR(((str){ got, 7 }), STR("bcdefgh"));
    CHECK_U64(memory_read(&m, 6, got, 8), 0);
}

/* --- Which call ------------------------------------------------------- */

struct heard {
    char text[4096];
    struct buf b;
};

static void add_memory(struct buf *b, const char *what, const struct memory *m)
{
    for (uint32_t i = 0; i < m->count; i++) {
        const struct memory_piece *p = &m->pieces[i];
        char bytes[64];
        struct memory one = { p, 1 };
        size_t size = memory_read(&one, p->address, bytes, sizeof(bytes));

        buf_addf(b, " %s %llx=%.*s", what, (unsigned long long)p->address,
                 (int)size, bytes);
    }
}

static void hear(void *ctx, const struct call *call, const char *what)
{
    struct heard *h = ctx;

    buf_addf(&h->b, "%s %llu", what, (unsigned long long)call->id);
    add_memory(&h->b, "before", &call->before);
    add_memory(&h->b, "after", &call->after);
    if (call->stack.size > 0) {
        const struct memory stack = { &call->stack, 1 };

        buf_addf(&h->b, " %u bytes", (unsigned)call->stack.size);
        add_memory(&h->b, "of stack", &stack);
    }
    buf_add_char(&h->b, '\n');
}

static void hear_enter(void *ctx, const struct call *call)
{
    hear(ctx, call, "enter");
}

static void hear_leave(void *ctx, const struct call *call)
{
    hear(ctx, call, "leave");
}

static void hear_transition(void *ctx, const struct transition_told *t)
{
    (void)ctx;
    (void)t;
}

static void hear_notice(void *ctx, const struct notice *n)
{
    (void)ctx;
    (void)n;
}

static struct heard heard;

static struct trace *listen_to(const struct model_config *config)
{
    struct text_options options = { .always_pid = true };
    struct model_out out = {
        .ctx = &heard,
        .enter = hear_enter,
        .leave = hear_leave,
        .transition = hear_transition,
        .notice = hear_notice,
    };

    heard.b = BUF_OVER(heard.text);
    return trace_open_with(MODE_PATCHED, &options, config, &out);
}

static struct chunk c;

/* Feeds `c` to one thread, and compares what is heard. */
static void gives(str want, const char *at)
{
    struct model_config config = { .hold = 100000 * TICKS };
    struct trace *t = listen_to(&config);
    struct model_thread *thread = add_thread(t, 36);

    feed(thread, &c);
    model_flush(t->m);
    check_str(buf_str(&heard.b), want, at);
    tell_thread_end(thread, 0, 1000 * TICKS);
    model_flush(t->m);
    CHECK_U64(model_counts(t->m).memory, 0);
    CHECK_U64(model_counts(t->m).late, 0);
    trace_close(t);
}

#define GIVES(want) gives(STR(want), CHECK_AT)
#define AT_RETURN RECORD_AT_RETURN

static void pieces_come_with_their_entry_and_their_return(void)
{
    chunk_data(&c, 1, N_CLOSE, 0x100, 0, 0, 0x5000, "in", 2);
    chunk_data(&c, 1, N_CLOSE, 0x100, 0, 1, 0x6000, "too", 3);
    chunk_entry(&c, 2, N_CLOSE, STACK, 0x100, 1, 2, 0);
    chunk_data(&c, 3, N_CLOSE, 0x100, AT_RETURN, 2, 0x5000, "out", 3);
    chunk_return(&c, 4, N_CLOSE, STACK, 0x100, 0);
    GIVES("enter 1 before 5000=in before 6000=too\n"
          "leave 1 before 5000=in before 6000=too after 5000=out\n");
}

static void pieces_that_touch_are_one(void)
{
    chunk_data(&c, 1, N_CLOSE, 0x100, 0, 0, 0x5000, "abc", 3);
    chunk_data(&c, 1, N_CLOSE, 0x100, 0, 0, 0x5003, "def", 3);
    chunk_entry(&c, 2, N_CLOSE, STACK, 0x100, 1, 2, 0);
    GIVES("enter 1 before 5000=abcdef\n");
}

/* Registers, and `size` bytes of stack, in one record. */
static void chunk_stack(uint64_t us, uint64_t below, uint64_t from, uint32_t op,
                        char first, uint32_t size)
{
    char bytes[200];

    memset(bytes, first, sizeof(bytes));
    chunk_data(&c, us, N_CLOSE, below, RECORD_STACK, op, from, bytes, size);
}

static void the_stack_is_no_memory_of_arguments(void)
{
    const uint64_t from = STACK - 0x100 - STACK_REGISTERS;

    /* What touches it is apart from it as well. */
    chunk_data(&c, 1, N_CLOSE, 0x100, 0, 0, from - 2, "in", 2);
    chunk_stack(1, 0x100, from, STACK_OP, 'r', 64);
    chunk_stack(1, 0x100, from + 64, STACK_OP, 's', 16);
    chunk_entry(&c, 2, N_CLOSE, STACK, 0x100, 1, 2, 0);
    chunk_data(&c, 3, N_CLOSE, 0x100, AT_RETURN, 2, 0x5000, "out", 3);
    chunk_return(&c, 4, N_CLOSE, STACK, 0x100, 0);
    GIVES("enter 1 before 22febe=in 80 bytes of stack 22fec0="
          "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr\n"
          "leave 1 before 22febe=in after 5000=out 80 bytes of stack 22fec0="
          "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr\n");
}

static void a_stack_that_is_none_is_forgotten(void)
{
    const uint64_t from = STACK - 0x100 - STACK_REGISTERS;

    /* Not where RSP is; too short; of another call; with memory behind it. */
    chunk_stack(1, 0x100, from + 8, STACK_OP, 'x', 64);
    chunk_entry(&c, 2, N_CLOSE, STACK, 0x100, 1, 2, 0);
    GIVES("enter 1\n");
    chunk_stack(1, 0x100, from, STACK_OP, 'x', 56);
    chunk_entry(&c, 2, N_CLOSE, STACK, 0x100, 1, 2, 0);
    GIVES("enter 1\n");
    chunk_stack(1, 0x108, from - 8, STACK_OP, 'x', 64);
    chunk_entry(&c, 2, N_CLOSE, STACK, 0x100, 1, 2, 0);
    GIVES("enter 1\n");
    chunk_stack(1, 0x100, from, 0, 'x', 64);
    chunk_data(&c, 1, N_CLOSE, 0x100, 0, 1 << 16, 0x5000, "in", 2);
    chunk_entry(&c, 2, N_CLOSE, STACK, 0x100, 1, 2, 0);
    GIVES("enter 1 before 5000=in\n");
}

static void a_piece_of_another_call_is_forgotten(void)
{
    static const struct {
        const char *why;
        uint32_t number;
        uint64_t below;
        uint32_t flags;
    } cases[] = {
        { "another RSP", N_CLOSE, 0x108, 0 },
        { "another number", N_YIELD, 0x100, 0 },
        { "for a return", N_CLOSE, 0x100, AT_RETURN },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        printf("     %s\n", cases[i].why);
        chunk_data(&c, 1, cases[i].number, cases[i].below, cases[i].flags, 0,
                   0x5000, "no", 2);
        chunk_entry(&c, 2, N_CLOSE, STACK, 0x100, 1, 2, 0);
        chunk_return(&c, 4, N_CLOSE, STACK, 0x100, 0);
        GIVES("enter 1\nleave 1\n");
    }
}

static void what_comes_in_between_makes_it_forgotten(void)
{
    const uint64_t words[] = { 0, 0 };

    chunk_data(&c, 1, N_CLOSE, 0x100, 0, 0, 0x5000, "no", 2);
    chunk_transition(&c, 2, TRANSITION_CALLBACK, 0x300, 0, 2, words);
    chunk_entry(&c, 3, N_CLOSE, STACK, 0x100, 1, 2, 0);
    chunk_entry(&c, 4, N_YIELD, STACK, 0x200, 1, 2, 0);
    chunk_data(&c, 5, N_CLOSE, 0x100, AT_RETURN, 0, 0x5000, "no", 2);
    chunk_return(&c, 6, N_YIELD, STACK, 0x200, 0);
    chunk_return(&c, 7, N_CLOSE, STACK, 0x100, 0);
    GIVES("enter 1\nenter 2\nleave 2\nleave 1\n");
}

/* The entry of the first one was lost, the operations begin again. */
static void operations_that_begin_again_are_another_call(void)
{
    for (uint32_t again = 0; again <= 1; again++) {
        chunk_data(&c, 1, N_CLOSE, 0x100, 0, 0, 0x5000, "no", 2);
        chunk_data(&c, 1, N_CLOSE, 0x100, 0, 1, 0x6000, "no", 2);
        chunk_data(&c, 2, N_CLOSE, 0x100, 0, again, 0x7000, "yes", 3);
        chunk_entry(&c, 3, N_CLOSE, STACK, 0x100, 1, 2, 0);
        GIVES("enter 1 before 7000=yes\n");
    }
}

static void a_loss_makes_it_forgotten(void)
{
    struct model_config config = { .hold = 100000 * TICKS };
    struct trace *t = listen_to(&config);
    struct model_thread *thread = add_thread(t, 36);

    chunk_data(&c, 1, N_CLOSE, 0x100, 0, 0, 0x5000, "no", 2);
    feed(thread, &c);
    tell_thread_lost(thread, LOST_FULL, 1);
    chunk_entry(&c, 2, N_CLOSE, STACK, 0x100, 1, 2, 0);
    feed(thread, &c);
    model_flush(t->m);
    CHECK_STR(buf_str(&heard.b), STR("enter 1\n"));
    trace_close(t);
}

static void data_that_says_too_much_is_damaged(void)
{
    struct model_config config = { .hold = 100000 * TICKS };
    struct trace *t = listen_to(&config);
    struct model_thread *thread = add_thread(t, 36);

    chunk_data(&c, 1, N_CLOSE, 0x100, 0, 0, 0x5000, "12345678", 8);
    c.bytes[DATA_LENGTH] = 9;
    chunk_entry(&c, 2, N_CLOSE, STACK, 0x100, 1, 2, 0);
    feed(thread, &c);
    model_flush(t->m);
    CHECK_STR(buf_str(&heard.b), STR(""));
    CHECK_U64(model_counts(t->m).damaged, 1);
    trace_close(t);
}

static void what_is_kept_is_bounded_and_counted(void)
{
    struct model_config config = { .hold = 100000 * TICKS,
                                   .memory_total = 16384 };
    struct trace *t = listen_to(&config);
    struct model_thread *thread = add_thread(t, 36);
    static const uint8_t zeros[1000];

    for (uint32_t i = 0; i < 100; i++) {
        chunk_data(&c, i, N_CLOSE, 0x100 + 16 * i, 0, 0, 0x5000, zeros, 1000);
        chunk_entry(&c, i, N_CLOSE, STACK, 0x100 + 16 * i, 1, 2, 0);
        feed(thread, &c);
        model_flush(t->m);
        CHECK(model_counts(t->m).memory <= 16384);
    }
    CHECK(model_counts(t->m).memory > 8192);
    CHECK(model_counts(t->m).data_lost > 50);
    tell_thread_end(thread, 0, 1000 * TICKS);
    model_flush(t->m);
    CHECK_U64(model_counts(t->m).memory, 0);
    trace_close(t);
}

/* Open calls given up at OPEN_MAX give their memory back, too. */
static void calls_that_are_given_up_give_it_back(void)
{
    struct model_config config = { .hold = 100000 * TICKS };
    struct trace *t = listen_to(&config);
    struct model_thread *thread = add_thread(t, 36);

    for (uint32_t i = 0; i < OPEN_MAX + 10; i++) {
        chunk_data(&c, i, N_CLOSE, 0x100 + 16 * i, 0, 0, 0x5000, "some", 4);
        chunk_entry(&c, i, N_CLOSE, STACK, 0x100 + 16 * i, 1, 2, 0);
        feed(thread, &c);
        model_flush(t->m);
    }
    CHECK_U64(model_counts(t->m).dropped, OPEN_MAX / 4);
    trace_close(t);
}

#define PIECES (CAPTURE_OPS_MAX + CAPTURE_EACH_MAX)

static uint32_t pieces_told;

static void count_pieces(void *ctx, const struct call *call)
{
    (void)ctx;
    pieces_told = call->before.count;
}

/* As many as an agent makes, with the elements of arrays, of two chunks each: room for the list is found
 * while a piece goes on. What is refused takes nothing else with it. */
static void all_pieces_of_a_call_are_kept_and_no_more(void)
{
    struct text_options options = { .always_pid = true };
    struct model_config config = { .hold = 100000 * TICKS };
    struct model_out out = {
        .enter = count_pieces,
        .leave = count_pieces,
        .transition = hear_transition,
        .notice = hear_notice,
    };
    struct trace *t = trace_open_with(MODE_PATCHED, &options, &config, &out);
    struct model_thread *thread = add_thread(t, 36);

    for (uint32_t i = 0; i < PIECES + 3; i++) {
        chunk_data(&c, 1, N_CLOSE, 0x100, 0, i, 0x5000 + 0x100 * i, "abc", 3);
        chunk_data(&c, 1, N_CLOSE, 0x100, 0, i, 0x5003 + 0x100 * i, "def", 3);
        feed(thread, &c);
    }
    chunk_entry(&c, 2, N_CLOSE, STACK, 0x100, 0x54, 0, 0);
    feed(thread, &c);
    model_flush(t->m);
    CHECK_U64(pieces_told, PIECES);
    CHECK_U64(model_counts(t->m).data_lost, 6);
    trace_close(t);
}

int main(void)
{
    const struct test tests[] = {
        TEST(reads_across_pieces_that_touch),
        TEST(stops_where_nothing_is_known),
        TEST(numbers_are_whole_or_not_there),
        TEST(addresses_may_wrap),
        TEST(pieces_come_with_their_entry_and_their_return),
        TEST(pieces_that_touch_are_one),
        TEST(the_stack_is_no_memory_of_arguments),
        TEST(a_stack_that_is_none_is_forgotten),
        TEST(all_pieces_of_a_call_are_kept_and_no_more),
        TEST(a_piece_of_another_call_is_forgotten),
        TEST(what_comes_in_between_makes_it_forgotten),
        TEST(operations_that_begin_again_are_another_call),
        TEST(a_loss_makes_it_forgotten),
        TEST(data_that_says_too_much_is_damaged),
        TEST(what_is_kept_is_bounded_and_counted),
        TEST(calls_that_are_given_up_give_it_back),
    };

    return check_run(tests, COUNT_OF(tests));
}
