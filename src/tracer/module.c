/* SPDX-License-Identifier: MIT */
/*
 * module.c - reading images out of the target.
 *
 * Pages that cannot be read count as zeros; pe.c judges what it sees.
 */
#include "tracer/module.h"

#include <stdlib.h>

#include "base/banned.h"

#define PAGE 0x1000
/* ntdll is 2 MiB; nothing we read whole is larger than this. */
#define IMAGE_MOST (64u << 20)

bool module_open(struct module *out, const struct os_process *p, uint64_t base,
                 struct err *e)
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
    if (!os_read(p, base, m.bytes, m.size)) {
        for (size_t at = 0; at < m.size; at += PAGE) {
            size_t part = m.size - at < PAGE ? m.size - at : PAGE;

            os_read(p, base + at, m.bytes + at, part);
        }
    }
    if (!pe_image_over(&m.image, m.bytes, m.size)) {
        free(m.bytes);
        return err_set(e, ERR_OS, "the image at 0x%llx is damaged",
                       (unsigned long long)base);
    }
    m.syscalls = syscalls_of(&m.image);
    *out = m;
    return true;
}

void module_close(struct module *m)
{
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

bool module_named(const struct os_process *p, uint64_t address,
                  struct buf *name, uint64_t *base, uint64_t *size)
{
    struct os_region r;
    uint8_t head[PAGE];
    struct pe_image image;
    char room[4096];
    struct buf path = BUF_OVER(room);
    size_t slash;

    if (!os_query(p, address, &r) || !r.image) {
        return false;
    }
    *base = r.allocation;
    *size = r.base + r.size - r.allocation;
    if (os_read(p, r.allocation, head, sizeof(head)) &&
        pe_image_over(&image, head, sizeof(head)) && image.image_size >= PAGE) {
        *size = image.image_size;
    }
    if (!os_mapped_file(p, r.allocation, &path)) {
        return false;
    }
    slash = path.size;
    while (slash > 0 && path.p[slash - 1] != '\\' && path.p[slash - 1] != '/') {
        slash--;
    }
    buf_add(name, str_slice(buf_str(&path), slash, path.size));
    return true;
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
