/* SPDX-License-Identifier: MIT */
/*
 * classes - information classes that people meet daily: of processes, threads,
 * memory, objects and keys; the state of synchronization objects, the context
 * of another thread, waiting for many objects with names.
 */
#define DECODED
#include "nt.h"

NTSYSAPI NTSTATUS NTAPI NtQueryInformationProcess(HANDLE, int, void *, ULONG,
                                                  ULONG *);
NTSYSAPI NTSTATUS NTAPI NtSetInformationProcess(HANDLE, int, const void *,
                                                ULONG);
NTSYSAPI NTSTATUS NTAPI NtQueryInformationThread(HANDLE, int, void *, ULONG,
                                                 ULONG *);
NTSYSAPI NTSTATUS NTAPI NtSetInformationThread(HANDLE, int, const void *,
                                               ULONG);
NTSYSAPI NTSTATUS NTAPI NtQueryObject(HANDLE, int, void *, ULONG, ULONG *);
NTSYSAPI NTSTATUS NTAPI NtSetInformationObject(HANDLE, int, const void *,
                                               ULONG);
NTSYSAPI NTSTATUS NTAPI NtQueryKey(HANDLE, int, void *, ULONG, ULONG *);
NTSYSAPI NTSTATUS NTAPI NtOpenKey(HANDLE *, ACCESS_MASK,
                                  const struct nt_attributes *);
NTSYSAPI NTSTATUS NTAPI NtQueryMutant(HANDLE, int, void *, ULONG, ULONG *);
NTSYSAPI NTSTATUS NTAPI NtQuerySemaphore(HANDLE, int, void *, ULONG, ULONG *);
NTSYSAPI NTSTATUS NTAPI NtQuerySection(HANDLE, int, void *, SIZE_T, SIZE_T *);
NTSYSAPI NTSTATUS NTAPI NtGetContextThread(HANDLE, CONTEXT *);

static char room[4096] __attribute__((aligned(16)));
static uint64_t *const words = (uint64_t *)(void *)room;
static ULONG *const longs = (ULONG *)(void *)room;
static ULONG got;
static DWORD tid;
static unsigned long pid;

/* "2026-11-22T16:00:00.1234567Z", or 0 as a number. */
static const char *time_text(uint64_t value)
{
    static char texts[4][40];
    static unsigned next;
    char *text = texts[next++ % COUNT_OF(texts)];
    FILETIME file = { (DWORD)value, (DWORD)(value >> 32) };
    SYSTEMTIME t;

    if (value == 0 || !FileTimeToSystemTime(&file, &t)) {
        snprintf(text, sizeof texts[0], "0");
    } else {
        snprintf(text, sizeof texts[0], "%04u-%02u-%02uT%02u:%02u:%02u.%07uZ",
                 t.wYear, t.wMonth, t.wDay, t.wHour, t.wMinute, t.wSecond,
                 (unsigned)(value % 10000000));
    }
    return text;
}

/* Asks, and expects `shown` if it is answered, else the address. */
static void of_process(int number, const char *name, ULONG length,
                       const char *(*shown)(void))
{
    NTSTATUS s;

    memset(room, 0, sizeof room);
    got = 0;
    s = NtQueryInformationProcess(THIS_PROCESS, number, room, length, &got);
    if (s < 0) {
        say("%s: 0x%08lx\n", name, (unsigned long)s);
        expect("NEXT", tid,
               "NtQueryInformationProcess(ProcessHandle=NtCurrentProcess, "
               "ProcessInformationClass=%s, ProcessInformation=0x%llx, "
               "ProcessInformationLength=%lu, ReturnLength=*) = %s",
               name, u64_of(room), (unsigned long)length, result_text(s));
        return;
    }
    expect("NEXT", tid,
           "NtQueryInformationProcess(ProcessHandle=NtCurrentProcess, "
           "ProcessInformationClass=%s, ProcessInformation=%s, "
           "ProcessInformationLength=%lu, ReturnLength=[%lu]) = 0",
           name, shown(), (unsigned long)length, (unsigned long)got);
}

static char line[3000];

static const char *basic_text(void)
{
    snprintf(line, sizeof line,
             "{ExitStatus=259*, PebBaseAddress=0x%llx, AffinityMask=0x%llx, "
             "BasePriority=%lu, UniqueProcessId=%lu, "
             "InheritedFromUniqueProcessId=%llu}",
             (unsigned long long)words[1], (unsigned long long)words[2],
             (unsigned long)longs[6], pid, (unsigned long long)words[5]);
    return line;
}

