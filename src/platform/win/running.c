/* SPDX-License-Identifier: MIT */
/*
 * running.c - a process that runs already, and is to be attached to.
 *
 * Opens it, makes one thread in it, reads what its stopped threads look like.
 * Fails with a reason for the user: ERR_NOT_FOUND without such a process,
 * ERR_NOT_OURS where it is the process, or our rights on it.
 */
#include "platform/win/win.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <tlhelp32.h>

#include "base/banned.h"

#define SKIP_THREAD_ATTACH 0x02
#define SKIP_LOADER_INIT 0x20
#define CREATE_SUSPENDED_FLAG 0x01
#define STATUS_INVALID_PARAMETER_ 0xc000000du
#define PROCESS_PROTECTION 61 /* information class */
#define THREAD_SUSPENDED 35 /* the same: ThreadSuspendCount, of 8.1 and later */

/* What is done with it, and the right that it takes. */
static const struct {
    ACCESS_MASK right;
    const char *name;
} rights[] = {
    { PROCESS_QUERY_INFORMATION, "PROCESS_QUERY_INFORMATION" },
    { PROCESS_VM_READ, "PROCESS_VM_READ" },
    { PROCESS_VM_WRITE, "PROCESS_VM_WRITE" },
    { PROCESS_VM_OPERATION, "PROCESS_VM_OPERATION" },
    { PROCESS_CREATE_THREAD, "PROCESS_CREATE_THREAD" },
    { PROCESS_SUSPEND_RESUME, "PROCESS_SUSPEND_RESUME" },
    { PROCESS_DUP_HANDLE, "PROCESS_DUP_HANDLE" },
    { SYNCHRONIZE, "SYNCHRONIZE" },
};

/* No process has more threads; of one that makes them without end, for it is not
 * stopped as it says, not all are listed. */
#define THREADS_MOST 0x10000

struct os_threads {
    HANDLE process;         // of its own
    _Atomic bool given_up;  // nobody waits for the answer any more
    uint32_t but;
    HANDLE asker;
    struct os_stopped *list;
    size_t count;
    size_t room;
    bool failed;
};

static bool is_protected(HANDLE process)
{
    UCHAR level = 0;

    return NtQueryInformationProcess(process,
                                     (PROCESSINFOCLASS)PROCESS_PROTECTION,
                                     &level, sizeof(level), NULL) >= 0 &&
           level != 0;
}

/* Access was denied: why. */
static bool denied(uint32_t pid, struct err *e)
{
    HANDLE h = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
    bool is = h != NULL && is_protected(h);

    if (h != NULL) {
        CloseHandle(h);
    }
    if (is) {
        return err_set(e, ERR_NOT_OURS,
                       "is protected by Windows: nobody may attach to it");
    }
    for (size_t i = 0; i < COUNT_OF(rights); i++) {
        h = OpenProcess(rights[i].right, FALSE, pid);
        if (h == NULL) {
            return err_set(e, ERR_NOT_OURS,
                           "access denied (%s); run ntstrace as the same "
                           "user, or as administrator",
                           rights[i].name);
        }
        CloseHandle(h);
    }
    return err_set(e, ERR_NOT_OURS, "access denied");
}

bool os_process_open(struct os_process *out, uint32_t pid, struct err *e)
{
    ACCESS_MASK all = 0;
    HANDLE h;

    for (size_t i = 0; i < COUNT_OF(rights); i++) {
        all |= rights[i].right;
    }
    h = OpenProcess(all, FALSE, pid);
    if (h == NULL && GetLastError() == ERROR_INVALID_PARAMETER) {
        return err_set(e, ERR_NOT_FOUND, "no such process");
    }
    if (h == NULL && GetLastError() == ERROR_ACCESS_DENIED) {
        return denied(pid, e);
    }
    if (h == NULL) {
        return win_fail(e, "cannot open it");
    }
    *out = (struct os_process){ .pid = pid, .process = h };
    return true;
}

bool os_process_each(void (*each)(void *ctx, uint32_t pid, str name), void *ctx,
                     struct err *e)
{
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    PROCESSENTRY32W entry = { .dwSize = sizeof(entry) };

