/* SPDX-License-Identifier: MIT */
/*
 * merge.c - `ntstrace merge F`: the files F.PID that -ff has written, joined by
 * time into one.
 *
 * Lines go by their time, lines of one time by process id and place in their
 * file; those without one (dumps, stacks) stay behind theirs. No line overtakes one of
 * its own file. A file is open only from the time of its first line to that of its
 * last: as many at a time as there were processes. Touches the files and the
 * output.
 */
#include "cmd/command.h"
#include "platform/os.h"
#include "view/output.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/banned.h"

/* No line of ours is longer, with what is before it. */
#define LINE_MOST ((size_t)4 << 20)
#define ROOM_FIRST ((size_t)16 << 10)

/* A time of -ttt. */
struct when {
    uint64_t seconds;
    uint32_t ns;
};

/* One of the files. */
struct part {
    str path;  // owned
    uint64_t pid;
    uint64_t again;    // the how-manieth of this id; 1: the first
    struct when when;  // of the line that is next
    bool opened;
    struct os_file file;
    char *room;  // owned: what was read and not told yet is [begin, end) of it
    size_t size;
    size_t begin;
    size_t end;
    uint64_t offset;  // of what is read next
    bool at_end;
    uint64_t lines;  // read so far
    str line;        // the next one, without its LF; in `room`
};

struct merge {
    str base;
    struct part **parts;  // owned, and what it points to
    size_t count;
    size_t room;
    struct part **heap;  // those that are open, by their next line
    size_t open;
    struct output output;
    bool no_memory;  // for all that there are
};

/* --- lines ---------------------------------------------------------------- */

static str rest_of(str s, size_t from)
{
    return str_slice(s, from, s.size);
}

/* Takes digits off *s; at most 18 count. */
static bool take_number(str *s, uint64_t *n)
{
    size_t i = 0;

    *n = 0;
    while (i < s->size && i < 18 && s->p[i] >= '0' && s->p[i] <= '9') {
        *n = *n * 10 + (uint64_t)(s->p[i++] - '0');
    }
    *s = rest_of(*s, i);
    return i > 0;
}

static bool take_char(str *s, char c)
{
    if (s->size == 0 || s->p[0] != c) {
        return false;
    }
    *s = rest_of(*s, 1);
    return true;
}

/* "32.36 ", "32.?<a.exe> " */
static bool take_thread(str *s)
{
    uint64_t n;
    bool ok = take_number(s, &n) && take_char(s, '.') &&
              (take_char(s, '?') || take_number(s, &n));

    if (ok && take_char(s, '<')) {
        while (s->size > 0 && s->p[0] != '>') {
            *s = rest_of(*s, s->p[0] == '^' ? 2 : 1);
        }
        ok = take_char(s, '>');
    }
    return ok && take_char(s, ' ');
}

/* "1795341240.441799 ", behind the thread. */
static bool take_when(str *s, struct when *when)
{
    uint64_t fraction = 0;
    size_t before;

    *when = (struct when){ 0, 0 };
    if (!take_number(s, &when->seconds)) {
        return false;
    }
    if (take_char(s, '.')) {
        before = s->size;
        if (!take_number(s, &fraction) || before - s->size > 9) {
            return false;
        }
        for (size_t digits = before - s->size; digits < 9; digits++) {
            fraction *= 10;
        }
        when->ns = (uint32_t)fraction;
    }
    return take_char(s, ' ');
}

static int compare_when(const struct when *a, const struct when *b)
{
    if (a->seconds != b->seconds) {
        return a->seconds < b->seconds ? -1 : 1;
    }
    return (a->ns > b->ns) - (a->ns < b->ns);
}

static int compare(const struct part *a, const struct part *b)
{
    int by_time = compare_when(&a->when, &b->when);

    if (by_time != 0) {
        return by_time;
    }
    if (a->pid != b->pid) {
        return a->pid < b->pid ? -1 : 1;
    }
    return (a->again > b->again) - (a->again < b->again);
}

/* --- reading -------------------------------------------------------------- */

/* More of the file behind what is there. False: it cannot be read, or a line
 * has no end. */
