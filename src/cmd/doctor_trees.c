/* SPDX-License-Identifier: MIT */
/*
 * doctor_trees.c - what -f and -p ask of the system: new processes, handles of
 * others, a thread of ours in a program that runs, copies of a process.
 *
 * Each group runs in a process of its own, for each may hang. What it starts
 * ends with it. A step that fails is a finding.
 */
#include "cmd/doctor_check.h"
#include "platform/probe.h"

#include <string.h>

#include "base/banned.h"

#define SECTION_BYTES ((size_t)1 << 20)
#define THREAD_FLAGS_SUSPENDED 1
/* As os_thread_make asks for it: suspended, unseen by DLLs and the loader. */
#define SUSPENDED 0x01
#define UNSEEN 0x23
#define THREAD_MS 5000
#define LOOKS_MOST 300
#define LOOK_MS 20
#define SLEEP_MS 60000

#define STATUS_IS_DENIED 0xc0000022

/* --- new processes --- */

static void check_never_run(struct doctor *d, const struct os_process *p)
{
    struct os_process self = os_self();
    bool child = os_process_is_new(p);
    bool own = os_process_is_new(&self);

    check_begin(d, "child/never-run", RELIED_ON);
    check_that(d, child && !own);
    check_say(d, "PEB.Ldr of a suspended process is %s",
              child ? "0" : "not 0, or cannot be read");
    check_say(d, "our own is %s", own ? "0, or cannot be read" : "not");
    check_end(d);
}

static void check_names(struct doctor *d, const struct os_process *p)
{
    char room[4096], line[256], own[4096];
    struct buf path = BUF_OVER(room), command = BUF_OVER(line);
    struct buf wanted = BUF_OVER(own);
    const uint16_t *w = probe_own_path();
    struct str16 wide = { w, 0 };

    while (w != NULL && w[wide.size] != 0) {
        wide.size++;
    }
    os_to_utf8(&wanted, wide);
    os_process_path(p, &path);
    os_process_command(p, &command);

    check_begin(d, "child/path", NOT_RELIED_ON);
    check_that(d, path.size > 0 &&
                      str_eq_nocase(buf_str(&path), buf_str(&wanted)));
    check_say(d, "the name of a suspended process's file is %s",
              path.size == 0 ? "not told" : "told");
    check_end(d);

    check_begin(d, "child/command-line", NOT_RELIED_ON);
    check_that(d, str_eq(buf_str(&command), STR("ntstrace doctor")));
    check_say(d, "its PEB has \"%.*s\"", STR_ARGS(buf_str(&command)));
    check_end(d);
}

/* As one finds the handles of what another process has made. */
static void check_handles(struct doctor *d, const struct os_process *p)
{
    struct os_process found = { 0 };
    struct err e = { 0 };
    uint64_t process = 0, thread = 0;
    bool ok = probe_give(p, p->process, &process) &&
              probe_give(p, p->thread, &thread) &&
              os_process_borrow(&found, p, process, thread, &e);

    check_begin(d, "child/handle-tells-id", RELIED_ON);
    check_that(d, ok && found.pid == p->pid && found.tid == p->tid);
    check_say(d, "%s",
              ok                   ? "taken out of another process, handles "
                                     "name their process and thread"
              : e.code != ERR_NONE ? e.text
                                   : "no handle could be put there");
    check_end(d);
    os_process_close(&found);

    check_begin(d, "child/open-by-id", RELIED_ON);
    ok = probe_may_open(p->pid);
    check_that(d, ok);
    check_say(d, "its id %s all rights on it", ok ? "gives" : "does not give");
    check_end(d);
}

