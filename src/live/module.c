/* SPDX-License-Identifier: MIT */
/*
 * module.c - reading images out of the target.
 *
 * Pages that cannot be read count as zeros, and so do sections that a program
 * has no use for; pe.c judges what it sees.
 */
#include "live/module.h"

#include "base/chars.h"
#include "base/utf.h"
#include "live/leftover.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define PAGE 0x1000
/* ntdll is 2 MiB; nothing we read whole is larger than this. */
#define IMAGE_MOST (64u << 20)

/* Of LdrInitializeThunk, which is bent to the agent's start. */
#define LOADER_SAME 64
/* What lies so near is looked at together. */
#define NEAR 0x10000u

#define IMAGE_SCN_MEM_DISCARDABLE 0x02000000u

/* The bytes from `from` to `to`, as far as they can be read. */
static void read_part(const struct module *m, const struct os_process *p,
                      size_t from, size_t to)
{
    if (from >= to || os_read(p, m->base + from, m->bytes + from, to - from)) {
        return;
    }
    for (size_t at = from; at < to; at += PAGE - at % PAGE) {
        size_t rest = PAGE - at % PAGE;

        os_read(p, m->base + at, m->bytes + at,
                to - at < rest ? to - at : rest);
    }
}

/* All that can be in use when a program runs: relocations and, with Wine, the
 * debugger's sections are left out, which are most of such an image. */
static void read_image(const struct module *m, const struct os_process *p,
                       const struct pe_image *head)
{
    size_t from = 0;
    struct pe_section s;
    size_t i = 0;

    for (; pe_section_at(head, i, &s); i++) {
        if (s.flags & IMAGE_SCN_MEM_DISCARDABLE) {
            if (s.rva < from) {
                continue;  // out of order: was read
            }
            read_part(m, p, from, s.rva);
            from = ((size_t)s.rva + s.size + PAGE - 1) & ~(size_t)(PAGE - 1);
        }
    }
    /* The table may go on where we have not looked. */
    read_part(m, p, i < head->section_count ? 0 : from, m->size);
}

/* False, and `m` is closed, without memory. */
static bool know_syscalls(struct module *m, struct err *e)
{
    m->syscalls = syscalls_of(&m->image);
    if (m->syscalls.entries != NULL && m->syscalls.seconds != NULL) {
        return true;
    }
    module_close(m);
    return err_set(e, ERR_OS, "out of memory");
}

