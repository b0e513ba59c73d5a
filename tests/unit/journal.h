/* SPDX-License-Identifier: MIT */
/*
 * journal.h - what the tracer tells the model, in a line each, for tests.
 *
 * add_* put something there at once, as it would be at the start; tell_* are
 * records of the journal, which take effect at their time.
 */
#ifndef TEST_JOURNAL_H
#define TEST_JOURNAL_H

#include "model/world.h"
#include "wire/journal.h"

#include <stdlib.h>
#include <string.h>

#define JOURNAL_ROOM 4096

static inline bool tell_record(struct model_process *p, const struct buf *b)
{
    return !b->cut && model_journal(p, b->p, b->size);
}

static inline bool tell_thread(struct model_thread *t, const struct buf *b)
{
    return !b->cut && model_thread_journal(t, b->p, b->size);
}

static inline struct model_process *open_process(struct model *m, uint32_t pid,
                                                 enum model_mode mode)
{
    char room[JOURNAL_ROOM];
    struct buf b = BUF_OVER(room);
    struct journal_process r = { .pid = pid,
                                 .mode = (uint8_t)mode,
                                 .width = 8 };

    journal_process(&b, &r, STR(""), STR(""));
    return b.cut ? NULL : model_process_open(m, b.p, b.size);
}

/* One that thread `tid` of `parent` has started at `at`, a TSC. */
static inline struct model_process *
open_child(struct model *m, uint32_t pid, enum process_how how, uint32_t parent,
           uint32_t tid, uint64_t at, str image, str command)
{
    char room[JOURNAL_ROOM];
    struct buf b = BUF_OVER(room);
    struct journal_process r = { .head.time = at,
                                 .pid = pid,
                                 .parent = parent,
                                 .parent_tid = tid,
                                 .how = (uint8_t)how,
                                 .mode = MODE_PATCHED,
                                 .width = 8 };

    journal_process(&b, &r, image, command);
    return b.cut ? NULL : model_process_open(m, b.p, b.size);
}

static inline bool tell_child(struct model_process *p, uint32_t pid,
                              uint32_t tid, enum child_fate fate,
                              uint64_t missed, str image, str command, str why,
                              uint64_t at)
{
    char room[JOURNAL_ROOM];
    struct buf b = BUF_OVER(room);
    struct journal_child r = { .pid = pid,
                               .tid = tid,
                               .fate = (uint8_t)fate,
                               .how = PROCESS_CHILD,
                               .missed = missed };

    journal_child(&b, at, &r, image, command, why);
    return tell_record(p, &b);
}

/* A table of its own for each. */
static inline bool add_stub(struct model_process *p, uint64_t address,
                            uint16_t number, str name, str module, bool patched)
{
    char *room = malloc(JOURNAL_ROOM);
    struct buf b = { room, 0, JOURNAL_ROOM, false };
    struct journal_stub_row row = { 0, number,
                                    patched ? JOURNAL_STUB_PATCHED : 0, name };
    bool ok;

    if (!room) {
        return false;
    }
    journal_stubs(&b, 0, address, 1000 + (uint32_t)p->mapped_count, module,
                  &row, 1);
    ok = !b.cut && journal_judge(room, b.size) &&
         stubs_tell(p, (const void *)room);
    free(room);
    return ok;
}

static inline const struct stub *find_stub(const struct model_process *p,
                                           uint64_t address)
{
    bool patched;

    return stub_by_address(p, address, &patched);
}

static inline bool add_handle(struct model_process *p, uint64_t value, str type,
                              str name, str path, uint32_t access)
{
    return handles_add(p->handles, value, type, name, path, true, access);
}

static inline void add_place(struct model_process *p, uint64_t from,
                             uint64_t to, enum place_kind kind, str name)
{
    char room[JOURNAL_ROOM];
    struct buf b = BUF_OVER(room);
    struct journal_place r = {
        .base = from, .size = to - from, .origin = from, .kind = kind
    };
    const void *record = room;

    journal_place(&b, 0, &r, name);
    process_place_add(p, record);
}

static inline bool tell_place_at(struct model_process *p, uint64_t time,
                                 uint64_t from, uint64_t to,
                                 enum place_kind kind, str name)
{
    char room[JOURNAL_ROOM];
    struct buf b = BUF_OVER(room);
    struct journal_place r = {
        .base = from, .size = to - from, .origin = from, .kind = kind
    };

    journal_place(&b, time, &r, name);
    return tell_record(p, &b);
}

static inline void tell_notice_of(struct model_process *p,
                                  enum notice_kind kind, uint64_t at)
{
    char room[JOURNAL_ROOM];
    struct buf b = BUF_OVER(room);

    journal_notice(&b, at, kind, 0, 0);
    tell_record(p, &b);
}

static inline void tell_patches_lost(struct model_process *p,
                                     enum model_patched module, uint64_t count,
                                     uint64_t at)
{
    char room[JOURNAL_ROOM];
    struct buf b = BUF_OVER(room);

    journal_notice(&b, at, NOTICE_PATCHES_LOST, module, count);
    tell_record(p, &b);
}

static inline void tell_lost_of(struct model_process *p, enum model_lost why,
                                uint64_t count, uint64_t at)
{
    char room[JOURNAL_ROOM];
    struct buf b = BUF_OVER(room);

    journal_lost(&b, at, why, count);
    tell_record(p, &b);
}

static inline void tell_process_over(struct model_process *p, uint32_t code,
                                     uint64_t at)
{
    char room[JOURNAL_ROOM];
    struct buf b = BUF_OVER(room);

    journal_process_end(&b, at, code);
    tell_record(p, &b);
}

static inline void tell_thread_lost(struct model_thread *t, enum model_lost why,
                                    uint64_t count)
{
    char room[JOURNAL_ROOM];
    struct buf b = BUF_OVER(room);

    journal_lost(&b, 0, why, count);
    tell_thread(t, &b);
}

static inline void tell_thread_end(struct model_thread *t, uint32_t code,
                                   uint64_t at)
{
    char room[JOURNAL_ROOM];
    struct buf b = BUF_OVER(room);

    journal_thread_end(&b, at, code, true);
    tell_thread(t, &b);
}

static inline void tell_thread_gone(struct model_thread *t, uint64_t at)
{
    char room[JOURNAL_ROOM];
    struct buf b = BUF_OVER(room);

    journal_thread_end(&b, at, 0, false);
    tell_thread(t, &b);
}

static inline bool tell_answer(struct model_thread *t,
                               const struct journal_answer *a)
{
    char room[JOURNAL_ROOM];
    struct buf b = BUF_OVER(room);

    journal_answer(&b, 0, a);
    return tell_thread(t, &b);
}

#endif
