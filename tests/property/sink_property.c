/* SPDX-License-Identifier: MIT */
/*
 * sink_property - do text and JSON keep what they are told?
 *
 *   sink_property strings [COUNT [SEED]]
 *       Random strings, 200,000 unless said otherwise, of what is nasty in
 *       names: each becomes a text, the name of a handle's object, data, and
 *       JSON. Every line is one line, of nothing but what can be seen (JSON:
 *       ASCII), and read back it is the string, unit by unit.
 *   sink_property calls TEXT JSON [COUNT [SEED]]
 *       Random calls with values of every kind, told to both sinks alike,
 *       into the two files: json-to-text has to make TEXT from JSON. The text
 *       has to be in the grammar, whatever the options.
 *
 * What reads back is written here, apart from what writes. The seed is fixed
 * unless given; a failure names the string by its number.
 */
#include "grammar.h"

#include "format/json.h"
#include "format/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNITS_MAX 32767
#define DATA_MAX 4096

static uint64_t state;

static uint64_t next(void)
{
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint32_t below(uint32_t n)
{
    return (uint32_t)(next() >> 32) % n;
}

static unsigned long failures;

static void failed(unsigned long number, const char *what)
{
    if (failures++ < 20) {
        printf("string %lu: %s\n", number, what);
    }
}

/* What a sink wrote last. */
struct wrote {
    char *p;  // LINE_MAX_BYTES
    size_t size;
    size_t lines;
};

static void write_here(void *ctx, str line)
{
    struct wrote *w = ctx;

    memcpy(w->p, line.p, line.size);
    w->size = line.size;
    w->lines++;
}

/* --- Random strings --------------------------------------------------- */

static const uint16_t nasty[] = {
    0x00,   0x01,   0x07,   0x08,   0x09,   0x0a,   0x0d,   0x1b,   0x1f,
    0x7f,   0x80,   0x85,   0x9b,   0x9f,   0xad,   '"',    '\'',   '\\',
    '^',    '{',    '}',    '<',    '>',    '(',    ')',    '/',    '*',
    ',',    ' ',    '=',    '+',    '0',    'x',    '.',    '~',    0x61c,
    0x200b, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c, 0x202d,
    0x202e, 0x2066, 0x2067, 0x2068, 0x2069, 0xd800, 0xdbff, 0xdc00, 0xdfff,
    0xdc80, 0xdcff, 0xfdd0, 0xfeff, 0xfffe, 0xffff, 0xfffd, 0xe000, 0xd7ff,
    0xe4,   0x65e5, 0x5d0,  0x627,  0x301,  0x3b1,
};

static size_t random_length(unsigned long number)
{
    if (number % 10000 == 0) {
        return UNITS_MAX;
    }
    if (number % 1000 == 1) {
        return below(UNITS_MAX + 1);
    }
    return number % 10 == 2 ? below(400) : below(24);
}

static size_t random_units(uint16_t *units, unsigned long number)
{
    size_t count = random_length(number);
    uint32_t how = below(5);

    for (size_t i = 0; i < count; i++) {
        uint32_t r = (uint32_t)next();

        switch (how == 4 ? r >> 8 & 3 : how) {
        case 0:
            units[i] = nasty[(r >> 16) % COUNT_OF(nasty)];
            break;
        case 1:
            units[i] = (uint16_t)(0x20 + (r >> 16) % 0x5f);
            break;
        case 2:
            /* Halves of pairs, which are often whole. */
            units[i] = (uint16_t)(0xd800 + (r >> 16) % 0x800);
            break;
        default:
            units[i] = (uint16_t)(r >> 16);
            break;
        }
    }
    return count;
}

/* --- Reading back ----------------------------------------------------- */

struct units {
    uint16_t p[UNITS_MAX + 2];
    size_t count;
    bool bad;
};

static void put(struct units *u, uint32_t c)
{
    if (u->count >= UNITS_MAX || c > 0x10ffff) {
        u->bad = true;
    } else if (c < 0x10000) {
        u->p[u->count++] = (uint16_t)c;
    } else {
        u->p[u->count++] = (uint16_t)(0xd800 + ((c - 0x10000) >> 10));
        u->p[u->count++] = (uint16_t)(0xdc00 + (c & 0x3ff));
    }
}

static uint32_t hex_digit(char c)
{
    const char *digits = "0123456789abcdef0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (uint32_t)(at - digits) % 16 : 99;
}

/* Up to what ends it; the index behind that, or 0. */
static size_t read_text(const char *p, size_t size, char stop, struct units *u)
{
    size_t i = 0;

    u->count = 0;
    u->bad = false;
    while (i < size && p[i] != stop) {
        uint32_t c = (uint8_t)p[i++];

        if (c == '^' && i < size && p[i] == '{') {
            c = 0;
            for (i++; i < size && p[i] != '}'; i++) {
                c = c << 4 | hex_digit(p[i]);
            }
            i++;
        } else if (c == '^' && i < size) {
            c = (uint8_t)p[i++];
        } else if (c >= 0x80) {
            size_t more = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;

            c &= 0x3fu >> more;
            while (more-- > 0 && i < size) {
                c = c << 6 | (p[i++] & 0x3fu);
            }
        }
        put(u, c);
    }
    return i < size && !u->bad ? i + 1 : 0;
}

static size_t read_json(const char *p, size_t size, struct units *u)
{
    size_t i = 0;

    u->count = 0;
    u->bad = false;
    while (i < size && p[i] != '"') {
        uint32_t c = (uint8_t)p[i++];

        if (c == '\\' && i + 4 < size && p[i] == 'u') {
            c = 0;
            for (int k = 1; k <= 4; k++) {
                c = c << 4 | hex_digit(p[i + (size_t)k]);
            }
            i += 5;
        } else if (c == '\\') {
            c = (uint8_t)p[i++];
            u->bad = u->bad || (c != '"' && c != '\\');
        }
        put(u, c);
    }
    return i < size && !u->bad ? i + 1 : 0;
}

static size_t read_data(const char *p, size_t size, uint8_t *bytes,
                        size_t *count)
{
    size_t i = 0;

    *count = 0;
    while (i < size && p[i] != '"' && *count < DATA_MAX) {
        uint32_t c = (uint8_t)p[i++];

        if (c == '\\' && i < size) {
            c = (uint8_t)p[i++];
            if (c == 'x' && i + 1 < size) {
                c = hex_digit(p[i]) << 4 | hex_digit(p[i + 1]);
                i += 2;
            } else {
                c = c == 'n' ? 10 : c == 'r' ? 13 : c == 't' ? 9 : c;
            }
        }
        bytes[(*count)++] = (uint8_t)c;
    }
    return i < size && p[i] == '"' ? i + 1 : 0;
}

/* --- Strings ---------------------------------------------------------- */

/* WTF-8, as the model keeps names: pairs are one character. */
static size_t to_wtf8(const uint16_t *units, size_t count, char *out)
{
    size_t size = 0;

    for (size_t i = 0; i < count; i++) {
        uint32_t c = units[i];

        if (c >= 0xd800 && c < 0xdc00 && i + 1 < count &&
            units[i + 1] >= 0xdc00 && units[i + 1] < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (units[++i] - 0xdc00u);
        }
        if (c < 0x80) {
            out[size++] = (char)c;
        } else if (c < 0x800) {
            out[size++] = (char)(0xc0 | c >> 6);
            out[size++] = (char)(0x80 | (c & 0x3f));
        } else if (c < 0x10000) {
            out[size++] = (char)(0xe0 | c >> 12);
            out[size++] = (char)(0x80 | (c >> 6 & 0x3f));
            out[size++] = (char)(0x80 | (c & 0x3f));
        } else {
            out[size++] = (char)(0xf0 | c >> 18);
            out[size++] = (char)(0x80 | (c >> 12 & 0x3f));
            out[size++] = (char)(0x80 | (c >> 6 & 0x3f));
            out[size++] = (char)(0x80 | (c & 0x3f));
        }
    }
    return size;
}

static const struct sink_head head = { .pid = 32, .tid = 36, .ns = 1 };

static void begin_call(struct sink *s)
{
    s->ops->call_begin(s, &head, STR("NtX"), PART_ENTRY);
    s->ops->arg(s, STR("A"), NULL);
}

static void end_call(struct sink *s)
{
    struct sink_end end = { .took = TOOK_NOTHING };

    s->ops->call_end(s, &end);
}

static bool same(const struct units *u, const uint16_t *units, size_t count)
{
    return u->count == count && memcmp(u->p, units, 2 * count) == 0;
}

/* The line is `before`, what `*inside` gets, and an end that begins with
 * `stop`; and it is one line. */
static bool one_line(const struct wrote *w, size_t lines, const char *before,
                     const char **inside, size_t *size)
{
    size_t skip = strlen(before);

    if (w->lines != lines || w->size <= skip || w->p[w->size - 1] != '\n' ||
        memchr(w->p, '\n', w->size - 1) || memcmp(w->p, before, skip) != 0) {
        return false;
    }
    *inside = w->p + skip;
    *size = w->size - skip;
    return true;
}

static bool rest_is(const char *p, size_t size, size_t at, const char *want)
{
    return at > 0 && size - at == strlen(want) &&
           memcmp(p + at, want, size - at) == 0;
}

#define TEXT_BEFORE "32.36 NtX(A="
#define TEXT_AFTER " <unfinished ...>\n"
#define JSON_BEFORE                                            \
    "{\"type\":\"call\",\"pid\":32,\"tid\":36,\"image\":null," \
    "\"time\":\"1\",\"name\":\"NtX\","                         \
    "\"part\":\"entry\",\"args\":[{\"name\":\"A\",\"value\":"

struct sinks {
    struct text text;
    struct wrote text_wrote;
    struct json json;
    struct wrote json_wrote;
};

static void try_text(struct sinks *s, unsigned long number,
                     const struct sink_text *text, const uint16_t *units,
                     size_t count)
{
    static struct units back;
    const char *p;
    size_t size;

    s->text_wrote.lines = 0;
    begin_call(&s->text.sink);
    s->text.sink.ops->text(&s->text.sink, text);
    end_call(&s->text.sink);
    if (!one_line(&s->text_wrote, 1, TEXT_BEFORE "\"", &p, &size) ||
        !rest_is(p, size, read_text(p, size, '"', &back), TEXT_AFTER) ||
        !same(&back, units, count)) {
        failed(number, "the text is another");
    }
    /* The grammar takes nothing that cannot be seen. */
    if (grammar_mistake((str){ s->text_wrote.p, s->text_wrote.size - 1 })) {
        failed(number, "the text is not in the grammar");
    }

    s->json_wrote.lines = 0;
    begin_call(&s->json.sink);
    s->json.sink.ops->text(&s->json.sink, text);
    end_call(&s->json.sink);
    if (!one_line(&s->json_wrote, 1, JSON_BEFORE "{\"text\":\"", &p, &size) ||
        !rest_is(p, size, read_json(p, size, &back), "}}]}\n") ||
        !same(&back, units, count)) {
        failed(number, "the JSON is another");
    }
    for (size_t i = 0; i + 1 < s->json_wrote.size; i++) {
        if (s->json_wrote.p[i] < 0x20 || s->json_wrote.p[i] > 0x7e) {
            failed(number, "the JSON is not ASCII");
            break;
        }
    }
}

static void try_name(struct sinks *s, unsigned long number, str name,
                     const uint16_t *units, size_t count)
{
    static struct units back;
    struct object object = { .type = STR("File"), .name = name };
    const char *p;
    size_t size;

    s->text_wrote.lines = 0;
    begin_call(&s->text.sink);
    s->text.sink.ops->handle(&s->text.sink, 0x4c, STR(""), &object);
    end_call(&s->text.sink);
    if (!one_line(&s->text_wrote, 1, TEXT_BEFORE "0x4c<", &p, &size) ||
        !rest_is(p, size, read_text(p, size, '>', &back), TEXT_AFTER) ||
        (count > 0 && !same(&back, units, count))) {
        failed(number, "the object's name is another");
    }
    if (grammar_mistake((str){ s->text_wrote.p, s->text_wrote.size - 1 })) {
        failed(number, "the object's name is not in the grammar");
    }
}

static void try_data(struct sinks *s, unsigned long number,
                     const uint8_t *bytes, size_t count)
{
    static uint8_t back[DATA_MAX];
    size_t back_count;
    const char *p;
    size_t size;

    s->text_wrote.lines = 0;
    begin_call(&s->text.sink);
    s->text.sink.ops->data(&s->text.sink, bytes, count, false);
    end_call(&s->text.sink);
    if (!one_line(&s->text_wrote, 1, TEXT_BEFORE "b\"", &p, &size) ||
        !rest_is(p, size, read_data(p, size, back, &back_count), TEXT_AFTER) ||
        back_count != count || memcmp(back, bytes, count) != 0) {
        failed(number, "the data are others");
    }
    if (grammar_mistake((str){ s->text_wrote.p, s->text_wrote.size - 1 })) {
        failed(number, "the data are not in the grammar");
    }
}

static struct sinks *open_sinks(enum text_hex hex)
{
    struct text_options options = { .always_pid = true,
                                    .arg_names = true,
                                    .hex = hex };
    struct sinks *s = calloc(1, sizeof(*s));

    if (!s) {
        abort();
    }
    s->text_wrote.p = malloc(LINE_MAX_BYTES);
    s->json_wrote.p = malloc(LINE_MAX_BYTES);
    if (!s->text_wrote.p || !s->json_wrote.p ||
        !text_init(&s->text, &options, write_here, &s->text_wrote) ||
        !json_init(&s->json, write_here, &s->json_wrote)) {
        abort();
    }
    return s;
}

static void close_sinks(struct sinks *s)
{
    text_close(&s->text);
    json_close(&s->json);
    free(s->text_wrote.p);
    free(s->json_wrote.p);
    free(s);
}

static int try_strings(unsigned long count)
{
    static uint16_t units[UNITS_MAX];
    static char wtf8[UNITS_MAX * 3];
    struct sinks *by_hex[] = { open_sinks(TEXT_HEX_NEEDED),
                               open_sinks(TEXT_HEX_WIDE),
                               open_sinks(TEXT_HEX_ALL) };
    unsigned long long total = 0;

    for (unsigned long i = 0; i < count; i++) {
        size_t n = random_units(units, i);
        size_t size = to_wtf8(units, n, wtf8);
        struct sink_text wide = { TEXT_UTF16, units, n, false };
        struct sink_text narrow = { TEXT_WTF8, wtf8, size, false };
        struct sinks *s = by_hex[i % 8 == 7 ? 2 : i % 8 == 6 ? 1 : 0];
        size_t bytes = size < DATA_MAX ? size : DATA_MAX;

        total += n;
        try_text(s, i, &wide, units, n);
        try_text(s, i, &narrow, units, n);
        try_name(s, i, (str){ wtf8, size }, units, n);
        try_data(s, i, (const uint8_t *)wtf8, bytes);
    }
    for (size_t i = 0; i < COUNT_OF(by_hex); i++) {
        close_sinks(by_hex[i]);
    }
    printf("%lu strings of %llu units: %lu failures\n", count, total, failures);
    printf("%d passed, %d failed\n", failures == 0, failures != 0);
    return failures != 0;
}

/* --- Calls ------------------------------------------------------------ */

/* Both sinks, told alike: what is random in the arguments is the same again
 * for the second. */
#define EACH(op, ...)               \
    do {                            \
        uint64_t before = state;    \
        a->ops->op(a, __VA_ARGS__); \
        state = before;             \
        b->ops->op(b, __VA_ARGS__); \
    } while (0)
#define EACH_BARE(op)  \
    do {               \
        a->ops->op(a); \
        b->ops->op(b); \
    } while (0)

struct both {
    struct sink *a;
    struct sink *b;
};

static uint16_t random_room[UNITS_MAX];
static char random_wtf8[UNITS_MAX * 3];

static str random_name(void)
{
    size_t n = random_units(random_room, 2 + below(100));

    return (str){ random_wtf8, to_wtf8(random_room, n, random_wtf8) };
}

static uint64_t random_word(void)
{
    uint64_t r = next();

    return r >> (r % 64);
}

static struct place random_place(void)
{
    struct place p = { (enum place_kind)below(5), STR(""), random_word(),
                       random_word(), false };

    if (p.kind == PLACE_MODULE || p.kind == PLACE_MAPPED) {
        p.name = random_name();
        /* A place without a name is none. */
        p.name = p.name.size > 0 ? p.name : STR("a.exe");
        p.second = p.kind == PLACE_MODULE && below(2);
    }
    return p;
}

static uint32_t random_status(void)
{
    static const uint32_t some[] = { 0,          0x103,      0xc0000005,
                                     0xc0000034, 0x40010001, 0xe0000001,
                                     0x80000005, 0xc0020001 };

    return some[below(COUNT_OF(some))];
}

static void tell_constant(struct both t)
{
    static const char *const names[] = { "GENERIC_READ", "SYNCHRONIZE", "A",
                                         "FILE_SHARE_READ" };
    struct sink *a = t.a;
    struct sink *b = t.b;
    struct sink_constant c = {
        .names = names,
        .count = 1 + below(COUNT_OF(names)),
        .rest = below(3) == 0 ? random_word() : 0,
    };

    c.raw = c.rest | random_word();
    EACH(constant, &c);
}

static void tell_handle(struct both t)
{
    struct sink *a = t.a;
    struct sink *b = t.b;
    struct object object = { .type = below(4) ? STR("File") : STR(""),
                             .name = STR(""),
                             .access_known = below(2),
                             .access = (uint32_t)random_word() };

    if (below(5) == 0) {
        EACH(handle, UINT64_MAX, STR("NtCurrentProcess"), NULL);
        return;
    }
    if (below(3) > 0) {
        object.name = random_name();
    }
    EACH(handle, random_word(), STR(""), below(4) ? &object : NULL);
}

static void tell_text(struct both t)
{
    struct sink *a = t.a;
    struct sink *b = t.b;
    struct sink_text text = { .cut = below(4) == 0 };

    if (below(2)) {
        str name = random_name();

        text.kind = TEXT_WTF8;
        text.p = name.p;
        text.size = name.size;
    } else {
        text.kind = TEXT_UTF16;
        text.size = random_units(random_room, 2 + below(100));
        text.p = random_room;
    }
    EACH(text, &text);
}

static void tell_value(struct both t, uint32_t depth);

static void tell_group(struct both t, uint32_t depth)
{
    static const str names[] = { STR_INIT("ObjectName"), STR_INIT("Length"),
                                 STR_INIT("u1.s1.Length"), STR_INIT("x") };
    struct sink *a = t.a;
    struct sink *b = t.b;
    enum sink_group group = (enum sink_group)below(4);
    uint32_t members = group == GROUP_DEREF    ? 1
                       : group == GROUP_INOUT  ? 2
                       : group == GROUP_STRUCT ? 1 + below(4)
                                               : below(4);

    EACH(begin, group);
    for (uint32_t i = 0; i < members; i++) {
        if (group == GROUP_STRUCT) {
            EACH(arg, names[below(COUNT_OF(names))], NULL);
        }
        tell_value(t, depth + 1);
    }
    if (members > 0 && (group == GROUP_STRUCT || group == GROUP_ARRAY) &&
        below(4) == 0) {
        EACH_BARE(more);
    }
    EACH(end, group);
}

static void tell_value(struct both t, uint32_t depth)
{
    struct sink *a = t.a;
    struct sink *b = t.b;
    struct place place;
    uint64_t word = random_word();
    str name;

    switch (below(depth < 5 ? 17 : 13)) {
    case 0:
        EACH_BARE(unknown);
        break;
    case 1:
        EACH_BARE(null);
        break;
    case 2:
        EACH(number, NUMBER_HEX, word);
        break;
    case 3:
        EACH(number, NUMBER_DEC, word);
        break;
    case 4:
        EACH(number, NUMBER_SIGNED, below(2) ? word : 0 - word);
        break;
    case 5:
        EACH(status, random_status());
        break;
    case 6:
        tell_constant(t);
        break;
    case 7:
        tell_handle(t);
        break;
    case 8:
        tell_text(t);
        break;
    case 9:
        name = random_name();
        EACH(data, (const uint8_t *)name.p, name.size, below(3) == 0);
        break;
    case 10:
        EACH(time, below(8) ? (int64_t)(word >> 1) : -(int64_t)(word >> 1));
        break;
    case 11:
        EACH(duration, below(8) ? (int64_t)(word >> 1) : -(int64_t)(word >> 1));
        break;
    case 12:
        place = random_place();
        EACH(place, &place);
        break;
    default:
        tell_group(t, depth);
        break;
    }
    if (below(10) == 0) {
        EACH(comment, below(3) ? STR("3 of 7") : random_name());
    }
}

static void tell_result(struct both t)
{
    struct sink *a = t.a;
    struct sink *b = t.b;
    uint64_t word = random_word();
    struct place place;
    struct sink_note note = { .name = STR("NtYieldExecution"),
                              .offset = word & 0x1f,
                              .place = &place };

    EACH(result, below(4) ? &word : NULL);
    switch (below(7)) {
    case 0:
        EACH_BARE(unknown);
        break;
    case 1:
        EACH_BARE(nothing);
        break;
    case 2:
        EACH(number, (enum number_form)below(3), word);
        break;
    case 3:
        tell_handle(t);
        break;
    case 4:
        tell_constant(t);
        break;
    case 5:
        EACH_BARE(null);
        break;
    default:
        EACH(status, random_status());
        break;
    }
    for (uint32_t n = below(20); n > 17; n--) {
        place = random_place();
        note.kind = (enum note_kind)below(NOTE_DELAYED + 1);
        EACH(note, &note);
    }
}

static void tell_call(struct both t)
{
    static const str names[] = { STR_INIT("NtClose"), STR_INIT("syscall_?"),
                                 STR_INIT("syscall_0x1234"),
                                 STR_INIT("NtUserMessageCall") };
    struct sink *a = t.a;
    struct sink *b = t.b;
    enum sink_part part = (enum sink_part)below(3);
    uint64_t raw = random_word();
    struct sink_end end = { .took = (enum took_kind)below(3),
                            .ns = random_word(),
                            .failed = below(2),
                            .waits = below(2) };
    struct sink_head h = { .pid = below(5) * 4,
                           .tid = below(5) * 4,
                           .ns = (int64_t)random_word(),
                           .number_known = below(2),
                           .number = (uint16_t)raw,
                           .returns = random_word() };
    uint32_t args = below(6);

    EACH(call_begin, &h, names[below(COUNT_OF(names))], part);
    for (uint32_t i = 0; i < args; i++) {
        EACH(arg, below(8) ? STR("Handle") : STR(""), below(2) ? &raw : NULL);
        tell_value(t, 0);
    }
    if (args > 0 && below(5) == 0) {
        EACH_BARE(more);
    }
    if (part != PART_ENTRY) {
        tell_result(t);
    }
    for (uint32_t n = below(10); n > 7; n--) {
        str bytes = random_name();

        EACH(dump, below(2), (const uint8_t *)bytes.p, bytes.size, below(2));
    }
    EACH(call_end, &end);
}

static void tell_other(struct both t)
{
    static const str kinds[] = {
        STR_INIT("APC"),      STR_INIT("EXCEPTION"), STR_INIT("THREAD_START"),
        STR_INIT("CALLBACK"), STR_INIT("RAISE"),     STR_INIT("COMPLETION")
    };
    struct sink *a = t.a;
    struct sink *b = t.b;
    uint32_t status = random_status();
    struct sink_head h = { .pid = 32, .tid = below(3), .ns = -1 };
    struct notice n = { .kind =
                            (enum notice_kind)below(NOTICE_PATCHED_AGAIN + 1),
                        .code = below(2) ? status : below(300),
                        .count = random_word(),
                        .reason = STR("ring full") };
    static char image_room[sizeof(random_wtf8)];
    struct buf image = BUF_OVER(image_room);
    struct child_told child = { .pid = below(1000),
                                .how = below(2) ? PROCESS_CHILD : PROCESS_CLONE,
                                .by_pid = below(3),
                                .by_tid = below(3) };

    buf_add(&image, random_name());
    child.image = buf_str(&image);
    child.command = random_name();
    n.child = &child;
    if (n.kind == NOTICE_LATE) {
        n.count >>= 1;
    }
    if (n.kind == NOTICE_UNTRACED) {
        n.reason = STR("why + why not");
    }
    h.image = below(2) ? STR("") : STR("a > b.exe");

    if (n.kind == NOTICE_PATCHES_LOST || n.kind == NOTICE_PATCHED_AGAIN) {
        n.reason = below(2) ? STR("ntdll.dll") : STR("win32u.dll");
    }
    if (below(2)) {
        EACH(notice, &h, &n);
        return;
    }
    EACH(transition_begin, &h, kinds[below(COUNT_OF(kinds))],
         below(2) ? &status : NULL);
    if (below(4)) {
        EACH(begin, GROUP_STRUCT);
        EACH(arg, STR("Routine"), NULL);
        tell_value(t, 2);
        EACH(end, GROUP_STRUCT);
    }
    EACH_BARE(transition_end);
}

static void write_file(void *ctx, str line)
{
    if (ctx && fwrite(line.p, 1, line.size, ctx) != line.size) {
        abort();
    }
}

static void write_text(void *ctx, str line)
{
    if (line.size == 0 || grammar_mistake((str){ line.p, line.size - 1 })) {
        if (failures++ < 20) {
            printf("not in the grammar: %.*s", STR_ARGS(line));
        }
    }
    write_file(ctx, line);
}

/* The files may be NULL. */
static void make_calls(const struct text_options *options, FILE *text_file,
                       FILE *json_file, unsigned long count)
{
    struct text text;
    struct json json;
    struct both t = { &text.sink, &json.sink };

    if (!text_init(&text, options, write_text, text_file) ||
        !json_init(&json, write_file, json_file)) {
        abort();
    }
    json_header(&json, STR("test"));
    for (unsigned long i = 0; i < count; i++) {
        if (below(5) == 0) {
            tell_other(t);
        } else {
            tell_call(t);
        }
    }
    text_close(&text);
    json_close(&json);
}

/* Every option at random; no colours, which are not in the grammar. */
static struct text_options random_options(void)
{
    return (struct text_options){
        .always_pid = below(2),
        .when = (enum text_when)below(4),
        .when_precision = (enum text_precision)below(5),
        .relative = below(2),
        .relative_precision = (enum text_precision)below(5),
        .number = below(2),
        .returns = below(2),
        .took = below(2),
        .took_precision = (enum text_precision)below(5),
        .arg_names = below(2),
        .hex = (enum text_hex)below(3),
        .handle_detail = below(2),
        .constant_numbers = below(2),
        .utc_offset = (int32_t)below(86400) - 43200,
    };
}

static int try_calls(const char *text_path, const char *json_path,
                     unsigned long count)
{
    struct text_options options = { .always_pid = true, .arg_names = true };
    FILE *text_file = fopen(text_path, "wb");
    FILE *json_file = fopen(json_path, "wb");

    if (!text_file || !json_file) {
        abort();
    }
    make_calls(&options, text_file, json_file, count);
    if (fclose(text_file) || fclose(json_file)) {
        abort();
    }
    for (int i = 0; i < 100; i++) {
        options = random_options();
        make_calls(&options, NULL, NULL, count / 100);
    }
    return failures != 0;
}

int main(int argc, char **argv)
{
    bool strings = argc >= 2 && strcmp(argv[1], "strings") == 0;
    bool calls = argc >= 4 && strcmp(argv[1], "calls") == 0;
    int numbers = strings ? 2 : 4;
    unsigned long count = strings ? 200000 : 20000;

    state = 1;
    if (argc > numbers) {
        count = strtoul(argv[numbers], NULL, 0);
    }
    if (argc > numbers + 1) {
        state = strtoull(argv[numbers + 1], NULL, 0);
    }
    if (strings) {
        return try_strings(count);
    }
    if (calls) {
        return try_calls(argv[2], argv[3], count);
    }
    fprintf(stderr, "usage: sink_property strings [COUNT [SEED]]\n"
                    "       sink_property calls TEXT JSON [COUNT [SEED]]\n");
    return 2;
}
