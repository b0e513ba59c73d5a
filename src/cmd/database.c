/* SPDX-License-Identifier: MIT */
/*
 * database.c - rows (report/flat.h) and answers into tables of SQLite's.
 *
 * All of it is one transaction: what fails leaves no half of a table. The first
 * failure is kept; what comes then is not written.
 */
#include "cmd/database.h"

#include "base/chars.h"
#include "base/saturate.h"
#include "platform/os.h"
#include "report/labels.h"
#include "report/table.h"
#include "tables/status.h"

#include <sqlite3.h>

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define ROWS_KEPT ((size_t)1 << 17)

static const char tables[] =
    "PRAGMA journal_mode = OFF;"
    "PRAGMA synchronous = OFF;"
    "BEGIN;"
    "CREATE TABLE processes(id INTEGER PRIMARY KEY, pid INTEGER,"
    " parent INTEGER, program TEXT, command TEXT, began_ns INTEGER,"
    " ended_ns INTEGER, ending TEXT, code INTEGER, calls INTEGER,"
    " errors INTEGER, call_ns INTEGER, wait_ns INTEGER);"
    "CREATE TABLE threads(id INTEGER PRIMARY KEY, process INTEGER,"
    " tid INTEGER, calls INTEGER, errors INTEGER, call_ns INTEGER,"
    " wait_ns INTEGER);"
    "CREATE TABLE calls(id INTEGER PRIMARY KEY, process INTEGER,"
    " thread INTEGER, name TEXT, began_ns INTEGER, took_ns INTEGER,"
    " result INTEGER, status TEXT, failed INTEGER, waits INTEGER, how TEXT,"
    " changed TEXT, object TEXT, kind TEXT);"
    "CREATE TABLE args(call INTEGER, position INTEGER, name TEXT,"
    " value TEXT, PRIMARY KEY(call, position)) WITHOUT ROWID;"
    "CREATE TABLE handles(process INTEGER, value INTEGER, type TEXT,"
    " name TEXT, first_call INTEGER, last_call INTEGER, uses INTEGER);"
    "CREATE TABLE modules(process INTEGER, name TEXT, base INTEGER,"
    " size INTEGER, at_ns INTEGER, unmapped INTEGER);"
    "CREATE TABLE changes(name TEXT, kind TEXT, bytes INTEGER, times INTEGER,"
    " renamed_to TEXT, gone INTEGER, first_ns INTEGER);"
    "CREATE TABLE lookups(process INTEGER, name TEXT, kind TEXT,"
    " misses INTEGER, status TEXT, call TEXT, first_ns INTEGER,"
    " found_as TEXT);";

static const char views[] =
    "CREATE TABLE files AS SELECT object AS name, count(*) AS calls,"
    " sum(failed) AS errors, sum(took_ns) AS call_ns,"
    " min(began_ns) AS first_ns FROM calls WHERE kind = 'file'"
    " GROUP BY object;"
    "CREATE INDEX calls_by_name ON calls(name);"
    "CREATE INDEX calls_by_object ON calls(object);"
    "CREATE VIEW counts AS SELECT name, waits, count(*) AS calls,"
    " sum(failed) AS errors, count(took_ns) AS timed, sum(took_ns) AS ns,"
    " min(took_ns) AS min_ns, max(took_ns) AS max_ns FROM calls"
    " GROUP BY name;"
    "CREATE VIEW not_found AS SELECT kind, name, sum(misses) AS misses,"
    " min(first_ns) AS first_ns FROM lookups WHERE found_as IS NULL"
    " GROUP BY kind, name;"
    "CREATE VIEW waits AS SELECT name, object, changed,"
    " count(*) AS times, sum(took_ns) AS ns, max(took_ns) AS longest_ns"
    " FROM calls WHERE waits OR took_ns >= 10000000"
    " GROUP BY name, object, changed;"
    "CREATE VIEW errors AS SELECT status, name, object, changed,"
    " count(*) AS times FROM calls WHERE failed"
    " GROUP BY status, name, object, changed;"
    "CREATE VIEW behind AS SELECT how, name, count(*) AS times FROM calls"
    " WHERE how <> '' GROUP BY how, name;"
    "COMMIT;";

enum statement {
    INSERT_CALL,
    INSERT_ARG,
    INSERT_HANDLE,
    INSERT_MODULE,
    INSERT_PROCESS,
    INSERT_THREAD,
    INSERT_CHANGE,
    INSERT_LOOKUP,
    STATEMENTS,
};

