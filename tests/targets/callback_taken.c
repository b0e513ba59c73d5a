/* SPDX-License-Identifier: MIT */
/*
 * callback_taken - takes the instrumentation callback away, as a program does
 * that wants it for itself. The calls after that are still there, without
 * results; the trace says once why.
 */
#define DECODED
#include "nt.h"

NTSYSAPI NTSTATUS NTAPI NtSetInformationProcess(HANDLE, int, void *, ULONG);

#define INSTRUMENTATION 40 /* ProcessInstrumentationCallback */
#define CALLS 100

int main(void)
{
    struct {
        ULONG version, reserved;
        void *callback;
    } none = { 0, 0, NULL };
    struct nt_name name = NT_NAME(L"\\BaseNamedObjects\\ntstrace none");
    struct nt_attributes attributes = NT_ATTRIBUTES(&name);
    DWORD tid = GetCurrentThreadId();
    HANDLE event;
    int right = 0;

    target_begin();
    CHECK(NtSetInformationProcess(THIS_PROCESS, INSTRUMENTATION, &none,
                                  sizeof none) == 0);
    for (int i = 0; i < CALLS; i++) {
        right += NtOpenEvent(&event, SYNCHRONIZE, &attributes) ==
                 (NTSTATUS)0xc0000034;
    }
    CHECK(right == CALLS);
    printf("%d right\n", right);

    /* Without a result from here on; the notice splits one of the lines. */
    expect("SEQ", tid,
           "NtSetInformationProcess(ProcessHandle=NtCurrentProcess, "
           "ProcessInformationClass=ProcessInstrumentationCallback, *) = ?");
    expect("SEQ", tid,
           "NtOpenEvent(EventHandle=*, DesiredAccess=SYNCHRONIZE, "
           "ObjectAttributes={ObjectName=\"\\BaseNamedObjects\\ntstrace "
           "none\", Attributes=0}) = ?");
    expect("COUNT", tid, "%d *NtOpenEvent*) = ?", CALLS);
    expect_all("COUNT", "1 +++ callback lost +++");
    expect("SEQ", tid,
           "NtTerminateProcess(ProcessHandle=NtCurrentProcess, ExitStatus=%d) "
           "= ?",
           target_bad != 0);
    expect_last(target_bad != 0 ? "+++ exited with 1 +++"
                                : "+++ exited with 0 +++");
    tell_expected();
    return target_bad != 0;
}
