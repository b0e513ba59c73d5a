/* SPDX-License-Identifier: MIT */
/*
 * compare.c - two runs, side by side.
 *
 * What a call is, for comparing, is a text: name, object, result. Each text has a
 * number (labels.h), so that a thread is a row of numbers, and a process counts how
 * often it has each. A number that one process has more often than its
 * counterpart is a difference; the rows are laid side by side to show where.
 */
#include "report/compare.h"

#include "base/array.h"
#include "base/glob.h"
#include "report/alike.h"
#include "report/labels.h"
#include "report/pairs.h"
#include "report/table.h"
#include "tables/deeds.h"
#include "tables/status.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define COUNTS_MOST ((size_t)1 << 20)
/* Pairs of processes are looked for by trying all. */
#define PAIRED_PROCESSES ((size_t)1 << 13)
#define PAIRED_THREADS ((size_t)1 << 14)
/* Places where two threads part that are looked at, before it is enough. */
#define STRETCHES_MOST 4000
/* Calls that are looked through for one that both have, behind a difference; and
 * how many in a row must agree. */
#define WINDOW 400
#define AGREE 3
#define STATUS_PENDING 0x103u
/* Lines around the first difference. */
#define CONTEXT 3
#define NONE UINT32_MAX

enum weight {
    WEIGHT_COUNTS,    // how often counts
    WEIGHT_THERE,     // only whether it is there
    WEIGHT_SCHEDULE,  // no matter at all
};

/* a: number of the model. */
struct process {
    struct table_key key;
    uint32_t pid;
    uint32_t parent;  // row
    uint32_t by_pid;
    uint32_t image;  // labels
    uint32_t command;
    uint32_t form;  // of the command
    enum notice_kind end;
    uint32_t code;
    bool ended;
    bool untraced;
    bool first;     // its command is that of compare_command
    uint32_t pair;  // row of the other side
    uint64_t calls;
    uint64_t schedule;  // of them
};

/* a: number of the process, b: thread. */
struct thread {
    struct table_key key;
    uint32_t process;  // row
    uint32_t start;    // label; NONE: not known
    uint32_t pair;
    uint32_t *calls;  // owned: labels
    int64_t *times;   // owned
    size_t count;
    size_t room;
    size_t time_room;
};

/* a: row of the process, b: label. */
struct count {
    struct table_key key;
    uint64_t times;
    int64_t ns;  // when it was first
    uint32_t tid;
};

/* a: row of the process in A, or that in B with bit 32, b: label. */
struct different {
    struct table_key key;
    uint64_t times[COMPARE_SIDES];
    int64_t ns;
    bool only;  // one has none
};

struct side {
    struct compare *compare;
    struct table processes;
    struct table threads;
    struct table counts;
    struct table newest;  // by pid
    uint32_t command;     // of the first process: labels; NONE: not known
    uint32_t form;
    size_t calls;     // whose order is kept
    uint64_t beyond;  // and is not
};

struct newest {
    struct table_key key;
    uint32_t row;
};

/* What is known of a text: of a call, or of what calls are about. */
struct text_facts {
    uint8_t weight;   // enum weight
    uint8_t sides;    // bits: runs that have this object
    uint8_t claimed;  // bits: runs that have names of this form, alone
    bool known;       // it is a call's
    uint32_t object;  // label; NONE: nothing that has a name
    /* Labels of what is left of it without what could be made up; NONE: nothing
     * could be, or the other run has no such name. */
    uint32_t form;
    uint32_t form_object;
    uint32_t part;  // what one run alone must have for that
};

/* How often something is called for; a: object. */
struct touched {
    struct table_key key;
    uint64_t times[COMPARE_SIDES];
    int64_t ns;
    uint32_t text;  // of the first such call
};

struct compare {
    const str *ignored;  // borrowed
    size_t ignored_count;
    struct labels *texts;
    struct text_facts *facts;  // owned: of each text
    size_t fact_room;
    struct table touched;  // of all objects
    struct side sides[COMPARE_SIDES];
    struct table different;
    uint64_t differences;
    uint32_t stretches;  // that were looked at
    bool loose;          // any difference is a place
    char room[SUBJECT_ROOM * 3];
    char name[SUBJECT_ROOM * 2];
    char form[SUBJECT_ROOM * 2];
    uint64_t refused;  // texts of which nothing more could be kept
};

/* --- life cycle -------------------------------------------------------------- */

struct compare *compare_open(const str *ignored, size_t count)
{
    struct compare *c = calloc(1, sizeof(*c));

    if (c == NULL) {
        return NULL;
    }
    c->ignored = ignored;
    c->ignored_count = count;
    c->texts = labels_open();
    if (c->texts == NULL) {
        free(c);
        return NULL;
    }
    table_init(&c->different, sizeof(struct different), COUNTS_MOST);
    table_init(&c->touched, sizeof(struct touched), COUNTS_MOST);
    for (int i = 0; i < COMPARE_SIDES; i++) {
        struct side *s = &c->sides[i];

        s->compare = c;
        s->command = NONE;
        s->form = NONE;
        table_init(&s->processes, sizeof(struct process), PAIRED_PROCESSES);
        table_init(&s->threads, sizeof(struct thread), PAIRED_THREADS);
        table_init(&s->counts, sizeof(struct count), COUNTS_MOST);
        table_init(&s->newest, sizeof(struct newest), PAIRED_PROCESSES);
    }
    return c;
}

void compare_close(struct compare *c)
{
    if (c == NULL) {
        return;
    }
    for (int i = 0; i < COMPARE_SIDES; i++) {
        struct side *s = &c->sides[i];

        for (size_t t = 0; t < s->threads.count; t++) {
            struct thread *thread = table_at(&s->threads, t);

            free(thread->calls);
            free(thread->times);
        }
        table_close(&s->processes);
        table_close(&s->threads);
        table_close(&s->counts);
        table_close(&s->newest);
    }
    table_close(&c->different);
    labels_close(c->texts);
    free(c->facts);
    table_close(&c->touched);
    free(c);
}

/* --- what a call is ------------------------------------------------------------- */

/* Nobody wants to hear of it. A glob without a folder is of the name alone, as
 * that of a rule's path=. */
static bool is_ignored(const struct compare *c, str name)
{
    for (size_t i = 0; i < c->ignored_count; i++) {
        str glob = c->ignored[i];
        bool bare = glob.size > 0 && memchr(glob.p, '\\', glob.size) == NULL;

        if (glob_matches(glob, name, true) ||
            (bare && glob_matches(glob, str_file(name), true))) {
            return true;
        }
    }
    return false;
}

