/* SPDX-License-Identifier: MIT */
/*
 * help.c - what ntstrace says about itself.
 *
 * Made from options.def and commands.def, so that nothing can be asked for
 * that the help does not mention. Touches nothing but the given room.
 */
#include "cmd/help.h"

#include "base/version.h"

#include "base/banned.h"

/* Columns before the help of an option or subcommand. */
#define MARGIN 27

static void add(struct buf *b, const char *text)
{
    buf_add(b, str_of(text));
}

/* Fills the line that begins at byte `start` up to the margin. */
static void add_margin(struct buf *b, size_t start)
{
    if (b->size - start >= MARGIN) {
        add(b, "\n");
        start = b->size;
    }
    while (b->size - start < MARGIN && !b->cut) {
        add(b, " ");
    }
}

/* Adds `text`, each of its lines at the margin. */
static void add_at_margin(struct buf *b, size_t start, const char *text)
{
    str line;
    str rest = str_of(text);
    bool more;

    do {
        more = str_cut(rest, '\n', &line, &rest);
        add_margin(b, start);
        buf_add(b, line);
        add(b, "\n");
        start = b->size;
    } while (more);
}

/* What an option is for one command, where it is something else than what its row
 * says: that is for the help of all. */
static const struct own_words {
    enum command command;
    const char *option;
    const char *value;
    const char *help;
} own_words[] = {
    { COMMAND_RECORD, "output", "FILE",
      "record into FILE, not into PROGRAM.nts" },
    { COMMAND_TOP, "output", "FILE",
      "print tables into FILE; \"|COMMAND\": to a command" },
    { COMMAND_REPLAY, "output", "FILE",
      "write the trace to FILE, not to standard output;\n"
      "\"|COMMAND\": to a command" },
    { COMMAND_MERGE, "output", "FILE",
      "write the trace to FILE, not to standard output;\n"
      "\"|COMMAND\": to a command" },
    { COMMAND_REPORT, "output", "FILE",
      "the page, if not called after the recording; with\n"
      "--text the answers, if not for standard output" },
    { COMMAND_EXPORT, "output", "FILE",
      "write to FILE, not to standard output; \"|COMMAND\":\n"
      "to a command" },
    { COMMAND_DIFF, "output", "FILE",
      "write what changed to FILE, not to standard output;\n"
      "with --html the page, if not A.diff.html" },
    { COMMAND_REPLAY, "to", "TIME", "only what began at TIME or before" },
    { COMMAND_EXPORT, "to", "KIND",
      "what for: perfetto, sqlite (on Linux), json, csv or\n"
      "folded" },
};

static const struct own_words *own_words_of(enum command command,
                                            const struct opt *opt)
{
    for (size_t i = 0; i < COUNT_OF(own_words); i++) {
        if (own_words[i].command == command &&
            str_is(str_of(opt->name), own_words[i].option)) {
            return &own_words[i];
        }
    }
    return NULL;
}

/* As it is for `command`; COMMAND_NONE: for all. */
static void add_option(struct buf *b, const struct opt *opt,
                       enum command command)
{
    const struct own_words *own = own_words_of(command, opt);
    size_t start = b->size;

    if (opt->kind == OPT_GROUP) {
        buf_addf(b, "\n%s:\n", opt->name);
        return;
    }
    if (opt->letter) {
        buf_addf(b, "  -%c, ", opt->letter);
    } else {
        add(b, "      ");
    }
    buf_addf(b, "--%s%s", opt->on ? "no-" : "", opt->name);
    if (opt->value) {
        buf_addf(b, " %s", own != NULL ? own->value : opt->value);
    }
    add_at_margin(b, start, own != NULL ? own->help : opt->help);
}

static void add_usage(struct buf *b)
{
    add(b, "Usage: ntstrace [OPTION...] PROGRAM [ARGUMENT...]\n");
    for (size_t i = 0; i < command_row_count; i++) {
        const struct command_row *row = &command_rows[i];

        buf_addf(b, "       ntstrace %s%s%s\n", row->name,
                 row->words[0] ? " " : "", row->words);
    }
}

