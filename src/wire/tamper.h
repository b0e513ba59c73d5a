/* SPDX-License-Identifier: MIT */
/*
 * tamper.h - rules by which calls are changed (-e inject=), as they stand in
 * the section.
 *
 *     +0       struct tamper_rule[64]     what a rule does, and when
 *     +1000h   uint16_t [8192]            by service number: 1 + index of the
 *                                         first use for that call; 0: none
 *     +5000h   struct tamper_use[]        a rule and a call of its set, each
 *
 * Made by the tracer before anybody looks; the agent counts in it. A row with
 * ROW_TAMPERS has uses. They are gone through in the order of the rules: each
 * whose conditions hold counts the call, and the first for which the count is
 * one that its rule names is the one that applies.
 *
 * It is the target's to write, as all of the section: the worst that can come
 * of it is another result of a call of its own.
 */
#ifndef WIRE_TAMPER_H
#define WIRE_TAMPER_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAMPER_RULES_MOST 64
#define TAMPER_USES_MOST 7680

#define TAMPER_FIRST 0x1000
#define TAMPER_USES 0x5000
#define TAMPER_BYTES 0x60000

/* tamper_use.flags */
#define TAMPER_REPLACES \
    0x01                    /* the call is not made: `result` is what it says */
#define TAMPER_CHANGES 0x02 /* it is made, and says `result` then */
#define TAMPER_ASKS 0x04    /* the tracer knows whether it holds */
#define TAMPER_NOT_SELF 0x08 /* not if its first argument is a pseudo-handle */

struct tamper_rule {
    uint64_t delay_enter;  // before the call, in units of the TSC; 0: none
    uint64_t delay_exit;   // before it returns to the program
    /* Of the calls that meet the conditions, counted from 1: the first that
     * is changed, the last that may be, and every how many. */
    uint64_t first;
    uint64_t last;
    uint64_t step;  // at least 1
    uint64_t pad;
};

struct tamper_use {
    uint16_t next;  // 1 + index of the next use for the same call; 0: none
    uint16_t rule;
    uint8_t flags;     // TAMPER_*
    uint8_t argument;  // that the condition is about
    uint16_t pad;
    uint64_t mask;   // of that argument; 0: there is no condition ...
    uint64_t value;  // ... that it has these bits in the mask
    uint64_t result;
    _Atomic uint64_t met;    // calls that met the conditions
    _Atomic uint64_t fired;  // of these, changed by this rule
};

static_assert(sizeof(struct tamper_rule) == 48, "tamper.h");
static_assert(sizeof(struct tamper_use) == 48, "tamper.h");
static_assert(TAMPER_RULES_MOST * sizeof(struct tamper_rule) <= TAMPER_FIRST,
              "tamper.h");
static_assert(TAMPER_USES + TAMPER_USES_MOST * sizeof(struct tamper_use) <=
                  TAMPER_BYTES,
              "tamper.h");

/* True if the `n`th call that meets the conditions is one that is changed. */
static inline bool tamper_counts(const struct tamper_rule *r, uint64_t n)
{
    return n >= r->first && n <= r->last &&
           (r->step <= 1 || (n - r->first) % r->step == 0);
}

/* True if the call with these `count` arguments may be what the use is about,
 * as far as they say. */
static inline bool tamper_meets(const struct tamper_use *u,
                                const uint64_t *args, uint32_t count)
{
    if ((u->flags & TAMPER_NOT_SELF) != 0 &&
        (args[0] == 0 || args[0] >= (uint64_t)-2)) {
        return false;
    }
    return u->mask == 0 ||
           (u->argument < count && (args[u->argument] & u->mask) == u->value);
}

#endif
