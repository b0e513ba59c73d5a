/* SPDX-License-Identifier: MIT */
/*
 * replay.c - `ntstrace replay FILE`: what a recording holds, as it would have
 * been shown while the program ran.
 *
 * Touches the file and the output. Damage is told and shown around; it fails
 * where the file is none of ours, or the output cannot be written.
 */
#include "record/replay.h"
#include "cmd/command.h"
#include "cmd/recorded.h"
#include "platform/os.h"
#include "record/about.h"
#include "view/declared.h"
#include "view/progress.h"
#include "view/tell.h"

#include <stdlib.h>

#include "base/banned.h"

/* Longest expression or path that is taken from a file. */
#define VALUE_ROOM ((size_t)128 << 10)

/* --- What the user wants to see, and what was asked for at the time -------- */

static bool has_word(const struct option_list *list, enum recorded_word word)
{
    for (size_t i = 0; i < list->count; i++) {
        if (recorded_word_of(list->at[i]) == word &&
            !recorded_adds(list->at[i])) {
            return true;
        }
    }
    return false;
}

/* Value `nth` of `key`, in the arena; empty: there is none. */
static str value_of(str info, str key, uint32_t nth, struct arena *a,
                    char *room)
{
    struct buf b = { room, 0, VALUE_ROOM, false };

    if (!about_find(info, key, nth, &b) || b.cut) {
        return STR("");
    }
    return arena_str(a, buf_str(&b));
}

static uint64_t recorded_limit(str info)
{
    return (uint64_t)about_number(info, STR("string-limit"),
                                  STRING_LIMIT_DEFAULT);
}

static void add_recorded(struct option_list *to, str info, str key,
                         struct arena *a, char *room, bool trace, bool view)
{
    str value;

    for (uint32_t i = 0; to->count < OPTIONS_LIST_MAX &&
                         (value = value_of(info, key, i, a, room)).size > 0;
         i++) {
        enum recorded_word word =
            str_eq(key, STR("path")) ? WORD_VIEW : recorded_word_of(value);

        if ((word == WORD_TRACE && trace) || (word == WORD_VIEW && view)) {
            to->at[to->count++] = value;
        }
    }
}

static str recorded_prototypes(str info, struct arena *a)
{
    struct buf b = { arena_alloc(a, 1, 1, info.size + 1), 0, info.size + 1,
                     false };

    return about_find(info, STR("prototypes"), 0, &b) ? buf_str(&b) : STR("");
}

/* The options `v`, and where they say nothing, those of the recording, whose
 * expressions are `recorded`. */
static bool merge_view(struct view_options *v, struct option_list *recorded,
                       str info, struct arena *a)
{
    const struct view_options own = *v;
    char *room = malloc(VALUE_ROOM);
    bool trace = !has_word(&own.expressions, WORD_TRACE);
    bool view = !has_word(&own.expressions, WORD_VIEW) &&
                own.paths.count == 0 && !own.successful_only &&
                !own.failed_only;
    uint64_t limit = recorded_limit(info);

    if (room == NULL) {
        return false;
    }
    add_recorded(recorded, info, STR("expression"), a, room, true, true);
    v->expressions.count = 0;
    add_recorded(&v->expressions, info, STR("expression"), a, room, trace,
                 view);
    for (size_t i = 0;
         i < own.expressions.count && v->expressions.count < OPTIONS_LIST_MAX;
         i++) {
        v->expressions.at[v->expressions.count++] = own.expressions.at[i];
    }
    add_recorded(&v->paths, info, STR("path"), a, room, false, view);
    if (view) {
        v->successful_only = about_number(info, STR("successful-only"), 0) != 0;
        v->failed_only = about_number(info, STR("failed-only"), 0) != 0;
    }
    if (v->string_limit > limit) {
        v->string_limit = limit;
    }
    v->declared = recorded_prototypes(info, a);
    free(room);
    return true;
}

/* --- What was asked for and cannot be there --------------------------------- */

/* `trace=` may be left out. */
static str list_of(str expression)
{
    const str prefix = STR("trace=");

    return str_starts(expression, prefix)
               ? str_slice(expression, prefix.size, expression.size)
               : expression;
}

