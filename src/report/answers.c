/* SPDX-License-Identifier: MIT */
/*
 * answers.c - the pass over a recording: what each call means, by the rows of
 * tables/deeds.def, goes into the tables of answers.h.
 *
 * Touches nothing but itself. What finds no memory is counted as what finds no
 * room is.
 */
#include "report/answers.h"

#include "base/saturate.h"
#include "nt/read.h"
#include "tables/roles.h"
#include "tables/status.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define STATUS_PENDING 0x103u

struct answers {
    struct answers_rows rows;
    const struct clock *clock;  // borrowed
    decode_stack_of *stack_of;
    void *stack_ctx;
    struct subject_room room;
    uint64_t order;  // of what was looked for
    char *command;   // owned: of the first process; NULL: not said
    size_t command_size;
    size_t command_bytes;
    uint64_t untraced;
    struct table children;  // pairs of pid << 32 | pid: started by
    struct table newest;    // struct newest: by pid
};

/* The newest process of an id. */
struct newest {
    struct table_key key;
    uint32_t row;
};

/* --- life cycle ------------------------------------------------------------ */

struct answers *answers_open(decode_stack_of *stack_of, void *stack_ctx)
{
    struct answers *a = calloc(1, sizeof(*a));

    if (a == NULL) {
        return NULL;
    }
    a->rows.names = labels_open();
    if (a->rows.names == NULL) {
        free(a);
        return NULL;
    }
    a->stack_of = stack_of;
    a->stack_ctx = stack_ctx;
    table_init(&a->rows.sought, sizeof(struct sought), ROWS_MOST);
    table_init(&a->rows.found, sizeof(struct found), ROWS_MOST);
    table_init(&a->rows.changed, sizeof(struct changed), ROWS_MOST);
    table_init(&a->rows.peers, sizeof(struct peer), ROWS_MOST);
    table_init(&a->rows.waited, sizeof(struct waited), ROWS_MOST);
    table_init(&a->rows.wrong, sizeof(struct wrong), ROWS_MOST);
    table_init(&a->rows.behind, sizeof(struct behind), ROWS_MOST);
    table_init(&a->rows.processes, sizeof(struct process_row), ROWS_MOST);
    table_init(&a->children, sizeof(struct table_key), ROWS_MOST);
    table_init(&a->newest, sizeof(struct newest), ROWS_MOST);
    return a;
}

void answers_close(struct answers *a)
{
    if (a == NULL) {
        return;
    }
    for (size_t i = 0; i < a->rows.processes.count; i++) {
        struct process_row *p = table_at(&a->rows.processes, i);

        free(p->command);
    }
    table_close(&a->rows.sought);
    table_close(&a->rows.found);
    table_close(&a->rows.changed);
    table_close(&a->rows.peers);
    table_close(&a->rows.waited);
    table_close(&a->rows.wrong);
    table_close(&a->rows.behind);
    table_close(&a->rows.processes);
    table_close(&a->children);
    table_close(&a->newest);
    labels_close(a->rows.names);
    free(a->command);
    free(a);
}

void answers_clock(struct answers *a, const struct clock *clock)
{
    a->clock = clock;
}

struct answers_rows *answers_rows(struct answers *a)
{
    return &a->rows;
}

/* --- what calls have in common ----------------------------------------------- */

static uint32_t name_of(struct answers *a, str name)
{
    return labels_add(a->rows.names, name);
}

static str call_name(const struct call *call)
{
    return call->stub != NULL ? call->stub->name : STR("syscall_?");
}

static int64_t time_of(struct answers *a, uint64_t tsc)
{
    int64_t ns = clock_ns(a->clock, tsc);

    a->rows.last_ns = ns > a->rows.last_ns ? ns : a->rows.last_ns;
    return ns;
}

/* "demo.exe!main", "demo.exe+0x1234", or where there is no module the address. */
static uint32_t name_frame(struct answers *a, const struct sink_frame *frame)
{
    char room[600]; /* a longer name is cut */
    struct buf b = BUF_OVER(room);

    if (frame->place.kind != PLACE_MODULE) {
        buf_add_hex(&b, frame->address);
        return name_of(a, buf_str(&b));
    }
    buf_add(&b, frame->place.name);
    if (frame->symbol.size > 0) {
        buf_add_char(&b, '!');
        buf_add(&b, frame->symbol);
    } else {
        buf_add_char(&b, '+');
        buf_add_hex(&b, frame->place.offset);
    }
    return name_of(a, buf_str(&b));
}

