/* SPDX-License-Identifier: MIT */
/*
 * test_families - decode/families: what types alone do not say, from memory
 * made by hand through the capture programs to the line's arguments.
 *
 * Each family has lengths, counts and offsets that lie. Nothing may be read
 * that is not there (the sanitizers watch), and the line has to be one of the
 * grammar.
 */
#include "unit/captured.h"

#include "base/compiler.h"
#include "decode/registry.h"
#include "tables/calls.h"
#include "tables/fields.h"
#include "tables/handles.h"
#include "tables/ioctls.h"
#include "tables/types.h"

#include "grammar.h"
#include "unit/check.h"

#define BUFFER 0x20000ull
#define OUTPUT 0x24000ull
#define BLOCK 0x28000ull
#define LENGTH 0x29000ull
#define FAR 0x30000ull  // what structures point to
#define UNMAPPED 0x7ff000000000ull

static struct world world;  // the same before and after
static struct call call;
static struct stub stub;
static struct capture_options captures;
static struct decode_options options;
static struct text_options look;
static struct taken before;
static struct taken after;
static struct clock test_clock;
static char text[1 << 18];
static size_t text_size;

static void keep_line(void *ctx, str line)
{
    (void)ctx;
    if (text_size + line.size > sizeof(text)) {
        abort();
    }
    memcpy(text + text_size, line.p, line.size);
    text_size += line.size;
}

static void begin(const char *name, uint32_t count, const uint64_t *args,
                  bool wine)
{
    memset(&world, 0, sizeof(world));
    memset(&call, 0, sizeof(call));
    captures = (struct capture_options){ .string_max = 32, .wine = wine };
    options = (struct decode_options){ .string_max = 32,
                                       .wine = wine,
                                       .handles = HANDLES_NAMED };
    look = (struct text_options){ .arg_names = true };
    stub = (struct stub){
        .name = str_of(name),
        .module = STR("ntdll.dll"),
        .facts =
            call_find_on(str_of(name), (struct call_system){ .wine = wine }),
        .arg_count = (int8_t)count,
    };
    if (!stub.facts || stub.facts->arg_count != count) {
        printf("%s has not %u arguments\n", name, count);
        abort();
    }
    call.id = 1;
    call.stub = &stub;
    call.entry_seen = true;
    call.returned = true;
    call.arg_mask = (1u << count) - 1;
    memcpy(call.args, args, count * sizeof(*args));
    clock_init(&test_clock, 0, 1000000, 0);
}

#define BEGIN(name_, ...)                                   \
    begin((name_), sizeof((uint64_t[]){ __VA_ARGS__ }) / 8, \
          (uint64_t[]){ __VA_ARGS__ }, false)
#define BEGIN_WINE(name_, ...)                              \
    begin((name_), sizeof((uint64_t[]){ __VA_ARGS__ }) / 8, \
          (uint64_t[]){ __VA_ARGS__ }, true)

static void put_bytes(uint64_t address, const char *bytes)
{
    put(&world, address, bytes, strlen(bytes));
}

static void put_n(uint64_t address, uint64_t value, size_t size)
{
    put_u(&world, address, value, size);
}

static void put_zeros(uint64_t address, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        put_n(address + i, 0, 1);
    }
}

/* The line, and whether it is one. */
static str told(void)
{
    _Alignas(8) static uint8_t room[CAPTURE_PROGRAM_MAX];
    static struct text sink;
    const struct capture_program *p = (const void *)room;
    struct decoder d;
    str line;

    taken_free(&before);
    taken_free(&after);
    memset(&before, 0, sizeof(before));
    memset(&after, 0, sizeof(after));
    if (capture_compile(stub.facts, &captures, room) > 0) {
        take(&world, p, &call, false, &before);
        if (call.returned) {
            take(&world, p, &call, true, &after);
        }
    }
    call.before = before.memory;
    call.after = after.memory;
    text_size = 0;
    if (!text_init(&sink, &look, keep_line, NULL)) {
        abort();
    }
    decoder_init(&d, &sink.sink, &test_clock, &options);
    if (call.returned) {
        decoder_whole(&d, &call);
    } else {
        decoder_enter(&d, &call);
        decoder_flush(&d);
    }
    decoder_close(&d);
    text_close(&sink);
    line = (str){ text, text_size ? text_size - 1 : 0 };
    if (grammar_mistake(line) != 0) {
        printf("column %zu is not in the grammar: %.*s\n",
               grammar_mistake(line), STR_ARGS(line));
        check_bad++;
    }
    return line;
}

static bool says(const char *part)
{
    str line = told();
    str p = str_of(part);

    for (size_t i = 0; i + p.size <= line.size; i++) {
        if (str_starts(str_slice(line, i, line.size), p)) {
            return true;
        }
    }
    return false;
}

/* The line's argument `name` is `want`. */
static void check_arg(const char *name, const char *want, const char *at)
{
    char room[4096];
    struct buf b = BUF_OVER(room);
    str line = told();

    buf_add(&b, str_of(name));
    buf_add_char(&b, '=');
    buf_add(&b, str_of(want));
    for (size_t i = 0; i + b.size <= line.size; i++) {
        str rest = str_slice(line, i, line.size);

        if (str_starts(rest, buf_str(&b)) && i > 0 &&
            (line.p[i - 1] == '(' || line.p[i - 1] == ' ') &&
            (rest.p[b.size] == ',' || rest.p[b.size] == ')' ||
             rest.p[b.size] == ' ')) {
            return;
        }
    }
    printf("%s:\n  want %.*s\n", at, STR_ARGS(buf_str(&b)));
    printf("  in   %.*s\n", STR_ARGS(line));
    check_bad++;
}

/* True if the last line has that text. */
static bool find_text(const char *want)
{
    str line = { text, text_size };

    for (size_t i = 0; i < line.size; i++) {
        if (str_starts(str_slice(line, i, line.size), str_of(want))) {
            return true;
        }
    }
    return false;
}

#define CHECK_ARG(name_, want_) check_arg((name_), (want_), CHECK_AT)

/* --- Tables ----------------------------------------------------------- */

/* Number `i` of the structures of all families; NULL: there are no more. */
static const struct family_type *type_at(size_t i)
{
    for (size_t k = 0; k < decode_registry.count; k++) {
        const struct family *f = decode_registry.families[k];

        if (i < f->type_count) {
            return &f->types[i];
        }
        i -= f->type_count;
    }
    return NULL;
}

static void every_row_is_found_and_sorted(void)
{
    const struct family_type *type;

    for (size_t i = 0; (type = type_at(i)) != NULL; i++) {
        CHECK(family_type_of(&decode_registry, type->name) == type);
        if (!type->tell &&
            !ioctl_struct(type->layout ? str_of(type->layout) : type->name)) {
            printf("no layout: %.*s\n", STR_ARGS(type->name));
            CHECK(false);
        }
    }
    for (size_t i = 0; i < fields_count(); i++) {
        const struct field_use *use = fields_at(i);

        if (!fields_set(use->structure, use->field)) {
            printf("no set: %.*s.%.*s\n", STR_ARGS(use->structure),
                   STR_ARGS(use->field));
            CHECK(false);
        }
    }
    for (size_t i = 0; i < ioctl_count(); i++) {
        const struct ioctl_row *row = ioctl_at(i);

        CHECK(ioctl_find(row->code, row->wine) == row);
    }
}

/* How many parameters the row is for, and that it is told by what is there.
 * Where the row is not the first that fits, another one has the same. */
static size_t params_of(const struct family_param *row)
{
    static struct shape shape;
    size_t count = 0;

    for (size_t i = 0; i < call_count(); i++) {
        const struct call_facts *facts = call_at(i);

        shape_of(facts, &shape);
        family_params(&decode_registry, &shape);
        for (uint32_t k = 0; k < facts->arg_count; k++) {
            bool pointer = shape.args[k].sort == SORT_POINTER;

            /* The same name may be that of a handle. */
            if (shape.args[k].param != row ||
                !(pointer ? row->tell || row->build : row->value != NULL)) {
                continue;
            }
            count++;
            CHECK(!row->length || call_parameter(facts, row->length) >= 0);
            CHECK(!row->written || !row->written[0] ||
                  call_parameter(facts, row->written) >= 0);
            CHECK(!row->length || row->written ||
                  call_parameter(facts, "IoStatusBlock") >= 0);
        }
    }
    return count;
}

static void every_parameter_of_a_family_is_some_calls(void)
{
    for (size_t i = 0; i < decode_registry.count; i++) {
        const struct family *f = decode_registry.families[i];

        for (size_t k = 0; k < f->param_count; k++) {
            const struct family_param *row = &f->params[k];

            if (params_of(row) == 0) {
                printf("%s: no call has %s, or another row has it\n", f->name,
                       row->type ? row->type : row->name);
                CHECK(false);
            }
            CHECK(row->tell || row->value || row->build);
            CHECK(!row->of || ioctl_struct(str_of(row->of)));
        }
    }
}

/* What sockets take and give is told by code, not by rows. */
static bool is_type_or_structure(const char *name)
{
    str type = str_of(name);
    struct ctype known;

    if (str_eq(type, STR("SOCKADDR")) || str_starts(type, STR("AFD_"))) {
        return true;
    }
    if (str_ends(type, STR("[]"))) {
        type = str_slice(type, 0, type.size - 2);
    }
    return ioctl_struct(type) || ctype_of(type, &known);
}

/* As tell.c has them, also where a family walks a structure itself. */
static void numbers_of_fields_are_told_by_their_names(void)
{
    BEGIN("NtQuerySection", 0x44, 1, BUFFER, 64, LENGTH);
    options.verbose = true;
    captures.verbose = true;
    put_zeros(BUFFER, 64);
    put_n(LENGTH, 64, 8);
    put_n(BUFFER + 0x2c, 0x2026, 2);
    put_n(BUFFER + 0x2e, 0x160, 2);
    CHECK_ARG("ImageCharacteristics", "0x2026");
    CHECK_ARG("DllCharacteristics", "0x160");
}

static void what_control_codes_take_has_a_layout(void)
{
    for (size_t i = 0; i < ioctl_count(); i++) {
        const struct ioctl_row *row = ioctl_at(i);

        if ((row->input && !is_type_or_structure(row->input)) ||
            (row->output && !is_type_or_structure(row->output))) {
            printf("no layout: 0x%x\n", row->code);
            CHECK(false);
        }
    }
    for (size_t i = 0; i < ioctl_struct_count(); i++) {
        const struct struct_row *row = ioctl_struct_at(i);

        CHECK(ioctl_struct(str_of(row->name)) == row);
        CHECK(row->field_count > 0);
        for (size_t k = 0; k < row->field_count; k++) {
            const struct struct_field *f = &row->fields[k];

            CHECK(f->offset + f->size <= row->size);
            CHECK((f->bits == 0) == (f->type != NULL));
            CHECK((f->bits == 0) == (f->size != 0));
        }
    }
    CHECK(ioctl_struct_at(ioctl_struct_count()) == NULL);
}

