/* SPDX-License-Identifier: MIT */
/*
 * text.c - the text output.
 *
 * A line is built in memory of the sink's own and handed on when it is
 * complete. Names that come from the target are escaped, so that no name can
 * end a line or pass for something else. Touches nothing but itself.
 */
#include "format/text.h"

#include "base/chars.h"
#include "base/compiler.h"
#include "base/utf.h"
#include "format/pieces.h"
#include "tables/status.h"

#include <string.h>

#include "base/banned.h"

#define SECOND_NS 1000000000

/* The most bytes that a unit of UTF-16, or a byte, can become: ^{DC80}. */
#define ESCAPE_MOST 7
/* --short: where a line has so much, and so much of it is this argument,
 * structures and arrays end in "...". */
#define BRIEF_BYTES 110
#define BRIEF_ARG_BYTES 80
/* Room for anything short. */
#define SMALL 128

#define COLOUR_NAME STR("\033[36m")
#define COLOUR_FAILED STR("\033[31m")
#define COLOUR_EVENT STR("\033[33m")
#define COLOUR_OFF STR("\033[0m")

static struct text *text_of(struct sink *s)
{
    return (struct text *)(void *)s;
}

/* --- Escaping --------------------------------------------------------- */

/* One character of what ends with `stop`. */
static void add_escape(struct buf *b, uint32_t c, char stop, enum text_hex hex)
{
    if (chars_hidden(c) || hex == TEXT_HEX_ALL ||
        (hex == TEXT_HEX_WIDE && c > 0x7e)) {
        chars_add_code(b, c);
        return;
    }
    if (c == '^' || c == (uint8_t)stop) {
        buf_add_char(b, '^');
    }
    utf_add(b, c);
}

static bool is_plain(uint32_t c, char stop)
{
    return c >= 0x20 && c < 0x7f && c != '^' && c != (uint8_t)stop;
}

static void add_escaped(struct buf *b, str s, char stop, enum text_hex hex)
{
    size_t at = 0;

    while (at < s.size) {
        str rest = str_slice(s, at, s.size);
        size_t n = 0;
        uint32_t c;

        while (hex != TEXT_HEX_ALL && n < rest.size &&
               is_plain((uint8_t)rest.p[n], stop)) {
            n++;
        }
        if (n > 0) {
            buf_add(b, str_slice(rest, 0, n));
            at += n;
            continue;
        }
        c = chars_code_point(rest, &n);
        add_escape(b, c, stop, hex);
        at += n;
    }
}

/* The same for UTF-16. */
static void add_units(struct buf *b, const uint16_t *units, size_t count,
                      char stop, enum text_hex hex)
{
    size_t at = 0;

    while (at < count) {
        char plain[64];
        size_t n = 0;
        uint32_t c;

        while (hex != TEXT_HEX_ALL && n < sizeof(plain) && at + n < count &&
               is_plain(units[at + n], stop)) {
            plain[n] = (char)units[at + n];
            n++;
        }
        if (n > 0) {
            buf_add(b, (str){ plain, n });
            at += n;
            continue;
        }
        c = utf_next16(units, count, &at);
        add_escape(b, c, stop, hex);
    }
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z') || c == '_' || c == '|' || c == '.' ||
           c == ':' || c == '+' || c == '-';
}

/* Could be taken for the end of a module's name, which nothing encloses, or
 * for what is no name at all. `word`: what stands before looks like a constant
 * or number. */
static bool is_special(str rest, bool at_start, bool word)
{
    char c = rest.p[0];
    char next = rest.size > 1 ? rest.p[1] : '\0';

    if (c == ',' || c == ']' || c == '}' || str_starts(rest, STR("+0x")) ||
        str_starts(rest, STR("@0x"))) {
        return true;
    }
    if (word && (c == ')' || c == '=' || c == '<' ||
                 (c == ' ' && (next == '=' || next == '/' || next == '<')))) {
        return true;
    }
    return at_start && (c == '?' || c == '[' || c == '{' || c == '"' ||
                        str_starts(rest, STR("private ")) ||
                        str_starts(rest, STR("unmapped ")) ||
                        str_starts(rest, STR("mapped ")));
}

/* `first`: nothing stands before it that would say what it is. */
static void add_plain(struct buf *b, str s, enum text_hex hex, bool first)
{
    enum text_hex most = hex == TEXT_HEX_ALL ? TEXT_HEX_WIDE : hex;
    bool word = first;
    size_t size;

    for (size_t at = 0; at < s.size; at += size) {
        str rest = str_slice(s, at, s.size);
        uint32_t c = chars_code_point(rest, &size);

        if (is_special(rest, first && at == 0, word)) {
            chars_add_code(b, c);
        } else {
            add_escape(b, c, '^', most);
        }
        word = word && is_word(rest.p[0]);
    }
}

