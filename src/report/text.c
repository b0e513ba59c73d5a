/* SPDX-License-Identifier: MIT */
/*
 * text.c - sections of rows as lines: a title, rows in columns, remarks.
 */
#include "report/text.h"

#include "base/chars.h"

#include "base/banned.h"

static struct text_page *text_of(struct page *p)
{
    return (struct text_page *)(void *)p;
}

static void end_line(struct text_page *t, struct buf *b)
{
    while (b->size > 0 && b->p[b->size - 1] == ' ') {
        b->size--;
    }
    if (b->size == b->room) {
        b->size--; /* it was cut */
    }
    b->p[b->size++] = '\n';
    t->write(t->ctx, buf_str(b));
}

void text_page_line(struct text_page *t, str text)
{
    struct buf b = BUF_OVER(t->room);

    chars_add_visible(&b, text);
    end_line(t, &b);
}

static size_t columns_of(str s)
{
    size_t columns = 0;

    for (size_t at = 0, size; at < s.size; at += size) {
        columns += chars_columns(str_slice(s, at, s.size), &size);
    }
    return columns;
}

static void pad(struct buf *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_add_char(b, ' ');
    }
}

static void on_section(struct page *p, const char *id, const char *title,
                       const char *what, const struct column *columns,
                       size_t count)
{
    struct text_page *t = text_of(p);

    (void)id;
    (void)what;
    t->none = title;
    t->columns = columns;
    t->count = count;
    t->any = false;
}

/* The title, before the first row. */
static void begin(struct text_page *t)
{
    struct buf b = BUF_OVER(t->room);

    if (t->any) {
        return;
    }
    t->any = true;
    end_line(t, &b);
    b.size = 0;
    buf_add(&b, str_of(t->none));
    end_line(t, &b);
}

static void on_row(struct page *p, const str *cells)
{
    struct text_page *t = text_of(p);
    struct buf b = BUF_OVER(t->room);

    begin(t);
    for (size_t i = 0; i < t->count; i++) {
        size_t width = t->columns[i].width;
        size_t size = columns_of(cells[i]);

        buf_add(&b, STR("  "));
        if (t->columns[i].number && size < width) {
            pad(&b, width - size);
        }
        chars_add_visible(&b, cells[i]);
        if (!t->columns[i].number && size < width) {
            pad(&b, width - size);
        }
    }
    end_line(t, &b);
}

static void on_note(struct page *p, str text)
{
    struct text_page *t = text_of(p);
    struct buf b = BUF_OVER(t->room);

    begin(t);
    b = BUF_OVER(t->room);
    buf_add(&b, STR("  ("));
    chars_add_visible(&b, text);
    buf_add(&b, STR(")"));
    end_line(t, &b);
}

static void on_more(struct page *p, uint64_t count)
{
    char room[60];
    struct buf b = BUF_OVER(room);

    buf_add_dec(&b, count);
    buf_add(&b, STR(" more; --rows 0 shows all"));
    on_note(p, buf_str(&b));
}

static void on_end(struct page *p)
{
    struct text_page *t = text_of(p);
    struct buf b = BUF_OVER(t->room);

    if (!t->any) {
        end_line(t, &b);
        b = BUF_OVER(t->room);
        buf_add(&b, str_of(t->none));
        buf_add(&b, STR(": nothing"));
        end_line(t, &b);
    }
}

void text_page_init(struct text_page *t, void (*write)(void *ctx, str line),
                    void *ctx)
{
    static const struct page_ops ops = { on_section, on_row, on_more, on_note,
                                         on_end };

    t->page.ops = &ops;
    t->write = write;
    t->ctx = ctx;
    t->any = false;
}
