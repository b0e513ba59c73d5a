/* SPDX-License-Identifier: MIT */
/*
 * options.h - what the user asked for.
 *
 * options.def and commands.def are the only lists of options and subcommands;
 * parser, help and manual are made from them.
 *
 * Options stand before the program; what follows it is the program's own and
 * is not looked at. The first word that is no option is a subcommand if it is
 * one, "help" for --help, a recording to replay if it ends in .nts, else the
 * program. Behind "--",
 * with a / \ or : in it, or ending in .exe, it is no subcommand whatever it is
 * called; behind "--" it is no recording either.
 */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "live/options.h"
#include "view/options.h"

#define OPTIONS_WORDS_MAX 8
/* Rows of each answer that are shown. */
#define ROWS_DEFAULT 25
/* The same of a number that was not given. */
#define ROWS_USUAL UINT64_MAX
/* From one table of `top` to the next. */
#define INTERVAL_MS_LEAST 100
#define INTERVAL_MS_USUAL 1000
#define INTERVAL_MS_MOST 3600000
/* In place of a number of words: a program, and what is its own. */
#define OPTIONS_PROGRAM SIZE_MAX

enum command {
    COMMAND_NONE,   // no word but options, or nothing at all
    COMMAND_TRACE,  // no subcommand: a program
/* clang-format off */
#define COMMAND(code, name, least, most, words, summary, help, run) \
    COMMAND_##code,
#include "cmd/commands.def"
#undef COMMAND
    /* clang-format on */
};

/* Every str is in the arena or in the raw text. */
enum screen_when {
    SCREEN_AUTO,  // on a console that takes escape sequences
    SCREEN_ALWAYS,
    SCREEN_NEVER,
};

struct options {
    enum command command;
    bool nothing;  // not one word was given

    /* A subcommand's words; as many as commands.def allows. */
    str words[OPTIONS_WORDS_MAX];
    size_t word_count;

    struct view_options view;
    struct launch_options launch;  // of a program, where there is one

    bool text;                   // --text
    uint64_t rows;               // --rows; 0: all; ROWS_USUAL: not given
    bool html;                   // --html
    str report;                  // --report, a page; empty: none
    struct option_list ignored;  // --ignore

    /* Of `top`. */
    str interval;          // as it was given; empty: not
    uint64_t interval_ms;  // the same
    uint64_t count;        // tables, then it is over; 0: to the end
    str program_output;    // a file for what the program writes; empty: none
    enum screen_when screen;

    bool help;
    bool version;
};

/* Reads the command line that Windows gave us (WTF-8, see cmdline.h), our own
 * name first. With `help` or `version` set nothing else need be there. Fails
 * with ERR_USAGE, or ERR_TROUBLE if it is `diff`, and a text that says what
 * helps. Four times the size of `raw` is enough for the arena. */
bool options_parse(struct options *out, str raw, struct arena *a,
                   struct err *e);

/* The file that `program` is recorded into if no other is asked for: its name
 * without folders and .exe, in the arena. */
str options_record_name(str program, struct arena *a);

/* `name` with `to` for `from` at its end, or added, in the arena. */
str options_beside(str name, str from, str to, struct arena *a);

enum opt_kind {
    OPT_GROUP,  // a heading; only `name` is set
    OPT_FLAG,
    OPT_COUNT,
    OPT_TEXT,
    OPT_LIST,
    OPT_CHOICE,
    OPT_NUMBER,
    OPT_SIZE,
};

/* One of the words that a value may be; the last row has no name. */
struct opt_word {
    const char *name;
    unsigned value;
};

struct opt {
    char letter;        // 0: none
    const char *name;   // without dashes
    const char *value;  // NULL: takes none
    const char *help;
    enum opt_kind kind;
    bool on;            // a flag that is set unless --no-NAME is given
    uint8_t usual;      // a count that is not given
    unsigned commands;  // bit 1 << enum command: goes with it
    size_t at;          // of its field in struct options
    const struct opt_word *choice;
    uint64_t least;
    uint64_t most;
};

struct command_row {
    enum command command;
    const char *name;
    size_t least;       // words
    size_t most;        // words, or OPTIONS_PROGRAM
    const char *words;  // for the usage line
    const char *summary;
    const char *help;
};

extern const struct opt opts[];
extern const size_t opt_count;
extern const struct command_row command_rows[];
extern const size_t command_row_count;

#endif
