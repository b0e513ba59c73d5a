/* SPDX-License-Identifier: MIT */
/*
 * unmapped - a thread, and an APC, that run in a DLL which is unloaded at once:
 * where they began is told by the DLL's name, though the DLL is gone before the tracer has
 * looked at the records. And a call that is to unmap it and fails takes nothing
 * from what is known.
 */
#define DECODED
#include "nt.h"

NTSYSAPI NTSTATUS NTAPI NtUnmapViewOfSection(HANDLE, void *);
NTSYSAPI NTSTATUS NTAPI NtTestAlert(void);

/* Runs `entry` on a thread of its own, to its end. */
static DWORD run(LPTHREAD_START_ROUTINE entry)
{
    DWORD id;
    HANDLE thread = CreateThread(NULL, 0, entry, NULL, 0, &id);

    CHECK(thread != NULL);
    CHECK(WaitForSingleObject(thread, INFINITE) == WAIT_OBJECT_0);
    CloseHandle(thread);
    return id;
}

int main(void)
{
    for (int i = 0; i < 20; i++) {
        HMODULE dll = LoadLibraryA("wtsapi32.dll");
        LPTHREAD_START_ROUTINE entry =
            dll ? (LPTHREAD_START_ROUTINE)(void *)GetProcAddress(
                      dll, "WTSFreeMemory")
                : NULL;

        if (!entry) {
            printf("skipped: no wtsapi32.dll here\n");
            return 0;
        }
        expect("SEQ", GetCurrentThreadId(),
               "NtCreateThreadEx(*, StartRoutine=wtsapi32.dll+@, *) = 0");
        expect("SEQ", run(entry), "--- THREAD_START {Routine=wtsapi32.dll+@*");
        /* Not where a view begins, and nothing at all. */
        CHECK(NtUnmapViewOfSection((HANDLE)(LONG_PTR)-1, (void *)16) < 0);
        if (i % 2 == 0) {
            expect("SEQ", run(entry),
                   "--- THREAD_START {Routine=wtsapi32.dll+@*");
        }
        /* By the same thread, with nothing between: one batch for sure. */
        CHECK(NtQueueApcThread((HANDLE)(LONG_PTR)-2, (void *)entry, NULL, NULL,
                               NULL) == 0);
        expect("SEQ", GetCurrentThreadId(), "--- APC {Routine=wtsapi32.dll+@*");
        NtTestAlert();
        FreeLibrary(dll);
    }
    return target_end();
}
