/* SPDX-License-Identifier: MIT */
/*
 * replay.c - from chunks into a model.
 *
 * Touches its file and its model. Numbers of processes and threads are
 * believed only if the model gives them the same ones; how many there may be
 * at a time is limited.
 */
#include "record/replay.h"

#include "base/array.h"
#include "record/about.h"
#include "wire/journal.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define BATCH ((size_t)64 << 10)
/* At a time, of both. */
#define KNOWN_MOST ((size_t)1 << 17)

/* No text of an INFO or END is longer. */
#define TEXT_MOST ((size_t)1 << 20)

/* A process or a thread that the file may name. */
struct known {
    uint64_t number;                // first of all: array_above
    struct model_process *process;  // NULL: it is no more
    struct model_thread *thread;    // NULL: it is the process itself
    struct thin_thread thin;
};

/* --- Who is there --------------------------------------------------------- */

static struct known *find(const struct replay *r, uint64_t number)
{
    size_t at =
        array_above(r->known, r->known_count, sizeof(r->known[0]), number);

    return at > 0 && r->known[at - 1].number == number &&
                   r->known[at - 1].process != NULL
               ? &r->known[at - 1]
               : NULL;
}

static bool know(struct replay *r, const struct known *k)
{
    size_t at =
        array_above(r->known, r->known_count, sizeof(r->known[0]), k->number);

    if (r->known_count >= KNOWN_MOST ||
        !array_grow(&r->known, &r->known_room, r->known_count,
                    sizeof(r->known[0]))) {
        return false;
    }
    memmove(&r->known[at + 1], &r->known[at],
            (r->known_count - at) * sizeof(*k));
    r->known[at] = *k;
    r->known_count++;
    return true;
}

/* Those that are no more go once they are half of all, so that each end costs
 * little. */
static void sweep(struct replay *r)
{
    size_t left = 0;

    if (r->known_gone <= r->known_count / 2) {
        return;
    }
    for (size_t i = 0; i < r->known_count; i++) {
        if (r->known[i].process != NULL) {
            r->known[left++] = r->known[i];
        }
    }
    r->known_count = left;
    r->known_gone = 0;
}

static void forget(struct replay *r, struct known *k)
{
    k->process = NULL;
    r->known_gone++;
    r->thread = NULL;
    sweep(r);
}

static void forget_process(struct replay *r, const struct model_process *p)
{
    for (size_t i = 0; i < r->known_count; i++) {
        if (r->known[i].process == p) {
            r->known[i].process = NULL;
            r->known_gone++;
        }
    }
    r->thread = NULL;
    sweep(r);
}

/* --- Into the model ------------------------------------------------------ */

static void feed(struct replay *r)
{
    if (r->thin != NULL && r->thread != NULL) {
        thin_end(r->thin, &r->known[r->thread_at].thin);
    }
    if (r->batch_size > 0 && r->thread != NULL) {
        size_t taken =
            model_feed(r->thread, r->batch, r->batch_size, UINT64_MAX);

        r->refused += r->batch_size - taken;
    }
    if (r->passed_tsc > 0 && r->thread != NULL) {
        model_thread_passed(r->thread, r->passed_tsc);
    }
    r->passed_tsc = 0;
    r->batch_size = 0;
}

/* True if `op` ends a call that goes, with what is there of it already. */
static bool leave_out(struct replay *r, const struct op_read *op)
{
    size_t stay =
        thin_record(r->thin, &r->known[r->thread_at].thin, op, r->batch_size);

    if (stay == r->batch_size) {
        return false;
    }
    r->batch_size = stay;
    r->left_out++;
    memcpy(&r->passed_tsc, op->bytes + RECORD_TIME, sizeof(r->passed_tsc));
    return true;
}

/* A record of a thread; false: of one that there is not. */
static bool take_record(struct replay *r, const struct op_read *op)
{
    if (r->thread == NULL || r->thread_number != op->thread) {
        struct known *k = find(r, op->thread);

        feed(r);
        if (k == NULL || k->thread == NULL) {
            return false;
        }
        r->thread = k->thread;
        r->thread_number = op->thread;
        r->thread_at = (size_t)(k - r->known);
    }
    if (r->batch_size + op->size > BATCH) {
        feed(r);
    }
    if (r->thin != NULL && leave_out(r, op)) {
        return true;
    }
    memcpy(r->batch + r->batch_size, op->bytes, op->size);
    r->batch_size += op->size;
    r->records++;
    return true;
}

