/* SPDX-License-Identifier: MIT */
/*
 * probe.h - experiments on the system we run on, for `ntstrace doctor`.
 *
 * A probe does one thing and tells what came back, unjudged. Most work on
 * the calling process and thread; the instrumentation callback is one for
 * the whole process and stays set until it is cleared. Not for use while
 * tracing.
 *
 * A status is an NTSTATUS as the system gave it.
 */
#ifndef PLATFORM_PROBE_H
#define PLATFORM_PROBE_H

/* struct probe_event */
#define PROBE_EVENT_RSP 0x80
#define PROBE_EVENT_TEB 0x88
#define PROBE_EVENT_WORDS 0x90
#define PROBE_EVENT_XMM 0xa8
#define PROBE_EVENT_COUNT 0x108
#define PROBE_EVENT_STACK 0x110
#define PROBE_EVENT_SIZE 0x6d0
#define PROBE_STACK_WORDS 184
#define PROBE_EVENTS 64

/* struct probe_call */
#define PROBE_CALL_FN 0x00
#define PROBE_CALL_A 0x08
#define PROBE_CALL_MORE 0x28
#define PROBE_CALL_FLAGS 0x38
#define PROBE_CALL_RSP 0x40
#define PROBE_CALL_AFTER 0x48
#define PROBE_CALL_XMM 0xc8

#ifndef __ASSEMBLER__

#include "platform/target.h"

#include <assert.h>
#include <stddef.h>

/* In the order in which probe.S pushes them, last first. */
struct probe_regs {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rbp, rdi, rsi, rbx, rdx, rcx, rax, flags;
};

/* What the callback found when it was entered. */
struct probe_event {
    struct probe_regs regs;
    uint64_t rsp;
    uint64_t teb;
    uint64_t words[3];   // TEB+2D0h, 2D8h, 2E0h
    uint64_t xmm[6][2];  // XMM0-5
    uint64_t count;      // words of `stack`, up to the stack's base
    uint64_t stack[PROBE_STACK_WORDS];  // from rsp on
};

static_assert(offsetof(struct probe_event, rsp) == PROBE_EVENT_RSP, "");
static_assert(offsetof(struct probe_event, teb) == PROBE_EVENT_TEB, "");
static_assert(offsetof(struct probe_event, words) == PROBE_EVENT_WORDS, "");
static_assert(offsetof(struct probe_event, xmm) == PROBE_EVENT_XMM, "");
static_assert(offsetof(struct probe_event, count) == PROBE_EVENT_COUNT, "");
static_assert(offsetof(struct probe_event, stack) == PROBE_EVENT_STACK, "");
static_assert(sizeof(struct probe_event) == PROBE_EVENT_SIZE, "");

/* A call with known registers around it. */
struct probe_call {
    uint64_t fn;
    uint64_t a[4];
    uint64_t more[2];         // arguments 5 and 6
    uint64_t flags;           // as the call is made
    uint64_t rsp;             // out: at the function's first instruction
    struct probe_regs after;  // out; rax is the result
    uint64_t xmm[16][2];      // out: XMM0-15 afterwards
};

static_assert(offsetof(struct probe_call, after) == PROBE_CALL_AFTER, "");
static_assert(offsetof(struct probe_call, xmm) == PROBE_CALL_XMM, "");

/* Before the call rbx, rbp, rsi, rdi, r12-r15 hold PROBE_KEPT + 0..7 and
 * XMMn holds probe_pattern[n]. Flags usual in programs: PROBE_FLAGS. */
#define PROBE_KEPT UINT64_C(0x5a5a000000000100)
#define PROBE_FLAGS UINT64_C(0x202)
#define PROBE_DF UINT64_C(0x400)
extern const uint64_t probe_pattern[16][2];
void probe_call(struct probe_call *c);

/* --- class 40 --- */

/* A callback in private executable memory that writes down, for as long as
 * it is watched, what it finds, and lets the thread go on. 0: no memory. */
uint64_t probe_callback(void);
/* NtSetInformationProcess(self, 40) with the `size` bytes at `words`. */
uint32_t probe_set_callback(const uint64_t *words, uint32_t size);
uint32_t probe_query_callback(void);
/* Watches the calling thread, or all; only events that go on at `rip`, if
 * that is not 0. Forgets the events before. */
void probe_watch(bool all_threads, uint64_t rip);
/* Ends watching. The number of events; the first PROBE_EVENTS are kept. */
size_t probe_stop(void);
const struct probe_event *probe_event(size_t i);

/* --- ways into user mode; while watched --- */

/* An alertable wait that an APC ends: the wait's status. `argument`: one of
 * the APC's, seen in its frame. */
