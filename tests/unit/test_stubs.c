/* SPDX-License-Identifier: MIT */
/*
 * test_stubs - live/syscalls.h and live/patch.h: which stubs a module has,
 * and which of its bytes are changed.
 *
 * The images are made here, after what was found in the ntdll.dll and
 * win32u.dll of many versions of Windows (docs/facts.md C1 to C10): no file of
 * Windows is needed. Each lies in a heap block of its exact size.
 */
#include "live/patch.h"
#include "live/pe.h"
#include "live/syscalls.h"
#include "tables/amd64/stubs.h"

#include "unit/check.h"

#include <stdlib.h>
#include <string.h>

#define NT 0x80u
#define OPTIONAL (NT + 24)
#define SECTIONS (OPTIONAL + 240)

#define TEXT 0x1000u       // executable
#define MORE_TEXT 0x3000u  // executable, another section
#define DATA 0x4000u       // not executable
#define EXPORTS 0x5000u
#define IMAGE_SIZE 0x7000u

/* Where functions of the tables below begin. */
#define FIRST (TEXT + 0x400)

#define BASE UINT64_C(0x7ff800000000)

enum form {
    WINDOWS,
    OLD
};

struct export
{
    const char *name;
    uint32_t rva;
};

static void put(uint8_t *bytes, size_t at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bytes[at + i] = (uint8_t)(value >> (8 * i));
    }
}

static void put_section(uint8_t *bytes, size_t i, const char *name,
                        uint32_t rva, uint32_t size, uint32_t flags)
{
    size_t at = SECTIONS + 40 * i;

    memcpy(bytes + at, name, strlen(name));
    put(bytes, at + 8, size, 4);
    put(bytes, at + 12, rva, 4);
    put(bytes, at + 36, flags, 4);
}

/* A mapped module with these exports; where nothing stands, 0CCh. */
static uint8_t *make_image(const struct export *exports, size_t count)
{
    uint8_t *bytes = calloc(1, IMAGE_SIZE);
    uint32_t text = EXPORTS + 0xa00;

    put(bytes, 0, 0x5a4d, 2);
    put(bytes, 0x3c, NT, 4);
    put(bytes, NT, 0x4550, 4);
    put(bytes, NT + 4, 0x8664, 2);
    put(bytes, NT + 6, 4, 2);
    put(bytes, NT + 20, 240, 2);
    put(bytes, NT + 22, 0x2022, 2);
    put(bytes, OPTIONAL, 0x20b, 2);
    put(bytes, OPTIONAL + 24, BASE, 8);
    put(bytes, OPTIONAL + 56, IMAGE_SIZE, 4);
    put(bytes, OPTIONAL + 60, 0x400, 4);
    put(bytes, OPTIONAL + 108, 16, 4);
    put(bytes, OPTIONAL + 112, EXPORTS, 4);
    put(bytes, OPTIONAL + 116, IMAGE_SIZE - EXPORTS, 4);
    put_section(bytes, 0, ".text", TEXT, 0x2000, 0x60000020);
    put_section(bytes, 1, ".fothk", MORE_TEXT, 0x1000, 0x60000020);
    put_section(bytes, 2, ".rdata", DATA, 0x1000, 0x40000040);
    put_section(bytes, 3, ".edata", EXPORTS, 0x2000, 0x40000040);
    memset(bytes + TEXT, 0xcc, EXPORTS - TEXT);

    put(bytes, EXPORTS + 20, count, 4);
    put(bytes, EXPORTS + 24, count, 4);
    put(bytes, EXPORTS + 28, EXPORTS + 0x100, 4);
    put(bytes, EXPORTS + 32, EXPORTS + 0x400, 4);
    put(bytes, EXPORTS + 36, EXPORTS + 0x700, 4);
    for (size_t i = 0; i < count; i++) {
        put(bytes, EXPORTS + 0x100 + 4 * i, exports[i].rva, 4);
        put(bytes, EXPORTS + 0x400 + 4 * i, text, 4);
        put(bytes, EXPORTS + 0x700 + 2 * i, i, 2);
        memcpy(bytes + text, exports[i].name, strlen(exports[i].name) + 1);
        text += (uint32_t)strlen(exports[i].name) + 1;
    }
    return bytes;
}

