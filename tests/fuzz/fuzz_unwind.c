/* SPDX-License-Identifier: MIT */
/*
 * fuzz_unwind - unwind/modfile.h, unwind/unwind.h, unwind/symbols.h: a module's
 * file, and a stack in it.
 *
 * The first four bytes say where the walk begins, the fifth how, the next 251 are
 * the stack and the registers; behind them the file.
 */
#include "unwind/unwind.h"

#include "fuzz/fuzz.h"

#include "unwind/symbols.h"

#define BASE UINT64_C(0x180000000)
#define STACK UINT64_C(0x7ff000)
#define HEAD 256
#define CALLERS 64

struct bytes {
    const uint8_t *p;
    size_t size;
};

static bool read_bytes(void *ctx, uint64_t offset, void *to, size_t size)
{
    const struct bytes *b = ctx;

    MUST(offset <= b->size && size <= b->size - offset);
    memcpy(to, b->p + offset, size);
    return true;
}

static bool find(void *ctx, uint64_t address, struct unwind_module *out)
{
    struct modfile *f = ctx;

    *out = (struct unwind_module){ BASE, f };
    return address - BASE < f->image_size;
}

static void walk(struct modfile *f, const uint8_t *head)
{
    struct unwind_stack stack = { head + 8, STACK, HEAD - 8,
                                  head[4] & 2 ? STACK + 200 : 0 };
    struct unwind_state s = { .rip = BASE + modfile_u32(head),
                              .exact = head[4] & 1 };
    uint64_t callers[CALLERS];
    uint32_t count = 0;

    for (unsigned i = 0; i < UNWIND_REGISTERS; i++) {
        s.registers[i] = STACK + head[8 + i];
    }
    s.registers[UNWIND_RSP] = STACK;
    MUST(unwind_walk(&s, &stack, find, f, callers, CALLERS, &count) !=
         UNWIND_ON);
    MUST(count <= CALLERS);
}

static void name(struct modfile *f, uint32_t rva)
{
    struct symbols s;
    uint32_t offset, begin, size;
    str found;

    symbols_open(&s, f);
    for (size_t i = 0; i < s.count; i++) {
        MUST(s.at[i].size > 0);
        MUST(i == 0 || s.at[i].rva > s.at[i - 1].rva);
        touch((str){ s.at[i].name, s.at[i].size });
    }
    if (symbols_find(&s, f, rva, &found, &offset)) {
        touch(found);
        MUST(found.size > 0 && offset <= rva);
        MUST(unwind_function(f, rva - 1, &begin, &size));
    }
    symbols_close(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct bytes file = { bytes + HEAD, size - HEAD };
    struct modfile_source source = { read_bytes, &file, file.size };
    struct modfile f;

    if (size < HEAD) {
        return 0;
    }
    source.size = file.size;
    if (modfile_open(&f, &source)) {
        walk(&f, bytes);
        name(&f, modfile_u32(bytes));
    }
    modfile_close(&f);
    if (modfile_open_mapped(&f, file.p, file.size)) {
        walk(&f, bytes);
        name(&f, modfile_u32(bytes));
    }
    modfile_close(&f);
    return 0;
}
