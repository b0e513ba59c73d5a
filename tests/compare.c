/* SPDX-License-Identifier: MIT */
/*
 * compare - does a trace say what its target said it must?
 *
 *   compare PLAIN TRACED TRACE       what the target printed untraced ("-":
 *                                    not run) and traced, and the trace
 *   compare --plain PLAIN            only the exit status that PLAIN tells
 *   compare --same NAME A B          the calls between the first and the
 *                                    second call of NAME are the same in the
 *                                    traces A and B: names, results, first
 *                                    arguments where both know them
 *   compare --bytes A B              two files are the same, and not empty
 *
 * Exit status 0: yes; 1: no, the differences are on stdout; 2: could not
 * compare. Builds on Linux and on Windows, needs stdio alone.
 *
 * The lines of TRACED that begin with EXPECT are about the trace; all others
 * must be the same in PLAIN. P.T is a process and a thread id, P.* all
 * threads of P.
 *
 *   EXPECT SEQ P.T PATTERN         in order; other lines may stand between
 *   EXPECT NEXT P.T PATTERN        the line after the one matched last
 *   EXPECT NOT P.T PATTERN         no such line; also P.*
 *   EXPECT COUNT P.T N PATTERN     N such lines; also P.*
 *   EXPECT COUNTER P.T A N PATTERN the lines that match with any number for
 *                                  `@` have A, A + 1, ... A + N - 1 there;
 *                                  "N+" is N or more
 *   EXPECT LAST P PATTERN          the last line of process P
 *   EXPECT STATUS N                `status N` is a line of both outputs;
 *                                  without this line, N is 0
 *
 * In a PATTERN `*` is any text and `@` any number. Numbers are compared by
 * value (0x10, 16; NULL is 0); all else by character, `?` too.
 *
 * A pattern is matched against what the thread itself did: a call is one line
 * here even if the trace had to split it for another thread's line; it stays
 * split if the same thread did something before the call was over.
 *
 * Of any trace it also asks: each line begins with P.T, is a call, a
 * transition, a notice or a line of bytes behind a call; each `resumed` has its `unfinished` and each
 * NtCallbackReturn its callback, in brackets, unless there is no callback of ours;
 * no call stays unfinished; nothing was lost (the callback neither, unless
 * the target expects that); a process's last line is its end.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* Plain `printf` means Microsoft's formats to mingw. */
#ifdef __MINGW32__
#define PRINTF_LIKE(text, args) __attribute__((format(gnu_printf, text, args)))
#else
#define PRINTF_LIKE(text, args) __attribute__((format(printf, text, args)))
#endif

struct text {
    const char *p;
    size_t size;
};

struct event {
    struct text text;
    bool open;  // an unfinished call that is not resumed yet
};

/* In `open` below: the kernel called back, which a call of its own ends. */
#define CALLBACK SIZE_MAX

/* What one thread id did, all threads that had the id in turn. */
struct thread {
    uint64_t pid, tid;
    struct event *events;
    size_t count, room;
    /* Indices of its unfinished calls, and CALLBACK for each callback it is
     * in, innermost last. */
    size_t *open;
    size_t open_count, open_room;
    size_t next;  // first event after the last match
};

struct process {
    uint64_t pid;
    struct text last;  // its last line so far, without the leader
};

struct trace {
    struct text all;
    struct process *processes;
    size_t process_count, process_room;
    struct thread *threads;
    size_t count, room;
    size_t *hash;  // index + 1
    size_t hash_size;
    size_t lines;
};

static unsigned failures;
/* The target takes the callback away, and expects the notice of that. */
static bool callback_goes;
static bool unheard;  // transitions are not seen (any more)
static const unsigned failures_shown = 20;
static const unsigned failures_shown_with_lines = 2;

PRINTF_LIKE(1, 2) static void fail(const char *format, ...)
{
    va_list args;

    if (++failures > failures_shown) {
        return;
    }
    printf("  ");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}

static void die(const char *what, const char *of)
{
    fprintf(stderr, "compare: %s: %s\n", of, what);
    exit(2);
}

/* A shown text never fills the screen. */
#define SHOW(t) (int)((t).size < 200 ? (t).size : 200), (t).p

static void *grown(void *p, size_t *room, size_t size)
{
    *room = *room == 0 ? 16 : *room * 2;
    p = realloc(p, *room * size);
    if (p == NULL) {
        die("out of memory", "trace");
    }
    return p;
}

/* ---- text ----------------------------------------------------------- */

