/* SPDX-License-Identifier: MIT */
/*
 * joined - a program to attach to: four threads that make calls as fast as they
 * can, three that wait, and one that tells the driver (joiner.c) what it is
 * asked, in shared memory. While the driver says that nobody comes, they go about
 * it slowly. It stops when it is told to, or after ten minutes, with 7 if
 * everything in it was right.
 *
 * joined NAME WAY    NAME: of the shared memory; WAY: letters
 *   w   has a window, and sends itself messages
 *   x   raises exceptions and queues APCs
 *   t   makes threads that end at once
 *   c   starts children, one after the other
 *   l   holds the loader's lock when it is told to
 *   e   ends by itself after about half a second
 *   o   has a callback of its own, which only goes on
 *   d   takes the callback away, again and again, by a direct call
 *
 * The argument of each NtClose counts the calls of its thread, so that a trace
 * shows whether one is missing. All of them fail.
 */
#include "joined.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUSY 4
#define BLOCKED 3
#define FIRST 0x10000000u
#define CHILD_STATUS 55
#define HANDLES_MOST 0x4000

NTSYSAPI LONG NTAPI NtClose(HANDLE);
NTSYSAPI LONG NTAPI NtSetInformationProcess(HANDLE, ULONG, void *, ULONG);
NTSYSAPI LONG NTAPI LdrLockLoaderLock(ULONG, ULONG *, ULONG_PTR *);
NTSYSAPI LONG NTAPI LdrUnlockLoaderLock(ULONG, ULONG_PTR);

static struct joined *shared;
static HANDLE never;
static volatile LONG wrong, woken;
static volatile LONG applied;

/* Between any two things that a thread does again and again: to be busy for
 * nobody would take the cores, and Wine's server, from those that tests wait
 * for. */
static void pause(void)
{
    if (shared->calm) {
        Sleep(1);
    }
}

static DWORD WINAPI busy(void *arg)
{
    LONG n = 0;

    (void)arg;
    while (!shared->stop) {
        HANDLE h = (HANDLE)(ULONG_PTR)(FIRST + 4 * (ULONG)n);

        if ((ULONG)NtClose(h) != 0xc0000008) {
            InterlockedIncrement(&wrong);
        }
        n = (n + 1) & 0xffffff;
        InterlockedIncrement64(&shared->calls);
        pause();
    }
    return 0;
}

static DWORD WINAPI blocked(void *arg)
{
    if (WaitForSingleObject(never, INFINITE) != WAIT_OBJECT_0) {
        InterlockedIncrement(&wrong);
    }
    (void)arg;
    InterlockedIncrement(&woken);
    return 0;
}

static DWORD WINAPI short_lived(void *arg)
{
    InterlockedIncrement((volatile LONG *)arg);
    return 0;
}

static DWORD WINAPI maker(void *arg)
{
    volatile LONG ran = 0;
    LONG made = 0;

    (void)arg;
    while (!shared->stop) {
        HANDLE h =
            CreateThread(NULL, 0x10000, short_lived, (void *)&ran, 0, NULL);

        if (h == NULL || WaitForSingleObject(h, INFINITE) != WAIT_OBJECT_0) {
            InterlockedIncrement(&wrong);
        }
        CloseHandle(h);
        if (++made != ran) {
            InterlockedIncrement(&wrong);
        }
        pause();
    }
    return 0;
}

static LONG CALLBACK passes(EXCEPTION_POINTERS *x)
{
    if (x->ExceptionRecord->ExceptionCode != 0xe0000001) {
        return EXCEPTION_CONTINUE_SEARCH;
    }
    InterlockedIncrement(&applied);
    return EXCEPTION_CONTINUE_EXECUTION;
}

static void CALLBACK apc(ULONG_PTR arg)
{
    InterlockedIncrement((volatile LONG *)arg);
}

static DWORD WINAPI parent(void *arg)
{
    char path[MAX_PATH], line[MAX_PATH + 20];

    (void)arg;
    GetModuleFileNameA(NULL, path, sizeof(path));
    snprintf(line, sizeof(line), "\"%s\" child", path);
    while (!shared->stop) {
        STARTUPINFOA startup = { .cb = sizeof(startup) };
        PROCESS_INFORMATION info;
        DWORD status = 0;

        if (!CreateProcessA(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL,
                            &startup, &info)) {
            InterlockedIncrement(&wrong);
            break;
        }
        WaitForSingleObject(info.hProcess, INFINITE);
        GetExitCodeProcess(info.hProcess, &status);
        CloseHandle(info.hProcess);
        CloseHandle(info.hThread);
        if (status != CHILD_STATUS) {
            InterlockedIncrement(&wrong);
        }
    }
    return 0;
}

