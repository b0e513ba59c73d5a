/* SPDX-License-Identifier: MIT */
/*
 * faked - an indirect call, as in `indirect`, whose return is made to look like that
 * of a call which the thread was in when its functions were bent: what a kernel
 * leaves of such a call, a frame, lies on its stack while a tracer with --repatch
 * bends them again. It is INDIRECT all the same, and a call that the thread really
 * is in is not.
 */
#define DECODED
#include "stub.h"

#define WAIT_MS 20000
#define WORDS 600
#define FRAME_AT 10
#define STACK_AT 500

/* With RSP, below which the return address goes, and what it was put back after. */
NTSTATUS enter_on(HANDLE handle, uint32_t number, const void *address,
                  uint64_t rsp);

__asm__(".text\n"
        ".globl enter_on\n"
        "enter_on:\n\t"
        "pushq %rbx\n\t"
        "movq %rsp, %rbx\n\t"
        "movq %r9, %rsp\n\t"
        "movq %rcx, %r10\n\t"
        "movl %edx, %eax\n\t"
        "call *%r8\n\t"
        "movq %rbx, %rsp\n\t"
        "popq %rbx\n\t"
        "ret\n");

NTSYSAPI NTSTATUS NTAPI NtTestAlert(void);

/* Puts the head of a function back that is bent, makes the call by which that is
 * seen, and waits until it is bent again. */
static __attribute__((noinline)) bool is_bent_again(const struct stub *s)
{
    volatile uint8_t *head = s->mapped;
    uint8_t was[5] = { 0xb8 };
    DWORD old, since = GetTickCount();

    if (head[3] != 0xe9) {
        return false;
    }
    memcpy(was + 1, &s->number, 4);
    VirtualProtect(s->mapped, 32, PAGE_EXECUTE_READWRITE, &old);
    for (int i = 0; i < 5; i++) {
        head[3 + i] = was[i];
    }
    while (head[3] != 0xe9 && GetTickCount() - since < WAIT_MS) {
        NtTestAlert();
        YieldProcessor();
    }
    return head[3] == 0xe9;
}

int main(void)
{
    struct stub close_stub, yield_stub, alert_stub;
    DWORD tid = GetCurrentThreadId(), flags;
    volatile uint64_t area[WORDS] = { 0 };
    uint64_t rsp;
    HANDLE handle = CreateEventA(NULL, TRUE, FALSE, NULL);
    bool again;

    target_begin();
    if (!stub_read("NtClose", &close_stub) ||
        !stub_read("NtYieldExecution", &yield_stub) ||
        !stub_read("NtTestAlert", &alert_stub)) {
        return 2;
    }
    rsp = (uint64_t)&area[STACK_AT] & ~(uint64_t)15;
    area[FRAME_AT] = (uint64_t)yield_stub.mapped + yield_stub.after;
    area[FRAME_AT + 1] = 0x33;
    area[FRAME_AT + 2] = 0x202;
    area[FRAME_AT + 3] = rsp - 8;
    area[FRAME_AT + 4] = 0x2b;
    again = is_bent_again(&alert_stub);
    CHECK(enter_on(handle, close_stub.number, yield_stub.mapped + STUB_HEAD,
                   rsp) == STATUS_OK);
    CHECK(!GetHandleInformation(handle, &flags));

    expect_all("COUNT", "%d *+++ patched again: 1 functions of ntdll.dll +++",
               again);
    expect("COUNT", tid,
           "1 NtClose(Handle=0x%llx*) = 0 (INDIRECT: NtYieldExecution+0x%x "
           "from *)",
           u64_of(handle), (unsigned)yield_stub.after);
    expect_all("COUNT", "1 *INDIRECT: *");
    tell_expected();
    return target_bad != 0;
}