/* The first caller that is no part of Windows itself. */
static uint32_t caller_of(struct answers *a, const struct call *call)
{
    struct sink_stack stack;

    if (a->stack_of == NULL || call->stack.size == 0) {
        return LABEL_NONE;
    }
    a->stack_of(a->stack_ctx, call, &stack);
    for (size_t i = 0; i < stack.count; i++) {
        const struct place *place = &stack.frames[i].place;

        if (place->kind != PLACE_MODULE ||
            !decoder_is_go_between(place->name)) {
            return name_frame(a, &stack.frames[i]);
        }
    }
    return LABEL_NONE;
}

static struct first first_of(struct answers *a, const struct call *call)
{
    return (struct first){
        .pid = call->pid,
        .tid = call->tid,
        .ns =
            time_of(a, call->entry_seen ? call->entry_time : call->return_time),
        .call = name_of(a, call_name(call)),
        .caller = LABEL_NONE,
    };
}

/* The row of something by its name; NULL: there is no room, or there was none for
 * the name. What has no name is not all one and the same. */
static void *row_named(struct table *t, struct table_key key, uint32_t name)
{
    if (name == LABEL_NONE) {
        t->refused++;
        return NULL;
    }
    return table_row(t, key);
}

/* With this for its result. */
static bool fails_with(const struct call *call, uint64_t result)
{
    return call->returned && call->stub != NULL && call->stub->facts != NULL &&
           call_failed(call->stub->facts, result);
}

static bool has_failed(const struct call *call)
{
    return fails_with(call, call->result);
}

/* --- processes ---------------------------------------------------------------- */

static void note_newest(struct answers *a, uint32_t pid)
{
    struct table_key key = { pid, 0 };
    struct newest *n = table_row(&a->newest, key);

    if (n != NULL) {
        n->row = (uint32_t)a->rows.processes.count - 1;
    }
}

static uint32_t row_by_pid(const struct answers *a, uint32_t pid)
{
    struct table_key key = { pid, 0 };
    const struct newest *n = pid != 0 ? table_find(&a->newest, key) : NULL;

    return n != NULL ? n->row : UINT32_MAX;
}

static void keep_command(struct answers *a, struct process_row *row,
                         str command)
{
    str kept = str_slice(command, 0, COMMAND_MOST);

    if (kept.size == 0 || row->command != NULL ||
        kept.size > COMMANDS_MOST - a->command_bytes) {
        return;
    }
    row->command = malloc(kept.size);
    if (row->command != NULL) {
        memcpy(row->command, kept.p, kept.size);
        row->command_size = (uint32_t)kept.size;
        a->command_bytes += kept.size;
    }
}

void answers_command(struct answers *a, str command)
{
    free(a->command);
    a->command_size = 0;
    a->command = malloc(command.size + 1);
    if (a->command != NULL) {
        memcpy(a->command, command.p, command.size);
        a->command_size = command.size;
    }
}

/* Of who is heard of for the first time; NULL: there is no room. */
static struct process_row *process_of(struct answers *a,
                                      const struct model_process *p,
                                      uint32_t pid, uint64_t tsc)
{
    struct table_key key = { p != NULL ? model_process_order(p) : pid, 0 };
    size_t count = a->rows.processes.count;
    struct process_row *row = table_row(&a->rows.processes, key);

    if (row != NULL && a->rows.processes.count > count) {
        note_newest(a, pid);
        row->pid = pid;
        row->parent = UINT32_MAX;
        row->image = name_of(a, model_process_image(p));
        row->began = time_of(a, tsc);
        if (count == 0 && a->command != NULL) {
            keep_command(a, row, (str){ a->command, a->command_size });
        }
    }
    return row;
}

static void on_started(struct answers *a, const struct notice *n)
{
    const struct child_told *child = n->child;
    uint32_t parent = row_by_pid(a, child->by_pid);
    struct process_row *row;

    if (n->kind == NOTICE_UNTRACED) {
        struct table_key key = { UINT64_MAX, ++a->untraced };

        row = table_row(&a->rows.processes, key);
        if (row != NULL) {
            row->pid = child->pid;
            row->end = END_UNTRACED;
            row->began = time_of(a, n->time);
        }
    } else {
        row = process_of(a, n->process, n->pid, n->time);
        if (row != NULL && parent != UINT32_MAX &&
            table_at(&a->rows.processes, parent) == (void *)row) {
            parent = UINT32_MAX;
        }
    }
    if (row != NULL) {
        row->parent = parent;
        row->by_tid = child->by_tid;
        if (child->image.size > 0) {
            row->image = name_of(a, str_file(child->image));
        }
        keep_command(a, row, child->command);
    }
}

