/* SPDX-License-Identifier: MIT */
/*
 * test_journal.c - records of the journal: built and judged; and each takes
 * effect at its time, whenever it came.
 */
#include "unit/trace.h"
#include "wire/journal.h"

#include "unit/check.h"

static struct chunk c;

/* --- records --- */

static void what_is_built_is_judged_right(void)
{
    static char room[JOURNAL_ROOM];
    struct journal_process process = { .head.time = 5, .pid = 32 };
    struct journal_stub_row rows[2] = {
        { 0x10, 1, 0, STR_INIT("NtClose") },
        { 0x30, 2, JOURNAL_STUB_PATCHED, STR_INIT("NtOpenFile") },
    };
    const void *record = room;
    struct journal_stub_row row;
    struct buf b = BUF_OVER(room);
    size_t names = 0;

    journal_process(&b, &process, STR("C:\\x.exe"), STR("x.exe 1"));
    CHECK(!b.cut && journal_judge(record, b.size));
    CHECK_STR(journal_text(record, 0), STR("C:\\x.exe"));
    CHECK_STR(journal_text(record, 1), STR("x.exe 1"));
    b = BUF_OVER(room);
    journal_handle(&b, 0, 0x4c, 5, STR("File"), STR(""), STR("C:\\a"));
    CHECK(journal_judge(record, b.size));
    CHECK_STR(journal_text(record, 0), STR("File"));
    CHECK_STR(journal_text(record, 1), STR(""));
    CHECK_STR(journal_text(record, 2), STR("C:\\a"));
    b = BUF_OVER(room);
    journal_stubs(&b, 0, 0x1000, 7, STR("ntdll.dll"), rows, 2);
    CHECK(journal_judge(record, b.size));
    CHECK_STR(journal_text(record, 0), STR("ntdll.dll"));
    row = journal_stub_at(record, 0, &names);
    CHECK_STR(row.name, STR("NtClose"));
    CHECK(row.rva == 0x10 && row.number == 1 && row.flags == 0);
    row = journal_stub_at(record, 1, &names);
    CHECK_STR(row.name, STR("NtOpenFile"));
    CHECK(row.rva == 0x30 && row.flags == JOURNAL_STUB_PATCHED);
}

/* Files of format 0.1 have it, and are read. */
static void a_process_of_which_less_is_known_is_one(void)
{
    _Alignas(8) static char room[JOURNAL_ROOM];
    struct journal_process process = {
        .pid = 44, .parent = 32, .parent_tid = 36, .how = PROCESS_CHILD
    };
    const size_t old_size = offsetof(struct journal_process, parent_tid);
    uint32_t size = (uint32_t)old_size + 16;
    const void *record = room;
    struct buf b = BUF_OVER(room);

    journal_process(&b, &process, STR("C:\\x.exe"), STR("x.exe 1"));
    CHECK_U64(journal_process_of(record).parent_tid, 36);
    CHECK(journal_process_of(record).how == PROCESS_CHILD);
    room[RECORD_FLAGS] = 0;
    memcpy(room + RECORD_SIZE, &size, sizeof(size));
    memcpy(room + old_size, "C:\\x.exex.exe 1", 16);
    CHECK(journal_judge(record, size));
    CHECK_U64(journal_process_of(record).parent, 32);
    CHECK_U64(journal_process_of(record).parent_tid, 0);
    CHECK_STR(journal_text(record, 0), STR("C:\\x.exe"));
    CHECK_STR(journal_text(record, 1), STR("x.exe 1"));
    room[RECORD_FLAGS] = JOURNAL_PROCESS_STARTER;
    CHECK(!journal_judge(record, size));
}

/* With no identity: as it is when nothing is recorded. */
static void build_module(struct buf *b, uint64_t time, uint64_t base,
                         uint64_t size, str name)
{
    struct journal_module m = { .base = base, .size = size };

    journal_module(b, time, &m, name, STR(""));
}

