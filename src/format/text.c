/* SPDX-License-Identifier: MIT */
/*
 * text.c - the text output.
 *
 * A line is built in the sink's own room and handed on when it is complete.
 * Names that come from the target are escaped, so that no name can end a
 * line or pass for something else. Touches nothing but itself.
 */
#include "format/text.h"

#include "base/compiler.h"
#include "tables/status.h"

#include <string.h>

#include "base/banned.h"

#define SECOND_NS 1000000000
/* Kept free for what ends a line that was cut. */
#define LINE_TAIL 8

static struct text *text_of(struct sink *s)
{
    return (struct text *)(void *)s;
}

/* --- Escaping --------------------------------------------------------- */

enum escape {
    ESCAPE_QUOTED,  // within "..."
    ESCAPE_NAME,    // a module's name, which nothing encloses
};

/* The code point at the beginning of `s`, and in *size its bytes. Surrogates
 * are code points here. A byte that begins none counts as U+DC80..DCFF. */
static uint32_t code_point(str s, size_t *size)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint8_t first = (uint8_t)s.p[0];
    size_t n = first < 0x80   ? 1
               : first < 0xc0 ? 0
               : first < 0xe0 ? 2
               : first < 0xf0 ? 3
               : first < 0xf8 ? 4
                              : 0;
    uint32_t c = n > 1 ? first & (0x7fu >> n) : first;

    *size = 1;
    if (n == 1) {
        return c;
    }
    if (n == 0 || n > s.size) {
        return 0xdc00u + first;
    }
    for (size_t i = 1; i < n; i++) {
        uint8_t next = (uint8_t)s.p[i];

        if ((next & 0xc0) != 0x80) {
            return 0xdc00u + first;
        }
        c = c << 6 | (next & 0x3f);
    }
    if (c < least[n] || c > 0x10ffff) {
        return 0xdc00u + first;
    }
    *size = n;
    return c;
}

/* Would change how the rest of a line looks, or where it ends. */
static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 ||
           c == 0x61c || c == 0x200e || c == 0x200f ||
           (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
           (c >= 0xd800 && c <= 0xdfff);
}

static void add_code(struct buf *b, uint32_t c)
{
    int digits = c > 0xfffff ? 6 : c > 0xffff ? 5 : c > 0xff ? 4 : 2;
    char text[8];

    for (int i = digits; i > 0; i--) {
        text[i - 1] = "0123456789ABCDEF"[c & 15];
        c >>= 4;
    }
    buf_add(b, STR("^{"));
    buf_add(b, (str){ text, (size_t)digits });
    buf_add(b, STR("}"));
}

/* Could be taken for the end of a name, or for what is no name at all. */
static bool is_special(str rest, bool at_start)
{
    char c = rest.p[0];

    if (c == ',' || c == ']' || c == '}' || str_starts(rest, STR("+0x"))) {
        return true;
    }
    return at_start && (c == '?' || c == ')' || c == '[' || c == '{' ||
                        c == '"' || str_starts(rest, STR("private ")) ||
                        str_starts(rest, STR("unmapped ")) ||
                        str_starts(rest, STR("mapped ")));
}

static void add_escaped(struct buf *b, str s, enum escape how)
{
    size_t size;

    for (size_t at = 0; at < s.size; at += size) {
        str rest = str_slice(s, at, s.size);
        uint32_t c = code_point(rest, &size);

        if (is_control(c)) {
            add_code(b, c);
        } else if (c == '^') {
            buf_add(b, STR("^^"));
        } else if (c == '"' && how == ESCAPE_QUOTED) {
            buf_add(b, STR("^\""));
        } else if (how == ESCAPE_NAME && is_special(rest, at == 0)) {
            add_code(b, c);
        } else {
            buf_add(b, str_slice(rest, 0, size));
        }
    }
}

/* --- Numbers ---------------------------------------------------------- */

static void add_hex(struct buf *b, uint64_t n)
{
    if (n == 0) {
        buf_add_char(b, '0');
    } else {
        buf_add_hex(b, n);
    }
}

static void add_padded(struct buf *b, uint64_t n, size_t digits)
{
    char text[20];

    for (size_t i = digits; i > 0; i--) {
        text[i - 1] = (char)('0' + n % 10);
        n /= 10;
    }
    buf_add(b, (str){ text, digits });
}

/* Seconds with six digits behind the point; nanoseconds are cut off. */
static void add_seconds(struct buf *b, uint64_t ns)
{
    buf_add_dec(b, ns / SECOND_NS);
    buf_add_char(b, '.');
    add_padded(b, ns % SECOND_NS / 1000, 6);
}