static const struct stub_form *form_of(enum form form)
{
    str name = form == WINDOWS ? STR("windows") : STR("windows-old");

    for (size_t i = 0; i < STUB_FORMS; i++) {
        if (str_eq(str_of(stub_forms[i].name), name)) {
            return &stub_forms[i];
        }
    }
    return NULL;
}

/* Exactly what the compiler of Windows puts there. */
static void put_stub(uint8_t *bytes, uint32_t rva, enum form form,
                     uint32_t number)
{
    const struct stub_form *f = form_of(form);

    for (size_t i = 0; i < f->pattern_size; i++) {
        if (f->pattern[i] >= 0) {
            bytes[rva + i] = (uint8_t)f->pattern[i];
        }
    }
    put(bytes, rva + 4, number, 4);
}

static struct syscalls read_image(const uint8_t *bytes)
{
    struct pe_image image = { 0 };

    CHECK(pe_image_over(&image, bytes, IMAGE_SIZE));
    return syscalls_of(&image);
}

struct want {
    const char *name;
    uint32_t rva;
    uint16_t number;
    enum syscall_known known;
    bool stub;
};

static void check_entries(const struct syscalls *s, const struct want *want,
                          size_t count)
{
    CHECK_U64(s->count, count);
    for (size_t i = 0; i < s->count && i < count; i++) {
        const struct syscall_entry *e = &s->entries[i];

        CHECK_STR(e->name, str_of(want[i].name));
        CHECK_U64(e->rva, want[i].rva);
        CHECK_U64(e->number, want[i].number);
        CHECK_STR(syscall_known_name((enum syscall_known)e->known),
                  syscall_known_name(want[i].known));
        CHECK(e->stub == want[i].stub);
    }
}

/* Windows 10 1507 has its stubs 10h apart, later ones 20h; NtQuerySystemTime
 * is a jump to the function that reads the time without the kernel, in all. */
static void stubs_are_read_at_both_spacings(void)
{
    for (int form = WINDOWS; form <= OLD; form++) {
        uint32_t step = form == WINDOWS ? 0x20 : 0x10;
        struct export exports[] = {
            { "NtOpenFile", FIRST + step },
            { "NtQuerySystemTime", FIRST + 2 * step },
            { "NtWaitForThis", FIRST },
            { "NtYield", FIRST + 3 * step },
            { "NtdllDefWindowProc_A", TEXT + 0x100 },
            { "RtlQuerySystemTime", TEXT + 0x80 },
            { "ZwOpenFile", FIRST + step },
            { "ZwQuerySystemTime", FIRST + 2 * step },
            { "ZwWaitForThis", FIRST },
            { "ZwYield", FIRST + 3 * step },
        };
        struct want want[] = {
            { "NtWaitForThis", FIRST, 4, SYSCALL_BOTH, true },
            { "NtOpenFile", FIRST + step, 5, SYSCALL_BOTH, true },
            { "NtQuerySystemTime", FIRST + 2 * step, 6, SYSCALL_BY_ORDER,
              false },
            { "NtYield", FIRST + 3 * step, 7, SYSCALL_BOTH, true },
        };
        uint8_t *bytes = make_image(exports, COUNT_OF(exports));
        struct syscalls s;

        put_stub(bytes, FIRST, (enum form)form, 4);
        put_stub(bytes, FIRST + step, (enum form)form, 5);
        bytes[FIRST + 2 * step] = 0xe9;
        put(bytes, FIRST + 2 * step + 1, 0u - 0x1000u, 4);
        put_stub(bytes, FIRST + 3 * step, (enum form)form, 7);
        s = read_image(bytes);
        check_entries(&s, want, COUNT_OF(want));
        CHECK_U64(s.second_count, 0);
        syscalls_close(&s);
        free(bytes);
    }
}

/* Forty-one names of win32u of 24H2 lead to one address, where a function
 * stands that only fails: they are no system calls, and do not disturb the
 * numbers of those around them. */
