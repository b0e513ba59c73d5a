/* SPDX-License-Identifier: MIT */
/*
 * fake.c - see fake.h.
 *
 * One lock over everything. Pages have one protection each, so that none is
 * ever writable and executable; the shared memory is mapped twice, as it would
 * be, and what is not committed of it cannot be touched. The linker hands us
 * calls of os_event_open, malloc and the like (--wrap), to be counted and, the
 * real ones behind them, made. Whoever waits lets time pass, which is clock.c's.
 */
#include "fake/fake.h"

#include "fake/clock.h"
#include "platform/os.h"
#include "tables/amd64/stubs.h"
#include "wire/making.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 0x1000u
#define PID FAKE_PID
#define TEB UINT64_C(0x2f0000)
#define PEB UINT64_C(0x2e0000)
#define SHARED UINT64_C(0x7ff400000000)
#define KILLED 1
#define SPIN_MS 30000
/* The handles on a process that it makes, and on its thread. */
#define CHILD 0x204
#define CHILD_THREAD 0x208
/* What an agent that is found there has: its tracer's handle, and its section. */
#define OTHERS 0x300
#define OLD_AGENT (FAKE_NTDLL - 0x5fff0000)
#define OLD_SECTION UINT64_C(0x7ff300000000)
/* The first argument of any last call. */
#define LAST_ARGUMENT 0x1234

extern const uint8_t agent_image[];

void *__real_os_event_open(bool manual, struct err *e);
void __real_os_event_close(void *event);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_os_event_open(bool manual, struct err *e);
void __wrap_os_event_close(void *event);
bool __wrap_os_thread_run(void **thread, struct os_thread_start *start,
                          struct err *e);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);

enum protection {
    RESERVED,
    READ,
    WRITE,
    CODE
};

enum kind {
    PRIVATE_MEMORY,
    IMAGE,
    MAPPED
};

struct area {
    uint64_t base;
    uint64_t size;
    enum kind kind;
    const char *file;  // NULL: none
    uint8_t *bytes;
    uint8_t *pages;  // enum protection
    uint8_t *was;    // an image: its bytes before anybody wrote to them
};

enum handle_kind {
    NO_HANDLE,
    PROCESS_HANDLE,
    THREAD_HANDLE,
    JOB_HANDLE,
    SECTION_HANDLE
};

struct range {
    uint64_t at;
    uint64_t size;
};

struct handle {
    void *event;  // what the tracer sees of it
    enum handle_kind kind;
};

struct given {
    void *event;
    bool closed;
};

static struct {
    struct fake_setup setup;
    pthread_t main;
    struct fake_counts counts;
    const char *refused;
    char wrong[400];  // what must never happen
    struct area areas[12];
    size_t area_count;
    struct handle handles[64];
    struct given given[8];
    size_t given_count;
    int events;          // open ones
    int views;           // of shared memory, the tracer's
    int hushed;          // times that its callback was taken back
    bool comes;          // callback_comes has come
    int stopped;         // times that the process was
    int thread_stopped;  // ... and its thread
    _Atomic bool leaving;
    bool launched, resumed, ended, killed, running, released, gone;
    uint32_t code, thread_code;
    bool thread_ended;
    uint64_t begins;  // the thread's RIP
    bool let_run;     // is_new: by its maker; then it begins ...
    bool begun;
    bool led;        // ... and that to the agent
    unsigned looks;  // at it while it is being made
    bool loaded;     // its loader has begun
    struct os_thread_start program;
    void *program_thread;
    uint8_t *shared;  // the target's view
    uint8_t *ours;    // the tracer's
    size_t shared_size;
    int memory;
    uint64_t agent;
    uint64_t callback;
    unsigned stops;  // looks at its threads
    bool stands_in_end;
    struct ring *ring;
    uint32_t ring_bytes;
    unsigned chores;
    uint16_t last_number;
    uint64_t last_argument;
    uint64_t ahead;   // ns, of the times of its records
    bool child_held;  // one that it has made stands still
    void *keeper;     // its handle
    bool keeper_runs, keeper_ended;
    struct range opened;
    void *interrupt;
    int pending[4];
    bool own_console;
    char *output;
    size_t output_size, output_room;
    unsigned questions;
} fake;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool counting;           // memory
static _Thread_local bool own;  // not that of our own

static void wrong(const char *what)
{
    if (fake.wrong[0] == 0) {
        snprintf(fake.wrong, sizeof(fake.wrong), "%s", what);
    }
}

/* --- requests --- */

static void signal_all(enum handle_kind but)
{
    for (size_t i = 0; i < COUNT_OF(fake.handles); i++) {
        if (fake.handles[i].kind != but &&
            (fake.handles[i].kind == PROCESS_HANDLE ||
             fake.handles[i].kind == THREAD_HANDLE)) {
            os_event_set(fake.handles[i].event);
        }
    }
}

static void end_process(uint32_t code)
{
    if (!fake.ended) {
        fake.ended = true;
        fake.code = code;
        fake.stopped = 0;
        fake.thread_stopped = 0;
        signal_all(NO_HANDLE);
    }
}

/* A thread that its maker has let run begins, unless the tracer holds it. */
static void let_begin(void);

/* So many looks at a process, and the system has made it. */
#define LOOKS_UNMADE 3

static bool is_unmade(void)
{
    return fake.setup.unmade && fake.looks < LOOKS_UNMADE;
}

/* One request; false: it is refused. `target`: it is about the process. */
static bool admit(const char *name, bool target)
{
    fake.counts.requests++;
    if (target && is_unmade()) {
        wrong("it is still being made, and was asked for something");
    }
    if (fake.setup.begins_at != 0 &&
        fake.counts.requests >= fake.setup.begins_at) {
        fake.let_run = true;
        let_begin();
    }
    if (fake.counts.requests == fake.setup.refuse) {
        fake.refused = name;
        if (fake.setup.way != FAKE_GONE) {
            return false;
        }
        fake.gone = true;
        if (fake.launched) {
            end_process(KILLED);
        }
    }
    return !(target && fake.ended);
}

static const char *reason(void)
{
    return fake.counts.requests != fake.setup.refuse ? "the program has ended"
           : fake.setup.way == FAKE_MEMORY           ? "out of memory"
                                                     : "access denied";
}

static bool fail(struct err *e, const char *what)
{
    if (e != NULL) {
        err_set(e, ERR_OS, "%s: %s", what, reason());
    }
    return false;
}

#define ADMIT(target) admit(__func__, target)

static void enter(void)
{
    pthread_mutex_lock(&lock);
}

static bool leave(bool result)
{
    pthread_mutex_unlock(&lock);
    return result;
}

/* --- areas --- */

static struct area *area_of(uint64_t address)
{
    for (size_t i = 0; i < fake.area_count; i++) {
        struct area *a = &fake.areas[i];

        if (address >= a->base && address - a->base < a->size) {
            return a;
        }
    }
    return NULL;
}

static void *pages_of(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED) {
        abort();
    }
    return p;
}

static struct area *add_area(uint64_t base, uint64_t size, enum kind kind,
                             enum protection protection)
{
    struct area *a = &fake.areas[fake.area_count++];

    if (fake.area_count > COUNT_OF(fake.areas)) {
        abort();
    }
    *a = (struct area){ .base = base, .size = size, .kind = kind };
    a->bytes = pages_of(size);
    a->pages = pages_of(size / PAGE);
    if (protection != RESERVED) {  // which they are; of shared memory, many
        memset(a->pages, (int)protection, size / PAGE);
    }
    return a;
}

static void free_area(struct area *a)
{
    if (a->bytes != fake.shared) {
        munmap(a->bytes, a->size);
    }
    munmap(a->pages, a->size / PAGE);
    if (a->was != NULL) {
        munmap(a->was, a->size);
    }
}

static void remove_area(uint64_t base)
{
    for (size_t i = 0; i < fake.area_count; i++) {
        if (fake.areas[i].base == base) {
            free_area(&fake.areas[i]);
            fake.areas[i] = fake.areas[--fake.area_count];
            return;
        }
    }
}

/* The bytes at [from, from + size), all of whose pages are `least` or more;
 * NULL: they are not. */
static uint8_t *bytes_at(uint64_t from, uint64_t size, enum protection least)
{
    struct area *a = area_of(from);

    if (a == NULL || size > a->size - (from - a->base)) {
        return NULL;
    }
    for (uint64_t i = (from - a->base) / PAGE; i * PAGE < from - a->base + size;
         i++) {
        if (a->pages[i] < least || (least == WRITE && a->pages[i] != WRITE)) {
            return NULL;
        }
    }
    return a->bytes + (from - a->base);
}

static bool protect(uint64_t from, uint64_t size, enum protection to)
{
    struct area *a = area_of(from);

    if (a == NULL || bytes_at(from, size, READ) == NULL) {
        return false;
    }
    for (uint64_t i = (from - a->base) / PAGE; i * PAGE < from - a->base + size;
         i++) {
        a->pages[i] = (uint8_t)to;
    }
    return true;
}

/* --- images --- */

#define NT 0x80u
#define OPTIONAL (NT + 24)
#define SECTIONS (OPTIONAL + 240)
#define TEXT 0x1000u
#define EXPORTS 0x5000u
#define IMAGE_BYTES 0x8000u
#define STUBS_FROM (TEXT + 0x1000)

static const char *const nt_calls[] = {
    "NtClose",
    "NtSetEvent",
    "NtWaitForMultipleObjects",
    "NtAllocateVirtualMemory",
    "NtQueryVirtualMemory",
    "NtReadVirtualMemory",
    "NtProtectVirtualMemory",
    "NtResumeThread",
    "NtSetInformationProcess",
    "NtGetNextThread",
    "NtQueryInformationThread",
    "NtSuspendThread",
    "NtResumeThread",
    "NtSetInformationObject",
    "NtMapViewOfSection",
    "NtUnmapViewOfSection",
    "NtTerminateThread",
    "NtTerminateProcess",
    "NtContinue",
    "NtDelayExecution",
    "NtYieldExecution",
    "NtQuerySystemTime",
    "NtCreateUserProcess",
};

/* Something else of ntdll's, 40h bytes from each other. */
static const char *const nt_others[] = {
    "RtlUserThreadStart",       "LdrInitializeThunk",
    "KiUserApcDispatcher",      "KiUserExceptionDispatcher",
    "KiUserCallbackDispatcher", "KiRaiseUserExceptionDispatcher",
};

