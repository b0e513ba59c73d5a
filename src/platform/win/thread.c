/* SPDX-License-Identifier: MIT */
/*
 * thread.c - the target's threads.
 *
 * Touches the thread that the handle names: os_thread_suspend stops it until
 * os_thread_resume, os_thread_set_start moves a thread that has not begun; the
 * rest only asks. Opening tells a thread that is gone from one that is not for
 * us; the others fail with false and no reason, for to the caller any reason
 * means that the thread cannot be asked.
 */
#include "platform/win/win.h"

#include "base/banned.h"

#define THREAD_LAST_SYSTEM_CALL 21

/* THREAD_LAST_SYSCALL_INFORMATION of x64 (docs/facts.md B1). */
struct last_call {
    uint64_t argument;
    uint16_t number;
    uint16_t pad[3];
    uint64_t wait_time;
};

enum os_thread os_thread_open(uint32_t pid, uint32_t tid, uint64_t teb,
                              void **thread)
{
    HANDLE h = OpenThread(THREAD_QUERY_INFORMATION | THREAD_SUSPEND_RESUME |
                              THREAD_GET_CONTEXT | SYNCHRONIZE,
                          FALSE, tid);
    struct thread_basic basic;

    if (h == NULL) {
        return GetLastError() == ERROR_INVALID_PARAMETER ? OS_THREAD_GONE
                                                         : OS_THREAD_DENIED;
    }
    if (NtQueryInformationThread(h, (THREADINFOCLASS)THREAD_BASIC, &basic,
                                 sizeof(basic), NULL) < 0 ||
        (uint32_t)(ULONG_PTR)basic.pid != pid ||
        (teb != 0 && (uint64_t)(ULONG_PTR)basic.teb != teb)) {
        CloseHandle(h);
        return OS_THREAD_GONE;
    }
    *thread = h;
    return OS_THREAD_OPEN;
}

void os_thread_close(void *thread)
{
    if (thread != NULL) {
        CloseHandle(thread);
    }
}

bool os_thread_ended(void *thread, uint32_t *code)
{
    DWORD c = 0;

    if (WaitForSingleObject(thread, 0) != WAIT_OBJECT_0) {
        return false;
    }
    GetExitCodeThread(thread, &c);
    *code = c;
    return true;
}

bool os_thread_suspend(void *thread)
{
    /* This only asks. os_thread_last_call waits for the thread to stop. */
    return SuspendThread(thread) != (DWORD)-1;
}

void os_thread_resume(void *thread)
{
    ResumeThread(thread);
}

bool os_thread_get_start(void *thread, uint64_t *rip)
{
    CONTEXT c;

    c.ContextFlags = CONTEXT_FULL;
    if (!GetThreadContext(thread, &c)) {
        return false;
    }
    *rip = c.Rip;
    return true;
}

bool os_thread_set_start(void *thread, uint64_t rip)
{
    CONTEXT c;

    c.ContextFlags = CONTEXT_FULL;
    if (!GetThreadContext(thread, &c)) {
        return false;
    }
    c.Rip = rip;
    return SetThreadContext(thread, &c);
}

static NTSTATUS ask_last_call(void *thread, struct last_call *c)
{
    NTSTATUS s = NtQueryInformationThread(
        thread, (THREADINFOCLASS)THREAD_LAST_SYSTEM_CALL, c, sizeof(*c), NULL);

    /* Older systems know the shorter form only (docs/facts.md B2). */
    if ((uint32_t)s == 0xc0000004) {
        s = NtQueryInformationThread(
            thread, (THREADINFOCLASS)THREAD_LAST_SYSTEM_CALL, c, 16, NULL);
    }
    return s;
}

bool os_thread_last_call(void *thread, uint16_t *number, uint64_t *argument,
                         uint32_t *status)
{
    struct last_call c = { 0, 0, { 0, 0, 0 }, 0 };
    NTSTATUS s = ask_last_call(thread, &c);

    /* STATUS_UNSUCCESSFUL: it is on its way into the suspended state
     * (docs/facts.md B5). */
    for (int i = 0; i < 1000 && (uint32_t)s == 0xc0000001; i++) {
        SwitchToThread();
        s = ask_last_call(thread, &c);
    }
    *status = (uint32_t)s;
    if (s < 0) {
        return false;
    }
    *number = c.number;
    *argument = c.argument;
    return true;
}

bool os_last_call_implemented(void)
{
    /* The current thread may not be asked (docs/facts.md B4), but a system
     * that does not know the class says so first. */
    struct last_call c = { 0, 0, { 0, 0, 0 }, 0 };
    NTSTATUS s = NtQueryInformationThread(
        GetCurrentThread(), (THREADINFOCLASS)THREAD_LAST_SYSTEM_CALL, &c,
        sizeof(c), NULL);

    return (uint32_t)s != 0xc0000002 && (uint32_t)s != 0xc0000003;
}
