/* SPDX-License-Identifier: MIT */
/*
 * guards - memory that has been passed to calls becomes a guard page, in each
 * way in which a program can make one, and is passed to a call again. What the
 * tracer may have found out about it before does not hold any more: the guard
 * stays as it was, and the trace has the address.
 *
 * The call has a bad handle and does not look at its buffer. How many guards are
 * left is printed: the runner compares both runs.
 *
 * A stack is passed as well, another thread's, which then grows: the page that
 * was its guard is passed next, and the one that is.
 */
#define DECODED
#include "nt.h"
#include "stub.h"

#define PAGE 0x1000u
#define PAGES 8u
#define AT 3u /* the page that becomes one */
#define ROUNDS 20

typedef NTSTATUS NTAPI protect_call(HANDLE, void **, SIZE_T *, ULONG, ULONG *);

NTSYSAPI NTSTATUS NTAPI NtAllocateVirtualMemory(HANDLE, void **, ULONG_PTR,
                                                SIZE_T *, ULONG, ULONG);
NTSYSAPI NTSTATUS NTAPI NtFreeVirtualMemory(HANDLE, void **, SIZE_T *, ULONG);
NTSYSAPI protect_call NtProtectVirtualMemory;
typedef NTSTATUS NTAPI allocate_ex_call(HANDLE, void **, SIZE_T *, ULONG, ULONG,
                                        void *, ULONG);

static allocate_ex_call *allocate_ex; /* NULL: this system has none */
static protect_call *protect_direct;
static DWORD tid;

/* --- ways to a guard page at `page` --- */

static bool by_protect(char *page)
{
    void *at = page;
    SIZE_T size = PAGE;
    ULONG old;

    return NtProtectVirtualMemory(THIS_PROCESS, &at, &size,
                                  PAGE_READWRITE | PAGE_GUARD, &old) == 0;
}

/* Pages that are committed get another protection. */
static bool by_allocate(char *page)
{
    void *at = page;
    SIZE_T size = PAGE;

    return NtAllocateVirtualMemory(THIS_PROCESS, &at, 0, &size, MEM_COMMIT,
                                   PAGE_READWRITE | PAGE_GUARD) == 0;
}

static bool by_allocate_ex(char *page)
{
    void *at = page;
    SIZE_T size = PAGE;

    return allocate_ex(THIS_PROCESS, &at, &size, MEM_COMMIT,
                       PAGE_READWRITE | PAGE_GUARD, NULL, 0) == 0;
}

static bool by_free(char *page)
{
    void *at = page;
    SIZE_T size = PAGE;

    return NtFreeVirtualMemory(THIS_PROCESS, &at, &size, MEM_DECOMMIT) == 0 &&
           by_allocate(page);
}

static bool by_direct_call(char *page)
{
    void *at = page;
    SIZE_T size = PAGE;
    ULONG old;

    return protect_direct(THIS_PROCESS, &at, &size, PAGE_READWRITE | PAGE_GUARD,
                          &old) == 0;
}

/* Another thread's turn, without a call in between. */
static char *volatile order;
static LONG volatile orders, orders_done;
static bool order_worked;

static DWORD WINAPI protect_on_order(void *unused)
{
    LONG done = 0;

    (void)unused;
    for (;;) {
        while (orders == done) {
            YieldProcessor();
        }
        if (order == NULL) {
            return 0;
        }
        order_worked = by_protect(order);
        orders_done = ++done;
    }
}

static void give_order(char *page)
{
    LONG done = orders_done;

    order = page;
    InterlockedIncrement(&orders);
    while (page != NULL && orders_done == done) {
        YieldProcessor();
    }
}

static bool by_other_thread(char *page)
{
    give_order(page);
    return order_worked;
}

static const struct way {
    const char *name;
    bool (*make)(char *page);
} ways[] = {
    { "protected", by_protect },          { "allocated", by_allocate },
    { "allocated anew", by_allocate_ex }, { "freed", by_free },
    { "direct", by_direct_call },         { "another thread", by_other_thread },
};

/* --- */

static bool guarded(const char *p)
{
    MEMORY_BASIC_INFORMATION m;

    return VirtualQuery(p, &m, sizeof m) != 0 && (m.Protect & PAGE_GUARD) != 0;
}

static NTSTATUS pass(const char *buffer, size_t size)
{
    struct nt_iosb iosb;

    return NtWriteFile(BAD_HANDLE, NULL, NULL, NULL, &iosb, buffer, (ULONG)size,
                       NULL, NULL);
}