static void add_module(struct buf *b, str s, enum text_hex hex)
{
    add_plain(b, s, hex, true);
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

/* What stands behind the second; the rest is cut off. */
static void add_fraction(struct buf *b, uint64_t ns, enum text_precision p)
{
    switch (p) {
    case PRECISION_S:
        break;
    case PRECISION_MS:
        buf_add_char(b, '.');
        pieces_add_padded(b, ns / 1000000, 3);
        break;
    case PRECISION_DEFAULT:
    case PRECISION_US:
        buf_add_char(b, '.');
        pieces_add_padded(b, ns / 1000, 6);
        break;
    case PRECISION_NS:
        buf_add_char(b, '.');
        pieces_add_padded(b, ns, 9);
        break;
    }
}

static void add_seconds(struct buf *b, uint64_t ns, enum text_precision p)
{
    buf_add_dec(b, ns / SECOND_NS);
    add_fraction(b, ns % SECOND_NS, p);
}

static void add_status(struct buf *b, uint32_t status)
{
    const char *name = status_name(status);

    if (name) {
        buf_add(b, str_of(name));
    } else {
        buf_add_hex(b, status);
    }
}

static void add_number_status(struct buf *b, uint32_t status)
{
    const char *name = status == 0 ? NULL : status_name(status);

    add_hex(b, status);
    if (name) {
        buf_add_char(b, ' ');
        buf_add(b, str_of(name));
    }
}

/* What an address is part of, without how far it is in there. */
static void add_place_to(const struct text *t, struct line *l,
                         const struct place *place)
{
    struct buf *b = &l->buf;

    line_room(l, place->name.size * ESCAPE_MOST + SMALL);
    switch (place->kind) {
    case PLACE_MODULE:
        add_module(b, place->name, t->options.hex);
        if (place->second) {
            buf_add_char(b, '@');
            buf_add_hex(b, place->base);
        }
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
        add_escaped(b, place->name, '"', t->options.hex);
        buf_add_char(b, '"');
        break;
    case PLACE_UNKNOWN:
        buf_add_char(b, '?');
        break;
    }
}

static void add_place(struct text *t, const struct place *place)
{
    add_place_to(t, &t->line, place);
    if (place->kind != PLACE_UNKNOWN) {
        buf_add_char(&t->line.buf, '+');
        buf_add_hex(&t->line.buf, place->offset);
    }
}

/* --- Lines ------------------------------------------------------------ */

/* Floored, so that times before 1970 work too. */
static uint64_t day_ns(int64_t ns)
{
    int64_t day = (int64_t)86400 * SECOND_NS;
    int64_t rest = ns % day;

    return (uint64_t)(rest < 0 ? rest + day : rest);
}

static void add_when(struct text *t, int64_t ns)
{
    const struct text_options *options = &t->options;
    struct buf *b = &t->line.buf;
    enum text_precision p = options->when_precision;

    if (options->when == WHEN_EPOCH) {
        add_seconds(b, ns > 0 ? (uint64_t)ns : 0, p);
    } else {
        int64_t ahead = (int64_t)options->utc_offset * SECOND_NS;
        uint64_t of_day = day_ns((int64_t)((uint64_t)ns + (uint64_t)ahead));

        if (p == PRECISION_DEFAULT && options->when == WHEN_SECONDS) {
            p = PRECISION_S;
        }
        pieces_add_clock(b, of_day / SECOND_NS);
        add_fraction(b, of_day % SECOND_NS, p);
    }
    buf_add_char(b, ' ');
}

static void add_thread(const struct text *t, struct buf *b,
                       const struct sink_head *head, str without)
{
    if (!t->options.always_pid && !t->several) {
        buf_add(b, without);
        return;
    }
    if (!t->options.always_pid) {
        buf_add(b, STR("[pid "));
    }
    buf_add_dec(b, head->pid);
    buf_add_char(b, '.');
    if (head->tid != 0) {
        buf_add_dec(b, head->tid);
    } else {
        buf_add_char(b, '?');
    }
    if (t->options.images && head->image.size > 0) {
        buf_add_char(b, '<');
        add_escaped(b, head->image, '>', t->options.hex);
        buf_add_char(b, '>');
    }
    buf_add(b, t->options.always_pid ? STR(" ") : STR("] "));
}

static void note_thread(struct text *t, const struct sink_head *head)
{
    if (!t->any) {
        t->any = true;
        t->first_pid = head->pid;
        t->first_tid = head->tid;
    } else if (head->pid == t->first_pid && t->first_tid == 0) {
        t->first_tid = head->tid;
    } else if (head->pid != t->first_pid ||
               (head->tid != t->first_tid && head->tid != 0)) {
        t->several = true;
    }
}

static void begin_line(struct text *t, const struct sink_head *head)
{
    struct buf *b = &t->line.buf;
    const struct text_options *options = &t->options;
    uint64_t since = 0;

    line_reset(&t->line);
    line_room(&t->line, head->image.size * ESCAPE_MOST + 2 * SMALL);
    t->depth = 0;
    t->after_value = false;
    t->in_result = false;
    t->in_transition = false;
    t->leaving = false;
    t->leaving_one = false;
    t->arg_from = 0;
    t->result_from = 0;
    t->result_to = 0;
    t->head = *head;
    t->dumps_full = false;

    note_thread(t, head);
    add_thread(t, b, head, STR(""));
    if (options->when != WHEN_NONE) {
        add_when(t, head->ns);
    }
    if (options->relative) {
        buf_add(b, options->when == WHEN_NONE ? STR("+") : STR("(+"));
        if (t->have_last && head->ns > t->last_ns) {
            since = (uint64_t)head->ns - (uint64_t)t->last_ns;
        }
        add_seconds(b, since, options->relative_precision);
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
    t->lines++;
    t->write(t->ctx, line_end(&t->line, STR("")));
}

static void add_colour(struct text *t, str colour)
{
    if (t->options.colour) {
        buf_add(&t->line.buf, colour);
    }
}

/* --- Values ----------------------------------------------------------- */

static bool is_full(const struct text *t)
{
    return t->line.buf.size > LINE_FULL_BYTES;
}

/* No more of this structure or array is to be shown; something is. */
static bool is_enough(const struct text *t)
{
    return is_full(t) || (t->options.brief && t->depth > 0 && t->after_value &&
                          !t->in_transition && t->line.buf.size > BRIEF_BYTES &&
                          t->line.buf.size - t->arg_from > BRIEF_ARG_BYTES);
}

static bool in_array(const struct text *t)
{
    return t->depth > 0 && t->groups[t->depth - 1] == GROUP_ARRAY;
}

/* From here on nothing more of this group is shown. */
static void leave_rest(struct text *t)
{
    buf_add(&t->line.buf, t->after_value ? STR(", ...") : STR("?"));
    t->leaving = true;
    t->leaving_one = false;
    t->left = 0;
    t->after_value = true;
}

/* What stands before a value that takes `room` bytes. False: it is left
 * out. */
static bool begin_value(struct text *t, size_t room)
{
    struct buf *b = &t->line.buf;

    if (t->leaving) {
        return false;
    }
    line_room(&t->line, room + SMALL);
    if (in_array(t) && is_enough(t)) {
        leave_rest(t);
        return false;
    }
    if (t->depth > 0 && t->after_value) {
        if (t->groups[t->depth - 1] == GROUP_ARRAY) {
            buf_add(b, STR(", "));
        } else if (t->groups[t->depth - 1] == GROUP_INOUT) {
            buf_add(b, STR(" => "));
        }
    }
    t->after_value = true;
    return true;
}

static void on_arg(struct sink *s, str name, const uint64_t *raw)
{
    struct text *t = text_of(s);
    bool named = t->depth > 0 || t->part == PART_RETURN || t->options.arg_names;

    (void)raw;
    if (t->leaving) {
        return;
    }
    line_room(&t->line, name.size + SMALL);
    if (is_enough(t)) {
        leave_rest(t);
        return;
    }
    if (t->after_value) {
        buf_add(&t->line.buf, STR(", "));
    }
    t->after_value = false;
    if (t->depth == 0) {
        t->arg_from = t->line.buf.size;
    }
    if (named && name.size > 0) {
        buf_add(&t->line.buf, name);
        buf_add_char(&t->line.buf, '=');
    }
}

static void on_more(struct sink *s)
{
    struct text *t = text_of(s);

    if (!t->leaving) {
        line_room(&t->line, SMALL);
        leave_rest(t);
    }
}

static void on_unknown(struct sink *s)
{
    struct text *t = text_of(s);

    if (begin_value(t, 0)) {
        buf_add_char(&t->line.buf, '?');
    }
}

static void on_nothing(struct sink *s)
{
    struct text *t = text_of(s);

    if (begin_value(t, 0)) {
        buf_add(&t->line.buf, STR("void"));
    }
}

static void on_null(struct sink *s)
{
    struct text *t = text_of(s);

    if (begin_value(t, 0)) {
        buf_add(&t->line.buf, t->in_result ? STR("0") : STR("NULL"));
    }
}

static void on_number(struct sink *s, enum number_form form, uint64_t value)
{
    struct text *t = text_of(s);
    struct buf *b = &t->line.buf;

    if (!begin_value(t, 0)) {
        return;
    }
    switch (form) {
    case NUMBER_HEX:
        add_hex(b, value);
        break;
    case NUMBER_SIGNED:
        pieces_add_signed(b, value);
        break;
    case NUMBER_DEC:
        buf_add_dec(b, value);
        break;
    }
}

static void on_status(struct sink *s, uint32_t status)
{
    struct text *t = text_of(s);

    if (!begin_value(t, 0)) {
        return;
    }
    if (t->options.brief && status != 0) {
        add_status(&t->line.buf, status);
    } else if (t->in_result || status == 0) {
        add_number_status(&t->line.buf, status);
    } else {
        add_status(&t->line.buf, status);
    }
}

static void on_constant(struct sink *s, const struct sink_constant *c)
{
    struct text *t = text_of(s);
    struct buf *b = &t->line.buf;
    size_t room = 0;

    for (size_t i = 0; i < c->count; i++) {
        room += strlen(c->names[i]) + 1;
    }
    if (!begin_value(t, room + 32)) {
        return;
    }
    if (t->options.constant_numbers) {
        add_hex(b, c->raw);
        buf_add(b, STR(" /* "));
    }
    for (size_t i = 0; i < c->count; i++) {
        if (i > 0) {
            buf_add_char(b, '|');
        }
        buf_add(b, str_of(c->names[i]));
    }
    if (c->rest != 0 || c->count == 0) {
        if (c->count > 0) {
            buf_add_char(b, '|');
        }
        add_hex(b, c->rest);
    }
    if (t->options.constant_numbers) {
        buf_add(b, STR(" */"));
    }
}

/* <name>, or <type> of what has none; -yy: <type access name>. */
static void add_object(struct text *t, const struct object *object)
{
    struct buf *b = &t->line.buf;
    enum text_hex hex = t->options.hex;
    str name = object->name;
    size_t most = (name.size + object->type.size) * ESCAPE_MOST + SMALL;

    if ((name.size == 0 && object->type.size == 0) ||
        most > line_left(&t->line)) {
        return;
    }
    line_room(&t->line, most);
    buf_add_char(b, '<');
    if (t->options.handle_detail) {
        add_escaped(b, object->type.size > 0 ? object->type : STR("?"), '>',
                    hex);
        buf_add_char(b, ' ');
        if (object->access_known) {
            buf_add_hex(b, object->access);
        } else {
            buf_add_char(b, '?');
        }
        if (name.size > 0) {
            buf_add_char(b, ' ');
        }
    } else if (name.size == 0) {
        name = object->type;
    }
    add_escaped(b, name, '>', hex);
    buf_add_char(b, '>');
}

static void on_handle(struct sink *s, uint64_t value, str pseudo,
                      const struct object *object)
{
    struct text *t = text_of(s);

    if (!begin_value(t, pseudo.size)) {
        return;
    }
    if (pseudo.size > 0) {
        buf_add(&t->line.buf, pseudo);
    } else {
        add_hex(&t->line.buf, value);
    }
    if (object) {
        add_object(t, object);
    }
}

static void on_text(struct sink *s, const struct sink_text *text)
{
    struct text *t = text_of(s);
    struct buf *b = &t->line.buf;
    size_t n = pieces_fit(text, line_left(&t->line) / ESCAPE_MOST);

    if (!begin_value(t, n * ESCAPE_MOST)) {
        return;
    }
    buf_add_char(b, '"');
    if (text->kind == TEXT_UTF16) {
        add_units(b, text->p, n, '"', t->options.hex);
    } else {
        add_escaped(b, (str){ text->p, n }, '"', t->options.hex);
    }
    buf_add_char(b, '"');
    if (text->cut || n < text->size) {
        buf_add(b, STR("..."));
    }
}

static void add_byte(struct buf *b, uint8_t byte, enum text_hex hex)
{
    if (hex != TEXT_HEX_ALL) {
        if (byte >= 0x20 && byte < 0x7f) {
            if (byte == '"' || byte == '\\') {
                buf_add_char(b, '\\');
            }
            buf_add_char(b, (char)byte);
            return;
        }
        if (byte == '\n' || byte == '\r' || byte == '\t') {
            buf_add_char(b, '\\');
            buf_add_char(b, byte == '\n' ? 'n' : byte == '\r' ? 'r' : 't');
            return;
        }
    }
    buf_add(b, STR("\\x"));
    buf_add_hex_digits(b, byte, 2);
}

static void on_data(struct sink *s, const uint8_t *bytes, size_t size, bool cut)
{
    struct text *t = text_of(s);
    struct buf *b = &t->line.buf;
    size_t left = line_left(&t->line) / 4;
    size_t n = size < left ? size : left;

    if (!begin_value(t, n * 4)) {
        return;
    }
    buf_add(b, STR("b\""));
    for (size_t i = 0; i < n; i++) {
        add_byte(b, bytes[i], t->options.hex);
    }
    buf_add_char(b, '"');
    if (cut || n < size) {
        buf_add(b, STR("..."));
    }
}

static void on_time(struct sink *s, int64_t filetime)
{
    struct text *t = text_of(s);

    if (begin_value(t, 0)) {
        pieces_add_time(&t->line.buf, filetime);
    }
}

static void on_duration(struct sink *s, int64_t units)
{
    struct text *t = text_of(s);

    if (begin_value(t, 0)) {
        pieces_add_duration(&t->line.buf, units);
    }
}

static void on_comment(struct sink *s, str words)
{
    struct text *t = text_of(s);
    struct buf *b = &t->line.buf;
    size_t most = words.size * ESCAPE_MOST + SMALL;
    str rest = words;
    size_t size;

    if (t->leaving || most > line_left(&t->line)) {
        return;
    }
    line_room(&t->line, most);
    buf_add(b, STR(" /* "));
    while (rest.size > 0) {
        uint32_t c = chars_code_point(rest, &size);

        /* Nothing in it may end it. */
        if (str_starts(rest, STR("*/"))) {
            chars_add_code(b, c);
        } else {
            add_escape(b, c, '^',
                       t->options.hex == TEXT_HEX_NEEDED ? TEXT_HEX_NEEDED
                                                         : TEXT_HEX_WIDE);
        }
        rest = str_slice(rest, size, rest.size);
    }
    buf_add(b, STR(" */"));
}

static void on_symbol(struct sink *s, str name)
{
    struct text *t = text_of(s);

    if (begin_value(t, name.size)) {
        buf_add(&t->line.buf, name);
    }
}

static void on_place(struct sink *s, const struct place *place)
{
    struct text *t = text_of(s);

    if (begin_value(t, 0)) {
        add_place(t, place);
    }
}

static void on_begin(struct sink *s, enum sink_group group)
{
    struct text *t = text_of(s);
    struct buf *b = &t->line.buf;

    if (t->leaving) {
        t->left++;
        return;
    }
    if (!begin_value(t, 0)) {
        t->left = 1;
        return;
    }
    if (t->in_transition && t->depth == 0) {
        buf_add_char(b, ' ');
    }
    if (is_full(t) || t->depth == TEXT_DEPTH_MAX) {
        buf_add_char(b, '?');
        t->leaving = true;
        t->leaving_one = true;
        t->left = 1;
        return;
    }
    buf_add_char(b, group == GROUP_STRUCT ? '{' : '[');
    t->groups[t->depth++] = (uint8_t)group;
    t->after_value = false;
}

static void on_end(struct sink *s, enum sink_group group)
{
    struct text *t = text_of(s);

    if (t->leaving) {
        if (t->left > 0) {
            t->left--;
            t->leaving = !t->leaving_one || t->left > 0;
            return;
        }
        t->leaving = false;
    }
    line_room(&t->line, SMALL);
    buf_add_char(&t->line.buf, group == GROUP_STRUCT ? '}' : ']');
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
    struct buf *b = &t->line.buf;

    begin_line(t, head);
    line_room(&t->line, name.size + SMALL);
    t->part = (uint8_t)part;
    if (part == PART_RETURN) {
        buf_add(b, STR("<... "));
    }
    add_colour(t, COLOUR_NAME);
    buf_add(b, name);
    add_colour(t, COLOUR_OFF);
    buf_add(b, part == PART_RETURN ? STR(" resumed>") : STR("("));
}

static void on_result(struct sink *s, const uint64_t *raw)
{
    struct text *t = text_of(s);

    (void)raw;
    t->leaving = false;
    t->depth = 0;
    line_room(&t->line, SMALL);
    buf_add(&t->line.buf, STR(") = "));
    t->in_result = true;
    t->after_value = false;
    t->result_from = t->line.buf.size;
}

/* The result's text ends here. */
static void end_result(struct text *t)
{
    if (t->result_to == 0) {
        t->result_to = t->line.buf.size;
    }
}

static bool has_place(enum note_kind kind)
{
    return kind == NOTE_DIRECT || kind == NOTE_INDIRECT || kind == NOTE_CALLER;
}

static void on_note(struct sink *s, const struct sink_note *note)
{
    struct text *t = text_of(s);
    struct buf *b = &t->line.buf;

    end_result(t);
    line_room(&t->line, note->name.size + SMALL);
    buf_add_char(b, ' ');
    add_colour(t, COLOUR_EVENT);
    switch (note->kind) {
    case NOTE_DIRECT:
        buf_add(b, STR("(DIRECT: "));
        break;
    case NOTE_INDIRECT:
        buf_add(b, STR("(INDIRECT: "));
        buf_add(b, note->name);
        buf_add_char(b, '+');
        buf_add_hex(b, note->offset);
        buf_add(b, STR(" from "));
        break;
    case NOTE_CAUSED:
        buf_add(b, STR("(caused by ntstrace"));
        break;
    case NOTE_CALLER:
        buf_add(b, STR("(from "));
        break;
    case NOTE_INJECTED:
        buf_add(b, STR("(INJECTED"));
        break;
    case NOTE_DELAYED:
        buf_add(b, STR("(DELAYED"));
        break;
    }
    if (note->place && has_place(note->kind)) {
        add_place(t, note->place);
    } else if (note->kind == NOTE_CALLER) {
        buf_add_char(b, '?');
    }
    line_room(&t->line, SMALL);
    buf_add_char(b, ')');
    add_colour(t, COLOUR_OFF);
}

/* Of a line that follows the call's. */
static void add_follower_start(struct text *t, str mark)
{
    line_room(&t->dumps, t->head.image.size * ESCAPE_MOST + 2 * SMALL);
    add_thread(t, &t->dumps.buf, &t->head, STR(" "));
    buf_add(&t->dumps.buf, mark);
}

static void add_dump_start(struct text *t)
{
    add_follower_start(t, STR("| "));
}

/* The lines of a dump: " | 00000  68 65 ...  he...  |". */
static void on_dump(struct sink *s, bool written, const uint8_t *bytes,
                    size_t size, bool cut)
{
    struct text *t = text_of(s);
    struct buf *b = &t->dumps.buf;

    (void)written;
    for (size_t at = 0; at < size && !t->dumps_full; at += 16) {
        add_dump_start(t);
        if (line_left(&t->dumps) < 2 * SMALL) {
            buf_add(b, STR("...\n"));
            t->dumps_full = true;
            break;
        }
        buf_add_hex_digits(b, at, at > 0xfffff ? 8 : 5);
        for (size_t i = at; i < at + 16; i++) {
            buf_add(b, i % 8 == 0 ? STR("  ") : STR(" "));
            if (i < size) {
                buf_add_hex_digits(b, bytes[i], 2);
            } else {
                buf_add(b, STR("  "));
            }
        }
        buf_add(b, STR("  "));
        for (size_t i = at; i < at + 16; i++) {
            bool seen = i < size && bytes[i] >= 0x20 && bytes[i] < 0x7f;

            buf_add_char(b, seen ? (char)bytes[i] : i < size ? '.' : ' ');
        }
        buf_add(b, STR(" |\n"));
    }
    if (cut && !t->dumps_full) {
        add_dump_start(t);
        buf_add(b, STR("...\n"));
    }
}

/* "> kernelbase.dll!CreateFileW+0x5a". Without a symbol the offset is that in the
 * module; without a module there is the address alone. */
static void add_frame(struct text *t, const struct sink_frame *f)
{
    struct buf *b = &t->dumps.buf;

    add_follower_start(t, STR("> "));
    if (f->place.kind == PLACE_UNKNOWN) {
        buf_add_hex(b, f->address);
        buf_add_char(b, '\n');
        return;
    }
    add_place_to(t, &t->dumps, &f->place);
    line_room(&t->dumps, f->symbol.size * ESCAPE_MOST + SMALL);
    if (f->symbol.size > 0) {
        buf_add_char(b, '!');
        add_plain(b, f->symbol, t->options.hex, false);
    }
    buf_add_char(b, '+');
    buf_add_hex(b, f->symbol.size > 0 ? f->offset : f->place.offset);
    buf_add_char(b, '\n');
}

static void on_stack(struct sink *s, const struct sink_stack *stack)
{
    struct text *t = text_of(s);
    struct buf *b = &t->dumps.buf;

    for (size_t i = 0; i < stack->count && !t->dumps_full; i++) {
        if (line_left(&t->dumps) < 2 * SMALL) {
            add_follower_start(t, STR("> (stack cut: no room)\n"));
            t->dumps_full = true;
            return;
        }
        add_frame(t, &stack->frames[i]);
    }
    if (stack->cut.size > 0 && !t->dumps_full) {
        add_follower_start(t, STR("> (stack cut: "));
        line_room(&t->dumps,
                  stack->cut.size + stack->file.size * ESCAPE_MOST + SMALL);
        buf_add(b, stack->cut);
        if (stack->file.size > 0) {
            buf_add_char(b, ' ');
            add_module(b, stack->file, t->options.hex);
        }
        buf_add(b, STR(")\n"));
    }
}

static void write_dumps(struct text *t)
{
    str rest = buf_str(&t->dumps.buf);
    str one;

    while (str_cut(rest, '\n', &one, &rest)) {
        t->lines++;
        t->write(t->ctx, (str){ one.p, one.size + 1 });
    }
    line_reset(&t->dumps);
}

static void on_call_end(struct sink *s, const struct sink_end *end)
{
    struct text *t = text_of(s);
    struct buf *b = &t->line.buf;

    line_room(&t->line, SMALL);
    if (t->part == PART_ENTRY) {
        buf_add(b, STR(" <unfinished ...>"));
    } else {
        end_result(t);
        if (t->options.took && end->took != TOOK_NOTHING) {
            buf_add(b, STR(" <"));
            if (end->took == TOOK_TIME) {
                add_seconds(b, end->ns, t->options.took_precision);
            } else {
                buf_add_char(b, '?');
            }
            buf_add_char(b, '>');
        }
        if (t->options.colour && end->failed) {
            line_insert(&t->line, t->result_to, COLOUR_OFF);
            line_insert(&t->line, t->result_from, COLOUR_FAILED);
        }
    }
    end_line(t);
    if (t->dumps.buf.size > 0) {
        write_dumps(t);
    }
}

static void on_transition_begin(struct sink *s, const struct sink_head *head,
                                str kind, const uint32_t *status)
{
    struct text *t = text_of(s);
    struct buf *b = &t->line.buf;

    begin_line(t, head);
    t->part = PART_WHOLE;
    t->in_transition = true;
    buf_add(b, STR("--- "));
    add_colour(t, COLOUR_EVENT);
    buf_add(b, kind);
    add_colour(t, COLOUR_OFF);
    if (status) {
        buf_add_char(b, ' ');
        add_status(b, *status);
    }
}

static void on_transition_end(struct sink *s)
{
    struct text *t = text_of(s);

    line_room(&t->line, SMALL);
    buf_add(&t->line.buf, STR(" ---"));
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

/* "process 44<app.exe>" */
static void add_process(struct text *t, const struct child_told *child)
{
    struct buf *b = &t->line.buf;
    str image = str_file(child->image);

    line_room(&t->line, image.size * ESCAPE_MOST + SMALL);
    buf_add(b, STR("process "));
    buf_add_dec(b, child->pid);
    if (image.size > 0) {
        buf_add_char(b, '<');
        add_escaped(b, image, '>', t->options.hex);
        buf_add_char(b, '>');
    }
}

/* " started by 32.36: "app.exe some words"" */
static void add_start(struct text *t, const struct child_told *child)
{
    struct buf *b = &t->line.buf;

    add_process(t, child);
    buf_add(b, child->how == PROCESS_CLONE ? STR(" cloned by ")
                                           : STR(" started by "));
    if (child->by_pid == 0) {
        buf_add_char(b, '?');
    } else {
        buf_add_dec(b, child->by_pid);
        buf_add_char(b, '.');
        if (child->by_tid != 0) {
            buf_add_dec(b, child->by_tid);
        } else {
            buf_add_char(b, '?');
        }
    }
    buf_add(b, STR(": "));
    if (child->command.size == 0) {
        buf_add_char(b, '?');
        return;
    }
    line_room(&t->line, child->command.size * ESCAPE_MOST + SMALL);
    buf_add_char(b, '"');
    add_escaped(b, child->command, '"', t->options.hex);
    buf_add_char(b, '"');
}

/* Words in which nothing can be taken for the end of the line. */
static void add_reason(struct text *t, str reason)
{
    line_room(&t->line, reason.size * ESCAPE_MOST + SMALL);
    for (size_t at = 0, size; at < reason.size; at += size) {
        uint32_t c =
            chars_code_point(str_slice(reason, at, reason.size), &size);

        if (c == '+') {
            chars_add_code(&t->line.buf, c);
        } else {
            add_escape(&t->line.buf, c, '^', TEXT_HEX_NEEDED);
        }
    }
}

static void on_notice(struct sink *s, const struct sink_head *head,
                      const struct notice *n)
{
    struct text *t = text_of(s);
    struct buf *b = &t->line.buf;

    begin_line(t, head);
    line_room(&t->line, n->reason.size + 2 * SMALL);
    add_colour(t, COLOUR_EVENT);
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
    case NOTICE_ENDED:
        buf_add(b, STR("ended with "));
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
    case NOTICE_THREAD_ENDED:
        buf_add(b, STR("thread ended with "));
        add_exit_code(b, n);
        break;
    case NOTICE_LOST:
        buf_add(b, STR("lost "));
        buf_add_dec(b, n->count);
        buf_add(b, n->data ? STR(" pieces of data: ") : STR(" records: "));
        buf_add(b, n->reason);
        break;
    case NOTICE_CALLBACK_LOST:
        buf_add(b, STR("callback lost"));
        break;
    case NOTICE_NO_CALLBACK:
        buf_add(b, STR("no callback: no transitions, no direct calls"));
        break;
    case NOTICE_CALLBACK_REPLACED:
        buf_add(b, STR("callback lost: no transitions, no direct calls from "
                       "here on"));
        break;
    case NOTICE_PATCHES_LOST:
    case NOTICE_PATCHED_AGAIN:
        buf_add(b, n->kind == NOTICE_PATCHES_LOST ? STR("patches lost: ")
                                                  : STR("patched again: "));
        buf_add_dec(b, n->count);
        buf_add(b, STR(" functions of "));
        buf_add(b, n->reason);
        break;
    case NOTICE_ATTACHED:
        buf_add(b, STR("attached"));
        break;
    case NOTICE_DETACHED:
        buf_add(b, STR("detached"));
        break;
    case NOTICE_STARTED:
        add_start(t, n->child);
        break;
    case NOTICE_UNTRACED:
        add_start(t, n->child);
        buf_add(b, STR(", runs untraced: "));
        add_reason(t, n->reason);
        break;
    case NOTICE_LATE:
        add_process(t, n->child);
        buf_add(b, STR(" is traced late: "));
        add_seconds(b, n->count / 1000 * 1000, PRECISION_US);
        buf_add(b, STR(" s missed"));
        break;
    }
    line_room(&t->line, SMALL);
    buf_add(b, STR(" +++"));
    add_colour(t, COLOUR_OFF);
    end_line(t);
}

static const struct sink_ops text_ops = {
    .call_begin = on_call_begin,
    .arg = on_arg,
    .more = on_more,
    .result = on_result,
    .note = on_note,
    .dump = on_dump,
    .stack = on_stack,
    .call_end = on_call_end,
    .unknown = on_unknown,
    .nothing = on_nothing,
    .null = on_null,
    .number = on_number,
    .status = on_status,
    .constant = on_constant,
    .handle = on_handle,
    .text = on_text,
    .data = on_data,
    .time = on_time,
    .duration = on_duration,
    .comment = on_comment,
    .symbol = on_symbol,
    .place = on_place,
    .begin = on_begin,
    .end = on_end,
    .transition_begin = on_transition_begin,
    .transition_end = on_transition_end,
    .notice = on_notice,
};

bool text_init(struct text *t, const struct text_options *options,
               void (*write)(void *ctx, str line), void *ctx)
{
    bool ok;

    memset(t, 0, sizeof(*t));
    t->sink.ops = &text_ops;
    t->options = *options;
    t->write = write;
    t->ctx = ctx;
    ok = line_open(&t->line);
    return line_open(&t->dumps) && ok;
}

void text_close(struct text *t)
{
    line_close(&t->line);
    line_close(&t->dumps);
}
