/* SPDX-License-Identifier: MIT */
/*
 * info.c - `ntstrace info FILE`: what a recording is.
 *
 * Lines of a key and a value, so that a script finds them; a key that is there
 * several times has a line for each. Then the tree of processes. With --json all
 * of it is one object. Touches the
 * file, standard output, and the terminal to say how far it has come.
 */
#include "base/chars.h"
#include "cmd/command.h"
#include "format/json.h"
#include "platform/os.h"
#include "record/about.h"
#include "record/survey.h"
#include "view/progress.h"

#include <stdlib.h>

#include "base/banned.h"

/* All that is printed; and the most of one value. */
#define ROOM ((size_t)16 << 20)
#define VALUE_MOST 4096
#define VALUES_MOST 256
#define SECOND INT64_C(1000000000)
#define DAY INT64_C(86400)
/* Blanks before the youngest of a tree. */
#define INDENT_MOST 40

/* What is printed: lines, or one object. */
struct report {
    struct buf b;
    bool json;
    bool any;  // the object has a member
};

/* What stands before a value, and behind it. */
static void begin(struct report *r, const char *key)
{
    if (!r->json) {
        buf_addf(&r->b, "%-12s ", key);
        return;
    }
    buf_add(&r->b, r->any ? STR(",\"") : STR("\""));
    buf_add(&r->b, str_of(key));
    buf_add(&r->b, STR("\":"));
    r->any = true;
}

static void end(struct report *r)
{
    if (!r->json) {
        buf_add_char(&r->b, '\n');
    }
}

/* A value of the file, which may be anything. */
static void add_value(struct report *r, str value)
{
    str shown = str_slice(value, 0, VALUE_MOST);

    if (r->json) {
        json_add_string(&r->b, shown);
        return;
    }
    chars_add_visible(&r->b, shown);
    buf_add(&r->b, value.size > VALUE_MOST ? STR("...") : STR(""));
}

static void add_text(struct report *r, const char *key, str value)
{
    begin(r, key);
    add_value(r, value);
    end(r);
}

static void add_number(struct report *r, const char *key, uint64_t n)
{
    begin(r, key);
    buf_add_dec(&r->b, n);
    end(r);
}

/* One of several values of a key, which are a list in an object: the first one
 * begins it. */
static void add_one_of(struct report *r, const char *key, str value, bool first)
{
    if (!r->json) {
        add_text(r, key, value);
        return;
    }
    if (first) {
        begin(r, key);
    }
    buf_add_char(&r->b, first ? '[' : ',');
    add_value(r, value);
}

static void end_list(struct report *r, bool any)
{
    if (r->json && any) {
        buf_add_char(&r->b, ']');
    }
}

/* Value `i` of `key`, in a room that lasts until the next one is asked for;
 * false: there is none. */
static bool fact(str text, str key, uint32_t i, str *value)
{
    static char room[VALUE_MOST + 1];
    struct buf b = BUF_OVER(room);
    bool there = i < VALUES_MOST && about_find(text, key, i, &b);

    *value = buf_str(&b);
    return there;
}

static void add_fact(struct report *r, const char *label, str text, str key)
{
    str value;

    if (fact(text, key, 0, &value) && value.size > 0) {
        add_text(r, label, value);
    }
}

/* A fact that there may be several of. */
static void add_facts(struct report *r, const char *label, str text, str key)
{
    bool any = false;
    str value;

    for (uint32_t i = 0; fact(text, key, i, &value); i++) {
        if (value.size > 0) {
            add_one_of(r, label, value, !any);
            any = true;
        }
    }
    end_list(r, any);
}

/* A fact that is a number, or is shown as it stands. */
static void add_count(struct report *r, const char *label, str text, str key)
{
    str value;
    uint64_t n;

    if (fact(text, key, 0, &value) && str_to_u64(value, &n)) {
        add_number(r, label, n);
    } else {
        add_fact(r, label, text, key);
    }
}

/* A fact that is there only if it is true. */
static void add_flag(struct report *r, const char *label, str text, str key)
{
    if (about_number(text, key, 0) == 0) {
        return;
    }
    if (r->json) {
        begin(r, label);
        buf_add(&r->b, STR("true"));
    } else {
        add_text(r, label, STR("yes"));
    }
}

/* The day that is so many after 1970-01-01. */
static void add_date(struct buf *b, int64_t days)
{
    int64_t n = days + 719468;  // from March of the year 0
    int64_t era = n / 146097;
    int64_t of_era = n % 146097;
    int64_t year =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    int64_t day = of_year - (153 * month + 2) / 5 + 1;

    month = month < 10 ? month + 3 : month - 9;
    year += era * 400 + (month <= 2);
    buf_addf(b, "%04lld-%02lld-%02lld", (long long)year, (long long)month,
             (long long)day);
}

