/* SPDX-License-Identifier: MIT */
/*
 * probe_others.c - doctor's experiments with other processes: how they come to
 * be, a thread of ours in one, a copy of ourselves.
 *
 * Every process that is made here is in a job of its own that ends it with us;
 * the caller ends it earlier, by os_process_close. What may hang is waited for
 * with a deadline. Tells what it saw, and judges nothing.
 */
#include "platform/win/win.h"

#include "platform/probe.h"

#include <string.h>
#include <wchar.h>

#include "base/banned.h"

#define IMAGE_NAME 0x20005  // PS_ATTRIBUTE_IMAGE_NAME
#define NORMALIZED 1        // of process parameters: pointers, no offsets
#define CLONE_SUSPENDED 1   // of RtlCloneUserProcess, its first argument
#define PROCESS_CLONED 0x129
#define CLONE_MS 5000
#define NO_HANDLE 0x7ffff1f0

/* PS_ATTRIBUTE_LIST of one. */
struct attributes {
    SIZE_T size;
    ULONG_PTR kind;
    SIZE_T value_size;
    const void *value;
    SIZE_T *got;
};

/* What RtlCloneUserProcess tells. */
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
NTSYSAPI NTSTATUS NTAPI NtTerminateProcess(HANDLE, NTSTATUS);
NTSYSAPI NTSTATUS NTAPI RtlCreateProcessParametersEx(
    void **, const UNICODE_STRING *, const UNICODE_STRING *,
    const UNICODE_STRING *, const UNICODE_STRING *, void *,
    const UNICODE_STRING *, const UNICODE_STRING *, const UNICODE_STRING *,
    const UNICODE_STRING *, ULONG);

typedef NTSTATUS(NTAPI *clone_fn)(ULONG, void *, void *, HANDLE, struct made *);

bool probe_set_variable(const char *name, const char *value)
{
    return SetEnvironmentVariableA(name, value);
}

/* A job that ends `process` when it is closed; NULL: then it is ended now. */
static HANDLE jail(HANDLE process)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {
        .BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
    };
    HANDLE job = CreateJobObjectW(NULL, NULL);

    if (job != NULL &&
        SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits,
                                sizeof(limits)) &&
        AssignProcessToJobObject(job, process)) {
        return job;
    }
    TerminateProcess(process, 1);
    if (job != NULL) {
        CloseHandle(job);
    }
    return NULL;
}

uint32_t probe_create(uint32_t flags, struct os_process *out,
                      uint32_t *suspended)
{
    static wchar_t nt[32768 + 4];
    UNICODE_STRING image, line;
    struct attributes attributes = { .size = sizeof(attributes),
                                     .kind = IMAGE_NAME };
    uint64_t info[11] = { sizeof(info) };  // PS_CREATE_INFO
    HANDLE process = NULL, thread = NULL;
    void *parameters = NULL;
    NTSTATUS status;

    *out = (struct os_process){ 0 };
    *suspended = UINT32_MAX;
    if (probe_own_path() == NULL) {
        return (uint32_t)STATUS_INVALID_PARAMETER;
    }
    wcscpy(nt, L"\\??\\");
    wcscat(nt, (const wchar_t *)probe_own_path());
    RtlInitUnicodeString(&image, nt);
    RtlInitUnicodeString(&line, L"ntstrace --version");
    status =
        RtlCreateProcessParametersEx(&parameters, &image, NULL, NULL, &line,
                                     NULL, NULL, NULL, NULL, NULL, NORMALIZED);
    if (status < 0) {
        return (uint32_t)status;
    }
    attributes.value = nt;
    attributes.value_size = image.Length;
    status = NtCreateUserProcess(&process, &thread, PROCESS_ALL_ACCESS,
                                 THREAD_ALL_ACCESS, NULL, NULL, 0, flags,
                                 parameters, info, &attributes);
    if (status < 0 || process == NULL) {
        return (uint32_t)status;
    }
    *suspended = SuspendThread(thread);
    if (*suspended == (uint32_t)-1 &&
        WaitForSingleObject(thread, 0) == WAIT_OBJECT_0) {
        *suspended = 0;  // it has run, to its end already
    }
    *out = (struct os_process){ .pid = GetProcessId(process),
                                .tid = GetThreadId(thread),
                                .process = process,
                                .thread = thread,
                                .job = jail(process) };
    return (uint32_t)status;
}

bool probe_give(const struct os_process *p, void *handle, uint64_t *there)
{
    HANDLE theirs = NULL;
    NTSTATUS status = NtDuplicateObject(GetCurrentProcess(), handle, p->process,
                                        &theirs, 0, 0, DUPLICATE_SAME_ACCESS);

    *there = (uint64_t)(ULONG_PTR)theirs;
    return status >= 0;
}

bool probe_may_open(uint32_t pid)
{
    HANDLE h = OpenProcess(PROCESS_ALL_ACCESS, FALSE, pid);
    bool ok = h != NULL && GetProcessId(h) == pid;

    if (h != NULL) {
        CloseHandle(h);
    }
    return ok;
}

uint32_t probe_thread(const struct os_process *p, uint64_t start,
                      uint32_t flags, uint32_t ms, bool *ended)
{
    HANDLE thread = NULL;
    NTSTATUS status = -1;

    *ended = false;
    if (os_may_ask(p, NULL)) {
        status = NtCreateThreadEx(&thread, THREAD_ALL_ACCESS, NULL, p->process,
                                  (void *)(ULONG_PTR)start, NULL, flags, 0, 0,
                                  0, NULL);
    }
    if (status >= 0) {
        ResumeThread(thread);
        *ended = WaitForSingleObject(thread, ms) == WAIT_OBJECT_0;
        CloseHandle(thread);
    }
    return (uint32_t)status;
}

/* In the copy: what the loader and the C library know is that of the first
 * process, so it makes system calls alone. */
static void end_clone(void)
{
    size_t events;

    probe_watch(true, 0);
    probe_close(NO_HANDLE);
    events = probe_stop();
    NtTerminateProcess(GetCurrentProcess(),
                       (NTSTATUS)(PROBE_CLONED | (events & 0xff)));
}

bool probe_can_clone(void)
{
    return os_own_ntdll("RtlCloneUserProcess") != 0;
}

uint32_t probe_clone(const struct os_section *s, struct probe_clone *out)
{
    const clone_fn clone =
        (clone_fn)(ULONG_PTR)os_own_ntdll("RtlCloneUserProcess");
    struct made made = { .size = sizeof(made) };
    struct os_region there = { 0 };
    struct os_process p;
    NTSTATUS status;
    DWORD code = 0;

    *out = (struct probe_clone){ 0 };
    status = clone(CLONE_SUSPENDED, NULL, NULL, NULL, &made);
    if (status == PROCESS_CLONED) {
        end_clone();
    }
    if (status < 0) {
        return (uint32_t)status;
    }
    p = (struct os_process){ .process = made.process, .thread = made.thread };
    p.job = jail(made.process);
    out->asked = os_query(&p, (uint64_t)(ULONG_PTR)s->at, &there);
    out->free = there.free;
    ResumeThread(made.thread);
    if (WaitForSingleObject(made.process, CLONE_MS) == WAIT_OBJECT_0 &&
        GetExitCodeProcess(made.process, &code)) {
        out->ended = true;
        out->code = code;
    }
    os_process_close(&p);
    return (uint32_t)status;
}
