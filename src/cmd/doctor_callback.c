/* SPDX-License-Identifier: MIT */
/*
 * doctor_callback.c - the instrumentation callback: how it is set, when it
 * runs, and with which registers. In a process of its own.
 *
 * Sets, replaces and clears this process's callback, and writes into TEBs of
 * its threads. Every comparison is a finding; a crash is one as well, for
 * doctor.c watches over this process.
 */
#include "cmd/doctor_check.h"
#include "platform/probe.h"
#include "tables/amd64/frames.h"

#include "base/banned.h"

#define STATUS_OF_APC 0xc0
#define STATUS_LENGTH 0xc0000004
#define STATUS_CLASS 0xc0000003
#define STATUS_BAD_HANDLE 0xc0000008
#define STATUS_VIOLATION 0xc0000005

#define BAD_HANDLE 0x7ffff1f0
#define APC_ARGUMENT UINT64_C(0x1234abcd0)

#define TEB_WORD 0x2d0
#define TEB_DISABLED 0x2ec

static uint32_t set(uint64_t callback)
{
    uint64_t words[2] = { 0, callback };

    return probe_set_callback(words, sizeof(words));
}

/* The call most checks make: NtClose of no handle. */
static struct probe_call close_call(uint64_t flags)
{
    struct probe_call c = { .fn = os_own_ntdll("NtClose"),
                            .a = { BAD_HANDLE, 0x2222, 0x3333, 0x4444 },
                            .more = { 0x5555, 0x6666 },
                            .flags = flags };

    return c;
}

static bool returns_into(uint64_t rip, const struct doctor_stub *s)
{
    return s->at != 0 && (rip == s->after_syscall || rip == s->after_int);
}

static void say_rip(struct doctor *d, const char *what, uint64_t rip,
                    uint64_t from)
{
    check_say(d, "%s", what);
    buf_add(&d->text, rip >= from ? STR("+") : STR("-"));
    buf_add_hex(&d->text, rip >= from ? rip - from : from - rip);
}

/* --- setting it --- */

static void check_lengths(struct doctor *d)
{
    uint64_t callback = probe_callback();
    uint64_t words[2] = { callback, 0 };
    uint64_t odd[2] = { 0, callback };
    uint32_t status;
    size_t events;

    check_begin(d, "callback/set-8", NOT_RELIED_ON);
    status = probe_set_callback(words, 8);
    probe_watch(false, 0);
    probe_close(BAD_HANDLE);
    events = probe_stop();
    check_same(d, status, 0);
    check_same(d, events, 1);
    check_hex(d, "8 bytes: status", status);
    check_say(d, "%zu events at a call", events);
    check_end(d);

    check_begin(d, "callback/wrong-length", NOT_RELIED_ON);
    status = probe_set_callback(odd, 12);
    check_same(d, status, STATUS_LENGTH);
    check_hex(d, "12 bytes: status", status);
    if (d->wine) {
        check_say(d, "Wine takes any length from 8 on");
    }
    check_end(d);

    check_begin(d, "callback/query", NOT_RELIED_ON);
    status = probe_query_callback();
    check_same(d, status, STATUS_CLASS);
    check_hex(d, "asking for it: status", status);
    check_end(d);
    set(0);
}

