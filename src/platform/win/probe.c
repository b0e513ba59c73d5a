/* SPDX-License-Identifier: MIT */
/*
 * probe.c - doctor's experiments. probe_callback.S has the parts that C
 * cannot say.
 *
 * Touches this process: its callback, TEB, threads, privileges, and variables
 * of its environment for the copy of itself that probe_run_again starts and
 * ends. Nothing of the machine changes. An experiment that goes wrong may end
 * the process, so doctor has those run in a copy; otherwise a function tells
 * what it saw, and judges nothing.
 */
#include "platform/win/win.h"

#include "platform/probe.h"

#include <cpuid.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define INSTRUMENTATION_CALLBACK 40
#define LAST_SYSTEM_CALL 21
#define SE_DEBUG 20  // SeDebugPrivilege

NTSYSAPI NTSTATUS NTAPI NtContinue(CONTEXT *, BOOLEAN);
NTSYSAPI NTSTATUS NTAPI NtSetContextThread(HANDLE, const CONTEXT *);
NTSYSAPI NTSTATUS NTAPI NtQueueApcThread(HANDLE, void *, void *, void *,
                                         void *);
NTSYSAPI NTSTATUS NTAPI NtDelayExecution(BOOLEAN, const LARGE_INTEGER *);
NTSYSAPI NTSTATUS NTAPI NtSetEvent(HANDLE, LONG *);
NTSYSAPI NTSTATUS NTAPI NtOpenProcessToken(HANDLE, ACCESS_MASK, HANDLE *);
NTSYSAPI NTSTATUS NTAPI NtPrivilegeCheck(HANDLE, PRIVILEGE_SET *, BOOLEAN *);
NTSYSAPI NTSTATUS NTAPI NtAdjustPrivilegesToken(HANDLE, BOOLEAN,
                                                TOKEN_PRIVILEGES *, ULONG,
                                                TOKEN_PRIVILEGES *, ULONG *);

/* In probe_callback.S; what it writes is in probe_words.c. */
extern const uint8_t probe_entry[];
extern const uint8_t probe_fault_after[];
void probe_fault(void);
void probe_upper(uint64_t fn, uint64_t arg, const uint8_t before[32],
                 uint8_t after[2][32]);
extern volatile uint32_t probe_armed;
extern volatile uint32_t probe_count;
extern volatile uint64_t probe_only_teb;
extern volatile uint64_t probe_only_rip;
extern struct probe_event probe_events[PROBE_EVENTS];

static uint64_t u64_of(const void *p)
{
    return (uint64_t)(ULONG_PTR)p;
}

static void *pointer(uint64_t address)
{
    return (void *)(ULONG_PTR)address;
}

/* mingw's NtCurrentTeb draws a warning of gcc 12. */
static char *own_teb(void)
{
    char *teb;

    __asm__("mov %%gs:0x30, %0" : "=r"(teb));
    return teb;
}

/* --- class 40 --- */

