/* SPDX-License-Identifier: MIT */
/*
 * callback_chain - registers instrumentation callbacks of its own, again and
 * again, in good ways and bad ones, and counts what they hear of: the same with
 * and without a tracer, which goes on seeing all.
 *
 * What they hear of is printed, and what the system answered: the runner compares
 * both runs. One callback makes system calls itself. With an argument it stays for
 * a second with one callback.
 */
#define DECODED
#include "nt.h"

NTSYSAPI NTSTATUS NTAPI NtSetInformationProcess(HANDLE, int, void *, ULONG);
NTSYSAPI ULONG NTAPI NtGetCurrentProcessorNumber(void);

#define INSTRUMENTATION 40 /* ProcessInstrumentationCallback */
#define CALLS 50

struct own {
    ULONG version, reserved;
    uint64_t callback;
};

/* By each callback: in the main thread, in all. */
volatile uint32_t heard[2], heard_all[2];
volatile uint32_t main_tid, busy, odd;
void first_callback(void);
void second_callback(void);

/* One call in a callback; what that is told of itself it only counts. */
void __attribute__((used)) make_call(void)
{
    if (!busy) {
        busy = 1;
        NtGetCurrentProcessorNumber();
        busy = 0;
    }
}

/* The first keeps every register and the flags; the second, which is for plain
 * returns alone, what a called function keeps. */
__asm__(".globl first_callback, second_callback\n"
        "first_callback:\n"
        "    pushfq\n"
        "    push %rax\n"
        "    lock incl heard_all(%rip)\n"
        "    mov %gs:0x48, %eax\n"
        "    cmp main_tid(%rip), %eax\n"
        "    jne 1f\n"
        "    lock incl heard(%rip)\n"
        "1:  pop %rax\n"
        "    popfq\n"
        "    jmp *%r10\n"
        "second_callback:\n"
        "    push %rax\n"
        "    push %r10\n"
        "    push %rbp\n"
        "    lock incl heard_all+4(%rip)\n"
        "    mov %gs:0x48, %eax\n"
        "    cmp main_tid(%rip), %eax\n"
        "    jne 2f\n"
        "    lock incl heard+4(%rip)\n"
        "    mov %rsp, %rbp\n"
        "    and $-16, %rsp\n"
        "    sub $0x20, %rsp\n"
        "    call make_call\n"
        "    mov %rbp, %rsp\n"
        "2:  pop %rbp\n"
        "    pop %r10\n"
        "    pop %rax\n"
        "    jmp *%r10\n");

static unsigned taken; /* calls that have set one, or none */

static NTSTATUS set_so(HANDLE process, void *information, ULONG size)
{
    NTSTATUS status =
        NtSetInformationProcess(process, INSTRUMENTATION, information, size);

    taken += status == 0;
    return status;
}

static NTSTATUS set(void (*callback)(void))
{
    struct own own = { 0, 0, (uint64_t)(uintptr_t)callback };

    return set_so(THIS_PROCESS, &own, sizeof own);
}

static void open_events(void)
{
    struct nt_name name = NT_NAME(L"\\BaseNamedObjects\\ntstrace none");
    struct nt_attributes attributes = NT_ATTRIBUTES(&name);
    HANDLE event;

    for (int i = 0; i < CALLS; i++) {
        if (NtOpenEvent(&event, SYNCHRONIZE, &attributes) !=
            (NTSTATUS)0xc0000034) {
            odd++;
        }
    }
}

/* What was heard of since the last time, and how the step has ended. */
static void step(const char *what, NTSTATUS status)
{
    static uint32_t was[2];
    uint32_t now[2] = { heard[0], heard[1] };

    say("%s: 0x%lx, %u and %u heard of\n", what, (unsigned long)status,
        now[0] - was[0], now[1] - was[1]);
    was[0] = now[0];
    was[1] = now[1];
}

static void WINAPI apc(ULONG_PTR unused)
{
    (void)unused;
}

/* --- a thread that is in a call when the callback is set --- */

static HANDLE go;
static LONG volatile waits, goes_on;
static uint32_t other_heard[2];

