/* SPDX-License-Identifier: MIT */
/*
 * test_decode - decode/decode.c and tell.c, behind programs of capture.c: from
 * arguments and memory to lines, as docs/output.md has them.
 */
#include "unit/captured.h"

#include "base/compiler.h"
#include "model/model.h"
#include "tables/types.h"
#include "unit/journal.h"

#include "grammar.h"
#include "unit/check.h"

#define NAME 0x20000u
#define ATTRIBUTES 0x21000u
#define OUT 0x22000u
#define STATUS 0x23000u
#define BUFFER 0x24000u
#define LENGTH 0x25000u

static struct world before;
static struct world after;
static struct call call;
static struct stub stub;
static struct capture_options captures;
static struct decode_options options;
static struct text_options look;
static struct taken taken_before;
static struct taken taken_after;
static struct clock test_clock;
static char lines[8 << 20];
static size_t lines_size;

static void add_line(void *ctx, str line)
{
    (void)ctx;
    if (lines_size + line.size > sizeof(lines)) {
        abort();
    }
    memcpy(lines + lines_size, line.p, line.size);
    lines_size += line.size;
}

static void start(const char *name, uint32_t count, const uint64_t *args)
{
    memset(&before, 0, sizeof(before));
    memset(&after, 0, sizeof(after));
    memset(&call, 0, sizeof(call));
    captures = (struct capture_options){ .string_max = 32 };
    options =
        (struct decode_options){ .string_max = 32, .handles = HANDLES_NAMED };
    look = (struct text_options){ .arg_names = true };
    stub = (struct stub){ .name = str_of(name),
                          .module = STR("ntdll.dll"),
                          .facts = call_find(str_of(name)) };
    if (!stub.facts || stub.facts->arg_count != count) {
        printf("%s has not %u arguments\n", name, count);
        abort();
    }
    stub.arg_count = (int8_t)count;
    call.id = 1;
    call.stub = &stub;
    call.entry_seen = true;
    call.arg_mask = (1u << count) - 1;
    if (count > 0) {
        memcpy(call.args, args, count * sizeof(*args));
    }
    clock_init(&test_clock, 0, 1000000, 0);
}

#define START(name_, ...)                                   \
    start((name_), sizeof((uint64_t[]){ __VA_ARGS__ }) / 8, \
          (uint64_t[]){ __VA_ARGS__ })

static void both_put(uint64_t address, uint64_t value, size_t size)
{
    put_u(&before, address, value, size);
    put_u(&after, address, value, size);
}

static void run_captures(void)
{
    _Alignas(8) static uint8_t room[CAPTURE_PROGRAM_MAX];
    const struct capture_program *p = (const void *)room;

    taken_free(&taken_before);
    taken_free(&taken_after);
    memset(&taken_before, 0, sizeof(taken_before));
    memset(&taken_after, 0, sizeof(taken_after));
    if (capture_compile(stub.facts, &captures, room) > 0) {
        take(&before, p, &call, false, &taken_before);
        if (call.returned) {
            take(&after, p, &call, true, &taken_after);
        }
    }
    call.before = taken_before.memory;
    call.after = taken_after.memory;
}

/* The call as a line, without its end. */
static str line_of(bool in_two)
{
    static struct text text;
    struct decoder d;
    str rest;
    str line;

    lines_size = 0;
    if (!text_init(&text, &look, add_line, NULL)) {
        abort();
    }
    decoder_init(&d, &text.sink, &test_clock, &options);
    run_captures();
    if (in_two) {
        struct call entry = call;

        entry.returned = false;
        entry.after = (struct memory){ 0 };
        decoder_enter(&d, &entry);
        decoder_flush(&d);
        decoder_leave(&d, &call);
    } else if (call.returned) {
        decoder_whole(&d, &call);
    } else {
        decoder_enter(&d, &call);
        call.ended = true;
        decoder_leave(&d, &call);
    }
    decoder_close(&d);
    text_close(&text);
    rest = (str){ lines, lines_size };
    while (str_cut(rest, '\n', &line, &rest)) {
        size_t column = grammar_mistake(line);

        if (column != 0) {
            printf("column %zu is not in the grammar: %.*s\n", column,
                   STR_ARGS(line));
            check_bad++;
        }
    }
    return (str){ lines, lines_size ? lines_size - 1 : 0 };
}

static str returns(uint64_t result)
{
    call.returned = true;
    call.result = result;
    return line_of(false);
}

static bool contains(str line, str part)
{
    for (size_t i = 0; i + part.size <= line.size; i++) {
        if (memcmp(line.p + i, part.p, part.size) == 0) {
            return true;
        }
    }
    return false;
}

static void open_file(void)
{
    START("NtOpenFile", OUT, 0x80100000, ATTRIBUTES, STATUS, 1, 0x20);
    put_string(&before, NAME, "\\??\\C:\\windows\\win.ini");
    put_attributes(&before, ATTRIBUTES, 0, NAME, 0x40);
    put_u(&after, OUT, 0x4c, 8);
    put_u(&after, STATUS, 0, 8);
    put_u(&after, STATUS + 8, 1, 8);
}

static void an_open_is_told_with_name_handle_and_outcome(void)
{
    open_file();
    CHECK_STR(returns(0),
              STR("NtOpenFile(FileHandle=[0x4c], "
                  "DesiredAccess=GENERIC_READ|SYNCHRONIZE, ObjectAttributes="
                  "{ObjectName=\"\\??\\C:\\windows\\win.ini\", "
                  "Attributes=OBJ_CASE_INSENSITIVE}, "
                  "IoStatusBlock={Status=0, Information=FILE_OPENED}, "
                  "ShareAccess=FILE_SHARE_READ, "
                  "OpenOptions=FILE_SYNCHRONOUS_IO_NONALERT) = 0"));
}