static const char *times_text(void)
{
    snprintf(line, sizeof line,
             "{CreateTime=%s, ExitTime=0, KernelTime=+*s, UserTime=+*s}",
             time_text(words[0]));
    return line;
}

static const char *cycles_text(void)
{
    snprintf(line, sizeof line, "{AccumulatedCycles=%llu, CurrentCycleCount=*}",
             (unsigned long long)words[0]);
    return line;
}

static const char *long_text(void)
{
    snprintf(line, sizeof line, "[%lu]", (unsigned long)longs[0]);
    return line;
}

static const char *session_text(void)
{
    snprintf(line, sizeof line, "{SessionId=%lu}", (unsigned long)longs[0]);
    return line;
}

static const char *port_text(void)
{
    return "[NULL]";
}

/* The UNICODE_STRING at the front of the buffer, with `^` and `"` escaped. */
static const char *string_text(void)
{
    const struct nt_name *name = (const struct nt_name *)(const void *)room;
    char utf8[2000];
    size_t at = 0;
    int size = WideCharToMultiByte(CP_UTF8, 0, name->text, name->length / 2,
                                   utf8, sizeof utf8, NULL, NULL);

    line[at++] = '"';
    for (int i = 0; i < size; i++) {
        if (utf8[i] == '^' || utf8[i] == '"') {
            line[at++] = '^';
        }
        line[at++] = utf8[i];
    }
    line[at++] = '"';
    line[at] = '\0';
    return line;
}

static const char *memory_text(void)
{
    snprintf(line, sizeof line,
             "{PeakVirtualSize=0x%llx, VirtualSize=0x%llx, PageFaultCount=%lu, "
             "PeakWorkingSetSize=0x%llx, WorkingSetSize=0x%llx, "
             "QuotaPeakPagedPoolUsage=*, QuotaPagedPoolUsage=*, "
             "QuotaPeakNonPagedPoolUsage=*, QuotaNonPagedPoolUsage=*, "
             "PagefileUsage=0x%llx, PeakPagefileUsage=0x%llx}",
             (unsigned long long)words[0], (unsigned long long)words[1],
             (unsigned long)longs[4], (unsigned long long)words[3],
             (unsigned long long)words[4], (unsigned long long)words[9],
             (unsigned long long)words[10]);
    return line;
}

static void of_processes(void)
{
    static const struct {
        UCHAR foreground, class;
    } priority = { 0, 2 };
    ULONG mode = 3;

    CHECK(mark(1));
    expect("SEQ", tid, "NtQueryVirtualMemory(*, BaseAddress=0x1, *) = *");
    of_process(0, "ProcessBasicInformation", 48, basic_text);
    of_process(3, "ProcessVmCounters", 88, memory_text);
    of_process(4, "ProcessTimes", 32, times_text);
    of_process(7, "ProcessDebugPort", 8, port_text);
    of_process(12, "ProcessDefaultHardErrorMode", 4, long_text);
    of_process(20, "ProcessHandleCount", 4, long_text);
    of_process(24, "ProcessSessionInformation", 4, session_text);
    of_process(27, "ProcessImageFileName", 2000, string_text);
    of_process(31, "ProcessDebugFlags", 4, long_text);
    of_process(38, "ProcessCycleTime", 16, cycles_text);
    of_process(43, "ProcessImageFileNameWin32", 2000, string_text);
    of_process(0x7f, "0x7f", 4, long_text);

    CHECK(NtQueryInformationProcess(THIS_PROCESS, 0, room, 40, &got) ==
          STATUS_LENGTH);
    expect("NEXT", tid,
           "NtQueryInformationProcess(ProcessHandle=NtCurrentProcess, "
           "ProcessInformationClass=ProcessBasicInformation, "
           "ProcessInformation=0x%llx, ProcessInformationLength=40, "
           "ReturnLength=*) = 0xc0000004 STATUS_INFO_LENGTH_MISMATCH",
           u64_of(room));
    CHECK(NtSetInformationProcess(THIS_PROCESS, 18, &priority, 2) == 0);
    expect("NEXT", tid,
           "NtSetInformationProcess(ProcessHandle=NtCurrentProcess, "
           "ProcessInformationClass=ProcessPriorityClass, "
           "ProcessInformation={Foreground=FALSE, "
           "PriorityClass=PROCESS_PRIORITY_CLASS_NORMAL}, "
           "ProcessInformationLength=2) = 0");
    CHECK(NtSetInformationProcess(THIS_PROCESS, 12, &mode, 4) == 0);
    expect("NEXT", tid,
           "NtSetInformationProcess(ProcessHandle=NtCurrentProcess, "
           "ProcessInformationClass=ProcessDefaultHardErrorMode, "
           "ProcessInformation=[3], ProcessInformationLength=4) = 0");
}

