/* SPDX-License-Identifier: MIT */
/*
 * options.c - what the user asked for.
 *
 * Takes words off the command line up to the program's name and not one
 * further. Touches nothing but its arguments; fails on the first word that is
 * wrong.
 */
#include "cmd/options.h"

#include "cmd/cmdline.h"

#include <assert.h>
#include <string.h>

#include "base/banned.h"

/* clang-format off */
/* Where a row's value goes. Its kind belongs to the field's type, so a row
 * that sends a text to a bool, or the reverse, does not compile. */
#define GOES_TO(field, type, kind_)                                         \
    .kind = _Generic(((struct options *)0)->field, type: kind_),            \
    .at = offsetof(struct options, field)
#define FLAG(field)              GOES_TO(field, bool, OPT_FLAG)
#define FLAG_ON(field)           GOES_TO(field, bool, OPT_FLAG), .on = true
#define COUNT(field, most_)      COUNT_ON(field, 0, most_)
#define COUNT_ON(field, usual_, most_) GOES_TO(field, uint8_t, OPT_COUNT), \
                                 .usual = usual_, .most = most_
#define TEXT(field)              GOES_TO(field, str, OPT_TEXT)
#define LIST(field)              GOES_TO(field, struct option_list, OPT_LIST)
/* An enumeration without negative values is an unsigned int. */
#define CHOICE(field, words)     GOES_TO(field, unsigned, OPT_CHOICE), \
                                 .choice = words
#define NUMBER(field, least_, most_) GOES_TO(field, uint64_t, OPT_NUMBER), \
                                 .least = least_, .most = most_
#define SIZE(field, least_, most_) GOES_TO(field, uint64_t, OPT_SIZE), \
                                 .least = least_, .most = most_
#define GOES_WITH(command)       (1u << COMMAND_##command)
#define TRACE GOES_WITH(TRACE)
#define RECORD GOES_WITH(RECORD)
#define REPLAY GOES_WITH(REPLAY)
#define MERGE GOES_WITH(MERGE)
#define INFO GOES_WITH(INFO)
#define REPORT GOES_WITH(REPORT)
#define EXPORT GOES_WITH(EXPORT)
#define DIFF GOES_WITH(DIFF)
#define TOP GOES_WITH(TOP)
#define RUNS (TRACE | RECORD)
#define STARTS (RUNS | TOP)
#define SHOWS (TRACE | REPLAY)
#define ANY ~0u
#define PROGRAM OPTIONS_PROGRAM
#define GROUP(title) { .kind = OPT_GROUP, .name = title },
#define OPT(letter_, name_, value_, goes_to_, commands_, help_)             \
    {                                                                       \
        .letter = letter_,                                                  \
        .name = name_,                                                      \
        .value = value_,                                                    \
        .help = help_,                                                      \
        .commands = commands_,                                              \
        goes_to_                                                            \
    },
#define COMMAND(code_, name_, least_, most_, words_, summary_, help_, run_) \
    {                                                                       \
        .command = COMMAND_##code_,                                         \
        .name = name_,                                                      \
        .least = least_,                                                    \
        .most = most_,                                                      \
        .words = words_,                                                    \
        .summary = summary_,                                                \
        .help = help_,                                                      \
    },
/* clang-format on */

static const struct opt_word engine_words[] = {
    { "ring", ENGINE_RING },
    { "handshake", ENGINE_HANDSHAKE },
    { NULL, 0 },
};

static const struct opt_word compress_words[] = {
    { "auto", COMPRESS_AUTO },
    { "always", COMPRESS_ALWAYS },
    { "never", COMPRESS_NEVER },
    { NULL, 0 },
};

static const struct opt_word color_words[] = {
    { "auto", COLOR_AUTO },
    { "always", COLOR_ALWAYS },
    { "never", COLOR_NEVER },
    { NULL, 0 },
};

static const struct opt_word by_words[] = {
    { "name", BY_NAME },       { "call", BY_NAME }, { "thread", BY_THREAD },
    { "process", BY_PROCESS }, { "file", BY_FILE }, { NULL, 0 },
};

static const struct opt_word screen_words[] = {
    { "auto", SCREEN_AUTO },
    { "always", SCREEN_ALWAYS },
    { "never", SCREEN_NEVER },
    { NULL, 0 },
};

static const struct opt_word pids_words[] = {
    { "comm", PIDS_IMAGES },
    { NULL, 0 },
};

static const struct opt_word unit_words[] = {
    { "s", UNIT_SECONDS }, { "ms", UNIT_MILLIS }, { "us", UNIT_MICROS },
    { "ns", UNIT_NANOS },  { NULL, 0 },
};

static const struct opt_word constant_words[] = {
    { "raw", CONSTANTS_RAW },
    { "abbrev", CONSTANTS_ABBREV },
    { "verbose", CONSTANTS_VERBOSE },
    { NULL, 0 },
};