uint64_t probe_copy_code(const void *code, size_t size)
{
    void *at =
        VirtualAlloc(NULL, size, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    DWORD old;

    if (at == NULL) {
        return 0;
    }
    memcpy(at, code, size);
    if (!VirtualProtect(at, size, PAGE_EXECUTE_READ, &old)) {
        VirtualFree(at, 0, MEM_RELEASE);
        return 0;
    }
    FlushInstructionCache(GetCurrentProcess(), at, size);
    return u64_of(at);
}

uint64_t probe_callback(void)
{
    static uint64_t made;
    uint8_t jump[14] = { 0xff, 0x25 };  // jmp [rip+0]
    uint64_t to = u64_of(probe_entry);

    if (made == 0) {
        memcpy(jump + 6, &to, sizeof(to));
        made = probe_copy_code(jump, sizeof(jump));
    }
    return made;
}

uint32_t probe_set_callback(const uint64_t *words, uint32_t size)
{
    uint64_t copy[4] = { 0 };

    memcpy(copy, words, size);
    return (uint32_t)NtSetInformationProcess(
        GetCurrentProcess(), (PROCESSINFOCLASS)INSTRUMENTATION_CALLBACK, copy,
        size);
}

uint32_t probe_query_callback(void)
{
    uint64_t words[2] = { 0 };
    ULONG got = 0;

    return (uint32_t)NtQueryInformationProcess(
        GetCurrentProcess(), (PROCESSINFOCLASS)INSTRUMENTATION_CALLBACK, words,
        sizeof(words), &got);
}

void probe_watch(bool all_threads, uint64_t rip)
{
    probe_armed = 0;
    probe_only_teb = all_threads ? 0 : u64_of(own_teb());
    probe_only_rip = rip;
    probe_count = 0;
    memset(probe_events, 0, sizeof(probe_events));
    probe_armed = 1;
}

size_t probe_stop(void)
{
    probe_armed = 0;
    return probe_count;
}

const struct probe_event *probe_event(size_t i)
{
    return &probe_events[i];
}

/* --- ways into user mode --- */

static volatile ULONG_PTR apc_seen;

static void NTAPI apc(void *a, void *b, void *c)
{
    (void)b;
    (void)c;
    apc_seen = (ULONG_PTR)a;
}

uint32_t probe_apc(uint64_t argument, bool *ran)
{
    LARGE_INTEGER none = { .QuadPart = -10000 };
    NTSTATUS status;

    apc_seen = 0;
    status = NtQueueApcThread(GetCurrentThread(), (void *)(ULONG_PTR)apc,
                              pointer(argument), NULL, NULL);
    probe_count = 0;
    if (status >= 0) {
        status = NtDelayExecution(TRUE, &none);
    }
    *ran = apc_seen == argument;
    return (uint32_t)status;
}

static volatile uint32_t apcs_run;

static void NTAPI count_apc(void *a, void *b, void *c)
{
    (void)a;
    (void)b;
    (void)c;
    apcs_run++;
}

uint32_t probe_two_apcs(uint64_t argument)
{
    LARGE_INTEGER none = { .QuadPart = -10000 };

    apcs_run = 0;
    for (uint64_t i = 0; i < 2; i++) {
        NtQueueApcThread(GetCurrentThread(), (void *)(ULONG_PTR)count_apc,
                         pointer(argument + i), NULL, NULL);
    }
    NtDelayExecution(TRUE, &none);
    return apcs_run;
}

static volatile DWORD exception_seen;

static LONG NTAPI handle_fault(EXCEPTION_POINTERS *p)
{
    exception_seen = p->ExceptionRecord->ExceptionCode;
    if (exception_seen != EXCEPTION_ACCESS_VIOLATION) {
        return EXCEPTION_CONTINUE_SEARCH;
    }
    p->ContextRecord->Rip = u64_of(probe_fault_after);
    return EXCEPTION_CONTINUE_EXECUTION;
}

uint32_t probe_exception(void)
{
    void *handler = AddVectoredExceptionHandler(1, handle_fault);

    exception_seen = 0;
    probe_count = 0;
    probe_fault();
    RemoveVectoredExceptionHandler(handler);
    return exception_seen;
}

/* user32, loaded only for this: the tracer itself does without. */
typedef ATOM(WINAPI *register_class_fn)(const WNDCLASSW *);
typedef HWND(WINAPI *create_window_fn)(DWORD, const wchar_t *, const wchar_t *,
                                       DWORD, int, int, int, int, HWND, HMENU,
                                       HINSTANCE, void *);
typedef BOOL(WINAPI *destroy_window_fn)(HWND);
typedef LRESULT(WINAPI *window_fn)(HWND, UINT, WPARAM, LPARAM);

static struct {
    register_class_fn register_class;
    create_window_fn create;
    destroy_window_fn destroy;
    window_fn def;
} user32;

static bool load_user32(void)
{
    struct err ignored;
    HMODULE m = (HMODULE)pointer(os_own_module("user32.dll", &ignored));

    if (m == NULL) {
        return false;
    }
    user32.register_class =
        (register_class_fn)(ULONG_PTR)GetProcAddress(m, "RegisterClassW");
    user32.create =
        (create_window_fn)(ULONG_PTR)GetProcAddress(m, "CreateWindowExW");
    user32.destroy =
        (destroy_window_fn)(ULONG_PTR)GetProcAddress(m, "DestroyWindow");
    user32.def = (window_fn)(ULONG_PTR)GetProcAddress(m, "DefWindowProcW");
    return user32.register_class != NULL && user32.create != NULL &&
           user32.destroy != NULL && user32.def != NULL;
}

static volatile uint32_t messages_seen;

static LRESULT CALLBACK window(HWND w, UINT message, WPARAM a, LPARAM b)
{
    messages_seen++;
    return user32.def(w, message, a, b);
}

bool probe_window(uint32_t *messages)
{
    WNDCLASSW class = { .lpfnWndProc = window,
                        .hInstance = GetModuleHandleW(NULL),
                        .lpszClassName = L"ntstrace doctor" };
    HWND w;

    messages_seen = 0;
    *messages = 0;
    if (!load_user32()) {
        return false;
    }
    user32.register_class(&class);
    w = user32.create(0, class.lpszClassName, L"", 0, 0, 0, 0, 0, HWND_MESSAGE,
                      NULL, class.hInstance, NULL);
    if (w != NULL) {
        user32.destroy(w);
    }
    *messages = messages_seen;
    return w != NULL;
}

/* It returns once more when the thread is sent back to what it captured. */
__declspec(dllimport) __attribute__((returns_twice)) void NTAPI
    RtlCaptureContext(CONTEXT *);

uint32_t probe_continue(void)
{
    static CONTEXT c;
    static volatile bool again;
    volatile NTSTATUS status = 0;

    again = false;
    c.ContextFlags = CONTEXT_FULL;
    RtlCaptureContext(&c);
    if (!again) {
        again = true;
        probe_count = 0;
        /* Does not come back here. */
        status = NtContinue(&c, FALSE);
    }
    return (uint32_t)status;
}

uint32_t probe_set_context(uint64_t *rip)
{
    static CONTEXT c;
    static volatile bool again;
    volatile NTSTATUS status = 0;

    again = false;
    RtlCaptureContext(&c);
    if (!again) {
        again = true;
        c.ContextFlags = CONTEXT_FULL;
        *rip = c.Rip;
        probe_count = 0;
        /* Does not come back here. */
        status = NtSetContextThread(GetCurrentThread(), &c);
    }
    return (uint32_t)status;
}

/* --- threads --- */

static char *teb_at(uint32_t offset)
{
    return own_teb() + offset;
}

void probe_teb_set(uint32_t offset, uint64_t value)
{
    memcpy(teb_at(offset), &value, sizeof(value));
}

uint64_t probe_teb_get(uint32_t offset)
{
    uint64_t value;

    memcpy(&value, teb_at(offset), sizeof(value));
    return value;
}

void probe_teb_set_byte(uint32_t offset, uint8_t value)
{
    memcpy(teb_at(offset), &value, 1);
}

uint32_t probe_last_call(void *thread, uint64_t words[3], uint32_t size)
{
    memset(words, 0, 3 * sizeof(*words));
    return (uint32_t)NtQueryInformationThread(
        thread, (THREADINFOCLASS)LAST_SYSTEM_CALL, words, size, NULL);
}

void *probe_this_thread(void)
{
    return GetCurrentThread();
}

/* --- the rest --- */

uint32_t probe_close(uint64_t handle)
{
    return (uint32_t)NtClose(pointer(handle));
}

uint32_t probe_set_event(uint64_t handle)
{
    return (uint32_t)NtSetEvent(pointer(handle), NULL);
}

void probe_version(uint32_t version[3], const char **wine)
{
    NTSTATUS(NTAPI * get)
    (OSVERSIONINFOW *) = (NTSTATUS(NTAPI *)(OSVERSIONINFOW *))(
        ULONG_PTR)os_own_ntdll("RtlGetVersion");
    const char *(*wine_version)(void) =
        (const char *(*)(void))(ULONG_PTR)os_own_ntdll("wine_get_version");
    OSVERSIONINFOW v = { .dwOSVersionInfoSize = sizeof(v) };

    if (get != NULL) {
        get(&v);
    }
    version[0] = v.dwMajorVersion;
    version[1] = v.dwMinorVersion;
    version[2] = v.dwBuildNumber;
    *wine = wine_version == NULL ? NULL : wine_version();
}

int probe_debug_privilege(void)
{
    PRIVILEGE_SET set = { .PrivilegeCount = 1,
                          .Control = PRIVILEGE_SET_ALL_NECESSARY };
    HANDLE token;
    BOOLEAN has = FALSE;
    NTSTATUS status;

    if (NtOpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token) < 0) {
        return -1;
    }
    set.Privilege[0].Luid.LowPart = SE_DEBUG;
    status = NtPrivilegeCheck(token, &set, &has);
    NtClose(token);
    return status < 0 ? -1 : has != 0;
}

