/* SPDX-License-Identifier: MIT */
/*
 * top.c - `ntstrace top PROGRAM`: counts of a program that runs, again and again,
 * as a screen or as tables.
 *
 * Touches standard output, or the file of -o, and the terminal's mode, which is put
 * back before anything else is said, however the program ends. What the program
 * itself writes would ruin the screen, and what we print: unless that goes to a
 * file, it gets handles of its own, and for a screen a console of its own as well.
 */
#include "cmd/command.h"
#include "format/text.h"
#include "live/session.h"
#include "top/counts.h"
#include "top/keys.h"
#include "top/screen.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* Keys are looked for so often at most: a look costs a call or two. */
#define KEYS_MS 10
#define SECOND_NS UINT64_C(1000000000)

struct top {
    const struct options *options;
    struct keys keys;
    struct counts *counts;
    const struct clock *clock;  // borrowed; NULL: not yet, or no more
    struct os_apart apart;
    struct output output;
    struct buf picture;  // owned: one screen
    char program[600];   // its name
    struct screen_head head;
    bool told;        // head and program are there
    bool on_screen;   // just now
    bool tables;      // are printed, for there is no screen
    bool ended;       // by the user, or by --count
    uint64_t shown;   // intervals
    uint64_t every;   // counter ticks, as all that follows
    uint64_t start;   // 0: there was no turn yet
    uint64_t ticked;  // when the last interval ended
    uint64_t keys_at;
    /* Of notices, for the user, when all is over. */
    struct decoder decoder;
    struct text text;
    bool decoding;
    struct buf *notes;
};

static uint64_t counter_now(void)
{
    struct os_clock now;

    os_clock_read(&now);
    return now.counter;
}

static uint64_t ns_of(uint64_t ticks)
{
    uint64_t frequency = os_counter_frequency();

    return ticks / frequency * SECOND_NS +
           ticks % frequency * SECOND_NS / frequency;
}

/* --- the output --- */

/* There is a terminal, and it is not to be left alone. */
static bool take_screen(struct top *t)
{
    const struct options *o = t->options;

    return o->view.output.size == 0 && o->screen != SCREEN_NEVER &&
           os_screen_open(o->screen == SCREEN_ALWAYS);
}

static void write_out(struct top *t, str bytes)
{
    struct output *out = &t->output;

    out->failed = out->failed || !os_file_write(&out->file, bytes, &out->why);
}

static void enter_screen(struct top *t)
{
    write_out(t, STR(SCREEN_ENTER));
    t->on_screen = true;
}

/* The terminal is what it was. */
static void leave_screen(struct top *t)
{
    if (t->on_screen) {
        write_out(t, STR(SCREEN_LEAVE));
        t->on_screen = false;
    }
    os_screen_close();
}

static bool top_open(void *top, struct err *e)
{
    struct top *t = top;
    const struct options *o = t->options;

    if (!output_open(&t->output, o->view.output, true, e)) {
        return false;
    }
    t->tables = !take_screen(t);
    t->apart.console = t->tables;
    if (!t->tables) {
        t->picture = (struct buf){ malloc(SCREEN_ROOM), 0, SCREEN_ROOM, false };
        if (t->picture.p == NULL) {
            os_screen_close();
            return err_set(e, ERR_OS, "out of memory");
        }
    }
    return true;
}

static void draw(struct top *t)
{
    uint32_t columns, rows;

    os_screen_size(&columns, &rows);
    t->picture.size = 0;
    screen_draw(&t->picture, t->counts, &t->head, &t->keys, columns, rows);
    write_out(t, buf_str(&t->picture));
}

/* A table: in a file, and in a pipe that is no terminal, as wide as it is. */
static void print(struct top *t)
{
    const struct options *o = t->options;
    uint32_t columns = 0;
    uint32_t rows;

    if (!t->tables || os_is_terminal(&t->output.file)) {
        os_screen_size(&columns, &rows);
    }
    screen_print(t->counts, &t->head, &t->keys,
                 o->rows == ROWS_USUAL ? ROWS_DEFAULT : (size_t)o->rows,
                 columns, output_line, &t->output);
    output_flush(&t->output);
}

/* --- what the session tells --- */

/* A line about what is missing. */
static void on_line(void *top, str line)
{
    struct top *t = top;

    buf_add(t->notes, line);
}

static void top_begin(void *top, const struct clock *clock)
{
    struct top *t = top;
    const struct text_options text = { .always_pid = true, .arg_names = true };

    t->clock = clock;
    text_init(&t->text, &text, on_line, t);
    decoder_init(&t->decoder, &t->text.sink, clock, NULL);
    t->decoding = true;
}

static void top_leave(void *top, const struct call *call)
{
    struct top *t = top;

    counts_leave(t->counts, t->clock, call);
}

/* There may be many: what is lost is on the screen as well, and is a note once. */
static void top_notice(void *top, const struct notice *n)
{
    struct top *t = top;

    if (n->kind == NOTICE_LOST) {
        t->head.lost += n->data ? 0 : n->count;
    } else {
        decoder_notice(&t->decoder, n);
    }
}

static void tick(struct top *t, uint64_t now)
{
    counts_tick(t->counts);
    t->head.ns = ns_of(now - t->start);
    t->head.last_ns = ns_of(now - t->ticked);
    t->ticked = now;
}

