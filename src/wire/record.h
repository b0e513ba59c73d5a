/* SPDX-License-Identifier: MIT */
/*
 * record.h - what a traced thread writes down, byte by byte.
 *
 * A record starts on a multiple of 8 and its size is a multiple of 8. All
 * begin with the same 16 bytes; what follows depends on the kind. Numbers
 * are little-endian. Addresses and registers are 64 bits.
 *
 *      0  u32 size      bytes, this head included
 *      4  u8  kind      enum record_kind
 *      5  u8  flags     RECORD_* below
 *      6  u16 number    service number (ENTRY, DATA, COMPLETION), transition
 *                       (TRANSITION), 1 + index of the image in section.image
 *                       that the call has mapped (RETURN; 0: none of those)
 *      8  u64 time      TSC of the writing CPU
 *
 *   PAD         nothing; fills the ring up to its end. Only the first 8
 *               bytes are there when no more fit: `time` is not to be read.
 *
 *   ENTRY       a system call function of ntdll or win32u was entered
 *     16  u64 rsp         at the function's first instruction
 *     24  u64 stack_base  gs:[8]: which stack; the target's to write
 *     32  u64 caller      what stood at [rsp], the return address
 *     40  u64 args[4]     rcx rdx r8 r9
 *     72  u64 more[n]     stack arguments from [rsp+28h]; n is the low four
 *                         bits of flags; with RECORD_ARGS_LOST there were
 *                         more, which could not be read
 *         u64 known       with RECORD_UNDERWAY, behind all others: bit i is set
 *                         if argument i is known; the others are 0
 *
 *   RETURN      the kernel went back to user mode
 *     16  u64 rip         where it resumes (R10 at the callback)
 *     24  u64 rsp
 *     32  u64 rax         the result, if it is one
 *     40  u64 stack_base
 *     48  u64 kernels     with RECORD_INJECTED, and not RECORD_REPLACED: the
 *                         result that the kernel gave
 *
 *   TRANSITION  the kernel entered user mode at one of its five doors
 *     16  u64 rip
 *     24  u64 rsp
 *     32  u64 rax
 *     40  u64 stack_base
 *     48  u64 words[m]    what struct transition_row of section.h asked for
 *
 *   COMPLETION  a call that had returned STATUS_PENDING is over; found out by
 *               any thread, see pending.h
 *     16  u64 rsp         of this thread, now
 *     24  u64 began       `time` of the pending call's RETURN
 *     32  u64 block       its IO_STATUS_BLOCK, an address
 *     40  u64 information what is in there
 *     48  u32 status
 *     52  u32 tid         of the thread that made the call
 *
 *   DATA        a piece of memory, for the next ENTRY, RETURN or COMPLETION of
 *               the same thread with the same rsp; see capture.h. Larger pieces
 *               take several, in order of their addresses. A piece that belongs
 *               to no record that follows is to be forgotten. With RECORD_STACK
 *               it is of the thread's registers and stack.
 *     16  u64 rsp
 *     24  u64 address     in the target, of the first byte
 *     32  u32 length      bytes that follow; the rest of the record is padding
 *     36  u32 op          index of the operation that copied it, times 10000h;
 *                        and of the element, for a CAPTURE_EACH
 *     40  u8  bytes[]
 *
 * Everything here is written by the target's threads: a reader believes no
 * number before it has compared it with what is left.
 */
#ifndef WIRE_RECORD_H
#define WIRE_RECORD_H

#define RECORD_SIZE 0
#define RECORD_KIND 4
#define RECORD_FLAGS 5
#define RECORD_NUMBER 6
#define RECORD_TIME 8
#define RECORD_HEAD_SIZE 16

#define DATA_RSP 16
#define DATA_ADDRESS 24
#define DATA_LENGTH 32
#define DATA_OP 36
#define DATA_BYTES 40
/* Of a DATA with RECORD_STACK: what `op` is, and bytes of registers. */
#define STACK_OP 0xffff0000u
#define STACK_REGISTERS 64