static void a_failed_open_shows_the_addresses_of_its_outputs(void)
{
    START("NtOpenFile", 0x12fb38, 0x80100200, ATTRIBUTES, 0x12fae4, 0, 0);
    put_string(&before, NAME, "\\??\\C:\\no\033such\"name");
    put_attributes(&before, ATTRIBUTES, 0, NAME, 0x40);
    CHECK_STR(returns(0xc0000034),
              STR("NtOpenFile(FileHandle=0x12fb38, "
                  "DesiredAccess=GENERIC_READ|SYNCHRONIZE|0x200, "
                  "ObjectAttributes={ObjectName="
                  "\"\\??\\C:\\no^{1B}such^\"name\", "
                  "Attributes=OBJ_CASE_INSENSITIVE}, IoStatusBlock=0x12fae4, "
                  "ShareAccess=0, OpenOptions=0) = 0xc0000034 "
                  "STATUS_OBJECT_NAME_NOT_FOUND"));
}

static void an_open_in_two_parts_tells_its_outputs_at_the_return(void)
{
    open_file();
    call.returned = true;
    CHECK_STR(line_of(true),
              STR("NtOpenFile(FileHandle=0x22000, "
                  "DesiredAccess=GENERIC_READ|SYNCHRONIZE, ObjectAttributes="
                  "{ObjectName=\"\\??\\C:\\windows\\win.ini\", "
                  "Attributes=OBJ_CASE_INSENSITIVE}, "
                  "IoStatusBlock=0x23000, ShareAccess=FILE_SHARE_READ, "
                  "OpenOptions=FILE_SYNCHRONOUS_IO_NONALERT "
                  "<unfinished ...>\n"
                  "<... NtOpenFile resumed>FileHandle=[0x4c], "
                  "IoStatusBlock={Status=0, Information=FILE_OPENED}) = 0"));
}

static void a_directory_has_the_names_of_a_directorys_rights(void)
{
    START("NtOpenFile", OUT, 0x100001, ATTRIBUTES, STATUS, 3, 0x21);
    put_string(&before, NAME, "x");
    put_attributes(&before, ATTRIBUTES, 0x4c, NAME, 0);
    CHECK_STR(returns(0xc0000022),
              STR("NtOpenFile(FileHandle=0x22000, "
                  "DesiredAccess=FILE_LIST_DIRECTORY|SYNCHRONIZE, "
                  "ObjectAttributes={RootDirectory=0x4c, ObjectName=\"x\", "
                  "Attributes=0}, IoStatusBlock=0x23000, "
                  "ShareAccess=FILE_SHARE_READ|FILE_SHARE_WRITE, "
                  "OpenOptions=FILE_DIRECTORY_FILE|"
                  "FILE_SYNCHRONOUS_IO_NONALERT) = 0xc0000022 "
                  "STATUS_ACCESS_DENIED"));
}

static void a_pending_read_shows_addresses_and_its_handles_name(void)
{
    struct object pipe = { .type = STR("File"),
                           .name = STR("\\Device\\NamedPipe\\demo"),
                           .path = STR("") };

    START("NtReadFile", 0x50, 0x54, 0, 0, 0x12fa90, 0x1f0000, 4096, 0, 0);
    call.objects[0] = &pipe;
    CHECK_STR(returns(0x103),
              STR("NtReadFile(FileHandle=0x50<\\Device\\NamedPipe\\demo>, "
                  "Event=0x54, ApcRoutine=NULL, ApcContext=NULL, "
                  "IoStatusBlock=0x12fa90, Buffer=0x1f0000, Length=4096, "
                  "ByteOffset=NULL, Key=NULL) = 0x103 STATUS_PENDING"));
}

static void a_read_shows_what_was_read_and_no_more(void)
{
    START("NtReadFile", 0x50, 0, 0, 0, STATUS, BUFFER, 4096, 0, 0);
    put(&after, BUFFER, "hello\n\0stale", 12);
    put_u(&after, STATUS, 0, 8);
    put_u(&after, STATUS + 8, 6, 8);
    CHECK_STR(returns(0),
              STR("NtReadFile(FileHandle=0x50, Event=NULL, ApcRoutine=NULL, "
                  "ApcContext=NULL, IoStatusBlock={Status=0, Information=6}, "
                  "Buffer=b\"hello\\n\", Length=4096, ByteOffset=NULL, "
                  "Key=NULL) = 0"));
}

static void a_write_is_cut_after_the_strings_limit(void)
{
    START("NtWriteFile", 0x50, 0, 0, 0, STATUS, BUFFER, 100, LENGTH, 0);
    for (uint32_t i = 0; i < 100; i++) {
        put_u(&before, BUFFER + i, 'a' + i % 26, 1);
    }
    put_u(&before, LENGTH, UINT64_MAX, 8);
    captures.string_max = 4;
    options.string_max = 4;
    CHECK_STR(returns(0xc0000008),
              STR("NtWriteFile(FileHandle=0x50, Event=NULL, ApcRoutine=NULL, "
                  "ApcContext=NULL, IoStatusBlock=0x23000, "
                  "Buffer=b\"abcd\"..., Length=100, "
                  "ByteOffset=[FILE_WRITE_TO_END_OF_FILE], Key=NULL) = "
                  "0xc0000008 STATUS_INVALID_HANDLE"));
}

static void what_goes_in_and_out_is_told_twice(void)
{
    START("NtProtectVirtualMemory", UINT64_MAX, OUT, LENGTH, 0x20, BUFFER);
    put_u(&before, OUT, 0x1f0010, 8);
    put_u(&after, OUT, 0x1f0000, 8);
    put_u(&before, LENGTH, 0x20, 8);
    put_u(&after, LENGTH, 0x1000, 8);
    put_u(&after, BUFFER, 4, 4);
    CHECK_STR(returns(0),
              STR("NtProtectVirtualMemory(ProcessHandle=NtCurrentProcess, "
                  "BaseAddress=[0x1f0010 => 0x1f0000], "
                  "RegionSize=[0x20 => 0x1000], "
                  "NewProtection=PAGE_EXECUTE_READ, "
                  "OldProtection=[PAGE_READWRITE]) = 0"));
    CHECK_STR(returns(0xc0000045),
              STR("NtProtectVirtualMemory(ProcessHandle=NtCurrentProcess, "
                  "BaseAddress=[0x1f0010], RegionSize=[0x20], "
                  "NewProtection=PAGE_EXECUTE_READ, "
                  "OldProtection=0x24000) = 0xc0000045 "
                  "STATUS_INVALID_PAGE_PROTECTION"));
}

