/* SPDX-License-Identifier: MIT */
/*
 * counts.c - sums by name and by number. Touches nothing but its own memory; what
 * finds none is counted with the others.
 */
#include "top/counts.h"

#include "base/array.h"
#include "decode/decode.h"
#include "report/labels.h"
#include "report/subject.h"
#include "report/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* Rows of a kind. */
struct board {
    struct table rows;  // of struct counts_row
    struct labels *names;
    struct counts_row other;
    uint64_t put_together;
};

struct counts {
    size_t most;
    struct counts_row all;
    struct board boards[COUNTS_KINDS];
    struct subject_room room;
};

/* --- opened and closed --- */

static bool open_board(struct board *b, size_t most)
{
    table_init(&b->rows, sizeof(struct counts_row), most);
    b->names = labels_open();
    return b->names != NULL;
}

static void close_board(struct board *b)
{
    table_close(&b->rows);
    labels_close(b->names);
    b->names = NULL;
}

struct counts *counts_open(size_t most)
{
    struct counts *c = calloc(1, sizeof(*c));
    bool ok = c != NULL;

    for (int i = 0; ok && i < COUNTS_KINDS; i++) {
        ok = open_board(&c->boards[i], most);
    }
    if (!ok) {
        counts_close(c);
        return NULL;
    }
    c->most = most;
    return c;
}

void counts_close(struct counts *c)
{
    for (int i = 0; c != NULL && i < COUNTS_KINDS; i++) {
        close_board(&c->boards[i]);
    }
    free(c);
}

/* --- sums --- */

static struct counts_row *row_at(const struct board *b, size_t at)
{
    return table_at(&b->rows, at);
}

static void add(struct counts_sum *to, const struct counts_sum *more)
{
    to->calls += more->calls;
    to->errors += more->errors;
    to->ns += more->ns;
    to->wait_ns += more->wait_ns;
}

static void tick(struct counts_row *row)
{
    row->last = (struct counts_sum){
        .calls = row->now.calls - row->total.calls,
        .errors = row->now.errors - row->total.errors,
        .ns = row->now.ns - row->total.ns,
        .wait_ns = row->now.wait_ns - row->total.wait_ns,
    };
    row->total = row->now;
}

void counts_tick(struct counts *c)
{
    tick(&c->all);
    for (int i = 0; i < COUNTS_KINDS; i++) {
        struct board *b = &c->boards[i];

        tick(&b->other);
        for (size_t at = 0; at < b->rows.count; at++) {
            tick(row_at(b, at));
        }
    }
}

void counts_tick_all(struct counts *c)
{
    c->all.total = (struct counts_sum){ .calls = 0 };
    for (int i = 0; i < COUNTS_KINDS; i++) {
        struct board *b = &c->boards[i];

        b->other.total = (struct counts_sum){ .calls = 0 };
        for (size_t at = 0; at < b->rows.count; at++) {
            row_at(b, at)->total = (struct counts_sum){ .calls = 0 };
        }
    }
    counts_tick(c);
}

/* --- too many of them --- */

static int by_calls(const void *a, const void *b)
{
    const struct counts_row *x = *(const struct counts_row *const *)a;
    const struct counts_row *y = *(const struct counts_row *const *)b;

    return x->now.calls != y->now.calls ? x->now.calls < y->now.calls ? 1 : -1
                                        : 0;
}

static void put_together(struct board *b, const struct counts_row *row)
{
    add(&b->other.now, &row->now);
    add(&b->other.total, &row->total);
    add(&b->other.last, &row->last);
    b->put_together++;
}

/* The same row on another board, whose names have other numbers. */
static bool move(struct board *to, const struct board *from, bool by_name,
                 const struct counts_row *row)
{
    uint32_t name = labels_add(to->names, labels_text(from->names, row->name));
    struct table_key key = row->key;
    struct counts_row *moved;

    key.a = by_name ? name : key.a;
    moved = name != LABEL_NONE ? table_row(&to->rows, key) : NULL;
    if (moved == NULL) {
        return false;
    }
    *moved = *row;
    moved->key = key;
    moved->name = name;
    return true;
}

/* Keeps the half of them that has most calls. Without memory all stays as it
 * is. */
static void fold(struct board *b, size_t most, bool by_name)
{
    size_t count = b->rows.count;
    const struct counts_row **sorted = calloc(count + 1, sizeof(*sorted));
    struct board kept = { .put_together = 0 };

    if (sorted == NULL || !open_board(&kept, most)) {
        free(sorted);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        sorted[i] = row_at(b, i);
    }
    array_sort(sorted, count, sizeof(*sorted), by_calls);
    kept.other = b->other;
    kept.put_together = b->put_together;
    for (size_t i = 0; i < count; i++) {
        if (i >= count / 2 || !move(&kept, b, by_name, sorted[i])) {
            put_together(&kept, sorted[i]);
        }
    }
    free(sorted);
    close_board(b);
    *b = kept;
}

/* --- rows --- */

/* Finds the row, or makes it; b->other if there is no room. `name` is that of the
 * row by name; else of its program. */
static struct counts_row *row_of(struct counts *c, enum counts_by by,
                                 struct table_key key, str name)
{
    struct board *b = &c->boards[by];
    bool by_name = by == COUNTS_BY_CALL || by == COUNTS_BY_FILE;
    struct counts_row *row = by_name ? NULL : table_find(&b->rows, key);
    uint32_t label;

    if (row != NULL) {
        return row;
    }
    label = labels_add(b->names, name);
    key.a = by_name ? label : key.a;
    row = label != LABEL_NONE ? table_find(&b->rows, key) : NULL;
    if (row != NULL) {
        return row;
    }
    if (label == LABEL_NONE || b->rows.count >= c->most) {
        fold(b, c->most, by_name);
        label = labels_add(b->names, name);
        key.a = by_name ? label : key.a;
    }
    row = label != LABEL_NONE ? table_row(&b->rows, key) : NULL;
    if (row == NULL) {
        return &b->other;
    }
    row->name = label;
    return row;
}

