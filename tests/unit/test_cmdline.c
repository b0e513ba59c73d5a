/* SPDX-License-Identifier: MIT */
/*
 * test_cmdline - cmd/cmdline.h.
 *
 * What the words must be is Microsoft's documentation of its C library, whose
 * own examples are among the cases; the rest follows from its rules.
 */
#include "cmd/cmdline.h"

#include "unit/check.h"

#include <stdlib.h>
#include <string.h>

static void full(size_t wanted)
{
    printf("arena full: %zu\n", wanted);
    abort();
}

static char room[1 << 16];

static void words_are_split_as_microsoft_splits_them(void)
{
    /* The text behind the program's name, and the words separated by |. */
    /* clang-format off */
    static const struct {
        const char *raw;
        const char *words;
    } cases[] = {
        /* Microsoft's own examples. */
        { "\"abc\" d e",                "abc|d|e" },
        { "a\\\\b d\"e f\"g h",         "a\\\\b|de fg|h" },
        { "a\\\\\\\"b c d",             "a\\\"b|c|d" },
        { "a\\\\\\\\\"b c\" d e",       "a\\\\b c|d|e" },
        { "a\"b\"\" c d",               "ab\" c d" },
        /* Blanks. */
        { "",                           "" },
        { "   \t ",                     "" },
        { "  a \t  b\t",                "a|b" },
        { "a\nb\rc\vd",                 "a\nb\rc\vd" },
        { "a\xc2\xa0" "b",              "a\xc2\xa0" "b" },
        { "\" \t \" x",                 " \t |x" },
        /* Quotes. */
        { "\"\"",                       "<empty>" },
        { "\"\" \"\"",                  "<empty>|<empty>" },
        { "a\"\"b",                     "ab" },
        { "\"a\"\"b\"",                 "a\"b" },
        { "\"\"\"\"",                   "\"" },
        { "\"\"\"a b\"\"\" c",          "\"a b\"|c" },
        { "\"\"\"\"\"",                 "\"\"" },
        { "\"\"\"\"\"\"",               "\"\"" },
        { "\"no end of it",             "no end of it" },
        { "a\"",                        "a" },
        { "\"a b\"c\"d e\"",            "a bcd e" },
        { "'a b'",                      "'a|b'" },
        /* Backslashes. */
        { "\\",                         "\\" },
        { "\\\\",                       "\\\\" },
        { "a\\ b",                      "a\\|b" },
        { "\\\"",                       "\"" },
        { "\\\" x",                     "\"|x" },
        { "\\\\\"a b\"",                "\\a b" },
        { "\\\\\\\\\\\"",               "\\\\\"" },
        { "\"C:\\dir\\\" x",            "C:\\dir\" x" },
        { "\"C:\\dir\\\\\" x",          "C:\\dir\\|x" },
        { "\"\\\\host\\a b\\\\\"",      "\\\\host\\a b\\" },
        { "\"a\\\"\"b c",               "a\"b|c" },
        { "\"a\\\\\"\" b\"",            "a\\\" b" },
        { "\"tail\\",                   "tail\\" },
        { "C:\\new\\table.exe /?",      "C:\\new\\table.exe|/?" },
        /* Nothing else is special. */
        { "%PATH% ^& | > < *.c ?",      "%PATH%|^&|!|>|<|*.c|?" },
        { "-o\"a b\".txt --x=\"y z\"",  "-oa b.txt|--x=y z" },
        { "\xed\xa0\x80 \xed\xb0\x80",  "\xed\xa0\x80|\xed\xb0\x80" },
    };
    /* clang-format on */

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena a = arena_over(room, sizeof(room), full);
        char line[200];
        char got_room[200];
        struct buf raw = BUF_OVER(line);
        struct buf got = BUF_OVER(got_room);
        struct cmdline c;
        struct word word;
        size_t last = 0;

        buf_addf(&raw, "ntstrace %s", cases[i].raw);
        c = cmdline_over(buf_str(&raw));
        CHECK(cmdline_next(&c, &a, &word));
        CHECK_STR(word.text, STR("ntstrace"));
        CHECK_U64(word.start, 0);
        while (cmdline_next(&c, &a, &word)) {
            if (got.size > 0) {
                buf_add_char(&got, '|');
            }
            if (str_eq(word.text, STR("|"))) {
                buf_add_char(&got, '!');
            } else if (word.text.size == 0) {
                buf_add(&got, STR("<empty>"));
            } else {
                buf_add(&got, word.text);
            }
            CHECK(word.start > last && word.start < raw.size);
            CHECK(line[word.start] != ' ' && line[word.start] != '\t');
            CHECK(line[word.start - 1] == ' ' || line[word.start - 1] == '\t');
            last = word.start;
        }
        CHECK_STR(buf_str(&got), str_of(cases[i].words));
    }
}

