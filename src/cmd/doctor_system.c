/* SPDX-License-Identifier: MIT */
/*
 * doctor_system.c - what ntstrace asks of threads, memory and processor.
 *
 * Touches threads and memory of its own, and a copy of this process that is
 * started suspended and ended. A step that fails is a finding.
 */
#include "cmd/doctor_check.h"
#include "live/module.h"
#include "platform/probe.h"
#include "tables/amd64/frames.h"

#include <stdatomic.h>
#include <string.h>

#include "base/banned.h"

/* As target.c has them. */
#define NEAREST UINT64_C(0x10000000)
#define FARTHEST UINT64_C(0x60000000)
#define GRANULE UINT64_C(0x10000)
#define ROOM UINT64_C(0x1c000)
#define SECTION_BYTES ((uint64_t)8 << 30)

#define STATUS_NOT_IMPLEMENTED 0xc0000002
#define STATUS_NOT_CLOSABLE 0xc0000235
#define STATUS_DENIED 0xc0000022

/* A ring keeps vector state in one page. */
#define VECTOR_ROOM 4096

/* --- threads: the last system call --- */

struct sleeper {
    struct os_thread_start start;
    void *thread;
    void *event;            // it waits for this
    _Atomic uint32_t spin;  // 1: do not wait, spin after a call; 2: enough
    _Atomic uint32_t ready;
};

static void sleep_or_spin(void *arg)
{
    struct sleeper *s = arg;

    if (atomic_load(&s->spin) != 0) {
        probe_set_event((uint64_t)(uintptr_t)s->event);
        atomic_store(&s->ready, 1);
        while (atomic_load(&s->spin) == 1) {
        }
        return;
    }
    atomic_store(&s->ready, 1);
    os_wait(&s->event, 1, 20000);
}

static bool sleeper_open(struct sleeper *s, bool spin)
{
    struct err e;

    *s = (struct sleeper){ .start = { sleep_or_spin, s } };
    s->spin = spin ? 1 : 0;
    s->event = os_event_open(true, &e);
    if (s->event == NULL || !os_thread_run(&s->thread, &s->start, &e)) {
        return false;
    }
    for (int i = 0; i < 1000 && atomic_load(&s->ready) == 0; i++) {
        os_sleep(1);
    }
    os_sleep(20);
    return atomic_load(&s->ready) != 0 && os_thread_suspend(s->thread);
}

static void sleeper_close(struct sleeper *s)
{
    atomic_store(&s->spin, 2);
    os_thread_resume(s->thread);
    os_event_set(s->event);
    os_thread_join(s->thread);
    os_event_close(s->event);
}

/* Wine's words and those of Windows; `number` of a call with `s->event` for
 * its first argument. */
static void check_last(struct doctor *d, const char *name,
                       const struct sleeper *s, const char *call, uint32_t size,
                       enum relied relied)
{
    struct doctor_stub stub = doctor_stub(call);
    uint64_t words[3];
    uint32_t status = probe_last_call(s->thread, words, size);

    check_begin(d, name, relied);
    check_hex(d, "status", status);
    if (d->wine && status == STATUS_NOT_IMPLEMENTED) {
        check_same(d, status, STATUS_NOT_IMPLEMENTED);
        check_say(d, "not in Wine; ntstrace keeps a record of its own there");
    } else {
        check_same(d, status, 0);
        if (stub.clean) {
            check_same(d, words[1] & 0xffff, stub.number);
        }
        check_hex(d, "number", words[1] & 0xffff);
        check_say(d, "%s has", call);
        check_hex(d, "", stub.number);
        check_hex(d, "first argument", words[0]);
        check_hex(d, "given", (uint64_t)(uintptr_t)s->event);
        if (relied == RELIED_ON) {
            check_same(d, words[0], (uint64_t)(uintptr_t)s->event);
        }
    }
    check_end(d);
}

static void check_wine_pointer(struct doctor *d)
{
    uint64_t dispatcher = probe_wine_dispatcher();

    check_begin(d, "wine/dispatcher", RELIED_ON);
    check_that(d, dispatcher != 0);
    check_hex(d, "[7FFE1000h] can be written, is", dispatcher);
    check_end(d);
}