    if (all == INVALID_HANDLE_VALUE) {
        return win_fail(e, "cannot list the processes");
    }
    for (BOOL ok = Process32FirstW(all, &entry); ok;
         ok = Process32NextW(all, &entry)) {
        char room[3 * MAX_PATH];
        struct buf name = BUF_OVER(room);

        os_to_utf8(&name, (struct str16){ (const uint16_t *)entry.szExeFile,
                                          wcsnlen(entry.szExeFile, MAX_PATH) });
        each(ctx, entry.th32ProcessID, buf_str(&name));
    }
    CloseHandle(all);
    return true;
}

uint16_t os_process_machine(const struct os_process *p)
{
    const uint64_t image = os_process_image(p);
    uint32_t head;
    uint16_t machine;

    /* e_lfanew of the DOS header; the machine is the word behind "PE". */
    return image != 0 && os_read(p, image + 0x3c, &head, sizeof(head)) &&
                   os_read(p, image + head + 4, &machine, sizeof(machine))
               ? machine
               : 0;
}

uint64_t os_process_age(const struct os_process *p)
{
    FILETIME began, ended, kernel, user, now;
    ULARGE_INTEGER a, b;

    if (!GetProcessTimes(p->process, &began, &ended, &kernel, &user)) {
        return 0;
    }
    GetSystemTimePreciseAsFileTime(&now);
    a.LowPart = began.dwLowDateTime;
    a.HighPart = began.dwHighDateTime;
    b.LowPart = now.dwLowDateTime;
    b.HighPart = now.dwHighDateTime;
    return b.QuadPart > a.QuadPart ? (b.QuadPart - a.QuadPart) / 10000 : 0;
}

void os_process_hold(const struct os_process *p, bool hold)
{
    if (hold) {
        NtSuspendProcess(p->process);
    } else {
        NtResumeProcess(p->process);
    }
}

static bool is_suspended(HANDLE thread)
{
    ULONG count = 0;

    return NtQueryInformationThread(thread, (THREADINFOCLASS)THREAD_SUSPENDED,
                                    &count, sizeof(count), NULL) >= 0 &&
           count > 0;
}

bool os_process_is_suspended(const struct os_process *p)
{
    HANDLE thread = NULL, next;
    bool all = true;

    for (int i = 0; all && i < THREADS_MOST &&
                    NtGetNextThread(p->process, thread,
                                    THREAD_QUERY_INFORMATION, 0, 0, &next) >= 0;
         i++) {
        if (thread != NULL) {
            CloseHandle(thread);
        }
        thread = next;
        all = is_suspended(thread);
    }
    if (thread != NULL) {
        CloseHandle(thread);
    }
    return all;
}

typedef NTSTATUS(NTAPI *compare_fn)(HANDLE a, HANDLE b);

/* True if both are handles on one thing, whatever it is. */
static bool same_thing(HANDLE a, HANDLE b)
{
    compare_fn compare =
        (compare_fn)(ULONG_PTR)os_own_ntdll("NtCompareObjects");

    return compare == NULL || compare(a, b) >= 0;
}

bool os_handle_names(const struct os_process *p, uint64_t value, uint32_t pid)
{
    HANDLE h = NULL;
    HANDLE named;
    bool is;

    if (!DuplicateHandle(p->process, (HANDLE)(ULONG_PTR)value,
                         GetCurrentProcess(), &h, SYNCHRONIZE, FALSE, 0)) {
        return false;
    }
    named = OpenProcess(SYNCHRONIZE, FALSE, pid);
    is = named != NULL ? same_thing(h, named)
                       : GetLastError() == ERROR_ACCESS_DENIED;
    is = is && WaitForSingleObject(h, 0) == WAIT_TIMEOUT;
    if (named != NULL) {
        CloseHandle(named);
    }
    CloseHandle(h);
    return is;
}

static uint32_t tid_of(HANDLE thread, uint64_t *teb)
{
    struct thread_basic basic;

    if (NtQueryInformationThread(thread, (THREADINFOCLASS)THREAD_BASIC, &basic,
                                 sizeof(basic), NULL) < 0) {
        return 0;
    }
    *teb = (uint64_t)(ULONG_PTR)basic.teb;
    return (uint32_t)(ULONG_PTR)basic.tid;
}

