/* SPDX-License-Identifier: MIT */
/*
 * kinds40 - 2,000 calls of 40 kinds between two calls of
 * NtMakeTemporaryObject, which nothing else makes: 40 rounds of 50 calls. For
 * the comparison of engines (compare --same): what one reports between the
 * two, all must. Arguments narrower than a register are passed with garbage
 * above them, which a trace must not show. One kind, NtContinue, never
 * returns; engines that see returns alone do not have it.
 */
#include "target.h"

#define ROUNDS 40
#define CALLS (ROUNDS * 50)
#define ARGS_MAX 11
#define MARKER "NtMakeTemporaryObject"

/* Sizes of the arguments in bytes, one digit each. */
static const struct kind {
    const char *name;
    const char *sizes;
} kinds[] = {
    /* clang-format off */
    { "NtAllocateLocallyUniqueId", "8" },
    { "NtAllocateVirtualMemory",   "888844" },
    { "NtCancelIoFile",            "88" },
    { "NtClearEvent",              "8" },
    { "NtClose",                   "8" },
    { "NtCreateEvent",             "84841" },
    { "NtCreateIoCompletion",      "8484" },
    { "NtCreateMutant",            "8481" },
    { "NtCreateSection",           "8488448" },
    { "NtCreateSemaphore",         "84844" },
    { "NtCreateTimer",             "8484" },
    { "NtDelayExecution",          "18" },
    { "NtDeviceIoControlFile",     "8888848484" },
    { "NtDuplicateObject",         "8888444" },
    { "NtFlushBuffersFile",        "88" },
    { "NtFreeVirtualMemory",       "8884" },
    { "NtMapViewOfSection",        "8888888444" },
    { "NtOpenEvent",               "848" },
    { "NtOpenProcessToken",        "848" },
    { "NtProtectVirtualMemory",    "88848" },
    { "NtPulseEvent",              "88" },
    { "NtQueryAttributesFile",     "88" },
    { "NtQueryDirectoryFile",      "88888844181" },
    { "NtQueryEvent",              "84848" },
    { "NtQueryInformationProcess", "84848" },
    { "NtQueryInformationThread",  "84848" },
    { "NtQueryInformationToken",   "84848" },
    { "NtQueryMutant",             "84848" },
    { "NtQueryObject",             "84848" },
    { "NtQuerySection",            "84888" },
    { "NtQuerySemaphore",          "84848" },
    { "NtQuerySystemInformation",  "4848" },
    { "NtQueryVirtualMemory",      "884888" },
    { "NtReadVirtualMemory",       "88888" },
    { "NtReleaseMutant",           "88" },
    { "NtReleaseSemaphore",        "848" },
    { "NtResetEvent",              "88" },
    { "NtSetEvent",                "88" },
    { "NtWaitForSingleObject",     "818" },
    { "NtContinue",                "81" },
    /* clang-format on */
};

typedef NTSTATUS NTAPI function(uint64_t, uint64_t, uint64_t, uint64_t,
                                uint64_t, uint64_t, uint64_t, uint64_t,
                                uint64_t, uint64_t, uint64_t);

static function *functions[COUNT_OF(kinds)];

static struct made {
    const struct kind *kind;
    uint64_t args[ARGS_MAX];
    NTSTATUS result;
} made[CALLS + 1];
static size_t made_count;
static bool used[COUNT_OF(kinds)];

static const struct kind *kind_of(const char *name, function **f)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            *f = functions[i];
            used[i] = true;
            return &kinds[i];
        }
    }
    fprintf(stderr, "%s is no kind\n", name);
    exit(2);
}

static NTSTATUS call_args(const char *name, const uint64_t *given)
{
    uint64_t a[ARGS_MAX] = { 0 };
    struct made *m = &made[made_count];
    function *f;

    if (made_count == CALLS) {
        fprintf(stderr, "more than %d calls\n", CALLS);
        exit(2);
    }
    made_count++;
    m->kind = kind_of(name, &f);
    for (size_t i = 0; m->kind->sizes[i] != 0; i++) {
        unsigned bits = (unsigned)(m->kind->sizes[i] - '0') * 8;
        uint64_t garbage = 0xdeadbeefcafef00dull;

        m->args[i] = given[i];
        a[i] = bits == 64 ? given[i] : given[i] | garbage << bits;
    }
    m->result =
        f(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10]);
    return m->result;
}

