/* SPDX-License-Identifier: MIT */
/*
 * compare - unwind/unwind.h against the system's RtlVirtualUnwind.
 *
 *   compare points COUNT       one step from behind COUNT calls of five modules of
 *                              the system, with anything on the stack
 *   compare snapshots FILE     walks through what tests/stacks/snapshots has written,
 *                              with the files of the modules that it names
 *
 * A call is where a near call's four bytes lead to the beginning of a function.
 * Both are asked about the function that the byte in front of the return address is
 * in. What differs is printed; the last line counts. Status 0: nothing did.
 */
#include "unwind/unwind.h"

#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STACK_BYTES (16u << 20)
#define MODULES_MOST 256
#define CALLERS 250

static const uint8_t kept[] = { 3, 5, 6, 7, 12, 13, 14, 15 };

static DWORD64 *register_of(CONTEXT *c, unsigned i)
{
    return &c->Rax + i; /* they are in the order of their numbers */
}

static uint64_t random_word(void)
{
    static uint64_t seed = 88172645463325252u;

    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* --- points --- */

struct loaded {
    const uint8_t *base;
    uint32_t size;
    const RUNTIME_FUNCTION *rows;
    uint32_t count;
    struct modfile file;
};

static bool load(struct loaded *m, const char *name)
{
    const IMAGE_NT_HEADERS *nt;
    const IMAGE_DATA_DIRECTORY *d;

    m->base = (const uint8_t *)LoadLibraryA(name);
    if (m->base == NULL) {
        return false;
    }
    nt = (const void *)(m->base +
                        ((const IMAGE_DOS_HEADER *)(const void *)m->base)
                            ->e_lfanew);
    d = &nt->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_EXCEPTION];
    m->size = nt->OptionalHeader.SizeOfImage;
    m->rows = (const void *)(m->base + d->VirtualAddress);
    m->count = d->Size / sizeof(m->rows[0]);
    return m->count > 0 && modfile_open_mapped(&m->file, m->base, m->size);
}

static bool begins(const struct loaded *m, uint32_t rva)
{
    uint32_t low = 0, high = m->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (m->rows[middle].BeginAddress < rva) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < m->count && m->rows[low].BeginAddress == rva;
}

/* Behind a call in any function; 0: not found this time. */
static uint32_t any_call(const struct loaded *m)
{
    const RUNTIME_FUNCTION *f = &m->rows[random_word() % m->count];
    uint32_t size = f->EndAddress - f->BeginAddress;
    uint32_t from = size > 5 ? (uint32_t)(random_word() % (size - 5)) : 0;

    for (uint32_t at = f->BeginAddress + from; at + 5 <= f->EndAddress; at++) {
        int32_t by;

        memcpy(&by, m->base + at + 1, sizeof(by));
        if (m->base[at] == 0xe8 && begins(m, at + 5 + (uint32_t)by)) {
            return at + 5;
        }
    }
    return 0;
}

static uint64_t stack_low;

static void tell(const char *what, uint64_t rip, const CONTEXT *c,
                 const struct unwind_state *s)
{
    printf("  %s %llx: system rip %llx rsp +%llx, we rip %llx rsp +%llx\n",
           what, (unsigned long long)rip, (unsigned long long)c->Rip,
           (unsigned long long)(c->Rsp - stack_low), (unsigned long long)s->rip,
           (unsigned long long)(s->registers[UNWIND_RSP] - stack_low));
}

static bool is_same(CONTEXT *c, const struct unwind_state *s)
{
    bool same = c->Rip == s->rip && c->Rsp == s->registers[UNWIND_RSP];

    for (size_t i = 0; i < sizeof(kept); i++) {
        same = same && *register_of(c, kept[i]) == s->registers[kept[i]];
    }
    return same;
}

static bool try_point(struct loaded *m, uint32_t rva, uint64_t *words)
{
    CONTEXT c = { .ContextFlags = CONTEXT_FULL };
    struct unwind_state s = { .rip = (uint64_t)(uintptr_t)m->base + rva };
    struct unwind_stack stack = { (const uint8_t *)words, stack_low,
                                  STACK_BYTES, 0 };
    struct unwind_module module = { (uint64_t)(uintptr_t)m->base, &m->file };
    DWORD64 base, frame;
    void *data;
    RUNTIME_FUNCTION *f;

    for (unsigned i = 0; i < UNWIND_REGISTERS; i++) {
        s.registers[i] =
            stack_low + STACK_BYTES / 2 + random_word() % 4096 * 16;
    }
    s.registers[UNWIND_RSP] = stack_low + (1 << 20);
    for (unsigned i = 0; i < UNWIND_REGISTERS; i++) {
        *register_of(&c, i) = s.registers[i];
    }
    c.Rip = s.rip;
    f = RtlLookupFunctionEntry(c.Rip - 1, &base, NULL);
    if (f == NULL) {
        printf("  %llx: no function\n", (unsigned long long)c.Rip);
        return false;
    }
    RtlVirtualUnwind(UNW_FLAG_NHANDLER, base, c.Rip, f, &c, &data, &frame,
                     NULL);
    if (unwind_step(&s, &stack, &module) != UNWIND_ON || !is_same(&c, &s)) {
        tell("point", (uint64_t)(uintptr_t)m->base + rva, &c, &s);
        return false;
    }
    return true;
}