static bool read_more(struct part *p, struct err *e)
{
    struct err why;
    size_t got;

    memmove(p->room, p->room + p->begin, p->end - p->begin);
    p->end -= p->begin;
    p->begin = 0;
    if (p->end == p->size) {
        char *more = p->size < LINE_MOST ? realloc(p->room, 2 * p->size) : NULL;

        if (more == NULL) {
            return err_set(e, ERR_BAD_INPUT,
                           "%.*s: line %llu is longer than any of a trace",
                           STR_ARGS(p->path), (unsigned long long)p->lines + 1);
        }
        p->room = more;
        p->size *= 2;
    }
    if (!os_file_read_at(&p->file, p->offset, p->room + p->end,
                         p->size - p->end, &got, &why)) {
        return err_set(e, why.code, "%.*s: %s", STR_ARGS(p->path), why.text);
    }
    p->at_end = got < p->size - p->end;
    p->offset += got;
    p->end += got;
    return true;
}

/* The next line; *there: false at the end of the file. */
static bool read_line(struct part *p, bool *there, struct err *e)
{
    for (;;) {
        str left = { p->room + p->begin, p->end - p->begin };
        str line, rest;
        bool whole = left.size > 0 && str_cut(left, '\n', &line, &rest);

        if (whole || (p->at_end && left.size > 0)) {
            p->line = whole ? line : left;
            p->begin += p->line.size + whole;
            p->lines++;
            *there = true;
            return true;
        }
        if (p->at_end) {
            *there = false;
            return true;
        }
        if (!read_more(p, e)) {
            return false;
        }
    }
}

/* The next line and its time, which is not before that of the last one: it has
 * been told where it is, whatever it says. */
/* Of a dump, or a stack. */
static bool is_follower(str s)
{
    return str_starts(s, STR("| ")) || str_starts(s, STR("> "));
}

static bool advance(struct part *p, bool *there, struct err *e)
{
    struct when when;
    str s;

    if (!read_line(p, there, e)) {
        return false;
    }
    if (!*there) {
        return true;
    }
    s = p->line;
    if (p->lines > 1 &&
        (is_follower(s) || (take_thread(&s) && is_follower(s)))) {
        return true;
    }
    s = p->line;
    if (!take_thread(&s) || !take_when(&s, &when)) {
        return err_set(e, ERR_BAD_INPUT,
                       "%.*s: line %llu has no time: only lines of a text that "
                       "-ttt was given for can be joined",
                       STR_ARGS(p->path), (unsigned long long)p->lines);
    }
    if (compare_when(&when, &p->when) > 0) {
        p->when = when;
    }
    return true;
}

static void close_part(struct part *p)
{
    struct err ignored;

    if (p->opened) {
        os_file_close(&p->file, &ignored);
    }
    free(p->room);
    p->room = NULL;
    p->opened = false;
}

