/* SPDX-License-Identifier: MIT */
/*
 * tell.c - from what the model tells to what the user sees.
 *
 * Touches nothing but its sinks and the output behind them. Fails only while
 * it is set up. What is passed on at a call's entry is passed on at its return
 * as well, so no line is left without its end.
 */
#include "view/tell.h"

#include "platform/os.h"
#include "view/declared.h"

#include "base/banned.h"

/* A path as -P gives it, made absolute. */
#define PATH_ROOM (3 * 32768)

/* So long after --to a clock that is put right may still say that something was
 * before it. */
#define OVER_NS INT64_C(1000000000)

/* --- the user's words --- */

static bool add_path(struct telling *t, str path, struct err *e)
{
    static char room[PATH_ROOM];
    struct buf full = BUF_OVER(room);

    if (filter_path_is_absolute(path)) {
        return filter_add_path(t->filter, path, e);
    }
    os_full_path(&full, path);
    return filter_add_path(t->filter, buf_str(&full), e);
}

bool telling_judge(struct telling *t, const struct view_options *o,
                   struct err *e)
{
    t->options = o;
    t->counts = t->watch == NULL && (o->summary || o->summary_only);
    t->lines = t->watch == NULL && (o->summary || !o->summary_only);
    t->filter = filter_open();
    if (t->filter == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    if (!declared_open(&t->prototypes, o, e)) {
        return false;
    }
    filter_know(t->filter, telling_own(t));
    for (size_t i = 0; i < o->expressions.count; i++) {
        if (!filter_add(t->filter, o->expressions.at[i], e)) {
            return false;
        }
    }
    for (size_t i = 0; i < o->paths.count; i++) {
        if (!add_path(t, o->paths.at[i], e)) {
            return false;
        }
    }
    if ((o->from.size > 0 && !when_parse(&t->from, o->from, "--from", e)) ||
        (o->to.size > 0 && !when_parse(&t->to, o->to, "--to", e))) {
        return false;
    }
    if (o->successful_only) {
        filter_successful(t->filter);
    }
    if (o->failed_only) {
        filter_failed(t->filter);
    }
    t->by_result = filter_wants_result(t->filter);
    if (t->watch == NULL && o->summary_sort.size > 0 &&
        !summary_column_find(o->summary_sort, &t->sort)) {
        return err_set(e, ERR_USAGE,
                       "-S: no column '%.*s'; there are time, calls, errors, "
                       "name, min, max, avg and nothing",
                       STR_ARGS(o->summary_sort));
    }
    return true;
}

const struct call_set *telling_own(const struct telling *t)
{
    return t->prototypes.set.count > 0 ? &t->prototypes.set : NULL;
}

bool telling_wants_handles(const struct telling *t)
{
    return filter_wants_paths(t->filter) || t->watch != NULL ||
           (t->lines && t->options->handles > 0);
}

struct plan_wants telling_wants(const struct telling *t)
{
    const struct view_options *o = t->options;
    struct filter_dumps reads = filter_reads(t->filter);
    struct filter_dumps writes = filter_writes(t->filter);

