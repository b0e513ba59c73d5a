/* SPDX-License-Identifier: MIT */
/*
 * tell.c - the rows of answers.h, sorted, as cells.
 *
 * Touches nothing but the page. Without memory rows come in the order in which
 * they were found.
 */
#include "report/tell.h"

#include "base/array.h"
#include "base/saturate.h"
#include "tables/deeds.h"
#include "tables/status.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define SECOND INT64_C(1000000000)
/* Levels of a tree, and no more, are shown by blanks. */
#define LEVELS_MOST 20

/* Room for the cells of a row. */
struct cells {
    str cell[COLUMNS_MOST];
    size_t count;
    struct buf b;
    char room[3 * SUBJECT_ROOM];
};

struct telling_of {
    const struct answers_rows *rows;
    struct page *page;
    size_t most;
    struct cells cells;
};

/* --- cells ------------------------------------------------------------------- */

static void begin_row(struct telling_of *t)
{
    t->cells.count = 0;
    t->cells.b = BUF_OVER(t->cells.room);
}

/* What was added since `from` is the next cell. */
static void end_cell(struct telling_of *t, size_t from)
{
    struct cells *c = &t->cells;

    if (c->count < COLUMNS_MOST) {
        c->cell[c->count++] = str_slice(buf_str(&c->b), from, c->b.size);
    }
}

static void add_text(struct telling_of *t, str text)
{
    size_t from = t->cells.b.size;

    buf_add(&t->cells.b, text);
    end_cell(t, from);
}

static void add_name(struct telling_of *t, uint32_t name)
{
    add_text(t, labels_text(t->rows->names, name));
}

static void add_number(struct telling_of *t, uint64_t n)
{
    size_t from = t->cells.b.size;

    buf_add_dec(&t->cells.b, n);
    end_cell(t, from);
}

static void put_seconds(struct buf *b, int64_t ns)
{
    ns = ns > 0 ? ns : 0;
    buf_addf(b, "%lld.%06lld", (long long)(ns / SECOND),
             (long long)(ns % SECOND / 1000));
}

static void add_seconds(struct telling_of *t, int64_t ns)
{
    size_t from = t->cells.b.size;

    put_seconds(&t->cells.b, ns);
    end_cell(t, from);
}

static void put_status(struct buf *b, uint32_t status)
{
    const char *name = status_name(status);

    if (name != NULL) {
        buf_add(b, str_of(name));
    } else {
        buf_add_hex(b, status);
    }
}

static void add_status(struct telling_of *t, uint32_t status)
{
    size_t from = t->cells.b.size;

    put_status(&t->cells.b, status);
    end_cell(t, from);
}

/* "32.36 NtOpenFile, of app.dll, at 0.123456": when it happened first. */
static void add_first(struct telling_of *t, const struct first *f, bool call)
{
    struct buf *b = &t->cells.b;
    size_t from = b->size;

    buf_add_dec(b, f->pid);
    buf_add_char(b, '.');
    if (f->tid != 0) {
        buf_add_dec(b, f->tid);
    } else {
        buf_add_char(b, '?');
    }
    buf_add(b, STR(" at "));
    put_seconds(b, f->ns);
    if (call) {
        buf_add_char(b, ' ');
        buf_add(b, labels_text(t->rows->names, f->call));
    }
    if (f->caller != LABEL_NONE) {
        buf_add(b, STR(" of "));
        buf_add(b, labels_text(t->rows->names, f->caller));
    }
    end_cell(t, from);
}

/* --- rows, in order ------------------------------------------------------------- */

/* Whatever is to be sorted, by its number. */
struct order {
    uint64_t first;   // rising
    uint64_t second;  // rising
    uint32_t row;
};

static int by_order(const void *a, const void *b)
{
    const struct order *x = a;
    const struct order *y = b;

    if (x->first != y->first) {
        return x->first < y->first ? -1 : 1;
    }
    if (x->second != y->second) {
        return x->second < y->second ? -1 : 1;
    }
    return x->row < y->row ? -1 : x->row > y->row;
}

/* So that larger ones come first. */
static uint64_t falling(uint64_t n)
{
    return UINT64_MAX - n;
}

/* What section a row is in, and where; false: in none. */
typedef bool place_row(struct telling_of *t, const void *row,
                       struct order *order);
typedef void tell_row(struct telling_of *t, const void *row);