static void try_way(const struct way *way, char *memory)
{
    char *page = memory + AT * PAGE;
    size_t size = strlen(way->name);
    unsigned made = 0, left = 0;
    DWORD old;

    for (unsigned i = 0; i < ROUNDS; i++) {
        VirtualProtect(memory, PAGES * PAGE, PAGE_READWRITE, &old);
        memcpy(page, way->name, size);
        CHECK(pass(page, size) == STATUS_BAD_HANDLE);
        CHECK(pass(page, size) == STATUS_BAD_HANDLE);
        made += way->make(page);
        CHECK(pass(page, size) == STATUS_BAD_HANDLE);
        left += guarded(page);
    }
    printf("%s: %u guards made, %u left\n", way->name, made, left);
    CHECK(made == ROUNDS && left == ROUNDS);
    expect("COUNT", tid,
           "%u NtWriteFile(FileHandle=0xbad4, *Buffer=b\"%s\", Length=%u, *) = "
           "0xc0000008 *",
           2 * ROUNDS, way->name, (unsigned)size);
    expect("COUNT", tid,
           "%u NtWriteFile(FileHandle=0xbad4, *Buffer=0x%llx, Length=%u, *) = "
           "0xc0000008 *",
           ROUNDS, u64_of(page), (unsigned)size);
}

/* --- a stack that grows --- */

static char *volatile top; /* of what the other thread uses */
static LONG volatile turn, turns_done;

static void grow(unsigned pages)
{
    char room[PAGE];

    *(char volatile *)room = 1;
    InterlockedExchangePointer((void *volatile *)&top, room);
    if (pages > 0) {
        grow(pages - 1);
    }
    __asm__ volatile("" : : "r"(room) : "memory");
}

static DWORD WINAPI grow_on_turn(void *unused)
{
    (void)unused;
    for (LONG done = 0; done < ROUNDS;) {
        while (turn == done) {
            YieldProcessor();
        }
        grow(2 * (unsigned)++done);
        turns_done = done;
    }
    return 0;
}

static char *guard_below(char *p)
{
    MEMORY_BASIC_INFORMATION m;

    while (VirtualQuery(p, &m, sizeof m) != 0 && m.State == MEM_COMMIT) {
        if (m.Protect & PAGE_GUARD) {
            return m.BaseAddress;
        }
        p = (char *)m.BaseAddress - 1;
    }
    return NULL;
}

static void try_stack(void)
{
    DWORD other;
    HANDLE thread;
    unsigned there = 0, left = 0;

    thread = start_thread(grow_on_turn, 0, &other);
    for (LONG i = 0; i < ROUNDS; i++) {
        char *guard;

        turn = i + 1;
        while (turns_done != i + 1) {
            YieldProcessor();
        }
        guard = guard_below(top);
        if (guard == NULL) {
            continue;
        }
        there++;
        CHECK(pass(guard + PAGE, 100) == STATUS_BAD_HANDLE);
        CHECK(pass(guard + PAGE, 100) == STATUS_BAD_HANDLE);
        CHECK(pass(guard, 99) == STATUS_BAD_HANDLE);
        left += guarded(guard);
    }
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    printf("stack: %u of %u guards left\n", left, there);
    CHECK(there == ROUNDS && left == ROUNDS);
    expect("COUNT", tid,
           "%u NtWriteFile(FileHandle=0xbad4, *Buffer=b*, Length=100, *) = "
           "0xc0000008 *",
           2 * ROUNDS);
    expect("COUNT", tid,
           "%u NtWriteFile(FileHandle=0xbad4, *Buffer=0x*, Length=99, *) = "
           "0xc0000008 *",
           ROUNDS);
}

static bool direct_setup(void)
{
    struct stub stub;
    uint8_t *code;
    DWORD old;

    if (!stub_read("NtProtectVirtualMemory", &stub)) {
        return false;
    }
    code = VirtualAlloc(NULL, PAGE, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    memcpy(code, stub.bytes, STUB_SIZE);
    VirtualProtect(code, PAGE, PAGE_EXECUTE_READ, &old);
    *(void **)&protect_direct = code;
    return true;
}

int main(void)
{
    DWORD other;
    HANDLE thread;

    target_begin();
    tid = GetCurrentThreadId();
    if (!direct_setup()) {
        return 2;
    }
    *(FARPROC *)&allocate_ex =
        GetProcAddress(GetModuleHandleA("ntdll"), "NtAllocateVirtualMemoryEx");
    thread = start_thread(protect_on_order, 0, &other);
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        char *memory = VirtualAlloc(NULL, PAGES * PAGE,
                                    MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);

        CHECK(memory != NULL);
        if (ways[i].make != by_allocate_ex || allocate_ex != NULL) {
            try_way(&ways[i], memory);
        }
    }
    give_order(NULL);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    try_stack();
    return target_end();
}