static void check_flags(struct doctor *d)
{
    struct os_process held = { 0 }, loose = { 0 };
    uint32_t with, without, count, none;

    with = probe_create(THREAD_FLAGS_SUSPENDED, &held, &count);
    without = probe_create(0, &loose, &none);
    check_begin(d, "child/thread-flags", RELIED_ON);
    if (held.process == NULL || loose.process == NULL) {
        check_unknown(d, "NtCreateUserProcess makes no process for us");
    } else {
        check_same(d, count, 1);
        check_same(d, none, 0);
        check_that(d, os_process_is_new(&held));
        check_that(d, os_process_is_suspended(&held));
        check_say(d,
                  "argument 8 of NtCreateUserProcess: with 1 the thread is "
                  "suspended %u times, with 0 %u",
                  (unsigned)count, (unsigned)none);
    }
    check_hex(d, "status", with);
    check_hex(d, "and", without);
    check_end(d);
    os_process_close(&held);
    os_process_close(&loose);
}

void doctor_trees(struct doctor *d)
{
    struct os_process p = { 0 };
    struct err e = { 0 };
    uint64_t start, ntdll;

    if (!doctor_launch(&p, &start, &ntdll, &e)) {
        check_begin(d, "child/never-run", RELIED_ON);
        check_unknown(d, e.text);
        check_end(d);
    } else {
        check_never_run(d, &p);
        check_names(d, &p);
        check_handles(d, &p);
    }
    os_process_close(&p);
    check_flags(d);
}

/* --- a program that runs --- */

void doctor_sleep(struct doctor *d)
{
    (void)d;
    os_sleep(SLEEP_MS);
}

/* Where `stopped` threads stand: true if one is behind NtDelayExecution's system
 * call. */
static bool one_sleeps(const struct os_stopped *s, size_t count, uint64_t *rip)
{
    struct doctor_stub stub = doctor_stub("NtDelayExecution");

    for (size_t i = 0; i < count; i++) {
        *rip = s[i].rip;
        if (s[i].rip != 0 &&
            (s[i].rip == stub.after_syscall || s[i].rip == stub.after_int)) {
            return true;
        }
    }
    return false;
}

/* It is started, and has time to come to its sleep. */
static bool wait_asleep(const struct os_process *p, uint64_t *rip)
{
    bool asleep = false;
    struct err e;

    for (int i = 0; i < LOOKS_MOST && !asleep; i++) {
        struct os_threads *t;
        size_t count;

        os_sleep(LOOK_MS);
        if (!os_thread_suspend(p->thread)) {
            continue;
        }
        t = os_threads_ask(p, 0, &e);
        if (t != NULL && os_threads_answer(t, THREAD_MS)) {
            const struct os_stopped *s = os_threads_list(t, &count);

            asleep = one_sleeps(s, count, rip);
        }
        os_thread_resume(p->thread);
        os_threads_close(t);
    }
    return asleep;
}

static void check_blocked(struct doctor *d, const struct os_process *p)
{
    uint64_t rip = 0;
    bool asleep = wait_asleep(p, &rip);

    check_begin(d, "join/blocked", RELIED_ON);
    check_that(d, asleep);
    check_say(d, "a thread that sleeps stands %sbehind a call's syscall",
              asleep ? "" : "not ");
    check_hex(d, "NtDelayExecution", doctor_stub("NtDelayExecution").at);
    check_hex(d, "rip", rip);
    check_end(d);
}

static void check_thread(struct doctor *d, const struct os_process *p)
{
    const uint64_t start = os_own_ntdll("RtlExitUserThread");
    bool plain = false, unseen = false;
    uint32_t status, unseen_status, code;
    int privilege;

    probe_drop_debug_privilege();
    privilege = probe_debug_privilege();
    unseen_status = probe_thread(p, start, UNSEEN, THREAD_MS, &unseen);
    status = unseen_status;
    if (!unseen) {
        status = probe_thread(p, start, SUSPENDED, THREAD_MS, &plain);
    }

    check_begin(d, "join/thread", RELIED_ON);
    check_that(d, (unseen || plain) && !os_process_ended(p, &code));
    check_say(d, "a thread of ours in another process %s",
              unseen || plain ? "has run, and ended alone" : "has not run");
    check_hex(d, "status", status);
    check_end(d);

    check_begin(d, "join/unseen-thread", NOT_RELIED_ON);
    check_same(d, unseen_status, 0);
    check_that(d, unseen);
    check_hex(d, "SKIP_THREAD_ATTACH|SKIP_LOADER_INIT: status", unseen_status);
    check_end(d);

    check_begin(d, "join/no-privilege", RELIED_ON);
    check_that(d, status != STATUS_IS_DENIED);
    if (privilege != 0) {
        check_unknown(d, privilege < 0 ? "our privileges are not known"
                                       : "SeDebugPrivilege cannot be "
                                         "disabled here");
    } else {
        check_hex(d, "without SeDebugPrivilege: status", status);
    }
    check_end(d);
}