static void of_threads(void)
{
    static const struct nt_name name = NT_NAME(L"the \"first\" ^ thread");
    LONG priority = 1;
    ULONG_PTR mask = 1;
    NTSTATUS s;

    CHECK(NtQueryInformationThread(THIS_THREAD, 0, room, 48, &got) == 0);
    expect("NEXT", tid,
           "NtQueryInformationThread(ThreadHandle=NtCurrentThread, "
           "ThreadInformationClass=ThreadBasicInformation, "
           "ThreadInformation={ExitStatus=259*, TebBaseAddress=0x%llx, "
           "ClientId={UniqueProcess=%lu, UniqueThread=%lu}, "
           "AffinityMask=0x%llx, Priority=*, BasePriority=*}, "
           "ThreadInformationLength=48, ReturnLength=[48]) = 0",
           u64_of(NtCurrentTeb()), pid, (unsigned long)tid,
           (unsigned long long)words[4]);
    CHECK(NtQueryInformationThread(THIS_THREAD, 1, room, 32, &got) == 0);
    expect("NEXT", tid,
           "NtQueryInformationThread(ThreadHandle=NtCurrentThread, "
           "ThreadInformationClass=ThreadTimes, ThreadInformation=%s, "
           "ThreadInformationLength=32, ReturnLength=[32]) = 0",
           times_text());
    CHECK(NtSetInformationThread(THIS_THREAD, 3, &priority, 4) == 0);
    expect("NEXT", tid,
           "NtSetInformationThread(ThreadHandle=NtCurrentThread, "
           "ThreadInformationClass=ThreadBasePriority, ThreadInformation=[1], "
           "ThreadInformationLength=4) = 0");
    CHECK(NtSetInformationThread(THIS_THREAD, 4, &mask, 8) == 0);
    expect("NEXT", tid,
           "NtSetInformationThread(ThreadHandle=NtCurrentThread, "
           "ThreadInformationClass=ThreadAffinityMask, "
           "ThreadInformation=[0x1], ThreadInformationLength=8) = 0");
    /* The name is behind a pointer in the buffer; there are Windows versions
     * without this class. */
    s = NtSetInformationThread(THIS_THREAD, 38, &name, sizeof name);
    expect("NEXT", tid,
           "NtSetInformationThread(ThreadHandle=NtCurrentThread, "
           "ThreadInformationClass=ThreadNameInformation, "
           "ThreadInformation={ThreadName=\"the ^\"first^\" ^^ thread\"}, "
           "ThreadInformationLength=16) = %s",
           result_text(s));
    if (NtQueryInformationThread(THIS_THREAD, 38, room, 400, &got) == 0) {
        expect("NEXT", tid,
               "NtQueryInformationThread(ThreadHandle=NtCurrentThread, "
               "ThreadInformationClass=ThreadNameInformation, "
               "ThreadInformation={ThreadName=\"the ^\"first^\" ^^ thread\"}, "
               "ThreadInformationLength=400, ReturnLength=[%lu]) = 0",
               (unsigned long)got);
    }
}

/* Of a thread that does not run. */
static DWORD WINAPI nothing(void *unused)
{
    (void)unused;
    return 0;
}

static void context(void)
{
    CONTEXT *c = (CONTEXT *)(void *)room;
    DWORD other;
    HANDLE thread =
        CreateThread(NULL, 0, nothing, NULL, CREATE_SUSPENDED, &other);

    CHECK(thread != NULL);
    c->ContextFlags = CONTEXT_FULL;
    CHECK(NtGetContextThread(thread, c) == 0);
    expect("SEQ", tid,
           "NtGetContextThread(ThreadHandle=0x%llx<%lu.%lu>, "
           "ThreadContext={Rip=*+@, Rsp=0x%llx}) = 0",
           u64_of(thread), pid, (unsigned long)other,
           (unsigned long long)c->Rsp);
    CHECK(NtSetContextThread(thread, c) == 0);
    expect("NEXT", tid,
           "NtSetContextThread(ThreadHandle=0x%llx<%lu.%lu>, "
           "ThreadContext={Rip=*+@, Rsp=0x%llx}) = 0",
           u64_of(thread), pid, (unsigned long)other,
           (unsigned long long)c->Rsp);
    c->Rip = 0x1234;
    c->Rsp = 0x5678;
    CHECK(NtSetContextThread(BAD_HANDLE, c) == STATUS_BAD_HANDLE);
    expect("NEXT", tid,
           "NtSetContextThread(ThreadHandle=0xbad4, ThreadContext={Rip=*0x1234*"
           ", Rsp=0x5678}) = 0xc0000008 STATUS_INVALID_HANDLE");
    ResumeThread(thread);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}

