/* SPDX-License-Identifier: MIT */
/*
 * process [CHILD] - making processes and threads, and what is passed in lists
 * and structures on the way: parameters and attributes of a new process, a
 * thread's start, an exception raised by hand, a token, a pipe and its FSCTLs.
 *
 * With an argument it is its own child and ends with 9.
 */
#define DECODED
#include "nt.h"

NTSYSAPI NTSTATUS NTAPI NtOpenProcessToken(HANDLE, ACCESS_MASK, HANDLE *);
NTSYSAPI NTSTATUS NTAPI NtQueryInformationToken(HANDLE, int, void *, ULONG,
                                                ULONG *);
NTSYSAPI NTSTATUS NTAPI NtQueryInformationProcess(HANDLE, int, void *, ULONG,
                                                  ULONG *);
NTSYSAPI NTSTATUS NTAPI NtFsControlFile(HANDLE, HANDLE, void *, void *,
                                        struct nt_iosb *, ULONG, const void *,
                                        ULONG, void *, ULONG);

static unsigned long pid;

static void child(DWORD tid)
{
    STARTUPINFOA start = { .cb = sizeof start };
    PROCESS_INFORMATION made;
    char self[MAX_PATH], line[MAX_PATH + 40];
    DWORD code = 0;

    GetModuleFileNameA(NULL, self, sizeof self);
    snprintf(line, sizeof line, "\"%s\" a child", self);
    CHECK(CreateProcessA(self, line, NULL, NULL, FALSE, CREATE_SUSPENDED, NULL,
                         NULL, &start, &made));
    ResumeThread(made.hThread);
    NtWaitForSingleObject(made.hProcess, FALSE, NULL);
    CHECK(GetExitCodeProcess(made.hProcess, &code) && code == 9);
    expect("SEQ", tid,
           "NtCreateUserProcess(ProcessHandle=[0x%llx], ThreadHandle=[0x%llx], "
           "ProcessDesiredAccess=*, ThreadDesiredAccess=*, "
           "ProcessObjectAttributes=*, ThreadObjectAttributes=*, "
           "ProcessFlags=*, ThreadFlags=*, "
           "ProcessParameters={ImagePathName=\"*process.exe\", "
           "CommandLine=\"^\"*process.exe^\" a child\"*}, CreateInfo=*, "
           "AttributeList=[*{Attribute=PS_ATTRIBUTE_IMAGE_NAME, "
           "Value=\"\\??\\*process.exe\"}*{Attribute=PS_ATTRIBUTE_CLIENT_ID, "
           "Value=[{UniqueProcess=%lu, UniqueThread=%lu}]}*]) = 0",
           u64_of(made.hProcess), u64_of(made.hThread),
           (unsigned long)made.dwProcessId, (unsigned long)made.dwThreadId);
    expect("SEQ", tid,
           "NtResumeThread(ThreadHandle=0x%llx<%lu.%lu>, "
           "PreviousSuspendCount=[1]) = 0",
           u64_of(made.hThread), (unsigned long)made.dwProcessId,
           (unsigned long)made.dwThreadId);
    expect("SEQ", tid,
           "NtWaitForSingleObject(Handle=0x%llx<%lu process.exe>, "
           "Alertable=FALSE, Timeout=NULL) = 0",
           u64_of(made.hProcess), (unsigned long)made.dwProcessId);
    expect("SEQ", tid,
           "NtQueryInformationProcess(ProcessHandle=0x%llx<%lu process.exe>, "
           "ProcessInformationClass=ProcessBasicInformation, "
           "ProcessInformation={ExitStatus=*9*, PebBaseAddress=@, "
           "AffinityMask=*, BasePriority=*, UniqueProcessId=%lu, "
           "InheritedFromUniqueProcessId=%lu}, ProcessInformationLength=48, "
           "ReturnLength=*) = 0",
           u64_of(made.hProcess), (unsigned long)made.dwProcessId,
           (unsigned long)made.dwProcessId, pid);
    CloseHandle(made.hThread);
    CloseHandle(made.hProcess);
}

static DWORD WINAPI end_with_4(void *unused)
{
    (void)unused;
    return 4;
}

static void thread(DWORD tid)
{
    DWORD other = 0;
    HANDLE made = start_thread(end_with_4, 0x1234, &other);

    NtWaitForSingleObject(made, FALSE, NULL);
    expect("SEQ", tid,
           "NtCreateThreadEx(ThreadHandle=[0x%llx], DesiredAccess=*, "
           "ObjectAttributes=*, ProcessHandle=NtCurrentProcess, "
           "StartRoutine=*+@, Argument=*, CreateFlags=*, ZeroBits=*, "
           "StackSize=*, MaximumStackSize=*, "
           "AttributeList=[*{Attribute=PS_ATTRIBUTE_CLIENT_ID, "
           "Value=[{UniqueProcess=%lu, UniqueThread=%lu}]}*]) = 0",
           u64_of(made), pid, (unsigned long)other);
    expect("SEQ", tid, "NtWaitForSingleObject(Handle=0x%llx<%lu.%lu>, *) = 0",
           u64_of(made), pid, (unsigned long)other);
    expect("SEQ", other, "NtTerminateThread(ThreadHandle=*, ExitStatus=4) = ?");
    CloseHandle(made);
}

