/* SPDX-License-Identifier: MIT */
/*
 * grammar.h - the grammar of docs/output.md as a parser.
 *
 * One function for each rule, in the order of the grammar. Each takes what it
 * accepts and says so; if it does not accept it takes nothing. `far` is how
 * far any of them has come: there the mistake is.
 *
 * Used by grammar.c and by the tests that make lines.
 */
#ifndef GRAMMAR_H
#define GRAMMAR_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Values nest no deeper. */
#define GRAMMAR_NESTED 50

struct grammar_line {
    const char *p;
    size_t size;
    size_t at;
    size_t far;
    int nested;
};

static inline bool g_value(struct grammar_line *l, const char *closers);

/* --- Pieces ----------------------------------------------------------- */

static inline char g_next(const struct grammar_line *l)
{
    return l->at < l->size ? l->p[l->at] : '\0';
}

static inline bool g_move(struct grammar_line *l, size_t to)
{
    l->at = to;
    if (to > l->far) {
        l->far = to;
    }
    return true;
}

static inline bool g_word(struct grammar_line *l, const char *text)
{
    size_t size = strlen(text);

    if (l->size - l->at < size || memcmp(l->p + l->at, text, size) != 0) {
        return false;
    }
    return g_move(l, l->at + size);
}

/* Back to where a rule began that does not hold after all. */
static inline bool g_no(struct grammar_line *l, size_t from)
{
    l->at = from;
    return false;
}

static inline bool g_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool g_is_hex(char c)
{
    return g_is_digit(c) || (c >= 'a' && c <= 'f');
}

static inline bool g_is_upper_hex(char c)
{
    return g_is_digit(c) || (c >= 'A' && c <= 'F');
}

static inline bool g_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static inline bool g_is_word(char c)
{
    return g_is_letter(c) || g_is_digit(c);
}

/* `least` to `most` characters for which `is` holds. */
static inline bool g_some(struct grammar_line *l, bool (*is)(char c),
                          size_t least, size_t most)
{
    size_t from = l->at;
    size_t n = 0;

    while (n < most && l->at < l->size && is(g_next(l))) {
        g_move(l, l->at + 1);
        n++;
    }
    return n >= least ? true : g_no(l, from);
}

static inline bool g_decimal(struct grammar_line *l)
{
    return g_some(l, g_is_digit, 1, 20);
}

static inline bool g_number0x(struct grammar_line *l)
{
    size_t from = l->at;

    return g_word(l, "0x") && g_some(l, g_is_hex, 1, 16) ? true : g_no(l, from);
}

static inline bool g_identifier(struct grammar_line *l)
{
    if (!g_is_letter(g_next(l))) {
        return false;
    }
    while (g_is_letter(g_next(l)) || g_is_digit(g_next(l))) {
        g_move(l, l->at + 1);
    }
    return true;
}

static inline bool g_integer(struct grammar_line *l)
{
    size_t from = l->at;

    if (g_number0x(l)) {
        return true;
    }
    g_word(l, "-");
    return g_decimal(l) ? true : g_no(l, from);
}

/* .123 .123456 .123456789, if there is one */
static inline void g_fraction(struct grammar_line *l)
{
    size_t from = l->at;

    if (!g_word(l, ".") ||
        !(g_some(l, g_is_digit, 9, 9) || g_some(l, g_is_digit, 6, 6) ||
          g_some(l, g_is_digit, 3, 3))) {
        l->at = from;
    }
}

static inline bool g_seconds(struct grammar_line *l)
{
    size_t from = l->at;

    if (!g_decimal(l)) {
        return g_no(l, from);
    }
    g_fraction(l);
    return true;
}

/* ^^ ^" ^> ^{1B} */
static inline bool g_escape(struct grammar_line *l)
{
    size_t from = l->at;

    if (g_word(l, "^^") || g_word(l, "^\"") || g_word(l, "^>")) {
        return true;
    }
    return g_word(l, "^{") && g_some(l, g_is_upper_hex, 1, 6) && g_word(l, "}")
               ? true
               : g_no(l, from);
}

/* Characters and escapes up to, and with, `end`. */
static inline bool g_escaped_until(struct grammar_line *l, char end)
{
    size_t from = l->at;

    while (l->at < l->size) {
        if (g_next(l) == end) {
            return g_move(l, l->at + 1);
        }
        if (g_next(l) == '^') {
            if (!g_escape(l)) {
                return g_no(l, from);
            }
        } else {
            g_move(l, l->at + 1);
        }
    }
    return g_no(l, from);
}

