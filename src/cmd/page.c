/* SPDX-License-Identifier: MIT */
/*
 * page.c - a recording as a page, in two passes: answers and sums, which are
 * written out; then the calls for the list and the timeline, which are chosen by
 * those, and written as they come.
 *
 * Touches the recording, the page, and the terminal to say how far it has come.
 */
#include "cmd/page.h"

#include "cmd/options.h"
#include "cmd/play.h"
#include "cmd/recorded.h"
#include "format/pieces.h"
#include "format/text.h"
#include "record/about.h"
#include "report/meta.h"
#include "report/page.h"
#include "report/picks.h"
#include "report/tracks.h"
#include "view/output.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* From 1601 to 1970, in units of 100 ns. */
#define EPOCH INT64_C(116444736000000000)
/* Of data that is shown of a call. */
#define PAGE_STRING 32u

static_assert(PAGE_LACKS == RECORDED_LACKS, "page.c");

struct maker {
    const struct page_wish *wish;
    struct play play;  // of the pass that is under way
    struct answers *answers;
    struct tally tally;
    struct output output;
    struct html html;
    struct html_page page;
    struct page_about about;
    char notes[2000];
    /* The second pass. */
    struct picks *picks;
    struct tracks *tracks;
    struct text text;
    struct decoder decoder;
    const struct call *call;  // whose line is being made
    bool decoding;            // decoder and text are there
};

/* --- what it hears --------------------------------------------------------------- */

static void on_leave(void *maker, const struct call *call)
{
    struct maker *m = maker;
    struct model_out out = answers_out(m->answers);

    out.leave(out.ctx, call);
    tally_leave(&m->tally, call);
}

static void on_transition(void *maker, const struct transition_told *t)
{
    struct maker *m = maker;
    struct model_out out = answers_out(m->answers);

    out.transition(out.ctx, t);
    tally_transition(&m->tally, t);
}

static void on_completion(void *maker, const struct completion_told *c)
{
    struct maker *m = maker;
    struct model_out out = answers_out(m->answers);

    out.completion(out.ctx, c);
}

static void on_notice(void *maker, const struct notice *n)
{
    struct maker *m = maker;
    struct model_out out = answers_out(m->answers);

    out.notice(out.ctx, n);
}

static void on_module(void *maker, const struct module_told *module)
{
    struct maker *m = maker;

    tally_module(&m->tally, module);
}

/* The first line of the call is its own: without ids, and name. */
static void on_line(void *maker, str line)
{
    struct maker *m = maker;
    str ids;
    str rest;

    if (m->call == NULL) {
        return;
    }
    str_cut(line, ' ', &ids, &rest);
    if (str_starts(rest, tally_name(m->call))) {
        rest = str_slice(rest, tally_name(m->call).size, rest.size);
    }
    if (str_ends(rest, STR("\n"))) {
        rest.size--;
    }
    picks_add(m->picks, m->call, rest);
    m->call = NULL;
}

static void on_call(void *maker, const struct call *call)
{
    struct maker *m = maker;

    tracks_leave(m->tracks, call);
    if (picks_wants(m->picks, call)) {
        m->call = call;
        decoder_whole(&m->decoder, call);
        m->call = NULL;
    }
}

static void on_mark(void *maker, const struct transition_told *t)
{
    struct maker *m = maker;

    tracks_transition(m->tracks, t);
}

static void on_mapped(void *maker, const struct module_told *module)
{
    struct maker *m = maker;

    tracks_module(m->tracks, module);
}

/* --- what is said of the recording ----------------------------------------------------- */

/* A fact of the INFO, kept; empty: it is not there. */
static str about(const struct play *p, str key, struct arena *a)
{
    str info = replay_info(&p->replay);
    struct buf b = { arena_alloc(a, 1, 1, info.size + 1), 0, info.size + 1,
                     false };

    return about_find(info, key, 0, &b) ? buf_str(&b) : STR("");
}

static str about_started(const struct play *p, struct arena *a)
{
    int64_t ns = about_number(replay_info(&p->replay), STR("started-ns"), 0);
    struct buf b = { ARENA_NEW(a, char, 80), 0, 80, false };

    if (ns > 0) {
        pieces_add_time(&b, ns / 100 + EPOCH);
    }
    return buf_str(&b);
}