static const char *const inserts[STATEMENTS] = {
    [INSERT_CALL] = "INSERT INTO calls VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [INSERT_ARG] = "INSERT INTO args VALUES(?,?,?,?)",
    [INSERT_HANDLE] = "INSERT INTO handles VALUES(?,?,?,?,?,?,?)",
    [INSERT_MODULE] = "INSERT INTO modules VALUES(?,?,?,?,?,?)",
    [INSERT_PROCESS] =
        "INSERT INTO processes VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [INSERT_THREAD] = "INSERT INTO threads VALUES(?,?,?,?,?,?,?)",
    [INSERT_CHANGE] = "INSERT INTO changes VALUES(?,?,?,?,?,?,?)",
    [INSERT_LOOKUP] = "INSERT INTO lookups VALUES(?,?,?,?,?,?,?,?)",
};

/* a: process, b: thread. */
struct thread {
    struct table_key key;
    uint64_t calls;
    uint64_t errors;
    int64_t ns;
    int64_t wait_ns;
};

/* a: process, b: value. */
struct handle {
    struct table_key key;
    uint32_t type;  // labels
    uint32_t name;
    uint64_t first;
    uint64_t last;
    uint64_t uses;
};

struct database {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    bool failed;
    char why[200];
    struct table threads;
    struct table handles;
    struct labels *names;
    char room[SUBJECT_ROOM * 2];
};

/* --- what SQLite is asked ------------------------------------------------------ */

static bool fail(struct database *d)
{
    if (!d->failed) {
        struct buf b = BUF_OVER(d->why);

        buf_add(&b, str_of(sqlite3_errmsg(d->db)));
        buf_add_char(&b, '\0');
        d->why[sizeof(d->why) - 1] = '\0';
        d->failed = true;
    }
    return false;
}

static bool run(struct database *d, const char *sql)
{
    return sqlite3_exec(d->db, sql, NULL, NULL, NULL) == SQLITE_OK || fail(d);
}

/* A row that is being made: values by their columns, from 1. */
struct row {
    struct database *d;
    sqlite3_stmt *s;
    int column;
};

static struct row row_of(struct database *d, enum statement which)
{
    return (struct row){ d, d->statements[which], 0 };
}

static void put_number(struct row *r, int64_t n)
{
    sqlite3_bind_int64(r->s, ++r->column, n);
}

static void put_null(struct row *r)
{
    sqlite3_bind_null(r->s, ++r->column);
}

static void put_text(struct row *r, str text)
{
    sqlite3_bind_text64(r->s, ++r->column, text.p, text.size, SQLITE_TRANSIENT,
                        SQLITE_UTF8);
}

/* Of the target's. */
static void put_name(struct row *r, str name)
{
    struct buf b = BUF_OVER(r->d->room);

    chars_add_visible(&b, name);
    put_text(r, buf_str(&b));
}

static void end_row(struct row *r)
{
    if (sqlite3_step(r->s) != SQLITE_DONE) {
        fail(r->d);
    }
    sqlite3_reset(r->s);
}

/* --- rows --------------------------------------------------------------------------- */

static const char *kind_name(uint64_t kind)
{
    static const char *const names[SUBJECT_KINDS] = {
        [SUBJECT_FILE] = "file",     [SUBJECT_KEY] = "key",
        [SUBJECT_VALUE] = "value",   [SUBJECT_SOCKET] = "socket",
        [SUBJECT_DEVICE] = "device", [SUBJECT_OTHER] = "object",
    };

    return kind < SUBJECT_KINDS ? names[kind] : "?";
}

static void write_handle(struct database *d, const struct handle *h)
{
    struct row r = row_of(d, INSERT_HANDLE);

    put_number(&r, (int64_t)h->key.a);
    put_number(&r, (int64_t)h->key.b);
    put_name(&r, labels_text(d->names, h->type));
    put_name(&r, labels_text(d->names, h->name));
    put_number(&r, (int64_t)h->first);
    put_number(&r, (int64_t)h->last);
    put_number(&r, (int64_t)h->uses);
    end_row(&r);
}

/* A handle that refers to something else now is another one. */
static void note_handle(struct database *d, const struct flat_call *c,
                        uint64_t value, const struct object *o)
{
    struct table_key key = { c->process, value };
    struct handle *h = table_row(&d->handles, key);
    uint32_t type = labels_add(d->names, o->type);
    uint32_t name = labels_add(d->names, o->name);

    if (h == NULL) {
        return;
    }
    if (h->uses > 0 && (h->type != type || h->name != name)) {
        write_handle(d, h);
        h->uses = 0;
    }
    if (h->uses++ == 0) {
        h->type = type;
        h->name = name;
        h->first = c->number;
    }
    h->last = c->number;
}

