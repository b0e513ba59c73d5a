/* SPDX-License-Identifier: MIT */
/*
 * latency LIMIT COMMAND... - runs a tracer that writes slow300's trace to
 * stderr, and asks that the line of each call was here at most LIMIT
 * milliseconds after the call was over. Exit status 0 if so. The figures are
 * on stderr.
 */
#include "launch.h"

#define CALLS_MAX 1000
#define FIRST 0x510000u

static unsigned long long arrived[CALLS_MAX];

static void line_is_here(const char *line, unsigned long long now)
{
    const char *call = strstr(line, "NtQueryVirtualMemory(0xffffffffffffffff,");
    unsigned long long n;

    if (call == NULL) {
        return;
    }
    n = strtoull(strchr(call, ',') + 2, NULL, 0) - FIRST;
    if (n < CALLS_MAX && arrived[n] == 0) {
        arrived[n] = now;
    }
}

/* Reads the trace until its end. */
static DWORD WINAPI read_trace(void *pipe)
{
    static char line[1 << 16];
    size_t size = 0;
    DWORD got;

    while (ReadFile(pipe, line + size, (DWORD)(sizeof line - 1 - size), &got,
                    NULL) &&
           got > 0) {
        unsigned long long now = __builtin_ia32_rdtsc();
        char *p = line, *end;

        size += got;
        line[size] = 0;
        while ((end = strchr(p, '\n')) != NULL) {
            *end = 0;
            line_is_here(p, now);
            p = end + 1;
        }
        size -= (size_t)(p - line);
        memmove(line, p, size);
        if (size == sizeof line - 1) {
            size = 0;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    unsigned long limit = (unsigned long)number_arg(argc, argv, 1, 100);
    HANDLE out, out_end, trace, trace_end, reader;
    LARGE_INTEGER qpc[2], per_second;
    unsigned long long tsc[2];
    PROCESS_INFORMATION tracer;
    double per_ms, worst = 0;
    char told[128];
    int calls = 0, late = 0;
    FILE *f;

    target_begin();
    QueryPerformanceFrequency(&per_second);
    QueryPerformanceCounter(&qpc[0]);
    tsc[0] = __builtin_ia32_rdtsc();
    launch_pipe(&out, &out_end);
    launch_pipe(&trace, &trace_end);
    tracer = launch(launch_tail(2), out_end, trace_end);
    CloseHandle(out_end);
    CloseHandle(trace_end);
    reader = CreateThread(NULL, 0, read_trace, trace, 0, NULL);
    f = _fdopen(_open_osfhandle((intptr_t)out, 0), "r");
    WaitForSingleObject(tracer.hProcess, INFINITE);
    WaitForSingleObject(reader, INFINITE);
    QueryPerformanceCounter(&qpc[1]);
    tsc[1] = __builtin_ia32_rdtsc();
    per_ms = (double)(tsc[1] - tsc[0]) * (double)per_second.QuadPart /
             (double)(qpc[1].QuadPart - qpc[0].QuadPart) / 1000;

    while (fgets(told, sizeof told, f) != NULL) {
        unsigned long long n, when;
        double ms;

        if (sscanf(told, "CALL %llx %llu", &n, &when) != 2 ||
            n - FIRST >= CALLS_MAX) {
            continue;
        }
        n -= FIRST;
        calls++;
        ms = arrived[n] == 0
                 ? 1e9
                 : (double)((long long)(arrived[n] - when)) / per_ms;
        fprintf(stderr, "call %d: its line after %.1f ms\n", calls, ms);
        worst = ms > worst ? ms : worst;
        late += ms > (double)limit;
    }
    fprintf(stderr, "worst %.1f ms\n", worst);
    printf("%d calls, %d lines later than %lu ms\n", calls, late, limit);
    CHECK(launch_status(tracer) == 0);
    CHECK(calls > 0);
    CHECK(late == 0);
    return target_bad != 0;
}
