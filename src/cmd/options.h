/* SPDX-License-Identifier: MIT */
/*
 * options.h - what the user asked for.
 *
 * options.def and commands.def are the only lists of options and subcommands;
 * parser, help and manual are made from them.
 *
 * Options stand before the program; what follows it is the program's own and
 * is not looked at. The first word that is no option is a subcommand if it is
 * one, else the program. Behind "--", with a / \ or : in it, or ending in
 * .exe, it is a program whatever it is called.
 */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define RING_SIZE_LEAST (UINT64_C(64) << 10)
#define RING_SIZE_MOST (UINT64_C(64) << 20)
#define RING_SIZE_DEFAULT (UINT64_C(1) << 20)

/* Data that is shown of one buffer (wire/capture.h copies no more). */
#define STRING_LIMIT_MOST (UINT64_C(256) << 10)
#define STRING_LIMIT_DEFAULT 32

#define OPTIONS_WORDS_MAX 8
/* Values of an option that may be given again and again. */
#define OPTIONS_LIST_MAX 64

enum engine {
    ENGINE_RING,
    ENGINE_HANDSHAKE
};

enum color {
    COLOR_AUTO,    // on a console, unless NO_COLOR is set
    COLOR_ALWAYS,  // on a console
    COLOR_NEVER,
};

enum summary_by {
    BY_NAME,
    BY_THREAD
};

enum unit {
    UNIT_USUAL,
    UNIT_SECONDS,
    UNIT_MILLIS,
    UNIT_MICROS,
    UNIT_NANOS,
};

enum constant_style {
    CONSTANTS_ABBREV,
    CONSTANTS_RAW,
    CONSTANTS_VERBOSE
};

enum command {
    COMMAND_NONE,   // no word but options, or nothing at all
    COMMAND_TRACE,  // no subcommand: a program
/* clang-format off */
#define COMMAND(code, name, least, most, words, summary, help) COMMAND_##code,
#include "cmd/commands.def"
#undef COMMAND
    /* clang-format on */
};

struct option_list {
    str at[OPTIONS_LIST_MAX];  // in the order they were given
    size_t count;
};

/* Every str is in the arena or in the raw text. */
struct options {
    enum command command;
    bool nothing;  // not one word was given

    /* COMMAND_TRACE: the program's own command line, a tail of the raw text;
     * where it begins in UTF-16 units, so that GetCommandLineW's own text can
     * be handed on from there; and its first word, decoded. */
    str program_line;
    size_t program_unit;
    str program;

    /* A subcommand's words; as many as commands.def allows. */
    str words[OPTIONS_WORDS_MAX];
    size_t word_count;

    struct option_list expressions;  // -e, not looked at yet
    struct option_list paths;        // -P, as they were given
    bool successful_only;            // -z
    bool failed_only;                // -Z

    str output;  // empty: standard error; "|...": a command
    bool json;
    uint8_t quiet;  // how often -q was given
    bool always_show_pid;
    enum color color;

    bool summary_only;  // -c
    bool summary;       // -C
    bool wall_clock;    // -w: it is anyway
    str summary_sort;   // -S; empty: not given
    enum summary_by summary_by;
    uint64_t summary_every;  // seconds; 0: not

    uint8_t clock;        // -t: 1, -tt: 2, -ttt: 3
    bool since_last;      // -r
    enum unit time_unit;  // of the two
    bool service_number;  // -n
    bool return_address;  // -i

    uint8_t handles;        // -y: 1, -yy: 2, --no-decode-handles: 0
    uint64_t string_limit;  // -s
    bool abbrev;            // false: -v
    uint8_t hex_strings;    // -x: 1, -xx: 2
    enum constant_style constants;
    bool arg_names;  // false: --no-arg-names

    bool time_spent;       // -T
    enum unit spent_unit;  // of it

    enum engine engine;
    bool patch;         // false: --no-patch
    bool orphan_query;  // false: --no-orphan-query
    bool lossy;
    uint64_t ring_size;  // bytes, a power of two

    bool help;
    bool version;
};

/* Reads the command line that Windows gave us (WTF-8, see cmdline.h), our own
 * name first. With `help` or `version` set nothing else need be there. Fails
 * with ERR_USAGE and a text that says what helps. Four times the size of `raw`
 * is enough for the arena. */
bool options_parse(struct options *out, str raw, struct arena *a,
                   struct err *e);

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
    bool on;        // a flag that is set unless --no-NAME is given
    uint8_t usual;  // a count that is not given
    bool anywhere;  // goes with subcommands too
    size_t at;      // of its field in struct options
    const struct opt_word *choice;
    uint64_t least;
    uint64_t most;
};

struct command_row {
    enum command command;
    const char *name;
    size_t least;       // words
    size_t most;        // words
    const char *words;  // for the usage line
    const char *summary;
    const char *help;
};

extern const struct opt opts[];
extern const size_t opt_count;
extern const struct command_row command_rows[];
extern const size_t command_row_count;

#endif
