/* SPDX-License-Identifier: MIT */
/*
 * debugger - debugs itself: the handles that debug events hand over have the
 * names of what they refer to, and are nobody's after they were closed.
 */
#define DECODED
#include "target.h"

int main(int argc, char **argv)
{
    DWORD tid = GetCurrentThreadId(), pid = 0, thread = 0, code = 99;
    STARTUPINFOA startup = { .cb = sizeof startup };
    PROCESS_INFORMATION child;
    char path[MAX_PATH], line[MAX_PATH + 16];
    bool ended = false;
    size_t dlls = 0;

    if (argc > 1) {
        return 5;
    }
    (void)argv;
    target_begin();
    GetModuleFileNameA(NULL, path, sizeof path);
    snprintf(line, sizeof line, "\"%s\" child", path);
    if (!CreateProcessA(path, line, NULL, NULL, FALSE, DEBUG_ONLY_THIS_PROCESS,
                        NULL, NULL, &startup, &child)) {
        printf("skipped: no debugging here: %lu\n", GetLastError());
        return target_end();
    }
    while (!ended) {
        DEBUG_EVENT event;
        char head[2] = "";
        SIZE_T got = 0;

        CHECK(WaitForDebugEvent(&event, 60000));
        if (target_bad != 0) {
            break;
        }
        switch (event.dwDebugEventCode) {
        case CREATE_PROCESS_DEBUG_EVENT:
            pid = event.dwProcessId;
            thread = event.dwThreadId;
            CHECK(ReadProcessMemory(event.u.CreateProcessInfo.hProcess,
                                    event.u.CreateProcessInfo.lpBaseOfImage,
                                    head, sizeof head, &got));
            CHECK(memcmp(head, "MZ", 2) == 0);
            CHECK(SuspendThread(event.u.CreateProcessInfo.hThread) == 0);
            CHECK(ResumeThread(event.u.CreateProcessInfo.hThread) == 1);
            CHECK(CloseHandle(event.u.CreateProcessInfo.hFile));
            expect("SEQ", tid,
                   "NtReadVirtualMemory(ProcessHandle=0x%llx<%lu "
                   "debugger.exe>, *Buffer=b\"MZ\"*) = 0",
                   u64_of(event.u.CreateProcessInfo.hProcess), pid);
            expect("SEQ", tid, "NtSuspendThread(ThreadHandle=0x%llx<%lu.%lu>*",
                   u64_of(event.u.CreateProcessInfo.hThread), pid, thread);
            expect("SEQ", tid, "NtClose(Handle=0x%llx<File>) = 0",
                   u64_of(event.u.CreateProcessInfo.hFile));
            break;
        case LOAD_DLL_DEBUG_EVENT:
            dlls++;
            if (event.u.LoadDll.hFile != NULL) {
                CHECK(CloseHandle(event.u.LoadDll.hFile));
                expect("SEQ", tid, "NtClose(Handle=0x%llx<File>) = 0",
                       u64_of(event.u.LoadDll.hFile));
            }
            break;
        case EXIT_PROCESS_DEBUG_EVENT:
            code = event.u.ExitProcess.dwExitCode;
            ended = true;
            break;
        default:
            break;
        }
        ContinueDebugEvent(event.dwProcessId, event.dwThreadId, DBG_CONTINUE);
    }
    CHECK(dlls > 0);
    CHECK(code == 5);
    printf("debugged\n");
    return target_end();
}
