/* SPDX-License-Identifier: MIT */
/*
 * unwind.c - undoing what functions have done to the stack, one by one.
 *
 * What a function has done by an address in it is what its prolog has done so
 * far; or, in an epilog, what of that is left to be undone, which the
 * instructions say (both versions of unwind data agree in that, so that the
 * epilogs that version 2 lists are passed over). At a return address neither is
 * asked: nobody calls in an epilog.
 */
#include "unwind/unwind.h"

#include <string.h>

#include "base/banned.h"

enum {
    FUNCTION_SIZE = 12,  // of a row: begin, end, unwind data
    INFO_SIZE = 4,       // of unwind data, in front of their codes
    CODES_MOST = 255,

    FLAG_CHAINED = 4,

    /* Operations, by Microsoft's names. */
    PUSH_NONVOL = 0,
    ALLOC_LARGE = 1,
    ALLOC_SMALL = 2,
    SET_FPREG = 3,
    SAVE_NONVOL = 4,
    SAVE_NONVOL_FAR = 5,
    EPILOG = 6,  // of version 2; of 1 a vector register, near ...
    SPARE = 7,   // ... and far
    SAVE_XMM128 = 8,
    SAVE_XMM128_FAR = 9,
    PUSH_MACHFRAME = 10,
};

/* One piece of unwind data leads to the next at most so often. */
#define CHAIN_MOST 32
/* No epilog is longer: eight registers, an addition, a jump. */
#define EPILOG_MOST 48

struct function {
    uint32_t begin;
    uint32_t end;
    uint32_t info;
};

struct info {
    uint8_t version;
    uint8_t flags;
    uint8_t prolog;  // bytes
    uint8_t count;   // of codes, two bytes each
    uint8_t frame_register;
    uint32_t frame_offset;
    const uint8_t *codes;
    struct function chained;  // FLAG_CHAINED
};

/* --- Unwind data ------------------------------------------------------ */

static struct function function_of(const uint8_t *p)
{
    return (struct function){ modfile_u32(p), modfile_u32(p + 4),
                              modfile_u32(p + 8) };
}

/* The row of the exception directory that `rva` is in. The rows rise; if they do
 * not, some are not found. */
static bool function_find(struct modfile *f, uint32_t rva, struct function *out)
{
    uint32_t low = 0, there;
    const uint8_t *rows = modfile_rest(f, f->functions.rva, &there);
    uint32_t count = f->functions.size / FUNCTION_SIZE;

    if (f->functions.rva == 0 || rows == NULL) {
        return false;
    }
    if (count > there / FUNCTION_SIZE) {
        count = there / FUNCTION_SIZE;
    }
    while (low < count) {
        uint32_t middle = low + (count - low) / 2;
        struct function row = function_of(rows + middle * FUNCTION_SIZE);

        if (rva < row.begin) {
            count = middle;
        } else if (rva >= row.end) {
            low = middle + 1;
        } else {
            *out = row;
            return true;
        }
    }
    return false;
}

/* A row may lead to another one instead of to unwind data. */
static bool function_resolve(struct modfile *f, struct function *row)
{
    for (int i = 0; i < CHAIN_MOST; i++) {
        const uint8_t *p;

        if ((row->info & 1) == 0) {
            return true;
        }
        p = modfile_at(f, row->info & ~1u, FUNCTION_SIZE);
        if (p == NULL) {
            return false;
        }
        *row = function_of(p);
    }
    return false;
}

static bool info_at(struct modfile *f, uint32_t rva, struct info *out)
{
    const uint8_t *p = modfile_at(f, rva, INFO_SIZE);
    uint32_t behind;

    if (p == NULL) {
        return false;
    }
    *out = (struct info){
        .version = p[0] & 7,
        .flags = (uint8_t)(p[0] >> 3),
        .prolog = p[1],
        .count = p[2],
        .frame_register = p[3] & 15,
        .frame_offset = (uint32_t)(p[3] >> 4) * 16,
    };
    behind = ((uint32_t)out->count + 1) / 2 * 4;
    p = modfile_at(f, rva, INFO_SIZE + behind);
    if (p == NULL || (out->version != 1 && out->version != 2)) {
        return false;
    }
    out->codes = p + INFO_SIZE;
    if ((out->flags & FLAG_CHAINED) != 0) {
        p = modfile_at(f, rva, INFO_SIZE + behind + FUNCTION_SIZE);
        if (p == NULL) {
            return false;
        }
        out->chained = function_of(p + INFO_SIZE + behind);
    }
    return true;
}

