/* SPDX-License-Identifier: MIT */
/*
 * test_text - decode/decode.c and format/text.c: how lines look. The lines
 * are those of docs/output.md. test_json.c has each kind of value.
 */
#include "unit/trace.h"

#include "unit/sinks.h"

#include "unit/check.h"

static struct chunk c;

static struct trace *open_as(const struct text_options *options)
{
    struct model_config config = { 0 };

    return trace_open_with(MODE_PATCHED, options, &config, NULL);
}

/* A second of two threads, shown as `options` say. */
static void shown_as(struct text_options options, str want, const char *at)
{
    struct trace *t = open_as(&options);
    struct model_thread *a = add_thread(t, 36);
    struct model_thread *b = add_thread(t, 44);

    chunk_entry(&c, 441799, N_CLOSE, STACK, 0x100, 0x4c, 0, 0);
    chunk_return(&c, 441820, N_CLOSE, STACK, 0x100, 0);
    chunk_return_at(&c, 500000, 0x1f0014, STACK, 0x100, 0, 0);
    feed(a, &c);
    chunk_entry(&c, 450000, N_YIELD, STACK, 0x100, 0, 0, 0);
    chunk_return(&c, 2000000, N_YIELD, STACK, 0x100, 0x40000024);
    feed(b, &c);
    tell_thread_end(a, 3, 2000001 * TICKS);
    check_str(told(t), want, at);
    trace_close(t);
}

#define SHOWN_AS(want, ...) \
    shown_as((struct text_options){ __VA_ARGS__ }, STR(want), CHECK_AT)

static void on_a_screen_threads_show_from_the_second_on(void)
{
    SHOWN_AS("NtClose(0x4c) = 0\n"
             "[pid 32.44] NtYieldExecution( <unfinished ...>\n"
             "[pid 32.36] syscall_?(?) = 0 "
             "(DIRECT: private 0x1f0000+0x14)\n"
             "[pid 32.44] <... NtYieldExecution resumed>) = 0x40000024 "
             "STATUS_NO_YIELD_PERFORMED\n"
             "[pid 32.36] +++ thread ended with 3 +++\n",
             .always_pid = false);
}

static void in_a_file_every_line_begins_with_its_thread(void)
{
    SHOWN_AS("32.36 NtClose(0x4c) = 0\n"
             "32.44 NtYieldExecution( <unfinished ...>\n"
             "32.36 syscall_?(?) = 0 "
             "(DIRECT: private 0x1f0000+0x14)\n"
             "32.44 <... NtYieldExecution resumed>) = 0x40000024 "
             "STATUS_NO_YIELD_PERFORMED\n"
             "32.36 +++ thread ended with 3 +++\n",
             .always_pid = true);
}

static void everything_that_can_lead_a_line_does(void)
{
    SHOWN_AS("32.36 06:54:00.441799 (+0.000000) [0x0000] [0000000140001000] "
             "NtClose(Handle=0x4c) = 0 <0.000021>\n"
             "32.44 06:54:00.450000 (+0.008201) [0x0001] [0000000140001000] "
             "NtYieldExecution( <unfinished ...>\n"
             "32.36 06:54:00.500000 (+0.050000) [00000000001f0014] "
             "syscall_?(?) = 0 (DIRECT: private 0x1f0000+0x14) "
             "<?>\n"
             "32.44 06:54:02.000000 (+1.500000) [0x0001] [0000000140001000] "
             "<... NtYieldExecution resumed>) = 0x40000024 "
             "STATUS_NO_YIELD_PERFORMED <1.550000>\n"
             "32.36 06:54:02.000001 (+0.000001) +++ thread ended with 3 "
             "+++\n",
             .always_pid = true, .when = WHEN_MICROS, .relative = true,
             .number = true, .returns = true, .took = true, .arg_names = true,
             .utc_offset = -3 * 3600);
}

static void times_have_four_forms(void)
{
    static const struct {
        enum text_when when;
        bool relative;
        str want;
    } cases[] = {
        /* clang-format off */
        { WHEN_SECONDS, false, STR_INIT("09:54:00 NtClose(0x4c) = 0\n") },
        { WHEN_MICROS, false,
          STR_INIT("09:54:00.441799 NtClose(0x4c) = 0\n") },
        { WHEN_EPOCH, false,
          STR_INIT("1795341240.441799 NtClose(0x4c) = 0\n") },
        { WHEN_NONE, true, STR_INIT("+0.000000 NtClose(0x4c) = 0\n") },
        /* clang-format on */
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct text_options options = { .when = cases[i].when,
                                        .relative = cases[i].relative };
        struct trace *t = open_as(&options);

        chunk_entry(&c, 441799, N_CLOSE, STACK, 0x100, 0x4c, 0, 0);
        chunk_return(&c, 441820, N_CLOSE, STACK, 0x100, 0);
        feed(add_thread(t, 36), &c);
        CHECK_STR(told(t), cases[i].want);
        trace_close(t);
    }
}

