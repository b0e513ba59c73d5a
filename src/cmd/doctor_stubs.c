/* SPDX-License-Identifier: MIT */
/*
 * doctor_stubs.c - the system call functions of ntdll and win32u.
 *
 * ntdll is judged as a target has it before its first instruction; security
 * software comes later. What it does to a running process is seen in ours,
 * and in win32u, which only a running process has.
 */
#include "cmd/doctor_check.h"
#include "live/module.h"
#include "platform/probe.h"
#include "tables/amd64/frames.h"
#include "tables/amd64/stubs.h"
#include "wire/image.h"

#include "base/banned.h"

/* Copied into every target. */
static const char *const private_names[PRIVATE_COUNT] = {
#define PRIVATE(name) #name,
#include "wire/private.def"
#undef PRIVATE
};

/* Of either module; Windows 10 has 460 and 1,200, Wine 10 half of that. */
#define STUBS_LEAST 200

struct tally {
    size_t known[SYSCALL_CONFLICT + 1];
    size_t form[STUB_FORMS];
    size_t stubs;
    size_t changed;  // foreign bytes where a stub should be
};

#define CHANGED_SAID 4

/* What should be a stub and is none: in the table by its place, or exported
 * as Zw..., which nothing but a system call is (docs/facts.md C1) - but for
 * NtQuerySystemTime (docs/facts.md C3) and NtGetTickCount, which read the time
 * without the kernel on some systems. The first few are said. */
static void look_at(struct doctor *d, struct tally *t, const struct module *m,
                    str name, uint32_t rva)
{
    const uint8_t *b = m->bytes + rva;
    struct stub_match match;

    if (rva + 5 > m->size || stub_decode(b, m->size - rva, &match) ||
        str_eq(str_slice(name, 2, name.size), STR("QuerySystemTime")) ||
        str_eq(str_slice(name, 2, name.size), STR("GetTickCount"))) {
        return;
    }
    t->changed++;
    if (t->changed <= CHANGED_SAID) {
        check_say(d, "%.*s begins %02x %02x %02x %02x %02x", (int)name.size,
                  name.p, b[0], b[1], b[2], b[3], b[4]);
    }
}

static void count_changed(struct doctor *d, struct tally *t,
                          const struct module *m)
{
    struct pe_exports it = pe_exports_over(&m->image);
    struct pe_export x;
    bool zw = false;

    while (pe_exports_next(&it, &x)) {
        if (str_starts(x.name, STR("Zw"))) {
            zw = true;
            look_at(d, t, m, x.name, x.rva);
        }
    }
    for (size_t i = 0; i < m->syscalls.count && !zw; i++) {
        look_at(d, t, m, m->syscalls.entries[i].name,
                m->syscalls.entries[i].rva);
    }
}

static struct tally count(const struct module *m)
{
    struct tally t = { { 0 }, { 0 }, 0, 0 };

    for (size_t i = 0; i < m->syscalls.count; i++) {
        const struct syscall_entry *s = &m->syscalls.entries[i];
        struct stub_match match;

        t.known[s->known]++;
        if (stub_decode(m->bytes + s->rva, m->size - s->rva, &match)) {
            t.form[match.form - stub_forms]++;
            t.stubs++;
        }
    }
    return t;
}

/* A module of `p`: are there enough stubs, and in order? */
static void check_module(struct doctor *d, const struct module *m,
                         const char *forms, const char *order)
{
    struct tally t = count(m);

    check_begin(d, forms, RELIED_ON);
    check_that(d, t.stubs >= STUBS_LEAST);
    check_say(d, "%zu system calls", m->syscalls.count);
    for (size_t i = 0; i < STUB_FORMS; i++) {
        if (t.form[i] > 0) {
            check_say(d, "%zu of form %s", t.form[i], stub_forms[i].name);
        }
    }
    if (m->syscalls.second_count > 0) {
        check_say(d, "%zu second ones", m->syscalls.second_count);
    }
    check_end(d);

    check_begin(d, order, RELIED_ON);
    check_same(d, t.known[SYSCALL_CONFLICT], 0);
    check_that(d, t.stubs >= STUBS_LEAST);
    check_say(d, "%zu decoded and in order", t.known[SYSCALL_BOTH]);
    check_say(d, "%zu decoded", t.known[SYSCALL_DECODED]);
    check_say(d, "%zu by order", t.known[SYSCALL_BY_ORDER]);
    check_say(d, "%zu in conflict", t.known[SYSCALL_CONFLICT]);
    check_end(d);
}