/* How many codes the operation of code `i` takes; 0: it is none. */
static uint32_t code_size(const struct info *info, uint32_t i)
{
    uint8_t more = info->codes[2 * i + 1] >> 4;

    switch (info->codes[2 * i + 1] & 15) {
    case PUSH_NONVOL:
    case ALLOC_SMALL:
    case SET_FPREG:
    case PUSH_MACHFRAME:
        return 1;
    case ALLOC_LARGE:
        return more == 0 ? 2 : more == 1 ? 3 : 0;
    case SAVE_NONVOL:
    case SAVE_XMM128:
        return 2;
    case EPILOG: /* they are in pairs */
        return 2;
    case SPARE:
        return info->version == 2 ? 2 : 3;
    case SAVE_NONVOL_FAR:
    case SAVE_XMM128_FAR:
        return 3;
    default:
        return 0;
    }
}

bool unwind_function(struct modfile *f, uint32_t rva, uint32_t *begin,
                     uint32_t *size)
{
    struct function row;
    struct info info;

    if (!function_find(f, rva, &row) || !function_resolve(f, &row)) {
        return false;
    }
    for (int i = 0; i < CHAIN_MOST && info_at(f, row.info, &info) &&
                    (info.flags & FLAG_CHAINED) != 0;
         i++) {
        row = info.chained;
        if (!function_resolve(f, &row)) {
            return false;
        }
    }
    *begin = row.begin;
    *size = row.end > row.begin ? row.end - row.begin : 0;
    return true;
}

/* --- The stack -------------------------------------------------------- */

/* The word at `address`. UNWIND_ON: it is there. */
static enum unwind_end word_at(const struct unwind_stack *stack,
                               uint64_t address, uint64_t *out)
{
    const uint8_t *p;

    if (address < stack->low) {
        return UNWIND_BAD;
    }
    if (stack->base != 0 && address >= stack->base) {
        return UNWIND_WHOLE;
    }
    if (address - stack->low >= stack->size ||
        stack->size - (address - stack->low) < 8) {
        return UNWIND_CUT;
    }
    p = stack->bytes + (address - stack->low);
    *out = (uint64_t)modfile_u32(p) | (uint64_t)modfile_u32(p + 4) << 32;
    return UNWIND_ON;
}

static enum unwind_end pop(struct unwind_state *s,
                           const struct unwind_stack *stack, uint64_t *out)
{
    enum unwind_end end = word_at(stack, s->registers[UNWIND_RSP], out);

    s->registers[UNWIND_RSP] += 8;
    return end;
}

/* --- Epilogs ---------------------------------------------------------- */

/* What is left of an epilog, from an instruction on. */
struct epilog {
    bool set;  // RSP comes from a register ...
    uint8_t from;
    uint64_t add;  // ... and gets so much more
    uint8_t pops[UNWIND_REGISTERS];
    uint32_t count;
};

static uint32_t rex_of(const uint8_t *p, uint32_t at, uint32_t left)
{
    return at < left && (p[at] & 0xf0) == 0x40 ? 1 : 0;
}

/* add rsp, n; lea rsp, [frame register + n]. Returns its length; 0: neither. */
static uint32_t take_release(const uint8_t *p, uint32_t left,
                             const struct info *info, struct epilog *e)
{
    uint8_t from;

    if (left >= 4 && p[0] == 0x48 && p[1] == 0x83 && p[2] == 0xc4) {
        e->add = (uint64_t)(int64_t)(int8_t)p[3];
        return 4;
    }
    if (left >= 7 && p[0] == 0x48 && p[1] == 0x81 && p[2] == 0xc4) {
        e->add = (uint64_t)(int64_t)(int32_t)modfile_u32(p + 3);
        return 7;
    }
    if (left < 4 || (p[0] & 0xfe) != 0x48 || p[1] != 0x8d ||
        (p[2] & 0x38) != 0x20 || info->frame_register == 0) {
        return 0;
    }
    from = (uint8_t)((p[2] & 7) | (p[0] & 1) << 3);
    if (from != info->frame_register) {
        return 0;
    }
    e->set = true;
    e->from = from;
    if (p[2] >> 6 == 1) {
        e->add = (uint64_t)(int64_t)(int8_t)p[3];
        return 4;
    }
    if (p[2] >> 6 == 2 && left >= 7) {
        e->add = (uint64_t)(int64_t)(int32_t)modfile_u32(p + 3);
        return 7;
    }
    e->set = false;
    return 0;
}

