/* SPDX-License-Identifier: MIT */
/*
 * make_trace - writes a recording of a program that never was.
 *
 *     make_trace FILE [CALLS [THREADS [NUMBERS [DATA [SEED [COMPRESS]]]]]]
 *
 * CALLS (1000) are made by THREADS (4) threads in turns, of NUMBERS (40)
 * different system calls; every second one has up to DATA (64) bytes of memory
 * copied. COMPRESS is always (as without it), never, or auto. The same arguments
 * make the same bytes.
 *
 *     make_trace --small FILE
 *
 *     make_trace --tree FILE [PROCESSES [CALLS [SEED]]]
 *
 * PROCESSES (100), TREE_AT_MOST at a time, started by one another, with ids that
 * come again; CALLS (5000) in all, many of which others fall into.
 *
 *     make_trace --hostile FILE
 *
 * A process that calls everything by names made to be taken for something else by
 * whoever shows them: markup, quotes, ends of lines, control characters, formulas,
 * SQL, halves of surrogate pairs. In each name is the word "harm".
 *
 *     make_trace --markup FILE
 *
 * The same for who makes pages: names, command lines and programs that would be
 * elements, scripts, ends of what they stand in, directions; and very long ones.
 *
 *     make_trace --files FILE [FILES [SEED]]
 *
 * FILES (1000) with names of which no two are alike: every second one is not there,
 * the others are written to, by bytes of any values, and closed.
 *
 * A little of everything that can be in a recording (--small): two processes, every
 * kind of record, of the journal, of notice. tests/golden/ keeps the one of
 * each version of the format.
 */
#include "decode/decode.h"
#include "record/about.h"
#include "record/recorder.h"
#include "tables/calls.h"
#include "wire/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uchar.h>

#define HZ UINT64_C(1000000000)
#define WALL (INT64_C(1795341240) * 1000000000)
#define STUBS UINT64_C(0x6ff100000)
#define STACK UINT64_C(0x230000)
#define BLOCK UINT64_C(0x22fe00)
#define THREADS_AT_MOST 64
#define NUMBERS_AT_MOST 500

struct maker {
    struct recorder recorder;
    struct model *model;
    struct model_thread *threads[THREADS_AT_MOST];
    uint64_t now;
    uint64_t random;
    uint8_t bytes[65536];  // records not fed yet
    size_t used;
    char journal[65536];
    /* What each number calls. */
    const struct call_facts *calls[NUMBERS_AT_MOST];
    uint32_t numbers;
};

static struct maker m;

static void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "make_trace: %s%s%s\n", what,
                m.recorder.failed ? ": " : "", m.recorder.why.text);
        exit(2);
    }
}

static uint64_t any(uint64_t below)
{
    m.random ^= m.random << 13;
    m.random ^= m.random >> 7;
    m.random ^= m.random << 17;
    return m.random % below;
}

/* --- Records ------------------------------------------------------------- */

static void put(uint64_t n)
{
    must(m.used + 8 <= sizeof(m.bytes), "too many records at once");
    memcpy(m.bytes + m.used, &n, 8);
    m.used += 8;
}

static void put_head(uint32_t size, enum record_kind kind, uint32_t flags,
                     uint32_t number)
{
    put(size | (uint64_t)kind << 32 | (uint64_t)flags << 40 |
        (uint64_t)number << 48);
    m.now += 100 + any(50);
    put(m.now);
}

static void entry(uint32_t number, uint64_t rsp, uint64_t stack, uint32_t count,
                  const uint64_t *args)
{
    uint32_t more = count > 4 ? count - 4 : 0;

    put_head(ENTRY_SIZE + 8 * more, RECORD_ENTRY, more, number);
    put(rsp);
    put(stack);
    put(0x140001000);
    for (uint32_t i = 0; i < 4 + more; i++) {
        put(i < count ? args[i] : 0);
    }
}

static void back(uint32_t number, uint64_t rsp, uint64_t stack, uint64_t result)
{
    put_head(RETURN_SIZE, RECORD_RETURN, 0, 0);
    put(STUBS + 32 * number + 0x14);
    put(rsp);
    put(result);
    put(stack);
}

static void orphan(uint64_t rip, uint64_t rsp, uint64_t stack, uint32_t flags)
{
    put_head(RETURN_SIZE, RECORD_RETURN, RECORD_ORPHAN | flags, 0);
    put(rip);
    put(rsp);
    put(0);
    put(stack);
}

static void data(uint32_t number, uint64_t rsp, uint32_t flags, uint32_t op,
                 uint64_t address, const void *bytes, uint32_t size)
{
    uint64_t words[32] = { 0 };
    uint32_t count = (size + 7) / 8;

    must(size <= sizeof(words), "too much data");
    memcpy(words, bytes, size);
    put_head(DATA_BYTES + 8 * count, RECORD_DATA, flags, number);
    put(rsp);
    put(address);
    put(size | (uint64_t)(op * 0x10000) << 32);
    for (uint32_t i = 0; i < count; i++) {
        put(words[i]);
    }
}

static void transition(enum transition kind, uint64_t rsp, uint64_t stack,
                       uint32_t count, const uint64_t *words)
{
    put_head(TRANSITION_WORDS + 8 * count, RECORD_TRANSITION, 0, kind);
    put(0x6ff200000);
    put(rsp);
    put(0);
    put(stack);
    for (uint32_t i = 0; i < count; i++) {
        put(words[i]);
    }
}

static void fed(struct model_thread *t)
{
    must(model_feed(t, m.bytes, m.used, UINT64_MAX) == m.used, "queue full");
    m.used = 0;
    model_thread_bound(t, m.now);
}