static void a_wait_is_told_as_a_length_of_time(void)
{
    START("NtDelayExecution", 0xffffff01, LENGTH);
    put_u(&before, LENGTH, (uint64_t)-5000000, 8);
    CHECK_STR(returns(0), STR("NtDelayExecution(Alertable=TRUE, "
                              "DelayInterval=[+0.500000s]) = 0"));
}

static void words_that_are_statuses_booleans_and_nothing(void)
{
    START("NtTerminateThread", 0, 0);
    CHECK_STR(line_of(false),
              STR("NtTerminateThread(ThreadHandle=NULL, ExitStatus=0) = ?"));
    START("NtTerminateProcess", UINT64_MAX, 3);
    CHECK_STR(line_of(false), STR("NtTerminateProcess(ProcessHandle="
                                  "NtCurrentProcess, ExitStatus=3) = ?"));
    START("NtTerminateProcess", UINT64_MAX, 0xc0000005);
    CHECK_STR(line_of(false),
              STR("NtTerminateProcess(ProcessHandle=NtCurrentProcess, "
                  "ExitStatus=STATUS_ACCESS_VIOLATION) = ?"));
    START("NtClose", UINT64_MAX - 5);
    CHECK_STR(returns(0),
              STR("NtClose(Handle=NtCurrentThreadEffectiveToken) = 0"));
}

static bool demo_place(void *ctx, const struct call *c, uint64_t address,
                       struct place *out)
{
    (void)ctx;
    (void)c;
    *out = (struct place){ .kind = PLACE_MODULE,
                           .name = STR("ntdll.dll"),
                           .offset = address - 0x7000 };
    return true;
}

static void a_context_is_where_it_goes_on(void)
{
    START("NtContinue", BUFFER, 1);
    put_u(&before, BUFFER + 0x98, 0x22fd08, 8);
    for (uint32_t i = 0xa0; i < 0xf8; i += 8) {
        put_u(&before, BUFFER + i, i, 8);
    }
    put_u(&before, BUFFER + 0xf8, 0xa61b4, 8);
    options.place_of = demo_place;
    CHECK_STR(line_of(false),
              STR("NtContinue(ContextRecord={Rip=ntdll.dll+0x9f1b4, "
                  "Rsp=0x22fd08}, TestAlert=TRUE) = ?"));
}

static void a_direct_call_tells_what_it_knows(void)
{
    START("NtAllocateVirtualMemory", UINT64_MAX, 0, 0, 0, 0x3000, 0x40);
    call.entry_seen = false;
    call.arg_mask = 0x31;
    call.how = HOW_DIRECT;
    call.at = (struct place){
        .kind = PLACE_PRIVATE, .name = STR(""), .base = 0x1f0000, .offset = 0x14
    };
    CHECK_STR(returns(0),
              STR("NtAllocateVirtualMemory(ProcessHandle=NtCurrentProcess, "
                  "BaseAddress=?, ZeroBits=?, RegionSize=?, "
                  "AllocationType=MEM_COMMIT|MEM_RESERVE, "
                  "PageProtection=PAGE_EXECUTE_READWRITE) = 0 "
                  "(DIRECT: private 0x1f0000+0x14)"));
}

static void arguments_of_which_none_was_seen_are_one(void)
{
    static const enum call_how hows[] = { HOW_ORDINARY, HOW_DIRECT };

    for (size_t i = 0; i < COUNT_OF(hows); i++) {
        START("NtAllocateVirtualMemory", UINT64_MAX, 0, 0, 0, 0x3000, 0x40);
        call.entry_seen = false;
        call.arg_mask = 0;
        call.how = (uint8_t)hows[i];
        look.arg_names = i == 0;
        options.raw = i != 0;
        CHECK(str_starts(returns(0), STR("NtAllocateVirtualMemory(?) = 0")));
    }
    /* One that was seen is enough to show which it is. */
    START("NtDelayExecution", 1, 0);
    call.entry_seen = false;
    call.arg_mask = 1;
    CHECK_STR(returns(0), STR("NtDelayExecution(Alertable=TRUE, "
                              "DelayInterval=?) = 0"));
    /* And what takes none has none that was not seen. */
    start("NtYieldExecution", 0, NULL);
    call.entry_seen = false;
    CHECK_STR(returns(0), STR("NtYieldExecution() = 0"));
}

static void a_message_is_told_by_name(void)
{
    START("NtUserDispatchMessage", BUFFER);
    put_u(&before, BUFFER, 0x10080, 8);
    put_u(&before, BUFFER + 8, 0xf, 8);
    for (uint32_t i = 16; i < 48; i += 8) {
        put_u(&before, BUFFER + i, 0, 8);
    }
    str line = returns(0);

    CHECK(str_starts(line, STR("NtUserDispatchMessage(lpmsg={hwnd=0x10080, "
                               "message=WM_PAINT, wParam=0, lParam=0")));
    CHECK(str_ends(line, STR("}) = 0")));
}

static void an_output_that_could_not_be_read_is_an_address(void)
{
    START("NtOpenProcess", OUT, 0x1000, ATTRIBUTES, BUFFER);
    put_attributes(&before, ATTRIBUTES, 0, 0, 0);
    put_u(&before, BUFFER, 1234, 8);
    put_u(&before, BUFFER + 8, 0, 8);
    CHECK_STR(returns(0),
              STR("NtOpenProcess(ProcessHandle=0x22000, "
                  "DesiredAccess=PROCESS_QUERY_LIMITED_INFORMATION, "
                  "ObjectAttributes={ObjectName=NULL, Attributes=0}, "
                  "ClientId={UniqueProcess=1234, UniqueThread=0}) = 0"));
}