static void on_end(struct answers *a, const struct notice *n,
                   enum process_end end)
{
    struct process_row *row = process_of(a, n->process, n->pid, n->time);

    if (row != NULL) {
        row->end = end;
        row->code = n->code;
        row->ended = time_of(a, n->time);
    }
}

/* --- what it looked for ----------------------------------------------------------- */

/* What else would do: a file of the same name in another folder, a key or value
 * of the same path below another root. */
static uint32_t tail_of(struct answers *a, const struct subject *s)
{
    static const str hives[] = { STR_INIT("\\Registry\\Machine\\"),
                                 STR_INIT("\\Registry\\User\\") };
    struct buf b = BUF_OVER(a->room.other);
    str name = s->name;
    str user;

    switch (s->kind) {
    case SUBJECT_KEY:
    case SUBJECT_VALUE:
        buf_add(&b, s->kind == SUBJECT_KEY ? STR("key ") : STR("value "));
        for (size_t i = 0; i < COUNT_OF(hives); i++) {
            if (str_eq_nocase(str_slice(name, 0, hives[i].size), hives[i])) {
                name = str_slice(name, hives[i].size, name.size);
                if (i == 1) {
                    str_cut(name, '\\', &user, &name);
                }
                break;
            }
        }
        buf_add(&b, name);
        break;
    case SUBJECT_FILE:
    case SUBJECT_OTHER:
        /* \KnownDlls\x.dll is a file as well. */
        buf_add(&b, STR("file "));
        buf_add(&b, str_file(name));
        break;
    case SUBJECT_SOCKET:
    case SUBJECT_DEVICE:
    case SUBJECT_KINDS:
        buf_add(&b, name);
        break;
    }
    return name_of(a, buf_str(&b));
}

static uint64_t process_number(const struct call *call)
{
    return call->process != NULL ? model_process_order(call->process)
                                 : call->pid;
}

static void on_hit(struct answers *a, const struct call *call,
                   const struct subject *s, bool made)
{
    uint32_t thing = name_of(a, s->name);
    struct table_key of_thing = { thing, s->kind };
    struct changed *c = table_find(&a->rows.changed, of_thing);
    struct table_key key = { process_number(call), tail_of(a, s) };
    struct found *f = row_named(&a->rows.found, key, (uint32_t)key.b);

    if (c != NULL) {
        c->gone = false;
    }
    if (f != NULL) {
        f->last_hit = ++a->order;
        f->thing = thing;
        f->made = made;
    }
}

static void on_miss(struct answers *a, const struct call *call,
                    const struct subject *s)
{
    uint32_t thing = name_of(a, s->name);
    struct table_key of_thing = { thing, s->kind };
    const struct changed *c = table_find(&a->rows.changed, of_thing);
    struct table_key key = { process_number(call),
                             (uint64_t)thing << 8 | s->kind };
    struct sought *row;

    if (c != NULL && c->gone) {
        a->rows.expected++;
        return;
    }
    row = row_named(&a->rows.sought, key, thing);
    if (row == NULL) {
        return;
    }
    if (row->misses++ == 0) {
        uint32_t tail = tail_of(a, s);

        row->status = (uint32_t)call->result;
        row->tail = tail;
        row->first = first_of(a, call);
        row->first.caller = caller_of(a, call);
    }
    row->last_miss = ++a->order;
}

const struct found *answers_found(const struct answers_rows *r,
                                  const struct sought *s)
{
    struct table_key key = { s->key.a, s->tail };
    const struct found *f = table_find(&r->found, key);

    return f != NULL && f->last_hit > s->last_miss ? f : NULL;
}

bool answers_missing(const struct answers_rows *r, const struct sought *s)
{
    return answers_found(r, s) == NULL;
}

/* --- what it changed ----------------------------------------------------------------- */