void doctor_threads(struct doctor *d)
{
    struct sleeper s;
    uint64_t words[3];
    uint32_t status;

    /* The thread an engine asks about spins in the callback, suspended. */
    if (sleeper_open(&s, true)) {
        check_last(d, "last-call/spinning-24", &s, "NtSetEvent", 24, RELIED_ON);
        check_last(d, "last-call/spinning-16", &s, "NtSetEvent", 16,
                   NOT_RELIED_ON);
    } else {
        check_begin(d, "last-call/spinning-24", RELIED_ON);
        check_unknown(d, "no thread to ask about");
        check_end(d);
    }
    sleeper_close(&s);
    if (sleeper_open(&s, false)) {
        check_last(d, "last-call/waiting-24", &s, "NtWaitForMultipleObjects",
                   24, NOT_RELIED_ON);
        check_last(d, "last-call/waiting-16", &s, "NtWaitForMultipleObjects",
                   16, NOT_RELIED_ON);
    } else {
        check_begin(d, "last-call/waiting-24", NOT_RELIED_ON);
        check_unknown(d, "no thread to ask about");
        check_end(d);
    }
    sleeper_close(&s);

    status = probe_last_call(probe_this_thread(), words, 24);
    check_begin(d, "last-call/self", RELIED_ON);
    check_same(d, os_last_call_implemented(), !d->wine);
    check_hex(d, "status", status);
    check_say(d, "%s", d->wine ? "Wine is told by it" : "tells it from Wine");
    check_end(d);
    if (d->wine) {
        check_wine_pointer(d);
    }
}

/* --- memory --- */

static bool launch(struct os_process *p, const struct os_apart *apart,
                   uint64_t *start, uint64_t *ntdll, struct err *e)
{
    static const uint16_t line[] = { 'n', 't', 's', 't', 'r', 'a', 'c', 'e',
                                     ' ', 'd', 'o', 'c', 't', 'o', 'r', 0 };
    const uint16_t *path = probe_own_path();
    struct os_region r = { 0 };

    if (path == NULL) {
        return err_set(e, ERR_OS, "our own path is not known");
    }
    if (!os_process_launch(p, path, line, apart, e)) {
        return false;
    }
    if (!os_thread_get_start(p->thread, start) || !os_query(p, *start, &r) ||
        !module_is(p, r.allocation, STR("ntdll.dll"))) {
        os_process_close(p);
        *p = (struct os_process){ 0 };
        return err_set(e, ERR_OS, "its first thread does not stand in ntdll");
    }
    *ntdll = r.allocation;
    return true;
}

bool doctor_launch(struct os_process *p, uint64_t *start, uint64_t *ntdll,
                   struct err *e)
{
    return launch(p, NULL, start, ntdll, e);
}

static void check_section(struct doctor *d, const struct os_process *p)
{
    struct os_process self = os_self();
    struct os_section s = { 0 };
    struct os_section other = { 0 };
    uint64_t second = 0, there = 0, got = 0, after = 0;
    const uint64_t value = 0x0123456789abcdef;
    const size_t far = (size_t)5 << 30;
    struct os_region before = { 0 };
    struct os_region now = { 0 };
    struct err e = { 0 };
    bool ok;

    check_begin(d, "section/reserve", RELIED_ON);
    ok = os_section_open(&s, SECTION_BYTES, &e);
    check_that(d, ok);
    check_say(d, "%s", ok ? "8 GiB reserved, none committed" : e.text);
    check_end(d);
    if (!ok) {
        return;
    }

    check_begin(d, "section/commit-shows", RELIED_ON);
    ok = os_section_map(&s, &self, &second, &e) &&
         os_query(&self, second + far, &before);
    other = s;
    other.at = (void *)(uintptr_t)second;
    ok = ok && os_section_commit(&other, far, 0x10000, &e);
    if (ok) {
        memcpy((char *)(uintptr_t)second + far, &value, sizeof(value));
        ok = os_read(&self, (uint64_t)(uintptr_t)s.at + far, &got, sizeof(got));
    }
    check_that(d, ok && !before.committed);
    check_same(d, got, value);
    check_say(d, "%s",
              e.code != ERR_NONE
                  ? e.text
                  : "committed in one view at 5 GiB, read in another");
    check_hex(d, "value", got);
    check_end(d);

    check_begin(d, "section/into-suspended", RELIED_ON);
    e.code = ERR_NONE;
    ok = p->process != NULL && os_section_map(&s, p, &there, &e) &&
         os_read(p, there + far, &after, sizeof(after)) &&
         os_query(p, there, &now);
    check_that(d, ok && now.mapped);
    check_same(d, after, value);
    check_say(d, "%s",
              e.code != ERR_NONE
                  ? e.text
                  : "mapped into a suspended process and read there");
    check_hex(d, "at", there);
    check_end(d);
    os_section_close(&s);
}