/* What is put into a program that runs goes again when it is let go. */
static void check_unmap(struct doctor *d, const struct os_process *p)
{
    struct os_section s = { 0 };
    struct os_region in = { 0 }, out = { 0 };
    struct err e = { 0 };
    uint64_t at = 0;
    bool ok = os_section_open(&s, SECTION_BYTES, &e) &&
              os_section_map(&s, p, &at, &e) && os_query(p, at, &in) &&
              os_section_unmap(p, at, &e) && os_query(p, at, &out);

    check_begin(d, "join/unmap", RELIED_ON);
    check_that(d, ok && !in.free && out.free);
    check_say(d, "%s",
              e.code != ERR_NONE
                  ? e.text
                  : "a section is mapped into a program that runs, and goes");
    check_end(d);
    os_section_close(&s);
}

void doctor_join(struct doctor *d)
{
    struct os_process p = { 0 };
    struct err e = { 0 };
    uint64_t start, ntdll;

    probe_set_variable(DOCTOR_GROUP, "sleep");
    if (!doctor_launch(&p, &start, &ntdll, &e)) {
        check_begin(d, "join/thread", RELIED_ON);
        check_unknown(d, e.text);
        check_end(d);
    } else {
        /* It stays in its job, and ends with us. */
        os_thread_resume(p.thread);
        check_blocked(d, &p);
        check_thread(d, &p);
        check_unmap(d, &p);
    }
    os_process_close(&p);
}

/* --- copies --- */

static void check_copy(struct doctor *d, const struct os_section *s)
{
    struct probe_clone c;
    uint32_t status = probe_clone(s, &c);
    bool came = c.ended && (c.code & ~0xffu) == PROBE_CLONED;

    check_begin(d, "clone/returns", NOT_RELIED_ON);
    check_same(d, status, 0);
    check_that(d, came);
    check_say(d, "%s",
              came ? "its thread came back with 0x129, and ended"
                   : "its thread did not come back with 0x129");
    check_hex(d, "RtlCloneUserProcess: status", status);
    check_hex(d, c.ended ? "exit status" : "not ended: exit status", c.code);
    check_end(d);

    check_begin(d, "clone/section", NOT_RELIED_ON);
    check_that(d, c.asked && c.free);
    check_say(d, "where a ViewUnmap section was there is %s",
              !c.asked ? "what nobody could say"
              : c.free ? "nothing"
                       : "something");
    check_end(d);

    check_begin(d, "clone/callback", NOT_RELIED_ON);
    check_that(d, came);
    check_say(d, "%u events at a call there: the callback is %sinherited",
              (unsigned)(c.code & 0xff),
              came && (c.code & 0xff) > 0 ? "" : "not ");
    check_end(d);
}

void doctor_clone(struct doctor *d)
{
    struct os_section s = { 0 };
    struct err e = { 0 };
    uint64_t words[2] = { 0, 0 };
    bool here = probe_can_clone();

    check_begin(d, "clone/here", NOT_RELIED_ON);
    check_same(d, here, !d->wine);
    check_say(d, "RtlCloneUserProcess is %s",
              here ? "here" : "not here: nothing can be copied");
    check_end(d);
    if (!here) {
        return;
    }
    words[1] = probe_callback();
    probe_set_callback(words, sizeof(words));
    if (!os_section_open(&s, SECTION_BYTES, &e)) {
        check_begin(d, "clone/section", NOT_RELIED_ON);
        check_unknown(d, e.text);
        check_end(d);
    } else {
        check_copy(d, &s);
    }
    os_section_close(&s);
}