static void on_changed(struct answers *a, const struct call *call,
                       const struct deed_row *deed, const struct subject *s)
{
    uint32_t thing = name_of(a, s->name);
    struct table_key key = { thing, s->kind };
    struct changed *c = row_named(&a->rows.changed, key, thing);
    str name;

    if (c == NULL) {
        return;
    }
    if (c->times++ == 0) {
        c->first = first_of(a, call);
        c->first.caller = caller_of(a, call);
        c->to = LABEL_NONE;
        c->new = deed->kind == DEED_CREATES;
    }
    c->deeds |= 1u << deed->kind;
    c->bytes += subject_bytes(call, deed);
    c->gone = deed->kind == DEED_DELETES || deed->kind == DEED_RENAMES;
    if ((deed->kind == DEED_RENAMES || deed->kind == DEED_LINKS) &&
        subject_renamed(call, deed, s, &a->room, &name)) {
        struct subject there = { s->kind, name, NULL };

        c->to = name_of(a, name);
        /* tail_of builds in the room that the name is in. */
        memcpy(a->room.name, name.p, name.size);
        there.name = (str){ a->room.name, name.size };
        on_hit(a, call, &there, true);
    }
}

/* --- whom it talked to ----------------------------------------------------------------- */

static void on_talk(struct answers *a, const struct call *call,
                    const struct deed_row *deed, const struct subject *s,
                    bool failed)
{
    struct table_key key = { name_of(a, s->name), s->kind };
    struct peer *p = row_named(&a->rows.peers, key, (uint32_t)key.a);

    if (p == NULL) {
        return;
    }
    if (p->times++ == 0) {
        p->first = first_of(a, call);
        p->first.caller = caller_of(a, call);
        p->kind = s->kind;
    }
    p->deeds |= 1u << deed->kind;
    if (failed) {
        p->failed++;
        p->status = (uint32_t)call->result;
    } else if (deed->kind == DEED_SENDS || deed->kind == DEED_WRITES) {
        p->sent += subject_bytes(call, deed);
    } else if (deed->kind == DEED_RECEIVES || deed->kind == DEED_READS) {
        p->received += subject_bytes(call, deed);
    }
}

/* What a call on a socket has made of it: now it may have a peer. */
static void look_again(struct answers *a, const struct call *call,
                       struct subject *s)
{
    const struct object *now = call->handles != NULL
                                   ? handles_find(call->handles, call->args[0])
                                   : NULL;

    if (now != NULL) {
        subject_object(now, &a->room, s);
    }
}

/* --- behind ntdll's back ------------------------------------------------------------------ */

static void add_behind(struct answers *a, enum behind_kind kind, uint32_t call,
                       uint32_t place, uint64_t bytes, struct first first)
{
    struct table_key key = { (uint64_t)kind << 32 | call, place };
    struct behind *b = table_row(&a->rows.behind, key);

    if (b != NULL) {
        if (b->times++ == 0) {
            b->first = first;
        }
        b->bytes += bytes;
    }
}

static uint32_t place_name(struct answers *a, const struct place *place)
{
    struct buf b = BUF_OVER(a->room.other);

    switch (place->kind) {
    case PLACE_MODULE:
        return name_of(a, place->name);
    case PLACE_PRIVATE:
        buf_add(&b, STR("memory of its own at "));
        buf_add_hex(&b, place->base);
        break;
    case PLACE_MAPPED:
        buf_add(&b, STR("a view of "));
        buf_add(&b, place->name);
        break;
    case PLACE_UNMAPPED:
        buf_add(&b, STR("memory that is gone at "));
        buf_add_hex(&b, place->base);
        break;
    case PLACE_UNKNOWN:
        buf_add(&b, STR("?"));
        break;
    }
    return name_of(a, buf_str(&b));
}

static void on_past_stub(struct answers *a, const struct call *call)
{
    if (call->how != HOW_ORDINARY) {
        struct first first = first_of(a, call);

        add_behind(a, call->how == HOW_DIRECT ? BEHIND_DIRECT : BEHIND_INDIRECT,
                   first.call, place_name(a, &call->at), 0, first);
    }
}

/* Writing into a child that was just made is how programs are started. */
static bool is_child(const struct answers *a, uint32_t pid, uint32_t of)
{
    struct table_key key = { (uint64_t)of << 32 | pid, 0 };

    return table_find(&a->children, key) != NULL;
}