static bool open_process(struct replay *r, struct model *m,
                         const struct op_read *op)
{
    struct model_process *p = model_process_open(m, op->bytes, op->size);

    return p != NULL && model_process_order(p) == op->thread &&
           know(r, &(struct known){ .number = op->thread, .process = p });
}

static bool open_thread(struct replay *r, const struct op_read *op)
{
    struct known *k = find(r, op->process);
    struct model_process *process;
    struct model_thread *t;

    if (k == NULL || k->thread != NULL || r->known_count >= KNOWN_MOST) {
        return false;
    }
    process = k->process;
    t = model_thread_open(process, op->tid, op->serial, op->time);
    return t != NULL && model_thread_order(t) == op->thread &&
           know(r, &(struct known){
                       .number = op->thread, .process = process, .thread = t });
}

static bool take_journal(struct replay *r, const struct op_read *op)
{
    struct known *k = find(r, op->thread);
    struct model_process *p;

    if (k == NULL || k->thread != NULL) {
        return false;
    }
    p = k->process;
    if (!model_journal(p, op->bytes, op->size)) {
        return false;
    }
    if (op->bytes[RECORD_KIND] == JOURNAL_PROCESS_END) {
        forget_process(r, p);
    }
    if (op->bytes[RECORD_KIND] == JOURNAL_STUBS && r->thin != NULL) {
        thin_ask_again(r->thin);
    }
    return true;
}

static bool take_thread_journal(struct replay *r, const struct op_read *op)
{
    struct known *k = find(r, op->thread);

    if (k == NULL || k->thread == NULL ||
        !model_thread_journal(k->thread, op->bytes, op->size)) {
        return false;
    }
    if (op->bytes[RECORD_KIND] == JOURNAL_THREAD_END) {
        forget(r, k);
    }
    return true;
}

/* A record of the journal of a kind that comes with a later version. */
static bool is_new(const struct op_read *op)
{
    return op->size >= RECORD_HEAD_SIZE &&
           op->bytes[RECORD_KIND] >= JOURNAL_END;
}

static bool take(struct replay *r, struct model *m, const struct op_read *op)
{
    struct known *k;

    switch (op->op) {
    case OP_ENTRY:
    case OP_RETURN:
    case OP_TRANSITION:
    case OP_DATA:
    case OP_COMPLETION:
        return take_record(r, op);
    case OP_BOUND:
        k = find(r, op->thread);
        if (k == NULL || k->thread == NULL) {
            return false;
        }
        model_thread_bound(k->thread, op->time);
        return true;
    case OP_THREAD_OPEN:
        feed(r);
        return open_thread(r, op);
    case OP_RAN:
        feed(r);
        model_run(m, op->time);
        return true;
    case OP_PROCESS:
        feed(r);
        return open_process(r, m, op);
    case OP_JOURNAL:
    case OP_THREAD_RECORD:
        feed(r);
        if (is_new(op)) {
            r->chunks.damage.unknown++;
            return true;
        }
        return op->op == OP_JOURNAL ? take_journal(r, op)
                                    : take_thread_journal(r, op);
    case OP_CLOCK:
        feed(r);
        return model_clock_set(m, op->bytes, op->size);
    case OP_THREAD:
    case OP_SIZED:
        break;
    }
    return false;
}

/* All of a STREAM. What the model does not take is counted. */
static void take_stream(struct replay *r, struct model *m, const uint8_t *bytes,
                        size_t size)
{
    uint64_t record[RECORD_MAX / 8];
    struct reader in = reader_over(bytes, size);
    struct op_read op;

    ops_begin(r->ops);
    while (ops_next(r->ops, &in, record, &op, &r->chunks.damage.unknown)) {
        r->senseless += !take(r, m, &op);
    }
    feed(r);
    r->senseless += in.bad;
}

/* --- The file ------------------------------------------------------------ */

static bool keep_text(char **to, size_t *to_size, const uint8_t *bytes,
                      size_t size)
{
    char *text;

    size = size < TEXT_MOST ? size : TEXT_MOST;
    text = malloc(size + 1);
    if (text == NULL) {
        return false;
    }
    memcpy(text, bytes, size);
    free(*to);
    *to = text;
    *to_size = size;
    return true;
}