static void an_entry_waits_for_what_comes_next(void)
{
    struct text_options options = { .always_pid = true };
    struct trace *t = open_as(&options);
    struct model_thread *a = add_thread(t, 36);

    chunk_entry(&c, 1, N_CLOSE, STACK, 0x100, 0x4c, 0, 0);
    feed(a, &c);
    model_flush(t->m);
    CHECK_U64(t->size, 0);
    chunk_return(&c, 2, N_CLOSE, STACK, 0x100, 0);
    chunk_entry(&c, 3, N_CLOSE, STACK, 0x100, 0x50, 0, 0);
    feed(a, &c);
    model_flush(t->m);
    CHECK_STR(((str){ t->out, t->size }), STR("32.36 NtClose(0x4c) = 0\n"));
    tell_notice_of(t->p, NOTICE_DETACHED, 4 * TICKS);
    CHECK_STR(told(t), STR("32.36 NtClose(0x4c) = 0\n"
                           "32.36 NtClose(0x50 <unfinished ...>\n"
                           "32.36 +++ detached +++\n"));
    trace_close(t);
}

static void user_callbacks_nest(void)
{
    static const uint64_t words[] = { 0x12f2a0, 2ull << 32 | 88 };
    struct text_options options = { .always_pid = true };
    struct trace *t = open_as(&options);

    chunk_entry(&c, 1, N_MESSAGE, STACK, 0x100, 0x12f300, 0, 0);
    chunk_transition(&c, 2, TRANSITION_CALLBACK, 0x300, 0, 2, words);
    chunk_entry(&c, 3, N_CALLBACK_RETURN, STACK, 0x400, 0x12f0c0, 24, 0);
    chunk_return(&c, 4, N_MESSAGE, STACK, 0x100, 0);
    feed(add_thread(t, 36), &c);
    CHECK_STR(told(t),
              STR("32.36 NtUserDispatchMessage(0x12f300 <unfinished ...>\n"
                  "32.36 --- CALLBACK {Index=2, Input=0x12f2a0, "
                  "InputLength=88} ---\n"
                  "32.36 NtCallbackReturn(0x12f0c0, 24, STATUS_PENDING) = ?\n"
                  "32.36 <... NtUserDispatchMessage resumed>) = 0\n"));
    trace_close(t);
}

static void a_thread_starts_somewhere(void)
{
    static const uint64_t words[] = { 0x1400014c0, 0x7ff4d0000 };
    struct text_options options = { .always_pid = true };
    struct trace *t = open_as(&options);
    struct model_thread *a = add_thread(t, 36);

    chunk_transition(&c, 1, TRANSITION_THREAD_START, 0x28, 0, 2, words);
    chunk_transition(&c, 2, TRANSITION_THREAD_START, 0x28, 0, 0, words);
    feed(a, &c);
    CHECK_STR(told(t), STR("32.36 --- THREAD_START {Routine=demo.exe+0x14c0, "
                           "Parameter=0x7ff4d0000} ---\n"
                           "32.36 --- THREAD_START {Routine=?, Parameter=?} "
                           "---\n"));
    trace_close(t);
}

static void every_transition_lives_without_its_words(void)
{
    static const uint64_t words[TRANSITION_WORDS_MAX] = { 0xc0000005 };

    for (uint32_t kind = 0; kind < TRANSITION_COUNT; kind++) {
        for (uint32_t count = 0; count <= TRANSITION_WORDS_MAX; count++) {
            struct text_options options = { .always_pid = true };
            struct trace *t = open_as(&options);

            chunk_transition(&c, 1, (enum transition)kind, 0x28, 0, count,
                             words);
            feed(add_thread(t, 36), &c);
            CHECK(str_ends(told(t), STR(" ---\n")));
            trace_close(t);
        }
    }
}

