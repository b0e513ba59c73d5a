/* SPDX-License-Identifier: MIT */
/*
 * test_unwind - unwind/unwind.h, unwind/symbols.h, unwind/modfile.h.
 *
 * A module is made here of functions with the unwind data that a test wants, in
 * a heap block of its exact size; a thread's stack is a row of words from STACK
 * on. What a walk must find is written next to it.
 */
#include "unwind/unwind.h"

#include "unit/check.h"
#include "unwind/symbols.h"

#include <stdlib.h>
#include <string.h>

#define BASE UINT64_C(0x180000000)
#define STACK UINT64_C(0x7ff000)
#define WORDS 64

/* The file: headers, code, unwind data. */
#define CODE 0x1000
#define TABLE 0x2000
#define INFOS 0x2100
#define EXPORTS 0x2400
#define IMAGE_SIZE 0x3000
#define FILE_CODE 0x400
#define FILE_TABLE 0x800
#define FILE_SYMBOLS 0x1000
#define FILE_SIZE 0x1100

static uint8_t *file;
static uint32_t functions;  // rows so far
static uint32_t infos;      // bytes so far
static struct modfile module;
static uint64_t words[WORDS];

static void put(size_t at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        file[at + i] = (uint8_t)(value >> (8 * i));
    }
}

static void put_section(int i, uint32_t rva, uint32_t size, uint32_t at,
                        uint32_t flags)
{
    size_t row = 0x80 + 24 + 240 + (size_t)i * 40;

    put(row + 8, size, 4);
    put(row + 12, rva, 4);
    put(row + 16, size, 4);
    put(row + 20, at, 4);
    put(row + 36, flags, 4);
}

static void begin(void)
{
    file = calloc(1, FILE_SIZE);
    functions = 0;
    infos = 0;
    memset(words, 0, sizeof(words));
    memcpy(file, "MZ", 2);
    put(0x3c, 0x80, 4);
    memcpy(file + 0x80, "PE", 2);
    put(0x84, 0x8664, 2);
    put(0x86, 2, 2);
    put(0x88, 0x12345678, 4);
    put(0x94, 240, 2);
    put(0x98, 0x20b, 2);
    put(0x98 + 56, IMAGE_SIZE, 4);
    put(0x98 + 64, 0xabcdef, 4);
    put(0x98 + 108, 16, 4);
    put(0x98 + 112 + 3 * 8, TABLE, 4);
    put_section(0, CODE, 0x400, FILE_CODE, 0x60000020);
    put_section(1, TABLE, 0x800, FILE_TABLE, 0x40000040);
}

static bool read_file(void *ctx, uint64_t offset, void *to, size_t size)
{
    (void)ctx;
    CHECK(offset <= FILE_SIZE && size <= FILE_SIZE - offset);
    memcpy(to, file + offset, size);
    return true;
}

static bool open_module(void)
{
    struct modfile_source source = { .read = read_file, .size = FILE_SIZE };

    put(0x98 + 112 + 3 * 8 + 4, (uint64_t)functions * 12, 4);
    return modfile_open(&module, &source);
}

static void end(void)
{
    modfile_close(&module);
    free(file);
    file = NULL;
}

/* Unwind data as bytes, in hexadecimal; where they are. */
static uint32_t info(const char *hex)
{
    uint32_t at = INFOS + infos;

    for (; *hex; hex++) {
        if (*hex != ' ') {
            char digits[3] = { hex[0], hex[1], 0 };

            put(FILE_TABLE + INFOS + infos - TABLE, strtoul(digits, NULL, 16),
                1);
            infos++;
            hex++;
        }
    }
    infos = (infos + 3) & ~3u;
    return at;
}

/* A function from `from` to `to`, offsets into the code, that rise. */
static void function(uint32_t from, uint32_t to, uint32_t data)
{
    size_t row = FILE_TABLE + (size_t)functions++ * 12;

    put(row, CODE + from, 4);
    put(row + 4, CODE + to, 4);
    put(row + 8, data, 4);
}

static void code(uint32_t at, const char *bytes, size_t size)
{
    memcpy(file + FILE_CODE + at, bytes, size);
}