static struct text read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct text all = { NULL, 0 };
    size_t room = 0;
    char *bytes = NULL;

    if (f == NULL) {
        die("cannot read it", path);
    }
    for (;;) {
        size_t got;

        if (all.size == room) {
            room = room == 0 ? (size_t)1 << 20 : room * 2;
            bytes = realloc(bytes, room);
            if (bytes == NULL) {
                die("out of memory", path);
            }
        }
        got = fread(bytes + all.size, 1, room - all.size, f);
        if (got == 0) {
            break;
        }
        all.size += got;
    }
    if (ferror(f)) {
        die("cannot read it", path);
    }
    fclose(f);
    all.p = bytes;
    return all;
}

/* Takes the next line, without its end, from the front of `all`. */
static bool next_line(struct text *all, struct text *line)
{
    const char *end;

    if (all->size == 0) {
        return false;
    }
    end = memchr(all->p, '\n', all->size);
    line->p = all->p;
    line->size = end == NULL ? all->size : (size_t)(end - all->p);
    all->p += line->size + (end != NULL);
    all->size -= line->size + (end != NULL);
    if (line->size > 0 && line->p[line->size - 1] == '\r') {
        line->size--;
    }
    return true;
}

static bool starts(struct text t, const char *with)
{
    size_t size = strlen(with);

    return t.size >= size && memcmp(t.p, with, size) == 0;
}

static bool ends(struct text t, const char *with)
{
    size_t size = strlen(with);

    return t.size >= size && memcmp(t.p + t.size - size, with, size) == 0;
}

static struct text after(struct text t, size_t n)
{
    n = n < t.size ? n : t.size;
    return (struct text){ t.p + n, t.size - n };
}

/* Where `what` begins in `t`, or t.size. */
static size_t find(struct text t, const char *what)
{
    size_t size = strlen(what);

    for (size_t i = 0; i + size <= t.size; i++) {
        if (memcmp(t.p + i, what, size) == 0) {
            return i;
        }
    }
    return t.size;
}

static bool same(struct text a, struct text b)
{
    return a.size == b.size && memcmp(a.p, b.p, a.size) == 0;
}

static struct text word(struct text *t)
{
    struct text w = *t;
    size_t n = 0;

    while (n < t->size && t->p[n] != ' ') {
        n++;
    }
    w.size = n;
    *t = after(*t, n + 1);
    return w;
}

static bool is_word_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || c == '_';
}

/* The number at the front of `t`: its size in bytes, 0 if there is none. */
static size_t number(struct text t, uint64_t *value)
{
    size_t i = 0;
    uint64_t v = 0;

    if (starts(t, "NULL")) {
        *value = 0;
        return t.size == 4 || !is_word_char(t.p[4]) ? 4 : 0;
    }
    if (starts(t, "0x")) {
        for (i = 2; i < t.size; i++) {
            char c = t.p[i];

            if (c >= '0' && c <= '9') {
                v = v * 16 + (uint64_t)(c - '0');
            } else if (c >= 'a' && c <= 'f') {
                v = v * 16 + (uint64_t)(c - 'a' + 10);
            } else {
                break;
            }
        }
        i = i == 2 ? 0 : i;
    } else {
        while (i < t.size && t.p[i] >= '0' && t.p[i] <= '9') {
            v = v * 10 + (uint64_t)(t.p[i] - '0');
            i++;
        }
    }
    if (i > 0 && i < t.size && is_word_char(t.p[i])) {
        return 0;
    }
    *value = v;
    return i;
}

/* Does `t` match the pattern `p`? `inside`: the character before both was a
 * part of a word, so digits here are no number. `*at` is what `@` stood
 * for. */
static bool match_from(struct text p, struct text t, bool inside, uint64_t *at)
{
    while (p.size > 0) {
        uint64_t want, got;
        size_t want_size, got_size;

        if (*p.p == '*') {
            struct text rest = after(p, 1);

            if (rest.size == 0) {
                return true;
            }
            for (size_t i = 0; i <= t.size; i++) {
                bool in = i > 0 && is_word_char(t.p[i - 1]);

                if (match_from(rest, after(t, i), in, at)) {
                    return true;
                }
            }
            return false;
        }
        if (t.size == 0) {
            return false;
        }
        if (*p.p == '@') {
            got_size = inside ? 0 : number(t, at);
            if (got_size == 0) {
                return false;
            }
            p = after(p, 1);
            t = after(t, got_size);
            continue;
        }
        want_size = inside ? 0 : number(p, &want);
        if (want_size > 0) {
            got_size = number(t, &got);
            if (got_size == 0 || got != want) {
                return false;
            }
            p = after(p, want_size);
            t = after(t, got_size);
            inside = true;
            continue;
        }
        if (*p.p != *t.p) {
            return false;
        }
        inside = is_word_char(*p.p);
        p = after(p, 1);
        t = after(t, 1);
    }
    return t.size == 0;
}

