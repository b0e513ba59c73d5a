/* SPDX-License-Identifier: MIT */
/*
 * tree ROLE INDEX CALLS ARGS - a process that makes others, or is one of them;
 * tree.h says what each tells of itself. No target of tests/run-targets:
 * tests/check-trees, tests/soak and bench/run use it. The roles:
 *
 *   heap INDEX CALLS TOTAL WIDTH   of processes 0 to TOTAL-1 this one; its
 *                          children are WIDTH*INDEX+1 and the next, all at once
 *   many INDEX CALLS N     N leaves, all at once
 *   seq INDEX CALLS N      N leaves, one after the other
 *   leaf INDEX CALLS [MS]  no children; sleeps so long before its calls
 *   late INDEX CALLS FILE  a leaf that waits until there is such a file
 *   orphan INDEX CALLS FILE   has a child that does this, and does not wait
 *   way INDEX CALLS WAY    has a leaf that is made in that way (`ways`)
 *   fails INDEX CALLS WHAT    cannot make one: there is no such file
 *                          (`missing`), or it is no program (`text`)
 *
 * Exit status 10 + INDEX if all was right, 3 if not.
 */
#include "tree.h"

struct making {
    char line[2 * MAX_PATH];
    DWORD flags;
    PROCESS_INFORMATION made;
};

/* ---- ways to make a process ------------------------------------------ */

static bool make_plain(struct making *m)
{
    STARTUPINFOA start = { .cb = sizeof start };

    return CreateProcessA(NULL, m->line, NULL, NULL, FALSE, m->flags, NULL,
                          NULL, &start, &m->made);
}

/* A process that has another parent than us: a leaf that waits meanwhile. */
static bool make_with_parent(struct making *m)
{
    STARTUPINFOEXA start = { .StartupInfo.cb = sizeof start };
    char room[256], self[MAX_PATH];
    SIZE_T size = sizeof room;
    struct making other = { .flags = CREATE_SUSPENDED };
    bool ok;

    GetModuleFileNameA(NULL, self, sizeof self);
    snprintf(other.line, sizeof other.line, "\"%s\" leaf 2 1", self);
    if (!make_plain(&other)) {
        return false;
    }
    tree_say("start 2 %lu\n", (unsigned long)other.made.dwProcessId);
    start.lpAttributeList = (void *)room;
    ok =
        InitializeProcThreadAttributeList(start.lpAttributeList, 1, 0, &size) &&
        UpdateProcThreadAttribute(
            start.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_PARENT_PROCESS,
            &other.made.hProcess, sizeof(HANDLE), NULL, NULL) &&
        CreateProcessA(NULL, m->line, NULL, NULL, FALSE,
                       m->flags | EXTENDED_STARTUPINFO_PRESENT, NULL, NULL,
                       &start.StartupInfo, &m->made);
    TREE_CHECK(ResumeThread(other.made.hThread) == 1);
    CloseHandle(other.made.hThread);
    tree_wait(other.made.hProcess, 2);
    return ok;
}

/* Out of a job that we are in. */
static bool make_out_of_job(struct making *m)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = { 0 };
    HANDLE job = CreateJobObjectA(NULL, NULL);
    BOOL in_job = TRUE;

    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_BREAKAWAY_OK;
    TREE_CHECK(job != NULL);
    TREE_CHECK(SetInformationJobObject(job, JobObjectExtendedLimitInformation,
                                       &limits, sizeof limits));
    TREE_CHECK(AssignProcessToJobObject(job, THIS_PROCESS));
    if (!make_plain(m)) {
        return false;
    }
    TREE_CHECK(IsProcessInJob(m->made.hProcess, job, &in_job) && !in_job);
    return true;
}

/* The same user with fewer rights: what servers start themselves again with. */
static bool make_restricted(struct making *m)
{
    STARTUPINFOA start = { .cb = sizeof start };
    HANDLE token = NULL, fewer = NULL;
    bool ok = OpenProcessToken(THIS_PROCESS, TOKEN_ALL_ACCESS, &token) &&
              CreateRestrictedToken(token, DISABLE_MAX_PRIVILEGE, 0, NULL, 0,
                                    NULL, 0, NULL, &fewer) &&
              CreateProcessAsUserA(fewer, NULL, m->line, NULL, NULL, TRUE,
                                   m->flags, NULL, NULL, &start, &m->made);

    CloseHandle(token);
    CloseHandle(fewer);
    return ok;
}

static const struct way {
    const char *name;
    DWORD flags;
    bool (*make)(struct making *m);
} ways[] = {
    { "plain", 0, make_plain },
    { "suspended", CREATE_SUSPENDED, make_plain },
    { "console", CREATE_NEW_CONSOLE, make_plain },
    { "detached", DETACHED_PROCESS, make_plain },
    { "windowless", CREATE_NO_WINDOW, make_plain },
    { "group", CREATE_NEW_PROCESS_GROUP, make_plain },
    { "parent", 0, make_with_parent },
    { "job", CREATE_BREAKAWAY_FROM_JOB, make_out_of_job },
    { "restricted", CREATE_SUSPENDED, make_restricted },
};

/* Makes process `index` with the words `args` behind our own name; its handle,
 * NULL if there is none. */
