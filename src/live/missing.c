/* SPDX-License-Identifier: MIT */
/*
 * missing.c - calls that were declared, and are not there.
 *
 * Reads the modules of our own process, which are those of a target. Fails at
 * nothing: what cannot be read is said of by nobody.
 */
#include "live/missing.h"

#include "live/module.h"
#include "live/session.h"
#include "view/declared.h"

#include "base/banned.h"

#define NOTES_MOST 5

static const char *const names[] = { "ntdll.dll", "win32u.dll" };

static bool is_there(const struct module *modules, str name)
{
    bool there = call_find(name) != NULL;

    for (size_t i = 0; i < COUNT_OF(names) && !there; i++) {
        there = module_syscall(&modules[i], name) != NULL;
    }
    return there;
}

static void note_one(struct session *s, str name)
{
    str best = declared_meant(name);

    session_note(s, "%.*s: there is no %.*s on this system%s%.*s%s",
                 STR_ARGS(s->view->prototypes), STR_ARGS(name),
                 best.size > 0 ? "; did you mean " : "", STR_ARGS(best),
                 best.size > 0 ? "?" : "");
}

static void note_all(struct session *s, const struct module *modules)
{
    const struct call_set *set = telling_own(&s->telling);
    size_t count = 0;

    for (size_t i = 0; i < set->count; i++) {
        str name = str_of(set->rows[i].name);

        if (!is_there(modules, name) && count++ < NOTES_MOST) {
            note_one(s, name);
        }
    }
    if (count > NOTES_MOST) {
        session_note(s, "%.*s: and %zu more that are not on this system",
                     STR_ARGS(s->view->prototypes), count - NOTES_MOST);
    }
}

void missing_note(struct session *s)
{
    struct os_process self = os_self();
    struct module modules[COUNT_OF(names)] = { 0 };
    struct err ignored;
    size_t opened = 0;
    uint64_t base;

    if (telling_own(&s->telling) == NULL) {
        return;
    }
    while (opened < COUNT_OF(names) &&
           (base = os_own_module(names[opened], &ignored)) != 0 &&
           module_open(&modules[opened], &self, base, &ignored)) {
        opened++;
    }
    if (opened == COUNT_OF(names)) {
        note_all(s, modules);
    }
    while (opened > 0) {
        module_close(&modules[--opened]);
    }
}