#define CALL(name, ...) \
    call_args(name, (const uint64_t[ARGS_MAX]){ __VA_ARGS__ })
#define AT(what) ((uintptr_t) & (what))

#define BAD 0xbad0u
#define SELF UINT64_MAX
#define SELF_THREAD (UINT64_MAX - 1)
#define EVENT_ALL 0x1f0003u

/* What the calls read and write; no two share anything. */
static HANDLE event, event2, mutant, semaphore, timer, completion, section,
    token;
static uint64_t luid, zero, base, size, got, words[32], iosb[2], lengths;
static LARGE_INTEGER shortly = { .QuadPart = -1 };
static LARGE_INTEGER page = { .QuadPart = 4096 };
static struct {
    uint16_t length, room;
    const wchar_t *text;
} nowhere;
static struct {
    ULONG length;
    HANDLE root;
    const void *name;
    ULONG attributes;
    const void *security[2];
} object;

#define H(handle) ((uintptr_t)(handle))

static void events(void)
{
    CALL("NtCreateEvent", AT(event), EVENT_ALL, 0, 0, 0);
    CALL("NtSetEvent", H(event), 0);
    CALL("NtQueryEvent", H(event), 0, AT(words), 8, AT(got));
    CALL("NtWaitForSingleObject", H(event), 0, AT(zero));
    CALL("NtResetEvent", H(event), AT(got));
    CALL("NtWaitForSingleObject", H(event), 1, AT(zero));
    CALL("NtPulseEvent", H(event), 0);
    CALL("NtClearEvent", H(event));
    CALL("NtDuplicateObject", SELF, H(event), SELF, AT(event2), 0, 0, 2);
    CALL("NtQueryObject", H(event2), 0, AT(words), 56, AT(got));
    CALL("NtClose", H(event2));
    CALL("NtClose", H(event));
    CALL("NtClose", BAD);
}

static void other_objects(void)
{
    CALL("NtCreateMutant", AT(mutant), 0x1f0001, 0, 1);
    CALL("NtQueryMutant", H(mutant), 0, AT(words), 8, 0);
    CALL("NtReleaseMutant", H(mutant), 0);
    CALL("NtReleaseMutant", H(mutant), 0);
    CALL("NtClose", H(mutant));
    CALL("NtCreateSemaphore", AT(semaphore), 0x1f0003, 0, 1, 2);
    CALL("NtReleaseSemaphore", H(semaphore), 1, AT(got));
    CALL("NtReleaseSemaphore", H(semaphore), 1, AT(got));
    CALL("NtQuerySemaphore", H(semaphore), 0, AT(words), 8, 0);
    CALL("NtClose", H(semaphore));
    CALL("NtCreateTimer", AT(timer), 0x1f0003, 0, 1);
    CALL("NtClose", H(timer));
    CALL("NtCreateIoCompletion", AT(completion), 0x1f0003, 0, 0);
    CALL("NtClose", H(completion));
    CALL("NtOpenProcessToken", SELF, 8, AT(token));
    CALL("NtQueryInformationToken", H(token), 8, AT(words), 4, AT(got));
    CALL("NtClose", H(token));
    CALL("NtOpenEvent", AT(event2), EVENT_ALL, AT(object));
}

static void memory(void)
{
    base = 0;
    size = 4096;
    CALL("NtAllocateVirtualMemory", SELF, AT(base), 0, AT(size), 0x3000, 4);
    CALL("NtProtectVirtualMemory", SELF, AT(base), AT(size), 2, AT(got));
    CALL("NtQueryVirtualMemory", SELF, base, 0, AT(words), 48, AT(lengths));
    CALL("NtReadVirtualMemory", SELF, base, AT(words), 8, AT(lengths));
    size = 0;
    CALL("NtFreeVirtualMemory", SELF, AT(base), AT(size), 0x8000);
    CALL("NtCreateSection", AT(section), 0xf001f, 0, AT(page), 4, 0x8000000, 0);
    CALL("NtQuerySection", H(section), 0, AT(words), 24, 0);
    CALL("NtMapViewOfSection", BAD, SELF, AT(base), 0, 0, 0, AT(size), 2, 0, 4);
    CALL("NtClose", H(section));
}

