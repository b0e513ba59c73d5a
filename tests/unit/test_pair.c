/* SPDX-License-Identifier: MIT */
/*
 * test_pair - model/pair.c: which return belongs to which entry.
 */
#include "unit/trace.h"

#include "unit/check.h"

static struct chunk c;

static void a_call_is_its_entry_and_its_return(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);

    chunk_entry(&c, 1, N_CLOSE, STACK, 0x100, 0x4c, 0, 0);
    chunk_return(&c, 2, N_CLOSE, STACK, 0x100, 0);
    chunk_entry(&c, 3, N_CLOSE, STACK, 0x100, 0x123400000054, 0, 0);
    chunk_return(&c, 4, N_CLOSE, STACK, 0x100, 0xffffffffc0000008);
    feed(a, &c);
    CHECK_STR(told(t), STR("32.36 NtClose(0x4c) = 0\n"
                           "32.36 NtClose(0x123400000054) = 0xc0000008 "
                           "STATUS_INVALID_HANDLE\n"));
    CHECK_U64(model_counts(t->m).calls, 2);
    trace_close(t);
}

/* Most tests: one thread, one chunk, what comes out. */
static void gives(enum model_mode mode, str want, const char *at)
{
    struct trace *t = trace_open(mode);

    feed(add_thread(t, 36), &c);
    check_str(told(t), want, at);
    trace_close(t);
}

#define GIVES(mode, want) gives(mode, STR(want), CHECK_AT)

static void what_a_rule_has_changed_is_told_with_its_call(void)
{
    size_t at;

    chunk_entry(&c, 1, N_CLOSE, STACK, 0x100, 0x4c, 0, 0);
    chunk_return_at(&c, 2, stub_at(N_CLOSE) + 0x14, STACK, 0x100, 0xc0000022,
                    RECORD_INJECTED | RECORD_REPLACED);
    GIVES(MODE_PATCHED, "32.36 NtClose(0x4c) = 0xc0000022 "
                        "STATUS_ACCESS_DENIED (INJECTED)\n");
    chunk_entry(&c, 1, N_CLOSE, STACK, 0x100, 0x4c, 0, 0);
    chunk_return_at(&c, 2, stub_at(N_CLOSE) + 0x14, STACK, 0x100, 0,
                    RECORD_DELAYED);
    GIVES(MODE_PATCHED, "32.36 NtClose(0x4c) = 0 (DELAYED)\n");
    chunk_entry(&c, 1, N_CLOSE, STACK, 0x100, 0x4c, 0, 0);
    at = c.size;
    chunk_return_at(&c, 2, stub_at(N_CLOSE) + 0x14, STACK, 0x100, 0xc0000022,
                    RECORD_INJECTED | RECORD_DELAYED);
    chunk_u64(&c, 0);
    c.bytes[at + RECORD_SIZE] = RETURN_SIZE_MOST;
    GIVES(MODE_PATCHED, "32.36 NtClose(0x4c) = 0xc0000022 "
                        "STATUS_ACCESS_DENIED (INJECTED) (DELAYED)\n");
}

static void both_forms_of_return_belong_to_a_stub(void)
{
    for (uint64_t offset = 0x14; offset <= 0x17; offset += 3) {
        chunk_entry(&c, 1, N_CLOSE, STACK, 0x100, 1, 0, 0);
        chunk_return_at(&c, 2, stub_at(N_CLOSE) + offset, STACK, 0x100, 0, 0);
        GIVES(MODE_PATCHED, "32.36 NtClose(0x1) = 0\n");
    }
}

/* As the tracer writes it when it comes to a process that runs. `known`: which
 * arguments are. */
static void chunk_underway(uint64_t us, uint32_t number, uint64_t below,
                           uint64_t a1, uint32_t more, uint64_t known)
{
    size_t at = c.size;

    chunk_entry(&c, us, number, STACK, below, a1, 2, more);
    chunk_u64(&c, known);
    c.bytes[at + RECORD_SIZE] = (uint8_t)(ENTRY_SIZE + 8 * more + 8);
    c.bytes[at + RECORD_FLAGS] = (uint8_t)(more | RECORD_UNDERWAY);
}