static void texts_are_cut_where_there_is_no_room(void)
{
    _Alignas(8) char room[sizeof(struct journal_module) + 24];
    _Alignas(8) char small[16];
    struct buf b = BUF_OVER(room);
    const void *record = room;

    build_module(&b, 1, 0x1000, 0x2000,
                 STR("a name that is longer than what is left"));
    CHECK(!b.cut && journal_judge(record, b.size));
    CHECK_STR(journal_text(record, 0), STR("a name that is longer th"));
    CHECK_STR(journal_text(record, 1), STR(""));
    b = BUF_OVER(small);
    build_module(&b, 1, 0x1000, 0x2000, STR("x"));
    CHECK(b.cut);
    CHECK_U64(b.size, 0);
}

static void where_a_modules_file_is_may_be_told(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct journal_module made = {
        .base = 0x150000000,
        .size = 0x3000,
        .timestamp = 0x65432100,
        .checksum = 0x1234,
        .image_size = 0x2fff,
    };
    _Alignas(8) char room[200];
    struct buf b = BUF_OVER(room);
    struct module_here told;

    journal_module(&b, 0, &made, STR("x.dll"), STR(""));
    tell_record(t->p, &b);
    b = BUF_OVER(room);
    journal_file(&b, 0, 0x150000000, STR("\\??\\C:\\x.dll"));
    CHECK(!b.cut && journal_judge(room, b.size));
    tell_record(t->p, &b);
    b = BUF_OVER(room);
    journal_file(&b, 0, 0x160000000, STR("\\??\\C:\\nobody's.dll"));
    tell_record(t->p, &b);
    model_flush(t->m);
    CHECK(model_module(t->p, 0x150002fff, &told));
    CHECK_U64(told.base, 0x150000000);
    CHECK_U64(told.size, 0x3000);
    CHECK_U64(told.build.timestamp, 0x65432100);
    CHECK_U64(told.build.checksum, 0x1234);
    CHECK_U64(told.build.image_size, 0x2fff);
    CHECK_STR(told.name, STR("x.dll"));
    CHECK_STR(told.path, STR("\\??\\C:\\x.dll"));
    CHECK(!model_module(t->p, 0x150003000, &told));
    CHECK(!model_module(t->p, 0x160000000, &told));
    trace_close(t);
}

static void a_module_says_which_build_it_is(void)
{
    _Alignas(8) char room[200];
    struct buf b = BUF_OVER(room);
    const void *record = room;
    const struct journal_module *m = record;
    struct journal_module made = {
        .base = 0x150000000,
        .size = 0x3000,
        .timestamp = 0x65432100,
        .checksum = 0x1234,
        .image_size = 0x2fff,
        .pdb_age = 3,
        .pdb_id = { 1, 2, [15] = 16 },
    };
    uint32_t wrong = 100;

    journal_module(&b, 7, &made, STR("x.dll"), STR("C:\\b\\x.pdb"));
    CHECK(!b.cut && journal_judge(record, b.size));
    CHECK(m->head.kind == JOURNAL_MODULE && m->head.time == 7);
    CHECK_U64(m->base, 0x150000000);
    CHECK_U64(m->size, 0x3000);
    CHECK_U64(m->timestamp, 0x65432100);
    CHECK_U64(m->checksum, 0x1234);
    CHECK_U64(m->image_size, 0x2fff);
    CHECK_U64(m->pdb_age, 3);
    CHECK(memcmp(m->pdb_id, made.pdb_id, 16) == 0);
    CHECK_STR(journal_text(record, 0), STR("x.dll"));
    CHECK_STR(journal_text(record, 1), STR("C:\\b\\x.pdb"));
    memcpy(room + offsetof(struct journal_module, pdb_size), &wrong, 4);
    CHECK(!journal_judge(record, b.size));
}

