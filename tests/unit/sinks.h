/* SPDX-License-Identifier: MIT */
/*
 * sinks.h - values told to a text and a JSON sink by hand, for tests.
 *
 * BOTH(text, json, code) tells both sinks the call NtX(A=...) = 0 of thread
 * 32.36; `code` tells the value of A to the sink `s`. The text has to be in
 * the grammar.
 */
#ifndef SINKS_H
#define SINKS_H

#include "grammar.h"

#include "format/json.h"
#include "format/text.h"

#include <stdlib.h>
#include <string.h>

#include "unit/check.h"

/* Everything that a sink wrote. */
struct wrote {
    char *p;
    size_t size;
    size_t room;
    size_t lines;
};

static inline void wrote_line(void *ctx, str line)
{
    struct wrote *w = ctx;

    while (w->room - w->size < line.size) {
        w->room = w->room > 0 ? w->room * 2 : 65536;
        w->p = realloc(w->p, w->room);
        if (!w->p) {
            abort();
        }
    }
    memcpy(w->p + w->size, line.p, line.size);
    w->size += line.size;
    w->lines++;
}

static inline str wrote_all(const struct wrote *w)
{
    return (str){ w->size > 0 ? w->p : "", w->size };
}

static const struct sink_head sinks_head = {
    .pid = 32,
    .tid = 36,
    .ns = 1795341240441799123,
};

static inline void sinks_begin(struct sink *s)
{
    s->ops->call_begin(s, &sinks_head, STR("NtX"), PART_WHOLE);
    s->ops->arg(s, STR("A"), NULL);
}

static inline void sinks_end(struct sink *s)
{
    static const uint64_t zero;
    struct sink_end end = { .took = TOOK_TIME, .ns = 21000 };

    s->ops->result(s, &zero);
    s->ops->number(s, NUMBER_HEX, 0);
    s->ops->call_end(s, &end);
}

static inline void sinks_check_lines(const struct wrote *w, const char *at)
{
    str rest = wrote_all(w);
    str line;

    while (str_cut(rest, '\n', &line, &rest)) {
        size_t column = grammar_mistake(line);

        if (column != 0) {
            printf("%s: column %zu is not in the grammar: %.*s\n", at, column,
                   STR_ARGS(line));
            check_bad++;
        }
    }
}

/* What stands between `before` and `after` in what was written. */
static inline str sinks_between(const struct wrote *w, str before, str after)
{
    str all = wrote_all(w);

    if (str_starts(all, before) && str_ends(all, after) &&
        all.size >= before.size + after.size) {
        return str_slice(all, before.size, all.size - after.size);
    }
    return all;
}

#define SINK_TEXT(options_, want, code)                                   \
    do {                                                                  \
        struct text_options options = options_;                           \
        struct wrote w = { 0 };                                           \
        struct text t;                                                    \
        struct sink *s = &t.sink;                                         \
        options.always_pid = true;                                        \
        options.arg_names = true;                                         \
        CHECK(text_init(&t, &options, wrote_line, &w));                   \
        sinks_begin(s);                                                   \
        code;                                                             \
        sinks_end(s);                                                     \
        sinks_check_lines(&w, CHECK_AT);                                  \
        CHECK_STR(sinks_between(&w, STR("32.36 NtX(A="), STR(") = 0\n")), \
                  STR(want));                                             \
        text_close(&t);                                                   \
        free(w.p);                                                        \
    } while (0)

#define SINK_JSON(want, code)                                                  \
    do {                                                                       \
        struct wrote w = { 0 };                                                \
        struct json j;                                                         \
        struct sink *s = &j.sink;                                              \
        CHECK(json_init(&j, wrote_line, &w));                                  \
        sinks_begin(s);                                                        \
        code;                                                                  \
        sinks_end(s);                                                          \
        CHECK_STR(sinks_between(                                               \
                      &w,                                                      \
                      STR("{\"type\":\"call\",\"pid\":32,\"tid\":36,"          \
                          "\"image\":null,"                                    \
                          "\"time\":\"1795341240441799123\",\"name\":"         \
                          "\"NtX\",\"part\":\"whole\",\"args\":[{\"name\":"    \
                          "\"A\",\"value\":"),                                 \
                      STR("}],\"result\":{\"raw\":\"0x0\",\"value\":\"0x0\"}," \
                          "\"failed\":false,\"took\":\"21000\"}\n")),          \
                  STR(want));                                                  \
        json_close(&j);                                                        \
        free(w.p);                                                             \
    } while (0)

#define BOTH(text, json, code)                               \
    do {                                                     \
        SINK_TEXT(((struct text_options){ 0 }), text, code); \
        SINK_JSON(json, code);                               \
    } while (0)

/* A value told to `s`. */
#define TELL_UTF16(cut_, ...)                                                  \
    s->ops->text(                                                              \
        s, &(struct sink_text){ TEXT_UTF16, (const uint16_t[]){ __VA_ARGS__ }, \
                                sizeof((const uint16_t[]){ __VA_ARGS__ }) / 2, \
                                (cut_) })
#define TELL_WTF8(literal, cut_)                               \
    s->ops->text(s, &(struct sink_text){ TEXT_WTF8, (literal), \
                                         sizeof(literal) - 1, (cut_) })
#define TELL_DATA(literal, cut_) \
    s->ops->data(s, (const uint8_t *)(literal), sizeof(literal) - 1, (cut_))
#define TELL_CONST(raw_, rest_, ...)                                          \
    s->ops->constant(                                                         \
        s, &(struct sink_constant){                                           \
               (raw_), (const char *const[]){ __VA_ARGS__ },                  \
               sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *), \
               (rest_) })

#endif