bool replay_open(struct replay *r, str path, struct err *e)
{
    struct chunk_head head;
    const uint8_t *bytes;
    uint64_t at;
    size_t size;

    *r = (struct replay){ .info = NULL };
    if (!chunks_open(&r->chunks, path, e)) {
        return false;
    }
    r->ops = calloc(1, sizeof(*r->ops));
    r->batch = malloc(BATCH);
    if (r->ops == NULL || r->batch == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    if (!chunks_next(&r->chunks, &head, &at) || r->chunks.gap ||
        head.kind != CHUNK_INFO ||
        (bytes = chunks_load(&r->chunks, &head, at, &size, e)) == NULL) {
        return err_set(e, ERR_BAD_INPUT,
                       "%.*s: this trace file is damaged at its very "
                       "beginning; nothing of it can be shown",
                       STR_ARGS(path));
    }
    if (!keep_text(&r->info, &r->info_size, bytes, size)) {
        return err_set(e, ERR_OS, "out of memory");
    }
    return true;
}

void replay_close(struct replay *r)
{
    chunks_close(&r->chunks);
    free(r->info);
    free(r->end);
    free(r->ops);
    free(r->known);
    free(r->batch);
    free(r->thin);
    segments_close(&r->segments);
    *r = (struct replay){ .info = NULL };
}

struct model_config replay_config(const struct replay *r)
{
    const str info = replay_info(r);

    return (struct model_config){
        .system = { .wine = about_number(info, STR("wine"), 0) != 0,
                    .build = (uint32_t)about_number(info, STR("build"), 0) },
        .hold = (uint64_t)about_number(info, STR("hold"), 0),
        .no_handles = about_number(info, STR("handles"), 1) == 0,
    };
}

static struct journal_clock clock_of(const struct replay *r)
{
    const str info = replay_info(r);

    return (struct journal_clock){
        .head.time = (uint64_t)about_number(info, STR("started-tsc"), 0),
        .hz = (uint64_t)about_number(info, STR("tsc-hz"), 1),
        .wall_ns = about_number(info, STR("started-ns"), 0),
    };
}

bool replay_clock(const struct replay *r, struct model *m)
{
    const struct journal_clock clock = clock_of(r);
    char room[sizeof(clock)];
    struct buf b = BUF_OVER(room);

    journal_clock(&b, &clock);
    return model_clock_set(m, b.p, b.size);
}

/* Goes through the heads of all chunks, once. */
static bool look(struct replay *r)
{
    return r->segments.count > 0 || segments_find(&r->segments, &r->chunks);
}

int64_t replay_last_ns(struct replay *r)
{
    const struct journal_clock clock = clock_of(r);
    uint64_t last = look(r) ? r->segments.last : 0;
    double seconds;

    if (last <= clock.head.time) {
        return 0;
    }
    seconds = (double)(last - clock.head.time) / (double)clock.hz;
    return seconds < 1e9 ? (int64_t)(seconds * 1e9) : INT64_MAX;
}

/* --- What does not matter ------------------------------------------------- */

/* Time goes by clocks that were compared once a second: so much is surely
 * enough. */
#define MARGIN_NS INT64_C(1000000000)

static bool shows(const struct replay *r, uint16_t number)
{
    return r->skip->wants_call(r->skip->ctx, model_stub(r->model, number));
}

static enum thin_class class_of(void *replay, uint16_t number)
{
    const struct replay *r = replay;
    enum model_need need = model_needs(r->model, number);

    return need == NEED_NO_RETURN                  ? THIN_NO_RETURN
           : need == NEED_CALL || shows(r, number) ? THIN_KEEP
                                                   : THIN_OUT;
}

/* Its SUMMARY says all that there is to be known of it. */
static bool is_plain(const struct segment *s)
{
    return s->has_summary && (s->flags & SUMMARY_ORPHANS) == 0;
}

/* The segment has something that is shown. */
static bool matters(struct replay *r, size_t which)
{
    const struct segment *s = &r->segments.at[which];
    struct reader numbers;
    uint64_t count, number = 0;

    if (which + 1 < r->segments.count && r->skip->from > 0 &&
        r->segments.at[which + 1].ns < r->skip->from - MARGIN_NS) {
        return false;
    }
    /* What numbers are called is told in the first one. */
    if (r->segment == 0 || !is_plain(s) ||
        r->skip->wants_flags(r->skip->ctx, s->flags) ||
        !segments_numbers(&r->chunks, s, &numbers, &count)) {
        return true;
    }
    while (count-- > 0 && !numbers.bad) {
        number += get_varint(&numbers);
        if (number > UINT16_MAX || shows(r, (uint16_t)number)) {
            return true;
        }
    }
    return numbers.bad;
}

static void begin_segment(struct replay *r, size_t which)
{
    r->segment = which;
    r->thin->off = !is_plain(&r->segments.at[which]);
}

/* Who is there after the model was loaded. */
static bool know_all(struct replay *r)
{
    struct model_process *p = NULL;
    struct model_thread *t = NULL;

    r->known_count = 0;
    r->known_gone = 0;
    r->thread = NULL;
    while ((p = model_process_after(r->model, p)) != NULL) {
        if (!know(r, &(struct known){ .number = model_process_order(p),
                                      .process = p })) {
            return false;
        }
    }
    while ((t = model_thread_after(r->model, t)) != NULL) {
        struct known k = { .number = model_thread_order(t),
                           .process = model_thread_process(t),
                           .thread = t };

        k.thin.depth = model_thread_open_calls(t, k.thin.open, THIN_DEPTH);
        if (!know(r, &k)) {
            return false;
        }
    }
    return true;
}

/* The model is as this checkpoint says. False with *e empty: it is broken, and
 * nothing has happened. */
static bool restore(struct replay *r, const struct chunk_head *head,
                    uint64_t at, struct err *e)
{
    const uint8_t *bytes;
    size_t size;

    feed(r);
    *e = (struct err){ .code = ERR_NONE };
    bytes = chunks_load(&r->chunks, head, at, &size, e);
    if (bytes == NULL) {
        return false;
    }
    if (!model_load(r->model, bytes, size)) {
        return err_set(e, ERR_BAD_INPUT,
                       "the checkpoint at byte %llu makes no sense",
                       (unsigned long long)at);
    }
    if (!know_all(r) || !r->skip->moved(r->skip->ctx)) {
        return err_set(e, ERR_OS, "out of memory");
    }
    r->chunks.gap = false;
    return true;
}

/* Goes on at the checkpoint that begins a segment, or, if that is broken, where
 * it is. */
static bool move(struct replay *r, size_t which, struct err *e)
{
    const struct segment *s = &r->segments.at[which];
    const struct chunk_reader was = r->chunks;
    struct chunk_head head;
    uint64_t at;

    chunks_seek(&r->chunks, s->at, s->number);
    if (chunks_next(&r->chunks, &head, &at) && restore(r, &head, at, e)) {
        r->skipped += s->at - was.at;
        begin_segment(r, which);
        return true;
    }
    chunks_back(&r->chunks, &was);
    return e->code == ERR_NONE;
}

/* A segment begins: passes over those that do not matter. */
static bool next_segment(struct replay *r, size_t which, struct err *e)
{
    size_t next = which;

    feed(r);
    begin_segment(r, which);
    while (next < r->segments.count - 1 && !matters(r, next)) {
        next++;
    }
    return next == which || move(r, next, e);
}

/* --- The run --------------------------------------------------------------- */

bool replay_take_end(struct replay *r, const uint8_t *bytes, size_t size,
                     struct err *e)
{
    r->ended = true;
    return keep_text(&r->end, &r->end_size, bytes, size) ||
           err_set(e, ERR_OS, "out of memory");
}

static bool take_checkpoint(struct replay *r, const struct chunk_head *head,
                            uint64_t at, struct err *e)
{
    if (r->chunks.gap && r->skip != NULL && !restore(r, head, at, e)) {
        return e->code == ERR_NONE;
    }
    return r->thin == NULL || r->segment + 1 >= r->segments.count ||
           next_segment(r, r->segment + 1, e);
}

/* Nothing of it is needed here, and none of the calls stands in it: that it is
 * broken is said, and no more. */
static bool take_summary(struct replay *r, const struct chunk_head *head,
                         uint64_t at, struct err *e)
{
    const bool gap = r->chunks.gap;
    struct err why = { .code = ERR_NONE };
    size_t size;
    bool ok = chunks_load(&r->chunks, head, at, &size, &why) != NULL ||
              why.code == ERR_NONE;

    r->chunks.gap = gap;
    if (!ok) {
        *e = why;
    }
    return ok;
}

/* One chunk. False: the system failed. */
static bool take_chunk(struct replay *r, const struct chunk_head *head,
                       uint64_t at, struct err *e)
{
    struct err why = { .code = ERR_NONE };
    const uint8_t *bytes;
    size_t size;

    switch ((enum chunk_kind)head->kind) {
    case CHUNK_STREAM:
    case CHUNK_END:
        break;
    case CHUNK_CHECKPOINT:
        return take_checkpoint(r, head, at, e);
    case CHUNK_SUMMARY:
        return take_summary(r, head, at, e);
    case CHUNK_INFO:
        return true;
    default:
        r->chunks.damage.unknown++;
        return true;
    }
    if (head->kind == CHUNK_STREAM && r->chunks.gap) {
        /* It says what became of threads that nobody has heard of. */
        r->passed++;
        r->passed_calls += head->calls;
        return true;
    }
    bytes = chunks_load(&r->chunks, head, at, &size, &why);
    if (bytes == NULL && why.code != ERR_NONE) {
        *e = why;
        return false;
    }
    if (bytes == NULL) {
        r->passed += head->kind == CHUNK_STREAM;
        r->passed_calls += head->calls;
        return true;
    }
    if (head->kind == CHUNK_END) {
        return replay_take_end(r, bytes, size, e);
    }
    r->calls += head->calls;
    take_stream(r, r->model, bytes, size);
    return true;
}

static bool begin(struct replay *r, struct err *e)
{
    if (r->skip == NULL || r->skip->nothing) {
        return true;
    }
    r->thin = calloc(1, sizeof(*r->thin));
    if (r->thin == NULL || !look(r)) {
        return err_set(e, ERR_OS, "out of memory");
    }
    r->thin->class_of = class_of;
    r->thin->ctx = r;
    return next_segment(r, 0, e);
}

bool replay_play(struct replay *r, struct model *m,
                 const struct replay_skip *skip, struct err *e)
{
    struct chunk_head head;
    uint64_t at;

    r->model = m;
    r->skip = skip;
    if (!begin(r, e)) {
        return false;
    }
    while (chunks_next(&r->chunks, &head, &at)) {
        if (!take_chunk(r, &head, at, e)) {
            return false;
        }
        if (r->go_on != NULL &&
            !r->go_on(r->go_on_ctx, r->chunks.at, r->chunks.size)) {
            r->stopped = true;
            break;
        }
    }
    return true;
}

bool replay_is_damaged(const struct replay *r)
{
    const struct chunk_damage *d = &r->chunks.damage;

    return d->cut || d->broken > 0 || r->senseless > 0 || r->refused > 0;
}

void replay_damage(const struct replay *r, struct buf *lines)
{
    const struct chunk_damage *d = &r->chunks.damage;

    if (d->cut) {
        buf_addf(lines,
                 "the file is cut off within a chunk: the last %llu bytes of "
                 "it are of no use\n",
                 (unsigned long long)(r->chunks.size - d->cut_at));
    }
    if (d->broken > 0) {
        buf_addf(lines,
                 "the file is damaged at byte %llu (places: %llu, of no use: "
                 "%llu bytes)\n",
                 (unsigned long long)d->broken_at,
                 (unsigned long long)d->broken,
                 (unsigned long long)d->broken_bytes);
    }
    if (r->passed > 0) {
        buf_addf(lines,
                 "what follows the damage cannot be understood without it: "
                 "%llu calls are missing\n",
                 (unsigned long long)r->passed_calls);
    }
    if (r->senseless > 0) {
        buf_addf(lines, "%llu parts of the file make no sense\n",
                 (unsigned long long)r->senseless);
    }
    if (!r->ended && !r->stopped && d->broken == 0) {
        buf_addf(lines, "the recording was not ended in order, or is still "
                        "being made: what came after its last chunk is "
                        "missing\n");
    }
    if (r->refused > 0) {
        buf_addf(lines, "%llu bytes of records found no room in memory\n",
                 (unsigned long long)r->refused);
    }
    if (d->unknown > 0) {
        buf_addf(lines,
                 "%llu parts are of kinds that this ntstrace does not know; "
                 "they were passed over\n",
                 (unsigned long long)d->unknown);
    }
}
