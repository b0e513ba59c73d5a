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
#ifndef TRACER_OPTIONS_H
#define TRACER_OPTIONS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define RING_SIZE_LEAST (UINT64_C(64) << 10)
#define RING_SIZE_MOST (UINT64_C(64) << 20)
#define RING_SIZE_DEFAULT (UINT64_C(1) << 20)

#define OPTIONS_WORDS_MAX 8

enum engine {
    ENGINE_RING,
    ENGINE_HANDSHAKE
};

enum command {
    COMMAND_NONE,   // no word but options, or nothing at all
    COMMAND_TRACE,  // no subcommand: a program
/* clang-format off */
#define COMMAND(code, name, least, most, words, summary, help) COMMAND_##code,
#include "tracer/commands.def"
#undef COMMAND
    /* clang-format on */
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

    str output;     // empty: standard error
    uint8_t quiet;  // how often -q was given
    bool always_show_pid;
    uint8_t clock;        // -t: 1, -tt: 2, -ttt: 3
    bool since_last;      // -r
    bool service_number;  // -n
    bool return_address;  // -i
    bool time_spent;      // -T
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
    OPT_ENGINE,
    OPT_SIZE,
};

struct opt {
    char letter;        // 0: none
    const char *name;   // without dashes
    const char *value;  // NULL: takes none
    const char *help;
    enum opt_kind kind;
    bool on;        // a flag that is set unless --no-NAME is given
    bool anywhere;  // goes with subcommands too
    size_t at;      // of its field in struct options
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
