/* SPDX-License-Identifier: MIT */
/*
 * diff.c - `ntstrace diff A.nts B.nts`: what changed between two runs, as text or
 * as a page.
 *
 * Reads one recording after the other, each once. The exit status is that of
 * diff(1): 0 for nothing, 1 for something, 2 for trouble.
 */
#include "cmd/command.h"
#include "cmd/page.h"
#include "cmd/play.h"
#include "cmd/recorded.h"
#include "report/compare.h"
#include "report/diff_page.h"
#include "report/text.h"
#include "view/output.h"

#include <stdlib.h>

#include "base/banned.h"

struct run {
    struct play plays[COMPARE_SIDES];
    struct flat *flat;        // owned: of the side that is read
    struct compare *compare;  // owned
    struct output output;
    struct text_page page;
    /* With --html. */
    struct page_about about[COMPARE_SIDES];
    str commands[COMPARE_SIDES];
    char damage[COMPARE_SIDES][2000];
    struct html html;
    struct html_page html_page;
};

static bool read_side(struct run *r, const struct options *o,
                      enum compare_side side, struct arena *a, struct err *e)
{
    struct play *p = &r->plays[side];
    struct flat_options options = { 0 };
    struct flat_out out = compare_out(r->compare, side);
    struct model_out to;
    bool ok;

    p->what = side == COMPARE_A ? "diff A" : "diff B";
    p->quiet = o->view.quiet > 0;
    if (!play_open(p, o->words[side], a, e)) {
        return false;
    }
    options.wine = play_wine(p);
    r->flat = flat_open(&options, &out);
    if (r->flat == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    to = flat_model_out(r->flat);
    r->commands[side] = play_command(p, a);
    compare_command(r->compare, side, r->commands[side]);
    if (!play_begin(p, &to, e)) {
        return false;
    }
    flat_clock(r->flat, play_clock(p));
    ok = play_all(p, e);
    flat_close(r->flat);
    r->flat = NULL;
    page_about_of(p, o->words[side], &r->about[side], a);
    return ok;
}

/* Where the result goes. */
static bool open_output(struct run *r, const struct options *o, struct arena *a,
                        struct err *e)
{
    str path = o->view.output;
    bool made_up = o->html && path.size == 0;

    if (made_up) {
        path = options_beside(str_file(o->words[COMPARE_A]), STR(".nts"),
                              STR(".diff.html"), a);
    }
    return made_up ? output_create(&r->output, path, e)
                   : output_open(&r->output, path, true, e);
}

static void write_page(struct run *r, size_t rows)
{
    for (int i = 0; i < COMPARE_SIDES; i++) {
        struct buf said = BUF_OVER(r->damage[i]);

        play_damage(&r->plays[i], &said);
        r->about[i].damage = buf_str(&said);
    }
    r->html.write = output_line;
    r->html.ctx = &r->output;
    html_page_init(&r->html_page, &r->html);
    diff_page_write(&r->html_page, r->compare, r->about, rows);
}

/* Which is which. */
static void tell_sides(struct run *r)
{
    char room[1000];

    for (int side = 0; side < COMPARE_SIDES; side++) {
        const struct page_about *about = &r->about[side];
        str program =
            r->commands[side].size > 0 ? r->commands[side] : about->command;
        struct buf b = BUF_OVER(room);

        buf_add(&b, side == COMPARE_A ? STR("A: ") : STR("B: "));
        buf_add(&b, str_slice(about->file, 0, 400));
        buf_add(&b, STR(": "));
        buf_add(&b, str_slice(program, 0, 400));
        text_page_line(&r->page, buf_str(&b));
    }
}

/* What one does not have, for the other to be compared with it. */
static void tell_lacks(struct run *r)
{
    char room[RECORDED_LACK_ROOM + 10];
    bool alike = true;

    for (int side = 0; side < COMPARE_SIDES; side++) {
        for (size_t i = 0; i < PAGE_LACKS; i++) {
            struct buf b = BUF_OVER(room);
            str lack = r->about[side].lacks[i];

            alike = alike && str_eq(lack, r->about[!side].lacks[i]);
            if (lack.size > 0) {
                buf_add(&b, side == COMPARE_A ? STR("A: ") : STR("B: "));
                buf_add(&b, lack);
                text_page_line(&r->page, buf_str(&b));
            }
        }
    }
    if (!alike) {
        text_page_line(&r->page,
                       STR("A and B were not recorded alike: what is different "
                           "may be so for that alone"));
    }
}

static void write_text(struct run *r, size_t rows)
{
    text_page_init(&r->page, output_line, &r->output);
    if (compare_differs(r->compare)) {
        tell_sides(r);
    }
    tell_lacks(r);
    compare_tell(r->compare, rows, &r->page.page);
}

static bool compare(struct run *r, const struct options *o, struct arena *a,
                    struct err *e)
{
    r->compare = compare_open(o->ignored.at, o->ignored.count);
    if (r->compare == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    if (!read_side(r, o, COMPARE_A, a, e) ||
        !read_side(r, o, COMPARE_B, a, e)) {
        return false;
    }
    if (!compare_end(r->compare)) {
        return err_set(e, ERR_OS, "out of memory");
    }
    if (!open_output(r, o, a, e)) {
        return false;
    }
    if (o->html) {
        write_page(r, o->rows == ROWS_USUAL ? PAGE_ROWS : (size_t)o->rows);
    } else {
        write_text(r, o->rows == ROWS_USUAL ? ROWS_DEFAULT : (size_t)o->rows);
    }
    output_flush(&r->output);
    if (r->output.failed) {
        *e = r->output.why;
        return false;
    }
    return true;
}

bool diff_run(const struct options *o, struct arena *a, struct outcome *out,
              struct err *e)
{
    struct run *r = calloc(1, sizeof(*r));
    struct err ignored;
    bool damaged = false;
    bool ok;

    if (r == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    ok = compare(r, o, a, e);
    if (!output_close(&r->output, ok ? e : &ignored)) {
        ok = false;
    }
    for (int i = 0; ok && i < COMPARE_SIDES; i++) {
        damaged = play_damage(&r->plays[i], &out->notes) || damaged;
    }
    if (!ok && e->code != ERR_UNREAD) {
        e->code = ERR_TROUBLE;
    }
    if (damaged || (ok && !compare_differs(r->compare) &&
                    compare_refused(r->compare) > 0)) {
        out->status = (uint32_t)err_exit_status(ERR_TROUBLE);
    } else {
        out->status = ok && compare_differs(r->compare);
    }
    flat_close(r->flat);
    for (int i = 0; i < COMPARE_SIDES; i++) {
        play_close(&r->plays[i]);
    }
    compare_close(r->compare);
    free(r);
    return ok;
}
