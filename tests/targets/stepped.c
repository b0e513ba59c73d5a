/* SPDX-License-Identifier: MIT */
/*
 * stepped [EVERY [WAY...] [decoded] [replaced]] - is stopped at each instruction on a call's way
 * into the kernel and out of it, and there suspended, ended, or sent elsewhere,
 * as debuggers, collectors and those do that cancel threads. It makes its own
 * debugger, by which it is stopped at every EVERYth instruction only, if told.
 * Without ways: all.
 *
 *   suspend  step by step through one call; the thread is suspended at each,
 *            while others make calls
 *   kill     a thread is ended there
 *   visit    it is sent to a function below on its stack that makes a call, and
 *            put back where it was
 *   leave    it is sent to one that makes a call, and ends the thread
 *   jump     it is sent up its stack, to where it goes on with the next call
 *   stack    as visit, but on another stack
 *   birth    a thread is ended there before its first own instruction
 *
 * decoded: the trace shows names. replaced: its marks are not made, and have
 * their result from the tracer. Whatever is done, all other calls are made and told, a call with a result has
 * its own, and what the agent kept for a thread is there for another one.
 */
#include "target.h"
#include "wire/ring.h"
#include "wire/section.h"

NTSYSAPI NTSTATUS NTAPI NtQueryInformationThread(HANDLE thread, int info_class,
                                                 void *info, ULONG length,
                                                 ULONG *got);

#define WAIT_MS 20000
#define STEPS_MAX 20000
#define PLACES_MAX 6000
#define SINGLE_STEP 0x100
#define AGENT_BYTES 0x40000 /* the agent is not larger */
#define SLOW_STEPS 50
#define SLOW_MS 12
#define SETTLE_MS 5000

/* The numbers of marks: of the way, and of the instruction. */
#define MARK_CALL(way) (0x1000000ull * (2 * (way) + 2))
#define MARK_AWAY(way) (0x1000000ull * (2 * (way) + 3))
#define MARK_OTHER 0x800000000ull

enum way {
    SUSPEND,
    KILL,
    VISIT,
    LEAVE,
    JUMP,
    STACK,
    BIRTH,
    WAYS,
};
static const char *const way_names[WAYS] = { "suspend", "kill", "visit",
                                             "leave",   "jump", "stack",
                                             "birth" };

/* What both processes share; the target's addresses are good in both. */
struct shared {
    LONG volatile attached, over, bad_line;
    LONG64 volatile go, did;  // numbers of the worker's calls
    LONG64 volatile away;     // number of the call of who is sent away
    LONG64 volatile away_did;
    LONG64 volatile other_asked, other_did;  // those of another thread
    LONG volatile worker;                    // thread id; 0: none
    LONG volatile workers_asked, workers_made;
    LONG volatile wrong;  // calls with a wrong result
    HANDLE ask, other;    // events
    uint64_t visit_at, leave_at, other_stack;
    CONTEXT loop;  // of the worker, before a call
    /* What has been done. */
    LONG steps, places, born_places;
    /* The first places at which the kernel has had the call, and at which its
     * return has been seen. */
    LONG in_kernel, back;
    LONG done[WAYS];
    DWORD killed[PLACES_MAX], left[PLACES_MAX];
    /* The call did not come there: calls differ a little. */
    uint8_t missed[WAYS][PLACES_MAX];
    LONG misses;
};
static struct shared *shared;

/* ---- the target ------------------------------------------------------ */

static void check_shared(bool ok)
{
    if (!ok) {
        InterlockedIncrement(&shared->wrong);
    }
}

static __attribute__((noinline)) void call_once(void)
{
    LONG64 n = shared->go;

    check_shared(mark((uint64_t)n));
    shared->did = n;
}

static DWORD WINAPI work(void *unused)
{
    (void)unused;
    shared->worker = (LONG)GetCurrentThreadId();
    RtlCaptureContext(&shared->loop);
    while (!shared->over) {
        if (shared->go != shared->did) {
            call_once();
        }
        YieldProcessor();
    }
    return 0;
}