static void a_call_that_was_under_way_is_told_as_far_as_it_is_known(void)
{
    chunk_underway(1, N_CLOSE, 0x100, 0x4c, 0, 1);
    chunk_return(&c, 2, N_CLOSE, STACK, 0x100, 0);
    GIVES(MODE_PATCHED, "32.36 NtClose(0x4c <unfinished ...>\n"
                        "32.36 <... NtClose resumed>) = 0\n");
    /* Its return was not seen: the next call there ends it. */
    chunk_underway(1, N_DELAY, 0x100, 0, 0, 0);
    chunk_entry(&c, 3, N_CLOSE, STACK, 0x100, 0x50, 0, 0);
    chunk_return(&c, 4, N_CLOSE, STACK, 0x100, 0);
    GIVES(MODE_PATCHED, "32.36 NtDelayExecution(? <unfinished ...>\n"
                        "32.36 <... NtDelayExecution resumed>) = ?\n"
                        "32.36 NtClose(0x50) = 0\n");
    /* Some on the stack, and none in registers. */
    chunk_underway(1, N_CREATE_FILE, 0x100, 0, 7, 0x3f0);
    GIVES(MODE_PATCHED,
          "32.36 NtCreateFile(?, ?, ?, ?, 0x105, "
          "FILE_ATTRIBUTE_HIDDEN|FILE_ATTRIBUTE_SYSTEM|"
          "FILE_ATTRIBUTE_TEMPORARY, "
          "FILE_SHARE_READ|FILE_SHARE_WRITE|FILE_SHARE_DELETE|0x100, 264, "
          "FILE_DIRECTORY_FILE|FILE_NO_INTERMEDIATE_BUFFERING|"
          "FILE_COMPLETE_IF_OPLOCKED, 0x10a, ? <unfinished ...>\n");
}

static void stack_arguments_are_shown_as_many_as_the_call_has(void)
{
    chunk_entry(&c, 1, N_CREATE_FILE, STACK, 0x100, 1, 0xffffffff00000002, 7);
    chunk_return(&c, 2, N_CREATE_FILE, STACK, 0x100, 0x103);
    GIVES(MODE_PATCHED,
          "32.36 NtCreateFile(0x1, FILE_ADD_FILE, 0x103, 0x104, 0x105, "
          "FILE_ATTRIBUTE_HIDDEN|FILE_ATTRIBUTE_SYSTEM|"
          "FILE_ATTRIBUTE_TEMPORARY, "
          "FILE_SHARE_READ|FILE_SHARE_WRITE|FILE_SHARE_DELETE|0x100, 264, "
          "FILE_DIRECTORY_FILE|FILE_NO_INTERMEDIATE_BUFFERING|"
          "FILE_COMPLETE_IF_OPLOCKED, 0x10a, 267) = 0x103 STATUS_PENDING\n");
}

static void arguments_that_were_not_read_are_unknown(void)
{
    chunk_entry(&c, 1, N_CREATE_FILE, STACK, 0x100, 1, 2, 0);
    c.bytes[RECORD_FLAGS] = RECORD_ARGS_LOST | 7;
    chunk_return(&c, 2, N_CREATE_FILE, STACK, 0x100, 0);
    GIVES(MODE_PATCHED, "32.36 NtCreateFile(0x1, FILE_WRITE_DATA, 0x103, "
                        "0x104, ?, ?, ?, ?, ?, ?, ?) = 0\n");
}

static void a_call_without_prototype_shows_the_registers(void)
{
    chunk_entry(&c, 1, N_STRANGE, STACK, 0x100, 1, 2, 0);
    chunk_return(&c, 2, N_STRANGE, STACK, 0x100, 0x123456789);
    chunk_entry(&c, 3, 0x1234, STACK, 0x100, 1, 2, 0);
    GIVES(MODE_PATCHED,
          "32.36 NtNobodyKnows(0x1, 0x2, 0x103, 0x104, ...) = 0x123456789\n"
          "32.36 syscall_0x1234(0x1, 0x2, 0x103, 0x104, ... "
          "<unfinished ...>\n");
}

static void a_new_entry_ends_older_ones_at_and_below_it(void)
{
    chunk_entry(&c, 1, N_MESSAGE, STACK, 0x100, 1, 0, 0);
    chunk_entry(&c, 2, N_DELAY, STACK, 0x300, 2, 0, 0);
    chunk_entry(&c, 3, N_CLOSE, STACK, 0x200, 3, 0, 0);
    chunk_return(&c, 4, N_CLOSE, STACK, 0x200, 0);
    chunk_entry(&c, 5, N_YIELD, STACK, 0x100, 0, 0, 0);
    chunk_return(&c, 6, N_YIELD, STACK, 0x100, 0);
    GIVES(MODE_PATCHED, "32.36 NtUserDispatchMessage(0x1 <unfinished ...>\n"
                        "32.36 NtDelayExecution(2, NULL) = ?\n"
                        "32.36 NtClose(0x3) = 0\n"
                        "32.36 <... NtUserDispatchMessage resumed>) = ?\n"
                        "32.36 NtYieldExecution() = 0\n");
}

