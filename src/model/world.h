/* SPDX-License-Identifier: MIT */
/*
 * world.h - what the files of the model share, and nobody else includes.
 *
 *   model.c    life cycles, the merge by time
 *   queue.c    records of one thread, judged and copied, until their time
 *   pair.c     entries and returns to calls
 *   process.c  stubs and modules
 */
#ifndef MODEL_WORLD_H
#define MODEL_WORLD_H

#include "model/call.h"
#include "model/model.h"
#include "wire/record.h"
#include "wire/section.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every form of stub ends within so many bytes. */
#define STUB_SIZE 0x20
/* Where a stub's `syscall`, or its `int 2e`, returns to; both exist. */
#define STUB_AFTER_SYSCALL 0x14
#define STUB_AFTER_INT 0x17

/* Longest name of a module that is kept. */
#define NAME_MAX_BYTES 1024

/* Calls for which pairing has a rule of its own. */
enum special {
    SPECIAL_NONE,
    SPECIAL_CONTINUE,           // NtContinue, NtContinueEx
    SPECIAL_CALLBACK_RETURN,    // NtCallbackReturn
    SPECIAL_TERMINATE_THREAD,   // NtTerminateThread
    SPECIAL_TERMINATE_PROCESS,  // NtTerminateProcess
    SPECIAL_SET_CONTEXT,        // NtSetContextThread
    SPECIAL_RAISE,              // NtRaiseException
};

struct module {
    uint64_t base;
    uint64_t size;
    str name;  // owned
};

/* Events that the model itself puts between a thread's records. */
enum own_kind {
    OWN_LOST = 0xe0,
    OWN_NOTICE = 0xe1,
};

/* An event as queue_head shows it. */
struct event {
    const uint8_t *bytes;  // in the queue
    uint32_t size;
    uint8_t kind;  // enum record_kind or own_kind
    uint8_t flags;
    uint16_t number;
    uint64_t time;
};

/* Bytes [begin, end) of `bytes` are whole, well-formed records. */
struct queue {
    uint8_t *bytes;  // owned
    size_t begin;
    size_t end;
    size_t room;
    uint64_t last;  // time of the youngest that was ever put in
};

struct answer {
    struct answer *next;
    struct orphan_answer told;
    char names[];  // what the two places of `told` name
};

struct model_process {
    struct model *model;
    struct model_process *next;
    uint32_t pid;
    uint32_t main_tid;  // of the first thread opened
    enum model_mode mode;

    struct stub **stubs;  // owned, sorted by address
    size_t stub_count;
    size_t stub_room;
    struct stub *by_number[SERVICE_COUNT];

    struct module *modules;  // sorted by base, disjoint
    size_t module_count;
    size_t module_room;

    struct model_thread *self;  // carries the process's own notices
    uint32_t open_threads;      // whose end was not told yet

    bool ending;
    uint32_t end_code;
    uint64_t end_at;
    bool own_end;      // a thread called NtTerminateProcess for it
    uint32_t end_tid;  // whose line the last one is; 0: main_tid
    bool fault_known;  // a thread has died in an exception
    uint32_t fault;
};

struct model_thread {
    struct model *model;
    struct model_process *process;
    struct model_thread *next;  // list of all
    struct model_thread *previous;
    uint32_t tid;
    uint32_t serial;
    uint64_t order;  // threads opened before it
    bool is_self;    // no thread, see model_process

    struct queue queue;
    uint64_t bound;
    uint64_t key;    // time of the next event, when in the heap
    size_t heap_at;  // index + 1, 0: not in it

    bool ended;
    bool end_silent;
    bool end_known;  // `end_code` is there
    uint32_t end_code;
    uint64_t end_at;

    struct answer *answers;  // oldest first
    struct answer **answers_end;
    uint32_t answers_owed;  // waited for in vain

    /* pair.c */
    struct call *open;  // oldest first
    size_t open_count;
    size_t open_room;
    uint64_t in_kernel;            // id of the open call whose entry came last
    const struct stub *gone_stub;  // of the entry that ended itself last
    uint64_t gone_rsp;
    bool own_end;  // it has called NtTerminateThread for itself
    uint32_t own_code;
    bool exception;
    uint32_t exception_status;
    uint64_t exception_rsp;
    uint64_t exception_stack;
};

struct model {
    struct model_config config;
    struct model_out out;
    struct model_counts counts;
    struct model_process *processes;
    struct model_thread *threads;
    uint64_t thread_order;
    uint64_t call_id;

    struct model_thread **heap;
    size_t heap_count;
    size_t heap_room;
    size_t members;  // threads and processes, all that may be in it at once
    uint64_t told;   // time of the youngest event told
    uint64_t now;
    size_t room;  // bytes of all queues, used or not
};

/* Numbers in records, which are little-endian. */
static inline uint16_t u16_at(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t u32_at(const uint8_t *p)
{
    return (uint32_t)u16_at(p) | (uint32_t)u16_at(p + 2) << 16;
}

static inline uint64_t u64_at(const uint8_t *p)
{
    return (uint64_t)u32_at(p) | (uint64_t)u32_at(p + 4) << 32;
}

/* `*array` with room for one element more; false without memory. */
bool grow(void *array, size_t *room, size_t count, size_t element);

/* model.c: room in the heap for one more; false without memory. */
bool heap_reserve(struct model *m);

/* queue.c */
size_t queue_feed(struct model_thread *t, const uint8_t *bytes, size_t size,
                  uint64_t now);
bool queue_own(struct model_thread *t, enum own_kind kind, uint64_t time,
               uint64_t a, uint64_t b);
bool queue_empty(const struct queue *q);
struct event queue_head(const struct queue *q);
void queue_drop(struct model_thread *t, uint32_t size);
void queue_close(struct model_thread *t);

/* process.c */
void process_close(struct model_process *p);
bool stub_has(const struct stub *stub, uint64_t rip);

/* pair.c; `answer` NULL: there is none. */
void pair_entry(struct model_thread *t, const struct event *e, bool late);
void pair_return(struct model_thread *t, const struct event *e, bool late,
                 const struct orphan_answer *answer);
void pair_transition(struct model_thread *t, const struct event *e, bool late);
/* The thread is gone, its open calls with it. */
void pair_end(struct model_thread *t, uint64_t time, bool late);
void pair_close(struct model_thread *t);

#endif
