/* SPDX-License-Identifier: MIT */
/*
 * objects - events, sections, threads and processes: handles by name, copies
 * of them, arrays of them, times and time-outs, CLIENT_ID, CONTEXT, and that
 * a handle's value never shows the name it had before.
 */
#define DECODED
#include "nt.h"

struct client_id {
    ULONG_PTR process, thread;
};

NTSYSAPI NTSTATUS NTAPI NtSetEvent(HANDLE, LONG *);
NTSYSAPI NTSTATUS NTAPI NtQueryEvent(HANDLE, int, void *, ULONG, ULONG *);
NTSYSAPI NTSTATUS NTAPI NtDuplicateObject(HANDLE, HANDLE, HANDLE, HANDLE *,
                                          ACCESS_MASK, ULONG, ULONG);
NTSYSAPI NTSTATUS NTAPI NtOpenProcess(HANDLE *, ACCESS_MASK,
                                      const struct nt_attributes *,
                                      const struct client_id *);
NTSYSAPI NTSTATUS NTAPI NtOpenThread(HANDLE *, ACCESS_MASK,
                                     const struct nt_attributes *,
                                     const struct client_id *);
NTSYSAPI NTSTATUS NTAPI NtGetContextThread(HANDLE, CONTEXT *);
NTSYSAPI NTSTATUS NTAPI NtCreateSection(HANDLE *, ACCESS_MASK,
                                        const struct nt_attributes *,
                                        const LARGE_INTEGER *, ULONG, ULONG,
                                        HANDLE);
NTSYSAPI NTSTATUS NTAPI NtAllocateVirtualMemory(HANDLE, void **, ULONG_PTR,
                                                SIZE_T *, ULONG, ULONG);
NTSYSAPI NTSTATUS NTAPI NtProtectVirtualMemory(HANDLE, void **, SIZE_T *, ULONG,
                                               ULONG *);
NTSYSAPI NTSTATUS NTAPI NtFreeVirtualMemory(HANDLE, void **, SIZE_T *, ULONG);
NTSYSAPI NTSTATUS NTAPI NtQuerySystemTime(LARGE_INTEGER *);
NTSYSAPI NTSTATUS NTAPI NtCreateTimer(HANDLE *, ACCESS_MASK,
                                      const struct nt_attributes *, int);
NTSYSAPI NTSTATUS NTAPI NtSetTimer(HANDLE, const LARGE_INTEGER *, void *,
                                   void *, BOOLEAN, LONG, BOOLEAN *);

static unsigned long pid;

static void events(DWORD tid)
{
    HANDLE a, b, copy, pair[2];
    LONG before = 5;
    ULONG state[2], got = 0;
    LARGE_INTEGER timeout = { .QuadPart = -15000 };
    NTSTATUS s;

    CHECK(NtCreateEvent(&a, EVENT_ALL_ACCESS, NULL, 1, FALSE) == 0);
    expect("SEQ", tid,
           "NtCreateEvent(EventHandle=[0x%llx], DesiredAccess=EVENT_ALL_ACCESS,"
           " ObjectAttributes=NULL, EventType=SynchronizationEvent, "
           "InitialState=FALSE) = 0",
           u64_of(a));
    CHECK(NtSetEvent(a, &before) == 0 && before == 0);
    expect("NEXT", tid,
           "NtSetEvent(EventHandle=0x%llx<Event>, PreviousState=[0]) = 0",
           u64_of(a));
    CHECK(NtQueryEvent(a, 0, state, sizeof state, &got) == 0);
    expect("NEXT", tid,
           "NtQueryEvent(EventHandle=0x%llx<Event>, "
           "EventInformationClass=EventBasicInformation, "
           "EventInformation={EventType=SynchronizationEvent, EventState=1}, "
           "EventInformationLength=8, ReturnLength=[8]) = 0",
           u64_of(a));
    CHECK(NtDuplicateObject(THIS_PROCESS, a, THIS_PROCESS, &copy, 0, 0, 2) ==
          0);
    expect("NEXT", tid,
           "NtDuplicateObject(SourceProcessHandle=NtCurrentProcess, "
           "SourceHandle=0x%llx<Event>, TargetProcessHandle=NtCurrentProcess, "
           "TargetHandle=[0x%llx], DesiredAccess=0, HandleAttributes=0, "
           "Options=DUPLICATE_SAME_ACCESS) = 0",
           u64_of(a), u64_of(copy));
    CHECK(NtCreateEvent(&b, SYNCHRONIZE, NULL, 0, FALSE) == 0);
    pair[0] = copy;
    pair[1] = b;
    s = NtWaitForMultipleObjects(2, pair, 1, FALSE, &timeout);
    CHECK(s == 0);
    expect("SEQ", tid,
           "NtWaitForMultipleObjects(Count=2, Handles=[0x%llx<Event>, "
           "0x%llx<Event>], WaitType=WaitAny, Alertable=FALSE, "
           "Timeout=[+0.001500s]) = 0",
           u64_of(copy), u64_of(b));
    s = NtWaitForSingleObject(b, FALSE, &timeout);
    CHECK(s == (NTSTATUS)0x102);
    expect("NEXT", tid,
           "NtWaitForSingleObject(Handle=0x%llx<Event>, Alertable=FALSE, "
           "Timeout=[+0.001500s]) = 0x102 STATUS_TIMEOUT",
           u64_of(b));
    timeout.QuadPart = 0;
    s = NtWaitForSingleObject(b, FALSE, &timeout);
    CHECK(s == (NTSTATUS)0x102);
    expect("NEXT", tid,
           "NtWaitForSingleObject(Handle=0x%llx<Event>, Alertable=FALSE, "
           "Timeout=[+0.000000s]) = 0x102 STATUS_TIMEOUT",
           u64_of(b));
    NtClose(copy);
    NtClose(b);
    NtClose(a);
    expect("SEQ", tid, "NtClose(Handle=0x%llx<Event>) = 0", u64_of(a));
}

