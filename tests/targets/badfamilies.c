/* SPDX-License-Identifier: MIT */
/*
 * badfamilies - every family of arguments that is copied, with pointers that
 * nobody can use. badpointers.c shows in full lines what is told of them; here
 * each family is a row: the call, its arguments, and which of them is bad.
 *
 * The places: null, not mapped, PAGE_NOACCESS, PAGE_GUARD, the last bytes of a
 * page that nothing follows, good memory full of garbage (lengths, counts and
 * pointers of all ones), and memory that another thread maps and unmaps. All
 * once more while the TEB tells a false stack.
 *
 * What must hold: the result is that of the call without a tracer, a guard
 * page is as armed afterwards as without one (the kernel itself may have
 * looked at it), no exception is seen, and the trace has the address. Results
 * and guards are printed: the runner compares both runs. Where results depend
 * on when a page is mapped, only the number of calls counts.
 *
 * All calls fail: the handles are bad ones. Left out, because the process does
 * not survive them untraced: NtContinue and NtRaiseException, which load what
 * they are given; on Wine NtUserGetClassInfoEx with a bad name (it keeps a
 * lock of the whole process), and names of more than a page that end within
 * it (half of such a name reaches Wine's server, which ends the process).
 */
#define DECODED
#include "nt.h"

#define PAGE 0x1000u
#define ARGS_MAX 17
#define FILL 0xff

/* Arguments that stand for something else. */
#define BAD 0x00bad00000000001u     // the bad pointer
#define ROOM 0x00bad00000000002u    // room that nothing is expected in
#define NAME 0x00bad00000000003u    // a good UNICODE_STRING
#define OBJECT 0x00bad00000000004u  // good OBJECT_ATTRIBUTES
#define NONE 0xbad4u                // no handle
#define PROCESS 0xffffffffffffffffu
/* Good structures, and the bad pointer stands in them. */
#define IN_NAME 0x00bad00000000011u
#define IN_OBJECT 0x00bad00000000012u    // the name's text
#define IN_SECURITY 0x00bad00000000013u  // descriptor and quality
#define IN_DESCRIPTOR 0x00bad00000000014u
#define IN_ATTRIBUTES 0x00bad00000000015u
#define IN_PARAMETERS 0x00bad00000000016u
#define IN_WSABUF 0x00bad00000000017u

struct row {
    const char *family;
    const char *call;
    const char *argument;  // NULL: it is deeper
    uint64_t args[ARGS_MAX];
};