/* `expression` was among those of the recording. */
static bool was_given(str expression, const struct option_list *recorded)
{
    for (size_t i = 0; i < recorded->count; i++) {
        if (str_eq(list_of(recorded->at[i]), list_of(expression))) {
            return true;
        }
    }
    return false;
}

static bool has_other(const struct option_list *own, enum recorded_word word,
                      const struct option_list *recorded)
{
    for (size_t i = 0; i < own->count; i++) {
        if (recorded_word_of(own->at[i]) == word &&
            !was_given(own->at[i], recorded)) {
            return true;
        }
    }
    return false;
}

/* Whoever sees less than there was in the program must not take it for all. */
static void note_missing(struct buf *notes, const struct view_options *own,
                         str info, const struct option_list *recorded)
{
    uint64_t limit = recorded_limit(info);

    if (has_word(recorded, WORD_TRACE) &&
        has_other(&own->expressions, WORD_TRACE, recorded)) {
        buf_addf(notes, "recorded with -e: of the calls that it leaves out "
                        "only some, or none, are in the file; 'ntstrace info' "
                        "shows it\n");
    }
    if (own->string_limit > limit &&
        own->string_limit != STRING_LIMIT_DEFAULT) {
        buf_addf(notes,
                 "recorded with -s %llu: no more of the data is in the file\n",
                 (unsigned long long)limit);
    }
    if ((own->stacks || own->caller) &&
        about_number(info, STR("stack"), 0) == 0) {
        buf_addf(notes, "recorded without -k: the callers are not in the "
                        "file\n");
    }
    if (!own->abbrev && about_number(info, STR("abbrev"), 0) != 0) {
        buf_addf(notes, "recorded without -v: not all of structures and arrays "
                        "is in the file\n");
    }
}

static void note_times(struct buf *notes, const struct when_range *range,
                       int64_t last_ns)
{
    if (range->limited && range->from.ns > last_ns) {
        buf_addf(notes, "--from: the recording lasted %lld.%06lld s\n",
                 (long long)(last_ns / 1000000000),
                 (long long)(last_ns / 1000 % 1000000));
    }
}

/* --- The run --------------------------------------------------------------- */

struct run {
    struct replay replay;
    struct view_options view;
    struct option_list recorded;  // expressions of the time
    struct telling telling;
    struct output output;
    struct model *model;
    struct progress progress;
    int64_t last_ns;  // from the start to the last record, nearly
};

/* Between lines on the screen it would be in the way. */
static bool may_draw(const struct run *r)
{
    struct os_file out = os_stdout();

    return r->view.quiet == 0 &&
           (r->view.output.size > 0 || r->view.separate.size > 0 ||
            !os_is_terminal(&out));
}

static bool goes_on(void *run, uint64_t at, uint64_t size)
{
    struct run *r = run;

    progress_bar(&r->progress, "replay", at, size);
    telling_write(&r->telling);
    return !r->output.failed &&
           !telling_is_over(&r->telling, model_told(r->model));
}

static bool wants_flags(void *run, uint64_t flags)
{
    const struct run *r = run;

    /* What there is of the journal no summary says. */
    if ((flags & SUMMARY_NOTICES) != 0 ||
        telling_wants_transition(&r->telling, TRANSITION_MODULE) ||
        telling_wants_transition(&r->telling, TRANSITION_UNMODULE)) {
        return true;
    }
    for (uint32_t kind = 0; kind < TRANSITION_KINDS; kind++) {
        if ((flags & (uint64_t)SUMMARY_TRANSITION << kind) != 0 &&
            telling_wants_transition(&r->telling, kind)) {
            return true;
        }
    }
    return false;
}

static bool wants_call(void *run, const struct stub *stub)
{
    const struct run *r = run;

    return stub == NULL ||
           filter_wants_name(r->telling.filter, stub->name, stub->facts);
}

static bool moved(void *run)
{
    struct run *r = run;
    bool ok;

    r->telling.reopening = true;
    ok = model_tell_open(r->model);
    r->telling.reopening = false;
    return ok;
}

