/* SPDX-License-Identifier: MIT */
/*
 * driver [-c] [-k] ROW RUNS MS SEED LOG TRACER TRACE COMMAND... - runs
 * COMMAND again and again under the tracer, whose trace goes to TRACE, and
 * counts how it ended. `@` in COMMAND is SEED, SEED + 1, ... A run that is
 * not over after MS milliseconds hangs: the driver says in which state it
 * finds the threads, and ends it. TRACER may be `-`: the program alone.
 *
 *   -c  the program may crash, the tracer may not
 *   -k  ends the *tracer* at a random moment of its program's launch, and
 *       demands that the program runs to its end, or goes with it, within MS;
 *       COMMAND is work.exe, `%` in it the name of the event it sets
 *
 * What programs and tracers print goes to LOG. Prints one line, `ROW: ...`,
 * besides one for each bad run. Exit status 0 if all runs were good, else 1.
 */
#include "drive.h"
#include "work.h"

#define LINE_MAX 4000
#define RUNS_MAX 4096

static const char *row, *trace;
static const wchar_t *tracer;
static bool may_crash, kills;
static DWORD patience_ms;
static HANDLE output, begun;
static wchar_t event_name[60];

static struct {
    unsigned right, hangs, wrong, nothing, crashed;
    /* with -k: when the tracer died, and what became of the program */
    unsigned no_program, before, after, gone;
} count;

/* The command line of run `n`. */
static void command_line(wchar_t *line, const wchar_t *command, uint64_t n)
{
    size_t size = 0;

    line[0] = 0;
    if (wcscmp(tracer, L"-") != 0) {
        size = (size_t)swprintf(line, LINE_MAX, L"\"%ls\" -o \"%hs\" -- ",
                                tracer, trace);
    }
    for (; *command != 0 && size < LINE_MAX - 80; command++) {
        if (*command == '@') {
            size += (size_t)swprintf(line + size, 30, L"%llu", n);
        } else if (*command == '%') {
            size += (size_t)swprintf(line + size, 60, L"%ls", event_name);
        } else {
            line[size++] = *command;
        }
    }
    line[size] = 0;
}

/* ---- processes and their threads ---------------------------------------- */

static uint64_t made_at(HANDLE process)
{
    FILETIME made, other;

    if (!GetProcessTimes(process, &made, &other, &other, &other)) {
        return 0;
    }
    return (uint64_t)made.dwHighDateTime << 32 | made.dwLowDateTime;
}

/* A handle of a living child of that process, NULL if there is none. What is
 * older than its parent was made by another one, which had the same number:
 * a service of the system's, say. */
static HANDLE child_of(const PROCESS_INFORMATION *parent, DWORD *pid)
{
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    HANDLE child = NULL;
    PROCESSENTRY32W p = { .dwSize = sizeof p };

    for (BOOL more = Process32FirstW(all, &p); more && child == NULL;
         more = Process32NextW(all, &p)) {
        if (p.th32ParentProcessID == parent->dwProcessId &&
            _wcsicmp(p.szExeFile, L"conhost.exe") != 0) {
            *pid = p.th32ProcessID;
            child = OpenProcess(SYNCHRONIZE | PROCESS_TERMINATE |
                                    PROCESS_QUERY_INFORMATION,
                                FALSE, p.th32ProcessID);
            if (child != NULL &&
                (WaitForSingleObject(child, 0) == WAIT_OBJECT_0 ||
                 made_at(child) < made_at(parent->hProcess))) {
                CloseHandle(child);
                child = NULL;
            }
        }
    }
    CloseHandle(all);
    return child;
}

/* Shows and ends the programs that a tracer has left; how many. */
static unsigned end_children(const PROCESS_INFORMATION *parent)
{
    unsigned ended = 0;
    DWORD pid;
    HANDLE child;

    while (ended < 10 && (child = child_of(parent, &pid)) != NULL) {
        show_threads(pid);
        TerminateProcess(child, 0x6b);
        WaitForSingleObject(child, 5000);
        CloseHandle(child);
        ended++;
    }
    return ended;
}

static void close_process(const PROCESS_INFORMATION *p)
{
    CloseHandle(p->hThread);
    CloseHandle(p->hProcess);
}

/* ---- runs to their end --------------------------------------------------- */

/* Did the tracer come to its last line? */
static bool trace_is_whole(void)
{
    char end[256] = "";
    FILE *file = fopen(trace, "rb");
    size_t got;

    if (file == NULL) {
        return false;
    }
    if (fseek(file, -(long)sizeof end + 1, SEEK_END) != 0) {
        rewind(file);
    }
    got = fread(end, 1, sizeof end - 1, file);
    fclose(file);
    end[got] = 0;
    return got > 4 && strcmp(end + got - 5, " +++\n") == 0;
}

