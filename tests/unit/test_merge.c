/* SPDX-License-Identifier: MIT */
/*
 * test_merge - model/model.c and model/queue.c: order, patience, notices,
 * and bytes that are no records.
 */
#include "unit/trace.h"

#include "unit/check.h"

static struct chunk c;

static void call(struct model_thread *t, uint64_t us, uint64_t argument)
{
    chunk_entry(&c, us, N_CLOSE, STACK, 0x100, argument, 0, 0);
    chunk_return(&c, us + 1, N_CLOSE, STACK, 0x100, 0);
    feed(t, &c);
}

static str so_far(struct trace *t)
{
    return (str){ t->size > 0 ? t->out : "", t->size };
}

static void threads_are_merged_by_time(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);
    struct model_thread *b = add_thread(t, 44);

    chunk_entry(&c, 1, N_CLOSE, STACK, 0x100, 1, 0, 0);
    chunk_return(&c, 4, N_CLOSE, STACK, 0x100, 0);
    feed(a, &c);
    chunk_entry(&c, 2, N_CLOSE, STACK_2, 0x100, 2, 0, 0);
    chunk_return(&c, 3, N_CLOSE, STACK_2, 0x100, 0);
    feed(b, &c);
    CHECK_STR(told(t), STR("32.36 NtClose(0x1 <unfinished ...>\n"
                           "32.44 NtClose(0x2) = 0\n"
                           "32.36 <... NtClose resumed>) = 0\n"));
    trace_close(t);
}

static void ties_go_by_who_was_opened_first(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);
    struct model_thread *b = add_thread(t, 44);

    chunk_entry(&c, 1, N_CLOSE, STACK, 0x100, 2, 0, 0);
    feed(b, &c);
    chunk_entry(&c, 1, N_CLOSE, STACK, 0x100, 1, 0, 0);
    feed(a, &c);
    CHECK_STR(told(t), STR("32.36 NtClose(0x1 <unfinished ...>\n"
                           "32.44 NtClose(0x2 <unfinished ...>\n"));
    trace_close(t);
}

static void nothing_is_told_before_the_slowest_has_come_so_far(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);
    struct model_thread *b = add_thread(t, 44);

    call(a, 10, 1);
    call(a, 30, 2);
    model_thread_bound(b, 20 * TICKS);
    model_thread_bound(b, 5 * TICKS); /* does not go back */
    model_run(t->m, 40 * TICKS);
    CHECK_STR(so_far(t), STR("32.36 NtClose(0x1) = 0\n"));
    call(b, 25, 3);
    model_thread_bound(b, 40 * TICKS);
    model_run(t->m, 40 * TICKS);
    CHECK_STR(so_far(t), STR("32.36 NtClose(0x1) = 0\n"
                             "32.44 NtClose(0x3) = 0\n"
                             "32.36 NtClose(0x2) = 0\n"));
    CHECK_U64(model_counts(t->m).late, 0);
    trace_close(t);
}

static void who_stays_behind_is_passed_over_and_late(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);
    struct model_thread *b = add_thread(t, 44);

    model_thread_bound(b, 5 * TICKS);
    call(a, 10, 1);
    model_run(t->m, 100005 * TICKS);
    CHECK_STR(so_far(t), STR(""));
    model_run(t->m, 100006 * TICKS);
    CHECK_STR(so_far(t), STR("32.36 NtClose(0x1) = 0\n"));
    call(b, 6, 2);
    model_run(t->m, 100007 * TICKS);
    CHECK_STR(so_far(t), STR("32.36 NtClose(0x1) = 0\n"
                             "32.44 NtClose(0x2) = 0\n"));
    CHECK_U64(model_counts(t->m).late, 2);
    trace_close(t);
}

static void an_orphan_waits_for_its_answer_but_not_forever(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);
    struct journal_answer answer = { .number_known = true, .number = N_YIELD };

    for (uint64_t i = 1; i < 4; i++) {
        chunk_return_at(&c, i, 0x1f0000 + i, STACK, 0x100, 0,
                        RECORD_ORPHAN | RECORD_WAITS);
    }
    feed(a, &c);
    model_thread_bound(a, 50 * TICKS);
    model_run(t->m, 50 * TICKS);
    CHECK_STR(so_far(t), STR(""));
    CHECK(tell_answer(a, &answer));
    model_run(t->m, 50 * TICKS);
    CHECK_STR(so_far(t), STR("32.36 NtYieldExecution() = 0 "
                             "(DIRECT: private 0x1f0000+0x1)\n"));
    t->size = 0;
    model_run(t->m, 100003 * TICKS);
    CHECK_STR(so_far(t), STR("32.36 syscall_?(?) = 0 "
                             "(DIRECT: private 0x1f0000+0x2)\n"));
    t->size = 0;
    /* The answer that came too late must not name the next one. */
    answer.number = N_CLOSE;
    CHECK(tell_answer(a, &answer));
    answer.number = N_YIELD;
    CHECK(tell_answer(a, &answer));
    model_run(t->m, 100003 * TICKS);
    CHECK_STR(so_far(t), STR("32.36 NtYieldExecution() = 0 "
                             "(DIRECT: private 0x1f0000+0x3)\n"));
    CHECK_U64(model_counts(t->m).unanswered, 1);
    trace_close(t);
}