/* What lasts: the same is asked of it whenever it is asked. */
static bool is_stored(const struct flat_call *call)
{
    return call->object.size > 0 &&
           (call->kind == SUBJECT_FILE || call->kind == SUBJECT_KEY ||
            call->kind == SUBJECT_VALUE);
}

static enum weight weight_of(const struct compare *c,
                             const struct flat_call *call)
{
    const struct call_facts *facts =
        call->call->stub != NULL ? call->call->stub->facts : NULL;

    if (call->waits || (facts != NULL && habit_is_schedule(facts)) ||
        is_ignored(c, call->object)) {
        return WEIGHT_SCHEDULE;
    }
    if (is_stored(call)) {
        return WEIGHT_COUNTS;
    }
    /* What is asked of the system is asked when there is time for it. */
    if (call->object.size == 0 && str_starts(call->name, STR("NtQuery")) &&
        (!call->failed || habit_is_error(call->name, (uint32_t)call->result))) {
        return WEIGHT_SCHEDULE;
    }
    return WEIGHT_THERE;
}

/* Room for what is known of the text of this number. */
static bool make_facts(struct compare *c, uint32_t label)
{
    while (label >= c->fact_room) {
        size_t room = c->fact_room > 0 ? 2 * c->fact_room : 1024;
        struct text_facts *more = realloc(c->facts, room * sizeof(*more));

        if (more == NULL) {
            return false;
        }
        for (size_t i = c->fact_room; i < room; i++) {
            more[i] =
                (struct text_facts){ 0, 0, 0, false, NONE, NONE, NONE, NONE };
        }
        c->facts = more;
        c->fact_room = room;
    }
    return true;
}

static void add_result(struct buf *b, const struct flat_call *call)
{
    uint32_t status = (uint32_t)call->result;

    /* Whether a call is over when it returns is a matter of schedule; so is
     * whether the end of a pipe is what it waits for, or finds. */
    if (call->failed && !is_stored(call) &&
        habit_is_error(call->name, status)) {
        return;
    }
    if (!call->failed && (call->status == NULL || status == 0 ||
                          status == STATUS_PENDING || !call->returned)) {
        return;
    }
    buf_add(b, STR(" = "));
    if (call->status != NULL) {
        buf_add(b, str_of(call->status));
    } else {
        buf_add_hex(b, status);
    }
}

/* The number of a text, with room for what is known of it; NONE: there is none. */
static uint32_t label_of(struct compare *c, str text)
{
    uint32_t label = labels_add(c->texts, text);

    if (label == LABEL_NONE) {
        return NONE;
    }
    if (!make_facts(c, label)) {
        c->refused++;
        return NONE;
    }
    return label;
}

/* The same of a call on what is called `object`; empty: on nothing. */
static uint32_t label_call(struct compare *c, const struct flat_call *call,
                           str object)
{
    struct buf b = BUF_OVER(c->room);

    buf_add(&b, call->name);
    if (object.size > 0) {
        buf_add_char(&b, ' ');
        buf_add(&b, object);
    }
    if (call->how[0] != '\0') {
        buf_addf(&b, " (%s)", call->how);
    }
    add_result(&b, call);
    if (call->call->injected) {
        buf_add(&b, STR(" (INJECTED)"));
    }
    return label_of(c, buf_str(&b));
}

/* What is left of its text without what could have been made up. */
static void find_form(struct compare *c, uint32_t text,
                      const struct flat_call *call)
{
    struct buf form = BUF_OVER(c->form);
    struct buf name = BUF_OVER(c->name);
    struct text_facts f = c->facts[text];
    size_t size;

    if (call->object.size == 0 ||
        !alike_form(&form, call->object, call->kind, call->pid, &size)) {
        return;
    }
    alike_name(&name, str_slice(call->object, 0, size), call->kind);
    f.part = label_of(c, buf_str(&name));
    f.form_object = label_of(c, buf_str(&form));
    f.form = label_call(c, call, buf_str(&form));
    if (f.part == NONE || f.form_object == NONE || f.form == NONE) {
        return;
    }
    c->facts[text] = f;
    c->facts[f.form].weight = f.weight;
    c->facts[f.form].object = f.form_object;
}

/* The number of its text; NONE: there is no room. */
static uint32_t text_of(struct side *s, const struct flat_call *call)
{
    struct compare *c = s->compare;
    uint8_t side = (uint8_t)(1u << (s - c->sides));
    struct buf name = BUF_OVER(c->name);
    uint32_t object = NONE;
    uint32_t text;

    if (call->object.size > 0) {
        alike_name(&name, call->object, call->kind);
        object = label_of(c, buf_str(&name));
    }
    text = label_call(c, call, buf_str(&name));
    if (text == NONE) {
        return NONE;
    }
    c->facts[text].weight = (uint8_t)weight_of(c, call);
    c->facts[text].object = object;
    if (!c->facts[text].known) {
        c->facts[text].known = true;
        find_form(c, text, call);
    }
    if (object != NONE) {
        c->facts[object].sides |= side;
    }
    if (c->facts[text].part != NONE) {
        c->facts[c->facts[text].part].sides |= side;
    }
    return text;
}

/* --- what is told -------------------------------------------------------------------- */

static struct process *process_of(struct side *s, uint64_t order, uint32_t pid,
                                  str image)
{
    struct table_key key = { order, 0 };
    size_t count = s->processes.count;
    struct process *p = table_row(&s->processes, key);
    struct newest *n;

    if (p != NULL && s->processes.count > count) {
        p->pid = pid;
        p->parent = NONE;
        p->pair = NONE;
        p->image = labels_add(s->compare->texts, image);
        p->first = count == 0;
        p->command = p->first ? s->command : NONE;
        p->form = p->first ? s->form : NONE;
        key.a = pid;
        n = table_row(&s->newest, key);
        if (n != NULL) {
            n->row = (uint32_t)count;
        }
    }
    return p;
}

static uint32_t row_of(const struct side *s, const struct process *p)
{
    return (uint32_t)(p - (const struct process *)s->processes.rows);
}

static struct thread *thread_of(struct side *s, uint64_t order, uint32_t tid,
                                uint32_t process)
{
    struct table_key key = { order, tid };
    size_t count = s->threads.count;
    struct thread *t = table_row(&s->threads, key);

    if (t != NULL && s->threads.count > count) {
        t->process = process;
        t->start = NONE;
        t->pair = NONE;
    }
    return t;
}