/* The name of a status that the grammar has a place for, else NULL. */
static const char *status_text(uint32_t status)
{
    const char *name = status_name(status);

    return name && str_starts(str_of(name), STR("STATUS_")) ? name : NULL;
}

static void add_status(struct buf *b, uint32_t status)
{
    const char *name = status_text(status);

    if (name) {
        buf_add(b, str_of(name));
    } else {
        buf_add_hex(b, status);
    }
}

static void add_number_status(struct buf *b, uint32_t status)
{
    const char *name = status == 0 ? NULL : status_text(status);

    add_hex(b, status);
    if (name) {
        buf_add_char(b, ' ');
        buf_add(b, str_of(name));
    }
}

static void add_place(struct buf *b, const struct place *place)
{
    switch (place->kind) {
    case PLACE_MODULE:
        add_escaped(b, place->name, ESCAPE_NAME);
        break;
    case PLACE_PRIVATE:
        buf_add(b, STR("private "));
        buf_add_hex(b, place->base);
        break;
    case PLACE_UNMAPPED:
        buf_add(b, STR("unmapped "));
        buf_add_hex(b, place->base);
        break;
    case PLACE_MAPPED:
        buf_add(b, STR("mapped \""));
        add_escaped(b, place->name, ESCAPE_QUOTED);
        buf_add_char(b, '"');
        break;
    case PLACE_UNKNOWN:
        buf_add_char(b, '?');
        return;
    }
    buf_add_char(b, '+');
    buf_add_hex(b, place->offset);
}

/* --- Lines ------------------------------------------------------------ */

/* Floored, so that times before 1970 work too. */
static uint64_t day_ns(int64_t ns)
{
    int64_t day = (int64_t)86400 * SECOND_NS;
    int64_t rest = ns % day;

    return (uint64_t)(rest < 0 ? rest + day : rest);
}

static void add_clock(struct text *t, int64_t ns)
{
    struct buf *b = &t->line;
    uint64_t of_day = day_ns(ns + (int64_t)t->options.utc_offset * SECOND_NS);
    uint64_t seconds = of_day / SECOND_NS;

    add_padded(b, seconds / 3600, 2);
    buf_add_char(b, ':');
    add_padded(b, seconds / 60 % 60, 2);
    buf_add_char(b, ':');
    add_padded(b, seconds % 60, 2);
    if (t->options.when == WHEN_MICROS) {
        buf_add_char(b, '.');
        add_padded(b, of_day % SECOND_NS / 1000, 6);
    }
}

static void add_thread(struct text *t, const struct sink_head *head)
{
    struct buf *b = &t->line;

    if (!t->any) {
        t->any = true;
        t->first_pid = head->pid;
        t->first_tid = head->tid;
    } else if (head->pid != t->first_pid || head->tid != t->first_tid) {
        t->several = true;
    }
    if (!t->options.always_pid && !t->several) {
        return;
    }
    if (!t->options.always_pid) {
        buf_add(b, STR("[pid "));
    }
    buf_add_dec(b, head->pid);
    buf_add_char(b, '.');
    buf_add_dec(b, head->tid);
    buf_add(b, t->options.always_pid ? STR(" ") : STR("] "));
}

static void begin_line(struct text *t, const struct sink_head *head)
{
    struct buf *b = &t->line;
    const struct text_options *options = &t->options;
    int64_t since = t->have_last ? head->ns - t->last_ns : 0;

    b->size = 0;
    b->room = TEXT_LINE_MAX - LINE_TAIL;
    b->cut = false;
    t->depth = 0;
    t->arrays = 0;
    t->after_value = false;
    t->in_result = false;
    t->in_transition = false;

    add_thread(t, head);
    if (options->when == WHEN_EPOCH) {
        add_seconds(b, head->ns > 0 ? (uint64_t)head->ns : 0);
        buf_add_char(b, ' ');
    } else if (options->when != WHEN_NONE) {
        add_clock(t, head->ns);
        buf_add_char(b, ' ');
    }
    if (options->relative) {
        buf_add(b, options->when == WHEN_NONE ? STR("+") : STR("(+"));
        add_seconds(b, since > 0 ? (uint64_t)since : 0);
        buf_add(b, options->when == WHEN_NONE ? STR(" ") : STR(") "));
    }
    t->last_ns = head->ns;
    t->have_last = true;
    if (options->number && head->number_known) {
        buf_add(b, STR("[0x"));
        buf_add_hex_digits(b, head->number, 4);
        buf_add(b, STR("] "));
    }
    if (options->returns && head->returns != 0) {
        buf_add_char(b, '[');
        buf_add_hex_digits(b, head->returns, 16);
        buf_add(b, STR("] "));
    }
}