/* docs/facts.md C13: the loader's report of functions that were changed. It
 * is only ours where we have changed them, and where ntdll makes it. What the
 * upper half of a register holds that has 32 bits is nobody's. */
static void the_loaders_report_of_changed_functions_is_of_our_making(void)
{
    const uint64_t self = UINT64_MAX;
    const uint64_t ntdll = STUBS + 0x61eac;
    const struct {
        enum model_mode mode;
        uint64_t caller;
        uint64_t process;
        uint64_t what;
        uint64_t length;
        bool caused;
    } cases[] = {
        { MODE_PATCHED, ntdll, self, 93, 4, true },
        { MODE_PATCHED, ntdll, self, 0xffffffff0000005d, 0x100000004, true },
        { MODE_PATCHED, 0x140001000, self, 93, 4, false },
        { MODE_PATCHED, STUBS + 0x1000000, self, 93, 4, false },
        { MODE_PATCHED, STUBS - 1, self, 93, 4, false },
        { MODE_PATCHED, ntdll, self, 93, 8, false },
        { MODE_PATCHED, ntdll, self, 92, 4, false },
        { MODE_PATCHED, ntdll, 0x54, 93, 4, false },
        { MODE_RETURNS, ntdll, self, 93, 4, false },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint64_t args[] = { cases[i].process, cases[i].what, 0x22f000,
                            cases[i].length };
        char room[400];
        struct buf want = BUF_OVER(room);
        size_t end;

        chunk_call(&c, 1, N_SET_PROCESS, 0x100, 4, args);
        end = c.size;
        c.size = ENTRY_CALLER;
        chunk_u64(&c, cases[i].caller);
        c.size = end;
        chunk_return(&c, 2, N_SET_PROCESS, STACK, 0x100, 0);
        buf_addf(&want,
                 "32.36 NtSetInformationProcess(%s, %s, 0x22f000, %u) = 0%s\n",
                 cases[i].process == self ? "NtCurrentProcess" : "0x54",
                 (uint32_t)cases[i].what == 93 ? "ProcessLoaderDetour"
                                               : "ProcessSequenceNumber",
                 (unsigned)cases[i].length,
                 cases[i].caused ? " (caused by ntstrace)" : "");
        gives(cases[i].mode, buf_str(&want), CHECK_AT);
    }
}

/* docs/facts.md T4.1: the window procedure switches to another fiber. */
static void an_entry_on_another_stack_ends_nothing(void)
{
    chunk_entry(&c, 1, N_MESSAGE, STACK, 0x100, 1, 0, 0);
    chunk_entry(&c, 2, N_CLOSE, STACK_2, 0x80, 2, 0, 0);
    chunk_return(&c, 3, N_CLOSE, STACK_2, 0x80, 0);
    chunk_return(&c, 4, N_MESSAGE, STACK, 0x100, 0);
    GIVES(MODE_PATCHED, "32.36 NtUserDispatchMessage(0x1 <unfinished ...>\n"
                        "32.36 NtClose(0x2) = 0\n"
                        "32.36 <... NtUserDispatchMessage resumed>) = 0\n");
}

static void a_return_ends_what_was_nested_in_its_call(void)
{
    chunk_entry(&c, 1, N_MESSAGE, STACK, 0x100, 1, 0, 0);
    chunk_entry(&c, 2, N_DELAY, STACK, 0x300, 2, 3, 0);
    chunk_entry(&c, 3, N_DELAY, STACK_2, 0x10, 4, 5, 0);
    chunk_return(&c, 4, N_MESSAGE, STACK, 0x100, 7);
    chunk_return(&c, 5, N_DELAY, STACK_2, 0x10, 0);
    GIVES(MODE_PATCHED, "32.36 NtUserDispatchMessage(0x1 <unfinished ...>\n"
                        "32.36 NtDelayExecution(2, 0x3 <unfinished ...>\n"
                        "32.36 NtDelayExecution(4, 0x5 <unfinished ...>\n"
                        "32.36 <... NtDelayExecution resumed>) = ?\n"
                        "32.36 <... NtUserDispatchMessage resumed>) = 0x7\n"
                        "32.36 <... NtDelayExecution resumed>) = 0\n");
}

