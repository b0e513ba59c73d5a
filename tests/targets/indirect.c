/* SPDX-License-Identifier: MIT */
/*
 * indirect - a call that enters another function's stub behind its head:
 * NtClose's number in EAX, its handle in R10, and a jump into
 * NtYieldExecution. The handle is really closed, and that is what the trace
 * must say, with INDIRECT.
 */
#include "stub.h"

#define ROUNDS 20

/* mov r10,handle; mov eax,number; jmp address. */
NTSTATUS enter_at(HANDLE handle, uint32_t number, const void *address);

__asm__(".text\n"
        ".globl enter_at\n"
        "enter_at:\n\t"
        "movq %rcx, %r10\n\t"
        "movl %edx, %eax\n\t"
        "jmp *%r8\n");

int main(void)
{
    struct stub close_stub, yield_stub;
    DWORD tid = GetCurrentThreadId();
    HANDLE handle[ROUNDS];

    target_begin();
    if (!stub_read("NtClose", &close_stub) ||
        !stub_read("NtYieldExecution", &yield_stub)) {
        return 2;
    }
    for (size_t i = 0; i < ROUNDS; i++) {
        DWORD flags;

        handle[i] = CreateEventA(NULL, TRUE, FALSE, NULL);
        CHECK(mark(i + 1));
        CHECK(enter_at(handle[i], close_stub.number,
                       yield_stub.mapped + STUB_HEAD) == STATUS_OK);
        CHECK(!GetHandleInformation(handle[i], &flags));
    }

    for (size_t i = 0; i < ROUNDS; i++) {
        expect_mark("SEQ", tid, i + 1);
        expect("NEXT", tid,
               "NtClose(0x%llx) = 0 (INDIRECT: NtYieldExecution"
               "+0x%x from indirect.exe+0x*)",
               u64_of(handle[i]), (unsigned)yield_stub.after);
    }
    expect_all("COUNT", "%d *INDIRECT: *", ROUNDS);
    expect_all("NOT", "NtYieldExecution(*");
    return target_end();
}