#define ENTRY_RSP 16
#define ENTRY_STACK_BASE 24
#define ENTRY_CALLER 32
#define ENTRY_ARGS 40
#define ENTRY_MORE 72
#define ENTRY_SIZE 72 /* without stack arguments */

#define RETURN_RIP 16
#define RETURN_RSP 24
#define RETURN_RAX 32
#define RETURN_STACK_BASE 40
#define RETURN_SIZE 48
#define RETURN_KERNELS 48 /* where there is one */
#define RETURN_SIZE_MOST 56

#define TRANSITION_WORDS 48

#define COMPLETION_RSP 16
#define COMPLETION_BEGAN 24
#define COMPLETION_BLOCK 32
#define COMPLETION_INFORMATION 40
#define COMPLETION_STATUS 48
#define COMPLETION_TID 52
#define COMPLETION_SIZE 56

#define RECORD_KIND_PAD 1
#define RECORD_KIND_ENTRY 2
#define RECORD_KIND_RETURN 3
#define RECORD_KIND_TRANSITION 4
#define RECORD_KIND_DATA 5
#define RECORD_KIND_COMPLETION 6

/* ENTRY: how many stack arguments follow (0..13). */
#define RECORD_MORE_MASK 0x0f
/* ENTRY: not all stack arguments could be read. */
#define RECORD_ARGS_LOST 0x10
/* The thread waits, or spins, until the tracer answers this record. */
#define RECORD_WAITS 0x20
/* RETURN: no entry that the agent knows of explains it. */
#define RECORD_ORPHAN 0x40
/* ENTRY: written by the tracer, of a call in which it found the thread when it
 * attached to the process; its time is that of attaching. */
#define RECORD_UNDERWAY 0x80
/* RETURN: the result is not the kernel's: a rule has changed it (tamper.h) ... */
#define RECORD_INJECTED 0x02
/* ... and the call was never made. */
#define RECORD_REPLACED 0x08
/* RETURN: a rule made the thread wait, before the call or after it. */
#define RECORD_DELAYED 0x04
/* DATA: goes with a RETURN, else with an ENTRY. */
#define RECORD_AT_RETURN 0x01
/* DATA: goes with a COMPLETION, which has it as well. */
#define RECORD_AT_COMPLETION 0x02

/* DATA: no memory that an argument leads to, but the thread's: rbx, rbp, rsi,
 * rdi, r12 to r15 as they were at the function's first instruction, in the place
 * of the STACK_REGISTERS bytes below `rsp`, and its stack from `rsp` on. */
#define RECORD_STACK 0x04

/* The most stack arguments an entry carries: 17 arguments are the maximum
 * of all known calls, 4 of them are in registers. */
#define RECORD_MORE_MAX 13
/* The most words of a transition. */
#define TRANSITION_WORDS_MAX 14
/* No record is larger. */
#define RECORD_MAX 4096

#ifndef __ASSEMBLER__

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

enum record_kind {
    RECORD_PAD = RECORD_KIND_PAD,
    RECORD_ENTRY = RECORD_KIND_ENTRY,
    RECORD_RETURN = RECORD_KIND_RETURN,
    RECORD_TRANSITION = RECORD_KIND_TRANSITION,
    RECORD_DATA = RECORD_KIND_DATA,
    RECORD_COMPLETION = RECORD_KIND_COMPLETION,
};

/* The doors by which the kernel enters user mode without returning from a
 * call; `number` of a TRANSITION, and index of section.h's rows. */
enum transition {
    TRANSITION_THREAD_START,  // LdrInitializeThunk
    TRANSITION_APC,           // KiUserApcDispatcher
    TRANSITION_EXCEPTION,     // KiUserExceptionDispatcher
    TRANSITION_CALLBACK,      // KiUserCallbackDispatcher
    TRANSITION_RAISE,         // KiRaiseUserExceptionDispatcher
    TRANSITION_COUNT,
    /* No door, and no record of this kind: what a COMPLETION is told as. */
    TRANSITION_COMPLETION = TRANSITION_COUNT,
};
/* Nor these: what a MODULE and an UNMODULE of the journal are told as. */
#define TRANSITION_MODULE ((enum transition)(TRANSITION_COUNT + 1))
#define TRANSITION_UNMODULE ((enum transition)(TRANSITION_COUNT + 2))
/* Kinds of lines. */
#define TRANSITION_KINDS (TRANSITION_COUNT + 3)