static void add_when(struct report *r, const char *key, int64_t seconds,
                     const char *zone)
{
    int64_t of_day = seconds % DAY;
    char room[80];
    struct buf b = BUF_OVER(room);

    add_date(&b, seconds / DAY);
    buf_addf(&b, " %02lld:%02lld:%02lld %s", (long long)(of_day / 3600),
             (long long)(of_day / 60 % 60), (long long)(of_day % 60), zone);
    add_text(r, key, buf_str(&b));
}

/* When it began, for who recorded it and for everybody; nothing if the file
 * does not say, or says what cannot be. */
static void add_began(struct report *r, str info)
{
    int64_t ns = about_number(info, STR("started-ns"), 0);
    int64_t offset = about_number(info, STR("utc-offset"), 0);
    int64_t minutes = (offset < 0 ? -offset : offset) / 60 % 1440;
    char zone[32];
    struct buf z = BUF_OVER(zone);

    if (ns <= DAY * SECOND || offset <= -DAY || offset >= DAY) {
        return;
    }
    buf_addf(&z, "%c%02d:%02d", offset < 0 ? '-' : '+', (int)(minutes / 60),
             (int)(minutes % 60));
    buf_add_char(&z, '\0');
    add_when(r, "began", ns / SECOND + offset, zone);
    add_when(r, r->json ? "began-utc" : "began", ns / SECOND, "UTC");
}

/* Seconds from the start, as far as clocks say; false: they do not. */
static bool add_seconds(struct buf *b, const struct survey *s, uint64_t tsc)
{
    int64_t ns = clock_ns(&s->clock, tsc);

    if (s->clock.count == 0 || tsc == 0 || ns < 0) {
        return false;
    }
    buf_addf(b, "%lld.%06lld", (long long)(ns / SECOND),
             (long long)(ns % SECOND / 1000));
    return true;
}

static void add_lasted(struct report *r, const struct survey *s)
{
    char room[40];
    struct buf b = BUF_OVER(room);

    if (add_seconds(&b, s, s->last)) {
        begin(r, "lasted");
        buf_add(&r->b, buf_str(&b));
        buf_add(&r->b, r->json ? STR("") : STR(" s"));
        end(r);
    }
}

static void add_losses(struct report *r, const struct losses *losses)
{
    bool any = false;

    for (enum model_lost why = 0; why < LOST_COUNT; why++) {
        char room[100];
        struct buf value = BUF_OVER(room);

        if (losses_text(losses, why, &value)) {
            add_one_of(r, "lost", buf_str(&value), !any);
            any = true;
        }
    }
    end_list(r, any);
}

/* `a` / `b`, with one digit behind the point. */
static void add_ratio(struct buf *b, uint64_t a, uint64_t of, const char *what)
{
    double ratio = of > 0 ? (double)a / (double)of : 0;

    buf_addf(b, "%.1f%s", ratio, what);
}

static void add_size(struct report *r, const struct survey *s)
{
    uint64_t size = s->file.chunks.size;

    begin(r, "size");
    buf_addf(&r->b, r->json ? "%llu" : "%llu bytes", (unsigned long long)size);
    end(r);
    if (s->file.calls > 0) {
        begin(r, "per-call");
        add_ratio(&r->b, size, s->file.calls, r->json ? "" : " bytes");
        end(r);
    }
    add_number(r, "chunks", s->chunks);
    if (s->deflated > 0 && r->json) {
        add_number(r, "deflated", s->deflated);
    } else if (s->deflated > 0) {
        begin(r, "deflated");
        buf_addf(&r->b, "%llu chunks, all of them to ",
                 (unsigned long long)s->deflated);
        add_ratio(&r->b, 100 * s->stored, s->raw, " %");
        end(r);
    }
}

static void add_state(struct report *r, const struct survey *s)
{
    const struct chunk_damage *d = &s->file.chunks.damage;
    static char room[4096];
    struct buf lines = BUF_OVER(room);
    bool any = false;
    str line, rest;

    add_text(r, "state",
             d->cut                        ? STR("cut off")
             : replay_is_damaged(&s->file) ? STR("damaged")
             : s->file.ended               ? STR("whole")
                                           : STR("not ended"));
    replay_damage(&s->file, &lines);
    rest = buf_str(&lines);
    while (str_cut(rest, '\n', &line, &rest)) {
        add_one_of(r, "missing", line, !any);
        any = true;
    }
    end_list(r, any);
}