static void note_thread(struct database *d, const struct flat_call *c)
{
    struct table_key key = { c->process, c->tid };
    struct thread *t = table_row(&d->threads, key);

    if (t != NULL) {
        int64_t *sum = c->waits ? &t->wait_ns : &t->ns;

        t->calls++;
        t->errors += c->failed;
        *sum = saturate_sum(*sum, c->took_ns > 0 ? c->took_ns : 0);
    }
}

static void on_call(void *ctx, const struct flat_call *c)
{
    struct database *d = ctx;
    struct row r = row_of(d, INSERT_CALL);

    if (d->failed) {
        return;
    }
    put_number(&r, (int64_t)c->number);
    put_number(&r, (int64_t)c->process);
    put_number(&r, c->tid);
    put_text(&r, c->name);
    put_number(&r, c->began_ns);
    if (c->took_ns >= 0) {
        put_number(&r, c->took_ns);
    } else {
        put_null(&r);
    }
    if (c->returned) {
        put_number(&r, (int64_t)c->result);
    } else {
        put_null(&r);
    }
    put_text(&r, str_of(c->status));
    put_number(&r, c->failed);
    put_number(&r, c->waits);
    put_text(&r, str_of(c->how));
    put_text(&r, str_of(c->changed));
    put_text(&r, c->object);
    put_text(&r, c->object.size > 0 ? str_of(kind_name(c->kind)) : STR(""));
    end_row(&r);
    for (size_t i = 0; i < c->arg_count; i++) {
        r = row_of(d, INSERT_ARG);
        put_number(&r, (int64_t)c->number);
        put_number(&r, (int64_t)i);
        put_text(&r, c->arg[i].name);
        put_text(&r, c->arg[i].value);
        end_row(&r);
    }
    for (uint32_t i = 0; i < CALL_ARGS_MAX; i++) {
        if (c->call->objects[i] != NULL) {
            note_handle(d, c, c->call->args[i], c->call->objects[i]);
        }
    }
    note_thread(d, c);
}

static void on_module(void *ctx, const struct module_told *m, int64_t ns)
{
    struct database *d = ctx;
    struct row r = row_of(d, INSERT_MODULE);

    put_number(&r, m->process != NULL ? (int64_t)model_process_order(m->process)
                                      : m->pid);
    put_name(&r, m->name);
    put_number(&r, (int64_t)m->base);
    put_number(&r, (int64_t)m->size);
    put_number(&r, ns);
    put_number(&r, m->unmapped);
    end_row(&r);
}

/* --- answers ------------------------------------------------------------------------- */

static int64_t process_id(const struct answers_rows *rows, uint32_t row)
{
    const struct process_row *p;

    if (row >= rows->processes.count) {
        return -1;
    }
    p = table_at(&rows->processes, row);
    return p->key.b > 0 ? -(int64_t)p->key.b - 1 : (int64_t)p->key.a;
}

static void write_processes(struct database *d, const struct answers_rows *rows)
{
    static const char *const endings[] = {
        [END_NONE] = "",         [END_EXITED] = "exited",
        [END_KILLED] = "killed", [END_TERMINATED] = "terminated",
        [END_ENDED] = "ended",   [END_UNTRACED] = "not traced",
    };

    for (size_t i = 0; i < rows->processes.count; i++) {
        const struct process_row *p = table_at(&rows->processes, i);
        struct row r = row_of(d, INSERT_PROCESS);

        put_number(&r, process_id(rows, (uint32_t)i));
        put_number(&r, p->pid);
        if (p->parent == UINT32_MAX) {
            put_null(&r);
        } else {
            put_number(&r, process_id(rows, p->parent));
        }
        put_name(&r, labels_text(rows->names, p->image));
        put_name(&r, p->command != NULL ? (str){ p->command, p->command_size }
                                        : STR(""));
        put_number(&r, p->began);
        if (p->end == END_NONE || p->end == END_UNTRACED) {
            put_null(&r);
        } else {
            put_number(&r, p->ended);
        }
        put_text(&r, str_of(endings[p->end]));
        put_number(&r, p->code);
        put_number(&r, (int64_t)p->calls);
        put_number(&r, (int64_t)p->errors);
        put_number(&r, p->ns);
        put_number(&r, p->wait_ns);
        end_row(&r);
    }
}

static void write_lookups(struct database *d, const struct answers_rows *rows)
{
    for (size_t i = 0; i < rows->sought.count; i++) {
        const struct sought *s = table_at(&rows->sought, i);
        const struct found *f = answers_found(rows, s);
        struct row r = row_of(d, INSERT_LOOKUP);

        if (s->misses == 0) {
            continue;
        }
        put_number(&r, (int64_t)s->key.a);
        put_name(&r, labels_text(rows->names, (uint32_t)(s->key.b >> 8)));
        put_text(&r, str_of(kind_name(s->key.b & 0xff)));
        put_number(&r, (int64_t)s->misses);
        put_text(&r, str_of(status_name(s->status)));
        put_name(&r, labels_text(rows->names, s->first.call));
        put_number(&r, s->first.ns);
        if (f != NULL) {
            put_name(&r, labels_text(rows->names, f->thing));
        } else {
            put_null(&r);
        }
        end_row(&r);
    }
}

