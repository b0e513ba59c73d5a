/* SPDX-License-Identifier: MIT */
/*
 * test_record - src/record: what is packed comes back, and a model that is told
 * what a file holds tells what the one tells that it was recorded from.
 *
 * The worlds here are made at random, each from a seed: processes and threads
 * come and go, records are late, damaged, or find no room, answers come early,
 * late or never, and the model is run at any time. Files are made in the
 * directory of TMPDIR, or /tmp, and removed.
 */
#include "unit/trace.h"

#include "record/about.h"
#include "record/chunks.h"
#include "record/ops.h"
#include "record/recorder.h"
#include "record/replay.h"
#include "record/survey.h"

#include <unistd.h>

#include "unit/check.h"

#define PROCESSES 3
#define THREADS 6
#define DEPTH 4
/* Small, so that both are too small now and then. */
#define QUEUE_SMALL ((size_t)4 << 10)
#define MEMORY_SMALL ((size_t)4 << 10)
#define HOLD_US 300u

static uint64_t random_state;

static uint32_t random_u32(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33);
}

static bool one_in(uint32_t n)
{
    return random_u32() % n == 0;
}

/* Small ones, large ones, and those at the ends. */
static uint64_t random_u64(void)
{
    uint64_t n = (uint64_t)random_u32() << 33 ^ random_u32();

    switch (random_u32() % 4) {
    case 0:
        return n & 0xff;
    case 1:
        return 0 - (n & 0xff);
    case 2:
        return UINT64_C(1) << (n % 64);
    default:
        return n >> (random_u32() % 64);
    }
}

/* A file that is nobody else's. */
static str temp_path(char *room, size_t size)
{
    const char *dir = getenv("TMPDIR");
    struct buf b = { room, 0, size - 1, false };
    int fd;

    buf_addf(&b, "%s/ntstrace-test-XXXXXX", dir != NULL ? dir : "/tmp");
    room[b.size] = 0;
    fd = mkstemp(room);
    if (fd < 0) {
        abort();
    }
    close(fd);
    return buf_str(&b);
}

/* --- Numbers and facts ----------------------------------------------------- */

static void a_number_comes_back_at_every_limit(void)
{
    uint8_t room[OP_HEAD_MOST];

    for (unsigned bit = 0; bit < 64; bit++) {
        for (uint64_t near = 0; near < 3; near++) {
            uint64_t n = (UINT64_C(1) << bit) - 1 + near;
            uint64_t size = (uint64_t)(put_varint(room, n) - room);
            struct reader in = reader_over(room, size);

            CHECK_U64(get_varint(&in), n);
            CHECK(!in.bad && in.at == size && size <= 10);
            in = reader_over(room, size - 1);
            get_varint(&in);
            CHECK(in.bad);
        }
    }
    CHECK_U64(put_varint(room, 127) - room, 1);
    CHECK_U64(put_varint(room, 128) - room, 2);
    CHECK_U64(put_varint(room, UINT64_MAX) - room, 10);
}

static void a_number_without_an_end_is_none(void)
{
    uint8_t room[16];
    struct reader in;

    memset(room, 0x80, sizeof(room));
    in = reader_over(room, sizeof(room));
    get_varint(&in);
    CHECK(in.bad);
}

static void facts_come_back_whatever_they_are(void)
{
    static const char *const values[] = {
        "",     "plain", "two\nlines", "\n",       "\\",        "\\n",
        "\\\\", "a\\",   "a b  c",     " leading", "C:\\new\\", "\n\\n\n",
    };
    char room[1000], found_room[100];
    struct buf b = BUF_OVER(room);

    for (uint32_t i = 0; i < COUNT_OF(values); i++) {
        about_add(&b, STR("key"), str_of(values[i]));
        about_add(&b, STR("keys"), STR("another"));
    }
    about_add_number(&b, STR("low"), INT64_MIN + 1);
    about_add_number(&b, STR("high"), INT64_MAX);
    about_add(&b, STR("word"), STR("12a"));
    about_add(&b, STR("nothing"), STR(""));
    for (uint32_t i = 0; i < COUNT_OF(values); i++) {
        struct buf found = BUF_OVER(found_room);

        CHECK(about_find(buf_str(&b), STR("key"), i, &found));
        CHECK_STR(buf_str(&found), str_of(values[i]));
    }
    CHECK(!about_find(buf_str(&b), STR("key"), COUNT_OF(values), &b));
    CHECK(!about_find(buf_str(&b), STR("ke"), 0, &b));
    CHECK(about_number(buf_str(&b), STR("low"), 7) == INT64_MIN + 1);
    CHECK(about_number(buf_str(&b), STR("high"), 7) == INT64_MAX);
    CHECK(about_number(buf_str(&b), STR("word"), 7) == 7);
    CHECK(about_number(buf_str(&b), STR("nothing"), 7) == 7);
    CHECK(about_number(buf_str(&b), STR("absent"), -7) == -7);
}

