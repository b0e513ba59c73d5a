/* SPDX-License-Identifier: MIT */
/*
 * json.c - one JSON object a line.
 *
 * Touches nothing but itself. What was begun is closed in the order that the
 * sink's interface has; a sink told out of order writes odd lines, but lines.
 */
#include "format/json.h"

#include "base/chars.h"
#include "base/compiler.h"
#include "base/utf.h"
#include "format/pieces.h"
#include "tables/status.h"

#include <string.h>

#include "base/banned.h"

/* The most bytes that a unit of UTF-16, or a byte, can become: \udc80. */
#define ESCAPE_MOST 6
/* Room for anything short. */
#define SMALL 256
/* Numbers below this mean the same to every reader of JSON. */
#define EXACT_MOST (UINT64_C(1) << 53)

enum section {
    SECTION_NONE,
    SECTION_ARGS,
    SECTION_RESULT,
    SECTION_NOTES,
    SECTION_TRANSITION,
};

static struct json *json_of(struct sink *s)
{
    return (struct json *)(void *)s;
}

/* --- Pieces ----------------------------------------------------------- */

static void add_escape(struct buf *b, uint32_t unit)
{
    buf_add(b, STR("\\u"));
    buf_add_hex_digits(b, unit, 4);
}

static void add_char(struct buf *b, uint32_t c)
{
    if (c >= 0x10000) {
        add_escape(b, 0xd800 + ((c - 0x10000) >> 10));
        add_escape(b, 0xdc00 + ((c - 0x10000) & 0x3ff));
    } else if (c < 0x20 || c >= 0x7f) {
        add_escape(b, c);
    } else {
        if (c == '"' || c == '\\') {
            buf_add_char(b, '\\');
        }
        buf_add_char(b, (char)c);
    }
}