static void threads_end_with_their_calls(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);
    struct model_thread *b = add_thread(t, 44);

    chunk_entry(&c, 1, N_TERMINATE_THREAD, STACK, 0x100, 0, 7, 0);
    feed(a, &c);
    /* What it said itself is right whatever was found out. */
    tell_thread_end(a, 0, 0);
    chunk_entry(&c, 2, N_DELAY, STACK, 0x100, 1, 2, 0);
    feed(b, &c);
    tell_thread_end(b, 0xc0000005, 5 * TICKS);
    CHECK_STR(told(t), STR("32.36 NtTerminateThread(NULL, 7) = ?\n"
                           "32.36 +++ thread exited with 7 +++\n"
                           "32.44 NtDelayExecution(TRUE, 0x2) = ?\n"
                           "32.44 +++ thread ended with 0xc0000005 "
                           "STATUS_ACCESS_VIOLATION +++\n"));
    trace_close(t);
}

static void a_code_that_nobody_knows_is_not_zero(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);
    struct model_thread *b = add_thread(t, 44);

    tell_thread_gone(a, 0);
    chunk_entry(&c, 1, N_TERMINATE_THREAD, STACK, 0x100, 0, 0x1234, 0);
    feed(b, &c);
    tell_thread_gone(b, 0);
    CHECK_STR(told(t), STR("32.44 NtTerminateThread(NULL, 4660) = ?\n"
                           "32.44 +++ thread exited with 4660 +++\n"));
    trace_close(t);
}

static void a_thread_that_has_ended_holds_nobody_up(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);
    struct model_thread *b = add_thread(t, 44);

    tell_thread_end(b, 0, 5 * TICKS);
    call(a, 10, 1);
    model_thread_bound(a, 20 * TICKS);
    model_run(t->m, 20 * TICKS);
    CHECK_STR(so_far(t), STR("32.44 +++ thread ended with 0 +++\n"
                             "32.36 NtClose(0x1) = 0\n"));
    trace_close(t);
}

static void a_process_ends_by_its_own_call(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);
    struct model_thread *b = add_thread(t, 44);

    chunk_entry(&c, 0, N_DELAY, STACK_2, 0x100, 1, 2, 0);
    feed(a, &c);
    chunk_entry(&c, 1, N_TERMINATE_PROCESS, STACK, 0x100, 0, 3, 0);
    chunk_return(&c, 2, N_TERMINATE_PROCESS, STACK, 0x100, 0);
    chunk_entry(&c, 3, N_TERMINATE_PROCESS, STACK, 0x100, (uint64_t)-1, 3, 0);
    feed(b, &c);
    tell_thread_end(a, 3, 3 * TICKS);
    tell_thread_end(b, 3, 3 * TICKS);
    tell_process_over(t->p, 3, 3 * TICKS);
    CHECK_STR(told(t), STR("32.36 NtDelayExecution(TRUE, 0x2 <unfinished ...>\n"
                           "32.44 NtTerminateProcess(NULL, 3) = 0\n"
                           "32.36 <... NtDelayExecution resumed>) = ?\n"
                           "32.36 +++ thread terminated with 3 +++\n"
                           "32.44 NtTerminateProcess(NtCurrentProcess, 3) = ?\n"
                           "32.44 +++ exited with 3 +++\n"));
    trace_close(t);
}

static void whose_end_nobody_saw_has_ended(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);

    chunk_entry(&c, 1, N_DELAY, STACK, 0x100, 1, 2, 0);
    feed(a, &c);
    tell_process_over(t->p, 0x80000003, 0);
    CHECK_STR(told(t), STR("32.36 NtDelayExecution(TRUE, 0x2) = ?\n"
                           "32.36 +++ ended with 0x80000003 "
                           "STATUS_BREAKPOINT +++\n"));
    trace_close(t);
}