/* What stands for itself in any shell's command line. */
static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' ||
           c == '/';
}

/* What means something between quotes as well: to cmd, PowerShell (to which
 * typographic quotes are quotes) or sh. */
static bool ends_quotes(str path, size_t at)
{
    static const str quotes[] = { STR_INIT("\xe2\x80\x9c"),
                                  STR_INIT("\xe2\x80\x9d"),
                                  STR_INIT("\xe2\x80\x9e") };
    unsigned char c = (unsigned char)path.p[at];

    for (size_t i = 0; i < COUNT_OF(quotes); i++) {
        if (str_starts(str_slice(path, at, path.size), quotes[i])) {
            return true;
        }
    }
    return c < ' ' || c == 0x7f || strchr("\"$`\\%!", c) != NULL;
}

/* As a word of a command line that is there to be copied. Of what no quotes make
 * harmless in every shell there is a word in its place. */
static str quoted(str path, struct arena *a)
{
    struct buf b = { ARENA_NEW(a, char, path.size + 4), 0, path.size + 4,
                     false };
    bool plain = path.size > 0;

    for (size_t i = 0; i < path.size; i++) {
        plain = plain && is_plain(path.p[i]);
        if (ends_quotes(path, i)) {
            return STR("RECORDING.nts");
        }
    }
    buf_add(&b, plain ? STR("") : STR("\""));
    /* Not an option. */
    buf_add(&b, str_starts(path, STR("-")) ? STR("./") : STR(""));
    buf_add(&b, path);
    buf_add(&b, plain ? STR("") : STR("\""));
    return buf_str(&b);
}

void page_about_of(const struct play *p, str recording, struct page_about *out,
                   struct arena *a)
{
    out->file = str_file(recording);
    out->quoted = quoted(out->file, a);
    out->program = about(p, STR("program"), a);
    out->command = about(p, STR("command"), a);
    out->machine = about(p, STR("machine"), a);
    out->system = about(p, STR("system"), a);
    out->recorded = about(p, STR("ntstrace"), a);
    out->started = about_started(p, a);
    for (uint32_t i = 0; i < PAGE_LACKS; i++) {
        struct buf b = { arena_alloc(a, 1, 1, RECORDED_LACK_ROOM), 0,
                         RECORDED_LACK_ROOM, false };

        recorded_lack(replay_info(&p->replay), i, &b);
        out->lacks[i] = buf_str(&b);
    }
}

/* --- the two passes ----------------------------------------------------------------------- */

static bool no_memory(struct err *e)
{
    return err_set(e, ERR_OS, "out of memory");
}

static bool open_play(struct maker *m, struct arena *a, struct err *e)
{
    m->play.what = "report";
    m->play.quiet = m->wish->quiet;
    m->play.view.module_paths = m->wish->module_paths;
    return play_open(&m->play, m->wish->recording, a, e);
}

static bool first_pass(struct maker *m, struct arena *a, struct err *e)
{
    struct model_out out = { .ctx = m,
                             .leave = on_leave,
                             .transition = on_transition,
                             .completion = on_completion,
                             .module = on_module,
                             .notice = on_notice };
    bool stacks;

    if (!open_play(m, a, e)) {
        return false;
    }
    stacks = play_has_stacks(&m->play);
    m->answers = answers_open(stacks ? stacks_of : NULL, &m->play.stacks);
    if (m->answers == NULL) {
        return no_memory(e);
    }
    answers_command(m->answers, play_program(&m->play, a));
    if (!play_begin(&m->play, &out, e)) {
        return false;
    }
    answers_clock(m->answers, play_clock(&m->play));
    tally_init(&m->tally, answers_rows(m->answers)->names,
               play_clock(&m->play));
    if (!play_all(&m->play, e)) {
        return false;
    }
    tally_end(&m->tally, &answers_rows(m->answers)->processes);
    page_about_of(&m->play, m->wish->recording, &m->about, a);
    return true;
}

