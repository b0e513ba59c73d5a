/* SPDX-License-Identifier: MIT */
/*
 * html.h - what a page is written with: markup of ours, texts of whoever was
 * traced, and bytes that only scripts read.
 *
 * A text is shown as on a terminal (base/chars.h: what cannot be seen by its
 * number), and can be no markup. Bytes are deflated, in base64, and so made of
 * nothing that could end the element that they are in.
 */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of one text; the rest is left out, and "..." stands for it. */
#define HTML_TEXT_MOST ((size_t)4096)

struct html {
    void (*write)(void *ctx, str bytes);
    void *ctx;
    /* What a text is made to before it is escaped. */
    char room[8 * HTML_TEXT_MOST];
};

/* Ours, as it is. */
void html_add(struct html *h, str markup);
#define HTML(h, literal) html_add(h, STR(literal))

/* `text` shown, and escaped, for an element or an attribute in quotes. */
void html_text(struct html *h, str text);
/* The same inside quotes of JSON, in an element of data. */
void html_json(struct html *h, str text);
/* 1234567 as 1 234 567, with blanks that end no line. */
void html_number(struct html *h, uint64_t n);
/* The same of the digits of `text`, if it begins with more than four. */
void html_digits(struct html *h, str text);
/* Without blanks: for attributes and data. */
void html_plain(struct html *h, uint64_t n);
/* A duration with the unit that suits it: 1.23 ms. */
void html_ns(struct html *h, int64_t ns);
/* 1.5 MiB. */
void html_bytes(struct html *h, uint64_t n);
void html_base64(struct html *h, const uint8_t *bytes, size_t size);

/* One element of bytes, <script type=ID>, in progress. */
struct packed;

/* NULL without memory; then there is no element. */
struct packed *packed_open(struct html *h, const char *id);
void packed_add(struct packed *p, const void *bytes, size_t size);
/* False: not all is in it. NULL is fine. */
bool packed_close(struct packed *p);

#endif
