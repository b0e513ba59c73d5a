/* SPDX-License-Identifier: MIT */
/*
 * fell ROW RUNS MS SEED LOG TRACER TRACE DIR CALLS TOTAL WIDTH COMMAND... - runs
 * a tree of processes (tests/targets/tree.c, `heap`; or maker.c, which is one of
 * two) under the tracer with -f, again and again, and ends the *tracer* at a
 * random moment between its start and the tree's end. Then each process has to come
 * to its right end within MS milliseconds, or to have been ended before it ran:
 * each that has begun has made its calls and ended with its own status, each
 * that has not is missed by its parent, with a status that is no crash's, or
 * its parent is not there either. None hangs, and none is left.
 *
 * DIR is where the processes tell of themselves (tests/targets/tree.h). What
 * they and the tracers print goes to LOG. Prints one line, `ROW: ...`, besides
 * one for each bad run. Exit status 0 if all runs were good, and most were
 * ended in time, else 1.
 */
#include "drive.h"

#define LINE_MAX 4000
#define TOTAL_MAX 256
#define WIDTH_MAX 16

static const char *row, *dir;
static unsigned total, width, calls;
static DWORD patience_ms;
static HANDLE output;

static struct {
    unsigned hangs, wrong;
    unsigned whole;    // runs in which every process came to its end
    unsigned cut;      // runs in which one was ended before it ran
    unsigned gone;     // runs without any process
    unsigned in_time;  // runs in which the tracer was ended before it was over
    unsigned began, ended_early;  // processes
} count;

/* ---- what the processes told --------------------------------------------- */

/* One process, by its file. */
struct told {
    bool begun, ended, bad;
    unsigned calls;
    unsigned long status;
    bool refused[WIDTH_MAX], lost[WIDTH_MAX];  // of its children
    unsigned long lost_status[WIDTH_MAX];
};

static struct told told[TOTAL_MAX];

static void path_of(char *path, unsigned index)
{
    snprintf(path, MAX_PATH, "%s\\%u", dir, index);
}

static void read_line(struct told *t, unsigned index, const char *line)
{
    unsigned child = 0, made;
    unsigned long status = 0;

    if (strncmp(line, "begin ", 6) == 0) {
        t->begun = true;
    } else if (sscanf(line, "end %u %lu", &made, &status) == 2) {
        t->ended = true;
        t->calls = made;
        t->status = status;
    } else if (sscanf(line, "refused %u", &child) == 1 ||
               sscanf(line, "lost %u %lx", &child, &status) == 2) {
        unsigned at = child - (width * index + 1);

        if (at >= width) {
            t->bad = true;
            return;
        }
        t->refused[at] |= line[0] == 'r';
        t->lost[at] |= line[0] == 'l';
        t->lost_status[at] = status;
    } else if (strncmp(line, "start ", 6) != 0) {
        t->bad = true;
    }
}

static void read_told(void)
{
    char path[MAX_PATH], line[500];

    memset(told, 0, sizeof told);
    for (unsigned i = 0; i < total; i++) {
        FILE *file;

        path_of(path, i);
        file = fopen(path, "rb");
        while (file != NULL && fgets(line, sizeof line, file) != NULL) {
            read_line(&told[i], i, line);
        }
        if (file != NULL) {
            fclose(file);
        }
    }
}

static void forget_told(void)
{
    char path[MAX_PATH];

    for (unsigned i = 0; i < total; i++) {
        path_of(path, i);
        DeleteFileA(path);
    }
}

static void wrong(uint64_t n, unsigned index, const char *what)
{
    count.wrong++;
    printf("  %s, run %llu: process %u %s\n", row, (unsigned long long)n, index,
           what);
}

static bool is_crash(unsigned long status)
{
    return (status & 0xc0000000u) == 0xc0000000u;
}

/* Process `i` has not begun: true if that is well, and its parent knows. */
static bool may_be_missing(unsigned i)
{
    unsigned parent = (i - 1) / width, at = (i - 1) % width;

    if (i == 0 || !told[parent].begun) {
        return true;
    }
    return told[parent].refused[at] ||
           (told[parent].lost[at] && !is_crash(told[parent].lost_status[at]));
}

static void judge(uint64_t n)
{
    unsigned missing = 0, begun = 0;

    for (unsigned i = 0; i < total; i++) {
        const struct told *t = &told[i];

        if (!t->begun) {
            missing++;
            if (!may_be_missing(i)) {
                wrong(n, i, "was not ended, or crashed, before it ran");
            }
            continue;
        }
        begun++;
        if (t->bad || !t->ended) {
            wrong(n, i, t->bad ? "was disturbed" : "has no end");
        } else if (t->calls != calls || t->status != 10 + i) {
            wrong(n, i, "did not do what it should");
        } else if (i > 0 && (told[(i - 1) / width].lost[(i - 1) % width] ||
                             told[(i - 1) / width].refused[(i - 1) % width])) {
            wrong(n, i, "has run, and its parent misses it");
        }
    }
    count.began += begun;
    count.ended_early += missing;
    count.whole += missing == 0;
    count.gone += begun == 0;
    count.cut += missing > 0 && begun > 0;
}

/* ---- runs ---------------------------------------------------------------- */

