/* SPDX-License-Identifier: MIT */
/*
 * target.h - what the programs of tests/targets share.
 *
 * A target makes system calls, compares what came back with what it knows
 * must come back, and prints on stdout the trace it expects of itself.
 * tests/compare.c reads that and documents the language; in short
 *
 *   EXPECT SEQ P.T PATTERN      next in order; other lines may stand between
 *   EXPECT NEXT P.T PATTERN     the line right after the one matched last
 *   EXPECT NOT P.T PATTERN      nowhere
 *   EXPECT COUNT P.T N PATTERN  so often
 *   EXPECT COUNTER P.T A N PATTERN   `@` counts from A, N times, in order
 *   EXPECT LAST P PATTERN       the process's last line
 *   EXPECT STATUS N             the exit status, 0 unless told
 *
 * Every other line of stdout must be the same with and without a tracer, so
 * it holds no handle, address or time. A target's exit status is 0 if the
 * calls did what they should, unless its head comment says otherwise.
 *
 * All output goes through one large buffer, so that a target makes calls of
 * its own between two expectations only where it says tell_now().
 *
 * Link line for all: -lntdll -luser32 -lgdi32 -lws2_32.
 */
#ifndef TARGET_H
#define TARGET_H

#include <windows.h>

#include <fcntl.h>
#include <io.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef LONG NTSTATUS;

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

#define STATUS_OK ((NTSTATUS)0)
#define STATUS_APC ((NTSTATUS)0xc0)
#define STATUS_LENGTH ((NTSTATUS)0xc0000004)
#define STATUS_BAD_HANDLE ((NTSTATUS)0xc0000008)

#define THIS_PROCESS ((HANDLE)(intptr_t)-1)
#define THIS_THREAD ((HANDLE)(intptr_t)-2)

NTSYSAPI NTSTATUS NTAPI NtClose(HANDLE handle);
NTSYSAPI NTSTATUS NTAPI NtContinue(CONTEXT *context, BOOLEAN test_alert);
NTSYSAPI NTSTATUS NTAPI NtDelayExecution(BOOLEAN alertable,
                                         const LARGE_INTEGER *delay);
NTSYSAPI NTSTATUS NTAPI NtQueryDirectoryFile(HANDLE file, HANDLE event,
                                             void *apc, void *apc_context,
                                             void *iosb, void *info,
                                             ULONG length, int info_class,
                                             BOOLEAN single, void *name,
                                             BOOLEAN restart);
NTSYSAPI NTSTATUS NTAPI NtQueryVirtualMemory(HANDLE process, const void *base,
                                             int info_class, void *info,
                                             SIZE_T length, SIZE_T *got);
NTSYSAPI NTSTATUS NTAPI NtQueueApcThread(HANDLE thread, void *routine,
                                         void *arg1, void *arg2, void *arg3);
NTSYSAPI NTSTATUS NTAPI NtRaiseException(EXCEPTION_RECORD *record,
                                         CONTEXT *context,
                                         BOOLEAN first_chance);
NTSYSAPI NTSTATUS NTAPI NtSetContextThread(HANDLE thread,
                                           const CONTEXT *context);
NTSYSAPI NTSTATUS NTAPI NtTerminateThread(HANDLE thread, NTSTATUS status);
NTSYSAPI NTSTATUS NTAPI NtWaitForSingleObject(HANDLE handle, BOOLEAN alertable,
                                              const LARGE_INTEGER *timeout);
NTSYSAPI NTSTATUS NTAPI NtYieldExecution(void);

/* ---- telling -------------------------------------------------------- */

/* First call of main: no line ends but LF, no write before it is asked. */
static inline void target_begin(void)
{
    _setmode(_fileno(stdout), _O_BINARY);
    setvbuf(stdout, NULL, _IOFBF, (size_t)1 << 20);
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
}

static inline void tell_now(void)
{
    fflush(stdout);
}

/* A target that is about what arguments mean defines DECODED, and expects the
 * lines that users see (tests/run-targets: decoded). The others expect
 * numbers without names. What it expects it keeps until target_end, so that
 * it can say so between two calls without a call of its own. */
#ifdef DECODED
static char expected[1 << 20];
static size_t expected_size;
#endif

__attribute__((format(gnu_printf, 1, 2))) static inline void
say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
#ifdef DECODED
    expected_size +=
        (size_t)vsnprintf(expected + expected_size,
                          sizeof expected - expected_size, format, args);
    if (expected_size >= sizeof expected) {
        ExitProcess(98);
    }
#else
    vprintf(format, args);
#endif
    va_end(args);
}

/* One expectation about thread `tid` of this process: "SEQ", "NEXT", "NOT",
 * "COUNT" or "COUNTER", then what follows the thread in the line. */
__attribute__((format(gnu_printf, 3, 4))) static inline void
expect(const char *what, DWORD tid, const char *format, ...)
{
    static char text[16384];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    say("EXPECT %s %lu.%lu %s\n", what, (unsigned long)GetCurrentProcessId(),
        (unsigned long)tid, text);
}