static void note_child(struct answers *a, const struct call *call)
{
    const struct object *o;
    uint64_t handle;

    if ((call->stub->roles & ROLE_MAKES_PROCESS) == 0 || !call->returned ||
        has_failed(call) || call->handles == NULL ||
        (call->arg_mask & 1) == 0 ||
        !nt_pointer_read(&call->after, call->width, call->args[0], &handle)) {
        return;
    }
    o = handles_find(call->handles, handle);
    if (o != NULL && o->pid != 0) {
        struct table_key key = { (uint64_t)call->pid << 32 | o->pid, 0 };

        table_row(&a->children, key);
    }
}

static void on_reach(struct answers *a, const struct call *call,
                     const struct deed_row *deed, const struct subject *s)
{
    struct first first;

    if (s->object == NULL || s->object->pid == 0 ||
        s->object->pid == call->pid || is_child(a, s->object->pid, call->pid)) {
        return;
    }
    first = first_of(a, call);
    add_behind(a, BEHIND_REACHES, first.call, name_of(a, s->name),
               subject_bytes(call, deed), first);
}

/* What code may be written now, by the address that the call was given. */
static void on_unlock(struct answers *a, const struct call *call)
{
    struct place place;
    uint64_t address;
    struct first first;

    if (call->args[0] != UINT64_MAX || call->process == NULL ||
        !nt_pointer_read(&call->before, call->width, call->args[1], &address)) {
        return;
    }
    place = model_place(call->process, address);
    if (place.kind == PLACE_MODULE && decoder_is_go_between(place.name)) {
        first = first_of(a, call);
        add_behind(a, BEHIND_UNLOCKS, first.call, place_name(a, &place), 0,
                   first);
    }
}

/* --- what went wrong, and where it waited ---------------------------------------------------- */

/* `call`: whose caller is to blame, or NULL. */
static void add_wrong(struct answers *a, uint32_t name, uint32_t thing,
                      uint32_t status, struct first first,
                      const struct call *call)
{
    bool injected = call != NULL && call->injected;
    struct table_key key = { (uint64_t)name << 32 | thing,
                             status | (injected ? WRONG_INJECTED : 0) };
    struct wrong *w = table_row(&a->rows.wrong, key);

    if (w != NULL && w->times++ == 0) {
        w->first = first;
        w->first.caller = call != NULL ? caller_of(a, call) : LABEL_NONE;
    }
}

/* Of several objects the one that let it go on; else the first. */
static const struct object *waited_for(const struct call *call)
{
    const struct call_facts *facts = call->stub->facts;
    uint64_t chosen = call->returned ? (uint32_t)call->result : 0;
    uint64_t handle;

    for (int i = 0; facts != NULL && i < facts->arg_count; i++) {
        const struct type_row *type = facts->args[i].type;

        if (call->objects[i] != NULL) {
            return call->objects[i];
        }
        if (type->class == CLASS_PTR && type->to_class == CLASS_HANDLE &&
            (call->arg_mask >> i & 1) != 0 && call->handles != NULL &&
            facts->args[i].size != NULL) {
            chosen = chosen < 64 ? chosen : 0;
            if (nt_pointer_read(&call->before, call->width,
                                call->args[i] +
                                    chosen * nt_pointer_size(call->width),
                                &handle)) {
                return handles_find(call->handles, handle);
            }
        }
    }
    return NULL;
}

static void add_wait(struct answers *a, const struct call *call, int64_t ns)
{
    bool waits =
        call->stub->facts != NULL && call->stub->facts->note == CALL_WAITS;
    struct subject s = { .name = STR("") };
    const struct object *o;
    struct table_key key;
    struct waited *w;

    if (!waits && ns < LONG_NS) {
        return;
    }
    o = waited_for(call);
    if (o != NULL) {
        subject_object(o, &a->room, &s);
    } else if (!waits) {
        subject_any(call, &a->room, &s);
    }
    key.b = call->delayed;
    key.a = (uint64_t)name_of(a, call_name(call)) << 32 | name_of(a, s.name);
    w = table_row(&a->rows.waited, key);
    if (w == NULL) {
        return;
    }
    w->waits = waits;
    w->times++;
    w->open += !call->returned;
    w->ns = saturate_sum(w->ns, ns);
    if (ns >= w->most_ns) {
        w->most_ns = ns;
        w->longest = first_of(a, call);
    }
}

/* --- calls ------------------------------------------------------------------------------------- */