/* Rows of a table that `place` wants, each told by `tell`. */
static void tell_rows(struct telling_of *t, const struct table *table,
                      place_row *place, tell_row *tell)
{
    struct order *list = calloc(table->count + 1, sizeof(*list));
    size_t count = 0;

    for (size_t i = 0; list != NULL && i < table->count; i++) {
        struct order o = { .row = (uint32_t)i };

        if (place(t, table_at(table, i), &o)) {
            list[count++] = o;
        }
    }
    if (list != NULL) {
        array_sort(list, count, sizeof(*list), by_order);
    }
    for (size_t i = 0; i < count && (t->most == 0 || i < t->most); i++) {
        begin_row(t);
        tell(t, table_at(table, list[i].row));
        t->page->ops->row(t->page, t->cells.cell);
    }
    if (t->most > 0 && count > t->most) {
        t->page->ops->more(t->page, count - t->most);
    }
    free(list);
}

static void note_count(struct telling_of *t, uint64_t count, const char *what)
{
    char room[200];
    struct buf b = BUF_OVER(room);

    if (count > 0) {
        buf_add_dec(&b, count);
        buf_add_char(&b, ' ');
        buf_add(&b, str_of(what));
        t->page->ops->note(t->page, buf_str(&b));
    }
}

static void end_section(struct telling_of *t, const struct table *table)
{
    note_count(t, table->refused, "more found no room");
    t->page->ops->end(t->page);
}

static const char *kind_name(uint64_t kind)
{
    static const char *const names[SUBJECT_KINDS] = {
        [SUBJECT_FILE] = "file",     [SUBJECT_KEY] = "key",
        [SUBJECT_VALUE] = "value",   [SUBJECT_SOCKET] = "socket",
        [SUBJECT_DEVICE] = "device", [SUBJECT_OTHER] = "object",
    };

    return kind < SUBJECT_KINDS ? names[kind] : "?";
}

/* --- what it looked for ------------------------------------------------------------ */

/* Of all processes together; a: thing << 8 | kind, or where it was found. */
struct lookup {
    struct table_key key;
    uint64_t misses;
    uint64_t processes;
    uint64_t names;
    uint32_t status;
    uint32_t other;  // one that was found elsewhere
    bool usual;      // any program looks for it
    bool made;
    struct first first;
};

static void add_lookup(struct table *to, struct table_key key,
                       const struct sought *s)
{
    struct lookup *l = table_row(to, key);

    if (l == NULL) {
        return;
    }
    if (l->misses == 0 || s->first.ns < l->first.ns) {
        l->first = s->first;
        l->status = s->status;
    }
    l->misses += s->misses;
    l->processes++;
    l->names++;
    l->other = (uint32_t)(s->key.b >> 8);
}

static void gather(struct telling_of *t, struct table *missing,
                   struct table *healed)
{
    const struct answers_rows *r = t->rows;

    for (size_t i = 0; i < r->sought.count; i++) {
        const struct sought *s = table_at(&r->sought, i);
        const struct found *f = answers_found(r, s);

        if (f != NULL) {
            struct table_key key = { f->thing, 0 };
            struct lookup *l;

            add_lookup(healed, key, s);
            l = table_find(healed, key);
            if (l != NULL) {
                l->made = f->made;
            }
        } else if (s->misses > 0) {
            struct table_key key = { s->key.b, 0 };

            add_lookup(missing, key, s);
        }
    }
    for (size_t i = 0; i < missing->count; i++) {
        struct lookup *l = table_at(missing, i);

        l->usual =
            habit_is_miss(labels_form(r->names, (uint32_t)(l->key.a >> 8)));
    }
}

static bool place_missing(struct telling_of *t, const void *row,
                          struct order *order)
{
    const struct lookup *l = row;

    (void)t;
    order->first = l->key.a & 0xff;
    order->second = (uint64_t)l->first.ns;
    return !l->usual;
}

static void tell_missing(struct telling_of *t, const void *row)
{
    const struct lookup *l = row;

    add_text(t, str_of(kind_name(l->key.a & 0xff)));
    add_number(t, l->misses);
    add_status(t, l->status);
    add_name(t, (uint32_t)(l->key.a >> 8));
    add_first(t, &l->first, true);
}

static bool place_healed(struct telling_of *t, const void *row,
                         struct order *order)
{
    const struct lookup *l = row;

    (void)t;
    order->first = (uint64_t)l->first.ns;
    return true;
}

