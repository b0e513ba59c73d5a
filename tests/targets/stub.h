/* SPDX-License-Identifier: MIT */
/*
 * stub.h - for direct and indirect: the bytes of one of ntdll's system call
 * functions as they are in the file, whatever a tracer did to the mapped
 * ones.
 */
#ifndef STUB_H
#define STUB_H

#include "target.h"

#define STUB_SIZE 0x20
/* mov r10,rcx; mov eax,NUMBER: what a tracer's jump overwrites. */
#define STUB_HEAD 8

struct stub {
    uint8_t bytes[STUB_SIZE];
    uint8_t *mapped;  // where the function is in this process
    uint32_t number;  // service number
    uint32_t after;   // offset where the kernel returns to
};

/* The file offset of what is mapped at `rva` of the module, 0 if nowhere. */
static inline uint32_t stub_file_offset(const uint8_t *module, uint32_t rva)
{
    const IMAGE_DOS_HEADER *dos = (const IMAGE_DOS_HEADER *)module;
    const IMAGE_NT_HEADERS *nt =
        (const IMAGE_NT_HEADERS *)(module + dos->e_lfanew);
    const IMAGE_SECTION_HEADER *s = IMAGE_FIRST_SECTION(nt);

    for (unsigned i = 0; i < nt->FileHeader.NumberOfSections; i++, s++) {
        if (rva >= s->VirtualAddress &&
            rva - s->VirtualAddress + STUB_SIZE <= s->SizeOfRawData) {
            return rva - s->VirtualAddress + s->PointerToRawData;
        }
    }
    return 0;
}

/* False, with a line that says why, if the file does not tell. */
static inline bool stub_read(const char *name, struct stub *stub)
{
    HMODULE ntdll = GetModuleHandleA("ntdll.dll");
    wchar_t path[MAX_PATH];
    uint32_t offset;
    DWORD got = 0;
    HANDLE file;

    stub->mapped = (uint8_t *)(uintptr_t)GetProcAddress(ntdll, name);
    if (stub->mapped == NULL) {
        printf("no %s\n", name);
        return false;
    }
    offset = stub_file_offset((uint8_t *)ntdll,
                              (uint32_t)(stub->mapped - (uint8_t *)ntdll));
    GetModuleFileNameW(ntdll, path, MAX_PATH);
    file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING,
                       0, NULL);
    SetFilePointer(file, (LONG)offset, NULL, FILE_BEGIN);
    ReadFile(file, stub->bytes, STUB_SIZE, &got, NULL);
    CloseHandle(file);
    if (offset == 0 || got != STUB_SIZE ||
        memcmp(stub->bytes, "\x4c\x8b\xd1\xb8", 4) != 0) {
        printf("%s is no stub of a known form\n", name);
        return false;
    }
    memcpy(&stub->number, stub->bytes + 4, sizeof stub->number);
    /* syscall; ret. The thread's other way, `int 2e`, is taken where this
     * bit of the shared page says so; some systems that are not Windows set
     * the bit and say +14h all the same. */
    stub->after = 0x14;
    return memcmp(stub->bytes + 0x12, "\x0f\x05\xc3", 3) == 0;
}

#endif