/* Changed stubs are left alone and traced without arguments: coped with. */
static void check_changed(struct doctor *d, const struct module *m,
                          const char *name)
{
    struct tally t = count(m);

    check_begin(d, name, NOT_RELIED_ON);
    count_changed(d, &t, m);
    check_same(d, t.changed, 0);
    check_that(d, t.stubs + t.changed >= STUBS_LEAST);
    check_say(d, "%zu changed by others%s", t.changed,
              t.changed == 0 ? "" : ": security software?");
    check_end(d);
}

static void check_private(struct doctor *d, const struct module *m)
{
    size_t good = 0;

    check_begin(d, "stubs/own-calls", RELIED_ON);
    for (size_t i = 0; i < PRIVATE_COUNT; i++) {
        const struct syscall_entry *x =
            module_syscall(m, str_of(private_names[i]));

        if (x != NULL && x->stub) {
            good++;
        } else {
            check_say(d, "%s is no stub", private_names[i]);
        }
    }
    check_same(d, good, PRIVATE_COUNT);
    check_say(d, "%zu of %d can be copied", good, PRIVATE_COUNT);
    check_end(d);
}

static void unreadable(struct doctor *d, const char *check, const struct err *e)
{
    check_begin(d, check, RELIED_ON);
    check_unknown(d, e->text);
    check_end(d);
}

static void check_doors(struct doctor *d)
{
    size_t good = 0;

    check_begin(d, "stubs/doors", RELIED_ON);
    for (int i = 0; i < FRAME_COUNT; i++) {
        const char *name = frame_row((enum frame_kind)i)->function;

        if (os_own_ntdll(name) != 0) {
            good++;
        } else {
            check_say(d, "%s is missing", name);
        }
    }
    check_same(d, good, FRAME_COUNT);
    check_say(d, "%zu of %d exported", good, FRAME_COUNT);
    check_end(d);
}

static void check_way(struct doctor *d)
{
    struct os_process self = os_self();
    uint8_t way = 0;

    check_begin(d, "stubs/way-in", NOT_RELIED_ON);
    check_that(d, os_read(&self, 0x7ffe0308, &way, 1));
    check_say(d, "[7FFE0308h] is %u: calls go by %s", way,
              (way & 1) == 0 ? "syscall"
              : d->wine      ? "Wine's dispatcher"
                             : "int 2Eh");
    check_end(d);
}

static void check_target(struct doctor *d)
{
    struct os_process p = { 0 };
    struct module m = { 0 };
    uint64_t start, ntdll;
    struct err e;

    if (!doctor_launch(&p, &start, &ntdll, &e) ||
        !module_open(&m, &p, ntdll, &e)) {
        unreadable(d, "stubs/ntdll-forms", &e);
    } else {
        check_module(d, &m, "stubs/ntdll-forms", "stubs/ntdll-order");
        check_private(d, &m);
        module_close(&m);
    }
    os_process_close(&p);
}

/* One that is mapped in this process, with all that anybody has changed. */
static bool open_own(struct module *m, const char *name, struct err *e)
{
    struct os_process self = os_self();
    uint64_t base = os_own_module(name, e);

    return base != 0 && module_open_as_is(m, &self, base, e);
}

static void check_own(struct doctor *d)
{
    struct module m = { 0 };
    struct err e;

    if (!open_own(&m, "ntdll.dll", &e)) {
        unreadable(d, "stubs/ntdll-changed", &e);
    } else {
        check_changed(d, &m, "stubs/ntdll-changed");
        module_close(&m);
    }
    if (!open_own(&m, "win32u.dll", &e)) {
        unreadable(d, "stubs/win32u-forms", &e);
    } else {
        check_module(d, &m, "stubs/win32u-forms", "stubs/win32u-order");
        check_changed(d, &m, "stubs/win32u-changed");
        module_close(&m);
    }
}

void doctor_stubs(struct doctor *d)
{
    check_target(d);
    check_own(d);
    check_doors(d);
    check_way(d);
}
