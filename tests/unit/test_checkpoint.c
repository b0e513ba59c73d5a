/* SPDX-License-Identifier: MIT */
/*
 * test_checkpoint - model/checkpoint.c, archive.c and what handles.c saves.
 *
 * That a model goes on from a checkpoint as if nothing had happened is shown by
 * again.h: here for worlds made at random, in the test_again_* for all that
 * other tests do.
 */
#include "unit/again.h"

#include "unit/trace.h"

#include <time.h>

#define AT_ATTRIBUTES 0x1000
#define AT_STRING 0x2000
#define AT_TEXT 0x3000
#define AT_OUT 0x5000
#define AT_BLOCK 0x5200
#define AT_BUFFER 0x6000
#define AT_CLIENT 0x7000

static struct chunk c;

/* --- Worlds made at random -------------------------------------------------- */

#define PROCESSES 4
#define THREADS 7
#define DONE 8

/* A pending call that a completion may be of. */
struct begun {
    uint64_t began;
    uint64_t block;
    uint32_t tid;
    uint32_t number;
};

static struct {
    struct trace *t;
    struct model_process *processes[PROCESSES];
    struct model_thread *threads[THREADS];
    uint32_t tids[THREADS];
    uint32_t owner[THREADS];
    struct begun begun[DONE];
    uint32_t begun_count;
    uint64_t us;
    uint32_t ids;
} w;

static uint32_t any(uint32_t sides)
{
    return again_random(sides);
}

static uint64_t any_handle(void)
{
    return any(12) == 0 ? (uint64_t)-1 - any(2) : 0x40 + 4 * any(10);
}

static uint64_t any_below(void)
{
    return 0x100 - 0x20 * any(4);
}

static void data(uint32_t number, uint64_t below, uint32_t flags, uint32_t op,
                 uint64_t address, const void *bytes, uint32_t size)
{
    chunk_data(&c, w.us, number, below, flags, op, address, bytes, size);
}

static void put_words(uint64_t *words, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        words[i] = 0;
    }
}

/* An OBJECT_ATTRIBUTES with a name, sometimes below a root. */
static void attributes(uint32_t number, uint64_t below)
{
    static const char *names[] = { "\\??\\C:\\a", "b", "\\Registry\\Machine",
                                   "\\Device\\Afd\\Endpoint", "" };
    const char *name = names[any(COUNT_OF(names))];
    uint64_t words[6];
    uint16_t units[32];
    uint32_t size = (uint32_t)strlen(name) * 2;

    put_words(words, 6);
    words[0] = 0x30;
    words[1] = any(3) == 0 ? any_handle() : 0;
    words[2] = AT_STRING;
    data(number, below, 0, 1, AT_ATTRIBUTES, words, sizeof(words));
    words[0] = size | (uint64_t)size << 16;
    words[1] = AT_TEXT;
    data(number, below, 0, 2, AT_STRING, words, 16);
    for (uint32_t i = 0; name[i]; i++) {
        units[i] = (uint8_t)name[i];
    }
    if (size > 0) {
        data(number, below, 0, 3, AT_TEXT, units, size);
    }
}

/* What sockets are told with: codes of Wine, whose structures are small. */
static void control(uint64_t below, uint64_t *args)
{
    static const uint64_t codes[] = { 0x120320, 0x12032c, 0x120324,
                                      0x12003,  0x1201f,  0x120360 };
    static const uint32_t tcp[3] = { 2, 1, 6 };
    static const uint8_t address[24] = { 0, 0, 0, 0,  0,   0, 0, 0,
                                         2, 0, 0, 80, 127, 0, 0, 1 };

    args[5] = codes[any(COUNT_OF(codes))];
    args[6] = AT_BUFFER;
    args[7] = 24;
    args[8] = AT_BUFFER + 0x100;
    args[9] = 24;
    if (args[5] == codes[0]) {
        data(N_CONTROL, below, 0, 1, AT_BUFFER, tcp, sizeof(tcp));
    } else {
        data(N_CONTROL, below, 0, 1, AT_BUFFER, address, sizeof(address));
    }
}