static void ran(void)
{
    model_run(m.model, m.now);
    recorder_turn(&m.recorder, m.now, false);
}

/* Nobody does anything for so many seconds: a chunk ends. */
static void pause_of(uint64_t seconds)
{
    m.now += seconds * HZ;
    ran();
}

/* --- The journal --------------------------------------------------------- */

static struct buf journal(void)
{
    return (struct buf){ m.journal, 0, sizeof(m.journal), false };
}

static void tell(struct model_process *p, const struct buf *b)
{
    must(!b->cut && model_journal(p, b->p, b->size), "no journal");
}

static void tell_thread(struct model_thread *t, const struct buf *b)
{
    must(!b->cut && model_thread_journal(t, b->p, b->size), "no journal");
}

static void clock_point(uint64_t tsc, int64_t ns, bool first)
{
    struct journal_clock c = { .head.time = tsc,
                               .ns = ns,
                               .hz = first ? HZ : 0,
                               .wall_ns = first ? WALL : 0 };
    struct buf b = journal();

    journal_clock(&b, &c);
    must(model_clock_set(m.model, b.p, b.size), "no clock");
}

static void begin_process(struct model_process *p)
{
    static struct journal_stub_row rows[NUMBERS_AT_MOST];
    struct buf b = journal();

    for (uint32_t i = 0; i < m.numbers; i++) {
        rows[i] = (struct journal_stub_row){ 32 * i, (uint16_t)i,
                                             JOURNAL_STUB_PATCHED,
                                             str_of(m.calls[i]->name) };
    }
    journal_module(&b, m.now,
                   &(struct journal_module){ .base = STUBS, .size = 0x1000000 },
                   STR("ntdll.dll"), STR("ntdll.pdb"));
    tell(p, &b);
    b = journal();
    journal_module(
        &b, m.now,
        &(struct journal_module){ .base = 0x140000000, .size = 0x10000 },
        STR("made up.exe"), STR(""));
    tell(p, &b);
    b = journal();
    journal_stubs(&b, m.now, STUBS, 1, STR("ntdll.dll"), rows, m.numbers);
    tell(p, &b);
}

/* `parent`: a thread of it, 36, has started it; 0: nobody that is traced. */
static struct model_process *open_process(uint32_t pid, enum model_mode mode,
                                          uint32_t parent)
{
    struct journal_process r = { .head.time = m.now,
                                 .pid = pid,
                                 .parent = parent,
                                 .parent_tid = parent != 0 ? 36 : 0,
                                 .how = parent != 0 ? PROCESS_CHILD
                                                    : PROCESS_LAUNCHED,
                                 .build = 19045,
                                 .mode = (uint8_t)mode,
                                 .width = 8 };
    struct buf b = journal();
    struct model_process *p;

    journal_process(&b, &r, STR("C:\\made up.exe"),
                    STR("\"made up.exe\" some words"));
    p = model_process_open(m.model, b.p, b.size);
    must(p != NULL, "no process");
    begin_process(p);
    return p;
}

static struct model_thread *open_thread(struct model_process *p, uint32_t tid)
{
    struct model_thread *t = model_thread_open(p, tid, 1, m.now);

    must(t != NULL, "no thread");
    return t;
}

static void end_thread(struct model_thread *t, uint32_t code, bool known)
{
    struct buf b = journal();

    journal_thread_end(&b, m.now, code, known);
    tell_thread(t, &b);
}

static void end_process(struct model_process *p, uint32_t code)
{
    struct buf b = journal();

    journal_process_end(&b, m.now, code);
    tell(p, &b);
}

/* --- A file -------------------------------------------------------------- */

/* As users call it. */
static const char *program = "made up.exe";

static void begin(const char *path, enum compress compress)
{
    /* As info will say, else its checkpoints are another model's. */
    struct model_config config = { .system.build = 19045,
                                   .hold = HZ,
                                   .tap = &m.recorder.tap };
    struct model_out out = { 0 };
    char room[1000];
    struct buf info = BUF_OVER(room);
    struct err e = { 0 };

    about_add(&info, STR("ntstrace"), STR("0"));
    about_add(&info, STR("command"), STR("ntstrace record \"made up.exe\""));
    about_add(&info, STR("program"), str_of(program));
    about_add(&info, STR("machine"), STR("nowhere"));
    about_add(&info, STR("system"), STR("Windows 10.0 build 19045"));
    about_add_number(&info, STR("build"), 19045);
    about_add_number(&info, STR("wine"), 0);
    about_add_number(&info, STR("started-ns"), WALL);
    about_add_number(&info, STR("utc-offset"), 3600);
    about_add_number(&info, STR("tsc-hz"), (int64_t)HZ);
    about_add_number(&info, STR("hold"), (int64_t)config.hold);
    about_add_number(&info, STR("handles"), 1);
    about_add(&info, STR("engine"), STR("ring"));
    about_add_number(&info, STR("string-limit"), 4096);
    must(recorder_begin(&m.recorder, str_of(path), compress, HZ, buf_str(&info),
                        &e),
         e.text);
    m.model = model_open(&config, &out, &e);
    must(m.model != NULL, e.text);
    m.recorder.model = m.model;
    m.now = 1000;
    clock_point(m.now, 0, true);
    clock_point(m.now + HZ / 100, INT64_C(10000000), false);
}

static void end(void)
{
    char room[200];
    struct buf b = BUF_OVER(room);
    struct err e = { 0 };

    model_run(m.model, m.now + 2 * HZ);
    about_add(&b, STR("ended"), STR("the program's"));
    about_add_number(&b, STR("status"), 0);
    about_add_number(&b, STR("calls"), (int64_t)m.recorder.calls);
    about_add_number(&b, STR("late"), (int64_t)model_counts(m.model).late);
    must(recorder_end(&m.recorder, buf_str(&b), &e), e.text);
    model_close(m.model);
}