static void keep_order(struct side *s, struct thread *t, uint32_t text,
                       int64_t ns)
{
    if (s->calls >= COMPARE_CALLS_MOST ||
        !array_grow(&t->calls, &t->room, t->count, sizeof(t->calls[0])) ||
        !array_grow(&t->times, &t->time_room, t->count, sizeof(t->times[0]))) {
        s->beyond++;
        return;
    }
    t->calls[t->count] = text;
    t->times[t->count++] = ns;
    s->calls++;
}

static void on_call(void *side, const struct flat_call *call)
{
    struct side *s = side;
    struct compare *c = s->compare;
    struct process *p = process_of(s, call->process, call->pid, call->image);
    uint32_t text = text_of(s, call);
    struct table_key key;
    struct thread *t;
    struct count *n;

    if (p == NULL || call->call->caused) {
        return;
    }
    p->calls++;
    if (text == NONE || c->facts[text].weight == WEIGHT_SCHEDULE) {
        p->schedule++;
        return;
    }
    key.a = row_of(s, p);
    key.b = text;
    n = table_row(&s->counts, key);
    if (n != NULL && n->times++ == 0) {
        n->ns = call->began_ns;
        n->tid = call->tid;
    }
    t = thread_of(s, call->process, call->tid, (uint32_t)key.a);
    if (t != NULL) {
        keep_order(s, t, text, call->began_ns);
    }
}

static void on_transition(void *side, const struct transition_told *t,
                          int64_t ns)
{
    struct side *s = side;
    struct buf b = BUF_OVER(s->compare->room);
    uint64_t order =
        t->process != NULL ? model_process_order(t->process) : t->pid;
    struct process *p;
    struct thread *thread;

    (void)ns;
    if (t->kind != TRANSITION_THREAD_START || t->place.kind != PLACE_MODULE) {
        return;
    }
    p = process_of(s, order, t->pid, model_process_image(t->process));
    thread = p != NULL ? thread_of(s, order, t->tid, row_of(s, p)) : NULL;
    if (thread != NULL) {
        buf_add(&b, t->place.name);
        buf_add_char(&b, '+');
        buf_add_hex(&b, t->place.offset);
        thread->start = labels_add(s->compare->texts, buf_str(&b));
    }
}

/* A command line, without what is new each time. */
static void take_command(struct compare *c, str line, uint32_t by_pid,
                         uint32_t *command, uint32_t *form)
{
    struct buf b = BUF_OVER(c->room);

    alike_command(&b, line);
    *command = labels_add(c->texts, buf_str(&b));
    b = BUF_OVER(c->room);
    alike_command_form(&b, line, by_pid);
    *form = labels_add(c->texts, buf_str(&b));
}

/* What is behind the program's own name, which may be another's of the same file:
 * before and after an update. */
static str arguments_of(str command)
{
    bool quoted = str_starts(command, STR("\""));
    size_t at = quoted;

    while (at < command.size && command.p[at] != (quoted ? '"' : ' ')) {
        at++;
    }
    return str_slice(command, at + quoted, command.size);
}

void compare_command(struct compare *c, enum compare_side side, str command)
{
    struct side *s = &c->sides[side];
    uint32_t ignored;

    if (command.size > 0) {
        take_command(c, command, 0, &s->command, &ignored);
        take_command(c, arguments_of(command), 0, &ignored, &s->form);
    }
}

static void on_notice(void *side, const struct notice *n, int64_t ns)
{
    struct side *s = side;
    struct table_key by = { n->child != NULL ? n->child->by_pid : 0, 0 };
    const struct newest *parent;
    struct process *p = NULL;

    (void)ns;
    if (n->kind == NOTICE_STARTED) {
        p = process_of(
            s, n->process != NULL ? model_process_order(n->process) : n->pid,
            n->pid, str_file(n->child->image));
    } else if (n->kind == NOTICE_UNTRACED) {
        p = process_of(s, UINT64_MAX - s->processes.count, n->child->pid,
                       str_file(n->child->image));
        if (p != NULL) {
            p->untraced = true;
        }
    } else if (n->kind == NOTICE_EXITED || n->kind == NOTICE_KILLED ||
               n->kind == NOTICE_TERMINATED || n->kind == NOTICE_ENDED) {
        p = process_of(
            s, n->process != NULL ? model_process_order(n->process) : n->pid,
            n->pid, model_process_image(n->process));
        if (p != NULL) {
            p->ended = true;
            p->end = n->kind;
            p->code = n->code;
        }
        return;
    }
    parent = table_find(&s->newest, by);
    if (p != NULL) {
        if (!p->first || p->command == NONE) {
            take_command(s->compare, n->child->command, n->child->by_pid,
                         &p->command, &p->form);
            p->first = false;
        }
        if (parent != NULL && parent->row != row_of(s, p)) {
            p->parent = parent->row;
        }
    }
}

struct flat_out compare_out(struct compare *c, enum compare_side side)
{
    return (struct flat_out){
        .ctx = &c->sides[side],
        .call = on_call,
        .transition = on_transition,
        .notice = on_notice,
    };
}

/* --- names that were made up --------------------------------------------------------------- */

#define BOTH ((1u << COMPARE_A) | (1u << COMPARE_B))

static bool has_form_alone(const struct compare *c, size_t text)
{
    return c->facts[text].form != NONE &&
           c->facts[c->facts[text].part].sides != BOTH;
}

/* Calls by what their texts became. */
static void rename_calls(struct compare *c, struct side *s)
{
    struct table old = s->counts;

    table_init(&s->counts, sizeof(struct count), COUNTS_MOST);
    for (size_t i = 0; i < old.count; i++) {
        const struct count *n = table_at(&old, i);
        uint32_t form = c->facts[n->key.b].form;
        struct table_key key = { n->key.a, form != NONE ? form : n->key.b };
        struct count *to = table_row(&s->counts, key);

        if (to != NULL) {
            if (to->times == 0 || n->ns < to->ns) {
                to->ns = n->ns;
                to->tid = n->tid;
            }
            to->times += n->times;
        }
    }
    s->counts.refused += old.refused;
    table_close(&old);
    for (size_t i = 0; i < s->threads.count; i++) {
        struct thread *t = table_at(&s->threads, i);

        for (size_t k = 0; k < t->count; k++) {
            uint32_t form = c->facts[t->calls[k]].form;

            t->calls[k] = form != NONE ? form : t->calls[k];
        }
    }
}