static void check_set(struct doctor *d)
{
    uint32_t first, second, clear;
    size_t at_first, at_second, at_clear, after;
    int privilege;

    probe_drop_debug_privilege();
    privilege = probe_debug_privilege();
    probe_watch(false, 0);
    first = set(probe_callback());
    at_first = probe_stop();
    probe_watch(false, 0);
    second = set(probe_callback());
    at_second = probe_stop();

    check_begin(d, "callback/set-16", RELIED_ON);
    check_same(d, first, 0);
    check_same(d, second, 0);
    check_hex(d, "16 bytes, version 0: status", first);
    check_hex(d, "again", second);
    check_end(d);

    check_begin(d, "callback/no-privilege", RELIED_ON);
    check_same(d, first, 0);
    if (first == 0 && privilege != 0) {
        check_unknown(d, privilege < 0 ? "our privileges are not known"
                                       : "SeDebugPrivilege cannot be "
                                         "disabled here");
    } else {
        check_hex(d, "without SeDebugPrivilege: status", first);
        if (d->wine) {
            check_say(d, "Wine asks for none");
        }
    }
    check_end(d);

    check_begin(d, "callback/first-set", NOT_RELIED_ON);
    check_same(d, at_first, 0);
    check_say(d, "%zu events at the call that sets it first", at_first);
    check_end(d);

    check_begin(d, "callback/second-set", NOT_RELIED_ON);
    check_same(d, at_second, 1);
    check_say(d, "%zu events at the call that sets it again", at_second);
    check_end(d);

    probe_watch(false, 0);
    clear = set(0);
    at_clear = probe_stop();
    probe_watch(false, 0);
    probe_close(BAD_HANDLE);
    after = probe_stop();

    check_begin(d, "callback/clear", NOT_RELIED_ON);
    check_same(d, clear, 0);
    check_same(d, at_clear, 0);
    check_same(d, after, 0);
    check_hex(d, "NULL: status", clear);
    check_say(d, "%zu events at that call", at_clear);
    check_say(d, "%zu after it", after);
    check_end(d);
}

/* --- a plain return --- */

static void check_return(struct doctor *d)
{
    struct doctor_stub stub = doctor_stub("NtClose");
    struct probe_call c = close_call(PROBE_FLAGS);
    const struct probe_event *e = probe_event(0);
    size_t events;

    probe_watch(false, 0);
    probe_call(&c);
    events = probe_stop();

    check_begin(d, "callback/once-a-call", RELIED_ON);
    check_same(d, events, 1);
    check_say(d, "%zu events for one NtClose", events);
    check_end(d);

    check_begin(d, "callback/r10", RELIED_ON);
    check_that(d, events > 0 && returns_into(e->regs.r10, &stub));
    say_rip(d, "r10 is NtClose", e->regs.r10, stub.at);
    check_end(d);

    check_begin(d, "callback/rax", RELIED_ON);
    check_same(d, e->regs.rax & 0xffffffff, STATUS_BAD_HANDLE);
    check_same(d, c.after.rax & 0xffffffff, STATUS_BAD_HANDLE);
    check_hex(d, "closing no handle: rax", e->regs.rax);
    check_end(d);

    check_begin(d, "callback/rsp", RELIED_ON);
    check_same(d, e->rsp, c.rsp);
    say_rip(d, "rsp is that at the stub", e->rsp, c.rsp);
    check_end(d);

    check_begin(d, "callback/stack-arguments", RELIED_ON);
    check_that(d, e->count > 6 && e->stack[5] == c.more[0] &&
                      e->stack[6] == c.more[1]);
    check_hex(d, "[rsp+28h]", e->stack[5]);
    check_hex(d, "[rsp+30h]", e->stack[6]);
    check_end(d);

    check_begin(d, "callback/volatile", NOT_RELIED_ON);
    check_same(d, e->regs.rdx, 0);
    check_same(d, e->regs.rcx, probe_callback());
    check_hex(d, "entered with rcx", e->regs.rcx);
    check_hex(d, "rdx", e->regs.rdx);
    check_hex(d, "r8", e->regs.r8);
    check_hex(d, "r9", e->regs.r9);
    check_hex(d, "r11", e->regs.r11);
    check_hex(d, "callback at", probe_callback());
    check_end(d);
}

