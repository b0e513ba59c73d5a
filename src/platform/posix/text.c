/* SPDX-License-Identifier: MIT */
/*
 * text.c - bytes of this system as text, and back; our command line; the
 * system's error texts.
 *
 * Touches nothing but its arguments and /proc/self/cmdline, once. No bytes are
 * wrong. Without memory, or without /proc, the command line is empty.
 */
#include "platform/posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

/* How many bytes at p are one character of UTF-8; 0: they are none. */
static size_t character_at(const uint8_t *p, size_t size)
{
    size_t more = p[0] >= 0xf0 ? 3 : p[0] >= 0xe0 ? 2 : 1;
    uint32_t c;

    if (p[0] < 0x80) {
        return 1;
    }
    if (p[0] < 0xc2 || p[0] > 0xf4 || more >= size) {
        return 0;
    }
    c = p[0] & (0x3fu >> more);
    for (size_t i = 1; i <= more; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
        c = c << 6 | (p[i] & 0x3f);
    }
    if ((more == 2 && (c < 0x800 || (c >= 0xd800 && c < 0xe000))) ||
        (more == 3 && (c < 0x10000 || c > 0x10ffff))) {
        return 0;
    }
    return more + 1;
}

void posix_add_text(struct buf *b, const char *p, size_t size)
{
    const uint8_t *bytes = (const uint8_t *)p;

    while (size > 0) {
        size_t whole = character_at(bytes, size);

        if (whole > 0) {
            buf_add(b, (str){ (const char *)bytes, whole });
        } else {
            /* U+DC80 to U+DCFF. */
            buf_add_char(b, (char)0xed);
            buf_add_char(b, (char)(0xb0 | (bytes[0] >> 6)));
            buf_add_char(b, (char)(0x80 | (bytes[0] & 0x3f)));
            whole = 1;
        }
        bytes += whole;
        size -= whole;
    }
}

char *posix_bytes(str s)
{
    char *to = malloc(s.size + 1);
    size_t size = 0;

    if (to == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < s.size; i++) {
        const uint8_t *p = (const uint8_t *)s.p + i;

        if (s.size - i >= 3 && p[0] == 0xed && (p[1] == 0xb2 || p[1] == 0xb3) &&
            (p[2] & 0xc0) == 0x80) {
            to[size++] = (char)(p[1] << 6 | (p[2] & 0x3f));
            i += 2;
        } else {
            to[size++] = s.p[i];
        }
    }
    to[size] = 0;
    return to;
}

static bool needs_quotes(str s)
{
    for (size_t i = 0; i < s.size; i++) {
        if (s.p[i] == ' ' || s.p[i] == '\t' || s.p[i] == '"') {
            return true;
        }
    }
    return s.size == 0;
}

/* Our own name, by the rule for first words. */
static void add_first(struct buf *b, str word)
{
    str rest = word;
    str part;

    buf_add_char(b, '"');
    do {
        str_cut(rest, '"', &part, &rest);
        posix_add_text(b, part.p, part.size);
    } while (rest.size > 0);
    buf_add_char(b, '"');
}

static void add_slashes(struct buf *b, size_t count)
{
    while (count-- > 0) {
        buf_add_char(b, '\\');
    }
}

/* Any other. Backslashes count only where a quote follows. */
static void add_later(struct buf *b, str word)
{
    bool quotes = needs_quotes(word);
    size_t slashes = 0;
    size_t from = 0;

    if (quotes) {
        buf_add_char(b, '"');
    }
    for (size_t i = 0; i < word.size; i++) {
        if (word.p[i] == '"') {
            posix_add_text(b, word.p + from, i - from);
            add_slashes(b, slashes + 1);
            from = i;
        }
        slashes = word.p[i] == '\\' ? slashes + 1 : 0;
    }
    posix_add_text(b, word.p + from, word.size - from);
    if (quotes) {
        add_slashes(b, slashes);
        buf_add_char(b, '"');
    }
}

void posix_add_command_line(struct buf *b, const char *words, size_t size)
{
    str rest = { words, size };
    str word;

    str_cut(rest, 0, &word, &rest);
    add_first(b, word);
    while (str_cut(rest, 0, &word, &rest)) {
        buf_add_char(b, ' ');
        add_later(b, word);
    }
}

/* All of the file at `path`, for free(); NULL if it cannot be read. */
static char *read_all(const char *path, size_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t room = 4096;
    char *bytes = fd < 0 ? NULL : malloc(room);
    ssize_t got = 0;

    *size = 0;
    while (bytes != NULL && (got = read(fd, bytes + *size, room - *size)) > 0) {
        *size += (size_t)got;
        if (*size == room) {
            char *more = realloc(bytes, room * 2);

            if (more == NULL) {
                free(bytes);
            }
            bytes = more;
            room *= 2;
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    if (got < 0) {
        free(bytes);
        bytes = NULL;
    }
    return bytes;
}

static uint16_t *read_command_line(void)
{
    size_t size;
    char *words = read_all("/proc/self/cmdline", &size);
    uint16_t *line = NULL;
    struct buf b = { 0 };

    if (words != NULL) {
        b.room = 6 * size + 8;
        b.p = malloc(b.room);
        if (b.p != NULL) {
            posix_add_command_line(&b, words, size);
            line = os_to_utf16(buf_str(&b));
        }
    }
    free(b.p);
    free(words);
    return line;
}

struct str16 os_command_line(void)
{
    static const uint16_t none[1];
    static uint16_t *line;
    struct str16 s = { none, 0 };

    if (line == NULL) {
        line = read_command_line();
    }
    if (line != NULL) {
        s.p = line;
        while (line[s.size] != 0) {
            s.size++;
        }
    }
    return s;
}

bool posix_fail(struct err *e, const char *what)
{
    int why = errno;
    char text[200];

    if (strerror_r(why, text, sizeof(text)) != 0) {
        text[0] = 0;
    }
    err_set(e, ERR_OS, "%s: %s (%d)", what, text, why);
    e->os = (uint32_t)why;
    return false;
}
