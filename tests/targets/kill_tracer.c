/* SPDX-License-Identifier: MIT */
/*
 * kill_tracer MS COMMAND... - runs a tracer with endless as its target, ends
 * the *tracer* by TerminateProcess MS milliseconds after the target began,
 * tells the target so by the event that it waits for, and waits for its
 * result. Exit status 0 if the target was still at work when the tracer died
 * and then finished, with the right result.
 */
#include "launch.h"

int main(int argc, char **argv)
{
    DWORD ms = (DWORD)number_arg(argc, argv, 1, 300), waiting = 0, got;
    PROCESS_INFORMATION tracer;
    static char told[4096];
    HANDLE out, out_end, dead;
    char name[40];
    size_t size = 0;

    target_begin();
    sprintf(name, "Local\\kill_tracer%lu",
            (unsigned long)GetCurrentProcessId());
    dead = CreateEventA(NULL, TRUE, FALSE, name);
    if (dead == NULL || !SetEnvironmentVariableA("ENDLESS_UNTIL", name)) {
        launch_fail("no event");
    }
    launch_pipe(&out, &out_end);
    tracer = launch(launch_tail(2), out_end, NULL);
    CloseHandle(out_end);
    while (size < strlen("begun\n")) {
        if (!ReadFile(out, told + size, 1, &got, NULL) || got == 0) {
            launch_fail("the target did not begin");
        }
        size += got;
    }
    Sleep(ms);
    CHECK(PeekNamedPipe(out, NULL, 0, NULL, &waiting, NULL));
    CHECK(waiting == 0);
    CHECK(WaitForSingleObject(tracer.hProcess, 0) == WAIT_TIMEOUT);
    CHECK(TerminateProcess(tracer.hProcess, 0x66));
    WaitForSingleObject(tracer.hProcess, INFINITE);
    CHECK(SetEvent(dead));
    /* The target has the other end: this lasts until it is over. */
    while (size < sizeof told - 1 &&
           ReadFile(out, told + size, (DWORD)(sizeof told - 1 - size), &got,
                    NULL) &&
           got > 0) {
        size += got;
    }
    told[size] = 0;
    CHECK(strstr(told, "done, right") != NULL);
    printf("%s", told);
    return target_bad != 0;
}