/* --- The tree ------------------------------------------------------------- */

static str image_of(const struct survey_process *p)
{
    return (str){ p->image, p->image_size };
}

static str command_of(const struct survey_process *p)
{
    return (str){ p->command, p->command_size };
}

static str fate_of(const struct survey_process *p)
{
    return p->fate == CHILD_FAILED && p->why_size > 0
               ? (str){ p->why, p->why_size }
               : child_reason(p->fate);
}

static void add_code(struct buf *b, uint32_t code)
{
    if (code > 0xffff) {
        buf_addf(b, "0x%08x", code);
    } else {
        buf_add_dec(b, code);
    }
}

static void add_column(struct buf *b, const struct survey *s, uint64_t tsc)
{
    char room[40];
    struct buf when = BUF_OVER(room);

    if (!add_seconds(&when, s, tsc)) {
        buf_add(&when, STR("-"));
    }
    buf_addf(b, "%11.*s", STR_ARGS(buf_str(&when)));
}

static void add_row(struct report *r, const struct survey *s, size_t row,
                    size_t depth)
{
    const struct survey_process *p = &s->processes[row];
    struct buf *b = &r->b;
    char room[32];
    struct buf code = BUF_OVER(room);
    size_t indent = 2 * depth < INDENT_MOST ? 2 * depth : INDENT_MOST;

    if (p->ended) {
        add_code(&code, p->code);
    } else {
        buf_add(&code, STR("-"));
    }
    buf_addf(b, "%10u", p->pid);
    add_column(b, s, p->began);
    add_column(b, s, p->ended ? p->end : 0);
    buf_addf(b, "  %-10.*s  %*s", STR_ARGS(buf_str(&code)), (int)indent, "");
    chars_add_visible(b, p->image_size > 0 ? image_of(p) : STR("?"));
    if (p->command_size > 0) {
        buf_add(b, STR(": "));
        chars_add_visible(b, command_of(p));
        buf_add(b, p->command_cut ? STR("...") : STR(""));
    }
    if (!p->traced) {
        buf_add(b, STR(" (untraced: "));
        chars_add_visible(b, fate_of(p));
        buf_add_char(b, ')');
    } else if (p->late > 0) {
        buf_addf(b, " (%llu us missed)", (unsigned long long)p->late);
    } else if (p->how == PROCESS_ATTACHED) {
        buf_add(b, STR(" (attached)"));
    }
    buf_add_char(b, '\n');
}

static void add_id(struct buf *b, const char *key, uint32_t id)
{
    buf_addf(b, "\"%s\":", key);
    if (id != 0) {
        buf_add_dec(b, id);
    } else {
        buf_add(b, STR("null"));
    }
}

static void add_time(struct buf *b, const struct survey *s, const char *key,
                     uint64_t tsc)
{
    buf_addf(b, ",\"%s\":", key);
    if (!add_seconds(b, s, tsc)) {
        buf_add(b, STR("null"));
    }
}

/* The same for an object. */
static void add_object(struct report *r, const struct survey *s, size_t row,
                       size_t depth)
{
    static const char *const hows[PROCESS_HOWS] = {
        [PROCESS_LAUNCHED] = "launched",
        [PROCESS_CHILD] = "child",
        [PROCESS_ATTACHED] = "attached",
        [PROCESS_CLONE] = "clone",
    };
    const struct survey_process *p = &s->processes[row];
    struct buf *b = &r->b;

    buf_add(b, b->p[b->size - 1] == '[' ? STR("{") : STR(",{"));
    add_id(b, "pid", p->pid);
    buf_add_char(b, ',');
    add_id(b, "parent", p->parent);
    buf_add_char(b, ',');
    add_id(b, "parent_tid", p->parent_tid);
    buf_addf(b, ",\"how\":\"%s\",\"depth\":%u,\"path\":", hows[p->how],
             (unsigned)depth);
    json_add_string(b, image_of(p));
    buf_add(b, STR(",\"command\":"));
    json_add_string(b, command_of(p));
    add_time(b, s, "began", p->began);
    add_time(b, s, "ended", p->ended ? p->end : 0);
    if (p->ended) {
        buf_addf(b, ",\"code\":%u", p->code);
    }
    if (!p->traced) {
        buf_add(b, STR(",\"untraced\":"));
        json_add_string(b, fate_of(p));
    }
    if (p->late > 0) {
        buf_addf(b, ",\"missed_us\":%llu", (unsigned long long)p->late);
    }
    buf_add_char(b, '}');
}

