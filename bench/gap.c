/* SPDX-License-Identifier: MIT */
/*
 * gap.c - for how long is a program stopped while it is joined and let go?
 *
 *   gap.exe MS
 *
 * One thread makes a call now and then and reads the clock all the time, three
 * wait. After MS milliseconds it says the two longest times between two looks
 * at the clock, in milliseconds: that it was joined, and that it was let go, or
 * what else the system had to do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

static DWORD WINAPI waits(void *event)
{
    WaitForSingleObject(event, INFINITE);
    return 0;
}

int main(int argc, char **argv)
{
    HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL);
    double longest = 0, second = 0, per_ms, most;
    LARGE_INTEGER hz, begun, last, now;
    unsigned looks = 0;

    if (argc != 2 || event == NULL) {
        fprintf(stderr, "gap MS\n");
        return 2;
    }
    most = atof(argv[1]);
    for (int i = 0; i < 3; i++) {
        CloseHandle(CreateThread(NULL, 0, waits, event, 0, NULL));
    }
    QueryPerformanceFrequency(&hz);
    per_ms = (double)hz.QuadPart / 1000;
    QueryPerformanceCounter(&begun);
    last = begun;
    do {
        double gap;

        if (++looks % 4096 == 0) {
            SetEvent(NULL);
        }
        QueryPerformanceCounter(&now);
        gap = (double)(now.QuadPart - last.QuadPart) / per_ms;
        last = now;
        if (gap > longest) {
            second = longest;
            longest = gap;
        } else if (gap > second) {
            second = gap;
        }
    } while ((double)(now.QuadPart - begun.QuadPart) / per_ms < most);
    printf("%.2f %.2f\n", longest, second);
    return 0;
}