static LONG WINAPI go_on(EXCEPTION_POINTERS *p)
{
    return p->ExceptionRecord->ExceptionCode == 0xe0001234
               ? EXCEPTION_CONTINUE_EXECUTION
               : EXCEPTION_CONTINUE_SEARCH;
}

static void exception(DWORD tid)
{
    static CONTEXT context;
    EXCEPTION_RECORD record = {
        .ExceptionCode = 0xe0001234,
        .ExceptionAddress = (void *)(uintptr_t)NtClose,
        .NumberParameters = 2,
        .ExceptionInformation = { 0x11, 0x22 },
    };
    void *handler = AddVectoredExceptionHandler(1, go_on);
    int volatile raised = 0;

    RtlCaptureContext(&context);
    if (raised++ == 0) {
        NtRaiseException(&record, &context, TRUE);
    }
    RemoveVectoredExceptionHandler(handler);
    expect("SEQ", tid,
           "NtRaiseException(ExceptionRecord={ExceptionCode=0xe0001234, "
           "ExceptionFlags=0, *ExceptionAddress=ntdll.dll+@, "
           "*ExceptionInformation=[0x11, 0x22]}, "
           "ContextRecord={Rip=process.exe+@, Rsp=0x%llx}, "
           "FirstChance=TRUE) = ?",
           (unsigned long long)context.Rsp);
    expect("SEQ", tid, "--- EXCEPTION 0xe0001234 {Address=ntdll.dll+@} ---");
    expect("SEQ", tid,
           "NtContinue*(ContextRecord={Rip=process.exe+@, Rsp=0x%llx}, *) = ?",
           (unsigned long long)context.Rsp);
}

static void token(DWORD tid)
{
    HANDLE opened;
    ULONG elevated[2], got;

    CHECK(NtOpenProcessToken(THIS_PROCESS, TOKEN_QUERY, &opened) == 0);
    expect("SEQ", tid,
           "NtOpenProcessToken(ProcessHandle=NtCurrentProcess, "
           "DesiredAccess=TOKEN_QUERY, TokenHandle=[0x%llx]) = 0",
           u64_of(opened));
    CHECK(NtQueryInformationToken(opened, 20, elevated, sizeof elevated[0],
                                  &got) == 0);
    expect("NEXT", tid,
           "NtQueryInformationToken(TokenHandle=0x%llx<Token>, "
           "TokenInformationClass=TokenElevation, TokenInformation=*%lu*, "
           "TokenInformationLength=4, ReturnLength=[4]) = 0",
           u64_of(opened), (unsigned long)elevated[0]);
    CloseHandle(opened);
}

static void pipe(DWORD tid)
{
    struct {
        ULONG state, available, messages, length;
        char data[16];
    } peeked;
    struct nt_iosb iosb;
    HANDLE ends[2];
    DWORD did;

    CHECK(CreatePipe(&ends[0], &ends[1], NULL, 0));
    CHECK(WriteFile(ends[1], "abc", 3, &did, NULL));
    CHECK(NtFsControlFile(ends[0], NULL, NULL, NULL, &iosb, 0x11400c, NULL, 0,
                          &peeked, sizeof peeked) == 0);
    CHECK(peeked.available == 3);
    expect(
        "SEQ", tid,
        "NtWriteFile(FileHandle=0x%llx<*pipe*>, *Buffer=b\"abc\", Length=3, *"
        ") = 0",
        u64_of(ends[1]));
    expect("NEXT", tid,
           "NtFsControlFile(FileHandle=0x%llx<*pipe*>, *"
           "FsControlCode=FSCTL_PIPE_PEEK, InputBuffer=NULL, "
           "InputBufferLength=0, OutputBuffer={*ReadDataAvailable=3, *"
           "Data=b\"abc\"}, OutputBufferLength=32) = 0",
           u64_of(ends[0]));
    CloseHandle(ends[0]);
    CloseHandle(ends[1]);
}

int main(int argc, char **argv)
{
    DWORD tid = GetCurrentThreadId();

    (void)argv;
    if (argc > 1) {
        return 9;
    }
    target_begin();
    pid = GetCurrentProcessId();
    child(tid);
    thread(tid);
    exception(tid);
    token(tid);
    pipe(tid);
    return target_end();
}