static inline bool g_text(struct grammar_line *l)
{
    size_t from = l->at;

    if (!g_word(l, "\"") || !g_escaped_until(l, '"')) {
        return g_no(l, from);
    }
    g_word(l, "...");
    return true;
}

static inline bool g_is_c_escape(char c)
{
    return c != '\0' && strchr("nrt\\\"", c);
}

static inline bool g_data(struct grammar_line *l)
{
    size_t from = l->at;

    if (!g_word(l, "b\"")) {
        return g_no(l, from);
    }
    while (!g_word(l, "\"")) {
        char c = g_next(l);

        if (c == '\\') {
            g_move(l, l->at + 1);
            if (g_word(l, "x") ? !g_some(l, g_is_hex, 2, 2)
                               : !g_some(l, g_is_c_escape, 1, 1)) {
                return g_no(l, from);
            }
        } else if (c < 0x20 || c > 0x7e) {
            return g_no(l, from);
        } else {
            g_move(l, l->at + 1);
        }
    }
    g_word(l, "...");
    return true;
}

static inline bool g_object(struct grammar_line *l)
{
    size_t from = l->at;

    return g_word(l, "<") && g_escaped_until(l, '>') ? true : g_no(l, from);
}

/* What stands before the first +0x; names are written so that this is right.
 * Until one is found it need not be a module at all: no mistake is behind. */
static inline bool g_module(struct grammar_line *l)
{
    size_t from = l->at;

    while (l->at < l->size) {
        if (l->at > from && l->size - l->at > 3 &&
            memcmp(l->p + l->at, "+0x", 3) == 0 && g_is_hex(l->p[l->at + 3])) {
            return g_move(l, l->at);
        }
        if (l->at > from && l->size - l->at > 3 &&
            memcmp(l->p + l->at, "@0x", 3) == 0) {
            l->at++;
            if (!g_number0x(l) || l->size - l->at < 3 ||
                memcmp(l->p + l->at, "+0x", 3) != 0) {
                return g_no(l, from);
            }
            return g_move(l, l->at);
        }
        if (g_next(l) == '^') {
            if (!g_escape(l)) {
                return g_no(l, from);
            }
        } else if (strchr(",]}", g_next(l))) {
            return g_no(l, from);
        } else {
            l->at++;
        }
    }
    return g_no(l, from);
}

static inline bool g_place(struct grammar_line *l)
{
    size_t from = l->at;

    if (g_word(l, "private ") || g_word(l, "unmapped ")) {
        if (!g_number0x(l)) {
            return g_no(l, from);
        }
    } else if (g_word(l, "mapped ")) {
        if (!g_text(l)) {
            return g_no(l, from);
        }
    } else if (!g_module(l)) {
        return g_no(l, from);
    }
    return g_word(l, "+") && g_number0x(l) ? true : g_no(l, from);
}

static inline bool g_status(struct grammar_line *l)
{
    size_t from = l->at;

    if (g_number0x(l) || g_identifier(l)) {
        return true;
    }
    return g_no(l, from);
}

/* --- Values ----------------------------------------------------------- */

/* May a value end here? `closers` says which brackets would close it. */
static inline bool g_value_ends(const struct grammar_line *l,
                                const char *closers)
{
    static const char *const ends[] = { ", ", " => ", " /* ",
                                        " <unfinished ...>" };

    if (l->at == l->size || g_next(l) == '<' || strchr(closers, g_next(l))) {
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        size_t size = strlen(ends[i]);

        if (l->size - l->at >= size &&
            memcmp(l->p + l->at, ends[i], size) == 0) {
            return true;
        }
    }
    return false;
}

static inline bool g_constants(struct grammar_line *l)
{
    size_t from = l->at;

    if (!g_identifier(l)) {
        return false;
    }
    while (g_word(l, "|")) {
        if (!g_number0x(l) && !g_identifier(l)) {
            return g_no(l, from);
        }
    }
    return true;
}

static inline bool g_timestamp(struct grammar_line *l)
{
    size_t from = l->at;

    if (g_word(l, "+") || g_word(l, "-")) {
        return g_decimal(l) && g_word(l, ".") && g_some(l, g_is_digit, 6, 7) &&
                       g_word(l, "s")
                   ? true
                   : g_no(l, from);
    }
    return g_some(l, g_is_digit, 4, 5) && g_word(l, "-") &&
                   g_some(l, g_is_digit, 2, 2) && g_word(l, "-") &&
                   g_some(l, g_is_digit, 2, 2) && g_word(l, "T") &&
                   g_some(l, g_is_digit, 2, 2) && g_word(l, ":") &&
                   g_some(l, g_is_digit, 2, 2) && g_word(l, ":") &&
                   g_some(l, g_is_digit, 2, 2) && g_word(l, ".") &&
                   g_some(l, g_is_digit, 7, 7) && g_word(l, "Z")
               ? true
               : g_no(l, from);
}