/* A name that one run alone has becomes its form, if the other has one of this
 * form alone: it was made up anew. */
static void match_made_up(struct compare *c)
{
    bool any = false;

    for (size_t i = 0; i < c->fact_room; i++) {
        struct text_facts *f = &c->facts[i];

        if (has_form_alone(c, i)) {
            c->facts[f->form_object].claimed |= c->facts[f->part].sides;
        }
    }
    for (size_t i = 0; i < c->fact_room; i++) {
        struct text_facts *f = &c->facts[i];

        if (!has_form_alone(c, i) || c->facts[f->form_object].claimed != BOTH) {
            f->form = NONE;
        }
        any = any || f->form != NONE;
    }
    for (int side = 0; any && side < COMPARE_SIDES; side++) {
        rename_calls(c, &c->sides[side]);
    }
}

/* --- pairs ----------------------------------------------------------------------------------- */

static struct process *process_at(const struct compare *c, int side,
                                  uint32_t row)
{
    return table_at(&c->sides[side].processes, row);
}

static struct thread *thread_at(const struct compare *c, int side, size_t row)
{
    return table_at(&c->sides[side].threads, row);
}

/* What of two processes must be the same for them to be a pair. */
enum likeness {
    LIKE_COMMAND,
    LIKE_FORM,
    LIKE_IMAGE,
    LIKENESSES
};

static bool are_like(const struct process *p, const struct process *q,
                     enum likeness how)
{
    return p->image == q->image &&
           (how == LIKE_COMMAND ? p->command == q->command
            : how == LIKE_FORM  ? p->form == q->form
                                : true);
}

/* Children of `a` and `b` that are alike, each with the first that is left. */
static void pair_alike(struct compare *c, uint32_t a, uint32_t b,
                       enum likeness how)
{
    size_t from = 0;

    for (size_t i = 0; i < c->sides[0].processes.count; i++) {
        struct process *p = process_at(c, 0, (uint32_t)i);

        if (p->parent != a || p->pair != NONE) {
            continue;
        }
        for (size_t k = from; k < c->sides[1].processes.count; k++) {
            struct process *q = process_at(c, 1, (uint32_t)k);

            if (q->parent == b && q->pair == NONE && are_like(p, q, how)) {
                p->pair = (uint32_t)k;
                q->pair = (uint32_t)i;
                break;
            }
        }
    }
}

/* Those most alike first. */
static void pair_children(struct compare *c, uint32_t a, uint32_t b)
{
    for (int how = 0; how < LIKENESSES; how++) {
        pair_alike(c, a, b, (enum likeness)how);
    }
}

/* Those below nobody first, then those below pairs: a parent is an older row. */
static void pair_processes(struct compare *c)
{
    pair_children(c, NONE, NONE);
    /* The program itself may have been renamed. */
    if (c->sides[0].processes.count > 0 && c->sides[1].processes.count > 0 &&
        process_at(c, 0, 0)->pair == NONE &&
        process_at(c, 1, 0)->pair == NONE) {
        process_at(c, 0, 0)->pair = 0;
        process_at(c, 1, 0)->pair = 0;
    }
    for (size_t i = 0; i < c->sides[0].processes.count; i++) {
        uint32_t pair = process_at(c, 0, (uint32_t)i)->pair;

        if (pair != NONE) {
            pair_children(c, (uint32_t)i, pair);
        }
    }
}

static struct pairs_row *rows_of(struct compare *c, int side)
{
    size_t count = c->sides[side].threads.count;
    struct pairs_row *rows = calloc(count + 1, sizeof(*rows));

    for (size_t i = 0; rows != NULL && i < count; i++) {
        const struct thread *t = thread_at(c, side, i);

        rows[i] = (struct pairs_row){
            .group =
                side == 0 ? process_at(c, 0, t->process)->pair : t->process,
            .start = t->start,
            .calls = t->calls,
            .count = t->count,
        };
    }
    return rows;
}

/* Each thread with the one that begins most alike, of the same start if there is
 * such a one: the longest first ones have the choice. */
static bool pair_threads(struct compare *c)
{
    size_t count = c->sides[0].threads.count;
    struct pairs_row *a = rows_of(c, 0);
    struct pairs_row *b = rows_of(c, 1);
    uint32_t *chosen = calloc(count + 1, sizeof(*chosen));
    uint64_t compared;
    bool ok =
        a != NULL && b != NULL && chosen != NULL &&
        pairs_choose(a, count, b, c->sides[1].threads.count, chosen, &compared);

    for (size_t i = 0; ok && i < count; i++) {
        if (chosen[i] != PAIRS_NONE) {
            thread_at(c, 0, i)->pair = chosen[i];
            thread_at(c, 1, chosen[i])->pair = (uint32_t)i;
        }
    }
    free(a);
    free(b);
    free(chosen);
    return ok;
}

/* --- differences ---------------------------------------------------------------------------- */

static void add_different(struct compare *c, uint64_t process, uint64_t text,
                          uint64_t a, uint64_t b, int64_t ns)
{
    struct table_key key = { process, text };
    struct different *d = table_row(&c->different, key);

    if (d != NULL) {
        d->times[COMPARE_A] = a;
        d->times[COMPARE_B] = b;
        d->ns = ns;
        d->only = a == 0 || b == 0;
        c->differences++;
    }
}

static uint64_t times_of(const struct side *s, uint32_t process, uint64_t text)
{
    struct table_key key = { process, text };
    const struct count *n = table_find(&s->counts, key);

    return n != NULL ? n->times : 0;
}

static void compare_counts(struct compare *c)
{
    for (size_t i = 0; i < c->sides[0].counts.count; i++) {
        const struct count *n = table_at(&c->sides[0].counts, i);
        uint32_t pair = process_at(c, 0, (uint32_t)n->key.a)->pair;
        uint64_t other =
            pair != NONE ? times_of(&c->sides[1], pair, n->key.b) : 0;

        if (pair != NONE && other != n->times &&
            (other == 0 || c->facts[n->key.b].weight == WEIGHT_COUNTS)) {
            add_different(c, n->key.a, n->key.b, n->times, other, n->ns);
        }
    }
    for (size_t i = 0; i < c->sides[1].counts.count; i++) {
        const struct count *n = table_at(&c->sides[1].counts, i);
        uint32_t pair = process_at(c, 1, (uint32_t)n->key.a)->pair;

        if (pair != NONE && times_of(&c->sides[0], pair, n->key.b) == 0) {
            add_different(c, pair, n->key.b, 0, n->times, n->ns);
        }
    }
}