static void an_information_class_types_its_buffer(void)
{
    START("NtQueryInformationFile", 0x50, STATUS, BUFFER, 24, 5);
    put_u(&after, STATUS, 0, 8);
    put_u(&after, STATUS + 8, 24, 8);
    put_u(&after, BUFFER, 4096, 8);
    put_u(&after, BUFFER + 8, 11, 8);
    put_u(&after, BUFFER + 16, 1, 8);
    CHECK_STR(returns(0),
              STR("NtQueryInformationFile(FileHandle=0x50, IoStatusBlock="
                  "{Status=0, Information=24}, FileInformation="
                  "{AllocationSize=4096, EndOfFile=11, NumberOfLinks=1, "
                  "DeletePending=FALSE, Directory=FALSE}, Length=24, "
                  "FileInformationClass=FileStandardInformation) = 0"));
}

static void a_length_is_told_when_the_buffer_was_too_small(void)
{
    START("NtQueryInformationProcess", UINT64_MAX, 0, BUFFER, 8, LENGTH);
    put_u(&after, LENGTH, 48, 4);
    CHECK_STR(returns(0xc0000004),
              STR("NtQueryInformationProcess(ProcessHandle=NtCurrentProcess, "
                  "ProcessInformationClass=ProcessBasicInformation, "
                  "ProcessInformation=0x24000, ProcessInformationLength=8, "
                  "ReturnLength=[48]) = 0xc0000004 "
                  "STATUS_INFO_LENGTH_MISMATCH"));
}

static void handles_of_a_wait_are_an_array(void)
{
    START("NtWaitForMultipleObjects", 3, BUFFER, 1, 0, LENGTH);
    put_u(&before, BUFFER, 0x10, 8);
    put_u(&before, BUFFER + 8, 0x14, 8);
    put_u(&before, BUFFER + 16, 0x18, 8);
    put_u(&before, LENGTH, 0x8000000000000000, 8);
    CHECK_STR(returns(2),
              STR("NtWaitForMultipleObjects(Count=3, Handles=[0x10, 0x14, "
                  "0x18], WaitType=WaitAny, Alertable=FALSE, "
                  "Timeout=[INFINITE]) = 0x2 STATUS_WAIT_2"));
}

static void raw_means_numbers_without_names(void)
{
    open_file();
    options.raw = true;
    CHECK_STR(returns(0),
              STR("NtOpenFile(FileHandle=[0x4c], DesiredAccess=0x80100000, "
                  "ObjectAttributes={ObjectName="
                  "\"\\??\\C:\\windows\\win.ini\", Attributes=0x40}, "
                  "IoStatusBlock={Status=0, Information=1}, "
                  "ShareAccess=0x1, OpenOptions=0x20) = 0"));
}

static void for_counting_no_arguments_are_told(void)
{
    open_file();
    options.names_only = true;
    CHECK_STR(returns(0), STR("NtOpenFile() = 0"));
}

static void a_name_of_the_greatest_length_is_whole(void)
{
    static char want[65534 / 2 + 64];
    size_t n = 65534 / 2;
    str line;

    open_file();
    for (uint32_t i = 0; i < n; i++) {
        put_u(&before, 0x30000u + 2 * i, 'a' + i % 26, 2);
        want[i] = (char)('a' + i % 26);
    }
    put_u(&before, NAME, 65534, 8);
    put_u(&before, NAME + 8, 0x30000, 8);
    line = returns(0);
    CHECK(line.size > n);
    CHECK(contains(line, (str){ want, n }));
}

static void what_the_target_says_of_its_memory_is_not_believed(void)
{
    /* A name of 65,534 bytes of which there are four. */
    open_file();
    put_u(&before, NAME, 65534, 8);
    put_u(&before, NAME + 8, WORLD_BASE + WORLD_SIZE - 4, 8);
    put_u(&before, WORLD_BASE + WORLD_SIZE - 4, 'a' | 'b' << 16, 4);
    CHECK_STR(str_slice(returns(0), 0, 88),
              STR("NtOpenFile(FileHandle=[0x4c], DesiredAccess=GENERIC_READ|"
                  "SYNCHRONIZE, ObjectAttributes={"));
    /* More read than the buffer holds. */
    START("NtReadFile", 0x50, 0, 0, 0, STATUS, BUFFER, 4, 0, 0);
    put(&after, BUFFER, "hello", 5);
    put_u(&after, STATUS, 0, 8);
    put_u(&after, STATUS + 8, UINT64_MAX, 8);
    CHECK_STR(returns(0),
              STR("NtReadFile(FileHandle=0x50, Event=NULL, ApcRoutine=NULL, "
                  "ApcContext=NULL, IoStatusBlock={Status=0, "
                  "Information=0xffffffffffffffff}, Buffer=b\"hell\", "
                  "Length=4, ByteOffset=NULL, Key=NULL) = 0"));
    /* A list of 4 billion handles. */
    START("NtWaitForMultipleObjects", UINT32_MAX, BUFFER, 0, 0, 0);
    both_put(BUFFER, 0x10, 8);
    both_put(BUFFER + 8, 0x14, 8);
    CHECK_STR(returns(0xc000000d),
              STR("NtWaitForMultipleObjects(Count=0xffffffff, Handles=[0x10, "
                  "0x14, ...], WaitType=WaitAll, Alertable=FALSE, "
                  "Timeout=NULL) = 0xc000000d STATUS_INVALID_PARAMETER"));
}

