/* SPDX-License-Identifier: MIT */
/*
 * tampered WHAT - makes calls, and says what came of them; tests/check-inject
 * runs it under rules that change them. Without rules all is as it should be.
 */
#include "nt.h"

#define TIMES 3000
#define THREADS 4
/* No handle, and none of anybody's. */
#define NOBODYS ((HANDLE)(uintptr_t)0x77770)

NTSYSAPI NTSTATUS NTAPI NtOpenKey(HANDLE *, ACCESS_MASK,
                                  const struct nt_attributes *);
NTSYSAPI NTSTATUS NTAPI NtQueryValueKey(HANDLE, const struct nt_name *, int,
                                        void *, ULONG, ULONG *);

static LONG volatile changed;
static LONG volatile others;

/* What there is to say, until the end: no call in between is ours to make. */
static char said[4096];
static size_t said_size;

__attribute__((format(gnu_printf, 1, 2))) static void put(const char *format,
                                                          ...)
{
    va_list args;

    va_start(args, format);
    said_size += (size_t)vsnprintf(said + said_size, sizeof said - said_size,
                                   format, args);
    va_end(args);
}

static void put_out(void)
{
    DWORD written;

    WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), said, (DWORD)said_size, &written,
              NULL);
    said_size = 0;
}

static WCHAR path[600];
static struct nt_name file_name = { 0, 0, path };

/* NAME in the current directory, as NT has it. */
static const struct nt_name *name_file(const char *name)
{
    WCHAR here[400];

    GetCurrentDirectoryW(COUNT_OF(here), here);
    _snwprintf(path, COUNT_OF(path), L"\\??\\%ls\\%hs", here, name);
    file_name.length = (USHORT)(2 * wcslen(path));
    file_name.room = file_name.length;
    return &file_name;
}

static NTSTATUS open_file(const char *name, ACCESS_MASK access, ULONG how,
                          HANDLE *file)
{
    struct nt_attributes a = NT_ATTRIBUTES(name_file(name));
    struct nt_iosb iosb;

    return NtCreateFile(file, access | SYNCHRONIZE, &a, &iosb, NULL, 0, 7, how,
                        0x60, NULL, 0);
}

static void tell_status(const char *what, NTSTATUS status)
{
    put("%s: 0x%lx\n", what, (unsigned long)status);
}

/* Six writes of ten bytes, and what has come into the file. */
static void writes(void)
{
    HANDLE file;
    LARGE_INTEGER size;

    tell_status("create", open_file("tampered.dat",
                                    GENERIC_WRITE | GENERIC_READ, 5, &file));
    for (int i = 0; i < 6; i++) {
        struct nt_iosb iosb = { { .status = 0x5a5a }, 0x5a5a };
        NTSTATUS status = NtWriteFile(file, NULL, NULL, NULL, &iosb,
                                      "0123456789", 10, NULL, NULL);

        put("write %d: 0x%lx, %s\n", i + 1, (unsigned long)status,
            iosb.information == 10       ? "10 bytes"
            : iosb.information == 0x5a5a ? "untouched"
                                         : "something else");
    }
    GetFileSizeEx(file, &size);
    put("size %lu\n", (unsigned long)size.QuadPart);
    tell_status("close", NtClose(file));
    DeleteFileA("tampered.dat");
}

/* A file that is read, and one that is not to be. */
static void opens(void)
{
    static const char *const names[] = { "tampered.ini", "tampered.txt" };
    HANDLE file;

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        HANDLE untouched = NOBODYS;
        NTSTATUS status;

        open_file(names[i], GENERIC_WRITE, 5, &file);
        NtClose(file);
        status = open_file(names[i], GENERIC_READ, 1, &untouched);
        put("read %s: 0x%lx%s\n", names[i], (unsigned long)status,
            untouched == NOBODYS ? ", no handle" : "");
        if (untouched != NOBODYS) {
            NtClose(untouched);
        }
        tell_status("write", open_file(names[i], GENERIC_WRITE, 1, &file));
        NtClose(file);
        DeleteFileA(names[i]);
    }
}