static void accesses_have_names(void)
{
    static const struct {
        uint64_t access;
        str want;
    } cases[] = {
        { 0, STR_INIT("read") },
        { 1, STR_INIT("write") },
        { 8, STR_INIT("execute") },
        { 5, STR_INIT("0x5") },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint64_t words[] = { 0xc0000005,      0,   0x140001490, 2,
                             cases[i].access, 0x10 };
        struct text_options options = { .always_pid = true };
        struct trace *t = open_as(&options);
        char room[200];
        struct buf want = BUF_OVER(room);

        chunk_transition(&c, 1, TRANSITION_EXCEPTION, 0x28, 0, 6, words);
        feed(add_thread(t, 36), &c);
        buf_add(&want, STR("32.36 --- EXCEPTION STATUS_ACCESS_VIOLATION "
                           "{Address=demo.exe+0x1490, Access="));
        buf_add(&want, cases[i].want);
        buf_add(&want, STR(", Target=0x10} ---\n"));
        CHECK_STR(told(t), buf_str(&want));
        trace_close(t);
    }
}

/* Names come from the target; no name may end a line or look like another
 * thing. */
static void names_are_escaped(void)
{
    static const struct {
        str name;
        str want;
    } cases[] = {
        /* clang-format off */
        { STR_INIT("a b (1).exe"), STR_INIT("a b (1).exe") },
        { STR_INIT("\xc3\xa4\xe6\x97\xa5.dll"),
          STR_INIT("\xc3\xa4\xe6\x97\xa5.dll") },
        { STR_INIT("a\nb\x1b[31m"), STR_INIT("a^{0A}b^{1B}[31m") },
        { STR_INIT("a\x7f\xc2\x85\xe2\x80\xa8\xe2\x80\xae"),
          STR_INIT("a^{7F}^{85}^{2028}^{202E}") },
        { STR_INIT("\xed\xa0\x80x\xff\xc3"),
          STR_INIT("^{D800}x^{DCFF}^{DCC3}") },
        { STR_INIT("\xc0\x80\xf4\x90\x80\x80"),
          STR_INIT("^{DCC0}^{DC80}^{DCF4}^{DC90}^{DC80}^{DC80}") },
        { STR_INIT("a^b"), STR_INIT("a^^b") },
        { STR_INIT("c++.exe"), STR_INIT("c++.exe") },
        { STR_INIT("a+0x1"), STR_INIT("a^{2B}0x1") },
        { STR_INIT("a, b]}"), STR_INIT("a^{2C} b^{5D}^{7D}") },
        { STR_INIT("?"), STR_INIT("^{3F}") },
        { STR_INIT("private 0x1"), STR_INIT("^{70}rivate 0x1") },
        { STR_INIT("mapped \"x\""), STR_INIT("^{6D}apped \"x\"") },
        { STR_INIT("\"x"), STR_INIT("^{22}x") },
        { STR_INIT(") = 0"), STR_INIT("^{29} = 0") },
        /* clang-format on */
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        static const uint64_t words[] = { 0x150000010, 0 };
        struct text_options options = { .always_pid = true };
        struct trace *t = open_as(&options);
        char room[400];
        struct buf want = BUF_OVER(room);

        CHECK(process_module_add(t->p, 0x150000000, 0x1000, cases[i].name));
        chunk_transition(&c, 1, TRANSITION_THREAD_START, 0x28, 0, 2, words);
        chunk_return_at(&c, 2, 0x150000020, STACK, 0x100, 0, 0);
        feed(add_thread(t, 36), &c);
        buf_add(&want, STR("32.36 --- THREAD_START {Routine="));
        buf_add(&want, cases[i].want);
        buf_add(&want, STR("+0x10, Parameter=0} ---\n32.36 syscall_?(?) = 0 "
                           "(DIRECT: "));
        buf_add(&want, cases[i].want);
        buf_add(&want, STR("+0x20)\n"));
        CHECK_STR(told(t), buf_str(&want));
        trace_close(t);
    }
}

static void the_longest_name_fits_a_line(void)
{
    static const uint64_t words[] = { 0x150000010, 0 };
    struct text_options options = { .always_pid = true };
    struct trace *t = open_as(&options);
    static char name[100000];

    memset(name, 1, sizeof(name));
    CHECK(process_module_add(t->p, 0x150000000, 0x1000,
                             (str){ name, sizeof(name) }));
    chunk_transition(&c, 1, TRANSITION_THREAD_START, 0x28, 0, 2, words);
    feed(add_thread(t, 36), &c);
    CHECK(str_ends(told(t), STR("^{01}+0x10, Parameter=0} ---\n")));
    trace_close(t);
}

/* --- Options ---------------------------------------------------------- */

