/* SPDX-License-Identifier: MIT */
/*
 * test_json - format/json.c beside format/text.c: the two forms of each
 * value, and of each kind of line, as docs/json.md and docs/output.md have
 * them.
 */
#include "unit/sinks.h"

#include "unit/check.h"

static void simple_values_have_two_forms(void)
{
    BOTH("?", "{\"unknown\":true}", s->ops->unknown(s));
    BOTH("void", "{\"void\":true}", s->ops->nothing(s));
    BOTH("NULL", "{\"null\":true}", s->ops->null(s));
    BOTH("write", "{\"symbol\":\"write\"}", s->ops->symbol(s, STR("write")));
    BOTH("0", "\"0x0\"", s->ops->number(s, NUMBER_HEX, 0));
    BOTH("0xffffffffffffffff", "\"0xffffffffffffffff\"",
         s->ops->number(s, NUMBER_HEX, UINT64_MAX));
    BOTH("4096", "4096", s->ops->number(s, NUMBER_DEC, 4096));
    BOTH("9007199254740991", "9007199254740991",
         s->ops->number(s, NUMBER_DEC, (UINT64_C(1) << 53) - 1));
    BOTH("9007199254740992", "\"9007199254740992\"",
         s->ops->number(s, NUMBER_DEC, UINT64_C(1) << 53));
    BOTH("18446744073709551615", "\"18446744073709551615\"",
         s->ops->number(s, NUMBER_DEC, UINT64_MAX));
    BOTH("-1", "-1", s->ops->number(s, NUMBER_SIGNED, UINT64_MAX));
    BOTH("-9223372036854775808", "\"-9223372036854775808\"",
         s->ops->number(s, NUMBER_SIGNED, UINT64_C(1) << 63));
}

static void statuses_have_their_names(void)
{
    BOTH("0", "{\"status\":\"STATUS_SUCCESS\",\"raw\":\"0x0\"}",
         s->ops->status(s, 0));
    BOTH("STATUS_PENDING", "{\"status\":\"STATUS_PENDING\",\"raw\":\"0x103\"}",
         s->ops->status(s, 0x103));
    BOTH("DBG_REPLY_LATER",
         "{\"status\":\"DBG_REPLY_LATER\",\"raw\":\"0x40010001\"}",
         s->ops->status(s, 0x40010001));
    BOTH("0xe0000001", "{\"status\":null,\"raw\":\"0xe0000001\"}",
         s->ops->status(s, 0xe0000001));
}

static void constants_keep_the_bits_without_a_name(void)
{
    static const struct sink_constant none = { .raw = 0 };
    struct text_options numbers = { .constant_numbers = true };

    BOTH("0", "{\"const\":[],\"raw\":\"0x0\"}", s->ops->constant(s, &none));
    BOTH("A", "{\"const\":[\"A\"],\"raw\":\"0x1\"}", TELL_CONST(1, 0, "A"));
    BOTH("A|B|0x200",
         "{\"const\":[\"A\",\"B\"],\"rest\":\"0x200\",\"raw\":\"0x203\"}",
         TELL_CONST(0x203, 0x200, "A", "B"));
    SINK_TEXT(numbers, "0x203 /* A|B|0x200 */",
              TELL_CONST(0x203, 0x200, "A", "B"));
}

static void handles_show_what_they_refer_to(void)
{
    static const struct object file = {
        .access_known = true,
        .access = 0x120089,
        .type = STR_INIT("File"),
        .name = STR_INIT("\\??\\C:\\a>b"),
    };
    static const struct object event = {
        .type = STR_INIT("Event"),
        .name = STR_INIT(""),
    };
    static const struct object nothing = {
        .type = STR_INIT(""),
        .name = STR_INIT(""),
    };
    struct text_options detail = { .handle_detail = true };

    BOTH("0x4c", "{\"handle\":\"0x4c\"}",
         s->ops->handle(s, 0x4c, STR(""), NULL));
    BOTH("0x4c<\\??\\C:\\a^>b>",
         "{\"handle\":\"0x4c\",\"type\":\"File\",\"name\":"
         "\"\\\\??\\\\C:\\\\a>b\",\"access\":\"0x120089\"}",
         s->ops->handle(s, 0x4c, STR(""), &file));
    BOTH("0x4c<Event>", "{\"handle\":\"0x4c\",\"type\":\"Event\"}",
         s->ops->handle(s, 0x4c, STR(""), &event));
    BOTH("0x4c", "{\"handle\":\"0x4c\"}",
         s->ops->handle(s, 0x4c, STR(""), &nothing));
    BOTH("NtCurrentProcess",
         "{\"handle\":\"0xffffffffffffffff\",\"pseudo\":\"NtCurrentProcess\"}",
         s->ops->handle(s, UINT64_MAX, STR("NtCurrentProcess"), NULL));
    SINK_TEXT(detail, "0x4c<File 0x120089 \\??\\C:\\a^>b>",
              s->ops->handle(s, 0x4c, STR(""), &file));
    SINK_TEXT(detail, "0x4c<Event ?>",
              s->ops->handle(s, 0x4c, STR(""), &event));
}