static void end_line(struct text *t)
{
    struct buf *b = &t->line;
    bool cut = b->cut;

    b->room = TEXT_LINE_MAX;
    b->cut = false;
    buf_add(b, cut ? STR("...\n") : STR("\n"));
    t->lines++;
    t->write(t->ctx, buf_str(b));
}

/* --- Values ----------------------------------------------------------- */

static void before_value(struct text *t)
{
    if (t->depth > 0 && (t->arrays >> t->depth & 1) && t->after_value) {
        buf_add(&t->line, STR(", "));
    }
}

static void on_arg(struct sink *s, str name)
{
    struct text *t = text_of(s);
    bool named = t->depth > 0 || t->part == PART_RETURN || t->options.arg_names;

    if (t->after_value) {
        buf_add(&t->line, STR(", "));
    }
    t->after_value = false;
    if (named && name.size > 0) {
        buf_add(&t->line, name);
        buf_add_char(&t->line, '=');
    }
}

static void on_more(struct sink *s)
{
    struct text *t = text_of(s);

    if (t->after_value) {
        buf_add(&t->line, STR(", ..."));
    }
}

static void on_unknown(struct sink *s)
{
    struct text *t = text_of(s);

    before_value(t);
    buf_add_char(&t->line, '?');
    t->after_value = true;
}

static void on_nothing(struct sink *s)
{
    struct text *t = text_of(s);

    before_value(t);
    buf_add(&t->line, STR("void"));
    t->after_value = true;
}

static void on_number(struct sink *s, enum number_form form, uint64_t value)
{
    struct text *t = text_of(s);
    struct buf *b = &t->line;

    before_value(t);
    switch (form) {
    case NUMBER_HEX:
        add_hex(b, value);
        break;
    case NUMBER_SIGNED:
        if (value >> 63) {
            buf_add_char(b, '-');
            value = 0 - value;
        }
        buf_add_dec(b, value);
        break;
    case NUMBER_DEC:
        buf_add_dec(b, value);
        break;
    }
    t->after_value = true;
}

static void on_status(struct sink *s, uint32_t status)
{
    struct text *t = text_of(s);

    before_value(t);
    if (t->in_result) {
        add_number_status(&t->line, status);
    } else if (status == 0) {
        buf_add_char(&t->line, '0');
    } else {
        add_status(&t->line, status);
    }
    t->after_value = true;
}

static void on_symbol(struct sink *s, str name)
{
    struct text *t = text_of(s);

    before_value(t);
    buf_add(&t->line, name);
    t->after_value = true;
}

static void on_place(struct sink *s, const struct place *place)
{
    struct text *t = text_of(s);

    before_value(t);
    add_place(&t->line, place);
    t->after_value = true;
}

static void on_begin(struct sink *s, enum sink_group group)
{
    struct text *t = text_of(s);

    before_value(t);
    if (t->in_transition && t->depth == 0) {
        buf_add_char(&t->line, ' ');
    }
    buf_add_char(&t->line, group == GROUP_ARRAY ? '[' : '{');
    /* Groups nest no deeper than decoders do; 63 is far beyond that. */
    if (t->depth < 63) {
        t->depth++;
    }
    t->arrays &= ~(1ull << t->depth);
    t->arrays |= (uint64_t)(group == GROUP_ARRAY) << t->depth;
    t->after_value = false;
}

static void on_end(struct sink *s, enum sink_group group)
{
    struct text *t = text_of(s);

    buf_add_char(&t->line, group == GROUP_ARRAY ? ']' : '}');
    if (t->depth > 0) {
        t->depth--;
    }
    t->after_value = true;
}

/* --- Calls, transitions, notices -------------------------------------- */

static void on_call_begin(struct sink *s, const struct sink_head *head,
                          str name, enum sink_part part)
{
    struct text *t = text_of(s);

    begin_line(t, head);
    t->part = (uint8_t)part;
    if (part == PART_RETURN) {
        buf_add(&t->line, STR("<... "));
        buf_add(&t->line, name);
        buf_add(&t->line, STR(" resumed>"));
    } else {
        buf_add(&t->line, name);
        buf_add_char(&t->line, '(');
    }
}