static void on_deed(struct answers *a, const struct call *call,
                    const struct deed_row *deed, bool failed, bool *told)
{
    bool counts =
        !failed && call->returned && (uint32_t)call->result != STATUS_PENDING;
    struct subject s;

    if (deed->kind == DEED_UNLOCKS) {
        if (counts && subject_tests(call, deed)) {
            on_unlock(a, call);
        }
        return;
    }
    if (!counts && deed->kind != DEED_SEEKS && deed->kind != DEED_CONNECTS) {
        return;
    }
    if (!subject_tests(call, deed)) {
        return;
    }
    if (!subject_of(call, deed, &a->room, &s)) {
        a->rows.unnamed += deed->kind != DEED_REACHES;
        return;
    }
    switch ((enum deed_kind)deed->kind) {
    case DEED_SEEKS:
        if (counts) {
            on_hit(a, call, &s, false);
        } else if (failed && status_is_miss((uint32_t)call->result)) {
            on_miss(a, call, &s);
            *told = true;
        }
        break;
    case DEED_CREATES:
    case DEED_EMPTIES:
    case DEED_RESIZES:
    case DEED_MARKS:
    case DEED_MAPS:
    case DEED_DELETES:
    case DEED_RENAMES:
    case DEED_LINKS:
    case DEED_SETS:
        if (s.kind == SUBJECT_FILE || s.kind == SUBJECT_KEY ||
            s.kind == SUBJECT_VALUE) {
            on_changed(a, call, deed, &s);
        }
        break;
    case DEED_WRITES:
    case DEED_READS:
        if (s.kind == SUBJECT_SOCKET || s.kind == SUBJECT_DEVICE) {
            on_talk(a, call, deed, &s, false);
        } else if (deed->kind == DEED_WRITES) {
            on_changed(a, call, deed, &s);
        }
        break;
    case DEED_CONNECTS:
        if (s.kind == SUBJECT_SOCKET && call->returned) {
            look_again(a, call, &s);
            on_talk(a, call, deed, &s, failed);
            *told = *told || failed;
        }
        break;
    case DEED_LISTENS:
    case DEED_ACCEPTS:
    case DEED_SENDS:
    case DEED_RECEIVES:
        if (s.kind == SUBJECT_SOCKET) {
            on_talk(a, call, deed, &s, false);
        }
        break;
    case DEED_REACHES:
        on_reach(a, call, deed, &s);
        break;
    case DEED_UNLOCKS:
    case DEED_KINDS:
        break;
    }
}

/* What its rows say; true if they say why it failed. */
static bool on_deeds(struct answers *a, const struct call *call, bool failed)
{
    size_t count;
    const struct deed_row *rows = deed_rows(call->stub->name, &count);
    bool told = false;

    for (size_t i = 0; i < count; i++) {
        on_deed(a, call, &rows[i], failed, &told);
    }
    return told;
}

static void on_failure(struct answers *a, const struct call *call)
{
    struct subject s = { .name = STR("") };
    struct first first = first_of(a, call);
    uint32_t status = (uint32_t)call->result;

    if (call->stub->facts->fails != FAILS_STATUS) {
        return; /* what a zero means is the call's own affair */
    }
    if (call->injected || !habit_is_error(call->stub->name, status)) {
        subject_any(call, &a->room, &s);
        add_wrong(a, first.call, name_of(a, s.name), status, first, call);
    }
}

static void add_time(int64_t *sum, int64_t ns)
{
    *sum = saturate_sum(*sum, ns);
}

/* Counted as the table of -c counts. */
static void count(struct answers *a, const struct call *call, int64_t ns,
                  bool failed)
{
    struct process_row *p =
        process_of(a, call->process, call->pid,
                   call->entry_seen ? call->entry_time : call->return_time);
    bool waits = call->stub != NULL && call->stub->facts != NULL &&
                 call->stub->facts->note == CALL_WAITS;

    a->rows.calls++;
    a->rows.errors += failed;
    add_time(waits ? &a->rows.wait_ns : &a->rows.ns, ns);
    if (p != NULL) {
        p->calls++;
        p->errors += failed;
        add_time(waits ? &p->wait_ns : &p->ns, ns);
    }
}

/* What was replaced by a rule has done nothing. What was made has done what the
 * kernel said; what the program was told is wrong in itself. */
