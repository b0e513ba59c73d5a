/* SPDX-License-Identifier: MIT */
/*
 * survey.c - a look at all of a trace file. Touches nothing else; believes no
 * number in it.
 */
#include "record/survey.h"

#include "record/about.h"
#include "wire/journal.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

static struct survey_process *find(struct survey *s, uint64_t number)
{
    /* The youngest are asked for most. */
    for (size_t i = s->rows; i-- > 0;) {
        if (s->processes[i].number == number) {
            return &s->processes[i];
        }
    }
    return NULL;
}

/* A new row; NULL: there is no room for more. */
static struct survey_process *add_row(struct survey *s, str image, str command)
{
    struct survey_process *row;

    if (s->rows == SURVEY_PROCESSES) {
        return NULL;
    }
    if (image.size > SURVEY_IMAGE) {
        image = str_slice(image, image.size - SURVEY_IMAGE, image.size);
    }
    row = &s->processes[s->rows++];
    *row = (struct survey_process){ .number = UINT64_MAX };
    row->image_size = (uint32_t)image.size;
    memcpy(row->image, image.p, image.size);
    row->command_cut = command.size > SURVEY_COMMAND;
    command = str_slice(command, 0, SURVEY_COMMAND);
    row->command_size = (uint32_t)command.size;
    memcpy(row->command, command.p, command.size);
    return row;
}

static void take_process(struct survey *s, uint64_t number, const void *record)
{
    const struct journal_process r = journal_process_of(record);
    struct survey_process *row =
        add_row(s, journal_text(record, 0), journal_text(record, 1));

    s->process_count++;
    if (row != NULL) {
        row->number = number;
        row->traced = true;
        row->pid = r.pid;
        row->parent = r.parent;
        row->parent_tid = r.parent_tid;
        row->how =
            r.how < PROCESS_HOWS ? (enum process_how)r.how : PROCESS_CHILD;
        row->began = r.head.time;
    }
}

static void take_end(struct survey *s, uint64_t number,
                     const struct journal_process_end *r)
{
    struct survey_process *row = find(s, number);

    if (row != NULL) {
        row->ended = true;
        row->code = r->code;
        row->end = r->head.time;
    }
}

/* The youngest of this id. */
static struct survey_process *find_pid(struct survey *s, uint32_t pid)
{
    for (size_t i = s->rows; i-- > 0;) {
        if (s->processes[i].pid == pid && s->processes[i].traced) {
            return &s->processes[i];
        }
    }
    return NULL;
}

/* That of one that was about to be traced when it turned out that it cannot be;
 * NULL: there is none. */
static struct survey_process *find_given_up(struct survey *s,
                                            const struct survey_process *by,
                                            const struct journal_child *r)
{
    struct survey_process *row = find_pid(s, r->pid);

    return row != NULL && by != NULL && !row->ended &&
                   row->how == PROCESS_CHILD && row->parent == by->pid &&
                   row->parent_tid == r->tid
               ? row
               : NULL;
}

static void take_child(struct survey *s, uint64_t number,
                       const struct journal_child *r)
{
    const struct survey_process *by = find(s, number);
    struct survey_process *row;
    str why;

    if (r->fate == CHILD_LATE) {
        row = find_pid(s, r->pid);
        if (row != NULL) {
            row->late = r->missed;
        }
        return;
    }
    s->untraced++;
    row = find_given_up(s, by, r);
    if (row != NULL) {
        row->traced = false;
        s->process_count--;
    } else {
        row = add_row(s, journal_text(r, 0), journal_text(r, 1));
    }
    if (row != NULL) {
        row->pid = r->pid;
        row->parent = by != NULL ? by->pid : 0;
        row->parent_tid = r->tid;
        row->how = r->how == PROCESS_CLONE ? PROCESS_CLONE : PROCESS_CHILD;
        row->fate =
            r->fate < CHILD_FATES ? (enum child_fate)r->fate : CHILD_FAILED;
        row->began = r->head.time;
        why = str_slice(journal_text(r, 2), 0, SURVEY_WHY);
        row->why_size = (uint32_t)why.size;
        memcpy(row->why, why.p, why.size);
    }
}