static void enter(uint32_t i)
{
    static const uint32_t numbers[] = {
        N_OPEN_FILE,
        N_OPEN_FILE,
        N_CREATE_FILE,
        N_OPEN_KEY,
        N_CLOSE,
        N_CLOSE,
        N_DUPLICATE,
        N_DUPLICATE,
        N_CONTROL,
        N_CONTROL,
        N_READ_FILE,
        N_READ_FILE,
        N_OPEN_THREAD,
        N_DELAY,
        N_OPEN_PROCESS,
        N_CREATE_EVENT,
        N_SET_FILE,
        N_CREATE_PIPE,
        N_MESSAGE,
        N_CREATE_SECTION,
        N_YIELD,
        N_CONTINUE,
        N_RAISE,
        N_SET_CONTEXT,
        N_TERMINATE_THREAD,
        N_TERMINATE_PROCESS,
        N_STRANGE,
        N_COMPLETION,
    };
    uint32_t number = numbers[any(COUNT_OF(numbers))];
    uint64_t below = any_below();
    uint64_t args[17];
    uint64_t client[2] = { 32 + 8 * any(3), any(2) ? w.tids[any(THREADS)] : 0 };
    uint32_t count = 11;

    put_words(args, 17);
    args[0] = any_handle();
    switch (number) {
    case N_OPEN_FILE:
    case N_CREATE_FILE:
    case N_OPEN_KEY:
    case N_CREATE_EVENT:
    case N_CREATE_PIPE:
    case N_CREATE_SECTION:
        args[0] = AT_OUT;
        args[1] = 0x80100000;
        args[2] = AT_ATTRIBUTES;
        args[3] = AT_BLOCK;
        attributes(number, below);
        break;
    case N_OPEN_THREAD:
    case N_OPEN_PROCESS:
        args[0] = AT_OUT;
        args[1] = 0x1fffff;
        args[3] = AT_CLIENT;
        data(number, below, 0, 1, AT_CLIENT, client, 16);
        break;
    case N_DUPLICATE:
        args[1] = any_handle();
        args[2] = any(2) ? (uint64_t)-1 : any_handle();
        args[3] = AT_OUT;
        args[6] = any(4);
        break;
    case N_CONTROL:
        args[4] = AT_BLOCK + 16 * any(4);
        control(below, args);
        break;
    case N_READ_FILE:
        args[4] = AT_BLOCK + 16 * any(4);
        args[5] = AT_BUFFER;
        args[6] = 64;
        count = 9;
        break;
    case N_TERMINATE_THREAD:
    case N_TERMINATE_PROCESS:
        args[0] = any(2) ? 0 : args[0];
        args[1] = any(3);
        count = 2;
        break;
    default:
        break;
    }
    if (any(3) == 0) {
        uint8_t stack[STACK_REGISTERS + 64];

        memset(stack, (int)number, sizeof(stack));
        data(number, below, RECORD_STACK, STACK_OP,
             STACK - below - STACK_REGISTERS, stack, sizeof(stack));
    }
    chunk_call(&c, w.us, number, below, count, args);
    if (any(4) > 0) {
        feed(w.threads[i], &c);
    }
    /* And comes back, mostly at once. */
    if (any(3) > 0) {
        static const uint32_t results[] = { 0,          0,         0,
                                            0,          0x103,     0xc0000022,
                                            0xc0000008, 0xc00000a3 };
        uint32_t result = results[any(COUNT_OF(results))];
        uint64_t out = any_handle();

        w.us += any(4);
        data(number, below, RECORD_AT_RETURN, 0x20000, AT_OUT, &out, 8);
        data(number, below, RECORD_AT_RETURN, 0x30000, AT_BUFFER + 0x100, &out,
             4);
        chunk_return(&c, w.us, number, STACK, below, result);
        if (result == 0x103) {
            w.begun[w.begun_count++ % DONE] =
                (struct begun){ w.us, args[4], w.tids[i], number };
        }
    }
    feed(w.threads[i], &c);
}

static void complete(uint32_t i)
{
    const struct begun *b = &w.begun[any(DONE)];

    if (b->tid == 0) {
        return;
    }
    if (any(2)) {
        data(b->number, 0x40, RECORD_AT_COMPLETION, 0x20000, AT_BUFFER, "hello",
             5);
    }
    chunk_completion(&c, w.us, b->number, 0x40, b->began, b->tid, b->block,
                     any(2) ? 0 : 0xc0000120, 5);
    feed(w.threads[i], &c);
}

static void orphan(uint32_t i)
{
    struct journal_answer answer = { .number_known = any(3) > 0,
                                     .number = (uint16_t)any(N_COUNT),
                                     .more_count = (uint8_t)any(3),
                                     .argument = any_handle(),
                                     .caller = 0x1f0000 + any(16) };

    if (any(2)) {
        chunk_return_at(&c, w.us, 0x1f0000 + any(16), STACK, any_below(), 0,
                        RECORD_ORPHAN | RECORD_WAITS);
        feed(w.threads[i], &c);
    }
    if (any(3) > 0) {
        tell_answer(w.threads[i], &answer);
    }
}