static const char *const win32u_calls[] = {
    "NtUserGetDC",
    "NtUserReleaseDC",
    "NtGdiFlush",
    "NtUserCreateWindowEx",
};

static void put(uint8_t *to, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        to[i] = (uint8_t)(value >> (8 * i));
    }
}

static void put_section(uint8_t *bytes, size_t i, const char *name,
                        uint32_t rva, uint32_t size, uint32_t flags)
{
    uint8_t *at = bytes + SECTIONS + 40 * i;

    memcpy(at, name, strlen(name));
    put(at + 8, size, 4);
    put(at + 12, rva, 4);
    put(at + 36, flags, 4);
}

static void put_head(uint8_t *bytes, uint64_t base, bool dll)
{
    put(bytes, 0x5a4d, 2);
    put(bytes + 0x3c, NT, 4);
    put(bytes + NT, 0x4550, 4);
    put(bytes + NT + 4, 0x8664, 2);
    put(bytes + NT + 6, dll ? 2 : 1, 2);
    put(bytes + NT + 20, 240, 2);
    put(bytes + NT + 22, dll ? 0x2022 : 0x22, 2);
    put(bytes + OPTIONAL, 0x20b, 2);
    put(bytes + OPTIONAL + 16, TEXT, 4);
    put(bytes + OPTIONAL + 24, base, 8);
    put(bytes + OPTIONAL + 32, PAGE, 4);
    put(bytes + OPTIONAL + 36, 0x200, 4);
    put(bytes + OPTIONAL + 56, IMAGE_BYTES, 4);
    put(bytes + OPTIONAL + 60, 0x400, 4);
    put(bytes + OPTIONAL + 68, 3, 2);
    put(bytes + OPTIONAL + 108, 16, 4);
    put_section(bytes, 0, ".text", TEXT, EXPORTS - TEXT, 0x60000020);
    if (dll) {
        put(bytes + OPTIONAL + 112, EXPORTS, 4);
        put(bytes + OPTIONAL + 116, IMAGE_BYTES - EXPORTS, 4);
        put_section(bytes, 1, ".edata", EXPORTS, IMAGE_BYTES - EXPORTS,
                    0x40000040);
    }
}

static void put_export(uint8_t *bytes, size_t i, const char *name, uint32_t rva,
                       uint32_t *text)
{
    put(bytes + EXPORTS + 0x100 + 4 * i, rva, 4);
    put(bytes + EXPORTS + 0x400 + 4 * i, *text, 4);
    put(bytes + EXPORTS + 0x700 + 2 * i, i, 2);
    memcpy(bytes + *text, name, strlen(name) + 1);
    *text += (uint32_t)strlen(name) + 1;
}

static void put_stub(uint8_t *at, uint32_t number)
{
    const struct stub_form *f = &stub_forms[fake.setup.old ? 1 : 0];

    for (size_t i = 0; i < f->pattern_size; i++) {
        if (f->pattern[i] >= 0) {
            at[i] = (uint8_t)f->pattern[i];
        }
    }
    put(at + 4, number, 4);
}

static struct area *add_dll(uint64_t base, const char *name, const char *file,
                            const char *const *calls, size_t call_count,
                            uint32_t first, const char *const *others,
                            size_t other_count)
{
    struct area *a = add_area(base, IMAGE_BYTES, IMAGE, READ);
    uint32_t text = EXPORTS + 0xa00;
    uint8_t *b = a->bytes;

    a->file = file;
    put_head(b, base, true);
    memset(b + TEXT, 0xcc, EXPORTS - TEXT);
    put(b + EXPORTS + 12, text, 4);
    memcpy(b + text, name, strlen(name) + 1);
    text += (uint32_t)strlen(name) + 1;
    put(b + EXPORTS + 20, call_count + other_count, 4);
    put(b + EXPORTS + 24, call_count + other_count, 4);
    put(b + EXPORTS + 28, EXPORTS + 0x100, 4);
    put(b + EXPORTS + 32, EXPORTS + 0x400, 4);
    put(b + EXPORTS + 36, EXPORTS + 0x700, 4);
    for (uint32_t i = 0; i < call_count; i++) {
        put_stub(b + STUBS_FROM + 0x20 * i, first + i);
        put_export(b, i, calls[i], STUBS_FROM + 0x20 * i, &text);
    }
    for (uint32_t i = 0; i < other_count; i++) {
        put_export(b, call_count + i, others[i], TEXT + 0x40 * i, &text);
    }
    memset(a->pages + TEXT / PAGE, CODE, (EXPORTS - TEXT) / PAGE);
    a->was = pages_of(a->size);
    memcpy(a->was, a->bytes, a->size);
    return a;
}

static uint64_t function_in(uint64_t base, const char *const *calls,
                            size_t count, uint32_t from, uint32_t step,
                            const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(calls[i], name) == 0) {
            return base + from + step * i;
        }
    }
    return 0;
}

uint64_t fake_function(const char *name)
{
    uint64_t at = function_in(FAKE_NTDLL, nt_calls, COUNT_OF(nt_calls),
                              STUBS_FROM, 0x20, name);

    if (at == 0) {
        at = function_in(FAKE_NTDLL, nt_others, COUNT_OF(nt_others), TEXT, 0x40,
                         name);
    }
    if (at == 0) {
        at = function_in(FAKE_WIN32U, win32u_calls, COUNT_OF(win32u_calls),
                         STUBS_FROM, 0x20, name);
    }
    return at;
}

static uint16_t number_of(uint64_t stub)
{
    return (uint16_t)(stub >= FAKE_WIN32U
                          ? 0x1000 + (stub - FAKE_WIN32U - STUBS_FROM) / 0x20
                          : (stub - FAKE_NTDLL - STUBS_FROM) / 0x20);
}

/* --- memory of the tracer's --- */

/* False: there is none to be had now. */
static bool admit_memory(void)
{
    bool ok;

    if (!counting || own || !pthread_equal(pthread_self(), fake.main)) {
        return true;
    }
    fake.counts.memory++;
    ok = fake.counts.memory != fake.setup.refuse_memory;
    if (!ok) {
        fake.refused = "malloc";
    }
    return ok;
}

void *__wrap_malloc(size_t size)
{
    return admit_memory() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return admit_memory() ? __real_calloc(count, size) : NULL;
}

void *__wrap_realloc(void *p, size_t size)
{
    return admit_memory() ? __real_realloc(p, size) : NULL;
}

/* --- events and threads of the tracer's --- */

static void *new_event(bool manual)
{
    struct err e;
    void *event;

    own = true;
    event = __real_os_event_open(manual, &e);
    own = false;
    return event;
}

void *__wrap_os_event_open(bool manual, struct err *e)
{
    void *event = NULL;

    enter();
    if (admit("os_event_open", false)) {
        event = new_event(manual);
        fake.events++;
    } else {
        fail(e, "cannot create an event");
    }
    leave(true);
    return event;
}

void __wrap_os_event_close(void *event)
{
    bool is_given = false;

    if (event == NULL) {
        return;
    }
    enter();
    for (size_t i = 0; i < fake.given_count; i++) {
        if (fake.given[i].event == event) {
            is_given = true;  // the program has a handle on it as well
            if (fake.given[i].closed) {
                wrong("an event was closed twice");
            }
            fake.given[i].closed = true;
        }
    }
    fake.events--;
    leave(true);
    if (!is_given) {
        __real_os_event_close(event);
    }
}

bool __wrap_os_thread_run(void **thread, struct os_thread_start *start,
                          struct err *e)
{
    bool ok;

    enter();
    ok = admit("os_thread_run", false);
    leave(true);
    if (!ok) {
        return fail(e, "cannot start a thread");
    }
    own = true;
    ok = clock_thread_run(thread, start, e);
    own = false;
    return ok;
}

/* --- handles --- */

static void *open_handle(enum handle_kind kind)
{
    for (size_t i = 0; i < COUNT_OF(fake.handles); i++) {
        struct handle *h = &fake.handles[i];

        if (h->kind == NO_HANDLE) {
            h->event = new_event(true);
            h->kind = kind;
            if (fake.ended || (kind == THREAD_HANDLE && fake.thread_ended)) {
                os_event_set(h->event);
            }
            return h->event;
        }
    }
    abort();
}

static void close_handle(void *event, enum handle_kind kind)
{
    for (size_t i = 0; i < COUNT_OF(fake.handles); i++) {
        struct handle *h = &fake.handles[i];

        if (event != NULL && h->event == event) {
            if (h->kind != kind) {
                wrong("a handle was closed as one of another kind");
            }
            h->kind = NO_HANDLE;
            h->event = NULL;
            __real_os_event_close(event);
            return;
        }
    }
    if (event != NULL) {
        wrong("a handle was closed that is not open");
    }
}

/* --- the keeper --- */

static bool protect_code(uint64_t at, uint64_t size, enum protection to)
{
    return at != 0 && size != 0 && protect(at, size, to);
}

/* By the functions' ends. */
static bool returns_come(void)
{
    return (((struct section *)(void *)fake.shared)->flags & SECTION_RETURNS) !=
           0;
}

static uint32_t keep(const struct keeper_words *w)
{
    bool ok = true;

    /* It lets go in any case. */
    if (w->what <= KEEPER_LISTEN_NO && w->what != KEEPER_GO &&
        !admit("the keeper", true)) {
        return 0xc0000022;
    }
    switch ((enum keeper_what)w->what) {
    case KEEPER_STOP:
        fake.stopped++;
        if (fake.setup.callback_comes && fake.hushed > 0 && !fake.comes &&
            fake.ring != NULL) {
            fake.comes = true;
            fake.callback = fake.agent;
            fake.ring->chains = fake.setup.callback_under_way;
        }
        break;
    case KEEPER_GO:
        if (--fake.stopped < 0) {
            wrong("the program was let go on more often than it was stopped");
        }
        break;
    case KEEPER_OPEN:
        if (fake.stands_in_end) {
            wrong("the end of a function is changed under a thread");
        }
        ok = fake.stopped > 0 && protect_code(w->address, w->size, WRITE);
        fake.opened = (struct range){ w->address, w->size };
        break;
    case KEEPER_CLOSE:
        ok = protect_code(fake.opened.at, fake.opened.size, CODE);
        break;
    case KEEPER_LISTEN:
        if (returns_come()) {
            break;  // it sees to other things
        }
        fake.callback = fake.setup.callback_denied ? 0 : 1;
        ok = !fake.setup.callback_denied;
        break;
    case KEEPER_LISTEN_NO:
        ok = !fake.setup.callback_stays;
        fake.callback = ok ? 0 : fake.callback;
        fake.hushed++;
        break;
    case KEEPER_WHO:
        return 1 +
               (fake.setup.callback_gone ? CALLBACK_NOBODYS : CALLBACK_OURS);
    case KEEPER_SHUT:
        break;
    case KEEPER_END:
    case KEEPER_LEAVE:
        if (fake.stopped > 0) {
            wrong("the keeper ends while the program is stopped");
        }
        fake.keeper_ended = true;
        os_event_set(fake.keeper);
        break;
    }
    return !ok ? 0xc0000022
           : w->what == KEEPER_LISTEN && fake.setup.callback_there
               ? KEEPER_REPLACED
               : 0;
}

