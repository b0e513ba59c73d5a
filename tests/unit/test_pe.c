/* SPDX-License-Identifier: MIT */
/*
 * test_pe - live/pe.h.
 *
 * All images are made here, in heap blocks of their exact size, so that under
 * ASan one byte too many is a crash. The damage loops assert nothing but that
 * the reader comes back, and with values inside the image.
 */
#include "live/pe.h"

#include "unit/check.h"

#include <stdlib.h>
#include <string.h>

#define NT 0x80
#define FILE_HEADER (NT + 4)
#define OPTIONAL (NT + 24)
#define SECTIONS (OPTIONAL + 240)

static void put(uint8_t *bytes, size_t at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bytes[at + i] = (uint8_t)(value >> (8 * i));
    }
}

static void put_text(uint8_t *bytes, size_t at, const char *text)
{
    memcpy(bytes + at, text, strlen(text) + 1);
}

static void put_section(uint8_t *bytes, size_t i, const char *name,
                        uint32_t rva, uint32_t size, uint32_t file_at,
                        uint32_t file_size)
{
    size_t at = SECTIONS + 40 * i;

    memcpy(bytes + at, name, strlen(name));
    put(bytes, at + 8, size, 4);
    put(bytes, at + 12, rva, 4);
    put(bytes, at + 16, file_size, 4);
    put(bytes, at + 20, file_at, 4);
    put(bytes, at + 36, 0x60000020, 4);
}

/* The headers of an x64 console program with two sections. */
static void put_headers(uint8_t *bytes)
{
    put_text(bytes, 0, "MZ");
    put(bytes, 0x18, 0x40, 2);
    put(bytes, 0x3c, NT, 4);
    put_text(bytes, NT, "PE");
    put(bytes, FILE_HEADER, 0x8664, 2);
    put(bytes, FILE_HEADER + 2, 2, 2);
    put(bytes, FILE_HEADER + 16, 240, 2);
    put(bytes, FILE_HEADER + 18, 0x22, 2);
    put(bytes, OPTIONAL, 0x20b, 2);
    put(bytes, OPTIONAL + 16, 0x1010, 4);
    put(bytes, OPTIONAL + 24, 0x140000000, 8);
    put(bytes, OPTIONAL + 32, 0x1000, 4);
    put(bytes, OPTIONAL + 36, 0x200, 4);
    put(bytes, OPTIONAL + 56, 0x3000, 4);
    put(bytes, OPTIONAL + 60, 0x400, 4);
    put(bytes, OPTIONAL + 68, 3, 2);
    put(bytes, OPTIONAL + 108, 16, 4);
}

/* A file of 0x800 bytes; the last 0x20 are padding. */
static uint8_t *make_file(void)
{
    uint8_t *bytes = calloc(1, 0x800);

    put_headers(bytes);
    put_section(bytes, 0, ".text", 0x1000, 0x180, 0x400, 0x200);
    put_section(bytes, 1, ".data", 0x2000, 0x1e0, 0x600, 0x200);
    return bytes;
}

/* Turns it into a 32-bit one, .NET's header at rva 0x1008 if `clr`. */
static void make_i386(uint8_t *bytes, bool clr, uint32_t clr_flags)
{
    put(bytes, FILE_HEADER, 0x14c, 2);
    put(bytes, OPTIONAL, 0x10b, 2);
    put(bytes, OPTIONAL + 92, 16, 4);
    put(bytes, OPTIONAL + 96 + 14 * 8, clr ? 0x1008 : 0, 4);
    put(bytes, OPTIONAL + 96 + 14 * 8 + 4, clr ? 72 : 0, 4);
    put(bytes, 0x408 + 16, clr_flags, 4);
}

#define IMAGE_SIZE 0x3000
#define EXPORTS 0x2000

/* A mapped module with five exports, one of them a forwarder. */
#define DEBUG 0x2400
#define RSDS 0x2500

