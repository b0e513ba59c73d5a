/* SPDX-License-Identifier: MIT */
/*
 * summary.c - counting calls.
 *
 * Rows are found by a hash table of indices, which is kept at most half full.
 * Touches only its own memory; what finds none is counted all the same, in
 * the row "(more)".
 */
#include "format/summary.h"

#include "base/array.h"
#include "base/chars.h"
#include "base/compiler.h"
#include "base/keyed.h"
#include "format/pieces.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define SECOND_NS 1000000000u
#define FIRST_ROWS 64u
#define SLOTS_PER_ROW 2u
/* Names of calls are far shorter. */
#define NAME_MOST 200u
/* Of a program's. */
#define IMAGE_MOST 260u

struct row {
    char *name;  // owned; but for that of "(more)"
    uint32_t name_size;
    uint32_t pid;  // by thread, or process
    uint32_t tid;
    uint64_t process;  // the same; as sink_head has it
    char *image;       // by process; owned
    uint32_t image_size;
    bool waits;
    uint64_t calls;
    uint64_t errors;
    uint64_t timed;  // calls that have a time
    uint64_t ns;     // of them; sum, least, most
    uint64_t min_ns;
    uint64_t max_ns;
};

struct summary {
    struct sink sink;  // first
    struct summary_options options;
    struct row *rows;
    uint32_t count;
    uint32_t room;
    uint32_t *slots;  // index + 1 of a row; 0: empty. SLOTS_PER_ROW * room
    struct row more;
    struct row *now;  // of the call that is being told
    enum sink_part part;
};

static struct summary *summary_of(struct sink *s)
{
    return (struct summary *)(void *)s;
}

/* --- Rows ------------------------------------------------------------- */

/* Whose calls a row counts; all zeros: everybody's. */
struct whose {
    uint32_t pid;
    uint32_t tid;
    uint64_t process;
};

static struct whose whose_of(const struct row *row)
{
    return (struct whose){ row->pid, row->tid, row->process };
}

static bool is_same(struct whose a, struct whose b)
{
    return a.pid == b.pid && a.tid == b.tid && a.process == b.process;
}

static uint32_t hash_of(str name, struct whose w)
{
    uint64_t of_name = keyed_bytes(name.p, name.size);

    return (uint32_t)of_name ^
           keyed_pair(w.process, (uint64_t)w.pid << 32 | w.tid);
}

static str row_name(const struct row *row)
{
    return (str){ row->name, row->name_size };
}

/* Where the row is, or the empty place where it would be. */
static uint32_t *slot_of(struct summary *s, str name, struct whose w)
{
    uint32_t mask = s->room * SLOTS_PER_ROW - 1;
    uint32_t at = hash_of(name, w) & mask;

    while (s->slots[at] != 0) {
        const struct row *row = &s->rows[s->slots[at] - 1];

        if (is_same(whose_of(row), w) && str_eq(row_name(row), name)) {
            break;
        }
        at = (at + 1) & mask;
    }
    return &s->slots[at];
}

/* Room for one row more; false without memory, or at the most. */
static bool make_room(struct summary *s)
{
    uint32_t room = s->room > 0 ? s->room * 2 : FIRST_ROWS;
    struct row *rows;
    uint32_t *slots;

    if (s->count < s->room) {
        return true;
    }
    if (s->room >= SUMMARY_ROWS_MAX) {
        return false;
    }
    slots = calloc((size_t)room * SLOTS_PER_ROW, sizeof(*slots));
    rows = realloc(s->rows, room * sizeof(*rows));
    if (rows) {
        s->rows = rows;
    }
    if (!rows || !slots) {
        free(slots);
        return false;
    }
    free(s->slots);
    s->slots = slots;
    s->room = room;
    for (uint32_t i = 0; i < s->count; i++) {
        *slot_of(s, row_name(&rows[i]), whose_of(&rows[i])) = i + 1;
    }
    return true;
}

