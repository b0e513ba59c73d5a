/* SPDX-License-Identifier: MIT */
/*
 * main.c - from the command line to an exit status. The only file that
 * prints.
 */
#include "base/keyed.h"
#include "cmd/command.h"
#include "cmd/help.h"
#include "cmd/options.h"
#include "platform/os.h"

#include <stdlib.h>

#define BANNED_BUT_MAY_PRINT
#include "base/banned.h"

#define ARENA_SIZE (8u << 20)

/* clang-format off */
static const struct {
    enum command command;
    command_run *run;
} commands[] = {
    { COMMAND_TRACE, trace_run },
#define COMMAND(code, name, least, most, words, summary, help, run) \
    { COMMAND_##code, run },
#include "cmd/commands.def"
#undef COMMAND
};
/* clang-format on */

static bool print(struct os_file to, str text, struct err *e)
{
    return os_file_write(&to, text, e);
}

/* Who reads what we print has had enough: nothing has failed. Where a program is
 * traced something has: it runs on, and nobody sees what it does. */
static bool had_enough(const struct options *o, const struct err *e)
{
    return e->code == ERR_UNREAD && o->command != COMMAND_TRACE &&
           o->command != COMMAND_RECORD;
}

static int fail(const struct err *e)
{
    char room[700];
    struct buf b = BUF_OVER(room);
    struct err ignored;

    buf_addf(&b, "ntstrace: %s\n", e->text);
    print(os_stderr(), buf_str(&b), &ignored);
    return err_exit_status(e->code);
}

static int end(const struct options *o, const struct err *e)
{
    return had_enough(o, e) ? 0 : fail(e);
}

/* Each line of `notes` as a message of ours. */
static void tell(const struct buf *notes)
{
    str rest = buf_str(notes);
    str line;

    while (str_cut(rest, '\n', &line, &rest)) {
        char room[500];
        struct buf b = BUF_OVER(room);
        struct err ignored;

        buf_addf(&b, "ntstrace: %.*s\n", STR_ARGS(line));
        print(os_stderr(), buf_str(&b), &ignored);
    }
}

static void out_of_memory(size_t wanted)
{
    struct err e;

    err_set(&e, ERR_LIMIT, "out of memory (%zu bytes wanted)", wanted);
    exit(fail(&e));
}

/* Our own command line as WTF-8, in the arena. */
static str command_line(struct arena *a)
{
    struct str16 wide = os_command_line();
    struct buf b = { arena_alloc(a, 1, 1, wide.size * 3 + 1), 0,
                     wide.size * 3 + 1, false };

    os_to_utf8(&b, wide);
    return buf_str(&b);
}

/* Does what was asked for; the exit status. */
static int run(const struct options *o, struct arena *a)
{
    static char notes_room[4096];
    struct outcome out = { .notes = BUF_OVER(notes_room) };
    struct err e = { 0 };
    bool ok = true;

    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        if (commands[i].command == o->command) {
            ok = commands[i].run(o, a, &out, &e);
        }
    }
    tell(&out.notes);
    return ok ? (int)out.status : end(o, &e);
}

int main(void)
{
    static char room[HELP_ROOM];
    struct buf text = BUF_OVER(room);
    char *memory = malloc(ARENA_SIZE);
    struct options o = { 0 };
    struct err e = { 0 };
    struct arena a;

    if (memory == NULL) {
        out_of_memory(ARENA_SIZE);
    }
    /* When it is, and where things are: new in each run. */
    keyed_seed(os_tsc(), (uintptr_t)memory ^ (uint64_t)(uintptr_t)&a << 32);
    a = arena_over(memory, ARENA_SIZE, out_of_memory);
    if (!options_parse(&o, command_line(&a), &a, &e)) {
        return fail(&e);
    }
    if (o.help) {
        help_full(&text, o.command);
        return print(os_stdout(), buf_str(&text), &e) ? 0 : end(&o, &e);
    }
    if (o.version) {
        help_version(&text);
        return print(os_stdout(), buf_str(&text), &e) ? 0 : end(&o, &e);
    }
    if (o.command == COMMAND_NONE) {
        help_first(&text);
        print(os_stderr(), buf_str(&text), &e);
        return err_exit_status(ERR_USAGE);
    }
    return run(&o, &a);
}
