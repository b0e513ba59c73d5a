/* SPDX-License-Identifier: MIT */
/*
 * interrupted - goes on through Ctrl-C: for tests/check-interrupts.
 *
 *   interrupted FILE MS [own]
 *
 * Makes calls for MS milliseconds, then writes into FILE how many calls gave
 * a wrong result and how many Ctrl-C it was told of, and exits with 42. With
 * `own` it leaves the console that it was started on. Says "ready" when it
 * can be interrupted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

static volatile LONG hits;

static BOOL WINAPI on_control(DWORD kind)
{
    if (kind == CTRL_C_EVENT) {
        InterlockedIncrement(&hits);
    }
    return TRUE;
}

int main(int argc, char **argv)
{
    DWORD end;
    long wrong = 0;
    FILE *file;

    if (argc < 3) {
        return 2;
    }
    SetConsoleCtrlHandler(on_control, TRUE);
    if (argc > 3 && strcmp(argv[3], "own") == 0) {
        FreeConsole();
    }
    file = fopen(argv[1], "w");
    if (file == NULL) {
        return 3;
    }
    fprintf(file, "ready\n");
    fflush(file);
    end = GetTickCount() + (DWORD)atoi(argv[2]);
    while ((LONG)(end - GetTickCount()) > 0) {
        HANDLE event = CreateEventA(NULL, TRUE, TRUE, NULL);

        wrong += WaitForSingleObject(event, 0) != WAIT_OBJECT_0;
        wrong += !CloseHandle(event);
        wrong += CloseHandle((HANDLE)(ULONG_PTR)0x12340);
        Sleep(5);
    }
    fprintf(file, "wrong %ld, interrupted %ld\n", wrong, (long)hits);
    fclose(file);
    return 42;
}