/* Files and keys, by how often each run calls for them. */
static void compare_touched(struct compare *c)
{
    for (int side = 0; side < COMPARE_SIDES; side++) {
        const struct table *counts = &c->sides[side].counts;

        for (size_t i = 0; i < counts->count; i++) {
            const struct count *n = table_at(counts, i);
            struct text_facts facts = c->facts[n->key.b];
            struct table_key key = { facts.object, 0 };
            struct touched *t;

            if (facts.weight != WEIGHT_COUNTS || facts.object == NONE) {
                continue;
            }
            t = table_row(&c->touched, key);
            if (t == NULL) {
                continue;
            }
            if (t->times[COMPARE_A] + t->times[COMPARE_B] == 0 ||
                n->ns < t->ns) {
                t->ns = n->ns;
                t->text = (uint32_t)n->key.b;
            }
            t->times[side] += n->times;
        }
    }
}

static bool ends_differ(const struct process *a, const struct process *b)
{
    return a->ended != b->ended ||
           (a->ended && (a->end != b->end || a->code != b->code));
}

/* Of what they started, and of the programs themselves, if that is known. */
static bool commands_differ(const struct process *a, const struct process *b)
{
    bool known = a->form != NONE && b->form != NONE;

    return (a->parent != NONE || (a->first && b->first && known)) &&
           a->form != b->form;
}

static void compare_processes(struct compare *c)
{
    for (size_t i = 0; i < c->sides[0].processes.count; i++) {
        const struct process *p = process_at(c, 0, (uint32_t)i);

        c->differences += p->pair == NONE ||
                          ends_differ(p, process_at(c, 1, p->pair)) ||
                          commands_differ(p, process_at(c, 1, p->pair));
    }
    for (size_t i = 0; i < c->sides[1].processes.count; i++) {
        c->differences += process_at(c, 1, (uint32_t)i)->pair == NONE;
    }
}

bool compare_end(struct compare *c)
{
    match_made_up(c);
    pair_processes(c);
    if (!pair_threads(c)) {
        return false;
    }
    compare_counts(c);
    compare_touched(c);
    compare_processes(c);
    return true;
}

bool compare_differs(const struct compare *c)
{
    return c->differences > 0;
}

/* --- where they part ---------------------------------------------------------------------------- */

static bool is_different(const struct compare *c, uint32_t process,
                         uint32_t text)
{
    struct table_key key = { process, text };

    return table_find(&c->different, key) != NULL;
}

/* One run has none of it. Of what both have, one more often, any may be the one
 * that is too many: that is a place only where nothing else is out of place. */
static bool is_of_one(const struct compare *c, uint32_t process, uint32_t text)
{
    struct table_key key = { process, text };
    const struct different *d = table_find(&c->different, key);

    return d != NULL && (d->only || c->loose);
}

/* Behind `i` and `j`, which differ: the nearest place where AGREE calls in a row
 * are the same again. False: not within the window. */
static bool agree_again(const struct thread *a, const struct thread *b,
                        size_t *i, size_t *j)
{
    for (size_t sum = 1; sum < 2 * WINDOW; sum++) {
        for (size_t di = 0; di <= sum; di++) {
            size_t dj = sum - di;
            size_t n = 0;

            if (di > WINDOW || dj > WINDOW || *i + di > a->count ||
                *j + dj > b->count) {
                continue;
            }
            while (n < AGREE && *i + di + n < a->count &&
                   *j + dj + n < b->count &&
                   a->calls[*i + di + n] == b->calls[*j + dj + n]) {
                n++;
            }
            if (n == AGREE ||
                (n > 0 && *i + di + n == a->count && *j + dj + n == b->count) ||
                (*i + di == a->count && *j + dj == b->count)) {
                *i += di;
                *j += dj;
                return true;
            }
        }
    }
    return false;
}

/* A stretch in which two threads differ: [i, ie) of A, [j, je) of B. */
struct stretch {
    uint32_t thread;  // row in A
    size_t i, ie, j, je;
    int64_t ns;    // of its first difference
    bool certain;  // all calls before it, and around it, are where they were
};

/* Calls of one side, from `from` to before `to`: how many of them are different,
 * or of one run alone; *ns: when the first of those was. */
static size_t count_part(const struct compare *c, const struct thread *t,
                         size_t from, size_t to, uint32_t process, bool of_one,
                         int64_t *ns)
{
    size_t count = 0;

    for (size_t k = from; k < to; k++) {
        if (of_one ? is_of_one(c, process, t->calls[k])
                   : is_different(c, process, t->calls[k])) {
            if (count++ == 0 && t->times[k] < *ns) {
                *ns = t->times[k];
            }
        }
    }
    return count;
}

/* True if something in it counts. `*moved`: before it the other run has calls
 * elsewhere, so that nothing is certain by its place. */
static bool judge_stretch(const struct compare *c, struct stretch *s,
                          bool *moved)
{
    const struct thread *a = thread_at(c, 0, s->thread);
    const struct thread *b = thread_at(c, 1, a->pair);
    int64_t ns = INT64_MAX;
    size_t all = count_part(c, a, s->i, s->ie, a->process, false, &ns) +
                 count_part(c, b, s->j, s->je, a->process, false, &ns);

    *moved = *moved || all < s->ie - s->i + s->je - s->j;
    s->certain = !*moved;
    if (!s->certain) {
        ns = INT64_MAX;
        all = count_part(c, a, s->i, s->ie, a->process, true, &ns) +
              count_part(c, b, s->j, s->je, a->process, true, &ns);
    }
    s->ns = ns;
    return all > 0;
}

/* The first stretch of this thread, from *i and *j on, in which a call stands
 * that is a difference. */
static bool next_stretch(struct compare *c, uint32_t thread, size_t *i,
                         size_t *j, struct stretch *out)
{
    const struct thread *a = thread_at(c, 0, thread);
    const struct thread *b = thread_at(c, 1, a->pair);
    bool moved = false;

    while (*i < a->count || *j < b->count) {
        size_t ie = *i, je = *j;

        if (*i < a->count && *j < b->count && a->calls[*i] == b->calls[*j]) {
            (*i)++;
            (*j)++;
            continue;
        }
        if (c->stretches++ >= STRETCHES_MOST) {
            return false;
        }
        if (!agree_again(a, b, &ie, &je)) {
            ie = *i + WINDOW < a->count ? *i + WINDOW : a->count;
            je = *j + WINDOW < b->count ? *j + WINDOW : b->count;
        }
        *out = (struct stretch){
            .thread = thread, .i = *i, .ie = ie, .j = *j, .je = je
        };
        *i = ie;
        *j = je;
        if (judge_stretch(c, out, &moved)) {
            return true;
        }
    }
    return false;
}

