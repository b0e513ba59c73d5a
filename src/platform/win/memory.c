/* SPDX-License-Identifier: MIT */
/*
 * memory.c - the target's memory, and memory shared with it.
 *
 * Touches the process that `p` names, at the addresses given and nowhere
 * else; no page is writable and executable at the same time. A read that gets
 * less than all of its bytes has failed. Writing, allocating and mapping fail
 * with the system's reason in *e; reading and asking just fail, for an
 * address of the target's may always be wrong.
 */
#include "platform/win/win.h"

#include <stdlib.h>

#include "base/banned.h"

#define VIEW_UNMAP 2
#define MEMORY_MAPPED_FILENAME 2

bool os_read(const struct os_process *p, uint64_t from, void *to, size_t size)
{
    SIZE_T got = 0;

    return ReadProcessMemory(p->process, (const void *)(ULONG_PTR)from, to,
                             size, &got) &&
           got == size;
}

bool os_write(const struct os_process *p, uint64_t to, const void *from,
              size_t size, struct err *e)
{
    SIZE_T put = 0;
    /* Not WriteProcessMemory, which looks at the pages first. */
    NTSTATUS status = NtWriteVirtualMemory(p->process, (void *)(ULONG_PTR)to,
                                           from, size, &put);

    if (status < 0 || put != size) {
        return win_fail_status(e, "cannot write into the program",
                               (uint32_t)status);
    }
    return true;
}

bool os_write_pieces(const struct os_process *p, const struct os_piece *pieces,
                     size_t count, struct err *e)
{
    const struct os_piece *last = &pieces[count - 1];
    void *at = (void *)(ULONG_PTR)pieces[0].to;
    SIZE_T size = last->to + last->size - pieces[0].to;
    DWORD old, ignored;
    bool written = true;

    if (!os_may_ask(p, e)) {
        return false;
    }
    if (!VirtualProtectEx(p->process, at, size, PAGE_READWRITE, &old)) {
        return win_fail(e, "cannot make the program's code writable");
    }
    for (size_t i = 0; i < count && written; i++) {
        written = os_write(p, pieces[i].to, pieces[i].from, pieces[i].size, e);
    }
    if (!VirtualProtectEx(p->process, at, size, old, &ignored)) {
        return win_fail(e, "cannot make the program's code executable again");
    }
    if (!written) {
        return false;
    }
    FlushInstructionCache(p->process, at, size);
    return true;
}

bool os_write_code(const struct os_process *p, uint64_t to, const void *from,
                   size_t size, struct err *e)
{
    if (!os_may_ask(p, e)) {
        return false;
    }
    return os_write_pieces(p, &(struct os_piece){ to, from, size }, 1, e);
}

bool os_query(const struct os_process *p, uint64_t address,
              struct os_region *out)
{
    MEMORY_BASIC_INFORMATION m;

    if (!os_may_ask(p, NULL) ||
        VirtualQueryEx(p->process, (const void *)(ULONG_PTR)address, &m,
                       sizeof(m)) == 0) {
        return false;
    }
    out->base = (uint64_t)(ULONG_PTR)m.BaseAddress;
    out->size = m.RegionSize;
    out->free = m.State == MEM_FREE;
    out->allocation = out->free ? 0 : (uint64_t)(ULONG_PTR)m.AllocationBase;
    out->committed = m.State == MEM_COMMIT;
    out->image = !out->free && m.Type == MEM_IMAGE;
    out->mapped = !out->free && m.Type == MEM_MAPPED;
    out->executable = out->committed && (m.Protect & 0xf0) != 0;
    return true;
}

static bool allocate(const struct os_process *p, uint64_t at, size_t size,
                     DWORD how, struct err *e)
{
    if (!os_may_ask(p, e)) {
        return false;
    }
    if (VirtualAllocEx(p->process, (void *)(ULONG_PTR)at, size, how,
                       PAGE_READWRITE) == NULL) {
        return win_fail(e, "cannot allocate memory in the program");
    }
    return true;
}

bool os_reserve_at(const struct os_process *p, uint64_t at, size_t size,
                   struct err *e)
{
    return allocate(p, at, size, MEM_RESERVE, e);
}

bool os_commit_at(const struct os_process *p, uint64_t at, size_t size,
                  struct err *e)
{
    return allocate(p, at, size, MEM_COMMIT, e);
}