const struct opt opts[] = {
#include "cmd/options.def"
};
const size_t opt_count = COUNT_OF(opts);

const struct command_row command_rows[] = {
#include "cmd/commands.def"
};
const size_t command_row_count = COUNT_OF(command_rows);

struct parse {
    struct cmdline line;
    struct arena *arena;
    struct options o;
    /* The options that were given, each once, in order, as they were written
     * first: which command they must go with is known when all are read. */
    struct {
        const struct opt *opt;
        str shown;
    } given[COUNT_OF(opts)];
    size_t given_count;
    struct err *e;
};

/* ------------------------------------------------------------ suggestions */

#define NAME_MAX_SIZE 40

/* How many letters must be put in, left out, changed or swapped with their
 * neighbour to make `b` of `a`; a big number for long texts. */
static size_t distance(str a, str b)
{
    size_t rows[3][NAME_MAX_SIZE + 1];
    size_t *before = rows[0];
    size_t *above = rows[1];
    size_t *row = rows[2];

    if (a.size > NAME_MAX_SIZE || b.size > NAME_MAX_SIZE) {
        return NAME_MAX_SIZE;
    }
    memset(rows, 0, sizeof(rows));
    for (size_t j = 0; j <= b.size; j++) {
        above[j] = j;
    }
    for (size_t i = 1; i <= a.size; i++) {
        size_t *free_row = before;

        row[0] = i;
        for (size_t j = 1; j <= b.size; j++) {
            size_t cost = above[j - 1] + (a.p[i - 1] != b.p[j - 1]);

            cost = above[j] + 1 < cost ? above[j] + 1 : cost;
            cost = row[j - 1] + 1 < cost ? row[j - 1] + 1 : cost;
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] &&
                a.p[i - 2] == b.p[j - 1] && before[j - 2] + 1 < cost) {
                cost = before[j - 2] + 1;
            }
            row[j] = cost;
        }
        before = above;
        above = row;
        row = free_row;
    }
    return above[b.size];
}

/* clang-format off */
#define NOT_YET(letter_, name_, words_) { letter_, name_, true, words_ },
#define INSTEAD(letter_, name_, words_) { letter_, name_, false, words_ },
/* clang-format on */

/* What a user of strace tries first. */
static const struct strace_option {
    char letter;
    const char *name;
    bool not_yet;
    const char *words;
} strace_options[] = {
#include "cmd/strace.def"
};

/* Fails if `shown`, with its dashes, is one of them. */
static bool is_not_straces(struct parse *p, str shown)
{
    bool is_long = str_starts(shown, STR("--"));
    str name = str_slice(shown, is_long ? 2 : 1, shown.size);

    for (size_t i = 0; i < COUNT_OF(strace_options) && name.size > 0; i++) {
        const struct strace_option *o = &strace_options[i];

        if (is_long ? str_eq(name, str_of(o->name))
                    : str_eq(name, (str){ &o->letter, 1 })) {
            return err_set(p->e, ERR_USAGE,
                           o->not_yet ? "%.*s: not there yet; %s"
                                      : "%.*s: strace has it, not ntstrace; %s",
                           STR_ARGS(shown), o->words);
        }
    }
    return true;
}

/* Fails, naming the long option most like `name` (no dashes) if one is. */
static bool unknown_long(struct parse *p, str name)
{
    size_t best = 3;
    const struct opt *nearest = NULL;
    bool plain = !str_starts(name, STR("no-"));
    str bare = plain ? name : str_slice(name, 3, name.size);

    for (size_t i = 0; i < opt_count; i++) {
        size_t d = distance(bare, str_of(opts[i].name));

        if (opts[i].kind != OPT_GROUP && d < best && 2 * d <= bare.size) {
            best = d;
            nearest = &opts[i];
        }
    }
    if (!nearest) {
        return err_set(p->e, ERR_USAGE,
                       "unknown option '--%.*s'; try 'ntstrace --help'",
                       STR_ARGS(name));
    }
    return err_set(
        p->e, ERR_USAGE, "unknown option '--%.*s'; did you mean '--%s%s'?",
        STR_ARGS(name), nearest->value || (plain && !nearest->on) ? "" : "no-",
        nearest->name);
}

static bool unknown_letter(struct parse *p, str word, char letter)
{
    if (word.size == 2 || letter <= ' ' || letter > '~') {
        return err_set(p->e, ERR_USAGE,
                       "unknown option '%.*s'; try 'ntstrace --help'",
                       STR_ARGS(word));
    }
    return err_set(p->e, ERR_USAGE,
                   "unknown option '-%c' in '%.*s'; try 'ntstrace --help'",
                   letter, STR_ARGS(word));
}

/* ----------------------------------------------------------------- values */

