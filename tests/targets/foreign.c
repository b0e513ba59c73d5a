/* SPDX-License-Identifier: MIT */
/*
 * foreign [CHILD] - what belongs to another process: addresses of code are
 * addresses, and no places in this one, though something is there; and what a
 * debugger is told, which is one member of a union.
 *
 * With an argument it is its own child and ends with 9.
 */
#define DECODED
#include "nt.h"

static DWORD tid;

static void NTAPI own_apc(void *a, void *b, void *c)
{
    (void)a;
    (void)b;
    (void)c;
}

static PROCESS_INFORMATION make(DWORD flags)
{
    STARTUPINFOA start = { .cb = sizeof start };
    PROCESS_INFORMATION made = { 0 };
    char self[MAX_PATH], line[MAX_PATH + 40];

    GetModuleFileNameA(NULL, self, sizeof self);
    snprintf(line, sizeof line, "\"%s\" child", self);
    CHECK(CreateProcessA(self, line, NULL, NULL, FALSE, flags, NULL, NULL,
                         &start, &made));
    return made;
}

static void its_code(void)
{
    static CONTEXT context;
    PROCESS_INFORMATION child = make(CREATE_SUSPENDED);
    HANDLE thread;
    DWORD other;

    expect("SEQ", tid,
           "NtCreateUserProcess(*{Attribute=PS_ATTRIBUTE_IMAGE_INFO, "
           "Value=[{TransferAddress=0x*");
    thread = CreateRemoteThread(child.hProcess, NULL, 0,
                                (LPTHREAD_START_ROUTINE)(uintptr_t)make, NULL,
                                CREATE_SUSPENDED, &other);
    CHECK(thread != NULL);
    expect("SEQ", tid,
           "NtCreateThreadEx(*, ProcessHandle=0x%llx<%lu foreign.exe>, "
           "StartRoutine=0x%llx, *",
           u64_of(child.hProcess), (unsigned long)child.dwProcessId,
           (unsigned long long)(uintptr_t)make);
    CHECK(NtQueueApcThread(thread, (void *)(uintptr_t)make, NULL, NULL, NULL) ==
          0);
    expect("SEQ", tid, "NtQueueApcThread(*, ApcRoutine=0x%llx, *) = 0",
           (unsigned long long)(uintptr_t)make);
    context.ContextFlags = CONTEXT_FULL;
    CHECK(GetThreadContext(child.hThread, &context));
    expect("SEQ", tid,
           "NtGetContextThread(ThreadHandle=0x%llx<%lu.%lu>, "
           "ThreadContext={Rip=0x%llx, Rsp=0x%llx}) = 0",
           u64_of(child.hThread), (unsigned long)child.dwProcessId,
           (unsigned long)child.dwThreadId, (unsigned long long)context.Rip,
           (unsigned long long)context.Rsp);
    CHECK(NtQueueApcThread(THIS_THREAD, (void *)(uintptr_t)own_apc, NULL, NULL,
                           NULL) == 0);
    expect("SEQ", tid,
           "NtQueueApcThread(ThreadHandle=NtCurrentThread, "
           "ApcRoutine=foreign.exe+@, *) = 0");
    SleepEx(0, TRUE);
    TerminateProcess(child.hProcess, 0);
    WaitForSingleObject(child.hProcess, INFINITE);
}

static void its_events(void)
{
    PROCESS_INFORMATION child = make(DEBUG_ONLY_THIS_PROCESS);
    DEBUG_EVENT event;
    DWORD code = 0;

    do {
        if (!WaitForDebugEvent(&event, 60000)) {
            CHECK(false);
            break;
        }
        if (event.dwDebugEventCode == CREATE_PROCESS_DEBUG_EVENT) {
            CloseHandle(event.u.CreateProcessInfo.hFile);
            expect("SEQ", tid,
                   "NtWaitForDebugEvent(*, WaitStateChange={"
                   "NewState=DbgCreateProcessStateChange, "
                   "AppClientId={UniqueProcess=%lu, UniqueThread=%lu}, "
                   "CreateProcessInfo={HandleToProcess=0x%llx*, "
                   "HandleToThread=0x%llx*, NewProcess={SubSystemKey=*, "
                   "FileHandle=*, BaseOfImage=0x*, DebugInfoFileOffset=*, "
                   "DebugInfoSize=*, InitialThread={SubSystemKey=*, "
                   "StartAddress=0x*}}}}) = 0",
                   (unsigned long)child.dwProcessId,
                   (unsigned long)child.dwThreadId,
                   u64_of(event.u.CreateProcessInfo.hProcess),
                   u64_of(event.u.CreateProcessInfo.hThread));
        } else if (event.dwDebugEventCode == EXIT_PROCESS_DEBUG_EVENT) {
            code = event.u.ExitProcess.dwExitCode;
        }
        ContinueDebugEvent(event.dwProcessId, event.dwThreadId, DBG_CONTINUE);
    } while (event.dwDebugEventCode != EXIT_PROCESS_DEBUG_EVENT);
    CHECK(code == 9);
    expect("SEQ", tid,
           "NtWaitForDebugEvent(*, WaitStateChange={"
           "NewState=DbgExitProcessStateChange, "
           "AppClientId={UniqueProcess=%lu, UniqueThread=*}, "
           "ExitProcess={ExitStatus=9}}) = 0",
           (unsigned long)child.dwProcessId);
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        return 9;
    }
    tid = GetCurrentThreadId();
    target_begin();
    its_code();
    its_events();
    return target_end();
}
