/* SPDX-License-Identifier: MIT */
/*
 * tracks.c - bins and marks. What spans many bins costs two additions: the first
 * and the last get their parts, and those between are marked where it begins and
 * ends.
 */
#include "report/tracks.h"

#include "base/saturate.h"

#include <stdlib.h>

#include "base/banned.h"

#define KINDS (TRANSITION_KINDS)

struct bin {
    uint32_t calls;
    uint32_t errors;
    uint64_t work;  // ns of it, in part
    uint64_t wait;
    int32_t work_whole;  // calls that fill all bins from here on: a difference
    int32_t wait_whole;
};

struct mark {
    int64_t ns;
    uint64_t process;
    uint32_t tid;
    uint32_t name;
    uint32_t status;
    uint32_t kind;
};

struct tracks {
    const struct answers_rows *rows;  // borrowed
    const struct tally *tally;        // borrowed
    const struct clock *clock;        // borrowed
    unsigned bins;
    uint64_t width;    // ns of a bin
    struct bin **bin;  // owned, by the number of the thread's row
    size_t track_count;
    struct mark *marks;  // owned
    size_t mark_count;
    uint64_t seen[KINDS];
};

struct tracks *tracks_open(const struct answers_rows *rows,
                           const struct tally *tally, const struct clock *clock)
{
    struct tracks *t = calloc(1, sizeof(*t));
    size_t threads = tally->threads.count;
    uint64_t all = tally->last_ns > 0 ? (uint64_t)tally->last_ns : 1;

    if (t == NULL) {
        return NULL;
    }
    t->rows = rows;
    t->tally = tally;
    t->clock = clock;
    t->track_count = threads < TRACKS_MOST ? threads : TRACKS_MOST;
    t->bins = BINS_MOST;
    while (t->bins > BINS_LEAST && t->bins * t->track_count > BINS_ALL) {
        t->bins /= 2;
    }
    t->width = all / t->bins + 1;
    t->bin = calloc(t->track_count + 1, sizeof(*t->bin));
    t->marks = calloc((size_t)MARKS_MOST * KINDS, sizeof(*t->marks));
    if (t->bin == NULL || t->marks == NULL) {
        tracks_close(t);
        return NULL;
    }
    return t;
}

void tracks_close(struct tracks *t)
{
    if (t == NULL) {
        return;
    }
    for (size_t i = 0; t->bin != NULL && i < t->track_count; i++) {
        free(t->bin[i]);
    }
    free(t->bin);
    free(t->marks);
    free(t);
}

unsigned tracks_bins(const struct tracks *t)
{
    return t->bins;
}

/* --- calls ------------------------------------------------------------------------ */

/* The number of the thread's row; SIZE_MAX: it has none. */
static size_t track_of(const struct tracks *t, uint64_t process, uint32_t tid)
{
    struct table_key key = { process, tid };
    const char *row = table_find(&t->tally->threads, key);

    return row != NULL ? (size_t)(row - (const char *)t->tally->threads.rows) /
                             sizeof(struct tally_thread)
                       : SIZE_MAX;
}

static struct bin *bins_of(struct tracks *t, const struct call *call)
{
    size_t track = track_of(t, tally_process(call), call->tid);

    if (track >= t->track_count) {
        return NULL;
    }
    if (t->bin[track] == NULL) {
        t->bin[track] = calloc((size_t)t->bins + 1, sizeof(struct bin));
    }
    return t->bin[track];
}

static unsigned bin_at(const struct tracks *t, int64_t ns)
{
    uint64_t bin = ns > 0 ? (uint64_t)ns / t->width : 0;

    return bin < t->bins ? (unsigned)bin : t->bins - 1;
}

/* The end of a call that has none: that of its process, or of all. */
static int64_t end_of(const struct tracks *t, const struct call *call)
{
    struct table_key key = { tally_process(call), 0 };
    const struct process_row *p = table_find(&t->rows->processes, key);

    return p != NULL && p->ended > 0 ? p->ended : t->tally->last_ns;
}

static void add_part(struct bin *bin, bool waits, int64_t ns)
{
    *(waits ? &bin->wait : &bin->work) += ns > 0 ? (uint64_t)ns : 0;
}

static void add_span(const struct tracks *t, struct bin *bins, int64_t from,
                     int64_t to, bool waits)
{
    unsigned first = bin_at(t, from);
    unsigned last = bin_at(t, to);

    if (first == last) {
        add_part(&bins[first], waits, to - from);
        return;
    }
    add_part(
        &bins[first], waits,
        (int64_t)((first + 1) * t->width - (from > 0 ? (uint64_t)from : 0)));
    add_part(&bins[last], waits, (int64_t)((uint64_t)to - last * t->width));
    *(waits ? &bins[first + 1].wait_whole : &bins[first + 1].work_whole) += 1;
    *(waits ? &bins[last].wait_whole : &bins[last].work_whole) -= 1;
}

void tracks_leave(void *tracks, const struct call *call)
{
    struct tracks *t = tracks;
    struct bin *bins = bins_of(t, call);
    bool waits = tally_waits(call);
    int64_t took;
    int64_t from = tally_ns(t->clock, call, &took);

    if (bins == NULL) {
        return;
    }
    if (took < 0 && waits && !call->returned) {
        took = saturate_span(from, end_of(t, call));
    }
    bins[bin_at(t, from)].calls++;
    bins[bin_at(t, from)].errors += tally_failed(call);
    if (took > 0) {
        add_span(t, bins, from, from + took, waits);
    }
}