static bool open_second(struct maker *m, struct err *e)
{
    struct answers_rows *rows = answers_rows(m->answers);
    struct decode_options decode = { .wine = play_wine(&m->play),
                                     .string_max = PAGE_STRING,
                                     .brief = true,
                                     .handles = HANDLES_NAMED };
    struct text_options text = { .always_pid = true,
                                 .arg_names = true,
                                 .brief = true };

    m->picks = picks_open(rows, &m->tally, play_clock(&m->play));
    m->tracks = tracks_open(rows, &m->tally, play_clock(&m->play));
    if (m->picks == NULL || m->tracks == NULL) {
        return no_memory(e);
    }
    text_init(&m->text, &text, on_line, m);
    decoder_init(&m->decoder, &m->text.sink, play_clock(&m->play), &decode);
    m->decoding = true;
    return picks_begin(m->picks, &m->html) || no_memory(e);
}

static bool second_pass(struct maker *m, struct arena *a, struct err *e)
{
    struct model_out out = {
        .ctx = m, .leave = on_call, .transition = on_mark, .module = on_mapped
    };

    play_close(&m->play);
    memset(&m->play, 0, sizeof(m->play));
    return open_play(m, a, e) && play_begin(&m->play, &out, e) &&
           open_second(m, e) && play_all(&m->play, e);
}

/* --- the page --------------------------------------------------------------------------------- */

static bool write_data(struct maker *m, struct page_data *d, struct err *e)
{
    struct answers_rows *rows = answers_rows(m->answers);
    uint8_t *used = calloc(labels_count(rows->names) / 8 + 1, 1);
    struct picks_counts counts = picks_counts(m->picks);
    bool ok = used != NULL && picks_end(m->picks, used) &&
              tracks_write(m->tracks, &m->html, used) &&
              meta_write(&m->html, rows, &m->tally, tracks_bins(m->tracks),
                         m->about.quoted, used);

    free(used);
    *d = (struct page_data){
        .all = counts.all,
        .kept = counts.kept,
        .failed = counts.failed,
        .threads = m->tally.threads.count,
        .tracks = m->tally.threads.count < TRACKS_MOST ? m->tally.threads.count
                                                       : TRACKS_MOST,
        .unnamed = rows->unnamed,
    };
    return ok || no_memory(e);
}

static bool write_page(struct maker *m, struct arena *a, struct buf *notes,
                       bool *damaged, struct err *e)
{
    struct answers_rows *rows = answers_rows(m->answers);
    struct buf said = BUF_OVER(m->notes);
    struct page_data data;

    *damaged = play_damage(&m->play, &said);
    buf_add(notes, buf_str(&said));
    m->about.damage = buf_str(&said);
    m->html.write = output_line;
    m->html.ctx = &m->output;
    html_page_init(&m->page, &m->html);
    page_begin(&m->page, &m->about, rows, &m->tally, m->wish->rows);
    answers_tell(rows, m->wish->rows, &m->page.page);
    page_tables(&m->page, &m->tally, m->wish->rows);
    if (!second_pass(m, a, e) || !write_data(m, &data, e)) {
        return false;
    }
    page_end(&m->page, &m->about, &data);
    output_flush(&m->output);
    if (m->output.failed) {
        *e = m->output.why;
        return false;
    }
    return true;
}

static void close_all(struct maker *m)
{
    if (m->decoding) {
        decoder_close(&m->decoder);
        text_close(&m->text);
    }
    picks_close(m->picks);
    tracks_close(m->tracks);
    play_close(&m->play);
    tally_close(&m->tally);
    answers_close(m->answers);
}

static bool open_output(struct maker *m, str path, struct err *e)
{
    return m->wish->output.size > 0 ? output_open(&m->output, path, true, e)
                                    : output_create(&m->output, path, e);
}

bool page_make(const struct page_wish *wish, struct arena *a, struct buf *notes,
               bool *damaged, struct err *e)
{
    struct maker *m = calloc(1, sizeof(*m));
    str output = wish->output.size > 0
                     ? wish->output
                     : options_beside(str_file(wish->recording), STR(".nts"),
                                      STR(".html"), a);
    struct err ignored;
    bool ok;

    if (m == NULL) {
        return no_memory(e);
    }
    m->wish = wish;
    ok = first_pass(m, a, e);
    if (ok && open_output(m, output, e)) {
        ok = write_page(m, a, notes, damaged, e);
        close_all(m);
        ok = output_close(&m->output, ok ? e : &ignored) && ok;
        if (ok && !wish->quiet && output.p[0] != '|') {
            buf_addf(notes, "page: %.*s\n", STR_ARGS(output));
        }
    } else {
        ok = false;
        close_all(m);
    }
    free(m);
    return ok;
}
