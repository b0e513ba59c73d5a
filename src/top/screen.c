/* SPDX-License-Identifier: MIT */
/*
 * screen.c - lines of numbers and a name; on a terminal each is put where it
 * belongs, so that none depends on the one above it. Touches nothing but what it
 * is given.
 */
#include "top/screen.h"

#include "base/caret.h"
#include "base/chars.h"

#include <stdlib.h>

#include "base/banned.h"

#define SECOND_NS 1000000000u
/* Lines of a screen above the rows. */
#define HEAD_LINES 4u
/* Columns go before a name has less than this. */
#define NAME_LEAST 30u
/* Of the program's name something is there in any case. */
#define WHO_LEAST 8u
/* Where a name was cut. */
#define CUT "..."
#define CUT_SIZE 3u

/* --- numbers --- */

/* How many there are in a second, or of a hundred, in tenths. */
static uint64_t tenths_of(uint64_t part, uint64_t ns, double unit)
{
    return ns > 0 ? (uint64_t)((double)part * unit * 10 / (double)ns + 0.5) : 0;
}

/* In six columns at most. */
static void add_short(struct buf *b, uint64_t n)
{
    static const char units[] = { 'k', 'M', 'G', 'T', 'P', 'E' };
    size_t unit = 0;

    if (n < 1000000) {
        buf_add_dec(b, n);
        return;
    }
    for (n /= 1000; n >= 100000; n /= 1000) {
        unit++;
    }
    buf_add_dec(b, n);
    buf_add_char(b, units[unit]);
}

static void add_tenths(struct buf *b, uint64_t tenths, bool plain)
{
    if (plain || tenths < 1000) {
        buf_addf(b, "%llu.%u", (unsigned long long)tenths / 10,
                 (unsigned)(tenths % 10));
    } else {
        add_short(b, (tenths + 5) / 10);
    }
}

static void add_count(struct buf *b, uint64_t n, bool plain)
{
    if (plain) {
        buf_add_dec(b, n);
    } else {
        add_short(b, n);
    }
}

static void add_seconds(struct buf *b, uint64_t ns, bool plain)
{
    uint64_t us = ns / 1000;

    if (plain) {
        buf_addf(b, "%llu.%06u", (unsigned long long)us / 1000000,
                 (unsigned)(us % 1000000));
    } else if (us < 1000000000) {
        buf_addf(b, "%llu.%03u", (unsigned long long)us / 1000000,
                 (unsigned)(us % 1000000 / 1000));
    } else {
        add_short(b, us / 1000000);
    }
}

/* --- columns --- */

/* In the order of enum counts_order. */
static const struct column {
    const char *title;
    unsigned width;  // on a screen
    unsigned plain;  // in a table: at least so many
    unsigned goes;   // as the how-manieth, where there is no room; 0: never
} columns_shown[] = {
    { "CALLS/S", 7, 10, 0 }, { "ERR/S", 6, 9, 5 },  { "TIME%", 6, 8, 4 },
    { "WAIT%", 6, 8, 3 },    { "CALLS", 6, 10, 6 }, { "ERRORS", 6, 9, 2 },
    { "TIME", 7, 14, 1 },    { "WAIT", 7, 14, 1 },
};

static const char *const name_titles[COUNTS_KINDS] = { "CALL", "OBJECT",
                                                       "THREAD", "PROCESS" };

static void add_cell(struct buf *b, const struct counts_row *row,
                     enum counts_order column, uint64_t last_ns, bool plain)
{
    switch (column) {
    case ORDER_RATE:
        add_tenths(b, tenths_of(row->last.calls, last_ns, SECOND_NS), plain);
        break;
    case ORDER_ERROR_RATE:
        add_tenths(b, tenths_of(row->last.errors, last_ns, SECOND_NS), plain);
        break;
    case ORDER_TIME_RATE:
        add_tenths(b, tenths_of(row->last.ns, last_ns, 100), plain);
        break;
    case ORDER_WAIT_RATE:
        add_tenths(b, tenths_of(row->last.wait_ns, last_ns, 100), plain);
        break;
    case ORDER_CALLS:
        add_count(b, row->total.calls, plain);
        break;
    case ORDER_ERRORS:
        add_count(b, row->total.errors, plain);
        break;
    case ORDER_TIME:
        add_seconds(b, row->total.ns, plain);
        break;
    case ORDER_WAITS:
        add_seconds(b, row->total.wait_ns, plain);
        break;
    case ORDER_NAME:
    case COUNTS_ORDERS:
        break;
    }
}