static void on_injected(struct answers *a, const struct call *call, bool failed)
{
    if (!call->replaced) {
        struct call made = *call;

        made.result = call->kernels;
        note_child(a, &made);
        on_deeds(a, &made, fails_with(&made, made.result));
    }
    if (failed) {
        on_failure(a, call);
    }
}

static void on_leave(void *answers, const struct call *call)
{
    struct answers *a = answers;
    bool failed = has_failed(call);
    int64_t ns = 0;

    if (call->entry_seen && call->returned) {
        int64_t from = clock_ns(a->clock, call->entry_time);
        int64_t to = time_of(a, call->return_time);

        ns = saturate_span(from, to);
    }
    count(a, call, ns, failed);
    on_past_stub(a, call);
    a->rows.injected += call->injected;
    a->rows.delayed += call->delayed;
    if (call->stub == NULL || call->caused) {
        return;
    }
    if (call->stub->facts != NULL && (!call->replaced || call->delayed) &&
        (call->stub->facts->note == CALL_WAITS || ns >= LONG_NS)) {
        add_wait(a, call, ns);
    }
    if (call->injected) {
        on_injected(a, call, failed);
        return;
    }
    note_child(a, call);
    if (!on_deeds(a, call, failed) && failed) {
        on_failure(a, call);
    }
}

/* What it wrote, sent, or connected to is known now. */
static void on_completion(void *answers, const struct completion_told *c)
{
    struct answers *a = answers;
    const struct call *call = c->call;
    bool failed = has_failed(call);

    if (call->stub != NULL && !call->caused && !on_deeds(a, call, failed) &&
        failed) {
        on_failure(a, call);
    }
}

/* --- the rest ------------------------------------------------------------------------------------- */

static void on_transition(void *answers, const struct transition_told *t)
{
    struct answers *a = answers;

    if (t->kind == TRANSITION_EXCEPTION && t->status_known) {
        struct first first = { .pid = t->pid,
                               .tid = t->tid,
                               .ns = time_of(a, t->time),
                               .call = name_of(a, STR("exception")),
                               .caller = LABEL_NONE };

        add_wrong(a, first.call, place_name(a, &t->place), t->status, first,
                  NULL);
    }
    if (t->kind == TRANSITION_THREAD_START) {
        struct process_row *p = process_of(a, t->process, t->pid, t->time);

        if (p != NULL) {
            p->threads++;
        }
    }
}

static void on_notice(void *answers, const struct notice *n)
{
    struct answers *a = answers;
    struct first first = { .pid = n->pid, .tid = n->tid, .caller = LABEL_NONE };

    switch (n->kind) {
    case NOTICE_EXITED:
        on_end(a, n, END_EXITED);
        break;
    case NOTICE_KILLED:
        on_end(a, n, END_KILLED);
        break;
    case NOTICE_TERMINATED:
        on_end(a, n, END_TERMINATED);
        break;
    case NOTICE_ENDED:
        on_end(a, n, END_ENDED);
        break;
    case NOTICE_STARTED:
    case NOTICE_UNTRACED:
        on_started(a, n);
        break;
    case NOTICE_LOST:
        a->rows.lost += n->data ? 0 : n->count;
        break;
    case NOTICE_CALLBACK_LOST:
    case NOTICE_CALLBACK_REPLACED:
        first.ns = time_of(a, n->time);
        first.call = name_of(a, STR("instrumentation callback"));
        add_behind(a, BEHIND_CALLBACK, first.call, name_of(a, STR("")), 0,
                   first);
        break;
    case NOTICE_PATCHES_LOST:
        first.ns = time_of(a, n->time);
        first.call = name_of(a, STR("system call functions"));
        add_behind(a, BEHIND_PATCHES, first.call, name_of(a, n->reason),
                   n->count, first);
        break;
    case NOTICE_THREAD_EXITED:
    case NOTICE_THREAD_TERMINATED:
    case NOTICE_THREAD_ENDED:
    case NOTICE_ATTACHED:
    case NOTICE_DETACHED:
    case NOTICE_LATE:
    case NOTICE_NO_CALLBACK:
    case NOTICE_PATCHED_AGAIN:
        break;
    }
}

struct model_out answers_out(struct answers *a)
{
    return (struct model_out){
        .ctx = a,
        .leave = on_leave,
        .transition = on_transition,
        .completion = on_completion,
        .notice = on_notice,
    };
}
