/* SPDX-License-Identifier: MIT */
/*
 * recording.c - what a trace file says of itself.
 *
 * Everything else that is in it comes from the model's tap (record/recorder.c).
 */
#include "live/recording.h"

#include "base/version.h"
#include "live/session.h"
#include "platform/os.h"
#include "record/about.h"
#include "view/declared.h"

#include <stdlib.h>

#include "base/banned.h"

/* A command line, expressions and paths, each of which may be long. */
#define INFO_ROOM ((size_t)1 << 20)

static void add_list(struct buf *b, str key, const struct option_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        about_add(b, key, list->at[i]);
    }
}

static void add_system(struct buf *b, void (*name)(struct buf *), str key)
{
    char room[300];
    struct buf value = BUF_OVER(room);

    name(&value);
    about_add(b, key, buf_str(&value));
}

static void add_command(struct buf *b)
{
    struct str16 wide = os_command_line();
    size_t room = wide.size * 3 + 1;
    struct buf line = { malloc(room), 0, room, false };

    if (line.p != NULL) {
        os_to_utf8(&line, wide);
        about_add(b, STR("command"), buf_str(&line));
        free(line.p);
    }
}

/* What is shown unless a replay asks for something else. */
static void add_view(struct buf *b, const struct view_options *v)
{
    add_list(b, STR("expression"), &v->expressions);
    for (size_t i = 0; i < v->paths.count; i++) {
        static char room[3 * 32768];
        struct buf full = BUF_OVER(room);

        if (filter_path_is_absolute(v->paths.at[i])) {
            about_add(b, STR("path"), v->paths.at[i]);
        } else {
            os_full_path(&full, v->paths.at[i]);
            about_add(b, STR("path"), buf_str(&full));
        }
    }
    about_add_number(b, STR("successful-only"), v->successful_only);
    about_add_number(b, STR("failed-only"), v->failed_only);
    about_add_number(b, STR("string-limit"), (int64_t)v->string_limit);
    about_add_number(b, STR("abbrev"), v->abbrev);
    about_add_number(b, STR("stack"),
                     v->stacks || v->caller ? (int64_t)v->stack_size : 0);
}

/* False: they are too many. */
static bool add_prototypes(struct buf *b, const struct session *s,
                           struct call_system on)
{
    struct buf text = { malloc(DECLARED_TEXT_MOST), 0, DECLARED_TEXT_MOST,
                        false };
    bool ok;

    if (on.own == NULL) {
        free(text.p);
        return true;
    }
    if (text.p != NULL) {
        declared_text(&text, telling_own(&s->telling), on);
        about_add(b, STR("prototypes"), buf_str(&text));
    }
    ok = text.p != NULL && !text.cut;
    free(text.p);
    return ok;
}

static void add_info(struct buf *b, const struct session *s,
                     const struct model_config *config)
{
    const struct timing *t = &s->timing;
    struct journal_clock points[2];

    timing_points(t, points);
    about_add(b, STR("ntstrace"), STR(NTSTRACE_VERSION));
    add_command(b);
    about_add(b, STR("program"), s->options->program);
    add_system(b, os_machine_name, STR("machine"));
    add_system(b, os_system_name, STR("system"));
    about_add_number(b, STR("build"), config->system.build);
    about_add_number(b, STR("wine"), config->system.wine);
    about_add_number(b, STR("started-ns"), points[0].wall_ns);
    about_add_number(b, STR("started-tsc"), (int64_t)points[0].head.time);
    about_add_number(b, STR("utc-offset"), os_utc_offset());
    about_add_number(b, STR("tsc-hz"), (int64_t)(t->tsc_per_ms * 1000));
    about_add_number(b, STR("hold"), (int64_t)config->hold);
    about_add_number(b, STR("handles"), !config->no_handles);
    about_add(b, STR("engine"),
              s->options->engine == ENGINE_HANDSHAKE ? STR("handshake")
              : s->options->patch                    ? STR("ring")
                                                     : STR("ring, no patch"));
    add_view(b, s->view);
}

bool recording_begin(struct session *s, struct model_config *config,
                     struct err *e)
{
    const struct launch_options *o = s->options;
    struct buf info = { NULL, 0, INFO_ROOM, false };
    bool ok;