static bool has_field(const struct struct_row *row, str field)
{
    for (size_t k = 0; k < row->field_count; k++) {
        str head = STR("");
        str tail = str_of(row->fields[k].name);

        while (str_cut(tail, '.', &head, &tail)) {
        }
        if (str_eq(head, field)) {
            return true;
        }
    }
    return false;
}

static void every_set_of_a_field_has_its_field(void)
{
    for (size_t i = 0; i < fields_count(); i++) {
        const struct field_use *use = fields_at(i);
        const struct struct_row *row = ioctl_struct(use->structure);

        if (!row || !has_field(row, use->field)) {
            printf("no field: %.*s.%.*s\n", STR_ARGS(use->structure),
                   STR_ARGS(use->field));
            CHECK(false);
        }
    }
}

/* Names of fields in the tables above are those of the structures. */
static void every_tail_is_a_field(void)
{
    const struct family_type *type;

    for (size_t i = 0; (type = type_at(i)) != NULL; i++) {
        const struct struct_row *row =
            ioctl_struct(type->layout ? str_of(type->layout) : type->name);
        bool last = !type->last;
        bool length = !type->length;

        for (uint32_t k = 0; row && k < row->field_count; k++) {
            last |= type->last && strcmp(row->fields[k].name, type->last) == 0;
            length |=
                type->length && strcmp(row->fields[k].name, type->length) == 0;
        }
        if (!last || !length) {
            printf("no such field: %.*s\n", STR_ARGS(type->name));
            CHECK(false);
        }
    }
}

/* Whether a structure ends in as many elements as another field says, and
 * which, is a row, never a guess from names. */
static void every_open_end_has_its_row(void)
{
    for (size_t i = 0; i < struct_count() + ioctl_struct_count(); i++) {
        const struct struct_row *row =
            i < struct_count() ? struct_at(i)
                               : ioctl_struct_at(i - struct_count());
        const struct struct_field *last = &row->fields[row->field_count - 1];
        const struct family_type *type =
            family_type_of(&decode_registry, str_of(row->name));

        if (last->type && str_ends(str_of(last->type), STR("[1]")) &&
            !(type && (type->tell || type->tail != TAIL_NONE))) {
            printf("no tail: %s\n", row->name);
            CHECK(false);
        }
    }
}

/* A LUID, and what says nothing, in a structure that has a row of its own
 * in a family (TOKEN_PRIVILEGES) and in those that have none. */
static void a_field_is_told_alike_in_every_structure(void)
{
    BEGIN("NtQueryInformationToken", 0x44, 3, BUFFER, 16, LENGTH);
    put_n(LENGTH, 16, 4);
    put_n(BUFFER, 1, 4);
    put_n(BUFFER + 4, 0x100000077, 8);
    put_n(BUFFER + 12, 0, 4);
    CHECK_ARG("TokenInformation",
              "{Privileges=[{Luid=0x100000077, Attributes=0}]}");

    put_n(BUFFER, 3, 4);
    CHECK_ARG("TokenInformation",
              "{Privileges=[{Luid=0x100000077, Attributes=0}, ...]}");

    BEGIN("NtQueryInformationToken", 0x44, 3, BUFFER, 4, LENGTH);
    put_n(LENGTH, 4, 4);
    put_n(BUFFER, 3, 4);
    CHECK_ARG("TokenInformation", "{Privileges=[?]}");

    BEGIN("NtQueryInformationToken", 0x44, 10, BUFFER, 56, LENGTH);
    put_zeros(BUFFER, 56);
    put_n(LENGTH, 56, 4);
    put_n(BUFFER + 8, 0x1000003e7, 8);
    CHECK_ARG("AuthenticationId", "0x1000003e7");

    BEGIN("NtQueryKey", 0x44, 4, BUFFER, 40, LENGTH);
    put_zeros(BUFFER, 40);
    put_n(LENGTH, 40, 4);
    CHECK(!says("TitleIndex"));
    options.verbose = true;
    CHECK(says("TitleIndex"));
}

/* --- Registry --------------------------------------------------------- */

static void set_value(uint32_t type, uint32_t size)
{
    BEGIN("NtSetValueKey", 0x40, 0, 0, type, BUFFER, size);
}

static void registry_data_is_told_by_its_type(void)
{
    set_value(1, 12);
    put_text(&world, BUFFER, "hello");
    put_n(BUFFER + 10, 0, 2);
    CHECK_ARG("Data", "\"hello\"");
    set_value(1, 10);  // without its zero
    put_text(&world, BUFFER, "hello");
    CHECK_ARG("Data", "\"hello\"");
    set_value(1, 2);
    put_n(BUFFER, 0, 2);
    CHECK_ARG("Data", "\"\"");
    set_value(4, 4);
    put_n(BUFFER, 1500, 4);
    CHECK_ARG("Data", "1500");
    set_value(4, 4);
    put_n(BUFFER, 0xfffffff0, 4);
    CHECK_ARG("Data", "0xfffffff0");
    set_value(5, 4);
    put_n(BUFFER, 0x01000000, 4);
    CHECK_ARG("Data", "1");
    set_value(11, 8);
    put_n(BUFFER, 7, 8);
    CHECK_ARG("Data", "7");
    set_value(3, 3);
    put_bytes(BUFFER, "a\x01z");
    CHECK_ARG("Data", "b\"a\\x01z\"");
    set_value(7, 16);
    put_text(&world, BUFFER, "ab");
    put_n(BUFFER + 4, 0, 2);
    put_text(&world, BUFFER + 6, "cde");
    put_n(BUFFER + 12, 0, 4);
    CHECK_ARG("Data", "[\"ab\", \"cde\"]");
}

static void registry_data_of_a_false_form_is_bytes(void)
{
    set_value(4, 3);
    put_bytes(BUFFER, "abc");
    CHECK_ARG("Data", "b\"abc\"");
    set_value(1, 3);
    put_bytes(BUFFER, "abc");
    CHECK_ARG("Data", "b\"abc\"");
    set_value(1, 0xffffffff);  // 4 GiB less 1, of which 3 bytes are there
    put_bytes(BUFFER, "abc");
    CHECK_ARG("Data", "b\"abc\"...");
    set_value(1, 0xfffffffe);
    put_text(&world, BUFFER, "abc");
    CHECK_ARG("Data", "\"abc\"...");
    set_value(7, 0xfffffffe);
    put_text(&world, BUFFER, "abc");
    CHECK_ARG("Data", "[\"abc\"..., ...]");
    BEGIN("NtSetValueKey", 0x40, 0, 0, 1, UNMAPPED, 8);
    CHECK_ARG("Data", "0x7ff000000000");
}

static void query_value(uint32_t class, uint32_t length, uint32_t said)
{
    BEGIN("NtQueryValueKey", 0x40, 0, class, BUFFER, length, LENGTH);
    put_n(LENGTH, said, 4);
}

static void registry_values_have_type_name_and_data(void)
{
    query_value(2, 64, 12 + 8);  // partial
    put_n(BUFFER, 0, 4);
    put_n(BUFFER + 4, 1, 4);
    put_n(BUFFER + 8, 8, 4);
    put_text(&world, BUFFER + 12, "abc");
    put_n(BUFFER + 18, 0, 2);
    CHECK_ARG("KeyValueInformation", "{Type=REG_SZ, Data=\"abc\"}");

    query_value(1, 64, 32);  // full
    put_n(BUFFER, 0, 4);
    put_n(BUFFER + 4, 4, 4);
    put_n(BUFFER + 8, 28, 4);
    put_n(BUFFER + 12, 4, 4);
    put_n(BUFFER + 16, 6, 4);
    put_text(&world, BUFFER + 20, "Key");
    put_n(BUFFER + 26, 0, 2);
    put_n(BUFFER + 28, 5, 4);
    CHECK_ARG("KeyValueInformation", "{Type=REG_DWORD, Name=\"Key\", Data=5}");

    put_n(BUFFER + 8, 0xfffffff0, 4);  // where is the data?
    CHECK_ARG("KeyValueInformation", "{Type=REG_DWORD, Name=\"Key\", Data=?}");

    query_value(0, 64, 16);  // basic, and a name longer than its buffer
    put_n(BUFFER, 0, 4);
    put_n(BUFFER + 4, 3, 4);
    put_n(BUFFER + 8, 0xfffffffe, 4);
    put_text(&world, BUFFER + 12, "abcdef");
    CHECK_ARG("KeyValueInformation", "{Type=REG_BINARY, Name=\"ab\"...}");
}

static void a_buffer_too_small_shows_what_there_is(void)
{
    query_value(2, 16, 52);  // 40 bytes of data, room for 4
    call.result = 0x80000005;
    put_n(BUFFER, 0, 4);
    put_n(BUFFER + 4, 1, 4);
    put_n(BUFFER + 8, 40, 4);
    put_text(&world, BUFFER + 12, "abcdefgh");
    CHECK_ARG("KeyValueInformation", "{Type=REG_SZ, Data=\"ab\"...}");
}

static void what_was_not_written_is_unknown(void)
{
    query_value(2, 12, 52);
    call.result = 0x80000005;
    put_n(BUFFER, 0, 4);
    put_n(BUFFER + 4, 1, 4);
    put_n(BUFFER + 8, 40, 4);
    CHECK_ARG("KeyValueInformation", "{Type=REG_SZ, Data=?}");
    put_n(BUFFER + 4, 7, 4);
    CHECK_ARG("KeyValueInformation", "{Type=REG_MULTI_SZ, Data=?}");
    put_n(BUFFER + 4, 3, 4);
    CHECK_ARG("KeyValueInformation", "{Type=REG_BINARY, Data=?}");
}

static void several_values_at_once(void)
{
    BEGIN("NtQueryMultipleValueKey", 0x40, BUFFER, 1, OUTPUT, LENGTH, 0);
    put_n(LENGTH, 8, 4);
    put_n(BUFFER, FAR, 8);
    put_n(BUFFER + 8, 6, 4);
    put_n(BUFFER + 12, 2, 4);
    put_n(BUFFER + 16, 1, 4);
    put_string(&world, FAR, "Path");
    put_n(OUTPUT, 0, 2);
    put_text(&world, OUTPUT + 2, "C:\\");
    CHECK_ARG("ValueEntries",
              "[{ValueName=\"Path\", Type=REG_SZ, Data=\"C:\\\"}]");
}

static void keys_have_names(void)
{
    BEGIN("NtEnumerateKey", 0x40, 0, 0, BUFFER, 256, LENGTH);
    put_n(LENGTH, 24, 4);
    put_n(BUFFER, 0, 8);
    put_n(BUFFER + 8, 0, 4);
    put_n(BUFFER + 12, 8, 4);
    put_text(&world, BUFFER + 16, "Desk");
    CHECK_ARG("KeyInformation", "{LastWriteTime=0, Name=\"Desk\"}");
}

