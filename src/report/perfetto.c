/* SPDX-License-Identifier: MIT */
/*
 * perfetto.c - a trace of TrackEvents, as Perfetto reads it: a track for each
 * thread, a slice for each call, instants for what is no call, a flow from who
 * starts a process to it, and a counter of calls.
 *
 * Numbers of fields are those of Perfetto's published messages TracePacket,
 * TrackEvent, TrackDescriptor and InternedData. A message is built in memory, so
 * that its size is known when it is written.
 */
#include "report/files.h"

#include "base/chars.h"
#include "base/saturate.h"
#include "report/labels.h"
#include "report/table.h"
#include "tables/status.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* Of one packet; what is longer loses its argument texts. */
#define PACKET_ROOM ((size_t)1 << 20)
#define EVENT_ROOM (PACKET_ROOM / 2)
/* Argument texts, of one call. */
#define ARGS_MOST 4096
#define TRACKS_MOST ((size_t)1 << 17)
/* The counter has a value for each so much. */
#define BIN_NS INT64_C(10000000)

enum packet_field {
    TRACE_PACKET = 1,
    PACKET_TIMESTAMP = 8,
    PACKET_SEQUENCE = 10,
    PACKET_EVENT = 11,
    PACKET_INTERNED = 12,
    PACKET_FLAGS = 13,
    PACKET_DESCRIPTOR = 60,
};

enum descriptor_field {
    DESCRIPTOR_UUID = 1,
    DESCRIPTOR_NAME = 2,
    DESCRIPTOR_PROCESS = 3,
    DESCRIPTOR_THREAD = 4,
    DESCRIPTOR_PARENT = 5,
    DESCRIPTOR_COUNTER = 8,
};

enum event_field {
    EVENT_CATEGORIES = 3,  // interned
    EVENT_ANNOTATIONS = 4,
    EVENT_TYPE = 9,
    EVENT_NAME = 10,  // interned
    EVENT_TRACK = 11,
    EVENT_NAME_TEXT = 23,
    EVENT_COUNTER = 30,
    EVENT_FLOWS = 47,
    EVENT_FLOW_ENDS = 48,
};

enum event_type {
    SLICE_BEGIN = 1,
    SLICE_END = 2,
    INSTANT = 3,
    COUNTER = 4,
};

enum interned_field {
    INTERNED_CATEGORIES = 1,
    INTERNED_NAMES = 2,
    INTERNED_ANNOTATIONS = 3,
};

enum annotation_field {
    ANNOTATION_NAME = 1,  // interned
    ANNOTATION_TEXT = 6,
};

/* What categories and annotations are called: by their numbers from 1. */
static const char *const categories[] = { "call", "wait", "event" };
static const char *const annotations[] = { "object", "result", "arguments",
                                           "changed" };

#define CLEARED 1
#define NEEDS_STATE 2
#define SEQUENCE 1
#define COUNTER_TRACK UINT64_C(1)

/* a: process, b: thread, or 0 for the process's own. */
struct track {
    struct table_key key;
};

/* The newest thread of an id, a. */
struct newest {
    struct table_key key;
    uint64_t process;
};

struct file_out {
    file_write *write;
    void *ctx;
    int64_t wall_ns;
    struct table tracks;
    struct table threads;
    struct labels *names;  // owned: of calls, by their interned numbers - 1
    uint64_t flows;
    int64_t bin;     // of the counter
    uint64_t calls;  // in it
    bool began;
    char packet[PACKET_ROOM];
    char event[EVENT_ROOM];
    char part[EVENT_ROOM / 2];
    char text[EVENT_ROOM / 4];
    char small[64];
};

/* --- protocol buffers -------------------------------------------------------- */

static void put_varint(struct buf *b, uint64_t n)
{
    while (n >= 0x80) {
        buf_add_char(b, (char)(n | 0x80));
        n >>= 7;
    }
    buf_add_char(b, (char)n);
}

static void put_number(struct buf *b, uint32_t field, uint64_t n)
{
    put_varint(b, (uint64_t)field << 3);
    put_varint(b, n);
}

static void put_fixed(struct buf *b, uint32_t field, uint64_t n)
{
    put_varint(b, (uint64_t)field << 3 | 1);
    for (int i = 0; i < 8; i++) {
        buf_add_char(b, (char)(n >> (8 * i)));
    }
}

static void put_bytes(struct buf *b, uint32_t field, str bytes)
{
    put_varint(b, (uint64_t)field << 3 | 2);
    put_varint(b, bytes.size);
    buf_add(b, bytes);
}

/* --- packets -------------------------------------------------------------------- */

