/* SPDX-License-Identifier: MIT */
/*
 * fuzz_stubs - tables/amd64/stubs.h at every offset of the bytes.
 *
 * A match must be all of its form, hold the number that stands there, and
 * vanish when the last byte is cut off or any one that counts is changed.
 */
#include "tables/amd64/stubs.h"

#include "fuzz/fuzz.h"

static void check(const uint8_t *bytes, size_t size,
                  const struct stub_match *match)
{
    const struct stub_form *form = match->form;
    struct stub_match other = { .number = 0x77777777 };
    uint32_t number = 0;
    uint8_t *copy;

    MUST(form >= stub_forms && form < stub_forms + STUB_FORMS);
    MUST(form->pattern_size <= size);
    MUST(form->syscall_return < form->pattern_size);
    MUST(form->int_return < form->pattern_size);
    copy = malloc(form->pattern_size);
    MUST(copy != NULL);
    for (size_t i = 0, shift = 0; i < form->pattern_size; i++) {
        copy[i] = bytes[i];
        if (form->pattern[i] < 0) {
            number |= (uint32_t)bytes[i] << shift;
            shift += 8;
        } else {
            MUST(form->pattern[i] == bytes[i]);
        }
    }
    MUST(match->number == (number & STUB_NUMBER_MASK));

    MUST(stub_decode(copy, form->pattern_size, &other));
    MUST(other.form == form && other.number == match->number);
    MUST(!stub_decode(copy, form->pattern_size - 1u, &other) ||
         other.form != form);
    for (size_t i = 0; i < form->pattern_size; i++) {
        copy[i] ^= 0x10;
        MUST(form->pattern[i] < 0 ||
             !stub_decode(copy, form->pattern_size, &other) ||
             other.form != form);
        copy[i] ^= 0x10;
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    for (size_t at = 0; at <= size; at++) {
        struct stub_match match = { .number = 0x77777777 };

        if (stub_decode(bytes + at, size - at, &match)) {
            check(bytes + at, size - at, &match);
        } else {
            MUST(match.form == NULL && match.number == 0x77777777);
        }
    }
    return 0;
}
