/* SPDX-License-Identifier: MIT */
/*
 * hostile_dead - says in the tracer's name that there is no tracer any more.
 * The tracer takes it back; threads that begin afterwards are traced.
 */
#include "target.h"

/* struct section and struct ring of wire/section.h, wire/ring.h. */
#define SECTION_MAGIC 0x3153544eu
#define SECTION_DEAD 0x1c
#define TEB_RING 0x2d0

static volatile uint32_t *dead_word(void)
{
    void *ring = (void *)__readgsqword(TEB_RING);
    MEMORY_BASIC_INFORMATION m;

    if (ring == NULL || VirtualQuery(ring, &m, sizeof m) != sizeof m ||
        *(const uint32_t *)m.AllocationBase != SECTION_MAGIC) {
        return NULL;
    }
    return (volatile uint32_t *)((char *)m.AllocationBase + SECTION_DEAD);
}

static DWORD WINAPI run(void *unused)
{
    (void)unused;
    for (uint64_t i = 1; i <= 5; i++) {
        CHECK(mark(i));
    }
    return 7;
}

int main(void)
{
    volatile uint32_t *dead;
    HANDLE thread;
    DWORD tid;

    target_begin();
    dead = dead_word();
    if (dead != NULL) {
        *dead = 1;
        for (int i = 0; *dead != 0 && i < 5000; i++) {
            Sleep(1);
        }
        CHECK(*dead == 0);
    }
    thread = start_thread(run, 0, &tid);
    CHECK(WaitForSingleObject(thread, 20000) == WAIT_OBJECT_0);
    for (uint64_t i = 1; i <= 5; i++) {
        expect_mark("SEQ", tid, i);
    }
    return target_end();
}
