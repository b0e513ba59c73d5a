/* SPDX-License-Identifier: MIT */
/*
 * scribble PART SEED MS - hostile: writes random bytes over one part of the
 * section for MS milliseconds, while three threads do work with known results.
 * They must come to their end, and their results be right. PART is a name of
 * `parts` below, or `anywhere`.
 */
#include "soak.h"

#define THREADS 3
#define RINGS 6  // of main and of them, and some that nobody has
/* More than the agent waits for any answer (agent/wait.c). */
#define PATIENCE_MS 20000

/* Sizes of 0: up to the next part, or as long as the ring is. */
static const struct part {
    const char *name;
    bool in_ring;  // offsets count from the beginning of a ring
    uint32_t from;
    uint32_t to;
} parts[] = {
    { "header", false, 0, SECTION_PLAIN },
    { "plain", false, SECTION_PLAIN, SECTION_SLOT },
    { "slot", false, SECTION_SLOT, sizeof(struct section) },
    { "states", false, SECTION_RING_STATE, SECTION_RING_STATE + 4 * RINGS },
    { "pending", false, SECTION_PENDING_LIVE, SECTION_PENDING_LIVE + 16 },
    { "noted", false, SECTION_PENDING, SECTION_ROWS },
    { "rows", false, SECTION_ROWS, SECTION_PROGRAMS },
    { "programs", false, SECTION_PROGRAMS, SECTION_RINGS },
    { "line0", true, 0, RING_TAIL },
    { "line1", true, RING_TAIL, offsetof(struct ring, tid) },
    { "line2", true, offsetof(struct ring, tid), offsetof(struct ring, open) },
    { "open", true, offsetof(struct ring, open), sizeof(struct ring) },
    { "scratch", true, RING_SCRATCH,
      RING_SCRATCH + sizeof(struct ring_scratch) },
    { "args", true, RING_ARGS, RING_DATA },
    { "data", true, RING_DATA, 0 },
    { "ring", true, 0, 0 },
};

static volatile LONG stop, done, bad;

static DWORD WINAPI work(void *unused)
{
    (void)unused;
    for (uint64_t i = 0; !stop; i++) {
        if (!mark(i) ||
            NtClose((HANDLE)(uintptr_t)0x7ff0) != STATUS_BAD_HANDLE ||
            (i % 16 == 0 && !soak_read()) || (i % 64 == 0 && !soak_load())) {
            InterlockedIncrement(&bad);
        }
        InterlockedIncrement(&done);
    }
    return 0;
}

/* Some bytes within [at, at + size): of one kind, or random ones. */
static void scribble(uint8_t *at, size_t size)
{
    size_t from = soak_random() % size, count = 1 + soak_random() % 64;
    uint32_t kind = soak_random() % 4;

    if (soak_random() % 4 == 0) {
        from -= from % 8;
        count = 8;
    }
    for (size_t i = from; i < from + count && i < size; i++) {
        at[i] = kind == 0 ? 0xff : kind == 1 ? 0 : (uint8_t)soak_random();
    }
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "anywhere";
    DWORD ms = (DWORD)number_arg(argc, argv, 3, 200), until;
    uint64_t writes = 0;
    struct soak_section s;
    HANDLE threads[THREADS];
    bool ended;
    DWORD tid;

    target_begin();
    soak_seed(number_arg(argc, argv, 2, 1));
    soak_watch(3 * PATIENCE_MS);
    if (!soak_find(&s)) {
        return soak_end(SOAK_NOTHING, "no section");
    }
    CHECK(soak_file());
    for (unsigned i = 0; i < THREADS; i++) {
        threads[i] = start_thread(work, i, &tid);
    }
    while (done < 10 * THREADS) {
        Sleep(1);
    }
    until = GetTickCount() + ms;
    for (uint64_t i = 0; (LONG)(until - GetTickCount()) > 0; i++) {
        uint32_t ring = soak_random() % RINGS;
        uint32_t chosen = soak_random();

        for (size_t k = 0; k < COUNT_OF(parts); k++) {
            const struct part *p = &parts[k];
            uint32_t to = p->to != 0 ? p->to : s.stride;

            if (strcmp(name, "anywhere") == 0 ? chosen % COUNT_OF(parts) != k
                                              : strcmp(name, p->name) != 0) {
                continue;
            }
            scribble((p->in_ring ? (uint8_t *)soak_ring(&s, ring)
                                 : (uint8_t *)s.at) +
                         p->from,
                     to - p->from);
            writes++;
        }
        if (i % 8 == 0) {
            SwitchToThread();
        }
        if (i % 100 == 0) {
            Sleep(1);
        }
    }
    stop = 1;
    ended = WaitForMultipleObjects(THREADS, threads, TRUE, PATIENCE_MS) <
            WAIT_OBJECT_0 + THREADS;
    if (writes == 0) {
        return soak_end(SOAK_NOTHING, "no part %s", name);
    }
    if (!ended) {
        return soak_end(SOAK_HANGS, "hangs: %s, %llu writes", name,
                        (unsigned long long)writes);
    }
    soak_clean();
    return soak_end(bad == 0 && target_bad == 0 ? SOAK_RIGHT : SOAK_WRONG,
                    "%s: %llu writes, %ld rounds of work, %ld wrong", name,
                    (unsigned long long)writes, done, bad);
}
