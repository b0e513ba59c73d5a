/* SPDX-License-Identifier: MIT */
/*
 * call.h - what the model tells about: calls, transitions, notices.
 *
 * All of it is borrowed: it lasts until the function that was told returns.
 * Who wants to keep a struct call copies it; what `stub` and `handles` point
 * to lasts as long as its process, `before` and `objects` until the call's
 * `leave` has been told, what the two places name and `after` no longer.
 */
#ifndef MODEL_CALL_H
#define MODEL_CALL_H

#include "base/str.h"
#include "model/handles.h"
#include "model/place.h"
#include "nt/layout.h"
#include "nt/memory.h"
#include "tables/calls.h"
#include "wire/journal.h"
#include "wire/record.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

struct watch;

/* Which build of its file a module is, by its headers; all zeros: not known. */
struct module_build {
    uint32_t timestamp;
    uint32_t checksum;
    uint32_t image_size;
};

/* One system call function of ntdll or win32u, the same for all processes that
 * have that module at that address. */
struct stub {
    uint64_t address;  // of its first instruction
    uint16_t number;   // service number
    int8_t arg_count;  // -1: not known
    uint32_t roles;    // enum call_role
    str name;
    str module;
    const struct call_facts *facts;  // NULL: no prototype known
    uint32_t handle_args;            // bit i: argument i is a handle of NT
    struct watch *watch;             // the model's; world.h
};

enum call_how {
    HOW_ORDINARY,
    HOW_DIRECT,    // returned to a place outside all stubs: `at`
    HOW_INDIRECT,  // returned into another's stub, `through`, + `offset`;
                   // called from `at`
};

struct model_process;

struct call {
    uint64_t id;  // counts the calls of one model from 1
    uint32_t pid;
    uint32_t tid;
    uint16_t number;
    bool number_known;
    bool entry_seen;          // else it is told of only when it returns
    bool returned;            // `result` and `return_time` are there
    bool ended;               // it will not return (any more)
    bool underway;            // it was, when its process was attached to
    bool late;                // told of out of order
    bool caused;              // by us: without ntstrace there were no such call
    bool injected;            // `result` is not the kernel's: asked for ...
    bool replaced;            // ... and the call was never made
    bool delayed;             // its thread was held up: asked for
    uint8_t how;              // enum call_how
    enum nt_width width;      // of its process
    const struct stub *stub;  // NULL: number not known, or no stub has it
    uint64_t entry_time;      // TSC
    uint64_t return_time;
    uint64_t result;      // RAX, as the program got it
    uint64_t kernels;     // as the kernel had it; of a replaced call nothing
    uint64_t caller;      // where the stub returns to; 0: not known
    uint64_t rip;         // where the kernel returned to; 0: not known
    uint64_t rsp;         // at the stub's first instruction
    uint64_t stack_base;  // which stack
    struct place at;
    const struct stub *through;
    uint64_t offset;
    uint32_t arg_mask;  // bit i: args[i] is known
    uint64_t args[CALL_ARGS_MAX];
    /* What its arguments pointed to, as far as it was copied: at the entry,
     * and at the return (empty unless `returned`). */
    struct memory before;
    struct memory after;
    /* At the entry: STACK_REGISTERS bytes of registers (wire/record.h), then the
     * stack from `rsp` on, as much of it as was copied; size 0: nothing was. As
     * long as `before`. */
    struct memory_piece stack;
    /* What argument i referred to at the entry, if it is a handle by its row
     * in the tables; NULL: not known. */
    const struct object *objects[CALL_ARGS_MAX];
    const struct handles *handles;  // of its process, now; NULL: none kept
    struct model_process *process;  // for model_place; NULL: of no model
};

static_assert(CALL_ARGS_MAX == 4 + RECORD_MORE_MAX, "call.h");

/* The kernel entered user mode, and it is no return. */
struct transition_told {
    uint32_t pid;
    uint32_t tid;
    enum transition kind;
    bool late;
    uint64_t time;
    uint64_t rip;
    bool status_known;  // EXCEPTION, RAISE
    uint32_t status;
    struct place place;  // THREAD_START, APC: routine; EXCEPTION: address
    struct model_process *process;  // NULL: of no model
    uint32_t word_count;
    uint64_t words[TRANSITION_WORDS_MAX];  // enum transition_word
};

/* A call that had returned STATUS_PENDING is over, as a thread found out. */
struct completion_told {
    uint32_t tid;  // of that thread
    bool late;
    uint64_t time;
    /* As it was told of when it returned, but for `result`, the status that it
     * has come to, and `after`, what it has filled. */
    const struct call *call;
};

/* An image was mapped, or was unmapped. By which thread the journal does not
 * say. */
struct module_told {
    bool unmapped;
    uint64_t time;
    str name;  // without folders
    uint64_t base;
    uint64_t size;  // 0: not known
    struct model_process *process;
    uint32_t pid;
};

enum notice_kind {
    NOTICE_EXITED,      // process, by itself; `code`
    NOTICE_KILLED,      // process, by the exception or fast fail `code`
    NOTICE_TERMINATED,  // process, by another one that is traced; `code`
    NOTICE_ENDED,       // process, nobody saw by whom; `code`
    NOTICE_THREAD_EXITED,
    NOTICE_THREAD_TERMINATED,
    NOTICE_THREAD_ENDED,
    NOTICE_LOST,  // `count` records, or pieces of `data`; `reason`
    NOTICE_CALLBACK_LOST,
    NOTICE_PATCHES_LOST,  // `count` stubs of module `reason`
    NOTICE_ATTACHED,
    NOTICE_DETACHED,
    NOTICE_STARTED,   // by another one that is traced: `child` is this process
    NOTICE_UNTRACED,  // it has started `child`, which is not traced; `reason`
    NOTICE_LATE,      // the same, which is, but ran for `count` ns (of int64_t)
                      // before
    /* No callback: returns come by the functions' ends, and there is nothing of
     * transitions and direct calls, from the start ... */
    NOTICE_NO_CALLBACK,
    NOTICE_CALLBACK_REPLACED,  // ... from here on: it was lost
    NOTICE_PATCHED_AGAIN,      // as NOTICE_PATCHES_LOST
};

/* A process that was started. */
struct child_told {
    uint32_t pid;
    enum process_how how;
    str image;        // a path or a file's name; empty: not known
    str command;      // empty: not known
    uint32_t by_pid;  // who started it; 0: not known
    uint32_t by_tid;  // the same
};

struct notice {
    uint32_t pid;
    uint32_t tid;
    enum notice_kind kind;
    uint64_t time;
    uint32_t code;
    uint64_t count;
    bool data;
    str reason;  // words of ours, or of the tracer's
    const struct child_told *child;
    struct model_process *process;  // NULL: of no model
};

/* What a process runs, without its folders; empty: not known. `p` may be NULL.
 * As long as the process. */
str model_process_image(const struct model_process *p);

#endif
