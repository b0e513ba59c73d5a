/* SPDX-License-Identifier: MIT */
/*
 * handshake.c - the return callback of the handshake engine.
 *
 * The smallest honest use of the callback: one slot for the whole process.
 * A thread that comes back from the kernel puts its id into the slot and
 * spins; the tracer suspends it, asks the kernel for its last system call,
 * resumes it and clears the slot. No system call may be made here while the
 * tracer asks: it would become the last one.
 */
#include "agent/agent.h"

#include "agent/teb.h"

/* After so long without progress, ask whether the tracer still lives. */
#define PATIENCE_MS 5000

/* One turn of waiting for the slot. False: the tracer is gone. `*spoiled` is
 * set before a call of ours becomes this thread's last one. */
static bool still_there(uint64_t *deadline, _Atomic uint32_t *spoiled)
{
    struct section *s = section_here();

    pause();
    if (atomic_load_explicit(&s->dead, memory_order_relaxed)) {
        return false;
    }
    if (tsc() > *deadline) {
        atomic_store_explicit(spoiled, 1, memory_order_release);
        if (own_tracer_gone(NULL)) {
            return false;
        }
        *deadline = tsc() + PATIENCE_MS * image_config_here()->tsc_per_ms;
    }
    return true;
}

void agent_handshake(struct return_frame *frame, uint64_t rsp)
{
    struct handshake_slot *slot = &section_here()->slot;
    uint64_t deadline = tsc() + PATIENCE_MS * image_config_here()->tsc_per_ms;
    uint64_t time = tsc();
    uint32_t tid = teb_tid();
    uint32_t nobody = 0;
    _Atomic uint32_t spoiled = 0;

    if (tid == atomic_load_explicit(&section_here()->keeper.tid,
                                    memory_order_relaxed)) {
        return;
    }
    /* Acquire: the tracer is done with the slot. Pairs with the release in
     * live/handshake.c. */
    while (!atomic_compare_exchange_strong_explicit(
        &slot->tid, &nobody, tid, memory_order_acquire, memory_order_relaxed)) {
        nobody = 0;
        if (!still_there(&deadline, &spoiled)) {
            return;
        }
    }
    slot->rip = frame->rip;
    slot->rsp = rsp;
    slot->rax = frame->rax;
    slot->time = time;
    if (image_config_here()->wine_pointer != 0) {
        slot->last.argument = teb_last_argument();
        slot->last.number = teb_last_number();
    }
    atomic_store_explicit(&slot->spoiled,
                          atomic_load_explicit(&spoiled, memory_order_relaxed),
                          memory_order_relaxed);
    /* Release: the words above are there. Pairs with the acquire in
     * live/handshake.c. */
    atomic_store_explicit(&slot->told, 1, memory_order_release);
    while (atomic_load_explicit(&slot->told, memory_order_acquire) == 1 &&
           atomic_load_explicit(&slot->tid, memory_order_relaxed) == tid) {
        if (!still_there(&deadline, &slot->spoiled)) {
            return;
        }
    }
}
