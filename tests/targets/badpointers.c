/* SPDX-License-Identifier: MIT */
/*
 * badpointers - arguments that point to nothing one could read, through every
 * kind of capture: a structure, a name behind a structure, its characters,
 * data with a length, an array, an output.
 *
 * What the tracer copies must change nothing: every call has the status it
 * has untraced (printed, so that both runs can be compared), no exception is
 * seen, a guard page keeps its guard, and the trace shows the address.
 *
 * The places: null, not mapped, PAGE_NOACCESS, PAGE_GUARD (where the kernel
 * itself does not look: the handle is a bad one), across the end of a page
 * that nothing follows, a length of 4 GiB, memory that another thread maps
 * and unmaps all the time, and good memory while the TEB tells a wrong stack.
 */
#define DECODED
#include "nt.h"

#define PAGE 0x1000u

static LONG volatile exceptions;

static LONG WINAPI count_exception(EXCEPTION_POINTERS *p)
{
    (void)p;
    InterlockedIncrement(&exceptions);
    return EXCEPTION_CONTINUE_SEARCH;
}

static char *pages(unsigned count, DWORD protect)
{
    char *p =
        VirtualAlloc(NULL, count * PAGE, MEM_COMMIT | MEM_RESERVE, protect);

    CHECK(p != NULL);
    return p;
}

static bool still_guarded(const void *p)
{
    MEMORY_BASIC_INFORMATION m;

    return VirtualQuery(p, &m, sizeof m) != 0 &&
           m.Protect == (PAGE_READWRITE | PAGE_GUARD);
}

/* Told once for the thread, behind what is expected already. `status` is what
 * the call gave: printed, it must be the same without a tracer. */
static void told(const char *place, const char *call, NTSTATUS status)
{
    printf("%s, %s: 0x%08lx\n", place, call, (unsigned long)status);
}

/* Each kind of capture with `bad`, which nobody can read. The results depend
 * on who looks first, the name or the handle: they are Windows' (Wine's) own
 * business, and must not change. */
static void with_bad(const char *place, char *bad)
{
    DWORD tid = GetCurrentThreadId();
    struct nt_name name = { 8, 8, (WCHAR *)(void *)bad };
    struct nt_attributes good = NT_ATTRIBUTES(&name);
    struct nt_attributes bad_name = NT_ATTRIBUTES((void *)bad);
    struct nt_name value_name = NT_NAME(L"ntstrace");
    static HANDLE out;
    static struct nt_iosb iosb;
    unsigned long long at = u64_of(bad);
    NTSTATUS s;

    s = NtOpenEvent(&out, EVENT_MODIFY_STATE, (void *)bad);
    told(place, "structure", s);
    expect("SEQ", tid,
           "NtOpenEvent(EventHandle=0x%llx, DesiredAccess=EVENT_MODIFY_STATE, "
           "ObjectAttributes=0x%llx) = %s",
           u64_of(&out), at, result_text(s));

    s = NtOpenEvent(&out, EVENT_MODIFY_STATE, &bad_name);
    told(place, "name", s);
    expect("SEQ", tid,
           "NtOpenEvent(EventHandle=0x%llx, DesiredAccess=EVENT_MODIFY_STATE, "
           "ObjectAttributes={ObjectName=0x%llx, Attributes=0}) = %s",
           u64_of(&out), at, result_text(s));

    s = NtOpenEvent(&out, EVENT_MODIFY_STATE, &good);
    told(place, "characters", s);
    expect("SEQ", tid,
           "NtOpenEvent(EventHandle=0x%llx, DesiredAccess=EVENT_MODIFY_STATE, "
           "ObjectAttributes={ObjectName=0x%llx, Attributes=0}) = %s",
           u64_of(&out), at, result_text(s));

    s = NtWriteFile(BAD_HANDLE, NULL, NULL, NULL, &iosb, bad, 100, NULL, NULL);
    told(place, "data", s);
    expect("SEQ", tid,
           "NtWriteFile(FileHandle=0xbad4, Event=NULL, ApcRoutine=NULL, "
           "ApcContext=NULL, IoStatusBlock=0x%llx, Buffer=0x%llx, Length=100, "
           "ByteOffset=NULL, Key=NULL) = %s",
           u64_of(&iosb), at, result_text(s));

    s = NtWriteFile(BAD_HANDLE, NULL, NULL, NULL, &iosb, bad, 0xffffffff, NULL,
                    NULL);
    told(place, "data of 4 GiB", s);
    expect("SEQ", tid,
           "NtWriteFile(FileHandle=0xbad4, Event=NULL, ApcRoutine=NULL, "
           "ApcContext=NULL, IoStatusBlock=0x%llx, Buffer=0x%llx, "
           "Length=4294967295, ByteOffset=NULL, Key=NULL) = %s",
           u64_of(&iosb), at, result_text(s));

    s = NtSetValueKey(BAD_HANDLE, &value_name, 0, REG_BINARY, bad, 40);
    told(place, "registry data", s);
    expect("SEQ", tid,
           "NtSetValueKey(KeyHandle=0xbad4, ValueName=\"ntstrace\", "
           "TitleIndex=0, Type=REG_BINARY, Data=0x%llx, DataSize=40) = %s",
           at, result_text(s));

    s = NtReadFile(BAD_HANDLE, NULL, NULL, NULL, (void *)bad, bad, 10, NULL,
                   NULL);
    told(place, "outputs", s);
    expect("SEQ", tid,
           "NtReadFile(FileHandle=0xbad4, Event=NULL, ApcRoutine=NULL, "
           "ApcContext=NULL, IoStatusBlock=0x%llx, Buffer=0x%llx, Length=10, "
           "ByteOffset=NULL, Key=NULL) = %s",
           at, at, result_text(s));
}