static void tell_healed(struct telling_of *t, const void *row)
{
    const struct lookup *l = row;
    bool same = l->other == (uint32_t)l->key.a;

    add_number(t, l->misses);
    add_text(t, l->made ? STR("made then") : STR("found"));
    add_name(t, (uint32_t)l->key.a);
    if (same && l->names == 1) {
        add_text(t, STR(""));
    } else {
        struct buf *b = &t->cells.b;
        size_t from = b->size;

        buf_add(b, labels_text(t->rows->names, l->other));
        if (l->names > 1) {
            buf_add(b, STR(" and "));
            buf_add_dec(b, l->names - 1);
            buf_add(b, STR(" more"));
        }
        end_cell(t, from);
    }
}

static void tell_lookups(struct telling_of *t)
{
    static const struct column missing_columns[] = {
        { "what", 6, false },  { "times", 6, true },  { "status", 28, false },
        { "name", 40, false }, { "first", 0, false },
    };
    static const struct column healed_columns[] = {
        { "misses", 6, true },
        { "then", 9, false },
        { "name", 40, false },
        { "looked for as", 0, false },
    };
    struct table missing;
    struct table healed;
    uint64_t usual = 0;

    table_init(&missing, sizeof(struct lookup), ROWS_MOST);
    table_init(&healed, sizeof(struct lookup), ROWS_MOST);
    gather(t, &missing, &healed);
    t->page->ops->section(t->page, "missing", "Not found in the end",
                          "What was looked for, is not there, and was not "
                          "found later under the same name.",
                          missing_columns, COUNT_OF(missing_columns));
    tell_rows(t, &missing, place_missing, tell_missing);
    for (size_t i = 0; i < missing.count; i++) {
        usual += ((const struct lookup *)table_at(&missing, i))->usual;
    }
    note_count(t, usual, "that any program looks for, and most do not find");
    note_count(t, t->rows->expected,
               "times something that it had deleted or renamed itself");
    end_section(t, &t->rows->sought);
    t->page->ops->section(t->page, "found", "Found after misses",
                          "What was not there where it was looked for first, "
                          "and was found, or made, later.",
                          healed_columns, COUNT_OF(healed_columns));
    tell_rows(t, &healed, place_healed, tell_healed);
    end_section(t, &healed);
    table_close(&missing);
    table_close(&healed);
}

/* --- what it changed ------------------------------------------------------------------ */

static const struct {
    enum deed_kind kind;
    const char *words;
} deed_words[] = {
    { DEED_CREATES, "created" },          { DEED_EMPTIES, "emptied" },
    { DEED_WRITES, "written" },           { DEED_SETS, "set" },
    { DEED_RESIZES, "resized" },          { DEED_MAPS, "mapped to be written" },
    { DEED_MARKS, "attributes changed" }, { DEED_LINKS, "linked" },
    { DEED_RENAMES, "renamed" },          { DEED_DELETES, "deleted" },
    { DEED_CONNECTS, "connected" },       { DEED_LISTENS, "listens" },
    { DEED_ACCEPTS, "accepts" },
};

static void put_deeds(struct buf *b, uint32_t deeds)
{
    size_t from = b->size;

    for (size_t i = 0; i < COUNT_OF(deed_words); i++) {
        if (deeds >> deed_words[i].kind & 1) {
            buf_add(b, b->size > from ? STR(", ") : STR(""));
            buf_add(b, str_of(deed_words[i].words));
        }
    }
}

/* It was not there before, and is not there now. */
static bool is_passing(const struct changed *c)
{
    return c->new && c->gone && c->to == LABEL_NONE;
}

static bool place_changed(struct telling_of *t, const void *row,
                          struct order *order)
{
    const struct changed *c = row;

    order->first = (uint64_t)is_passing(c) << 8 | (c->key.b & 0xff);
    order->second = (uint64_t)c->first.ns;
    return c->times > 0 &&
           !habit_is_change(labels_form(t->rows->names, (uint32_t)c->key.a));
}

static void tell_changed(struct telling_of *t, const void *row)
{
    const struct changed *c = row;
    struct buf *b = &t->cells.b;
    size_t from;

    add_text(t, str_of(kind_name(c->key.b)));
    add_number(t, c->bytes);
    add_name(t, (uint32_t)c->key.a);
    from = b->size;
    put_deeds(b, c->deeds);
    if (c->to != LABEL_NONE) {
        buf_add(b, STR(" to "));
        buf_add(b, labels_text(t->rows->names, c->to));
    }
    if ((c->deeds & (1u << DEED_DELETES | 1u << DEED_RENAMES)) != 0 &&
        !c->gone) {
        buf_add(b, STR(", is there again"));
    }
    end_cell(t, from);
    add_first(t, &c->first, false);
}

