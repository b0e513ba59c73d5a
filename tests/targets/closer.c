/* SPDX-License-Identifier: MIT */
/*
 * closer CLASS MS [COMMAND...] - waits until there is a visible window of
 * that class, MS milliseconds at most, and asks it to close, as its user
 * would. With a command runs that meanwhile, and closes only a window that
 * was not there before: somebody's own is left alone.
 *
 * Exit status: the command's, else 0 if a window was closed, 1 if none came:
 * the command is ended then, and what it has started.
 * Says on standard error which it was.
 */
#include "launch.h"

#define KNOWN_MAX 256

static HWND known[KNOWN_MAX];
static size_t known_count;

static bool is_known(HWND window)
{
    for (size_t i = 0; i < known_count; i++) {
        if (known[i] == window) {
            return true;
        }
    }
    return false;
}

static HWND find(const char *class_name, HWND after)
{
    return FindWindowExA(NULL, after, class_name, NULL);
}

/* Until there is one, or nobody is left to make one; NULL: none came. */
static HWND wait_window(const char *class_name, DWORD ms, HANDLE process)
{
    DWORD from = GetTickCount();

    do {
        for (HWND w = NULL; (w = find(class_name, w)) != NULL;) {
            if (IsWindowVisible(w) && !is_known(w)) {
                return w;
            }
        }
        if (process != NULL &&
            WaitForSingleObject(process, 10) == WAIT_OBJECT_0) {
            return NULL;
        }
        Sleep(process == NULL ? 10 : 0);
    } while (GetTickCount() - from < ms);
    return NULL;
}

int main(int argc, char **argv)
{
    PROCESS_INFORMATION made = { 0 };
    HWND window = NULL;
    HANDLE job = NULL;

    target_begin();
    if (argc < 3) {
        fprintf(stderr, "see the head of closer.c\n");
        return 2;
    }
    if (argc > 3) {
        while (known_count < KNOWN_MAX &&
               (window = find(argv[1], window)) != NULL) {
            known[known_count++] = window;
        }
        made = launch_suspended(launch_tail(3), NULL, NULL);
        /* All that it starts ends with it, if it has to be ended. */
        job = CreateJobObjectA(NULL, NULL);
        AssignProcessToJobObject(job, made.hProcess);
        ResumeThread(made.hThread);
    }
    window = wait_window(argv[1], (DWORD)number_arg(argc, argv, 2, 0),
                         made.hProcess);
    if (window != NULL) {
        PostMessageA(window, WM_CLOSE, 0, 0);
    }
    fprintf(stderr, "closer: %s\n",
            window != NULL ? "closed a window" : "no window came");
    if (made.hProcess == NULL) {
        return window == NULL;
    }
    if (window == NULL) {
        TerminateJobObject(job, 1);
    }
    return (int)launch_status(made);
}