static bool match(struct text pattern, struct text t, uint64_t *at)
{
    return match_from(pattern, t, false, at);
}

/* ---- trace ---------------------------------------------------------- */

static size_t hash_of(uint64_t pid, uint64_t tid)
{
    return (size_t)((pid * 0x9e3779b97f4a7c15u + tid) * 0x9e3779b97f4a7c15u >>
                    40);
}

static void rehash(struct trace *trace)
{
    trace->hash_size = trace->hash_size == 0 ? 1024 : trace->hash_size * 4;
    free(trace->hash);
    trace->hash = calloc(trace->hash_size, sizeof *trace->hash);
    if (trace->hash == NULL) {
        die("out of memory", "trace");
    }
    for (size_t i = 0; i < trace->count; i++) {
        struct thread *t = &trace->threads[i];
        size_t h = hash_of(t->pid, t->tid) % trace->hash_size;

        while (trace->hash[h] != 0) {
            h = (h + 1) % trace->hash_size;
        }
        trace->hash[h] = i + 1;
    }
}

/* The thread, or NULL. */
static struct thread *find_thread(struct trace *trace, uint64_t pid,
                                  uint64_t tid)
{
    size_t h;

    if (trace->count == 0) {
        return NULL;
    }
    h = hash_of(pid, tid) % trace->hash_size;
    while (trace->hash[h] != 0) {
        struct thread *t = &trace->threads[trace->hash[h] - 1];

        if (t->pid == pid && t->tid == tid) {
            return t;
        }
        h = (h + 1) % trace->hash_size;
    }
    return NULL;
}

static struct thread *make_thread(struct trace *trace, uint64_t pid,
                                  uint64_t tid)
{
    struct thread *t = find_thread(trace, pid, tid);

    if (t != NULL) {
        return t;
    }
    if (trace->count == trace->room) {
        trace->threads =
            grown(trace->threads, &trace->room, sizeof *trace->threads);
    }
    t = &trace->threads[trace->count++];
    *t = (struct thread){ .pid = pid, .tid = tid };
    if (trace->hash_size < trace->count * 2) {
        rehash(trace);
    } else {
        size_t h = hash_of(pid, tid) % trace->hash_size;

        while (trace->hash[h] != 0) {
            h = (h + 1) % trace->hash_size;
        }
        trace->hash[h] = trace->count;
    }
    return t;
}

static void push_open(struct thread *t, size_t what)
{
    if (t->open_count == t->open_room) {
        t->open = grown(t->open, &t->open_room, sizeof *t->open);
    }
    t->open[t->open_count++] = what;
}

static bool in_callback(const struct thread *t)
{
    return t->open_count > 0 && t->open[t->open_count - 1] == CALLBACK;
}

static void add_event(struct thread *t, struct text text, bool open)
{
    if (t->count == t->room) {
        t->events = grown(t->events, &t->room, sizeof *t->events);
    }
    t->events[t->count++] = (struct event){ text, open };
    if (open) {
        push_open(t, t->count - 1);
    }
}

static const char unfinished[] = " <unfinished ...>";

/* "<... NAME resumed>REST" ends the innermost open call of its thread. */
/* Where the value that begins at `at` ends: at a comma or a parenthesis that
 * is not inside of something, or at the end. */
static size_t value_end(struct text t, size_t at)
{
    int depth = 0;

    for (; at < t.size; at++) {
        char c = t.p[at];

        if (c == '"' || c == '<') {
            char close = c == '<' ? '>' : '"';
            char escape = c == '"' && at > 0 && t.p[at - 1] == 'b' ? '\\' : '^';

            for (at++; at < t.size && t.p[at] != close; at++) {
                at += t.p[at] == escape;
            }
        } else if (c == '/' && at + 1 < t.size && t.p[at + 1] == '*') {
            at += find(after(t, at), "*/");
        } else if (c == '(' || c == '[' || c == '{') {
            depth++;
        } else if (depth > 0) {
            depth -= c == ')' || c == ']' || c == '}';
        } else if (c == ',' || c == ')') {
            return at;
        }
    }
    return t.size;
}