static bool set_choice(struct parse *p, const struct opt *opt, unsigned *to,
                       str shown, str value)
{
    char room[100];
    struct buf all = BUF_OVER(room);

    for (const struct opt_word *w = opt->choice; w->name; w++) {
        if (str_eq(value, str_of(w->name))) {
            *to = w->value;
            return true;
        }
        buf_addf(&all, "%s%s", w > opt->choice ? ", " : "", w->name);
    }
    return err_set(p->e, ERR_USAGE, "%.*s: '%.*s' is not one of %.*s",
                   STR_ARGS(shown), STR_ARGS(value), STR_ARGS(buf_str(&all)));
}

static bool set_number(struct parse *p, const struct opt *opt, uint64_t *to,
                       str shown, str value)
{
    uint64_t n = 0;

    if (!str_to_u64(value, &n) || n < opt->least || n > opt->most) {
        return err_set(
            p->e, ERR_USAGE, "%.*s: '%.*s' is not a number from %llu to %llu",
            STR_ARGS(shown), STR_ARGS(value), (unsigned long long)opt->least,
            (unsigned long long)opt->most);
    }
    *to = n;
    return true;
}

static bool set_count(struct parse *p, const struct opt *opt, uint8_t *to,
                      str shown, bool positive, bool first)
{
    if (first) {
        *to = 0;
    }
    if (positive && *to >= opt->most) {
        return err_set(p->e, ERR_USAGE, "%.*s: given more than %u times",
                       STR_ARGS(shown), (unsigned)opt->most);
    }
    *to = positive ? (uint8_t)(*to + 1) : 0;
    return true;
}

static bool add_value(struct parse *p, struct option_list *to, str shown,
                      str value)
{
    if (to->count == OPTIONS_LIST_MAX) {
        return err_set(p->e, ERR_USAGE, "%.*s: given more than %u times",
                       STR_ARGS(shown), (unsigned)OPTIONS_LIST_MAX);
    }
    to->at[to->count++] = value;
    return true;
}

static bool set_size(struct parse *p, const struct opt *opt, uint64_t *to,
                     str shown, str value)
{
    str digits = value;
    uint64_t n = 0;
    unsigned shift = 0;
    bool mega = opt->most >> 20 > 0;

    if (str_ends(value, STR("K")) || str_ends(value, STR("k"))) {
        shift = 10;
    } else if (str_ends(value, STR("M")) || str_ends(value, STR("m"))) {
        shift = 20;
    }
    digits.size -= shift > 0;
    if (!str_to_u64(digits, &n) || n > opt->most >> shift ||
        n << shift < opt->least || (n & (n - 1)) != 0) {
        return err_set(p->e, ERR_USAGE,
                       "%.*s: '%.*s' is not a power of two from %lluK to "
                       "%llu%c",
                       STR_ARGS(shown), STR_ARGS(value),
                       (unsigned long long)(opt->least >> 10),
                       (unsigned long long)(opt->most >> (mega ? 20 : 10)),
                       mega ? 'M' : 'K');
    }
    *to = n << shift;
    return true;
}

/* Keeps that `opt` was given; true if it is the first time. */
static bool note_given(struct parse *p, const struct opt *opt, str shown)
{
    for (size_t i = 0; i < p->given_count; i++) {
        if (p->given[i].opt == opt) {
            return false;
        }
    }
    p->given[p->given_count].opt = opt;
    p->given[p->given_count++].shown = shown;
    return true;
}

/* Gives `opt`, written as `shown`, its value. `positive` is false after
 * "--no-"; `value` counts only for options that take one. */
static bool set(struct parse *p, const struct opt *opt, str shown,
                bool positive, str value)
{
    void *to = (char *)&p->o + opt->at;
    bool first = note_given(p, opt, shown);

    if (opt->value && opt->kind != OPT_SIZE && opt->kind != OPT_NUMBER &&
        value.size == 0) {
        return err_set(p->e, ERR_USAGE, "%.*s: the %s is empty",
                       STR_ARGS(shown), opt->value);
    }
    /* Of the others the last one counts; declarations are added to each other by
     * nobody, and would be missed. */
    if (!first && to == &p->o.view.prototypes) {
        return err_set(p->e, ERR_USAGE,
                       "%.*s: given more than once; put all declarations into "
                       "one file",
                       STR_ARGS(shown));
    }
    switch (opt->kind) {
    case OPT_GROUP:
        break;
    case OPT_FLAG:
        *(bool *)to = positive;
        break;
    case OPT_COUNT:
        return set_count(p, opt, to, shown, positive, first);
    case OPT_TEXT:
        *(str *)to = value;
        break;
    case OPT_LIST:
        return add_value(p, to, shown, value);
    case OPT_CHOICE:
        return set_choice(p, opt, to, shown, value);
    case OPT_NUMBER:
        return set_number(p, opt, to, shown, value);
    case OPT_SIZE:
        return set_size(p, opt, to, shown, value);
    }
    return true;
}

