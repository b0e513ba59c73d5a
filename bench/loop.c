/* SPDX-License-Identifier: MIT */
/*
 * loop.c - a program that makes system calls and says what they cost it.
 *
 *   loop [-c] [-a] [-n] [-r N] [-k KIND] [-p MS] [-d N] THREADS CALLS ROUNDS
 *
 *   -c      first registers the emptiest return callback there is, `jmp r10`
 *   -a      every other round is thread 0's alone
 *   -n      numbered calls: NtFlushInstructionCache(process, N, 0), which does
 *           nothing, N counting up from 1 in each thread
 *   -r N    of numbered calls each Nth has an NtYieldExecution behind it: what
 *           a filter can look for
 *   -k KIND instead of the cheapest call one that points to memory:
 *             open       NtOpenEvent with a name of an odd number of bytes: it
 *                        is refused for that, after its structures were read;
 *                        they are on the thread's stack
 *             open-far   the same, and they are on the heap
 *             clock      NtQueryPerformanceCounter, which fills two integers
 *                        on the thread's stack
 *             clock-far  the same, and they are on the heap
 *   -d N    calls from functions N deep, of 160 bytes and more each: that much
 *           stack lies above
 *   -p MS   sleeps so long between rounds (30), so that a tracer's reader
 *           can empty the rings where nobody measures
 *
 * In a round each thread makes CALLS calls of NtGetCurrentProcessorNumber, the
 * cheapest there is, or of the KIND asked for, after a tenth as many that do
 * not count; all threads begin together. Numbered calls are all counted. Prints
 * a line a round:
 *
 *   round THREADS NS     so many threads; from the first one's first call to
 *                        the last one's last: nanoseconds, divided by CALLS
 *
 * Times are the TSC, its rate taken from QueryPerformanceCounter over the
 * whole run. A program of its own measures itself in the same way traced and
 * untraced: what differs is what tracing costs. Exit status 2 for a usage
 * error, 1 if something could not be done.
 */
#include <windows.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS_MAX 64
#define ROUNDS_MAX 1000
#define THIS_PROCESS ((HANDLE)(intptr_t)-1)
/* NtSetInformationProcess's ProcessInstrumentationCallback. */
#define CLASS_CALLBACK 40
/* A thread that spins longer sleeps: there may be fewer CPUs than threads. */
#define SPINS 200000

struct unicode_string {
    USHORT length;  // bytes
    USHORT room;
    WCHAR *text;
};

struct object_attributes {
    ULONG length;
    HANDLE root;
    struct unicode_string *name;
    ULONG attributes;
    void *security;
    void *quality;
};

NTSYSAPI LONG NTAPI NtSetInformationProcess(HANDLE process, int info_class,
                                            void *info, ULONG length);
NTSYSAPI ULONG NTAPI NtGetCurrentProcessorNumber(void);
NTSYSAPI LONG NTAPI NtFlushInstructionCache(HANDLE process, const void *base,
                                            SIZE_T size);
NTSYSAPI LONG NTAPI NtYieldExecution(void);
NTSYSAPI LONG NTAPI NtOpenEvent(HANDLE *event, ACCESS_MASK access,
                                const struct object_attributes *attributes);
NTSYSAPI LONG NTAPI NtQueryPerformanceCounter(LARGE_INTEGER *counter,
                                              LARGE_INTEGER *frequency);

struct callback_info {
    ULONG version;
    ULONG reserved;
    void *callback;
};

/* What a call that points to memory points to. */
struct pointed {
    struct object_attributes attributes;
    struct unicode_string name;
    WCHAR text[32];
    HANDLE event;
    LARGE_INTEGER counter;
    LARGE_INTEGER frequency;
};

struct kind {
    const char *name;
    void (*calls)(struct pointed *p, uint64_t count);
    bool on_heap;
};

static struct {
    uint32_t threads;
    uint64_t calls;
    uint32_t rounds;
    uint32_t pause;  // milliseconds
    uint32_t depth;
    bool callback;
    bool alternate;
    bool numbered;
    uint64_t rare;  // 0: none
    const struct kind *kind;
} options = { .pause = 30 };

