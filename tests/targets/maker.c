/* SPDX-License-Identifier: MIT */
/*
 * maker CALLS WAY - makes one process, a leaf of tree.c, not by kernel32 but
 * as WAY says:
 *
 *   user     NtCreateUserProcess, suspended, and resumes it
 *   user0    the same, not suspended
 *   little   the same, with no other right on the thread than to wait for it
 *   direct, direct0   these two by a system call of its own, through no
 *            function of ntdll; the leaf of the second waits for a while
 *   rtl      RtlCreateUserProcess
 *   ex       NtCreateProcessEx: a process without a thread, which it ends
 *   clone    RtlCloneUserProcess: a copy of itself, which ends with 11
 *
 * It is process 0 of tree.h, the other one process 1; of what `ex` and `clone`
 * make nothing is told. What the system does not have it says in a line,
 * `skipped: NAME`. Exit status as tree.c's.
 */
#include "make.h"
#include "nt.h"
#include "stub.h"
#include "tree.h"

#define PROCESS_CLONED 0x129

/* What RtlCreateUserProcess tells of the new process. */
struct made {
    ULONG size;
    HANDLE process, thread;
    ULONG_PTR pid, tid;
    char image[64];
};

NTSYSAPI NTSTATUS NTAPI NtCreateUserProcess(HANDLE *, HANDLE *, ACCESS_MASK,
                                            ACCESS_MASK, void *, void *, ULONG,
                                            ULONG, void *, void *,
                                            const struct attributes *);
NTSYSAPI NTSTATUS NTAPI NtResumeThread(HANDLE, ULONG *);
NTSYSAPI NTSTATUS NTAPI NtCreateSection(HANDLE *, ACCESS_MASK, void *,
                                        LARGE_INTEGER *, ULONG, ULONG, HANDLE);
NTSYSAPI NTSTATUS NTAPI RtlCreateUserProcess(const struct nt_name *, ULONG,
                                             void *, void *, void *, HANDLE,
                                             BOOLEAN, HANDLE, HANDLE,
                                             struct made *);

static unsigned calls;
static wchar_t leaf[MAX_PATH];  // tree.exe's path, as NT has it
static struct nt_name image;
static void *parameters;

static void prepare(const wchar_t *ms)
{
    static wchar_t line[MAX_PATH];
    struct nt_name words;
    wchar_t self[MAX_PATH];

    GetModuleFileNameW(NULL, self, MAX_PATH - 20);
    wcscpy(wcsrchr(self, L'\\') + 1, L"tree.exe");
    swprintf(leaf, MAX_PATH, L"\\??\\%ls", self);
    swprintf(line, MAX_PATH, L"tree.exe leaf 1 %u %ls", calls, ms);
    image = (struct nt_name){ (USHORT)(2 * wcslen(leaf)),
                              (USHORT)(2 * wcslen(leaf) + 2), leaf };
    words = (struct nt_name){ (USHORT)(2 * wcslen(line)),
                              (USHORT)(2 * wcslen(line) + 2), line };
    TREE_CHECK(RtlCreateProcessParametersEx(&parameters, &image, NULL, NULL,
                                            &words, NULL, NULL, NULL, NULL,
                                            NULL, NORMALIZED) == 0);
}

static void resume_and_wait(HANDLE process, HANDLE thread)
{
    ULONG count = 0;

    /* It has time to run, if it can. */
    TREE_CHECK(WaitForSingleObject(process, 50) == WAIT_TIMEOUT);
    TREE_CHECK(NtResumeThread(thread, &count) == 0);
    printf("suspended %lu times\n", (unsigned long)count);
    TREE_CHECK(count == 1);
    tree_wait(process, 1);
}

static void by_user(create_user create, ULONG flags, ACCESS_MASK access)
{
    ULONG_PTR id[2] = { 0 };
    ULONG64 info[11] = { sizeof info };
    struct attributes attributes = {
        .size = sizeof attributes,
        .of = { { IMAGE_NAME, 0, leaf, NULL },
                { CLIENT_ID, sizeof id, id, NULL } },
    };
    HANDLE process = NULL, thread = NULL;
    NTSTATUS status;

    attributes.of[0].size = image.length;
    status = create(&process, &thread, MAXIMUM_ALLOWED, access, NULL, NULL, 0,
                    flags, parameters, info, &attributes);
    printf("NtCreateUserProcess: 0x%lx\n", (unsigned long)status);
    TREE_CHECK(status == 0);
    tree_say("start 1 %lu\n", (unsigned long)id[0]);
    if (flags != 0) {
        resume_and_wait(process, thread);
    } else {
        tree_wait(process, 1);
    }
    CloseHandle(thread);
}