static void memory(void)
{
    struct {
        void *address;
        uint64_t flags;
    } set = { room, 0 };
    MEMORY_BASIC_INFORMATION info;
    SIZE_T size = 0;
    NTSTATUS s;

    CHECK(NtQueryVirtualMemory(THIS_PROCESS, room, 0, &info, sizeof info,
                               &size) == 0);
    expect("SEQ", tid,
           "NtQueryVirtualMemory(ProcessHandle=NtCurrentProcess, "
           "BaseAddress=0x%llx, MemoryInformationClass=MemoryBasicInformation, "
           "MemoryInformation={BaseAddress=0x%llx, AllocationBase=0x%llx, "
           "AllocationProtect=PAGE_EXECUTE_WRITECOPY, *RegionSize=0x%llx, "
           "State=MEM_COMMIT, Protect=PAGE_*, Type=MEM_IMAGE}, "
           "MemoryInformationLength=48, ReturnLength=[48]) = 0",
           u64_of(room), u64_of(info.BaseAddress), u64_of(info.AllocationBase),
           (unsigned long long)info.RegionSize);
    s = NtQueryVirtualMemory(THIS_PROCESS, info.AllocationBase, 2, room,
                             sizeof room, &size);
    CHECK(s == 0);
    expect("NEXT", tid,
           "NtQueryVirtualMemory(ProcessHandle=NtCurrentProcess, "
           "BaseAddress=0x%llx, "
           "MemoryInformationClass=MemoryMappedFilenameInformation, "
           "MemoryInformation=%s, MemoryInformationLength=4096, "
           "ReturnLength=[%llu]) = 0",
           u64_of(info.AllocationBase), string_text(),
           (unsigned long long)size);
    s = NtQueryVirtualMemory(THIS_PROCESS, NULL, 4, &set, sizeof set, &size);
    CHECK(s == 0 && (set.flags & 1) != 0);
    expect("NEXT", tid,
           "NtQueryVirtualMemory(ProcessHandle=NtCurrentProcess, "
           "BaseAddress=NULL, "
           "MemoryInformationClass=MemoryWorkingSetExInformation, "
           "MemoryInformation=[{VirtualAddress=0x%llx, Valid=1, "
           "ShareCount=%llu, Win32Protection=0x%llx, Shared=%llu, *}], "
           "MemoryInformationLength=16, ReturnLength=[16]) = 0",
           u64_of(room), set.flags >> 1 & 7, set.flags >> 4 & 0x7ff,
           set.flags >> 15 & 1);
}