static LONG volatile arrived;
static uint64_t begun[THREADS_MAX][ROUNDS_MAX];
static uint64_t ended[THREADS_MAX][ROUNDS_MAX];

static uint64_t tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

/* All threads come out of it at about the same time. Without a system call,
 * as long as there is a CPU for each. */
static void meet(uint32_t round)
{
    LONG all = (LONG)((round + 1) * options.threads);

    InterlockedIncrement(&arrived);
    for (uint32_t i = 0; arrived < all; i++) {
        YieldProcessor();
        if (i > SPINS) {
            Sleep(1);
        }
    }
}

static void calls_cheapest(struct pointed *p, uint64_t count)
{
    (void)p;
    for (uint64_t i = 0; i < count; i++) {
        NtGetCurrentProcessorNumber();
    }
}

static void calls_open(struct pointed *p, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        NtOpenEvent(&p->event, EVENT_ALL_ACCESS, &p->attributes);
    }
}

static void calls_clock(struct pointed *p, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        NtQueryPerformanceCounter(&p->counter, &p->frequency);
    }
}

/* The number to go on with. */
static uint64_t calls_numbered(uint64_t number)
{
    uint64_t left = options.rare;

    for (uint64_t i = 0; i < options.calls; i++) {
        NtFlushInstructionCache(THIS_PROCESS, (void *)(uintptr_t)number++, 0);
        if (left > 0 && --left == 0) {
            NtYieldExecution();
            left = options.rare;
        }
    }
    return number;
}

static const struct kind kinds[] = {
    { "cheapest", calls_cheapest, false }, { "open", calls_open, false },
    { "open-far", calls_open, true },      { "clock", calls_clock, false },
    { "clock-far", calls_clock, true },
};

static void point(struct pointed *p)
{
    static const WCHAR text[] = L"\\BaseNamedObjects\\SomeEvent";

    memset(p, 0, sizeof *p);
    memcpy(p->text, text, sizeof text);
    p->name.text = p->text;
    p->name.length = sizeof text - sizeof *text - 1;  // odd
    p->name.room = sizeof text;
    p->attributes.length = sizeof p->attributes;
    p->attributes.name = &p->name;
}

static DWORD run_here(void *arg)
{
    uint32_t me = (uint32_t)(uintptr_t)arg;
    uint64_t number = 1;
    struct pointed here, *there = malloc(sizeof *there);
    struct pointed *p = options.kind->on_heap ? there : &here;

    if (p == NULL) {
        return 1;
    }
    point(p);
    for (uint32_t round = 0; round < options.rounds; round++) {
        bool idle = options.alternate && round % 2 == 0 && me != 0;

        meet(round);
        if (!idle) {
            if (!options.numbered) {
                options.kind->calls(p, options.calls / 10);
            }
            begun[me][round] = tsc();
            if (options.numbered) {
                number = calls_numbered(number);
            } else {
                options.kind->calls(p, options.calls);
            }
            ended[me][round] = tsc();
        }
        if (options.pause > 0) {
            Sleep(options.pause);
        }
    }
    free(there);
    return 0;
}

__attribute__((noinline)) static DWORD deeper(void *arg, uint32_t depth)
{
    volatile char room[128];
    DWORD result;

    room[0] = 1;
    result = depth > 0 ? deeper(arg, depth - 1) : run_here(arg);
    return result + (DWORD)room[0] - 1;
}

static DWORD WINAPI run(void *arg)
{
    return deeper(arg, options.depth);
}

static bool set_empty_callback(void)
{
    static const uint8_t jmp_r10[] = { 0x41, 0xff, 0xe2 };
    struct callback_info info = { 0 };
    DWORD old;
    uint8_t *code =
        VirtualAlloc(NULL, 4096, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);

    if (code == NULL) {
        return false;
    }
    memcpy(code, jmp_r10, sizeof jmp_r10);
    info.callback = code;
    return VirtualProtect(code, 4096, PAGE_EXECUTE_READ, &old) &&
           NtSetInformationProcess(THIS_PROCESS, CLASS_CALLBACK, &info,
                                   sizeof info) >= 0;
}