/* The call was begun, and somebody else was faster: the code tells. */
static void an_end_with_another_code_is_not_its_own(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);

    chunk_entry(&c, 1, N_TERMINATE_PROCESS, STACK, 0x100, (uint64_t)-1, 3, 0);
    feed(a, &c);
    tell_process_over(t->p, 4, 3 * TICKS);
    CHECK_STR(told(t), STR("32.36 NtTerminateProcess(NtCurrentProcess, 3) = ?\n"
                           "32.36 +++ ended with 4 +++\n"));
    trace_close(t);
}

/* What NtTerminateProcess(NULL) does to other threads is not the end of the
 * process. */
static void ending_the_others_is_no_end_of_the_process(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);

    chunk_entry(&c, 1, N_TERMINATE_PROCESS, STACK, 0x100, 0, 3, 0);
    chunk_return(&c, 2, N_TERMINATE_PROCESS, STACK, 0x100, 0);
    feed(a, &c);
    tell_process_over(t->p, 3, 3 * TICKS);
    CHECK_STR(told(t), STR("32.36 NtTerminateProcess(NULL, 3) = 0\n"
                           "32.36 +++ ended with 3 +++\n"));
    trace_close(t);
}

/* The records of a thread that had ended itself may come to their end only
 * after the one that ended the process. */
static void a_late_end_of_a_thread_is_not_the_end_of_the_process(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);
    struct model_thread *b = add_thread(t, 44);

    chunk_entry(&c, 1, N_TERMINATE_THREAD, STACK, 0x100, 0, 1, 0);
    feed(b, &c);
    chunk_entry(&c, 2, N_TERMINATE_PROCESS, STACK, 0x100, (uint64_t)-1, 5, 0);
    feed(a, &c);
    tell_thread_end(a, 5, 3 * TICKS);
    tell_thread_end(b, 1, 4 * TICKS);
    tell_process_over(t->p, 5, 4 * TICKS);
    CHECK(str_ends(told(t), STR("32.44 +++ thread exited with 1 +++\n"
                                "32.36 +++ exited with 5 +++\n")));
    trace_close(t);
}

/* A fast fail enters the program nowhere: there is its status alone. */
static void a_fast_fail_kills(void)
{
    for (int own = 0; own < 2; own++) {
        struct trace *t = trace_open(MODE_PATCHED);
        struct model_thread *a = add_thread(t, 36);

        chunk_entry(&c, 1, own ? N_TERMINATE_PROCESS : N_DELAY, STACK, 0x100,
                    (uint64_t)-1, 0xc0000409, 0);
        feed(a, &c);
        tell_process_over(t->p, 0xc0000409, 3 * TICKS);
        CHECK(str_ends(
            told(t),
            own ? STR("\n32.36 +++ exited with 0xc0000409 "
                      "STATUS_STACK_BUFFER_OVERRUN +++\n")
                : STR("\n32.36 +++ killed by STATUS_STACK_BUFFER_OVERRUN "
                      "+++\n")));
        trace_close(t);
    }
}

/* Handle 1c0h is thread 44 of the process, 1c4h the thread itself, 1c8h the
 * process, 1cch another one that is traced. */
static void open_handles(struct model_thread *t)
{
    static const struct {
        uint32_t number;
        uint64_t value;
        uint64_t pid;
        uint64_t tid;
    } rows[] = {
        { N_OPEN_THREAD, 0x1c0, 32, 44 },
        { N_OPEN_THREAD, 0x1c4, 32, 36 },
        { N_OPEN_PROCESS, 0x1c8, 32, 0 },
        { N_OPEN_PROCESS, 0x1cc, 40, 0 },
    };

    for (uint64_t i = 0; i < COUNT_OF(rows); i++) {
        const uint64_t args[] = { 0x230000, 0x1fffff, 0, 0x230010 };
        const uint64_t id[] = { rows[i].pid, rows[i].tid };

        chunk_data(&c, 1, rows[i].number, 0x100, 0, 3, 0x230010, id, 16);
        chunk_call(&c, 1, rows[i].number, 0x100, 4, args);
        chunk_data(&c, 1, rows[i].number, 0x100, RECORD_AT_RETURN, 0, 0x230000,
                   &rows[i].value, 8);
        chunk_return(&c, 1, rows[i].number, STACK, 0x100, 0);
    }
    feed(t, &c);
}

