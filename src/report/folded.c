/* SPDX-License-Identifier: MIT */
/*
 * folded.c - stacks with semicolons between and a number behind, for flame graphs:
 * the program, the thread, the callers if they were recorded, the call, and the
 * nanoseconds spent in it.
 *
 * Equal stacks are added up, in a table that has an end: when it is full it is
 * written out, and begins anew; who reads adds up again.
 */
#include "report/files.h"

#include "base/keyed.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define STACKS_MOST 16384
#define SLOTS (4 * STACKS_MOST)
#define TEXT_ROOM ((size_t)16 << 20)
#define STACK_ROOM ((size_t)128 << 10)

struct stack {
    uint64_t hash;
    size_t at;
    size_t size;
    uint64_t ns;
};

struct file_out {
    file_write *write;
    void *ctx;
    struct stack stacks[STACKS_MOST];
    uint32_t slots[SLOTS];  // number + 1, or 0
    size_t count;
    size_t text_size;
    char text[TEXT_ROOM];
    char stack[STACK_ROOM];
};

static void folded_close(struct file_out *f)
{
    free(f);
}

static struct file_out *folded_open(file_write *write, void *ctx)
{
    struct file_out *f = calloc(1, sizeof(*f));

    if (f != NULL) {
        f->write = write;
        f->ctx = ctx;
    }
    return f;
}

static void folded_begin(struct file_out *f, int64_t wall_ns)
{
    (void)f;
    (void)wall_ns;
}

static void folded_end(struct file_out *f)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct stack *s = &f->stacks[i];
        char room[32];
        struct buf b = BUF_OVER(room);

        buf_add_char(&b, ' ');
        buf_add_dec(&b, s->ns);
        buf_add_char(&b, '\n');
        f->write(f->ctx, (str){ f->text + s->at, s->size });
        f->write(f->ctx, buf_str(&b));
    }
    f->count = 0;
    f->text_size = 0;
    memset(f->slots, 0, sizeof(f->slots));
}

static void add(struct file_out *f, str stack, uint64_t ns)
{
    uint64_t hash = keyed_bytes(stack.p, stack.size);
    size_t at = hash % SLOTS;

    for (; f->slots[at] != 0; at = (at + 1) % SLOTS) {
        struct stack *s = &f->stacks[f->slots[at] - 1];

        if (s->hash == hash && s->size == stack.size &&
            memcmp(f->text + s->at, stack.p, stack.size) == 0) {
            s->ns += ns;
            return;
        }
    }
    if (f->count == STACKS_MOST || stack.size > TEXT_ROOM - f->text_size) {
        folded_end(f);
        at = hash % SLOTS;
    }
    memcpy(f->text + f->text_size, stack.p, stack.size);
    f->stacks[f->count] = (struct stack){ hash, f->text_size, stack.size, ns };
    f->text_size += stack.size;
    f->slots[at] = (uint32_t)++f->count;
}

/* A frame of the target's naming: without what would end it. */
static void add_name(struct buf *b, str name)
{
    for (size_t i = 0; i < name.size; i++) {
        buf_add_char(b, name.p[i] == ';' ? ':' : name.p[i]);
    }
}

static void on_call(void *ctx, const struct flat_call *c)
{
    struct file_out *f = ctx;
    struct buf b = BUF_OVER(f->stack);

    if (c->took_ns <= 0) {
        return;
    }
    if (c->image.size > 0) {
        add_name(&b, c->image);
        buf_add_char(&b, ' ');
    }
    buf_add_dec(&b, c->pid);
    buf_add(&b, STR(";thread "));
    buf_add_dec(&b, c->tid);
    buf_add_char(&b, ';');
    if (c->frames.size > 0) {
        /* The call itself is there in any case. */
        buf_add(&b, str_slice(c->frames, 0, STACK_ROOM / 2));
        buf_add_char(&b, ';');
    }
    add_name(&b, c->name);
    add(f, buf_str(&b), (uint64_t)c->took_ns);
}

static struct flat_out folded_out(struct file_out *f)
{
    return (struct flat_out){ .ctx = f, .call = on_call };
}

const struct file_kind file_folded = {
    .name = "folded",
    .callers = true,
    .open = folded_open,
    .out = folded_out,
    .begin = folded_begin,
    .end = folded_end,
    .close = folded_close,
};