/* --- Much of the same ---------------------------------------------------- */

static void one_call(uint32_t thread, uint32_t most_data)
{
    uint32_t number = (uint32_t)any(m.numbers);
    uint64_t stack = STACK + 0x100000 * thread;
    uint64_t rsp = stack - 0x100 - 16 * any(4);
    const struct call_facts *facts = m.calls[number];
    uint64_t args[CALL_ARGS_MAX];
    uint8_t bytes[256];
    uint32_t size =
        most_data > 0 && any(2) == 0 ? 1 + (uint32_t)any(most_data) : 0;

    for (uint32_t i = 0; i < facts->arg_count; i++) {
        args[i] = any(3) == 0 ? 4 * any(100) : stack - 0x80 + 8 * any(8);
    }
    for (uint32_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)("a\0b\0c\0\xff\\"[any(8)]);
    }
    if (size > 0) {
        data(number, rsp, 0, 0, args[0], bytes, size);
    }
    entry(number, rsp, stack, facts->arg_count, args);
    if (size > 0 && any(2) == 0) {
        data(number, rsp, RECORD_AT_RETURN, 0, args[0], bytes, size);
    }
    back(number, rsp, stack, any(8) == 0 ? 0xc0000034 : 0);
}

static void make_large(uint64_t calls, uint32_t threads, uint32_t most_data)
{
    struct model_process *p = open_process(32, MODE_PATCHED, 0);

    for (uint32_t i = 0; i < threads; i++) {
        m.threads[i] = open_thread(p, 36 + 4 * i);
    }
    for (uint64_t i = 0; i < calls;) {
        for (uint32_t t = 0; t < threads; t++) {
            for (int n = 0; n < 8 && i < calls; n++, i++) {
                one_call(t, most_data);
            }
            fed(m.threads[t]);
        }
        for (uint32_t t = 0; t < threads; t++) {
            model_thread_bound(m.threads[t], m.now);
        }
        ran();
    }
    for (uint32_t t = 0; t < threads; t++) {
        end_thread(m.threads[t], 0, true);
    }
    end_process(p, 0);
}

/* --- A little of everything ---------------------------------------------- */

enum {
    N_CLOSE,
    N_READ,
    N_DELAY,
    N_END
};

static void small_calls(struct model_thread *t)
{
    uint64_t args[CALL_ARGS_MAX] = { 0x44, 0, 0, 0, BLOCK, 0x22f000, 8 };
    uint64_t pending;

    entry(N_CLOSE, STACK - 0x100, STACK, 1, (uint64_t[]){ 0x40 });
    back(N_CLOSE, STACK - 0x100, STACK, 0);
    entry(N_READ, STACK - 0x200, STACK, m.calls[N_READ]->arg_count, args);
    data(N_READ, STACK - 0x200, RECORD_AT_RETURN, 0, BLOCK, "\3\1\0\0\0\0\0\0",
         8);
    back(N_READ, STACK - 0x200, STACK, 0x103);
    pending = m.now;
    data(N_READ, STACK - 0x300, RECORD_AT_COMPLETION, 1, 0x22f000, "eight b.",
         8);
    put_head(COMPLETION_SIZE, RECORD_COMPLETION, RECORD_AT_COMPLETION, N_READ);
    put(STACK - 0x300);
    put(pending);
    put(BLOCK);
    put(8);
    put((uint64_t)36 << 32);
    fed(t);
    ran();
}

static void small_transitions(struct model_thread *t)
{
    entry(N_DELAY, STACK - 0x100, STACK, 2, (uint64_t[]){ 1, STACK - 0x80 });
    transition(TRANSITION_APC, STACK - 0x800, STACK, 7,
               (uint64_t[]){ 0, 0, 0, 0x140001234,
                             STUBS + 32 * (uint64_t)N_DELAY + 0x14,
                             STACK - 0x100, 0xc0 });
    transition(TRANSITION_CALLBACK, STACK - 0x800, STACK, 2,
               (uint64_t[]){ STACK - 0x700, 0x4200000010 });
    transition(TRANSITION_EXCEPTION, STACK - 0x900, STACK, 8,
               (uint64_t[]){ 0x80000003, 0, 0x140001238, 0, 0, 0, 0x140001238,
                             STACK - 0x90 });
    fed(t);
    ran();
}

/* Calls that are no ordinary ones, and what is said between them. */
static void small_orphans(struct model_process *p, struct model_thread *t)
{
    struct journal_answer answer = { .number = N_CLOSE,
                                     .number_known = true,
                                     .argument = 0x48 };
    struct journal_place place = { .base = 0x500000,
                                   .size = 0x1000,
                                   .origin = 0x500000,
                                   .kind = PLACE_PRIVATE };
    uint64_t stack = STACK + 0x100000;
    struct buf b = journal();

    journal_place(&b, m.now, &place, STR(""));
    tell(p, &b);
    orphan(0x500123, stack - 0x100, stack, RECORD_WAITS);
    fed(t);
    b = journal();
    journal_answer(&b, m.now, &answer);
    tell_thread(t, &b);
    ran();
    b = journal();
    journal_lost(&b, m.now, LOST_FULL, 3);
    tell_thread(t, &b);
    orphan(0x140001111, stack - 0x100, stack, 0);
    fed(t);
    ran();
}

