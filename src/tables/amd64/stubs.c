/* SPDX-License-Identifier: MIT */
/*
 * stubs.c - comparing bytes with stubs.def.
 */
#include "tables/amd64/stubs.h"

#include "base/compiler.h"

#include <string.h>

#include "base/banned.h"

/* Where `mov eax, imm32` keeps its number, in every form. */
#define NUMBER_AT 4

/* clang-format off */
#define NUMBER -1, -1, -1, -1
#define FORM(name_, size_, syscall_return_, int_return_, ...)               \
    {                                                                       \
        .name = name_,                                                      \
        .size = size_,                                                      \
        .pattern_size = COUNT_OF(((const int16_t[]){ __VA_ARGS__ })),       \
        .syscall_return = syscall_return_,                                  \
        .int_return = int_return_,                                          \
        .pattern = { __VA_ARGS__ },                                         \
    },
/* clang-format on */

const struct stub_form stub_forms[STUB_FORMS] = {
#include "tables/amd64/stubs.def"
};

static bool matches(const struct stub_form *form, const uint8_t *bytes,
                    size_t size)
{
    if (size < form->pattern_size) {
        return false;
    }
    for (size_t i = 0; i < form->pattern_size; i++) {
        if (form->pattern[i] >= 0 && form->pattern[i] != bytes[i]) {
            return false;
        }
    }
    return true;
}

bool stub_decode(const uint8_t *bytes, size_t size, struct stub_match *out)
{
    for (size_t i = 0; i < STUB_FORMS; i++) {
        if (matches(&stub_forms[i], bytes, size)) {
            uint32_t low = bytes[NUMBER_AT];
            uint32_t high = bytes[NUMBER_AT + 1];

            out->form = &stub_forms[i];
            out->number = (low | high << 8) & STUB_NUMBER_MASK;
            return true;
        }
    }
    return false;
}

/* --- ends --- */

/* Where a form makes its call. */
static const struct end_form {
    const char *name;
    uint8_t call_at;
} end_forms[] = {
    { "windows", 0x12 },
    { "wine", 0x18 },
};

#define JMP8 0xeb
#define JNE8 0x75
#define JMP32 0xe9
#define JNE_AT 0x10
#define RET_AT 0x14

/* A jump of two bytes at `at` of a stub, in its end. */
static void put_jump(uint8_t *end, uint8_t opcode, uint32_t at, uint32_t to)
{
    end[at - STUB_END_AT] = opcode;
    end[at + 1 - STUB_END_AT] = (uint8_t)(to - (at + 2));
}

static void make_end(const struct end_form *f, uint8_t end[STUB_END_SIZE])
{
    put_jump(end, JMP8, STUB_END_AT, f->call_at);
    end[STUB_TURN - STUB_END_AT] = JMP32;
    memset(end + STUB_TURN + 1 - STUB_END_AT, 0, 4);
    put_jump(end, JNE8, JNE_AT, f->call_at);
    put_jump(end, JMP8, RET_AT, STUB_TURN);
}

bool stub_bend_end(const uint8_t *stub, size_t size, uint8_t end[STUB_END_SIZE])
{
    struct stub_match match;

    if (!stub_decode(stub, size, &match)) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(end_forms); i++) {
        if (strcmp(match.form->name, end_forms[i].name) == 0) {
            memcpy(end, stub + STUB_END_AT, STUB_END_SIZE);
            make_end(&end_forms[i], end);
            return true;
        }
    }
    return false;
}

bool stub_mend_end(const uint8_t end[STUB_END_SIZE], uint8_t was[STUB_END_SIZE])
{
    const size_t rel = STUB_TURN + 1 - STUB_END_AT;

    for (size_t i = 0; i < COUNT_OF(end_forms); i++) {
        for (size_t k = 0; k < STUB_FORMS; k++) {
            const struct stub_form *form = &stub_forms[k];
            uint8_t bent[STUB_END_SIZE];

            if (strcmp(form->name, end_forms[i].name) != 0) {
                continue;
            }
            for (size_t n = 0; n < STUB_END_SIZE; n++) {
                was[n] = (uint8_t)form->pattern[STUB_END_AT + n];
            }
            memcpy(bent, was, sizeof(bent));
            make_end(&end_forms[i], bent);
            memcpy(bent + rel, end + rel, 4);
            if (memcmp(bent, end, sizeof(bent)) == 0) {
                return true;
            }
        }
    }
    return false;
}
