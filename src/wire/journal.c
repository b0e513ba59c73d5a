/* SPDX-License-Identifier: MIT */
/*
 * journal.c - records of the journal are built, and judged.
 *
 * Touches nothing but its arguments. What does not fit is cut, or refused;
 * what is judged to be a record can be read without looking at sizes again.
 */
#include "wire/journal.h"

#include <stddef.h>
#include <string.h>

#include "base/banned.h"

/* --- what a record is made of --- */

#define TEXTS_MOST 3

/* The struct of a kind, and where in it the sizes of its texts stand. */
struct shape {
    uint32_t fixed;
    uint8_t texts;
    uint32_t size_at[TEXTS_MOST];
};

/* clang-format off */
#define AT(type, field) offsetof(struct journal_##type, field)
#define SHAPE(KIND, type, count, ...)                                       \
    [JOURNAL_##KIND - JOURNAL_PROCESS] =                                    \
        { sizeof(struct journal_##type), count, { __VA_ARGS__ } }

static const struct shape shapes[] = {
    SHAPE(PROCESS, process, 2,
          AT(process, image_size), AT(process, command_size)),
    SHAPE(PROCESS_END, process_end, 0, 0),
    SHAPE(THREAD_END, thread_end, 0, 0),
    SHAPE(MODULE, module, 2, AT(module, name_size), AT(module, pdb_size)),
    SHAPE(FILE, file, 1, AT(file, path_size)),
    SHAPE(UNMODULE, unmodule, 0, 0),
    SHAPE(STUBS, stubs, 1, AT(stubs, name_size)),
    SHAPE(HANDLE, handle, 3,
          AT(handle, type_size), AT(handle, name_size), AT(handle, path_size)),
    SHAPE(PLACE, place, 1, AT(place, name_size)),
    SHAPE(ANSWER, answer, 0, 0),
    SHAPE(CLOCK, clock, 0, 0),
    SHAPE(LOST, lost, 0, 0),
    SHAPE(NOTICE, notice, 0, 0),
    SHAPE(CHILD, child, 3,
          AT(child, image_size), AT(child, command_size), AT(child, why_size)),
};
/* clang-format on */

/* A PROCESS of format 0.1 ends so early. */
#define PROCESS_WITHOUT_STARTER AT(process, parent_tid)

static_assert(COUNT_OF(shapes) == JOURNAL_END - JOURNAL_PROCESS, "journal.c");

static uint32_t u32_in(const void *record, size_t at)
{
    uint32_t n;

    memcpy(&n, (const char *)record + at, sizeof(n));
    return n;
}

static const struct shape *shape_of(uint8_t kind)
{
    return kind >= JOURNAL_PROCESS && kind < JOURNAL_END
               ? &shapes[kind - JOURNAL_PROCESS]
               : NULL;
}

/* Bytes of a record before its rows and texts; it has a kind. */
static uint32_t fixed_of(const struct record_head *head)
{
    return head->kind == JOURNAL_PROCESS &&
                   (head->flags & JOURNAL_PROCESS_STARTER) == 0
               ? PROCESS_WITHOUT_STARTER
               : shape_of(head->kind)->fixed;
}

/* Bytes of the rows of a STUBS record that stand before its texts. */
static uint64_t rows_size(const void *record)
{
    const struct journal_stubs *s = record;

    return s->head.kind == JOURNAL_STUBS
               ? (uint64_t)s->count * sizeof(struct journal_stub)
               : 0;
}

static struct journal_stub row_at(const void *record, uint32_t i)
{
    struct journal_stub row;

    memcpy(&row,
           (const char *)record + sizeof(struct journal_stubs) +
               i * sizeof(row),
           sizeof(row));
    return row;
}

/* --- building --- */

static void fill(struct buf *b, size_t to)
{
    while (b->size < to && !b->cut) {
        buf_add_char(b, 0);
    }
}

/* The end of a record that was begun at the start of `b`. */
static void finish(struct buf *b)
{
    uint32_t size;

    fill(b, (b->size + 7) / 8 * 8);
    size = (uint32_t)b->size;
    if (b->cut || size < RECORD_HEAD_SIZE) {
        b->cut = true;
        b->size = 0;
        return;
    }
    memcpy(b->p + RECORD_SIZE, &size, sizeof(size));
}

static str clipped(const struct buf *b, str s)
{
    size_t left = b->room > b->size ? (b->room - b->size) / 8 * 8 : 0;

    return str_slice(s, 0, left);
}

/* One record: the struct `fixed` of `kind` with its texts. */
static void build(struct buf *b, enum journal_kind kind, uint64_t time,
                  const void *fixed, const str *texts)
{
    const struct shape *shape = shape_of((uint8_t)kind);
    struct record_head head = { .kind = (uint8_t)kind, .time = time };

    if (kind == JOURNAL_PROCESS) {
        head.flags = JOURNAL_PROCESS_STARTER;
    }
    buf_add(b, (str){ fixed, shape->fixed });
    if (b->cut) {
        b->size = 0;
        return;
    }
    memcpy(b->p, &head, sizeof(head));
    for (int i = 0; i < shape->texts; i++) {
        str s = clipped(b, texts[i]);
        uint32_t size = (uint32_t)s.size;

        memcpy(b->p + shape->size_at[i], &size, sizeof(size));
        buf_add(b, s);
    }
    finish(b);
}

void journal_process(struct buf *b, const struct journal_process *p, str image,
                     str command)
{
    build(b, JOURNAL_PROCESS, p->head.time, p, (str[]){ image, command });
}

void journal_process_end(struct buf *b, uint64_t time, uint32_t code)
{
    struct journal_process_end r = { .code = code };

    build(b, JOURNAL_PROCESS_END, time, &r, NULL);
}

void journal_thread_end(struct buf *b, uint64_t time, uint32_t code, bool known)
{
    struct journal_thread_end r = { .code = code, .known = known };

    build(b, JOURNAL_THREAD_END, time, &r, NULL);
}

void journal_module(struct buf *b, uint64_t time,
                    const struct journal_module *m, str name, str pdb)
{
    build(b, JOURNAL_MODULE, time, m, (str[]){ name, pdb });
}

void journal_file(struct buf *b, uint64_t time, uint64_t base, str path)
{
    struct journal_file r = { .base = base };

    build(b, JOURNAL_FILE, time, &r, &path);
}

void journal_unmodule(struct buf *b, uint64_t time, uint64_t base)
{
    struct journal_unmodule r = { .base = base };

    build(b, JOURNAL_UNMODULE, time, &r, NULL);
}

void journal_handle(struct buf *b, uint64_t time, uint64_t value,
                    uint32_t access, str type, str name, str path)
{
    struct journal_handle r = { .value = value, .access = access };

    build(b, JOURNAL_HANDLE, time, &r, (str[]){ type, name, path });
}

void journal_place(struct buf *b, uint64_t time, const struct journal_place *p,
                   str name)
{
    build(b, JOURNAL_PLACE, time, p, &name);
}

void journal_answer(struct buf *b, uint64_t time,
                    const struct journal_answer *a)
{
    build(b, JOURNAL_ANSWER, time, a, NULL);
}

void journal_clock(struct buf *b, const struct journal_clock *c)
{
    build(b, JOURNAL_CLOCK, c->head.time, c, NULL);
}

void journal_lost(struct buf *b, uint64_t time, uint32_t why, uint64_t count)
{
    struct journal_lost r = { .count = count, .why = why };

    build(b, JOURNAL_LOST, time, &r, NULL);
}

void journal_notice(struct buf *b, uint64_t time, uint32_t kind,
                    uint32_t module, uint64_t count)
{
    struct journal_notice r = { .kind = kind,
                                .module = module,
                                .count = count };

    build(b, JOURNAL_NOTICE, time, &r, NULL);
}

void journal_child(struct buf *b, uint64_t time, const struct journal_child *c,
                   str image, str command, str why)
{
    build(b, JOURNAL_CHILD, time, c, (str[]){ image, command, why });
}

void journal_stubs(struct buf *b, uint64_t time, uint64_t base, uint32_t id,
                   str module, const struct journal_stub_row *rows,
                   uint32_t count)
{
    struct journal_stubs r = {
        .head = { .kind = JOURNAL_STUBS, .time = time },
        .base = base,
        .id = id,
        .count = count,
        .name_size = (uint32_t)module.size,
    };

    buf_add(b, (str){ (const char *)&r, sizeof(r) });
    for (uint32_t i = 0; i < count; i++) {
        struct journal_stub row = {
            .rva = rows[i].rva,
            .number = rows[i].number,
            .flags = rows[i].flags,
            .name_size = (uint8_t)str_slice(rows[i].name, 0, UINT8_MAX).size,
        };

        buf_add(b, (str){ (const char *)&row, sizeof(row) });
    }
    buf_add(b, module);
    for (uint32_t i = 0; i < count; i++) {
        buf_add(b, str_slice(rows[i].name, 0, UINT8_MAX));
    }
    finish(b);
}

/* --- reading --- */

/* The rows rise, and their names, which fit into `left` bytes, are such that a
 * line may show them as they are. */
bool journal_is_name(str name)
{
    return str_is_identifier(name) && !str_starts(name, STR("syscall_"));
}

static bool judge_rows(const void *record, uint64_t left)
{
    const struct journal_stubs *s = record;
    str module = journal_text(record, 0);
    const char *name = module.p + module.size;
    uint32_t last = 0;

    for (uint32_t i = 0; i < s->count; i++) {
        struct journal_stub row = row_at(record, i);

        if ((i > 0 && row.rva <= last) || row.name_size > left ||
            !journal_is_name((str){ name, row.name_size })) {
            return false;
        }
        name += row.name_size;
        left -= row.name_size;
        last = row.rva;
    }
    return true;
}

bool journal_judge(const void *bytes, size_t size)
{
    const struct shape *shape;
    const struct record_head *head = bytes;
    uint64_t used;

    if (size < RECORD_HEAD_SIZE || size % 8 != 0 || size > JOURNAL_MAX ||
        head->size != size) {
        return false;
    }
    shape = shape_of(head->kind);
    if (shape == NULL || size < fixed_of(head)) {
        return false;
    }
    used = fixed_of(head) + rows_size(bytes);
    for (int i = 0; i < shape->texts; i++) {
        used += u32_in(bytes, shape->size_at[i]);
    }
    return used <= size &&
           (head->kind != JOURNAL_STUBS || judge_rows(bytes, size - used));
}

struct journal_process journal_process_of(const void *record)
{
    struct journal_process p = { .pid = 0 };

    memcpy(&p, record, fixed_of(record));
    return p;
}

str journal_text(const void *record, int which)
{
    const struct record_head *head = record;
    const struct shape *shape = shape_of(head->kind);
    uint64_t at = fixed_of(head) + rows_size(record);

    for (int i = 0; i < which; i++) {
        at += u32_in(record, shape->size_at[i]);
    }
    return (str){ (const char *)record + at,
                  u32_in(record, shape->size_at[which]) };
}

struct journal_stub_row journal_stub_at(const struct journal_stubs *s,
                                        uint32_t i, size_t *names)
{
    struct journal_stub row = row_at(s, i);
    str first = journal_text(s, 0);
    struct journal_stub_row out = {
        .rva = row.rva,
        .number = row.number,
        .flags = row.flags,
        .name = { first.p + first.size + *names, row.name_size },
    };

    *names += row.name_size;
    return out;
}