/* Names of calls and files, kept; NULL without memory. */
static char *keep(str s)
{
    char *copy = malloc(s.size + 1);

    if (copy) {
        memcpy(copy, s.p, s.size);
    }
    return copy;
}

static struct row *row_of(struct summary *s, str name, struct whose w,
                          str image)
{
    uint32_t *slot;
    struct row *row;
    char *copy;
    char *image_copy;

    name = str_slice(name, 0, NAME_MOST);
    if (s->room > 0) {
        slot = slot_of(s, name, w);
        if (*slot != 0) {
            return &s->rows[*slot - 1];
        }
    }
    if (!make_room(s)) {
        return &s->more;
    }
    copy = keep(name);
    image = str_slice(image, 0, IMAGE_MOST);
    image_copy = image.size > 0 ? keep(image) : NULL;
    if (!copy) {
        free(image_copy);
        return &s->more;
    }
    slot = slot_of(s, name, w);
    row = &s->rows[s->count++];
    *slot = s->count;
    *row = (struct row){ .name = copy,
                         .name_size = (uint32_t)name.size,
                         .pid = w.pid,
                         .tid = w.tid,
                         .process = w.process,
                         .image = image_copy,
                         .image_size = image_copy ? (uint32_t)image.size : 0 };
    return row;
}

/* --- The sink --------------------------------------------------------- */

static void on_call_begin(struct sink *sink, const struct sink_head *head,
                          str name, enum sink_part part)
{
    struct summary *s = summary_of(sink);
    struct whose w = { 0, 0, 0 };
    str image = STR("");

    if (s->options.by == SUMMARY_BY_THREAD) {
        w = (struct whose){ head->pid, head->tid, head->process };
    } else if (s->options.by == SUMMARY_BY_PROCESS) {
        w = (struct whose){ head->pid, 0, head->process };
        image = head->image;
    }
    s->now = row_of(s, name, w, image);
    s->part = part;
}

static void on_call_end(struct sink *sink, const struct sink_end *end)
{
    struct summary *s = summary_of(sink);
    struct row *row = s->now;

    if (!row) {
        return;
    }
    s->now = NULL;
    if (s->part != PART_RETURN) {
        row->calls++;
    }
    /* The row of all that found no place is no wait. */
    row->waits = row != &s->more && (row->waits || end->waits);
    if (s->part == PART_ENTRY) {
        return;
    }
    row->errors += end->failed;
    if (end->took != TOOK_TIME) {
        return;
    }
    if (row->timed == 0 || end->ns < row->min_ns) {
        row->min_ns = end->ns;
    }
    if (end->ns > row->max_ns) {
        row->max_ns = end->ns;
    }
    row->timed++;
    row->ns += end->ns;
}

static void ignore(struct sink *s)
{
    (void)s;
}

static void ignore_arg(struct sink *s, str name, const uint64_t *raw)
{
    (void)s;
    (void)name;
    (void)raw;
}

static void ignore_result(struct sink *s, const uint64_t *raw)
{
    (void)s;
    (void)raw;
}

static void ignore_note(struct sink *s, const struct sink_note *note)
{
    (void)s;
    (void)note;
}

static void ignore_dump(struct sink *s, bool written, const uint8_t *bytes,
                        size_t size, bool cut)
{
    (void)cut;
    (void)s;
    (void)written;
    (void)bytes;
    (void)size;
}

static void ignore_stack(struct sink *s, const struct sink_stack *stack)
{
    (void)s;
    (void)stack;
}

static void ignore_number(struct sink *s, enum number_form form, uint64_t value)
{
    (void)s;
    (void)form;
    (void)value;
}

static void ignore_status(struct sink *s, uint32_t status)
{
    (void)s;
    (void)status;
}

static void ignore_constant(struct sink *s, const struct sink_constant *c)
{
    (void)s;
    (void)c;
}

static void ignore_handle(struct sink *s, uint64_t value, str pseudo,
                          const struct object *object)
{
    (void)s;
    (void)value;
    (void)pseudo;
    (void)object;
}

