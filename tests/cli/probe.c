/* SPDX-License-Identifier: MIT */
/*
 * probe ANYTHING - tells what it was started with, so that runs with and
 * without the tracer can be compared. CLI_MODE says what:
 *
 *   line       (default) its command line, UTF-16 units in hexadecimal
 *   around     directory, variables, what stdin holds; a line on stderr
 *   startup    STARTUPINFO, but for the handles' values
 *   handles    the types of its handles, sorted
 *   console    whether it has one
 *   extra      what can be read through the inherited handle CLI_HANDLE
 *   calls      NtMakeTemporaryObject five times on no handle, which fails, and
 *              NtQueryTimerResolution three times; nothing else calls them
 *   file       opens text.txt of its directory, reads from it through a second
 *              handle, closes both
 *   slow       sleeps for half a second, then as `line`
 *   alone      leaves its console, tells that it runs, and sleeps for two
 *              seconds
 *   victim     tells that it runs, and sleeps for ten seconds
 *   obedient   the same, but at Ctrl-C it says so and ends with status 5
 *   fastfail   ends by int 29h, before it has made any system call
 *   stubborn   says so at Ctrl-C, but runs on for two seconds, and tells that
 *
 * Creates the file CLI_MARK, whatever else it does (but for fastfail): so one
 * sees that it ran.
 * Exit status: CLI_STATUS, otherwise 0. Prints LF, no CR. Needs no C runtime
 * facilities but printf.
 */
#include <windows.h>

#include <fcntl.h>
#include <io.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winternl.h>

#define HANDLES_MAX 0x1000

static void tell_line(void)
{
    const wchar_t *line = GetCommandLineW();

    printf("line");
    for (size_t i = 0; line[i] != 0; i++) {
        printf(" %x", (unsigned)line[i]);
    }
    printf("\n");
}

static void tell_wide(const char *what, const wchar_t *text)
{
    printf("%s", what);
    for (size_t i = 0; text != NULL && text[i] != 0; i++) {
        if (text[i] >= ' ' && text[i] <= '~') {
            printf("%c", (char)text[i]);
        } else {
            printf("<%x>", (unsigned)text[i]);
        }
    }
    printf("\n");
}

static void tell_around(void)
{
    static wchar_t text[32768];
    const wchar_t *all = GetEnvironmentStringsW();
    uint32_t sum = 0;
    char in[256];
    size_t size;

    GetCurrentDirectoryW(32768, text);
    tell_wide("directory ", text);
    *text = 0;
    GetEnvironmentVariableW(L"CLI_WORD", text, 32768);
    tell_wide("word ", text);
    /* All of them, in their order, but cmd.exe's hidden ones. */
    for (const wchar_t *p = all; *p != 0; p += wcslen(p) + 1) {
        for (const wchar_t *q = p; *p != '=' && *q != 0; q++) {
            sum = sum * 31 + *q;
        }
    }
    printf("environment %08x\n", (unsigned)sum);
    size = fread(in, 1, sizeof(in), stdin);
    printf("stdin [%.*s]\n", (int)size, in);
    fprintf(stderr, "to stderr\n");
}

