/* SPDX-License-Identifier: MIT */
/*
 * test_options - cmd/options.h and cmd/help.h.
 */
#include "cmd/help.h"
#include "cmd/options.h"

#include "unit/check.h"

#include <stdlib.h>
#include <string.h>

static void full(size_t wanted)
{
    printf("arena full: %zu\n", wanted);
    abort();
}

static char room[1 << 16];

/* Parses what stands behind our own name; the error's text, or "". */
static str parse(struct options *o, const char *words)
{
    static char line[1000];
    static struct err e;
    struct arena a = arena_over(room, sizeof(room), full);
    struct buf raw = BUF_OVER(line);

    memset(o, 0, sizeof(*o));
    buf_addf(&raw, "\"C:\\my tools\\ntstrace.exe\" %s", words);
    if (options_parse(o, buf_str(&raw), &a, &e)) {
        return STR("");
    }
    CHECK(e.code == ERR_USAGE);
    return str_of(e.text);
}

static bool has(str text, const char *part)
{
    str want = str_of(part);

    for (size_t i = 0; i + want.size <= text.size; i++) {
        if (str_starts(str_slice(text, i, text.size), want)) {
            return true;
        }
    }
    return false;
}

/* The same of a whole word: --summary is no part of --summary-sort-by. */
static bool has_option(str text, const char *name)
{
    str want = str_of(name);

    for (size_t i = 0; i + want.size < text.size; i++) {
        if (str_starts(str_slice(text, i, text.size), want) &&
            strchr(" \n.,", text.p[i + want.size]) != NULL) {
            return true;
        }
    }
    return false;
}

static void without_options_everything_has_its_default(void)
{
    struct options o;

    CHECK_STR(parse(&o, "a.exe"), STR(""));
    CHECK(o.command == COMMAND_TRACE);
    CHECK(!o.nothing);
    CHECK_STR(o.launch.program, STR("a.exe"));
    CHECK_STR(o.launch.program_line, STR("a.exe"));
    CHECK_STR(o.view.output, STR(""));
    CHECK(o.launch.engine == ENGINE_RING);
    CHECK(o.launch.patch);
    CHECK(o.launch.orphan_query);
    CHECK(!o.launch.lossy && !o.launch.honor_callback);
    CHECK(!o.view.always_show_pid && !o.view.since_last);
    CHECK(!o.view.service_number && !o.view.return_address &&
          !o.view.time_spent);
    CHECK(!o.help && !o.version);
    CHECK_U64(o.view.quiet, 0);
    CHECK_U64(o.view.clock, 0);
    CHECK_U64(o.launch.ring_size, RING_SIZE_DEFAULT);
    CHECK_U64(o.view.expressions.count, 0);
    CHECK_U64(o.view.paths.count, 0);
    CHECK(!o.view.successful_only && !o.view.failed_only && !o.view.json);
    CHECK(!o.view.summary_only && !o.view.summary);
    CHECK_STR(o.view.summary_sort, STR(""));
    CHECK(o.view.summary_by == BY_NAME && o.view.color == COLOR_AUTO);
    CHECK(o.view.time_unit == UNIT_USUAL && o.view.spent_unit == UNIT_USUAL);
    CHECK(o.view.constants == CONSTANTS_ABBREV);
    CHECK_U64(o.view.summary_every, 0);
    CHECK_U64(o.view.handles, 1);
    CHECK_U64(o.view.string_limit, 32);
    CHECK_U64(o.view.hex_strings, 0);
    CHECK(o.view.abbrev && o.view.arg_names);
    CHECK_STR(o.launch.record, STR(""));
    CHECK(o.launch.compress == COMPRESS_AUTO);
    CHECK_STR(o.view.from, STR(""));
    CHECK_STR(o.view.to, STR(""));
    CHECK(!o.view.utc && o.view.skip);
}

static void every_option_reaches_its_field(void)
{
    struct options o;

    CHECK_STR(parse(&o, "-o \"a b\" -qq -ttt -r -n -i -T --lossy --no-patch "
                        "--honor-callback --no-orphan-query --always-show-pid "
                        "--engine=handshake --ring-size=64M x"),
              STR(""));
    CHECK_STR(o.view.output, STR("a b"));
    CHECK_U64(o.view.quiet, 2);
    CHECK_U64(o.view.clock, 3);
    CHECK(o.view.since_last && o.view.service_number && o.view.return_address);
    CHECK(o.view.time_spent && o.launch.lossy && o.view.always_show_pid);
    CHECK(!o.launch.patch && !o.launch.orphan_query);
    CHECK(o.launch.honor_callback);
    CHECK(o.launch.engine == ENGINE_HANDSHAKE);
    CHECK_U64(o.launch.ring_size, 64 << 20);
    CHECK_STR(o.launch.program_line, STR("x"));

    CHECK_STR(parse(&o, "--no-callback --repatch x"), STR(""));
    CHECK(!o.launch.callback && o.launch.repatch);
    CHECK_STR(parse(&o, "x"), STR(""));
    CHECK(o.launch.callback && !o.launch.repatch);

    CHECK_STR(parse(&o, "-z -Z -C -S calls --by thread --summary-every 5 "
                        "--color never -yy -s 0 -v -xx -X raw "
                        "--no-arg-names --timestamp-precision ns "
                        "--syscall-times-precision ms x"),
              STR(""));
    CHECK(o.view.successful_only && o.view.failed_only && o.view.summary);
    CHECK(!o.view.summary_only && !o.view.abbrev && !o.view.arg_names);
    CHECK_STR(o.view.summary_sort, STR("calls"));
    CHECK(o.view.summary_by == BY_THREAD && o.view.color == COLOR_NEVER);
    CHECK(o.view.time_unit == UNIT_NANOS && o.view.spent_unit == UNIT_MILLIS);
    CHECK(o.view.constants == CONSTANTS_RAW);
    CHECK_U64(o.view.summary_every, 5);
    CHECK_U64(o.view.handles, 2);
    CHECK_U64(o.view.string_limit, 0);
    CHECK_U64(o.view.hex_strings, 2);
    CHECK_STR(parse(&o, "--json -c --no-summary-only x"), STR(""));
    CHECK(o.view.json);

    CHECK_STR(parse(&o, "--record \"a b.nts\" --compress never --utc x"),
              STR(""));
    CHECK_STR(o.launch.record, STR("a b.nts"));
    CHECK(o.launch.compress == COMPRESS_NEVER && o.view.utc);
    CHECK_STR(parse(&o, "replay --from 1.5 --to 12:00:00 --utc --no-skip f"),
              STR(""));
    CHECK_STR(o.view.from, STR("1.5"));
    CHECK_STR(o.view.to, STR("12:00:00"));
    CHECK(o.view.utc && !o.view.skip);
}

