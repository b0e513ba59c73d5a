/* SPDX-License-Identifier: MIT */
/*
 * tree.h - what the programs that make processes share. Each process has an
 * index, calls that no other makes, an exit status of its own, and tells in a
 * file of its own what it does.
 *
 * The file is %TREE_DIR%\INDEX (without TREE_DIR nothing is told), its lines
 *
 *   begin PID TID PARENT   the first thread, and the parent that the system
 *                          says it has
 *   start INDEX PID        it has made this process
 *   refused INDEX ERROR    it could not
 *   lost INDEX STATUS      that process has ended otherwise than it should
 *   bad LINE WHAT          something else is not as it should be
 *   end CALLS STATUS       all calls are made; it ends with this status
 *
 * What is wrong with a child alone is no reason for another status.
 */
#ifndef TREE_H
#define TREE_H

#include "target.h"

/* The calls of a process are mark(n), n from here on, one by one. */
#define TREE_STRIDE 0x1000u

NTSYSAPI NTSTATUS NTAPI NtQueryInformationProcess(HANDLE, int, void *, ULONG,
                                                  ULONG *);

static HANDLE tree_file = INVALID_HANDLE_VALUE;
static unsigned tree_calls_made;
static bool tree_right = true;

__attribute__((format(gnu_printf, 1, 2))) static inline void
tree_say(const char *format, ...)
{
    char text[400];
    DWORD got;
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (tree_file != INVALID_HANDLE_VALUE) {
        WriteFile(tree_file, text, (DWORD)strlen(text), &got, NULL);
    }
}

static inline void tree_check_(bool ok, const char *what, int line)
{
    if (!ok) {
        tree_right = false;
        tree_say("bad %d %s\n", line, what);
        printf("line %d: not true: %s\n", line, what);
    }
}

#define TREE_CHECK(what) tree_check_((what), #what, __LINE__)

static inline DWORD tree_status(unsigned index)
{
    return 10 + index;
}

static inline void tree_begin(unsigned index)
{
    ULONG_PTR about[6] = { 0 };
    char path[MAX_PATH + 20];
    DWORD size = GetEnvironmentVariableA("TREE_DIR", path, MAX_PATH);

    if (size > 0 && size < MAX_PATH) {
        snprintf(path + size, 20, "\\%u", index);
        tree_file = CreateFileA(path, GENERIC_WRITE, FILE_SHARE_READ, NULL,
                                CREATE_NEW, 0, NULL);
        if (tree_file == INVALID_HANDLE_VALUE) {
            ExitProcess(97);
        }
    }
    NtQueryInformationProcess(THIS_PROCESS, 0, about, sizeof about, NULL);
    tree_say("begin %lu %lu %lu\n", (unsigned long)GetCurrentProcessId(),
             (unsigned long)GetCurrentThreadId(), (unsigned long)about[5]);
}

/* So many calls more. */
static inline void tree_calls(unsigned index, unsigned count)
{
    while (count-- > 0) {
        tree_calls_made++;
        TREE_CHECK(mark(index * TREE_STRIDE + tree_calls_made));
    }
}

/* What to end with. */
static inline int tree_end(unsigned index)
{
    DWORD status = tree_right ? tree_status(index) : 3;

    tree_say("end %u %lu\n", tree_calls_made, (unsigned long)status);
    if (tree_file != INVALID_HANDLE_VALUE) {
        CloseHandle(tree_file);
    }
    return (int)status;
}

/* Waits for that child's end. */
static inline void tree_wait(HANDLE process, unsigned index)
{
    DWORD status = 0;

    TREE_CHECK(WaitForSingleObject(process, INFINITE) == WAIT_OBJECT_0);
    TREE_CHECK(GetExitCodeProcess(process, &status));
    if (status != tree_status(index)) {
        tree_say("lost %u 0x%lx\n", index, (unsigned long)status);
    }
    CloseHandle(process);
}

#endif
