/* SPDX-License-Identifier: MIT */
/*
 * fuzz_pe - live/pe.h and live/syscalls.h: the bytes as a file's head and
 * as a mapped image of which the rest cannot be read.
 */
#include "live/pe.h"

#include "fuzz/fuzz.h"

#include "live/syscalls.h"
#include "tables/amd64/stubs.h"

/* What the tracer lends for all of its tables. Names may overlap, so a large
 * image could ask for more; inputs of some KiB cannot. */

static void check_exports(const struct pe_image *image)
{
    struct pe_exports it = pe_exports_over(image);
    struct pe_export x;
    uint64_t found = 0;

    for (; pe_exports_next(&it, &x); found++) {
        touch(x.name);
        MUST(x.name.size > 0 && x.rva > 0 && x.rva < image->image_size);
        MUST(x.rva < image->exports ||
             x.rva - image->exports >= image->exports_size);
        for (size_t i = 0; i < x.name.size; i++) {
            MUST(x.name.p[i] > ' ' && x.name.p[i] <= '~');
        }
    }
    MUST(found + it.skipped <= it.name_count);
    MUST(found + it.skipped <= image->bytes.size / 4 + 1);
    touch(pe_module_name(image));
}

static void check_sections(const struct pe_image *image)
{
    struct pe_section s;
    struct pe_section named;

    MUST(!pe_section_at(image, image->section_count, &s));
    for (size_t i = 0; i < image->section_count; i++) {
        if (pe_section_at(image, i, &s)) {
            touch(s.name);
            MUST(s.name.size <= 8 && s.rva < image->image_size);
            MUST(s.size <= image->image_size - s.rva);
            MUST(pe_section_named(image, s.name, &named));
            MUST(str_eq(named.name, s.name));
        }
    }
}

static void check_syscalls(const struct pe_image *image)
{
    struct syscalls s = syscalls_of(image);

    for (size_t i = 0; i < s.count; i++) {
        const struct syscall_entry *e = &s.entries[i];
        enum syscall_known known = (enum syscall_known)e->known;

        touch(e->name);
        MUST(e->name.size > 0 && e->rva < image->image_size);
        MUST(i == 0 || e->rva > s.entries[i - 1].rva);
        MUST(!e->stub || e->number <= STUB_NUMBER_MASK);
        MUST(e->stub == (known != SYSCALL_BY_ORDER));
        MUST(!str_eq(syscall_known_name(known), STR("?")));
    }
    MUST(s.second_count <= SECOND_STUBS_MAX);
    for (size_t i = 0; i < s.second_count; i++) {
        const struct second_stub *x = &s.seconds[i];
        struct stub_match match;

        MUST(x->of < s.count && x->rva % 16 == 0);
        MUST(i == 0 || x->rva > s.seconds[i - 1].rva);
        MUST(x->rva < image->bytes.size &&
             stub_decode(image->bytes.p + x->rva, image->bytes.size - x->rva,
                         &match));
        MUST(match.number == s.entries[x->of].number);
    }
    syscalls_close(&s);
}

/* The same bytes stand for the directory and for what it leads to. */
static void check_identity(const uint8_t *bytes, size_t size)
{
    struct pe_identity id;
    struct pe_pdb pdb;
    uint32_t rva = 0, part = 0;

    if (!pe_identity_of(&id, bytes, size)) {
        MUST(id.timestamp == 0 && id.image_size == 0 && id.debug == 0);
    } else if (id.debug < size &&
               pe_codeview_in(bytes + id.debug, size - id.debug, &rva, &part)) {
        MUST(rva != 0);
    }
    if (rva < size && pe_pdb_over(&pdb, bytes + rva, size - rva)) {
        touch(pdb.name);
        MUST(pdb.name.size < size - rva);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct pe_image image;
    uint64_t sizes[] = { size, size + 0x100, UINT64_MAX };

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        enum pe_kind kind = pe_judge(bytes, size, sizes[i]);

        MUST(kind <= PE_DAMAGED);
        touch(pe_why_not(kind));
    }
    check_identity(bytes, size);
    if (pe_image_over(&image, bytes, size)) {
        MUST(image.bytes.size <= size);
        check_exports(&image);
        check_sections(&image);
        check_syscalls(&image);
    }
    return 0;
}
