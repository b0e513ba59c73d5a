/* SPDX-License-Identifier: MIT */
/*
 * chore.c - what a thread that waits for the tracer does for it, inside.
 *
 * The tracer asks nothing of a target while a thread of it waits: under Wine
 * the answer is a thread's of the target, and that one may be waiting for the
 * thread that waits for us (docs/decisions/0023-no-question-while-one-waits.md).
 * So the thread that waits looks and protects for itself, if it can before it
 * waits.
 *
 * What to do stands in the ring, and is the target's to write: a thread of
 * the target could do the same to itself. Touches what the chore names, and
 * the ring's scratch page. Fails as the kernel says, in ring.chore_status.
 */
#include "agent/agent.h"

#include "base/hash.h"

#define MEM_FREE 0x10000
#define MEM_PRIVATE 0x20000
#define MEM_IMAGE 0x1000000
#define PAGE_READWRITE 0x04
#define PAGE_EXECUTE_READ 0x20
#define MEMORY_MAPPED_FILENAME 2
/* An allocation with more different regions is not looked through. */
#define REGIONS_MOST 256

static struct ring_told *told_at(struct ring *ring)
{
    return (struct ring_told *)((char *)ring + RING_SCRATCH);
}

static uint32_t ask_region(struct ring *ring, uint64_t address,
                           struct memory_basic *m)
{
    struct own_call c = { .stub = PRIVATE_NtQueryVirtualMemory,
                          .a = { CURRENT_PROCESS, address, 0, (uint64_t)m,
                                 sizeof(*m), 0 } };

    return own_call(ring, &c);
}

/* The name of the file behind a mapping, into `told`. */
static void ask_name(struct ring *ring, uint64_t address,
                     struct ring_told *told)
{
    struct own_call c = {
        .stub = PRIVATE_NtQueryVirtualMemory,
        .a = { CURRENT_PROCESS, address, MEMORY_MAPPED_FILENAME,
               (uint64_t)told->name_head,
               sizeof(told->name_head) + sizeof(told->name), 0 }
    };

    if ((int32_t)own_call(ring, &c) >= 0) {
        told->name_bytes = (uint16_t)told->name_head[0];
    }
}

/* Where the allocation that `m` is in ends. */
static uint64_t end_of(struct ring *ring, const struct memory_basic *m)
{
    uint64_t end = m->base + m->size;
    struct memory_basic next;

    for (int i = 0; i < REGIONS_MOST; i++) {
        if ((int32_t)ask_region(ring, end, &next) < 0 ||
            next.state == MEM_FREE ||
            next.allocation_base != m->allocation_base || next.base != end ||
            next.size == 0) {
            break;
        }
        end += next.size;
    }
    return end;
}

static uint32_t query(struct ring *ring, uint64_t address)
{
    struct ring_told *told = told_at(ring);
    struct memory_basic m;
    uint32_t status = ask_region(ring, address, &m);

    if ((int32_t)status < 0) {
        return status;
    }
    told->base = m.base;
    told->size = m.size;
    told->allocation = m.state == MEM_FREE ? 0 : m.allocation_base;
    told->allocation_end = m.base + m.size;
    told->state = m.state;
    told->protect = m.protect;
    told->type = m.state == MEM_FREE ? 0 : m.type;
    told->name_bytes = 0;
    if (told->type != 0 && told->type != MEM_PRIVATE) {
        told->allocation_end = end_of(ring, &m);
        ask_name(ring, address, told);
    }
    return status;
}

bool chore_is_image(struct ring *ring, uint64_t address)
{
    return (int32_t)query(ring, address) >= 0 &&
           told_at(ring)->type == MEM_IMAGE;
}

uint16_t chore_known_image(struct ring *ring)
{
    const struct section *s = section_here();
    const struct ring_told *told = told_at(ring);
    uint64_t name;

    if (told->name_bytes == 0 || told->name_bytes > sizeof(told->name)) {
        return 0;
    }
    name = hash_add(HASH_START, told->name, told->name_bytes);
    for (uint16_t i = 0; i < SECTION_IMAGES_MOST && i < s->image_count; i++) {
        const struct section_image *x = &s->image[i];

        if (x->base == told->allocation && x->end == told->allocation_end &&
            x->name == name) {
            return (uint16_t)(i + 1);
        }
    }
    return 0;
}

static uint32_t open_pages(struct ring *ring, uint64_t address, uint64_t size,
                           struct opened *opened)
{
    uint32_t was = PAGE_EXECUTE_READ;
    uint32_t status;

    if (opened->size != 0 || size == 0) {
        return STATUS_NOT_SUPPORTED;
    }
    status = own_protect(ring, address, size, PAGE_READWRITE, &was);
    if ((int32_t)status >= 0) {
        opened->address = address;
        opened->size = size;
        opened->was = was;
    }
    return status;
}

static uint32_t close_pages(struct ring *ring, struct opened *opened)
{
    uint32_t status =
        own_protect_back(ring, opened->address, opened->size, opened->was);

    opened->size = 0;
    return status;
}

void chore_close(struct ring *ring, struct opened *opened)
{
    if (opened->size != 0) {
        close_pages(ring, opened);
    }
}

/* What our thread has made, and is suspended by our will. */
static uint32_t resume_made(struct ring *ring)
{
    bool held = (ring_args_at(ring, RING_ARGS_TAKEN)->child & CHILD_HELD) != 0;
    /* Its own handle, with its own rights. */
    struct own_call c = { .stub = PRIVATE_NtResumeThread,
                          .a = { ring->made_thread, 0 } };

    return held && c.a[0] != 0 ? own_call_always(ring, &c)
                               : STATUS_NOT_SUPPORTED;
}

void chore_run(struct ring *ring, uint32_t chore, struct opened *opened)
{
    uint64_t address = ring->chore_address;
    uint64_t size = ring->chore_size;
    uint32_t status = STATUS_NOT_SUPPORTED;
    uint32_t old;

    switch (chore) {
    case CHORE_QUERY:
        status = query(ring, address);
        break;
    case CHORE_SEAL:
        status = own_protect(ring, address, size, PAGE_EXECUTE_READ, &old);
        break;
    case CHORE_OPEN:
        status = open_pages(ring, address, size, opened);
        break;
    case CHORE_CLOSE:
        if (opened->size != 0) {
            status = close_pages(ring, opened);
        }
        break;
    case CHORE_RESUME:
        status = resume_made(ring);
        break;
    default:
        break;
    }
    ring->chore_status = status;
}
