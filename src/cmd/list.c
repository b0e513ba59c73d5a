/* SPDX-License-Identifier: MIT */
/*
 * list.c - the system call table of this system, as a target would have it:
 * read out of our own process, where the same modules are mapped. And the
 * classes of calls that our own tables know, and these calls.
 */

#include "base/chars.h"
#include "base/version.h"
#include "cmd/command.h"
#include "live/begin.h"
#include "live/module.h"
#include "platform/target.h"
#include "tables/calls.h"
#include "tables/classes.h"
#include "tables/prototypes.h"

#include <stdlib.h>

#include "base/banned.h"

static bool print_module(const char *name, struct err *e)
{
    struct os_process self = os_self();
    struct os_file out = os_stdout();
    uint64_t base = os_own_module(name, e);
    struct module m;
    bool ok = true;

    if (base == 0 || !module_open(&m, &self, base, e)) {
        return false;
    }
    for (size_t i = 0; i < m.syscalls.count && ok; i++) {
        const struct syscall_entry *x = &m.syscalls.entries[i];
        char room[400];
        char name_room[200];
        struct buf line = BUF_OVER(room);
        struct buf shown = BUF_OVER(name_room);

        chars_add_visible(&shown, x->name);
        buf_add(&line, STR("0x"));
        buf_add_hex_digits(&line, x->number, 4);
        buf_addf(&line, "  %-52.*s %-10s 0x", STR_ARGS(buf_str(&shown)), name);
        buf_add_hex_digits(&line, x->rva, 6);
        buf_add(&line, STR("  "));
        buf_add(&line, syscall_known_name((enum syscall_known)x->known));
        buf_add(&line, x->stub ? STR("\n") : STR(" (not a stub's bytes)\n"));
        ok = os_file_write(&out, buf_str(&line), e);
    }
    module_close(&m);
    return ok;
}

static bool print_syscalls(struct err *e)
{
    return print_module("ntdll.dll", e) && print_module("win32u.dll", e);
}

static unsigned calls_in(const struct class_row *row)
{
    unsigned count = 0;

    for (size_t i = 0; i < call_count(); i++) {
        const struct call_facts *f = call_at(i);

        count += class_has(row, f, str_of(f->name));
    }
    return count;
}

static bool print_classes(struct err *e)
{
    struct os_file out = os_stdout();
    bool ok = true;

    for (size_t i = 0; i < class_count() && ok; i++) {
        const struct class_row *row = class_at(i);
        char room[200];
        struct buf line = BUF_OVER(room);

        buf_addf(&line, "%-14s %5u  %s\n", row->name, calls_in(row), row->help);
        ok = os_file_write(&out, buf_str(&line), e);
    }
    return ok;
}

static bool print_text(const struct buf *b, struct err *e)
{
    struct os_file out = os_stdout();

    return os_file_write(&out, buf_str(b), e);
}

static bool print_prototypes(struct err *e)
{
    const struct call_system on = begin_system(NULL);
    struct buf b = { malloc(PROTOTYPE_ROOM), 0, PROTOTYPE_ROOM, false };
    bool ok;

    if (b.p == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    buf_addf(&b, "/* System calls of ");
    if (on.wine) {
        buf_add(&b, STR("Wine"));
    } else if (on.build != 0) {
        buf_addf(&b, "Windows, build %u", on.build);
    } else {
        buf_add(&b, STR("the newest Windows that is known"));
    }
    buf_addf(&b,
             ", as ntstrace %s has them.\n * For --prototypes: keep what you "
             "change or add, the others are known. */\n",
             NTSTRACE_VERSION);
    ok = print_text(&b, e);
    for (size_t i = 0; i < call_count() && ok; i++) {
        const struct call_facts *call =
            call_find_on(str_of(call_at(i)->name), on);

        if (call != NULL) {
            b.size = 0;
            buf_add_char(&b, '\n');
            prototype_print(&b, call);
            ok = print_text(&b, e);
        }
    }
    free(b.p);
    return ok;
}

bool list_run(const struct options *o, struct arena *a, struct outcome *out,
              struct err *e)
{
    (void)a;
    (void)out;
    if (o->word_count == 1 && str_eq(o->words[0], STR("syscalls"))) {
        return print_syscalls(e);
    }
    if (o->word_count == 1 && str_eq(o->words[0], STR("classes"))) {
        return print_classes(e);
    }
    if (o->word_count == 1 && str_eq(o->words[0], STR("prototypes"))) {
        return print_prototypes(e);
    }
    return err_set(e, ERR_USAGE,
                   "list: there is no list of '%.*s'; try 'ntstrace list "
                   "--help'",
                   STR_ARGS(o->words[0]));
}