/* The tracer, in a job with all that it and its programs start. */
static PROCESS_INFORMATION launch_in_job(wchar_t *line, HANDLE *job)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = { 0 };
    PROCESS_INFORMATION p = launch_suspended(line, output, output);

    limits.BasicLimitInformation.LimitFlags =
        JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    *job = CreateJobObjectA(NULL, NULL);
    if (*job == NULL ||
        !SetInformationJobObject(*job, JobObjectExtendedLimitInformation,
                                 &limits, sizeof limits) ||
        !AssignProcessToJobObject(*job, p.hProcess)) {
        TerminateProcess(p.hProcess, 99);
        launch_fail("no job");
    }
    ResumeThread(p.hThread);
    return p;
}

static DWORD alive_in(HANDLE job)
{
    JOBOBJECT_BASIC_ACCOUNTING_INFORMATION about = { 0 };

    if (!QueryInformationJobObject(job, JobObjectBasicAccountingInformation,
                                   &about, sizeof about, NULL)) {
        launch_fail("the job says nothing");
    }
    return about.ActiveProcesses;
}

static void show_job(HANDLE job)
{
    struct {
        JOBOBJECT_BASIC_PROCESS_ID_LIST list;
        ULONG_PTR more[TOTAL_MAX];
    } all = { 0 };

    if (QueryInformationJobObject(job, JobObjectBasicProcessIdList, &all,
                                  sizeof all, NULL)) {
        for (DWORD i = 0; i < all.list.NumberOfProcessIdsInList; i++) {
            show_threads((DWORD)all.list.ProcessIdList[i]);
        }
    }
}

/* Ends the tracer `after` ms after its start; negative: lets it run. How long
 * it took until all were gone. */
static double run(wchar_t *line, uint64_t n, double after)
{
    HANDLE job;
    double from, give_up;
    PROCESS_INFORMATION p;

    forget_told();
    from = now_ms();
    p = launch_in_job(line, &job);
    if (after >= 0) {
        if (after > 30) {
            WaitForSingleObject(p.hProcess, (DWORD)after - 20);
        }
        wait_until(from + after, p.hProcess);
        count.in_time += WaitForSingleObject(p.hProcess, 0) == WAIT_TIMEOUT;
        end_process(p.hProcess);
    }
    for (give_up = now_ms() + patience_ms;
         alive_in(job) > 0 && now_ms() < give_up;) {
        Sleep(2);
    }
    if (alive_in(job) > 0) {
        count.hangs++;
        printf("  %s, run %llu: %lu processes are left %lu ms after their "
               "tracer's end, at %.1f ms\n",
               row, (unsigned long long)n, (unsigned long)alive_in(job),
               (unsigned long)patience_ms, after);
        show_job(job);
        TerminateJobObject(job, 0x6b);
        for (int i = 0; i < 500 && alive_in(job) > 0; i++) {
            Sleep(10);
        }
    }
    read_told();
    judge(n);
    CloseHandle(job);
    CloseHandle(p.hThread);
    CloseHandle(p.hProcess);
    return now_ms() - from;
}

int main(int argc, char **argv)
{
    SECURITY_ATTRIBUTES inherit = { .nLength = sizeof inherit,
                                    .bInheritHandle = TRUE };
    static wchar_t line[LINE_MAX], again[LINE_MAX];
    const wchar_t *command = launch_tail(12);
    uint64_t runs, seed;
    double whole = 0;

    target_begin();
    if (argc < 13) {
        fprintf(stderr, "see the head of fell.c\n");
        return 2;
    }
    row = argv[1];
    runs = strtoull(argv[2], NULL, 0);
    patience_ms = (DWORD)strtoul(argv[3], NULL, 0);
    seed = strtoull(argv[4], NULL, 0);
    output = CreateFileA(argv[5], FILE_APPEND_DATA,
                         FILE_SHARE_READ | FILE_SHARE_WRITE, &inherit,
                         OPEN_ALWAYS, 0, NULL);
    dir = argv[8];
    calls = (unsigned)atoi(argv[9]);
    total = (unsigned)atoi(argv[10]);
    width = (unsigned)atoi(argv[11]);
    if (output == INVALID_HANDLE_VALUE || total > TOTAL_MAX || width == 0 ||
        width > WIDTH_MAX) {
        launch_fail("what to run");
    }
    CreateDirectoryA(dir, NULL);
    SetEnvironmentVariableA("TREE_DIR", dir);
    swprintf(line, LINE_MAX, L"\"%hs\" -f -o \"%hs\" -- %ls", argv[6], argv[7],
             command);
    soak_seed(seed);
    /* How long the whole of it takes; all is there then. */
    for (int i = 0; i < 3; i++) {
        double took;

        wcscpy(again, line);
        took = run(again, 0, -1);
        whole = took > whole ? took : whole;
    }
    if (count.whole != 3) {
        printf("%s: not right even if the tracer lives on\n", row);
        return 1;
    }
    memset(&count, 0, sizeof count);
    for (uint64_t i = 0; i < runs; i++) {
        wcscpy(again, line);
        run(again, seed + i, random_ms(whole));
    }
    printf(
        "%s: %llu runs of up to %.0f ms, %u hangs, %u wrong; tracer ended in "
        "time %u times; all %u processes came to their ends %u times, some "
        "%u, none %u; %u processes ran, %u were ended before\n",
        row, (unsigned long long)runs, whole, count.hangs, count.wrong,
        count.in_time, total, count.whole, count.cut, count.gone, count.began,
        count.ended_early);
    /* Without a kill in time nothing was tried. */
    return count.hangs + count.wrong != 0 || 2 * count.in_time < runs;
}