static uint8_t *make_image(void)
{
    static const struct {
        const char *name;
        uint16_t ordinal;
        uint32_t rva;
    } exports[] = {
        { "NtClose", 1, 0x1020 },    { "NtForwarded", 3, EXPORTS + 0x180 },
        { "NtOpenFile", 0, 0x1000 }, { "RtlDatum", 4, 0x2800 },
        { "ZwClose", 1, 0x1020 },
    };
    uint8_t *bytes = calloc(1, IMAGE_SIZE);
    uint32_t text = EXPORTS + 0x100;

    put_headers(bytes);
    put_section(bytes, 0, ".text", 0x1000, 0x180, 0x400, 0x200);
    put_section(bytes, 1, ".datasec", 0x2000, 0x5000, 0x600, 0x200);
    put(bytes, OPTIONAL + 112, EXPORTS, 4);
    put(bytes, OPTIONAL + 116, 0x200, 4);
    put(bytes, FILE_HEADER + 4, 0x65432100, 4);
    put(bytes, OPTIONAL + 64, 0x1234, 4);
    put(bytes, OPTIONAL + 112 + 6 * 8, DEBUG, 4);
    put(bytes, OPTIONAL + 112 + 6 * 8 + 4, 2 * 28, 4);
    put(bytes, DEBUG + 12, 13, 4);  // POGO
    put(bytes, DEBUG + 20, 0x2100, 4);
    put(bytes, DEBUG + 28 + 12, 2, 4);  // CODEVIEW
    put(bytes, DEBUG + 28 + 16, 24 + 8, 4);
    put(bytes, DEBUG + 28 + 20, RSDS, 4);
    put_text(bytes, RSDS, "RSDS");
    for (size_t i = 0; i < 16; i++) {
        bytes[RSDS + 4 + i] = (uint8_t)(0xa0 + i);
    }
    put(bytes, RSDS + 20, 3, 4);
    put_text(bytes, RSDS + 24, "nt\xc3\xa4.pdb");
    put(bytes, EXPORTS + 12, EXPORTS + 0x1f0, 4);
    put_text(bytes, EXPORTS + 0x1f0, "ntdll.dll");
    put(bytes, EXPORTS + 16, 8, 4);
    put(bytes, EXPORTS + 20, 5, 4);
    put(bytes, EXPORTS + 24, COUNT_OF(exports), 4);
    put(bytes, EXPORTS + 28, EXPORTS + 0x40, 4);
    put(bytes, EXPORTS + 32, EXPORTS + 0x60, 4);
    put(bytes, EXPORTS + 36, EXPORTS + 0x80, 4);
    for (size_t i = 0; i < COUNT_OF(exports); i++) {
        put(bytes, EXPORTS + 0x40 + 4u * exports[i].ordinal, exports[i].rva, 4);
        put(bytes, EXPORTS + 0x60 + 4 * i, text, 4);
        put(bytes, EXPORTS + 0x80 + 2 * i, exports[i].ordinal, 2);
        put_text(bytes, text, exports[i].name);
        text += (uint32_t)strlen(exports[i].name) + 1;
    }
    put_text(bytes, EXPORTS + 0x180, "kernel32.Forward");
    put(bytes, EXPORTS + 0x54, 0x1030, 4);  // a sixth address, not counted
    return bytes;
}