/* --- Files ------------------------------------------------------------ */

static void names_end_where_their_length_says(void)
{
    BEGIN("NtQueryInformationFile", 0x40, BLOCK, BUFFER, 256, 9);
    put_n(BLOCK, 0, 8);
    put_n(BLOCK + 8, 12, 8);
    put_n(BUFFER, 8, 4);
    put_text(&world, BUFFER + 4, "\\a.bcdefg");
    CHECK_ARG("FileInformation", "{FileName=\"\\a.b\"}");
    put_n(BUFFER, 0xfffffffe, 4);
    CHECK_ARG("FileInformation", "{FileName=\"\\a.b\"...}");

    BEGIN("NtSetInformationFile", 0x40, BLOCK, BUFFER, 28, 10);
    put_n(BLOCK, 0, 8);
    put_n(BLOCK + 8, 0, 8);
    put_n(BUFFER, 1, 8);
    put_n(BUFFER + 8, 0, 8);
    put_n(BUFFER + 16, 8, 4);
    put_text(&world, BUFFER + 20, "\\new");
    CHECK_ARG("FileInformation", "{ReplaceIfExists=TRUE, RootDirectory=NULL, "
                                 "FileName=\"\\new\"}");
}

static void entry(uint64_t at, uint32_t next, const char *name)
{
    put_zeros(at, 64);
    put_n(at, next, 4);
    put_n(at + 0x28, 7, 8);
    put_n(at + 0x38, 0x20, 4);
    put_n(at + 0x3c, put_text(&world, at + 0x40, name), 4);
}

static void directory(uint64_t written)
{
    BEGIN("NtQueryDirectoryFile", 0x40, 0, 0, 0, BLOCK, BUFFER, 4096, 1, 0, 0,
          0);
    put_n(BLOCK, 0, 8);
    put_n(BLOCK + 8, written, 8);
}

/* What stands behind the buffer was copied too, but is not the name. */
static void names_end_with_their_buffer(void)
{
    BEGIN("NtDeviceIoControlFile", 0x40, 0, 0, 0, OUTPUT + 6, 0x4d0008, 0, 0,
          OUTPUT, 6);
    put_n(OUTPUT, 12, 2);
    put_text(&world, OUTPUT + 2, "\\D");
    put_n(OUTPUT + 6, 0, 8);
    put_n(OUTPUT + 14, 6, 8);
    CHECK_ARG("OutputBuffer", "{Name=\"\\D\"...}");
}

static void directories_are_lists(void)
{
    directory(0x80 + 0x46);
    put_zeros(BUFFER, 0x80);
    entry(BUFFER, 0x80, "a.txt");
    entry(BUFFER + 0x80, 0, "b.c");
    CHECK_ARG("FileInformation",
              "[{EndOfFile=7, FileAttributes=FILE_ATTRIBUTE_ARCHIVE, "
              "FileName=\"a.txt\"}, {EndOfFile=7, "
              "FileAttributes=FILE_ATTRIBUTE_ARCHIVE, FileName=\"b.c\"}]");
}

static void lists_that_lie_end(void)
{
    static const uint32_t nexts[] = { 1,     0x1000,     0x80000000,
                                      0xfff, 0xffffffff, 0x90 };

    for (size_t i = 0; i < COUNT_OF(nexts); i++) {
        directory(0x46);
        entry(BUFFER, nexts[i], "b.c");
        CHECK_ARG("FileInformation",
                  "[{EndOfFile=7, FileAttributes=FILE_ATTRIBUTE_ARCHIVE, "
                  "FileName=\"b.c\"}, ...]");
    }
    /* Entries that overlap all the way: bounded by the count shown. */
    directory(4096);
    for (uint64_t at = 0; at < 4096; at += 8) {
        put_n(BUFFER + at, 8, 8);
    }
    CHECK(told().size < 4096);
}

static void attributes_of_a_socket_tell_which_it_is(void)
{
    BEGIN("NtCreateFile", OUTPUT, 0, 0, BLOCK, 0, 0, 0, 0, 0, BUFFER, 57);
    put_n(OUTPUT, 0x50, 8);
    put_n(BLOCK, 0, 8);
    put_n(BLOCK + 8, 0, 8);
    put_zeros(BUFFER, 57);
    put_n(BUFFER + 5, 15, 1);
    put_n(BUFFER + 6, 30, 2);
    put_bytes(BUFFER + 8, "AfdOpenPacketXX");
    put_n(BUFFER + 32, 2, 4);
    put_n(BUFFER + 36, 1, 4);
    put_n(BUFFER + 40, 6, 4);
    CHECK_ARG("EaBuffer",
              "[{EaName=\"AfdOpenPacketXX\", EaValue={EndpointFlags=0, "
              "GroupID=0, AddressFamily=AF_INET, SocketType=SOCK_STREAM, "
              "Protocol=IPPROTO_TCP, SizeOfTransportName=0}}]");
    put_n(BUFFER + 5, 255, 1);  // a name that reaches beyond
    CHECK_ARG("EaBuffer",
              "[{EaName=\"AfdOpenPacketXX^{00}^{00}^{00}^{00}^{00}^{00}^{00}"
              "^{00}^{00}^{02}^{00}^{00}^{00}^{01}^{00}^{00}^{00}^{06}^{00}"
              "^{00}^{00}^{00}^{00}^{00}^{00}^{00}^{00}^{00}^{00}^{00}^{00}"
              "^{00}^{00}^{00}\"..., EaValue=?}]");
}

/* --- Control codes ---------------------------------------------------- */

static void control(const char *name, uint32_t code, uint32_t in, uint32_t out)
{
    BEGIN(name, 0x40, 0, 0, 0, BLOCK, code, BUFFER, in, OUTPUT, out);
    put_n(BLOCK, 0, 8);
    put_n(BLOCK + 8, out, 8);
}

static void codes_have_names_or_parts(void)
{
    control("NtFsControlFile", 0x900a8, 0, 0);
    CHECK_ARG("FsControlCode", "FSCTL_GET_REPARSE_POINT");
    control("NtDeviceIoControlFile", 0x4d0008, 0, 0);
    CHECK_ARG("IoControlCode", "IOCTL_MOUNTDEV_QUERY_DEVICE_NAME");
    control("NtDeviceIoControlFile", 0x0022e00b, 0, 0);
    CHECK_ARG("IoControlCode",
              "0x22e00b /* FILE_DEVICE_UNKNOWN, function 0x802, "
              "METHOD_NEITHER, FILE_READ_ACCESS|FILE_WRITE_ACCESS */");
    control("NtDeviceIoControlFile", 0xffffffff, 0, 0);
    CHECK_ARG("IoControlCode",
              "0xffffffff /* 0xffff, function 0xfff, METHOD_NEITHER, "
              "FILE_READ_ACCESS|FILE_WRITE_ACCESS */");
}

static void buffers_of_known_codes_are_structures(void)
{
    control("NtFsControlFile", 0x900c4, 1, 0);
    put_n(BUFFER, 1, 1);
    CHECK_ARG("InputBuffer", "TRUE");

    control("NtFsControlFile", 0x110018, 22, 0);
    put_n(BUFFER, (uint64_t)-5000000, 8);
    put_n(BUFFER + 8, 8, 4);
    put_n(BUFFER + 12, 1, 2);
    put_text(&world, BUFFER + 14, "pipe");
    CHECK_ARG("InputBuffer",
              "{Timeout=+0.500000s, TimeoutSpecified=TRUE, Name=\"pipe\"}");

    control("NtFsControlFile", 0x11400c, 0, 19);
    put_n(OUTPUT, 3, 4);
    put_n(OUTPUT + 4, 3, 4);
    put_n(OUTPUT + 8, 1, 4);
    put_n(OUTPUT + 12, 3, 4);
    put_bytes(OUTPUT + 16, "abc");
    CHECK_ARG("OutputBuffer",
              "{NamedPipeState=FILE_PIPE_CONNECTED_STATE, "
              "ReadDataAvailable=3, NumberOfMessages=1, MessageLength=3, "
              "Data=b\"abc\"}");

    control("NtDeviceIoControlFile", 0x4d0008, 0, 10);
    put_n(OUTPUT, 8, 2);
    put_text(&world, OUTPUT + 2, "\\Dev");
    CHECK_ARG("OutputBuffer", "{Name=\"\\Dev\"}");

    control("NtDeviceIoControlFile", 0x22e00b, 3, 0);
    put_bytes(BUFFER, "abc");
    CHECK_ARG("InputBuffer", "b\"abc\"");
}

static void reparse_points_have_two_paths(void)
{
    control("NtFsControlFile", 0x900a8, 0, 8 + 12 + 16);
    put_n(OUTPUT, 0xa000000c, 4);
    put_n(OUTPUT + 4, 28, 4);
    put_n(OUTPUT + 8, 0, 2);
    put_n(OUTPUT + 10, 8, 2);
    put_n(OUTPUT + 12, 8, 2);
    put_n(OUTPUT + 14, 8, 2);
    put_n(OUTPUT + 16, 1, 4);
    put_text(&world, OUTPUT + 20, "\\to1");
    put_text(&world, OUTPUT + 28, "\\to2");
    CHECK_ARG("OutputBuffer",
              "{ReparseTag=IO_REPARSE_TAG_SYMLINK, SubstituteName=\"\\to1\", "
              "PrintName=\"\\to2\", Flags=0x1}");
    put_n(OUTPUT + 8, 0xfffe, 2);
    put_n(OUTPUT + 14, 0xffff, 2);
    CHECK_ARG("OutputBuffer",
              "{ReparseTag=IO_REPARSE_TAG_SYMLINK, SubstituteName=0xfffe, "
              "PrintName=\"\\to2\"..., Flags=0x1}");
}

/* --- Sockets ---------------------------------------------------------- */

static void put_ip4(uint64_t at, uint16_t port)
{
    put_n(at, 2, 2);
    put_n(at + 2, (uint32_t)(port >> 8 | (port & 0xff) << 8), 2);
    put_n(at + 4, 0x0100007f, 4);
    put_n(at + 8, 0, 8);
}

static void put_ip6(uint64_t at, uint16_t port, uint64_t high, uint64_t low)
{
    put_n(at, 23, 2);
    put_n(at + 2, (uint32_t)(port >> 8 | (port & 0xff) << 8), 2);
    put_n(at + 4, 0, 4);
    for (int i = 0; i < 8; i++) {
        put_n(at + 8 + (uint32_t)i, high >> (56 - 8 * i), 1);
        put_n(at + 16 + (uint32_t)i, low >> (56 - 8 * i), 1);
    }
    put_n(at + 24, 0, 4);
}