static void texts_are_escaped_both_ways(void)
{
    BOTH("\"\"", "{\"text\":\"\"}", TELL_WTF8("", false));
    BOTH("\"C:\\a\"...", "{\"text\":\"C:\\\\a\",\"cut\":true}",
         TELL_UTF16(true, 'C', ':', '\\', 'a'));
    BOTH("\"a^\"b^^c>^{1B}^{0A}^{00}^{7F}\"",
         "{\"text\":\"a\\\"b^c>\\u001b\\u000a\\u0000\\u007f\"}",
         TELL_UTF16(false, 'a', '"', 'b', '^', 'c', '>', 27, 10, 0, 127));
    BOTH("\"\xc3\xa4\xe6\x97\xa5\xf0\x9f\x98\x80\"",
         "{\"text\":\"\\u00e4\\u65e5\\ud83d\\ude00\"}",
         TELL_UTF16(false, 0xe4, 0x65e5, 0xd83d, 0xde00));
    BOTH("\"\xc3\xa4\xe6\x97\xa5\xf0\x9f\x98\x80\"",
         "{\"text\":\"\\u00e4\\u65e5\\ud83d\\ude00\"}",
         TELL_WTF8("\xc3\xa4\xe6\x97\xa5\xf0\x9f\x98\x80", false));
    BOTH("\"^{DE00}x^{D83D}\"", "{\"text\":\"\\ude00x\\ud83d\"}",
         TELL_UTF16(false, 0xde00, 'x', 0xd83d));
    BOTH("\"^{D83D}x^{DCFF}\"", "{\"text\":\"\\ud83dx\\udcff\"}",
         TELL_WTF8("\xed\xa0\xbdx\xff", false));
    BOTH("\"^{202E}^{FEFF}^{E0041}^{10FFFF}\"",
         "{\"text\":\"\\u202e\\ufeff\\udb40\\udc41\\udbff\\udfff\"}",
         TELL_UTF16(false, 0x202e, 0xfeff, 0xdb40, 0xdc41, 0xdbff, 0xdfff));
}

static void data_is_bytes(void)
{
    BOTH("b\"\"", "{\"data\":\"\"}", TELL_DATA("", false));
    BOTH("b\"a\\r\\n\\t\\\"\\\\\\x00\\x7f\\xff1\"...",
         "{\"data\":\"610d0a09225c007fff31\",\"cut\":true}",
         TELL_DATA("a\r\n\t\"\\\0\x7f\xff"
                   "1",
                   true));
}

static void times_are_exact(void)
{
    BOTH("1601-01-01T00:00:00.0000001Z",
         "{\"time\":\"1601-01-01T00:00:00.0000001Z\",\"raw\":\"0x1\"}",
         s->ops->time(s, 1));
    BOTH("2026-11-22T10:00:00.1234567Z",
         "{\"time\":\"2026-11-22T10:00:00.1234567Z\","
         "\"raw\":\"0x1dd7a683c80a687\"}",
         s->ops->time(s, 134398152001234567));
    BOTH("2000-02-29T23:59:59.9999999Z",
         "{\"time\":\"2000-02-29T23:59:59.9999999Z\","
         "\"raw\":\"0x1bf831116363fff\"}",
         s->ops->time(s, 125963423999999999));
    BOTH("30828-09-14T02:48:05.4775807Z",
         "{\"time\":\"30828-09-14T02:48:05.4775807Z\","
         "\"raw\":\"0x7fffffffffffffff\"}",
         s->ops->time(s, INT64_MAX));
    BOTH("0", "{\"time\":\"0\",\"raw\":\"0x0\"}", s->ops->time(s, 0));
    BOTH("-1", "{\"time\":\"-1\",\"raw\":\"0xffffffffffffffff\"}",
         s->ops->time(s, -1));
    BOTH("+0.500000s", "{\"duration\":\"+0.500000s\",\"raw\":\"0x4c4b40\"}",
         s->ops->duration(s, 5000000));
    BOTH("+0.0000001s", "{\"duration\":\"+0.0000001s\",\"raw\":\"0x1\"}",
         s->ops->duration(s, 1));
    BOTH("-922337203685.4775808s",
         "{\"duration\":\"-922337203685.4775808s\","
         "\"raw\":\"0x8000000000000000\"}",
         s->ops->duration(s, INT64_MIN));
}