/* From its first line on; *there: it has one. */
static bool open_part(struct part *p, bool *there, struct err *e)
{
    p->room = malloc(ROOM_FIRST);
    if (p->room == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    p->size = ROOM_FIRST;
    p->begin = 0;
    p->end = 0;
    p->offset = 0;
    p->at_end = false;
    p->lines = 0;
    p->opened = os_file_open(&p->file, p->path, e);
    return p->opened && advance(p, there, e);
}

/* --- which files there are ------------------------------------------------ */

/* ".32" or ".32.2" */
static bool read_ending(str s, uint64_t *pid, uint64_t *again)
{
    *again = 1;
    if (!take_char(&s, '.') || !take_number(&s, pid)) {
        return false;
    }
    return s.size == 0 || (take_char(&s, '.') && take_number(&s, again) &&
                           *again > 1 && s.size == 0);
}

static bool on_file(void *merge, str path)
{
    struct merge *m = merge;
    struct part *p;
    uint64_t pid, again;

    if (path.size < m->base.size ||
        !read_ending(rest_of(path, m->base.size), &pid, &again)) {
        return true; /* something else of that name */
    }
    p = calloc(1, sizeof(*p) + path.size);
    if (p == NULL ||
        !array_grow(&m->parts, &m->room, m->count, sizeof(m->parts[0]))) {
        free(p);
        m->no_memory = true;
        return false;
    }
    memcpy(p + 1, path.p, path.size);
    p->path = (str){ (const char *)(p + 1), path.size };
    p->pid = pid;
    p->again = again;
    m->parts[m->count++] = p;
    return true;
}

static int by_turn(const void *a, const void *b)
{
    return compare(*(struct part *const *)a, *(struct part *const *)b);
}

/* All files, by their first lines; those without one are left out. */
static bool find_parts(struct merge *m, struct err *e)
{
    size_t count = 0;

    if (!os_files_beginning(m->base, on_file, m, e)) {
        return false;
    }
    if (m->no_memory) {
        return err_set(e, ERR_OS, "out of memory");
    }
    if (m->count == 0) {
        return err_set(e, ERR_BAD_INPUT,
                       "there are no files %.*s.PID, as 'ntstrace -ff -ttt -o "
                       "%.*s' makes them",
                       STR_ARGS(m->base), STR_ARGS(m->base));
    }
    for (size_t i = 0; i < m->count; i++) {
        struct part *p = m->parts[i];
        bool there = false;

        if (!open_part(p, &there, e)) {
            return false;
        }
        close_part(p);
        if (there) {
            m->parts[i] = m->parts[count];
            m->parts[count++] = p;
        }
    }
    array_sort(m->parts, count, sizeof(struct part *), by_turn);
    m->heap = calloc(count + 1, sizeof(struct part *));
    while (m->count > count) {
        free(m->parts[--m->count]);
    }
    return m->heap != NULL || err_set(e, ERR_OS, "out of memory");
}

/* --- joining -------------------------------------------------------------- */

static void sift_up(struct merge *m, size_t at)
{
    struct part *p = m->heap[at];

    while (at > 0 && compare(p, m->heap[(at - 1) / 2]) < 0) {
        m->heap[at] = m->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    m->heap[at] = p;
}

static void sift_down(struct merge *m)
{
    struct part *p = m->heap[0];
    size_t at = 0;

    for (size_t child = 1; child < m->open; child = 2 * at + 1) {
        child += child + 1 < m->open &&
                 compare(m->heap[child + 1], m->heap[child]) < 0;
        if (compare(m->heap[child], p) >= 0) {
            break;
        }
        m->heap[at] = m->heap[child];
        at = child;
    }
    m->heap[at] = p;
}

/* Writes the next line of all, and goes on behind it. */
static bool step(struct merge *m, struct err *e)
{
    struct part *p = m->heap[0];
    bool there = false;

    /* Without an LF it is the last one of its file, and there is room. */
    output_line(&m->output, p->line);
    output_line(&m->output, STR("\n"));
    if (!advance(p, &there, e)) {
        return false;
    }
    if (!there) {
        close_part(p);
        m->heap[0] = m->heap[--m->open];
    }
    if (m->open > 0) {
        sift_down(m);
    }
    return true;
}

static bool join(struct merge *m, struct err *e)
{
    size_t next = 0;

    while ((m->open > 0 || next < m->count) && !m->output.failed) {
        bool there = true;

        if (m->open > 0 &&
            (next == m->count || compare(m->heap[0], m->parts[next]) <= 0)) {
            if (!step(m, e)) {
                return false;
            }
            continue;
        }
        if (!open_part(m->parts[next], &there, e)) {
            return false;
        }
        if (there) {
            m->heap[m->open] = m->parts[next];
            sift_up(m, m->open++);
        }
        next++;
    }
    return true;
}

bool merge_run(const struct options *o, struct arena *a, struct outcome *out,
               struct err *e)
{
    struct merge *m = calloc(1, sizeof(*m));
    struct err ignored;
    bool ok;

    (void)a;
    (void)out;
    if (m == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    m->base = o->words[0];
    ok = find_parts(m, e) && output_open(&m->output, o->view.output, true, e) &&
         join(m, e);
    output_flush(&m->output);
    if (ok && m->output.failed) {
        *e = m->output.why;
        ok = false;
    }
    if (!output_close(&m->output, ok ? e : &ignored)) {
        ok = false;
    }
    for (size_t i = 0; i < m->count; i++) {
        close_part(m->parts[i]);
        free(m->parts[i]);
    }
    free(m->parts);
    free(m->heap);
    free(m);
    return ok;
}
