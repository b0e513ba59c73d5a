/* SPDX-License-Identifier: MIT */
/*
 * stubs.c - comparing bytes with stubs.def.
 */
#include "tables/amd64/stubs.h"

#include "base/compiler.h"

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
