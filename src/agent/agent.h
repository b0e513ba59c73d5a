/* SPDX-License-Identifier: MIT */
/*
 * agent.h - what the parts of the agent share.
 *
 * The agent is code of ours inside someone else's program. It runs on that
 * program's threads, between its instructions and the kernel: it has no
 * heap, no lock, no global it could write, knows no names and no formats,
 * never aborts, and waits for nobody but the tracer, and for that only as
 * long as the tracer lives. What it cannot record it counts.
 *
 * All it knows it finds through `image_config`, read-only behind the code,
 * and through the section.
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "agent/nt_call.h"
#include "wire/image.h"
#include "wire/record.h"
#include "wire/ring.h"
#include "wire/section.h"

#include <stdbool.h>
#include <stdint.h>

#define CURRENT_PROCESS ((uint64_t)-1)
#define PROCESS_INSTRUMENTATION_CALLBACK 40 /* an information class */
#define PAGE_SIZE 0x1000u
#define STATUS_NOT_SUPPORTED 0xc00000bb

/* What entry.S saved, lowest address first. */
struct entry_frame {
    uint64_t args[4];  // rcx rdx r8 r9
    uint64_t number;
    uint64_t stub;
    uint64_t flags;
};

/* What callback.S and start.S saved, lowest address first. */
struct return_frame {
    uint64_t r11;
    uint64_t rip;  // r10: where the thread goes on
    uint64_t r9;
    uint64_t r8;
    uint64_t rdx;
    uint64_t rcx;
    uint64_t rax;
    uint64_t flags;
};

/* Reached relative to the code. Declared as objects, gcc for Windows would
 * reach them through a pointer that somebody would have to relocate. */
static inline const struct image_head *image_head_here(void)
{
    const struct image_head *here;

    __asm__("leaq image_head(%%rip), %0" : "=r"(here));
    return here;
}

static inline const struct image_config *image_config_here(void)
{
    const struct image_config *here;

    __asm__("leaq image_config(%%rip), %0" : "=r"(here));
    return here;
}

static inline struct section *section_here(void)
{
    return (struct section *)image_config_here()->section;
}

static inline struct own_page *own_page_here(void)
{
    return (struct own_page *)image_config_here()->own;
}

/* The page for the vector state of who has ring `index`. */
static inline void *own_save(uint32_t index)
{
    return (char *)own_page_here() + (uint64_t)OWN_PAGE * (1 + index);
}

/* --- call.c: own system calls --- */

/* Makes one, of which `stub` and `a` are filled in. The page behind `ring`
 * (NULL: none yet) has room for the vector state. NTSTATUS; a failure, and no
 * call, once the program has the callback and would hear of it. */
uint32_t own_call(struct ring *ring, struct own_call *c);
/* The same, even if the program has the callback by now and hears of it. */
uint32_t own_call_always(struct ring *ring, struct own_call *c);
/* Protects the pages that [address, address + size) touches; *old is what they
 * had. */
uint32_t own_protect(struct ring *ring, uint64_t address, uint64_t size,
                     uint32_t to, uint32_t *old);
/* Gives them that back. Made even if the program has the callback by now: it
 * would hear of one call of ours; without it, it cannot run its own code. */
uint32_t own_protect_back(struct ring *ring, uint64_t address, uint64_t size,
                          uint32_t was);
/* True while no call of ours would be heard of. */
bool own_calls_allowed(void);
/* True while the callback is ours. */
bool callback_is_ours(void);
/* Which ring it is; RING_MAX: none of ours. */
uint32_t ring_index(const struct ring *ring);

/* --- read.c: the program's memory --- */

/* MEMORY_BASIC_INFORMATION of x64. */
struct memory_basic {
    uint64_t base;
    uint64_t allocation_base;
    uint32_t allocation_protect;
    uint32_t partition;
    uint64_t size;
    uint32_t state;
    uint32_t protect;
    uint32_t type;
    uint32_t pad;
};

/* What was last found out about memory: a region, and whether it can be read.
 * All zero: nothing. Not to be kept beyond one event. */
struct known {
    uint64_t low;
    uint64_t high;
    bool readable;
    bool recalled;  // not asked for: it was remembered
};

/* Copies `size` bytes without a fault wherever `from` points: directly on the
 * page of `rsp` and on the thread's own stack, at most 256 bytes, else through
 * the kernel. False: they cannot be read, all of them, or are guarded. A small
 * piece next to one that was copied in this event is from then, unless
 * ring.around_bytes was set to 0. */
bool ring_copy(struct ring *ring, uint64_t rsp, struct known *known, void *to,
               uint64_t from, uint64_t size);

/* --- regions.c: what was found out about memory, for all threads --- */