/* Wine's own look at a handle array takes a fault for a program's (it reads
 * the array in user mode's place): asked for only where that is harmless. */
static void array_across_end(char *bad)
{
    DWORD tid = GetCurrentThreadId();
    NTSTATUS s;

    s = NtWaitForMultipleObjects(65, (HANDLE *)(void *)bad, 1, FALSE, NULL);
    told("array", "too many", s);
    expect("SEQ", tid,
           "NtWaitForMultipleObjects(Count=65, Handles=*, WaitType=*, "
           "Alertable=FALSE, Timeout=NULL) = %s",
           result_text(s));
}

static LONG volatile stop;

static DWORD WINAPI map_and_unmap(void *where)
{
    while (!stop) {
        VirtualAlloc(where, PAGE, MEM_COMMIT, PAGE_READWRITE);
        VirtualFree(where, PAGE, MEM_DECOMMIT);
    }
    return 0;
}

/* While the page comes and goes, what is shown may be the bytes or the
 * address; the status is that of a bad handle either way. */
static void with_changing(void)
{
    char *page = VirtualAlloc(NULL, PAGE, MEM_RESERVE, PAGE_READWRITE);
    DWORD other, tid = GetCurrentThreadId();
    HANDLE thread = start_thread(map_and_unmap, (uintptr_t)page, &other);
    static struct nt_iosb iosb;
    unsigned right = 0;
    unsigned const rounds = 2000;

    for (unsigned i = 0; i < rounds; i++) {
        right += NtWriteFile(BAD_HANDLE, NULL, NULL, NULL, &iosb, page, 2000,
                             NULL, NULL) == STATUS_BAD_HANDLE;
    }
    stop = 1;
    WaitForSingleObject(thread, INFINITE);
    printf("memory that comes and goes: %u of %u right\n", right, rounds);
    expect("COUNT", tid,
           "%u NtWriteFile(*, Length=2000, *) = 0xc0000008 "
           "STATUS_INVALID_HANDLE",
           rounds);
}

/* The words of the TEB that tell the stack are the program's to write. The
 * name lies in good memory: it is shown, or its address; nothing breaks. */
static void with_false_stack(char *noaccess)
{
    NT_TIB *tib;
    void *base, *limit;
    static struct nt_iosb iosb;
    NTSTATUS s;

    __asm__("movq %%gs:0x30, %0" : "=r"(tib));
    base = tib->StackBase;
    limit = tib->StackLimit;
    tib->StackBase = noaccess + PAGE;
    tib->StackLimit = noaccess;
    s = NtWriteFile(BAD_HANDLE, NULL, NULL, NULL, &iosb, noaccess, 64, NULL,
                    NULL);
    tib->StackBase = (void *)UINTPTR_MAX;
    tib->StackLimit = NULL;
    if (s == STATUS_BAD_HANDLE) {
        s = NtWriteFile(BAD_HANDLE, NULL, NULL, NULL, &iosb, noaccess, 64, NULL,
                        NULL);
    }
    tib->StackBase = base;
    tib->StackLimit = limit;
    told("false stack", "data", s);
    expect("COUNT", GetCurrentThreadId(),
           "2 NtWriteFile(FileHandle=0xbad4, *, Buffer=0x%llx, Length=64, *) ="
           " 0xc0000008 STATUS_INVALID_HANDLE",
           u64_of(noaccess));
}

int main(void)
{
    static struct nt_iosb iosb;
    char *free_page, *none, *guard, *end;
    DWORD tid = GetCurrentThreadId();
    NTSTATUS s;

    target_begin();
    AddVectoredExceptionHandler(1, count_exception);
    free_page = pages(1, PAGE_READWRITE);
    VirtualFree(free_page, 0, MEM_RELEASE);
    none = pages(1, PAGE_NOACCESS);
    guard = pages(1, PAGE_READWRITE | PAGE_GUARD);
    end = pages(2, PAGE_READWRITE);
    VirtualFree(end + PAGE, PAGE, MEM_DECOMMIT);
    memset(end, 'x', PAGE);

    with_bad("not mapped", free_page);
    with_bad("no access", none);
    array_across_end(end + PAGE - 16);

    /* Nobody but us would look behind a bad handle: the guard stays. */
    s = NtWriteFile(BAD_HANDLE, NULL, NULL, NULL, &iosb, guard, 100, NULL,
                    NULL);
    told("guard", "data", s);
    CHECK(still_guarded(guard));
    expect("SEQ", tid, "NtWriteFile(*, Buffer=0x%llx, Length=100, *) = %s",
           u64_of(guard), result_text(s));
    s = NtSetValueKey(BAD_HANDLE, NULL, 0, REG_BINARY, guard + 8, 40);
    told("guard", "registry data", s);
    CHECK(still_guarded(guard));
    expect("SEQ", tid,
           "NtSetValueKey(KeyHandle=0xbad4, ValueName=NULL, *, Data=0x%llx, "
           "DataSize=40) = %s",
           u64_of(guard) + 8, result_text(s));

    /* What is there is shown, up to the end of the page. */
    s = NtWriteFile(BAD_HANDLE, NULL, NULL, NULL, &iosb, end + PAGE - 4, 100,
                    NULL, NULL);
    told("end of page", "data", s);
    expect("SEQ", tid,
           "NtWriteFile(*, Buffer=b\"xxxx\"..., Length=100, *) = %s",
           result_text(s));

    with_false_stack(none);
    with_changing();
    CHECK(exceptions == 0);
    expect_all("NOT", "--- EXCEPTION *");
    return target_end();
}