static void objects(void)
{
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, L"ntstrace \"classes\"");
    static const BOOLEAN flags[2] = { FALSE, TRUE }, none[2];
    char name[300], quoted[300];
    struct nt_name *type;
    char *to = name;

    CHECK(NtQueryObject(event, 1, room, sizeof room, &got) == 0);
    string_text();
    line[strlen(line) - 1] = '\0';
    snprintf(quoted, sizeof quoted, "%s", line + 1);
    /* Quotes are escaped in text, not in what a handle refers to. */
    for (const char *from = quoted; *from != '\0'; from++) {
        if (*from != '^') {
            *to++ = *from;
        }
    }
    *to = '\0';
    expect("SEQ", tid,
           "NtQueryObject(Handle=0x%llx<%s>, "
           "ObjectInformationClass=ObjectNameInformation, "
           "ObjectInformation={Name=\"%s\"}, ObjectInformationLength=4096, "
           "ReturnLength=[%lu]) = 0",
           u64_of(event), name, quoted, (unsigned long)got);
    CHECK(NtQueryObject(event, 2, room, sizeof room, &got) == 0);
    type = (struct nt_name *)(void *)room;
    CHECK(type->length == 10);
    expect("NEXT", tid,
           "NtQueryObject(Handle=0x%llx<%s>, "
           "ObjectInformationClass=ObjectTypeInformation, "
           "ObjectInformation={TypeName=\"Event\", *}, "
           "ObjectInformationLength=4096, ReturnLength=[%lu]) = 0",
           u64_of(event), name, (unsigned long)got);
    CHECK(NtQueryObject(event, 0, room, 56, &got) == 0);
    expect("NEXT", tid,
           "NtQueryObject(Handle=0x%llx<%s>, "
           "ObjectInformationClass=ObjectBasicInformation, "
           "ObjectInformation={Attributes=0, GrantedAccess=0x1f0003, "
           "HandleCount=%lu, PointerCount=%lu, *}, ObjectInformationLength=56, "
           "ReturnLength=[56]) = 0",
           u64_of(event), name, (unsigned long)longs[2],
           (unsigned long)longs[3]);
    CHECK(NtSetInformationObject(event, 4, flags, 2) == 0);
    expect("NEXT", tid,
           "NtSetInformationObject(Handle=0x%llx<%s>, "
           "ObjectInformationClass=ObjectHandleFlagInformation, "
           "ObjectInformation={Inherit=FALSE, ProtectFromClose=TRUE}, "
           "ObjectInformationLength=2) = 0",
           u64_of(event), name);
    CHECK(NtClose(event) < 0);
    expect("NEXT", tid,
           "NtClose(Handle=0x%llx<%s>) = 0xc0000235 "
           "STATUS_HANDLE_NOT_CLOSABLE",
           u64_of(event), name);
    NtSetInformationObject(event, 4, none, 2);
    NtClose(event);
}

static void synchronization(void)
{
    HANDLE mutant = CreateMutexW(NULL, TRUE, NULL);
    HANDLE semaphore = CreateSemaphoreW(NULL, 2, 5, L"ntstrace semaphore");
    HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL,
                                        PAGE_READWRITE, 0, 8192, NULL);
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, L"ntstrace event");
    HANDLE all[4] = { event, semaphore, mutant, THIS_PROCESS };
    LARGE_INTEGER timeout = { .QuadPart = -1000 };
    SIZE_T size;
    NTSTATUS s;

    CHECK(NtQueryMutant(mutant, 0, room, 8, &got) == 0);
    expect("SEQ", tid,
           "NtQueryMutant(MutantHandle=0x%llx<Mutant>, "
           "MutantInformationClass=MutantBasicInformation, "
           "MutantInformation={CurrentCount=0, OwnedByCaller=TRUE, "
           "AbandonedState=FALSE}, MutantInformationLength=8, "
           "ReturnLength=[8]) = 0",
           u64_of(mutant));
    CHECK(NtQuerySemaphore(semaphore, 0, room, 8, &got) == 0);
    expect("NEXT", tid,
           "NtQuerySemaphore(SemaphoreHandle=0x%llx<*\\ntstrace semaphore>, "
           "SemaphoreInformationClass=SemaphoreBasicInformation, "
           "SemaphoreInformation={CurrentCount=2, MaximumCount=5}, "
           "SemaphoreInformationLength=8, ReturnLength=[8]) = 0",
           u64_of(semaphore));
    CHECK(NtQuerySection(section, 0, room, 24, &size) == 0);
    expect("NEXT", tid,
           "NtQuerySection(SectionHandle=0x%llx<Section>, "
           "SectionInformationClass=SectionBasicInformation, "
           "SectionInformation={BaseAddress=NULL, "
           "AllocationAttributes=SEC_COMMIT, MaximumSize=8192}, "
           "SectionInformationLength=24, ReturnLength=[24]) = 0",
           u64_of(section));
    s = NtWaitForMultipleObjects(4, all, 1, FALSE, &timeout);
    CHECK(s == 1);
    expect("NEXT", tid,
           "NtWaitForMultipleObjects(Count=4, Handles=[0x%llx<*\\ntstrace "
           "event>, 0x%llx<*\\ntstrace semaphore>, 0x%llx<Mutant>, "
           "NtCurrentProcess], WaitType=WaitAny, Alertable=FALSE, "
           "Timeout=[+0.000100s]) = 0x1*",
           u64_of(event), u64_of(semaphore), u64_of(mutant));
    s = NtWaitForMultipleObjects(2, all, 0, TRUE, &timeout);
    CHECK(s == 0x102);
    expect("NEXT", tid,
           "NtWaitForMultipleObjects(Count=2, Handles=[0x%llx<*\\ntstrace "
           "event>, 0x%llx<*\\ntstrace semaphore>], WaitType=WaitAll, "
           "Alertable=TRUE, Timeout=[+0.000100s]) = 0x102 STATUS_TIMEOUT",
           u64_of(event), u64_of(semaphore));
    NtClose(mutant);
    NtClose(semaphore);
    NtClose(section);
    NtClose(event);
}

