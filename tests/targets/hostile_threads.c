/* SPDX-License-Identifier: MIT */
/*
 * hostile_threads - makes up rings of threads that are none of its own: of
 * the tracer's, and of its parent's for the case that those are not the same.
 * Each holds a return that nobody can explain, which a tracer may want to
 * stop the thread for. The tracer lives to tell the exit status.
 */
#include "target.h"

#include <tlhelp32.h>

/* src/wire/section.h, ring.h and record.h. */
#define SECTION_MAGIC 0x3153544e
#define SECTION_RING_STRIDE 0x14
#define SECTION_RING_HIGH 0x20
#define SECTION_RING_STATE 0x1000
#define SECTION_RINGS 0x100000
#define RING_LIVE 3
#define RING_SPINS 3
#define RING_DATA 0x6000
#define TEB_RING 0x2d0
#define RETURN_SIZE 48
#define RETURN_ORPHAN_WAITS 0x6003

#define FIRST 8 /* committed from the start, and not in use yet */
#define MOST 8
#define MARKS 20

static uint8_t *section(void)
{
    MEMORY_BASIC_INFORMATION m;
    void *ring = (void *)(uintptr_t)__readgsqword(TEB_RING);

    if (ring == NULL || VirtualQuery(ring, &m, sizeof m) == 0 ||
        *(uint32_t *)m.AllocationBase != SECTION_MAGIC) {
        return NULL;
    }
    return m.AllocationBase;
}

static void put32(uint8_t *at, uint32_t n)
{
    *(volatile uint32_t *)(void *)at = n;
}

static void make_up(uint8_t *s, uint32_t index, DWORD tid)
{
    uint32_t stride = *(uint32_t *)(void *)(s + SECTION_RING_STRIDE);
    uint8_t *ring = s + SECTION_RINGS + (size_t)index * stride;
    uint8_t *record = ring + RING_DATA;

    memset(ring, 0, 0x100);
    memset(record, 0, RETURN_SIZE);
    put32(record, RETURN_SIZE);
    put32(record + 4, RETURN_ORPHAN_WAITS);
    put32(record + 16, 0x12345678);  // where it went on
    put32(ring + 0x80, tid);         // TEB 0: not known
    put32(ring + 0x90, 1);           // ask
    put32(ring + 0x94, RING_SPINS);
    put32(ring, RETURN_SIZE);  // head
    put32(s + SECTION_RING_STATE + 4 * index, RING_LIVE);
}

/* Threads of the process that started us. */
static uint32_t threads_of_parent(DWORD *tids, uint32_t room)
{
    HANDLE all =
        CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS | TH32CS_SNAPTHREAD, 0);
    PROCESSENTRY32 p = { .dwSize = sizeof p };
    THREADENTRY32 t = { .dwSize = sizeof t };
    DWORD parent = 0;
    uint32_t count = 0;

    for (BOOL more = Process32First(all, &p); more;
         more = Process32Next(all, &p)) {
        if (p.th32ProcessID == GetCurrentProcessId()) {
            parent = p.th32ParentProcessID;
        }
    }
    for (BOOL more = Thread32First(all, &t); more;
         more = Thread32Next(all, &t)) {
        if (t.th32OwnerProcessID == parent && count < room) {
            tids[count++] = t.th32ThreadID;
        }
    }
    CloseHandle(all);
    return count;
}

int main(void)
{
    uint8_t *s = section();
    DWORD tids[MOST], tid = GetCurrentThreadId();
    uint32_t count;

    target_begin();
    count = threads_of_parent(tids, MOST);
    CHECK(count > 0);
    if (s != NULL) {
        for (uint32_t i = 0; i < count; i++) {
            make_up(s, FIRST + i, tids[i]);
        }
        put32(s + SECTION_RING_HIGH, FIRST + count);
        Sleep(200);
    }
    for (uint64_t i = 0; i < MARKS; i++) {
        CHECK(mark(0x700 + i));
    }
    expect_counter(tid, 0x700, MARKS);
    return target_end();
}