static void small_journal(struct model_process *p)
{
    struct buf b = journal();

    journal_handle(&b, m.now, 0x40, 0x1f0003, STR("Event"),
                   STR("\\BaseNamedObjects\\made up"), STR(""));
    tell(p, &b);
    b = journal();
    journal_handle(&b, m.now, 0x44, 0x120089, STR("File"),
                   STR("\\Device\\HarddiskVolume1\\made up.txt"),
                   STR("C:\\made up.txt"));
    tell(p, &b);
    b = journal();
    journal_notice(&b, m.now, NOTICE_PATCHES_LOST, PATCHED_NTDLL, 2);
    tell(p, &b);
    b = journal();
    journal_lost(&b, m.now, LOST_NO_RING, 7);
    tell(p, &b);
    b = journal();
    journal_module(
        &b, m.now,
        &(struct journal_module){ .base = 0x7ff000000, .size = 0x1000 },
        STR("other.dll"), STR(""));
    tell(p, &b);
    b = journal();
    journal_unmodule(&b, m.now, 0x7ff000000);
    tell(p, &b);
}

static void small_children(struct model_process *p)
{
    for (uint8_t fate = 0; fate < CHILD_FATES; fate++) {
        struct journal_child r = { .pid = 64 + 8u * fate,
                                   .tid = 36,
                                   .fate = fate,
                                   .how = PROCESS_CHILD,
                                   .missed = fate == CHILD_LATE ? 12345 : 0 };
        struct buf b = journal();

        journal_child(&b, m.now, &r, STR("C:\\other.exe"),
                      STR("other.exe \"some words\""),
                      fate == CHILD_FAILED ? STR("access denied") : STR(""));
        tell(p, &b);
    }
}

static void make_small(void)
{
    static const char *const names[] = {
        [N_CLOSE] = "NtClose",
        [N_READ] = "NtReadFile",
        [N_DELAY] = "NtDelayExecution",
        [N_END] = "NtTerminateProcess",
    };
    struct model_process *p, *child;
    struct model_thread *a, *b, *c;

    for (uint32_t i = 0; i < COUNT_OF(names); i++) {
        m.calls[i] = call_find(str_of(names[i]));
    }
    m.numbers = COUNT_OF(names);
    p = open_process(32, MODE_PATCHED, 0);
    small_journal(p);
    a = open_thread(p, 36);
    b = open_thread(p, 40);
    transition(TRANSITION_THREAD_START, STACK - 0x400, STACK, 2,
               (uint64_t[]){ 0x140001000, 5 });
    fed(a);
    small_calls(a);
    pause_of(2);
    child = open_process(48, MODE_ASKED, 32);
    small_children(p);
    c = open_thread(child, 52);
    small_transitions(a);
    pause_of(3);
    small_orphans(child, c);
    clock_point(m.now + HZ, INT64_C(1000000000), false);
    end_thread(b, 7, true);
    end_thread(c, 0, false);
    model_thread_bound(a, m.now);
    ran();
    end_process(child, 1);
    entry(N_END, STACK - 0x100, STACK, 2, (uint64_t[]){ UINT64_MAX, 3 });
    fed(a);
    ran();
    end_process(p, 3);
}

/* --- A tree -------------------------------------------------------------- */

#define TREE_AT_MOST 24
#define TREE_THREADS 2
/* So few ids that they come again. */
#define TREE_IDS 40

struct tree_thread {
    struct model_thread *t;
    uint32_t tid;
    uint64_t stack;
    bool open;  // it has not returned from ...
    uint32_t number;
};

struct tree_process {
    struct model_process *p;
    uint32_t pid;
    struct tree_thread threads[TREE_THREADS];
};

static struct tree_process tree[TREE_AT_MOST];
static size_t tree_count;

static bool tree_has(uint32_t pid)
{
    for (size_t i = 0; i < tree_count; i++) {
        if (tree[i].pid == pid) {
            return true;
        }
    }
    return false;
}

/* `by` NULL: the first one. */
static void tree_grow(const struct tree_process *by)
{
    static const char *const images[] = { "C:\\b\\cl.exe", "C:\\b\\link.exe",
                                          "C:\\b c\\a > b.exe",
                                          "C:\\\xc3\xbc.exe" };
    struct tree_process *p = &tree[tree_count];
    struct journal_process r = { .head.time = ++m.now,
                                 .build = 19045,
                                 .width = 8 };
    const char *image = images[any(COUNT_OF(images))];
    struct buf b = journal();

    do {
        r.pid = (uint32_t)(1000 + 4 * any(TREE_IDS));
    } while (tree_has(r.pid));
    if (by != NULL) {
        r.how = any(10) == 0 ? PROCESS_CLONE : PROCESS_CHILD;
        r.parent = by->pid;
        r.parent_tid = by->threads[0].tid;
    }
    *p = (struct tree_process){ .pid = r.pid };
    journal_process(&b, &r, str_of(image), str_of(image));
    p->p = model_process_open(m.model, b.p, b.size);
    must(p->p != NULL, "no process");
    begin_process(p->p);
    for (uint32_t i = 0; i < TREE_THREADS; i++) {
        struct tree_thread *t = &p->threads[i];

        t->tid = r.pid + 2 + i * 4000;
        t->stack = STACK + 0x100000 * i;
        t->t = open_thread(p->p, t->tid);
    }
    tree_count++;
}

/* What it has begun it may leave open. */
static void tree_die(size_t at)
{
    end_process(tree[at].p, (uint32_t)any(3));
    tree[at] = tree[--tree_count];
}

/* Half of a call, or all of it. */
static void tree_call(struct tree_thread *t)
{
    uint64_t rsp = t->stack - 0x100;

    if (!t->open) {
        t->number = (uint32_t)any(m.numbers);
        entry(t->number, rsp, t->stack, 1, (uint64_t[]){ 4 * any(100) });
    }
    t->open = !t->open && any(2) == 0;
    if (!t->open) {
        back(t->number, rsp, t->stack, any(8) == 0 ? 0xc0000008 : 0);
    }
    fed(t->t);
}

