/* SPDX-License-Identifier: MIT */
/*
 * info.c - `ntstrace info FILE`: what a recording is.
 *
 * Lines of a key and a value, so that a script finds them; a key that is there
 * several times has a line for each. Then a table of the processes. Touches the
 * file and standard output.
 */
#include "base/chars.h"
#include "cmd/command.h"
#include "platform/os.h"
#include "record/about.h"
#include "record/survey.h"

#include <stdlib.h>

#include "base/banned.h"

/* All that is printed; and the most of one value. */
#define ROOM ((size_t)4 << 20)
#define VALUE_MOST 4096
#define SECOND INT64_C(1000000000)
#define DAY INT64_C(86400)

static void add_key(struct buf *b, const char *key)
{
    buf_addf(b, "%-12s ", key);
}

/* A value of the file, which may be anything. */
static void add_text(struct buf *b, const char *key, str value)
{
    add_key(b, key);
    chars_add_visible(b, str_slice(value, 0, VALUE_MOST));
    buf_add(b, value.size > VALUE_MOST ? STR("...\n") : STR("\n"));
}

static void add_number(struct buf *b, const char *key, uint64_t n)
{
    add_key(b, key);
    buf_add_dec(b, n);
    buf_add_char(b, '\n');
}

/* All values of `key` in the text. */
static void add_facts(struct buf *b, const char *label, str text, str key)
{
    static char room[VALUE_MOST + 1];

    for (uint32_t i = 0; i < 256; i++) {
        struct buf value = BUF_OVER(room);

        if (!about_find(text, key, i, &value)) {
            return;
        }
        if (value.size > 0) {
            add_text(b, label, buf_str(&value));
        }
    }
}

