/* SPDX-License-Identifier: MIT */
/*
 * frames.h - what lies where when the kernel enters user mode on x64 without
 * returning from a call, and the few offsets that reading it takes.
 *
 * There are five such doors. Registers at the first instruction:
 *
 *   LdrInitializeThunk              rcx -> CONTEXT of the new thread, whose
 *                                   Rcx is the start routine, Rdx its
 *                                   parameter (Rip is RtlUserThreadStart)
 *   KiUserApcDispatcher             rsp -> CONTEXT that NtContinue(Ex) goes
 *                                   back to; its home words hold the APC:
 *                                     P1Home P2Home P3Home   arguments 1-3
 *                                     P4Home                 the routine
 *   KiUserExceptionDispatcher       rsp -> CONTEXT at the exception; the
 *                                   EXCEPTION_RECORD at rsp+4F0h
 *   KiUserCallbackDispatcher        rsp -> home space of 20h, then
 *                                     20h  u64 input buffer
 *                                     28h  u32 its length
 *                                     2Ch  u32 index of the callback
 *                                     30h  rip, cs, flags, rsp, ss
 *   KiRaiseUserExceptionDispatcher  nothing of its own: rsp as in the
 *                                   interrupted stub, rax its result
 *
 * What this rests on:
 * - Offsets in CONTEXT and EXCEPTION_RECORD: the Windows headers (structs.def
 *   has both whole; a test compares).
 * - rcx at LdrInitializeThunk: Wine's test of the instrumentation callback,
 *   whose expectations held on Windows; public listings of the kernel. That
 *   Rcx and Rdx of that CONTEXT are routine and parameter: RtlUserThreadStart
 *   takes them there (on a suspended new process GetThreadContext shows the
 *   entry point and the PEB in them, on Windows and on Wine).
 * - APC: Wine 10 builds this frame (dlls/ntdll/unix/signal_x86_64.c, struct
 *   apc_stack_layout, P1Home .. P4Home = arg1 arg2 arg3 func). The emulator
 *   sogen builds the same for Microsoft's own ntdll and runs it. In the ntdll
 *   of all versions from 10240 to 26100 it begins with `mov rcx,[rsp+18h]`,
 *   the routine, and ends in NtContinue, since 19041 in NtContinueEx
 *   (docs/facts.md A2.7). The routine of an APC that was queued for 32-bit
 *   code is encoded; not undone here, no such process is traced.
 * - Exception: Wine 10 asserts 4F0h (struct exc_stack_layout) for the sake of
 *   programs that rely on Windows' layout. The CONTEXT_EX between the two
 *   says where extended state lies, behind the record.
 * - Callback: Wine 10 (struct callback_stack_layout); that Windows passes the
 *   arguments from rsp+20h: nynaeve.net, on KiUserCallbackDispatcher.
 *
 * Not yet seen on Windows by us: all of it. Under Wine 10 an APC's frame was
 * read so.
 */
#ifndef TABLES_AMD64_FRAMES_H
#define TABLES_AMD64_FRAMES_H

#include <stdint.h>

/* CONTEXT, 4D0h bytes. */
enum context_offset {
    CONTEXT_AT_P1HOME = 0x00,
    CONTEXT_AT_P2HOME = 0x08,
    CONTEXT_AT_P3HOME = 0x10,
    CONTEXT_AT_P4HOME = 0x18,
    CONTEXT_AT_FLAGS = 0x30,  // u32 ContextFlags
    CONTEXT_AT_RAX = 0x78,
    CONTEXT_AT_RCX = 0x80,
    CONTEXT_AT_RDX = 0x88,
    CONTEXT_AT_RSP = 0x98,
    CONTEXT_AT_RIP = 0xF8,
    CONTEXT_BYTES = 0x4D0,
};

/* EXCEPTION_RECORD, 98h bytes. */
enum exception_offset {
    EXCEPTION_AT_CODE = 0x00,   // u32
    EXCEPTION_AT_FLAGS = 0x04,  // u32
    EXCEPTION_AT_NESTED = 0x08,
    EXCEPTION_AT_ADDRESS = 0x10,
    EXCEPTION_AT_COUNT = 0x18,       // u32, of the parameters
    EXCEPTION_AT_PARAMETERS = 0x20,  // u64[15]
    EXCEPTION_BYTES = 0x98,
};

/* The frames that start at rsp. */
enum frame_offset {
    FRAME_EXCEPTION_RECORD = 0x4F0,  // of KiUserExceptionDispatcher
    FRAME_CALLBACK_INPUT = 0x20,     // of KiUserCallbackDispatcher
    FRAME_CALLBACK_LENGTH = 0x28,    // u32
    FRAME_CALLBACK_INDEX = 0x2C,     // u32
};

/* TEB. Public symbols and phnt's ntpebteb.h; Wine 10 the same. */
enum teb_offset {
    TEB_AT_STACK_BASE = 0x08,
    TEB_AT_STACK_LIMIT = 0x10,
    TEB_AT_SELF = 0x30,
    TEB_AT_PROCESS_ID = 0x40,  // u64
    TEB_AT_THREAD_ID = 0x48,   // u64
    TEB_AT_PEB = 0x60,
    TEB_AT_EXCEPTION_CODE = 0x2C0,  // u32, what KeRaiseUserException raises
};

/* The doors. */
enum frame_kind {
    FRAME_THREAD_START,  // LdrInitializeThunk
    FRAME_APC,           // KiUserApcDispatcher
    FRAME_EXCEPTION,     // KiUserExceptionDispatcher
    FRAME_CALLBACK,      // KiUserCallbackDispatcher
    FRAME_RAISE,         // KiRaiseUserExceptionDispatcher
    FRAME_COUNT,
};

#define FRAME_WORDS_MAX 14

/* Which 8-byte words of a frame tell what it is about. */
struct frame_row {
    const char *function;  // name of the export of ntdll.dll
    uint8_t from_rcx;      // offsets count from rcx, else from rsp
    uint8_t count;         // used offsets
    uint16_t offset[FRAME_WORDS_MAX];
};

/* The row of `kind`, which must be below FRAME_COUNT. In the order of the
 * offsets:
 *
 *   FRAME_THREAD_START  Rcx (routine), Rdx (parameter)
 *   FRAME_APC           P1Home, P2Home, P3Home, P4Home; Rip, Rsp, Rax of the
 *                       interrupted code
 *   FRAME_EXCEPTION     code and flags, nested record, address, count of
 *                       parameters (low half), parameters 1 and 2; Rip, Rsp
 *                       at the exception
 *   FRAME_CALLBACK      input; length (low half) and index (high half)
 *   FRAME_RAISE         none */
const struct frame_row *frame_row(enum frame_kind kind);

#endif