static struct unwind_stack stack_of(size_t count)
{
    return (struct unwind_stack){ (const uint8_t *)words, STACK, count * 8, 0 };
}

static bool find(void *ctx, uint64_t address, struct unwind_module *out)
{
    (void)ctx;
    *out = (struct unwind_module){ BASE, &module };
    return address - BASE < IMAGE_SIZE;
}

static struct unwind_state at(uint32_t offset, bool exact)
{
    struct unwind_state s = { .rip = BASE + CODE + offset, .exact = exact };

    s.registers[UNWIND_RSP] = STACK;
    for (unsigned i = 0; i < UNWIND_REGISTERS; i++) {
        if (i != UNWIND_RSP) {
            s.registers[i] = 0x1000 + i;
        }
    }
    return s;
}

/* One step from `offset` with all of the words; where to is in *s. */
static enum unwind_end step(struct unwind_state *s)
{
    struct unwind_stack stack = stack_of(WORDS);
    struct unwind_module m = { BASE, &module };

    CHECK(open_module());
    return unwind_step(s, &stack, &m);
}

static void a_leaf_has_its_return_address_on_top(void)
{
    struct unwind_state s;

    begin();
    words[0] = 0x4444;
    s = at(0x10, true);
    CHECK(step(&s) == UNWIND_ON);
    CHECK(s.rip == 0x4444 && s.registers[UNWIND_RSP] == STACK + 8);
    CHECK(!s.exact);
    end();
}

static void pushes_and_allocations_are_undone(void)
{
    struct unwind_state s;

    begin();
    /* push rbx; push r12; sub rsp,20h; sub rsp,100h; sub rsp,80000h, rather
     * less, so that it stays on our stack: 10h */
    function(0, 0x100,
             info("01 20 08 00 20 11 10 00 00 00 18 01 04 00 "
                  "10 32 08 c0 02 30"));
    words[2 + 4 + 4] = 0xc0de;
    words[2 + 4 + 4 + 1] = 0xb0b;
    words[2 + 4 + 4 + 2] = 0x5555;
    s = at(0x50, false);
    CHECK(step(&s) == UNWIND_ON);
    CHECK(s.registers[12] == 0xc0de && s.registers[UNWIND_RBX] == 0xb0b);
    CHECK(s.rip == 0x5555 && s.registers[UNWIND_RSP] == STACK + 13 * 8);
    CHECK(s.registers[UNWIND_RBP] == 0x1005);
    end();
}

static void a_frame_register_says_where_the_frame_is(void)
{
    struct unwind_state s;

    begin();
    /* push rbp; sub rsp,20h; lea rbp,[rsp+20h]; then anything of alloca */
    function(0, 0x100, info("01 0a 03 25 0a 03 05 32 01 50 00 00"));
    words[20] = 0xbbbb;
    words[21] = 0x6666;
    s = at(0x50, false);
    s.registers[UNWIND_RBP] = STACK + 20 * 8;
    CHECK(step(&s) == UNWIND_ON);
    CHECK(s.rip == 0x6666 && s.registers[UNWIND_RBP] == 0xbbbb);
    CHECK(s.registers[UNWIND_RSP] == STACK + 22 * 8);
    end();
}

static void saved_registers_are_told_from_the_frame(void)
{
    struct unwind_state s;

    begin();
    /* sub rsp,28h; mov [rsp+30h],rsi; mov [rsp+38h],rdi, told far; a vector
     * register, told near and far */
    function(0, 0x100,
             info("01 20 0b 00 20 69 00 00 00 00 1c 68 01 00 14 75 38 00 00 00 "
                  "0a 64 06 00 04 42 00 00"));
    words[5] = 0x7777;
    words[6] = 0x515;
    words[7] = 0xd1d1;
    s = at(0x50, false);
    CHECK(step(&s) == UNWIND_ON);
    CHECK(s.registers[UNWIND_RSI] == 0x515 &&
          s.registers[UNWIND_RDI] == 0xd1d1);
    CHECK(s.rip == 0x7777 && s.registers[UNWIND_RSP] == STACK + 6 * 8);
    end();
}

