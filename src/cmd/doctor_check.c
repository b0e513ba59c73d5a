/* SPDX-License-Identifier: MIT */
/*
 * doctor_check.c - one check: what was found, and the line about it.
 */
#include "cmd/doctor_check.h"

#include "base/chars.h"
#include "platform/target.h"
#include "tables/amd64/stubs.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/banned.h"

void check_begin(struct doctor *d, const char *name, enum relied relied)
{
    d->name = name;
    d->relied = relied;
    d->holds = true;
    d->unknown = false;
    d->spoiled = str_eq(str_of(d->spoil), STR("all")) ||
                 str_eq(str_of(d->spoil), str_of(name));
    d->text = BUF_OVER(d->room);
}

void check_same(struct doctor *d, uint64_t got, uint64_t want)
{
    if (d->spoiled) {
        want = ~want;
    }
    if (got != want) {
        d->holds = false;
    }
}

void check_that(struct doctor *d, bool holds)
{
    check_same(d, holds, 1);
}

void check_unknown(struct doctor *d, const char *why)
{
    d->unknown = true;
    check_say(d, "%s", why);
}

void check_say(struct doctor *d, const char *fmt, ...)
{
    char room[300];
    va_list args;

    va_start(args, fmt);
    vsnprintf(room, sizeof(room), fmt, args);
    va_end(args);
    if (d->text.size > 0) {
        buf_add(&d->text, STR(", "));
    }
    chars_add_visible(&d->text, str_of(room));
}

void check_hex(struct doctor *d, const char *what, uint64_t value)
{
    check_say(d, "%s", what);
    buf_add_char(&d->text, ' ');
    buf_add_hex(&d->text, value);
}

void check_print(struct doctor *d, str line)
{
    struct err e;

    if (!d->failed && !os_file_write(&d->out, line, &e)) {
        d->failed = true;
        d->why = e;
    }
}

void check_end(struct doctor *d)
{
    char room[800];
    struct buf line = BUF_OVER(room);
    bool ok = d->holds && !d->unknown;
    str note = STR("");

    if (ok) {
        d->sum.ok++;
    } else if (d->relied != RELIED_ON) {
        d->sum.noted++;
        note = STR(" (not relied on)");
    } else if (d->unknown) {
        d->sum.unknown++;
    } else {
        d->sum.differs++;
    }
    buf_addf(&line, "%-11s  %-28s  ",
             ok           ? "ok"
             : d->unknown ? "cannot tell"
                          : "differs",
             d->name);
    buf_add(&line, buf_str(&d->text));
    buf_add(&line, note);
    buf_add_char(&line, '\n');
    check_print(d, buf_str(&line));
}

struct doctor_stub doctor_stub(const char *name)
{
    struct doctor_stub s = { 0 };
    uint64_t at = os_own_ntdll(name);
    struct os_process self = os_self();
    uint8_t bytes[STUB_PATTERN_MAX];
    struct stub_match match;

    if (at == 0) {
        return s;
    }
    /* Whatever was put at its head comes back to where the form says. */
    s.at = at;
    s.after_syscall = at + stub_forms[0].syscall_return;
    s.after_int = at + stub_forms[0].int_return;
    if (os_read(&self, at, bytes, sizeof(bytes)) &&
        stub_decode(bytes, sizeof(bytes), &match)) {
        s.clean = true;
        s.number = match.number;
        s.after_syscall = at + match.form->syscall_return;
        s.after_int = match.form->int_return == 0 ? s.after_syscall
                                                  : at + match.form->int_return;
    }
    return s;
}