/* --- Records ---------------------------------------------------------------- */

/* The next record out of a chunk that holds some of `thread`. */
static bool comes_back(struct ops *o, struct reader *in, uint64_t thread,
                       const uint8_t *record, uint32_t size)
{
    uint64_t room[RECORD_MAX / 8];
    struct op_read op;
    uint64_t unknown = 0;

    memset(room, 0xee, sizeof(room));
    return ops_next(o, in, room, &op, &unknown) && unknown == 0 &&
           op.op == (enum op)record[RECORD_KIND] && op.thread == thread &&
           op.size == size && memcmp(op.bytes, record, size) == 0;
}

static const uint32_t least[] = {
    [RECORD_ENTRY] = ENTRY_SIZE,
    [RECORD_RETURN] = RETURN_SIZE,
    [RECORD_TRANSITION] = TRANSITION_WORDS,
    [RECORD_DATA] = DATA_BYTES,
    [RECORD_COMPLETION] = COMPLETION_SIZE,
};

/* A record of random words; its kind, size and what of them matters are not
 * random. Padding of a DATA is zeros. */
static uint32_t random_record(uint8_t *to, enum record_kind kind)
{
    uint64_t words[RECORD_MAX / 8];
    uint32_t more = 0, length = 0;
    uint32_t size;

    if (kind == RECORD_ENTRY) {
        more = random_u32() % (RECORD_MORE_MAX + 1);
    } else if (kind == RECORD_TRANSITION) {
        more = random_u32() % (TRANSITION_WORDS_MAX + 1);
    } else if (kind == RECORD_DATA) {
        length = one_in(20) ? RECORD_MAX - DATA_BYTES : random_u32() % 300;
        more = (length + 7) / 8;
    }
    size = least[kind] + 8 * more;
    for (uint32_t i = 0; i < size / 8; i++) {
        words[i] = random_u64();
    }
    words[0] =
        size | (uint64_t)kind << 32 | (uint64_t)(random_u32() & 0xff) << 40;
    words[0] |= kind == RECORD_RETURN ? 0 : (uint64_t)(random_u32() % 8) << 48;
    memcpy(to, words, size);
    if (kind == RECORD_DATA) {
        memcpy(to + DATA_LENGTH, &length, sizeof(length));
        memset(to + DATA_BYTES + length, 0, size - DATA_BYTES - length);
    }
    return size;
}

/* Some hundred records of a few threads in each chunk. */
static void records_of_all_kinds_come_back(void)
{
    static uint8_t records[128][RECORD_MAX], packed[128 * OP_RECORD_MOST];
    struct ops *out = calloc(1, sizeof(*out));
    struct ops *in = calloc(1, sizeof(*in));
    uint32_t sizes[COUNT_OF(records)];
    uint64_t threads[COUNT_OF(records)];
    uint32_t bad = 0;

    random_state = 8;
    for (uint32_t round = 0; round < 300; round++) {
        uint8_t *to = packed;
        struct reader r;

        ops_begin(out);
        for (uint32_t i = 0; i < COUNT_OF(records); i++) {
            sizes[i] =
                random_record(records[i], (enum record_kind)(RECORD_ENTRY +
                                                             random_u32() % 5));
            threads[i] = one_in(3)
                             ? random_u64()
                             : threads[i > 0 ? i - 1 : COUNT_OF(records) - 1];
            to = ops_record(out, to, threads[i], records[i]);
        }
        r = reader_over(packed, (size_t)(to - packed));
        ops_begin(in);
        for (uint32_t i = 0; i < COUNT_OF(records); i++) {
            bad += !comes_back(in, &r, threads[i], records[i], sizes[i]);
        }
        bad += reader_left(&r) != 0 || r.bad;
    }
    CHECK_U64(bad, 0);
    free(out);
    free(in);
}

/* What a file does not keep: it is nobody's data. */
static void the_padding_of_data_becomes_zeros(void)
{
    struct ops *o = calloc(1, sizeof(*o));
    uint8_t record[DATA_BYTES + 16], packed[OP_RECORD_MOST];
    struct chunk c = { .size = 0 };
    uint8_t *end;
    struct reader in;

    chunk_data(&c, 5, 3, 0x40, 0, 1, 0x1000, "123456789", 9);
    memcpy(record, c.bytes, sizeof(record));
    ops_begin(o);
    end = ops_record(o, packed, 1, record);
    memset(record + DATA_BYTES + 9, 0, 7);
    in = reader_over(packed, (size_t)(end - packed));
    ops_begin(o);
    CHECK(comes_back(o, &in, 1, record, sizeof(record)));
    free(o);
}

/* --- A world ---------------------------------------------------------------- */

/* A model with all that makes text of it. */
struct side {
    struct model *m;
    /* Which calls are told: bit n of `wanted`, of stub n of tell_stubs; those of
     * no stub are. */
    uint32_t wanted;
    bool muted;
    struct decoder d;
    struct text text;
    char *out;
    size_t size;
    size_t room;
};