static void a_part_of_a_function_goes_on_with_the_whole(void)
{
    struct unwind_state s;
    uint32_t whole, begins, size;

    begin();
    whole = info("01 04 01 00 04 42 00 00");  // sub rsp,28h
    function(0, 0x20, whole);
    /* mov [rsp+30h],rsi here alone; chained to the one above */
    function(0x40, 0x80,
             info("21 05 02 00 05 64 06 00 00 10 00 00 20 10 00 00 00 21 00 "
                  "00"));
    words[5] = 0x8888;
    words[6] = 0x515;
    s = at(0x50, false);
    CHECK(step(&s) == UNWIND_ON);
    CHECK(s.rip == 0x8888 && s.registers[UNWIND_RSI] == 0x515);
    CHECK(unwind_function(&module, CODE + 0x50, &begins, &size));
    CHECK(begins == CODE && size == 0x20);
    CHECK(!unwind_function(&module, CODE + 0x30, &begins, &size));
    end();
}

static void a_row_may_lead_to_another_one(void)
{
    struct unwind_state s;

    begin();
    info("01 04 01 00 04 42 00 00");
    function(0, 0x20, INFOS);
    function(0x40, 0x80, TABLE | 1);
    words[5] = 0x9999;
    s = at(0x50, false);
    CHECK(step(&s) == UNWIND_ON && s.rip == 0x9999);
    end();
}

static void behind_a_machine_frame_rip_is_any_place(void)
{
    struct unwind_state s;

    for (int code_word = 0; code_word < 2; code_word++) {
        begin();
        /* sub rsp,28h on top of a frame of the CPU, with an error code or not */
        function(0, 0x100,
                 info(code_word ? "01 04 02 00 04 42 00 1a"
                                : "01 04 02 00 04 42 00 0a"));
        words[5 + code_word] = BASE + CODE + 0x204;
        words[5 + code_word + 3] = STACK + 40 * 8;
        s = at(0x50, false);
        CHECK(step(&s) == UNWIND_ON);
        CHECK(s.rip == BASE + CODE + 0x204 && s.exact);
        CHECK(s.registers[UNWIND_RSP] == STACK + 40 * 8);
        end();
    }
}

static void in_a_prolog_what_was_done_is_undone(void)
{
    struct unwind_state s;

    begin();
    function(0, 0x100, info("01 06 02 00 06 52 02 30"));  // push rbx; sub 30h
    words[0] = 0xb0b;
    words[1] = 0x1111;
    s = at(2, true);
    CHECK(step(&s) == UNWIND_ON);
    CHECK(s.rip == 0x1111 && s.registers[UNWIND_RBX] == 0xb0b);
    modfile_close(&module);
    s = at(0, true);
    CHECK(step(&s) == UNWIND_ON);
    CHECK(s.rip == 0xb0b && s.registers[UNWIND_RBX] == 0x1003);
    end();
}

static void in_an_epilog_what_is_left_is_done(void)
{
    static const struct {
        const char *bytes;
        size_t size;
        uint32_t at;
        unsigned pops;  // words until the return address
    } rows[] = {
        /* add rsp,30h; pop rbx; ret */
        { "\x48\x83\xc4\x30\x5b\xc3", 6, 0, 7 },
        { "\x48\x83\xc4\x30\x5b\xc3", 6, 4, 1 },
        { "\x48\x83\xc4\x30\x5b\xc3", 6, 5, 0 },
        /* add rsp,8 (long); pop r15; rep ret */
        { "\x48\x81\xc4\x08\x00\x00\x00\x41\x5f\xf3\xc3", 11, 0, 2 },
        /* pop rbx; jmp out, near and far; jmp [rip+...]; the same with a REX;
         * jmp rax with a REX */
        { "\x5b\xe9\x00\x10\x00\x00", 6, 0, 1 },
        { "\x5b\xeb\x80", 3, 0, 1 },
        { "\x5b\xff\x25\x00\x00\x00\x00", 7, 0, 1 },
        { "\x5b\x48\xff\x25\x00\x00\x00\x00", 8, 0, 1 },
        { "\x5b\x48\xff\xe0", 4, 0, 1 },
        /* ret 8 */
        { "\xc2\x08\x00", 3, 0, 0 },
    };
    struct unwind_state s;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        begin();
        function(0, 0x40, info("01 06 02 00 06 52 02 30"));
        code(0x20, rows[i].bytes, rows[i].size);
        words[rows[i].pops] = 0x2222;
        words[7] = words[7] ? words[7] : 0x3333;
        s = at(0x20 + rows[i].at, true);
        CHECK(step(&s) == UNWIND_ON);
        CHECK(s.rip == 0x2222);
        CHECK(!s.exact);
        end();
    }
}