static void leader_is(struct text_options options, str want, const char *at)
{
    struct wrote w = { 0 };
    struct text t;
    size_t first;
    str rest;

    options.always_pid = true;
    CHECK(text_init(&t, &options, wrote_line, &w));
    sinks_begin(&t.sink);
    t.sink.ops->null(&t.sink);
    sinks_end(&t.sink);
    first = w.size;
    t.have_last = true;
    t.last_ns = sinks_head.ns - 1500000000;
    sinks_begin(&t.sink);
    t.sink.ops->null(&t.sink);
    sinks_end(&t.sink);
    sinks_check_lines(&w, at);
    rest = str_slice(wrote_all(&w), first, w.size);
    check_str(rest, want, at);
    text_close(&t);
    free(w.p);
}

#define LEADER_IS(want, ...) \
    leader_is((struct text_options){ __VA_ARGS__ }, STR(want), CHECK_AT)

static void times_have_any_precision(void)
{
    LEADER_IS("32.36 09:54:00.441 NtX(NULL) = 0\n", .when = WHEN_SECONDS,
              .when_precision = PRECISION_MS);
    LEADER_IS("32.36 09:54:00 NtX(NULL) = 0\n", .when = WHEN_MICROS,
              .when_precision = PRECISION_S);
    LEADER_IS("32.36 09:54:00.441799 NtX(NULL) = 0\n", .when = WHEN_MICROS);
    LEADER_IS("32.36 09:54:00.441799123 (+1.500) NtX(NULL) = 0 <0>\n",
              .when = WHEN_SECONDS, .when_precision = PRECISION_NS,
              .relative = true, .relative_precision = PRECISION_MS,
              .took = true, .took_precision = PRECISION_S);
    LEADER_IS("32.36 1795341240 NtX(NULL) = 0 <0.000021000>\n",
              .when = WHEN_EPOCH, .when_precision = PRECISION_S, .took = true,
              .took_precision = PRECISION_NS);
    LEADER_IS("32.36 1795341240.441799123 NtX(NULL) = 0 <0.000>\n",
              .when = WHEN_EPOCH, .when_precision = PRECISION_NS, .took = true,
              .took_precision = PRECISION_MS);
    LEADER_IS("32.36 +1 NtX(NULL) = 0\n", .relative = true,
              .relative_precision = PRECISION_S);
    LEADER_IS("32.36 +1.500000000 NtX(NULL) = 0\n", .relative = true,
              .relative_precision = PRECISION_NS);
}

static void time_since_the_last_line_is_never_negative(void)
{
    struct text_options options = { .always_pid = true, .relative = true };
    struct wrote w = { 0 };
    struct text t;

    CHECK(text_init(&t, &options, wrote_line, &w));
    t.have_last = true;
    /* A line that was told late: the one before it happened after it. */
    t.last_ns = sinks_head.ns + 1500000000;
    sinks_begin(&t.sink);
    t.sink.ops->null(&t.sink);
    sinks_end(&t.sink);
    CHECK_STR(wrote_all(&w), STR("32.36 +0.000000 NtX(NULL) = 0\n"));
    text_close(&t);
    free(w.p);
}

static void x_escapes_what_is_not_ascii_and_xx_all(void)
{
    static const struct object object = {
        .type = STR_INIT("File"),
        .name = STR_INIT("a\xc3\xa4"),
    };
    static const struct place place = { PLACE_MODULE, STR_INIT("a\xc3\xa4.exe"),
                                        0, 16, false };
    struct text_options wide = { .hex = TEXT_HEX_WIDE };
    struct text_options all = { .hex = TEXT_HEX_ALL };

    SINK_TEXT(wide, "\"a^^^\"^{E4}^{65E5}^{1F600}\"",
              TELL_UTF16(false, 'a', '^', '"', 0xe4, 0x65e5, 0xd83d, 0xde00));
    SINK_TEXT(all, "\"^{61}^{5E}^{22}^{E4}^{1F600}\"",
              TELL_UTF16(false, 'a', '^', '"', 0xe4, 0xd83d, 0xde00));
    SINK_TEXT(all, "\"^{61}^{E4}\"...", TELL_WTF8("a\xc3\xa4", true));
    SINK_TEXT(wide, "b\"a\\n\\xff\"", TELL_DATA("a\n\xff", false));
    SINK_TEXT(all, "b\"\\x61\\x0a\\xff\"", TELL_DATA("a\n\xff", false));
    SINK_TEXT(wide, "0x4c<a^{E4}>", s->ops->handle(s, 0x4c, STR(""), &object));
    SINK_TEXT(all, "0x4c<^{61}^{E4}>",
              s->ops->handle(s, 0x4c, STR(""), &object));
    SINK_TEXT(wide, "a^{E4}.exe+0x10", s->ops->place(s, &place));
    SINK_TEXT(all, "a^{E4}.exe+0x10", s->ops->place(s, &place));
}

