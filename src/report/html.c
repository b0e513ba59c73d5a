/* SPDX-License-Identifier: MIT */
/*
 * html.c - escapes, numbers, and deflated bytes. Touches nothing but what it
 * writes to.
 */
#include "report/html.h"

#include "base/chars.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/banned.h"

/* A blank that is narrow and ends no line, U+202F. */
#define NARROW "\xe2\x80\xaf"
/* A multiple of three: base64 without an end. */
#define PACK_ROOM ((size_t)3 * 8192)

void html_add(struct html *h, str markup)
{
    h->write(h->ctx, markup);
}

/* --- texts -------------------------------------------------------------------- */

/* What stands for a character that means something; empty: it stands for itself. */
typedef str escape_of(char c);

static str markup_escape(char c)
{
    switch (c) {
    case '&':
        return STR("&amp;");
    case '<':
        return STR("&lt;");
    case '>':
        return STR("&gt;");
    case '"':
        return STR("&quot;");
    case '\'':
        return STR("&#39;");
    default:
        return STR("");
    }
}

/* What JSON has to have, and what could end the element. Controls are hidden
 * characters: they do not come here. */
static str json_escape(char c)
{
    switch (c) {
    case '"':
        return STR("\\\"");
    case '\\':
        return STR("\\\\");
    case '<':
        return STR("\\u003c");
    case '>':
        return STR("\\u003e");
    case '&':
        return STR("\\u0026");
    default:
        return STR("");
    }
}

static void add_escaped(struct html *h, str text, escape_of *escape)
{
    size_t from = 0;

    for (size_t i = 0; i < text.size; i++) {
        str with = escape(text.p[i]);

        if (with.size > 0) {
            html_add(h, str_slice(text, from, i));
            html_add(h, with);
            from = i + 1;
        }
    }
    html_add(h, str_slice(text, from, text.size));
}

static void add_shown(struct html *h, str text, escape_of *escape)
{
    struct buf b = BUF_OVER(h->room);
    size_t at = 0;
    size_t size;

    while (at < text.size && at < HTML_TEXT_MOST) {
        chars_code_point(str_slice(text, at, text.size), &size);
        at += size;
    }
    chars_add_visible(&b, str_slice(text, 0, at));
    add_escaped(h, buf_str(&b), escape);
    if (at < text.size) {
        HTML(h, "...");
    }
}

void html_text(struct html *h, str text)
{
    add_shown(h, text, markup_escape);
}

void html_json(struct html *h, str text)
{
    add_shown(h, text, json_escape);
}

/* --- numbers -------------------------------------------------------------------- */

void html_plain(struct html *h, uint64_t n)
{
    char room[24];
    struct buf b = BUF_OVER(room);

    buf_add_dec(&b, n);
    html_add(h, buf_str(&b));
}

void html_digits(struct html *h, str text)
{
    size_t count = 0;

    while (count < text.size && text.p[count] >= '0' && text.p[count] <= '9') {
        count++;
    }
    for (size_t i = 0; count > 4 && i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0) {
            HTML(h, NARROW);
        }
        html_add(h, str_slice(text, i, i + 1));
    }
    html_text(h, str_slice(text, count > 4 ? count : 0, text.size));
}

void html_number(struct html *h, uint64_t n)
{
    char room[24];
    struct buf b = BUF_OVER(room);

    buf_add_dec(&b, n);
    html_digits(h, buf_str(&b));
}

/* Three digits that count, of n / 10^scale. */
static void add_scaled(struct html *h, uint64_t n, uint64_t unit,
                       const char *name)
{
    char room[64];
    struct buf b = BUF_OVER(room);
    uint64_t whole = n / unit;
    uint64_t rest = n % unit;

    if (unit == 1 || whole >= 100) {
        html_number(h, whole);
    } else if (whole >= 10) {
        buf_addf(&b, "%u.%u", (unsigned)whole, (unsigned)(rest * 10 / unit));
    } else {
        buf_addf(&b, "%u.%02u", (unsigned)whole, (unsigned)(rest * 100 / unit));
    }
    buf_add(&b, STR(NARROW));
    buf_add(&b, str_of(name));
    html_add(h, buf_str(&b));
}

void html_ns(struct html *h, int64_t ns)
{
    uint64_t n = ns > 0 ? (uint64_t)ns : 0;

    if (n < 1000) {
        add_scaled(h, n, 1, "ns");
    } else if (n < 1000000) {
        add_scaled(h, n, 1000, "\xc2\xb5s");
    } else if (n < 1000000000) {
        add_scaled(h, n, 1000000, "ms");
    } else {
        add_scaled(h, n, 1000000000, "s");
    }
}

void html_bytes(struct html *h, uint64_t n)
{
    if (n < 1024) {
        add_scaled(h, n, 1, "B");
    } else if (n < (1u << 20)) {
        add_scaled(h, n, 1024, "KiB");
    } else if (n < (1u << 30)) {
        add_scaled(h, n, 1u << 20, "MiB");
    } else {
        add_scaled(h, n, 1u << 30, "GiB");
    }
}

/* --- bytes ------------------------------------------------------------------------ */

void html_base64(struct html *h, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    char room[4096];
    struct buf b = BUF_OVER(room);

    for (size_t i = 0; i < size; i += 3) {
        uint32_t n = (uint32_t)bytes[i] << 16 |
                     (i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0) |
                     (i + 2 < size ? bytes[i + 2] : 0);

        buf_add_char(&b, digits[n >> 18]);
        buf_add_char(&b, digits[n >> 12 & 63]);
        buf_add_char(&b, i + 1 < size ? digits[n >> 6 & 63] : '=');
        buf_add_char(&b, i + 2 < size ? digits[n & 63] : '=');
        if (b.room - b.size < 4 || i + 3 >= size) {
            html_add(h, buf_str(&b));
            b.size = 0;
        }
    }
}

struct packed {
    struct html *html;
    z_stream z;
    bool failed;
    uint8_t room[PACK_ROOM];
};

struct packed *packed_open(struct html *h, const char *id)
{
    struct packed *p = calloc(1, sizeof(*p));

    if (p == NULL) {
        return NULL;
    }
    if (deflateInit(&p->z, 6) != Z_OK) {
        free(p);
        return NULL;
    }
    p->html = h;
    p->z.next_out = p->room;
    p->z.avail_out = PACK_ROOM;
    HTML(h, "<script type=\"application/octet-stream\" id=\"");
    html_add(h, str_of(id));
    HTML(h, "\">");
    return p;
}

/* All of the input; what fills the room goes out. */
static void pump(struct packed *p, int flush)
{
    int status;

    do {
        status = deflate(&p->z, flush);
        if (p->z.avail_out == 0 || status == Z_STREAM_END) {
            html_base64(p->html, p->room, PACK_ROOM - p->z.avail_out);
            p->z.next_out = p->room;
            p->z.avail_out = PACK_ROOM;
        }
        p->failed |=
            status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR;
    } while (!p->failed &&
             (flush == Z_FINISH ? status != Z_STREAM_END : p->z.avail_in > 0));
}

void packed_add(struct packed *p, const void *bytes, size_t size)
{
    p->z.next_in = (Bytef *)(uintptr_t)bytes;
    p->z.avail_in = (uInt)size;
    pump(p, Z_NO_FLUSH);
}

bool packed_close(struct packed *p)
{
    bool ok;

    if (p == NULL) {
        return false;
    }
    p->z.next_in = NULL;
    p->z.avail_in = 0;
    pump(p, Z_FINISH);
    ok = !p->failed;
    deflateEnd(&p->z);
    HTML(p->html, "</script>\n");
    free(p);
    return ok;
}