/* --- telling -------------------------------------------------------------------------------------- */

static void put_thread(struct buf *b, const struct compare *c, int side,
                       const struct thread *t)
{
    buf_add_dec(b, process_at(c, side, t->process)->pid);
    buf_add_char(b, '.');
    buf_add_dec(b, t->key.b);
}

static void tell_line(struct compare *c, struct page *page, const char *sign,
                      int side, const struct thread *t, size_t at)
{
    char when_room[60];
    char who_room[60];
    struct buf when = BUF_OVER(when_room);
    struct buf who = BUF_OVER(who_room);
    str cells[4];

    int64_t ns = t->times[at] > 0 ? t->times[at] : 0; /* as the page has it */

    buf_addf(&when, "%lld.%06lld", (long long)(ns / 1000000000),
             (long long)(ns % 1000000000 / 1000));
    put_thread(&who, c, side, t);
    cells[0] = str_of(sign);
    cells[1] = buf_str(&who);
    cells[2] = buf_str(&when);
    cells[3] = labels_text(c->texts, t->calls[at]);
    page->ops->row(page, cells);
}

/* Of one side: its calls that are differences. Returns how many are none: the
 * other run makes them elsewhere. */
static size_t tell_part(struct compare *c, struct page *page, int side,
                        const struct thread *t, size_t from, size_t to,
                        uint32_t process, bool certain, size_t most)
{
    size_t moved = 0, told = 0, all = 0;

    for (size_t k = from; k < to; k++) {
        if (!(certain ? is_different(c, process, t->calls[k])
                      : is_of_one(c, process, t->calls[k]))) {
            moved++;
        } else if (all++ < most) {
            tell_line(c, page, side == 0 ? "-" : "+", side, t, k);
            told++;
        }
    }
    if (all > told) {
        page->ops->more(page, all - told);
    }
    return moved;
}

static void tell_stretch(struct compare *c, struct page *page,
                         const struct stretch *s, size_t most)
{
    const struct thread *a = thread_at(c, 0, s->thread);
    const struct thread *b = thread_at(c, 1, a->pair);
    size_t from = s->i > CONTEXT ? s->i - CONTEXT : 0;
    size_t last = s->ie + CONTEXT < a->count ? s->ie + CONTEXT : a->count;
    size_t moved = 0;
    char room[100];
    struct buf note = BUF_OVER(room);

    most = most > 0 ? most : SIZE_MAX;
    for (size_t k = from; k < s->i; k++) {
        tell_line(c, page, " ", 0, a, k);
    }
    moved +=
        tell_part(c, page, 0, a, s->i, s->ie, a->process, s->certain, most);
    moved +=
        tell_part(c, page, 1, b, s->j, s->je, a->process, s->certain, most);
    for (size_t k = s->ie; k < last; k++) {
        tell_line(c, page, " ", 0, a, k);
    }
    if (moved > 0) {
        buf_addf(&note,
                 "%zu more calls here, which the other run makes "
                 "elsewhere",
                 moved);
        page->ops->note(page, buf_str(&note));
    }
}

static const struct column line_columns[] = {
    { "", 1, false },
    { "thread", 9, false },
    { "seconds", 10, true },
    { "call", 0, false },
};

struct at {
    int64_t ns;
    size_t row;
};

static int by_time(const void *a, const void *b)
{
    const struct at *x = a;
    const struct at *y = b;

    if (x->ns != y->ns) {
        return x->ns < y->ns ? -1 : 1;
    }
    return x->row < y->row ? -1 : x->row > y->row;
}

/* The first call of this thread that is a difference (`any`), or of one run alone,
 * wherever it stands in the other run; SIZE_MAX: there is none. */
static size_t first_of(const struct compare *c, int side,
                       const struct thread *t, bool any)
{
    uint32_t process =
        side == 0 ? t->process : process_at(c, 1, t->process)->pair;

    for (size_t k = 0; process != NONE && k < t->count; k++) {
        if (any ? is_different(c, process, t->calls[k])
                : is_of_one(c, process, t->calls[k])) {
            return k;
        }
    }
    return SIZE_MAX;
}

/* When the threads of this row, of one run or of both, cannot be different yet;
 * INT64_MAX: they never are. Rows of B are behind those of A. */
static int64_t same_until(const struct compare *c, size_t row)
{
    size_t count = c->sides[0].threads.count;
    const struct thread *a = row < count ? thread_at(c, 0, row) : NULL;
    const struct thread *b = a == NULL         ? thread_at(c, 1, row - count)
                             : a->pair != NONE ? thread_at(c, 1, a->pair)
                                               : NULL;
    bool paired = a != NULL && b != NULL;
    size_t in_a = a != NULL ? first_of(c, 0, a, paired) : SIZE_MAX;
    size_t in_b = b != NULL && (paired || b->pair == NONE)
                      ? first_of(c, 1, b, paired)
                      : SIZE_MAX;
    int64_t ns = in_a != SIZE_MAX ? a->times[in_a] : INT64_MAX;

    return in_b != SIZE_MAX && b->times[in_b] < ns ? b->times[in_b] : ns;
}

/* Where there is nothing to lay it beside. */
static void tell_alone(struct compare *c, struct page *page, int side,
                       const struct thread *t, size_t at, bool any, size_t most)
{
    uint32_t process =
        side == 0 ? t->process : process_at(c, 1, t->process)->pair;
    size_t from = at > CONTEXT ? at - CONTEXT : 0;
    size_t to = at;

    while (to < t->count && is_different(c, process, t->calls[to])) {
        to++;
    }
    for (size_t k = from; k < at; k++) {
        tell_line(c, page, " ", side, t, k);
    }
    tell_part(c, page, side, t, at, to, process, any,
              most > 0 ? most : SIZE_MAX);
    for (size_t k = to; k < t->count && k < to + CONTEXT; k++) {
        tell_line(c, page, " ", side, t, k);
    }
}

