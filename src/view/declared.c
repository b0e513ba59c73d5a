/* SPDX-License-Identifier: MIT */
/*
 * declared.c - the file of --prototypes.
 *
 * Touches that file. Fails if it cannot be read, or is wrong.
 */
#include "view/declared.h"

#include "filter/known.h"
#include "platform/os.h"

#include <stdlib.h>

#include "base/banned.h"

/* All of `f`, as far as prototypes may be long; *text.p is owned. */
static bool read_whole(struct os_file *f, str path, str *text, struct err *e)
{
    uint64_t size;
    size_t got = 0;
    char *bytes;
    struct err why;

    if (!os_file_size(f, &size, e)) {
        return false;
    }
    /* One byte more, so that it is seen to be too long. */
    size = size > PROTOTYPES_BYTES_MAX ? PROTOTYPES_BYTES_MAX + 1 : size;
    bytes = malloc((size_t)size + 1);
    if (bytes == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    if (!os_file_read_at(f, 0, bytes, (size_t)size, &got, &why)) {
        free(bytes);
        return err_set(e, ERR_OS, "%.*s: %s", STR_ARGS(path), why.text);
    }
    *text = (str){ bytes, got };
    return true;
}

static bool open_file(struct prototypes *p, str path, struct err *e)
{
    struct os_file f;
    struct err ignored;
    str text;
    bool ok;

    if (!os_file_open(&f, path, e)) {
        return false;
    }
    ok = read_whole(&f, path, &text, e);
    os_file_close(&f, &ignored);
    if (ok) {
        ok = prototypes_read(p, text, path, e);
        free((void *)(uintptr_t)text.p);
    }
    return ok;
}

bool declared_open(struct prototypes *p, const struct view_options *o,
                   struct err *e)
{
    *p = (struct prototypes){ 0 };
    if (o->prototypes.size > 0) {
        return open_file(p, o->prototypes, e);
    }
    return o->declared.size == 0 ||
           prototypes_read(p, o->declared, STR("the recording's prototypes"),
                           e);
}

void declared_text(struct buf *b, const struct call_set *set,
                   struct call_system on)
{
    on.own = NULL;
    for (size_t i = 0; set != NULL && i < set->count; i++) {
        const struct call_facts *call = &set->rows[i];
        const struct call_facts *ours = call_find_on(str_of(call->name), on);

        if (ours == NULL || !prototype_same(call, ours)) {
            prototype_print(b, call);
        }
    }
}

str declared_meant(str name)
{
    return nearest_call(name);
}

void declared_note(struct buf *notes, const struct prototypes *p,
                   const struct view_options *o)
{
    if (p->passed_over > 0) {
        buf_addf(notes,
                 "%.*s: passed over %u of what is there: only declarations of "
                 "system calls are read, no types\n",
                 STR_ARGS(o->prototypes), p->passed_over);
    }
    if (o->prototypes.size > 0 && p->set.count == 0) {
        buf_addf(notes, "%.*s: no system call is declared in it\n",
                 STR_ARGS(o->prototypes));
    }
}