    return (struct plan_wants){
        .filter = t->filter,
        .handles = telling_wants_handles(t),
        .paths = filter_wants_paths(t->filter) || t->watch != NULL,
        .arguments = t->lines,
        .stack = t->lines && (o->stacks || o->caller) ? (uint32_t)o->stack_size
                                                      : 0,
        .capture = {
            .string_max = (uint32_t)o->string_limit,
            .verbose = !o->abbrev,
            .dumps = reads.all || reads.count > 0 || writes.all ||
                     writes.count > 0,
        },
    };
}

/* --- the sinks --- */

static enum text_precision precision_of(enum unit unit)
{
    switch (unit) {
    case UNIT_USUAL:
        break;
    case UNIT_SECONDS:
        return PRECISION_S;
    case UNIT_MILLIS:
        return PRECISION_MS;
    case UNIT_MICROS:
        return PRECISION_US;
    case UNIT_NANOS:
        return PRECISION_NS;
    }
    return PRECISION_DEFAULT;
}

/* NO_COLOR is the user's general wish; --color=always one for this run. */
bool telling_colours(const struct view_options *o, const struct output *output)
{
    if (o->color == COLOR_NEVER || o->json ||
        (o->color == COLOR_AUTO && os_variable_set("NO_COLOR"))) {
        return false;
    }
    return os_console_colours(&output->file);
}

/* How far the times of day that are told, and given, are ahead of UTC. */
static int32_t utc_offset_of(const struct view_options *o,
                             const struct telling_setting *setting)
{
    return o->utc ? 0 : setting->utc_offset;
}

static struct text_options
text_options_of(const struct view_options *o,
                const struct telling_setting *setting)
{
    return (struct text_options){
        .always_pid =
            o->always_show_pid || o->output.size > 0 || o->separate.size > 0,
        .images = o->images || o->pids == PIDS_IMAGES,
        .when = (enum text_when)o->clock,
        .when_precision = precision_of(o->time_unit),
        .relative = o->since_last,
        .relative_precision = precision_of(o->time_unit),
        .number = o->service_number,
        .returns = o->return_address,
        .took = o->time_spent,
        .took_precision = precision_of(o->spent_unit),
        .arg_names = o->arg_names,
        .hex = (enum text_hex)o->hex_strings,
        .constant_numbers = o->constants == CONSTANTS_VERBOSE,
        .handle_detail = o->handles > 1,
        .brief = o->brief,
        .colour = setting->colours && o->separate.size == 0,
        .utc_offset = utc_offset_of(o, setting),
    };
}

static bool is_raw(const void *filter, const struct call *call)
{
    return call->stub &&
           filter_is_raw(filter, call->stub->name, call->stub->facts);
}

static struct decode_options decode_options_of(struct telling *t, bool wine)
{
    const struct view_options *o = t->options;
    struct filter_dumps reads = filter_reads(t->filter);
    struct filter_dumps writes = filter_writes(t->filter);

    return (struct decode_options){
        .wine = wine,
        .string_max = (uint32_t)o->string_limit,
        .verbose = !o->abbrev,
        .raw = o->constants == CONSTANTS_RAW,
        .again = true,
        .brief = o->brief && !o->json,
        .handles = (enum handle_detail)o->handles,
        .is_raw = is_raw,
        .is_raw_ctx = t->filter,
        .dump_reads_all = reads.all,
        .dump_reads = reads.handles,
        .dump_read_count = reads.count,
        .dump_writes_all = writes.all,
        .dump_writes = writes.handles,
        .dump_write_count = writes.count,
        .stack = o->stacks,
        .caller = o->caller,
        .stack_of = stacks_of,
        .stack_ctx = &t->stacks,
    };
}

static bool open_lines(struct telling *t, const struct telling_setting *setting)
{
    const struct outlet_setting lines = {
        .json = t->options->json,
        .text = text_options_of(t->options, setting),
        .decode = decode_options_of(t, setting->wine),
        .clock = setting->clock,
        .separate = t->options->separate,
    };

    return outlets_open(&t->outlets, &lines, t->output);
}

static bool open_counts(struct telling *t,
                        const struct telling_setting *setting)
{
    struct summary_options options = {
        .sort = t->sort,
        .by = t->options->summary_by == BY_THREAD    ? SUMMARY_BY_THREAD
              : t->options->summary_by == BY_PROCESS ? SUMMARY_BY_PROCESS
                                                     : SUMMARY_BY_NAME,
    };
    struct decode_options plain = { .wine = setting->wine, .names_only = true };

    t->summary = summary_open(&options);
    if (t->summary == NULL) {
        return false;
    }
    decoder_init(&t->count_decoder, summary_sink(t->summary), setting->clock,
                 &plain);
    return true;
}

static bool open_range(struct telling *t, const struct telling_setting *setting,
                       struct err *e)
{
    const struct view_options *o = t->options;
    int32_t offset = utc_offset_of(o, setting);
    int64_t from = INT64_MIN;
    int64_t to = INT64_MAX;