static void tell_field(struct sink *s, str name, uint64_t value)
{
    s->ops->arg(s, name, NULL);
    s->ops->number(s, NUMBER_DEC, value);
}

static void tell_groups(struct sink *s)
{
    s->ops->begin(s, GROUP_STRUCT);
    tell_field(s, STR("B"), 1);
    s->ops->arg(s, STR("C"), NULL);
    s->ops->begin(s, GROUP_ARRAY);
    s->ops->end(s, GROUP_ARRAY);
    s->ops->arg(s, STR("D"), NULL);
    s->ops->begin(s, GROUP_DEREF);
    s->ops->begin(s, GROUP_INOUT);
    s->ops->number(s, NUMBER_DEC, 2);
    s->ops->begin(s, GROUP_ARRAY);
    s->ops->number(s, NUMBER_DEC, 3);
    s->ops->number(s, NUMBER_DEC, 4);
    s->ops->more(s);
    s->ops->end(s, GROUP_ARRAY);
    s->ops->end(s, GROUP_INOUT);
    s->ops->end(s, GROUP_DEREF);
    s->ops->more(s);
    s->ops->end(s, GROUP_STRUCT);
}

static void groups_nest(void)
{
    BOTH("{B=1, C=[], D=[[2 => [3, 4, ...]]], ...}",
         "{\"struct\":[[\"B\",1],[\"C\",{\"array\":[]}],[\"D\",{\"deref\":"
         "{\"inout\":[2,{\"array\":[3,4],\"more\":true}]}}]],\"more\":true}",
         tell_groups(s));
}

static void tell_comments(struct sink *s)
{
    s->ops->begin(s, GROUP_STRUCT);
    tell_field(s, STR("B"), 1);
    s->ops->comment(s, STR("one"));
    s->ops->arg(s, STR("C"), NULL);
    s->ops->begin(s, GROUP_ARRAY);
    s->ops->number(s, NUMBER_DEC, 3);
    TELL_DATA("x", true);
    s->ops->comment(s, STR("of */5"));
    s->ops->end(s, GROUP_ARRAY);
    s->ops->comment(s, STR("two"));
    s->ops->end(s, GROUP_STRUCT);
    s->ops->comment(s, STR("all"));
}

static void comments_follow_any_value(void)
{
    BOTH("{B=1 /* one */, C=[3, b\"x\"... /* of ^{2A}/5 */] /* two */} "
         "/* all */",
         "{\"value\":{\"struct\":[[\"B\",{\"value\":1,\"comment\":\"one\"}],"
         "[\"C\",{\"value\":{\"array\":[3,{\"value\":{\"data\":\"78\",\"cut\":"
         "true},\"comment\":\"of */5\"}]},\"comment\":\"two\"}]]},\"comment\":"
         "\"all\"}",
         tell_comments(s));
}