/* The value that `rest`, what was resumed with, has for the argument `name=`;
 * empty if none. */
static struct text resumed_value(struct text rest, struct text name)
{
    size_t at = 0;

    while (at < rest.size && rest.p[at] != ')') {
        size_t end = value_end(rest, at);

        if (end - at >= name.size &&
            memcmp(rest.p + at, name.p, name.size) == 0) {
            return (struct text){ rest.p + at + name.size,
                                  end - at - name.size };
        }
        at = end + (end < rest.size && rest.p[end] == ',' ? 2 : 0);
    }
    return (struct text){ rest.p, 0 };
}

static char *append(char *to, struct text t)
{
    memcpy(to, t.p, t.size);
    return to + t.size;
}

/* One line of two halves: arguments that were filled meanwhile have the value
 * that they were resumed with. */
static struct text join(struct text head, struct text rest)
{
    char *joined = malloc(head.size + rest.size + 1), *to = joined;
    size_t at = find(head, "(") + 1, tail = 0;

    if (joined == NULL) {
        die("out of memory", "trace");
    }
    to = append(to, (struct text){ head.p, at < head.size ? at : head.size });
    while (at < head.size) {
        size_t end = value_end(head, at);
        struct text arg = { head.p + at, end - at };
        struct text value = { arg.p, 0 };
        struct text name = { arg.p, find(arg, "=") + 1 };

        if (name.size < arg.size) {
            value = resumed_value(rest, name);
        }
        if (value.size > 0) {
            to = append(to, name);
            to = append(to, value);
        } else {
            to = append(to, arg);
        }
        at = end + (end < head.size ? 2 : 0);
        if (at < head.size) {
            to = append(to, (struct text){ ", ", 2 });
        }
    }
    while (tail < rest.size && rest.p[tail] != ')') {
        tail = value_end(rest, tail);
        tail += tail < rest.size && rest.p[tail] == ',' ? 2 : 0;
    }
    to = append(to, after(rest, tail));
    return (struct text){ joined, (size_t)(to - joined) };
}

static void resume(struct thread *t, struct text line)
{
    struct text name = after(line, strlen("<... "));
    struct event *call;
    struct text rest, head;

    name.size = find(name, " resumed>");
    rest = after(line, strlen("<... ") + name.size + strlen(" resumed>"));
    if (in_callback(t)) {
        fail("resumed inside a callback that is not over: %" PRIu64 ".%" PRIu64
             " %.*s",
             t->pid, t->tid, SHOW(line));
        t->open_count--;
    }
    if (t->open_count == 0 || in_callback(t)) {
        fail("resumed, but nothing is unfinished: %" PRIu64 ".%" PRIu64 " %.*s",
             t->pid, t->tid, SHOW(line));
        add_event(t, line, false);
        return;
    }
    call = &t->events[t->open[--t->open_count]];
    call->open = false;
    if (call->text.size <= name.size || call->text.p[name.size] != '(' ||
        memcmp(call->text.p, name.p, name.size) != 0) {
        fail("resumed is %.*s, unfinished was %.*s", SHOW(name),
             SHOW(call->text));
    }
    if (call != &t->events[t->count - 1]) {
        add_event(t, line, false);
        return;
    }
    head = call->text;
    head.size -= strlen(unfinished);
    call->text = join(head, rest);
}

static void no_open_calls(struct thread *t, const char *when)
{
    while (t->open_count > 0) {
        size_t i = t->open[--t->open_count];

        if (i != CALLBACK) {
            fail("%s, and the call is still unfinished: %" PRIu64 ".%" PRIu64
                 " %.*s",
                 when, t->pid, t->tid, SHOW(t->events[i].text));
        }
    }
}

static bool is_call(struct text rest)
{
    size_t i = 0;

    while (i < rest.size && (is_word_char(rest.p[i]) || rest.p[i] == '?')) {
        i++;
    }
    return i > 0 && i < rest.size && rest.p[i] == '(' &&
           (ends(rest, unfinished) || find(rest, ") = ") < rest.size);
}

/* "PID.TID " at the front, or 0. A TID of ? is 0. */
static size_t leader(struct text line, uint64_t *pid, uint64_t *tid)
{
    uint64_t id[2] = { 0, 0 };
    size_t i = 0;

    for (size_t k = 0; k < 2; k++) {
        size_t from = i;

        while (i < line.size && line.p[i] >= '0' && line.p[i] <= '9') {
            id[k] = id[k] * 10 + (uint64_t)(line.p[i] - '0');
            i++;
        }
        if (k == 1 && i == from && i < line.size && line.p[i] == '?') {
            i++;
        }
        if (i == from || i == line.size || line.p[i] != ". "[k]) {
            return 0;
        }
        i++;
    }
    *pid = id[0];
    *tid = id[1];
    return i;
}