static void tree_untraced(const struct tree_process *p)
{
    struct journal_child r = { .pid = 4 + 4 * (uint32_t)any(100),
                               .tid = p->threads[0].tid,
                               .fate = (uint8_t)any(CHILD_FATES),
                               .how = PROCESS_CHILD,
                               .missed = any(5000) };
    struct buf b = journal();

    journal_child(&b, ++m.now, &r, STR("C:\\old.exe"), STR("old"),
                  STR("denied"));
    tell(p->p, &b);
}

static void tree_bound(void)
{
    for (size_t i = 0; i < tree_count; i++) {
        for (uint32_t k = 0; k < TREE_THREADS; k++) {
            model_thread_bound(tree[i].threads[k].t, m.now);
        }
    }
    ran();
}

static void make_tree(uint64_t processes, uint64_t calls)
{
    static const char *const names[] = { "NtClose", "NtYieldExecution",
                                         "NtTestAlert" };
    uint64_t every = calls > processes ? calls / (processes + 1) : 1;

    for (uint32_t i = 0; i < COUNT_OF(names); i++) {
        m.calls[i] = call_find(str_of(names[i]));
    }
    m.numbers = COUNT_OF(names);
    tree_grow(NULL);
    processes--;
    for (uint64_t i = 0; i < calls; i++) {
        if (i % every == every - 1 && processes > 0) {
            if (tree_count == TREE_AT_MOST) {
                tree_die(any(tree_count));
            }
            tree_grow(&tree[any(tree_count)]);
            processes--;
        }
        tree_call(&tree[any(tree_count)].threads[any(TREE_THREADS)]);
        if (any(100) == 0) {
            tree_untraced(&tree[any(tree_count)]);
        }
        if (any(4) == 0) {
            tree_bound();
        }
    }
    while (tree_count > 0) {
        tree_die(any(tree_count));
        tree_bound();
    }
}

/* --- Names that mean harm ------------------------------------------------- */

enum {
    H_OPEN,
    H_CREATE,
    H_WRITE,
    H_KEY,
    H_VALUE,
};

#define AT_ATTRIBUTES UINT64_C(0x1000)
#define AT_STRING UINT64_C(0x2000)
#define AT_TEXT UINT64_C(0x3000)

static void put_le(uint8_t *to, uint64_t n, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        to[i] = (uint8_t)(n >> (8 * i));
    }
}

/* A UNICODE_STRING of these bytes, each a unit, but that \x1a is a half of a
 * surrogate pair, and \x1d turns the line around. */
static void string_of(uint32_t number, uint64_t rsp, uint32_t op,
                      const char *prefix, const char *name)
{
    uint8_t string[16] = { 0 };
    uint8_t units[256];
    char text[128];
    struct buf b = BUF_OVER(text);

    buf_add(&b, str_of(prefix));
    buf_add(&b, str_of(name));
    must(!b.cut, "a name is too long");
    for (size_t i = 0; i < b.size; i++) {
        put_le(units + 2 * i,
               text[i] == 0x1a   ? 0xd83d
               : text[i] == 0x1d ? 0x202e
                                 : (uint8_t)text[i],
               2);
    }
    put_le(string, b.size * 2, 2);
    put_le(string + 2, b.size * 2, 2);
    put_le(string + 8, AT_TEXT, 8);
    data(number, rsp, 0, op, AT_STRING, string, sizeof(string));
    data(number, rsp, 0, op + 1, AT_TEXT, units, (uint32_t)b.size * 2);
}

static void attributes_of(uint32_t number, uint64_t rsp, const char *prefix,
                          const char *name)
{
    uint8_t attributes[0x30] = { 0x30 };

    put_le(attributes + 0x10, AT_STRING, 8);
    data(number, rsp, 0, 0, AT_ATTRIBUTES, attributes, sizeof(attributes));
    string_of(number, rsp, 1, prefix, name);
}

/* It is looked for, or made; `handle` 0: it is not there. */
static void harm_name(uint32_t number, const char *prefix, const char *name,
                      uint64_t handle)
{
    uint64_t rsp = STACK - 0x100;
    uint64_t args[CALL_ARGS_MAX] = { STACK - 0x80, 0x80000000, AT_ATTRIBUTES,
                                     BLOCK };
    uint8_t word[8];

    attributes_of(number, rsp, prefix, name);
    entry(number, rsp, STACK, m.calls[number]->arg_count, args);
    if (handle != 0) {
        put_le(word, handle, 8);
        data(number, rsp, RECORD_AT_RETURN, 3, STACK - 0x80, word, 8);
        put_le(word, 2, 8);
        data(number, rsp, RECORD_AT_RETURN, 4, BLOCK + 8, word, 8);
    }
    back(number, rsp, STACK, handle != 0 ? 0 : 0xc0000034);
}

static void harm_handle(uint32_t number, const char *name, uint64_t handle)
{
    uint64_t rsp = STACK - 0x100;
    uint64_t args[CALL_ARGS_MAX] = { handle, AT_STRING, 0,          1,
                                     BLOCK,  0x6000,    (uint64_t)7 };
    uint8_t word[8] = { 7 };

    if (number == H_VALUE) {
        string_of(number, rsp, 0, "", name);
    } else {
        args[1] = 0;
    }
    entry(number, rsp, STACK, m.calls[number]->arg_count, args);
    data(number, rsp, RECORD_AT_RETURN, 2, BLOCK + 8, word, 8);
    back(number, rsp, STACK, 0);
}

