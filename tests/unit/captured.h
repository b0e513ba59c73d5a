/* SPDX-License-Identifier: MIT */
/*
 * captured.h - a target's memory made by hand, and what a capture program
 * takes of it: wire/capture.h once more, in plain C, so that a test goes from
 * a call's arguments to its line.
 */
#ifndef CAPTURED_H
#define CAPTURED_H

#include "decode/capture.h"
#include "decode/decode.h"
#include "format/text.h"
#include "wire/capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORLD_BASE 0x10000ull
#define WORLD_SIZE 0x80000ull
#define PIECES_MAX (CAPTURE_OPS_MAX + CAPTURE_EACH_MAX)

/* Memory from WORLD_BASE on; what was not written cannot be read. */
struct world {
    uint8_t bytes[WORLD_SIZE];
    bool there[WORLD_SIZE];
};

struct taken {
    struct memory_piece pieces[PIECES_MAX];
    uint8_t *owned[PIECES_MAX];
    struct memory memory;
};

static inline void put(struct world *w, uint64_t address, const void *from,
                       size_t size)
{
    if (address < WORLD_BASE || address - WORLD_BASE + size > WORLD_SIZE) {
        abort();
    }
    memcpy(w->bytes + (address - WORLD_BASE), from, size);
    memset(w->there + (address - WORLD_BASE), 1, size);
}

static inline void put_u(struct world *w, uint64_t address, uint64_t value,
                         size_t size)
{
    put(w, address, &value, size);
}

/* UTF-16 of ASCII; returns its bytes. */
static inline uint32_t put_text(struct world *w, uint64_t address,
                                const char *text)
{
    uint32_t n = 0;

    for (; text[n]; n++) {
        put_u(w, address + 2 * n, (uint8_t)text[n], 2);
    }
    return 2 * n;
}

/* A UNICODE_STRING whose buffer stands 32 bytes behind it. */
static inline void put_string(struct world *w, uint64_t address,
                              const char *text)
{
    uint32_t bytes = put_text(w, address + 32, text);

    put_u(w, address, bytes | (uint64_t)(bytes + 2) << 16, 8);
    put_u(w, address + 8, address + 32, 8);
}

static inline void put_attributes(struct world *w, uint64_t address,
                                  uint64_t root, uint64_t name,
                                  uint32_t attributes)
{
    put_u(w, address, 48, 8);
    put_u(w, address + 8, root, 8);
    put_u(w, address + 16, name, 8);
    put_u(w, address + 24, attributes, 8);
    put_u(w, address + 32, 0, 8);
    put_u(w, address + 40, 0, 8);
}

static inline size_t world_read(const struct world *w, uint64_t address,
                                void *to, size_t size)
{
    size_t n = 0;

    while (n < size && address + n >= WORLD_BASE &&
           address + n - WORLD_BASE < WORLD_SIZE &&
           w->there[address + n - WORLD_BASE]) {
        ((uint8_t *)to)[n] = w->bytes[address + n - WORLD_BASE];
        n++;
    }
    return n;
}

static inline uint64_t world_number(const struct world *w, uint64_t address,
                                    size_t size)
{
    uint64_t n = 0;

    return world_read(w, address, &n, size) == size ? n : 0;
}

static inline uint64_t op_bytes(const struct world *w, const struct call *call,
                                const struct taken *t, uint64_t shift,
                                const struct capture_size *s, uint64_t address)
{
    uint64_t from = s->from < CAPTURE_PIECE ? call->args[s->from] : 0;
    uint64_t n = 0;

    if (s->from >= CAPTURE_PIECE) {
        const struct memory_piece *p = &t->pieces[s->from - CAPTURE_PIECE];

        from = s->offset + shift + 8u <= CAPTURE_KEEP
                   ? p->address + s->offset + shift
                   : 0;
    }
    switch ((enum capture_unit)s->unit) {
    case CAPTURE_NO_LIMIT:
        return UINT64_MAX;
    case CAPTURE_ONE:
        n = 1;
        break;
    case CAPTURE_VALUE:
        n = (uint32_t)from;
        break;
    case CAPTURE_VALUE64:
        n = from;
        break;
    case CAPTURE_POINTEE32:
    case CAPTURE_FIELD32:
        n = world_number(w, from, 4);
        break;
    case CAPTURE_POINTEE64:
    case CAPTURE_FIELD64:
        n = world_number(w, from, 8);
        break;
    case CAPTURE_FIELD16:
        n = world_number(w, from, 2);
        break;
    case CAPTURE_RESULT:
        n = (uint32_t)call->result;
        break;
    case CAPTURE_ZERO_ENDED: {
        uint64_t unit = 0;

        while (world_read(w, address + n, &unit, s->scale) == s->scale) {
            n += s->scale;
            if (unit == 0 || n > 100000) {
                break;
            }
        }
        return n;
    }
    }
    return n > CAPTURE_BYTES_MAX / s->scale ? CAPTURE_BYTES_MAX : n * s->scale;
}