static void ignore_text(struct sink *s, const struct sink_text *text)
{
    (void)s;
    (void)text;
}

static void ignore_data(struct sink *s, const uint8_t *bytes, size_t size,
                        bool cut)
{
    (void)s;
    (void)bytes;
    (void)size;
    (void)cut;
}

static void ignore_units(struct sink *s, int64_t units)
{
    (void)s;
    (void)units;
}

static void ignore_words(struct sink *s, str words)
{
    (void)s;
    (void)words;
}

static void ignore_place(struct sink *s, const struct place *place)
{
    (void)s;
    (void)place;
}

static void ignore_group(struct sink *s, enum sink_group group)
{
    (void)s;
    (void)group;
}

static void ignore_transition(struct sink *s, const struct sink_head *head,
                              str kind, const uint32_t *status)
{
    (void)s;
    (void)head;
    (void)kind;
    (void)status;
}

static void ignore_notice(struct sink *s, const struct sink_head *head,
                          const struct notice *notice)
{
    (void)s;
    (void)head;
    (void)notice;
}

static const struct sink_ops summary_ops = {
    .call_begin = on_call_begin,
    .arg = ignore_arg,
    .more = ignore,
    .result = ignore_result,
    .note = ignore_note,
    .dump = ignore_dump,
    .stack = ignore_stack,
    .call_end = on_call_end,
    .unknown = ignore,
    .nothing = ignore,
    .null = ignore,
    .number = ignore_number,
    .status = ignore_status,
    .constant = ignore_constant,
    .handle = ignore_handle,
    .text = ignore_text,
    .data = ignore_data,
    .time = ignore_units,
    .duration = ignore_units,
    .comment = ignore_words,
    .symbol = ignore_words,
    .place = ignore_place,
    .begin = ignore_group,
    .end = ignore_group,
    .transition_begin = ignore_transition,
    .transition_end = ignore,
    .notice = ignore_notice,
};

struct summary *summary_open(const struct summary_options *options)
{
    static char more[] = "(more)";
    struct summary *s = calloc(1, sizeof(*s));

    if (!s) {
        return NULL;
    }
    s->sink.ops = &summary_ops;
    s->options = *options;
    s->more = (struct row){ .name = more, .name_size = sizeof(more) - 1 };
    return s;
}

void summary_close(struct summary *s)
{
    if (!s) {
        return;
    }
    for (uint32_t i = 0; i < s->count; i++) {
        free(s->rows[i].name);
        free(s->rows[i].image);
    }
    free(s->rows);
    free(s->slots);
    free(s);
}

struct sink *summary_sink(struct summary *s)
{
    return &s->sink;
}

/* --- The table -------------------------------------------------------- */

/* A row and what it is sorted by: group up, then key down, then name up. */
struct place_of_row {
    const struct row *row;
    uint64_t key;
    uint32_t group;  // when its thread, or process, came
};

struct output {
    void (*write)(void *ctx, str line);
    void *ctx;
};

static uint64_t average_ns(const struct row *row)
{
    return row->timed > 0 ? row->ns / row->timed : 0;
}

/* What has no time at all comes behind what took none. */
static uint64_t time_key(const struct row *row, uint64_t ns)
{
    return row->timed > 0 ? ns + 1 : 0;
}

static uint64_t key_of(const struct summary *s, const struct row *row,
                       uint32_t index)
{
    switch (s->options.sort) {
    case SUMMARY_TIME:
        return time_key(row, row->ns);
    case SUMMARY_CALLS:
        return row->calls;
    case SUMMARY_ERRORS:
        return row->errors;
    case SUMMARY_MIN:
        return time_key(row, row->min_ns);
    case SUMMARY_MAX:
        return time_key(row, row->max_ns);
    case SUMMARY_AVERAGE:
        return time_key(row, average_ns(row));
    case SUMMARY_NOTHING:
        return UINT64_MAX - index;
    case SUMMARY_NAME:
        break;
    }
    return 0;
}