/* There are few of them. */
static struct process *process_of(struct trace *trace, uint64_t pid)
{
    for (size_t i = 0; i < trace->process_count; i++) {
        if (trace->processes[i].pid == pid) {
            return &trace->processes[i];
        }
    }
    if (trace->process_count == trace->process_room) {
        trace->processes = grown(trace->processes, &trace->process_room,
                                 sizeof *trace->processes);
    }
    trace->processes[trace->process_count] = (struct process){ .pid = pid };
    return &trace->processes[trace->process_count++];
}

static bool is_end(struct text rest)
{
    static const char *const ends_by[] = {
        "exited with ", "killed by ", "terminated with ",
        "ended with ",  "detached ",
    };

    for (size_t i = 0; i < COUNT_OF(ends_by); i++) {
        if (starts(rest, "+++ ") && starts(after(rest, 4), ends_by[i])) {
            return true;
        }
    }
    return false;
}

/* "| 00010  61 62 ...  ab... |" or "| ...": bytes behind a call. */
static bool is_dump(struct text rest)
{
    struct text t = after(rest, 2);
    size_t i = 0;

    if (starts(rest, "> ") && t.size > 0) {
        return true;  // a caller
    }
    if (!starts(rest, "| ")) {
        return false;
    }
    while (i < t.size && ((t.p[i] >= '0' && t.p[i] <= '9') ||
                          (t.p[i] >= 'a' && t.p[i] <= 'f'))) {
        i++;
    }
    return (i >= 5 && starts(after(t, i), "  ") && ends(t, " |")) ||
           (t.size == 3 && starts(t, "..."));
}

static void add_line(struct trace *trace, struct text line)
{
    uint64_t pid, tid;
    size_t size = leader(line, &pid, &tid);
    struct text rest = after(line, size);
    struct thread *t;

    if (size == 0) {
        fail("line without PID.TID: %.*s", SHOW(line));
        return;
    }
    t = make_thread(trace, pid, tid);
    process_of(trace, pid)->last = rest;
    if (starts(rest, "<... ") && find(rest, " resumed>") < rest.size) {
        resume(t, rest);
    } else if (starts(rest, "+++ ") && ends(rest, " +++")) {
        if (starts(rest, "+++ lost ") ||
            (starts(rest, "+++ callback lost") && !callback_goes)) {
            fail("%.*s", SHOW(line));
        }
        unheard = unheard || starts(rest, "+++ no callback: ") ||
                  starts(rest, "+++ callback lost: ");
        if (starts(rest, "+++ thread ")) {
            no_open_calls(t, "the thread has ended");
        }
        add_event(t, rest, false);
    } else if (starts(rest, "--- ") && ends(rest, " ---")) {
        add_event(t, rest, false);
        if (starts(rest, "--- CALLBACK ")) {
            push_open(t, CALLBACK);
        }
    } else if (is_call(rest)) {
        if (starts(rest, "NtCallbackReturn(") && ends(rest, ") = ?")) {
            if (in_callback(t)) {
                t->open_count--;
            } else if (!unheard) {
                fail("no callback, or a call inside it is not over: %.*s",
                     SHOW(line));
            }
        }
        add_event(t, rest, ends(rest, unfinished));
    } else if (is_dump(rest)) {
        add_event(t, rest, false);
    } else {
        fail("no line of a trace: %.*s", SHOW(line));
    }
}

/* `check`: ask of the trace what is asked of any. */
static void load(struct trace *trace, const char *path, bool check)
{
    unsigned before = failures;
    struct text all = read_file(path), line;

    *trace = (struct trace){ .all = all };
    while (next_line(&all, &line)) {
        trace->lines++;
        add_line(trace, line);
    }
    if (trace->lines == 0) {
        fail("%s is empty", path);
    } else if (trace->all.p[trace->all.size - 1] != '\n') {
        fail("%s: the last line has no end", path);
    }
    for (size_t i = 0; i < trace->count; i++) {
        no_open_calls(&trace->threads[i], "the trace is over");
    }
    for (size_t i = 0; i < trace->process_count; i++) {
        struct process *p = &trace->processes[i];

        if (!is_end(p->last)) {
            fail("the last line of process %" PRIu64 " is not its end: %.*s",
                 p->pid, SHOW(p->last));
        }
    }
    if (!check) {
        failures = before;
    }
}