/* A row as in same_until: of A, if A has the difference. */
static void tell_row_alone(struct compare *c, struct page *page, size_t row,
                           size_t most)
{
    size_t count = c->sides[0].threads.count;
    const struct thread *t =
        row < count ? thread_at(c, 0, row) : thread_at(c, 1, row - count);
    int side = row < count ? 0 : 1;
    const struct thread *b =
        side == 0 && t->pair != NONE ? thread_at(c, 1, t->pair) : NULL;

    for (int any = 0; any < 2; any++) {
        size_t at = first_of(c, side, t, any != 0);

        if (at == SIZE_MAX && b != NULL) {
            at = first_of(c, 1, b, any != 0);
            if (at != SIZE_MAX) {
                tell_alone(c, page, 1, b, at, any != 0, most);
                return;
            }
        } else if (at != SIZE_MAX) {
            tell_alone(c, page, side, t, at, any != 0, most);
            return;
        }
    }
}

/* The first place where threads part, of all of them: the most promising ones are
 * laid side by side until no other can be earlier. `list` has room for all.
 * False: there is none. */
static bool find_first(struct compare *c, struct at *list,
                       struct stretch *first, size_t *alone)
{
    size_t threads = c->sides[0].threads.count;
    size_t count = 0;

    for (size_t i = 0; i < threads + c->sides[1].threads.count; i++) {
        int64_t ns = same_until(c, i);

        if (ns != INT64_MAX) {
            list[count++] = (struct at){ ns, i };
        }
    }
    array_sort(list, count, sizeof(*list), by_time);
    *first = (struct stretch){ .thread = NONE, .ns = INT64_MAX };
    *alone = SIZE_MAX;
    for (size_t k = 0; k < count && list[k].ns < first->ns; k++) {
        size_t row = list[k].row;
        bool paired = row < threads && thread_at(c, 0, row)->pair != NONE;
        struct stretch s;
        size_t i = 0, j = 0;

        if (paired && next_stretch(c, (uint32_t)row, &i, &j, &s)) {
            if (s.ns < first->ns) {
                *first = s;
                *alone = SIZE_MAX;
            }
        } else if (!paired || c->stretches > STRETCHES_MOST) {
            *first = (struct stretch){ .thread = NONE, .ns = list[k].ns };
            *alone = row;
        }
    }
    return first->thread != NONE || *alone != SIZE_MAX;
}

static void tell_first(struct compare *c, size_t most, struct page *page)
{
    size_t threads = c->sides[0].threads.count;
    size_t all = threads + c->sides[1].threads.count;
    struct at *list = calloc(all + 1, sizeof(*list));
    struct stretch first;
    size_t alone;
    bool found;

    if (list == NULL) {
        return;
    }
    c->loose = false;
    found = find_first(c, list, &first, &alone);
    if (!found) {
        c->loose = true;
        found = find_first(c, list, &first, &alone);
    }
    if (found) {
        page->ops->section(page, "first", "First difference",
                           "Where calls part first, with what is around it: - "
                           "is of A, + of B.",
                           line_columns, COUNT_OF(line_columns));
        if (first.thread != NONE) {
            tell_stretch(c, page, &first, most);
        } else {
            tell_row_alone(c, page, alone, most);
        }
        page->ops->end(page);
    }
    free(list);
}

static bool by_one(const struct touched *t)
{
    return t->times[COMPARE_A] == 0 || t->times[COMPARE_B] == 0;
}

static bool is_touched_by_one(const struct compare *c, uint32_t text)
{
    struct table_key key = { c->facts[text].object, 0 };
    const struct touched *t = table_find(&c->touched, key);

    return t != NULL && by_one(t);
}

static void put_numbers(struct buf *a, struct buf *b, const uint64_t *times)
{
    buf_add_dec(a, times[COMPARE_A]);
    buf_add_dec(b, times[COMPARE_B]);
}

static void tell_touched(struct compare *c, size_t most, struct page *page)
{
    static const struct column columns[] = {
        { "in A", 6, true },
        { "in B", 6, true },
        { "name", 50, false },
        { "first call", 0, false },
    };
    struct at *list = calloc(c->touched.count + 1, sizeof(*list));
    size_t count = 0;

    for (size_t i = 0; list != NULL && i < c->touched.count; i++) {
        const struct touched *t = table_at(&c->touched, i);

        if (by_one(t)) {
            list[count++] = (struct at){ t->ns, i };
        }
    }
    if (count > 0) {
        array_sort(list, count, sizeof(*list), by_time);
        page->ops->section(page, "touched", "Files and keys of one alone",
                           "Files, keys and values that one run calls for, "
                           "with how many calls, and the other does not.",
                           columns, COUNT_OF(columns));
    }
    for (size_t i = 0; i < count && (most == 0 || i < most); i++) {
        const struct touched *t = table_at(&c->touched, list[i].row);
        char a_room[24], b_room[24];
        struct buf a = BUF_OVER(a_room);
        struct buf b = BUF_OVER(b_room);
        str cells[4];

        put_numbers(&a, &b, t->times);
        cells[0] = buf_str(&a);
        cells[1] = buf_str(&b);
        cells[2] = labels_text(c->texts, (uint32_t)t->key.a);
        cells[3] = labels_text(c->texts, t->text);
        page->ops->row(page, cells);
    }
    if (most > 0 && count > most) {
        page->ops->more(page, count - most);
    }
    if (count > 0) {
        page->ops->end(page);
    }
    free(list);
}

static void tell_different(struct compare *c, size_t most, struct page *page,
                           bool only)
{
    static const struct column columns[] = {
        { "in A", 6, true },
        { "in B", 6, true },
        { "program", 16, false },
        { "call", 0, false },
    };
    struct at *list = calloc(c->different.count + 1, sizeof(*list));
    size_t count = 0;

    for (size_t i = 0; list != NULL && i < c->different.count; i++) {
        const struct different *d = table_at(&c->different, i);

        if (d->only == only && !is_touched_by_one(c, (uint32_t)d->key.b)) {
            list[count++] = (struct at){ d->ns, i };
        }
    }
    if (count == 0) {
        free(list);
        return;
    }
    array_sort(list, count, sizeof(*list), by_time);
    page->ops->section(page, only ? "only" : "counts",
                       only ? "Calls of one alone" : "Counts that changed",
                       only ? "Calls, by name, object and result, that one "
                              "run has and the other has not."
                            : "Calls on files and keys that both have, one "
                              "more often.",
                       columns, COUNT_OF(columns));
    for (size_t i = 0; i < count && (most == 0 || i < most); i++) {
        const struct different *d = table_at(&c->different, list[i].row);
        char a_room[24], b_room[24];
        struct buf a = BUF_OVER(a_room);
        struct buf b = BUF_OVER(b_room);
        str cells[4];

        put_numbers(&a, &b, d->times);
        cells[0] = buf_str(&a);
        cells[1] = buf_str(&b);
        cells[2] =
            labels_text(c->texts, process_at(c, 0, (uint32_t)d->key.a)->image);
        cells[3] = labels_text(c->texts, (uint32_t)d->key.b);
        page->ops->row(page, cells);
    }
    if (most > 0 && count > most) {
        page->ops->more(page, count - most);
    }
    free(list);
    page->ops->end(page);
}