static int by_group_key_name(const void *a, const void *b)
{
    const struct place_of_row *x = a;
    const struct place_of_row *y = b;

    if (x->group != y->group) {
        return x->group < y->group ? -1 : 1;
    }
    if (x->key != y->key) {
        return x->key > y->key ? -1 : 1;
    }
    return str_cmp(row_name(x->row), row_name(y->row));
}

static void add_right(struct buf *b, str s, size_t width)
{
    for (size_t n = s.size; n < width; n++) {
        buf_add_char(b, ' ');
    }
    buf_add(b, s);
}

static void add_number(struct buf *b, uint64_t n, size_t width)
{
    char room[24];
    struct buf digits = BUF_OVER(room);

    buf_add_dec(&digits, n);
    add_right(b, buf_str(&digits), width);
}

static void add_seconds(struct buf *b, uint64_t ns)
{
    char room[40];
    struct buf digits = BUF_OVER(room);

    buf_add_dec(&digits, ns / SECOND_NS);
    buf_add_char(&digits, '.');
    pieces_add_padded(&digits, ns % SECOND_NS / 1000, 6);
    add_right(b, buf_str(&digits), 11);
}

/* " 12.34", rounded. */
static void add_share(struct buf *b, uint64_t ns, uint64_t all)
{
    char room[24];
    struct buf digits = BUF_OVER(room);
    uint64_t share = 0;

    while (all > UINT64_MAX / 20000) {
        ns >>= 1;
        all >>= 1;
    }
    if (all > 0) {
        share = (ns * 10000 + all / 2) / all;
    }
    buf_add_dec(&digits, share / 100);
    buf_add_char(&digits, '.');
    pieces_add_padded(&digits, share % 100, 2);
    add_right(b, buf_str(&digits), 6);
}

static void write_rule(const struct output *out)
{
    out->write(out->ctx,
               STR("------ ----------- ----------- ----------- ----------- "
                   "--------- --------- ----------------\n"));
}

/* `all`: the time of which it has a share; NULL: it has none. */
static void add_times(struct buf *b, const struct row *row, const uint64_t *all)
{
    if (all) {
        add_share(b, row->ns, *all);
    } else {
        add_right(b, STR(""), 6);
    }
    buf_add_char(b, ' ');
    add_seconds(b, row->ns);
    buf_add_char(b, ' ');
    add_number(b, average_ns(row) / 1000, 11);
    buf_add_char(b, ' ');
    add_seconds(b, row->min_ns);
    buf_add_char(b, ' ');
    add_seconds(b, row->max_ns);
}

/* The same columns of calls of which none was timed. */
static void add_untimed(struct buf *b, bool has_share)
{
    add_right(b, has_share ? STR("?") : STR(""), 6);
    for (int column = 0; column < 4; column++) {
        buf_add_char(b, ' ');
        add_right(b, STR("?"), 11);
    }
}

static void write_row(const struct output *out, const struct row *row,
                      const uint64_t *all)
{
    char room[NAME_MOST + 256];
    struct buf b = BUF_OVER(room);

    if (row->timed == 0 && row->calls > 0) {
        add_untimed(&b, all != NULL);
    } else {
        add_times(&b, row, all);
    }
    buf_add_char(&b, ' ');
    add_number(&b, row->calls, 9);
    buf_add_char(&b, ' ');
    if (row->errors > 0) {
        add_number(&b, row->errors, 9);
    } else {
        add_right(&b, STR(""), 9);
    }
    buf_add_char(&b, ' ');
    buf_add(&b, row_name(row));
    buf_add_char(&b, '\n');
    out->write(out->ctx, buf_str(&b));
}

static void add_to_total(struct row *total, const struct row *row)
{
    if (row->timed > 0) {
        if (total->timed == 0 || row->min_ns < total->min_ns) {
            total->min_ns = row->min_ns;
        }
        if (row->max_ns > total->max_ns) {
            total->max_ns = row->max_ns;
        }
    }
    total->timed += row->timed;
    total->ns += row->ns;
    total->calls += row->calls;
    total->errors += row->errors;
}