static bool open_model(struct run *r, struct err *e)
{
    const str info = replay_info(&r->replay);
    struct model_config config = replay_config(&r->replay);
    const struct model_out out = telling_out(&r->telling);
    struct telling_setting setting = {
        .wine = config.system.wine,
        .utc_offset = (int32_t)about_number(info, STR("utc-offset"), 0),
        .last_ns = r->last_ns,
    };

    config.system.own = telling_own(&r->telling);
    r->model = model_open(&config, &out, e);
    if (r->model == NULL || !replay_clock(&r->replay, r->model)) {
        return err_set(e, ERR_OS, "out of memory");
    }
    setting.clock = model_clock(r->model);
    setting.colours = telling_colours(&r->view, &r->output);
    return telling_open(&r->telling, &r->output, &setting, e);
}

/* The user's own options and those of the recording; says whose are wrong. */
static bool judge(struct run *r, const struct view_options *own,
                  struct buf *notes, struct err *e)
{
    struct telling alone = { 0 };
    struct view_options v = *own;
    bool ok;

    v.declared = r->view.declared;
    ok = telling_judge(&alone, &v, e);

    if (ok && filter_rule_count(alone.filter) > 0) {
        ok = err_set(e, ERR_USAGE,
                     "a recording cannot be changed: inject= and fault= are "
                     "for programs that run");
    }
    telling_close(&alone);
    if (!ok) {
        return false;
    }
    ok = telling_judge(&r->telling, &r->view, e);
    if (!ok && e->code == ERR_USAGE) {
        buf_addf(notes, "an option that this was recorded with is not "
                        "understood; -e all -e status=all do without:\n");
    }
    return ok;
}

static bool play(struct run *r, const struct options *o, struct arena *a,
                 struct buf *notes, struct err *e)
{
    struct replay_skip skip = {
        .ctx = r,
        .wants_flags = wants_flags,
        .wants_call = wants_call,
        .moved = moved,
        .nothing = !r->view.skip,
    };

    if (!replay_open(&r->replay, o->words[0], e)) {
        return false;
    }
    r->replay.go_on = goes_on;
    r->replay.go_on_ctx = r;
    if (!merge_view(&r->view, &r->recorded, replay_info(&r->replay), a)) {
        return err_set(e, ERR_OS, "out of memory");
    }
    r->last_ns = replay_last_ns(&r->replay);
    if (!judge(r, &o->view, notes, e) ||
        !output_open(&r->output, r->view.output, true, e) ||
        !open_model(r, e)) {
        return false;
    }
    progress_begin(&r->progress, 4, may_draw(r));
    skip.from = r->telling.range.limited ? r->telling.range.from.ns : INT64_MIN;
    if (!replay_play(&r->replay, r->model, &skip, e)) {
        return false;
    }
    model_flush(r->model);
    telling_flush(&r->telling);
    telling_summary(&r->telling);
    if (r->output.failed) {
        *e = r->output.why;
        return false;
    }
    return true;
}

bool replay_run(const struct options *o, struct arena *a, struct outcome *out,
                struct err *e)
{
    struct run *r = calloc(1, sizeof(*r));
    struct err ignored;
    bool ok;

    if (r == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    r->view = o->view;
    /* There may be several processes, and nobody looks on while they run. */
    r->view.always_show_pid = true;
    ok = play(r, o, a, &out->notes, e);
    progress_clear(&r->progress);
    if (!output_close(&r->output, ok ? e : &ignored)) {
        ok = false;
    }
    if (ok && o->view.quiet == 0) {
        const str info = replay_info(&r->replay);

        declared_note(&out->notes, &r->telling.prototypes, &r->view);
        note_missing(&out->notes, &o->view, info, &r->recorded);
        stacks_note(&r->telling.stacks, &out->notes);
        note_times(&out->notes, &r->telling.range, r->last_ns);
        replay_damage(&r->replay, &out->notes);
    }
    if (os_variable_set("NTSTRACE_WORK")) {
        buf_addf(&out->notes, "passed over %llu bytes, left out %llu calls\n",
                 (unsigned long long)r->replay.skipped,
                 (unsigned long long)r->replay.left_out);
    }
    if (ok && replay_is_damaged(&r->replay)) {
        out->status = (uint32_t)err_exit_status(ERR_BAD_INPUT);
    }
    telling_close(&r->telling);
    model_close(r->model);
    replay_close(&r->replay);
    free(r);
    return ok;
}
