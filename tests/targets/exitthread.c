/* SPDX-License-Identifier: MIT */
/*
 * exitthread - threads that end by NtTerminateThread: two that others wait
 * for, and the first thread of the process, which leaves another one to end
 * the process with status 33.
 */
#include "target.h"

#define EXIT_STATUS 33

static HANDLE main_thread;

static DWORD WINAPI end_at_once(void *n)
{
    CHECK(mark(0xe7d0));
    NtTerminateThread(THIS_THREAD, (NTSTATUS)(uintptr_t)n);
    CHECK(!"NtTerminateThread came back");
    return 0;
}

static DWORD WINAPI end_process(void *unused)
{
    (void)unused;
    WaitForSingleObject(main_thread, INFINITE);
    ExitProcess(target_bad == 0 ? EXIT_STATUS : 1);
}

int main(void)
{
    static const DWORD codes[] = { 0x1234, 0xc0000005 };
    DWORD tid = GetCurrentThreadId(), other;

    target_begin();
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        HANDLE thread = start_thread(end_at_once, codes[i], &other);
        DWORD code = 0;

        WaitForSingleObject(thread, INFINITE);
        GetExitCodeThread(thread, &code);
        CHECK(code == codes[i]);
        expect_mark("SEQ", other, 0xe7d0);
        expect("SEQ", other,
               "NtTerminateThread(0xfffffffffffffffe, 0x%lx)"
               " = ?",
               (unsigned long)code);
        expect("NEXT", other, "+++ thread exited with 0x%lx%s +++",
               (unsigned long)code, i == 0 ? "" : " STATUS_ACCESS_VIOLATION");
    }
    DuplicateHandle(THIS_PROCESS, GetCurrentThread(), THIS_PROCESS,
                    &main_thread, 0, FALSE, DUPLICATE_SAME_ACCESS);
    start_thread(end_process, 0, &other);
    expect("SEQ", tid, "NtTerminateThread(0xfffffffffffffffe, 7) = ?");
    expect("NEXT", tid, "+++ thread exited with 7 +++");
    expect("SEQ", other, "NtTerminateProcess(0, %d) = 0", EXIT_STATUS);
    expect("SEQ", other, "NtTerminateProcess(0xffffffffffffffff, %d) = ?",
           EXIT_STATUS);
    expect_last("+++ exited with 33 +++");
    expect_status(EXIT_STATUS);
    tell_now();
    NtTerminateThread(THIS_THREAD, 7);
    return 1;
}