static void calls_that_go_elsewhere_end_themselves(void)
{
    static const struct {
        uint32_t number;
        uint64_t first;
        str want;
    } cases[] = {
        /* clang-format off */
        { N_CONTINUE, 1, STR_INIT("32.36 NtContinue(0x1, FALSE) = ?\n") },
        { N_CONTINUE_EX, 1, STR_INIT("32.36 NtContinueEx(0x1, NULL) = ?\n") },
        { N_CALLBACK_RETURN, 1,
          STR_INIT("32.36 NtCallbackReturn(b\"\", 0, STATUS_PENDING) = ?\n") },
        { N_TERMINATE_THREAD, 0,
          STR_INIT("32.36 NtTerminateThread(NULL, 0) = ?\n") },
        { N_TERMINATE_THREAD, (uint64_t)-2,
          STR_INIT("32.36 NtTerminateThread(NtCurrentThread, 0) = ?\n") },
        { N_TERMINATE_THREAD, 0x50,
          STR_INIT("32.36 NtTerminateThread(0x50, 0 <unfinished ...>\n") },
        /* clang-format on */
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        chunk_entry(&c, 1, cases[i].number, STACK, 0x100, cases[i].first, 0, 0);
        gives(MODE_PATCHED, cases[i].want, CHECK_AT);
    }
}

static void one_that_failed_to_go_elsewhere_is_no_indirect_call(void)
{
    chunk_entry(&c, 1, N_CALLBACK_RETURN, STACK, 0x100, 1, 0, 0);
    chunk_return_at(&c, 2, stub_at(N_CALLBACK_RETURN) + 0x14, STACK, 0x100,
                    0xc0000258, RECORD_ORPHAN);
    GIVES(MODE_PATCHED, "32.36 NtCallbackReturn(b\"\", 0, STATUS_PENDING) = ?\n"
                        "32.36 NtCallbackReturn(?) = 0xc0000258 "
                        "STATUS_NO_CALLBACK_ACTIVE\n");
}

/* docs/facts.md A2.7: a result of 0 is no failure, and has the dispatcher run
 * the next APC without the kernel's door. */
static void one_that_comes_back_with_success_is_told_and_no_indirect_call(void)
{
    static const struct {
        uint32_t number;
        str want;
    } cases[] = {
        { N_CONTINUE, STR_INIT("32.36 NtContinue(0x22f000, TRUE) = ?\n"
                               "32.36 NtContinue(?) = 0\n"
                               "32.36 NtClose(0x1) = 0\n") },
        { N_CONTINUE_EX, STR_INIT("32.36 NtContinueEx(0x22f000, 0x1) = ?\n"
                                  "32.36 NtContinueEx(?) = 0\n"
                                  "32.36 NtClose(0x1) = 0\n") },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        chunk_entry(&c, 1, cases[i].number, STACK, 0x100, 0x22f000, 1, 0);
        chunk_return_at(&c, 2, stub_at(cases[i].number) + 0x14, STACK, 0x100, 0,
                        RECORD_ORPHAN);
        chunk_entry(&c, 3, N_CLOSE, STACK, 0x80, 1, 0, 0);
        chunk_return(&c, 4, N_CLOSE, STACK, 0x80, 0);
        gives(MODE_PATCHED, cases[i].want, CHECK_AT);
    }
}

static void an_interrupting_apc_brings_the_result(void)
{
    uint64_t words[] = {
        1, 0, 0, 0x140001730, stub_at(N_DELAY) + 0x14, STACK - 0x100, 0xc0,
    };

    chunk_entry(&c, 1, N_DELAY, STACK, 0x100, 1, 0x22f000, 0);
    chunk_transition(&c, 2, TRANSITION_APC, 0x600, 0x99, 7, words);
    chunk_entry(&c, 3, N_CONTINUE, STACK, 0x700, 0x22f000, 1, 0);
    /* The same, but nothing was interrupted. */
    words[4] = 0x6ff200000;
    chunk_transition(&c, 4, TRANSITION_APC, 0x600, 0, 7, words);
    GIVES(MODE_PATCHED,
          "32.36 NtDelayExecution(TRUE, 0x22f000) = 0xc0 STATUS_USER_APC\n"
          "32.36 --- APC {Routine=demo.exe+0x1730, Arguments=[0x1, 0, 0]} "
          "---\n"
          "32.36 NtContinue(0x22f000, TRUE) = ?\n"
          "32.36 --- APC {Routine=demo.exe+0x1730, Arguments=[0x1, 0, 0]} "
          "---\n");
}