static void a_dump_is_all_that_was_read_or_written(void)
{
    static const uint64_t other[] = { 0x54 };
    static const uint64_t this[] = { 0x54, 0x50 };
    str plain;

    START("NtWriteFile", 0x50, 0, 0, 0, STATUS, BUFFER, 40, 0, 0);
    for (uint32_t i = 0; i < 40; i++) {
        put_u(&before, BUFFER + i, 'a' + i % 26, 1);
    }
    captures.dumps = true;
    plain = returns(0x103);
    CHECK(str_ends(plain, STR("STATUS_PENDING")));
    options.dump_writes = other;
    options.dump_write_count = 1;
    plain = returns(0x103);
    CHECK(str_ends(plain, STR("STATUS_PENDING")));
    options.dump_writes = this;
    options.dump_write_count = 2;
    plain = returns(0x103);
    CHECK(contains(plain, STR("\n | 00020  67 68 69")));
    /* With `all` the handles are those that are left out. */
    options.dump_writes_all = true;
    plain = returns(0x103);
    CHECK(str_ends(plain, STR("STATUS_PENDING")));
    options.dump_write_count = 1;
    plain = returns(0x103);
    CHECK(contains(plain, STR("\n | 00020  67 68 69")));
}

static void a_dump_that_is_not_whole_is_marked(void)
{
    START("NtWriteFile", 0x50, 0, 0, 0, STATUS, BUFFER, 40, 0, 0);
    options.dump_writes_all = true;
    captures.dumps = true;
    for (uint32_t i = 0; i < 40; i++) {
        put_u(&before, BUFFER + i, 'a', 1);
    }
    CHECK(!contains(returns(0), STR(" | ...")));
    call.args[6] = 41;  // the last one cannot be read
    CHECK(str_ends(returns(0), STR("aaaaaaaa         |\n | ...")));
    call.args[5] = BUFFER - 0x100;  // none of them can
    CHECK(str_ends(returns(0), STR(" = 0\n | ...")));
}

static void a_number_in_place_of_a_name_is_a_number(void)
{
    open_file();
    put_u(&before, NAME, 0, 8);
    put_u(&before, NAME + 8, 0xc00d, 8);
    CHECK_STR(str_slice(returns(0xc0000022), 0, 106),
              STR("NtOpenFile(FileHandle=0x22000, "
                  "DesiredAccess=GENERIC_READ|SYNCHRONIZE, "
                  "ObjectAttributes={ObjectName=0xc00d"));
}

static void what_goes_in_and_out_is_told_at_both_ends(void)
{
    START("NtFreeVirtualMemory", UINT64_MAX, OUT, LENGTH, 0x8000);
    put_u(&before, OUT, 0x10000, 8);
    put_u(&after, OUT, 0x10000, 8);
    put_u(&before, LENGTH, 0, 8);
    put_u(&after, LENGTH, 0x2000, 8);
    call.returned = true;
    CHECK_STR(line_of(true),
              STR("NtFreeVirtualMemory(ProcessHandle=NtCurrentProcess, "
                  "BaseAddress=[0x10000], RegionSize=[0], "
                  "FreeType=MEM_RELEASE <unfinished ...>\n"
                  "<... NtFreeVirtualMemory resumed>"
                  "BaseAddress=[0x10000 => 0x10000], "
                  "RegionSize=[0 => 0x2000]) = 0"));
}

static void the_rights_of_a_copy_go_by_its_object(void)
{
    struct object event = { .type = STR("Event"),
                            .name = STR(""),
                            .path = STR("") };

    START("NtDuplicateObject", UINT64_MAX, 0x10, UINT64_MAX, OUT, 2, 0, 0);
    call.objects[1] = &event;
    put_u(&after, OUT, 0x14, 8);
    CHECK_STR(returns(0),
              STR("NtDuplicateObject(SourceProcessHandle=NtCurrentProcess, "
                  "SourceHandle=0x10<Event>, "
                  "TargetProcessHandle=NtCurrentProcess, "
                  "TargetHandle=[0x14], DesiredAccess=EVENT_MODIFY_STATE, "
                  "HandleAttributes=0, Options=0) = 0"));
}

static void without_names_handles_are_numbers(void)
{
    struct object file = { .type = STR("File"),
                           .name = STR("x"),
                           .path = STR("") };

    START("NtClose", 0x50);
    call.objects[0] = &file;
    CHECK_STR(returns(0), STR("NtClose(Handle=0x50<x>) = 0"));
    options.handles = HANDLES_PLAIN;
    CHECK_STR(returns(0), STR("NtClose(Handle=0x50) = 0"));
}

static void a_timed_out_wait_has_filled_nothing(void)
{
    START("NtRemoveIoCompletion", 0x50, OUT, OUT + 8, STATUS, LENGTH);
    both_put(OUT, 1, 8);
    both_put(OUT + 8, 2, 8);
    both_put(STATUS, 0, 8);
    both_put(STATUS + 8, 0, 8);
    both_put(LENGTH, 0, 8);
    CHECK_STR(returns(0x102),
              STR("NtRemoveIoCompletion(IoCompletionHandle=0x50, "
                  "KeyContext=0x22000, ApcContext=0x22008, "
                  "IoStatusBlock=0x23000, Timeout=[+0.000000s]) = 0x102 "
                  "STATUS_TIMEOUT"));
}

static void of_a_long_array_the_beginning_is_shown(void)
{
    START("NtGdiTransformPoints", 1, BUFFER, 0, 9, 0);
    for (uint32_t i = 0; i < 9; i++) {
        put_u(&before, BUFFER + 8 * i, i + 1, 8);
    }
    captures.verbose = true;
    CHECK(contains(returns(1), STR("{x=8, y=0}, ...], ")));
    CHECK(!contains(returns(1), STR("{x=9, y=0}")));
    options.verbose = true;
    CHECK(contains(returns(1), STR("{x=9, y=0}], ")));
}