static void on_result(struct sink *s)
{
    struct text *t = text_of(s);

    buf_add(&t->line, STR(") = "));
    t->in_result = true;
    t->after_value = false;
}

static void on_note(struct sink *s, const struct sink_note *note)
{
    struct buf *b = &text_of(s)->line;

    switch (note->kind) {
    case NOTE_DIRECT:
        buf_add(b, STR(" (DIRECT: "));
        break;
    case NOTE_INDIRECT:
        buf_add(b, STR(" (INDIRECT: "));
        buf_add(b, note->name);
        buf_add_char(b, '+');
        buf_add_hex(b, note->offset);
        buf_add(b, STR(" from "));
        break;
    }
    add_place(b, note->place);
    buf_add_char(b, ')');
}

static void on_call_end(struct sink *s, const struct sink_end *end)
{
    struct text *t = text_of(s);
    struct buf *b = &t->line;

    if (t->part == PART_ENTRY) {
        buf_add(b, STR(" <unfinished ...>"));
    } else if (t->options.took && end->took != TOOK_NOTHING) {
        buf_add(b, STR(" <"));
        if (end->took == TOOK_TIME) {
            add_seconds(b, end->ns);
        } else {
            buf_add_char(b, '?');
        }
        buf_add_char(b, '>');
    }
    end_line(t);
}

static void on_transition_begin(struct sink *s, const struct sink_head *head,
                                str kind, const uint32_t *status)
{
    struct text *t = text_of(s);

    begin_line(t, head);
    t->part = PART_WHOLE;
    t->in_transition = true;
    buf_add(&t->line, STR("--- "));
    buf_add(&t->line, kind);
    if (status) {
        buf_add_char(&t->line, ' ');
        add_status(&t->line, *status);
    }
}

static void on_transition_end(struct sink *s)
{
    struct text *t = text_of(s);

    buf_add(&t->line, STR(" ---"));
    end_line(t);
}

static void add_exit_code(struct buf *b, const struct notice *n)
{
    if (n->code < 0x80000000) {
        buf_add_dec(b, n->code);
    } else {
        add_number_status(b, n->code);
    }
}

static void on_notice(struct sink *s, const struct sink_head *head,
                      const struct notice *n)
{
    struct text *t = text_of(s);
    struct buf *b = &t->line;

    begin_line(t, head);
    buf_add(b, STR("+++ "));
    switch (n->kind) {
    case NOTICE_EXITED:
        buf_add(b, STR("exited with "));
        add_exit_code(b, n);
        break;
    case NOTICE_KILLED:
        buf_add(b, STR("killed by "));
        add_status(b, n->code);
        break;
    case NOTICE_TERMINATED:
        buf_add(b, STR("terminated with "));
        add_exit_code(b, n);
        break;
    case NOTICE_THREAD_EXITED:
        buf_add(b, STR("thread exited with "));
        add_exit_code(b, n);
        break;
    case NOTICE_THREAD_TERMINATED:
        buf_add(b, STR("thread terminated with "));
        add_exit_code(b, n);
        break;
    case NOTICE_LOST:
        buf_add(b, STR("lost "));
        buf_add_dec(b, n->count);
        buf_add(b, STR(" records: "));
        buf_add(b, n->reason);
        break;
    case NOTICE_CALLBACK_LOST:
        buf_add(b, STR("callback lost"));
        break;
    case NOTICE_ATTACHED:
        buf_add(b, STR("attached"));
        break;
    case NOTICE_DETACHED:
        buf_add(b, STR("detached"));
        break;
    }
    buf_add(b, STR(" +++"));
    end_line(t);
}

static const struct sink_ops text_ops = {
    .call_begin = on_call_begin,
    .arg = on_arg,
    .more = on_more,
    .result = on_result,
    .note = on_note,
    .call_end = on_call_end,
    .unknown = on_unknown,
    .nothing = on_nothing,
    .number = on_number,
    .status = on_status,
    .symbol = on_symbol,
    .place = on_place,
    .begin = on_begin,
    .end = on_end,
    .transition_begin = on_transition_begin,
    .transition_end = on_transition_end,
    .notice = on_notice,
};

void text_init(struct text *t, const struct text_options *options,
               void (*write)(void *ctx, str line), void *ctx)
{
    memset(t, 0, offsetof(struct text, room));
    t->sink.ops = &text_ops;
    t->options = *options;
    t->write = write;
    t->ctx = ctx;
    t->line = BUF_OVER(t->room);
}
