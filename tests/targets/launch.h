/* SPDX-License-Identifier: MIT */
/*
 * launch.h - for the programs that run another one: parent, kill_target,
 * kill_tracer, latency.
 */
#ifndef LAUNCH_H
#define LAUNCH_H

#include "target.h"

/* What stands in our command line after `skip` words (the program's name is
 * the first), untouched. */
static inline wchar_t *launch_tail(unsigned skip)
{
    wchar_t *p = GetCommandLineW();

    for (unsigned i = 0; i < skip; i++) {
        bool quoted = false;

        for (; *p != 0 && (quoted || (*p != ' ' && *p != '\t')); p++) {
            quoted ^= *p == '"';
        }
        while (*p == ' ' || *p == '\t') {
            p++;
        }
    }
    return p;
}

/* Ours is a program of tests: what it cannot do, it says, and ends. */
static void launch_fail(const char *what)
{
    fprintf(stderr, "%s: error %lu\n", what, (unsigned long)GetLastError());
    ExitProcess(99);
}

/* Makes a process of a command line, its thread suspended; `out` and `error`
 * are its standard output and error if not NULL, else ours. The handles stay
 * open until the end. */
static PROCESS_INFORMATION launch_suspended(wchar_t *command, HANDLE out,
                                            HANDLE error)
{
    STARTUPINFOW start = { .cb = sizeof start };
    PROCESS_INFORMATION made;

    start.dwFlags = STARTF_USESTDHANDLES;
    start.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    start.hStdOutput = out != NULL ? out : GetStdHandle(STD_OUTPUT_HANDLE);
    start.hStdError = error != NULL ? error : GetStdHandle(STD_ERROR_HANDLE);
    if (!CreateProcessW(NULL, command, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL,
                        NULL, &start, &made)) {
        launch_fail("cannot run it");
    }
    return made;
}

static inline PROCESS_INFORMATION launch(wchar_t *command, HANDLE out,
                                         HANDLE error)
{
    PROCESS_INFORMATION made = launch_suspended(command, out, error);

    ResumeThread(made.hThread);
    return made;
}

/* A pipe whose writing end a child inherits. */
static inline void launch_pipe(HANDLE *read, HANDLE *write)
{
    SECURITY_ATTRIBUTES inherit = { .nLength = sizeof inherit,
                                    .bInheritHandle = TRUE };

    if (!CreatePipe(read, write, &inherit, 1 << 16)) {
        launch_fail("no pipe");
    }
    SetHandleInformation(*read, HANDLE_FLAG_INHERIT, 0);
}

/* Waits for the end of a process; its exit status. */
static inline DWORD launch_status(PROCESS_INFORMATION of)
{
    DWORD status;

    WaitForSingleObject(of.hProcess, INFINITE);
    GetExitCodeProcess(of.hProcess, &status);
    return status;
}

#endif