static void learn(struct top *t, const struct watch_turn *now)
{
    struct buf name = BUF_OVER(t->program);

    t->head.processes = now->processes;
    if (!t->told && now->pid != 0) {
        t->told = true;
        buf_add(&name, str_slice(str_file(now->image), 0, sizeof(t->program)));
        t->head.program = buf_str(&name);
        t->head.pid = now->pid;
    }
}

/* All keys that were pressed; true: what is shown is to be another. */
static bool take_keys(struct top *t)
{
    bool other = false;
    uint32_t key;

    while (!t->ended && (key = os_screen_key()) != 0) {
        enum keys_ask ask = keys_press(&t->keys, key);

        t->ended = ask == KEYS_QUIT;
        other |= ask == KEYS_DRAW;
    }
    return other;
}

static void turn_screen(struct top *t, uint64_t now)
{
    bool was_paused = t->keys.paused;
    bool due = now - t->ticked >= t->every;
    bool other = false;

    if (!t->on_screen) {
        enter_screen(t);
        tick(t, now);
        other = true;
    }
    if (now - t->keys_at >= os_counter_frequency() * KEYS_MS / 1000) {
        t->keys_at = now;
        other |= take_keys(t);
    }
    if (!t->keys.paused && (due || was_paused)) {
        tick(t, now);
        t->shown++;
        other = true;
    }
    if (other && !t->ended) {
        draw(t);
    }
}

static void turn_tables(struct top *t, uint64_t now)
{
    if (now - t->ticked >= t->every) {
        tick(t, now);
        t->shown++;
        print(t);
    }
}

static bool top_turn(void *top, const struct watch_turn *turn)
{
    struct top *t = top;
    uint64_t now = counter_now();

    learn(t, turn);
    if (t->start == 0) {
        t->start = now;
        t->ticked = now;
    }
    if (t->tables) {
        turn_tables(t, now);
    } else {
        turn_screen(t, now);
    }
    t->ended |= t->options->count > 0 && t->shown >= t->options->count;
    return !t->ended && !t->output.failed;
}

/* --- from the beginning to the end --- */

/* All of it, over all of the time. After --count enough was printed. */
static void print_last(struct top *t)
{
    uint64_t now = counter_now();

    if (t->tables && t->options->count > 0 && t->shown >= t->options->count) {
        return;
    }
    counts_tick_all(t->counts);
    t->head.ns = ns_of(now - t->start);
    t->head.last_ns = t->head.ns;
    t->head.whole = true;
    print(t);
}

static bool choose(struct top *t, struct err *e)
{
    static const enum counts_by kinds[] = {
        [BY_NAME] = COUNTS_BY_CALL,
        [BY_THREAD] = COUNTS_BY_THREAD,
        [BY_PROCESS] = COUNTS_BY_PROCESS,
        [BY_FILE] = COUNTS_BY_FILE,
    };
    const struct options *o = t->options;

    t->keys.by = kinds[o->view.summary_by];
    if (o->view.summary_sort.size > 0 &&
        !keys_order_find(o->view.summary_sort, &t->keys.order)) {
        return err_set(e, ERR_USAGE,
                       "-S: no column '%.*s'; there are rate, error-rate, "
                       "time-rate, wait-rate, calls, errors, time, waits and "
                       "name",
                       STR_ARGS(o->view.summary_sort));
    }
    t->every = os_counter_frequency() / 1000 * o->interval_ms;
    t->counts = counts_open(COUNTS_ROWS_MOST);
    return t->counts != NULL || err_set(e, ERR_OS, "out of memory");
}

/* Where it cannot be seen that it does. */
static void note_goes_on(struct top *t)
{
    if (t->ended && !t->tables && t->options->launch.attach.count == 0) {
        buf_addf(t->notes, "process %u runs on, untraced\n",
                 (unsigned)t->head.pid);
    }
}

static void note_losses(struct top *t)
{
    if (t->head.lost > 0) {
        buf_addf(t->notes,
                 "%llu records were lost; their calls are not counted\n",
                 (unsigned long long)t->head.lost);
    }
}

static bool run(struct top *t, struct outcome *out, struct err *e)
{
    const struct options *o = t->options;
    struct launch_options launch = o->launch;
    const struct watch watch = {
        .ctx = t,
        .open = top_open,
        .begin = top_begin,
        .leave = top_leave,
        .notice = top_notice,
        .turn = top_turn,
    };
    bool ok;

    t->apart.output = o->program_output;
    launch.watch = &watch;
    if (o->view.output.size == 0 || o->program_output.size > 0) {
        launch.apart = &t->apart;
    }
    ok = session_run(&launch, &o->view, &out->status, &out->notes, e);
    leave_screen(t);
    if (ok && t->start != 0) {
        print_last(t);
        note_losses(t);
        note_goes_on(t);
    }
    if (ok && t->output.failed) {
        *e = t->output.why;
        ok = false;
    }
    return ok;
}

bool top_run(const struct options *o, struct arena *a, struct outcome *out,
             struct err *e)
{
    struct top *t = calloc(1, sizeof(*t));
    struct err ignored;
    bool ok;

    (void)a;
    if (t == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    t->options = o;
    t->notes = &out->notes;
    t->head.program = STR("");
    ok = choose(t, e) && run(t, out, e);
    if (!output_close(&t->output, ok ? e : &ignored)) {
        ok = false;
    }
    if (t->decoding) {
        decoder_close(&t->decoder);
        text_close(&t->text);
    }
    counts_close(t->counts);
    free(t->picture.p);
    free(t);
    if (o->view.quiet > 0) {
        out->notes.size = 0;
    }
    return ok;
}
