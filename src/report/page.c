/* SPDX-License-Identifier: MIT */
/*
 * page.c - the page's HTML: its head, the answers, the tables. Touches nothing but
 * what it writes to. Without memory tables are missing.
 */
#include "report/page.h"

#include "report/assets.h"
#include "report/sha256.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/banned.h"

/* Of a picture of how long calls took, in units of its own. */
#define BAR_WIDTH 4
#define BAR_HEIGHT 18
/* Its first step, 2^5 ns, and how many there are: to half a minute. */
#define STEP_FIRST 5
#define STEP_COUNT 30
/* With so many a table is as high as it gets (page.css). */
#define ROWS_LONG 30
/* Of one of when something was used. */
#define LIFE_WIDTH 120

static struct html_page *page_of(struct page *p)
{
    return (struct html_page *)(void *)p;
}

/* --- head ---------------------------------------------------------------------- */

static void add_hash(struct html *h, const char *directive, str bytes)
{
    uint8_t hash[SHA256_SIZE];

    sha256(bytes, hash);
    HTML(h, "; ");
    html_add(h, str_of(directive));
    HTML(h, " 'sha256-");
    html_base64(h, hash, sizeof(hash));
    HTML(h, "'");
}

void page_head(struct html *h, str title, const char *what, bool scripted)
{
    HTML(h, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
            "<meta charset=\"utf-8\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" "
            "content=\"default-src 'none'");
    add_hash(h, "style-src", asset_style());
    if (scripted) {
        add_hash(h, "script-src", asset_script());
    }
    HTML(h, "; base-uri 'none'; form-action 'none'\">\n"
            "<meta name=\"viewport\" "
            "content=\"width=device-width, initial-scale=1\">\n"
            "<meta name=\"color-scheme\" content=\"light dark\">\n"
            "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
    html_text(h, title);
    HTML(h, " - ");
    html_add(h, str_of(what));
    HTML(h, "</title>\n<style>");
    html_add(h, asset_style());
    HTML(h, "</style>\n</head>\n<body>\n");
}

static void begin_fact(struct html *h, const char *what)
{
    HTML(h, "<div><dt>");
    html_add(h, str_of(what));
    HTML(h, "</dt><dd>");
}

static void end_fact(struct html *h)
{
    HTML(h, "</dd></div>\n");
}

void page_fact(struct html *h, const char *what, str text)
{
    if (text.size > 0) {
        begin_fact(h, what);
        html_text(h, text);
        end_fact(h);
    }
}

void page_number(struct html *h, const char *what, uint64_t n)
{
    begin_fact(h, what);
    html_number(h, n);
    end_fact(h);
}

static void add_time(struct html *h, const char *what, int64_t ns)
{
    begin_fact(h, what);
    html_ns(h, ns);
    end_fact(h);
}

/* A warning for each of `about->lacks`. */
static void add_lacks(struct html *h, const struct page_about *about)
{
    for (size_t i = 0; i < PAGE_LACKS; i++) {
        if (about->lacks[i].size > 0) {
            HTML(h, "<p class=\"warning\">");
            html_text(h, about->lacks[i]);
            HTML(h, ".</p>\n");
        }
    }
}

void page_facts(struct html *h, const struct page_about *about)
{
    page_fact(h, "started", about->started);
    page_fact(h, "machine", about->machine);
    page_fact(h, "system", about->system);
    page_fact(h, "recorded by", about->recorded);
    HTML(h, "</dl>\n");
    add_lacks(h, about);
}

static void add_title(struct html *h, const struct page_about *about,
                      const struct answers_rows *r, const struct tally *t)
{
    HTML(h, "<header>\n<h1><bdi>");
    html_text(h,
              about->program.size > 0 ? str_file(about->program) : about->file);
    HTML(h, "</bdi></h1>\n<p class=\"command\"><bdi>");
    html_text(h, about->command.size > 0 ? about->command : about->program);
    HTML(h, "</bdi></p>\n<dl class=\"numbers\">\n");
    add_time(h, "lasted", r->last_ns);
    page_number(h, "calls", r->calls);
    page_number(h, "failed", r->errors);
    add_time(h, "in calls", r->ns);
    add_time(h, "waiting", r->wait_ns);
    page_number(h, "processes", r->processes.count);
    page_number(h, "threads", t->threads.count);
    HTML(h, "</dl>\n<dl class=\"facts\">\n");
    page_fact(h, "recording", about->file);
    page_facts(h, about);
    for (size_t nth = 0;; nth++) {
        char room[200];
        struct buf b = BUF_OVER(room);

        if (!answers_remark(r, nth, &b)) {
            break;
        }
        HTML(h, "<p class=\"warning\">");
        html_text(h, buf_str(&b));
        HTML(h, ".</p>\n");
    }
    if (about->damage.size > 0) {
        HTML(h, "<p class=\"warning\">");
        html_text(h, about->damage);
        HTML(h, "</p>\n");
    }
    HTML(h, "</header>\n");
}

static void add_link(struct html *h, const char *id, const char *title)
{
    HTML(h, "<a href=\"#");
    html_add(h, str_of(id));
    HTML(h, "\">");
    html_add(h, str_of(title));
}

/* Links to all sections, with how much there is in those of answers. */
static void add_contents(struct html_page *p)
{
    struct html *h = p->html;

    HTML(h, "<nav>\n");
    for (size_t i = 0; i < p->section_count; i++) {
        if (p->sections[i].rows > 0) {
            add_link(h, p->sections[i].id, p->sections[i].title);
            HTML(h, " <b>");
            html_number(h, p->sections[i].rows);
            HTML(h, "</b></a>\n");
        }
    }
    HTML(h, "<a class=\"scripted\" href=\"#timeline\" hidden>Timeline</a>\n"
            "<a href=\"#calls\">Calls</a>\n<a href=\"#things\">Things</a>\n"
            "<a href=\"#modules\">Modules</a>\n"
            "<a class=\"scripted\" href=\"#list\" hidden>List</a>\n"
            "<a href=\"#about\">About</a>\n"
            "</nav>\n<main>\n");
}

void page_begin(struct html_page *p, const struct page_about *about,
                const struct answers_rows *rows, const struct tally *t,
                size_t most)
{
    p->counting = true;
    answers_tell(rows, most, &p->page);
    p->counting = false;
    p->section = 0;
    page_head(p->html, about->program.size > 0 ? about->program : about->file,
              "ntstrace report", true);
    add_title(p->html, about, rows, t);
    add_contents(p);
}

/* --- sections of answers --------------------------------------------------------- */

static void begin_section(struct html *h, const char *id, const char *title)
{
    HTML(h, "<section id=\"");
    html_add(h, str_of(id));
    HTML(h, "\">\n<h2>");
    html_add(h, str_of(title));
}

/* Of words, none of which is broken; in the others names go on where they must. */
static bool is_words(const struct column *c)
{
    str title = str_of(c->title);

    return (c->width > 0 && c->width < 30) || str_is(title, "first") ||
           str_is(title, "longest");
}

/* One of many rows is laid out when it comes into sight. */
static void begin_table(struct html *h, const struct column *columns,
                        size_t count, uint64_t rows)
{
    html_add(h, rows >= ROWS_LONG ? STR("<div class=\"scroll long\" ")
                                  : STR("<div class=\"scroll\" "));
    HTML(h, "tabindex=\"0\"><table>\n<thead><tr>");
    for (size_t i = 0; i < count; i++) {
        if (columns[i].number) {
            HTML(h, "<th scope=\"col\" class=\"n\">");
        } else {
            HTML(h, "<th scope=\"col\">");
        }
        html_add(h, str_of(columns[i].title));
        HTML(h, "</th>");
    }
    HTML(h, "</tr></thead>\n<tbody>\n");
}

static void end_table(struct html *h)
{
    HTML(h, "</tbody></table></div>\n");
}

static void add_more(struct html *h, uint64_t count)
{
    HTML(h, "<p class=\"note\">");
    html_number(h, count);
    HTML(h, " more rows: <code>--rows 0</code> shows all.</p>\n");
}

static void on_section(struct page *page, const char *id, const char *title,
                       const char *what, const struct column *columns,
                       size_t count)
{
    struct html_page *p = page_of(page);

    if (p->counting) {
        p->section = p->section_count;
        if (p->section < PAGE_SECTIONS) {
            p->sections[p->section].id = id;
            p->sections[p->section].title = title;
            p->sections[p->section].rows = 0;
            p->section_count++;
        }
        return;
    }
    p->columns = columns;
    p->count = count;
    p->any = false;
    p->table = false;
    begin_section(p->html, id, title);
    p->rows = p->section < p->section_count ? p->sections[p->section].rows : 0;
    if (p->rows > 0) {
        HTML(p->html, " <span class=\"count\">");
        html_number(p->html, p->rows);
        HTML(p->html, "</span>");
    }
    p->section++;
    HTML(p->html, "</h2>\n<p class=\"what\">");
    html_add(p->html, str_of(what));
    HTML(p->html, "</p>\n");
}

static void close_table(struct html_page *p)
{
    if (p->table) {
        end_table(p->html);
        p->table = false;
    }
}

/* Once, of a section without a row. */
static void add_nothing(struct html_page *p)
{
    if (!p->any) {
        HTML(p->html, "<p class=\"none\">Nothing.</p>\n");
        p->any = true;
    }
}

static void add_count(struct html_page *p, uint64_t count)
{
    if (p->section < PAGE_SECTIONS) {
        p->sections[p->section].rows += count;
    }
}

static void on_row(struct page *page, const str *cells)
{
    struct html_page *p = page_of(page);

    if (p->counting) {
        add_count(p, 1);
        return;
    }
    if (!p->table) {
        begin_table(p->html, p->columns, p->count, p->rows);
        p->table = true;
        p->any = true;
    }
    /* A column without a title has a sign (compare.c). */
    if (p->columns[0].title[0] == '\0' && str_is(cells[0], "-")) {
        HTML(p->html, "<tr class=\"gone\">");
    } else if (p->columns[0].title[0] == '\0' && str_is(cells[0], "+")) {
        HTML(p->html, "<tr class=\"came\">");
    } else {
        HTML(p->html, "<tr>");
    }
    for (size_t i = 0; i < p->count; i++) {
        if (p->columns[i].number) {
            HTML(p->html, "<td class=\"n\">");
            html_digits(p->html, cells[i]);
        } else {
            html_add(p->html, is_words(&p->columns[i]) ? STR("<td class=\"k\">")
                                                       : STR("<td>"));
            html_text(p->html, cells[i]);
        }
        HTML(p->html, "</td>");
    }
    HTML(p->html, "</tr>\n");
}

static void on_more(struct page *page, uint64_t count)
{
    struct html_page *p = page_of(page);

    if (p->counting) {
        add_count(p, count);
        return;
    }
    close_table(p);
    add_more(p->html, count);
}

static void on_note(struct page *page, str text)
{
    struct html_page *p = page_of(page);

    if (p->counting) {
        return;
    }
    close_table(p);
    add_nothing(p);
    HTML(p->html, "<p class=\"note\">");
    html_text(p->html, text);
    HTML(p->html, "</p>\n");
}

static void on_end(struct page *page)
{
    struct html_page *p = page_of(page);

    if (p->counting) {
        return;
    }
    close_table(p);
    add_nothing(p);
    HTML(p->html, "</section>\n");
}

void html_page_init(struct html_page *p, struct html *html)
{
    static const struct page_ops ops = { on_section, on_row, on_more, on_note,
                                         on_end };

    *p = (struct html_page){ .page.ops = &ops, .html = html };
}

/* --- pictures ------------------------------------------------------------------------ */

/* How many calls took how long: a bar for each doubling, higher by the square
 * root, so that few are seen beside many. */
static uint64_t root_of(uint64_t n)
{
    uint64_t low = 0;
    uint64_t high = UINT32_MAX;

    while (low < high) {
        uint64_t mid = low + (high - low + 1) / 2;

        if (mid * mid <= n) {
            low = mid;
        } else {
            high = mid - 1;
        }
    }
    return low;
}

static uint64_t step_at(const struct tally_call *c, size_t i)
{
    uint64_t n = c->steps[i + STEP_FIRST];

    for (size_t k = 0; i == 0 && k < STEP_FIRST; k++) {
        n += c->steps[k];
    }
    for (size_t k = STEP_FIRST + STEP_COUNT;
         i == STEP_COUNT - 1 && k < TALLY_STEPS; k++) {
        n += c->steps[k];
    }
    return n;
}

static void add_histogram(struct html *h, const struct tally_call *c)
{
    uint64_t most = 1;

    for (size_t i = 0; i < STEP_COUNT; i++) {
        most = step_at(c, i) > most ? step_at(c, i) : most;
    }
    most = root_of(most << 8);
    HTML(h, "<svg class=\"histogram\" role=\"img\" width=\"120\" height=\"18\" "
            "viewBox=\"0 0 120 18\"><title>how long calls took, from 32 ns to "
            "17 s, doubling</title>");
    for (size_t i = 0; i < STEP_COUNT; i++) {
        uint64_t n = step_at(c, i);
        uint64_t high = n > 0 ? root_of(n << 8) * BAR_HEIGHT / most : 0;

        high = n > 0 && high == 0 ? 1 : high;
        if (high > 0) {
            HTML(h, "<rect width=\"3\" x=\"");
            html_plain(h, i * BAR_WIDTH);
            HTML(h, "\" y=\"");
            html_plain(h, BAR_HEIGHT - high);
            HTML(h, "\" height=\"");
            html_plain(h, high);
            HTML(h, "\"/>");
        }
    }
    HTML(h, "</svg>");
}

/* When, of all the time that was recorded. */
static void add_life(struct html *h, int64_t from, int64_t to, int64_t all)
{
    uint64_t most = all > 0 ? (uint64_t)all : 1;
    uint64_t x = from > 0 ? (uint64_t)from * LIFE_WIDTH / most : 0;
    uint64_t end = to > 0 ? (uint64_t)to * LIFE_WIDTH / most : 0;

    x = x < LIFE_WIDTH - 2 ? x : LIFE_WIDTH - 2;
    end = end < LIFE_WIDTH ? end : LIFE_WIDTH;
    HTML(h, "<svg class=\"life\" role=\"img\" width=\"120\" height=\"10\" "
            "viewBox=\"0 0 120 10\"><title>from ");
    html_ns(h, from);
    HTML(h, " to ");
    html_ns(h, to);
    HTML(h, "</title><rect class=\"all\" width=\"120\" height=\"2\" y=\"4\"/>"
            "<rect y=\"1\" height=\"8\" x=\"");
    html_plain(h, x);
    HTML(h, "\" width=\"");
    html_plain(h, end > x + 2 ? end - x : 2);
    HTML(h, "\"/></svg>");
}

/* --- tables ----------------------------------------------------------------------------- */

/* Rows of a table, by what falls, then by what rises. */
struct ranked {
    uint64_t falling;
    uint64_t rising;
    uint32_t row;
};

static int by_rank(const void *a, const void *b)
{
    const struct ranked *x = a;
    const struct ranked *y = b;

    if (x->falling != y->falling) {
        return x->falling > y->falling ? -1 : 1;
    }
    if (x->rising != y->rising) {
        return x->rising < y->rising ? -1 : 1;
    }
    return x->row < y->row ? -1 : x->row > y->row;
}

typedef bool rank_row(const void *row, struct ranked *rank);
typedef void add_row(struct html_page *p, const struct labels *names,
                     const struct tally *t, const void *row);

static void end_rows(struct html_page *p, const struct table *table,
                     size_t count, size_t told)
{
    end_table(p->html);
    if (count > told) {
        add_more(p->html, count - told);
    }
    if (table->refused > 0) {
        HTML(p->html, "<p class=\"note\">");
        html_number(p->html, table->refused);
        HTML(p->html, " more found no room.</p>\n");
    }
}

static void add_rows(struct html_page *p, const struct tally *t,
                     const struct table *table, const struct column *columns,
                     size_t column_count, rank_row *rank, add_row *add,
                     size_t most)
{
    struct ranked *list = calloc(table->count + 1, sizeof(*list));
    size_t count = 0;
    size_t told = 0;

    for (size_t i = 0; list != NULL && i < table->count; i++) {
        struct ranked r = { .row = (uint32_t)i };

        if (rank(table_at(table, i), &r)) {
            list[count++] = r;
        }
    }
    if (count == 0) {
        HTML(p->html, "<p class=\"none\">Nothing.</p>\n");
        free(list);
        return;
    }
    array_sort(list, count, sizeof(*list), by_rank);
    begin_table(p->html, columns, column_count, count);
    for (; told < count && (most == 0 || told < most); told++) {
        HTML(p->html, "<tr>");
        add(p, t->names, t, table_at(table, list[told].row));
        HTML(p->html, "</tr>\n");
    }
    end_rows(p, table, count, told);
    free(list);
}

static void cell_number(struct html *h, uint64_t n)
{
    HTML(h, "<td class=\"n\">");
    html_number(h, n);
    HTML(h, "</td>");
}

static void cell_ns(struct html *h, int64_t ns)
{
    HTML(h, "<td class=\"n\">");
    html_ns(h, ns);
    HTML(h, "</td>");
}

/* Nothing, not 0 B, where nothing was moved. */
static void cell_bytes(struct html *h, uint64_t n)
{
    HTML(h, "<td class=\"n\">");
    if (n > 0) {
        html_bytes(h, n);
    }
    HTML(h, "</td>");
}

static void cell_text(struct html *h, str text)
{
    HTML(h, "<td>");
    html_text(h, text);
    HTML(h, "</td>");
}

/* A word, which is not broken. */
static void cell_word(struct html *h, str text)
{
    HTML(h, "<td class=\"k\">");
    html_text(h, text);
    HTML(h, "</td>");
}

static bool rank_call(const void *row, struct ranked *rank)
{
    const struct tally_call *c = row;

    rank->falling = (uint64_t)(c->ns > 0 ? c->ns : 0);
    return true;
}

static void add_call(struct html_page *p, const struct labels *names,
                     const struct tally *t, const void *row)
{
    const struct tally_call *c = row;
    struct html *h = p->html;
    int64_t each = c->timed > 0 ? c->ns / (int64_t)c->timed : 0;

    (void)t;
    cell_word(h, labels_text(names, (uint32_t)c->key.a));
    cell_number(h, c->calls);
    cell_number(h, c->errors);
    cell_ns(h, c->ns);
    cell_ns(h, each);
    cell_ns(h, c->most_ns);
    HTML(h, "<td class=\"k\">");
    add_histogram(h, c);
    HTML(h, "</td>");
    cell_word(h, c->waits ? STR("waits") : STR(""));
}

static void add_calls(struct html_page *p, const struct tally *t, size_t most)
{
    static const struct column columns[] = {
        { "call", 0, false },     { "calls", 0, true }, { "failed", 0, true },
        { "time", 0, true },      { "each", 0, true },  { "longest", 0, true },
        { "how long", 0, false }, { "", 0, false },
    };

    begin_section(p->html, "calls", "Calls");
    HTML(p->html, "</h2>\n<p class=\"what\">All calls, by name, those that "
                  "took the most time first. \"How long\" has a bar for each "
                  "doubling from 32 ns on; heights go by the square root."
                  "</p>\n");
    add_rows(p, t, &t->calls, columns, COUNT_OF(columns), rank_call, add_call,
             most);
    HTML(p->html, "</section>\n");
}

static bool rank_thing(const void *row, struct ranked *rank,
                       enum subject_kind from, enum subject_kind to)
{
    const struct tally_thing *t = row;

    rank->falling = t->calls;
    return (t->key.a & 0xff) >= from && (t->key.a & 0xff) <= to;
}

static bool rank_file(const void *row, struct ranked *rank)
{
    return rank_thing(row, rank, SUBJECT_FILE, SUBJECT_FILE);
}

static bool rank_key(const void *row, struct ranked *rank)
{
    return rank_thing(row, rank, SUBJECT_KEY, SUBJECT_VALUE);
}

static bool rank_peer(const void *row, struct ranked *rank)
{
    return rank_thing(row, rank, SUBJECT_SOCKET, SUBJECT_DEVICE);
}

static bool rank_other(const void *row, struct ranked *rank)
{
    return rank_thing(row, rank, SUBJECT_OTHER, SUBJECT_OTHER);
}

static void add_thing(struct html_page *p, const struct labels *names,
                      const struct tally *t, const void *row)
{
    const struct tally_thing *thing = row;
    struct html *h = p->html;

    cell_text(h, labels_text(names, (uint32_t)(thing->key.a >> 8)));
    cell_word(h, thing->type != LABEL_NONE ? labels_text(names, thing->type)
                                           : STR(""));
    cell_number(h, thing->calls);
    cell_number(h, thing->errors);
    cell_ns(h, thing->ns);
    cell_bytes(h, thing->read);
    cell_bytes(h, thing->written);
    cell_number(h, thing->closed);
    HTML(h, "<td class=\"k\">");
    add_life(h, thing->first_ns, thing->last_ns, t->last_ns);
    HTML(h, "</td>");
}

static void add_things(struct html_page *p, const struct tally *t, size_t most)
{
    static const struct column columns[] = {
        { "name", 0, false },   { "type", 0, false },  { "calls", 0, true },
        { "failed", 0, true },  { "time", 0, true },   { "read", 0, true },
        { "written", 0, true }, { "closed", 0, true }, { "life", 0, false },
    };
    static const struct {
        const char *title;
        rank_row *rank;
    } parts[] = {
        { "Files", rank_file },
        { "Keys and values", rank_key },
        { "Sockets, pipes and devices", rank_peer },
        { "Other handles", rank_other },
    };

    begin_section(p->html, "things", "Things");
    HTML(p->html, "</h2>\n<p class=\"what\">What calls were about, by the name "
                  "that they were given or by a handle, those of the most "
                  "calls first. \"Life\" is from the first of these calls to "
                  "the last, in the time of the whole recording; \"closed\" "
                  "counts handles.</p>\n");
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        HTML(p->html, "<h3>");
        html_add(p->html, str_of(parts[i].title));
        HTML(p->html, "</h3>\n");
        add_rows(p, t, &t->things, columns, COUNT_OF(columns), parts[i].rank,
                 add_thing, most);
    }
    HTML(p->html, "</section>\n");
}