static void put_end(struct buf *b, const struct process *p)
{
    if (p->untraced) {
        buf_add(b, STR("not traced"));
    } else if (!p->ended) {
        buf_add(b, STR("runs on"));
    } else {
        buf_add(b, p->end == NOTICE_KILLED       ? STR("killed by ")
                   : p->end == NOTICE_TERMINATED ? STR("terminated with ")
                                                 : STR("ended with "));
        if (p->code >= 0x80000000 && status_name(p->code) != NULL) {
            buf_add(b, str_of(status_name(p->code)));
        } else {
            buf_add_dec(b, p->code);
        }
    }
}

static void tell_process(const struct compare *c, struct page *page,
                         const struct process *a, const struct process *b)
{
    const struct process *p = a != NULL ? a : b;
    char a_room[80], b_room[80];
    struct buf a_end = BUF_OVER(a_room);
    struct buf b_end = BUF_OVER(b_room);
    str cells[4];

    if (a != NULL) {
        put_end(&a_end, a);
    }
    if (b != NULL) {
        put_end(&b_end, b);
    }
    cells[0] = a != NULL ? buf_str(&a_end) : STR("-");
    cells[1] = b != NULL ? buf_str(&b_end) : STR("-");
    cells[2] = labels_text(c->texts, p->image);
    cells[3] = p->command != NONE ? labels_text(c->texts, p->command) : STR("");
    page->ops->row(page, cells);
}

static void tell_processes(const struct compare *c, size_t most,
                           struct page *page)
{
    static const struct column columns[] = {
        { "A", 20, false },
        { "B", 20, false },
        { "program", 16, false },
        { "command", 0, false },
    };
    size_t told = 0, all = 0;

    for (int side = 0; side < COMPARE_SIDES; side++) {
        for (size_t i = 0; i < c->sides[side].processes.count; i++) {
            const struct process *p = process_at(c, side, (uint32_t)i);
            const struct process *q =
                p->pair != NONE ? process_at(c, !side, p->pair) : NULL;

            bool apart = q == NULL || (side == 0 ? commands_differ(p, q)
                                                 : commands_differ(q, p));

            if (!apart && (side == 1 || !ends_differ(p, q))) {
                continue;
            }
            if (all++ == 0) {
                page->ops->section(page, "processes", "Processes",
                                   "Those that one run has started and the "
                                   "other has not, or with another command "
                                   "line, and those that ended otherwise.",
                                   columns, COUNT_OF(columns));
            }
            if (most == 0 || told < most) {
                q = apart ? NULL : q;
                tell_process(c, page, side == 0 ? p : q, side == 0 ? q : p);
                told++;
            }
        }
    }
    if (all > told) {
        page->ops->more(page, all - told);
    }
    if (all > 0) {
        page->ops->end(page);
    }
}

static uint64_t sum_of(const struct side *s, bool schedule)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < s->processes.count; i++) {
        const struct process *p = table_at(&s->processes, i);

        sum += schedule ? p->schedule : p->calls;
    }
    return sum;
}

uint64_t compare_refused(const struct compare *c)
{
    uint64_t refused = labels_refused(c->texts) + c->refused +
                       c->different.refused + c->touched.refused;

    for (int i = 0; i < COMPARE_SIDES; i++) {
        refused += c->sides[i].counts.refused + c->sides[i].processes.refused +
                   c->sides[i].threads.refused;
    }
    return refused;
}

/* That it is not known whether there is nothing else. */
static void tell_refused(const struct compare *c, struct page *page)
{
    static const struct column columns[] = { { "", 0, false } };
    char room[100];
    struct buf line = BUF_OVER(room);
    str cell;

    if (compare_refused(c) == 0) {
        return;
    }
    page->ops->section(page, "refused", "Not compared",
                       "What there was no room for: whether it is different "
                       "is not known.",
                       columns, COUNT_OF(columns));
    buf_addf(&line, "%llu names, calls and other things found no room",
             (unsigned long long)compare_refused(c));
    cell = buf_str(&line);
    page->ops->row(page, &cell);
    page->ops->end(page);
}

/* What is no difference, if there is any: in one line. */
static void tell_schedule(const struct compare *c, struct page *page)
{
    static const struct column columns[] = { { "", 0, false } };
    const struct side *a = &c->sides[COMPARE_A];
    const struct side *b = &c->sides[COMPARE_B];
    char room[300];
    struct buf line = BUF_OVER(room);
    str cell;

    if (sum_of(a, false) == sum_of(b, false) &&
        sum_of(a, true) == sum_of(b, true) &&
        a->threads.count == b->threads.count && a->beyond + b->beyond == 0) {
        return;
    }
    page->ops->section(page, "schedule", "Schedule",
                       "What is different from run to run, and no difference.",
                       columns, COUNT_OF(columns));
    buf_addf(&line,
             "waits, yields, memory, threads: %llu calls and %llu; in all %llu "
             "and %llu, in %zu threads and %zu",
             (unsigned long long)sum_of(a, true),
             (unsigned long long)sum_of(b, true),
             (unsigned long long)sum_of(a, false),
             (unsigned long long)sum_of(b, false), a->threads.count,
             b->threads.count);
    cell = buf_str(&line);
    page->ops->row(page, &cell);
    if (a->beyond + b->beyond > 0) {
        page->ops->note(page, STR("there are more calls than whose order is "
                                  "kept: those are only counted"));
    }
    page->ops->end(page);
}

struct compare_numbers compare_numbers(const struct compare *c,
                                       enum compare_side side)
{
    const struct side *s = &c->sides[side];

    return (struct compare_numbers){ sum_of(s, false), sum_of(s, true),
                                     s->processes.count, s->threads.count };
}

void compare_tell(struct compare *c, size_t most, struct page *page)
{
    c->stretches = 0;
    tell_refused(c, page);
    if (c->differences > 0) {
        tell_first(c, most, page);
        tell_processes(c, most, page);
        tell_touched(c, most, page);
        tell_different(c, most, page, true);
        tell_different(c, most, page, false);
    }
    tell_schedule(c, page);
}
