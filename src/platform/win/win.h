/* SPDX-License-Identifier: MIT */
/*
 * win.h - what the files of platform/win share: windows.h, and the few NT
 * functions that have no Win32 face.
 */
#ifndef PLATFORM_WIN_H
#define PLATFORM_WIN_H

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>
#include <winternl.h>

#include "platform/target.h"

#ifndef ERROR_ELEVATION_REQUIRED
#define ERROR_ELEVATION_REQUIRED 740
#endif

#define THREAD_BASIC 0 /* information class */

/* THREAD_BASIC_INFORMATION of x64. */
struct thread_basic {
    NTSTATUS exit_status;
    void *teb;
    HANDLE pid;
    HANDLE tid;
    ULONG_PTR affinity;
    LONG priority;
    LONG base_priority;
};

/* Who has a console take escape sequences. */
enum win_console_user {
    CONSOLE_COLOURS,
    CONSOLE_SCREEN,
    CONSOLE_USERS,
};
/* Has it take them, until the same user gives that back, or the window is closed.
 * False: it takes none, and is as it was. */
bool win_console_sequences(HANDLE console, enum win_console_user user);
void win_console_plain(enum win_console_user user);

/* *e = ERR_OS: "<what>: <text of GetLastError()> (code)". False. */
bool win_fail(struct err *e, const char *what);
bool win_fail_status(struct err *e, const char *what, uint32_t status);

NTSYSAPI NTSTATUS NTAPI NtCreateSection(HANDLE *, ACCESS_MASK, void *,
                                        LARGE_INTEGER *, ULONG, ULONG, HANDLE);
NTSYSAPI NTSTATUS NTAPI NtMapViewOfSection(HANDLE, HANDLE, void **, ULONG_PTR,
                                           SIZE_T, LARGE_INTEGER *, SIZE_T *,
                                           ULONG, ULONG, ULONG);
NTSYSAPI NTSTATUS NTAPI NtDuplicateObject(HANDLE, HANDLE, HANDLE, HANDLE *,
                                          ACCESS_MASK, ULONG, ULONG);
NTSYSAPI NTSTATUS NTAPI NtGetNextThread(HANDLE, HANDLE, ACCESS_MASK, ULONG,
                                        ULONG, HANDLE *);
NTSYSAPI NTSTATUS NTAPI NtCreateThreadEx(HANDLE *, ACCESS_MASK, void *, HANDLE,
                                         void *, void *, ULONG, ULONG_PTR,
                                         SIZE_T, SIZE_T, void *);
NTSYSAPI NTSTATUS NTAPI NtUnmapViewOfSection(HANDLE, void *);
NTSYSAPI NTSTATUS NTAPI NtSuspendProcess(HANDLE);
NTSYSAPI NTSTATUS NTAPI NtResumeProcess(HANDLE);
NTSYSAPI NTSTATUS NTAPI NtWriteVirtualMemory(HANDLE, void *, const void *,
                                             SIZE_T, SIZE_T *);
NTSYSAPI NTSTATUS NTAPI NtQueryVirtualMemory(HANDLE, const void *, ULONG,
                                             void *, SIZE_T, SIZE_T *);

#endif