static void who_ends_another_is_known_by_the_handle(void)
{
    static const struct {
        const char *why;
        uint32_t number;
        uint64_t handle;
        uint64_t code;
        uint64_t result;  // 1: it does not come back
        const char *last;
    } cases[] = {
        { "nobody knows that it was not over", N_TERMINATE_THREAD, 0x1c0, 5, 0,
          "\n32.44 +++ thread ended with 5 +++\n" },
        { "another thread", N_TERMINATE_THREAD, 0x1c0, 5, 0,
          "\n32.44 +++ thread terminated with 5 +++\n" },
        { "it had another code", N_TERMINATE_THREAD, 0x1c0, 6, 0,
          "\n32.44 +++ thread ended with 5 +++\n" },
        { "the call fails", N_TERMINATE_THREAD, 0x1c0, 5, 0xc0000022,
          "\n32.44 +++ thread ended with 5 +++\n" },
        { "the thread itself", N_TERMINATE_THREAD, 0x1c4, 9, 1,
          "\n32.36 +++ thread exited with 9 +++\n" },
        { "its own process", N_TERMINATE_PROCESS, 0x1c8, 7, 1,
          "\n32.36 +++ exited with 7 +++\n" },
        { "another process", N_TERMINATE_PROCESS, 0x1cc, 8, 0,
          "\n40.48 +++ terminated with 8 +++\n" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct trace *t = trace_open(MODE_PATCHED);
        struct model_process *other = add_process(t, 40, MODE_PATCHED);
        struct model_thread *a = add_thread(t, 36);
        struct model_thread *b = add_thread(t, 44);

        model_thread_open(other, 48, 1, 0);
        if (i > 0) {
            chunk_entry(&c, 1, N_DELAY, STACK_2, 0x100, 1, 2, 0);
            feed(b, &c);
        }
        open_handles(a);
        chunk_entry(&c, 2, cases[i].number, STACK, 0x100, cases[i].handle,
                    cases[i].code, 0);
        if (cases[i].result != 1) {
            chunk_return(&c, 3, cases[i].number, STACK, 0x100, cases[i].result);
        }
        feed(a, &c);
        if (strstr(cases[i].last, "32.44")) {
            tell_thread_end(b, 5, 4 * TICKS);
        } else if (strstr(cases[i].last, "thread")) {
            tell_thread_end(a, 9, 4 * TICKS);
        } else if (strstr(cases[i].last, "40.48")) {
            tell_process_over(other, 8, 4 * TICKS);
        } else {
            tell_process_over(t->p, 7, 4 * TICKS);
        }
        model_flush(t->m);
        if (!str_ends(so_far(t), str_of(cases[i].last))) {
            check_str(so_far(t), str_of(cases[i].last), cases[i].why);
        }
        trace_close(t);
    }
}

static void the_last_threads_own_end_is_the_processs(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);
    struct model_thread *b = add_thread(t, 44);

    chunk_entry(&c, 1, N_TERMINATE_THREAD, STACK, 0x100, 0, 1, 0);
    feed(a, &c);
    tell_thread_end(a, 1, 2 * TICKS);
    chunk_entry(&c, 3, N_TERMINATE_THREAD, STACK, 0x100, 0, 2, 0);
    feed(b, &c);
    tell_thread_end(b, 2, 4 * TICKS);
    tell_process_over(t->p, 2, 5 * TICKS);
    CHECK_STR(told(t), STR("32.36 NtTerminateThread(NULL, 1) = ?\n"
                           "32.36 +++ thread exited with 1 +++\n"
                           "32.44 NtTerminateThread(NULL, 2) = ?\n"
                           "32.44 +++ thread exited with 2 +++\n"
                           "32.36 +++ exited with 2 +++\n"));
    trace_close(t);

    /* Of two that were there one has ended itself: the process has not. */
    t = trace_open(MODE_PATCHED);
    a = add_thread(t, 36);
    b = add_thread(t, 44);
    chunk_entry(&c, 1, N_TERMINATE_THREAD, STACK, 0x100, 0, 1, 0);
    feed(a, &c);
    tell_thread_end(a, 1, 2 * TICKS);
    tell_process_over(t->p, 2, 5 * TICKS);
    CHECK_STR(told(t), STR("32.36 NtTerminateThread(NULL, 1) = ?\n"
                           "32.36 +++ thread exited with 1 +++\n"
                           "32.36 +++ ended with 2 +++\n"));
    trace_close(t);
}

static void without_entries_nobody_knows_who_ended_it(void)
{
    struct trace *t = trace_open(MODE_RETURNS);
    struct model_thread *a = add_thread(t, 36);

    tell_thread_end(a, 1, 0);
    tell_process_over(t->p, 2, 0);
    CHECK_STR(told(t), STR("32.36 +++ thread ended with 1 +++\n"
                           "32.36 +++ ended with 2 +++\n"));
    trace_close(t);
}