static void an_apc_ends_only_the_call_that_its_frame_names(void)
{
    uint64_t words[] = {
        0, 0, 0, 0x140001730, stub_at(N_CLOSE) + 0x14, STACK - 0x100, 0xc0,
    };

    /* Another stub; then the right one, but another frame. */
    for (int i = 0; i < 2; i++) {
        words[4] = stub_at(i == 0 ? N_CLOSE : N_DELAY) + 0x14;
        words[5] = STACK - (i == 0 ? 0x100 : 0x108);
        chunk_entry(&c, 1, N_DELAY, STACK, 0x100, 1, 2, 0);
        chunk_transition(&c, 2, TRANSITION_APC, 0x600, 0, 7, words);
        chunk_return(&c, 3, N_DELAY, STACK, 0x100, 0);
        GIVES(MODE_PATCHED,
              "32.36 NtDelayExecution(TRUE, 0x2 <unfinished ...>\n"
              "32.36 --- APC {Routine=demo.exe+0x1730, Arguments=[0, 0, 0]} "
              "---\n"
              "32.36 <... NtDelayExecution resumed>) = 0\n");
    }
}

/* Each APC interrupts the wait in the one before. */
static void three_thousand_nested_apcs_are_paired(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);
    str all;
    size_t results = 0;

    for (uint32_t i = 0; i < 3000; i++) {
        uint64_t below = 0x100 + 0x700ull * i;
        uint64_t words[] = {
            i, 0, 0, 0x140001730, stub_at(N_DELAY) + 0x17, STACK - below, 0xc0,
        };

        chunk_entry(&c, 2 * i, N_DELAY, STACK, below, 1, 2, 0);
        chunk_transition(&c, 2 * i + 1, TRANSITION_APC, below + 0x600, 0, 7,
                         words);
        feed(a, &c);
    }
    all = told(t);
    for (size_t i = 0; i + 15 < all.size; i++) {
        results += str_eq(str_slice(all, i, i + 15), STR("STATUS_USER_APC"));
    }
    CHECK_U64(results, 3000);
    CHECK_U64(model_counts(t->m).dropped, 0);
    trace_close(t);
}

/* docs/facts.md T4.3 */
static void a_set_context_returns_wherever_it_lands(void)
{
    chunk_entry(&c, 1, N_SET_CONTEXT, STACK, 0x100, (uint64_t)-2, 2, 0);
    chunk_return_at(&c, 2, 0x140001234, STACK, 0x500, 0,
                    RECORD_ORPHAN | RECORD_WAITS);
    GIVES(MODE_PATCHED, "32.36 NtSetContextThread(NtCurrentThread, 0x2) = 0\n");
}

static void a_failing_set_context_returns_as_any_call(void)
{
    chunk_entry(&c, 1, N_SET_CONTEXT, STACK, 0x100, 0x50, 2, 0);
    chunk_return(&c, 2, N_SET_CONTEXT, STACK, 0x100, 0xc0000008);
    GIVES(MODE_PATCHED, "32.36 NtSetContextThread(0x50, 0x2) = 0xc0000008 "
                        "STATUS_INVALID_HANDLE\n");
}

static void answer(struct model_thread *t, uint16_t number, uint64_t argument)
{
    struct journal_answer a = {
        .number_known = true,
        .number = number,
        .argument = argument,
    };

    CHECK(tell_answer(t, &a));
}

/* Somebody else's NtSetContextThread moved it while it was in the kernel. */
static void a_redirected_call_is_known_by_the_kernels_word(void)
{
    for (int same = 0; same < 2; same++) {
        struct trace *t = trace_open(MODE_PATCHED);
        struct model_thread *a = add_thread(t, 36);

        chunk_entry(&c, 1, N_DELAY, STACK, 0x100, 1, 2, 0);
        chunk_return_at(&c, 2, 0x140001234, STACK, 0x500, 0x102,
                        RECORD_ORPHAN | RECORD_WAITS);
        feed(a, &c);
        answer(a, same ? N_DELAY : N_CLOSE, 1);
        CHECK_STR(
            told(t),
            same ? STR("32.36 NtDelayExecution(TRUE, 0x2) = 0x102 "
                       "STATUS_TIMEOUT\n")
                 : STR("32.36 NtDelayExecution(TRUE, 0x2 <unfinished ...>\n"
                       "32.36 NtClose(0x1) = 0x102 STATUS_TIMEOUT "
                       "(DIRECT: demo.exe+0x1234)\n"));
        trace_close(t);
    }
}

