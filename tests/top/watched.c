/* SPDX-License-Identifier: MIT */
/*
 * watched - a program for `ntstrace top` to look at, of which it is known what it
 * does: ROUNDS rounds in each of two threads, and in each of them a call that
 * works, one that fails, one for a file that is not there, and a sleep of MS.
 *
 * watched ROUNDS MS [FOLDER] - writes a line to its output. Its id is in
 * FOLDER\ready when it has begun; at its end FOLDER\done is there. Ends with 42.
 */
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

NTSYSAPI LONG NTAPI NtQueryTimerResolution(ULONG *, ULONG *, ULONG *);
NTSYSAPI LONG NTAPI NtResetEvent(HANDLE, LONG *);

static int rounds;
static DWORD pause_ms;

static DWORD WINAPI work(void *unused)
{
    (void)unused;
    for (int i = 0; i < rounds; i++) {
        ULONG least, most, now;

        NtQueryTimerResolution(&least, &most, &now);
        NtResetEvent(NULL, NULL);
        GetFileAttributesW(L"C:\\ntstrace-watched-never.txt");
        Sleep(pause_ms);
    }
    return 0;
}

/* Another name first: who finds it finds all of it. */
static void make(const char *folder, const char *name)
{
    char made[600], path[600];
    FILE *f;

    snprintf(made, sizeof(made), "%s\\%s.new", folder, name);
    snprintf(path, sizeof(path), "%s\\%s", folder, name);
    f = fopen(made, "w");
    if (f != NULL) {
        fprintf(f, "%lu\n", (unsigned long)GetCurrentProcessId());
        fclose(f);
        MoveFileA(made, path);
    }
}

int main(int argc, char **argv)
{
    HANDLE other;

    rounds = argc > 1 ? atoi(argv[1]) : 10;
    pause_ms = argc > 2 ? (DWORD)atoi(argv[2]) : 0;
    printf("watched: this is what the program itself writes\n");
    fflush(stdout);
    if (argc > 3) {
        make(argv[3], "ready");
    }
    other = CreateThread(NULL, 0, work, NULL, 0, NULL);
    work(NULL);
    WaitForSingleObject(other, INFINITE);
    if (argc > 3) {
        make(argv[3], "done");
    }
    return 42;
}