static void check_kept(struct doctor *d)
{
    struct probe_call plain = close_call(PROBE_FLAGS);
    struct probe_call down = close_call(PROBE_FLAGS | PROBE_DF);
    const struct probe_event *e = probe_event(0);
    const struct probe_regs *r = &e->regs;
    const struct probe_regs *a = &plain.after;
    size_t events, kept = 0, vectors = 0, cleared = 0;

    probe_watch(false, 0);
    probe_call(&plain);
    events = probe_stop();
    {
        const uint64_t now[8] = { r->rbx, r->rbp, r->rsi, r->rdi,
                                  r->r12, r->r13, r->r14, r->r15 };
        const uint64_t after[8] = { a->rbx, a->rbp, a->rsi, a->rdi,
                                    a->r12, a->r13, a->r14, a->r15 };

        for (uint64_t i = 0; i < 8; i++) {
            kept += now[i] == PROBE_KEPT + i && after[i] == PROBE_KEPT + i;
        }
    }
    for (int i = 6; i < 16; i++) {
        vectors += plain.xmm[i][0] == probe_pattern[i][0] &&
                   plain.xmm[i][1] == probe_pattern[i][1];
    }
    check_begin(d, "callback/kept", RELIED_ON);
    check_that(d, events == 1 && kept == 8 && vectors == 10);
    check_say(d, "%zu of 8 general registers kept", kept);
    check_say(d, "%zu of XMM6-15", vectors);
    check_end(d);

    for (int i = 0; i < 6; i++) {
        cleared += (e->xmm[i][0] | e->xmm[i][1]) == 0;
    }
    check_begin(d, "callback/xmm0-5", NOT_RELIED_ON);
    check_same(d, cleared, 6);
    check_say(d, "%zu of XMM0-5 are zero", cleared);
    check_hex(d, "xmm0", e->xmm[0][0]);
    check_end(d);

    probe_watch(false, 0);
    probe_call(&down);
    events = probe_stop();
    check_begin(d, "callback/flags", RELIED_ON);
    check_that(d, events == 1 && (r->flags & PROBE_DF) != 0 &&
                      (down.after.flags & PROBE_DF) != 0);
    check_hex(d, "entered with DF set: flags", r->flags);
    check_hex(d, "after the call", down.after.flags);
    check_end(d);
}

/* A system call made by the program's own code. */
static void check_direct(struct doctor *d)
{
    struct doctor_stub stub = doctor_stub("NtClose");
    struct probe_call c = close_call(PROBE_FLAGS);
    const struct probe_event *e = probe_event(0);
    uint8_t bytes[32];
    struct os_process self = os_self();
    size_t events;

    check_begin(d, "callback/direct", RELIED_ON);
    if (!stub.clean || !os_read(&self, stub.at, bytes, sizeof(bytes)) ||
        (c.fn = probe_copy_code(bytes, sizeof(bytes))) == 0) {
        check_unknown(d, "NtClose cannot be copied; security software?");
    } else {
        probe_watch(false, 0);
        probe_call(&c);
        events = probe_stop();
        stub.after_syscall += c.fn - stub.at;
        stub.after_int += c.fn - stub.at;
        check_that(d, events == 1 && returns_into(e->regs.r10, &stub));
        check_same(d, e->regs.rax & 0xffffffff, STATUS_BAD_HANDLE);
        check_say(d, "%zu events", events);
        say_rip(d, "r10 is the copy", e->regs.r10, c.fn);
    }
    check_end(d);
}

/* --- a call that began before --- */

struct blocked {
    struct os_thread_start start;
    void *event;
    uint64_t teb;
};

static void block(void *arg)
{
    struct blocked *b = arg;

    b->teb = probe_teb_get(TEB_AT_SELF);
    os_wait(&b->event, 1, 10000);
}

