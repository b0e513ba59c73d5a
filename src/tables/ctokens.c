/* SPDX-License-Identifier: MIT */
/*
 * ctokens.c - C's words and signs, as far as declarations have them.
 */
#include "tables/ctokens.h"

#include "base/banned.h"

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static str rest_of(const struct ctokens *t)
{
    return str_slice(t->text, t->at, t->text.size);
}

struct ctokens ctokens_over(str text)
{
    str mark = STR("\xef\xbb\xbf");

    return (struct ctokens){
        .text = text,
        .at = str_starts(text, mark) ? mark.size : 0,
    };
}

/* Bytes of a \ with the end of its line; 0: there is none. */
static size_t joint(str rest)
{
    return str_starts(rest, STR("\\\n"))     ? 2
           : str_starts(rest, STR("\\\r\n")) ? 3
                                             : 0;
}

/* Up to the end of the line, which is not taken; a \ there joins the next. */
static void skip_line(struct ctokens *t)
{
    while (t->at < t->text.size && t->text.p[t->at] != '\n') {
        size_t joined = joint(rest_of(t));

        t->at += joined > 0 ? joined : 1;
    }
}

/* False: the comment that begins here has no end. */
static bool skip_comment(struct ctokens *t)
{
    for (size_t i = t->at + 2; i + 1 < t->text.size; i++) {
        if (t->text.p[i] == '*' && t->text.p[i + 1] == '/') {
            t->at = i + 2;
            return true;
        }
    }
    return false;
}

/* What is none of our business; false at a comment without an end. */
static bool skip_blanks(struct ctokens *t)
{
    while (t->at < t->text.size) {
        str rest = rest_of(t);
        char c = rest.p[0];

        if (c == '\n') {
            t->line_begun = false;
            t->at++;
        } else if (is_blank(c)) {
            t->at++;
        } else if (joint(rest) > 0) {
            t->at += joint(rest);
        } else if (str_starts(rest, STR("//")) ||
                   (c == '#' && !t->line_begun)) {
            skip_line(t);
        } else if (!str_starts(rest, STR("/*"))) {
            return true;
        } else if (!skip_comment(t)) {
            return false;
        }
    }
    return true;
}

static size_t word_size(str rest)
{
    size_t n = 0;

    while (n < rest.size && (is_letter(rest.p[n]) || is_digit(rest.p[n]))) {
        n++;
    }
    return n;
}

/* A text with its quotes; 0: it has no end in this line. */
static size_t text_size(str rest)
{
    for (size_t n = 1; n < rest.size && rest.p[n] != '\n'; n++) {
        if (rest.p[n] == rest.p[0]) {
            return n + 1;
        }
        n += rest.p[n] == '\\';
    }
    return 0;
}

static bool is_sign(char c)
{
    const str signs = STR("(){}[];,*=&|^~!<>+-/%.:?");

    for (size_t i = 0; i < signs.size; i++) {
        if (signs.p[i] == c) {
            return true;
        }
    }
    return false;
}

struct ctoken ctokens_next(struct ctokens *t)
{
    struct ctoken token = { .kind = CTOKEN_SIGN, .text = STR("") };
    bool ended = skip_blanks(t);
    str rest = rest_of(t);
    size_t size = 1;

    token.at = t->at;
    if (!ended) {
        token.kind = CTOKEN_BAD;
        token.why = "this comment has no end";
    } else if (rest.size == 0) {
        token.kind = CTOKEN_END;
        size = 0;
    } else if (is_letter(rest.p[0])) {
        token.kind = CTOKEN_WORD;
        size = word_size(rest);
    } else if (is_digit(rest.p[0])) {
        token.kind = CTOKEN_NUMBER;
        size = word_size(rest);
    } else if (rest.p[0] == '"' || rest.p[0] == '\'') {
        token.kind = CTOKEN_TEXT;
        size = text_size(rest);
        if (size == 0) {
            token.kind = CTOKEN_BAD;
            token.why = "this text has no end";
        }
    } else if (str_starts(rest, STR("..."))) {
        size = 3;
    } else if (str_starts(rest, STR("->"))) {
        size = 2;
    } else if (!is_sign(rest.p[0])) {
        token.kind = CTOKEN_BAD;
        token.why = "no declaration has this character";
    }
    token.text = str_slice(rest, 0, size);
    t->at += token.kind == CTOKEN_BAD ? 0 : size;
    t->line_begun = true;
    return token;
}

bool ctoken_is(const struct ctoken *token, const char *z)
{
    return (token->kind == CTOKEN_WORD || token->kind == CTOKEN_SIGN) &&
           str_is(token->text, z);
}
