/* SPDX-License-Identifier: MIT */
/*
 * hostile_child - makes a process by a system call of its own, and while the
 * thread that did so is still on its way back another one puts the handle of
 * somebody else's process in the place of the new one's, and takes the image's
 * name out of the attributes: whoever believes what stands there takes that
 * process for a copy of this one. Nothing happens to it.
 *
 *   hostile_child        as above
 *   hostile_child sleep  what it starts: sleeps until it is ended
 */
#include "make.h"
#include "nt.h"
#include "stub.h"

static wchar_t self[MAX_PATH];
static volatile HANDLE made;
static HANDLE other;
static struct attributes attributes;

static DWORD WINAPI swap(void *unused)
{
    (void)unused;
    while (made == NULL) {
        YieldProcessor();
    }
    made = other;
    *(volatile ULONG_PTR *)&attributes.of[0].kind = CLIENT_ID;
    return 0;
}

/* A process that sleeps, the child of `parent`; NULL: ours. */
static HANDLE start(HANDLE parent)
{
    wchar_t line[] = L"hostile_child.exe sleep";
    STARTUPINFOEXW startup = { .StartupInfo.cb = sizeof startup };
    PROCESS_INFORMATION info = { 0 };
    SIZE_T size = 0;

    InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    startup.lpAttributeList = malloc(size);
    InitializeProcThreadAttributeList(startup.lpAttributeList, 1, 0, &size);
    if (parent != NULL) {
        UpdateProcThreadAttribute(startup.lpAttributeList, 0,
                                  PROC_THREAD_ATTRIBUTE_PARENT_PROCESS, &parent,
                                  sizeof parent, NULL, NULL);
    }
    CreateProcessW(self, line, NULL, NULL, FALSE,
                   parent != NULL ? EXTENDED_STARTUPINFO_PRESENT : 0, NULL,
                   NULL, &startup.StartupInfo, &info);
    CloseHandle(info.hThread);
    return info.hProcess;
}

static create_user direct(void)
{
    struct stub stub;
    create_user create = NULL;
    uint8_t *code =
        VirtualAlloc(NULL, 0x1000, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    DWORD old;

    if (stub_read("NtCreateUserProcess", &stub)) {
        memcpy(code, stub.bytes, STUB_SIZE);
        VirtualProtect(code, 0x1000, PAGE_EXECUTE_READ, &old);
        *(void **)&create = code;
    }
    return create;
}

int main(int argc, char **argv)
{
    ULONG_PTR id[2] = { 0 };
    ULONG64 info[11] = { sizeof info };
    wchar_t path[MAX_PATH + 4];
    struct nt_name image;
    create_user create = direct();
    HANDLE middle, thread = NULL, swapper, child;
    void *parameters = NULL;
    NTSTATUS status;

    (void)argv;
    if (argc > 1) {
        Sleep(20000);
        return 0;
    }
    target_begin();
    GetModuleFileNameW(NULL, self, MAX_PATH);
    swprintf(path, MAX_PATH + 4, L"\\??\\%ls", self);
    image = (struct nt_name){ (USHORT)(2 * wcslen(path)),
                              (USHORT)(2 * wcslen(path) + 2), path };
    RtlCreateProcessParametersEx(&parameters, &image, NULL, NULL, &image, NULL,
                                 NULL, NULL, NULL, NULL, NORMALIZED);
    middle = start(NULL);
    other = start(middle);
    attributes = (struct attributes){
        .size = sizeof attributes,
        .of = { { IMAGE_NAME, image.length, path, NULL },
                { CLIENT_ID, sizeof id, id, NULL } },
    };
    swapper = CreateThread(NULL, 0, swap, NULL, 0, NULL);
    status = create((HANDLE *)&made, &thread, MAXIMUM_ALLOWED, MAXIMUM_ALLOWED,
                    NULL, NULL, 0, SUSPENDED, parameters, info, &attributes);
    WaitForSingleObject(swapper, INFINITE);
    CHECK(status == 0);
    CHECK(WaitForSingleObject(other, 100) == WAIT_TIMEOUT);
    child = OpenProcess(PROCESS_TERMINATE, FALSE, (DWORD)id[0]);
    TerminateProcess(child, 1);
    TerminateProcess(other, 1);
    TerminateProcess(middle, 1);
    CHECK(mark(0x7000));
    expect_mark("SEQ", GetCurrentThreadId(), 0x7000);
    return target_end();
}