static void transition(uint32_t i)
{
    uint64_t words[TRANSITION_WORDS_MAX];

    put_words(words, TRANSITION_WORDS_MAX);
    words[0] = 0xc0000005;
    words[2] = 0x140000000 + any(0x20000);
    words[3] = 0x1f0000;
    words[4] = stub_at(any(N_COUNT)) + 0x14;
    words[5] = STACK - any_below();
    chunk_transition(&c, w.us, (enum transition)any(TRANSITION_COUNT),
                     any_below(), 0, any(15), words);
    feed(w.threads[i], &c);
}

static void stubs(struct model_process *p, uint64_t at)
{
    static char room[JOURNAL_ROOM];
    struct buf b = BUF_OVER(room);
    struct journal_stub_row rows[] = {
        { 0, N_CLOSE, (uint8_t)any(4), STR("NtClose") },
        { 0x20, N_OPEN_FILE, (uint8_t)any(4), STR("NtOpenFile") },
        { 0x40, (uint16_t)(100 + any(3)), (uint8_t)any(4), STR("NtReadFile") },
    };

    journal_stubs(&b, at, STUBS + 0x10000 * (1 + any(3)), 7 + any(2),
                  STR("win32u.dll"), rows, COUNT_OF(rows) - any(2));
    tell_record(p, &b);
}

static void journal(struct model_process *p)
{
    static const char *names[] = { "a.dll", "b.dll", "A.DLL", "" };
    static char room[JOURNAL_ROOM];
    struct buf b = BUF_OVER(room);
    uint64_t at = (w.us + any(40)) * TICKS;
    uint64_t base = 0x150000000 + 0x8000ull * any(6);
    struct journal_clock clock = { .head.time = at,
                                   .ns = (int64_t)at,
                                   .hz = any(20) == 0 ? TICKS * 1000000 : 0 };

    switch (any(10)) {
    case 0:
    case 1:
        journal_module(
            &b, at, &(struct journal_module){ .base = base, .size = 0x10000 },
            str_of(names[any(4)]), STR(""));
        tell_record(p, &b);
        break;
    case 2:
        journal_unmodule(&b, at, base);
        tell_record(p, &b);
        break;
    case 8:
        journal_file(&b, at, base, str_of(names[any(4)]));
        tell_record(p, &b);
        break;
    case 3:
        tell_place_at(p, at, base - 0x4000, base, (enum place_kind)any(5),
                      str_of(names[any(4)]));
        break;
    case 4:
        stubs(p, at);
        break;
    case 5:
        journal_handle(&b, at, any_handle(), any(2), STR("Process"),
                       any(2) ? STR("40 x.exe") : STR("x"), STR(""));
        tell_record(p, &b);
        break;
    case 7:
        tell_child(p, 40, any(2), (enum child_fate)any(CHILD_FATES), 5,
                   STR("C:\\x.exe"), STR("x"), STR("why"), at);
        break;
    case 6:
        if (any(4) == 0) {
            tell_lost_of(p, (enum model_lost)any(LOST_COUNT), 3, at);
        } else {
            tell_notice_of(p, NOTICE_PATCHES_LOST, at);
        }
        break;
    default:
        journal_clock(&b, &clock);
        tell_record(p, &b);
        break;
    }
}

static void open_thread(uint32_t i)
{
    uint32_t of = any(PROCESSES);

    w.owner[i] = of;
    w.tids[i] = 1000 + 4 * w.ids++;
    w.threads[i] =
        model_thread_open(w.processes[of], w.tids[i], any(3), w.us * TICKS);
    CHECK(w.threads[i] != NULL);
}

static void open_one(uint32_t of)
{
    static char room[JOURNAL_ROOM];
    struct buf b = BUF_OVER(room);
    struct journal_process r = { .head.time = (w.us + any(20)) * TICKS,
                                 .pid = 32 + 8 * of,
                                 .parent = 4 * any(20),
                                 .parent_tid = any(3),
                                 .how = (uint8_t)any(PROCESS_HOWS),
                                 .mode = (uint8_t)any(3),
                                 .width = any(4) ? 8 : 4 };

    journal_process(&b, &r, any(2) ? STR("C:\\dir\\x.exe") : STR(""), STR(""));
    w.processes[of] = model_process_open(w.t->m, b.p, b.size);
    CHECK(w.processes[of] != NULL);
    add_places(w.processes[of]);
    CHECK(add_stubs_as(w.processes[of], r.mode == MODE_PATCHED));
}