static void an_orphan_outside_all_stubs_is_direct(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);

    chunk_return_at(&c, 1, 0x1f0014, STACK, 0x100, 0,
                    RECORD_ORPHAN | RECORD_WAITS);
    chunk_return_at(&c, 2, 0x1f0014, STACK, 0x100, 0,
                    RECORD_ORPHAN | RECORD_WAITS);
    chunk_return_at(&c, 3, 0x1f0014, STACK, 0x100, 5,
                    RECORD_ORPHAN | RECORD_WAITS);
    chunk_return_at(&c, 4, 0x800010, STACK, 0x100, 6, RECORD_ORPHAN);
    chunk_return_at(&c, 5, 0x700010, STACK, 0x100, 7, RECORD_ORPHAN);
    feed(a, &c);
    answer(a, N_DELAY, 0x11);
    answer(a, 0x1fff, 0x12);
    CHECK(tell_answer(a, &(struct journal_answer){ 0 }));
    CHECK_STR(told(t), STR("32.36 NtDelayExecution(17, ?) = 0 "
                           "(DIRECT: private 0x1f0000+0x14)\n"
                           "32.36 syscall_0x1fff(0x12, ?, ?, ?, ...) = 0 "
                           "(DIRECT: private 0x1f0000+0x14)\n"
                           "32.36 syscall_?(?) = 0x5 "
                           "(DIRECT: private 0x1f0000+0x14)\n"
                           "32.36 syscall_?(?) = 0x6 "
                           "(DIRECT: mapped \"C:\\a^\"b^{1B}.dll\"+0x10)\n"
                           "32.36 syscall_?(?) = 0x7 "
                           "(DIRECT: unmapped 0x700000+0x10)\n"));
    CHECK_U64(model_counts(t->m).orphans, 5);
    trace_close(t);
}

static void a_direct_call_keeps_its_stack_arguments(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);
    struct journal_answer told_by = { .number_known = true,
                                      .number = N_CREATE_FILE,
                                      .argument = 0x4c,
                                      .more_count = 5,
                                      .more = { 5, 6, 7, 8, 9 } };

    chunk_return_at(&c, 1, 0x1f0014, STACK, 0x100, 0,
                    RECORD_ORPHAN | RECORD_WAITS);
    chunk_return_at(&c, 2, 0x1f0014, STACK, 0x100, 0,
                    RECORD_ORPHAN | RECORD_WAITS);
    feed(a, &c);
    CHECK(tell_answer(a, &told_by));
    told_by.more_count = UINT8_MAX;
    CHECK(tell_answer(a, &told_by));
    CHECK_STR(told(t), STR("32.36 NtCreateFile(0x4c, ?, ?, ?, 0x5, "
                           "FILE_ATTRIBUTE_HIDDEN|FILE_ATTRIBUTE_SYSTEM, "
                           "FILE_SHARE_READ|FILE_SHARE_WRITE|FILE_SHARE_DELETE"
                           ", 8, FILE_DIRECTORY_FILE|"
                           "FILE_NO_INTERMEDIATE_BUFFERING, ?, ?) = 0 "
                           "(DIRECT: private 0x1f0000+0x14)\n"
                           "32.36 NtCreateFile(0x4c, ?, ?, ?, 0x5, "
                           "FILE_ATTRIBUTE_HIDDEN|FILE_ATTRIBUTE_SYSTEM, "
                           "FILE_SHARE_READ|FILE_SHARE_WRITE|FILE_SHARE_DELETE"
                           ", 8, FILE_DIRECTORY_FILE|"
                           "FILE_NO_INTERMEDIATE_BUFFERING, NULL, 0) = 0 "
                           "(DIRECT: private 0x1f0000+0x14)\n"));
    trace_close(t);
}

static void a_direct_set_context_is_direct_if_stubs_are_patched(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);

    chunk_return_at(&c, 1, 0x140001000, STACK, 0x100, 0,
                    RECORD_ORPHAN | RECORD_WAITS);
    feed(a, &c);
    answer(a, N_SET_CONTEXT, 9);
    CHECK_STR(told(t), STR("32.36 NtSetContextThread(0x9, ?) = 0 "
                           "(DIRECT: demo.exe+0x1000)\n"));
    trace_close(t);
}

static void an_orphan_in_a_patched_stub_is_indirect(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);
    struct journal_answer told_by = {
        .number_known = true,
        .number = N_CLOSE,
        .argument = 0x54,
        .caller = 0x1f003a,
    };

    chunk_return_at(&c, 1, stub_at(N_YIELD) + 0x14, STACK, 0x100, 0,
                    RECORD_ORPHAN | RECORD_WAITS);
    chunk_return_at(&c, 2, stub_at(N_YIELD) + 0x14, STACK, 0x100, 0,
                    RECORD_ORPHAN);
    feed(a, &c);
    CHECK(tell_answer(a, &told_by));
    CHECK_STR(told(t),
              STR("32.36 NtClose(0x54) = 0 (INDIRECT: NtYieldExecution+0x14 "
                  "from private 0x1f0000+0x3a)\n"
                  "32.36 syscall_?(?) = 0 "
                  "(INDIRECT: NtYieldExecution+0x14 from ?)\n"));
    trace_close(t);
}