/* The value of an option that stands in the next word. */
static bool next_value(struct parse *p, const struct opt *opt, str shown,
                       str *value)
{
    struct word word;

    if (!cmdline_next(&p->line, p->arena, &word)) {
        return err_set(p->e, ERR_USAGE, "%.*s: needs a value: %.*s %s",
                       STR_ARGS(shown), STR_ARGS(shown), opt->value);
    }
    *value = word.text;
    return true;
}

/* ---------------------------------------------------------------- options */

static bool read_long(struct parse *p, str word)
{
    bool positive = true;
    bool has_value;
    str shown;
    str value;
    str name;

    has_value = str_cut(word, '=', &shown, &value);
    name = str_slice(shown, 2, shown.size);
    if (str_starts(name, STR("no-"))) {
        positive = false;
        name = str_slice(name, 3, name.size);
    }
    for (size_t i = 0; i < opt_count; i++) {
        const struct opt *opt = &opts[i];

        if (opt->kind == OPT_GROUP || !str_eq(name, str_of(opt->name)) ||
            (opt->value && !positive)) {
            continue;
        }
        if (!opt->value && has_value) {
            return err_set(p->e, ERR_USAGE, "%.*s: takes no value, got '%.*s'",
                           STR_ARGS(shown), STR_ARGS(value));
        }
        if (opt->value && !has_value && !next_value(p, opt, shown, &value)) {
            return false;
        }
        return set(p, opt, shown, positive, value);
    }
    return is_not_straces(p, shown) &&
           unknown_long(p, str_slice(shown, 2, shown.size));
}

/* A letter may be of two options: of the one that goes with the command that has
 * been named, or with tracing. */
static const struct opt *find_letter(const struct parse *p, char letter)
{
    enum command command =
        p->o.command == COMMAND_NONE ? COMMAND_TRACE : p->o.command;
    const struct opt *found = NULL;

    for (size_t i = 0; i < opt_count; i++) {
        if (opts[i].kind == OPT_GROUP || opts[i].letter != letter) {
            continue;
        }
        if (found == NULL || (opts[i].commands & 1u << command) != 0) {
            found = &opts[i];
        }
    }
    return found;
}

static bool read_letters(struct parse *p, str word)
{
    for (size_t i = 1; i < word.size; i++) {
        char letter = word.p[i] == '?' ? 'h' : word.p[i];
        const struct opt *opt = letter ? find_letter(p, letter) : NULL;
        char *shown = ARENA_NEW(p->arena, char, 2);
        str value = str_slice(word, i + 1, word.size);

        shown[0] = '-';
        shown[1] = letter;
        if (!opt) {
            return is_not_straces(p, (str){ shown, 2 }) &&
                   unknown_letter(p, word, letter);
        }
        if (opt->value && value.size == 0 &&
            !next_value(p, opt, (str){ shown, 2 }, &value)) {
            return false;
        }
        /* The letter of a flag that is on anyway is for taking it back. */
        if (!set(p, opt, (str){ shown, 2 }, !opt->on, value)) {
            return false;
        }
        if (opt->value) {
            break;
        }
    }
    return true;
}

/* ------------------------------------------------- subcommands and program */

static const struct command_row *find_command(enum command command)
{
    for (size_t i = 0; i < command_row_count; i++) {
        if (command_rows[i].command == command) {
            return &command_rows[i];
        }
    }
    return NULL;
}

/* The subcommand that `word` is, or COMMAND_NONE. */
static enum command command_of(str word)
{
    for (size_t i = 0; i < command_row_count; i++) {
        if (str_eq(word, str_of(command_rows[i].name))) {
            return command_rows[i].command;
        }
    }
    return COMMAND_NONE;
}

static bool is_recording(str word)
{
    str end = STR(".nts");

    return word.size >= end.size &&
           str_eq_nocase(str_slice(word, word.size - end.size, word.size), end);
}

static bool take_program(struct parse *p, const struct word *word)
{
    str raw = p->line.raw;

    p->o.launch.program_line = str_slice(raw, word->start, raw.size);
    p->o.launch.program_unit = cmdline_units(str_slice(raw, 0, word->start));
    p->o.launch.program = cmdline_program(p->o.launch.program_line, p->arena);
    if (p->o.launch.program.size == 0) {
        return err_set(p->e, ERR_USAGE,
                       "the program's name is empty; try 'ntstrace --help'");
    }
    return true;
}

static bool take_word(struct parse *p, str word)
{
    const struct command_row *row = find_command(p->o.command);

    if (p->o.word_count == row->most) {
        return err_set(p->e, ERR_USAGE,
                       "'%s' does not take '%.*s'; try 'ntstrace %s --help'",
                       row->name, STR_ARGS(word), row->name);
    }
    p->o.words[p->o.word_count++] = word;
    return true;
}

