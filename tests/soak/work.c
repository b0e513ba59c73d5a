/* SPDX-License-Identifier: MIT */
/*
 * work EVENT - says that it has begun by setting the event of that name, then
 * does work with known results in four threads, some tenths of a second.
 * Exit status WORK_DONE if all were right; for the driver, which ends its
 * tracer meanwhile.
 */
#include "work.h"
#include "soak.h"

#define ROUNDS 300

static volatile LONG bad;

static DWORD WINAPI work(void *unused)
{
    (void)unused;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        if (!mark(i) ||
            NtClose((HANDLE)(uintptr_t)0x7ff0) != STATUS_BAD_HANDLE ||
            (i % 100 == 0 && !soak_load())) {
            InterlockedIncrement(&bad);
        }
        if (i % 100 == 0) {
            Sleep(1);
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    HANDLE threads[4], begun;
    DWORD tid;

    target_begin();
    begun = OpenEventA(EVENT_MODIFY_STATE, FALSE, argc > 1 ? argv[1] : "");
    if (begun != NULL) {
        SetEvent(begun);
    }
    for (unsigned i = 0; i < 4; i++) {
        threads[i] = start_thread(work, i, &tid);
    }
    WaitForMultipleObjects(4, threads, TRUE, INFINITE);
    return bad == 0 ? WORK_DONE : SOAK_WRONG;
}