static void check_handles(struct doctor *d)
{
    struct os_process self = os_self();
    struct err e = { 0 };
    uint64_t handle = 0;
    uint32_t status;
    void *event = os_event_open(true, &e);
    bool ok = event != NULL && os_give_event(&self, event, false, &handle, &e);

    check_begin(d, "handle/rights", RELIED_ON);
    if (!ok) {
        check_unknown(d, e.text);
        check_end(d);
        return;
    }
    status = probe_set_event(handle);
    check_same(d, status, STATUS_DENIED);
    check_hex(d, "setting an event given for waiting: status", status);
    check_end(d);

    status = probe_close(handle);
    check_begin(d, "handle/protected", NOT_RELIED_ON);
    check_same(d, status, STATUS_NOT_CLOSABLE);
    check_hex(d, "closing it: status", status);
    if (d->wine) {
        check_say(d, "Wine does not protect a duplicate");
    }
    check_end(d);
    os_event_close(event);
}

static void check_room(struct doctor *d, const struct os_process *p,
                       uint64_t ntdll)
{
    uint64_t low = ntdll - FARTHEST;
    uint64_t high = ntdll - NEAREST;
    uint64_t free_bytes = 0, place = 0;
    struct os_region r;
    struct err e = { 0 };
    bool made;

    for (uint64_t at = low; at < high && os_query(p, at, &r);
         at = r.base + r.size) {
        uint64_t end = r.base + r.size < high ? r.base + r.size : high;

        if (r.free) {
            uint64_t from = (end - ROOM) & ~(GRANULE - 1);

            free_bytes += end - at;
            if (end - at >= ROOM + GRANULE && from >= at) {
                place = from;
            }
        }
    }
    check_begin(d, "child/room", RELIED_ON);
    made = place != 0 && os_reserve_at(p, place, ROOM, &e) &&
           os_commit_at(p, place, ROOM, &e) && os_make_code(p, place, ROOM, &e);
    check_that(d, made);
    check_say(d, "%u MiB free from 256 MiB to 1.5 GiB below ntdll",
              (unsigned)(free_bytes >> 20));
    if (made) {
        check_hex(d, "code can be put below it by", ntdll - place);
    } else {
        check_say(d, "%s", place == 0 ? "no place for the agent" : e.text);
    }
    check_end(d);
}