static void add_right(struct buf *b, str cell, size_t width)
{
    for (size_t i = cell.size; i < width; i++) {
        buf_add_char(b, ' ');
    }
    buf_add(b, cell);
    buf_add_char(b, ' ');
}

/* How it is all laid out. */
struct layout {
    bool plain;
    bool shown[COUNT_OF(columns_shown)];
    size_t name;  // columns that a name may have; of a table: any
};

static size_t width_of(const struct layout *l, size_t column)
{
    return l->plain ? columns_shown[column].plain : columns_shown[column].width;
}

static size_t width_of_all(const struct layout *l)
{
    size_t width = 1;

    for (size_t i = 0; i < COUNT_OF(columns_shown); i++) {
        width += l->shown[i] ? width_of(l, i) + 1 : 0;
    }
    return width;
}

static struct layout lay_out(bool plain, size_t columns)
{
    struct layout l = { .plain = plain, .name = SIZE_MAX };

    for (size_t i = 0; i < COUNT_OF(columns_shown); i++) {
        l.shown[i] = true;
    }
    if (plain) {
        return l;
    }
    for (unsigned goes = 1; goes <= COUNT_OF(columns_shown) &&
                            width_of_all(&l) + NAME_LEAST > columns;
         goes++) {
        for (size_t i = 0; i < COUNT_OF(columns_shown); i++) {
            l.shown[i] = l.shown[i] && columns_shown[i].goes != goes;
        }
    }
    l.name = columns > width_of_all(&l) ? columns - width_of_all(&l) : 0;
    return l;
}

/* --- texts --- */

/* The longest end. */
static str end_of(str s, size_t columns)
{
    size_t all = caret_columns(s);
    size_t at = 0;
    size_t size;

    while (all > columns && at < s.size) {
        all -= chars_columns(str_slice(s, at, s.size), &size);
        at += size;
    }
    return str_slice(s, at, s.size);
}

/* Adds `s`, visible, in so many columns; `end`: the end of it matters. */
static void add_cut(struct buf *b, str s, size_t columns, bool end)
{
    if (columns == SIZE_MAX || caret_columns(s) <= columns) {
        chars_add_visible(b, s);
    } else if (columns <= CUT_SIZE) {
        chars_add_visible(b,
                          end ? end_of(s, columns) : caret_first(s, columns));
    } else if (end) {
        buf_add(b, STR(CUT));
        chars_add_visible(b, end_of(s, columns - CUT_SIZE));
    } else {
        chars_add_visible(b, caret_first(s, columns - CUT_SIZE));
        buf_add(b, STR(CUT));
    }
}

static void add_numbers(struct buf *b, const struct layout *l,
                        const struct counts_row *row, uint64_t last_ns)
{
    for (size_t i = 0; i < COUNT_OF(columns_shown); i++) {
        char room[40];
        struct buf cell = BUF_OVER(room);

        if (l->shown[i]) {
            add_cell(&cell, row, (enum counts_order)i, last_ns, l->plain);
            add_right(b, buf_str(&cell), width_of(l, i));
        }
    }
    buf_add_char(b, ' ');
}

static void add_titles(struct buf *b, const struct layout *l, enum counts_by by)
{
    for (size_t i = 0; i < COUNT_OF(columns_shown); i++) {
        if (l->shown[i]) {
            add_right(b, str_of(columns_shown[i].title), width_of(l, i));
        }
    }
    buf_add_char(b, ' ');
    add_cut(b, str_of(name_titles[by]), l->name, false);
}

/* PID.TID app.exe; PID app.exe; or the name itself. */
static void add_name(struct buf *b, const struct layout *l,
                     const struct counts *c, enum counts_by by,
                     const struct counts_row *row)
{
    str name = counts_name(c, by, row);
    size_t start = b->size;
    size_t used;

    if (by == COUNTS_BY_CALL || by == COUNTS_BY_FILE) {
        add_cut(b, name, l->name, by == COUNTS_BY_FILE);
        return;
    }
    buf_add_dec(b, row->pid);
    if (by == COUNTS_BY_THREAD) {
        buf_add_char(b, '.');
        buf_add_dec(b, row->key.b);
    }
    buf_add_char(b, ' ');
    used = b->size - start;
    if (l->name == SIZE_MAX || l->name > used) {
        add_cut(b, name, l->name == SIZE_MAX ? l->name : l->name - used, false);
    }
}

static void add_row(struct buf *b, const struct layout *l,
                    const struct counts *c, const struct screen_head *h,
                    enum counts_by by, const struct counts_row *row)
{
    add_numbers(b, l, row, h->last_ns);
    add_name(b, l, c, by, row);
}

