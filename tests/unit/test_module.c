/* SPDX-License-Identifier: MIT */
/*
 * test_module - live/module.h: which build of its file an image is, read out of
 * a process whose every byte is its own to write.
 */
#include "live/leftover.h"
#include "live/module.h"
#include "wire/image.h"

#include "unit/check.h"

#include <stdlib.h>
#include <string.h>

#define BASE 0x150000000u
#define SIZE 0x4000u
#define NT 0x80
#define OPTIONAL (NT + 24)
#define DEBUG 0x1ff0
#define RSDS 0x3000

/* The process: one image, its pages one by one readable or not. */
static uint8_t image[SIZE];
static bool hidden[SIZE / 0x1000];
static size_t reads;

bool os_read(const struct os_process *p, uint64_t from, void *to, size_t size)
{
    (void)p;
    reads++;
    CHECK(size <= 0x1000 && from >= BASE && from - BASE <= SIZE &&
          size <= SIZE - (from - BASE));
    if (size == 0) {
        return true;
    }
    for (uint64_t at = from - BASE;
         at / 0x1000 <= (from - BASE + size - 1) / 0x1000; at += 0x1000) {
        if (hidden[at / 0x1000]) {
            return false;
        }
    }
    memcpy(to, image + (from - BASE), size);
    return true;
}

static void put(size_t at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        image[at + i] = (uint8_t)(value >> (8 * i));
    }
}

static void make_image(void)
{
    memset(image, 0, sizeof(image));
    memset(hidden, 0, sizeof(hidden));
    reads = 0;
    put(0, 0x5a4d, 2);
    put(0x3c, NT, 4);
    put(NT, 0x4550, 4);
    put(NT + 4, 0x8664, 2);
    put(NT + 8, 0x65432100, 4);
    put(NT + 20, 240, 2);
    put(OPTIONAL, 0x20b, 2);
    put(OPTIONAL + 56, SIZE - 1, 4);
    put(OPTIONAL + 64, 0x1234, 4);
    put(OPTIONAL + 108, 16, 4);
    put(OPTIONAL + 112 + 48, DEBUG, 4);
    put(OPTIONAL + 112 + 52, 28, 4);
    put(DEBUG + 12, 2, 4);
    put(DEBUG + 16, 24 + 6, 4);
    put(DEBUG + 20, RSDS, 4);
    memcpy(image + RSDS, "RSDSabcdefghijklmnop", 20);
    put(RSDS + 20, 9, 4);
    memcpy(image + RSDS + 24, "x.pdb", 6);
}

static struct module_identity identify(void)
{
    static struct module_identity id;
    struct os_process p = { 0 };

    memset(&id, 0xff, sizeof(id));
    module_identify(&id, &p, BASE, SIZE);
    return id;
}

static bool no_pdb(const struct module_identity *id)
{
    static const uint8_t none[16];

    return id->pdb_size == 0 && id->pdb_age == 0 &&
           memcmp(id->pdb_id, none, sizeof(none)) == 0;
}

static void an_image_is_identified_in_three_reads(void)
{
    struct module_identity id;

    make_image();
    id = identify();
    CHECK_U64(reads, 3);
    CHECK_U64(id.headers.timestamp, 0x65432100);
    CHECK_U64(id.headers.checksum, 0x1234);
    CHECK_U64(id.headers.image_size, SIZE - 1);
    CHECK(memcmp(id.pdb_id, "abcdefghijklmnop", 16) == 0);
    CHECK_U64(id.pdb_age, 9);
    CHECK_STR(((str){ id.pdb, id.pdb_size }), STR("x.pdb"));
}

static void what_cannot_be_read_is_not_known(void)
{
    struct module_identity id;

    make_image();
    hidden[0] = true;
    id = identify();
    CHECK(no_pdb(&id) && id.headers.timestamp == 0);
    make_image();
    hidden[2] = true;  // half of the directory
    id = identify();
    CHECK(no_pdb(&id) && id.headers.timestamp == 0x65432100);
    make_image();
    hidden[3] = true;
    id = identify();
    CHECK(no_pdb(&id) && id.headers.timestamp == 0x65432100);
    make_image();
    image[0] = 'Z';
    id = identify();
    CHECK(no_pdb(&id) && id.headers.image_size == 0);
}