static void tell_changes(struct telling_of *t)
{
    static const struct column columns[] = {
        { "what", 6, false }, { "bytes", 10, true }, { "name", 40, false },
        { "how", 30, false }, { "first", 0, false },
    };
    uint64_t usual = 0;

    t->page->ops->section(t->page, "changed", "Changed",
                          "Files, keys and values that were made, written, "
                          "renamed or deleted. What is written through a "
                          "mapped view makes no call.",
                          columns, COUNT_OF(columns));
    tell_rows(t, &t->rows->changed, place_changed, tell_changed);
    for (size_t i = 0; i < t->rows->changed.count; i++) {
        const struct changed *c = table_at(&t->rows->changed, i);

        usual +=
            habit_is_change(labels_form(t->rows->names, (uint32_t)c->key.a));
    }
    note_count(t, usual, "that the system changes in any program");
    end_section(t, &t->rows->changed);
}

/* --- whom it talked to -------------------------------------------------------------------- */

static bool place_peer(struct telling_of *t, const void *row,
                       struct order *order)
{
    const struct peer *p = row;

    (void)t;
    order->first = p->kind != SUBJECT_SOCKET;
    order->second = (uint64_t)p->first.ns;
    return true;
}

static void tell_peer(struct telling_of *t, const void *row)
{
    const struct peer *p = row;
    struct buf *b = &t->cells.b;
    size_t from;

    add_text(t, str_of(kind_name(p->kind)));
    add_number(t, p->sent);
    add_number(t, p->received);
    add_name(t, (uint32_t)p->key.a);
    from = b->size;
    put_deeds(b, p->deeds & ~(1u << DEED_WRITES));
    if (p->failed > 0) {
        buf_addf(b, "%s%llu failed: ", b->size > from ? ", " : "",
                 (unsigned long long)p->failed);
        put_status(b, p->status);
    }
    end_cell(t, from);
    add_first(t, &p->first, false);
}

static void tell_peers(struct telling_of *t)
{
    static const struct column columns[] = {
        { "what", 6, false },  { "sent", 10, true }, { "received", 10, true },
        { "with", 40, false }, { "how", 20, false }, { "first", 0, false },
    };

    t->page->ops->section(t->page, "talked", "Talked to",
                          "Sockets, pipes, consoles and other devices, with "
                          "the bytes that went there and came from there.",
                          columns, COUNT_OF(columns));
    tell_rows(t, &t->rows->peers, place_peer, tell_peer);
    end_section(t, &t->rows->peers);
}

/* --- what it started ------------------------------------------------------------------------ */

static void put_end(struct buf *b, const struct process_row *p)
{
    static const char *const words[] = {
        [END_NONE] = "runs on",      [END_EXITED] = "exited with ",
        [END_KILLED] = "killed by ", [END_TERMINATED] = "terminated with ",
        [END_ENDED] = "ended with ", [END_UNTRACED] = "not traced",
    };

    buf_add(b, str_of(words[p->end]));
    if (p->end == END_NONE || p->end == END_UNTRACED) {
        return;
    }
    if (p->end == END_KILLED || p->code >= 0x80000000) {
        put_status(b, p->code);
    } else {
        buf_add_dec(b, p->code);
    }
}

static void tell_process(struct telling_of *t, const struct process_row *p,
                         size_t level)
{
    struct buf *b = &t->cells.b;
    size_t from;

    begin_row(t);
    add_number(t, p->pid);
    add_number(t, p->calls);
    add_number(t, p->errors);
    add_seconds(t, p->end == END_NONE || p->end == END_UNTRACED
                       ? 0
                       : saturate_span(p->began, p->ended));
    from = b->size;
    put_end(b, p);
    end_cell(t, from);
    from = b->size;
    for (size_t i = 0; i < level && i < LEVELS_MOST; i++) {
        buf_add(b, STR("  "));
    }
    buf_add(b, labels_text(t->rows->names, p->image));
    if (p->command != NULL) {
        buf_add(b, STR(": "));
        buf_add(b, (str){ p->command, p->command_size });
    }
    end_cell(t, from);
    t->page->ops->row(t->page, t->cells.cell);
}