static void end_thread(uint32_t i)
{
    if (any(2)) {
        tell_thread_end(w.threads[i], any(3), (w.us + any(20)) * TICKS);
    } else {
        tell_thread_gone(w.threads[i], w.us * TICKS);
    }
    open_thread(i);
}

/* Neither it nor its threads are to be used again. */
static void end_one(uint32_t of)
{
    tell_process_over(w.processes[of], any(3), (w.us + any(20)) * TICKS);
    open_one(of);
    for (uint32_t i = 0; i < THREADS; i++) {
        if (w.owner[i] == of) {
            open_thread(i);
        }
    }
}

static void happen(void)
{
    uint32_t i = any(THREADS);

    w.us += any(3);
    switch (any(20)) {
    case 0:
    case 1:
        complete(i);
        break;
    case 2:
    case 3:
        orphan(i);
        break;
    case 4:
        transition(i);
        break;
    case 5:
    case 6:
        journal(w.processes[any(PROCESSES)]);
        break;
    case 7:
        if (any(3) == 0) {
            end_thread(i);
        } else if (any(8) == 0) {
            end_one(w.owner[i]);
        } else if (any(8) == 0) {
            tell_thread_lost(w.threads[i], (enum model_lost)any(LOST_COUNT), 2);
        }
        break;
    case 8:
    case 9:
        model_thread_bound(w.threads[i], (w.us - any(5)) * TICKS);
        break;
    case 10:
    case 11:
        for (uint32_t k = 0; k < THREADS; k++) {
            if (any(4) > 0) {
                model_thread_bound(w.threads[k], w.us * TICKS);
            }
        }
        model_run(w.t->m, w.us * TICKS);
        break;
    default:
        enter(i);
        break;
    }
}

static void begin(bool no_handles)
{
    struct text_options options = { .always_pid = true };
    struct model_config config = { .hold = 50 * TICKS,
                                   .queue_bytes = 65536,
                                   .memory_total = 6000,
                                   .system = { .wine = any(2) },
                                   .no_handles = no_handles };
    struct journal_clock clock = { .hz = TICKS * 1000000 };
    static char room[JOURNAL_ROOM];
    struct buf b = BUF_OVER(room);

    memset(&w, 0, sizeof(w));
    c.size = 0;
    w.us = 10;
    w.t = trace_open_with(MODE_PATCHED, &options, &config, NULL);
    journal_clock(&b, &clock);
    CHECK(model_clock_set(w.t->m, b.p, b.size));
    w.processes[0] = w.t->p;
    for (uint32_t i = 1; i < PROCESSES; i++) {
        open_one(i);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        open_thread(i);
    }
}

static void the_rest_is_told_in_the_same_words(void)
{
    for (int round = 0; round < 60 && !check_bad; round++) {
        begin(round % 10 == 9);
        for (int i = 0; i < 250; i++) {
            happen();
        }
        model_flush(w.t->m);
        trace_close(w.t);
    }
}

/* Threads of which nothing is known but that they are there, by the thousand:
 * who comes first among equals is still the same. */
static void who_comes_first_among_equals_comes_first(void)
{
    begin(false);
    for (uint32_t i = 0; i < 400; i++) {
        struct model_thread *t =
            model_thread_open(w.processes[any(PROCESSES)], 5000 + i, 1, 0);

        chunk_entry(&c, 20 + any(3), N_CLOSE, STACK, 0x100, 0x40 + i, 0, 0);
        feed(t, &c);
        model_thread_bound(t, 100 * TICKS);
    }
    model_run(w.t->m, 21 * TICKS);
    model_flush(w.t->m);
    trace_close(w.t);
}

/* --- Bytes ------------------------------------------------------------------ */

/* A model with something of everything in it, saved. */
static uint8_t *saved_world(struct again_log *log, size_t *size)
{
    uint8_t *bytes;

    again_state = 4711;
    begin(false);
    /* Small, so that each of its bytes can be changed in each way. */
    for (int i = 0; i < 60; i++) {
        happen();
    }
    *log = (struct again_log){ .config = w.t->m->config };
    bytes = model_save(w.t->m, size);
    CHECK(bytes != NULL);
    trace_close(w.t);
    return bytes;
}

static uint8_t *copy_of(const uint8_t *bytes, size_t size)
{
    /* Of its exact size, for ASan. */
    uint8_t *copy = malloc(size ? size : 1);

    if (!copy) {
        abort();
    }
    memcpy(copy, bytes, size);
    return copy;
}