/* clang-format off */
static const struct row rows[] = {
    { "attributes", "NtOpenEvent", "ObjectAttributes", { ROOM, 2, BAD } },
    { "attributes' text", "NtOpenEvent", NULL, { ROOM, 2, IN_OBJECT } },
    { "attributes' security", "NtOpenEvent", NULL, { ROOM, 2, IN_SECURITY } },
    { "handle", "NtOpenEvent", "EventHandle", { BAD, 2, OBJECT } },
    { "file attributes", "NtOpenFile", "ObjectAttributes",
      { ROOM, 1, BAD, ROOM, 7, 0 } },
    { "file's extended attributes", "NtCreateFile", "EaBuffer",
      { ROOM, 1, OBJECT, ROOM, 0, 0, 0, 1, 0, BAD, 400 } },
    { "read", "NtReadFile", "Buffer",
      { NONE, 0, 0, 0, ROOM, BAD, 100, 0, 0 } },
    { "status block", "NtReadFile", "IoStatusBlock",
      { NONE, 0, 0, 0, BAD, ROOM, 100, 0, 0 } },
    { "written", "NtWriteFile", "Buffer",
      { NONE, 0, 0, 0, ROOM, BAD, 0xffffffff, 0, 0 } },
    { "file class", "NtQueryInformationFile", "FileInformation",
      { NONE, ROOM, BAD, 40, 4 } },
    { "rename", "NtSetInformationFile", "FileInformation",
      { NONE, ROOM, BAD, 100, 10 } },
    { "listing", "NtQueryDirectoryFile", "FileInformation",
      { NONE, 0, 0, 0, ROOM, BAD, 400, 3, 0, 0, 0 } },
    { "listing's pattern", "NtQueryDirectoryFile", NULL,
      { NONE, 0, 0, 0, ROOM, ROOM, 400, 3, 0, IN_NAME, 0 } },
    { "volume", "NtQueryVolumeInformationFile", "FsInformation",
      { NONE, ROOM, BAD, 400, 1 } },
    { "fsctl", "NtFsControlFile", "InputBuffer",
      { NONE, 0, 0, 0, ROOM, 0x900a4, BAD, 400, 0, 0 } },
    { "fsctl's output", "NtFsControlFile", "OutputBuffer",
      { NONE, 0, 0, 0, ROOM, 0x900a8, 0, 0, BAD, 0xffffffff } },
    { "ioctl", "NtDeviceIoControlFile", "InputBuffer",
      { NONE, 0, 0, 0, ROOM, 0x2d1400, BAD, 12, ROOM, 8 } },
    { "socket", "NtDeviceIoControlFile", "InputBuffer",
      { NONE, 0, 0, 0, ROOM, 0x12017, BAD, 24, 0, 0 } },
    { "socket's buffers", "NtDeviceIoControlFile", NULL,
      { NONE, 0, 0, 0, ROOM, 0x1201f, IN_WSABUF, 24, 0, 0 } },
    { "socket's address", "NtDeviceIoControlFile", "InputBuffer",
      { NONE, 0, 0, 0, ROOM, 0x12003, BAD, 32, ROOM, 32 } },
    { "key", "NtOpenKey", "ObjectAttributes", { ROOM, 1, BAD } },
    { "key's class", "NtCreateKey", NULL,
      { ROOM, 1, OBJECT, 0, IN_NAME, 0, 0 } },
    { "key class", "NtQueryKey", "KeyInformation",
      { NONE, 2, BAD, 400, ROOM } },
    { "sub key", "NtEnumerateKey", "KeyInformation",
      { NONE, 0, 1, BAD, 400, ROOM } },
    { "value's name", "NtQueryValueKey", NULL,
      { NONE, IN_NAME, 2, ROOM, 400, ROOM } },
    { "value", "NtQueryValueKey", "KeyValueInformation",
      { NONE, NAME, 2, BAD, 400, ROOM } },
    { "value's data", "NtSetValueKey", "Data",
      { NONE, NAME, 0, REG_MULTI_SZ, BAD, 0xffffffff } },
    { "process class", "NtQueryInformationProcess", "ProcessInformation",
      { NONE, 0, BAD, 48, ROOM } },
    { "process class set", "NtSetInformationProcess", "ProcessInformation",
      { NONE, 18, BAD, 2 } },
    { "thread class", "NtQueryInformationThread", "ThreadInformation",
      { NONE, 0, BAD, 48, ROOM } },
    { "thread's name", "NtSetInformationThread", NULL,
      { NONE, 38, IN_NAME, 16 } },
    { "memory class", "NtQueryVirtualMemory", "MemoryInformation",
      { NONE, 0x10000, 0, BAD, 48, ROOM } },
    { "object class", "NtQueryObject", "ObjectInformation",
      { NONE, 0, BAD, 56, ROOM } },
    { "object class set", "NtSetInformationObject", "ObjectInformation",
      { NONE, 4, BAD, 2 } },
    { "memory", "NtAllocateVirtualMemory", "BaseAddress",
      { NONE, BAD, 0, ROOM, MEM_COMMIT, PAGE_READWRITE } },
    { "memory's size", "NtFreeVirtualMemory", "RegionSize",
      { NONE, ROOM, BAD, MEM_RELEASE } },
    { "other memory", "NtWriteVirtualMemory", "Buffer",
      { NONE, 0x10000, BAD, 100, 0 } },
    { "section's size", "NtCreateSection", "MaximumSize",
      { ROOM, 1, 0, BAD, PAGE_READWRITE, SEC_COMMIT, NONE } },
    { "handles", "NtWaitForMultipleObjects", "Handles",
      { 2, BAD, 1, 0, ROOM } },
    { "too many handles", "NtWaitForMultipleObjects", "Handles",
      { 0xffffffff, BAD, 1, 0, ROOM } },
    { "time-out", "NtWaitForSingleObject", "Timeout", { NONE, 0, BAD } },
    { "due time", "NtSetTimer", "DueTime", { NONE, BAD, 0, 0, 0, 0, 0 } },
    { "client", "NtOpenProcess", "ClientId", { ROOM, 1, OBJECT, BAD } },
    { "copy", "NtDuplicateObject", "TargetHandle",
      { NONE, NONE, NONE, BAD, 0, 0, 0 } },
    { "attribute list", "NtCreateThreadEx", "AttributeList",
      { ROOM, 1, 0, NONE, 0x1000, 0, 1, 0, 0, 0, BAD } },
    { "attributes' values", "NtCreateThreadEx", NULL,
      { ROOM, 1, 0, NONE, 0x1000, 0, 1, 0, 0, 0, IN_ATTRIBUTES } },
    { "process's parameters", "NtCreateUserProcess", "ProcessParameters",
      { ROOM, ROOM, 1, 1, 0, 0, 0, 0, BAD, ROOM, ROOM } },
    { "parameters' strings", "NtCreateUserProcess", NULL,
      { ROOM, ROOM, 1, 1, 0, 0, 0, 0, IN_PARAMETERS, ROOM, ROOM } },
    { "context", "NtSetContextThread", "ThreadContext", { NONE, BAD } },
    { "context asked", "NtGetContextThread", "ThreadContext", { NONE, BAD } },
    { "message", "NtRequestWaitReplyPort", "RequestMessage",
      { NONE, BAD, ROOM } },
    { "port's name", "NtConnectPort", NULL,
      { ROOM, IN_NAME, 0, 0, 0, 0, 0, 0 } },
    { "port's quality", "NtConnectPort", "SecurityQos",
      { ROOM, NAME, BAD, 0, 0, 0, 0, 0 } },
    { "security", "NtQuerySecurityObject", "SecurityDescriptor",
      { NONE, 7, BAD, 400, ROOM } },
    { "security set", "NtSetSecurityObject", "SecurityDescriptor",
      { NONE, 7, BAD } },
    { "security's parts", "NtSetSecurityObject", NULL,
      { NONE, 7, IN_DESCRIPTOR } },
    { "token class", "NtQueryInformationToken", "TokenInformation",
      { NONE, 1, BAD, 400, ROOM } },
    { "privileges", "NtAdjustPrivilegesToken", "NewState",
      { NONE, 0, BAD, 16, ROOM, ROOM } },
    { "token's attributes", "NtDuplicateToken", "ObjectAttributes",
      { NONE, 8, BAD, 0, 2, ROOM } },
    { "system class", "NtQuerySystemInformation", "SystemInformation",
      { 0, BAD, 64, ROOM } },
    { "message posted", "NtUserDispatchMessage", "*", { BAD } },
    { "message taken", "NtUserPeekMessage", "*", { BAD, NONE, 0, 0, 1 } },
    { "message's text", "NtUserMessageCall", "lParam",
      { NONE, 12, 0, BAD, 0, 0x2b0, 0 } },
    { "input", "NtUserSendInput", "*", { 2, BAD, 40 } },
    { "menu item", "NtUserThunkedMenuItemInfo", "*",
      { NONE, 0, 0, 3, BAD, 0 } },
    { "window's name", "NtUserFindWindowEx", NULL,
      { NONE, 0, IN_NAME, IN_NAME, 0 } },
    { "clipboard", "NtUserSetClipboardData", "*", { 13, NONE, BAD } },
    { "format's name", "NtUserGetClipboardFormatName", "*",
      { 0xc001, BAD, 80 } },
    { "hook's module", "NtUserSetWindowsHookEx", NULL,
      { 0, IN_NAME, 0, 99, 0, 0 } },
    { "desktop", "NtUserOpenDesktop", "*", { BAD, 0, 1 } },
    { "desktop's name", "NtUserGetObjectInformation", "*",
      { NONE, 2, BAD, 100, ROOM } },
    { "placement", "NtUserGetWindowPlacement", "*", { NONE, BAD } },
    { "points", "NtGdiPolyPolyDraw", "*", { NONE, BAD, ROOM, 1, 2 } },
    { "drawn text", "NtGdiExtTextOutW", "*",
      { NONE, 0, 0, 0, 0, BAD, 100, 0, 0 } },
};
/* clang-format on */