static void what_looks_like_an_epilog_is_none(void)
{
    /* pop rbx; jmp within the function. pop rbx; jmp rax, which a switch has. */
    static const char *const rows[] = { "\x5b\xeb\x02\xcc",
                                        "\x5b\xff\xe0\xcc" };
    struct unwind_state s;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        begin();
        function(0, 0x40, info("01 06 02 00 06 52 02 30"));
        code(0x20, rows[i], 4);
        words[7] = 0x3333;
        s = at(0x20, true);
        CHECK(step(&s) == UNWIND_ON);
        CHECK(s.rip == 0x3333);
        end();
    }
    /* A return address: nobody has called in an epilog. */
    begin();
    function(0, 0x40, info("01 06 02 00 06 52 02 30"));
    code(0x20, "\xc3", 1);
    words[0] = 0x2222;
    words[7] = 0x3333;
    s = at(0x20, false);
    CHECK(step(&s) == UNWIND_ON && s.rip == 0x3333);
    end();
}

static void an_epilog_by_a_frame_register_is_one(void)
{
    struct unwind_state s;

    begin();
    /* push rbp; sub rsp,20h; lea rbp,[rsp+20h] ... lea rsp,[rbp]; pop rbp; ret */
    function(0, 0x100, info("01 0a 03 25 0a 03 05 32 01 50 00 00"));
    code(0x40, "\x48\x8d\x65\x00\x5d\xc3", 6);
    words[20] = 0xbbbb;
    words[21] = 0x6666;
    s = at(0x40, true);
    s.registers[UNWIND_RBP] = STACK + 20 * 8;
    CHECK(step(&s) == UNWIND_ON);
    CHECK(s.rip == 0x6666 && s.registers[UNWIND_RBP] == 0xbbbb);
    end();
}

static void epilogs_of_version_2_are_passed_over(void)
{
    struct unwind_state s;

    begin();
    /* Two codes about epilogs, then push rbx; sub rsp,30h. */
    function(0, 0x100, info("02 06 04 00 06 16 00 06 06 52 02 30"));
    words[6] = 0xb0b;
    words[7] = 0x1111;
    s = at(0x50, false);
    CHECK(step(&s) == UNWIND_ON);
    CHECK(s.rip == 0x1111 && s.registers[UNWIND_RBX] == 0xb0b);
    end();
}

static void a_call_at_the_end_of_a_function_is_its_own(void)
{
    struct unwind_state s;

    begin();
    function(0, 0x40, info("01 04 01 00 04 42 00 00"));
    function(0x40, 0x80, info("01 04 01 00 04 02 00 00"));
    words[5] = 0x1111;
    s = at(0x40, false);
    CHECK(step(&s) == UNWIND_ON && s.rip == 0x1111);
    end();
}