/* How a process ends after an exception, by what follows the exception. */
static void an_exception_kills_unless_it_was_handled(void)
{
    static const uint64_t words[] = { 0xc0000005, 0, 0x140001490, 2, 1, 0x10 };
    static const struct {
        const char *why;
        uint32_t number;
        uint64_t below;
        bool killed;
    } cases[] = {
        { "nothing more", N_COUNT, 0, true },
        { "the handler calls something", N_YIELD, 0x900, true },
        { "the kernel is told to give up", N_RAISE, 0x900, true },
        { "it goes on", N_CONTINUE, 0x900, false },
        { "its frame is left without NtContinue", N_YIELD, 0x100, false },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct trace *t = trace_open(MODE_PATCHED);
        struct model_thread *a = add_thread(t, 36);

        chunk_transition(&c, 1, TRANSITION_EXCEPTION, 0x800, 0, 6, words);
        if (cases[i].number != N_COUNT) {
            chunk_entry(&c, 2, cases[i].number, STACK, cases[i].below, 1, 2, 0);
        }
        feed(a, &c);
        tell_process_over(t->p, 0xc0000005, 0);
        if (!str_ends(told(t),
                      cases[i].killed
                          ? STR("+++ killed by STATUS_ACCESS_VIOLATION +++\n")
                          : STR("+++ ended with 0xc0000005 "
                                "STATUS_ACCESS_VIOLATION +++\n"))) {
            check_true(false, cases[i].why, CHECK_AT);
        }
        CHECK(str_starts(
            so_far(t),
            STR("32.36 --- EXCEPTION STATUS_ACCESS_VIOLATION "
                "{Address=demo.exe+0x1490, Access=write, Target=0x10} ---\n")));
        trace_close(t);
    }
}

static void an_unseen_exception_kills_in_its_last_call(void)
{
    struct trace *t = trace_open(MODE_PATCHED);

    chunk_entry(&c, 1, N_RAISE, STACK, 0x100, 1, 2, 0);
    feed(add_thread(t, 36), &c);
    tell_process_over(t->p, 0xe06d7363, 0);
    CHECK_STR(told(t), STR("32.36 NtRaiseException(0x1, 0x2, 3) = ?\n"
                           "32.36 +++ killed by 0xe06d7363 +++\n"));
    trace_close(t);
}

static void the_line_of_a_process_is_its_last(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_process *other = add_process(t, 40, MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);
    struct model_thread *b = model_thread_open(other, 36, 1, 0);

    call(a, 10, 1);
    call(b, 20, 2);
    tell_process_over(t->p, 0, 1 * TICKS);
    chunk_entry(&c, 25, N_CLOSE, STACK, 0x100, 3, 0, 0);
    feed(b, &c);
    tell_notice_of(other, NOTICE_DETACHED, 30 * TICKS);
    CHECK_STR(told(t), STR("32.36 NtClose(0x1) = 0\n"
                           "32.36 +++ ended with 0 +++\n"
                           "40.36 NtClose(0x2) = 0\n"
                           "40.36 NtClose(0x3 <unfinished ...>\n"
                           "40.36 +++ detached +++\n"));
    trace_close(t);
}

static void a_process_without_threads_ends_too(void)
{
    struct trace *t = trace_open(MODE_RETURNS);

    tell_process_over(t->p, 0, 1);
    CHECK_STR(told(t), STR("32.? +++ ended with 0 +++\n"));
    trace_close(t);
}

static void losses_are_told_where_they_happened(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 48);

    call(a, 10, 1);
    tell_thread_lost(a, LOST_FULL, 12);
    tell_thread_lost(a, LOST_DATA, 5);
    call(a, 20, 2);
    tell_lost_of(t->p, LOST_NO_RING, 3, 15 * TICKS);
    CHECK_STR(told(t), STR("32.48 NtClose(0x1) = 0\n"
                           "32.48 +++ lost 12 records: ring full +++\n"
                           "32.48 +++ lost 5 pieces of data: ring full +++\n"
                           "32.48 +++ lost 3 records: no ring +++\n"
                           "32.48 NtClose(0x2) = 0\n"));
    trace_close(t);
}

static void times_are_corrected_when_they_cannot_be(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);
    struct model_thread *b = add_thread(t, 44);

    /* From the future, and then backwards. */
    chunk_entry(&c, 1ull << 40, N_CLOSE, STACK, 0x100, 1, 0, 0);
    chunk_return(&c, 1, N_CLOSE, STACK, 0x100, 0);
    CHECK_U64(model_feed(a, c.bytes, c.size, 10 * TICKS), c.size);
    c.size = 0;
    call(b, 11, 2);
    model_thread_bound(a, 20 * TICKS);
    model_thread_bound(b, 20 * TICKS);
    model_run(t->m, 20 * TICKS);
    CHECK_STR(so_far(t), STR("32.36 NtClose(0x1) = 0\n"
                             "32.44 NtClose(0x2) = 0\n"));
    CHECK_U64(model_counts(t->m).bad_times, 2);
    trace_close(t);
}