static void places_are_escaped_both_ways(void)
{
    static const struct place places[] = {
        { PLACE_UNKNOWN, STR_INIT(""), 0, 0, false },
        { PLACE_MODULE, STR_INIT("a,b.exe"), 0, 0x10, false },
        { PLACE_PRIVATE, STR_INIT(""), 0x1f0000, 0, false },
        { PLACE_MAPPED, STR_INIT("C:\\a\"b"), 0, 1, false },
        { PLACE_UNMAPPED, STR_INIT(""), 0x1000, 2, false },
        { PLACE_MODULE, STR_INIT("a@0x1.dll"), 0x150000000, 3, true },
    };

    BOTH("?", "{\"place\":\"unknown\"}", s->ops->place(s, &places[0]));
    BOTH("a^{2C}b.exe+0x10",
         "{\"place\":\"module\",\"name\":\"a,b.exe\",\"offset\":\"0x10\"}",
         s->ops->place(s, &places[1]));
    BOTH("private 0x1f0000+0x0",
         "{\"place\":\"private\",\"base\":\"0x1f0000\",\"offset\":\"0x0\"}",
         s->ops->place(s, &places[2]));
    BOTH("mapped \"C:\\a^\"b\"+0x1",
         "{\"place\":\"mapped\",\"name\":\"C:\\\\a\\\"b\",\"offset\":\"0x1\"}",
         s->ops->place(s, &places[3]));
    BOTH("unmapped 0x1000+0x2",
         "{\"place\":\"unmapped\",\"base\":\"0x1000\",\"offset\":\"0x2\"}",
         s->ops->place(s, &places[4]));
    BOTH("a^{40}0x1.dll@0x150000000+0x3",
         "{\"place\":\"module\",\"name\":\"a@0x1.dll\",\"base\":"
         "\"0x150000000\",\"offset\":\"0x3\"}",
         s->ops->place(s, &places[5]));
}

/* All kinds of lines, told to one sink. */
static void tell_lines(struct sink *s)
{
    static const uint64_t raw = 0x4c;
    static const struct place place = { PLACE_MODULE, STR_INIT("a.exe"), 0, 16,
                                        false };
    struct sink_head head = sinks_head;
    struct sink_note direct = { NOTE_DIRECT, STR(""), 0, &place };
    struct sink_note indirect = { NOTE_INDIRECT, STR("NtY"), 20, &place };
    struct sink_note caused = { NOTE_CAUSED, STR(""), 0, NULL };
    struct sink_end end = { .took = TOOK_NOTHING, .waits = true };
    uint32_t status = 0xc0000005;

    head.number_known = true;
    head.number = 52;
    head.returns = 0x140001000;
    s->ops->call_begin(s, &head, STR("NtRead"), PART_ENTRY);
    s->ops->arg(s, STR("H"), &raw);
    s->ops->number(s, NUMBER_HEX, raw);
    s->ops->arg(s, STR(""), NULL);
    s->ops->unknown(s);
    s->ops->more(s);
    s->ops->call_end(s, &end);

    s->ops->call_begin(s, &sinks_head, STR("NtRead"), PART_RETURN);
    s->ops->arg(s, STR("B"), &raw);
    TELL_DATA("x", false);
    s->ops->result(s, &raw);
    s->ops->status(s, 0x103);
    s->ops->note(s, &direct);
    s->ops->note(s, &indirect);
    s->ops->dump(s, true, (const uint8_t *)"hello, world, 16", 16, false);
    s->ops->dump(s, false, (const uint8_t *)"| \n", 3, true);
    end = (struct sink_end){ .took = TOOK_UNKNOWN, .failed = true };
    s->ops->call_end(s, &end);

    s->ops->call_begin(s, &sinks_head, STR("NtEnd"), PART_WHOLE);
    s->ops->result(s, NULL);
    s->ops->unknown(s);
    s->ops->note(s, &caused);
    end = (struct sink_end){ .took = TOOK_NOTHING };
    s->ops->call_end(s, &end);

    s->ops->transition_begin(s, &sinks_head, STR("EXCEPTION"), &status);
    s->ops->begin(s, GROUP_STRUCT);
    tell_field(s, STR("B"), 1);
    s->ops->end(s, GROUP_STRUCT);
    s->ops->transition_end(s);
    status = 0xe0000001;
    s->ops->transition_begin(s, &sinks_head, STR("RAISE"), &status);
    s->ops->transition_end(s);
    s->ops->transition_begin(s, &sinks_head, STR("APC"), NULL);
    s->ops->transition_end(s);
}

static void tell_notices(struct sink *s)
{
    static const struct notice notices[] = {
        { .kind = NOTICE_EXITED, .code = 3 },
        { .kind = NOTICE_EXITED, .code = 0xc0000005 },
        { .kind = NOTICE_KILLED, .code = 0xe0000001 },
        { .kind = NOTICE_TERMINATED, .code = 0 },
        { .kind = NOTICE_THREAD_EXITED, .code = 1 },
        { .kind = NOTICE_THREAD_TERMINATED, .code = 0xe0000001 },
        { .kind = NOTICE_ENDED, .code = 4 },
        { .kind = NOTICE_THREAD_ENDED, .code = 5 },
        { .kind = NOTICE_LOST, .count = 12, .reason = STR_INIT("ring full") },
        { .kind = NOTICE_LOST,
          .count = 3,
          .data = true,
          .reason = STR_INIT("ring full") },
        { .kind = NOTICE_CALLBACK_LOST },
        { .kind = NOTICE_NO_CALLBACK },
        { .kind = NOTICE_CALLBACK_REPLACED },
        { .kind = NOTICE_PATCHED_AGAIN,
          .count = 2,
          .reason = STR_INIT("ntdll.dll") },
        { .kind = NOTICE_ATTACHED },
        { .kind = NOTICE_DETACHED },
    };

    for (size_t i = 0; i < COUNT_OF(notices); i++) {
        struct notice n = notices[i];

        if (n.reason.p == NULL) {
            n.reason = STR("");
        }
        s->ops->notice(s, &sinks_head, &n);
    }
}