static void addresses_are_text(void)
{
    static const struct {
        uint64_t high;
        uint64_t low;
        const char *want;
    } cases[] = {
        { 0, 1, "\"[::1]:443\"" },
        { 0, 0, "\"[::]:443\"" },
        { 0x20010db800000000, 0x0000000000000001, "\"[2001:db8::1]:443\"" },
        { 0x20010db800000001, 0x0001000100010001,
          "\"[2001:db8:0:1:1:1:1:1]:443\"" },
        { 0x0001000200030004, 0x0005000600070008, "\"[1:2:3:4:5:6:7:8]:443\"" },
        { 0x0001000000030004, 0x0005000600070008, "\"[1:0:3:4:5:6:7:8]:443\"" },
        { 0, 0x0000ffff7f000001, "\"[::ffff:127.0.0.1]:443\"" },
        { 0xfe80000000000000, 0, "\"[fe80::]:443\"" },
    };

    control("NtDeviceIoControlFile", 0x1202f, 0, 16);
    put_ip4(OUTPUT, 80);
    CHECK_ARG("OutputBuffer", "\"127.0.0.1:80\"");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        control("NtDeviceIoControlFile", 0x1202f, 0, 28);
        put_ip6(OUTPUT, 443, cases[i].high, cases[i].low);
        CHECK_ARG("OutputBuffer", cases[i].want);
    }
    control("NtDeviceIoControlFile", 0x1202f, 0, 28);
    put_ip6(OUTPUT, 443, 0xfe80000000000000, 1);
    put_n(OUTPUT + 24, 12, 4);
    CHECK_ARG("OutputBuffer", "\"[fe80::1%12]:443\"");
    /* As TDI has it. */
    control("NtDeviceIoControlFile", 0x1202f, 0, 22);
    put_n(OUTPUT, 1, 4);
    put_n(OUTPUT + 4, 14, 2);
    put_ip4(OUTPUT + 6, 80);
    CHECK_ARG("OutputBuffer", "\"127.0.0.1:80\"");
    /* A family that nobody knows, and too little. */
    control("NtDeviceIoControlFile", 0x1202f, 0, 3);
    put_bytes(OUTPUT, "xyz");
    CHECK_ARG("OutputBuffer", "b\"xyz\"");
}

static void sockets_bind_connect_and_listen(void)
{
    control("NtDeviceIoControlFile", 0x12003, 20, 16);
    put_n(BUFFER, 2, 4);
    put_ip4(BUFFER + 4, 0);
    put_ip4(OUTPUT, 5000);
    CHECK_ARG("InputBuffer", "{ShareAccess=2, Address=\"127.0.0.1:0\"}");
    CHECK_ARG("OutputBuffer", "\"127.0.0.1:5000\"");

    control("NtDeviceIoControlFile", 0x12007, 40, 0);
    put_zeros(BUFFER, 24);
    put_ip4(BUFFER + 24, 80);
    CHECK_ARG("InputBuffer", "{RemoteAddress=\"127.0.0.1:80\"}");

    control("NtDeviceIoControlFile", 0x1200b, 12, 0);
    put_zeros(BUFFER, 12);
    put_n(BUFFER + 4, 5, 4);
    CHECK_ARG("InputBuffer", "{SanActive=FALSE, MaximumConnectionQueue=5, "
                             "UseDelayedAcceptance=FALSE}");

    control("NtDeviceIoControlFile", 0x1200c, 0, 20);
    put_n(OUTPUT, 3, 4);
    put_ip4(OUTPUT + 4, 6000);
    CHECK_ARG("OutputBuffer", "{Sequence=3, RemoteAddress=\"127.0.0.1:6000\"}");
}

static void put_wsabufs(uint64_t at)
{
    put_n(at, 5, 8);
    put_n(at + 8, FAR + 0x100, 8);
    put_n(at + 16, 3, 8);
    put_n(at + 24, FAR + 0x200, 8);
    put_bytes(FAR + 0x100, "hello");
    put_bytes(FAR + 0x200, "abc");
}

static void what_is_sent_and_received_is_data(void)
{
    control("NtDeviceIoControlFile", 0x1201f, 24, 0);
    put_n(BUFFER, FAR, 8);
    put_n(BUFFER + 8, 2, 8);
    put_n(BUFFER + 16, 0, 8);
    put_wsabufs(FAR);
    CHECK_ARG("InputBuffer", "{BufferArray=[{len=5, buf=b\"hello\"}, "
                             "{len=3, buf=b\"abc\"}]}");

    control("NtDeviceIoControlFile", 0x12017, 24, 0);
    put_n(BUFFER, FAR, 8);
    put_n(BUFFER + 8, 2, 8);
    put_n(BUFFER + 16, 0x20, 8);
    put_wsabufs(FAR);
    put_n(BLOCK + 8, 6, 8);
    CHECK_ARG("InputBuffer",
              "{BufferArray=[{len=5, buf=b\"hello\"}, {len=3, buf=b\"a\"}], "
              "TdiFlags=TDI_RECEIVE_NORMAL}");
    call.returned = false;  // nothing is there yet
    CHECK_ARG("InputBuffer",
              "{BufferArray=[{len=5, buf=0x30100}, {len=3, buf=0x30200}], "
              "TdiFlags=TDI_RECEIVE_NORMAL}");

    control("NtDeviceIoControlFile", 0x12023, 104, 0);
    put_zeros(BUFFER, 104);
    put_n(BUFFER, FAR, 8);
    put_n(BUFFER + 8, 1, 4);
    put_n(BUFFER + 88, 16, 4);
    put_n(BUFFER + 96, FAR + 0x300, 8);
    put_wsabufs(FAR);
    put_ip4(FAR + 0x300, 53);
    CHECK_ARG("InputBuffer", "{BufferArray=[{len=5, buf=b\"hello\"}], "
                             "Address=\"127.0.0.1:53\"}");

    control("NtDeviceIoControlFile", 0x1201b, 40, 0);
    put_zeros(BUFFER, 40);
    put_n(BUFFER, FAR, 8);
    put_n(BUFFER + 8, 1, 4);
    put_n(BUFFER + 24, FAR + 0x300, 8);
    put_n(BUFFER + 32, FAR + 0x400, 8);
    put_wsabufs(FAR);
    put_ip4(FAR + 0x300, 53);
    put_n(FAR + 0x400, 16, 4);
    put_n(BLOCK + 8, 5, 8);
    CHECK_ARG("InputBuffer", "{BufferArray=[{len=5, buf=b\"hello\"}], "
                             "Address=\"127.0.0.1:53\"}");
}

static void counts_of_buffers_that_lie(void)
{
    control("NtDeviceIoControlFile", 0x1201f, 24, 0);
    put_n(BUFFER, FAR, 8);
    put_n(BUFFER + 8, 0xffffffff, 8);
    put_n(BUFFER + 16, 0, 8);
    put_wsabufs(FAR);
    put_n(FAR + 16, 0xffffffff, 8);  // 4 GiB, of which 3 bytes are there
    CHECK_ARG("InputBuffer", "{BufferArray=[{len=5, buf=b\"hello\"}, "
                             "{len=4294967295, buf=b\"abc\"...}, ...]}");
    put_n(BUFFER, UNMAPPED, 8);
    CHECK_ARG("InputBuffer", "{BufferArray=0x7ff000000000}");
}

static void polls_have_handles_and_events(void)
{
    control("NtDeviceIoControlFile", 0x12024, 32, 32);
    put_n(BUFFER, (uint64_t)-10000000, 8);
    put_n(BUFFER + 8, 1, 8);
    put_n(BUFFER + 16, 0x50, 8);
    put_n(BUFFER + 24, 5, 8);
    put_n(OUTPUT, 0, 8);
    put_n(OUTPUT + 8, 1, 8);
    put_n(OUTPUT + 16, 0x50, 8);
    put_n(OUTPUT + 24, 4, 8);
    CHECK_ARG("InputBuffer", "{Timeout=+1.000000s, Handles=[{Handle=0x50, "
                             "PollEvents=AFD_POLL_RECEIVE|AFD_POLL_SEND}]}");
    CHECK_ARG("OutputBuffer", "{Handles=[{Handle=0x50, "
                              "PollEvents=AFD_POLL_SEND, Status=0}]}");
    put_n(BUFFER + 8, 0xffffffff, 4);
    CHECK_ARG("InputBuffer",
              "{Timeout=+1.000000s, Handles=[{Handle=0x50, "
              "PollEvents=AFD_POLL_RECEIVE|AFD_POLL_SEND}, ...]}");
}

static void wine_control(uint32_t function, uint32_t in, uint32_t out)
{
    BEGIN_WINE("NtDeviceIoControlFile", 0x40, 0, 0, 0, BLOCK,
               0x120000 | function << 2, BUFFER, in, OUTPUT, out);
    put_n(BLOCK, 0, 8);
    put_n(BLOCK + 8, out, 8);
}

static void wine_has_codes_of_its_own(void)
{
    wine_control(200, 16, 0);
    put_n(BUFFER, 23, 4);
    put_n(BUFFER + 4, 1, 4);
    put_n(BUFFER + 8, 6, 4);
    put_n(BUFFER + 12, 1, 4);
    CHECK_ARG("IoControlCode", "IOCTL_AFD_WINE_CREATE");
    CHECK_ARG("InputBuffer", "{family=AF_INET6, type=SOCK_STREAM, "
                             "protocol=IPPROTO_TCP, flags=0x1}");

    wine_control(203, 24, 0);
    put_n(BUFFER, 16, 4);
    put_n(BUFFER + 4, 1, 4);
    put_ip4(BUFFER + 8, 80);
    CHECK_ARG("InputBuffer", "{addr=\"127.0.0.1:80\"}");
    put_n(BUFFER, 0xfffffff0, 4);
    CHECK_ARG("InputBuffer", "{addr=\"127.0.0.1:80\"}");

    wine_control(206, 32, 0);
    put_n(BUFFER, FAR + 0x300, 8);
    put_n(BUFFER + 8, 16, 8);
    put_n(BUFFER + 16, 0, 4);
    put_n(BUFFER + 20, 2, 4);
    put_n(BUFFER + 24, FAR, 8);
    put_wsabufs(FAR);
    put_ip4(FAR + 0x300, 53);
    CHECK_ARG("InputBuffer", "{BufferArray=[{len=5, buf=b\"hello\"}, "
                             "{len=3, buf=b\"abc\"}], "
                             "Address=\"127.0.0.1:53\"}");

    wine_control(205, 48, 0);
    put_zeros(BUFFER, 48);
    put_n(BUFFER + 8, FAR + 0x300, 8);
    put_n(BUFFER + 16, FAR + 0x400, 8);
    put_n(BUFFER + 36, 2, 4);
    put_n(BUFFER + 40, FAR, 8);
    put_wsabufs(FAR);
    put_ip4(FAR + 0x300, 53);
    put_n(FAR + 0x400, 16, 4);
    put_n(BLOCK + 8, 5, 8);
    CHECK_ARG("InputBuffer",
              "{BufferArray=[{len=5, buf=b\"hello\"}, {len=3, buf=0x30200}], "
              "Address=\"127.0.0.1:53\"}");

    wine_control(216, 0, 16);
    put_ip4(OUTPUT, 8080);
    CHECK_ARG("OutputBuffer", "\"127.0.0.1:8080\"");
    wine_control(204, 4, 0);
    put_n(BUFFER, 1, 4);
    CHECK_ARG("InputBuffer", "{how=SD_SEND}");
    wine_control(209, 4, 0);
    put_n(BUFFER, 1, 4);
    CHECK_ARG("InputBuffer", "1");
    /* On Windows the code is nobody's. */
    control("NtDeviceIoControlFile", 0x120320, 0, 0);
    CHECK_ARG("IoControlCode", "0x120320 /* FILE_DEVICE_NETWORK, function "
                               "0xc8, METHOD_BUFFERED, FILE_ANY_ACCESS */");
}