static DWORD WINAPI holder(void *arg)
{
    ULONG state;
    ULONG_PTR cookie;

    (void)arg;
    while (!shared->stop) {
        if (!shared->hold) {
            Sleep(5);
            continue;
        }
        LdrLockLoaderLock(0, &state, &cookie);
        while (shared->hold && !shared->stop) {
            Sleep(5);
        }
        LdrUnlockLoaderLock(0, cookie);
    }
    return 0;
}

static DWORD WINAPI raiser(void *arg)
{
    volatile LONG ran = 0;
    LONG queued = 0;
    LONG raised = 0;

    (void)arg;
    while (!shared->stop) {
        RaiseException(0xe0000001, 0, 0, NULL);
        if (++raised != applied) {
            InterlockedIncrement(&wrong);
        }
        QueueUserAPC(apc, GetCurrentThread(), (ULONG_PTR)&ran);
        queued++;
        SleepEx(0, TRUE);
        if (ran != queued) {
            InterlockedIncrement(&wrong);
        }
        pause();
    }
    return 0;
}

static LONG(NTAPI *set_direct)(HANDLE, ULONG, void *, ULONG);

/* A copy of the function, from before anybody has changed it. */
static int copy_function(void)
{
    const void *function = (const void *)GetProcAddress(
        GetModuleHandleA("ntdll.dll"), "NtSetInformationProcess");
    void *code = VirtualAlloc(NULL, 0x1000, MEM_COMMIT, PAGE_READWRITE);
    DWORD old;

    if (code == NULL) {
        return 0;
    }
    memcpy(code, function, 0x20);
    *(void **)&set_direct = code;
    return VirtualProtect(code, 0x1000, PAGE_EXECUTE_READ, &old);
}

static DWORD WINAPI clearer(void *arg)
{
    struct {
        ULONG version;
        ULONG reserved;
        void *callback;
    } none = { 0, 0, NULL };

    (void)arg;
    while (!shared->stop) {
        if (set_direct(GetCurrentProcess(), 40, &none, sizeof(none)) < 0) {
            InterlockedIncrement(&wrong);
        }
        Sleep(300);
    }
    return 0;
}

static volatile LONG messages;

static LRESULT CALLBACK procedure(HWND w, UINT m, WPARAM a, LPARAM b)
{
    if (m == WM_USER + 1) {
        messages++;
        return (LRESULT)a + 1;
    }
    return DefWindowProcA(w, m, a, b);
}

static DWORD WINAPI painter(void *arg)
{
    WNDCLASSA c = { 0 };
    HWND w;
    MSG m;
    LONG n = 0;

    (void)arg;
    c.lpfnWndProc = procedure;
    c.lpszClassName = "joined";
    RegisterClassA(&c);
    w = CreateWindowA("joined", "joined", WS_OVERLAPPED, 0, 0, 100, 100, NULL,
                      NULL, NULL, NULL);
    if (w == NULL) {
        InterlockedIncrement(&wrong);
        return 1;
    }
    while (!shared->stop) {
        n++;
        if (SendMessageA(w, WM_USER + 1, (WPARAM)n, 0) != n + 1 ||
            messages != n) {
            InterlockedIncrement(&wrong);
        }
        while (PeekMessageA(&m, NULL, 0, 0, PM_REMOVE)) {
            DispatchMessageA(&m);
        }
        PostMessageA(w, WM_NULL, 0, 0);
        pause();
    }
    DestroyWindow(w);
    return 0;
}

/* --- what it looks like --- */

struct copy {
    const uint8_t *at;
    uint8_t *was;
    SIZE_T size;
};

/* The first section, which is the code. */
static struct copy copy_of(const char *name)
{
    const uint8_t *at = (const uint8_t *)GetModuleHandleA(name);
    const IMAGE_NT_HEADERS *nt;
    const IMAGE_SECTION_HEADER *s;
    struct copy c = { 0 };

    if (at == NULL) {
        return c;
    }
    nt = (const void *)(at + ((const IMAGE_DOS_HEADER *)at)->e_lfanew);
    s = IMAGE_FIRST_SECTION(nt);
    c.at = at + s->VirtualAddress;
    c.size = s->Misc.VirtualSize;
    c.was = malloc(c.size);
    memcpy(c.was, c.at, c.size);
    return c;
}

