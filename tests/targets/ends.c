/* SPDX-License-Identifier: MIT */
/*
 * ends WAY - ways to end that show nothing of who it was, and those that do.
 *
 *   fastfail  the process, by int 29h: the status is all there is
 *   direct    the process, by a call of its own making, which never returns
 *   handle    the process, by a handle of itself
 *   threads   three threads: one by a call of its own making, one by a handle
 *             of itself, one by another thread; then the process as usual
 *
 * A call that the program makes itself and that does not return is not in the
 * trace; what ended by it has ended, and it is not said by whom.
 */
#define DECODED
#include "stub.h"

#define FAST_FAIL_FATAL_APP_EXIT 7
#define STATUS_FAST_FAIL 0xc0000409u

static NTSTATUS(NTAPI *end_process)(HANDLE, NTSTATUS);
static NTSTATUS(NTAPI *end_thread)(HANDLE, NTSTATUS);

/* Private copies of both functions. */
static bool copy_stubs(void)
{
    struct stub process, thread;
    uint8_t *code;
    DWORD old;

    if (!stub_read("NtTerminateProcess", &process) ||
        !stub_read("NtTerminateThread", &thread)) {
        return false;
    }
    code = VirtualAlloc(NULL, 0x1000, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    memcpy(code, process.bytes, STUB_SIZE);
    memcpy(code + STUB_SIZE, thread.bytes, STUB_SIZE);
    VirtualProtect(code, 0x1000, PAGE_EXECUTE_READ, &old);
    *(void **)&end_process = code;
    *(void **)&end_thread = code + STUB_SIZE;
    return true;
}

static DWORD WINAPI end_directly(void *code)
{
    end_thread(THIS_THREAD, (NTSTATUS)(uintptr_t)code);
    return 0;
}

static DWORD WINAPI end_by_handle(void *code)
{
    HANDLE self = OpenThread(THREAD_TERMINATE, FALSE, GetCurrentThreadId());

    NtTerminateThread(self, (NTSTATUS)(uintptr_t)code);
    return 0;
}

static DWORD WINAPI wait_for_it(void *unused)
{
    (void)unused;
    Sleep(INFINITE);
    return 0;
}

static DWORD code_of(HANDLE thread)
{
    DWORD code = 0;

    WaitForSingleObject(thread, INFINITE);
    GetExitCodeThread(thread, &code);
    return code;
}

static int threads(void)
{
    DWORD tid = GetCurrentThreadId(), other;
    HANDLE thread = start_thread(end_directly, 21, &other);

    CHECK(code_of(thread) == 21);
    expect("NOT", other, "NtTerminateThread(*");
    expect("SEQ", other, "+++ thread ended with 21 +++");
    thread = start_thread(end_by_handle, 22, &other);
    CHECK(code_of(thread) == 22);
    expect("SEQ", other, "NtTerminateThread(*, ExitStatus=22) = ?");
    expect("NEXT", other, "+++ thread exited with 22 +++");
    thread = start_thread(wait_for_it, 0, &other);
    Sleep(50);
    NtTerminateThread(thread, 23);
    CHECK(code_of(thread) == 23);
    expect("SEQ", tid, "NtTerminateThread(*, ExitStatus=23) = 0");
    expect("SEQ", other, "+++ thread terminated with 23 +++");
    printf("three threads\n");
    return target_end();
}

int main(int argc, char **argv)
{
    const char *way = argc > 1 ? argv[1] : "";
    DWORD tid = GetCurrentThreadId();

    target_begin();
    if (!copy_stubs()) {
        return 2;
    }
    if (strcmp(way, "threads") == 0) {
        return threads();
    }
    printf("ends now: %s\n", way);
    if (strcmp(way, "fastfail") == 0) {
        expect_last("+++ killed by STATUS_STACK_BUFFER_OVERRUN +++");
        expect_status(STATUS_FAST_FAIL);
        tell_expected();
        tell_now();
        __asm__ volatile("int $0x29" : : "c"(FAST_FAIL_FATAL_APP_EXIT));
    } else if (strcmp(way, "direct") == 0) {
        expect("NOT", tid, "NtTerminateProcess(*");
        expect_last("+++ ended with 41 +++");
        expect_status(41);
        tell_expected();
        tell_now();
        end_process(THIS_PROCESS, 41);
    } else if (strcmp(way, "handle") == 0) {
        HANDLE self =
            OpenProcess(PROCESS_TERMINATE, FALSE, GetCurrentProcessId());

        expect("SEQ", tid, "NtTerminateProcess(*, ExitStatus=44) = ?");
        expect_last("+++ exited with 44 +++");
        expect_status(44);
        tell_expected();
        tell_now();
        TerminateProcess(self, 44);
    }
    return 1;
}