static bool rank_module(const void *row, struct ranked *rank)
{
    const struct tally_module *m = row;

    rank->rising = (uint64_t)(m->first_ns > 0 ? m->first_ns : 0);
    return true;
}

static void add_module(struct html_page *p, const struct labels *names,
                       const struct tally *t, const void *row)
{
    const struct tally_module *m = row;
    struct html *h = p->html;
    char room[24];
    struct buf b = BUF_OVER(room);

    (void)t;
    buf_add_hex(&b, m->base);
    cell_text(h, labels_text(names, (uint32_t)m->key.a));
    cell_number(h, m->loads);
    cell_number(h, m->unloads);
    cell_bytes(h, m->size);
    cell_ns(h, m->first_ns);
    cell_number(h, m->pid);
    cell_word(h, buf_str(&b));
}

static void add_modules(struct html_page *p, const struct tally *t, size_t most)
{
    static const struct column columns[] = {
        { "module", 0, false },  { "mapped", 0, true },
        { "unmapped", 0, true }, { "size", 0, true },
        { "first at", 0, true }, { "in process", 0, true },
        { "where", 0, false },
    };

    begin_section(p->html, "modules", "Modules");
    HTML(p->html, "</h2>\n<p class=\"what\">Programs and DLLs, in the order in "
                  "which they were first mapped; size and address are of that "
                  "time.</p>\n");
    add_rows(p, t, &t->modules, columns, COUNT_OF(columns), rank_module,
             add_module, most);
    HTML(p->html, "</section>\n");
}