/* A fact that is there only if it is true. */
static void add_flag(struct buf *b, const char *label, str text, str key)
{
    if (about_number(text, key, 0) != 0) {
        add_text(b, label, STR("yes"));
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

static void add_when(struct buf *b, int64_t seconds, const char *zone)
{
    int64_t of_day = seconds % DAY;

    add_key(b, "began");
    add_date(b, seconds / DAY);
    buf_addf(b, " %02lld:%02lld:%02lld %s\n", (long long)(of_day / 3600),
             (long long)(of_day / 60 % 60), (long long)(of_day % 60), zone);
}

/* When it began, for who recorded it and for everybody; nothing if the file
 * does not say, or says what cannot be. */
static void add_began(struct buf *b, str info)
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
    add_when(b, ns / SECOND + offset, zone);
    add_when(b, ns / SECOND, "UTC");
}

static void add_lasted(struct buf *b, const struct survey *s)
{
    int64_t ns = clock_ns(&s->clock, s->last);

    if (s->clock.count == 0 || s->last == 0 || ns < 0) {
        return;
    }
    add_key(b, "lasted");
    buf_addf(b, "%lld.%06lld s\n", (long long)(ns / SECOND),
             (long long)(ns % SECOND / 1000));
}

static void add_losses(struct buf *b, const struct losses *losses)
{
    for (enum model_lost why = 0; why < LOST_COUNT; why++) {
        char room[100];
        struct buf value = BUF_OVER(room);

        if (losses_text(losses, why, &value)) {
            add_text(b, "lost", buf_str(&value));
        }
    }
}

/* `a` / `b`, with one digit behind the point. */
static void add_ratio(struct buf *b, uint64_t a, uint64_t of, const char *what)
{
    double ratio = of > 0 ? (double)a / (double)of : 0;

    buf_addf(b, "%.1f%s", ratio, what);
}

static void add_size(struct buf *b, const struct survey *s)
{
    uint64_t size = s->file.chunks.size;

    add_key(b, "size");
    buf_addf(b, "%llu bytes\n", (unsigned long long)size);
    if (s->file.calls > 0) {
        add_key(b, "per-call");
        add_ratio(b, size, s->file.calls, " bytes\n");
    }
    add_number(b, "chunks", s->chunks);
    if (s->deflated > 0) {
        add_key(b, "deflated");
        buf_addf(b, "%llu chunks, all of them to ",
                 (unsigned long long)s->deflated);
        add_ratio(b, 100 * s->stored, s->raw, " %\n");
    }
}

static void add_state(struct buf *b, const struct survey *s)
{
    const struct chunk_damage *d = &s->file.chunks.damage;
    static char room[4096];
    struct buf lines = BUF_OVER(room);
    str line, rest;

    add_text(b, "state",
             d->cut                        ? STR("cut off")
             : replay_is_damaged(&s->file) ? STR("damaged")
             : s->file.ended               ? STR("whole")
                                           : STR("not ended"));
    replay_damage(&s->file, &lines);
    rest = buf_str(&lines);
    while (str_cut(rest, '\n', &line, &rest)) {
        add_text(b, "missing", line);
    }
}

static void add_processes(struct buf *b, const struct survey *s)
{
    buf_add(b, STR("\n       PID  END         IMAGE\n"));
    for (size_t i = 0; i < s->rows; i++) {
        const struct survey_process *p = &s->processes[i];
        char room[32];
        struct buf code = BUF_OVER(room);

        if (p->ended && p->code > 0xffff) {
            buf_addf(&code, "0x%08x", p->code);
        } else if (p->ended) {
            buf_add_dec(&code, p->code);
        } else {
            buf_add(&code, STR("-"));
        }
        buf_addf(b, "%10u  %-10.*s  ", p->pid, STR_ARGS(buf_str(&code)));
        chars_add_visible(
            b, p->image_size > 0 ? (str){ p->image, p->image_size } : STR("?"));
        buf_add_char(b, '\n');
    }
    if (s->process_count > s->rows) {
        buf_addf(b, "           and %llu more\n",
                 (unsigned long long)(s->process_count - s->rows));
    }
}

static void add_all(struct buf *b, const struct survey *s, str path)
{
    str info = replay_info(&s->file);
    str end = { s->file.end != NULL ? s->file.end : "", s->file.end_size };

    add_text(b, "file", path);
    add_key(b, "format");
    buf_addf(b, "%u.%u\n", FILE_MAJOR, s->file.chunks.minor);
    add_state(b, s);
    add_facts(b, "program", info, STR("program"));
    add_facts(b, "command", info, STR("command"));
    add_facts(b, "ntstrace", info, STR("ntstrace"));
    add_facts(b, "engine", info, STR("engine"));
    add_facts(b, "expression", info, STR("expression"));
    add_facts(b, "path", info, STR("path"));
    add_flag(b, "failed-only", info, STR("failed-only"));
    add_flag(b, "successful-only", info, STR("successful-only"));
    add_facts(b, "string-limit", info, STR("string-limit"));
    add_facts(b, "machine", info, STR("machine"));
    add_facts(b, "system", info, STR("system"));
    add_began(b, info);
    add_lasted(b, s);
    add_facts(b, "ended", end, STR("ended"));
    add_facts(b, "status", end, STR("status"));
    add_number(b, "processes", s->process_count);
    add_number(b, "threads", s->thread_count);
    add_number(b, "calls", s->file.calls);
    add_facts(b, "late", end, STR("late"));
    add_losses(b, &s->losses);
    add_size(b, s);
    if (s->rows > 0) {
        add_processes(b, s);
    }
}

bool info_run(const struct options *o, struct arena *a, struct outcome *out,
              struct err *e)
{
    struct os_file to = os_stdout();
    struct buf b = { malloc(ROOM), 0, ROOM, false };
    struct survey s;
    bool ok;

    (void)a;
    if (b.p == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    ok = survey_open(&s, o->words[0], e);
    if (ok) {
        add_all(&b, &s, o->words[0]);
        ok = os_file_write(&to, buf_str(&b), e);
    }
    if (ok && replay_is_damaged(&s.file)) {
        out->status = (uint32_t)err_exit_status(ERR_BAD_INPUT);
    }
    survey_close(&s);
    free(b.p);
    return ok;
}