static void times(DWORD tid)
{
    LARGE_INTEGER now, due = { .QuadPart = -3 * 10000000ll };
    HANDLE timer;
    BOOLEAN before = 7;
    FILETIME file;
    SYSTEMTIME t;

    CHECK(NtQuerySystemTime(&now) == 0);
    CHECK(NtCreateTimer(&timer, TIMER_ALL_ACCESS, NULL, 0) == 0);
    CHECK(NtSetTimer(timer, &due, NULL, NULL, FALSE, 0, &before) == 0);
    expect("SEQ", tid,
           "NtSetTimer(TimerHandle=0x%llx<Timer>, DueTime=[+3.000000s], "
           "TimerApcRoutine=NULL, TimerContext=NULL, ResumeTimer=FALSE, "
           "Period=0, PreviousState=[FALSE]) = 0",
           u64_of(timer));
    due.QuadPart = now.QuadPart + 36000000000ll;
    file.dwLowDateTime = due.LowPart;
    file.dwHighDateTime = (DWORD)due.HighPart;
    FileTimeToSystemTime(&file, &t);
    CHECK(NtSetTimer(timer, &due, NULL, NULL, FALSE, 0, NULL) == 0);
    expect("NEXT", tid,
           "NtSetTimer(TimerHandle=0x%llx<Timer>, "
           "DueTime=[%04u-%02u-%02uT%02u:%02u:%02u.%07uZ], "
           "TimerApcRoutine=NULL, TimerContext=NULL, ResumeTimer=FALSE, "
           "Period=0, PreviousState=NULL) = 0",
           u64_of(timer), t.wYear, t.wMonth, t.wDay, t.wHour, t.wMinute,
           t.wSecond, (unsigned)(due.QuadPart % 10000000));
    NtClose(timer);
}

static void memory(DWORD tid)
{
    void *at = NULL;
    SIZE_T size = 0x1234;
    ULONG old = 0;
    unsigned long long base;

    CHECK(NtAllocateVirtualMemory(THIS_PROCESS, &at, 0, &size,
                                  MEM_COMMIT | MEM_RESERVE,
                                  PAGE_READWRITE) == 0);
    base = u64_of(at);
    expect("SEQ", tid,
           "NtAllocateVirtualMemory(ProcessHandle=NtCurrentProcess, "
           "BaseAddress=[NULL => 0x%llx], ZeroBits=0, RegionSize=[0x1234 => "
           "0x2000], AllocationType=MEM_COMMIT|MEM_RESERVE, "
           "PageProtection=PAGE_READWRITE) = 0",
           base);
    at = (char *)at + 0x10;
    size = 0x20;
    CHECK(NtProtectVirtualMemory(THIS_PROCESS, &at, &size, PAGE_EXECUTE_READ,
                                 &old) == 0);
    expect("NEXT", tid,
           "NtProtectVirtualMemory(ProcessHandle=NtCurrentProcess, "
           "BaseAddress=[0x%llx => 0x%llx], RegionSize=[0x20 => 0x1000], "
           "NewProtection=PAGE_EXECUTE_READ, OldProtection=[PAGE_READWRITE]) = "
           "0",
           base + 0x10, base);
    size = 0;
    CHECK(NtFreeVirtualMemory(THIS_PROCESS, &at, &size, MEM_RELEASE) == 0);
    expect("NEXT", tid,
           "NtFreeVirtualMemory(ProcessHandle=NtCurrentProcess, "
           "BaseAddress=[0x%llx*], RegionSize=[0 => 0x2000], "
           "FreeType=MEM_RELEASE) = 0",
           base);
}