    if (o->record.size == 0) {
        return true;
    }
    s->recorder = calloc(1, sizeof(*s->recorder));
    info.p = malloc(INFO_ROOM);
    if (s->recorder == NULL || info.p == NULL) {
        free(info.p);
        free(s->recorder);
        s->recorder = NULL; /* there is nothing to end */
        return err_set(e, ERR_OS, "out of memory");
    }
    add_info(&info, s, config);
    if (!add_prototypes(&info, s, config->system)) {
        free(info.p);
        free(s->recorder);
        s->recorder = NULL;
        return err_set(e, ERR_LIMIT,
                       "--prototypes: a recording keeps only %u KiB of them",
                       (unsigned)(DECLARED_TEXT_MOST >> 10));
    }
    ok = recorder_begin(s->recorder, o->record, o->compress,
                        s->timing.tsc_per_ms * 1000, buf_str(&info), e);
    s->recorder->returns_only = !o->patch && o->engine == ENGINE_RING;
    free(info.p);
    config->tap = &s->recorder->tap;
    s->identities = true;
    progress_begin(&s->progress, 1, o->record_only && s->view->quiet == 0);
    return ok;
}

void recording_model(struct session *s)
{
    if (s->recorder != NULL) {
        s->recorder->model = s->model;
    }
}

/* Calls, how many a second, how large the file is, what is missing. */
static void draw(struct session *s, uint64_t ms)
{
    const struct recorder *r = s->recorder;
    char room[120];
    struct buf b = BUF_OVER(room);

    buf_addf(&b, "recording: %llu calls, %llu/s, ",
             (unsigned long long)r->calls,
             (unsigned long long)((r->calls - s->progress_calls) * 1000 /
                                  (ms - s->progress_ms + 1)));
    progress_add_size(&b, r->writer.size);
    if (losses_records(&r->losses) > 0) {
        buf_addf(&b, ", %llu records lost",
                 (unsigned long long)losses_records(&r->losses));
    }
    s->progress_calls = r->calls;
    s->progress_ms = ms;
    progress_draw(&s->progress, buf_str(&b));
}

void recording_turn(struct session *s, bool behind)
{
    uint64_t ms;

    if (s->recorder == NULL) {
        return;
    }
    recorder_turn(s->recorder, os_tsc(), behind);
    if (progress_due(&s->progress, &ms)) {
        draw(s, ms);
    }
}

bool recording_failed(const struct session *s)
{
    return s->recorder != NULL && s->recorder->failed;
}

static void add_losses(struct buf *b, const struct losses *losses)
{
    for (enum model_lost why = 0; why < LOST_COUNT; why++) {
        char room[100];
        struct buf value = BUF_OVER(room);

        if (losses_text(losses, why, &value)) {
            about_add(b, STR("lost"), buf_str(&value));
        }
    }
}

/* A replay shows only what was asked for: -e chose calls, or -P, -z, -Z. Rules
 * that change calls choose none. */
static bool chooses(const struct view_options *v)
{
    for (size_t i = 0; i < v->expressions.count; i++) {
        str e = v->expressions.at[i];

        if (!str_starts(e, STR("inject=")) && !str_starts(e, STR("fault="))) {
            return true;
        }
    }
    return v->paths.count > 0 || v->successful_only || v->failed_only;
}

/* What was made, and what to do with it. */
static void tell_made(struct session *s)
{
    const struct recorder *r = s->recorder;
    const str file = s->options->record;
    char room[60];
    struct buf size = BUF_OVER(room);

    progress_add_size(&size, r->writer.size);
    session_note(
        s, "%llu calls in %.*s (%.*s); 'ntstrace replay %.*s' shows %s",
        (unsigned long long)r->calls, STR_ARGS(file), STR_ARGS(buf_str(&size)),
        STR_ARGS(file),
        chooses(s->view) ? "those of them that were asked for" : "them");
    if (losses_records(&r->losses) > 0) {
        session_note(s, "%llu records were lost; 'ntstrace info %.*s' says why",
                     (unsigned long long)losses_records(&r->losses),
                     STR_ARGS(file));
    }
}

bool recording_end(struct session *s, str how, uint32_t status, struct err *e)
{
    char room[2000];
    struct buf b = BUF_OVER(room);
    struct recorder *r = s->recorder;
    bool ok;

    if (r == NULL) {
        return true;
    }
    about_add(&b, STR("ended"), r->failed ? str_of(r->why.text) : how);
    if (!r->failed) {
        about_add_number(&b, STR("status"), status);
    }
    about_add_number(&b, STR("calls"), (int64_t)r->calls);
    if (s->model != NULL) {
        about_add_number(&b, STR("late"), (int64_t)model_counts(s->model).late);
    }
    add_losses(&b, &r->losses);
    ok = recorder_end(r, buf_str(&b), e);
    progress_clear(&s->progress);
    if (ok && s->options->record_only) {
        tell_made(s);
    }
    free(r);
    s->recorder = NULL;
    return ok;
}
