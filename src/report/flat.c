/* SPDX-License-Identifier: MIT */
/*
 * flat.c - a sink that is the text output's, and keeps where in its line each
 * argument is; the line itself goes nowhere.
 */
#include "report/flat.h"

#include "base/chars.h"
#include "base/saturate.h"
#include "tables/status.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define ARGS_MOST 64
#define FRAMES_ROOM ((size_t)64 << 10)

/* Where an argument is in the line. */
struct span {
    size_t name;
    size_t name_size;
    size_t value;
    size_t end;
};

struct flat {
    struct text text;  // first: it is a sink
    struct sink_ops ops;
    const struct sink_ops *below;  // the text output's own
    struct decoder decoder;
    struct flat_options options;
    struct flat_out out;
    const struct clock *clock;  // borrowed
    const struct call *call;    // that is being told
    uint64_t count;
    struct span spans[ARGS_MOST];
    size_t span_count;
    size_t args_from;
    size_t args_to;
    bool args_ended;
    struct flat_arg args[ARGS_MOST];
    struct buf frames;
    char frames_room[FRAMES_ROOM];
    struct subject_room room;
    char object[SUBJECT_ROOM * 2];
    char image[600];
    char name[600];
};

static struct flat *flat_of(struct sink *s)
{
    return (struct flat *)(void *)s;
}

/* --- what is told of a call ------------------------------------------------- */

static void on_call_begin(struct sink *s, const struct sink_head *head,
                          str name, enum sink_part part)
{
    struct flat *f = flat_of(s);

    f->below->call_begin(s, head, name, part);
    f->span_count = 0;
    f->args_from = f->text.line.buf.size;
    f->args_ended = false;
    f->frames.size = 0;
}

static void on_arg(struct sink *s, str name, const uint64_t *raw)
{
    struct flat *f = flat_of(s);
    struct span *last = &f->spans[f->span_count - (f->span_count > 0)];
    bool outer = f->text.depth == 0 && f->span_count < ARGS_MOST;

    if (outer && f->span_count > 0) {
        last->end = f->text.line.buf.size;
    }
    f->below->arg(s, name, raw);
    if (outer) {
        struct span *span = &f->spans[f->span_count++];

        span->value = f->text.line.buf.size;
        span->end = span->value;
        span->name_size = name.size;
        span->name = span->value > name.size ? span->value - name.size - 1 : 0;
        if (name.size == 0 || span->value <= name.size) {
            span->name_size = 0;
        }
    }
}

static void on_more(struct sink *s)
{
    struct flat *f = flat_of(s);

    if (f->text.depth == 0 && f->span_count > 0) {
        f->spans[f->span_count - 1].end = f->text.line.buf.size;
    }
    f->below->more(s);
}

static void end_args(struct flat *f)
{
    size_t size = f->text.line.buf.size;

    f->args_ended = true;
    f->args_to = size;
    if (f->span_count > 0 &&
        f->spans[f->span_count - 1].end == f->spans[f->span_count - 1].value) {
        f->spans[f->span_count - 1].end = size;
    }
}

static void on_result(struct sink *s, const uint64_t *raw)
{
    end_args(flat_of(s));
    flat_of(s)->below->result(s, raw);
}

/* A name without what parts frames. */
static void add_frame_name(struct buf *b, str name)
{
    size_t from = b->size;

    chars_add_visible(b, name);
    for (; from < b->size; from++) {
        b->p[from] = b->p[from] == ';' ? ':' : b->p[from];
    }
}

/* "demo.exe!main" or "demo.exe+0x1234". */
static void add_frame(struct buf *b, const struct sink_frame *frame)
{
    if (b->size > 0) {
        buf_add_char(b, ';');
    }
    if (frame->place.kind != PLACE_MODULE) {
        buf_add_hex(b, frame->address);
        return;
    }
    add_frame_name(b, frame->place.name);
    if (frame->symbol.size > 0) {
        buf_add_char(b, '!');
        add_frame_name(b, frame->symbol);
    } else {
        buf_add_char(b, '+');
        buf_add_hex(b, frame->place.offset);
    }
}

static void on_stack(struct sink *s, const struct sink_stack *stack)
{
    struct flat *f = flat_of(s);

    f->frames = BUF_OVER(f->frames_room);
    for (size_t i = stack->count; i-- > 0;) {
        add_frame(&f->frames, &stack->frames[i]);
    }
}

static str slice(const struct flat *f, size_t from, size_t to)
{
    return str_slice(buf_str(&f->text.line.buf), from, to);
}

/* Texts of the target's, visible. */
static str visible(char *room, size_t size, str text)
{
    struct buf b = { room, 0, size, false };

    chars_add_visible(&b, text);
    return buf_str(&b);
}

static const char *changed_how(const struct call *call)
{
    return call->injected && call->delayed ? "injected, delayed"
           : call->injected                ? "injected"
           : call->delayed                 ? "delayed"
                                           : "";
}