static void processes(DWORD tid)
{
    struct nt_attributes none = NT_ATTRIBUTES(NULL);
    struct client_id id = { pid, 0 };
    HANDLE process, thread;
    CONTEXT context = { .ContextFlags = CONTEXT_CONTROL };

    CHECK(NtOpenProcess(&process, PROCESS_QUERY_LIMITED_INFORMATION, &none,
                        &id) == 0);
    expect("SEQ", tid,
           "NtOpenProcess(ProcessHandle=[0x%llx], "
           "DesiredAccess=PROCESS_QUERY_LIMITED_INFORMATION, "
           "ObjectAttributes={ObjectName=NULL, Attributes=0}, "
           "ClientId={UniqueProcess=%lu, "
           "UniqueThread=0}) = 0",
           u64_of(process), pid);
    CHECK(NtClose(process) == 0);
    expect("NEXT", tid, "NtClose(Handle=0x%llx<%lu objects.exe>) = 0",
           u64_of(process), pid);
    id.process = 0;
    id.thread = tid;
    CHECK(NtOpenThread(&thread, THREAD_GET_CONTEXT, &none, &id) == 0);
    expect("NEXT", tid,
           "NtOpenThread(ThreadHandle=[0x%llx], "
           "DesiredAccess=THREAD_GET_CONTEXT, "
           "ObjectAttributes={ObjectName=NULL, Attributes=0}, "
           "ClientId={UniqueProcess=0, "
           "UniqueThread=%lu}) = 0",
           u64_of(thread), (unsigned long)tid);
    CHECK(NtGetContextThread(THIS_THREAD, &context) == 0);
    expect("NEXT", tid,
           "NtGetContextThread(ThreadHandle=NtCurrentThread, "
           "ThreadContext={Rip=ntdll.dll+*, Rsp=0x%llx}) = 0",
           (unsigned long long)context.Rsp);
    CHECK(NtClose(thread) == 0);
    expect("NEXT", tid, "NtClose(Handle=0x%llx<%lu.%lu>) = 0", u64_of(thread),
           pid, (unsigned long)tid);
}

static DWORD WINAPI wait_a_moment(void *event)
{
    LARGE_INTEGER timeout = { .QuadPart = -5 * 10000000ll };

    return (DWORD)NtWaitForSingleObject(event, FALSE, &timeout);
}

/* The value of a closed handle comes back at once, for something else. */
static void used_again(DWORD tid)
{
    struct nt_name name = NT_NAME(L"\\BaseNamedObjects\\ntstrace objects");
    struct nt_attributes named = NT_ATTRIBUTES(&name);
    LARGE_INTEGER size = { .QuadPart = 0x3000 };
    HANDLE a, b;

    CHECK(NtCreateSection(&a, SECTION_ALL_ACCESS, &named, &size, PAGE_READWRITE,
                          SEC_COMMIT, NULL) == 0);
    expect("SEQ", tid,
           "NtCreateSection(SectionHandle=[0x%llx], "
           "DesiredAccess=SECTION_ALL_ACCESS, "
           "ObjectAttributes={ObjectName=\"\\BaseNamedObjects\\ntstrace "
           "objects\", Attributes=0}, MaximumSize=[*12288*], "
           "SectionPageProtection=PAGE_READWRITE, "
           "AllocationAttributes=SEC_COMMIT, FileHandle=NULL) = 0",
           u64_of(a));
    CHECK(NtClose(a) == 0);
    expect("NEXT", tid,
           "NtClose(Handle=0x%llx<\\BaseNamedObjects\\ntstrace objects>) = 0",
           u64_of(a));
    CHECK(NtCreateEvent(&b, EVENT_ALL_ACCESS, NULL, 0, FALSE) == 0);
    CHECK(NtClose(b) == 0);
    expect("SEQ", tid, "NtClose(Handle=0x%llx<Event>) = 0", u64_of(b));
    printf("the same value twice: %d\n", a == b);
}

int main(void)
{
    DWORD tid = GetCurrentThreadId(), other = 0;
    HANDLE thread, event;

    target_begin();
    pid = GetCurrentProcessId();
    events(tid);
    times(tid);
    memory(tid);
    processes(tid);
    used_again(tid);

    event = CreateEventW(NULL, FALSE, FALSE, NULL);
    thread = start_thread(wait_a_moment, (uintptr_t)event, &other);
    Sleep(20);
    SetEvent(event);
    NtWaitForSingleObject(thread, FALSE, NULL);
    expect("SEQ", tid,
           "NtWaitForSingleObject(Handle=0x%llx<%lu.%lu>, Alertable=FALSE, "
           "Timeout=NULL*) = 0",
           u64_of(thread), pid, (unsigned long)other);
    expect("SEQ", other,
           "NtWaitForSingleObject(Handle=0x%llx<Event>, Alertable=FALSE, "
           "Timeout=[+5.000000s]*) = 0",
           u64_of(event));
    return target_end();
}