/* The words that a TRANSITION carries, by index; see frame_row() in
 * tables/amd64/frames.h for where they come from. Words beyond the record's size
 * are unknown. */
enum transition_word {
    /* THREAD_START */
    START_ROUTINE = 0,
    START_PARAMETER = 1,
    /* APC */
    APC_ROUTINE_WORDS = 0,  // the four home words of the frame's CONTEXT
    APC_CONTEXT_RIP = 4,
    APC_CONTEXT_RSP = 5,
    APC_CONTEXT_RAX = 6,
    APC_KERNELS = 7,  // with RECORD_INJECTED: what RAX was before
    /* EXCEPTION: EXCEPTION_RECORD of x64 from its first byte */
    EXCEPTION_CODE_FLAGS = 0,  // low half code, high half flags
    EXCEPTION_NESTED = 1,
    EXCEPTION_ADDRESS = 2,
    EXCEPTION_COUNT = 3,       // number of parameters, low half
    EXCEPTION_PARAMETERS = 4,  // two of them
    EXCEPTION_CONTEXT_RIP = 6,
    EXCEPTION_CONTEXT_RSP = 7,
    /* CALLBACK */
    CALLBACK_INPUT = 0,
    CALLBACK_LENGTH_INDEX = 1,  // low half length, high half index
};

/* The word of a transition that is an address of code: where it begins, or where
 * it happened. TRANSITION_WORDS_MAX: it has none. */
static inline uint32_t transition_place(enum transition which)
{
    switch (which) {
    case TRANSITION_THREAD_START:
        return START_ROUTINE;
    case TRANSITION_APC:
        return APC_ROUTINE_WORDS + 3;
    case TRANSITION_EXCEPTION:
        return EXCEPTION_ADDRESS;
    case TRANSITION_CALLBACK:
    case TRANSITION_RAISE:
    case TRANSITION_COUNT:
        break;
    }
    return TRANSITION_WORDS_MAX;
}

struct record_head {
    uint32_t size;
    uint8_t kind;
    uint8_t flags;
    uint16_t number;
    uint64_t time;
};

struct record_entry {
    struct record_head head;
    uint64_t rsp;
    uint64_t stack_base;
    uint64_t caller;
    uint64_t args[4];
    uint64_t more[];
};

struct record_return {
    struct record_head head;
    uint64_t rip;
    uint64_t rsp;
    uint64_t rax;
    uint64_t stack_base;
    uint64_t words[];  // TRANSITION; a RETURN's first may be `kernels`
};

struct record_data {
    struct record_head head;
    uint64_t rsp;
    uint64_t address;
    uint32_t length;
    uint32_t op;
    uint8_t bytes[];
};

struct record_completion {
    struct record_head head;
    uint64_t rsp;
    uint64_t began;
    uint64_t block;
    uint64_t information;
    uint32_t status;
    uint32_t tid;
};

/* True if RETURN has the word `kernels`. */
static inline bool record_has_kernels(const struct record_head *head)
{
    return (head->flags & (RECORD_INJECTED | RECORD_REPLACED)) ==
           RECORD_INJECTED;
}

static_assert(sizeof(struct record_data) == DATA_BYTES, "record.h");
static_assert(sizeof(struct record_completion) == COMPLETION_SIZE, "record.h");
static_assert(sizeof(struct record_head) == RECORD_HEAD_SIZE, "record.h");
static_assert(sizeof(struct record_entry) == ENTRY_SIZE, "record.h");
static_assert(sizeof(struct record_return) == RETURN_SIZE, "record.h");

#endif
#endif