void probe_drop_debug_privilege(void)
{
    TOKEN_PRIVILEGES none = { .PrivilegeCount = 1 };
    HANDLE token;

    if (NtOpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES,
                           &token) >= 0) {
        none.Privileges[0].Luid.LowPart = SE_DEBUG;
        NtAdjustPrivilegesToken(token, FALSE, &none, 0, NULL, NULL);
        NtClose(token);
    }
}

uint64_t probe_wine_dispatcher(void)
{
    volatile uint64_t *at = pointer(0x7ffe1000);
    uint64_t was = *at;

    *at = was;
    return was;
}

bool probe_guarded(void)
{
    const int control_flow_guard = 7;  // ProcessControlFlowGuardPolicy
    DWORD flags = 0;

    return GetProcessMitigationPolicy(
               GetCurrentProcess(),
               (PROCESS_MITIGATION_POLICY)control_flow_guard, &flags,
               sizeof(flags)) &&
           (flags & 1) != 0;
}

uint32_t probe_xsave_size(uint64_t mask)
{
    uint32_t most = 512 + 64;
    unsigned a, b, c, d;

    for (unsigned i = 2; i < 63; i++) {
        if ((mask >> i & 1) != 0 && __get_cpuid_count(13, i, &a, &b, &c, &d) &&
            a + b > most) {
            most = a + b;
        }
    }
    return most;
}