str options_beside(str name, str from, str to, struct arena *a)
{
    struct buf b = { ARENA_NEW(a, char, name.size + to.size), 0,
                     name.size + to.size, false };

    if (name.size > from.size &&
        str_eq_nocase(str_slice(name, name.size - from.size, name.size),
                      from)) {
        name.size -= from.size;
    }
    buf_add(&b, name);
    buf_add(&b, to);
    return buf_str(&b);
}

str options_record_name(str program, struct arena *a)
{
    size_t start = program.size;
    str name;
    char *p;

    while (start > 0 && program.p[start - 1] != '\\' &&
           program.p[start - 1] != '/' && program.p[start - 1] != ':') {
        start--;
    }
    name = str_slice(program, start, program.size);
    if (name.size > 4 &&
        str_eq_nocase(str_slice(name, name.size - 4, name.size), STR(".exe"))) {
        name.size -= 4;
    }
    if (name.size == 0) {
        name = STR("trace");
    }
    p = ARENA_NEW(a, char, name.size + 4);
    memcpy(p, name.p, name.size);
    memcpy(p + name.size, ".nts", 4);
    return (str){ p, name.size + 4 };
}

/* What is recorded goes into a file: `record` takes it from -o, as other
 * commands take theirs. */
static bool choose_recording(struct parse *p)
{
    struct options *o = &p->o;
    str shown = STR("--record");

    if (o->command == COMMAND_RECORD) {
        shown = STR("-o");
        o->launch.record =
            o->view.output.size > 0
                ? o->view.output
                : options_record_name(o->launch.program, p->arena);
        o->view.output = STR("");
    }
    if (o->report.size > 0 && o->launch.record.size == 0) {
        o->launch.record =
            options_beside(o->report, STR(".html"), STR(".nts"), p->arena);
    }
    if (str_starts(o->launch.record, STR("|"))) {
        return err_set(p->e, ERR_USAGE,
                       "%.*s: a recording goes into a file, not to a command",
                       STR_ARGS(shown));
    }
    return true;
}

/* What a program starts is seen by the entries of its calls. --follow is -f,
 * of some. */
static bool choose_children(struct parse *p)
{
    struct options *o = &p->o;

    if (o->launch.follow_only.size > 0 && o->launch.follow == 0) {
        o->launch.follow = 1;
    }
    if (o->launch.follow > 0 && o->command != COMMAND_REPLAY &&
        (!o->launch.patch || o->launch.engine != ENGINE_RING)) {
        return err_set(p->e, ERR_USAGE,
                       "-f: does not go with %s: it needs to see calls begin",
                       o->launch.patch ? "--engine=handshake" : "--no-patch");
    }
    return true;
}

/* -ff: the lines of each process go into a file of their own. A recording has
 * all of them. */
static bool choose_files(struct parse *p)
{
    struct options *o = &p->o;

    if (o->launch.follow < 2 || o->command == COMMAND_RECORD) {
        return true;
    }
    if (o->command == COMMAND_TOP) {
        return err_set(p->e, ERR_USAGE,
                       "-ff: does not go with 'top', which writes no file for "
                       "each process; -f follows them");
    }
    if (o->view.output.size == 0) {
        return err_set(p->e, ERR_USAGE,
                       "-ff: writes a file for each process: say what they "
                       "are called with -o FILE, as FILE.PID");
    }
    if (str_starts(o->view.output, STR("|"))) {
        return err_set(p->e, ERR_USAGE,
                       "-ff: goes into files, one a process, not to a command");
    }
    if (o->view.summary || o->view.summary_only) {
        return err_set(p->e, ERR_USAGE,
                       "-ff: does not go with -c or -C; --by process counts "
                       "each process apart");
    }
    o->view.separate = o->view.output;
    o->view.output = STR("");
    return true;
}

/* --report shows no calls: what says where or how they are shown was not meant for
 * it. */
static bool agree_report(struct parse *p)
{
    const struct options *o = &p->o;
    const char *shown = o->view.output.size > 0 ? "-o"
                        : o->view.summary_only  ? "-c"
                        : o->view.summary       ? "-C"
                        : o->view.json          ? "--json"
                        : o->launch.follow > 1  ? "-ff"
                                                : NULL;

    if (o->report.size > 0 && str_eq_nocase(o->report, o->launch.record)) {
        return err_set(p->e, ERR_USAGE,
                       "--report: the page would take the recording's place; "
                       "give it another name");
    }
    if (o->report.size == 0 || shown == NULL) {
        return true;
    }
    return err_set(p->e, ERR_USAGE,
                   "%s: does not go with --report, which shows no calls; "
                   "'ntstrace replay %.*s' does afterwards",
                   shown, STR_ARGS(o->launch.record));
}

