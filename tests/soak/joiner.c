/* SPDX-License-Identifier: MIT */
/*
 * joiner - starts joined.c, and attaches tracers to it, one after the other.
 *
 * joiner CYCLES WAY KILLS OUT JOINED NTSTRACE [OPTION]...
 *
 * After each cycle it asks what the program looks like. KILLS: 1 if four of five
 * tracers are killed, at a random moment from their start or, every other, from
 * when they open the program. WAY is the program's; with s its first
 * thread is suspended meanwhile, with e a tracer comes when it is about to end,
 * with l it holds the loader's lock during the first cycle. With n there is one
 * more cycle, number 0, which begins before the program has run. The program is
 * busy from the moment in which a tracer opens it until that tracer has ended;
 * with q it never is.
 * OUT: a file, %d in it is the cycle. Options are the
 * tracer's. Prints a line for each cycle, and one at the end:
 *
 *   cycle N: status S, D differ, H handles, R regions
 *   ended S after C calls
 */
#include "joined.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A tracer comes and goes within this. */
#define KILL_MS 300
/* What is left of an ended one in the program is gone through for so long. */
#define LEFT_MS 20
#define PATIENCE_MS 60000

static BOOL tells;

static HANDLE start(char *line)
{
    STARTUPINFOA startup = { .cb = sizeof(startup) };
    PROCESS_INFORMATION info;
    HANDLE error = GetStdHandle(STD_ERROR_HANDLE);

    if (tells) {
        /* What it says besides the trace is to be seen. */
        SetHandleInformation(error, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
        startup.dwFlags = STARTF_USESTDHANDLES;
        startup.hStdOutput = error;
        startup.hStdError = error;
    }
    if (!CreateProcessA(NULL, line, NULL, NULL, tells, 0, NULL, NULL, &startup,
                        &info)) {
        return NULL;
    }
    CloseHandle(info.hThread);
    return info.hProcess;
}

NTSYSAPI LONG NTAPI NtQueryObject(HANDLE, ULONG, void *, ULONG, ULONG *);

/* How many handles of it there are, whoever has them. */
static ULONG handles_of(HANDLE process)
{
    struct {
        ULONG attributes, access, handles, pointers, reserved[10];
    } basic = { 0 };

    NtQueryObject(process, 0, &basic, sizeof(basic), NULL);
    return basic.handles;
}

/* Until the tracer opens the program, or ends, or `most_ms` have passed: whether
 * it did. `handles` there were before. */
static BOOL is_opened(HANDLE program, ULONG handles, HANDLE tracer,
                      DWORD most_ms)
{
    DWORD began = GetTickCount();
    ULONG now;

    while ((now = handles_of(program)) <= handles) {
        /* An earlier one may be leaving. */
        handles = now;
        if (WaitForSingleObject(tracer, 1) == WAIT_OBJECT_0 ||
            GetTickCount() - began >= most_ms) {
            return FALSE;
        }
    }
    return TRUE;
}

/* Its exit status. Ended `kill_after` ms after it began, if not INFINITE. */
static DWORD end(HANDLE process, DWORD began, DWORD kill_after)
{
    DWORD status = 999, passed = GetTickCount() - began;
    DWORD left = passed < kill_after ? kill_after - passed : 0;

    if (process == NULL) {
        return status;
    }
    if (kill_after != INFINITE &&
        WaitForSingleObject(process, left) != WAIT_OBJECT_0) {
        TerminateProcess(process, 111);
    }
    if (WaitForSingleObject(process, PATIENCE_MS) != WAIT_OBJECT_0) {
        TerminateProcess(process, 998);
        WaitForSingleObject(process, INFINITE);
    }
    GetExitCodeProcess(process, &status);
    CloseHandle(process);
    return status;
}

/* False: it does not answer. */
static BOOL ask(struct joined *j, HANDLE process)
{
    LONG asked = InterlockedIncrement(&j->asked);

    for (int i = 0; i < 3000 && j->answered != asked; i++) {
        if (WaitForSingleObject(process, 5) == WAIT_OBJECT_0) {
            return FALSE;
        }
    }
    return j->answered == asked;
}

/* The command line of the tracer of a cycle. */
static void tracer_line(char *line, size_t room, int cycle, DWORD pid, int argc,
                        char **argv)
{
    char out[600];

    snprintf(out, sizeof(out), argv[4], cycle);
    snprintf(line, room, "\"%s\" -o \"%s\" -p %lu", argv[6], out, pid);
    for (int k = 7; k < argc; k++) {
        strcat(line, " ");
        strcat(line, argv[k]);
    }
}

/* Until the first tracer has opened its output: it has got in then. */
static void await_output(char **argv)
{
    char out[600];

    snprintf(out, sizeof(out), argv[4], 0);
    for (int i = 0;
         i < 6000 && GetFileAttributesA(out) == INVALID_FILE_ATTRIBUTES; i++) {
        Sleep(10);
    }
}

int main(int argc, char **argv)
{
    char name[64], line[4000];
    STARTUPINFOA startup = { .cb = sizeof(startup) };
    PROCESS_INFORMATION info;
    struct joined *j;
    HANDLE memory;
    DWORD status = 0;
    int cycles = argc > 6 ? atoi(argv[1]) : 0;
    BOOL kills, suspended, is_new, quiet;

    if (argc < 7) {
        return 1;
    }
    setvbuf(stdout, NULL, _IONBF, 0);
    kills = atoi(argv[3]) != 0;
    suspended = strchr(argv[2], 's') != NULL;
    is_new = strchr(argv[2], 'n') != NULL;
    tells = strchr(argv[2], 'o') != NULL;
    quiet = strchr(argv[2], 'q') != NULL;
    srand(GetCurrentProcessId());
    sprintf(name, "ntstrace joined %lu", GetCurrentProcessId());
    memory = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0,
                                sizeof(struct joined), name);
    j = memory == NULL ? NULL
                       : MapViewOfFile(memory, FILE_MAP_ALL_ACCESS, 0, 0, 0);
    snprintf(line, sizeof(line), "\"%s\" \"%s\" %s-", argv[5], name, argv[2]);
    if (j == NULL || !CreateProcessA(NULL, line, NULL, NULL, FALSE,
                                     is_new ? CREATE_SUSPENDED : 0, NULL, NULL,
                                     &startup, &info)) {
        printf("cannot start %s\n", argv[5]);
        return 1;
    }
    if (is_new) {
        HANDLE tracer;

        tracer_line(line, sizeof(line), 0, info.dwProcessId, argc, argv);
        tracer = start(line);
        await_output(argv);
        Sleep(1000);
        ResumeThread(info.hThread);
        printf("before it runs: status %lu\n", end(tracer, 0, INFINITE));
    }
    for (int i = 0; i < 3000 && !j->ready; i++) {
        Sleep(10);
    }
    j->calm = 1;
    for (int i = 1; i <= cycles; i++) {
        BOOL there, opened;
        DWORD began, kill_after;
        ULONG handles;
        HANDLE tracer;

        tracer_line(line, sizeof(line), i, info.dwProcessId, argc, argv);
        j->hold = strchr(argv[2], 'l') != NULL && i == 1;
        if (j->hold) {
            Sleep(100);
        }
        if (suspended) {
            SuspendThread(info.hThread);
        }
        if (strchr(argv[2], 'e')) {
            Sleep(300 + (DWORD)(rand() % 250));
        }
        kill_after = kills && i % 5 != 0 ? (DWORD)(rand() % KILL_MS) : INFINITE;
        handles = handles_of(info.hProcess);
        tracer = start(line);
        began = GetTickCount();
        opened =
            tracer != NULL &&
            is_opened(info.hProcess, handles, tracer,
                      i % 2 != 0 && kill_after < PATIENCE_MS ? kill_after
                                                             : PATIENCE_MS);
        if (i % 2 == 0) {
            began = GetTickCount();
        }
        j->calm = !opened || quiet;
        status = end(tracer, began, kill_after);
        Sleep(LEFT_MS);
        j->calm = 1;
        if (suspended) {
            ResumeThread(info.hThread);
        }
        there = ask(j, info.hProcess);
        j->hold = 0;
        if (status == 0 && !opened) {
            printf("nobody saw it come\n");
            status = 997;
        }
        if (!there) {
            printf("cycle %d: status %lu, no answer\n", i, status);
            break;
        }
        printf("cycle %d: status %lu, %ld differ, %ld handles, %ld regions\n",
               i, status, j->differs, j->handles, j->regions);
    }
    j->stop = 1;
    if (WaitForSingleObject(info.hProcess, 30000) != WAIT_OBJECT_0) {
        printf("it hangs\n");
        TerminateProcess(info.hProcess, 997);
    }
    WaitForSingleObject(info.hProcess, INFINITE);
    GetExitCodeProcess(info.hProcess, &status);
    printf("ended %lu after %lld calls, %ld wrong\n", status,
           (long long)j->calls, j->wrong);
    return 0;
}