static void a_file_is_judged_by_its_headers(void)
{
    static const struct {
        const char *why;
        size_t at;
        uint64_t value;
        size_t size;
        enum pe_kind want;
    } cases[] = {
        { "as made", 0, 0x5a4d, 2, PE_AMD64 },
        { "a GUI program", OPTIONAL + 68, 2, 2, PE_AMD64 },
        { "a driver", OPTIONAL + 68, 1, 2, PE_NOT_WIN32 },
        { "a boot program", OPTIONAL + 68, 10, 2, PE_NOT_WIN32 },
        { "a DLL", FILE_HEADER + 18, 0x2022, 2, PE_DLL },
        { "ARM64", FILE_HEADER, 0xaa64, 2, PE_ARM64 },
        { "32-bit ARM", FILE_HEADER, 0x1c4, 2, PE_OTHER_MACHINE },
        { "Itanium", FILE_HEADER, 0x200, 2, PE_OTHER_MACHINE },
        { "x86 with x64 headers", FILE_HEADER, 0x14c, 2, PE_DAMAGED },
        { "x64 with x86 headers", OPTIONAL, 0x10b, 2, PE_DAMAGED },
        { "not linked to the end", FILE_HEADER + 18, 0x20, 2, PE_DAMAGED },
        { "optional header too small", FILE_HEADER + 16, 8, 2, PE_DAMAGED },
        { "no size in memory", OPTIONAL + 56, 0, 4, PE_DAMAGED },
        { "a section beyond the file", SECTIONS + 20, 0x800, 4, PE_TRUNCATED },
        { "a section near 4 GiB", SECTIONS + 20, 0xfffffff0, 4, PE_TRUNCATED },
        { "headers beyond the file", OPTIONAL + 60, 0x801, 4, PE_TRUNCATED },
        { "too many sections", FILE_HEADER + 2, 0xffff, 2, PE_TRUNCATED },
        { "NE instead of PE", NT, 0x454e, 2, PE_16_BIT },
        { "new header at 0", 0x3c, 0, 4, PE_16_BIT },
        { "new header behind the file", 0x3c, 0x10000, 4, PE_TRUNCATED },
        { "not MZ", 0, 0x4b50, 2, PE_NOT_EXECUTABLE },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t *bytes = make_file();
        enum pe_kind got;

        put(bytes, cases[i].at, cases[i].value, cases[i].size);
        got = pe_judge(bytes, 0x800, 0x800);
        if (got != cases[i].want) {
            printf("  %s\n", cases[i].why);
        }
        CHECK_U64(got, cases[i].want);
        free(bytes);
    }
}

static void a_dos_program_is_not_a_cut_off_one(void)
{
    uint8_t *bytes = make_file();

    put(bytes, 0x18, 0x1e, 2);
    put(bytes, 0x3c, 0x12345678, 4);
    CHECK_U64(pe_judge(bytes, 0x800, 0x800), PE_16_BIT);
    free(bytes);
}

static void a_text_is_no_program(void)
{
    CHECK_U64(pe_judge("@echo off\r\n", 11, 11), PE_NOT_EXECUTABLE);
    CHECK_U64(pe_judge("#!/bin/sh\n", 10, 10), PE_NOT_EXECUTABLE);
    CHECK_U64(pe_judge("M", 1, 1), PE_NOT_EXECUTABLE);
    CHECK_U64(pe_judge("", 0, 0), PE_NOT_EXECUTABLE);
    CHECK_U64(pe_judge(NULL, 0, 0), PE_NOT_EXECUTABLE);
    CHECK_U64(pe_judge("\x7f"
                       "ELF",
                       4, 4),
              PE_NOT_EXECUTABLE);
}

static void a_32_bit_program_is_refused_but_not_dotnet_for_any_cpu(void)
{
    static const struct {
        bool clr;
        uint32_t flags;
        enum pe_kind want;
    } cases[] = {
        { false, 0, PE_I386 },      { true, 0x1, PE_DOTNET },  // IL only
        { true, 0x9, PE_DOTNET },                              // and signed
        { true, 0x0, PE_I386 },                                // has x86 code
        { true, 0x3, PE_I386 },      // 32 bits required
        { true, 0x20003, PE_I386 },  // 32 bits preferred
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t *bytes = make_file();

        make_i386(bytes, cases[i].clr, cases[i].flags);
        CHECK_U64(pe_judge(bytes, 0x800, 0x800), cases[i].want);
        if (cases[i].clr) {
            /* Out of sight: the head ends before the .NET header. */
            uint8_t *head = malloc(0x410);

            memcpy(head, bytes, 0x410);
            CHECK_U64(pe_judge(head, 0x410, 0x800), PE_DOTNET);
            free(head);
        }
        free(bytes);
    }
}

static void a_program_may_end_early_only_in_its_padding(void)
{
    uint8_t *whole = make_file();

    for (size_t size = 0; size <= 0x800; size++) {
        uint8_t *bytes = malloc(size + 1);
        enum pe_kind got;

        memcpy(bytes, whole, size);
        bytes = realloc(bytes, size ? size : 1);
        got = pe_judge(bytes, size, size);
        if (size < 2) {
            CHECK_U64(got, PE_NOT_EXECUTABLE);
        } else if (size < 0x7e0) {
            CHECK_U64(got, PE_TRUNCATED);
        } else {
            CHECK_U64(got, PE_AMD64);
        }
        free(bytes);
    }
    free(whole);
}