/* --- marks -------------------------------------------------------------------------- */

/* Every so-many-th of a kind, so that not too many are kept. */
static struct mark *next_mark(struct tracks *t, uint32_t kind)
{
    uint64_t all = kind < KINDS ? t->tally->marks[kind] : 0;
    uint64_t step = all / MARKS_MOST + 1;

    if (kind >= KINDS || t->seen[kind]++ % step != 0 ||
        t->mark_count == (size_t)MARKS_MOST * KINDS) {
        return NULL;
    }
    return &t->marks[t->mark_count++];
}

void tracks_transition(void *tracks, const struct transition_told *told)
{
    struct tracks *t = tracks;
    struct mark *m;

    if (told->kind == TRANSITION_CALLBACK) {
        return; /* a window's procedure is called: nothing of note */
    }
    m = next_mark(t, told->kind);
    if (m != NULL) {
        *m = (struct mark){
            .ns = clock_ns(t->clock, told->time),
            .process = told->process != NULL
                           ? model_process_order(told->process)
                           : told->pid,
            .tid = told->tid,
            .name = told->place.kind == PLACE_MODULE
                        ? labels_add(t->rows->names, told->place.name)
                        : LABEL_NONE,
            .status = told->status_known ? told->status : 0,
            .kind = told->kind,
        };
    }
}

void tracks_module(void *tracks, const struct module_told *told)
{
    struct tracks *t = tracks;
    uint32_t kind = told->unmapped ? TRANSITION_UNMODULE : TRANSITION_MODULE;
    struct mark *m = next_mark(t, kind);
    uint64_t process =
        told->process != NULL ? model_process_order(told->process) : told->pid;

    if (m != NULL) {
        *m = (struct mark){
            .ns = tally_module_ns(t->clock, &t->rows->processes, process,
                                  told->time),
            .process = process,
            .name = labels_add(t->rows->names, told->name),
            .kind = kind,
        };
    }
}

/* --- written ------------------------------------------------------------------------- */

/* Seven bits a byte, the lowest first. */
static void add_varint(struct packed *p, uint64_t n)
{
    uint8_t room[10];
    size_t size = 0;

    do {
        room[size++] = (uint8_t)((n & 0x7f) | (n > 0x7f ? 0x80 : 0));
        n >>= 7;
    } while (n > 0);
    packed_add(p, room, size);
}

static uint8_t part_of(uint64_t ns, int64_t whole, uint64_t width)
{
    uint64_t part = whole > 0 ? 255 : ns * 255 / width;

    return (uint8_t)(part == 0 && ns > 0 ? 1 : part < 255 ? part : 255);
}

static void write_track(struct tracks *t, struct packed *p,
                        const struct bin *bins)
{
    unsigned last = 0;
    int64_t work = 0;
    int64_t wait = 0;

    for (unsigned i = 0; bins != NULL && i < t->bins; i++) {
        const struct bin *b = &bins[i];
        uint8_t parts[2];

        work += b->work_whole;
        wait += b->wait_whole;
        parts[0] = part_of(b->work, work, t->width);
        parts[1] = part_of(b->wait, wait, t->width);
        if (b->calls == 0 && parts[0] == 0 && parts[1] == 0) {
            continue;
        }
        add_varint(p, i + 1 - last);
        last = i + 1;
        add_varint(p, b->calls);
        add_varint(p, b->errors);
        packed_add(p, parts, sizeof(parts));
    }
    add_varint(p, 0);
}

static uint64_t process_row(const struct tracks *t, uint64_t process)
{
    struct table_key key = { process, 0 };
    const char *row = table_find(&t->rows->processes, key);

    return row != NULL
               ? (uint64_t)((row - (const char *)t->rows->processes.rows) /
                            (ptrdiff_t)sizeof(struct process_row)) +
                     1
               : 0;
}

static void write_mark(struct tracks *t, struct packed *p, const struct mark *m,
                       uint8_t *used)
{
    size_t track = track_of(t, m->process, m->tid);

    add_varint(p, m->kind + 1);
    add_varint(p, m->ns > 0 ? (uint64_t)m->ns : 0);
    add_varint(p, process_row(t, m->process));
    add_varint(p, track < t->track_count ? track + 1 : 0);
    add_varint(p, m->name != LABEL_NONE ? (uint64_t)m->name + 1 : 0);
    add_varint(p, m->status);
    if (used != NULL && m->name != LABEL_NONE) {
        used[m->name / 8] |= (uint8_t)(1u << m->name % 8);
    }
}

bool tracks_write(struct tracks *t, struct html *h, uint8_t *used)
{
    struct packed *p = packed_open(h, "tracks");
    bool ok;

    for (size_t i = 0; p != NULL && i < t->track_count; i++) {
        write_track(t, p, t->bin[i]);
    }
    ok = packed_close(p);
    p = packed_open(h, "marks");
    for (size_t i = 0; p != NULL && i < t->mark_count; i++) {
        write_mark(t, p, &t->marks[i], used);
    }
    return packed_close(p) && ok;
}
