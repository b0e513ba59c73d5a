/* SPDX-License-Identifier: MIT */
/*
 * stack.c - copies what a thread's callers are told from: the registers that
 * they keep, and the stack from RSP on.
 *
 * What lies above RSP on the thread's own stack is there, up to its end, and no
 * guard page is among it; where it is not known which stack that is, it is
 * copied as any memory is (ring_copy), up to what cannot be read. Nothing is
 * looked at but the TEB's words, which are compared with RSP before they are
 * believed.
 */
#include "agent/agent.h"

#include "agent/teb.h"

#define CHUNK_MAX (RECORD_MAX - DATA_BYTES)

static_assert(CHUNK_MAX % 8 == 0 && CHUNK_MAX > STACK_REGISTERS, "stack.c");

/* (DF is off, frame.inc.) */
static void copy_words(void *to, const void *from, uint64_t count)
{
    __asm__ volatile("rep movsq"
                     : "+D"(to), "+S"(from), "+c"(count)
                     :
                     : "memory");
}

/* The stack that the TEB names has the bytes from `rsp` to `end`, and that has
 * been asked of the kernel (read.c). */
static bool is_known(const struct ring *ring, uint64_t rsp, uint64_t end)
{
    return ring->stack_low <= rsp && end <= ring->stack_high &&
           ring->stack_high == teb_stack_base();
}

/* One record: `size` bytes of the stack at `from`, behind the registers if there
 * are any. `known` NULL: they are there. False: it found no room, or they could
 * not be read. */
static bool write_piece(struct ring *ring, uint16_t number, uint64_t rsp,
                        const uint64_t *registers, uint64_t from, uint32_t size,
                        struct known *known)
{
    uint32_t before = registers != NULL ? STACK_REGISTERS : 0;
    uint32_t bytes = DATA_BYTES + before + size;
    struct record_data *r = ring_reserve_data(ring, bytes);
    bool there = true;

    if (r == NULL) {
        return false;
    }
    if (before > 0) {
        copy_words(r->bytes, registers, STACK_REGISTERS / 8);
    }
    if (known == NULL) {
        copy_words(r->bytes + before, (const void *)from, size / 8);
    } else if (!ring_copy(ring, rsp, known, r->bytes + before, from, size)) {
        there = false;
        bytes -= size;
        if (before == 0) {
            return false;
        }
    }
    r->head.size = bytes;
    r->head.kind = RECORD_DATA;
    r->head.flags = RECORD_STACK;
    r->head.number = number;
    r->rsp = rsp;
    r->address = from - before;
    r->length = bytes - DATA_BYTES;
    r->op = STACK_OP;
    r->head.time = tsc();
    ring_publish(ring, bytes);
    return there;
}

void stack_capture(struct ring *ring, uint16_t number, uint64_t rsp,
                   uint32_t bytes)
{
    const struct ring_kept *kept =
        (const struct ring_kept *)((char *)ring + RING_KEPT);
    const uint64_t *registers = kept->registers;
    uint64_t base = teb_stack_base();
    uint64_t from = rsp, end = rsp + bytes;
    struct known known = { 0 };

    if (kept->rsp + 8 != rsp) {
        return;
    }
    if (end < rsp || (rsp < base && base < end)) {
        end = base;
    }
    while (from < end || registers != NULL) {
        bool direct = is_known(ring, rsp, end);
        uint64_t left = end - from;
        uint32_t most = CHUNK_MAX - (registers != NULL ? STACK_REGISTERS : 0);
        uint32_t here = PAGE_SIZE - (uint32_t)(from % PAGE_SIZE);
        uint32_t size = left < most ? (uint32_t)left & ~7u : most;

        /* What cannot be read begins with a page; and what has no end in a
         * word is left out. */
        if (!direct && here < size) {
            size = here & ~7u;
        }
        if ((size == 0 && registers == NULL) ||
            !write_piece(ring, number, rsp, registers, from, size,
                         direct ? NULL : &known)) {
            return;
        }
        from += size;
        registers = NULL;
    }
}