static void what_may_be_given_again_keeps_its_order(void)
{
    struct options o;
    char line[900];
    struct buf b = BUF_OVER(line);

    CHECK_STR(parse(&o,
                    "-e trace=file -P C:\\a -e \"!NtClose\" -estatus=failed "
                    "--expression tid=4 --trace-path HKLM\\b x"),
              STR(""));
    CHECK_U64(o.view.expressions.count, 4);
    CHECK_STR(o.view.expressions.at[0], STR("trace=file"));
    CHECK_STR(o.view.expressions.at[1], STR("!NtClose"));
    CHECK_STR(o.view.expressions.at[2], STR("status=failed"));
    CHECK_STR(o.view.expressions.at[3], STR("tid=4"));
    CHECK_U64(o.view.paths.count, 2);
    CHECK_STR(o.view.paths.at[0], STR("C:\\a"));
    CHECK_STR(o.view.paths.at[1], STR("HKLM\\b"));

    for (int i = 0; i < OPTIONS_LIST_MAX; i++) {
        buf_addf(&b, "-e a%d ", i);
    }
    buf_addf(&b, "x%c", '\0');
    CHECK_STR(parse(&o, line), STR(""));
    CHECK_U64(o.view.expressions.count, OPTIONS_LIST_MAX);
    CHECK_STR(o.view.expressions.at[OPTIONS_LIST_MAX - 1], STR("a63"));
    b.size -= 2;
    buf_addf(&b, "-e z x%c", '\0');
    CHECK_STR(parse(&o, line), STR("-e: given more than 64 times"));
}

static void handles_are_named_unless_told_otherwise(void)
{
    static const struct {
        const char *line;
        uint64_t want;
    } cases[] = {
        { "x", 1 },
        { "-y x", 1 },
        { "-yy x", 2 },
        { "-y -q -y x", 2 },
        { "--decode-handles x", 1 },
        { "--no-decode-handles x", 0 },
        { "-yy --no-decode-handles x", 0 },
        { "--no-decode-handles -y x", 1 },
        { "--no-decode-handles -yy x", 2 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct options o;

        CHECK_STR(parse(&o, cases[i].line), STR(""));
        CHECK_U64(o.view.handles, cases[i].want);
    }
}

static void letters_combine(void)
{
    struct options o;

    CHECK_STR(parse(&o, "-qttTyyvzs 5 x"), STR(""));
    CHECK_U64(o.view.clock, 2);
    CHECK(o.view.time_spent && !o.view.abbrev && o.view.successful_only);
    CHECK_U64(o.view.handles, 2);
    CHECK_U64(o.view.string_limit, 5);
    CHECK_STR(parse(&o, "-ttTefile x"), STR(""));
    CHECK_STR(o.view.expressions.at[0], STR("file"));
    CHECK_STR(parse(&o, "-v --abbrev x"), STR(""));
    CHECK(o.view.abbrev);
}

static void a_value_may_stand_in_any_of_four_places(void)
{
    static const char *const lines[] = {
        "-o f x",           "-of x",        "-Tof x",
        "-To f x",          "--output f x", "--output=f x",
        "-o \"f\" x",       "\"-of\" x",    "-o=f -of x",
        "--\"output=f\" x",
    };
    struct options o;

    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        CHECK_STR(parse(&o, lines[i]), STR(""));
        CHECK_STR(o.view.output, STR("f"));
        CHECK_STR(o.launch.program_line, STR("x"));
    }
    CHECK_STR(parse(&o, "--output=a=b x"), STR(""));
    CHECK_STR(o.view.output, STR("a=b"));
    CHECK_STR(parse(&o, "-o -q x"), STR(""));
    CHECK_STR(o.view.output, STR("-q"));
    CHECK_U64(o.view.quiet, 0);
}

static void the_last_word_on_a_matter_counts(void)
{
    struct options o;

    CHECK_STR(parse(&o, "--no-patch --patch --lossy --no-lossy -qq --no-quiet "
                        "--engine handshake --engine ring -oa -ob x"),
              STR(""));
    CHECK(o.launch.patch);
    CHECK(!o.launch.lossy);
    CHECK_U64(o.view.quiet, 0);
    CHECK(o.launch.engine == ENGINE_RING);
    CHECK_STR(o.view.output, STR("b"));
}