/* A debugger sends the worker here; none of its registers mean anything. */
static void visit(void)
{
    check_shared(mark((uint64_t)shared->away));
    shared->away_did = shared->away;
    DebugBreak();
    for (;;) {
    }
}

static void leave(void)
{
    check_shared(mark((uint64_t)shared->away));
    shared->away_did = shared->away;
    ExitThread(7);
}

static DWORD WINAPI do_other(void *unused)
{
    (void)unused;
    while (!shared->over) {
        WaitForSingleObject(shared->other, INFINITE);
        while (shared->other_did != shared->other_asked) {
            check_shared(mark(MARK_OTHER + (uint64_t)shared->other_did));
            shared->other_did++;
        }
    }
    return 0;
}

/* Rings that are somebody's. 0 without a tracer. */
static int rings_used(void)
{
    const char *ring = (const char *)(uintptr_t)__readgsqword(TEB_RING);
    const struct section *s;
    const _Atomic uint32_t *state;
    MEMORY_BASIC_INFORMATION m;
    int used = 0;

    if (ring == NULL || VirtualQuery(ring, &m, sizeof(m)) != sizeof(m)) {
        return 0;
    }
    s = m.AllocationBase;
    state = (const _Atomic uint32_t *)((const char *)s + SECTION_RING_STATE);
    if (s->magic != SECTION_MAGIC) {
        return 0;
    }
    for (uint32_t i = 0; i < s->ring_high; i++) {
        used += state[i] != RING_FREE;
    }
    return used;
}

/* ---- the debugger ---------------------------------------------------- */

static DWORD pid;
static HANDLE worker;
static DWORD worker_tid;
static DEBUG_EVENT event;  // ... that the worker is stopped by
static bool stopped;
/* The system's thread by which the debugger has come in, and whether it has gone
 * again. */
static DWORD came_in_by;
static bool settled;

#define NEED(what) need((what), __LINE__)
static void need(bool ok, int line)
{
    if (!ok) {
        fprintf(stderr, "debugger: line %d\n", line);
        if (shared->bad_line == 0) {
            shared->bad_line = line;
        }
        shared->over = 1;
        SetEvent(shared->ask);
        SetEvent(shared->other);
        ExitProcess(1);
    }
}

static CONTEXT context;
static uint64_t birth_at;  // the next new thread is the worker, and stops here

/* Makes the thread stop at `at`; 0: nowhere. */
static void set_stop(HANDLE thread, uint64_t at)
{
    context.ContextFlags = CONTEXT_DEBUG_REGISTERS;
    NEED(GetThreadContext(thread, &context));
    context.Dr0 = at;
    context.Dr7 = at != 0;
    context.Dr6 = 0;
    NEED(SetThreadContext(thread, &context));
}

/* Takes one event, if there is one within `ms`; true if the worker has been
 * stopped by it. */
static bool pump(DWORD ms)
{
    DWORD how = DBG_CONTINUE;

    if (!WaitForDebugEvent(&event, ms)) {
        return false;
    }
    switch (event.dwDebugEventCode) {
    case EXCEPTION_DEBUG_EVENT:
        if (event.dwThreadId == worker_tid) {
            stopped = true;
            return true;
        }
        if (event.u.Exception.ExceptionRecord.ExceptionCode !=
            (DWORD)EXCEPTION_BREAKPOINT) {
            how = DBG_EXCEPTION_NOT_HANDLED;
        } else {
            came_in_by = event.dwThreadId;
        }
        break;
    case EXIT_THREAD_DEBUG_EVENT:
        settled = settled || event.dwThreadId == came_in_by;
        break;
    case CREATE_THREAD_DEBUG_EVENT:
        if (birth_at != 0) {
            worker_tid = event.dwThreadId;
            set_stop(event.u.CreateThread.hThread, birth_at);
            birth_at = 0;
        }
        break;
    case CREATE_PROCESS_DEBUG_EVENT:
        CloseHandle(event.u.CreateProcessInfo.hFile);
        break;
    case LOAD_DLL_DEBUG_EVENT:
        CloseHandle(event.u.LoadDll.hFile);
        break;
    case EXIT_PROCESS_DEBUG_EVENT:
        NEED(false);
        break;
    default:
        break;
    }
    ContinueDebugEvent(event.dwProcessId, event.dwThreadId, how);
    return false;
}