static inline bool g_comment(struct grammar_line *l)
{
    size_t from = l->at;

    if (!g_word(l, " /* ")) {
        return false;
    }
    while (l->at < l->size) {
        if (g_word(l, " */")) {
            return true;
        }
        g_move(l, l->at + 1);
    }
    return g_no(l, from);
}

static inline bool g_scalar(struct grammar_line *l, const char *closers)
{
    static bool (*const forms[])(struct grammar_line * l) = {
        g_timestamp,
        g_integer,
        g_constants,
        g_place,
    };
    size_t from = l->at;

    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        if (forms[i](l) && g_value_ends(l, closers)) {
            g_object(l);
            return g_value_ends(l, closers) ? true : g_no(l, from);
        }
        l->at = from;
    }
    return false;
}

/* An argument's name; a field's can have dots: u1.s1.Length */
static inline bool g_field(struct grammar_line *l)
{
    if (!g_identifier(l)) {
        return false;
    }
    while (g_next(l) == '.') {
        size_t from = l->at;

        l->at++;
        if (!g_identifier(l)) {
            l->at = from;
            break;
        }
    }
    return true;
}

/* Name and value; a value alone. */
static inline bool g_arg(struct grammar_line *l, const char *closers)
{
    size_t from = l->at;

    if (g_field(l) && g_word(l, "=") && g_value(l, closers)) {
        return true;
    }
    l->at = from;
    return g_value(l, closers);
}

static inline bool g_args(struct grammar_line *l, const char *closers)
{
    size_t from = l->at;

    if (!g_arg(l, closers)) {
        return false;
    }
    while (g_word(l, ", ")) {
        if (g_word(l, "...")) {
            return true;
        }
        if (!g_arg(l, closers)) {
            return g_no(l, from);
        }
    }
    return true;
}

static inline bool g_structure(struct grammar_line *l)
{
    size_t from = l->at;

    if (!g_word(l, "{")) {
        return false;
    }
    return g_args(l, "}") && g_word(l, "}") ? true : g_no(l, from);
}

/* [v] [old => new] [a, b, ...] [] */
static inline bool g_bracketed(struct grammar_line *l)
{
    size_t from = l->at;

    if (!g_word(l, "[")) {
        return false;
    }
    if (g_word(l, "]")) {
        return true;
    }
    if (!g_value(l, "]")) {
        return g_no(l, from);
    }
    if (g_word(l, " => ")) {
        return g_value(l, "]") && g_word(l, "]") ? true : g_no(l, from);
    }
    while (g_word(l, ", ")) {
        if (g_word(l, "...")) {
            break;
        }
        if (!g_value(l, "]")) {
            return g_no(l, from);
        }
    }
    return g_word(l, "]") ? true : g_no(l, from);
}

static inline bool g_value(struct grammar_line *l, const char *closers)
{
    bool ok;

    if (l->nested >= GRAMMAR_NESTED) {
        return false;
    }
    l->nested++;
    ok = g_word(l, "?") || g_text(l) || g_data(l) || g_structure(l) ||
         g_bracketed(l) || g_scalar(l, closers);
    l->nested--;
    /* -X verbose has the names of a constant in one, too. */
    while (ok && g_comment(l)) {
    }
    return ok;
}

/* --- Lines ------------------------------------------------------------ */

static inline bool g_thread(struct grammar_line *l)
{
    size_t from = l->at;
    const char *end = g_word(l, "[pid ") ? "] " : " ";

    if (!g_decimal(l) || !g_word(l, ".") || !(g_decimal(l) || g_word(l, "?")) ||
        (g_next(l) == '<' && !g_object(l)) || !g_word(l, end)) {
        return g_no(l, from);
    }
    return true;
}

static inline bool g_clock_time(struct grammar_line *l)
{
    size_t from = l->at;

    if (g_some(l, g_is_digit, 2, 2) && g_word(l, ":")) {
        if (!g_some(l, g_is_digit, 2, 2) || !g_word(l, ":") ||
            !g_some(l, g_is_digit, 2, 2)) {
            return g_no(l, from);
        }
        g_fraction(l);
        return true;
    }
    l->at = from;
    return g_seconds(l);
}