static void ring_sizes_are_powers_of_two_in_bounds(void)
{
    static const struct {
        const char *text;
        uint64_t size;  // 0: refused
    } cases[] = {
        { "64K", 64 << 10 },
        { "64k", 64 << 10 },
        { "65536", 64 << 10 },
        { "0x10000", 65536 },
        { "1M", 1 << 20 },
        { "64m", 64 << 20 },
        { "65536K", 64 << 20 },
        { "32K", 0 },
        { "128M", 0 },
        { "3M", 0 },
        { "65537", 0 },
        { "0", 0 },
        { "K", 0 },
        { "1G", 0 },
        { "-1M", 0 },
        { "1MB", 0 },
        { "\"\"", 0 },
        { "17592186044416M", 0 },
        { "18446744073709551615K", 0 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char line[80];
        struct buf b = BUF_OVER(line);
        struct options o;
        str said;

        buf_addf(&b, "--ring-size %s x%c", cases[i].text, '\0');
        said = parse(&o, line);
        CHECK(cases[i].size ? said.size == 0
                            : str_ends(said, STR("is not a power of two from "
                                                 "64K to 64M")));
        CHECK_U64(o.launch.ring_size, cases[i].size);
    }
}

static void the_programs_words_are_not_ours(void)
{
    /* clang-format off */
    static const struct {
        const char *line;
        const char *program;
        const char *tail;
    } cases[] = {
        { "a -o b --foo",            "a",              "a -o b --foo" },
        { "-q a  \"b  c\" \\\" ",    "a",              "a  \"b  c\" \\\" " },
        { "-- a -- b",               "a",              "a -- b" },
        { "-- -q",                   "-q",             "-q" },
        { "-- list syscalls",        "list",           "list syscalls" },
        { "-- /?",                   "/?",             "/?" },
        { "-",                       "-",              "-" },
        { "list.exe x",              "list.exe",       "list.exe x" },
        { ".\\list x",               ".\\list",        ".\\list x" },
        { "./doctor",                "./doctor",       "./doctor" },
        { "C:list",                  "C:list",         "C:list" },
        { "LIST x",                  "LIST",           "LIST x" },
        { "lists",                   "lists",          "lists" },
        { "\"C:\\a b\\c.exe\" d",    "C:\\a b\\c.exe", "\"C:\\a b\\c.exe\" d" },
        { "-T \"C:\\dir\\\" d",      "C:\\dir\\",      "\"C:\\dir\\\" d" },
        { "C:\\a\" b\"\\c.exe d",    "C:\\a b\\c.exe", "C:\\a\" b\"\\c.exe d" },
        { "cmd /c \"dir C:\\ & x\"", "cmd",     "cmd /c \"dir C:\\ & x\"" },
        { "/c",                      "/c",             "/c" },
        { "--no-patch\t\ta\t",       "a",              "a\t" },
    };
    /* clang-format on */

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct options o;

        CHECK_STR(parse(&o, cases[i].line), STR(""));
        CHECK(o.command == COMMAND_TRACE);
        CHECK_STR(o.launch.program, str_of(cases[i].program));
        CHECK_STR(o.launch.program_line, str_of(cases[i].tail));
    }
}

static void the_programs_line_is_found_in_utf_16_too(void)
{
    struct options o;

    /* "C:\my tools\ntstrace.exe" and a blank are 27 units. */
    CHECK_STR(parse(&o, "-q a"), STR(""));
    CHECK_U64(o.launch.program_unit, 27 + 3);
    CHECK_STR(parse(&o, "-o\xf0\x9f\x98\x80\xc3\xa4 \xed\xa0\x80"), STR(""));
    CHECK_U64(o.launch.program_unit, 27 + 6);
    CHECK_STR(o.launch.program_line, STR("\xed\xa0\x80"));
}

static void a_long_line_needs_four_times_its_size(void)
{
    static char line[32767];
    static char big[4 * sizeof(line)];
    struct arena a = arena_over(big, sizeof(big), full);
    struct options o;
    struct err e;

    memset(line, 'T', sizeof(line));
    memcpy(line, "x -", 3);
    memcpy(line + sizeof(line) - 2, " a", 2);
    CHECK(options_parse(&o, (str){ line, sizeof(line) }, &a, &e));
    CHECK_STR(o.launch.program, STR("a"));

    for (size_t i = 2; i + 3 <= sizeof(line); i += 3) {
        memcpy(line + i, "-T ", 3);
    }
    memcpy(line + sizeof(line) - 2, " a", 2);
    arena_reset(&a);
    CHECK(options_parse(&o, (str){ line, sizeof(line) }, &a, &e));
    CHECK_STR(o.launch.program, STR("a"));

    memset(line, 'a', sizeof(line));
    memcpy(line, "x ", 2);
    arena_reset(&a);
    CHECK(options_parse(&o, (str){ line, sizeof(line) }, &a, &e));
    CHECK_U64(o.launch.program.size, sizeof(line) - 2);
}

static void subcommands_take_their_words(void)
{
    struct options o;

    CHECK_STR(parse(&o, "doctor"), STR(""));
    CHECK(o.command == COMMAND_DOCTOR);
    CHECK_U64(o.word_count, 0);
    CHECK_STR(parse(&o, "-q list -q syscalls"), STR(""));
    CHECK(o.command == COMMAND_LIST);
    CHECK_U64(o.word_count, 1);
    CHECK_STR(o.words[0], STR("syscalls"));
    CHECK_U64(o.view.quiet, 2);
    CHECK_STR(parse(&o, "list -- --help"), STR(""));
    CHECK_STR(o.words[0], STR("--help"));
    CHECK_STR(parse(&o, "list --help"), STR(""));
    CHECK(o.help && o.command == COMMAND_LIST);
    CHECK_STR(parse(&o, "--help list"), STR(""));
    CHECK(o.help && o.command == COMMAND_LIST);
}

static void a_program_that_is_recorded_has_its_own_words(void)
{
    /* clang-format off */
    static const struct {
        const char *line;
        const char *program;
        const char *tail;
        const char *file;
    } cases[] = {
        { "record a -o b --foo",       "a",        "a -o b --foo",  "a.nts" },
        { "record -o b.nts a.exe",     "a.exe",    "a.exe",         "b.nts" },
        { "-o b.nts record a.exe",     "a.exe",    "a.exe",         "b.nts" },
        { "record -- list syscalls",   "list",     "list syscalls", "list.nts" },
        { "record -- -q",              "-q",       "-q",            "-q.nts" },
        { "record record info",        "record",   "record info",   "record.nts" },
        { "record doctor",             "doctor",   "doctor",        "doctor.nts" },
        { "record x.nts",              "x.nts",    "x.nts",         "x.nts.nts" },
        { "record \"C:\\a b\\C.EXE\" d", "C:\\a b\\C.EXE",
          "\"C:\\a b\\C.EXE\" d", "C.nts" },
    };
    /* clang-format on */
    struct options o;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CHECK_STR(parse(&o, cases[i].line), STR(""));
        CHECK(o.command == COMMAND_RECORD);
        CHECK_STR(o.launch.program, str_of(cases[i].program));
        CHECK_STR(o.launch.program_line, str_of(cases[i].tail));
        CHECK_STR(o.launch.record, str_of(cases[i].file));
        CHECK_STR(o.view.output, STR(""));
    }
    /* "C:\my tools\ntstrace.exe" and a blank are 27 units. */
    CHECK_STR(parse(&o, "record -q a"), STR(""));
    CHECK_U64(o.launch.program_unit, 27 + 10);
    CHECK_STR(parse(&o, "-- record a"), STR(""));
    CHECK(o.command == COMMAND_TRACE);
    CHECK_STR(o.launch.program_line, STR("record a"));
}