/* --- Processes, threads, ports ---------------------------------------- */

static void attribute(uint64_t list, uint32_t i, uint64_t kind, uint64_t size,
                      uint64_t value)
{
    uint64_t at = list + 8 + 32 * i;

    put_n(at, kind, 8);
    put_n(at + 8, size, 8);
    put_n(at + 16, value, 8);
    put_n(at + 24, 0, 8);
}

static void attributes_are_told_by_their_kind(void)
{
    BEGIN("NtCreateThreadEx", OUTPUT, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, BUFFER);
    put_n(OUTPUT, 0x50, 8);
    put_n(BUFFER, 8 + 5 * 32, 8);
    attribute(BUFFER, 0, 0x10003, 16, FAR);
    attribute(BUFFER, 1, 0x10004, 8, FAR + 0x20);
    attribute(BUFFER, 2, 0x20005, 8, FAR + 0x40);
    attribute(BUFFER, 3, 0x60000, 8, 0x5c);
    attribute(BUFFER, 4, 0x2000b, 16, FAR + 0x60);
    put_n(FAR, 32, 8);
    put_n(FAR + 8, 36, 8);
    put_n(FAR + 0x20, 0x7ffd000, 8);
    put_text(&world, FAR + 0x40, "\\a.b");
    put_n(FAR + 0x60, 4, 8);
    put_n(FAR + 0x68, 8, 8);
    CHECK_ARG("AttributeList",
              "[{Attribute=PS_ATTRIBUTE_CLIENT_ID, "
              "Value=[{UniqueProcess=32, UniqueThread=36}]}, "
              "{Attribute=PS_ATTRIBUTE_TEB_ADDRESS, Value=[0x7ffd000]}, "
              "{Attribute=PS_ATTRIBUTE_IMAGE_NAME, Value=\"\\a.b\"}, "
              "{Attribute=PS_ATTRIBUTE_PARENT_PROCESS, Value=0x5c}, "
              "{Attribute=PS_ATTRIBUTE_HANDLE_LIST, Value=[0x4, 0x8]}]");
    call.returned = false;
    put_n(BUFFER, 8 + 32, 8);
    CHECK_ARG("AttributeList",
              "[{Attribute=PS_ATTRIBUTE_CLIENT_ID, Value=0x30000}]");
}

static void attributes_that_lie(void)
{
    BEGIN("NtCreateThreadEx", OUTPUT, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, BUFFER);
    put_n(OUTPUT, 0x50, 8);
    put_n(BUFFER, 0xffffffffffffffff, 8);
    attribute(BUFFER, 0, 0x20005, 0xffffffffffffffff, FAR);
    put_text(&world, FAR, "\\a.b");
    CHECK_ARG("AttributeList", "[{Attribute=PS_ATTRIBUTE_IMAGE_NAME, "
                               "Value=\"\\a.b\"...}, ...]");
    put_n(BUFFER, 7, 8);
    CHECK_ARG("AttributeList", "[]");
}

static void put_counted(uint64_t at, uint64_t buffer, const char *words,
                        uint64_t really)
{
    uint32_t size = put_text(&world, really, words);

    put_n(at, size | size << 16, 8);
    put_n(at + 8, buffer, 8);
}

static void create_process(bool normal)
{
    uint64_t base = normal ? BUFFER : 0;

    BEGIN("NtCreateUserProcess", OUTPUT, OUTPUT + 8, 0, 0, 0, 0, 0, 0, BUFFER,
          0, 0);
    put_n(OUTPUT, 0x50, 8);
    put_n(OUTPUT + 8, 0x54, 8);
    put_zeros(BUFFER, 0x600);
    put_n(BUFFER, 0x600, 4);
    put_n(BUFFER + 4, 0x600, 4);
    put_n(BUFFER + 8, normal, 4);
    put_counted(BUFFER + 0x60, base + 0x480, "C:\\a.exe", BUFFER + 0x480);
    put_counted(BUFFER + 0x70, base + 0x4c0, "a -x", BUFFER + 0x4c0);
    put_counted(BUFFER + 0x38, base + 0x500, "C:\\", BUFFER + 0x500);
}

static void parameters_are_found_in_both_forms(void)
{
    static const char want[] = "{ImagePathName=\"C:\\a.exe\", "
                               "CommandLine=\"a -x\", "
                               "CurrentDirectory=\"C:\\\"}";

    create_process(true);
    CHECK_ARG("ProcessParameters", want);
    create_process(false);
    CHECK_ARG("ProcessParameters", want);
    create_process(true);
    put_n(BUFFER + 4, 0xffffffff, 4);
    put_n(BUFFER + 0x70, 0xffffffff, 4);
    put_n(BUFFER + 0x78, UNMAPPED, 8);
    CHECK_ARG("ProcessParameters",
              "{ImagePathName=\"C:\\a.exe\", CommandLine=0x7ff000000000, "
              "CurrentDirectory=\"C:\\\"}");
}

static void exceptions_have_codes(void)
{
    BEGIN("NtRaiseException", BUFFER, OUTPUT, 1);
    call.result = 0xc0000005;
    put_zeros(BUFFER, 152);
    put_n(BUFFER, 0xc0000005, 4);
    put_n(BUFFER + 4, 1, 4);
    put_n(BUFFER + 16, 0x401000, 8);
    put_n(BUFFER + 24, 2, 4);
    put_n(BUFFER + 32, 1, 8);
    put_n(BUFFER + 40, 0x10, 8);
    put_zeros(OUTPUT, 1232);
    put_n(OUTPUT + 0xf8, 0x401000, 8);
    put_n(OUTPUT + 0x98, 0x22fd08, 8);
    CHECK_ARG("ExceptionRecord",
              "{ExceptionCode=STATUS_ACCESS_VIOLATION, "
              "ExceptionFlags=EXCEPTION_NONCONTINUABLE, "
              "ExceptionAddress=0x401000, ExceptionInformation=[0x1, 0x10]}");
    CHECK_ARG("ContextRecord", "{Rip=0x401000, Rsp=0x22fd08}");
    put_n(BUFFER + 24, 0xffffffff, 4);
    CHECK(told().size < 1024);
}

static void messages_of_ports(void)
{
    BEGIN("NtRequestWaitReplyPort", 0x40, BUFFER, OUTPUT);
    put_zeros(BUFFER, 44);
    put_n(BUFFER, 4, 2);
    put_n(BUFFER + 2, 44, 2);
    put_bytes(BUFFER + 40, "ping");
    put_zeros(OUTPUT, 44);
    put_n(OUTPUT, 4, 2);
    put_n(OUTPUT + 2, 44, 2);
    put_n(OUTPUT + 4, 0x2002, 2);
    put_n(OUTPUT + 8, 32, 8);
    put_n(OUTPUT + 16, 36, 8);
    put_n(OUTPUT + 24, 9, 4);
    put_bytes(OUTPUT + 40, "pong");
    CHECK_ARG("RequestMessage",
              "{DataLength=4, TotalLength=44, Data=b\"ping\"}");
    CHECK_ARG("ReplyMessage",
              "{DataLength=4, TotalLength=44, "
              "Type=LPC_REPLY|LPC_CONTINUATION_REQUIRED, "
              "ClientId={UniqueProcess=32, UniqueThread=36}, MessageId=9, "
              "Data=b\"pong\"}");
    put_n(BUFFER, 0xffff, 2);
    put_n(BUFFER + 2, 0xffff, 2);
    CHECK_ARG("RequestMessage",
              "{DataLength=65535, TotalLength=65535, Data=b\"ping\"...}");
}

/* --- Security --------------------------------------------------------- */

static void put_sid(uint64_t at, uint32_t a, uint32_t b)
{
    put_n(at, 0x0201, 2);
    put_n(at + 2, 0, 4);
    put_n(at + 6, 0x0500, 2);
    put_n(at + 8, a, 4);
    put_n(at + 12, b, 4);
}

static void security_is_text(void)
{
    BEGIN("NtSetSecurityObject", 0x40, 4, BUFFER);
    put_zeros(BUFFER, 40);
    put_n(BUFFER, 1, 1);
    put_n(BUFFER + 2, 4, 2);
    put_n(BUFFER + 8, FAR, 8);
    put_n(BUFFER + 32, FAR + 0x100, 8);
    put_sid(FAR, 32, 544);
    put_n(FAR + 0x100, 2, 2);
    put_n(FAR + 0x102, 8 + 24, 2);
    put_n(FAR + 0x104, 1, 4);
    put_n(FAR + 0x108, 0x00180000, 4);
    put_n(FAR + 0x10c, 0x1f01ff, 4);
    put_sid(FAR + 0x110, 32, 545);
    CHECK_ARG("SecurityDescriptor",
              "{Control=SE_DACL_PRESENT, Owner=\"S-1-5-32-544\", "
              "Dacl=[{AceType=ACCESS_ALLOWED_ACE_TYPE, "
              "Mask=STANDARD_RIGHTS_ALL|0x1ff, Sid=\"S-1-5-32-545\"}]}");
    put_n(FAR + 0x108, 0x00180005, 4);  // with parts that nobody takes apart
    told();
    CHECK(find_text("Dacl=[{AceType=ACCESS_ALLOWED_OBJECT_ACE_TYPE, ...}]"));
    put_n(FAR + 0x104, 0xffff, 4);  // more than fit
    put_n(FAR + 0x10a, 0, 2);       // and one of no size
    CHECK_ARG("SecurityDescriptor",
              "{Control=SE_DACL_PRESENT, Owner=\"S-1-5-32-544\", "
              "Dacl=[?]}");
    put_n(BUFFER + 32, 0, 8);
    put_n(FAR + 1, 200, 1);  // no SID
    CHECK_ARG("SecurityDescriptor",
              "{Control=SE_DACL_PRESENT, Owner=0x30000, Dacl=NULL}");
}