/* ---- expectations --------------------------------------------------- */

struct wanted {
    uint64_t pid, tid;
    bool all_threads;
    bool or_more;
    uint64_t first, count;
    struct text pattern;
    struct text line;  // the whole expectation, to be shown
};

static void show_around(const struct thread *t, size_t from)
{
    if (failures > failures_shown_with_lines) {
        return;
    }
    for (size_t i = from; i < from + 6; i++) {
        if (i >= t->count) {
            printf("      got: (the end of %" PRIu64 ".%" PRIu64 ")\n", t->pid,
                   t->tid);
            return;
        }
        printf("      got: %.*s\n", SHOW(t->events[i].text));
    }
}

static void want_next(struct thread *t, const struct wanted *w, bool directly)
{
    uint64_t at;
    size_t end = directly && t->next < t->count ? t->next + 1 : t->count;

    for (size_t i = t->next; i < end; i++) {
        if (match(w->pattern, t->events[i].text, &at)) {
            t->next = i + 1;
            return;
        }
    }
    fail("not there: %.*s", SHOW(w->line));
    show_around(t, t->next);
}

static void want_counter(const struct thread *t, const struct wanted *w)
{
    uint64_t at = 0, seen = 0;

    for (size_t i = 0; i < t->count; i++) {
        if (!match(w->pattern, t->events[i].text, &at)) {
            continue;
        }
        /* The same call with other numbers belongs to another counter. */
        if (at < w->first || (!w->or_more && at - w->first >= w->count)) {
            continue;
        }
        if (at != w->first + seen) {
            fail("number %" PRIu64 " follows %" PRIu64 " of: %.*s",
                 at - w->first, seen, SHOW(w->line));
            show_around(t, i);
            return;
        }
        seen++;
    }
    if (seen < w->count || (!w->or_more && seen > w->count)) {
        fail("%" PRIu64 " instead of %" PRIu64 ": %.*s", seen, w->count,
             SHOW(w->line));
    }
}

static uint64_t count_in(const struct thread *t, const struct wanted *w)
{
    uint64_t at, seen = 0;

    for (size_t i = 0; i < t->count; i++) {
        seen += match(w->pattern, t->events[i].text, &at);
    }
    return seen;
}

static void want_count(struct trace *trace, const struct wanted *w)
{
    uint64_t seen = 0;

    for (size_t i = 0; i < trace->count; i++) {
        struct thread *t = &trace->threads[i];

        if (t->pid == w->pid && (w->all_threads || t->tid == w->tid)) {
            seen += count_in(t, w);
        }
    }
    if (seen < w->count || (!w->or_more && seen > w->count)) {
        fail("%" PRIu64 " instead of %" PRIu64 ": %.*s", seen, w->count,
             SHOW(w->line));
    }
}

static void want_last(struct trace *trace, const struct wanted *w)
{
    struct text last = process_of(trace, w->pid)->last;
    uint64_t at;

    if (!match(w->pattern, last, &at)) {
        fail("last line of %" PRIu64 "\n      want: %.*s\n      got: %.*s",
             w->pid, SHOW(w->pattern), SHOW(last));
    }
}

/* Reads "P.T ", "P.* " or, for a process alone, "P ". */
static bool read_who(struct text *t, struct wanted *w)
{
    struct text who = word(t);
    size_t size = 0;

    while (size < who.size && who.p[size] != '.') {
        size++;
    }
    if (number((struct text){ who.p, size }, &w->pid) != size) {
        return false;
    }
    who = after(who, size + 1);
    w->all_threads = who.size == 0 || who.p[0] == '*';
    return w->all_threads || number(who, &w->tid) == who.size;
}

static bool read_count(struct text *t, struct wanted *w)
{
    struct text n = word(t);

    w->or_more = ends(n, "+");
    n.size -= w->or_more;
    return n.size > 0 && number(n, &w->count) == n.size;
}

