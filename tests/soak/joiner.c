/* SPDX-License-Identifier: MIT */
/*
 * joiner - starts joined.c, and attaches tracers to it, one after the other.
 *
 * joiner CYCLES WAY KILLS OUT JOINED NTSTRACE [OPTION]...
 *
 * After each cycle it asks what the program looks like. KILLS: 1 if four of five
 * tracers are killed, at a random moment. WAY is the program's; with s its first
 * thread is suspended meanwhile, with e a tracer comes when it is about to end.
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

static DWORD run(char *line, DWORD kill_after)
{
    STARTUPINFOA startup = { .cb = sizeof(startup) };
    PROCESS_INFORMATION info;
    DWORD status = 999;

    if (!CreateProcessA(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup,
                        &info)) {
        return status;
    }
    if (kill_after != INFINITE) {
        if (WaitForSingleObject(info.hProcess, kill_after) != WAIT_OBJECT_0) {
            TerminateProcess(info.hProcess, 111);
        }
    }
    if (WaitForSingleObject(info.hProcess, 60000) != WAIT_OBJECT_0) {
        TerminateProcess(info.hProcess, 998);
        WaitForSingleObject(info.hProcess, INFINITE);
    }
    GetExitCodeProcess(info.hProcess, &status);
    CloseHandle(info.hProcess);
    CloseHandle(info.hThread);
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

int main(int argc, char **argv)
{
    char name[64], line[4000], out[600];
    STARTUPINFOA startup = { .cb = sizeof(startup) };
    PROCESS_INFORMATION info;
    struct joined *j;
    HANDLE memory;
    DWORD status = 0;
    int cycles = argc > 6 ? atoi(argv[1]) : 0;
    BOOL kills, suspended;

    if (argc < 7) {
        return 1;
    }
    setvbuf(stdout, NULL, _IONBF, 0);
    kills = atoi(argv[3]) != 0;
    suspended = strchr(argv[2], 's') != NULL;
    srand(GetCurrentProcessId());
    sprintf(name, "ntstrace joined %lu", GetCurrentProcessId());
    memory = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0,
                                sizeof(struct joined), name);
    j = memory == NULL ? NULL
                       : MapViewOfFile(memory, FILE_MAP_ALL_ACCESS, 0, 0, 0);
    snprintf(line, sizeof(line), "\"%s\" \"%s\" %s-", argv[5], name, argv[2]);
    if (j == NULL || !CreateProcessA(NULL, line, NULL, NULL, FALSE, 0, NULL,
                                     NULL, &startup, &info)) {
        printf("cannot start %s\n", argv[5]);
        return 1;
    }
    for (int i = 0; i < 3000 && !j->ready; i++) {
        Sleep(10);
    }
    for (int i = 1; i <= cycles; i++) {
        BOOL there;

        snprintf(out, sizeof(out), argv[4], i);
        snprintf(line, sizeof(line), "\"%s\" -o \"%s\" -p %lu", argv[6], out,
                 info.dwProcessId);
        for (int k = 7; k < argc; k++) {
            strcat(line, " ");
            strcat(line, argv[k]);
        }
        if (suspended) {
            SuspendThread(info.hThread);
        }
        if (strchr(argv[2], 'e')) {
            Sleep(300 + (DWORD)(rand() % 250));
        }
        status = run(line, kills && i % 5 != 0 ? (DWORD)(rand() % KILL_MS)
                                               : INFINITE);
        if (suspended) {
            ResumeThread(info.hThread);
        }
        there = ask(j, info.hProcess);
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
