/* SPDX-License-Identifier: MIT */
/*
 * report.c - `ntstrace report FILE.nts`: what the program did, as answers to the
 * questions that people open a trace with.
 *
 * With --text it reads the recording once, and writes the answers at its end;
 * without, page.c makes a page.
 */
#include "cmd/command.h"
#include "cmd/page.h"
#include "cmd/play.h"
#include "cmd/recorded.h"
#include "report/page.h"
#include "report/text.h"
#include "view/output.h"

#include <stdlib.h>

#include "base/banned.h"

struct run {
    struct play play;
    struct answers *answers;
    struct output output;
    struct text_page page;
};

/* What the numbers are of. */
static void tell_head(struct run *r, str file, str program)
{
    const struct answers_rows *rows = answers_rows(r->answers);
    char room[RECORDED_LACK_ROOM];
    struct buf b = BUF_OVER(room);

    buf_addf(&b, "%.*s: %.*s", STR_ARGS(str_file(file)),
             STR_ARGS(str_slice(program, 0, 400)));
    text_page_line(&r->page, buf_str(&b));
    b = BUF_OVER(room);
    buf_addf(&b,
             "%llu calls, %llu of which failed; %lld.%06lld s in calls, "
             "%lld.%06lld s waiting; %llu process%s in %lld.%06lld s",
             (unsigned long long)rows->calls, (unsigned long long)rows->errors,
             (long long)(rows->ns / 1000000000),
             (long long)(rows->ns % 1000000000 / 1000),
             (long long)(rows->wait_ns / 1000000000),
             (long long)(rows->wait_ns % 1000000000 / 1000),
             (unsigned long long)rows->processes.count,
             rows->processes.count == 1 ? "" : "es",
             (long long)(rows->last_ns / 1000000000),
             (long long)(rows->last_ns % 1000000000 / 1000));
    text_page_line(&r->page, buf_str(&b));
    b = BUF_OVER(room);
    for (uint32_t nth = 0; recorded_lack(replay_info(&r->play.replay), nth, &b);
         nth++) {
        text_page_line(&r->page, buf_str(&b));
        b = BUF_OVER(room);
    }
    for (size_t nth = 0; answers_remark(rows, nth, &b); nth++) {
        text_page_line(&r->page, buf_str(&b));
        b = BUF_OVER(room);
    }
}

static bool tell(struct run *r, const struct options *o, struct arena *a,
                 struct err *e)
{
    struct model_out out;
    str program;
    bool stacks;

    r->play.what = "report";
    r->play.quiet = o->view.quiet > 0;
    r->play.view.module_paths = o->view.module_paths;
    if (!play_open(&r->play, o->words[0], a, e)) {
        return false;
    }
    stacks = play_has_stacks(&r->play);
    r->answers = answers_open(stacks ? stacks_of : NULL, &r->play.stacks);
    if (r->answers == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    program = play_program(&r->play, a);
    answers_command(r->answers, program);
    out = answers_out(r->answers);
    if (!play_begin(&r->play, &out, e)) {
        return false;
    }
    answers_clock(r->answers, play_clock(&r->play));
    if (!play_all(&r->play, e) ||
        !output_open(&r->output, o->view.output, true, e)) {
        return false;
    }
    text_page_init(&r->page, output_line, &r->output);
    tell_head(r, o->words[0], program);
    answers_tell(answers_rows(r->answers),
                 o->rows == ROWS_USUAL ? ROWS_DEFAULT : (size_t)o->rows,
                 &r->page.page);
    output_flush(&r->output);
    if (r->output.failed) {
        *e = r->output.why;
        return false;
    }
    return true;
}

static bool make_page(const struct options *o, struct arena *a,
                      struct outcome *out, struct err *e)
{
    struct page_wish wish = {
        .recording = o->words[0],
        .output = o->view.output,
        .rows = o->rows == ROWS_USUAL ? PAGE_ROWS : (size_t)o->rows,
        .quiet = o->view.quiet > 0,
        .module_paths = o->view.module_paths,
    };
    bool damaged = false;
    bool ok = page_make(&wish, a, &out->notes, &damaged, e);

    if (ok && damaged) {
        out->status = (uint32_t)err_exit_status(ERR_BAD_INPUT);
    }
    return ok;
}

bool report_run(const struct options *o, struct arena *a, struct outcome *out,
                struct err *e)
{
    struct run *r;
    struct err ignored;
    bool ok;

    if (!o->text) {
        return make_page(o, a, out, e);
    }
    r = calloc(1, sizeof(*r));
    if (r == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    ok = tell(r, o, a, e);
    if (!output_close(&r->output, ok ? e : &ignored)) {
        ok = false;
    }
    if (ok && play_damage(&r->play, &out->notes)) {
        out->status = (uint32_t)err_exit_status(ERR_BAD_INPUT);
    }
    play_close(&r->play);
    answers_close(r->answers);
    free(r);
    return ok;
}
