/* SPDX-License-Identifier: MIT */
/*
 * diff.c - `ntstrace diff A.nts B.nts`: what changed between two runs.
 *
 * Reads one recording after the other, each once. The exit status is that of
 * diff(1): 0 for nothing, 1 for something, 2 for trouble.
 */
#include "cmd/command.h"
#include "cmd/play.h"
#include "report/compare.h"
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
    if (!play_begin(p, &to, e)) {
        return false;
    }
    flat_clock(r->flat, play_clock(p));
    ok = play_all(p, e);
    flat_close(r->flat);
    r->flat = NULL;
    return ok;
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
    compare_end(r->compare);
    if (!output_open(&r->output, o->view.output, true, e)) {
        return false;
    }
    text_page_init(&r->page, output_line, &r->output);
    compare_tell(r->compare,
                 o->rows == ROWS_USUAL ? ROWS_DEFAULT : (size_t)o->rows,
                 &r->page.page);
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
    out->status = damaged ? (uint32_t)err_exit_status(ERR_TROUBLE)
                          : ok && compare_differs(r->compare);
    flat_close(r->flat);
    for (int i = 0; i < COMPARE_SIDES; i++) {
        play_close(&r->plays[i]);
    }
    compare_close(r->compare);
    free(r);
    return ok;
}