static void what_is_of_no_known_thread_names_none(void)
{
    struct sink_head head = sinks_head;
    struct notice n = { .kind = NOTICE_EXITED, .reason = STR_INIT("") };
    struct sink_head other = sinks_head;
    struct wrote w = { 0 };
    struct text_options screen = { 0 };
    struct text t;
    struct json j;

    head.tid = 0;
    CHECK(json_init(&j, wrote_line, &w));
    j.sink.ops->notice(&j.sink, &head, &n);
    json_close(&j);
    CHECK(strstr(w.p, "\"pid\":32,\"tid\":null,\"image\":null,\"time\"") !=
          NULL);
    free(w.p);

    /* On a screen it is no second thread; the next one is. */
    w = (struct wrote){ 0 };
    CHECK(text_init(&t, &screen, wrote_line, &w));
    t.sink.ops->notice(&t.sink, &head, &n);
    t.sink.ops->notice(&t.sink, &sinks_head, &n);
    t.sink.ops->notice(&t.sink, &head, &n);
    other.tid++;
    t.sink.ops->notice(&t.sink, &other, &n);
    t.sink.ops->notice(&t.sink, &head, &n);
    CHECK_STR(wrote_all(&w), STR("+++ exited with 0 +++\n"
                                 "+++ exited with 0 +++\n"
                                 "+++ exited with 0 +++\n"
                                 "[pid 32.37] +++ exited with 0 +++\n"
                                 "[pid 32.?] +++ exited with 0 +++\n"));
    text_close(&t);
    free(w.p);
}

#define LEADER                                       \
    "\"pid\":32,\"tid\":36,\"image\":null,\"time\":" \
    "\"1795341240441799123\","