static void write_packet(struct file_out *f, struct buf *packet)
{
    struct buf head = BUF_OVER(f->small);

    put_number(packet, PACKET_SEQUENCE, SEQUENCE);
    put_number(packet, PACKET_FLAGS,
               f->began ? NEEDS_STATE : CLEARED | NEEDS_STATE);
    f->began = true;
    if (packet->cut) {
        return; /* no part of one: its size would be wrong */
    }
    put_varint(&head, TRACE_PACKET << 3 | 2);
    put_varint(&head, packet->size);
    f->write(f->ctx, buf_str(&head));
    f->write(f->ctx, buf_str(packet));
}

static struct buf packet_at(struct file_out *f, int64_t ns)
{
    struct buf b = BUF_OVER(f->packet);
    int64_t at = saturate_sum(f->wall_ns, ns);

    put_number(&b, PACKET_TIMESTAMP, at > 0 ? (uint64_t)at : 0);
    return b;
}

static uint64_t track_number(uint64_t process, uint32_t tid)
{
    return (process + 1) << 33 | (uint64_t)tid << 1 | 1;
}

static void put_track(struct file_out *f, uint64_t uuid, uint64_t parent,
                      uint32_t part, str description, str name)
{
    struct buf b = BUF_OVER(f->packet);
    struct buf d = BUF_OVER(f->event);

    put_number(&d, DESCRIPTOR_UUID, uuid);
    if (name.size > 0) {
        put_bytes(&d, DESCRIPTOR_NAME, name);
    }
    if (parent != 0) {
        put_number(&d, DESCRIPTOR_PARENT, parent);
    }
    put_bytes(&d, part, description);
    put_bytes(&b, PACKET_DESCRIPTOR, buf_str(&d));
    write_packet(f, &b);
}

static void note_thread(struct file_out *f, uint64_t process, uint32_t tid)
{
    struct table_key key = { tid, 0 };
    struct newest *n = table_row(&f->threads, key);

    if (n != NULL) {
        n->process = process;
    }
}

/* The track of a thread; of its process if it is 0. Described when it is met. */
static uint64_t track_of(struct file_out *f, uint64_t process, uint32_t pid,
                         uint32_t tid, str image)
{
    struct table_key key = { process, tid };
    uint64_t uuid = track_number(process, tid);
    uint64_t parent = tid != 0 ? track_of(f, process, pid, 0, image) : 0;
    size_t count = f->tracks.count;
    struct buf b = BUF_OVER(f->part);

    table_row(&f->tracks, key);
    if (f->tracks.count == count) {
        return uuid; /* it was there, or there are too many */
    }
    put_number(&b, 1, pid);
    if (tid == 0) {
        put_bytes(&b, 6, image);
        put_track(f, uuid, 0, DESCRIPTOR_PROCESS, buf_str(&b), STR(""));
    } else {
        note_thread(f, process, tid);
        put_number(&b, 2, tid);
        put_track(f, uuid, parent, DESCRIPTOR_THREAD, buf_str(&b), STR(""));
    }
    return uuid;
}

/* Names that stand for themselves from the first packet on. */
static void put_state(struct file_out *f)
{
    struct buf b = BUF_OVER(f->packet);
    struct buf d = BUF_OVER(f->event);

    for (uint32_t kind = INTERNED_CATEGORIES; kind <= INTERNED_ANNOTATIONS;
         kind++) {
        const char *const *list =
            kind == INTERNED_CATEGORIES ? categories : annotations;

        for (uint64_t i = 0; kind != INTERNED_NAMES && i < 3; i++) {
            struct buf part = BUF_OVER(f->part);

            put_number(&part, 1, i + 1);
            put_bytes(&part, 2, str_of(list[i]));
            put_bytes(&d, kind, buf_str(&part));
        }
    }
    put_bytes(&b, PACKET_INTERNED, buf_str(&d));
    write_packet(f, &b);
    put_track(f, COUNTER_TRACK, 0, DESCRIPTOR_COUNTER, STR(""),
              STR("calls in 10 ms"));
}

/* The name of a call by its number, which the packet that has it first brings. */
static void put_name(struct file_out *f, str name, struct buf *packet,
                     struct buf *event)
{
    size_t count = labels_count(f->names);
    uint32_t label = labels_add(f->names, name);

    if (label == LABEL_NONE) {
        put_bytes(event, EVENT_NAME_TEXT, name);
        return;
    }
    if (labels_count(f->names) > count) {
        struct buf part = BUF_OVER(f->part);
        struct buf interned = BUF_OVER(f->text);

        put_number(&part, 1, (uint64_t)label + 1);
        put_bytes(&part, 2, name);
        put_bytes(&interned, INTERNED_NAMES, buf_str(&part));
        put_bytes(packet, PACKET_INTERNED, buf_str(&interned));
    }
    put_number(event, EVENT_NAME, (uint64_t)label + 1);
}