static void exports_that_only_fail_are_no_stubs(void)
{
    static const uint8_t fails[] = { 0xb8, 0x1c, 0, 0, 0xc0, 0xc3 };
    static const struct export exports[] = {
        { "NtGdiGone", FIRST + 0x20 },      { "NtUserGone1", FIRST + 0x20 },
        { "NtUserGone2", FIRST + 0x20 },    { "NtUserGetThat", FIRST },
        { "NtUserPeekThis", FIRST + 0x40 },
    };
    static const struct want want[] = {
        { "NtUserGetThat", FIRST, 0x1005, SYSCALL_BOTH, true },
        { "NtUserPeekThis", FIRST + 0x40, 0x1006, SYSCALL_BOTH, true },
    };
    uint8_t *bytes = make_image(exports, COUNT_OF(exports));
    struct syscalls s;

    put_stub(bytes, FIRST, WINDOWS, 0x1005);
    memcpy(bytes + FIRST + 0x20, fails, sizeof(fails));
    put_stub(bytes, FIRST + 0x40, WINDOWS, 0x1006);
    s = read_image(bytes);
    check_entries(&s, want, COUNT_OF(want));
    syscalls_close(&s);
    free(bytes);
}

/* What the bytes say counts; the place only where they say nothing, and only
 * if what lies between two numbers is as many as are missing. */
static void bytes_tell_numbers_and_places_fill_the_gaps(void)
{
    static const struct export exports[] = {
        { "NtA", FIRST },         { "NtB", FIRST + 0x20 },
        { "NtC", FIRST + 0x40 },  { "NtD", FIRST + 0x60 },
        { "NtE", FIRST + 0x80 },  { "NtF", FIRST + 0xa0 },
        { "NtG", FIRST + 0xc0 },  { "NtH", FIRST + 0xe0 },
        { "NtI", FIRST + 0x100 }, { "NtJ", FIRST + 0x120 },
        { "RtlK", FIRST + 0xa8 }, { "wcslen", FIRST + 0xb8 },
    };
    static const struct want want[] = {
        { "NtA", FIRST, 2, SYSCALL_BOTH, true },
        { "NtB", FIRST + 0x20, 3, SYSCALL_BY_ORDER, false },
        { "NtC", FIRST + 0x40, 4, SYSCALL_BY_ORDER, false },
        { "NtD", FIRST + 0x60, 5, SYSCALL_BOTH, true },
        { "NtE", FIRST + 0x80, 9, SYSCALL_DECODED, true },
        /* NtF is hooked: one for the numbers 10 to 12, so its is not known; and
         * not every function between two stubs is a system call. */
        { "NtG", FIRST + 0xc0, 13, SYSCALL_BOTH, true },
        { "NtH", FIRST + 0xe0, 14, SYSCALL_CONFLICT, true },
        { "NtI", FIRST + 0x100, 7, SYSCALL_CONFLICT, true },
        /* NtJ is hooked, and nothing follows it. */
    };
    static const uint16_t numbers[] = { 2, 0, 0, 5, 9, 0, 13, 14, 7 };
    uint8_t *bytes = make_image(exports, COUNT_OF(exports));
    struct syscalls s;

    for (size_t i = 0; i < COUNT_OF(exports); i++) {
        if (i < COUNT_OF(numbers) && numbers[i] != 0) {
            put_stub(bytes, exports[i].rva, WINDOWS, numbers[i]);
        } else {
            bytes[exports[i].rva] = 0xe9;
        }
    }
    s = read_image(bytes);
    check_entries(&s, want, COUNT_OF(want));
    syscalls_close(&s);
    free(bytes);
}

static const struct export four[] = {
    { "NtClose", FIRST },
    { "NtOpenFile", FIRST + 0x20 },
    { "NtHooked", FIRST + 0x40 },
    { "NtYield", FIRST + 0x60 },
};

/* Stubs of four functions, numbers 0Fh to 12h, the third one hooked. */
static uint8_t *make_four(void)
{
    uint8_t *bytes = make_image(four, COUNT_OF(four));

    put_stub(bytes, FIRST, WINDOWS, 0xf);
    put_stub(bytes, FIRST + 0x20, WINDOWS, 0x10);
    bytes[FIRST + 0x40] = 0xe9;
    put_stub(bytes, FIRST + 0x60, WINDOWS, 0x12);
    return bytes;
}

/* As in ntdll from Windows 11 on: just below the first exported stub, and in
 * another section. */