/* A list of `count` groups that stand at `from`, 16 bytes each. */
static void put_groups(uint64_t at, uint32_t count, uint64_t from)
{
    put_n(at, count, 8);
    for (uint32_t i = 0; i < count; i++) {
        put_n(at + 8 + 16 * i, from + 32 * i, 8);
        put_n(at + 16 + 16 * i, i == 0 ? 4 : 0, 8);
        put_sid(from + 32 * i, 32, 544 + i);
    }
}

/* Whatever is shown only in part says so. */
static void what_is_cut_is_marked(void)
{
    BEGIN("NtQueryInformationToken", 0x40, 2, BUFFER, 24, LENGTH);
    call.result = 0x80000005;
    put_n(LENGTH, 24, 4);
    put_n(BUFFER, 2, 8);  // two groups, and room for one
    put_n(BUFFER + 8, UNMAPPED, 8);
    put_n(BUFFER + 16, 0, 8);
    CHECK_ARG("TokenInformation",
              "{Groups=[{Sid=0x7ff000000000, Attributes=0}, ...]}");

    BEGIN("NtSetValueKey", 0x40, 0, 0, 7, BUFFER, 20);
    put_n(BUFFER, 0x61, 8);  // "a", "", "b" and 10 bytes more
    put_n(BUFFER + 4, 0, 2);
    put_n(BUFFER + 6, 0x62, 2);
    put_zeros(BUFFER + 8, 12);
    CHECK_ARG("Data", "[\"a\", ...]");
    put_n(BUFFER + 6, 0, 2);
    CHECK_ARG("Data", "[\"a\"]");

    /* A name in a field, of which the end cannot be read. */
    BEGIN("NtQuerySystemInformation", 0x66, BUFFER, 432, LENGTH);
    put_n(LENGTH, 432, 4);
    put_zeros(BUFFER, 0xac);
    put_text(&world, BUFFER + 0xac, "Rome");
    told();
    CHECK(find_text("TimeZoneKeyName=\"Rome\"..., "));

    control("NtFsControlFile", 0x940cf, 0, 20);  // a range and a quarter
    put_n(OUTPUT, 1, 8);
    put_n(OUTPUT + 8, 2, 8);
    put_n(OUTPUT + 16, 3, 4);
    told();
    CHECK(find_text(", ...], OutputBufferLength=20"));

    control("NtFsControlFile", 0x900a8, 0, 12);  // it says that it is longer
    put_n(OUTPUT, 0x8000001b, 4);
    put_n(OUTPUT + 4, 100, 4);
    put_n(OUTPUT + 8, 0x64636261, 4);
    told();
    CHECK(find_text("Data=b\"abcd\"...}"));
}

static void what_lists_of_groups_lead_to_is_told_going_in(void)
{
    BEGIN("NtFilterToken", 0x40, 0, BUFFER, BUFFER + 0x800, BUFFER + 0xa00,
          OUTPUT);
    put_groups(BUFFER, 2, FAR);
    put_n(BUFFER + 0x800, 1, 4);
    put_n(BUFFER + 0x804, 23, 8);
    put_n(BUFFER + 0x80c, 0, 4);
    put_groups(BUFFER + 0xa00, 1, FAR + 0x4000);
    put_n(OUTPUT, 0x50, 8);
    CHECK_ARG("SidsToDisable",
              "{Groups=[{Sid=\"S-1-5-32-544\", Attributes=SE_GROUP_ENABLED}, "
              "{Sid=\"S-1-5-32-545\", Attributes=0}]}");
    CHECK_ARG("PrivilegesToDelete",
              "{Privileges=[{Luid=SE_CHANGE_NOTIFY_PRIVILEGE, "
              "Attributes=0}]}");
    CHECK_ARG("RestrictedSids", "{Groups=[{Sid=\"S-1-5-32-544\", "
                                "Attributes=SE_GROUP_ENABLED}]}");
    put_n(BUFFER + 0x18, UNMAPPED, 8);
    CHECK_ARG("SidsToDisable",
              "{Groups=[{Sid=\"S-1-5-32-544\", Attributes=SE_GROUP_ENABLED}, "
              "{Sid=0x7ff000000000, Attributes=0}]}");
}

static void with_v_every_group_has_its_sid(void)
{
    BEGIN("NtFilterToken", 0x40, 0, BUFFER, 0, 0, OUTPUT);
    put_groups(BUFFER, 100, FAR);
    put_n(OUTPUT, 0x50, 8);
    options.verbose = true;
    captures.verbose = true;
    told();
    options.verbose = false;
    captures.verbose = false;
    CHECK(find_text("{Sid=\"S-1-5-32-643\", Attributes=0}]}"));
    CHECK(!find_text("Sid=0x"));
}

static void a_token_is_set_by_what_its_class_leads_to(void)
{
    BEGIN("NtSetInformationToken", 0x40, 25, BUFFER, 16);
    put_n(BUFFER, FAR, 8);
    put_n(BUFFER + 8, 0x20, 8);
    put_sid(FAR, 32, 544);
    CHECK_ARG("TokenInformation", "{Label={Sid=\"S-1-5-32-544\", "
                                  "Attributes=SE_GROUP_INTEGRITY}}");
    BEGIN("NtSetInformationToken", 0x40, 4, BUFFER, 8);
    put_n(BUFFER, FAR, 8);
    put_sid(FAR, 32, 544);
    CHECK_ARG("TokenInformation", "{Owner=\"S-1-5-32-544\"}");
    BEGIN("NtSetInformationToken", 0x40, 6, BUFFER, 8);
    put_n(BUFFER, FAR, 8);
    put_n(FAR, 2, 2);
    put_n(FAR + 2, 8 + 24, 2);
    put_n(FAR + 4, 1, 4);
    put_n(FAR + 8, 0x00180000, 4);
    put_n(FAR + 12, 0x20, 4);
    put_sid(FAR + 16, 32, 545);
    CHECK_ARG("TokenInformation",
              "{DefaultDacl=[{AceType=ACCESS_ALLOWED_ACE_TYPE, Mask=0x20, "
              "Sid=\"S-1-5-32-545\"}]}");
    BEGIN("NtSetInformationToken", 0x40, 12, BUFFER, 4);  // no pointer
    put_n(BUFFER, FAR, 8);
    CHECK_ARG("TokenInformation", "[196608]");
}

static void arrays_that_go_in_are_told_with_what_they_lead_to(void)
{
    BEGIN("NtCreateLowBoxToken", OUTPUT, 0x40, 0, 0, FAR + 0x40, 1, BUFFER, 0,
          0);
    put_n(OUTPUT, 0x50, 8);
    put_n(BUFFER, FAR, 8);
    put_n(BUFFER + 8, 4, 8);
    put_sid(FAR, 15, 3);
    put_sid(FAR + 0x40, 15, 2);
    CHECK_ARG("PackageSid", "\"S-1-5-15-2\"");
    CHECK_ARG("Capabilities",
              "[{Sid=\"S-1-5-15-3\", Attributes=SE_GROUP_ENABLED}]");
    BEGIN("NtFilterTokenEx", 0x40, 0, 0, 0, 0, 2, BUFFER, 0, 0, 0, 0, 0, 0,
          OUTPUT);
    put_string(&world, FAR, "one");
    put_string(&world, FAR + 0x100, "three");
    put_n(BUFFER, 6, 8);
    put_n(BUFFER + 8, FAR + 32, 8);
    put_n(BUFFER + 16, 10, 8);
    put_n(BUFFER + 24, FAR + 0x120, 8);
    CHECK_ARG("UserClaimsToDisable", "[\"one\", \"three\"]");
}

static void a_list_for_auditing_is_told(void)
{
    BEGIN("NtSetSecurityObject", 0x40, 8, BUFFER);
    put_zeros(BUFFER, 40);
    put_n(BUFFER, 1, 1);
    put_n(BUFFER + 2, 0x10, 2);
    put_n(BUFFER + 24, FAR, 8);
    put_n(FAR, 2, 2);
    put_n(FAR + 2, 8 + 24, 2);
    put_n(FAR + 4, 1, 4);
    put_n(FAR + 8, 0x00180002, 4);
    put_n(FAR + 12, 0x1, 4);
    put_sid(FAR + 16, 32, 545);
    CHECK_ARG("SecurityDescriptor",
              "{Control=SE_SACL_PRESENT, Sacl=[{AceType=SYSTEM_AUDIT_ACE_TYPE, "
              "Mask=0x1, Sid=\"S-1-5-32-545\"}]}");
}

/* A list of one entry, of `kind` and `mask`, at FAR, in a descriptor. */
static void put_listed(uint64_t at, uint8_t kind, uint32_t mask)
{
    put_zeros(at, 40);
    put_n(at, 1, 1);
    put_n(at + 2, 0x14, 2);
    put_n(at + (kind == 0x11 ? 24 : 32), FAR, 8);
    put_n(FAR, 2, 2);
    put_n(FAR + 2, 8 + 24, 2);
    put_n(FAR + 4, 1, 4);
    put_n(FAR + 8, 0x00180000 | kind, 4);
    put_n(FAR + 12, mask, 4);
    put_sid(FAR + 16, 32, 545);
}

static void masks_of_lists_have_the_names_of_their_object(void)
{
    static const struct object key = { .type = STR_INIT("Key") };

    BEGIN("NtSetSecurityObject", 0x40, 4, BUFFER);
    put_listed(BUFFER, 0, 0xf003f);
    call.objects[0] = &key;
    told();
    CHECK(find_text("Mask=KEY_ALL_ACCESS, Sid="));
    call.objects[0] = NULL;
    told();
    CHECK(find_text("Mask=STANDARD_RIGHTS_REQUIRED|0x3f, Sid="));
    put_listed(BUFFER, 0x11, 3);
    told();
    CHECK(find_text("Mask=SYSTEM_MANDATORY_LABEL_NO_WRITE_UP|"
                    "SYSTEM_MANDATORY_LABEL_NO_READ_UP, Sid="));
    BEGIN("NtCreateMutant", OUTPUT, 0, BUFFER, 0);
    put_n(OUTPUT, 0x50, 8);
    put_attributes(&world, BUFFER, 0, 0, 0);
    put_n(BUFFER + 32, BUFFER + 0x100, 8);
    put_listed(BUFFER + 0x100, 0, 0x1f0001);
    told();
    CHECK(find_text("Mask=MUTANT_ALL_ACCESS, Sid="));
}

