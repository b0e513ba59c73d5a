/* SPDX-License-Identifier: MIT */
/*
 * unseen MS - hostile: for MS milliseconds at most a thread keeps the section's
 * count of rings at 0, so that a tracer that believes it sees no ring of the
 * 20 threads which start meanwhile, and make 20,000 calls each. All of them
 * must end.
 */
#include "soak.h"

#define THREADS 20
#define CALLS 20000
#define PATIENCE_MS 10000

static struct soak_section s;
static volatile LONG stop, bad, writes;

static DWORD WINAPI work(void *unused)
{
    (void)unused;
    for (uint64_t i = 0; i < CALLS; i++) {
        if (!mark(i)) {
            InterlockedIncrement(&bad);
        }
    }
    return 0;
}

static DWORD WINAPI scribble(void *unused)
{
    (void)unused;
    while (!stop) {
        if (s.at->ring_high != 0) {
            s.at->ring_high = 0;
            writes++;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    DWORD ms = (DWORD)number_arg(argc, argv, 1, 1000), tid[THREADS], until;
    HANDLE threads[THREADS], scribbler;
    unsigned ended = 0;

    target_begin();
    soak_watch(ms + 3 * PATIENCE_MS);
    if (!soak_find(&s)) {
        return soak_end(SOAK_NOTHING, "no section");
    }
    scribbler = start_thread(scribble, 0, &tid[0]);
    Sleep(10);
    for (unsigned i = 0; i < THREADS; i++) {
        threads[i] = start_thread(work, i, &tid[i]);
    }
    /* When the last one has ended there is nothing left to be unseen. */
    WaitForMultipleObjects(THREADS, threads, TRUE, ms);
    stop = 1;
    WaitForSingleObject(scribbler, INFINITE);
    until = GetTickCount() + PATIENCE_MS;
    for (unsigned i = 0; i < THREADS; i++) {
        LONG left = (LONG)(until - GetTickCount());

        ended += WaitForSingleObject(threads[i], left > 0 ? (DWORD)left : 0) ==
                 WAIT_OBJECT_0;
    }
    if (writes == 0) {
        return soak_end(SOAK_NOTHING, "the count of rings was never written");
    }
    if (ended < THREADS) {
        return soak_end(SOAK_HANGS, "hangs: %u of %u threads ended, %ld writes",
                        ended, THREADS, writes);
    }
    return soak_end(bad == 0 ? SOAK_RIGHT : SOAK_WRONG,
                    "%u threads, %ld writes, %ld wrong", ended, writes, bad);
}
