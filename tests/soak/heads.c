/* SPDX-License-Identifier: MIT */
/*
 * heads SEED MS - hostile: one thread loads and frees a DLL, and waits for
 * the tracer's answer each time; another one writes to its ring's head
 * meanwhile, odd values and others. For MS milliseconds; then the first one
 * must end, whatever it was waiting for.
 */
#include "soak.h"

#define PATIENCE_MS 8000
#define RING_PATIENCE_MS 2000

static volatile LONG stop, loads, bad;

static DWORD WINAPI load(void *unused)
{
    (void)unused;
    while (!stop) {
        InterlockedIncrement(soak_load() ? &loads : &bad);
    }
    return 0;
}

/* A value for a head that is `head` now. */
static uint32_t value(const struct ring *ring, uint32_t head, uint32_t bytes)
{
    switch (soak_random() % 8) {
    case 0:
        return head + 8 * (soak_random() % 64);
    case 1:
        return head - 8 * (soak_random() % 64);
    case 2:
        return ring->tail + 1 + soak_random() % 7;
    case 3:
        return ring->tail + bytes + soak_random() % 16;
    case 4:
        return soak_random();
    default:
        return head + 1 + soak_random() % 7;
    }
}

int main(int argc, char **argv)
{
    struct soak_section s;
    struct ring *ring = NULL;
    DWORD ms = (DWORD)number_arg(argc, argv, 2, 400);
    DWORD tid, until;
    long waited = 0, others = 0;
    bool ended;
    HANDLE loader;

    target_begin();
    soak_seed(number_arg(argc, argv, 1, 1));
    soak_watch(RING_PATIENCE_MS + ms + 2 * PATIENCE_MS);
    if (!soak_find(&s)) {
        return soak_end(SOAK_NOTHING, "no section");
    }
    loader = start_thread(load, 0, &tid);
    until = GetTickCount() + RING_PATIENCE_MS;
    while ((ring = soak_ring_of(&s, tid)) == NULL &&
           (LONG)(until - GetTickCount()) > 0) {
        Sleep(1);
    }
    until = GetTickCount() + ms;
    while (ring != NULL && (LONG)(until - GetTickCount()) > 0) {
        /* It waits a few tenths of a millisecond: only who spins sees it. */
        for (int i = 0; i < 100000 && ring->waiting != RING_WAITS_ANSWER; i++) {
            YieldProcessor();
        }
        waited += ring->waiting == RING_WAITS_ANSWER;
        others++;
        ring->head = value(ring, ring->head, s.bytes);
        if (soak_random() % 4 == 0) {
            Sleep(soak_random() % 3);
        }
    }
    stop = 1;
    ended = WaitForSingleObject(loader, PATIENCE_MS) == WAIT_OBJECT_0;
    if (ring == NULL || others == 0) {
        return soak_end(SOAK_NOTHING, "no ring to write to");
    }
    if (!ended) {
        return soak_end(
            SOAK_HANGS,
            "hangs: %ld writes, %ld of them while it waited, %ld loads; "
            "waiting %u, asked %u, answered %u, head %x, tail %x",
            others, waited, loads, ring->waiting, ring->ask, ring->answer,
            ring->head, ring->tail);
    }
    return soak_end(bad == 0 ? SOAK_RIGHT : SOAK_WRONG,
                    "%ld writes, %ld of them while it waited, %ld loads, "
                    "%ld wrong",
                    others, waited, loads, bad);
}