static void side_write(void *ctx, str line)
{
    struct side *s = ctx;

    while (s->room - s->size < line.size) {
        s->room = s->room ? s->room * 2 : 65536;
        s->out = realloc(s->out, s->room);
        if (!s->out) {
            abort();
        }
    }
    memcpy(s->out + s->size, line.p, line.size);
    s->size += line.size;
}

static bool side_wants(const struct side *s, const struct stub *stub)
{
    return !stub || (s->wanted >> (stub->number % 32) & 1) != 0;
}

static void side_enter(void *ctx, const struct call *call)
{
    struct side *s = ctx;

    if (!s->muted && side_wants(s, call->stub)) {
        decoder_enter(&s->d, call);
    }
}

static void side_leave(void *ctx, const struct call *call)
{
    struct side *s = ctx;

    if (side_wants(s, call->stub)) {
        decoder_leave(&s->d, call);
    } else {
        decoder_drop(&s->d, call);
    }
}

static void side_transition(void *ctx, const struct transition_told *t)
{
    decoder_transition(&((struct side *)ctx)->d, t);
}

static void side_completion(void *ctx, const struct completion_told *c)
{
    struct side *s = ctx;

    if (side_wants(s, c->call->stub)) {
        decoder_completion(&s->d, c);
    }
}

static void side_notice(void *ctx, const struct notice *n)
{
    decoder_notice(&((struct side *)ctx)->d, n);
}

static void side_open(struct side *s, const struct model_config *config)
{
    struct text_options options = { .always_pid = true,
                                    .when = WHEN_EPOCH,
                                    .when_precision = PRECISION_NS,
                                    .took = true,
                                    .took_precision = PRECISION_NS,
                                    .returns = true,
                                    .number = true,
                                    .handle_detail = true };
    struct decode_options decode = { .string_max = 4096,
                                     .verbose = true,
                                     .handles = HANDLES_DETAIL };
    struct model_out out = {
        .ctx = s,
        .enter = side_enter,
        .leave = side_leave,
        .transition = side_transition,
        .completion = side_completion,
        .notice = side_notice,
    };
    struct err e = { 0 };

    *s = (struct side){ .wanted = UINT32_MAX };
    s->m = model_open(config, &out, &e);
    if (!s->m) {
        abort();
    }
    text_init(&s->text, &options, side_write, s);
    decoder_init(&s->d, &s->text.sink, model_clock(s->m), &decode);
}

static str side_told(struct side *s)
{
    model_flush(s->m);
    decoder_flush(&s->d);
    return (str){ s->size > 0 ? s->out : "", s->size };
}

static void side_close(struct side *s)
{
    model_close(s->m);
    decoder_close(&s->d);
    text_close(&s->text);
    free(s->out);
}

struct actor {
    struct model_thread *t;  // NULL: there is none
    uint64_t at;             // us, of its last record
    uint32_t tid;
    uint32_t open;  // calls
    uint32_t numbers[DEPTH];
    uint32_t owed;  // orphans without an answer
    bool asleep;    // between clock and publishing
};

struct place_in {
    struct model_process *p;  // NULL: there is none
    uint32_t pid;
    struct actor actors[THREADS];
    uint64_t base;    // of the DLL; 0: not mapped
    uint64_t began;   // of a pending call, us
    uint64_t handle;  // the next one
};

/* What happened in all of the worlds: each of it must have. */
static struct seen {
    uint64_t late;
    uint64_t unanswered;
    uint64_t full;
    uint64_t damaged;
    uint64_t data_lost;
    uint64_t times;
    uint64_t ops[OP_SIZED];
    uint64_t chunks;
    uint64_t lines;
    uint64_t quiet_runs;  // that told nothing
    uint64_t left_out;    // calls, by replays that may
    uint64_t skipped;     // bytes, the same
} seen;

/* No orphans, nothing damaged, nothing that finds no room: worlds of which calls
 * may be left out. */
static bool tame;

struct world {
    struct side live;
    struct recorder recorder;
    struct place_in at[PROCESSES];
    uint64_t now;  // us
    uint32_t next_id;
    bool turns;  // chunks are written in between as well
};

static void world_process(struct world *w, struct place_in *at)
{
    char room[JOURNAL_ROOM];
    struct buf b = BUF_OVER(room);
    struct journal_process r = {
        .pid = w->next_id += 4,
        .mode = (uint8_t)(one_in(4) ? random_u32() % 3 : MODE_PATCHED),
        .width = 8,
        .how = (uint8_t)(random_u32() % PROCESS_HOWS),
        .parent = 32,
        .parent_tid = 36,
        .head.time = w->now * TICKS,
    };

    journal_process(&b, &r, STR("C:\\demo.exe"), STR("demo \"a b\""));
    *at = (struct place_in){ .pid = r.pid, .handle = 0x40 };
    at->p = model_process_open(w->live.m, b.p, b.size);
    if (!at->p) {
        abort();
    }
}