static void check_blocked(struct doctor *d)
{
    struct doctor_stub one = doctor_stub("NtWaitForSingleObject");
    struct doctor_stub many = doctor_stub("NtWaitForMultipleObjects");
    struct blocked b = { .start = { block, &b } };
    size_t events, of_wait = 0, of_thread = 0;
    void *thread = NULL;
    struct err e;

    b.event = os_event_open(true, &e);
    check_begin(d, "callback/blocked-before", NOT_RELIED_ON);
    if (b.event == NULL || !os_thread_run(&thread, &b.start, &e)) {
        check_unknown(d, e.text);
        check_end(d);
        return;
    }
    os_sleep(50);
    set(probe_callback());
    probe_watch(true, 0);
    os_event_set(b.event);
    os_thread_join(thread);
    events = probe_stop();
    set(0);
    os_event_close(b.event);
    for (size_t i = 0; i < events && i < PROBE_EVENTS; i++) {
        const struct probe_event *x = probe_event(i);

        if (x->teb == b.teb) {
            of_thread++;
            of_wait += returns_into(x->regs.r10, &one) ||
                       returns_into(x->regs.r10, &many);
        }
    }
    check_that(d, of_thread > 0 && of_wait == 0);
    check_say(d,
              "of a thread that waited as it was set %zu events, %zu of "
              "them the wait's",
              of_thread, of_wait);
    check_end(d);
}

/* --- the doors --- */

static volatile uint64_t seen_teb;
static uint64_t seen_words[3];

static void see_words(void *unused)
{
    (void)unused;
    for (uint32_t i = 0; i < 3; i++) {
        seen_words[i] = probe_teb_get(TEB_WORD + 8 * i);
    }
    seen_teb = probe_teb_get(TEB_AT_SELF);
}

static void check_thread(struct doctor *d)
{
    struct os_thread_start start = { see_words, NULL };
    uint64_t thunk = os_own_ntdll("LdrInitializeThunk");
    const struct probe_event *e = NULL;
    void *thread = NULL;
    struct err why;
    size_t events;

    probe_watch(true, 0);
    if (os_thread_run(&thread, &start, &why)) {
        os_thread_join(thread);
    }
    events = probe_stop();
    for (size_t i = 0; i < events && i < PROBE_EVENTS && e == NULL; i++) {
        if (probe_event(i)->teb == seen_teb) {
            e = probe_event(i);
        }
    }
    check_begin(d, "callback/thread-start", RELIED_ON);
    if (thread == NULL || e == NULL) {
        check_that(d, false);
        check_say(d, "a new thread was not seen to start");
        d->holds = false;
    } else {
        check_same(d, e->regs.r10, thunk);
        check_same(d, e->teb, seen_teb);
        check_that(d, e->regs.rcx > e->rsp && e->regs.rcx - e->rsp < 0x1000);
        say_rip(d, "first r10 is LdrInitializeThunk", e->regs.r10, thunk);
        say_rip(d, "rcx is rsp", e->regs.rcx, e->rsp);
        check_hex(d, "rdx", e->regs.rdx);
    }
    check_end(d);

    check_begin(d, "teb/zero-at-start", RELIED_ON);
    if (e == NULL) {
        check_unknown(d, "no thread was seen to start");
    } else {
        check_same(d, e->words[0] | e->words[1] | e->words[2], 0);
        check_same(d, seen_words[0] | seen_words[1] | seen_words[2], 0);
        check_hex(d, "TEB+2D0h", e->words[0]);
        check_hex(d, "2D8h", e->words[1]);
        check_hex(d, "2E0h", e->words[2]);
        check_hex(d, "in its routine 2D0h", seen_words[0]);
    }
    check_end(d);
}

static void check_teb(struct doctor *d)
{
    size_t kept = 0, events;
    bool ran;

    for (uint32_t i = 0; i < 3; i++) {
        probe_teb_set(TEB_WORD + 8 * i, UINT64_C(0x1111000011110000) + i);
    }
    for (int i = 0; i < 100; i++) {
        probe_close(BAD_HANDLE);
    }
    probe_apc(APC_ARGUMENT, &ran);
    probe_exception();
    os_sleep(2);
    for (uint32_t i = 0; i < 3; i++) {
        kept +=
            probe_teb_get(TEB_WORD + 8 * i) == UINT64_C(0x1111000011110000) + i;
        probe_teb_set(TEB_WORD + 8 * i, 0);
    }
    check_begin(d, "teb/kept", RELIED_ON);
    check_same(d, kept, 3);
    check_say(d,
              "%zu of 3 words kept over calls, waits, an APC and an "
              "exception",
              kept);
    check_end(d);

    probe_teb_set_byte(TEB_DISABLED, 1);
    probe_watch(false, 0);
    probe_close(BAD_HANDLE);
    events = probe_stop();
    probe_teb_set_byte(TEB_DISABLED, 0);
    check_begin(d, "teb/disabled-byte", RELIED_ON);
    check_same(d, events, 1);
    check_say(d, "%zu events with InstrumentationCallbackDisabled set", events);
    check_end(d);
}