static void lines_of_every_kind_are_objects(void)
{
    struct wrote w = { 0 };
    struct json j;

    CHECK(json_init(&j, wrote_line, &w));
    json_header(&j, STR("1.0 \"x\""));
    tell_lines(&j.sink);
    tell_notices(&j.sink);
    CHECK_U64(w.lines, 23);
    CHECK_U64(j.lines, 23);
    CHECK_STR(
        wrote_all(&w),
        STR("{\"type\":\"header\",\"version\":2,\"program\":\"ntstrace\","
            "\"program_version\":\"1.0 \\\"x\\\"\"}\n"
            "{\"type\":\"call\"," LEADER "\"number\":52,\"returns\":"
            "\"0x140001000\",\"name\":\"NtRead\",\"part\":\"entry\",\"args\":["
            "{\"name\":\"H\",\"raw\":\"0x4c\",\"value\":\"0x4c\"},{\"name\":"
            "\"\",\"value\":{\"unknown\":true}}],\"more\":true,\"waits\":true}"
            "\n"
            "{\"type\":\"call\"," LEADER "\"name\":\"NtRead\",\"part\":"
            "\"return\",\"args\":[{\"name\":\"B\",\"raw\":\"0x4c\",\"value\":"
            "{\"data\":\"78\"}}],\"result\":{\"raw\":\"0x4c\",\"value\":"
            "{\"status\":\"STATUS_PENDING\",\"raw\":\"0x103\"}},\"notes\":["
            "{\"note\":\"direct\",\"place\":{\"place\":\"module\",\"name\":"
            "\"a.exe\",\"offset\":\"0x10\"}},{\"note\":\"indirect\",\"name\":"
            "\"NtY\",\"offset\":\"0x14\",\"place\":{\"place\":\"module\","
            "\"name\":\"a.exe\",\"offset\":\"0x10\"}}],\"failed\":true,"
            "\"took\":null,\"dumps\":[{\"written\":true,\"data\":"
            "\"68656c6c6f2c20776f726c642c203136\"},{\"written\":false,"
            "\"data\":\"7c200a\",\"cut\":true}]}\n"
            "{\"type\":\"call\"," LEADER "\"name\":\"NtEnd\",\"part\":"
            "\"whole\",\"args\":[],\"result\":{\"value\":{\"unknown\":true}},"
            "\"notes\":[{\"note\":\"caused\",\"by\":\"ntstrace\"}],"
            "\"failed\":false}\n"
            "{\"type\":\"transition\"," LEADER "\"kind\":\"EXCEPTION\","
            "\"status\":{\"status\":\"STATUS_ACCESS_VIOLATION\",\"raw\":"
            "\"0xc0000005\"},\"value\":{\"struct\":[[\"B\",1]]}}\n"
            "{\"type\":\"transition\"," LEADER "\"kind\":\"RAISE\","
            "\"status\":{\"status\":null,\"raw\":\"0xe0000001\"}}\n"
            "{\"type\":\"transition\"," LEADER "\"kind\":\"APC\"}\n"
            "{\"type\":\"notice\"," LEADER "\"event\":\"exited\",\"code\":"
            "{\"status\":\"STATUS_WAIT_3\",\"raw\":\"0x3\"}}\n"
            "{\"type\":\"notice\"," LEADER "\"event\":\"exited\",\"code\":"
            "{\"status\":\"STATUS_ACCESS_VIOLATION\",\"raw\":\"0xc0000005\"}}"
            "\n"
            "{\"type\":\"notice\"," LEADER "\"event\":\"killed\",\"code\":"
            "{\"status\":null,\"raw\":\"0xe0000001\"}}\n"
            "{\"type\":\"notice\"," LEADER "\"event\":\"terminated\","
            "\"code\":{\"status\":\"STATUS_SUCCESS\",\"raw\":\"0x0\"}}\n"
            "{\"type\":\"notice\"," LEADER "\"event\":\"thread exited\","
            "\"code\":{\"status\":\"STATUS_WAIT_1\",\"raw\":\"0x1\"}}\n"
            "{\"type\":\"notice\"," LEADER "\"event\":\"thread terminated\","
            "\"code\":{\"status\":null,\"raw\":\"0xe0000001\"}}\n"
            "{\"type\":\"notice\"," LEADER "\"event\":\"ended\","
            "\"code\":{\"status\":null,\"raw\":\"0x4\"}}\n"
            "{\"type\":\"notice\"," LEADER "\"event\":\"thread ended\","
            "\"code\":{\"status\":null,\"raw\":\"0x5\"}}\n"
            "{\"type\":\"notice\"," LEADER "\"event\":\"lost\",\"count\":12,"
            "\"reason\":\"ring full\"}\n"
            "{\"type\":\"notice\"," LEADER "\"event\":\"lost\",\"count\":3,"
            "\"data\":true,\"reason\":\"ring full\"}\n"
            "{\"type\":\"notice\"," LEADER "\"event\":\"callback lost\"}\n"
            "{\"type\":\"notice\"," LEADER "\"event\":\"no callback\"}\n"
            "{\"type\":\"notice\"," LEADER "\"event\":\"callback replaced\"}\n"
            "{\"type\":\"notice\"," LEADER "\"event\":\"patched again\","
            "\"count\":2,\"module\":\"ntdll.dll\"}\n"
            "{\"type\":\"notice\"," LEADER "\"event\":\"attached\"}\n"
            "{\"type\":\"notice\"," LEADER "\"event\":\"detached\"}\n"));
    json_close(&j);
    free(w.p);
}

