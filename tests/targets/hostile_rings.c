/* SPDX-License-Identifier: MIT */
/*
 * hostile_rings - writes into the memory that a tracer shares with it: over
 * the records of a thread that loads DLLs, over the words that the tracer
 * reads, over the list of rings. That may garble the trace; the program gets
 * its own results, and the tracer lives to tell its exit status. Without a
 * tracer there is nothing to write to, and it runs the same.
 */
#include "target.h"

/* src/wire/section.h and ring.h. */
#define SECTION_MAGIC 0x3153544e
#define SECTION_RING_BYTES 0x10
#define SECTION_RING_HIGH 0x20
#define SECTION_RING_STATE 0x1000
#define RING_LIVE 3
#define RING_MAX 8192
#define RING_TAIL 0x40
#define RING_ANSWER 0x44
#define RING_LINE2 0x80
#define RING_ASK 0x90
#define RING_LOST 0xa8
#define RING_DATA 0x5000
#define TEB_RING 0x2d0

#define LOADS 200
#define CALLS 2000
#define PATIENCE_MS 30000

static uint8_t *volatile victim;
static volatile LONG stop;

static uint8_t *own_ring(void)
{
    return (uint8_t *)(uintptr_t)__readgsqword(TEB_RING);
}

/* The shared memory, NULL if there is none. */
static uint8_t *section(void)
{
    MEMORY_BASIC_INFORMATION m;
    uint8_t *ring = own_ring();

    if (ring == NULL || VirtualQuery(ring, &m, sizeof m) == 0 ||
        *(uint32_t *)m.AllocationBase != SECTION_MAGIC) {
        return NULL;
    }
    return m.AllocationBase;
}

static volatile uint32_t *word(uint8_t *at, size_t offset)
{
    return (volatile uint32_t *)(void *)(at + offset);
}

static DWORD WINAPI load(void *unused)
{
    DWORD loaded = 0;

    (void)unused;
    victim = own_ring();
    for (int i = 0; i < LOADS; i++) {
        HMODULE m = LoadLibraryExA("version.dll", NULL, 0);

        loaded += m != NULL;
        FreeLibrary(m);
    }
    return loaded;
}

static DWORD WINAPI scribble(void *bytes)
{
    while (!stop) {
        if (victim != NULL) {
            memset(victim + RING_DATA, 0xff, (size_t)(uintptr_t)bytes);
        }
    }
    return 0;
}

/* Calls, and every now and then garbage in a word that the tracer reads. */
static DWORD WINAPI scribble_words(void *unused)
{
    uint32_t x = 0x12345678;
    uint8_t *ring = own_ring();
    DWORD right = 0;

    (void)unused;
    for (int i = 0; i < CALLS; i++) {
        static const uint16_t words[] = {
            RING_TAIL, RING_ANSWER,  RING_LINE2, RING_LINE2 + 4, RING_LINE2 + 8,
            RING_ASK,  RING_ASK + 4, RING_LOST,  RING_LOST + 4,  RING_LOST + 12,
        };

        x = x * 1664525 + 1013904223;
        if (ring != NULL && i % 20 == 0) {
            *word(ring, words[x / 7 % COUNT_OF(words)]) = x;
        }
        right += NtClose((HANDLE)(uintptr_t)0x7ff0) == STATUS_BAD_HANDLE;
    }
    return right;
}

static DWORD result_of(HANDLE thread)
{
    DWORD code = 0;

    if (WaitForSingleObject(thread, PATIENCE_MS) != WAIT_OBJECT_0) {
        printf("a thread hangs\n");
        tell_now();
        TerminateProcess(THIS_PROCESS, 2);
    }
    GetExitCodeThread(thread, &code);
    return code;
}

int main(void)
{
    uint8_t *s = section();
    HANDLE loader, scribbler;

    target_begin();
    if (s != NULL) {
        for (size_t i = RING_MAX / 2; i < RING_MAX; i++) {
            *word(s, SECTION_RING_STATE + 4 * i) = RING_LIVE;
        }
        *word(s, SECTION_RING_HIGH) = UINT32_MAX;
        Sleep(200);
        *word(s, SECTION_RING_HIGH) = 16;
        for (size_t i = RING_MAX / 2; i < RING_MAX; i++) {
            *word(s, SECTION_RING_STATE + 4 * i) = 0;
        }
    }
    CHECK(result_of(start_thread(scribble_words, 0, NULL)) == CALLS);

    loader = start_thread(load, 0, NULL);
    scribbler = start_thread(
        scribble, s == NULL ? 0 : *word(s, SECTION_RING_BYTES), NULL);
    CHECK(result_of(loader) == LOADS);
    stop = 1;
    result_of(scribbler);

    expect_last("+++ exited with 0 +++");
    return target_bad != 0;
}