static void a_walk_says_why_it_ends(void)
{
    uint64_t callers[8];
    uint32_t count;
    struct unwind_stack stack;
    struct unwind_state s;

    begin();
    function(0, 0x40, info("01 04 01 00 04 42 00 00"));
    CHECK(open_module());
    words[5] = BASE + CODE + 0x20;
    words[11] = BASE + CODE + 0x30;

    /* A third frame that ends in a 0: the first function of the thread. */
    stack = stack_of(WORDS);
    s = at(0x10, false);
    CHECK(unwind_walk(&s, &stack, find, NULL, callers, 8, &count) ==
          UNWIND_WHOLE);
    CHECK(count == 2 && callers[0] == BASE + CODE + 0x20 &&
          callers[1] == BASE + CODE + 0x30);

    /* It goes to the end of the stack. */
    stack.base = STACK + 17 * 8;
    words[17] = 0x1234;
    s = at(0x10, false);
    CHECK(unwind_walk(&s, &stack, find, NULL, callers, 8, &count) ==
          UNWIND_WHOLE);
    CHECK(count == 2);

    /* Not all was copied. */
    stack = stack_of(11);
    s = at(0x10, false);
    CHECK(unwind_walk(&s, &stack, find, NULL, callers, 8, &count) ==
          UNWIND_CUT);
    CHECK(count == 1);

    /* Somebody's own code. */
    stack = stack_of(WORDS);
    s = at(0x10, false);
    CHECK(unwind_walk(&s, &stack, find, NULL, callers, 8, &count) ==
          UNWIND_FOREIGN);
    CHECK(count == 3 && callers[2] == 0x1234);

    s = at(0x10, false);
    CHECK(unwind_walk(&s, &stack, find, NULL, callers, 2, &count) ==
          UNWIND_LIMIT);
    CHECK(count == 2);
    end();
}

static void a_walk_goes_upward_only(void)
{
    struct unwind_state s;
    struct unwind_stack stack = stack_of(WORDS);
    struct unwind_module none = { BASE, NULL };

    begin();
    /* A frame register that leads down, to where the stack was not copied, and
     * to where it was. */
    function(0, 0x100, info("01 0a 03 25 0a 03 05 32 01 50 00 00"));
    s = at(0x50, false);
    s.registers[UNWIND_RBP] = STACK - 0x100;
    CHECK(step(&s) == UNWIND_BAD);
    modfile_close(&module);
    s = at(0x50, false);
    s.registers[UNWIND_RSP] = STACK + 40 * 8;
    s.registers[UNWIND_RBP] = STACK + 4 * 8;
    words[5] = 0x1111;
    CHECK(step(&s) == UNWIND_BAD);
    s = at(0x50, false);
    CHECK(unwind_step(&s, &stack, &none) == UNWIND_NO_FILE);
    end();
}

/* --- names --- */

static void put_exports(void)
{
    size_t to = FILE_TABLE + EXPORTS - TABLE;

    put(0x98 + 112, EXPORTS, 4);
    put(0x98 + 116, 0x100, 4);
    put(to + 20, 2, 4);
    put(to + 24, 2, 4);
    put(to + 28, EXPORTS + 0x30, 4);
    put(to + 32, EXPORTS + 0x38, 4);
    put(to + 36, EXPORTS + 0x40, 4);
    put(to + 0x30, CODE + 0x40, 4);
    put(to + 0x34, CODE, 4);
    put(to + 0x38, EXPORTS + 0x50, 4);
    put(to + 0x3c, EXPORTS + 0x58, 4);
    put(to + 0x40, 0, 2);
    put(to + 0x42, 1, 2);
    memcpy(file + to + 0x50, "Second", 7);
    memcpy(file + to + 0x58, "First", 6);
}

static void put_symbol(int i, const char *name, uint32_t value, int type)
{
    size_t to = FILE_SYMBOLS + (size_t)i * 18;

    memcpy(file + to, name, strlen(name));
    put(to + 8, value, 4);
    put(to + 12, 1, 2);
    put(to + 14, (uint64_t)type, 2);
    put(to + 16, 2, 1);
}

static bool named(const struct symbols *s, uint32_t rva, const char *name,
                  uint32_t offset)
{
    str found = STR("");
    uint32_t far = 0;

    return symbols_find(s, &module, rva, &found, &far) &&
           str_eq(found, str_of(name)) && far == offset;
}