static void make_hostile(void)
{
    static const char *const names[] = {
        "<script>harm=1</script>",
        "\"><img src=x onerror=harm()>",
        "' onmouseover='harm()",
        "</script><script>harm()</script>",
        "<!--harm-->&lt;&#x41;",
        "javascript:harm()",
        "]]>harm<![CDATA[",
        "harm\nharm\r\n\tend",
        "\033[2J\033]0;harm\007\b\b",
        "\x1d"
        "mrah.txt",
        "half\x1a harm",
        "=HYPERLINK(\"harm\")",
        "harm,\"a\",;a;b",
        "'); DROP TABLE calls; --harm",
        "${harm}`harm`\\u003cb>",
        "harm\177\x1f",
    };
    static const char *const calls[] = {
        [H_OPEN] = "NtOpenFile",     [H_CREATE] = "NtCreateFile",
        [H_WRITE] = "NtWriteFile",   [H_KEY] = "NtCreateKey",
        [H_VALUE] = "NtSetValueKey",
    };
    struct journal_process r = { .pid = 32,
                                 .how = PROCESS_LAUNCHED,
                                 .build = 19045,
                                 .mode = MODE_PATCHED,
                                 .width = 8 };
    struct model_process *p;
    struct model_thread *t;
    struct buf b = journal();

    for (uint32_t i = 0; i < COUNT_OF(calls); i++) {
        m.calls[i] = call_find(str_of(calls[i]));
    }
    m.numbers = COUNT_OF(calls);
    r.head.time = m.now;
    journal_process(&b, &r, STR("C:\\<b>harm</b>\x1b.exe"),
                    STR("\"<b>harm</b>.exe\" <script>harm()</script>"));
    p = model_process_open(m.model, b.p, b.size);
    must(p != NULL, "no process");
    begin_process(p);
    t = open_thread(p, 36);
    for (uint32_t i = 0; i < COUNT_OF(names); i++) {
        uint64_t handle = 0x40 + 16 * i;
        struct journal_child child = { .pid = 64 + 8u * i,
                                       .tid = 36,
                                       .fate = CHILD_PASSED,
                                       .how = PROCESS_CHILD };

        harm_name(H_OPEN, "\\??\\C:\\", names[i], 0);
        harm_name(H_CREATE, "\\??\\D:\\", names[i], handle);
        harm_handle(H_WRITE, names[i], handle);
        harm_name(H_KEY, "\\Registry\\Machine\\", names[i], handle + 8);
        harm_handle(H_VALUE, names[i], handle + 8);
        fed(t);
        ran();
        b = journal();
        journal_module(
            &b, m.now,
            &(struct journal_module){ .base = 0x7ff000000 + 0x10000ull * i,
                                      .size = 0x1000 },
            str_of(names[i]), STR(""));
        tell(p, &b);
        b = journal();
        journal_child(&b, m.now, &child, str_of(names[i]), str_of(names[i]),
                      STR(""));
        tell(p, &b);
        orphan(0x7ff000010 + 0x10000ull * i, STACK - 0x100, STACK, 0);
        fed(t);
        ran();
    }
    end_thread(t, 0, true);
    end_process(p, 0);
}

/* --- Markup -------------------------------------------------------------- */

enum {
    M_CREATE,
    M_CLOSE,
    M_SET,
    M_KEY,
    M_VALUE,
    M_TITLE,
};

#define MARKUP_OBJECT (STACK - 0x1000)
#define MARKUP_STRING (STACK - 0xf00)
#define MARKUP_STATUS (STACK - 0xe00)
#define MARKUP_NAME (STACK - 0x800)

/* As names of files that are not there, and of some that are made. */
static const char16_t *const markup_names[] = {
    u"\\??\\C:\\<script>window.hostile=1</script>.ini",
    u"\\??\\C:\\\"><img src=x onerror=window.hostile=2>.ini",
    u"\\??\\C:\\'><svg onload=window.hostile=3>.ini",
    u"\\??\\C:\\</script><script>window.hostile=4</script>.ini",
    u"\\??\\C:\\<!--<script>.ini",
    u"\\??\\C:\\--></table></section></main>.ini",
    u"\\??\\C:\\]]>&amp;&#60;b&#62;.ini",
    u"\\??\\C:\\\x202egpj.exe\x202c.ini",
    u"\\??\\C:\\\xd800 half, \xdc00 half.ini",
    u"\\??\\C:\\line\nend\r\x85\x2028.ini",
    u"\\??\\C:\\\x05d0\x05d1\x05d2 \x0627\x0644.ini",
    u"\\??\\C:\\__proto__",
    u"__proto__",
    u"constructor",
    u"\\??\\C:\\</script x=<!--<script y.ini",
};

/* A string of this name at MARKUP_STRING; its lengths have `bits` bits each. */
static void markup_string(uint32_t number, const char16_t *name, unsigned bits)
{
    uint64_t string[2] = { 0, MARKUP_NAME };
    uint32_t size = 0;

    while (name[size / 2] != 0) {
        size += 2;
    }
    string[0] = size | (uint64_t)size << bits;
    data(number, STACK - 0x100, 0, 1, MARKUP_STRING, string, sizeof(string));
    data(number, STACK - 0x100, 0, 2, MARKUP_NAME, name, size);
}

static void markup_object(uint32_t number, const char16_t *name)
{
    uint64_t object[6] = { 48, 0, MARKUP_STRING, 0, 0, 0 };

    data(number, STACK - 0x100, 0, 0, MARKUP_OBJECT, object, sizeof(object));
    markup_string(number, name, 16);
}