static void go_on(void)
{
    NEED(stopped);
    stopped = false;
    ContinueDebugEvent(event.dwProcessId, event.dwThreadId, DBG_CONTINUE);
}

#define PUMP_UNTIL(what)                            \
    for (DWORD begin_ = GetTickCount(); !(what);) { \
        NEED(GetTickCount() - begin_ < WAIT_MS);    \
        NEED(!pump(1));                             \
    }

static void wait_stopped(void)
{
    for (DWORD begin = GetTickCount(); !stopped; pump(10)) {
        NEED(GetTickCount() - begin < WAIT_MS);
    }
}

static void new_worker(void)
{
    LONG asked = ++shared->workers_asked;

    if (worker != NULL) {
        CloseHandle(worker);
    }
    shared->worker = 0;
    worker_tid = 0;
    SetEvent(shared->ask);
    PUMP_UNTIL(shared->workers_made == asked && shared->worker != 0);
    worker_tid = (DWORD)shared->worker;
    worker = OpenThread(THREAD_ALL_ACCESS, FALSE, worker_tid);
    NEED(worker != NULL);
}

static void get_context(DWORD flags)
{
    context.ContextFlags = flags;
    NEED(GetThreadContext(worker, &context));
}

static void set_context(void)
{
    NEED(SetThreadContext(worker, &context));
}

/* Has the worker make call `n`, and stops it where it comes to `at`. False: it
 * does not. */
static bool stop_at(uint64_t at, uint64_t n)
{
    bool stops;

    NEED(SuspendThread(worker) == 0);
    set_stop(worker, at);
    NEED(ResumeThread(worker) == 1);
    shared->go = (LONG64)n;
    for (DWORD begin = GetTickCount(); !stopped && shared->did != (LONG64)n;
         pump(10)) {
        NEED(GetTickCount() - begin < WAIT_MS);
    }
    stops = stopped || pump(10);
    set_stop(worker, 0);
    get_context(CONTEXT_ALL);
    NEED(!stops || context.Rip == at);
    return stops;
}

static void others_go_on(void)
{
    LONG64 asked = ++shared->other_asked;

    SetEvent(shared->other);
    PUMP_UNTIL(shared->other_did == asked);
}

static uint64_t place[PLACES_MAX];
static LONG places;

static bool is_new(uint64_t at)
{
    for (LONG i = 0; i < places; i++) {
        if (place[i] == at) {
            return false;
        }
    }
    return true;
}

/* Where the worker's ring counts what it has written; 0: it has none. */
static uint64_t ring_head(HANDLE process)
{
    uint64_t basic[6] = { 0 }, ring = 0;
    uint32_t head = 0;

    if (NtQueryInformationThread(worker, 0, basic, sizeof(basic), NULL) >= 0 &&
        ReadProcessMemory(process, (void *)(uintptr_t)(basic[1] + TEB_RING),
                          &ring, sizeof(ring), NULL) &&
        ring != 0) {
        ReadProcessMemory(process, (void *)(uintptr_t)(ring + RING_HEAD), &head,
                          sizeof(head), NULL);
    }
    return head;
}