/* Children by their parents: the first of each, the next one of the same. */
struct tree {
    uint32_t *first;
    uint32_t *next;
    uint32_t *up;
};

static void tell_tree(struct telling_of *t, const struct tree *tree,
                      size_t count)
{
    uint32_t at = tree->first[count];
    size_t level = 0;
    size_t told = 0;

    /* Deeper, else on, else up and on. */
    while (at != UINT32_MAX) {
        const struct process_row *p = table_at(&t->rows->processes, at);

        if (t->most == 0 || told < t->most) {
            tell_process(t, p, level);
        }
        told++;
        if (tree->first[at] != UINT32_MAX) {
            at = tree->first[at];
            level++;
            continue;
        }
        while (at != UINT32_MAX && tree->next[at] == UINT32_MAX) {
            at = tree->up[at];
            level -= level > 0;
        }
        at = at != UINT32_MAX ? tree->next[at] : at;
    }
    if (t->most > 0 && told > t->most) {
        t->page->ops->more(t->page, told - t->most);
    }
}

static void tell_processes(struct telling_of *t)
{
    static const struct column columns[] = {
        { "pid", 6, true },    { "calls", 9, true },
        { "errors", 8, true }, { "seconds", 10, true },
        { "end", 16, false },  { "program: command", 0, false },
    };
    size_t count = t->rows->processes.count;
    uint32_t *words = malloc((3 * count + 3) * sizeof(*words));
    struct tree tree = { words, words + count + 1, words + 2 * count + 2 };

    t->page->ops->section(t->page, "started", "Started",
                          "Processes, each below the one that started it.",
                          columns, COUNT_OF(columns));
    if (words != NULL) {
        for (size_t i = 0; i < 3 * count + 3; i++) {
            words[i] = UINT32_MAX;
        }
        /* From the last one on, so that the first comes first. A parent is an
         * older row: there is no circle. */
        for (size_t i = count; i-- > 0;) {
            const struct process_row *p = table_at(&t->rows->processes, i);
            size_t of = p->parent < i ? p->parent : count;

            tree.next[i] = tree.first[of];
            tree.first[of] = (uint32_t)i;
            tree.up[i] = of == count ? UINT32_MAX : (uint32_t)of;
        }
        tell_tree(t, &tree, count);
    }
    free(words);
    end_section(t, &t->rows->processes);
}

/* --- where it waited --------------------------------------------------------------------------- */

static bool place_waited(struct telling_of *t, const void *row,
                         struct order *order)
{
    const struct waited *w = row;

    (void)t;
    order->first = falling((uint64_t)w->ns);
    return w->ns >= SECOND / 1000 || w->open > 0;
}

/* Behind what the cell that began at `from` has already. */
static void add_remark(struct buf *b, size_t from, const char *remark)
{
    buf_add(b, b->size > from ? STR(" ") : STR(""));
    buf_add(b, str_of(remark));
}

static void tell_waited(struct telling_of *t, const void *row)
{
    const struct waited *w = row;
    str object = labels_text(t->rows->names, (uint32_t)w->key.a);
    struct buf *b = &t->cells.b;
    size_t from;

    add_seconds(t, w->ns);
    add_number(t, w->times);
    add_seconds(t, w->most_ns);
    add_text(t, labels_text(t->rows->names, (uint32_t)(w->key.a >> 32)));
    from = b->size;
    buf_add(b, object);
    if (w->open > 0 && w->open == w->times) {
        add_remark(b, from, "(to the end)");
    }
    if (w->key.b != 0) {
        add_remark(b, from, "(DELAYED)");
    }
    end_cell(t, from);
    add_first(t, &w->longest, false);
}

static void tell_waits(struct telling_of *t)
{
    static const struct column columns[] = {
        { "seconds", 11, true }, { "times", 8, true }, { "longest", 11, true },
        { "call", 24, false },   { "for", 40, false }, { "longest", 0, false },
    };

    t->page->ops->section(t->page, "waited", "Waited",
                          "Calls that wait by what they are, and others that "
                          "took 10 ms or more; from a millisecond on.",
                          columns, COUNT_OF(columns));
    tell_rows(t, &t->rows->waited, place_waited, tell_waited);
    end_section(t, &t->rows->waited);
}

/* --- what went wrong ----------------------------------------------------------------------------- */

static bool place_wrong(struct telling_of *t, const void *row,
                        struct order *order)
{
    const struct wrong *w = row;