/* As it was found out then; what came later at that place is another one. */
static void a_place_is_told_as_it_was_found(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);
    struct journal_answer told_by = { 0 };
    char name[] = "C:\\x.bin";

    chunk_return_at(&c, 2, 0x400001, STACK, 0x100, 0,
                    RECORD_ORPHAN | RECORD_WAITS);
    feed(a, &c);
    tell_place_at(t->p, 2 * TICKS, 0x400000, 0x401000, PLACE_MAPPED,
                  str_of(name));
    tell_place_at(t->p, 3 * TICKS, 0x400000, 0x401000, PLACE_PRIVATE, STR(""));
    CHECK(tell_answer(a, &told_by));
    memset(name, 'z', sizeof(name));
    CHECK_STR(told(t), STR("32.36 syscall_?(?) = 0 "
                           "(DIRECT: mapped \"C:\\x.bin\"+0x1)\n"));
    trace_close(t);
}

/* The agent remembers fewer open calls than we do. */
static void a_known_entry_explains_what_the_agent_took_for_an_orphan(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);

    chunk_entry(&c, 1, N_CLOSE, STACK, 0x100, 1, 0, 0);
    chunk_return_at(&c, 2, stub_at(N_CLOSE) + 0x14, STACK, 0x100, 0,
                    RECORD_ORPHAN | RECORD_WAITS);
    chunk_return_at(&c, 3, 0x1f0014, STACK, 0x100, 0,
                    RECORD_ORPHAN | RECORD_WAITS);
    feed(a, &c);
    answer(a, N_CLOSE, 1);
    answer(a, N_YIELD, 0);
    CHECK_STR(told(t), STR("32.36 NtClose(0x1) = 0\n"
                           "32.36 NtYieldExecution() = 0 "
                           "(DIRECT: private 0x1f0000+0x14)\n"));
    trace_close(t);
}

static void a_return_into_an_unpatched_stub_is_ordinary(void)
{
    chunk_return_at(&c, 1, stub_at(N_FOREIGN) + 0x14, STACK, 0x100, 0,
                    RECORD_ORPHAN);
    GIVES(MODE_PATCHED, "32.36 NtTestAlert() = 0\n");
}

static void without_patches_every_return_in_a_stub_is_a_call(void)
{
    chunk_return(&c, 1, N_CLOSE, STACK, 0x100, 0);
    chunk_return_at(&c, 2, stub_at(N_DELAY) + 0x17, STACK, 0x100, 0x102,
                    RECORD_ORPHAN);
    chunk_return_at(&c, 3, 0x1f0014, STACK, 0x100, 0, RECORD_ORPHAN);
    GIVES(MODE_RETURNS, "32.36 NtClose(?) = 0\n"
                        "32.36 NtDelayExecution(?) = 0x102 "
                        "STATUS_TIMEOUT\n"
                        "32.36 syscall_?(?) = 0 "
                        "(DIRECT: private 0x1f0000+0x14)\n");
}

static void where_all_are_asked_the_answer_names_them(void)
{
    struct trace *t = trace_open(MODE_ASKED);
    struct model_thread *a = add_thread(t, 36);

    chunk_return_at(&c, 1, stub_at(N_CLOSE) + 0x14, STACK, 0x100, 0,
                    RECORD_ORPHAN | RECORD_WAITS);
    chunk_return_at(&c, 2, stub_at(N_YIELD) + 0x14, STACK, 0x100, 0,
                    RECORD_ORPHAN | RECORD_WAITS);
    chunk_return_at(&c, 3, 0x140001000, STACK, 0x100, 0,
                    RECORD_ORPHAN | RECORD_WAITS);
    chunk_return_at(&c, 4, stub_at(N_YIELD) + 0x14, STACK, 0x100, 0,
                    RECORD_ORPHAN | RECORD_WAITS);
    feed(a, &c);
    answer(a, N_CLOSE, 0x4c);
    answer(a, N_CLOSE, 0x50);
    answer(a, N_SET_CONTEXT, 9);
    CHECK(tell_answer(a, &(struct journal_answer){ 0 }));
    CHECK_STR(told(t), STR("32.36 NtClose(0x4c) = 0\n"
                           "32.36 NtClose(0x50) = 0 "
                           "(INDIRECT: NtYieldExecution+0x14 from ?)\n"
                           "32.36 NtSetContextThread(0x9, ?) = 0\n"
                           "32.36 syscall_?(?) = 0\n"));
    trace_close(t);
}

