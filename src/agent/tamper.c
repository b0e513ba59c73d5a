/* SPDX-License-Identifier: MIT */
/*
 * tamper.c - which rule applies to a call that is being entered
 * (wire/tamper.h).
 *
 * Reads and counts in the section. Believes nothing that stands there further
 * than it can see: an index that leads out of it ends the search.
 */
#include "agent/agent.h"

#include "agent/teb.h"

/* No rule makes a thread wait for longer, whatever stands there. */
#define DELAY_MOST_MS 3600000

static const char *tampers_here(void)
{
    return (const char *)section_here() + SECTION_TAMPER;
}

/* The use with this index + 1; NULL: there is none. */
static struct tamper_use *use_at(uint32_t use)
{
    struct tamper_use *uses =
        (struct tamper_use *)(uint64_t)(tampers_here() + TAMPER_USES);

    return use - 1 < TAMPER_USES_MOST ? &uses[use - 1] : NULL;
}

static uint32_t first_use(uint64_t row)
{
    const uint16_t *first = (const uint16_t *)(tampers_here() + TAMPER_FIRST);

    return first[row >> 16 & SERVICE_MASK];
}

static const struct tamper_rule *rule_of(const struct tamper_use *u)
{
    return (const struct tamper_rule *)tampers_here() +
           u->rule % TAMPER_RULES_MOST;
}

bool tamper_asks(struct ring *ring, uint64_t row)
{
    const struct ring_args *args = ring_args_at(ring, RING_ARGS_NEWEST);
    const struct tamper_use *u = use_at(first_use(row));

    for (int i = 0; u != NULL && i < TAMPER_RULES_MOST; i++) {
        if ((u->flags & TAMPER_ASKS) != 0 &&
            atomic_load_explicit(&u->met, memory_order_relaxed) <
                rule_of(u)->last &&
            tamper_meets(u, args->words, args->count)) {
            return true;
        }
        u = use_at(u->next);
    }
    return false;
}

uint32_t tamper_choose(struct ring *ring, uint64_t row, uint64_t verdict)
{
    const struct ring_args *args = ring_args_at(ring, RING_ARGS_NEWEST);
    uint32_t use = first_use(row);
    struct tamper_use *u = use_at(use);
    uint32_t chosen = 0;

    for (int i = 0; u != NULL && i < TAMPER_RULES_MOST; i++) {
        if (((u->flags & TAMPER_ASKS) == 0 || (verdict >> i & 1) != 0) &&
            tamper_meets(u, args->words, args->count)) {
            /* Relaxed: only the number counts. */
            uint64_t n =
                1 + atomic_fetch_add_explicit(&u->met, 1, memory_order_relaxed);

            if (chosen == 0 && tamper_counts(rule_of(u), n)) {
                chosen = use;
                atomic_fetch_add_explicit(&u->fired, 1, memory_order_relaxed);
            }
        }
        use = u->next;
        u = use_at(use);
    }
    return chosen;
}

/* As long as the rule says; true if that is any time at all. */
static bool hold_up(struct ring *ring, uint64_t ticks)
{
    uint64_t most = DELAY_MOST_MS * image_config_here()->tsc_per_ms;

    if (ticks != 0) {
        wait_delay(ring, ticks < most ? ticks : most);
    }
    return ticks != 0;
}

bool tamper_enter(struct ring *ring, uint32_t use, uint64_t *result,
                  bool *delayed)
{
    const struct tamper_use *u = use_at(use);

    *delayed = u != NULL && hold_up(ring, rule_of(u)->delay_enter);
    if (u == NULL || (u->flags & TAMPER_REPLACES) == 0) {
        return false;
    }
    *result = u->result;
    *delayed = *delayed || rule_of(u)->delay_exit != 0;
    return true;
}

bool tamper_has_return(uint32_t use)
{
    const struct tamper_use *u = use_at(use);

    return u != NULL &&
           ((u->flags & TAMPER_CHANGES) != 0 || rule_of(u)->delay_exit != 0);
}

uint8_t tamper_return(uint32_t tamper, uint64_t *rax)
{
    const struct tamper_use *u = use_at(tamper & TAMPERED_USE);
    uint8_t flags = (tamper & TAMPERED_DELAYED) != 0 ? RECORD_DELAYED : 0;

    if (u != NULL && (u->flags & TAMPER_CHANGES) != 0) {
        *rax = u->result;
        flags |= RECORD_INJECTED;
    }
    if (u != NULL && rule_of(u)->delay_exit != 0) {
        flags |= RECORD_DELAYED;
    }
    return flags;
}

void tamper_left(struct ring *ring, uint32_t tamper)
{
    const struct tamper_use *u = use_at(tamper & TAMPERED_USE);

    if (u != NULL) {
        hold_up(ring, rule_of(u)->delay_exit);
    }
}