/* Through a whole call, from `stub` to where it returns to. */
static void walk(uint64_t stub, bool suspend)
{
    HANDLE process = OpenProcess(PROCESS_VM_READ, FALSE, pid);
    uint64_t back = 0, head = ring_head(process), was, stub_rsp;
    bool door = false;
    int slow = 0;

    NEED(stop_at(stub, MARK_CALL(SUSPEND)));
    stub_rsp = context.Rsp;
    NEED(ReadProcessMemory(process, (void *)(uintptr_t)context.Rsp, &back,
                           sizeof(back), NULL));
    for (;;) {
        get_context(CONTEXT_CONTROL);
        if (context.Rip == back) {
            break;
        }
        /* Slowly where a record has just been written: who reads it is to wait
         * for what belongs to it. */
        was = head;
        head = ring_head(process);
        slow = head != was ? SLOW_STEPS : slow - 1;
        NEED(++shared->steps < STEPS_MAX);
        if (is_new(context.Rip)) {
            NEED(places < PLACES_MAX);
            /* (What Wine's stubs call, with 8 bytes on the stack, is no return.) */
            if (context.Rip - stub >= 8 && context.Rip - stub < 0x14) {
                door = true;
            } else if (door && shared->in_kernel == 0 &&
                       context.Rip - stub >= 0x20 &&
                       context.Rsp != stub_rsp - 8) {
                shared->in_kernel = places;
            }
            if (context.Rip == stub + 0x14) {
                shared->back = places;
            }
            place[places++] = context.Rip;
        }
        context.EFlags |= SINGLE_STEP;
        set_context();
        if (suspend) {
            NEED(SuspendThread(worker) == 0);
            go_on();
            others_go_on();
            for (DWORD begin = GetTickCount();
                 slow > 0 && GetTickCount() - begin < SLOW_MS;) {
                NEED(!pump(1));
            }
            NEED(ResumeThread(worker) == 1);
        } else {
            go_on();
        }
        wait_stopped();
    }
    CloseHandle(process);
    context.EFlags &= ~(DWORD)SINGLE_STEP;
    set_context();
    go_on();
    PUMP_UNTIL(shared->did == (LONG64)MARK_CALL(SUSPEND));
    shared->places = places;
    /* A call that is not made is over with its last instruction. */
    shared->back = shared->back != 0 ? shared->back : places - 1;
    shared->in_kernel = !door                    ? places - 1
                        : shared->in_kernel != 0 ? shared->in_kernel
                                                 : shared->back;
    shared->done[SUSPEND] = 1;
}

static void end_born(void)
{
    NEED(TerminateThread(worker, 9));
    go_on();
    PUMP_UNTIL(WaitForSingleObject(worker, 0) == WAIT_OBJECT_0);
}

static void await_end(LONG i, DWORD *tids)
{
    PUMP_UNTIL(WaitForSingleObject(worker, 0) == WAIT_OBJECT_0);
    tids[i] = worker_tid;
    shared->did = shared->go;
    new_worker();
}

/* From where it is stopped to `at`, with `rsp`. */
static void send_to(uint64_t at, uint64_t rsp)
{
    context.Rip = at;
    context.Rsp = (rsp & ~15ull) - 8;
    set_context();
    go_on();
}

static void do_at(enum way way, LONG i)
{
    CONTEXT saved;

    if (!stop_at(place[i], MARK_CALL(way) + (uint64_t)i)) {
        shared->missed[way][i] = 1;
        shared->misses++;
        return;
    }
    shared->away = (LONG64)(MARK_AWAY(way) + (uint64_t)i);
    saved = context;
    switch (way) {
    case KILL:
        NEED(TerminateThread(worker, 9));
        go_on();
        await_end(i, shared->killed);
        others_go_on();
        break;
    case VISIT:
    case STACK:
        send_to(shared->visit_at,
                way == STACK ? shared->other_stack : context.Rsp - 0x200);
        wait_stopped();
        NEED(shared->away_did == shared->away);
        context = saved;
        set_context();
        go_on();
        PUMP_UNTIL(shared->did == shared->go);
        break;
    case LEAVE:
        send_to(shared->leave_at, context.Rsp - 0x200);
        await_end(i, shared->left);
        break;
    case JUMP:
        shared->did = shared->go;
        context.Rip = shared->loop.Rip;
        context.Rsp = shared->loop.Rsp;
        context.Rbp = shared->loop.Rbp;
        context.Rbx = shared->loop.Rbx;
        context.Rsi = shared->loop.Rsi;
        context.Rdi = shared->loop.Rdi;
        context.R12 = shared->loop.R12;
        context.R13 = shared->loop.R13;
        context.R14 = shared->loop.R14;
        context.R15 = shared->loop.R15;
        set_context();
        go_on();
        shared->go = shared->away;
        PUMP_UNTIL(shared->did == shared->go);
        break;
    default:
        break;
    }
    shared->done[way]++;
}