/* os_read checks that nothing outside of the image is asked for. */
static void what_leads_outside_is_not_followed(void)
{
    static const struct {
        size_t at;
        uint32_t value;
    } wrong[] = {
        { OPTIONAL + 112 + 48, SIZE + 1 },
        { OPTIONAL + 112 + 48, UINT32_MAX },
        { OPTIONAL + 112 + 48, SIZE - 27 },
        { OPTIONAL + 112 + 48, 0 },
        { OPTIONAL + 112 + 52, 27 },
        { OPTIONAL + 112 + 52, 0 },
        { OPTIONAL + 108, 6 },
        { DEBUG + 12, 4 },
        { DEBUG + 20, SIZE - 1 },
        { DEBUG + 20, SIZE },
        { DEBUG + 20, UINT32_MAX },
        { DEBUG + 20, 0 },
        { DEBUG + 16, 0 },
        { DEBUG + 16, 23 },
        { RSDS, 0x3031424e },  // NB10
    };
    struct module_identity id;

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        make_image();
        put(wrong[i].at, wrong[i].value, 4);
        id = identify();
        CHECK(no_pdb(&id));
        CHECK_U64(id.headers.timestamp, 0x65432100);
    }
    /* Sizes that are lies, of what does not end. */
    make_image();
    put(OPTIONAL + 112 + 52, SIZE - DEBUG, 4);
    put(DEBUG + 16, SIZE - RSDS, 4);
    memset(image + RSDS + 24, 'x', SIZE - RSDS - 24);
    id = identify();
    CHECK_U64(id.pdb_age, 9);
    CHECK_U64(id.pdb_size, 0);
    put(OPTIONAL + 112 + 52, UINT32_MAX, 4);
    id = identify();
    CHECK_U64(id.headers.debug_size, UINT32_MAX);
    /* A mapping that is smaller than a page. */
    {
        struct os_process p = { 0 };

        module_identify(&id, &p, BASE, 0xfff);
        CHECK(no_pdb(&id) && id.headers.timestamp == 0);
    }
}

static void a_name_that_is_no_text_is_kept_as_one(void)
{
    struct module_identity id;

    make_image();
    memcpy(image + RSDS + 24, "\xc3\xa4\xff\n", 5);
    id = identify();
    CHECK_STR(((str){ id.pdb, id.pdb_size }), STR("\xc3\xa4\xed\xb3\xbf\n"));
    /* The longest, of bytes that each become three. */
    make_image();
    put(DEBUG + 16, 24 + MODULE_PDB_MOST, 4);
    memset(image + RSDS + 24, 0xff, MODULE_PDB_MOST - 1);
    id = identify();
    CHECK_U64(id.pdb_size, 3 * (MODULE_PDB_MOST - 1));
}

/* --- what a tracer has left --- */

#define STUB 0x1000
#define SECOND 0x1020
#define THUNK 0x2800
#define AGENT 0x140ff0000u

/* A stub that leads to a thunk, and another one that leads to the same. */
static void make_leftover(void)
{
    static const uint8_t rest[] = { 0xf6, 0x04, 0x25, 0x08, 0x03, 0xfe, 0x7f,
                                    0x01, 0x75, 0x03, 0x0f, 0x05, 0xc3 };
    static const size_t stubs[] = { STUB, SECOND };

    make_image();
    for (size_t i = 0; i < COUNT_OF(stubs); i++) {
        put(stubs[i], 0xe9d18b4c, 4);
        put(stubs[i] + 4, THUNK - (stubs[i] + 8), 4);
        memcpy(image + stubs[i] + 8, rest, sizeof(rest));
    }
    put(THUNK, 0x158d4c, 3);
    put(THUNK + 3, (uint32_t)(STUB - (THUNK + 7)), 4);
    put(THUNK + 7, 0xb8, 1);
    put(THUNK + 8, 0x123, 4);
    put(THUNK + 12, 0xe8, 1);
    put(THUNK + 13, AGENT + 0x400 - (BASE + THUNK + 17), 4);
    put(THUNK + 17, 0xd2854d, 3);
    put(THUNK + 20, 0x0d74, 2);
    put(THUNK + 22, 0xd18b4c, 3);
    put(THUNK + 25, 0xb8, 1);
    put(THUNK + 26, 0x4123, 4);
    put(THUNK + 30, 0xe9, 1);
    put(THUNK + 31, (uint32_t)(STUB + 8 - (THUNK + 35)), 4);
    put(THUNK + 35, 0xc3, 1);
    memset(image + THUNK + 36, 0xcc, THUNK_SIZE - 36);
}

