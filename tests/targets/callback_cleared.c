/* SPDX-License-Identifier: MIT */
/*
 * callback_cleared - takes the instrumentation callback away by a direct call,
 * which nobody sees begin, and goes on. After a moment its calls have results again,
 * also the one that another thread was in all the time, and calls that a window's
 * callbacks are in; the trace says once what is missing. With `own` it registers a
 * callback of its own so, which hears in the main thread what it would hear without
 * a tracer.
 */
#include "stub.h"

#define INSTRUMENTATION 40 /* ProcessInstrumentationCallback */
#define CALLS 50
#define LOST 30    /* calls that are made before anybody can know */
#define REST 400   /* ms: much longer than it takes to find out */
#define BEFORE 0x1 /* accesses, to tell calls apart */
#define AFTER 0x2

NTSYSAPI NTSTATUS NTAPI NtOpenEvent(HANDLE *, ULONG, const void *);

volatile uint32_t heard, main_tid;
void own_callback(void);

/* Keeps every register and the flags. */
__asm__(".globl own_callback\n"
        "own_callback:\n"
        "    pushfq\n"
        "    push %rax\n"
        "    mov %gs:0x48, %eax\n"
        "    cmp main_tid(%rip), %eax\n"
        "    jne 1f\n"
        "    lock incl heard(%rip)\n"
        "1:  pop %rax\n"
        "    popfq\n"
        "    jmp *%r10\n");

static HANDLE go;
static DWORD volatile waiter;

static DWORD WINAPI wait_long(void *unused)
{
    (void)unused;
    waiter = GetCurrentThreadId();
    return WaitForSingleObject(go, INFINITE);
}

static unsigned open_events(int count, ULONG access)
{
    struct {
        ULONG length;
        HANDLE root;
        const void *name;
        ULONG attributes;
        void *security, *quality;
    } none = { sizeof none, NULL, NULL, 0, NULL, NULL };
    unsigned right = 0;
    HANDLE event;

    for (int i = 0; i < count; i++) {
        none.length = i % 2 == 0 ? 0 : (ULONG)sizeof none - 1;
        right += (int)NtOpenEvent(&event, access, &none) < 0;
    }
    return right;
}

static bool goes_on, marked;

static LRESULT CALLBACK procedure(HWND window, UINT message, WPARAM w, LPARAM l)
{
    if (message == WM_CREATE && goes_on) {
        marked = mark(7) && mark(8);
    }
    return DefWindowProcA(window, message, w, l);
}

int main(int argc, char **argv __attribute__((unused)))
{
    bool own = argc > 1;
    struct {
        ULONG version, reserved;
        void *callback;
    } information = { 0, 0, own ? (void *)(uintptr_t)own_callback : NULL };
    WNDCLASSA class = { .lpfnWndProc = procedure, .lpszClassName = "cleared" };
    NTSTATUS(NTAPI * set)(HANDLE, int, void *, ULONG);
    struct stub stub;
    DWORD tid = GetCurrentThreadId(), old, code = 0;
    uint32_t counts[2];
    HANDLE thread;
    uint8_t *copy;

    target_begin();
    main_tid = tid;
    if (!stub_read("NtSetInformationProcess", &stub)) {
        return 2;
    }
    copy = VirtualAlloc(NULL, 0x1000, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    memcpy(copy, stub.bytes, STUB_SIZE);
    VirtualProtect(copy, 0x1000, PAGE_EXECUTE_READ, &old);
    *(void **)&set = copy;
    RegisterClassA(&class);
    CreateWindowA("cleared", "", 0, 0, 0, 9, 9, NULL, NULL, NULL, NULL);
    go = CreateEventA(NULL, TRUE, FALSE, NULL);
    thread = CreateThread(NULL, 0, wait_long, NULL, 0, NULL);
    while (waiter == 0) {
        Sleep(1);
    }
    Sleep(50);

    CHECK(set(THIS_PROCESS, INSTRUMENTATION, &information,
              sizeof information) == STATUS_OK);
    heard = 0;
    CHECK(open_events(LOST, BEFORE) == LOST);
    counts[0] = heard;
    Sleep(REST);
    heard = 0;
    CHECK(open_events(CALLS, AFTER) == CALLS);
    counts[1] = heard;
    goes_on = true;
    CreateWindowA("cleared", "", 0, 0, 0, 9, 9, NULL, NULL, NULL, NULL);
    CHECK(marked);
    SetEvent(go);
    WaitForSingleObject(thread, INFINITE);
    GetExitCodeThread(thread, &code);
    CHECK(code == WAIT_OBJECT_0);
    printf("%u and %u heard of\n", (unsigned)counts[0], (unsigned)counts[1]);
    CHECK(counts[0] == (own ? LOST : 0) && counts[1] == (own ? CALLS : 0));

    expect_all("COUNT",
               "1 +++ callback lost: no transitions, no direct calls from here "
               "on +++");
    expect("COUNT", tid,
           "%d NtOpenEvent(*, 0x%x, *) = 0xc000000d STATUS_INVALID_PARAMETER",
           CALLS, AFTER);
    expect("COUNT", tid, "%d NtOpenEvent(*, 0x%x, *)*", CALLS, AFTER);
    expect("SEQ", tid, "NtUserCreateWindowEx(* <unfinished ...>");
    expect_mark("SEQ", tid, 7);
    expect_mark("NEXT", tid, 8);
    expect("SEQ", tid, "NtCallbackReturn(*) = ?");
    expect("SEQ", tid, "<... NtUserCreateWindowEx resumed>*) = *");
    expect("SEQ", waiter, "NtWaitFor*Object*(*) = 0");
    expect("SEQ", waiter, "NtTerminateThread(*) = ?");
    return target_end();
}