static void tell_module(struct model_process *p, uint64_t us, uint64_t base,
                        str name)
{
    char room[JOURNAL_ROOM];
    struct buf b = BUF_OVER(room);

    journal_module(&b, us * TICKS,
                   &(struct journal_module){ .base = base,
                                             .size = 0x10000,
                                             .timestamp = (uint32_t)us },
                   name, STR("a.pdb"));
    CHECK(tell_record(p, &b));
}

static void tell_unmodule(struct model_process *p, uint64_t us, uint64_t base)
{
    char room[JOURNAL_ROOM];
    struct buf b = BUF_OVER(room);

    journal_unmodule(&b, us * TICKS, base);
    CHECK(tell_record(p, &b));
}

static void tell_stubs(struct model_process *p, uint64_t us)
{
    static const char *const names[] = { "NtClose", "NtYieldExecution",
                                         "NtOpenFile", "NtReadFile",
                                         "NtTerminateThread" };
    static const uint16_t numbers[] = { N_CLOSE, N_YIELD, N_OPEN_FILE,
                                        N_READ_FILE, N_TERMINATE_THREAD };
    struct journal_stub_row rows[COUNT_OF(names)];
    char room[JOURNAL_ROOM];
    struct buf b = BUF_OVER(room);

    for (uint32_t i = 0; i < COUNT_OF(names); i++) {
        rows[i] =
            (struct journal_stub_row){ 32u * i, numbers[i],
                                       one_in(8) ? 0 : JOURNAL_STUB_PATCHED,
                                       str_of(names[i]) };
    }
    journal_stubs(&b, us * TICKS, STUBS, 1, STR("ntdll.dll"), rows,
                  COUNT_OF(names));
    CHECK(tell_record(p, &b));
}

static void world_thread(struct world *w, struct place_in *at)
{
    for (uint32_t i = 0; i < THREADS; i++) {
        struct actor *a = &at->actors[i];

        if (!a->t) {
            *a = (struct actor){ .at = w->now, .tid = w->next_id += 4 };
            a->t = model_thread_open(at->p, a->tid, i, w->now * TICKS);
            return;
        }
    }
}

/* Where stub `number` of tell_stubs returns to. */
static uint64_t returns_to(uint32_t number)
{
    static const uint32_t rows[] = { [N_CLOSE] = 0,
                                     [N_YIELD] = 1,
                                     [N_OPEN_FILE] = 2,
                                     [N_READ_FILE] = 3,
                                     [N_TERMINATE_THREAD] = 4 };

    return STUBS + 32 * rows[number] + 0x14;
}

static void actor_enter(struct actor *a, struct chunk *c)
{
    static const uint32_t numbers[] = { N_CLOSE, N_YIELD, N_OPEN_FILE,
                                        N_READ_FILE, N_TERMINATE_THREAD };
    uint32_t number = numbers[random_u32() % COUNT_OF(numbers)];
    uint64_t below = 0x100 + 0x100 * (uint64_t)a->open;
    uint8_t bytes[400];

    if (a->open == DEPTH) {
        return;
    }
    for (uint32_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)random_u32();
    }
    for (uint32_t i = random_u32() % 3; i > 0; i--) {
        chunk_data(c, a->at, number, below, 0, i << 16, random_u64(), bytes,
                   random_u32() % sizeof(bytes));
    }
    chunk_entry(c, a->at, number, STACK, below, 4 * (random_u32() % 40),
                random_u64(), number == N_READ_FILE ? 5 : random_u32() % 3);
    a->numbers[a->open++] = number;
}

static void actor_return(struct place_in *at, struct actor *a, struct chunk *c)
{
    uint64_t below;
    uint32_t number;

    if (a->open == 0) {
        return;
    }
    number = a->numbers[--a->open];
    below = 0x100 + 0x100 * (uint64_t)a->open;
    if (number == N_READ_FILE && one_in(2)) {
        at->began = a->at;
        chunk_return_at(c, a->at, returns_to(number), STACK, below, 0x103, 0);
        return;
    }
    if (one_in(3)) {
        chunk_data(c, a->at, number, below, RECORD_AT_RETURN, 1 << 16, 0x1f1000,
                   "0123456", random_u32() % 8);
    }
    chunk_return_at(c, a->at, returns_to(number), STACK, below,
                    one_in(4) ? 0xc0000005 : 0, 0);
}