static void a_recording_is_called_after_its_program(void)
{
    static const struct {
        const char *program;
        const char *file;
    } cases[] = {
        { "a.exe", "a.nts" },
        { "A.ExE", "A.nts" },
        { "a", "a.nts" },
        { "a.com", "a.com.nts" },
        { "a.exe.exe", "a.exe.nts" },
        { ".exe", ".exe.nts" },
        { "C:a.exe", "a.nts" },
        { "C:\\x.y\\a b.exe", "a b.nts" },
        { "../x/a.bat", "a.bat.nts" },
        { "C:\\x\\", "trace.nts" },
        { "\xc3\xa4\xed\xa0\x80.exe", "\xc3\xa4\xed\xa0\x80.nts" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena a = arena_over(room, sizeof(room), full);

        CHECK_STR(options_record_name(str_of(cases[i].program), &a),
                  str_of(cases[i].file));
    }
}

static void a_first_word_in_nts_is_a_recording(void)
{
    static const struct {
        const char *line;
        const char *file;  // NULL: a program
    } cases[] = {
        { "x.nts", "x.nts" },
        { "-T x.NTS -q", "x.NTS" },
        { "\"C:\\a b\\c.nts\" -t", "C:\\a b\\c.nts" },
        { ".nts", ".nts" },
        { "replay x.txt", "x.txt" },
        { "replay -- -T", "-T" },
        { "-- x.nts", NULL },
        { "x.nts.exe", NULL },
        { "xnts", NULL },
        { "x.exe y.nts", NULL },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct options o;

        CHECK_STR(parse(&o, cases[i].line), STR(""));
        CHECK(o.command == (cases[i].file ? COMMAND_REPLAY : COMMAND_TRACE));
        CHECK_U64(o.word_count, cases[i].file != NULL);
        CHECK_STR(o.words[0], str_of(cases[i].file));
    }
}

/* Each option, with each command: taken by those that its row names. */
static void an_option_goes_with_the_commands_of_its_row(void)
{
    static const struct {
        enum command command;
        const char *words;
    } commands[] = {
        { COMMAND_TRACE, "x" },         { COMMAND_RECORD, "record x" },
        { COMMAND_REPLAY, "replay x" }, { COMMAND_INFO, "info x" },
        { COMMAND_DOCTOR, "doctor" },   { COMMAND_LIST, "list classes" },
        { COMMAND_TOP, "top x" },
    };

    for (size_t i = 0; i < opt_count; i++) {
        const struct opt *opt = &opts[i];

        for (size_t c = 0; opt->kind != OPT_GROUP && c < COUNT_OF(commands);
             c++) {
            bool goes = opt->commands & 1u << commands[c].command;
            const char *value = "1";
            char line[200];
            struct buf b = BUF_OVER(line);
            struct options o;
            str said;

            if (strcmp(opt->name, "help") == 0 ||
                strcmp(opt->name, "version") == 0) {
                CHECK(goes);
                continue;
            }
            if (opt->kind == OPT_CHOICE) {
                value = opt->choice->name;
            } else if (opt->kind == OPT_SIZE) {
                value = "64K";
            }
            buf_addf(&b, "--%s%s%s%s %s%c", opt->on ? "no-" : "", opt->name,
                     opt->value ? "=" : "", opt->value ? value : "",
                     commands[c].words, '\0');
            said = parse(&o, line);
            if (goes) {
                CHECK(said.size == 0 || has(said, "goes with -c or -C only") ||
                      has(said, "does not go with a program to start") ||
                      has(said, "goes with --report only") ||
                      has(said, "goes with -k or --caller only") ||
                      has(said, "goes with -f only") ||
                      has(said, "goes with -p only"));
            } else {
                CHECK(has(said, "goes with 'ntstrace ") ||
                      has(said, "does not go with '"));
            }
        }
    }
}

static void a_process_is_attached_to_instead_of_a_program(void)
{
    struct options o;

    CHECK_STR(parse(&o, "-p 123 --attach=a.exe,7 --detach-after 20"), STR(""));
    CHECK(o.command == COMMAND_TRACE && o.launch.program.size == 0);
    CHECK_U64(o.launch.attach.count, 2);
    CHECK_STR(o.launch.attach.at[0], STR("123"));
    CHECK_STR(o.launch.attach.at[1], STR("a.exe,7"));
    CHECK_U64(o.launch.detach_calls, 20);
    CHECK_U64(o.launch.detach_ms, 0);
    CHECK_STR(parse(&o, "record -p 123 --detach-after=2s"), STR(""));
    CHECK(o.command == COMMAND_RECORD);
    CHECK_STR(o.launch.record, STR("trace.nts"));
    CHECK_U64(o.launch.detach_calls, 0);
    CHECK_U64(o.launch.detach_ms, 2000);
    CHECK_STR(parse(&o, "--detach-after=30ms x"), STR(""));
    CHECK_U64(o.launch.detach_ms, 30);
}

static void help_and_version_need_no_program(void)
{
    static const char *const lines[] = { "-h", "-?", "/?", "--help", "-qh" };
    struct options o;

    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        CHECK_STR(parse(&o, lines[i]), STR(""));
        CHECK(o.help);
        CHECK(o.command == COMMAND_NONE);
    }
    CHECK_STR(parse(&o, "-V"), STR(""));
    CHECK(o.version);
    CHECK_STR(parse(&o, "--version"), STR(""));
    CHECK(o.version);
    CHECK_STR(parse(&o, "  "), STR(""));
    CHECK(o.nothing);
    CHECK(o.command == COMMAND_NONE);
}

