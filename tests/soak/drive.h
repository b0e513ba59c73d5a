/* SPDX-License-Identifier: MIT */
/*
 * drive.h - what the programs that run a tracer again and again share: time,
 * moments by chance, and what to do with what hangs.
 */
#ifndef DRIVE_H
#define DRIVE_H

#include "../targets/launch.h"
#include "soak.h"

#include <tlhelp32.h>

/* ---- processes and their threads ---------------------------------------- */

static inline void show_threads(DWORD pid)
{
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
    THREADENTRY32 t = { .dwSize = sizeof t };

    for (BOOL more = Thread32First(all, &t); more;
         more = Thread32Next(all, &t)) {
        HANDLE thread;

        if (t.th32OwnerProcessID != pid) {
            continue;
        }
        thread = OpenThread(THREAD_SUSPEND_RESUME, FALSE, t.th32ThreadID);
        if (thread != NULL) {
            DWORD suspended = SuspendThread(thread);

            printf("    %lu.%lu: suspended %ld times\n", (unsigned long)pid,
                   (unsigned long)t.th32ThreadID, (long)suspended);
            ResumeThread(thread);
            CloseHandle(thread);
        }
    }
    CloseHandle(all);
}

static inline void end_process(HANDLE process)
{
    TerminateProcess(process, 0x6b);
    WaitForSingleObject(process, 5000);
}

/* ---- time ----------------------------------------------------------------- */

static inline double now_ms(void)
{
    LARGE_INTEGER now, second;

    QueryPerformanceCounter(&now);
    QueryPerformanceFrequency(&second);
    return (double)now.QuadPart * 1000 / (double)second.QuadPart;
}

static inline double random_ms(double most)
{
    return most * (soak_random() % 10000) / 10000;
}

/* Until the clock says so, or the tracer has ended. Not asleep: a sleep would
 * be some milliseconds longer, a launch is not much more. */
static inline void wait_until(double ms, HANDLE process)
{
    while (now_ms() < ms && WaitForSingleObject(process, 0) == WAIT_TIMEOUT) {
        YieldProcessor();
    }
}

#endif