/* --- calls --- */

static struct counts_sum sum_of(const struct clock *clock,
                                const struct call *call)
{
    struct counts_sum sum = { .calls = 1, .errors = tally_failed(call) };
    int64_t took;

    tally_ns(clock, call, &took);
    if (took > 0) {
        *(tally_waits(call) ? &sum.wait_ns : &sum.ns) = (uint64_t)took;
    }
    return sum;
}

static void add_process(struct counts *c, const struct call *call,
                        const struct counts_sum *sum)
{
    str image = model_process_image(call->process);
    struct table_key process = { tally_process(call), 0 };
    struct table_key thread = { process.a, call->tid };
    struct counts_row *row = row_of(c, COUNTS_BY_PROCESS, process, image);

    row->pid = call->pid;
    add(&row->now, sum);
    row = row_of(c, COUNTS_BY_THREAD, thread, image);
    row->pid = call->pid;
    add(&row->now, sum);
}

/* Of what has none a subject says the type. */
static bool has_name(const struct subject *s)
{
    return s->name.size > 0 && (s->object == NULL || s->object->name.size > 0 ||
                                s->object->path.size > 0);
}

void counts_leave(struct counts *c, const struct clock *clock,
                  const struct call *call)
{
    const struct counts_sum sum = sum_of(clock, call);
    const struct table_key no_key = { 0, 0 };
    char room[DECODE_NAME_ROOM];
    struct buf words = BUF_OVER(room);
    struct subject s = { .name = STR("") };

    add(&c->all.now, &sum);
    add(&row_of(c, COUNTS_BY_CALL, no_key, decoder_call_name(call, &words))
             ->now,
        &sum);
    add_process(c, call, &sum);
    if (!call->replaced && subject_any(call, &c->room, &s) && has_name(&s)) {
        add(&row_of(c, COUNTS_BY_FILE, no_key, s.name)->now, &sum);
    }
}

/* --- to be shown --- */

const struct counts_row *counts_all(const struct counts *c)
{
    return &c->all;
}

const struct counts_row *counts_other(const struct counts *c, enum counts_by by,
                                      uint64_t *rows)
{
    *rows = c->boards[by].put_together;
    return &c->boards[by].other;
}

str counts_name(const struct counts *c, enum counts_by by,
                const struct counts_row *row)
{
    return labels_text(c->boards[by].names, row->name);
}

size_t counts_rows(const struct counts *c, enum counts_by by)
{
    const struct board *b = &c->boards[by];
    size_t rows = 0;

    for (size_t i = 0; i < b->rows.count; i++) {
        rows += row_at(b, i)->total.calls > 0;
    }
    return rows;
}

/* A row and what it is sorted by: key down, then calls down, then name and numbers
 * up. */
struct place_of_row {
    const struct counts_row *row;
    uint64_t key;
    str name;
};

static uint64_t key_of(const struct counts_row *row, enum counts_order order)
{
    switch (order) {
    case ORDER_RATE:
        return row->last.calls;
    case ORDER_ERROR_RATE:
        return row->last.errors;
    case ORDER_TIME_RATE:
        return row->last.ns;
    case ORDER_WAIT_RATE:
        return row->last.wait_ns;
    case ORDER_CALLS:
        return row->total.calls;
    case ORDER_ERRORS:
        return row->total.errors;
    case ORDER_TIME:
        return row->total.ns;
    case ORDER_WAITS:
        return row->total.wait_ns;
    case ORDER_NAME:
    case COUNTS_ORDERS:
        break;
    }
    return 0;
}

static int compare_u64(uint64_t a, uint64_t b)
{
    return a != b ? a < b ? -1 : 1 : 0;
}

/* By thread and process the name is a number first of all. */
static int by_name(const void *a, const void *b)
{
    const struct place_of_row *x = a;
    const struct place_of_row *y = b;
    int order = compare_u64(x->row->pid, y->row->pid);

    if (order == 0 && x->row->pid != 0) {
        order = compare_u64(x->row->key.a, y->row->key.a);
    }
    if (order == 0) {
        order = compare_u64(x->row->key.b, y->row->key.b);
    }
    return order != 0 ? order : str_cmp(x->name, y->name);
}

static int by_key(const void *a, const void *b)
{
    const struct place_of_row *x = a;
    const struct place_of_row *y = b;
    int order = compare_u64(y->key, x->key);

    if (order == 0) {
        order = compare_u64(y->row->total.calls, x->row->total.calls);
    }
    return order != 0 ? order : by_name(a, b);
}

size_t counts_list(const struct counts *c, enum counts_by by,
                   enum counts_order order, bool reverse,
                   const struct counts_row **out, size_t room)
{
    const struct board *b = &c->boards[by];
    struct place_of_row *places = calloc(b->rows.count + 1, sizeof(*places));
    size_t count = 0;

    for (size_t i = 0; places != NULL && i < b->rows.count; i++) {
        const struct counts_row *row = row_at(b, i);

        if (row->total.calls > 0) {
            places[count++] =
                (struct place_of_row){ row, key_of(row, order),
                                       labels_text(b->names, row->name) };
        }
    }
    if (count > 0) {
        array_sort(places, count, sizeof(*places),
                   order == ORDER_NAME ? by_name : by_key);
    }
    room = room < count ? room : count;
    for (size_t i = 0; i < room; i++) {
        out[i] = places[reverse ? count - 1 - i : i].row;
    }
    free(places);
    return room;
}