/* The same, of a tracer whose functions' ends may be bent; and with the end of the
 * exported one. */
static void make_two_halves(bool end)
{
    make_leftover();
    put(THUNK + 36, 0x158d4c, 3);
    put(THUNK + 39, (uint32_t)(STUB + 0x17 - (THUNK + 43)), 4);
    put(THUNK + 43, 0xe9, 1);
    put(THUNK + 44, AGENT + 0x800 - (BASE + THUNK + 48), 4);
    if (end) {
        put(STUB + 8, 0xe908eb, 3);
        put(STUB + 0xb, THUNK + 36 - (STUB + 0xf), 4);
        put(STUB + 0xf, 0x007501, 3);
        put(STUB + 0x12, 0xf4eb050f, 4);
    }
}

/* The same, of a tracer from before calls could be changed. */
static void make_older_leftover(void)
{
    make_leftover();
    put(THUNK + 17, 0xd18b4c, 3);
    put(THUNK + 20, 0xb8, 1);
    put(THUNK + 21, 0x4123, 4);
    put(THUNK + 25, 0xe9, 1);
    put(THUNK + 26, (uint32_t)(STUB + 8 - (THUNK + 30)), 4);
    put(THUNK + 30, 0xcccc, 2);
    put(THUNK + 32, 0x158d4c, 3);  // the next one
}

static uint64_t mend(uint8_t *bytes)
{
    struct os_process p = { 0 };

    memcpy(bytes, image, SIZE);
    return leftover_mend(&p, BASE, bytes, SIZE);
}

static void stubs_that_a_dead_tracer_has_left_are_read_as_they_were(void)
{
    static uint8_t bytes[SIZE];

    make_leftover();
    CHECK_U64(mend(bytes), AGENT);
    CHECK(memcmp(bytes + STUB, "\x4c\x8b\xd1\xb8\x23\x41\0\0\xf6", 9) == 0);
    CHECK(memcmp(bytes + SECOND, bytes + STUB, 0x20) == 0);
    CHECK(memcmp(bytes + THUNK, image + THUNK, THUNK_SIZE) == 0);
    make_older_leftover();
    CHECK_U64(mend(bytes), AGENT);
    CHECK(memcmp(bytes + STUB, "\x4c\x8b\xd1\xb8\x23\x41\0\0\xf6", 9) == 0);
    /* All of the thunk is looked at, but for its numbers and where the agent
     * is. */
    for (size_t i = 0; i < THUNK_SIZE; i++) {
        bool number = (i >= 8 && i < 12) || (i >= 26 && i < 30);
        bool entry = i >= 13 && i < 17;

        make_leftover();
        image[THUNK + i] ^= 0x40;
        CHECK((mend(bytes) == 0) == (!number && !entry));
        CHECK((memcmp(bytes + STUB, image + STUB, 0x20) == 0) ==
              (!number && !entry));
    }
    for (size_t i = 0; i < THUNK_SIZE; i++) {
        bool number = (i >= 8 && i < 12) || (i >= 26 && i < 30);
        bool code = (i >= 13 && i < 17) || (i >= 44 && i < 48);

        make_two_halves(true);
        image[THUNK + i] ^= 0x40;
        CHECK((mend(bytes) == 0) == (!number && !code));
        CHECK((memcmp(bytes + STUB + 8, image + STUB + 8, 0x18) == 0) ==
              (!number && !code));
    }
    /* The program may have put the beginning back, or the end. */
    make_two_halves(true);
    CHECK_U64(mend(bytes), AGENT);
    CHECK(memcmp(bytes + STUB, "\x4c\x8b\xd1\xb8\x23\x41\0\0\xf6", 9) == 0);
    CHECK(memcmp(bytes + STUB + 8, image + SECOND + 8, 13) == 0);
    make_two_halves(true);
    put(STUB + 3, 0xb8, 1);
    put(STUB + 4, 0x4123, 4);
    put(SECOND + 3, 0xb8, 1);
    CHECK_U64(mend(bytes), AGENT);
    CHECK(memcmp(bytes + STUB + 8, image + SECOND + 8, 13) == 0);
    make_two_halves(false);
    CHECK_U64(mend(bytes), AGENT);
    /* An end that leads to another's thunk is nobody's. */
    make_two_halves(true);
    memcpy(image + SECOND + 8, image + STUB + 8, 14);
    put(SECOND + 0xb, THUNK + 36 - (SECOND + 0xf), 4);
    CHECK_U64(mend(bytes), AGENT);
    CHECK(memcmp(bytes + SECOND + 8, image + SECOND + 8, 14) == 0);
    make_leftover();
    hidden[THUNK / 0x1000] = true;
    CHECK_U64(mend(bytes), 0);
    CHECK(memcmp(bytes, image, SIZE) == 0);
    make_leftover();
    put(STUB + 4, THUNK + 1 - (STUB + 8), 4);
    put(SECOND + 4, THUNK + 8 - (SECOND + 8), 4);
    CHECK_U64(mend(bytes), 0);
}