static void a_place_has_the_name_of_its_own_function_alone(void)
{
    struct symbols s;
    uint32_t data;
    str name;
    uint32_t offset;

    begin();
    data = info("01 04 01 00 04 42 00 00");
    function(0, 0x40, data);
    function(0x40, 0x80, data);
    function(0x80, 0xc0, data);  // of it nobody says the name
    function(0x100, 0x140, data);
    put_exports();
    put(0x8c, FILE_SYMBOLS, 4);
    put(0x90, 3, 4);
    put_symbol(0, "inner_fn", 0x100, 0x20);
    put_symbol(1, "data", 0x80, 0);
    put_symbol(2, "Second", 0x40, 0x20);
    put(FILE_SYMBOLS + 54, 4, 4);
    CHECK(open_module());
    CHECK(module.timestamp == 0x12345678 && module.checksum == 0xabcdef &&
          module.image_size == IMAGE_SIZE);
    symbols_open(&s, &module);
    CHECK(named(&s, CODE + 0x10, "First", 0x10));
    CHECK(named(&s, CODE + 0x40, "First", 0x40));
    CHECK(named(&s, CODE + 0x41, "Second", 1));
    CHECK(named(&s, CODE + 0x140, "inner_fn", 0x40));
    CHECK(!symbols_find(&s, &module, CODE + 0x90, &name, &offset));
    CHECK(!symbols_find(&s, &module, CODE + 0xf0, &name, &offset));
    symbols_close(&s);
    end();
}

/* --- anybody's bytes --- */

static void damage_costs_frames_and_nothing_else(void)
{
    uint8_t *whole;
    uint64_t callers[16];
    uint32_t count;

    begin();
    function(0, 0x40, info("01 0a 03 25 0a 03 05 32 01 50 00 00"));
    function(0x40, 0x80,
             info("21 05 02 00 05 64 06 00 00 10 00 00 40 10 00 00 00 21 00 "
                  "00"));
    put_exports();
    put(0x8c, FILE_SYMBOLS, 4);
    put(0x90, 3, 4);
    put(0x98 + 112 + 3 * 8 + 4, (uint64_t)functions * 12, 4);
    whole = malloc(FILE_SIZE);
    memcpy(whole, file, FILE_SIZE);
    for (size_t i = 0; i < FILE_SIZE; i++) {
        static const uint8_t to[] = { 0, 1, 0x7f, 0x80, 0xff };

        for (size_t k = 0; k < COUNT_OF(to); k++) {
            struct modfile_source source = { .read = read_file,
                                             .size = FILE_SIZE };
            struct unwind_stack stack = stack_of(WORDS);
            struct unwind_state s = at(0x50, k % 2 == 0);
            struct symbols names;

            if (whole[i] == 0 && i > 0x300 && i % 16 != 0) {
                continue;
            }
            memcpy(file, whole, FILE_SIZE);
            file[i] = to[k];
            for (size_t w = 0; w < WORDS; w++) {
                words[w] = w % 2 ? BASE + CODE + 0x50 : STACK + w * 8 + 16;
            }
            if (modfile_open(&module, &source)) {
                unwind_walk(&s, &stack, find, NULL, callers, 16, &count);
                CHECK(count <= 16);
                symbols_open(&names, &module);
                symbols_close(&names);
            }
            modfile_close(&module);
        }
    }
    free(whole);
    end();
}

int main(void)
{
    const struct test tests[] = {
        TEST(a_leaf_has_its_return_address_on_top),
        TEST(pushes_and_allocations_are_undone),
        TEST(a_frame_register_says_where_the_frame_is),
        TEST(saved_registers_are_told_from_the_frame),
        TEST(a_part_of_a_function_goes_on_with_the_whole),
        TEST(a_row_may_lead_to_another_one),
        TEST(behind_a_machine_frame_rip_is_any_place),
        TEST(in_a_prolog_what_was_done_is_undone),
        TEST(in_an_epilog_what_is_left_is_done),
        TEST(what_looks_like_an_epilog_is_none),
        TEST(an_epilog_by_a_frame_register_is_one),
        TEST(epilogs_of_version_2_are_passed_over),
        TEST(a_call_at_the_end_of_a_function_is_its_own),
        TEST(a_walk_says_why_it_ends),
        TEST(a_walk_goes_upward_only),
        TEST(a_place_has_the_name_of_its_own_function_alone),
        TEST(damage_costs_frames_and_nothing_else),
    };

    return check_run(tests, COUNT_OF(tests));
}