static void a_checkpoint_that_was_cut_is_none(void)
{
    struct again_log log;
    size_t size;
    uint8_t *bytes = saved_world(&log, &size);
    struct model *m = again_open(&log, true);

    for (size_t cut = 0; bytes && cut < size; cut++) {
        uint8_t *copy = copy_of(bytes, cut);

        if (model_load(m, copy, cut)) {
            printf("cut at %zu of %zu it is one\n", cut, size);
            check_bad++;
        }
        free(copy);
    }
    CHECK(model_load(m, bytes, size));
    model_close(m);
    free(bytes);
}

static void a_byte_that_was_changed_does_no_harm(void)
{
    static const uint8_t bits[] = { 0x01, 0x80, 0xff };
    struct again_log log;
    size_t size;
    uint8_t *bytes = saved_world(&log, &size);

    for (size_t i = 0; bytes && i < size * COUNT_OF(bits); i++) {
        uint8_t *copy = copy_of(bytes, size);

        copy[i / COUNT_OF(bits)] ^= bits[i % COUNT_OF(bits)];
        again_damaged(&log, copy, size);
        free(copy);
    }
    free(bytes);
}

static void what_is_no_checkpoint_empties_the_model(void)
{
    struct again_log log;
    size_t size;
    uint8_t *bytes = saved_world(&log, &size);
    struct model *m = again_open(&log, true);
    uint8_t *longer = calloc(1, size + 1);

    CHECK(model_load(m, bytes, size));
    CHECK(m->processes != NULL && m->threads != NULL && m->heap_count > 0);
    if (longer) {
        memcpy(longer, bytes, size);
        CHECK(!model_load(m, longer, size + 1));
    }
    CHECK(!m->processes && !m->threads && !m->stub_tables);
    CHECK_U64(m->heap_count, 0);
    CHECK_U64(m->call_id, 0);
    CHECK_U64(m->object_bytes + m->memory + m->room + m->counts.queued, 0);
    bytes[0]++;  // the version
    CHECK(!model_load(m, bytes, size));
    bytes[0]--;
    CHECK(model_load(m, bytes, size));
    model_close(m);
    free(longer);
    free(bytes);
}

/* It would go on otherwise. */
static void another_configuration_is_refused(void)
{
    for (int i = 0; i < 8; i++) {
        struct trace *t = trace_open(MODE_PATCHED);
        struct again_log log = { .config = t->m->config };
        struct model_config *config = &log.config;
        struct model *m;
        size_t size;
        uint8_t *bytes = model_save(t->m, &size);

        config->system.wine ^= i == 1;
        config->system.build += i == 2;
        config->hold += i == 3;
        config->queue_bytes += i == 4;
        config->queue_total += i == 5;
        config->memory_total += i == 6;
        config->no_handles ^= i == 7;
        m = again_open(&log, true);
        CHECK(bytes && model_load(m, bytes, size) == (i == 0));
        free(bytes);
        model_close(m);
        trace_close(t);
    }
}

/* --- Numbers ------------------------------------------------------------------ */

/* Not as a whole: what lies between its fields stays as it was. */
static void odd_blame(struct blame *b, uint32_t n)
{
    b->any = true;
    b->code = n;
}

static void odd_process(struct model_process *p)
{
    p->main_tid = 1001;
    p->places_next = 7;
    p->places_told = 1002;
    for (uint64_t i = 0; i < SOCKETS_BEGUN; i++) {
        p->begun[i] = 2000 + i;
    }
    p->begun_next = 1003;
    p->ending = true;
    p->end_code = 1004;
    p->end_at = 1005;
    odd_blame(&p->own_end, 1006);
    odd_blame(&p->foreign_end, 1007);
    p->end_tid = 1008;
    p->fault_known = true;
    p->fault = 1009;
    p->unheard = true;
    p->self->end_at = 1010;
}

static void odd_thread(struct model_thread *t)
{
    t->bound = 3001;
    t->queue.last = 3002;
    t->end_silent = true;
    t->end_known = true;
    t->end_code = 3003;
    t->end_at = 3004;
    t->answers_owed = 3005;
    t->seen_generation = 3006;
    t->in_kernel = 3007;
    t->gone_stub = t->process->by_number[N_CLOSE];
    t->gone_rsp = 3008;
    odd_blame(&t->own_end, 3009);
    odd_blame(&t->foreign_end, 3010);
    t->exception = true;
    t->exception_status = 3011;
    t->exception_rsp = 3012;
    t->exception_stack = 3013;
    t->pieces.any = true;
    t->pieces.rsp = 3014;
    t->pieces.number = 3015;
    t->pieces.at = 2;
    t->pieces.op = 3016;
    t->pieces.end = 3017;
}