static void judge(uint64_t n, DWORD status)
{
    bool crashed = (status & 0xc0000000u) == 0xc0000000u;

    if (tracer[0] != '-' && !trace_is_whole()) {
        count.wrong++;
        printf("  %s, run %llu: status 0x%lx, and the trace has no end\n", row,
               (unsigned long long)n, (unsigned long)status);
        return;
    }
    if (status == SOAK_RIGHT) {
        count.right++;
    } else if (status == SOAK_NOTHING) {
        count.nothing++;
    } else if (crashed && may_crash) {
        count.crashed++;
    } else {
        count.hangs += status == SOAK_HANGS;
        count.wrong += status != SOAK_HANGS;
        printf("  %s, run %llu: %s (status 0x%lx)\n", row,
               (unsigned long long)n,
               status == SOAK_HANGS ? "a thread hung" : "wrong",
               (unsigned long)status);
    }
}

static void run(const wchar_t *command, uint64_t n)
{
    static wchar_t line[LINE_MAX];
    PROCESS_INFORMATION p;
    DWORD status;

    command_line(line, command, n);
    DeleteFileA(trace);
    p = launch(line, output, output);
    if (WaitForSingleObject(p.hProcess, patience_ms) != WAIT_OBJECT_0) {
        count.hangs++;
        printf("  %s, run %llu: not over after %lu ms; the tracer's threads, "
               "then the program's:\n",
               row, (unsigned long long)n, (unsigned long)patience_ms);
        show_threads(p.dwProcessId);
        end_process(p.hProcess);
        end_children(&p);
    } else if (GetExitCodeProcess(p.hProcess, &status)) {
        DWORD pid;
        HANDLE child = child_of(&p, &pid);

        /* It may be in the middle of its end. */
        if (child != NULL) {
            WaitForSingleObject(child, 1000);
            CloseHandle(child);
        }
        if (end_children(&p) > 0) {
            count.hangs++;
            printf("  %s, run %llu: the program has outlived its tracer "
                   "(status 0x%lx)\n",
                   row, (unsigned long long)n, (unsigned long)status);
        } else {
            judge(n, status);
        }
    }
    close_process(&p);
}

/* ---- runs whose tracer dies ---------------------------------------------- */

/* Until there is a program; NULL if the tracer ended before. */
static HANDLE wait_child(const PROCESS_INFORMATION *p, DWORD *pid)
{
    HANDLE child = NULL;

    while (child == NULL &&
           WaitForSingleObject(p->hProcess, 0) == WAIT_TIMEOUT) {
        child = child_of(p, pid);
    }
    return child;
}

/* How long a launch takes until there is a program, and from then until it
 * runs. */
static void measure(const wchar_t *command, double *there, double *runs)
{
    static wchar_t line[LINE_MAX];

    *there = 0;
    *runs = 0;
    for (int i = 0; i < 3; i++) {
        double from = now_ms(), seen;
        PROCESS_INFORMATION p;
        HANDLE child;
        DWORD pid;

        ResetEvent(begun);
        command_line(line, command, 0);
        p = launch(line, output, output);
        child = wait_child(&p, &pid);
        seen = now_ms();
        if (child == NULL || WaitForSingleObject(begun, patience_ms) != 0) {
            launch_fail("the program does not begin");
        }
        *there = seen - from > *there ? seen - from : *there;
        *runs = now_ms() - seen > *runs ? now_ms() - seen : *runs;
        WaitForSingleObject(p.hProcess, patience_ms);
        CloseHandle(child);
        close_process(&p);
    }
}

static void judge_left(uint64_t n, HANDLE child, DWORD pid)
{
    DWORD status;

    if (WaitForSingleObject(child, patience_ms) != WAIT_OBJECT_0) {
        count.hangs++;
        printf("  %s, run %llu: the program is not over %lu ms after its "
               "tracer's end\n",
               row, (unsigned long long)n, (unsigned long)patience_ms);
        show_threads(pid);
        end_process(child);
    } else if (GetExitCodeProcess(child, &status)) {
        if (status == WORK_DONE) {
            count.right++;
        } else if ((status & 0xc0000000u) == 0xc0000000u ||
                   status == SOAK_WRONG) {
            count.wrong++;
            printf("  %s, run %llu: the program ended with 0x%lx\n", row,
                   (unsigned long long)n, (unsigned long)status);
        } else {
            count.gone++;
        }
    }
}

