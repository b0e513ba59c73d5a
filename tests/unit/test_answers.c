/* SPDX-License-Identifier: MIT */
/*
 * test_answers - report/: what calls mean, gathered and told, and the rows of
 * tables/deeds.def and tables/habits.def.
 *
 * Each test makes calls with the memory that an agent would have copied for
 * them, and looks at the text of the answers.
 */
#include "report/answers.h"
#include "report/text.h"
#include "tables/deeds.h"
#include "tables/handles.h"

#include "unit/trace.h"

#include "unit/check.h"

#define AT_ATTRIBUTES 0x1000
#define AT_STRING 0x2000
#define AT_TEXT 0x3000
#define AT_OUT 0x5000
#define AT_BLOCK 0x5200
#define AT_BUFFER 0x6000
#define NOT_FOUND 0xc0000034

static struct chunk c;
static struct trace *t;
static struct model_thread *thread;
static struct answers *answers;
static uint64_t now;
static uint32_t op;
static struct text_page page;
static char lines[1 << 20];
static size_t lines_size;

static void begin(void)
{
    struct text_options options = { .always_pid = true };
    struct model_config config = { .hold = 100000 * TICKS };
    struct model_out out;

    answers = answers_open(NULL, NULL);
    out = answers_out(answers);
    now = 1;
    t = trace_open_with(MODE_PATCHED, &options, &config, &out);
    answers_clock(answers, &t->clock);
    thread = add_thread(t, 36);
}

static void end(void)
{
    trace_close(t);
    answers_close(answers);
}

static void put(uint8_t *to, uint64_t n, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        to[i] = (uint8_t)(n >> (8 * i));
    }
}

static void before(uint32_t number, uint64_t address, const void *bytes,
                   uint32_t size)
{
    chunk_data(&c, now, number, 0x100, 0, op++, address, bytes, size);
}

static void after(uint32_t number, uint64_t address, uint64_t word)
{
    uint8_t bytes[8];

    put(bytes, word, 8);
    chunk_data(&c, now, number, 0x100, RECORD_AT_RETURN, op++, address, bytes,
               8);
}

/* Units of a text, each of its bytes one. */
static void attributes(uint32_t number, uint64_t root, str name)
{
    uint8_t bytes[0x30] = { 0x30 };
    uint8_t string[16] = { 0 };
    uint8_t units[2048];

    put(bytes + 8, root, 8);
    put(bytes + 0x10, AT_STRING, 8);
    before(number, AT_ATTRIBUTES, bytes, sizeof(bytes));
    put(string, name.size * 2, 2);
    put(string + 2, name.size * 2, 2);
    put(string + 8, AT_TEXT, 8);
    before(number, AT_STRING, string, sizeof(string));
    for (size_t i = 0; i < name.size; i++) {
        put(units + 2 * i, (uint8_t)name.p[i], 2);
    }
    before(number, AT_TEXT, units, (uint32_t)name.size * 2);
}

static void enter(uint32_t number, uint32_t count, const uint64_t *args)
{
    chunk_call(&c, now, number, 0x100, count, args);
    now += 2;
    op = 0;
}

static void leave(uint32_t number, uint64_t result)
{
    chunk_return(&c, now, number, STACK, 0x100, result);
    now += 2;
    op = 0;
    feed(thread, &c);
    model_flush(t->m);
}

/* NtOpenFile; handle 0: it fails with `status`. */
static void open_file(const char *name, uint64_t handle, uint32_t status)
{
    const uint64_t args[6] = { AT_OUT, 0x80100000, AT_ATTRIBUTES, AT_BLOCK };

    attributes(N_OPEN_FILE, 0, str_of(name));
    enter(N_OPEN_FILE, 6, args);
    if (handle != 0) {
        after(N_OPEN_FILE, AT_OUT, handle);
    }
    leave(N_OPEN_FILE, status);
}