static void odd_call(struct call *call)
{
    call->underway = true;
    call->late = true;
    call->caused = true;
    call->caller = 8001;
    call->rsp = 8002;
    call->stack_base = 8003;
    call->entry_time = 8004;
}

/* With no pointers, which may be others. */
static void bare_call(struct call *to, const struct call *from)
{
    CHECK(from->stub && from->handles == from->process->handles);
    memcpy(to, from, sizeof(*to));
    to->stub = NULL;
    to->process = NULL;
    to->handles = NULL;
}

static void same_call(const struct call *a, const struct call *b)
{
    struct call calls[2];

    bare_call(&calls[0], a);
    bare_call(&calls[1], b);
    CHECK(memcmp(&calls[0], &calls[1], sizeof(calls[0])) == 0);
}

/* Of what is there in both, or may not be the same, nothing is left. */
static void put_out(struct model *m)
{
    struct model_process *p = m->processes;
    struct model_thread *t = m->threads;
    const uint64_t last = t->queue.last;

    CHECK_STR(t->gone_stub ? t->gone_stub->name : STR(""), STR("NtClose"));
    t->gone_stub = NULL;
    t->model = NULL;
    t->process = NULL;
    t->answers_end = NULL;
    memset(&t->queue, 0, sizeof(t->queue));
    t->queue.last = last;
    t->key = 0;           // it is in no heap
    t->bound_tapped = 0;  // a tap hears of what comes now
    t->wait_key = 0;      // nor is it waited for
    t->wait_at = 0;
    t->open = NULL;
    t->open_room = 0;
    p->pending = NULL;
    p->model = NULL;
    p->mapped = NULL;
    p->mapped_room = 0;
    memset(p->by_number, 0, sizeof(p->by_number));
    p->modules = NULL;
    p->module_room = 0;
    p->handles = NULL;
    for (size_t i = 0; i < PLACES_KEPT; i++) {
        const struct known_place was = p->places[i];
        struct known_place *place = &p->places[i];

        /* Nor what lies between its fields. */
        memset(place, 0, sizeof(*place));
        place->base = was.base;
        place->size = was.size;
        place->origin = was.origin;
        place->order = was.order;
        place->kind = was.kind;
        place->name.size = was.name.size;
    }
    p->image.p = NULL;
    memset(&p->journal, 0, sizeof(p->journal));
    p->self = NULL;
    memset(&m->out, 0, sizeof(m->out));
    m->stub_tables = NULL;
    m->processes = NULL;
    m->threads = NULL;
    m->heap = NULL;
    m->heap_room = 0;
    m->waiting = NULL;
    m->waiting_count = 0;
    m->waiting_room = 0;
    m->open_bytes = 0;  // there is less room than there was
    m->text = NULL;
    m->room = 0;
    m->steps = 0;  // of this run
}

/* What a struct has beside what follows from the rest; a field that is new and
 * not saved is not the same here. */