bool os_release_at(const struct os_process *p, uint64_t at, struct err *e)
{
    return os_may_ask(p, e) &&
           (VirtualFreeEx(p->process, (void *)(ULONG_PTR)at, 0, MEM_RELEASE) ||
            win_fail(e, "cannot take back memory of the program"));
}

bool os_make_code(const struct os_process *p, uint64_t at, size_t size,
                  struct err *e)
{
    DWORD old;

    if (!os_may_ask(p, e)) {
        return false;
    }
    if (!VirtualProtectEx(p->process, (void *)(ULONG_PTR)at, size,
                          PAGE_EXECUTE_READ, &old)) {
        return win_fail(e, "cannot make memory of the program executable");
    }
    FlushInstructionCache(p->process, (void *)(ULONG_PTR)at, size);
    return true;
}

bool os_mapped_file(const struct os_process *p, uint64_t address,
                    struct buf *name)
{
    struct {
        USHORT length;
        USHORT maximum;
        uint16_t *buffer;
        uint16_t text[1024];
    } u;
    SIZE_T size = 0;

    if (!os_may_ask(p, NULL) ||
        NtQueryVirtualMemory(p->process, (const void *)(ULONG_PTR)address,
                             MEMORY_MAPPED_FILENAME, &u, sizeof(u),
                             &size) < 0 ||
        u.length / 2 > COUNT_OF(u.text)) {
        return false;
    }
    os_to_utf8(name, (struct str16){ u.text, u.length / 2 });
    return true;
}

bool os_section_open(struct os_section *out, size_t size, struct err *e)
{
    HANDLE h = NULL;
    LARGE_INTEGER max;
    NTSTATUS status;
    void *at = NULL;
    SIZE_T view = 0;

    max.QuadPart = (LONGLONG)size;
    status = NtCreateSection(&h, SECTION_ALL_ACCESS, NULL, &max, PAGE_READWRITE,
                             SEC_RESERVE, NULL);
    if (status < 0) {
        return win_fail_status(e, "cannot create the shared memory",
                               (uint32_t)status);
    }
    status = NtMapViewOfSection(h, GetCurrentProcess(), &at, 0, 0, NULL, &view,
                                VIEW_UNMAP, 0, PAGE_READWRITE);
    if (status < 0) {
        CloseHandle(h);
        return win_fail_status(e, "cannot map the shared memory",
                               (uint32_t)status);
    }
    out->handle = h;
    out->at = at;
    out->size = size;
    return true;
}

bool os_section_commit(struct os_section *s, size_t offset, size_t size,
                       struct err *e)
{
    if (VirtualAlloc((char *)s->at + offset, size, MEM_COMMIT,
                     PAGE_READWRITE) == NULL) {
        return win_fail(e, "cannot commit shared memory");
    }
    return true;
}

bool os_section_map(const struct os_section *s, const struct os_process *p,
                    uint64_t *at, struct err *e)
{
    void *there = NULL;
    SIZE_T view = 0;
    NTSTATUS status;

    if (!os_may_ask(p, e)) {
        return false;
    }
    status = NtMapViewOfSection(s->handle, p->process, &there, 0, 0, NULL,
                                &view, VIEW_UNMAP, 0, PAGE_READWRITE);
    if (status < 0) {
        return win_fail_status(e,
                               "cannot map the shared memory into the "
                               "program",
                               (uint32_t)status);
    }
    *at = (uint64_t)(ULONG_PTR)there;
    return true;
}

bool os_section_unmap(const struct os_process *p, uint64_t at, struct err *e)
{
    NTSTATUS status;

    if (!os_may_ask(p, e)) {
        return false;
    }
    status = NtUnmapViewOfSection(p->process, (void *)(ULONG_PTR)at);
    return status >= 0 || win_fail_status(e, "cannot unmap the shared memory",
                                          (uint32_t)status);
}

void os_section_close(struct os_section *s)
{
    if (s->at != NULL) {
        UnmapViewOfFile(s->at);
    }
    if (s->handle != NULL) {
        CloseHandle(s->handle);
    }
    *s = (struct os_section){ 0 };
}

uint64_t os_own_ntdll(const char *name)
{
    return (uint64_t)(ULONG_PTR)GetProcAddress(GetModuleHandleW(L"ntdll.dll"),
                                               name);
}

uint64_t os_own_module(const char *name, struct err *e)
{
    HMODULE m = LoadLibraryExA(name, NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);

    if (m == NULL) {
        err_set(e, ERR_OS, "%s cannot be loaded", name);
    }
    return (uint64_t)(ULONG_PTR)m;
}