/* One base for a kind of number, and names for those that have them. */
static void numbers_are_told_by_what_they_are(void)
{
    BEGIN("NtWriteFile", 0x40, 0, 0, 0, OUTPUT, BUFFER, 0, LENGTH, 0);
    put_n(LENGTH, 0x12345, 8);
    CHECK_ARG("ByteOffset", "[74565]");
    put_n(LENGTH, UINT64_MAX, 8);
    CHECK_ARG("ByteOffset", "[FILE_WRITE_TO_END_OF_FILE]");
    BEGIN("NtLockFile", 0x40, 0, 0, 0, OUTPUT, LENGTH, LENGTH, 0, 0, 2);
    put_n(LENGTH, 0x12345, 8);
    CHECK_ARG("ByteOffset", "[74565]");
    CHECK_ARG("ExclusiveLock", "2");

    BEGIN("NtCreateJobObject", OUTPUT, 0x1f003f, 0);
    CHECK_ARG("DesiredAccess", "JOB_OBJECT_ALL_ACCESS");
    BEGIN("NtSetInformationProcess", UINT64_MAX, 0x22, BUFFER, 4);
    put_n(BUFFER, 9, 4);
    CHECK_ARG("ProcessInformation", "[MEM_EXECUTE_OPTION_DISABLE|"
                                    "MEM_EXECUTE_OPTION_PERMANENT]");
    BEGIN("NtQuerySystemInformation", 1, BUFFER, 12, LENGTH);
    put_n(LENGTH, 12, 4);
    put_n(BUFFER, 9, 8);
    put_n(BUFFER + 8, 0, 4);
    told();
    CHECK(find_text("{ProcessorArchitecture=PROCESSOR_ARCHITECTURE_AMD64, "));
    BEGIN("NtQuerySystemInformation", 0x66, BUFFER, 432, LENGTH);
    put_n(LENGTH, 432, 4);
    put_zeros(BUFFER, 432);
    put_n(BUFFER, (uint32_t)-60, 4);
    put_text(&world, BUFFER + 0xac, "Romance Standard Time");
    put_n(BUFFER + 0x1ac, 1, 1);
    told();
    CHECK(find_text("{tzi={Bias=-60, StandardName=\"\", "));
    CHECK(find_text("}, TimeZoneKeyName=\"Romance Standard Time\", "
                    "DynamicDaylightTimeDisabled=TRUE}"));
#ifndef NO_LGPL_ROWS
    BEGIN("NtUserMsgWaitForMultipleObjectsEx", 0, 0, 0xffffffff, 0, 0);
    CHECK_ARG("timeout", "INFINITE");
    BEGIN("NtUserMsgWaitForMultipleObjectsEx", 0, 0, 100000, 0, 0);
    CHECK_ARG("timeout", "100000");
    BEGIN("NtUserSetProcessDpiAwarenessContext", 0x22, 0);
    CHECK_ARG("awareness", "NTUSER_DPI_PER_MONITOR_AWARE_V2");
#endif
}

static void objects_are_made_with_descriptors(void)
{
    BEGIN("NtCreateEvent", OUTPUT, 0, BUFFER, 0, 0);
    put_n(OUTPUT, 0x50, 8);
    put_attributes(&world, BUFFER, 0, 0, 0);
    put_n(BUFFER + 32, FAR, 8);
    put_zeros(FAR, 40);
    put_n(FAR, 1, 1);
    put_n(FAR + 2, 4, 2);
    CHECK_ARG("ObjectAttributes",
              "{ObjectName=NULL, Attributes=0, "
              "SecurityDescriptor={Control=SE_DACL_PRESENT, Dacl=NULL}}");
    put_n(BUFFER + 32, UNMAPPED, 8);
    CHECK_ARG("ObjectAttributes", "{ObjectName=NULL, Attributes=0, "
                                  "SecurityDescriptor=0x7ff000000000}");
}

static void security_self_relative(void)
{
    BEGIN("NtQuerySecurityObject", 0x40, 1, BUFFER, 36, LENGTH);
    put_n(LENGTH, 36, 4);
    put_zeros(BUFFER, 20);
    put_n(BUFFER, 1, 1);
    put_n(BUFFER + 2, 0x8000, 2);
    put_n(BUFFER + 4, 20, 4);
    put_sid(BUFFER + 20, 32, 544);
    CHECK_ARG("SecurityDescriptor",
              "{Control=SE_SELF_RELATIVE, Owner=\"S-1-5-32-544\"}");
    put_n(BUFFER + 4, 28, 4);  // half of it
    CHECK_ARG("SecurityDescriptor",
              "{Control=SE_SELF_RELATIVE, Owner=0x2001c}");
    put_n(BUFFER + 4, 0xfffffff0, 4);
    CHECK_ARG("SecurityDescriptor", "{Control=SE_SELF_RELATIVE}");

    BEGIN("NtQuerySecurityObject", 0x40, 1, BUFFER, 92, LENGTH);
    put_n(LENGTH, 92, 4);
    put_zeros(BUFFER, 92);
    put_n(BUFFER, 1, 1);
    put_n(BUFFER + 2, 0x8000, 2);
    put_n(BUFFER + 4, 20, 4);
    put_n(BUFFER + 20, 0x1001, 2);  // one part more than a SID may have
    CHECK_ARG("SecurityDescriptor",
              "{Control=SE_SELF_RELATIVE, Owner=0x20014}");
}

static void privileges_have_names(void)
{
    BEGIN("NtAdjustPrivilegesToken", 0x40, 0, BUFFER, 0, 0, 0);
    put_n(BUFFER, 2, 4);
    put_n(BUFFER + 4, 20, 8);
    put_n(BUFFER + 12, 2, 4);
    put_n(BUFFER + 16, 19, 8);
    put_n(BUFFER + 24, 0, 4);
    CHECK_ARG("NewState", "{Privileges=[{Luid=SE_DEBUG_PRIVILEGE, "
                          "Attributes=SE_PRIVILEGE_ENABLED}, "
                          "{Luid=SE_SHUTDOWN_PRIVILEGE, Attributes=0}]}");
    put_n(BUFFER, 0xffffffff, 4);
    CHECK_ARG("NewState", "{Privileges=[{Luid=SE_DEBUG_PRIVILEGE, "
                          "Attributes=SE_PRIVILEGE_ENABLED}, "
                          "{Luid=SE_SHUTDOWN_PRIVILEGE, Attributes=0}, ...]}");
}

static void fillers_are_left_out_but_for_v(void)
{
    BEGIN("NtAccessCheckByType", 0, 0, 0x40, 1, BUFFER, 1, 0, 0, 0, 0, 0);
    put_zeros(BUFFER, 16);
    put_n(BUFFER, 2, 2);
    put_n(BUFFER + 2, 0x77, 2);  // Sbz: should be zero
    CHECK_ARG("ObjectTypeList", "[{Level=2, "
                                "ObjectType=NULL}]");
    options.verbose = true;
    captures.verbose = true;
    CHECK_ARG("ObjectTypeList", "[{Level=2, Sbz=119, "
                                "ObjectType=NULL}]");
}

static void tokens_have_users(void)
{
    BEGIN("NtQueryInformationToken", 0x40, 1, BUFFER, 64, LENGTH);
    put_n(LENGTH, 32, 4);
    put_n(BUFFER, BUFFER + 16, 8);
    put_n(BUFFER + 8, 0, 8);
    put_sid(BUFFER + 16, 32, 544);
    CHECK_ARG("TokenInformation",
              "{User={Sid=\"S-1-5-32-544\", Attributes=0}}");
}

/* --- Windows ---------------------------------------------------------- */

static void messages_have_names(void)
{
    BEGIN("NtUserDispatchMessage", BUFFER);
    put_zeros(BUFFER, 48);
    put_n(BUFFER, 0x10080, 8);
    put_n(BUFFER + 8, 0xf, 4);
    CHECK_ARG("lpmsg", "{hwnd=0x10080, message=WM_PAINT, wParam=0, lParam=0}");
    put_n(BUFFER + 8, 0x100, 4);
    put_n(BUFFER + 16, 0x0d, 8);
    CHECK_ARG("lpmsg", "{hwnd=0x10080, message=WM_KEYDOWN, "
                       "wParam=VK_RETURN, lParam=0}");
    put_n(BUFFER + 8, 0x465, 4);
    CHECK_ARG("lpmsg", "{hwnd=0x10080, message=0x465 /* WM_USER+0x65 */, "
                       "wParam=0xd, lParam=0}");

    BEGIN("NtUserPostMessage", 0x10080, 0xc123, 1, 2);
    CHECK_ARG("Msg", "0xc123 /* registered */");
    BEGIN("NtUserPeekMessage", UNMAPPED, 0x10080, 0x407, 0x8003, 1, 0);
    CHECK_ARG("wMsgFilterMin", "0x407 /* WM_USER+0x7 */");
    CHECK_ARG("wMsgFilterMax", "0x8003 /* WM_APP+0x3 */");
    BEGIN("NtUserGetMessage", UNMAPPED, 0x10080, 0, 0xf);
    CHECK_ARG("wMsgFilterMin", "WM_NULL");
    CHECK_ARG("wMsgFilterMax", "WM_PAINT");
    BEGIN("NtUserMessageCall", 0x10080, 0xc, 0, BUFFER, 0, 0x2b1, 0);
    put_text(&world, BUFFER, "Title");
    put_n(BUFFER + 10, 0, 2);
    CHECK_ARG("lParam", "\"Title\"");
    BEGIN("NtUserMessageCall", 0x10080, 0xc, 0, BUFFER, 0, 0x2b1, 1);
    put_bytes(BUFFER, "Title");
    put_n(BUFFER + 5, 0, 3);
    CHECK_ARG("lParam", "b\"Title\"");
    BEGIN("NtUserMessageCall", 0x10080, 0xc, 0, UNMAPPED, 0, 0x2b1, 0);
    CHECK_ARG("lParam", "0x7ff000000000");
}

static void window_words_are_told_by_their_index(void)
{
    BEGIN("NtUserSetWindowLong", 0x10080, 0xfffffff0, 0x10000000, 0);
    CHECK_ARG("dwNewLong", "WS_VISIBLE");
    BEGIN("NtUserSetWindowLongPtr", 0x10080, 0xffffffec, 8, 0);
    CHECK_ARG("dwNewLong", "WS_EX_TOPMOST");
}

static void window_classes_have_names(void)
{
    BEGIN("NtUserRegisterClassExWOW", BUFFER, 0, 0, 0, 0, 0, 0);
    call.result = 0xc010;
    put_zeros(BUFFER, 80);
    put_n(BUFFER + 4, 3, 4);
    put_n(BUFFER + 8, 0x401000, 8);
    put_n(BUFFER + 0x40, FAR, 8);
    put_text(&world, FAR, "Main");
    put_n(FAR + 8, 0, 2);
    CHECK_ARG("wc", "{style=CS_VREDRAW|CS_HREDRAW, lpfnWndProc=0x401000, "
                    "lpszMenuName=NULL, lpszClassName=\"Main\"}");
    put_n(BUFFER + 0x40, 0xc001, 8);
    CHECK_ARG("wc", "{style=CS_VREDRAW|CS_HREDRAW, lpfnWndProc=0x401000, "
                    "lpszMenuName=NULL, lpszClassName=0xc001}");
}