static void expectation(struct trace *trace, struct text line)
{
    struct wanted w = { .line = line };
    struct text rest = after(line, strlen("EXPECT ")), what = word(&rest);
    struct thread *t;
    bool counter = starts(what, "COUNTER"), ok = read_who(&rest, &w);

    if (counter) {
        struct text first = word(&rest);

        ok = ok && number(first, &w.first) == first.size;
    }
    if (starts(what, "COUNT")) {
        ok = ok && read_count(&rest, &w);
    }
    w.pattern = rest;
    if (!ok || rest.size == 0) {
        fail("not understood: %.*s", SHOW(line));
        return;
    }
    t = find_thread(trace, w.pid, w.tid);
    if (starts(what, "LAST")) {
        want_last(trace, &w);
    } else if (starts(what, "NOT") || (starts(what, "COUNT") && !counter)) {
        want_count(trace, &w);  // NOT: 0 times
    } else if (t == NULL) {
        fail("no line of this thread at all: %.*s", SHOW(line));
    } else if (counter) {
        want_counter(t, &w);
    } else if (starts(what, "SEQ")) {
        want_next(t, &w, false);
    } else if (starts(what, "NEXT")) {
        want_next(t, &w, true);
    } else {
        fail("not understood: %.*s", SHOW(line));
    }
}

/* The next line of `all` that is no expectation. */
static bool next_told(struct text *all, struct text *line)
{
    while (next_line(all, line)) {
        if (!starts(*line, "EXPECT ")) {
            return true;
        }
    }
    return false;
}

static void same_output(struct text plain, struct text traced)
{
    struct text a, b;

    for (;;) {
        bool more_a = next_told(&plain, &a), more_b = next_told(&traced, &b);

        if (!more_a && !more_b) {
            return;
        }
        if (more_a != more_b || !same(a, b)) {
            struct text none = { "(nothing)", strlen("(nothing)") };

            a = more_a ? a : none;
            b = more_b ? b : none;
            fail("the target printed\n      untraced: %.*s\n"
                 "      traced:   %.*s",
                 SHOW(a), SHOW(b));
            return;
        }
    }
}

static void has_status(struct text out, uint64_t want, const char *which)
{
    struct text line, got = { "(none)", strlen("(none)") };
    uint64_t status;

    while (next_told(&out, &line)) {
        if (starts(line, "status ")) {
            got = after(line, strlen("status "));
        }
    }
    if (number(got, &status) != got.size || status != want) {
        fail("%s: exit status %.*s instead of 0x%08" PRIx64, which, SHOW(got),
             want);
    }
}

static uint64_t wanted_status(struct text out)
{
    struct text line;
    uint64_t status = 0;

    while (next_line(&out, &line)) {
        if (starts(line, "EXPECT STATUS ")) {
            number(after(line, strlen("EXPECT STATUS ")), &status);
        }
    }
    return status;
}

static int compare_plain(const char *path)
{
    struct text plain = read_file(path);

    has_status(plain, wanted_status(plain), "untraced");
    return failures != 0;
}

static int compare(const char *plain_path, const char *traced_path,
                   const char *trace_path)
{
    bool has_plain = strcmp(plain_path, "-") != 0;
    struct text traced = read_file(traced_path), all = traced, line;
    struct trace trace;
    uint64_t status = wanted_status(traced);
    size_t expectations = 0;

    callback_goes = find(traced, "+++ callback lost") < traced.size;
    load(&trace, trace_path, true);
    while (next_line(&all, &line)) {
        if (starts(line, "EXPECT ") && !starts(line, "EXPECT STATUS ")) {
            expectation(&trace, line);
            expectations++;
        }
    }
    if (expectations == 0) {
        fail("the target expects nothing");
    }
    has_status(traced, status, "traced");
    if (has_plain) {
        struct text plain = read_file(plain_path);

        has_status(plain, status, "untraced");
        same_output(plain, traced);
    }
    if (failures > failures_shown) {
        printf("  ... and %u more\n", failures - failures_shown);
    }
    printf("%zu lines, %zu expectations, %u failed\n", trace.lines,
           expectations, failures);
    return failures != 0;
}

/* ---- the same calls ------------------------------------------------- */

/* Seen by the ring engine at their entry alone, by the others never. */
static const char *const never_return[] = {
    "NtContinue",       "NtContinueEx",       "NtCallbackReturn",
    "NtRaiseException", "NtTerminateProcess", "NtTerminateThread",
};

struct calls {
    struct thread *thread;
    size_t next;
    struct text name, result;
    uint64_t first;
    bool has_first;
};

static bool is_named(struct text call, const char *name)
{
    return starts(call, name) && after(call, strlen(name)).p[0] == '(';
}

/* Stands after the first call of `mark`, in the thread that made it. */
static void begin(struct calls *c, struct trace *trace, const char *mark)
{
    *c = (struct calls){ 0 };
    for (size_t i = 0; i < trace->count; i++) {
        struct thread *t = &trace->threads[i];

        for (size_t k = 0; k < t->count; k++) {
            if (is_named(t->events[k].text, mark)) {
                c->thread = t;
                c->next = k + 1;
                return;
            }
        }
    }
    die("never called", mark);
}