static void what_is_wrong_is_said_with_what_helps(void)
{
    /* clang-format off */
    static const struct {
        const char *line;
        const char *want;
    } cases[] = {
        { "--foo x", "unknown option '--foo'; try 'ntstrace --help'" },
        { "--outptu=f x", "unknown option '--outptu'; did you mean '--output'?" },
        { "--no-pach x", "unknown option '--no-pach'; did you mean '--no-patch'?" },
        { "--pathc x", "unknown option '--pathc'; did you mean '--no-patch'?" },
        { "--looossy x", "unknown option '--looossy'; did you mean '--lossy'?" },
        { "--no-output x", "unknown option '--no-output'; did you mean '--output'?" },
        { "--no- x", "unknown option '--no-'; try 'ntstrace --help'" },
        { "--=x x", "unknown option '--'; try 'ntstrace --help'" },
        { "-W", "unknown option '-W'; try 'ntstrace --help'" },
        { "-qWT a", "unknown option '-W' in '-qWT'; try 'ntstrace --help'" },
        { "-fff x", "-f: given more than 2 times" },
        { "-qff x", "-ff: writes a file for each process: say what they are called with -o FILE, as FILE.PID" },
        { "replay -ff x.nts", "-ff: writes a file for each process: say what they are called with -o FILE, as FILE.PID" },
        { "-ff -o \"|more\" x", "-ff: goes into files, one a process, not to a command" },
        { "-ff -o f -c x", "-ff: does not go with -c or -C; --by process counts each process apart" },
        { "-f -C -f -o f x", "-ff: does not go with -c or -C; --by process counts each process apart" },
        { "merge", "'merge' needs to know what, as in 'ntstrace merge [OPTION...] FILE'" },
        { "merge -T f", "-T: does not go with 'merge'" },
        { "-p", "-p: needs a value: -p PROCESS" },
        { "-p 123 x", "-p: does not go with a program to start" },
        { "--attach=123 -q x", "-p: does not go with a program to start" },
        { "-p \"\"", "-p: the PROCESS is empty" },
        { "-p 1 --engine handshake", "-p: does not go with --engine=handshake" },
        { "-p 1 --detach-after soon", "--detach-after: 'soon' is neither a number of calls nor a time, as 10s or 500ms" },
        { "-p 1 --detach-after 0", "--detach-after: '0' is neither a number of calls nor a time, as 10s or 500ms" },
        { "-p 1 --detach-after 5m", "--detach-after: '5m' is neither a number of calls nor a time, as 10s or 500ms" },
        { "--wait x", "--wait: goes with -p only" },
        { "-p 1 replay x", "-p: does not go with 'replay'" },
        { "--stack-traces x", "--stack-traces: strace has it, not ntstrace; -k, or --stack-trace" },
        { "--no-json=1 x", "--no-json: takes no value, got '1'" },
        { "--jsno x", "unknown option '--jsno'; did you mean '--json'?" },
        { "--argnames x", "unknown option '--argnames'; did you mean '--no-arg-names'?" },
        { "--colour always x", "unknown option '--colour'; did you mean '--color'?" },
        { "-e", "-e: needs a value: -e EXPR" },
        { "-e \"\" x", "-e: the EXPR is empty" },
        { "-P \"\" x", "-P: the PATH is empty" },
        { "-X octal x", "-X: 'octal' is not one of raw, abbrev, verbose" },
        { "--color sometimes x", "--color: 'sometimes' is not one of auto, always, never" },
        { "--by file -c x", "--by: file goes with 'ntstrace top' only" },
        { "--by moon -c x", "--by: 'moon' is not one of name, call, thread, process, file" },
        { "top", "no program to top; try 'ntstrace top --help'" },
        { "top --interval 0.09 x", "--interval: '0.09' is no time from 0.1 to 3600, in seconds, or as 500ms" },
        { "top --interval 3600.1 x", "--interval: '3600.1' is no time from 0.1 to 3600, in seconds, or as 500ms" },
        { "top --interval 1.5.5 x", "--interval: '1.5.5' is no time from 0.1 to 3600, in seconds, or as 500ms" },
        { "top --interval 1.0x1 x", "--interval: '1.0x1' is no time from 0.1 to 3600, in seconds, or as 500ms" },
        { "top --interval .5 x", "--interval: '.5' is no time from 0.1 to 3600, in seconds, or as 500ms" },
        { "top --interval 1. x", "--interval: '1.' is no time from 0.1 to 3600, in seconds, or as 500ms" },
        { "top --interval 1.5ms x", "--interval: '1.5ms' is no time from 0.1 to 3600, in seconds, or as 500ms" },
        { "top --interval 99999999999999999999 x", "--interval: '99999999999999999999' is no time from 0.1 to 3600, in seconds, or as 500ms" },
        { "top -n 0 x", "-n: '0' is not a number from 1 to 1000000000" },
        { "--text x", "--text: goes with 'ntstrace report' only" },
        { "--ignore a x", "--ignore: goes with 'ntstrace diff' only" },
        { "--count 3 x", "--count: goes with 'ntstrace top' only" },
        { "top -ff -o a x", "-ff: does not go with 'top', which writes no file for each process; -f follows them" },
        { "top -s 100 x", "-s: does not go with 'top'" },
        { "top --screen=always -o a x", "--screen=always: does not go with -o, whose FILE gets tables" },
        { "top --program-output a -p 7", "--program-output: does not go with -p: the program writes where it does" },
        { "--timestamp-precision m x", "--timestamp-precision: 'm' is not one of s, ms, us, ns" },
        { "-s many x", "-s: 'many' is not a number from 0 to 262144" },
        { "-s 262145 x", "-s: '262145' is not a number from 0 to 262144" },
        { "-s \"\" x", "-s: '' is not a number from 0 to 262144" },
        { "-c --summary-every 0 x", "--summary-every: '0' is not a number from 1 to 86400" },
        { "-yyy x", "-y: given more than 2 times" },
        { "-xxx x", "-x: given more than 2 times" },
        { "-P a --no-patch x", "-P: looks at arguments, which are not seen with --no-patch" },
        { "--no-callback --no-patch x", "--no-callback: does not go with --no-patch, which changes no functions" },
        { "--no-callback --engine=handshake x", "--no-callback: does not go with --engine=handshake, which changes no functions" },
        { "--repatch --no-patch x", "--repatch: does not go with --no-patch, which changes no functions" },
        { "-P a --engine handshake x", "-P: looks at arguments, which are not seen with --engine=handshake" },
        { "-S calls x", "-S: goes with -c or -C only" },
        { "--by thread x", "--by: goes with -c or -C only" },
        { "--summary-every 3 x", "--summary-every: goes with -c or -C only" },
        { "-q\xc3\xa4 a", "unknown option '-q\xc3\xa4'; try 'ntstrace --help'" },
        { "-o", "-o: needs a value: -o FILE" },
        { "-qo", "-o: needs a value: -o FILE" },
        { "--ring-size", "--ring-size: needs a value: --ring-size SIZE" },
        { "-o \"\" x", "-o: the FILE is empty" },
        { "--output= x", "--output: the FILE is empty" },
        { "--lossy=1 x", "--lossy: takes no value, got '1'" },
        { "--no-patch=1 x", "--no-patch: takes no value, got '1'" },
        { "-tttt x", "-t: given more than 3 times" },
        { "--engine=fast x", "--engine: 'fast' is not one of ring, handshake" },
        { "--ring-size 3M x", "--ring-size: '3M' is not a power of two from 64K to 64M" },
        { "-q", "no program to trace; try 'ntstrace --help'" },
        { "--", "no program to trace; try 'ntstrace --help'" },
        { "-q --", "no program to trace; try 'ntstrace --help'" },
        { "\"\"", "the program's name is empty; try 'ntstrace --help'" },
        { "-- \"\" a", "the program's name is empty; try 'ntstrace --help'" },
        { "list", "'list' needs to know what, as in 'ntstrace list syscalls'" },
        { "list a b", "'list' does not take 'b'; try 'ntstrace list --help'" },
        { "doctor x", "'doctor' does not take 'x'; try 'ntstrace doctor --help'" },
        { "-T doctor", "-T: does not go with 'doctor'" },
        { "list --engine ring syscalls", "--engine: does not go with 'list'" },
        { "record", "no program to record; try 'ntstrace record --help'" },
        { "record -q --", "no program to record; try 'ntstrace record --help'" },
        { "record \"\"", "the program's name is empty; try 'ntstrace --help'" },
        { "record -T x", "-T: does not go with 'record', which keeps everything; give it to 'ntstrace replay'" },
        { "-c record x", "-c: does not go with 'record', which keeps everything; give it to 'ntstrace replay'" },
        { "record --record y x", "--record: does not go with 'record'" },
        { "record --summary-every 3 x", "--summary-every: does not go with 'record'" },
        { "record -o \"|x\" y", "-o: a recording goes into a file, not to a command" },
        { "--record \"|x\" y", "--record: a recording goes into a file, not to a command" },
        { "--compress always x", "--compress: goes with --record only" },
        { "record --compress maybe x", "--compress: 'maybe' is not one of auto, always, never" },
        { "--report r.html -c x", "-c: does not go with --report, which shows no calls; 'ntstrace replay r.nts' does afterwards" },
        { "--report r.html -C x", "-C: does not go with --report, which shows no calls; 'ntstrace replay r.nts' does afterwards" },
        { "--json --report r.html x", "--json: does not go with --report, which shows no calls; 'ntstrace replay r.nts' does afterwards" },
        { "--report r.html --record k.nts -o t x", "-o: does not go with --report, which shows no calls; 'ntstrace replay k.nts' does afterwards" },
        { "--report a --record A x", "--report: the page would take the recording's place; give it another name" },
        { "-ff --report r.html x", "-ff: does not go with --report, which shows no calls; 'ntstrace replay r.nts' does afterwards" },
        { "--to csv x", "--to: goes with 'ntstrace replay' and 'export' only" },
        { "--rows 3 x", "--rows: goes with --report only, or with 'ntstrace report', 'diff' and 'top'" },
        { "replay --text a", "--text: does not go with 'replay'; it goes with 'report'" },
        { "report --ignore x a", "--ignore: does not go with 'report'; it goes with 'diff'" },
        { "info --from 3 a", "--from: does not go with 'info'; it goes with 'replay'" },
        { "list --to csv classes", "--to: does not go with 'list'; it goes with 'replay' and 'export'" },
        { "record --from 3 x", "--from: does not go with 'record', which keeps everything; give it to 'ntstrace replay'" },
        { "--prototypes=a.h --prototypes b.h x", "--prototypes: given more than once; put all declarations into one file" },
        { "-k --stack-size 3K x", "--stack-size: '3K' is not a power of two from 1K to 128K" },
        { "--stack-size 4K x", "--stack-size: goes with -k or --caller only" },
        { "record --stack-size=4K x", "--stack-size: goes with -k or --caller only" },
        { "--stack-frame-limit 3 a.nts", "--stack-frame-limit: goes with -k or --caller only" },
        { "--module-path a x", "--module-path: goes with -k or --caller only" },
        { "--exit-with-first x", "--exit-with-first: goes with -f only" },
        { "--honor-callback --no-callback x", "--honor-callback: does not go with --no-callback: there is none of ours to take away" },
        { "--from 3 x", "--from: goes with 'ntstrace replay' only" },
        { "-q --no-skip x", "--no-skip: goes with 'ntstrace replay' only" },
        { "replay", "'replay' needs to know what, as in 'ntstrace replay [OPTION...] FILE.nts'" },
        { "replay a b", "'replay' does not take 'b'; try 'ntstrace replay --help'" },
        { "a.nts b", "'replay' does not take 'b'; try 'ntstrace replay --help'" },
        { "--lossy a.nts", "--lossy: does not go with 'replay'" },
        { "-T --lossy --engine ring replay a", "--lossy: does not go with 'replay'" },
        { "replay -c --summary-every 3 a", "--summary-every: does not go with 'replay'" },
        { "info", "'info' needs to know what, as in 'ntstrace info FILE.nts'" },
        { "info -o x a", "-o: does not go with 'info'" },
        { "--a\nb x", "unknown option '--a^{0A}b'; try 'ntstrace --help'" },
        { "--a\xe2\x80\xae\xd8\x9c\xe2\x80\x8b\xef\xbb\xbf x", "unknown option '--a^{202E}^{061C}^{200B}^{FEFF}'; try 'ntstrace --help'" },
        { "--color \xe2\x81\xa7red\xe2\x81\xa9 x", "--color: '^{2067}red^{2069}' is not one of auto, always, never" },
        { "list syscalls \xf3\xa0\x81\xa1", "'list' does not take '^{E0061}'; try 'ntstrace list --help'" },
    };
    /* clang-format on */

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct options o;

        CHECK_STR(parse(&o, cases[i].line), str_of(cases[i].want));
        CHECK(o.command == COMMAND_NONE && o.launch.ring_size == 0);
    }
}