/* What a region will be kept under, to be taken before the kernel is asked for
 * it. False: it is not to be kept. */
bool regions_ticket(uint64_t *ticket);
/* [low, high), where `address` lies, is good to read, and no stack. */
void regions_keep(uint64_t ticket, uint64_t address, uint64_t low,
                  uint64_t high);
/* Where `address` lies, if that is known to be good to read. */
bool regions_recall(uint64_t address, uint64_t *low, uint64_t *high);
/* A call that can change memory begins on the thread of `ring` (NULL: it has
 * none) ... */
void regions_changing(struct ring *ring);
/* ... and is over, or memory may have changed by something that nobody has
 * seen begin. */
void regions_changed(struct ring *ring);

/* --- ring.c: rings and the room in them --- */

/* The calling thread's ring, claimed if it has none, marked as at work
 * since `rsp`. NULL: no ring to be had, or the agent is at work already
 * below on this stack; either was counted. */
struct ring *ring_enter(uint64_t rsp);
void ring_leave(struct ring *ring);

/* Room for a record of `size` bytes, waiting for it if need be. NULL: there
 * is none and the loss was counted. */
void *ring_reserve(struct ring *ring, uint32_t size);
/* The same for a DATA record, whose loss is counted apart. */
void *ring_reserve_data(struct ring *ring, uint32_t size);
/* Makes the record that ring_reserve gave visible to the reader. */
void ring_publish(struct ring *ring, uint32_t size);

static inline struct ring_args *ring_args_at(struct ring *ring, uint32_t place)
{
    return (struct ring_args *)((char *)ring + RING_ARGS) + place;
}

/* --- capture.c: capture programs (wire/capture.h) --- */

/* True if the stack may have too little room left for a program: nothing of the
 * next functions is to be called then, but for two about a call's block. */
bool capture_near_end(uint64_t rsp);
/* Runs the operations for the entry of the call at `rsp`, whose arguments are
 * in RING_ARGS_NEWEST; writes DATA records. What cannot be read, or finds no
 * room, is left out; losses are counted. */
void capture_entry(struct ring *ring, uint64_t row, uint64_t rsp);
/* ... for its return, arguments in RING_ARGS_TAKEN. The records have `time`.
 * True: it was noted as pending, and is over already. */
bool capture_return(struct ring *ring, uint64_t row, uint64_t rsp, uint64_t rax,
                    uint64_t time);
/* The IO_STATUS_BLOCK of the call that is being entered, an address; 0: it has
 * none. Arguments are as for capture_entry. */
uint64_t capture_block(struct ring *ring, uint64_t row);
/* It is given to this call: which pending call had it is over, or given up
 * (wire/pending.h); may write a COMPLETION. */
void capture_given_anew(struct ring *ring, uint64_t rsp, uint64_t block);
/* Sees whether it can tell when the call is over, if nobody may wait for that
 * (struct ring_args, marked). */
void capture_mark(struct ring *ring, uint64_t row, uint64_t rsp);
/* Looks whether calls that are pending are over by now (wire/pending.h): copies
 * what they have filled, and writes COMPLETION records. */
void capture_completions(struct ring *ring, uint64_t rsp);
/* True if the row's program has something to do at the return. */
bool capture_has_return(uint64_t row);

/* How much of the stack the row's program copies, bytes; 0: nothing. */
uint32_t capture_stack_bytes(uint64_t row);

/* --- stack.c: what tells a thread's callers --- */

/* Writes DATA records with RECORD_STACK for the call of `number` at `rsp`: its
 * registers, if struct ring_kept has them (else nothing), and `bytes` of the
 * stack, or fewer if there are fewer. Not with a stack near its end. */
void stack_capture(struct ring *ring, uint16_t number, uint64_t rsp,
                   uint32_t bytes);

/* --- wait.c: waiting for the tracer --- */

/* Asks: the record just published wants an answer. Waits for it, and does the
 * chores that come with it, for ANSWER_MS at most. `spin`: without a system
 * call for as long as the tracer may need to look at this thread's last one.
 * False: there is no answer. */
bool wait_answer(struct ring *ring, bool spin);
/* Sleeps until the ring is half empty. False: nobody empties it any more. */
bool wait_room(struct ring *ring);
/* Rests for `ticks` of the TSC at least, or until the tracer is gone or lets the
 * program go. */
void wait_delay(struct ring *ring, uint64_t ticks);
/* Wakes the reader if it sleeps. */
void wait_wake_reader(struct ring *ring);

/* True once the tracer is known to be gone; asks the system. */
bool own_tracer_gone(struct ring *ring);

/* --- threads.c: those of the program; `ring` is NULL for a thread of ours --- */

/* The thread behind `thread`, 0: the first one. 0: there are no more. Its handle
 * is the caller's to close. */