static void a_head_is_enough(void)
{
    uint8_t *bytes = make_file();

    put(bytes, SECTIONS + 40 + 16, 0x40000000, 4);
    put(bytes, SECTIONS + 40 + 8, 0x40000000, 4);
    CHECK_U64(pe_judge(bytes, 0x800, 0x50000000), PE_AMD64);
    put(bytes, 0x3c, 0x20000, 4);
    CHECK_U64(pe_judge(bytes, 0x800, 0x50000000), PE_DAMAGED);
    free(bytes);
}

static void every_refusal_has_words(void)
{
    CHECK(pe_is_ours(PE_AMD64) && pe_is_ours(PE_DOTNET));
    for (int kind = PE_I386; kind <= PE_DAMAGED; kind++) {
        CHECK(!pe_is_ours((enum pe_kind)kind));
        CHECK(str_starts(pe_why_not((enum pe_kind)kind), STR("is ")));
    }
    CHECK_STR(pe_why_not(PE_I386), STR("is a 32-bit program; ntstrace follows "
                                       "64-bit programs only"));
}

static void exports_are_found_and_forwarders_left_out(void)
{
    static const struct {
        const char *name;
        uint32_t rva;
        uint16_t ordinal;
    } want[] = {
        { "NtClose", 0x1020, 1 },
        { "NtOpenFile", 0x1000, 0 },
        { "RtlDatum", 0x2800, 4 },
        { "ZwClose", 0x1020, 1 },
    };
    uint8_t *bytes = make_image();
    struct pe_image image;
    struct pe_exports it;
    struct pe_export e;
    size_t n = 0;

    CHECK(pe_image_over(&image, bytes, IMAGE_SIZE));
    CHECK_STR(pe_module_name(&image), STR("ntdll.dll"));
    CHECK_U64(image.machine, 0x8664);
    CHECK_U64(image.image_size, IMAGE_SIZE);
    CHECK_U64(image.entry, 0x1010);
    CHECK_U64(image.base, 0x140000000);
    it = pe_exports_over(&image);
    while (pe_exports_next(&it, &e) && n < COUNT_OF(want)) {
        CHECK_STR(e.name, str_of(want[n].name));
        CHECK_U64(e.rva, want[n].rva);
        CHECK_U64(e.ordinal, want[n].ordinal);
        n++;
    }
    CHECK_U64(n, COUNT_OF(want));
    CHECK_U64(it.skipped, 0);
    free(bytes);
}