/* What made it stands in the same line; -yy says it all the same. */
static void a_new_handle_has_no_name_yet(void)
{
    struct model_out out = { .ctx = NULL };
    struct model_config config = { 0 };
    struct err e = { 0 };
    struct model *m = model_open(&config, &out, &e);
    struct model_process *p = m ? open_process(m, 32, MODE_PATCHED) : NULL;

    if (!p || !process_module_add(p, 0x140000000, 0x10000, STR("demo.exe")) ||
        !handles_add(p->handles, 0x4c, STR("File"), STR("here"), STR(""), false,
                     0)) {
        abort();
    }
    open_file();
    put_attributes(&before, ATTRIBUTES, 0x4c, NAME, 0x40);
    call.handles = p->handles;
    CHECK(contains(returns(0), STR("FileHandle=[0x4c], ")));
    CHECK(contains(returns(0), STR("RootDirectory=0x4c<here>, ")));
    options.handles = HANDLES_DETAIL;
    CHECK(contains(returns(0), STR("FileHandle=[0x4c<here>], ")));
    START("NtQueueApcThread", UINT64_MAX - 1, 0x140001730, 1, 2, 3);
    call.process = p;
    CHECK_STR(returns(0), STR("NtQueueApcThread(ThreadHandle=NtCurrentThread, "
                              "ApcRoutine=demo.exe+0x1730, ApcArgument1=0x1, "
                              "ApcArgument2=0x2, ApcArgument3=0x3) = 0"));
    model_close(m);
}

/* The same number is another object there. */
static void a_handle_of_another_process_has_no_name_of_ours(void)
{
    struct model_out out = { .ctx = NULL };
    struct model_config config = { 0 };
    struct err e = { 0 };
    struct model *m = model_open(&config, &out, &e);
    struct model_process *p = m ? open_process(m, 32, MODE_PATCHED) : NULL;
    struct object other = { .type = STR("Process"),
                            .name = STR("64 x.exe"),
                            .path = STR(""),
                            .pid = 64 };

    if (!p || !handles_add(p->handles, 0x4c, STR("File"), STR("here"), STR(""),
                           false, 0)) {
        abort();
    }
    START("NtDuplicateObject", UINT64_MAX, 0x50, UINT64_MAX, BUFFER, 0, 0, 2);
    call.pid = 32;
    call.handles = p->handles;
    options.handles = HANDLES_DETAIL;
    put_u(&after, BUFFER, 0x4c, 8);
    CHECK(contains(returns(0), STR("TargetHandle=[0x4c<here>]")));
    call.args[2] = 0x60;
    call.objects[2] = &other;
    CHECK(contains(returns(0), STR("TargetHandle=[0x4c], ")));

    START("NtQuerySystemInformation", 0x40, BUFFER, 56, BUFFER + 64);
    call.pid = 32;
    call.handles = p->handles;
    for (uint32_t i = 0; i < 56; i += 8) {
        put_u(&after, BUFFER + i, 0, 8);
    }
    put_u(&after, BUFFER, 1, 8);
    put_u(&after, BUFFER + 32, 0x4c, 8);
    put_u(&after, BUFFER + 64, 56, 4);
    CHECK(contains(returns(0), STR("HandleValue=0x4c, ")));
    model_close(m);
}

/* What is in our process at an address of another one says nothing; whose a
 * handle is that nobody knows may be another's too. */
static void an_address_of_another_process_is_no_place_in_this_one(void)
{
    struct object ours = {
        .type = STR("Thread"), .name = STR("32.40"), .path = STR(""), .pid = 32
    };
    struct object other = {
        .type = STR("Thread"), .name = STR("64.68"), .path = STR(""), .pid = 64
    };
    struct object unknown = { .type = STR("Thread"),
                              .name = STR(""),
                              .path = STR("") };
    struct object process = { .type = STR("Process"),
                              .name = STR("64 x.exe"),
                              .path = STR(""),
                              .pid = 64 };

    START("NtQueueApcThread", 0x50, 0xa61b4, 1, 2, 3);
    call.pid = 32;
    options.place_of = demo_place;
    CHECK(contains(returns(0), STR("ApcRoutine=0xa61b4, ")));
    call.objects[0] = &ours;
    CHECK(contains(returns(0), STR("ApcRoutine=ntdll.dll+0x9f1b4, ")));
    call.objects[0] = &other;
    CHECK(contains(returns(0), STR("ApcRoutine=0xa61b4, ")));
    call.objects[0] = &unknown;
    CHECK(contains(returns(0), STR("ApcRoutine=0xa61b4, ")));

    START("NtSetContextThread", 0x50, BUFFER);
    put_u(&before, BUFFER + 0x98, 0x22fd08, 8);
    for (uint32_t i = 0xa0; i < 0xf8; i += 8) {
        put_u(&before, BUFFER + i, i, 8);
    }
    put_u(&before, BUFFER + 0xf8, 0xa61b4, 8);
    options.place_of = demo_place;
    call.pid = 32;
    call.objects[0] = &ours;
    CHECK(contains(returns(0), STR("{Rip=ntdll.dll+0x9f1b4, ")));
    call.objects[0] = &other;
    CHECK(contains(returns(0), STR("{Rip=0xa61b4, ")));

    START("NtCreateThreadEx", BUFFER, 0, 0, UINT64_MAX, 0xa61b4, 0, 0, 0, 0, 0,
          0);
    options.place_of = demo_place;
    CHECK(contains(returns(0), STR("StartRoutine=ntdll.dll+0x9f1b4, ")));
    call.args[3] = 0x60;
    call.objects[3] = &process;
    CHECK(contains(returns(0), STR("StartRoutine=0xa61b4, ")));

    START("NtWaitForDebugEvent", 0x50, 0, 0, BUFFER);
    options.place_of = demo_place;
    for (uint32_t i = 0; i < 184; i += 8) {
        put_u(&after, BUFFER + i, 0, 8);
    }
    put_u(&after, BUFFER, 2, 4);
    put_u(&after, BUFFER + 0x28, 0xa61b4, 8);
    CHECK(contains(returns(0), STR("StartAddress=0xa61b4}")));
    /* The handles are still told as such. */
    CHECK(contains(returns(0), STR("CreateThread={HandleToThread=NULL, ")));
}