/* Every number of a record that could be wrong, wrong. */
static void what_is_no_record_is_refused(void)
{
    static char room[JOURNAL_ROOM];
    static const struct {
        size_t at;
        uint32_t value;
    } wrong[] = {
        { RECORD_SIZE, 0 },
        { RECORD_SIZE, 48 },
        { offsetof(struct journal_stubs, count), 3 },
        { offsetof(struct journal_stubs, count), UINT32_MAX },
        { offsetof(struct journal_stubs, name_size), 100 },
        { offsetof(struct journal_stubs, name_size), UINT32_MAX },
        { sizeof(struct journal_stubs), 0x30 },          // rows do not rise
        { sizeof(struct journal_stubs) + 4, 0xff0001 },  // a name too long
    };
    struct journal_stub_row rows[2] = { { 0x10, 1, 0, STR_INIT("A") },
                                        { 0x30, 2, 0, STR_INIT("B") } };
    const void *record = room;
    struct buf b = BUF_OVER(room);

    journal_stubs(&b, 0, 0x1000, 7, STR("m"), rows, 2);
    CHECK(journal_judge(record, b.size));
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        uint32_t was;

        memcpy(&was, room + wrong[i].at, sizeof(was));
        memcpy(room + wrong[i].at, &wrong[i].value, sizeof(was));
        if (i == 7) {
            room[wrong[i].at + 3] = (char)0xff;
        }
        CHECK(!journal_judge(record, b.size));
        memcpy(room + wrong[i].at, &was, sizeof(was));
        CHECK(journal_judge(record, b.size));
    }
    /* A name that a line could not show as it is. */
    for (const char *bad = " \n\x1b&1"; *bad; bad++) {
        size_t at = sizeof(struct journal_stubs) +
                    2 * sizeof(struct journal_stub) + sizeof("m") - 1;

        CHECK_U64((uint8_t)room[at], 'A');
        room[at] = *bad;
        CHECK(!journal_judge(record, b.size));
        room[at] = 'A';
    }
    CHECK(!journal_judge(record, 8));
    CHECK(!journal_judge(record, b.size - 8));
    room[RECORD_KIND] = (char)JOURNAL_END;
    CHECK(!journal_judge(record, b.size));
    room[RECORD_KIND] = RECORD_KIND_ENTRY;
    CHECK(!journal_judge(record, b.size));
}

/* What threads write cannot be a journal's record. */
static void a_thread_cannot_write_a_journal(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);
    char room[JOURNAL_ROOM];
    struct buf b = BUF_OVER(room);

    build_module(&b, 1, 0x150000000, 0x1000, STR("x.dll"));
    model_feed(a, b.p, b.size, UINT64_MAX);
    CHECK_STR(told(t), STR("32.36 +++ lost 1 records: damaged +++\n"));
    CHECK(model_place(t->p, 0x150000000).kind != PLACE_MODULE);
    CHECK(!model_thread_journal(a, b.p, b.size));
    CHECK(!model_journal(t->p, b.p, b.size - 8));
    trace_close(t);
}

/* A file may say any number. */
static void kinds_that_there_are_not_are_none(void)
{
    struct trace *t = trace_open(MODE_PATCHED);

    CHECK(open_process(t->m, 40, MODE_ASKED) != NULL);
    CHECK(open_process(t->m, 48, (enum model_mode)(MODE_ASKED + 1)) == NULL);
    add_place(t->p, 0x900000, 0x910000, (enum place_kind)77, STR("x"));
    CHECK(model_place(t->p, 0x900010).kind == PLACE_UNKNOWN);
    CHECK_U64((uint64_t)clock_ns(model_clock(t->m), 12345), 0);
    trace_close(t);
}

/* --- time --- */

static void tell_module(struct trace *t, uint64_t us, uint64_t base, str name)
{
    char room[JOURNAL_ROOM];
    struct buf b = BUF_OVER(room);

    build_module(&b, us * TICKS, base, 0x1000, name);
    CHECK(tell_record(t->p, &b));
}

static void tell_unmodule(struct trace *t, uint64_t us, uint64_t base)
{
    char room[JOURNAL_ROOM];
    struct buf b = BUF_OVER(room);

    journal_unmodule(&b, us * TICKS, base);
    CHECK(tell_record(t->p, &b));
}

static void a_start(uint64_t us, uint64_t routine)
{
    uint64_t words[2] = { routine, 0 };

    chunk_transition(&c, us, TRANSITION_THREAD_START, 0x100, 0, 2, words);
}

/* All of it came in one batch, and the records of the process after those of
 * the thread. */