static void actor_write(struct place_in *at, struct actor *a, struct chunk *c)
{
    uint64_t words[TRANSITION_WORDS_MAX];

    a->at += random_u32() % 20;
    if (tame && one_in(2)) {
        actor_enter(a, c);
        actor_return(at, a, c);
        return;
    }
    switch (random_u32() % 8) {
    case 0:
    case 1:
    case 2:
        actor_enter(a, c);
        break;
    case 3:
    case 4:
        actor_return(at, a, c);
        break;
    case 5:
        if (tame) {
            break;
        }
        a->owed++;
        chunk_return_at(c, a->at, 0x1f0000 + random_u32() % 64, STACK,
                        0x1000 + 8 * (uint64_t)(random_u32() % 8), 0,
                        RECORD_ORPHAN | (one_in(4) ? 0 : RECORD_WAITS));
        break;
    case 6:
        if (tame && !one_in(100)) {
            break;
        }
        for (uint32_t i = 0; i < COUNT_OF(words); i++) {
            words[i] = one_in(2) ? returns_to(N_CLOSE) : random_u64();
        }
        chunk_transition(
            c, a->at, (enum transition)(random_u32() % TRANSITION_COUNT), 0x80,
            random_u64(), random_u32() % (TRANSITION_WORDS_MAX + 1), words);
        break;
    default:
        if (tame && !one_in(100)) {
            break;
        }
        chunk_completion(c, a->at, N_READ_FILE, 0x90, at->began, a->tid,
                         0x1f2000, 0, random_u32() % 100);
        break;
    }
}

/* What has no room is lost, as it is by a ring. */
static void actor_publish(struct world *w, struct actor *a, struct chunk *c)
{
    if (!tame && one_in(200) && c->size > 8) {
        c->bytes[random_u32() % c->size] ^= 0x55;
    }
    if (model_feed(a->t, c->bytes, c->size,
                   one_in(3) ? w->now * TICKS : UINT64_MAX) != c->size) {
        seen.full++;
        tell_thread_lost(a->t, LOST_FULL, 1 + random_u32() % 5);
    }
    c->size = 0;
}

static void actor_act(struct world *w, struct place_in *at, struct actor *a)
{
    static struct chunk c;
    struct journal_answer answer = { .number_known = (uint8_t)one_in(2),
                                     .number = (uint16_t)(random_u32() % 2),
                                     .caller = one_in(2) ? 0x140001000 : 0 };

    if (a->asleep && !one_in(30)) {
        return;
    }
    a->asleep = false;
    c.size = 0;
    for (uint32_t i = random_u32() % 6; i > 0 && a->at < w->now; i--) {
        actor_write(at, a, &c);
    }
    actor_publish(w, a, &c);
    /* Some are told before the orphan is there, some long after, some never. */
    if (a->owed > 0 && one_in(3)) {
        a->owed--;
        CHECK(tell_answer(a->t, &answer));
    }
    if (one_in(100)) {
        a->owed = 0;
    }
    if (one_in(60)) {
        tell_thread_lost(a->t, random_u32() % LOST_COUNT, random_u32() % 9);
    }
    if (one_in(80)) {
        a->asleep = true;
    } else if (a->at < w->now && !one_in(4)) {
        a->at = w->now;
        model_thread_bound(a->t, w->now * TICKS);
    }
    if (one_in(60)) {
        if (one_in(2)) {
            tell_thread_end(a->t, random_u32() % 3, w->now * TICKS);
        } else {
            tell_thread_gone(a->t, w->now * TICKS);
        }
        a->t = NULL;
    }
}

/* What the tracer finds out about a process, of now or of a while ago. */
static void place_act(struct world *w, struct place_in *at)
{
    uint64_t us = w->now - random_u32() % 100;
    char room[JOURNAL_ROOM];
    struct buf b = BUF_OVER(room);

    switch (random_u32() % 9) {
    case 0:
        at->base = 0x1f0000;
        tell_module(at->p, us, at->base,
                    one_in(2) ? STR("one.dll") : STR("two.dll"));
        break;
    case 1:
        tell_unmodule(at->p, us, at->base);
        break;
    case 2:
        CHECK(tell_place_at(at->p, us * TICKS, 0x1f0000,
                            0x1f0000 + 0x1000 * (1 + random_u32() % 4),
                            one_in(2) ? PLACE_PRIVATE : PLACE_MAPPED,
                            STR("C:\\a\nb.dll")));
        break;
    case 3:
        tell_stubs(at->p, us);
        break;
    case 4:
        journal_handle(&b, us * TICKS, at->handle += 4, 0x12, STR("File"),
                       STR("C:\\x"), STR("\\??\\C:\\x"));
        CHECK(tell_record(at->p, &b));
        break;
    case 5:
        tell_lost_of(at->p, (enum model_lost)(random_u32() % LOST_COUNT),
                     1 + random_u32() % 9, us * TICKS);
        break;
    case 6:
        tell_patches_lost(at->p, PATCHED_NTDLL, 1 + random_u32() % 9,
                          us * TICKS);
        break;
    case 7:
        journal_clock(&b, &(struct journal_clock){
                              .head = { .time = us * TICKS },
                              .ns = (int64_t)us * 1000 + random_u32() % 50 });
        CHECK(tell_record(at->p, &b));
        break;
    default:
        if (one_in(6)) {
            tell_process_over(at->p, random_u32() % 2 ? 0 : 0xc0000409,
                              w->now * TICKS);
            at->p = NULL;
        }
        break;
    }
}