static void questions(void)
{
    CALL("NtQueryInformationProcess", SELF, 0, AT(words), 48, AT(got));
    CALL("NtQueryInformationThread", SELF_THREAD, 0, AT(words), 48, AT(got));
    CALL("NtQuerySystemInformation", 0, AT(words), 64, AT(got));
    CALL("NtAllocateLocallyUniqueId", AT(luid));
    CALL("NtDelayExecution", 0, AT(shortly));
}

static void files(void)
{
    CALL("NtQueryAttributesFile", AT(object), AT(words));
    CALL("NtFlushBuffersFile", BAD, AT(iosb));
    CALL("NtCancelIoFile", BAD, AT(iosb));
    CALL("NtDeviceIoControlFile", BAD, 0, 0, 0x11, AT(iosb), 0x90018, 0, 0, 0,
         0);
}

static void eleven_arguments(void)
{
    CALL("NtQueryDirectoryFile", BAD, 0, 0, 0x22, AT(iosb), AT(words), 0x100, 1,
         1, 0, 1);
}

/* Never returns to call_args, but to the line behind RtlCaptureContext. */
static void go_on(void)
{
    static CONTEXT context;
    static bool volatile there;

    there = false;
    RtlCaptureContext(&context);
    if (!there) {
        there = true;
        CALL("NtContinue", AT(context), 0);
        CHECK(!"NtContinue came back");
    }
}

/* 50 calls. */
static void one_round(void)
{
    events();         // 13
    other_objects();  // 18
    memory();         // 9
    questions();      // 5
    files();          // 4
    if (made_count % 100 < 50) {
        eleven_arguments();
    } else {
        go_on();
    }
}

static void expect_calls(DWORD tid)
{
    for (size_t i = 0; i < made_count; i++) {
        const struct made *m = &made[i];
        char text[512];
        int n = snprintf(text, sizeof text, "%s(", m->kind->name);

        for (size_t k = 0; m->kind->sizes[k] != 0; k++) {
            n += snprintf(text + n, sizeof text - (size_t)n, "%s0x%llx",
                          k == 0 ? "" : ", ", (unsigned long long)m->args[k]);
        }
        if (strcmp(m->kind->name, "NtContinue") == 0) {
            expect("NEXT", tid, "%s) = ?", text);
        } else {
            expect("NEXT", tid, "%s) = 0x%lx%s", text, (unsigned long)m->result,
                   m->result == 0 ? "" : " *");
        }
    }
}

int main(void)
{
    HMODULE ntdll = GetModuleHandleA("ntdll.dll");
    NTSTATUS(NTAPI * marker)(HANDLE);
    DWORD tid = GetCurrentThreadId();

    target_begin();
    *(void **)&marker = (void *)(uintptr_t)GetProcAddress(ntdll, MARKER);
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        *(void **)&functions[i] =
            (void *)(uintptr_t)GetProcAddress(ntdll, kinds[i].name);
        if (functions[i] == NULL) {
            printf("no %s\n", kinds[i].name);
            return 2;
        }
    }
    nowhere.text = L"\\??\\C:\\ntstrace-no-such-name";
    nowhere.length = (uint16_t)(wcslen(nowhere.text) * 2);
    nowhere.room = nowhere.length;
    object.length = sizeof object;
    object.name = &nowhere;

    marker((HANDLE)(uintptr_t)0xbad4);
    for (size_t i = 0; i < ROUNDS; i++) {
        one_round();
    }
    marker((HANDLE)(uintptr_t)0xbad8);

    CHECK(made_count == CALLS);
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (!used[i]) {
            printf("%s is never called\n", kinds[i].name);
        }
        CHECK(used[i]);
    }
    for (size_t i = 0; i < made_count; i++) {
        if (i < 100) {
            printf("%s %08lx\n", made[i].kind->name,
                   (unsigned long)made[i].result);
        }
        CHECK(made[i].kind == made[i % 100].kind &&
              (made[i].result == made[i % 100].result));
    }
    expect("SEQ", tid, MARKER "(0xbad4) = 0xc0000008 STATUS_INVALID_HANDLE");
    expect_calls(tid);
    expect("NEXT", tid, MARKER "(0xbad8) = 0xc0000008 STATUS_INVALID_HANDLE");
    return target_end();
}
