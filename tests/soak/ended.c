/* SPDX-License-Identifier: MIT */
/*
 * ended SEED MS - hostile: a ring of a thread that has ended is filled again and
 * again, with what the tracer has to ask about. For MS milliseconds; what the
 * first thread does meanwhile must be read all the same.
 */
#include "soak.h"

#include "wire/record.h"

#define PATIENCE_MS 5000
#define SIZE (RETURN_SIZE + 16) /* two words */

static volatile LONG over;
static volatile uint64_t teb;
static uint32_t at;  // the ring that is filled

static DWORD WINAPI spin(void *unused)
{
    (void)unused;
    teb = (uint64_t)NtCurrentTeb();
    while (!over) {
        YieldProcessor();
    }
    return 7;
}

/* A ring that nobody has, and that can be written to. */
static uint32_t free_ring(const struct soak_section *s)
{
    MEMORY_BASIC_INFORMATION m;

    for (uint32_t i = 0; i < s->max; i++) {
        if ((*soak_state_of(s, i) & RING_STATE) == RING_FREE &&
            VirtualQuery(soak_ring(s, i), &m, sizeof m) != 0 &&
            m.State == MEM_COMMIT && m.RegionSize >= RING_DATA + s->bytes) {
            return i;
        }
    }
    return s->max;
}

/* All of its room: threads that begin, each in a place of its own. */
static void fill(struct ring *r, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i += SIZE) {
        struct {
            struct record_return r;
            uint64_t words[2];
        } start = {
            .r = { .head = { SIZE, RECORD_TRANSITION, 0,
                             TRANSITION_THREAD_START, __builtin_ia32_rdtsc() },
                   .rip = 0x140001000,
                   .rsp = 0x22fc00,
                   .stack_base = 0x230000 },
            .words = { 0x200000000 + (uint64_t)i * 0x1000, 5 },
        };
        uint8_t *to = (uint8_t *)r + RING_DATA + ((r->tail + i) & (bytes - 1));

        memcpy(to, &start.r, RETURN_SIZE);
        memcpy(to + RETURN_SIZE, start.words, sizeof start.words);
    }
}

/* What this thread does is read. */
static bool is_read(const struct ring *mine)
{
    DWORD since = GetTickCount();
    uint32_t head;

    Sleep(0);
    head = mine->head;
    while ((int32_t)(mine->tail - head) < 0) {
        if (GetTickCount() - since > PATIENCE_MS) {
            return false;
        }
        YieldProcessor();
    }
    return true;
}

static DWORD WINAPI push(void *arg)
{
    const struct soak_section *s = arg;
    struct ring *r = soak_ring(s, at);

    for (;;) {
        r->head = r->tail + s->bytes;
        for (int i = 0; i < 1000; i++) {
            YieldProcessor();
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct soak_section s;
    struct ring *mine, *r;
    DWORD ms = (DWORD)number_arg(argc, argv, 2, 400);
    DWORD tid, until;
    long read = 0;
    HANDLE thread;

    target_begin();
    soak_seed(number_arg(argc, argv, 1, 1));
    soak_watch(ms + 3 * PATIENCE_MS);
    if (!soak_find(&s) ||
        (mine = soak_ring_of(&s, GetCurrentThreadId())) == NULL) {
        return soak_end(SOAK_NOTHING, "no section");
    }
    thread = start_thread(spin, 0, &tid);
    while (teb == 0) {
        Sleep(1);
    }
    at = free_ring(&s);
    if (at == s.max) {
        return soak_end(SOAK_NOTHING, "no ring to write to");
    }
    r = soak_ring(&s, at);
    r->tid = tid;
    r->teb = teb;
    r->serial++;
    r->inside = 0;
    fill(r, s.bytes);
    r->head = r->tail;
    *soak_state_of(&s, at) = RING_LIVE;
    if (s.at->ring_high <= at) {
        s.at->ring_high = at + 1;
    }
    over = 1;
    WaitForSingleObject(thread, PATIENCE_MS);
    CreateThread(NULL, 0, push, &s, 0, &tid);
    until = GetTickCount() + ms;
    while ((LONG)(until - GetTickCount()) > 0) {
        if (!is_read(mine)) {
            return soak_end(SOAK_HANGS, "hangs: read %ld times, and no more",
                            read);
        }
        read++;
    }
    return soak_end(SOAK_RIGHT, "read %ld times", read);
}