/* Two callers and why there are no more, of a whole call and of half of one. */
static void tell_stack(struct text *t, str cut, str file)
{
    const struct sink_frame frames[] = {
        { 0x150000010,
          { PLACE_MODULE, STR("a b.dll"), 0x150000000, 0x10, false },
          STR("?f@@YAXXZ"),
          5 },
        { 0x140001000,
          { PLACE_MODULE, STR("x.exe"), 0x140000000, 0x1000, true },
          STR(""),
          0 },
        { 0x1f0010,
          { PLACE_PRIVATE, STR(""), 0x1f0000, 16, false },
          STR(""),
          0 },
        { 0x77, { PLACE_UNKNOWN, STR(""), 0, 0, false }, STR(""), 0 },
    };
    struct sink_stack stack = { frames, COUNT_OF(frames), cut, file };
    struct sink_note caller = { NOTE_CALLER, STR(""), 0, &frames[1].place };
    struct sink_end end = { .took = TOOK_NOTHING };
    struct sink *s = &t->sink;

    sinks_begin(s);
    s->ops->null(s);
    s->ops->result(s, NULL);
    s->ops->nothing(s);
    s->ops->note(s, &caller);
    s->ops->stack(s, &stack);
    s->ops->call_end(s, &end);
    s->ops->call_begin(s, &sinks_head, STR("NtX"), PART_RETURN);
    s->ops->result(s, NULL);
    s->ops->unknown(s);
    caller.place = NULL;
    stack.count = 0;
    s->ops->note(s, &caller);
    s->ops->stack(s, &stack);
    s->ops->call_end(s, &end);
}

static void callers_follow_their_call(void)
{
    struct text_options options = { .always_pid = true };
    struct wrote w = { 0 };
    struct text t;

    CHECK(text_init(&t, &options, wrote_line, &w));
    tell_stack(&t, STR("no file of"), STR("c)d.dll"));
    sinks_check_lines(&w, CHECK_AT);
    CHECK_STR(wrote_all(&w),
              STR("32.36 NtX(NULL) = void (from x.exe@0x140000000+0x1000)\n"
                  "32.36 > a b.dll!?f@@YAXXZ+0x5\n"
                  "32.36 > x.exe@0x140000000+0x1000\n"
                  "32.36 > private 0x1f0000+0x10\n"
                  "32.36 > 0x77\n"
                  "32.36 > (stack cut: no file of c^{29}d.dll)\n"
                  "32.36 <... NtX resumed>) = ? (from ?)\n"
                  "32.36 > (stack cut: no file of c^{29}d.dll)\n"));
    text_close(&t);
    free(w.p);
}

/* A failing call, a note, a transition and a notice. */
static void tell_some(struct text *t)
{
    static const struct object object = {
        .type = STR_INIT("File"),
        .name = STR_INIT("a\x1b[0m"),
    };
    static const struct place place = { PLACE_MODULE, STR_INIT("a.exe"), 0, 16,
                                        false };
    struct sink *s = &t->sink;
    struct sink_note note = { NOTE_DIRECT, STR(""), 0, &place };
    struct sink_end end = { .took = TOOK_TIME, .failed = true };
    struct notice notice = { .kind = NOTICE_ATTACHED, .reason = STR("") };

    sinks_begin(s);
    s->ops->handle(s, 0x4c, STR(""), &object);
    s->ops->result(s, NULL);
    s->ops->status(s, 0xc0000008);
    s->ops->note(s, &note);
    s->ops->call_end(s, &end);
    sinks_begin(s);
    s->ops->null(s);
    s->ops->result(s, NULL);
    s->ops->handle(s, 0, STR(""), &object);
    s->ops->call_end(s, &end);
    s->ops->call_begin(s, &sinks_head, STR("NtX"), PART_RETURN);
    end.failed = false;
    s->ops->result(s, NULL);
    s->ops->nothing(s);
    s->ops->call_end(s, &end);
    s->ops->transition_begin(s, &sinks_head, STR("APC"), NULL);
    s->ops->transition_end(s);
    s->ops->notice(s, &sinks_head, &notice);
}