static void a_module_is_there_from_its_time_to_its_end(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);

    a_start(10, 0x150000020);
    a_start(20, 0x150000020);
    a_start(30, 0x150000020);
    a_start(40, 0x150000020);
    feed(a, &c);
    tell_module(t, 35, 0x150000000, STR("second.dll"));
    tell_unmodule(t, 30, 0x150000000);
    tell_module(t, 20, 0x150000000, STR("first.dll"));
    CHECK_STR(told(t),
              STR("32.36 --- THREAD_START {Routine=unmapped 0x150000000+0x20, "
                  "Parameter=0} ---\n"
                  "32.36 --- THREAD_START {Routine=first.dll+0x20, "
                  "Parameter=0} ---\n"
                  "32.36 --- THREAD_START {Routine=unmapped 0x150000000+0x20, "
                  "Parameter=0} ---\n"
                  "32.36 --- THREAD_START {Routine=second.dll+0x20, "
                  "Parameter=0} ---\n"));
    trace_close(t);
}

/* A module waits for the threads that are behind it. */
static void what_is_told_of_the_future_waits(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);

    tell_module(t, 20, 0x150000000, STR("first.dll"));
    model_thread_bound(a, 10 * TICKS);
    model_run(t->m, 25 * TICKS);
    CHECK(model_place(t->p, 0x150000020).kind == PLACE_UNMAPPED);
    model_thread_bound(a, 21 * TICKS);
    model_run(t->m, 25 * TICKS);
    CHECK_STR(model_place(t->p, 0x150000020).name, STR("first.dll"));
    trace_close(t);
}

static void what_nobody_could_say_is_not_known_any_more(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);

    a_start(10, 0x400020);
    a_start(20, 0x400020);
    feed(a, &c);
    tell_place_at(t->p, 10 * TICKS, 0x400000, 0x401000, PLACE_PRIVATE, STR(""));
    tell_place_at(t->p, 20 * TICKS, 0x400000, 0x401000, PLACE_UNKNOWN, STR(""));
    CHECK_STR(told(t),
              STR("32.36 --- THREAD_START {Routine=private 0x400000+0x20, "
                  "Parameter=0} ---\n"
                  "32.36 --- THREAD_START {Routine=0x400020, "
                  "Parameter=0} ---\n"));
    trace_close(t);
}

/* --- processes --- */

static uint32_t tables(const struct model *m)
{
    uint32_t count = 0;

    for (const struct stub_table *x = m->stub_tables; x; x = x->next) {
        count++;
    }
    return count;
}

static void stubs_are_shared_and_given_back(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_process *p = add_process(t, 64, MODE_PATCHED);
    struct model_process *q;
    bool patched;

    CHECK_U64(tables(t->m), 1);
    CHECK(stub_by_number(t->p, N_CLOSE) == stub_by_number(p, N_CLOSE));
    /* What is patched is each process's own. */
    CHECK(add_stubs_as(p, false));
    stub_by_address(t->p, stub_at(N_CLOSE), &patched);
    CHECK(patched);
    stub_by_address(p, stub_at(N_CLOSE), &patched);
    CHECK(!patched);
    CHECK_U64(tables(t->m), 1);
    tell_process_over(t->p, 0, 10 * TICKS);
    model_flush(t->m);
    CHECK(t->m->processes == p);
    CHECK_U64(tables(t->m), 1);
    tell_process_over(p, 0, 11 * TICKS);
    model_flush(t->m);
    CHECK(t->m->processes == NULL);
    CHECK_U64(tables(t->m), 0);
    CHECK_U64(t->m->object_bytes, 0);
    q = add_process(t, 32, MODE_PATCHED);
    CHECK_U64(tables(t->m), 1);
    CHECK(stub_by_number(q, N_CLOSE) != NULL);
    t->p = q;
    trace_close(t);
}