enum place {
    NOWHERE,
    FREE,
    NO_ACCESS,
    GUARD,
    END,
    GARBAGE,
    PLACES
};

static const char *const place_names[PLACES] = {
    "null", "not mapped", "no access", "guard", "end of page", "garbage",
};

typedef uint64_t NTAPI any_call(uint64_t, uint64_t, uint64_t, uint64_t,
                                uint64_t, uint64_t, uint64_t, uint64_t,
                                uint64_t, uint64_t, uint64_t, uint64_t,
                                uint64_t, uint64_t, uint64_t, uint64_t,
                                uint64_t);

static LONG volatile exceptions;
static char *places[PLACES];
static char *changing;
static uint64_t *out;
static DWORD tid;

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

/* The structures that hold a bad pointer. */
static struct nt_name good_name = NT_NAME(L"ntstrace none"), in_name;
static struct nt_attributes good_object, in_object, in_security;
static struct nt_name in_object_name;
static uint64_t in_descriptor[5], in_attributes[1 + 4 * 3], in_wsabuf[3];
static char in_parameters[0x448] __attribute__((aligned(8)));

static void put(size_t offset, uint64_t bad)
{
    struct nt_name text = { 100, 100, (const WCHAR *)(uintptr_t)bad };

    memcpy(in_parameters + offset, &text, sizeof text);
}

