/* SPDX-License-Identifier: MIT */
/*
 * picks.c - the choice, and the calls chosen: numbers in columns, texts deflated as
 * they come.
 */
#include "report/picks.h"

#include "base/chars.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* A call that an answer names. */
struct named {
    struct table_key key;  // pid << 32 | tid, ns
};

struct picks {
    const struct answers_rows *rows;  // borrowed
    const struct tally *tally;        // borrowed
    const struct clock *clock;        // borrowed
    struct html *html;                // borrowed, from picks_begin on
    struct packed *texts;
    struct table named;
    uint64_t failed_seen;
    unsigned long_step;  // of tally->longest: from there on all
    uint64_t quota;      // of each thread
    uint64_t *seen;      // owned: calls of each thread so far
    struct picks_counts counts;
    bool flag_named;  // of the call that was asked for last
    size_t count;
    /* Columns, owned. */
    double *start;
    float *took;
    uint32_t *thread;
    uint32_t *name;
    uint32_t *thing;
    uint32_t *status;
    uint8_t *flags;
    struct subject_room room;
};

/* --- the choice ---------------------------------------------------------------------- */

static void name_call(struct picks *p, const struct first *f)
{
    struct table_key key = { (uint64_t)f->pid << 32 | f->tid, (uint64_t)f->ns };

    if (f->tid != 0) {
        table_row(&p->named, key);
    }
}

static void name_calls(struct picks *p)
{
    const struct answers_rows *r = p->rows;

    for (size_t i = 0; i < r->behind.count; i++) {
        name_call(p, &((struct behind *)table_at(&r->behind, i))->first);
    }
    for (size_t i = 0; i < r->sought.count; i++) {
        name_call(p, &((struct sought *)table_at(&r->sought, i))->first);
    }
    for (size_t i = 0; i < r->changed.count; i++) {
        name_call(p, &((struct changed *)table_at(&r->changed, i))->first);
    }
    for (size_t i = 0; i < r->peers.count; i++) {
        name_call(p, &((struct peer *)table_at(&r->peers, i))->first);
    }
    for (size_t i = 0; i < r->waited.count; i++) {
        name_call(p, &((struct waited *)table_at(&r->waited, i))->longest);
    }
    for (size_t i = 0; i < r->wrong.count; i++) {
        name_call(p, &((struct wrong *)table_at(&r->wrong, i))->first);
    }
}

static unsigned choose_long(const struct tally *t)
{
    size_t step = COUNT_OF(t->longest);
    uint64_t count = 0;

    while (step > 0 && count + t->longest[step - 1] <= PICKS_LONG) {
        count += t->longest[--step];
    }
    return (unsigned)step;
}

static uint64_t calls_at(const struct tally *t, size_t i)
{
    return ((struct tally_thread *)table_at(&t->threads, i))->calls;
}

/* The largest share of each thread with which all fit into `room`. */
static uint64_t choose_quota(const struct tally *t, uint64_t room)
{
    uint64_t low = 0;
    uint64_t high = room;

    while (low < high) {
        uint64_t mid = low + (high - low + 1) / 2;
        uint64_t sum = 0;

        for (size_t i = 0; i < t->threads.count && sum <= room; i++) {
            sum += calls_at(t, i) < mid ? calls_at(t, i) : mid;
        }
        if (sum <= room) {
            low = mid;
        } else {
            high = mid - 1;
        }
    }
    return low;
}

static void choose(struct picks *p)
{
    const struct answers_rows *r = p->rows;
    uint64_t failed = r->errors < PICKS_FAILED ? r->errors : PICKS_FAILED;

    name_calls(p);
    p->long_step = choose_long(p->tally);
    p->quota = choose_quota(p->tally, r->calls <= PICKS_MOST
                                          ? PICKS_MOST
                                          : PICKS_MOST - p->named.count -
                                                failed - PICKS_LONG);
}

/* Of `all` the one with this number is among `few` that lie evenly. */
static bool is_due(uint64_t number, uint64_t few, uint64_t all)
{
    return few >= all || number * few / all != (number + 1) * few / all;
}

bool picks_wants(struct picks *p, const struct call *call)
{
    struct table_key of_thread = { tally_process(call), call->tid };
    const char *row = table_find(&p->tally->threads, of_thread);
    int64_t took;
    int64_t ns = tally_ns(p->clock, call, &took);
    struct table_key key = { (uint64_t)call->pid << 32 | call->tid,
                             (uint64_t)ns };
    bool wanted = false;

    p->counts.all++;
    p->flag_named = table_find(&p->named, key) != NULL;
    if (row != NULL) {
        size_t thread = (size_t)(row - (const char *)p->tally->threads.rows) /
                        sizeof(struct tally_thread);
        uint64_t all = calls_at(p->tally, thread);
        uint64_t at = p->seen[thread]++;

        wanted = is_due(at, p->quota, all);
    }
    if (tally_failed(call)) {
        wanted |= is_due(p->failed_seen++, PICKS_FAILED, p->rows->errors);
    }
    wanted |= took >= 0 && tally_step(took) >= p->long_step;
    wanted = (wanted || p->flag_named) && p->count < PICKS_MOST;
    p->counts.failed += !wanted && tally_failed(call);
    return wanted;
}