static inline bool g_when(struct grammar_line *l)
{
    size_t from = l->at;

    if (g_word(l, "+")) {
        /* +++ is no time. */
        return g_seconds(l) && g_word(l, " ") ? true : g_no(l, from);
    }
    if (!g_clock_time(l) || !g_word(l, " ")) {
        return g_no(l, from);
    }
    if (g_word(l, "(+")) {
        return g_seconds(l) && g_word(l, ") ") ? true : g_no(l, from);
    }
    return true;
}

static inline void g_leader(struct grammar_line *l)
{
    size_t from = l->at;

    /* Without a thread, seconds since 1970 look like one. */
    if (g_thread(l) && g_next(l) == '(') {
        l->at = from;
    }
    g_when(l);
    from = l->at;
    if (!g_word(l, "[0x") || !g_some(l, g_is_hex, 4, 4) || !g_word(l, "] ")) {
        l->at = from;
    }
    from = l->at;
    if (!g_word(l, "[") || !g_some(l, g_is_hex, 16, 16) || !g_word(l, "] ")) {
        l->at = from;
    }
}

static inline bool g_name(struct grammar_line *l)
{
    size_t from = l->at;

    if (g_word(l, "syscall_?")) {
        return true;
    }
    if (g_word(l, "syscall_0x") && g_some(l, g_is_hex, 1, 4)) {
        return true;
    }
    l->at = from;
    return g_identifier(l);
}

static inline bool g_result(struct grammar_line *l)
{
    if (g_word(l, "?") || g_word(l, "void")) {
        return true;
    }
    if (g_constants(l)) {
        g_object(l);
    } else if (!g_integer(l)) {
        return false;
    } else if (!g_object(l)) {
        size_t from = l->at;

        if (g_word(l, " ") && !g_status(l)) {
            l->at = from;
        }
    }
    g_comment(l);
    return true;
}

static inline bool g_note(struct grammar_line *l)
{
    size_t from = l->at;
    bool ok = false;

    if (g_word(l, " (DIRECT: ")) {
        ok = g_word(l, "?") || g_place(l);
    } else if (g_word(l, " (INDIRECT: ")) {
        ok = g_name(l) && g_word(l, "+") && g_number0x(l) &&
             g_word(l, " from ") && (g_word(l, "?") || g_place(l));
    } else if (g_word(l, " (from ")) {
        ok = g_word(l, "?") || g_place(l);
    } else if (g_word(l, " (caused by ntstrace")) {
        ok = true;
    } else if (g_word(l, " (INJECTED")) {
        ok = true;
        if (g_word(l, ": ")) {
            while (g_next(l) != ')' && l->at < l->size) {
                g_move(l, l->at + 1);
            }
        }
    } else {
        ok = g_word(l, " (DELAYED");
    }
    return ok && g_word(l, ")") ? true : g_no(l, from);
}

static inline bool g_outcome(struct grammar_line *l)
{
    if (!g_word(l, ") = ") || !g_result(l)) {
        return false;
    }
    while (g_note(l)) {
    }
    if (g_word(l, " <")) {
        return (g_word(l, "?") || g_seconds(l)) && g_word(l, ">");
    }
    return true;
}

/* None, if the call's closing bracket comes at once. */
static inline void g_call_args(struct grammar_line *l)
{
    if (g_next(l) != ')') {
        g_args(l, ")");
    }
}

static inline bool g_call(struct grammar_line *l)
{
    if (g_word(l, "<... ")) {
        if (!g_name(l) || !g_word(l, " resumed>")) {
            return false;
        }
        g_call_args(l);
        return g_outcome(l);
    }
    if (!g_name(l) || !g_word(l, "(")) {
        return false;
    }
    g_call_args(l);
    return g_word(l, " <unfinished ...>") || g_outcome(l);
}

static inline bool g_transition(struct grammar_line *l)
{
    static const char *const kinds[] = { "THREAD_START", "APC",
                                         "EXCEPTION",    "CALLBACK",
                                         "RAISE",        "COMPLETION",
                                         "MODULE",       "UNMODULE" };
    bool known = false;
    size_t from;

    if (!g_word(l, "--- ")) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(kinds) && !known; i++) {
        known = g_word(l, kinds[i]);
    }
    from = l->at;
    if (!g_word(l, " ") || !g_status(l)) {
        l->at = from;
    }
    from = l->at;
    if (!g_word(l, " ") || !g_structure(l)) {
        l->at = from;
    }
    return known && g_word(l, " ---");
}

