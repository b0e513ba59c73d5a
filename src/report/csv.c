/* SPDX-License-Identifier: MIT */
/*
 * csv.c - a line for each call, with commas between, as RFC 4180 has them, and the
 * names of the columns in the first.
 */
#include "report/files.h"

#include "base/saturate.h"
#include "format/line.h"

#include <stdlib.h>

#include "base/banned.h"

struct file_out {
    file_write *write;
    void *ctx;
    int64_t wall_ns;
    struct line line;
};

static void csv_close(struct file_out *f)
{
    if (f != NULL) {
        line_close(&f->line);
        free(f);
    }
}

static struct file_out *csv_open(file_write *write, void *ctx)
{
    struct file_out *f = calloc(1, sizeof(*f));

    if (f != NULL) {
        f->write = write;
        f->ctx = ctx;
        if (!line_open(&f->line)) {
            csv_close(f);
            return NULL;
        }
    }
    return f;
}

/* In quotes, "" for each ". */
static void add_text(struct file_out *f, str text)
{
    struct buf *b = &f->line.buf;

    line_room(&f->line, 2 * text.size + 3);
    buf_add_char(b, ',');
    buf_add_char(b, '"');
    for (size_t i = 0; i < text.size; i++) {
        if (text.p[i] == '"') {
            buf_add_char(b, '"');
        }
        buf_add_char(b, text.p[i]);
    }
    buf_add_char(b, '"');
}

static void add_number(struct file_out *f, int64_t n)
{
    line_room(&f->line, 32);
    buf_addf(&f->line.buf, ",%lld", (long long)n);
}

static void csv_begin(struct file_out *f, int64_t wall_ns)
{
    f->wall_ns = wall_ns;
    f->write(f->ctx,
             STR("id,time_ns,took_ns,process,pid,tid,program,call,result,"
                 "status,failed,waits,how,changed,object,arguments\r\n"));
}

static void on_call(void *ctx, const struct flat_call *c)
{
    struct file_out *f = ctx;
    struct buf *b = &f->line.buf;

    line_reset(&f->line);
    line_room(&f->line, 64);
    buf_add_dec(b, c->number);
    add_number(f, saturate_sum(f->wall_ns, c->began_ns));
    if (c->took_ns >= 0) {
        add_number(f, c->took_ns);
    } else {
        buf_add_char(b, ',');
    }
    add_number(f, (int64_t)c->process);
    add_number(f, c->pid);
    add_number(f, c->tid);
    add_text(f, c->image);
    add_text(f, c->name);
    buf_add_char(b, ',');
    if (c->returned) {
        buf_add_hex(b, c->result);
    }
    add_text(f, str_of(c->status));
    add_number(f, c->failed);
    add_number(f, c->waits);
    add_text(f, str_of(c->how));
    add_text(f, str_of(c->changed));
    add_text(f, c->object);
    add_text(f, c->args);
    line_room(&f->line, 2);
    buf_add(b, STR("\r\n"));
    f->write(f->ctx, buf_str(b));
}

static struct flat_out csv_out(struct file_out *f)
{
    return (struct flat_out){ .ctx = f, .call = on_call };
}

static void csv_end(struct file_out *f)
{
    (void)f;
}

const struct file_kind file_csv = {
    .name = "csv",
    .args = true,
    .open = csv_open,
    .out = csv_out,
    .begin = csv_begin,
    .end = csv_end,
    .close = csv_close,
};