/* `name` as what NtCreateFile is given, with `status` as what comes of it. */
static void markup_create(const char16_t *name, uint64_t status)
{
    uint64_t args[CALL_ARGS_MAX] = { STACK - 0x1100, 0, MARKUP_OBJECT,
                                     MARKUP_STATUS };
    uint64_t iosb[2] = { 0, 2 };

    markup_object(M_CREATE, name);
    entry(M_CREATE, STACK - 0x100, STACK, 11, args);
    if (status == 0) {
        data(M_CREATE, STACK - 0x100, RECORD_AT_RETURN, 0, MARKUP_STATUS, iosb,
             sizeof(iosb));
    }
    back(M_CREATE, STACK - 0x100, STACK, status);
}

/* A key, a value of it, and the title of a window. */
static void markup_others(void)
{
    const uint64_t key = 0x80;
    uint64_t create[CALL_ARGS_MAX] = { STACK - 0x1100, 0, MARKUP_OBJECT };
    uint64_t set[CALL_ARGS_MAX] = { key, MARKUP_STRING, 0, 1, 0, 0 };
    uint64_t title[CALL_ARGS_MAX] = { 0x10010, MARKUP_STRING };

    markup_object(M_KEY, u"\\Registry\\Machine\\"
                         u"<script>window.hostile=11</script>");
    entry(M_KEY, STACK - 0x100, STACK, 7, create);
    data(M_KEY, STACK - 0x100, RECORD_AT_RETURN, 0, STACK - 0x1100, &key,
         sizeof(key));
    back(M_KEY, STACK - 0x100, STACK, 0);
    markup_string(M_VALUE, u"<img src=x onerror=window.hostile=13>", 16);
    entry(M_VALUE, STACK - 0x100, STACK, 6, set);
    back(M_VALUE, STACK - 0x100, STACK, 0);
    markup_string(M_TITLE, u"</title><script>window.hostile=12</script>", 32);
    entry(M_TITLE, STACK - 0x100, STACK, 2, title);
    back(M_TITLE, STACK - 0x100, STACK, 1);
}

static void markup_handle(struct model_process *p, uint64_t handle,
                          const char *type, str name)
{
    struct buf b = journal();

    journal_handle(&b, m.now, handle, 0, str_of(type), name, name);
    tell(p, &b);
}

static struct model_process *markup_process(void)
{
    struct journal_process r = {
        .head.time = m.now, .pid = 32, .build = 19045, .width = 8
    };
    struct buf b = journal();
    struct model_process *p;

    journal_process(&b, &r, STR("C:\\<script>window.hostile=5</script>.exe"),
                    STR("x \"<img src=x onerror=window.hostile=6>\" "
                        "</title><script>window.hostile=7</script>"));
    p = model_process_open(m.model, b.p, b.size);
    must(p != NULL, "no process");
    begin_process(p);
    b = journal();
    journal_module(
        &b, m.now,
        &(struct journal_module){ .base = 0x7ff000000, .size = 0x1000 },
        STR("<script>window.hostile=8</script>.dll"), STR(""));
    tell(p, &b);
    return p;
}

static void make_markup(void)
{
    static char huge[30000];
    static const char *const names[] = {
        [M_CREATE] = "NtCreateFile",      [M_CLOSE] = "NtClose",
        [M_SET] = "NtSetInformationFile", [M_KEY] = "NtCreateKey",
        [M_VALUE] = "NtSetValueKey",      [M_TITLE] = "NtUserDefSetText",
    };
    struct model_process *p;
    struct model_thread *t;

    for (uint32_t i = 0; i < COUNT_OF(names); i++) {
        m.calls[i] = call_find(str_of(names[i]));
    }
    m.numbers = COUNT_OF(names);
    memset(huge, '<', sizeof(huge));
    p = markup_process();
    markup_handle(p, 0x40, "<b>Event</b>", (str){ huge, sizeof(huge) });
    markup_handle(p, 0x44, "File",
                  STR("\\Device\\<iframe src=javascript:hostile=9>"));
    t = open_thread(p, 36);
    for (size_t i = 0; i < COUNT_OF(markup_names); i++) {
        markup_create(markup_names[i], 0xc0000034);
        markup_create(markup_names[i], i % 2 == 0 ? 0 : 0xc0000022);
        fed(t);
        ran();
    }
    for (uint64_t handle = 0x40; handle <= 0x48; handle += 4) {
        entry(M_SET, STACK - 0x100, STACK, 1, &handle);
        back(M_SET, STACK - 0x100, STACK, 0xdeadbeefc0ffee00);
        entry(M_CLOSE, STACK - 0x100, STACK, 1, &handle);
        back(M_CLOSE, STACK - 0x100, STACK, 0xc0000008);
        fed(t);
        ran();
    }
    markup_others();
    fed(t);
    ran();
    transition(TRANSITION_EXCEPTION, STACK - 0x900, STACK, 8,
               (uint64_t[]){ 0xc0000005, 0, 0x7ff000010, 0, 0, 0, 0x7ff000010,
                             STACK - 0x90 });
    fed(t);
    ran();
    end_thread(t, 7, true);
    end_process(p, 0xc0000005);
}

/* --- Many files ---------------------------------------------------------- */

enum {
    F_CREATE,
    F_WRITE,
    F_CLOSE,
};

static void file_name(char16_t *to)
{
    char name[120];
    struct buf b = BUF_OVER(name);

    buf_add(&b, STR("\\??\\C:\\"));
    for (int i = 0; i < 3; i++) {
        buf_add(&b, i == 0 ? STR("a folder ") : STR("\\another one "));
        buf_add_hex(&b, any(UINT64_MAX));
    }
    must(!b.cut, "a name is too long");
    for (size_t i = 0; i < b.size; i++) {
        to[i] = (unsigned char)name[i];
    }
    to[b.size] = 0;
}