static void add_examples(struct buf *b)
{
    add(b, "Examples:\n"
           "  ntstrace whoami.exe\n"
           "      every system call of whoami, on the screen\n"
           "  ntstrace -o trace.txt -tt -T cmd /c \"dir C:\\\"\n"
           "      into a file, with the time of day and the time spent\n"
           "  ntstrace -e file,registry -Z app.exe\n"
           "      what it does not find: failed calls on files and keys\n"
           "  ntstrace -c app.exe\n"
           "      how often it calls what, and how long that takes\n"
           "  ntstrace record app.exe\n"
           "      all of it into app.nts, which 'ntstrace app.nts' shows\n");
}

/* Of one screen: all of it is in the full help. */
static void add_short_usage(struct buf *b)
{
    add(b, "Usage: ntstrace [OPTION...] PROGRAM [ARGUMENT...]\n"
           "       ntstrace ");
    for (size_t i = 0; i < command_row_count; i++) {
        buf_addf(b, "%s%s", i > 0 ? "|" : "", command_rows[i].name);
    }
    add(b, " ...\n");
}

void help_first(struct buf *b)
{
    add(b, "ntstrace runs a program and shows every system call it makes.\n"
           "\n");
    add_short_usage(b);
    add(b, "\n");
    add_examples(b);
    add(b, "\n"
           "'ntstrace --help' explains all options, 'ntstrace NAME --help' a "
           "command.\n");
}

static void help_for_tracing(struct buf *b)
{
    add_usage(b);
    add(b, "\n"
           "Runs PROGRAM and shows every system call it makes. Options stand"
           " before PROGRAM;\n"
           "what follows it is handed to it untouched.\n");
    for (size_t i = 0; i < opt_count; i++) {
        add_option(b, &opts[i], COMMAND_NONE);
    }
    add(b, "\n"
           "A value may also follow an equals sign (--engine=ring), or its"
           " letter directly\n"
           "(-oFILE). --no-NAME takes back an option without value.\n"
           "\n"
           "Instead of that:\n");
    for (size_t i = 0; i < command_row_count; i++) {
        size_t start = b->size;
        const char *words = command_rows[i].words;

        buf_addf(b, "  %s%s%s", command_rows[i].name, words[0] ? " " : "",
                 words);
        add_at_margin(b, start, command_rows[i].summary);
    }
    add(b, "\n"
           "A program of such a name: ntstrace -- list, or list.exe, or"
           " .\\list.\n"
           "\n");
    add_examples(b);
    add(b, "\n"
           "Exit status: the program's own, or\n"
           "  125  ntstrace failed: usage, system, output\n"
           "  126  the program was found, but is not one that can be traced\n"
           "  127  the program was not found\n"
           "  130  Ctrl-C: the program was let go, and runs on\n");
}

static void help_for_command(struct buf *b, const struct command_row *row)
{
    const struct opt *group = NULL;

    buf_addf(b, "Usage: ntstrace %s%s%s\n\n", row->name,
             row->words[0] ? " " : "", row->words);
    add(b, row->help);
    /* A heading stands before the first of its options that goes with it. */
    for (size_t i = 0; i < opt_count; i++) {
        if (opts[i].kind == OPT_GROUP) {
            group = &opts[i];
        } else if (opts[i].commands & 1u << row->command) {
            if (group != NULL) {
                add_option(b, group, row->command);
                group = NULL;
            }
            add_option(b, &opts[i], row->command);
        }
    }
}

void help_full(struct buf *b, enum command command)
{
    for (size_t i = 0; i < command_row_count; i++) {
        if (command_rows[i].command == command) {
            help_for_command(b, &command_rows[i]);
            return;
        }
    }
    help_for_tracing(b);
}

void help_version(struct buf *b)
{
    add(b, "ntstrace " NTSTRACE_VERSION "\n");
}