/* --detach-after: a number of calls, or a time. */
static bool read_detach_after(struct parse *p)
{
    struct launch_options *o = &p->o.launch;
    str value = o->detach_after;
    str digits = value;
    bool ms = str_ends(value, STR("ms"));
    bool seconds = !ms && str_ends(value, STR("s"));
    uint64_t n = 0;

    if (value.size == 0) {
        return true;
    }
    digits.size -= ms ? 2 : seconds ? 1 : 0;
    if (!str_to_u64(digits, &n) || n == 0 || n > 1000000000) {
        return err_set(p->e, ERR_USAGE,
                       "--detach-after: '%.*s' is neither a number of calls "
                       "nor a time, as 10s or 500ms",
                       STR_ARGS(value));
    }
    if (ms || seconds) {
        o->detach_ms = seconds ? n * 1000 : n;
    } else {
        o->detach_calls = n;
    }
    return true;
}

/* Decimal digits up to the first other character, which *rest begins with; false:
 * there are none, or more than `most`. */
static bool take_digits(str s, size_t most, uint64_t *n, str *rest)
{
    size_t i = 0;

    *n = 0;
    while (i < s.size && s.p[i] >= '0' && s.p[i] <= '9') {
        *n = *n * 10 + (uint64_t)(s.p[i++] - '0');
        if (i > most) {
            return false;
        }
    }
    *rest = str_slice(s, i, s.size);
    return i > 0;
}

/* 2, 0.5, 2s, 500ms; false: it is no time. */
static bool milliseconds(str s, uint64_t *ms)
{
    static const uint64_t units[] = { 1000, 100, 10, 1 };
    uint64_t part = 0;
    str rest;

    if (!take_digits(s, 7, ms, &rest)) {
        return false;
    }
    if (str_eq(rest, STR("ms"))) {
        return true;
    }
    *ms *= 1000;
    if (str_starts(rest, STR("."))) {
        s = str_slice(rest, 1, rest.size);
        if (!take_digits(s, 3, &part, &rest)) {
            return false;
        }
        *ms += part * units[s.size - rest.size];
    }
    return rest.size == 0 || str_eq(rest, STR("s"));
}

/* --interval */
static bool read_interval(struct parse *p)
{
    struct options *o = &p->o;

    o->interval_ms = INTERVAL_MS_USUAL;
    if (o->interval.size > 0 && (!milliseconds(o->interval, &o->interval_ms) ||
                                 o->interval_ms < INTERVAL_MS_LEAST ||
                                 o->interval_ms > INTERVAL_MS_MOST)) {
        return err_set(p->e, ERR_USAGE,
                       "--interval: '%.*s' is no time from 0.1 to 3600, in "
                       "seconds, or as 500ms",
                       STR_ARGS(o->interval));
    }
    return true;
}

/* What shows counts on a screen. */
static bool agree_top(struct parse *p)
{
    const struct options *o = &p->o;

    if (o->command != COMMAND_TOP && o->view.summary_by == BY_FILE) {
        return err_set(p->e, ERR_USAGE,
                       "--by: file goes with 'ntstrace top' only");
    }
    if (o->screen == SCREEN_ALWAYS && o->view.output.size > 0) {
        return err_set(p->e, ERR_USAGE,
                       "--screen=always: does not go with -o, whose FILE gets "
                       "tables");
    }
    if (o->program_output.size > 0 && o->launch.attach.count > 0) {
        return err_set(p->e, ERR_USAGE,
                       "--program-output: does not go with -p: the program "
                       "writes where it does");
    }
    return read_interval(p);
}

/* -p instead of a program. */
static bool agree_attach(struct parse *p)
{
    const struct launch_options *o = &p->o.launch;

    if (o->attach.count > 0 && o->program.size > 0) {
        return err_set(p->e, ERR_USAGE,
                       "-p: does not go with a program to start");
    }
    if (o->attach.count > 0 && o->engine == ENGINE_HANDSHAKE) {
        return err_set(p->e, ERR_USAGE,
                       "-p: does not go with --engine=handshake");
    }
    if (o->wait && o->attach.count == 0) {
        return err_set(p->e, ERR_USAGE, "--wait: goes with -p only");
    }
    return read_detach_after(p);
}

/* Without the callback only the ends of functions tell of returns. */
static bool agree_callback(struct parse *p)
{
    const struct launch_options *o = &p->o.launch;

    if ((!o->callback || o->repatch) &&
        (!o->patch || o->engine == ENGINE_HANDSHAKE)) {
        return err_set(p->e, ERR_USAGE,
                       "%s: does not go with %s, which changes no functions",
                       o->callback ? "--repatch" : "--no-callback",
                       o->patch ? "--engine=handshake" : "--no-patch");
    }
    if (o->honor_callback && !o->callback) {
        return err_set(p->e, ERR_USAGE,
                       "--honor-callback: does not go with --no-callback: "
                       "there is none of ours to take away");
    }
    return true;
}

static bool goes_with(const struct opt *opt, const struct command_row *row)
{
    return (opt->commands & 1u << row->command) != 0;
}