static void colours_stand_around_what_matters(void)
{
    struct text_options options = { .always_pid = true, .took = true };
    struct wrote plain = { 0 };
    struct wrote w = { 0 };
    struct text t;
    size_t to = 0;

    CHECK(text_init(&t, &options, wrote_line, &plain));
    tell_some(&t);
    text_close(&t);
    options.colour = true;
    CHECK(text_init(&t, &options, wrote_line, &w));
    tell_some(&t);
    text_close(&t);
    CHECK_STR(wrote_all(&w),
              STR("32.36 \33[36mNtX\33[0m(0x4c<a^{1B}[0m>) = "
                  "\33[31m0xc0000008 STATUS_INVALID_HANDLE\33[0m "
                  "\33[33m(DIRECT: a.exe+0x10)\33[0m <0.000000>\n"
                  "32.36 \33[36mNtX\33[0m(NULL) = \33[31m0<a^{1B}[0m>\33[0m "
                  "<0.000000>\n"
                  "32.36 <... \33[36mNtX\33[0m resumed>) = void <0.000000>\n"
                  "32.36 --- \33[33mAPC\33[0m ---\n"
                  "32.36 \33[33m+++ attached +++\33[0m\n"));
    /* Without them it is the same. */
    for (size_t i = 0; i < w.size; i++) {
        if (w.p[i] == '\33') {
            while (w.p[i] != 'm') {
                i++;
            }
        } else {
            w.p[to++] = w.p[i];
        }
    }
    w.size = to;
    CHECK_STR(wrote_all(&w), wrote_all(&plain));
    sinks_check_lines(&plain, CHECK_AT);
    free(plain.p);
    free(w.p);
}

static void dumps_follow_their_call(void)
{
    struct text_options options = { .always_pid = false };
    struct sink_end end = { .took = TOOK_TIME };
    struct wrote w = { 0 };
    struct text t;
    struct sink_head other = sinks_head;

    CHECK(text_init(&t, &options, wrote_line, &w));
    for (int i = 0; i < 2; i++) {
        t.sink.ops->call_begin(&t.sink, &other, STR("NtX"), PART_ENTRY);
        t.sink.ops->dump(&t.sink, true, (const uint8_t *)"a\0\x80", 3, i == 1);
        t.sink.ops->dump(&t.sink, true, (const uint8_t *)"", 0, false);
        t.sink.ops->call_end(&t.sink, &end);
        other.tid = 44;
    }
    sinks_check_lines(&w, CHECK_AT);
    CHECK_U64(w.lines, 5);
    CHECK_STR(
        wrote_all(&w),
        STR("NtX( <unfinished ...>\n"
            " | 00000  61 00 80                                          "
            "a..              |\n"
            "[pid 32.44] NtX( <unfinished ...>\n"
            "[pid 32.44] | 00000  61 00 80                                  "
            "        a..              |\n"
            "[pid 32.44] | ...\n"));
    text_close(&t);
    free(w.p);
}

static void processes_are_called_by_their_programs(void)
{
    struct text_options options = { .images = true };
    struct sink_end end = { .took = TOOK_NOTHING };
    struct sink_head first = sinks_head;
    struct sink_head other = sinks_head;
    struct wrote w = { 0 };
    struct text t;

    first.image = STR("a>b.exe");
    other.pid = 44;
    other.image = STR("");
    for (int i = 0; i < 2; i++) {
        CHECK(text_init(&t, &options, wrote_line, &w));
        t.sink.ops->call_begin(&t.sink, &other, STR("NtX"), PART_ENTRY);
        t.sink.ops->call_end(&t.sink, &end);
        t.sink.ops->call_begin(&t.sink, &first, STR("NtX"), PART_ENTRY);
        t.sink.ops->dump(&t.sink, true, (const uint8_t *)"", 0, true);
        t.sink.ops->call_end(&t.sink, &end);
        text_close(&t);
        options.always_pid = true;
    }
    sinks_check_lines(&w, CHECK_AT);
    CHECK_STR(wrote_all(&w), STR("NtX( <unfinished ...>\n"
                                 "[pid 32.36<a^>b.exe>] NtX( <unfinished ...>\n"
                                 "[pid 32.36<a^>b.exe>] | ...\n"
                                 "44.36 NtX( <unfinished ...>\n"
                                 "32.36<a^>b.exe> NtX( <unfinished ...>\n"
                                 "32.36<a^>b.exe> | ...\n"));
    free(w.p);
}

static void a_large_dump_is_whole_and_a_huge_one_is_cut(void)
{
    static uint8_t bytes[1 << 20];
    struct text_options options = { .always_pid = true };
    struct sink_end end = { .took = TOOK_TIME };
    struct wrote w = { 0 };
    struct text t;

    CHECK(text_init(&t, &options, wrote_line, &w));
    t.sink.ops->call_begin(&t.sink, &sinks_head, STR("NtX"), PART_ENTRY);
    t.sink.ops->dump(&t.sink, true, bytes, 256 << 10, false);
    t.sink.ops->call_end(&t.sink, &end);
    CHECK_U64(w.lines, 1 + (256 << 10) / 16);
    t.sink.ops->call_begin(&t.sink, &sinks_head, STR("NtX"), PART_ENTRY);
    t.sink.ops->dump(&t.sink, true, bytes, sizeof(bytes), true);
    t.sink.ops->dump(&t.sink, true, bytes, 16, true);
    t.sink.ops->call_end(&t.sink, &end);
    CHECK(str_ends(wrote_all(&w), STR("32.36 | ...\n")));
    sinks_check_lines(&w, CHECK_AT);
    text_close(&t);
    free(w.p);
}