    if (o->from.size == 0 && o->to.size == 0) {
        return true;
    }
    if (o->from.size > 0) {
        from = when_ns(&t->from, setting->clock->wall_ns, offset,
                       setting->last_ns);
    }
    if (o->to.size > 0) {
        to = when_ns(&t->to, setting->clock->wall_ns, offset, setting->last_ns);
    }
    if (from > to) {
        return err_set(e, ERR_USAGE, "--from: is later than --to");
    }
    when_range_set(&t->range, from, to);
    return true;
}

bool telling_open(struct telling *t, struct output *output,
                  const struct telling_setting *setting, struct err *e)
{
    t->output = output;
    t->clock = setting->clock;
    stacks_open(&t->stacks, &t->options->module_paths,
                (uint32_t)t->options->stack_limit);
    if (!open_range(t, setting, e)) {
        return false;
    }
    /* Losses are told also by who counts only. */
    if (!open_lines(t, setting) || (t->counts && !open_counts(t, setting))) {
        return err_set(e, ERR_OS, "out of memory");
    }
    if (t->watch != NULL) {
        t->watch->begin(t->watch->ctx, t->clock);
    }
    return true;
}

void telling_close(struct telling *t)
{
    outlets_close(&t->outlets);
    decoder_close(&t->count_decoder);
    summary_close(t->summary);
    filter_close(t->filter);
    stacks_close(&t->stacks);
    prototypes_close(&t->prototypes);
    *t = (struct telling){ 0 };
}

/* --- what the model tells --- */

/* Where lines of the process go. `p` NULL: it is of no model. */
static struct decoder *lines_of(struct telling *t,
                                const struct model_process *p, uint32_t pid)
{
    return &outlets_of(&t->outlets, p != NULL ? model_process_order(p) : pid,
                       pid)
                ->decoder;
}

static bool call_in_range(struct telling *t, const struct call *call)
{
    return when_in(&t->range, t->clock,
                   call->entry_seen ? call->entry_time : call->return_time);
}

void telling_enter(void *telling, const struct call *call)
{
    struct telling *t = telling;
    /* Asked in any case: the filter keeps what it saw of the handles. */
    bool pass = filter_pass_entry(t->filter, call) && !t->reopening &&
                call_in_range(t, call);

    t->open += pass;
    if (pass && t->lines && !t->by_result) {
        decoder_enter(lines_of(t, call->process, call->pid), call);
    }
}

bool telling_wants_transition(const struct telling *t, enum transition kind)
{
    return t->lines && (kind == TRANSITION_COMPLETION
                            ? filter_pass_completions(t->filter)
                            : filter_pass_transitions(t->filter, kind));
}

bool telling_is_over(const struct telling *t, uint64_t told)
{
    return t->range.limited && t->open == 0 &&
           t->range.end.ns < INT64_MAX - OVER_NS &&
           clock_ns(t->clock, told) > t->range.end.ns + OVER_NS;
}

/* It is not shown after all. */
static void drop(struct telling *t, const struct call *call)
{
    const struct model_process *p = call->process;
    struct outlet *out = outlets_find(
        &t->outlets, p != NULL ? model_process_order(p) : call->pid);

    if (out != NULL) {
        decoder_drop(&out->decoder, call);
    }
}

void telling_leave(void *telling, const struct call *call)
{
    struct telling *t = telling;
    /* The same question as at the entry, where there was one. */
    bool pass = call->entry_seen && !t->by_result
                    ? filter_pass_entry(t->filter, call)
                    : filter_pass(t->filter, call);
    bool in_range = call_in_range(t, call);

    if (t->open > 0 && call->entry_seen && in_range &&
        (pass || filter_pass_entry(t->filter, call))) {
        t->open--;
    }
    if (!pass || !in_range) {
        /* The filter forgets what it said when too many calls are open. */
        drop(t, call);
        return;
    }
    if (t->lines && t->by_result) {
        decoder_whole(lines_of(t, call->process, call->pid), call);
    } else if (t->lines) {
        decoder_leave(lines_of(t, call->process, call->pid), call);
    }
    if (t->counts) {
        decoder_whole(&t->count_decoder, call);
    }
    if (t->watch != NULL) {
        t->watch->leave(t->watch->ctx, call);
    }
    if (t->lines && call->returned && (uint32_t)call->result == 0x103) {
        t->pending[t->pending_next++ % TELLING_PENDING] = call->id;
    }
}

/* The end of a call has a line if the call had one. */
void telling_completion(void *telling, const struct completion_told *c)
{
    struct telling *t = telling;

    for (uint32_t i = 0; i < TELLING_PENDING; i++) {
        if (t->pending[i] == c->call->id) {
            t->pending[i] = 0;
            if (filter_pass_completions(t->filter) &&
                when_in(&t->range, t->clock, c->time)) {
                decoder_completion(lines_of(t, c->call->process, c->call->pid),
                                   c);
            }
            return;
        }
    }
}

void telling_transition(void *telling, const struct transition_told *told)
{
    struct telling *t = telling;

    if (t->lines &&
        filter_pass_transition(t->filter, told->tid,
                               model_process_image(told->process),
                               told->kind) &&
        when_in(&t->range, t->clock, told->time)) {
        decoder_transition(lines_of(t, told->process, told->pid), told);
    }
}

void telling_module(void *telling, const struct module_told *m)
{
    struct telling *t = telling;
    enum transition kind =
        m->unmapped ? TRANSITION_UNMODULE : TRANSITION_MODULE;

    if (t->lines && filter_pass_transitions(t->filter, kind) &&
        filter_pass_process(t->filter, model_process_image(m->process)) &&
        when_in(&t->range, t->clock, m->time)) {
        decoder_module(lines_of(t, m->process, m->pid), m);
    }
}

static bool notice_passes(struct telling *t, const struct notice *n)
{
    str image = model_process_image(n->process);

    if (!when_in(&t->range, t->clock, n->time)) {
        return false;
    }
    switch (n->kind) {
    case NOTICE_LOST:
    case NOTICE_CALLBACK_LOST:
    case NOTICE_NO_CALLBACK:
    case NOTICE_CALLBACK_REPLACED:
    case NOTICE_PATCHES_LOST:
    case NOTICE_PATCHED_AGAIN:
        break;
    case NOTICE_THREAD_EXITED:
    case NOTICE_THREAD_TERMINATED:
    case NOTICE_THREAD_ENDED:
        return t->lines && filter_pass_thread(t->filter, n->tid, image);
    case NOTICE_EXITED:
    case NOTICE_KILLED:
    case NOTICE_TERMINATED:
    case NOTICE_ENDED:
    case NOTICE_ATTACHED:
    case NOTICE_DETACHED:
    case NOTICE_STARTED:
        return t->lines && filter_pass_process(t->filter, image);
    case NOTICE_UNTRACED:
    case NOTICE_LATE:
        /* Of who has started it as well as of the one that was. */
        return t->lines && (filter_pass_process(t->filter, image) ||
                            filter_pass_process(t->filter, n->child->image));
    }
    return true;
}

static bool is_end(enum notice_kind kind)
{
    return kind == NOTICE_EXITED || kind == NOTICE_KILLED ||
           kind == NOTICE_TERMINATED || kind == NOTICE_ENDED;
}

void telling_notice(void *telling, const struct notice *n)
{
    struct telling *t = telling;

    if (notice_passes(t, n) && t->watch != NULL) {
        t->watch->notice(t->watch->ctx, n);
    } else if (notice_passes(t, n)) {
        decoder_notice(lines_of(t, n->process, n->pid), n);
    }
    if (is_end(n->kind) && n->process != NULL) {
        outlets_end(&t->outlets, model_process_order(n->process));
    }
}

struct model_out telling_out(struct telling *t)
{
    return (struct model_out){
        .ctx = t,
        .enter = telling_enter,
        .leave = telling_leave,
        .transition = telling_transition,
        .completion = telling_completion,
        .module = telling_module,
        .notice = telling_notice,
    };
}

void telling_summary(struct telling *t)
{
    if (t->summary != NULL) {
        if (t->options->json) {
            summary_write_rows(t->summary, json_counts, &t->outlets.whole.json);
        } else {
            summary_write(t->summary, output_line, t->output);
        }
        output_flush(t->output);
    }
}

void telling_write(struct telling *t)
{
    outlets_flush(&t->outlets);
}

void telling_flush(struct telling *t)
{
    if (t->lines) {
        outlets_tell_held(&t->outlets);
    }
    outlets_flush(&t->outlets);
}