/* Decimal, or hexadecimal with the name of a status. */
static inline bool g_code(struct grammar_line *l)
{
    size_t from;

    if (!g_number0x(l)) {
        return g_decimal(l);
    }
    from = l->at;
    if (!g_word(l, " ") || !g_status(l)) {
        l->at = from;
    }
    return true;
}

/* Words up to the end of a notice, in which no + is left. */
static inline bool g_reason(struct grammar_line *l)
{
    size_t from = l->at;

    while (l->at < l->size && g_next(l) != '+') {
        if (g_next(l) == '^' ? !g_escape(l) : !g_move(l, l->at + 1)) {
            return g_no(l, l->at);
        }
    }
    if (l->at < l->size && l->at > from + 1 && l->p[l->at - 1] == ' ') {
        l->at--;
        return true;
    }
    return g_no(l, l->at);
}

/* Behind "process ": who began, or was seen late. */
static inline bool g_process(struct grammar_line *l)
{
    if (!g_decimal(l) || (g_next(l) == '<' && !g_object(l))) {
        return false;
    }
    if (g_word(l, " is traced late: ")) {
        return g_seconds(l) && g_word(l, " s missed");
    }
    if (!g_word(l, " started by ") && !g_word(l, " cloned by ")) {
        return g_no(l, l->at);
    }
    if (!g_word(l, "?") &&
        !(g_decimal(l) && g_word(l, ".") && (g_word(l, "?") || g_decimal(l)))) {
        return g_no(l, l->at);
    }
    if (!g_word(l, ": ?") && !(g_word(l, ": ") && g_text(l))) {
        return g_no(l, l->at);
    }
    return !g_word(l, ", runs untraced: ") || g_reason(l);
}

static inline bool g_notice(struct grammar_line *l)
{
    static const char *const with_code[] = {
        "exited with ",        "terminated with ",        "ended with ",
        "thread exited with ", "thread terminated with ", "thread ended with ",
    };
    bool ok = false;

    if (!g_word(l, "+++ ")) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(with_code) && !ok; i++) {
        ok = g_word(l, with_code[i]) && g_code(l);
    }
    if (!ok && g_word(l, "killed by ")) {
        ok = g_status(l);
    } else if (!ok && g_word(l, "lost ")) {
        ok = g_decimal(l) &&
             (g_word(l, " records: ") || g_word(l, " pieces of data: ")) &&
             g_is_letter(g_next(l));
        while (ok && (g_is_letter(g_next(l)) || g_next(l) == ' ')) {
            if (g_next(l) == ' ' && l->size - l->at >= 4 &&
                memcmp(l->p + l->at, " +++", 4) == 0) {
                break;
            }
            g_move(l, l->at + 1);
        }
    } else if (!ok &&
               (g_word(l, "patches lost: ") || g_word(l, "patched again: "))) {
        ok = g_decimal(l) && g_word(l, " functions of ") &&
             (g_word(l, "ntdll.dll") || g_word(l, "win32u.dll"));
    } else if (!ok && g_word(l, "process ")) {
        ok = g_process(l);
    } else if (!ok) {
        ok = g_word(l, "callback lost: no transitions, no direct calls from "
                       "here on") ||
             g_word(l, "callback lost") || g_word(l, "attached") ||
             g_word(l, "no callback: no transitions, no direct calls") ||
             g_word(l, "detached");
    }
    return ok && g_word(l, " +++");
}

/* C1, surrogates, line and paragraph ends, what changes the direction of
 * text or is shown as nothing, and what is no character. */