/* A process, then those that it has started, in the order they came. */
static void add_branch(struct report *r, const struct survey *s,
                       const size_t *parents, size_t row, size_t depth)
{
    (r->json ? add_object : add_row)(r, s, row, depth);
    for (size_t i = row + 1; i < s->rows; i++) {
        if (parents[i] == row) {
            add_branch(r, s, parents, i, depth + 1);
        }
    }
}

static void add_processes(struct report *r, const struct survey *s)
{
    size_t *parents = calloc(s->rows + 1, sizeof(*parents));

    if (r->json) {
        begin(r, "tree");
        buf_add_char(&r->b, '[');
    } else {
        buf_add(&r->b, STR("\n       PID      BEGAN      ENDED  END         "
                           "PROGRAM\n"));
    }
    for (size_t i = 0; i < s->rows && parents != NULL; i++) {
        parents[i] = survey_parent(s, i);
    }
    for (size_t i = 0; i < s->rows && parents != NULL; i++) {
        if (parents[i] == SIZE_MAX) {
            add_branch(r, s, parents, i, 0);
        }
    }
    if (r->json) {
        buf_add_char(&r->b, ']');
    } else if (s->process_count + s->untraced > s->rows) {
        buf_addf(
            &r->b, "           and %llu more\n",
            (unsigned long long)(s->process_count + s->untraced - s->rows));
    }
    free(parents);
}

static void add_all(struct report *r, const struct survey *s, str path)
{
    str info = replay_info(&s->file);
    str end_text = { s->file.end != NULL ? s->file.end : "", s->file.end_size };
    char room[32];
    struct buf format = BUF_OVER(room);

    add_text(r, "file", path);
    buf_addf(&format, "%u.%u", FILE_MAJOR, s->file.chunks.minor);
    add_text(r, "format", buf_str(&format));
    add_state(r, s);
    add_fact(r, "program", info, STR("program"));
    add_fact(r, "command", info, STR("command"));
    add_fact(r, "ntstrace", info, STR("ntstrace"));
    add_fact(r, "engine", info, STR("engine"));
    add_facts(r, "expression", info, STR("expression"));
    add_facts(r, "path", info, STR("path"));
    add_flag(r, "failed-only", info, STR("failed-only"));
    add_flag(r, "successful-only", info, STR("successful-only"));
    add_count(r, "string-limit", info, STR("string-limit"));
    if (about_number(info, STR("stack"), 0) > 0) {
        add_count(r, "stack", info, STR("stack"));
    }
    add_fact(r, "machine", info, STR("machine"));
    add_fact(r, "system", info, STR("system"));
    add_began(r, info);
    add_lasted(r, s);
    add_fact(r, "ended", end_text, STR("ended"));
    add_count(r, "status", end_text, STR("status"));
    add_number(r, "processes", s->process_count);
    if (s->untraced > 0) {
        add_number(r, "untraced", s->untraced);
    }
    add_number(r, "threads", s->thread_count);
    add_number(r, "calls", s->file.calls);
    add_count(r, "late", end_text, STR("late"));
    add_losses(r, &s->losses);
    add_size(r, s);
    if (s->rows > 0) {
        add_processes(r, s);
    }
}

static bool goes_on(void *progress, uint64_t at, uint64_t size)
{
    progress_bar(progress, "info", at, size);
    return true;
}

static bool look(struct survey *s, const struct options *o, struct err *e)
{
    struct progress progress;
    bool ok;

    if (!survey_open(s, o->words[0], e)) {
        return false;
    }
    progress_begin(&progress, 4, o->view.quiet == 0);
    s->file.go_on = goes_on;
    s->file.go_on_ctx = &progress;
    ok = survey_read(s, e);
    progress_clear(&progress);
    return ok;
}

bool info_run(const struct options *o, struct arena *a, struct outcome *out,
              struct err *e)
{
    struct os_file to = os_stdout();
    struct report r = { .b = { malloc(ROOM), 0, ROOM, false },
                        .json = o->view.json };
    struct survey s;
    bool ok;

    (void)a;
    if (r.b.p == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    ok = look(&s, o, e);
    if (ok) {
        buf_add(&r.b, r.json ? STR("{") : STR(""));
        add_all(&r, &s, o->words[0]);
        buf_add(&r.b, r.json ? STR("}\n") : STR(""));
        ok = os_file_write(&to, buf_str(&r.b), e);
    }
    if (ok && replay_is_damaged(&s.file)) {
        out->status = (uint32_t)err_exit_status(ERR_BAD_INPUT);
    }
    survey_close(&s);
    free(r.b.p);
    return ok;
}
