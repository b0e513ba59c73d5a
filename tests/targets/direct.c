/* SPDX-License-Identifier: MIT */
/*
 * direct - system calls the program makes itself, through private copies of
 * ntdll's functions: flagged, named, with the first argument and those on the
 * stack; arguments 2 to 4 are nowhere to be found.
 */
#include "stub.h"

#define ROUNDS 20
/* Two copies in one allocation, not at its start. */
#define CLOSE_AT 0x40
#define QUERY_AT 0x80

int main(void)
{
    struct stub close_stub, query_stub;
    DWORD tid = GetCurrentThreadId(), old;
    NTSTATUS(NTAPI * close_copy)(HANDLE);
    NTSTATUS(NTAPI * query_copy)
    (HANDLE, const void *, int, void *, SIZE_T, SIZE_T *);
    HANDLE handle[ROUNDS];
    uint8_t *code;

    target_begin();
    if (!stub_read("NtClose", &close_stub) ||
        !stub_read("NtQueryVirtualMemory", &query_stub)) {
        return 2;
    }
    code = VirtualAlloc(NULL, 0x1000, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    memcpy(code + CLOSE_AT, close_stub.bytes, STUB_SIZE);
    memcpy(code + QUERY_AT, query_stub.bytes, STUB_SIZE);
    VirtualProtect(code, 0x1000, PAGE_EXECUTE_READ, &old);
    *(void **)&close_copy = code + CLOSE_AT;
    *(void **)&query_copy = code + QUERY_AT;

    for (size_t i = 0; i < ROUNDS; i++) {
        DWORD flags;

        handle[i] = CreateEventA(NULL, TRUE, FALSE, NULL);
        CHECK(mark(i + 1));
        CHECK(close_copy(handle[i]) == STATUS_OK);
        CHECK(!GetHandleInformation(handle[i], &flags));
        CHECK(query_copy(THIS_PROCESS, NULL, 0, mark_room, MARK_LENGTH, NULL) ==
              STATUS_LENGTH);
    }

    for (size_t i = 0; i < ROUNDS; i++) {
        expect_mark("SEQ", tid, i + 1);
        expect("NEXT", tid,
               "NtClose(0x%llx) = 0 (DIRECT: private 0x%llx"
               "+0x%x)",
               u64_of(handle[i]), u64_of(code),
               CLOSE_AT + (unsigned)close_stub.after);
        expect("SEQ", tid,
               "NtQueryVirtualMemory(0xffffffffffffffff, ?, ?, ?, %d, 0)"
               " = 0xc0000004 STATUS_INFO_LENGTH_MISMATCH (DIRECT: private"
               " 0x%llx+0x%x)",
               MARK_LENGTH, u64_of(code),
               QUERY_AT + (unsigned)query_stub.after);
    }
    expect_all("COUNT", "%d *DIRECT: *", 2 * ROUNDS);
    return target_end();
}
