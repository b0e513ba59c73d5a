/* SPDX-License-Identifier: MIT */
/*
 * str.h - text as pointer and length, and room to build text in.
 *
 * A `str` is borrowed, never NUL-terminated by promise, and its `p` is never
 * NULL, not even when it is empty. Inside ntstrace text is UTF-8 (WTF-8 where
 * it came from Windows, which allows unpaired surrogates).
 *
 * A `buf` is room that a caller lends. What does not fit is dropped and sets
 * `cut`; appends are never checked one by one, who asked for the text looks
 * at `cut` once. After a cut nothing more is added, so a buf always holds a
 * beginning of what it was to hold. Nothing here allocates or fails.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/compiler.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct str {
    const char *p;  // borrowed, never NULL
    size_t size;    // bytes
} str;

#define STR(literal) ((str){ "" literal, sizeof(literal) - 1 })

/* The same in the initialiser of a static table, where STR is no constant. */
/* clang-format off */
#define STR_INIT(literal) { "" literal, sizeof(literal) - 1 }
/* clang-format on */

/* A str as the two arguments of a "%.*s". */
#define STR_ARGS(s) (int)(s).size, (s).p

/* The text of a NUL-terminated string, borrowed; "" for NULL. */
str str_of(const char *z);

/* Bytes [from, to) of `s`, both clipped to its size. */
str str_slice(str s, size_t from, size_t to);

bool str_eq(str a, str b);
bool str_eq_nocase(str a, str b);  // ASCII letters only
bool str_starts(str s, str prefix);
bool str_ends(str s, str suffix);
/* As C has it: letters of ASCII, digits, _; not empty, no digit first. */
bool str_is_identifier(str s);
int str_cmp(str a, str b);  // as strcmp: <0, 0, >0 by bytes
/* The same with a C string, read no further than it takes: for searches. */
int str_cmp_z(str a, const char *z);

/* True if it is the same text. Most are told apart here, by their first byte:
 * for lists that are gone through row by row. */
static inline bool str_is(str a, const char *z)
{
    return (a.size > 0 ? a.p[0] == z[0] : z[0] == 0) && str_cmp_z(a, z) == 0;
}

/* Splits `s` at the first `c`: *head gets what stands before it, *tail what
 * follows. False without `c`: head is all of `s`, tail is empty. */
bool str_cut(str s, char c, str *head, str *tail);

/* Of a path what stands behind its last folder, by \ or /. */
str str_file(str path);

/* Reads all of `s` as a decimal or 0x-hexadecimal number. False, `*out`
 * untouched, if it is not one or does not fit. */
bool str_to_u64(str s, uint64_t *out);

struct buf {
    char *p;      // lent
    size_t size;  // bytes used
    size_t room;  // bytes there
    bool cut;     // something did not fit
};

#define BUF_OVER(array) ((struct buf){ (array), 0, sizeof(array), false })

void buf_add(struct buf *b, str s);
void buf_add_char(struct buf *b, char c);
void buf_add_dec(struct buf *b, uint64_t n);
void buf_add_hex(struct buf *b, uint64_t n);  // 0x..., shortest
void buf_add_hex_digits(struct buf *b, uint64_t n, int digits);  // no 0x
/* Needs one byte of room more than it adds, for vsnprintf's NUL. */
PRINTF_LIKE(2, 3)
void buf_addf(struct buf *b, const char *fmt, ...);
str buf_str(const struct buf *b);  // borrowed from the buffer

#endif