/* Has a thread made that stops at `at` in the agent. */
static void stop_born(uint64_t at)
{
    birth_at = at;
    shared->workers_asked++;
    SetEvent(shared->ask);
    wait_stopped();
    CloseHandle(worker);
    worker = OpenThread(THREAD_ALL_ACCESS, FALSE, worker_tid);
    NEED(worker != NULL);
    set_stop(worker, 0);
    get_context(CONTEXT_ALL);
}

/* From the first return that the agent sees of a thread to the first instruction
 * that is not its own; its instructions are the places from now on. */
static void walk_birth(uint64_t callback)
{
    places = 0;
    stop_born(callback);
    while (context.Rip - callback + AGENT_BYTES < 2 * AGENT_BYTES) {
        NEED(++shared->steps < STEPS_MAX);
        if (is_new(context.Rip)) {
            NEED(places < PLACES_MAX);
            place[places++] = context.Rip;
        }
        context.EFlags |= SINGLE_STEP;
        set_context();
        go_on();
        wait_stopped();
        get_context(CONTEXT_CONTROL);
    }
    shared->born_places = places;
    end_born();
}

/* Without a tracer there is nothing of it. */
static void do_births(LONG every)
{
    uint64_t callback = place[shared->in_kernel];

    if (shared->in_kernel >= shared->back) {
        return;
    }
    walk_birth(callback);
    for (LONG i = 0; i < places; i += every) {
        stop_born(place[i]);
        end_born();
        others_go_on();
        shared->done[BIRTH]++;
    }
}

static int debug(char **argv)
{
    uint64_t every = number_arg(5, argv, 3, 1);
    uint64_t ways = number_arg(5, argv, 4, 0);
    uint64_t stub = (uint64_t)(uintptr_t)NtQueryVirtualMemory;

    pid = (DWORD)number_arg(5, argv, 1, 0);
    shared = MapViewOfFile((HANDLE)(uintptr_t)number_arg(5, argv, 2, 0),
                           FILE_MAP_WRITE, 0, 0, sizeof(*shared));
    if (shared == NULL) {
        return 2;
    }
    stub = (uint64_t)(uintptr_t)GetProcAddress(GetModuleHandleA("ntdll.dll"),
                                               "NtQueryVirtualMemory");
    NEED(DebugActiveProcess(pid));
    DebugSetProcessKillOnExit(FALSE);
    for (DWORD begin = GetTickCount();
         !settled && GetTickCount() - begin < SETTLE_MS; pump(10)) {
    }
    new_worker();
    shared->attached = 1;
    walk(stub, (ways >> SUSPEND & 1) != 0);
    for (int way = KILL; way < BIRTH; way++) {
        for (LONG i = 0; (ways >> way & 1) != 0 && i < places;
             i += (LONG)every) {
            do_at((enum way)way, i);
        }
    }
    if ((ways >> BIRTH & 1) != 0) {
        do_births((LONG)every);
    }
    shared->over = 1;
    SetEvent(shared->ask);
    SetEvent(shared->other);
    NEED(DebugActiveProcessStop(pid));
    return 0;
}

/* ---- the target: what is expected ------------------------------------- */

static bool decoded, replaced;