/* --- life cycle ------------------------------------------------------------------------ */

struct picks *picks_open(const struct answers_rows *rows,
                         const struct tally *tally, const struct clock *clock)
{
    struct picks *p = calloc(1, sizeof(*p));
    size_t room =
        rows->calls < PICKS_MOST ? (size_t)rows->calls + 1 : PICKS_MOST;

    if (p == NULL) {
        return NULL;
    }
    p->rows = rows;
    p->tally = tally;
    p->clock = clock;
    table_init(&p->named, sizeof(struct named), PICKS_NAMED);
    p->seen = calloc(tally->threads.count + 1, sizeof(*p->seen));
    p->start = calloc(room, sizeof(*p->start));
    p->took = calloc(room, sizeof(*p->took));
    p->thread = calloc(room, sizeof(*p->thread));
    p->name = calloc(room, sizeof(*p->name));
    p->thing = calloc(room, sizeof(*p->thing));
    p->status = calloc(room, sizeof(*p->status));
    p->flags = calloc(room, sizeof(*p->flags));
    if (p->seen == NULL || p->start == NULL || p->took == NULL ||
        p->thread == NULL || p->name == NULL || p->thing == NULL ||
        p->status == NULL || p->flags == NULL) {
        picks_close(p);
        return NULL;
    }
    choose(p);
    return p;
}

void picks_close(struct picks *p)
{
    if (p == NULL) {
        return;
    }
    if (p->texts != NULL) {
        packed_close(p->texts);
    }
    table_close(&p->named);
    free(p->seen);
    free(p->start);
    free(p->took);
    free(p->thread);
    free(p->name);
    free(p->thing);
    free(p->status);
    free(p->flags);
    free(p);
}

/* --- those that were chosen ------------------------------------------------------------- */

bool picks_begin(struct picks *p, struct html *h)
{
    p->html = h;
    p->texts = packed_open(h, "texts");
    return p->texts != NULL;
}

static void add_text(struct picks *p, str text)
{
    size_t at = 0;
    size_t size;

    while (at < text.size && at < PICK_TEXT) {
        chars_code_point(str_slice(text, at, text.size), &size);
        at += size;
    }
    packed_add(p->texts, text.p, at);
    if (at < text.size) {
        packed_add(p->texts, "...", 3);
    }
    packed_add(p->texts, "\n", 1);
}

static uint32_t thing_of(struct picks *p, const struct call *call)
{
    struct subject s = { .name = STR("") };

    if (call->stub == NULL || !subject_any(call, &p->room, &s) ||
        s.name.size == 0) {
        return LABEL_NONE;
    }
    return labels_add(p->rows->names, s.name);
}

void picks_add(struct picks *p, const struct call *call, str text)
{
    struct table_key of_thread = { tally_process(call), call->tid };
    const char *row = table_find(&p->tally->threads, of_thread);
    size_t i = p->count;
    int64_t took;
    int64_t ns = tally_ns(p->clock, call, &took);

    if (i >= PICKS_MOST || i > p->rows->calls) {
        return;
    }
    p->count++;
    p->counts.kept++;
    p->start[i] = (double)ns;
    p->took[i] = (float)took;
    p->thread[i] =
        row != NULL
            ? (uint32_t)((size_t)(row - (const char *)p->tally->threads.rows) /
                         sizeof(struct tally_thread))
            : UINT32_MAX;
    p->name[i] = labels_add(p->rows->names, tally_name(call));
    p->thing[i] = thing_of(p, call);
    p->status[i] = call->returned ? (uint32_t)call->result : 0;
    p->flags[i] = (uint8_t)((tally_failed(call) ? PICK_FAILED_CALL : 0) |
                            (tally_waits(call) ? PICK_WAITS : 0) |
                            (call->how != HOW_ORDINARY ? PICK_PAST_STUB : 0) |
                            (call->returned ? 0 : PICK_OPEN) |
                            (p->flag_named ? PICK_NAMED_CALL : 0));
    add_text(p, text);
}

static void use(uint8_t *used, const uint32_t *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (names[i] != LABEL_NONE) {
            used[names[i] / 8] |= (uint8_t)(1u << names[i] % 8);
        }
    }
}

bool picks_end(struct picks *p, uint8_t *used)
{
    struct packed *rows;
    bool ok = packed_close(p->texts);

    p->texts = NULL;
    rows = packed_open(p->html, "rows");
    if (rows == NULL) {
        return false;
    }
    /* The bytes are those of x64, for which alone we are built. */
    packed_add(rows, p->start, p->count * sizeof(*p->start));
    packed_add(rows, p->took, p->count * sizeof(*p->took));
    packed_add(rows, p->thread, p->count * sizeof(*p->thread));
    packed_add(rows, p->name, p->count * sizeof(*p->name));
    packed_add(rows, p->thing, p->count * sizeof(*p->thing));
    packed_add(rows, p->status, p->count * sizeof(*p->status));
    packed_add(rows, p->flags, p->count * sizeof(*p->flags));
    use(used, p->name, p->count);
    use(used, p->thing, p->count);
    return packed_close(rows) && ok;
}

struct picks_counts picks_counts(const struct picks *p)
{
    return p->counts;
}