static void put_annotation(struct file_out *f, struct buf *event, uint64_t name,
                           str text)
{
    struct buf part = BUF_OVER(f->part);
    size_t size = text.size < ARGS_MOST ? text.size : ARGS_MOST;

    /* No half of a character. */
    while (size > 0 && size < text.size && (text.p[size] & 0xc0) == 0x80) {
        size--;
    }
    put_number(&part, ANNOTATION_NAME, name);
    put_bytes(&part, ANNOTATION_TEXT, str_slice(text, 0, size));
    put_bytes(event, EVENT_ANNOTATIONS, buf_str(&part));
}

/* --- events ----------------------------------------------------------------------- */

static void put_counter(struct file_out *f)
{
    struct buf b = packet_at(f, f->bin * BIN_NS);
    struct buf event = BUF_OVER(f->event);

    put_number(&event, EVENT_TYPE, COUNTER);
    put_number(&event, EVENT_TRACK, COUNTER_TRACK);
    put_number(&event, EVENT_COUNTER, f->calls);
    put_bytes(&b, PACKET_EVENT, buf_str(&event));
    write_packet(f, &b);
    f->calls = 0;
}

static void count(struct file_out *f, int64_t ns)
{
    int64_t bin = ns / BIN_NS;

    if (bin > f->bin && f->calls > 0) {
        put_counter(f);
        if (bin > f->bin + 1) {
            f->bin++;
            put_counter(f);
        }
    }
    f->bin = bin > f->bin ? bin : f->bin;
    f->calls++;
}

static void put_result(struct buf *b, const struct flat_call *c)
{
    if (!c->returned) {
        buf_add(b, STR("?"));
        return;
    }
    buf_add_hex(b, c->result);
    if (c->status != NULL) {
        buf_add_char(b, ' ');
        buf_add(b, str_of(c->status));
    }
}

static void on_call(void *ctx, const struct flat_call *c)
{
    struct file_out *f = ctx;
    uint64_t track = track_of(f, c->process, c->pid, c->tid, c->image);
    struct buf event = BUF_OVER(f->event);
    char room[100];
    struct buf result = BUF_OVER(room);
    struct buf b;

    count(f, c->began_ns + (c->took_ns > 0 ? c->took_ns : 0));
    b = packet_at(f, c->began_ns);
    put_number(&event, EVENT_TYPE, c->took_ns >= 0 ? SLICE_BEGIN : INSTANT);
    put_number(&event, EVENT_TRACK, track);
    put_number(&event, EVENT_CATEGORIES, c->waits ? 2 : 1);
    put_name(f, c->name, &b, &event);
    if (c->object.size > 0) {
        put_annotation(f, &event, 1, c->object);
    }
    put_result(&result, c);
    put_annotation(f, &event, 2, buf_str(&result));
    if (c->args.size > 0) {
        put_annotation(f, &event, 3, c->args);
    }
    if (str_of(c->changed).size > 0) {
        put_annotation(f, &event, 4, str_of(c->changed));
    }
    put_bytes(&b, PACKET_EVENT, buf_str(&event));
    write_packet(f, &b);
    if (c->took_ns >= 0) {
        b = packet_at(f, c->began_ns + c->took_ns);
        event = BUF_OVER(f->event);
        put_number(&event, EVENT_TYPE, SLICE_END);
        put_number(&event, EVENT_TRACK, track);
        put_bytes(&b, PACKET_EVENT, buf_str(&event));
        write_packet(f, &b);
    }
}

static void put_instant(struct file_out *f, int64_t ns, uint64_t track,
                        str name, uint32_t flow_field, uint64_t flow)
{
    struct buf b = packet_at(f, ns);
    struct buf event = BUF_OVER(f->event);

    put_number(&event, EVENT_TYPE, INSTANT);
    put_number(&event, EVENT_TRACK, track);
    put_number(&event, EVENT_CATEGORIES, 3);
    put_bytes(&event, EVENT_NAME_TEXT, name);
    if (flow_field != 0) {
        put_fixed(&event, flow_field, flow);
    }
    put_bytes(&b, PACKET_EVENT, buf_str(&event));
    write_packet(f, &b);
}

static uint64_t order_of(const struct model_process *p, uint32_t pid)
{
    return p != NULL ? model_process_order(p) : pid;
}