void page_tables(struct html_page *p, const struct tally *t, size_t most)
{
    struct html *h = p->html;

    HTML(h, "<section id=\"timeline\" class=\"scripted\" hidden>\n"
            "<h2>Timeline</h2>\n</section>\n");
    add_calls(p, t, most);
    add_things(p, t, most);
    add_modules(p, t, most);
    HTML(h, "<section id=\"list\" class=\"scripted\" hidden>\n"
            "<h2>List of calls</h2>\n</section>\n");
}

static void add_left_out(struct html *h, const struct page_about *about,
                         const struct page_data *d)
{
    begin_section(h, "about", "About this page");
    HTML(h, "</h2>\n<p>Counts, tables and the timeline are of all calls. ");
    if (d->kept >= d->all) {
        HTML(h, "So is the list of calls.");
    } else {
        HTML(h, "The list has ");
        html_number(h, d->kept);
        HTML(h, " of ");
        html_number(h, d->all);
        HTML(h, " calls: those that the answers name, those that failed");
        if (d->failed > 0) {
            HTML(h, " (but for ");
            html_number(h, d->failed);
            HTML(h, ")");
        }
        HTML(h, ", the longest, and of the rest an even sample of each "
                "thread.");
    }
    if (d->tracks < d->threads) {
        HTML(h, " The timeline has ");
        html_number(h, d->tracks);
        HTML(h, " of ");
        html_number(h, d->threads);
        HTML(h, " threads.");
    }
    if (d->unnamed > 0) {
        HTML(h, " Of ");
        html_number(h, d->unnamed);
        HTML(h, " calls it is not known what they were about.");
    }
    HTML(h, " Texts are cut where they are very long. All of it, whole:</p>\n"
            "<p><code>ntstrace replay ");
    html_text(h, about->quoted);
    HTML(h, "</code></p>\n<noscript><p class=\"note\">With scripts, which are "
            "part of this page, there are a timeline and a list of calls as "
            "well.</p></noscript>\n</section>\n</main>\n");
}

void page_end(struct html_page *p, const struct page_about *about,
              const struct page_data *data)
{
    add_left_out(p->html, about, data);
    HTML(p->html, "<script>");
    html_add(p->html, asset_script());
    HTML(p->html, "</script>\n</body>\n</html>\n");
}