bool probe_tsc_invariant(void)
{
    unsigned a, b, c, d;

    return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d >> 8 & 1) != 0;
}

bool probe_pin(uint32_t i)
{
    return i < 64 &&
           SetThreadAffinityMask(GetCurrentThread(), (DWORD_PTR)1 << i) != 0;
}

void probe_unpin(void)
{
    DWORD_PTR mine = 0, all;

    if (GetProcessAffinityMask(GetCurrentProcess(), &mine, &all)) {
        SetThreadAffinityMask(GetCurrentThread(), mine);
    }
}

bool probe_vectors(uint64_t fn, uint64_t arg, uint8_t before[32],
                   uint8_t after[2][32])
{
    if ((os_xsave_mask() & 4) == 0) {
        return false;
    }
    for (int i = 0; i < 32; i++) {
        before[i] = (uint8_t)(0x40 + i);
    }
    probe_upper(fn, arg, before, after);
    return true;
}

int probe_sequences(void)
{
    HANDLE h = CreateFileW(L"CONOUT$", GENERIC_READ | GENERIC_WRITE,
                           FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                           OPEN_EXISTING, 0, NULL);
    int takes;

    if (h == INVALID_HANDLE_VALUE) {
        return -1;
    }
    takes = win_console_sequences(h, CONSOLE_SCREEN);
    win_console_plain(CONSOLE_SCREEN);
    CloseHandle(h);
    return takes;
}

const uint16_t *probe_own_path(void)
{
    static wchar_t path[32768];
    DWORD size = GetModuleFileNameW(NULL, path, COUNT_OF(path));

    return size == 0 || size >= COUNT_OF(path) ? NULL : (const uint16_t *)path;
}

const char *probe_variable(const char *name, char *room, size_t size)
{
    DWORD got = GetEnvironmentVariableA(name, room, (DWORD)size);

    return got == 0 || got >= size ? "" : room;
}

/* CreateProcessW with mitigation options, if `policy` is not 0. */
static bool start(PROCESS_INFORMATION *out, wchar_t *line, DWORD64 policy)
{
    STARTUPINFOEXW si = { .StartupInfo = { .cb = sizeof(si) } };
    SIZE_T size = 0;
    bool ok;

    InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    si.lpAttributeList = malloc(size);
    if (si.lpAttributeList == NULL ||
        !InitializeProcThreadAttributeList(si.lpAttributeList, 1, 0, &size)) {
        free(si.lpAttributeList);
        return false;
    }
    ok = policy == 0 ||
         UpdateProcThreadAttribute(si.lpAttributeList, 0,
                                   PROC_THREAD_ATTRIBUTE_MITIGATION_POLICY,
                                   &policy, sizeof(policy), NULL, NULL);
    ok = ok && CreateProcessW((const wchar_t *)probe_own_path(), line, NULL,
                              NULL, TRUE, EXTENDED_STARTUPINFO_PRESENT, NULL,
                              NULL, &si.StartupInfo, out);
    DeleteProcThreadAttributeList(si.lpAttributeList);
    free(si.lpAttributeList);
    return ok;
}

bool probe_run_again(const char *name, const char *value, bool guard,
                     uint32_t ms, uint32_t *code, struct err *e)
{
    const DWORD64 guard_always_on = (DWORD64)1 << 40;
    wchar_t line[] = L"ntstrace doctor";
    PROCESS_INFORMATION pi = { 0 };
    DWORD c = 0;
    bool ok;

    SetEnvironmentVariableA(name, value);
    ok = start(&pi, line, guard ? guard_always_on : 0);
    SetEnvironmentVariableA(name, NULL);
    if (!ok) {
        return win_fail(e, "cannot run ntstrace again");
    }
    if (WaitForSingleObject(pi.hProcess, ms) != WAIT_OBJECT_0) {
        TerminateProcess(pi.hProcess, 1);
        WaitForSingleObject(pi.hProcess, 5000);
        ok = err_set(e, ERR_OS, "not done after %u ms", (unsigned)ms);
    } else if (!GetExitCodeProcess(pi.hProcess, &c)) {
        ok = win_fail(e, "cannot tell how it ended");
    }
    CloseHandle(pi.hThread);
    CloseHandle(pi.hProcess);
    *code = c;
    return ok;
}