/* A mark, as far as its number, which is `number`. */
static const char *call_text(const char *number)
{
    static char text[120];

    snprintf(text, sizeof text,
             decoded ? "NtQueryVirtualMemory(ProcessHandle=NtCurrentProcess, "
                       "BaseAddress=%s,*"
                     : "NtQueryVirtualMemory(0xffffffffffffffff, %s,*",
             number);
    return text;
}

/* So many lines begin the call `n`, and end with `result`. */
static void expect_call(int count, uint64_t n, const char *result)
{
    char number[24];

    snprintf(number, sizeof number, "0x%llx", (unsigned long long)n);
    if (count == 0) {
        expect_all("NOT", "%s%s", call_text(number), result);
    } else {
        expect_all("COUNT", "%d %s%s", count, call_text(number), result);
    }
}

#define RIGHT " = 0xc0000004*"

/* A thread was at instruction `i` and did not come back. */
static void expect_cut(enum way way, LONG i)
{
    uint64_t n = MARK_CALL(way) + (uint64_t)i;

    if (i >= shared->back) {
        expect_call(1, n, RIGHT);
    } else if (i >= shared->in_kernel) {
        expect_call(1, n, "");
    } else if (!replaced) {
        expect_call(0, n, RIGHT);
    }
}

static void expect_way(enum way way, LONG every, LONG *results)
{
    for (LONG i = 0; i < shared->places; i += every) {
        if (shared->missed[way][i]) {
            expect_call(1, MARK_CALL(way) + (uint64_t)i, RIGHT);
            (*results)++;
            continue;
        }
        switch (way) {
        case KILL:
            expect_cut(way, i);
            expect("COUNT", shared->killed[i], "1 +++ thread *");
            expect("COUNT", shared->killed[i], "1 +++ thread ended with 9 +++");
            break;
        case LEAVE:
            expect_cut(way, i);
            expect("COUNT", shared->left[i], "1 +++ thread *");
            expect("COUNT", shared->left[i], "1 +++ thread exited with 7 +++");
            break;
        case JUMP:
            expect_cut(way, i);
            break;
        default:
            /* It is one line, or begins by one. */
            expect_call(1, MARK_CALL(way) + (uint64_t)i, "");
            (*results)++;
            break;
        }
        if (way != KILL) {
            expect_call(1, MARK_AWAY(way) + (uint64_t)i, RIGHT);
            (*results)++;
        }
    }
}

static void expect_all_ways(DWORD other, uint64_t ways, LONG every)
{
    LONG results = 1 + (LONG)shared->other_did;

    expect_call(1, MARK_CALL(SUSPEND), "");
    expect("COUNTER", other, "0x%llx %ld %s" RIGHT, MARK_OTHER,
           (LONG)shared->other_did, call_text("@"));
    for (int way = KILL; way < BIRTH; way++) {
        if ((ways >> way & 1) != 0) {
            expect_way((enum way)way, every, &results);
        }
    }
    if ((ways & (1 << KILL | 1 << LEAVE | 1 << JUMP)) == 0) {
        expect_all("COUNT", "%ld *NtQueryVirtualMemory*" RIGHT, results);
    }
    expect_all("NOT", "+++ lost*");
    if (!decoded) {
        expect_all("NOT", "*DIRECT: *");
    }
}