/* It has its turn whenever the tracer looks whether the process is there. */
static void run_keeper(void)
{
    struct keeper_words *w;

    if (fake.keeper == NULL || !fake.keeper_runs || fake.keeper_ended ||
        fake.ended) {
        return;
    }
    w = &((struct section *)(void *)fake.shared)->keeper;
    if (atomic_load(&w->done) == UINT32_MAX) {
        atomic_store(&w->done, 0);
    } else if (atomic_load(&w->ordered) != atomic_load(&w->done)) {
        w->status = keep(w);
        if (fake.setup.keeper_falls &&
            w->what == (uint32_t)fake.setup.falls_at) {
            fake.keeper_ended = true;
        } else {
            atomic_store(&w->done, atomic_load(&w->ordered));
        }
    }
}

bool os_thread_make(const struct os_process *p, uint64_t start, void **thread,
                    uint32_t *tid, struct err *e)
{
    const struct image_head *head =
        (const struct image_head *)(const void *)agent_image;

    if (!os_may_ask(p, e)) {
        return false;
    }
    enter();
    if (!ADMIT(true)) {
        return leave(fail(e, "cannot start a thread in the program"));
    }
    if (fake.agent == 0 || start != fake.agent + head->keeper) {
        wrong("a thread was to run what is not the agent");
    }
    fake.keeper_runs = false;
    fake.keeper_ended = false;
    fake.keeper = open_handle(THREAD_HANDLE);
    *thread = fake.keeper;
    *tid = FAKE_TID + 4;
    return leave(true);
}

struct os_threads {
    struct os_stopped one;
};

struct os_threads *os_threads_ask(const struct os_process *p, uint32_t but,
                                  struct err *e)
{
    struct os_threads *t;

    (void)but;
    enter();
    if (!ADMIT(true)) {
        leave(fail(e, "cannot start a thread"));
        return NULL;
    }
    t = __real_calloc(1, sizeof(*t));
    t->one = (struct os_stopped){ .tid = FAKE_TID,
                                  .teb = TEB,
                                  .rip = FAKE_PROGRAM + TEXT,
                                  .rsp = FAKE_STACK - 0x400 };
    if (fake.setup.is_new && !fake.loaded) {
        t->one.rip = fake.begins;
    }
    fake.stands_in_end = fake.stops++ < fake.setup.in_end;
    if (fake.stands_in_end) {
        t->one.rip = fake_function("NtClose") + (fake.stops % 2 ? 0x15 : 0x0a);
    }
    if (fake.setup.callback_comes && fake.hushed == 0) {
        t->one.rip = fake.agent;
    }
    if (p->pid == PID && fake.stopped <= 0 &&
        !(fake.setup.is_new && !fake.loaded)) {
        wrong("threads that run were asked what they look like");
    }
    leave(true);
    return t;
}

bool os_threads_answer(struct os_threads *t, uint32_t ms)
{
    (void)t;
    (void)ms;
    return true;
}

const struct os_stopped *os_threads_list(const struct os_threads *t,
                                         size_t *count)
{
    *count = 1;
    return &t->one;
}

void os_threads_close(struct os_threads *t)
{
    free(t);
}

/* --- process.c --- */

bool os_waited_for(const struct os_process *p)
{
    return p->waited_for != NULL && p->waited_for(p->ctx);
}

bool os_may_ask(const struct os_process *p, struct err *e)
{
    if (!os_waited_for(p)) {
        return true;
    }
    atomic_fetch_add(p->refused, 1);
    fake.questions++;
    if (e != NULL) {
        err_set(e, ERR_OS, "a thread of the program waits for us");
    }
    return false;
}

uint32_t os_windows_build(void)
{
    return 19045;
}

bool os_find_program(uint16_t **path, struct str16 name, struct err *e)
{
    uint16_t *found;

    enter();
    if (!ADMIT(false)) {
        return leave(fail(e, "cannot look for it"));
    }
    leave(true);
    (void)name;
    found = __real_malloc(9 * sizeof(*found));
    memcpy(found, u"C:\\x.exe", 9 * sizeof(*found));
    *path = found;
    return true;
}

bool os_process_launch(struct os_process *out, const uint16_t *path,
                       const uint16_t *command_line,
                       const struct os_apart *apart, struct err *e)
{
    (void)path;
    (void)command_line;
    (void)apart;
    enter();
    if (!ADMIT(false)) {
        return leave(fail(e, "cannot start it"));
    }
    fake.launched = true;
    if (fake.gone) {
        end_process(KILLED);
    }
    out->pid = PID;
    out->tid = FAKE_TID;
    out->process = open_handle(PROCESS_HANDLE);
    out->thread = open_handle(THREAD_HANDLE);
    out->job = open_handle(JOB_HANDLE);
    fake.begins = fake_function("RtlUserThreadStart");
    return leave(true);
}

static void run_program(void *unused)
{
    uint32_t code = fake.setup.run();

    (void)unused;
    enter();
    end_process(code);
    leave(true);
}

static bool start_program(void)
{
    struct err ignored;
    bool ok;

    fake.program = (struct os_thread_start){ run_program, NULL };
    own = true;
    ok = clock_thread_run(&fake.program_thread, &fake.program, &ignored);
    own = false;
    return ok;
}

bool os_process_resume(struct os_process *p, struct err *e)
{
    enter();
    fake.counts.requests_at_go = fake.counts.requests;
    fake.counts.memory_at_go = fake.counts.memory;
    if (!ADMIT(true)) {
        return leave(fail(e, "cannot resume the program"));
    }
    fake.resumed = true;
    /* Both of ntdll's ways to run are there, and nothing is half done. */
    fake.running = fake.setup.run != NULL && start_program();
    if (!admit("os_process_resume, the job", false)) {
        return leave(fail(e, "cannot let the program go"));
    }
    close_handle(p->thread, THREAD_HANDLE);
    close_handle(p->job, JOB_HANDLE);
    p->thread = NULL;
    p->job = NULL;
    return leave(true);
}

bool os_process_borrow(struct os_process *out, const struct os_process *from,
                       uint64_t process, uint64_t thread, struct err *e)
{
    (void)from;
    (void)thread;
    enter();
    if (!ADMIT(true) || fake.setup.child == FAKE_UNKNOWN || process != CHILD) {
        return leave(fail(e, "cannot open the process that it has made"));
    }
    *out = (struct os_process){ .pid = FAKE_OTHER,
                                .process = open_handle(PROCESS_HANDLE) };
    return leave(true);
}

uint32_t os_process_parent(const struct os_process *p)
{
    return p->pid != PID && fake.setup.child == FAKE_STUCK ? PID : 0;
}

void os_process_terminate(struct os_process *p, uint32_t code)
{
    (void)p;
    enter();
    if (!fake.ended) {
        fake.killed = true;
    }
    end_process(code);
    leave(true);
}

bool os_process_ended(const struct os_process *p, uint32_t *code)
{
    (void)p;
    enter();
    run_keeper();
    if (fake.ended) {
        *code = fake.code;
    }
    return leave(fake.ended);
}

uint64_t os_process_end_time(const struct os_process *p)
{
    (void)p;
    return 0;
}

uint64_t os_process_image(const struct os_process *p)
{
    (void)p;
    enter();
    return leave(ADMIT(true)) ? FAKE_PROGRAM : 0;
}

bool os_process_is_new(const struct os_process *p)
{
    bool is_new;

    if (p->pid == FAKE_OTHER) {
        return fake.setup.child == FAKE_STUCK;
    }
    enter();
    is_new = !is_unmade() && fake.setup.is_new && !fake.loaded;
    return leave(is_new);
}

bool os_process_has_begun(const struct os_process *p)
{
    bool unmade;

    enter();
    unmade = p->pid == PID && is_unmade();
    fake.looks++;
    leave(true);
    return !unmade && !os_process_is_new(p);
}

/* Its maker holds it. */
bool os_process_is_suspended(const struct os_process *p)
{
    (void)p;
    return p->pid == PID && fake.setup.is_new && !fake.let_run;
}

bool os_process_learn(struct os_process *p)
{
    (void)p;
    return false;
}

void os_process_path(const struct os_process *p, struct buf *path)
{
    (void)p;
    (void)path;
}

void os_process_command(const struct os_process *p, struct buf *line)
{
    (void)p;
    (void)line;
}

bool os_process_is_wow64(const struct os_process *p)
{
    (void)p;
    return false;
}

void os_process_close(struct os_process *p)
{
    if (p->job != NULL) {
        os_process_terminate(p, KILLED);
    }
    enter();
    close_handle(p->thread, THREAD_HANDLE);
    close_handle(p->job, JOB_HANDLE);
    close_handle(p->process, PROCESS_HANDLE);
    leave(true);
    *p = (struct os_process){ 0 };
}

bool os_give_tracer(const struct os_process *p, uint64_t *handle, struct err *e)
{
    (void)p;
    enter();
    if (!ADMIT(true)) {
        return leave(fail(e, "cannot give the program a handle"));
    }
    *handle = 0x80;
    return leave(true);
}

bool os_give_event(const struct os_process *p, void *event, bool may_set,
                   uint64_t *handle, struct err *e)
{
    (void)p;
    (void)may_set;
    enter();
    if (!ADMIT(true)) {
        return leave(fail(e, "cannot give the program a handle"));
    }
    fake.given[fake.given_count++] = (struct given){ event, false };
    *handle = 0x100 + 4 * (fake.given_count - 1);
    return leave(true);
}

