/* SPDX-License-Identifier: MIT */
/*
 * hostile_handles - closes every handle there is, as programs do that become
 * another, takes the protection off those that refuse and closes them too;
 * then writes nonsense into the stack limits of its thread. With both it goes
 * on making calls, more than any ring holds.
 */
#include "target.h"

#define HIGHEST 0x1000
#define CALLS 100000

static DWORD WINAPI run(void *unused)
{
    NT_TIB *tib = (NT_TIB *)NtCurrentTeb();
    void *base = tib->StackBase, *limit = tib->StackLimit;
    DWORD right = 0;

    (void)unused;
    tib->StackBase = (void *)(uintptr_t)0x1000;
    tib->StackLimit = (void *)(uintptr_t)0xfffffffffffff000;
    for (uint64_t i = 0; i < CALLS; i++) {
        right += mark(i);
    }
    tib->StackBase = base;
    tib->StackLimit = limit;
    return right;
}

int main(void)
{
    HANDLE thread, out = GetStdHandle(STD_OUTPUT_HANDLE), file = NULL;
    DWORD right = 0;

    target_begin();
    /* What it prints with is spared. */
    file = (HANDLE)_get_osfhandle(_fileno(stdout));
    for (uintptr_t h = 4; h < HIGHEST; h += 4) {
        if ((HANDLE)h == out || (HANDLE)h == file) {
            continue;
        }
        if (NtClose((HANDLE)h) < 0 &&
            SetHandleInformation((HANDLE)h, HANDLE_FLAG_PROTECT_FROM_CLOSE,
                                 0)) {
            NtClose((HANDLE)h);
        }
    }
    thread = start_thread(run, 0, NULL);
    CHECK(WaitForSingleObject(thread, 60000) == WAIT_OBJECT_0);
    GetExitCodeThread(thread, &right);
    CHECK(right == CALLS);
    expect_last("+++ exited with 0 +++");
    return target_bad != 0;
}