/* A call through a handle whose file matters. */
static void through(void)
{
    static const char *const names[] = { "tampered.ini", "tampered.txt" };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct nt_iosb iosb;
        char byte = 0;
        HANDLE file;

        open_file(names[i], GENERIC_WRITE | GENERIC_READ | DELETE, 5, &file);
        put("write %s: 0x%lx\n", names[i],
            (unsigned long)NtWriteFile(file, NULL, NULL, NULL, &iosb, &byte, 1,
                                       NULL, NULL));
        NtClose(file);
        DeleteFileA(names[i]);
    }
}

/* The same call by ourselves, and by way of the C library. */
static void callers(void)
{
    struct nt_iosb iosb;
    FILE *f;
    HANDLE file;
    char byte = 0;

    open_file("tampered.dat", GENERIC_WRITE, 5, &file);
    tell_status("own", NtWriteFile(file, NULL, NULL, NULL, &iosb, &byte, 1,
                                   NULL, NULL));
    NtClose(file);
    f = fopen("tampered.dat", "wb");
    fputc('x', f);
    put("library: %s\n", fflush(f) == 0 ? "written" : "failed");
    fclose(f);
    DeleteFileA("tampered.dat");
}

static void took(const char *what, DWORD from, DWORD least)
{
    put("%s: %s\n", what, GetTickCount() - from >= least ? "slow" : "quick");
}

/* Reading a value of a key that is always there. */
static void value(void)
{
    static const struct nt_name key_name =
        NT_NAME(L"\\Registry\\Machine\\Software");
    static const struct nt_name none = NT_NAME(L"NoSuchValue");
    struct nt_attributes a = NT_ATTRIBUTES(&key_name);
    HANDLE key;
    char room[64];
    ULONG size;
    DWORD from;

    tell_status("key", NtOpenKey(&key, KEY_READ, &a));
    from = GetTickCount();
    tell_status("value",
                NtQueryValueKey(key, &none, 1, room, sizeof room, &size));
    took("value", from, 200);
    from = GetTickCount();
    NtClose(key);
    took("close", from, 200);
}

/* Nobody sets the event; a second, or none. */
static void waits(void)
{
    HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL);
    LARGE_INTEGER second = { .QuadPart = -10000000 };
    DWORD from = GetTickCount();

    tell_status("wait", NtWaitForSingleObject(event, FALSE, &second));
    took("wait", from, 900);
    CloseHandle(event);
}

/* One call that fails in any case, so that nothing else depends on it. */
static void count_one(void)
{
    if (NtClose(NOBODYS) == STATUS_BAD_HANDLE) {
        InterlockedIncrement(&others);
    } else {
        InterlockedIncrement(&changed);
    }
}

static DWORD WINAPI many(void *unused)
{
    (void)unused;
    for (int i = 0; i < TIMES; i++) {
        count_one();
    }
    return 0;
}

static void tell_counts(void)
{
    put("%ld changed, %ld not\n", changed, others);
}

static void threads(void)
{
    HANDLE thread[THREADS];

    for (int i = 0; i < THREADS; i++) {
        thread[i] = CreateThread(NULL, 0, many, NULL, 0, NULL);
    }
    WaitForMultipleObjects(THREADS, thread, TRUE, INFINITE);
    tell_counts();
}

static void CALLBACK in_apc(ULONG_PTR unused)
{
    (void)unused;
    count_one();
}

/* APCs that interrupt waits, calls in them, and a wait that is changed with APCs
 * behind it: they are run by the next one. */
static void apcs(void)
{
    LARGE_INTEGER soon = { .QuadPart = -10000 };
    int apc = 0;

    for (int i = 0; i < 300; i++) {
        QueueUserAPC(in_apc, GetCurrentThread(), 0);
        QueueUserAPC(in_apc, GetCurrentThread(), 0);
        count_one();
        apc += NtDelayExecution(TRUE, &soon) == STATUS_APC;
    }
    while (changed + others < 900) {
        NtDelayExecution(TRUE, &soon);
    }
    put("%d waits interrupted\n", apc);
    tell_counts();
}

