/* SPDX-License-Identifier: MIT */
/*
 * counts - calls of several kinds, so many of each on two threads, some of
 * which fail. It prints what a table of them has to say, for each thread,
 *
 *   COUNT PID.TID NAME CALLS ERRORS
 *
 * of calls that nothing else in the process makes. What is a failure: an
 * NTSTATUS from 0x80000000 on, a window call's BOOL that is 0; neither a
 * time-out nor STATUS_NO_MORE_ENTRIES nor STATUS_BUFFER_OVERFLOW.
 */
#include "nt.h"

NTSYSAPI NTSTATUS NTAPI NtSetEvent(HANDLE, LONG *);
NTSYSAPI NTSTATUS NTAPI NtResetEvent(HANDLE, LONG *);
NTSYSAPI NTSTATUS NTAPI NtPulseEvent(HANDLE, LONG *);
NTSYSAPI NTSTATUS NTAPI NtQueryEvent(HANDLE, int, void *, ULONG, ULONG *);
NTSYSAPI NTSTATUS NTAPI NtOpenKeyEx(HANDLE *, ACCESS_MASK,
                                    const struct nt_attributes *, ULONG);
NTSYSAPI NTSTATUS NTAPI NtEnumerateKey(HANDLE, ULONG, int, void *, ULONG,
                                       ULONG *);
NTSYSAPI NTSTATUS NTAPI NtSignalAndWaitForSingleObject(HANDLE, HANDLE, BOOLEAN,
                                                       const LARGE_INTEGER *);

static HANDLE event, key;

static void told(const char *name, unsigned calls, unsigned errors)
{
    printf("COUNT %lu.%lu %s %u %u\n", (unsigned long)GetCurrentProcessId(),
           (unsigned long)GetCurrentThreadId(), name, calls, errors);
}

static DWORD WINAPI second(void *unused)
{
    (void)unused;
    for (int i = 0; i < 31; i++) {
        CHECK(NtPulseEvent(event, NULL) == 0);
    }
    for (int i = 0; i < 13; i++) {
        CHECK(NtResetEvent(BAD_HANDLE, NULL) == STATUS_BAD_HANDLE);
    }
    for (int i = 0; i < 300; i++) {
        CHECK(NtResetEvent(event, NULL) == 0);
    }
    told("NtPulseEvent", 31, 0);
    told("NtResetEvent", 313, 13);
    return 0;
}

int main(void)
{
    static const LARGE_INTEGER now = { .QuadPart = 0 };
    struct nt_name name = NT_NAME(L"\\Registry\\Machine\\Software");
    struct nt_attributes attributes = NT_ATTRIBUTES(&name);
    uint64_t room[256];
    ULONG got;
    HANDLE thread, other;

    target_begin();
    attributes.attributes = 0x40; /* OBJ_CASE_INSENSITIVE */
    event = CreateEventW(NULL, TRUE, FALSE, NULL);
    other = CreateEventW(NULL, TRUE, FALSE, NULL);
    CHECK(NtOpenKeyEx(&key, KEY_READ, &attributes, 0) == 0);
    for (int i = 0; i < 200; i++) {
        CHECK(NtPulseEvent(i % 20 == 0 ? BAD_HANDLE : event, NULL) ==
              (i % 20 == 0 ? STATUS_BAD_HANDLE : 0));
    }
    thread = CreateThread(NULL, 0, second, NULL, 0, NULL);
    for (int i = 0; i < 100; i++) {
        CHECK(NtQueryEvent(event, 0, room, i < 40 ? 3 : 8, &got) ==
              (i < 40 ? STATUS_LENGTH : 0));
    }
    for (int i = 0; i < 5; i++) {
        /* More room is needed; no more keys: both tell something. */
        CHECK(NtEnumerateKey(key, 0, 0, room, 18, &got) ==
              (NTSTATUS)0x80000005);
        CHECK(NtEnumerateKey(key, 100000, 0, room, sizeof room, &got) ==
              (NTSTATUS)0x8000001a);
        CHECK(NtEnumerateKey(key, 0, 0, room, 4, &got) == (NTSTATUS)0xc0000023);
    }
    for (int i = 0; i < 9; i++) {
        /* The wait times out. */
        CHECK(NtSignalAndWaitForSingleObject(event, other, FALSE, &now) ==
              0x102);
    }
    for (int i = 0; i < 4; i++) {
        CHECK(NtSignalAndWaitForSingleObject(BAD_HANDLE, other, FALSE, &now) ==
              STATUS_BAD_HANDLE);
    }
    for (int i = 0; i < 6; i++) {
        CHECK(!DestroyWindow((HWND)(uintptr_t)0x1234567));
    }
    WaitForSingleObject(thread, INFINITE);
    told("NtPulseEvent", 200, 10);
    told("NtQueryEvent", 100, 40);
    told("NtEnumerateKey", 15, 5);
    told("NtSignalAndWaitForSingleObject", 13, 4);
    told("NtUserDestroyWindow", 6, 6);
    return target_bad != 0;
}