    (void)t;
    order->first = falling(w->times);
    order->second = (uint64_t)w->first.ns;
    return true;
}

static void tell_wrong(struct telling_of *t, const void *row)
{
    const struct wrong *w = row;
    size_t from;

    add_number(t, w->times);
    from = t->cells.b.size;
    put_status(&t->cells.b, (uint32_t)w->key.b);
    if ((w->key.b & WRONG_INJECTED) != 0) {
        add_remark(&t->cells.b, from, "(INJECTED)");
    }
    end_cell(t, from);
    add_name(t, (uint32_t)(w->key.a >> 32));
    add_name(t, (uint32_t)w->key.a);
    add_first(t, &w->first, false);
}

static void tell_wrongs(struct telling_of *t)
{
    static const struct column columns[] = {
        { "times", 6, true }, { "status", 28, false }, { "call", 24, false },
        { "on", 40, false },  { "first", 0, false },
    };

    t->page->ops->section(t->page, "wrong", "Went wrong",
                          "Calls that failed, but for what was not found, and "
                          "what calls answer as a habit; exceptions.",
                          columns, COUNT_OF(columns));
    tell_rows(t, &t->rows->wrong, place_wrong, tell_wrong);
    end_section(t, &t->rows->wrong);
}

/* --- behind ntdll's back ---------------------------------------------------------------------------- */

static bool place_behind(struct telling_of *t, const void *row,
                         struct order *order)
{
    const struct behind *b = row;

    (void)t;
    order->first = b->key.a >> 32;
    order->second = (uint64_t)b->first.ns;
    return true;
}

static void tell_behind(struct telling_of *t, const void *row)
{
    static const char *const words[BEHIND_KINDS] = {
        [BEHIND_DIRECT] = "direct call",
        [BEHIND_INDIRECT] = "indirect call",
        [BEHIND_CALLBACK] = "taken",
        [BEHIND_PATCHES] = "put back",
        [BEHIND_UNLOCKS] = "code made writable",
        [BEHIND_REACHES] = "into another process",
    };
    const struct behind *b = row;
    uint64_t kind = b->key.a >> 32;

    add_number(t, b->times);
    add_text(t, str_of(kind < BEHIND_KINDS ? words[kind] : "?"));
    add_name(t, (uint32_t)b->key.a);
    add_name(t, (uint32_t)b->key.b);
    add_first(t, &b->first, false);
}

static void tell_behinds(struct telling_of *t)
{
    static const struct column columns[] = {
        { "times", 6, true },  { "how", 20, false },
        { "call", 24, false }, { "from, or whom", 40, false },
        { "first", 0, false },
    };

    t->page->ops->section(t->page, "behind", "Behind ntdll's back",
                          "System calls that did not go through ntdll or "
                          "win32u, code of theirs that was changed, and what "
                          "was done to processes that it did not start.",
                          columns, COUNT_OF(columns));
    tell_rows(t, &t->rows->behind, place_behind, tell_behind);
    end_section(t, &t->rows->behind);
}

void answers_tell(const struct answers_rows *r, size_t most, struct page *page)
{
    struct telling_of *t = calloc(1, sizeof(*t));

    if (t == NULL) {
        return;
    }
    t->rows = r;
    t->most = most;
    t->page = page;
    tell_lookups(t);
    tell_changes(t);
    tell_peers(t);
    tell_processes(t);
    tell_waits(t);
    tell_wrongs(t);
    tell_behinds(t);
    free(t);
}

bool answers_remark(const struct answers_rows *r, size_t nth, struct buf *b)
{
    const struct {
        uint64_t count;
        const char *one;
        const char *several;
    } rows[] = {
        { r->lost, " record was lost: not all is known",
          " records were lost: not all is known" },
        { labels_refused(r->names),
          " name found no room: (more) is not one thing, and not all is here",
          " names found no room: (more) is not one thing, and not all is "
          "here" },
        { r->injected, " call has a result of -e inject=: (INJECTED)",
          " calls have results of -e inject=: (INJECTED)" },
        { r->delayed, " call was held up by -e inject=: (DELAYED)",
          " calls were held up by -e inject=: (DELAYED)" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].count > 0 && nth-- == 0) {
            buf_add_dec(b, rows[i].count);
            buf_add(b,
                    str_of(rows[i].count == 1 ? rows[i].one : rows[i].several));
            return true;
        }
    }
    return false;
}