static void write_changes(struct database *d, const struct answers_rows *rows)
{
    for (size_t i = 0; i < rows->changed.count; i++) {
        const struct changed *c = table_at(&rows->changed, i);
        struct row r = row_of(d, INSERT_CHANGE);

        put_name(&r, labels_text(rows->names, (uint32_t)c->key.a));
        put_text(&r, str_of(kind_name(c->key.b)));
        put_number(&r, (int64_t)c->bytes);
        put_number(&r, (int64_t)c->times);
        if (c->to != LABEL_NONE) {
            put_name(&r, labels_text(rows->names, c->to));
        } else {
            put_null(&r);
        }
        put_number(&r, c->gone);
        put_number(&r, c->first.ns);
        end_row(&r);
    }
}

static void write_threads(struct database *d)
{
    for (size_t i = 0; i < d->threads.count; i++) {
        const struct thread *t = table_at(&d->threads, i);
        struct row r = row_of(d, INSERT_THREAD);

        put_number(&r, (int64_t)i + 1);
        put_number(&r, (int64_t)t->key.a);
        put_number(&r, (int64_t)t->key.b);
        put_number(&r, (int64_t)t->calls);
        put_number(&r, (int64_t)t->errors);
        put_number(&r, t->ns);
        put_number(&r, t->wait_ns);
        end_row(&r);
    }
}

/* --- life cycle ------------------------------------------------------------------------ */

static bool prepare(struct database *d)
{
    for (size_t i = 0; i < STATEMENTS; i++) {
        if (sqlite3_prepare_v2(d->db, inserts[i], -1, &d->statements[i],
                               NULL) != SQLITE_OK) {
            return fail(d);
        }
    }
    return true;
}

/* A name for SQLite, which would take some for options of its own. */
static bool open_file(struct database *d, str path)
{
    char *name = malloc(path.size + 3);
    bool ok;

    if (name == NULL) {
        return false;
    }
    memcpy(name, "./", 2);
    memcpy(name + (path.p[0] == '/' ? 0 : 2), path.p, path.size);
    name[path.size + (path.p[0] == '/' ? 0 : 2)] = '\0';
    ok =
        sqlite3_open_v2(name, &d->db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK;
    free(name);
    return ok || fail(d);
}

struct database *database_open(str path, struct err *e)
{
    struct os_file file = { 0 };
    struct database *d;

    /* Emptied, and seen to be writable, by whoever does that for all outputs. */
    if (!os_file_create(&file, path, e) || !os_file_close(&file, e)) {
        return NULL;
    }
    d = calloc(1, sizeof(*d));
    if (d == NULL) {
        err_set(e, ERR_OS, "out of memory");
        return NULL;
    }
    table_init(&d->threads, sizeof(struct thread), ROWS_KEPT);
    table_init(&d->handles, sizeof(struct handle), ROWS_KEPT);
    d->names = labels_open();
    if (d->names == NULL || !open_file(d, path) || !run(d, tables) ||
        !prepare(d)) {
        err_set(e, ERR_OS, "cannot make a database of %.*s: %s", STR_ARGS(path),
                d->failed ? d->why : "out of memory");
        database_close(d);
        return NULL;
    }
    return d;
}

struct flat_out database_out(struct database *d)
{
    return (struct flat_out){
        .ctx = d,
        .call = on_call,
        .module = on_module,
    };
}

bool database_failed(const struct database *d)
{
    return d->failed;
}

bool database_end(struct database *d, const struct answers_rows *rows,
                  struct err *e)
{
    for (size_t i = 0; i < d->handles.count; i++) {
        write_handle(d, table_at(&d->handles, i));
    }
    write_threads(d);
    write_processes(d, rows);
    write_lookups(d, rows);
    write_changes(d, rows);
    if (d->failed || !run(d, views)) {
        return err_set(e, ERR_OS, "the database: %s", d->why);
    }
    return true;
}

void database_close(struct database *d)
{
    if (d == NULL) {
        return;
    }
    for (size_t i = 0; i < STATEMENTS; i++) {
        sqlite3_finalize(d->statements[i]);
    }
    sqlite3_close(d->db);
    table_close(&d->threads);
    table_close(&d->handles);
    labels_close(d->names);
    free(d);
}