size_t survey_parent(const struct survey *s, size_t row)
{
    const struct survey_process *p = &s->processes[row];

    if (p->how != PROCESS_CHILD && p->how != PROCESS_CLONE) {
        return SIZE_MAX;
    }
    for (size_t i = row; i-- > 0;) {
        const struct survey_process *by = &s->processes[i];

        if (by->traced && by->pid == p->parent && by->began <= p->began) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* A record of the journal; false: it is none. */
static bool take_journal(struct survey *s, const struct op_read *op)
{
    static uint64_t aligned[JOURNAL_MAX / 8];
    const void *record = aligned;
    const struct record_head *head = record;

    if (op->size > sizeof(aligned)) {
        return false;
    }
    memcpy(aligned, op->bytes, op->size);
    if (!journal_judge(aligned, op->size)) {
        return false;
    }
    switch (head->kind) {
    case JOURNAL_PROCESS:
        take_process(s, op->thread, record);
        break;
    case JOURNAL_PROCESS_END:
        take_end(s, op->thread, record);
        break;
    case JOURNAL_CHILD:
        take_child(s, op->thread, record);
        break;
    case JOURNAL_LOST:
        losses_take(&s->losses, record);
        break;
    case JOURNAL_CLOCK:
        clock_take(&s->clock, record);
        break;
    default:
        break;
    }
    return true;
}

static bool take_op(struct survey *s, const struct op_read *op)
{
    switch (op->op) {
    case OP_ENTRY:
    case OP_RETURN:
    case OP_TRANSITION:
    case OP_DATA:
    case OP_COMPLETION:
        s->file.records++;
        return true;
    case OP_THREAD_OPEN:
        s->thread_count++;
        return true;
    case OP_PROCESS:
    case OP_JOURNAL:
    case OP_THREAD_RECORD:
    case OP_CLOCK:
        return take_journal(s, op);
    case OP_BOUND:
    case OP_RAN:
    case OP_THREAD:
    case OP_SIZED:
        break;
    }
    return true;
}

static void take_stream(struct survey *s, const uint8_t *bytes, size_t size)
{
    uint64_t record[RECORD_MAX / 8];
    struct reader in = reader_over(bytes, size);
    struct op_read op;

    ops_begin(s->file.ops);
    while (ops_next(s->file.ops, &in, record, &op,
                    &s->file.chunks.damage.unknown)) {
        s->file.senseless += !take_op(s, &op);
    }
    s->file.senseless += in.bad;
}

static void take_head(struct survey *s, const struct chunk_head *head)
{
    s->chunks++;
    s->deflated += (head->flags & CHUNK_ZLIB) != 0;
    s->stored += head->stored;
    s->raw += head->raw;
    s->file.calls += head->calls;
    if (head->kind == CHUNK_STREAM && head->last > s->last) {
        s->last = head->last;
    }
}

/* One chunk. False: the system failed. */
static bool take_chunk(struct survey *s, const struct chunk_head *head,
                       uint64_t at, struct err *e)
{
    struct replay *r = &s->file;
    struct err why = { .code = ERR_NONE };
    const uint8_t *bytes;
    size_t size;

    take_head(s, head);
    r->chunks.damage.unknown += head->kind > CHUNK_END;
    if (head->kind > CHUNK_END) {
        return true;
    }
    /* All are looked at: is the file whole? */
    bytes = chunks_load(&r->chunks, head, at, &size, &why);
    if (bytes == NULL && why.code != ERR_NONE) {
        *e = why;
        return false;
    }
    if (bytes != NULL && head->kind == CHUNK_STREAM) {
        take_stream(s, bytes, size);
    } else if (bytes != NULL && head->kind == CHUNK_END) {
        return replay_take_end(r, bytes, size, e);
    }
    return true;
}

bool survey_open(struct survey *s, str path, struct err *e)
{
    *s = (struct survey){ .last = 0 };
    s->processes = calloc(SURVEY_PROCESSES, sizeof(s->processes[0]));
    if (s->processes == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    if (!replay_open(&s->file, path, e)) {
        return false;
    }
    s->chunks = 1; /* that one was read */
    s->stored = s->file.info_size;
    s->raw = s->file.info_size;
    return true;
}

bool survey_read(struct survey *s, struct err *e)
{
    const struct replay *r = &s->file;
    struct chunk_head head;
    uint64_t at;

    while (chunks_next(&s->file.chunks, &head, &at)) {
        if (!take_chunk(s, &head, at, e) ||
            (r->go_on != NULL &&
             !r->go_on(r->go_on_ctx, r->chunks.at, r->chunks.size))) {
            return false;
        }
    }
    return true;
}

void survey_close(struct survey *s)
{
    replay_close(&s->file);
    free(s->processes);
    *s = (struct survey){ .last = 0 };
}