static void second_stubs_are_found_by_their_bytes(void)
{
    uint8_t *bytes = make_four();
    struct syscalls s;
    uint32_t from, to;

    put_stub(bytes, TEXT, WINDOWS, 0x12);
    put_stub(bytes, FIRST - 0x40, WINDOWS, 0x10);
    put_stub(bytes, FIRST - 0x20, WINDOWS, 0xf);
    put_stub(bytes, FIRST + 0x200, WINDOWS, 0x11);
    put_stub(bytes, MORE_TEXT + 0xfe0, WINDOWS, 0xf);
    s = read_image(bytes);
    CHECK_U64(s.count, 4);
    CHECK_U64(s.second_count, 5);
    if (s.second_count == 5) {
        static const struct second_stub want[] = {
            { TEXT, 3 },          { FIRST - 0x40, 1 },      { FIRST - 0x20, 0 },
            { FIRST + 0x200, 2 }, { MORE_TEXT + 0xfe0, 0 },
        };

        for (size_t i = 0; i < 5; i++) {
            CHECK_U64(s.seconds[i].rva, want[i].rva);
            CHECK_U64(s.seconds[i].of, want[i].of);
        }
    }
    /* Those in the same neighbourhood are in its span, not the one afar. */
    CHECK(syscalls_span(&s, &from, &to));
    CHECK_U64(from, TEXT);
    CHECK_U64(to, FIRST + 0x220);
    syscalls_close(&s);
    free(bytes);
}