/* NtCreateFile, with what it did as Information. */
static void create_file(const char *name, uint64_t handle, uint64_t did,
                        uint32_t options)
{
    const uint64_t args[11] = { AT_OUT,   0xc0100000, AT_ATTRIBUTES,
                                AT_BLOCK, 0,          0,
                                0,        5,          options };

    attributes(N_CREATE_FILE, 0, str_of(name));
    enter(N_CREATE_FILE, 11, args);
    after(N_CREATE_FILE, AT_OUT, handle);
    after(N_CREATE_FILE, AT_BLOCK, 0);
    after(N_CREATE_FILE, AT_BLOCK + 8, did);
    leave(N_CREATE_FILE, 0);
}

/* FileRenameInformation: to a name of all folders. */
static void rename_file(uint64_t handle, const char *to)
{
    const uint64_t args[5] = { handle, AT_BLOCK, AT_BUFFER, 64, 10 };
    uint8_t bytes[512] = { 0 };
    size_t size = strlen(to);

    put(bytes + 0x10, size * 2, 4);
    for (size_t i = 0; i < size; i++) {
        put(bytes + 0x14 + 2 * i, (uint8_t)to[i], 2);
    }
    before(N_SET_FILE, AT_BUFFER, bytes, (uint32_t)(0x14 + size * 2));
    enter(N_SET_FILE, 5, args);
    leave(N_SET_FILE, 0);
}

static void delete_file(uint64_t handle)
{
    const uint64_t args[5] = { handle, AT_BLOCK, AT_BUFFER, 1, 13 };
    uint8_t yes = 1;

    before(N_SET_FILE, AT_BUFFER, &yes, 1);
    enter(N_SET_FILE, 5, args);
    leave(N_SET_FILE, 0);
}

static void collect(void *ctx, str line)
{
    (void)ctx;
    CHECK(str_ends(line, STR("\n")));
    if (lines_size + line.size > sizeof(lines)) {
        abort();
    }
    memcpy(lines + lines_size, line.p, line.size);
    lines_size += line.size;
}

/* All that is told under `title`; empty lines and runs of blanks are nothing. */
static str told_of(const char *title, size_t most)
{
    static char room[1 << 16];
    struct buf b = BUF_OVER(room);
    str rest, line;
    bool in = false;

    lines_size = 0;
    text_page_init(&page, collect, NULL);
    answers_tell(answers_rows(answers), most, &page.page);
    rest = (str){ lines, lines_size };
    while (str_cut(rest, '\n', &line, &rest)) {
        bool blank = false;

        if (line.size == 0 || line.p[0] != ' ') {
            in = str_starts(line, str_of(title));
            continue;
        }
        for (size_t i = 0; in && i < line.size; i++) {
            if (line.p[i] == ' ') {
                blank = true;
                continue;
            }
            if (blank && b.size > 0 && b.p[b.size - 1] != '\n') {
                buf_add_char(&b, ' ');
            }
            blank = false;
            buf_add_char(&b, line.p[i]);
        }
        buf_add(&b, in ? STR("\n") : STR(""));
    }
    return buf_str(&b);
}

/* --- what was looked for -------------------------------------------------- */

static void what_is_never_found_is_named_with_who_asked(void)
{
    begin();
    open_file("\\??\\C:\\app\\never.ini", 0, NOT_FOUND);
    open_file("\\??\\c:\\APP\\never.ini", 0, NOT_FOUND);
    CHECK_STR(told_of("Not found", 0),
              STR("file 2 STATUS_OBJECT_NAME_NOT_FOUND C:\\app\\never.ini "
                  "32.36 at 0.000001 NtOpenFile\n"));
    CHECK_STR(told_of("Found after", 0), STR(""));
    CHECK_STR(told_of("Went wrong", 0), STR(""));
    end();
}

static void what_is_found_elsewhere_is_folded_under_it(void)
{
    begin();
    open_file("\\??\\C:\\app\\x.dll", 0, NOT_FOUND);
    open_file("\\??\\C:\\path\\x.dll", 0, NOT_FOUND);
    open_file("\\??\\C:\\windows\\X.DLL", 0x40, 0);
    CHECK_STR(told_of("Not found", 0), STR(""));
    CHECK_STR(told_of("Found after", 0),
              STR("2 found C:\\windows\\X.DLL C:\\path\\x.dll and 1 more\n"));
    end();
}

