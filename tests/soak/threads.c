/* SPDX-License-Identifier: MIT */
/*
 * threads N SEED - starts N threads that end at once, while two others load
 * and free a DLL: harmless, and what every program does with a plug-in. By
 * the seed the threads come from CreateThread or RtlCreateUserThread,
 * suspended or not. Ends with status 0, without a tracer as well.
 */
#include "soak.h"

/* With two loops beside it and the tracer it may be slow; a hang is when
 * nothing at all goes on for so long. */
#define PATIENCE_MS 20000

NTSYSAPI NTSTATUS NTAPI RtlCreateUserThread(HANDLE process, void *security,
                                            BOOLEAN suspended, ULONG zero_bits,
                                            SIZE_T reserve, SIZE_T commit,
                                            void *start, void *argument,
                                            HANDLE *thread, void *client);

static volatile LONG stop, loads, started, bad;

static DWORD WINAPI load(void *unused)
{
    (void)unused;
    while (!stop) {
        InterlockedIncrement(soak_load() ? &loads : &bad);
    }
    return 0;
}

static DWORD WINAPI nothing(void *unused)
{
    (void)unused;
    return 0;
}

static HANDLE start(unsigned how)
{
    HANDLE thread = NULL;
    bool suspended = how == 1 || how == 3;

    if (how < 2) {
        thread = CreateThread(NULL, 0, nothing, NULL,
                              suspended ? CREATE_SUSPENDED : 0, NULL);
    } else if (RtlCreateUserThread(THIS_PROCESS, NULL, suspended, 0, 0, 0,
                                   (void *)(uintptr_t)nothing, NULL, &thread,
                                   NULL) < 0) {
        thread = NULL;
    }
    if (thread != NULL && suspended) {
        ResumeThread(thread);
    }
    return thread;
}

int main(int argc, char **argv)
{
    static const char *const names[4] = { "CreateThread",
                                          "CreateThread, suspended",
                                          "RtlCreateUserThread",
                                          "RtlCreateUserThread, suspended" };
    uint64_t count = number_arg(argc, argv, 1, 100);
    unsigned how = (unsigned)(number_arg(argc, argv, 2, 1) % 4);
    HANDLE loaders[2];
    DWORD tid;

    target_begin();
    soak_watch_progress(&loads, &started, PATIENCE_MS);
    for (unsigned i = 0; i < 2; i++) {
        loaders[i] = start_thread(load, i, &tid);
    }
    for (uint64_t i = 0; i < count; i++) {
        HANDLE thread = start(how);

        InterlockedIncrement(&started);
        if (thread == NULL) {
            InterlockedIncrement(&bad);
            continue;
        }
        if (i % 8 == 0) {
            WaitForSingleObject(thread, INFINITE);
        }
        CloseHandle(thread);
    }
    stop = 1;
    WaitForMultipleObjects(2, loaders, TRUE, INFINITE);
    return soak_end(bad == 0 ? SOAK_RIGHT : SOAK_WRONG,
                    "%llu threads by %s, %ld loads, %ld wrong",
                    (unsigned long long)count, names[how], loads, bad);
}