/* Every option of strace's manual is one of ours, or its user is told what to
 * do instead. */
static void straces_options_are_known(void)
{
    static const char *const options[] = {
        "-E A=b",
        "--env=A=b",
        "-p 1",
        "--attach=1",
        "-u me",
        "--user=me",
        "--argv0=x",
        "-b execve",
        "--detach-on=execve",
        "-D",
        "-DD",
        "--daemonize",
        "--daemonize=pgroup",
        "-f",
        "--follow-forks",
        "-ff -o x",
        "--output-separately",
        "-F",
        "-I 1",
        "--interruptible=anywhere",
        "--kill-on-exit",
        "--syscall-limit=3",
        "--seccomp-bpf",
        "-e trace=file",
        "--trace=file",
        "-P C:\\x",
        "--trace-path=C:\\x",
        "--trace-fds=3",
        "-z",
        "--successful-only",
        "-Z",
        "--failed-only",
        "--status=failed",
        "--signal=none",
        "--read=3",
        "--write=3",
        "--raw=x",
        "--inject=x",
        "--fault=x",
        "--kvm=vcpu",
        "--verbose=x",
        "--quiet",
        "--silent=exit",
        "--silence=exit",
        "-a 40",
        "--columns=40",
        "-A",
        "--output-append-mode",
        "-i",
        "--instruction-pointer",
        "-n",
        "--syscall-number",
        "-N",
        "--arg-names",
        "-k",
        "-kk",
        "--stack-trace",
        "--stack-trace-frame-limit=3",
        "-o x",
        "--output=x",
        "-q",
        "-qqq",
        "-r",
        "--relative-timestamps",
        "-s 3",
        "--string-limit=3",
        "-t",
        "-ttt",
        "--absolute-timestamps",
        "--timestamps=unix",
        "-T",
        "--syscall-times",
        "-v",
        "--no-abbrev",
        "-x",
        "-xx",
        "--strings-in-hex",
        "-X raw",
        "--const-print-style=raw",
        "-y",
        "-yy",
        "--decode-fds",
        "--decode-fds=all",
        "-Y",
        "--decode-pids=comm",
        "--pidns-translation",
        "--secontext",
        "--secontext=full",
        "--always-show-pid",
        "-c",
        "--summary-only",
        "-C",
        "--summary",
        "-O 3",
        "--summary-syscall-overhead=3",
        "-c -S time",
        "-c --summary-sort-by=time",
        "-U name",
        "--summary-columns=name",
        "-w",
        "--summary-wall-clock",
        "-cw",
        "-d",
        "--debug",
        "-h",
        "--help",
        "-V",
        "--version",
        "--color=auto",
        "--tips=full",
    };
    size_t told = 0;

    for (size_t i = 0; i < COUNT_OF(options); i++) {
        struct options o;
        char line[100];
        struct buf b = BUF_OVER(line);
        str text;

        buf_addf(&b, "%s a.exe%c", options[i], '\0');
        text = parse(&o, line);
        if (text.size == 0) {
            continue;
        }
        told++;
        if (!has(text, ": not there yet; ") &&
            !has(text, ": strace has it, not ntstrace; ") &&
            !has(text, "-p: does not go with a program to start")) {
            printf("     %s\n", options[i]);
            CHECK_STR(text, STR("what to do instead"));
        }
    }
    CHECK_U64(told, 52);
}