bool os_shares_console(const struct os_process *p)
{
    (void)p;
    return fake.own_console;
}

/* --- handles.c --- */

void os_handles_ahead(const struct os_process *p)
{
    (void)p;
}

bool os_handles_query(const struct os_process *p, uint32_t ms,
                      void (*each)(void *ctx, const struct os_handle *h),
                      void *ctx, struct err *e)
{
    const struct os_handle some = { 0x4, 0x1f0003, STR("Event"), STR(""),
                                    STR("") };

    (void)p;
    (void)ms;
    enter();
    if (!ADMIT(true)) {
        return leave(fail(e, "cannot list the program's handles"));
    }
    leave(true);
    each(ctx, &some);
    return true;
}

bool os_handle_query(const struct os_process *p, uint64_t value, uint32_t ms,
                     void (*each)(void *ctx, const struct os_handle *h),
                     void *ctx, struct err *e)
{
    (void)value;
    return os_handles_query(p, ms, each, ctx, e);
}

/* --- memory.c --- */

static char self;

static bool is_self(const struct os_process *p)
{
    return p->process == &self;
}

struct os_process os_self(void)
{
    return (struct os_process){ .pid = 1, .process = &self };
}

bool os_read(const struct os_process *p, uint64_t from, void *to, size_t size)
{
    const uint8_t *bytes;

    (void)p;
    enter();
    bytes = ADMIT(true) ? bytes_at(from, size, READ) : NULL;
    if (bytes != NULL) {
        memcpy(to, bytes, size);
    }
    return leave(bytes != NULL);
}

bool os_write(const struct os_process *p, uint64_t to, const void *from,
              size_t size, struct err *e)
{
    uint8_t *bytes;

    (void)p;
    enter();
    if (!ADMIT(true)) {
        return leave(fail(e, "cannot write into the program"));
    }
    bytes = bytes_at(to, size, WRITE);
    if (bytes == NULL) {
        return leave(err_set(e, ERR_OS,
                             "cannot write into the program: "
                             "not writable"));
    }
    memcpy(bytes, from, size);
    return leave(true);
}

bool os_write_pieces(const struct os_process *p, const struct os_piece *pieces,
                     size_t count, struct err *e)
{
    if (!os_may_ask(p, e)) {
        return false;
    }
    enter();
    if (!ADMIT(true)) {
        return leave(fail(e, "cannot make the program's code writable"));
    }
    if (fake.setup.is_new && !fake.loaded && !fake.led && fake.stopped == 0 &&
        area_of(pieces[0].to)->kind == IMAGE) {
        wrong("code was changed that may be begun with at any moment");
    }
    for (size_t i = 0; i < count; i++) {
        uint8_t *bytes = bytes_at(pieces[i].to, pieces[i].size, READ);

        if (bytes == NULL) {
            return leave(err_set(e, ERR_OS,
                                 "cannot write into the program: "
                                 "nothing is there"));
        }
        memcpy(bytes, pieces[i].from, pieces[i].size);
    }
    return leave(true);
}

bool os_write_code(const struct os_process *p, uint64_t to, const void *from,
                   size_t size, struct err *e)
{
    return os_write_pieces(p, &(struct os_piece){ to, from, size }, 1, e);
}

/* The part of our own memory that is shared. */
static void query_ours(uint64_t address, struct os_region *out)
{
    const struct area *a = area_of(SHARED);
    uint64_t at = (address - (uint64_t)(uintptr_t)fake.ours) / PAGE;
    uint64_t end = at;

    while (end < a->size / PAGE && a->pages[end] == a->pages[at]) {
        end++;
    }
    *out = (struct os_region){ .base = address - address % PAGE,
                               .size = (end - at) * PAGE,
                               .allocation = (uint64_t)(uintptr_t)fake.ours,
                               .committed = a->pages[at] != RESERVED,
                               .mapped = true };
}

/* How many of `count` pages are as the first, which is at `p`, or, by `step`,
 * before it. Eight at a time: this is most of what is asked here. */
static uint64_t as_first(const uint8_t *p, uint64_t count, int step)
{
    const uint64_t eight = *p * UINT64_C(0x0101010101010101);
    uint64_t n = 0, word;

    for (; count - n >= 8; n += 8) {
        memcpy(&word, step > 0 ? p + n : p - n - 7, 8);
        if (word != eight) {
            break;
        }
    }
    while (n < count && (step > 0 ? p[n] : *(p - n)) == *p) {
        n++;
    }
    return n;
}

static bool query(uint64_t address, struct os_region *out)
{
    struct area *a = area_of(address);
    uint64_t next = UINT64_C(0x7fffffff0000);
    uint64_t at, end;

    *out = (struct os_region){ .base = address - address % PAGE };
    if (address >= next) {
        return false;
    }
    if (a == NULL) {
        for (size_t i = 0; i < fake.area_count; i++) {
            if (fake.areas[i].base > address && fake.areas[i].base < next) {
                next = fake.areas[i].base;
            }
        }
        out->free = true;
        out->size = next - out->base;
        return true;
    }
    at = (address - a->base) / PAGE;
    end = at + as_first(a->pages + at, a->size / PAGE - at, 1);
    at -= as_first(a->pages + at, at + 1, -1) - 1;
    out->base = a->base + at * PAGE;
    out->size = (end - at) * PAGE;
    out->allocation = a->base;
    out->committed = a->pages[at] != RESERVED;
    out->executable = a->pages[at] == CODE;
    out->image = a->kind == IMAGE;
    out->mapped = a->kind == MAPPED;
    return true;
}

/* A question that some thread other than the main one puts: it has a
 * deadline. */
static void take_time(void)
{
    if (pthread_equal(pthread_self(), fake.main)) {
        return;
    }
    if (fake.setup.pace == FAKE_LATE) {
        os_sleep(150);
    }
    while (fake.setup.pace == FAKE_NEVER && !fake.released) {
        os_sleep(1);
    }
}

bool os_query(const struct os_process *p, uint64_t address,
              struct os_region *out)
{
    bool ok;

    if (!os_may_ask(p, NULL)) {
        return false;
    }
    take_time();
    enter();
    if (is_self(p) && fake.ours != NULL &&
        address - (uint64_t)(uintptr_t)fake.ours < fake.shared_size) {
        ok = ADMIT(false);
        if (ok) {
            query_ours(address, out);
        }
    } else {
        ok = ADMIT(true) && query(address, out);
    }
    return leave(ok);
}

bool os_reserve_at(const struct os_process *p, uint64_t at, size_t size,
                   struct err *e)
{
    struct os_region r;

    if (!os_may_ask(p, e)) {
        return false;
    }
    enter();
    if (!ADMIT(true)) {
        return leave(fail(e, "cannot allocate memory in the program"));
    }
    if (!query(at, &r) || !r.free || r.size < size || at % 0x10000 != 0) {
        return leave(err_set(e, ERR_OS,
                             "cannot allocate memory in the "
                             "program: it is taken"));
    }
    add_area(at, size, PRIVATE_MEMORY, RESERVED);
    fake.agent = at;
    return leave(true);
}

bool os_commit_at(const struct os_process *p, uint64_t at, size_t size,
                  struct err *e)
{
    struct area *a;

    if (!os_may_ask(p, e)) {
        return false;
    }
    enter();
    if (!ADMIT(true)) {
        return leave(fail(e, "cannot allocate memory in the program"));
    }
    a = area_of(at);
    if (a == NULL || size > a->size - (at - a->base)) {
        wrong("memory was committed that is not reserved");
        return leave(fail(e, "cannot allocate memory in the program"));
    }
    memset(a->pages + (at - a->base) / PAGE, WRITE, size / PAGE);
    return leave(true);
}

bool os_release_at(const struct os_process *p, uint64_t at, struct err *e)
{
    if (!os_may_ask(p, e)) {
        return false;
    }
    enter();
    if (!ADMIT(true)) {
        return leave(fail(e, "cannot take back memory of the program"));
    }
    if (fake.agent != 0 && at != fake.agent && at != OLD_AGENT) {
        wrong("memory was taken back that is not ours");
    }
    return leave(true);
}

bool os_section_unmap(const struct os_process *p, uint64_t at, struct err *e)
{
    if (!os_may_ask(p, e)) {
        return false;
    }
    enter();
    if (!ADMIT(true)) {
        return leave(fail(e, "cannot unmap the shared memory"));
    }
    if (at != SHARED && at != OLD_SECTION) {
        wrong("memory was unmapped that is not ours");
    }
    if (at == SHARED && fake.callback != 0) {
        wrong("memory was unmapped that the program's threads use");
    }
    return leave(true);
}

bool os_make_code(const struct os_process *p, uint64_t at, size_t size,
                  struct err *e)
{
    if (!os_may_ask(p, e)) {
        return false;
    }
    enter();
    if (!ADMIT(true) || !protect(at, size, CODE)) {
        return leave(fail(e, "cannot make memory of the program executable"));
    }
    return leave(true);
}

bool os_mapped_file(const struct os_process *p, uint64_t address,
                    struct buf *name)
{
    const struct area *a;

    if (!os_may_ask(p, NULL)) {
        return false;
    }
    enter();
    a = ADMIT(true) ? area_of(address) : NULL;
    if (a == NULL || a->file == NULL) {
        return leave(false);
    }
    buf_add(name, str_of(a->file));
    return leave(true);
}

bool os_section_open(struct os_section *out, size_t size, struct err *e)
{
    enter();
    if (!ADMIT(false)) {
        return leave(fail(e, "cannot create the shared memory"));
    }
    fake.memory = memfd_create("section", 0);
    if (fake.memory < 0 || ftruncate(fake.memory, (off_t)size) != 0) {
        abort();
    }
    fake.shared_size = size;
    fake.ours =
        mmap(NULL, size, PROT_NONE, MAP_SHARED | MAP_NORESERVE, fake.memory, 0);
    if (fake.ours == MAP_FAILED) {
        abort();
    }
    fake.views++;
    out->handle = open_handle(SECTION_HANDLE);
    out->at = fake.ours;
    out->size = size;
    return leave(true);
}

bool os_section_commit(struct os_section *s, size_t offset, size_t size,
                       struct err *e)
{
    struct area *a;

