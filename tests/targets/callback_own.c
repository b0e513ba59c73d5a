/* SPDX-License-Identifier: MIT */
/*
 * callback_own - takes the instrumentation callback for itself and counts what
 * it hears of: its own system calls, and none of anybody else's, however much
 * there is to be read for the trace.
 */
#define DECODED
#include "nt.h"

NTSYSAPI NTSTATUS NTAPI NtSetInformationProcess(HANDLE, int, void *, ULONG);

#define INSTRUMENTATION 40 /* ProcessInstrumentationCallback */
#define CALLS 50

volatile uint32_t heard;
void own_callback(void);

/* Keeps every register and the flags. */
__asm__(".globl own_callback\n"
        "own_callback:\n"
        "    push %rax\n"
        "    mov heard(%rip), %eax\n"
        "    lea 1(%rax), %eax\n"
        "    mov %eax, heard(%rip)\n"
        "    pop %rax\n"
        "    jmp *%r10\n");

int main(void)
{
    struct {
        ULONG version, reserved;
        void *callback;
    } own = { 0, 0, (void *)(uintptr_t)own_callback }, none = { 0, 0, NULL };
    /* Away from the stack: to be read through the kernel, or not at all. */
    struct {
        struct nt_attributes attributes;
        struct nt_name name;
        wchar_t text[64];
    } *away = VirtualAlloc(NULL, 0x10000, MEM_COMMIT, PAGE_READWRITE);
    DWORD tid = GetCurrentThreadId();
    HANDLE event;
    uint32_t count;
    int right = 0;

    target_begin();
    wcscpy(away->text, L"\\BaseNamedObjects\\ntstrace none");
    away->name.length = (USHORT)(2 * wcslen(away->text));
    away->name.room = sizeof away->text;
    away->name.text = away->text;
    away->attributes = (struct nt_attributes)NT_ATTRIBUTES(&away->name);
    CHECK(NtSetInformationProcess(THIS_PROCESS, INSTRUMENTATION, &own,
                                  sizeof own) == 0);
    heard = 0;
    for (int i = 0; i < CALLS; i++) {
        right += NtOpenEvent(&event, SYNCHRONIZE, &away->attributes) ==
                 (NTSTATUS)0xc0000034;
    }
    count = heard;
    CHECK(NtSetInformationProcess(THIS_PROCESS, INSTRUMENTATION, &none,
                                  sizeof none) == 0);
    CHECK(right == CALLS);
    CHECK(count == CALLS);
    printf("%d right, %u heard of\n", right, (unsigned)count);

    expect("SEQ", tid,
           "NtSetInformationProcess(ProcessHandle=NtCurrentProcess, "
           "ProcessInformationClass=ProcessInstrumentationCallback, *) = ?");
    expect("SEQ", tid,
           "NtOpenEvent(EventHandle=*, DesiredAccess=SYNCHRONIZE, "
           "ObjectAttributes=0x%llx) = ?",
           (unsigned long long)(uintptr_t)&away->attributes);
    expect("COUNT", tid, "%d *NtOpenEvent*) = ?", CALLS);
    expect_all("COUNT", "1 +++ callback lost +++");
    expect_last(target_bad != 0 ? "+++ exited with 1 +++"
                                : "+++ exited with 0 +++");
    tell_expected();
    return target_bad != 0;
}