bool os_thread_make(const struct os_process *p, uint64_t start, void **thread,
                    uint32_t *tid, struct err *e)
{
    static const ULONG flags[] = {
        CREATE_SUSPENDED_FLAG | SKIP_THREAD_ATTACH | SKIP_LOADER_INIT,
        CREATE_SUSPENDED_FLAG | SKIP_THREAD_ATTACH,
    };
    HANDLE h = NULL;
    NTSTATUS status = -1;
    uint64_t teb;

    if (!os_may_ask(p, e)) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        status = NtCreateThreadEx(&h, THREAD_ALL_ACCESS, NULL, p->process,
                                  (void *)(ULONG_PTR)start, NULL, flags[i], 0,
                                  0, 0, NULL);
        if ((uint32_t)status != STATUS_INVALID_PARAMETER_) {
            break;
        }
    }
    if (status < 0) {
        return win_fail_status(e, "cannot start a thread in the program",
                               (uint32_t)status);
    }
    *tid = tid_of(h, &teb);
    *thread = h;
    return true;
}

/* --- threads that are stopped --- */

/* One more in the list; NULL without memory. */
static struct os_stopped *add(struct os_threads *t)
{
    if (t->count == THREADS_MOST) {
        t->failed = true;
        return NULL;
    }
    if (t->count == t->room) {
        size_t room = t->room == 0 ? 64 : 2 * t->room;
        struct os_stopped *more = realloc(t->list, room * sizeof(*more));

        if (more == NULL) {
            t->failed = true;
            return NULL;
        }
        t->list = more;
        t->room = room;
    }
    t->list[t->count] = (struct os_stopped){ 0 };
    return &t->list[t->count++];
}

static void look_at(struct os_threads *t, HANDLE thread)
{
    uint64_t teb = 0;
    uint32_t tid = tid_of(thread, &teb);
    struct os_stopped *s;
    uint32_t status;
    CONTEXT c;

    if (tid == 0 || tid == t->but) {
        return;
    }
    s = add(t);
    if (s == NULL) {
        return;
    }
    s->tid = tid;
    s->teb = teb;
    c.ContextFlags = CONTEXT_CONTROL | CONTEXT_INTEGER;
    if (!GetThreadContext(thread, &c)) {
        return;  // it is ending
    }
    s->rip = c.Rip;
    s->rsp = c.Rsp;
    s->rax = c.Rax;
    s->rcx = c.Rcx;
    s->rdx = c.Rdx;
    s->r8 = c.R8;
    s->r9 = c.R9;
    s->last_known = os_thread_last_call(thread, &s->last_number,
                                        &s->last_argument, &status);
}

static DWORD WINAPI ask_all(void *arg)
{
    struct os_threads *t = arg;
    HANDLE thread = NULL, next = NULL;

    while (!t->failed && !t->given_up &&
           NtGetNextThread(t->process, thread,
                           THREAD_GET_CONTEXT | THREAD_QUERY_INFORMATION, 0, 0,
                           &next) >= 0) {
        if (thread != NULL) {
            CloseHandle(thread);
        }
        thread = next;
        look_at(t, thread);
    }
    if (thread != NULL) {
        CloseHandle(thread);
    }
    return 0;
}

struct os_threads *os_threads_ask(const struct os_process *p, uint32_t but,
                                  struct err *e)
{
    struct os_threads *t = calloc(1, sizeof(*t));

    if (t == NULL) {
        err_set(e, ERR_OS, "out of memory");
        return NULL;
    }
    t->but = but;
    if (!DuplicateHandle(GetCurrentProcess(), p->process, GetCurrentProcess(),
                         &t->process, 0, FALSE, DUPLICATE_SAME_ACCESS)) {
        win_fail(e, "cannot open the program once more");
        free(t);
        return NULL;
    }
    t->asker = CreateThread(NULL, 0, ask_all, t, 0, NULL);
    if (t->asker == NULL) {
        win_fail(e, "cannot start a thread");
        CloseHandle(t->process);
        free(t);
        return NULL;
    }
    return t;
}

bool os_threads_answer(struct os_threads *t, uint32_t ms)
{
    return WaitForSingleObject(t->asker, ms) == WAIT_OBJECT_0 && !t->failed;
}

const struct os_stopped *os_threads_list(const struct os_threads *t,
                                         size_t *count)
{
    *count = t->count;
    return t->list;
}

/* How long one that was asked may take to answer when it runs again. */
#define CLOSE_MS 5000

void os_threads_close(struct os_threads *t)
{
    if (t == NULL) {
        return;
    }
    t->given_up = true;
    if (WaitForSingleObject(t->asker, CLOSE_MS) == WAIT_OBJECT_0) {
        CloseHandle(t->asker);
        CloseHandle(t->process);
        free(t->list);
        free(t);
    }
}