static void an_exception_ends_the_call_that_raised_it(void)
{
    uint64_t words[] = { 0xe0000001, 0, 0x6ff200010, 0, 0, 0, 0, 0 };

    chunk_entry(&c, 1, N_RAISE, STACK, 0x100, 1, 2, 0);
    chunk_transition(&c, 2, TRANSITION_EXCEPTION, 0x600, 0, 8, words);
    chunk_entry(&c, 3, N_CLOSE, STACK, 0x800, 3, 0, 0);
    chunk_return(&c, 4, N_CLOSE, STACK, 0x800, 0);
    GIVES(MODE_PATCHED,
          "32.36 NtRaiseException(0x1, 0x2, 3) = ?\n"
          "32.36 --- EXCEPTION 0xe0000001 {Address=ntdll.dll+0x100010} "
          "---\n"
          "32.36 NtClose(0x3) = 0\n");
}

static void a_raised_status_is_the_return_of_its_call(void)
{
    chunk_entry(&c, 1, N_CLOSE, STACK, 0x100, 0x54, 0, 0);
    chunk_transition(&c, 2, TRANSITION_RAISE, 0x100, 0xc0000008, 0, NULL);
    GIVES(MODE_PATCHED,
          "32.36 NtClose(0x54) = 0xc0000008 STATUS_INVALID_HANDLE\n"
          "32.36 --- RAISE STATUS_INVALID_HANDLE ---\n");
}

static void open_calls_are_bounded(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);

    for (uint64_t i = 0; i < 3 * OPEN_MAX; i++) {
        chunk_entry(&c, i, N_CLOSE, 0x1000000 * (i + 1), 0x100, i, 0, 0);
        feed(a, &c);
    }
    model_flush(t->m);
    CHECK(model_counts(t->m).dropped >= 2 * OPEN_MAX);
    CHECK(model_counts(t->m).dropped <= 3 * OPEN_MAX);
    trace_close(t);
}

int main(void)
{
    const struct test tests[] = {
        TEST(a_call_is_its_entry_and_its_return),
        TEST(what_a_rule_has_changed_is_told_with_its_call),
        TEST(both_forms_of_return_belong_to_a_stub),
        TEST(a_call_that_was_under_way_is_told_as_far_as_it_is_known),
        TEST(stack_arguments_are_shown_as_many_as_the_call_has),
        TEST(arguments_that_were_not_read_are_unknown),
        TEST(a_call_without_prototype_shows_the_registers),
        TEST(a_new_entry_ends_older_ones_at_and_below_it),
        TEST(the_loaders_report_of_changed_functions_is_of_our_making),
        TEST(an_entry_on_another_stack_ends_nothing),
        TEST(a_return_ends_what_was_nested_in_its_call),
        TEST(calls_that_go_elsewhere_end_themselves),
        TEST(one_that_failed_to_go_elsewhere_is_no_indirect_call),
        TEST(one_that_comes_back_with_success_is_told_and_no_indirect_call),
        TEST(an_interrupting_apc_brings_the_result),
        TEST(an_apc_ends_only_the_call_that_its_frame_names),
        TEST(three_thousand_nested_apcs_are_paired),
        TEST(a_set_context_returns_wherever_it_lands),
        TEST(a_failing_set_context_returns_as_any_call),
        TEST(a_redirected_call_is_known_by_the_kernels_word),
        TEST(an_orphan_outside_all_stubs_is_direct),
        TEST(a_direct_call_keeps_its_stack_arguments),
        TEST(a_direct_set_context_is_direct_if_stubs_are_patched),
        TEST(an_orphan_in_a_patched_stub_is_indirect),
        TEST(a_place_is_told_as_it_was_found),
        TEST(a_known_entry_explains_what_the_agent_took_for_an_orphan),
        TEST(a_return_into_an_unpatched_stub_is_ordinary),
        TEST(without_patches_every_return_in_a_stub_is_a_call),
        TEST(where_all_are_asked_the_answer_names_them),
        TEST(an_exception_ends_the_call_that_raised_it),
        TEST(a_raised_status_is_the_return_of_its_call),
        TEST(open_calls_are_bounded),
    };

    return check_run(tests, COUNT_OF(tests));
}