static DWORD WINAPI wait_long(void *unused)
{
    uint32_t before;

    (void)unused;
    waits = 1;
    WaitForSingleObject(go, INFINITE);
    while (!goes_on) {
        YieldProcessor();
    }
    before = heard_all[0] - heard[0];
    for (int i = 0; i < 3; i++) {
        NtGetCurrentProcessorNumber();
    }
    other_heard[0] = before;
    other_heard[1] = heard_all[0] - heard[0] - before;
    return 0;
}

static void under_way(void)
{
    DWORD other;
    HANDLE thread;

    go = CreateEventA(NULL, FALSE, FALSE, NULL);
    thread = start_thread(wait_long, 0, &other);
    while (!waits) {
        Sleep(1);
    }
    Sleep(100);
    heard_all[0] = heard[0];
    step("to be set", set(first_callback));
    SetEvent(go);
    Sleep(100);
    goes_on = 1;
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    CloseHandle(go);
    step("cleared", set(NULL));
    say("under way: %u, then %u heard of\n", other_heard[0], other_heard[1]);
}

static void in_odd_ways(void)
{
    struct own own = { 0, 0, (uint64_t)(uintptr_t)first_callback };
    uint64_t alone = (uint64_t)(uintptr_t)first_callback;
    char room[40];
    struct own *away = VirtualAlloc(NULL, 0x1000, MEM_COMMIT, PAGE_READWRITE);

    step("8 bytes", set_so(THIS_PROCESS, &alone, sizeof alone));
    open_events();
    step("calls", 0);
    step("4 bytes", set_so(THIS_PROCESS, &alone, 4));
    step("nowhere", set_so(THIS_PROCESS, NULL, sizeof own));
    step("nobody's", set_so(BAD_HANDLE, &own, sizeof own));
    /* Where the system takes none of these, the first one stays. */
    own.callback = (uint64_t)(uintptr_t)second_callback;
    own.reserved = 7;
    step("reserved", set_so(THIS_PROCESS, &own, sizeof own));
    own.reserved = 0;
    own.version = 9;
    step("version", set_so(THIS_PROCESS, &own, sizeof own));
    own.version = 0;
    memset(room, 0, sizeof room);
    memcpy(room + 8, &alone, sizeof alone);
    step("40 bytes", set_so(THIS_PROCESS, room, sizeof room));
    own.callback = (uint64_t)(uintptr_t)first_callback;
    *away = own;
    step("on the heap", set_so(THIS_PROCESS, away, sizeof *away));
    open_events();
    step("calls", 0);
    step("cleared", set(NULL));
}

/* For a second with a callback, in which a tracer may let it go. */
static int stay(void)
{
    uint32_t before;

    odd += set(first_callback) != 0;
    for (int i = 0; i < 100; i++) {
        Sleep(10);
    }
    before = heard[0];
    open_events();
    say("%u heard of\n", heard[0] - before);
    odd += set(NULL) != 0;
    open_events();
    say("%u odd results\n", odd);
    CHECK(odd == 0 && heard[0] == before + CALLS);
    return target_end();
}

int main(int argc, char **argv)
{
    DWORD tid = GetCurrentThreadId();
    uint32_t turns = 0;

    (void)argv;
    target_begin();
    main_tid = tid;
    if (argc > 1) {
        return stay();
    }
    step("nothing", 0);
    step("set", set(first_callback));
    open_events();
    step("calls", 0);
    step("set again", set(first_callback));
    QueueUserAPC(apc, GetCurrentThread(), 0);
    SleepEx(100, TRUE);
    step("apc", 0);
    step("another", set(second_callback));
    open_events();
    step("calls", 0);
    step("cleared", set(NULL));
    open_events();
    step("calls", 0);
    in_odd_ways();
    under_way();
    for (; turns < 1000; turns++) {
        odd += set(turns % 2 ? NULL : first_callback) != 0;
    }
    step("to and fro", 0);
    say("%u odd results\n", odd);
    CHECK(odd == 0);

    expect("COUNT", tid,
           "%d NtOpenEvent(*\"\\BaseNamedObjects\\ntstrace none\"*"
           ") = 0xc0000034 *",
           5 * CALLS);
    expect("COUNT", tid,
           "%u NtSetInformationProcess(ProcessHandle=*, "
           "ProcessInformationClass=ProcessInstrumentationCallback, *) = 0",
           taken);
    return target_end();
}