/* Every call of the tables with memory that says one byte over and over: no
 * line is outside the grammar, no read outside the pieces. */
static void no_call_is_undone_by_its_memory(void)
{
    static const uint8_t bytes[] = { 0x00, 0x01, 0x02, 0x08, 0x40, 0xff };

    for (size_t i = 0; i < call_count(); i++) {
        const struct call_facts *facts = call_at(i);
        uint64_t args[CALL_ARGS_MAX];

        for (size_t k = 0; k < COUNT_OF(bytes); k++) {
            for (uint32_t a = 0; a < facts->arg_count; a++) {
                args[a] = facts->args[a].type->class == CLASS_PTR
                              ? 0x20000 + 0x1000 * a
                              : bytes[k] + a;
            }
            start(facts->name, facts->arg_count, args);
            memset(before.bytes, bytes[k], 0x40000);
            memset(before.there, 1, 0x40000);
            for (uint32_t at = 0; at < 0x40000; at += 64) {
                put_u(&before, WORLD_BASE + at + 8, 0x20000 + at % 4096, 8);
            }
            memcpy(&after, &before, sizeof(before));
            captures.verbose = options.verbose = (k & 1) != 0;
            call.returned = true;
            call.result = k & 1;
            line_of(k % 3 == 0);
        }
    }
}

/* What its memory was is gone when the next line is told. */
static void an_entry_that_is_dropped_is_not_told(void)
{
    static struct text text;
    struct decoder d;
    struct call other;

    START("NtOpenFile", OUT, 0x80100000, ATTRIBUTES, STATUS, 7, 0x60);
    lines_size = 0;
    CHECK(text_init(&text, &look, add_line, NULL));
    decoder_init(&d, &text.sink, &test_clock, &options);
    other = call;
    other.id = 2;
    decoder_enter(&d, &call);
    decoder_drop(&d, &other);
    decoder_flush(&d);
    CHECK(lines_size > 0);
    lines_size = 0;
    decoder_enter(&d, &call);
    decoder_drop(&d, &call);
    decoder_flush(&d);
    CHECK_U64(lines_size, 0);
    decoder_close(&d);
    text_close(&text);
}

static void the_return_of_two_parts_says_again_what_it_is_about(void)
{
    struct object pipe = { .type = STR("File"),
                           .name = STR("\\Device\\NamedPipe\\demo"),
                           .path = STR("") };

    open_file();
    options.again = true;
    call.returned = true;
    CHECK_STR(line_of(true),
              STR("NtOpenFile(FileHandle=0x22000, "
                  "DesiredAccess=GENERIC_READ|SYNCHRONIZE, ObjectAttributes="
                  "{ObjectName=\"\\??\\C:\\windows\\win.ini\", "
                  "Attributes=OBJ_CASE_INSENSITIVE}, "
                  "IoStatusBlock=0x23000, ShareAccess=FILE_SHARE_READ, "
                  "OpenOptions=FILE_SYNCHRONOUS_IO_NONALERT "
                  "<unfinished ...>\n"
                  "<... NtOpenFile resumed>ObjectAttributes="
                  "{ObjectName=\"\\??\\C:\\windows\\win.ini\", "
                  "Attributes=OBJ_CASE_INSENSITIVE}, FileHandle=[0x4c], "
                  "IoStatusBlock={Status=0, Information=FILE_OPENED}) = 0"));
    START("NtClose", 0x50);
    options.again = true;
    call.objects[0] = &pipe;
    call.returned = true;
    CHECK_STR(line_of(true),
              STR("NtClose(Handle=0x50<\\Device\\NamedPipe\\demo> "
                  "<unfinished ...>\n<... NtClose resumed>"
                  "Handle=0x50<\\Device\\NamedPipe\\demo>) = 0"));
    /* Nothing is said of what it is about. */
    START("NtDelayExecution", 0, LENGTH);
    options.again = true;
    put_u(&before, LENGTH, (uint64_t)-10000, 8);
    call.returned = true;
    CHECK_STR(
        line_of(true),
        STR("NtDelayExecution(Alertable=FALSE, DelayInterval=[+0.001000s] "
            "<unfinished ...>\n<... NtDelayExecution resumed>) = 0"));
    START("NtClose", 0x50);
    options.again = true;
    options.brief = true;
    call.returned = true;
    CHECK_STR(line_of(true), STR("NtClose(0x50 <unfinished ...>\n"
                                 "<... NtClose resumed>0x50) = 0"));
}

static void go_brief(void)
{
    options.brief = true;
    look.brief = true;
}

static void a_short_line_has_the_path_first_and_the_new_handle_last(void)
{
    open_file();
    go_brief();
    CHECK_STR(returns(0), STR("NtOpenFile(\"\\??\\C:\\windows\\win.ini\", "
                              "GENERIC_READ|SYNCHRONIZE, [0x4c]) = 0"));
    open_file();
    go_brief();
    call.args[4] = 0x10;
    call.args[5] = 1;
    put_attributes(&before, ATTRIBUTES, 0x44, NAME, 0x40);
    CHECK_STR(returns(0xc0000034),
              STR("NtOpenFile({0x44, \"\\??\\C:\\windows\\win.ini\"}, "
                  "GENERIC_READ|SYNCHRONIZE, ShareAccess=0x10, "
                  "FILE_DIRECTORY_FILE) = STATUS_OBJECT_NAME_NOT_FOUND"));
    open_file();
    go_brief();
    call.returned = true;
    CHECK_STR(line_of(true), STR("NtOpenFile(\"\\??\\C:\\windows\\win.ini\", "
                                 "GENERIC_READ|SYNCHRONIZE <unfinished ...>\n"
                                 "<... NtOpenFile resumed>[0x4c]) = 0"));
}