static void keys(void)
{
    static const WCHAR path[] = L"\\Registry\\Machine\\Software\\Microsoft";
    static const char shown[] = "\\Registry\\Machine\\Software\\Microsoft";
    struct nt_name name = NT_NAME(path);
    struct nt_attributes attributes = NT_ATTRIBUTES(&name);
    HANDLE key;
    char time[40];

    CHECK(NtOpenKey(&key, KEY_READ, &attributes) == 0);
    CHECK(NtQueryKey(key, 0, room, sizeof room, &got) == 0);
    snprintf(time, sizeof time, "%s", time_text(words[0]));
    expect(
        "SEQ", tid,
        "NtQueryKey(KeyHandle=0x%llx<%s>, "
        "KeyInformationClass=KeyBasicInformation, "
        "KeyInformation={LastWriteTime=%s, Name=\"Microsoft\"}, Length=4096, "
        "ResultLength=[%lu]) = 0",
        u64_of(key), shown, time, (unsigned long)got);
    CHECK(NtQueryKey(key, 1, room, sizeof room, &got) == 0);
    expect("NEXT", tid,
           "NtQueryKey(KeyHandle=0x%llx<%s>, "
           "KeyInformationClass=KeyNodeInformation, "
           "KeyInformation={LastWriteTime=%s, *ClassLength=0, "
           "Name=\"Microsoft\"}, Length=4096, ResultLength=[%lu]) = 0",
           u64_of(key), shown, time, (unsigned long)got);
    CHECK(NtQueryKey(key, 2, room, sizeof room, &got) == 0);
    expect("NEXT", tid,
           "NtQueryKey(KeyHandle=0x%llx<%s>, "
           "KeyInformationClass=KeyFullInformation, "
           "KeyInformation={LastWriteTime=%s, *SubKeys=%lu, MaxNameLength=%lu, "
           "MaxClassLength=*, Values=%lu, MaxValueNameLength=%lu, "
           "MaxValueDataLength=%lu, Class=\"\"}, Length=4096, "
           "ResultLength=[%lu]) = 0",
           u64_of(key), shown, time, (unsigned long)longs[5],
           (unsigned long)longs[6], (unsigned long)longs[8],
           (unsigned long)longs[9], (unsigned long)longs[10],
           (unsigned long)got);
    CHECK(NtQueryKey(key, 3, room, sizeof room, &got) == 0);
    expect("NEXT", tid,
           "NtQueryKey(KeyHandle=0x%llx<%s>, "
           "KeyInformationClass=KeyNameInformation, "
           "KeyInformation={Name=\"\\R*\\M*\\S*\\Microsoft\"}, Length=4096, "
           "ResultLength=[%lu]) = 0",
           u64_of(key), shown, (unsigned long)got);
    CHECK(NtQueryKey(key, 4, room, sizeof room, &got) == 0);
    expect("NEXT", tid,
           "NtQueryKey(KeyHandle=0x%llx<%s>, "
           "KeyInformationClass=KeyCachedInformation, "
           "KeyInformation={LastWriteTime=%s, *SubKeys=%lu, MaxNameLength=%lu, "
           "Values=*, MaxValueNameLength=*, MaxValueDataLength=*, "
           "NameLength=*}, Length=4096, ResultLength=[%lu]) = 0",
           u64_of(key), shown, time, (unsigned long)longs[3],
           (unsigned long)longs[4], (unsigned long)got);
    CHECK(NtQueryKey(key, 0, room, 4, &got) == (NTSTATUS)0xc0000023);
    expect("NEXT", tid,
           "NtQueryKey(KeyHandle=0x%llx<%s>, "
           "KeyInformationClass=KeyBasicInformation, KeyInformation=0x%llx, "
           "Length=4, ResultLength=[%lu]) = 0xc0000023 "
           "STATUS_BUFFER_TOO_SMALL",
           u64_of(key), shown, u64_of(room), (unsigned long)got);
    NtClose(key);
}

int main(void)
{
    target_begin();
    tid = GetCurrentThreadId();
    pid = GetCurrentProcessId();
    of_processes();
    of_threads();
    context();
    memory();
    objects();
    synchronization();
    keys();
    return target_end();
}