/* False: nothing was put together. */
static bool add_other(struct buf *b, const struct layout *l,
                      const struct counts *c, const struct screen_head *h,
                      enum counts_by by)
{
    uint64_t rows;
    const struct counts_row *other = counts_other(c, by, &rows);
    char room[40];
    struct buf name = BUF_OVER(room);

    if (other->total.calls == 0) {
        return false;
    }
    add_numbers(b, l, other, h->last_ns);
    buf_addf(&name, "(%llu other%s)", (unsigned long long)rows,
             rows == 1 ? "" : "s");
    add_cut(b, buf_str(&name), l->name, false);
    return true;
}

/* --- above them --- */

/* `columns`: SIZE_MAX in a table. */
static void add_who(struct buf *b, const struct screen_head *h, size_t columns)
{
    uint64_t seconds = h->ns / SECOND_NS;
    char room[120];
    struct buf rest = BUF_OVER(room);
    const str start = STR("ntstrace top: ");

    buf_addf(&rest, ", pid %u, %u process%s, %llu:%02u:%02u%s",
             (unsigned)h->pid, (unsigned)h->processes,
             h->processes == 1 ? "" : "es", (unsigned long long)seconds / 3600,
             (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60),
             h->whole ? " in all" : "");
    buf_add(b, start);
    if (columns != SIZE_MAX) {
        size_t used = start.size + rest.size;

        columns = columns > used + WHO_LEAST ? columns - used : WHO_LEAST;
    }
    add_cut(b, h->program, columns, false);
    buf_add(b, buf_str(&rest));
}

static void add_totals(struct buf *b, const struct counts *c,
                       const struct screen_head *h, bool plain)
{
    const struct counts_row *all = counts_all(c);

    add_cell(b, all, ORDER_RATE, h->last_ns, plain);
    buf_add(b, STR(" calls/s, "));
    add_cell(b, all, ORDER_ERROR_RATE, h->last_ns, plain);
    buf_add(b, STR(" errors/s; calls: "));
    add_count(b, all->total.calls, plain);
    buf_add(b, STR(", errors: "));
    add_count(b, all->total.errors, plain);
    buf_add(b, STR(", lost: "));
    add_count(b, h->lost, plain);
}

static void add_choice(struct buf *b, const struct keys *k)
{
    static const char *const kinds[COUNTS_KINDS] = { "call", "object", "thread",
                                                     "process" };

    buf_addf(b, "by %s, sorted by %s%s%s; h: help", kinds[k->by],
             k->order == ORDER_NAME ? "name" : columns_shown[k->order].title,
             k->reverse ? ", reversed" : "", k->paused ? "; PAUSED" : "");
}

/* --- on a terminal --- */

/* What a line is made in. */
#define LINE_ROOM (SCREEN_COLUMNS_MOST * 4u + 200u)

struct pen {
    struct buf *b;
    size_t columns;
    uint32_t line;  // that is drawn next, from 1
};

/* Puts `text`, which is visible, into the next line. */
static void draw_line(struct pen *p, str text, bool inverse)
{
    buf_addf(p->b, "\x1b[%u;1H\x1b[2K%s", (unsigned)p->line++,
             inverse ? "\x1b[7m" : "");
    buf_add(p->b, caret_first(text, p->columns));
    if (inverse) {
        buf_add(p->b, STR("\x1b[m"));
    }
}

static void draw_head(struct pen *p, const struct layout *l,
                      const struct counts *c, const struct screen_head *h,
                      const struct keys *k)
{
    char room[LINE_ROOM];
    struct buf line = BUF_OVER(room);

    add_who(&line, h, p->columns);
    draw_line(p, buf_str(&line), false);
    line.size = 0;
    add_totals(&line, c, h, false);
    draw_line(p, buf_str(&line), false);
    line.size = 0;
    add_choice(&line, k);
    draw_line(p, buf_str(&line), false);
    line.size = 0;
    add_titles(&line, l, k->by);
    draw_line(p, buf_str(&line), true);
}

static void draw_rows(struct pen *p, const struct layout *l,
                      const struct counts *c, const struct screen_head *h,
                      const struct keys *k, uint32_t lines)
{
    const struct counts_row *rows[SCREEN_ROWS_MOST];
    char room[LINE_ROOM];
    struct buf other = BUF_OVER(room);
    bool others = lines > 0 && add_other(&other, l, c, h, k->by);
    size_t count = counts_list(c, k->by, k->order, k->reverse, rows,
                               lines - (others ? 1 : 0));

    for (size_t i = 0; i < count; i++) {
        char row_room[LINE_ROOM];
        struct buf line = BUF_OVER(row_room);

        add_row(&line, l, c, h, k->by, rows[i]);
        draw_line(p, buf_str(&line), false);
    }
    if (others) {
        draw_line(p, buf_str(&other), false);
    }
}