    enter();
    if (!ADMIT(false)) {
        return leave(fail(e, "cannot commit shared memory"));
    }
    a = area_of(SHARED);
    size = (size + PAGE - 1) / PAGE * PAGE;
    mprotect((uint8_t *)s->at + offset, size, PROT_READ | PROT_WRITE);
    mprotect(fake.shared + offset, size, PROT_READ | PROT_WRITE);
    memset(a->pages + offset / PAGE, WRITE, size / PAGE);
    return leave(true);
}

bool os_section_map(const struct os_section *s, const struct os_process *p,
                    uint64_t *at, struct err *e)
{
    struct area *a;

    if (!os_may_ask(p, e)) {
        return false;
    }
    enter();
    if (!ADMIT(true)) {
        return leave(fail(e, "cannot map the shared memory"));
    }
    fake.shared = mmap(NULL, s->size, PROT_NONE, MAP_SHARED | MAP_NORESERVE,
                       fake.memory, 0);
    if (fake.shared == MAP_FAILED) {
        abort();
    }
    a = add_area(SHARED, s->size, MAPPED, RESERVED);
    munmap(a->bytes, a->size);
    a->bytes = fake.shared;
    *at = SHARED;
    return leave(true);
}

void os_section_close(struct os_section *s)
{
    enter();
    if (s->at != NULL) {
        munmap(s->at, s->size);
        fake.ours = NULL;
        fake.views--;
        if (fake.shared == NULL) {
            close(fake.memory);  // another one may follow
            fake.memory = -1;
        }
    }
    close_handle(s->handle, SECTION_HANDLE);
    *s = (struct os_section){ 0 };
    leave(true);
}

/* --- running.c --- */

bool os_process_open(struct os_process *out, uint32_t pid, struct err *e)
{
    enter();
    if (!ADMIT(false)) {
        return leave(fail(e, "cannot open it"));
    }
    if (pid != PID) {
        return leave(err_set(e, ERR_NOT_FOUND, "no such process"));
    }
    *out = (struct os_process){ .pid = PID,
                                .process = open_handle(PROCESS_HANDLE) };
    fake.launched = true;
    fake.resumed = true;
    fake.begins = fake_function("RtlUserThreadStart");
    if (!fake.running) {
        fake.running = fake.setup.run != NULL && start_program();
    }
    return leave(true);
}

bool os_process_each(void (*each)(void *ctx, uint32_t pid, str name), void *ctx,
                     struct err *e)
{
    enter();
    if (!ADMIT(false)) {
        return leave(fail(e, "cannot list the processes"));
    }
    leave(true);
    each(ctx, PID, STR("x.exe"));
    return true;
}

uint16_t os_process_machine(const struct os_process *p)
{
    (void)p;
    return 0x8664;
}

uint64_t os_process_age(const struct os_process *p)
{
    return p->pid == PID ? 5 : 3600000;
}

void os_process_hold(const struct os_process *p, bool hold)
{
    if (p->pid != PID) {
        return;
    }
    enter();
    if (is_unmade()) {
        wrong("it is still being made, and was held");
    }
    fake.stopped += hold ? 1 : -1;
    if (!fake.ended && fake.stopped < 0) {
        wrong("the program was let go on more often than it was held");
    }
    let_begin();
    leave(true);
}

uint64_t os_process_peb(const struct os_process *p)
{
    (void)p;
    enter();
    return leave(ADMIT(true)) ? PEB : 0;
}

bool os_handle_names(const struct os_process *p, uint64_t value, uint32_t pid)
{
    (void)p;
    return value == OTHERS && pid == fake.setup.handle_on;
}

uint64_t os_own_ntdll(const char *name)
{
    if (strcmp(name, "wine_get_version") == 0) {
        return fake.setup.wine;
    }
    return fake_function(name);
}

uint64_t os_own_module(const char *name, struct err *e)
{
    err_set(e, ERR_OS, "%s cannot be loaded", name);
    return 0;
}

/* --- thread.c --- */

enum os_thread os_thread_open(uint32_t pid, uint32_t tid, uint64_t teb,
                              void **thread)
{
    enter();
    if (!ADMIT(true)) {
        leave(true);
        return fake.ended ? OS_THREAD_GONE : OS_THREAD_DENIED;
    }
    if (pid != PID || tid != FAKE_TID || (teb != 0 && teb != TEB)) {
        leave(true);
        return OS_THREAD_GONE;
    }
    *thread = open_handle(THREAD_HANDLE);
    leave(true);
    return OS_THREAD_OPEN;
}

void os_thread_close(void *thread)
{
    enter();
    if (thread == fake.keeper) {
        fake.keeper = NULL;
    }
    close_handle(thread, THREAD_HANDLE);
    leave(true);
}

bool os_thread_ended(void *thread, uint32_t *code)
{
    enter();
    if (thread == fake.keeper) {
        *code = 0;
        return leave(fake.ended || fake.keeper_ended);
    }
    *code = fake.thread_ended ? fake.thread_code : fake.code;
    return leave(fake.ended || fake.thread_ended);
}

bool os_thread_suspend(void *thread)
{
    (void)thread;
    enter();
    if (fake.setup.wine) {
        wrong("a thread was stopped that has said what it called last");
    } else if (atomic_load(&((struct section *)(void *)fake.shared)->asked) !=
               FAKE_TID) {
        wrong("a thread was stopped of which nobody else knows");
    }
    if (!ADMIT(true)) {
        return leave(false);
    }
    fake.thread_stopped++;
    return leave(true);
}

void os_thread_resume(void *thread)
{
    enter();
    if (thread == fake.keeper) {
        fake.keeper_runs = true;
        leave(true);
        return;
    }
    if (!fake.ended && --fake.thread_stopped < 0) {
        wrong("a thread was let go on more often than it was stopped");
    }
    leave(true);
}

bool os_thread_get_start(void *thread, uint64_t *rip)
{
    (void)thread;
    enter();
    *rip = fake.begins;
    return leave(ADMIT(true));
}

bool os_thread_set_start(void *thread, uint64_t rip)
{
    (void)thread;
    enter();
    if (!ADMIT(true)) {
        return leave(false);
    }
    fake.begins = rip;
    return leave(true);
}

bool os_thread_last_call(void *thread, uint16_t *number, uint64_t *argument,
                         uint32_t *status)
{
    (void)thread;
    enter();
    if (!ADMIT(true)) {
        *status = 0xc0000022;
        return leave(false);
    }
    if (fake.thread_stopped <= 0) {
        wrong("a thread that runs was asked for its last call");
    }
    *number = fake.last_number;
    *argument = fake.last_argument;
    *status = 0;
    return leave(true);
}

bool os_calls_by_interrupt(void)
{
    return fake.setup.interrupts;
}

bool os_last_call_implemented(void)
{
    return !fake.setup.wine;
}

uint64_t os_xsave_mask(void)
{
    return 7;
}

/* --- console.c, file.c --- */

bool os_interrupt_watch(void *event, struct err *e)
{
    enter();
    if (!ADMIT(false)) {
        return leave(fail(e, "cannot watch for Ctrl-C"));
    }
    fake.interrupt = event;
    return leave(true);
}

enum os_interrupt os_interrupt_take(void)
{
    enum os_interrupt taken = OS_INTERRUPT_NONE;

    enter();
    for (int i = 1; i < 4 && taken == OS_INTERRUPT_NONE; i++) {
        if (fake.pending[i] > 0) {
            fake.pending[i]--;
            taken = (enum os_interrupt)i;
        }
    }
    leave(true);
    return taken;
}

void os_interrupt_done(void)
{
    enter();
    fake.interrupt = NULL;
    leave(true);
}

void fake_interrupt(enum os_interrupt which)
{
    enter();
    fake.pending[which]++;
    if (fake.interrupt != NULL) {
        os_event_set(fake.interrupt);
    }
    leave(true);
}

void fake_share_console(bool shares)
{
    enter();
    fake.own_console = shares;
    leave(true);
}

bool os_console_colours(const struct os_file *f)
{
    (void)f;
    return false;
}

void os_console_restore(void)
{
}

bool os_variable_set(const char *name)
{
    (void)name;
    return false;
}

struct os_file os_stdout(void)
{
    return (struct os_file){ 0 };
}

struct os_file os_stderr(void)
{
    return (struct os_file){ 0 };
}

bool os_file_create(struct os_file *out, str path, struct err *e)
{
    (void)path;
    enter();
    if (!ADMIT(false)) {
        fail(e, "cannot write to the file");
        e->code = ERR_OUTPUT;
        return leave(false);
    }
    *out = (struct os_file){ &fake, true, false };
    return leave(true);
}

bool os_pipe_into(struct os_file *out, void **process, str command,
                  struct err *e)
{
    (void)command;
    *process = NULL;
    return os_file_create(out, STR(""), e);
}

void os_pipe_wait(void *process)
{
    (void)process;
}

void os_full_path(struct buf *b, str path)
{
    buf_add(b, path);
}

bool os_file_write(struct os_file *f, str bytes, struct err *e)
{
    (void)f;
    enter();
    if (!ADMIT(false)) {
        fail(e, "cannot write the output");
        fake.leaving = true;
        e->code = ERR_OUTPUT;
        return leave(false);
    }
    if (fake.output_size + bytes.size > fake.output_room) {
        fake.output_room = 2 * (fake.output_size + bytes.size);
        fake.output = __real_realloc(fake.output, fake.output_room);
    }
    memcpy(fake.output + fake.output_size, bytes.p, bytes.size);
    fake.output_size += bytes.size;
    return leave(true);
}

bool os_file_close(struct os_file *f, struct err *e)
{
    bool ok = true;

    if (f->owned) {
        enter();
        ok = ADMIT(false);
        leave(true);
        if (!ok) {
            fail(e, "cannot finish the output");
            e->code = ERR_OUTPUT;
        }
    }
    *f = (struct os_file){ 0 };
    return ok;
}

/* What was written and is read again is no business of this system. */
bool os_file_open(struct os_file *out, str path, struct err *e)
{
    (void)path;
    *out = (struct os_file){ 0 };
    return fail(e, "no such file");
}

bool os_file_read_at(struct os_file *f, uint64_t offset, void *to, size_t size,
                     size_t *got, struct err *e)
{
    (void)f;
    (void)offset;
    (void)to;
    (void)size;
    *got = 0;
    return fail(e, "cannot read it");
}

