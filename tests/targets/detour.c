/* SPDX-License-Identifier: MIT */
/*
 * detour - NtSetInformationProcess of class 93, ProcessLoaderDetour, by which
 * the loader of some versions of Windows tells the kernel that its functions
 * were changed: made by this program it is the program's own call, and has no
 * mark; made from within ntdll, as the loader does, it is caused by ntstrace.
 * Other calls from there are not.
 *
 * A few instructions in the unused end of ntdll's header page, and of
 * kernel32's, are the callers.
 */
#include "target.h"

#define LOADER_DETOUR 93

typedef NTSTATUS set_process(HANDLE process, int what, void *info, ULONG size);

NTSYSAPI set_process NtSetInformationProcess;

/* From `code`: calls NtSetInformationProcess with the arguments it is given,
 * and returns what that returns. */
static const uint8_t caller[] = {
    0x48, 0x83, 0xec, 0x28,                    // sub  rsp, 28h
    0x48, 0xb8, 0,    0,    0, 0, 0, 0, 0, 0,  // mov  rax, function
    0xff, 0xd0,                                // call rax
    0x48, 0x83, 0xc4, 0x28,                    // add  rsp, 28h
    0xc3,                                      // ret
};

/* Puts it into the header page of a module, where nothing else is. */
static set_process *put_caller(const char *module)
{
    uint8_t *at = (uint8_t *)GetModuleHandleA(module) + 0x1000 - 64;
    void *function = (void *)(uintptr_t)NtSetInformationProcess;
    uint8_t code[sizeof caller];
    DWORD before;

    memcpy(code, caller, sizeof code);
    memcpy(code + 6, &function, sizeof function);
    if (!VirtualProtect(at, sizeof code, PAGE_EXECUTE_READWRITE, &before)) {
        ExitProcess(97);
    }
    for (size_t i = 0; i < sizeof code; i++) {
        if (at[i] != 0) {
            ExitProcess(96);
        }
        at[i] = code[i];
    }
    return (set_process *)(uintptr_t)at;
}

int main(void)
{
    DWORD tid = GetCurrentThreadId();
    ULONG mask[2] = { 0, 0 };
    NTSTATUS status[5];
    struct {
        set_process *from;
        ULONG size;
        const char *mark;
    } calls[] = {
        { NtSetInformationProcess, 4, "" },
        { put_caller("ntdll.dll"), 4, " (caused by ntstrace)" },
        { put_caller("kernel32.dll"), 4, "" },
        { NULL, 8, "" },
        { NtSetInformationProcess, 4, "" },
    };

    target_begin();
    calls[3].from = calls[1].from;
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        CHECK(mark(i + 1));
        status[i] =
            calls[i].from(THIS_PROCESS, LOADER_DETOUR, mask, calls[i].size);
    }
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        char result[64] = "0";

        if (status[i] != 0) {
            snprintf(result, sizeof result, "0x%lx STATUS_*",
                     (unsigned long)status[i]);
        }
        expect_mark("SEQ", tid, i + 1);
        expect("NEXT", tid,
               "NtSetInformationProcess(0xffffffffffffffff, 0x5d, 0x%llx, "
               "%u) = %s%s",
               u64_of(mask), (unsigned)calls[i].size, result, calls[i].mark);
    }
    /* Of these calls: the loader may have made some of its own. */
    expect_all("COUNT",
               "1 NtSetInformationProcess(0xffffffffffffffff, 0x5d, 0x%llx, "
               "*(caused by ntstrace)",
               u64_of(mask));
    return target_end();
}
