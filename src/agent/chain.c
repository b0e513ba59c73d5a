/* SPDX-License-Identifier: MIT */
/*
 * chain.c - a program, or a product in it, that registers an instrumentation
 * callback of its own.
 *
 * There is one in a process. So that nobody takes ours, such a call goes to the
 * kernel with a copy of what it points to, in which the callback is ours: the
 * kernel looks at the rest and answers as it would. Where it agrees, returns lead
 * from now on to `chained` (amd64/callback.S), which does what `callback` does and
 * goes on at the program's, with R10 as the kernel sets it. NULL ends that.
 *
 * The program's callback hears of what it would hear of without us: not of the
 * agent's calls; not of the return of the call that registers the first one; nor
 * of returns to calls that were under way then, as far as UNHEARD_MOST threads can
 * be remembered (docs/facts.md A2.2, A2.3).
 *
 * What cannot be read, has no length that a callback is told by, or holds no
 * address is left to the kernel as it is; so is all with --honor-callback. Then
 * the callback may be gone (watch_callback in witness.c).
 */
#include "agent/agent.h"

#include "agent/teb.h"

#define COPY_MOST 256

static_assert(COPY_MOST + 8 <= sizeof(struct ring_scratch), "chain.c");

/* A word anywhere. */
struct any_word {
    uint64_t v;
} __attribute__((packed, may_alias));

/* A chain of nobody. */
static uint64_t straight_here(void)
{
    return (uint64_t)image_head_here() + image_head_here()->straight;
}

static bool is_canonical(uint64_t address)
{
    return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

uint64_t chain_program(void)
{
    uint64_t chain =
        atomic_load_explicit(&own_page_here()->chain, memory_order_relaxed);

    return chain == straight_here() ? 0 : chain;
}

bool chain_entry(struct ring *ring, uint64_t *args, uint64_t rsp)
{
    struct own_page *own = own_page_here();
    struct section *s = section_here();
    uint64_t length = (uint32_t)args[3];
    uint8_t *copy = (uint8_t *)ring + RING_SCRATCH + args[2] % 8;
    volatile struct any_word *word =
        (volatile struct any_word *)(copy + (length >= 16 ? 8 : 0));
    struct known known = { 0 };
    uint64_t callback, none = 0;

    if ((s->flags & SECTION_HONOR) != 0 || !callback_is_ours() || length < 8 ||
        length > COPY_MOST ||
        !ring_copy(ring, rsp, &known, copy, args[2], length)) {
        return false;
    }
    callback = word->v;
    if (!is_canonical(callback)) {
        return false;
    }
    /* Where `chained` may be gone to before this call is over. */
    atomic_compare_exchange_strong_explicit(&own->chain, &none, straight_here(),
                                            memory_order_relaxed,
                                            memory_order_relaxed);
    word->v = (uint64_t)image_head_here() + (callback != 0
                                                 ? image_head_here()->chained
                                                 : image_head_here()->callback);
    ring->chain = callback;
    ring->chains = 1;
    args[2] = (uint64_t)copy;
    return true;
}

/* --- calls that were under way --- */

/* The words of a ring that tell whether its thread is in a call; all that
 * begins a ring. */
struct ring_begin {
    uint32_t head;
    uint32_t limit;
    uint64_t inside;
    uint64_t open_rsp;
};

static_assert(offsetof(struct ring, head) == 0 &&
                  offsetof(struct ring, open_rsp) ==
                      offsetof(struct ring_begin, open_rsp),
              "chain.c");

/* Remembers who is in a call now. Rings are read through the kernel: who has one
 * stands where anybody can write. */
static void remember_under_way(struct ring *ring, uint64_t rsp)
{
    struct own_page *own = own_page_here();
    struct section *s = section_here();
    uint32_t most = image_config_here()->ring_max;
    uint32_t high = atomic_load_explicit(&s->ring_high, memory_order_relaxed);
    const _Atomic uint32_t *states =
        (const _Atomic uint32_t *)((uint64_t)s + SECTION_RING_STATE);
    struct known known = { 0 };
    struct ring_begin begin;
    uint32_t count = 0;

    for (uint32_t i = 0; i < high && i < most && count < UNHEARD_MOST; i++) {
        uint64_t at = (uint64_t)s + SECTION_RINGS +
                      (uint64_t)i * image_config_here()->ring_stride;

        if (at != (uint64_t)ring &&
            atomic_load_explicit(&states[i], memory_order_relaxed) ==
                RING_LIVE &&
            ring_copy(ring, rsp, &known, &begin, at, sizeof(begin)) &&
            begin.open_rsp != 0) {
            own->unheard[count].rsp = begin.open_rsp;
            own->unheard[count].ring = i;
            own->unheard[count++].head = begin.head;
        }
    }
    /* Release: they are there. Pairs with the acquire in is_unheard. */
    atomic_store_explicit(&own->unheard_count, count, memory_order_release);
}

/* This return is that of a call which began before anybody was chained. */
static bool is_unheard(const struct ring *ring, uint64_t rsp)
{
    struct own_page *own = own_page_here();
    uint32_t count =
        atomic_load_explicit(&own->unheard_count, memory_order_acquire);
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

    for (uint32_t i = 0; i < count && i < UNHEARD_MOST; i++) {
        if (own->unheard[i].rsp == rsp && own->unheard[i].head == head &&
            own->unheard[i].ring == ring_index(ring)) {
            own->unheard[i].rsp = 0;
            return true;
        }
    }
    return false;
}

void chain_return(struct ring *ring, uint64_t rsp, uint64_t rax)
{
    uint64_t to = ring->chain != 0 ? ring->chain : straight_here();

    if (ring->chains == 0) {
        return;
    }
    ring->chains = 0;
    if ((int32_t)rax < 0) {
        return;
    }
    if (chain_program() == 0 && ring->chain != 0) {
        remember_under_way(ring, rsp);
    }
    atomic_store_explicit(&own_page_here()->chain, to, memory_order_relaxed);
}

bool chain_hears(uint64_t rsp)
{
    const struct ring *ring = teb_ring();

    return chain_program() != 0 && (ring == NULL || !is_unheard(ring, rsp));
}