static void world_act(struct world *w)
{
    struct place_in *at = &w->at[random_u32() % PROCESSES];

    w->now += random_u32() % 12;
    if (!at->p) {
        if (one_in(10)) {
            world_process(w, at);
            tell_stubs(at->p, w->now);
            tell_module(at->p, w->now, 0x140000000, STR("demo.exe"));
        }
        return;
    }
    if (one_in(8)) {
        world_thread(w, at);
    }
    if (one_in(tame ? 100 : 8)) {
        place_act(w, at);
    }
    for (uint32_t i = 0; at->p && i < THREADS; i++) {
        if (at->actors[i].t && !one_in(3)) {
            actor_act(w, at, &at->actors[i]);
        }
    }
    if (one_in(3)) {
        uint64_t past = one_in(5) ? random_u32() % 400 : 0;

        model_run(w->live.m, (w->now - past) * TICKS);
    }
    if (w->turns) {
        recorder_turn(&w->recorder, w->now * TICKS, one_in(2));
    }
}

static struct model_config world_config(const struct model_tap *tap)
{
    return (struct model_config){ .hold = HOLD_US * TICKS,
                                  .queue_bytes = tame ? 0 : QUEUE_SMALL,
                                  .memory_total = tame ? 0 : MEMORY_SMALL,
                                  .tap = tap };
}

static void world_open(struct world *w, str path, uint64_t seed)
{
    char room[JOURNAL_ROOM], info_room[200];
    struct buf b = BUF_OVER(room);
    struct buf info = BUF_OVER(info_room);
    struct model_config config = world_config(&w->recorder.tap);
    struct err e = { 0 };

    random_state = seed;
    *w = (struct world){ .now = 1000, .next_id = 32, .turns = one_in(2) };
    about_add_number(&info, STR("hold"), (int64_t)config.hold);
    /* What was read is not written over. */
    unlink(path.p);
    if (!recorder_begin(&w->recorder, path,
                        one_in(2) ? COMPRESS_ALWAYS : COMPRESS_NEVER,
                        1000 * TICKS, buf_str(&info), &e)) {
        abort();
    }
    if (tame) {
        w->recorder.checkpoint_every = 1000;
        w->turns = true;
    }
    side_open(&w->live, &config);
    w->recorder.model = w->live.m;
    journal_clock(
        &b, &(struct journal_clock){ .head = { .time = 1000 * TICKS },
                                     .hz = TICKS * 1000000,
                                     .wall_ns = 1795341240ll * 1000000000 });
    CHECK(model_clock_set(w->live.m, b.p, b.size));
}

static void world_close(struct world *w)
{
    struct model_counts counts = model_counts(w->live.m);
    struct err e = { 0 };

    seen.late += counts.late;
    seen.unanswered += counts.unanswered;
    seen.damaged += counts.damaged;
    seen.data_lost += counts.data_lost;
    seen.times += counts.bad_times;
    CHECK(recorder_end(&w->recorder, STR("calls 0\n"), &e));
    side_close(&w->live);
}

static struct model_process *tell_process(struct world *w, uint32_t pid,
                                          uint32_t parent)
{
    char room[JOURNAL_ROOM];
    struct buf b = BUF_OVER(room);
    struct journal_process r = {
        .pid = pid,
        .width = 8,
        .mode = MODE_PATCHED,
        .how = parent != 0 ? PROCESS_CHILD : PROCESS_LAUNCHED,
        .parent = parent,
        .parent_tid = parent != 0 ? 36 : 0,
        .head.time = 2000 * TICKS,
    };

    journal_process(&b, &r, STR("C:\\demo.exe"), STR("demo"));
    return model_process_open(w->live.m, b.p, b.size);
}

/* A process is there once, also one that was about to be traced. */
static void a_process_that_was_given_up_is_told_of_once(void)
{
    char room[200];
    str path = temp_path(room, sizeof(room));
    struct model_process *p;
    struct survey s;
    struct err e = { 0 };
    struct world w;

    world_open(&w, path, 1);
    p = tell_process(&w, 32, 0);
    CHECK(p != NULL && tell_process(&w, 40, 32) != NULL);
    CHECK(tell_process(&w, 44, 32) != NULL);
    CHECK(tell_child(p, 40, 36, CHILD_FAILED, 0, STR("C:\\demo.exe"),
                     STR("demo"), STR("it has ended"), 3000 * TICKS));
    CHECK(tell_child(p, 48, 36, CHILD_PASSED, 0, STR("C:\\other.exe"),
                     STR("other"), STR(""), 3000 * TICKS));
    world_close(&w);
    CHECK(survey_open(&s, path, &e) && survey_read(&s, &e));
    CHECK_U64(s.rows, 4);
    CHECK_U64(s.process_count, 2);
    CHECK_U64(s.untraced, 2);
    CHECK(s.rows == 4 && !s.processes[1].traced && s.processes[1].pid == 40 &&
          s.processes[1].fate == CHILD_FAILED && s.processes[2].traced);
    survey_close(&s);
    unlink(path.p);
}

