/* SPDX-License-Identifier: MIT */
/*
 * callers.c - see callers.h. The registers that callers keep are in the
 * thread's ring (struct ring_kept); stack and images are read where
 * they are. Only reads. Unwind data are anybody's: whatever they say, a walk ends,
 * and what cannot be told is not told.
 */
#include "live/callers.h"

#include "base/array.h"
#include "decode/decode.h"
#include "unwind/unwind.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* A caller behind more than these is not looked for. */
#define CALLERS_MOST 64
/* So much of a stack is looked at. */
#define STACK_MOST 0x40000u
#define PAGE 0x1000u

struct image_file {
    const struct os_process *os;
    uint64_t base;
    bool there;
    struct modfile file;
};

void callers_forget(struct image_file *file)
{
    if (file != NULL && file->there) {
        modfile_close(&file->file);
    }
    free(file);
}

static bool read_image(void *ctx, uint64_t offset, void *to, size_t size)
{
    const struct image_file *f = ctx;

    return os_read(f->os, f->base + offset, to, size);
}

/* The image that `address` is in; NULL: in none. */
static struct traced_image *image_of(struct traced *t, uint64_t address)
{
    size_t at =
        array_above(t->images, t->image_count, sizeof(t->images[0]), address);

    return at > 0 && address - t->images[at - 1].base < t->images[at - 1].size
               ? &t->images[at - 1]
               : NULL;
}

/* Its unwind data; NULL: they cannot be had. */
static struct modfile *file_of(struct traced *t, struct traced_image *image)
{
    struct image_file *f = image->file;
    struct modfile_source source = { .read = read_image, .size = image->size };

    if (f == NULL) {
        f = calloc(1, sizeof(*f));
        if (f == NULL) {
            return NULL;
        }
        image->file = f;
        f->os = &t->target.os;
        f->base = image->base;
        source.ctx = f;
        f->there = modfile_open_image(&f->file, &source);
    }
    return f->there ? &f->file : NULL;
}

static bool read_registers(const struct ring *ring,
                           const struct record_entry *entry,
                           struct unwind_state *s)
{
    static const uint8_t numbers[STACK_REGISTERS / 8] = {
        UNWIND_RBX, UNWIND_RBP, UNWIND_RSI, UNWIND_RDI, 12, 13, 14, 15
    };
    struct ring_kept kept;

    /* It stands where anybody can write: one look. */
    memcpy(&kept, (const char *)ring + RING_KEPT, sizeof(kept));
    if (kept.rsp + 8 != entry->rsp) {
        return false;
    }
    *s = (struct unwind_state){ .rip = entry->caller };
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        s->registers[numbers[i]] = kept.registers[i];
    }
    s->registers[UNWIND_RSP] = entry->rsp + 8;
    return true;
}

static bool walk(struct traced *t, const struct unwind_stack *stack,
                 struct unwind_state *s, str *module)
{
    for (int i = 0; i < CALLERS_MOST; i++) {
        struct traced_image *image = image_of(t, s->rip - 1);
        struct unwind_module m;

        if (image == NULL || image->name[0] == '\0') {
            return false;
        }
        *module = str_of(image->name);
        if (!decoder_is_go_between(*module)) {
            return true;
        }
        m = (struct unwind_module){ image->base, file_of(t, image) };
        if (unwind_step(s, stack, &m) != UNWIND_ON) {
            return false;
        }
    }
    return false;
}

bool callers_first(struct traced *t, const struct ring *ring,
                   const struct record_entry *entry, str *module)
{
    uint64_t base = entry->rsp < entry->stack_base ? entry->stack_base : 0;
    /* Where it is not known how much there is, the page of RSP: what is behind it
     * may be somebody's guard. */
    size_t size = base == 0 ? (size_t)(PAGE - entry->rsp % PAGE)
                  : base - entry->rsp < STACK_MOST ? (size_t)(base - entry->rsp)
                                                   : STACK_MOST;
    uint8_t *bytes = malloc(size);
    struct unwind_state s;
    bool found = false;

    if (bytes != NULL && os_read(&t->target.os, entry->rsp, bytes, size) &&
        read_registers(ring, entry, &s)) {
        struct unwind_stack stack = {
            .bytes = bytes, .low = entry->rsp, .size = size, .base = base
        };

        found = walk(t, &stack, &s, module);
    }
    free(bytes);
    return found;
}