static const struct kind *kind_of(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(name, kinds[i].name) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

static bool parse(int argc, char **argv)
{
    int i = 1;

    options.kind = kinds;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "-c") == 0) {
            options.callback = true;
        } else if (strcmp(argv[i], "-a") == 0) {
            options.alternate = true;
        } else if (strcmp(argv[i], "-n") == 0) {
            options.numbered = true;
        } else if (strcmp(argv[i], "-r") == 0 && i + 1 < argc) {
            options.rare = strtoull(argv[++i], NULL, 0);
        } else if (strcmp(argv[i], "-k") == 0 && i + 1 < argc) {
            options.kind = kind_of(argv[++i]);
        } else if (strcmp(argv[i], "-p") == 0 && i + 1 < argc) {
            options.pause = (uint32_t)strtoul(argv[++i], NULL, 0);
        } else if (strcmp(argv[i], "-d") == 0 && i + 1 < argc) {
            options.depth = (uint32_t)strtoul(argv[++i], NULL, 0);
        } else {
            return false;
        }
    }
    if (argc - i != 3 || options.kind == NULL) {
        return false;
    }
    options.threads = (uint32_t)strtoul(argv[i], NULL, 0);
    options.calls = strtoull(argv[i + 1], NULL, 0);
    options.rounds = (uint32_t)strtoul(argv[i + 2], NULL, 0);
    return options.threads >= 1 && options.threads <= THREADS_MAX &&
           options.calls >= 1 && options.rounds >= 1 &&
           options.rounds <= ROUNDS_MAX;
}

static void print_round(uint32_t round, double ns_per_tick)
{
    uint64_t first = UINT64_MAX, last = 0;
    uint32_t threads = 0;

    for (uint32_t i = 0; i < options.threads; i++) {
        if (ended[i][round] == 0) {
            continue;
        }
        threads++;
        first = begun[i][round] < first ? begun[i][round] : first;
        last = ended[i][round] > last ? ended[i][round] : last;
    }
    printf("round %u %.2f\n", (unsigned)threads,
           (double)(last - first) * ns_per_tick / (double)options.calls);
}

int main(int argc, char **argv)
{
    LARGE_INTEGER rate, from, to;
    HANDLE thread[THREADS_MAX];
    uint64_t tsc_from, tsc_to;
    double ns_per_tick;

    if (!parse(argc, argv)) {
        fprintf(stderr,
                "usage: loop [-c] [-a] [-n] [-r N] [-k KIND] [-p MS] [-d N] "
                "THREADS CALLS ROUNDS\n");
        return 2;
    }
    if (options.callback && !set_empty_callback()) {
        fprintf(stderr, "loop: the callback was refused\n");
        return 1;
    }
    QueryPerformanceFrequency(&rate);
    QueryPerformanceCounter(&from);
    tsc_from = tsc();
    for (uint32_t i = 0; i < options.threads; i++) {
        thread[i] = CreateThread(NULL, 0, run, (void *)(uintptr_t)i, 0, NULL);
        if (thread[i] == NULL) {
            fprintf(stderr, "loop: no thread\n");
            return 1;
        }
    }
    WaitForMultipleObjects(options.threads, thread, TRUE, INFINITE);
    if (tsc() - tsc_from < 100000000) {
        Sleep(50);
    }
    QueryPerformanceCounter(&to);
    tsc_to = tsc();
    ns_per_tick = (double)(to.QuadPart - from.QuadPart) * 1e9 /
                  (double)rate.QuadPart / (double)(tsc_to - tsc_from);
    for (uint32_t i = 0; i < options.rounds; i++) {
        print_round(i, ns_per_tick);
    }
    return 0;
}