/* A jump by `by` from behind its `length` bytes leaves the function. */
static bool leaves(const struct function *row, uint32_t rva, uint32_t length,
                   int32_t by)
{
    uint32_t to = rva + length + (uint32_t)by;

    return to < row->begin || to >= row->end || to == row->begin;
}

/* The end of an epilog: a return, or a jump to another function. */
static bool is_leaving(const uint8_t *p, uint32_t left,
                       const struct function *row, uint32_t rva)
{
    uint32_t rex = rex_of(p, 0, left);

    if (left >= 1 && (p[0] == 0xc3 || p[0] == 0xc2)) {
        return true;
    }
    if (left >= 2 && p[0] == 0xf3 && p[1] == 0xc3) {
        return true;
    }
    if (left >= 2 && p[0] == 0xeb) {
        return leaves(row, rva, 2, (int8_t)p[1]);
    }
    if (left >= 5 && p[0] == 0xe9) {
        return leaves(row, rva, 5, (int32_t)modfile_u32(p + 1));
    }
    /* jmp [...], jmp register with REX.W, which compilers write there. */
    if (left >= rex + 2 && p[rex] == 0xff) {
        return p[rex + 1] == 0x25 ||
               (rex == 1 && (p[0] & 8) != 0 && (p[rex + 1] & 0x38) == 0x20);
    }
    return false;
}

/* True if an epilog goes on at `rva` of `row`; then *e is what it still does. */
static bool epilog_at(struct modfile *f, const struct function *row,
                      const struct info *info, uint32_t rva, struct epilog *e)
{
    uint32_t there, at;
    const uint8_t *p = modfile_rest(f, rva, &there);

    *e = (struct epilog){ .set = false };
    if (p == NULL) {
        return false;
    }
    if (there > EPILOG_MOST) {
        there = EPILOG_MOST;
    }
    at = take_release(p, there, info, e);
    while (at < there && e->count < UNWIND_REGISTERS) {
        uint32_t rex = rex_of(p, at, there);

        if (at + rex >= there || (p[at + rex] & 0xf8) != 0x58) {
            break;
        }
        e->pops[e->count++] =
            (uint8_t)((p[at + rex] & 7) | (rex == 1 ? (p[at] & 1) << 3 : 0));
        at += rex + 1;
    }
    return is_leaving(p + at, there - at, row, rva + at);
}

static enum unwind_end run_epilog(struct unwind_state *s,
                                  const struct unwind_stack *stack,
                                  const struct epilog *e)
{
    enum unwind_end end = UNWIND_ON;

    if (e->set) {
        s->registers[UNWIND_RSP] = s->registers[e->from];
    }
    s->registers[UNWIND_RSP] += e->add;
    for (uint32_t i = 0; i < e->count && end == UNWIND_ON; i++) {
        uint64_t value;

        end = pop(s, stack, &value);
        if (end == UNWIND_ON && e->pops[i] != UNWIND_RSP) {
            s->registers[e->pops[i]] = value;
        }
    }
    return end == UNWIND_ON ? pop(s, stack, &s->rip) : end;
}

/* --- Prologs ---------------------------------------------------------- */

/* How RIP was told already, if it is not the next word of the stack. */
struct undone {
    bool returned;  // by an epilog: a return address
    bool machine;   // by a frame of the CPU's or the kernel's: any place
};

/* Undoes the operation of code `i`; `frame` is what saved registers are told
 * from. */
static enum unwind_end undo(struct unwind_state *s,
                            const struct unwind_stack *stack,
                            const struct info *info, uint32_t i, uint64_t frame,
                            struct undone *undone)
{
    const uint8_t *code = info->codes + 2 * i;
    uint8_t more = code[1] >> 4;
    uint64_t *rsp = &s->registers[UNWIND_RSP];
    enum unwind_end end = UNWIND_ON;
    uint64_t value;

    switch (code[1] & 15) {
    case PUSH_NONVOL:
        end = pop(s, stack, &value);
        if (end == UNWIND_ON && more != UNWIND_RSP) {
            s->registers[more] = value;
        }
        break;
    case ALLOC_LARGE:
        *rsp += more == 0 ? (uint64_t)modfile_u16(code + 2) * 8
                          : modfile_u32(code + 2);
        break;
    case ALLOC_SMALL:
        *rsp += (uint64_t)more * 8 + 8;
        break;
    case SET_FPREG:
        *rsp = frame;
        break;
    case SAVE_NONVOL:
    case SAVE_NONVOL_FAR:
        value = (code[1] & 15) == SAVE_NONVOL
                    ? (uint64_t)modfile_u16(code + 2) * 8
                    : modfile_u32(code + 2);
        end = word_at(stack, frame + value, &value);
        if (end == UNWIND_ON && more != UNWIND_RSP) {
            s->registers[more] = value;
        }
        break;
    case PUSH_MACHFRAME:
        *rsp += more != 0 ? 8 : 0;
        end = word_at(stack, *rsp, &s->rip);
        if (end == UNWIND_ON) {
            end = word_at(stack, *rsp + 24, rsp);
        }
        undone->machine = true;
        break;
    default: /* vector registers, epilogs */
        break;
    }
    return end;
}