bool os_file_size(const struct os_file *f, uint64_t *size, struct err *e)
{
    (void)f;
    *size = 0;
    return fail(e, "cannot tell its size");
}

bool os_file_truncate(struct os_file *f, uint64_t size, struct err *e)
{
    (void)f;
    (void)e;
    enter();
    if (size < fake.output_size) {
        fake.output_size = (size_t)size;
    }
    return leave(true);
}

bool os_is_terminal(const struct os_file *f)
{
    (void)f;
    return false;
}

bool os_file_head(const uint16_t *path, void *to, size_t room, size_t *size,
                  uint64_t *file_size, struct err *e)
{
    (void)path;
    enter();
    if (!ADMIT(false)) {
        return leave(fail(e, "cannot read it"));
    }
    memset(to, 0, room);
    put_head(to, FAKE_PROGRAM, false);
    *size = room < IMAGE_BYTES ? room : IMAGE_BYTES;
    *file_size = IMAGE_BYTES;
    return leave(true);
}

/* --- a system from beginning to end --- */

static void put_entry(uint8_t *peb, uint32_t at, uint32_t next, uint64_t base,
                      const char *name)
{
    size_t size = strlen(name);

    put(peb + at, PEB + next, 8);
    put(peb + at + 0x30, base, 8);
    put(peb + at + 0x40, IMAGE_BYTES, 4);
    put(peb + at + 0x58, 2 * size, 2);
    put(peb + at + 0x60, PEB + at + 0x80, 8);
    for (size_t i = 0; i < size; i++) {
        peb[at + 0x80 + 2 * i] = (uint8_t)name[i];
    }
}

/* The lists of the loader, as if the program ran. */
static void add_loader(struct area *peb)
{
    put(peb->bytes + 0x18, PEB + 0x100, 8);
    put(peb->bytes + 0x110, PEB + 0x200, 8);
    put_entry(peb->bytes, 0x200, 0x300, FAKE_PROGRAM, "x.exe");
    put_entry(peb->bytes, 0x300, 0x110, FAKE_NTDLL, "ntdll.dll");
}

/* As a tracer has left it, or seems to have. */
static void add_agent(struct area *agent, struct area *section)
{
    const struct image_head *head =
        (const struct image_head *)(const void *)agent_image;
    struct section *s = (struct section *)(void *)section->bytes;
    const struct image_config config = { .section = fake.setup.section_gone
                                                        ? SHARED
                                                        : OLD_SECTION,
                                         .tracer = OTHERS,
                                         .tracer_pid = fake.setup.traced_by };

    memcpy(agent->bytes, agent_image, head->size);
    memcpy(agent->bytes + head->config, &config, sizeof(config));
    s->magic = SECTION_MAGIC;
    s->agent = OLD_AGENT;
    if (fake.setup.left_stopped) {
        fake.thread_stopped = 1;
        s->asked = FAKE_TID;
    }
}

void fake_begin(const struct fake_setup *setup)
{
    struct area *a;

    memset(&fake, 0, sizeof(fake));
    fake.setup = *setup;
    fake.main = pthread_self();
    fake.refused = "";
    fake.own_console = true;
    fake.memory = -1;
    fake.last_argument = LAST_ARGUMENT;
    add_dll(FAKE_NTDLL, "ntdll.dll",
            "\\Device\\HarddiskVolume1\\Windows\\System32\\ntdll.dll", nt_calls,
            COUNT_OF(nt_calls), 0, nt_others, COUNT_OF(nt_others));
    a = add_area(FAKE_PROGRAM, IMAGE_BYTES, IMAGE, READ);
    a->file = "\\Device\\HarddiskVolume1\\x.exe";
    put_head(a->bytes, FAKE_PROGRAM, false);
    a->was = pages_of(a->size);
    memcpy(a->was, a->bytes, a->size);
    add_area(FAKE_STACK - 0x10000, 0x10000, PRIVATE_MEMORY, WRITE);
    add_area(FAKE_PRIVATE, 0x4000, PRIVATE_MEMORY, WRITE);
    add_area(TEB, 0x2000, PRIVATE_MEMORY, WRITE);
    add_loader(add_area(PEB, 0x1000, PRIVATE_MEMORY, WRITE));
    /* In the way of whoever looks for a place below ntdll. */
    a = add_area(OLD_AGENT, 0x10000, PRIVATE_MEMORY, WRITE);
    if (setup->traced_by != 0) {
        add_agent(a, add_area(OLD_SECTION, 0x1000, MAPPED, WRITE));
    }
    counting = true;
}

void fake_end(void)
{
    counting = false;
    enter();
    fake.released = true;
    fake.leaving = true;
    fake.stopped = 0;  // a tracer that left it so has been judged
    fake.thread_stopped = 0;
    leave(true);
    if (fake.running) {
        os_thread_join(fake.program_thread);
    }
    for (size_t i = 0; i < fake.area_count; i++) {
        free_area(&fake.areas[i]);
    }
    for (size_t i = 0; i < fake.given_count; i++) {
        bool again = false;

        for (size_t k = 0; k < i; k++) {
            again = again || fake.given[k].event == fake.given[i].event;
        }
        if (fake.given[i].closed && !again) {
            __real_os_event_close(fake.given[i].event);
        }
    }
    for (size_t i = 0; i < COUNT_OF(fake.handles); i++) {
        if (fake.handles[i].kind != NO_HANDLE) {
            __real_os_event_close(fake.handles[i].event);
        }
    }
    if (fake.shared != NULL) {
        munmap(fake.shared, fake.shared_size);
    }
    if (fake.memory >= 0) {
        close(fake.memory);
    }
    free(fake.output);
    fake.output = NULL;
}

struct fake_counts fake_counts(void)
{
    return fake.counts;
}

const char *fake_refused(void)
{
    return fake.refused;
}

str fake_left(void)
{
    static char room[300];
    struct buf b = BUF_OVER(room);
    static const char *const names[] = { "", "process", "thread", "job",
                                         "section" };

    counting = false;
    enter();
    fake.released = true;
    /* A thread of the tracer's own that nobody waits for, and that looks once
     * a second whether it is to end. */
    for (int i = 0; i < 2000 && fake.events > 0; i++) {
        leave(true);
        os_sleep(1);
        enter();
    }
    buf_add(&b, str_of(fake.wrong));
    for (size_t i = 0; i < COUNT_OF(fake.handles); i++) {
        if (fake.handles[i].kind != NO_HANDLE) {
            buf_addf(&b, " a %s handle", names[fake.handles[i].kind]);
        }
    }
    if (fake.events != 0) {
        buf_addf(&b, " %d events", fake.events);
    }
    if (fake.views != 0) {
        buf_addf(&b, " %d views", fake.views);
    }
    if (!fake.ended && (fake.stopped != 0 || fake.thread_stopped != 0)) {
        buf_add(&b, STR(" a thread that stands still"));
    }
    if (!fake.ended && fake.child_held) {
        buf_add(&b, STR(" a process that it has made, and that stands still"));
    }
    if (bytes_at(SHARED, PAGE, WRITE) != NULL &&
        atomic_load(&((struct section *)(void *)fake.shared)->asked) != 0) {
        buf_add(&b, STR(" a thread that is said to stand still"));
    }
    if (fake.interrupt != NULL) {
        buf_add(&b, STR(" an event for Ctrl-C"));
    }
    leave(true);
    return buf_str(&b);
}

bool fake_launched(void)
{
    return fake.launched;
}

bool fake_resumed(void)
{
    return fake.resumed;
}

bool fake_ended(void)
{
    bool ended;

    enter();
    ended = fake.ended;
    leave(true);
    return ended;
}

bool fake_ended_early(void)
{
    return fake.gone;
}

uint32_t fake_code(void)
{
    return fake.code;
}

bool fake_killed(void)
{
    return fake.killed;
}

str fake_changed(void)
{
    static char room[300];
    struct buf b = BUF_OVER(room);

    enter();
    for (size_t i = 0; i < fake.area_count; i++) {
        const struct area *a = &fake.areas[i];
        size_t differ = 0;

        for (size_t k = 0; a->was != NULL && k < a->size; k++) {
            differ += a->bytes[k] != a->was[k];
        }
        if (differ > 0) {
            buf_addf(&b, " %zu bytes of %s", differ, a->file);
        }
        for (size_t k = 0; a->was != NULL && k < a->size / PAGE; k++) {
            bool code = k >= TEXT / PAGE && k < EXPORTS / PAGE &&
                        a->base != FAKE_PROGRAM;

            if (a->pages[k] != (code ? CODE : READ)) {
                buf_addf(&b, " page %zu of %s", k, a->file);
            }
        }
    }
    if (fake.callback != 0) {
        buf_add(&b, STR(" the callback"));
    }
    leave(true);
    return buf_str(&b);
}

unsigned fake_questions_while_waiting(void)
{
    return fake.questions;
}

str fake_output(void)
{
    return (str){ fake.output == NULL ? "" : fake.output, fake.output_size };
}

/* --- the program --- */

static const struct image_head *head_of_agent(void)
{
    return (const struct image_head *)(const void *)agent_image;
}

/* Takes the lock for the program: not while it is stopped. */
static void enter_program(void)
{
    enter();
    while (!fake.ended && (fake.stopped > 0 || fake.thread_stopped > 0)) {
        leave(true);
        os_sleep(1);
        enter();
    }
}

bool fake_over(void)
{
    bool over;

    enter_program();
    over = fake.ended;
    leave(true);
    return over;
}

bool fake_left_alone(void)
{
    return fake_over() || fake.leaving;
}

void fake_rest(uint32_t ms)
{
    for (uint32_t i = 0; i < ms && !fake_over(); i++) {
        os_sleep(1);
    }
}

void fake_wait_for(const char *text)
{
    bool there = false;

    for (int i = 0; i < 1000 && !there && !fake_left_alone(); i++) {
        enter_program();
        there = fake.output != NULL && memmem(fake.output, fake.output_size,
                                              text, strlen(text)) != NULL;
        leave(true);
        os_sleep(1);
    }
}

static struct section *section(void)
{
    return (struct section *)(void *)fake.shared;
}

static const struct image_config *config(void)
{
    const struct area *a = area_of(fake.agent);

    return (const struct image_config *)(const void *)(a->bytes +
                                                       head_of_agent()->config);
}

static bool is_dead(void)
{
    return atomic_load(&section()->dead) != 0;
}