/* The subcommands that the option goes with: 'report', 'diff' and 'top'. */
static void add_owners(struct buf *b, const struct opt *opt)
{
    size_t left = 0;

    for (size_t i = 0; i < command_row_count; i++) {
        left += goes_with(opt, &command_rows[i]);
    }
    for (size_t i = 0; i < command_row_count; i++) {
        if (goes_with(opt, &command_rows[i])) {
            left--;
            buf_addf(b, "'%s'%s", command_rows[i].name,
                     left > 1    ? ", "
                     : left == 1 ? " and "
                                 : "");
        }
    }
}

/* As it was written first; empty: it was not given. */
static str shown_of(const struct parse *p, size_t at)
{
    for (size_t i = 0; i < p->given_count; i++) {
        if (p->given[i].opt->at == at) {
            return p->given[i].shown;
        }
    }
    return STR("");
}

/* What is about callers, where none are shown. Reports and exports have those that
 * were recorded. */
static bool agree_callers(struct parse *p)
{
    static const size_t about[] = {
        offsetof(struct options, view.stack_size),
        offsetof(struct options, view.stack_limit),
        offsetof(struct options, view.module_paths),
    };
    const struct options *o = &p->o;

    if (o->view.stacks || o->view.caller || o->command == COMMAND_REPORT ||
        o->command == COMMAND_EXPORT) {
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(about); i++) {
        str shown = shown_of(p, about[i]);

        if (shown.size > 0) {
            return err_set(p->e, ERR_USAGE,
                           "%.*s: goes with -k or --caller only",
                           STR_ARGS(shown));
        }
    }
    return true;
}

/* Options that make sense only with, or without, another one. */
static bool agree(struct parse *p)
{
    const struct options *o = &p->o;
    bool counts =
        o->view.summary || o->view.summary_only || o->command == COMMAND_TOP;

    if (!agree_attach(p) || !agree_callback(p) || !agree_top(p) ||
        !agree_callers(p)) {
        return false;
    }
    if (o->launch.exit_with_first && o->launch.follow == 0) {
        return err_set(p->e, ERR_USAGE, "--exit-with-first: goes with -f only");
    }
    if (o->view.summary_only && o->view.summary) {
        return err_set(p->e, ERR_USAGE, "-c: does not go with -C");
    }
    if (o->view.paths.count > 0 &&
        (!o->launch.patch || o->launch.engine == ENGINE_HANDSHAKE)) {
        return err_set(p->e, ERR_USAGE,
                       "-P: looks at arguments, which are not seen with %s",
                       o->launch.patch ? "--engine=handshake" : "--no-patch");
    }
    if (!counts &&
        (o->view.summary_sort.size > 0 || o->view.summary_by != BY_NAME ||
         o->view.summary_every > 0)) {
        return err_set(p->e, ERR_USAGE, "%s: goes with -c or -C only",
                       o->view.summary_sort.size > 0   ? "-S"
                       : o->view.summary_by != BY_NAME ? "--by"
                                                       : "--summary-every");
    }
    if (o->command == COMMAND_TRACE && o->report.size == 0 &&
        o->rows != ROWS_USUAL) {
        return err_set(p->e, ERR_USAGE,
                       "--rows: goes with --report only, or with 'ntstrace "
                       "report', 'diff' and 'top'");
    }
    if (o->command == COMMAND_TRACE && o->launch.record.size == 0 &&
        o->launch.compress != COMPRESS_AUTO) {
        return err_set(p->e, ERR_USAGE, "--compress: goes with --record only");
    }
    return true;
}

/* Fails on the first option that does not go with the command. */
static bool judge_given(struct parse *p, const struct command_row *row)
{
    for (size_t i = 0; i < p->given_count; i++) {
        const struct opt *opt = p->given[i].opt;
        str shown = p->given[i].shown;
        char room[200];
        struct buf owners = BUF_OVER(room);

        if (opt->commands & 1u << p->o.command) {
            continue;
        }
        if (row == NULL) {
            add_owners(&owners, opt);
            return err_set(
                p->e, ERR_USAGE, "%.*s: goes with 'ntstrace %.*s only",
                STR_ARGS(shown),
                STR_ARGS(str_slice(buf_str(&owners), 1, owners.size)));
        }
        /* Of one that goes with tracing it is known well enough. */
        if ((opt->commands & TRACE) == 0) {
            buf_add(&owners, STR("; it goes with "));
            add_owners(&owners, opt);
        }
        if (row->command == COMMAND_RECORD && (opt->commands & REPLAY) != 0) {
            owners.size = 0;
            buf_add(&owners, STR(", which keeps everything; give it to "
                                 "'ntstrace replay'"));
        }
        return err_set(p->e, ERR_USAGE, "%.*s: does not go with '%s'%.*s",
                       STR_ARGS(shown), row->name, STR_ARGS(buf_str(&owners)));
    }
    return true;
}