static void processes_that_begin_are_objects(void)
{
    struct child_told child = { .pid = 44,
                                .how = PROCESS_CHILD,
                                .image = STR_INIT("C:\\x\\a.exe"),
                                .command = STR_INIT("a \"1\""),
                                .by_pid = 32,
                                .by_tid = 36 };
    struct notice n = { .kind = NOTICE_STARTED,
                        .reason = STR_INIT(""),
                        .child = &child };
    struct sink_head head = sinks_head;
    struct wrote w = { 0 };
    struct json j;

    CHECK(json_init(&j, wrote_line, &w));
    head.image = STR("b.exe");
    j.sink.ops->notice(&j.sink, &head, &n);
    n.kind = NOTICE_UNTRACED;
    n.reason = STR("why");
    child.how = PROCESS_CLONE;
    child.by_tid = 0;
    j.sink.ops->notice(&j.sink, &head, &n);
    n.kind = NOTICE_LATE;
    n.count = 1500000;
    child = (struct child_told){ .pid = 48,
                                 .image = STR_INIT(""),
                                 .command = STR_INIT("") };
    j.sink.ops->notice(&j.sink, &head, &n);
#define OWN                                                 \
    "{\"type\":\"notice\",\"pid\":32,\"tid\":36,\"image\":" \
    "\"b.exe\",\"time\":\"1795341240441799123\",\"event\":"
    CHECK_STR(wrote_all(&w),
              STR(OWN "\"started\",\"child\":{\"pid\":44,\"image\":\"a.exe\","
                      "\"path\":\"C:\\\\x\\\\a.exe\",\"command\":\"a "
                      "\\\"1\\\"\",\"by\":{\"pid\":32,\"tid\":36}}}\n" OWN
                      "\"untraced\",\"child\":{\"pid\":44,\"image\":\"a.exe\","
                      "\"path\":\"C:\\\\x\\\\a.exe\",\"command\":\"a "
                      "\\\"1\\\"\",\"clone\":true,\"by\":{\"pid\":32,\"tid\":"
                      "null}},\"reason\":\"why\"}\n" OWN
                      "\"late\",\"child\":{\"pid\":48,\"image\":null,\"path\":"
                      "null,\"command\":null,\"by\":null},\"missed\":"
                      "\"1500000\"}\n"));
    json_close(&j);
    free(w.p);
}

static void counts_are_objects(void)
{
    struct wrote w = { 0 };
    struct json j;

    CHECK(json_init(&j, wrote_line, &w));
    json_counts(&j, &(struct summary_row){ .name = STR("NtA"),
                                           .image = STR(""),
                                           .calls = UINT64_C(1) << 53,
                                           .errors = 2,
                                           .timed = 1,
                                           .ns = 7,
                                           .min_ns = 3,
                                           .max_ns = UINT64_MAX });
    json_counts(&j, &(struct summary_row){ .name = STR("NtW"),
                                           .pid = 32,
                                           .tid = 36,
                                           .image = STR("a\".exe"),
                                           .calls = 1,
                                           .waits = true });
    CHECK_STR(wrote_all(&w),
              STR("{\"type\":\"count\",\"name\":\"NtA\",\"calls\":"
                  "\"9007199254740992\",\"errors\":2,\"timed\":1,\"total\":"
                  "\"7\",\"min\":\"3\",\"max\":\"9223372036854775807\"}\n"
                  "{\"type\":\"count\",\"pid\":32,\"tid\":36,\"image\":"
                  "\"a\\\".exe\",\"name\":\"NtW\",\"calls\":1,\"errors\":0,"
                  "\"timed\":0,\"waits\":true}\n"));
    json_close(&j);
    free(w.p);
}

static void lines_of_every_kind_are_text(void)
{
    struct text_options options = { .always_pid = true,
                                    .arg_names = true,
                                    .took = true };
    struct wrote w = { 0 };
    struct text t;

    CHECK(text_init(&t, &options, wrote_line, &w));
    tell_lines(&t.sink);
    tell_notices(&t.sink);
    sinks_check_lines(&w, CHECK_AT);
    CHECK_U64(w.lines, 25);
    CHECK_U64(t.lines, 25);
    CHECK_STR(
        wrote_all(&w),
        STR("32.36 NtRead(H=0x4c, ?, ... <unfinished ...>\n"
            "32.36 <... NtRead resumed>B=b\"x\") = 0x103 STATUS_PENDING "
            "(DIRECT: a.exe+0x10) (INDIRECT: NtY+0x14 from a.exe+0x10) <?>\n"
            "32.36 | 00000  68 65 6c 6c 6f 2c 20 77  6f 72 6c 64 2c 20 31 36  "
            "hello, world, 16 |\n"
            "32.36 | 00000  7c 20 0a                                          "
            "| .              |\n"
            "32.36 | ...\n"
            "32.36 NtEnd() = ? (caused by ntstrace)\n"
            "32.36 --- EXCEPTION STATUS_ACCESS_VIOLATION {B=1} ---\n"
            "32.36 --- RAISE 0xe0000001 ---\n"
            "32.36 --- APC ---\n"
            "32.36 +++ exited with 3 +++\n"
            "32.36 +++ exited with 0xc0000005 STATUS_ACCESS_VIOLATION +++\n"
            "32.36 +++ killed by 0xe0000001 +++\n"
            "32.36 +++ terminated with 0 +++\n"
            "32.36 +++ thread exited with 1 +++\n"
            "32.36 +++ thread terminated with 0xe0000001 +++\n"
            "32.36 +++ ended with 4 +++\n"
            "32.36 +++ thread ended with 5 +++\n"
            "32.36 +++ lost 12 records: ring full +++\n"
            "32.36 +++ lost 3 pieces of data: ring full +++\n"
            "32.36 +++ callback lost +++\n"
            "32.36 +++ no callback: no transitions, no direct calls +++\n"
            "32.36 +++ callback lost: no transitions, no direct calls from "
            "here on +++\n"
            "32.36 +++ patched again: 2 functions of ntdll.dll +++\n"
            "32.36 +++ attached +++\n"
            "32.36 +++ detached +++\n"));
    text_close(&t);
    free(w.p);
}