static bool is_plain(uint32_t c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void add_inside(struct buf *b, str s)
{
    while (s.size > 0) {
        size_t n = 0;

        while (n < s.size && is_plain((uint8_t)s.p[n])) {
            n++;
        }
        if (n > 0) {
            buf_add(b, str_slice(s, 0, n));
        } else {
            add_char(b, chars_code_point(s, &n));
        }
        s = str_slice(s, n, s.size);
    }
}

static void add_units(struct buf *b, const uint16_t *units, size_t count)
{
    size_t at = 0;

    while (at < count) {
        char plain[64];
        size_t n = 0;

        while (n < sizeof(plain) && at + n < count && is_plain(units[at + n])) {
            plain[n] = (char)units[at + n];
            n++;
        }
        if (n > 0) {
            buf_add(b, (str){ plain, n });
            at += n;
        } else {
            add_char(b, utf_next16(units, count, &at));
        }
    }
}

void json_add_string(struct buf *b, str s)
{
    buf_add_char(b, '"');
    add_inside(b, s);
    buf_add_char(b, '"');
}

/* A string, with its quotes and the room that it needs. */
static void add_string(struct json *j, str s)
{
    line_room(&j->line, s.size * ESCAPE_MOST + SMALL);
    json_add_string(&j->line.buf, s);
}

static void add_hex(struct buf *b, uint64_t n)
{
    buf_add_char(b, '"');
    buf_add_hex(b, n);
    buf_add_char(b, '"');
}

/* A decimal: a number, or a string if readers could round it. */
static void add_decimal(struct buf *b, uint64_t n, bool is_signed)
{
    bool negative = is_signed && n >> 63;
    bool exact = (negative ? 0 - n : n) < EXACT_MOST;

    buf_add(b, exact ? STR("") : STR("\""));
    if (is_signed) {
        pieces_add_signed(b, n);
    } else {
        buf_add_dec(b, n);
    }
    buf_add(b, exact ? STR("") : STR("\""));
}

/* Nanoseconds: always a string. */
static void add_ns(struct buf *b, int64_t ns)
{
    buf_add_char(b, '"');
    pieces_add_signed(b, (uint64_t)ns);
    buf_add_char(b, '"');
}

static void add_status(struct buf *b, uint32_t status)
{
    const char *name = status_name(status);

    buf_add(b, STR("{\"status\":"));
    if (name) {
        buf_add_char(b, '"');
        buf_add(b, str_of(name));
        buf_add_char(b, '"');
    } else {
        buf_add(b, STR("null"));
    }
    buf_add(b, STR(",\"raw\":"));
    add_hex(b, status);
    buf_add_char(b, '}');
}

static void add_place(struct json *j, const struct place *place)
{
    static const char *const kinds[] = {
        [PLACE_UNKNOWN] = "{\"place\":\"unknown\"",
        [PLACE_MODULE] = "{\"place\":\"module\",\"name\":",
        [PLACE_PRIVATE] = "{\"place\":\"private\",\"base\":",
        [PLACE_MAPPED] = "{\"place\":\"mapped\",\"name\":",
        [PLACE_UNMAPPED] = "{\"place\":\"unmapped\",\"base\":",
    };
    struct buf *b = &j->line.buf;

    line_room(&j->line, SMALL);
    buf_add(b, str_of(kinds[place->kind]));
    switch (place->kind) {
    case PLACE_UNKNOWN:
        buf_add_char(b, '}');
        return;
    case PLACE_MODULE:
    case PLACE_MAPPED:
        add_string(j, place->name);
        if (place->second) {
            buf_add(b, STR(",\"base\":"));
            add_hex(b, place->base);
        }
        break;
    case PLACE_PRIVATE:
    case PLACE_UNMAPPED:
        add_hex(b, place->base);
        break;
    }
    buf_add(b, STR(",\"offset\":"));
    add_hex(b, place->offset);
    buf_add_char(b, '}');
}

/* --- Lines ------------------------------------------------------------ */

/* The name of a file, for which there is room. */
static void add_image(struct buf *b, str image)
{
    if (image.size == 0) {
        buf_add(b, STR("null"));
        return;
    }
    json_add_string(b, image);
}

static void begin_line(struct json *j, str type, const struct sink_head *head)
{
    struct buf *b = &j->line.buf;

    line_reset(&j->line);
    line_reset(&j->dumps);
    line_room(&j->line, head->image.size * ESCAPE_MOST + 2 * SMALL);
    j->section = SECTION_NONE;
    j->any = false;
    j->open = false;
    j->more = false;
    j->cut = false;
    j->leaving = false;
    j->leaving_one = false;
    j->depth = 0;
    j->value_from = 0;

    buf_add(b, STR("{\"type\":\""));
    buf_add(b, type);
    buf_add(b, STR("\",\"pid\":"));
    buf_add_dec(b, head->pid);
    buf_add(b, STR(",\"tid\":"));
    if (head->tid != 0) {
        buf_add_dec(b, head->tid);
    } else {
        buf_add(b, STR("null"));
    }
    buf_add(b, STR(",\"image\":"));
    add_image(b, head->image);
    buf_add(b, STR(",\"time\":"));
    add_ns(b, head->ns);
    if (head->number_known) {
        buf_add(b, STR(",\"number\":"));
        buf_add_dec(b, head->number);
    }
    if (head->returns != 0) {
        buf_add(b, STR(",\"returns\":"));
        add_hex(b, head->returns);
    }
}

static void end_line(struct json *j)
{
    struct buf *b = &j->line.buf;

    if (j->cut) {
        buf_add(b, STR(",\"cut\":true"));
    }
    buf_add_char(b, '}');
    if (b->cut) {
        line_reset(&j->line);
        buf_add(b, STR("{\"type\":\"lost\",\"reason\":\"no memory\"}"));
    }
    j->lines++;
    j->write(j->ctx, line_end(&j->line, STR("")));
}

/* --- Values ----------------------------------------------------------- */

static bool is_full(const struct json *j)
{
    return j->line.buf.size > LINE_FULL_BYTES;
}

static struct json_group *group_of(struct json *j)
{
    return j->depth > 0 ? &j->groups[j->depth - 1] : NULL;
}

/* From here on nothing more of this group is told. */
static void leave_rest(struct json *j)
{
    struct json_group *g = group_of(j);

    *(g ? &g->more : &j->more) = true;
    j->leaving = true;
    j->leaving_one = false;
    j->left = 0;
}

/* What stands before a value that takes `room` bytes. False: it is left
 * out. */
static bool begin_value(struct json *j, size_t room)
{
    struct json_group *g = group_of(j);
    struct buf *b = &j->line.buf;

    if (j->leaving) {
        return false;
    }
    line_room(&j->line, room + SMALL);
    if (g && g->kind == GROUP_ARRAY && is_full(j)) {
        j->cut = true;
        leave_rest(j);
        return false;
    }
    if (g && g->kind != GROUP_STRUCT) {
        if (g->any) {
            buf_add_char(b, ',');
        }
        g->any = true;
    } else if (!g && j->section == SECTION_TRANSITION) {
        buf_add(b, STR(",\"value\":"));
    }
    j->value_from = b->size;
    return true;
}

/* A value that is one literal. */
static void literal(struct json *j, str text)
{
    if (begin_value(j, text.size)) {
        buf_add(&j->line.buf, text);
    }
}

/* Closes the argument, field or result that is open. */
static void close_member(struct json *j)
{
    struct json_group *g = group_of(j);
    bool *open = g ? &g->open : &j->open;

    if (*open) {
        *open = false;
        buf_add_char(&j->line.buf, g ? ']' : '}');
    }
}

static void close_section(struct json *j)
{
    struct buf *b = &j->line.buf;

    line_room(&j->line, SMALL);
    j->leaving = false;
    j->depth = 0;
    close_member(j);
    switch (j->section) {
    case SECTION_ARGS:
        buf_add(b, j->more ? STR("],\"more\":true") : STR("]"));
        break;
    case SECTION_NOTES:
        buf_add(b, STR("]"));
        break;
    default:
        break;
    }
    j->section = SECTION_NONE;
    j->any = false;
}

static void on_arg(struct sink *s, str name, const uint64_t *raw)
{
    struct json *j = json_of(s);
    struct json_group *g = group_of(j);
    struct buf *b = &j->line.buf;
    bool *any = g ? &g->any : &j->any;

    if (j->leaving) {
        return;
    }
    line_room(&j->line, SMALL);
    close_member(j);
    if (is_full(j)) {
        j->cut = true;
        leave_rest(j);
        return;
    }
    if (*any) {
        buf_add_char(b, ',');
    }
    *any = true;
    if (g) {
        g->open = true;
        buf_add_char(b, '[');
        add_string(j, name);
        buf_add_char(b, ',');
        return;
    }
    j->open = true;
    buf_add(b, STR("{\"name\":"));
    add_string(j, name);
    if (raw) {
        buf_add(b, STR(",\"raw\":"));
        add_hex(b, *raw);
    }
    buf_add(b, STR(",\"value\":"));
}

static void on_more(struct sink *s)
{
    struct json *j = json_of(s);

    if (!j->leaving) {
        line_room(&j->line, SMALL);
        close_member(j);
        leave_rest(j);
    }
}

static void on_unknown(struct sink *s)
{
    literal(json_of(s), STR("{\"unknown\":true}"));
}

static void on_nothing(struct sink *s)
{
    literal(json_of(s), STR("{\"void\":true}"));
}

static void on_null(struct sink *s)
{
    literal(json_of(s), STR("{\"null\":true}"));
}

static void on_number(struct sink *s, enum number_form form, uint64_t value)
{
    struct json *j = json_of(s);
    struct buf *b = &j->line.buf;

    if (!begin_value(j, 0)) {
        return;
    }
    if (form == NUMBER_HEX) {
        add_hex(b, value);
    } else {
        add_decimal(b, value, form == NUMBER_SIGNED);
    }
}

static void on_status(struct sink *s, uint32_t status)
{
    struct json *j = json_of(s);

    if (begin_value(j, 0)) {
        add_status(&j->line.buf, status);
    }
}

static void on_constant(struct sink *s, const struct sink_constant *c)
{
    struct json *j = json_of(s);
    struct buf *b = &j->line.buf;

    if (!begin_value(j, 0)) {
        return;
    }
    buf_add(b, STR("{\"const\":["));
    for (size_t i = 0; i < c->count; i++) {
        if (i > 0) {
            buf_add_char(b, ',');
        }
        add_string(j, str_of(c->names[i]));
    }
    line_room(&j->line, SMALL);
    buf_add_char(b, ']');
    if (c->rest != 0) {
        buf_add(b, STR(",\"rest\":"));
        add_hex(b, c->rest);
    }
    buf_add(b, STR(",\"raw\":"));
    add_hex(b, c->raw);
    buf_add_char(b, '}');
}

static void on_handle(struct sink *s, uint64_t value, str pseudo,
                      const struct object *object)
{
    struct json *j = json_of(s);
    struct buf *b = &j->line.buf;

    if (!begin_value(j, 0)) {
        return;
    }
    buf_add(b, STR("{\"handle\":"));
    add_hex(b, value);
    if (pseudo.size > 0) {
        buf_add(b, STR(",\"pseudo\":"));
        add_string(j, pseudo);
    }
    if (object &&
        (object->name.size + object->type.size) * ESCAPE_MOST + SMALL <=
            line_left(&j->line)) {
        if (object->type.size > 0) {
            buf_add(b, STR(",\"type\":"));
            add_string(j, object->type);
        }
        if (object->name.size > 0) {
            buf_add(b, STR(",\"name\":"));
            add_string(j, object->name);
        }
        if (object->access_known) {
            buf_add(b, STR(",\"access\":"));
            add_hex(b, object->access);
        }
    } else if (object) {
        j->cut = true;
    }
    buf_add_char(b, '}');
}

static void on_text(struct sink *s, const struct sink_text *text)
{
    struct json *j = json_of(s);
    struct buf *b = &j->line.buf;
    size_t n = pieces_fit(text, line_left(&j->line) / ESCAPE_MOST);
    bool cut = n < text->size;

    if (!begin_value(j, n * ESCAPE_MOST)) {
        return;
    }
    j->cut = j->cut || cut;
    buf_add(b, STR("{\"text\":\""));
    if (text->kind == TEXT_UTF16) {
        add_units(b, text->p, n);
    } else {
        add_inside(b, (str){ text->p, n });
    }
    buf_add(b, cut || text->cut ? STR("\",\"cut\":true}") : STR("\"}"));
}

static void on_data(struct sink *s, const uint8_t *bytes, size_t size, bool cut)
{
    struct json *j = json_of(s);
    struct buf *b = &j->line.buf;
    size_t left = line_left(&j->line) / 2;
    size_t n = size < left ? size : left;

    if (!begin_value(j, n * 2)) {
        return;
    }
    j->cut = j->cut || n < size;
    buf_add(b, STR("{\"data\":\""));
    for (size_t i = 0; i < n; i++) {
        buf_add_hex_digits(b, bytes[i], 2);
    }
    buf_add(b, cut || n < size ? STR("\",\"cut\":true}") : STR("\"}"));
}

static void on_time(struct sink *s, int64_t filetime)
{
    struct json *j = json_of(s);
    struct buf *b = &j->line.buf;

    if (begin_value(j, 0)) {
        buf_add(b, STR("{\"time\":\""));
        pieces_add_time(b, filetime);
        buf_add(b, STR("\",\"raw\":"));
        add_hex(b, (uint64_t)filetime);
        buf_add_char(b, '}');
    }
}

static void on_duration(struct sink *s, int64_t units)
{
    struct json *j = json_of(s);
    struct buf *b = &j->line.buf;

    if (begin_value(j, 0)) {
        buf_add(b, STR("{\"duration\":\""));
        pieces_add_duration(b, units);
        buf_add(b, STR("\",\"raw\":"));
        add_hex(b, (uint64_t)units);
        buf_add_char(b, '}');
    }
}

/* Goes around the value that was told last. */
static void on_comment(struct sink *s, str words)
{
    struct json *j = json_of(s);
    size_t most = words.size * ESCAPE_MOST + SMALL;

    if (j->leaving || most > line_left(&j->line)) {
        j->cut = true;
        return;
    }
    line_insert(&j->line, j->value_from, STR("{\"value\":"));
    line_room(&j->line, most);
    buf_add(&j->line.buf, STR(",\"comment\":"));
    add_string(j, words);
    buf_add_char(&j->line.buf, '}');
}

static void on_symbol(struct sink *s, str name)
{
    struct json *j = json_of(s);

    if (begin_value(j, 0)) {
        buf_add(&j->line.buf, STR("{\"symbol\":"));
        add_string(j, name);
        buf_add_char(&j->line.buf, '}');
    }
}

static void on_place(struct sink *s, const struct place *place)
{
    struct json *j = json_of(s);

    if (begin_value(j, 0)) {
        add_place(j, place);
    }
}

static void on_begin(struct sink *s, enum sink_group group)
{
    static const char *const begin[] = {
        [GROUP_STRUCT] = "{\"struct\":[",
        [GROUP_ARRAY] = "{\"array\":[",
        [GROUP_DEREF] = "{\"deref\":",
        [GROUP_INOUT] = "{\"inout\":[",
    };
    struct json *j = json_of(s);
    struct buf *b = &j->line.buf;

    if (j->leaving) {
        j->left++;
        return;
    }
    if (!begin_value(j, 0)) {
        j->left = 1;
        return;
    }
    if (is_full(j) || j->depth == JSON_DEPTH_MAX) {
        buf_add(b, STR("{\"unknown\":true}"));
        j->cut = true;
        j->leaving = true;
        j->leaving_one = true;
        j->left = 1;
        return;
    }
    j->groups[j->depth++] =
        (struct json_group){ .kind = (uint8_t)group, .from = b->size };
    buf_add(b, str_of(begin[group]));
}

static void on_end(struct sink *s, enum sink_group group)
{
    struct json *j = json_of(s);
    struct buf *b = &j->line.buf;

    if (j->leaving) {
        if (j->left > 0) {
            j->left--;
            j->leaving = !j->leaving_one || j->left > 0;
            return;
        }
        j->leaving = false;
    }
    if (j->depth == 0) {
        return;
    }
    line_room(&j->line, SMALL);
    close_member(j);
    j->depth--;
    if (group != GROUP_DEREF) {
        buf_add_char(b, ']');
    }
    if (j->groups[j->depth].more) {
        buf_add(b, STR(",\"more\":true"));
    }
    buf_add_char(b, '}');
    j->value_from = j->groups[j->depth].from;
}

/* --- Calls, transitions, notices -------------------------------------- */

static void on_call_begin(struct sink *s, const struct sink_head *head,
                          str name, enum sink_part part)
{
    static const char *const parts[] = {
        [PART_WHOLE] = ",\"part\":\"whole\",\"args\":[",
        [PART_ENTRY] = ",\"part\":\"entry\",\"args\":[",
        [PART_RETURN] = ",\"part\":\"return\",\"args\":[",
    };
    struct json *j = json_of(s);

    begin_line(j, STR("call"), head);
    j->part = (uint8_t)part;
    buf_add(&j->line.buf, STR(",\"name\":"));
    add_string(j, name);
    buf_add(&j->line.buf, str_of(parts[part]));
    j->section = SECTION_ARGS;
}

static void on_result(struct sink *s, const uint64_t *raw)
{
    struct json *j = json_of(s);
    struct buf *b = &j->line.buf;

    close_section(j);
    j->section = SECTION_RESULT;
    j->open = true;
    buf_add(b, STR(",\"result\":{"));
    if (raw) {
        buf_add(b, STR("\"raw\":"));
        add_hex(b, *raw);
        buf_add_char(b, ',');
    }
    buf_add(b, STR("\"value\":"));
}

static void on_note(struct sink *s, const struct sink_note *note)
{
    struct json *j = json_of(s);
    struct buf *b = &j->line.buf;

    if (j->section != SECTION_NOTES) {
        close_section(j);
        j->section = SECTION_NOTES;
        buf_add(b, STR(",\"notes\":["));
    } else {
        line_room(&j->line, SMALL);
        buf_add_char(b, ',');
    }
    switch (note->kind) {
    case NOTE_DIRECT:
        buf_add(b, STR("{\"note\":\"direct\""));
        break;
    case NOTE_INDIRECT:
        buf_add(b, STR("{\"note\":\"indirect\",\"name\":"));
        add_string(j, note->name);
        buf_add(b, STR(",\"offset\":"));
        add_hex(b, note->offset);
        break;
    case NOTE_CAUSED:
        buf_add(b, STR("{\"note\":\"caused\",\"by\":\"ntstrace\"}"));
        return;
    case NOTE_INJECTED:
        buf_add(b, STR("{\"note\":\"injected\"}"));
        return;
    case NOTE_DELAYED:
        buf_add(b, STR("{\"note\":\"delayed\"}"));
        return;
    case NOTE_CALLER:
        buf_add(b, STR("{\"note\":\"caller\""));
        break;
    }
    if (note->place == NULL) {
        buf_add(b, STR(",\"place\":null}"));
        return;
    }
    buf_add(b, STR(",\"place\":"));
    add_place(j, note->place);
    buf_add_char(b, '}');
}

static void on_dump(struct sink *s, bool written, const uint8_t *bytes,
                    size_t size, bool cut)
{
    struct json *j = json_of(s);
    struct buf *b = &j->dumps.buf;

    line_room(&j->dumps, size * 2 + SMALL);
    buf_add(b, b->size > 0 ? STR(",") : STR(""));
    buf_add(b, written ? STR("{\"written\":true,\"data\":\"")
                       : STR("{\"written\":false,\"data\":\""));
    for (size_t i = 0; i < size; i++) {
        buf_add_hex_digits(b, bytes[i], 2);
    }
    buf_add(b, cut ? STR("\",\"cut\":true}") : STR("\"}"));
}

/* {"address":"0x...","place":{...},"symbol":"CreateFileW","offset":"0x5a"} */
static void add_frame(struct json *j, const struct sink_frame *f)
{
    struct buf *b = &j->line.buf;

    line_room(&j->line, SMALL);
    buf_add(b, STR("{\"address\":"));
    add_hex(b, f->address);
    buf_add(b, STR(",\"place\":"));
    add_place(j, &f->place);
    if (f->symbol.size > 0) {
        line_room(&j->line, SMALL);
        buf_add(b, STR(",\"symbol\":"));
        add_string(j, f->symbol);
        line_room(&j->line, SMALL);
        buf_add(b, STR(",\"offset\":"));
        add_hex(b, f->offset);
    }
    buf_add_char(b, '}');
}

static void on_stack(struct sink *s, const struct sink_stack *stack)
{
    struct json *j = json_of(s);
    struct buf *b = &j->line.buf;

    close_section(j);
    line_room(&j->line, SMALL);
    buf_add(b, STR(",\"stack\":["));
    for (size_t i = 0; i < stack->count; i++) {
        if (is_full(j)) {
            j->cut = true;
            break;
        }
        if (i > 0) {
            buf_add_char(b, ',');
        }
        add_frame(j, &stack->frames[i]);
    }
    line_room(&j->line, SMALL);
    buf_add_char(b, ']');
    if (stack->cut.size > 0) {
        buf_add(b, STR(",\"stack_cut\":"));
        add_string(j, stack->cut);
    }
    if (stack->file.size > 0) {
        line_room(&j->line, SMALL);
        buf_add(b, STR(",\"stack_file\":"));
        add_string(j, stack->file);
    }
}

static void add_dumps(struct json *j)
{
    const struct buf *dumps = &j->dumps.buf;

    if (dumps->cut || dumps->size > line_left(&j->line)) {
        j->cut = true;
        return;
    }
    line_room(&j->line, dumps->size + SMALL);
    buf_add(&j->line.buf, STR(",\"dumps\":["));
    buf_add(&j->line.buf, buf_str(dumps));
    buf_add_char(&j->line.buf, ']');
}

static void on_call_end(struct sink *s, const struct sink_end *end)
{
    struct json *j = json_of(s);
    struct buf *b = &j->line.buf;

    close_section(j);
    if (j->part != PART_ENTRY) {
        buf_add(b, end->failed ? STR(",\"failed\":true")
                               : STR(",\"failed\":false"));
    }
    if (end->waits) {
        buf_add(b, STR(",\"waits\":true"));
    }
    if (end->took == TOOK_TIME) {
        buf_add(b, STR(",\"took\":"));
        add_ns(b, end->ns > INT64_MAX ? INT64_MAX : (int64_t)end->ns);
    } else if (end->took == TOOK_UNKNOWN) {
        buf_add(b, STR(",\"took\":null"));
    }
    if (j->dumps.buf.size > 0) {
        add_dumps(j);
    }
    end_line(j);
}

static void on_transition_begin(struct sink *s, const struct sink_head *head,
                                str kind, const uint32_t *status)
{
    struct json *j = json_of(s);

    begin_line(j, STR("transition"), head);
    buf_add(&j->line.buf, STR(",\"kind\":"));
    add_string(j, kind);
    if (status) {
        buf_add(&j->line.buf, STR(",\"status\":"));
        add_status(&j->line.buf, *status);
    }
    j->section = SECTION_TRANSITION;
}

static void on_transition_end(struct sink *s)
{
    struct json *j = json_of(s);

    close_section(j);
    end_line(j);
}

static void add_text_or_null(struct json *j, str s)
{
    if (s.size > 0) {
        add_string(j, s);
    } else {
        buf_add(&j->line.buf, STR("null"));
    }
}

static void add_id_or_null(struct buf *b, uint32_t id)
{
    if (id != 0) {
        buf_add_dec(b, id);
    } else {
        buf_add(b, STR("null"));
    }
}

static void add_child(struct json *j, const struct child_told *child)
{
    struct buf *b = &j->line.buf;

    buf_add(b, STR(",\"child\":{\"pid\":"));
    buf_add_dec(b, child->pid);
    buf_add(b, STR(",\"image\":"));
    add_text_or_null(j, str_file(child->image));
    line_room(&j->line, SMALL);
    buf_add(b, STR(",\"path\":"));
    add_text_or_null(j, child->image);
    line_room(&j->line, SMALL);
    buf_add(b, STR(",\"command\":"));
    add_text_or_null(j, child->command);
    line_room(&j->line, SMALL);
    buf_add(b, child->how == PROCESS_CLONE ? STR(",\"clone\":true,\"by\":")
                                           : STR(",\"by\":"));
    if (child->by_pid == 0) {
        buf_add(b, STR("null}"));
        return;
    }
    buf_add(b, STR("{\"pid\":"));
    buf_add_dec(b, child->by_pid);
    buf_add(b, STR(",\"tid\":"));
    add_id_or_null(b, child->by_tid);
    buf_add(b, STR("}}"));
}

static void on_notice(struct sink *s, const struct sink_head *head,
                      const struct notice *n)
{
    static const char *const events[] = {
        [NOTICE_EXITED] = "exited",
        [NOTICE_KILLED] = "killed",
        [NOTICE_TERMINATED] = "terminated",
        [NOTICE_ENDED] = "ended",
        [NOTICE_THREAD_EXITED] = "thread exited",
        [NOTICE_THREAD_TERMINATED] = "thread terminated",
        [NOTICE_THREAD_ENDED] = "thread ended",
        [NOTICE_LOST] = "lost",
        [NOTICE_CALLBACK_LOST] = "callback lost",
        [NOTICE_PATCHES_LOST] = "patches lost",
        [NOTICE_ATTACHED] = "attached",
        [NOTICE_DETACHED] = "detached",
        [NOTICE_STARTED] = "started",
        [NOTICE_UNTRACED] = "untraced",
        [NOTICE_LATE] = "late",
        [NOTICE_NO_CALLBACK] = "no callback",
        [NOTICE_CALLBACK_REPLACED] = "callback replaced",
        [NOTICE_PATCHED_AGAIN] = "patched again",
    };
    struct json *j = json_of(s);
    struct buf *b = &j->line.buf;

    begin_line(j, STR("notice"), head);
    buf_add(b, STR(",\"event\":"));
    add_string(j, str_of(events[n->kind]));
    switch (n->kind) {
    case NOTICE_EXITED:
    case NOTICE_KILLED:
    case NOTICE_TERMINATED:
    case NOTICE_ENDED:
    case NOTICE_THREAD_EXITED:
    case NOTICE_THREAD_TERMINATED:
    case NOTICE_THREAD_ENDED:
        buf_add(b, STR(",\"code\":"));
        add_status(b, n->code);
        break;
    case NOTICE_LOST:
        buf_add(b, STR(",\"count\":"));
        add_decimal(b, n->count, false);
        if (n->data) {
            buf_add(b, STR(",\"data\":true"));
        }
        buf_add(b, STR(",\"reason\":"));
        add_string(j, n->reason);
        break;
    case NOTICE_PATCHES_LOST:
    case NOTICE_PATCHED_AGAIN:
        buf_add(b, STR(",\"count\":"));
        add_decimal(b, n->count, false);
        buf_add(b, STR(",\"module\":"));
        add_string(j, n->reason);
        break;
    case NOTICE_CALLBACK_LOST:
    case NOTICE_NO_CALLBACK:
    case NOTICE_CALLBACK_REPLACED:
    case NOTICE_ATTACHED:
    case NOTICE_DETACHED:
        break;
    case NOTICE_STARTED:
        add_child(j, n->child);
        break;
    case NOTICE_UNTRACED:
        add_child(j, n->child);
        buf_add(b, STR(",\"reason\":"));
        add_string(j, n->reason);
        break;
    case NOTICE_LATE:
        add_child(j, n->child);
        buf_add(b, STR(",\"missed\":"));
        add_ns(b, (int64_t)n->count);
        break;
    }
    line_room(&j->line, SMALL);
    end_line(j);
}

static const struct sink_ops json_ops = {
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

bool json_init(struct json *j, void (*write)(void *ctx, str line), void *ctx)
{
    bool ok;

    memset(j, 0, sizeof(*j));
    j->sink.ops = &json_ops;
    j->write = write;
    j->ctx = ctx;
    ok = line_open(&j->line);
    return line_open(&j->dumps) && ok;
}

void json_close(struct json *j)
{
    line_close(&j->line);
    line_close(&j->dumps);
}

void json_header(struct json *j, str program_version)
{
    struct buf *b = &j->line.buf;

    line_reset(&j->line);
    j->cut = false;
    line_room(&j->line, SMALL);
    buf_add(b, STR("{\"type\":\"header\",\"version\":"));
    buf_add_dec(b, JSON_VERSION);
    buf_add(b, STR(",\"program\":\"ntstrace\",\"program_version\":"));
    add_string(j, program_version);
    end_line(j);
}

static void add_times(struct buf *b, const struct summary_row *row)
{
    const struct {
        str key;
        uint64_t ns;
    } times[] = {
        { STR_INIT(",\"total\":"), row->ns },
        { STR_INIT(",\"min\":"), row->min_ns },
        { STR_INIT(",\"max\":"), row->max_ns },
    };

    buf_add(b, STR(",\"timed\":"));
    add_decimal(b, row->timed, false);
    for (size_t i = 0; i < COUNT_OF(times) && row->timed > 0; i++) {
        buf_add(b, times[i].key);
        add_ns(b, times[i].ns > INT64_MAX ? INT64_MAX : (int64_t)times[i].ns);
    }
}

void json_counts(void *json, const struct summary_row *row)
{
    struct json *j = json;
    struct buf *b = &j->line.buf;

    line_reset(&j->line);
    j->cut = false;
    line_room(&j->line, SMALL);
    buf_add(b, STR("{\"type\":\"count\""));
    if (row->pid != 0) {
        buf_add(b, STR(",\"pid\":"));
        buf_add_dec(b, row->pid);
    }
    if (row->tid != 0) {
        buf_add(b, STR(",\"tid\":"));
        buf_add_dec(b, row->tid);
    }
    if (row->image.size > 0) {
        buf_add(b, STR(",\"image\":"));
        add_string(j, row->image);
    }
    buf_add(b, STR(",\"name\":"));
    add_string(j, row->name);
    line_room(&j->line, SMALL);
    buf_add(b, STR(",\"calls\":"));
    add_decimal(b, row->calls, false);
    buf_add(b, STR(",\"errors\":"));
    add_decimal(b, row->errors, false);
    add_times(b, row);
    if (row->waits) {
        buf_add(b, STR(",\"waits\":true"));
    }
    end_line(j);
}