/* The agent: what leads to its function at `offset`. */
static void found_agent(uint64_t at, uint32_t offset)
{
    const uint8_t *bytes;

    fake.agent = at - offset;
    bytes = bytes_at(fake.agent, 0x4000, CODE);
    if (bytes == NULL || memcmp(bytes, agent_image, sizeof(uint64_t)) != 0) {
        wrong("there is no agent where the program is led to");
        fake.agent = 0;
    }
}

static void wake_reader(void)
{
    uint32_t asleep = 1;

    if (atomic_compare_exchange_strong(&section()->reader_asleep, &asleep, 0)) {
        enter_program();
        os_event_set(fake.given[(config()->wake - 0x100) / 4].event);
        leave(true);
    }
}

static uint32_t waiting_bytes(void)
{
    return atomic_load(&fake.ring->head) - atomic_load(&fake.ring->tail);
}

static bool put_bytes(const void *bytes, uint32_t size)
{
    struct ring *r = fake.ring;
    uint8_t *data = (uint8_t *)r + RING_DATA;
    uint32_t head = atomic_load(&r->head);
    uint32_t rest = fake.ring_bytes - head % fake.ring_bytes;

    atomic_store(&r->waiting, RING_WAITS_ROOM);
    while (waiting_bytes() > fake.ring_bytes / 2 && !is_dead() &&
           !fake_over()) {
        wake_reader();
        os_sleep(1);
    }
    atomic_store(&r->waiting, RING_RUNS);
    if (fake_over() || waiting_bytes() > fake.ring_bytes / 2) {
        return !fake_over();
    }
    atomic_store(&r->inside, FAKE_STACK - 0x800);
    if (rest < size) {
        const struct record_head pad = { rest, RECORD_PAD, 0, 0, os_tsc() };

        memcpy(data + head % fake.ring_bytes, &pad,
               rest < sizeof(pad) ? 8 : sizeof(pad));
        head += rest;
    }
    memcpy(data + head % fake.ring_bytes, bytes, size);
    atomic_store(&r->head, head + size);
    atomic_store(&r->inside, 0);
    return true;
}

/* --- chores --- */

#define STATUS_NO_MEMORY 0xc0000017
#define STATUS_ACCESS_DENIED 0xc0000022
#define STATUS_DYNAMIC_CODE_BLOCKED 0xc0000604

static void tell_region(uint64_t address)
{
    struct ring_told *told =
        (struct ring_told *)(void *)((char *)fake.ring + RING_SCRATCH);
    const struct area *a = area_of(address);
    struct os_region r;

    query(address, &r);
    memset(told, 0, sizeof(*told));
    told->base = r.base;
    told->size = r.size;
    told->allocation = r.allocation;
    told->allocation_end = a == NULL ? r.base + r.size : a->base + a->size;
    told->state = r.free ? 0x10000 : 0x1000;
    told->type = r.image ? 0x1000000 : r.mapped ? 0x40000 : 0x20000;
    if (a == NULL) {
        told->type = 0;
    } else if (a->file != NULL) {
        for (size_t i = 0; a->file[i] != 0; i++) {
            told->name[i] = (uint8_t)a->file[i];
            told->name_bytes += 2;
        }
    }
}

static uint32_t do_chore(uint32_t chore, uint64_t address, uint64_t size,
                         struct range *opened)
{
    bool ok;

    if (chore == CHORE_RESUME) {
        fake.child_held = false;
        return 0;
    }
    ok = admit("a chore", true);
    fake.chores++;
    if (!ok) {
        return fake.setup.way == FAKE_MEMORY ? STATUS_NO_MEMORY
                                             : STATUS_ACCESS_DENIED;
    }
    if (fake.chores == fake.setup.acg_chore) {
        return STATUS_DYNAMIC_CODE_BLOCKED;
    }
    switch (chore) {
    case CHORE_QUERY:
        tell_region(address);
        return 0;
    case CHORE_SEAL:
        return protect(address, size, CODE) ? 0 : STATUS_ACCESS_DENIED;
    case CHORE_OPEN:
        *opened = (struct range){ address, size };
        return protect(address, size, WRITE) ? 0 : STATUS_ACCESS_DENIED;
    default:
        ok = protect(opened->at, opened->size, CODE);
        opened->size = 0;
        return ok ? 0 : STATUS_ACCESS_DENIED;
    }
}

/* Puts a question, whose record is there, until it is answered. */
static bool ask(bool spin)
{
    struct ring *r = fake.ring;
    struct range opened = { 0, 0 };
    uint32_t asked = atomic_load(&r->ask);
    bool there = true;

    while (there) {
        atomic_store(&r->waiting, spin ? RING_SPINS : RING_WAITS_ANSWER);
        atomic_store(&r->ask, ++asked);
        if (!spin) {
            wake_reader();
        }
        for (int i = 0; atomic_load(&r->answer) != asked && there; i++) {
            there = !is_dead() && !fake_over();
            if (i == SPIN_MS * 10) {
                wrong("a thread that waited got no answer");
                there = false;
            }
            clock_pass(100);
        }
        if (!there || r->chore == CHORE_NONE) {
            break;
        }
        enter_program();
        r->chore_status =
            do_chore(r->chore, r->chore_address, r->chore_size, &opened);
        leave(true);
        spin = false;
    }
    enter_program();
    if (opened.size != 0) {
        protect(opened.at, opened.size, CODE);
    }
    leave(true);
    atomic_store(&r->waiting, RING_RUNS);
    return !fake_over();
}

/* --- what it does --- */

static void register_callback(void)
{
    uint32_t status = fake.setup.callback_denied ? STATUS_ACCESS_DENIED : 0;

    if (status == 0) {
        fake.callback = config()->callback;
    }
    atomic_store(&section()->start_status, 1 + (uint64_t)status);
}

static void claim_ring_at(uint32_t index)
{
    _Atomic uint32_t *states =
        (_Atomic uint32_t *)(void *)(fake.shared + SECTION_RING_STATE);

    fake.ring = (struct ring *)(void *)(fake.shared + SECTION_RINGS +
                                        index * config()->ring_stride);
    fake.ring_bytes = config()->ring_mask + 1;
    if (atomic_load(&states[index]) != RING_FREE) {
        wrong("there is no ring");
    }
    fake.ring->tid = FAKE_TID;
    fake.ring->teb = TEB;
    fake.ring->serial = 1;
    fake.ring->is_below = index > 0;
    atomic_store(&states[index], RING_LIVE);
    atomic_store(&section()->ring_high, index + 1);
}

static void claim_ring(void)
{
    claim_ring_at(0);
}

/* The time of what the program does. */
static uint64_t now(void)
{
    return os_tsc() + fake.ahead;
}

static bool transition(uint16_t number, uint8_t flags, const char *door,
                       const uint64_t *words, uint32_t count)
{
    uint64_t room[(RETURN_SIZE + 8 * TRANSITION_WORDS_MAX) / 8];
    struct record_return r = {
        .head = { RETURN_SIZE + 8 * count, RECORD_TRANSITION, flags, number,
                  os_tsc() },
        .rip = fake_function(door),
        .rsp = FAKE_STACK - 0x500,
        .rax = 0,
        .stack_base = FAKE_STACK,
    };

    memcpy(room, &r, RETURN_SIZE);
    memcpy((char *)room + RETURN_SIZE, words, 8 * count);
    return put_bytes(room, r.head.size);
}

/* Where the jump at `from` leads; 0: none is there. */
static uint64_t jump_at(uint64_t from)
{
    const uint8_t *bytes = bytes_at(from, 8, CODE);
    int32_t far;

    if (bytes == NULL || bytes[0] != 0xe9) {
        return 0;
    }
    memcpy(&far, bytes + 1, 4);
    return from + 5 + (uint64_t)(int64_t)far;
}

static void let_begin(void)
{
    uint64_t agent;
    bool bent = false;

    if (!fake.setup.is_new || !fake.let_run || fake.begun || fake.stopped > 0 ||
        !fake.running) {
        return;
    }
    agent = jump_at(fake_function("LdrInitializeThunk"));
    for (size_t i = 0; i < COUNT_OF(nt_calls); i++) {
        bent =
            bent || jump_at(fake_function(nt_calls[i]) + STUB_NUMBER_AT) != 0;
    }
    if (agent == 0 && bent) {
        wrong("it begins with stubs that lead to an agent that has not");
    }
    fake.begun = true;
    fake.led = agent != 0;
    fake.begins = fake.led ? agent : fake_function("LdrInitializeThunk");
}

bool fake_begins(void)
{
    bool begun = false;

    for (int i = 0; !begun && !fake_left_alone(); i++) {
        enter();
        fake.let_run = fake.let_run || i > 2000 ||
                       (fake.setup.begins_at == 0 &&
                        jump_at(fake_function("LdrInitializeThunk")) != 0);
        let_begin();
        begun = fake.begun;
        leave(true);
        os_sleep(1);
    }
    if (!fake.led) {
        fake_rest(2);
        enter_program();
        fake.loaded = true;
        leave(true);
    }
    return fake.led;
}

bool fake_start(void)
{
    uint64_t thunk = fake_function("LdrInitializeThunk");
    const uint64_t words[2] = { FAKE_PROGRAM + TEXT, PEB };
    uint8_t *bytes;
    int32_t far;
    bool there;

    enter_program();
    bytes = bytes_at(thunk, 8, CODE);
    if (bytes == NULL || bytes[0] != 0xe9) {
        wrong("the loader does not lead to the agent");
        return leave(false);
    }
    memcpy(&far, bytes + 1, 4);
    found_agent(thunk + 5 + (uint64_t)(int64_t)far, head_of_agent()->start);
    if (fake.agent == 0 || fake.ended) {
        return leave(false);
    }
    if (!fake.setup.keeps_loader) {
        memcpy(bytes, config()->loader_bytes, LOADER_BYTES);
    }
    if (fake.setup.is_new && is_dead()) {
        fake.loaded = true;
        return leave(false);
    }
    claim_ring();
    register_callback();
    leave(true);
    there = transition(TRANSITION_THREAD_START, RECORD_WAITS,
                       "LdrInitializeThunk", words, 2) &&
            ask(false);
    enter_program();
    fake.loaded = true;
    return leave(there);
}