static void file_used(uint64_t handle)
{
    uint64_t args[CALL_ARGS_MAX] = { handle,        0,     0,      0,
                                     MARKUP_STATUS, BLOCK, 8 * 20, 0 };
    uint64_t iosb[2] = { 0, 8 * 20 };
    uint64_t bytes[20];

    for (size_t i = 0; i < COUNT_OF(bytes); i++) {
        bytes[i] = any(UINT64_MAX);
    }
    data(F_WRITE, STACK - 0x100, 0, 0, BLOCK, bytes, sizeof(bytes));
    entry(F_WRITE, STACK - 0x100, STACK, 9, args);
    data(F_WRITE, STACK - 0x100, RECORD_AT_RETURN, 1, MARKUP_STATUS, iosb,
         sizeof(iosb));
    back(F_WRITE, STACK - 0x100, STACK, 0);
    entry(F_CLOSE, STACK - 0x100, STACK, 1, &handle);
    back(F_CLOSE, STACK - 0x100, STACK, 0);
}

static void make_files(uint64_t count)
{
    static const char *const names[] = {
        [F_CREATE] = "NtCreateFile",
        [F_WRITE] = "NtWriteFile",
        [F_CLOSE] = "NtClose",
    };
    const uint64_t handle = 0x40;
    uint64_t args[CALL_ARGS_MAX] = { STACK - 0x1100, 0, MARKUP_OBJECT,
                                     MARKUP_STATUS };
    struct model_process *p;
    struct model_thread *t;
    char16_t name[120];

    for (uint32_t i = 0; i < COUNT_OF(names); i++) {
        m.calls[i] = call_find(str_of(names[i]));
    }
    m.numbers = COUNT_OF(names);
    p = open_process(32, MODE_PATCHED, 0);
    t = open_thread(p, 36);
    for (uint64_t i = 0; i < count; i++) {
        file_name(name);
        markup_object(F_CREATE, name);
        entry(F_CREATE, STACK - 0x100, STACK, 11, args);
        if (i % 2 == 0) {
            data(F_CREATE, STACK - 0x100, RECORD_AT_RETURN, 3, args[0], &handle,
                 sizeof(handle));
        }
        back(F_CREATE, STACK - 0x100, STACK, i % 2 == 0 ? 0 : 0xc0000034);
        if (i % 2 == 0) {
            file_used(handle);
        }
        fed(t);
        ran();
    }
    end_thread(t, 0, true);
    end_process(p, 0);
}

static uint64_t number(int argc, char **argv, int i, uint64_t otherwise,
                       uint64_t most)
{
    uint64_t n = otherwise;

    must(i >= argc || (str_to_u64(str_of(argv[i]), &n) && n <= most),
         "no such number");
    return n;
}

int main(int argc, char **argv)
{
    enum compress compress = COMPRESS_ALWAYS;

    must(argc >= 2 && argc <= 8, "FILE [CALLS [THREADS [NUMBERS [DATA [SEED "
                                 "[COMPRESS]]]]]], or --small FILE");
    if (strcmp(argv[1], "--tree") == 0) {
        must(argc >= 3 && argc <= 6, "--tree FILE [PROCESSES [CALLS [SEED]]]");
        m.random = number(argc, argv, 5, 1, UINT32_MAX) * 2 + 1;
        begin(argv[2], COMPRESS_ALWAYS);
        make_tree(number(argc, argv, 3, 100, UINT32_MAX),
                  number(argc, argv, 4, 5000, UINT32_MAX));
        end();
        return 0;
    }
    if (strcmp(argv[1], "--files") == 0) {
        must(argc >= 3 && argc <= 5, "--files FILE [FILES [SEED]]");
        m.random = number(argc, argv, 4, 1, UINT32_MAX) * 2 + 1;
        begin(argv[2], COMPRESS_ALWAYS);
        make_files(number(argc, argv, 3, 1000, UINT32_MAX));
        end();
        return 0;
    }
    m.random = number(argc, argv, 6, 1, UINT64_MAX) * 2 + 1;
    if (strcmp(argv[1], "--small") == 0) {
        must(argc == 3, "--small FILE");
        m.random = 1;
        begin(argv[2], COMPRESS_NEVER);
        make_small();
        end();
        return 0;
    }
    if (strcmp(argv[1], "--hostile") == 0) {
        must(argc == 3, "--hostile FILE");
        begin(argv[2], COMPRESS_NEVER);
        make_hostile();
        end();
        return 0;
    }
    if (strcmp(argv[1], "--markup") == 0) {
        must(argc == 3, "--markup FILE");
        program = "a</title><script>window.hostile=10</script>\xed\xa0\x80.exe";
        begin(argv[2], COMPRESS_ALWAYS);
        make_markup();
        end();
        return 0;
    }
    if (argc > 7) {
        compress = strcmp(argv[7], "never") == 0  ? COMPRESS_NEVER
                   : strcmp(argv[7], "auto") == 0 ? COMPRESS_AUTO
                                                  : COMPRESS_ALWAYS;
    }
    begin(argv[1], compress);
    m.numbers = (uint32_t)number(argc, argv, 4, 40, NUMBERS_AT_MOST);
    must(m.numbers > 0, "no numbers");
    for (uint32_t i = 0; i < m.numbers; i++) {
        m.calls[i] = call_at(i);
    }
    make_large(number(argc, argv, 2, 1000, UINT32_MAX),
               (uint32_t)number(argc, argv, 3, 4, THREADS_AT_MOST),
               (uint32_t)number(argc, argv, 5, 64, 256));
    end();
    return 0;
}