static void fill_in(uint64_t bad)
{
    static const size_t strings[] = { 0x38, 0x50, 0x60, 0x70, 0xb0, 0xc0 };
    const WCHAR *text = (const WCHAR *)(uintptr_t)bad;

    good_object = (struct nt_attributes)NT_ATTRIBUTES(&good_name);
    in_name = (struct nt_name){ 100, 100, text };
    in_object_name = in_name;
    in_object = (struct nt_attributes)NT_ATTRIBUTES(&in_object_name);
    in_security = good_object;
    in_security.security = (void *)(uintptr_t)bad;
    in_security.quality = (void *)(uintptr_t)bad;
    in_descriptor[0] = 0x00040001;
    for (int i = 1; i < 5; i++) {
        in_descriptor[i] = bad;
    }
    in_attributes[0] = UINT64_MAX - 7; /* a garbage length */
    for (int i = 0; i < 3; i++) {
        static const uint64_t kinds[3] = { 0x20005, 0x10003, 0x10004 };

        in_attributes[1 + 4 * i] = kinds[i];
        in_attributes[2 + 4 * i] = 0xffff;
        in_attributes[3 + 4 * i] = bad;
        in_attributes[4 + 4 * i] = bad;
    }
    in_wsabuf[0] = bad;
    in_wsabuf[1] = 0xffffffff;
    in_wsabuf[2] = 0;
    memset(in_parameters, 0, sizeof in_parameters);
    ((ULONG *)(void *)in_parameters)[0] = sizeof in_parameters;
    ((ULONG *)(void *)in_parameters)[1] = sizeof in_parameters;
    ((ULONG *)(void *)in_parameters)[2] = 1;
    for (size_t i = 0; i < COUNT_OF(strings); i++) {
        put(strings[i], bad);
    }
}