static void tell_startup(void)
{
    STARTUPINFOW s;

    GetStartupInfoW(&s);
    tell_wide("desktop ", s.lpDesktop);
    tell_wide("title ", s.lpTitle);
    printf("place %lu %lu %lu %lu %lu %lu %lu\n", s.dwX, s.dwY, s.dwXSize,
           s.dwYSize, s.dwXCountChars, s.dwYCountChars, s.dwFillAttribute);
    printf("flags %lx show %u\n", s.dwFlags, s.wShowWindow);
    printf("reserved %u", s.cbReserved2);
    for (unsigned i = 0; i < s.cbReserved2; i++) {
        printf(" %x", s.lpReserved2[i]);
    }
    printf("\n");
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void tell_handles(void)
{
    static char names[HANDLES_MAX / 4][40];
    size_t count = 0;

    for (uintptr_t value = 4; value < HANDLES_MAX; value += 4) {
        union {
            PUBLIC_OBJECT_TYPE_INFORMATION type;
            char room[1024];
        } info;
        DWORD flags;

        if (!GetHandleInformation((HANDLE)value, &flags)) {
            continue;
        }
        if (NtQueryObject((HANDLE)value, ObjectTypeInformation, &info,
                          sizeof(info), NULL) < 0) {
            info.type.TypeName.Length = 0;
        }
        snprintf(names[count++], sizeof(names[0]), "%.*ls",
                 info.type.TypeName.Length / 2, info.type.TypeName.Buffer);
    }
    qsort(names, count, sizeof(names[0]), by_name);
    for (size_t i = 0; i < count; i++) {
        printf("%s\n", names[i]);
    }
}

static void tell_console(void)
{
    HANDLE out = CreateFileA("CONOUT$", GENERIC_READ | GENERIC_WRITE,
                             FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                             OPEN_EXISTING, 0, NULL);

    printf("code page %u, CONOUT$ %d\n", GetConsoleCP(),
           out != INVALID_HANDLE_VALUE);
}

static void tell_extra(void)
{
    HANDLE handle = (HANDLE)(uintptr_t)strtoull(getenv("CLI_HANDLE"), NULL, 0);
    char text[100];
    DWORD size = 0;
    DWORD flags = 0;
    BOOL ok = ReadFile(handle, text, sizeof(text), &size, NULL);

    GetHandleInformation(handle, &flags);
    printf("read %d [%.*s] flags %lx\n", ok, (int)size, text, flags);
}

NTSYSAPI NTSTATUS NTAPI NtMakeTemporaryObject(HANDLE);
NTSYSAPI NTSTATUS NTAPI NtQueryTimerResolution(ULONG *, ULONG *, ULONG *);

static void make_calls(void)
{
    ULONG least, most, now;

    for (int i = 0; i < 5; i++) {
        NtMakeTemporaryObject(NULL);
    }
    for (int i = 0; i < 3; i++) {
        NtQueryTimerResolution(&least, &most, &now);
    }
    printf("called\n");
}

static void read_file(void)
{
    HANDLE first = CreateFileA("text.txt", GENERIC_READ, FILE_SHARE_READ, NULL,
                               OPEN_EXISTING, 0, NULL);
    HANDLE second = NULL;
    char bytes[16];
    DWORD got = 0;

    DuplicateHandle(GetCurrentProcess(), first, GetCurrentProcess(), &second, 0,
                    FALSE, DUPLICATE_SAME_ACCESS);
    ReadFile(second, bytes, 7, &got, NULL);
    CloseHandle(first);
    CloseHandle(second);
    printf("read %.*s\n", (int)got, bytes);
}

static HANDLE asked;

static BOOL WINAPI on_ctrl(DWORD kind)
{
    (void)kind;
    SetEvent(asked);
    return TRUE;
}

static void run_on(const char *mode)
{
    DWORD most = strcmp(mode, "stubborn") == 0 ? 2500 : 10000;

    if (strcmp(mode, "victim") != 0) {
        asked = CreateEventA(NULL, FALSE, FALSE, NULL);
        SetConsoleCtrlHandler(on_ctrl, TRUE);
    }
    printf("runs\n");
    fflush(stdout);
    if (asked == NULL || strcmp(mode, "stubborn") == 0) {
        Sleep(most);
        printf("%sran to its end\n",
               asked != NULL && WaitForSingleObject(asked, 0) == WAIT_OBJECT_0
                   ? "was asked to end and "
                   : "");
        fflush(stdout);
    } else if (WaitForSingleObject(asked, most) == WAIT_OBJECT_0) {
        printf("asked to end\n");
        fflush(stdout);
        ExitProcess(5);
    }
}

int main(void)
{
    const char *mode = getenv("CLI_MODE");
    const char *mark = getenv("CLI_MARK");
    const char *status = getenv("CLI_STATUS");

    if (mode != NULL && strcmp(mode, "fastfail") == 0) {
        __asm__ volatile("int $0x29" : : "c"(7));
    }
    _setmode(_fileno(stdout), _O_BINARY);
    _setmode(_fileno(stderr), _O_BINARY);
    if (mark != NULL) {
        FILE *f = fopen(mark, "w");

        if (f != NULL) {
            fclose(f);
        }
    }
    mode = mode != NULL ? mode : "line";
    if (strcmp(mode, "line") == 0) {
        tell_line();
    } else if (strcmp(mode, "around") == 0) {
        tell_around();
    } else if (strcmp(mode, "startup") == 0) {
        tell_startup();
    } else if (strcmp(mode, "handles") == 0) {
        tell_handles();
    } else if (strcmp(mode, "console") == 0) {
        tell_console();
    } else if (strcmp(mode, "extra") == 0) {
        tell_extra();
    } else if (strcmp(mode, "calls") == 0) {
        make_calls();
    } else if (strcmp(mode, "file") == 0) {
        read_file();
    } else if (strcmp(mode, "slow") == 0) {
        Sleep(500);
        tell_line();
    } else if (strcmp(mode, "alone") == 0) {
        FreeConsole();
        printf("runs\n");
        fflush(stdout);
        Sleep(2000);
    } else if (strcmp(mode, "victim") == 0 || strcmp(mode, "obedient") == 0 ||
               strcmp(mode, "stubborn") == 0) {
        run_on(mode);
    } else {
        printf("no mode %s\n", mode);
    }
    fflush(stdout);
    ExitProcess(status != NULL ? (UINT)strtoul(status, NULL, 0) : 0);
}