/* An array of `count` handles, all with a name of the longest kind, and each
 * in a structure. */
static void tell_very_much(struct sink *s, size_t count)
{
    static char name[65535];
    struct object object = { .type = STR("File") };

    memset(name, 1, sizeof(name));
    object.name = (str){ name, 32767 };
    s->ops->begin(s, GROUP_ARRAY);
    for (size_t i = 0; i < count; i++) {
        s->ops->begin(s, GROUP_STRUCT);
        s->ops->arg(s, STR("B"), NULL);
        s->ops->handle(s, i, STR(""), &object);
        s->ops->arg(s, STR("C"), NULL);
        s->ops->begin(s, GROUP_DEREF);
        s->ops->number(s, NUMBER_HEX, i);
        s->ops->end(s, GROUP_DEREF);
        s->ops->comment(s, STR("words"));
        s->ops->end(s, GROUP_STRUCT);
    }
    s->ops->end(s, GROUP_ARRAY);
}

static void what_is_too_long_for_a_line_is_left_out(void)
{
    struct text_options options = { .always_pid = true };
    struct wrote w = { 0 };
    struct wrote text = { 0 };
    struct json j;
    struct text t;

    CHECK(text_init(&t, &options, wrote_line, &text));
    sinks_begin(&t.sink);
    tell_very_much(&t.sink, 300);
    sinks_end(&t.sink);
    sinks_check_lines(&text, CHECK_AT);
    CHECK(text.size > LINE_FULL_BYTES && text.size <= LINE_MAX_BYTES);
    CHECK(str_ends(wrote_all(&text), STR(", ...]) = 0\n")));

    CHECK(json_init(&j, wrote_line, &w));
    sinks_begin(&j.sink);
    tell_very_much(&j.sink, 300);
    sinks_end(&j.sink);
    CHECK(w.size > LINE_FULL_BYTES && w.size <= LINE_MAX_BYTES);
    CHECK(str_ends(wrote_all(&w),
                   STR("],\"more\":true}}],\"result\":{\"raw\":\"0x0\","
                       "\"value\":\"0x0\"},\"failed\":false,\"took\":"
                       "\"21000\",\"cut\":true}\n")));
    /* The next line is whole. */
    w.size = 0;
    sinks_begin(&j.sink);
    j.sink.ops->null(&j.sink);
    sinks_end(&j.sink);
    CHECK(str_ends(wrote_all(&w), STR("\"took\":\"21000\"}\n")));
    json_close(&j);
    text_close(&t);
    free(w.p);
    free(text.p);
}

int main(void)
{
    const struct test tests[] = {
        TEST(simple_values_have_two_forms),
        TEST(statuses_have_their_names),
        TEST(constants_keep_the_bits_without_a_name),
        TEST(handles_show_what_they_refer_to),
        TEST(texts_are_escaped_both_ways),
        TEST(data_is_bytes),
        TEST(times_are_exact),
        TEST(groups_nest),
        TEST(comments_follow_any_value),
        TEST(places_are_escaped_both_ways),
        TEST(lines_of_every_kind_are_objects),
        TEST(what_is_of_no_known_thread_names_none),
        TEST(processes_that_begin_are_objects),
        TEST(counts_are_objects),
        TEST(lines_of_every_kind_are_text),
        TEST(what_is_too_long_for_a_line_is_left_out),
    };

    return check_run(tests, COUNT_OF(tests));
}
