/* SPDX-License-Identifier: MIT */
/*
 * told.h - a call's line of the text output, taken apart by its parameters,
 * and what a line must say for a value of a set.
 *
 * The line is our own output: what does not fit the grammar is no call.
 */
#ifndef COVERAGE_TOLD_H
#define COVERAGE_TOLD_H

#include "tables/calls.h"
#include "tables/names.h"

#include <stdbool.h>
#include <string.h>

struct told_arg {
    str name;  // empty: it has none
    str value;
};

/* One line with arguments: a call, or its first part. */
struct told_line {
    str name;
    str text;
    struct told_arg args[CALL_ARGS_MAX];
    uint32_t count;
    bool whole;  // closed by ")"; else "<unfinished ...>"
    bool more;   // "..."
};

/* Where the text, data or object that begins at `at` ends; `at` if it is none
 * of them. */
static inline size_t line_skip_quoted(str s, size_t at)
{
    bool data = at > 0 && s.p[at] == '"' && s.p[at - 1] == 'b';
    char close = s.p[at] == '<' ? '>' : s.p[at];
    char escape = data ? '\\' : '^';

    if (s.p[at] != '"' && s.p[at] != '<') {
        return at;
    }
    for (at++; at < s.size && s.p[at] != close; at++) {
        at += s.p[at] == escape;
    }
    return at;
}

static inline bool line_is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_';
}

static inline void line_add_arg(struct told_line *line, str text)
{
    struct told_arg *arg = &line->args[line->count];
    size_t at = 0;

    while (text.size > 0 && text.p[0] == ' ') {
        text = str_slice(text, 1, text.size);
    }
    if (str_eq(text, STR("..."))) {
        line->more = true;
        return;
    }
    if (text.size == 0 || line->count == CALL_ARGS_MAX) {
        return;
    }
    while (at < text.size && line_is_word(text.p[at])) {
        at++;
    }
    *arg = (struct told_arg){ STR(""), text };
    if (at > 0 && at < text.size && text.p[at] == '=') {
        arg->name = str_slice(text, 0, at);
        arg->value = str_slice(text, at + 1, text.size);
    }
    line->count++;
}

/* Reads "P.T NtName(args...". False for other lines. */
static inline bool line_parse(str text, struct told_line *line)
{
    str thread;
    str rest;
    size_t depth = 0;
    size_t from = 0;

    *line = (struct told_line){ .text = text };
    if (!str_cut(text, ' ', &thread, &rest) || !str_starts(rest, STR("Nt")) ||
        !str_cut(rest, '(', &line->name, &rest)) {
        return false;
    }
    for (size_t at = 0; at < rest.size; at++) {
        char c = rest.p[at];

        if (str_starts(str_slice(rest, at, rest.size),
                       STR(" <unfinished ...>"))) {
            line_add_arg(line, str_slice(rest, from, at));
            return true;
        }
        if (str_starts(str_slice(rest, at, rest.size), STR("/*"))) {
            while (!str_starts(str_slice(rest, at, rest.size), STR("*/")) &&
                   at < rest.size) {
                at++;
            }
        }
        if (at < rest.size) {
            at = line_skip_quoted(rest, at);
        }
        if (c == '(' || c == '[' || c == '{') {
            depth++;
        } else if ((c == ')' || c == ']' || c == '}') && depth > 0) {
            depth--;
        } else if (c == ',' && depth == 0) {
            line_add_arg(line, str_slice(rest, from, at));
            from = at + 1;
        } else if (c == ')') {
            line_add_arg(line, str_slice(rest, from, at));
            line->whole = true;
            return true;
        }
    }
    return false;
}

/* What the trace should say for a value of a set. */
static inline str line_words(const struct name_set *set, uint64_t value,
                             struct buf *b)
{
    const char *names[NAMES_SPLIT_MAX];
    uint64_t rest;
    size_t count = names_split(set, value, names, &rest);

    for (size_t i = 0; i < count; i++) {
        buf_add(b, i == 0 ? STR("") : STR("|"));
        buf_add(b, str_of(names[i]));
    }
    if (rest != 0) {
        buf_add(b, count == 0 ? STR("") : STR("|"));
        buf_add_hex(b, rest);
    }
    if (count == 0 && rest == 0) {
        buf_add(b, STR("0"));
    }
    return buf_str(b);
}

static inline bool line_contains(str s, str part)
{
    for (size_t i = 0; i + part.size <= s.size; i++) {
        if (str_starts(str_slice(s, i, s.size), part)) {
            return true;
        }
    }
    return false;
}

#endif