/* A hit before the miss says nothing of it. */
static void only_a_later_hit_heals(void)
{
    begin();
    open_file("\\??\\C:\\windows\\x.dll", 0x40, 0);
    open_file("\\??\\C:\\app\\x.dll", 0, NOT_FOUND);
    CHECK_STR(told_of("Not found", 0),
              STR("file 1 STATUS_OBJECT_NAME_NOT_FOUND C:\\app\\x.dll 32.36 "
                  "at 0.000005 NtOpenFile\n"));
    end();
}

static void another_process_heals_nothing(void)
{
    struct trace other;
    struct model_thread *first;

    begin();
    open_file("\\??\\C:\\app\\x.dll", 0, NOT_FOUND);
    first = thread;
    other = *t;
    other.p = add_process(t, 40, MODE_PATCHED);
    thread = add_thread(&other, 44);
    open_file("\\??\\C:\\windows\\x.dll", 0x40, 0);
    thread = first;
    CHECK_STR(told_of("Not found", 0),
              STR("file 1 STATUS_OBJECT_NAME_NOT_FOUND C:\\app\\x.dll 32.36 "
                  "at 0.000001 NtOpenFile\n"));
    end();
}

static void what_any_program_looks_for_is_a_number(void)
{
    begin();
    open_file("\\??\\C:\\app\\app.exe.Manifest", 0, NOT_FOUND);
    CHECK_STR(told_of("Not found", 0),
              STR("(1 that any program looks for, and most do not find)\n"));
    end();
}

static void what_it_deleted_itself_is_not_missing(void)
{
    begin();
    create_file("\\??\\C:\\t.tmp", 0x40, 2, 0);
    delete_file(0x40);
    open_file("\\??\\C:\\t.tmp", 0, NOT_FOUND);
    CHECK_STR(told_of("Not found", 0),
              STR("(1 times something that it had deleted or renamed itself)"
                  "\n"));
    CHECK_STR(told_of("Changed", 0),
              STR("file 0 C:\\t.tmp created, deleted 32.36 at 0.000001\n"));
    /* It comes back, and is lost to somebody else. */
    open_file("\\??\\C:\\t.tmp", 0x44, 0);
    CHECK_STR(told_of("Changed", 0),
              STR("file 0 C:\\t.tmp created, deleted, is there again 32.36 at "
                  "0.000001\n"));
    open_file("\\??\\C:\\t.tmp", 0, NOT_FOUND);
    CHECK(str_starts(told_of("Not found", 0),
                     STR("file 1 STATUS_OBJECT_NAME_NOT_FOUND C:\\t.tmp")));
    end();
}

/* --- what was changed -------------------------------------------------------- */

static void a_file_is_created_emptied_or_only_opened(void)
{
    begin();
    create_file("\\??\\C:\\new", 0x40, 2, 0);
    create_file("\\??\\C:\\old", 0x44, 3, 0);
    create_file("\\??\\C:\\read", 0x48, 1, 0);
    create_file("\\??\\C:\\close", 0x4c, 1, 0x1000);
    CHECK_STR(told_of("Changed", 0),
              STR("file 0 C:\\new created 32.36 at 0.000001\n"
                  "file 0 C:\\old emptied 32.36 at 0.000005\n"
                  "file 0 C:\\close deleted 32.36 at 0.000013\n"));
    end();
}

static void a_temporary_file_that_is_renamed_says_to_what(void)
{
    begin();
    create_file("\\??\\C:\\d\\a.tmp", 0x40, 2, 0);
    rename_file(0x40, "\\??\\C:\\d\\a.txt");
    CHECK_STR(told_of("Changed", 0),
              STR("file 0 C:\\d\\a.tmp created, renamed to C:\\d\\a.txt 32.36 "
                  "at 0.000001\n"));
    end();
}