int main(int argc, char **argv)
{
    SECURITY_ATTRIBUTES inherit = { sizeof(inherit), NULL, TRUE };
    STARTUPINFOA startup = { .cb = sizeof startup };
    PROCESS_INFORMATION child;
    char path[MAX_PATH], line[MAX_PATH + 80];
    HANDLE mapping, other, threads[3] = { 0 };
    uint64_t ways = 0, every = number_arg(argc, argv, 1, 1);
    DWORD other_tid;
    int left;

    if (argc > 4 && strcmp(argv[1], "debug") == 0) {
        return debug(argv + 1);
    }
    target_begin();
    for (int i = 2; i < argc; i++) {
        decoded = decoded || strcmp(argv[i], "decoded") == 0;
        replaced = replaced || strcmp(argv[i], "replaced") == 0;
        for (int k = 0; k < WAYS; k++) {
            ways |= (uint64_t)(strcmp(argv[i], way_names[k]) == 0) << k;
        }
    }
    ways = ways == 0 ? (1 << WAYS) - 1 : ways;
    mapping = CreateFileMappingA(INVALID_HANDLE_VALUE, &inherit, PAGE_READWRITE,
                                 0, sizeof(*shared), NULL);
    shared = MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, sizeof(*shared));
    shared->ask = CreateEventA(&inherit, FALSE, FALSE, NULL);
    shared->other = CreateEventA(&inherit, FALSE, FALSE, NULL);
    shared->visit_at = (uint64_t)(uintptr_t)visit;
    shared->leave_at = (uint64_t)(uintptr_t)leave;
    shared->other_stack = (uint64_t)(uintptr_t)VirtualAlloc(
                              NULL, 0x10000, MEM_COMMIT, PAGE_READWRITE) +
                          0xf000;
    other = start_thread(do_other, 0, &other_tid);
    GetModuleFileNameA(NULL, path, sizeof path);
    snprintf(line, sizeof line, "\"%s\" debug %lu %llu %llu %llu", path,
             (unsigned long)GetCurrentProcessId(), u64_of(mapping),
             (unsigned long long)every, (unsigned long long)ways);
    if (!CreateProcessA(path, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup,
                        &child)) {
        return 2;
    }
    threads[0] = child.hProcess;
    threads[1] = shared->ask;
    while (WaitForMultipleObjects(2, threads, FALSE, INFINITE) ==
           WAIT_OBJECT_0 + 1) {
        if (!shared->over) {
            HANDLE thread = CreateThread(NULL, 0, work, NULL, 0, NULL);

            CHECK(thread != NULL);
            if (threads[2] != NULL) {
                CloseHandle(threads[2]);
            }
            threads[2] = thread;
            shared->workers_made++;
        }
    }
    shared->over = 1;
    SetEvent(shared->other);
    WaitForSingleObject(other, WAIT_MS);
    WaitForSingleObject(threads[2], WAIT_MS);
    if (shared->bad_line != 0) {
        printf("the debugger's line %ld was not true\n", shared->bad_line);
    }
    CHECK(shared->bad_line == 0);
    CHECK(shared->wrong == 0);
    CHECK(shared->places > 3);
    CHECK(shared->misses <= shared->places / 10);
    CHECK(!replaced || rings_used() == 0 ||
          shared->in_kernel == shared->places - 1);
    /* Threads that are no more are seen to be so by and by: of those there are,
     * some have ended just now. */
    for (int i = 0; (left = rings_used()) > 2 && i < 100; i++) {
        Sleep(50);
    }
    if (left > 2) {
        printf("%d rings are somebody's\n", left);
    }
    CHECK(left <= 2);
    printf("stepped\n");
    fprintf(stderr, "%d rings, ", rings_used());
    fprintf(stderr,
            "%ld steps, %ld instructions, in the kernel at %ld, back at %ld;",
            shared->steps, shared->places, shared->in_kernel, shared->back);
    for (int way = 0; way < WAYS; way++) {
        fprintf(stderr, " %s %ld", way_names[way], shared->done[way]);
        CHECK(shared->done[way] != 0 || (ways >> way & 1) == 0 ||
              shared->in_kernel >= shared->back);
    }
    fprintf(stderr, "\n");

    expect_all_ways(other_tid, ways, (LONG)every);
    if (!decoded) {
        return target_end();
    }
    expect("SEQ", GetCurrentThreadId(),
           "NtTerminateProcess(ProcessHandle=NtCurrentProcess, *) = ?");
    expect_last(target_bad != 0 ? "+++ exited with 1 +++"
                                : "+++ exited with 0 +++");
    return target_bad != 0;
}