static void check_write(struct doctor *d, const struct os_process *p)
{
    uint64_t at = os_own_ntdll("NtClose");
    uint64_t loader = os_own_ntdll("LdrInitializeThunk");
    uint8_t was[8], is[8], got[8] = { 0 };
    struct os_process self = os_self();
    struct os_region r = { 0 };
    struct err e = { 0 };
    bool ok;

    check_begin(d, "child/write-stub", RELIED_ON);
    ok = os_read(p, at, was, sizeof(was));
    for (size_t i = 0; i < sizeof(was); i++) {
        is[i] = (uint8_t)~was[i];
    }
    ok = ok && os_write_code(p, at, is, sizeof(is), &e) &&
         os_read(p, at, got, sizeof(got)) && memcmp(got, is, sizeof(is)) == 0 &&
         os_write_code(p, at, was, sizeof(was), &e) && os_query(p, at, &r);
    check_that(d, ok && r.executable);
    check_say(d, "%s",
              e.code != ERR_NONE ? e.text
              : ok ? "NtClose written, read back, executable again"
                   : "what was written is not there");
    check_end(d);

    check_begin(d, "child/own-copy", RELIED_ON);
    ok = os_read(p, at, was, sizeof(was)) &&
         os_write_code(p, at, is, sizeof(is), &e) &&
         os_read(&self, at, got, sizeof(got));
    check_that(d, ok && memcmp(got, is, sizeof(is)) != 0);
    check_say(d, "what is written there does not show in our own ntdll");
    check_end(d);

    check_begin(d, "child/loader", RELIED_ON);
    ok = loader != 0 && os_read(p, loader, got, sizeof(got));
    check_that(d, ok);
    check_say(d, "LdrInitializeThunk begins %02x %02x %02x %02x %02x %02x",
              got[0], got[1], got[2], got[3], got[4], got[5]);
    check_end(d);
}

/* What os_handles_query told. */
struct listed {
    uint64_t event;  // the handle to look for
    unsigned count;
    bool found;
    bool typed;
    bool access;
};

static void on_listed(void *listed, const struct os_handle *h)
{
    struct listed *l = listed;

    l->count++;
    if (h->value == l->event) {
        l->found = true;
        l->typed = str_eq(h->type, STR("Event"));
        l->access = (h->access & 0x100000) != 0;  // SYNCHRONIZE
    }
}

/* The handles of a process that has not begun, for their names. */
static void check_handle_list(struct doctor *d, const struct os_process *p)
{
    struct listed l = { 0 };
    struct err e = { 0 };
    void *event = os_event_open(true, &e);
    bool ok = event != NULL && os_give_event(p, event, false, &l.event, &e) &&
              os_handles_query(p, 5000, on_listed, &l, &e);

    check_begin(d, "child/handle-list", NOT_RELIED_ON);
    check_that(d, ok && l.found && l.typed && l.access);
    check_say(d, "%s",
              !ok         ? e.text
              : !l.found  ? "a handle that it has is not in the list"
              : !l.typed  ? "an event's type is not told"
              : !l.access ? "an event's access is not told"
                          : "an event of ours is in the list");
    check_say(d, "%u handles", l.count);
    check_end(d);
    os_event_close(event);
}

/* A program that we have started and not resumed ends with us, however we end:
 * its job's last handle is gone then. Closed here. */
static void check_job(struct doctor *d)
{
    struct os_process p = { 0 };
    struct err e = { 0 };
    uint64_t start, ntdll;
    bool ok = doctor_launch(&p, &start, &ntdll, &e);

    check_begin(d, "child/ends-with-us", RELIED_ON);
    if (ok) {
        os_event_close(p.job);
        p.job = NULL;
    }
    check_that(d, ok && os_wait(&p.process, 1, 5000) == 0);
    check_say(d, "%s",
              ok ? "a suspended process is in a job that ends it" : e.text);
    check_end(d);
    os_process_close(&p);
}

/* What `top` has a program that it starts. */
static void check_apart(struct doctor *d)
{
    const struct os_apart apart = { .output = STR(""), .console = false };
    struct os_process p = { 0 };
    struct err e = { 0 };
    uint64_t start, ntdll;
    bool ok = launch(&p, &apart, &start, &ntdll, &e);

    check_begin(d, "child/apart", NOT_RELIED_ON);
    check_that(d, ok);
    check_say(d, "%s",
              ok ? "with handles of its own, and a console without a window"
                 : e.text);
    check_end(d);
    os_process_close(&p);
}

/* What `top` draws on. */
static void check_console(struct doctor *d)
{
    int takes = probe_sequences();

    check_begin(d, "console/sequences", NOT_RELIED_ON);
    if (takes < 0) {
        check_unknown(d, "there is no console");
    } else {
        check_that(d, takes == 1);
        check_say(d, "the console %s escape sequences",
                  takes == 1 ? "takes" : "does not take");
    }
    check_end(d);
}