static uint64_t argument(uint64_t value, uint64_t bad)
{
    switch (value) {
    case BAD:
        return bad;
    case ROOM:
        return u64_of(out);
    case NAME:
        return u64_of(&good_name);
    case OBJECT:
        return u64_of(&good_object);
    case IN_NAME:
        return u64_of(&in_name);
    case IN_OBJECT:
        return u64_of(&in_object);
    case IN_SECURITY:
        return u64_of(&in_security);
    case IN_DESCRIPTOR:
        return u64_of(in_descriptor);
    case IN_ATTRIBUTES:
        return u64_of(in_attributes);
    case IN_PARAMETERS:
        return u64_of(in_parameters);
    case IN_WSABUF:
        return u64_of(in_wsabuf);
    default:
        return value;
    }
}

static any_call *entry_of(const struct row *r)
{
    FARPROC p = GetProcAddress(GetModuleHandleA("ntdll"), r->call);

    if (p == NULL) {
        p = GetProcAddress(LoadLibraryA("win32u"), r->call);
    }
    return (any_call *)(void *)p;
}

static uint64_t called(const struct row *r, any_call *entry, uint64_t bad)
{
    uint64_t a[ARGS_MAX];

    fill_in(bad);
    memset(out, 0, 64);
    for (int i = 0; i < ARGS_MAX; i++) {
        a[i] = argument(r->args[i], bad);
    }
    return entry(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9],
                 a[10], a[11], a[12], a[13], a[14], a[15], a[16]);
}

static bool is_nt(const struct row *r)
{
    return strncmp(r->call, "NtUser", 6) != 0 &&
           strncmp(r->call, "NtGdi", 5) != 0;
}

static bool guarded(const void *p)
{
    MEMORY_BASIC_INFORMATION m;

    return VirtualQuery(p, &m, sizeof m) != 0 && (m.Protect & PAGE_GUARD) != 0;
}

static void one(const struct row *r, any_call *entry, enum place place)
{
    uint64_t bad = u64_of(places[place]);
    DWORD old;
    uint64_t result;
    char status[40] = "*", where[60] = "*";
    bool still;

    if (place == GUARD) {
        VirtualProtect(places[GUARD], PAGE, PAGE_READWRITE | PAGE_GUARD, &old);
    }
    result = called(r, entry, bad);
    still = place == GUARD && guarded(places[GUARD]);
    say("%s, %s: 0x%08lx%s\n", r->family, place_names[place],
        (unsigned long)(uint32_t)result, still ? " (guarded)" : "");
    if (is_nt(r)) {
        snprintf(status, sizeof status, "%s", result_text((NTSTATUS)result));
    }
    /* A page whose guard the kernel took can be read from then on. */
    if (place < GUARD || still) {
        if (r->argument == NULL) {
            snprintf(where, sizeof where, "*0x%llx*", (unsigned long long)bad);
        } else {
            snprintf(where, sizeof where, "*%s=0x%llx*", r->argument,
                     (unsigned long long)bad);
        }
        if (r->argument == NULL && bad == 0) {
            strcpy(where, "*");
        }
    }
    expect("SEQ", tid, "%s(%s) = %s", r->call, where, status);
}

static LONG volatile stop;

static DWORD WINAPI map_and_unmap(void *unused)
{
    (void)unused;
    while (!stop) {
        VirtualAlloc(changing, PAGE, MEM_COMMIT, PAGE_READWRITE);
        VirtualFree(changing, PAGE, MEM_DECOMMIT);
    }
    return 0;
}