/* A name without folders stays where the file is. */
static void a_bare_new_name_is_in_the_same_folder(void)
{
    begin();
    create_file("\\??\\C:\\d\\a.tmp", 0x40, 2, 0);
    rename_file(0x40, "b");
    CHECK_STR(told_of("Changed", 0),
              STR("file 0 C:\\d\\a.tmp created, renamed to C:\\d\\b 32.36 at "
                  "0.000001\n"));
    end();
}

/* --- the rest ----------------------------------------------------------------- */

static void errors_are_by_status_and_object_and_habits_are_none(void)
{
    const uint64_t args[6] = { 0x40, 0 };

    begin();
    open_file("\\??\\C:\\locked", 0, 0xc0000022);
    open_file("\\??\\C:\\locked", 0, 0xc0000022);
    enter(N_QUERY_OBJECT, 5, args);
    leave(N_QUERY_OBJECT, 0xc0000004); /* INFO_LENGTH_MISMATCH */
    CHECK_STR(told_of("Went wrong", 0),
              STR("2 STATUS_ACCESS_DENIED NtOpenFile C:\\locked 32.36 at "
                  "0.000001\n"));
    CHECK_STR(told_of("Not found", 0), STR(""));
    end();
}

/* As leave, by a rule of the user's; `kernels`: of a call that was made. */
static void leave_changed(uint32_t number, uint64_t result, uint32_t how,
                          uint64_t kernels)
{
    size_t at = c.size;

    chunk_return_at(&c, now, stub_at(number) + 0x14, STACK, 0x100, result, how);
    if ((how & (RECORD_INJECTED | RECORD_REPLACED)) == RECORD_INJECTED) {
        chunk_u64(&c, kernels);
        c.bytes[at + RECORD_SIZE] = RETURN_SIZE_MOST;
    }
    now += 2;
    op = 0;
    feed(thread, &c);
    model_flush(t->m);
}

static void open_changed(const char *name, uint32_t status, uint32_t how,
                         uint32_t kernels)
{
    const uint64_t args[6] = { AT_OUT, 0x80100000, AT_ATTRIBUTES, AT_BLOCK };

    attributes(N_OPEN_FILE, 0, str_of(name));
    enter(N_OPEN_FILE, 6, args);
    leave_changed(N_OPEN_FILE, status, how, kernels);
}

static str remark(size_t nth)
{
    static char room[200];
    struct buf b = BUF_OVER(room);

    return answers_remark(answers_rows(answers), nth, &b) ? buf_str(&b)
                                                          : STR("none");
}

static void what_a_rule_has_made_is_wrong_and_says_so(void)
{
    begin();
    open_changed("\\??\\C:\\ini", 0xc0000022, RECORD_INJECTED | RECORD_REPLACED,
                 0);
    CHECK_STR(remark(0), STR("1 call has a result of -e inject=: (INJECTED)"));
    CHECK_STR(remark(1), STR("none"));
    /* The program is told that it is not there: nobody has looked. */
    open_changed("\\??\\C:\\ini", NOT_FOUND, RECORD_INJECTED | RECORD_REPLACED,
                 0);
    /* It was looked for, and is not there; the program is told otherwise. */
    open_changed("\\??\\C:\\none", 0xc0000022, RECORD_INJECTED, NOT_FOUND);
    open_file("\\??\\C:\\ini", 0, 0xc0000022);
    CHECK_STR(told_of("Went wrong", 0),
              STR("1 STATUS_ACCESS_DENIED (INJECTED) NtOpenFile C:\\ini 32.36 "
                  "at 0.000001\n"
                  "1 STATUS_OBJECT_NAME_NOT_FOUND (INJECTED) NtOpenFile "
                  "C:\\ini 32.36 at 0.000005\n"
                  "1 STATUS_ACCESS_DENIED (INJECTED) NtOpenFile C:\\none 32.36 "
                  "at 0.000009\n"
                  "1 STATUS_ACCESS_DENIED NtOpenFile C:\\ini 32.36 at "
                  "0.000013\n"));
    CHECK_STR(told_of("Not found", 0),
              STR("file 1 STATUS_OBJECT_NAME_NOT_FOUND C:\\none 32.36 at "
                  "0.000009 NtOpenFile\n"));
    CHECK_STR(remark(0), STR("3 calls have results of -e inject=: (INJECTED)"));
    end();
}

