/* SPDX-License-Identifier: MIT */
/*
 * export.c - `ntstrace export --to=KIND FILE.nts`: a recording for other programs.
 *
 * JSON is what replay writes; the rest are rows (report/flat.h) in files, or in a
 * database. Reads the recording once.
 */
#include "cmd/command.h"
#include "cmd/database.h"
#include "cmd/play.h"
#include "report/files.h"
#include "view/output.h"

#include <stdlib.h>

#include "base/banned.h"

struct run {
    struct play play;
    struct output output;
    const struct file_kind *kind;  // NULL: a database
    struct file_out *file;         // owned
    struct database *database;     // owned
    struct answers *answers;       // owned, for the database
    struct flat *flat;             // owned
    struct model_out first;        // of the two that hear the model
    struct model_out second;
};

/* --- two that listen ----------------------------------------------------------- */

static void on_leave(void *run, const struct call *call)
{
    struct run *r = run;

    r->first.leave(r->first.ctx, call);
    r->second.leave(r->second.ctx, call);
}

static void on_transition(void *run, const struct transition_told *t)
{
    struct run *r = run;

    r->first.transition(r->first.ctx, t);
    r->second.transition(r->second.ctx, t);
}

static void on_completion(void *run, const struct completion_told *c)
{
    struct run *r = run;

    r->first.completion(r->first.ctx, c);
}

static void on_module(void *run, const struct module_told *m)
{
    struct run *r = run;

    r->second.module(r->second.ctx, m);
}

static void on_notice(void *run, const struct notice *n)
{
    struct run *r = run;

    r->first.notice(r->first.ctx, n);
    r->second.notice(r->second.ctx, n);
}

static struct model_out both(struct run *r)
{
    r->first = answers_out(r->answers);
    r->second = flat_model_out(r->flat);
    return (struct model_out){
        .ctx = r,
        .leave = on_leave,
        .transition = on_transition,
        .completion = on_completion,
        .module = on_module,
        .notice = on_notice,
    };
}

/* --- the run ---------------------------------------------------------------------- */

static bool goes_on(void *run)
{
    struct run *r = run;

    return r->database != NULL ? !database_failed(r->database)
                               : !r->output.failed;
}

static bool open_target(struct run *r, const struct options *o, struct err *e)
{
    if (r->kind == NULL) {
        if (o->view.output.size == 0 || o->view.output.p[0] == '|') {
            return err_set(e, ERR_USAGE,
                           "--to=sqlite: needs a file: -o FILE.db");
        }
        r->database = database_open(o->view.output, e);
        r->answers = r->database != NULL ? answers_open(NULL, NULL) : NULL;
        return r->database != NULL &&
               (r->answers != NULL || err_set(e, ERR_OS, "out of memory"));
    }
    r->file = r->kind->open(output_line, &r->output);
    if (r->file == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    return output_open(&r->output, o->view.output, true, e);
}

static bool export_it(struct run *r, const struct options *o, struct arena *a,
                      struct err *e)
{
    struct flat_options options = { .args = true };
    struct flat_out out;
    struct model_out to;

    r->play.what = "export";
    r->play.quiet = o->view.quiet > 0 || o->view.output.size == 0;
    r->play.go_on = goes_on;
    r->play.go_on_ctx = r;
    r->play.view.module_paths = o->view.module_paths;
    if (!play_open(&r->play, o->words[0], a, e) || !open_target(r, o, e)) {
        return false;
    }
    options.wine = play_wine(&r->play);
    if (r->kind != NULL) {
        options.args = r->kind->args;
    }
    if (r->kind != NULL && r->kind->callers && play_has_stacks(&r->play)) {
        options.stack_of = stacks_of;
        options.stack_ctx = &r->play.stacks;
    }
    out = r->kind != NULL ? r->kind->out(r->file) : database_out(r->database);
    r->flat = flat_open(&options, &out);
    if (r->flat == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    to = r->answers != NULL ? both(r) : flat_model_out(r->flat);
    if (!play_begin(&r->play, &to, e)) {
        return false;
    }
    flat_clock(r->flat, play_clock(&r->play));
    if (r->answers != NULL) {
        answers_clock(r->answers, play_clock(&r->play));
        answers_command(r->answers, play_program(&r->play, a));
    }
    if (r->kind != NULL) {
        r->kind->begin(r->file, flat_wall_ns(r->flat));
    }
    if (!play_all(&r->play, e)) {
        return false;
    }
    if (r->kind == NULL) {
        return database_end(r->database, answers_rows(r->answers), e);
    }
    r->kind->end(r->file);
    output_flush(&r->output);
    if (r->output.failed) {
        *e = r->output.why;
    }
    return !r->output.failed;
}

enum export_kind {
    EXPORT_FILE,
    EXPORT_JSON,
    EXPORT_SQLITE,
};

static const struct {
    const char *name;
    enum export_kind kind;
    const struct file_kind *file;
} kinds[] = {
    { "perfetto", EXPORT_FILE, &file_perfetto },
    { "sqlite", EXPORT_SQLITE, NULL },
    { "json", EXPORT_JSON, NULL },
    { "csv", EXPORT_FILE, &file_csv },
    { "folded", EXPORT_FILE, &file_folded },
};

/* Which row --to means; COUNT_OF(kinds): none. */
static size_t kind_of(str to)
{
    size_t i = 0;

    while (i < COUNT_OF(kinds) && !str_is(to, kinds[i].name)) {
        i++;
    }
    return i;
}

/* Everything, as replay writes it. */
static bool export_json(const struct options *o, struct arena *a,
                        struct outcome *out, struct err *e)
{
    struct options *json = malloc(sizeof(*json));
    bool ok;

    if (json == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    *json = *o;
    json->view.json = true;
    json->view.to = STR("");
    json->view.expressions.at[0] = STR("status=all");
    json->view.expressions.count = 1;
    ok = replay_run(json, a, out, e);
    free(json);
    return ok;
}

bool export_run(const struct options *o, struct arena *a, struct outcome *out,
                struct err *e)
{
    size_t kind = kind_of(o->view.to);
    struct run *r;
    struct err ignored;
    bool ok;

    if (kind == COUNT_OF(kinds)) {
        return err_set(e, ERR_USAGE,
                       o->view.to.size == 0
                           ? "export: needs to know what for: --to=perfetto, "
                             "sqlite, json, csv or folded%.*s"
                           : "--to: export knows perfetto, sqlite, json, csv "
                             "and folded, not '%.*s'",
                       STR_ARGS(o->view.to));
    }
    if (kinds[kind].kind == EXPORT_JSON) {
        return export_json(o, a, out, e);
    }
    r = calloc(1, sizeof(*r));
    if (r == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    r->kind = kinds[kind].file;
    ok = export_it(r, o, a, e);
    if (r->kind != NULL && !output_close(&r->output, ok ? e : &ignored)) {
        ok = false;
    }
    if (ok && o->view.quiet == 0 && r->kind != NULL && r->kind->callers &&
        !play_has_stacks(&r->play)) {
        buf_addf(&out->notes, "recorded without -k: the callers are not in "
                              "the file\n");
    }
    if (ok && play_damage(&r->play, &out->notes)) {
        out->status = (uint32_t)err_exit_status(ERR_BAD_INPUT);
    }
    play_close(&r->play);
    flat_close(r->flat);
    if (r->kind != NULL) {
        r->kind->close(r->file);
    }
    database_close(r->database);
    answers_close(r->answers);
    free(r);
    return ok;
}
