/* SPDX-License-Identifier: MIT */
/*
 * images.c - which images a traced process has, sorted by address.
 *
 * Asks the target nothing; reads its memory only. Fails for want of memory,
 * and then knows less.
 */
#include "live/images.h"

#include "base/array.h"
#include "live/callers.h"
#include "live/journal.h"
#include "live/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* A program may unload win32u and load it again; not without an end. */
#define WIN32U_MOST 64
/* No image is larger. */
#define IMAGE_MOST ((uint64_t)1 << 30)
/* Nor has a process more. */
#define IMAGES_MOST 8192

/* Index of the first image that begins above `address`. */
static size_t above(const struct traced *t, uint64_t address)
{
    return array_above(t->images, t->image_count, sizeof(t->images[0]),
                       address);
}

bool images_have(const struct traced *t, uint64_t address)
{
    size_t at = above(t, address);

    return at > 0 && address - t->images[at - 1].base < t->images[at - 1].size;
}

static void remove_at(struct traced *t, size_t at)
{
    callers_forget(t->images[at].file);
    t->image_count--;
    memmove(&t->images[at], &t->images[at + 1],
            (t->image_count - at) * sizeof(t->images[0]));
}

static void keep(struct traced *t, uint64_t base, uint64_t size, str name)
{
    struct buf b;
    size_t at = above(t, base);

    if (size == 0 || t->image_count >= IMAGES_MOST ||
        !array_grow(&t->images, &t->images_room, t->image_count,
                    sizeof(t->images[0]))) {
        return;
    }
    while (at > 0 && base - t->images[at - 1].base < t->images[at - 1].size) {
        remove_at(t, --at);
    }
    while (at < t->image_count && t->images[at].base - base < size) {
        remove_at(t, at);
    }
    memmove(&t->images[at + 1], &t->images[at],
            (t->image_count - at) * sizeof(t->images[0]));
    t->images[at] = (struct traced_image){ .base = base, .size = size };
    b = (struct buf){ t->images[at].name, 0, sizeof(t->images[at].name) - 1,
                      false };
    buf_add(&b, name);
    if (b.cut) {
        t->images[at].name[0] = '\0';
    }
    t->image_count++;
}

/* Tells of an image; if somebody may look for its file also which build of it it
 * is, and where that is. */
static bool tell_module(struct traced *t, uint64_t time, uint64_t base,
                        uint64_t size, str name, str path)
{
    struct journal_module m = { .base = base, .size = size };
    struct module_identity id;

    if (!t->session->identities) {
        return put_module(t, time, &m, name, STR(""));
    }
    module_identify(&id, &t->target.os, base, size);
    m.timestamp = id.headers.timestamp;
    m.checksum = id.headers.checksum;
    m.image_size = id.headers.image_size;
    m.pdb_age = id.pdb_age;
    memcpy(m.pdb_id, id.pdb_id, sizeof(m.pdb_id));
    if (!put_module(t, time, &m, name, (str){ id.pdb, id.pdb_size })) {
        return false;
    }
    if (path.size > 0) {
        put_file(t, time, base, path);
    }
    return true;
}

bool images_may_be(const struct traced *t, const struct region_told *told)
{
    const struct module *ntdll = &t->target.ntdll;
    uint64_t from = told->allocation, to = told->allocation_end;

    return told->image && told->path_size > 0 && from < to &&
           to - from <= IMAGE_MOST &&
           (from == ntdll->base || to <= ntdll->base ||
            from >= ntdll->base + ntdll->size);
}

void images_found(struct traced *t, uint64_t time, uint64_t base, uint64_t size,
                  str name, str path)
{
    keep(t, base, size, name);
    tell_module(t, time, base, size, name, path);
}

/* Reads its system calls; false: not, or it is there already. */
static bool take_win32u(struct traced *t, uint64_t base)
{
    struct err e = { 0 };

    if (t->target.win32u.bytes != NULL || t->win32u_taken == WIN32U_MOST) {
        return false;
    }
    t->win32u_taken++;
    if (!target_add_win32u(&t->target, base, &e)) {
        session_note(t->session, "calls of win32u.dll have no arguments: %s",
                     e.text);
        return false;
    }
    return true;
}

/* Reads it, if no other process had it. *win32u: it is that. */
static uint64_t learn_size(struct traced *t, const struct region_told *told,
                           bool *win32u)
{
    const str path = { told->path, told->path_size };
    const str name = STR("win32u.dll");
    const struct os_process *p = &t->target.os;
    struct known_image image = { .base = told->allocation,
                                 .end = told->allocation_end,
                                 .name = told->name };
    const struct known_image *known =
        known_find(&t->session->known, image.base, image.end, path);

    *win32u = false;
    if (known != NULL) {
        return known->size;
    }
    image.size = module_size(p, image.base, image.end);
    *win32u = module_is(p, image.base, name);
    if (!*win32u && !str_eq_nocase(region_file(told), name)) {
        known_add(&t->session->known, &image, path);
    }
    return image.size;
}