static LONG differs(const struct copy *c)
{
    MEMORY_BASIC_INFORMATION m;
    LONG count = 0;

    if (c->at == NULL) {
        return 0;
    }
    for (SIZE_T i = 0; i < c->size; i++) {
        count += c->at[i] != c->was[i];
    }
    /* And all of it can be run, and not be written to. */
    for (SIZE_T i = 0; i < c->size; i += m.RegionSize) {
        VirtualQuery(c->at + i, &m, sizeof(m));
        count += m.Protect != PAGE_EXECUTE_READ &&
                 m.Protect != PAGE_EXECUTE_WRITECOPY;
    }
    return count;
}

static void look(struct joined *j, const struct copy *nt,
                 const struct copy *win32u)
{
    MEMORY_BASIC_INFORMATION m;
    DWORD flags;

    j->differs = differs(nt) + differs(win32u);
    j->handles = 0;
    for (ULONG_PTR h = 4; h < HANDLES_MOST; h += 4) {
        j->handles += GetHandleInformation((HANDLE)h, &flags) != 0;
    }
    j->regions = 0;
    for (const uint8_t *p = NULL; VirtualQuery(p, &m, sizeof(m)) != 0;
         p = (const uint8_t *)m.BaseAddress + m.RegionSize) {
        j->regions += m.State != MEM_FREE && m.BaseAddress == m.AllocationBase;
    }
}

static HANDLE start(LPTHREAD_START_ROUTINE routine)
{
    return CreateThread(NULL, 0, routine, NULL, 0, NULL);
}

/* jmp *%r10 */
static int own_callback(void)
{
    static const BYTE code[] = { 0x41, 0xff, 0xe2 };
    struct {
        ULONG version;
        ULONG reserved;
        void *callback;
    } info = { 0, 0, NULL };
    DWORD old;

    info.callback = VirtualAlloc(NULL, 0x1000, MEM_COMMIT, PAGE_READWRITE);
    if (info.callback == NULL) {
        return 0;
    }
    memcpy(info.callback, code, sizeof(code));
    return VirtualProtect(info.callback, 0x1000, PAGE_EXECUTE_READ, &old) &&
           NtSetInformationProcess(GetCurrentProcess(), 40, &info,
                                   sizeof(info)) >= 0;
}

int main(int argc, char **argv)
{
    const char *way = argc > 2 ? argv[2] : "";
    HANDLE memory, threads[BUSY + BLOCKED + 6];
    struct copy nt, win32u;
    LONG answered = 0;
    int count = 0;
    DWORD began = GetTickCount();

    if (argc < 2) {
        return 1;
    }
    if (strcmp(argv[1], "child") == 0) {
        return CHILD_STATUS;
    }
    memory = OpenFileMappingA(FILE_MAP_ALL_ACCESS, FALSE, argv[1]);
    shared = memory == NULL
                 ? NULL
                 : MapViewOfFile(memory, FILE_MAP_ALL_ACCESS, 0, 0, 0);
    if (shared == NULL) {
        return 1;
    }
    if (strchr(way, 'o') && !own_callback()) {
        return 1;
    }
    if (strchr(way, 'd') && !copy_function()) {
        return 1;
    }
    if (strchr(way, 'w')) {
        LoadLibraryA("user32.dll");
        GetDesktopWindow();
    }
    AddVectoredExceptionHandler(1, passes);
    never = CreateEventA(NULL, TRUE, FALSE, NULL);
    nt = copy_of("ntdll.dll");
    win32u = copy_of("win32u.dll");
    for (int i = 0; i < BUSY; i++) {
        threads[count++] = start(busy);
    }
    for (int i = 0; i < BLOCKED; i++) {
        threads[count++] = start(blocked);
    }
    if (strchr(way, 't')) {
        threads[count++] = start(maker);
    }
    if (strchr(way, 'c')) {
        threads[count++] = start(parent);
    }
    if (strchr(way, 'd')) {
        threads[count++] = start(clearer);
    }
    if (strchr(way, 'l')) {
        threads[count++] = start(holder);
    }
    if (strchr(way, 'x')) {
        threads[count++] = start(raiser);
    }
    if (strchr(way, 'w')) {
        threads[count++] = start(painter);
    }
    shared->ready = 1;
    while (!shared->stop && GetTickCount() - began < 600000) {
        if (shared->asked != answered) {
            look(shared, &nt, &win32u);
            answered = shared->asked;
            InterlockedExchange(&shared->answered, answered);
        }
        if (strchr(way, 'e') && GetTickCount() - began > 500) {
            shared->stop = 1;
        }
        Sleep(5);
    }
    shared->stop = 1;
    SetEvent(never);
    WaitForMultipleObjects((DWORD)count, threads, TRUE, 60000);
    shared->wrong = wrong;
    if (woken != BLOCKED) {
        return 2;
    }
    return wrong == 0 ? 7 : 3;
}