static bool skipped(struct text t)
{
    if (starts(t, "--- ") || starts(t, "+++ ")) {
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(never_return); i++) {
        if (is_named(t, never_return[i])) {
            return true;
        }
    }
    return false;
}

/* The next call before the second call of `mark`. */
static bool next_call(struct calls *c, const char *mark)
{
    struct text t;
    size_t at;

    do {
        if (c->next == c->thread->count) {
            die("called once only", mark);
        }
        t = c->thread->events[c->next++].text;
        if (is_named(t, mark)) {
            return false;
        }
    } while (skipped(t));
    c->name = t;
    c->name.size = find(t, "(");
    t = after(t, c->name.size + 1);
    c->has_first = number(t, &c->first) > 0;
    at = find(t, ") = ");
    c->result = after(t, at + strlen(") = "));
    return true;
}

/* Handles and addresses differ from run to run, but not which of them is
 * which: a value of A always stands for the same value of B. */
static struct pair {
    uint64_t a, b;
} * pairs;
static size_t pair_count, pair_room;

static bool renamed(uint64_t a, uint64_t b)
{
    for (size_t i = 0; i < pair_count; i++) {
        if (pairs[i].a == a || pairs[i].b == b) {
            return pairs[i].a == a && pairs[i].b == b;
        }
    }
    if (pair_count == pair_room) {
        pairs = grown(pairs, &pair_room, sizeof *pairs);
    }
    pairs[pair_count++] = (struct pair){ a, b };
    return true;
}

static int compare_calls(const char *mark, const char *path_a,
                         const char *path_b)
{
    struct trace trace_a, trace_b;
    struct calls a, b;
    size_t count = 0, firsts = 0;

    load(&trace_a, path_a, false);
    load(&trace_b, path_b, false);
    begin(&a, &trace_a, mark);
    begin(&b, &trace_b, mark);
    for (;;) {
        bool more_a = next_call(&a, mark), more_b = next_call(&b, mark);

        if (!more_a && !more_b) {
            break;
        }
        if (more_a != more_b) {
            fail("call %zu: only %s has it", count, more_a ? path_a : path_b);
            break;
        }
        if (!same(a.name, b.name) || !same(a.result, b.result)) {
            fail("call %zu: %.*s = %.*s, %.*s = %.*s", count, SHOW(a.name),
                 SHOW(a.result), SHOW(b.name), SHOW(b.result));
            if (!same(a.name, b.name)) {
                break;
            }
        }
        if (a.has_first && b.has_first) {
            if (!renamed(a.first, b.first)) {
                fail("call %zu, %.*s: first argument 0x%" PRIx64 ", 0x%" PRIx64,
                     count, SHOW(a.name), a.first, b.first);
            }
            firsts++;
        }
        count++;
    }
    printf("%zu calls, %zu first arguments compared, %u differ\n", count,
           firsts, failures);
    return failures != 0 || count == 0;
}

/* Byte by byte. */
static int compare_bytes(const char *one, const char *other)
{
    FILE *a = fopen(one, "rb");
    FILE *b = fopen(other, "rb");
    long at = 0;
    int x = 0;
    int y = 0;

    if (a == NULL || b == NULL) {
        printf("cannot read %s\n", a == NULL ? one : other);
        return 2;
    }
    while (x == y && x != EOF) {
        x = getc(a);
        y = getc(b);
        at++;
    }
    fclose(a);
    fclose(b);
    if (x != y) {
        printf("they differ at byte %ld\n", at);
        return 1;
    }
    if (at == 1) {
        printf("there is nothing in them\n");
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--bytes") == 0) {
        return compare_bytes(argv[2], argv[3]);
    }
    if (argc == 5 && strcmp(argv[1], "--same") == 0) {
        return compare_calls(argv[2], argv[3], argv[4]);
    }
    if (argc == 4) {
        return compare(argv[1], argv[2], argv[3]);
    }
    if (argc == 3 && strcmp(argv[1], "--plain") == 0) {
        return compare_plain(argv[2]);
    }
    fprintf(stderr, "usage: compare PLAIN TRACED TRACE\n"
                    "       compare --plain PLAIN\n"
                    "       compare --same NAME TRACE TRACE\n"
                    "       compare --bytes FILE FILE\n");
    return 2;
}