static void what_only_looks_like_a_second_stub_is_none(void)
{
    static const struct {
        const char *why;
        uint32_t rva;
        enum form form;
        uint32_t number;
        uint32_t spoil;  // a byte of it that is changed; 0: none
    } cases[] = {
        { "of a number that no export has", TEXT, WINDOWS, 0x20, 0 },
        { "with bits above the number", TEXT, WINDOWS, 0x4000f, 0 },
        { "of the other table", TEXT, WINDOWS, 0x100f, 0 },
        { "not on a multiple of 16", TEXT + 8, WINDOWS, 0xf, 0 },
        { "of another form than the export", TEXT, OLD, 0xf, 0 },
        { "in data", DATA, WINDOWS, 0xf, 0 },
        { "cut off by the section's end", MORE_TEXT + 0xff0, WINDOWS, 0xf, 0 },
        { "the exported one itself", FIRST, WINDOWS, 0xf, 0 },
        { "with int 2Dh", TEXT, WINDOWS, 0xf, 22 },
        { "without its last ret", TEXT, WINDOWS, 0xf, 23 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t *bytes = make_four();
        struct syscalls s;

        put_stub(bytes, cases[i].rva, cases[i].form, cases[i].number);
        if (cases[i].spoil != 0) {
            bytes[cases[i].rva + cases[i].spoil]--;
        }
        s = read_image(bytes);
        if (s.second_count != 0) {
            printf("  %s\n", cases[i].why);
        }
        CHECK_U64(s.second_count, 0);
        syscalls_close(&s);
        free(bytes);
    }
}

/* Two exports of one number: a third stub of it has no name. */
static void a_number_of_two_exports_names_no_second_stub(void)
{
    uint8_t *bytes = make_four();
    struct syscalls s;

    put_stub(bytes, FIRST + 0x60, WINDOWS, 0xf);
    put_stub(bytes, TEXT, WINDOWS, 0xf);
    s = read_image(bytes);
    CHECK_U64(s.second_count, 0);
    syscalls_close(&s);
    free(bytes);
}

/* An image that is full of them, or whose sections overlap, takes no more of
 * our time and memory than others. */
static void an_image_of_nothing_but_stubs_has_an_end(void)
{
    uint8_t *bytes = make_four();
    struct syscalls s;

    for (uint32_t at = TEXT; at < FIRST; at += 0x20) {
        put_stub(bytes, at, WINDOWS, 0xf);
    }
    for (uint32_t at = MORE_TEXT; at < DATA; at += 0x20) {
        put_stub(bytes, at, WINDOWS, 0xf);
    }
    s = read_image(bytes);
    CHECK_U64(s.second_count, SECOND_STUBS_MAX);
    syscalls_close(&s);

    memset(bytes + MORE_TEXT, 0xcc, DATA - MORE_TEXT);
    memset(bytes + TEXT + 0x20, 0xcc, FIRST - TEXT - 0x20);
    put_section(bytes, 1, ".fothk", TEXT, 0x2000, 0x60000020);
    s = read_image(bytes);
    CHECK_U64(s.second_count, 1);
    syscalls_close(&s);
    free(bytes);
}

/* --- What is changed --- */

#define THUNKS (BASE - 0x20000000)

struct patching {
    uint8_t *bytes;
    uint8_t thunks[4 * THUNK_SIZE];
    struct syscalls syscalls;
    struct patched patched;
};

/* Patches the image with room for so many thunks there. */
static void patch_at(struct patching *p, uint64_t room_at, size_t thunks)
{
    struct patch_wanted w;
    struct err e;

    p->syscalls = read_image(p->bytes);
    w = (struct patch_wanted){
        .base = BASE,
        .bytes = p->bytes,
        .size = IMAGE_SIZE,
        .syscalls = &p->syscalls,
        .entry = room_at - 0x4000,
        .callback = room_at - 0x3000,
        .room_at = room_at,
        .room = thunks * THUNK_SIZE,
    };
    CHECK(patch_make(&p->patched, &w, p->thunks, &e));
}

/* The image of make_four with four second stubs. */
static void patch_four(struct patching *p, size_t thunks)
{
    p->bytes = make_four();
    put_stub(p->bytes, TEXT, WINDOWS, 0x12);
    put_stub(p->bytes, FIRST - 0x20, WINDOWS, 0xf);
    put_stub(p->bytes, FIRST + 0x80, WINDOWS, 0x11);
    put_stub(p->bytes, MORE_TEXT + 0x800, WINDOWS, 0xf);
    patch_at(p, THUNKS, thunks);
    CHECK_U64(p->syscalls.second_count, 4);
}

static void patching_close(struct patching *p)
{
    patch_close(&p->patched);
    syscalls_close(&p->syscalls);
    free(p->bytes);
}

/* Where the jump at `at`, whose bytes these are, leads; 0: it is none. */
static uint64_t jump_target(const uint8_t *bytes, uint64_t at)
{
    uint32_t distance = 0;

    memcpy(&distance, bytes + 1, sizeof(distance));
    return bytes[0] == 0xe9 ? at + 5 + (uint64_t)(int64_t)(int32_t)distance : 0;
}

static uint64_t head_leads_to(const struct patched *p, uint32_t rva)
{
    return jump_target(p->is + (BASE + rva + 3 - p->from), BASE + rva + 3);
}

static void a_second_stub_leads_to_the_thunk_of_the_exported_one(void)
{
    struct patching p;
    const struct patched *is = &p.patched;

    patch_four(&p, 4);
    CHECK_U64(is->count, 5);
    CHECK_U64(is->foreign, 1);
    CHECK_U64(is->no_room, 0);
    CHECK_U64(is->from, BASE + TEXT);
    CHECK_U64(head_leads_to(is, FIRST), THUNKS);
    CHECK_U64(head_leads_to(is, FIRST + 0x20), THUNKS + THUNK_SIZE);
    CHECK_U64(head_leads_to(is, FIRST + 0x60), THUNKS + 2 * THUNK_SIZE);
    /* Whoever stands at an instruction of a stub finds one there. */
    CHECK(memcmp(is->is + (FIRST - TEXT), "\x4c\x8b\xd1\xe9", 4) == 0);
    CHECK(memcmp(is->is + (FIRST + 8 - TEXT), p.bytes + FIRST + 8, 0x18) == 0);
    /* A thunk goes on behind the head of the exported stub. */
    CHECK_U64(jump_target(p.thunks + 30, THUNKS + 30), BASE + FIRST + 8);

    CHECK_U64(head_leads_to(is, TEXT), THUNKS + 2 * THUNK_SIZE);
    CHECK_U64(head_leads_to(is, FIRST - 0x20), THUNKS);
    CHECK(patch_has(is, BASE + FIRST));
    CHECK(patch_has(is, BASE + FIRST - 0x20));
    CHECK(patch_has(is, BASE + TEXT));
    /* The hooked one is left alone, and so are its second stub and one that
     * lies elsewhere; between stubs nothing is changed. */
    CHECK(!patch_has(is, BASE + FIRST + 0x40));
    CHECK(!patch_has(is, BASE + FIRST + 0x80));
    CHECK(!patch_has(is, BASE + MORE_TEXT + 0x800));
    CHECK(!patch_has(is, BASE + TEXT + 0x20));
    CHECK(memcmp(is->is + 0x20, p.bytes + TEXT + 0x20, FIRST - TEXT - 0x40) ==
          0);
    /* What was there can be put back. */
    CHECK(memcmp(is->was, p.bytes + TEXT, is->size) == 0);
    patching_close(&p);
}

/* What the kernel returns to leads to the thunk's second half, and that to the
 * callback; whoever comes to the ninth byte makes the call. */
static void ends_lead_to_the_second_half_of_the_thunk(void)
{
    static const uint32_t exported[] = { FIRST, FIRST + 0x20, FIRST + 0x60 };
    struct patching p;
    const struct patched *is = &p.patched;
    struct err e;

    patch_four(&p, 4);
    CHECK(!patch_has_end(is, FIRST - TEXT));
    CHECK(patch_ends(&p.patched, &p.syscalls, BASE, &e));
    for (size_t i = 0; i < COUNT_OF(exported); i++) {
        size_t at = exported[i] - TEXT;
        const uint8_t *stub = is->is + at;
        const uint8_t *half = p.thunks + i * THUNK_SIZE + 36;
        uint64_t half_at = THUNKS + i * THUNK_SIZE + 36;
        uint32_t distance;

        CHECK(patch_has_end(is, at));
        CHECK(memcmp(stub + 8, "\xeb\x08\xe9", 3) == 0);  // to +12h
        CHECK_U64(jump_target(stub + 0xa, is->from + at + 0xa), half_at);
        CHECK(memcmp(stub + 0xf, "\x01\x75\0\x0f\x05\xeb\xf4", 7) == 0);
        CHECK(memcmp(stub + 0x16, is->was + at + 0x16, 0xa) == 0);
        CHECK_U64(stub[0x17], 0xc3);
        CHECK(memcmp(half, "\x4c\x8d\x15", 3) == 0);
        memcpy(&distance, half + 3, 4);
        CHECK_U64(half_at + 7 + (uint64_t)(int64_t)(int32_t)distance,
                  is->from + at + 0x17);
        CHECK_U64(jump_target(half + 7, half_at + 7), THUNKS - 0x3000);
    }
    /* A second stub goes on in the exported one; a hooked one is left alone. */
    CHECK(!patch_has_end(is, 0));
    CHECK(!patch_has_end(is, FIRST + 0x40 - TEXT));
    /* One whose beginning is another's by now has its end still. */
    patch_forget(&p.patched, BASE + FIRST);
    CHECK(patch_has_end(is, FIRST - TEXT));
    patching_close(&p);
}

/* One end that is not known, and none is bent. */
static void ends_of_another_form_are_refused(void)
{
    struct patching p;
    uint8_t *before;
    struct err e;

    p.bytes = make_four();
    put_stub(p.bytes, FIRST + 0x20, OLD, 0x10);
    patch_at(&p, THUNKS, 4);
    before = malloc(p.patched.size);
    memcpy(before, p.patched.is, p.patched.size);
    CHECK(patch_has(&p.patched, BASE + FIRST + 0x20));
    CHECK(!patch_ends(&p.patched, &p.syscalls, BASE, &e));
    CHECK(strstr(e.text, " is of no form that is known") != NULL);
    CHECK(memcmp(before, p.patched.is, p.patched.size) == 0);
    free(before);
    patching_close(&p);
}

/* Of all forms, byte by byte. */
static void what_is_not_quite_an_end_is_none(void)
{
    for (size_t i = 0; i < STUB_FORMS; i++) {
        const struct stub_form *f = &stub_forms[i];
        uint8_t stub[STUB_PATTERN_MAX], end[STUB_END_SIZE], was[STUB_END_SIZE];
        bool bends = f->pattern_size > 0x10;

        for (size_t k = 0; k < f->pattern_size; k++) {
            stub[k] = f->pattern[k] < 0 ? 0 : (uint8_t)f->pattern[k];
        }
        CHECK(stub_bend_end(stub, f->pattern_size, end) == bends);
        CHECK(!stub_bend_end(stub, f->pattern_size - 1u, end));
        if (!bends) {
            continue;
        }
        CHECK(stub_mend_end(end, was));
        CHECK(memcmp(was, stub + STUB_END_AT, sizeof(was)) == 0);
        for (size_t k = 0; k < sizeof(end); k++) {
            bool distance = k >= 3 && k < 7;

            end[k] ^= 0x40;
            CHECK(stub_mend_end(end, was) == distance);
            end[k] ^= 0x40;
        }
        for (size_t k = 8; k < f->pattern_size; k++) {
            stub[k] ^= 0x40;
            CHECK(!stub_bend_end(stub, f->pattern_size, end));
            stub[k] ^= 0x40;
        }
    }
}

/* Without room the rest stays as it is, and nobody says that it was changed:
 * its returns would be taken for calls made past their functions. */
static void stubs_without_room_for_a_thunk_stay_as_they_are(void)
{
    struct patching p;
    const struct patched *is = &p.patched;

    patch_four(&p, 1);
    CHECK_U64(is->count, 2);
    CHECK_U64(is->no_room, 2);
    CHECK_U64(is->foreign, 1);
    CHECK(patch_has(is, BASE + FIRST));
    CHECK(patch_has(is, BASE + FIRST - 0x20));
    CHECK(!patch_has(is, BASE + FIRST + 0x20));
    CHECK(!patch_has(is, BASE + FIRST + 0x60));
    CHECK(!patch_has(is, BASE + TEXT));
    CHECK(memcmp(is->is + (FIRST + 0x20 - TEXT), p.bytes + FIRST + 0x20,
                 0x60) == 0);
    patching_close(&p);
}

/* A jump leads 2 GiB far. What calls itself win32u.dll may lie anywhere. */
static void stubs_out_of_reach_stay_as_they_are(void)
{
    static const struct {
        uint64_t room_at;
        size_t count;
        size_t seconds;
    } cases[] = {
        { BASE - 0x7fff0000, 3, 1 },
        { BASE + 0x7fff0000, 3, 1 },
        /* The exported ones are just near enough. */
        { BASE + FIRST + 0x7ffff700, 3, 0 },
        { BASE - 0x80000000, 0, 0 },
        { BASE + 0x80010000, 0, 0 },
        { BASE - 0x600000000, 0, 0 },
        { 0x10000, 0, 0 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct patching p;

        p.bytes = make_four();
        put_stub(p.bytes, TEXT, WINDOWS, 0x12);
        patch_at(&p, cases[i].room_at, 4);
        CHECK_U64(p.patched.count, cases[i].count + cases[i].seconds);
        CHECK_U64(p.patched.no_room, 3 - cases[i].count);
        CHECK(patch_has(&p.patched, BASE + FIRST) == (cases[i].count != 0));
        CHECK(patch_has(&p.patched, BASE + TEXT) == (cases[i].seconds != 0));
        if (cases[i].count != 0) {
            CHECK_U64(head_leads_to(&p.patched, FIRST), cases[i].room_at);
        }
        patching_close(&p);
    }
}

static void a_module_without_stubs_is_left_alone(void)
{
    uint8_t *bytes = make_image(NULL, 0);
    struct syscalls s = read_image(bytes);
    struct patch_wanted w = {
        .base = BASE, .bytes = bytes, .size = IMAGE_SIZE, .syscalls = &s
    };
    struct patched p;
    uint32_t from, to;
    uint8_t none[1];
    struct err e;

    CHECK(patch_make(&p, &w, none, &e));
    CHECK_U64(p.count + p.size, 0);
    CHECK(!patch_has(&p, BASE + FIRST) && !patch_has(&p, 0));
    CHECK(!syscalls_span(&s, &from, &to));
    patch_close(&p);
    syscalls_close(&s);
    free(bytes);
}

int main(void)
{
    const struct test tests[] = {
        TEST(stubs_are_read_at_both_spacings),
        TEST(exports_that_only_fail_are_no_stubs),
        TEST(bytes_tell_numbers_and_places_fill_the_gaps),
        TEST(second_stubs_are_found_by_their_bytes),
        TEST(what_only_looks_like_a_second_stub_is_none),
        TEST(a_number_of_two_exports_names_no_second_stub),
        TEST(an_image_of_nothing_but_stubs_has_an_end),
        TEST(a_second_stub_leads_to_the_thunk_of_the_exported_one),
        TEST(ends_lead_to_the_second_half_of_the_thunk),
        TEST(ends_of_another_form_are_refused),
        TEST(what_is_not_quite_an_end_is_none),
        TEST(stubs_without_room_for_a_thunk_stay_as_they_are),
        TEST(stubs_out_of_reach_stay_as_they_are),
        TEST(a_module_without_stubs_is_left_alone),
    };

    return check_run(tests, COUNT_OF(tests));
}