/* What the kernel has done counts, whatever the program was told. */
static void what_was_done_before_its_result_was_changed_is_done(void)
{
    const uint64_t args[11] = { AT_OUT,   0xc0100000, AT_ATTRIBUTES,
                                AT_BLOCK, 0,          0,
                                0,        5,          0 };

    begin();
    attributes(N_CREATE_FILE, 0, STR("\\??\\C:\\new"));
    enter(N_CREATE_FILE, 11, args);
    after(N_CREATE_FILE, AT_OUT, 0x40);
    after(N_CREATE_FILE, AT_BLOCK, 0);
    after(N_CREATE_FILE, AT_BLOCK + 8, 2);
    leave_changed(N_CREATE_FILE, 0xc000007f, RECORD_INJECTED, 0);
    CHECK_STR(told_of("Changed", 0),
              STR("file 0 C:\\new created 32.36 at 0.000001\n"));
    CHECK_STR(told_of("Went wrong", 0),
              STR("1 STATUS_DISK_FULL (INJECTED) NtCreateFile C:\\new 32.36 at "
                  "0.000001\n"));
    end();
}

static void a_wait_that_a_rule_has_made_says_so(void)
{
    const uint64_t args[2] = { 0, AT_BUFFER };

    begin();
    enter(N_DELAY, 2, args);
    now += 300000;
    leave_changed(N_DELAY, 0, RECORD_DELAYED, 0);
    enter(N_DELAY, 2, args);
    now += 200000;
    leave(N_DELAY, 0);
    CHECK_STR(told_of("Waited", 0),
              STR("0.300002 1 0.300002 NtDelayExecution (DELAYED) 32.36 at "
                  "0.000001\n0.200002 1 0.200002 NtDelayExecution 32.36 at "
                  "0.300005\n"));
    CHECK_STR(remark(0), STR("1 call was held up by -e inject=: (DELAYED)"));
    end();
}

static void waits_are_by_object_the_longest_first(void)
{
    uint64_t interval = AT_BUFFER;
    const uint64_t args[2] = { 0, interval };

    begin();
    enter(N_DELAY, 2, args);
    now += 700000;
    leave(N_DELAY, 0);
    CHECK_STR(told_of("Waited", 0),
              STR("0.700002 1 0.700002 NtDelayExecution 32.36 at 0.000001\n"));
    end();
}

static void calls_behind_ntdlls_back_say_from_where(void)
{
    begin();
    chunk_return_at(&c, ++now, 0x1f0014, STACK, 0x100, 0, 0);
    feed(thread, &c);
    model_flush(t->m);
    CHECK_STR(told_of("Behind", 0),
              STR("1 direct call syscall_? memory of its own at 0x1f0000 32.36 "
                  "at 0.000002\n"));
    end();
}

static void no_name_ends_a_line_or_moves_the_cursor(void)
{
    begin();
    open_file("\\??\\C:\\a\nGone\r\033[2Jb", 0, NOT_FOUND);
    CHECK_STR(
        told_of("Not found", 0),
        STR("file 1 STATUS_OBJECT_NAME_NOT_FOUND "
            "C:\\a^{0A}Gone^{0D}^{1B}[2Jb 32.36 at 0.000001 NtOpenFile\n"));
    end();
}

static void no_more_rows_are_told_than_were_asked_for(void)
{
    begin();
    for (uint32_t i = 0; i < 5; i++) {
        char name[] = "\\??\\C:\\0";

        name[7] = (char)('0' + i);
        open_file(name, 0, NOT_FOUND);
    }
    CHECK(str_ends(told_of("Not found", 2),
                   STR("(3 more; --rows 0 shows all)\n")));
    end();
}