/* A result that is no word of the grammar's own. */
static void a_null_result_is_zero(void)
{
    struct text_options options = { .always_pid = true };
    struct sink_end end = { .took = TOOK_TIME };
    struct wrote w = { 0 };
    struct text t;

    CHECK(text_init(&t, &options, wrote_line, &w));
    sinks_begin(&t.sink);
    t.sink.ops->null(&t.sink);
    t.sink.ops->result(&t.sink, NULL);
    t.sink.ops->null(&t.sink);
    t.sink.ops->call_end(&t.sink, &end);
    CHECK_STR(wrote_all(&w), STR("32.36 NtX(NULL) = 0\n"));
    text_close(&t);
    free(w.p);
}

/* The longest name there can be, of what needs the longest escapes, after
 * all that can stand before it. */
static void the_longest_path_is_never_cut(void)
{
    static uint16_t units[32767];
    struct text_options options = { .always_pid = true };
    struct sink_text name = { TEXT_UTF16, units, 32767, false };
    struct wrote w = { 0 };
    struct text t;

    for (size_t i = 0; i < COUNT_OF(units); i++) {
        units[i] = 0xdc00;
    }
    CHECK(text_init(&t, &options, wrote_line, &w));
    sinks_begin(&t.sink);
    t.sink.ops->begin(&t.sink, GROUP_STRUCT);
    for (int i = 0; i < 7; i++) {
        t.sink.ops->arg(&t.sink, STR("B"), NULL);
        t.sink.ops->text(&t.sink, &name);
    }
    t.sink.ops->end(&t.sink, GROUP_STRUCT);
    sinks_end(&t.sink);
    CHECK_U64(w.size, 7 * (32767 * 7 + 4) + 30);
    sinks_check_lines(&w, CHECK_AT);
    text_close(&t);
    free(w.p);
}

static void modules_come_and_go(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_process *p = t->p;

    CHECK(process_module_add(p, 0x150000000, 0x2000, STR("a.dll")));
    CHECK(process_module_add(p, 0x150002000, 0x2000, STR("b.dll")));
    CHECK_STR(model_place(p, 0x150001fff).name, STR("a.dll"));
    CHECK_U64(model_place(p, 0x150001fff).offset, 0x1fff);
    CHECK_STR(model_place(p, 0x150002000).name, STR("b.dll"));
    CHECK(model_place(p, 0x150004000).kind == PLACE_UNMAPPED);
    /* What comes later takes the place of what it covers. */
    CHECK(process_module_add(p, 0x150001000, 0x2000, STR("c.dll")));
    CHECK_STR(model_place(p, 0x150001000).name, STR("c.dll"));
    CHECK(model_place(p, 0x150000000).kind == PLACE_UNMAPPED);
    CHECK(model_place(p, 0x150003000).kind == PLACE_UNMAPPED);
    process_module_remove(p, 0x150001001);
    CHECK_STR(model_place(p, 0x150001000).name, STR("c.dll"));
    process_module_remove(p, 0x150001000);
    CHECK(model_place(p, 0x150001000).kind == PLACE_UNMAPPED);
    CHECK_STR(model_place(p, 0x140000000).name, STR("demo.exe"));
    trace_close(t);
}

/* What a program tells of need not be there: there is an end to it. */
static void modules_are_not_without_end(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    uint64_t count = 0;

    while (count < 100000 &&
           process_module_add(t->p, 0x200000000 + count * 0x1000, 0x1000,
                              STR("x.dll"))) {
        count++;
    }
    CHECK(count >= 4000 && count < 10000);
    CHECK_STR(model_place(t->p, 0x200000000).name, STR("x.dll"));
    trace_close(t);
}