static void processes_may_have_their_own_files(void)
{
    struct options o;

    CHECK_STR(parse(&o, "-f -o f x"), STR(""));
    CHECK(o.launch.follow == 1 && o.view.separate.size == 0);
    CHECK_STR(o.view.output, STR("f"));
    CHECK_STR(parse(&o, "-ff -o f x"), STR(""));
    CHECK(o.launch.follow == 2 && o.view.output.size == 0);
    CHECK_STR(o.view.separate, STR("f"));
    CHECK_STR(parse(&o, "replay --follow-forks -f -o f x.nts"), STR(""));
    CHECK_STR(o.view.separate, STR("f"));
    /* A recording is one file in any case. */
    CHECK_STR(parse(&o, "record -ff -o f x"), STR(""));
    CHECK(o.launch.follow == 2 && o.view.separate.size == 0);
    CHECK_STR(o.launch.record, STR("f"));
    CHECK_STR(parse(&o, "-ff --no-follow-forks x"), STR(""));
    CHECK(o.launch.follow == 0);
    CHECK_STR(parse(&o, "merge -o all f"), STR(""));
    CHECK(o.command == COMMAND_MERGE);
    CHECK_STR(o.words[0], STR("f"));
}

static void wall_times_may_be_asked_for(void)
{
    struct options o;

    CHECK_STR(parse(&o, "-w x"), STR(""));
    CHECK(o.view.wall_clock && !o.view.summary_only);
    CHECK_STR(parse(&o, "-cwS calls x"), STR(""));
    CHECK(o.view.wall_clock && o.view.summary_only);
    CHECK_STR(parse(&o, "-c x"), STR(""));
    CHECK(!o.view.wall_clock);
}