static void by_direct(ULONG flags)
{
    struct stub stub;
    create_user create;
    uint8_t *code;
    DWORD old;

    if (!stub_read("NtCreateUserProcess", &stub)) {
        TREE_CHECK(false);
        return;
    }
    code = VirtualAlloc(NULL, 0x1000, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    memcpy(code, stub.bytes, STUB_SIZE);
    VirtualProtect(code, 0x1000, PAGE_EXECUTE_READ, &old);
    *(void **)&create = code;
    by_user(create, flags, MAXIMUM_ALLOWED);
}

static void by_rtl(void)
{
    struct made made = { .size = sizeof made };
    NTSTATUS status = RtlCreateUserProcess(&image, 0x40, parameters, NULL, NULL,
                                           NULL, FALSE, NULL, NULL, &made);

    printf("RtlCreateUserProcess: 0x%lx\n", (unsigned long)status);
    TREE_CHECK(status == 0);
    tree_say("start 1 %lu\n", (unsigned long)made.pid);
    resume_and_wait(made.process, made.thread);
}

/* What this ntdll may not have; false, and says so, if it has not. */
static bool find(const char *name, void *found)
{
    FARPROC at = GetProcAddress(GetModuleHandleA("ntdll.dll"), name);

    memcpy(found, &at, sizeof at);
    if (at == NULL) {
        printf("skipped: no %s here\n", name);
    }
    return at != NULL;
}

static void by_ex(void)
{
    NTSTATUS(NTAPI * create)
    (HANDLE *, ACCESS_MASK, void *, HANDLE, ULONG, HANDLE, HANDLE, HANDLE,
     ULONG);
    HANDLE file, section = NULL, process = NULL;

    if (!find("NtCreateProcessEx", &create)) {
        return;
    }
    file = CreateFileW(leaf + 4, GENERIC_READ | GENERIC_EXECUTE,
                       FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    TREE_CHECK(NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, NULL,
                               PAGE_EXECUTE, SEC_IMAGE, file) == 0);
    TREE_CHECK(create(&process, PROCESS_ALL_ACCESS, NULL, THIS_PROCESS, 0,
                      section, NULL, NULL, 0) == 0);
    printf("process without a thread\n");
    TREE_CHECK(TerminateProcess(process, 12));
    WaitForSingleObject(process, INFINITE);
    CloseHandle(process);
}

static void by_clone(void)
{
    NTSTATUS(NTAPI * clone)(ULONG, void *, void *, HANDLE, struct made *);
    struct made made = { .size = sizeof made };
    DWORD code = 0;
    NTSTATUS status;

    if (!find("RtlCloneUserProcess", &clone)) {
        return;
    }
    status = clone(0, NULL, NULL, NULL, &made);
    if (status == PROCESS_CLONED) {
        /* Its copy: some calls, and an end without the loader. */
        tree_calls(1, calls);
        TerminateProcess(THIS_PROCESS, tree_status(1));
    }
    TREE_CHECK(status == 0);
    TREE_CHECK(WaitForSingleObject(made.process, 10000) == WAIT_OBJECT_0);
    TREE_CHECK(GetExitCodeProcess(made.process, &code));
    printf("clone ended with 0x%lx\n", (unsigned long)code);
    TREE_CHECK(code == tree_status(1));
}

int main(int argc, char **argv)
{
    const char *way = argc > 2 ? argv[2] : "";

    target_begin();
    calls = (unsigned)number_arg(argc, argv, 1, 1);
    tree_begin(0);
    tree_calls(0, calls);
    prepare(strcmp(way, "direct0") == 0 ? L"1000" : L"");
    if (strcmp(way, "user") == 0) {
        by_user(NtCreateUserProcess, SUSPENDED, MAXIMUM_ALLOWED);
    } else if (strcmp(way, "user0") == 0) {
        by_user(NtCreateUserProcess, 0, MAXIMUM_ALLOWED);
    } else if (strcmp(way, "little") == 0) {
        by_user(NtCreateUserProcess, 0, SYNCHRONIZE);
    } else if (strcmp(way, "direct") == 0) {
        by_direct(SUSPENDED);
    } else if (strcmp(way, "direct0") == 0) {
        by_direct(0);
    } else if (strcmp(way, "rtl") == 0) {
        by_rtl();
    } else if (strcmp(way, "ex") == 0) {
        by_ex();
    } else if (strcmp(way, "clone") == 0) {
        by_clone();
    } else {
        fprintf(stderr, "see the head of maker.c\n");
        return 2;
    }
    return tree_end(0);
}