/* All that a command needs is there. */
static bool judge_words(struct parse *p, const struct command_row *row)
{
    str first, rest;

    if (row->most == OPTIONS_PROGRAM && p->o.launch.program.size == 0 &&
        p->o.launch.attach.count == 0) {
        return err_set(p->e, ERR_USAGE,
                       "no program to %s; try 'ntstrace %s --help'", row->name,
                       row->name);
    }
    if (row->most != OPTIONS_PROGRAM && p->o.word_count < row->least) {
        str_cut(str_of(row->words), '|', &first, &rest);
        return err_set(p->e, ERR_USAGE,
                       "'%s' needs to know what, as in 'ntstrace %s %.*s'",
                       row->name, row->name, STR_ARGS(first));
    }
    return true;
}

static bool finish(struct parse *p)
{
    const struct command_row *row = find_command(p->o.command);

    if (p->o.help || p->o.version || p->o.nothing) {
        return true;
    }
    if (p->o.command == COMMAND_NONE && p->o.launch.attach.count > 0) {
        p->o.command = COMMAND_TRACE;
    }
    if (p->o.command == COMMAND_NONE) {
        return err_set(p->e, ERR_USAGE,
                       "no program to trace; try 'ntstrace --help'");
    }
    return judge_given(p, row) && (row == NULL || judge_words(p, row)) &&
           choose_recording(p) && agree_report(p) && choose_children(p) &&
           choose_files(p) && agree(p);
}

/* Takes a word that is no option; *done: what follows it is the program's. */
static bool read_word(struct parse *p, const struct word *word, bool is_only,
                      bool *done)
{
    const struct command_row *row;

    /* `help NAME` is `NAME --help`. */
    if (p->o.command == COMMAND_NONE && !is_only &&
        str_is(word->text, "help")) {
        p->o.help = true;
        return true;
    }
    if (p->o.command == COMMAND_NONE) {
        p->o.command = is_only ? COMMAND_NONE : command_of(word->text);
        if (p->o.command != COMMAND_NONE) {
            return true;
        }
        p->o.command = !is_only && is_recording(word->text) ? COMMAND_REPLAY
                                                            : COMMAND_TRACE;
    }
    row = find_command(p->o.command);
    *done = row == NULL || row->most == OPTIONS_PROGRAM;
    return *done ? take_program(p, word) : take_word(p, word->text);
}

static bool read_words(struct parse *p)
{
    bool only_words = false;  // behind "--"
    bool done = false;
    struct word word;

    while (!done && cmdline_next(&p->line, p->arena, &word)) {
        str text = word.text;
        bool ok;

        p->o.nothing = false;
        if (only_words || text.size < 2 ||
            (text.p[0] != '-' && !str_eq(text, STR("/?")))) {
            ok = read_word(p, &word, only_words, &done);
        } else if (str_eq(text, STR("--"))) {
            only_words = true;
            ok = true;
        } else if (str_starts(text, STR("--"))) {
            ok = read_long(p, text);
        } else {
            ok = read_letters(p, text);
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}

bool options_parse(struct options *out, str raw, struct arena *a, struct err *e)
{
    struct parse p = { .line = cmdline_over(raw), .arena = a, .e = e };
    struct word own_name;

    p.o.nothing = true;
    p.o.view.output = STR("");
    p.o.view.separate = STR("");
    p.o.view.summary_sort = STR("");
    p.o.launch.program = STR("");
    p.o.launch.program_line = STR("");
    p.o.launch.detach_after = STR("");
    p.o.launch.record = STR("");
    p.o.launch.page = STR("");
    p.o.view.prototypes = STR("");
    p.o.view.declared = STR("");
    p.o.view.from = STR("");
    p.o.view.to = STR("");
    p.o.launch.engine = ENGINE_RING;
    p.o.launch.ring_size = RING_SIZE_DEFAULT;
    p.o.view.string_limit = STRING_LIMIT_DEFAULT;
    p.o.view.stack_size = STACK_SIZE_DEFAULT;
    p.o.view.stack_limit = STACK_LIMIT_DEFAULT;
    p.o.rows = ROWS_USUAL;
    p.o.report = STR("");
    p.o.interval = STR("");
    p.o.program_output = STR("");
    for (size_t i = 0; i < OPTIONS_WORDS_MAX; i++) {
        p.o.words[i] = STR("");
    }
    for (size_t i = 0; i < opt_count; i++) {
        if (opts[i].on) {
            *(bool *)((char *)&p.o + opts[i].at) = true;
        } else if (opts[i].kind == OPT_COUNT) {
            *(uint8_t *)((char *)&p.o + opts[i].at) = opts[i].usual;
        }
    }
    cmdline_next(&p.line, a, &own_name);
    if (!read_words(&p) || !finish(&p)) {
        if (p.o.command == COMMAND_DIFF) {
            e->code = ERR_TROUBLE;
        }
        return false;
    }
    *out = p.o;
    return true;
}
