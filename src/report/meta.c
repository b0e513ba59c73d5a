/* SPDX-License-Identifier: MIT */
/*
 * meta.c - an element "meta", deflated JSON, for names and command lines may be many:
 *
 *     last, bins   ns of the whole time; bins of each thread's track
 *     recording    path of the recording, for a command line
 *     calls        how many calls there were
 *     names        number: text, of those that are referred to
 *     statuses     number: name, of results of calls that failed
 *     processes    [pid, row of the parent or -1, program, began, ended or -1,
 *                  command], by row
 *     threads      [row of the process or -1, tid, calls, failed, ns, ns waited],
 *                  by row
 */
#include "report/meta.h"

#include "tables/status.h"

#include <stdlib.h>

#include "base/banned.h"

static void add_ns(struct html *h, int64_t ns)
{
    html_plain(h, ns > 0 ? (uint64_t)ns : 0);
}

static void add_names(struct html *h, const struct labels *names,
                      const uint8_t *used)
{
    bool any = false;

    HTML(h, "\"names\":{");
    for (uint32_t i = 0; i < labels_count(names); i++) {
        if ((used[i / 8] >> i % 8 & 1) == 0) {
            continue;
        }
        html_add(h, any ? STR(",\n\"") : STR("\""));
        any = true;
        html_plain(h, i);
        HTML(h, "\":\"");
        html_json(h, labels_text(names, i));
        HTML(h, "\"");
    }
    HTML(h, "},\n");
}

static void add_statuses(struct html *h, const struct answers_rows *r)
{
    struct table seen;
    size_t told = 0;

    table_init(&seen, sizeof(struct table_key), ROWS_MOST);
    for (size_t i = 0; i < r->wrong.count + r->sought.count; i++) {
        uint32_t status =
            i < r->wrong.count
                ? (uint32_t)((struct wrong *)table_at(&r->wrong, i))->key.b
                : ((struct sought *)table_at(&r->sought, i - r->wrong.count))
                      ->status;
        struct table_key key = { status, 0 };

        table_row(&seen, key);
    }
    HTML(h, "\"statuses\":{");
    for (size_t i = 0; i < seen.count; i++) {
        uint32_t status = (uint32_t)((struct table_key *)table_at(&seen, i))->a;
        const char *name = status_name(status);

        if (name != NULL) {
            html_add(h, told++ > 0 ? STR(",\"") : STR("\""));
            html_plain(h, status);
            HTML(h, "\":\"");
            html_json(h, str_of(name));
            HTML(h, "\"");
        }
    }
    HTML(h, "},\n");
    table_close(&seen);
}

static void add_processes(struct html *h, const struct answers_rows *r)
{
    HTML(h, "\"processes\":[");
    for (size_t i = 0; i < r->processes.count; i++) {
        const struct process_row *p = table_at(&r->processes, i);

        html_add(h, i > 0 ? STR(",\n[") : STR("["));
        html_plain(h, p->pid);
        HTML(h, ",");
        if (p->parent < i) {
            html_plain(h, p->parent);
        } else {
            HTML(h, "-1");
        }
        HTML(h, ",\"");
        html_json(h, labels_text(r->names, p->image));
        HTML(h, "\",");
        add_ns(h, p->began);
        HTML(h, ",");
        if (p->end == END_NONE || p->end == END_UNTRACED) {
            HTML(h, "-1");
        } else {
            add_ns(h, p->ended);
        }
        HTML(h, ",\"");
        html_json(h, p->command != NULL ? (str){ p->command, p->command_size }
                                        : STR(""));
        HTML(h, "\"]");
    }
    HTML(h, "],\n");
}

static void add_threads(struct html *h, const struct answers_rows *r,
                        const struct tally *t)
{
    HTML(h, "\"threads\":[");
    for (size_t i = 0; i < t->threads.count; i++) {
        const struct tally_thread *row = table_at(&t->threads, i);
        struct table_key key = { row->key.a, 0 };
        const char *process = table_find(&r->processes, key);

        html_add(h, i > 0 ? STR(",\n[") : STR("["));
        if (process != NULL) {
            html_plain(h, (size_t)(process - (const char *)r->processes.rows) /
                              sizeof(struct process_row));
        } else {
            HTML(h, "-1");
        }
        HTML(h, ",");
        html_plain(h, row->key.b);
        HTML(h, ",");
        html_plain(h, row->calls);
        HTML(h, ",");
        html_plain(h, row->errors);
        HTML(h, ",");
        add_ns(h, row->ns);
        HTML(h, ",");
        add_ns(h, row->wait_ns);
        HTML(h, "]");
    }
    HTML(h, "]");
}

static void write_all(struct html *h, const struct answers_rows *rows,
                      const struct tally *tally, unsigned bins, str recording,
                      const uint8_t *used)
{
    HTML(h, "{\"last\":");
    add_ns(h, tally->last_ns);
    HTML(h, ",\"bins\":");
    html_plain(h, bins);
    HTML(h, ",\"calls\":");
    html_plain(h, rows->calls);
    HTML(h, ",\"recording\":\"");
    html_json(h, recording);
    HTML(h, "\",\n");
    add_names(h, rows->names, used);
    add_statuses(h, rows);
    add_processes(h, rows);
    add_threads(h, rows, tally);
    HTML(h, "}");
}

static void pack(void *packed, str bytes)
{
    packed_add(packed, bytes.p, bytes.size);
}

bool meta_write(struct html *h, const struct answers_rows *rows,
                const struct tally *tally, unsigned bins, str recording,
                const uint8_t *used)
{
    struct html *inside = calloc(1, sizeof(*inside));
    struct packed *p = inside != NULL ? packed_open(h, "meta") : NULL;

    if (p != NULL) {
        inside->write = pack;
        inside->ctx = p;
        write_all(inside, rows, tally, bins, recording, used);
    }
    free(inside);
    return packed_close(p);
}