static void check_apc(struct doctor *d)
{
    struct doctor_stub stub = doctor_stub("NtDelayExecution");
    uint64_t door = os_own_ntdll("KiUserApcDispatcher");
    const struct probe_event *e = probe_event(0);
    uint64_t rip, rax;
    uint32_t status;
    size_t events;
    bool ran;

    probe_watch(false, 0);
    status = probe_apc(APC_ARGUMENT, &ran);
    events = probe_stop();
    rip = e->stack[CONTEXT_AT_RIP / 8];
    rax = e->stack[CONTEXT_AT_RAX / 8];

    check_begin(d, "callback/apc", RELIED_ON);
    check_that(d, ran && events == 1);
    check_same(d, e->regs.r10, door);
    check_same(d, status, STATUS_OF_APC);
    check_say(d, "%zu events for a wait ended by an APC", events);
    say_rip(d, "r10 is KiUserApcDispatcher", e->regs.r10, door);
    check_hex(d, "the wait returned", status);
    check_end(d);

    check_begin(d, "callback/apc-frame", RELIED_ON);
    check_that(d, events > 0 && returns_into(rip, &stub));
    check_same(d, rax & 0xffffffff, STATUS_OF_APC);
    say_rip(d, "[rsp+F8h] is NtDelayExecution", rip, stub.at);
    check_hex(d, "[rsp+78h]", rax);
    check_end(d);

    check_begin(d, "callback/apc-words", NOT_RELIED_ON);
    check_same(d, e->stack[0], APC_ARGUMENT);
    check_hex(d, "P1Home", e->stack[0]);
    check_hex(d, "P2Home", e->stack[1]);
    check_hex(d, "P3Home", e->stack[2]);
    check_hex(d, "P4Home", e->stack[3]);
    check_end(d);
}

/* The first APC ends in a call that looks for the next one: does that one come
 * by the kernel's door, or does the call return to have the dispatcher run
 * again (docs/facts.md A2.7)? */
static void check_two_apcs(struct doctor *d)
{
    uint64_t door = os_own_ntdll("KiUserApcDispatcher");
    const struct probe_event *first = probe_event(0);
    const struct probe_event *second = probe_event(1);
    uint32_t ran;
    size_t events;

    probe_watch(false, door);
    ran = probe_two_apcs(APC_ARGUMENT);
    events = probe_stop();

    check_begin(d, "callback/apc-each", RELIED_ON);
    check_same(d, ran, 2);
    check_same(d, events, 2);
    check_that(d, first->regs.r10 == door && second->regs.r10 == door);
    check_say(d, "%zu events with r10 = KiUserApcDispatcher for two APCs",
              events);
    check_say(d, "%u have run", ran);
    check_hex(d, "P1Home", first->stack[0]);
    check_hex(d, "and", second->stack[0]);
    check_end(d);
}

static void check_exception(struct doctor *d)
{
    uint64_t door = os_own_ntdll("KiUserExceptionDispatcher");
    const struct probe_event *e = probe_event(0);
    const uint64_t *record = &e->stack[FRAME_EXCEPTION_RECORD / 8];
    uint32_t code;
    size_t events;

    probe_watch(false, door);
    code = probe_exception();
    events = probe_stop();

    check_begin(d, "callback/exception", RELIED_ON);
    check_same(d, events, 1);
    check_same(d, code, STATUS_VIOLATION);
    check_say(d,
              "%zu events with r10 = KiUserExceptionDispatcher for a "
              "fault",
              events);
    check_hex(d, "handler saw", code);
    check_end(d);

    check_begin(d, "callback/exception-frame", RELIED_ON);
    check_same(d, record[0] & 0xffffffff, STATUS_VIOLATION);
    check_same(d, record[2], e->stack[CONTEXT_AT_RIP / 8]);
    check_hex(d, "[rsp+4F0h]", record[0]);
    check_hex(d, "address", record[2]);
    check_hex(d, "[rsp+F8h]", e->stack[CONTEXT_AT_RIP / 8]);
    check_end(d);
}