static void top_has_options_of_its_own(void)
{
    static const struct {
        const char *line;
        uint64_t ms;
    } rows[] = {
        { "top x", 1000 },
        { "top --interval 2 x", 2000 },
        { "top --interval 0.5 x", 500 },
        { "top --interval 1.25s x", 1250 },
        { "top --interval 1.007 x", 1007 },
        { "top --interval 100ms x", 100 },
        { "top --interval 3600 x", 3600000 },
    };
    struct options o;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK_STR(parse(&o, rows[i].line), STR(""));
        CHECK_U64(o.interval_ms, rows[i].ms);
    }
    CHECK_STR(parse(&o, "top -fn5 --by file -S waits --rows 0 --screen never "
                        "--program-output w -P c:\\a -Z -e file x y"),
              STR(""));
    CHECK(o.command == COMMAND_TOP && !o.view.service_number);
    CHECK(o.view.summary_by == BY_FILE && o.screen == SCREEN_NEVER);
    CHECK_STR(o.view.summary_sort, STR("waits"));
    CHECK_STR(o.program_output, STR("w"));
    CHECK_U64(o.count, 5);
    CHECK_U64(o.rows, 0);
    CHECK_U64(o.launch.follow, 1);
    CHECK_STR(o.launch.program_line, STR("x y"));
    CHECK_STR(parse(&o, "top -p 7,8"), STR(""));
    CHECK_U64(o.launch.attach.count, 1);
    /* Elsewhere -n is strace's. */
    CHECK_STR(parse(&o, "-n x"), STR(""));
    CHECK(o.command == COMMAND_TRACE && o.view.service_number);
}

static size_t lines_of(str text)
{
    size_t lines = 0;
    str line;

    while (str_cut(text, '\n', &line, &text)) {
        CHECK(line.size <= 80);
        CHECK(!str_ends(line, STR(" ")));
        lines++;
    }
    CHECK_U64(text.size, 0);
    return lines;
}

static void the_help_fits_and_names_every_option(void)
{
    static char text[HELP_ROOM];
    struct buf b = BUF_OVER(text);
    char size[40];
    struct buf default_size = BUF_OVER(size);

    help_first(&b);
    CHECK(lines_of(buf_str(&b)) <= 24);

    b = BUF_OVER(text);
    help_full(&b, COMMAND_NONE);
    CHECK(!b.cut);
    CHECK(lines_of(buf_str(&b)) > 40);
    for (size_t i = 0; i < opt_count; i++) {
        CHECK(has(buf_str(&b), opts[i].name));
        CHECK(opts[i].kind == OPT_GROUP || has(buf_str(&b), opts[i].help) ||
              strchr(opts[i].help, '\n'));
    }
    buf_addf(&default_size, "default %lluM",
             (unsigned long long)(RING_SIZE_DEFAULT >> 20));
    buf_add_char(&default_size, '\0');
    CHECK(has(buf_str(&b), size));
    for (size_t i = 0; i < command_row_count; i++) {
        CHECK(has(buf_str(&b), command_rows[i].summary));
        CHECK(command_rows[i].most <= OPTIONS_WORDS_MAX ||
              command_rows[i].most == OPTIONS_PROGRAM);
    }

    for (size_t i = 0; i < command_row_count; i++) {
        b = BUF_OVER(text);
        help_full(&b, command_rows[i].command);
        CHECK(!b.cut);
        CHECK(lines_of(buf_str(&b)) > 5);
        CHECK(has(buf_str(&b), command_rows[i].name));
        /* What an option is for others. */
        CHECK(!has(buf_str(&b), "standard error (with"));
        CHECK(!has(buf_str(&b), "with export"));
        for (size_t j = 0; j < opt_count; j++) {
            char name[60];
            struct buf n = BUF_OVER(name);

            bool kind = command_rows[i].command == COMMAND_EXPORT &&
                        strcmp(opts[j].name, "to") == 0;

            buf_addf(&n, "--%s%s%s%s%c", opts[j].on ? "no-" : "", opts[j].name,
                     opts[j].value ? " " : "",
                     kind            ? "KIND"
                     : opts[j].value ? opts[j].value
                                     : "",
                     '\0');
            CHECK(opts[j].kind == OPT_GROUP ||
                  has_option(buf_str(&b), name) ==
                      ((opts[j].commands >> command_rows[i].command & 1) != 0));
        }
    }
    b = BUF_OVER(text);
    help_version(&b);
    CHECK_U64(lines_of(buf_str(&b)), 1);
}

/* But for two commands that have nothing to do with each other. */
static void no_two_options_share_a_letter_or_a_name(void)
{
    for (size_t i = 0; i < opt_count; i++) {
        for (size_t j = 0; j < i; j++) {
            CHECK(!opts[i].letter || opts[i].letter != opts[j].letter ||
                  (opts[i].commands & opts[j].commands) == 0);
            CHECK(strcmp(opts[i].name, opts[j].name) != 0);
        }
        CHECK(strncmp(opts[i].name, "no-", 3) != 0);
    }
}

int main(void)
{
    const struct test tests[] = {
        TEST(without_options_everything_has_its_default),
        TEST(every_option_reaches_its_field),
        TEST(what_may_be_given_again_keeps_its_order),
        TEST(handles_are_named_unless_told_otherwise),
        TEST(letters_combine),
        TEST(a_value_may_stand_in_any_of_four_places),
        TEST(the_last_word_on_a_matter_counts),
        TEST(ring_sizes_are_powers_of_two_in_bounds),
        TEST(the_programs_words_are_not_ours),
        TEST(the_programs_line_is_found_in_utf_16_too),
        TEST(a_long_line_needs_four_times_its_size),
        TEST(subcommands_take_their_words),
        TEST(a_program_that_is_recorded_has_its_own_words),
        TEST(a_recording_is_called_after_its_program),
        TEST(a_first_word_in_nts_is_a_recording),
        TEST(an_option_goes_with_the_commands_of_its_row),
        TEST(a_process_is_attached_to_instead_of_a_program),
        TEST(help_and_version_need_no_program),
        TEST(what_is_wrong_is_said_with_what_helps),
        TEST(straces_options_are_known),
        TEST(wall_times_may_be_asked_for),
        TEST(processes_may_have_their_own_files),
        TEST(top_has_options_of_its_own),
        TEST(the_help_fits_and_names_every_option),
        TEST(no_two_options_share_a_letter_or_a_name),
    };

    return check_run(tests, COUNT_OF(tests));
}