static void each_number_comes_back(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct again_log log = { .config = t->m->config };
    struct model *m = again_open(&log, true);
    struct model_thread *a = add_thread(t, 36);
    struct model copies[2] = { *t->m };
    struct model_process processes[2];
    struct model_thread threads[2];
    uint64_t *counts = &t->m->counts.records;
    const uint64_t args[9] = { 0x50, 0, 0, 0, AT_BLOCK, AT_BUFFER, 64 };
    size_t size;
    uint8_t *bytes;

    again_leave_out(t->m);
    chunk_call(&c, 1, N_READ_FILE, 0x100, COUNT_OF(args), args);
    chunk_return(&c, 2, N_READ_FILE, STACK, 0x100, 0x100000103);
    chunk_entry(&c, 3, N_DELAY, STACK, 0x100, 1, 2, 0);
    feed(a, &c);
    model_flush(t->m);
    CHECK(t->p->pending_count == 1 && a->open_count == 1);
    odd_call(&a->open[0].call);
    a->open[0].generation = 8005;
    odd_call(&t->p->pending->open.call);
    t->p->pending->open.call.rip = 8006;
    process_set_image(t->p, STR("C:\\x.exe"));
    odd_process(t->p);
    odd_thread(a);
    for (uint64_t i = 0; i < 9; i++) {
        counts[i] = 4000 + i;
    }
    CHECK(&counts[9] == &t->m->counts.data_lost + 1);
    clock_init(&t->m->clock, 5000, 5001, -5002);
    clock_add(&t->m->clock, 6000, 6001);
    t->m->call_id = 7000;
    t->m->told = 7001;
    t->m->now = 7002;
    t->m->identities = 7003;
    t->m->pipes = 7004;
    bytes = model_save(t->m, &size);
    CHECK(bytes && model_load(m, bytes, size));
    if (m->threads && m->processes->pending) {
        CHECK_U64(m->threads->open[0].generation, 8005);
        same_call(&m->threads->open[0].call, &a->open[0].call);
        same_call(&m->processes->pending->open.call, &t->p->pending->open.call);
    }
    for (int i = 0; bytes && i < 2; i++) {
        struct model *of = i == 0 ? t->m : m;
        struct model was = *of;

        /* With what lies between their fields. */
        memcpy(&processes[i], of->processes, sizeof(processes[i]));
        memcpy(&threads[i], of->threads, sizeof(threads[i]));
        copies[i] = was;
        copies[i].processes = &processes[i];
        copies[i].threads = &threads[i];
        put_out(&copies[i]);
    }
    CHECK(memcmp(&copies[0], &copies[1], sizeof(copies[0])) == 0);
    CHECK(memcmp(&processes[0], &processes[1], sizeof(processes[0])) == 0);
    CHECK(memcmp(&threads[0], &threads[1], sizeof(threads[0])) == 0);
    free(bytes);
    /* Time that goes back would be a division by nothing, or worse. */
    t->m->clock.points[1].tsc = 5000;
    CHECK(model_save(t->m, &size) == NULL);
    model_close(m);
    trace_close(t);
}

/* --- Who replays ------------------------------------------------------------ */

static void hear_id(void *ctx, const struct call *call)
{
    struct buf *b = ctx;

    buf_addf(b, "%u.%llu ", call->tid, (unsigned long long)call->id);
}

static void threads_are_found_again_and_open_calls_told(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);
    struct model_thread *b = add_thread(t, 44);
    struct model_process *p = add_process(t, 40, MODE_PATCHED);
    struct again_log log = { .config = t->m->config };
    struct model *m = again_open(&log, true);
    char room[200];
    struct buf heard = BUF_OVER(room);
    size_t size;
    uint8_t *bytes;

    chunk_entry(&c, 1, N_DELAY, STACK, 0x100, 1, 2, 0);
    chunk_entry(&c, 3, N_CLOSE, STACK, 0x200, 1, 2, 0);
    feed(b, &c);
    chunk_entry(&c, 2, N_DELAY, STACK, 0x100, 1, 2, 0);
    chunk_entry(&c, 4, N_CLOSE, STACK, 0x200, 1, 2, 0);
    chunk_return(&c, 5, N_CLOSE, STACK, 0x200, 0);
    feed(a, &c);
    model_flush(t->m);
    bytes = model_save(t->m, &size);
    CHECK(bytes && model_load(m, bytes, size));
    CHECK_U64(model_thread_order(b), 2);
    CHECK_U64(model_process_order(p), 3);
    CHECK(model_thread_at(m, 1) && model_thread_at(m, 1)->tid == 36);
    CHECK(model_thread_at(m, 2) && model_thread_at(m, 2)->tid == 44);
    CHECK(model_process_at(m, 3) && model_process_at(m, 3)->pid == 40);
    CHECK(!model_thread_at(m, 3) && !model_process_at(m, 2));
    CHECK(model_thread_after(m, NULL) == model_thread_at(m, 2));
    CHECK(model_thread_after(m, model_thread_at(m, 2)) ==
          model_thread_at(m, 1));
    CHECK(!model_thread_after(m, model_thread_at(m, 1)));
    CHECK(model_process_after(m, NULL) == model_process_at(m, 3));
    CHECK(model_thread_process(model_thread_at(m, 1)) ==
          model_process_at(m, 0));
    m->out.ctx = &heard;
    m->out.enter = hear_id;
    CHECK(model_tell_open(m));
    CHECK_STR(buf_str(&heard), STR("44.1 36.2 44.3 "));
    free(bytes);
    model_close(m);
    trace_close(t);
}

/* --- How much ----------------------------------------------------------------- */