void doctor_memory(struct doctor *d)
{
    struct os_process p = { 0 };
    struct err e = { 0 };
    uint64_t start = 0, ntdll = 0;
    bool ok = doctor_launch(&p, &start, &ntdll, &e);

    check_begin(d, "child/launch", RELIED_ON);
    check_that(d, ok);
    check_same(d, start, os_own_ntdll("RtlUserThreadStart"));
    check_say(d, "%s",
              ok ? "suspended at RtlUserThreadStart in ntdll" : e.text);
    check_hex(d, "rip", start);
    check_end(d);

    check_section(d, &p);
    check_handles(d);
    if (ok) {
        check_room(d, &p, ntdll);
        check_write(d, &p);
        check_handle_list(d, &p);
    }
    os_process_close(&p);
    check_job(d);
    check_apart(d);
    check_console(d);
}

/* --- processor --- */

static uint64_t tsc_per_second(void)
{
    struct os_clock from, to;

    os_clock_read(&from);
    os_sleep(60);
    os_clock_read(&to);
    return (uint64_t)((double)(to.tsc - from.tsc) *
                      (double)os_counter_frequency() /
                      (double)(to.counter - from.counter));
}

static void check_clock(struct doctor *d)
{
    uint64_t one = tsc_per_second();
    uint64_t two = tsc_per_second();
    uint64_t apart = one > two ? one - two : two - one;
    uint64_t last = 0, back = 0;
    unsigned processors = 0;

    check_begin(d, "processor/tsc-invariant", RELIED_ON);
    check_that(d, probe_tsc_invariant());
    check_say(d, "CPUID 80000007h: %s",
              probe_tsc_invariant() ? "invariant" : "not invariant");
    check_end(d);

    /* One part in a thousand: what 60 ms allow to be measured. */
    check_begin(d, "processor/tsc-steady", RELIED_ON);
    check_that(d, one > 0 && apart < one / 1000);
    check_say(d, "%llu and %llu Hz by QueryPerformanceCounter",
              (unsigned long long)one, (unsigned long long)two);
    check_end(d);

    for (int round = 0; round < 20; round++) {
        processors = 0;
        for (uint32_t i = 0; i < 64; i++) {
            if (probe_pin(i)) {
                uint64_t now = os_tsc();

                back += now < last;
                last = now;
                processors++;
            }
        }
    }
    probe_unpin();
    check_begin(d, "processor/tsc-together", RELIED_ON);
    check_that(d, processors > 0);
    check_same(d, back, 0);
    check_say(d, "%u processors in turn: %llu times back in time", processors,
              (unsigned long long)back);
    check_end(d);
}

static void check_vectors(struct doctor *d)
{
    uint64_t mask = os_xsave_mask();
    uint32_t size = probe_xsave_size(mask);
    uint8_t before[32], after[2][32];

    check_begin(d, "processor/xsave", RELIED_ON);
    check_that(d, (mask & 3) == 3);
    check_that(d, size <= VECTOR_ROOM);
    check_hex(d, "components", mask);
    check_say(d, "%u bytes of %u", size, VECTOR_ROOM);
    check_end(d);

    check_begin(d, "processor/ymm", NOT_RELIED_ON);
    if (!probe_vectors(os_own_ntdll("NtClose"), 0x7ffff1f0, before, after)) {
        check_unknown(d, "no AVX");
    } else {
        /* Evidence: the agent keeps all of it itself. */
        check_that(d, memcmp(before, after[1], 16) == 0);
        check_say(d, "over a call YMM0 low %s",
                  memcmp(before, after[0], 16) == 0 ? "kept" : "lost");
        check_say(d, "high %s",
                  memcmp(before + 16, after[0] + 16, 16) == 0 ? "kept"
                                                              : "lost");
        check_say(d, "YMM6 low %s",
                  memcmp(before, after[1], 16) == 0 ? "kept" : "lost");
        check_say(d, "high %s",
                  memcmp(before + 16, after[1] + 16, 16) == 0 ? "kept"
                                                              : "lost");
    }
    check_end(d);
}

void doctor_processor(struct doctor *d)
{
    check_clock(d);
    check_vectors(d);
}
