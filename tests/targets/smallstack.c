/* SPDX-License-Identifier: MIT */
/*
 * smallstack - calls made on a stack that the TEB does not know, as programs
 * do that switch RSP by themselves, with little room left above a page that
 * is not there. What the tracer copies must not need more than that: where
 * there may be too little, it copies nothing.
 */
#define DECODED
#include "nt.h"

/* docs/visibility.md says what a captured call needs. */
#define LEAST 896

NTSTATUS open_on(void *top, HANDLE *event, ACCESS_MASK access,
                 const struct nt_attributes *attributes);

__asm__(".globl open_on\n"
        "open_on:\n"
        "push %rbx\n"
        "mov %rsp, %rbx\n"
        "mov %rcx, %rsp\n"
        "sub $0x20, %rsp\n"
        "mov %rdx, %rcx\n"
        "mov %r8, %rdx\n"
        "mov %r9, %r8\n"
        "call NtOpenEvent\n"
        "mov %rbx, %rsp\n"
        "pop %rbx\n"
        "ret\n");

int main(void)
{
    char *stack =
        VirtualAlloc(NULL, 0x10000, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    struct nt_name name = NT_NAME(L"\\BaseNamedObjects\\ntstrace none");
    struct nt_attributes attributes = NT_ATTRIBUTES(&name);
    DWORD tid = GetCurrentThreadId(), old;
    HANDLE event;
    unsigned right = 0, calls = 0;

    target_begin();
    CHECK(VirtualProtect(stack, 0x1000, PAGE_NOACCESS, &old));
    for (size_t left = LEAST; left < 0x4000; left += 48, calls++) {
        char *top = stack + 0x1000 + ((left + 0x28 + 15) & ~(size_t)15);

        right += open_on(top, &event, SYNCHRONIZE, &attributes) ==
                 (NTSTATUS)0xc0000034;
    }
    printf("%u of %u right\n", right, calls);
    CHECK(right == calls);
    expect("COUNT", tid,
           "%u NtOpenEvent(*, DesiredAccess=SYNCHRONIZE, "
           "ObjectAttributes=*) = 0xc0000034 STATUS_OBJECT_NAME_NOT_FOUND",
           calls);
    /* Far from the end of a page the name is there. */
    expect("SEQ", tid,
           "NtOpenEvent(*, DesiredAccess=SYNCHRONIZE, "
           "ObjectAttributes={ObjectName=\"\\BaseNamedObjects\\ntstrace "
           "none\", Attributes=0}) = 0xc0000034 STATUS_OBJECT_NAME_NOT_FOUND");
    expect_all("NOT", "--- EXCEPTION *");
    return target_end();
}