bool images_add(struct traced *t, uint64_t time, const struct region_told *told)
{
    bool win32u;
    uint64_t size = learn_size(t, told, &win32u);

    images_found(t, time, told->allocation, size, region_file(told),
                 (str){ told->path, told->path_size });
    return win32u && take_win32u(t, told->allocation);
}

/* Whose build is told, and whose place decides about a rule, is taken in before
 * its thread goes on. */
static void tell_agent(struct traced *t)
{
    const struct session *s = t->session;
    struct section *section = t->target.section;

    if (s->identities || filter_rule_count(s->telling.filter) > 0) {
        return;
    }
    for (size_t i = 0; i < s->known.count && i < SECTION_IMAGES_MOST; i++) {
        const struct known_image *x = &s->known.at[i];

        section->image[i] = (struct section_image){ x->base, x->end, x->name };
        t->images_told = (uint32_t)i + 1;
    }
    section->image_count = t->images_told;
}

void images_known(struct traced *t, uint64_t time, uint32_t index)
{
    if (index < t->images_told) {
        const struct known_image *x = &t->session->known.at[index];
        const str path = { x->path, x->path_size };

        images_found(t, time, x->base, x->size, str_file(path), path);
    }
}

bool images_win32u(struct traced *t, uint64_t base)
{
    return module_is(&t->target.os, base, STR("win32u.dll")) &&
           take_win32u(t, base);
}

/* Any address in a view unmaps it. */
void images_remove(struct traced *t, uint64_t time, uint64_t base)
{
    size_t at = above(t, base);

    if (at > 0 && base - t->images[at - 1].base < t->images[at - 1].size) {
        base = t->images[at - 1].base;
        remove_at(t, at - 1);
        put_unmodule(t, time, base);
    }
    if (t->target.win32u.bytes != NULL && t->target.win32u.base == base) {
        target_forget_win32u(&t->target);
    }
}

bool images_tell_stubs(struct traced *t, uint64_t time, const struct module *m,
                       const struct patched *patched, str name)
{
    if (!put_stubs(t, time, m, patched, name)) {
        return false;
    }
    if (patched->foreign > 0) {
        session_note(t->session,
                     "%zu system call functions of %.*s were changed by "
                     "other software and are left alone: their calls have "
                     "no arguments",
                     patched->foreign, STR_ARGS(name));
    }
    if (patched->no_room > 0) {
        session_note(t->session,
                     "%zu system call functions of %.*s are left alone, for "
                     "no more room is in their reach: their calls have no "
                     "arguments",
                     patched->no_room, STR_ARGS(name));
    }
    return true;
}

void images_tell_win32u(struct traced *t, uint64_t time)
{
    if (!images_tell_stubs(t, time, &t->target.win32u, &t->target.win32u_stubs,
                           STR("win32u.dll"))) {
        session_note(t->session,
                     "some calls of win32u.dll have no name: out of memory");
    }
}

/* The program, which nobody maps before our eyes either. It has not run: its
 * head says how large it is, and no page of it needs to be asked about. */
static void add_program(struct traced *t, uint64_t time)
{
    const struct os_process *p = &t->target.os;
    uint64_t image = os_process_image(p);
    char room[sizeof(t->told.path)];
    struct buf path = BUF_OVER(room);
    struct os_region r;
    uint64_t size;

    if (image == 0 || !os_query(p, image, &r) || !r.image ||
        r.allocation != image || !os_mapped_file(p, image, &path)) {
        return;
    }
    size = module_size(p, image, image + IMAGE_MOST);
    if (size < IMAGE_MOST) {
        images_found(t, time, image, size, str_file(buf_str(&path)),
                     buf_str(&path));
    }
}

bool images_begin(struct traced *t, uint64_t time)
{
    const struct module *ntdll = &t->target.ntdll;
    char room[3072];
    struct buf path = BUF_OVER(room);

    /* Of this one nobody needs to be asked anything, but where its file is. */
    keep(t, ntdll->base, ntdll->size, STR("ntdll.dll"));
    if (t->session->identities && !t->attached) {
        (void)os_mapped_file(&t->target.os, ntdll->base, &path);
    }
    if (!tell_module(t, time, ntdll->base, ntdll->size, STR("ntdll.dll"),
                     buf_str(&path))) {
        return false;
    }
    add_program(t, time);
    tell_agent(t);
    return true;
}

void images_close(struct traced *t)
{
    for (size_t i = 0; i < t->image_count; i++) {
        callers_forget(t->images[i].file);
    }
    free(t->images);
    t->images = NULL;
    t->image_count = 0;
    t->images_room = 0;
}