bool fake_joined(void)
{
    uint64_t stub = fake_function("NtClose");
    const uint8_t *bytes = NULL;
    int32_t far;

    for (int i = 0; i < 5000 && !fake_left_alone(); i++) {
        enter_program();
        bytes = bytes_at(stub, STUB_PATTERN_MAX, CODE);
        leave(true);
        /* With the callback, or else its end as well. */
        if (bytes != NULL && bytes[STUB_NUMBER_AT] == 0xe9 &&
            (fake.callback != 0 || bytes[STUB_TURN] == 0xe9)) {
            break;
        }
        bytes = NULL;
        os_sleep(1);
    }
    if (bytes == NULL) {
        return false;
    }
    enter_program();
    memcpy(&far, bytes + STUB_NUMBER_AT + 1, 4);
    bytes = bytes_at(stub + STUB_HEAD_SIZE + (uint64_t)(int64_t)far, THUNK_SIZE,
                     CODE);
    if (bytes == NULL || memcmp(bytes + 22, "\x4c\x8b\xd1\xb8", 4) != 0) {
        wrong("a stub leads to no thunk");
        return leave(false);
    }
    claim_ring();
    return leave(!fake.ended);
}

bool fake_start_late(void)
{
    enter_program();
    found_agent(fake.begins, head_of_agent()->start_late);
    if (fake.agent == 0 || fake.ended) {
        return leave(false);
    }
    register_callback();
    return leave(!fake.ended);
}

bool fake_entry(const char *name, uint64_t a, uint64_t b)
{
    struct record_entry r = {
        .head = { ENTRY_SIZE, RECORD_ENTRY, 0, number_of(fake_function(name)),
                  now() },
        .rsp = FAKE_STACK - 0x400,
        .stack_base = FAKE_STACK,
        .caller = FAKE_PROGRAM + TEXT + 0x10,
        .args = { a, b },
    };

    fake.last_number = r.head.number;
    return put_bytes(&r, ENTRY_SIZE);
}

static bool come_back(uint64_t rip, uint8_t flags, uint64_t result)
{
    struct record_return r = {
        .head = { RETURN_SIZE, RECORD_RETURN, flags, 0, now() },
        .rip = rip,
        .rsp = FAKE_STACK - 0x400,
        .rax = result,
        .stack_base = FAKE_STACK,
    };

    return put_bytes(&r, RETURN_SIZE);
}

bool fake_call(const char *name, uint64_t a, uint64_t b, uint64_t result)
{
    return fake_entry(name, a, b) &&
           come_back(fake_function(name) + 0x14, 0, result);
}

static void put_handles(uint64_t handles, uint64_t attributes)
{
    enter_program();
    put(bytes_at(handles, 8, WRITE), CHILD, 8);
    put(bytes_at(handles + 8, 8, WRITE), CHILD_THREAD, 8);
    put(bytes_at(attributes, 8, WRITE), sizeof(struct attribute), 8);
    put(bytes_at(attributes + 8, 8, WRITE), IMAGE_NAME, 8);
    leave(true);
}

bool fake_make_process_directly(uint64_t *ms)
{
    const uint64_t handles = FAKE_PRIVATE + 0x100;
    const uint64_t attributes = FAKE_PRIVATE + 0x200;
    struct os_clock before, after;
    bool there;

    put_handles(handles, attributes);
    enter_program();
    put(bytes_at(FAKE_STACK - 0x400 + 0x28 + 8 * (ARG_ATTRIBUTES - 4), 8,
                 WRITE),
        attributes, 8);
    fake.last_number = number_of(fake_function("NtCreateUserProcess"));
    fake.last_argument = handles;
    leave(true);
    os_clock_read(&before);
    there = fake_orphan(FAKE_PRIVATE + 0x300);
    os_clock_read(&after);
    *ms = (after.counter - before.counter) * 1000 / os_counter_frequency();
    return there;
}

bool fake_make_process(void)
{
    const uint64_t handles = FAKE_PRIVATE + 0x100;
    const uint64_t attributes = FAKE_PRIVATE + 0x200;
    const uint64_t words[7] = {
        [ARG_ATTRIBUTES - 4] = attributes,
    };
    struct record_entry r = {
        .head = { ENTRY_SIZE + sizeof(words), RECORD_ENTRY, 0,
                  number_of(fake_function("NtCreateUserProcess")), now() },
        .rsp = FAKE_STACK - 0x400,
        .stack_base = FAKE_STACK,
        .caller = FAKE_PROGRAM + TEXT + 0x10,
        .args = { handles, handles + 8 },
    };
    uint8_t room[ENTRY_SIZE + sizeof(words)];

    put_handles(handles, attributes);
    fake.child_held = true;
    memcpy(room, &r, ENTRY_SIZE);
    memcpy(room + ENTRY_SIZE, words, sizeof(words));
    return put_bytes(room, sizeof(room)) &&
           come_back(fake_function("NtCreateUserProcess") + 0x14, RECORD_WAITS,
                     0) &&
           ask(false);
}

bool fake_map_win32u(void)
{
    enter_program();
    if (area_of(FAKE_WIN32U) == NULL) {
        add_dll(FAKE_WIN32U, "win32u.dll",
                "\\Device\\HarddiskVolume1\\Windows\\System32\\win32u.dll",
                win32u_calls, COUNT_OF(win32u_calls), 0x1000, NULL, 0);
    }
    leave(true);
    if (!fake_entry("NtMapViewOfSection", 0x10, UINT64_MAX)) {
        return false;
    }
    enter_program();
    tell_region(FAKE_WIN32U);
    leave(true);
    return come_back(fake_function("NtMapViewOfSection") + 0x14, RECORD_WAITS,
                     0) &&
           ask(false);
}

bool fake_unmap_win32u(void)
{
    if (!fake_entry("NtUnmapViewOfSection", UINT64_MAX, FAKE_WIN32U)) {
        return false;
    }
    enter_program();
    remove_area(FAKE_WIN32U);
    leave(true);
    return come_back(fake_function("NtUnmapViewOfSection") + 0x14, 0, 0);
}

static bool leads_to_agent(uint64_t stub)
{
    const uint8_t *bytes = bytes_at(stub, 8, CODE);
    const uint8_t *thunk;
    int32_t far;

    if (bytes == NULL || bytes[STUB_NUMBER_AT] != 0xe9) {
        return false;
    }
    memcpy(&far, bytes + STUB_NUMBER_AT + 1, 4);
    thunk = bytes_at(stub + STUB_HEAD_SIZE + (uint64_t)(int64_t)far, THUNK_SIZE,
                     CODE);
    /* lea r10, [stub] */
    return thunk != NULL && thunk[0] == 0x4c && thunk[1] == 0x8d;
}

bool fake_win32u_is_patched(void)
{
    bool all = true;

    enter_program();
    for (size_t i = 0; i < COUNT_OF(win32u_calls); i++) {
        all = all && leads_to_agent(fake_function(win32u_calls[i]));
    }
    return leave(all);
}

bool fake_orphan(uint64_t rip)
{
    fake.ring->last_number = fake.last_number;  // on Wine
    fake.ring->last_argument = LAST_ARGUMENT;
    return come_back(rip, RECORD_ORPHAN | RECORD_WAITS, 0) && ask(true);
}

bool fake_apc(uint64_t routine)
{
    const uint64_t words[7] = {
        1, 2, 3, routine, FAKE_PROGRAM + TEXT + 0x20, FAKE_STACK - 0x300, 0
    };

    return transition(TRANSITION_APC, 0, "KiUserApcDispatcher", words, 7);
}

bool fake_go_below(uint32_t ms)
{
    enter_program();
    fake.ahead = ms * UINT64_C(1000000);
    claim_ring_at(1);
    return leave(!fake.ended);
}

void fake_end_thread(uint32_t code)
{
    enter_program();
    fake.thread_ended = true;
    fake.thread_code = code;
    signal_all(PROCESS_HANDLE);
    leave(true);
}

void fake_scribble(void)
{
    _Atomic uint32_t *states =
        (_Atomic uint32_t *)(void *)(fake.shared + SECTION_RING_STATE);
    uint64_t garbage[8];

    for (size_t i = 0; i < COUNT_OF(garbage); i++) {
        garbage[i] = UINT64_C(0x9e3779b97f4a7c15) * (i + 3);
    }
    for (int i = 0; i < 20; i++) {
        put_bytes(garbage, sizeof(garbage));
        garbage[0] ^= UINT64_C(0x100000001) << i;
        /* No question; or one that nobody waits with. */
        garbage[0] &= ~((uint64_t)RECORD_WAITS << 40);
    }
    fake_rest(3);
    atomic_store(&fake.ring->ask, 0x12345);
    atomic_store(&fake.ring->answer, 0x54321);
    atomic_store(&fake.ring->lost[RING_LOST_FULL], 5);
    atomic_store(&fake.ring->lost_data, 6);
    atomic_store(&section()->lost_no_ring, 7);
    atomic_store(&section()->dead, 1);
    fake_rest(3);
    /* More than there can be. */
    atomic_fetch_add(&fake.ring->head, 0x40000000);
    wake_reader();
    fake_rest(15);
    atomic_store(&fake.ring->tail, atomic_load(&fake.ring->head));
    atomic_store(&section()->ring_high, UINT32_MAX);
    atomic_store(&states[1], RING_LIVE);    // of no thread
    atomic_store(&states[500], RING_LIVE);  // which is not committed
    wake_reader();
    fake_rest(60);
    atomic_store(&section()->dead, 0);
}

void fake_put_back(const char *name)
{
    uint64_t stub = fake_function(name);
    struct area *a;

    enter_program();
    a = area_of(stub);
    memcpy(a->bytes + (stub - a->base), a->was + (stub - a->base), 0x20);
    leave(true);
}

bool fake_shake(const char *name, uint64_t result)
{
    struct handshake_slot *slot = &section()->slot;

    enter_program();
    fake.last_number = number_of(fake_function(name));
    leave(true);
    slot->rip = fake_function(name) + 0x14;
    slot->rsp = FAKE_STACK - 0x400;
    slot->rax = result;
    slot->time = os_tsc();
    slot->last.number = fake.last_number;
    slot->last.argument = LAST_ARGUMENT;
    atomic_store(&slot->tid, FAKE_TID);
    atomic_store(&slot->told, 1);
    while (atomic_load(&slot->tid) != 0 && !is_dead() && !fake_over()) {
        os_sleep(1);
    }
    return !fake_over();
}