__attribute__((format(gnu_printf, 3, 4))) static HANDLE
start(const struct way *way, unsigned index, const char *args, ...)
{
    struct making m = { .flags = way->flags };
    char self[MAX_PATH], words[MAX_PATH];
    va_list list;

    va_start(list, args);
    vsnprintf(words, sizeof words, args, list);
    va_end(list);
    GetModuleFileNameA(NULL, self, sizeof self);
    snprintf(m.line, sizeof m.line, "\"%s\" %s", self, words);
    if (!way->make(&m)) {
        tree_say("refused %u %lu\n", index, (unsigned long)GetLastError());
        return NULL;
    }
    tree_say("start %u %lu\n", index, (unsigned long)m.made.dwProcessId);
    if ((way->flags & CREATE_SUSPENDED) != 0) {
        /* It has time to run, if it can. */
        TREE_CHECK(WaitForSingleObject(m.made.hProcess, 50) == WAIT_TIMEOUT);
        TREE_CHECK(ResumeThread(m.made.hThread) == 1);
    }
    CloseHandle(m.made.hThread);
    return m.made.hProcess;
}

/* ---- roles ------------------------------------------------------------- */

#define CHILDREN_MAX 256

static unsigned own, calls;

static void run_heap(char **args)
{
    unsigned total = (unsigned)atoi(args[0]), width = (unsigned)atoi(args[1]);
    HANDLE made[CHILDREN_MAX];
    unsigned first = width * own + 1, count = 0;

    tree_calls(own, calls / 2);
    for (; count < width && count < CHILDREN_MAX && first + count < total;
         count++) {
        made[count] = start(&ways[0], first + count, "heap %u %u %u %u",
                            first + count, calls, total, width);
    }
    for (unsigned i = 0; i < count; i++) {
        if (made[i] != NULL) {
            tree_wait(made[i], first + i);
        }
    }
    tree_calls(own, calls - calls / 2);
}

static void run_many(char **args)
{
    HANDLE made[CHILDREN_MAX];
    unsigned count = (unsigned)atoi(args[0]);

    tree_calls(own, calls);
    for (unsigned i = 0; i < count && i < CHILDREN_MAX; i++) {
        made[i] = start(&ways[0], own + 1 + i, "leaf %u %u %s", own + 1 + i,
                        calls, args[1] != NULL ? args[1] : "");
    }
    for (unsigned i = 0; i < count && i < CHILDREN_MAX; i++) {
        if (made[i] != NULL) {
            tree_wait(made[i], own + 1 + i);
        }
    }
}

static void run_seq(char **args)
{
    unsigned count = (unsigned)atoi(args[0]);

    tree_calls(own, calls);
    for (unsigned i = 1; i <= count; i++) {
        HANDLE made = start(&ways[0], own + i, "leaf %u %u", own + i, calls);

        if (made != NULL) {
            tree_wait(made, own + i);
        }
    }
}

static void run_leaf(char **args)
{
    if (args[0] != NULL) {
        Sleep((DWORD)atoi(args[0]));
    }
    tree_calls(own, calls);
}

/* A minute at most: who makes the file may be no more. */
static void run_late(char **args)
{
    for (int i = 0; i < 6000; i++) {
        if (GetFileAttributesA(args[0]) != INVALID_FILE_ATTRIBUTES) {
            tree_calls(own, calls);
            return;
        }
        Sleep(10);
    }
    TREE_CHECK(false);
}

static void run_orphan(char **args)
{
    HANDLE made =
        start(&ways[0], own + 1, "late %u %u \"%s\"", own + 1, calls, args[0]);

    tree_calls(own, calls);
    TREE_CHECK(made != NULL);
}

static void run_way(char **args)
{
    tree_calls(own, calls);
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        if (strcmp(args[0], ways[i].name) == 0) {
            HANDLE made =
                start(&ways[i], own + 1, "leaf %u %u", own + 1, calls);

            TREE_CHECK(made != NULL);
            tree_wait(made, own + 1);
            printf("%s: done\n", args[0]);
            return;
        }
    }
    TREE_CHECK(false);
}

static void run_fails(char **args)
{
    struct making m = { 0 };
    char dir[MAX_PATH] = ".";
    DWORD got;

    GetEnvironmentVariableA("TREE_DIR", dir, sizeof dir);
    snprintf(m.line, sizeof m.line, "\"%s\\%s.exe\" 1", dir, args[0]);
    if (strcmp(args[0], "text") == 0) {
        char path[MAX_PATH + 20];
        HANDLE file;

        snprintf(path, sizeof path, "%s\\text.exe", dir);
        file =
            CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
        WriteFile(file, "no program at all\n", 18, &got, NULL);
        CloseHandle(file);
    }
    tree_calls(own, calls);
    TREE_CHECK(!make_plain(&m));
    printf("%s: error %lu\n", args[0], (unsigned long)GetLastError());
    /* And it is as if nothing had been tried. */
    tree_wait(start(&ways[0], own + 1, "leaf %u %u", own + 1, calls), own + 1);
}

static const struct {
    const char *name;
    void (*run)(char **args);
    int least;  // arguments
} roles[] = {
    { "heap", run_heap, 2 }, { "many", run_many, 1 },
    { "seq", run_seq, 1 },   { "leaf", run_leaf, 0 },
    { "late", run_late, 1 }, { "orphan", run_orphan, 1 },
    { "way", run_way, 1 },   { "fails", run_fails, 1 },
};

int main(int argc, char **argv)
{
    target_begin();
    for (size_t i = 0; argc > 3 && i < COUNT_OF(roles); i++) {
        if (strcmp(argv[1], roles[i].name) == 0 && argc >= 4 + roles[i].least) {
            own = (unsigned)atoi(argv[2]);
            calls = (unsigned)atoi(argv[3]);
            tree_begin(own);
            roles[i].run(argv + 4);
            return tree_end(own);
        }
    }
    fprintf(stderr, "see the head of tree.c\n");
    return 2;
}