static str visible(struct file_out *f, str text)
{
    struct buf b = BUF_OVER(f->text);

    chars_add_visible(&b, text);
    return buf_str(&b);
}

static void on_transition(void *ctx, const struct transition_told *t,
                          int64_t ns)
{
    struct file_out *f = ctx;
    uint64_t track = track_of(f, order_of(t->process, t->pid), t->pid, t->tid,
                              visible(f, model_process_image(t->process)));
    struct buf b = BUF_OVER(f->text);

    buf_add(&b, decoder_transition_name(t->kind));
    if (t->status_known) {
        const char *name = status_name(t->status);

        buf_add_char(&b, ' ');
        if (name != NULL) {
            buf_add(&b, str_of(name));
        } else {
            buf_add_hex(&b, t->status);
        }
    }
    put_instant(f, ns, track, buf_str(&b), 0, 0);
}

static void on_module(void *ctx, const struct module_told *m, int64_t ns)
{
    struct file_out *f = ctx;
    uint64_t track = track_of(f, order_of(m->process, m->pid), m->pid, 0,
                              visible(f, model_process_image(m->process)));
    struct buf b = BUF_OVER(f->text);

    buf_add(&b, m->unmapped ? STR("unmapped ") : STR("mapped "));
    chars_add_visible(&b, m->name);
    put_instant(f, ns, track, buf_str(&b), 0, 0);
}

/* The track of who has started it, if it was heard of. */
static uint64_t starter_of(struct file_out *f, const struct child_told *child)
{
    struct table_key key = { child->by_tid, 0 };
    const struct newest *n =
        child->by_tid != 0 ? table_find(&f->threads, key) : NULL;

    return n != NULL ? track_number(n->process, child->by_tid) : 0;
}

static void on_notice(void *ctx, const struct notice *n, int64_t ns)
{
    struct file_out *f = ctx;
    uint64_t track;
    uint64_t from;
    struct buf b;

    if (n->kind == NOTICE_STARTED) {
        track = track_of(f, order_of(n->process, n->pid), n->pid, 0,
                         visible(f, str_file(n->child->image)));
        from = starter_of(f, n->child);
        f->flows++;
        b = BUF_OVER(f->text);
        buf_add(&b, STR("started: "));
        chars_add_visible(&b, n->child->command);
        if (from != 0) {
            put_instant(f, ns, from, STR("starts a process"), EVENT_FLOWS,
                        f->flows);
        }
        put_instant(f, ns, track, buf_str(&b), from != 0 ? EVENT_FLOW_ENDS : 0,
                    f->flows);
    } else if (n->kind == NOTICE_EXITED || n->kind == NOTICE_KILLED ||
               n->kind == NOTICE_TERMINATED || n->kind == NOTICE_ENDED) {
        track = track_of(f, order_of(n->process, n->pid), n->pid, 0,
                         visible(f, model_process_image(n->process)));
        b = BUF_OVER(f->text);
        buf_add(&b, n->kind == NOTICE_KILLED ? STR("killed by ")
                                             : STR("ends with "));
        buf_add_hex(&b, n->code);
        put_instant(f, ns, track, buf_str(&b), 0, 0);
    }
}

/* --- life cycle ------------------------------------------------------------------- */

static void perfetto_close(struct file_out *f)
{
    if (f != NULL) {
        table_close(&f->tracks);
        table_close(&f->threads);
        labels_close(f->names);
        free(f);
    }
}

static struct file_out *perfetto_open(file_write *write, void *ctx)
{
    struct file_out *f = calloc(1, sizeof(*f));

    if (f == NULL) {
        return NULL;
    }
    f->write = write;
    f->ctx = ctx;
    f->names = labels_open();
    table_init(&f->tracks, sizeof(struct track), TRACKS_MOST);
    table_init(&f->threads, sizeof(struct newest), TRACKS_MOST);
    if (f->names == NULL) {
        perfetto_close(f);
        return NULL;
    }
    return f;
}

static void perfetto_begin(struct file_out *f, int64_t wall_ns)
{
    f->wall_ns = wall_ns;
    put_state(f);
}

static void perfetto_end(struct file_out *f)
{
    if (f->calls > 0) {
        put_counter(f);
    }
}

static struct flat_out perfetto_out(struct file_out *f)
{
    return (struct flat_out){
        .ctx = f,
        .call = on_call,
        .transition = on_transition,
        .module = on_module,
        .notice = on_notice,
    };
}

const struct file_kind file_perfetto = {
    .name = "perfetto",
    .args = true,
    .open = perfetto_open,
    .out = perfetto_out,
    .begin = perfetto_begin,
    .end = perfetto_end,
    .close = perfetto_close,
};