/* One system call, and the loader's start, by an export directory. */
#define CALL 0x1100
#define LOADER 0x1200
#define EXPORTS 0x2000

static struct module make_like(void)
{
    struct module m = { .base = BASE, .size = SIZE };

    make_image();
    put(OPTIONAL + 112, EXPORTS, 4);
    put(OPTIONAL + 116, 0x100, 4);
    put(EXPORTS + 20, 1, 4);
    put(EXPORTS + 24, 1, 4);
    put(EXPORTS + 28, EXPORTS + 40, 4);
    put(EXPORTS + 32, EXPORTS + 44, 4);
    put(EXPORTS + 36, EXPORTS + 48, 4);
    put(EXPORTS + 40, LOADER, 4);
    put(EXPORTS + 44, EXPORTS + 52, 4);
    memcpy(image + EXPORTS + 52, "LdrInitializeThunk", 19);
    m.bytes = malloc(SIZE);
    m.syscalls.entries = calloc(1, sizeof(*m.syscalls.entries));
    m.syscalls.seconds = calloc(1, sizeof(*m.syscalls.seconds));
    CHECK(m.bytes != NULL && m.syscalls.entries != NULL);
    memcpy(m.bytes, image, SIZE);
    CHECK(pe_image_over(&m.image, m.bytes, SIZE));
    m.syscalls.count = 1;
    m.syscalls.entries[0] =
        (struct syscall_entry){ .name = STR("NtClose"), .rva = CALL };
    CHECK_U64(module_export(&m, STR("LdrInitializeThunk")), BASE + LOADER);
    return m;
}

static void what_is_the_same_in_another_process_is_there_once(void)
{
    static const uint32_t counts[] = { 0,           NT + 8, CALL,
                                       CALL + 0x1f, LOADER, LOADER + 0x3f };
    const struct os_process p = { .pid = 1 };
    struct module like = make_like();
    struct module out, third;

    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        image[counts[i]] ^= 1;
        CHECK(!module_share(&out, &like, &p, BASE));
        image[counts[i]] ^= 1;
    }
    CHECK(!module_share(&out, &like, &p, BASE + 0x10000));
    hidden[CALL / 0x1000] = true;
    CHECK(!module_share(&out, &like, &p, BASE));
    hidden[CALL / 0x1000] = false;
    like.leftover = 1;
    CHECK(!module_share(&out, &like, &p, BASE));
    like.leftover = 0;
    /* What nobody looks at may differ; and it lives as long as any of them. */
    image[SIZE - 1] ^= 1;
    CHECK(module_share(&out, &like, &p, BASE) && out.bytes == like.bytes);
    CHECK(module_share(&third, &out, &p, BASE) && third.bytes == like.bytes);
    module_close(&like);
    CHECK(like.bytes == NULL);
    CHECK_U64(module_export(&out, STR("LdrInitializeThunk")), BASE + LOADER);
    module_close(&third);
    CHECK_U64(module_export(&out, STR("LdrInitializeThunk")), BASE + LOADER);
    module_close(&out);
}

int main(void)
{
    const struct test tests[] = {
        TEST(an_image_is_identified_in_three_reads),
        TEST(what_cannot_be_read_is_not_known),
        TEST(what_leads_outside_is_not_followed),
        TEST(a_name_that_is_no_text_is_kept_as_one),
        TEST(stubs_that_a_dead_tracer_has_left_are_read_as_they_were),
        TEST(what_is_the_same_in_another_process_is_there_once),
    };

    return check_run(tests, COUNT_OF(tests));
}
