/* SPDX-License-Identifier: MIT */
/*
 * second - maps ntdll.dll a second time, as an image, and makes calls through
 * its functions: they are direct ones, from a place that is not taken for the
 * first ntdll.dll.
 */
#include "stub.h"

int main(void)
{
    DWORD tid = GetCurrentThreadId();
    uint8_t *first = (uint8_t *)GetModuleHandleA("ntdll.dll");
    NTSTATUS(NTAPI * close_second)(HANDLE);
    struct stub stub;
    wchar_t path[MAX_PATH];
    HANDLE file, section, event;
    uint8_t *second;

    target_begin();
    if (!stub_read("NtClose", &stub)) {
        return 2;
    }
    GetModuleFileNameW((HMODULE)first, path, MAX_PATH);
    file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING,
                       0, NULL);
    section =
        CreateFileMappingA(file, NULL, PAGE_READONLY | SEC_IMAGE, 0, 0, NULL);
    second = MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0);
    CHECK(second != NULL && second != first);
    if (target_bad != 0) {
        return 2;
    }
    *(void **)&close_second = second + (stub.mapped - first);
    /* `@` is a number to the comparer. */
    event = CreateEventA(NULL, TRUE, FALSE, NULL);
    CHECK(close_second(event) == STATUS_OK);
    expect("SEQ", tid, "NtClose(0x%llx) = 0 (DIRECT: ntdll.dll*0x%llx+0x%llx)",
           u64_of(event), u64_of(second),
           u64_of(stub.mapped) - u64_of(first) + stub.after);
    expect("NOT", tid, "*(DIRECT: ntdll.dll+*");
    UnmapViewOfFile(second);
    CloseHandle(section);
    CloseHandle(file);
    return target_end();
}