static void what_could_not_begin_does_not_end_well(void)
{
    struct recorder r;
    struct err begun = { 0 };
    struct err ended = { 0 };

    CHECK(!recorder_begin(&r, STR("no/such/folder/x.nts"), COMPRESS_NEVER,
                          1000 * TICKS, STR("hold 1\n"), &begun));
    CHECK(!recorder_end(&r, STR("calls 0\n"), &ended));
    CHECK_STR(str_of(ended.text), str_of(begun.text));
}

/* --- And once more from its file ------------------------------------------- */

static void file_seen(str path)
{
    struct ops *o = calloc(1, sizeof(*o));
    uint64_t record[RECORD_MAX / 8];
    struct chunk_reader r;
    struct chunk_head head;
    struct err e = { 0 };
    uint64_t at, unknown = 0;

    if (!o || !chunks_open(&r, path, &e)) {
        abort();
    }
    while (chunks_next(&r, &head, &at)) {
        size_t size;
        const uint8_t *bytes = chunks_load(&r, &head, at, &size, &e);
        struct reader in = reader_over(bytes, bytes ? size : 0);
        struct op_read op;

        CHECK(bytes != NULL);
        seen.chunks++;
        if (head.kind != CHUNK_STREAM) {
            continue;
        }
        ops_begin(o);
        while (ops_next(o, &in, record, &op, &unknown)) {
            seen.ops[op.op]++;
        }
        CHECK(!in.bad && unknown == 0);
    }
    CHECK(!r.damage.cut && !r.damage.broken);
    chunks_close(&r);
    free(o);
}

/* Both are the same from their first byte to their last. */
static bool same_files(str one, str other)
{
    static uint8_t bytes[2][1 << 16];
    FILE *files[2] = { fopen(one.p, "rb"), fopen(other.p, "rb") };
    bool same = files[0] && files[1];

    for (size_t got = 1; same && got > 0;) {
        got = fread(bytes[0], 1, sizeof(bytes[0]), files[0]);
        same = fread(bytes[1], 1, sizeof(bytes[1]), files[1]) == got &&
               memcmp(bytes[0], bytes[1], got) == 0;
    }
    for (int i = 0; i < 2; i++) {
        if (files[i]) {
            fclose(files[i]);
        }
    }
    return same;
}

/* Where two texts part, a line of each. */
static void say_difference(str live, str replayed, uint64_t seed)
{
    str a, b;

    do {
        str_cut(live, '\n', &a, &live);
        str_cut(replayed, '\n', &b, &replayed);
    } while (str_eq(a, b) && live.size > 0 && replayed.size > 0);
    printf("world %llu differs:\n  live   %.*s\n  replay %.*s\n",
           (unsigned long long)seed, STR_ARGS(a), STR_ARGS(b));
}

static void replay_equals(str path, str again_path, str live, bool same_chunks,
                          enum compress compress, uint64_t seed)
{
    struct recorder again;
    struct model_config config;
    struct side side;
    struct replay r;
    struct err e = { 0 };
    str told;

    CHECK(replay_open(&r, path, &e));
    config = replay_config(&r);
    CHECK_U64(config.hold, HOLD_US * TICKS);
    config.memory_total = MEMORY_SMALL;
    CHECK(recorder_begin(&again, again_path, compress, 1000 * TICKS,
                         (str){ r.info, r.info_size }, &e));
    config.tap = &again.tap;
    side_open(&side, &config);
    again.model = side.m;
    CHECK(replay_play(&r, side.m, NULL, &e));
    told = side_told(&side);
    CHECK_U64(r.senseless + r.refused, 0);
    CHECK(r.ended && !r.chunks.damage.cut && !r.chunks.damage.broken);
    if (!str_eq(told, live)) {
        say_difference(live, told, seed);
    }
    CHECK(str_eq(told, live));
    CHECK(recorder_end(&again, STR("calls 0\n"), &e));
    /* Who listens to the replay hears the same. */
    CHECK(!same_chunks || same_files(path, again_path));
    side_close(&side);
    replay_close(&r);
}

static void one_world(uint64_t seed)
{
    static struct world w;
    char rooms[2][300];
    str path = temp_path(rooms[0], sizeof(rooms[0]));
    str again = temp_path(rooms[1], sizeof(rooms[1]));
    enum compress compress;
    str live, kept;
    bool turns;

    world_open(&w, path, seed);
    compress = w.recorder.compress;
    turns = w.turns;
    for (uint32_t i = 200 + random_u32() % 400; i > 0; i--) {
        world_act(&w);
    }
    live = side_told(&w.live);
    kept = (str){ malloc(live.size + 1), live.size };
    if (!kept.p) {
        abort();
    }
    memcpy((char *)(uintptr_t)kept.p, live.p, live.size);
    for (size_t i = 0; i < live.size; i++) {
        seen.lines += live.p[i] == '\n';
    }
    world_close(&w);
    file_seen(path);
    replay_equals(path, again, kept, !turns, compress, seed);
    free((char *)(uintptr_t)kept.p);
    unlink(rooms[0]);
    unlink(rooms[1]);
}