static void the_first_word_has_a_rule_of_its_own(void)
{
    /* clang-format off */
    static const struct {
        const char *raw;
        const char *first;
        const char *second;  // NULL: none
    } cases[] = {
        { "a.exe",                     "a.exe",              NULL },
        { "a.exe  b",                  "a.exe",              "b" },
        { "",                          "",                   NULL },
        { " a",                        "",                   "a" },
        { "\ta",                       "",                   "a" },
        { "\"C:\\bin\\\" x",           "C:\\bin\\",          "x" },
        { "\"C:\\a b\\c.exe\" \"x y\"", "C:\\a b\\c.exe",    "x y" },
        { "\"C:\\a b\"\\c.exe x",      "C:\\a b\\c.exe",     "x" },
        { "C:\\a\\\"b c\" x",          "C:\\a\\b c",         "x" },
        { "\"\" x",                    "",                   "x" },
        { "\"\"\"a\" x",               "a",                  "x" },
        { "\"no end x",                "no end x",           NULL },
    };
    /* clang-format on */

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena a = arena_over(room, sizeof(room), full);
        struct cmdline c = cmdline_over(str_of(cases[i].raw));
        struct word word;
        bool more;

        CHECK(cmdline_next(&c, &a, &word));
        CHECK_STR(word.text, str_of(cases[i].first));
        CHECK_U64(word.start, 0);
        CHECK_STR(cmdline_program(str_of(cases[i].raw), &a),
                  str_of(cases[i].first));
        more = cmdline_next(&c, &a, &word);
        CHECK(more == (cases[i].second != NULL));
        if (more && cases[i].second) {
            CHECK_STR(word.text, str_of(cases[i].second));
        }
    }
}

static void what_follows_is_raw(void)
{
    struct arena a = arena_over(room, sizeof(room), full);
    str raw = STR("\"C:\\x y\\ntstrace\" -o \"a \\\"b\"   \"prog\"x  "
                  "\"\\\\\" \t'a  ^& %X% \\\" ");
    struct cmdline c = cmdline_over(raw);
    struct word word;

    for (int i = 0; i < 4; i++) {
        CHECK(cmdline_next(&c, &a, &word));
    }
    CHECK_STR(word.text, STR("progx"));
    CHECK_STR(str_slice(raw, word.start, raw.size),
              STR("\"prog\"x  \"\\\\\" \t'a  ^& %X% \\\" "));
}

static void units_are_those_of_utf_16(void)
{
    CHECK_U64(cmdline_units(STR("")), 0);
    CHECK_U64(cmdline_units(STR("a \xc3\xa4")), 3);
    CHECK_U64(cmdline_units(STR("\xe2\x82\xac")), 1);
    CHECK_U64(cmdline_units(STR("\xf0\x9f\x98\x80")), 2);
    CHECK_U64(cmdline_units(STR("\xed\xa0\x80 \xed\xb0\x80")), 3);
}

/* Every text of up to seven characters out of four that matter, each in a
 * block of its own so that ASan sees one byte too many. The words behind word
 * k are those of the raw text from there. */
static void every_short_line_splits_the_same_from_any_word_on(void)
{
    static const char letters[] = "a \"\\";

    for (unsigned n = 0; n < 4 * 4 * 4 * 4 * 4 * 4 * 4; n++) {
        struct arena a = arena_over(room, sizeof(room), full);
        char *block = malloc(7);
        struct cmdline c;
        struct word word;

        for (unsigned i = 0; i < 7; i++) {
            block[i] = letters[n >> (2 * i) & 3];
        }
        c = cmdline_over((str){ block, 7 });
        cmdline_next(&c, &a, &word);
        while (cmdline_next(&c, &a, &word)) {
            struct cmdline rest = { .raw = c.raw, .begun = true };
            struct word again;

            rest.at = word.start;
            CHECK(cmdline_next(&rest, &a, &again));
            CHECK_STR(again.text, word.text);
            CHECK_U64(rest.at, c.at);
        }
        CHECK_U64(c.at, 7);
        free(block);
    }
}

int main(void)
{
    const struct test tests[] = {
        TEST(words_are_split_as_microsoft_splits_them),
        TEST(the_first_word_has_a_rule_of_its_own),
        TEST(what_follows_is_raw),
        TEST(units_are_those_of_utf_16),
        TEST(every_short_line_splits_the_same_from_any_word_on),
    };

    return check_run(tests, COUNT_OF(tests));
}
