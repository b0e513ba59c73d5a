/* SPDX-License-Identifier: MIT */
/*
 * parent [-t SECONDS] COMMAND... | @FILE - runs a command line exactly as it
 * stands behind our own words, or in a file (UTF-8, up to its end), and then
 * tells all 32 bits of its exit status, which not every system hands on:
 * `status 0x00000000`. With -t the command and all it started are ended after
 * that time (`status timeout`), or with us. No target itself; exit status 0
 * if the command ran to its end.
 */
#include "launch.h"

/* Changed in place by CreateProcess, never freed. */
static wchar_t *command_of_file(const wchar_t *path)
{
    static char bytes[1 << 16];
    static wchar_t command[1 << 16];
    FILE *f = _wfopen(path, L"rb");
    size_t size;

    if (f == NULL) {
        launch_fail("cannot read the command");
    }
    size = fread(bytes, 1, sizeof bytes - 1, f);
    fclose(f);
    size = (size_t)MultiByteToWideChar(CP_UTF8, 0, bytes, (int)size, command,
                                       (1 << 16) - 1);
    command[size] = 0;
    return command;
}

/* A job that ends with its last handle, ours, and takes all in it along. */
static HANDLE job_of(PROCESS_INFORMATION child)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = { 0 };
    HANDLE job = CreateJobObjectA(NULL, NULL);

    limits.BasicLimitInformation.LimitFlags =
        JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    if (job == NULL ||
        !SetInformationJobObject(job, JobObjectExtendedLimitInformation,
                                 &limits, sizeof limits) ||
        !AssignProcessToJobObject(job, child.hProcess)) {
        TerminateProcess(child.hProcess, 99);
        launch_fail("no job");
    }
    return job;
}

int main(int argc, char **argv)
{
    bool limited = argc > 3 && strcmp(argv[1], "-t") == 0;
    DWORD seconds = limited ? (DWORD)number_arg(argc, argv, 2, 60) : 0;
    wchar_t *command = launch_tail(limited ? 3 : 1);
    PROCESS_INFORMATION child;

    target_begin();
    if (*command == '@') {
        command = command_of_file(command + 1);
    }
    child = launch_suspended(command, NULL, NULL);
    if (limited) {
        HANDLE job = job_of(child);

        ResumeThread(child.hThread);
        if (WaitForSingleObject(child.hProcess, seconds * 1000) ==
            WAIT_TIMEOUT) {
            TerminateJobObject(job, 98);
            printf("status timeout\n");
            return 98;
        }
    } else {
        ResumeThread(child.hThread);
    }
    printf("status 0x%08lx\n", (unsigned long)launch_status(child));
    return 0;
}
