/* SPDX-License-Identifier: MIT */
/*
 * threads2000 [THREADS] - 2,000 threads are started and ended, 50 at a time.
 * Thread ids are used again and again, the expectations about one id come in
 * the order of its threads.
 */
#include "target.h"

#define BATCH 50

static HANDLE go;

static DWORD WINAPI run(void *n)
{
    CHECK(mark((uintptr_t)n));
    WaitForSingleObject(go, INFINITE);
    return (DWORD)(uintptr_t)n;
}

int main(int argc, char **argv)
{
    uint64_t threads = number_arg(argc, argv, 1, 2000);

    target_begin();
    go = CreateEventA(NULL, TRUE, FALSE, NULL);
    for (uint64_t from = 1; from <= threads; from += BATCH) {
        HANDLE thread[BATCH];
        DWORD tid[BATCH];

        ResetEvent(go);
        for (uint64_t i = 0; i < BATCH; i++) {
            thread[i] = start_thread(run, from + i, &tid[i]);
        }
        /* None ends before all have begun: no id twice in one batch. */
        SetEvent(go);
        for (uint64_t i = 0; i < BATCH; i++) {
            DWORD code = 0;

            WaitForSingleObject(thread[i], INFINITE);
            GetExitCodeThread(thread[i], &code);
            CHECK(code == from + i);
            CloseHandle(thread[i]);
            expect("SEQ", tid[i], "--- THREAD_START * ---");
            expect_mark("SEQ", tid[i], from + i);
            expect_thread_end(tid[i], code);
        }
    }
    printf("%d threads\n", (int)threads);
    return target_end();
}