static int points(unsigned count)
{
    static const char *const names[] = { "ntdll.dll", "kernelbase.dll",
                                         "user32.dll", "msvcrt.dll",
                                         "ole32.dll" };
    uint64_t *words = VirtualAlloc(NULL, STACK_BYTES, MEM_COMMIT | MEM_RESERVE,
                                   PAGE_READWRITE);
    unsigned tried = 0, same = 0;

    if (words == NULL) {
        return 2;
    }
    stack_low = (uint64_t)(uintptr_t)words;
    for (size_t i = 0; i < STACK_BYTES / 8; i++) {
        words[i] = random_word() | 1;
    }
    for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
        struct loaded m;
        unsigned mine = 0;

        if (!load(&m, names[k])) {
            printf("%s cannot be read\n", names[k]);
            return 2;
        }
        while (mine < count / 5) {
            uint32_t rva = any_call(&m);

            if (rva != 0) {
                mine++;
                same += try_point(&m, rva, words);
            }
        }
        tried += mine;
        modfile_close(&m.file);
    }
    printf("%u points behind calls of 5 modules, %u differ\n", tried,
           tried - same);
    return tried == 0 || same != tried;
}

/* --- snapshots --- */

struct snapshot_module {
    uint64_t was;     // where it lay
    uint8_t *mapped;  // where it is read
    uint64_t size;
    struct modfile file;
};

static struct snapshot_module modules[MODULES_MOST];
static size_t module_count;

