/* SPDX-License-Identifier: MIT */
/*
 * regions.c - remembers for all threads what memory was found good to read, so
 * that the kernel need not be asked before each piece.
 *
 * The asking is for guards alone: a read of what is not there fails, but a read
 * of a guard page takes the guard away (docs/facts.md T6). So a region may be
 * believed in as long as there can be no guard in it. It is forgotten
 *
 *   - when a call that can change memory begins, on any thread, and again when
 *     it returns (ROW_CHANGES);
 *   - when a return comes whose call nobody has seen begin, for it may have
 *     been one; that is before its thread runs on;
 *   - when a thread begins, whose stack has a guard: the kernel or another
 *     process may have made it;
 *   - REGION_MS after it was asked about. Other processes, and the kernel of
 *     its own accord, can make a guard without any of the above: they are seen
 *     that late, and what is read in between is a limit
 *     (docs/decisions/0032-remembered-regions.md).
 *
 * Nothing is remembered where changes may go unseen: once the callback is not
 * ours, and once the program has put all of ntdll's stubs back (plain_range).
 *
 * What is asked about while such a call is under way is not kept, nor are
 * stacks (ask in read.c), whose guards move when they are touched.
 *
 * All of it lies in a page of the agent's own. Whoever writes over it decides
 * what the kernel is asked to read, which fails by a status, never by a fault.
 * Nobody waits: a place at which another thread is at work is left alone, for
 * good if that thread was ended there.
 */
#include "agent/agent.h"

#include "agent/teb.h"

/* Long against the calls of a program that makes many, short against anything
 * that one process does to another. */
#define REGION_MS 1

/* Regions begin and end at multiples of this, as a rule. */
#define GRANULE 0x10000

/* The one place where what is known of `address` may be. */
static struct kept_region *place_of(uint64_t address)
{
    uint64_t granule = address / GRANULE;

    return &own_page_here()->region[(granule ^ granule >> 6) % REGIONS_KEPT];
}

bool regions_ticket(uint64_t *ticket)
{
    struct own_page *own = own_page_here();

    /* Acquire: a call that is counted in here is counted in `changing` as well,
     * unless it is over. Pairs with the read-modify-writes below. */
    *ticket = atomic_load_explicit(&own->changes, memory_order_acquire);
    return atomic_load_explicit(&own->changing, memory_order_relaxed) == 0;
}

void regions_keep(uint64_t ticket, uint64_t address, uint64_t low,
                  uint64_t high)
{
    struct kept_region *r = place_of(address);
    uint64_t turn = atomic_load_explicit(&r->turn, memory_order_relaxed);

    if (turn % 2 != 0 || !atomic_compare_exchange_strong_explicit(
                             &r->turn, &turn, turn + 1, memory_order_relaxed,
                             memory_order_relaxed)) {
        return;
    }
    /* Whoever sees one of the words below sees the odd turn. Pairs with the
     * acquire fence in regions_recall. */
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&r->low, low, memory_order_relaxed);
    atomic_store_explicit(&r->high, high, memory_order_relaxed);
    atomic_store_explicit(&r->changes, ticket, memory_order_relaxed);
    atomic_store_explicit(&r->since, tsc(), memory_order_relaxed);
    /* Release: they are there. Pairs with the acquire in regions_recall. */
    atomic_store_explicit(&r->turn, turn + 2, memory_order_release);
}

bool regions_recall(uint64_t address, uint64_t *low, uint64_t *high)
{
    struct own_page *own = own_page_here();
    struct kept_region *r = place_of(address);
    uint64_t turn = atomic_load_explicit(&r->turn, memory_order_acquire);
    uint64_t changes, since;

    *low = atomic_load_explicit(&r->low, memory_order_relaxed);
    *high = atomic_load_explicit(&r->high, memory_order_relaxed);
    changes = atomic_load_explicit(&r->changes, memory_order_relaxed);
    since = atomic_load_explicit(&r->since, memory_order_relaxed);
    atomic_thread_fence(memory_order_acquire);
    return turn % 2 == 0 &&
           atomic_load_explicit(&r->turn, memory_order_relaxed) == turn &&
           *low <= address && address < *high &&
           tsc() - since < REGION_MS * image_config_here()->tsc_per_ms &&
           callback_is_ours() && section_here()->plain[0].size == 0 &&
           atomic_load_explicit(&own->changes, memory_order_acquire) == changes;
}

void regions_changing(struct ring *ring)
{
    struct own_page *own = own_page_here();

    if (ring != NULL && ring->changing == 0) {
        ring->changing = 1;
        atomic_fetch_add_explicit(&own->changing, 1, memory_order_relaxed);
    }
    /* Release: counted above before here. Pairs with the acquire in
     * regions_ticket; a locked instruction, it is seen before what the call
     * does. */
    atomic_fetch_add_explicit(&own->changes, 1, memory_order_seq_cst);
}

void regions_changed(struct ring *ring)
{
    struct own_page *own = own_page_here();

    atomic_fetch_add_explicit(&own->changes, 1, memory_order_seq_cst);
    if (ring != NULL && ring->changing != 0) {
        ring->changing = 0;
        /* Release: after that. Pairs with the acquire in regions_ticket: who
         * does not see us under way any more, but has the count from before
         * this, keeps what is forgotten already. */
        atomic_fetch_sub_explicit(&own->changing, 1, memory_order_release);
    }
}