/* Names of any sort, until there is no room for one of a few bytes. */
static void fill(struct labels *l)
{
    static char name[1 << 20];
    uint32_t nth = 0;

    memset(name, 'x', sizeof(name));
    for (size_t size = sizeof(name); size >= 8;) {
        memcpy(name, &nth, sizeof(nth));
        nth++;
        if (labels_add(l, (str){ name, size }) == LABEL_NONE) {
            size /= 2;
        }
    }
}

/* A row for them would be one of several files, with what came of the first. */
static void names_without_room_are_counted_and_share_no_row(void)
{
    char room[200];
    struct buf b = BUF_OVER(room);
    uint64_t refused;

    begin();
    open_file("\\??\\C:\\there was room", 0, NOT_FOUND);
    fill(answers_rows(answers)->names);
    refused = labels_refused(answers_rows(answers)->names);
    CHECK(refused > 0);
    open_file("\\??\\C:\\one of them", 0, NOT_FOUND);
    open_file("\\??\\C:\\the other one", 0, 0xc0000022);
    open_file("\\??\\C:\\a third one", 0, NOT_FOUND);
    CHECK_U64(answers_rows(answers)->sought.count, 1);
    CHECK_U64(answers_rows(answers)->sought.refused, 2);
    CHECK(str_ends(told_of("Not found", 0), STR("2 more found no room)\n")));
    CHECK(labels_refused(answers_rows(answers)->names) > refused);
    CHECK(answers_remark(answers_rows(answers), 0, &b));
    CHECK(str_ends(buf_str(&b), STR("names found no room: (more) is not one "
                                    "thing, and not all is here")));
    end();
}

/* --- labels, tables --------------------------------------------------------------- */

static void labels_are_the_same_whatever_their_case(void)
{
    struct labels *l = labels_open();
    static char longest[40000];

    CHECK_U64(labels_add(l, STR("C:\\Windows")), 0);
    CHECK_U64(labels_add(l, STR("\\??\\c:\\WINDOWS\\")), 0);
    CHECK_U64(labels_add(l, STR("C:\\Windows2")), 1);
    CHECK_STR(labels_text(l, 0), STR("C:\\Windows"));
    CHECK_STR(labels_form(l, 1), STR("C:\\WINDOWS2"));
    CHECK_STR(labels_text(l, LABEL_NONE), STR("(more)"));
    for (uint32_t i = 0; i < 5000; i++) {
        char room[20];
        struct buf b = BUF_OVER(room);

        buf_add_dec(&b, i);
        CHECK_U64(labels_add(l, buf_str(&b)), i + 2);
    }
    CHECK_U64(labels_add(l, STR("4999")), 5001);
    /* What differs behind the longest name of NT's is not the same. */
    memset(longest, 'a', sizeof(longest));
    CHECK_U64(labels_add(l, (str){ longest, sizeof(longest) }), 5002);
    longest[sizeof(longest) - 1] = 'b';
    CHECK_U64(labels_add(l, (str){ longest, sizeof(longest) }), 5003);
    labels_close(l);
}

/* Each is kept once, and found at once: looked for among all that begin like it,
 * these would take minutes. */
static void names_longer_than_nt_has_are_kept_once(void)
{
    struct labels *l = labels_open();
    static char name[33400];
    size_t wrong = 0;

    memset(name, 'a', sizeof(name));
    for (int again = 0; again < 2; again++) {
        for (uint32_t i = 0; i < 1500; i++) {
            memcpy(name + sizeof(name) - sizeof(i), &i, sizeof(i));
            wrong += labels_add(l, (str){ name, sizeof(name) }) != i;
        }
    }
    CHECK_U64(wrong, 0);
    CHECK_U64(labels_count(l), 1500);
    labels_close(l);
}

static void labels_have_an_end(void)
{
    struct labels *l = labels_open();
    static char name[32000];
    uint32_t added = 0;

    memset(name, 'x', sizeof(name));
    for (uint32_t i = 0; i < 3000; i++) {
        for (uint32_t digit = 0, rest = i; digit < 4; digit++, rest /= 10) {
            name[digit] = (char)('0' + rest % 10);
        }
        added += labels_add(l, (str){ name, sizeof(name) }) != LABEL_NONE;
    }
    CHECK(added > 2000 && added < 2100);
    labels_close(l);
}