/* The rows that are waits, or those that are not. */
static void write_table(const struct output *out,
                        const struct place_of_row *rows, size_t count,
                        bool waits)
{
    static char total_name[] = "total";
    struct row total = { .name = total_name,
                         .name_size = sizeof(total_name) - 1 };

    for (size_t i = 0; i < count; i++) {
        if (rows[i].row->waits == waits) {
            add_to_total(&total, rows[i].row);
        }
    }
    out->write(out->ctx,
               waits ? STR("waits      seconds  usecs/call         min         "
                           "max     calls    errors syscall\n")
                     : STR("% time     seconds  usecs/call         min         "
                           "max     calls    errors syscall\n"));
    write_rule(out);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].row->waits == waits) {
            write_row(out, rows[i].row, waits ? NULL : &total.ns);
        }
    }
    write_rule(out);
    write_row(out, &total, waits ? NULL : &total.ns);
}

static void write_tables(const struct output *out,
                         const struct place_of_row *rows, size_t count)
{
    size_t waits = 0;

    for (size_t i = 0; i < count; i++) {
        waits += rows[i].row->waits;
    }
    if (waits < count || count == 0) {
        write_table(out, rows, count, false);
    }
    if (waits > 0) {
        if (waits < count) {
            out->write(out->ctx, STR("\n"));
        }
        write_table(out, rows, count, true);
    }
}

/* Gives each row the index of its thread's, or process', first row. Without memory each row
 * is a group of its own. */
static void find_groups(const struct summary *s, struct place_of_row *rows,
                        uint32_t count)
{
    uint32_t size = 1;
    uint32_t *firsts;

    while (size < 2 * count) {
        size *= 2;
    }
    firsts = calloc(size, sizeof(*firsts));
    for (uint32_t i = 0; i < count; i++) {
        const struct row *row = rows[i].row;
        uint32_t at = hash_of(STR(""), whose_of(row)) * 2654435761u;

        rows[i].group = i;
        if (!firsts || row == &s->more) {
            continue;
        }
        for (at &= size - 1; firsts[at] != 0; at = (at + 1) & (size - 1)) {
            const struct row *first = rows[firsts[at] - 1].row;

            if (is_same(whose_of(first), whose_of(row))) {
                break;
            }
        }
        if (firsts[at] == 0) {
            firsts[at] = i + 1;
        }
        rows[i].group = firsts[at] - 1;
    }
    free(firsts);
}

static str row_image(const struct row *row)
{
    return row->image ? (str){ row->image, row->image_size } : STR("");
}

static void write_whose(const struct summary *s, const struct output *out,
                        const struct row *row)
{
    char room[IMAGE_MOST * 6 + 40];
    struct buf b = BUF_OVER(room);

    buf_add_dec(&b, row->pid);
    if (s->options.by == SUMMARY_BY_THREAD) {
        buf_add_char(&b, '.');
        buf_add_dec(&b, row->tid);
    } else if (row->image) {
        buf_add_char(&b, '<');
        chars_add_visible(&b, row_image(row));
        buf_add_char(&b, '>');
    }
    buf_add(&b, STR(":\n"));
    out->write(out->ctx, buf_str(&b));
}

static void write_groups(const struct summary *s, const struct output *out,
                         const struct place_of_row *rows, uint32_t count)
{
    uint32_t from = 0;
    uint32_t to;

    for (from = 0; from < count; from = to) {
        to = from;
        while (to < count && rows[to].group == rows[from].group) {
            to++;
        }
        if (from > 0) {
            out->write(out->ctx, STR("\n"));
        }
        if (rows[from].row != &s->more) {
            write_whose(s, out, rows[from].row);
        }
        write_tables(out, rows + from, to - from);
    }
}

/* All rows in the order in which they are written; owned, *count of them. NULL
 * without memory. */
static struct place_of_row *sorted(const struct summary *s, uint32_t *count)
{
    struct place_of_row *rows;