static void a_short_line_has_no_length_that_its_data_show(void)
{
    struct object pipe = { .type = STR("File"),
                           .name = STR("\\Device\\NamedPipe\\demo"),
                           .path = STR("") };

    START("NtReadFile", 0x50, 0, 0, 0, STATUS, BUFFER, 4096, 0, 0);
    go_brief();
    call.objects[0] = &pipe;
    put(&after, BUFFER, "hello\n\0stale", 12);
    put_u(&after, STATUS, 0, 8);
    put_u(&after, STATUS + 8, 6, 8);
    CHECK_STR(returns(0), STR("NtReadFile(0x50<\\Device\\NamedPipe\\demo>, "
                              "b\"hello\\n\") = 0"));
    CHECK_STR(returns(0x103),
              STR("NtReadFile(0x50<\\Device\\NamedPipe\\demo>, Length=4096) "
                  "= STATUS_PENDING"));
    START("NtWriteFile", 0x50, 0, 0, 0, STATUS, BUFFER, 100, LENGTH, 0);
    go_brief();
    for (uint32_t i = 0; i < 100; i++) {
        put_u(&before, BUFFER + i, 'a', 1);
    }
    put_u(&before, LENGTH, 0, 8);
    captures.string_max = 4;
    options.string_max = 4;
    CHECK_STR(returns(0xc0000008),
              STR("NtWriteFile(0x50, b\"aaaa\"..., Length=100) = "
                  "STATUS_INVALID_HANDLE"));
}

static void a_short_line_leaves_out_what_is_as_usual(void)
{
    START("NtProtectVirtualMemory", UINT64_MAX, OUT, LENGTH, 0x20, BUFFER);
    go_brief();
    put_u(&before, OUT, 0x1f0010, 8);
    put_u(&after, OUT, 0x1f0000, 8);
    put_u(&before, LENGTH, 0x20, 8);
    put_u(&after, LENGTH, 0x1000, 8);
    put_u(&after, BUFFER, 4, 4);
    CHECK_STR(returns(0), STR("NtProtectVirtualMemory(BaseAddress=[0x1f0000], "
                              "RegionSize=[0x1000], PAGE_EXECUTE_READ, "
                              "OldProtection=[PAGE_READWRITE]) = 0"));
    START("NtTerminateProcess", UINT64_MAX, 3);
    go_brief();
    CHECK_STR(returns(0),
              STR("NtTerminateProcess(NtCurrentProcess, ExitStatus=3) = 0"));
    START("NtClose", 0);
    go_brief();
    CHECK_STR(returns(0xc0000008), STR("NtClose() = STATUS_INVALID_HANDLE"));
    call.arg_mask = 0;
    CHECK_STR(returns(0), STR("NtClose(?) = 0"));
}

/* -1 where no process can be is a call that failed, and nobody looked. */
static void a_short_line_has_the_handle_that_is_none(void)
{
    START("NtLockFile", UINT64_MAX, 0, 0, 0, 0, OUT, LENGTH, 0, 1, 1);
    go_brief();
    CHECK(str_starts(returns(0xc0000008), STR("NtLockFile(NtCurrentProcess")));
    START("NtClose", UINT64_MAX);
    go_brief();
    CHECK_STR(returns(0xc0000008),
              STR("NtClose(NtCurrentProcess) = STATUS_INVALID_HANDLE"));
}

int main(void)
{
    const struct test tests[] = {
        TEST(an_open_is_told_with_name_handle_and_outcome),
        TEST(a_failed_open_shows_the_addresses_of_its_outputs),
        TEST(an_open_in_two_parts_tells_its_outputs_at_the_return),
        TEST(a_directory_has_the_names_of_a_directorys_rights),
        TEST(a_pending_read_shows_addresses_and_its_handles_name),
        TEST(a_read_shows_what_was_read_and_no_more),
        TEST(a_write_is_cut_after_the_strings_limit),
        TEST(what_goes_in_and_out_is_told_twice),
        TEST(a_wait_is_told_as_a_length_of_time),
        TEST(words_that_are_statuses_booleans_and_nothing),
        TEST(a_context_is_where_it_goes_on),
        TEST(a_direct_call_tells_what_it_knows),
        TEST(arguments_of_which_none_was_seen_are_one),
        TEST(a_message_is_told_by_name),
        TEST(an_output_that_could_not_be_read_is_an_address),
        TEST(an_information_class_types_its_buffer),
        TEST(a_length_is_told_when_the_buffer_was_too_small),
        TEST(handles_of_a_wait_are_an_array),
        TEST(raw_means_numbers_without_names),
        TEST(for_counting_no_arguments_are_told),
        TEST(a_name_of_the_greatest_length_is_whole),
        TEST(what_the_target_says_of_its_memory_is_not_believed),
        TEST(a_dump_is_all_that_was_read_or_written),
        TEST(a_dump_that_is_not_whole_is_marked),
        TEST(a_number_in_place_of_a_name_is_a_number),
        TEST(what_goes_in_and_out_is_told_at_both_ends),
        TEST(the_rights_of_a_copy_go_by_its_object),
        TEST(without_names_handles_are_numbers),
        TEST(a_timed_out_wait_has_filled_nothing),
        TEST(of_a_long_array_the_beginning_is_shown),
        TEST(a_new_handle_has_no_name_yet),
        TEST(a_handle_of_another_process_has_no_name_of_ours),
        TEST(an_address_of_another_process_is_no_place_in_this_one),
        TEST(an_entry_that_is_dropped_is_not_told),
        TEST(no_call_is_undone_by_its_memory),
        TEST(the_return_of_two_parts_says_again_what_it_is_about),
        TEST(a_short_line_has_the_path_first_and_the_new_handle_last),
        TEST(a_short_line_has_no_length_that_its_data_show),
        TEST(a_short_line_leaves_out_what_is_as_usual),
        TEST(a_short_line_has_the_handle_that_is_none),
    };

    return check_run(tests, COUNT_OF(tests));
}