static inline bool g_is_invisible(uint32_t c)
{
    static const uint32_t ranges[][2] = {
        { 0x7f, 0x9f },       { 0xad, 0xad },       { 0x34f, 0x34f },
        { 0x61c, 0x61c },     { 0x115f, 0x1160 },   { 0x17b4, 0x17b5 },
        { 0x180b, 0x180f },   { 0x200b, 0x200f },   { 0x2028, 0x202e },
        { 0x2060, 0x206f },   { 0x3164, 0x3164 },   { 0xd800, 0xdfff },
        { 0xfdd0, 0xfdef },   { 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff },
        { 0xffa0, 0xffa0 },   { 0xfff0, 0xfffb },   { 0x1bca0, 0x1bca3 },
        { 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
    };

    for (size_t i = 0; i < COUNT_OF(ranges); i++) {
        if (c >= ranges[i][0] && c <= ranges[i][1]) {
            return true;
        }
    }
    return (c & 0xffff) >= 0xfffe;
}

/* Lines are UTF-8 without anything that could not be seen. */
static inline bool g_visible(struct grammar_line *l)
{
    while (l->at < l->size) {
        const uint8_t *p = (const uint8_t *)l->p + l->at;
        size_t left = l->size - l->at;
        size_t more = p[0] < 0x80   ? 0
                      : p[0] < 0xc2 ? 9
                      : p[0] < 0xe0 ? 1
                      : p[0] < 0xf0 ? 2
                      : p[0] < 0xf5 ? 3
                                    : 9;
        uint32_t c;

        if (p[0] < 0x20 || p[0] == 0x7f || more >= left) {
            return false;
        }
        c = more > 0 ? p[0] & (0x3fu >> more) : p[0];
        for (size_t i = 1; i <= more; i++) {
            if ((p[i] & 0xc0) != 0x80) {
                return false;
            }
            c = c << 6 | (p[i] & 0x3fu);
        }
        if (more > 0 && (c > 0x10ffff || g_is_invisible(c))) {
            return false;
        }
        l->at += more + 1;
    }
    return true;
}

/* A line of a dump: 00000, 16 bytes in hexadecimal, the same as text. */
static inline bool g_dump(struct grammar_line *l)
{
    size_t bytes = 0;
    size_t seen = 0;

    if (!g_word(l, "| ")) {
        return false;
    }
    if (g_word(l, "...")) {
        return true;
    }
    if (!g_some(l, g_is_hex, 5, 8)) {
        return false;
    }
    for (size_t i = 0; i < 16; i++) {
        if (!g_word(l, i % 8 == 0 ? "  " : " ")) {
            return false;
        }
        if (bytes == i && g_some(l, g_is_hex, 2, 2)) {
            bytes++;
        } else if (!g_word(l, "  ")) {
            return false;
        }
    }
    if (!g_word(l, "  ")) {
        return false;
    }
    while (seen < 16 && (uint8_t)g_next(l) >= 0x20 &&
           (uint8_t)g_next(l) < 0x7f && (seen < bytes || g_next(l) == ' ')) {
        g_move(l, l->at + 1);
        seen++;
    }
    return bytes > 0 && seen == 16 && g_word(l, " |");
}

/* "a.dll@0x150000000!function+0x1": of a module that is not the first of its
 * name. */
static inline bool g_in_second(struct grammar_line *l)
{
    size_t from = l->at;

    while (l->size - l->at > 3 && memcmp(l->p + l->at, "@0x", 3) != 0) {
        if (g_next(l) == '^' ? !g_escape(l) : !g_move(l, l->at + 1)) {
            return g_no(l, from);
        }
    }
    return l->at > from && g_word(l, "@") && g_number0x(l) && g_word(l, "!") &&
                   g_place(l)
               ? true
               : g_no(l, from);
}

/* A caller: a place, with the function's name behind the module's; or why there
 * are no more. */
static inline bool g_frame(struct grammar_line *l)
{
    if (!g_word(l, "> ")) {
        return false;
    }
    if (g_word(l, "(stack cut: ")) {
        if (l->size > l->at + 1 && l->p[l->size - 1] == ')') {
            g_move(l, l->size);
            return true;
        }
        return false;
    }
    return g_number0x(l) || g_place(l) || g_in_second(l);
}

/* 0 for a good line, without its newline, else the column of its mistake. */
static inline size_t grammar_mistake(str line)
{
    struct grammar_line l = { line.p, line.size, 0, 0, 0 };
    bool ok;

    if (!g_visible(&l)) {
        return l.at + 1;
    }
    l.at = 0;
    if (!g_thread(&l)) {
        g_word(&l, " ");
    }
    if (g_next(&l) == '|') {
        return g_dump(&l) && l.at == l.size ? 0 : l.far + 1;
    }
    if (g_next(&l) == '>') {
        return g_frame(&l) && l.at == l.size ? 0 : l.far + 1;
    }
    l.at = 0;
    l.far = 0;
    g_leader(&l);
    if (g_next(&l) == '-') {
        ok = g_transition(&l);
    } else if (g_next(&l) == '+') {
        ok = g_notice(&l);
    } else {
        ok = g_call(&l);
    }
    if (ok && l.at == l.size) {
        return 0;
    }
    return (l.far > l.at ? l.far : l.at) + 1;
}

#endif