/* The same about all threads of this process. */
__attribute__((format(gnu_printf, 2, 3))) static inline void
expect_all(const char *what, const char *format, ...)
{
    static char text[4096];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    say("EXPECT %s %lu.* %s\n", what, (unsigned long)GetCurrentProcessId(),
        text);
}

static inline void expect_last(const char *pattern)
{
    say("EXPECT LAST %lu %s\n", (unsigned long)GetCurrentProcessId(), pattern);
}

static inline void expect_status(uint32_t status)
{
    say("EXPECT STATUS 0x%08lx\n", (unsigned long)status);
}

/* A failed check is told, counted, and ends in exit status 1. */
static LONG volatile target_bad;

static inline void check_(bool ok, const char *what, int line)
{
    if (!ok) {
        InterlockedIncrement(&target_bad);
        printf("line %d: not true: %s\n", line, what);
    }
}

#define CHECK(what) check_((what), #what, __LINE__)

#ifdef DECODED
#define TERMINATE_OTHERS "NtTerminateProcess(ProcessHandle=NULL, ExitStatus=%d)"
#define TERMINATE_SELF \
    "NtTerminateProcess(ProcessHandle=NtCurrentProcess, ExitStatus=%d)"
#else
#define TERMINATE_OTHERS "NtTerminateProcess(0, %d)"
#define TERMINATE_SELF "NtTerminateProcess(0xffffffffffffffff, %d)"
#endif

static inline void tell_expected(void)
{
#ifdef DECODED
    fwrite(expected, 1, expected_size, stdout);
#endif
}

/* Last call of main, in the process's first thread: what the end of every
 * program looks like, behind what is expected already. The exit status. */
static inline int target_end(void)
{
    int status = target_bad != 0;
    DWORD tid = GetCurrentThreadId();
    char last[40];

    expect("SEQ", tid, TERMINATE_OTHERS " = 0", status);
    expect("SEQ", tid, TERMINATE_SELF " = ?", status);
    snprintf(last, sizeof last, "+++ exited with %d +++", status);
    expect_last(last);
    tell_expected();
    return status;
}

/* A thread that returned `code` from its function, or passed it to
 * ExitThread, behind what is expected of it already. */
static inline void expect_thread_end(DWORD tid, DWORD code)
{
    expect("SEQ", tid, "NtTerminateThread(*, 0x%lx) = ?", (unsigned long)code);
    expect("NEXT", tid, "+++ thread exited with %lu +++", (unsigned long)code);
}

static inline unsigned long long u64_of(const volatile void *p)
{
    return (unsigned long long)(uintptr_t)p;
}

/* ---- marks ---------------------------------------------------------- */

/*
 * mark(n): the cheapest call with a number of our own in it, no side effect,
 * six arguments, and one fixed result: the length is too small. Nothing in
 * Windows or a C runtime makes a call like it. Returns whether the result was
 * right.
 */
#define MARK_LENGTH 3

static uint64_t mark_room[8];

static inline bool mark(uint64_t n)
{
    return NtQueryVirtualMemory(THIS_PROCESS, (const void *)(uintptr_t)n, 0,
                                mark_room, MARK_LENGTH, NULL) == STATUS_LENGTH;
}

/* The call of mark(), its number as text: "0x12" or "@". Good until the
 * next call by any thread. */
static inline const char *mark_text(const char *number)
{
    static char text[160];

    snprintf(text, sizeof text,
             "NtQueryVirtualMemory(0xffffffffffffffff, %s, 0, 0x%llx, %d, 0)"
             " = 0xc0000004 STATUS_INFO_LENGTH_MISMATCH",
             number, u64_of(mark_room), MARK_LENGTH);
    return text;
}

static inline void expect_mark(const char *what, DWORD tid, uint64_t n)
{
    char number[24];

    snprintf(number, sizeof number, "0x%llx", (unsigned long long)n);
    expect(what, tid, "%s", mark_text(number));
}

/* `count` marks of that thread: first, first + 1, ..., all there, in order,
 * and no other mark in between. */
static inline void expect_counter(DWORD tid, uint64_t first, uint64_t count)
{
    expect("COUNTER", tid, "0x%llx %llu %s", (unsigned long long)first,
           (unsigned long long)count, mark_text("@"));
}

static inline uint64_t number_arg(int argc, char **argv, int i, uint64_t other)
{
    return argc > i ? strtoull(argv[i], NULL, 0) : other;
}

static inline HANDLE start_thread(DWORD(WINAPI *run)(void *), uint64_t n,
                                  DWORD *tid)
{
    HANDLE thread = CreateThread(NULL, 0, run, (void *)(uintptr_t)n, 0, tid);

    if (thread == NULL) {
        fprintf(stderr, "no thread: error %lu\n",
                (unsigned long)GetLastError());
        ExitProcess(99);
    }
    return thread;
}

#endif