static inline bool op_runs(const struct capture_program *p,
                           const struct capture_op *op, const struct call *call)
{
    uint32_t status = (uint32_t)call->result;
    bool filled =
        p->result == CAPTURE_RESULT_STATUS
            ? (status < 0x80000000 && status != 0x103) || status == 0x80000005
        : p->result == CAPTURE_RESULT_BOOL ? status != 0
        : p->result == CAPTURE_RESULT_WORD ? call->result != 0
                                           : true;

    if (op->test == CAPTURE_IF_ARG &&
        (uint32_t)call->args[op->test_from] != op->test_value) {
        return false;
    }
    return op->when == CAPTURE_ALWAYS || filled ||
           (op->when == CAPTURE_LENGTH &&
            (status == 0xc0000004 || status == 0xc0000023));
}

/* Copies what `op` asks for of what lies at `address` into piece `i`. `shift`
 * is how far behind the first the element is. */
static inline void take_piece(const struct world *w, const struct call *call,
                              const struct capture_op *op, uint64_t address,
                              uint64_t shift, struct taken *t, uint32_t i)
{
    uint64_t own = op->size.from == op->base ? shift : 0;
    uint64_t size = op_bytes(w, call, t, own, &op->size, address);
    uint64_t limit = op_bytes(w, call, t, 0, &op->limit, address);

    size = limit < size ? limit : size;
    size = op->most < size ? op->most : size;
    if (address == 0 || size == 0) {
        return;
    }
    t->owned[i] = malloc(size);
    if (!t->owned[i]) {
        abort();
    }
    t->pieces[i].address = address;
    t->pieces[i].size = (uint32_t)world_read(w, address, t->owned[i], size);
    t->pieces[i].bytes = t->owned[i];
}

/* Runs one half of the program. */
static inline void take(const struct world *w, const struct capture_program *p,
                        const struct call *call, bool at_return,
                        struct taken *t)
{
    uint32_t first = at_return ? p->entry_count : 0;
    uint32_t count = at_return ? p->return_count : p->entry_count;
    struct memory_piece *kept = t->pieces;
    uint32_t more = count;  // elements come behind all others

    memset(t, 0, sizeof(*t));
    for (uint32_t i = 0; i < count; i++) {
        const struct capture_op *op = &p->ops[first + i];
        const struct memory_piece *base =
            &kept[op->base < CAPTURE_PIECE ? 0 : op->base - CAPTURE_PIECE];
        uint64_t address;

        if (!op_runs(p, op, call)) {
            continue;
        }
        if (op->base < CAPTURE_PIECE) {
            address = call->args[op->base];
            address = address ? address + op->offset : 0;
        } else if (op->base - CAPTURE_PIECE >= (int)i) {
            abort(); /* no program refers to what comes later */
        } else if (op->test == CAPTURE_EACH) {
            for (uint64_t k = 0; op->offset + k + 8 <= base->size &&
                                 more < count + CAPTURE_EACH_MAX;
                 k += op->test_value) {
                take_piece(w, call, op,
                           world_number(w, base->address + op->offset + k, 8),
                           k, t, more++);
            }
            continue;
        } else if (op->offset + 8u > base->size || op->offset + 8u > 512) {
            continue;
        } else {
            address = world_number(w, base->address + op->offset, 8);
        }
        take_piece(w, call, op, address, 0, t, i);
    }
    t->memory = (struct memory){ .pieces = kept, .count = more };
}

static inline void taken_free(struct taken *t)
{
    for (uint32_t i = 0; i < PIECES_MAX; i++) {
        free(t->owned[i]);
    }
}

#endif