static void exports_that_lead_nowhere_are_skipped_and_counted(void)
{
    static const struct {
        const char *why;
        size_t at;
        uint64_t value;
        size_t size;
        size_t found;
        size_t skipped;
    } cases[] = {
        { "as made", 0, 0x5a4d, 2, 4, 0 },
        { "address behind the image", EXPORTS + 0x40, 0x3000, 4, 3, 1 },
        { "address 0", EXPORTS + 0x44, 0, 4, 2, 2 },
        { "index behind the table", EXPORTS + 0x80, 5, 2, 3, 1 },
        { "index behind the image", EXPORTS + 0x80, 0xffff, 2, 3, 1 },
        { "name outside", EXPORTS + 0x60, 0x3000, 4, 3, 1 },
        { "name without an end", EXPORTS + 0x60, 0x2fff, 4, 3, 1 },
        { "name empty", EXPORTS + 0x60, 0x2ffe, 4, 3, 1 },
        { "name not ASCII", EXPORTS + 0x101, 0x80, 1, 3, 1 },
        { "name with an escape", EXPORTS + 0x101, 0x1b, 1, 3, 1 },
        { "name with a DEL", EXPORTS + 0x101, 0x7f, 1, 3, 1 },
        { "names leave the image", EXPORTS + 32, 0x2ff8, 4, 0, 3 },
        { "names near 4 GiB", EXPORTS + 32, 0xfffffffc, 4, 0, 1 },
        { "addresses near 4 GiB", EXPORTS + 28, 0xfffffffc, 4, 0, 5 },
        { "no exports", OPTIONAL + 112, 0, 4, 0, 0 },
        { "image ends before them", OPTIONAL + 56, 0x2000, 4, 0, 0 },
        { "headers end before them", FILE_HEADER + 16, 112, 2, 0, 0 },
        { "directory at the end", OPTIONAL + 112, 0x2fff, 4, 0, 0 },
        { "no directories", OPTIONAL + 108, 0, 4, 0, 0 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t *bytes = make_image();
        struct pe_image image;
        struct pe_exports it;
        struct pe_export e;
        size_t n = 0;

        bytes[IMAGE_SIZE - 1] = 'x';
        put(bytes, cases[i].at, cases[i].value, cases[i].size);
        CHECK(pe_image_over(&image, bytes, IMAGE_SIZE));
        it = pe_exports_over(&image);
        while (pe_exports_next(&it, &e)) {
            n++;
        }
        if (n != cases[i].found ||
            (it.skipped != cases[i].skipped && it.name_count != 0xffffffff)) {
            printf("  %s\n", cases[i].why);
        }
        CHECK_U64(n, cases[i].found);
        if (it.name_count != 0xffffffff) {
            CHECK_U64(it.skipped, cases[i].skipped);
        }
        free(bytes);
    }
}

static void four_billion_names_end_where_the_image_does(void)
{
    uint8_t *bytes = make_image();
    struct pe_image image;
    struct pe_exports it;
    struct pe_export e;
    size_t n = 0;

    put(bytes, EXPORTS + 24, 0xffffffff, 4);
    CHECK(pe_image_over(&image, bytes, IMAGE_SIZE));
    it = pe_exports_over(&image);
    while (pe_exports_next(&it, &e)) {
        n++;
    }
    CHECK(n >= 4 && n + it.skipped <= IMAGE_SIZE / 4);
    /* Ordinals have 16 bits: more names than that cost time alone. */
    CHECK(it.name_count <= 0x10000);
    free(bytes);
}

static void sections_are_found_and_stay_inside(void)
{
    uint8_t *bytes = make_image();
    struct pe_image image;
    struct pe_section s = { .rva = 99 };

    CHECK(pe_image_over(&image, bytes, IMAGE_SIZE));
    CHECK(pe_section_named(&image, STR(".text"), &s));
    CHECK_U64(s.rva, 0x1000);
    CHECK_U64(s.size, 0x180);
    CHECK_U64(s.flags, 0x60000020);
    CHECK(pe_section_named(&image, STR(".datasec"), &s));
    CHECK_U64(s.size, 0x1000);
    CHECK(!pe_section_named(&image, STR(".tex"), &s));
    CHECK_U64(s.rva, 0x2000);
    CHECK(pe_section_at(&image, 1, &s));
    CHECK(!pe_section_at(&image, 2, &s));

    put(bytes, SECTIONS + 8, 0, 4);
    CHECK(pe_section_at(&image, 0, &s));
    CHECK_U64(s.size, 0x200);
    put(bytes, SECTIONS + 12, IMAGE_SIZE, 4);
    CHECK(!pe_section_at(&image, 0, &s));
    free(bytes);
}

static void what_is_no_64_bit_image_is_refused(void)
{
    uint8_t *bytes = make_image();
    struct pe_image image = { .entry = 99 };

    CHECK(!pe_image_over(&image, bytes, 0));
    CHECK(!pe_image_over(&image, bytes, OPTIONAL + 100));
    put(bytes, OPTIONAL, 0x10b, 2);
    CHECK(!pe_image_over(&image, bytes, IMAGE_SIZE));
    put(bytes, OPTIONAL, 0x20b, 2);
    put(bytes, 0x3c, 0xfffffff0, 4);
    CHECK(!pe_image_over(&image, bytes, IMAGE_SIZE));
    CHECK_U64(image.entry, 99);
    free(bytes);
}

/* --- which build it is --- */

/* A copy of its own of part of an image, for ASan to watch. */
static uint8_t *part_of(const uint8_t *image, size_t from, size_t size)
{
    uint8_t *part = malloc(size);

    if (part == NULL) {
        abort();
    }
    memcpy(part, image + from, size);
    return part;
}

static void an_image_says_which_build_it_is(void)
{
    uint8_t *bytes = make_image();
    struct pe_identity id;

    CHECK(pe_identity_of(&id, bytes, 0x400));
    CHECK_U64(id.timestamp, 0x65432100);
    CHECK_U64(id.checksum, 0x1234);
    CHECK_U64(id.image_size, 0x3000);
    CHECK_U64(id.debug, DEBUG);
    CHECK_U64(id.debug_size, 56);
    /* One of 32 bits as well: its directories begin 16 bytes before. */
    make_i386(bytes, false, 0);
    put(bytes, OPTIONAL + 96 + 6 * 8, 0x77, 4);
    put(bytes, OPTIONAL + 96 + 6 * 8 + 4, 28, 4);
    CHECK(pe_identity_of(&id, bytes, 0x400));
    CHECK_U64(id.timestamp, 0x65432100);
    CHECK_U64(id.checksum, 0x1234);
    CHECK_U64(id.debug, 0x77);
    CHECK_U64(id.debug_size, 28);
    /* Fewer directories than it would be one of. */
    put(bytes, OPTIONAL + 92, 6, 4);
    CHECK(pe_identity_of(&id, bytes, 0x400));
    CHECK(id.debug == 0 && id.debug_size == 0 && id.timestamp != 0);
    put(bytes, OPTIONAL, 0x107, 2);
    CHECK(!pe_identity_of(&id, bytes, 0x400));
    CHECK(id.timestamp == 0 && id.image_size == 0);
    free(bytes);
}

static void symbols_are_named_by_the_debug_directory(void)
{
    uint8_t *bytes = make_image();
    uint32_t rva = 0, size = 0;
    struct pe_pdb pdb;

    CHECK(pe_codeview_in(bytes + DEBUG, 56, &rva, &size));
    CHECK_U64(rva, RSDS);
    CHECK_U64(size, 32);
    CHECK(pe_pdb_over(&pdb, bytes + RSDS, 33));
    CHECK_U64(pdb.age, 3);
    CHECK(pdb.id[0] == 0xa0 && pdb.id[15] == 0xaf);
    CHECK_STR(pdb.name, STR("nt\xc3\xa4.pdb"));
    /* The entry is cut off, or is another kind, or is nowhere. */
    CHECK(!pe_codeview_in(bytes + DEBUG, 55, &rva, &size));
    CHECK(!pe_codeview_in(bytes + DEBUG, 28, &rva, &size));
    CHECK(!pe_codeview_in(bytes + DEBUG, 0, &rva, &size));
    put(bytes, DEBUG + 28 + 20, 0, 4);
    CHECK(!pe_codeview_in(bytes + DEBUG, 56, &rva, &size));
    free(bytes);
}

static void a_name_without_an_end_is_none(void)
{
    uint8_t *bytes = make_image();

    for (size_t size = 0; size <= 33; size++) {
        uint8_t *part = part_of(bytes, RSDS, size ? size : 1);
        struct pe_pdb pdb;
        bool is = pe_pdb_over(&pdb, part, size);

        CHECK(is == (size >= 24));
        if (is) {
            CHECK_U64(pdb.age, 3);
            CHECK_U64(pdb.name.size, size == 33 ? 8 : 0);
        }
        free(part);
    }
    bytes[RSDS] = 'N';
    {
        struct pe_pdb pdb;

        CHECK(!pe_pdb_over(&pdb, bytes + RSDS, 33));
    }
    free(bytes);
}

/* Reads everything there is, as the tracer does, and looks at each byte. */
static void read_all(const uint8_t *bytes, size_t size)
{
    struct pe_image image;
    struct pe_exports it;
    struct pe_export e;
    struct pe_section s;
    struct pe_identity id;
    size_t sum = 0;

    CHECK(pe_judge(bytes, size, size) <= PE_DAMAGED);
    CHECK(pe_judge(bytes, size, UINT64_MAX) <= PE_DAMAGED);
    if (pe_identity_of(&id, bytes, size) && id.debug < size) {
        uint32_t rva = 0, part = 0;
        struct pe_pdb pdb;

        if (pe_codeview_in(bytes + id.debug, size - id.debug, &rva, &part) &&
            rva < size && pe_pdb_over(&pdb, bytes + rva, size - rva)) {
            CHECK(pdb.name.size < size);
        }
    }
    if (!pe_image_over(&image, bytes, size)) {
        return;
    }
    sum += pe_module_name(&image).size;
    it = pe_exports_over(&image);
    while (pe_exports_next(&it, &e)) {
        CHECK(e.rva < image.image_size);
        CHECK(e.name.size > 0);
        for (size_t i = 0; i < e.name.size; i++) {
            CHECK(e.name.p[i] > ' ');
        }
    }
    for (size_t i = 0; pe_section_at(&image, i, &s); i++) {
        CHECK((uint64_t)s.rva + s.size <= image.image_size);
        sum += s.name.size;
    }
    CHECK(sum < size);
}

/* The bytes that mean something: headers, section table, export directory. */
static const struct {
    size_t from;
    size_t to;
} meaning[] = { { 0, SECTIONS + 80 },
                { EXPORTS, EXPORTS + 0x200 },
                { DEBUG, RSDS + 33 } };

static void damage_never_leads_outside(void)
{
    static const uint8_t flips[] = { 0xff, 0x80, 0x01, 0x7f, 0x10 };
    uint8_t *image = make_image();

    for (size_t m = 0; m < COUNT_OF(meaning); m++) {
        for (size_t i = meaning[m].from; i < meaning[m].to; i++) {
            for (size_t f = 0; f < COUNT_OF(flips); f++) {
                image[i] ^= flips[f];
                read_all(image, IMAGE_SIZE);
                image[i] ^= flips[f];
            }
        }
    }
    free(image);
}

static void damage_in_many_places_never_leads_outside(void)
{
    uint32_t seed = 1;

    for (int round = 0; round < 3000; round++) {
        uint8_t *image = make_image();

        for (int i = 0; i < 1 + round % 16; i++) {
            size_t m;
            size_t at;

            seed = seed * 1664525 + 1013904223;
            m = seed >> 16 & 1;
            at = meaning[m].from +
                 (seed >> 17) % (meaning[m].to - meaning[m].from);
            seed = seed * 1664525 + 1013904223;
            image[at] = (uint8_t)(seed >> 24);
        }
        put_text(image, 0, "MZ");
        read_all(image, IMAGE_SIZE);
        free(image);
    }
}

static void any_beginning_of_an_image_is_safe_to_read(void)
{
    uint8_t *image = make_image();

    for (size_t size = 0; size < IMAGE_SIZE; size++) {
        uint8_t *bytes = malloc(size ? size : 1);

        memcpy(bytes, image, size);
        read_all(bytes, size);
        free(bytes);
    }
    free(image);
}

int main(void)
{
    const struct test tests[] = {
        TEST(a_file_is_judged_by_its_headers),
        TEST(a_dos_program_is_not_a_cut_off_one),
        TEST(a_text_is_no_program),
        TEST(a_32_bit_program_is_refused_but_not_dotnet_for_any_cpu),
        TEST(a_program_may_end_early_only_in_its_padding),
        TEST(a_head_is_enough),
        TEST(every_refusal_has_words),
        TEST(exports_are_found_and_forwarders_left_out),
        TEST(exports_that_lead_nowhere_are_skipped_and_counted),
        TEST(four_billion_names_end_where_the_image_does),
        TEST(sections_are_found_and_stay_inside),
        TEST(what_is_no_64_bit_image_is_refused),
        TEST(an_image_says_which_build_it_is),
        TEST(symbols_are_named_by_the_debug_directory),
        TEST(a_name_without_an_end_is_none),
        TEST(damage_never_leads_outside),
        TEST(damage_in_many_places_never_leads_outside),
        TEST(any_beginning_of_an_image_is_safe_to_read),
    };

    return check_run(tests, COUNT_OF(tests));
}
