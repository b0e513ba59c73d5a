/* SPDX-License-Identifier: MIT */
/*
 * second_stubs - calls through second stubs, which no export leads to, as ntdll has
 * them since Windows 11: they are calls like those through the exported one,
 * with arguments, and no DIRECT ones.
 *
 * The module that has them is made here: a DLL that says of itself that it is
 * win32u.dll, with one function of a number that no system has, its second
 * stub below it, and another one in a section of its own. That one is left
 * alone: its calls have no arguments, and nothing else is wrong with them. The
 * module lies near ntdll; with the argument `far` where no jump of the tracer's
 * could reach: then all are left alone.
 */
#include "stub.h"

#define NO_SERVICE 0xfffu
#define STUB_EXPORTED 0x1080u
#define STUB_BELOW 0x1040u
#define STUB_AFAR 0x3020u
#define EXPORTS 0x4000u
#define IMAGE_SIZE 0x5000u

#define FILE_SIZE 0xa00u
#define PE 0x80u
#define HEADER (PE + 24)
#define SECTIONS (HEADER + 240)

typedef NTSTATUS service(uint64_t a, uint64_t b, uint64_t c, uint64_t d);

static uint8_t dll[FILE_SIZE];

static void put(size_t at, uint64_t value, size_t size)
{
    memcpy(dll + at, &value, size);
}

/* Section i, of 200h bytes in the file; where its contents go there. */
static size_t put_section(size_t i, const char *name, uint32_t rva,
                          uint32_t size, uint32_t flags)
{
    size_t at = SECTIONS + 40 * i;
    size_t in_file = 0x400 + 0x200 * i;

    memcpy(dll + at, name, strlen(name));
    put(at + 8, size, 4);
    put(at + 12, rva, 4);
    put(at + 16, 0x200, 4);
    put(at + 20, in_file, 4);
    put(at + 36, flags, 4);
    return in_file;
}

/* A free place for the DLL, at most 256 MiB below ntdll. */
static uint64_t free_place(void)
{
    uint64_t at = u64_of(GetModuleHandleA("ntdll.dll"));

    for (int i = 0; i < 15; i++) {
        MEMORY_BASIC_INFORMATION m;

        at -= 0x1000000;
        if (VirtualQuery((void *)(uintptr_t)at, &m, sizeof m) == sizeof m &&
            m.State == MEM_FREE && m.RegionSize >= IMAGE_SIZE) {
            break;
        }
    }
    return at;
}

static void make_dll(const uint8_t *stub, uint64_t base)
{
    const uint32_t code = 0x60000020, data = 0x40000040;
    size_t text, more, exports;

    put(0, 0x5a4d, 2);
    put(0x3c, PE, 4);
    put(PE, 0x4550, 4);
    put(PE + 4, 0x8664, 2);  // for x64
    put(PE + 6, 3, 2);       // sections
    put(PE + 20, 240, 2);
    put(PE + 22, 0x2022, 2);  // a DLL
    put(HEADER, 0x20b, 2);
    put(HEADER + 24, base, 8);
    put(HEADER + 32, 0x1000, 4);
    put(HEADER + 36, 0x200, 4);
    put(HEADER + 40, 6, 2);  // Windows 6.0
    put(HEADER + 48, 6, 2);
    put(HEADER + 56, IMAGE_SIZE, 4);
    put(HEADER + 60, 0x400, 4);
    put(HEADER + 68, 3, 2);
    put(HEADER + 72, 0x100000, 8);
    put(HEADER + 80, 0x1000, 8);
    put(HEADER + 88, 0x100000, 8);
    put(HEADER + 96, 0x1000, 8);
    put(HEADER + 108, 16, 4);
    put(HEADER + 112, EXPORTS, 4);
    put(HEADER + 116, 0x200, 4);
    text = put_section(0, ".text", 0x1000, 0x2000, code);
    more = put_section(1, ".fothk", 0x3000, 0x1000, code);
    exports = put_section(2, ".rdata", EXPORTS, 0x1000, data);
    memcpy(dll + text + (STUB_EXPORTED - 0x1000), stub, STUB_SIZE);
    memcpy(dll + text + (STUB_BELOW - 0x1000), stub, STUB_SIZE);
    memcpy(dll + more + (STUB_AFAR - 0x3000), stub, STUB_SIZE);
    put(exports + 12, EXPORTS + 0x80, 4);
    put(exports + 16, 1, 4);
    put(exports + 20, 1, 4);
    put(exports + 24, 1, 4);
    put(exports + 28, EXPORTS + 0x40, 4);
    put(exports + 32, EXPORTS + 0x44, 4);
    put(exports + 36, EXPORTS + 0x48, 4);
    put(exports + 0x40, STUB_EXPORTED, 4);
    put(exports + 0x44, EXPORTS + 0x90, 4);
    memcpy(dll + exports + 0x80, "win32u.dll", 11);
    memcpy(dll + exports + 0x90, "NtSecond", 9);
}

/* In the directory for temporary files; NULL: it cannot be loaded. */
static HMODULE load_dll(char *path)
{
    HANDLE file;
    DWORD wrote = 0;

    GetTempPathA(MAX_PATH, path);
    snprintf(path + strlen(path), MAX_PATH, "second%lu.dll",
             (unsigned long)GetCurrentProcessId());
    file = CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    WriteFile(file, dll, sizeof dll, &wrote, NULL);
    CloseHandle(file);
    return wrote == sizeof dll ? LoadLibraryA(path) : NULL;
}

int main(int argc, char **argv)
{
    static const uint32_t places[] = { STUB_EXPORTED, STUB_BELOW, STUB_AFAR };
    static char path[2 * MAX_PATH];
    DWORD tid = GetCurrentThreadId();
    NTSTATUS status[COUNT_OF(places)];
    bool is_far = argc > 1 && strcmp(argv[1], "far") == 0;
    uint32_t number = NO_SERVICE;
    struct stub stub;
    uint8_t *module;

    target_begin();
    if (!stub_read("NtYieldExecution", &stub)) {
        return 2;
    }
    memcpy(stub.bytes + 4, &number, sizeof number);
    make_dll(stub.bytes, is_far ? 0x3f0000000 : free_place());
    module = (uint8_t *)load_dll(path);
    if (module == NULL) {
        printf("the DLL cannot be loaded\n");
        return 3;
    }
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        service *call = (service *)(uintptr_t)(module + places[i]);

        CHECK(mark(i + 1));
        status[i] = call(0x1111, 0x2222, 0x3333, i);
        CHECK(status[i] < 0);
    }
    FreeLibrary((HMODULE)module);
    DeleteFileA(path);

    for (size_t i = 0; i < COUNT_OF(places); i++) {
        expect_mark("SEQ", tid, i + 1);
        if (is_far || places[i] == STUB_AFAR) {
            expect("NEXT", tid, "NtSecond(?) = 0x%lx",
                   (unsigned long)status[i]);
            continue;
        }
        expect("NEXT", tid,
               "NtSecond(0x1111, 0x2222, 0x3333, 0x%x, ...) = 0x%lx",
               (unsigned)i, (unsigned long)status[i]);
    }
    expect_all("NOT", "*DIRECT: *");
    return target_end();
}