static void put_call(struct flat *f)
{
    const struct call *call = f->call;
    const struct call_facts *facts =
        call->stub != NULL ? call->stub->facts : NULL;
    struct flat_call c = {
        .number = ++f->count,
        .process = call->process != NULL ? model_process_order(call->process)
                                         : call->pid,
        .pid = call->pid,
        .tid = call->tid,
        .image = visible(f->image, sizeof(f->image),
                         model_process_image(call->process)),
        .name = call->stub != NULL
                    ? visible(f->name, sizeof(f->name), call->stub->name)
                    : STR("syscall_?"),
        .how = call->how == HOW_DIRECT     ? "direct"
               : call->how == HOW_INDIRECT ? "indirect"
                                           : "",
        .changed = changed_how(call),
        .took_ns = -1,
        .returned = call->returned,
        .result = call->result,
        .failed =
            call->returned && facts != NULL && call_failed(facts, call->result),
        .waits = facts != NULL && facts->note == CALL_WAITS,
        .object = STR(""),
        .kind = SUBJECT_OTHER,
        .args = slice(f, f->args_from, f->args_to),
        .arg = f->args,
        .arg_count = f->span_count,
        .frames = buf_str(&f->frames),
        .call = call,
    };
    struct subject about;

    if (call->stub == NULL && call->number_known) {
        struct buf b = BUF_OVER(f->name);

        buf_add(&b, STR("syscall_"));
        buf_add_hex(&b, call->number);
        c.name = buf_str(&b);
    }
    c.began_ns = clock_ns(f->clock, call->entry_seen ? call->entry_time
                                                     : call->return_time);
    if (call->entry_seen && call->returned) {
        int64_t to = clock_ns(f->clock, call->return_time);

        c.took_ns = saturate_span(c.began_ns, to);
    }
    if (call->returned && facts != NULL && facts->fails == FAILS_STATUS) {
        c.status = status_name((uint32_t)call->result);
    }
    if (facts != NULL && subject_any(call, &f->room, &about)) {
        c.object = visible(f->object, sizeof(f->object), about.name);
        c.kind = about.kind;
    }
    for (size_t i = 0; i < f->span_count; i++) {
        const struct span *span = &f->spans[i];

        f->args[i] = (struct flat_arg){
            .name = slice(f, span->name, span->name + span->name_size),
            .value = slice(f, span->value, span->end),
        };
    }
    f->out.call(f->out.ctx, &c);
}

static void on_call_end(struct sink *s, const struct sink_end *end)
{
    struct flat *f = flat_of(s);

    if (!f->args_ended) {
        end_args(f);
    }
    if (f->call != NULL) {
        put_call(f);
    }
    f->below->call_end(s, end);
}

static void drop(void *ctx, str line)
{
    (void)ctx;
    (void)line;
}

/* Of what was there before the start. */
static int64_t time_of(const struct flat *f, uint64_t tsc)
{
    int64_t ns = clock_ns(f->clock, tsc);

    return ns > 0 ? ns : 0;
}

/* --- what the model tells ---------------------------------------------------- */

static void on_leave(void *flat, const struct call *call)
{
    struct flat *f = flat;

    f->call = call;
    decoder_whole(&f->decoder, call);
    f->call = NULL;
}

static void on_transition(void *flat, const struct transition_told *t)
{
    struct flat *f = flat;

    if (f->out.transition != NULL) {
        f->out.transition(f->out.ctx, t, time_of(f, t->time));
    }
}

static void on_module(void *flat, const struct module_told *m)
{
    struct flat *f = flat;

    if (f->out.module != NULL) {
        f->out.module(f->out.ctx, m, time_of(f, m->time));
    }
}

static void on_notice(void *flat, const struct notice *n)
{
    struct flat *f = flat;

    if (f->out.notice != NULL) {
        f->out.notice(f->out.ctx, n, time_of(f, n->time));
    }
}

struct model_out flat_model_out(struct flat *f)
{
    return (struct model_out){
        .ctx = f,
        .leave = on_leave,
        .transition = on_transition,
        .module = on_module,
        .notice = on_notice,
    };
}

/* --- life cycle ---------------------------------------------------------------- */

struct flat *flat_open(const struct flat_options *options,
                       const struct flat_out *out)
{
    static const struct text_options plain = { .always_pid = true,
                                               .arg_names = true };
    struct flat *f = calloc(1, sizeof(*f));

    if (f == NULL) {
        return NULL;
    }
    f->options = *options;
    f->out = *out;
    f->frames = BUF_OVER(f->frames_room);
    if (!text_init(&f->text, &plain, drop, NULL)) {
        flat_close(f);
        return NULL;
    }
    f->below = f->text.sink.ops;
    f->ops = *f->below;
    f->ops.call_begin = on_call_begin;
    f->ops.arg = on_arg;
    f->ops.more = on_more;
    f->ops.result = on_result;
    f->ops.stack = on_stack;
    f->ops.call_end = on_call_end;
    f->text.sink.ops = &f->ops;
    return f;
}

bool flat_clock(struct flat *f, const struct clock *clock)
{
    struct decode_options o = {
        .wine = f->options.wine,
        .string_max = 32,
        .names_only = !f->options.args,
        .handles = HANDLES_NAMED,
        .stack = f->options.stack_of != NULL,
        .stack_of = f->options.stack_of,
        .stack_ctx = f->options.stack_ctx,
    };

    f->clock = clock;
    decoder_init(&f->decoder, &f->text.sink, clock, &o);
    return true;
}

int64_t flat_wall_ns(const struct flat *f)
{
    return f->clock->wall_ns;
}

void flat_close(struct flat *f)
{
    if (f != NULL) {
        decoder_close(&f->decoder);
        text_close(&f->text);
        free(f);
    }
}