/* Who was launched is the one whose output this is: it has no line. */
static void a_child_is_told_when_it_begins(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    struct model_thread *a = add_thread(t, 36);
    struct model_process *p =
        open_child(t->m, 44, PROCESS_CHILD, 32, 36, 15 * TICKS,
                   STR("C:\\dir\\a > b.exe"), STR("\"a > b\" +++ \n"));

    CHECK(p != NULL);
    chunk_entry(&c, 10, N_YIELD, STACK, 0x100, 0, 0, 0);
    chunk_return(&c, 20, N_YIELD, STACK, 0x100, 0);
    feed(a, &c);
    CHECK(open_child(t->m, 48, PROCESS_CLONE, 44, 0, 30 * TICKS, STR(""),
                     STR("")) != NULL);
    CHECK(open_child(t->m, 52, PROCESS_CHILD, 0, 0, 31 * TICKS, STR("c.exe"),
                     STR("c")) != NULL);
    CHECK(open_child(t->m, 56, PROCESS_LAUNCHED, 1, 0, 32 * TICKS, STR("d.exe"),
                     STR("d")) != NULL);
    CHECK(open_child(t->m, 60, PROCESS_ATTACHED, 1, 0, 33 * TICKS, STR("e.exe"),
                     STR("e")) != NULL);
    tell_process_over(p, 3, 40 * TICKS);
    CHECK_STR(told(t),
              STR("32.36 NtYieldExecution( <unfinished ...>\n"
                  "44.? +++ process 44<a ^> b.exe> started by 32.36: "
                  "\"^\"a > b^\" +++ ^{0A}\" +++\n"
                  "32.36 <... NtYieldExecution resumed>) = 0\n"
                  "48.? +++ process 48 cloned by 44.?: ? +++\n"
                  "52.? +++ process 52<c.exe> started by ?: \"c\" +++\n"
                  "44.? +++ ended with 3 +++\n"));
    trace_close(t);
}

static void a_child_that_is_not_traced_is_told(void)
{
    struct trace *t = trace_open(MODE_PATCHED);
    const str image = STR("C:\\x.exe");
    const str command = STR("x 1");

    CHECK(tell_child(t->p, 44, 36, CHILD_UNTRACED, 0, image, command, STR(""),
                     10 * TICKS));
    CHECK(tell_child(t->p, 48, 36, CHILD_PASSED, 0, image, command, STR(""),
                     11 * TICKS));
    CHECK(tell_child(t->p, 52, 36, CHILD_32BIT, 0, image, command, STR(""),
                     12 * TICKS));
    CHECK(tell_child(t->p, 56, 0, CHILD_FAILED, 0, STR(""), STR(""),
                     STR("a+b\n"), 13 * TICKS));
    CHECK(tell_child(t->p, 60, 36, CHILD_LATE, 1234567, image, command, STR(""),
                     14 * TICKS));
    CHECK(tell_child(t->p, 64, 36, CHILD_LATE, UINT64_MAX, image, command,
                     STR(""), 15 * TICKS));
    CHECK(!tell_child(t->p, 68, 36, CHILD_FATES, 0, image, command, STR(""),
                      16 * TICKS));
    CHECK_STR(
        told(t),
        STR("32.36 +++ process 48<x.exe> started by 32.36: \"x 1\", "
            "runs untraced: not named by --follow +++\n"
            "32.36 +++ process 52<x.exe> started by 32.36: \"x 1\", "
            "runs untraced: 32-bit program +++\n"
            "32.? +++ process 56 started by 32.?: ?, "
            "runs untraced: a^{2B}b^{0A} +++\n"
            "32.36 +++ process 60<x.exe> is traced late: 1.234567 s missed "
            "+++\n"
            "32.36 +++ process 64<x.exe> is traced late: 9223372036.854775 s "
            "missed +++\n"));
    trace_close(t);
}

int main(void)
{
    const struct test tests[] = {
        TEST(what_is_built_is_judged_right),
        TEST(a_process_of_which_less_is_known_is_one),
        TEST(a_child_is_told_when_it_begins),
        TEST(a_child_that_is_not_traced_is_told),
        TEST(texts_are_cut_where_there_is_no_room),
        TEST(a_module_says_which_build_it_is),
        TEST(where_a_modules_file_is_may_be_told),
        TEST(what_is_no_record_is_refused),
        TEST(a_thread_cannot_write_a_journal),
        TEST(kinds_that_there_are_not_are_none),
        TEST(a_module_is_there_from_its_time_to_its_end),
        TEST(what_is_told_of_the_future_waits),
        TEST(what_nobody_could_say_is_not_known_any_more),
        TEST(stubs_are_shared_and_given_back),
    };

    return check_run(tests, COUNT_OF(tests));
}