static void what_is_no_record_ends_its_chunk(void)
{
    static const struct {
        const char *why;
        uint32_t size;
        uint8_t kind;
        uint8_t flags;
        uint16_t number;
    } cases[] = {
        { "no size", 0, RECORD_RETURN, 0, 0 },
        { "less than a head", 4, RECORD_PAD, 0, 0 },
        { "not in eights", 52, RECORD_RETURN, 0, 0 },
        { "too small for its kind", 40, RECORD_RETURN, 0, 0 },
        { "too small for its arguments", 72, RECORD_ENTRY, 1, 0 },
        { "too many arguments", 192, RECORD_ENTRY, 14, 0 },
        { "more than there is", 0xfffffff8, RECORD_RETURN, 0, 0 },
        { "larger than any", 4104, RECORD_RETURN, 0, 0 },
        { "a kind of ours", 48, 0xe0, 0, 0 },
        { "no kind", 48, 0, 0, 0 },
        { "no transition", 48, RECORD_TRANSITION, 0, TRANSITION_COUNT },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct trace *t = trace_open(MODE_PATCHED);
        struct model_thread *a = add_thread(t, 36);

        chunk_entry(&c, 1, N_CLOSE, STACK, 0x100, 1, 0, 0);
        chunk_return(&c, 2, N_CLOSE, STACK, 0x100, 0);
        memset(c.bytes + c.size, 0, 5000);
        chunk_head(&c, cases[i].size, (enum record_kind)cases[i].kind,
                   cases[i].flags, cases[i].number, 3);
        c.size += 5000;
        feed(a, &c);
        call(a, 4, 2);
        if (!str_eq(told(t), STR("32.36 NtClose(0x1) = 0\n"
                                 "32.36 +++ lost 1 records: damaged +++\n"
                                 "32.36 NtClose(0x2) = 0\n"))) {
            check_true(false, cases[i].why, CHECK_AT);
        }
        CHECK_U64(model_counts(t->m).damaged, 1);
        trace_close(t);
    }
}

static void padding_is_passed_by(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);

    chunk_head(&c, 8, RECORD_PAD, 0, 0, 0);
    chunk_entry(&c, 1, N_CLOSE, STACK, 0x100, 1, 0, 0);
    chunk_head(&c, 4104, RECORD_PAD, 0, 0, 0);
    c.size += 4104 - 16;
    chunk_return(&c, 2, N_CLOSE, STACK, 0x100, 0);
    feed(a, &c);
    CHECK_STR(told(t), STR("32.36 NtClose(0x1) = 0\n"));
    CHECK_U64(model_counts(t->m).damaged, 0);
    trace_close(t);
}

static void one_thread_gets_no_more_than_its_share(void)
{
    struct text_options options = { .always_pid = true };
    struct model_config config = { .queue_bytes = 8192 };
    struct trace *t = trace_open_with(MODE_PATCHED, &options, &config, NULL);
    struct model_thread *a = add_thread(t, 36);
    size_t taken = 0;

    for (uint64_t i = 0; i < 200; i++) {
        chunk_entry(&c, i, N_CLOSE, STACK, 0x100, i, 0, 0);
        taken += model_feed(a, c.bytes, c.size, UINT64_MAX);
        c.size = 0;
    }
    CHECK(taken > 8192 - ENTRY_SIZE && taken <= 8192);
    trace_close(t);
}

static void a_full_queue_pushes_back(void)
{
    struct text_options options = { .always_pid = true };
    struct model_config config = { .queue_bytes = 8192, .queue_total = 8192 };
    struct trace *t = trace_open_with(MODE_PATCHED, &options, &config, NULL);
    struct model_thread *a = add_thread(t, 36);
    struct model_thread *b = add_thread(t, 44);
    size_t taken;
    size_t taken_b;
    size_t lines = 0;
    static struct chunk big;

    big.size = 0;
    for (uint64_t i = 0; big.size + 120 <= sizeof(big.bytes); i++) {
        chunk_entry(&big, 2 * i, N_CLOSE, STACK, 0x100, i, 0, 0);
        chunk_return(&big, 2 * i + 1, N_CLOSE, STACK, 0x100, 0);
    }
    taken = model_feed(a, big.bytes, big.size, UINT64_MAX);
    CHECK_U64(taken, big.size);
    CHECK(model_feed(a, big.bytes, big.size, UINT64_MAX) < 120);
    /* Another thread still gets room for a record. */
    taken_b = model_feed(b, big.bytes, big.size, UINT64_MAX);
    CHECK(taken_b >= 120 && taken_b <= 4096);
    for (str all = told(t); all.size > 0; all = str_slice(all, 1, all.size)) {
        lines += all.p[0] == '\n';
    }
    CHECK(lines >= big.size / 120);
    CHECK_U64(model_counts(t->m).queued, 0);
    /* And there is room again. */
    CHECK(model_feed(a, big.bytes, big.size, UINT64_MAX) > 3900);
    trace_close(t);
}