    *count = s->count + (s->more.calls > 0);
    rows = calloc((size_t)*count + 1, sizeof(*rows));
    if (!rows) {
        return NULL;
    }
    for (uint32_t i = 0; i < *count; i++) {
        rows[i].row = i < s->count ? &s->rows[i] : &s->more;
        rows[i].key = key_of(s, rows[i].row, i);
    }
    if (s->options.by != SUMMARY_BY_NAME) {
        find_groups(s, rows, *count);
    }
    array_sort(rows, *count, sizeof(*rows), by_group_key_name);
    return rows;
}

void summary_write(const struct summary *s, void (*write)(void *ctx, str line),
                   void *ctx)
{
    struct output out = { write, ctx };
    uint32_t count;
    struct place_of_row *rows = sorted(s, &count);

    if (!rows) {
        for (uint32_t i = 0; i < s->count; i++) {
            write_row(&out, &s->rows[i], NULL);
        }
        return;
    }
    if (s->options.by != SUMMARY_BY_NAME && count > 0) {
        write_groups(s, &out, rows, count);
    } else {
        write_tables(&out, rows, count);
    }
    free(rows);
}

void summary_write_rows(const struct summary *s,
                        void (*row)(void *ctx, const struct summary_row *row),
                        void *ctx)
{
    uint32_t count;
    struct place_of_row *rows = sorted(s, &count);

    for (uint32_t i = 0; i < (rows ? count : s->count); i++) {
        const struct row *of = rows ? rows[i].row : &s->rows[i];

        row(ctx, &(struct summary_row){ .name = row_name(of),
                                        .pid = of->pid,
                                        .tid = of->tid,
                                        .image = row_image(of),
                                        .waits = of->waits,
                                        .calls = of->calls,
                                        .errors = of->errors,
                                        .timed = of->timed,
                                        .ns = of->ns,
                                        .min_ns = of->min_ns,
                                        .max_ns = of->max_ns });
    }
    free(rows);
}

/* --- Columns ---------------------------------------------------------- */

static const struct {
    const char *name;
    enum summary_column column;
} columns[] = {
    { "time", SUMMARY_TIME },
    { "time-percent", SUMMARY_TIME },
    { "time-total", SUMMARY_TIME },
    { "total-time", SUMMARY_TIME },
    { "seconds", SUMMARY_TIME },
    { "calls", SUMMARY_CALLS },
    { "count", SUMMARY_CALLS },
    { "errors", SUMMARY_ERRORS },
    { "error", SUMMARY_ERRORS },
    { "name", SUMMARY_NAME },
    { "syscall", SUMMARY_NAME },
    { "syscall-name", SUMMARY_NAME },
    { "min", SUMMARY_MIN },
    { "min-time", SUMMARY_MIN },
    { "time-min", SUMMARY_MIN },
    { "shortest", SUMMARY_MIN },
    { "max", SUMMARY_MAX },
    { "max-time", SUMMARY_MAX },
    { "time-max", SUMMARY_MAX },
    { "longest", SUMMARY_MAX },
    { "avg", SUMMARY_AVERAGE },
    { "avg-time", SUMMARY_AVERAGE },
    { "time-avg", SUMMARY_AVERAGE },
    { "average", SUMMARY_AVERAGE },
    { "usecs/call", SUMMARY_AVERAGE },
    { "nothing", SUMMARY_NOTHING },
    { "none", SUMMARY_NOTHING },
};

static bool same_word(str a, str b)
{
    if (a.size != b.size) {
        return false;
    }
    for (size_t i = 0; i < a.size; i++) {
        if (b.p[i] != (a.p[i] == '_' ? '-' : a.p[i])) {
            return false;
        }
    }
    return true;
}

bool summary_column_find(str name, enum summary_column *out)
{
    for (size_t i = 0; i < COUNT_OF(columns); i++) {
        if (same_word(name, str_of(columns[i].name))) {
            *out = columns[i].column;
            return true;
        }
    }
    return false;
}
