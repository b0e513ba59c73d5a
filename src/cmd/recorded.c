/* SPDX-License-Identifier: MIT */
/*
 * recorded.c - options that a recording was made with, as far as they matter to
 * who looks at it. Touches nothing, and cannot fail; without memory less is said.
 */
#include "cmd/recorded.h"

#include "base/chars.h"
#include "base/compiler.h"
#include "record/about.h"

#include <stdlib.h>

#include "base/banned.h"

/* Of an expression, and of all of them, about. */
#define SHOWN_MOST 80u

enum recorded_word recorded_word_of(str expression)
{
    static const struct {
        const char *prefix;
        enum recorded_word word;
    } rows[] = {
        { "status=", WORD_VIEW },     { "tid=", WORD_VIEW },
        { "process=", WORD_VIEW },    { "direct", WORD_VIEW },
        { "!direct", WORD_VIEW },     { "read=", WORD_DATA },
        { "write=", WORD_DATA },      { "raw=", WORD_DATA },
        { "transition=", WORD_VIEW }, { "inject=", WORD_DATA },
        { "fault=", WORD_DATA },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (str_starts(expression, str_of(rows[i].prefix))) {
            return rows[i].word;
        }
    }
    return WORD_TRACE;
}

bool recorded_adds(str expression)
{
    return str_starts(expression, STR("+")) ||
           str_starts(expression, STR("trace=+"));
}

/* What is added to all calls is all calls. */
static bool leaves_out(str expression)
{
    return recorded_word_of(expression) == WORD_TRACE &&
           !recorded_adds(expression) && !str_is(expression, "all") &&
           !str_is(expression, "trace=all");
}

static bool leaves_any_out(str info, struct buf *value)
{
    for (uint32_t i = 0;
         value->size = 0, about_find(info, STR("expression"), i, value); i++) {
        if (leaves_out(buf_str(value))) {
            return true;
        }
    }
    return false;
}

/* "-e A -e +B": all of those that chose calls. */
static void add_expressions(struct buf *b, str info, struct buf *value)
{
    size_t from = b->size;

    for (uint32_t i = 0;
         value->size = 0, about_find(info, STR("expression"), i, value); i++) {
        if (recorded_word_of(buf_str(value)) != WORD_TRACE) {
            continue;
        }
        if (b->size - from > SHOWN_MOST) {
            buf_add(b, STR(" ..."));
            break;
        }
        buf_add(b, STR(" -e "));
        chars_add_visible(b, str_slice(buf_str(value), 0, SHOWN_MOST));
    }
}

static bool add_filter(str info, struct buf *b)
{
    struct buf value = { malloc(info.size + 1), 0, info.size + 1, false };
    bool any = value.p != NULL && leaves_any_out(info, &value);

    if (any) {
        buf_add(b, STR("recorded with"));
        add_expressions(b, info, &value);
        buf_add(b, STR(": what other calls did is not all here"));
    }
    free(value.p);
    return any;
}

static bool add_engine(str info, struct buf *b)
{
    char room[60];
    struct buf engine = BUF_OVER(room);
    bool known = about_find(info, STR("engine"), 0, &engine);
    bool ring = str_is(buf_str(&engine), "ring");

    if (known && !ring) {
        buf_addf(b,
                 "recorded with %s: what calls were about, and so what they "
                 "did, is not here",
                 str_is(buf_str(&engine), "handshake") ? "--engine=handshake"
                                                       : "--no-patch");
    }
    return known && !ring;
}

bool recorded_lack(str info, uint32_t nth, struct buf *b)
{
    static bool (*const rows[])(str info, struct buf * b) = { add_filter,
                                                              add_engine };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t from = b->size;

        if (rows[i](info, b) && nth-- == 0) {
            return true;
        }
        b->size = from;
    }
    return false;
}
