/* SPDX-License-Identifier: MIT */
/*
 * cmdline.c - the one string that Windows hands a program, as words.
 *
 * Touches nothing but its arguments. No text is wrong: every string splits.
 */
#include "cmd/cmdline.h"

#include "base/banned.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Decodes the first word of `raw` to `to`, which has room for all of it, and
 * sets *end to the byte behind the word. */
static str split_first(str raw, char *to, size_t *end)
{
    bool quoted = false;
    size_t size = 0;
    size_t i;

    for (i = 0; i < raw.size && (quoted || !is_blank(raw.p[i])); i++) {
        if (raw.p[i] == '"') {
            quoted = !quoted;
        } else {
            to[size++] = raw.p[i];
        }
    }
    *end = i;
    return (str){ to, size };
}

/* The same for a later word, which begins at the first byte of `raw`. */
static str split_later(str raw, char *to, size_t *end)
{
    bool quoted = false;
    size_t size = 0;
    size_t i = 0;

    while (i < raw.size && (quoted || !is_blank(raw.p[i]))) {
        size_t slashes = 0;
        bool quote;

        while (i < raw.size && raw.p[i] == '\\') {
            slashes++;
            i++;
        }
        quote = i < raw.size && raw.p[i] == '"';
        for (size_t n = quote ? slashes / 2 : slashes; n > 0; n--) {
            to[size++] = '\\';
        }
        if (!quote) {
            if (slashes == 0) {
                to[size++] = raw.p[i++];
            }
            continue;
        }
        if (slashes % 2 == 1) {
            to[size++] = '"';
        } else if (quoted && i + 1 < raw.size && raw.p[i + 1] == '"') {
            to[size++] = '"';
            i++;
        } else {
            quoted = !quoted;
        }
        i++;
    }
    *end = i;
    return (str){ to, size };
}

struct cmdline cmdline_over(str raw)
{
    return (struct cmdline){ .raw = raw };
}

bool cmdline_next(struct cmdline *c, struct arena *a, struct word *out)
{
    size_t start = c->at;
    size_t size;
    char *to;
    str raw;

    while (c->begun && start < c->raw.size && is_blank(c->raw.p[start])) {
        start++;
    }
    if (c->begun && start == c->raw.size) {
        c->at = start;
        return false;
    }
    raw = str_slice(c->raw, start, c->raw.size);
    to = ARENA_NEW(a, char, raw.size);
    out->text =
        c->begun ? split_later(raw, to, &size) : split_first(raw, to, &size);
    out->start = start;
    a->at = to + out->text.size;  // give back what decoding did not need
    c->at = start + size;
    c->begun = true;
    return true;
}

str cmdline_program(str raw, struct arena *a)
{
    struct cmdline c = cmdline_over(raw);
    struct word word;

    cmdline_next(&c, a, &word);
    return word.text;
}

size_t cmdline_units(str s)
{
    size_t units = 0;

    for (size_t i = 0; i < s.size; i++) {
        unsigned char c = (unsigned char)s.p[i];

        /* A character's first byte; four bytes are a surrogate pair. */
        units += (c & 0xc0) != 0x80;
        units += c >= 0xf0;
    }
    return units;
}