uint64_t thread_next(struct ring *ring, uint64_t thread);
uint64_t thread_id(struct ring *ring, uint64_t thread);  // 0: cannot be said
/* NtSuspendThread or NtResumeThread; returns its NTSTATUS. */
uint32_t thread_count(struct ring *ring, enum private_stub stub,
                      uint64_t thread);
uint32_t thread_close(struct ring *ring, uint64_t handle);
/* The tracer is gone: the thread that it had suspended goes on
 * (section.asked). */
void threads_wake_asked(struct ring *ring);

/* --- chore.c: what the tracer has a thread do (enum ring_chore) --- */

/* Pages that CHORE_OPEN has made writable, until CHORE_CLOSE. All zero: none.
 * Here and not in the ring: it is for putting right what was opened. */
struct opened {
    uint64_t address;
    uint64_t size;
    uint32_t was;
};
/* Does the chore that stands in the ring; its status is there afterwards. */
void chore_run(struct ring *ring, uint32_t chore, struct opened *opened);
/* True if an image is at `address`, which struct ring_told then tells of. */
bool chore_is_image(struct ring *ring, uint64_t address);
/* ... 1 + its index in section.image; 0: the tracer does not know it. */
uint16_t chore_known_image(struct ring *ring);
/* Gives what is open its protection back. */
void chore_close(struct ring *ring, struct opened *opened);

/* --- child.c: calls that make a process --- */

/* One is being entered at `rsp`; its arguments are in RING_ARGS_NEWEST. */
void child_entry(struct ring *ring, uint64_t rsp);
/* It has returned `rax`; arguments in RING_ARGS_TAKEN. True: its thread is to
 * wait for the tracer. */
bool child_return(struct ring *ring, uint64_t rsp, uint64_t rax);
/* Nobody has answered. `asked`: child_return has said that the thread waits;
 * if not, the tracer may have come to a process all the same. */
void child_abandoned(struct ring *ring, bool asked);

/* --- chain.c: a callback of the program's own --- */

/* A call that registers one is being entered, with these arguments. True: it will
 * leave us ours. */
bool chain_entry(struct ring *ring, uint64_t *args, uint64_t rsp);
/* It has returned `rax`. */
void chain_return(struct ring *ring, uint64_t rsp, uint64_t rax);
/* The program's callback; 0: it has none. */
uint64_t chain_program(void);
/* True if one was chained when what is back at `rsp` began. */
bool chain_hears(uint64_t rsp);

/* --- tamper.c: rules that change calls --- */

/* Of the call whose row this is and whose arguments are in RING_ARGS_NEWEST: a
 * rule that may hold asks the tracer. */
bool tamper_asks(struct ring *ring, uint64_t row);
/* Counts the call at all rules whose conditions hold; bits of `verdict` as
 * ring.verdict. Returns 1 + index of the tamper_use that applies; 0: none. */
uint32_t tamper_choose(struct ring *ring, uint64_t row, uint64_t verdict);
/* Does what `use` says is to be done at the entry: waits. True: the call is not
 * to be made, and says *result. *delayed: it waits, here or later. */
bool tamper_enter(struct ring *ring, uint32_t use, uint64_t *result,
                  bool *delayed);
/* True if `use` has something to do at the return. */
bool tamper_has_return(uint32_t use);
/* What the call with this ring_args.tamper says, instead of *rax if need be;
 * RECORD_INJECTED, RECORD_DELAYED. */
uint8_t tamper_return(uint32_t tamper, uint64_t *rax);
/* The record is written: waits, if the rule wants it. */
void tamper_left(struct ring *ring, uint32_t tamper);

/* --- start.c --- */

/* Takes the callback, or gives it back; with SECTION_RETURNS only sees to what
 * else is kept of calls, or no longer. NTSTATUS. */
uint32_t callback_take(struct ring *ring);
uint32_t callback_give_back(void);

/* --- called by assembly --- */

void agent_entry(struct entry_frame *frame, uint64_t rsp);
void agent_return(struct return_frame *frame, uint64_t rsp);
/* True: the program's callback is to hear of it. */
uint32_t agent_chained(struct return_frame *frame, uint64_t rsp);
void agent_handshake(struct return_frame *frame, uint64_t rsp);
void agent_start(struct return_frame *frame, uint64_t rsp);
void agent_start_late(struct return_frame *frame, uint64_t rsp);
/* A thread's routine, keeper.c. */
uint32_t agent_keeper(void *unused);

/* witness.c: writes the TRANSITION at one of the kernel's five doors. With
 * `waits`, waits for the tracer's answer. */
void witness_transition(struct ring *ring, enum transition which,
                        const struct return_frame *frame, uint64_t rsp,
                        bool waits);

#endif
