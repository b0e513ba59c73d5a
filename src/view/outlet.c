/* SPDX-License-Identifier: MIT */
/*
 * outlet.c - decoder, sink and output for each process, or for all.
 *
 * Touches the outputs alone. What cannot be made or written is told by the main
 * output, as if it had failed itself.
 */
#include "view/outlet.h"

#include "base/array.h"
#include "base/version.h"

#include <stdlib.h>

#include "base/banned.h"

/* How many processes with this id had a file. */
struct outlet_id {
    uint64_t pid;  // first of all: array_above
    uint32_t count;
};

/* --- one of them --- */

/* `of`: shares its decoder's room; NULL: it gets one. Without memory a text cuts
 * its lines and is used all the same; false: it is JSON. */
static bool open_lines(struct outlet *out, const struct outlet_setting *s,
                       const struct outlet *of)
{
    struct sink *sink = &out->text.sink;
    bool ok = true;

    if (s->json) {
        ok = json_init(&out->json, output_line, out->output);
        sink = &out->json.sink;
    } else {
        text_init(&out->text, &s->text, output_line, out->output);
    }
    if (of != NULL) {
        decoder_join(&out->decoder, sink, &of->decoder);
    } else {
        decoder_init(&out->decoder, sink, s->clock, &s->decode);
    }
    if (ok && s->json) {
        json_header(&out->json, STR(NTSTRACE_VERSION));
    }
    return ok;
}

static void close_lines(struct outlet *out)
{
    decoder_close(&out->decoder);
    text_close(&out->text);
    json_close(&out->json);
}

/* --- files --- */

static void fail(struct outlets *o, const struct err *why)
{
    if (!o->main->failed) {
        o->main->failed = true;
        o->main->why = *why;
    }
}

/* Looks whether all that was written to it could be. */
static void judge(struct outlets *o, const struct outlet *out)
{
    if (out->output->failed) {
        fail(o, &out->output->why);
    }
}

/* The how-manieth process of this id it is; 0 without memory. */
static uint32_t count_id(struct outlets *o, uint32_t pid)
{
    size_t at = array_above(o->ids, o->id_count, sizeof(o->ids[0]), pid);

    if (at > 0 && o->ids[at - 1].pid == pid) {
        return ++o->ids[at - 1].count;
    }
    if (!array_grow(&o->ids, &o->id_room, o->id_count, sizeof(o->ids[0]))) {
        return 0;
    }
    for (size_t i = o->id_count; i > at; i--) {
        o->ids[i] = o->ids[i - 1];
    }
    o->ids[at] = (struct outlet_id){ .pid = pid, .count = 1 };
    o->id_count++;
    return 1;
}

static bool create(struct outlets *o, struct outlet *out, uint32_t pid,
                   struct err *e)
{
    size_t room = o->setting.separate.size + 32;
    struct buf path = { malloc(room), 0, room, false };
    uint32_t count = count_id(o, pid);
    bool ok;

    out->output = calloc(1, sizeof(*out->output));
    if (path.p == NULL || out->output == NULL || count == 0) {
        free(path.p);
        return err_set(e, ERR_OS, "out of memory");
    }
    buf_add(&path, o->setting.separate);
    buf_add_char(&path, '.');
    buf_add_dec(&path, pid);
    if (count > 1) {
        buf_add_char(&path, '.');
        buf_add_dec(&path, count);
    }
    ok = output_create(out->output, buf_str(&path), e);
    free(path.p);
    return ok;
}

static struct outlet **slot_of(struct outlets *o, uint64_t process)
{
    return &o->slots[process % OUTLET_SLOTS];
}

static void give_back(struct outlets *o, struct outlet *out)
{
    struct err e;

    output_flush(out->output);
    judge(o, out);
    if (!output_close(out->output, &e)) {
        fail(o, &e);
    }
    close_lines(out);
    free(out->output);
    free(out);
}

static struct outlet *make(struct outlets *o, uint64_t process, uint32_t pid)
{
    struct outlet *out = calloc(1, sizeof(*out));
    struct err e = { 0 };
    bool ok = out != NULL ? create(o, out, pid, &e)
                          : err_set(&e, ERR_OS, "out of memory");

    if (!ok) {
        fail(o, &e);
        if (out != NULL) {
            free(out->output);
        }
        free(out);
        return &o->whole;
    }
    if (!open_lines(out, &o->setting, &o->whole)) {
        err_set(&e, ERR_OS, "out of memory");
        fail(o, &e);
    }
    out->process = process;
    out->next = *slot_of(o, process);
    *slot_of(o, process) = out;
    return out;
}

/* --- all of them --- */

bool outlets_open(struct outlets *o, const struct outlet_setting *setting,
                  struct output *main)
{
    o->setting = *setting;
    o->main = main;
    o->whole.output = main;
    o->open = true;
    if (setting->separate.size > 0 && setting->json) {
        /* Nothing goes there, not even a header. */
        decoder_init(&o->whole.decoder, &o->whole.json.sink, setting->clock,
                     &setting->decode);
        return json_init(&o->whole.json, output_line, main);
    }
    return open_lines(&o->whole, setting, NULL);
}

void outlets_close(struct outlets *o)
{
    for (size_t i = 0; i < OUTLET_SLOTS; i++) {
        while (o->slots[i] != NULL) {
            outlets_end(o, o->slots[i]->process);
        }
    }
    if (o->open) {
        close_lines(&o->whole);
    }
    free(o->ids);
    *o = (struct outlets){ .open = false };
}

struct outlet *outlets_find(struct outlets *o, uint64_t process)
{
    if (o->setting.separate.size == 0) {
        return &o->whole;
    }
    if (o->last != NULL && o->last->process == process) {
        return o->last;
    }
    for (struct outlet *out = *slot_of(o, process); out != NULL;
         out = out->next) {
        if (out->process == process) {
            o->last = out;
            return out;
        }
    }
    return NULL;
}

struct outlet *outlets_of(struct outlets *o, uint64_t process, uint32_t pid)
{
    struct outlet *out = outlets_find(o, process);

    return out != NULL       ? out
           : o->main->failed ? &o->whole
                             : make(o, process, pid);
}

void outlets_end(struct outlets *o, uint64_t process)
{
    struct outlet *out = outlets_find(o, process);
    struct outlet **link = slot_of(o, process);

    if (out == NULL || out == &o->whole) {
        return;
    }
    while (*link != out) {
        link = &(*link)->next;
    }
    *link = out->next;
    o->last = NULL;
    give_back(o, out);
}

void outlets_tell_held(struct outlets *o)
{
    decoder_flush(&o->whole.decoder);
    for (size_t i = 0; i < OUTLET_SLOTS; i++) {
        for (struct outlet *out = o->slots[i]; out != NULL; out = out->next) {
            decoder_flush(&out->decoder);
        }
    }
}

void outlets_flush(struct outlets *o)
{
    if (o->main != NULL) {
        output_flush(o->main);
    }
    for (size_t i = 0; i < OUTLET_SLOTS; i++) {
        for (struct outlet *out = o->slots[i]; out != NULL; out = out->next) {
            output_flush(out->output);
            judge(o, out);
        }
    }
}