static void a_table_refuses_what_it_has_no_room_for(void)
{
    struct table table;

    table_init(&table, sizeof(struct table_key), 1000);
    for (uint64_t i = 0; i < 1500; i++) {
        CHECK((table_row(&table, (struct table_key){ i, ~i }) != NULL) ==
              (i < 1000));
    }
    CHECK_U64(table.refused, 500);
    for (uint64_t i = 0; i < 1500; i++) {
        CHECK((table_find(&table, (struct table_key){ i, ~i }) != NULL) ==
              (i < 1000));
    }
    table_close(&table);
}

/* --- rows ------------------------------------------------------------------------- */

static bool has_parameter(const struct call_facts *facts, const char *name)
{
    return name == NULL ||
           call_parameter(facts, name[0] == '*' ? name + 1 : name) >= 0;
}

static void deeds_are_of_calls_and_parameters_that_there_are(void)
{
    for (size_t i = 0; i < deed_count(); i++) {
        const struct deed_row *row = deed_at(i);
        const struct call_facts *facts = call_find(str_of(row->call));
        size_t count;

        CHECK(i == 0 || strcmp(deed_at(i - 1)->call, row->call) <= 0);
        CHECK(facts != NULL);
        if (facts == NULL || !has_parameter(facts, row->of) ||
            !has_parameter(facts, row->name) ||
            !has_parameter(facts, row->bytes) ||
            !has_parameter(facts, row->tests[0].parameter) ||
            !has_parameter(facts, row->tests[1].parameter)) {
            printf("%s, kind %u\n", row->call, row->kind);
            CHECK(false);
        }
        deed_rows(str_of(row->call), &count);
        CHECK(count > 0);
    }
}

static void habits_are_what_habits_def_says(void)
{
    size_t count;

    CHECK(status_is_miss(NOT_FOUND));
    CHECK(!status_is_miss(0xc0000022));
    CHECK(habit_is_error(STR("NtReadFile"), 0xc0000011));
    CHECK(!habit_is_error(STR("NtWriteFile"), 0xc0000011));
    CHECK(habit_is_miss(STR("C:\\X.EXE.MANIFEST")));
    CHECK(!habit_is_miss(STR("C:\\X.EXE.MANIFEST.TXT")));
    CHECK(!habit_is_miss(STR("")));
    deed_rows(STR("NtClose"), &count);
    CHECK_U64(count, 0);
}

int main(void)
{
    const struct test tests[] = {
        TEST(what_is_never_found_is_named_with_who_asked),
        TEST(what_is_found_elsewhere_is_folded_under_it),
        TEST(only_a_later_hit_heals),
        TEST(another_process_heals_nothing),
        TEST(what_any_program_looks_for_is_a_number),
        TEST(what_it_deleted_itself_is_not_missing),
        TEST(a_file_is_created_emptied_or_only_opened),
        TEST(a_temporary_file_that_is_renamed_says_to_what),
        TEST(a_bare_new_name_is_in_the_same_folder),
        TEST(errors_are_by_status_and_object_and_habits_are_none),
        TEST(what_a_rule_has_made_is_wrong_and_says_so),
        TEST(what_was_done_before_its_result_was_changed_is_done),
        TEST(a_wait_that_a_rule_has_made_says_so),
        TEST(waits_are_by_object_the_longest_first),
        TEST(calls_behind_ntdlls_back_say_from_where),
        TEST(no_name_ends_a_line_or_moves_the_cursor),
        TEST(no_more_rows_are_told_than_were_asked_for),
        TEST(names_without_room_are_counted_and_share_no_row),
        TEST(labels_are_the_same_whatever_their_case),
        TEST(names_longer_than_nt_has_are_kept_once),
        TEST(labels_have_an_end),
        TEST(a_table_refuses_what_it_has_no_room_for),
        TEST(deeds_are_of_calls_and_parameters_that_there_are),
        TEST(habits_are_what_habits_def_says),
    };

    return check_run(tests, COUNT_OF(tests));
}