/* --- Many, and garbage ------------------------------------------------ */

struct count {
    uint64_t entered;
    uint64_t left;
    uint64_t last;
    bool ordered;
};

static void count_enter(void *ctx, const struct call *made)
{
    struct count *n = ctx;

    n->entered++;
    n->ordered &= made->late || made->entry_time >= n->last;
    n->last = made->late ? n->last : made->entry_time;
}

static void count_leave(void *ctx, const struct call *made)
{
    struct count *n = ctx;

    n->left++;
    n->ordered &= made->late || made->return_time >= n->last;
    n->last = made->late ? n->last : made->return_time;
}

static void count_transition(void *ctx, const struct transition_told *told_of)
{
    (void)ctx;
    (void)told_of;
}

static void count_notice(void *ctx, const struct notice *n)
{
    (void)ctx;
    (void)n;
}

static uint32_t random_state = 1;

static uint32_t random_u32(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

static void thousands_of_threads_are_merged_in_order(void)
{
    static struct model_thread *threads[5000];
    static uint64_t at[5000];
    struct count n = { .ordered = true };
    struct model_out out = {
        .ctx = &n,
        .enter = count_enter,
        .leave = count_leave,
        .transition = count_transition,
        .notice = count_notice,
    };
    struct text_options options = { 0 };
    struct model_config config = { 0 };
    struct trace *t = trace_open_with(MODE_PATCHED, &options, &config, &out);
    uint64_t calls = 0;

    for (uint32_t i = 0; i < 5000; i++) {
        threads[i] = add_thread(t, i);
        at[i] = 1;
    }
    for (uint64_t round = 1; round <= 20; round++) {
        for (uint32_t i = 0; i < 5000; i++) {
            while (at[i] < 100 * round && random_u32() % 4 != 0) {
                chunk_entry(&c, at[i], N_CLOSE, STACK, 0x100, i, 0, 0);
                at[i] += random_u32() % 60;
                chunk_return(&c, at[i], N_CLOSE, STACK, 0x100, 0);
                feed(threads[i], &c);
                calls++;
            }
            at[i] = at[i] < 100 * round ? 100 * round : at[i];
            model_thread_bound(threads[i], at[i] * TICKS);
            if (round == 20 || random_u32() % 50 == 0) {
                tell_thread_end(threads[i], 0, 0);
                threads[i] = add_thread(t, i);
                model_thread_bound(threads[i], at[i] * TICKS);
            }
        }
        model_run(t->m, 100 * round * TICKS);
    }
    model_flush(t->m);
    CHECK_U64(n.entered, calls);
    CHECK_U64(n.left, calls);
    CHECK_U64(model_counts(t->m).late, 0);
    CHECK(n.ordered);
    trace_close(t);
}

/* Random bytes, and good records with random bytes in them: each call that
 * was begun is ended once, all lines are whole, and nothing else happens. */
static void garbage_does_no_harm(void)
{
    for (uint32_t round = 0; round < 3000; round++) {
        struct text_options options = { .always_pid = true };
        struct model_config config = { .queue_bytes = 16384 };
        enum model_mode mode = (enum model_mode)(random_u32() % 3);
        struct trace *t = trace_open_with(mode, &options, &config, NULL);
        struct model_thread *a = add_thread(t, 36);
        struct model_thread *b = add_thread(t, 44);
        uint64_t words[TRANSITION_WORDS_MAX] = { 1, 2, 3, 4 };
        str all;

        for (uint32_t i = 0; i < 30; i++) {
            uint64_t below = 8 * (random_u32() % 64);
            uint64_t stack = random_u32() % 8 ? STACK : STACK_2;
            uint64_t us = i + random_u32() % 3;

            words[4] = stub_at(random_u32() % N_COUNT) + 0x14;
            words[5] = STACK - 8 * (random_u32() % 64);
            switch (random_u32() % 4) {
            case 0:
                chunk_transition(
                    &c, us, (enum transition)(random_u32() % TRANSITION_COUNT),
                    below, 0, random_u32() % 15, words);
                break;
            case 1:
                chunk_return_at(&c, us, stub_at(random_u32() % N_COUNT) + 0x14,
                                stack, below, random_u32(),
                                random_u32() % 2 ? RECORD_ORPHAN | RECORD_WAITS
                                                 : 0);
                break;
            default:
                chunk_entry(&c, us, random_u32() % (N_COUNT + 2), stack, below,
                            random_u32(), (uint64_t)-1, random_u32() % 14);
                break;
            }
        }
        if (round % 4 == 0) {
            for (size_t i = 0; i < c.size; i++) {
                c.bytes[i] = (uint8_t)random_u32();
            }
        }
        for (uint32_t i = round % 5; i > 0; i--) {
            c.bytes[random_u32() % c.size] = (uint8_t)random_u32();
        }
        if (random_u32() % 4 == 0) {
            c.size -= random_u32() % c.size;
        }
        model_feed(a, c.bytes, c.size, 1000 * TICKS);
        if (random_u32() % 2) {
            tell_answer(a, &(struct journal_answer){
                               .number_known = true,
                               .number = (uint16_t)random_u32() });
        }
        model_feed(b, c.bytes + random_u32() % c.size / 8 * 8, 8, 1000);
        model_run(t->m, 500 * TICKS);
        c.size = 0;
        tell_process_over(t->p, random_u32(), 0);
        all = told(t);
        CHECK(all.size == 0 || all.p[all.size - 1] == '\n');
        CHECK_U64(model_counts(t->m).queued, 0);
        trace_close(t);
    }
}

static void each_call_begun_is_ended_once(void)
{
    struct count n = { .ordered = true };
    struct model_out out = {
        .ctx = &n,
        .enter = count_enter,
        .leave = count_leave,
        .transition = count_transition,
        .notice = count_notice,
    };
    struct text_options options = { 0 };
    struct model_config config = { 0 };
    struct trace *t = trace_open_with(MODE_PATCHED, &options, &config, &out);
    struct model_thread *a = add_thread(t, 36);

    for (uint64_t i = 0; i < 100000; i++) {
        uint64_t below = 8 * (random_u32() % 64);
        uint64_t stack = random_u32() % 8 ? STACK : STACK_2;
        uint32_t number = random_u32() % N_FOREIGN;

        chunk_entry(&c, 2 * i, number, stack, below, random_u32() % 2, 0, 0);
        if (random_u32() % 4) {
            chunk_return(&c, 2 * i + 1, number, stack, below, 0);
        }
        feed(a, &c);
        if (i % 50 == 0) {
            model_run(t->m, 2 * i * TICKS);
        }
    }
    tell_thread_end(a, 0, 0);
    model_flush(t->m);
    /* Those that end themselves may return all the same. */
    CHECK(n.left >= n.entered);
    CHECK_U64(n.entered, 100000);
    CHECK_U64(n.left, model_counts(t->m).calls);
    CHECK(n.ordered);
    trace_close(t);
}

int main(void)
{
    const struct test tests[] = {
        TEST(threads_are_merged_by_time),
        TEST(ties_go_by_who_was_opened_first),
        TEST(nothing_is_told_before_the_slowest_has_come_so_far),
        TEST(who_stays_behind_is_passed_over_and_late),
        TEST(an_orphan_waits_for_its_answer_but_not_forever),
        TEST(threads_end_with_their_calls),
        TEST(a_code_that_nobody_knows_is_not_zero),
        TEST(a_thread_that_has_ended_holds_nobody_up),
        TEST(a_process_ends_by_its_own_call),
        TEST(whose_end_nobody_saw_has_ended),
        TEST(an_end_with_another_code_is_not_its_own),
        TEST(ending_the_others_is_no_end_of_the_process),
        TEST(a_late_end_of_a_thread_is_not_the_end_of_the_process),
        TEST(a_fast_fail_kills),
        TEST(the_last_threads_own_end_is_the_processs),
        TEST(who_ends_another_is_known_by_the_handle),
        TEST(without_entries_nobody_knows_who_ended_it),
        TEST(an_exception_kills_unless_it_was_handled),
        TEST(an_unseen_exception_kills_in_its_last_call),
        TEST(the_line_of_a_process_is_its_last),
        TEST(a_process_without_threads_ends_too),
        TEST(losses_are_told_where_they_happened),
        TEST(times_are_corrected_when_they_cannot_be),
        TEST(what_is_no_record_ends_its_chunk),
        TEST(padding_is_passed_by),
        TEST(one_thread_gets_no_more_than_its_share),
        TEST(a_full_queue_pushes_back),
        TEST(thousands_of_threads_are_merged_in_order),
        TEST(garbage_does_no_harm),
        TEST(each_call_begun_is_ended_once),
    };

    return check_run(tests, COUNT_OF(tests));
}
