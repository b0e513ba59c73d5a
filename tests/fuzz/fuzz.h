/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - what the fuzz targets share.
 *
 * A target gets bytes in a heap block of their exact size, hands them to one
 * reader and reads every byte that the reader hands back, so that a bad
 * pointer or length is a crash under ASan. What the reader promises beyond
 * that is a MUST. Built by `make fuzz`, replayed by tests/check-corpus.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define MUST(what)                                                       \
    do {                                                                 \
        if (!(what)) {                                                   \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, \
                    #what);                                              \
            abort();                                                     \
        }                                                                \
    } while (0)

/* UBSan stops at what it finds, as ASan does. Called by its runtime. */
const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
    return "halt_on_error=1:print_stacktrace=1";
}

static volatile unsigned fuzz_sum;

/* Reads all of it. */
static inline void touch(str s)
{
    MUST(s.p != NULL);
    for (size_t i = 0; i < s.size; i++) {
        fuzz_sum += (unsigned char)s.p[i];
    }
}

/* For arenas whose size was promised to be enough. */
static inline void fuzz_full(size_t wanted)
{
    fprintf(stderr, "arena full: %zu more bytes wanted\n", wanted);
    abort();
}

#endif