static void check_window(struct doctor *d)
{
    uint64_t door = os_own_ntdll("KiUserCallbackDispatcher");
    const struct probe_event *e = probe_event(0);
    uint64_t input, words;
    uint32_t messages = 0;
    size_t events;
    bool made;

    probe_watch(false, door);
    made = probe_window(&messages);
    events = probe_stop();
    input = e->stack[FRAME_CALLBACK_INPUT / 8];
    words = e->stack[FRAME_CALLBACK_LENGTH / 8];

    check_begin(d, "callback/user-callback", RELIED_ON);
    if (!made && messages == 0) {
        check_unknown(d, "no window can be made here; run doctor on a "
                         "desktop");
        check_end(d);
        return;
    }
    check_that(d, events > 0);
    check_say(d, "%zu events with r10 = KiUserCallbackDispatcher", events);
    check_say(d, "%u messages to a window", messages);
    check_end(d);

    check_begin(d, "callback/user-callback-frame", RELIED_ON);
    check_that(d, events > 0 && input > e->rsp && input - e->rsp < 0x10000);
    check_that(d, (words & 0xffffffff) < 0x10000 && words >> 32 < 0x200);
    say_rip(d, "[rsp+20h] is rsp", input, e->rsp);
    check_hex(d, "length", words & 0xffffffff);
    check_hex(d, "index", words >> 32);
    check_end(d);
}

static void check_jumps(struct doctor *d)
{
    uint64_t rip = 0;
    size_t events;
    uint32_t status;

    probe_watch(false, 0);
    status = probe_continue();
    events = probe_stop();
    check_begin(d, "callback/continue", RELIED_ON);
    check_same(d, events, 0);
    check_same(d, status, 0);
    check_say(d, "%zu events for NtContinue", events);
    check_end(d);

    probe_watch(false, 0);
    status = probe_set_context(&rip);
    events = probe_stop();
    check_begin(d, "callback/set-context", RELIED_ON);
    check_same(d, events, 1);
    check_same(d, status, 0);
    check_same(d, probe_event(0)->regs.r10, rip);
    check_say(d, "%zu events for NtSetContextThread on itself", events);
    say_rip(d, "r10 is its Rip", probe_event(0)->regs.r10, rip);
    check_end(d);
}

void doctor_callback(struct doctor *d)
{
    if (probe_callback() == 0) {
        check_begin(d, "callback/set-16", RELIED_ON);
        check_unknown(d, "no executable memory can be made");
        check_end(d);
        return;
    }
    check_set(d);
    check_blocked(d);
    check_lengths(d);
    set(probe_callback());
    check_return(d);
    check_kept(d);
    check_direct(d);
    check_thread(d);
    check_teb(d);
    check_apc(d);
    check_two_apcs(d);
    check_exception(d);
    check_window(d);
    check_jumps(d);
    set(0);
}

void doctor_guarded(struct doctor *d)
{
    bool guarded = probe_guarded();
    uint32_t status;

    check_begin(d, "guard/set", NOT_RELIED_ON);
    if (!guarded) {
        check_unknown(d, "control flow guard is off in a process that asked "
                         "for it");
        check_end(d);
        return;
    }
    status = set(probe_callback());
    check_same(d, status, 0);
    check_hex(d, "under control flow guard: status", status);
    check_end(d);

    check_begin(d, "guard/clear", NOT_RELIED_ON);
    status = set(0);
    check_same(d, status, 0);
    check_hex(d, "NULL under control flow guard: status", status);
    check_end(d);
}
