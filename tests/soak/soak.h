/* SPDX-License-Identifier: MIT */
/*
 * soak.h - what the programs of tests/soak share: where a tracer's section
 * is in their own memory, chance by seed, an end that always comes, and work
 * whose results are known.
 *
 * Offsets are those of src/wire, by #include: a program that scribbles
 * follows the layout, and one that found nothing to scribble on has failed.
 */
#ifndef SOAK_H
#define SOAK_H

#include "../targets/target.h"
#include "wire/ring.h"
#include "wire/section.h"

/* Exit statuses; tests/soak/driver.c counts them. */
enum {
    SOAK_RIGHT = 0,
    SOAK_WRONG = 3,    // a call did not do what it should
    SOAK_HANGS = 9,    // a thread did not end in time
    SOAK_NOTHING = 77  // nothing was scribbled: no section, or no occasion
};

/* ---- chance ---------------------------------------------------------- */

static uint64_t soak_state;

static inline uint32_t soak_random(void)
{
    soak_state ^= soak_state << 13;
    soak_state ^= soak_state >> 7;
    soak_state ^= soak_state << 17;
    return (uint32_t)(soak_state >> 16);
}

static inline void soak_seed(uint64_t seed)
{
    soak_state = (seed + 1) * 0x9e3779b97f4a7c15ull;
    for (int i = 0; i < 8; i++) {
        soak_random();
    }
}

/* ---- the section ------------------------------------------------------ */

/* What stood there at first: later it may be scribbled on. */
struct soak_section {
    struct section *at;
    uint32_t bytes;
    uint32_t stride;
    uint32_t max;
};

/* Looks through all of our memory for what a tracer shares with us. False:
 * there is none. */
static inline bool soak_find(struct soak_section *s)
{
    MEMORY_BASIC_INFORMATION m;
    uint8_t *at = NULL;

    while (VirtualQuery(at, &m, sizeof m) != 0) {
        struct section *here = m.BaseAddress;

        if (m.Type == MEM_MAPPED && m.State == MEM_COMMIT &&
            m.BaseAddress == m.AllocationBase && m.RegionSize >= sizeof *here &&
            (m.Protect & (PAGE_NOACCESS | PAGE_GUARD)) == 0 &&
            here->magic == SECTION_MAGIC) {
            s->at = here;
            s->bytes = here->ring_bytes;
            s->stride = here->ring_stride;
            s->max = here->ring_max < RING_MAX ? here->ring_max : RING_MAX;
            return true;
        }
        at = (uint8_t *)m.BaseAddress + m.RegionSize;
    }
    return false;
}

static inline struct ring *soak_ring(const struct soak_section *s, uint32_t i)
{
    return (struct ring *)((uint8_t *)s->at + SECTION_RINGS +
                           (size_t)i * s->stride);
}

static inline volatile uint32_t *soak_state_of(const struct soak_section *s,
                                               uint32_t i)
{
    return (volatile uint32_t *)((uint8_t *)s->at + SECTION_RING_STATE) + i;
}

/* The ring of a thread; NULL if it has none (yet). */
static inline struct ring *soak_ring_of(const struct soak_section *s, DWORD tid)
{
    for (uint32_t i = 0; i < s->max && *soak_state_of(s, i) != 0; i++) {
        if (*soak_state_of(s, i) == RING_LIVE && soak_ring(s, i)->tid == tid) {
            return soak_ring(s, i);
        }
    }
    return NULL;
}

/* ---- an end, whatever happens ------------------------------------------ */

static inline void soak_say(const char *text)
{
    DWORD got;

    WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), text, (DWORD)strlen(text), &got,
              NULL);
}

static DWORD WINAPI soak_watching(void *ms)
{
    Sleep((DWORD)(uintptr_t)ms);
    soak_say("hangs\n");
    TerminateProcess(GetCurrentProcess(), SOAK_HANGS);
    return 0;
}

/* From now on the process lives `ms` milliseconds at most. */
static inline void soak_watch(DWORD ms)
{
    DWORD tid;

    CloseHandle(start_thread(soak_watching, ms, &tid));
}

struct soak_progress {
    volatile LONG *a, *b;
    DWORD ms;
};

static DWORD WINAPI soak_watching_progress(void *arg)
{
    const struct soak_progress *p = arg;
    LONG a = *p->a, b = *p->b;
    DWORD since = GetTickCount();

    while (GetTickCount() - since < p->ms) {
        Sleep(100);
        if (*p->a != a || *p->b != b) {
            a = *p->a;
            b = *p->b;
            since = GetTickCount();
        }
    }
    soak_say("hangs\n");
    TerminateProcess(GetCurrentProcess(), SOAK_HANGS);
    return 0;
}

/* The process lives as long as one of the two counts goes on, and `ms`
 * milliseconds more at most. */
static inline void soak_watch_progress(volatile LONG *a, volatile LONG *b,
                                       DWORD ms)
{
    static struct soak_progress p;
    DWORD tid;

    p = (struct soak_progress){ a, b, ms };
    CloseHandle(CreateThread(NULL, 0, soak_watching_progress, &p, 0, &tid));
}

/* Says what was done, in a line, and ends with that status: not by way of
 * the loader, whose lock a thread that hangs may hold. */
__attribute__((format(gnu_printf, 2, 3))) static inline int
soak_end(int status, const char *format, ...)
{
    char text[300];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text - 1, format, args);
    va_end(args);
    strcat(text, "\n");
    soak_say(text);
    if (status != SOAK_RIGHT) {
        TerminateProcess(GetCurrentProcess(), (UINT)status);
    }
    return status;
}

/* ---- work -------------------------------------------------------------- */

static char soak_path[MAX_PATH + 40];

static inline bool soak_load(void)
{
    HMODULE module = LoadLibraryA("version.dll");

    return module != NULL && FreeLibrary(module);
}

/* A file with known bytes for soak_read; soak_clean takes it away. */
static inline bool soak_file(void)
{
    HANDLE file;
    DWORD got = 0;

    GetTempPathA(MAX_PATH, soak_path);
    sprintf(soak_path + strlen(soak_path), "soak%lu.txt",
            (unsigned long)GetCurrentProcessId());
    file =
        CreateFileA(soak_path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    if (file == INVALID_HANDLE_VALUE) {
        return false;
    }
    WriteFile(file, "known bytes", 11, &got, NULL);
    return CloseHandle(file) && got == 11;
}

static inline bool soak_read(void)
{
    char bytes[32];
    DWORD got = 0;
    HANDLE file = CreateFileA(soak_path, GENERIC_READ, FILE_SHARE_READ, NULL,
                              OPEN_EXISTING, 0, NULL);
    bool right = file != INVALID_HANDLE_VALUE &&
                 ReadFile(file, bytes, sizeof bytes, &got, NULL) && got == 11 &&
                 memcmp(bytes, "known bytes", 11) == 0;

    return (file == INVALID_HANDLE_VALUE || CloseHandle(file)) && right;
}

static inline void soak_clean(void)
{
    DeleteFileA(soak_path);
}

#endif