static uint32_t within(uint32_t n, uint32_t least, uint32_t most)
{
    return n < least ? least : n > most ? most : n;
}

void screen_draw(struct buf *b, const struct counts *c,
                 const struct screen_head *h, const struct keys *k,
                 uint32_t columns, uint32_t rows)
{
    struct pen p = { b,
                     within(columns, SCREEN_COLUMNS_LEAST, SCREEN_COLUMNS_MOST),
                     1 };
    struct layout l = lay_out(false, p.columns);
    uint32_t lines =
        within(rows, SCREEN_ROWS_LEAST, SCREEN_ROWS_MOST) - HEAD_LINES;

    draw_head(&p, &l, c, h, k);
    for (size_t i = 0; k->help && i < lines && keys_help(i) != NULL; i++) {
        draw_line(&p, str_of(keys_help(i)), false);
    }
    if (!k->help) {
        draw_rows(&p, &l, c, h, k, lines);
    }
    if (p.line <= lines + HEAD_LINES) {
        buf_addf(b, "\x1b[%u;1H\x1b[J", (unsigned)p.line);
    }
}

/* --- as a table --- */

struct printer {
    const struct counts *c;
    const struct screen_head *h;
    const struct keys *k;
    struct layout layout;
    size_t columns;  // SIZE_MAX: any number
    void (*write)(void *ctx, str line);
    void *ctx;
};

static void end_line(const struct printer *p, struct buf *line)
{
    if (p->columns != SIZE_MAX) {
        line->size = caret_first(buf_str(line), p->columns).size;
    }
    buf_add_char(line, '\n');
    p->write(p->ctx, buf_str(line));
    line->size = 0;
}

/* What is to be seen of a name may be many times what is on a screen. */
static void print_row(const struct printer *p, const struct counts_row *row)
{
    size_t room =
        caret_columns(counts_name(p->c, p->k->by, row)) * 4 + LINE_ROOM;
    struct buf line = { malloc(room), 0, room, false };

    if (line.p != NULL) {
        add_row(&line, &p->layout, p->c, p->h, p->k->by, row);
        end_line(p, &line);
    }
    free(line.p);
}

static void print_rows(const struct printer *p, size_t most)
{
    size_t all = counts_rows(p->c, p->k->by);
    const struct counts_row **rows = calloc(all + 1, sizeof(*rows));
    size_t count = 0;
    char room[LINE_ROOM];
    struct buf line = BUF_OVER(room);

    if (rows != NULL) {
        count = counts_list(p->c, p->k->by, p->k->order, p->k->reverse, rows,
                            most == 0 || most > all ? all : most);
    }
    for (size_t i = 0; i < count; i++) {
        print_row(p, rows[i]);
    }
    free(rows);
    if (add_other(&line, &p->layout, p->c, p->h, p->k->by)) {
        end_line(p, &line);
    }
    if (all > count) {
        buf_addf(&line, "(%zu more row%s)", all - count,
                 all - count == 1 ? "" : "s");
        end_line(p, &line);
    }
}

/* The program's name as well may be long. */
static void print_who(const struct printer *p)
{
    size_t room = caret_columns(p->h->program) * 4 + LINE_ROOM;
    struct buf line = { malloc(room), 0, room, false };

    if (line.p != NULL) {
        add_who(&line, p->h, p->columns);
        end_line(p, &line);
    }
    free(line.p);
}

void screen_print(const struct counts *c, const struct screen_head *h,
                  const struct keys *k, size_t most, uint32_t columns,
                  void (*write)(void *ctx, str line), void *ctx)
{
    /* What fills a line of a terminal may begin one more. */
    size_t width =
        columns == 0
            ? SIZE_MAX
            : within(columns, SCREEN_COLUMNS_LEAST, SCREEN_COLUMNS_MOST) - 1;
    const struct printer p = { c,     h,     k,  lay_out(columns == 0, width),
                               width, write, ctx };
    char room[LINE_ROOM];
    struct buf line = BUF_OVER(room);

    print_who(&p);
    add_totals(&line, c, h, columns == 0);
    end_line(&p, &line);
    add_titles(&line, &p.layout, k->by);
    end_line(&p, &line);
    print_rows(&p, most);
    end_line(&p, &line);
}