uint32_t probe_apc(uint64_t argument, bool *ran);
/* Two APCs that are there when one alertable wait begins: how many have run.
 * Their arguments are `argument` and the one after. */
uint32_t probe_two_apcs(uint64_t argument);
/* A handled access violation; its code as the handler saw it. */
uint32_t probe_exception(void);
/* A window procedure called by the kernel; false if no window could be
 * made. */
bool probe_window(uint32_t *messages);
/* NtContinue, and NtSetContextThread(self), to where the thread is; `rip`: as
 * it was told. The status if it failed. */
uint32_t probe_continue(void);
uint32_t probe_set_context(uint64_t *rip);
/* Copies `size` bytes of code to private memory; 0: not possible. */
uint64_t probe_copy_code(const void *code, size_t size);

/* --- threads --- */

void probe_teb_set(uint32_t offset, uint64_t value);
uint64_t probe_teb_get(uint32_t offset);
void probe_teb_set_byte(uint32_t offset, uint8_t value);
uint32_t probe_last_call(void *thread, uint64_t words[3], uint32_t size);
void *probe_this_thread(void);

/* --- other processes (probe_others.c) --- */

/* NtCreateUserProcess of our own program, ThreadFlags `flags`: its status.
 * *suspended: how often its thread had to be resumed then; it is stopped now in
 * any case. For os_process_close, which ends it; it ends with us as well. */
uint32_t probe_create(uint32_t flags, struct os_process *out,
                      uint32_t *suspended);
/* Gives `p` a handle with the rights of ours; *there is its value in `p`. */
bool probe_give(const struct os_process *p, void *handle, uint64_t *there);
/* True if the process of this id can be opened with all rights. */
bool probe_may_open(uint32_t pid);
/* NtCreateThreadEx in `p` with these flags, among them suspended, at `start`,
 * with 0 for its argument; resumes it. Its status; *ended: it has come to its
 * end within `ms`. */
uint32_t probe_thread(const struct os_process *p, uint64_t start,
                      uint32_t flags, uint32_t ms, bool *ended);

/* What became of a copy of this process. */
struct probe_clone {
    bool asked;  // it could be asked about the section
    bool free;   // nothing is there where our view of the section is
    bool ended;  // in time, with this code:
    uint32_t code;
};
/* The exit code of a copy whose thread came back with 0x129: and, in its lowest
 * byte, how many events one call there had. */
#define PROBE_CLONED UINT32_C(0x2c10e000)
bool probe_can_clone(void);
/* RtlCloneUserProcess: its status in this process. The copy may come to nothing,
 * and this process with it: for one of its own alone. */
uint32_t probe_clone(const struct os_section *s, struct probe_clone *out);

/* For us and the processes that we start. */
bool probe_set_variable(const char *name, const char *value);

/* --- the rest --- */

/* Closes a handle of ours; sets an event. */
uint32_t probe_close(uint64_t handle);
uint32_t probe_set_event(uint64_t handle);
/* Major, minor, build; Wine's version, or NULL. */
void probe_version(uint32_t version[3], const char **wine);
/* 1: SeDebugPrivilege is enabled, 0: it is not, -1: unknown. */
int probe_debug_privilege(void);
/* Disables it in this process. */
void probe_drop_debug_privilege(void);
/* For Wine only: its dispatcher's pointer at 7FFE1000h, read and written
 * back. Faults where that cannot be written. */
uint64_t probe_wine_dispatcher(void);
/* True if control flow guard is on in this process. */
bool probe_guarded(void);
/* Bytes that XSAVE's standard form takes for `mask`. */
uint32_t probe_xsave_size(uint64_t mask);
bool probe_tsc_invariant(void);
/* Runs the calling thread on processor `i`. False: there is none. */
bool probe_pin(uint32_t i);
void probe_unpin(void);
/* A call of `fn(arg)` with patterns in YMM0 and YMM6: 32 bytes of each
 * before and after. False: no AVX. */
bool probe_vectors(uint64_t fn, uint64_t arg, uint8_t before[32],
                   uint8_t after[2][32]);
/* 1: the console of this process takes escape sequences, 0: it does not, -1: it has
 * none. */
int probe_sequences(void);
/* Our program file, UTF-16. NULL: unknown. */
const uint16_t *probe_own_path(void);
/* An environment variable of printable ASCII, in static memory; "" without. */
const char *probe_variable(const char *name, char *room, size_t size);
/* Runs our own program again as `doctor`, with `name`=`value` in the
 * environment, control flow guard demanded with `guard`; it shares our
 * output. Its exit status; kills it after `ms`. */
bool probe_run_again(const char *name, const char *value, bool guard,
                     uint32_t ms, uint32_t *code, struct err *e);

#endif
#endif
