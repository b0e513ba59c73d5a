/* SPDX-License-Identifier: MIT */
/*
 * sync.c - events, waiting, our own threads, clocks.
 *
 * Touches our own process only. Creating fails with the system's reason; what
 * works on a handle that we have cannot fail in a way that could be mended,
 * and says nothing.
 */
#include "platform/win/win.h"

#include <cpuid.h>

#include "base/banned.h"

void *os_event_open(bool manual, struct err *e)
{
    HANDLE h = CreateEventW(NULL, manual, FALSE, NULL);

    if (h == NULL) {
        win_fail(e, "cannot create an event");
    }
    return h;
}

void os_event_set(void *event)
{
    SetEvent(event);
}

void os_event_reset(void *event)
{
    ResetEvent(event);
}

void os_event_pulse(void *event)
{
    PulseEvent(event);
}

void os_event_close(void *event)
{
    if (event != NULL) {
        CloseHandle(event);
    }
}

int os_wait(void *const *handles, int count, uint32_t ms)
{
    DWORD r = WaitForMultipleObjects((DWORD)count, (const HANDLE *)handles,
                                     FALSE, ms);

    return r < WAIT_OBJECT_0 + (DWORD)count ? (int)(r - WAIT_OBJECT_0) : -1;
}

void os_sleep(uint32_t ms)
{
    Sleep(ms);
}

void os_relax(void)
{
    YieldProcessor();
}

void os_yield(void)
{
    SwitchToThread();
}

static DWORD WINAPI run(void *arg)
{
    struct os_thread_start *start = arg;

    start->run(start->arg);
    return 0;
}

bool os_thread_run(void **thread, struct os_thread_start *start, struct err *e)
{
    HANDLE h = CreateThread(NULL, 0, run, start, 0, NULL);

    if (h == NULL) {
        return win_fail(e, "cannot start a thread");
    }
    *thread = h;
    return true;
}

void os_thread_join(void *thread)
{
    if (thread != NULL) {
        WaitForSingleObject(thread, INFINITE);
        CloseHandle(thread);
    }
}

void os_thread_leave(void *thread)
{
    if (thread != NULL) {
        CloseHandle(thread);
    }
}

uint64_t os_tsc(void)
{
    return __builtin_ia32_rdtsc();
}

void os_clock_read(struct os_clock *out)
{
    LARGE_INTEGER a, b;
    FILETIME ft;
    uint64_t best = UINT64_MAX;

    GetSystemTimePreciseAsFileTime(&ft);
    out->wall = (uint64_t)ft.dwHighDateTime << 32 | ft.dwLowDateTime;
    /* The pair that was read with the least between. */
    for (int i = 0; i < 5; i++) {
        uint64_t t;

        QueryPerformanceCounter(&a);
        t = os_tsc();
        QueryPerformanceCounter(&b);
        if ((uint64_t)(b.QuadPart - a.QuadPart) < best) {
            best = (uint64_t)(b.QuadPart - a.QuadPart);
            out->tsc = t;
            out->counter =
                (uint64_t)a.QuadPart + (uint64_t)(b.QuadPart - a.QuadPart) / 2;
        }
    }
}

int32_t os_utc_offset(void)
{
    TIME_ZONE_INFORMATION zone;
    DWORD kind = GetTimeZoneInformation(&zone);
    LONG minutes = zone.Bias;

    if (kind == TIME_ZONE_ID_INVALID) {
        return 0;
    }
    if (kind == TIME_ZONE_ID_DAYLIGHT) {
        minutes += zone.DaylightBias;
    } else if (kind == TIME_ZONE_ID_STANDARD) {
        minutes += zone.StandardBias;
    }
    return -minutes * 60;
}

uint64_t os_counter_frequency(void)
{
    LARGE_INTEGER f;

    QueryPerformanceFrequency(&f);
    return (uint64_t)f.QuadPart;
}

bool os_calls_by_interrupt(void)
{
    return (*(const volatile uint8_t *)(uintptr_t)0x7ffe0308 & 1) != 0;
}

uint64_t os_xsave_mask(void)
{
    unsigned a, b, c, d;
    uint32_t low, high;

    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & bit_OSXSAVE) == 0) {
        return 0;
    }
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    /* x87, SSE, AVX, AVX-512: together 2,688 bytes, which fit the page that
     * a ring has for them. Not AMX, whose tiles alone are 8 KiB. */
    return low & 0xe7;
}