static void a_second_module_of_a_name_is_told_from_the_first(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_process *p = t->p;
    struct place place;

    CHECK(process_module_add(p, 0x150000000, 0x2000, STR("a.dll")));
    CHECK(process_module_add(p, 0x140800000, 0x2000, STR("A.DLL")));
    CHECK(!model_place(p, 0x150000010).second);
    place = model_place(p, 0x140800010);
    CHECK(place.second);
    CHECK_U64(place.base, 0x140800000);
    /* Said again, both are what they were. */
    CHECK(process_module_add(p, 0x150000000, 0x2000, STR("a.dll")));
    CHECK(process_module_add(p, 0x140800000, 0x2000, STR("A.DLL")));
    CHECK(!model_place(p, 0x150000010).second);
    CHECK(model_place(p, 0x140800010).second);
    /* One name for as long as it is there. */
    process_module_remove(p, 0x150000000);
    CHECK(model_place(p, 0x140800010).second);
    process_module_remove(p, 0x140800000);
    CHECK(process_module_add(p, 0x140800000, 0x2000, STR("a.dll")));
    CHECK(!model_place(p, 0x140800010).second);
    trace_close(t);
}

static void stubs_are_found_by_number_and_address(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_process *p = t->p;

    for (uint16_t i = 0; i < N_COUNT; i++) {
        const struct stub *stub = stub_by_number(p, i);

        CHECK(stub && stub->address == stub_at(i));
        CHECK(find_stub(p, stub_at(i)) == stub);
        CHECK(find_stub(p, stub_at(i) + 0x1f) == stub);
    }
    CHECK(!stub_by_number(p, N_COUNT));
    CHECK(!find_stub(p, STUBS - 1));
    CHECK(!find_stub(p, stub_at(N_COUNT)));
    /* Said again, and otherwise. */
    CHECK(add_stub(p, stub_at(N_CLOSE), 0x1abc, STR("NtUserX"),
                   STR("win32u.dll"), false));
    CHECK_U64(find_stub(p, stub_at(N_CLOSE))->number, 0x1abc);
    CHECK_STR(stub_by_number(p, 0x1abc)->name, STR("NtUserX"));
    trace_close(t);
}

static void a_stub_has_the_parameters_of_its_system(void)
{
    static const struct {
        struct call_system system;
        int peek;  // NtUserPeekMessage, of which each number has a row
        int set;   // NtUserSetDisplayConfig, of which only five have
    } rows[] = {
        { { .build = 14393 }, 5, 5 },
        { { .build = 15063 }, 5, 6 },
        { { .build = 19045 }, 6, 5 },
        { { .build = 0 }, 6, 5 },
        { { .wine = true, .build = 19043 }, 5, 5 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct text_options options = { .always_pid = true };
        struct model_config config = { .system = rows[i].system };
        struct trace *t =
            trace_open_with(MODE_PATCHED, &options, &config, NULL);
        const struct stub *peek;
        const struct stub *set;

        CHECK(add_stub(t->p, stub_at(N_COUNT), 0x1abc, STR("NtUserPeekMessage"),
                       STR("win32u.dll"), true));
        CHECK(add_stub(t->p, stub_at(N_COUNT + 1), 0x1abd,
                       STR("NtUserSetDisplayConfig"), STR("win32u.dll"), true));
        peek = stub_by_number(t->p, 0x1abc);
        set = stub_by_number(t->p, 0x1abd);
        CHECK(peek->arg_count == rows[i].peek && peek->facts != NULL);
        CHECK(set->arg_count == rows[i].set);
        CHECK((set->facts != NULL) == (rows[i].set == 5));
        trace_close(t);
    }
}

int main(void)
{
    const struct test tests[] = {
        TEST(on_a_screen_threads_show_from_the_second_on),
        TEST(in_a_file_every_line_begins_with_its_thread),
        TEST(everything_that_can_lead_a_line_does),
        TEST(times_have_four_forms),
        TEST(an_entry_waits_for_what_comes_next),
        TEST(user_callbacks_nest),
        TEST(a_thread_starts_somewhere),
        TEST(every_transition_lives_without_its_words),
        TEST(accesses_have_names),
        TEST(names_are_escaped),
        TEST(the_longest_name_fits_a_line),
        TEST(times_have_any_precision),
        TEST(time_since_the_last_line_is_never_negative),
        TEST(x_escapes_what_is_not_ascii_and_xx_all),
        TEST(colours_stand_around_what_matters),
        TEST(dumps_follow_their_call),
        TEST(callers_follow_their_call),
        TEST(processes_are_called_by_their_programs),
        TEST(a_large_dump_is_whole_and_a_huge_one_is_cut),
        TEST(a_null_result_is_zero),
        TEST(the_longest_path_is_never_cut),
        TEST(modules_come_and_go),
        TEST(modules_are_not_without_end),
        TEST(a_second_module_of_a_name_is_told_from_the_first),
        TEST(stubs_are_found_by_number_and_address),
        TEST(a_stub_has_the_parameters_of_its_system),
    };

    return check_run(tests, COUNT_OF(tests));
}
