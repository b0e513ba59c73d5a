/* SPDX-License-Identifier: MIT */
/*
 * kill_target MS COMMAND... - runs a tracer with pipe_account as its target
 * (or that alone), ends the target by TerminateProcess with status 0x55 after
 * MS milliseconds, and expects all that it had told to be done in the trace.
 * Prints expectations as a target does. Exit status 0 if it could, and if the
 * command's status was 0x55 too.
 */
#include "launch.h"

#define STATUS 0x55

static HANDLE out;
static uint64_t told;  // calls that are over, by the target's own account

static uint64_t next_word(void)
{
    uint64_t word = 0;
    DWORD have = 0, got;

    while (have < sizeof word) {
        if (!ReadFile(out, (char *)&word + have, sizeof word - have, &got,
                      NULL) ||
            got == 0) {
            return UINT64_MAX;
        }
        have += got;
    }
    return word;
}

static DWORD WINAPI read_account(void *unused)
{
    uint64_t n;

    (void)unused;
    while ((n = next_word()) != UINT64_MAX) {
        told = n;
    }
    return 0;
}

int main(int argc, char **argv)
{
    DWORD ms = (DWORD)number_arg(argc, argv, 1, 300);
    PROCESS_INFORMATION child;
    HANDLE out_end, target, reader;
    uint64_t pid, tid, room;

    target_begin();
    launch_pipe(&out, &out_end);
    child = launch(launch_tail(2), out_end, NULL);
    CloseHandle(out_end);
    pid = next_word();
    tid = next_word();
    room = next_word();
    reader = CreateThread(NULL, 0, read_account, NULL, 0, NULL);
    Sleep(ms);
    target = OpenProcess(PROCESS_TERMINATE, FALSE, (DWORD)pid);
    CHECK(target != NULL);
    CHECK(TerminateProcess(target, STATUS));
    CloseHandle(target);
    WaitForSingleObject(reader, INFINITE);
    CHECK(told > 0);

    printf("EXPECT COUNTER %llu.%llu 0x10000000 %llu+ NtQueryVirtualMemory("
           "0xffffffffffffffff, @, 0, 0x%llx, %d, 0) = 0xc0000004"
           " STATUS_INFO_LENGTH_MISMATCH\n",
           (unsigned long long)pid, (unsigned long long)tid,
           (unsigned long long)told, (unsigned long long)room, MARK_LENGTH);
    printf("EXPECT LAST %llu +++ ended with %d +++\n", (unsigned long long)pid,
           STATUS);
    CHECK(launch_status(child) == STATUS);
    return target_bad != 0;
}