bool module_open_as_is(struct module *out, const struct os_process *p,
                       uint64_t base, struct err *e)
{
    uint8_t head[PAGE];
    struct module m = { .base = base };
    struct pe_image image;

    if (!os_read(p, base, head, sizeof(head)) ||
        !pe_image_over(&image, head, sizeof(head)) ||
        image.image_size > IMAGE_MOST || image.image_size < PAGE) {
        return err_set(e, ERR_OS, "the image at 0x%llx cannot be read",
                       (unsigned long long)base);
    }
    m.size = image.image_size;
    m.bytes = calloc(1, m.size);
    if (m.bytes == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    read_image(&m, p, &image);
    if (!pe_image_over(&m.image, m.bytes, m.size)) {
        free(m.bytes);
        return err_set(e, ERR_OS, "the image at 0x%llx is damaged",
                       (unsigned long long)base);
    }
    if (!know_syscalls(&m, e)) {
        return false;
    }
    *out = m;
    return true;
}

bool module_open(struct module *out, const struct os_process *p, uint64_t base,
                 struct err *e)
{
    struct module m;

    if (!module_open_as_is(&m, p, base, e)) {
        return false;
    }
    m.leftover = leftover_mend(p, base, m.bytes, m.size);
    if (m.leftover != 0) {
        syscalls_close(&m.syscalls);
        if (!know_syscalls(&m, e)) {
            return false;
        }
    }
    *out = m;
    return true;
}

/* `size` bytes at `rva` are what they are in `like`. */
static bool is_same(const struct module *like, const struct os_process *p,
                    uint64_t rva, size_t size)
{
    uint8_t *bytes;
    bool same;

    if (rva > like->size || size > like->size - rva) {
        return false;
    }
    bytes = malloc(size);
    same = bytes != NULL && os_read(p, like->base + rva, bytes, size) &&
           memcmp(bytes, like->bytes + rva, size) == 0;
    free(bytes);
    return same;
}

bool module_share(struct module *out, struct module *like,
                  const struct os_process *p, uint64_t base)
{
    uint64_t loader = module_export(like, STR("LdrInitializeThunk"));
    uint32_t from, to, start, low, high;

    if (like->base != base || like->leftover != 0 || loader < base ||
        loader - base > like->size ||
        !syscalls_span(&like->syscalls, &from, &to)) {
        return false;
    }
    start = (uint32_t)(loader - base);
    low = start < from ? start : from;
    high = start + LOADER_SAME > to ? start + LOADER_SAME : to;
    /* Each look stops the process: one for both, if that is not much more. */
    if (!is_same(like, p, 0, PAGE) ||
        !(high - low <= to - from + NEAR
              ? is_same(like, p, low, high - low)
              : is_same(like, p, from, to - from) &&
                    is_same(like, p, start, LOADER_SAME))) {
        return false;
    }
    if (like->users == NULL) {
        like->users = malloc(sizeof(*like->users));
        if (like->users == NULL) {
            return false;
        }
        *like->users = 1;
    }
    ++*like->users;
    *out = *like;
    return true;
}

void module_close(struct module *m)
{
    if (m->users != NULL && --*m->users > 0) {
        *m = (struct module){ 0 };
        return;
    }
    free(m->users);
    syscalls_close(&m->syscalls);
    free(m->bytes);
    *m = (struct module){ 0 };
}

const struct syscall_entry *module_syscall(const struct module *m, str name)
{
    for (size_t i = 0; i < m->syscalls.count; i++) {
        if (str_eq(m->syscalls.entries[i].name, name)) {
            return &m->syscalls.entries[i];
        }
    }
    return NULL;
}

uint64_t module_export(const struct module *m, str name)
{
    struct pe_exports it = pe_exports_over(&m->image);
    struct pe_export x;

    while (pe_exports_next(&it, &x)) {
        if (str_eq(x.name, name)) {
            return m->base + x.rva;
        }
    }
    return 0;
}

uint64_t module_size(const struct os_process *p, uint64_t base, uint64_t end)
{
    uint8_t head[PAGE];
    struct pe_image image;

    /* What the header says is the target's to write: believed as far as all
     * of it is this mapping. */
    return os_read(p, base, head, sizeof(head)) &&
                   pe_image_over(&image, head, sizeof(head)) &&
                   image.image_size <= end - base
               ? image.image_size
               : end - base;
}

/* Bytes of its text that are none of UTF-8 are kept as surrogates. */
static void keep_text(struct module_identity *out, str s)
{
    struct buf b = BUF_OVER(out->pdb);

    while (s.size > 0) {
        size_t size;
        uint32_t c = chars_code_point(s, &size);

        utf_add(&b, c);
        s = str_slice(s, size, s.size);
    }
    out->pdb_size = b.size;
}

static void identify_pdb(struct module_identity *out,
                         const struct os_process *p, uint64_t base,
                         uint64_t size)
{
    uint8_t bytes[24 + MODULE_PDB_MOST];
    uint32_t rva = out->headers.debug;
    size_t part = out->headers.debug_size;
    struct pe_pdb pdb;
    uint32_t data_size;

    /* A directory has a few entries of 28 bytes. */
    if (part > 32 * 28) {
        part = 32 * 28;
    }
    if (rva == 0 || rva > size || part > size - rva ||
        !os_read(p, base + rva, bytes, part) ||
        !pe_codeview_in(bytes, part, &rva, &data_size)) {
        return;
    }
    part = data_size < sizeof(bytes) ? data_size : sizeof(bytes);
    if (rva > size || part > size - rva ||
        !os_read(p, base + rva, bytes, part) ||
        !pe_pdb_over(&pdb, bytes, part)) {
        return;
    }
    memcpy(out->pdb_id, pdb.id, sizeof(pdb.id));
    out->pdb_age = pdb.age;
    keep_text(out, pdb.name);
}

void module_identify(struct module_identity *out, const struct os_process *p,
                     uint64_t base, uint64_t size)
{
    uint8_t head[PAGE];

    *out = (struct module_identity){ 0 };
    if (size >= sizeof(head) && os_read(p, base, head, sizeof(head)) &&
        pe_identity_of(&out->headers, head, sizeof(head))) {
        identify_pdb(out, p, base, size);
    }
}

bool module_is(const struct os_process *p, uint64_t base, str name)
{
    uint8_t head[PAGE];
    struct pe_image image;
    uint8_t directory[40];
    char found[64] = { 0 };
    struct reader r;
    uint32_t rva;

    if (!os_read(p, base, head, sizeof(head)) ||
        !pe_image_over(&image, head, sizeof(head)) || image.exports == 0 ||
        !os_read(p, base + image.exports, directory, sizeof(directory))) {
        return false;
    }
    /* IMAGE_EXPORT_DIRECTORY.Name stands at +0Ch. */
    r = reader_over(directory, sizeof(directory));
    reader_seek(&r, 0x0c);
    rva = reader_u32(&r);
    if (name.size >= sizeof(found) ||
        !os_read(p, base + rva, found, name.size + 1)) {
        return false;
    }
    return str_eq_nocase(str_of(found), name);
}