/* Undoes the part of a prolog that was done when `offset` was reached. */
static enum unwind_end undo_prolog(struct unwind_state *s,
                                   const struct unwind_stack *stack,
                                   const struct info *info, uint32_t offset,
                                   struct undone *undone)
{
    uint64_t frame = s->registers[UNWIND_RSP];
    enum unwind_end end = UNWIND_ON;
    uint32_t size;

    if (info->frame_register != 0) {
        frame = s->registers[info->frame_register] - info->frame_offset;
    }
    for (uint32_t i = 0; i < info->count && end == UNWIND_ON; i += size) {
        size = code_size(info, i);
        if (size == 0 || size > info->count - i) {
            return UNWIND_BAD;
        }
        if (info->codes[2 * i] <= offset) {
            end = undo(s, stack, info, i, frame, undone);
        }
    }
    return end;
}

/* --- A step, a walk --------------------------------------------------- */

/* Undoes the function of `row`, and what it is part of. */
static enum unwind_end undo_function(struct unwind_state *s,
                                     const struct unwind_stack *stack,
                                     struct modfile *f, struct function row,
                                     uint32_t rva, struct undone *undone)
{
    enum unwind_end end = UNWIND_ON;
    uint32_t offset = rva - row.begin;
    struct info info;
    struct epilog epilog;

    for (int i = 0; end == UNWIND_ON && i < CHAIN_MOST; i++) {
        if (!function_resolve(f, &row) || !info_at(f, row.info, &info)) {
            return UNWIND_BAD;
        }
        if (i > 0 || offset >= info.prolog) {
            offset = UINT32_MAX;
        }
        if (i == 0 && s->exact && offset == UINT32_MAX && info.count > 0 &&
            epilog_at(f, &row, &info, rva, &epilog)) {
            undone->returned = true;
            return run_epilog(s, stack, &epilog);
        }
        end = undo_prolog(s, stack, &info, offset, undone);
        if ((info.flags & FLAG_CHAINED) == 0) {
            return end;
        }
        row = info.chained;
    }
    return end == UNWIND_ON ? UNWIND_BAD : end;
}

enum unwind_end unwind_step(struct unwind_state *s,
                            const struct unwind_stack *stack,
                            const struct unwind_module *module)
{
    uint64_t was = s->registers[UNWIND_RSP];
    uint64_t rva = s->rip - module->base;
    struct undone undone = { .returned = false };
    enum unwind_end end = UNWIND_ON;
    struct function row;

    if (module->file == NULL) {
        return UNWIND_NO_FILE;
    }
    if (rva > UINT32_MAX) {
        return UNWIND_BAD;
    }
    if (function_find(module->file, (uint32_t)rva - !s->exact, &row)) {
        end =
            undo_function(s, stack, module->file, row, (uint32_t)rva, &undone);
    }
    s->exact = undone.machine;
    if (end == UNWIND_ON && !undone.machine && !undone.returned) {
        end = pop(s, stack, &s->rip);
    }
    if (end == UNWIND_ON && s->rip == 0) {
        return UNWIND_WHOLE;
    }
    if (end == UNWIND_ON && s->registers[UNWIND_RSP] <= was) {
        return UNWIND_BAD;
    }
    return end;
}

enum unwind_end unwind_walk(struct unwind_state *s,
                            const struct unwind_stack *stack, unwind_find *find,
                            void *ctx, uint64_t *callers, uint32_t most,
                            uint32_t *count)
{
    enum unwind_end end = UNWIND_ON;

    for (*count = 0; end == UNWIND_ON && *count < most;) {
        struct unwind_module module;

        if (!find(ctx, s->exact ? s->rip : s->rip - 1, &module)) {
            return UNWIND_FOREIGN;
        }
        end = unwind_step(s, stack, &module);
        if (end == UNWIND_ON) {
            callers[(*count)++] = s->rip;
        }
    }
    return end == UNWIND_ON ? UNWIND_LIMIT : end;
}