/* How often the call came back; what it said depends on the moment. */
static void while_changing(size_t first, size_t last)
{
    DWORD other;
    HANDLE thread = start_thread(map_and_unmap, 0, &other);
    unsigned const rounds = 20;

    for (size_t i = first; i < last && i < COUNT_OF(rows); i++) {
        any_call *entry = entry_of(&rows[i]);

        if (entry == NULL || !is_nt(&rows[i])) {
            continue;
        }
        for (unsigned k = 0; k < rounds; k++) {
            called(&rows[i], entry, u64_of(changing));
        }
        say("%s, changing: %u calls\n", rows[i].family, rounds);
        for (unsigned k = 0; k < rounds; k++) {
            expect("SEQ", tid, "%s(*) = *", rows[i].call);
        }
    }
    stop = 1;
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}

/* The words of the TEB that tell the stack are the program's to write. */
static void with_false_stack(const struct row *r, any_call *entry)
{
    static const struct {
        uint64_t base, limit;
    } lies[] = { { UINT64_MAX, 0 }, { 0, UINT64_MAX }, { 0x10000, 0x1000 } };
    NT_TIB *tib;
    uint64_t results[COUNT_OF(lies)];

    __asm__("movq %%gs:0x30, %0" : "=r"(tib));
    for (size_t i = 0; i < COUNT_OF(lies); i++) {
        void *base = tib->StackBase, *limit = tib->StackLimit;

        tib->StackBase = (void *)(uintptr_t)lies[i].base;
        tib->StackLimit = (void *)(uintptr_t)lies[i].limit;
        results[i] = called(r, entry, u64_of(places[NO_ACCESS]));
        tib->StackBase = base;
        tib->StackLimit = limit;
    }
    for (size_t i = 0; i < COUNT_OF(lies); i++) {
        say("%s, false stack: 0x%08lx\n", r->family,
            (unsigned long)(uint32_t)results[i]);
        expect("SEQ", tid, "%s(*) = %s", r->call,
               is_nt(r) ? result_text((NTSTATUS)results[i]) : "*");
    }
}

int main(int argc, char **argv)
{
    size_t first = number_arg(argc, argv, 1, 0);
    size_t last = number_arg(argc, argv, 2, COUNT_OF(rows));
    char *end;

    target_begin();
    tid = GetCurrentThreadId();
    AddVectoredExceptionHandler(1, count_exception);
    LoadLibraryA("user32");
    GetDesktopWindow();
    places[FREE] = pages(1, PAGE_READWRITE);
    VirtualFree(places[FREE], 0, MEM_RELEASE);
    places[NO_ACCESS] = pages(1, PAGE_NOACCESS);
    places[GUARD] = pages(1, PAGE_READWRITE | PAGE_GUARD);
    end = pages(2, PAGE_READWRITE);
    VirtualFree(end + PAGE, PAGE, MEM_DECOMMIT);
    memset(end, FILL, PAGE);
    places[END] = end + PAGE - 4;
    places[GARBAGE] = end;
    changing = VirtualAlloc(NULL, PAGE, MEM_RESERVE, PAGE_READWRITE);
    out = (uint64_t *)(void *)pages(2, PAGE_READWRITE);

    for (size_t i = first; i < last && i < COUNT_OF(rows); i++) {
        any_call *entry = entry_of(&rows[i]);

        if (entry == NULL) {
            say("skipped: %s, no %s here\n", rows[i].family, rows[i].call);
            continue;
        }
        for (int place = 0; place < PLACES; place++) {
            if (argc > 2) {
                fprintf(stderr, "%s: %s\n", rows[i].family, place_names[place]);
            }
            one(&rows[i], entry, (enum place)place);
        }
        with_false_stack(&rows[i], entry);
    }
    while_changing(first, last);
    say("exceptions: %ld\n", (long)exceptions);
    CHECK(exceptions == 0);
    expect_all("NOT", "--- EXCEPTION *");
    return target_end();
}