static void there_is_an_end_to_a_checkpoint(void)
{
    static char name[OBJECT_NAME_MAX];
    struct trace *t = trace_open(MODE_PATCHED);
    size_t size;
    uint8_t *bytes;

    again_leave_out(t->m);
    memset(name, 'x', sizeof(name));
    for (uint64_t i = 1; i < 200; i++) {
        bytes = i % 40 == 0 ? model_save(t->m, &size) : NULL;
        CHECK(i % 40 != 0 || (bytes != NULL) == (i < 170));
        free(bytes);
        handles_add(t->p->handles, 4 * i, STR("File"),
                    (str){ name, sizeof(name) }, STR(""), true, 0);
    }
    CHECK(model_save(t->m, &size) == NULL);
    trace_close(t);
}

/* As many processes as there may be are loaded as well. */
static void what_is_loaded_is_bounded(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct again_log log = { .config = t->m->config };
    struct model *m = again_open(&log, true);
    uint32_t count = 1;
    size_t size = 0;
    uint8_t *bytes;

    again_leave_out(t->m);
    while (count < 10000 && open_process(t->m, count, MODE_PATCHED)) {
        count++;
    }
    CHECK_U64(count, PROCESSES_MOST);
    bytes = model_save(t->m, &size);
    CHECK(bytes && model_load(m, bytes, size));
    CHECK(!open_process(m, count, MODE_PATCHED));
    free(bytes);
    model_close(m);
    trace_close(t);
}

/* For who looks: what a checkpoint of a usual process costs. */
static void a_usual_one_is_small(void)
{
    static struct journal_stub_row rows[2000];
    static char names[2000][32];
    static char room[200000];
    struct buf b = BUF_OVER(room);
    struct trace *t = trace_open(MODE_PATCHED);
    struct again_log log = { .config = t->m->config };
    struct model *m = again_open(&log, true);
    struct timespec from;
    struct timespec to;
    size_t size = 0;
    uint8_t *bytes = NULL;
    double save;
    double load;

    again_leave_out(t->m);
    for (uint32_t i = 0; i < 2000; i++) {
        struct buf name = BUF_OVER(names[i]);

        buf_addf(&name, "Nt%sMakeThing%u", i < 500 ? "" : "UserAll", i);
        rows[i] =
            (struct journal_stub_row){ 32 * i, (uint16_t)i, 1, buf_str(&name) };
    }
    journal_stubs(&b, 0, 0x7ff000000, 9, STR("ntdll.dll"), rows, 500);
    CHECK(tell_record(t->p, &b));
    b.size = 0;
    journal_stubs(&b, 0, 0x7fe000000, 10, STR("win32u.dll"), rows + 500, 1500);
    CHECK(tell_record(t->p, &b));
    for (uint64_t i = 0; i < 30; i++) {
        process_module_add(t->p, 0x7d0000000 + 0x100000 * i, 0x80000,
                           STR("some-module.dll"));
    }
    for (uint64_t i = 1; i <= 500; i++) {
        handles_add(t->p->handles, 4 * i, STR("File"),
                    STR("\\??\\C:\\windows\\system32\\some-file.txt"),
                    STR("C:\\windows\\system32\\some-file.txt"), true, 0);
    }
    model_flush(t->m);
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = 0; i < 20; i++) {
        free(bytes);
        bytes = model_save(t->m, &size);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    save = (double)(to.tv_sec - from.tv_sec) * 1e6 +
           (double)(to.tv_nsec - from.tv_nsec) / 1e3;
    clock_gettime(CLOCK_MONOTONIC, &from);
    CHECK(bytes && model_load(m, bytes, size));
    clock_gettime(CLOCK_MONOTONIC, &to);
    load = (double)(to.tv_sec - from.tv_sec) * 1e6 +
           (double)(to.tv_nsec - from.tv_nsec) / 1e3;
    printf("%zu bytes; saved in %.0f us, loaded in %.0f us\n", size, save / 20,
           load);
    CHECK(size < 200000);
    free(bytes);
    model_close(m);
    trace_close(t);
}

int main(void)
{
    const struct test tests[] = {
        TEST(the_rest_is_told_in_the_same_words),
        TEST(who_comes_first_among_equals_comes_first),
        TEST(a_checkpoint_that_was_cut_is_none),
        TEST(a_byte_that_was_changed_does_no_harm),
        TEST(what_is_no_checkpoint_empties_the_model),
        TEST(another_configuration_is_refused),
        TEST(each_number_comes_back),
        TEST(threads_are_found_again_and_open_calls_told),
        TEST(there_is_an_end_to_a_checkpoint),
        TEST(what_is_loaded_is_bounded),
        TEST(a_usual_one_is_small),
    };

    return check_run(tests, COUNT_OF(tests));
}
