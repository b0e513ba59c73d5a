/* SPDX-License-Identifier: MIT */
/*
 * ctokens.h - the text of a C header as words, numbers, texts and signs.
 *
 * Comments, lines with a # and what joins two lines are passed over. Touches
 * nothing but its arguments; what is no C is a token of its own kind.
 */
#ifndef TABLES_CTOKENS_H
#define TABLES_CTOKENS_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

enum ctoken_kind {
    CTOKEN_END,
    CTOKEN_WORD,
    CTOKEN_NUMBER,
    CTOKEN_TEXT,  // "..." or '...'
    CTOKEN_SIGN,  // one character, or "..." or "->"
    CTOKEN_BAD,   // `why` says what is wrong with it
};

struct ctoken {
    enum ctoken_kind kind;
    str text;
    size_t at;        // in the whole text
    const char *why;  // of CTOKEN_BAD
};

struct ctokens {
    str text;
    size_t at;
    bool line_begun;  // something but blanks stands before in this line
};

/* Over `text`, which may begin with the mark of UTF-8. */
struct ctokens ctokens_over(str text);
/* The next one; CTOKEN_END again and again once there is none. */
struct ctoken ctokens_next(struct ctokens *t);

/* True if it is this sign, or this word. */
bool ctoken_is(const struct ctoken *token, const char *z);

#endif