/* As the loader lays it out, but for relocations: unwind data have none. */
static bool map(struct snapshot_module *m, const char *path)
{
    FILE *f = fopen(path, "rb");
    IMAGE_DOS_HEADER dos;
    IMAGE_NT_HEADERS64 nt;
    IMAGE_SECTION_HEADER s;

    if (f == NULL) {
        return false;
    }
    m->mapped =
        VirtualAlloc(NULL, m->size, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    if (m->mapped == NULL || fread(&dos, sizeof(dos), 1, f) != 1 ||
        fseek(f, dos.e_lfanew, SEEK_SET) != 0 ||
        fread(&nt, sizeof(nt), 1, f) != 1 ||
        nt.OptionalHeader.SizeOfImage > m->size) {
        fclose(f);
        return false;
    }
    fseek(f, 0, SEEK_SET);
    if (fread(m->mapped, 1, nt.OptionalHeader.SizeOfHeaders, f) == 0) {
        fclose(f);
        return false;
    }
    for (int i = 0; i < nt.FileHeader.NumberOfSections; i++) {
        fseek(f,
              dos.e_lfanew + 24 + nt.FileHeader.SizeOfOptionalHeader +
                  i * (long)sizeof(s),
              SEEK_SET);
        if (fread(&s, sizeof(s), 1, f) == 1 &&
            s.VirtualAddress + s.SizeOfRawData <= m->size) {
            fseek(f, (long)s.PointerToRawData, SEEK_SET);
            (void)!fread(m->mapped + s.VirtualAddress, 1, s.SizeOfRawData, f);
        }
    }
    fclose(f);
    return modfile_open_mapped(&m->file, m->mapped, m->size);
}

static struct snapshot_module *module_at(uint64_t address, bool mapped)
{
    for (size_t i = 0; i < module_count; i++) {
        struct snapshot_module *m = &modules[i];
        uint64_t base = mapped ? (uint64_t)(uintptr_t)m->mapped : m->was;

        if (address - base < m->size) {
            return m;
        }
    }
    return NULL;
}

/* An address of then as one of now, with the stack that began at `low`. */
static uint64_t moved(uint64_t word, uint64_t low, size_t size, uint64_t now)
{
    struct snapshot_module *m = module_at(word, false);

    if (word - low < size) {
        return word - low + now;
    }
    return m != NULL ? word - m->was + (uint64_t)(uintptr_t)m->mapped : word;
}

static bool find(void *ctx, uint64_t address, struct unwind_module *out)
{
    struct snapshot_module *m = module_at(address, true);

    (void)ctx;
    if (m == NULL) {
        return false;
    }
    *out = (struct unwind_module){ (uint64_t)(uintptr_t)m->mapped, &m->file };
    return true;
}

static RUNTIME_FUNCTION *row_of(struct snapshot_module *m, uint32_t rva)
{
    RUNTIME_FUNCTION *rows = (void *)(m->mapped + m->file.functions.rva);
    uint32_t count = m->file.functions.size / (uint32_t)sizeof(rows[0]);

    for (uint32_t i = 0; i < count; i++) {
        if (rows[i].BeginAddress <= rva && rva < rows[i].EndAddress) {
            return &rows[i];
        }
    }
    return NULL;
}

/* The system's walk: as ours ends, where ours must. */
static uint32_t walk(CONTEXT *c, uint64_t end, uint64_t *callers)
{
    uint32_t count = 0;

    while (count < CALLERS) {
        struct snapshot_module *m = module_at(c->Rip - 1, true);
        uint64_t was = c->Rsp;
        RUNTIME_FUNCTION *f;
        DWORD64 frame;
        void *data;

        if (m == NULL) {
            break;
        }
        f = row_of(m, (uint32_t)(c->Rip - 1 - (uint64_t)(uintptr_t)m->mapped));
        if (f != NULL) {
            RtlVirtualUnwind(UNW_FLAG_NHANDLER, (uintptr_t)m->mapped, c->Rip, f,
                             c, &data, &frame, NULL);
        } else {
            memcpy(&c->Rip, (void *)(uintptr_t)c->Rsp, 8);
            c->Rsp += 8;
        }
        /* What lies behind the copy is filled with ones. */
        if (c->Rip == 0 || c->Rip == UINT64_MAX || c->Rsp > end ||
            c->Rsp <= was) {
            break;
        }
        callers[count++] = c->Rip;
    }
    return count;
}

static int hex(int c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* One call; false: the walks differ. */
static bool try_snapshot(char *line, uint8_t *stack, uint32_t *frames)
{
    char *at;
    uint64_t caller = strtoull(line + 2, &at, 16);
    uint64_t rsp = strtoull(at, &at, 16);
    uint64_t now = (uint64_t)(uintptr_t)stack;
    size_t size = (strlen(at + 1) - 1) / 2;
    struct unwind_state s = { .rip = 0 };
    CONTEXT c = { .ContextFlags = CONTEXT_FULL };
    uint64_t ours[CALLERS], theirs[CALLERS];
    uint32_t our_count, their_count;
    struct unwind_stack copy = { stack, now, 0, 0 };

    memset(stack, 0xff, STACK_BYTES);
    for (size_t i = 0; i + 8 <= size; i += 8) {
        uint64_t word = 0;

        for (int k = 7; k >= 0; k--) {
            const char *p = at + 1 + 2 * (i + (size_t)k);

            word = word << 8 | (uint64_t)(hex(p[0]) << 4 | hex(p[1]));
        }
        word = moved(word, rsp, size - 64, now);
        if (i < 64) {
            s.registers[kept[i / 8]] = word;
            *register_of(&c, kept[i / 8]) = word;
        } else {
            memcpy(stack + i - 64, &word, 8);
        }
    }
    copy.size = (size - 64) & ~(size_t)7;
    s.rip = moved(caller, rsp, 0, now);
    s.registers[UNWIND_RSP] = now + 8;
    c.Rip = s.rip;
    c.Rsp = now + 8;
    unwind_walk(&s, &copy, find, NULL, ours, CALLERS, &our_count);
    their_count = walk(&c, now + copy.size, theirs);
    *frames += our_count;
    if (our_count == their_count &&
        memcmp(ours, theirs, our_count * sizeof(ours[0])) == 0) {
        return true;
    }
    printf("  caller %llx rsp %llx: we %u, system %u\n",
           (unsigned long long)caller, (unsigned long long)rsp, our_count,
           their_count);
    return false;
}

static int snapshots(const char *path)
{
    static char line[1 << 20];
    FILE *f = fopen(path, "r");
    uint8_t *stack = VirtualAlloc(NULL, STACK_BYTES, MEM_COMMIT | MEM_RESERVE,
                                  PAGE_READWRITE);
    unsigned tried = 0, same = 0;
    uint32_t frames = 0;

    if (f == NULL || stack == NULL) {
        return 2;
    }
    while (fgets(line, sizeof(line), f) != NULL) {
        if (line[0] == 'C') {
            tried++;
            same += try_snapshot(line, stack, &frames);
        } else if (module_count < MODULES_MOST) {
            struct snapshot_module *m = &modules[module_count];
            char *at;

            m->was = strtoull(line + 2, &at, 16);
            m->size = strtoull(at, &at, 16);
            at[strcspn(at, "\r\n")] = 0;
            if (map(m, at + 1)) {
                module_count++;
            } else {
                printf("%s cannot be read\n", at + 1);
            }
        }
    }
    fclose(f);
    printf("%u stacks, %u callers, %u stacks differ\n", tried, frames,
           tried - same);
    return tried == 0 || same != tried;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    if (argc == 3 && strcmp(argv[1], "points") == 0) {
        return points((unsigned)atoi(argv[2]));
    }
    if (argc == 3 && strcmp(argv[1], "snapshots") == 0) {
        return snapshots(argv[2]);
    }
    return 2;
}