/* One run in four any time, the others when there is a program already. The
 * tracer's handle stays open, so that its number is not used again. */
static void run_kill(const wchar_t *command, uint64_t n, double there,
                     double runs, PROCESS_INFORMATION *p)
{
    static wchar_t line[LINE_MAX];
    HANDLE child = NULL;
    DWORD pid;

    ResetEvent(begun);
    command_line(line, command, n);
    *p = launch(line, output, output);
    if (n % 4 == 0) {
        wait_until(now_ms() + random_ms(there + runs), p->hProcess);
    } else {
        child = wait_child(p, &pid);
        wait_until(now_ms() + random_ms(runs * 1.2), p->hProcess);
    }
    end_process(p->hProcess);
    if (WaitForSingleObject(begun, 0) == WAIT_OBJECT_0) {
        count.after++;
    } else {
        count.before++;
    }
    /* What the system was still making when its maker died. */
    for (int i = 0; child == NULL && i < 10; i++) {
        child = child_of(p, &pid);
        Sleep(child == NULL ? 10 : 0);
    }
    if (child == NULL) {
        count.no_program++;
    } else {
        judge_left(n, child, pid);
        CloseHandle(child);
    }
    CloseHandle(p->hThread);
}

static void kill_all(const wchar_t *command, uint64_t seed, uint64_t runs)
{
    static PROCESS_INFORMATION tracers[RUNS_MAX];
    double there, begins;

    measure(command, &there, &begins);
    for (uint64_t i = 0; i < runs && i < RUNS_MAX; i++) {
        run_kill(command, seed + i, there, begins, &tracers[i]);
    }
    for (uint64_t i = 0; i < runs && i < RUNS_MAX; i++) {
        unsigned left = end_children(&tracers[i]);

        if (left > 0) {
            printf("  %s, run %llu: a program was found at the end\n", row,
                   (unsigned long long)(seed + i));
        }
        count.hangs += left;
        CloseHandle(tracers[i].hProcess);
    }
    printf("%s: %llu runs, %u hangs, %u wrong; tracer ended before the "
           "program began %u times, after %u (launch %.0f + %.0f ms); the "
           "program was not there %u, went with it %u, ran to its end %u\n",
           row, (unsigned long long)runs, count.hangs, count.wrong,
           count.before, count.after, there, begins, count.no_program,
           count.gone, count.right);
}

int main(int argc, char **argv)
{
    SECURITY_ATTRIBUTES inherit = { .nLength = sizeof inherit,
                                    .bInheritHandle = TRUE };
    unsigned skip = 1;
    uint64_t runs, seed;
    wchar_t *path;
    const wchar_t *command;

    target_begin();
    for (; (int)skip < argc && argv[skip][0] == '-'; skip++) {
        may_crash |= strcmp(argv[skip], "-c") == 0;
        kills |= strcmp(argv[skip], "-k") == 0;
    }
    if (argc < (int)skip + 8) {
        fprintf(stderr, "see the head of driver.c\n");
        return 2;
    }
    argv += skip;
    row = argv[0];
    runs = strtoull(argv[1], NULL, 0);
    patience_ms = (DWORD)strtoul(argv[2], NULL, 0);
    seed = strtoull(argv[3], NULL, 0);
    output = CreateFileA(argv[4], FILE_APPEND_DATA,
                         FILE_SHARE_READ | FILE_SHARE_WRITE, &inherit,
                         OPEN_ALWAYS, 0, NULL);
    trace = argv[6];
    path = malloc((strlen(argv[5]) + 1) * sizeof *path);
    if (path == NULL || output == INVALID_HANDLE_VALUE) {
        launch_fail(argv[4]);
    }
    mbstowcs(path, argv[5], strlen(argv[5]) + 1);
    tracer = path;
    command = launch_tail(skip + 7);
    soak_seed(seed);
    swprintf(event_name, COUNT_OF(event_name), L"Local\\soak%lu",
             (unsigned long)GetCurrentProcessId());
    begun = CreateEventW(NULL, TRUE, FALSE, event_name);
    if (kills) {
        kill_all(command, seed, runs);
        /* Without a kill in time nothing was tried. */
        return count.hangs + count.wrong != 0 ||
               count.before <= count.no_program;
    }
    for (uint64_t i = 0; i < runs; i++) {
        run(command, seed + i);
    }
    printf("%s: %llu runs, %u hangs, %u wrong, %u that did nothing, "
           "%u crashed, %u right\n",
           row, (unsigned long long)runs, count.hangs, count.wrong,
           count.nothing, count.crashed, count.right);
    return count.right + count.crashed != runs;
}