static LRESULT CALLBACK on_message(HWND window, UINT message, WPARAM w,
                                   LPARAM l)
{
    if (message == WM_USER) {
        count_one();
        return 7;
    }
    return DefWindowProcA(window, message, w, l);
}

/* Calls in callbacks from the kernel, and a call that calls back. */
static void callbacks(void)
{
    WNDCLASSA class = { .lpfnWndProc = on_message,
                        .lpszClassName = "tampered" };
    HWND window;
    int right = 0;

    RegisterClassA(&class);
    window = CreateWindowA("tampered", "", 0, 0, 0, 0, 0, HWND_MESSAGE, NULL,
                           NULL, NULL);
    for (int i = 0; i < 300; i++) {
        right += SendMessageA(window, WM_USER, 0, 0) == 7;
    }
    DestroyWindow(window);
    put("%d answers\n", right);
    tell_counts();
}

/* Is a handle closed that was said to be, and open that was not? */
static void closes(void)
{
    HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL);
    DWORD flags;

    tell_status("close", NtClose(event));
    SetLastError(0);
    put("%s\n", GetHandleInformation(event, &flags) ? "still there" : "gone");
}

/* Does what others do, in a process of its own. */
static void child(void)
{
    STARTUPINFOA start = { .cb = sizeof start };
    PROCESS_INFORMATION made;
    char name[400];
    char command[500];

    GetModuleFileNameA(NULL, name, sizeof name);
    snprintf(command, sizeof command, "\"%s\" threads", name);
    put_out();
    if (!CreateProcessA(NULL, command, NULL, NULL, TRUE, 0, NULL, NULL, &start,
                        &made)) {
        put("no child\n");
        return;
    }
    WaitForSingleObject(made.hProcess, INFINITE);
    CloseHandle(made.hThread);
    CloseHandle(made.hProcess);
    many(NULL);
    tell_counts();
}

/* Waits for somebody to change its calls. */
static void lingers(void)
{
    put("%lu\n", (unsigned long)GetCurrentProcessId());
    put_out();
    for (int i = 0; i < 6000 && changed == 0; i++) {
        count_one();
        Sleep(10);
    }
    put("%s\n", changed != 0 ? "changed" : "never changed");
}

/* A name in a guard page: whoever looks at it takes the guard. */
static void guarded(void)
{
    WCHAR *name = VirtualAlloc(NULL, 0x1000, MEM_COMMIT, PAGE_READWRITE);
    struct nt_name there = *name_file("tampered.ini");
    MEMORY_BASIC_INFORMATION m;
    struct nt_attributes a = NT_ATTRIBUTES(&there);
    struct nt_iosb iosb;
    HANDLE file = NULL;
    DWORD old;

    memcpy(name, there.text, there.length);

    there.text = name;
    VirtualProtect(name, 0x1000, PAGE_READWRITE | PAGE_GUARD, &old);
    tell_status("open", NtOpenFile(&file, SYNCHRONIZE, &a, &iosb, 7, 0x20));
    VirtualQuery(name, &m, sizeof(m));
    put("guard: 0x%lx\n", (unsigned long)m.Protect);
}

static const struct {
    const char *name;
    void (*run)(void);
} all[] = {
    { "writes", writes },   { "opens", opens },         { "through", through },
    { "value", value },     { "waits", waits },         { "threads", threads },
    { "apcs", apcs },       { "callbacks", callbacks }, { "closes", closes },
    { "callers", callers }, { "child", child },         { "lingers", lingers },
    { "guarded", guarded },
};

int main(int argc, char **argv)
{
    target_begin();
    for (size_t i = 0; argc > 1 && i < COUNT_OF(all); i++) {
        if (strcmp(argv[1], all[i].name) == 0) {
            all[i].run();
            put_out();
            return 0;
        }
    }
    return 2;
}