static bool any_flags(void *side, uint64_t flags)
{
    (void)side;
    return (flags & SUMMARY_NOTICES) != 0 || flags >= SUMMARY_TRANSITION;
}

static bool wants_stub(void *side, const struct stub *stub)
{
    return side_wants(side, stub);
}

static bool has_moved(void *side)
{
    struct side *s = side;
    bool ok;

    s->muted = true;
    ok = model_tell_open(s->m);
    s->muted = false;
    return ok;
}

/* What a replay tells of the calls in `wanted`; to be freed. */
static str told_of(str path, uint32_t wanted, bool nothing)
{
    struct model_config config;
    struct side side;
    struct replay_skip skip = { .ctx = &side,
                                .nothing = nothing,
                                .wants_flags = any_flags,
                                .wants_call = wants_stub,
                                .moved = has_moved };
    struct replay r;
    struct err e = { 0 };
    str told;

    CHECK(replay_open(&r, path, &e));
    config = replay_config(&r);
    side_open(&side, &config);
    side.wanted = wanted;
    CHECK(replay_play(&r, side.m, &skip, &e));
    told = side_told(&side);
    told.p = memcpy(malloc(told.size + 1), told.p, told.size);
    seen.left_out += r.left_out;
    seen.skipped += r.skipped;
    CHECK(r.ended && !replay_is_damaged(&r));
    side_close(&side);
    replay_close(&r);
    return told;
}

static void what_nobody_wants_may_be_left_out(void)
{
    static struct world w;
    char room[300];
    str path = temp_path(room, sizeof(room));
    uint64_t late = seen.late;

    tame = true;
    seen.left_out = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        world_open(&w, path, seed);
        for (uint32_t i = 200 + random_u32() % 400; i > 0; i--) {
            world_act(&w);
        }
        side_told(&w.live);
        world_close(&w);
        for (int i = 0; i < 3; i++) {
            uint32_t wanted = random_u32() & random_u32() & random_u32();
            str thin = told_of(path, wanted, false);
            str whole = told_of(path, wanted, true);

            if (!str_eq(thin, whole)) {
                say_difference(whole, thin, seed);
            }
            CHECK(str_eq(thin, whole));
            free((char *)(uintptr_t)thin.p);
            free((char *)(uintptr_t)whole.p);
        }
    }
    tame = false;
    unlink(room);
    printf("      %llu calls left out, %llu bytes passed over, late %llu\n",
           (unsigned long long)seen.left_out, (unsigned long long)seen.skipped,
           (unsigned long long)(seen.late - late));
    CHECK(seen.left_out > 10000 && seen.late - late > 1000);
}

static void any_world_is_told_again_as_it_was(void)
{
    for (uint64_t seed = 1; seed <= 300; seed++) {
        one_world(seed);
    }
    printf("      %llu lines; late %llu, unanswered %llu, full %llu, damaged "
           "%llu, data lost %llu, times %llu, chunks %llu\n",
           (unsigned long long)seen.lines, (unsigned long long)seen.late,
           (unsigned long long)seen.unanswered, (unsigned long long)seen.full,
           (unsigned long long)seen.damaged, (unsigned long long)seen.data_lost,
           (unsigned long long)seen.times, (unsigned long long)seen.chunks);
    CHECK(seen.lines > 100000 && seen.chunks > 1000);
    CHECK(seen.late > 1000 && seen.unanswered > 100);
    CHECK(seen.full > 10 && seen.damaged > 10 && seen.data_lost > 10);
    CHECK(seen.times > 10);
    for (enum op op = OP_ENTRY; op <= OP_COMPLETION; op++) {
        CHECK(seen.ops[op] > 1000);
    }
    for (enum op op = OP_THREAD_OPEN; op <= OP_RAN; op++) {
        CHECK(seen.ops[op] > 1000);
    }
    for (enum op op = OP_PROCESS; op <= OP_CLOCK; op++) {
        CHECK(seen.ops[op] >= 300);
    }
}

int main(void)
{
    const struct test tests[] = {
        TEST(a_number_comes_back_at_every_limit),
        TEST(a_number_without_an_end_is_none),
        TEST(facts_come_back_whatever_they_are),
        TEST(records_of_all_kinds_come_back),
        TEST(the_padding_of_data_becomes_zeros),
        TEST(what_could_not_begin_does_not_end_well),
        TEST(a_process_that_was_given_up_is_told_of_once),
        TEST(any_world_is_told_again_as_it_was),
        TEST(what_nobody_wants_may_be_left_out),
    };

    return check_run(tests, COUNT_OF(tests));
}