static void window_titles_have_a_length(void)
{
    BEGIN("NtUserDefSetText", 0x10080, BUFFER);
    call.result = 1;
    put_n(BUFFER, 6, 4);
    put_n(BUFFER + 4, 8, 4);
    put_n(BUFFER + 8, FAR, 8);
    put_text(&world, FAR, "Big");
    CHECK_ARG("arg2", "\"Big\"");
    put_n(BUFFER, 0xfffffffe, 4);
    CHECK_ARG("arg2", "\"Big\"...");
    put_n(BUFFER, 3, 4);
    put_n(BUFFER + 4, 0x80000004, 4);
    put_bytes(FAR, "abc");
    CHECK_ARG("arg2", "\"abc\"");
}

static void input_is_told_by_its_kind(void)
{
    BEGIN("NtUserSendInput", 1, BUFFER, 40);
    call.result = 1;
    put_zeros(BUFFER, 40);
    put_n(BUFFER, 1, 4);
    put_n(BUFFER + 8, 0x41, 2);
    put_n(BUFFER + 12, 2, 4);
    CHECK_ARG("Inputs", "[{type=INPUT_KEYBOARD, ki={wVk=65, wScan=0, "
                        "dwFlags=KEYEVENTF_KEYUP, time=0, dwExtraInfo=0}}]");
    put_n(BUFFER, 99, 4);
    CHECK_ARG("Inputs", "[{type=99, u=b\"A\\x00\\x00\\x00\\x02\\x00\\x00\\x00"
                        "\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
                        "\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
                        "\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\"}]");
}

/* What an extended parameter points to, if its type is that of an address. */
static void extended_parameters_are_told_by_their_kind(void)
{
    BEGIN("NtAllocateVirtualMemoryEx", UINT64_MAX, OUTPUT, LENGTH, 0x3000, 4,
          BUFFER, 3);
    put_n(OUTPUT, 0, 8);
    put_n(LENGTH, 0x200000, 8);
    put_zeros(BUFFER, 48);
    put_n(BUFFER, 1, 8);
    put_n(BUFFER + 8, FAR, 8);
    put_n(BUFFER + 16, 5, 8);
    put_n(BUFFER + 24, 0x40, 8);
    put_n(BUFFER + 32, 2, 8);
    put_n(BUFFER + 40, 0xcccccccc00000001, 8);
    put_zeros(FAR, 24);
    put_n(FAR + 16, 0x200000, 8);
    CHECK_ARG("ExtendedParameters",
              "[{Type=MemExtendedParameterAddressRequirements, "
              "Pointer={LowestStartingAddress=NULL, "
              "HighestEndingAddress=NULL, Alignment=0x200000}}, "
              "{Type=MemExtendedParameterAttributeFlags, "
              "ULong64=MEM_EXTENDED_PARAMETER_EC_CODE}, "
              "{Type=MemExtendedParameterNumaNode, ULong=1}]");
}

/* Memory that the call has not written is the program's: an address. */
static void a_message_that_was_not_found_is_not_shown(void)
{
    char room[32];
    struct buf address = BUF_OVER(room);

    buf_add_hex(&address, BUFFER);
    buf_add(&address, STR("\0"));
    BEGIN("NtUserPeekMessage", BUFFER, 0, 0, 0, 1, 0);
    put_zeros(BUFFER, 48);
    put_n(BUFFER + 8, 0x202, 4);
    call.result = 0;
    CHECK_ARG("lpMsg", room);
    call.result = 1;
    CHECK_ARG("message", "WM_LBUTTONUP");

    BEGIN("NtUserGetMessage", BUFFER, 0, 0, 0);
    put_zeros(BUFFER, 48);
    put_n(BUFFER + 8, 0x12, 4);
    call.result = 0;
    CHECK_ARG("message", "WM_QUIT");
    call.result = 0xffffffff;
    CHECK_ARG("lpMsg", room);
}

/* --- Everything ------------------------------------------------------- */

static uint64_t seed = 1;

static uint32_t dice(uint32_t sides)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % sides;
}

/* A number as structures have them: small, a pointer, the largest. */
static uint64_t likely(void)
{
    static const uint64_t odd[] = { 0xffffffff, 0xfffffffe, 0x80000000,
                                    UINT64_MAX, 0xffff,     UNMAPPED };

    switch (dice(6)) {
    case 0:
        return dice(64);
    case 1:
        return FAR + dice(0x400);
    case 2:
        return BUFFER + dice(0x400);
    case 3:
        return odd[dice(COUNT_OF(odd))];
    case 4:
        return (uint64_t)dice(0x10000) << 16 | dice(64);
    default:
        return dice(4);
    }
}

static void fill(uint64_t address, uint32_t size)
{
    uint32_t at = 0;

    while (at + 8 <= size) {
        uint32_t width = 1u << dice(4);

        put_n(address + at, likely(), width);
        at += width;
    }
}

/* Whatever stands in memory, the line is one of the grammar, and no byte is
 * read that is not there. */
static void any_memory_gives_a_line(void)
{
    static const char *const names[] = {
        "NtCreateFile",
        "NtQueryEaFile",
        "NtQueryDirectoryFile",
        "NtQueryInformationFile",
        "NtSetInformationFile",
        "NtQueryVolumeInformationFile",
        "NtNotifyChangeDirectoryFile",
        "NtQueryDirectoryObject",
        "NtQueryInformationToken",
        "NtAdjustPrivilegesToken",
        "NtSetSecurityObject",
        "NtQuerySecurityObject",
        "NtAccessCheck",
        "NtQueryValueKey",
        "NtQueryMultipleValueKey",
        "NtSetValueKey",
        "NtQueryKey",
        "NtQuerySystemInformation",
        "NtCreateUserProcess",
        "NtCreateThreadEx",
        "NtRaiseException",
        "NtAlpcSendWaitReceivePort",
        "NtUserGetMessage",
        "NtUserRegisterClassExWOW",
        "NtUserThunkedMenuItemInfo",
        "NtUserSendInput",
        "NtUserMessageCall",
        "NtDeviceIoControlFile",
        "NtFsControlFile",
    };

    for (uint32_t i = 0; i < 40 * COUNT_OF(names); i++) {
        const char *name = names[i / 40];
        const struct call_facts *facts = call_find(str_of(name));
        uint64_t args[CALL_ARGS_MAX];

        for (uint32_t k = 0; k < facts->arg_count; k++) {
            args[k] = facts->args[k].type->class == CLASS_PTR
                          ? BUFFER + 0x400 * dice(8)
                          : likely();
        }
        for (uint32_t k = 0; k < facts->arg_count; k++) {
            if (strstr(facts->args[k].name, "Length")) {
                args[k] = dice(4) ? dice(600) : args[k];
            } else if (strstr(facts->args[k].name, "ControlCode")) {
                args[k] = ioctl_at(dice((uint32_t)ioctl_count()))->code;
            } else if (strstr(facts->args[k].name, "Class")) {
                args[k] = facts->args[k].type->class == CLASS_PTR ? args[k]
                                                                  : dice(80);
            }
        }
        begin(name, facts->arg_count, args, dice(2) && dice(2));
        fill(BUFFER, 0x1000);
        fill(BUFFER + 0x1000 + dice(64), dice(0x1000));
        fill(FAR, dice(0x800));
        options.verbose = dice(3) == 0;
        options.raw = dice(8) == 0;
        captures.verbose = options.verbose;
        CHECK(told().size > 0);
    }
}

static void programs_have_room_to_spare(void)
{
    _Alignas(8) static uint8_t room[CAPTURE_PROGRAM_MAX];
    const struct capture_program *p = (const void *)room;

    for (uint32_t wine = 0; wine < 2; wine++) {
        const struct capture_options most = { .string_max = 4096,
                                              .wine = wine,
                                              .verbose = true };

        for (size_t i = 0; i < call_count(); i++) {
            if (capture_compile(call_at(i), &most, room) > 0 &&
                p->entry_count + p->return_count >= CAPTURE_OPS_MAX) {
                printf("%s is full\n", call_at(i)->name);
                CHECK(false);
            }
        }
    }
}

int main(void)
{
    const struct test tests[] = {
        TEST(every_row_is_found_and_sorted),
        TEST(every_parameter_of_a_family_is_some_calls),
        TEST(numbers_of_fields_are_told_by_their_names),
        TEST(what_control_codes_take_has_a_layout),
        TEST(every_set_of_a_field_has_its_field),
        TEST(every_tail_is_a_field),
        TEST(every_open_end_has_its_row),
        TEST(a_field_is_told_alike_in_every_structure),
        TEST(registry_data_is_told_by_its_type),
        TEST(registry_data_of_a_false_form_is_bytes),
        TEST(registry_values_have_type_name_and_data),
        TEST(a_buffer_too_small_shows_what_there_is),
        TEST(what_was_not_written_is_unknown),
        TEST(several_values_at_once),
        TEST(keys_have_names),
        TEST(names_end_where_their_length_says),
        TEST(names_end_with_their_buffer),
        TEST(directories_are_lists),
        TEST(lists_that_lie_end),
        TEST(attributes_of_a_socket_tell_which_it_is),
        TEST(codes_have_names_or_parts),
        TEST(buffers_of_known_codes_are_structures),
        TEST(reparse_points_have_two_paths),
        TEST(addresses_are_text),
        TEST(sockets_bind_connect_and_listen),
        TEST(what_is_sent_and_received_is_data),
        TEST(counts_of_buffers_that_lie),
        TEST(polls_have_handles_and_events),
        TEST(wine_has_codes_of_its_own),
        TEST(attributes_are_told_by_their_kind),
        TEST(attributes_that_lie),
        TEST(parameters_are_found_in_both_forms),
        TEST(exceptions_have_codes),
        TEST(messages_of_ports),
        TEST(security_is_text),
        TEST(what_is_cut_is_marked),
        TEST(what_lists_of_groups_lead_to_is_told_going_in),
        TEST(with_v_every_group_has_its_sid),
        TEST(a_token_is_set_by_what_its_class_leads_to),
        TEST(arrays_that_go_in_are_told_with_what_they_lead_to),
        TEST(a_list_for_auditing_is_told),
        TEST(masks_of_lists_have_the_names_of_their_object),
        TEST(numbers_are_told_by_what_they_are),
        TEST(objects_are_made_with_descriptors),
        TEST(security_self_relative),
        TEST(privileges_have_names),
        TEST(fillers_are_left_out_but_for_v),
        TEST(tokens_have_users),
        TEST(messages_have_names),
        TEST(window_words_are_told_by_their_index),
        TEST(window_classes_have_names),
        TEST(window_titles_have_a_length),
        TEST(input_is_told_by_its_kind),
        TEST(extended_parameters_are_told_by_their_kind),
        TEST(a_message_that_was_not_found_is_not_shown),
        TEST(any_memory_gives_a_line),
        TEST(programs_have_room_to_spare),
    };

    return check_run(tests, COUNT_OF(tests));
}
